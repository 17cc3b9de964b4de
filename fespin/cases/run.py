"""Run a case: from tables to solutions, files and pictures."""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from mpi4py import MPI

from .. import _compat, output
from ..errors import one_line
from .checkpoints import Checkpoints
from .notes import Notes, notes_of
from .registry import AnyCase, kind_of
from .task_loop import missing
from .tasks import Outlet, Picture
from .units import units_of

SCHEMA_VERSION = 2
"""Version of the form of ``summary.json``: it changes when a key changes its name or its meaning."""

# After one of these errors of a picture, no other file can be written either.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


def run(
    comm: MPI.Intracomm,
    case: AnyCase,
    folder: output.OutputFolder,
    *,
    base: Path,
    say: Callable[[str], None],
    pictures: bool = True,
    checkpoints: Checkpoints | None = None,
    assignments: Sequence[str] = (),
) -> dict[str, Any]:
    """Solve every state and every task of a case and write its output folder. Collective.

    Parameters
    ----------
    folder
        Folder where results go.
    base
        Folder of the case file.
    say
        Called with progress, on every rank.
    pictures
        True to draw.
    checkpoints
        Folder where long tasks keep what they have done, and go on from it.
    assignments
        Changes by ``--set``, for notes.

    Returns
    -------
    dict
        What ``summary.json`` holds; :func:`fespin.cases.task_loop.missing` tells what has failed.
    """
    started, kind = time.perf_counter(), kind_of(case)
    say = notes = Notes(say)
    notes.add(notes_of(case, assignments))
    summary: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "title": case.title, "case": case.used()}
    # Meshes and long solves come before the folder is made, so that a run killed in them leaves nothing behind.
    if checkpoints is not None:
        checkpoints = replace(checkpoints, files=tuple(base / name for name in kind.files(case) if name is not None))
        checkpoints.make(comm)
    write = kind.prepare(comm, case, base, say, checkpoints)
    with folder:
        summary |= write(Outlet(folder.path, _artist(folder.path, pictures, say), say))
        summary["notes"] = notes.texts
        summary["ranks"] = comm.size
        summary["versions"] = _compat.versions()
        summary["files"] = sorted([*folder.files(), "summary.json"])
        summary["wall_time"] = time.perf_counter() - started
        summary["units"] = units_of(kind, summary)
        output.write_json(comm, folder.path / "summary.json", summary)
    return summary


def _artist(folder: Path, enabled: bool, say: Callable[[str], None]) -> Picture:
    """Return a function that draws a picture; one that fails costs no result."""

    def picture(name: str, draw: Callable[[Path], None]) -> None:
        if not enabled:
            return
        try:
            draw(folder / name)
        except Exception as error:  # drivers of displays fail in many ways, on the rank that draws
            with suppress(OSError):
                (folder / name).unlink(missing_ok=True)  # half a picture is none
            if isinstance(error, OSError) and error.errno in _NO_ROOM:
                raise OSError(error.errno, error.strerror, str(folder / name)) from error
            say(f"{name} was not drawn: {type(error).__name__}: {one_line(str(error))}")

    return picture


def table(case: AnyCase, summary: dict[str, Any]) -> str:
    """Return the results of a case as text for a terminal; what is missing stands in the last line."""
    kind, lines = kind_of(case), []
    for name, results in summary.get("tasks", {}).items():
        if "error" not in results:
            lines.append(f"{name:<14} {kind.tasks[results['kind']].line(results, summary)}")
    return "\n".join([*lines, *kind.lines(summary), *missing(summary)])


def stderr_logger(comm: MPI.Intracomm) -> Callable[[str], None]:
    """Return a function that prints progress once, on standard error."""

    def say(text: str) -> None:
        if comm.rank == 0:
            print(f"fespin: {text}", file=sys.stderr, flush=True)

    return say
