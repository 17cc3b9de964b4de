"""Stable states of a macrospin over drive and field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ..schema import Direction, Induction, Time
from ..tasks import Outlet, Results
from .about import About, field_notes
from .surveys import SurveyTask, missing_points, require_range, spread

if TYPE_CHECKING:
    from .shared import Shared

_REGIONS = {
    "telegraph": "of telegraph noise",
    "bistable": "bistable",
    "none": "without a stable state",
    "unknown": "unknown",
}


class PhaseDiagram(SurveyTask):
    """States that last for the observation time, at each drive and field."""

    vectors = ("direction",)
    units: ClassVar[Mapping[str, str]] = {
        "states": "1",
        "dwell_times": "s",
        "populations": "1",
    }
    kind: Literal["phase-diagram"] = Field(description="stable states against drive and field")
    samples: Annotated[int, Field(ge=2, le=100000)] = Field(
        21, description="how many drives, and how many fields, evenly spaced (1)"
    )
    fields: Annotated[list[Induction], Field(min_length=2, max_length=2)] = Field(
        description="[from, to] along the direction (T)"
    )
    direction: Direction = Field(description="direction of the field, of any length (1)")
    observation_time: Time = Field(1.0, description="what lasts longer does not switch (s)")

    def check(self, owner: str, about: About) -> None:
        """Refuse a range that does not increase, and an energy with fewer than two wells."""
        super().check(owner, about)
        require_range(owner, "fields", self.fields)
        about.require_wells(owner)

    def notes(self, owner: str, about: About) -> list[str]:
        """Return notes on the fields and on the drives."""
        return field_notes(f"{owner}.fields", self.fields, about) + super().notes(owner, about)

    def run(self, shared: Shared, name: str, out: Outlet) -> Results:
        """Solve at every point, write and draw."""
        from ... import output
        from ...plotting.surveys import plot_phase_diagram
        from ...progress import ProgressBar
        from ...sigma.results import finite_or_none
        from ...sigma.surveys import phase_diagram
        from .shared import pieces_of

        bar = ProgressBar(shared.comm)
        drives, fields = spread(self.drives, self.samples), spread(self.fields, self.samples)
        diagram = phase_diagram(
            shared.comm,
            shared.at_drive,
            drives,
            fields,
            along=self.direction,
            observation=self.observation_time,
            make=shared.make,
            progress=bar.following(name),
            journal=pieces_of(shared, self, name, "fields", "observation_time"),
        )
        bar.clear()
        columns: dict[str, Any] = {
            "field_T": np.repeat(diagram.fields, self.samples),
            shared.drive_column: np.tile(diagram.drives, self.samples),
            "region": list(diagram.regions.ravel()),
        }
        for k in range(len(diagram.states)):
            columns[f"dwell_time_{k}_s"] = diagram.dwell_times[:, :, k].ravel()
            columns[f"population_{k}"] = diagram.populations[:, :, k].ravel()
        output.write_csv(shared.comm, out.path / f"phase_diagram.{name}.csv", columns)
        out.picture(
            f"phase_diagram.{name}.png",
            lambda p: plot_phase_diagram(shared.comm, p, diagram, ylabel=shared.drive_label, title=shared.title),
        )
        places = {(i, k): f"at {fields[i]:.6g} T, drive {drives[k]:.6g}" for i, k in diagram.failures}
        return {
            "drives": drives,
            "fields": fields,
            "states": diagram.states.tolist(),
            "regions": diagram.regions.tolist(),
            "dwell_times": finite_or_none(diagram.dwell_times.tolist()),
            "populations": finite_or_none(diagram.populations.tolist()),
            **missing_points({places[at]: line for at, line in diagram.failures.items()}),
            "critical": [x.tolist() for x in diagram.critical],
            "observation_time": diagram.observation,
        }

    @staticmethod
    def line(results: Results, summary: Results) -> str:
        """Return the number of points in each region."""
        regions = results["regions"]
        return ", ".join(
            f"{sum(row.count(k) for row in regions)} points {_REGIONS.get(k, 'in state ' + k + ' only')}"
            for k in sorted({x for row in regions for x in row})
        )
