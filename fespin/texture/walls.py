"""Walls between two domains along a wire: their profile, where they are and how they are tilted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..errors import InputError
from ..quantities import is_finite, require_positive
from .grid import Array, Grid
from .magnet import TexturedMagnet


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
        Delta (m); default that of the angle.

    Raises
    ------
    InputError
        If a number is impossible.
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
    """Where the wall of :func:`wall` is, with integrals over the wire. Collective.

    Parameters
    ----------
    grid
        Of a straight wire or strip along the first coordinate.
    """

    def __init__(self, grid: Grid, magnet: TexturedMagnet) -> None:
        self._grid, self._axes = grid, _frame(magnet)
        x = grid.positions[: grid.owned, 0]
        self._ends = -grid.largest(-x), grid.largest(x)
        self._section = grid.volume / (self._ends[1] - self._ends[0])
        self._weights = grid.weights[: grid.owned] / self._section

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
