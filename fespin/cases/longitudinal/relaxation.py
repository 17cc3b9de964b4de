"""Relaxation of M and m in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ...errors import InputError
from ..schema import Time
from ..tasks import Outlet, Results, Task
from .tables import LongitudinalTable, StartTable, per_extent

if TYPE_CHECKING:
    from ...longitudinal import State
    from .shared import Shared


class Relaxation(Task):
    """Evolution from the start, or from equilibrium under what drives the boundary."""

    units: ClassVar[Mapping[str, str]] = {
        "times": "s",
        "conservation": "1",
        "power_balance": "1",
        "steps": "1",
        "rejected": "1",
    }
    kind: Literal["relaxation"] = Field(description="evolution in time")
    duration: Time = Field(description="time for which the relaxation is followed (s)")
    samples: Annotated[int, Field(ge=2, le=10000)] = Field(21, description="times of fields and profiles (1)")
    tolerance: Annotated[float, Field(ge=1e-12, lt=0.1)] = Field(1e-5, description="error of a step, relative (1)")

    def check(self, owner: str, about: LongitudinalTable) -> None:
        """Refuse a relaxation that starts from nothing."""
        super().check(owner, about)
        if about.start is None and not about.driven:
            raise InputError(
                "[longitudinal.start]: the table is missing, and no boundary drives, nor a field; a relaxation starts "
                "from something"
            )

    @classmethod
    def units_of(cls, results: Results, summary: Results) -> Mapping[str, str]:
        """Return the units: those of totals and energies depend on the dimension of the body."""
        dimension = summary["longitudinal"]["dimension"]
        lack = 3 - dimension
        energy, power = (f"{x}/{per_extent(lack)}" if lack else x for x in ("J", "W"))
        total = {1: "A", 2: "A m", 3: "A m2"}[dimension]
        totals = dict.fromkeys(("total_M", "total_m", "lost", "injected", "field_moment"), total)
        energies = dict.fromkeys(("free_energy", "internal_energy", "heat", "put_in", "field_work"), energy)
        return {**cls.units, **totals, **energies, "dissipation": power, "field": "A/m", "spin_current": "A/m2"}

    def run(self, shared: Shared, name: str, out: Outlet) -> Results:
        """Follow M and m, write and draw."""
        from ... import output
        from ...longitudinal import evolve
        from ...plotting.longitudinal import plot_curves
        from ...plotting.palette import prefixed
        from ...progress import ProgressBar
        from ..checkpoints import tables_of
        from .shared import draw_space, write_fields

        comm, duration = shared.problem.comm, self.duration
        wanted = [float(x) for x in np.linspace(0.0, duration, self.samples)]
        bar = ProgressBar(comm)
        going_on: dict[str, Any] = {}
        if shared.checkpoints is not None:
            going_on = shared.checkpoints.state(name, tables_of(shared.table, self))
        motion = evolve(
            shared.problem,
            _start(shared, shared.table.start),
            duration,
            conditions=shared.conditions,
            field=shared.field(in_time=True),
            wanted=wanted,
            tolerance=self.tolerance,
            each=lambda t, _: bar.at(t / duration, f"{t:.3g} s"),
            **going_on,
        )
        bar.clear()
        columns: dict[str, Any] = {
            "time_s": motion.times,
            "total_M": motion.total_M,
            "total_m": motion.total_m,
            "free_energy_J": motion.energy,
            **{f"dissipation_{k.replace(' ', '_')}_W": v for k, v in motion.dissipation.items()},
            "work_W": motion.work,
            "heat_J": motion.heat,
            "put_in_J": motion.put_in,
            "lost_to_lattice": motion.lost,
            **{f"came_in_{k}": v for k, v in motion.injected.items()},
            **{f"spin_current_{k}_A_per_m2": v for k, v in motion.spin_currents.items()},
        }
        if shared.table.field is not None:
            columns |= {
                "field_A_per_m": motion.field,
                "field_moment": motion.field_moment,
                "field_work_J": motion.field_work,
                "internal_energy_J": motion.internal_energy,
            }
        output.write_csv(comm, out.path / f"relaxation.{name}.csv", columns)
        states = [{"": s} for s in motion.states]
        write_fields(shared, out.path / f"fields.{name}.bp", wanted, states)
        if comm.rank == 0:
            out.picture(
                f"relaxation.{name}.png", lambda f: plot_curves(f, motion, shared.body.dimension, shared.heading(name))
            )
        last = len(wanted) - 1
        shown = sorted({round(last * x) for x in ((0, 0.1, 0.35, 1) if shared.body.dimension == 1 else (0.1, 0.35, 1))})
        unit, of = prefixed(duration, "s")
        moments = [(f"{wanted[i] / unit:.3g} {of}", motion.states[i]) for i in shown]
        draw_space(shared, f"profile.{name}.png", moments, out, shared.heading(name))
        at = [int(np.argmin(np.abs(motion.times - t))) for t in wanted]
        return {
            "times": motion.times[at].tolist(),
            "total_M": motion.total_M[at].tolist(),
            "total_m": motion.total_m[at].tolist(),
            "free_energy": motion.energy[at].tolist(),
            "dissipation": {k: v[at].tolist() for k, v in motion.dissipation.items()},
            "heat": motion.heat[at].tolist(),
            "put_in": motion.put_in[at].tolist(),
            "lost": motion.lost[at].tolist(),
            "injected": {k: v[at].tolist() for k, v in motion.injected.items()},
            "spin_current": {k: v[at].tolist() for k, v in motion.spin_currents.items()},
            "field": motion.field[at].tolist(),
            "field_moment": motion.field_moment[at].tolist(),
            "field_work": motion.field_work[at].tolist(),
            "internal_energy": motion.internal_energy[at].tolist(),
            "conservation": float(np.abs(motion.conservation).max()),
            "power_balance": float(np.abs(motion.balance).max()),
            "steps": len(motion.times) - 1,
            "rejected": motion.rejected,
        }

    @staticmethod
    def line(results: Results, summary: Results) -> str:
        """Return the totals at the end."""
        return (
            f"after {results['times'][-1]:.4g} s: M {results['total_M'][-1]:.6g}, m {results['total_m'][-1]:.6g}; "
            f"M + m kept to {results['conservation']:.1e}"
        )


def _start(p: Shared, table: StartTable | None) -> State:
    """Return the state at the start."""
    if table is None or table.shape == "uniform":
        return p.problem.state(*((table.M, table.m) if table is not None else (0.0, 0.0)))
    return p.problem.state(lambda x: table.M * p.profile(table, x), lambda x: table.m * p.profile(table, x))
