"""Trial potentials for the densities of metastable states, with torque and between wells of unequal depth.

The unknown is w = rho/m with a weight m = exp(-V). It is smooth, and hence accurate, where the weight is close to the
density rho. Without torque the energy v = E/kT is the right potential V. Under torque it is not known beforehand, and
a trial potential takes its place:

- Where damping is not small, V = v - chi/D with the gradient part chi of the torque.
- Where damping is small, the direction precesses many times round a contour of the energy before its energy changes.
  The density is then a function of the energy alone, rho = exp(-v + g(v)), and the balance of the work of the torque
  against the loss to damping, both averaged over a contour, gives the slope g'(v).

Both are changed outside the basin of the state: other wells, which may be deeper, would have the largest weights there
although the density of this state is small. Outside the basin the potential is therefore clipped 8 kT below the saddle,
smoothly over 3 kT.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from ..energy.on_sphere import Array
from ..macrospin.landscape import flood, grid
from .dimensionless import DimensionlessDrift
from .distribution import Surface
from .fourier import Fourier
from .space import Potential
from .weight import weight_of

# Depth below the saddle (kT) at which the potential is clipped outside the basin.
_CLIP_DEPTH = 8.0
# Half of the range of energies (kT) over which the clipping sets in.
_CLIP_WIDTH = 3.0
# Damping below which the density in a basin is a function of the energy alone.
_SMALL_DAMPING = 0.05
# Levels of energy between which the slope of g is interpolated.
_LEVELS = 30
# Polar angles between two states at which the ring between them is sought.
_PLACES = 400


def trial_potential(surface: Surface, reduced: DimensionlessDrift, states: Array, i: int) -> Potential:
    """Return the trial potential of one metastable state, see the description of the module.

    Parameters
    ----------
    surface
        Sphere or meridian. On a meridian torque and energy depend on one angle, and v - chi/D is exact.
    reduced
        Drift with the torque.
    states
        Stable directions (k, 3).
    i
        Number of the state whose density is sought.
    """
    if isinstance(surface, Fourier):
        return _clipped_on_rings(surface, weight_of(surface, reduced), states, i)
    if surface.dim == 1 or reduced.spin.damping > _SMALL_DAMPING:
        points = grid()[0]
        return _clipped(reduced.effective, reduced.effective(points)[0], states, i)
    return _averaged(reduced, states, i)


def _grid_points(tree: KDTree, states: Array, i: int) -> tuple[int, list[int]]:
    """Return the number of the grid point nearest to state i, and those of the other states."""
    at = [int(k) for k in tree.query(states)[1]]
    return at[i], [k for j, k in enumerate(at) if j != i]


def _clipped(potential: Potential, values: Array, states: Array, i: int) -> Potential:
    """Return a potential that is clipped below the saddle outside the basin of state i.

    Parameters
    ----------
    potential
        Potential and gradient at directions.
    values
        Potential at the points of the grid, on which the basin and the height of its saddle are found.
    """
    points, neighbours = grid()
    tree = KDTree(points)
    inside, saddle = flood(values, neighbours, *_grid_points(tree, states, i))

    def clipped(u: Array) -> tuple[Array, Array]:
        v, slope = potential(u)
        outside = ~inside[tree.query(u)[1]] & (v < saddle)
        raised, factor = _raised(v, saddle - _CLIP_DEPTH, outside)
        return raised, factor[:, None] * slope

    return clipped


def _clipped_on_rings(surface: Fourier, potential: Potential, states: Array, i: int) -> Potential:
    """Return a potential that is raised beyond the ring between two states, by a function of the polar angle.

    What depends on the azimuth stays as it is, so that Fourier series converge as before. On the ring the mean of the
    potential is highest; it is clipped below the potential's lowest value there.
    """
    own, other = (np.arccos(np.clip(u @ surface.axis, -1, 1)) for u in (states[i], np.delete(states, i, axis=0)[0]))
    theta = np.linspace(own, other, _PLACES)
    mean = surface.mean(potential)
    circles = surface.circle(theta)  # (places, angles, 3)
    values = potential(circles.reshape(-1, 3))[0].reshape(circles.shape[:2])
    top = int(np.argmax(values.mean(axis=1)))
    level = float(values[top].min()) - _CLIP_DEPTH

    def clipped(u: Array) -> tuple[Array, Array]:
        v, slope = potential(u)
        m, fall = mean(u)
        away = np.arccos(np.clip(u @ surface.axis, -1, 1)) - theta[top]
        outside = away * (other - own) > 0
        raised, factor = _raised(m, level, outside)
        return v + raised - m, slope + (factor - 1)[:, None] * fall

    return clipped


def _raised(v: Array, level: float, outside: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return values that are raised to a level where they are lower, and the factor on their slope, (n,) each.

    Only where `outside` holds. A parabola joins the values and the level within the width.
    """
    above = np.where(outside, v - level, np.inf)
    bent = np.abs(above) < _CLIP_WIDTH
    with np.errstate(invalid="ignore"):
        smooth = np.where(bent, (above + _CLIP_WIDTH) ** 2 / (4 * _CLIP_WIDTH), np.maximum(above, 0.0))
        factor = np.where(bent, (above + _CLIP_WIDTH) / (2 * _CLIP_WIDTH), np.where(above > 0, 1.0, 0.0))
    return np.where(outside, level + smooth, v), factor


def _averaged(reduced: DimensionlessDrift, states: Array, i: int) -> Potential:
    """Return v - g(v), where g' is the work of the torque over the loss to damping, averaged over a contour."""
    points, neighbours = grid()
    tree = KDTree(points)
    energy = reduced.potential(points)
    inside, _ = flood(energy, neighbours, *_grid_points(tree, states, i))
    own = np.flatnonzero(inside)
    order = own[np.argsort(energy[own])]
    slope = reduced.slope(points[order])
    work = np.cumsum(np.sum(reduced.torque_velocity(points[order]) * slope, axis=1))
    loss = np.cumsum(np.sum(slope * reduced.dissipative(points[order], slope), axis=1))
    stops = np.unique(np.linspace(0, len(order) - 1, min(_LEVELS, max(len(order) // 8, 2))).astype(int))
    # Integrals over all points below a level; their differences between two levels are averages over a contour.
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
        # Above the saddle g stays constant; below the lowest point of the grid it goes on with its slope.
        low = np.minimum(v - knots[0], 0.0)
        g = g + rise[0] * low
        slope_of_g = np.where(v > knots[-1], 0.0, np.where(v < knots[0], rise[0], rise[k] + bend * x))
        return v - g, (1 - slope_of_g)[:, None] * reduced.slope(u)

    return _clipped(averaged, averaged(points)[0], states, i)
