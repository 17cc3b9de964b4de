"""End of a run on several ranks: all of it, with one line, whatever happens on one of them.

A rank that raises while the others wait for it in a collective call would leave them waiting for ever, and MPI's own
finalization at the end of Python waits for all ranks, too. Hence a rank that fails asks on a communicator of its own
whether all others fail, too. If they do, each leaves as it would alone; if not, this rank ends the run by
``MPI_Abort``.

Neither MPI nor PETSc is imported here: a program guards itself before they start.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from .errors import FespinError, InputError, one_line

if TYPE_CHECKING:
    from mpi4py import MPI

PATIENCE = 3.0
"""Seconds that a rank which fails waits for the others to fail, too."""
GRACE = 8.0
"""Seconds that a program has to end by itself after a signal."""

# Longer texts of errors are cut (characters).
_LONGEST = 2000
# Signals that by default end a process at once. SIGINT is not one of them: it raises KeyboardInterrupt.
_DEADLY = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)


class Signalled(SystemExit):
    """A signal that ends the process; its code is 128 and the signal's number.

    Attributes
    ----------
    number
        Number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.number = number

    def __reduce__(self) -> tuple[type[Signalled], tuple[int]]:
        return type(self), (self.number,)

    def __str__(self) -> str:
        return f"ended by {signal.Signals(self.number).name}"


def raise_signalled(number: int, frame: FrameType | None) -> NoReturn:
    """Handle a signal by an exception, which removes what is half-written on its way."""
    raise Signalled(number)


def describe(error: BaseException) -> str:
    """Return an error as one line: its text, or of an unexpected one the type and the place, too."""
    if isinstance(error, KeyboardInterrupt):
        return str(Signalled(signal.SIGINT))
    if isinstance(error, FespinError | Signalled):
        return _shortened(str(error))
    if isinstance(error, OSError) and error.strerror:
        return _shortened(f"{error.filename or 'output'}: {error.strerror}")
    where = traceback.extract_tb(error.__traceback__)
    place = f" ({os.path.basename(where[-1].filename)}, line {where[-1].lineno})" if where else ""
    text = str(error)
    return _shortened(f"{type(error).__name__}{': ' if text else ''}{text}") + place


def _shortened(text: str) -> str:
    text = one_line(text)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def status_of(error: BaseException) -> int:
    """Return the exit status of an error: 2 for bad input, 128 and its number for a signal, else 1."""
    if isinstance(error, KeyboardInterrupt):
        return 128 + signal.SIGINT
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    return 2 if isinstance(error, InputError) else 1


def say(text: str) -> None:
    """Print an error as one line on standard error, over a progress bar if there is one."""
    with suppress(OSError, ValueError):  # the reader of the output is gone
        erase = "\r\033[K" if sys.stderr.isatty() else ""
        print(f"{erase}fespin: error: {text}", file=sys.stderr, flush=True)


class Agreement:
    """Agreement that all ranks fail. The constructor is collective; the methods are called by ranks that fail.

    Parameters
    ----------
    comm
        Communicator; it is copied, so that messages under way on it do not matter.
    patience
        Seconds to wait for the others.
    """

    def __init__(self, comm: MPI.Intracomm, patience: float = PATIENCE) -> None:
        self.comm = comm.Dup()
        # If several ranks fail while others do not, the first of them ends the run.
        self.rank, self.patience = comm.rank, patience + min(0.1 * comm.rank, patience)

    def reached(self) -> bool:
        """Return whether all ranks come here in time."""
        try:
            everyone, end = self.comm.Ibarrier(), time.monotonic() + self.patience
            while not everyone.Test():
                if time.monotonic() > end:
                    return False
                time.sleep(0.01)
        except (KeyboardInterrupt, Signalled):
            return False
        return True

    def abort(self, text: str | None, status: int) -> NoReturn:
        """Say a line, if there is one, and end all ranks."""
        if text is not None:
            say(f"rank {self.rank}: {text}" if self.rank else text)
            time.sleep(0.5)  # launchers lose output that they have not yet passed on
        # A status of 0 would hide the failure.
        self.comm.Abort(status or 1)
        raise SystemExit(status or 1)


@contextmanager
def end_together(comm: MPI.Intracomm, *, patience: float = PATIENCE) -> Iterator[None]:
    """End all ranks when a block of code fails on one of them. Collective.

    Any exception counts, :class:`SystemExit` and :class:`KeyboardInterrupt`, too. If all ranks raise one, each goes on
    raising its own. If only some do, the others may wait for them for ever: the first rank that raised prints one line
    and calls ``MPI_Abort``. May be used as a decorator of a script's main function, too.

    Parameters
    ----------
    comm
        The ranks that run the block.
    patience
        Seconds that a rank which fails waits for the others.

    Examples
    --------
    >>> from mpi4py import MPI
    >>> with fs.end_together(MPI.COMM_WORLD):
    ...     answer = 6 * 7
    """
    if comm.size == 1:
        yield
        return
    agreement = Agreement(comm, patience)
    try:
        yield
    except BaseException as error:
        if not agreement.reached():
            agreement.abort(describe(error), status_of(error))
        raise
    finally:
        agreement.comm.Free()


# ---- programs
def guard_program(grace: float = GRACE) -> None:
    """Let signals end this process by an exception, and in any case within a time.

    Python calls the handler of a signal only between two of its instructions, and a single one may last for minutes: a
    solve, or the wait for another rank. A small process beside this one is therefore told of every signal at once. If
    this process still lives after some seconds, the small one says so in one line and kills it, and the launcher ends
    the other ranks. Signals that are ignored, as under nohup, stay ignored. To be called once, in the main thread,
    before MPI starts.

    Parameters
    ----------
    grace
        Seconds from a signal to the end.
    """
    heard = [n for n in _DEADLY if signal.getsignal(n) in (signal.SIG_DFL, signal.default_int_handler)]
    (ours, theirs), parent = os.pipe(), os.getpid()
    if os.fork() == 0:
        _wait_and_kill(ours, theirs, parent, grace, [int(n) for n in heard])
    os.close(ours)
    os.set_blocking(theirs, False)
    for number in heard:
        if number != signal.SIGINT:
            signal.signal(number, raise_signalled)
    signal.set_wakeup_fd(theirs, warn_on_full_buffer=False)


def reclaim_signals() -> None:
    """Install Python's handlers of signals again, which MPI, PETSc and gmsh replace as they start."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in _DEADLY:
        handler = signal.getsignal(number)
        if callable(handler):
            signal.signal(number, handler)


def _wait_and_kill(ours: int, theirs: int, parent: int, grace: float, heard: list[int]) -> NoReturn:
    """Kill the parent if it lives longer than it may after a signal. Ends with the parent."""
    try:
        os.setsid()  # the terminal's signals must not reach this process
        for number in heard:
            signal.signal(number, signal.SIG_IGN)
        for descriptor in (theirs, 0, 1):  # a launcher waits until all holders of its pipes are gone
            with suppress(OSError):
                os.close(descriptor)
        number = 0
        while not number:
            got = os.read(ours, 1)
            if not got:
                os._exit(0)
            number = got[0] if got[0] in heard else 0
        end = time.monotonic() + grace
        while (remaining := end - time.monotonic()) > 0:
            if select.select([ours], [], [], remaining)[0] and not os.read(ours, 1):
                os._exit(0)
        if os.getppid() == parent:
            say(str(Signalled(number)))
            time.sleep(0.5)
            os.kill(parent, signal.SIGKILL)
    finally:
        os._exit(0)
