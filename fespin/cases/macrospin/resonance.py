"""Resonance of a macrospin against the drive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from ..schema import Direction
from ..tasks import Outlet, Results
from .surveys import SurveyTask, missing_drives, spread
from .tables import unit

if TYPE_CHECKING:
    from .shared import Shared


class Resonance(SurveyTask):
    """Frequency and width of the precession about a state at each drive."""

    vectors = ("start",)
    units: ClassVar[Mapping[str, str]] = {
        "frequency": "Hz",
        "width": "Hz",
        "thermal_frequency": "Hz",
        "thermal_width": "Hz",
    }
    kind: Literal["resonance"] = Field(description="frequency and width of the precession against the drive")
    start: Direction = Field([0.0, 0.0, 1.0], description="a direction near the state, of any length (1)")

    def run(self, shared: Shared, name: str, out: Outlet) -> Results:
        """Solve at every drive, write and draw."""
        from ... import output
        from ...plotting.surveys import plot_resonances
        from ...progress import ProgressBar
        from ...sigma.results import finite_or_none
        from ...sigma.surveys import resonances
        from .shared import pieces_of

        bar = ProgressBar(shared.comm)
        drives = spread(self.drives, self.samples)
        survey = resonances(
            shared.comm,
            shared.at_drive,
            drives,
            state=unit(self.start),
            make=shared.make,
            progress=bar.following(name),
            journal=pieces_of(shared, self, name),
        )
        bar.clear()
        columns: dict[str, Any] = {
            shared.drive_column: survey.drives,
            "frequency_Hz": survey.frequency,
            "width_Hz": survey.width,
            "thermal_frequency_Hz": survey.thermal_frequency,
            "thermal_width_Hz": survey.thermal_width,
        }
        output.write_csv(shared.comm, out.path / f"resonance.{name}.csv", columns)
        out.picture(
            f"resonance.{name}.png",
            lambda p: plot_resonances(shared.comm, p, survey, xlabel=shared.drive_label, title=shared.title),
        )
        keys = ("frequency", "width", "thermal_frequency", "thermal_width")
        return {
            "drives": drives,
            **{k: finite_or_none(getattr(survey, k).tolist()) for k in keys},
            **missing_drives(drives, survey.failures),
        }
