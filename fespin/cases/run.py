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
from ..domain import Domain
from ..errors import one_line
from ..geometry import from_file, lateral, line, pillar, strip
from .checkpoints import Checkpoints
from .layered.case import Case
from .layered.run import run_transport
from .layered.run import table as transport_table
from .longitudinal.tables import LongitudinalCase
from .notes import Notes, notes_of
from .registry import AnyCase
from .task_loop import missing
from .texture.tables import TextureCase

# Where a picture cannot be written, nothing can.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)

type Picture = Callable[[str, Callable[[Path], None]], None]
type Writer = Callable[[Path, Picture], dict[str, Any]]


def make_domain(comm: MPI.Intracomm, case: Case, folder: Path) -> Domain:
    """Mesh the geometry of a case. Collective.

    Parameters
    ----------
    folder
        Where a mesh file's path starts.
    """
    g, stack = case.geometry, case.make_stack()
    if g.mesh is not None:
        return from_file(
            comm,
            folder / g.mesh,
            stack,
            length_unit=g.length_unit or 1.0,
            mesh_size=g.mesh_size,
            cross_section=g.cross_section,
            depth=g.depth or 1.0,
        )
    wide: dict[str, Any] = {}
    if g.lead_width is not None:
        wide = {"lead_width": g.lead_width, "lead_thickness": g.lead_thickness}
        if g.lead_material is not None:
            wide["lead_material"] = case.make_lead()
    if g.shape == "line":
        return line(comm, stack, mesh_size=g.mesh_size)
    if g.shape == "strip":
        assert g.width is not None
        return strip(comm, stack, width=g.width, depth=g.depth or 1.0, mesh_size=g.mesh_size, **wide)
    if g.shape == "pillar":
        return pillar(comm, stack, diameter=g.diameter, semi_axes=g.semi_axes, mesh_size=g.mesh_size, **wide)
    assert g.separation is not None and g.wire_width is not None and g.channel_width is not None
    widths = (g.wire_width[0], g.wire_width[1]) if isinstance(g.wire_width, list) else g.wire_width
    return lateral(
        comm,
        stack,
        separation=g.separation,
        wire_width=widths,
        channel_width=g.channel_width,
        channel_length=g.channel_length,
        wire_overhang=g.wire_overhang or 0.0,
        dimension=g.dimension or 3,
        mesh_size=g.mesh_size,
    )


def run(
    comm: MPI.Intracomm,
    case: AnyCase,
    raw: dict[str, Any],
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
    raw
        The tables as written, to be echoed.
    folder
        Where results go.
    base
        Folder of the case file.
    say
        Called with progress, on every rank.
    pictures
        Whether to draw.
    checkpoints
        Where long tasks keep what they have done, and go on from it.
    assignments
        What ``--set`` changed, for notes.

    Returns
    -------
    dict
        What ``summary.json`` holds; :func:`fespin.cases.results.missing` tells what has failed.
    """
    started = time.perf_counter()
    say = notes = Notes(say)
    notes.add(notes_of(case, assignments))
    summary: dict[str, Any] = {"title": case.title, "case": raw}
    # Meshes and long solves come before the folder: until then a killed run has nothing to remove.
    if checkpoints is not None:
        checkpoints = replace(checkpoints, files=_meshes(case, base))
        checkpoints.make(comm)
    if isinstance(case, Case):
        write = _of_layers(comm, case, raw, base, say, checkpoints)
    else:
        write = _of_a_body(comm, case, base, say, checkpoints)
    with folder:
        summary |= write(folder.path, _artist(folder.path, pictures, say))
        summary["notes"] = notes.texts
        summary["ranks"] = comm.size
        summary["versions"] = _compat.versions()
        summary["files"] = sorted([*folder.files(), "summary.json"])
        summary["wall_time"] = time.perf_counter() - started
        output.write_json(comm, folder.path / "summary.json", summary)
    return summary


def _meshes(case: AnyCase, base: Path) -> tuple[Path, ...]:
    """Return the mesh files that a case reads."""
    if isinstance(case, Case):
        names = [case.geometry.mesh, case.sphere.mesh]
    else:
        names = [(case.longitudinal if isinstance(case, LongitudinalCase) else case.texture).geometry.mesh]
    return tuple(base / name for name in names if name is not None)


def _of_layers(
    comm: MPI.Intracomm,
    case: Case,
    raw: dict[str, Any],
    base: Path,
    say: Callable[[str], None],
    checkpoints: Checkpoints | None,
) -> Writer:
    """Solve the transport of a case; return what runs its tasks and writes all of it to a folder. Collective."""
    transport = None
    if case.transports:
        transport = run_transport(comm, case, raw, lambda: make_domain(comm, case, base), say, checkpoints)

    def write(path: Path, picture: Picture) -> dict[str, Any]:
        summary: dict[str, Any] = {}
        if transport is not None:
            summary |= transport.write(path, picture)
        if case.macrospin is not None:
            from .macrospin.run import run_tasks

            driven = None if transport is None else transport.torque_map
            summary |= run_tasks(
                comm,
                case,
                base,
                path,
                picture,
                say,
                torque_map=driven,
                checkpoints=checkpoints,
                alone=transport is None,
            )
        return summary

    return write


def _of_a_body(
    comm: MPI.Intracomm,
    case: LongitudinalCase | TextureCase,
    base: Path,
    say: Callable[[str], None],
    checkpoints: Checkpoints | None,
) -> Writer:
    """Mesh the body of a case; return what runs its tasks and writes their results to a folder. Collective."""
    if isinstance(case, LongitudinalCase):
        from .longitudinal import run as longitudinal_run

        magnet = longitudinal_run.prepare(comm, case, base, say, checkpoints)
        return lambda path, picture: longitudinal_run.run_tasks(magnet, path, picture, say)
    from .texture import run as texture_run

    wire = texture_run.prepare(comm, case, base, say, checkpoints)
    return lambda path, picture: texture_run.run_tasks(wire, path, picture, say)


def _artist(folder: Path, wanted: bool, say: Callable[[str], None]) -> Picture:
    """Return a function that draws a picture; one that fails costs no result."""

    def picture(name: str, draw: Callable[[Path], None]) -> None:
        if not wanted:
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


def table(summary: dict[str, Any]) -> str:
    """Return the results of a case as text for a terminal; what is missing stands in the last line."""
    lacking = missing(summary)
    if not lacking:
        return _table(summary)
    found = {k: r for k, r in summary["tasks"].items() if "error" not in r}
    return "\n".join(x for x in (_table(summary | {"tasks": found}), *lacking) if x)


def _table(summary: dict[str, Any]) -> str:
    lines = []
    if "longitudinal" in summary:
        from .longitudinal.run import table as longitudinal_table

        return longitudinal_table(summary)
    if "texture" in summary:
        from .texture.run import table as texture_table

        return texture_table(summary)
    if "tasks" in summary:
        from .macrospin.shared import table as tasks_table

        lines.append(tasks_table(summary["tasks"]))
    if "torque_map" in summary:
        from ..coupling.current_map import table as map_table

        lines += map_table(summary)
    lines += transport_table(summary)
    return "\n".join(lines)


def stderr_logger(comm: MPI.Intracomm) -> Callable[[str], None]:
    """Return a function that prints progress once, on standard error."""

    def say(text: str) -> None:
        if comm.rank == 0:
            print(f"fespin: {text}", file=sys.stderr, flush=True)

    return say
