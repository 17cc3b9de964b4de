"""Fields and drives of an evolution on the sphere: their values at a time, and the times at which they change."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..energy.declaration import field_vector
from ..energy.on_sphere import Array
from ..errors import InputError
from ..macrospin.spin import Macrospin
from ..macrospin.stages import Stage, stage_at
from ..macrospin.torque import Torque
from .dimensionless import DimensionlessDrift
from .symmetry import find_axis

# Times at which field and drive are looked at before an evolution.
_SAMPLES = 2001


def builder(
    spin: Macrospin,
    torque: Torque | None,
    field: Callable[[float], Sequence[float]] | None,
    drive: Callable[[float], float] | None,
) -> Callable[[float], DimensionlessDrift]:
    """Return the drift as a function of s = t/(2 tau_N).

    Parameters
    ----------
    field, drive
        Functions of t (s): a field in addition to the macrospin's (T), the factor on the torque.
    """
    rate = spin.diffusion

    def build(s: float) -> DimensionlessDrift:
        b = (0.0, 0.0, 0.0) if field is None else field_vector(tuple(field(s / rate)), "evolve: field")
        factor = 1.0 if drive is None else float(drive(s / rate))
        if not np.isfinite(factor):
            raise InputError(f"evolve: drive is {factor!r} at {s / rate:g} s; it must be finite")
        return DimensionlessDrift(spin, torque, factor, b)

    return build


def staged(stages: Sequence[Stage], rate: float) -> Callable[[float], DimensionlessDrift]:
    """Return the drift in stages as a function of s = rate t.

    Parameters
    ----------
    rate
        D (1/s) in which times count.
    """
    drifts = {id(x): DimensionlessDrift(x.spin, x.torque, pace=x.spin.diffusion / rate) for x in stages}
    return lambda s: drifts[id(stage_at(stages, s / rate))]


def axes_of(stages: Sequence[Stage]) -> list[Array]:
    """Return the axes about which stages are symmetric; of a stage that has none, all axes of space."""
    axes: list[Array] = []
    for x in stages:
        axis = find_axis(x.spin, x.torque)
        axes += list(np.eye(3)) if axis is None else [axis]
    return axes


def directions(build: Callable[[float], DimensionlessDrift], times: Array) -> list[Array]:
    """Return the directions of the fields at some times."""
    fields = np.array([build(x).field for x in times])
    size = np.linalg.norm(fields, axis=1)
    return list(fields[size > 0] / size[size > 0][:, None])


def samples(end: float) -> Array:
    """Return the times at which field and drive are looked at before an evolution (n,)."""
    return np.linspace(0.0, end, _SAMPLES)


def changes(build: Callable[[float], DimensionlessDrift], end: float) -> Array:
    """Return times that divide all changes of field and drive into twenty equal parts (n,).

    Steps end there, so that none skips a large change. The times are those of the samples.
    """
    times = samples(end)
    seen = np.array([[*r.field, r.amplitude] for r in map(build, times)])
    span = np.ptp(seen, axis=0)
    moved = np.abs(np.diff(seen, axis=0)) / np.where(span > 0, span, 1.0)
    total = np.concatenate([[0.0], np.cumsum(moved.sum(axis=1))])
    if total[-1] == 0:
        return np.zeros(0)
    return np.unique(times[np.searchsorted(total, np.linspace(0, total[-1], 21)[1:-1])])


def checked_times(times: Sequence[float] | Array) -> Array:
    """Return times (s) as an array.

    Raises
    ------
    InputError
        If they are not finite, not negative and increasing.
    """
    t = np.atleast_1d(np.asarray(times, dtype=float))
    if t.ndim != 1 or not len(t) or not np.isfinite(t).all() or t[0] < 0 or (np.diff(t) <= 0).any() or t[-1] <= 0:
        raise InputError("times: they must be finite, not negative and increasing, and end after zero (s)")
    return t
