"""Case file about longitudinal dynamics."""

from __future__ import annotations

from pydantic import Field

from ..schema import Table
from ..tasks import names_of
from . import LongitudinalTask
from .tables import LongitudinalTable, default_cell, make_magnet


class LongitudinalCase(Table):
    """A case file about longitudinal dynamics."""

    title: str = Field("", description="of pictures")
    longitudinal: LongitudinalTable = Field(description="the magnet")
    task: list[LongitudinalTask] = Field(default_factory=list, description="what is asked of it")


def describe(case: LongitudinalCase) -> str:
    """Return what would be run, as text."""
    table = case.longitudinal
    g = make_magnet(table)
    slow, fast = (float(x) for x in g.decay_rates(0.0))
    held = [
        f"{k} {'flux' if b.flux is not None else 'held' if b.accumulation is not None else 'metal'}"
        for k, b in table.boundary.items()
    ]
    field = [] if table.field is None else [f"  field {table.field.amplitude:.4g} A/m, {table.field.shape}"]
    tasks = zip(names_of(case.task), case.task, strict=True)
    return "\n".join(
        [
            case.title or "untitled",
            f"  longitudinal: xi {g.xi:g}, r {g.rate:.4g} 1/s, natural length 1/k_M {1e9 / g.k_M:.4g} nm",
            f"  decay of uniform deviations: {slow:.4g} and {fast:.4g} 1/s",
            f"  {table.geometry.describe(default_cell(table))}, degree {table.degree}",
            f"  boundary: {', '.join(held) or 'closed'}",
            *field,
            f"  tasks: {', '.join(f'{n} ({t.kind})' for n, t in tasks)}",
        ]
    )
