"""Sparse factors: right for the few thousand unknowns of a sphere, where iterations fail at low damping."""

from __future__ import annotations

import itertools
import time

import numpy as np
from petsc4py import PETSc

from ..energy.on_sphere import Array
from ..errors import SolverError

_counter = itertools.count()

type Options = dict[str, str | int | float | bool]


class Factor:
    """The LU factors of a matrix: PETSc's own on one rank, MUMPS on several.

    PETSc options under the prefix ``fespin_sphere_<n>_`` and those given are applied last. The
    constructor is collective, as are the solves.

    Raises
    ------
    SolverError
        If the matrix is singular.
    """

    def __init__(self, matrix: PETSc.Mat, options: Options | None = None) -> None:
        self.prefix = f"fespin_sphere_{next(_counter)}_"
        comm = matrix.getComm()
        self._ksp = PETSc.KSP().create(comm)
        self._ksp.setOptionsPrefix(self.prefix)
        self._ksp.setOperators(matrix)
        defaults: Options = {"ksp_type": "preonly", "pc_type": "lu"}
        if comm.size == 1:
            # Nodes that share a sparsity are eliminated together; no pivoting, hence the check of each solve.
            defaults |= {"pc_factor_mat_ordering_type": "nd", "pc_factor_mat_solver_type": "petsc"}
        else:
            # Without pivoting, too: weights differ by many powers of ten between neighbours.
            defaults |= {"pc_factor_mat_solver_type": "mumps", "mat_mumps_cntl_1": 0.0}
        database = PETSc.Options(self.prefix)
        ours = {k: v for k, v in {**defaults, **(options or {})}.items() if not database.hasName(k)}
        for k, v in ours.items():
            database.setValue(k, v)
        begin = time.perf_counter()
        try:
            self._ksp.setFromOptions()
            self._ksp.setUp()
        except PETSc.Error as error:
            self._ksp.destroy()
            raise SolverError(
                f"sphere: the matrix could not be factorized ({error}); try a finer mesh, or PETSc options "
                f"under the prefix -{self.prefix}"
            ) from error
        finally:
            for k in ours:
                database.delValue(k)
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

    def _run(self, b: Array, solve: object) -> Array:
        self._b.array[:] = b
        solve(self._b, self._x)  # type: ignore[operator]
        self.solves += 1
        if self._ksp.getConvergedReason() < 0 or not np.isfinite(self._x.norm()):
            raise SolverError("sphere: a solve failed; try a finer mesh")
        return np.array(self._x.array)

    def destroy(self) -> None:
        """Free the factors. Collective."""
        for x in (self._ksp, self._b, self._x):
            x.destroy()


def apply(matrix: PETSc.Mat, x: Array) -> Array:
    """Return the matrix times a vector, both this rank's part. Collective."""
    a, b = matrix.createVecs()
    a.array[:] = x
    matrix.mult(a, b)
    out = np.array(b.array)
    a.destroy()
    b.destroy()
    return out
