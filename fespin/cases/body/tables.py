"""The table of one homogeneous body, [longitudinal.geometry] and [texture.geometry]. Nothing here needs a mesh."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from ...errors import InputError, nearest
from ..schema import Belonging, Length, Table, Unit

# Keys of each shape, and the parts of its boundary. Lines and rectangles begin at the origin, as do boxes; discs and
# cylinders have their axis there.
SHAPES: dict[str, tuple[set[str], tuple[str, ...]]] = {
    "line": ({"length"}, ("left", "right")),
    "rectangle": ({"size"}, ("left", "right", "bottom", "top")),
    "disc": ({"radius"}, ("edge",)),
    "ring": ({"radius", "inner_radius"}, ("edge", "hole")),
    "box": ({"size"}, ("left", "right", "front", "back", "bottom", "top")),
    "cylinder": ({"radius", "length"}, ("side", "bottom", "top")),
}
DIMENSIONS = {"line": 1, "rectangle": 2, "disc": 2, "ring": 2, "box": 3, "cylinder": 3}
# More cells than this along one length, or in all, mean that a length is in other units.
_MOST_CELLS = 1e4
_MOST_CELLS_LINE = 1e6
_MOST_IN_ALL = 2e7


class BodyTable(Table):
    """Body of the magnet: exactly one of a shape and a mesh file."""

    belonging = Belonging(
        "shape",
        {k: keys for k, (keys, _) in SHAPES.items()} | {"mesh": {"length_unit"}},
        {k: keys for k, (keys, _) in SHAPES.items()},
    )
    exactly_one = (("shape", "mesh"),)
    shape: Literal["line", "rectangle", "disc", "ring", "box", "cylinder"] | None = Field(
        None, description="of the body"
    )
    mesh: str | None = Field(None, description="a .msh or .geo file, relative to the case file; instead of shape")
    length_unit: Unit = Field(1.0, description="length of the file's unit (m)")
    mesh_size: Length | None = Field(None, description="largest cell; default: one that fits the magnet (m)")
    length: Length | None = Field(None, description="along x of a line, along z of a cylinder (m)")
    size: Annotated[list[Length], Field(min_length=2, max_length=3)] | None = Field(
        None, description="along x, y of a rectangle, along x, y, z of a box (m)"
    )
    radius: Length | None = Field(None, description="of a disc, ring or cylinder (m)")
    inner_radius: Length | None = Field(None, description="of a ring's hole (m)")

    @property
    def dimension(self) -> int | None:
        """Return the dimension; None if the mesh file says."""
        return None if self.shape is None else DIMENSIONS[self.shape]

    @property
    def extents(self) -> list[float]:
        """Return the body's extent along each coordinate (m); none of a mesh file."""
        if self.shape in ("rectangle", "box"):
            return list(self.size or [])
        across = [2 * self.radius] * 2 if self.radius is not None else []
        return across + ([self.length] if self.length is not None else [])

    @property
    def boundaries(self) -> tuple[str, ...] | None:
        """Return the names of the parts of the boundary; None if the mesh file says."""
        return None if self.shape is None else SHAPES[self.shape][1]

    def cell(self, default: float) -> float:
        """Return the size of the cells (m): as given, or the default, at most half of any extent."""
        if self.mesh_size is not None:
            return self.mesh_size
        return min([default, *(x / 2 for x in self.extents)])

    def describe(self, default: float) -> str:
        """Return the body as text; `default` as in :meth:`cell`."""
        if self.shape is None:
            return f"mesh file {self.mesh}"
        sizes = " x ".join(f"{x * 1e9:.4g}" for x in self.extents)
        return f"{self.shape}, {sizes} nm, cells of {self.cell(default) * 1e9:.3g} nm"


def check_body(owner: str, table: BodyTable, shapes: Sequence[str], default: float) -> None:
    """Refuse an impossible body, or one whose mesh no computer holds, most often because a length is given in nm.

    Parameters
    ----------
    owner
        The table's name.
    shapes
        Shapes that the owner allows.
    default
        Size of cells (m) if none is given.

    Raises
    ------
    InputError
        With one line that names the table and key.
    """
    allowed = ", ".join(f'"{s}"' for s in shapes)
    if (table.shape is None) == (table.mesh is None):
        neither_or_both = "neither" if table.shape is None else "both"
        raise InputError(f"{owner}: give exactly one of shape ({allowed}) and mesh (a file); found {neither_or_both}")
    if table.mesh is not None:
        needed, kind = {"length_unit"}, "mesh"
        if table.mesh_size is not None and table.mesh.endswith(".msh"):
            raise InputError(f"{owner}.mesh_size: a .msh file has its cells; it belongs to shapes and .geo files")
    else:
        assert table.shape is not None
        if table.shape not in shapes:
            raise InputError(f'{owner}.shape: found "{table.shape}"; allowed here: {allowed}')
        needed, kind = SHAPES[table.shape][0], table.shape
    keys = {"length_unit": ("mesh",)} | {
        k: tuple(s for s in shapes if k in SHAPES[s][0]) for k in ("length", "size", "radius", "inner_radius")
    }
    for key in sorted(table.model_fields_set - {"shape", "mesh", "mesh_size"} - needed):
        belongs = " and ".join(f'"{s}"' for s in keys[key]) or "other shapes"
        raise InputError(f'{owner}.{key}: belongs to {belongs}, found with "{kind}"')
    for key in sorted(needed - table.model_fields_set - {"length_unit"}):
        raise InputError(f'{owner}.{key}: missing; shape = "{kind}" needs it (m)')
    if table.size is not None and len(table.size) != table.dimension:
        raise InputError(f'{owner}.size: found {table.size}; "{kind}" has {table.dimension} lengths (m)')
    if table.inner_radius is not None and table.radius is not None and not table.inner_radius < table.radius:
        raise InputError(
            f"{owner}.inner_radius: found {table.inner_radius:g} m; it must be less than the radius, {table.radius:g} m"
        )
    _check_cells(owner, table, default)


def _check_cells(owner: str, table: BodyTable, default: float) -> None:
    if table.shape is None:
        return
    size, cells = table.cell(default), 1.0
    key = "size" if table.size is not None else "length" if table.length is not None else "radius"
    for extent in table.extents:
        if extent > (_MOST_CELLS_LINE if table.shape == "line" else _MOST_CELLS) * size:
            raise InputError(
                f"{owner}.{key}: found {extent:g} m, {extent / size:.0e} cells of {size:g} m ({owner}.mesh_size); "
                "lengths are in m, 10e-9 is 10 nm"
            )
        cells *= extent / size
    cells *= {1: 1, 2: 2, 3: 6}[len(table.extents)]  # triangles of a square, tetrahedra of a brick
    if cells > _MOST_IN_ALL:
        raise InputError(f"{owner}.mesh_size: {size:g} m makes {cells:.0e} cells; try a larger one")
    if size > min(table.extents):
        raise InputError(
            f"{owner}.mesh_size: found {size:g} m; it must not exceed the smallest extent, {min(table.extents):g} m"
        )


def check_boundary(owner: str, name: str, table: BodyTable) -> None:
    """Refuse a part of the boundary that the shape does not have; a mesh file's are known later."""
    known = table.boundaries
    if known is not None and name not in known:
        raise InputError(f'{owner}.{name}: a "{table.shape}" has no such boundary; {nearest(name, known)}')
