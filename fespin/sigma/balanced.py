"""The stationary equation in Slotboom's variable, each row relative to its own weight: barriers of any height.

Over a barrier of 2000 kT the weight m = exp(-V) varies by 870 powers of ten, more than floating-point numbers span.
Within one cell it varies little. Therefore the matrix of each cell is integrated relative to the weight at the lowest V
in the cell, and each row of the global matrix is scaled by the weight at the lowest V of the cells that meet there. The
unknown w = rho/m is of order one everywhere, and of integrals the logarithm is computed, relative to the largest weight
in them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from mpi4py import MPI

from ..energy.on_sphere import Array
from ..petsc import Options
from .dimensionless import DimensionlessDrift
from .distribution import Distribution, Surface
from .matrix import Matrix
from .space import Potential
from .weight import weight_of


class Balanced:
    """The weighted form on a surface, for stationary solutions with given values of w. The constructor is collective.

    Parameters
    ----------
    potential
        V of the weight; default: the effective potential.
    options
        PETSc options of the factorizations, without prefix.
    velocity
        Velocity at the quadrature points (n, 3), if it is known already.
    """

    def __init__(
        self,
        surface: Surface,
        reduced: DimensionlessDrift,
        potential: Potential | None = None,
        options: Options | None = None,
        velocity: Array | None = None,
    ) -> None:
        self.surface, self.reduced, self.options = surface, reduced, options
        self.potential = potential or weight_of(surface, reduced)
        u = surface.points
        self.values, slope = self.potential(u)
        # The part of the velocity that the weight does not describe.
        self.velocity = reduced.velocity(u) if velocity is None else velocity
        self._rest = self.velocity - reduced.flow(u, slope)
        self._lowest = self.values.reshape(surface.cells, -1).min(axis=1)

    # ---- solutions
    def solve(self, rows: Array, values: Array, *, transposed: bool = False) -> Array:
        """Return w with given values at some of this rank's degrees of freedom, for several columns. Collective.

        Parameters
        ----------
        rows
            Owned degrees of freedom (r,).
        values
            Values of w there (r, n).
        transposed
            Solve the adjoint equation instead, whose solutions are committors.

        Returns
        -------
        Array
            (owned, n).
        """
        matrix = self._matrix(transposed)
        matrix.pin(np.asarray(rows, dtype=int))
        # reshape(len(rows), -1) would be ambiguous on a rank that holds none of the rows.
        values = np.asarray(values, dtype=float).reshape(len(rows), values.shape[1] if values.ndim > 1 else 1)
        b = np.zeros((self.surface.owned, values.shape[1]))
        b[rows] = values
        try:
            return matrix.solved(b, self.options)
        finally:
            matrix.destroy()

    def _matrix(self, transposed: bool) -> Matrix:
        """Return the matrix of -(current of w, grad phi), rows relative to their own weights. Collective."""
        surface, u = self.surface, self.surface.points
        # The lowest V of all cells that meet at a degree of freedom, of other ranks too.
        level = surface.lowest(self._lowest)
        rows = np.exp(level[surface.of_cells] - self._lowest[:, None])
        weight = np.exp(np.repeat(self._lowest, len(u) // max(surface.cells, 1)) - self.values)

        def flow(part: slice, gradient: Array) -> Array:
            return self.reduced.flow(u if part == slice(None) else u[part], gradient)

        return surface.balanced(flow, self._rest, weight, rows, transposed=transposed)

    # ---- integrals
    def log_mass(self, w: Array) -> float:
        """Return the logarithm of the integral of m w; nan if that is not positive. Collective."""
        return self._log(self.surface.at_points(w), np.ones(len(self.values), dtype=bool))

    def log_flux(self, w: Array) -> Callable[[Array], float]:
        """Return a function of phi: the logarithm of the growth of its mean per time in the density m w. Collective.

        The flux is evaluated at the quadrature points from differences within cells, so that a cell where phi is
        constant adds exactly zero. nan if the flux is not positive.
        """
        surface, u = self.surface, self.surface.points
        current = self.reduced.flow(u, surface.gradient_at_points(w)) + surface.at_points(w)[:, None] * self._rest

        def of(phi: Array) -> float:
            slope = surface.gradient_at_points(phi)
            return self._log(np.sum(current * slope, axis=1), (slope != 0).any(axis=1))

        return of

    def _log(self, f: Array, where: Array) -> float:
        """Return the logarithm of the integral of m f over some quadrature points."""
        low = self.values[where].min(initial=np.inf)
        level = float(self.surface.comm.allreduce(float(low), op=MPI.MIN))
        if not np.isfinite(level):
            return np.nan
        total = self.surface.integral(np.where(where, np.exp(-np.maximum(self.values - level, 0.0)) * f, 0.0))
        return float(np.log(total)) - level if total > 0 else np.nan

    def distribution(self, w: Array, method: str) -> Distribution:
        """Return the density m w, normalized. Collective."""
        surface = self.surface
        mass = self.log_mass(w)
        _, slope = self.potential(surface.points)
        m, value = np.exp(-self.values - mass), surface.at_points(w)
        gradient = m[:, None] * (surface.gradient_at_points(w) - value[:, None] * slope)
        nodes = np.exp(-self.potential(surface.nodes)[0] - mass) * w
        return Distribution(surface, nodes, m * value, gradient, method)
