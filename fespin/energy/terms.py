"""Energies of a macrospin: terms that add up, each an expression of the direction u."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import ufl

from ..constants import VACUUM_PERMEABILITY
from ..errors import InputError
from ..quantities import direction
from .on_sphere import Function

if TYPE_CHECKING:
    from ..macrospin.spin import Macrospin

type Vector = Sequence[float]


class EnergyTerm(Protocol):
    """One part of the energy."""

    def energy(self, u: Any, spin: Macrospin) -> Any:
        """Return the energy (J) as a UFL expression of the UFL vector u."""
        ...


def _dot(a: Vector, u: Any) -> Any:
    return sum((float(x) * u[i] for i, x in enumerate(a) if x), ufl.as_ufl(0.0))


def _constant(owner: str, value: float | None, stability: float | None) -> None:
    if (value is None) == (stability is None):
        found = "neither" if value is None else "both"
        raise InputError(f"{owner}: give exactly one of constant (J/m3) and stability (kT); found {found}")
    given = value if value is not None else stability
    if not isinstance(given, (int, float)) or not math.isfinite(given):
        raise InputError(f"{owner}: the {'stability' if value is None else 'constant'} is {given!r}; it must be finite")


def _scale(constant: float | None, stability: float | None, spin: Macrospin) -> float:
    """Return the constant times the volume (J)."""
    if constant is not None:
        return constant * spin.volume
    assert stability is not None
    return stability * spin.thermal_energy


def _orthogonal(owner: str, first: Vector, second: Vector) -> tuple[Vector, Vector]:
    a, b = (np.asarray(direction(x, owner, "axis")) for x in (first, second))
    if abs(a @ b) > 1e-9:
        raise InputError(f"{owner}: the axes {list(first)} and {list(second)} are not perpendicular")
    return tuple(a), tuple(b)


@dataclass(frozen=True)
class Uniaxial:
    """Uniaxial anisotropy, E = -K v (u.axis)^2; K < 0 makes an easy plane.

    Attributes
    ----------
    constant
        K (J/m3).
    stability
        Instead: K v / kT.
    axis
        Easy axis, of any length.

    Raises
    ------
    InputError
        If not exactly one of `constant` and `stability` is given, or the axis is zero.
    """

    constant: float | None = None
    axis: Vector = (0.0, 0.0, 1.0)
    stability: float | None = None

    def __post_init__(self) -> None:
        _constant("uniaxial anisotropy", self.constant, self.stability)
        direction(self.axis, "uniaxial anisotropy", "axis")

    def energy(self, u: Any, spin: Macrospin) -> Any:
        """Return the energy (J) as a UFL expression of the UFL vector u."""
        along = _dot(direction(self.axis, "uniaxial anisotropy", "axis"), u)
        return -_scale(self.constant, self.stability, spin) * along * along


@dataclass(frozen=True)
class Biaxial:
    """Easy and hard axis, E = -K v (u.axis)^2 + K_hard v (u.hard_axis)^2.

    Attributes
    ----------
    constant, stability
        Of the easy axis: K (J/m3) or K v / kT.
    hard_constant, hard_stability
        Of the hard axis, likewise.
    axis, hard_axis
        Perpendicular to each other.

    Raises
    ------
    InputError
        If a constant is missing or given twice, or the axes are not perpendicular.
    """

    constant: float | None = None
    hard_constant: float | None = None
    axis: Vector = (1.0, 0.0, 0.0)
    hard_axis: Vector = (0.0, 0.0, 1.0)
    stability: float | None = None
    hard_stability: float | None = None

    def __post_init__(self) -> None:
        _constant("biaxial anisotropy", self.constant, self.stability)
        _constant("biaxial anisotropy, hard axis", self.hard_constant, self.hard_stability)
        _orthogonal("biaxial anisotropy", self.axis, self.hard_axis)

    def energy(self, u: Any, spin: Macrospin) -> Any:
        """Return the energy (J) as a UFL expression of the UFL vector u."""
        easy, hard = (_dot(x, u) for x in _orthogonal("biaxial anisotropy", self.axis, self.hard_axis))
        return (
            -_scale(self.constant, self.stability, spin) * easy * easy
            + _scale(self.hard_constant, self.hard_stability, spin) * hard * hard
        )


@dataclass(frozen=True)
class Cubic:
    """Cubic anisotropy, E = K1 v (a^2 b^2 + b^2 c^2 + c^2 a^2) + K2 v a^2 b^2 c^2, with a, b, c along three axes.

    Attributes
    ----------
    constant, stability
        K1 (J/m3) or K1 v / kT; either sign.
    second
        K2 (J/m3).
    axis, second_axis
        Two of the cubic axes; the third is perpendicular to both.

    Raises
    ------
    InputError
        If not exactly one of `constant` and `stability` is given, or the axes are not perpendicular.
    """

    constant: float | None = None
    axis: Vector = (0.0, 0.0, 1.0)
    second_axis: Vector = (1.0, 0.0, 0.0)
    second: float = 0.0
    stability: float | None = None

    def __post_init__(self) -> None:
        _constant("cubic anisotropy", self.constant, self.stability)
        _orthogonal("cubic anisotropy", self.axis, self.second_axis)
        if not math.isfinite(self.second):
            raise InputError(f"cubic anisotropy: the second constant is {self.second!r}; it must be finite")

    def energy(self, u: Any, spin: Macrospin) -> Any:
        """Return the energy (J) as a UFL expression of the UFL vector u."""
        first, other = _orthogonal("cubic anisotropy", self.axis, self.second_axis)
        a, b, c = (_dot(x, u) ** 2 for x in (first, other, tuple(np.cross(first, other))))
        k1 = _scale(self.constant, self.stability, spin)
        return k1 * (a * b + b * c + c * a) + self.second * spin.volume * a * b * c


@dataclass(frozen=True)
class Shape:
    """Shape anisotropy, E = (mu0 Ms^2 v / 2) sum_i N_i u_i^2.

    Attributes
    ----------
    factors
        Demagnetizing factors (N_x, N_y, N_z); they add up to one. See
        :func:`fespin.ellipsoid_factors` and :func:`fespin.elliptic_cylinder_factors`.

    Raises
    ------
    InputError
        If the factors are negative or do not add up to one.
    """

    factors: Vector

    def __post_init__(self) -> None:
        n = np.asarray(self.factors, dtype=float)
        if n.shape != (3,) or not np.isfinite(n).all() or (n < -1e-9).any() or abs(n.sum() - 1) > 1e-6:
            raise InputError(
                f"shape anisotropy: the demagnetizing factors are {list(self.factors)}; "
                "they must be three, not negative, and add up to 1"
            )

    def energy(self, u: Any, spin: Macrospin) -> Any:
        """Return the energy (J) as a UFL expression of the UFL vector u."""
        scale = VACUUM_PERMEABILITY / 2 * spin.saturation_magnetization**2 * spin.volume
        return scale * sum(float(n) * u[i] ** 2 for i, n in enumerate(self.factors))


@dataclass(frozen=True)
class Zeeman:
    """A field in addition to the macrospin's own, E = -Ms v B.u.

    Attributes
    ----------
    field
        B = mu0 H (T).

    Raises
    ------
    InputError
        If the field is not three finite numbers.
    """

    field: Vector

    def __post_init__(self) -> None:
        field_vector(self.field, "Zeeman term")

    def energy(self, u: Any, spin: Macrospin) -> Any:
        """Return the energy (J) as a UFL expression of the UFL vector u."""
        return -spin.moment * _dot(self.field, u)


@dataclass(frozen=True)
class Energy:
    """Any energy (J): a function that takes u as a UFL vector and returns a UFL scalar.

    Examples
    --------
    >>> term = Energy(lambda u: -1e-19 * u[2] ** 4)
    """

    function: Function

    def energy(self, u: Any, spin: Macrospin) -> Any:
        """Return the energy (J) as a UFL expression of the UFL vector u."""
        return self.function(u)


def field_vector(value: Vector, owner: str) -> tuple[float, float, float]:
    """Return a field (T) as three floats.

    Raises
    ------
    InputError
        If it is something else.
    """
    b = np.asarray(value, dtype=float) if np.ndim(value) == 1 else np.zeros(0)
    if b.shape != (3,) or not np.isfinite(b).all():
        raise InputError(f"{owner}: found {value!r}; a field is three finite numbers, mu0 H in T")
    return float(b[0]), float(b[1]), float(b[2])
