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
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from ..errors import InputError, SolverError
from ..solvers import SolverOptions
from .power import dissipation, moments
from .system import Fields, System
from .terminals import Terminal, TerminalSolver

type Drive = Callable[[float], Mapping[str, Terminal]]

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
        (P + phi^T C dphi/dt)/(sum V I) - 1 at each time; 0 where nothing is put in.
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


def _combined(base: Fields, terms: list[tuple[float, Fields]]) -> list[fem.Function]:
    out = [f.copy() for f in base]
    for weight, fields in terms:
        for f, g in zip(out, fields, strict=True):
            f.x.array[:] += weight * g.x.array
    return out


def evolve(
    system: System,
    drive: Drive,
    duration: float,
    *,
    initial: Fields | None = None,
    first_step: float | None = None,
    tolerance: float = 1e-4,
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
    tolerance
        Of one step, relative to the largest stored energy's norm so far.
    options
        How linear systems are solved.
    each
        Called after every accepted step with time and fields.

    Raises
    ------
    InputError
        If nothing stores energy, or a time is not positive.
    SolverError
        If a solve does not converge or the step shrinks to nothing.
    """
    if not any(np.any(c) for c in system.coefficients.storage):
        raise InputError("nothing in the device stores energy: give the materials a density_of_states")
    step = duration / 1000 if first_step is None else first_step
    if not (0 < step <= duration < math.inf):
        raise InputError(f"duration is {duration!r} and the first step {step!r}; need 0 < step <= duration")
    state = [f.copy() for f in initial] if initial is not None else system.functions()
    time, scale, rejected, blocked = 0.0, 0.0, 0, False
    rows: list[tuple[float, dict[str, float], dict[str, float], float, float, float]] = []
    solver: TerminalSolver | None = None
    while time < duration * (1 - 1e-12):
        step = min(step, duration - time)
        rate = 1 / (_G * step)
        if solver is None or not math.isclose(solver.rate, rate, rel_tol=1e-9):
            if solver is not None:
                solver.destroy()
            solver = TerminalSolver(system, options or SolverOptions(), "transient", rate=rate)
        slopes: list[list[fem.Function]] = []
        for c, row in zip(_C, _A, strict=True):
            # The stage w solves r(w) + C (w - base)/(g step) = 0.
            base = _combined(state, [(step * a, k) for a, k in zip(row, slopes, strict=False)])
            storage = system.coefficients.storage_only()
            source = system.residual(base, coefficients=storage)
            for b in source:
                b.x.array[:] *= rate
            w, volts, amps = solver.solve(drive(time + c * step), source)
            slopes.append(_combined(w, [(-1.0, base)]))
            for k in slopes[-1]:
                k.x.array[:] *= rate
        size = math.sqrt(max(system.stored(w), 0.0))
        error_field = _combined(system.functions(), [(step * e, k) for e, k in zip(_ERROR, slopes, strict=True)])
        error = math.sqrt(max(system.stored(error_field), 0.0))
        scale = max(scale, size)
        ratio = error / (tolerance * scale) if scale else 0.0
        if ratio > 1:
            step, rejected, blocked = step / 2, rejected + 1, True
            if step < 1e-14 * duration:
                raise SolverError(
                    f"transient: the step fell below {step:.1e} s at {time:.3e} s; try a larger tolerance"
                )
            continue
        time += step
        state = w
        power = dissipation(system.declaration, moments(system, w)).total
        put_in = sum(volts[k] * amps[k] for k in volts)
        balance = (power + system.stored(w, slopes[-1])) / put_in - 1 if put_in else 0.0
        rows.append((time, volts, amps, power, size**2 / 2, balance))
        if each is not None:
            each(time, state)
        # Doubling only, and not right after a rejection: a new step costs a new preconditioner.
        if ratio < 1 / 16 and not blocked:
            step *= 2
        blocked = False
    if solver is not None:
        solver.destroy()
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
