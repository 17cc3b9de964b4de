"""Walls between two domains along a wire: their profile, where they are and how they are tilted."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..grid import Array, Grid
from ..quantities import is_finite, require_positive
from .magnet import RESOLVED, TexturedMagnet

_BINS = 4000  # along a wire, at most


def wall(
    magnet: TexturedMagnet, position: float, angle: float = 0.0, width: float | None = None
) -> Callable[[Array], Array]:
    """Return m of a wall across the first coordinate as a function of positions (n, 3).

    m.e goes from +1 to -1 as -tanh((x - position)/width). A wall of angle zero lies in the plane of e
    and h x e.

    Parameters
    ----------
    position
        m.
    angle
        Tilt towards the hard axis (rad).
    width
        Delta (m); default that of the angle, :meth:`TexturedMagnet.wall_width`, which knows no further terms.

    Raises
    ------
    InputError
        If a number is impossible.

    Examples
    --------
    >>> from fespin.texture import Dynamics, wall
    >>> start = wall(permalloy, position=200e-9, angle=0.1)
    >>> start(np.array([[0.0, 0, 0], [400e-9, 0, 0]]))[:, 0].round(3)
    array([ 1., -1.])
    >>> motion = Dynamics(wire, permalloy, start, field=(2e-3, 0, 0))
    """
    width = magnet.wall_width(angle) if width is None else width
    require_positive("wall", "width", width)
    if not is_finite(position) or not is_finite(angle):
        raise InputError(f"wall: position {position!r} and angle {angle!r} must be finite numbers")
    easy, across, hard = _frame(magnet)

    def directions(x: Array) -> Array:
        s = (x[:, 0] - position) / width
        inside = np.cos(angle) * across + np.sin(angle) * hard
        return np.asarray(-np.tanh(s)[:, None] * easy + inside / np.cosh(np.clip(s, -300, 300))[:, None])

    return directions


def _frame(magnet: TexturedMagnet) -> tuple[Array, Array, Array]:
    easy, hard = np.array(magnet.easy_axis), np.array(magnet.hard_axis)
    return easy, np.cross(hard, easy), hard


class WallWatch:
    """Observer of the wall of :func:`wall`, by integrals over the wire. Collective.

    They are integrals along x of means over the section there, which may vary along the wire.

    Parameters
    ----------
    grid
        Grid of a wire or strip along the first coordinate.

    Examples
    --------
    >>> from fespin.texture import Grid, WallWatch, wall
    >>> grid = Grid(wire)
    >>> watch = WallWatch(grid, permalloy)
    >>> m = grid.directions(wall(permalloy, 200e-9, angle=0.1))
    >>> print(f"{watch.position(m):.3e} {watch.angle(m):.3f} {watch.width(m):.3e}")
    2.000e-07 0.100 1.458e-08
    """

    def __init__(self, grid: Grid, magnet: TexturedMagnet) -> None:
        self._grid, self._axes = grid, _frame(magnet)
        x = grid.positions[: grid.owned, 0]
        self._ends = -grid.largest(-x), grid.largest(x)
        self._weights = lengths(grid)

    def position(self, m: Array) -> float:
        """Return q (m) from the mean of m.e; m at this rank's own nodes (owned, 3)."""
        along = self._grid.total(self._weights * (m @ self._axes[0]))
        return (self._ends[0] + self._ends[1] + along) / 2

    def angle(self, m: Array) -> float:
        """Return the tilt towards the hard axis (rad), from -pi to pi.

        Directions count by the square of their part across the easy axis, as they do in the electromotive force: spin
        waves in the domains, however long these are, hardly matter.
        """
        across = np.stack([m @ axis for axis in self._axes[1:]], axis=1)
        weighted = (self._weights * np.linalg.norm(across, axis=1))[:, None] * across
        y, z = self._grid.totals(*weighted.sum(axis=0))
        return float(np.arctan2(z, y))

    def width(self, m: Array) -> float:
        """Return Delta (m), half the integral of 1 - (m.e)^2."""
        return self._grid.total(self._weights * (1 - (m @ self._axes[0]) ** 2)) / 2


def require_resolved(grid: Grid, magnet: TexturedMagnet, m: Array) -> None:
    """Refuse cells that are too wide for the walls in them. Collective.

    A wall is where m.e changes its sign, and m turns within a cell as it does in a wall at rest. It sticks to cells
    that are wider, across it, than 0.6 of the width that the easy axis gives it, that of a wall without a tilt.

    Parameters
    ----------
    m
        Directions at this rank's own nodes (owned, 3).

    Raises
    ------
    InputError
        It says where, and how wide.
    """
    if not magnet.easy_constant or any(getattr(term, "local", False) for term in magnet.terms):
        return  # what else holds a wall is not known here; DMI does not change its width
    width = math.sqrt(magnet.exchange / magnet.easy_constant)
    seen = grid.seen(m)
    along, corners = seen @ np.array(magnet.easy_axis)[:, None], grid.positions[grid.cells]
    here = along[grid.cells][:, :, 0]
    # In a wall at rest the angle within so wide a cell is 0.57 to 0.6, wherever its nodes are.
    chords = np.linalg.norm(seen[grid.cells][:, :, None] - seen[grid.cells][:, None], axis=3).max(axis=(1, 2))
    walled = np.flatnonzero((here.min(axis=1) <= 0) & (here.max(axis=1) >= 0) & (chords > 2 * math.sin(0.55 / 2)))
    normal = grid.gradient(along)[walled, :, 0]
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    # Of bricks it is the side, whatever way the wall lies.
    extent = np.einsum("ci,ci->c", normal**2, np.ptp(corners[walled], axis=1))
    top = grid.largest(extent)
    if top <= RESOLVED * width * (1 + 1e-9):
        return
    worst = int(np.argmax(extent)) if len(extent) and extent.max() == top else -1
    place = corners[walled[worst]].mean(axis=0).tolist() if worst >= 0 else None
    found = next(x for x in grid.comm.allgather(place) if x is not None)
    at = ", ".join(f"{x:.4g}" for x in found[: grid.mesh.geometry.dim])
    raise InputError(
        f"texture: a cell at ({at}) m is {top:.4g} m wide across a wall of width {width:.4g} m, which sticks to cells "
        f"wider than {RESOLVED:g} widths; take cells of {RESOLVED * width:.2g} m or less, best {width / 4:.2g} m"
    )


def lengths(grid: Grid) -> Array:
    """Return the part of the length along the first coordinate that belongs to each of this rank's own nodes (owned,).

    It is the integral of dV/A over the node's volume, with A the area of the section at x: the sum over all nodes is
    the whole length, and that of nodes before some x is the length to there, but for half a cell. Collective.
    """
    x = np.sort(grid.positions[grid.cells, 0], axis=1)
    low, high = -grid.largest(-x[:, 0]), grid.largest(x[:, -1])
    spans, count = grid.totals((x[:, -1] - x[:, 0]).sum(), len(x))
    # Some two bins to a cell.
    bins = int(np.clip(2 * (high - low) * count / spans, 1, _BINS))
    edges = np.linspace(low, high, bins + 1)
    width = (high - low) / bins
    first = np.clip(((x[:, 0] - low) / width).astype(int), 0, bins - 1)
    last = np.clip(np.ceil((x[:, -1] - low) / width).astype(int), first + 1, bins)
    parts: list[tuple[NDArray[Any], ...]] = []  # cells, their bins, volumes there
    for k in range(int((last - first).max(initial=0))):
        cells = np.flatnonzero(first + k < last)
        places = first[cells] + k
        # The first and the last bin of a cell have all that is left of it.
        begin = np.where(k == 0, 0.0, _before(x[cells], edges[places]))
        end = np.where(places + 1 == last[cells], 1.0, _before(x[cells], edges[places + 1]))
        parts.append((cells, places, grid.volumes[cells] * (end - begin)))
    cells, places, volumes = (np.concatenate(p) for p in zip(*parts, strict=True)) if parts else (np.zeros(0, int),) * 3
    section = grid.totals(*np.bincount(places, volumes, minlength=bins)) / width
    section[section == 0] = 1.0  # of a gap
    along = np.bincount(cells, volumes / section[places], minlength=len(x))
    shared = np.repeat(along[:, None, None] / (grid.dim + 1), grid.dim + 1, axis=1)
    return np.asarray(grid.gathered(shared)[:, 0])


def _before(x: Array, at: Array) -> Array:
    """Return which part of a simplex lies before a coordinate (n,), its corners' coordinates being sorted (n, corners).

    The plane cuts the edge between the first and the last corner at a share r. Through that point it parts the simplex
    in two, and of each the part before the plane is that of the face without the point, as in a cone.
    """
    if x.shape[1] == 1:
        return (x[:, 0] < at).astype(float)
    span = x[:, -1] - x[:, 0]
    share = np.clip((at - x[:, 0]) / np.where(span > 0, span, 1.0), 0.0, 1.0)
    return np.asarray(share * _before(x[:, :-1], at) + (1 - share) * _before(x[:, 1:], at))
