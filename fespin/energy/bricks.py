"""The dipolar field of a box by fast Fourier transforms on equal bricks, for magnetizations on any mesh of the box."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from dolfinx import la
from mpi4py import MPI
from numpy.typing import NDArray
from scipy import fft, sparse

from ..grid import Array, Grid

type Ints = NDArray[np.int64]

_FLAT = 1e-7  # of an edge: how far nodes of a box's face may lie from its plane
_FAR = 12.0  # distance, over the longest edge of a brick, from which quadrature gives the tensor
_PART = 2_000_000  # pairs of a point and a cell that may hold it, examined at once
_POINTS = np.array([-0.5, 0.5]) / math.sqrt(3)  # Gauss's rule in a brick, along each edge


@dataclass(frozen=True)
class Box:
    """A box whose edges are along the axes, cut into equal bricks.

    Attributes
    ----------
    low
        Its lowest corner (3,), in m.
    counts
        Bricks along each axis (3,).
    size
        Edges of a brick (3,), in m.
    """

    low: Array
    counts: tuple[int, int, int]
    size: Array

    @property
    def number(self) -> int:
        """Return how many bricks there are."""
        return math.prod(self.counts)


def box_of(grid: Grid) -> Box | None:
    """Return the box that a mesh fills and bricks about as fine as its cells, or None if it fills none. Collective.

    Where the nodes are those of a regular lattice, the bricks are that lattice's.
    """
    if grid.dim != 3:
        return None
    x = grid.positions[: grid.owned]
    low = np.array([-grid.largest(-x[:, k]) for k in range(3)])
    high = np.array([grid.largest(x[:, k]) for k in range(3)])
    edges = high - low
    # A mesh whose volume is that of its bounding box fills the box, unless cells overlap.
    if not (edges > 0).all() or abs(grid.volume / math.prod(edges) - 1) > _FLAT:
        return None
    cells = grid.totals(float(len(grid.cells)))[0]
    cell = (6 * grid.volume / cells) ** (1 / 3)  # edge of a cube that six cells fill
    coarse = [max(1, round(edge / cell)) for edge in edges]
    planes = [_planes(grid, x[:, k], low[k], edges[k]) for k in range(3)]
    counts = [n - 1 if n else rough for n, rough in zip(planes, coarse, strict=True)]
    if math.prod(counts) > 4 * cells:  # the nodes lie in planes, but are no lattice
        counts = coarse
    return Box(low, (counts[0], counts[1], counts[2]), edges / counts)


def _planes(grid: Grid, x: Array, low: float, edge: float) -> int:
    """Return how many planes at equal distances hold all nodes along an axis, 0 if there are no such planes."""
    most = grid.map.size_global // 4  # a lattice has two nodes or more along the other axes
    levels = np.unique(np.round((x - low) / (edge * _FLAT)).astype(np.int64))
    places = np.unique(np.concatenate(grid.comm.allgather(levels[: most + 1]))).astype(float)
    places = places[np.concatenate([[True], np.diff(places) > 2])]
    count = len(places)
    if not 2 <= count <= most:
        return 0
    return count if np.abs(np.diff(places) * (count - 1) * _FLAT - 1).max() < 1e-4 else 0


class BrickField:
    """The operator P^T V N P m on the nodes of a grid: the mean of m in each brick, their field, and back.

    P takes the mean of m, of first degree in cells, over each brick by Gauss's rule; a uniform m stays uniform. N is
    the exact tensor of the mean field in a brick of a uniformly magnetized one (Newell, Williams and Dunlop), and V
    the volume of a brick. The operator is symmetric whatever P is, and positive as N is.

    Ranks share the transforms by slabs. The constructor is collective, and so is :meth:`__call__`.

    Parameters
    ----------
    grid
        Grid of tetrahedra that fills the box.
    box
        Bricks, :func:`box_of`.

    References
    ----------
    A. J. Newell, W. Williams, D. J. Dunlop, J. Geophys. Res. 98, 9551 (1993).
    """

    def __init__(self, grid: Grid, box: Box) -> None:
        self.box, self._grid = box, grid
        self._sum = la.vector(grid.map, 3)
        self._volume = float(np.prod(box.size))
        self._mean = _means(grid, box)
        self._back = self._mean.T.tocsr()
        self._convolution = Convolution(grid.comm, box)

    def __call__(self, m: Array) -> Array:
        """Return P^T V N P m at this rank's own nodes (owned, 3), in m3; m there (owned, 3)."""
        means = (self._mean @ self._grid.seen(m)).T.reshape(3, *self.box.counts)
        pulled = self._back @ (self._volume * self._convolution(means).reshape(3, -1).T)
        if self._grid.comm.size == 1:
            return np.asarray(pulled)
        self._sum.array[:] = pulled.ravel()
        self._sum.scatter_reverse(la.InsertMode.add)
        return np.array(self._sum.array[: 3 * self._grid.owned].reshape(-1, 3))


class Convolution:
    """N * M on a box of bricks, M being what all ranks add together. Collective.

    The box is cut into slabs across x for the transforms along z and y, and spectra are cut across y for those along x.
    Spectra of the tensor are real, as each element is even or odd along each axis.
    """

    def __init__(self, comm: MPI.Comm, box: Box) -> None:
        self._comm, self.counts = comm, box.counts
        self._padded = tuple(fft.next_fast_len(2 * n, real=True) if n > 1 else 1 for n in box.counts)
        nx, ny, nz = self._padded
        self._slabs = _shares(box.counts[0], comm.size)
        self._bands = _shares(ny, comm.size)
        band = slice(*self._bands[comm.rank : comm.rank + 2])
        # The tensor at displacements up to the opposite corner, mirrored into the padding, then transformed.
        axes = [np.arange(n + 1 if n > 1 else 1) for n in (k // 2 for k in self._padded)]
        table = demagnetizing_tensor(axes, box.size)
        self._spectra = np.empty((6, nx, band.stop - band.start, nz // 2 + 1))
        for k, (i, j) in enumerate(PAIRS):
            odd = [i != j and axis in (i, j) for axis in range(3)]
            whole = table[k]
            for axis in range(3):
                whole = _mirrored(whole, axis, self._padded[axis], odd[axis])
            spectrum = fft.fft(fft.fft(fft.rfft(whole, axis=2), axis=1)[:, band], axis=0)
            self._spectra[k] = spectrum.real

    def __call__(self, m: Array) -> Array:
        """Return the field -H of the sum over ranks of m (3, nx, ny, nz), everywhere on each rank, in units of M."""
        comm, (nx, ny, nz), (px, py, pz) = self._comm, self.counts, self._padded
        if comm.size > 1:
            m = self._reduced(m)
        f = fft.fft(fft.rfft(m, n=pz, axis=3), n=py, axis=2)
        if comm.size > 1:
            f = self._exchanged(f, self._slabs, self._bands, (1, 2))
        f = fft.fft(f, n=px, axis=1, overwrite_x=True)
        out = np.empty_like(f)
        for i in range(3):
            out[i] = sum(self._spectra[PAIRS.index((min(i, j), max(i, j)))] * f[j] for j in range(3))
        out = fft.ifft(out, axis=1, overwrite_x=True)[:, :nx]
        if comm.size > 1:
            out = self._exchanged(out, self._bands, self._slabs, (2, 1))
        out = fft.irfft(fft.ifft(out, axis=2)[:, :, :ny], n=pz, axis=3)[..., :nz]
        if comm.size == 1:
            return np.asarray(out)
        whole = np.empty((nx, 3, ny, nz))
        counts = np.diff(self._slabs) * (3 * ny * nz)
        comm.Allgatherv(np.ascontiguousarray(out.swapaxes(0, 1)), [whole, counts])
        return whole.swapaxes(0, 1)

    def _reduced(self, m: Array) -> Array:
        """Return this rank's slab of the sum over ranks."""
        _, ny, nz = self.counts
        counts = np.diff(self._slabs)
        mine = np.empty((counts[self._comm.rank], 3, ny, nz))
        sizes = [3 * ny * nz * int(n) for n in counts]
        self._comm.Reduce_scatter(np.ascontiguousarray(m.swapaxes(0, 1)), mine, sizes, MPI.SUM)
        return mine.swapaxes(0, 1)

    def _exchanged(self, f: Any, old: Ints, new: Ints, axes: tuple[int, int]) -> Any:
        """Return values that are cut across the second axis, from those that are cut across the first one."""
        cut, whole = axes
        parts = np.split(f, new[1:-1], axis=whole)
        sent = np.concatenate([part.ravel() for part in parts])
        rank = self._comm.rank
        shapes = []
        for k in range(self._comm.size):
            shape = list(f.shape)
            shape[cut], shape[whole] = old[k + 1] - old[k], new[rank + 1] - new[rank]
            shapes.append(tuple(shape))
        sizes = [math.prod(shape) for shape in shapes]
        got = np.empty(sum(sizes), dtype=complex)
        self._comm.Alltoallv([sent, [part.size for part in parts]], [got, sizes])
        pieces = np.split(got, np.cumsum(sizes)[:-1])
        return np.concatenate([p.reshape(s) for p, s in zip(pieces, shapes, strict=True)], axis=cut)


PAIRS = [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]
"""Components of the tensor in the order of tables and spectra."""


def _shares(n: int, ranks: int) -> Ints:
    """Return where each rank's part of n items begins, and the end (ranks + 1,)."""
    return np.asarray(np.arange(ranks + 1) * n // ranks, dtype=np.int64)


def _mirrored(table: Array, axis: int, padded: int, odd: bool) -> Array:
    """Return a table of displacements 0, 1, ... extended to negative ones, which stand at the end."""
    if padded == 1:
        return table
    forward = np.take(table, range(padded // 2 + 1), axis=axis)
    back = np.flip(np.take(table, range(1, (padded + 1) // 2), axis=axis), axis=axis)
    if odd and padded % 2 == 0:
        # Half-way around, both signs share one entry; no two bricks are that far apart.
        middle: list[Any] = [slice(None)] * 3
        middle[axis] = padded // 2
        forward[tuple(middle)] = 0.0
    return np.concatenate([forward, -back if odd else back], axis=axis)


def demagnetizing_tensor(places: list[Ints], size: Array) -> Array:
    """Return the tensor between two equal bricks (6, n0, n1, n2), a field being -N M; components as in `PAIRS`.

    N is the mean over one brick of the field of the other: the second differences along all axes of Newell's
    functions, which lose digits as the sixth power of the distance. Far bricks have the integral itself,
    N_ij = int L(u) (delta_ij/r^3 - 3 r_i r_j/r^5) V/(4 pi) du, r being the displacement plus u, by Gauss's rule for
    the weight L, which falls to zero linearly along each edge. From a distance of 12 edges its error is about 1e-10.

    Parameters
    ----------
    places
        Displacements in bricks, along each axis: 0, 1, ..., in increasing order.
    size
        Edges of a brick (m).

    Examples
    --------
    >>> from fespin.energy.bricks import demagnetizing_tensor
    >>> alone = demagnetizing_tensor([np.array([0])] * 3, np.array([1e-9, 1e-9, 1e-9]))
    >>> print(alone[:, 0, 0, 0].round(12))  # the factors of a cube
    [0.33333333 0.33333333 0.33333333 0.         0.         0.        ]
    """
    unit = size / size.max()
    near = [p[p * h <= _FAR + 2] for p, h in zip(places, unit, strict=True)]
    out = _far(places, unit)
    # Second differences need one more displacement on each side.
    ax = [np.arange(-1, int(p[-1]) + 2) * h for p, h in zip(near, unit, strict=True)]
    x, y, z = np.meshgrid(*ax, indexing="ij", sparse=True)
    inside = tuple(slice(len(p)) for p in near)
    d = np.meshgrid(*(p * h for p, h in zip(near, unit, strict=True)), indexing="ij", sparse=True)
    close = d[0] ** 2 + d[1] ** 2 + d[2] ** 2 <= _FAR**2
    sets: list[Any] = [(x, y, z), (y, x, z), (z, y, x), (x, y, z), (x, z, y), (y, z, x)]
    for k, args in enumerate(sets):
        table = (_newell_f if k < 3 else _newell_g)(*args) / (-4 * np.pi * np.prod(unit))
        for axis in range(3):
            table = np.diff(table, 2, axis=axis)
        out[k][inside] = np.where(close, table, out[k][inside])
    return out


def _far(places: list[Ints], unit: Array) -> Array:
    """Return the tensor by Gauss's rule of three points along each edge."""
    out = np.zeros((6, *(len(p) for p in places)))
    away, weights = (-math.sqrt(0.4), 0.0, math.sqrt(0.4)), (5 / 24, 7 / 12, 5 / 24)
    for index in itertools.product(range(3), repeat=3):
        r = np.meshgrid(*((p + away[i]) * h for p, h, i in zip(places, unit, index, strict=True)),
                        indexing="ij", sparse=True)  # fmt: skip
        square = r[0] ** 2 + r[1] ** 2 + r[2] ** 2
        factor = math.prod(weights[i] for i in index) * np.prod(unit) / (4 * np.pi)
        with np.errstate(divide="ignore", invalid="ignore"):
            cube = factor * square**-1.5
            for k, (i, j) in enumerate(PAIRS):
                out[k] += (i == j) * cube - 3 * cube * r[i] * r[j] / square
    return out


def _over(a: Any, b: Any) -> Any:
    """Return a/b, 0 where b is 0."""
    a, b = np.broadcast_arrays(a, b)
    return np.divide(a, b, out=np.zeros(a.shape), where=b != 0)


def _newell_f(x: Any, y: Any, z: Any) -> Any:
    """Return Newell's f, the integral behind the diagonal of the tensor."""
    x2, y2, z2 = x * x, y * y, z * z
    r = np.sqrt(x2 + y2 + z2)
    return (
        y / 2 * (z2 - x2) * np.arcsinh(_over(y, np.sqrt(x2 + z2)))
        + z / 2 * (y2 - x2) * np.arcsinh(_over(z, np.sqrt(x2 + y2)))
        - x * y * z * np.arctan(_over(y * z, x * r))
        + (2 * x2 - y2 - z2) * r / 6
    )


def _newell_g(x: Any, y: Any, z: Any) -> Any:
    """Return Newell's g, the integral behind the rest of the tensor."""
    x2, y2, z2 = x * x, y * y, z * z
    r = np.sqrt(x2 + y2 + z2)
    return (
        x * y * z * np.arcsinh(_over(z, np.sqrt(x2 + y2)))
        + y / 6 * (3 * z2 - y2) * np.arcsinh(_over(x, np.sqrt(y2 + z2)))
        + x / 6 * (3 * z2 - x2) * np.arcsinh(_over(y, np.sqrt(x2 + z2)))
        - z * z2 / 6 * np.arctan(_over(x * y, z * r))
        - z * y2 / 2 * np.arctan(_over(x * z, y * r))
        - z * x2 / 2 * np.arctan(_over(y * z, x * r))
        - x * y * r / 3
    )


def _means(grid: Grid, box: Box) -> sparse.csr_matrix:
    """Return the matrix (bricks, nodes) of this rank's part of the mean of a function in each brick. Collective."""
    counts = 2 * np.array(box.counts)
    parts = list(_located(grid, box))
    # A point on a face between cells is counted once, by one rank; a function has the same value in both cells.
    point, first = np.unique(np.concatenate([p for p, _, _ in parts]), return_index=True)
    cell = np.concatenate([c for _, c, _ in parts])[first]
    value = np.concatenate([v for _, _, v in parts])[first]
    if grid.comm.size > 1:
        ranks = np.full(int(counts.prod()), grid.comm.size, dtype=np.int32)
        ranks[point] = grid.comm.rank
        grid.comm.Allreduce(MPI.IN_PLACE, ranks, MPI.MIN)
        mine = ranks[point] == grid.comm.rank
        point, cell, value = point[mine], cell[mine], value[mine]
    at = np.stack(np.unravel_index(point, tuple(counts)), axis=1) // 2
    brick = np.ravel_multi_index(tuple(at.T), box.counts)
    # Eight points in each brick; fewer if rounding leaves one of them outside of all cells.
    number = np.bincount(brick, minlength=box.number).astype(float)
    if grid.comm.size > 1:
        grid.comm.Allreduce(MPI.IN_PLACE, number, MPI.SUM)
    rows = np.broadcast_to(brick[:, None], value.shape).ravel()
    entries = (value / number[brick][:, None]).ravel()
    shape = (box.number, len(grid.positions))
    return sparse.csr_matrix((entries, (rows, grid.cells[cell].ravel())), shape=shape)


def _located(grid: Grid, box: Box) -> Iterator[tuple[Ints, Ints, Array]]:
    """Yield points of the bricks' rule in this rank's cells: their numbers, cells, and values of basis functions."""
    counts, half = 2 * np.array(box.counts), box.size / 2
    corners = grid.positions[grid.cells]
    # A point lies within 0.08 of the middle of its half of a brick.
    low = np.ceil((corners.min(axis=1) - box.low) / half - 0.58).astype(np.int64)
    high = np.floor((corners.max(axis=1) - box.low) / half - 0.42).astype(np.int64) + 1
    low, high = np.clip(low, 0, counts), np.clip(high, 0, counts)
    spans = high - low
    size = spans.prod(axis=1)
    parts = np.searchsorted(np.cumsum(size), np.arange(_PART, size.sum(), _PART))
    for these in np.split(np.arange(len(size)), parts):
        cell = np.repeat(these, size[these])
        offset = np.arange(len(cell)) - np.repeat(np.cumsum(size[these]) - size[these], size[these])
        _, ny, nz = spans[cell].T
        index = low[cell] + np.stack([offset // (ny * nz), offset // nz % ny, offset % nz], axis=1)
        x = box.low + (index // 2 + 0.5 + _POINTS[index % 2]) * box.size
        value = np.einsum("pai,pi->pa", grid.slopes[cell], x - grid.positions[grid.cells[cell, 0]])
        value[:, 0] += 1.0
        inside = value.min(axis=1) > -1e-8
        yield np.ravel_multi_index(tuple(index[inside].T), tuple(counts)), cell[inside], value[inside]
