"""Linear solvers of systems of fields: one multigrid per field, or a factor; errors say what to try."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from petsc4py import PETSc

from .errors import InputError, SolverError, nearest
from .petsc import (
    Options,
    destroy,
    factor_options,
    guarded,
    linear_solver,
    require_convergence,
    set_options,
    unique_prefix,
)

KINDS = ("auto", "amg", "direct")

# BoomerAMG on flat cells (0.3 nm high, 8 nm wide): this threshold took half of the iterations that 0.5 takes.
_BOOMERAMG: Options = {
    "ksp_type": "preonly",
    "pc_type": "hypre",
    "pc_hypre_type": "boomeramg",
    "pc_hypre_boomeramg_strong_threshold": 0.75,
    "pc_hypre_boomeramg_coarsen_type": "HMIS",
    "pc_hypre_boomeramg_interp_type": "ext+i",
    "pc_hypre_boomeramg_P_max": 4,
    "pc_hypre_boomeramg_relax_type_all": "Chebyshev",
}
# Complex builds of PETSc have no hypre.
_GAMG: Options = {
    "ksp_type": "preonly",
    "pc_type": "gamg",
    "pc_gamg_threshold": 0.02,
    "mg_levels_ksp_type": "chebyshev",
    "mg_levels_pc_type": "jacobi",
}


@dataclass(frozen=True)
class SolverOptions:
    """Choices for the solution of a linear system.

    Attributes
    ----------
    kind
        "amg": conjugate gradients with one algebraic multigrid per field;
        "direct": MUMPS; "auto": direct on lines, amg elsewhere.
    rtol
        Reduction of the residual by "amg". Between two contacts transport takes one pass for it, and another where
        currents are wrong by more than 100 times this; below 1e-9 it takes two passes, each with the root of it. With
        more contacts, with heat, in time and for turning magnets each of two passes reduces by this or the root.
    max_iterations
        Largest number of iterations of one pass.
    petsc
        Any PETSc options, without prefix; applied last.

    Raises
    ------
    InputError
        If `kind` is unknown or `rtol` is not between 0 and 1.

    Examples
    --------
    >>> options = fs.SolverOptions("amg", rtol=1e-10, petsc={"ksp_max_it": 200})
    >>> problem = fs.TransportProblem(fs.line(comm, stack), solver=options)
    >>> abs(problem.solve(current_density=1e11).power_balance) < 1e-9
    True
    """

    kind: str = "auto"
    rtol: float = 1e-8
    max_iterations: int = 500
    petsc: Options = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"solver kind is '{self.kind}': {nearest(self.kind, KINDS)}")
        if not 0 < self.rtol < 1:
            raise InputError(f"solver rtol is {self.rtol}; it must lie between 0 and 1")
        if self.max_iterations < 1:
            raise InputError(f"solver max_iterations is {self.max_iterations}; it must be positive")


class LinearSolver:
    """A positive system of one or several fields, set up once and solved many times.

    The constructor builds the preconditioner or factor. It is collective.

    Parameters
    ----------
    matrix
        A nest with one row and column of blocks per field. Owned by the caller.
    options
        `kind` must be "amg" or "direct".
    name
        Name of what is solved, for the options prefix and messages.
    symmetric
        False: "amg" is GMRES instead of conjugate gradients.

    Raises
    ------
    SolverError
        If the preconditioner or factor cannot be made.
    """

    def __init__(self, matrix: PETSc.Mat, options: SolverOptions, name: str, *, symmetric: bool = True) -> None:
        self.options = options
        self.name = name
        self.prefix = unique_prefix(name)
        self.iterations = 0
        self._flat: PETSc.Mat | None = None
        self._ksp = ksp = linear_solver(None, self.prefix, matrix.comm)
        defaults = self._direct(matrix) if options.kind == "direct" else self._multigrid(matrix, symmetric)
        try:
            with set_options(self.prefix, defaults, options.petsc):
                ksp.setFromOptions()
                self._guarded(ksp.setUp)
                if ksp.getPC().getType() == "fieldsplit":
                    for sub in ksp.getPC().getFieldSplitSubKSP():
                        self._guarded(sub.setUp)
        except (SolverError, PETSc.Error):
            self.destroy()
            raise

    def _direct(self, matrix: PETSc.Mat) -> Options:
        """Give the KSP a flat copy of the matrix; return its options."""
        # Without another target matrix PETSc would convert the caller's.
        self._flat = matrix.convert("aij", PETSc.Mat())
        self._ksp.setOperators(self._flat)
        return factor_options(self._flat, "mumps", self.options.petsc)

    def _multigrid(self, matrix: PETSc.Mat, symmetric: bool) -> Options:
        """Split the fields of the KSP's matrix; return its options."""
        sets = matrix.getNestISs()[0]
        block = _BOOMERAMG if PETSc.Sys.hasExternalPackage("hypre") else _GAMG
        stop: Options = {
            "ksp_norm_type": "unpreconditioned",
            "ksp_rtol": self.options.rtol,
            "ksp_max_it": self.options.max_iterations,
        }
        krylov: Options = {"ksp_type": "cg"}
        if not symmetric:
            krylov = {"ksp_type": "gmres", "ksp_gmres_restart": 100, "ksp_pc_side": "right"}
        if len(sets) == 1:
            # PETSc does not accept a split into a single field.
            self._ksp.setOperators(matrix.getNestSubMatrix(0, 0))
            return {**block, **krylov, **stop}
        self._ksp.setOperators(matrix)
        self._ksp.getPC().setType("fieldsplit")
        self._ksp.getPC().setFieldSplitIS(*[(str(i), s) for i, s in enumerate(sets)])
        fields = {f"fieldsplit_{i}_{k}": v for i in range(len(sets)) for k, v in block.items()}
        order = "symmetric_multiplicative" if symmetric else "multiplicative"
        return {**fields, **krylov, **stop, "pc_fieldsplit_type": order}

    def _guarded(self, call: Callable[[], object]) -> None:
        guarded(call, f"{self.name}: the solver could not be set up", self._advice())

    def _advice(self) -> str:
        if self.options.kind == "direct":
            return "the system may be singular: give every part of the device a contact with a voltage"
        return (
            "try the solver kind 'direct', a finer mesh at the interfaces, more max_iterations, "
            f"or PETSc options under the prefix -{self.prefix}"
        )

    def solve(self, right: PETSc.Vec, x: PETSc.Vec) -> None:
        """Solve A x = right. Collective.

        Raises
        ------
        SolverError
            If the iteration does not converge; the text says what to try.
        """
        self._guarded(lambda: self._ksp.solve(right, x))
        self.iterations += self._ksp.getIterationNumber()
        require_convergence(self._ksp, self.name, self._advice(), x)

    def vectors(self) -> tuple[PETSc.Vec, PETSc.Vec]:
        """Return two vectors laid out as the matrix."""
        b, x = self._ksp.getOperators()[0].createVecs()
        return b, x

    def destroy(self) -> None:
        """Free the solver with its factor or preconditioner. Collective."""
        destroy(self._ksp, self._flat)
