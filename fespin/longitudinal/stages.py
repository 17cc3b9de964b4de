"""The stages of an implicit step, and the systems that are kept while the step stays.

M - M0 and m are integrated, whose rates know no change of the field; the deviation M - M0 - chi_M H is formed where it
is needed. So a field that varies costs nothing, and its time derivative is not asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..constants import VACUUM_PERMEABILITY
from ..drives import SampledDrive
from ..mpi import agree_on_errors
from ..stepping import SDIRK4, Kept
from .drives import Amount, AppliedField, Conditions, Contact, Flux, amount, evaluated
from .magnet import Array
from .problem import LongitudinalProblem, ScalarSolver, State

# Systems of so many lengths of steps are kept.
_KEPT = 6

type Slope = tuple[Array, Array]
type Values = dict[str | None, float]
"""Amounts of the conditions by part, and of the applied field under None."""


@dataclass
class Tally:
    """Increments of the time integrals in a step."""

    injected: dict[str, float]
    lost: float = 0.0
    heat: float = 0.0
    put_in: float = 0.0
    field_work: float = 0.0


@dataclass
class Stage:
    """The end of a stage: deviations, rates of M - M0 and m, potentials, fluxes in (A/s times area) by part, H."""

    M: Array
    m: Array
    slope: Slope
    a: Array
    b: Array
    inward: dict[str, float]
    dissipation: dict[str, float]
    work: float
    field: float


class Stepper:
    """Stages of one problem under given conditions.

    Parameters
    ----------
    held
        Names of the reservoirs.
    fixed
        Nodes of this rank at which b is imposed.
    field
        Applied field; None: there is none, or it does not change.

    Attributes
    ----------
    shape
        The field's factor in space at the owned nodes.
    """

    def __init__(
        self,
        problem: LongitudinalProblem,
        conditions: Conditions,
        held: list[str],
        fixed: NDArray[np.int32],
        field: AppliedField | None = None,
    ) -> None:
        self.problem, self.conditions, self.held, self.fixed = problem, conditions, held, fixed
        self.shape = problem.nodal("field", 0.0 if field is None else field.shape)
        self._amounts: dict[str | None, Amount] = {name: amount(x) for name, x in conditions.items()}
        if field is not None:
            self._amounts[None] = field.amplitude
        self._drains = {name: x.drain().real for name, x in conditions.items() if isinstance(x, Contact)}
        self._solvers = Kept(self._solver, _KEPT)

    def destroy(self) -> None:
        """Free the systems. Collective."""
        self._solvers.destroy()

    def _solver(self, h: float) -> ScalarSolver:
        c = self._matrix(h)
        alpha = self._determinant(h) / c[0, 0]
        beta = h * self.problem.magnet.stiffness
        drains = {name: h * y for name, y in self._drains.items()}
        return self.problem.solver(alpha, beta, self.fixed, "longitudinal", drains=drains)

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
        varying = [name for name, x in self._amounts.items() if callable(x)]

        def drive(name: str | None) -> SampledDrive:
            def many(times: Array) -> Array:
                looks = agree_on_errors(
                    self.problem.comm, lambda: np.array([[self._values(float(t))[name]] for t in times]), "conditions"
                )
                return looks[0]

            return SampledDrive(lambda t: many(np.array([t]))[0], 0.0, duration, many=many)

        return sorted({float(t) for name in varying for t in drive(name).jumps if 0 < t < duration})

    def at(self, time: float) -> Values:
        """Return the values of all conditions and the field at a time; those of the first rank. Collective."""
        if not any(callable(x) for x in self._amounts.values()):
            return self._values(time)
        return agree_on_errors(self.problem.comm, lambda: self._values(time), "conditions")[0]

    def _values(self, time: float) -> Values:
        """Return the values that this rank finds; not collective."""
        owners = {name: "field" if name is None else f"conditions['{name}']" for name in self._amounts}
        return {name: evaluated(owners[name], value, time) for name, value in self._amounts.items()}

    def _imposed(self, values: Values) -> Array:
        """Return b at the nodes of the reservoirs."""
        b = np.zeros(self.problem.owned)
        for name, own in self.problem.reservoirs(self.held):
            b[own] = values[name] / self.problem.magnet.chi_m
        return np.asarray(b[self.fixed])

    def load(self, values: Values) -> Array:
        """Return the injection of the given fluxes and currents (owned,)."""
        out = np.zeros(self.problem.owned)
        for name, condition in self.conditions.items():
            if isinstance(condition, Flux):
                out -= values[name] * self.problem.parts[name].load
            elif isinstance(condition, Contact):
                out += condition.injection().real * values[name] * self.problem.parts[name].load
        return out

    def drained(self, b: Array) -> dict[str, Array]:
        """Return what flows out into each metal for potentials b (owned,). Collective."""
        return {name: y * self.problem.times(self.problem.boundary_mass(name), b) for name, y in self._drains.items()}

    def settle(self, state: State, time: float, field: float) -> tuple[State, dict[str, float], float, float]:
        """Take a state to the field at a time and let m jump to what reservoirs impose; M cannot. Collective.

        Parameters
        ----------
        field
            Amplitude of the field that the state deviates in (A/m).

        Returns
        -------
        tuple
            The state, what came in, the work of the reservoirs, and the new amplitude.
        """
        problem, g, fixed, values = self.problem, self.problem.magnet, self.fixed, self.at(time)
        now = values.get(None, 0.0)
        before = State(state.M - g.susceptibility * (now - field) * self.shape, state.m)
        m = state.m.copy()
        m[fixed] = self._imposed(values) * g.chi_m - g.xi * before.M[fixed]
        after = State(before.M, m)
        came = problem.weights * (m - state.m)
        new = {name: problem.sum(came[own]) for name, own in self.problem.reservoirs(self.held)}
        return after, new, problem.free_energy(after) - problem.free_energy(before), now

    def solve(self, base: Slope, h: float, imposed: Array, load: Array) -> tuple[Array, ...]:
        """Solve y - h f(y) = base for deviations y; return M, m, a and b of y, and the rate of M. Collective."""
        p, g = self.problem, self.problem.magnet
        c = self._matrix(h)
        right = p.times(p.mass, base[1] - c[1, 0] / c[0, 0] * base[0]) + h * load
        b = self._solvers.get(h).solve(right, imposed)
        a = (base[0] - c[0, 1] * b) / c[0, 0]
        s = g.storage
        # The rate, not the sum S (a, b): for a slow M that is a small difference of large numbers.
        rate_M = -(g.relaxation[0, 0] * a + g.relaxation[0, 1] * b)
        return base[0] + h * rate_M, s[1, 0] * a + s[1, 1] * b, a, b, rate_M

    def stage(self, base: Slope, h: float, time: float) -> Stage:
        """Solve one stage from M - M0 and m, and say what flows. Collective."""
        p, g = self.problem, self.problem.magnet
        values = self.at(time)
        load, field = self.load(values), values.get(None, 0.0)
        deviation = base[0] - g.susceptibility * field * self.shape
        M, m, a, b, rate_M = self.solve((deviation, base[1]), h, self._imposed(values), load)
        rate_m = np.asarray((m - base[1]) / h)
        inward = {
            k: -values[k] * p.parts[k].measure
            for k, condition in self.conditions.items()
            if isinstance(condition, Flux)
        }
        drained = self.drained(b)
        for name, out in drained.items():
            condition = self.conditions[name]
            assert isinstance(condition, Contact)
            inward[name] = condition.injection().real * values[name] * p.parts[name].measure - p.sum(out)
        load = load - sum(drained.values(), np.zeros_like(load))
        work = VACUUM_PERMEABILITY * p.dot(b, load)
        if self.held:
            # What a reservoir delivers is what its rows of the equations leave over.
            r = g.relaxation
            rest = p.times(p.mass, rate_m + r[1, 0] * a + r[1, 1] * b)
            rest += g.stiffness * p.times(p.stiffness, b) - load
            for name, own in self.problem.reservoirs(self.held):
                inward[name] = p.sum(rest[own])
                work += VACUUM_PERMEABILITY * p.sum(rest[own] * b[own])
        return Stage(M, m, (rate_M, rate_m), a, b, inward, p.dissipation(a, b), work, field)

    def field_power(self, s: Stage) -> float:
        """Return mu0 int H d(M + m)/dt (W), what the field does. Collective."""
        if not s.field:
            return 0.0
        p = self.problem
        return VACUUM_PERMEABILITY * s.field * p.dot(p.times(p.mass, self.shape), s.slope[0] + s.slope[1])

    def step(self, state: State, time: float, h: float, field: float) -> tuple[Stage, Tally, float]:
        """Take one step; return its end, what it adds up to, and its error in the norm of the energy. Collective.

        Parameters
        ----------
        field
            Amplitude of the field that the state deviates in (A/m).
        """
        p, g = self.problem, self.problem.magnet
        stages: list[Stage] = []
        start = state.M + g.susceptibility * field * self.shape
        for at, weights in SDIRK4.stages(time, h):
            M, m = start.copy(), state.m.copy()
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
            tally.field_work += float(h * w * self.field_power(s))
        M, m = (h * sum(e * s.slope[i] for e, s in zip(SDIRK4.error, stages, strict=True)) for i in (0, 1))
        m[self.fixed] = -g.xi * M[self.fixed]  # there m follows M
        M, m, *_ = self.solve((M, m), SDIRK4.gamma * h, np.zeros(len(self.fixed)), np.zeros(p.owned))
        return stages[-1], tally, math.sqrt(max(p.free_energy(State(M, m)), 0.0))
