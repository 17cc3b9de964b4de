"""Drives that are functions of the time: when they jump, and the error of a step that knows the drive in its middle."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]
type Largest = Callable[[Array], Array]
type Drive = Callable[[float], Array]

# Number of intervals between the times at which a drive is sampled.
_SAMPLES = 2000
# A jump that is a smaller part of the drive's whole range is left to the control of errors.
_SMALL = 1e-3
# Part of a change that one half of an interval must hold for the change to count as a jump.
_SHARE = 0.9
# Number of intervals from which on the mean over a step comes from the samples alone.
_LONG = 8


def _alone(values: Array) -> Array:
    return values


class SampledDrive:
    """A drive between two times, sampled at 2001 times.

    A pulse shorter than a thousandth of the time may fall between two samples, unless the user announces its times.

    Parameters
    ----------
    of
        Numbers (k,) that drive, as a function of the time (s).
    begin, end
        First and last time (s).
    many
        Function of many times (n,) with values (n, k); default: one call of `of` for each time. If ranks have to agree
        on each call, the single call of this function saves thousands of messages.
    largest
        Function that returns the largest among ranks of each of some numbers (n,), where ranks have different ones;
        the functions are then collective.

    Attributes
    ----------
    jumps
        Times between begin and end (n,), increasing, at which the drive jumps.
    """

    def __init__(
        self,
        of: Drive,
        begin: float,
        end: float,
        *,
        many: Callable[[Array], Array] | None = None,
        largest: Largest = _alone,
    ) -> None:
        self._of, self._largest = of, largest
        times: Array = np.asarray(np.linspace(begin, end, _SAMPLES + 1), dtype=np.float64)
        values = np.array([of(float(t)) for t in times]) if many is None else many(times)
        self._spacing = (end - begin) / _SAMPLES
        whole = float(np.ptp(values, axis=0).max(initial=0.0))
        self._scale = float(largest(np.full(1, whole, dtype=np.float64))[0])
        self.varies = self._scale > 0
        jumps = []
        if self.varies:
            changes = largest(self._sizes(np.diff(values, axis=0)))
            for k in np.flatnonzero(changes > _SMALL):
                jump = self._jump(float(times[k]), float(times[k + 1]), values[k], values[k + 1])
                if jump is not None:
                    jumps.append((k, *jump))
        self.jumps: Array = np.array([(low + high) / 2 for _, low, high, *_ in jumps])
        # Both sides of a jump join the samples.
        where = [k + 1 for k, *_ in jumps for _ in range(2)]
        self._times = np.insert(times, where, [t for _, low, high, *_ in jumps for t in (low, high)])
        sides = [v for *_, before, after in jumps for v in (before, after)]
        self._values = np.insert(values, where, sides, axis=0) if jumps else values
        steps = np.diff(self._times)[:, None] * (self._values[1:] + self._values[:-1]) / 2
        self._sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(steps, axis=0)])

    def _jump(self, low: float, high: float, before: Array, after: Array) -> tuple[float, float, Array, Array] | None:
        """Return times and values on both sides of a jump between two times; None if the change is gradual.

        Bisection ends where no number lies between the two times.
        """
        change = float(self._largest(self._sizes((after - before)[None]))[0])
        while True:
            middle = (low + high) / 2
            if not low < middle < high:
                return low, high, before, after
            here = self._of(middle)
            first, second = map(float, self._largest(self._sizes(np.stack([here - before, after - here]))))
            if max(first, second) < _SHARE * change:
                return None
            if first > second:
                high, after, change = middle, here, first
            else:
                low, before, change = middle, here, second

    def _sizes(self, changes: Array) -> Array:
        """Return the largest of each change (n, k), relative to the whole range (n,)."""
        return np.asarray(np.abs(changes).max(axis=1, initial=0.0) / self._scale)

    def missed(self, begin: float, end: float) -> Array:
        """Return how far the drive in the middle of a step is from its mean over the step (k,)."""
        if not self.varies:
            return np.zeros(self._values.shape[1])
        middle, size = self._of((begin + end) / 2), end - begin
        if size >= _LONG * self._spacing:
            mean = (self._integral(end) - self._integral(begin)) / size
        else:
            # Steps end at jumps: values just inside the step are on the right side.
            ends = self._of(begin + 1e-9 * size) + self._of(end - 1e-9 * size)
            mean = (ends + 4 * middle) / 6
        return np.asarray(np.abs(mean - middle))

    def _integral(self, t: float) -> Array:
        k = int(np.clip(np.searchsorted(self._times, t, side="right") - 1, 0, len(self._times) - 2))
        low, high = self._times[k], self._times[k + 1]
        share = (t - low) / (high - low)
        here = (1 - share) * self._values[k] + share * self._values[k + 1]
        return np.asarray(self._sums[k] + (t - low) * (self._values[k] + here) / 2)
