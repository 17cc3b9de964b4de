"""Refusals of a textured magnet before anything is meshed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ...constants import DIPOLAR_MEMORY, SPEED_OF_LIGHT
from ...energy.terms import boundary_bytes
from ...errors import InputError
from ...quantities import direction
from ..body.tables import check_body
from ..tasks import owners_of
from .carriers import check_carriers
from .case import TextureCase
from .tables import (
    EXCHANGE_LENGTHS,
    OWNER,
    ROUND,
    SHAPES,
    WHOLE,
    TextureTable,
    along_easy,
    default_cell,
    exchange_length,
    expected_width,
    make_magnet,
    nominal_current,
    resolved_wall,
)


def check_texture(case: TextureCase) -> None:
    """Refuse a magnet, a body, a wall, a drive or tasks that cannot be, and what nothing would use.

    Raises
    ------
    InputError
        With one line that names the table and key.
    """
    table = case.texture
    make_magnet(table)
    if table.current_density is not None and table.voltage is not None:
        raise InputError("texture: give one of current_density (A/m2) and voltage (V), or neither; found both")
    _check_drift(table)
    check_carriers(table.carriers, table.lead, make_magnet(table), voltage=table.voltage is not None)
    starts = {"[texture.wall]": table.wall, "[texture.vortex]": table.vortex, "magnetization": table.magnetization}
    given = [k for k, v in starts.items() if v is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        raise InputError(f"texture: give exactly one of {', '.join(starts)}; found {found}")
    if table.magnetization is not None:
        direction(table.magnetization, "texture", "magnetization")
    if table.dipolar and table.geometry.dimension not in (3, None):
        raise InputError(
            f'texture.dipolar: it needs a body of three dimensions; found shape = "{table.geometry.shape}"'
        )
    if table.dipolar_method != "auto" and not table.dipolar:
        raise InputError("texture.dipolar_method: nothing uses it; it belongs to dipolar = true")
    if table.wall is not None:
        resolved_wall(table)
    check_body(OWNER, table.geometry, SHAPES, default_cell(table))
    if table.dipolar_method == "boundary" and table.geometry.shape is not None:
        _check_surface(table)
    if table.geometry.shape is not None:
        check_cells(table, table.geometry.cell(default_cell(table)))
    rounded = table.geometry.shape in ROUND
    if rounded and table.wall is not None:
        raise InputError(f'texture.wall: it is one of a wire; a "{table.geometry.shape}" has a vortex or magnetization')
    if "contact_angle" in table.model_fields_set and not rounded:
        raise InputError("texture.contact_angle: nothing uses it; it belongs to discs, rings and cylinders")
    if table.geometry.shape is not None:
        radius = table.geometry.radius or 0.0
        low = [-radius if i < 2 else 0.0 for i in range(len(table.geometry.extents))]
        high = [a + x for a, x in zip(low, table.geometry.extents, strict=True)]
        check_places(table, low[0], high[0])
        if table.vortex is not None:
            check_vortex(table, low, high)
    if table.relaxed and table.wall is not None and along_easy(table)[0]:
        raise InputError(
            f"texture.relaxed: a wall does not come to rest in a field along its easy axis; found {table.field} T"
        )
    if table.relaxed and not any(t.kind == "dynamics" for t in case.task):
        raise InputError('texture.relaxed: nothing uses it; it belongs to "dynamics"')
    if not case.task:
        raise InputError("[[task]]: the table is missing; it says what is asked of the magnet")
    for owner, task in zip(owners_of(case.task), case.task, strict=True):
        task.check(owner, table)


def _check_drift(table: TextureTable) -> None:
    """Refuse a current that no metal carries; it would move textures faster than light."""
    drift = make_magnet(table).drift_per_current * nominal_current(table, max(table.geometry.extents, default=1.0))
    if abs(drift) > SPEED_OF_LIGHT:
        key = "voltage" if table.voltage is not None else "current_density"
        raise InputError(
            f"texture.{key}: found {getattr(table, key):g} {'V' if key == 'voltage' else 'A/m2'}; textures would drift "
            f"at {abs(drift):.2g} m/s in it, faster than light"
        )


def _check_surface(table: TextureTable) -> None:
    """Refuse a box whose dipolar field takes more memory than there may be."""
    a, b, c = table.geometry.extents
    size = table.geometry.cell(default_cell(table))
    # Nodes of a surface of squares.
    nodes = 2 * (a * b + b * c + c * a) / size**2
    taken = boundary_bytes(nodes)
    if taken > DIPOLAR_MEMORY:
        raise InputError(
            f"{OWNER}.mesh_size: cells of {size:g} m have some {nodes:.0f} nodes on the surface, and the boundary "
            f"elements of the dipolar field take {1e-9 * taken:.3g} GB; allowed: {DIPOLAR_MEMORY / 1e9:g} GB"
        )


def check_cells(table: TextureTable, size: float, length: float | None = None) -> None:
    """Refuse cells that do not resolve a wall: it would stick to the mesh.

    Parameters
    ----------
    size
        Size of the cells (m).
    length
        Length of the wire (m); default that of the shape.
    """
    if table.wall is None:
        return
    from ...texture.magnet import RESOLVED

    width = expected_width(table, length)
    if size > RESOLVED * width * (1 + 1e-9):
        raise InputError(
            f"{OWNER}.mesh_size: found cells of {size:.4g} m; a wall of width {width:.4g} m sticks to cells wider than "
            f"{RESOLVED:g} widths, {RESOLVED * width:.2g} m; {default_cell(table):.2g} m would do"
        )


def coarse(table: TextureTable, size: float, length: float) -> list[str]:
    """Return notes on cells that are coarse for a wall, or for what a dipolar field holds together.

    Parameters
    ----------
    size, length
        Parameters of :func:`check_cells`.
    """
    notes, cells = [], f"cells of {size:.3g} m"
    if table.wall is not None:
        start, least = resolved_wall(table, length).width, expected_width(table, length)
        if size > 0.4 * start:
            notes.append(f"{cells} are coarse for a wall of width {start:.3g} m")
        elif size > 0.4 * least:
            notes.append(f"{cells} are coarse for a wall of width {least:.3g} m, as it moves here")
    exchange = exchange_length(table)
    if (table.dipolar or table.vortex is not None) and size > EXCHANGE_LENGTHS * exchange:
        what = (
            "a vortex is slow and may be lost" if table.vortex is not None else "what a dipolar field makes is coarse"
        )
        notes.append(
            f"{cells} are {size / exchange:.2g} exchange lengths of {exchange:.3g} m; above {EXCHANGE_LENGTHS:g} of "
            f"them {what} ({OWNER}.mesh_size)"
        )
    return notes


def check_places(table: TextureTable, low: float, high: float) -> None:
    """Refuse a wall or probes outside the wire, and a wall that is too steep.

    Parameters
    ----------
    low, high
        Places where the wire begins and ends (m).
    """
    if table.probe is not None:
        _check_probes(table.probe.positions, low, high, table.geometry.dimension)
    if table.wall is None:
        return
    wall = resolved_wall(table, high - low)
    first, last = low + WHOLE * wall.width, high - WHOLE * wall.width
    if first >= last:
        raise InputError(
            f"texture.wall: the wire, {high - low:g} m, is too short for a wall of width {wall.width:.4g} m: "
            f"it needs {WHOLE:g} widths to each end"
            + ("; give the texture.wall.width that the dipolar field makes" if table.dipolar else "")
        )
    if not first <= wall.position <= last:
        where = "outside the wire" if not low < wall.position < high else "too near to an end of the wire"
        raise InputError(
            f"texture.wall.position: found {wall.position:g} m, {where}; with {WHOLE:g} widths of {wall.width:.3g} m "
            f"to each end it must be from {first:.4g} to {last:.4g} m"
        )
    _check_slope(table, "wall", wall.width)


def _check_slope(table: TextureTable, what: str, width: float) -> None:
    """Refuse a wall or a vortex that is so narrow that the entropy production need not be positive."""
    steepest = make_magnet(table).steepest
    if 1 / width > steepest:
        raise InputError(
            f"texture.{what}: |grad m| is {1 / width:.4g} 1/m in a {what} of width {width:.4g} m; the entropy "
            f"production is positive up to {steepest:.4g} 1/m only (beta^2 (hbar P/2e)^2 |grad m|^2 <= "
            f"alpha Ms/(gamma sigma)): give a smaller nonadiabaticity or a wider {what}"
        )


def check_vortex(table: TextureTable, low: Sequence[float], high: Sequence[float]) -> None:
    """Refuse a vortex on a line, or outside the film.

    Parameters
    ----------
    low, high
        Places where the film begins and ends, along each coordinate (m).
    """
    assert table.vortex is not None
    if len(high) < 2:
        raise InputError("texture.vortex: a line has none; it needs a plane or a box")
    for axis, x, a, b in zip("xy", table.vortex.centre or (), low, high, strict=False):
        if not a < x < b:
            raise InputError(f"texture.vortex.centre: {axis} is {x:g} m; the film reaches from {a:g} to {b:g} m")
    _check_slope(table, "vortex", table.vortex.core)


def _check_probes(
    positions: Sequence[float | list[float]], low: float, high: float, dimension: int | None = None
) -> None:
    key = "texture.probe.positions"
    points = [x for x in positions if isinstance(x, list)]
    if points and len(points) < len(positions):
        raise InputError(f"{key}: found places and points; give all of them as x, or all as points (m)")
    for point in points:
        if dimension is not None and len(point) != dimension:
            raise InputError(f"{key}: found {point}; a point has {dimension} coordinates here (m)")
    along = [x[0] if isinstance(x, list) else x for x in positions]
    for x in along:
        if not low <= x <= high:
            raise InputError(f"{key}: found {x:g} m; the wire reaches from {low:g} to {high:g} m")
    if not points and any(b <= a for a, b in pairwise(along)):
        raise InputError(f"{key}: found {list(positions)}; they must increase")
