"""A process of its own that reads a file of gmsh, meshes it, and writes the mesh: ``gmsh_child.py REQUEST``.

Started by :mod:`fespin.geometry.reading`; it imports nothing of fespin, for it runs without MPI. REQUEST is JSON:
"path", "mesh" (where the result goes), "size" (of the largest cell, or null), "dimension" (or null), "layers" (names of
groups that decide the dimension, or null), "seconds" and "bytes" (limits). The answer is JSON on the last line of
standard output: {"error": ...} or {}.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import resource
import signal
import sys
from typing import Any


def _limit(seconds: float, size: int) -> None:
    """End this process when its time or memory is used up, or when the parent ends."""
    # The alarm serves if the parent was killed; a living parent ends this process earlier.
    signal.setitimer(signal.ITIMER_REAL, seconds + 5)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    size = size if hard == resource.RLIM_INFINITY else min(size, hard)
    if soft == resource.RLIM_INFINITY or size < soft:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (size, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(AttributeError, OSError):  # Linux
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _dimension(model: Any, request: dict[str, Any]) -> int:
    """Return the dimension of cells; 0 if the layers do not agree on one: the parent then raises the error."""
    if request["dimension"] is not None:
        return int(request["dimension"])
    if request["layers"] is None:
        return max((int(d) for d, _ in model.getEntities()), default=0)
    dimension_of: dict[str, int] = {}
    for d, tag in model.getPhysicalGroups():
        name = model.getPhysicalName(d, tag)
        dimension_of[name] = max(int(d), dimension_of.get(name, 0))
    dimensions = {dimension_of.get(x, 0) for x in request["layers"]}
    return dimensions.pop() if len(dimensions) == 1 else 0


def _work(request: dict[str, Any]) -> str | None:
    """Read, mesh and write; return what is wrong with the file, None if nothing is."""
    import gmsh

    gmsh.initialize(readConfigFiles=False, interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    gmsh.option.setNumber("General.NumThreads", 1)
    gmsh.logger.start()
    try:
        gmsh.open(request["path"])
    except Exception as error:  # gmsh raises plain exceptions
        return f"gmsh cannot read it: {error}"
    for line in gmsh.logger.get():
        kind, _, message = line.partition(": ")
        if kind in ("Warning", "Error") and "uplicate" in message:
            return f"a node or cell is there twice: {message.strip()}"
    if not request["path"].endswith(".msh"):
        if request["size"] is not None:
            gmsh.option.setNumber("Mesh.MeshSizeMax", request["size"])
        if (dimension := _dimension(gmsh.model, request)) > 0:
            gmsh.model.mesh.generate(dimension)
    # DOLFINx uses node numbers as positions in a list, so there must be no gaps in them.
    gmsh.model.mesh.renumberNodes()
    gmsh.option.restoreDefaults()
    for name, value in {"MshFileVersion": 4.1, "Binary": 1, "SaveAll": 1}.items():
        gmsh.option.setNumber(f"Mesh.{name}", value)
    gmsh.write(request["mesh"])
    # Everything that the parent will ask of gmsh is done here first, so that a crash ends this process only.
    gmsh.clear()
    gmsh.open(request["mesh"])
    gmsh.model.mesh.getNodes()
    for d, tag in gmsh.model.getPhysicalGroups():
        gmsh.model.getPhysicalName(d, tag)
        for entity in gmsh.model.getEntitiesForPhysicalGroup(d, tag):
            gmsh.model.mesh.getElements(d, int(entity))
    return None


def _main() -> None:
    request = json.loads(sys.argv[1])
    _limit(request["seconds"], request["bytes"])
    try:
        error = _work(request)
    except MemoryError:
        error = "gmsh needs more memory than there is"
    except Exception as failure:  # gmsh raises plain exceptions
        error = f"gmsh could not build the mesh: {str(failure).strip() or type(failure).__name__}"
    print(json.dumps({} if error is None else {"error": error}), flush=True)


if __name__ == "__main__":
    _main()
