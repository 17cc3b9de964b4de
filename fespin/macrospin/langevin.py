"""The stochastic Landau-Lifshitz-Gilbert equation: averages and first passages of macrospins in thermal noise."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ..energy.on_sphere import Array
from ..errors import InputError, SolverError
from .ensemble import Observable, Run, observed
from .heun import Heun
from .llg import DriveOfTime, FieldOfTime, Motion, checked_times
from .spin import Macrospin
from .torque import Torque

if TYPE_CHECKING:  # checking a case must not start MPI
    from mpi4py import MPI

    from ..progress import Progress

type Target = Callable[[Array], NDArray[np.bool_]]


@dataclass(frozen=True)
class EnsembleResult:
    """Averages over an ensemble of macrospins.

    Attributes
    ----------
    times
        s, (n,).
    mean, mean_error
        Average of u and its standard error, (n, 3).
    not_switched, not_switched_error
        Fraction with u.start > 0 and its standard error (Wilson's, never zero), (n,).
    observables, observable_errors
        Averages of the observables and their standard errors, (n,) each.
    ensemble, seed
        Number of trajectories, and the key of their random numbers.
    step, steps
        Longest step taken (s) and number of steps of a trajectory.
    seconds
        Wall time.

    Examples
    --------
    >>> torque = fs.SpinTorque.critical(spin, -4.0)
    >>> result = fs.langevin(comm, spin, [0.0, 2e-9, 10e-9], ensemble=200, torque=torque)
    >>> result.not_switched.round(1)
    array([1. , 0.9, 0.1])
    """

    times: Array
    mean: Array = field(repr=False)
    mean_error: Array = field(repr=False)
    not_switched: Array = field(repr=False)
    not_switched_error: Array = field(repr=False)
    observables: dict[str, Array] = field(repr=False)
    observable_errors: dict[str, Array] = field(repr=False)
    ensemble: int
    seed: int
    step: float
    steps: int
    seconds: float


def langevin(
    comm: MPI.Intracomm,
    spin: Macrospin,
    times: Sequence[float] | Array,
    *,
    ensemble: int = 10000,
    seed: int = 0,
    start: Sequence[float] = (0.0, 0.0, 1.0),
    torque: Torque | None = None,
    field: FieldOfTime | None = None,
    drive: DriveOfTime | None = None,
    step: float | None = None,
    equilibrate: bool = True,
    observables: Mapping[str, Observable] | None = None,
    progress: Progress | None = None,
) -> EnsembleResult:
    """Follow an ensemble of macrospins in thermal noise. Collective.

    Parameters
    ----------
    times
        Times at which averages are wanted (s): not negative, increasing; the start is at t = 0. Between them
        steps are equal, so times at which `field` or `drive` jump should be among them.
    ensemble
        Number of trajectories.
    seed
        Key of the random numbers; results depend on it, not on the number of ranks.
    start
        Axis of a hemisphere, u.start > 0, in whose equilibrium without torque and `field` the
        trajectories start.
    torque
        Spin torque.
    field
        Field in addition to the macrospin's own (T), a function of the time (s).
    drive
        Factor of the torque, a function of the time (s).
    step
        Longest step (s); default :func:`fespin.macrospin.ensemble.step_lengths`'s.
    equilibrate
        False starts all trajectories at `start` itself.
    observables
        Functions of u (n, 3) that return (n,).
    progress
        Called :data:`fespin.macrospin.ensemble.TICKS` times on every rank with the part that is done, for instance
        ``ProgressBar(comm).following("trajectories")``.

    Raises
    ------
    InputError
        If the ensemble, seed, times, step, start, or a function's value is impossible.
    SolverError
        If a direction is not a number, or the equilibrium cannot be sampled.

    Examples
    --------
    >>> times = [0.0, 2e-9, 10e-9]
    >>> result = fs.langevin(comm, spin, times, ensemble=200, seed=1)
    >>> result.mean[:, 2].round(1)
    array([0.9, 0.8, 0.8])
    """
    began = time.perf_counter()
    t = checked_times(times, "langevin")
    run = Run(comm, Motion(spin, torque, field, drive), t, ensemble, seed, start, equilibrate, step, progress)
    known = dict(observables or {})
    counts = [math.ceil(x / run.step * (1 - 1e-12)) for x in np.diff(t, prepend=0.0)]

    def block(random: Generator, u: Array, tick: Callable[[int], None]) -> Array:
        heun = Heun(run.motion, u)
        sums = np.empty((len(t), 7 + 2 * len(known)))
        before = 0.0
        for i, (until, count) in enumerate(zip(t, counts, strict=True)):
            run.advance(heun, random, before, float(until), count, tick)
            u, before = heun.directions, float(until)
            values = [observed(f, u, name) for name, f in known.items()]
            columns = np.column_stack([u, *values])
            sums[i] = [*columns.sum(axis=0), *(columns**2).sum(axis=0), np.count_nonzero(u @ run.start > 0)]
        return sums

    sums = np.sum(run.blocks(block, sum(counts)), axis=0)
    width = 3 + len(known)
    mean = sums[:, :width] / ensemble
    error = np.sqrt(np.maximum(sums[:, width:-1] / ensemble - mean**2, 0.0) / (ensemble - 1))
    share = sums[:, -1] / ensemble
    return EnsembleResult(
        t,
        mean[:, :3],
        error[:, :3],
        share,
        np.sqrt(share * (1 - share) / ensemble + 0.25 / ensemble**2) / (1 + 1 / ensemble),
        {name: mean[:, 3 + i] for i, name in enumerate(known)},
        {name: error[:, 3 + i] for i, name in enumerate(known)},
        ensemble,
        seed,
        run.step,
        sum(counts),
        time.perf_counter() - began,
    )


@dataclass(frozen=True)
class FirstPassage:
    """Times at which macrospins first reached a target.

    Attributes
    ----------
    mean, error
        Mean time and its standard error (s).
    times
        Time (s) of every trajectory, (ensemble,).
    ensemble, seed, step, seconds
        See :class:`EnsembleResult`.

    Examples
    --------
    >>> torque = fs.SpinTorque.critical(spin, -4.0)
    >>> passage = fs.first_passage(comm, spin, lambda u: u[:, 2] < -0.9, max_time=1e-7, ensemble=100, torque=torque)
    >>> passage.times.shape, passage.error < passage.mean
    ((100,), True)
    """

    mean: float
    error: float
    times: Array = field(repr=False)
    ensemble: int
    seed: int
    step: float
    seconds: float


def first_passage(
    comm: MPI.Intracomm,
    spin: Macrospin,
    target: Target,
    *,
    max_time: float,
    ensemble: int = 1000,
    seed: int = 0,
    start: Sequence[float] = (0.0, 0.0, 1.0),
    torque: Torque | None = None,
    field: FieldOfTime | None = None,
    drive: DriveOfTime | None = None,
    step: float | None = None,
    equilibrate: bool = True,
    progress: Progress | None = None,
) -> FirstPassage:
    """Follow macrospins until they enter a target. Collective.

    The target is looked for after every step, and excursions into it within a step are missed: the mean is
    that to an edge 0.58 sqrt(2 D step) further away (rad). Deep in the next well this does not matter; an
    edge at the top of a barrier needs short steps.

    Parameters
    ----------
    target
        Takes u (n, 3), returns a mask (n,), True inside.
    max_time
        Time for which trajectories are followed (s).

    Others are those of :func:`langevin`.

    Raises
    ------
    InputError
        As :func:`langevin` does.
    SolverError
        If some have not arrived, besides what :func:`langevin` raises.

    Examples
    --------
    >>> torque = fs.SpinTorque.critical(spin, -4.0)
    >>> passage = fs.first_passage(comm, spin, lambda u: u[:, 2] < -0.9, max_time=1e-7, ensemble=100, torque=torque)
    >>> print(f"{passage.mean:.1e}")
    8.3e-09
    """
    began = time.perf_counter()
    t = checked_times([max_time], "first passage")
    run = Run(comm, Motion(spin, torque, field, drive), t, ensemble, seed, start, equilibrate, step, progress)
    count = math.ceil(max_time / run.step * (1 - 1e-12))
    step = max_time / count if count else 0.0

    def block(random: Generator, u: Array, tick: Callable[[int], None]) -> Array:
        arrival_times = np.full(len(u), np.inf)
        arrival_times[_inside(target, u)] = 0.0
        under_way = np.flatnonzero(arrival_times)
        heun = Heun(run.motion, u[under_way])
        arrived = np.zeros(len(under_way), dtype=bool)
        for k in range(count):
            if not len(under_way):
                break
            heun.advance(random, k * step, step, 1)
            now = _inside(target, heun.directions) & ~arrived
            arrival_times[under_way[now]] = (k + 1) * step
            arrived |= now
            # Those that have arrived are dropped once they are a quarter of all, since dropping makes new arrays.
            if 4 * np.count_nonzero(arrived) > len(arrived):
                heun.keep(~arrived)
                under_way, arrived = under_way[~arrived], np.zeros(np.count_nonzero(~arrived), dtype=bool)
            tick(1)
        return arrival_times

    arrival_times = np.concatenate(run.blocks(block, count))
    late = np.count_nonzero(np.isinf(arrival_times))
    if late:
        raise SolverError(
            f"first passage: {late} of {ensemble} trajectories have not arrived within {max_time:g} s; "
            "give a longer max_time"
        )
    return FirstPassage(
        float(arrival_times.mean()),
        float(arrival_times.std(ddof=1) / math.sqrt(ensemble)),
        arrival_times,
        ensemble,
        seed,
        step,
        time.perf_counter() - began,
    )


def _inside(target: Target, u: Array) -> NDArray[np.bool_]:
    mask = np.asarray(target(u))
    if mask.shape != (len(u),) or mask.dtype != bool:
        raise InputError("first passage: the target must return True or False for each direction, (n,)")
    return mask
