"""Probability that a macrospin has not switched after a pulse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ..tasks import Outlet, Results
from .pulses import PulseTask
from .tables import unit

if TYPE_CHECKING:
    from ...macrospin import Macrospin
    from ...macrospin.pulse import Pulse
    from ...sigma import Distribution, FokkerPlanck
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
        "largest_temperature": "K",
    }
    kind: Literal["switching"] = Field(description="probability left in a hemisphere during a pulse")

    def run(self, shared: Shared, name: str, out: Outlet) -> Results:
        """Solve, write and draw."""
        pulses = self.shapes(shared)
        if pulses is None:
            return self._constant(shared, shared.solver, name, out)
        if not shared.driven.heating and all(x.constant for x in pulses):
            # One height without edges: the longest pulse goes through all lengths, right in relative terms.
            spin, torque = shared.at_drive(pulses[0].points[0][1])
            return self._constant(shared, shared.make(shared.comm, spin, torque), name, out)
        return self._in_stages(shared, pulses, name, out)

    @staticmethod
    def _rest(shared: Shared) -> Macrospin | None:
        """Return the macrospin before the pulse, if the drive changes its energy."""
        return shared.driven.rest if shared.driven.follows_pulse else None

    def _constant(self, shared: Shared, solver: FokkerPlanck, name: str, out: Outlet) -> Results:
        """Follow a drive that does not change. Collective."""
        from .shared import describe_mesh

        times = self.times(shared.solver.reduced_time)
        switching = solver.switching(times, start=unit(self.start), rest=self._rest(shared))
        columns = {
            "time_s": times,
            "reduced_time": switching.reduced_times,
            "not_switched": switching.not_switched,
            "error_estimate": switching.error_estimate,
            **{f"mean_{x}": switching.mean[:, k] for k, x in enumerate("xyz")},
        }
        self._write(shared, name, out, columns, switching.final)
        told = switching.summary() | describe_mesh(switching.final.surface)
        if switching.advice is not None:
            told["missing"] = [switching.advice]
        return told

    def _in_stages(self, shared: Shared, pulses: Sequence[Pulse], name: str, out: Outlet) -> Results:
        """Follow pulses whose drive or temperature change; the drive ends with each of them. Collective."""
        from .shared import describe_mesh, temperatures

        several, times = len(pulses) > 1, self.times(shared.solver.reduced_time)
        start, evolutions = unit(self.start), []
        for pulse in pulses:
            stages = shared.driven.stages(pulse, start)
            looked_at = [pulse.end] if several else times
            # Made for the largest drive, whose density needs most.
            solver = shared.make(shared.comm, *shared.at_drive(max((x for _, x in pulse.points), key=abs)))
            evolutions.append(solver.evolve(looked_at, start=start, stages=stages, rest=shared.driven.rest))
        last = evolutions[-1]
        probability = np.concatenate([x.probability for x in evolutions])
        mean = np.concatenate([x.mean for x in evolutions])
        columns = {
            "time_s": times,
            "not_switched": probability,
            **{f"mean_{x}": mean[:, k] for k, x in enumerate("xyz")},
        }
        self._write(shared, name, out, columns, last.final)
        estimates = [x.error_estimate for x in evolutions]
        return {
            "times": np.asarray(times).tolist(),
            "reduced_times": (np.asarray(times) * shared.solver.reduced_time).tolist(),
            "not_switched": probability.tolist(),
            "mean_direction": mean.tolist(),
            "error_estimate": None if None in estimates else max(x for x in estimates if x is not None),
            "mass_error": max(x.mass_error for x in evolutions),
            "method": "SDIRK4 through stages of the pulse",
            **temperatures(shared, pulses, start, name, out),
            **describe_mesh(last.final.surface),
        }

    def _write(self, shared: Shared, name: str, out: Outlet, columns: Mapping[str, Any], final: Distribution) -> None:
        """Write the curve, and draw the last density. Collective."""
        from ... import output
        from .shared import draw_density

        output.write_csv(shared.comm, out.path / f"switching.{name}.csv", columns)
        times = columns["time_s"]
        if len(times) > 1:
            shared.curves[f"Fokker-Planck ({name})"] = (times, columns["not_switched"])
        draw_density(shared, out, name, final, f"after {times[-1] / 1e-9:.3g} ns")

    @staticmethod
    def line(results: Results, summary: Results) -> str:
        """Return the last probability."""
        last = results["not_switched"][-1]
        shown = "not resolved" if last is None else f"{last:.6g}"
        return f"not switched after {results['times'][-1]:.4g} s: {shown} ({results['method']})"
