"""The motion of a texture in time: steps, what is seen of them, and where it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from dolfinx import fem

from ... import output
from ...errors import InputError
from ...plotting.texture import Motion, animate_wall, plot_motion
from ...plotting.vortices import animate_vortex, plot_vortex
from ...progress import ProgressBar
from ...texture import Dynamics, Flow, Grid, OhmicCircuit, Step, VortexWatch, WallWatch
from ..schema import known
from .motion import Record, jsonable, means
from .restart import GoingOn
from .tables import FELT, LEFT, TextureTask
from .wire import Array, Picture, Results, Wire, closed_form

LOSSES = ("joule", "damping", "beta")


class _Fields(output.FieldFile):
    """A file of m and the potential for ParaView."""

    def __init__(self, grid: Grid, path: Path) -> None:
        self.grid = grid
        self.m: fem.Function = grid.function(np.zeros((grid.owned, 3)), "m")
        self.phi: fem.Function = grid.function(np.zeros((grid.owned, 1)), "potential")
        super().__init__(grid.comm, path, [self.m, self.phi])

    def put(self, t: float, m: Array, potential: Array) -> None:
        """Write m and the potential at a time. Collective."""
        self.grid.fill(self.m, m)
        self.grid.fill(self.phi, potential[:, None])
        self.write(t)


@dataclass
class _Seen:
    """What is seen of a motion. Positions of walls only if there is one; `width` is that of a wall at rest (m)."""

    wire: Wire
    circuit: OhmicCircuit
    width: float
    watch: WallWatch | None
    vortex: VortexWatch | None
    read: Callable[[Flow], Array] | None
    record: Record = field(default_factory=Record)
    totals: dict[str, float] = field(default_factory=lambda: dict.fromkeys((*LOSSES, "supplied", "leads"), 0.0))

    def where(self, m: Array) -> dict[str, float]:
        """Return what the directions (owned, 3) say. Collective."""
        out: dict[str, float] = {}
        if self.watch is not None:
            out = {
                "position_m": self.watch.position(m),
                "angle_rad": self.watch.angle(m),
                "width_m": self.watch.width(m),
            }
        if self.vortex is not None:
            out = dict(zip(("core_x_m", "core_y_m"), map(float, self.vortex.core(m)), strict=True))
        grid = self.wire.grid
        sums = grid.totals(*(grid.weights[: grid.owned] @ m))
        return out | {f"m_{a}": s / grid.volume for a, s in zip("xyz", sums, strict=True)}

    def left(self, here: dict[str, float]) -> str | None:
        """Return how a wall or a vortex has left; None if it is there."""
        wire = self.wire
        if self.watch is not None:
            width = LEFT * self.width
            if here["position_m"] < wire.low + width:
                return "the wall left the wire at its left end"
            if here["position_m"] > wire.low + wire.length - width:
                return "the wall left the wire at its right end"
        if self.vortex is not None:
            core = np.array([here["core_x_m"], here["core_y_m"]])
            if not np.isfinite(core).all():
                return "there is no vortex any more"
            if not ((core > wire.body.low[:2]) & (core < wire.body.high[:2])).all():
                return "the vortex left the film"
        return None

    def step(self, now: Step) -> dict[str, float]:
        """Add a step to the record and return where the wall is. Collective."""
        assert now.flow is not None
        wire, flow = self.wire, now.flow
        here = self.where(now.directions)
        current = -flow.currents["right"] / wire.section
        voltage = self.circuit.voltage(flow, "left", "right")
        # What the same currents do not need in the magnet at rest is pumped.
        rest = self.circuit.at_rest(flow)
        row = {
            "current_density_A_per_m2": current,
            "voltage_V": voltage,
            "electromotive_force_V": self.circuit.voltage(rest, "left", "right") - voltage,
        }
        if self.read is not None:
            pumped = np.diff(self.read(flow) - self.read(rest))
            row |= {f"probe_electromotive_force_{k}_V": float(v) for k, v in enumerate(pumped)}
        for key, value in now.dissipation.items():
            self.totals[key] += value
        self.totals["supplied"] += now.supplied
        self.totals["leads"] += flow.supplied * now.size
        energies = {f"lost_{k}_J": self.totals[k] for k in LOSSES}
        self.record.add(
            time_s=now.time, middle_s=now.time - now.size / 2, **here, **row, energy_J=now.energy, **energies,
            put_in_J=self.totals["supplied"],
        )  # fmt: skip
        return here


def _profile(wire: Wire, m: Array) -> tuple[Array, Array] | None:
    """Return x and the mean of m over the section (n, 3) on rank 0, None elsewhere. Collective."""
    found = wire.grid.collected(m)
    if found is None:
        return None
    points, values = found
    scale = 1e-6 * wire.body.size
    x, index, count = np.unique(np.round(points[:, 0] / scale), return_inverse=True, return_counts=True)
    if len(x) > 2000:  # of an irregular mesh
        x, index, count = np.unique(np.round(points[:, 0] / wire.body.size), return_inverse=True, return_counts=True)
        scale = wire.body.size
    mean = np.stack([np.bincount(index, v) / count for v in values.T], axis=1)
    return x * scale, mean


def _top(wire: Wire, m: Array) -> tuple[Array, Array] | None:
    """Return x, y (n, 2) and m (n, 3) at the top of a film on rank 0, None elsewhere. Collective."""
    found = wire.grid.collected(m)
    if found is None:
        return None
    points, values = found
    top = points[:, 2] > wire.body.high[2] - 1e-6 * wire.body.size
    return points[top, :2], values[top]


def dynamics(
    wire: Wire, task: TextureTask, name: str, path: Path, picture: Picture, say: Callable[[str], None]
) -> Results:
    """Follow a texture in time, until the duration ends or its wall leaves the wire. Collective.

    Parameters
    ----------
    name
        Of the task; files are named after it.
    path
        Where files go.
    picture
        Takes a name and a function that draws to a path.
    """
    assert task.duration is not None
    grid, table, comm = wire.grid, wire.case.texture, wire.grid.comm
    duration, samples = task.duration, known(task.samples)
    circuit, points = wire.circuit(), wire.probes()
    seen = _Seen(
        wire,
        circuit,
        wire.width,
        WallWatch(grid, wire.magnet) if table.wall is not None else None,
        VortexWatch(grid) if table.vortex is not None else None,
        circuit.probe(points) if points is not None else None,
    )
    begin = time.perf_counter()
    going_on = None if wire.checkpoints is None else GoingOn.of(wire, task, name)
    before = None if going_on is None else going_on.load()
    first = wire.beginning if before is None else before.values["m"]
    if table.relaxed and before is None:
        say(f"task {name}: the start is relaxed, {time.perf_counter() - begin:.2f} s")
    motion = Dynamics(
        grid, wire.magnet, first, field=tuple(table.field), current=circuit, dipolar=wire.dipolar or False
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
        say(f"checkpoint: task {name} goes on at {motion.time:.4g} s")
    wanted, times = np.linspace(0.0, duration, samples), list[float]()
    frames: list[tuple[float, Array, Array]] = []
    stopped, bar = None, ProgressBar(comm)
    with ExitStack() as stack:
        fields = stack.enter_context(_Fields(grid, path / f"fields.{name}.bp"))

        def keep(t: float, m: Array, potential: Array, *, again: bool = False) -> None:
            fields.put(t, m, potential)
            if going_on is not None and not again:
                going_on.keep(len(times), t, m, potential)
            times.append(t)
            profile = _profile(wire, m) if table.vortex is None else _top(wire, m)
            if profile is not None:
                frames.append((t, *profile))

        kept = 1
        if before is None:
            keep(0.0, motion.directions, np.zeros(grid.owned))
        else:
            assert going_on is not None
            kept = before.numbers["kept"]
            for k in range(before.numbers["frames"]):
                keep(*going_on.kept(k), again=True)
        for step in motion.steps(duration, tolerance=known(task.tolerance), max_step=task.max_step):
            assert step.flow is not None
            here = seen.step(step)
            bar.at(step.time / duration, f"{step.time:.3g} s")
            stopped = seen.left(here)
            if step.time >= wanted[kept] * (1 - 1e-12) or stopped is not None:
                keep(step.time, step.directions, step.flow.potential)
                while kept < samples - 1 and wanted[kept] <= step.time:
                    kept += 1
            if stopped is not None:
                break
            if going_on is not None and step.time < duration and going_on.file.due():
                told = {"kept": kept, "frames": len(times), "rows": seen.record.rows, "totals": seen.totals}
                going_on.save(motion, told | {"start": start, "energy": energy})
    bar.clear()
    solves, factors = motion.newton_steps
    motion.destroy()
    circuit.destroy()
    results, drawn = _results(wire, seen, start, energy, times)
    if stopped is not None:
        say(f"note: task {name}: {stopped} at {motion.time:.4g} s, before {duration:.4g} s")
    output.write_csv(comm, path / f"dynamics.{name}.csv", drawn.columns)
    found = results["mean"]
    if table.wall is not None:
        current = found["current_density"] if found is not None else 0.0
        results["closed_form"] = closed_form(wire, current)
        drawn.closed_form = results["closed_form"]
        if found is not None:
            drawn.span = found["begin"], found["end"]
    drawn.frames, drawn.title = frames, wire.heading(name)
    if comm.rank == 0:
        plot, animate = (plot_motion, animate_wall) if table.vortex is None else (plot_vortex, animate_vortex)
        picture(f"dynamics.{name}.png", lambda f: plot(f, drawn))
        if task.animation:
            picture(f"dynamics.{name}.gif", lambda f: animate(f, drawn))
    return results | {
        "end_time": motion.time,
        "stopped": stopped,
        "steps": len(drawn.columns["time_s"]),
        "linear_solves": solves,
        "factors": factors,
    }


def _plain(column: str) -> str:
    """Return the name of a column without its unit."""
    return column.rpartition("_")[0]


def _told(columns: dict[str, float]) -> Results:
    """Return what directions say, by the names of summary.json."""
    # A vortex that is gone has no core.
    out: Results = {_plain(k): v if np.isfinite(v) else None for k, v in columns.items() if not k.startswith("m_")}
    return out | {"mean_direction": [columns[f"m_{x}"] for x in "xyz"]}


def _results(
    wire: Wire, seen: _Seen, start: dict[str, float], energy: float, kept: list[float]
) -> tuple[Results, Motion]:
    """Return what summary.json holds of a motion, and what is drawn of it.

    Parameters
    ----------
    start
        The columns of directions at the start.
    energy
        At the start (J).
    kept
        Times (s) that summary.json tells of, the first being 0.
    """
    record, totals = seen.record, seen.totals
    columns = {k: record[k] for k in record.rows}
    lost = sum(totals[k] for k in LOSSES)
    out: Results = {
        "start": _told(start),
        "energy": [energy, float(columns["energy_J"][-1])],
        "dissipated": {k: totals[k] for k in LOSSES},
        "put_in_by_leads": totals["leads"],
        "energy_balance": (totals["supplied"] - lost) / (lost or 1.0),
        "mean": None,
        "closed_form": None,
    }
    if seen.watch is not None:
        times = np.concatenate([[0.0], columns["time_s"]])
        position, angle = (np.concatenate([[start[k]], columns[k]]) for k in ("position_m", "angle_rad"))
        angle = np.unwrap(angle)
        columns["angle_rad"] = angle[1:]
        columns["velocity_m_per_s"] = np.diff(position) / np.diff(times)
        # Near an end the wall feels it.
        margin = FELT * max(seen.width, start["width_m"])
        inside = (position > wire.low + margin) & (position < wire.low + wire.length - margin)
        count = len(inside) if inside.all() else int(np.argmin(inside))
        averaged = {
            "electromotive_force": columns["electromotive_force_V"][: count - 1],
            "current_density": columns["current_density_A_per_m2"][: count - 1],
        }
        found = means(times[:count], position[:count], angle[:count], averaged)
        out["mean"] = jsonable(found)
    out["final"] = _told({k: float(columns[k][-1]) for k in start})
    at = [int(np.argmin(np.abs(columns["time_s"] - t))) for t in kept[1:]]

    def told(first: float | None, values: Array) -> list[float | None]:
        """Return a column at the times kept, with what is first, of which there is no step."""
        return [first, *(float(x) if np.isfinite(x) else None for x in values[at])]

    out["times"] = told(0.0, columns["time_s"])
    for key in ("position_m", "angle_rad", "width_m", "core_x_m", "core_y_m"):
        if key in columns:
            out[_plain(key)] = told(start[key], columns[key])
    for key in sorted(k for k in columns if "electromotive_force" in k):
        out[_plain(key)] = told(None, columns[key])
    probes = wire.case.texture.probe
    return out, Motion(
        columns=columns,
        low=wire.low,
        length=wire.length,
        start=start,
        probes=tuple(probes.positions) if probes is not None else (),
        axes=(wire.magnet.easy_axis, wire.magnet.hard_axis),
        dimension=wire.body.dimension,
    )
