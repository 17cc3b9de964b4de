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
from .power import dissipation_of
from .system import Fields, System
from .terminals import Solved, Terminal, TerminalSolver

type Drive = Callable[[float], Mapping[str, Terminal]]
type _Row = tuple[float, dict[str, float], dict[str, float], float, float, float]

# The root of x^3 - 3x^2 + 3x/2 - 1/6 that makes the method L-stable.
_G = 0.43586652150845899942
_A = np.array(
    [
        [_G, 0, 0],
        [(1 - _G) / 2, _G, 0],
        [-(6 * _G**2 - 16 * _G + 1) / 4, (6 * _G**2 - 20 * _G + 5) / 4, _G],
    ]
)
_C = _A.sum(axis=1)
_B2 = (0.5 - _G) / (_C[1] - _C[0])
_ERROR = _A[2] - np.array([1 - _B2, _B2, 0.0])


@dataclass(frozen=True)
class Evolution:
    """A transient. Currents, powers and energies are per area on a line.

    Attributes
    ----------
    times
        The ends of the accepted steps, after the initial time 0 (s).
    voltages, currents
        Per contact, one value per time (V, A).
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
    """The stages of a step, and the solver that is kept while the step stays."""

    def __init__(self, system: System, drive: Drive, options: SolverOptions) -> None:
        self.system, self.drive, self.options = system, drive, options
        self.solver: TerminalSolver | None = None

    def destroy(self) -> None:
        if self.solver is not None:
            self.solver.destroy()
            self.solver = None

    def _ready(self, rate: float) -> TerminalSolver:
        if self.solver is None or not math.isclose(self.solver.rate, rate, rel_tol=1e-9):
            self.destroy()
            self.solver = TerminalSolver(self.system, self.options, "transient", rate=rate)
        return self.solver

    def settle(self, state: Fields, time: float, step: float) -> None:
        """Let stored fields that a contact imposes, such as its temperature, jump with the drive."""
        system = self.system
        potentials, _ = self._ready(1 / (_G * step)).imposed(self.drive(time + 1e-9 * step))
        for (contact, name), value in potentials.items():
            i = system.fields.index(name)
            if system.coefficients.storage[:, i].any():
                state[i].x.array[system.at_contact[i][contact]] = value

    def solve(self, state: Fields, time: float, step: float) -> tuple[Solved, list[list[fem.Function]]]:
        """Return the end of a step, and the slopes of all stages."""
        rate = 1 / (_G * step)
        solver = self._ready(rate)
        slopes: list[list[fem.Function]] = []
        storage = self.system.coefficients.storage_only()
        for c, row in zip(_C, _A, strict=True):
            # The stage w solves r(w) + C (w - base)/(g step) = 0.
            base = _combined(state, [(step * a, k) for a, k in zip(row, slopes, strict=False)])
            source = self.system.residual(base, coefficients=storage)
            for b in source:
                b.x.array[:] *= rate
            # Just inside the step: at its end the drive may jump.
            at = time + min(c, 1 - 1e-9) * step
            end = solver.solve(self.drive(at), source)
            slopes.append(_combined(end.fields, [(-1.0, base)]))
            for k in slopes[-1]:
                k.x.array[:] *= rate
        return end, slopes


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
        With storage terms in at least one region.
    drive
        Voltages and currents of all contacts at a time (s).
    duration
        How long (s).
    initial
        Default: all potentials zero.
    first_step
        Default: a thousandth of the duration (s).
    max_step
        Default: a fiftieth of the duration (s).
    tolerance
        Of one step, relative to the largest stored energy's norm so far.
    breakpoints
        Times at which the drive jumps (s): steps end there and start small again. A pulse that is not
        announced may fall between two steps.
    options
        How linear systems are solved.
    each
        Called after every accepted step with time and fields.

    Raises
    ------
    InputError
        If a region stores nothing, or a time or the tolerance is out of range.
    SolverError
        If a solve does not converge or the step shrinks to nothing.
    """
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
    stops = sorted({t for t in breakpoints if 0 < t < duration} | {duration})
    state = [f.copy() for f in initial] if initial is not None else system.functions()
    time, step, scale, rejected, blocked, fresh = 0.0, start, 0.0, 0, False, True
    rows: list[_Row] = []
    stage = _Stages(system, drive, options or SolverOptions())
    try:
        while stops:
            # A jump of the drive at the end of a step belongs to the next one.
            step = min(step, longest, stops[0] - time)
            if fresh:
                stage.settle(state, time, step)
                fresh = False
            try:
                end, slopes = stage.solve(state, time, step)
            except SolverError:
                ratio = math.inf
            else:
                w = end.fields
                size = math.sqrt(max(system.stored(w), 0.0))
                terms = [(step * e, k) for e, k in zip(_ERROR, slopes, strict=True)]
                error = math.sqrt(max(system.stored(_combined(system.functions(), terms)), 0.0))
                scale = max(scale, size)
                ratio = error / (tolerance * scale) if scale else 0.0
            if ratio > 1:
                step, rejected, blocked = step / 2, rejected + 1, True
                if step < 1e-14 * duration:
                    raise SolverError(
                        f"transient: the step fell below {step:.1e} s at {time:.3e} s; try a larger tolerance"
                    )
                continue
            time, state = time + step, w
            power = dissipation_of(system, w).total
            stored_rate = system.stored(w, slopes[-1])
            put_in = end.power
            largest = max(abs(power), abs(stored_rate), abs(put_in)) or 1.0
            balance = (power + stored_rate - put_in) / largest
            if not abs(balance) < 1e-6:
                raise SolverError(
                    f"transient: at {time:.3e} s the dissipated and stored power differ from the power put in by "
                    f"{balance:.1g} of the largest; try the solver kind 'direct', or a smaller rtol"
                )
            rows.append((time, end.voltages, end.currents, power, size**2 / 2, balance))
            if each is not None:
                each(time, state)
            if time >= stops[0] * (1 - 1e-12):
                time, step, blocked, fresh = stops.pop(0), start, False, True
                continue
            # Doubling only, and not right after a rejection: a new step costs a new preconditioner.
            if ratio < 1 / 16 and not blocked and step < longest:
                step *= 2
            blocked = False
    finally:
        stage.destroy()
    names = tuple(system.declaration.contacts)
    return Evolution(
        times=np.array([r[0] for r in rows]),
        voltages={k: np.array([r[1][k] for r in rows]) for k in names},
        currents={k: np.array([r[2][k] for r in rows]) for k in names},
        dissipated=np.array([r[3] for r in rows]),
        stored=np.array([r[4] for r in rows]),
        balance=np.array([r[5] for r in rows]),
        fields=state,
        rejected=rejected,
    )
