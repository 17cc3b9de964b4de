"""The double layer on a surface of many nodes: exact near by, of low rank between parts that are far from each other.

Nodes are ordered by bisection, so that each part of the surface, a cluster, is a range of them. A block of the matrix
between two clusters whose distance is not small against one of them has a low rank; adaptive cross approximation finds
its factors from a few of its rows and columns (M. Bebendorf, Numer. Math. 86, 565 (2000)). Blocks between nodes of the
same plane are zero.

Clusters and blocks depend on places alone, not on how nodes are numbered or shared by ranks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from scipy import sparse

from ..errors import InputError
from ..grid import Array
from .surface import Shape, Surface

type Ints = NDArray[np.int64]

_LEAF = 64  # nodes of the smallest clusters
_WIDE = 2.0  # width of the smaller cluster over the distance, up to which a block is far
_MOST = 80  # largest rank of a block
_PAIRS = 16_000  # points and triangles that are integrated at once: what a cache holds
_BATCH = 4_000_000  # numbers of blocks that are approximated at once
_SAMPLES = 12  # rows in which the error is measured


@dataclass
class Far:
    """Blocks of low rank, (rows, columns) ~ left right, padded to one size.

    Attributes
    ----------
    rows, columns
        Nodes (b, m) and (b, n); unused places hold the number of all nodes, which is no node.
    left, right
        Factors (b, m, k) and (b, k, n).
    """

    rows: Ints
    columns: Ints
    left: Array
    right: Array

    def add(self, g: Array, f: Array, straight: Array, back: Array) -> None:
        """Add the product with g to `straight`, and that of the transpose with f to `back`."""
        t = np.matmul(self.right, g[self.columns][..., None])
        straight += _scattered(self.rows, np.matmul(self.left, t)[..., 0], len(g))
        t = np.matmul(f[self.rows][:, None], self.left)
        back += _scattered(self.columns, np.matmul(t, self.right)[:, 0], len(g))

    @property
    def nbytes(self) -> int:
        """Return the memory they take."""
        return self.rows.nbytes + self.columns.nbytes + self.left.nbytes + self.right.nbytes


@dataclass
class Near:
    """Blocks with all their entries, padded to one size; as :class:`Far`, with `entries` (b, m, n)."""

    rows: Ints
    columns: Ints
    entries: Array

    def add(self, g: Array, f: Array, straight: Array, back: Array) -> None:
        """Add the product with g to `straight`, and that of the transpose with f to `back`."""
        straight += _scattered(self.rows, np.matmul(self.entries, g[self.columns][..., None])[..., 0], len(g))
        back += _scattered(self.columns, np.matmul(f[self.rows][:, None], self.entries)[:, 0], len(g))

    @property
    def nbytes(self) -> int:
        """Return the memory they take."""
        return self.rows.nbytes + self.columns.nbytes + self.entries.nbytes


def _scattered(places: Ints, values: Array, count: int) -> Array:
    return np.asarray(np.bincount(places.ravel(), values.ravel(), minlength=count), dtype=float)


class HierarchicalLayer:
    """The matrix of :meth:`Surface.double_layer`, compressed; ranks share its blocks. Collective throughout.

    Parameters
    ----------
    surface
        Surface.
    tolerance
        Error allowed in each far block, relative to its Frobenius norm.
    memory
        Bytes that all ranks together may take.

    Attributes
    ----------
    error
        Measured error of some rows against the exact ones: the root of the mean square, relative to that of the rows.
    nbytes
        Memory that all ranks together take.

    Raises
    ------
    InputError
        If it takes more memory than it may.
    """

    def __init__(self, surface: Surface, tolerance: float, memory: float) -> None:
        self._surface, self._comm = surface, surface.comm
        self._kernel = kernel = _Kernel(surface)
        self._count = len(surface)
        tree = _Tree(kernel)
        blocks = tree.blocks()
        # Blocks are dealt to the ranks in turn, the largest first.
        comm = self._comm
        (far_a, far_b), (near_a, near_b) = ((a[comm.rank :: comm.size], b[comm.rank :: comm.size]) for a, b in blocks)
        self._parts: list[Far | Near] = []
        mine, allowed = 0, memory / comm.size
        full = False
        for group in tree.grouped(near_a, near_b):
            if not full:
                self._parts.append(_exact(kernel, tree, *group))
                mine += self._parts[-1].nbytes
                full = mine > allowed
        for group in tree.grouped(far_a, far_b):
            if not full:
                for part in _approximated(kernel, tree, *group, tolerance):
                    self._parts.append(part)
                    mine += part.nbytes
                full = mine > allowed
        self.nbytes = int(comm.allreduce(mine))
        if comm.allreduce(full, MPI.LOR):
            raise InputError(
                f"texture: the boundary elements of {self._count} nodes on the surface, compressed to a tolerance of "
                f"{tolerance:.3g}, take more than the allowed memory={memory:.3g} bytes; use a coarser mesh, or a "
                "larger tolerance"
            )
        # Each row of the exact matrix adds up to -1, from which the solid angles follow.
        self._diagonal: Array = np.zeros(self._count + 1)
        ones = np.append(np.ones(self._count), 0.0)
        self._diagonal = np.asarray(-1 - self._both(ones, ones)[0])
        self._diagonal[-1] = 0.0
        self.error = self._measured()

    def _both(self, g: Array, f: Array) -> tuple[Array, Array]:
        """Return L g and L^T f, both (n + 1,), in the order of the tree."""
        both = np.zeros((2, self._count + 1))
        for part in self._parts:
            part.add(g, f, *both)
        if self._comm.size > 1:
            self._comm.Allreduce(MPI.IN_PLACE, both)
        both += self._diagonal * np.stack([g, f])
        return both[0], both[1]

    def products(self, values: Array, load: Array) -> tuple[Array, Array]:
        """Return L g and L^T f at this rank's own nodes of the surface, of g and f there (own,)."""
        surface, order = self._surface, self._kernel.order
        g, f = (np.append(surface.collected(v)[order], 0.0) for v in (values, load))
        out = np.empty((2, self._count))
        out[:, order] = np.stack(self._both(g, f))[:, :-1]
        return out[0, surface.rows], out[1, surface.rows]

    def _measured(self) -> float:
        """Return the error of some rows."""
        kernel, n = self._kernel, self._count
        rows = np.unique(np.linspace(0, n - 1, _SAMPLES).astype(np.int64))
        wrong = size = 0.0
        for row in rows:
            f = np.zeros(n + 1)
            f[row] = 1.0
            approximate = self._both(np.zeros(n + 1), f)[1][:n]
            exact = kernel.row(row)
            exact[row] -= 1 + exact.sum()
            wrong, size = wrong + ((approximate - exact) ** 2).sum(), size + (exact * exact).sum()
        return float(np.sqrt(wrong / size))


class _Kernel:
    """Entries of the double layer, nodes being in the order of the tree.

    Attributes
    ----------
    order
        Place among the surface's nodes of each node (n,).
    x
        Places (n, 3).
    triangles
        Corners (t, 3).
    plane
        Number of the plane in which all triangles of a node lie, -1 if they lie in several (n,).
    touching
        Triangles of each node, as a sparse matrix (n, t): the number, from 1, of the corner that is the node.
    """

    def __init__(self, surface: Surface) -> None:
        # An order that depends on places alone: entries are then the same, to rounding, for any number of ranks.
        first = np.lexsort(_rounded(surface.scaled).T[::-1])
        x = surface.scaled[first]
        corners = np.argsort(first)[surface.triangles]
        turn = (np.argmin(corners, axis=1)[:, None] + np.arange(3)) % 3
        corners = np.take_along_axis(corners, turn, axis=1)
        corners = corners[np.lexsort(corners.T[::-1])]
        plane = _planes(x, corners, Shape.of(x, corners).normal)
        inner = _bisected(x, plane)
        self.order: Ints = first[inner]
        self.x, self.plane = x[inner], plane[inner]
        self.triangles: Ints = np.argsort(inner)[corners]
        self._shape = Shape.of(self.x, self.triangles)
        t = len(corners)
        rows, columns = self.triangles.ravel(), np.repeat(np.arange(t), 3)
        self.touching = sparse.csr_matrix((np.tile([1, 2, 3], t), (rows, columns)), shape=(len(x), t))
        self.touching.sort_indices()

    def integrals(self, points: Ints, triangles: Ints) -> Array:
        """Return int b_k z/r^3 dS/(4 pi) for pairs of nodes and triangles (p,), for each corner k (3, p)."""
        out = np.empty((3, len(points)))
        for begin in range(0, len(points), _PAIRS):
            here = slice(begin, begin + _PAIRS)
            self._integrals(points[here], triangles[here], out[:, here])
        return out

    def _integrals(self, points: Ints, triangles: Ints, out: Array) -> None:
        s = self._shape
        y = self.x[points]
        d = s.corners[triangles] - y[:, None]
        r = np.sqrt(np.einsum("pki,pki->pk", d, d)).T
        lengths = s.lengths[triangles].T
        height = -np.einsum("pi,pi->p", s.normal[triangles], d[:, 0])
        (ra, rb, rc), (sab, sbc, sca) = r, lengths * lengths
        near = np.minimum(np.minimum(ra, rb), rc) < 1e-12
        below = ra * rb * rc
        below += ((ra * ra + rb * rb - sab) * rc + (rb * rb + rc * rc - sbc) * ra + (rc * rc + ra * ra - sca) * rb) / 2
        angle = 2 * np.arctan2(s.twice[triangles] * height, below)
        both = np.stack([ra + rb, rb + rc, rc + ra])
        # A triangle is seen edge-on from its own corners, and from points in the continuation of an edge.
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log((both + lengths) / (both - lengths))
        if near.any():
            angle[near], height[near] = 0.0, 0.0
        if not np.isfinite(logs.sum()):
            logs[~np.isfinite(logs)] = 0.0
        value = np.einsum("pki,pi->kp", s.slope[triangles], y) + s.start[triangles].T
        out[:] = value * angle - height * np.einsum("pkj,jp->kp", s.mixed[triangles], logs)
        out /= 4 * np.pi

    def row(self, point: int) -> Array:
        """Return a row of the matrix (n,), without the solid angle."""
        t = len(self.triangles)
        values = self.integrals(np.full(t, point), np.arange(t))
        return _scattered(self.triangles.T, values, len(self.x))


def _rounded(x: Array, parts: float = 1e9) -> Ints:
    """Return numbers in parts of one. The offset keeps simple fractions away from where rounding goes up or down."""
    return np.asarray(np.floor(x * parts + 0.2357), dtype=np.int64)


def _planes(x: Array, triangles: Ints, normal: Array) -> Ints:
    """Return the number of the plane in which all triangles of a node lie (n,), -1 for several or small ones."""
    offset = np.einsum("ti,ti->t", normal, x[triangles[:, 0]])
    keys = _rounded(np.column_stack([normal, offset]), 1e6)
    _, number = np.unique(keys, axis=0, return_inverse=True)
    number = number.ravel()
    low, high = np.full(len(x), len(number)), np.full(len(x), -1)
    for corner in triangles.T:
        np.minimum.at(low, corner, number)
        np.maximum.at(high, corner, number)
    plane = np.where(low == high, low, -1)
    sizes = np.bincount(plane[plane >= 0], minlength=len(number) + 1)
    plane[(plane >= 0) & (sizes[plane] < _LEAF)] = -1
    return np.asarray(plane, dtype=np.int64)


def _bisected(x: Array, plane: Ints) -> Ints:
    """Return an order of nodes in which each cluster of the tree is a range: plane by plane, halves by halves."""
    return np.concatenate([_halves(x, np.flatnonzero(plane == p)) for p in np.unique(plane)])


def _halves(x: Array, nodes: Ints) -> Ints:
    if len(nodes) <= _LEAF:
        return nodes
    axis = int(np.argmax(_rounded(np.ptp(x[nodes], axis=0))))
    # Ties keep the present order, which depends on places alone.
    nodes = nodes[np.argsort(_rounded(x[nodes, axis]), kind="stable")]
    half = len(nodes) // 2
    return np.concatenate([_halves(x, nodes[:half]), _halves(x, nodes[half:])])


class _Tree:
    """Clusters of nodes, as ranges, and the blocks between them.

    Attributes
    ----------
    begin, end
        Range of each cluster.
    """

    def __init__(self, kernel: _Kernel) -> None:
        self._kernel = kernel
        begin, end, child, level = [], [], [], []
        starts = np.flatnonzero(np.diff(kernel.plane, prepend=-2))
        todo = [(int(a), int(b), 0) for a, b in zip(starts, [*starts[1:], len(kernel.x)], strict=True)]
        self._roots = np.arange(len(todo))
        at = 0
        while at < len(todo):
            a, b, depth = todo[at]
            begin.append(a)
            end.append(b)
            level.append(depth)
            if b - a > _LEAF:
                child.append(len(todo))
                half = a + (b - a) // 2
                todo += [(a, half, depth + 1), (half, b, depth + 1)]
            else:
                child.append(-1)
            at += 1
        self.begin, self.end = np.array(begin), np.array(end)
        self._child = np.array(child)
        x, corners = kernel.x, kernel.x[kernel.triangles]
        # For each node, the box around its triangles, on which its basis function is not zero.
        low, high = x.copy(), x.copy()
        for k in range(3):
            np.minimum.at(low, kernel.triangles[:, k], corners.min(axis=1))
            np.maximum.at(high, kernel.triangles[:, k], corners.max(axis=1))
        ranges = list(zip(begin, end, strict=True))
        self._low, self._high = (np.array([f(x[a:b], axis=0) for a, b in ranges]) for f in (np.min, np.max))
        self._reach_low = np.array([low[a:b].min(axis=0) for a, b in ranges])
        self._reach_high = np.array([high[a:b].max(axis=0) for a, b in ranges])
        self._triangles: dict[int, Ints] = {}

    def blocks(self) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints]]:
        """Return far blocks and near ones, by clusters of rows and columns, the largest first."""
        plane = self._kernel.plane[self.begin]
        a, b = (x.ravel() for x in np.meshgrid(self._roots, self._roots, indexing="ij"))
        far, near = [], []
        wide = np.linalg.norm(self._high - self._low, axis=1)
        reach = np.linalg.norm(self._reach_high - self._reach_low, axis=1)
        while len(a):
            some = (plane[a] < 0) | (plane[a] != plane[b])
            a, b = a[some], b[some]
            gap = np.maximum(self._low[a] - self._reach_high[b], self._reach_low[b] - self._high[a])
            distance = np.linalg.norm(np.maximum(gap, 0.0), axis=1)
            is_far = (distance > 0) & (np.minimum(wide[a], reach[b]) <= _WIDE * distance)
            ends = (self._child[a] < 0) & (self._child[b] < 0) & ~is_far
            far.append((a[is_far], b[is_far]))
            near.append((a[ends], b[ends]))
            divisible = ~is_far & ~ends
            a, b = a[divisible], b[divisible]
            halves = [np.where(self._child[c] < 0, c, self._child[c]) for c in (a, b)]
            second = [np.where(self._child[c] < 0, -1, self._child[c] + 1) for c in (a, b)]
            pairs = [(i, j) for i in (halves[0], second[0]) for j in (halves[1], second[1])]
            a, b = (np.concatenate([p[k] for p in pairs]) for k in (0, 1))
            both = (a >= 0) & (b >= 0)
            a, b = a[both], b[both]
        return self._sorted(far), self._sorted(near)

    def _sorted(self, pairs: list[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
        a, b = (np.concatenate([p[k] for p in pairs]) for k in (0, 1))
        sizes = [self.end[c] - self.begin[c] for c in (a, b)]
        order = np.lexsort((b, a, -sizes[0], -sizes[1]))
        return a[order], b[order]

    def grouped(self, a: Ints, b: Ints) -> list[tuple[Ints, Ints]]:
        """Return blocks in groups of about the same size."""
        if not len(a):
            return []
        m, n = ((self.end[c] - self.begin[c]) for c in (a, b))
        # Halves of a cluster differ by one node; sizes within a group differ by less than a fifth.
        kind = np.column_stack([np.round(4 * np.log2(m)), np.round(4 * np.log2(n))])
        order = np.lexsort(kind.T)
        a, b, m, n, kind = a[order], b[order], m[order], n[order], kind[order]
        new = np.flatnonzero((np.diff(kind, axis=0) != 0).any(axis=1)) + 1
        groups = []
        for begin, end in zip([0, *new], [*new, len(a)], strict=True):
            size = int(m[begin:end].max() + n[begin:end].max())
            each = max(1, _BATCH // (size * 20))
            groups += [(a[k : min(end, k + each)], b[k : min(end, k + each)]) for k in range(begin, end, each)]
        return groups

    def nodes(self, clusters: Ints) -> Ints:
        """Return the nodes of clusters (b, most), filled up with the number of all nodes."""
        begin, end = self.begin[clusters], self.end[clusters]
        nodes = begin[:, None] + np.arange((end - begin).max())
        return np.where(nodes < end[:, None], nodes, len(self._kernel.x))

    def triangles(self, clusters: Ints) -> tuple[Ints, Ints]:
        """Return the triangles that nodes of clusters have, as pairs: places among the clusters, and triangles."""
        triangles = []
        for c in clusters:
            if c not in self._triangles:
                touching = self._kernel.touching
                part = touching.indices[touching.indptr[self.begin[c]] : touching.indptr[self.end[c]]]
                self._triangles[c] = np.unique(part).astype(np.int64)
            triangles.append(self._triangles[c])
        return np.repeat(np.arange(len(clusters)), [len(t) for t in triangles]), np.concatenate(triangles)


def _exact(kernel: _Kernel, tree: _Tree, a: Ints, b: Ints) -> Near:
    """Return all entries of blocks."""
    rows, columns = tree.nodes(a), tree.nodes(b)
    m, n = rows.shape[1], columns.shape[1]
    out = np.zeros((len(a), m, n + 1))
    block, triangle = tree.triangles(b)
    begin, end = tree.begin[b], tree.end[b]
    each = max(1, 1_000_000 // m)
    for k in range(0, len(block), each):
        block_, triangle_ = block[k : k + each], triangle[k : k + each]
        points = rows[block_]
        real = points < len(kernel.x)
        pair = np.nonzero(real)
        values = kernel.integrals(points[real], triangle_[pair[0]])
        corner = kernel.triangles[triangle_] - begin[block_][:, None]
        corner = np.where((corner >= 0) & (corner < (end - begin)[block_][:, None]), corner, n)
        flat = ((block_[pair[0]] * m + pair[1]) * (n + 1))[None] + corner[pair[0]].T
        out += np.bincount(flat.ravel(), values.ravel(), minlength=out.size).reshape(out.shape)
    return Near(rows, columns, np.ascontiguousarray(out[:, :, :n]))


def _rows_of(kernel: _Kernel, tree: _Tree, b: Ints, points: Ints, width: int) -> Array:
    """Return a row of each block (b, width), at a point of each."""
    block, triangle = tree.triangles(b)
    values = kernel.integrals(points[block], triangle)
    begin, end = tree.begin[b], tree.end[b]
    corner = kernel.triangles[triangle] - begin[block][:, None]
    corner = np.where((corner >= 0) & (corner < (end - begin)[block][:, None]), corner, width)
    flat = block * (width + 1) + corner.T
    out = np.bincount(flat.ravel(), values.ravel(), minlength=len(b) * (width + 1))
    return np.asarray(out.reshape(len(b), width + 1)[:, :width])


def _columns_of(kernel: _Kernel, rows: Ints, nodes: Ints) -> Array:
    """Return a column of each block (b, m), of one node each."""
    touching = kernel.touching
    begin, number = touching.indptr[nodes], np.diff(touching.indptr)[nodes]
    block = np.repeat(np.arange(len(nodes)), number)
    place = np.repeat(begin, number) + np.arange(len(block)) - np.repeat(np.cumsum(number) - number, number)
    triangle, corner = touching.indices[place].astype(np.int64), touching.data[place] - 1
    points = rows[block]
    real = points < len(kernel.x)
    pair = np.nonzero(real)
    values = kernel.integrals(points[real], triangle[pair[0]])
    m = rows.shape[1]
    chosen = np.take_along_axis(values, corner[pair[0]][None], axis=0)[0]
    out = np.bincount(block[pair[0]] * m + pair[1], chosen, minlength=rows.size)
    return np.asarray(out.reshape(rows.shape))


def _approximated(kernel: _Kernel, tree: _Tree, a: Ints, b: Ints, tolerance: float) -> list[Far]:
    """Return factors of blocks, by adaptive cross approximation with partial pivoting, all blocks at once."""
    rows, columns = tree.nodes(a), tree.nodes(b)
    count, m, n = len(a), rows.shape[1], columns.shape[1]
    most = min(_MOST, m, n)
    left, right = np.zeros((count, most, m)), np.zeros((count, most, n))
    used = rows == len(kernel.x)  # rows that are padding, and later those that were pivots
    square, rank = np.zeros(count), np.zeros(count, dtype=np.int64)
    # Start in the row of the middle column's largest entry: a row is zero if its point lies in the columns' plane.
    start = _columns_of(kernel, rows, (tree.begin[b] + tree.end[b]) // 2)
    row = _largest(np.where(used, 0.0, start))
    active = np.flatnonzero(np.abs(start).max(axis=1) > 0)
    for k in range(most):
        i, here = row[active], np.arange(len(active))
        used[active, i] = True
        u, v = left[active, :k], right[active, :k]
        residual = _rows_of(kernel, tree, b[active], rows[active, i], n)
        residual -= np.matmul(u[here, :, i][:, None], v)[:, 0]
        j = _largest(residual)
        pivot = residual[here, j]
        good = np.abs(pivot) > 1e-300
        if not good.all():
            active, i, j, pivot, residual = active[good], i[good], j[good], pivot[good], residual[good]
            u, v, here = u[good], v[good], np.arange(len(active))
            if not len(active):
                break
        new = residual / pivot[:, None]
        column = _columns_of(kernel, rows[active], columns[active, j])
        column -= np.matmul(v[here, :, j][:, None], u)[:, 0]
        left[active, k], right[active, k], rank[active] = column, new, k + 1
        size = (column * column).sum(axis=1) * (new * new).sum(axis=1)
        cross = np.matmul(u, column[..., None])[..., 0] * np.matmul(v, new[..., None])[..., 0]
        square[active] += size + 2 * cross.sum(axis=1)
        going = (size > tolerance**2 * np.abs(square[active])) & ~used[active].all(axis=1)
        row[active] = _largest(np.where(used[active], 0.0, column))
        active = active[going]
        if not len(active):
            break
    return _packed(rows, columns, left, right, rank)


def _largest(values: Array) -> Ints:
    """Return where the largest value is in each row (b,): the first one, if rounding decides between several."""
    size = np.abs(values)
    return np.asarray(np.argmax(size >= (1 - 1e-6) * size.max(axis=1, keepdims=True), axis=1), dtype=np.int64)


def _packed(rows: Ints, columns: Ints, left: Array, right: Array, rank: Ints) -> list[Far]:
    """Return blocks in groups of about the same rank, their factors cut to the largest rank of the group."""
    blocks = []
    kind = -(-rank // 3)
    for k in np.unique(kind[kind > 0]):
        these = np.flatnonzero(kind == k)
        top = int(rank[these].max())
        blocks.append(
            Far(
                rows[these],
                columns[these],
                np.ascontiguousarray(left[these, :top].swapaxes(1, 2)),
                np.ascontiguousarray(right[these, :top]),
            )
        )
    return blocks
