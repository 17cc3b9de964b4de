"""Dwell times of a macrospin against the drive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from ..tasks import Outlet, Results
from .surveys import SurveyTask, missing_drives, spread

if TYPE_CHECKING:
    from .shared import Shared


class DwellTimes(SurveyTask):
    """Dwell times and populations of the states at each drive."""

    units: ClassVar[Mapping[str, str]] = {
        "states": "1",
        "dwell_times": "s",
        "populations": "1",
    }
    kind: Literal["dwell-times"] = Field(description="dwell times and populations against the drive")

    def run(self, shared: Shared, name: str, out: Outlet) -> Results:
        """Solve at every drive, write and draw."""
        from ... import output
        from ...plotting.surveys import plot_dwell_times
        from ...progress import ProgressBar
        from ...sigma.results import finite_or_none
        from ...sigma.surveys import dwell_times
        from .shared import pieces_of

        bar = ProgressBar(shared.comm)
        drives = spread(self.drives, self.samples)
        survey = dwell_times(
            shared.comm,
            shared.at_drive,
            drives,
            make=shared.make,
            progress=bar.following(name),
            journal=pieces_of(shared, self, name),
        )
        bar.clear()
        columns: dict[str, Any] = {shared.drive_column: survey.drives}
        for k in range(len(survey.states)):
            columns |= {f"dwell_time_{k}_s": survey.dwell_times[:, k], f"population_{k}": survey.populations[:, k]}
        output.write_csv(shared.comm, out.path / f"dwell.{name}.csv", columns)
        out.picture(
            f"dwell.{name}.png",
            lambda p: plot_dwell_times(shared.comm, p, survey, xlabel=shared.drive_label, title=shared.title),
        )
        return {
            "drives": drives,
            "states": survey.states.tolist(),
            "stable": survey.stable.tolist(),
            "dwell_times": finite_or_none(survey.dwell_times.tolist()),
            "populations": finite_or_none(survey.populations.tolist()),
            **missing_drives(drives, survey.failures),
        }
