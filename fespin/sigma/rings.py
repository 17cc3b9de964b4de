"""Matrices over rings of equally spaced angles, one ring at each node of the polar angle, and their factors.

Within a cell of the polar angle all unknowns are coupled: a dense block. Unknowns inside a cell are eliminated in it,
all cells at once; what is left, the rings where cells meet, is a banded matrix. A pole is a ring that is one unknown:
the matrix of its cell is folded, so that the sums over the ring's places stand in the first one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import get_lapack_funcs

from ..energy.on_sphere import Array
from ..errors import SolverError
from ..petsc import Options
from .matrix import Vector

_ADVICE = "the stationary or shifted equation is singular; try another mesh or method = 'sphere'"


@dataclass(frozen=True)
class Rings:
    """Numbering of the unknowns: pole, rings from one pole to the other, pole.

    Attributes
    ----------
    cells, degree
        Cells of the polar angle and the degree of their polynomials.
    around
        Angles of a ring.
    """

    cells: int
    degree: int
    around: int

    @property
    def count(self) -> int:
        """Return the number of nodes of the polar angle, poles included."""
        return self.cells * self.degree + 1

    @property
    def size(self) -> int:
        """Return the number of unknowns."""
        return 2 + (self.count - 2) * self.around

    @cached_property
    def of_cells(self) -> NDArray[np.int_]:
        """Return the unknowns of each cell, ring by ring (cells, (degree + 1) around); a pole's stand many times."""
        number = np.empty((self.count, self.around), dtype=int)
        number[0], number[-1] = 0, self.size - 1
        number[1:-1] = 1 + np.arange(self.size - 2).reshape(-1, self.around)
        rings = np.arange(self.cells)[:, None] * self.degree + np.arange(self.degree + 1)
        return number[rings].reshape(self.cells, -1)

    def sum(self, local: Vector) -> Vector:
        """Add up values of cells (cells, (degree + 1) around) to those of unknowns (size,)."""
        parts = local.reshape(self.cells, self.degree + 1, self.around)
        full = np.zeros((self.count, self.around), dtype=local.dtype)
        full[:-1].reshape(self.cells, self.degree, self.around)[:] = parts[:, :-1]
        full[self.degree :: self.degree] += parts[:, -1]
        return np.concatenate([[full[0].sum()], full[1:-1].ravel(), [full[-1].sum()]])

    def rings_of(self, x: Vector) -> Vector:
        """Return unknowns ring by ring (count, around); a pole's stands in the first place, with zeros beside it."""
        full = np.zeros((self.count, self.around), dtype=x.dtype)
        full[0, 0], full[-1, 0] = x[0], x[-1]
        full[1:-1] = x[1:-1].reshape(-1, self.around)
        return full

    def unknowns_of(self, full: Vector) -> Vector:
        """Return the unknowns (size,) of rings (count, around), as :meth:`rings_of` arranges them."""
        return np.concatenate([full[0, :1], full[1:-1].ravel(), full[-1, :1]])


class RingMatrix:
    """A matrix by its cells.

    Parameters
    ----------
    rings
        Numbering of the unknowns.
    data
        Matrices of the cells (cells, n, n), which are changed in place.
    folded
        Whether the poles' rings are one unknown already.
    thin
        If each cell's matrix is the product of one for the polar angle and the identity around the axis: the former
        (cells, m, m). Products with vectors are cheap then.
    """

    def __init__(self, rings: Rings, data: Vector, *, folded: bool = False, thin: Array | None = None) -> None:
        self.rings, self.data, self._thin = rings, data, thin
        self._left: Array = np.ones(1)
        self._right: Array = np.ones(1)
        if not folded:
            for cell, first in ((0, 0), (-1, rings.degree * rings.around)):
                ring, block = slice(first, first + rings.around), data[cell]
                total = block[ring].sum(axis=0)
                block[ring] = 0.0
                block[first] = total
                column = block[:, ring].sum(axis=1)
                block[:, ring] = 0.0
                block[:, first] = column

    def apply(self, x: Vector) -> Vector:
        """Return the product with a vector (size,)."""
        rings = self.rings
        if self._thin is None:
            return rings.sum(np.matmul(self.data, x[rings.of_cells][:, :, None])[:, :, 0])
        parts = (self._right * x)[rings.of_cells].reshape(rings.cells, rings.degree + 1, rings.around)
        return self._left * rings.sum(np.matmul(self._thin, parts).reshape(rings.cells, -1))

    def diagonal(self) -> Array:
        """Return the diagonal (size,)."""
        return self.rings.sum(np.diagonal(self.data, axis1=1, axis2=2))

    def norm(self) -> float:
        """Return the root of the sum of squares of the cells' entries."""
        return float(np.linalg.norm(self.data))

    def rescale(self, left: Array, right: Array) -> None:
        """Multiply rows and columns by numbers (size,)."""
        at = self.rings.of_cells
        self.data *= left[at][:, :, None]
        self.data *= right[at][:, None, :]
        self._left, self._right = self._left * left, self._right * right

    def combined(self, own: complex, other: RingMatrix, factor: complex) -> RingMatrix:
        """Return own times this matrix plus a factor times another one."""
        return RingMatrix(self.rings, own * self.data + factor * other.data, folded=True)

    def copy(self) -> RingMatrix:
        """Return a copy."""
        out = RingMatrix(self.rings, self.data.copy(), folded=True, thin=self._thin)
        out._left, out._right = self._left, self._right
        return out

    def pin(self, rows: NDArray[np.int_]) -> None:
        """Replace some rows by those of the identity."""
        at = self.rings.of_cells
        chosen = np.zeros(self.rings.size, dtype=bool)
        chosen[rows] = True
        self.data[chosen[at]] = 0.0
        # The first place at which each unknown stands.
        first = np.unique(at.ravel(), return_index=True)[1][np.flatnonzero(chosen)]
        cell, place = np.divmod(first, at.shape[1])
        self.data[cell, place, place] = 1.0
        self._thin = None

    def factor(self, options: Options | None = None) -> RingFactor:
        """Return the factors."""
        return RingFactor(self)

    def solved(self, b: Array, options: Options | None = None) -> Array:
        """Return the solutions for a few right-hand sides (size, k), for less than factors cost."""
        rings, data = self.rings, self.data
        degree, cells = rings.degree, rings.cells
        inner, ends = _parts(rings)
        full = np.stack([rings.rings_of(column) for column in b.T], axis=-1)  # (count, around, k)
        inside = full[:-1].reshape(cells, degree, rings.around, -1)[:, 1:].reshape(cells, -1, b.shape[1])
        coupling, back = data[:, inner][:, :, ends], data[:, ends][:, :, inner]
        try:
            both = np.linalg.solve(data[:, inner, inner], np.concatenate([coupling, inside], axis=2))
        except np.linalg.LinAlgError as error:
            raise SolverError(f"sphere: {_ADVICE}") from error
        right, passed = both[:, :, : len(ends)], both[:, :, len(ends) :]
        edge = _edge(rings, full, np.matmul(back, passed))
        edge = _Band(rings, data[:, ends][:, :, ends] - back @ right).solve(edge)
        out = _joined(rings, full, edge, passed - np.matmul(right, _facing(edge)))
        return np.stack([rings.unknowns_of(out[:, :, i]) for i in range(b.shape[1])], axis=1)

    def shifted(self, mass: RingMatrix, z: complex, options: Options | None = None) -> RingFactor:
        """Return the factors of this matrix minus z times another."""
        return RingFactor(self.combined(1.0, mass, -z))

    def destroy(self) -> None:
        """Do nothing: the memory is Python's."""


class RingFactor:
    """The factors of a matrix over rings.

    Raises
    ------
    SolverError
        If the matrix is singular.
    """

    def __init__(self, matrix: RingMatrix) -> None:
        begin = time.perf_counter()
        rings, data = matrix.rings, matrix.data
        self._rings = rings
        inner, ends = _parts(rings)
        try:
            # Solving with the identity beside the coupling costs the same.
            self._inverse = np.linalg.inv(data[:, inner, inner])
        except np.linalg.LinAlgError as error:
            raise SolverError(f"sphere: {_ADVICE}") from error
        self._right = self._inverse @ data[:, inner][:, :, ends]
        back = data[:, ends][:, :, inner]
        self._left = back @ self._inverse
        self._band = _Band(rings, data[:, ends][:, :, ends] - back @ self._right)
        self.solves = 0
        self.seconds = time.perf_counter() - begin

    @property
    def memory(self) -> float:
        """Return how many bytes the factors take."""
        return float(sum(x.nbytes for x in (self._inverse, self._right, self._left, self._band.lu)))

    def solve(self, b: Vector) -> Vector:
        """Return the solution for a right-hand side (size,)."""
        return self._run(b, self._inverse, self._left, self._right, 0)

    def solve_transposed(self, b: Vector) -> Vector:
        """Return the solution with the transposed matrix."""
        inverse, left, right = (np.swapaxes(x, 1, 2) for x in (self._inverse, self._right, self._left))
        return self._run(b, inverse, left, right, 1)

    def _run(self, b: Vector, inverse: Vector, left: Vector, right: Vector, transposed: int) -> Vector:
        rings = self._rings
        full = rings.rings_of(b)[:, :, None]
        inside = full[:-1, :, 0].reshape(rings.cells, rings.degree, rings.around)[:, 1:].reshape(rings.cells, -1, 1)
        edge = self._band.solve(_edge(rings, full, np.matmul(left, inside)), transposed)
        self.solves += 1
        inside = np.matmul(inverse, inside) - np.matmul(right, _facing(edge))
        return rings.unknowns_of(_joined(rings, full, edge, inside)[:, :, 0])

    def destroy(self) -> None:
        """Do nothing: the memory is Python's."""


class _Band:
    """The factors of the matrix of the rings where cells meet (cells, 2 around, 2 around)."""

    def __init__(self, rings: Rings, condensed: Vector) -> None:
        around, size = rings.around, (rings.cells + 1) * rings.around
        self._width = 2 * around - 1
        band: Vector = np.zeros((3 * self._width + 1, size), dtype=condensed.dtype, order="F")
        place = np.arange(2 * around)
        rows, columns = np.repeat(place, 2 * around), np.tile(place, 2 * around)
        for k, block in enumerate(condensed):
            band[2 * self._width + rows - columns, k * around + columns] += block.ravel()
        # The places of the poles' rings that hold nothing.
        empty = np.r_[1:around, size - around + 1 : size]
        band[2 * self._width, empty] = 1.0
        factorize, self._solve = get_lapack_funcs(("gbtrf", "gbtrs"), (band,))
        self.lu, self._pivots, info = factorize(band, self._width, self._width, overwrite_ab=True)
        if info != 0 or not np.isfinite(self.lu).all():
            raise SolverError(f"sphere: {_ADVICE}")

    def solve(self, edge: Vector, transposed: int = 0) -> Vector:
        """Return the solutions for right-hand sides by ring (cells + 1, around, k)."""
        found: Any = self._solve(
            self.lu, self._width, self._width, edge.reshape(-1, edge.shape[2]), self._pivots, trans=transposed
        )[0]
        if not np.isfinite(found).all():
            raise SolverError(f"sphere: {_ADVICE}")
        return np.asarray(found).reshape(edge.shape)


def _parts(rings: Rings) -> tuple[slice, NDArray[np.int_]]:
    """Return which unknowns of a cell lie inside it, and which on the rings at its ends."""
    around, last = rings.around, rings.degree * rings.around
    return slice(around, last), np.r_[0:around, last : last + around]


def _edge(rings: Rings, full: Vector, passed: Vector) -> Vector:
    """Return what is left of right-hand sides (count, around, k) where cells meet (cells + 1, around, k)."""
    edge = full[:: rings.degree].copy()
    edge[:-1] -= passed[:, : rings.around]
    edge[1:] -= passed[:, rings.around :]
    return edge


def _facing(edge: Vector) -> Vector:
    """Return the values on both ends of each cell (cells, 2 around, k)."""
    return np.concatenate([edge[:-1], edge[1:]], axis=1)


def _joined(rings: Rings, full: Vector, edge: Vector, inside: Vector) -> Vector:
    """Return values on all rings (count, around, k) from those where cells meet and those inside."""
    out = np.empty_like(full, dtype=edge.dtype)
    out[:: rings.degree] = edge
    out[:-1].reshape(rings.cells, rings.degree, rings.around, -1)[:, 1:] = inside.reshape(
        rings.cells, rings.degree - 1, rings.around, edge.shape[2]
    )
    return out
