"""The user's own meshes: gmsh's .msh, or .geo to be meshed, with named physical groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..device import Stack
from ..domain import Domain
from ..errors import InputError, nearest
from .session import mesh_with_gmsh

SUFFIXES = (".msh", ".geo", ".geo_unrolled")
# gmsh's types of straight simplices, by dimension.
_SIMPLEX = {1: 1, 2: 2, 3: 4}


def from_file(
    comm: MPI.Comm,
    path: str | Path,
    stack: Stack,
    *,
    length_unit: float = 1.0,
    mesh_size: float | None = None,
    contacts: Sequence[str] | None = None,
    cross_section: float | None = None,
    depth: float = 1.0,
) -> Domain:
    """Return a domain from a mesh or geometry file of gmsh. Collective.

    Every layer is a physical group of cells with the layer's name, every contact a physical
    group of boundary facets. The dimension is that of the layers.

    Parameters
    ----------
    path
        ``.msh`` or ``.geo``.
    stack
        The layers; their thicknesses are not used.
    length_unit
        Length of the file's unit (m).
    mesh_size
        For ``.geo``: largest cell (m); default as the file says.
    contacts
        Names of boundary groups that are contacts; default all.
    cross_section, depth
        See :class:`fespin.Domain`.

    Raises
    ------
    InputError
        If the file is missing or unreadable, has no named groups, does not fit the layers, has other
        cells than straight simplices, or falls into parts that no contact touches.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise InputError(f"mesh file '{path}': the name must end in {' or '.join(SUFFIXES[:2])}")
    if not math.isfinite(length_unit) or length_unit <= 0:
        raise InputError(f"geometry: length_unit is {length_unit!r}; it must be positive")
    if not comm.bcast(path.is_file() if comm.rank == 0 else None, 0):
        raise InputError(f"mesh file '{path}' does not exist")

    def build(gmsh: Any) -> dict[str, Any]:
        model = gmsh.model
        try:
            gmsh.open(str(path))
        except Exception as error:  # gmsh raises plain exceptions
            raise InputError(f"mesh file '{path}' cannot be read: {str(error).strip()}") from error
        groups = {model.getPhysicalName(d, t): (d, t) for d, t in model.getPhysicalGroups()}
        groups.pop("", None)
        if not groups:
            raise InputError(f"mesh file '{path}' has no named physical groups; name the layers and contacts")
        for layer in stack:
            if layer.name not in groups:
                raise InputError(f"mesh file '{path}': no physical group is called '{layer.name}' (a layer): {nearest(layer.name, groups)}")
        dims = {groups[x.name][0] for x in stack}
        dim = max(dims)
        if len(dims) > 1 or dim == 0:
            raise InputError(f"mesh file '{path}': the layers' groups have the dimensions {sorted(dims)}; they must share one")
        wanted = set(contacts) if contacts is not None else {n for n, (d, _) in groups.items() if d == dim - 1}
        for n in wanted:
            if n not in groups or groups[n][0] != dim - 1:
                known = [k for k, (d, _) in groups.items() if d == dim - 1]
                raise InputError(f"mesh file '{path}': no boundary group is called '{n}' (a contact): {nearest(n, known)}")
        for d, t in model.getPhysicalGroups():
            name = model.getPhysicalName(d, t)
            if (d == dim and name not in stack.names) or (d == dim - 1 and name not in wanted) or d not in (dim, dim - 1):
                if d == dim:
                    raise InputError(f"mesh file '{path}': the physical group '{name}' is no layer: {nearest(name, stack.names)}")
                model.removePhysicalGroups([(d, t)])
        if path.suffix != ".msh" or not model.mesh.getElements(dim)[0]:
            if mesh_size is not None:
                gmsh.option.setNumber("Mesh.MeshSizeMax", mesh_size / length_unit)
            model.mesh.generate(dim)
        _check(gmsh, path, dim, {n: groups[n] for n in wanted}, {x.name: groups[x.name] for x in stack})
        return {"cross_section": cross_section, "depth": depth, "gdim": dim}

    # The dimension of space is known only once the file is read.
    return mesh_with_gmsh(comm, None, build, stack, unit=length_unit)


def _check(
    gmsh: Any, path: Path, dim: int, contacts: dict[str, tuple[int, int]], layers: dict[str, tuple[int, int]]
) -> None:
    """Refuse meshes that would fail later, while the whole mesh is at hand."""
    mesh = gmsh.model.mesh
    cells = []
    for name, (d, tag) in {**layers, **contacts}.items():
        found = 0
        for entity in gmsh.model.getEntitiesForPhysicalGroup(d, tag):
            types, elements, nodes = mesh.getElements(d, int(entity))
            for kind, e, n in zip(types, elements, nodes, strict=True):
                if d > 0 and kind != _SIMPLEX[d]:
                    what = mesh.getElementProperties(kind)[0]
                    raise InputError(f"mesh file '{path}': '{name}' has cells of type {what}; use straight triangles or tetrahedra")
                found += len(e)
                if d == dim:
                    cells.append(np.asarray(n, np.int64).reshape(len(e), -1))
        if not found:
            raise InputError(f"mesh file '{path}': the group '{name}' has no cell in the mesh")
    if not contacts:
        raise InputError(f"mesh file '{path}' has no contact: name a physical group of its boundary")
    c = np.concatenate(cells)
    used, index = np.unique(c, return_inverse=True)
    index = index.reshape(c.shape)
    edges = coo_array(
        (np.ones(index[:, 1:].size), (np.repeat(index[:, 0], c.shape[1] - 1), index[:, 1:].ravel())),
        shape=(len(used), len(used)),
    )
    parts, part = connected_components(edges, directed=False)
    touched = set()
    for d, tag in contacts.values():
        nodes = mesh.getNodesForPhysicalGroup(d, tag)[0].astype(np.int64)
        touched |= set(part[np.searchsorted(used, nodes[np.isin(nodes, used)])].tolist())
    if len(touched) < parts:
        raise InputError(
            f"mesh file '{path}' falls into {parts} disconnected parts, and {parts - len(touched)} of them touch no "
            "contact; let neighbouring volumes share their faces"
        )
