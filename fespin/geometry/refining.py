"""Uniform refinement of a mesh that is distributed already: edges are halved, and curved faces stay curved.

Each rank refines the cells that it owns; what it tells others are numbers of nodes on the boundary between them. So
gmsh builds a mesh that one rank can hold, and n refinements make 8^n cells of each tetrahedron.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from dolfinx import la, mesh
from numpy.typing import NDArray

from .. import _compat
from ..errors import InputError
from .pieces import Ints, Pieces, Tagged, joined

type Reals = NDArray[np.float64]
type Midpoints = Callable[[Reals, Reals], Reals]

# Edges of simplices by their corners, in the order of DOLFINx.
_EDGES: dict[int, list[tuple[int, int]]] = {
    0: [],
    1: [(0, 1)],
    2: [(1, 2), (0, 2), (0, 1)],
    3: [(2, 3), (1, 3), (1, 2), (0, 3), (0, 2), (0, 1)],
}
# Children in the middle of a tetrahedron, by its edges: an octahedron is cut along one of its three diagonals.
_DIAGONALS = np.array([[0, 5], [1, 4], [2, 3]])
_RINGS = np.array([[1, 2, 4, 3], [0, 2, 5, 3], [0, 1, 5, 4]])
# Ten times make a billion tetrahedra of one; a larger number is a slip.
_MOST = 10


def checked_refinements(value: int) -> int:
    """Return a number of refinements if it is one.

    Raises
    ------
    InputError
        If it is no integer from 0 to 10.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
        raise InputError(f"geometry: refinements is {value!r}; it must be a whole number from 0 to {_MOST}")
    return value


@dataclass(frozen=True)
class Rim:
    """Nodes around an ellipse about the origin of the plane, the same at all heights.

    Attributes
    ----------
    axes
        Semi-axes along x and y.
    angles
        Angles t of the nodes (axes[0] cos t, axes[1] sin t), increasing, within one turn.
    """

    axes: tuple[float, float]
    angles: Reals

    @classmethod
    def of(cls, axes: tuple[float, float], points: Reals) -> Rim:
        """Return the rim with nodes at these points, shape (n, 2), in any order; nodes may be there twice."""
        angles = np.sort(np.arctan2(points[:, 1] / axes[1], points[:, 0] / axes[0]))
        # The first and the last of them may be one node, at an angle of pi.
        gaps = np.diff(np.append(angles, angles[0] + 2 * np.pi))
        return cls(axes, angles[gaps > 1e-9])

    @property
    def swelling(self) -> float:
        """Factor by which the polygon of the nodes must grow to have the area of the ellipse."""
        steps = np.diff(np.append(self.angles, self.angles[0] + 2 * np.pi))
        return float(np.sqrt(2 * np.pi / np.sin(steps).sum()))

    def halved(self) -> Rim:
        """Return the rim with a node between any two."""
        following = np.append(self.angles[1:], self.angles[0] + 2 * np.pi)
        return Rim(self.axes, np.sort(np.concatenate([self.angles, (self.angles + following) / 2])))

    def place(self, middles: Reals, a: Reals, b: Reals) -> None:
        """Move to the ellipse those midpoints whose edges connect neighbours on it, shapes (n, 3)."""
        on, numbers = np.ones(len(a), bool), []
        for ends in (a, b):
            unit = ends[:, :2] / self.axes
            on &= np.abs(np.hypot(*unit.T) - 1) < 1e-7
            turned = np.arctan2(unit[:, 1], unit[:, 0])
            # The nearest node, counted around.
            edges = (self.angles + np.append(self.angles[1:], self.angles[0] + 2 * np.pi)) / 2
            numbers.append(np.searchsorted(edges, np.where(turned < edges[-1] - 2 * np.pi, turned + 2 * np.pi, turned)))
        count = len(self.angles)
        apart = (numbers[1] - numbers[0]) % count
        on &= (apart == 1) | (apart == count - 1)
        unit = middles[on, :2] / self.axes
        middles[on, :2] = unit / np.hypot(*unit.T)[:, None] * self.axes


def refined(tagged: Tagged, times: int, rims: Sequence[Rim] = ()) -> tuple[Tagged, list[Rim]]:
    """Return a mesh with all edges halved so many times, its tags, and the rims with their new nodes. Collective.

    Parameters
    ----------
    tagged
        Mesh of straight simplices with tags of its cells and facets, which their parts inherit.
    times
        Number of refinements.
    rims
        Ellipses that new nodes are placed on.
    """
    rims = list(rims)

    def middles(a: Reals, b: Reals) -> Reals:
        out: Reals = (a + b) / 2
        for rim in rims:
            rim.place(out, a, b)
        return out

    for _ in range(times):
        tagged = joined(tagged[0].comm, halves(tagged, middles))
        rims = [rim.halved() for rim in rims]
    return tagged, rims


def halves(tagged: Tagged, middles: Midpoints) -> Pieces:
    """Return this rank's part of the mesh with all edges halved. Collective.

    Parameters
    ----------
    middles
        Function of the ends of edges, shapes (n, dim) both, that returns the nodes between them.
    """
    m, cell_tags, facet_tags = tagged
    topology, comm, dim = m.topology, m.comm, m.topology.dim
    topology.create_entities(1)
    topology.create_connectivity(dim, 1)
    corners = _compat.cell_nodes(m)
    count = len(corners)
    # In one dimension, cells are edges.
    edges = topology.connectivity(dim, 1).array.reshape(count, -1) if dim > 1 else np.arange(count)[:, None]
    edge_map, node_map = topology.index_map(1), m.geometry.index_map()
    ends = np.zeros((edge_map.size_local + edge_map.num_ghosts, 2), np.int32)
    ends[edges.ravel()] = corners[:, np.array(_EDGES[dim])].reshape(-1, 2)
    own_nodes, own_edges = node_map.size_local, edge_map.size_local
    x = m.geometry.x[:, :dim]
    between = middles(x[ends[:own_edges, 0]], x[ends[:own_edges, 1]])

    # A rank numbers its nodes first, then those on its edges; it hears the numbers of the others.
    start = comm.scan(own_nodes + own_edges) - own_nodes - own_edges
    node_number = _with_ghosts(node_map, start + np.arange(own_nodes))
    edge_number = _with_ghosts(edge_map, start + own_nodes + np.arange(own_edges))
    own = topology.index_map(dim).size_local
    diagonals = _best_diagonals(x, ends, edges[:own]) if dim == 3 else None
    cells = _children(node_number[corners[:own]], edge_number[edges[:own]], diagonals)
    tag = np.zeros(count, np.int32)
    tag[cell_tags.indices] = cell_tags.values
    facets, facet_values = _facet_children(m, facet_tags, node_number[corners], edge_number[edges])
    return Pieces(
        np.concatenate([x[:own_nodes], between]),
        cells.reshape(-1, dim + 1),
        np.repeat(tag[:own], 2**dim),
        facets.reshape(-1, dim),
        np.repeat(facet_values, 2 ** (dim - 1)).astype(np.int32),
    )


def _with_ghosts(imap: Any, owned: Ints) -> Ints:
    """Return numbers of all local indices from those of the owned ones. Collective."""
    numbers = la.vector(imap, 1, np.int64)
    numbers.array[: len(owned)] = owned
    numbers.scatter_forward()
    return np.array(numbers.array)


def _best_diagonals(x: Reals, ends: NDArray[np.int32], edges: NDArray[np.int32]) -> Ints:
    """Return the diagonal along which the middle of each tetrahedron is cut: the one with the least area of cuts.

    The four parts have the same volume, so that their stiffness depends on the squares of these areas. In the flat
    cells of thin layers each part then keeps an edge across the layer. Cut along the shortest diagonal, some would be
    slivers without such an edge, which triples the iterations.
    """
    middle = (x[ends[edges, 0]] + x[ends[edges, 1]]) / 2
    squares = []
    for diagonal, ring in zip(_DIAGONALS, _RINGS, strict=True):
        along = middle[:, diagonal[1]] - middle[:, diagonal[0]]
        normals = np.cross(along[:, None], middle[:, ring] - middle[:, diagonal[:1]])
        squares.append((normals**2).sum(axis=(1, 2)))
    cut = np.stack(squares, axis=1)
    # Rounding must not decide between equal ones.
    return np.asarray(np.argmax(cut < cut.min(axis=1, keepdims=True) * (1 + 1e-9), axis=1))


def _children(v: Ints, e: Ints, diagonal: Ints | None) -> Ints:
    """Return the children of simplices, shape (n, children, corners), from the numbers of corners and edges."""
    dim = v.shape[1] - 1
    out = []
    for i in range(dim + 1):
        out.append([v[:, i], *(e[:, k] for k, pair in enumerate(_EDGES[dim]) if i in pair)])
    if dim == 2:
        out.append([e[:, 0], e[:, 1], e[:, 2]])
    if diagonal is not None:
        rows = np.arange(len(e))
        one, two = (e[rows, _DIAGONALS[diagonal, k]] for k in (0, 1))
        ring = e[rows[:, None], _RINGS[diagonal]]
        out += [[one, two, ring[:, k], ring[:, (k + 1) % 4]] for k in range(4)]
    return np.stack([np.stack(c, axis=1) for c in out], axis=1)


def _facet_children(m: mesh.Mesh, tags: mesh.MeshTags, v: Ints, e: Ints) -> tuple[Ints, NDArray[np.int32]]:
    """Return the parts of this rank's own tagged facets, shape (n, parts, corners), and the tags of the whole ones."""
    topology = m.topology
    dim = topology.dim
    topology.create_connectivity(dim - 1, dim)
    topology.create_connectivity(dim, dim - 1)
    own = tags.indices < topology.index_map(dim - 1).size_local
    facets = tags.indices[own]
    to_cell = topology.connectivity(dim - 1, dim)
    cell = to_cell.array[to_cell.offsets[facets]]
    of_cell = topology.connectivity(dim, dim - 1).array.reshape(len(v), dim + 1)
    place = np.argmax(of_cell[cell] == facets[:, None], axis=1)
    # Facet i is opposite to corner i, but the facets of an interval are its corners.
    every = range(dim + 1)
    corners = np.array([[i] if dim == 1 else [k for k in every if k != i] for i in every])
    edges = np.array([[_EDGES[dim].index(p) for p in combinations(c, 2)] for c in corners.tolist()], int)
    # Edges of a facet follow DOLFINx's order: from the last pair of corners to the first.
    return (
        _children(v[cell[:, None], corners[place]], e[cell[:, None], edges[place][:, ::-1]], None),
        tags.values[own],
    )
