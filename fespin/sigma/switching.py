"""Switching under constant drive: the write-error rate, down to any depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg

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
    functions: list[Density] = [lambda u, k=k: u[:, k] for k in range(3)]  # type: ignore[misc]
    functions += observables
    if times[-1] > _LONG and len(escaping.stable_points(driven)) > 1:
        operator = Operator(surface, driven, weighted=True, options=options)
        rates = escaping.escape(operator)
        found = kinetic_course(operator, rates, start, times, axis, functions) if rates.rates.max() < _SLOW else None
        operator.destroy()
        if found is not None:
            return found
    return krylov_course(surface, driven, start, times, axis, functions, rtol=rtol, options=options)


def hemisphere_equilibrium(free: Reduced, surface: Surface, axis: Sequence[float] | Array) -> Array:
    """Return the integrals with the basis functions of Boltzmann's distribution in u.axis > 0. Collective."""
    lowest = float(free.spin.reduced_energy(surface.points).min(initial=np.inf))
    lowest = min(surface.comm.allgather(lowest))
    load = surface.hemisphere(axis, lambda u: np.exp(-(free.potential(u) - lowest)))
    return np.asarray(load / surface.comm.allreduce(float(load.sum())))


def steady_state(surface: Surface, reduced: Reduced, options: Options | None = None) -> Distribution:
    """Return the stationary distribution in the form that overshoots less. Collective."""
    weighted = Operator(surface, reduced, weighted=True, options=options)
    found = stationary_state(weighted)
    weighted.destroy()
    if found.method != _WEIGHTED or surface.dim == 1:
        return found
    plain = Operator(surface, reduced, weighted=False, options=options)
    other = plain.distribution(_null_vector(plain), "plain form")
    plain.destroy()
    return other if other.negative_mass < found.negative_mass else found


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
    here = Operator(surface, reduced, weighted=not reduced.driven, options=options)
    x0 = here.project(start)
    rest = _null_vector(here) if reduced.driven else here.ones / here.mass(here.ones)
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
            here, y, times[inside], functionals, rtol=rtol, floor=max(float(constant[0]), 1e-300)
        )
    if reduced.driven and abs(constant[0]) > 1e-7 * np.abs(values[:, 0]).min():
        # The discrete stationary state has noise there, where it should have next to nothing.
        weighted = Operator(surface, reduced, weighted=True, options=options)
        tail = stationary_state(weighted).probability(axis)
        constant[0] = constant[0] if tail > 1e-6 else max(tail, 0.0)
        weighted.destroy()
    values += constant
    form = "plain" if reduced.driven else "weighted"
    final = here.distribution(rest + last, f"rational Krylov, {form} form")
    here.destroy()
    return Course(values[:, 0], values[:, 1:4], values[:, 4:], float(constant[0]), error, final, final.method)


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
    cores = escaping.cores_of(operator, found.states)
    reach = [surface.comm.allreduce(float(q @ start)) for q in escaping.committors(operator, cores)]
    populations = np.array([np.array(reach) @ scipy.linalg.expm(found.generator * t) for t in times])
    method = "rates between metastable states"
    final = mixture(each, populations[-1], method)
    seen = populations @ seen
    stationary = float(found.populations @ share)
    return Course(populations @ share, seen[:, :3], seen[:, 3:], stationary, np.zeros(len(times)), final, method)
