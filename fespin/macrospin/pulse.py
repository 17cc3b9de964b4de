"""Pulses: a drive against time, straight between points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..errors import InputError
from ..quantities import is_finite

# Parts into which an edge is cut by default.
PER_EDGE = 8


@dataclass(frozen=True)
class Pulse:
    """A drive against time: a voltage (V), a current density (A/m2) or a factor of a torque.

    Attributes
    ----------
    points
        (time, value), times (s) not decreasing from 0 on; two points of one time are a jump. In between the drive is
        straight, and it ends with the last point.

    Raises
    ------
    InputError
        If there are fewer than two points, a number is not finite, or times decrease or do not begin at 0.

    Examples
    --------
    >>> pulse = fs.Pulse.rectangle(0.8, 5e-9, rise=0.2e-9, fall=0.4e-9)
    >>> print(f"{pulse.end:.2e} {pulse.at(0.1e-9):.2f} {pulse.at(5.4e-9):.2f}")
    5.60e-09 0.40 0.40
    """

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        try:
            points = tuple((float(t), float(x)) for t, x in self.points)
        except (TypeError, ValueError) as error:
            raise InputError("pulse: points must be pairs of numbers, [time, value]") from error
        if len(points) < 2 or not all(is_finite(x) for pair in points for x in pair):
            raise InputError("pulse: give at least two points, [time, value] each, of finite numbers")
        times = [t for t, _ in points]
        if times[0] != 0 or (np.diff(times) < 0).any() or times[-1] <= 0:
            raise InputError(f"pulse: times must begin at 0 and not decrease, and end later; found {times} s")
        object.__setattr__(self, "points", points)

    @classmethod
    def rectangle(cls, value: float, length: float, *, rise: float = 0.0, fall: float = 0.0) -> Self:
        """Return a pulse of one height.

        Parameters
        ----------
        value
            Height.
        length
            Time (s) at full height, without edges.
        rise, fall
            Lengths of the edges (s).
        """
        for key, x in (("length", length), ("rise", rise), ("fall", fall)):
            if not is_finite(x) or x < 0 or (key == "length" and x == 0):
                sign = "positive" if key == "length" else "not negative"
                raise InputError(f"pulse: {key} is {x!r}; it must be finite and {sign} (s)")
        points = [(0.0, 0.0), (rise, value), (rise + length, value), (rise + length + fall, 0.0)]
        return cls(tuple(points[0 if rise else 1 :][: None if fall else -1]))

    @property
    def end(self) -> float:
        """The last time (s)."""
        return self.points[-1][0]

    @property
    def largest(self) -> float:
        """The largest value, in size."""
        return max(abs(x) for _, x in self.points)

    @property
    def constant(self) -> bool:
        """True if the value never changes."""
        return len({x for _, x in self.points}) == 1

    def at(self, time: float) -> float:
        """Return the value at a time (s); of a jump the mean of both values, and zero after the end."""
        if time > self.end:
            return 0.0
        before = [x for t, x in self.points if t == time]
        if len(before) > 1:
            return (before[0] + before[-1]) / 2
        return float(np.interp(time, *np.transpose(self.points)))

    def pieces(self, per_edge: int = PER_EDGE) -> list[tuple[float, float]]:
        """Return (end, value) of parts with one value each, in order: an edge is cut into equal parts.

        The values are those in the middle, which errs by the square of the parts' length.
        """
        out: list[tuple[float, float]] = []
        for (t, x), (after, y) in zip(self.points, self.points[1:], strict=False):
            if after == t:
                continue
            n = 1 if x == y else per_edge
            for k in range(n):
                out.append((t + (after - t) * (k + 1) / n, x + (y - x) * (k + 0.5) / n))
        return out


def rectangles(value: float, lengths: Sequence[float], *, rise: float = 0.0, fall: float = 0.0) -> list[Pulse]:
    """Return pulses of one height and several lengths (s)."""
    return [Pulse.rectangle(value, length, rise=rise, fall=fall) for length in lengths]
