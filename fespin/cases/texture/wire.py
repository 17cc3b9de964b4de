"""A case's textured magnet on its mesh: a wire with two ends, leads and a wall."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from dolfinx import fem
from dolfinx import mesh as dmesh
from mpi4py import MPI
from numpy.typing import NDArray
from ufl import Measure

from ...errors import InputError
from ...texture import DipolarField, Dynamics, Grid, Lead, OhmicCircuit, TexturedMagnet, relax, vortex, wall
from ..body.geometry import Body, make_body
from ..checkpoints import Checkpoints
from ..unit_notes import body_extent
from .checks import OWNER, check_cells, check_places, check_vortex, coarse
from .tables import TextureCase, along_easy, default_cell, make_magnet, resolved_wall

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
    dipolar
        The dipolar field, if motions feel one.
    checkpoints
        Where the states of motions are kept.
    """

    case: TextureCase
    magnet: TexturedMagnet
    body: Body
    grid: Grid
    section: float
    start: Any
    dipolar: DipolarField | None = None
    checkpoints: Checkpoints | None = None

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

    @cached_property
    def beginning(self) -> Any:
        """Return m at the start of motions: as declared, or what it relaxes to (owned, 3). Collective."""
        table = self.case.texture
        if not table.relaxed:
            return self.start
        # Where it comes to rest does not depend on the damping; without a current the texture may be steep.
        calm = replace(self.magnet, damping=1.0, nonadiabaticity=0.0)
        motion = Dynamics(self.grid, calm, self.start, field=tuple(table.field), dipolar=self.dipolar or False)
        relax(motion, 1e-4)
        motion.destroy()
        return motion.directions

    @property
    def width(self) -> float:
        """Return the width of its wall at rest (m): the anisotropies', as declared with a dipolar field, 0 if none."""
        table = self.case.texture
        if table.wall is None:
            return 0.0
        return resolved_wall(table, self.length).width if table.dipolar else self.magnet.wall_width()

    @property
    def uniform(self) -> bool:
        """Return whether the section is the same all along."""
        return abs(self.grid.volume / (self.length * self.section) - 1) < 1e-6

    def heading(self, name: str) -> str:
        """Return the title of a task's picture."""
        return f"{self.case.title}: {name}" if self.case.title and not name.isdigit() else self.case.title

    def circuit(self, *, opened: bool = False) -> OhmicCircuit:
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
        return OhmicCircuit(self.grid, self.magnet, ends)

    def probes(self) -> Array | None:
        """Return where the voltage leads are (n, 3); in the middle of the section."""
        if self.case.texture.probe is None:
            return None
        x = np.array(self.case.texture.probe.positions)
        points = np.tile((self.body.low + self.body.high) / 2, (len(x), 1))
        points[:, 0] = x
        return points


def prepare(
    comm: MPI.Intracomm,
    case: TextureCase,
    base: Path,
    say: Callable[[str], None],
    checkpoints: Checkpoints | None = None,
) -> Wire:
    """Mesh the wire of a case. Collective.

    Parameters
    ----------
    base
        Folder of the case file.
    checkpoints
        Where the states of motions are kept.

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
    wire = Wire(case, magnet, body, grid, 1.0, start, checkpoints=checkpoints)
    if body.dimension > 1:
        wire.section = grid.volume / (high - low) if table.geometry.shape is not None else _end(wire)
    # Here, so that what is too large is refused before anything is written.
    if table.dipolar and any(t.kind == "dynamics" for t in case.task):
        wire.dipolar = DipolarField(grid, magnet)
    say(f"mesh: {body.cells} cells in {body.dimension}D, {time.perf_counter() - begin:.2f} s")
    if table.geometry.mesh is not None:
        for note in body_extent(OWNER, table.geometry.mesh, [float(x) for x in body.high - body.low]):
            say(f"note: {note}")
    for note in coarse(table, body.size, high - low):
        say(f"note: {note}")
    return wire


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


def finite(x: float) -> float | None:
    """Return a number, None if it is infinite: JSON has no infinity."""
    return x if math.isfinite(x) else None


def closed_form(wire: Wire, current: float) -> Results | None:
    """Return mean velocity, turning and emf of Walker's wall at the case's field.

    None if the field is oblique, there is a dipolar one, or the section of the wire, and with it the current density,
    varies.

    Parameters
    ----------
    current
        J along x (A/m2).
    """
    field, across = along_easy(wire.case.texture)
    if across > 1e-9 * abs(field) or wire.case.texture.dipolar or not wire.uniform:
        return None
    velocity, turning = wire.magnet.mean_motion(field, current)
    return {
        "velocity": velocity,
        "turning_rate": turning,
        "electromotive_force": wire.magnet.mean_electromotive_force(field, current),
    }
