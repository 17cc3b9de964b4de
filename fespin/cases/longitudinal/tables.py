"""Table [longitudinal] of a case file, and the magnet it declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from ...errors import InputError
from ..body.tables import BodyTable
from ..schema import (
    Belonging,
    Diffusion,
    Drive,
    Length,
    Number,
    Positive,
    Table,
    Time,
    within,
)

if TYPE_CHECKING:
    from ...longitudinal import LongitudinalMagnet


SHAPES = ("line", "rectangle", "disc", "box", "cylinder")
OWNER = "longitudinal.geometry"
# Keys of each shape of the start, beside those that all have.
STARTS = {"uniform": set[str](), "step": {"position"}, "gaussian": {"centre", "width"}}


class BoundaryTable(Table):
    """Part of the boundary that is not closed: exactly one of the two keys."""

    exactly_one = (("flux", "accumulation"),)
    flux: Drive | None = Field(None, description="outward spin flux; a negative one injects (A/s)")
    accumulation: Drive | None = Field(None, description="instead of flux: a reservoir that holds m + xi M (A/m)")


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
    start: StartTable | None = Field(None, description="of relaxations; default equilibrium")


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
