"""Energies that a function of the user's gives: a density in space, or the energy of a macrospin."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from ..errors import InputError
from .declaration import Function, Scales
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
