"""Times that may be too long for a number."""

from __future__ import annotations

import math

LARGEST_EXPONENT = 308.0
"""Decimal logarithm of the largest number."""


def long_time(value: float | None, exponent: float | None) -> str:
    """Return a time as text: by its decimal logarithm where the time itself exceeds the largest number."""
    if value is not None:
        return f"{value:.5g}"
    return "infinite" if exponent is None else f"{10 ** (exponent % 1):.4g}e+{math.floor(exponent)}"
