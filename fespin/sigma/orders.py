"""Whether rings around an axis fit a problem, and how many Fourier orders its answer needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from mpi4py import MPI

from ..energy.on_sphere import Array, tangent_frame
from ..errors import InputError, SolverError
from ..macrospin.landscape import survey, wells_axis
from ..macrospin.spin import PROBES
from .dimensionless import DimensionlessDrift
from .fourier import Fourier
from .mesh import rotation_to

# Azimuthal orders and degrees that are tried one after the other; each one's error shows in the next.
RUNGS = ((4, 4), (6, 5), (8, 6), (11, 7), (16, 8))
# Energies that vary more around the axis (kT) are not tried.
_VARIED = 80.0
# In evolutions the weight follows the energy on a ring, which may vary by so much (kT).
_EVEN = 15.0
# An answer that misses its tolerance is still taken if its error is below this.
_GOOD = 1e-3
# The number of cells that rates take, over the usual one, and with a torque for each kT of the highest barrier.
_PASSES, _PER_BARRIER = 1.5, 0.25
# Places at which energies and torques are looked at around the axis.
_CIRCLES, _ANGLES = 15, 128
# Parts of a Fourier series below this are rounding; and the most orders of a width.
_ROUNDING, _WIDEST = 1e-11, 48


@dataclass(frozen=True)
class Climbed[T]:
    """An answer with one of other orders and another degree, which shows its error.

    Attributes
    ----------
    surface
        Rings on which it was found.
    answer, check
        The answer and the one on the next rung; at the end of the ladder, the one before it.
    change
        Their difference.
    """

    surface: Fourier
    answer: T
    check: T
    change: float


class Unresolved(Exception):
    """Rings do not resolve a problem; the message says why."""


class Orders:
    """Rings for one problem: their axis, and the rung of orders that its last answer needed.

    Parameters
    ----------
    drift
        Motion of the direction, with the torque if there is one.

    Raises
    ------
    Unresolved
        If the wells lie off a common axis, or the energy varies too much around it.
    """

    def __init__(self, drift: DimensionlessDrift) -> None:
        self.drift = drift
        self.axis = common_axis(drift)
        self.cells, self.width = ring_cells(drift), azimuthal_width(drift, self.axis)
        self._known: dict[tuple[int, int], Fourier] = {}
        self._first: dict[float, int] = {}  # rung on which answers were last found, for each refinement

    @property
    def refinement_for_rates(self) -> float:
        """Return the factor on the number of cells that rates need: their flux is between the wells.

        With a torque the velocity beside the weight grows as the barrier, and cells shrink with it.
        """
        heights = [w.height for w in survey(self.drift.spin).wells if np.isfinite(w.height)]
        enough = _PER_BARRIER * max(heights, default=0.0) / self.cells if self.drift.has_torque else 0.0
        return max(_PASSES, enough)

    def rings(self, rung: int, refinement: float = 1.0) -> Fourier:
        """Return the rings of a rung, of more cells by a factor."""
        orders, degree = RUNGS[rung]
        cells = 2 * round(refinement * self.cells / 2)
        if (rung, cells) not in self._known:
            self._known[rung, cells] = Fourier(self.axis, cells, orders, degree=degree, width=self.width)
        return self._known[rung, cells]

    def climb[T](
        self,
        comm: MPI.Intracomm,
        solve: Callable[[Fourier], T],
        change: Callable[[T, T], float],
        tolerance: float,
        refinement: float = 1.0,
        *,
        patient: bool = False,
    ) -> Climbed[T]:
        """Solve on one rung after the other until an answer's error is small. Collective.

        Every rank does the same.

        Parameters
        ----------
        comm
            All ranks.
        solve
            Takes rings, returns the answer.
        change
            Takes two answers, returns their difference: the error of the first.
        tolerance
            Wanted error.
        refinement
            Factor on the number of cells.
        patient
            Try all rungs, even where changes shrink too slowly.

        Raises
        ------
        Unresolved
            If the largest number of orders does not suffice, or cannot be expected to.
        """
        found: list[tuple[Fourier, T | None]] = []
        changes: list[float] = []
        for rung in range(self._first.get(refinement, 0), len(RUNGS)):
            rings = self.rings(rung, refinement)
            answer: T | None
            try:
                answer = solve(rings)
            except SolverError:
                answer = None
            if found:
                before = found[-1][1]
                step = np.inf if answer is None or before is None else change(before, answer)
                changes.append(float(comm.bcast(float(np.nan_to_num(step, nan=np.inf)), 0)))
            found.append((rings, answer))
            last = rung == len(RUNGS) - 1
            if changes and (changes[-1] <= tolerance or (last and changes[-1] <= _GOOD)):
                (before_rings, before), (_, now) = found[-2:]
                assert before is not None and now is not None
                self._first[refinement] = min(max(rung - 1, 0), len(RUNGS) - 2)
                if changes[-1] > tolerance:
                    # Parts of an answer may have settled late: the last one is the better.
                    return Climbed(rings, now, before, changes[-1])
                return Climbed(before_rings, before, now, changes[-1])
            if not patient and _hopeless(changes, rung):
                break
        raise Unresolved(
            f"{RUNGS[-1][0]} Fourier orders around its axis do not resolve it (estimated error "
            f"{changes[-1] if changes else np.inf:.1g})"
        )


def _hopeless(changes: list[float], rung: int) -> bool:
    """Return whether changes shrink too slowly for the rungs that are left."""
    if len(changes) < 2 or not np.isfinite(changes[-1]):
        return False
    left = len(RUNGS) - 1 - rung
    fall = min(changes[-1] / changes[-2], 1.0)
    return changes[-1] * fall**left > 10 * _GOOD


def common_axis(drift: DimensionlessDrift) -> Array:
    """Return the axis on or near which all wells lie.

    Raises
    ------
    Unresolved
        If there is none, or the energy varies too much around it.
    """
    axis = wells_axis(drift.spin)
    if axis is None:
        raise Unresolved("its wells do not lie near one axis")
    around = _around(drift, axis, drift.potential)
    varied = float(np.ptp(around, axis=1).max())
    if varied > _VARIED:
        raise Unresolved(f"its energy varies by {varied:.3g} kT around its axis")
    return axis


def ring_cells(drift: DimensionlessDrift) -> int:
    """Return how many cells of the polar angle the wells and the torque need."""
    u = PROBES[:200]
    bend = float(np.abs(drift.spin.reduced_energy.hessian(u, tangent_frame(u))).max())
    pull = float(np.linalg.norm(drift.torque_velocity(u), axis=1).max())
    return 2 * int(np.clip(np.ceil(0.45 * np.sqrt(max(bend + 2 * pull, 1.0))), 6, 100))


def azimuthal_width(drift: DimensionlessDrift, axis: Array) -> int:
    """Return the largest azimuthal order of what integrals contain beside the unknown."""
    seen: list[Array] = []
    _, frame, u = _circles(axis)
    velocity = drift.velocity(u)
    seen += [np.sum(velocity * e, axis=1) for e in frame]
    v = drift.potential(u)
    if drift.has_torque:
        # The bracket contains the energy, the weight a mean over circles.
        seen.append(v)
    else:
        by_circle = v.reshape(_CIRCLES, _ANGLES)
        seen.append(np.exp(by_circle.min(axis=1, keepdims=True) - by_circle).ravel())
    if drift.pumped:
        spread, swirl = drift.spin.mobility(u)
        seen += [swirl, *(np.einsum("ni,nij,nj->n", a, spread, b) for a in frame for b in frame)]
    parts = np.abs(np.fft.rfft(np.array(seen).reshape(len(seen), _CIRCLES, _ANGLES), axis=2))
    scale = parts.max(axis=(1, 2), keepdims=True)
    orders = np.flatnonzero((parts > _ROUNDING * np.where(scale > 0, scale, 1.0)).any(axis=(0, 1)))
    return int(min(orders.max(initial=0), _WIDEST))


def _circles(axis: Array) -> tuple[Array, tuple[Array, Array], Array]:
    """Return the polar angles of circles about an axis, the unit vectors along both angles there, and directions."""
    theta = np.pi * (np.arange(_CIRCLES) + 0.5) / _CIRCLES
    phi = 2 * np.pi * np.arange(_ANGLES) / _ANGLES
    t, f = (x.ravel() for x in np.meshgrid(theta, phi, indexing="ij"))
    turn = rotation_to(axis).T
    u = np.stack([np.sin(t) * np.cos(f), np.sin(t) * np.sin(f), np.cos(t)], axis=1) @ turn
    south = np.stack([np.cos(t) * np.cos(f), np.cos(t) * np.sin(f), -np.sin(t)], axis=1) @ turn
    east = np.stack([-np.sin(f), np.cos(f), 0 * f], axis=1) @ turn
    return theta, (south, east), u


def _around(drift: DimensionlessDrift, axis: Array, function: Callable[[Array], Array]) -> Array:
    """Return a function on circles about an axis (circles, angles)."""
    return function(_circles(axis)[2]).reshape(_CIRCLES, _ANGLES)


def require_even_rings(rings: Fourier, drifts: Iterable[DimensionlessDrift]) -> None:
    """Refuse rings around which the energy varies so much that weights span too many powers of ten.

    Parameters
    ----------
    drifts
        Motions without torque, in the fields that come.

    Raises
    ------
    Unresolved
        If it does.
    """
    seen = {drift.field: drift for drift in drifts}
    circles = _circles(rings.axis)[2]
    # The fields with the largest parts across the axis decide.
    across = sorted(seen, key=lambda b: float(np.linalg.norm(np.cross(b, rings.axis))))
    for field in across[-1:]:
        varied = float(np.ptp(seen[field].potential(circles).reshape(_CIRCLES, _ANGLES), axis=1).max())
        if varied > _EVEN:
            raise Unresolved(f"its energy varies by {varied:.3g} kT around its axis in a field")


def refuse(why: str) -> InputError:
    """Return the error for rings that were asked for and do not serve."""
    return InputError(f"sphere.method: found 'fourier', but {why}; allowed: 'sphere', or leave it out")
