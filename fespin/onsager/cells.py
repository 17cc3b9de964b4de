"""Stiffness and mass matrices of cells times nodal values, without forms.

Cells are straight simplices: with the metric ``g = |det J| J^-1 J^-T`` of a cell's Jacobian J its stiffness matrix is
``sum_ab g_ab S_ab`` with the matrices S_ab of the reference cell, and its mass matrix |det J| times that of the
reference cell.
"""

from __future__ import annotations

import basix
import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from .. import _compat
from .kernels import Indices

type Array = NDArray[np.float64]

# Cells at a time: what is made of them stays in the processor's cache.
_CHUNK = 2048


class Cells:
    """Reference matrices of an element, and the metric of this rank's cells. The constructor is not collective.

    Parameters
    ----------
    space
        A scalar Lagrange space.
    """

    def __init__(self, space: fem.FunctionSpace) -> None:
        mesh, element = space.mesh, space.element.basix_element
        dim = mesh.topology.dim
        points, weights = basix.make_quadrature(element.cell_type, 2 * element.degree)
        values, *slopes = element.tabulate(1, points)[..., 0]
        self._mass = np.einsum("q,qi,qj->ij", weights, values, values)
        pairs = [(a, b) for a in range(dim) for b in range(a, dim)]
        products = [np.einsum("q,qi,qj->ij", weights, slopes[a], slopes[b]) for a, b in pairs]
        # Both orders of a pair at once: (node, pair times node).
        both = [p if a == b else p + p.T for (a, b), p in zip(pairs, products, strict=True)]
        self._stiffness = np.concatenate(both, axis=1)
        corners = mesh.geometry.x[_compat.cell_nodes(mesh)][:, : dim + 1, : mesh.geometry.dim]
        # Rows are edges: the transpose of the Jacobian.
        edges = corners[:, 1:] - corners[:, :1]
        self._size = np.abs(np.linalg.det(edges))
        inverse = np.linalg.inv(edges)
        metric = self._size[:, None, None] * np.einsum("cxa,cxb->cab", inverse, inverse)
        self._metric = np.stack([metric[:, a, b] for a, b in pairs], axis=1)

    def stiffness(self, values: Array, cells: Indices) -> Array:
        """Return K_c w at the nodes of some cells from the values of w there, (cell, node)."""
        out = np.empty_like(values)
        n = values.shape[1]
        for start in range(0, len(cells), _CHUNK):
            here = slice(start, start + _CHUNK)
            # A constant has no gradient: without it nothing small comes from large numbers.
            level = values[here] - values[here, :1]
            parts = (level @ self._stiffness).reshape(len(level), -1, n)
            out[here] = np.matmul(self._metric[cells[here], None, :], parts)[:, 0]
        # No cell loses anything: rounding of the matrices, the same in all cells, would add up along a device.
        out[:, 0] = -out[:, 1:].sum(axis=1)
        return out

    def mass(self, values: Array, cells: Indices) -> Array:
        """Return M_c w at the nodes of some cells from the values of w there, (cell, node)."""
        return np.asarray(self._size[cells, None] * (values @ self._mass))
