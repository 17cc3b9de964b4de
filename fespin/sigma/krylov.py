"""Rational Krylov spaces: exponentials and resolvents of the operator from a few factorizations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy.linalg
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.linalg.lapack import dgetrf as getrf
from scipy.linalg.lapack import dgetri as getri

from ..energy.on_sphere import Array
from ..errors import SolverError
from .matrix import Solver, Vector
from .operator import Operator

type Linear = Callable[[Vector], Vector]

# Largest dimension of a space before the interval is split. The error is estimated by a space with so many fewer.
_LARGEST, _FEWER = 90, 10
# From so many vectors on a space is left if only early times lack convergence.
_ENOUGH = 60
# Times relative to a stop at which convergence is looked at, too.
_BEFORE = (0.9, 0.75)
# Parts of an interval whose stops may lack convergence: for a space that is left, and for one that is full.
_FEW, _MANY = 0.3, 0.7
# The pole is at so many inverse lengths of an interval: early times, which converge last, want it large.
_SHIFT = 40
# After a space as small as this, the next interval may be longer. Largest number of intervals, and the shortest one
# relative to the whole.
_EASY, _MOST, _SHORTEST = 50, 400, 1e-7
# Give up after so many intervals in a row without convergence, or so many in all: the evolution diverges.
_STUCK, _HOPELESS = 30, 2000
# Sizes that are compared, if there are as many.
_COMPARED = 4
# If differences shrink more slowly than by this factor, no limit is extrapolated from them.
_SLOWLY = 0.95
# An eigenvalue of (M + gamma A)^-1 M below this is rounding: the mode is gone before any time of interest.
_INSTANT = 1e-14
# Decay by exp(-this) is as good as complete. Up to this condition of eigenvectors modes are followed one by one.
_GONE, _PARALLEL = 50.0, 1e10
# Condition of a projected matrix up to which its inverse is accurate enough.
_REGULAR = 1e4
# Terms of the exponential's series over a time in which the generator changes nothing by more than a half.
_TAYLOR = 14


class Arnoldi:
    """An orthonormal basis of the space of b, C b, C^2 b, ..., in the inner product of a matrix M.

    Parameters
    ----------
    solve
        C M^-1, on this rank's part of vectors: what is solved for with M v on the right-hand side.
    inner
        M, likewise.
    start
        b (owned,), real or complex.
    most
        The most vectors there will be.
    """

    def __init__(self, comm: MPI.Intracomm, solve: Linear, inner: Linear, start: Vector, most: int) -> None:
        self.comm, self.solve, self.inner = comm, solve, inner
        self.V = np.zeros((most + 1, len(start)), dtype=start.dtype)
        self.MV = np.zeros_like(self.V)
        self.H = np.zeros((most + 1, most), dtype=start.dtype)
        self.size = 0
        self.exhausted = False
        self.parallel = self.H.shape[1] + 1  # the least size known whose eigenvectors are nearly parallel
        self.norm = self._put(0, start)

    def _sum(self, x: Vector) -> Vector:
        return x if self.comm.size == 1 else np.asarray(self.comm.allreduce(np.ascontiguousarray(x)))

    def _length(self, v: Vector, mv: Vector) -> float:
        return float(np.sqrt(max(np.real(self._sum(np.asarray(np.vdot(v, mv)))).item(), 0.0)))

    def _put(self, k: int, v: Vector) -> float:
        """Normalize a vector and store it; return its norm."""
        mv = self.inner(v)
        norm = self._length(v, mv)
        if norm > 0:
            self.V[k], self.MV[k] = v / norm, mv / norm
        return norm

    def extend(self, size: int) -> None:
        """Enlarge the space to at most `size` vectors. Collective."""
        while self.size < min(size, self.H.shape[1]) and not self.exhausted and self.norm > 0:
            k = self.size
            v = self.solve(self.MV[k])
            for _ in range(2):  # once more, for what rounding leaves
                h = self._sum(self.MV[: k + 1].conj() @ v)
                v = v - self.V[: k + 1].T @ h
                self.H[: k + 1, k] += h
            self.H[k + 1, k] = self._put(k + 1, v)
            self.size += 1
            # By Pythagoras the length before is that of all of the column.
            self.exhausted = bool(abs(self.H[k + 1, k]) <= 1e-14 * np.linalg.norm(self.H[: k + 2, k]))


def exponential(space: Arnoldi, gamma: float, times: Array, size: int) -> Array:
    """Return the coordinates of exp(-s M^-1 A) b in the first basis vectors.

    Parameters
    ----------
    space
        Krylov space of (M + gamma A)^-1 M.
    times
        s (n,).
    size
        Number of vectors to use.

    Returns
    -------
    array
        (n, size).
    """
    # Eigenvalues h of C stand for decay rates (1/h - 1)/gamma. H is inverted only if no h is small: a fast mode may
    # have one of rounding's size, and the inverse would spread it over the slow ones.
    matrix = space.H[:size, :size]
    start = np.zeros(size)
    start[0] = space.norm
    inverse, info = _inverse(matrix)
    if info == 0 and np.linalg.norm(matrix) * np.linalg.norm(inverse) < _REGULAR:
        with np.errstate(all="ignore"):  # as below
            return exponentials((inverse - np.eye(size)) / gamma, start, times)
    if size < space.parallel:
        values, vectors = np.linalg.eig(matrix)
        rates, fast = _decay_rates(values, gamma)
        if np.linalg.cond(vectors) < _PARALLEL:
            modes = np.linalg.solve(vectors, start)
            factors = np.exp(-np.outer(times, rates))
            factors[:, fast] = (times == 0)[:, None]
            return np.asarray(np.real((factors * modes) @ vectors.T))
        space.parallel = size
    # Modes too close to parallel: those that are gone at the first time are split off, and the others follow together.
    first = float(times[times > 0].min(initial=np.inf))

    def stays(real: float, imaginary: float) -> bool:
        h = complex(real, imaginary)
        return abs(h) > _INSTANT and ((1 / h - 1) / gamma).real * first < _GONE

    triangle, basis, slow = scipy.linalg.schur(matrix, sort=stays)
    own = basis.T @ start
    coupled = scipy.linalg.solve_sylvester(triangle[:slow, :slow], -triangle[slow:, slow:], -triangle[:slow, slow:])
    own = own[:slow] - coupled @ own[slow:]
    generator = (np.linalg.inv(triangle[:slow, :slow]) - np.eye(slow)) / gamma
    with np.errstate(all="ignore"):  # what grows beyond all bounds is found out by its size
        followed = exponentials(generator, own, times) @ basis[:, :slow].T
    return np.where((times > 0)[:, None], followed, start)


def exponentials(generator: Array, start: Array, times: Array) -> Array:
    """Return exp(-t G) b at many times (n, k), from the powers of one exponential of a short time.

    Parameters
    ----------
    generator
        G (k, k).
    start
        b (k,).
    times
        Not negative (n,).
    """
    end, size = float(times.max()), float(np.linalg.norm(generator, 1))
    doublings = int(np.clip(np.ceil(np.log2(max(2 * end * size, 1.0))), 0, 60)) if np.isfinite(size) else 0
    short = end / 2**doublings
    steps = np.floor(times / short) if short else np.zeros(len(times))
    rest = times - steps * short
    found = np.tile(start[:, None], len(times))
    term = found.copy()
    for k in range(1, _TAYLOR + 1):  # over what is left of the short time
        term = generator @ term * (-rest / k)
        found += term
    power = scipy.linalg.expm(-short * generator)
    bits = steps.astype(np.int64)
    for _ in range(doublings + 1):
        odd = bits % 2 == 1
        found[:, odd] = power @ found[:, odd]
        bits //= 2
        if not bits.any():
            break
        power = power @ power
    return found.T


def _inverse(matrix: Array) -> tuple[Array, int]:
    """Return the inverse of a matrix, and zero if there is one."""
    lu, pivots, info = getrf(matrix)
    return getri(lu, pivots) if info == 0 else (lu, info)


def _decay_rates(values: Vector, gamma: float) -> tuple[Vector, NDArray[np.bool_]]:
    """Return the decay rates that belong to eigenvalues of C, and which of them are as good as infinite, (n,) each.

    Nothing grows: what seems to is a fast mode, whose eigenvalue is zero but for rounding.
    """
    instant = np.abs(values) < _INSTANT
    rates = (1 / np.where(instant, 1.0, values) - 1) / gamma
    fast = instant | (rates.real < -1.0)
    return np.where(fast, 0.0, rates), fast


def propagate(
    operator: Operator,
    start: Array,
    rest: Array,
    times: Array,
    functionals: Array,
    *,
    rtol: float = 1e-6,
    offset: float = 0.0,
) -> tuple[Array, Array, Array]:
    """Follow y' = -M^-1 A y with shift-invert Krylov spaces. Collective.

    One factorization serves an interval of time, and those after it that are about as long. An interval is shortened
    until several sizes of the space agree. What they cannot agree on is returned with its error: one small value
    spoils no others.

    Parameters
    ----------
    start
        y(0) (owned,), without mass.
    rest
        The stationary state, of unit mass: what rounding makes of mass is taken out along it (owned,).
    times
        Increasing, s >= 0 (n,).
    functionals
        Rows whose products with y are wanted (k, owned); the first decides on convergence.
    rtol
        Wanted agreement of the first functional, relative to its value and offset.
    offset
        Constant that is added to it afterwards.

    Returns
    -------
    tuple
        Values (n, k), estimated error of the first one with its offset, relative (n,), and y at the last time.

    Raises
    ------
    SolverError
        If the start is not finite, or the evolution does not converge on intervals of any length.
    """
    legs = _Legs(operator, rest, functionals, rtol, offset, float(times[-1]))
    try:
        return legs.follow(start, times)
    finally:
        legs.destroy()


@dataclass(frozen=True)
class _Leg:
    """Values at times within an interval (n, k), the first one's error (n,), y at the end, the space's size.

    `settled` says whether it converged, from the stop of number `first` on: those before are left to shorter intervals.
    """

    values: Array
    error: Array
    end: Array
    size: int
    settled: bool
    first: int = 0


class _Legs:
    """Intervals of an evolution one after the other; the factors are kept while intervals are about as long."""

    def __init__(
        self, operator: Operator, rest: Array, functionals: Array, rtol: float, offset: float, last: float
    ) -> None:
        self._operator, self._rest, self._functionals = operator, rest, functionals
        self._rtol, self._offset, self._shortest = rtol, offset, _SHORTEST * last
        self._heavy = operator.M.apply(operator.ones)
        self._factor: Solver | None = None
        self._gamma = 0.0
        self._taken = self._stuck = 0

    def follow(self, start: Array, times: Array) -> tuple[Array, Array, Array]:
        """Return values at times (n, k), the first one's relative error (n,), and y at the last time. Collective."""
        last = float(times[-1])
        values = np.tile(self._operator.surface.comm.allreduce(self._functionals @ start), (len(times), 1))
        error = np.zeros(len(times))
        now, y, length, limit, before = 0.0, start, last, np.inf, (0.0, 0.0)
        while now < last:
            length = min(length, last - now)
            if last - now - length < 0.25 * length:
                length = last - now
            end = last if length == last - now else now + length
            inside = (times > now) & (times <= end)
            # Times that differ by rounding alone are one within the interval.
            stops, place = np.unique(np.append(times[inside] - now, end - now), return_inverse=True)
            leg = self.take(y, stops, final=self._taken >= _MOST or length < self._shortest)
            if leg is None:
                limit, length = length, length / 4
                continue
            self._stuck = 0 if leg.settled else self._stuck + 1
            if self._stuck > _STUCK or self._taken > _HOPELESS:
                raise SolverError("sphere: the evolution in time diverges; try a finer mesh")
            found, wrong = leg.values, leg.error
            if leg.first:
                early = self.follow(y, stops[: leg.first])
                found = np.concatenate([early[0], found[leg.first :]])
                wrong = np.concatenate([early[1], wrong[leg.first :]])
            # An error at the end of an interval persists: it is carried on, relative or absolute, whichever is smaller.
            height, carried = before
            kept = np.minimum(1.0, height / np.maximum(np.abs(found[:, 0] + self._offset), 1e-300))
            total = wrong + (kept * carried if carried else 0.0)
            values[inside], error[inside] = found[place[:-1]], total[place[:-1]]
            before = float(abs(found[-1, 0] + self._offset)), float(total[-1])
            now, y = end, leg.end
            if leg.size <= _EASY and 2 * length < limit:
                length *= 2
        return values, error, y

    def take(self, start: Array, times: Array, *, final: bool) -> _Leg | None:
        """Return the interval from `start` to the last of some times (n,), None if it must be shorter. Collective.

        Where the last stops converge and early ones do not, the last ones are returned.

        Parameters
        ----------
        final
            Take what there is, however wrong.
        """
        operator, comm = self._operator, self._operator.surface.comm
        wanted = float(times[-1]) / _SHIFT
        if self._factor is None or not 0.4 < wanted / self._gamma < 2.5:
            self.destroy()
            self._factor, self._gamma = operator.shifted(1.0, wanted), wanted
        factor, gamma = self._factor, self._gamma
        self._taken += 1

        def step(heavy: Array) -> Array:
            x = factor.solve(heavy)
            return np.asarray(x - self._rest * comm.allreduce(float(self._heavy @ x)))

        space = Arnoldi(comm, step, lambda v: operator.M.apply(v), start, _LARGEST)

        # A stop is judged together with times a little before it, where spaces that agree by chance do not.
        seen = np.concatenate([times, *(x * times for x in _BEFORE)])

        @cache
        def coordinates(size: int) -> Array:
            return exponential(space, gamma, seen, size)

        for size in range(30, _LARGEST + 1, 10):
            space.extend(size)
            if space.norm == 0:
                return _Leg(np.zeros((len(times), len(self._functionals))), np.zeros(len(times)), start, 0, True)
            if not space.size:  # the start is not finite
                raise SolverError("sphere: the evolution in time diverges; try a finer mesh")
            heights = comm.allreduce(self._functionals @ space.V[: space.size].T)
            c = coordinates(space.size)[: len(times)]
            values = c @ heights.T
            scale = np.maximum(np.abs(values[:, 0] + self._offset), 1e-300)
            # More than rounding allows cannot be had.
            rounding = 1e-15 * np.abs(c) @ np.abs(heights[0])
            first = 0
            if space.exhausted:
                error, settled, early = rounding / scale, True, 0.0
                break
            sizes = range(space.size, 0, -_FEWER)[:_COMPARED]
            seen_by = np.array([coordinates(n) @ heights[0, :n] for n in sizes])
            height = np.maximum(np.abs(seen_by[0] + self._offset), 1e-300)
            away = (np.abs(seen_by - seen_by[0]) / height).max(axis=1)
            if len(sizes) > 3 and away[1] > away[2]:  # a spurious Ritz value spoils one size now and then
                seen_by = np.delete(seen_by, 1, axis=0)
            left = _left(np.abs(np.diff(seen_by, axis=0))) / height
            left = left.reshape(-1, len(times)).max(axis=0) * scale
            sound = bool(np.linalg.norm(c, axis=1).max() < 1e3 * space.norm)
            error = (left + rounding) / scale if sound else np.full(len(times), np.inf)
            reached = (left <= self._rtol * scale) | (left <= rounding)
            first = len(times) - int(np.argmin(reached[::-1])) if not reached.all() else 0
            settled = sound and not first
            # How much of the interval the stops make up that lack convergence.
            early = float(times[first - 1] / times[-1]) if first else 0.0
            # The rest of the space would serve few of them only, which a short interval does with less.
            if settled or (sound and space.size >= _ENOUGH and early < _FEW):
                break
        if final:
            first = 0
        elif not settled and not (sound and early < _MANY):
            return None
        return _Leg(values, error, space.V[: space.size].T @ c[-1], space.size, settled or first > 0, first)

    def destroy(self) -> None:
        """Free the factors. Collective."""
        if self._factor is not None:
            self._factor.destroy()
        self._factor = None


def _left(changes: Array) -> Array:
    """Return the error that is left after changes in a row, the last one first (k, n).

    They fall like a geometric series, but not evenly: its ratio is a mean over all of them.
    """
    last, steps = changes[0], len(changes) - 1
    ratio = np.minimum((last / np.maximum(changes[-1], 1e-300)) ** (1 / steps), _SLOWLY)
    return np.asarray(last * np.maximum(1.0, ratio / (1 - ratio)))


def complex_mass(operator: Operator) -> Linear:
    """Return M on complex vectors."""
    return lambda v: operator.M.apply(np.real(v)) + 1j * operator.M.apply(np.imag(v))


def sweep(
    operator: Operator, load: Vector, functionals: Array, omegas: Array, *, rtol: float = 1e-6
) -> tuple[Vector, Array]:
    """Return functionals of (A + i omega M)^-1 load over a band of frequencies. Collective.

    A shift-invert Krylov space around the band's centre serves all of it; bands are split until two sizes agree.

    Parameters
    ----------
    load
        Right-hand side (owned,), without mass.
    functionals
        Rows (k, owned).
    omegas
        Increasing, positive, per 2 tau_N (n,).

    Returns
    -------
    tuple
        Values (n, k) and their estimated relative error (n,).
    """
    comm = operator.surface.comm
    centre = float(np.sqrt(omegas[0] * omegas[-1]))
    resolvent = operator.A.shifted(operator.M, -1j * centre, operator.options)
    mass = complex_mass(operator)
    space = Arnoldi(comm, resolvent.solve, mass, resolvent.solve(load + 0j), 60)
    values: Vector = np.zeros((len(omegas), len(functionals)), dtype=complex)
    error: Array = np.zeros(len(omegas))
    for size in range(12, 61, 8):
        space.extend(size)
        if space.norm == 0:
            break
        heights = comm.allreduce(functionals @ space.V[: space.size].T)

        def answer(n: int, heights: Vector = heights) -> Vector:
            first = np.zeros(n, dtype=complex)
            first[0] = space.norm
            c = [np.linalg.solve(np.eye(n) + 1j * (w - centre) * space.H[:n, :n], first) for w in omegas]
            return np.asarray(np.array(c) @ heights[:, :n].T)

        values = answer(space.size)
        scale = np.linalg.norm(values, axis=1)
        error = np.linalg.norm(values - answer(max(space.size - 6, 1)), axis=1) / np.where(scale > 0, scale, 1.0)
        if space.exhausted or error.max() <= rtol:
            break
    resolvent.destroy()
    if error.max() > rtol and len(omegas) > 1:
        half = len(omegas) // 2
        low, e1 = sweep(operator, load, functionals, omegas[:half], rtol=rtol)
        high, e2 = sweep(operator, load, functionals, omegas[half:], rtol=rtol)
        return np.concatenate([low, high]), np.concatenate([e1, e2])
    return values, error
