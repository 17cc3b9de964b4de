"""Run a case of longitudinal dynamics: from its tables to a mesh, and from its tasks to results."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from mpi4py import MPI

from ...errors import InputError, nearest
from ...longitudinal import LongitudinalProblem, resistivity_star
from ..body.geometry import make_body
from ..body.notes import body_extent
from ..checkpoints import Checkpoints
from ..kind import Writer
from ..task_loop import run_each
from ..tasks import Outlet, Results
from .case import LongitudinalCase
from .shared import Shared
from .tables import OWNER, default_cell, make_condition, make_magnet


def prepare(
    comm: MPI.Intracomm,
    case: LongitudinalCase,
    base: Path,
    say: Callable[[str], None],
    checkpoints: Checkpoints | None = None,
) -> Writer:
    """Mesh the body of a case; return the function that runs its tasks. Collective.

    Parameters
    ----------
    base
        Folder of the case file.
    checkpoints
        Folder in which the states of relaxations are kept.

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
    conditions = {name: make_condition(table, part) for name, part in table.boundary.items()}
    parts = {name: body.parts[name] for name in conditions}
    problem = LongitudinalProblem(body.mesh, make_magnet(table), parts=parts, degree=table.degree)
    say(
        f"mesh: {body.cells} cells in {body.dimension}D, {problem.unknowns} nodes of degree {table.degree}, "
        f"{time.perf_counter() - begin:.2f} s"
    )
    if table.geometry.mesh is not None:
        for note in body_extent(OWNER, table.geometry.mesh, [float(x) for x in body.high - body.low]):
            say(f"note: {note}")
    shared = Shared(case.title, table, body, problem, conditions, checkpoints)

    def write(out: Outlet) -> Results:
        results = run_each(comm, case.task, lambda task, name: task.run(shared, name, out), say)
        described = _describe(shared)
        problem.destroy()
        return {"longitudinal": described, "tasks": results}

    return write


def _describe(shared: Shared) -> Results:
    """Return what follows from the tables."""
    problem, g = shared.problem, shared.problem.magnet
    slow, fast = (float(x) for x in g.decay_rates(0.0))
    steady = -complex(g.wavenumber(0.0)).imag
    return {
        "exchange_rate": g.rate,
        "natural_wavenumber": g.k_M,
        "natural_length": 1 / g.k_M,
        "susceptibility_m": g.chi_m,
        "resistivity_star": resistivity_star(g.diffusion, g.chi_m),
        "lattice_rate_M": g.w_M,
        "lattice_rate_m": g.w_m,
        "uniform_decay_rates": [slow, fast],
        "slow_rate_limit": g.xi * g.rate + (1 - g.xi) * g.w_M,
        "steady_decay_length": 1 / steady if steady else None,
        "dimension": shared.body.dimension,
        "volume": problem.volume,
        "cells": shared.body.cells,
        "dofs": problem.unknowns,
        "mesh_size": shared.body.size,
    }
