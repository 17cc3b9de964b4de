"""Estimates of the error of curves, sample by sample, from spaces of neighbouring degrees."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..energy.on_sphere import Array
from ..errors import SolverError
from ..macrospin.spin import PROBES
from .distribution import Surface
from .space import Density

# A sample is compared together with samples at 0.7, 0.8 and 0.9 of its time: where two curves cross, their difference
# is zero by chance.
_BEFORE = (0.7, 0.8, 0.9, 1.0)
# The space of one degree more has an error of its own, some three to thirty times smaller: the difference is multiplied
# by the first number, and the second one times the usual difference nearby is added, in case it vanishes by chance.
DIRECT, _AROUND = 1.5, 0.5
# Two degrees may agree by chance where a mesh is far too coarse for both: an error is not taken to fall by more than
# tenfold from one degree to the next.
_FALL = 0.1
# No estimate is smaller: rounding, and what the comparison itself cannot see.
FLOOR = 1e-9


def compared[T](
    solve: Callable[[Surface], T], surface: Surface, enough: Callable[[T], bool]
) -> tuple[T | None, T | None]:
    """Solve a problem once more with a degree more, and with a degree less. Collective.

    Parameters
    ----------
    solve
        Takes a surface, returns what is compared.
    surface
        The surface whose answer is judged.
    enough
        Takes the answer with a degree more, returns whether it agrees so well that no chance is to be feared. Then no
        degree less is solved.

    Returns
    -------
    tuple
        The answers with a degree more, None if it cannot be had, and with a degree less, None below degree 2 or if the
        first is enough.

    Raises
    ------
    SolverError
        If the degree less fails, which a mesh that resolves the problem does not let happen; or if no answer is left.
    """
    finer: T | None = None
    failure: SolverError | None = None
    try:
        finer = solve(surface.finer)
    except SolverError as error:
        failure = error
    if finer is not None and enough(finer):
        return finer, None
    lower = solve(surface.coarser) if surface.degree > 2 else None
    if failure is not None and lower is None:
        raise failure
    return finer, lower


def neighbourhoods(times: Array, before: Sequence[float] = _BEFORE) -> tuple[Array, NDArray[np.intp]]:
    """Return all times at which curves are wanted, increasing (m,), and which of them belong to each time (n, k).

    The last of each row is the time itself.

    Parameters
    ----------
    before
        Times relative to each, the last of them one.
    """
    every = np.outer(times, before)
    found, index = np.unique(every, return_inverse=True)
    return found, index.reshape(every.shape)


def relative_errors(
    curve: Array, finer: Array | None, coarser: Array | None, integrated: Array, index: NDArray[np.intp]
) -> Array:
    """Return the estimated relative error of a curve at each time (n,).

    Parameters
    ----------
    curve
        Values at all times (m,).
    finer, coarser
        Values with a degree more and with a degree less (m,), None where there are none. The larger error of the degree
        less bounds the curve's own, if the other is missing.
    integrated
        Relative error of the curve's time integration (m,).
    index
        The neighbourhood of each time among the m (n, k).
    """
    error = np.zeros(len(index))
    scale = np.maximum(np.abs(curve), 1e-300)
    with np.errstate(over="ignore", invalid="ignore"):
        if finer is not None:
            above = (np.abs(curve - finer) / scale)[index]
            error = DIRECT * above[:, -1] + _AROUND * np.sqrt(np.mean(above**2, axis=1))
        if coarser is not None:
            below = np.sqrt(np.mean((np.abs(curve - coarser) / scale)[index] ** 2, axis=1))
            error = np.maximum(error, below if finer is None else _FALL * below)
    error = error + integrated[index].max(axis=1) + FLOOR
    return np.asarray(np.where(curve[index[:, -1]] < 0, np.maximum(error, 1.0), error))  # no probability is negative


def drowned(times: Array, values: Array, errors: Array, resolved: NDArray[np.bool_]) -> Array:
    """Return the errors of samples relative to their values, (n,).

    Where the error exceeds the value, the value is extrapolated from the last two resolved samples.
    """
    seen = np.flatnonzero(resolved)
    if len(seen) < 2:
        return errors
    a, b = seen[-2:]
    rate = min(0.0, float(np.log(abs(values[b] / values[a])) / (times[b] - times[a])))
    low = np.abs(values[b]) * np.exp(np.maximum(rate * (times - times[b]), -300.0))
    return np.asarray(np.where(errors > 1, errors * np.maximum(1.0, np.abs(values) / low), errors))


def observed_change(found: Array, other: Array, functions: Sequence[Density]) -> float:
    """Return the largest difference of means of functions (times, functions), relative to the functions' sizes."""
    if not functions:
        return 0.0
    size = np.array([float(np.abs(f(PROBES)).max()) for f in functions])
    return float((np.abs(other - found) / np.where(size > 0, size, 1.0)).max())
