"""Sparse factors: right for the few thousand unknowns of a sphere, where iterations fail at low damping."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from petsc4py import PETSc

from ..energy.on_sphere import Array
from ..errors import SolverError
from ..petsc import (
    Options,
    destroy,
    factor_options,
    guarded,
    linear_solver,
    require_convergence,
    set_options,
    unique_prefix,
)


class Factor:
    """The LU factors of a matrix: PETSc's own on one rank, or on each rank if it is small; else MUMPS.

    PETSc options under the prefix ``fespin_sphere_<n>_`` and those given are applied last. The
    constructor is collective, as are the solves.

    Raises
    ------
    SolverError
        If the matrix is singular.
    """

    def __init__(self, matrix: PETSc.Mat, options: Options | None = None) -> None:
        self.prefix = unique_prefix("sphere")
        self._ksp = linear_solver(matrix, self.prefix)
        defaults = dict(factor_options(matrix, "petsc", options))
        if defaults.get("pc_factor_mat_solver_type") == "mumps":
            # Without pivoting, as PETSc's own: weights differ by many powers of ten between neighbours.
            defaults["mat_mumps_cntl_1"] = 0.0
        else:
            # Nodes that share a sparsity are eliminated together; no pivoting, hence the check of each solve.
            inner = "redundant_" if defaults["pc_type"] == "redundant" else ""
            defaults[f"{inner}pc_factor_mat_ordering_type"] = "nd"
        begin = time.perf_counter()
        advice = f"try a finer mesh, or PETSc options under the prefix -{self.prefix}"
        try:
            # A sphere has many factors: the user's options must not pile up.
            with set_options(self.prefix, defaults, options, keep_user=False):
                self._ksp.setFromOptions()
                guarded(self._ksp.setUp, "sphere: the matrix could not be factorized", advice)
        except (SolverError, PETSc.Error):
            self._ksp.destroy()
            raise
        self.seconds = time.perf_counter() - begin
        self._b, self._x = matrix.createVecs()
        self.solves = 0

    @property
    def memory(self) -> float:
        """Return about how many bytes the factors take over all ranks, 0 where the solver does not tell. Collective."""
        info = self._ksp.getPC().getFactorMatrix().getInfo(PETSc.Mat.InfoType.GLOBAL_SUM)
        return 12.0 * float(info["nz_used"])  # a number and its column each

    def solve(self, b: Array) -> Array:
        """Return the solution for a right-hand side, both this rank's part (owned,)."""
        return self._run(b, self._ksp.solve)

    def solve_transposed(self, b: Array) -> Array:
        """Return the solution with the transposed matrix."""
        return self._run(b, self._ksp.solveTranspose)

    def _run(self, b: Array, solve: Callable[[PETSc.Vec, PETSc.Vec], None]) -> Array:
        self._b.array[:] = b
        solve(self._b, self._x)
        self.solves += 1
        require_convergence(self._ksp, "sphere", "try a finer mesh", self._x)
        return np.array(self._x.array)

    def destroy(self) -> None:
        """Free the factors. Collective."""
        destroy(self._ksp, self._b, self._x)
