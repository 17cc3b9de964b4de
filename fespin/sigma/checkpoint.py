"""State of an evolution in a file, for restarts on any number of ranks."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from ..errors import InputError
from ..macrospin.pointwise import Array
from .distribution import Surface

_HEADER = 1 << 20
_FORMAT = "fespin evolution 1"


@dataclass
class State:
    """Where an evolution is: all that a restart needs."""

    time: float
    step: float
    load: Array  # integrals of the density with the basis functions (owned,)
    rows: list[list[float]]
    steps: int = 0
    rejected: int = 0
    drift: float = 0.0
    weighted: bool = True


def _cells(surface: Surface) -> tuple[Array, Array]:
    """Return this rank's cells in the order of the mesh's making: their numbers and their local indices."""
    count = surface.mesh.topology.index_map(surface.dim).size_local
    numbers = np.asarray(surface.mesh.topology.original_cell_index[:count])
    order = np.argsort(numbers)
    return numbers[order], order


def require_room(numbers: int) -> None:
    """Refuse more numbers than the file's header holds.

    Raises
    ------
    InputError
        If there are too many times to look at.
    """
    if 26 * numbers > _HEADER - 4096:
        raise InputError("checkpoint: there are too many times to look at for its file; look less often")


def save_checkpoint(comm: MPI.Intracomm, surface: Surface, path: Path, state: State) -> None:
    """Write the state of an evolution: values per cell, in an order that no partition changes. Collective.

    The file is written aside and moved into place.
    """
    values = surface.function(state.load).x.array[surface.space.dofmap.list]
    numbers, order = _cells(surface)
    kept = {k: v for k, v in vars(state).items() if k != "load"}
    cells = int(surface.comm.allreduce(len(numbers)))
    header = {"format": _FORMAT, "cells": cells, "degree": surface.degree, **kept}
    text = json.dumps(header).encode()
    assert len(text) <= _HEADER
    part = path.with_name(f".{path.name}.part")
    alone = surface.dim == 1
    if alone and comm.rank != 0:
        return  # it has no part in what follows
    file = MPI.File.Open(surface.comm, str(part), MPI.MODE_CREATE | MPI.MODE_WRONLY)
    file.Set_size(0)
    if surface.comm.rank == 0:
        file.Write_at(0, text.ljust(_HEADER))
    width = values.shape[1]
    _view(file, numbers, width)
    file.Write_all(np.ascontiguousarray(values[order], dtype=np.float64))
    file.Sync()
    file.Close()
    if surface.comm.rank == 0:
        os.replace(part, path)
    surface.comm.barrier()


def _view(file: Any, numbers: Array, width: int) -> None:
    row = MPI.DOUBLE.Create_contiguous(width)
    kind = row.Create_indexed_block(1, [int(k) for k in numbers])
    kind.Commit()
    file.Set_view(_HEADER, MPI.DOUBLE, kind)
    kind.Free()
    row.Free()


def load_checkpoint(comm: MPI.Intracomm, surface: Surface, path: Path, owned: int) -> State | None:
    """Return the state of an evolution; None if there is no file. Collective.

    Raises
    ------
    InputError
        If the file is no checkpoint, or of another mesh or degree.
    """
    message, header = None, None
    if comm.rank == 0 and path.exists():
        try:
            with path.open("rb") as f:
                header = json.loads(f.read(_HEADER))
            if header["format"] != _FORMAT:
                raise ValueError(header["format"])
        except (OSError, ValueError, KeyError, TypeError):
            message = f"checkpoint '{path}': it is not one of fespin's; choose another file"
    message, header = comm.bcast((message, header), 0)
    if message is not None:
        raise InputError(message)
    if header is None:
        return None
    numbers, order = _cells(surface)
    cells = int(surface.comm.allreduce(len(numbers)))
    if (header["cells"], header["degree"]) != (cells, surface.degree):
        raise InputError(
            f"checkpoint '{path}': it holds {header['cells']} cells of degree {header['degree']}; "
            f"this sphere has {cells} of degree {surface.degree}"
        )
    width = surface.space.dofmap.list.shape[1]
    values = np.empty((len(numbers), width))
    file = MPI.File.Open(surface.comm, str(path), MPI.MODE_RDONLY)
    _view(file, numbers, width)
    file.Read_all(values)
    file.Close()
    comm.barrier()  # before anyone replaces the file
    f = surface.function(np.zeros(owned))
    f.x.array[surface.space.dofmap.list[order].ravel()] = values.ravel()
    f.x.scatter_forward()
    return State(
        header["time"],
        header["step"],
        np.array(f.x.array[:owned]),
        header["rows"],
        header["steps"],
        header["rejected"],
        header["drift"],
        header["weighted"],
    )
