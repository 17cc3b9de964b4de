"""The stages of an implicit step, and the systems that are kept while the step stays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ..constants import VACUUM_PERMEABILITY
from ..drives import SampledDrive
from ..errors import InputError
from ..mpi import agree_on_errors
from ..quantities import is_finite
from ..stepping import SDIRK4, Kept
from .magnet import Array
from .problem import Conditions, Flux, LongitudinalProblem, ScalarSolver, State, amount

# Systems of so many lengths of steps are kept.
_KEPT = 6

type Slope = tuple[Array, Array]


@dataclass
class Tally:
    """Increments of the time integrals in a step."""

    injected: dict[str, float]
    lost: float = 0.0
    heat: float = 0.0
    put_in: float = 0.0


@dataclass
class Stage:
    """The end of a stage: values, slopes, potentials, and fluxes in (A/s times area) by part."""

    M: Array
    m: Array
    slope: Slope
    a: Array
    b: Array
    inward: dict[str, float]
    dissipation: dict[str, float]
    work: float


class Stepper:
    """Stages of one problem under given conditions.

    Parameters
    ----------
    held
        Names of the reservoirs.
    fixed
        Nodes of this rank at which b is imposed.
    """

    def __init__(
        self, problem: LongitudinalProblem, conditions: Conditions, held: list[str], fixed: NDArray[np.int32]
    ) -> None:
        self.problem, self.conditions, self.held, self.fixed = problem, conditions, held, fixed
        self._solvers = Kept(self._solver, _KEPT)

    def destroy(self) -> None:
        """Free the systems. Collective."""
        self._solvers.destroy()

    def _solver(self, h: float) -> ScalarSolver:
        c = self._matrix(h)
        alpha = self._determinant(h) / c[0, 0]
        beta = h * self.problem.magnet.stiffness
        return self.problem.solver(alpha, beta, self.fixed, "longitudinal")

    def _matrix(self, h: float) -> Array:
        return self.problem.magnet.storage + h * self.problem.magnet.relaxation

    def _determinant(self, h: float) -> float:
        """Return det(S + h R), without taking a difference of nearly equal numbers."""
        g = self.problem.magnet
        w_M, w_m, chi, L = g.w_M, g.w_m, g.susceptibility * g.chi_m, g.exchange
        linear = (chi * (w_M + w_m)) / (1 - g.xi) + L * g.susceptibility
        square = L * (w_M * g.susceptibility + w_m * g.chi_m) + w_M * w_m * chi
        return chi / (1 - g.xi) + h * linear + h * h * square

    def jumps(self, duration: float) -> list[float]:
        """Return when conditions that are functions of the time jump between 0 and the end (s). Collective."""
        varying = [name for name, x in self.conditions.items() if callable(amount(x))]

        def drive(name: str) -> SampledDrive:
            def many(times: Array) -> Array:
                looks = agree_on_errors(
                    self.problem.comm, lambda: np.array([[self._values(float(t))[name]] for t in times]), "conditions"
                )
                return looks[0]

            return SampledDrive(lambda t: many(np.array([t]))[0], 0.0, duration, many=many)

        return sorted({float(t) for name in varying for t in drive(name).jumps if 0 < t < duration})

    def at(self, time: float) -> dict[str, float]:
        """Return the values of all conditions at a time; those of the first rank. Collective."""
        if not any(callable(amount(c)) for c in self.conditions.values()):
            return self._values(time)
        return agree_on_errors(self.problem.comm, lambda: self._values(time), "conditions")[0]

    def _values(self, time: float) -> dict[str, float]:
        """Return the values that this rank finds; not collective."""
        out = {}
        for name, condition in self.conditions.items():
            value = amount(condition)
            value = value(time) if callable(value) else value
            if not is_finite(value):
                raise InputError(f"conditions['{name}']: {value!r} at {time:.6g} s; it must be a finite number")
            out[name] = float(cast(float, value))
        return out

    def _imposed(self, values: dict[str, float]) -> Array:
        """Return b at the nodes of the reservoirs."""
        b = np.zeros(self.problem.owned)
        for name, own in self.problem.reservoirs(self.held):
            b[own] = values[name] / self.problem.magnet.chi_m
        return np.asarray(b[self.fixed])

    def load(self, values: dict[str, float]) -> Array:
        """Return the injection of the given fluxes (owned,)."""
        out = np.zeros(self.problem.owned)
        for name, condition in self.conditions.items():
            if isinstance(condition, Flux):
                out -= values[name] * self.problem.parts[name].load
        return out

    def settle(self, state: State, time: float) -> tuple[State, dict[str, float], float]:
        """Let m jump to what a reservoir imposes; M cannot. Return the state, what came in, and the work."""
        problem, before = self.problem, state
        m = state.m.copy()
        xi, fixed = problem.magnet.xi, self.fixed
        m[fixed] = self._imposed(self.at(time)) * problem.magnet.chi_m - xi * state.M[fixed]
        after = State(state.M, m)
        came = problem.weights * (m - before.m)
        new = {name: problem.sum(came[own]) for name, own in self.problem.reservoirs(self.held)}
        return after, new, problem.free_energy(after) - problem.free_energy(before)

    def solve(self, base: Slope, h: float, values: dict[str, float], load: Array) -> tuple[Array, ...]:
        """Solve y - h f(y) = base; return M, m, a and b of y, and base of M as it is. Collective."""
        p, g = self.problem, self.problem.magnet
        c = self._matrix(h)
        right = p.times(p.mass, base[1] - c[1, 0] / c[0, 0] * base[0]) + h * load
        b = self._solvers.get(h).solve(right, self._imposed(values))
        a = (base[0] - c[0, 1] * b) / c[0, 0]
        s = g.storage
        # The rate, not the sum S (a, b): for a slow M that is a small difference of large numbers.
        rate_M = -(g.relaxation[0, 0] * a + g.relaxation[0, 1] * b)
        return base[0] + h * rate_M, s[1, 0] * a + s[1, 1] * b, a, b, rate_M

    def stage(self, base: Slope, h: float, time: float) -> Stage:
        """Solve one stage and say what flows. Collective."""
        p, g = self.problem, self.problem.magnet
        values = self.at(time)
        load = self.load(values)
        M, m, a, b, rate_M = self.solve(base, h, values, load)
        rate_m = np.asarray((m - base[1]) / h)
        inward = {
            k: -values[k] * p.parts[k].measure
            for k, condition in self.conditions.items()
            if isinstance(condition, Flux)
        }
        work = VACUUM_PERMEABILITY * p.dot(b, load)
        if self.held:
            # What a reservoir delivers is what its rows of the equations leave over.
            r = g.relaxation
            rest = p.times(p.mass, rate_m + r[1, 0] * a + r[1, 1] * b)
            rest += g.stiffness * p.times(p.stiffness, b) - load
            for name, own in self.problem.reservoirs(self.held):
                inward[name] = p.sum(rest[own])
                work += VACUUM_PERMEABILITY * p.sum(rest[own] * b[own])
        return Stage(M, m, (rate_M, rate_m), a, b, inward, p.dissipation(a, b), work)

    def step(self, state: State, time: float, h: float) -> tuple[Stage, Tally, float]:
        """Take one step; return its end, what it adds up to, and its error in the norm of the energy. Collective."""
        p, g = self.problem, self.problem.magnet
        stages: list[Stage] = []
        for at, weights in SDIRK4.stages(time, h):
            M, m = state.M.copy(), state.m.copy()
            for w, s in zip(weights, stages, strict=True):
                M += h * w * s.slope[0]
                m += h * w * s.slope[1]
            stages.append(self.stage((M, m), SDIRK4.gamma * h, at))
        tally = Tally(dict.fromkeys(self.conditions, 0.0))
        for w, s in zip(SDIRK4.weights, stages, strict=True):
            for name, value in s.inward.items():
                tally.injected[name] += float(h * w * value)
            lattice = g.w_M * g.susceptibility * s.a + g.w_m * g.chi_m * s.b
            tally.lost += float(h * w * p.dot(p.weights, lattice))
            tally.heat += float(h * w * sum(s.dissipation.values()))
            tally.put_in += float(h * w * s.work)
        M, m = (h * sum(e * s.slope[i] for e, s in zip(SDIRK4.error, stages, strict=True)) for i in (0, 1))
        m[self.fixed] = -g.xi * M[self.fixed]  # there m follows M
        M, m, *_ = self.solve((M, m), SDIRK4.gamma * h, dict.fromkeys(self.held, 0.0), np.zeros(p.owned))
        return stages[-1], tally, math.sqrt(max(p.free_energy(State(M, m)), 0.0))
