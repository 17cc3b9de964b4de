"""The energy landscape of a macrospin: wells, saddles, barriers, symmetry axis."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.spatial import ConvexHull

from ..energy.on_sphere import Array, Pointwise, tangent_frame
from .spin import Macrospin, fibonacci

_POINTS = 6000
# Wells are one if the barrier between them is smaller than this (kT).
_SHALLOW = 0.05
# Wells are equally deep if their depths differ by less (kT, and as a part of the energy's range).
_EQUAL = 1e-6, 1e-10
# Wells lie near an axis if the cosine of their angle to it is larger.
_NEAR = float(np.cos(np.radians(30)))


@dataclass(frozen=True)
class Well:
    """A minimum of the energy.

    Attributes
    ----------
    direction
        Unit vector (3,).
    energy
        E/kT.
    curvatures
        Second derivatives of E/kT along the sphere, the smaller first.
    barrier
        E/kT from here up to the lowest pass into a deeper well; infinite for the deepest.
    height
        E/kT from here up to the lowest pass of all; infinite for a single well.

    Examples
    --------
    >>> up = fs.survey(spin).wells[0]
    >>> round(up.energy, 3), round(up.height, 3), [round(x, 3) for x in up.curvatures]
    (-5.0, 5.0, [10.0, 10.0])
    """

    direction: Array = field(repr=False)
    energy: float
    curvatures: tuple[float, float]
    barrier: float
    height: float


@dataclass(frozen=True)
class Landscape:
    """Wells from the deepest on, passes between them, and the range of the energy (kT).

    Of equally deep wells the one of larger z comes first, then that of larger y, then x.

    Examples
    --------
    >>> landscape = fs.survey(spin)
    >>> len(landscape.wells), round(landscape.barrier, 3), round(landscape.highest - landscape.lowest, 3)
    (2, 5.0, 5.0)
    """

    wells: tuple[Well, ...]
    saddles: tuple[Array, ...]
    lowest: float
    highest: float

    @property
    def barrier(self) -> float:
        """Return the highest barrier that a well has towards a deeper one (kT); 0 with a single well."""
        return max((w.barrier for w in self.wells[1:]), default=0.0)


@lru_cache(maxsize=1)
def grid() -> tuple[Array, list[Array]]:
    """Return 6000 directions (n, 3) and the neighbours of each."""
    points = fibonacci(_POINTS)
    near: list[set[int]] = [set() for _ in points]
    for a, b, c in ConvexHull(points).simplices:
        near[a] |= {b, c}
        near[b] |= {a, c}
        near[c] |= {a, b}
    return points, [np.array(sorted(x)) for x in near]


def survey(spin: Macrospin) -> Landscape:
    """Find the wells of a macrospin's energy and the passes between them; once for each macrospin.

    The energy is flooded on a grid of 6000 directions; wells and passes are then refined by Newton's
    method. Wells narrower than 2 degrees are missed.

    Examples
    --------
    >>> tilted = spin.with_field((0.0, 0.0, 2e-3))
    >>> landscape = fs.survey(tilted)
    >>> [round(float(well.direction[2]), 3) for well in landscape.wells]
    [1.0, -1.0]
    >>> round(landscape.barrier, 3)
    3.252
    """
    known: Landscape | None = spin.__dict__.get("_landscape")
    if known is None:
        known = survey_function(spin.reduced_energy)
        spin.__dict__["_landscape"] = known  # as cached properties do
    return known


def survey_function(v: Pointwise) -> Landscape:
    """Find the wells and passes of any energy (kT)."""
    points, near = grid()
    values = v(points)
    minima: list[Array] = []
    well_at: dict[int, int] = {}  # the well of each lowest point of the grid
    for i in np.argsort(values, kind="stable"):
        if values[i] < values[near[i]].min():
            u = _minimum(v, points[i])
            if u is None:
                continue  # no minimum: a narrow valley that runs between points of the grid
            same = [k for k, m in enumerate(minima) if m @ u > 1 - 1e-9]
            well_at[int(i)] = same[0] if same else len(minima)
            minima += [] if same else [u]
    if not minima:  # a constant energy
        return Landscape((), (), float(values.min()), float(values.max()))
    energy = [float(v(m[None])[0]) for m in minima]
    place = _places(minima, energy, float(np.ptp(values)))
    basin = np.full(len(points), -1)
    parent = list(range(len(minima)))  # for each well, the deeper one that its flood has met

    def root(k: int) -> int:
        while parent[k] != k:
            k = parent[k]
        return k

    barriers, saddles = {}, []
    passed = [np.inf] * len(minima)
    for i in np.argsort(values, kind="stable"):
        met = {root(basin[j]) for j in near[i] if basin[j] >= 0}
        if i in well_at:
            met.add(root(well_at[int(i)]))
        if not met:
            continue  # a plateau: its neighbours are as low
        deepest = min(met, key=lambda k: place[k])
        basin[i] = deepest
        for k in met - {deepest}:
            parent[k] = deepest
            top, value = _saddle(v, points[i], values[i])
            for j in range(len(minima)):  # the first pass that a flood from there meets
                if root(j) == deepest and not np.isfinite(passed[j]) and value - energy[j] > _SHALLOW:
                    passed[j] = value
            if value - energy[k] > _SHALLOW:
                saddles.append(top)
                barriers[k] = value - energy[k]
    barriers[place.index(0)] = np.inf
    wells = []
    for k in sorted(barriers, key=lambda k: (np.isfinite(barriers[k]), place[k])):
        u = minima[k]
        low, high = np.linalg.eigvalsh(v.hessian(u[None], tangent_frame(u[None]))[0])
        wells.append(Well(u, energy[k], (float(low), float(high)), float(barriers[k]), passed[k] - energy[k]))
    return Landscape(tuple(wells), tuple(saddles), min(energy), float(values.max()))


def _places(minima: Sequence[Array], energy: Sequence[float], spread: float) -> list[int]:
    """Return the place of each well in the order of a landscape.

    Symmetric wells are equally deep up to rounding, which must not decide in which of them a bit starts.
    """
    apart = _EQUAL[0] + _EQUAL[1] * spread
    depth, last = [0] * len(minima), -np.inf
    step = -1
    for k in np.argsort(energy, kind="stable"):
        step += energy[k] - last > apart
        depth[k], last = step, energy[k]
    order = sorted(range(len(minima)), key=lambda k: (depth[k], *-np.round(minima[k][::-1], 6)))
    return [order.index(k) for k in range(len(minima))]


def flood(values: Array, near: Sequence[Array], start: int, others: Sequence[int]) -> tuple[NDArray[np.bool_], float]:
    """Fill a basin up to its lowest pass.

    Parameters
    ----------
    values
        Heights of the grid's points (n,).
    start, others
        Points in the basin, and in the other basins.

    Returns
    -------
    tuple
        Which points lie in the basin below the pass (n,), and the pass's height.
    """
    inside = np.zeros(len(values), dtype=bool)
    elsewhere, level = set(others), -np.inf
    heap, reached, order = [(float(values[start]), start)], {start}, []
    while heap:
        height, i = heapq.heappop(heap)
        if i in elsewhere:
            break
        level = max(level, height)
        order.append((level, i))
        for j in near[i]:
            if int(j) not in reached:
                reached.add(int(j))
                heapq.heappush(heap, (float(values[j]), int(j)))
    # Points that were reached after the pass lie beyond it.
    first = next(k for k, (x, _) in enumerate(order) if x >= level)
    inside[[i for _, i in order[:first]]] = True
    return inside, float(level)


def _step(u: Array, x: Sequence[float] | Array, frame: Array) -> Array:
    moved = u + np.asarray(x) @ frame
    return np.asarray(moved / np.linalg.norm(moved))


def _minimum(v: Pointwise, start: Array) -> Array | None:
    """Return the minimum near a direction; None if there is none."""
    u = start
    for _ in range(5):
        frame = tangent_frame(u[None])[0]
        optimum = minimize(
            lambda x, u=u, frame=frame: float(v(_step(u, x, frame)[None])[0]),
            np.zeros(2),
            method="BFGS",
            options={"gtol": 1e-6},
        )
        u = _step(u, optimum.x, frame) if np.linalg.norm(optimum.x) < 0.5 else u
        low, high = np.linalg.eigvalsh(v.hessian(u[None], tangent_frame(u[None]))[0])
        if low > -1e-7 * max(abs(high), 1e-12):
            return _newton(v, u, index=0)
    return None


def _saddle(v: Pointwise, start: Array, value: float) -> tuple[Array, float]:
    """Return the pass near a direction, and its energy."""
    u = _newton(v, start, index=1)
    if u @ start < np.cos(0.2):
        return start, value
    return u, float(v(u[None])[0])


def _newton(v: Pointwise, start: Array, index: int) -> Array:
    """Return the stationary point near a direction with `index` falling directions, or the start."""
    u = start
    for _ in range(30):
        frame = tangent_frame(u[None])
        curvature, axes = np.linalg.eigh(v.hessian(u[None], frame)[0])
        slope = axes.T @ (frame[0] @ v.gradient(u[None])[0])
        # No step is taken along flat directions; along the others the curvature must have the sign that belongs to it.
        signs = np.where(np.arange(2) < index, -1.0, 1.0)
        curved = np.abs(curvature) > 1e-7 * np.abs(curvature).max(initial=1e-12)
        if not (np.sign(curvature[curved]) == signs[curved]).all():
            return start
        step = np.where(curved, -slope / np.where(curved, curvature, 1.0), 0.0)
        length = float(np.linalg.norm(step))
        u = _step(u, axes @ step * min(1.0, 0.1 / length if length else 1.0), frame[0])
        if length < 1e-12:
            break
    return u


def wells_axis(spin: Macrospin) -> Array | None:
    """Return the axis on or near which all wells of an energy lie, within 30 degrees; None if there is none.

    Without wells it is z.
    """
    wells = [w.direction for w in survey(spin).wells]
    if not wells:
        return np.array([0.0, 0.0, 1.0])
    axis = sum((w if w @ wells[0] > 0 else -w for w in wells), np.zeros(3))
    axis /= np.linalg.norm(axis)
    for e in np.eye(3):  # an axis of coordinates is returned exactly, without rounding
        if abs(axis @ e) > 1 - 1e-12:
            axis = np.sign(axis @ e) * e
    return axis if all(abs(w @ axis) > _NEAR for w in wells) else None


def symmetry_axis(spin: Macrospin, axes: Sequence[Array]) -> Array | None:
    """Return the first of `axes` about which the energy is symmetric, tried numerically; None if none is."""
    v = spin.reduced_energy
    u = fibonacci(60)
    scale = float(np.ptp(v(fibonacci(500))))
    for axis in axes:
        n: Array = np.asarray(axis, dtype=float) / np.linalg.norm(axis)
        cross = np.cross(n, u)
        turned = [
            np.cos(t) * u + np.sin(t) * cross + (1 - np.cos(t)) * (u @ n)[:, None] * n
            for t in (0.7, 1.9, 2.6, 4.1, 5.3)
        ]
        if all(np.abs(v(x) - v(u)).max() <= 1e-10 * scale + 1e-12 for x in turned):
            return n
    return None
