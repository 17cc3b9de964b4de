"""The record of a moving wall, and its means over what can be compared with closed forms."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]

# Angle (rad) from which on a wall counts as turning.
_TURNS = 2 * math.pi
# A wall is steady if it turns less than this (rad) in the second half of the time ...
_SETTLED = 0.05
# ... and if its displacements in the last two quarters differ by less than this part.
_EVEN = 0.02


@dataclass
class Record:
    """Observations after each step; lists of equal length.

    Attributes
    ----------
    rows
        ``{name: values}``; "time_s" is the end of a step, voltages are those of its middle.
    """

    rows: dict[str, list[float]] = field(default_factory=dict)

    def add(self, **values: float) -> None:
        """Add a row."""
        for key, value in values.items():
            self.rows.setdefault(key, []).append(float(value))

    def __getitem__(self, key: str) -> Array:
        """Return a column."""
        return np.array(self.rows.get(key, []))


@dataclass(frozen=True)
class Means:
    """Means of a wall's motion over a part of the time.

    Attributes
    ----------
    regime
        "steady": the wall keeps its tilt; "turning": the part is whole turns; "unsettled": neither yet.
    begin, end
        Times of the part (s).
    velocity
        m/s.
    turning_rate
        rad/s.
    integrals
        Means of further columns.
    """

    regime: str
    begin: float
    end: float
    velocity: float
    turning_rate: float
    integrals: dict[str, float]


def means(times: Array, position: Array, angle: Array, columns: dict[str, Array]) -> Means | None:
    """Return means over whole turns, or over the second half of the time; None if there are too few steps.

    Parameters
    ----------
    times, position, angle
        Values at the start and after each step (n + 1,); s, m, rad, the angle without jumps.
    columns
        Columns that are constant in each step (n,).
    """
    if len(times) < 4:
        return None
    turned = np.abs(angle - angle[0])
    # The first half turn is the start's, and what is left over at the end is not whole.
    whole = math.floor(turned.max() / math.pi) - 1
    if turned.max() >= _TURNS and whole >= 1:
        regime, begin, end = "turning", *(_passage(times, turned, n * math.pi) for n in (1, whole + 1))
    else:
        begin, end = float(times[0] + times[-1]) / 2, float(times[-1])
        later = np.abs(np.interp(begin, times, angle) - angle[times >= begin]).max()
        at = np.interp(np.linspace(begin, end, 3), times, position)
        first, second = at[1] - at[0], at[2] - at[1]
        even = abs(second - first) <= _EVEN * max(abs(first), abs(second))
        regime = "steady" if later < _SETTLED and even else "unsettled"
    span = end - begin

    def change(values: Array) -> float:
        return float(np.interp(end, times, values) - np.interp(begin, times, values)) / span

    sums = {k: np.concatenate([[0.0], np.cumsum(v * np.diff(times))]) for k, v in columns.items()}
    return Means(regime, begin, end, change(position), change(angle), {k: change(total) for k, total in sums.items()})


def _passage(times: Array, turned: Array, amount: float) -> float:
    """Return when a wall has first turned by so much (s)."""
    k = int(np.argmax(turned >= amount))
    part = (amount - turned[k - 1]) / (turned[k] - turned[k - 1])
    return float(times[k - 1] + part * (times[k] - times[k - 1]))


def jsonable(found: Means | None) -> dict[str, Any] | None:
    """Return means as they stand in summary.json."""
    if found is None:
        return None
    return {
        "regime": found.regime,
        "begin": found.begin,
        "end": found.end,
        "velocity": found.velocity,
        "turning_rate": found.turning_rate,
        **found.integrals,
    }
