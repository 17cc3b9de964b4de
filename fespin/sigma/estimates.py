"""Estimates of the error of curves, sample by sample, from a space with a degree more."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..energy.on_sphere import Array
from ..errors import SolverError
from .distribution import Surface

# A sample is judged with others shortly before it, in parts of its time: where two curves cross, their difference says
# nothing.
_BEFORE = (0.7, 0.8, 0.9, 1.0)
# A degree more shows the error itself, but for its own, which is some three to thirty times smaller: that much is added
# to the difference at the time and, where this vanishes by chance, a part of the usual one around it.
_DIRECT, _AROUND = 1.5, 0.5
# No estimate is smaller: rounding, and what the comparison itself cannot see.
FLOOR = 1e-9


def compared[T](solve: Callable[[Surface], T], surface: Surface) -> T:
    """Solve a problem once more with a degree more, or with a degree less where that fails. Collective.

    Parameters
    ----------
    solve
        Takes a surface, returns what is compared.
    surface
        The surface whose answer is judged.

    Raises
    ------
    SolverError
        If both fail.
    """
    try:
        return solve(surface.finer)
    except SolverError:
        return solve(surface.coarser)


def neighbourhoods(times: Array) -> tuple[Array, NDArray[np.intp]]:
    """Return all times at which curves are wanted, increasing (m,), and which of them belong to each time (n, k).

    The last of each row is the time itself.
    """
    every = np.outer(times, _BEFORE)
    found, index = np.unique(every, return_inverse=True)
    return found, index.reshape(every.shape)


def relative_errors(curve: Array, other: Array | None, integrated: Array, index: NDArray[np.intp]) -> Array:
    """Return the estimated relative error of a curve at each time (n,).

    Parameters
    ----------
    curve
        Values at all times (m,).
    other
        The same with a degree more; or, as the larger error of a degree less bounds the curve's own, with a degree less
        (m,). None if there is none.
    integrated
        Relative error of the curve's time integration (m,).
    index
        The neighbourhood of each time among the m (n, k).
    """
    own = np.asarray(integrated[index].max(axis=1)) + FLOOR
    if other is None:
        return own
    with np.errstate(over="ignore", invalid="ignore"):
        difference = (np.abs(curve - other) / np.maximum(np.abs(curve), 1e-300))[index]
        usual = np.sqrt(np.mean(difference**2, axis=1))
        error = _DIRECT * difference[:, -1] + _AROUND * usual + own
    return np.asarray(np.where(curve[index[:, -1]] < 0, np.maximum(error, 1.0), error))  # no probability is negative


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
