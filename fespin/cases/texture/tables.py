"""Table [texture] of a case file, and the objects it declares."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from ...constants import VACUUM_PERMEABILITY
from ...errors import InputError, ModelError
from ..body.tables import BodyTable
from ..schema import (
    Angle,
    Damping,
    Direction,
    Drive,
    Induction,
    Length,
    Magnetization,
    Place,
    Table,
    at_least,
    within,
)
from .carriers import CarriersTable, LeadTable

if TYPE_CHECKING:
    from ...texture import TexturedMagnet

type NotNegative = Annotated[float, Field(ge=0, lt=1e9), at_least(1e-30)]
type Volts = Annotated[float, Field(gt=-1e9, lt=1e9), at_least(1e-30)]
# Steps are picoseconds: nobody waits for a second of them.
type Duration = Annotated[float, Field(gt=0, lt=1e-3), within(1e-20)]

SHAPES = ("line", "rectangle", "disc", "ring", "box", "cylinder")
ROUND = ("disc", "ring", "cylinder")
OWNER = "texture.geometry"
# Distances of a wall from the ends of its wire, in widths of the wall.
WHOLE = 4.0  # least distance at the start
FELT = 3.2  # below it the ends act on the wall, and its motion is not averaged
LEFT = 2.0  # below it the wall has left the wire
# Widest cells, in exchange lengths: wider ones slow down textures that a dipolar field holds together.
EXCHANGE_LENGTHS = 0.6


class WallTable(Table):
    """A wall across x between m along the easy axis, before it, and against it."""

    position: Place = Field(description="place of its middle along x (m)")
    angle: Angle | Literal["steady"] = Field(
        0.0, description='tilt towards the hard axis; "steady": that of the wall that moves without change (rad)'
    )
    width: Length | None = Field(
        None, description="Delta of tanh(x/Delta); default that of the angle, given by the anisotropies (m)"
    )


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

    positions: Annotated[
        list[Place | Annotated[list[Place], Field(min_length=2, max_length=3)]], Field(min_length=2, max_length=20)
    ] = Field(description="places along x, in the middle of the section, or points [x, y] or [x, y, z] (m)")


class TextureTable(Table):
    """A conducting magnet whose magnetization varies in space, as a wire along x."""

    exactly_one = (("wall", "vortex", "magnetization"),)
    at_most_one = (("current_density", "voltage"),)
    saturation_magnetization: Magnetization = Field(description="Ms; 1 emu/cm3 is 1e3 A/m (A/m)")
    exchange: Annotated[float, Field(gt=0, lt=1e-6), within(1e-20)] = Field(description="stiffness A (J/m)")
    damping: Damping = Field(description="Gilbert's alpha (1)")
    conductivity: Annotated[float, Field(gt=0, lt=1e12), within(1e-6)] = Field(
        description="sigma of both spins together (S/m)"
    )
    polarization: Annotated[float, Field(ge=-1, le=1), at_least(1e-30)] = Field(description="P of the current (1)")
    nonadiabaticity: Annotated[float, Field(gt=-1e3, lt=1e3), at_least(1e-30)] = Field(
        0.0, description="beta of the torque (1)"
    )
    easy_constant: NotNegative = Field(0.0, description="K of the easy axis (J/m3)")
    easy_axis: Direction = Field(default_factory=lambda: [1.0, 0.0, 0.0], description="of any length (1)")
    hard_constant: NotNegative = Field(0.0, description="K of the hard axis (J/m3)")
    hard_axis: Direction = Field(
        default_factory=lambda: [0.0, 0.0, 1.0], description="of any length, perpendicular to the easy axis (1)"
    )
    gyromagnetic_ratio: Annotated[float, Field(gt=0, lt=1e15), within(1e6)] | None = Field(
        None, description="gamma; default that of g = 2 (rad/(s T))"
    )
    field: Annotated[list[Induction], Field(min_length=3, max_length=3)] = Field(
        default_factory=lambda: [0.0, 0.0, 0.0], description="applied field mu0 H (T)"
    )
    current_density: Drive | None = Field(None, description="along x; without it and voltage, an open circuit (A/m2)")
    voltage: Volts | None = Field(
        None, description="instead of current_density: of the left end against the right one (V)"
    )
    dipolar: bool = Field(
        False,
        description="whether m feels its own dipolar field, in three dimensions; the anisotropies are then "
        "those of the material alone",
    )
    dipolar_method: Literal["auto", "bricks", "boundary"] = Field(
        "auto",
        description='how the dipolar field is found: "bricks", by transforms, in a box along the axes; "boundary", by '
        'boundary elements, in any body; "auto": bricks if the mesh fills a box',
    )
    geometry: BodyTable = Field(description="the wire or film")
    wall: WallTable | None = Field(None, description="where the magnet has a wall")
    vortex: VortexTable | None = Field(None, description="instead of a wall; in a plane or a box")
    magnetization: Direction | None = Field(None, description="instead of a wall: the same direction everywhere (1)")
    relaxed: bool = Field(
        False, description="whether m first comes to rest, in the field and without a current, at a damping of 1"
    )
    probe: ProbeTable | None = Field(None, description="voltage leads")
    contact_angle: Annotated[float, Field(gt=0, lt=math.pi), within(1e-3)] = Field(
        math.pi / 3, description="of a disc, ring or cylinder: what each lead takes of the edge, about x (rad)"
    )
    carriers: CarriersTable | None = Field(None, description="instead of Ohm's law: Saslow's fluxes")
    lead: dict[str, LeadTable] = Field(default_factory=dict, description="by name: the ends of the wire, with carriers")

    def unused(self) -> set[str]:
        """Return the keys that nothing uses beside those that are given."""
        return set() if self.geometry.shape in ROUND else {"contact_angle"}


@dataclass(frozen=True)
class Wall:
    """A wall with its numbers.

    Attributes
    ----------
    position
        m.
    angle
        rad.
    width
        m.
    """

    position: float
    angle: float
    width: float


# ---- the declared objects
def make_magnet(table: TextureTable) -> TexturedMagnet:
    """Return the magnet of a case.

    Raises
    ------
    InputError
        If an axis is none, or the two are not perpendicular.
    """
    from ...texture import TexturedMagnet

    keys = (
        "saturation_magnetization", "exchange", "damping", "conductivity", "polarization", "nonadiabaticity",
        "easy_constant", "easy_axis", "hard_constant", "hard_axis", "gyromagnetic_ratio",
    )  # fmt: skip
    given: dict[str, Any] = {k: v for k in keys if (v := getattr(table, k)) is not None}
    try:
        return TexturedMagnet(**given)
    except InputError as error:
        raise InputError(f"texture: {str(error).removeprefix('textured magnet: ')}") from error


def along_easy(table: TextureTable) -> tuple[float, float]:
    """Return the part of the applied field along the easy axis, and the size of the rest (T)."""
    easy = make_magnet(table).easy_axis
    along = sum(a * b for a, b in zip(table.field, easy, strict=True))
    return along, math.hypot(*(b - along * e for b, e in zip(table.field, easy, strict=True)))


def nominal_current(table: TextureTable, length: float) -> float:
    """Return the current density that the case drives (A/m2), without what the texture pumps.

    Parameters
    ----------
    length
        Length of the wire (m).
    """
    if table.voltage is not None:
        return table.conductivity * table.voltage / length
    return table.current_density or 0.0


def resolved_wall(table: TextureTable, length: float | None = None) -> Wall:
    """Return the wall at the start.

    Parameters
    ----------
    length
        Length of the wire (m); default that of the shape.

    Raises
    ------
    InputError
        If the wall is to be steady and there is no such wall.
    """
    assert table.wall is not None
    magnet, wall = make_magnet(table), table.wall
    if not magnet.easy_constant and not (table.dipolar and wall.width):
        raise InputError(
            "texture.easy_constant: missing or 0; a wall needs an easy axis (J/m3), or its own dipolar field "
            "(texture.dipolar) and a texture.wall.width"
        )
    if wall.angle != "steady":
        return Wall(wall.position, wall.angle, wall.width or magnet.wall_width(wall.angle))
    if table.dipolar:
        raise InputError('texture.wall.angle: "steady" is a closed form, and there is none with texture.dipolar')
    field, across = along_easy(table)
    if across > 1e-9 * abs(field):
        raise InputError(f'texture.wall.angle: "steady" needs a field along the easy axis; found {table.field} T')
    try:
        steady = magnet.steady_wall(field, nominal_current(table, length or max(table.geometry.extents, default=1.0)))
    except InputError as error:
        raise InputError(f'texture.wall.angle: "steady": {str(error).removeprefix("textured magnet: ")}') from error
    return Wall(wall.position, steady.angle, wall.width or steady.width)


def exchange_length(table: TextureTable) -> float:
    """Return sqrt(2 A/(mu0 Ms^2)) (m)."""
    return math.sqrt(2 * table.exchange / VACUUM_PERMEABILITY) / table.saturation_magnetization


def narrowest(table: TextureTable) -> float:
    """Return the width of the narrowest wall that can occur (m), or the exchange length where that matters."""
    widths = [exchange_length(table)] if table.wall is None or table.dipolar else []
    if table.wall is not None:
        magnet = make_magnet(table)
        widths += [table.wall.width] if table.wall.width is not None else []
        widths += [magnet.wall_width(math.pi / 2)] if magnet.easy_constant else []
    return min(widths)


def expected_width(table: TextureTable, length: float | None = None) -> float:
    """Return the width (m) of the wall that the drive makes: at the start, in steady motion, or while it turns.

    In an oblique or a dipolar field there is no closed form: that at the start.

    Parameters
    ----------
    length
        Length of the wire, as in :func:`resolved_wall`.
    """
    start, (field, across) = resolved_wall(table, length).width, along_easy(table)
    if table.dipolar or across > 1e-9 * abs(field):
        return start
    current = nominal_current(table, length or max(table.geometry.extents, default=1.0))
    try:
        return min(start, make_magnet(table).steady_wall(field, current).width)
    except ModelError:
        return narrowest(table)


def default_cell(table: TextureTable) -> float:
    """Return the size of cells (m) that resolves a wall."""
    return narrowest(table) / 4


SECTION = {
    "wall_position": "m",
    "wall_angle": "rad",
    "wall_width": "m",
    "width_at_rest": "m",
    "walker_field": "T",
    "breakdown_current": "A/m2",
    "hard_field": "T",
    "drift_per_current": "m3/(A s)",
    "voltage_per_field": "V/T",
    "steepest": "1/m",
    "dimension": "1",
    "length": "m",
    "cells": "1",
    "mesh_size": "m",
}
"""Units of the entry "texture" of ``summary.json``, but for those that depend on the dimension."""
