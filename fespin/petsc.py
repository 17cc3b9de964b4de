"""Prefixes, options and errors of PETSc's solvers, the same way for all of them.

Every solver has options of its own under a unique prefix, ``fespin_<name>_<n>_``. What is on the command line or in
PETSC_OPTIONS under this prefix comes first, then what the user gives to the solver, then the solver's defaults. Which
options a case file may give is a list in :mod:`fespin.cases.petsc_options`.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
from petsc4py import PETSc

from .errors import SolverError, one_line

type Options = Mapping[str, str | int | float | bool | None]
"""PETSc options by name, without leading hyphen and prefix."""

_counters: defaultdict[str, Iterator[int]] = defaultdict(itertools.count)


def unique_prefix(name: str) -> str:
    """Return a prefix of options that no other solver has; the n-th solver of a name has the number n - 1.

    Parameters
    ----------
    name
        Name of what is solved. Ranks that make the same solvers in the same order get the same prefixes.

    Examples
    --------
    >>> unique_prefix("example")
    'fespin_example_0_'
    >>> unique_prefix("example")
    'fespin_example_1_'
    """
    return f"fespin_{name}_{next(_counters[name])}_"


class OptionSet:
    """Options in PETSc's database under a prefix, from now until :meth:`clear`.

    Options that are there already, from the command line or PETSC_OPTIONS, are left as they are.

    Parameters
    ----------
    prefix
        Prefix of the solver.
    defaults
        Options that fespin sets.
    user
        Options of the user, which override the defaults.
    """

    def __init__(self, prefix: str, defaults: Options, user: Options | None = None) -> None:
        self._database, self._user = PETSc.Options(prefix), frozenset(user or {})
        merged = {**defaults, **(user or {})}
        self._set = {k: v for k, v in merged.items() if not self._database.hasName(k)}
        for k, v in self._set.items():
            self._database.setValue(k, v)

    def clear(self, *, user: bool = False) -> None:
        """Remove the options that were set, those of the user only if `user` is true.

        The user's usually stay: at the end of the program PETSc names those that no solver has read.
        """
        self.remove(*(k for k in self._set if user or k not in self._user))

    def remove(self, *names: str) -> None:
        """Remove options that were set, such as those that a solver does not read after all."""
        for k in names:
            if k in self._set and self._database.hasName(k):
                self._database.delValue(k)
            self._set.pop(k, None)


@contextmanager
def set_options(
    prefix: str, defaults: Options, user: Options | None = None, *, keep_user: bool = True
) -> Iterator[None]:
    """Set options while a solver reads them (a context manager); see :class:`OptionSet`.

    Parameters
    ----------
    keep_user
        Leave the user's options where they are, so that PETSc names those that nothing has read.

    Examples
    --------
    >>> ksp = PETSc.KSP().create(comm)
    >>> ksp.setOptionsPrefix("fespin_example_")
    >>> with set_options(ksp.getOptionsPrefix(), {"ksp_type": "preonly", "pc_type": "lu"}, {"pc_type": "cholesky"}):
    ...     ksp.setFromOptions()
    >>> ksp.getPC().getType()
    'cholesky'
    """
    installed = OptionSet(prefix, defaults, user)
    try:
        yield
    finally:
        installed.clear(user=not keep_user)


def linear_solver(matrix: PETSc.Mat | None, prefix: str, comm: object = None) -> PETSc.KSP:
    """Return a solver with a prefix, of a matrix if one is given; its options are not read yet. Collective."""
    ksp = PETSc.KSP().create(comm if matrix is None else matrix.getComm())
    ksp.setOptionsPrefix(prefix)
    if matrix is not None:
        ksp.setOperators(matrix)
    return ksp


FEW_UNKNOWNS = 20_000
"""Unknowns up to which several ranks factorize a matrix each for themselves."""


def factor_options(matrix: PETSc.Mat, library: str, user: Options | None = None) -> Options:
    """Return the options of a direct solver, on any number of ranks.

    A matrix of few unknowns is copied to every rank and factorized there: its solves take less time than the messages
    of a factor that is spread over ranks. With options of the user the factor is the one that they ask for.

    Parameters
    ----------
    matrix
        Matrix to factorize; its size decides.
    library
        Package that factorizes on one rank, such as "petsc" or "mumps".
    user
        Options of the user.

    Examples
    --------
    >>> matrix = PETSc.Mat().createAIJ([3, 3], comm=comm)
    >>> factor_options(matrix, "petsc")["pc_type"]
    'lu'
    """
    size = matrix.getComm().size
    if size > 1 and matrix.getSize()[0] <= FEW_UNKNOWNS and not user:
        return {
            "ksp_type": "preonly",
            "pc_type": "redundant",
            "redundant_ksp_type": "preonly",
            "redundant_pc_type": "lu",
            "redundant_pc_factor_mat_solver_type": library,
        }
    return {
        "ksp_type": "preonly",
        "pc_type": "lu",
        "pc_factor_mat_solver_type": library if size == 1 else "mumps",
    }


def guarded(call: Callable[[], object], failed: str, advice: str) -> None:
    """Call PETSc, and turn its failure to an error that says what to try. Collective if the call is.

    Parameters
    ----------
    failed
        Meaning of a failure, such as "transport: the solver could not be set up".
    advice
        Hint to what the user may try.

    Raises
    ------
    SolverError
        ``<failed> (<PETSc's error>); <advice>``.
    """
    try:
        call()
    except PETSc.Error as error:
        raise SolverError(f"{failed} ({one_line(str(error))}); {advice}") from error


def require_convergence(solver: PETSc.KSP | PETSc.SNES, owner: str, advice: str, x: PETSc.Vec | None = None) -> None:
    """Refuse a solve that has not converged. Collective.

    Parameters
    ----------
    solver
        Linear or nonlinear, after its solve.
    owner, advice
        Words of the error: what was solved, and what to try.
    x
        Solution, which must be finite.

    Raises
    ------
    SolverError
        With the number of iterations and PETSc's reason.
    """
    reason = solver.getConvergedReason()
    if reason >= 0 and (x is None or np.isfinite(x.norm())):
        return
    linear = isinstance(solver, PETSc.KSP)
    why = convergence_reason(solver, reason)
    if linear:
        why += f", residual {solver.getResidualNorm():.2g}"
    raise SolverError(
        f"{owner}: no convergence after {solver.getIterationNumber()} {'iterations' if linear else 'steps'} ({why}); "
        f"{advice}"
    )


def convergence_reason(solver: PETSc.KSP | PETSc.SNES, reason: int) -> str:
    """Return PETSc's name of a reason to stop, of this kind of solver."""
    names = vars(type(solver).ConvergedReason)
    return next((k for k, v in names.items() if isinstance(v, int) and v == reason), str(reason))


def destroy(*items: object) -> None:
    """Free PETSc's objects, and leave out what is None. Collective."""
    for item in items:
        if item is not None:
            item.destroy()  # type: ignore[attr-defined]
