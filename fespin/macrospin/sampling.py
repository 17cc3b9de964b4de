"""Exact samples of a macrospin's Boltzmann distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ..energy.on_sphere import Array, Pointwise
from ..errors import SolverError
from ..quantities import direction


class Boltzmann:
    """Exact samples of exp(-E/kT) on the sphere, or on a hemisphere, by rejection.

    The sphere is projected on a cube whose faces are cut into squares, finely where the density is large.
    The envelope in a square is the largest of 25 values of the density's logarithm, plus twice what
    their second differences allow between them.

    Parameters
    ----------
    energy
        E/kT.
    hemisphere
        Direction; if given, only u with u.hemisphere > 0 count.
    """

    _FACES = np.stack([s * np.roll(np.eye(3), k, axis=1) for k in range(3) for s in (1, -1)])

    def __init__(self, energy: Pointwise, hemisphere: Sequence[float] | None = None) -> None:
        self.energy = energy
        self.axis = None if hemisphere is None else np.asarray(direction(hemisphere, "langevin", "start"))
        edge = np.linspace(-1, 1, 12, endpoint=False)
        face, a, b = (x.ravel() for x in np.meshgrid(np.arange(6), edge, edge, indexing="ij"))
        cells = self._cells(face, np.stack([a, b], axis=-1), np.full(len(a), edge[1] - edge[0]))
        for _ in range(60):
            face, corner, size, bound, share = cells
            mass = size**2 * np.exp(bound - bound.max())
            waste = mass * (1 - share)
            if waste.sum() < 0.4 * mass.sum():
                break
            order = np.argsort(-waste, kind="stable")
            worst = order[: 1 + np.searchsorted(np.cumsum(waste[order]), 0.8 * waste.sum())]
            half = np.repeat(size[worst] / 2, 4)
            quarter = np.tile([[0, 0], [0, 1], [1, 0], [1, 1]], (len(worst), 1)) * half[:, None]
            finer = self._cells(np.repeat(face[worst], 4), np.repeat(corner[worst], 4, axis=0) + quarter, half)
            cells = [np.concatenate([np.delete(x, worst, axis=0), y]) for x, y in zip(cells, finer, strict=True)]
        self._face, self._corner, self._size, self._bound, share = cells
        mass = self._size**2 * np.exp(self._bound - self._bound.max())
        self._cumulated = np.cumsum(mass) / mass.sum()
        self._acceptance = max(0.05, float(mass @ share / mass.sum()))

    def _directions(self, face: NDArray[np.int_], ab: Array) -> Array:
        x = np.concatenate([np.ones_like(ab[:, :1]), ab], axis=-1)
        u = np.einsum("nk,nki->ni", x, self._FACES[face])
        return np.asarray(u / np.linalg.norm(u, axis=-1, keepdims=True))

    def _log_density(self, u: Array, ab: Array) -> Array:
        """Return the logarithm of the density on the cube's faces."""
        value = -self.energy(u) - 1.5 * np.log1p(np.sum(ab * ab, axis=-1))
        return np.where(np.isnan(value), -np.inf, value)

    def _cells(self, face: NDArray[np.int_], corner: Array, size: Array) -> list[Any]:
        """Return the squares that meet the hemisphere, with the envelope's logarithm and what it accepts."""
        grid = np.stack(np.meshgrid(*[np.linspace(0, 1, 5)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
        points = (corner[:, None] + size[:, None, None] * grid).reshape(-1, 2)
        u = self._directions(np.repeat(face, 25), points)
        inside = np.ones(len(u), dtype=bool) if self.axis is None else u @ self.axis > 0
        inside = inside.reshape(-1, 25)
        # A great circle is straight on a face: a square it cuts has a corner on either side.
        meets = inside.any(axis=1)
        g = self._log_density(u, points).reshape(-1, 5, 5)[meets]
        bends = [np.abs(np.diff(g, 2, axis=k)).max(axis=(1, 2)) for k in (1, 2)]
        bound = g.max(axis=(1, 2)) + (bends[0] + bends[1]) / 2
        share = np.mean(np.exp(g.reshape(-1, 25) - bound[:, None]) * inside[meets], axis=1)
        return [face[meets], corner[meets], size[meets], bound, share]

    def draw(self, random: Generator, n: int) -> Array:
        """Return n directions (n, 3).

        Raises
        ------
        SolverError
            If the energy varies so wildly that the envelope missed a peak of the density.
        """
        accepted, missing = [], n
        while missing > 0:
            tried = int(1.2 * missing / self._acceptance) + 16
            k = np.minimum(np.searchsorted(self._cumulated, random.random(tried), side="right"), len(self._size) - 1)
            ab = self._corner[k] + self._size[k, None] * random.random((tried, 2))
            u = self._directions(self._face[k], ab)
            excess = self._log_density(u, ab) - self._bound[k]
            if (excess > 1e-9).any():
                raise SolverError("langevin: the energy varies too wildly to sample; give equilibrate=False")
            good = np.log1p(-random.random(tried)) < excess
            if self.axis is not None:
                good &= u @ self.axis > 0
            accepted.append(u[good][:missing])
            missing -= len(accepted[-1])
        return np.concatenate(accepted)
