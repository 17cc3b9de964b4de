"""Weights for the densities of driven metastable states.

A good weight is close to the density: then the unknown w = rho/m varies little. Under torque the density is not known
beforehand, but two things are. Where damping is not small, the effective potential V = v - chi/D is a guide. Where it
is small, the motion goes round contours of the energy many times before anything else happens, and the density is
a function of the energy alone: balancing the work of the torque against diffusion over a contour gives its slope.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from ..energy.on_sphere import Array
from ..macrospin.landscape import flood, grid
from .dimensionless import DimensionlessDrift
from .distribution import Surface
from .operator import Potential

# Beyond a pass, the weight stays below this depth (kT) under it, within a smooth bend.
_SHELTER, _BEND = 8.0, 3.0
# Contours are gone round many times where damping is smaller.
_ROUND = 0.05
_LEVELS = 30


def trial_potential(surface: Surface, reduced: DimensionlessDrift, states: Array, i: int) -> Potential:
    """Return a potential for the density of state i: a guess in its basin, about that of the pass elsewhere.

    Deeper wells beyond the pass would otherwise weigh most, and their errors spoil what is wanted.
    """
    if surface.dim == 1 or reduced.spin.damping > _ROUND:
        points = grid()[0]
        return _held(reduced.effective, reduced.effective(points)[0], states, i)
    return _averaged(reduced, states, i)


def _places(tree: KDTree, states: Array, i: int) -> tuple[int, list[int]]:
    at = [int(k) for k in tree.query(states)[1]]
    return at[i], [k for j, k in enumerate(at) if j != i]


def _held(potential: Potential, values: Array, states: Array, i: int) -> Potential:
    """Return a potential that is held near its pass beyond the basin of state i."""
    points, near = grid()
    tree = KDTree(points)
    inside, height = flood(values, near, *_places(tree, states, i))

    def held(u: Array) -> tuple[Array, Array]:
        v, slope = potential(u)
        beyond = ~inside[tree.query(u)[1]] & (v < height)
        # A smooth maximum of V and the level.
        x = np.where(beyond, v - (height - _SHELTER), _SHELTER)
        bent = np.abs(x) < _BEND
        raised = np.where(bent, (x + _BEND) ** 2 / (4 * _BEND), np.maximum(x, 0.0))
        factor = np.where(bent, (x + _BEND) / (2 * _BEND), np.where(x > 0, 1.0, 0.0))
        return np.where(beyond, height - _SHELTER + raised, v), factor[:, None] * slope

    return held


def _averaged(reduced: DimensionlessDrift, states: Array, i: int) -> Potential:
    """Return v - g(v), where the torque does g' of the work that energy loses, averaged over contours of the basin."""
    points, near = grid()
    tree = KDTree(points)
    energy = reduced.potential(points)
    inside, _ = flood(energy, near, *_places(tree, states, i))
    own = np.flatnonzero(inside)
    order = own[np.argsort(energy[own])]
    slope = reduced.slope(points[order])
    work = np.cumsum(np.sum(reduced.torque_velocity(points[order]) * slope, axis=1))
    loss = np.cumsum(np.sum(slope * reduced.dissipative(points[order], slope), axis=1))
    stops = np.unique(np.linspace(0, len(order) - 1, min(_LEVELS, max(len(order) // 8, 2))).astype(int))
    # Averages over all that lies below a level, then between levels; at the bottom both vanish.
    share = np.diff(work[stops]) / np.diff(loss[stops])
    levels = energy[order][stops]
    middle = (levels[1:] + levels[:-1]) / 2
    knots = np.concatenate([[levels[0]], middle, [levels[-1]]])
    rise = np.concatenate([share[:1], share, share[-1:]])
    total = np.concatenate([[0.0], np.cumsum(np.diff(knots) * (rise[1:] + rise[:-1]) / 2)])

    def averaged(u: Array) -> tuple[Array, Array]:
        v = reduced.potential(u)
        k = np.clip(np.searchsorted(knots, v, side="right") - 1, 0, len(knots) - 2)
        x = np.clip((v - knots[k]) / (knots[k + 1] - knots[k]), 0.0, 1.0)
        bend = np.diff(rise)[k]
        g = total[k] + (knots[k + 1] - knots[k]) * (rise[k] * x + bend * x * x / 2)
        # Above the pass, and below the lowest of the grid's points, g goes on as a constant or with its slope.
        low = np.minimum(v - knots[0], 0.0)
        g = g + rise[0] * low
        slope_of_g = np.where(v > knots[-1], 0.0, np.where(v < knots[0], rise[0], rise[k] + bend * x))
        return v - g, (1 - slope_of_g)[:, None] * reduced.slope(u)

    return _held(averaged, averaged(points)[0], states, i)
