"""The table [longitudinal] of a case file with its tasks, and the objects they declare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from ..errors import InputError
from .body_case import BodyTable
from .macrospin_case import Time
from .tables import Drive, Length, Positive, Table
from .task_names import names_of

if TYPE_CHECKING:
    from ..longitudinal import LongitudinalMagnet

type Wavenumber = Annotated[float, Field(ge=0, lt=1e12)]

SHAPES = ("line", "rectangle", "disc", "box", "cylinder")
# Keys of each kind of task, beside those that all have, and of each shape of the start.
TASKS = {
    "dispersion": {"wavenumbers", "range", "samples", "count"},
    "response": {"frequency", "frequencies", "samples"},
    "relaxation": {"duration", "samples", "tolerance"},
}
STARTS = {"uniform": set[str](), "step": {"position"}, "gaussian": {"centre", "width"}}


class BoundaryTable(Table):
    """What a part of the boundary does: exactly one of the two. Other parts are closed."""

    flux: Drive | None = Field(None, description="outward spin flux, A/s; a negative one injects")
    accumulation: Drive | None = Field(None, description="instead: a reservoir that holds m + xi M, A/m")


class StartTable(Table):
    """Deviations from equilibrium at the start of a relaxation."""

    shape: Literal["uniform", "step", "gaussian"] = "uniform"
    M: Drive = Field(0.0, description="M - M0 - chi_M H, A/m: its height")
    m: Drive = Field(0.0, description="A/m: the height of m")
    position: float | None = Field(None, description="step: x up to which M and m are there, m")
    centre: Annotated[list[float], Field(min_length=1, max_length=3)] | None = Field(
        None, description="gaussian: m; default the middle of the body"
    )
    width: Length | None = Field(None, description="gaussian: standard deviation, m")


class LongitudinalTable(Table):
    """A magnet with the magnetization M of its state and the spin accumulation m."""

    xi: Positive = Field(description="chi_m/chi_M, between 0 and 1")
    tau_mM: Time = Field(description="decay of m to M, s")
    diffusion: Annotated[float, Field(gt=0, lt=1e3)] = Field(description="of m, m2/s")
    tau_ML: Time | None = Field(None, description="decay of M to the lattice, s; without it there is none")
    tau_mL: Time | None = Field(None, description="decay of m to the lattice, s; without it there is none")
    susceptibility: Annotated[float, Field(gt=0, lt=1e9)] = Field(1.0, description="chi_M")
    degree: Annotated[int, Field(ge=1, le=6)] = 2
    geometry: BodyTable
    boundary: dict[str, BoundaryTable] = Field(default_factory=dict)
    start: StartTable | None = None


class LongitudinalTask(Table):
    """A question about M and m."""

    kind: Literal["dispersion", "response", "relaxation"]
    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    wavenumbers: Annotated[list[Wavenumber], Field(min_length=1, max_length=200)] | None = Field(
        None, description="dispersion: 1/m"
    )
    range: Annotated[list[Wavenumber], Field(min_length=2, max_length=2)] | None = Field(
        None, description="dispersion: from, to, 1/m"
    )
    count: Annotated[int, Field(ge=1, le=200)] | None = Field(
        None, description="dispersion of a line: the first modes, n pi/length; default 8"
    )
    samples: Annotated[int, Field(ge=2, le=10000)] | None = Field(
        None, description="of the range, the frequencies, or the times of fields and profiles"
    )
    frequency: Annotated[float, Field(ge=0, lt=1e18)] | None = Field(None, description="response: Hz; 0 is steady")
    frequencies: Annotated[list[Positive], Field(min_length=2, max_length=2)] | None = Field(
        None, description="response: from, to, Hz"
    )
    duration: Time | None = Field(None, description="relaxation: s")
    tolerance: Annotated[float, Field(ge=1e-12, lt=0.1)] | None = Field(
        None, description="relaxation: error of a step, relative; default 1e-5"
    )


class LongitudinalCase(Table):
    """A case file about longitudinal dynamics."""

    title: str = ""
    longitudinal: LongitudinalTable
    task: list[LongitudinalTask] = Field(default_factory=list)

    def describe(self) -> str:
        """Return what would be run, as text."""
        table = self.longitudinal
        g = make_magnet(table)
        slow, fast = (float(x) for x in g.decay_rates(0.0))
        held = [f"{k} {'flux' if b.flux is not None else 'held'}" for k, b in table.boundary.items()]
        tasks = zip(names_of(self.task), self.task, strict=True)
        return "\n".join(
            [
                self.title or "untitled",
                f"  longitudinal: xi {g.xi:g}, r {g.rate:.4g} 1/s, natural length 1/k_M {1e9 / g.k_M:.4g} nm",
                f"  decay of uniform deviations: {slow:.4g} and {fast:.4g} 1/s",
                f"  {table.geometry.describe(default_cell(table))}, degree {table.degree}",
                f"  boundary: {', '.join(held) or 'closed'}",
                f"  tasks: {', '.join(f'{n} ({t.kind})' for n, t in tasks)}",
            ]
        )


# ---- the declared objects
def make_magnet(table: LongitudinalTable) -> LongitudinalMagnet:
    """Return the magnet of a case.

    Raises
    ------
    InputError
        If it is unstable.
    """
    from ..longitudinal import LongitudinalMagnet

    if table.xi >= 1:
        raise InputError(
            f"longitudinal.xi: found {table.xi:g}; it must lie between 0 and 1, both excluded: only then is "
            "equilibrium stable (chi_m < chi_M)"
        )
    lattice: dict[str, Any] = {k: v for k in ("tau_ML", "tau_mL") if (v := getattr(table, k)) is not None}
    return LongitudinalMagnet(table.xi, table.tau_mM, table.diffusion, susceptibility=table.susceptibility, **lattice)


def default_cell(table: LongitudinalTable) -> float:
    """Return the size of cells (m) that resolves the natural length and the body."""
    return min([1 / (4 * make_magnet(table).k_M), *(x / 20 for x in [max(table.geometry.extents, default=0.0)] if x)])
