"""Numbers as users give them, and the checks that refuse them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

type Vector3 = tuple[float, float, float]
"""Three components, along x, y and z; z is the stacking direction."""

type Direction = Vector3
"""A unit vector of space."""

type AnyVector = Sequence[float]
"""Three numbers: an axis of any length, or a field."""


def is_finite(value: object) -> bool:
    """Return whether a value is one finite real number."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def require_positive(owner: str, key: str, value: float, *, zero: bool = False) -> None:
    """Refuse what is not a finite positive number, or zero if that is allowed."""
    if not is_finite(value) or value < 0 or (value == 0 and not zero):
        raise InputError(f"{owner}: {key} is {value!r}; it must be finite and {'not negative' if zero else 'positive'}")


def require_type(owner: str, value: object, kind: type, hint: str = "") -> None:
    """Refuse an object of another type; `hint` says how to get one of this type."""
    if not isinstance(value, kind):
        raise InputError(f"{owner}: found {value!r}; it must be a {kind.__name__}{hint}")


def require_asymmetry(owner: str, key: str, value: float) -> None:
    """Refuse what is not a number between -1 and 1."""
    if not is_finite(value) or not abs(value) < 1:
        raise InputError(f"{owner}: {key} is {value!r}; it must lie between -1 and 1")


def direction(vector: Sequence[float], owner: str, what: str = "magnetization") -> tuple[float, float, float]:
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
    largest = float(np.abs(v).max())
    if largest == 0:
        raise InputError(f"{owner}: {what} is zero; it must have a direction")
    # Scaling by a power of two rounds nothing, and squares neither overflow nor vanish.
    v = np.ldexp(v, -math.frexp(largest)[1])
    norm = float(np.linalg.norm(v))
    return (float(v[0] / norm), float(v[1] / norm), float(v[2] / norm))


def leading_sign(vector: NDArray[np.float64]) -> float:
    """Return the sign of a vector's largest component, the first of those that are equal but for rounding.

    Examples
    --------
    >>> leading_sign(np.array([-np.cos(np.pi / 4), np.sin(np.pi / 4), 0.0]))
    -1.0
    """
    size = np.abs(vector)
    return float(np.sign(vector[np.argmax(size > (1 - 1e-9) * size.max())]))
