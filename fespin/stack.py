"""Layers in order, the interfaces between them, and which way their magnets point."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .device import Field, Interface, Layer
from .errors import InputError, ModelError, nearest
from .quantities import direction, leading_sign


def default_name(layer: Layer, position: int) -> str:
    """Return a layer's name: its own, or material and position from 1, as in "Cu3"."""
    return layer.name or f"{layer.material.name}{position}"


BOTTOM_LEAD, TOP_LEAD = "bottom-lead", "top-lead"
"""Names of the wide leads that geometries add to a stack."""


def either_order(book: Mapping[tuple[str, str], Interface], a: str, b: str) -> Interface | None:
    """Return the entry of a pair in a book of interfaces, whichever way round it is written."""
    return book.get((a, b)) or book.get((b, a))


class Stack:
    """Layers from bottom to top, and the interfaces between them.

    Parameters
    ----------
    layers
        Layers, at least one.
    interfaces
        ``{(a, b): Interface}`` in either order; a and b are layers or materials, and a layer wins over its
        material.
    library
        Interfaces by materials that hold where `interfaces` has none; default the built-in
        ones at 4.2 K. What is in neither is a perfect contact.

    Raises
    ------
    InputError
        If there is no layer, a name occurs twice, an interface is given twice or between unknown
        names, or has a gamma without a magnet.

    Examples
    --------
    >>> Co, Cu = fs.material("Co"), fs.material("Cu")
    >>> valve = fs.Stack(fs.Layer(Co, 12e-9, "fixed"), fs.Layer(Cu, 6e-9), fs.Layer(Co, 3e-9, "free"))
    >>> valve.names
    ('fixed', 'Cu2', 'free')
    >>> print(f"{valve.thickness:.3g}")
    2.1e-08
    >>> valve.magnetized({"free": (0, 0, -1)})["free"].direction
    (0.0, 0.0, -1.0)
    >>> valve.interface("fixed", "Cu2").gamma
    0.77
    """

    def __init__(
        self,
        *layers: Layer,
        interfaces: Mapping[tuple[str, str], Interface] | None = None,
        library: Mapping[tuple[str, str], Interface] | None = None,
    ) -> None:
        if not layers:
            raise InputError("the stack has no layer")
        for x in layers:
            if not isinstance(x, Layer):
                raise InputError(
                    f"a stack takes layers one by one, Stack(Layer(...), Layer(...)); found {type(x).__name__}"
                )
        self.layers = tuple(replace(x, name=default_name(x, i)) for i, x in enumerate(layers, 1))
        places: dict[str, int] = {}
        for i, x in enumerate(self.layers):
            first = places.setdefault(x.name, i)
            if first < i:
                raise InputError(f"layers {first + 1} and {i + 1} are both called '{x.name}'")
            if "|" in x.name:
                raise InputError(f"layer '{x.name}': a name may not contain '|'")
        self._by_name = {x.name: x for x in self.layers}
        if library is None:
            from .materials import interfaces as built_in

            library = built_in()
        self.interfaces, self.library = dict(interfaces or {}), dict(library)
        known = places.keys() | {x.material.name for x in self.layers}
        magnets = {n for x in self.layers if x.material.ferromagnetic for n in (x.name, x.material.name)}
        for pair, face in self.interfaces.items():
            owner = f"interface '{'|'.join(pair)}'"
            for n in pair:
                if n not in known:
                    raise InputError(f"{owner}: no layer or material is called '{n}'; {nearest(n, known)}")
            if face.gamma and not magnets & set(pair):
                raise InputError(
                    f"{owner}: gamma is {face.gamma:g}, but neither side is a ferromagnet (no beta, or 0 without a "
                    "magnetization)"
                )
        self._keys: dict[frozenset[str], list[tuple[str, str]]] = {}
        for pair in self.interfaces:
            self._keys.setdefault(frozenset(pair), []).append(pair)
        self._faces: dict[tuple[str, str], Interface | None] = {}
        for a, b in itertools.pairwise(self.layers):
            # Ambiguous keys are refused: for neighbours here, for other layers once a mesh shows that they touch.
            self.interface(a.name, b.name)

    def _resolve(self, a: Layer, b: Layer) -> Interface | None:
        """Return what the closest of the keys says about two layers."""
        by_layers = [{a.name, b.name}]
        mixed = [{a.name, b.material.name}, {a.material.name, b.name}]
        by_materials = [{a.material.name, b.material.name}]
        pairs: list[tuple[str, str]] = []
        for closest in (by_layers, mixed, by_materials):
            sets = dict.fromkeys(map(frozenset, closest))
            pairs = [pair for names in sets for pair in self._keys.get(names, ())]
            if pairs:
                break
        if len(pairs) > 1:
            first, second = ("|".join(p) for p in pairs[:2])
            raise InputError(f"interface '{second}': given twice for '{a.name}' and '{b.name}', also as '{first}'")
        if pairs:
            face: Interface | None = self.interfaces[pairs[0]]
            assert face is not None
            if not face.symmetric:
                face = self._in_order(face, pairs[0], a, b)
        else:
            face = either_order(self.library, a.material.name, b.material.name)
        if face is not None and face.gamma and not (a.material.ferromagnetic or b.material.ferromagnetic):
            # The gamma is for a magnet, and neither layer is one here: each spin has half of the total conductance.
            star = face.area_resistance_star * (1 - face.gamma**2)
            face = replace(face, area_resistance_star=star, gamma=0.0)
        if face is not None and face.tunnel is not None:
            for x in (a, b):
                if not x.material.ferromagnetic:
                    raise InputError(
                        f"interface '{a.name}|{b.name}': a tunnel barrier lies between two magnets, and {x.name} is no "
                        "ferromagnet (no beta, or 0 without a magnetization)"
                    )
        return None if face is None or face.plain else face

    def _in_order(self, face: Interface, key: tuple[str, str], a: Layer, b: Layer) -> Interface:
        """Return an interface whose sides differ as it is between two layers in this order."""
        if a.material.name == b.material.name and not {a.name, b.name} & set(key):
            raise InputError(
                f"interface '{'|'.join(key)}': its sides differ, and both layers are of {a.material.name}; name it "
                f"after the layers, '{a.name}|{b.name}'"
            )
        first = a if key[0] == a.name or key[1] == b.name else b if key[0] == b.name or key[1] == a.name else None
        if first is None:
            first = a if key[0] == a.material.name else b
        return face if first is a else face.reversed()

    @property
    def given(self) -> dict[frozenset[str], str]:
        """Pairs of layers that an interface of the user names, with its key."""
        return {frozenset(p): "|".join(p) for p in self.interfaces if set(p) <= self._by_name.keys()}

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __getitem__(self, name: str) -> Layer:
        if name not in self._by_name:
            raise InputError(f"no layer is called '{name}'; {nearest(name, self.names)}")
        return self._by_name[name]

    @property
    def names(self) -> tuple[str, ...]:
        """The layers' names, bottom to top."""
        return tuple(x.name for x in self.layers)

    @property
    def thickness(self) -> float:
        """Thickness of all layers together (m)."""
        return math.fsum(x.thickness for x in self.layers)

    def interface(self, a: str, b: str) -> Interface | None:
        """Return the interface between two layers, whose sides are in this order; None is a perfect contact.

        Raises
        ------
        InputError
            If a name is unknown, or two keys of `interfaces` fit equally well.
        """
        if (a, b) not in self._faces:
            self._faces[a, b] = self._resolve(self[a], self[b])
        return self._faces[a, b]

    def magnetized(self, directions: Mapping[str, Sequence[float] | Field]) -> Stack:
        """Return the same stack with other magnetizations, by layer name.

        Raises
        ------
        InputError
            If a layer is absent or not a ferromagnet, or a direction is zero.
        """
        for n, m in directions.items():
            self[n]  # refuses an unknown name with the nearest one
            if not callable(m):
                direction(m, f"layer '{n}'")
        layers = [replace(x, magnetization=directions[x.name]) if x.name in directions else x for x in self.layers]
        return Stack(*layers, interfaces=self.interfaces, library=self.library)

    @property
    def directions(self) -> dict[str, tuple[float, float, float]]:
        """Directions of the magnets by layer name."""
        return {x.name: x.direction for x in self.layers if x.direction is not None}

    def between(self, below: Sequence[Layer], above: Sequence[Layer]) -> Stack:
        """Return the stack with more layers below and above it."""
        return Stack(*below, *self.layers, *above, interfaces=self.interfaces, library=self.library)


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
        if layer.texture is not None:
            raise InputError(f"layer '{layer.name}': its magnetization varies; only the vector model takes that")
        if layer.direction is None:
            continue
        m = np.array(layer.direction)
        if first is None:
            first, axis = layer, m * leading_sign(m)
        elif np.linalg.norm(np.cross(m, axis)) > 1e-9:
            unset = [x.name for x in (first, layer) if x.magnetization is None]
            default = f" ('{unset[0]}' has none given: +z)" if unset else ""
            raise InputError(
                f"layers '{first.name}' and '{layer.name}' are not collinear{default}; this model takes "
                "magnetizations along one axis"
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
