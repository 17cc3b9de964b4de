"""Table [longitudinal] of a case file, and the magnet it declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from ...errors import InputError
from ..body.tables import BodyTable
from ..metal import MetalTable, make_metal
from ..schema import (
    Belonging,
    Diffusion,
    Drive,
    Length,
    Number,
    Positive,
    Table,
    Time,
    Wavenumber,
    at_least,
    within,
)

if TYPE_CHECKING:
    from ...longitudinal import LongitudinalMagnet
    from ...longitudinal.drives import Condition


SHAPES = ("line", "rectangle", "disc", "ring", "box", "cylinder")
OWNER = "longitudinal.geometry"
# Keys of each shape of the start and of the field, beside those that all have.
STARTS = {"uniform": set[str](), "step": {"position"}, "gaussian": {"centre", "width"}}
FIELDS = {**STARTS, "wave": {"wavenumber"}}
type Asymmetry = Annotated[float, Field(gt=-1, lt=1), at_least(1e-12)]


class BoundaryTable(Table):
    """Part of the boundary that is not closed: exactly one of flux, accumulation and current_density."""

    exactly_one = (("flux", "accumulation", "current_density"),)
    rules = (
        {
            "dependentRequired": {
                "current_density": ["metal"],
                "metal": ["current_density"],
                "area_resistance_star": ["metal"],
                "gamma": ["metal"],
            }
        },
    )
    flux: Drive | None = Field(None, description="outward spin flux; a negative one injects (A/s)")
    accumulation: Drive | None = Field(None, description="instead of flux: a reservoir that holds m + xi M (A/m)")
    current_density: Drive | None = Field(
        None, description="instead of flux: of the charge that flows into the magnet out of a metal (A/m2)"
    )
    metal: MetalTable | None = Field(None, description="with current_density: the metal")
    area_resistance_star: Annotated[float, Field(ge=0, lt=1), at_least(1e-24)] = Field(
        0.0, description="AR* of the interface with the metal (ohm m2)"
    )
    gamma: Asymmetry = Field(0.0, description="asymmetry of the interface with the metal (1)")

    def unused(self) -> set[str]:
        """Return the keys that nothing uses beside those that are given."""
        return {"area_resistance_star", "gamma"} if self.current_density is None else set()

    @property
    def drives(self) -> bool:
        """Return whether it does more than take up spins."""
        return bool(self.flux or self.accumulation or self.current_density)


class FieldTable(Table):
    """Field H along M, amplitude times a shape in space: M departs from its equilibrium M0 + chi_M H."""

    belonging = Belonging("shape", FIELDS, {"step": {"position"}, "gaussian": {"width"}, "wave": {"wavenumber"}})
    amplitude: Drive = Field(description="H; in a response the amplitude of exp(i omega t) (A/m)")
    shape: Literal["uniform", "step", "gaussian", "wave"] = Field("uniform", description="of H in space")
    position: Number | None = Field(None, description="x up to which H is there (m)")
    centre: Annotated[list[Number], Field(min_length=1, max_length=3)] | None = Field(
        None, description="default the middle of the body (m)"
    )
    width: Length | None = Field(None, description="standard deviation (m)")
    wavenumber: Wavenumber | None = Field(None, description="k of cos(k x), x from the body's left end (1/m)")
    points: Annotated[list[Annotated[list[Number], Field(min_length=2, max_length=2)]], Field(min_length=2)] | None = (
        Field(
            None,
            description="of a relaxation: [time, factor] of the amplitude, straight lines in between and constant "
            "beyond; default: switched on at time 0 (s, 1)",
        )
    )


class StartTable(Table):
    """Deviations from equilibrium at the start of a relaxation."""

    belonging = Belonging("shape", STARTS, {"step": {"position"}, "gaussian": {"width"}})
    shape: Literal["uniform", "step", "gaussian"] = Field("uniform", description="of both deviations")
    M: Drive = Field(0.0, description="height of M - M0 - chi_M H (A/m)")
    m: Drive = Field(0.0, description="height of m (A/m)")
    position: Number | None = Field(None, description="x up to which M and m are there (m)")
    centre: Annotated[list[Number], Field(min_length=1, max_length=3)] | None = Field(
        None, description="default the middle of the body (m)"
    )
    width: Length | None = Field(None, description="standard deviation (m)")


class LongitudinalTable(Table):
    """A magnet with the magnetization M of its state and the spin accumulation m."""

    xi: Positive = Field(description="chi_m/chi_M, between 0 and 1 (1)")
    tau_mM: Time = Field(description="decay of m to M (s)")
    diffusion: Diffusion = Field(description="diffusion constant of m (m2/s)")
    tau_ML: Time | None = Field(None, description="decay of M to the lattice; default: none (s)")
    tau_mL: Time | None = Field(None, description="decay of m to the lattice; default: none (s)")
    susceptibility: Annotated[float, Field(gt=0, lt=1e9), within(1e-12)] = Field(1.0, description="chi_M (1)")
    degree: Annotated[int, Field(ge=1, le=6)] = Field(2, description="of the elements (1)")
    geometry: BodyTable = Field(description="the body")
    boundary: dict[str, BoundaryTable] = Field(
        default_factory=dict, description="by name: parts of the boundary that are not closed"
    )
    beta: Asymmetry = Field(0.0, description="asymmetry of the magnet's conduction, for currents out of metals (1)")
    field: FieldTable | None = Field(None, description="applied along M")
    start: StartTable | None = Field(None, description="of relaxations; default equilibrium")

    @property
    def driven(self) -> bool:
        """Return whether a boundary or the field drives M and m."""
        return any(part.drives for part in self.boundary.values()) or bool(self.field and self.field.amplitude)


# ---- the declared objects
def make_magnet(table: LongitudinalTable) -> LongitudinalMagnet:
    """Return the magnet of a case.

    Raises
    ------
    InputError
        If it is unstable.
    """
    from ...longitudinal import LongitudinalMagnet

    if not 1e-9 < table.xi < 1:
        raise InputError(
            f"longitudinal.xi: found {table.xi:g}; it must lie between 0 and 1, both excluded, and be "
            "greater than 1e-9: only then is "
            "equilibrium stable (chi_m < chi_M)"
        )
    lattice: dict[str, Any] = {k: v for k in ("tau_ML", "tau_mL") if (v := getattr(table, k)) is not None}
    return LongitudinalMagnet(table.xi, table.tau_mM, table.diffusion, susceptibility=table.susceptibility, **lattice)


def make_condition(table: LongitudinalTable, part: BoundaryTable) -> Condition:
    """Return what a part of the boundary imposes."""
    from ...longitudinal import Contact, Flux, Held

    if part.flux is not None:
        return Flux(part.flux)
    if part.accumulation is not None:
        return Held(part.accumulation)
    assert part.metal is not None and part.current_density is not None
    return Contact(make_metal(part.metal), part.current_density, part.area_resistance_star, part.gamma, table.beta)


def default_cell(table: LongitudinalTable) -> float:
    """Return the size of cells (m) that resolves the natural length and the body."""
    return min([1 / (4 * make_magnet(table).k_M), *(x / 20 for x in [max(table.geometry.extents, default=0.0)] if x)])


def per_extent(power: int) -> str:
    """Return a power of metres, as units write it: "m", "m2", "m3"."""
    return "m" if power == 1 else f"m{power}"


SECTION = {
    "exchange_rate": "1/s",
    "natural_wavenumber": "1/m",
    "natural_length": "m",
    "susceptibility_m": "1",
    "resistivity_star": "ohm m",
    "lattice_rate_M": "1/s",
    "lattice_rate_m": "1/s",
    "uniform_decay_rates": "1/s",
    "slow_rate_limit": "1/s",
    "steady_decay_length": "m",
    "dimension": "1",
    "cells": "1",
    "dofs": "1",
    "mesh_size": "m",
}
"""Units of the entry "longitudinal" of ``summary.json``, but for the volume's."""
