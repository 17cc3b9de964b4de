"""A metallic magnet whose magnetization varies from place to place, and the closed forms of its walls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..constants import BOHR_MAGNETON, ELEMENTARY_CHARGE, HBAR
from ..errors import InputError, ModelError
from ..quantities import direction, is_finite, require_positive

type Vector = Sequence[float]

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
        Its tilt from the plane of the easy axis towards the hard axis (rad).
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

    Its energy density is ``A |grad m|^2 - K (m.e)^2 + K_h (m.h)^2 - Ms B.m``, and m follows Gilbert's equation
    with the torques of the current density J (Saslow 2007; Zhang and Li, Phys. Rev. Lett. 93, 127204 (2004)):

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
    easy_axis: Vector = (1.0, 0.0, 0.0)
    hard_constant: float = 0.0
    hard_axis: Vector = (0.0, 0.0, 1.0)
    gyromagnetic_ratio: float = SPIN_GYROMAGNETIC_RATIO

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
        return self.damping * self.hard_field / 2

    def wall_width(self, angle: float = 0.0) -> float:
        """Return Delta = sqrt(A/(K + K_h sin^2 angle)) (m) of the profile tanh(x/Delta).

        Raises
        ------
        ModelError
            If there is no easy axis.
        """
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
            As in :meth:`steady_wall`.
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
            As in :meth:`steady_wall`.
        """
        velocity, turning = self.mean_motion(field, current)
        width = self.wall_width(math.pi / 4) if turning else self.steady_wall(field, current).width
        return -2 * self.pumping_scale * (turning + self.nonadiabaticity * velocity / width)
