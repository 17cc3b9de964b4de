"""A folder of checkpoints: long tasks of a case go on from there when it is run again."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mpi4py import MPI
from pydantic import BaseModel

from ..checkpoint import Journal, digest_of
from ..errors import InputError
from ..quantities import require_positive


def tables_of(table: BaseModel, task: BaseModel) -> list[dict[str, Any]]:
    """Return the tables that a task of a body depends on: that of its magnet, and its own but for its name."""
    return [table.model_dump(mode="json"), task.model_dump(exclude={"name"})]


@dataclass(frozen=True)
class Checkpoints:
    """Folder in which the states of a run are kept, and how often they are written.

    Files are named after the task and a digest of all that their contents depend on: one folder serves a whole sweep
    of cases, and a case that was changed starts afresh.

    Attributes
    ----------
    folder
        Folder itself.
    every
        Seconds of computing between two states of an evolution. Pieces of maps and surveys are written as they end.
    files
        Files that all results depend on by their contents, such as meshes.
    """

    folder: Path
    every: float = 60.0
    files: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        require_positive("checkpoint", "interval", self.every, zero=True)

    def make(self, comm: MPI.Intracomm) -> None:
        """Make the folder, before anything is solved. Collective.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        message = None
        if comm.rank == 0:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=self.folder):
                    pass
            except OSError as error:
                message = f"checkpoint '{self.folder}' cannot be written: {error.strerror}"
        message = comm.bcast(message, 0)
        if message is not None:
            raise InputError(message)

    def _path(self, name: str, tables: Any, kind: str) -> Path:
        files = [path for path in self.files if path.is_file()]
        return self.folder / f"{name}.{digest_of(tables, files=files)}.{kind}"

    def state(self, name: str, tables: Any) -> dict[str, Any]:
        """Return the arguments by which an evolution writes its state and goes on from it.

        Parameters
        ----------
        name
            Name of the task.
        tables
            All that the state depends on, of what JSON can hold.
        """
        return {"checkpoint": self._path(name, tables, "checkpoint"), "every": self.every, "resume": True}

    def pieces(self, comm: MPI.Intracomm, name: str, tables: Any) -> Journal:
        """Return the journal of a task's finished pieces. Collective; parameters as in :meth:`state`."""
        return Journal(comm, self._path(name, tables, "pieces"))
