"""Files: written aside and moved into place, once, whatever the number of ranks."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import numpy as np
from dolfinx import fem, io
from mpi4py import MPI

from .domain import Domain
from .errors import InputError
from .onsager.broken import broken_space


def _terminated(number: int, frame: FrameType | None) -> None:
    # An exception unwinds the output folder's context, which removes what is half-written.
    raise SystemExit(128 + number)


class OutputFolder:
    """A folder that appears complete or not at all.

    Use as a context manager: files go to `path`, a hidden sibling, which takes
    the final name when the block ends without an error and is removed otherwise.
    Entering and leaving are collective.

    Parameters
    ----------
    final
        The folder's name.
    force
        Replace an existing folder, when the new one is complete.
    """

    def __init__(self, comm: MPI.Intracomm, final: Path, *, force: bool = False) -> None:
        # Without "..", which a rename cannot take for a name.
        self.comm, self.final, self.force = comm, Path(os.path.abspath(final)), force
        self.path = self.final.parent / f".{self.final.name}.part"
        self._signals: dict[int, Any] = {}

    def refuse_existing(self) -> None:
        """Raise InputError if the folder exists and may not be replaced, or cannot be made. Collective."""
        message = self._obstacle() if self.comm.rank == 0 else None
        message = self.comm.bcast(message, 0)
        if message is not None:
            raise InputError(message)

    def _obstacle(self) -> str | None:
        """Return why the folder cannot be written, None if it can."""
        name = f"output '{self.final}'"
        try:
            if os.path.lexists(self.final):
                if not self.force:
                    return f"{name} exists; choose another --output, or --force to replace it"
                if self.final.is_symlink() or not self.final.is_dir():
                    return f"{name} is not a folder; choose another --output"
                if any(self.final.iterdir()) and not (self.final / "summary.json").is_file():
                    return f"{name} holds other things than results (no summary.json); choose another --output"
            parent = self.final.parent
            while not parent.exists():
                parent = parent.parent
            # Permissions do not tell: the file system may be read-only, the user root.
            with tempfile.TemporaryDirectory(prefix=".fespin-", dir=parent):
                pass
        except OSError as error:
            return f"{name} cannot be written: {error.strerror}"
        return None

    def __enter__(self) -> OutputFolder:
        message = None
        # Not earlier: gmsh resets the signals, and before this there is nothing to remove.
        if threading.current_thread() is threading.main_thread():
            self._signals = {n: signal.signal(n, _terminated) for n in (signal.SIGTERM, signal.SIGHUP)}
        if self.comm.rank == 0:
            try:
                # What a killed run left behind.
                shutil.rmtree(self.path, ignore_errors=True)
                self.path.mkdir(parents=True)
            except OSError as error:
                message = f"output '{self.final}' cannot be written: {error.strerror}"
            except BaseException:  # a signal; __exit__ is not called yet
                shutil.rmtree(self.path, ignore_errors=True)
                raise
        message = self.comm.bcast(message, 0)
        if message is not None:
            raise InputError(message)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._leave(failed=kind is not None)
        finally:
            for number, handler in self._signals.items():
                signal.signal(number, handler)

    def _leave(self, failed: bool) -> None:
        if failed:
            # No barrier: the other ranks may not come here.
            if self.comm.rank == 0:
                shutil.rmtree(self.path, ignore_errors=True)
            return
        self.comm.barrier()
        if self.comm.rank == 0:
            old = self.final.with_name(f".{self.final.name}.old")
            shutil.rmtree(old, ignore_errors=True)
            if self.final.exists():
                self.final.rename(old)
            self.path.rename(self.final)
            shutil.rmtree(old, ignore_errors=True)
        self.comm.barrier()


def write_json(comm: MPI.Intracomm, path: Path, data: Mapping[str, Any]) -> None:
    """Write a mapping as JSON, on rank 0; NaN is an error."""
    if comm.rank == 0:
        path.write_text(json.dumps(data, indent=1, allow_nan=False) + "\n", "utf-8")


def save_json(comm: MPI.Intracomm, path: Path | str, data: Mapping[str, Any]) -> None:
    """Write a mapping as JSON, aside and then in place of what is there, on rank 0."""
    if comm.rank == 0:
        target = Path(path)
        aside = target.with_name(f".{target.name}.part")
        aside.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
        aside.replace(target)


def write_csv(comm: MPI.Intracomm, path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    """Write named columns of equal length as CSV, on rank 0; what is not a number is empty."""
    if comm.rank == 0:
        with path.open("w", newline="", encoding="utf-8") as f:
            out = csv.writer(f)
            out.writerow(columns)
            out.writerows(["" if x != x else x for x in row] for row in zip(*columns.values(), strict=True))


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
        What is added to some of them.
    layers
        Where some of them exist; elsewhere they are NaN.
    """
    first = next(iter(fields.values()))[0][1].function_space
    base = fem.functionspace(domain.mesh, ("Lagrange", first.element.basix_element.degree))
    # Fields on different dof maps must not share a file: copy all of them, cell by cell, to one space.
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
    with io.VTXWriter(domain.comm, str(path), out) as writer:
        writer.write(0.0)
