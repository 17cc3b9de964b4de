"""Transients: the same declaration in time, by an implicit method that adapts its step.

Alexander's singly diagonal method of order 3 (three stages, L-stable, stiffly
accurate) with an embedded solution of order 2. The unknowns that nothing stores, such
as the charge potential, follow at once. The error is measured in the norm of the
stored energy. Every stage solves one linear system with the same matrix, which is
kept as long as the step stays. At the end of each step the equations hold to
solver tolerance, so the balance

    sum V I = P + phi^T C dphi/dt

is exact there, whatever the step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from ..errors import InputError, SolverError
from ..quantities import is_finite
from ..solvers import SolverOptions
from ..stepping import SDIRK3, Course, Doubling, Kept, StepControl, stops_between
from .power import dissipation_of
from .system import Fields, System
from .terminals import Solved, Terminal, TerminalSolver

type Drive = Callable[[float], Mapping[str, Terminal]]
type _Row = tuple[float, dict[str, float], dict[str, float], float, float, float]


@dataclass(frozen=True)
class Evolution:
    """A transient. Currents, powers and energies are per area on a line.

    Attributes
    ----------
    times
        The ends of the accepted steps, after the initial time 0 (s).
    voltages, currents
        Values per contact, one per time (V, A).
    dissipated
        Power (W).
    stored
        Energy phi^T C phi/2 (J).
    balance
        (P + phi^T C dphi/dt - sum V I) at each time, over the largest of the three.
    fields
        The final state.
    rejected
        Number of steps that were tried with too large a step.
    """

    times: NDArray[np.float64]
    voltages: Mapping[str, NDArray[np.float64]]
    currents: Mapping[str, NDArray[np.float64]]
    dissipated: NDArray[np.float64]
    stored: NDArray[np.float64]
    balance: NDArray[np.float64]
    fields: list[fem.Function]
    rejected: int

    def __repr__(self) -> str:
        end = f"{len(self.times)} steps to {self.times[-1]:.6g} s, {self.rejected} rejected"
        return f"<Evolution: {end}, balance {np.abs(self.balance).max():.1e}>"


def _combined(base: Fields, terms: Sequence[tuple[float, Fields]]) -> list[fem.Function]:
    out = [f.copy() for f in base]
    for weight, fields in terms:
        for f, g in zip(out, fields, strict=True):
            f.x.array[:] += weight * g.x.array
    return out


class _Stages:
    """Stages of a step, and the solver that is kept while the step stays."""

    def __init__(self, system: System, drive: Drive, options: SolverOptions) -> None:
        self.system, self.drive = system, drive

        def solver(rate: float) -> TerminalSolver:
            return TerminalSolver(system, options, "transient", rate=rate)

        # One preconditioner or factor at a time: on a large mesh it is most of the memory.
        self._solvers = Kept(solver, 1, same=lambda known, rate: math.isclose(known, rate, rel_tol=1e-9))

    def destroy(self) -> None:
        self._solvers.destroy()

    def settle(self, state: Fields, time: float, step: float) -> None:
        """Let stored fields that a contact imposes, such as its temperature, jump with the drive."""
        system = self.system
        potentials, _ = self._solvers.get(1 / (SDIRK3.gamma * step)).imposed(self.drive(time + 1e-9 * step))
        for (contact, name), value in potentials.items():
            i = system.fields.index(name)
            if system.coefficients.storage[:, i].any():
                state[i].x.array[system.at_contact[i][contact]] = value

    def solve(self, state: Fields, time: float, step: float) -> tuple[Solved, list[list[fem.Function]]]:
        """Return the end of a step, and the slopes of all stages."""
        rate = 1 / (SDIRK3.gamma * step)
        solver = self._solvers.get(rate)
        slopes: list[list[fem.Function]] = []
        storage = self.system.coefficients.storage_only()
        for at, weights in SDIRK3.stages(time, step):
            # The stage w solves r(w) + C (w - base)/(g step) = 0.
            base = _combined(state, [(step * a, k) for a, k in zip(weights, slopes, strict=True)])
            source = self.system.residual(base, coefficients=storage)
            for b in source:
                b.x.array[:] *= rate
            end = solver.solve(self.drive(at), source)
            slopes.append(_combined(end.fields, [(-1.0, base)]))
            for k in slopes[-1]:
                k.x.array[:] *= rate
        return end, slopes


# A new step costs a new preconditioner: steps are doubled where the error is a sixteenth of the tolerance.
_RULE = Doubling(below=1 / 16)


def evolve(
    system: System,
    drive: Drive,
    duration: float,
    *,
    initial: Fields | None = None,
    first_step: float | None = None,
    max_step: float | None = None,
    tolerance: float = 1e-4,
    breakpoints: Sequence[float] = (),
    options: SolverOptions | None = None,
    each: Callable[[float, Fields], None] | None = None,
) -> Evolution:
    """Integrate a system in time. Collective.

    Parameters
    ----------
    system
        System with storage terms in every region.
    drive
        Voltages and currents of all contacts at a time (s).
    duration
        Length of the transient (s).
    initial
        Default: all potentials zero.
    first_step
        Default: a thousandth of the duration (s).
    max_step
        Default: a fiftieth of the duration (s).
    tolerance
        Largest error of one step, relative to the largest stored energy's norm so far.
    breakpoints
        Times at which the drive jumps (s): steps end there and start small again. A pulse that is not
        announced may fall between two steps.
    options
        Solver of the linear systems.
    each
        Called after every accepted step with time and fields.

    Raises
    ------
    InputError
        If a region stores nothing, or a time or the tolerance is out of range.
    SolverError
        If a solve does not converge or the step shrinks to nothing.
    """
    start, longest = _checked(system, duration, first_step, max_step, tolerance)
    state = [f.copy() for f in initial] if initial is not None else system.functions()
    scale, fresh, rows = 0.0, True, list[_Row]()
    control = StepControl(
        _RULE,
        Course(step=start),
        stops_between(0.0, duration, breakpoints),
        owner="transient",
        advice="try a larger tolerance",
        smallest=min(1e-14 * duration, start),
        longest=longest,
    )
    stages = _Stages(system, drive, options or SolverOptions())
    try:
        while control.runs:
            step, time = control.next(), control.course.time
            # A jump of the drive at the end of a step belongs to the next one.
            if fresh:
                stages.settle(state, time, step)
                fresh = False
            try:
                end, slopes = stages.solve(state, time, step)
            except SolverError as failure:
                control.shorten(step / 2, failure)
                continue
            w = end.fields
            size = math.sqrt(max(system.stored(w), 0.0))
            terms = [(step * e, k) for e, k in zip(SDIRK3.error, slopes, strict=True)]
            error = math.sqrt(max(system.stored(_combined(system.functions(), terms)), 0.0))
            scale = max(scale, size)
            if not control.accepts(step, error / (tolerance * scale) if scale else 0.0):
                continue
            time, state = control.course.time, w
            rows.append(_row(system, time, end, slopes[-1]))
            if each is not None:
                each(time, state)
            if control.stopped is not None:
                control.restart(start)
                fresh = True
    finally:
        stages.destroy()
    names = tuple(system.declaration.contacts)
    return Evolution(
        times=np.array([r[0] for r in rows]),
        voltages={k: np.array([r[1][k] for r in rows]) for k in names},
        currents={k: np.array([r[2][k] for r in rows]) for k in names},
        dissipated=np.array([r[3] for r in rows]),
        stored=np.array([r[4] for r in rows]),
        balance=np.array([r[5] for r in rows]),
        fields=state,
        rejected=control.course.rejected,
    )


def _checked(
    system: System, duration: float, first_step: float | None, max_step: float | None, tolerance: float
) -> tuple[float, float]:
    """Return the first and the longest step (s)."""
    for region, c in zip(system.domain.regions, system.coefficients.storage, strict=True):
        if not c.any():
            raise InputError(
                f"layer '{region}' stores no spins: give its material a density_of_states, or with heat a heat_capacity"
            )
    for key, value in {"duration": duration, "first_step": first_step, "max_step": max_step}.items():
        if value is not None and not is_finite(value):
            raise InputError(f"{key} is {value!r}; it must be a finite number")
    start = duration / 1000 if first_step is None else first_step
    if not (0 < start <= duration < math.inf):
        raise InputError(f"duration is {duration!r} and the first step {start!r}; need 0 < step <= duration")
    longest = duration / 50 if max_step is None else max_step
    if not 0 < longest < math.inf:
        raise InputError(f"max_step is {max_step!r}; it must be positive")
    if not 0 < tolerance < 1:
        raise InputError(f"tolerance is {tolerance!r}; it must lie between 0 and 1")
    return start, longest


def _row(system: System, time: float, end: Solved, slopes: Fields) -> _Row:
    """Return one line of the record; refuse a step that does not conserve energy. Collective."""
    power = dissipation_of(system, end.fields).total
    stored_rate = system.stored(end.fields, slopes)
    largest = max(abs(power), abs(stored_rate), abs(end.power)) or 1.0
    balance = (power + stored_rate - end.power) / largest
    if not abs(balance) < 1e-6:
        raise SolverError(
            f"transient: at {time:.3e} s the dissipated and stored power differ from the power put in by "
            f"{balance:.1g} of the largest; try the solver kind 'direct', or a smaller rtol"
        )
    stored = max(system.stored(end.fields), 0.0) / 2
    return time, end.voltages, end.currents, power, stored, balance
