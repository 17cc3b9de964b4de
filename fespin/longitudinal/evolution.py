r"""Relaxation in time, by an implicit method that adapts its step.

The singly diagonal method of order 4 with five stages (Hairer and Wanner, SDIRK4: L-stable, stiffly accurate), and
its embedded solution of order 3. The error is measured in the norm of the free energy, after one more solve that
keeps stiff parts from spoiling it. At the end of each step the equations hold to the accuracy of the linear
solver, so that

    dF/dt = -T ds/dt + boundary work

holds there to rounding, whatever the step; and so does the balance of M + m over each step, whose fluxes
are integrated by the method's own weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..checkpoint import StateFile
from ..constants import VACUUM_PERMEABILITY
from ..errors import InputError
from ..quantities import is_finite
from ..stepping import Course, Doubling, StepControl, is_near, stops_between
from .magnet import Array
from .problem import MECHANISMS, Conditions, LongitudinalProblem, State
from .stages import Stage, Stepper


@dataclass(frozen=True)
class Relaxation:
    """A relaxation. In 1D and 2D totals, energies and powers are per area and per length.

    Attributes
    ----------
    times
        0 and the ends of the accepted steps (s), (n,).
    total_M, total_m
        Integrals of M - M0 - chi_M H and of m (A m2), (n,).
    magnitude
        Integral of the absolute values of both together (A m2), (n,).
    energy
        Free energy (J), (n,).
    dissipation
        T times the entropy production (W), by mechanism, each (n,).
    work
        Power of the boundaries, -mu0 int (dm_/chi_m) (outward flux) (W), (n,); 0 at time 0.
    injected
        Moment that has come in through each part (A m2), (n,).
    lost
        Moment that the lattice has taken (A m2), (n,).
    heat, put_in
        Time integrals of dissipation and work (J), (n,), of the method's order.
    balance
        (dF/dt + dissipation - work) over the largest of the three, (n,); 0 at time 0.
    states
        States at the times wanted.
    final
        State at the end.
    rejected
        Number of steps that were tried with too large a step.

    Examples
    --------
    >>> from fespin.longitudinal import evolve
    >>> problem = fs.LongitudinalProblem(wire, fs.LongitudinalMagnet(xi=0.3, tau_mM=1e-12, diffusion=2e-3))
    >>> start = problem.state(M=lambda x: np.where(x[0] < 2e-7, 1.0, 0.0))
    >>> relaxation = evolve(problem, start, duration=2e-12, wanted=[1e-12], tolerance=1e-3)
    >>> len(relaxation.states), bool(abs(relaxation.conservation).max() < 1e-9)
    (1, True)
    """

    times: Array
    total_M: Array
    total_m: Array
    magnitude: Array
    energy: Array
    dissipation: dict[str, Array]
    work: Array
    injected: dict[str, Array]
    lost: Array
    heat: Array
    put_in: Array
    balance: Array
    states: list[State]
    final: State
    rejected: int

    @property
    def conservation(self) -> Array:
        """M + m less what was there, came in, and was lost, over the largest magnitude (n,)."""
        total = self.total_M + self.total_m
        came = sum(self.injected.values(), np.zeros_like(total))
        return np.asarray((total - total[0] - came + self.lost) / (self.magnitude.max() or 1.0))

    def __repr__(self) -> str:
        end = f"{len(self.times) - 1} steps to {self.times[-1]:.6g} s, {self.rejected} rejected"
        return f"<Relaxation: {end}, balance {np.abs(self.balance).max():.1e}>"


def _checked(
    duration: float,
    first_step: float | None,
    max_step: float | None,
    tolerance: float,
    times: Mapping[str, Sequence[float]],
) -> tuple[float, float]:
    """Return the first and the longest step (s)."""
    for key, value in {"duration": duration, "first_step": first_step, "max_step": max_step}.items():
        if value is not None and not (is_finite(value) and value > 0):
            raise InputError(f"relaxation: {key} is {value!r}; it must be finite and positive")
    if not is_finite(tolerance) or not 0 < tolerance < 1:
        raise InputError(f"relaxation: tolerance is {tolerance!r}; it must lie between 0 and 1")
    start = duration / 1000 if first_step is None else first_step
    if start > duration:
        raise InputError(f"relaxation: first_step is {start!r}; it must not exceed the duration, {duration!r}")
    for key, wanted in times.items():
        for t in wanted:
            if not is_finite(t) or not 0 <= t <= duration:
                raise InputError(f"relaxation: {key} holds {t!r}; times must lie between 0 and the duration")
    return start, duration / 20 if max_step is None else max_step


# Systems are used again, for which lengths must come back.
_RULE = Doubling(below=1 / 32)


@dataclass
class _Position:
    """All of a relaxation that a restart needs."""

    course: Course
    state: State
    scale: float  # the largest norm so far
    fresh: bool = True  # the conditions have just jumped
    integrals: Array = field(default_factory=lambda: np.zeros(3))
    rows: list[list[float]] = field(default_factory=list)
    keep: dict[float, State] = field(default_factory=dict)

    def save(self, file: StateFile) -> None:
        numbers = {"scale": self.scale, "fresh": self.fresh, "integrals": self.integrals.tolist(), "rows": self.rows}
        kept = {str(k): np.stack([v.M, v.m], axis=1) for k, v in self.keep.items()}
        now = np.stack([self.state.M, self.state.m], axis=1)
        file.save(vars(self.course) | numbers, {"now": now} | kept)

    @classmethod
    def loaded(cls, file: StateFile, duration: float) -> _Position | None:
        saved = file.load()
        if saved is None:
            return None
        numbers, values = saved
        with file.understood():
            course = Course.taken_from(numbers)
            states = {k: State(*(np.array(c) for c in v.T)) for k, v in values.items()}
            integrals = np.array(numbers.pop("integrals"))
            now, keep = states.pop("now"), {float(k): v for k, v in states.items()}
            position = cls(course, now, integrals=integrals, keep=keep, **numbers)
        if course.time > duration:
            raise InputError(f"checkpoint '{file.path}': it is of a longer relaxation; remove it to start afresh")
        return position


def evolve(
    problem: LongitudinalProblem,
    initial: State,
    duration: float,
    *,
    conditions: Conditions | None = None,
    wanted: Sequence[float] = (),
    first_step: float | None = None,
    max_step: float | None = None,
    tolerance: float = 1e-5,
    breakpoints: Sequence[float] = (),
    each: Callable[[float, State], None] | None = None,
    checkpoint: Path | None = None,
    every: float = 60.0,
    resume: bool = False,
) -> Relaxation:
    """Follow M and m in time. Collective.

    Parameters
    ----------
    problem
        Magnet and mesh.
    initial
        State made by :meth:`LongitudinalProblem.state`. At a reservoir m jumps at once to what it imposes.
    duration
        Length of the relaxation (s).
    conditions
        Conditions on parts of the boundary; the others are closed.
    wanted
        Times (s) at which states are kept; steps end there.
    first_step
        Default: a thousandth of the duration (s).
    max_step
        Default: a twentieth of the duration (s).
    tolerance
        Error of a step, relative to the largest norm of the state so far; the norm's square is the free energy.
    breakpoints
        Times (s) at which conditions jump: steps end there and start small again. Conditions that are functions of the
        time are looked at 2000 times beforehand, and jumps that are found join them.
    each
        Called after every accepted step with time and state.
    checkpoint
        A file to which the state is written `every` seconds of computing, and from which it goes on if `resume`.

    Raises
    ------
    InputError
        If a value is out of range or a condition impossible.
    SolverError
        If a solve does not converge, the step shrinks to nothing, or energy is not conserved.

    Examples
    --------
    >>> from fespin.longitudinal import evolve
    >>> magnet = fs.LongitudinalMagnet(xi=0.3, tau_mM=1e-12, diffusion=2e-3, tau_mL=30e-12)
    >>> problem = fs.LongitudinalProblem(wire, magnet)
    >>> relaxation = evolve(problem, problem.state(M=1.0), duration=10e-12, tolerance=1e-3)
    >>> M, m = relaxation.total_M / relaxation.total_M[0], relaxation.total_m / relaxation.total_M[0]
    >>> print(f"{M[-1]:.2f} {m[-1]:.3f}")
    0.92 -0.013
    """
    start, longest = _checked(duration, first_step, max_step, tolerance, {"wanted": wanted, "breakpoints": breakpoints})
    imposed = dict(conditions or {})
    held, fixed = problem.check(imposed, varying=True)
    stepper = Stepper(problem, imposed, held, fixed)
    jumps = [*map(float, breakpoints), *stepper.jumps(duration)]
    stops = stops_between(0.0, duration, wanted, breakpoints, jumps)
    keep = {float(t): initial for t in wanted if is_near(0.0, [t], duration)}
    now, file = _Position(Course(step=start), initial, _norm(problem, initial), keep=keep), None
    now.integrals = np.zeros(3 + len(imposed))
    now.rows = [_row(problem, 0.0, initial, None, now.integrals)]
    if checkpoint is not None:
        file = StateFile(problem.comm, problem.space, checkpoint, every=every, about="a longitudinal relaxation")
        now = (_Position.loaded(file, duration) if resume else None) or now
    control = StepControl(
        _RULE,
        now.course,
        stops,
        owner="longitudinal",
        advice="try a larger tolerance",
        smallest=min(1e-14 * duration, start),
        longest=longest,
    )
    try:
        while control.runs:
            h, time = control.next(), control.course.time
            if now.fresh:
                _settle(problem, stepper, now, time + 1e-9 * h)
            end, tally, error = stepper.step(now.state, time, h)
            new = State(end.M, end.m)
            largest = max(now.scale, _norm(problem, new))
            if not control.accepts(h, error / (tolerance * largest) if largest else 0.0):
                continue
            time, now.state, now.scale = control.course.time, new, largest
            now.integrals += np.array([tally.lost, tally.heat, tally.put_in, *(tally.injected[k] for k in imposed)])
            now.rows.append(_row(problem, time, new, end, now.integrals))
            if each is not None:
                each(time, new)
            now.keep |= {float(t): new for t in wanted if is_near(time, [t], duration)}
            if control.stopped is not None and is_near(control.stopped, jumps, duration):
                control.restart(start)
                now.fresh = True
            if file is not None and file.due():
                now.save(file)
    finally:
        stepper.destroy()
    return _result(
        np.array(now.rows), list(imposed), [now.keep[float(t)] for t in wanted], now.state, now.course.rejected
    )


def _norm(problem: LongitudinalProblem, state: State) -> float:
    """Return the root of the free energy, in which errors are measured. Collective."""
    return math.sqrt(max(problem.free_energy(state), 0.0))


def _settle(problem: LongitudinalProblem, stepper: Stepper, now: _Position, time: float) -> None:
    """Let m jump to what the reservoirs impose at a time, and count what came in and the work. Collective."""
    now.state, came, work = stepper.settle(now.state, time)
    for i, name in enumerate(stepper.conditions, 3):
        now.integrals[i] += came.get(name, 0.0)
    now.integrals[2] += work
    now.fresh = False
    now.scale = max(now.scale, _norm(problem, now.state))


def _row(problem: LongitudinalProblem, time: float, state: State, end: Stage | None, integrals: Array) -> list[float]:
    """Return one line of the record."""
    a, b = problem.magnet.potentials(state.M, state.m) if end is None else (end.a, end.b)
    lost = problem.dissipation(a, b) if end is None else end.dissipation
    work, balance = 0.0, 0.0
    if end is not None:
        work, heat = end.work, sum(lost.values())
        rate = VACUUM_PERMEABILITY * problem.product((a, b), end.slope)
        balance = (rate + heat - work) / (max(abs(rate), abs(heat), abs(work)) or 1.0)
    parts = [lost[k] for k in MECHANISMS]
    magnitude = problem.dot(np.abs(problem.weights), np.abs(state.M) + np.abs(state.m))
    return [time, *problem.totals(state), magnitude, problem.free_energy(state), *parts, work, balance, *integrals]


def _result(rows: Array, names: list[str], states: list[State], final: State, rejected: int) -> Relaxation:
    c = rows.T
    return Relaxation(
        times=c[0],
        total_M=c[1],
        total_m=c[2],
        magnitude=c[3],
        energy=c[4],
        dissipation={k: c[5 + i] for i, k in enumerate(MECHANISMS)},
        work=c[9],
        balance=c[10],
        lost=c[11],
        heat=c[12],
        put_in=c[13],
        injected={k: c[14 + i] for i, k in enumerate(names)},
        states=states,
        final=final,
        rejected=rejected,
    )
