"""Energies that a function of the user's gives: a density in space, or the energy of a macrospin."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from ..errors import InputError
from ..quantities import AnyVector, direction, is_finite
from .declaration import Function, Scales, dot
from .term_numbers import supplied


@dataclass(frozen=True)
class Density:
    """Any energy density (J/m3): a function of m, its gradient and the place, as :meth:`EnergyTerm.density` takes them.

    Attributes
    ----------
    function
        Takes UFL m (3,), grad (3, 3) and x (3,), and returns a UFL scalar.
    local
        True if the density does not depend on the gradient.
    quadratic
        True if it is of second degree or less in m.

    Examples
    --------
    >>> quartic = fs.Density(lambda m, grad, x: -1e4 * m[2] ** 4, local=True)
    >>> bit = fs.Macrospin(5e-24, 8e5, 0.02, terms=[quartic])
    >>> print(f"{bit.energy(np.eye(3))[2]:.3e}")
    -5.000e-20
    """

    function: Callable[[Any, Any, Any], Any]
    local: bool = False
    quadratic: bool = False

    def density(self, m: Any, grad: Any, x: Any) -> Any:
        """Return the energy density (J/m3)."""
        return self.function(m, grad, x)


@dataclass(frozen=True)
class AxialPolynomial:
    """Energy density that is a polynomial of the component along an axis, sum of c_k (m.axis)^k (J/m3).

    Attributes
    ----------
    coefficients
        c_0, c_1, ... (J/m3).
    axis
        Direction of any length.

    Examples
    --------
    >>> from fespin.energy import AxialPolynomial
    >>> quartic = AxialPolynomial((0.0, 0.0, -2e4, 0.0, 1e4), axis=(0, 0, 2))
    >>> bit = fs.Macrospin(5e-24, 8e5, 0.02, terms=[quartic])
    >>> print(f"{bit.energy(np.eye(3))[2]:.3e}")
    -5.000e-20
    """

    coefficients: tuple[float, ...]
    axis: AnyVector = (0.0, 0.0, 1.0)
    local: ClassVar[bool] = True
    symbolic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.coefficients or not all(map(is_finite, self.coefficients)):
            raise InputError(f"axial polynomial: coefficients are {self.coefficients}; they must be finite numbers")
        object.__setattr__(self, "coefficients", tuple(map(float, self.coefficients)))
        object.__setattr__(self, "axis", direction(self.axis, "axial polynomial", "axis"))

    @property
    def degree(self) -> int:
        """Return the degree of the polynomial."""
        return len(self.coefficients) - 1

    def density(self, m: Any, grad: Any, x: Any) -> Any:
        """Return the energy density (J/m3)."""
        along, total = dot(self.axis, m), 0.0
        for c in reversed(self.coefficients):
            total = total * along + c
        return total


@dataclass(frozen=True)
class Energy:
    """Any energy of a macrospin (J): a function that takes u as a UFL vector and returns a UFL scalar.

    Attributes
    ----------
    function
        E(u) (J).
    volume
        v (m3), by which E is divided; None: the macrospin's.

    Examples
    --------
    >>> quartic = fs.Energy(lambda u: -1e-19 * u[2] ** 4)
    >>> bit = fs.Macrospin(5e-24, 8e5, 0.02, terms=[quartic])
    >>> print(f"{bit.energy(np.eye(3))[2]:.3e}")
    -1.000e-19
    """

    function: Function
    volume: float | None = None
    local: ClassVar[bool] = True

    def density(self, m: Any, grad: Any, x: Any) -> Any:
        """Return the energy density (J/m3)."""
        return self.function(m) / supplied("energy", self.volume)

    def resolved(self, scales: Scales) -> Energy:
        """Return the term with the macrospin's volume.

        Raises
        ------
        InputError
            If there is no macrospin.
        """
        if self.volume is not None:
            return self
        if scales.volume is None:
            raise InputError("energy: one in J belongs to a macrospin; in space give a density in J/m3, Density(...)")
        return dataclasses.replace(self, volume=scales.volume)
