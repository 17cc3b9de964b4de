r"""What drives M and m: fluxes and reservoirs at the boundary, currents from a normal metal, and an applied field.

Spins that diffuse are carried by electrons. An electron of charge -e that flips from "down" to "up" adds 2 mu_B to m,
and the free energy grows by mu0 b times that, with the potential b = dm_/chi_m. Between electrons the same flip takes
-e D, D = phi_up - phi_down. So the accumulation of two-channel transport inside the magnet, the flux of m, and the
resistivity rho* = rho/(1 - beta^2) of the magnet are

    D = -(2 mu_B mu0/e) b,     flux of m = -(mu_B/e) J_s,     rho* = mu0 mu_B^2/(e^2 D_m chi_m),

with J_s = beta J - (1/(2 rho*)) grad D. The last is Einstein's relation; D_m is the diffusion constant of m.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from dolfinx import fem

from ..constants import BOHR_MAGNETON, ELEMENTARY_CHARGE, VACUUM_PERMEABILITY
from ..errors import InputError
from ..normal_metal import NormalMetal
from ..quantities import is_finite, require_asymmetry, require_positive, require_type
from .magnet import Array

type Amount = float | complex | Callable[[float], float]
type Shape = float | Callable[[Array], Array] | fem.Function

ACCUMULATION_PER_POTENTIAL = -2 * BOHR_MAGNETON * VACUUM_PERMEABILITY / ELEMENTARY_CHARGE
"""D/b, V per (A/m)."""
MOMENT_PER_CHARGE = BOHR_MAGNETON / ELEMENTARY_CHARGE
"""mu_B/e (A m2/C): a spin current J_s carries the moment -(mu_B/e) J_s."""


@dataclass(frozen=True)
class Flux:
    """A given spin flux through a part of the boundary.

    Attributes
    ----------
    outward
        -D d(dm_)/dn (A/s): what leaves, so a negative one injects. A number, a function of time (s), or the complex
        amplitude of exp(i omega t).

    Examples
    --------
    >>> from fespin.longitudinal import Flux, respond
    >>> magnet = fs.LongitudinalMagnet(xi=0.3, tau_mM=1e-12, diffusion=2e-3, tau_mL=30e-12)
    >>> problem = fs.LongitudinalProblem(wire, magnet, parts={"left": lambda x: x[0] < 1e-12})
    >>> injected = respond(problem, 0.0, {"left": Flux(outward=-1e3)})  # 1e3 A/s into the wire
    >>> print(f"{injected.mean_accumulation['left'].real:.3e}")
    1.322e-01
    """

    outward: Amount


@dataclass(frozen=True)
class Held:
    """A reservoir of spins: the accumulation that drives diffusion is held on a part of the boundary.

    Attributes
    ----------
    accumulation
        dm_ = Delta m + xi Delta M (A/m); 0 is an ideal sink. As in :class:`Flux`.

    Examples
    --------
    >>> from fespin.longitudinal import Flux, Held, respond
    >>> magnet = fs.LongitudinalMagnet(xi=0.3, tau_mM=1e-12, diffusion=2e-3, tau_mL=30e-12)
    >>> ends = {"left": lambda x: x[0] < 1e-12, "right": lambda x: x[0] > 399e-9}
    >>> problem = fs.LongitudinalProblem(wire, magnet, parts=ends)
    >>> injected = respond(problem, 0.0, {"left": Flux(-1e3), "right": Held(0.0)})
    >>> print(f"{injected.inward['right'].real:.3e}")
    -3.763e+02
    """

    accumulation: Amount


@dataclass(frozen=True)
class Contact:
    """A normal metal on a part of the boundary, and the charge current that comes through it.

    Outside, the two spin channels of the metal; at the interface their resistances, AR* and gamma; inside, M and m,
    whose spins also drift with the current, beta J of it. All are one system: the metal is uniform along the normal and
    its solution known, so that it enters as the relation of flux and accumulation at the surface. With r the metal's
    spin resistance and the axis into the magnet,

        J_s = [gamma AR* J - D/2]/(AR* + r)    at the interface, with D of the magnet's side,

    of which beta J drifts on and the rest diffuses. In time the metal follows at once; at a frequency its
    relaxation time counts.

    Attributes
    ----------
    metal
        The metal.
    current_density
        J (A/m2) of the charge that flows into the magnet here; a number, a function of time (s), or a complex
        amplitude. Zero: the metal only takes up spins.
    area_resistance_star
        AR* of the interface (ohm m2).
    gamma
        Asymmetry of the interface, between -1 and 1.
    beta
        Asymmetry of the magnet's conduction, between -1 and 1.

    Raises
    ------
    InputError
        If a value is out of range.

    Examples
    --------
    >>> from fespin.longitudinal import Contact, respond
    >>> from fespin.normal_metal import NormalMetal
    >>> magnet = fs.LongitudinalMagnet(xi=0.3, tau_mM=1e-12, diffusion=2e-3, tau_mL=30e-12, susceptibility=1e-4)
    >>> problem = fs.LongitudinalProblem(wire, magnet, parts={"left": lambda x: x[0] < 1e-12})
    >>> copper = NormalMetal(resistivity=6e-9, spin_diffusion_length=450e-9)
    >>> left = Contact(copper, current_density=1e11, area_resistance_star=0.5e-15, gamma=0.77, beta=0.46)
    >>> found = respond(problem, 0.0, {"left": left}).contacts["left"]
    >>> print(f"{found.spin_current.real:.3e} {found.spin_resistance.real:.3e}")
    4.100e+10 5.651e-16
    """

    metal: NormalMetal
    current_density: Amount = 0.0
    area_resistance_star: float = 0.0
    gamma: float = 0.0
    beta: float = 0.0

    def __post_init__(self) -> None:
        require_type("contact", self.metal, NormalMetal)
        require_positive("contact", "area_resistance_star", self.area_resistance_star, zero=True)
        for key in ("gamma", "beta"):
            require_asymmetry("contact", key, getattr(self, key))

    def _resistance(self, omega: float) -> complex:
        """Return AR* + r (ohm m2)."""
        return self.area_resistance_star + self.metal.spin_resistance(omega)

    def drain(self, omega: float = 0.0) -> complex:
        """Return what flows out of the magnet per potential b (m/s): mu0 mu_B^2/(e^2 (AR* + r))."""
        return VACUUM_PERMEABILITY * MOMENT_PER_CHARGE**2 / self._resistance(omega)

    def injection(self, omega: float = 0.0) -> complex:
        """Return the flux of m that diffuses into the magnet for its charge current (A m2/C), where b = 0."""
        share = self.gamma * self.area_resistance_star / self._resistance(omega)
        return MOMENT_PER_CHARGE * (self.beta - share)

    def state(self, current: complex, potential: complex, omega: float = 0.0) -> ContactState:
        """Return currents and accumulations for a charge current (A/m2) and the mean of b (A/m) at the surface."""
        inside = ACCUMULATION_PER_POTENTIAL * potential
        total = self._resistance(omega)
        spin = (self.gamma * self.area_resistance_star * current - inside / 2) / total
        outside = -2 * self.metal.spin_resistance(omega) * spin
        drop = (self.gamma * (inside - outside) - self.beta * inside) / 2
        return ContactState(spin, outside, inside, drop / current if current else 0.0)


@dataclass(frozen=True)
class ContactState:
    """Spins at a :class:`Contact`; complex amplitudes at a frequency.

    Attributes
    ----------
    spin_current
        J_s = J_up - J_down into the magnet (A/m2), mean over the contact.
    outside, inside
        D = phi_up - phi_down in the metal and in the magnet at the interface (V).
    spin_resistance
        This contact's part of the non-equilibrium resistance, [gamma (D_in - D_out) - beta D_in]/(2 J) (ohm m2); 0
        without a charge current.

    Examples
    --------
    >>> from fespin.longitudinal import Contact
    >>> from fespin.normal_metal import NormalMetal
    >>> copper = NormalMetal(resistivity=6e-9, spin_diffusion_length=450e-9)
    >>> state = Contact(copper, gamma=0.77, area_resistance_star=0.5e-15).state(current=1e11, potential=0.0)
    >>> print(f"{state.spin_current.real:.3e} {state.outside.real:.3e}")
    1.203e+10 -6.497e-05
    """

    spin_current: complex
    outside: complex
    inside: complex
    spin_resistance: complex


type Condition = Flux | Held | Contact
type Conditions = Mapping[str, Condition]


@dataclass(frozen=True)
class AppliedField:
    """A field H(x, t) along M, by which M departs from equilibrium: M_eq = M0 + chi_M H.

    Attributes
    ----------
    amplitude
        A/m: a number, a function of time (s), or the complex amplitude of exp(i omega t). A constant is switched on at
        time 0.
    shape
        Factor in space: a number, a function of the coordinates (3, n), or a function on the problem's space.

    Examples
    --------
    >>> from fespin.longitudinal import AppliedField, respond
    >>> magnet = fs.LongitudinalMagnet(xi=0.3, tau_mM=1e-12, diffusion=2e-3, tau_ML=9e-12, susceptibility=0.01)
    >>> wave = AppliedField(1e3, lambda x: np.cos(np.pi * x[0] / 400e-9))
    >>> found = respond(fs.LongitudinalProblem(wire, magnet), 1e11, field=wave)
    >>> print(f"{found.susceptibility:.3e} {magnet.field_susceptibility(2e11 * np.pi, np.pi / 400e-9):.3e}")
    5.367e-04-2.187e-03j 5.367e-04-2.187e-03j
    """

    amplitude: Amount
    shape: Shape = 1.0


def amount(given: Condition | AppliedField) -> Amount:
    """Return the value of a condition or a field as it was given."""
    if isinstance(given, Flux):
        return given.outward
    if isinstance(given, Held):
        return given.accumulation
    return given.current_density if isinstance(given, Contact) else given.amplitude


def resistivity_star(diffusion: float, susceptibility: float) -> float:
    """Return rho* (ohm m) of two channels whose spins have a diffusion constant (m2/s) and a susceptibility chi_m.

    Examples
    --------
    >>> from fespin.longitudinal import resistivity_star
    >>> print(f"{resistivity_star(diffusion=2e-3, susceptibility=3e-5):.2e}")
    7.02e-08
    """
    return VACUUM_PERMEABILITY * MOMENT_PER_CHARGE**2 / (diffusion * susceptibility)


def require_amount(owner: str, value: Amount, *, varying: bool) -> None:
    """Refuse a function of time where an amplitude is meant, and what is no finite number."""
    if callable(value):
        if not varying:
            raise InputError(f"{owner}: found a function; at a frequency it must be an amplitude")
    elif not (is_finite(value) or (not varying and isinstance(value, complex) and np.isfinite(value))):
        raise InputError(f"{owner}: found {value!r}; it must be a finite number")


def evaluated(owner: str, value: Amount, time: float) -> float:
    """Return the value of an amount at a time (s).

    Raises
    ------
    InputError
        If a function returns no finite number.
    """
    found = value(time) if callable(value) else value
    if isinstance(found, complex) or not is_finite(found):
        raise InputError(f"{owner}: {found!r} at {time:.6g} s; it must be a finite number")
    return float(found)
