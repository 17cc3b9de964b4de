"""Files: written aside and moved into place, once, whatever the number of ranks."""

from __future__ import annotations

import contextlib
import csv
import ctypes
import errno
import fcntl
import io
import itertools
import json
import os
import re
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

import numpy as np
from dolfinx import fem
from dolfinx.io import VTXWriter
from mpi4py import MPI

from .domain import Domain
from .errors import FespinError, InputError, one_line
from .mpi import first_rank
from .onsager.broken import broken_space

_LOCK = ".lock"
# On file systems without locks, the check for existence at the end still keeps the results of two runs apart.
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
# Bytes that a file of fields takes beside its numbers: metadata, and gaps from alignment.
_MARGIN = 1 << 17


class OutputFolder:
    """A folder that appears complete or not at all, and that one run writes at a time.

    Files go to `path`, a hidden sibling that holds a lock from :meth:`claim` on. Use as a context manager: the sibling
    takes the final name when the block ends without an error and is removed otherwise. The lock is one of
    the operating system: it ends with the process, however that ends.

    Parameters
    ----------
    final
        The folder's name.
    force
        Replace the results in an existing folder, when the new ones are complete. What fespin did not write is kept.

    Attributes
    ----------
    kept
        After a replacement: files that were kept, relative to the folder.
    """

    def __init__(self, comm: MPI.Intracomm, final: Path, *, force: bool = False) -> None:
        # Without ".." in the path: no folder can be renamed to such a path.
        self.comm, self.final, self.force = comm, Path(os.path.abspath(final)), force
        self.path = self.final.parent / f".{self.final.name}.part"
        self.kept: list[str] = []
        self._old = self.final.parent / f".{self.final.name}.old"
        self._made: list[Path] = []  # parent folders made here, removed if the run fails
        self._lock: int | None = None
        self._signals: dict[int, Any] = {}

    def claim(self) -> None:
        """Lock the folder for this run. Collective.

        Raises
        ------
        InputError
            If another run writes it, if it exists and may not be replaced, or if it cannot be made.
        """

        def claim() -> None:
            # The handlers come before the folder: a signal in between would leave the hidden folder behind.
            self._catch_signals()
            try:
                # A killed run may have left results half replaced; they are put in order under the lock.
                message = (None if self._old.is_dir() else self._obstacle()) or self._take_lock()
                if message is not None:
                    raise InputError(message)
            except OSError as error:
                self.release()
                raise InputError(f"output '{self.final}' cannot be written: {error.strerror}") from error
            except BaseException:
                self.release()
                raise

        first_rank(self.comm, claim)

    def release(self) -> None:
        """Remove what is half-written, and end the claim; without effect after a complete run. Not collective."""
        if self._lock is not None:
            # The lock last: what is left if a second signal ends this is still known to be of fespin's making.
            with contextlib.suppress(OSError):
                _empty(self.path)
            shutil.rmtree(self.path, ignore_errors=True)
            self._unlock()
        for folder in reversed(self._made):
            with contextlib.suppress(OSError):  # another program may have put files there
                folder.rmdir()
        self._made = []
        for number, handler in self._signals.items():
            signal.signal(number, handler)
        self._signals = {}

    def files(self) -> list[str]:
        """Return what has been written, relative to the folder, in order. Collective."""
        self.comm.barrier()
        paths = sorted(str(x) for x in _leaves(self.path) if str(x) != _LOCK) if self.comm.rank == 0 else None
        return self.comm.bcast(paths, 0) or []

    def _catch_signals(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return

        def clean_up(number: int, frame: FrameType | None) -> None:
            self.release()
            # The signal is raised again with its default action, as if it had not been caught.
            os.kill(os.getpid(), number)

        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) == signal.SIG_DFL:
                self._signals[number] = signal.signal(number, clean_up)

    def _obstacle(self) -> str | None:
        """Return why results cannot take the final name, None if they can."""
        name = f"output '{self.final}'"
        if not os.path.lexists(self.final):
            return None
        if not self.force:
            return f"{name} exists; choose another --output, or --force to replace it"
        if self.final.is_symlink() or not self.final.is_dir():
            return f"{name} is not a folder; choose another --output"
        if any(self.final.iterdir()) and _written(self.final) is None:
            what = "whose files it does not list" if (self.final / "summary.json").is_file() else "other than results"
            return f"{name} holds things {what} (in summary.json); remove it yourself or choose another --output"
        return None

    def _take_lock(self) -> str | None:
        """Make the hidden folder and lock it; return why that cannot be."""
        while True:
            parent = self.path.parent
            while not parent.exists():
                self._made.insert(0, parent)
                parent = parent.parent
            for folder in self._made:
                folder.mkdir(exist_ok=True)
            self.path.mkdir(exist_ok=True)
            ours = (self.path / _LOCK).exists() or not any(self.path.iterdir())
            lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                who = os.pread(lock, 200, 0).decode(errors="replace")
                os.close(lock)
                by = f" ({one_line(who)})" if who else ""
                return f"output '{self.final}' is being written by another run{by}; choose another --output"
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    os.close(lock)
                    raise
            # Between opening and locking, the other run may have ended and removed or renamed its folder.
            try:
                same = os.path.samestat(os.fstat(lock), os.stat(self.path / _LOCK))
            except FileNotFoundError:
                same = False
            if same:
                break
            os.close(lock)
        if not ours:
            (self.path / _LOCK).unlink()
            os.close(lock)
            return f"'{self.path}' is in the way of output '{self.final}', and not of fespin's making; move it away"
        self._lock = lock
        os.truncate(lock, 0)
        os.pwrite(lock, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
        # Hidden folders that killed runs left behind.
        _empty(self.path)
        if self._old.is_dir():
            if os.path.lexists(self.final):
                self._settle()
            else:
                self._old.rename(self.final)
        return self._obstacle()

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> OutputFolder:
        if not self.comm.bcast(self._lock is not None, 0):
            self.claim()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            # There is no barrier after an error, since the other ranks may not come here.
            if kind is None:
                self._finish()
        finally:
            self.release()

    def _finish(self) -> None:
        """Give the folder its final name. Collective.

        Raises
        ------
        FespinError
            If another folder has that name by now; the text says where the results are.
        """
        self.comm.barrier()
        message = None
        if self.comm.rank == 0:
            try:
                message = self._move()
            except OSError as error:
                message = f"output '{self.final}' cannot be written: {error.strerror}"
        message, self.kept = self.comm.bcast((message, self.kept), 0)
        if message is not None:
            raise FespinError(message)

    def _move(self) -> str | None:
        """Move the hidden folder to where it belongs; return what the user must know."""
        message = self._obstacle()
        target = self.final
        if message is None and os.path.lexists(target):
            target.rename(self._old)
        try:
            if message is None:
                self.path.rename(target)
        except OSError as error:  # another run was faster
            message = f"output '{self.final}' cannot be replaced: {error.strerror}"
        if message is not None:
            numbered = (self.final.with_name(f"{self.final.name}-{i}") for i in itertools.count(1))
            target = next(x for x in numbered if not os.path.lexists(x))
            self.path.rename(target)
            message = f"output '{self.final}' was made by others during the run; the results are in '{target}'"
        self._made = []
        if self._old.is_dir() and target == self.final:
            self._settle()
        # The lock is removed last: while it is there, the folder is claimed.
        (target / _LOCK).unlink()
        self._unlock()
        return message

    def _settle(self) -> None:
        """Move what fespin did not write from the replaced folder to the new one, and remove the rest."""
        written = _written(self._old) or set()
        for x in _leaves(self._old):
            if str(x) in written:
                (self._old / x).unlink()
                continue
            target = self.final / x
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
            except OSError:  # a new file has the name of an old folder
                target = self.final / str(x).replace(os.sep, "_")
            while os.path.lexists(target):
                target = target.with_name(f"{target.name}.kept")
            (self._old / x).rename(target)
            self.kept.append(str(target.relative_to(self.final)))
        shutil.rmtree(self._old)


def _empty(folder: Path) -> None:
    """Remove all that a folder holds but the lock."""
    for x in folder.iterdir():
        if x.name != _LOCK:
            shutil.rmtree(x) if x.is_dir() and not x.is_symlink() else x.unlink()


def _leaves(folder: Path, below: Path = Path()) -> list[Path]:
    """Return all files, links and empty folders, relative to `folder`."""
    out: list[Path] = []
    for x in sorted((folder / below).iterdir()):
        if x.is_dir() and not x.is_symlink() and any(x.iterdir()):
            out += _leaves(folder, below / x.name)
        else:
            out.append(below / x.name)
    return out


def _written(folder: Path) -> set[str] | None:
    """Return the files that the summary in a folder lists as fespin's; None if it lists none."""
    try:
        summary = json.loads((folder / "summary.json").read_text("utf-8"))
        return {*map(str, summary["files"])}
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def write_json(comm: MPI.Intracomm, path: Path, data: Mapping[str, Any]) -> None:
    """Write a mapping as JSON, on rank 0; NaN is an error. Collective."""
    _write_text(comm, path, lambda: json.dumps(data, indent=1, allow_nan=False) + "\n")


def save_json(comm: MPI.Intracomm, path: Path | str, data: Mapping[str, Any]) -> None:
    """Write a mapping as JSON, aside and then in place of what is there, on rank 0. Collective."""
    target = Path(path)
    aside = target.with_name(f".{target.name}.part")
    _write_text(comm, aside, lambda: json.dumps(data, indent=1) + "\n", target)


def write_csv(comm: MPI.Intracomm, path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    """Write named columns of equal length as CSV, on rank 0; what is not a number is empty. Collective."""

    def text() -> str:
        lines = io.StringIO(newline="")
        out = csv.writer(lines)
        out.writerow(columns)
        out.writerows(["" if x != x else x for x in row] for row in zip(*columns.values(), strict=True))
        return lines.getvalue()

    _write_text(comm, path, text)


def _write_text(comm: MPI.Intracomm, path: Path, text: Callable[[], str], final: Path | None = None) -> None:
    """Write a text on rank 0, and give the file its final name; all ranks raise what goes wrong. Collective."""

    def write() -> None:
        content = text()
        try:
            path.write_text(content, "utf-8", newline="")
            if final is not None:
                path.replace(final)
        except OSError as error:
            # The error of a full disk does not name the file.
            raise _named(error, path) from error

    first_rank(comm, write)


def _named(error: OSError, path: Path) -> OSError:
    return OSError(error.errno or errno.EIO, error.strerror or str(error), str(path))


class FieldFile:
    """A file of functions for ParaView (ADIOS2, ``.bp``). Collective; use as a context manager.

    Parameters
    ----------
    path
        Ends in ``.bp``.
    functions
        Functions on one mesh and of one element. What they hold is written by :meth:`write`.

    Raises
    ------
    OSError
        If the file cannot be written, also by its methods.
    """

    def __init__(self, comm: MPI.Intracomm, path: Path, functions: Sequence[fem.Function]) -> None:
        self.comm, self.path, self.functions = comm, path, list(functions)
        # The geometry: coordinates of the nodes, and cells as lists of nodes.
        space = self.functions[0].function_space
        nodes = space.dofmap.index_map.size_local + space.dofmap.index_map.num_ghosts
        self._once = 48 * nodes + 8 * (space.dofmap.list.size + len(space.dofmap.list))
        self._require_room(self._once)
        with self._failures():
            self.writer = VTXWriter(comm, str(path), list(functions))

    def write(self, t: float) -> None:
        """Add what the functions hold at a time."""
        # Vectors are written with three components, as ParaView wants them.
        self._require_room(self._once + sum(2 * f.x.array.nbytes for f in self.functions))
        self._once = 0
        with self._failures():
            self.writer.write(t)

    def _require_room(self, size: int) -> None:
        """Raise on all ranks if the disk has no room for so many bytes of this rank. Collective."""
        # On several ranks ADIOS2 waits for ever if one of them cannot write. So the room is reserved before.
        room = int(1.2 * self.comm.allreduce(size)) + _MARGIN

        def probe() -> None:
            try:
                with tempfile.TemporaryFile(dir=self.path.parent) as f:
                    os.posix_fallocate(f.fileno(), 0, room)
            except OSError as error:
                if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):  # some file systems cannot reserve room
                    raise _named(error, self.path) from error

        first_rank(self.comm, probe)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            # The file stays open: closing is collective, and other ranks may not come here.
            self._abandon()
            return
        with self._failures():
            self.writer.close()

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Raise ADIOS2's errors as errors of the system that name their reason, such as a full disk."""
        try:
            yield
        except RuntimeError as error:
            self._abandon()
            match = re.search(r"errno = (\d+)", str(error))
            number = int(match[1]) if match else errno.EIO
            raise OSError(number, os.strerror(number), str(self.path)) from error

    def _abandon(self) -> None:
        # The destructor closes the file; if that fails, as on a full disk, it ends the process with a core dump.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(getattr(self, "writer", None)))


def write_fields(
    path: Path,
    domain: Domain,
    fields: Mapping[str, Sequence[tuple[float, fem.Function]]],
    *,
    constants: Mapping[str, float] | None = None,
    layers: Mapping[str, Collection[str]] | None = None,
) -> None:
    """Write combinations of fields for ParaView (ADIOS2, ``.bp``); jumps at all interfaces are kept. Collective.

    Parameters
    ----------
    path
        Ends in ``.bp``.
    fields
        ``{name: [(weight, function), ...]}``, each function on any broken space of one element.
    constants
        Constants that are added to some of them.
    layers
        Layers in which some of them exist; elsewhere they are NaN.
    """
    first = next(iter(fields.values()))[0][1].function_space
    base = fem.functionspace(domain.mesh, ("Lagrange", first.element.basix_element.degree))
    # Fields on different dof maps cannot share a file, so all are copied, cell by cell, to one space.
    space, _ = broken_space(base, domain.region)
    out = []
    for name, terms in fields.items():
        f = fem.Function(space, name=name)
        values = sum(weight * u.x.array[u.function_space.dofmap.list] for weight, u in terms)
        values = np.asarray(values) + (constants or {}).get(name, 0.0)
        if layers and name in layers:
            absent = [i for i, r in enumerate(domain.regions) if r not in layers[name]]
            values[np.isin(domain.region, absent)] = np.nan
        f.x.array[space.dofmap.list.ravel()] = values.ravel()
        out.append(f)
    with FieldFile(domain.comm, path, out) as file:
        file.write(0.0)
