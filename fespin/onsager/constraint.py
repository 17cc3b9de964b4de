"""Contacts that fix a combination of fields, such as a semi-infinite magnetic lead.

A contact imposes ``sum_f w_f phi_f = V``. Where a field other than the charge
field has a weight, the charge field's degrees of freedom at the contact are
slaves, ``phi_charge = V - sum_f w_f phi_f``, and are eliminated: w = T y + V,
A -> T^T A T, r -> T^T r. Symmetry and positivity stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from dolfinx import fem
from petsc4py import PETSc

from .kernels import Indices
from .system import Fields, System


@dataclass(frozen=True)
class _Tie:
    """Local degrees of freedom: slave[i] of the charge field is -weight * master[i] of another."""

    charge: int
    field: int
    weight: float
    slave: Indices
    master: Indices


class Constraint:
    """The elimination for one system. The constructor is collective.

    Attributes
    ----------
    ties
        Empty, on all ranks, when every contact fixes its charge field alone.
    """

    def __init__(self, system: System) -> None:
        self.system = system
        self.ties: list[_Tie] = []
        domain = system.domain
        for name, law in system.declaration.contacts.items():
            c = system.fields.index(law.charge)
            regions = [domain.regions.index(r) for r in domain.contact_regions(name)]
            cells = np.flatnonzero(np.isin(domain.region, regions))
            for other, weight in law.potential.items():
                if other == law.charge or weight == 0:
                    continue
                f = system.fields.index(other)
                # The partner of a charge dof is what stands at its place in any cell of the contact's regions.
                slaves = system.spaces[c].dofmap.list[cells].ravel()
                masters = system.spaces[f].dofmap.list[cells].ravel()
                here = np.isin(slaves, system.at_contact[c][name])
                slave, first = np.unique(slaves[here], return_index=True)
                self.ties.append(_Tie(c, f, float(weight), slave, masters[here][first]))

    def __bool__(self) -> bool:
        return bool(self.ties)

    @property
    def slaves(self) -> dict[int, Indices]:
        """Local degrees of freedom of the charge fields that are eliminated, per field."""
        out: dict[int, list[Indices]] = {}
        for t in self.ties:
            out.setdefault(t.charge, []).append(t.slave)
        return {i: np.unique(np.concatenate(s)) for i, s in out.items()}

    def restrict(self, residual: Fields) -> None:
        """Overwrite a residual r by T^T r, at owned degrees of freedom."""
        for t in self.ties:
            np.subtract.at(residual[t.field].x.array, t.master, t.weight * residual[t.charge].x.array[t.slave])

    def expand(self, correction: Fields) -> None:
        """Overwrite a correction y by T y. Collective."""
        for t in self.ties:
            correction[t.charge].x.array[t.slave] = 0.0
        for t in self.ties:
            correction[t.charge].x.array[t.slave] -= t.weight * correction[t.field].x.array[t.master]
        for t in self.ties:
            correction[t.charge].x.scatter_forward()

    def reduce(self, full: PETSc.Mat) -> PETSc.Mat:
        """Return T^T A T as a nest, for an A whose slave rows are not pinned. Collective."""
        system = self.system
        sets = full.getNestISs()[0]
        # PETSc would convert in place without a target of its own.
        flat = full.convert("aij", PETSc.Mat())
        transform = PETSc.Mat().createAIJ(flat.getSizes(), comm=full.comm, nnz=(2 + len(self.ties), len(self.ties) + 1))
        first = flat.getOwnershipRange()[0]
        starts = [int(s.getIndices()[0]) if s.getLocalSize() else first for s in sets]
        slaves = {i: set(s[s < system.sizes[i]].tolist()) for i, s in self.slaves.items()}
        for i, n in enumerate(system.sizes):
            for d in range(n):
                transform[starts[i] + d, starts[i] + d] = 0.0 if d in slaves.get(i, ()) else 1.0
        for t in self.ties:
            numbers = self._global_numbers(t.field, t.master)
            for s, g in zip(t.slave, numbers, strict=True):
                if s < system.sizes[t.charge]:
                    transform[starts[t.charge] + s, g] = -t.weight
        transform.assemble()
        reduced = flat.ptap(transform)
        pinned = [starts[i] + d for i, ds in slaves.items() for d in sorted(ds)]
        reduced.zeroRowsColumns(np.array(pinned, PETSc.IntType), diag=1.0)
        blocks = [[reduced.createSubMatrix(a, b) for b in sets] for a in sets]
        for m in (flat, transform, reduced):
            m.destroy()
        nest = PETSc.Mat().createNest(blocks, comm=full.comm)
        nest.assemble()
        return nest

    def _global_numbers(self, i: int, local: Indices) -> Indices:
        """Return the rows of a field's local degrees of freedom in the flat matrix. Collective."""
        system = self.system
        number = fem.Function(system.spaces[i])
        before = sum(system.sizes[:i])
        start = (system.comm.exscan(sum(system.sizes)) or 0) + before
        number.x.array[: system.sizes[i]] = start + np.arange(system.sizes[i])
        number.x.scatter_forward()
        return np.asarray(number.x.array[local].round().astype(PETSc.IntType))
