"""Run the tasks of a case of a textured magnet, and tell their results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...texture import static_voltage
from ..schema import with_defaults
from ..task_loop import run_each
from .dynamics import dynamics
from .electromotive_force import electromotive_force
from .tables import DEFAULTS, resolved_wall
from .wire import Picture, Results, Wire, finite, prepare

__all__ = ["prepare", "run_tasks", "table"]


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
    kinds = {"electromotive_force": electromotive_force, "dynamics": dynamics}
    tasks = [with_defaults(t, DEFAULTS[t.kind]) for t in wire.case.task]
    results = run_each(
        wire.grid.comm, tasks, lambda task, name: kinds[task.kind](wire, task, name, path, picture, say), say
    )
    described = _describe(wire)
    if wire.dipolar is not None:
        wire.dipolar.destroy()
    return {"texture": described, "tasks": results}


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
        }
        # Closed forms know nothing of a dipolar field.
        limits = (magnet.wall_width(), magnet.walker_field, magnet.breakdown_current()) if not table.dipolar else None
        for k, key in enumerate(("width_at_rest", "walker_field", "breakdown_current")):
            walls[key] = None if limits is None else finite(limits[k])
    return walls | {
        "hard_field": magnet.hard_field,
        "drift_per_current": magnet.drift_per_current,
        "voltage_per_field": static_voltage(magnet),
        "steepest": finite(magnet.steepest),
        "dimension": wire.body.dimension,
        "length": wire.length,
        "section": wire.section,
        "volume": wire.grid.volume,
        "cells": wire.body.cells,
        "mesh_size": wire.body.size,
    }


def table(summary: Results) -> str:
    """Return the results of a case as text for a terminal."""
    lines = []
    for name, r in summary["tasks"].items():
        if r["kind"] == "electromotive_force":
            s = r["static"]
            text = (
                f"wall at rest in {r['field']:.4g} T: {s['electromotive_force']:.6g} V, "
                f"closed form to {s['largest_deviation']:.1e}"
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
