"""Switching under constant drive: the write-error rate, down to any depth."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from mpi4py import MPI

from ..energy.on_sphere import Array
from ..errors import SolverError
from ..petsc import Options
from . import escape as escaping
from .dimensionless import DimensionlessDrift
from .distribution import Distribution, Surface, mixture
from .krylov import propagate
from .operator import Operator
from .space import Density
from .stationary import null_vector, remainder
from .weight import is_weighted

# Longer times than this (2 tau_N) on metastable states are followed by their rates, if those are slower than the other.
_LONG, _SLOW = 100.0, 1e-3
_FOREVER = 1e5
# The weighted form's norm is that of rho/sqrt(m): what starts much higher than the lowest well is followed plainly.
_SHALLOW = 8.0
# What the discrete start may lose of its hemisphere.
_LOST = 0.1


@dataclass(frozen=True)
class Course:
    """Values over time: probability of the hemisphere, mean direction, observables; and the density at the end."""

    probability: Array
    mean: Array
    observables: Array
    stationary: float
    error: Array
    final: Distribution
    method: str


def course(
    surface: Surface,
    times: Array,
    axis: Sequence[float],
    observables: Sequence[Density],
    rtol: float,
    *,
    free: DimensionlessDrift,
    drift: DimensionlessDrift,
    options: Options | None = None,
) -> Course:
    """Follow the equilibrium of a hemisphere under constant drive, by the method that fits. Collective.

    Parameters
    ----------
    times
        s, increasing (n,).
    free, drift
        Motion of the direction before and after t = 0.
    """
    start = hemisphere_equilibrium(free, surface, axis)
    functions = [*surface.components(), *observables]
    late = times > _LONG
    slow = None
    if late.any() and len(escaping.stable_points(drift)) > 1:
        operator = Operator(surface, drift, weighted=True, options=options)
        rates = escaping.escape(operator)
        if rates.rates.max() < _SLOW:
            slow = kinetic_course(operator, rates, start, times[late], axis, functions)
        operator.destroy()
    if slow is not None and late.all():
        return slow
    if slow is None:
        # Whatever relaxes has relaxed long before.
        followed, which = np.unique(np.minimum(times, _FOREVER), return_inverse=True)
        found = krylov_course(surface, drift, start, followed, axis, functions, rtol=rtol, options=options)
        seen = {k: getattr(found, k)[which] for k in ("probability", "mean", "observables", "error")}
        return dataclasses.replace(found, **seen)
    found = krylov_course(surface, drift, start, times[~late], axis, functions, rtol=rtol, options=options)
    return Course(
        np.concatenate([found.probability, slow.probability]),
        np.concatenate([found.mean, slow.mean]),
        np.concatenate([found.observables, slow.observables]),
        slow.stationary,
        np.concatenate([found.error, slow.error]),
        slow.final,
        f"{found.method}; later {slow.method}",
    )


def hemisphere_equilibrium(free: DimensionlessDrift, surface: Surface, axis: Sequence[float] | Array) -> Array:
    """Return the integrals with the basis functions of Boltzmann's distribution in u.axis > 0. Collective."""
    inside = surface.points @ np.asarray(axis, dtype=float) > 0
    lowest = float(free.potential(surface.points[inside]).min(initial=np.inf))
    lowest = min(surface.comm.allgather(lowest))
    load = surface.hemisphere(axis, lambda u: np.exp(-np.maximum(free.potential(u) - lowest, -50.0)))
    return np.asarray(load / surface.comm.allreduce(float(load.sum())))


def krylov_course(
    surface: Surface,
    reduced: DimensionlessDrift,
    start: Array,
    times: Array,
    axis: Sequence[float] | Array,
    observables: Sequence[Density],
    *,
    rtol: float,
    options: Options | None = None,
) -> Course:
    """Follow a density under constant drive. Collective.

    The difference from the stationary state is integrated, so that arbitrarily small probabilities are resolved. The
    stationary probability of the hemisphere is that of the weighted form, whose tails are right, where that of the
    plain form is noise (:func:`remainder`).

    Parameters
    ----------
    start
        Integrals of the initial density with the basis functions (owned,), one in all; they lie in the hemisphere.
    times
        s, increasing (n,).

    Raises
    ------
    SolverError
        If the mesh does not resolve the start, or the evolution does not converge.
    """
    weighted = is_weighted(surface, reduced) and depth(surface, reduced, start) < _SHALLOW
    here = Operator(surface, reduced, weighted=weighted, options=options)
    x0 = here.project(start)
    functionals = np.array([here.hemisphere(axis), *(here.observable(f) for f in observables)])
    first = here.surface.comm.allreduce(functionals @ x0)
    lost = 1 - float(first[0])
    if not abs(lost) < _LOST:
        raise SolverError(
            f"sphere: the start's integral over its hemisphere is wrong by {lost:.2g}; the mesh does not resolve it"
        )
    rest = here.ones / here.mass(here.ones) if weighted else null_vector(here)
    constant = here.surface.comm.allreduce(functionals @ rest)
    stationary = float(constant[0])
    if not weighted:
        constant[0], stationary = remainder(here, rest, axis)
    y = x0 - rest * here.mass(x0)
    y -= here.ones * (here.mass(y) / here.mass(here.ones))
    inside = times > 0
    values = np.zeros((len(times), len(functionals)))
    error = np.zeros(len(times))
    last = y
    if inside.any():
        values[inside], error[inside], last = propagate(
            here, y, rest, times[inside], functionals, rtol=rtol, offset=float(constant[0])
        )
        values[inside] += constant
    # At the start nothing is left to the difference of two states: all of it is in the hemisphere.
    values[~inside] = first
    values[~inside, 0] = 1.0
    form = "weighted" if weighted else "plain"
    final = here.distribution(rest + last, f"rational Krylov, {form} form")
    here.destroy()
    return Course(values[:, 0], values[:, 1:4], values[:, 4:], stationary, error, final, final.method)


def depth(surface: Surface, reduced: DimensionlessDrift, start: Array) -> float:
    """Return how much higher in energy (kT) a density lies than the lowest well. Collective."""
    energy = reduced.potential(surface.nodes)
    lowest = surface.comm.allreduce(float(energy.min(initial=np.inf)), op=MPI.MIN)
    return float(surface.comm.allreduce(float(start @ energy)) - lowest)


def kinetic_course(
    operator: Operator,
    found: escaping.Rates,
    start: Array,
    times: Array,
    axis: Sequence[float] | Array,
    observables: Sequence[Density],
) -> Course:
    """Follow the populations of metastable states, for times that are long against relaxation in them. Collective."""
    surface = operator.surface
    each = found.densities
    share = np.array([d.probability(axis) for d in each])
    seen = np.array([[d.expect(f) for f in observables] for d in each]).reshape(len(each), len(observables))
    # Where the start lies: the probability to come to each state first.
    reach = surface.comm.allreduce(found.committors @ start)
    populations = np.array([reach @ scipy.linalg.expm(found.generator * t) for t in times])
    method = "rates between metastable states"
    final = mixture(each, populations[-1], method)
    seen = populations @ seen
    stationary = float(found.populations @ share)
    # States relax in times of order one: what is neglected is of the order of the rates.
    model = np.full(len(times), float(found.rates.max()))
    return Course(populations @ share, seen[:, :3], seen[:, 3:], stationary, model, final, method)
