"""The user's own meshes: gmsh's .msh, or .geo to be meshed, with named physical groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ..domain import Domain
from ..errors import InputError, nearest
from ..stack import Stack
from .parallel_files import is_parallel, read_mesh
from .reading import SUFFIXES, open_file
from .session import mesh_with_gmsh
from .soundness import check_cells, check_points, check_sides

# Devices larger than this (m) were most likely written in another unit.
LARGEST = 0.01
# Numbers that gmsh gives to the types of straight simplices, by dimension.
_SIMPLEX = {1: 1, 2: 2, 3: 4}


def from_file(
    comm: MPI.Intracomm,
    path: str | Path,
    stack: Stack,
    *,
    length_unit: float = 1.0,
    mesh_size: float | None = None,
    contacts: Sequence[str] | None = None,
    cross_section: float | None = None,
    depth: float | None = None,
    trust_geo: bool = False,
    refinements: int = 0,
) -> Domain:
    """Return a domain from a mesh or geometry file of gmsh, or one of :func:`fespin.save_mesh`. Collective.

    Every layer is a physical group of cells with the layer's name, every contact a physical
    group of boundary facets. The dimension is that of the layers. Files of gmsh are read and checked by one rank. An
    ``.xdmf`` is read by all ranks, each its own part, in which no cell may be flat.

    Parameters
    ----------
    path
        ``.msh``, ``.geo`` or ``.xdmf``.
    stack
        The layers; their thicknesses are not used.
    length_unit
        Length of the file's unit (m).
    mesh_size
        Largest cell of a ``.geo`` file (m); the default is what the file says.
    contacts
        Names of boundary groups that are contacts; default all.
    cross_section, depth
        See :class:`fespin.Domain`; default the smallest contact, and 1, or what an ``.xdmf`` says.
    trust_geo
        Run a ``.geo`` as it is; else it may only build geometry, groups and sizes.
    refinements
        See :func:`fespin.line`. Faces stay as they are: a polygon remains one.

    Raises
    ------
    InputError
        If the file is missing or unreadable, has no named groups, does not fit the layers, has other
        cells than straight simplices, falls into parts, or has cells that are flat, double or overlap.

    Examples
    --------
    >>> built = fs.line(comm, stack, save="valve.msh")
    >>> domain = fs.from_file(comm, "valve.msh", stack, length_unit=1e-9)
    >>> domain.regions == built.regions
    True
    """
    path = Path(path)
    owner = f"geometry.mesh '{path}'"
    if path.suffix not in SUFFIXES and not is_parallel(path):
        raise InputError(f"{owner}: the name must end in {', '.join(SUFFIXES[:2])} or .xdmf")
    if not math.isfinite(length_unit) or length_unit <= 0:
        raise InputError(f"geometry.length_unit: found {length_unit!r}; it must be positive")
    if is_parallel(path):
        return read_mesh(
            comm,
            path,
            owner,
            stack,
            length_unit=length_unit,
            contacts=contacts,
            cross_section=cross_section,
            depth=depth,
            refinements=refinements,
        )
    depth = 1.0 if depth is None else depth

    def build(gmsh: Any) -> dict[str, Any]:
        size = None if mesh_size is None else mesh_size / length_unit
        open_file(gmsh, path, owner, size=size, layers=stack.names, trust_geo=trust_geo)
        model = gmsh.model
        groups = _groups(model, owner)
        names = {n for _, n in groups}
        for layer in stack:
            if layer.name not in names:
                raise InputError(
                    f"{owner}: no physical group is called '{layer.name}' (a layer); {nearest(layer.name, names)}"
                )
        dim = max(d for d, n in groups if n in stack.names)
        layers = {n: (d, tag) for (d, n), tag in groups.items() if d == dim and n in stack.names}
        if dim == 0 or len(layers) < len(stack.names):
            dims = sorted({max(d for d, n in groups if n == x) for x in stack.names})
            raise InputError(f"{owner}: the layers' groups have the dimensions {dims}; they must share one, 1 to 3")
        if dim != 2 and depth != 1.0:
            raise InputError(f"geometry.depth: found {depth:g}; only 2D meshes have one, {path.name} is {dim}D")
        ends = {n: (d, tag) for (d, n), tag in groups.items() if d == dim - 1}
        contact_names = set(contacts) if contacts is not None else set(ends)
        for n in sorted(contact_names - ends.keys()):
            raise InputError(f"{owner}: no group of boundary facets is called '{n}' (a contact); {nearest(n, ends)}")
        for (d, name), tag in groups.items():
            if d == dim and name not in layers:
                raise InputError(f"{owner}: the physical group '{name}' is no layer; {nearest(name, layers)}")
            if d != dim and (d != dim - 1 or name not in contact_names):
                model.removePhysicalGroups([(d, tag)])
        _check(gmsh, owner, dim, {n: ends[n] for n in sorted(contact_names)}, layers, length_unit)
        return {"cross_section": cross_section, "depth": depth, "gdim": dim}

    # The dimension of space is known only once the file is read.
    return mesh_with_gmsh(comm, None, build, stack, unit=length_unit, refinements=refinements)


def _groups(model: Any, owner: str) -> dict[tuple[int, str], int]:
    """Return the tags of the named physical groups by dimension and name; those without a name are removed."""
    groups: dict[tuple[int, str], int] = {}
    for d, tag in model.getPhysicalGroups():
        name = model.getPhysicalName(d, tag)
        if not name:
            model.removePhysicalGroups([(d, tag)])
        elif (d, name) in groups:
            raise InputError(f"{owner}: two physical groups of dimension {d} are called '{name}'; rename one")
        else:
            groups[int(d), name] = int(tag)
    if not groups:
        raise InputError(f"{owner}: no physical group has a name; name the layers and the contacts")
    return groups


def _check(
    gmsh: Any,
    owner: str,
    dim: int,
    contacts: dict[str, tuple[int, int]],
    layers: dict[str, tuple[int, int]],
    length_unit: float,
) -> None:
    """Refuse meshes that would fail later, while the whole mesh is at hand."""
    if not contacts:
        raise InputError(f"{owner}: there is no contact; name a physical group of the boundary")
    mesh = gmsh.model.mesh
    cells, facets = [], {}
    member: dict[tuple[int, int], str] = {}
    for name, (d, tag) in (*layers.items(), *contacts.items()):
        count = 0
        for entity in gmsh.model.getEntitiesForPhysicalGroup(d, tag):
            other = member.setdefault((d, int(entity)), name)
            if other != name:
                raise InputError(f"{owner}: the groups '{other}' and '{name}' overlap; each part belongs to one")
            types, elements, nodes = mesh.getElements(d, int(entity))
            for kind, e, n in zip(types, elements, nodes, strict=True):
                if d > 0 and kind != _SIMPLEX[d]:
                    what = mesh.getElementProperties(kind)[0]
                    raise InputError(
                        f"{owner}: '{name}' has cells of type {what}; use first-order triangles or tetrahedra"
                    )
                count += len(e)
                if d == dim:
                    cells.append(np.asarray(n, np.int64).reshape(len(e), -1))
                else:
                    facets[name, int(entity)] = np.asarray(n, np.int64)
        if not count:
            raise InputError(f"{owner}: the group '{name}' has no cell in the mesh")
    c = np.concatenate(cells)
    used, index = np.unique(c, return_inverse=True)
    index = index.reshape(c.shape)
    for (name, _), nodes in facets.items():
        if not np.isin(nodes, used).all():
            raise InputError(f"{owner}: the contact '{name}' touches no layer; is a part of the device in no group?")
    tags, x, _ = mesh.getNodes()
    order = np.argsort(tags)
    x = x.reshape(-1, 3)[order[np.searchsorted(tags, used, sorter=order)]]
    check_points(owner, x)
    if (extent := float(np.ptp(x, axis=0).max()) * length_unit) > LARGEST:
        raise InputError(f"{owner}: the device is {extent:.3g} m large; set geometry.length_unit, 1e-9 if it is in nm")
    _check_plane(x, owner, dim)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = coo_array(
        (np.ones(index[:, 1:].size), (np.repeat(index[:, 0], c.shape[1] - 1), index[:, 1:].ravel())),
        shape=(len(used), len(used)),
    )
    parts, part = connected_components(edges, directed=False)
    if parts == 1:
        check_cells(owner, x, index, dim)
        for (name, _), nodes in facets.items():
            check_sides(f"{owner}: the contact '{name}'", x, index, np.searchsorted(used, nodes).reshape(-1, dim))
        return
    first = {n: mesh.getNodesForPhysicalGroup(d, t)[0].astype(np.int64)[:1] for n, (d, t) in layers.items()}
    home = {n: int(part[np.searchsorted(used, x)][0]) for n, x in first.items()}
    here = next(iter(home))
    apart = [n for n in home if home[n] != home[here]]
    why = f" ('{here}' and '{apart[0]}' do not touch)" if apart else ""
    raise InputError(
        f"{owner}: the mesh falls into {parts} parts that share no nodes{why}; "
        "glue them: Coherence or BooleanFragments in gmsh"
    )


def _check_plane(x: NDArray[np.float64], owner: str, dim: int) -> None:
    """Refuse sections and lines that are not in the first coordinates: the others are dropped."""
    extent = np.ptp(x, axis=0)
    if (extent[dim:] > 1e-9 * extent.max()).any():
        axes = ("x", "x, y")[dim - 1]
        raise InputError(f"{owner}: a {dim}D mesh must lie in {axes}, and its last coordinate cross the layers")
