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
from .drives import MOMENT_PER_CHARGE, AppliedField, Conditions, Contact, require_amount
from .magnet import Array
from .problem import MECHANISMS, LongitudinalProblem, State
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
        (dF/dt + dissipation - work) over the largest of the three, (n,); 0 at time 0. dF/dt is that in the field as it
        is.
    field
        Amplitude of the applied field (A/m), (n,).
    field_work
        Time integral of mu0 int H d(M + m)/dt (J), (n,), of the method's order.
    field_moment
        chi_M int H (A m2), (n,): total_M is taken from the equilibrium that the field shifts.
    internal_energy
        Energy (J) without that of the field, (n,): it grows by put_in and field_work, and loses the heat. At
        M = M0, m = 0 it is zero.
    spin_currents
        J_s into the magnet through each :class:`Contact` (A/m2, mean over it), each (n,); 0 at time 0.
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
    field: Array
    field_work: Array
    field_moment: Array
    internal_energy: Array
    spin_currents: dict[str, Array]
    states: list[State]
    final: State
    rejected: int

    @property
    def conservation(self) -> Array:
        """M + m less what was there, came in, and was lost, over the largest magnitude (n,)."""
        total = self.total_M + self.field_moment + self.total_m
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
    applied: float = 0.0  # amplitude of the field that the state deviates in
    integrals: Array = field(default_factory=lambda: np.zeros(4))
    rows: list[list[float]] = field(default_factory=list)
    keep: dict[float, State] = field(default_factory=dict)

    def save(self, file: StateFile) -> None:
        numbers = {
            "scale": self.scale,
            "fresh": self.fresh,
            "applied": self.applied,
            "integrals": self.integrals.tolist(),
            "rows": self.rows,
        }
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
    field: AppliedField | None = None,
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
    field
        Applied field. Before time 0 it is zero, and `initial` deviates from that equilibrium; states and totals at
        later times deviate from the equilibrium in the field then.
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
    if field is not None:
        require_amount("field", field.amplitude, varying=True)
    stepper = Stepper(problem, imposed, held, fixed, field)
    jumps = [*map(float, breakpoints), *stepper.jumps(duration)]
    stops = stops_between(0.0, duration, wanted, breakpoints, jumps)
    keep = {float(t): initial for t in wanted if is_near(0.0, [t], duration)}
    now, file = _Position(Course(step=start), initial, _norm(problem, initial), keep=keep), None
    now.integrals = np.zeros(4 + len(imposed))
    now.rows = [_row(stepper, 0.0, initial, None, now)]
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
            end, tally, error = stepper.step(now.state, time, h, now.applied)
            new = State(end.M, end.m)
            largest = max(now.scale, _norm(problem, new))
            if not control.accepts(h, error / (tolerance * largest) if largest else 0.0):
                continue
            time, now.state, now.scale, now.applied = control.course.time, new, largest, end.field
            sums = (tally.lost, tally.heat, tally.put_in, tally.field_work)
            now.integrals += np.array([*sums, *(tally.injected[k] for k in imposed)])
            now.rows.append(_row(stepper, time, new, end, now))
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
    return _result(np.array(now.rows), stepper, [now.keep[float(t)] for t in wanted], now.state, now.course.rejected)


def _norm(problem: LongitudinalProblem, state: State) -> float:
    """Return the root of the free energy, in which errors are measured. Collective."""
    return math.sqrt(max(problem.free_energy(state), 0.0))


def _settle(problem: LongitudinalProblem, stepper: Stepper, now: _Position, time: float) -> None:
    """Take a state to the field and the reservoirs at a time, and count what came in and the work. Collective."""
    before = now.state.m
    now.state, came, work, now.applied = stepper.settle(now.state, time, now.applied)
    for i, name in enumerate(stepper.conditions, 4):
        now.integrals[i] += came.get(name, 0.0)
    now.integrals[2] += work
    if now.applied:
        moved = problem.dot(problem.times(problem.mass, stepper.shape), now.state.m - before)
        now.integrals[3] += VACUUM_PERMEABILITY * now.applied * moved
    now.fresh = False
    now.scale = max(now.scale, _norm(problem, now.state))


def _row(stepper: Stepper, time: float, state: State, end: Stage | None, now: _Position) -> list[float]:
    """Return one line of the record. Collective."""
    problem, g = stepper.problem, stepper.problem.magnet
    a, b = g.potentials(state.M, state.m) if end is None else (end.a, end.b)
    lost = problem.dissipation(a, b) if end is None else end.dissipation
    work, balance = 0.0, 0.0
    if end is not None:
        work, heat = end.work, sum(lost.values())
        rate = VACUUM_PERMEABILITY * problem.product((a, b), end.slope)
        balance = (rate + heat - work) / (max(abs(rate), abs(heat), abs(work)) or 1.0)
    parts = [lost[k] for k in MECHANISMS]
    magnitude = problem.dot(np.abs(problem.weights), np.abs(state.M) + np.abs(state.m))
    energy = problem.free_energy(state)
    own, inside = 0.0, energy
    if now.applied:
        push = problem.times(problem.mass, now.applied * stepper.shape)
        own = g.susceptibility * now.applied * problem.dot(problem.weights, stepper.shape)
        square = g.susceptibility * now.applied * problem.dot(push, stepper.shape)
        inside += VACUUM_PERMEABILITY * (problem.dot(push, state.M + state.m) + square / 2)
    currents = []
    for name, condition in stepper.conditions.items():
        if isinstance(condition, Contact):
            part = problem.parts[name]
            inflow = 0.0 if end is None else end.inward[name] / part.measure
            current = 0.0 if end is None else stepper.at(time)[name]
            currents.append(condition.beta * current - inflow / MOMENT_PER_CHARGE)
    powers = [*parts, work, balance, now.applied, own, inside]
    return [time, *problem.totals(state), magnitude, energy, *powers, *currents, *now.integrals]


def _result(rows: Array, stepper: Stepper, states: list[State], final: State, rejected: int) -> Relaxation:
    column = iter(rows.T)
    contacts = [name for name, x in stepper.conditions.items() if isinstance(x, Contact)]
    times, total_M, total_m, magnitude, energy = (next(column) for _ in range(5))
    dissipation = {k: next(column) for k in MECHANISMS}
    work, balance, field, moment, inside = (next(column) for _ in range(5))
    currents = {name: next(column) for name in contacts}
    lost, heat, put_in, field_work = (next(column) for _ in range(4))
    return Relaxation(
        times=times,
        total_M=total_M,
        total_m=total_m,
        magnitude=magnitude,
        energy=energy,
        dissipation=dissipation,
        work=work,
        balance=balance,
        field=field,
        field_work=field_work,
        field_moment=moment,
        internal_energy=inside,
        spin_currents=currents,
        lost=lost,
        heat=heat,
        put_in=put_in,
        injected=dict(zip(stepper.conditions, column, strict=True)),
        states=states,
        final=final,
        rejected=rejected,
    )
