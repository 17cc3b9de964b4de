r"""The generic conducting magnet: one sort of carriers, and a magnetization of any length (Saslow 2007, Sec. III.A).

Forces are the gradients of temperature T, of the electrons' electrochemical potential mu = -e phi (J), and of the
thermodynamic field H (T), and H itself; R = -j_s.grad T - j_n.grad mu + Q_i.d_i H + N.H (Eq. 32).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

import numpy as np

from ..constants import ELEMENTARY_CHARGE
from ..cross_products import crossed
from ..errors import InputError
from ..quantities import is_finite, require_positive
from .hform import LandauLifshitz, nonadiabatic_coefficient, spin_transfer_coefficient
from .laws import Feature, FluxCoupling, Place, crosses, rows
from .magnet import SPIN_GYROMAGNETIC_RATIO, TexturedMagnet

if TYPE_CHECKING:
    from ..grid import Array

_LAYOUT = {"grad_T": 3, "grad_mu": 3, "grad_H": 9, "H": 3}


@dataclass(frozen=True)
class GenericMagnet:
    r"""Coefficients of the generic conducting magnet; those that are not given are zero.

    The fluxes of entropy, number and magnetization and the source of magnetization, with m = M/\|M\|:

        j_s,i = -(kappa/T) d_i T - L_sn d_i mu - L_sQ M.d_i H - L_sM1 d_i M.H - L_sM2 (m.d_i M)(m.H)
                - L_sM' d_i M.(M x H)                                                                  (35)
        j_n,i = -(sigma/e^2) d_i mu - L_sn d_i T - L_nQ M.d_i H - L_nM1 d_i M.H - L_nM2 (m.d_i M)(m.H)
                - L_nM' d_i M.(M x H)                                                                  (36)
        Q_i   = C_par M (M.d_i H) - C_perp M x (M x d_i H) - C' M x d_i H + L_sQ M d_i T + L_nQ M d_i mu
                + L_QN1 d_i M (m.H) + L_QN2 (m.d_i M) H + L_QN3 m (d_i M.H) + L_QN4 m (m.d_i M)(m.H)
                + L_QN1' d_i M x H + L_QN2' m [(m x d_i M).H] + L_QN3' (m x d_i M)(m.H)
                + L_QN4' (m.d_i M)(m x H)                                                              (37)
        N     = A_par M (M.H) - A_perp M x (M x H) + the reciprocal of each of the above               (38)

    Primed coefficients are reversible, the others dissipate; the reciprocal terms follow from Onsager's relations and
    are not given apart. M in (C_par, C_perp) of Eq. (37) stands without the printed hat, as in Eq. (42); the
    relations of Eq. (40) are L_Mn' = \|M\| L_nM' (for s alike), and L_NQi' = L_QNi' for i = 1 and 4.

    Attributes
    ----------
    conductivity
        sigma (S/m).
    A_par, A_perp
        Longitudinal and transverse damping (A/(m s T) per (A/m)^2).
    temperature
        T of equilibrium (K).
    thermal_conductivity
        kappa (W/(m K)) at grad mu = 0; zero: no temperatures, and no L_s.
    C_par, C_perp
        Longitudinal and transverse diffusion (m A/(s T) per (A/m)^2).
    C_prime
        m2/(s T).
    L_sn
        1/(m K s).
    L_sQ, L_sM1, L_sM2
        m2/(s K).
    L_nQ, L_nM1, L_nM2
        m2/(J s).
    L_QN1, L_QN2, L_QN3, L_QN4
        m2/(s T).
    L_sM_prime
        m3/(A s K).
    L_nM_prime
        m3/(A J s).
    L_QN1_prime, L_QN2_prime, L_QN3_prime, L_QN4_prime
        m2/(s T).
    gyromagnetic_ratio
        gamma (rad/(s T)) of the precession beside these terms, which is Landau and Lifshitz's.

    Raises
    ------
    InputError
        If a value is impossible alone. Whether all together let heat be produced depends on the texture, and is
        checked where it is given.

    Examples
    --------
    >>> generic = fs.GenericMagnet.of(permalloy)
    >>> print(f"{generic.L_nM1:.3e} {generic.A_perp:.3e}")
    9.018e+14 8.780e+03
    """

    conductivity: float
    A_perp: float
    A_par: float = 0.0
    temperature: float = 300.0
    thermal_conductivity: float = 0.0
    C_par: float = 0.0
    C_perp: float = 0.0
    C_prime: float = 0.0
    L_sn: float = 0.0
    L_sQ: float = 0.0
    L_sM1: float = 0.0
    L_sM2: float = 0.0
    L_nQ: float = 0.0
    L_nM1: float = 0.0
    L_nM2: float = 0.0
    L_QN1: float = 0.0
    L_QN2: float = 0.0
    L_QN3: float = 0.0
    L_QN4: float = 0.0
    L_sM_prime: float = 0.0
    L_nM_prime: float = 0.0
    L_QN1_prime: float = 0.0
    L_QN2_prime: float = 0.0
    L_QN3_prime: float = 0.0
    L_QN4_prime: float = 0.0
    gyromagnetic_ratio: float = SPIN_GYROMAGNETIC_RATIO

    def __post_init__(self) -> None:
        check_coefficients(
            self,
            "generic magnet",
            ("conductivity", "temperature", "gyromagnetic_ratio"),
            ("A_par", "A_perp", "thermal_conductivity", "C_par", "C_perp"),
        )

    @classmethod
    def of(cls, magnet: TexturedMagnet) -> Self:
        """Return the coefficients that make motion, torques and pumping of a textured magnet, Eqs. (71, 72).

        Its equation is Gilbert's and Saslow's that of Landau and Lifshitz, so :class:`LandauLifshitz` is between them:
        xi = L_nM1 and -beta' xi = Ms L_nM', of :func:`spin_transfer_coefficient` and
        :func:`nonadiabatic_coefficient`; A_perp = alpha gamma/((1 + alpha^2) Ms), and gamma/(1 + alpha^2) precesses.
        The torque of a current without a field and the field that is pumped without a current are then the same. That
        the pumped current turns M in its turn is of second order in P |grad M|, and no part of these linear laws.
        """
        ms, form = magnet.saturation_magnetization, LandauLifshitz.of(magnet)
        return cls(
            magnet.conductivity,
            form.damping_rate / ms,
            L_nM1=spin_transfer_coefficient(magnet),
            L_nM_prime=-nonadiabatic_coefficient(magnet) / ms,
            gyromagnetic_ratio=form.gyromagnetic_ratio,
        )

    # ---- the law
    @property
    def layout(self) -> Mapping[str, int]:
        """Groups of forces."""
        return _LAYOUT

    @property
    def fields(self) -> tuple[str, ...]:
        """Unknowns: phi (V), and theta = T - T0 (K) if heat is conducted."""
        return ("phi", "theta") if self.thermal_conductivity else ("phi",)

    @property
    def gradients(self) -> Mapping[str, Mapping[str, float]]:
        """Which forces are gradients of unknowns."""
        return thermal({"grad_mu": {"phi": -ELEMENTARY_CHARGE}}, self.fields)

    @property
    def values(self) -> Mapping[str, Mapping[str, float]]:
        """No force is the value of an unknown."""
        return {}

    def mechanisms(self) -> tuple[FluxCoupling, ...]:
        """Return every term, whatever its value."""
        return (
            FluxCoupling("thermal_conductivity", self.thermal_conductivity / self.temperature, "grad_T", "grad_T"),
            FluxCoupling("conductivity", self.conductivity / ELEMENTARY_CHARGE**2, "grad_mu", "grad_mu"),
            *(FluxCoupling(name, getattr(self, name), *pair) for name, pair in _DISSIPATIVE.items()),
            *(FluxCoupling(name, getattr(self, name), *pair, reversible=True) for name, pair in _REVERSIBLE.items()),
            # Its two features hold the same product twice.
            FluxCoupling("C_prime", self.C_prime / 2, "grad_H", "M x grad_H", reversible=True),
        )

    def feature(self, name: str) -> Feature:
        """Return a feature by name."""
        return lambda place: _FEATURES[name](self, place)

    # ---- the magnet's part of forces and fluxes
    def magnetic_forces(self, place: Place, field: Array, gradient: Array) -> dict[str, Array]:
        """Return forces from H (cells, 3) and its gradient (cells, 3, 3)."""
        return {"H": field, "grad_H": gradient.reshape(-1, 9)}

    def sources(self, place: Place, fluxes: Mapping[str, Array]) -> tuple[Array, Array | None]:
        """Return N (cells, 3) and Q (cells, 3, 3), the reciprocals of H and grad H."""
        return fluxes["H"], fluxes["grad_H"].reshape(-1, 3, 3)

    def number_fluxes(self, fluxes: Mapping[str, Array]) -> dict[str, Array]:
        """Return the number flux (cells, 3), in 1/(m2 s)."""
        return {"n": -fluxes["grad_mu"]}

    def magnetization_flux(self, place: Place, fluxes: Mapping[str, Array]) -> Array:
        """Return Q (cells, 3, 3), the direction of the flow first, in A/s."""
        return fluxes["grad_H"].reshape(-1, 3, 3)

    def potentials(self, fields: Mapping[str, Array]) -> dict[str, Array]:
        """Return phi at the nodes (V)."""
        return {"phi": fields["phi"]}


_DISSIPATIVE = {
    "L_sn": ("grad_T", "grad_mu"),
    "C_par": ("M.grad_H", "M.grad_H"),
    "C_perp": ("M x grad_H", "M x grad_H"),
    "A_par": ("M.H", "M.H"),
    "A_perp": ("M x H", "M x H"),
    "L_sQ": ("grad_T", "M.grad_H"),
    "L_nQ": ("grad_mu", "M.grad_H"),
    "L_sM1": ("grad_T", "dM.H"),
    "L_nM1": ("grad_mu", "dM.H"),
    "L_sM2": ("grad_T", "m.dM m.H"),
    "L_nM2": ("grad_mu", "m.dM m.H"),
    "L_QN1": ("m.H", "sum dM.grad_H"),
    "L_QN2": ("H", "sum m.dM grad_H"),
    "L_QN3": ("dM.H", "m.grad_H"),
    "L_QN4": ("m.H", "sum m.dM m.grad_H"),
}
# The second is what the reciprocal of the first is subtracted from, see FluxCoupling.
_REVERSIBLE = {
    "L_sM_prime": ("dM.(M x H)", "grad_T"),
    "L_nM_prime": ("dM.(M x H)", "grad_mu"),
    "L_QN1_prime": ("H", "sum grad_H x dM"),
    "L_QN2_prime": ("(m x dM).H", "m.grad_H"),
    "L_QN3_prime": ("m.H", "sum (m x dM).grad_H"),
    "L_QN4_prime": ("H", "sum m.dM grad_H x m"),
}


def _along(place: Place) -> Array:
    """Return m.d_i M (cells, 3)."""
    return np.asarray(np.einsum("ca,cia->ci", place.m, place.D))


def _blocks(vectors: Array) -> Array:
    """Return rows (cells, 3, 9) that take the product of a vector (cells, 3) with each d_i H."""
    return np.asarray(np.einsum("ij,ca->cija", np.eye(3), vectors).reshape(len(vectors), 3, 9))


def _across(vectors: Array) -> Array:
    """Return rows (cells, 3, 9) of sum_i v_i x d_i H, for v (cells, 3, 3)."""
    turned = crossed(vectors.reshape(-1, 3)).reshape(-1, 3, 3, 3)
    return np.asarray(turned.transpose(0, 2, 1, 3).reshape(len(vectors), 3, 9))


def _each_crossed(law: GenericMagnet, p: Place) -> Array:
    matrix = np.einsum("ij,cab->ciajb", np.eye(3), crossed(p.M)).reshape(len(p), 9, 9)
    return rows(law, p, 9, grad_H=matrix)


_FEATURES: dict[str, Callable[[GenericMagnet, Place], Array]] = {
    "grad_T": lambda law, p: rows(law, p, 3, grad_T=np.eye(3)),
    "grad_mu": lambda law, p: rows(law, p, 3, grad_mu=np.eye(3)),
    "grad_H": lambda law, p: rows(law, p, 9, grad_H=np.eye(9)),
    "H": lambda law, p: rows(law, p, 3, H=np.eye(3)),
    "M.H": lambda law, p: rows(law, p, 1, H=p.M[:, None]),
    "m.H": lambda law, p: rows(law, p, 1, H=p.m[:, None]),
    "M x H": lambda law, p: rows(law, p, 3, H=crossed(p.M)),
    "M.grad_H": lambda law, p: rows(law, p, 3, grad_H=_blocks(p.M)),
    "m.grad_H": lambda law, p: rows(law, p, 3, grad_H=_blocks(p.m)),
    "M x grad_H": _each_crossed,
    "dM.H": lambda law, p: rows(law, p, 3, H=p.D),
    "m.dM m.H": lambda law, p: rows(law, p, 3, H=_along(p)[:, :, None] * p.m[:, None]),
    # d.(M x H) = H.(d x M)
    "dM.(M x H)": lambda law, p: rows(law, p, 3, H=crosses(p.D, p.M[:, None])),
    "(m x dM).H": lambda law, p: rows(law, p, 3, H=crosses(p.m[:, None], p.D)),
    "sum dM.grad_H": lambda law, p: rows(law, p, 1, grad_H=p.D.reshape(-1, 1, 9)),
    "sum (m x dM).grad_H": lambda law, p: rows(law, p, 1, grad_H=crosses(p.m[:, None], p.D).reshape(-1, 1, 9)),
    "sum m.dM grad_H": lambda law, p: rows(
        law, p, 3, grad_H=np.einsum("ci,ab->caib", _along(p), np.eye(3)).reshape(-1, 3, 9)
    ),
    "sum m.dM m.grad_H": lambda law, p: rows(
        law, p, 1, grad_H=(_along(p)[:, :, None] * p.m[:, None]).reshape(-1, 1, 9)
    ),
    "sum grad_H x dM": lambda law, p: rows(law, p, 3, grad_H=-_across(p.D)),
    "sum m.dM grad_H x m": lambda law, p: rows(law, p, 3, grad_H=-_across(_along(p)[:, :, None] * p.m[:, None])),
}


def thermal(gradients: dict[str, dict[str, float]], names: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Return the forces that are gradients, with that of the temperature if it is among the unknowns."""
    return gradients | ({"grad_T": {"theta": 1.0}} if "theta" in names else {})


def check_coefficients(magnet: object, owner: str, positive: tuple[str, ...], not_negative: tuple[str, ...]) -> None:
    """Refuse coefficients that are not finite, have the wrong sign, or belong to heat where none is conducted."""
    given = {x.name: getattr(magnet, x.name) for x in fields(magnet)}  # type: ignore[arg-type]
    for name, value in given.items():
        if name in positive or name in not_negative:
            require_positive(owner, name, value, zero=name in not_negative)
        elif not is_finite(value):
            raise InputError(f"{owner}: {name} is {value!r}; it must be a finite number")
    if not given["thermal_conductivity"]:
        for name, value in given.items():
            if name.startswith("L_s") and value:
                raise InputError(f"{owner}: {name} is {value!r}, but thermal_conductivity is 0; heat needs both")
