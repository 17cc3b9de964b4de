"""Tunnel barriers in case files: the inline table of an interface, and what it declares."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from ... import device
from ...errors import InputError
from ...tunnel import BarrierTable, TunnelBarrier, read_columns
from ..messages import FILE
from ..schema import Length, Number, Table, at_least, within

type Polarization = Annotated[float, Field(ge=-1, le=1), at_least(1e-12)]
type Voltage = Annotated[float, Field(gt=0, lt=1e3), within(1e-6)]
type Column = Annotated[list[Number], Field(min_length=2, max_length=10_000)]

_FORMULA = ("resistance_area", "tmr", "polarization", "half_voltage", "conductance_voltage")


class BarrierColumns(Table):
    """Measured conductance and polarizations of a barrier against its voltage; the columns of the csv file."""

    V: Column = Field(description="voltages, increasing, zero among them or between them (V)")
    G_P: Column = Field(description="conductance of the parallel state (S/m2)")
    P_a: Column = Field(description="polarization of the layer that is named first (1)")
    P_b: Column = Field(description="polarization of the other layer (1)")


class Tunnel(Table):
    """A tunnel barrier between two magnets; V and P_a, P_b count in the order of the interface's name."""

    at_most_one = (("tmr", "polarization"), *(("table", key) for key in _FORMULA))
    resistance_area: Annotated[float, Field(gt=0, lt=1e3), within(1e-18)] | None = Field(
        None, description="RA of the parallel state without a voltage; a barrier without a table needs it (ohm m2)"
    )
    tmr: Annotated[float, Field(gt=-1, lt=1e6), at_least(1e-12)] | None = Field(
        None, description="(R_AP - R_P)/R_P without a voltage; instead of polarization (1)"
    )
    polarization: Annotated[list[Polarization], Field(min_length=2, max_length=2)] | None = Field(
        None, description="[P_a, P_b], instead of tmr (1)"
    )
    half_voltage: Voltage | None = Field(
        None, description="V_h, at which the TMR has fallen to one half: TMR/(1 + (V/V_h)^2); default: it stays (V)"
    )
    conductance_voltage: Voltage | None = Field(
        None, description="V_p, at which the parallel conductance has doubled: 1 + (V/V_p)^2; default: it stays (V)"
    )
    field_like: Annotated[list[Number], Field(min_length=2, max_length=2)] = Field(
        [0.0, 0.0],
        description="[b1, b2] of the torque (b1 V + b2 V^2) m_b x m_a on b; the interface is then named after layers "
        "(J/(m2 V), J/(m2 V2))",
    )
    exchange_coupling: Number = Field(
        0.0, description="J_ex of the energy -J_ex m_a.m_b; positive favours parallel (J/m2)"
    )
    thickness: Length | None = Field(None, description="of the insulator; macrospin.vcma needs it (m)")
    table: BarrierColumns | None = Field(
        None,
        description="a csv file, relative to the case file, with the columns V (V), G_P (S/m2), P_a and P_b, or these "
        "columns themselves; instead of the formulas",
    )

    @field_validator("table", mode="before")
    @classmethod
    def _columns_of_file(cls, value: Any, info: ValidationInfo) -> Any:
        """Read the file of a table: the case then holds the numbers themselves."""
        if not isinstance(value, str):
            return value
        folder = Path((info.context or {}).get("folder", "."))
        try:
            return read_columns(folder / value)
        except InputError as error:
            raise PydanticCustomError(FILE, "{why}", {"why": str(error)}) from error


def make_tunnel(owner: str, value: Tunnel, between: tuple[device.Material, device.Material]) -> TunnelBarrier:
    """Return the barrier of an interface.

    Raises
    ------
    InputError
        If a side is no magnet, or a number is missing, given twice or impossible.
    """
    for x in between:
        if not x.ferromagnetic:
            raise InputError(
                f"{owner}.tunnel: a tunnel barrier lies between two magnets, and {x.name} is no ferromagnet (no beta, "
                "or 0 without a magnetization)"
            )
    numbers = value.model_dump(exclude={"table"}, exclude_none=True)
    for key in ("polarization", "field_like"):
        if key in numbers:
            numbers[key] = tuple(numbers[key])
    try:
        columns = value.table
        table = None if columns is None else BarrierTable(columns.V, columns.G_P, columns.P_a, columns.P_b)
        return TunnelBarrier(**numbers, table=table)
    except InputError as error:
        text = str(error).removeprefix("tunnel barrier: ").removeprefix("barrier table: ")
        raise InputError(f"{owner}.tunnel: {text}") from error
