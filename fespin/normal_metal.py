"""A normal metal that takes up spins at the surface of a magnet."""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass

from .quantities import require_positive


@dataclass(frozen=True)
class NormalMetal:
    """A metal without magnetization, in which an accumulation of spins diffuses and flips.

    With D = phi_up - phi_down the spin current along x is J_s = J_up - J_down = -(1/(2 rho)) dD/dx, and
    l^2 d2D/dx2 = D + tau dD/dt. Seen from its surface the metal is a resistance for spins: D(0) = 2 r J_s(0), with
    r = rho l tanh(thickness/l) if its far end holds no accumulation.

    Attributes
    ----------
    resistivity
        rho (ohm m).
    spin_diffusion_length
        l (m).
    thickness
        Distance (m) to a far end without accumulation; infinite by default.
    relaxation_time
        tau (s) of the accumulation; 0: it follows at once.

    Raises
    ------
    InputError
        If a value is out of range.

    Examples
    --------
    >>> from fespin.normal_metal import NormalMetal
    >>> copper = NormalMetal(resistivity=6e-9, spin_diffusion_length=450e-9)
    >>> print(f"{copper.spin_resistance().real:.2e}")  # ohm m2
    2.70e-15
    """

    resistivity: float
    spin_diffusion_length: float
    thickness: float = math.inf
    relaxation_time: float = 0.0

    def __post_init__(self) -> None:
        for key in ("resistivity", "spin_diffusion_length"):
            require_positive("normal metal", key, getattr(self, key))
        if self.thickness != math.inf:
            require_positive("normal metal", "thickness", self.thickness)
        require_positive("normal metal", "relaxation_time", self.relaxation_time, zero=True)

    def decay_length(self, omega: float = 0.0) -> complex:
        """Return l/sqrt(1 + i omega tau) (m), over which exp(i omega t) decays from the surface."""
        return self.spin_diffusion_length / cmath.sqrt(1 + 1j * omega * self.relaxation_time)

    def spin_resistance(self, omega: float = 0.0) -> complex:
        """Return r = D/(2 J_s) at the surface (ohm m2), for exp(i omega t)."""
        length = self.decay_length(omega)
        open_ended = self.thickness == math.inf
        return self.resistivity * length * (1.0 if open_ended else cmath.tanh(self.thickness / length))

    def profile(self, depth: float, omega: float = 0.0) -> complex:
        """Return the accumulation at a depth (m) for one of 1 at the surface."""
        length = self.decay_length(omega)
        if self.thickness == math.inf:
            return cmath.exp(-depth / length)
        # Of exponentials that do not overflow in a thick metal.
        far = cmath.exp(-2 * self.thickness / length)
        near, back = cmath.exp(-depth / length), cmath.exp((depth - 2 * self.thickness) / length)
        return (near - back) / (1 - far)
