"""What the user declares: materials, interfaces, layers, contacts. No mesh, no solver."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .errors import InputError, nearest

LARGEST = 0.01
"""Longer than any layer (m): a length in other units."""

type Vector = tuple[float, float, float]


def _positive(owner: str, key: str, value: float, *, zero: bool = False) -> None:
    if not math.isfinite(value) or value < 0 or (value == 0 and not zero):
        raise InputError(f"{owner}: {key} is {value!r}; it must be finite and {'not negative' if zero else 'positive'}")


def _is_a(owner: str, value: object, kind: type, hint: str) -> None:
    if not isinstance(value, kind):
        raise InputError(f"{owner}: found {value!r}; it must be a {kind.__name__}{hint}")


def _asymmetry(owner: str, key: str, value: float) -> None:
    if not abs(value) < 1:
        raise InputError(f"{owner}: {key} is {value!r}; it must lie between -1 and 1")


@dataclass(frozen=True)
class Material:
    """A conductor of two spin channels.

    Attributes
    ----------
    name
        As in interfaces ("Co|Cu").
    resistivity
        Total resistivity rho (ohm m).
    spin_diffusion_length
        l_sf (m).
    beta
        Bulk spin asymmetry, sigma_up,dn = (1 +- beta)/(2 rho); None for a normal metal.
    density_of_states
        At the Fermi energy, both spins together (1/(J m3)); only transients need it.

    Raises
    ------
    InputError
        If a value is impossible.
    """

    name: str
    resistivity: float
    spin_diffusion_length: float
    beta: float | None = None
    density_of_states: float | None = None

    def __post_init__(self) -> None:
        owner = f"material '{self.name}'"
        _positive(owner, "resistivity", self.resistivity)
        _positive(owner, "spin_diffusion_length", self.spin_diffusion_length)
        if self.beta is not None:
            _asymmetry(owner, "beta", self.beta)
        if self.density_of_states is not None:
            _positive(owner, "density_of_states", self.density_of_states)

    @classmethod
    def from_star(cls, name: str, resistivity_star: float, spin_diffusion_length: float, beta: float) -> Material:
        """Return a ferromagnet from rho* = rho/(1 - beta^2) (ohm m), the quantity experiments report."""
        _asymmetry(f"material '{name}'", "beta", beta)
        return cls(name, resistivity_star * (1 - beta**2), spin_diffusion_length, beta)

    @property
    def ferromagnetic(self) -> bool:
        """Whether the material has a magnetization."""
        return self.beta is not None

    @property
    def resistivity_star(self) -> float:
        """rho* = rho/(1 - beta^2) (ohm m)."""
        return self.resistivity / (1 - (self.beta or 0.0) ** 2)


@dataclass(frozen=True)
class Interface:
    """A resistive interface, G_up,dn = 1/(2 AR* (1 -+ gamma)).

    Attributes
    ----------
    area_resistance_star
        AR* (ohm m2); 0 is a perfect contact.
    gamma
        Interface spin asymmetry, relative to the magnetization of the magnet it belongs to.
    """

    area_resistance_star: float
    gamma: float = 0.0

    def __post_init__(self) -> None:
        _positive("interface", "area_resistance_star", self.area_resistance_star, zero=True)
        _asymmetry("interface", "gamma", self.gamma)

    @property
    def perfect(self) -> bool:
        """Whether potentials are continuous across it."""
        return self.area_resistance_star == 0


@dataclass(frozen=True)
class Layer:
    """One layer of a device.

    Attributes
    ----------
    material
        What it is made of.
    thickness
        Along the stacking direction (m).
    name
        Unique in the device; :class:`Stack` supplies material and position if empty.
    magnetization
        Direction, any length; a ferromagnet without one points along +z.
    """

    material: Material
    thickness: float
    name: str = ""
    magnetization: Sequence[float] | None = None

    def __post_init__(self) -> None:
        _is_a(f"layer '{self.name}'", self.material, Material, ", such as fespin.material('Cu')")
        owner = f"layer '{self.name or self.material.name}'"
        _positive(owner, "thickness", self.thickness)
        if self.thickness > LARGEST:
            raise InputError(f"{owner}: thickness is {self.thickness!r} m; lengths are in m, 8 nm is 8e-9")
        if self.magnetization is not None:
            direction(self.magnetization, owner)
            if not self.material.ferromagnetic:
                raise InputError(f"{owner}: magnetization given, but {self.material.name} is no ferromagnet (no beta)")

    @property
    def direction(self) -> Vector | None:
        """Unit vector of the magnetization; None in a normal metal."""
        if not self.material.ferromagnetic:
            return None
        return direction((0.0, 0.0, 1.0) if self.magnetization is None else self.magnetization, self.name)


def direction(vector: Sequence[float], owner: str, what: str = "magnetization") -> Vector:
    """Return the unit vector along three numbers.

    Parameters
    ----------
    owner, what
        Whose vector it is, and which, for messages.

    Raises
    ------
    InputError
        If there are not three finite numbers, or all are zero.
    """
    try:
        v = np.asarray(vector, dtype=float)
    except (TypeError, ValueError):
        v = np.array(np.nan)
    if v.shape != (3,) or not np.isfinite(v).all():
        raise InputError(f"{owner}: {what} is {vector!r}; it must be three finite numbers")
    norm = float(np.linalg.norm(v))
    if norm == 0:
        raise InputError(f"{owner}: {what} is zero; it must have a direction")
    return (float(v[0] / norm), float(v[1] / norm), float(v[2] / norm))


@dataclass(frozen=True)
class Contact:
    """How spins leave through a contact.

    Attributes
    ----------
    spin
        "reservoir": no accumulation; "lead": semi-infinite continuation of the
        layer it touches; "blocked": no spin current.
    """

    spin: str = "reservoir"
    KINDS: ClassVar = ("reservoir", "lead", "blocked")

    def __post_init__(self) -> None:
        if self.spin not in self.KINDS:
            raise InputError(f"contact: spin is '{self.spin}'; {nearest(self.spin, self.KINDS)}")
