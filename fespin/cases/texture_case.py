"""The table [texture] of a case file with its tasks, and the objects they declare."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from ..constants import VACUUM_PERMEABILITY
from ..errors import InputError
from .body_case import BodyTable
from .macrospin_case import Induction, Time
from .tables import Direction, Drive, Length, Table
from .task_names import names_of

if TYPE_CHECKING:
    from ..texture import TexturedMagnet

type NotNegative = Annotated[float, Field(ge=0, lt=1e12)]
type Place = Annotated[float, Field(gt=-0.01, lt=0.01)]

SHAPES = ("line", "rectangle", "box")
# Keys of each kind of task, beside those that all have.
TASKS = {
    "electromotive_force": {"fields", "samples"},
    "dynamics": {"duration", "samples", "tolerance", "max_step", "animation"},
}
DEFAULTS: dict[str, dict[str, object]] = {
    "electromotive_force": {"samples": 201},
    "dynamics": {"samples": 41, "tolerance": 1e-4, "animation": False},
}
"""What is taken of keys that are left out, by kind of task."""
# A wall is whole so many widths from the ends of its wire, feels them at so many, and has left it at so many.
WHOLE, FELT, LEFT = 4.0, 3.2, 2.0


class WallTable(Table):
    """A wall across x between m along the easy axis, before it, and against it."""

    position: Place = Field(description="along x (m)")
    angle: float | Literal["steady"] = Field(
        0.0, description='tilt towards the hard axis; "steady": that of the wall that moves without change (rad)'
    )
    width: Length | None = Field(None, description="Delta of tanh(x/Delta); default that of the angle (m)")


class VortexTable(Table):
    """A vortex in a film across z."""

    centre: Annotated[list[Place], Field(min_length=2, max_length=2)] | None = Field(
        None, description="x, y; default the middle of the film (m)"
    )
    core: Length = Field(1e-8, description="distance at which m lies half-way between the plane and its normal (m)")
    polarity: Literal[1, -1] = Field(1, description="sign of m_z in the core (1)")
    chirality: Literal[1, -1] = Field(1, description="1: counter-clockwise, seen from above (1)")


class ProbeTable(Table):
    """Voltage leads inside the wire."""

    positions: Annotated[list[Place], Field(min_length=2, max_length=20)] = Field(
        description="along x, in the middle of the section (m)"
    )


class TextureTable(Table):
    """A conducting magnet whose magnetization varies in space, as a wire along x."""

    saturation_magnetization: Annotated[float, Field(gt=0, lt=1e8)] = Field(
        description="Ms; 1 emu/cm3 is 1e3 A/m (A/m)"
    )
    exchange: Annotated[float, Field(gt=0, lt=1e-6)] = Field(description="stiffness A (J/m)")
    damping: Annotated[float, Field(gt=0, lt=100)] = Field(description="Gilbert's alpha (1)")
    conductivity: Annotated[float, Field(gt=0, lt=1e12)] = Field(description="of both spins together (S/m)")
    polarization: Annotated[float, Field(ge=-1, le=1)] = Field(description="P of the current (1)")
    nonadiabaticity: Annotated[float, Field(gt=-1e3, lt=1e3)] = Field(0.0, description="beta of the torque (1)")
    easy_constant: NotNegative = Field(0.0, description="K of the easy axis (J/m3)")
    easy_axis: Direction = Field(default_factory=lambda: [1.0, 0.0, 0.0], description="of any length (1)")
    hard_constant: NotNegative = Field(0.0, description="K of the hard axis (J/m3)")
    hard_axis: Direction = Field(
        default_factory=lambda: [0.0, 0.0, 1.0], description="of any length, perpendicular to the easy axis (1)"
    )
    gyromagnetic_ratio: Annotated[float, Field(gt=0, lt=1e15)] | None = Field(
        None, description="gamma; default that of g = 2 (rad/(s T))"
    )
    field: Annotated[list[Induction], Field(min_length=3, max_length=3)] = Field(
        default_factory=lambda: [0.0, 0.0, 0.0], description="applied field mu0 H (T)"
    )
    current_density: Drive | None = Field(None, description="along x; without it and voltage, an open circuit (A/m2)")
    voltage: Drive | None = Field(
        None, description="instead of current_density: of the left end against the right one (V)"
    )
    dipolar: bool = Field(
        False,
        description="whether m feels its own dipolar field, in three dimensions; the anisotropies are then "
        "those of the material alone",
    )
    geometry: BodyTable = Field(description="the wire: a line, rectangle, box or mesh file")
    wall: WallTable | None = Field(None, description="where the magnet has a wall")
    vortex: VortexTable | None = Field(None, description="instead of a wall; in a plane or a box")
    magnetization: Direction | None = Field(None, description="instead of a wall: the same direction everywhere (1)")
    relaxed: bool = Field(
        False, description="whether m first comes to rest, in the field and without a current, at a damping of 1"
    )
    probe: ProbeTable | None = Field(None, description="voltage leads")


class TextureTask(Table):
    """A question about a textured magnet."""

    kind: Literal["electromotive_force", "dynamics"] = Field(description="what is asked")
    name: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        None, description="of results and files; default the number of the task, from 1"
    )
    fields: Annotated[list[Induction], Field(min_length=2, max_length=2)] | None = Field(
        None,
        description="from, to, along the easy axis; default up to four times Walker's field, or twice the case's (T)",
    )
    samples: Annotated[int, Field(ge=2, le=10000)] | None = Field(
        None, description="of the fields; times of fields.*.bp and of the animation (1)"
    )
    duration: Time | None = Field(None, description="of the motion (s)")
    tolerance: Annotated[float, Field(ge=1e-12, le=0.1)] | None = Field(None, description="error of m in a step (1)")
    max_step: Time | None = Field(None, description="the longest step; default as long as the tolerance allows (s)")
    animation: bool | None = Field(None, description="whether a GIF is drawn, too")
