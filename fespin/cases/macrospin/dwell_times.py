"""Dwell times of a macrospin against the drive."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ..tasks import Outlet, Results
from .surveys import SurveyTask, missing_drives, spread

if TYPE_CHECKING:
    from ...energy.on_sphere import Array
    from ...sigma.surveys import DwellTimes as Survey
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
        from ...sigma.results import finite_or_none

        drives = spread(self.drives, self.samples)
        survey = self._solve(shared, name, drives)
        if shared.state is not None:
            survey = of_both_states(survey, self._solve(shared, name, drives, backwards=True), shared.state)
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

    def _solve(self, shared: Shared, name: str, drives: Sequence[float], *, backwards: bool = False) -> Survey:
        """Solve at every drive, with the noise and length of the layer as it is or reversed. Collective."""
        from ...progress import ProgressBar
        from ...sigma.surveys import dwell_times
        from .shared import pieces_of

        bar = ProgressBar(shared.comm)
        survey = dwell_times(
            shared.comm,
            functools.partial(shared.at_drive, backwards=backwards),
            drives,
            make=shared.make,
            progress=bar.following(name),
            journal=pieces_of(shared, self, f"{name}.reversed" if backwards else name),
        )
        bar.clear()
        return survey


def of_both_states(here: Survey, reversed_: Survey, direction: Array) -> Survey:
    """Return dwell times of which each is that of a magnet with the noise and length of its own state.

    Parameters
    ----------
    here, reversed_
        Dwell times with the noise and length of a layer along a direction, and of the reversed layer.
    direction
        (3,).
    """
    own = here.states @ direction >= 0
    times = np.where(own, here.dwell_times, reversed_.dwell_times)
    shares = np.where(own, here.populations, reversed_.populations)
    if len(own) == 2:
        # Jumps back and forth balance: shares are as dwell times.
        finite = np.isfinite(times).all(axis=1)
        shares[finite] = times[finite] / times[finite].sum(axis=1, keepdims=True)
    return dataclasses.replace(
        here,
        stable=np.where(own, here.stable, reversed_.stable),
        dwell_times=times,
        populations=shares,
        failures=here.failures | reversed_.failures,
    )
