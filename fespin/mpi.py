"""Work on several ranks: done by the first, by all, or shared out; an error on one rank is raised on all."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import cast

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from .errors import FespinError, SolverError, one_line
from .progress import Progress


def first_rank[T](comm: MPI.Intracomm, work: Callable[[], T]) -> T:
    """Return on all ranks what work returns on the first; raise on all what it raises there. Collective.

    Parameters
    ----------
    work
        Function that is called on the first rank only; what it returns can be pickled.

    Raises
    ------
    BaseException
        Any, also :class:`SystemExit` and :class:`KeyboardInterrupt`.
    """
    result, failure = cast(T, None), None
    if comm.rank == 0:
        try:
            result = work()
        except BaseException as error:  # of whatever kind: the other ranks wait for the outcome
            failure = error
    others = comm.bcast((result, _portable(failure)), 0)
    if failure is not None:
        raise failure
    if others[1] is not None:
        raise others[1]
    return cast(T, others[0])


def _portable(error: BaseException | None) -> BaseException | None:
    """Return an error that can be sent to another rank: itself, or one that says the same."""
    if error is None:
        return None
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # pickling fails in as many ways as there are classes
        return SolverError(f"{type(error).__name__}: {one_line(str(error))}")
    return error


def agree_on_errors[T](comm: MPI.Intracomm, work: Callable[[], T], owner: str) -> list[T]:
    """Return what every rank's work returns; raise on all ranks what it raises on any. Collective.

    Raises
    ------
    FespinError
        That of the first rank that failed; other errors as a :class:`SolverError` that names the owner.
    SystemExit, KeyboardInterrupt
        As they are.
    """
    failure: BaseException | None
    result, failure = cast(T, None), None
    try:
        result = work()
    except (FespinError, SystemExit, KeyboardInterrupt) as error:
        failure = error
    except Exception as error:  # of a user's function; the other ranks must hear of it
        failure = SolverError(f"{owner}: {type(error).__name__}: {one_line(str(error))}")
        failure.__cause__ = error
    if comm.allreduce(failure is not None, MPI.LOR):
        failures = comm.allgather(failure)
        first = next(rank for rank, failed in enumerate(failures) if failed is not None)
        first_failure = failures[first]
        assert first_failure is not None
        # Pickling drops `__cause__`, so the rank that failed raises its own error.
        raise failure if failure is not None and first == comm.rank else first_failure
    return comm.allgather(result)


def has_best(comm: MPI.Intracomm, scores: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return a mask of the entries that are largest here among all ranks, on the lowest rank if equal. Collective.

    Parameters
    ----------
    scores
        Numbers, of the same shape on all ranks.
    """
    highest = np.empty_like(scores)
    comm.Allreduce(scores, highest, MPI.MAX)
    rank = np.where(scores == highest, comm.rank, comm.size)
    comm.Allreduce(MPI.IN_PLACE, rank, MPI.MIN)
    return np.asarray(rank == comm.rank)


def map_over_ranks[T](
    comm: MPI.Intracomm, count: int, work: Callable[[int], T], owner: str, progress: Progress | None = None
) -> list[T]:
    """Return work(0), ..., work(count - 1), each done by one rank, on all ranks. Collective.

    Parameters
    ----------
    work
        Function of the number of a piece, called on one rank; its results are small.
    progress
        Function called with the part of this rank's share that is done; not collective.
    """
    own = range(comm.rank, count, comm.size)

    def share() -> list[T]:
        out = []
        for i, k in enumerate(own, 1):
            out.append(work(k))
            if progress is not None:
                progress(i / len(own))
        return out

    parts = agree_on_errors(comm, share, owner)
    return [parts[k % comm.size][k // comm.size] for k in range(count)]
