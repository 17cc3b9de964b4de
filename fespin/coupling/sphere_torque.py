"""The torque of a direction map on a macrospin, its potentials, and the damping by pumping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..harmonics import expansion, harmonics, quadrature, sizes
from ..macrospin.damping import turning
from ..macrospin.spin import Macrospin
from .circuit import Circuit

if TYPE_CHECKING:
    from .direction_maps import DirectionMap

type Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DirectionTorque:
    """The spin torque of a direction map and a drive, made by :meth:`DirectionMap.torque`.

    Attributes
    ----------
    map
        Torque and resistance of the device.
    circuit
        What drives the device.
    per_tau
        1/(Ms t) of the macrospin (m2/(J T)).
    """

    map: DirectionMap
    circuit: Circuit
    per_tau: float

    @property
    def axis(self) -> None:
        """Return None: no symmetry is assumed."""
        return None

    def velocity(self, u: Array, spin: Macrospin) -> Array:
        """Return X (1/s) at directions u (n, 3)."""
        return spin.explicit(self.gilbert(u, spin), u)

    def gilbert(self, u: Array, spin: Macrospin) -> Array:
        """Return the torque in Gilbert's equation (1/s) at directions u (n, 3)."""
        # tau acts on the angular momentum, which is antiparallel to u.
        return np.asarray(-spin.gyromagnetic_ratio * self.per_tau * self._tau(u))

    def potentials(self, u: Array, spin: Macrospin) -> tuple[Array, Array] | None:
        """Return chi and Phi of X = grad chi + u x grad Phi (1/s) at directions u (n, 3); None if unknown."""
        found = self._explicit(spin)
        if found is None:
            return None
        chi, phi = expansion(found, u)[0]
        return chi, phi

    def chi(self, u: Array, spin: Macrospin) -> tuple[Array, Array] | None:
        """Return chi and its gradient (1/s) at directions u, (n,) and (n, 3); None if unknown.

        Unknown with pumping, and at a voltage if the current varies so much that harmonics do not resolve it.
        """
        found = self._explicit(spin)
        return None if found is None else expansion(found[0], u)

    def scaled(self, factor: float) -> DirectionTorque:
        """Return the torque of `factor` times the drive."""
        given = self.circuit
        if given.voltage is not None:
            return replace(self, circuit=replace(given, voltage=factor * given.voltage))
        assert given.current_density is not None
        return replace(self, circuit=replace(given, current_density=factor * given.current_density))

    def _tau(self, u: Array) -> Array:
        """Return tau (J/m2), (n, 3)."""
        found = self.map
        values, (chi, phi, _) = expansion(np.stack([found.chi, found.phi, found.resistance_area]), u)
        return np.asarray(self.circuit.current_at(values[2])[:, None] * (chi + np.cross(u, phi)))

    def _explicit(self, spin: Macrospin) -> Array | None:
        """Return the coefficients of chi and Phi of X (1/s), (2, (L + 1)^2)."""
        # With pumping the explicit form has coefficients that depend on the direction.
        if spin.pumping is not None or self._driven is None:
            return None
        # g = grad a + u x grad b has u x g = -grad b + u x grad a.
        a, b = -spin.gyromagnetic_ratio * self.per_tau * self._driven
        return np.stack([a - spin.damping * b, b + spin.damping * a]) / (1 + spin.damping**2)

    @cached_property
    def _driven(self) -> Array | None:
        """Return the coefficients of the potentials of tau (J/m2)."""
        if self.circuit.current_density is not None:
            return self.circuit.current_density * np.stack([self.map.chi, self.map.phi])
        return _potentials(self._tau, self.map.degree)


@dataclass(frozen=True, eq=False)
class DirectionDamping:
    """The damping that pumping adds in a circuit, made by :meth:`DirectionMap.pumped`.

    Attributes
    ----------
    map
        With pumping.
    circuit
        What drives the device.
    scale
        gamma/(Ms t) of the macrospin (m2/(J s)).
    """

    map: DirectionMap
    circuit: Circuit
    scale: float

    @property
    def axis(self) -> None:
        """Return None: no symmetry is assumed."""
        return None

    def tensor(self, u: Array) -> Array:
        """Return A at directions u (n, 3), (n, 3, 3): it acts on du/dt."""
        found = self.map
        assert found.pumping is not None
        values = expansion(found.pumping, u)[0].T
        gamma: Array = values[:, :9].reshape(-1, 3, 3)
        current = values[:, 9:]
        area = found.resistance_at(u)
        # The pumped current drives itself back by a voltage -feedback a.w, which makes the torque of a voltage.
        per_voltage = found.torque_per_current(u) / area[:, None]
        gamma = gamma + self.circuit.feedback(area)[:, None, None] * per_voltage[:, :, None] * current[:, None, :]
        # Gamma acts on u x du/dt, and its result enters as it is; A's is turned by u x.
        turn = turning(u)
        return np.asarray(-self.scale * turn @ gamma @ turn)


def _potentials(field: Callable[[Array], Array], degree: int) -> Array | None:
    """Return the coefficients of a smooth field's potentials (2, n), of a degree that resolves it to 1e-9, or None."""
    for more in (4, 8, 16, 32, 48):
        top = degree + more
        u, weight = quadrature(2 * top)
        values, size = weight[:, None] * field(u), np.array([1.0, *sizes(top)])
        parts = np.zeros((2, (top + 1) ** 2))
        for here in np.array_split(np.arange(len(u)), top):
            slope = harmonics(u[here], top)[1]
            parts[0] += np.tensordot(slope, values[here], axes=([0, 2], [0, 1])) / size
            # (u x grad Y).f = grad Y.(f x u)
            parts[1] += np.tensordot(slope, np.cross(values[here], u[here]), axes=([0, 2], [0, 1])) / size
        if np.abs(parts[:, (top - 1) ** 2 :]).max() <= 1e-9 * np.abs(parts).max():
            return np.asarray(parts / size)
    return None
