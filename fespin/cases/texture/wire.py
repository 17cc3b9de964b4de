"""Textured magnet of a case on its mesh: a wire with two ends, leads and a wall."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...texture import DipolarField, Dynamics, Grid, Lead, OhmicCircuit, TexturedMagnet, relax, thermal_drift
from ..body.geometry import Body
from ..checkpoints import Checkpoints
from .carriers import make_law
from .flows import CarrierCircuit
from .tables import ROUND, TextureTable, along_easy, resolved_wall

type Array = NDArray[Any]
type Picture = Callable[[str, Callable[[Path], None]], None]
type Results = dict[str, Any]


@dataclass
class Wire:
    """A case whose wire is meshed.

    Attributes
    ----------
    title
        Title of the case, for pictures.
    table, magnet
        Table [texture], and the magnet that it declares.
    body, grid
        The mesh.
    section
        Area of the wire's ends: m2, m in a plane, 1 on a line.
    start
        m at the start: a function of positions (n, 3), or one vector.
    dipolar
        The dipolar field, if motions feel one.
    checkpoints
        Folder where the states of motions are kept.
    """

    title: str
    table: TextureTable
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
        return along_easy(self.table)[0]

    @cached_property
    def beginning(self) -> Any:
        """Return m at the start of motions: as declared, or what it relaxes to (owned, 3). Collective."""
        table = self.table
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
        table = self.table
        if table.wall is None:
            return 0.0
        return resolved_wall(table, self.length).width if table.dipolar else self.magnet.wall_width()

    @property
    def uniform(self) -> bool:
        """Return whether the section is the same all along."""
        return abs(self.grid.volume / (self.length * self.section) - 1) < 1e-6

    @property
    def round(self) -> bool:
        """Return whether its leads are parts of an edge, not flat ends."""
        return self.table.geometry.shape in ROUND

    def end(self, end: int) -> Callable[[Array], Any]:
        """Return which points belong to the lead at small (0) or large x (1): an end, or a part of the edge about x."""
        table = self.table
        if not self.round:
            return self.body.plane(0, end)
        radius, half = table.geometry.radius or 0.0, table.contact_angle / 2

        def inside(x: Array) -> Array:
            away = np.abs(np.arctan2(x[1], x[0] if end else -x[0]))
            return np.asarray((np.hypot(x[0], x[1]) > (1 - 1e-6) * radius) & (away < half * (1 + 1e-9)))

        return inside

    def heading(self, name: str) -> str:
        """Return the title of a task's picture."""
        return f"{self.title}: {name}" if self.title and not name.isdigit() else self.title

    def circuit(self, *, opened: bool = False) -> OhmicCircuit | CarrierCircuit:
        """Return the wire between its two ends, driven as the case says, or open. Collective."""
        if self.table.carriers is not None:
            return CarrierCircuit.of(self, opened=opened)
        return self.ohmic(opened=opened)

    def ohmic(self, *, opened: bool = False) -> OhmicCircuit:
        """Return the wire between its two ends as Ohm's law has it. Collective."""
        table, drive = self.table, dict[str, float]()
        if not opened and table.voltage is not None:
            # The left end at the voltage, the right one at ground.
            drive = {"voltage": -table.voltage}
        elif not opened and table.current_density is not None:
            drive = {"current": -table.current_density * self.section}
        ends = {
            "left": Lead(self.end(0), voltage=0.0),
            "right": Lead(self.end(1), voltage=drive.get("voltage"), current=drive.get("current")),
        }
        return OhmicCircuit(self.grid, self.magnet, ends)

    def probes(self) -> Array | None:
        """Return where the voltage leads are (n, 3); in the middle of the section."""
        if self.table.probe is None:
            return None
        given = self.table.probe.positions
        if isinstance(given[0], list):
            return np.array([[*x, *[0.0] * (3 - len(x))] for x in given if isinstance(x, list)])
        x = np.array(given)
        points = np.tile((self.body.low + self.body.high) / 2, (len(x), 1))
        points[:, 0] = x
        return points


def finite(x: float) -> float | None:
    """Return a number, None if it is infinite: JSON has no infinity."""
    return x if math.isfinite(x) else None


def closed_form(wire: Wire, current: float) -> Results | None:
    """Return mean velocity, turning and emf of Walker's wall at the case's field.

    None if the field is oblique, there is a dipolar one, the section of the wire, and with it the current density,
    varies, or carriers have further coefficients or a temperature gradient beside a field or a current.

    Parameters
    ----------
    current
        J along x (A/m2).
    """
    field, across = along_easy(wire.table)
    if across > 1e-9 * abs(field) or wire.table.dipolar or not wire.uniform:
        return None
    carriers = wire.table.carriers
    if carriers is not None:
        kelvins = {name: lead.temperature for name, lead in wire.table.lead.items() if lead.temperature is not None}
        heated = any(lead.heat for lead in wire.table.lead.values())
        if len(set(kelvins.values())) == 2 and not field and not wire.table.current_density:
            # In a temperature gradient alone.
            drift = thermal_drift(make_law(carriers, wire.magnet), wire.magnet.saturation_magnetization)
            velocity = drift.velocity * (kelvins["right"] - kelvins["left"]) / wire.length
            return {"velocity": velocity, "turning_rate": 0.0, "electromotive_force": None}
        if heated or len(set(kelvins.values())) == 2 or carriers.coefficients:
            return None
    velocity, turning = wire.magnet.mean_motion(field, current)
    return {
        "velocity": velocity,
        "turning_rate": turning,
        "electromotive_force": wire.magnet.mean_electromotive_force(field, current),
    }
