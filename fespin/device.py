"""What the user declares: materials, layers, interfaces, contacts. No mesh, no solver."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from .errors import InputError, ModelError, nearest

type Vector = tuple[float, float, float]


def _positive(owner: str, key: str, value: float, *, zero: bool = False) -> None:
    if not math.isfinite(value) or value < 0 or (value == 0 and not zero):
        raise InputError(f"{owner}: {key} is {value!r}; it must be finite and {'not negative' if zero else 'positive'}")


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
        owner = f"layer '{self.name or self.material.name}'"
        _positive(owner, "thickness", self.thickness)
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


def direction(vector: Sequence[float], owner: str) -> Vector:
    """Return the unit vector along three numbers.

    Raises
    ------
    InputError
        If there are not three finite numbers, or all are zero.
    """
    v = np.asarray(vector, dtype=float)
    if v.shape != (3,) or not np.isfinite(v).all():
        raise InputError(f"{owner}: magnetization is {list(vector)}; it must be three finite numbers")
    norm = float(np.linalg.norm(v))
    if norm == 0:
        raise InputError(f"{owner}: magnetization is zero; it must have a direction")
    return (float(v[0] / norm), float(v[1] / norm), float(v[2] / norm))


def default_name(layer: Layer, position: int) -> str:
    """Return a layer's name: its own, or material and position from 1, as in "Cu3"."""
    return layer.name or f"{layer.material.name}{position}"


class Stack:
    """Layers and the interfaces between their materials, in order from bottom to top.

    Parameters
    ----------
    layers
        At least one.
    interfaces
        ``{(a, b): Interface}`` in either order, a and b two materials or two
        layers (a pair of layers wins over a pair of materials).
    library
        Interfaces by material names that hold where `interfaces` has none.
        What is in neither is a perfect contact.

    Raises
    ------
    InputError
        If there is no layer, a name occurs twice, or an interface names neither materials nor layers.
    """

    def __init__(
        self,
        *layers: Layer,
        interfaces: Mapping[tuple[str, str], Interface] | None = None,
        library: Mapping[tuple[str, str], Interface] | None = None,
    ) -> None:
        if not layers:
            raise InputError("the stack has no layer")
        self.layers = tuple(replace(x, name=default_name(x, i)) for i, x in enumerate(layers, 1))
        names = [x.name for x in self.layers]
        for i, n in enumerate(names):
            if names.index(n) < i:
                raise InputError(f"layers {names.index(n) + 1} and {i + 1} are both called '{n}'")
            if "|" in n:
                raise InputError(f"layer '{n}': a name may not contain '|'")
        self.interfaces = dict(interfaces or {})
        self.library = dict(library or {})
        known = set(names) | {x.material.name for x in self.layers}
        for pair in self.interfaces:
            for n in pair:
                if n not in known:
                    owner = f"interface '{'|'.join(pair)}'"
                    raise InputError(f"{owner}: no layer or material is called '{n}'; {nearest(n, known)}")

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __getitem__(self, name: str) -> Layer:
        for x in self.layers:
            if x.name == name:
                return x
        raise InputError(f"no layer is called '{name}'; {nearest(name, self.names)}")

    @property
    def names(self) -> tuple[str, ...]:
        """The layers' names, bottom to top."""
        return tuple(x.name for x in self.layers)

    @property
    def thickness(self) -> float:
        """Of all layers together (m)."""
        return math.fsum(x.thickness for x in self.layers)

    def interface(self, a: str, b: str) -> Interface | None:
        """Return the interface between two layers; None is a perfect contact."""
        by_material = (self[a].material.name, self[b].material.name)
        for book, pair in ((self.interfaces, (a, b)), (self.interfaces, by_material), (self.library, by_material)):
            found = book.get(pair) or book.get(pair[::-1])
            if found is not None:
                return None if found.perfect else found
        return None

    def magnetized(self, directions: Mapping[str, Sequence[float]]) -> Stack:
        """Return the same stack with other magnetizations, by layer name.

        Raises
        ------
        InputError
            If a layer is absent or not a ferromagnet, or a direction is zero.
        """
        for n in directions:
            self[n]  # refuses an unknown name with the nearest one
        layers = [
            replace(x, magnetization=tuple(directions[x.name])) if x.name in directions else x for x in self.layers
        ]
        return Stack(*layers, interfaces=self.interfaces, library=self.library)

    def between(self, below: Sequence[Layer], above: Sequence[Layer]) -> Stack:
        """Return the stack with more layers below and above it."""
        return Stack(*below, *self.layers, *above, interfaces=self.interfaces, library=self.library)


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
    KINDS: tuple[str, ...] = field(default=("reservoir", "lead", "blocked"), init=False, repr=False)

    def __post_init__(self) -> None:
        if self.spin not in self.KINDS:
            raise InputError(f"contact: spin is '{self.spin}'; {nearest(self.spin, self.KINDS)}")


def common_axis(stack: Stack) -> NDArray[np.float64]:
    """Return the axis of a collinear stack: a unit vector whose largest component is positive.

    "Up" is along it: along +z for magnetizations along z. Without a magnet it is +z.

    Raises
    ------
    InputError
        If two magnetizations are not collinear.
    """
    axis = np.array([0.0, 0.0, 1.0])
    first: Layer | None = None
    for layer in stack:
        if layer.direction is None:
            continue
        m = np.array(layer.direction)
        if first is None:
            first, axis = layer, m * np.sign(m[np.abs(m).argmax()])
        elif np.linalg.norm(np.cross(m, axis)) > 1e-9:
            raise InputError(
                f"layers '{first.name}' and '{layer.name}' are not collinear; this model takes magnetizations "
                "along one axis"
            )
    return axis


def interface_sign(stack: Stack, a: str, b: str, axis: NDArray[np.float64]) -> int:
    """Return the sign of gamma relative to the axis: that of the magnet at the interface of two layers.

    Raises
    ------
    ModelError
        If gamma is not zero between magnets of opposite magnetization.
    """
    signs = {sign_along(stack[n], axis) for n in (a, b) if stack[n].material.ferromagnetic}
    face = stack.interface(a, b)
    if len(signs) > 1 and face is not None and face.gamma:
        raise ModelError(
            f"interface '{a}|{b}' has gamma = {face.gamma} between magnets of opposite magnetization, "
            "where majority and minority are not defined; use gamma = 0 or a spacer"
        )
    return signs.pop() if signs else 1


def sign_along(layer: Layer, axis: NDArray[np.float64]) -> int:
    """Return +1 or -1: whether a layer is magnetized along the axis; +1 in a normal metal."""
    return 1 if layer.direction is None or float(np.dot(layer.direction, axis)) > 0 else -1
