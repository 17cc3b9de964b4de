"""One gmsh session: built on rank 0, distributed to all, its failures raised on all."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dolfinx import mesh as dmesh
from mpi4py import MPI

from . import _compat
from .errors import FespinError, InputError
from .mpi import first_rank


def mesh_from_gmsh(
    comm: MPI.Intracomm, gdim: int | None, build: Callable[[Any], dict[str, Any]], *, save: Path | None = None
) -> tuple[dmesh.Mesh, dmesh.MeshTags, dmesh.MeshTags, dict[tuple[int, str], int], dict[str, Any]]:
    """Build a mesh with gmsh and distribute it. Collective.

    Parameters
    ----------
    gdim
        Dimension of space; None: `build` returns it as "gdim".
    build
        Called on rank 0 with the gmsh module: adds entities and physical groups and
        meshes them. Returns anything that all ranks are to know.
    save
        File to which the mesh is written as well (rank 0).

    Returns
    -------
    tuple
        Mesh, cell tags, facet tags, ``{(dimension, name): tag}``, and what `build` returned.

    Raises
    ------
    InputError
        If gmsh refuses the geometry.
    """
    handlers = _handlers()
    try:
        keywords = first_rank(comm, lambda: _built(build, save))
        gdim = int(keywords.pop("gdim", gdim))
        model = sys.modules["gmsh"].model if comm.rank == 0 else None
        mesh, cells, facets, names = _compat.from_gmsh(model, comm, gdim)
    finally:
        _finalize()
        _restore(handlers)
    return mesh, cells, facets, names, keywords


def write_with_gmsh(comm: MPI.Intracomm, build: Callable[[Any], None], path: Path) -> None:
    """Build a mesh with gmsh and write it to a file, on rank 0. Collective.

    Parameters
    ----------
    build
        As for :func:`mesh_from_gmsh`.
    path
        Name of the file.

    Raises
    ------
    InputError
        If gmsh refuses the geometry.
    """
    handlers = _handlers()
    try:
        first_rank(comm, lambda: _built(build, path))
    finally:
        _finalize()
        _restore(handlers)


def _built[T](build: Callable[[Any], T], save: Path | None) -> T:
    """Build and mesh in a new session; return what `build` returns."""
    import gmsh  # takes time, and one rank alone needs it

    gmsh.initialize(readConfigFiles=False, interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    gmsh.option.setNumber("General.NumThreads", 1)
    try:
        result = build(gmsh)
        if save is not None:
            gmsh.write(str(save))
    except FespinError as error:
        raise InputError(str(error)) from error
    except Exception as error:  # gmsh raises plain exceptions
        why = str(error).strip() or type(error).__name__
        raise InputError(f"gmsh could not build the mesh: {why}") from error
    return result


def _finalize() -> None:
    """End the session on the rank that has one."""
    gmsh = sys.modules.get("gmsh")
    if gmsh is not None and gmsh.isInitialized():
        gmsh.finalize()


def _handlers() -> dict[int, Any]:
    """Return the signal handlers, which gmsh replaces by its own."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}


def _restore(handlers: dict[int, Any]) -> None:
    for number, handler in handlers.items():
        if handler is not None:
            signal.signal(number, handler)
