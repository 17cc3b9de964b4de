"""PETSc's options, whose word counts, and the errors of solves that fail."""

from __future__ import annotations

import numpy as np
import pytest
from petsc4py import PETSc

from fespin.errors import SolverError
from fespin.petsc import (
    OptionSet,
    guarded,
    linear_solver,
    require_convergence,
    set_options,
    unique_prefix,
)
from fespin.sigma.factor import Factor


def matrix(n: int = 40, shift: float = 0.3) -> PETSc.Mat:
    """Return an oblique, diagonally dominant matrix that one step of an iteration does not invert."""
    i, j = np.indices((n, n))
    values = shift * np.eye(n) + np.where(abs(i - j) == 1, -0.7 - 0.2 * (i > j), 0) + np.diag(1.7 + 0.01 * np.arange(n))
    starts = np.arange(n + 1) * n
    csr = (starts.astype(PETSc.IntType), np.tile(np.arange(n), n).astype(PETSc.IntType), values.ravel())
    out = PETSc.Mat().createAIJ((n, n), csr=csr, comm=PETSc.COMM_SELF)
    out.assemble()
    return out


def test_prefixes_are_counted_by_name():
    first, second, other = unique_prefix("mine"), unique_prefix("mine"), unique_prefix("yours")
    assert (first, second, other) == ("fespin_mine_0_", "fespin_mine_1_", "fespin_yours_0_")


def test_whose_option_counts():
    """The command line first, then the user, then the defaults; in the end what is ours is gone."""
    prefix = unique_prefix("order")
    database = PETSc.Options(prefix)
    database.setValue("ksp_type", "bcgs")
    with set_options(prefix, {"ksp_type": "cg", "ksp_rtol": 1e-3, "pc_type": "sor"}, {"ksp_rtol": 1e-9}):
        ksp = linear_solver(matrix(), prefix)
        ksp.setFromOptions()
        assert ksp.getType() == "bcgs" and ksp.getTolerances()[0] == 1e-9 and ksp.getPC().getType() == "sor"
    assert database.hasName("ksp_type") and database.hasName("ksp_rtol") and not database.hasName("pc_type")
    for name in ("ksp_type", "ksp_rtol"):
        database.delValue(name)
    ksp.destroy()


def test_options_go_when_a_setup_fails():
    prefix = unique_prefix("failing")
    with pytest.raises(ZeroDivisionError), set_options(prefix, {"pc_type": "lu"}, {"ksp_rtol": 0.1}, keep_user=False):
        raise ZeroDivisionError
    assert not PETSc.Options(prefix).hasName("pc_type") and not PETSc.Options(prefix).hasName("ksp_rtol")


def test_options_that_are_removed_early():
    prefix = unique_prefix("early")
    database = PETSc.Options(prefix)
    chosen = OptionSet(prefix, {"ksp_rtol": 1e-8, "ksp_max_it": 20, "pc_type": "ilu"})
    chosen.remove("ksp_rtol", "never set")
    assert not database.hasName("ksp_rtol") and database.hasName("ksp_max_it")
    chosen.clear()
    assert not database.hasName("ksp_max_it") and not database.hasName("pc_type")


@pytest.mark.parametrize("most", [2, 500])
def test_a_solve_that_does_not_converge(most):
    a, prefix = matrix(), unique_prefix("short")
    ksp, (x, b) = linear_solver(a, prefix), a.createVecs()
    options = {"ksp_type": "gmres", "pc_type": "none", "ksp_max_it": most, "ksp_rtol": 1e-10}
    with set_options(prefix, options):
        ksp.setFromOptions()
    b.array[:] = np.sin(np.arange(40.0) ** 2)
    ksp.solve(b, x)
    if most == 500:
        require_convergence(ksp, "bar", "try a direct solver", x)
        assert np.allclose((a * x - b).array, 0, atol=1e-8)
        x.array[3] = np.nan
    with pytest.raises(SolverError, match=r"^bar: no convergence after \d+ iterations \(.*residual .*\); try a direct"):
        require_convergence(ksp, "bar", "try a direct solver", x)


def test_newton_without_a_solution():
    """x^2 + 1 = 0: the reason is named by PETSc's word."""
    snes, prefix = PETSc.SNES().create(PETSc.COMM_SELF), unique_prefix("newton")
    snes.setOptionsPrefix(prefix)
    f, x = PETSc.Vec().createSeq(1), PETSc.Vec().createSeq(1)
    j = PETSc.Mat().createDense((1, 1), comm=PETSc.COMM_SELF)
    j.setUp()

    def value(_, y, out):
        out.array[:] = y.array_r**2 + 1

    def slope(_, y, m, p):
        p[0, 0] = 2 * y.array_r[0]
        p.assemble()

    snes.setFunction(value, f)
    snes.setJacobian(slope, j)
    with set_options(prefix, {"snes_max_it": 4, "snes_linesearch_type": "basic", "pc_type": "lu"}):
        snes.setFromOptions()
    x.array[:] = 0.7
    snes.solve(None, x)
    with pytest.raises(SolverError, match=r"root: no convergence after \d steps \(\w+\); try another start"):
        require_convergence(snes, "root", "try another start")


def test_errors_of_petsc_say_what_to_try():
    a = matrix()
    ksp = linear_solver(a, unique_prefix("unknown"))
    ksp.getPC().setType("lu")

    def call():
        ksp.getPC().setFactorSolverType("nonsense")
        ksp.setUp()

    with pytest.raises(SolverError, match=r"^bar: no factor \(.*\); try 'mumps'") as error:
        guarded(call, "bar: no factor", "try 'mumps'")
    assert isinstance(error.value.__cause__, PETSc.Error)


def test_factors_leave_no_options_behind():
    a = matrix()
    before = set(PETSc.Options().getAll())
    factor = Factor(a, {"pc_factor_shift_type": "none"})
    b = np.cos(np.arange(40.0) ** 2)
    dense = np.array(a[:, :])
    assert np.allclose(dense @ factor.solve(b), b, atol=1e-12)
    assert np.allclose(dense.T @ factor.solve_transposed(b), b, atol=1e-12)
    assert set(PETSc.Options().getAll()) == before and factor.prefix.startswith("fespin_sphere_")
    factor.destroy()


def test_a_singular_factor():
    with pytest.raises(SolverError, match=r"sphere: .*; try a finer mesh"):
        Factor(matrix(shift=0.0).duplicate()).solve(np.ones(40))
