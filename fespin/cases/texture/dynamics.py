"""Motion of a texture in time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ...errors import InputError
from ..schema import within
from ..tasks import Outlet, Results, Task
from .tables import TextureTable

if TYPE_CHECKING:
    from ...plotting.texture import Motion
    from ...texture import Dynamics
    from .observation import Seen
    from .restart import Before, GoingOn
    from .wire import Array, Wire

# Steps are picoseconds: nobody waits for a second of them.
type Duration = Annotated[float, Field(gt=0, lt=1e-3), within(1e-20)]
_MOST_STEPS = 1e8


class TextureDynamics(Task):
    """Motion until the duration ends, or until a wall or a vortex has left."""

    units: ClassVar[Mapping[str, str]] = {
        "position": "m",
        "angle": "rad",
        "width": "m",
        "core_x": "m",
        "core_y": "m",
        "mean_direction": "1",
        "energy_balance": "1",
        "begin": "s",
        "end": "s",
        "velocity": "m/s",
        "turning_rate": "rad/s",
        "electromotive_force": "V",
        "current_density": "A/m2",
        "times": "s",
        "end_time": "s",
        "steps": "1",
        "linear_solves": "1",
        "factors": "1",
    }
    kind: Literal["dynamics"] = Field(description="motion in time")
    duration: Duration = Field(description="time for which the motion is followed (s)")
    samples: Annotated[int, Field(ge=2, le=10000)] = Field(
        41, description="times of fields.*.bp, of the animation and of the results (1)"
    )
    tolerance: Annotated[float, Field(ge=1e-12, le=0.1)] = Field(1e-4, description="error of m in a step (1)")
    max_step: Duration | None = Field(None, description="the longest step; default as long as the tolerance allows (s)")
    animation: bool = Field(False, description="whether a GIF is drawn, too")

    def check(self, owner: str, about: TextureTable) -> None:
        """Refuse steps without end."""
        super().check(owner, about)
        if self.max_step is not None and self.duration / self.max_step > _MOST_STEPS:
            raise InputError(
                f"{owner}.max_step: found {self.max_step:g} s, {self.duration / self.max_step:.2g} steps; allowed are "
                f"{_MOST_STEPS:.0e}, from {self.duration / _MOST_STEPS:.2g} s on"
            )

    @classmethod
    def units_of(cls, results: Results, summary: Results) -> Mapping[str, str]:
        """Return the units: those of energies depend on the dimension of the body, the probes are numbered."""
        energy = {1: "J/m2", 2: "J/m", 3: "J"}[summary["texture"]["dimension"]]
        probes = {k: "V" for k in results if k.startswith("probe_electromotive_force_")}
        lack = {1: "W/m2", 2: "W/m", 3: "W"}[summary["texture"]["dimension"]]
        carriers = {
            "voltages": "V",
            "temperatures": "K",
            "heats": "W/m2",
            "spin_currents": "A/m2",
            "dissipation": lack,
            "stored": lack,
            "balance": "1",
        }
        energies = dict.fromkeys(("energy", "dissipated", "put_in_by_leads"), energy)
        return {**cls.units, **energies, **probes, **(carriers if "carriers" in results else {})}

    def run(self, shared: Wire, name: str, out: Outlet) -> Results:
        """Follow the texture, write and draw."""
        from ... import output
        from ...texture import Dynamics
        from .observation import Seen, results_of, write_carriers
        from .restart import GoingOn
        from .wire import closed_form

        table = shared.table
        circuit = shared.circuit()
        seen = Seen.of(shared, circuit)
        begin = time.perf_counter()
        going_on = None
        if shared.checkpoints is not None:
            going_on = GoingOn.of(shared, self.model_dump(exclude={"name"}), self.duration, name)
        before = None if going_on is None else going_on.load()
        first = shared.beginning if before is None else before.values["m"]
        if table.relaxed and before is None:
            out.say(f"task {name}: the start is relaxed, {time.perf_counter() - begin:.2f} s")
        motion = Dynamics(
            shared.grid,
            shared.magnet,
            first,
            field=tuple(table.field),
            current=getattr(circuit, "problem", circuit),
            dipolar=shared.dipolar or False,
        )
        if before is None:
            start, energy = seen.where(motion.directions), motion.energy
            gone = seen.left(start)
            if gone is not None:
                why = "; without texture.relaxed it would start as declared" if table.relaxed else ""
                raise InputError(f"before it starts {gone}{why}")
        else:
            start, energy = before.numbers["start"], before.numbers["energy"]
            motion.restore(before.numbers["motion"], before.values)
            seen.record.rows, seen.totals = before.numbers["rows"], before.numbers["totals"]
            out.say(f"checkpoint: task {name} goes on at {motion.time:.4g} s")
        kept, frames, stopped = self._follow(shared, name, out, motion, seen, going_on, before, start, energy)
        solves, factors = motion.newton_steps
        motion.destroy()
        circuit.destroy()
        results, drawn = results_of(shared, seen, start, energy, kept)
        if stopped is not None:
            out.say(f"note: task {name}: {stopped} at {motion.time:.4g} s, before {self.duration:.4g} s")
        output.write_csv(shared.grid.comm, out.path / f"dynamics.{name}.csv", drawn.columns)
        mean = results["mean"]
        if table.wall is not None:
            results["closed_form"] = closed_form(shared, mean["current_density"] if mean is not None else 0.0)
            drawn.closed_form = results["closed_form"]
            if mean is not None:
                drawn.span = mean["begin"], mean["end"]
        if seen.last is not None:
            results["carriers"] = write_carriers(shared, name, seen.last, out)
        drawn.frames, drawn.title = frames, shared.heading(name)
        if shared.grid.comm.rank == 0:
            self._draw(drawn, name, out, vortex=table.vortex is not None)
        return results | {
            "end_time": motion.time,
            "stopped": stopped,
            "steps": len(drawn.columns["time_s"]),
            "linear_solves": solves,
            "factors": factors,
        }

    def _follow(
        self,
        shared: Wire,
        name: str,
        out: Outlet,
        motion: Dynamics,
        seen: Seen,
        going_on: GoingOn | None,
        before: Before | None,
        start: dict[str, float],
        energy: float,
    ) -> tuple[list[float], list[Any], str | None]:
        """Step to the end; return the times that were kept, frames of pictures, and why it stopped. Collective."""
        from ...progress import ProgressBar
        from .observation import Fields, profile, top

        grid, table, duration = shared.grid, shared.table, self.duration
        wanted, times = np.linspace(0.0, duration, self.samples), list[float]()
        frames: list[tuple[float, Array, Array]] = []
        stopped, bar = None, ProgressBar(grid.comm)
        with Fields(grid, out.path / f"fields.{name}.bp") as fields:

            def keep(t: float, m: Array, potential: Array, *, again: bool = False) -> None:
                fields.put(t, m, potential)
                if going_on is not None and not again:
                    going_on.keep(len(times), t, m, potential)
                times.append(t)
                frame = profile(shared, m) if table.vortex is None else top(shared, m)
                if frame is not None:
                    frames.append((t, *frame))

            kept = 1
            if before is None:
                keep(0.0, motion.directions, np.zeros(grid.owned))
            else:
                assert going_on is not None
                kept = before.numbers["kept"]
                for k in range(before.numbers["frames"]):
                    keep(*going_on.kept(k), again=True)
            for step in motion.steps(duration, tolerance=self.tolerance, max_step=self.max_step):
                here = seen.step(step)
                bar.at(step.time / duration, f"{step.time:.3g} s")
                stopped = seen.left(here)
                if step.time >= wanted[kept] * (1 - 1e-12) or stopped is not None:
                    keep(step.time, step.directions, seen.flow(step).potential)
                    while kept < self.samples - 1 and wanted[kept] <= step.time:
                        kept += 1
                if stopped is not None:
                    break
                if going_on is not None and step.time < duration and going_on.file.due():
                    told = {"kept": kept, "frames": len(times), "rows": seen.record.rows, "totals": seen.totals}
                    going_on.save(motion, told | {"start": start, "energy": energy})
        bar.clear()
        return times, frames, stopped

    def _draw(self, drawn: Motion, name: str, out: Outlet, *, vortex: bool) -> None:
        """Draw a motion, on one rank."""
        from ...plotting.texture import animate_wall, plot_motion
        from ...plotting.vortices import animate_vortex, plot_vortex

        plot, animate = (plot_vortex, animate_vortex) if vortex else (plot_motion, animate_wall)
        out.picture(f"dynamics.{name}.png", lambda f: plot(f, drawn))
        if self.animation:
            out.picture(f"dynamics.{name}.gif", lambda f: animate(f, drawn))

    @staticmethod
    def line(results: Results, summary: Results) -> str:
        """Return the mean motion, or the final direction."""
        mean, exact = results["mean"], results["closed_form"]
        text = f"{results['steps']} steps to {results['end_time']:.4g} s"
        if mean is not None:
            text += f", {mean['regime']}: {mean['velocity']:.5g} m/s, emf {mean['electromotive_force']:.5g} V"
        if mean is not None and exact is not None and exact["electromotive_force"] is None:
            text += f" (closed form {exact['velocity']:.5g} m/s)"
        elif mean is not None and exact is not None:
            text += f" (closed form {exact['velocity']:.5g} m/s, {exact['electromotive_force']:.5g} V)"
        if mean is None:
            text += ", mean direction " + ", ".join(f"{x:.5f}" for x in results["final"]["mean_direction"])
        return text + (f"; stopped: {results['stopped']}" if results["stopped"] is not None else "")
