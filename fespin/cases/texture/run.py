"""Run a case of a textured magnet: from its tables to a mesh, and from its tasks to results."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from dolfinx import fem
from dolfinx import mesh as dmesh
from mpi4py import MPI
from ufl import Measure

from ...energy.bricks import box_of
from ...errors import InputError
from ...texture import DipolarField, Grid, static_voltage, vortex, wall
from ..body.geometry import make_body
from ..body.notes import body_extent
from ..checkpoints import Checkpoints
from ..kind import Writer
from ..task_loop import run_each
from ..tasks import Outlet, Results
from .case import TextureCase
from .checks import check_cells, check_places, check_vortex, coarse
from .dynamics import TextureDynamics
from .tables import OWNER, default_cell, make_magnet, resolved_wall
from .wire import Wire, finite


def prepare(
    comm: MPI.Intracomm,
    case: TextureCase,
    base: Path,
    say: Callable[[str], None],
    checkpoints: Checkpoints | None = None,
) -> Writer:
    """Mesh the wire of a case; return the function that runs its tasks. Collective.

    Parameters
    ----------
    base
        Folder of the case file.
    checkpoints
        Folder where the states of motions are kept.

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
    check_cells(table, body.size, high - low)
    if table.dipolar and body.dimension < 3:
        raise InputError(f"texture.dipolar: it needs a body of three dimensions; the mesh has {body.dimension}")
    try:
        grid = Grid(body.mesh)
    except InputError as error:
        if table.geometry.mesh is None:
            raise
        why = str(error).removeprefix("texture: ")
        raise InputError(f"{OWNER}.mesh '{table.geometry.mesh}': {why}; Mesh.ElementOrder = 1 in a .geo") from error
    start: Any = table.magnetization
    if table.wall is not None:
        found = resolved_wall(table, high - low)
        start = wall(magnet, found.position, found.angle, found.width)
    if table.vortex is not None:
        check_vortex(table, *([float(x) for x in side[: body.dimension]] for side in (body.low, body.high)))
        v, middle = table.vortex, (body.low + body.high) / 2
        start = vortex(v.centre or (float(middle[0]), float(middle[1])), v.core, v.polarity, v.chirality)
    wire = Wire(case.title, table, magnet, body, grid, 1.0, start, checkpoints=checkpoints)
    if wire.round:
        # The widest one, through the middle.
        shape = table.geometry
        wire.section = 2 * ((shape.radius or 0.0) - (shape.inner_radius or 0.0)) * (shape.length or 1.0)
    elif body.dimension > 1:
        wire.section = grid.volume / (high - low) if table.geometry.shape is not None else _end(wire)
    # Here, so that what is too large is refused before anything is written.
    if table.dipolar and any(isinstance(t, TextureDynamics) for t in case.task):
        if table.dipolar_method == "bricks" and box_of(grid) is None:
            raise InputError(
                'texture.dipolar_method: found "bricks", and the mesh fills no box whose edges are along the axes; '
                'allowed: "boundary" or "auto"'
            )
        wire.dipolar = DipolarField(grid, magnet, method=table.dipolar_method)
    say(f"mesh: {body.cells} cells in {body.dimension}D, {time.perf_counter() - begin:.2f} s")
    if table.geometry.mesh is not None:
        for note in body_extent(OWNER, table.geometry.mesh, [float(x) for x in body.high - body.low]):
            say(f"note: {note}")
    for note in coarse(table, body.size, high - low):
        say(f"note: {note}")

    def write(out: Outlet) -> Results:
        results = run_each(comm, case.task, lambda task, name: task.run(wire, name, out), say)
        described = _describe(wire)
        if wire.dipolar is not None:
            wire.dipolar.destroy()
        return {"texture": described, "tasks": results}

    return write


def _end(wire: Wire) -> float:
    """Return the area of the wire's right end. Collective."""
    made, dim = wire.body.mesh, wire.body.dimension
    facets = dmesh.locate_entities_boundary(made, dim - 1, wire.body.plane(0, 1))
    tags = dmesh.meshtags(made, dim - 1, np.sort(facets), np.ones(len(facets), dtype=np.int32))
    one = fem.Constant(made, 1.0)
    area = fem.assemble_scalar(fem.form(one * Measure("ds", domain=made, subdomain_data=tags)(1)))
    found = float(wire.grid.comm.allreduce(float(np.real(area))))
    if not found > 0:
        raise InputError(f"{OWNER}.mesh: its ends must be flat, across x; nothing lies at its largest x")
    return found


def _describe(wire: Wire) -> Results:
    """Return what follows from the tables."""
    magnet, table = wire.magnet, wire.table
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
    return (
        walls
        | {
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
        | ({} if wire.dipolar is None else {"dipolar_method": wire.dipolar.method})
    )
