"""Run a case of a textured magnet: from its tables to numbers, curves, fields and pictures."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from . import output
from .body_geometry import Body, make_body
from .constants import BOHR_MAGNETON, ELEMENTARY_CHARGE
from .errors import InputError, SolverError
from .macrospin_run import require_numbers
from .task_names import names_of
from .texture import Grid, Lead, TexturedMagnet, Transport, static_field, wall
from .texture_case import (
    TextureCase,
    TextureTask,
    along_easy,
    default_cell,
    make_magnet,
    nominal_current,
    resolved_wall,
)
from .texture_checks import OWNER, check_places
from .texture_plotting import plot_electromotive_force

type Array = NDArray[Any]
type Picture = Callable[[str, Callable[[Path], None]], None]
type Results = dict[str, Any]


@dataclass
class Wire:
    """A case whose wire is meshed.

    Attributes
    ----------
    case, magnet
        Its tables, and the magnet that they declare.
    body, grid
        The mesh.
    section
        Area of the wire's ends: m2, m in a plane, 1 on a line.
    start
        m at the start: a function of positions (n, 3), or one vector.
    """

    case: TextureCase
    magnet: TexturedMagnet
    body: Body
    grid: Grid
    section: float
    start: Any

    @property
    def low(self) -> float:
        """Return where the wire begins (m)."""
        return float(self.body.low[0])

    @property
    def length(self) -> float:
        """Return the wire's length (m)."""
        return float(self.body.high[0]) - self.low

    @property
    def field(self) -> float:
        """Return the applied field along the easy axis (T)."""
        return along_easy(self.case.texture)[0]

    def heading(self, name: str) -> str:
        """Return the title of a task's picture."""
        return f"{self.case.title}: {name}" if self.case.title and not name.isdigit() else self.case.title

    def circuit(self, *, opened: bool = False) -> Transport:
        """Return the wire between its two ends, driven as the case says, or open. Collective."""
        table, drive = self.case.texture, dict[str, float]()
        if not opened and table.voltage is not None:
            # The left end at the voltage, the right one at ground.
            drive = {"voltage": -table.voltage}
        elif not opened and table.current_density is not None:
            drive = {"current": -table.current_density * self.section}
        ends = {
            "left": Lead(self.body.plane(0, 0), voltage=0.0),
            "right": Lead(self.body.plane(0, 1), voltage=drive.get("voltage"), current=drive.get("current")),
        }
        return Transport(self.grid, self.magnet, ends)

    def probes(self) -> Array | None:
        """Return where the voltage leads are (n, 3); in the middle of the section."""
        if self.case.texture.probe is None:
            return None
        x = np.array(self.case.texture.probe.positions)
        points = np.tile((self.body.low + self.body.high) / 2, (len(x), 1))
        points[:, 0] = x
        return points


def prepare(comm: MPI.Intracomm, case: TextureCase, base: Path, say: Callable[[str], None]) -> Wire:
    """Mesh the wire of a case. Collective.

    Parameters
    ----------
    base
        Folder of the case file.

    Raises
    ------
    InputError
        If a mesh file is unusable, or the wall lies outside of it.
    """
    begin, table = time.perf_counter(), case.texture
    magnet = make_magnet(table)
    body = make_body(comm, table.geometry, base, OWNER, default_cell(table))
    low, high = float(body.low[0]), float(body.high[0])
    check_places(table, low, high)
    if table.dipolar and body.dimension < 3:
        raise InputError(f"texture.dipolar: it needs a body of three dimensions; the mesh has {body.dimension}")
    grid = Grid(body.mesh)
    start: Any = table.magnetization
    if table.wall is not None:
        found = resolved_wall(table, high - low)
        start = wall(magnet, found.position, found.angle, found.width)
    wire = Wire(case, magnet, body, grid, 1.0, start)
    if body.dimension > 1:
        # Where the ends are flat, what flows through the wire at rest says how large they are.
        wire.section = grid.volume / (high - low) if table.geometry.shape is not None else _end(wire)
    say(f"mesh: {body.cells} cells in {body.dimension}D, {time.perf_counter() - begin:.2f} s")
    if table.wall is not None and body.size > found.width / 2.5:
        say(f"note: cells of {body.size:.3g} m are coarse for a wall of width {found.width:.3g} m")
    return wire


def _end(wire: Wire) -> float:
    """Return the area of the wire's right end. Collective."""
    from dolfinx import fem
    from dolfinx import mesh as dmesh
    from ufl import Measure

    made, dim = wire.body.mesh, wire.body.dimension
    facets = dmesh.locate_entities_boundary(made, dim - 1, wire.body.plane(0, 1))
    tags = dmesh.meshtags(made, dim - 1, np.sort(facets), np.ones(len(facets), dtype=np.int32))
    one = fem.Constant(made, 1.0)
    area = fem.assemble_scalar(fem.form(one * Measure("ds", domain=made, subdomain_data=tags)(1)))
    found = float(wire.grid.comm.allreduce(float(np.real(area))))
    if not found > 0:
        raise InputError(f"{OWNER}.mesh: its ends must be flat, across x; nothing lies at its largest x")
    return found


def run_tasks(wire: Wire, path: Path, picture: Picture, say: Callable[[str], None]) -> Results:
    """Run the tasks of a case and write their curves, fields and pictures. Collective.

    Parameters
    ----------
    path
        Where files go.
    picture
        Takes a name and a function that draws to a path.

    Returns
    -------
    dict
        What ``summary.json`` holds under "texture" and "tasks".
    """
    from .texture_dynamics import dynamics

    kinds = {"electromotive_force": _electromotive_force, "dynamics": dynamics}
    results: dict[str, Results] = {}
    for i, (task, name) in enumerate(zip(wire.case.task, names_of(wire.case.task), strict=True), 1):
        begin = time.perf_counter()
        try:
            found = kinds[task.kind](wire, task, name, path, picture, say)
        except (InputError, SolverError) as error:
            raise type(error)(f"task {i} ({task.kind}): {error}") from error
        results[name] = task.model_dump(exclude_none=True) | found
        require_numbers(f"task {i} ({task.kind})", results[name])
        say(f"task {name}: {task.kind}, {time.perf_counter() - begin:.2f} s")
    return {"texture": _describe(wire), "tasks": results}


def _finite(x: float) -> float | None:
    return x if math.isfinite(x) else None


def _describe(wire: Wire) -> Results:
    """Return what follows from the tables."""
    magnet, table = wire.magnet, wire.case.texture
    walls: Results = {}
    if table.wall is not None:
        found = resolved_wall(table, wire.length)
        walls = {
            "wall_position": found.position,
            "wall_angle": found.angle,
            "wall_width": found.width,
            "width_at_rest": magnet.wall_width(),
            "walker_field": magnet.walker_field,
            "breakdown_current": _finite(magnet.breakdown_current()),
        }
    return walls | {
        "hard_field": magnet.hard_field,
        "drift_per_current": magnet.drift_per_current,
        "voltage_per_field": voltage_per_field(magnet),
        "steepest": _finite(magnet.steepest),
        "dimension": wire.body.dimension,
        "length": wire.length,
        "section": wire.section,
        "volume": wire.grid.volume,
        "cells": wire.body.cells,
        "mesh_size": wire.body.size,
    }


def voltage_per_field(magnet: TexturedMagnet) -> float:
    """Return 2 P mu_B/e, the static electromotive force of a wall per field (V/T)."""
    return 2 * magnet.polarization * BOHR_MAGNETON / ELEMENTARY_CHARGE


def closed_form(wire: Wire, current: float) -> Results | None:
    """Return mean velocity, turning and emf of Walker's wall at the case's field; None if the field is oblique.

    Parameters
    ----------
    current
        J along x (A/m2).
    """
    field, across = along_easy(wire.case.texture)
    if across > 1e-9 * abs(field):
        return None
    velocity, turning = wire.magnet.mean_motion(field, current)
    return {
        "velocity": velocity,
        "turning_rate": turning,
        "electromotive_force": wire.magnet.mean_electromotive_force(field, current),
    }


# ---- the electromotive force
def _electromotive_force(
    wire: Wire, task: TextureTask, name: str, path: Path, picture: Picture, say: Callable[[str], None]
) -> Results:
    magnet, grid, comm = wire.magnet, wire.grid, wire.grid.comm
    current = nominal_current(wire.case.texture, wire.length)
    reach = max(4 * magnet.walker_field, 2 * abs(wire.field)) or 0.01
    low, high = task.fields or [0.0, reach]
    fields = np.linspace(low, high, task.samples or 201)
    easy = np.array(magnet.easy_axis)
    circuit, points = wire.circuit(opened=True), wire.probes()
    read = circuit.probe(points) if points is not None else None

    def static(b: float) -> tuple[float, Array]:
        """Return the emf between the ends, and between successive probes, with the wall at rest (V)."""
        flow = circuit.solve(static_field(grid, magnet, wire.start, tuple(b * easy)))
        return circuit.voltage(flow, "right", "left"), np.diff(read(flow)) if read is not None else np.zeros(0)

    solved = np.linspace(low, high, 9)
    found = np.array([static(float(b))[0] for b in solved])
    here, between = static(wire.field)
    circuit.destroy()
    exact = -voltage_per_field(magnet)
    scale = max(np.abs(solved).max(), abs(wire.field)) * abs(exact) or 1.0
    motions = [magnet.mean_motion(float(b), current) for b in fields]
    means = np.array([magnet.mean_electromotive_force(float(b), current) for b in fields])
    columns: dict[str, Any] = {
        "field_T": fields,
        "static_closed_form_V": exact * fields,
        "mean_electromotive_force_V": means,
        "mean_velocity_m_per_s": [v for v, _ in motions],
        "mean_turning_rate_1_per_s": [w for _, w in motions],
    }
    output.write_csv(comm, path / f"electromotive_force.{name}.csv", columns)
    if comm.rank == 0:
        curves = {k: np.asarray(v) for k, v in columns.items()}
        title = wire.heading(name)
        picture(
            f"electromotive_force.{name}.png",
            lambda f: plot_electromotive_force(f, magnet, curves, (solved, found), wire.field, current, title),
        )
    try:
        steady = magnet.steady_wall(wire.field, current)
    except InputError:
        steady = None
    return {
        "field": wire.field,
        "current_density": current,
        "static": {
            "electromotive_force": here,
            "closed_form": exact * wire.field,
            "between_probes": between.tolist(),
            "fields": solved.tolist(),
            "electromotive_forces": found.tolist(),
            "largest_deviation": float(np.abs(found - exact * solved).max() / scale),
        },
        "voltage_per_field": voltage_per_field(magnet),
        "steady_wall": None
        if steady is None
        else {
            "velocity": steady.velocity,
            "angle": steady.angle,
            "width": steady.width,
            "electromotive_force": magnet.mean_electromotive_force(wire.field, current),
        },
        "mean": closed_form(wire, current),
        "walker_field": magnet.walker_field,
        "breakdown_current": _finite(magnet.breakdown_current()),
    }


def table(summary: Results) -> str:
    """Return the results of a case as text for a terminal."""
    lines = []
    for name, r in summary["tasks"].items():
        if r["kind"] == "electromotive_force":
            s = r["static"]
            text = (
                f"wall at rest in {r['field']:.4g} T: {s['electromotive_force']:.6g} V, "
                f"2 P mu_B B/e to {s['largest_deviation']:.1e}"
            )
            if r["mean"] is not None:
                text += f"; moving, mean {r['mean']['electromotive_force']:.6g} V (closed form)"
        else:
            m, c = r["mean"], r["closed_form"]
            text = f"{r['steps']} steps to {r['end_time']:.4g} s"
            if m is not None:
                text += f", {m['regime']}: {m['velocity']:.5g} m/s, emf {m['electromotive_force']:.5g} V"
            if m is not None and c is not None:
                text += f" (closed form {c['velocity']:.5g} m/s, {c['electromotive_force']:.5g} V)"
            if m is None:
                text += ", mean direction " + ", ".join(f"{x:.5f}" for x in r["final"]["mean_direction"])
            if r["stopped"] is not None:
                text += f"; stopped: {r['stopped']}"
        lines.append(f"{name:<14} {text}")
    return "\n".join(lines)
