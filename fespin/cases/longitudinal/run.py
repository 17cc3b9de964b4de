"""Run a case of longitudinal dynamics: from its tables to a mesh, and from its tasks to results."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from mpi4py import MPI

from ...errors import InputError, nearest
from ...longitudinal import Flux, Held, LongitudinalProblem
from ..body.geometry import make_body
from ..checkpoints import Checkpoints
from ..task_loop import run_each
from ..unit_notes import body_extent
from .checks import OWNER
from .questions import TASKS, Picture, Prepared, Results
from .tables import LongitudinalCase, default_cell, make_magnet, resolved


def prepare(
    comm: MPI.Intracomm,
    case: LongitudinalCase,
    base: Path,
    say: Callable[[str], None],
    checkpoints: Checkpoints | None = None,
) -> Prepared:
    """Mesh the body of a case. Collective.

    Parameters
    ----------
    base
        Folder of the case file.
    checkpoints
        Where the states of relaxations are kept.

    Raises
    ------
    InputError
        If a mesh file is unusable, or has no boundary of a name that the case uses.
    """
    begin, table = time.perf_counter(), case.longitudinal
    curved = table.degree > 1
    body = make_body(comm, table.geometry, base, OWNER, default_cell(table), curved=curved)
    for name in table.boundary:
        if name not in body.parts:
            raise InputError(
                f"longitudinal.boundary.{name}: the mesh has no group of facets of this name; "
                f"{nearest(name, body.parts)}"
            )
    conditions: dict[str, Flux | Held] = {}
    for name, part in table.boundary.items():
        if part.flux is not None:
            conditions[name] = Flux(part.flux)
        else:
            assert part.accumulation is not None
            conditions[name] = Held(part.accumulation)
    parts = {name: body.parts[name] for name in conditions}
    problem = LongitudinalProblem(body.mesh, make_magnet(table), parts=parts, degree=table.degree)
    say(
        f"mesh: {body.cells} cells in {body.dimension}D, {problem.unknowns} nodes of degree {table.degree}, "
        f"{time.perf_counter() - begin:.2f} s"
    )
    if table.geometry.mesh is not None:
        for note in body_extent(OWNER, table.geometry.mesh, [float(x) for x in body.high - body.low]):
            say(f"note: {note}")
    return Prepared(case, body, problem, conditions, checkpoints)


def run_tasks(prepared: Prepared, path: Path, picture: Picture, say: Callable[[str], None]) -> Results:
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
        What ``summary.json`` holds under "longitudinal" and "tasks".
    """
    results = run_each(
        prepared.problem.comm,
        [resolved(t) for t in prepared.case.task],
        lambda task, name: TASKS[task.kind](prepared, task, name, path, picture, say),
        say,
    )
    described = _describe(prepared)
    prepared.problem.destroy()
    return {"longitudinal": described, "tasks": results}


def _describe(prepared: Prepared) -> Results:
    """Return what follows from the tables."""
    problem, g = prepared.problem, prepared.problem.magnet
    slow, fast = (float(x) for x in g.decay_rates(0.0))
    steady = -complex(g.wavenumber(0.0)).imag
    return {
        "exchange_rate": g.rate,
        "natural_wavenumber": g.k_M,
        "natural_length": 1 / g.k_M,
        "susceptibility_m": g.chi_m,
        "lattice_rate_M": g.w_M,
        "lattice_rate_m": g.w_m,
        "uniform_decay_rates": [slow, fast],
        "slow_rate_limit": g.xi * g.rate + (1 - g.xi) * g.w_M,
        "steady_decay_length": 1 / steady if steady else None,
        "dimension": prepared.body.dimension,
        "volume": problem.volume,
        "cells": prepared.body.cells,
        "dofs": problem.unknowns,
        "mesh_size": prepared.body.size,
    }


def table(summary: Results) -> str:
    """Return the results of a case as text for a terminal."""
    lines, dimension = [], summary["longitudinal"]["dimension"]
    power = "" if dimension == 1 else dimension
    for name, r in summary["tasks"].items():
        if r["kind"] == "dispersion":
            n = sum(len(b["rates"]) for b in r["branches"].values())
            text = f"{n} rates of decay, within {r['largest_deviation']:.1e} of the closed form"
        elif r["kind"] == "response":
            z = ", ".join(
                f"{k}: {v[0][0]:.5g} {'+' if v[0][1] >= 0 else '-'} {abs(v[0][1]):.5g}i s/m{power}"
                for k, v in r["impedance"].items()
            )
            text = f"at {r['frequencies'][0]:.4g} Hz, impedance {z or 'none'}; power balance {r['power_balance']:.1e}"
        else:
            text = (
                f"after {r['times'][-1]:.4g} s: M {r['total_M'][-1]:.6g}, m {r['total_m'][-1]:.6g}; "
                f"M + m kept to {r['conservation']:.1e}"
            )
        lines.append(f"{name:<14} {text}")
    return "\n".join(lines)
