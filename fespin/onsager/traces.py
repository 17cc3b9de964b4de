"""Fields on interfaces and contacts, read at the nodes of their facets.

On a facet a field is the sum of its values at the facet's nodes times shape functions, so integrals of fields, of
products of two and of fluxes are sums over nodes with the facet's mass matrix. Facets of simplices are flat: each
mass matrix is a reference matrix times the facet's measure. On a line a facet is one node, and its mass is 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import basix
import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from ..domain import Domain
from .kernels import Indices

type Array = NDArray[np.float64]


@dataclass(frozen=True)
class Trace:
    """Nodes of some of this rank's facets, seen from one side (contacts) or two (interfaces).

    Attributes
    ----------
    cells
        Cell of each facet on each side, (sides, facets).
    nodes
        Nodes of each facet by their places in that cell, (sides, facets, nodes): the same points in the same order on
        both sides.
    mass
        Mass matrix of each facet, (facets, nodes, nodes) (m2; m on a section, 1 on a line).
    """

    cells: NDArray[np.int64]
    nodes: NDArray[np.int64]
    mass: Array
    quadrature: Callable[[int], tuple[Array, Array]] = field(repr=False)
    """Shape functions at points that integrate polynomials of a degree, (facets, points, nodes), and weights."""

    @property
    def weights(self) -> Array:
        """Weight of each node in an integral, (facets, nodes)."""
        return np.asarray(self.mass.sum(axis=-1))

    def dofs(self, space: fem.FunctionSpace, side: int = 0) -> NDArray[np.int32]:
        """Return the local degrees of freedom of a space at the nodes, (facets, nodes)."""
        found: NDArray[np.int32] = space.dofmap.list[self.cells[side][:, None], self.nodes[side]]
        return found

    def values(self, f: fem.Function, side: int = 0) -> Array:
        """Return a field's values at the nodes, (facets, nodes)."""
        return np.asarray(f.x.array[self.dofs(f.function_space, side)])

    def both_sides(self, w: Sequence[fem.Function]) -> Array:
        """Return the values of several fields on all sides, (sides, fields, facets, nodes)."""
        return np.array([[self.values(f, side) for f in w] for side in range(len(self.cells))])

    def integral(self, f: fem.Function, side: int = 0) -> float:
        """Return the integral of a field over this rank's facets. Not collective."""
        return float((self.weights * self.values(f, side)).sum())


def trace(domain: Domain, space: fem.FunctionSpace, entities: Indices, sides: int) -> Trace:
    """Return the trace on facets. Not collective.

    Parameters
    ----------
    space
        The unbroken space whose element all fields share: it tells which nodes of both sides are one point.
    entities
        Integration entities (cell, local facet) of this rank's facets, side after side for each facet.
    """
    dim, element = domain.dim, space.element.basix_element
    layout = space.dofmap.dof_layout
    closure = np.array([layout.entity_closure_dofs(dim - 1, f) for f in range(dim + 1)], dtype=np.int64)
    of_facet = entities.reshape(-1, sides, 2).astype(np.int64)
    cells, nodes, orders = [], [], []
    for side in range(sides):
        cell, local = of_facet[:, side].T
        here = closure[local]
        order = np.argsort(space.dofmap.list[cell[:, None], here], axis=1)
        cells.append(cell)
        nodes.append(np.take_along_axis(here, order, axis=1))
        orders.append(order)
    sizes = domain.facet_sizes(of_facet[:, 0].astype(np.int32).ravel())
    local, rows = of_facet[:, 0, 1], orders[0]

    def quadrature(degree: int) -> tuple[Array, Array]:
        shapes, weights = zip(
            *(_reference_facet(element, dim, f, closure[f], degree) for f in range(dim + 1)), strict=True
        )
        values = np.take_along_axis(np.array(shapes)[local], rows[:, None, :], axis=2)
        return values, sizes[:, None] * weights[0]

    shapes, weights = quadrature(2 * element.degree)
    return Trace(np.array(cells), np.array(nodes), np.einsum("fq,fqm,fqn->fmn", weights, shapes, shapes), quadrature)


def _reference_facet(
    element: basix.finite_element.FiniteElement, dim: int, facet: int, closure: NDArray[np.int64], degree: int
) -> tuple[Array, Array]:
    """Return the shape functions of a facet's closure at the points of a quadrature, (points, nodes), and weights."""
    if dim == 1:
        return np.ones((1, 1)), np.ones(1)
    kind = {2: basix.CellType.interval, 3: basix.CellType.triangle}[dim]
    points, weights = basix.make_quadrature(kind, degree)
    cell = {2: basix.CellType.triangle, 3: basix.CellType.tetrahedron}[dim]
    corners = basix.geometry(cell)[basix.topology(cell)[dim - 1][facet]]
    x = corners[0] + points @ (corners[1:] - corners[0])
    return np.asarray(element.tabulate(0, x)[0][:, closure, 0]), np.asarray(weights / weights.sum())
