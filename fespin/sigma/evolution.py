"""Evolution in time under varying fields and torques, by a stiffly accurate Runge-Kutta method."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
from mpi4py import MPI

from ..checkpoint import StateFile
from ..energy.declaration import field_vector
from ..energy.on_sphere import Array
from ..errors import InputError, SolverError
from ..macrospin.landscape import grid
from ..petsc import Options
from ..progress import Progress
from ..stepping import SDIRK4, Course, Kept, Proportional, StepControl, stops_between
from .dimensionless import DimensionlessDrift
from .distribution import Distribution, Surface
from .operator import Operator
from .schedule import changes
from .space import Density, Places
from .switching import depth

# Error of the embedded method, of order 3 and filtered, in the step. Operators are made at each step anyway, so that
# lengths need not come back.
_RULE = Proportional(4, least=0.2, most=4.0, smallest_ratio_after_failure=1e-10, stretch=1.1)

# Height of the density above the lowest well (kT) from which on the weighted form loses digits.
_DEEP = 35.0
# Longest step (2 tau_N) in the plain form: its spurious rates would show in longer ones.
_SLOWEST = 1e4
# Energy above the lowest (kT) up to which the weight is exp(-v). Higher up it is constant: from a state at the height
# that the weighted form allows, less than 1e-40 of the density gets there.
_TOP = _DEEP + 100.0
# Half of the range of energies (kT) over which the weight becomes constant.
_BEND = 20.0


@dataclass(frozen=True)
class Evolution:
    """Means and probabilities along an evolution.

    Attributes
    ----------
    times
        Seconds (n,).
    mean
        Mean direction (n, 3).
    probability
        Probability of the hemisphere asked for (n,).
    observables
        Mean of each observable (n,).
    mass_error
        Change of the integral that rounding would have added up to; it is taken out step by step.
    steps, rejected
        Numbers of steps that count and of steps that were repeated.
    final
        The distribution at the last time.
    error_estimate
        On rings around an axis: largest change of the mean direction, the probability, or an observable relative to its
        largest value, at any time by more Fourier orders and a higher degree; None elsewhere.

    Examples
    --------
    >>> solver = fs.FokkerPlanck(comm, spin)
    >>> swept = solver.evolve(np.linspace(0.0, 20e-9, 3), field=lambda t: (0.0, 0.0, -1e6 * t))
    >>> swept.mean[:, 2].round(2), abs(swept.mass_error) < 1e-9
    (array([0.86, 0.74, 0.13]), True)
    """

    times: Array
    mean: Array
    probability: Array
    observables: dict[str, Array]
    mass_error: float
    steps: int
    rejected: int
    final: Distribution = field(repr=False)
    error_estimate: float | None = None


def path_change(found: Evolution, other: Evolution) -> float:
    """Return the largest difference of two evolutions' mean directions and probabilities."""
    apart = np.linalg.norm(found.mean - other.mean, axis=1).max()
    return float(max(apart, np.abs(found.probability - other.probability).max()))


@dataclass
class _State:
    """All of an evolution that a restart needs."""

    course: Course
    load: Array  # integrals of the density with the basis functions (owned,)
    rows: list[list[float]] = field(default_factory=list)
    drift: float = 0.0
    weighted: bool = True

    @property
    def time(self) -> float:
        return self.course.time

    def save(self, file: StateFile, places: Places) -> None:
        numbers = {"rows": self.rows, "drift": self.drift, "weighted": self.weighted}
        file.save(vars(self.course) | numbers, {"load": self.load[places][:, None]})

    @classmethod
    def loaded(cls, file: StateFile, places: Places, times: Array) -> _State | None:
        saved = file.load()
        if saved is None:
            return None
        numbers, values = saved
        with file.understood():
            load = np.zeros(len(values["load"]))
            load[places] = values["load"][:, 0]
            state = cls(Course.taken_from(numbers), load, **numbers)
        if len(state.rows) > len(times) or state.time > times[-1] * (1 + 1e-12):
            raise InputError(f"checkpoint '{file.path}': it is of a longer evolution; remove it to start afresh")
        return state


def evolve(
    surface: Surface,
    build: Callable[[float], DimensionlessDrift],
    start: Array,
    times: Array,
    *,
    weighted: bool,
    axis: Sequence[float],
    observables: dict[str, Density],
    tolerance: float,
    breakpoints: Sequence[float] = (),
    progress: Progress | None = None,
    checkpoint: Path | None = None,
    every: float = 60.0,
    resume: bool = False,
    options: Options | None = None,
    comm: MPI.Intracomm,
    forecast: Progress | None = None,
) -> Evolution:
    """Evolve a density while field and torque vary. Times are in 2 tau_N. Collective.

    Parameters
    ----------
    build
        Function of s that returns the drift at that time.
    start
        Integrals of the initial density with the basis functions (owned,).
    times
        Times at which one looks, increasing (n,).
    weighted
        Weak form: True for the weighted one, which keeps small rates right where no torque acts.
    axis
        Axis of the hemisphere whose probability is followed.
    tolerance
        Largest error of a step: the mass that may be in the wrong place.
    breakpoints
        Times at which field or torque jump.
    progress
        Called with the part that is done, 0 to 1.
    checkpoint
        File to which the state is saved `every` seconds of computing.
    resume
        Go on from the checkpoint, if there is one.
    options
        PETSc options of the factorizations, without prefix.
    comm
        All ranks, which on a meridian each do the same.
    forecast
        Called as `progress` is.

    Raises
    ------
    SolverError
        If steps become too small.
    """
    watched = [*surface.components(), *observables.values()]
    end = float(times[-1])
    state, file = _State(Course(step=end / 1000), start), None
    if checkpoint is not None:
        stored = surface.stored
        file = StateFile(comm, stored.space, checkpoint, every=every, about="an evolution on the sphere")
        state = (_State.loaded(file, stored.places, times) if resume else None) or state
    mass = float(surface.comm.allreduce(float(start.sum())))
    operators = _Operators(surface, build, weighted and state.weighted, axis, options)
    control = StepControl(
        _RULE,
        state.course,
        stops_between(0.0, end, times, breakpoints, changes(build, end)),
        owner="sphere",
        advice="try a larger tolerance or a finer mesh",
        smallest=1e-13 * end,
        seconds=build(0.0).pace / build(0.0).spin.diffusion,
    )

    def record() -> None:
        op = operators.at(state.time)
        x = op.project(state.load)
        functionals = [op.hemisphere(axis), *(op.observable(f) for f in watched)]
        row = [op.dot(f, x) for f in functionals]
        if not -1e-2 < row[0] < 1.01 or not np.linalg.norm(row[1:4]) < 1.01:
            raise SolverError(
                "sphere: the evolution is no longer a probability; try a smaller tolerance or a finer mesh"
            )
        state.rows.append([state.time, *row])

    while len(state.rows) < len(times):
        if state.time >= times[len(state.rows)] - 1e-12 * end:
            with _located(build, state):
                record()
            continue
        with _located(build, state):
            _advance(surface, operators, state, control, tolerance, mass)
        for told in (progress, forecast):
            if told is not None:
                told(state.time / end)
        if file is not None and file.due():
            state.weighted = operators.weighted
            state.save(file, surface.stored.places)
    final = operators.at(end)
    x = final.project(state.load)
    rows = np.array(state.rows)
    form = "weighted" if final.weighted else "plain"
    distribution = final.distribution(x, f"SDIRK4, {form} form")
    operators.destroy()
    return Evolution(
        times,
        rows[:, 2:5],
        rows[:, 1],
        {k: rows[:, 5 + i] for i, k in enumerate(observables)},
        abs(state.drift),
        state.course.steps,
        state.course.rejected,
        distribution,
    )


@contextmanager
def _located(build: Callable[[float], DimensionlessDrift], state: _State) -> Iterator[None]:
    """Say at which time and field an evolution failed."""
    try:
        yield
    except SolverError as error:
        reduced = build(state.time)
        field = np.asarray(field_vector(reduced.spin.field, "evolve")) + reduced.field
        drive = "" if reduced.torque is None else f", {reduced.amplitude:.4g} times the torque"
        shown = ", ".join(f"{x:.4g}" for x in field)
        when = f"at t = {state.time * reduced.pace / reduced.spin.diffusion:.4g} s, in a field of ({shown}) T{drive}"
        raise SolverError(f"{error} ({when})") from error


class _Operators:
    """Operators of the last few times: stages of one step share theirs with the next."""

    def __init__(
        self,
        surface: Surface,
        build: Callable[[float], DimensionlessDrift],
        weighted: bool,
        axis: Sequence[float],
        options: Options | None,
    ) -> None:
        self._surface, self._build, self._axis, self.weighted = surface, build, axis, weighted

        def make(key: tuple[DimensionlessDrift, bool]) -> Operator:
            drift, form = key
            held = partial(_held, drift) if form else None
            return Operator(surface, drift, weighted=form, potential=held, options=options)

        self._kept = Kept(make, 6)
        self._plain: Array | None = None
        self._weighted: WeakKeyDictionary[Operator, Array] = WeakKeyDictionary()

    def choose(self, s: float, load: Array) -> None:
        """Go over to the plain form once the density lies far up in energy. Collective.

        There is no way back: the plain form's noise, divided by small weights, is no small noise.
        """
        if self.weighted:
            self.weighted = depth(self._surface, self._build(s), load) < _DEEP

    def at(self, s: float) -> Operator:
        """Return the operator at a time, in the form that is chosen. Collective."""
        return self._kept.get((self._build(s), self.weighted))

    def pace(self, s: float) -> float:
        """Return how much faster than others times pass for the spin at a time: it multiplies the operator."""
        return self._build(s).pace

    def hemisphere(self, operator: Operator) -> Array:
        """Return the functional of the hemisphere's probability (owned,). Collective."""
        if not operator.weighted:
            # The same for all operators of the plain form.
            if self._plain is None:
                self._plain = operator.hemisphere(self._axis)
            return self._plain
        if operator not in self._weighted:
            self._weighted[operator] = operator.hemisphere(self._axis)
        return self._weighted[operator]

    def destroy(self) -> None:
        self._kept.destroy()


def _held(drift: DimensionlessDrift, u: Array) -> tuple[Array, Array]:
    """Return V and its gradient, V held constant where it exceeds the lowest by far.

    A strong field makes hills of thousands of kT, over which no cell resolves the weight and no number holds it.
    The density there is zero to rounding, so that a constant weight does as well: the velocity that the weight does
    not describe makes up for it.
    """
    v, slope = drift.potential(u), drift.slope(u)
    above = v - float(drift.potential(grid()[0]).min()) - _TOP
    bent = np.abs(above) < _BEND
    lowered = np.where(bent, (above + _BEND) ** 2 / (4 * _BEND), np.maximum(above, 0.0))
    factor = np.where(bent, (_BEND - above) / (2 * _BEND), np.where(above > 0, 0.0, 1.0))
    return v - lowered, factor[:, None] * slope


def _advance(
    surface: Surface, operators: _Operators, state: _State, control: StepControl, tolerance: float, mass: float
) -> None:
    """Take one step, repeated with smaller ones until its error is small."""
    operators.choose(state.time, state.load)
    if not operators.weighted and state.course.step > _SLOWEST:
        raise SolverError(
            "sphere: the evolution is too slow to be followed, its steps exceed 1e4 free-diffusion times; where wells "
            "are deep and unequal or a torque acts, use the rates of escape at each field"
        )
    while True:
        h = control.next()
        change, error = _tried(surface, operators, state, h, tolerance)
        if control.accepts(h, error):
            break
    state.load = state.load + change
    # Rounding adds up over huge steps: the integral is kept, and what was missing is recorded.
    total = float(surface.comm.allreduce(float(state.load.sum())))
    state.drift += total / mass - 1
    state.load *= mass / total


def _tried(surface: Surface, operators: _Operators, state: _State, h: float, tolerance: float) -> tuple[Array, float]:
    """Return the change of the load in a step of length h, and its error over the tolerance. Collective."""
    slopes: list[Array] = []
    factor, factorized = None, None
    for time, weights in SDIRK4.stages(state.time, h):
        op = operators.at(time)
        if factorized is not op:
            if factor is not None:
                factor.destroy()
            factor, factorized = op.shifted(1.0, h * SDIRK4.gamma * operators.pace(time)), op
        assert factor is not None
        right = state.load + h * _sum(weights, slopes, state.load)
        x = factor.solve(right / op.scale)
        slopes.append(-operators.pace(time) * op.scale * op.A.apply(x))
    assert factor is not None
    # One more solve keeps stiff parts from spoiling the estimate.
    e = factor.solve(h * _sum(SDIRK4.error, slopes, state.load) / op.scale)
    factor.destroy()
    # Mass that is in the wrong place: a measure that no weight distorts.
    wrong = np.abs(op.scale * op.M.apply(e)).sum()
    error = float(surface.comm.allreduce(float(wrong))) / tolerance
    # Small probabilities are followed relative to themselves, until they are as small as rounding.
    watched = operators.hemisphere(op)
    error = max(error, abs(op.dot(watched, e)) / max(abs(op.dot(watched, x)), 1e-10) / (10 * tolerance))
    return h * _sum(SDIRK4.weights, slopes, state.load), error


def _sum(weights: Array, slopes: Sequence[Array], like: Array) -> Array:
    """Return the sum of weights times slopes, zeros like an array without any."""
    return np.asarray(sum((a * k for a, k in zip(weights, slopes, strict=True)), np.zeros_like(like)))
