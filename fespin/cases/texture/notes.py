"""Notes on the numbers of a textured magnet."""

from __future__ import annotations

from .. import unit_notes
from ..body.notes import body_notes
from .tables import TextureTable, nominal_current


def texture_notes(table: TextureTable) -> list[str]:
    """Return notes on the numbers of a textured magnet."""
    out = body_notes("texture.geometry", table.geometry)
    out += unit_notes.magnetization("texture.saturation_magnetization", table.saturation_magnetization)
    out += unit_notes.stiffness("texture.exchange", table.exchange)
    for key in ("easy_constant", "hard_constant"):
        out += unit_notes.anisotropy(f"texture.{key}", getattr(table, key))
    out += unit_notes.induction("texture.field", table.field)
    if table.wall is not None and table.wall.width is not None:
        out += unit_notes.length("texture.wall.width", table.wall.width)
    if table.vortex is not None:
        out += unit_notes.length("texture.vortex.core", table.vortex.core)
    # The length of a mesh file is the mesh's own.
    along = max(table.geometry.extents, default=0.0)
    if table.voltage is None or along:
        key = "current_density" if table.voltage is None else "voltage"
        out += unit_notes.current(f"texture.{key}", nominal_current(table, along))
    return out
