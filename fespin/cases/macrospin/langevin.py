"""Switching of a macrospin by an ensemble of stochastic trajectories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from ..schema import within
from ..tasks import Outlet, Results
from .pulses import PulseTask
from .tables import unit

if TYPE_CHECKING:
    from .shared import Shared


class Langevin(PulseTask):
    """The same pulse by the stochastic Landau-Lifshitz-Gilbert equation."""

    units: ClassVar[Mapping[str, str]] = {
        "times": "s",
        "reduced_times": "1",
        "not_switched": "1",
        "not_switched_error": "1",
        "mean_direction": "1",
    }
    kind: Literal["langevin"] = Field(description="the same as switching, by stochastic trajectories")
    ensemble: Annotated[int, Field(ge=1, le=10**9)] = Field(10000, description="how many trajectories (1)")
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(0, description="of the random numbers (1)")
    step: Annotated[float, Field(gt=0), within(1e-20, 1e18)] | None = Field(
        None, description="longest step in time; default: one that fits precession, damping and noise (s)"
    )

    def run(self, shared: Shared, name: str, out: Outlet) -> Results:
        """Follow the trajectories, write and draw."""
        from ... import output
        from ...macrospin import langevin
        from ...macrospin.langevin import joined
        from ...progress import ProgressBar

        times, start = self.times(shared.solver.reduced_time), unit(self.start)
        pulses, bar = self.shapes(shared), ProgressBar(shared.comm)
        options: dict[str, Any] = {
            "ensemble": self.ensemble,
            "seed": self.seed,
            "start": start,
            "step": self.step,
            "progress": bar.following("trajectories"),
        }
        if pulses is None:
            ensemble = langevin(shared.comm, shared.spin, times, torque=shared.torque, **options)
        else:
            # Of several lengths each is an ensemble of its own.
            parts = [
                langevin(
                    shared.comm,
                    shared.driven.rest,
                    [x.end] if len(pulses) > 1 else times,
                    stages=shared.driven.stages(x, start),
                    **options,
                )
                for x in pulses
            ]
            ensemble = joined(parts)
        bar.clear()
        columns = {
            "time_s": times,
            "not_switched": ensemble.not_switched,
            "standard_error": ensemble.not_switched_error,
            **{f"mean_{x}": ensemble.mean[:, k] for k, x in enumerate("xyz")},
        }
        output.write_csv(shared.comm, out.path / f"langevin.{name}.csv", columns)
        shared.points[f"Langevin ({name})"] = (times, ensemble.not_switched, ensemble.not_switched_error)
        return {
            "times": times.tolist(),
            "reduced_times": (times * shared.solver.reduced_time).tolist(),
            "not_switched": ensemble.not_switched.tolist(),
            "not_switched_error": ensemble.not_switched_error.tolist(),
            "mean_direction": ensemble.mean.tolist(),
            "ensemble": ensemble.ensemble,
            "seed": ensemble.seed,
            "step": ensemble.step,
        }

    @staticmethod
    def line(results: Results, summary: Results) -> str:
        """Return the last probability with its standard error."""
        return (
            f"not switched after {results['times'][-1]:.4g} s: {results['not_switched'][-1]:.4g} "
            f"+- {results['not_switched_error'][-1]:.1g}"
        )
