"""Estimates of the error of curves, sample by sample, from spaces of neighbouring degrees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..energy.on_sphere import Array

# A sample is judged with others shortly before it: where two curves cross, their difference says nothing.
_BEFORE = (0.7, 0.8, 0.9, 1.0)
# By what factor the error falls from one degree to the next, whatever the degrees below say: those may be far from
# their limit, or cross by chance. Over random magnets the result is right to about the factor of safety.
_FALL, _SAFETY = (0.1, 0.3), 4.0
# What shows the error itself needs less of it.
_DIRECT = 2.0


def neighbourhoods(times: Array) -> tuple[Array, NDArray[np.intp]]:
    """Return all times at which curves are wanted, increasing (m,), and which of them belong to each time (n, k).

    The last of each row is the time itself.
    """
    every = np.outer(times, _BEFORE)
    found, index = np.unique(every, return_inverse=True)
    return found, index.reshape(every.shape)


def relative_errors(curves: Sequence[Array], own: Array, index: NDArray[np.intp], *, finer: bool = False) -> Array:
    """Return the estimated relative error of the first curve at each time (n,).

    Differences of degrees p, p - 1 and p - 2 are the errors of the lower ones. If they fall by the factor q from
    one degree to the next, they will about as much once more: what is left at degree p is q times the last one, with q
    between 0.1 and 0.3. A degree more shows the error itself.

    Parameters
    ----------
    curves
        Of degree p, p - 1 and p - 2, or as many of these as there are; or of p and p + 1 (m,) each.
    own
        Relative error of the time integration of the first (m,).
    index
        The neighbourhood of each time among the m (n, k).
    finer
        Whether the second curve is of degree p + 1.
    """
    integrated = np.asarray(own[index].max(axis=1))
    if len(curves) < 2:
        return integrated
    scale = np.maximum(np.abs(curves[0]), 1e-300)

    def difference(a: Array, b: Array) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(np.sqrt(np.mean((np.abs(a - b) / scale)[index] ** 2, axis=1)))

    near = difference(curves[0], curves[1])
    if finer:
        return np.asarray(_DIRECT * near + integrated)
    fall = np.full(len(near), _FALL[1])
    if len(curves) > 2:
        fall = np.clip(near / np.maximum(difference(curves[1], curves[2]), 1e-300), *_FALL)
    return np.asarray(_SAFETY * fall * near + integrated)


def drowned(times: Array, values: Array, errors: Array, resolved: NDArray[np.bool_]) -> Array:
    """Return the errors of samples relative to what their values may be, (n,): noise says nothing of what it hides.

    Where the error exceeds the value, a curve is taken to fall on as between its last two resolved samples.
    """
    seen = np.flatnonzero(resolved)
    if len(seen) < 2:
        return errors
    a, b = seen[-2:]
    rate = min(0.0, float(np.log(abs(values[b] / values[a])) / (times[b] - times[a])))
    low = np.abs(values[b]) * np.exp(np.maximum(rate * (times - times[b]), -300.0))
    return np.asarray(np.where(errors > 1, errors * np.maximum(1.0, np.abs(values) / low), errors))
