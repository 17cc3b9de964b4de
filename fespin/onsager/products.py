"""Stiffness and mass matrices times fields, cell by cell: all that bulk powers and fluxes are made of.

With K_c and M_c the matrices of a cell for unit coefficients, the flux of field i into a cell's nodes is
``sum_j k_ij K_c w_j + r_ij M_c w_j`` with the coefficients of the cell's region, and integrals of products of two
fields are ``w_i . K_c w_j`` and ``w_i . M_c w_j``. So two products per field serve all regions and pairs of fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from .cells import Cells
from .coefficients import Coefficients
from .kernels import Indices

type Array = NDArray[np.float64]


class OnCells(Protocol):
    """Matrices and cells of a system, which products are made with."""

    cells: Cells

    @property
    def cells_by_region(self) -> tuple[Indices, NDArray[np.int64]]:
        """Cells of this rank, region after region, and where each region begins among them; the last is the end."""
        ...


@dataclass(frozen=True)
class RegionNodes:
    """Nodes of facets on the cells of one region that touch them, this rank's own.

    Attributes
    ----------
    cells
        Places of the cells among those of :attr:`System.cells_by_region`.
    marked
        Which nodes of these cells lie on the facets, (cells, nodes).
    """

    region: int
    cells: NDArray[np.int64]
    marked: NDArray[np.bool_]


class CellProducts:
    """The products of one solution, on this rank's own cells in the order of their regions.

    Parameters
    ----------
    system
        The discrete problem.
    w
        One function per field.
    """

    def __init__(self, system: OnCells, w: Sequence[fem.Function]) -> None:
        self.system, self._fields = system, list(w)
        self.cells, self.bounds = system.cells_by_region

    @cached_property
    def values(self) -> Array:
        """Values of the fields at the nodes of each cell, (field, cell, node)."""
        return np.array([f.x.array[f.function_space.dofmap.list[self.cells]] for f in self._fields])

    @cached_property
    def stiffness(self) -> Array:
        """K_c w_j, (field, cell, node)."""
        return np.array([self.system.cells.stiffness(x, self.cells) for x in self.values])

    @cached_property
    def mass(self) -> Array:
        """M_c w_j, (field, cell, node)."""
        return np.array([self.system.cells.mass(x, self.cells) for x in self.values])

    def moments(self) -> Array:
        """Return the integrals of grad w_i . grad w_j and of w_i w_j by region, (2, region, field, field). Local."""
        n, regions = len(self._fields), len(self.bounds) - 1
        out = np.zeros((2, regions, n, n))
        # A constant has no gradient: without it nothing small comes from large numbers.
        level = self.values - self.values[:, :, :1]
        for r in range(regions):
            here = slice(self.bounds[r], self.bounds[r + 1])
            out[0, r] = np.tensordot(level[:, here], self.stiffness[:, here], axes=([1, 2], [1, 2]))
            out[1, r] = np.tensordot(self.values[:, here], self.mass[:, here], axes=([1, 2], [1, 2]))
        return (out + out.swapaxes(2, 3)) / 2

    def flux_through(self, nodes: RegionNodes, c: Coefficients) -> Array:
        """Return the flux of each field into a region at some of its nodes, of coefficients that do not vary. Local."""
        k, r, at = c.conduction[nodes.region], c.reaction[nodes.region], nodes.cells
        through = k @ (self.stiffness[:, at] * nodes.marked).sum(axis=(1, 2))
        if r.any():
            through += r @ (self.mass[:, at] * nodes.marked).sum(axis=(1, 2))
        return np.asarray(through)
