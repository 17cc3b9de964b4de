"""Saslow's numbers: what a field and a current do to a wall, and how fast a temperature gradient moves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from ..constants import ELEMENTARY_CHARGE, HBAR
from ..quantities import require_positive
from .generic import GenericMagnet
from .magnet import TexturedMagnet
from .moving import damping_rate
from .responses import IrreversibleMagnet, require_irreversible


@dataclass(frozen=True)
class WallEstimates:
    """The sizes of spin torque and spin pumping in a wall (Saslow 2007, Sec. VII.B), without vectors and signs.

    Attributes
    ----------
    coefficient
        L_g = P sigma mu_B/(e^2 Ms) (m2/(J s)), Eq. (81).
    width
        delta (m), over which M reverses.
    gyromagnetic_ratio
        gamma (rad/(s T)).
    saturation_magnetization
        Ms (A/m).
    conductivity
        sigma (S/m).

    Examples
    --------
    >>> from fespin.texture import WallEstimates
    >>> cobalt = fs.TexturedMagnet(1.45e6, 3e-11, damping=0.01, conductivity=3.4e7, polarization=0.6)
    >>> sizes = WallEstimates.of(cobalt, width=10e-9)
    >>> print(f"{sizes.torque_field(1e4):.1e} T, {sizes.pumped_field(0.1):.0f} V/m, {sizes.voltage(0.1):.1e} V")
    4.6e-03 T, 695 V/m, 6.9e-06 V
    """

    coefficient: float
    width: float
    gyromagnetic_ratio: float
    saturation_magnetization: float
    conductivity: float

    @classmethod
    def of(cls, magnet: TexturedMagnet, width: float) -> Self:
        """Return the sizes for a wall in a magnet.

        Parameters
        ----------
        width
            delta (m), over which M reverses; 10 nm in the paper.
        """
        require_positive("wall estimates", "width", width)
        ms = magnet.saturation_magnetization
        moment = magnet.gyromagnetic_ratio * HBAR / 2
        coefficient = abs(magnet.polarization) * magnet.conductivity * moment / (ELEMENTARY_CHARGE**2 * ms)
        return cls(coefficient, width, magnet.gyromagnetic_ratio, ms, magnet.conductivity)

    @property
    def torque_ratio(self) -> float:
        """Return R_ST = L_g e/(gamma delta) (T m/V), Eq. (79)."""
        return self.coefficient * ELEMENTARY_CHARGE / (self.gyromagnetic_ratio * self.width)

    @property
    def pumping_ratio(self) -> float:
        """Return R_SP = 2 e Ms L_g/(delta sigma) (V/(T m)), Eq. (86)."""
        pumped = 2 * ELEMENTARY_CHARGE * self.saturation_magnetization * self.coefficient
        return pumped / (self.width * self.conductivity)

    def torque_field(self, electric_field: float) -> float:
        """Return H_ST (T), the magnetic field with the torque of the current that an electric field (V/m) drives."""
        return self.torque_ratio * electric_field

    def pumped_field(self, field: float) -> float:
        """Return E_SP (V/m), the electric field with the current that a magnetic field (T) pumps, Eq. (84)."""
        return self.pumping_ratio * field

    def voltage(self, field: float) -> float:
        """Return E_SP delta (V): 2 P mu_B/e per tesla whatever the width, Eq. (88)."""
        return self.pumped_field(field) * self.width


@dataclass(frozen=True)
class ThermalDrift:
    """What a temperature gradient does to a texture without a charge current, per K/m (docs/theory.md).

    dm/dt = ... - (u_L.grad) m + m x (w.grad) m in the form of Landau and Lifshitz; Gilbert's equation of that motion
    has a drift velocity u and a nonadiabaticity beta.

    Attributes
    ----------
    adiabatic, nonadiabatic
        u_L and w over grad T (m2/(s K)).
    damping
        Gilbert's alpha.

    Examples
    --------
    >>> from fespin.texture import thermal_drift
    >>> magnet = fs.GenericMagnet(4e6, A_perp=8780.0, thermal_conductivity=40.0, L_sM1=-2e-5, L_sM_prime=1e-13)
    >>> drift = thermal_drift(magnet, saturation_magnetization=8e5)
    >>> print(f"{drift.velocity:.2e} {drift.drift:.2e} {drift.nonadiabaticity:.3f}")
    2.20e-05 2.00e-05 0.044
    """

    adiabatic: float
    nonadiabatic: float
    damping: float

    @property
    def drift(self) -> float:
        """Return u over grad T, u = u_L - alpha w (m2/(s K))."""
        return self.adiabatic - self.damping * self.nonadiabatic

    @property
    def nonadiabaticity(self) -> float:
        """Return beta = (w + alpha u_L)/(u_L - alpha w)."""
        return (self.nonadiabatic + self.damping * self.adiabatic) / self.drift

    @property
    def velocity(self) -> float:
        """Return that of a wall below breakdown over grad T, beta u/alpha = u_L + w/alpha (m2/(s K))."""
        return self.adiabatic + self.nonadiabatic / self.damping


def thermal_drift(magnet: IrreversibleMagnet, saturation_magnetization: float) -> ThermalDrift:
    """Return what a temperature gradient does to a texture of a generic or a two-band magnet at J = 0.

    Two bands have the same potential, as they have further than the spin-diffusion length from surfaces.

    Parameters
    ----------
    saturation_magnetization
        Ms (A/m).

    Raises
    ------
    InputError
        If the magnet is another one, or Ms is not positive.

    Examples
    --------
    >>> from fespin.texture import thermal_drift
    >>> bands = fs.TwoBandMagnet.of(permalloy, 5e-9)
    >>> print(f"{thermal_drift(bands, 8e5).velocity:.1f}")  # without Seebeck coefficients
    0.0
    """
    require_irreversible(magnet)
    require_positive("thermal drift", "saturation_magnetization", saturation_magnetization)
    ms = saturation_magnetization
    if isinstance(magnet, GenericMagnet):
        heat, charge = magnet.L_sM1 - magnet.L_sQ, magnet.L_nM1 - magnet.L_nQ
        seebeck, sigma, twist = magnet.L_sn, magnet.conductivity, magnet.L_nM_prime
    else:
        heat, charge = magnet.L_sM * ms**2, (magnet.L_up_M + magnet.L_down_M) * ms**2
        seebeck, twist = magnet.L_s_up + magnet.L_s_down, magnet.L_up_M_prime + magnet.L_down_M_prime
        sigma = magnet.conductivity_up + magnet.conductivity_down + 2 * ELEMENTARY_CHARGE**2 * magnet.L_up_down
    # grad mu over -grad T without a current.
    push = ELEMENTARY_CHARGE**2 / sigma * seebeck
    alpha = damping_rate(magnet, ms) / magnet.gyromagnetic_ratio
    return ThermalDrift(-(heat - push * charge), ms * (magnet.L_sM_prime - push * twist), alpha)
