"""Energies of a magnet, declared once as densities of m and its gradient.

A term is a frozen class with one method, ``density(m, grad, x)``, which returns a UFL scalar in J/m3:

m
    The direction of the magnetization, a UFL vector of three components and of length one.
grad
    Its gradient (3, 3) in 1/m: ``grad[i, j]`` is the derivative of m_i along the axis j of space. It is zero for a
    macrospin, and so are the derivatives along axes that a mesh does not have.
x
    The place (m), a UFL vector of three components; None for a macrospin, which has none.

Four attributes may say more; a class without them is treated safely, if more slowly:

``local``
    True if the density has no gradient. In space it is then summed over nodes, so that the field at a node is that
    of a macrospin with the same direction.
``quadratic``
    True if the energy is of second degree or less in m. Its change in a step of the midpoint rule is then the work of
    the field in the middle; other energies take the mean of the field along the step.
``degree``
    Of a polynomial that is not quadratic: its degree in m, from which follows how many fields that mean takes.
``symbolic``
    True if a frozen data class only computes with its floats and tuples of floats, and never compares, tests or looks
    them up in Python. In space they are then constants of the compiled form, so that other numbers do not compile it
    again. Each class says it of itself: a subclass does not inherit it.

Energies of faces have ``surface_density(m, x)`` (J/m2) in place of `density`, and two attributes, of which space needs
one: ``face``, a function of positions (3, n) that says which points belong to it, or "all" for the whole surface of the
mesh, sides included; and ``thickness`` (m), which spreads the energy evenly over a film's volume instead. A macrospin
takes the energy of one face over its thickness, and refuses "all". What depends on the magnet (Ms) or on a macrospin
(its volume, kT) has a method ``resolved(scales)``, which returns the term with those numbers in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from ..errors import InputError
from ..quantities import AnyVector

type Function = Callable[[Any], Any]
"""Function of u, a UFL vector of three components, that returns a UFL scalar."""

type Face = Callable[[Any], Any] | Literal["all"]
"""Function of positions (3, n) that says of each point whether it belongs to a face (n,); "all": the whole surface."""


@runtime_checkable
class EnergyTerm(Protocol):
    """One part of the energy of a magnet; see :mod:`fespin.energy.declaration` for what it may say besides.

    Examples
    --------
    >>> class Tilted:  # an easy axis halfway between x and z
    ...     local = True
    ...     def density(self, m, grad, x):
    ...         return -1e4 * (m[0] + m[2]) ** 2 / 2
    >>> bit = fs.Macrospin(5e-24, 8e5, 0.02, terms=[Tilted()])
    >>> abs(fs.survey(bit).wells[0].direction).round(3)
    array([0.707, 0.   , 0.707])
    """

    def density(self, m: Any, grad: Any, x: Any) -> Any:
        """Return the energy density (J/m3) as a UFL expression of the UFL vector m, its gradient and the place."""
        ...


@runtime_checkable
class SurfaceTerm(Protocol):
    """One part of the energy of a magnet's surface.

    Examples
    --------
    >>> class Rough:  # a face that favours the plane, but for a fourth order
    ...     local = True
    ...     face, thickness = None, 1.5e-9
    ...     def surface_density(self, m, x):
    ...         return 2e-4 * m[2] ** 2 - 5e-5 * m[2] ** 4
    >>> bit = fs.Macrospin(5e-24, 8e5, 0.02, terms=[Rough()])
    >>> print(f"{bit.energy(np.eye(3))[2]:.3e}")
    5.000e-19
    """

    def surface_density(self, m: Any, x: Any) -> Any:
        """Return the energy (J/m2) of a face as a UFL expression of the UFL vector m and the place."""
        ...


@dataclass(frozen=True)
class Scales:
    """Numbers of a magnet that some energies depend on.

    Attributes
    ----------
    saturation_magnetization
        Ms (A/m).
    volume, thermal_energy
        v (m3) and kT (J) of a macrospin; None in space, where there is neither.

    Examples
    --------
    >>> from fespin.energy import Scales
    >>> scales = Scales(saturation_magnetization=8e5, volume=5e-24, thermal_energy=4.14e-21)
    >>> print(f"{fs.Uniaxial(stability=60).resolved(scales).constant:.3e}")
    4.968e+04
    """

    saturation_magnetization: float
    volume: float | None = None
    thermal_energy: float | None = None


def stability_constant(stability: float, volume: float, thermal_energy: float) -> float:
    """Return the constant K (J/m3) of a stability K v/kT.

    Parameters
    ----------
    volume
        v (m3).
    thermal_energy
        kT (J).

    Examples
    --------
    >>> from fespin.energy import stability_constant
    >>> round(stability_constant(60, 1e-24, 4.14e-21))
    248400
    """
    return stability * thermal_energy / volume


def dot(a: Any, b: Any) -> Any:
    """Return the scalar product of two vectors of three components, of numbers or UFL."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def field_vector(value: AnyVector, owner: str) -> tuple[float, float, float]:
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
