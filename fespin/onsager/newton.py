"""Newton's method for systems whose coefficients depend on the solution, with contacts as in linear ones.

Everything at a contact that is not free is eliminated: fields that are given, the
slaves of a lead, and, at a port whose total flux is given, all degrees of freedom but one,
which stands for the unknown potential. w = T y + w0, and SNES solves T^T r(w) = flux.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from ..petsc import Options, destroy, guarded, require_convergence, set_options, unique_prefix
from ..solvers import SolverOptions
from .applied import applied_power
from .constraint import Constraint
from .declaration import Port
from .system import Fields, System
from .terminals import Solved

type Residual = Callable[[Fields], list[fem.Function]]
type Jacobian = Callable[[Fields, PETSc.Mat | None], PETSc.Mat]


class Newton:
    """One nonlinear solve of a system. The constructor is collective.

    Parameters
    ----------
    system
        Spaces and contacts; the coefficients are not used.
    residual
        Takes the fields, returns the flux into each degree of freedom, contacts included.
    jacobian
        Takes the fields and a matrix to fill again, returns the derivative as a nest over the fields, unpinned.
    potentials, fluxes
        Imposed values at all ports, in the fields' units: one or the other.
    options
        PETSc options go to SNES under its own prefix.

    Attributes
    ----------
    resolution
        Power that is rounding of potentials times fluxes that cancel (W; W/m2 on a line), after a solve.
    """

    def __init__(
        self,
        system: System,
        residual: Residual,
        jacobian: Jacobian,
        potentials: Mapping[Port, float],
        fluxes: Mapping[Port, float],
        options: SolverOptions,
        name: str,
    ) -> None:
        self.system, self.residual, self.jacobian = system, residual, jacobian
        self.potentials, self.fluxes = dict(potentials), dict(fluxes)
        self.options, self.name = options, name
        self.prefix = unique_prefix(name)
        self._constraint = Constraint(system)
        sizes = system.sizes
        self._starts = np.cumsum([0, *sizes])
        self._first = system.comm.exscan(sum(sizes)) or 0
        self._masters: dict[Port, int] = {}  # row of the degree of freedom that stands for a floating port
        self._transform = self._elimination()
        self._full: PETSc.Mat | None = None
        self.resolution = 0.0

    def _elimination(self) -> PETSc.Mat:
        """Return T, and note which rows are pinned."""
        system = self.system
        numbers = [system.global_numbers(i) for i in range(len(system.fields))]
        n = int(self._starts[-1])
        entries: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]] = []
        free = np.ones(n, dtype=bool)
        for i, pinned in enumerate(system.pinned):
            free[self._starts[i] + pinned[pinned < system.sizes[i]]] = False
        for contact, field in self.fluxes:
            i = system.fields.index(field)
            at = system.at_contact[i][contact]
            mine = numbers[i][at]
            lowest = int(mine.min(initial=np.iinfo(np.int64).max))
            master = int(system.comm.allreduce(lowest, MPI.MIN))
            self._masters[contact, field] = master
            own = self._starts[i] + at[at < system.sizes[i]]
            entries.append((own, np.full(len(own), master), np.ones(len(own))))
        for t in self._constraint.ties:
            entries.append((self._starts[t.driven] + t.own, t.row, np.full(len(t.own), -t.weight)))
        masters = np.array(list(self._masters.values()), dtype=np.int64) - self._first
        free[masters[(masters >= 0) & (masters < n)]] = True
        self._fixed = (self._first + np.flatnonzero(~free)).astype(PETSc.IntType)
        # Zeros on the diagonal of what is eliminated keep its place in products.
        rows = np.setdiff1d(np.arange(n), masters)
        entries.append((rows, self._first + rows, free[rows].astype(float)))
        row, column, value = (np.concatenate(x) for x in zip(*entries, strict=True))
        order = np.lexsort((column, row))
        offsets = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n))])
        csr = (offsets.astype(PETSc.IntType), column[order].astype(PETSc.IntType), value[order])
        total = system.comm.allreduce(n)
        transform = PETSc.Mat().createAIJ(((n, total), (n, total)), csr=csr, comm=system.comm)
        transform.assemble()
        return transform

    def _fields(self, y: PETSc.Vec) -> list[fem.Function]:
        """Return w = T y + w0."""
        system = self.system
        full = y.duplicate()
        self._transform.mult(y, full)
        out = system.functions()
        given = system.functions(self.potentials)
        for i, (f, g) in enumerate(zip(out, given, strict=True)):
            n = system.sizes[i]
            f.x.array[:n] = full.array_r[self._starts[i] : self._starts[i + 1]] + g.x.array[:n]
            f.x.scatter_forward()
        full.destroy()
        return out

    def _function(self, snes: PETSc.SNES, y: PETSc.Vec, f: PETSc.Vec) -> None:
        residual = self.residual(self._fields(y))
        full = y.duplicate()
        for i, r in enumerate(residual):
            full.array[self._starts[i] : self._starts[i + 1]] = r.x.array[: self.system.sizes[i]]
        self._transform.multTranspose(full, f)
        full.destroy()
        for port, master in self._masters.items():
            here = master - self._first
            if 0 <= here < self._starts[-1]:
                f.array[here] -= self.fluxes[port] / self.system.domain.depth
        # What is eliminated stays at zero.
        rows = self._fixed - self._first
        f.array[rows] = y.array_r[rows]

    def _derivative(self, snes: PETSc.SNES, y: PETSc.Vec, j: PETSc.Mat, p: PETSc.Mat) -> None:
        self._full = self.jacobian(self._fields(y), self._full)
        flat = self._full.convert("aij", PETSc.Mat())
        product = flat.ptap(self._transform)
        product.zeroRowsColumns(self._fixed, diag=1.0)
        product.copy(p, structure=PETSc.Mat.Structure.SUBSET_NONZERO_PATTERN)
        for m in (flat, product):
            m.destroy()

    def solve(self, start: Fields, potentials: Mapping[Port, float]) -> tuple[Solved, int]:
        """Solve from a guess and its potentials at the ports. Collective.

        Returns
        -------
        Solved, int
            The solution, and the number of Newton's steps.

        Raises
        ------
        SolverError
            If Newton's method does not converge; the text says what to try.
        """
        system = self.system
        n = int(self._starts[-1])
        y = self._transform.createVecRight()
        for i, f in enumerate(start):
            y.array[self._starts[i] : self._starts[i + 1]] = f.x.array[: system.sizes[i]]
        for port, master in self._masters.items():
            if 0 <= master - self._first < n:
                y.array[master - self._first] = potentials[port]
        y.array[self._fixed - self._first] = 0.0
        f = y.duplicate()
        self._full = self.jacobian(self._fields(y), None)
        flat = self._full.convert("aij", PETSc.Mat())
        pattern = flat.ptap(self._transform)
        largest = max((y.norm(PETSc.NormType.NORM_INFINITY), *map(abs, self.potentials.values())))
        # Of fluxes that cancel, such as those at one temperature and voltage everywhere.
        rounding = np.finfo(float).eps * flat.norm(PETSc.NormType.NORM_INFINITY) * largest
        self.resolution = float(rounding * largest * system.domain.depth)
        flat.destroy()
        pattern.setOption(PETSc.Mat.Option.NEW_NONZERO_ALLOCATION_ERR, False)
        # Pinned rows need their diagonal from the beginning.
        pattern.zeroRowsColumns(self._fixed, diag=1.0)
        snes = PETSc.SNES().create(system.comm)
        try:
            snes.setOptionsPrefix(self.prefix)
            snes.setFunction(self._function, f)
            snes.setJacobian(self._derivative, pattern, pattern)
            defaults: Options = {
                "snes_type": "newtonls",
                "snes_linesearch_type": "bt",
                "snes_rtol": 1e-10,
                "snes_stol": 1e-12,
                "snes_max_it": 30,
                "ksp_type": "preonly",
                "pc_type": "lu",
                "pc_factor_mat_solver_type": "mumps",
            }
            with set_options(self.prefix, defaults, self.options.petsc):
                snes.setFromOptions()
                snes.getKSP().setFromOptions()
            # Rounding of the largest flux, which no step reduces.
            at_start = self.port_fluxes(self._fields(y))
            scale = max((abs(x) for x in [*at_start.values(), *self.fluxes.values()]), default=0.0)
            snes.setTolerances(atol=max(1e-13 * scale / system.domain.depth, rounding, np.finfo(float).tiny))
            guarded(lambda: snes.solve(None, y), f"{self.name}: Newton's method failed", self._advice())
            require_convergence(snes, self.name, self._advice())
            w = self._fields(y)
            steps = int(snes.getIterationNumber())
            found = {p: self._at(y, m) for p, m in self._masters.items()}
        finally:
            destroy(snes, pattern, self._full, self._transform, f, y)
            self._full = None
        ports = [(k, f) for k, c in system.declaration.contacts.items() for f in c.imposed_fields]
        at, through = {**self.potentials, **found}, {**self.port_fluxes(w), **self.fluxes}
        fluxes = self._conserved({p: through[p] for p in ports}, at)
        put_in = applied_power(system, w)
        return Solved(w, {p: at[p] for p in ports}, fluxes, system.declaration, put_in), steps

    def _conserved(self, fluxes: Mapping[Port, float], at: Mapping[Port, float]) -> dict[Port, float]:
        """Return the fluxes with that of the charge port at the largest potential from conservation.

        Its own residual holds the rounding of that potential, which may be a million times that of the slopes in a
        metal in series with a barrier.
        """
        out = dict(fluxes)
        charges = [(k, c.charge) for k, c in self.system.declaration.contacts.items()]
        highest = max(charges, key=lambda p: abs(at[p]))
        if highest in self.potentials:
            out[highest] = -sum(out[p] for p in charges if p != highest)
        return out

    def _advice(self) -> str:
        return f"try a smaller drive, or PETSc options under the prefix -{self.prefix}"

    def _at(self, y: PETSc.Vec, row: int) -> float:
        here = row - self._first
        return float(self.system.comm.allreduce(float(y.array_r[here]) if 0 <= here < self._starts[-1] else 0.0))

    def port_fluxes(self, w: Fields) -> dict[Port, float]:
        """Return the total flux into the device at every port. Collective."""
        ports = [*self.potentials, *self.fluxes]
        totals = self.system.port_totals(self.residual(w), ports)
        return {p: float(x) for p, x in zip(ports, totals, strict=True)}
