"""Meshes whose parts come from all ranks at once: no rank ever holds the whole.

A rank contributes nodes, cells, and the facets that have a name. Nodes are numbered through all ranks: those of a rank
follow those of the rank before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import basix.ufl
import numpy as np
from dolfinx import graph
from dolfinx import mesh as dmesh
from dolfinx.io.utils import distribute_entity_data
from mpi4py import MPI
from numpy.typing import NDArray

from .. import _compat

type Ints = NDArray[np.int64]
type Tagged = tuple[dmesh.Mesh, dmesh.MeshTags, dmesh.MeshTags]

_SHAPES = ("", "interval", "triangle", "tetrahedron")


@dataclass(frozen=True)
class Pieces:
    """One rank's part of a mesh of straight simplices.

    Attributes
    ----------
    nodes
        Coordinates, shape (n, dim).
    cells, cell_tags
        Numbers of the nodes of each cell, shape (m, dim + 1), and its tag, shape (m,). Each cell is given by one rank.
    facets, facet_tags
        The same of tagged facets, shapes (k, dim) and (k,).
    """

    nodes: NDArray[np.float64]
    cells: Ints
    cell_tags: NDArray[np.int32]
    facets: Ints
    facet_tags: NDArray[np.int32]


def joined(comm: MPI.Intracomm, pieces: Pieces) -> Tagged:
    """Return the mesh that the pieces of all ranks make, distributed anew, with tags of its cells and facets.

    Collective.
    """
    dim = pieces.cells.shape[1] - 1
    mesh = distributed(comm, pieces.cells, pieces.nodes)
    return (
        mesh,
        _tags(mesh, dim, pieces.cells, pieces.cell_tags),
        _tags(mesh, dim - 1, pieces.facets, pieces.facet_tags),
    )


def distributed(comm: MPI.Intracomm, cells: Ints, nodes: NDArray[np.float64]) -> dmesh.Mesh:
    """Return the mesh that the cells and nodes of all ranks make, as those of :class:`Pieces`. Collective."""
    dim = cells.shape[1] - 1
    element = basix.ufl.element("Lagrange", _SHAPES[dim], 1, shape=(dim,))
    return _compat.create_mesh(comm, cells, element, nodes, _compat.partitioner())


def _tags(mesh: dmesh.Mesh, dim: int, entities: Ints, values: NDArray[np.int32]) -> dmesh.MeshTags:
    """Return tags of entities that are given by the numbers of their nodes, wherever those are now. Collective."""
    mesh.topology.create_entities(dim)
    mesh.topology.create_connectivity(dim, mesh.topology.dim)
    mesh.topology.create_connectivity(dim, 0)
    local_entities, local_values = distribute_entity_data(mesh, dim, np.ascontiguousarray(entities), values)
    return dmesh.meshtags_from_entities(
        mesh, dim, graph.adjacencylist(local_entities), local_values.astype(np.int32, copy=False)
    )


def share_of(comm: MPI.Intracomm, count: int) -> range:
    """Return this rank's share of the numbers 0, ..., count - 1."""
    return range(comm.rank * count // comm.size, (comm.rank + 1) * count // comm.size)
