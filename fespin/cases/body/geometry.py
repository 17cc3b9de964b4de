"""Meshes of one homogeneous body, with the parts of its boundary by name."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from dolfinx import mesh as dmesh
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ...errors import InputError
from ...geometry.boxes import bricks
from ...geometry.files import LARGEST
from ...geometry.reading import SUFFIXES, open_file
from ...geometry.soundness import check_cells, check_points
from ...gmsh_session import mesh_from_gmsh
from .tables import BodyTable

type Where = Callable[[NDArray[np.float64]], NDArray[np.bool_]]
type Part = Where | tuple[dmesh.MeshTags, int]

_UNIT = 1e-9  # length of gmsh's unit here (m)


@dataclass(frozen=True)
class Body:
    """A meshed body.

    Attributes
    ----------
    mesh
        Mesh, in m.
    parts
        Parts of the boundary by name: a function of positions (3, n), or facet tags and a tag.
    low, high
        The corners of the box around it (3,), in m.
    size
        Size of its cells (m); of a mesh file the mean.
    """

    mesh: dmesh.Mesh
    parts: dict[str, Part]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    size: float

    @property
    def dimension(self) -> int:
        """Return 1 to 3."""
        return int(self.mesh.topology.dim)

    @property
    def cells(self) -> int:
        """Return how many cells it has."""
        return int(self.mesh.topology.index_map(self.dimension).size_global)

    def plane(self, axis: int, end: int) -> Where:
        """Return which points lie in the plane of the smallest (`end` 0) or largest coordinate along an axis."""
        at = (self.low, self.high)[end][axis]
        near = 1e-9 * float((self.high - self.low).max())
        return lambda x: np.abs(x[axis] - at) < near


def make_body(
    comm: MPI.Intracomm, table: BodyTable, base: Path, owner: str, default: float, *, curved: bool = False
) -> Body:
    """Mesh a body. Collective.

    Parameters
    ----------
    base
        Folder where a mesh file's path starts.
    owner
        The table's name, for messages.
    default
        Size of cells (m) if none is given.
    curved
        True if the cells of discs and cylinders follow their edge to second order.

    Raises
    ------
    InputError
        If the mesh file is unreadable or unusable; the message names it.
    """
    size = table.cell(default)
    if table.mesh is not None:
        return _from_file(comm, table, base / table.mesh, owner)
    if table.radius is not None:
        return _round(comm, table, size, curved)
    extents = table.extents
    counts = [max(1, math.ceil(x / size * (1 - 1e-9))) for x in extents]
    if len(extents) == 1:
        mesh = dmesh.create_interval(comm, counts[0], [0.0, extents[0]])
    elif len(extents) == 2:
        mesh = dmesh.create_rectangle(comm, [[0.0, 0.0], extents], counts)
    else:
        counts = [n if n == 1 else n + n % 2 for n in counts]  # even ones have a middle
        mesh = bricks(comm, [0.0, 0.0, 0.0], extents, counts)
    body = _body(mesh, {}, max(x / n for x, n in zip(extents, counts, strict=True)))
    ends = [("left", 0, 0), ("right", 0, 1)]
    if len(extents) == 2:
        ends += [("bottom", 1, 0), ("top", 1, 1)]
    elif len(extents) == 3:
        ends += [("front", 1, 0), ("back", 1, 1), ("bottom", 2, 0), ("top", 2, 1)]
    body.parts.update({name: body.plane(axis, end) for name, axis, end in ends})
    return body


def _body(mesh: dmesh.Mesh, parts: dict[str, Part], size: float | None = None) -> Body:
    x = mesh.geometry.x
    empty = np.full(3, np.inf)
    every = mesh.comm.allgather((x.min(axis=0) if len(x) else empty, x.max(axis=0) if len(x) else -empty))
    low, high = np.min([e[0] for e in every], axis=0), np.max([e[1] for e in every], axis=0)
    if size is None:
        dim = mesh.topology.dim
        cells = mesh.topology.index_map(dim).size_global
        size = float((np.prod((high - low)[:dim]) / cells) ** (1 / dim))
    return Body(mesh, parts, low, high, size)


def _round(comm: MPI.Intracomm, table: BodyTable, size: float, curved: bool) -> Body:
    assert table.radius is not None
    radius, length = table.radius / _UNIT, (table.length or 0.0) / _UNIT

    def build(gmsh: Any) -> dict[str, Any]:
        occ, dim = gmsh.model.occ, 2 if table.length is None else 3
        hole = (table.inner_radius or 0.0) / _UNIT
        if dim == 2:
            occ.addDisk(0, 0, 0, radius, radius, 1)
            if hole:
                occ.cut([(2, 1)], [(2, occ.addDisk(0, 0, 0, hole, hole, 2))], 3)
        else:
            occ.addCylinder(0, 0, 0, 0, 0, length, radius)
        occ.synchronize()
        gmsh.model.addPhysicalGroup(dim, [entity for _, entity in gmsh.model.getEntities(dim)], 1, "body")
        groups: dict[str, list[int]] = {}
        for _, entity in gmsh.model.getEntities(dim - 1):
            z = occ.getCenterOfMass(dim - 1, entity)[2]
            flat = {0: "bottom", 1: "top"}.get(round(z / length, 6) if length else -1, "side")
            inner = dim == 2 and occ.getBoundingBox(dim - 1, entity)[3] < (radius + hole) / 2
            groups.setdefault("hole" if inner else "edge" if dim == 2 else flat, []).append(entity)
        for tag, (name, entities) in enumerate(groups.items(), 1):
            gmsh.model.addPhysicalGroup(dim - 1, entities, tag, name)
        gmsh.option.setNumber("Mesh.MeshSizeMax", size / _UNIT)
        gmsh.model.mesh.generate(dim)
        if curved:
            gmsh.model.mesh.setOrder(2)
        return {"gdim": dim}

    return _tagged(comm, build, _UNIT, size)


def _tagged(comm: MPI.Intracomm, build: Callable[[Any], dict[str, Any]], unit: float, size: float | None) -> Body:
    mesh, _, facets, names, _ = mesh_from_gmsh(comm, None, build)
    mesh.geometry.x[:] *= unit
    dim = mesh.topology.dim
    parts: dict[str, Part] = {name: (facets, tag) for (d, name), tag in names.items() if d == dim - 1}
    return _body(mesh, parts, size)


def _from_file(comm: MPI.Intracomm, table: BodyTable, path: Path, owner: str) -> Body:
    """Return the body of a file of gmsh: the groups of cells together, or all cells if none is named."""
    unit, name = table.length_unit, f"{owner}.mesh '{path}'"
    if path.suffix not in SUFFIXES:
        raise InputError(f"{name}: the name must end in {' or '.join(SUFFIXES[:2])}")

    def build(gmsh: Any) -> dict[str, Any]:
        open_file(gmsh, path, name, size=None if table.mesh_size is None else table.mesh_size / unit)
        model = gmsh.model
        dim = max((d for d in range(4) if len(model.mesh.getElements(d)[0])), default=0)
        if dim == 0:
            raise InputError(f"{name}: it has no cells")
        _merge_cells(model, dim)
        _check_facets(model, name, dim)
        _check_cells(model, name, dim, f"{owner}.length_unit", unit)
        return {"gdim": dim}

    return _tagged(comm, build, unit, None)


def _merge_cells(model: Any, dim: int) -> None:
    """Make one group of all cells that belong to the body."""
    groups = model.getPhysicalGroups(dim)
    inside = {int(e) for _, tag in groups for e in model.getEntitiesForPhysicalGroup(dim, tag)}
    model.removePhysicalGroups(groups)
    model.addPhysicalGroup(dim, sorted(inside) or [e for _, e in model.getEntities(dim)], 1, "body")


def _check_facets(model: Any, owner: str, dim: int) -> None:
    """Keep named groups of facets; refuse those that overlap or share a name."""
    group_of_entity: dict[int, str] = {}
    for d, tag in model.getPhysicalGroups():
        if d == dim:
            continue
        name = model.getPhysicalName(d, tag)
        if d != dim - 1 or not name:
            model.removePhysicalGroups([(d, tag)])
            continue
        for entity in model.getEntitiesForPhysicalGroup(d, tag):
            other = group_of_entity.setdefault(int(entity), name)
            if other != name:
                raise InputError(f"{owner}: the groups '{other}' and '{name}' overlap; each facet belongs to one")


def _check_cells(model: Any, owner: str, dim: int, key: str, unit: float) -> None:
    """Refuse bodies of metres, in several parts, out of the plane, or of cells that do not fill space once."""
    cells, kinds = [], set()
    for entity in model.getEntitiesForPhysicalGroup(dim, 1):
        types, elements, nodes = model.mesh.getElements(dim, int(entity))
        kinds |= {int(t) for t in types}
        for e, n in zip(elements, nodes, strict=True):
            cells.append(np.asarray(n, np.int64).reshape(len(e), -1))
    if len(kinds) != 1:
        raise InputError(f"{owner}: the cells are of several kinds; use one")
    c = np.concatenate(cells)
    used, index = np.unique(c, return_inverse=True)
    index = index.reshape(c.shape)
    tags, x, _ = model.mesh.getNodes()
    order = np.argsort(tags)
    x = x.reshape(-1, 3)[order[np.searchsorted(tags, used, sorter=order)]]
    check_points(owner, x)
    extent = np.ptp(x, axis=0)
    if extent.max() * unit > LARGEST:
        raise InputError(f"{owner}: the body is {extent.max() * unit:.3g} m large; set {key}, 1e-9 if it is in nm")
    if (extent[dim:] > 1e-9 * extent.max()).any():
        raise InputError(f"{owner}: a {dim}D mesh must lie in {('x', 'x, y')[dim - 1]}")
    edges = coo_array(
        (np.ones(index[:, 1:].size), (np.repeat(index[:, 0], c.shape[1] - 1), index[:, 1:].ravel())),
        shape=(len(used), len(used)),
    )
    parts, _ = connected_components(edges, directed=False)
    if parts > 1:
        raise InputError(
            f"{owner}: the mesh falls into {parts} parts that share no nodes; glue them: Coherence in gmsh"
        )
    (kind,) = kinds
    corners = int(model.mesh.getElementProperties(kind)[5])
    determinants = None if c.shape[1] == dim + 1 else _determinants(model, kind, x[index], dim)
    check_cells(owner, x, index[:, :corners], dim, determinants)


def _determinants(model: Any, kind: int, nodes: NDArray[np.float64], dim: int) -> NDArray[np.float64]:
    """Return the determinants of the map from the reference cell where integrals are taken (cells, points)."""
    _, _, order, count, _, _ = model.mesh.getElementProperties(kind)
    at, _ = model.mesh.getIntegrationPoints(kind, f"Gauss{2 * order + 2}")
    _, values, _ = model.mesh.getBasisFunctions(kind, at, "GradLagrange")
    gradients = np.reshape(values, (-1, count, 3))[:, :, :dim]  # (point, node, axis)
    return np.asarray(np.linalg.det(np.einsum("cnx,pna->cpxa", nodes[:, :, :dim], gradients)))
