"""Observation of a texture that moves: files of its fields, a record of its steps, and the results of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from dolfinx import fem

from ... import output
from ...plotting.texture import Motion, plot_carriers
from ...texture import Flow, Grid, IrreversibleState, OhmicCircuit, Step, VortexWatch, WallWatch
from ..schema import known
from ..tasks import Outlet, Results
from .carriers import make_law
from .flows import CarrierCircuit, columns, told
from .motion import Record, jsonable, means
from .tables import FELT, LEFT
from .wire import Array, Wire

LOSSES = ("joule", "damping", "beta")


class Fields(output.FieldFile):
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
class Seen:
    """Observer of a motion, with a record of its steps.

    Attributes
    ----------
    wire, circuit
        Magnet, and the circuit that drives it.
    width
        Width of a wall at rest (m).
    watch, vortex
        Observers of a wall and of a vortex; None without one.
    read
        Function that returns the potentials of the voltage leads; None without them.
    record
        Columns of numbers, a row for each step.
    totals
        Energies that were lost and put in so far (J).
    """

    wire: Wire
    circuit: OhmicCircuit | CarrierCircuit
    width: float
    watch: WallWatch | None
    vortex: VortexWatch | None
    read: Callable[[Flow], Array] | None
    record: Record = field(default_factory=Record)
    totals: dict[str, float] = field(default_factory=dict)
    last: IrreversibleState | None = None

    def __post_init__(self) -> None:
        self.totals |= dict.fromkeys((*self.losses, "supplied", "leads"), 0.0)

    @property
    def losses(self) -> tuple[str, ...]:
        """Return the names of what dissipates."""
        return LOSSES if isinstance(self.circuit, OhmicCircuit) else ("carriers", "damping")

    @classmethod
    def of(cls, wire: Wire, circuit: OhmicCircuit | CarrierCircuit) -> Seen:
        """Return the observer of a wire that has not moved. Collective."""
        table, points = wire.table, wire.probes()
        return cls(
            wire,
            circuit,
            wire.width,
            WallWatch(wire.grid, wire.magnet) if table.wall is not None else None,
            # The core of a vortex in a ring would lie in its hole.
            VortexWatch(wire.grid) if table.vortex is not None and table.geometry.shape != "ring" else None,
            circuit.probe(points) if points is not None else None,
        )

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

    def flow(self, now: Step) -> Flow:
        """Return the flow in the middle of a step."""
        if now.flow is not None:
            return now.flow
        assert now.carriers is not None and isinstance(self.circuit, CarrierCircuit)
        return self.circuit.flow(now.carriers)

    def step(self, now: Step) -> dict[str, float]:
        """Add a step to the record and return where the wall is. Collective."""
        wire, flow = self.wire, self.flow(now)
        here = self.where(now.directions)
        current = -flow.currents["right"] / wire.section
        voltage = self.circuit.voltage(flow, "left", "right")
        # The electromotive force is the difference from the voltage of the same currents in the magnet at rest.
        if isinstance(self.circuit, OhmicCircuit):
            rest = self.circuit.at_rest(flow)
        else:
            middle = now.middle / np.linalg.norm(now.middle, axis=1, keepdims=True)
            ms = wire.magnet.saturation_magnetization
            rest = self.circuit.at_rest(middle, ms, now.time - now.size / 2)
            self.last = now.carriers
        row = {
            "current_density_A_per_m2": current,
            "voltage_V": voltage,
            "electromotive_force_V": self.circuit.voltage(rest, "left", "right") - voltage,
        }
        if self.read is not None:
            pumped = np.diff(self.read(flow) - self.read(rest))
            row |= {f"probe_electromotive_force_{k}_V": float(v) for k, v in enumerate(pumped)}
        for key, value in now.dissipation.items():
            self.totals[key if key in self.totals else "carriers"] += value
        self.totals["supplied"] += now.supplied
        self.totals["leads"] += flow.supplied * now.size
        energies = {f"lost_{k}_J": self.totals[k] for k in self.losses}
        self.record.add(
            time_s=now.time, middle_s=now.time - now.size / 2, **here, **row, energy_J=now.energy, **energies,
            put_in_J=self.totals["supplied"],
        )  # fmt: skip
        return here


def profile(wire: Wire, m: Array) -> tuple[Array, Array] | None:
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


def write_carriers(wire: Wire, name: str, state: IrreversibleState, out: Outlet) -> Results:
    """Write and draw carriers along the wire; return what summary.json holds of them. Collective."""
    law = make_law(known(wire.table.carriers), wire.magnet)
    values = columns(state, getattr(law, "capacitance", 0.0))
    found = profile(wire, np.stack(list(values.values()), axis=1))
    table: dict[str, Any] = {}
    ms = wire.magnet.saturation_magnetization
    if found is not None:
        table = {"x_m": found[0]} | dict(zip(values, found[1].T, strict=True))
    output.write_csv(wire.grid.comm, out.path / f"carriers.{name}.csv", table)
    if found is not None:
        out.picture(
            f"carriers.{name}.png", lambda f: plot_carriers(f, table, state.dissipation, ms, wire.heading(name))
        )
    return told(state, wire.section)


def top(wire: Wire, m: Array) -> tuple[Array, Array] | None:
    """Return x, y (n, 2) and m (n, 3) at the top of a film on rank 0, None elsewhere. Collective."""
    found = wire.grid.collected(m)
    if found is None:
        return None
    points, values = found
    above = points[:, 2] > wire.body.high[2] - 1e-6 * wire.body.size
    return points[above, :2], values[above]


def _plain(column: str) -> str:
    """Return the name of a column without its unit."""
    return column.rpartition("_")[0]


def _told(columns: dict[str, float]) -> Results:
    """Return what directions say, by the names of summary.json."""
    # A vortex that is gone has no core.
    out: Results = {_plain(k): v if np.isfinite(v) else None for k, v in columns.items() if not k.startswith("m_")}
    return out | {"mean_direction": [columns[f"m_{x}"] for x in "xyz"]}


def results_of(
    wire: Wire, seen: Seen, start: dict[str, float], energy: float, kept: list[float]
) -> tuple[Results, Motion]:
    """Return what summary.json holds of a motion, and what is drawn of it.

    Parameters
    ----------
    start
        The columns of directions at the start.
    energy
        Energy at the start (J).
    kept
        Times (s) that summary.json tells of, the first being 0.
    """
    record, totals = seen.record, seen.totals
    columns = {k: record[k] for k in record.rows}
    lost = sum(totals[k] for k in seen.losses)
    out: Results = {
        "start": _told(start),
        "energy": [energy, float(columns["energy_J"][-1])],
        "dissipated": {k: totals[k] for k in seen.losses},
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
    probes = wire.table.probe
    return out, Motion(
        columns=columns,
        low=wire.low,
        length=wire.length,
        start=start,
        probes=tuple(x[0] if isinstance(x, list) else x for x in probes.positions) if probes is not None else (),
        axes=(wire.magnet.easy_axis, wire.magnet.hard_axis),
        dimension=wire.body.dimension,
    )
