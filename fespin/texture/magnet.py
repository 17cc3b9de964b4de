"""A metallic magnet whose magnetization varies from place to place, and the closed forms of its walls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..constants import BOHR_MAGNETON, ELEMENTARY_CHARGE, HBAR
from ..energy.collection import AnyTerm, as_terms
from ..energy.magnet import Magnet
from ..energy.terms import (
    Biaxial,
    BulkDMI,
    Cubic,
    Dipolar,
    Exchange,
    InterfaceAnisotropy,
    InterfacialDMI,
    InterlayerExchange,
    Uniaxial,
    Zeeman,
)
from ..errors import InputError, ModelError
from ..quantities import AnyVector, direction, is_finite, require_positive

SPIN_GYROMAGNETIC_RATIO = 2 * BOHR_MAGNETON / HBAR
"""gamma of g = 2 (rad/(s T)): with it an electron's spin hbar/2 carries one Bohr magneton."""


_SCALES = ("saturation_magnetization", "exchange", "damping", "conductivity", "gyromagnetic_ratio")
_LEAST, _MOST = 1e-30, 1e30
RESOLVED = 0.6
"""Widths of a wall that a cell may have: walls stick to meshes that are coarser."""


@dataclass(frozen=True)
class SteadyWall:
    """A wall that moves without change.

    Attributes
    ----------
    velocity
        m/s.
    angle
        Tilt from the plane of the easy axis towards the hard axis (rad).
    width
        Delta (m).

    Examples
    --------
    >>> wall = permalloy.steady_wall(field=2e-3)
    >>> print(f"{wall.velocity:.1f} {wall.angle:.3f} {wall.width:.3e}")
    125.9 0.170 1.432e-08
    """

    velocity: float
    angle: float
    width: float


@dataclass(frozen=True)
class TexturedMagnet:
    """A magnet with M = Ms m(x, t), |m| = 1, that conducts.

    Its energy density is ``A |grad m|^2 - K (m.e)^2 + K_h (m.h)^2 - Ms B.m`` with whatever `terms` add, and m follows
    Gilbert's equation with the torques of the current density J (Saslow 2007; Zhang and Li, Phys. Rev. Lett. 93, 127204
    (2004)):

        dm/dt = -gamma m x B_eff + alpha m x dm/dt - (u.grad) m + beta m x (u.grad) m,   u = -(P hbar gamma/2 e Ms) J.

    Angular momentum is kept: u is -(P mu_B/(e Ms)) J for the gamma of g = 2, the default.

    Attributes
    ----------
    saturation_magnetization
        Ms (A/m).
    exchange
        A (J/m).
    damping
        Gilbert's alpha.
    conductivity
        sigma (S/m).
    polarization
        P of the current, from -1 to 1.
    nonadiabaticity
        beta of the torque.
    easy_constant, easy_axis
        K (J/m3), not negative, and the direction e.
    hard_constant, hard_axis
        K_h (J/m3), not negative, and the direction h, perpendicular to e.
    gyromagnetic_ratio
        gamma (rad/(s T)).
    terms
        Further energies, such as :class:`fespin.InterfacialDMI`. Closed forms do not know them, and are refused.

    Raises
    ------
    InputError
        If a value is impossible.

    Examples
    --------
    >>> permalloy = fs.TexturedMagnet(
    ...     saturation_magnetization=8e5, exchange=1.3e-11, damping=0.04, conductivity=4e6, polarization=0.5,
    ...     nonadiabaticity=0.06, easy_constant=6e4, hard_constant=1.2e5)
    >>> print(f"{permalloy.wall_width():.3e} {permalloy.walker_field:.3e} {permalloy.breakdown_current():.3e}")
    1.472e-08 6.000e-03 1.518e+13
    """

    saturation_magnetization: float
    exchange: float
    damping: float
    conductivity: float
    polarization: float
    nonadiabaticity: float = 0.0
    easy_constant: float = 0.0
    easy_axis: AnyVector = (1.0, 0.0, 0.0)
    hard_constant: float = 0.0
    hard_axis: AnyVector = (0.0, 0.0, 1.0)
    gyromagnetic_ratio: float = SPIN_GYROMAGNETIC_RATIO
    terms: Sequence[AnyTerm] = ()

    def __post_init__(self) -> None:
        owner = "textured magnet"
        for key in _SCALES:
            require_positive(owner, key, getattr(self, key))
        for key in ("easy_constant", "hard_constant"):
            require_positive(owner, key, getattr(self, key), zero=True)
        if not is_finite(self.polarization) or abs(self.polarization) > 1:
            raise InputError(f"{owner}: polarization is {self.polarization!r}; it must be from -1 to 1")
        if not is_finite(self.nonadiabaticity):
            raise InputError(f"{owner}: nonadiabaticity is {self.nonadiabaticity!r}; it must be a finite number")
        for key in (*_SCALES, "nonadiabaticity"):
            value = abs(getattr(self, key))
            # Beyond, products and quotients are no numbers any more.
            if value and not _LEAST <= value <= _MOST:
                raise InputError(
                    f"{owner}: {key} is {getattr(self, key)!r}; it must be from {_LEAST} to {_MOST} in size"
                )
        easy, hard = (direction(getattr(self, k), owner, k) for k in ("easy_axis", "hard_axis"))
        if abs(np.dot(easy, hard)) > 1e-9:
            raise InputError(
                f"{owner}: hard_axis {list(self.hard_axis)} is not perpendicular to easy_axis {list(self.easy_axis)}"
            )
        object.__setattr__(self, "easy_axis", easy)
        object.__setattr__(self, "hard_axis", hard)
        object.__setattr__(self, "terms", as_terms(owner, self.terms))

    # ---- one description of a magnet
    @classmethod
    def of(
        cls, magnet: Magnet, conductivity: float, polarization: float = 0.0, nonadiabaticity: float = 0.0
    ) -> TexturedMagnet:
        """Return the texture of a magnet that conducts.

        Exchange, the first easy axis and a hard axis perpendicular to it become `exchange`, `easy_constant` and
        `hard_constant`, which the closed forms know; all other energies are its `terms`, but for those that are
        zero, such as a DMI of D = 0.

        Parameters
        ----------
        magnet
            Ms, damping, gamma and energies, exchange among them.
        conductivity, polarization, nonadiabaticity
            Attributes of the texture: sigma (S/m), P and beta.

        Raises
        ------
        InputError
            If there is no exchange, or a value is impossible.

        Examples
        --------
        >>> cobalt = fs.Magnet(8e5, 0.02, [fs.Exchange(1.3e-11), fs.Uniaxial(5e5), fs.InterfacialDMI(1e-3)])
        >>> track = fs.TexturedMagnet.of(cobalt, conductivity=5e6, polarization=0.4)
        >>> print(f"{track.exchange:.1e} {track.easy_constant:.1e}")
        1.3e-11 5.0e+05
        >>> track.terms
        (InterfacialDMI(constant=0.001, normal=(0.0, 0.0, 1.0)),)
        """
        exchange, easy, hard, rest = _sorted(magnet.terms)
        if not exchange:
            raise InputError(
                "textured magnet: the magnet has no Exchange among its terms; without it m need not be smooth"
            )
        easy_axis = easy.axis if easy else hard.axis_across if hard else (1.0, 0.0, 0.0)
        return cls(
            magnet.saturation_magnetization,
            exchange,
            magnet.damping,
            conductivity,
            polarization,
            nonadiabaticity,
            easy.constant if easy else 0.0,
            easy_axis,
            hard.constant if hard else 0.0,
            hard.axis if hard else _Axis(0.0, tuple(easy_axis)).axis_across,
            magnet.gyromagnetic_ratio,
            rest,
        )

    @property
    def magnet(self) -> Magnet:
        """Return the magnet without what only a conductor has: all energies as terms."""
        own: list[AnyTerm] = [Exchange(self.exchange)]
        own += [Uniaxial(self.easy_constant, self.easy_axis)] if self.easy_constant else []
        own += [Uniaxial(-self.hard_constant, self.hard_axis)] if self.hard_constant else []
        return Magnet(self.saturation_magnetization, self.damping, (*own, *self.terms), self.gyromagnetic_ratio)

    @property
    def energies(self) -> tuple[AnyTerm, ...]:
        """Return all energies but a dipolar one; the anisotropies are always there, so that forms are few."""
        own = (
            Exchange(float(self.exchange)),
            Uniaxial(float(self.easy_constant), self.easy_axis),
            Uniaxial(-float(self.hard_constant), self.hard_axis),
        )
        return (*own, *(term for term in self.terms if not isinstance(term, Dipolar)))

    def require_known(self, form: str) -> None:
        """Refuse a closed form for a magnet with energies that the form does not know.

        Parameters
        ----------
        form
            Name of the form, for the message.

        Raises
        ------
        ModelError
            It names the energies.
        """
        if self.terms:
            names = ", ".join(dict.fromkeys(type(term).__name__ for term in self.terms))
            raise ModelError(
                f"textured magnet: {form} is a closed form of exchange, an easy and a hard axis; it does not know "
                f"{names}"
            )

    # ---- coefficients
    @property
    def drift_per_current(self) -> float:
        """Return u/J = -P hbar gamma/(2 e Ms) (m3/C)."""
        return -self.pumping_scale * self.gyromagnetic_ratio / self.saturation_magnetization

    @property
    def pumping_scale(self) -> float:
        """Return hbar P/(2 e) (V s), the factor of the pumped field."""
        return HBAR * self.polarization / (2 * ELEMENTARY_CHARGE)

    @property
    def damping_density(self) -> float:
        """Return alpha Ms/gamma (J s/m3), which times |dm/dt|^2 is the power lost by damping."""
        return self.damping * self.saturation_magnetization / self.gyromagnetic_ratio

    @property
    def steepest(self) -> float:
        """Return the largest |grad m| (1/m) for which the entropy production is positive; infinite without beta."""
        pumped = self.conductivity * self.nonadiabaticity**2 * self.pumping_scale**2
        return math.sqrt(self.damping_density / pumped) if pumped else math.inf

    # ---- walls
    @property
    def hard_field(self) -> float:
        """Return the anisotropy field of the hard axis, 2 K_h/Ms (T)."""
        return 2 * self.hard_constant / self.saturation_magnetization

    @property
    def walker_field(self) -> float:
        """Return the field alpha K_h/Ms (T) above which a wall without a current turns."""
        self.require_known("Walker's field")
        return self.damping * self.hard_field / 2

    def wall_width(self, angle: float = 0.0) -> float:
        """Return Delta = sqrt(A/(K + K_h sin^2 angle)) (m) of the profile tanh(x/Delta).

        Raises
        ------
        ModelError
            If there is no easy axis, or the magnet has further terms.
        """
        self.require_known("the wall's width")
        if not self.easy_constant:
            raise ModelError("textured magnet: easy_constant is 0; walls need an easy axis")
        return math.sqrt(self.exchange / (self.easy_constant + self.hard_constant * math.sin(angle) ** 2))

    def breakdown_current(self) -> float:
        """Return the current density (A/m2) above which a wall turns without a field; infinite if beta = alpha."""
        slope = abs((self.nonadiabaticity - self.damping) * self.drift_per_current)
        turning = self.gyromagnetic_ratio * self.walker_field * self.wall_width(math.pi / 4)
        return turning / slope if slope else math.inf

    def steady_wall(self, field: float = 0.0, current: float = 0.0) -> SteadyWall:
        """Return the moving wall of Walker, with the current's torques.

        The wall goes from m.e = +1 at negative to -1 at positive positions. Then v = (gamma Delta B + beta u)/alpha and
        sin(2 angle) = 2 (v - u)/(gamma Delta B_h), with B_h the hard field and Delta that of the angle.

        Parameters
        ----------
        field
            B along the easy axis (T).
        current
            J along the wire (A/m2).

        Raises
        ------
        ModelError
            If the wall turns: there is no steady one.
        """
        u, gamma, alpha = self.drift_per_current * current, self.gyromagnetic_ratio, self.damping
        turn, least = (self.nonadiabaticity - alpha) * u, gamma * self.walker_field
        width, sine = self.wall_width(), math.inf
        for _ in range(200):
            push = gamma * field + turn / width
            sine = push / least if least else math.copysign(math.inf, push) if push else 0.0
            if abs(sine) > 1 and width <= self.wall_width(math.pi / 4):
                break
            angle = math.asin(max(-1.0, min(1.0, sine))) / 2
            width, last = self.wall_width(angle), width
            if abs(width / last - 1) < 1e-15:
                break
        if abs(sine) > 1:
            raise ModelError(
                f"textured magnet: there is no steady wall at B = {field:.4g} T and J = {current:.4g} A/m2; "
                f"without a current it exists up to {self.walker_field:.4g} T, without a field "
                f"up to {self.breakdown_current():.4g} A/m2"
            )
        return SteadyWall((gamma * width * field + self.nonadiabaticity * u) / alpha, angle, width)

    def mean_motion(self, field: float = 0.0, current: float = 0.0) -> tuple[float, float]:
        """Return the mean velocity (m/s) and rate of turning (rad/s) of a wall.

        Above breakdown the wall is taken to be rigid, with the width that it has half way between its planes; that is
        good to some percent.

        Parameters
        ----------
        field, current
            Drives, :meth:`steady_wall` says which.
        """
        u, gamma, alpha = self.drift_per_current * current, self.gyromagnetic_ratio, self.damping
        width = self.wall_width(math.pi / 4)
        p, q = gamma * field + (self.nonadiabaticity - alpha) * u / width, gamma * self.walker_field
        if abs(p) <= q:
            return self.steady_wall(field, current).velocity, 0.0
        turning = math.copysign(math.sqrt(p**2 - q**2), p) / (1 + alpha**2)
        return (gamma * width * field + self.nonadiabaticity * u - width * turning) / alpha, turning

    def mean_electromotive_force(self, field: float = 0.0, current: float = 0.0) -> float:
        """Return the mean emf (V) of a wall, the integral of the pumped field: -(hbar P/e)(turning + beta v/Delta).

        Parameters
        ----------
        field, current
            Drives, :meth:`steady_wall` says which.
        """
        velocity, turning = self.mean_motion(field, current)
        width = self.wall_width(math.pi / 4) if turning else self.steady_wall(field, current).width
        return -2 * self.pumping_scale * (turning + self.nonadiabaticity * velocity / width)


@dataclass(frozen=True)
class _Axis:
    """An anisotropy constant (J/m3) and its axis."""

    constant: float
    axis: AnyVector

    @property
    def axis_across(self) -> AnyVector:
        """Return some direction perpendicular to the axis, along a coordinate axis if the axis is."""
        helper = np.eye(3)[int(np.argmin(np.abs(self.axis)))]
        across = np.cross(np.cross(self.axis, helper), self.axis)
        return tuple(float(x) for x in across / np.linalg.norm(across))


def _sorted(terms: Sequence[AnyTerm]) -> tuple[float, _Axis | None, _Axis | None, tuple[AnyTerm, ...]]:
    """Return the sum of the exchange stiffnesses, an easy axis, a hard axis across it, and all other energies."""
    exchange, easy, hard = 0.0, None, None
    rest: list[AnyTerm] = []
    for term in terms:
        if _is_zero(term):
            continue
        if isinstance(term, Exchange):
            exchange += term.stiffness
        elif isinstance(term, Uniaxial) and term.constant and term.constant > 0 and easy is None:
            easy = _Axis(term.constant, term.axis)
        elif isinstance(term, Biaxial) and easy is None and _is_plain(term):
            easy = _Axis(float(term.constant or 0.0), term.axis)
            if term.hard_constant:
                rest.append(Uniaxial(-float(term.hard_constant), term.hard_axis))
        else:
            rest.append(term)
    for term in rest:
        if not isinstance(term, Uniaxial) or not term.constant or term.constant > 0:
            continue
        if easy is None or abs(np.dot(easy.axis, term.axis)) <= 1e-9:
            hard = _Axis(-term.constant, term.axis)
            rest.remove(term)
            break
    return exchange, easy, hard, tuple(rest)


def _is_plain(term: Biaxial) -> bool:
    """Return whether a biaxial anisotropy has an easy axis, and a hard one that is not easy."""
    return bool(term.constant and term.constant > 0 and (term.hard_constant or 0.0) >= 0)


# Numbers of fespin's own terms without which they have no energy.
_SIZES = {
    Uniaxial: ("constant", "stability"),
    Biaxial: ("constant", "hard_constant", "stability", "hard_stability"),
    Cubic: ("constant", "second", "stability"),
    InterfacialDMI: ("constant",),
    BulkDMI: ("constant",),
    InterfaceAnisotropy: ("constant",),
    InterlayerExchange: ("constant", "biquadratic"),
}


def _is_zero(term: AnyTerm) -> bool:
    """Return whether a term has no energy, such as a DMI of D = 0: closed forms need not know it."""
    if type(term) is Zeeman:
        return not any(term.field)
    sizes = next((keys for kind, keys in _SIZES.items() if type(term) is kind), None)
    return sizes is not None and not any(getattr(term, key) for key in sizes)
