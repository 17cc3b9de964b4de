"""Switching under constant drive: the write-error rate, down to any depth."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from mpi4py import MPI

from ..macrospin.pointwise import Array
from . import escape as escaping
from .distribution import Distribution, Surface, mixture
from .factor import Options
from .krylov import propagate
from .operator import Operator
from .reduced import Reduced
from .space import Density

_WEIGHTED = "weighted form"
# Longer times than this (2 tau_N) on metastable states are followed by their rates, if those are slower than the other.
_LONG, _SLOW = 100.0, 1e-3
_FOREVER = 1e5
# The weighted form's norm is that of rho/sqrt(m): what starts much higher than the lowest well is followed plainly.
_SHALLOW = 8.0
# What a discrete stationary state may have where it should have next to nothing.
_NOISE = 1e-4


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
    free: Reduced,
    driven: Reduced,
    options: Options | None = None,
) -> Course:
    """Follow the equilibrium of a hemisphere under constant drive, by the method that fits. Collective.

    Parameters
    ----------
    times
        s, increasing (n,).
    free, driven
        What moves the direction before and after t = 0.
    """
    start = hemisphere_equilibrium(free, surface, axis)
    functions = [*surface.components(), *observables]
    late = times > _LONG
    slow = None
    if late.any() and len(escaping.stable_points(driven)) > 1:
        operator = Operator(surface, driven, weighted=True, options=options)
        rates = escaping.escape(operator)
        if rates.rates.max() < _SLOW:
            slow = kinetic_course(operator, rates, start, times[late], axis, functions)
        operator.destroy()
    if slow is not None and late.all():
        return slow
    if slow is None:
        # Whatever relaxes has relaxed long before.
        followed, which = np.unique(np.minimum(times, _FOREVER), return_inverse=True)
        found = krylov_course(surface, driven, start, followed, axis, functions, rtol=rtol, options=options)
        seen = {k: getattr(found, k)[which] for k in ("probability", "mean", "observables", "error")}
        return dataclasses.replace(found, **seen)
    found = krylov_course(surface, driven, start, times[~late], axis, functions, rtol=rtol, options=options)
    return Course(
        np.concatenate([found.probability, slow.probability]),
        np.concatenate([found.mean, slow.mean]),
        np.concatenate([found.observables, slow.observables]),
        slow.stationary,
        np.concatenate([found.error, slow.error]),
        slow.final,
        f"{found.method}; later {slow.method}",
    )


def hemisphere_equilibrium(free: Reduced, surface: Surface, axis: Sequence[float] | Array) -> Array:
    """Return the integrals with the basis functions of Boltzmann's distribution in u.axis > 0. Collective."""
    inside = surface.points @ np.asarray(axis, dtype=float) > 0
    lowest = float(free.potential(surface.points[inside]).min(initial=np.inf))
    lowest = min(surface.comm.allgather(lowest))
    load = surface.hemisphere(axis, lambda u: np.exp(-np.maximum(free.potential(u) - lowest, -50.0)))
    return np.asarray(load / surface.comm.allreduce(float(load.sum())))


def steady_state(surface: Surface, reduced: Reduced, options: Options | None = None) -> Distribution:
    """Return the stationary distribution in the form that overshoots less. Collective."""
    weighted = Operator(surface, reduced, weighted=True, options=options)
    found = stationary_state(weighted)
    weighted.destroy()
    if not reduced.driven or surface.dim == 1:
        return found
    plain = Operator(surface, reduced, weighted=False, options=options)
    other = plain.distribution(_null_vector(plain), "plain form")
    plain.destroy()
    if found.method == _WEIGHTED:
        return other if other.negative_mass < found.negative_mass else found
    # The plain form does not know how metastable states mix; but mass elsewhere is a state that is no well: precession.
    held = surface.integral(np.minimum(np.maximum(other.points, 0), 1e3 * found.points))
    return other if held < 0.9 and other.negative_mass < 1e-2 else found


def stationary_state(operator: Operator) -> Distribution:
    """Return the stationary distribution in the weighted form, whose tails are right. Collective.

    Without torque it is Boltzmann's, exactly. With one, w is fixed where the weight is largest; where
    several states are metastable and rates between them are tiny, each state is found for itself and
    the rates say how they mix.
    """
    assert operator.weighted
    surface = operator.surface
    if not operator.reduced.driven:
        x = operator.ones / operator.mass(operator.ones)
        return operator.distribution(x, "Boltzmann")
    if len(escaping.stable_points(operator.reduced)) > 1:
        found = escaping.escape(operator)
        if found.rates.sum(axis=1).min() < 1e-6:
            return mixture(found.densities, found.populations, "metastable states, mixed by their rates")
    pin = escaping.nearest_node(surface.comm, -operator.potential(surface.nodes)[0])
    w = escaping.boundary_value(operator, {int(k): 1.0 for k in pin})
    x = w * operator.scale
    x /= operator.mass(x)
    return operator.distribution(x, _WEIGHTED)


def krylov_course(
    surface: Surface,
    reduced: Reduced,
    start: Array,
    times: Array,
    axis: Sequence[float] | Array,
    observables: Sequence[Density],
    *,
    rtol: float,
    options: Options | None = None,
) -> Course:
    """Follow a density under constant drive. Collective.

    What is followed is the difference from the stationary state; the latter's probability of the hemisphere comes from
    the weighted form, whose tails are right. In between lies no limit to how small a
    probability may become.

    Parameters
    ----------
    start
        Integrals of the initial density with the basis functions (owned,).
    times
        s, increasing (n,).
    """
    weighted = not reduced.driven and depth(surface, reduced, start) < _SHALLOW
    here = Operator(surface, reduced, weighted=weighted, options=options)
    x0 = here.project(start)
    rest = here.ones / here.mass(here.ones) if weighted else _null_vector(here)
    functionals = np.array([here.hemisphere(axis), *(here.observable(f) for f in observables)])
    constant = here.surface.comm.allreduce(functionals @ rest)
    y = x0 - rest * here.mass(x0)
    y -= here.ones * (here.mass(y) / here.mass(here.ones))
    inside = times > 0
    values = np.zeros((len(times), len(functionals)))
    error = np.zeros(len(times))
    values[~inside] = here.surface.comm.allreduce(functionals @ x0) - constant
    last = y
    if inside.any():
        values[inside], error[inside], last = propagate(
            here, y, rest, times[inside], functionals, rtol=rtol, floor=max(float(constant[0]), 1e-300)
        )
    # With two metastable states the discrete stationary state is any mixture of them, and what is large is no noise.
    most = _NOISE if len(escaping.stable_points(reduced)) > 1 else np.inf
    if not weighted and 1e-7 * np.abs(values[:, 0]).min() < abs(constant[0]) < most:
        # The discrete stationary state has noise there, where it should have next to nothing.
        other = Operator(surface, reduced, weighted=True, options=options)
        tail = stationary_state(other).probability(axis)
        constant[0] = constant[0] if tail > 1e-6 else max(tail, 0.0)
        other.destroy()
    values += constant
    form = "weighted" if weighted else "plain"
    final = here.distribution(rest + last, f"rational Krylov, {form} form")
    here.destroy()
    return Course(values[:, 0], values[:, 1:4], values[:, 4:], float(constant[0]), error, final, final.method)


def depth(surface: Surface, reduced: Reduced, start: Array) -> float:
    """Return how much higher in energy (kT) a density lies than the lowest well. Collective."""
    energy = reduced.potential(surface.nodes)
    lowest = surface.comm.allreduce(float(energy.min(initial=np.inf)), op=MPI.MIN)
    return float(surface.comm.allreduce(float(start @ energy)) - lowest)


def _null_vector(operator: Operator) -> Array:
    """Return the discrete stationary state of the plain form, of unit mass. Collective."""
    surface = operator.surface
    # Fixed where the effective potential is lowest, and the density surely not small.
    pin = escaping.nearest_node(surface.comm, -operator.reduced.effective(surface.nodes)[0])
    w = escaping.boundary_value(operator, {int(k): 1.0 for k in pin})
    x = w * operator.scale
    return np.asarray(x / operator.mass(x))


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
