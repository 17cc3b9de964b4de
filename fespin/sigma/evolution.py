"""Evolution in time under varying fields and torques, by a stiffly accurate Runge-Kutta method."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from mpi4py import MPI

from ..checkpoint import StateFile
from ..energy.declaration import field_vector
from ..energy.on_sphere import Array
from ..errors import InputError, SolverError
from ..macrospin.landscape import grid
from .dimensionless import DimensionlessDrift
from .distribution import Distribution, Surface
from .factor import Options, apply
from .operator import Operator
from .schedule import changes
from .space import Density
from .switching import depth

# SDIRK of order 4 with an embedded one of order 3: Hairer and Wanner, Solving Ordinary Differential Equations II,
# table 6.5. L-stable; its last stage is the new value.
_GAMMA = 0.25
_C = np.array([1 / 4, 3 / 4, 11 / 20, 1 / 2, 1])
_A = np.array(
    [
        [1 / 4, 0, 0, 0, 0],
        [1 / 2, 1 / 4, 0, 0, 0],
        [17 / 50, -1 / 25, 1 / 4, 0, 0],
        [371 / 1360, -137 / 2720, 15 / 544, 1 / 4, 0],
        [25 / 24, -49 / 48, 125 / 16, -85 / 12, 1 / 4],
    ]
)
_LOWER = np.array([59 / 48, -17 / 96, 225 / 32, -85 / 12, 0])


# The weighted form loses digits where the density lies this much higher in energy (kT) than the lowest well; the plain
# form has spurious rates, which steps longer than the second number (2 tau_N) would show.
_DEEP, _SLOWEST = 35.0, 1e4
# So far (kT) above the lowest energy the weight is exp(-v), within a bend it becomes constant: what comes there from a
# state that lies as deep as the form allows is less than 1e-40.
_TOP, _BEND = _DEEP + 100.0, 20.0


@dataclass(frozen=True)
class Evolution:
    """What was seen while a distribution evolved.

    Attributes
    ----------
    times
        Seconds (n,).
    mean
        Mean direction (n, 3).
    probability
        Of the hemisphere asked for (n,).
    observables
        Mean of each observable (n,).
    mass_error
        What rounding would have added to the integral; it is taken out step by step.
    steps, rejected
        How many steps were taken and repeated.
    final
        The distribution at the last time.
    """

    times: Array
    mean: Array
    probability: Array
    observables: dict[str, Array]
    mass_error: float
    steps: int
    rejected: int
    final: Distribution = field(repr=False)


@dataclass
class _State:
    """Where an evolution is: all that a restart needs."""

    time: float
    step: float
    load: Array  # integrals of the density with the basis functions (owned,)
    rows: list[list[float]] = field(default_factory=list)
    steps: int = 0
    rejected: int = 0
    drift: float = 0.0
    weighted: bool = True

    def save(self, file: StateFile) -> None:
        numbers = {k: v for k, v in vars(self).items() if k != "load"}
        file.save(numbers, {"load": self.load[:, None]})

    @classmethod
    def loaded(cls, file: StateFile, times: Array) -> _State | None:
        found = file.load()
        if found is None:
            return None
        state = cls(load=found[1]["load"][:, 0], **found[0])
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
    progress: Callable[[float], None] | None = None,
    checkpoint: Path | None = None,
    every: float = 60.0,
    resume: bool = False,
    options: Options | None = None,
    comm: MPI.Intracomm,
) -> Evolution:
    """Evolve a density while field and torque vary. Times are in 2 tau_N. Collective.

    Parameters
    ----------
    build
        Takes s, returns what moves the direction then.
    start
        Integrals of the initial density with the basis functions (owned,).
    times
        When to look, increasing (n,).
    weighted
        Which weak form. The weighted one keeps small rates right and needs no torque.
    axis
        Of the hemisphere whose probability is followed.
    tolerance
        Of each step: how much mass may be in the wrong place.
    breakpoints
        When field or torque jump.
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

    Raises
    ------
    SolverError
        If steps become too small.
    """
    watched = [*surface.components(), *observables.values()]
    state, file = _State(0.0, times[-1] / 1000, start), None
    if checkpoint is not None:
        file = StateFile(comm, surface.space, checkpoint, every=every, about="an evolution on the sphere")
        state = (_State.loaded(file, times) if resume else None) or state
    mass = float(surface.comm.allreduce(float(start.sum())))
    jumps = [b for b in breakpoints if 0 < b < times[-1]]
    stops = np.unique(np.concatenate([times, jumps, changes(build, float(times[-1]))]))
    operators = _Operators(surface, build, weighted and state.weighted, axis, options)

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
        if state.time >= times[len(state.rows)] - 1e-14 * times[-1]:
            with _located(build, state):
                record()
            continue
        stop = float(stops[np.searchsorted(stops, state.time * (1 + 1e-14) + 1e-300, side="right")])
        with _located(build, state):
            _advance(surface, operators, state, stop, tolerance, times[-1], mass)
        if progress is not None:
            progress(state.time / times[-1])
        if file is not None and file.due():
            state.weighted = operators.weighted
            state.save(file)
    final = operators.at(times[-1])
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
        state.steps,
        state.rejected,
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
        when = f"at t = {state.time / reduced.spin.diffusion:.4g} s, in a field of ({shown}) T{drive}"
        raise SolverError(f"{error} ({when})") from error


class _Operators:
    """The operators of the last few times: stages of one step share theirs with the next."""

    def __init__(
        self,
        surface: Surface,
        build: Callable[[float], DimensionlessDrift],
        weighted: bool,
        axis: Sequence[float],
        options: Options | None,
    ) -> None:
        self._axis, self._options = axis, options
        self._known_hemispheres: dict[int, Array] = {}
        self._surface, self._build, self.weighted = surface, build, weighted
        self._known: list[tuple[DimensionlessDrift, Operator]] = []

    def choose(self, s: float, load: Array) -> None:
        """Go over to the plain form once the density lies far up in energy. Collective.

        There is no way back: the plain form's noise, divided by small weights, is no small noise.
        """
        if self.weighted:
            self.weighted = depth(self._surface, self._build(s), load) < _DEEP

    def at(self, s: float) -> Operator:
        """Return the operator at a time, in the form that is chosen. Collective."""
        reduced = self._build(s)
        for known, operator in self._known:
            if known == reduced and operator.weighted == self.weighted:
                return operator
        if len(self._known) >= 6:
            old = self._known.pop(0)[1]
            self._known_hemispheres.pop(id(old), None)
            old.destroy()
        held = partial(_held, reduced) if self.weighted else None
        made = Operator(self._surface, reduced, weighted=self.weighted, potential=held, options=self._options)
        self._known.append((reduced, made))
        return self._known[-1][1]

    def hemisphere(self, operator: Operator) -> Array:
        """Return the functional of the hemisphere's probability (owned,). Collective."""
        key = 0 if not operator.weighted else id(operator)
        if key not in self._known_hemispheres:
            self._known_hemispheres[key] = operator.hemisphere(self._axis)
        return self._known_hemispheres[key]

    def destroy(self) -> None:
        for _, operator in self._known:
            operator.destroy()
        self._known.clear()


def _held(reduced: DimensionlessDrift, u: Array) -> tuple[Array, Array]:
    """Return V and its gradient, V held constant where it exceeds the lowest by far.

    A strong field makes hills of thousands of kT, over which no cell resolves the weight and no number holds it.
    Nothing is ever there, so that a constant weight does as well: the rest of the velocity makes up for it.
    """
    v, slope = reduced.potential(u), reduced.slope(u)
    x = v - float(reduced.potential(grid()[0]).min()) - _TOP
    bent = np.abs(x) < _BEND
    lower = np.where(bent, (x + _BEND) ** 2 / (4 * _BEND), np.maximum(x, 0.0))
    factor = np.where(bent, (_BEND - x) / (2 * _BEND), np.where(x > 0, 0.0, 1.0))
    return v - lower, factor[:, None] * slope


def _advance(
    surface: Surface, operators: _Operators, state: _State, stop: float, tolerance: float, whole: float, mass: float
) -> None:
    """Take one step, repeated with smaller ones until its error is small."""
    operators.choose(state.time, state.load)
    if not operators.weighted and state.step > _SLOWEST:
        raise SolverError(
            "sphere: the evolution is too slow to be followed, its steps exceed 1e4 free-diffusion times; where wells "
            "are deep and unequal or a torque acts, use the rates of escape at each field"
        )
    while True:
        h = min(state.step, stop - state.time)
        if stop - state.time - h < 0.1 * h:  # no crumbs
            h = stop - state.time if stop - state.time <= state.step * 1.1 else (stop - state.time) / 2
        if h < 1e-13 * whole:
            raise SolverError("sphere: the evolution's steps become too small; try a larger tolerance or a finer mesh")
        slopes: list[Array] = []
        factor, made = None, None
        for i in range(5):
            # Short of the end, where field or drive may jump.
            op = operators.at(state.time + min(_C[i], 1 - 1e-9) * h)
            if made is not op:
                if factor is not None:
                    factor.destroy()
                factor, made = op.shifted(1.0, h * _GAMMA), op
            assert factor is not None
            right = state.load + h * sum(
                (a * k for a, k in zip(_A[i], slopes, strict=False)), np.zeros_like(state.load)
            )
            x = factor.solve(right / op.scale)
            slopes.append(-op.scale * apply(op.A, x))
        assert factor is not None and made is not None
        difference = h * sum((a - b) * k for a, b, k in zip(_A[4], _LOWER, slopes, strict=True))
        e = factor.solve(difference / made.scale)  # the filter keeps stiff parts from spoiling the estimate
        factor.destroy()
        # Mass that is in the wrong place: a measure that no weight distorts.
        wrong = np.abs(made.scale * apply(made.M, e)).sum()
        error = float(surface.comm.allreduce(float(wrong))) / tolerance
        # Small probabilities are followed relative to themselves, until they are as small as rounding.
        watched = operators.hemisphere(made)
        error = max(error, abs(made.dot(watched, e)) / max(abs(made.dot(watched, x)), 1e-10) / (10 * tolerance))
        grow = min(4.0, max(0.2, 0.9 * (error + 1e-10) ** -0.25))
        if error <= 1.0:
            state.load = state.load + h * sum(a * k for a, k in zip(_A[4], slopes, strict=True))
            # What rounding adds up over huge steps.
            total = float(surface.comm.allreduce(float(state.load.sum())))
            state.drift += total / mass - 1
            state.load *= mass / total
            state.time = stop if abs(stop - state.time - h) < 1e-13 * whole else state.time + h
            state.step = max(state.step, h * grow) if h < 0.5 * state.step else h * grow
            state.steps += 1
            return
        state.rejected += 1
        state.step = h * grow
