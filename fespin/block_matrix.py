"""Sparse matrices from blocks of cells, and their factors: PETSc with a prefix of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from petsc4py import PETSc
from scipy import sparse

from .errors import SolverError
from .grid import Array, Grid
from .petsc import Options, OptionSet, destroy, factor_options, guarded, linear_solver, unique_prefix


class BlockMatrix:
    """A matrix of k x k blocks between the nodes of a grid, refilled at each use. Collective throughout.

    On lines and surfaces it is factorized, by PETSc on one rank and MUMPS on several; in bodies GMRES with incomplete
    factors solves it. PETSc options under the prefix ``fespin_texture_<name>_<n>_`` and those given are applied last.
    A factor is kept until :meth:`refresh` asks for another.

    Parameters
    ----------
    k
        Unknowns per node.
    name
        Name of the equations, for the prefix and for messages.
    symmetric
        True if the matrix is symmetric and positive, so that conjugate gradients serve in bodies.
    tolerance
        Relative residual at which iterations in bodies end; default 1e-12 if symmetric, else 1e-8.
    options
        PETSc options without prefix.
    """

    def __init__(
        self,
        grid: Grid,
        k: int,
        name: str,
        *,
        symmetric: bool = False,
        tolerance: float | None = None,
        options: Options | None = None,
    ) -> None:
        self._grid, self._k, self._name = grid, k, name
        # Only the equations of a time step are not symmetric.
        self._hint = "try another mesh" if symmetric else "try a smaller step"
        # Rows of other ranks' nodes are sent to them in the assembly.
        nodes, cells = len(grid.positions), grid.cells
        rows = np.broadcast_to(cells[:, :, None], (*cells.shape, cells.shape[1]))
        cols = np.broadcast_to(cells[:, None, :], rows.shape)
        own = np.arange(grid.owned)
        keys = np.concatenate([(rows * nodes + cols).ravel(), own * (nodes + 1)])
        pairs, which = np.unique(keys, return_inverse=True)
        entries = np.arange(len(keys))
        self._sum = sparse.csr_matrix((np.ones(len(keys)), (which, entries)), shape=(len(pairs), len(keys)))
        part, local = np.arange(k), (pairs // nodes, pairs % nodes)
        i = np.broadcast_to((k * local[0])[:, None, None] + part[:, None], (len(pairs), k, k)).ravel()
        j = np.broadcast_to((k * grid.numbers[local[1]])[:, None, None] + part, (len(pairs), k, k)).ravel()
        self._order = np.lexsort((j, i))
        starts = np.searchsorted(i[self._order], np.arange(k * nodes + 1))
        rowmap = (k * grid.numbers[:, None] + part).ravel()
        self._pattern = [x.astype(PETSc.IntType) for x in (starts, j[self._order], rowmap)]
        sizes = (k * grid.owned, k * grid.map.size_global)
        self.matrix = PETSc.Mat().create(grid.comm)
        self.matrix.setSizes((sizes, sizes))
        self.matrix.setType("aij")
        self.matrix.setUp()
        self.prefix = unique_prefix(f"texture_{name}")
        self._ksp = linear_solver(self.matrix, self.prefix)
        defaults: dict[str, Any]
        if grid.dim < 3:
            defaults = dict(factor_options(self.matrix, "petsc", options))
            if defaults.get("pc_factor_mat_solver_type") == "petsc":
                defaults["pc_factor_mat_ordering_type"] = "nd"
        else:
            tolerance = tolerance or (1e-12 if symmetric else 1e-8)
            defaults = {"ksp_type": "cg" if symmetric else "gmres", "ksp_rtol": tolerance}
            defaults |= {"ksp_max_it": 2000, "pc_type": "bjacobi"}
        self.options = OptionSet(self.prefix, defaults, options)
        self._ksp.setFromOptions()
        self._b = self._x = None

    def refresh(self, blocks: Array, diagonal: Array) -> None:
        """Fill the matrix; the next solve factorizes it.

        Parameters
        ----------
        blocks
            Blocks of the cells (cells, dim + 1, dim + 1, k, k).
        diagonal
            Blocks to add at this rank's own nodes (owned, k, k).
        """
        k = self._k * self._k
        values = self._sum @ np.concatenate([blocks.reshape(-1, k), diagonal.reshape(-1, k)])
        starts, columns, rows = self._pattern
        self.matrix.zeroEntries()
        self.matrix.setValuesIJV(starts, columns, values.ravel()[self._order], PETSc.InsertMode.ADD_VALUES, rows)
        self.matrix.assemble()
        self._ksp.setOperators(self.matrix)
        try:
            guarded(self._ksp.setUp, f"texture: the matrix of the {self._name} is singular", self._hint)
        finally:
            # Inner solvers read their options when they are made, which is at the first solve.
            if self._b is not None:
                self.options.clear(user=True)
        if self._b is None:
            self._b, self._x = self.matrix.createVecs()

    def solve(self, right: Array) -> Array:
        """Return the solution (owned, k) for a right-hand side (owned, k).

        Raises
        ------
        SolverError
            If it fails.
        """
        assert self._b is not None and self._x is not None
        self._b.array[:] = right.ravel()
        self._ksp.solve(self._b, self._x)
        if self._ksp.getConvergedReason() < 0 or not np.isfinite(self._x.norm()):
            raise SolverError(
                f"texture: a solve of the {self._name} failed; {self._hint}, or PETSc options under the prefix "
                f"-{self.prefix}"
            )
        return np.array(self._x.array.reshape(-1, self._k))

    def destroy(self) -> None:
        """Free the matrix and its factor."""
        destroy(self._ksp, self.matrix, self._b, self._x)
