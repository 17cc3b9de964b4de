"""A probability density of the direction, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from dolfinx import fem
from mpi4py import MPI

from ..energy.on_sphere import Array
from ..errors import InputError
from .dimensionless import DimensionlessDrift
from .fourier import Fourier
from .meridian import Meridian
from .space import Density, Sigma

type Surface = Sigma | Fourier | Meridian

type Gauge = Literal["forces", "drift"]
"""Which of the currents that have the same divergence; see :meth:`Distribution.current`."""


@dataclass(frozen=True)
class Distribution:
    """A density rho(u) on the sphere, with unit integral.

    Attributes
    ----------
    surface
        Surface on which it lives: a :class:`Sigma`, or a :class:`Meridian` if it is symmetric.
    nodes, points
        Values at the nodes of this rank (owned,) and at its quadrature points (n,).
    gradient
        Gradient at the quadrature points (n, 3).
    method
        Name of the method that found it.
    error_estimate
        Error of the mean direction, against a space with a degree less; None if none was made.

    Examples
    --------
    >>> steady = fs.FokkerPlanck(comm, spin, fs.SpinTorque.critical(spin, -0.2)).steady()
    >>> round(steady.mean[2].item(), 3), round(steady.probability((0, 0, 1)), 3)
    (-0.844, 0.032)
    >>> round(steady.expect(lambda u: u[:, 2] ** 2), 3)
    0.814
    """

    surface: Surface = field(repr=False)
    nodes: Array = field(repr=False)
    points: Array = field(repr=False)
    gradient: Array = field(repr=False)
    method: str
    error_estimate: float | None = None

    def expect(self, observable: Density) -> float:
        """Return the mean of a function of the direction. Collective."""
        return self.surface.integral(self.points * observable(self.surface.points))

    @property
    def mean(self) -> Array:
        """Return the mean direction (3,). Collective."""
        u = self.surface.points
        mean = np.array([self.surface.integral(self.points * u[:, k]) for k in range(3)])
        if self.surface.dim == 1:  # integrated over the angle about the axis, only the component along it is left
            mean = (mean @ self.surface.axis) * self.surface.axis
        return mean

    def probability(self, axis: Sequence[float] | Array) -> float:
        """Return the probability of the hemisphere u.axis > 0. Collective."""
        load = self.surface.hemisphere(axis, lambda u: np.ones(len(u)))
        return float(self.surface.comm.allreduce(float(load @ self.nodes)))

    @property
    def mass_error(self) -> float:
        """Return the integral minus one. Collective."""
        return self.surface.integral(self.points) - 1

    @property
    def minimum_density(self) -> float:
        """Return the smallest density at the nodes (1/sr): negative where the method overshoots. Collective."""
        return float(self.surface.comm.allreduce(float(self.nodes.min(initial=np.inf)), op=MPI.MIN))

    @property
    def negative_mass(self) -> float:
        """Return the integral of the density's negative part, as a positive number. Collective."""
        return self.surface.integral(np.maximum(-self.points, 0.0))

    @property
    def blur(self) -> float:
        """Return the integral of the difference between the density and what is interpolated from its nodes."""
        return self.surface.integral(np.abs(self.surface.at_points(self.nodes) - self.points))

    def at(self, surface: Surface) -> Array:
        """Return the density at the quadrature points of its own surface, or of other rings if it lives on rings."""
        if surface is self.surface:
            return self.points
        if not isinstance(self.surface, Fourier):
            raise InputError("distribution: it lives on another mesh")
        return self.surface.at(self.nodes, surface.points)

    def function(self) -> fem.Function:
        """Return the density as a DOLFINx function. Collective."""
        return self.surface.function(self.nodes, "density")

    def current(self, reduced: DimensionlessDrift, *, gauge: Gauge = "forces") -> Array:
        """Return J/D at the quadrature points (n, 3).

        The Fokker-Planck equation knows the divergence of J only. Two currents that differ by a curl, (1/alpha) u x
        grad rho, have the same divergence and the same flux out of any region::

            "forces"    J = -L grad mu + rho X,  mu = kT ln rho + E        zero in equilibrium
            "drift"     J = rho b - D grad rho                             circulates along lines of energy there

        Parameters
        ----------
        reduced
            Velocity of the direction, without units.
        gauge
            "forces", that of irreversible thermodynamics, in which grad mu drives precession as well; or "drift", in
            which the deterministic motion b carries the density and diffusion runs straight down its gradient.

        Raises
        ------
        InputError
            If the gauge is unknown.
        """
        if gauge not in ("forces", "drift"):
            raise InputError(f"current: gauge is {gauge!r}; it is 'forces' or 'drift'")
        u, rho = self.surface.points, self.points[:, None]
        current = reduced.flow(u, self.gradient + rho * reduced.slope(u)) + rho * reduced.torque_velocity(u)
        if gauge == "drift":
            current = current - np.cross(u, self.gradient) / reduced.spin.damping
        return np.asarray(current)

    def summary(self) -> dict[str, Any]:
        """Return mean, mass error, smallest density and method, for JSON. Collective."""
        return {
            "mean_direction": self.mean.tolist(),
            "mass_error": self.mass_error,
            "minimum_density": self.minimum_density,
            "negative_mass": self.negative_mass,
            "method": self.method,
            "error_estimate": self.error_estimate,
        }


def mean_change(found: Distribution, other: Distribution) -> float:
    """Return the length of the difference of two mean directions. Collective."""
    return float(np.linalg.norm(found.mean - other.mean))


def mixture(parts: Sequence[Distribution], weights: Sequence[float] | Array, method: str) -> Distribution:
    """Return a weighted sum of distributions on one surface."""
    pairs = list(zip(weights, parts, strict=True))
    nodes, points, gradient = (
        np.asarray(sum(w * getattr(d, name) for w, d in pairs)) for name in ("nodes", "points", "gradient")
    )
    return Distribution(parts[0].surface, nodes, points, gradient, method)


def power(distribution: Distribution, reduced: DimensionlessDrift) -> dict[str, float]:
    """Return the power that the torque does and the one that is dissipated, in units of kT D (a steady state's agree).

    work = integral rho X.grad mu, dissipation = integral rho grad mu.K grad mu with mu = ln rho + v (and D = kT = 1).
    Collective.
    """
    surface, u = distribution.surface, distribution.surface.points
    force = distribution.gradient + distribution.points[:, None] * reduced.slope(u)
    work = surface.integral(np.sum(reduced.torque_velocity(u) * force, axis=1))
    positive = np.maximum(distribution.points, 1e-300)
    squared = np.sum(force * reduced.dissipative(u, force), axis=1)
    # Where the density is below rounding, its logarithm is meaningless.
    trusted = distribution.points > 1e-12 * distribution.points.max(initial=0.0)
    return {"work": work, "dissipation": surface.integral(np.where(trusted, squared / positive, 0.0))}
