"""Files of gmsh, read in a process of their own: what they can do there is limited, and how long it takes."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import gmsh_child
from ..errors import InputError, nearest, one_line
from .geo_language import check_geo

SUFFIXES = (".msh", ".geo", ".geo_unrolled")
# The first bytes of a mesh file. gmsh runs a file that begins otherwise as a script.
_MESH = (b"$MeshFormat", b"$Comments", b"$NOD")


@dataclass(frozen=True)
class Reading:
    """Limits and trust with which files of gmsh are read.

    Attributes
    ----------
    trust_geo
        Run ``.geo`` files as they are; else only what builds geometry, groups and sizes is accepted.
    seconds
        Time within which a file must be read and meshed (s).

    Raises
    ------
    InputError
        If the time is not positive and finite.
    """

    trust_geo: bool = False
    seconds: float = 300.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.seconds) and self.seconds > 0):
            raise InputError(f"--mesh-time: found {self.seconds!r}; it must be a finite, positive number of seconds")


_current: ContextVar[Reading] = ContextVar("reading", default=Reading())  # noqa: B039 (frozen)


@contextlib.contextmanager
def reading(how: Reading) -> Iterator[None]:
    """Set how files of gmsh are read within a ``with`` block, for all that a case reads in it.

    Examples
    --------
    >>> with reading(Reading(seconds=60)):
    ...     pass
    """
    token = _current.set(how)
    try:
        yield
    finally:
        _current.reset(token)


def open_file(
    gmsh: Any,
    path: Path,
    owner: str,
    *,
    size: float | None = None,
    dimension: int | None = None,
    layers: Sequence[str] | None = None,
    trust_geo: bool = False,
) -> None:
    """Open a ``.msh`` or ``.geo`` file, meshed, in a gmsh session; not collective, for the rank that meshes.

    Parameters
    ----------
    owner
        Key and path, for messages.
    size
        Size of the largest cell of a ``.geo``, in the file's unit; default as the file says.
    dimension, layers
        Dimension of the cells of a ``.geo``: this one, or that of these groups, or that of the geometry. Where the
        groups do not share one, there are no cells.
    trust_geo
        Run a ``.geo`` as it is.

    Raises
    ------
    InputError
        If the file is missing, says what it may not say, takes too long, or gmsh cannot read or mesh it.
    """
    how = _current.get()
    text = _text(path, owner)
    trusted = trust_geo or how.trust_geo
    if path.suffix != ".msh" and not trusted:
        check_geo(text, owner)
    # gmsh reads a copy: nobody changes it after the check, and no files of options lie beside it.
    with tempfile.TemporaryDirectory(prefix="fespin-") as folder:
        source, mesh = Path(folder) / f"source{path.suffix}", Path(folder) / "mesh.msh"
        if trusted and path.suffix != ".msh":
            source = path.absolute()  # a trusted file may include files beside it
        else:
            source.write_bytes(text)
        request = {
            "path": str(source),
            "mesh": str(mesh),
            "size": size,
            "dimension": dimension,
            "layers": None if layers is None else list(layers),
            "seconds": how.seconds,
            "bytes": _memory(),
        }
        error = _mesh_apart(request, folder if not trusted else None, how.seconds)
        if error is None and not mesh.is_file():
            error = "gmsh ended without a mesh; is there an Exit in it?"
        if error is not None:
            raise InputError(f"{owner}: {one_line(error).replace(str(source), str(path))}")
        gmsh.open(str(mesh))


def _memory() -> int:
    """Return the bytes of memory that this machine has."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):  # the system does not say
        return sys.maxsize


def _text(path: Path, owner: str) -> bytes:
    if not os.path.exists(path):
        near = [x.name for x in path.parent.glob("*") if x.suffix in SUFFIXES]
        raise InputError(f"{owner}: the file does not exist{'; ' + nearest(path.name, near) if near else ''}")
    if not os.path.isfile(path) or not os.access(path, os.R_OK):
        raise InputError(f"{owner}: cannot be read: {'permission denied' if os.path.isfile(path) else 'not a file'}")
    with path.open("rb") as f:
        text = f.read()
    if path.suffix == ".msh" and not text.startswith(_MESH):
        raise InputError(f"{owner}: not a mesh of gmsh; it does not begin with $MeshFormat")
    return text


def _mesh_apart(request: dict[str, Any], folder: str | None, seconds: float) -> str | None:
    """Run the child; return what went wrong."""
    # The child is started as a script: importing the package would start MPI, and modules beside the file must not
    # be found.
    command = [sys.executable, "-P", gmsh_child.__file__, json.dumps(request)]
    try:
        process = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return (
            f"gmsh has not built the mesh within {seconds:g} s; a larger mesh_size helps, or --mesh-time more seconds"
        )
    lines = process.stdout.decode(errors="replace").splitlines()
    with contextlib.suppress(ValueError, IndexError):
        answer = json.loads(lines[-1])
        if isinstance(answer, dict):
            return answer.get("error")
    if process.returncode < 0:
        return (
            f"gmsh ended with {signal.Signals(-process.returncode).name}: the file is broken, or needs too much memory"
        )
    if process.returncode > 0:
        last = process.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return f"gmsh ended with status {process.returncode}{': ' + last[0] if last else ''}"
    return None
