"""The Fokker-Planck equation without units: energies in kT, time in 2 tau_N."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..energy.on_sphere import Array, tangent_frame
from ..macrospin.spin import Macrospin
from ..macrospin.torque import Torque

_STEP = 1e-5


@dataclass(frozen=True)
class DimensionlessDrift:
    """Velocity of the direction without units, per D = 1/(2 tau_N).

    With s = t/(2 tau_N) and v = E/kT, the current of the density rho is::

        J = -grad rho + rho b,   b = -grad v + (1/alpha) u x grad v + X/D,   X = grad chi + u x grad Phi

    With pumping, K and r of :meth:`Macrospin.mobility` instead of 1 and 1/alpha, and r acts on all of mu = ln rho + v::

        J = -rho K grad mu + rho r u x grad mu + rho X/D

    Attributes
    ----------
    spin
        The macrospin.
    torque
        The spin torque, or None.
    amplitude
        Factor on the torque.
    field
        A field in addition to the macrospin's own (T).
    pace
        D of the spin over that which times count in: other than 1 for a magnet that warms up.
    """

    spin: Macrospin
    torque: Torque | None = None
    amplitude: float = 1.0
    field: tuple[float, float, float] = (0.0, 0.0, 0.0)
    pace: float = 1.0

    @property
    def has_torque(self) -> bool:
        """True if there is a torque."""
        return self.torque is not None and self.amplitude != 0

    def potential(self, u: Array) -> Array:
        """Return v = E/kT at directions u (n, 3)."""
        return np.asarray(self.spin.reduced_energy(u) - u @ self._pull)

    def slope(self, u: Array) -> Array:
        """Return the gradient of v at directions u (n, 3)."""
        pull = self._pull
        return np.asarray(self.spin.reduced_energy.gradient(u) - pull + (u @ pull)[:, None] * u)

    @property
    def _pull(self) -> Array:
        return self.spin.moment / self.spin.thermal_energy * np.asarray(self.field)

    def effective(self, u: Array) -> tuple[Array, Array]:
        """Return the effective potential V = v - chi/D and its gradient at directions u; V = v if chi is unknown."""
        v, slope = self.potential(u), self.slope(u)
        chi = self.torque.chi(u, self.spin) if self.has_torque and self.torque is not None else None
        if chi is None:
            return v, slope
        factor = self.amplitude / self.spin.diffusion
        return v - factor * chi[0], slope - factor * chi[1]

    @property
    def pumped(self) -> bool:
        """True if K and r depend on the direction."""
        return self.spin.pumping is not None

    def dissipative(self, u: Array, gradient: Array) -> Array:
        """Return K times a gradient at directions u, (n, 3)."""
        if not self.pumped:
            return gradient
        return np.asarray(np.einsum("nij,nj->ni", self.spin.mobility(u)[0], gradient))

    def flow(self, u: Array, gradient: Array) -> Array:
        """Return -K times the gradient of a potential plus r u x gradient, the velocity it makes, (n, 3)."""
        if not self.pumped:
            return _cross(u, gradient) / self.spin.damping - gradient
        k, r = self.spin.mobility(u)
        return np.asarray(r[:, None] * _cross(u, gradient) - np.einsum("nij,nj->ni", k, gradient))

    def slope_of_swirl(self, u: Array) -> Array:
        """Return the gradient of r along the sphere at directions u, by differences, (n, 3)."""
        out = np.zeros_like(u)
        if self.pumped:
            for e in np.swapaxes(tangent_frame(u), 0, 1):
                ahead, behind = (self.spin.mobility(np.cos(_STEP) * u + np.sin(x) * e)[1] for x in (_STEP, -_STEP))
                out += ((ahead - behind) / (2 * _STEP))[:, None] * e
        return out

    def torque_velocity(self, u: Array) -> Array:
        """Return X/D at directions u (n, 3)."""
        if not self.has_torque:
            return np.zeros_like(u)
        torque, spin = self.torque, self.spin
        assert torque is not None
        return np.asarray(
            self.amplitude / spin.diffusion * spin.remembered(torque, u, lambda: torque.velocity(u, spin))
        )

    def velocity(self, u: Array) -> Array:
        """Return b at directions u (n, 3)."""
        return np.asarray(self.flow(u, self.slope(u)) + self.torque_velocity(u))


def _cross(a: Array, b: Array) -> Array:
    """Return the cross products of vectors (n, 3), several times as fast as NumPy's for few of them."""
    out = np.empty_like(b)
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        out[:, i] = a[:, j] * b[:, k] - a[:, k] * b[:, j]
    return out
