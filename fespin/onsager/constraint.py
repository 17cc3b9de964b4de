"""Contacts that fix a combination of fields, such as a semi-infinite magnetic lead.

A contact imposes ``sum_f w_f phi_f = V``, and the like for other conserved quantities.
Where a field other than the driven one has a weight, the driven field's degrees of
freedom at the contact are slaves, ``phi_driven = V - sum_f w_f phi_f``, and are
eliminated: w = T y + V, A -> T^T A T, r -> T^T r. Symmetry and positivity stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from dolfinx import fem, la
from numpy.typing import NDArray
from petsc4py import PETSc

from .broken import lowest_ranks
from .kernels import Indices
from .system import Fields, System


@dataclass(frozen=True)
class _Tie:
    """Each slave, of a driven field, is -weight * its master, of another.

    A rank that owns one of the two may have no cell that tells which the other is, so that
    every pair is with one rank that has such a cell, and the slaves' owners know their rows.
    """

    driven: int
    field: int
    weight: float
    slave: Indices  # pairs of local degrees of freedom
    master: Indices
    own: Indices  # owned slaves,
    row: NDArray[np.int64]  # and their masters in the flat matrix


class Constraint:
    """The elimination for one system. The constructor is collective.

    Attributes
    ----------
    ties
        Empty, on all ranks, when every contact fixes its driven fields alone.
    """

    def __init__(self, system: System) -> None:
        self.system = system
        self.ties: list[_Tie] = []
        domain = system.domain
        for name, law in system.declaration.contacts.items():
            pairs = [
                (driven, other, weight)
                for driven, potential in zip(law.imposed_fields, law.potentials, strict=True)
                for other, weight in potential.items()
                if other != driven and weight
            ]
            if not pairs:
                continue
            regions = [domain.regions.index(r) for r in domain.contact_regions(name)]
            cells = np.flatnonzero(np.isin(domain.region, regions))
            for driven, other, weight in pairs:
                self.ties.append(self._tie(name, cells, driven, other, weight))

    def _tie(self, contact: str, cells: NDArray[np.int64], driven: str, other: str, weight: float) -> _Tie:
        """Pair the slaves with what stands at their place in a cell of the contact's regions. Collective."""
        system = self.system
        c, f = system.fields.index(driven), system.fields.index(other)
        slaves = system.spaces[c].dofmap.list[cells].ravel()
        masters = system.spaces[f].dofmap.list[cells].ravel()
        at = system.at_contact[c][contact]
        here = np.isin(slaves, at)
        slave, first = np.unique(slaves[here], return_index=True)
        master = masters[here][first]
        keys = system.global_numbers(c)[slave]
        mine = lowest_ranks(system.comm, keys, np.ones(len(keys), bool)) == system.comm.rank
        slave, master = slave[mine], master[mine]
        row = fem.Function(system.spaces[c])
        row.x.array[slave] = system.global_numbers(f)[master]
        row.x.scatter_reverse(la.InsertMode.add)
        own = at[at < system.sizes[c]]
        return _Tie(c, f, weight, slave, master, own, row.x.array[own].round().astype(np.int64))

    def __bool__(self) -> bool:
        return bool(self.ties)

    @property
    def slaves(self) -> dict[int, Indices]:
        """Local degrees of freedom of the driven fields that are eliminated, per field."""
        out: dict[int, list[Indices]] = {}
        for name, law in self.system.declaration.contacts.items():
            for driven, potential in zip(law.imposed_fields, law.potentials, strict=True):
                if any(w for f, w in potential.items() if f != driven):
                    i = self.system.fields.index(driven)
                    out.setdefault(i, []).append(self.system.at_contact[i][name])
        return {i: np.unique(np.concatenate(s)) for i, s in out.items()}

    def restrict(self, residual: Fields) -> None:
        """Overwrite a residual r by T^T r, at owned degrees of freedom. Collective."""
        for t in self.ties:
            more = fem.Function(residual[t.field].function_space)
            np.subtract.at(more.x.array, t.master, t.weight * residual[t.driven].x.array[t.slave])
            more.x.scatter_reverse(la.InsertMode.add)
            n = self.system.sizes[t.field]
            residual[t.field].x.array[:n] += more.x.array[:n]

    def expand(self, correction: Fields) -> None:
        """Overwrite a correction y by T y. Collective."""
        for i, slaves in self.slaves.items():
            correction[i].x.array[slaves] = 0.0
        for t in self.ties:
            more = fem.Function(correction[t.driven].function_space)
            more.x.array[t.slave] = -t.weight * correction[t.field].x.array[t.master]
            more.x.scatter_reverse(la.InsertMode.add)
            n = self.system.sizes[t.driven]
            correction[t.driven].x.array[:n] += more.x.array[:n]
        for i in self.slaves:
            correction[i].x.scatter_forward()

    def reduce(self, full: PETSc.Mat) -> PETSc.Mat:
        """Return T^T A T as a nest, for an A whose slave rows are not pinned. Collective."""
        system = self.system
        sets = full.getNestISs()[0]
        # PETSc would convert in place without a target of its own.
        flat = full.convert("aij", PETSc.Mat())
        first = flat.getOwnershipRange()[0]
        starts = first + np.cumsum([0, *system.sizes[:-1]])
        rows = [np.arange(sum(system.sizes))]
        columns, values = [first + rows[0]], [np.ones(len(rows[0]))]
        pinned = []
        for i, slaves in self.slaves.items():
            own = slaves[slaves < system.sizes[i]]
            values[0][starts[i] - first + own] = 0.0
            pinned.append(starts[i] + own)
        for t in self.ties:
            rows.append(starts[t.driven] - first + t.own)
            columns.append(t.row.astype(PETSc.IntType))
            values.append(np.full(len(t.own), -t.weight))
        row, column, value = (np.concatenate(x) for x in (rows, columns, values))
        order = np.lexsort((column, row))
        offsets = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(rows[0])))])
        csr = (offsets.astype(PETSc.IntType), column[order].astype(PETSc.IntType), value[order])
        transform = PETSc.Mat().createAIJ(flat.getSizes(), csr=csr, comm=full.comm)
        transform.assemble()
        reduced = flat.ptap(transform)
        reduced.zeroRowsColumns(np.concatenate([*pinned, []]).astype(PETSc.IntType), diag=1.0)
        blocks = [[reduced.createSubMatrix(a, b) for b in sets] for a in sets]
        for m in (flat, transform, reduced):
            m.destroy()
        nest = PETSc.Mat().createNest(blocks, comm=full.comm)
        nest.assemble()
        return nest
