"""Kinds of case: what one declares, checks and runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FespinError, SolverError
from .schema import Table
from .tasks import Outlet, Results, Task

if TYPE_CHECKING:
    from mpi4py import MPI

    from .checkpoints import Checkpoints

type Writer = Callable[[Outlet], Results]
"""Function that runs the tasks of a case, writes its files and returns its part of ``summary.json``."""


def petsc_failed(case: Any, why: str) -> FespinError:
    """Return the error of a case whose solver PETSc gives up."""
    return SolverError(f"PETSc failed: {why}; try a finer or a coarser mesh")


@dataclass(frozen=True)
class Kind:
    """Kind of case: its tables, its tasks, and the functions that check, describe and run it.

    Every function but ``lines`` takes a validated case. What runs is imported inside ``prepare``, so that reading a
    case stays quick.

    Attributes
    ----------
    title
        Heading on the page of all keys.
    table
        Class of the whole case file.
    key
        Table whose presence tells this kind from others; None for the kind of every other file.
    subject
        Table that the tasks are about.
    tasks
        Classes of the tasks by their words.
    check
        Function that refuses what can be known to fail, before anything is meshed.
    describe
        Function that returns what would be run as text.
    notes
        Function that takes a case and the assignments of ``--set`` and returns the notes that the tables alone give.
    files
        Function that returns the names of mesh files, None among them.
    prepare
        Collective function that solves what comes before the output folder is made; it takes the communicator, the
        case, the folder of the case file, a function that prints progress, and a folder of checkpoints or None.
    lines
        Function that takes ``summary.json`` and returns the results as lines of text, without those of tasks.
    units
        Function that takes ``summary.json`` and returns the units of its entries but for tasks: by key those of the
        top level, by section and key those of tables.
    failed
        Function that takes a case and PETSc's reason and returns the error of a solver that PETSc gives up.
    """

    title: str
    table: type[Table]
    key: str | None
    subject: str
    tasks: Mapping[str, type[Task]]
    check: Callable[[Any], None]
    describe: Callable[[Any], str]
    notes: Callable[[Any, Sequence[str]], list[str]]
    files: Callable[[Any], Sequence[str | None]]
    prepare: Callable[[MPI.Intracomm, Any, Path, Callable[[str], None], Checkpoints | None], Writer]
    lines: Callable[[Results], list[str]] = lambda summary: []
    units: Callable[[Results], dict[str, Any]] = lambda summary: {}
    failed: Callable[[Any, str], FespinError] = petsc_failed
