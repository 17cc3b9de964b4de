"""Vortices in films: their profile, and where their cores are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..errors import InputError
from ..grid import Array, Grid
from ..quantities import is_finite, require_positive


def vortex(
    centre: Sequence[float] = (0.0, 0.0), core: float = 1e-8, polarity: int = 1, chirality: int = 1
) -> Callable[[Array], Array]:
    """Return m of a vortex in a film across z as a function of positions (n, 3).

    m is along (-c (y - y0), c (x - x0), p core): it circulates about the centre, and points out of the plane there.

    Parameters
    ----------
    centre
        x0, y0 (m).
    core
        Distance (m) at which it lies half-way between the plane and its normal.
    polarity, chirality
        p and c, 1 or -1.

    Raises
    ------
    InputError
        If a number is impossible.

    Examples
    --------
    >>> from fespin.texture import vortex
    >>> m = vortex(centre=(50e-9, 50e-9), core=10e-9)(np.array([[50e-9, 50e-9, 0.0], [90e-9, 50e-9, 0.0]]))
    >>> m[:, 2].round(2)
    array([1.  , 0.24])
    """
    require_positive("vortex", "core", core)
    place = list(centre) if isinstance(centre, Sequence | np.ndarray) else []
    if len(place) != 2 or not all(is_finite(x) for x in place):
        raise InputError(f"vortex: centre is {centre!r}; it must be two finite numbers, x and y in m")
    for key, value in {"polarity": polarity, "chirality": chirality}.items():
        if value not in (1, -1):
            raise InputError(f"vortex: {key} is {value!r}; it must be 1 or -1")

    def directions(x: Array) -> Array:
        a, b = x[:, 0] - place[0], x[:, 1] - place[1]
        m = np.stack([-chirality * b, chirality * a, np.full(len(x), polarity * core)], axis=1)
        return np.asarray(m / np.linalg.norm(m, axis=1, keepdims=True))

    return directions


class VortexWatch:
    """Observer of the core of a vortex. Collective.

    Parameters
    ----------
    grid
        Grid of a film across z.

    Examples
    --------
    >>> from fespin.geometry import bricks
    >>> from fespin.texture import Grid, VortexWatch, vortex
    >>> film = Grid(bricks(comm, (0, 0, 0), (100e-9, 100e-9, 10e-9), (20, 20, 2)))
    >>> core = VortexWatch(film).core(film.directions(vortex((40e-9, 55e-9))))
    >>> print(f"{core[0]:.2e} {core[1]:.2e}")
    4.11e-08 5.45e-08
    """

    def __init__(self, grid: Grid) -> None:
        self._grid, self._middles = grid, grid.mean(grid.positions)
        z = grid.positions[: grid.owned, 2]
        self._thickness = grid.largest(z) + grid.largest(-z) if grid.dim == 3 else 1.0

    def core(self, m: Array) -> Array:
        """Return the core's place (2,), in m; nan if there is no vortex. m at this rank's own nodes (owned, 3).

        It is the centre of m.(d_x m x d_y m), the density of what the directions sweep over the sphere: 2 pi in a
        vortex, most of it in the core; what tails have beyond an edge is missing. Less than a quarter is no vortex.
        """
        g, seen = self._grid, self._grid.seen(m)
        slope = g.gradient(seen)
        turned = np.asarray(np.cross(slope[:, 0], slope[:, 1]), dtype=float)
        density = g.volumes * np.einsum("ca,ca->c", g.mean(seen), turned)
        total, x, y = g.totals(density.sum(), density @ self._middles[:, 0], density @ self._middles[:, 1])
        if not abs(total) > np.pi / 2 * self._thickness:
            return np.full(2, np.nan)
        return np.asarray(np.array([x, y]) / total)
