r"""The two-band magnet: carriers of two spins make the current and the magnetization (Saslow 2007, Sec. III.B).

Here "up" is the band whose moment lies along M, the majority: Saslow's down. Forces are the gradients of the
temperature and of the potentials mu_up*, mu_down* of the bands, their difference (the affinity), and M x H;
R = -j_s.grad T - j_up.grad mu_up* - j_down.grad mu_down* - (mu_up* - mu_down*) S + Omega.(M x H) (Eq. 33).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from ..constants import BOHR_MAGNETON, ELEMENTARY_CHARGE, HBAR
from ..cross_products import cross
from ..errors import InputError
from ..quantities import require_positive
from .generic import check_coefficients, thermal
from .hform import LandauLifshitz
from .laws import Feature, FluxCoupling, Place, crosses, rows
from .magnet import SPIN_GYROMAGNETIC_RATIO, TexturedMagnet

if TYPE_CHECKING:
    from ..grid import Array

_LAYOUT = {"grad_T": 3, "grad_mu_up": 3, "grad_mu_down": 3, "affinity": 1, "turning": 3}

_DISSIPATIVE = {
    "L_up_down": ("grad_mu_up", "grad_mu_down"),
    "L_s_up": ("grad_T", "grad_mu_up"),
    "L_s_down": ("grad_T", "grad_mu_down"),
    "L_sM": ("grad_T", "(M x dM).(M x H)"),
    "L_up_M": ("grad_mu_up", "(M x dM).(M x H)"),
    "L_down_M": ("grad_mu_down", "(M x dM).(M x H)"),
}
_REVERSIBLE = {
    "L_sM_prime": ("dM.(M x H)", "grad_T"),
    "L_up_M_prime": ("dM.(M x H)", "grad_mu_up"),
    "L_down_M_prime": ("dM.(M x H)", "grad_mu_down"),
}


@dataclass(frozen=True)
class TwoBandMagnet:
    r"""Coefficients of the two-band magnet; those that are not given are zero.

    Fluxes of entropy and of the bands, the rate S at which carriers come to the band "up", and the rate of turning
    Omega beside precession, dm/dt = (gamma H + Omega) x m:

        j_s,i  = -(kappa/T) d_i T - L_s_up d_i mu_up* - L_s_down d_i mu_down*
                 - L_sM (M x d_i M).(M x H) - L_sM' d_i M.(M x H)                                       (47)
        j_up,i = -(sigma_up/e^2) d_i mu_up* - L_s_up d_i T - L_up_down d_i mu_down*
                 - L_up_M (M x d_i M).(M x H) - L_up_M' d_i M.(M x H)               and for down        (48, 49)
        S      = -alpha (mu_up* - mu_down*)                                                             (44)
        Omega  = lambda m x H + the reciprocals of the terms in M x H                                   (50)

    The primed coefficients are reversible, the others dissipate. Without a `spin_relaxation_time` the bands follow the
    texture at once: div j_up = S and div j_down = -S. With it dn_up/dt + div j_up = S and dn_down/dt + div j_down = -S
    (Eqs. 20, 21), and charges stay neutral, dn_down = -dn_up. That the length of M changes by the spins that gather,
    some 1e-5 of it, does not act back on its direction.

    Attributes
    ----------
    conductivity_up, conductivity_down
        sigma of the bands with moments along and against M (S/m).
    damping_rate
        lambda (1/(s T)).
    spin_flip
        Saslow's alpha (1/(J m3 s)): g/e^2 with the coefficient g (S/m3) of two-channel transport.
    temperature
        T of equilibrium (K).
    thermal_conductivity
        kappa (W/(m K)) at zero gradients of mu*; zero: no temperatures, and no L_s.
    L_up_down
        1/(J m s).
    L_s_up, L_s_down
        1/(m K s).
    L_sM, L_sM_prime
        m4/(A2 s K) and m3/(A s K).
    L_up_M, L_down_M, L_up_M_prime, L_down_M_prime
        m4/(A2 J s), and m3/(A J s).
    gyromagnetic_ratio
        gamma (rad/(s T)) of the precession, which is Landau and Lifshitz's.
    spin_relaxation_time
        Time (s) in which a uniform accumulation decays; 0: the bands follow at once.
    carrier_moment
        Moment of a carrier (J/T), hbar/2 times the gamma of its spin; it carries the flux of magnetization.

    Raises
    ------
    InputError
        If a value is impossible alone. Whether all together let heat be produced depends on the texture, and is
        checked where it is given.

    Examples
    --------
    >>> bands = fs.TwoBandMagnet.of(permalloy, spin_diffusion_length=5e-9)
    >>> print(f"{bands.conductivity_up:.2e} {bands.conductivity_down:.2e} {bands.spin_diffusion_length:.2e}")
    3.00e+06 1.00e+06 5.00e-09
    """

    conductivity_up: float
    conductivity_down: float
    damping_rate: float
    spin_flip: float
    temperature: float = 300.0
    thermal_conductivity: float = 0.0
    L_up_down: float = 0.0
    L_s_up: float = 0.0
    L_s_down: float = 0.0
    L_sM: float = 0.0
    L_up_M: float = 0.0
    L_down_M: float = 0.0
    L_sM_prime: float = 0.0
    L_up_M_prime: float = 0.0
    L_down_M_prime: float = 0.0
    gyromagnetic_ratio: float = SPIN_GYROMAGNETIC_RATIO
    carrier_moment: float = BOHR_MAGNETON
    spin_relaxation_time: float = 0.0

    def __post_init__(self) -> None:
        check_coefficients(
            self,
            "two-band magnet",
            (
                "conductivity_up",
                "conductivity_down",
                "spin_flip",
                "temperature",
                "gyromagnetic_ratio",
                "carrier_moment",
            ),
            ("damping_rate", "thermal_conductivity", "spin_relaxation_time"),
        )

    @classmethod
    def of(cls, magnet: TexturedMagnet, spin_diffusion_length: float, spin_relaxation_time: float = 0.0) -> Self:
        """Return bands that carry their spin along, which make the torques and the pumping of a textured magnet.

        Each band's torque is that of the spin it carries: L_up_M = mu_B sigma_up/(e^2 Ms^3) for g = 2 and little
        damping, and the opposite sign for down, so that their sum is xi/Ms^2 (Eqs. 71 and 73); L_up_M' = -beta' Ms
        L_up_M, L_down_M' likewise. At any damping they are those of :meth:`GenericMagnet.of`, band by band.

        Parameters
        ----------
        spin_diffusion_length
            l_sf (m) of the bands without heat.
        spin_relaxation_time
            Time (s) in which a uniform accumulation decays; 0: the bands follow at once.

        Raises
        ------
        InputError
            If the length is impossible, or the polarization 1.
        """
        require_positive("two-band magnet", "spin_diffusion_length", spin_diffusion_length)
        if abs(magnet.polarization) >= 1:
            raise InputError(f"two-band magnet: polarization is {magnet.polarization!r}; it must lie between -1 and 1")
        ms, form = magnet.saturation_magnetization, LandauLifshitz.of(magnet)
        up, down = ((1 + s * magnet.polarization) / 2 * magnet.conductivity for s in (1, -1))
        flip = up * down / (up + down) / (spin_diffusion_length * ELEMENTARY_CHARGE) ** 2
        # Of bands that are polarized completely.
        whole = LandauLifshitz.of(replace(magnet, polarization=1.0))
        turn, twist = whole.adiabatic / (ELEMENTARY_CHARGE * ms**3), whole.nonadiabatic / (ELEMENTARY_CHARGE * ms**2)
        return cls(
            up,
            down,
            form.damping_rate,
            flip,
            L_up_M=turn * up,
            L_down_M=-turn * down,
            L_up_M_prime=-twist * up,
            L_down_M_prime=twist * down,
            gyromagnetic_ratio=form.gyromagnetic_ratio,
            carrier_moment=magnet.gyromagnetic_ratio * HBAR / 2,
            spin_relaxation_time=spin_relaxation_time,
        )

    @property
    def spin_diffusion_length(self) -> float:
        """Return l_sf (m) of the bands without heat and drag: 1/l^2 = e^2 alpha (1/sigma_up + 1/sigma_down)."""
        rate = self.spin_flip * (1 / self.conductivity_up + 1 / self.conductivity_down)
        return float(1 / (ELEMENTARY_CHARGE * np.sqrt(rate)))

    @property
    def capacitance(self) -> float:
        """Return C (F/m3): a band holds the charge C (phi_up - phi_down), and spins relax in C/(e^2 alpha)."""
        return ELEMENTARY_CHARGE**2 * self.spin_flip * self.spin_relaxation_time

    # ---- the law
    @property
    def layout(self) -> Mapping[str, int]:
        """Groups of forces."""
        return _LAYOUT

    @property
    def fields(self) -> tuple[str, ...]:
        """Unknowns: phi and s, with -mu*/e = phi +- s (V), and theta = T - T0 (K) if heat is conducted."""
        return ("phi", "s", "theta") if self.thermal_conductivity else ("phi", "s")

    @property
    def gradients(self) -> Mapping[str, Mapping[str, float]]:
        """Which forces are gradients of unknowns."""
        e = ELEMENTARY_CHARGE
        bands = {"grad_mu_up": {"phi": -e, "s": -e}, "grad_mu_down": {"phi": -e, "s": e}}
        return thermal(bands, self.fields)

    @property
    def values(self) -> Mapping[str, Mapping[str, float]]:
        """The affinity is mu_up* - mu_down* = -2 e s."""
        return {"affinity": {"s": -2 * ELEMENTARY_CHARGE}}

    def mechanisms(self) -> tuple[FluxCoupling, ...]:
        """Return every term, whatever its value."""
        e2 = ELEMENTARY_CHARGE**2
        own = {
            "thermal_conductivity": (self.thermal_conductivity / self.temperature, "grad_T"),
            "conductivity_up": (self.conductivity_up / e2, "grad_mu_up"),
            "conductivity_down": (self.conductivity_down / e2, "grad_mu_down"),
            "spin_flip": (self.spin_flip, "affinity"),
            "damping_rate": (self.damping_rate, "M x H/sqrt(M)"),
        }
        return (
            *(FluxCoupling(name, value, feature, feature) for name, (value, feature) in own.items()),
            *(FluxCoupling(name, getattr(self, name), *pair) for name, pair in _DISSIPATIVE.items()),
            *(FluxCoupling(name, getattr(self, name), *pair, reversible=True) for name, pair in _REVERSIBLE.items()),
        )

    def feature(self, name: str) -> Feature:
        """Return a feature by name."""
        return lambda place: _FEATURES[name](self, place)

    # ---- the magnet's part of forces and fluxes
    def magnetic_forces(self, place: Place, field: Array, gradient: Array) -> dict[str, Array]:
        """Return the force from H (cells, 3)."""
        return {"turning": cross(place.M, field)}

    def sources(self, place: Place, fluxes: Mapping[str, Array]) -> tuple[Array, Array | None]:
        """Return Omega x M (cells, 3), the reciprocal of H; there is none of grad H."""
        return cross(fluxes["turning"], place.M), None

    def number_fluxes(self, fluxes: Mapping[str, Array]) -> dict[str, Array]:
        """Return the number fluxes of the bands (cells, 3), in 1/(m2 s)."""
        return {"up": -fluxes["grad_mu_up"], "down": -fluxes["grad_mu_down"]}

    def magnetization_flux(self, place: Place, fluxes: Mapping[str, Array]) -> Array:
        """Return Q_i = carrier_moment m (j_up - j_down) (cells, 3, 3), Eq. (29), in A/s."""
        carried = fluxes["grad_mu_down"] - fluxes["grad_mu_up"]
        return np.asarray(self.carrier_moment * carried[:, :, None] * place.m[:, None])

    def potentials(self, fields: Mapping[str, Array]) -> dict[str, Array]:
        """Return -mu*/e of the bands at the nodes (V)."""
        return {"up": fields["phi"] + fields["s"], "down": fields["phi"] - fields["s"]}


_FEATURES: dict[str, Callable[[TwoBandMagnet, Place], Array]] = {
    "grad_T": lambda law, p: rows(law, p, 3, grad_T=np.eye(3)),
    "grad_mu_up": lambda law, p: rows(law, p, 3, grad_mu_up=np.eye(3)),
    "grad_mu_down": lambda law, p: rows(law, p, 3, grad_mu_down=np.eye(3)),
    "affinity": lambda law, p: rows(law, p, 1, affinity=np.eye(1)),
    # lambda m x H is (lambda/M) M x H
    "M x H/sqrt(M)": lambda law, p: rows(
        law, p, 3, turning=np.eye(3) / np.sqrt(np.linalg.norm(p.M, axis=1))[:, None, None]
    ),
    "(M x dM).(M x H)": lambda law, p: rows(law, p, 3, turning=crosses(p.M[:, None], p.D)),
    "dM.(M x H)": lambda law, p: rows(law, p, 3, turning=p.D),
}
