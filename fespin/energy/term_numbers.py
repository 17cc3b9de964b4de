"""Numbers of energy terms: what refuses them, and what completes those that a magnet or a macrospin supplies."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar, Protocol

import numpy as np

from ..errors import InputError
from ..quantities import direction, is_finite, require_positive
from .declaration import Face, Scales, stability_constant


class _DataClass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


class _WithMagnetization(_DataClass, Protocol):
    @property
    def saturation_magnetization(self) -> float | None: ...


def supplied(owner: str, value: Any) -> Any:
    """Return a number that the magnet or a macrospin supplies, once it has."""
    if value is None:
        raise InputError(f"{owner}: a number is missing that a magnet supplies; see the term's method resolved()")
    return value


def require_one_constant(owner: str, value: float | None, stability: float | None) -> None:
    """Refuse a constant and a stability that are not exactly one finite number."""
    if (value is None) == (stability is None):
        neither_or_both = "neither" if value is None else "both"
        raise InputError(f"{owner}: give exactly one of constant (J/m3) and stability (kT); found {neither_or_both}")
    number = value if value is not None else stability
    if not isinstance(number, (int, float)) or not math.isfinite(number):
        raise InputError(
            f"{owner}: the {'stability' if value is None else 'constant'} is {number!r}; it must be finite"
        )


def require_finite(owner: str, key: str, value: float) -> None:
    """Refuse what is not a finite number, of an energy per area."""
    if not is_finite(value):
        raise InputError(f"{owner}: {key} is {value!r}; it must be a finite number in J/m2")


def require_face(owner: str, face: Face | None, thickness: float | None) -> None:
    """Refuse what is no face or no thickness, and both together."""
    if face is not None and not callable(face) and face != "all":
        raise InputError(f'{owner}: face is {face!r}; it must be a function of positions (3, n), or "all"')
    if thickness is not None:
        require_positive(owner, "thickness", thickness)
        if face is not None:
            raise InputError(f"{owner}: give one of face and thickness; found both")


def set_floats(term: Any, *keys: str) -> None:
    """Replace numbers of a term by floats: in space those are constants of a form, and integers would be compiled."""
    for key in keys:
        value = getattr(term, key)
        if is_finite(value):
            object.__setattr__(term, key, float(value))


def set_perpendicular(owner: str, term: Any, *keys: str) -> None:
    """Replace two axes of a term by unit vectors."""
    first, second = (getattr(term, key) for key in keys)
    a, b = (direction(x, owner, "axis") for x in (first, second))
    if abs(np.dot(a, b)) > 1e-9:
        raise InputError(f"{owner}: the axes {list(first)} and {list(second)} are not perpendicular")
    for key, axis in zip(keys, (a, b), strict=True):
        object.__setattr__(term, key, axis)


def with_constants[T: _DataClass](owner: str, term: T, scales: Scales, pairs: dict[str, str]) -> T:
    """Return a term whose stabilities are replaced by constants.

    Parameters
    ----------
    pairs
        ``{constant: stability}`` by name.
    """
    changes: dict[str, Any] = {}
    for constant, stability in pairs.items():
        value = getattr(term, stability)
        if value is None:
            continue
        if scales.volume is None or scales.thermal_energy is None:
            raise InputError(
                f"{owner}: {stability} = {value!r} is K v/kT of a macrospin; in space give {constant} (J/m3)"
            )
        changes |= {constant: stability_constant(value, scales.volume, scales.thermal_energy), stability: None}
    return dataclasses.replace(term, **changes) if changes else term


def with_magnetization[T: _WithMagnetization](term: T, scales: Scales) -> T:
    """Return a term with its own saturation magnetization or, if it has none, the magnet's."""
    if term.saturation_magnetization is not None:
        return term
    return dataclasses.replace(term, saturation_magnetization=scales.saturation_magnetization)
