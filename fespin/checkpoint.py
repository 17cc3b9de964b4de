"""Files from which long computations go on after they were stopped, on any number of ranks.

Two kinds of work take long. An evolution in time has a *state*: numbers, and values at the nodes of a mesh. The state
is written whole, to another file that then takes the place of the last one, so that a computation that is killed at
any moment leaves a complete state. Work that consists of independent *pieces*, such as the angles of a map or the
points of a survey, writes each piece once, at the end of a file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from .errors import InputError, one_line

type Array = NDArray[np.float64]

_MAGIC = b"fespin state 2\n"
# Beginning of a file; the length of a text, the text and the values follow.
_START = 32


class StateFile:
    """The state of a computation in time, in a file that is replaced now and then.

    Values at nodes are written cell by cell, in the order in which the mesh was made. No partition changes that order,
    so that the computation may go on with another number of ranks.

    The constructor is collective, and so is every method.

    Parameters
    ----------
    comm
        All ranks that compute. If each rank has the whole mesh for itself, the first one writes.
    space
        Space of scalar functions, on the mesh of the computation.
    path
        The file.
    every
        Seconds of computing between two states.
    about
        Subject of the state, such as the name of an equation; a file about something else is refused.

    Examples
    --------
    >>> from dolfinx import fem, mesh
    >>> space = fem.functionspace(mesh.create_interval(comm, 8, [0.0, 1e-7]), ("Lagrange", 1))
    >>> file = StateFile(comm, space, Path("run.state"), every=1e-9, about="heat")
    >>> saved = file.load()
    >>> time, values = (0.0, np.full(9, 300.0)) if saved is None else (saved[0]["time"], saved[1]["T"][:, 0])
    >>> while time < 3.0:
    ...     time, values = time + 1.0, 0.9 * values
    ...     if file.due():
    ...         file.save({"time": time}, {"T": values[:, None]})
    >>> file.load()[0]
    {'time': 3.0}
    """

    def __init__(
        self, comm: MPI.Intracomm, space: fem.FunctionSpace, path: Path, *, every: float = 60.0, about: str
    ) -> None:
        self.comm, self.space, self.path, self.every, self.about = comm, space, Path(path), every, about
        self._mesh_comm: MPI.Intracomm = space.mesh.comm
        self._owned = int(space.dofmap.index_map.size_local)
        self._degree = int(space.element.basix_element.degree)
        self._last = monotonic()
        self._function = fem.Function(space)
        topology = space.mesh.topology
        count = topology.index_map(topology.dim).size_local
        numbers = np.asarray(topology.original_cell_index[:count])
        self._order = np.argsort(numbers)
        self._numbers = numbers[self._order]
        self._cells = int(self._mesh_comm.allreduce(count))
        self._dofs = np.asarray(space.dofmap.list[:count])[self._order]

    def another(self, path: Path) -> StateFile:
        """Return a file of the same kind with another name, for a state that is kept beside this one."""
        return StateFile(self.comm, self.space, path, every=self.every, about=self.about)

    def due(self) -> bool:
        """Return whether it is time for a new state."""
        return bool(self.comm.bcast(monotonic() - self._last >= self.every, 0))

    def save(self, numbers: Mapping[str, Any], values: Mapping[str, Array]) -> None:
        """Write a state.

        Parameters
        ----------
        numbers
            Numbers that JSON can hold, the same on all ranks.
        values
            Values at this rank's own nodes, (owned, k) each.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        shapes = {name: int(x.shape[1]) for name, x in values.items()}
        header = {
            "about": self.about,
            "cells": self._cells,
            "degree": self._degree,
            "shapes": shapes,
            "numbers": dict(numbers),
        }
        text = json.dumps(header).encode()
        # The start of the values is aligned.
        text += b" " * (-(len(text) + _START) % 8)
        front = (_MAGIC + f"{len(text):d}".encode()).ljust(_START) + text
        columns = [self._at_cells(column) for x in values.values() for column in x.T]
        rows = np.concatenate(columns, axis=1) if columns else np.zeros((len(self._numbers), 0))
        part = self.path.with_name(f".{self.path.name}.part")
        message = None
        # If each rank has the whole mesh for itself, the first one writes.
        if self._mesh_comm.size > 1 or self.comm.rank == 0:
            message = self._write(part, front, np.ascontiguousarray(rows, dtype=np.float64))
        # Only a file that all ranks have written takes the place of the last.
        message = next((m for m in self.comm.allgather(message) if m is not None), None)
        if message is None and self.comm.rank == 0:
            try:
                os.replace(part, self.path)
            except OSError as error:
                message = error.strerror
        message = self.comm.bcast(message, 0)
        if message is not None:
            raise InputError(f"checkpoint '{self.path}' cannot be written: {message}")
        self._last = monotonic()

    def _at_cells(self, column: Array) -> Array:
        self._function.x.array[: self._owned] = column
        self._function.x.scatter_forward()
        return np.asarray(np.real(self._function.x.array[self._dofs]))

    def _write(self, part: Path, front: bytes, rows: Array) -> str | None:
        """Write this rank's share of a file; return what went wrong."""
        comm, message = self._mesh_comm, None
        try:
            file = MPI.File.Open(comm, str(part), MPI.MODE_CREATE | MPI.MODE_WRONLY)
        except MPI.Exception as error:
            return one_line(str(error))
        try:
            file.Set_size(0)
            if comm.rank == 0:
                file.Write_at(0, front)
            if rows.shape[1]:
                self._view(file, len(front), rows.shape[1])
                file.Write_all(rows)
            file.Sync()
        except MPI.Exception as error:
            message = one_line(str(error))
        try:
            file.Close()
        except MPI.Exception as error:
            message = message or one_line(str(error))
        if message is None and comm.rank == 0:
            size = len(front) + 8 * self._cells * rows.shape[1]
            # Writes that a full disk cuts short are not always reported.
            if part.stat().st_size != size:
                message = "it is incomplete; is the disk full?"
        return message

    def _view(self, file: MPI.File, offset: int, width: int) -> None:
        row = MPI.DOUBLE.Create_contiguous(width)
        kind = row.Create_indexed_block(1, [int(k) for k in self._numbers])
        kind.Commit()
        file.Set_view(offset, MPI.DOUBLE, kind)
        kind.Free()
        row.Free()

    def load(self) -> tuple[dict[str, Any], dict[str, Array]] | None:
        """Return the last state: its numbers, and its values at this rank's own nodes. None if there is no file.

        Raises
        ------
        InputError
            If the file holds no state, or one of another mesh or another computation.
        """
        message, header, offset = None, None, 0
        if self.comm.rank == 0 and self.path.exists():
            try:
                header, offset = _header(self.path)
                message = self._misfit(header)
                width = 8 * self._dofs.shape[1] * sum(header["shapes"].values())
                if message is None and self.path.stat().st_size != offset + self._cells * width:
                    message = "it is incomplete; remove it to start afresh"
            except (OSError, ValueError, KeyError, TypeError):
                message = "it is not one of fespin's; choose another file"
        message, header, offset = self.comm.bcast((message, header, offset), 0)
        if message is not None:
            raise InputError(f"checkpoint '{self.path}': {message}")
        if header is None:
            return None
        width = self._dofs.shape[1]
        rows = np.empty((len(self._numbers), width * sum(header["shapes"].values())))
        if rows.shape[1]:
            try:
                file = MPI.File.Open(self._mesh_comm, str(self.path), MPI.MODE_RDONLY)
                self._view(file, offset, rows.shape[1])
                file.Read_all(rows)
                file.Close()
            except MPI.Exception as error:
                raise InputError(f"checkpoint '{self.path}' cannot be read: {one_line(str(error))}") from error
        self.comm.barrier()  # before anyone replaces the file
        out, at = {}, 0
        for name, count in header["shapes"].items():
            columns = []
            for _ in range(count):
                columns.append(self._at_nodes(rows[:, at : at + width]))
                at += width
            out[name] = np.stack(columns, axis=1) if columns else np.zeros((self._owned, 0))
        return header["numbers"], out

    @contextmanager
    def understood(self) -> Iterator[None]:
        """Refuse a state whose numbers or values are not those that the caller takes from it (a context manager).

        Raises
        ------
        InputError
            If something is missing, or the caller does not know something: the file is of another version.
        """
        try:
            yield
        except (KeyError, TypeError, ValueError, IndexError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"checkpoint '{self.path}': it is of another version; remove it to start afresh"
            ) from error

    def _misfit(self, header: Mapping[str, Any]) -> str | None:
        """Return why a file does not serve this computation."""
        if header["about"] != self.about:
            return f"it is the state of {header['about']}, not of {self.about}; choose another file"
        if (header["cells"], header["degree"]) != (self._cells, self._degree):
            return (
                f"it holds {header['cells']} cells of degree {header['degree']}; "
                f"this mesh has {self._cells} of degree {self._degree}"
            )
        return None

    def _at_nodes(self, rows: Array) -> Array:
        self._function.x.array[self._dofs.ravel()] = rows.ravel()
        return np.array(np.real(self._function.x.array[: self._owned]), dtype=float)


def _header(path: Path) -> tuple[dict[str, Any], int]:
    """Return what a file says before its values, and where these start."""
    with path.open("rb") as file:
        front = file.read(_START)
        if not front.startswith(_MAGIC):
            raise ValueError("another format")
        length = int(front[len(_MAGIC) :])
        header = json.loads(file.read(length))
        if not isinstance(header, dict):
            raise ValueError("no header")
        return header, _START + length


class Journal:
    """Finished pieces of a piece of work, one a line at the end of a file of each rank.

    :meth:`get` knows the pieces that earlier runs have finished; :meth:`put` writes those of this run for the next. A
    line that a killed run left incomplete is ignored. The constructor is collective; the methods are not.

    Parameters
    ----------
    path
        Beginning of the names of the files. The files of all runs, on whatever number of ranks, are read.

    Examples
    --------
    >>> journal = Journal(comm, Path("map.pieces"))
    >>> for x in (0.0, 0.5, 1.0):
    ...     if journal.get(x) is None:
    ...         journal.put(x, x**2)
    >>> Journal(comm, Path("map.pieces")).get(0.5)
    0.25
    """

    def __init__(self, comm: MPI.Intracomm, path: Path) -> None:
        self.path = Path(path)
        self._own = self.path.with_name(f"{self.path.name}.{comm.rank}")
        known: dict[str, Any] = {}
        if comm.rank == 0:
            for file in sorted(self.path.parent.glob(f"{self.path.name}.*")):
                for line in file.read_text("utf-8", errors="replace").splitlines():
                    with suppress(ValueError, TypeError):
                        key, piece = json.loads(line)
                        known[json.dumps(key)] = piece
        self._known: dict[str, Any] = comm.bcast(known, 0)

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: Any) -> Any:
        """Return a piece that an earlier run has finished, the same on all ranks; None if none has."""
        return self._known.get(json.dumps(key))

    def put(self, key: Any, piece: Any) -> None:
        """Write a finished piece of data that JSON can hold; numbers may be infinite or NaN.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        # The line break comes first: a line that was cut short must not swallow the next.
        line = "\n" + json.dumps([key, piece])
        try:
            with self._own.open("a", encoding="utf-8") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise InputError(f"checkpoint '{self._own}' cannot be written: {error.strerror}") from error


def digest_of(*parts: Any, files: Sequence[Path] = ()) -> str:
    """Return twelve digits that change with what a computation depends on: tables of JSON, and contents of files."""
    text = json.dumps(parts, sort_keys=True).encode()
    for path in files:
        text += hashlib.sha256(path.read_bytes()).digest()
    return hashlib.sha256(text).hexdigest()[:12]
