"""Solve a declaration between its contacts: given voltages, given currents, or both."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray
from petsc4py import PETSc

from ..errors import InputError, SolverError, nearest
from ..quantities import is_finite
from ..solvers import LinearSolver, SolverOptions
from .applied import applied_power
from .constraint import Constraint
from .declaration import Declaration, Port
from .system import Fields, System

# Error of a consistent flux over the reduction of the residual, above which another pass follows, but for rounding.
_FLUX, _ROUNDING = 100.0, 1e-11
# Reduction of the residual below which rounding may spoil a single pass.
_ONE_PASS = 1e-9
# Error in the energy norm, relative to the solution, to which a factor's solutions are refined, and the most passes.
_REFINED, _MOST_PASSES = 1e-10, 10


@dataclass(frozen=True)
class Terminal:
    """Drive of a contact: exactly one of a voltage (V) and a current (A) into the device.

    In models with heat also a temperature (K) or a heat current (W) into the device; with neither
    the contact is at the reference temperature. On a line currents are densities (A/m2, W/m2).

    Examples
    --------
    >>> problem = fs.TransportProblem(fs.line(comm, stack))
    >>> driven = {"bottom": fs.Terminal(current=1e11), "top": fs.Terminal(voltage=0.0)}
    >>> print(f"{problem.solve(terminals=driven).voltages['bottom']:.3e}")
    2.173e-04
    """

    voltage: float | None = None
    current: float | None = None
    temperature: float | None = None
    heat: float | None = None

    def __post_init__(self) -> None:
        if (self.voltage is None) == (self.current is None):
            raise InputError("a contact takes either a voltage or a current")
        if self.temperature is not None and self.heat is not None:
            raise InputError("a contact takes either a temperature or a heat current")
        for x in (self.voltage, self.current, self.temperature, self.heat):
            if x is not None and not is_finite(x):
                raise InputError(f"a contact is driven by {x!r}; it must be a finite number")
        if self.temperature is not None and self.temperature <= 0:
            raise InputError(f"a contact's temperature is {self.temperature!r} K; it must be positive")


@dataclass(frozen=True)
class Solved:
    """Fields, and the potential and the total flux into the device at every (contact, field) that is driven.

    Attributes
    ----------
    fields
        One function per field.
    potentials, fluxes
        Potential and total flux at every port, in the fields' units; that of a charge field is the current (A; A/m2 on
        a line). Between two contacts of an iterative solver they are those that the power gives.
    declaration
        Declaration that was solved.
    applied_power
        Power that given forces put in besides (W; W/m2 on a line).
    consistent_fluxes
        Fluxes at the ports as the residual at their nodes; None: those in `fluxes`. The error of an iterative solver is
        of first order in them, of second order in `fluxes`: their difference shows it.
    """

    fields: list[fem.Function]
    potentials: Mapping[Port, float]
    fluxes: Mapping[Port, float]
    declaration: Declaration
    applied_power: float = 0.0
    consistent_fluxes: Mapping[Port, float] | None = None

    def _charges(self, of: Mapping[Port, float]) -> dict[str, float]:
        return {k: of[k, c.charge] for k, c in self.declaration.contacts.items()}

    @property
    def voltages(self) -> dict[str, float]:
        """Voltage of every contact (V)."""
        return self._charges(self.potentials)

    @property
    def currents(self) -> dict[str, float]:
        """Current into the device at every contact (A; A/m2 on a line)."""
        return self._charges(self.fluxes)

    @property
    def temperatures(self) -> dict[str, float]:
        """Temperature of every contact (K); empty without heat."""
        t = self.declaration.thermal
        return {k: t.reference + x / t.scale for (k, f), x in self.potentials.items() if f == t.field} if t else {}

    @property
    def heats(self) -> dict[str, float]:
        """Heat current into the device at every contact (W; W/m2 on a line); empty without heat."""
        t = self.declaration.thermal
        return {k: x * t.reference * t.scale for (k, f), x in self.fluxes.items() if f == t.field} if t else {}

    @property
    def power(self) -> float:
        """Power put in (W; W/m2 on a line): potential times flux over all ports, and that of given forces.

        With the consistent fluxes, so that the dissipated power tells the solver's error.
        """
        fluxes = self.fluxes if self.consistent_fluxes is None else self.consistent_fluxes
        return sum(self.potentials[p] * fluxes[p] for p in self.potentials) + self.applied_power


class TerminalSolver:
    """Solutions of a system for unit voltages at its contacts, combined to any drive.

    One contact is the ground of all basis solutions, so that ``n`` contacts
    cost at most ``n - 1`` solves per conserved quantity, with one preconditioner.
    Consistent currents are sums of the residual over contacts that are at zero, where rounding is smallest, and
    at the remaining contact follow by conservation. Between two contacts of an iterative solver the current is
    instead the power of the unit solution, whose error is the square of the fields', and one pass of the solver
    will do; where the consistent current differs from it by more than 100 `rtol`, a second follows. A quantity
    that the device stores, such as heat in time, has no ground: it costs ``n`` solves.

    Parameters
    ----------
    system
        The discrete problem.
    options
        Choices about the solver; "auto" is direct on lines.
    name
        Name for messages and the options prefix.
    rate
        Multiplies the storage terms (1/s), for the stages of an implicit step; 0 is the steady state.

    Examples
    --------
    >>> from fespin.onsager import ContactLaw, Declaration, Mechanism, Medium, System, TerminalSolver
    >>> ohm = Medium(conduction=(Mechanism("ohm", 5e7, {"phi": 1.0}),))
    >>> ends = {name: ContactLaw({"phi": 1.0}) for name in ("bottom", "top")}
    >>> domain = fs.line(comm, fs.Stack(fs.Layer(fs.material("Cu"), 100e-9, "wire")))
    >>> system = System(domain, Declaration(("phi",), {"wire": ohm}, contacts=ends))
    >>> solver = TerminalSolver(system, fs.SolverOptions())
    >>> print(solver.conductance().round(-9))  # sigma/length = 5e14 S/m2
    [[ 5.e+14 -5.e+14]
     [-5.e+14  5.e+14]]
    >>> driven = {"bottom": fs.Terminal(current=1e11), "top": fs.Terminal(voltage=0.0)}
    >>> print(f"{solver.solve(driven).voltages['bottom']:.2e}")
    2.00e-04
    """

    def __init__(self, system: System, options: SolverOptions, name: str = "transport", *, rate: float = 0.0) -> None:
        self.system, self.name, self.rate = system, name, rate
        kind = options.kind
        if kind == "auto":
            kind = "direct" if system.domain.dim == 1 else "amg"
        self.options = replace(options, kind=kind)
        self._allowed: float | None = None
        contacts = system.declaration.contacts
        self.contacts = tuple(contacts)
        self.ports: tuple[Port, ...] = tuple((k, f) for k, c in contacts.items() for f in c.imposed_fields)
        self.iterations = 0
        self.seconds = {"assembly": 0.0, "setup": 0.0, "solve": 0.0}
        self._constraint: Constraint | None = None
        self._assembled: PETSc.Mat | None = None
        self._reduced: PETSc.Mat | None = None
        self._solver: LinearSolver | None = None
        self._stale = True
        self._basis: dict[Port, list[fem.Function]] = {}
        self._fluxes: dict[Port, NDArray[np.float64]] = {}
        self._consistent: dict[Port, NDArray[np.float64]] = {}

    def reduce_by(self, rtol: float, allowed: float | None = None) -> None:
        """Solve with another reduction of the residual from now on; what was solved is forgotten. Collective.

        Parameters
        ----------
        rtol
            Reduction of the residual in a pass.
        allowed
            Error of consistent currents that asks for no second pass, and one pass also for what sources drive; None:
            100 `rtol`, and two passes for sources.
        """
        if (rtol, allowed) != (self.options.rtol, self._allowed):
            self.options, self._allowed = replace(self.options, rtol=rtol), allowed
            self.refresh(True)

    def refresh(self, same_pattern: bool) -> None:
        """Forget solutions and preconditioner after the coefficients of the system changed. Collective."""
        for x in (self._solver, self._reduced):
            if x is not None:
                x.destroy()
        self._solver = self._reduced = None
        self._basis.clear()
        self._fluxes.clear()
        self._consistent.clear()
        if not same_pattern and self._assembled is not None:
            self._assembled.destroy()
            self._assembled = None
        self._stale = True

    def _ready(self) -> tuple[LinearSolver, Constraint]:
        if self._stale:
            begin = time.perf_counter()
            self._constraint = constraint = Constraint(self.system)
            self._assembled = self.system.matrix(rate=self.rate, into=self._assembled, free=constraint.slaves)
            if constraint:
                self._reduced = constraint.reduce(self._assembled)
            assembled = time.perf_counter()
            # Of two passes each reduces by the root.
            rtol = self.options.rtol if self.options.rtol >= _ONE_PASS else math.sqrt(self.options.rtol)
            options = replace(self.options, rtol=rtol)
            self._solver = LinearSolver(
                self._reduced or self._assembled, options, self.name, symmetric=self.system.symmetric
            )
            self._stale = False
            self.seconds["assembly"] += assembled - begin
            self.seconds["setup"] += time.perf_counter() - assembled
        assert self._solver is not None and self._constraint is not None
        return self._solver, self._constraint

    @property
    def allowed_imbalance(self) -> float:
        """Largest difference of power put in and dissipated, relative to them, that the solver's `rtol` explains."""
        return max(1e-6, _FLUX * self.options.rtol) if self.options.kind == "amg" else 1e-6

    def set_up(self) -> None:
        """Assemble, and build the preconditioner or factor, now rather than in the first solve. Collective."""
        self._ready()

    def residual(self, w: Fields, source: Fields | None = None) -> list[fem.Function]:
        """Return the flux conjugate to each degree of freedom, storage included, less a source. Collective."""
        out = self.system.residual(w, coefficients=self.system.coefficients.with_storage(self.rate))
        for r, b in zip(out, source or (), strict=False):
            r.x.array[:] -= b.x.array
        return out

    def _solve(
        self, potentials: Mapping[Port, float], source: Fields | None = None, *, passes: int = 2
    ) -> tuple[list[fem.Function], list[fem.Function]]:
        """Return fields, and their residual less the source.

        Each pass solves for what the residual of the one before still drives. With a factor they go on, whatever
        `passes` is, until the energy norm of the error is small or falls no more: between coefficients far apart a
        factor has few digits, each pass adds as many, and this norm bounds the relative errors of all fluxes.
        """
        w = self.system.functions(potentials)
        residual = self.residual(w, source)
        direct = self.options.kind == "direct"
        steps: list[float] = []
        while len(steps) < (_MOST_PASSES if direct else passes):
            residual, size = self._correct(w, residual, source)
            if direct and steps:
                # A step is the error before it. The next will be shorter by as much as this one was.
                fed = self.system.product(w, source) if source else 0.0
                whole = math.sqrt(abs(self.system.product(w, residual) + fed))
                if size > steps[-1] / 2 or size * size <= _REFINED * whole * steps[-1]:
                    break
            steps.append(size)
        return w, residual

    def _correct(self, w: Fields, residual: Fields, source: Fields | None = None) -> tuple[list[fem.Function], float]:
        """Add the solution d for a residual to fields, in place; return what residual is left, and sqrt(d . A d)."""
        solver, constraint = self._ready()
        system = self.system
        b, x = solver.vectors()
        starts = np.cumsum([0, *system.sizes])
        right = [r.copy() for r in residual]
        constraint.restrict(right)
        for i, (r, pinned) in enumerate(zip(right, system.pinned, strict=True)):
            r.x.array[pinned] = 0.0
            b.array[starts[i] : starts[i + 1]] = -r.x.array[: system.sizes[i]]
        driven, size = b.norm() > 0, 0.0
        if driven:
            x.zeroEntries()
            begin = time.perf_counter()
            solver.solve(b, x)
            self.seconds["solve"] += time.perf_counter() - begin
            size = math.sqrt(abs(x.dot(b)) * system.domain.depth)
            step = system.functions()
            for i, d in enumerate(step):
                d.x.array[: system.sizes[i]] = x.array_r[starts[i] : starts[i + 1]]
                d.x.scatter_forward()
            constraint.expand(step)
            for f, d in zip(w, step, strict=True):
                f.x.array[:] += d.x.array
        self.iterations += solver.iterations
        solver.iterations = 0
        b.destroy()
        x.destroy()
        return (self.residual(w, source) if driven else list(residual)), size

    def _unit(self, port: Port) -> None:
        """Solve with a potential of one at a port and zero at the others."""
        if port in self._basis:
            return
        i, conserved = self.ports.index(port), self._conserved(port[1])
        others = [k for k, p in enumerate(self.ports) if p[1] == port[1] and k != i]

        def fluxes_of(residual: Fields) -> NDArray[np.float64]:
            fluxes = self.system.port_totals(residual, self.ports)
            if conserved:
                fluxes[i] = -fluxes[others].sum()
            return fluxes

        # Voltages of contacts without a current are small differences: with more than two no power tells their error.
        quick = self.options.kind == "amg" and len(self.ports) == 2 and conserved
        w, residual = self._solve({port: 1.0}, passes=1 if quick and self.options.rtol >= _ONE_PASS else 2)
        fluxes = better = fluxes_of(residual)
        if quick:
            # The unit potential times the flux there is the power of the whole solution.
            power = self.system.product(w, residual)
            allowed = self._allowed or max(_FLUX * self.options.rtol, _ROUNDING)
            if abs(fluxes[i] - power) > allowed * abs(power):
                residual, _ = self._correct(w, residual)
                fluxes, power = fluxes_of(residual), self.system.product(w, residual)
            better = np.array([power if k == i else -power for k in range(2)])
        self._basis[port], self._fluxes[port], self._consistent[port] = w, better, fluxes

    def _conserved(self, field: str) -> bool:
        """Return whether what flows in of a field flows out again; not of one that is stored, such as heat in time."""
        i = self.system.fields.index(field)
        return not self.system.coefficients.with_storage(self.rate).reaction[:, i].any()

    def conductance(self) -> NDArray[np.float64]:
        """Return the matrix of fluxes into the ports per potential of a port (S for charge). Collective."""
        n = len(self.ports)
        g = np.zeros((n, n))
        for field in dict.fromkeys(f for _, f in self.ports):
            *others, ground = [p for p in self.ports if p[1] == field]
            if not self._conserved(field):
                others.append(ground)
            for p in others:
                self._unit(p)
                g[:, self.ports.index(p)] = self._fluxes[p]
            if self._conserved(field):
                # Raising all of them together moves nothing.
                g[:, self.ports.index(ground)] = -sum(g[:, self.ports.index(p)] for p in others)
        return g

    def imposed(self, drive: Mapping[str, Terminal]) -> tuple[dict[Port, float], dict[Port, float]]:
        """Return potentials and fluxes at ports from what drives the contacts."""
        declaration, thermal = self.system.declaration, self.system.declaration.thermal
        potentials: dict[Port, float] = {}
        fluxes: dict[Port, float] = {}
        for k in drive:
            if k not in declaration.contacts:
                raise InputError(f"contact '{k}' is not in the geometry; {nearest(k, declaration.contacts)}")
        for k, c in declaration.contacts.items():
            if k not in drive:
                raise InputError(f"contact '{k}' has neither a voltage nor a current")
            t = drive[k]
            if not isinstance(t, Terminal):
                raise InputError(
                    f"contact '{k}' is driven by {t!r}; give Terminal(voltage=...) or Terminal(current=...)"
                )
            if t.voltage is not None:
                potentials[k, c.charge] = t.voltage
            if t.current is not None:
                fluxes[k, c.charge] = t.current
            if thermal is None:
                if not (t.temperature is t.heat is None):
                    raise InputError(f"contact '{k}' has a temperature or a heat current, but the model has no heat")
            elif t.heat is not None:
                fluxes[k, thermal.field] = t.heat / (thermal.reference * thermal.scale)
            else:
                kelvin = thermal.reference if t.temperature is None else t.temperature
                potentials[k, thermal.field] = thermal.scale * (kelvin - thermal.reference)
        return potentials, fluxes

    def solve(self, drive: Mapping[str, Terminal], source: Fields | None = None) -> Solved:
        """Solve with every contact driven. Collective.

        Parameters
        ----------
        drive
            One :class:`Terminal` per contact. Voltages count from the ground of
            the circuit, so at least one is needed.
        source
            Flux into each degree of freedom besides (dual to the fields).

        Raises
        ------
        InputError
            If a contact is missing, all of them float, or one has a temperature in a model without heat.
        SolverError
            If a solve does not converge.
        """
        return self.solve_ports(*self.imposed(drive), source)

    def solve_ports(
        self, potentials: Mapping[Port, float], fluxes: Mapping[Port, float], source: Fields | None = None
    ) -> Solved:
        """Solve with a potential or a total flux at every port, in the fields' units. Collective.

        Raises
        ------
        InputError
            If no port of a conserved quantity has a potential.
        SolverError
            If a solve does not converge.
        """
        shifts: dict[str, float] = {}
        for field in dict.fromkeys(f for _, f in self.ports):
            if not self._conserved(field):
                continue
            mine = [p for p in reversed(self.ports) if p[1] == field and p in potentials]
            if not mine:
                what = "temperature" if self._is_heat(field) else "voltage, 0 for ground"
                raise InputError(f"all contacts float: give at least one of them a {what}")
            shifts[field] = potentials[next((p for p in mine if potentials[p] == 0.0), mine[0])]
        values = {p: v - shifts.get(p[1], 0.0) for p, v in potentials.items()}
        floating = [p for p in self.ports if p not in values]
        fields = self.system.functions()
        load = self.system.load()
        if load is not None:
            for b, f in zip(load, source or (), strict=False):
                b.x.array[:] += f.x.array
            source = load
        total: NDArray[np.float64] = np.zeros(len(self.ports))
        if source is not None:
            once = self._allowed is not None and self.options.rtol >= _ONE_PASS
            fields, residual = self._solve({}, source, passes=1 if once else 2)
            total = self.system.port_totals(residual, self.ports)
        consistent = total
        for p in self.ports:
            if p in floating or values[p] != 0:
                self._unit(p)
        if floating:
            at = [self.ports.index(p) for p in floating]
            a = np.array([self._fluxes[p][at] for p in floating]).T
            b = np.array([fluxes[p] for p in floating], dtype=float) - total[at]
            b -= sum((v * self._fluxes[p][at] for p, v in values.items() if v), np.zeros(len(at)))
            try:
                found = np.linalg.solve(a, b)
            except np.linalg.LinAlgError as error:
                raise SolverError(
                    f"{self.name}: no current can flow between the contacts {', '.join(k for k, _ in floating)} "
                    "and the rest; check the interfaces' resistances"
                ) from error
            values |= {p: float(v) for p, v in zip(floating, found, strict=True)}
        for p, v in values.items():
            if v:
                total = total + v * self._fluxes[p]
                consistent = consistent + v * self._consistent[p]
                for f, unit in zip(fields, self._basis[p], strict=True):
                    f.x.array[:] += v * unit.x.array
        for p in floating:
            # Rounding of what cancels is no current, and no resistance is to be taken with it.
            if fluxes[p] == 0:
                total[self.ports.index(p)] = consistent[self.ports.index(p)] = 0.0
        for f in fields:
            # What is the same at all contacts of a conserved quantity moves nothing.
            if shifts.get(f.name):
                f.x.array[:] += shifts[f.name]
        return Solved(
            fields,
            {p: float(values[p] + shifts.get(p[1], 0.0)) for p in self.ports},
            {p: float(x) for p, x in zip(self.ports, total, strict=True)},
            self.system.declaration,
            applied_power(self.system, fields),
            {p: float(x) for p, x in zip(self.ports, consistent, strict=True)},
        )

    def _is_heat(self, field: str) -> bool:
        thermal = self.system.declaration.thermal
        return thermal is not None and thermal.field == field

    def destroy(self) -> None:
        """Free matrices and solver. Collective."""
        self.refresh(False)
