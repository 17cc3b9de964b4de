"""The table [longitudinal] of a case file with its tasks, and the objects they declare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from ...errors import InputError
from ..body.tables import BodyTable
from ..schema import (
    Diffusion,
    Drive,
    Frequency,
    FrequencyOrZero,
    Length,
    Number,
    Positive,
    Table,
    Time,
    Wavenumber,
    with_defaults,
    within,
)
from ..tasks import names_of

if TYPE_CHECKING:
    from ...longitudinal import LongitudinalMagnet


SHAPES = ("line", "rectangle", "disc", "box", "cylinder")
# Keys of each kind of task, beside those that all have, and of each shape of the start.
TASKS = {
    "dispersion": {"wavenumbers", "range", "samples", "count"},
    "response": {"frequency", "frequencies", "samples"},
    "relaxation": {"duration", "samples", "tolerance"},
}
DEFAULTS: dict[str, dict[str, object]] = {
    "dispersion": {"samples": 12, "count": 8},
    "response": {"samples": 25},
    "relaxation": {"samples": 21, "tolerance": 1e-5},
}
"""Defaults of keys that are left out, by kind of task."""
STARTS = {"uniform": set[str](), "step": {"position"}, "gaussian": {"centre", "width"}}


class BoundaryTable(Table):
    """What a part of the boundary does: exactly one of the two. Other parts are closed."""

    flux: Drive | None = Field(None, description="outward spin flux; a negative one injects (A/s)")
    accumulation: Drive | None = Field(None, description="instead of flux: a reservoir that holds m + xi M (A/m)")


class StartTable(Table):
    """Deviations from equilibrium at the start of a relaxation."""

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
    diffusion: Diffusion = Field(description="of m (m2/s)")
    tau_ML: Time | None = Field(None, description="decay of M to the lattice; default: none (s)")
    tau_mL: Time | None = Field(None, description="decay of m to the lattice; default: none (s)")
    susceptibility: Annotated[float, Field(gt=0, lt=1e9), within(1e-12)] = Field(1.0, description="chi_M (1)")
    degree: Annotated[int, Field(ge=1, le=6)] = Field(2, description="of the elements (1)")
    geometry: BodyTable = Field(description="the body")
    boundary: dict[str, BoundaryTable] = Field(
        default_factory=dict, description="by name: parts of the boundary that are not closed"
    )
    start: StartTable | None = Field(None, description="of relaxations; default equilibrium")


class LongitudinalTask(Table):
    """A question about M and m."""

    kind: Literal["dispersion", "response", "relaxation"] = Field(description="what is asked")
    name: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        None, description="of results and files; default the number of the task, from 1"
    )
    wavenumbers: Annotated[list[Wavenumber], Field(min_length=1, max_length=200)] | None = Field(
        None, description="instead of range and count (1/m)"
    )
    range: Annotated[list[Wavenumber], Field(min_length=2, max_length=2)] | None = Field(
        None, description="from, to (1/m)"
    )
    count: Annotated[int, Field(ge=1, le=200)] | None = Field(
        None, description="of a line: the first modes, n pi/length (1)"
    )
    samples: Annotated[int, Field(ge=2, le=10000)] | None = Field(
        None, description="of the range, the frequencies, or the times of fields and profiles (1)"
    )
    frequency: FrequencyOrZero | None = Field(None, description="0 is steady (Hz)")
    frequencies: Annotated[list[Frequency], Field(min_length=2, max_length=2)] | None = Field(
        None, description="from, to, evenly in the logarithm; instead of frequency (Hz)"
    )
    duration: Time | None = Field(None, description="of the relaxation (s)")
    tolerance: Annotated[float, Field(ge=1e-12, lt=0.1)] | None = Field(
        None, description="error of a step, relative (1)"
    )


class LongitudinalCase(Table):
    """A case file about longitudinal dynamics."""

    title: str = Field("", description="of pictures")
    longitudinal: LongitudinalTable = Field(description="the magnet")
    task: list[LongitudinalTask] = Field(default_factory=list, description="what is asked of it")

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
def resolved(task: LongitudinalTask) -> LongitudinalTask:
    """Return a task in which keys that were left out, and that something uses, have their defaults."""
    unused = {
        "dispersion": [] if task.range else ["samples"] if not task.wavenumbers else ["samples", "count"],
        "response": [] if task.frequencies else ["samples"],
    }.get(task.kind, [])
    unused += ["count"] if task.range else []
    return with_defaults(task, {k: v for k, v in DEFAULTS[task.kind].items() if k not in unused})


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
