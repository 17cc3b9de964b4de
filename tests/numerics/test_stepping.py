"""Time stepping: orders of the methods, control of the step, stops, restarts, and systems that are kept."""

from __future__ import annotations

import dataclasses
import math
import pickle
from collections.abc import Callable

import numpy as np
import pytest
from scipy.linalg import expm

from fespin.errors import SolverError
from fespin.stepping import (
    SDIRK3,
    SDIRK4,
    Course,
    Doubling,
    Kept,
    Proportional,
    Rule,
    StepControl,
    StepSizeError,
    Tableau,
    is_near,
    stops_between,
)

METHODS = pytest.mark.parametrize("method", [SDIRK3, SDIRK4], ids=["SDIRK3", "SDIRK4"])
RULES: dict[str, Rule] = {
    "doubling": Doubling(below=1 / 32),
    "proportional": Proportional(4, least=0.2, most=4.0),
    "halving": Proportional(3, least=0.3, most=2.0, accepted=1.5, keeps=(0.9, 1.25), stretch=1.001, halves=True),
}
EVERY_RULE = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)

# y' = A y + b(t), A neither symmetric nor normal, rates of 0.7 to 3.1 and a rotation.
MATRIX = np.array([[-0.7, 1.3, -0.4], [-1.9, -1.1, 0.8], [0.3, -0.6, -3.1]])
START = np.array([1.3, -0.4, 2.1])
type Load = Callable[[float], np.ndarray]


def load(t: float) -> np.ndarray:
    """Return a force whose integral with the matrix exponential is known: a vector times cos(2.3 t)."""
    return np.array([0.5, -1.2, 0.9]) * math.cos(2.3 * t)


def exact(t: float, matrix: np.ndarray = MATRIX) -> np.ndarray:
    """Solve y' = A y + Re(v exp(i w t)) by the particular solution (i w - A)^-1 v exp(i w t)."""
    steady = np.linalg.solve(2.3j * np.eye(3) - matrix, [0.5, -1.2, 0.9])
    return expm(matrix * t) @ (START - steady.real) + (steady * np.exp(2.3j * t)).real


def step(method: Tableau, y: np.ndarray, t: float, h: float, matrix: np.ndarray, force: Load) -> tuple:
    """Return y and the embedded error after one step, written with the tableau."""
    slopes: list[np.ndarray] = []
    for at, weights in method.stages(t, h):
        base = y + h * sum((a * k for a, k in zip(weights, slopes, strict=True)), np.zeros(3))
        end = np.linalg.solve(np.eye(3) - h * method.gamma * matrix, base + h * method.gamma * force(at))
        slopes.append(matrix @ end + force(at))
    return end, h * sum(e * k for e, k in zip(method.error, slopes, strict=True))


def after(method: Tableau, count: int, matrix: np.ndarray = MATRIX, force: Load = load, end: float = 1.7) -> np.ndarray:
    y = START
    for k in range(count):
        y, _ = step(method, y, k * end / count, end / count, matrix, force)
    return y


@METHODS
def test_orders(method):
    errors = [np.abs(after(method, n) - exact(1.7)).max() for n in (20, 40, 80)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.allclose(orders, method.order, atol=0.2) and errors[-1] < 1e-5


@METHODS
def test_order_of_the_embedded_solution(method):
    """The error estimate of one step falls with the power order of the step, its solution's order being one less."""
    sizes = [np.abs(step(method, START, 0.0, h, MATRIX, load)[1]).max() for h in (0.02, 0.01, 0.005)]
    assert np.allclose(np.log2(np.array(sizes[:-1]) / sizes[1:]), method.order, atol=0.15)


@METHODS
def test_stiff_problem(method):
    """A rate of 1e7 in a direction that is no axis: no oscillation, and the slow part keeps its accuracy."""
    frame = np.array([[1.0, 0.4, -0.3], [-0.2, 1.0, 0.6], [0.5, -0.7, 1.0]])
    matrix = frame @ np.diag([-0.8, -1e7, -2.1]) @ np.linalg.inv(frame)
    y = after(method, 40, matrix)
    assert np.abs(y - exact(1.7, matrix)).max() < 1e-5
    # L-stable: what decays at once is gone after one step, except what the load holds.
    fast = np.linalg.inv(frame)[1] @ step(method, START, 0.0, 0.05, matrix, lambda t: np.zeros(3))[0]
    assert abs(fast) < 1e-4


@METHODS
def test_tableau(method):
    """Stiff accuracy, one diagonal, and the conditions of order two of both solutions."""
    a, c = method.coefficients, method.coefficients.sum(axis=1)
    assert np.all(np.diag(a) == method.gamma) and np.all(np.triu(a, 1) == 0)
    for b in (method.weights, method.embedded):
        assert b.sum() == pytest.approx(1, abs=1e-14) and b @ c == pytest.approx(0.5, abs=1e-14)
    assert method.weights @ c**2 == pytest.approx(1 / 3, abs=1e-14)
    times = [t for t, _ in method.stages(3.0, 0.5)]
    assert times[-1] < 3.5 and times[-1] == pytest.approx(3.5, abs=1e-9)
    assert np.allclose(times[:-1], 3.0 + 0.5 * c[:-1])


def controlled(rule: Rule, course: Course, stops: list[float], end: float, smallest: float = 1e-14) -> StepControl:
    return StepControl(rule, course, stops, owner="test", advice="try more", smallest=smallest, begin=0.0)


def run(
    rule: Rule, tolerance: float, breakpoints: list[float], end: float = 1.7
) -> tuple[list[float], np.ndarray, int]:
    control = controlled(rule, Course(step=0.3), stops_between(0.0, end, breakpoints), end)
    y, times = START, []
    while control.runs:
        h = control.next()
        new, error = step(SDIRK4, y, control.course.time, h, MATRIX, load)
        if control.accepts(h, float(np.abs(error).max()) / tolerance):
            y = new
            times.append(control.course.time)
    return times, y, control.course.rejected


@EVERY_RULE
def test_controlled_steps_reach_their_tolerance(rule):
    errors, counts = [], []
    for tolerance in (1e-4, 1e-6, 1e-8):
        times, y, rejected = run(rule, tolerance, [])
        errors.append(np.abs(y - exact(1.7)).max())
        counts.append(len(times))
        assert errors[-1] < 5 * tolerance and rejected > 0
    # A fourth root of a hundred in the number of steps for each factor of a hundred in the tolerance.
    assert 2.0 < counts[2] / counts[1] < 5.0


@EVERY_RULE
def test_stops_are_hit_exactly(rule):
    stops = [0.1 + 0.2, 1 / 3, 0.7777, 1.69999]
    times, _, _ = run(rule, 1e-5, stops)
    assert set(stops) < set(times) and times[-1] == 1.7 and np.all(np.diff(times) > 0)


def lengths(rule: Rule, step: float, end: float) -> np.ndarray:
    """Return the lengths of steps whose error is such that they stay as they are."""
    control, out = controlled(rule, Course(step=step), [end], end), []
    steady = 0.9**4 if isinstance(rule, Proportional) and rule.order == 4 else 0.9**3
    while control.runs:
        out.append(control.next())
        assert control.accepts(out[-1], steady)
    return np.array(out)


def test_no_short_last_step():
    """A rest of a fiftieth of a step is added to the last one, or shared with it."""
    assert lengths(RULES["doubling"], 0.1, 1.002)[-1] == pytest.approx(0.002)
    assert lengths(RULES["proportional"], 0.1, 1.002)[-1] == pytest.approx(0.102)
    halved = lengths(RULES["halving"], 0.1, 1.002)
    assert halved[-2:] == pytest.approx([0.051, 0.051]) and len(halved) == 11


@EVERY_RULE
def test_a_step_cut_by_a_stop_does_not_shorten_the_next(rule):
    control = controlled(rule, Course(step=0.5), [0.01, 5.0], 5.0)
    assert control.next() == 0.01 and control.accepts(0.01, 1e-9)
    assert control.stopped == 0.01 and control.next() >= (0.5 if rule is not RULES["halving"] else 0.02)


def test_doubling():
    control = controlled(Doubling(below=0.1), Course(step=1.0), [100.0], 100.0)
    assert control.accepts(control.next(), 0.09) and control.next() == 2.0
    assert control.accepts(2.0, 0.11) and control.next() == 2.0
    assert not control.accepts(2.0, 1.5) and control.next() == 1.0
    # Not right after a failure, but then.
    assert control.accepts(1.0, 0.01) and control.next() == 1.0
    assert control.accepts(1.0, 0.01) and control.next() == 2.0
    control.longest = 2.0
    assert control.accepts(2.0, 0.01) and control.next() == 2.0
    assert (control.course.steps, control.course.rejected) == (5, 1)


def test_proportional():
    rule = Proportional(4, least=0.2, most=4.0, safety=0.9, safety_after_failure=0.8)
    control = controlled(rule, Course(step=1.0), [1e9], 1e9)
    assert not control.accepts(control.next(), 16.0) and control.next() == pytest.approx(0.8 / 2)
    assert not control.accepts(control.next(), 1e12) and control.next() == pytest.approx(0.08)
    assert control.accepts(control.next(), 1 / 16) and control.next() == pytest.approx(0.08 * 1.8)
    assert control.accepts(control.next(), 0.0) and control.next() == pytest.approx(0.08 * 1.8 * 4)


@EVERY_RULE
@pytest.mark.parametrize("error", [math.inf, math.nan])
def test_errors_that_are_no_numbers_are_refused(rule, error):
    control = controlled(rule, Course(step=1.0), [10.0], 10.0)
    assert not control.accepts(control.next(), error) and 0 < control.next() < 0.6


@EVERY_RULE
def test_failed_attempts_are_tried_again(rule):
    """A solver that fails for steps above 0.004 around t = 1, as an iteration may."""
    control, y, failures = controlled(rule, Course(step=0.3), [1.7], 1.7), START, 0
    while control.runs:
        h, t = control.next(), control.course.time
        if t < 1.0 < t + h and h > 0.004:
            failures += 1
            control.shorten(h / 4, SolverError("no convergence"))
            continue
        new, error = step(SDIRK4, y, t, h, MATRIX, load)
        if control.accepts(h, float(np.abs(error).max()) / 1e-7):
            y = new
    assert failures > 0 and np.abs(y - exact(1.7)).max() < 1e-6


@EVERY_RULE
def test_too_small_steps_say_when_and_what_to_try(rule):
    control = StepControl(
        rule, Course(step=0.5), [3.0], owner="motion", advice="try a finer mesh", smallest=1e-6, seconds=1e-9
    )
    assert control.accepts(control.next(), 0.5)
    with pytest.raises(
        StepSizeError, match=r"motion: the step fell below .*e-16 s at 5.000e-10 s; try a finer mesh"
    ) as e:
        while True:
            control.shorten(control.next() / 4, SolverError("the factor is singular"))
    assert isinstance(e.value, SolverError) and "singular" in str(e.value.__cause__)
    assert e.value.time == pytest.approx(5e-10) and 0 < e.value.step < 1e-15
    travelled = pickle.loads(pickle.dumps(e.value))
    assert str(travelled) == str(e.value) and travelled.step == e.value.step


@EVERY_RULE
@pytest.mark.parametrize("interrupted", [1, 7, 20])
def test_going_on_equals_not_stopping(rule, interrupted):
    """A run that is rebuilt from its course gives the same times and the same numbers, bit for bit."""
    breakpoints = [0.4, 0.9]

    def go(course: Course, y: np.ndarray, times: list[float], most: int) -> tuple[Course, np.ndarray, list[float]]:
        control = controlled(rule, course, stops_between(0.0, 1.7, breakpoints), 1.7)
        while control.runs and len(times) < most:
            h = control.next()
            new, error = step(SDIRK4, y, control.course.time, h, MATRIX, load)
            if control.accepts(h, float(np.abs(error).max()) / 1e-8):
                y = new
                times.append(control.course.time)
                if control.stopped is not None:
                    control.restart(0.01)
        return control.course, y, times

    whole = go(Course(step=0.3), START, [], 10**6)
    course, y, times = go(Course(step=0.3), START, [], interrupted)
    again = go(Course(**dataclasses.asdict(course)), y, list(times), 10**6)
    assert again[2] == whole[2] and np.array_equal(again[1], whole[1]) and again[0] == whole[0]


def test_a_course_in_a_checkpoint():
    course = Course(time=0.3, step=0.02, steps=7, rejected=2, blocked=True)
    numbers = vars(course) | {"scale": 3.0}
    assert Course.taken_from(numbers) == course and numbers == {"scale": 3.0}
    # A file of a version that did not count steps.
    assert Course.taken_from({"time": 0.3, "step": 0.02}) == Course(time=0.3, step=0.02)


def test_stops_between():
    assert stops_between(0.0, 2.0, [], [0.5, -1.0, 2.0, 0.0, 3.0]) == [0.5, 2.0]
    # Earlier groups stay, whatever comes within rounding.
    assert stops_between(0.0, 2.0, [1.0, 0.7], [1.0 - 1e-15, 0.7 + 1e-14, 2.0 - 1e-14, 1e-14]) == [0.7, 1.0, 2.0]
    begin, end = 5e-9, 5.001e-9
    assert stops_between(begin, end, [5.0005e-9], [5.0002e-9]) == [5.0002e-9, 5.0005e-9, end]
    assert is_near(1.0, [0.5, 1.0 + 1e-13], 1.0) and not is_near(1.0, [1.0 + 1e-13], 1e-3)


class Factor:
    """A system that remembers when it was freed."""

    def __init__(self, key: float) -> None:
        self.key, self.gone = key, False

    def destroy(self) -> None:
        assert not self.gone
        self.gone = True


def test_kept_systems():
    factors: list[Factor] = []

    def make(key: float) -> Factor:
        # The oldest is freed before another is made: memory holds no more than the limit.
        assert sum(not x.gone for x in factors) < 2
        factors.append(Factor(key))
        return factors[-1]

    systems = Kept(make, 2)
    first = systems.get(0.25)
    assert systems.get(0.5) is not first and systems.get(0.25) is first and len(factors) == 2
    systems.get(1.0)
    assert first.gone and not factors[1].gone and systems.get(0.5) is factors[1]
    systems.destroy()
    assert all(x.gone for x in factors)
    near = Kept(Factor, 1, same=lambda a, b: math.isclose(a, b, rel_tol=1e-9))
    assert near.get(1.0) is near.get(1.0 + 1e-12) and near.get(1.0) is not near.get(1.1)
