"""Blocks of a matrix as sums of multiples of a few templates.

In a region whose coefficients are constant the block of fields i and j is ``k_ij K + r_ij M`` with the region's
stiffness matrix K and mass matrix M. Both are assembled once for all blocks and states of one sparsity pattern; another
state, such as a magnet that has turned, is a sum of arrays. What lies on interfaces and contacts, or varies inside
regions, is assembled in each state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from dolfinx import fem, la
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from .kernels import Indices

type Array = NDArray[np.float64]
type Bulk = Callable[[int, bool], fem.Form]
"""Takes a region and whether its mass matrix is meant, else the stiffness matrix; returns a form of that alone."""


@dataclass
class Layout:
    """Sparsity pattern that some blocks share, with the templates of its regions.

    Attributes
    ----------
    comm
        Ranks that share the rows.
    work
        Matrix of the pattern, whose values are those of the last assembly.
    templates
        Entries and values of the stiffness (False) and mass matrix (True) of regions.
    """

    comm: MPI.Intracomm
    work: la.MatrixCSR
    templates: dict[tuple[int, bool], tuple[Indices, Array]] = field(default_factory=dict)
    _pinned: dict[tuple[bytes, bytes], tuple[Indices, Indices]] = field(default_factory=dict)

    @classmethod
    def of(cls, form: fem.Form, diagonal: Indices | None) -> Layout:
        """Return the layout of a form's pattern, with some rows' diagonal. Collective."""
        pattern = fem.create_sparsity_pattern(form)
        if diagonal is not None:
            pattern.insert_diagonal(diagonal)
        pattern.finalize()
        return cls(form.mesh.comm, la.matrix_csr(pattern))

    @property
    def rows(self) -> int:
        """Number of this rank's own rows."""
        return int(self.work.index_map(0).size_local)

    @property
    def entries(self) -> int:
        """Number of entries in this rank's own rows."""
        return int(self.work.indptr[self.rows])

    def _assembled(self, forms: Iterable[fem.Form]) -> Array:
        """Return the values of a sum of forms in this rank's own rows, which hold until the next. Collective."""
        self.work.data[:] = 0.0
        for form in forms:
            fem.assemble_matrix(self.work, form)
        self.work.scatter_reverse()
        own: Array = self.work.data[: self.entries]
        return own

    def values(self, forms: Iterable[fem.Form]) -> Array:
        """Return the values of a sum of forms in this rank's own rows. Collective."""
        return self._assembled(forms).copy()

    def add_bulk(self, values: Array, bulk: Bulk, region: int, conduction: float, reaction: float) -> None:
        """Add a region's stiffness and mass matrix with their coefficients to values. Collective."""
        for mass, coefficient in ((False, conduction), (True, reaction)):
            if not coefficient:
                continue
            if (region, mass) not in self.templates:
                found = self._assembled([bulk(region, mass)])
                # Of flags it takes a tenth of the time.
                at = np.flatnonzero(found != 0.0).astype(np.int32)
                self.templates[region, mass] = at, found[at]
            at, template = self.templates[region, mass]
            values[at] += coefficient * template

    def pin(self, values: Array, rows: Indices, columns: Indices, *, diagonal: bool) -> None:
        """Set pinned rows and columns (local numbers) to zero, and the diagonal of diagonal blocks to 1. Collective."""
        key = (rows.tobytes(), columns.tobytes())
        # The same rows may be pinned here while others are pinned elsewhere: all ranks look for entries, or none.
        if not self.comm.allreduce(key in self._pinned, op=MPI.LAND):
            self._pinned[key] = self._entries_at(rows, columns)
        out, on_diagonal = self._pinned[key]
        values[out] = 0.0
        if diagonal:
            values[on_diagonal] = 1.0

    def _entries_at(self, rows: Indices, columns: Indices) -> tuple[Indices, Indices]:
        """Return the entries of some rows and columns, and those of the rows that are on the diagonal. Collective."""
        own, start = self.rows, self.work.indptr
        in_rows, in_columns = np.zeros(own, bool), la.vector(self.work.index_map(1))
        in_rows[rows[rows < own]] = True
        # Columns that other ranks' cells have put into this rank's rows are in no space's dof map.
        in_columns.array[columns[columns < self.work.index_map(1).size_local]] = 1.0
        in_columns.scatter_forward()
        found = self.work.indices[: self.entries]
        of_row = np.repeat(np.arange(own, dtype=np.int32), np.diff(start[: own + 1]))
        out = np.flatnonzero(in_rows[of_row] | (in_columns.array[found] > 0))
        return out.astype(np.int32), out[found[out] == of_row[out]].astype(np.int32)

    def _csr(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return offsets and global columns of this rank's own rows, as PETSc wants them."""
        columns = self.work.index_map(1).local_to_global(np.asarray(self.work.indices[: self.entries], np.int32))
        return self.work.indptr[: self.rows + 1].astype(PETSc.IntType), columns.astype(PETSc.IntType)

    def matrix(self, values: Array, spaces: Sequence[fem.FunctionSpace]) -> PETSc.Mat:
        """Return a matrix with values in this rank's own rows. Collective."""
        maps = [v.dofmap.index_map for v in spaces]
        sizes = [(m.size_local, m.size_global) for m in maps]
        comm = spaces[0].mesh.comm
        made = PETSc.Mat().createAIJ(sizes, csr=(*self._csr(), values), comm=comm)
        numbers = [m.local_to_global(np.arange(m.size_local + m.num_ghosts, dtype=np.int32)) for m in maps]
        rows, columns = (PETSc.LGMap().create(n.astype(PETSc.IntType), comm=comm) for n in numbers)
        made.setLGMap(rows, columns)
        made.assemble()
        return made

    def refill(self, matrix: PETSc.Mat, values: Array) -> None:
        """Set the values of a matrix that :meth:`matrix` has made. Collective."""
        matrix.setValuesCSR(*self._csr(), values)
        matrix.assemble()
