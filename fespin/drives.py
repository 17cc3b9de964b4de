"""Drives in time: where they jump, and what a step misses that asks for the drive in its middle alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]
type Largest = Callable[[Array], Array]
type Of = Callable[[float], Array]

_SAMPLES = 2000
_SMALL = 1e-3  # part of a drive's whole range: a smaller jump is left to the control of errors
_SHARE = 0.9  # of a change that must be in one half of an interval for a jump to be there
_LONG = 8  # intervals between samples from which on a step is seen by samples alone


def _alone(values: Array) -> Array:
    return values


class SampledDrive:
    """A drive between two times, looked at often.

    What is over within 2 of 2000 parts of the time may be missed, unless it is announced.

    Parameters
    ----------
    of
        Numbers (k,) that drive, as a function of the time (s).
    begin, end
        s.
    many
        The same at many times (n,), values (n, k); default: one by one. Where each look has to be agreed on among
        ranks, this one is agreed on once.
    largest
        The largest of numbers (n,) among ranks, each by itself, if ranks have different ones; the functions are then
        collective.

    Attributes
    ----------
    jumps
        Times between begin and end (n,), increasing, at which the drive jumps.
    """

    def __init__(
        self,
        of: Of,
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
        found = []
        if self.varies:
            changes = largest(self._sizes(np.diff(values, axis=0)))
            for k in np.flatnonzero(changes > _SMALL):
                jump = self._jump(float(times[k]), float(times[k + 1]), values[k], values[k + 1])
                if jump is not None:
                    found.append((k, *jump))
        self.jumps: Array = np.array([(low + high) / 2 for _, low, high, *_ in found])
        # Both sides of a jump join the samples.
        where = [k + 1 for k, *_ in found for _ in range(2)]
        self._times = np.insert(times, where, [t for _, low, high, *_ in found for t in (low, high)])
        sides = [v for *_, before, after in found for v in (before, after)]
        self._values = np.insert(values, where, sides, axis=0) if found else values
        steps = np.diff(self._times)[:, None] * (self._values[1:] + self._values[:-1]) / 2
        self._sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(steps, axis=0)])

    def _jump(self, low: float, high: float, before: Array, after: Array) -> tuple[float, float, Array, Array] | None:
        """Return the two sides of a jump between two times, as near as numbers are; None if the change is gradual."""
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
            # Jumps are at the ends.
            ends = self._of(begin + 1e-9 * size) + self._of(end - 1e-9 * size)
            mean = (ends + 4 * middle) / 6
        return np.asarray(np.abs(mean - middle))

    def _integral(self, t: float) -> Array:
        k = int(np.clip(np.searchsorted(self._times, t, side="right") - 1, 0, len(self._times) - 2))
        low, high = self._times[k], self._times[k + 1]
        share = (t - low) / (high - low)
        here = (1 - share) * self._values[k] + share * self._values[k + 1]
        return np.asarray(self._sums[k] + (t - low) * (self._values[k] + here) / 2)
