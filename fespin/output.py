"""Files: written aside and moved into place, once, whatever the number of ranks."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from dolfinx import fem, io
from mpi4py import MPI

from .domain import Domain
from .errors import InputError
from .onsager.broken import broken_space


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

    def __init__(self, comm: MPI.Comm, final: Path, *, force: bool = False) -> None:
        self.comm, self.final, self.force = comm, final.absolute(), force
        self.path = self.final.with_name(f".{final.name}.part")

    def refuse_existing(self) -> None:
        """Raise InputError if the folder exists and may not be replaced, or cannot be made. Collective."""
        message = None
        if self.comm.rank == 0:
            if self.final.exists() and not self.force:
                message = f"output '{self.final}' exists; choose another --output, or --force to replace it"
            elif self.final.exists() and not self.final.is_dir():
                message = f"output '{self.final}' is a file"
            elif not os.access(self._parent(), os.W_OK):
                message = f"output '{self.final}': cannot write to '{self._parent()}'"
        message = self.comm.bcast(message, 0)
        if message is not None:
            raise InputError(message)

    def _parent(self) -> Path:
        parent = self.final.parent
        while not parent.exists():
            parent = parent.parent
        return parent

    def __enter__(self) -> OutputFolder:
        if self.comm.rank == 0:
            # What a killed run left behind.
            shutil.rmtree(self.path, ignore_errors=True)
            self.path.mkdir(parents=True)
        self.comm.barrier()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
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


def write_json(comm: MPI.Comm, path: Path, data: Mapping[str, Any]) -> None:
    """Write a mapping as JSON, on rank 0; NaN is an error."""
    if comm.rank == 0:
        path.write_text(json.dumps(data, indent=1, allow_nan=False) + "\n", "utf-8")


def write_csv(comm: MPI.Comm, path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    """Write named columns of equal length as CSV, on rank 0."""
    if comm.rank == 0:
        with path.open("w", newline="", encoding="utf-8") as f:
            out = csv.writer(f)
            out.writerow(columns)
            out.writerows(zip(*columns.values(), strict=True))


def write_fields(path: Path, domain: Domain, fields: Mapping[str, Sequence[tuple[float, fem.Function]]]) -> None:
    """Write combinations of fields for ParaView (ADIOS2, ``.bp``); jumps at all interfaces are kept. Collective.

    Parameters
    ----------
    path
        Ends in ``.bp``.
    fields
        ``{name: [(weight, function), ...]}``, each function on any broken space of one element.
    """
    first = next(iter(fields.values()))[0][1].function_space
    base = fem.functionspace(domain.mesh, ("Lagrange", first.element.basix_element.degree))
    # Fields on different dof maps must not share a file: copy all of them, cell by cell, to one space.
    space, _ = broken_space(base, domain.region)
    out = []
    for name, terms in fields.items():
        f = fem.Function(space, name=name)
        values = sum(weight * u.x.array[u.function_space.dofmap.list] for weight, u in terms)
        f.x.array[space.dofmap.list.ravel()] = np.asarray(values).ravel()
        out.append(f)
    with io.VTXWriter(domain.comm, str(path), out) as writer:
        writer.write(0.0)
