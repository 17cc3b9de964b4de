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

from ..errors import InputError, SolverError
from ..solvers import LinearSolver, SolverOptions
from .constraint import Constraint
from .system import Fields, System


@dataclass(frozen=True)
class Terminal:
    """What drives a contact: exactly one of a voltage (V) and a current (A) into the device.

    On a line the current is a current density (A/m2).
    """

    voltage: float | None = None
    current: float | None = None

    def __post_init__(self) -> None:
        if (self.voltage is None) == (self.current is None):
            raise InputError("a contact takes either a voltage or a current")
        for x in (self.voltage, self.current):
            if x is not None and not math.isfinite(x):
                raise InputError(f"a contact is driven by {x}; it must be finite")


class TerminalSolver:
    """Solutions of a system for unit voltages at its contacts, combined to any drive.

    One contact is the ground of all basis solutions, so that ``n`` contacts
    cost at most ``n - 1`` solves, with one preconditioner. Currents are taken
    at contacts that are at zero, where rounding is smallest, and at the
    remaining contact by charge conservation.

    Parameters
    ----------
    system
        The discrete problem.
    options
        How to solve; "auto" is direct on lines.
    name
        For messages and the options prefix.
    rate
        Multiplies the storage terms (1/s), for the stages of an implicit step; 0 is the steady state.
    """

    def __init__(self, system: System, options: SolverOptions, name: str = "transport", *, rate: float = 0.0) -> None:
        self.system, self.name, self.rate = system, name, rate
        kind = options.kind
        if kind == "auto":
            kind = "direct" if system.domain.dim == 1 else "amg"
        self.options = replace(options, kind=kind)
        self.contacts = tuple(system.declaration.contacts)
        self.iterations = 0
        self.seconds = {"assembly": 0.0, "setup": 0.0, "solve": 0.0}
        self._constraint: Constraint | None = None
        self._assembled: PETSc.Mat | None = None
        self._reduced: PETSc.Mat | None = None
        self._solver: LinearSolver | None = None
        self._stale = True
        self._basis: dict[str, list[fem.Function]] = {}
        self._currents: dict[str, NDArray[np.float64]] = {}

    def refresh(self, same_pattern: bool) -> None:
        """Forget solutions and preconditioner after the coefficients of the system changed. Collective."""
        for x in (self._solver, self._reduced):
            if x is not None:
                x.destroy()
        self._solver = self._reduced = None
        self._basis.clear()
        self._currents.clear()
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
            self._solver = LinearSolver(
                self._reduced or self._assembled, self.options, self.name, symmetric=self.system.symmetric
            )
            self._stale = False
            self.seconds["assembly"] += assembled - begin
            self.seconds["setup"] += time.perf_counter() - assembled
        assert self._solver is not None and self._constraint is not None
        return self._solver, self._constraint

    def set_up(self) -> None:
        """Assemble, and build the preconditioner or factor, now rather than in the first solve. Collective."""
        self._ready()

    def residual(self, w: Fields, source: Fields | None = None) -> list[fem.Function]:
        """Return the flux conjugate to each degree of freedom, storage included, less a source. Collective."""
        out = self.system.residual(w, coefficients=self.system.coefficients.with_storage(self.rate))
        for r, b in zip(out, source or (), strict=False):
            r.x.array[:] -= b.x.array
        return out

    def _solve(self, volts: Mapping[str, float], source: Fields | None = None) -> list[fem.Function]:
        """Solve in two passes: the second removes the rounding that the first accumulated."""
        solver, constraint = self._ready()
        system = self.system
        w = system.functions(volts)
        b, x = solver.vectors()
        starts = np.cumsum([0, *system.sizes])
        for _ in range(2):
            residual = self.residual(w, source)
            constraint.restrict(residual)
            for i, (r, pinned) in enumerate(zip(residual, system.pinned, strict=True)):
                r.x.array[pinned] = 0.0
                b.array[starts[i] : starts[i + 1]] = -r.x.array[: system.sizes[i]]
            if b.norm() == 0:
                break
            x.zeroEntries()
            begin = time.perf_counter()
            solver.solve(b, x)
            self.seconds["solve"] += time.perf_counter() - begin
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
        return w

    def contact_currents(self, w: Fields, source: Fields | None = None) -> NDArray[np.float64]:
        """Return the current into the device at each contact (A; A/m2 on a line). Collective."""
        system = self.system
        residual = self.residual(w, source)
        out = np.zeros(len(self.contacts))
        for k, name in enumerate(self.contacts):
            i = system.fields.index(system.declaration.contacts[name].charge)
            d = system.at_contact[i][name]
            out[k] = residual[i].x.array[d[d < system.sizes[i]]].sum()
        return np.asarray(system.comm.allreduce(out)) * system.domain.depth

    def _unit(self, name: str) -> None:
        """Solve with one volt at a contact and the others at zero."""
        if name not in self._basis:
            w = self._solve({name: 1.0})
            i = self.contacts.index(name)
            currents = self.contact_currents(w)
            currents[i] = -(currents.sum() - currents[i])
            self._basis[name], self._currents[name] = w, currents

    def conductance(self) -> NDArray[np.float64]:
        """Return the conductance matrix (S): currents into the contacts per voltage. Collective."""
        ground, *others = self.contacts[::-1]
        for k in others:
            self._unit(k)
        n = len(self.contacts)
        g = np.zeros((n, n))
        for k in others:
            g[:, self.contacts.index(k)] = self._currents[k]
        g[:, self.contacts.index(ground)] = -g.sum(axis=1)
        return g

    def solve(
        self, drive: Mapping[str, Terminal], source: Fields | None = None
    ) -> tuple[list[fem.Function], dict[str, float], dict[str, float]]:
        """Return the fields, the voltage and the current of every contact. Collective.

        Parameters
        ----------
        drive
            One :class:`Terminal` per contact. Voltages count from the ground of
            the circuit, so at least one is needed.
        source
            What flows into each degree of freedom besides (dual to the fields).

        Raises
        ------
        InputError
            If a contact is missing or all of them float.
        SolverError
            If a solve does not converge.
        """
        missing = [c for c in self.contacts if c not in drive]
        if missing:
            raise InputError(f"contact '{missing[0]}' has neither a voltage nor a current")
        for c, t in drive.items():
            if not isinstance(t, Terminal):
                raise InputError(
                    f"contact '{c}' is driven by {t!r}; give Terminal(voltage=...) or Terminal(current=...)"
                )
        given = {c: t.voltage for c, t in drive.items() if t.voltage is not None}
        if not given:
            raise InputError("all contacts float: give at least one of them a voltage, 0 for ground")
        ground = next((c for c in reversed(self.contacts) if given.get(c) == 0.0), None)
        ground = ground or next(c for c in reversed(self.contacts) if c in given)
        shift = given[ground]
        volts = {c: v - shift for c, v in given.items()}
        floating = [c for c in self.contacts if c not in given]
        fields = self.system.functions()
        currents: NDArray[np.float64] = np.zeros(len(self.contacts))
        if source is not None:
            fields = self._solve({}, source)
            currents = self.contact_currents(fields, source)
        for c in self.contacts:
            if c in floating or volts[c] != 0:
                self._unit(c)
        if floating:
            at = [self.contacts.index(c) for c in floating]
            a = np.array([self._currents[c][at] for c in floating]).T
            b = np.array([drive[c].current for c in floating], dtype=float) - currents[at]
            b -= sum((v * self._currents[c][at] for c, v in volts.items() if v), np.zeros(len(at)))
            try:
                found = np.linalg.solve(a, b)
            except np.linalg.LinAlgError as error:
                raise SolverError(
                    f"{self.name}: no current can flow between the contacts {', '.join(floating)} and the rest; "
                    "check the interfaces' resistances"
                ) from error
            volts |= {c: float(v) for c, v in zip(floating, found, strict=True)}
        for c, v in volts.items():
            if v:
                currents = currents + v * self._currents[c]
                for f, unit in zip(fields, self._basis[c], strict=True):
                    f.x.array[:] += v * unit.x.array
        if shift:
            self._raise(fields, shift)
        return (
            fields,
            {c: float(volts[c] + shift) for c in self.contacts},
            {c: float(i) for c, i in zip(self.contacts, currents, strict=True)},
        )

    def _raise(self, fields: Fields, volts: float) -> None:
        """Add a voltage to every contact: the charge field changes by a constant."""
        charges = {c.charge for c in self.system.declaration.contacts.values()}
        for f in fields:
            if f.name in charges:
                f.x.array[:] += volts

    def destroy(self) -> None:
        """Free matrices and solver. Collective."""
        self.refresh(False)
