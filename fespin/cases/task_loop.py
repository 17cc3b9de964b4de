"""The loop over the tasks of a case: one that fails loses no results of the others."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from mpi4py import MPI
from petsc4py import PETSc

from ..errors import FespinError, InputError, SolverError, one_line
from .tasks import Results, Task, names_of

# How long a rank whose task failed waits for the others, which must have failed likewise (s).
_PATIENCE = 10.0


def run_each[T: Task](
    comm: MPI.Intracomm,
    tasks: Sequence[T],
    work: Callable[[T, str], Results],
    say: Callable[[str], None],
    *,
    alone: bool = True,
) -> dict[str, Results]:
    """Return the inputs and results of tasks by name, one after the other; errors name the task. Collective.

    A task that fails loses no other: its results are its inputs and the line of its error, under "error". Only if all
    of them fail and there is nothing else to keep, the first one's error is raised.

    Parameters
    ----------
    work
        Takes a task and its name. Results may have the key "missing": lines that say which parts failed.
    say
        Called with progress.
    alone
        True if the results of the tasks are all that the case has.

    Raises
    ------
    InputError, SolverError
        If no task has a result.
    """
    results: dict[str, Results] = {}
    failures: list[FespinError] = []
    aside = comm.Dup() if comm.size > 1 else comm
    for i, (task, name) in enumerate(zip(tasks, names_of(tasks), strict=True), 1):
        begin, owner = time.perf_counter(), f"task {i} ({task.kind})"
        failure: FespinError | None = None
        results[name] = task.used()
        try:
            outputs = work(task, name)
            require_numbers(owner, outputs)
        except (InputError, SolverError) as error:
            failure = type(error)(str(error) if str(error).startswith(owner) else f"{owner}: {error}")
            failure.__cause__ = error
        except (PETSc.Error, MemoryError) as error:
            if comm.size > 1:  # the error may be of this rank alone, so that no rank can go on
                raise
            failure = SolverError(f"{owner}: {type(error).__name__}: {_reason(error)}")
            failure.__cause__ = error
        failure = _agreed(aside, failure)
        if failure is None:
            results[name] |= outputs
            say(f"task {name}: {task.kind}, {time.perf_counter() - begin:.2f} s")
        else:
            failures.append(failure)
            results[name]["error"] = one_line(str(failure))
            if len(tasks) > 1 or not alone:
                say(f"failed: {results[name]['error']}")
    if comm.size > 1:
        aside.Free()
    if failures and len(failures) == len(results) and alone:
        raise failures[0]
    return results


def _reason(error: Exception) -> str:
    return one_line(str(error).rpartition("] ")[2]) or "out of memory"


def _agreed(comm: MPI.Intracomm, failure: FespinError | None) -> FespinError | None:
    """Return the error of the first rank that has one, None if none has. Collective.

    Raises
    ------
    FespinError
        This rank's own, if the others do not come: they wait within the task.
    """
    if comm.size == 1:
        return failure
    worst = np.zeros(1, dtype="i")
    request = comm.Iallreduce(np.array([failure is not None], dtype="i"), worst, op=MPI.MAX)
    if failure is None:
        request.Wait()
    else:
        patience = time.monotonic() + _PATIENCE
        while not request.Test():
            if time.monotonic() > patience:
                raise failure
            time.sleep(0.01)
    if not worst[0]:
        return None
    failures: list[FespinError | None] = comm.allgather(failure)
    return next(x for x in failures if x is not None)


def missing(summary: Mapping[str, Any]) -> list[str]:
    """Return a line for each task of a summary that failed, and for each part of one."""
    out = []
    for name, results in summary.get("tasks", {}).items():
        if "error" in results:
            out.append(f"task {name} failed: {results['error']}")
        out += [f"task {name}: {line}" for line in results.get("missing", [])]
    return out


def require_numbers(owner: str, results: Mapping[str, Any]) -> None:
    """Refuse results that are not numbers.

    Raises
    ------
    SolverError
        With the key of the first.
    """
    for key, value in results.items():
        try:
            json.dumps(value, allow_nan=False)
        except ValueError as error:
            why = f"{owner}: {key} is not finite; try shorter times, a lower barrier or a finer mesh"
            raise SolverError(why) from error
