"""The discrete Fokker-Planck operator, M dx/ds = -A x, in two weak forms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mpi4py import MPI

from ..energy.on_sphere import Array
from ..petsc import Options
from .dimensionless import DimensionlessDrift
from .distribution import Distribution, Surface
from .matrix import Matrix, Solver
from .space import Density, Potential
from .weight import weight_of

# Smallest weight, well above the smallest floating-point number; smaller weights are set to it.
_LEAST = 1e-260


class Operator:
    """The Fokker-Planck operator on a surface. The constructor is collective.

    Two weak forms, tested with phi::

        plain:     rho itself is the unknown w
        weighted:  rho = m w with m = exp(-V), V = v - chi/D the effective potential (Slotboom's variable)

        (m w_s, phi) = -(m grad w, grad phi) + (1/alpha) int m u.(grad w x grad phi) + (m w F, grad phi)

    (with pumping K grad w for grad w, and r for 1/alpha).

    In the weighted form a constant w solves the equation exactly where F vanishes: Boltzmann's
    distribution without torque. Both matrices are scaled by the square root of the diagonal of M; the
    unknowns are x = sqrt(diag M) w.

    Attributes
    ----------
    M, A
        Scaled matrices.
    scale
        Square root of the diagonal of M (owned,).
    floor
        The smallest V, subtracted from it.
    """

    def __init__(
        self,
        surface: Surface,
        reduced: DimensionlessDrift,
        *,
        weighted: bool,
        potential: Potential | None = None,
        options: Options | None = None,
    ) -> None:
        self.surface, self.reduced, self.weighted, self.options = surface, reduced, weighted, options
        self.potential = potential or weight_of(surface, reduced)
        self._mass_factor: Solver | None = None
        u, alpha = surface.points, reduced.spin.damping
        if weighted:
            self._known = values, slope = self.potential(u)
            self.floor = float(surface.comm.allreduce(float(values.min(initial=np.inf)), op=MPI.MIN))
            m = self._weight(values)
            drift = m[:, None] * self.remainder(u, m, slope)
            if reduced.pumped:
                k, r = reduced.spin.mobility(u)
                self.A: Matrix = surface.transport(m[:, None, None] * k, m * r, drift)
            else:
                self.A = surface.transport(m, m / alpha, drift)
            self.M: Matrix = surface.mass(m)
        else:
            self.floor = 0.0
            v, slope = reduced.potential(u), reduced.slope(u)
            drift = reduced.torque_velocity(u)
            if reduced.pumped:
                # The constant part 1/alpha of r is treated as without pumping, the rest of r as it is.
                k, r = reduced.spin.mobility(u)
                more = r - 1 / alpha
                drift += more[:, None] * np.cross(u, slope) - reduced.dissipative(u, slope)
                self.A = surface.transport(k, more - v / alpha, drift)
            else:
                self.A = surface.transport(np.ones(len(u)), -v / alpha, drift - slope)
            self.M = surface.unit_mass.copy()
        self.scale: Array = np.sqrt(self.M.diagonal())
        for matrix in (self.A, self.M):
            matrix.rescale(1 / self.scale, 1 / self.scale)
        if not weighted:
            # This mass matrix depends on neither energy nor torque: it is made once per surface.
            if surface.unit_factor is None:
                surface.unit_factor = self.M.factor(options)
            self._mass_factor = surface.unit_factor

    def weight(self, u: Array) -> Array:
        """Return m at directions u (n, 3); ones in the plain form."""
        if not self.weighted:
            return np.ones(len(u))
        return self._weight(self._known[0] if u is self.surface.points else self.potential(u)[0])

    def remainder(self, u: Array, m: Array, slope: Array) -> Array:
        """Return F, what the weight does not contain of the velocity, at directions u (n, 3)."""
        slope = np.where((m > _LEAST)[:, None], slope, 0.0)
        return np.asarray(self.reduced.velocity(u) - self.reduced.flow(u, slope))

    def _weight(self, potential: Array) -> Array:
        return np.asarray(np.maximum(np.exp(-np.clip(potential - self.floor, -5.0, 700.0)), _LEAST))

    # ---- unknowns, densities, integrals
    @property
    def ones(self) -> Array:
        """Return x of w = 1, whose product with M x is the mass, (owned,)."""
        return self.scale

    def project(self, load: Array) -> Array:
        """Return x of the density whose integrals with the basis functions are given (owned,). Collective."""
        if self._mass_factor is None:
            self._mass_factor = self.M.factor(self.options)
        return self._mass_factor.solve(load / self.scale)

    def functional(self, load: Array) -> Array:
        """Return f with f.x = the sum of `load` times w, (owned,)."""
        return load / self.scale

    def density(self, x: Array) -> Array:
        """Return the density at the nodes (owned,)."""
        w = x / self.scale
        return w * self.weight(self.surface.nodes)

    def density_at_points(self, x: Array) -> Array:
        """Return the density at the quadrature points (n,). Collective."""
        w = self.surface.at_points(x / self.scale)
        return w * self.weight(self.surface.points)

    def gradient_at_points(self, x: Array) -> Array:
        """Return the density's gradient at the quadrature points (n, 3). Collective."""
        gradient = self.surface.gradient_at_points(x / self.scale)
        if not self.weighted:
            return gradient
        u = self.surface.points
        m, slope = self.weight(u)[:, None], self._known[1]
        return np.asarray(m * (gradient - self.surface.at_points(x / self.scale)[:, None] * slope))

    def distribution(self, x: Array, method: str) -> Distribution:
        """Return the density of the unknowns as a distribution. Collective."""
        return Distribution(
            self.surface, self.density(x), self.density_at_points(x), self.gradient_at_points(x), method
        )

    def observable(self, function: Density) -> Array:
        """Return f with f.x = the integral of function times the density, (owned,). Collective."""
        u = self.surface.points
        return self.functional(self.surface.load(function(u) * self.weight(u)))

    def hemisphere(self, axis: Sequence[float] | Array) -> Array:
        """Return f with f.x = the integral of the density over u.axis > 0, (owned,). Collective."""
        return self.functional(self.surface.hemisphere(axis, self.weight))

    def dot(self, a: Array, b: Array) -> float:
        """Return the sum of products over all ranks. Collective."""
        return float(self.surface.comm.allreduce(float(a @ b)))

    def mass(self, x: Array) -> float:
        """Return the integral of the density. Collective."""
        return self.dot(self.ones, self.M.apply(x))

    def shifted(self, mass: float, transport: float) -> Solver:
        """Return the factors of mass M + transport A. Collective."""
        matrix = self.A.combined(transport, self.M, mass)
        factor = matrix.factor(self.options)
        matrix.destroy()
        return factor

    def destroy(self) -> None:
        """Free matrices and factors. Collective."""
        self.A.destroy()
        self.M.destroy()
        if self._mass_factor is not None and self.weighted:
            self._mass_factor.destroy()
        self._mass_factor = None
