"""Notes on the lengths of one homogeneous body."""

from __future__ import annotations

from collections.abc import Sequence

from .. import unit_notes
from .tables import BodyTable


def body_notes(owner: str, table: BodyTable) -> list[str]:
    """Return notes on the lengths of one homogeneous body."""
    lengths = {"mesh_size": [table.mesh_size], "length": [table.length], "radius": [table.radius], "size": table.size}
    out = unit_notes.lengths(
        (f"{owner}.{k}", x) for k, values in lengths.items() for x in values or [] if x is not None
    )
    # If a single length has a note, that explains the extent as well.
    return out or unit_notes.extent(f"{owner}: the body", table.extents, "lengths are in m, 10e-9 is 10 nm")


def body_extent(owner: str, mesh: str, sizes: Sequence[float]) -> list[str]:
    """Return a note on the size of a body that a mesh file holds; `sizes` are those along each coordinate (m)."""
    return unit_notes.extent(
        f"{owner}.mesh '{mesh}': the body", sizes, f"see {owner}.length_unit, 1e-9 for a file in nm"
    )
