"""The surface of a body of tetrahedra, and the double layer on it: integrals over triangles in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from scipy import sparse

from ..grid import Array, Grid

type Ints = NDArray[np.int64]

_PAIRS = 500_000  # points times triangles that are integrated at once: some 200 MB

# Corners of the four faces of a tetrahedron with a positive volume, in the positive sense seen from outside.
_FACES = np.array([[1, 2, 3], [0, 3, 2], [0, 1, 3], [0, 2, 1]])


@dataclass(frozen=True)
class Shape:
    """Numbers of the triangles of a surface.

    Attributes
    ----------
    x
        Places of the nodes (n, 3).
    corners, lengths
        Corners (t, 3, 3), and lengths of the edges from corner j to j + 1 (t, 3).
    normal, twice
        Normals outwards (t, 3), and twice the areas (t,).
    slope, start
        Gradients of the basis functions (t, 3, 3), and their values at the origin (t, 3).
    mixed
        Slope of basis function k along the normal of edge j in the plane (t, 3, 3).
    """

    x: Array
    corners: Array
    normal: Array
    twice: Array
    lengths: Array
    slope: Array
    start: Array
    mixed: Array

    @classmethod
    def of(cls, x: Array, triangles: Ints) -> Shape:
        """Return the numbers of triangles (t, 3) between nodes at x (n, 3)."""
        p = x[triangles]
        normal = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])
        twice = np.linalg.norm(normal, axis=1)
        normal = normal / twice[:, None]
        # Edge j goes from corner j to corner j + 1; basis function k falls towards the edge opposite to its corner.
        along = np.roll(p, -1, axis=1) - p
        outward = np.cross(along, normal[:, None])  # times the edge's length
        lengths = np.linalg.norm(along, axis=2)
        slope = -np.roll(outward, -1, axis=1) / twice[:, None, None]
        start = 1 - np.einsum("tki,tki->tk", slope, p)
        mixed = np.einsum("tki,tji->tkj", slope, outward / lengths[:, :, None])
        return cls(x, p, normal, np.asarray(twice, dtype=float), lengths, slope, start, mixed)


class Surface:
    """All triangles of a body's surface, on all ranks. Each rank has the values of its own nodes.

    The constructor is collective, and so are :meth:`collected` and :meth:`summed`.

    Parameters
    ----------
    grid
        Grid of tetrahedra.

    Attributes
    ----------
    comm
        Communicator of the grid.
    triangles
        Corners (triangles, 3) as places among the nodes of the surface, in the positive sense seen from outside.
    positions
        Places (m) of the nodes of the surface (n, 3), those of the first rank first.
    own
        Which of this rank's own nodes are on it (own,).
    rows
        Range of these among all of them.
    """

    def __init__(self, grid: Grid) -> None:
        self.comm = comm = grid.comm
        corners = grid.positions[grid.cells]
        turned = np.linalg.det(corners[:, 1:] - corners[:, :1]) < 0
        faces = grid.numbers.astype(np.int64)[grid.cells[:, _FACES]]
        faces[turned] = faces[turned][:, :, ::-1]
        # A face of the surface belongs to one cell. One that occurs once on a rank may still lie between two ranks.
        alone = _once(faces.reshape(-1, 3))
        alone = _once(np.concatenate(comm.allgather(alone)))
        alone = alone[np.lexsort(np.sort(alone, axis=1).T)]
        nodes, where = np.unique(alone, return_inverse=True)
        self.triangles: Ints = where.reshape(-1, 3)
        first = int(grid.numbers[0]) if grid.owned else 0
        mine = (nodes >= first) & (nodes < first + grid.owned)
        self.own: Ints = nodes[mine] - first
        self._counts = comm.allgather(len(self.own))
        start = sum(self._counts[: comm.rank])
        self.rows = slice(start, start + len(self.own))
        self.positions: Array = np.concatenate(comm.allgather(grid.positions[self.own]))

    def __len__(self) -> int:
        return len(self.positions)

    def collected(self, values: Array) -> Array:
        """Return values (n,) at all nodes of the surface from those at this rank's own ones (own,)."""
        if self.comm.size == 1:
            return values
        out = np.empty(len(self))
        self.comm.Allgatherv(np.ascontiguousarray(values), [out, self._counts])
        return out

    def summed(self, values: Array) -> Array:
        """Return the sum over all ranks (own,) of what each has for all nodes of the surface (n,)."""
        if self.comm.size == 1:
            return values
        out = np.empty(len(self.own))
        self.comm.Reduce_scatter(np.ascontiguousarray(values), out, self._counts, MPI.SUM)
        return out

    @cached_property
    def shape(self) -> Shape:
        """Return the triangles' numbers, all lengths over that of the body."""
        return Shape.of(self.scaled, self.triangles)

    @cached_property
    def scaled(self) -> Array:
        """Return places (n, 3) from the middle of the body, over its length."""
        low, high = self.positions.min(axis=0), self.positions.max(axis=0)
        return np.asarray((self.positions - (low + high) / 2) / (high - low).max())

    def double_layer(self) -> Array:
        """Return this rank's rows (own, n) of the matrix that gives u2 at the surface's nodes from u1 there.

        With values of first degree on the triangles and n the normal outwards,

            u2(x) = (1/4 pi) int u1(y) n.(x - y)/|x - y|^3 dS(y) + (Omega(x)/4 pi - 1) u1(x),

        Omega being the solid angle of the body at x: the limit from inside of a double layer. For a triangle with
        the height z of x above its plane, the solid angle w = int z/r^3 dS and the basis functions b_k,

            int b_k z/r^3 dS = b_k(x) w - z sum_j (grad b_k . v_j) int_j dl/r,

        with v_j the normals of the edges in the plane, by Gauss's theorem from (y - x)/r^3 = -grad(1/r). The last
        integral is ln((r_1 + r_2 + s)/(r_1 + r_2 - s)) for an edge of the length s. That is Lindholm's result.

        A constant u1 gives u2 = -u1: the sum of each row is -1, from which the solid angle follows.

        References
        ----------
        D. A. Lindholm, IEEE Trans. Magn. 20, 2025 (1984); A. van Oosterom, J. Strackee, IEEE Trans. Biomed. Eng.
        30, 125 (1983) for the solid angle.
        """
        count, (a, b, c) = len(self.triangles), self.triangles.T
        shape = self.shape
        x, normal, twice, lengths = shape.x, shape.normal, shape.twice, shape.lengths
        slope, start, mixed, p = shape.slope, shape.start, shape.mixed, shape.corners
        edges, which = np.unique(
            np.sort(np.stack([self.triangles, np.roll(self.triangles, -1, 1)], 2), 2).reshape(-1, 2),
            axis=0,
            return_inverse=True,
        )
        which = which.reshape(-1, 3)
        span = np.linalg.norm(x[edges[:, 1]] - x[edges[:, 0]], axis=1)
        to_nodes = sparse.csr_matrix(
            (np.ones(3 * count), (self.triangles.T.ravel(), np.arange(3 * count))), shape=(len(x), 3 * count)
        )
        here = x[self.rows]
        out = np.empty((len(here), len(x)))
        part = max(1, _PAIRS // max(1, count))
        for begin in range(0, len(here), part):
            y = here[begin : begin + part]
            r = np.linalg.norm(x[:, None] - y, axis=2)  # (n, points)
            both = r[edges[:, 0]] + r[edges[:, 1]]
            with np.errstate(divide="ignore"):
                logs = np.log((both + span[:, None]) / (both - span[:, None]))
            height = normal @ y.T - np.einsum("ti,ti->t", normal, p[:, 0])[:, None]
            ra, rb, rc = r[a], r[b], r[c]
            sab, sbc, sca = (lengths[:, j, None] ** 2 for j in range(3))
            # a.b = (ra^2 + rb^2 - s^2)/2
            below = (
                ra * rb * rc
                + ((ra**2 + rb**2 - sab) * rc + (rb**2 + rc**2 - sbc) * ra + (rc**2 + ra**2 - sca) * rb) / 2
            )
            angle = 2 * np.arctan2(twice[:, None] * height, below)
            # A triangle is seen edge-on from its own corners.
            own = np.minimum(np.minimum(ra, rb), rc) < 1e-12
            angle[own], height[own] = 0.0, 0.0
            logs[~np.isfinite(logs)] = 0.0
            parts = [
                (slope[:, k] @ y.T + start[:, k, None]) * angle
                - height * sum(mixed[:, k, j, None] * logs[which[:, j]] for j in range(3))
                for k in range(3)
            ]
            out[begin : begin + part] = (to_nodes @ np.concatenate(parts)).T / (4 * np.pi)
        out[np.arange(len(here)), np.arange(self.rows.start, self.rows.stop)] -= 1 + out.sum(axis=1)
        return out


def _once(triples: Ints) -> Ints:
    """Return the triples (m, 3) that occur once, whatever the order of their numbers."""
    _, first, count = np.unique(np.sort(triples, axis=1), axis=0, return_index=True, return_counts=True)
    return np.asarray(triples[first[count == 1]], dtype=np.int64)


def pieces(grid: Grid) -> tuple[NDArray[Any], int]:
    """Return the node with the lowest number over all ranks in each connected part of the mesh, and how many parts.

    Collective.
    """
    nodes = len(grid.positions)
    pairs = np.stack([np.repeat(grid.cells[:, :1], grid.dim, axis=1).ravel(), grid.cells[:, 1:].ravel()])
    graph = sparse.coo_matrix((np.ones(pairs.shape[1]), pairs), shape=(nodes, nodes))
    count, label = sparse.csgraph.connected_components(graph, directed=False)
    counts = grid.comm.allgather(count)
    label = label + sum(counts[: grid.comm.rank])
    # A node of another rank joins this rank's part to that rank's.
    owners = grid.seen(label[: grid.owned, None].astype(float))[:, 0].astype(np.int64)
    links = np.unique(np.stack([label, owners], axis=1), axis=0)
    links = np.concatenate(grid.comm.allgather(links)).T
    graph = sparse.coo_matrix((np.ones(links.shape[1]), links), shape=(sum(counts), sum(counts)))
    count, joined = sparse.csgraph.connected_components(graph, directed=False)
    lowest = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(lowest, joined[label[: grid.owned]], grid.numbers[: grid.owned].astype(np.int64))
    grid.comm.Allreduce(MPI.IN_PLACE, lowest, MPI.MIN)
    return lowest, count
