"""Stationary states, in the form that overshoots less, and what they leave in a hemisphere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..energy.on_sphere import Array
from ..errors import SolverError
from ..petsc import Options
from . import escape as escaping
from .dimensionless import DimensionlessDrift
from .distribution import Distribution, Surface, mixture
from .fourier import Fourier
from .operator import Operator
from .space import Potential

_MIXED = "metastable states, mixed by their rates"
# Fractions of the torque's potential in the weight, tried in this order. 1 is exact for axial symmetry and poor where
# the torque has nearly no potential; 0 is less accurate in tails, but never overshoots much.
_SHARES = (1.0, 0.5, 0.25, 0.0)
# A weighted stationary state with less negative mass is sound: no further weight is tried. Of precession, the plain
# form's state may have more.
_GOOD, _SOUND = 1e-4, 1e-2
# The plain form's probability of a hemisphere is taken for noise if it is at most so many times its overshoots there,
# and at most the second number.
_SWINGS, _NOISE = 10.0, 1e-4


def steady_state(surface: Surface, reduced: DimensionlessDrift, options: Options | None = None) -> Distribution:
    """Return the stationary distribution in the form that overshoots less. Collective."""
    found = weighted_state(surface, reduced, options)
    if not reduced.has_torque or surface.dim == 1 or (isinstance(surface, Fourier) and found.method != _MIXED):
        return found
    plain = Operator(surface, reduced, weighted=False, options=options)
    other = plain.distribution(null_vector(plain), "plain form")
    plain.destroy()
    return _better(found, other)


def _better(found: Distribution, plain: Distribution) -> Distribution:
    """Return the one of two stationary states, in the weighted and in the plain form, that is right. Collective."""
    if found.method != _MIXED:
        return plain if plain.negative_mass < found.negative_mass else found
    # The plain form does not know how metastable states mix; but mass elsewhere is a state that is no well: precession.
    held = found.surface.integral(np.minimum(np.maximum(plain.points, 0), 1e3 * found.points))
    return plain if held < 0.9 and plain.negative_mass < _SOUND else found


def weighted_state(surface: Surface, reduced: DimensionlessDrift, options: Options | None = None) -> Distribution:
    """Return the stationary distribution in the weighted form, whose tails are right. Collective.

    Without torque it is Boltzmann's, exactly. With one, w is fixed where the density is large; where
    several states are metastable and rates between them are tiny, each state is found for itself and
    the rates say how they mix. Of several weights the one that overshoots least is taken.

    Raises
    ------
    SolverError
        If no weight leads to a solution.
    """
    if not reduced.has_torque:
        operator = Operator(surface, reduced, weighted=True, options=options)
        found = operator.distribution(operator.ones / operator.mass(operator.ones), "Boltzmann")
        operator.destroy()
        return found
    states = escaping.stable_points(reduced)
    tried: list[tuple[float, Distribution, float]] = []
    failure: SolverError | None = None
    known = reduced.torque is not None and reduced.torque.chi(surface.points[:1], reduced.spin) is not None
    known = known and not isinstance(surface, Fourier)  # whose weight has the mean potential only
    # Another degree of the polynomials begins with the weight that was taken before.
    best: float = reduced.__dict__.get("_share", 1.0)
    for share in sorted(_SHARES, key=lambda x: x != best) if known else (1.0,):
        operator = Operator(
            surface, reduced, weighted=True, potential=None if share == 1 else _shared(reduced, share), options=options
        )
        try:
            found = _pinned(operator, states, mix=share == 1)
        except SolverError as error:
            failure = error
            continue
        finally:
            operator.destroy()
        if not np.isfinite(found.negative_mass):
            continue
        tried.append((found.negative_mass, found, share))
        if tried[-1][0] < _GOOD or found.method == _MIXED:
            break
    if not tried:
        raise failure or SolverError("sphere: the stationary state is not finite; try a finer mesh")
    least = int(np.argmin([x for x, _, _ in tried]))
    reduced.__dict__["_share"] = tried[least][2]  # as cached properties do
    return tried[least][1]


def _pinned(operator: Operator, states: Array, *, mix: bool) -> Distribution:
    """Return the stationary distribution by one weight; metastable states mixed by their rates if wanted."""
    surface = operator.surface
    if mix and len(states) > 1:
        found = escaping.escape(operator)
        if found.rates.sum(axis=1).min() < 1e-6:
            return mixture(found.densities, found.populations, _MIXED)
    close = surface.nodes @ states[0] if len(states) == 1 else -operator.potential(surface.nodes)[0]
    pin = escaping.nearest_node(surface.comm, close)
    x = escaping.boundary_value(operator, {int(k): 1.0 for k in pin}) * operator.scale
    return operator.distribution(x / operator.mass(x), "weighted form")


def _shared(reduced: DimensionlessDrift, share: float) -> Potential:
    """Return a potential with a share of the torque's."""

    def potential(u: Array) -> tuple[Array, Array]:
        whole, slope = reduced.effective(u)
        own, own_slope = reduced.potential(u), reduced.slope(u)
        return own + share * (whole - own), own_slope + share * (slope - own_slope)

    return potential


def null_vector(operator: Operator) -> Array:
    """Return the discrete stationary state of the plain form, of unit mass. Collective."""
    surface = operator.surface
    # Fixed where the effective potential is lowest, and the density surely not small.
    pin = escaping.nearest_node(surface.comm, -operator.reduced.effective(surface.nodes)[0])
    w = escaping.boundary_value(operator, {int(k): 1.0 for k in pin})
    x = w * operator.scale
    return np.asarray(x / operator.mass(x))


def remainder(plain: Operator, rest: Array, axis: Sequence[float] | Array) -> tuple[float, float]:
    """Return the stationary probability of a hemisphere twice: consistent with `rest`, and the best value. Collective.

    The plain form's stationary state has noise where it should have next to nothing, 1e-4 at most. If a sound state in
    the weighted form has no more there either, the latter's value takes its place; with several metastable states only
    if the plain form's is no larger than its own overshoots there. A course changes by no more than
    noise then, at the start as later. Everything else stays with `rest`: two metastable states may be mixed in
    any way there, and the deviations from it know which.

    Parameters
    ----------
    rest
        The discrete stationary state of the plain form (owned,).
    """
    surface, reduced = plain.surface, plain.reduced
    own = plain.dot(plain.hemisphere(axis), rest)
    there = plain.distribution(rest, "plain form")
    inside = surface.points @ np.asarray(axis, dtype=float) > 0
    swing = surface.integral(np.where(inside, np.maximum(-there.points, 0.0), 0.0))
    several = len(escaping.stable_points(reduced)) > 1
    if abs(own) > _NOISE and not several:
        return own, own
    try:
        found = weighted_state(surface, reduced, plain.options)
    except SolverError:
        return own, np.nan if several else own
    tail = found.probability(axis)
    # Rings that leave out high orders overshoot on the far side of what is narrow, which says nothing about tails.
    if not found.negative_mass < (_SOUND if isinstance(surface, Fourier) else _GOOD):
        return own, np.nan if several else own
    least = min(_SWINGS * swing, _NOISE) if several else _NOISE
    if max(abs(own), abs(tail)) <= least:
        return max(tail, 0.0), max(tail, 0.0)
    if abs(own) > least and abs(own - tail) < 0.5 * abs(own):
        return own, own
    return own, _better(found, there).probability(axis) if reduced.has_torque else tail
