"""Time stepping: implicit Runge-Kutta tableaus, control of the step, and systems kept from step to step.

Solvers differ in their rule for the step (:class:`Doubling`, :class:`Proportional`) and in the norm in which they
measure the error. A solver's loop reads::

    course, smallest = Course(step=first), 1e-9 * duration
    control = StepControl(rule, course, stops, owner="transient", advice="try ...", smallest=smallest)
    while control.runs:
        h = control.next()
        try:
            new, error = attempt(state, control.course.time, h)
        except SolverError as failure:
            control.shorten(h / 2, failure)
            continue
        if not control.accepts(h, error / tolerance):
            continue
        state = new
        if control.stopped is not None:  # the step has ended at a breakpoint
            control.restart(first)

A step never passes a stop: at a stop the drive may jump, and stages just inside the step see it as it was before.
"""

from __future__ import annotations

import bisect
import math
import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from .errors import SolverError

type Array = NDArray[np.float64]

# Part of a step by which its last stage keeps away from the end, where a drive may jump.
_INSIDE = 1e-9
# Part of the whole time within which two stops are one.
_SAME_STOP = 1e-12


# ---- methods
@dataclass(frozen=True, eq=False)
class Tableau:
    r"""A singly diagonal, stiffly accurate Runge-Kutta method with an embedded one.

    For y' = f(t, y) stage i solves

    .. math:: y_i - h \gamma f(t_i, y_i) = y + h \sum_{j<i} a_{ij} k_j, \qquad k_j = f(t_j, y_j)

    All stages of a step share the matrix 1 - h gamma f'. The last stage is the new value.

    Attributes
    ----------
    coefficients
        a (s, s), lower triangular; every diagonal element is gamma.
    embedded
        Weights of the embedded solution (s,).
    order
        Order of the method; that of the embedded one is lower by one.
    """

    coefficients: Array
    embedded: Array
    order: int

    @property
    def gamma(self) -> float:
        """Diagonal element, which is the part of a step in the matrix of a stage."""
        return float(self.coefficients[0, 0])

    @property
    def weights(self) -> Array:
        """Weights of the slopes in the new value (s,): the last row of the coefficients."""
        return np.asarray(self.coefficients[-1])

    @property
    def error(self) -> Array:
        """Weights of the slopes in the difference of the new and the embedded value (s,)."""
        return np.asarray(self.weights - self.embedded)

    def stages(self, time: float, step: float) -> Iterator[tuple[float, Array]]:
        """Yield the time of each stage, and the coefficients of the slopes before it (0,), (1,), ...

        The last stage lies just inside the step, where a drive that jumps at its end has not yet done so.
        """
        for i, row in enumerate(self.coefficients):
            yield time + min(float(row.sum()), 1 - _INSIDE) * step, np.asarray(row[:i])


def _alexander() -> Tableau:
    """Return the tableau of three stages; g is the root of x^3 - 3x^2 + 3x/2 - 1/6 that makes it L-stable."""
    g = 0.43586652150845899942
    a = np.array(
        [
            [g, 0, 0],
            [(1 - g) / 2, g, 0],
            [-(6 * g**2 - 16 * g + 1) / 4, (6 * g**2 - 20 * g + 5) / 4, g],
        ]
    )
    c = a.sum(axis=1)
    second = (0.5 - g) / (c[1] - c[0])
    return Tableau(a, np.array([1 - second, second, 0.0]), 3)


SDIRK3 = _alexander()
"""Alexander's method of order 3 (SIAM J. Numer. Anal. 14, 1006 (1977)): three stages, L-stable; embedded order 2."""

SDIRK4 = Tableau(
    np.array(
        [
            [1 / 4, 0, 0, 0, 0],
            [1 / 2, 1 / 4, 0, 0, 0],
            [17 / 50, -1 / 25, 1 / 4, 0, 0],
            [371 / 1360, -137 / 2720, 15 / 544, 1 / 4, 0],
            [25 / 24, -49 / 48, 125 / 16, -85 / 12, 1 / 4],
        ]
    ),
    np.array([59 / 48, -17 / 96, 225 / 32, -85 / 12, 0]),
    4,
)
"""Method of Hairer and Wanner (Solving Ordinary Differential Equations II, table 6.5): five stages, L-stable; order 4,
embedded order 3."""


# ---- stops
def stops_between(begin: float, end: float, *groups: Iterable[float]) -> list[float]:
    """Return the times at which steps end, increasing; the last is the end.

    Parameters
    ----------
    begin, end
        Ends of the whole time; only times between the two count.
    groups
        Times, in order of precedence: of two that are closer than 1e-12 of the whole, the one of the earlier group
        stays, so that no step is as short as rounding. Give times that the user asks for first, and detected jumps
        last.

    Examples
    --------
    >>> stops_between(0.0, 1.0, [0.5], [0.25, 0.5 + 1e-15, 2.0])
    [0.25, 0.5, 1.0]
    """
    least = _SAME_STOP * (end - begin)
    stops = [float(end)]
    for group in groups:
        for t in sorted(map(float, group)):
            if not begin + least < t < end - least:
                continue
            i = bisect.bisect(stops, t)
            if stops[i] - t > least and (i == 0 or t - stops[i - 1] > least):
                stops.insert(i, t)
    return stops


def is_near(time: float, times: Iterable[float], whole: float) -> bool:
    """Return whether a time agrees with one of several to 1e-12 of the whole, so that they are one stop."""
    return any(abs(time - t) <= _SAME_STOP * whole for t in times)


# ---- control of the step
class Rule(Protocol):
    """Lengths of the steps to come."""

    def fits(self, step: float, remaining: float) -> float:
        """Return the length of a step from the desired length and the time that remains until the next stop."""

    def accepts(self, ratio: float) -> bool:
        """Return whether a step with this error over the tolerance is accepted."""

    def smaller(self, length: float, ratio: float) -> float:
        """Return the next length to try after one whose error was too large."""

    def larger(self, length: float, ratio: float, uncut: float, may_grow: bool) -> float:
        """Return the next step after an accepted one, where `uncut` was the length of that one before a stop cut it.

        `may_grow` is false at a stop, after a failure, and where the step is as long as it may be.
        """


@dataclass
class Course:
    """Position of a run in time: all that a restart needs to know of the control of steps.

    Attributes
    ----------
    time
        End of the last accepted step.
    step
        Desired length of the next step; a stop may make it shorter.
    steps, rejected
        Numbers of accepted and rejected steps.
    blocked
        True if the last step was rejected.
    """

    time: float = 0.0
    step: float = 0.0
    steps: int = 0
    rejected: int = 0
    blocked: bool = False

    @classmethod
    def taken_from(cls, numbers: dict[str, Any]) -> Self:
        """Return the position that a checkpoint holds, and take it out of the checkpoint's numbers.

        Parameters
        ----------
        numbers
            Numbers of a checkpoint, among them ``vars(course)``; counts that older versions did not save are zero.

        Raises
        ------
        KeyError
            If the time or the step is missing.
        """
        time, step = numbers.pop("time"), numbers.pop("step")
        others = {key: numbers.pop(key, default) for key, default in vars(cls()).items() if key not in ("time", "step")}
        return cls(time, step, **others)


@dataclass(frozen=True)
class Doubling:
    """Halve a step that fails, and double it where the error is small, but not right after a failure.

    The same lengths occur again and again, so that matrices and factors can be used again (:class:`Kept`).

    Attributes
    ----------
    below
        Error over the tolerance below which the next step is twice as long.
    """

    below: float

    def fits(self, step: float, remaining: float) -> float:
        """Return the step, or the remaining time if it is shorter."""
        return min(step, remaining)

    def accepts(self, ratio: float) -> bool:
        """Return whether the error is within the tolerance; NaN and infinity are not."""
        return ratio <= 1

    def smaller(self, length: float, ratio: float) -> float:
        """Return half the length."""
        return length / 2

    def larger(self, length: float, ratio: float, uncut: float, may_grow: bool) -> float:
        """Return twice the step where the error is small and it may grow."""
        return 2 * uncut if may_grow and ratio < self.below and length == uncut else uncut


@dataclass(frozen=True)
class Proportional:
    """Choose the length that the error's order in it asks for.

    A step of error r (over the tolerance) is followed by one that is safety r^(-1/order) times as long.

    Attributes
    ----------
    order
        Power of the step with which the error grows.
    least, most
        Limits of the ratio of two lengths.
    safety, safety_after_failure
        Factors that make the next error smaller than the tolerance.
    accepted
        Largest error over the tolerance of an accepted step.
    smallest_ratio, smallest_ratio_after_failure
        Added to the errors of accepted and of rejected steps, so that none is zero.
    keeps
        Ratios of two lengths, from and to, that are not worth a change; None: every change is made.
    stretch
        Ratio up to which a step is made longer to end at a stop: avoids a final step much shorter than the others.
    halves
        True if a remaining time of less than two steps is divided into two equal steps.
    """

    order: int
    least: float
    most: float
    safety: float = 0.9
    safety_after_failure: float = 0.9
    accepted: float = 1.0
    smallest_ratio: float = 1e-10
    smallest_ratio_after_failure: float = 0.0
    keeps: tuple[float, float] | None = None
    stretch: float = 1.1
    halves: bool = False

    def fits(self, step: float, remaining: float) -> float:
        """Return the remaining time if it is hardly longer than the step, its half with `halves`, or the step."""
        if remaining <= self.stretch * step:
            return remaining
        return remaining / 2 if self.halves and remaining < 2 * step else step

    def accepts(self, ratio: float) -> bool:
        """Return whether the error is small enough; NaN and infinity are not."""
        return ratio <= self.accepted

    def smaller(self, length: float, ratio: float) -> float:
        """Return a smaller length, the smallest if the error is NaN or infinite."""
        if not math.isfinite(ratio):
            return length * self.least
        raised = ratio + self.smallest_ratio_after_failure
        return float(length * max(self.least, self.safety_after_failure * raised ** (-1 / self.order)))

    def larger(self, length: float, ratio: float, uncut: float, may_grow: bool) -> float:
        """Return the length that the error asks for; a step that a stop has cut short does not shorten the next."""
        grow = self.safety * (ratio + self.smallest_ratio) ** (-1 / self.order)
        grow = min(self.most, max(self.least, grow))
        unchanged = self.keeps is not None and self.keeps[0] <= grow <= self.keeps[1]
        step = min(length, uncut) if unchanged else length * grow
        return max(uncut, step) if length < uncut / 2 else step


class StepSizeError(SolverError):
    """Steps that became too small.

    Attributes
    ----------
    time
        When it happened (s).
    step
        Length that was still too long (s).
    """

    def __init__(self, message: str, time: float = math.nan, step: float = math.nan) -> None:
        super().__init__(message)
        self.time, self.step = time, step


class StepControl:
    """Steps of a run from stop to stop. Not collective: ranks take the same steps if they give the same errors.

    Parameters
    ----------
    rule
        Lengths of the steps.
    course
        Position at the beginning, or that of a run that goes on.
    stops
        Times at which a step ends, increasing (:func:`stops_between`); those that have passed are left out.
    owner, advice
        Words of the error that is raised when steps become too small: who, and what to try.
    smallest
        Length below which that is so.
    longest
        Length of the longest step.
    begin
        Time at which the whole run began.
    seconds
        Unit of time (s), for messages.

    Attributes
    ----------
    course
        Present position.
    stopped
        Stop at which the last accepted step has ended; None if it ended elsewhere.
    """

    def __init__(
        self,
        rule: Rule,
        course: Course,
        stops: Iterable[float],
        *,
        owner: str,
        advice: str,
        smallest: float,
        longest: float = math.inf,
        begin: float = 0.0,
        seconds: float = 1.0,
    ) -> None:
        self.rule, self.course, self.longest = rule, course, longest
        self.stopped: float | None = None
        self._begin, self._stops = begin, [t for t in stops if t > course.time]
        self._owner, self._advice, self._smallest, self._seconds = owner, advice, smallest, seconds
        self._failure: Exception | None = None

    @property
    def runs(self) -> bool:
        """True while a stop is left."""
        return bool(self._stops)

    @property
    def stop(self) -> float:
        """Next stop."""
        return self._stops[0]

    def next(self) -> float:
        """Return the length of the next step.

        Raises
        ------
        StepSizeError
            If steps have become too small. The cause is the last failure, if one was given to :meth:`shorten`.
        """
        course = self.course
        if not course.step >= self._smallest:
            step, time = course.step * self._seconds, course.time * self._seconds
            raise StepSizeError(
                f"{self._owner}: the step fell below {step:.1e} s at {time:.3e} s; {self._advice}", time, step
            ) from self._failure
        return self.rule.fits(min(course.step, self.longest), self.stop - course.time)

    def accepts(self, length: float, ratio: float) -> bool:
        """Accept a step if its error over the tolerance is small enough; return whether it was."""
        course = self.course
        if not self.rule.accepts(ratio):
            self.shorten(self.rule.smaller(length, ratio))
            return False
        # A remainder as small as rounding before a stop is no step of its own.
        ends = self.stop - course.time - length <= _SAME_STOP * (self.stop - self._begin)
        uncut = min(course.step, self.longest)
        course.step = self.rule.larger(length, ratio, uncut, not (ends or course.blocked or uncut >= self.longest))
        course.time, self.stopped = (self._stops.pop(0),) * 2 if ends else (course.time + length, None)
        course.steps, course.blocked, self._failure = course.steps + 1, False, None
        return True

    def shorten(self, length: float, failure: Exception | None = None) -> None:
        """Try a smaller length after a step that failed; the failure is told if steps become too small."""
        self.course.step, self.course.blocked = length, True
        self.course.rejected += 1
        self._failure = failure

    def restart(self, step: float) -> None:
        """Begin anew with a step after a jump of the drive, where earlier steps tell nothing about the next."""
        self.course.step, self.course.blocked = step, False


# ---- systems of the last steps
class Destroyable(Protocol):
    """Anything with memory of PETSc."""

    def destroy(self) -> None:
        """Free it. Collective."""


class Kept[K, V: Destroyable]:
    """Systems of the last few keys, such as lengths of steps: the oldest is freed when there are too many. Collective.

    Parameters
    ----------
    make
        Takes a key, returns its system.
    limit
        Largest number of systems that are kept.
    same
        Function of two keys that is true if they have the same system; default: if they are equal.
    """

    def __init__(self, make: Callable[[K], V], limit: int, *, same: Callable[[K, K], bool] = operator.eq) -> None:
        self._make, self._limit, self._same = make, limit, same
        self._known: list[tuple[K, V]] = []

    def get(self, key: K) -> V:
        """Return the system of a key, which is made if it is not known."""
        for known, system in self._known:
            if self._same(known, key):
                return system
        while len(self._known) >= self._limit:
            self._known.pop(0)[1].destroy()
        system = self._make(key)
        self._known.append((key, system))
        return system

    def destroy(self) -> None:
        """Free all."""
        for _, system in self._known:
            system.destroy()
        self._known.clear()
