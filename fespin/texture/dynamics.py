"""Gilbert's equation of a magnetization that varies in space, with currents that drive it and that it drives."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from dolfinx import mesh as dmesh
from mpi4py import MPI

from ..checkpoint import StateFile
from ..cross_products import cross
from ..energy.collection import require_no_shape
from ..energy.dipolar import DipolarField
from ..energy.terms import Dipolar
from ..errors import InputError, SolverError
from ..grid import Array, Grid, Start
from ..petsc import Options
from ..quantities import is_finite
from ..stepping import Course, Proportional, StepControl, stops_between
from .circuit import Flow, OhmicCircuit, require_positive_entropy
from .driving import Drives
from .irreversible import IrreversibleProblem, IrreversibleState
from .magnet import TexturedMagnet
from .midpoint import Midpoint, RateOf, Torques
from .moving import MovingCarriers
from .walls import require_resolved

# The error is that of a prediction from the steps before, of order 3 in the step. Small changes of the step are not
# worth a new factor.
_RULE = Proportional(
    3,
    least=0.3,
    most=2.0,
    safety_after_failure=0.85,
    accepted=1.5,
    smallest_ratio=1e-9,
    keeps=(0.9, 1.25),
    stretch=1.001,
    halves=True,
)


@dataclass(frozen=True)
class Step:
    """A step in time, its energies and the current. Integrals over a line are per area, over a plane per depth.

    Attributes
    ----------
    time, size
        End and length of the step (s).
    directions
        m at its end, at this rank's own nodes (owned, 3).
    middle, rate
        m in its middle and dm/dt (1/s), the same for all of the step (owned, 3).
    energy, energy_change
        Energy of all terms and the dipolar field at its end, and how much it grew (J).
    damped
        Energy that Gilbert's damping took (J).
    field_work
        Done by the applied field (J).
    adiabatic_work, nonadiabatic_work
        Done by the two torques of the current (J).
    flow
        The current in its middle, if it comes from an :class:`OhmicCircuit`.
    carriers
        Currents, potentials and temperatures in its middle, if they come from an :class:`IrreversibleProblem`. All
        torques of the carriers then count as adiabatic.

    Examples
    --------
    >>> from fespin.texture import Dynamics, wall
    >>> motion = Dynamics(wire, permalloy, wall(permalloy, 100e-9), field=(2e-3, 0, 0))
    >>> step = next(motion.steps(1e-11, step=1e-11))
    >>> bool(abs(step.energy_error) < 1e-9 * step.damped)
    True
    """

    time: float
    size: float
    directions: Array = field(repr=False)
    middle: Array = field(repr=False)
    rate: Array = field(repr=False)
    energy: float
    energy_change: float
    damped: float
    field_work: float
    adiabatic_work: float
    nonadiabatic_work: float
    flow: Flow | None = field(repr=False, default=None)
    carriers: IrreversibleState | None = field(repr=False, default=None)

    @property
    def energy_error(self) -> float:
        """Return what is missing in dE = -dissipation + work of field + work of current (J): rounding."""
        return self.energy_change + self.damped - self.field_work - self.adiabatic_work - self.nonadiabatic_work

    @property
    def dissipation(self) -> dict[str, float]:
        """Return the energy lost in the step (J): "joule", "damping", "beta"; their sum is never negative.

        It is the integral of J^2/sigma + (alpha Ms/gamma)|dm/dt|^2 - (beta hbar P/e) J_i dm/dt.d_i m; without a
        :class:`OhmicCircuit` the first is left out. With an :class:`IrreversibleProblem` it is "damping" and the
        mechanisms of the carriers, of which those that couple two forces take either sign.
        """
        if self.carriers is not None:
            return {"damping": self.damped} | {k: v * self.size for k, v in self.carriers.dissipation.items()}
        joule = 0.0 if self.flow is None else self.flow.joule * self.size
        return {"joule": joule, "damping": self.damped, "beta": -2 * self.nonadiabatic_work}

    @property
    def supplied(self) -> float:
        """Return what leads and field put in, less what the magnet stores (J): equal to the dissipation's sum."""
        if self.carriers is not None:
            leads = (self.carriers.supplied - self.carriers.stored) * self.size
            return leads + self.field_work - self.energy_change
        leads = 0.0 if self.flow is None else self.flow.supplied * self.size
        return leads + self.field_work - self.energy_change


@dataclass(frozen=True)
class History:
    """Record of a trajectory.

    Attributes
    ----------
    times
        Ends of the steps (n,), in s.
    middles
        Middles of the steps (n,), to which voltages belong.
    seen
        ``{name: values}`` of the observers (n, ...).
    last
        The last step.

    Examples
    --------
    >>> from fespin.texture import Dynamics, wall
    >>> motion = Dynamics(wire, permalloy, wall(permalloy, 100e-9), field=(2e-3, 0, 0))
    >>> history = motion.run(0.2e-9, {"energy": lambda step: step.energy}, tolerance=1e-3)
    >>> print(f"{history.times[-1]:.1e}")
    2.0e-10
    >>> history.seen["energy"].shape == history.times.shape
    True
    """

    times: Array
    middles: Array
    seen: dict[str, Array] = field(repr=False)
    last: Step = field(repr=False)


class Dynamics:
    """Gilbert's equation on a mesh, by the implicit midpoint rule with lumped mass.

    Lengths at the nodes stay one to rounding, and so does the balance of energy, whatever the step; the error of the
    motion is of second order in step and mesh size. Without further conditions the normal derivative of m is zero
    at the surface. The object keeps the state: going on is calling :meth:`steps` again.

    The constructor is collective, and so is every method.

    Parameters
    ----------
    grid
        Grid, or a DOLFINx mesh of intervals, triangles or tetrahedra.
    magnet
        Magnet that it consists of.
    start
        m at t = 0: a function of positions (n, 3) with values (n, 3), a vector, or an array (owned, 3).
    field
        Applied B (T): a vector, an array (owned, 3), or a function of the time (s) that returns one.
    current
        J (A/m2): a number on a line, a vector, an array (cells, 3), or a function of the time that returns one; or a
        :class:`OhmicCircuit`, whose current feels what the motion pumps; or an :class:`IrreversibleProblem`, whose
        fluxes are then all that moves m beside the field. Damping and gamma of its magnet must be those of `magnet`, as
        its method `of` makes them; polarization and nonadiabaticity of `magnet` play no part.
    pinned
        A function of positions (3, n) that says which nodes stay as they are.
    options
        PETSc options without prefix.
    dipolar
        True if the magnet feels its own dipolar field, in bodies of tetrahedra only, as it does with a
        :class:`fespin.Dipolar` among its terms; or a :class:`DipolarField` of the same grid, which motions may share.

    Attributes
    ----------
    time
        s.
    directions
        m at this rank's own nodes (owned, 3).

    Raises
    ------
    InputError
        If something given does not fit, or cells are wider than 0.6 of a wall's width across it, the wall being held by
        anisotropy alone.
    ModelError
        If m is so steep that the entropy production need not be positive.

    Examples
    --------
    >>> from fespin.texture import Dynamics, Grid, WallWatch, wall
    >>> grid = Grid(wire)
    >>> watch = WallWatch(grid, permalloy)
    >>> motion = Dynamics(grid, permalloy, wall(permalloy, 100e-9), field=(2e-3, 0, 0))
    >>> history = motion.run(0.5e-9, {"position": lambda step: watch.position(step.directions)}, tolerance=1e-3)
    >>> print(f"{history.seen['position'][-1]:.2e}")
    1.24e-07
    """

    def __init__(
        self,
        grid: Grid | dmesh.Mesh,
        magnet: TexturedMagnet,
        start: Start | Sequence[float],
        *,
        field: Any = None,
        current: Any = None,
        pinned: Callable[[Array], Any] | None = None,
        options: Options | None = None,
        dipolar: bool | DipolarField = False,
    ) -> None:
        self.transport = current if isinstance(current, OhmicCircuit) else None
        carried = current if isinstance(current, IrreversibleProblem) else None
        if carried is not None:
            if grid not in (carried.grid, carried.grid.mesh):
                raise InputError("texture: current comes from an IrreversibleProblem of another mesh; give the same")
            grid = carried.grid
        if self.transport is not None:
            if self.transport.magnet != magnet or grid not in (self.transport.grid, self.transport.grid.mesh):
                raise InputError("texture: current comes from an OhmicCircuit of another magnet or mesh; give the same")
            grid = self.transport.grid
        self.grid = grid if isinstance(grid, Grid) else Grid(grid)
        self.magnet, self.time = magnet, 0.0
        self.directions = self.grid.directions(start)  # type: ignore[arg-type]
        self._field = field
        self._current = None if self.transport is not None or carried is not None else current
        self.carriers = None if carried is None else MovingCarriers(carried, magnet)
        self._applied(0.0)
        self._given_current(0.0)
        self._require_positive(self.directions, " at the start")
        if dipolar is False and not any(isinstance(term, Dipolar) for term in magnet.terms):
            require_resolved(self.grid, magnet, self.directions)
        fixed = np.zeros(self.grid.owned, dtype=bool)
        if pinned is not None:
            fixed = self.grid.marked(pinned, "pinned")
            if not self.grid.comm.allreduce(bool(fixed.any()), MPI.LOR):
                raise InputError("texture: pinned holds no node; check its function of positions")
        self._fixed = fixed
        if not isinstance(dipolar, bool | DipolarField):
            raise InputError(f"texture: dipolar is {dipolar!r}; it must be True, False or a DipolarField")
        declared = next((term for term in magnet.terms if isinstance(term, Dipolar)), None)
        self._own_dipolar = dipolar is True or (declared is not None and dipolar is False)
        require_no_shape("texture", magnet.terms, dipolar=dipolar is not False)
        declared = declared or Dipolar()
        self.dipolar = dipolar if isinstance(dipolar, DipolarField) else None
        if self._own_dipolar:
            self.dipolar = DipolarField(self.grid, magnet, method=declared.method, memory=declared.memory)
        if self.dipolar is not None and not self.dipolar.serves(self.grid, magnet):
            raise InputError("texture: dipolar is a DipolarField of another grid or magnetization; give the same")
        self._rule = Midpoint(self.grid, magnet, fixed, options, self.dipolar, other_law=self.carriers is not None)
        self.energy = self._rule.energy(self.directions)
        self._rates: list[tuple[float, Array]] = []  # of the last steps, with their sizes
        # Begin and end of the controlled steps that are on their way, and the size of the next one.
        self._course: tuple[float, float, float] | None = None
        self._restored = False
        self._factor_time = 0.0  # the middle of the step whose factor is kept
        if self.carriers is not None:
            self.carriers.begin(self.directions, self._torques_at_rest().field, 0.0)

    def _require_positive(self, m: Array, when: str) -> None:
        """Refuse directions (owned, 3) that are so steep that the entropy production need not be positive."""
        if self.carriers is None:
            require_positive_entropy(self.grid, self.magnet, self.grid.seen(m), when)
        else:
            self.carriers.check(m)

    # ---- what drives
    def _applied(self, t: float) -> Array:
        if self._field is None:
            return np.zeros_like(self.directions)
        found = self.grid.asked(self._field, t, "field") if callable(self._field) else self._field
        return self.grid.vectors(found, "field" + (f" at t = {t:.4g} s" if callable(self._field) else ""))

    def _given_current(self, t: float) -> Array | None:
        if self._current is None:
            return None
        found = self.grid.asked(self._current, t, "current") if callable(self._current) else self._current
        return self.grid.along(found, "current" + (f" at t = {t:.4g} s" if callable(self._current) else ""))

    def _drives(self, begin: float, until: float) -> Drives:
        """Return what varies in between."""
        field = self._field if callable(self._field) else None
        given = self._current if callable(self._current) else None
        return Drives(self.grid, self.magnet, field, given, self.transport, begin, until)

    # ---- motion
    def steps(
        self,
        until: float,
        *,
        step: float | None = None,
        tolerance: float = 1e-5,
        max_step: float | None = None,
        breakpoints: Sequence[float] = (),
    ) -> Iterator[Step]:
        """Move on to a time, and yield each step.

        A drive that is a function of the time is looked at 2000 times beforehand: where it jumps a step ends, and
        steps are so small that its middle stands for what it does in them. Pulses that are over within a thousandth of
        the time may be missed unless they are announced.

        Parameters
        ----------
        until
            s.
        step
            Length of the steps (s); the interval is divided evenly. Without it their error is controlled.
        tolerance
            Tolerance of each step: error of m at any node.
        max_step
            The longest that may be (s), where the error is controlled; default: any.
        breakpoints
            Times (s) at which steps end and start small again, because field, current or leads jump there. Those that
            are not between now and the end do not matter.

        Raises
        ------
        InputError
            If a number is impossible.
        SolverError
            If steps become too small.
        ModelError
            If m gets too steep for a positive entropy production.
        """
        if not is_finite(until) or until <= self.time:
            raise InputError(f"texture: until is {until!r}; it must be a time after {self.time:.4g} s")
        if step is not None and not (is_finite(step) and step > 0):
            raise InputError(f"texture: step is {step!r}; it must be positive, in s")
        if not is_finite(tolerance) or not 1e-12 <= tolerance <= 0.1:
            raise InputError(f"texture: tolerance is {tolerance!r}; it must be from 1e-12 to 0.1")
        if max_step is not None and not (is_finite(max_step) and max_step > 0):
            raise InputError(f"texture: max_step is {max_step!r}; it must be positive, in s")
        for t in breakpoints:
            if not is_finite(t):
                raise InputError(f"texture: breakpoints holds {t!r}; they must be finite times, in s")
        stops = stops_between(self.time, until, breakpoints)
        if step is not None:
            return itertools.chain.from_iterable(self._evenly(stop, step) for stop in stops)
        return self._controlled(until, tolerance, max_step or math.inf, stops)

    def run(
        self,
        until: float,
        observe: Mapping[str, Callable[[Step], Any]] | None = None,
        *,
        step: float | None = None,
        tolerance: float = 1e-5,
        max_step: float | None = None,
        breakpoints: Sequence[float] = (),
        every: int = 1,
        checkpoint: Path | None = None,
        save_every: float = 60.0,
        resume: bool = False,
    ) -> History:
        """Move on to a time and keep what observers see.

        Parameters
        ----------
        observe
            Functions of the step, by name; called on all ranks.
        until, step, tolerance, max_step, breakpoints
            See :meth:`steps`.
        every
            Observe one step of so many.
        checkpoint
            A file to which the state and what was seen are written, `save_every` seconds of computing, and from which
            the motion goes on if `resume`. What observers return must then be the same on all ranks.
        """
        rows: list[tuple[float, float, list[Any]]] = []
        observe, last, file, done = dict(observe or {}), None, None, 0
        if checkpoint is not None:
            file = StateFile(self.grid.comm, self.grid.space, checkpoint, every=save_every, about="a textured motion")
            found = file.load() if resume else None
            if found is not None:
                if not self.time <= found[0]["time"] < until:
                    raise InputError(f"checkpoint '{checkpoint}': it is of a longer motion; remove it to start afresh")
                self.restore(*found)
                rows, done = [(t, middle, seen) for t, middle, seen in found[0]["rows"]], found[0]["done"]
        taken = self.steps(until, step=step, tolerance=tolerance, max_step=max_step, breakpoints=breakpoints)
        for k, now in enumerate(taken, done + 1):
            last = now
            if k % every == 0:
                rows.append((now.time, now.time - now.size / 2, [f(now) for f in observe.values()]))
            if file is not None and now.time < until and file.due():
                numbers, values = self.state()
                plain = [(t, middle, [np.asarray(x).tolist() for x in seen]) for t, middle, seen in rows]
                file.save(numbers | {"rows": plain, "done": k}, values)
        assert last is not None
        seen = {name: np.array([r[2][k] for r in rows]) for k, name in enumerate(observe)}
        return History(np.array([r[0] for r in rows]), np.array([r[1] for r in rows]), seen, last)

    def _evenly(self, until: float, step: float) -> Iterator[Step]:
        count = max(1, math.ceil((until - self.time) / step * (1 - 1e-12)))
        start = self.time
        for k in range(count):
            end, parts = until if k == count - 1 else start + (until - start) * (k + 1) / count, 1
            while self.time < end:
                try:
                    tried = self._tried((end - self.time) / parts)
                except SolverError:
                    if parts >= 64:
                        raise
                    parts *= 2
                    continue
                yield self._taken(tried, end if parts == 1 else self.time + tried.size)
                parts = max(1, parts - 1)

    def _small(self, tolerance: float, span: float) -> float:
        """Return a step for a start without a past: the precession of the stiffest node is small in it."""
        torques = self._torques_at_rest()
        turning = self.magnet.gyromagnetic_ratio * np.linalg.norm(torques.field, axis=1)
        fastest = self.grid.largest(turning + np.linalg.norm(torques.drift, axis=1))
        return float(min(span, tolerance ** (1 / 3) / max(fastest, 1 / span)))

    def _controlled(self, until: float, tolerance: float, longest: float, stops: list[float]) -> Iterator[Step]:
        begin, size = self.time, self._rates[-1][0] if self._rates else None
        if self._restored and self._course is not None and self._course[1] == until:
            # Steps go on as if they had never been interrupted.
            begin, _, size = self._course
        self._restored = False
        drives = self._drives(begin, until)
        span = until - begin
        control = StepControl(
            _RULE,
            Course(self.time, self._small(tolerance, span) if size is None else size),
            stops_between(begin, until, stops, drives.jumps),
            owner="texture",
            advice="try a larger tolerance or a smoother drive",
            smallest=1e-12 * span,
            longest=longest,
            begin=begin,
        )
        # A jump of field or current at the start makes the past worthless; a short step finds out.
        while control.runs:
            tau = control.next()
            if drives.missed(self.time, self.time + tau, self.directions) > tolerance:
                control.shorten(tau / 2)
                continue
            try:
                tried = self._tried(tau)
            except SolverError as failure:
                control.shorten(tau / 4, failure)
                continue
            if not control.accepts(tau, self._error(tried, tau) / tolerance):
                continue
            taken = self._taken(tried, control.course.time)
            if control.stopped is not None and control.runs:
                # The steps before are no guide to those after a jump.
                self._rates = []
                control.restart(self._small(tolerance, span))
            self._course = begin, until, control.course.step
            yield taken

    def _expected(self, tau: float) -> Array | None:
        """Return dm/dt in the middle of the next step from those of the last two."""
        if len(self._rates) < 2:
            return None
        (before, older), (last, newer) = self._rates
        return newer + (newer - older) * ((tau + last) / (last + before))

    def _error(self, tried: Step, tau: float) -> float:
        """Return the error of a step: the midpoint rule's is a twelfth or less of its distance from the prediction."""
        expected = self._expected(tau)
        if expected is None:
            return 0.0
        return self.grid.largest(np.abs(tried.rate - expected)) * tau / 12

    def _tried(self, tau: float) -> Step:
        """Return a step, without taking it."""
        grid, magnet, old = self.grid, self.magnet, self.directions
        middle = self.time + tau / 2
        applied, given = self._applied(middle), self._given_current(middle)

        def current(m: Array, rate: Array) -> Array | None:
            return given if self.transport is None else self.transport.density(m, rate, middle)

        expected = self._expected(tau)
        guess = old if expected is None else old + tau / 2 * expected
        factors = self._rule.factors
        try:
            m, torques = self._rule.solve(old, guess, tau, applied, current, self._law(middle, tau))
        finally:
            if self._rule.factors > factors:
                self._factor_time = middle
        new = 2 * m - old
        new /= np.linalg.norm(new, axis=1, keepdims=True)  # what is left of the iteration: 1e-13
        new[self._fixed] = old[self._fixed]
        rate = np.asarray((new - old) / tau, dtype=float)
        energy = self._rule.energy(new)
        weights, density = grid.weights[: grid.owned], magnet.saturation_magnetization / magnet.gyromagnetic_ratio

        if self.carriers is not None:
            return self._carried(new, m, rate, torques.field, applied, middle, tau, energy)
        torque = cross(m, torques.drift)
        pairs = ((rate, rate), (applied, rate), (torque, rate), (torques.drift, rate))
        works = tau * grid.totals(*(float((weights * np.einsum("na,na->n", a, b)).sum()) for a, b in pairs))
        return Step(
            self.time + tau,
            tau,
            new,
            m,
            rate,
            energy,
            energy - self.energy,
            magnet.damping_density * works[0],
            magnet.saturation_magnetization * works[1],
            -density * works[2],
            -density * magnet.nonadiabaticity * works[3],
            None if self.transport is None else self.transport.moving(m, rate, middle),
        )

    def _law(self, middle: float, tau: float) -> RateOf | None:
        """Return the law of a step with carriers of their own; None for Gilbert's equation."""
        carriers = self.carriers
        return None if carriers is None else lambda m, field: carriers.rate(m, field, middle, tau)

    def _carried(
        self, new: Array, m: Array, rate: Array, field: Array, applied: Array, middle: float, tau: float, energy: float
    ) -> Step:
        """Return a step whose torques are those of carriers."""
        assert self.carriers is not None
        state, damping = self.carriers.state(m, field, middle, tau)
        grid = self.grid
        work = grid.total(grid.weights[: grid.owned] * np.einsum("na,na->n", applied, rate))
        return Step(
            self.time + tau,
            tau,
            new,
            m,
            rate,
            energy,
            energy - self.energy,
            damping * tau,
            self.magnet.saturation_magnetization * work * tau,
            -state.field_work * tau,
            0.0,
            carriers=state,
        )

    def _taken(self, step: Step, time: float) -> Step:
        self._require_positive(step.directions, f" at t = {time:.4g} s")
        if self.carriers is not None and step.carriers is not None:
            self.carriers.take(step.carriers)
        self.time, self.directions, self.energy = time, step.directions, step.energy
        self._rates = [*self._rates[-1:], (step.size, step.rate)]
        return step

    # ---- restarts
    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Return all that going on depends on: numbers, and values at this rank's own nodes (owned, 3) by name."""
        made = self._rule.made_of
        numbers: dict[str, Any] = {
            "time": self.time,
            "course": self._course,
            "sizes": [size for size, _ in self._rates],
            "factor": None if made is None else [made[2], self._factor_time],
            "counts": self.newton_steps,
        }
        values = {"m": self.directions} | {f"rate {k}": rate for k, (_, rate) in enumerate(self._rates)}
        if made is not None:
            values |= {"factor m": made[0], "factor old": made[1]}
        if self.carriers is not None and self.carriers.spins is not None:
            # As vectors, which all that is kept is.
            values["spins"] = np.repeat(self.carriers.spins[:, None], 3, axis=1)
        return numbers, values

    def restore(self, numbers: Mapping[str, Any], values: Mapping[str, Array]) -> None:
        """Go back to a state; the same magnet, mesh and drives then go on as if nothing had happened.

        On the same number of ranks the numbers are those of an uninterrupted motion, to rounding.
        """
        self.time, self.directions = float(numbers["time"]), values["m"]
        self.energy = self._rule.energy(self.directions)
        self._rates = [(size, values[f"rate {k}"]) for k, size in enumerate(numbers["sizes"])]
        if self.carriers is not None and self.carriers.takes_time:
            self.carriers.spins = np.array(values["spins"][:, 0])
        course = numbers["course"]
        self._course, self._restored = None if course is None else (course[0], course[1], course[2]), True
        if numbers["factor"] is not None:
            tau, middle = numbers["factor"]
            m, old = values["factor m"], values["factor old"]
            density = self._given_current(middle)
            if self.transport is not None:
                density = self.transport.density(m, 2 / tau * (m - old), middle)
            self._rule.remake(m, old, tau, self._applied(middle), density)
            self._factor_time = middle
        self._rule.iterations, self._rule.factors = numbers["counts"]

    def turning(self) -> float:
        """Return the largest torque on a node that is free, |m x (B_eff - (m x g + beta g)/gamma)| (T), now.

        g is the mean of (u.grad) m around the node, u that of the current through the magnet at rest.
        """
        m, torques = self.directions, self._torques_at_rest()
        if self.carriers is not None:
            spins, self.carriers.spins = self.carriers.spins, None  # those at rest
            rate = self.carriers.rate(m, torques.field, self.time, 0.0)
            self.carriers.spins = spins
            return self.grid.largest(np.linalg.norm(rate[~self._fixed], axis=1)) / self.carriers.gamma
        push = cross(m, torques.drift) + self.magnet.nonadiabaticity * torques.drift
        left = cross(m, torques.field - push / self.magnet.gyromagnetic_ratio)
        return self.grid.largest(np.linalg.norm(left[~self._fixed], axis=1))

    def _torques_at_rest(self) -> Torques:
        """Return what turns m now, the current being that through the magnet at rest."""
        m, given = self.directions, self._given_current(self.time)
        if self.transport is not None:
            given = self.transport.density(m, np.zeros_like(m), self.time)
        return self._rule.torques(m, self._applied(self.time), given)

    @property
    def newton_steps(self) -> tuple[int, int]:
        """Return how many linear solves and how many factors it took so far."""
        return self._rule.iterations, self._rule.factors

    def destroy(self) -> None:
        """Free the factor; a dipolar field that was given stays."""
        self._rule.destroy()
        if self._own_dipolar and self.dipolar is not None:
            self.dipolar.destroy()
