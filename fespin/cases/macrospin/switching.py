"""Probability that a macrospin has not switched after a pulse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ..tasks import Outlet, Results
from .pulses import PulseTask
from .tables import unit

if TYPE_CHECKING:
    from .shared import Shared


class Switching(PulseTask):
    """Evolution from a hemisphere during a pulse: the write-error rate."""

    units: ClassVar[Mapping[str, str]] = {
        "mean_direction": "1",
        "error_estimate": "1",
        "mean_error": "1",
        "mass_error": "1",
        "minimum_density": "1/sr",
        "negative_mass": "1",
        "dofs": "1",
        "mesh_size": "1",
        "degree": "1",
        "cells": "1",
        "orders": "1",
        "times": "s",
        "reduced_times": "1",
        "not_switched": "1",
        "stationary": "1",
    }
    kind: Literal["switching"] = Field(description="probability left in a hemisphere during a pulse")

    def run(self, shared: Shared, name: str, out: Outlet) -> Results:
        """Solve, write and draw."""
        from ... import output
        from .shared import describe_mesh, draw_density

        times = self.times(shared.solver.reduced_time)
        switching = shared.solver.switching(times, start=unit(self.start))
        columns = {
            "time_s": times,
            "reduced_time": switching.reduced_times,
            "not_switched": switching.not_switched,
            "error_estimate": switching.error_estimate,
            **{f"mean_{x}": switching.mean[:, k] for k, x in enumerate("xyz")},
        }
        output.write_csv(shared.comm, out.path / f"switching.{name}.csv", columns)
        if len(times) > 1:
            shared.curves[f"Fokker-Planck ({name})"] = (times, switching.not_switched)
        draw_density(shared, out, name, switching.final, f"after {times[-1] / 1e-9:.3g} ns")
        told = switching.summary() | describe_mesh(switching.final.surface)
        if switching.advice is not None:
            told["missing"] = [switching.advice]
        return told

    @staticmethod
    def line(results: Results, summary: Results) -> str:
        """Return the last probability."""
        last = results["not_switched"][-1]
        shown = "not resolved" if last is None else f"{last:.6g}"
        return f"not switched after {results['times'][-1]:.4g} s: {shown} ({results['method']})"
