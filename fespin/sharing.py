"""Independent pieces of work shared out among ranks; what fails on one fails on all."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from mpi4py import MPI

from .errors import FespinError, SolverError, one_line


def together[T](comm: MPI.Intracomm, work: Callable[[], T], owner: str) -> list[T]:
    """Return what every rank's work returns; raise on all ranks what it raises on any. Collective.

    Raises
    ------
    FespinError
        That of the first rank that failed; other errors as a :class:`SolverError` that names the owner.
    """
    found, failure = cast(T, None), None
    try:
        found = work()
    except FespinError as error:
        failure = error
    except Exception as error:  # of a user's function; the other ranks must hear of it
        failure = SolverError(f"{owner}: {type(error).__name__}: {one_line(str(error))}")
        failure.__cause__ = error
    parts = comm.allgather((found, failure))
    for rank, (_, failed) in enumerate(parts):
        if failed is not None:
            # A copy that has travelled has lost its cause.
            raise failure if failure is not None and rank == comm.rank else failed
    return [x for x, _ in parts]


def share_out[T](
    comm: MPI.Intracomm, count: int, work: Callable[[int], T], owner: str, done: Callable[[float], None] | None = None
) -> list[T]:
    """Return work(0), ..., work(count - 1), each done by one rank, on all ranks. Collective.

    Parameters
    ----------
    work
        Not collective; its results are small.
    done
        Called with the part of this rank's share that is done.
    """
    own = range(comm.rank, count, comm.size)

    def share() -> list[T]:
        out = []
        for i, k in enumerate(own, 1):
            out.append(work(k))
            if done is not None:
                done(i / len(own))
        return out

    parts = together(comm, share, owner)
    return [parts[k % comm.size][k // comm.size] for k in range(count)]
