"""Meshes with their names in XDMF files with HDF5 beside them, which all ranks write and read at once.

The grids "mesh", "cells" and "facets" hold the mesh and the tags of its regions and contacts. The element Information
"fespin" of the domain holds, as JSON, the names of the tags, the cross-section, depth and centre.
"""

from __future__ import annotations

import errno
import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from dolfinx import mesh as dmesh
from dolfinx.io import XDMFFile
from mpi4py import MPI

from .. import _compat
from ..domain import Domain, build_domain
from ..errors import InputError, nearest, one_line
from ..mpi import agree_on_errors, first_rank
from ..stack import Stack
from .pieces import distributed
from .refining import checked_refinements, refined
from .soundness import check_flat, check_points

SUFFIX = ".xdmf"
_SHAPES = {dmesh.CellType.interval, dmesh.CellType.triangle, dmesh.CellType.tetrahedron}
_MOST_XML = 1_000_000  # bytes; the numbers of the mesh are in the HDF5 file


def is_parallel(path: str | Path) -> bool:
    """Return whether a file is one that all ranks write and read, by its name."""
    return Path(path).suffix == SUFFIX


def save_mesh(domain: Domain, path: str | Path) -> None:
    """Write a mesh with its names, for any number of ranks to read at once. Collective.

    A case takes it as ``[geometry] mesh = "NAME.xdmf"``, a script by :func:`fespin.from_file`. What lies beside it,
    ``NAME.h5``, belongs to it. ParaView opens it as well.

    Parameters
    ----------
    path
        Ends in ``.xdmf``.

    Raises
    ------
    InputError
        If the path has another ending.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> fs.save_mesh(fs.line(comm, stack), "line.xdmf")
    >>> fs.from_file(comm, "line.xdmf", stack).regions
    ('Cu1', 'fixed', 'Cu3', 'free', 'Cu5')
    """
    path = Path(path)
    if not is_parallel(path):
        raise InputError(f"save_mesh: found '{path}'; the name must end in {SUFFIX}")
    first_rank(domain.comm, lambda: _require_place(path))
    cells, facets = tags_of(domain)
    cells.name, facets.name = "cells", "facets"
    about = {
        "regions": {n: i for i, n in enumerate(domain.regions, 1)},
        "contacts": {n: i for i, n in enumerate(domain.contacts, 1)},
        "cross_section": domain.cross_section,
        "depth": domain.depth,
        "centre": list(domain.centre),
    }
    name, domain.mesh.name = domain.mesh.name, "mesh"
    try:
        with XDMFFile(domain.comm, str(path), "w") as file:
            file.write_mesh(domain.mesh)
            file.write_meshtags(cells, domain.mesh.geometry)
            file.write_meshtags(facets, domain.mesh.geometry)
            file.write_information("fespin", json.dumps(about))
    except RuntimeError as error:
        raise OSError(errno.EIO, one_line(str(error)), str(path)) from error
    finally:
        domain.mesh.name = name


def _require_place(path: Path) -> None:
    """Open both files for writing: where that fails, HDF5 would end the process."""
    for name in (path, path.with_suffix(".h5")):
        name.open("ab").close()


def tags_of(domain: Domain) -> tuple[dmesh.MeshTags, dmesh.MeshTags]:
    """Return tags of cells and facets: the numbers of regions and of contacts, from 1."""
    count = len(domain.region)
    cells = dmesh.meshtags(
        domain.mesh, domain.dim, np.arange(count, dtype=np.int32), domain.region.astype(np.int32) + 1
    )
    values = [np.full(len(f), i, np.int32) for i, f in enumerate(domain.contacts.values(), 1)]
    facets = np.concatenate(list(domain.contacts.values()))
    order = np.argsort(facets)
    return cells, dmesh.meshtags(domain.mesh, domain.dim - 1, facets[order], np.concatenate(values)[order])


def read_mesh(
    comm: MPI.Intracomm,
    path: Path,
    owner: str,
    stack: Stack,
    *,
    length_unit: float = 1.0,
    contacts: Sequence[str] | None = None,
    cross_section: float | None = None,
    depth: float | None = None,
    refinements: int = 0,
) -> Domain:
    """Return a domain from a file of :func:`save_mesh`, read and distributed by all ranks. Collective.

    Parameters
    ----------
    owner
        Key and path, for messages.
    stack, length_unit, contacts, cross_section, depth, refinements
        As of :func:`fespin.from_file`; by default cross-section and depth are what the file says.

    Raises
    ------
    InputError
        If the file is missing or not one of those, or does not fit the layers.
    """
    times = checked_refinements(refinements)
    about = first_rank(comm, lambda: _about(path, owner))
    regions, ends = about["regions"], about["contacts"]
    for layer in stack:
        if layer.name not in regions:
            raise InputError(
                f"{owner}: no region is called '{layer.name}' (a layer); {nearest(layer.name, list(regions))}"
            )
    for name in contacts or ():
        if name not in ends:
            raise InputError(f"{owner}: no contact is called '{name}'; {nearest(name, list(ends))}")
    mesh, cells, facets = _read(comm, path, owner)
    dim = mesh.topology.dim
    agree_on_errors(comm, lambda: _check(mesh, owner), owner)
    if dim != 2 and depth not in (None, 1.0):
        raise InputError(f"geometry.depth: found {depth:g}; only 2D meshes have one, {path.name} is {dim}D")
    (mesh, cells, facets), _ = refined((mesh, cells, facets), times)
    mesh.geometry.x[:] *= length_unit
    names = {(dim, n): int(t) for n, t in regions.items()}
    names |= {(dim - 1, n): int(t) for n, t in ends.items() if contacts is None or n in contacts}
    if cross_section is None and about.get("cross_section") is not None:
        # An area in 3D, a width in 2D.
        cross_section = float(about["cross_section"]) * length_unit ** (dim - 1)
    if depth is None:
        depth = float(about.get("depth", 1.0)) * (length_unit if dim == 2 else 1.0)
    centre = None if about.get("centre") is None else [length_unit * float(c) for c in about["centre"]]
    return build_domain(mesh, cells, facets, names, stack, cross_section=cross_section, depth=depth, centre=centre)


def _about(path: Path, owner: str) -> dict[str, Any]:
    """Return what the file says about its names; refuse what is no such file, on one rank."""
    from xml.etree import ElementTree

    hint = "; fespin.save_mesh writes such files"
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_XML + 1)
    except FileNotFoundError:
        near = [x.name for x in path.parent.glob(f"*{SUFFIX}")]
        hint = f"; {nearest(path.name, near)}" if near else ""
        raise InputError(f"{owner}: the file does not exist{hint}") from None
    except OSError as error:
        raise InputError(f"{owner}: cannot be read: {error.strerror}") from error
    if len(text) > _MOST_XML or b"<!ENTITY" in text:
        raise InputError(f"{owner}: not a mesh with names{hint}")
    try:
        root = ElementTree.fromstring(text)
        information = root.find("./Domain/Information[@Name='fespin']")
        about = None if information is None else json.loads(information.get("Value", ""))
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        raise InputError(f"{owner}: not a mesh with names: {one_line(str(error))}{hint}") from error
    if about is None or not _is_about(about):
        raise InputError(f"{owner}: it does not say the names of regions and contacts{hint}")
    for item in root.iter("DataItem"):
        name = re.split(r":(?=/)", (item.text or "").strip())[0]
        if item.get("Format") != "HDF" or Path(name).name != name or not (path.parent / name).is_file():
            raise InputError(f"{owner}: its numbers must be in a file beside it; found '{one_line(name)[:80]}'")
    return dict(about)


def _is_about(about: Any) -> bool:
    """Return whether names and sizes have the form that :func:`save_mesh` gives them."""
    if not isinstance(about, dict):
        return False
    tables = [about.get(k) for k in ("regions", "contacts")]
    sizes = [about[k] for k in ("cross_section", "depth") if about.get(k) is not None]
    sizes += about["centre"] if isinstance(about.get("centre"), list) else []
    return all(isinstance(t, dict) and t and all(type(i) is int for i in t.values()) for t in tables) and all(
        isinstance(x, (int, float)) and math.isfinite(x) for x in sizes
    )


def _read(comm: MPI.Intracomm, path: Path, owner: str) -> tuple[dmesh.Mesh, dmesh.MeshTags, dmesh.MeshTags]:
    """Read mesh and tags, all ranks at once; what HDF5 refuses, it refuses on all of them."""
    try:
        with XDMFFile(comm, str(path), "r") as file:
            shape, degree = file.read_cell_type("mesh")
            if shape not in _SHAPES or degree != 1:
                raise InputError(f"{owner}: cells are {shape.name} of degree {degree}; straight simplices are needed")
            cells, x = file.read_topology_data("mesh"), file.read_geometry_data("mesh")
            dim, count = cells.shape[1] - 1, comm.allreduce(len(x))
            for nodes in (cells, file.read_topology_data("cells"), file.read_topology_data("facets")):
                # DOLFINx uses these numbers as indices without a check.
                if comm.allreduce(bool(((nodes < 0) | (nodes >= count)).any()), MPI.LOR):
                    raise InputError(f"{owner}: a cell has a node that is not there, of {count}")
            # XDMF stores two coordinates at least, also of a line.
            if comm.allreduce(bool(x[:, dim:].any()), MPI.LOR):
                raise InputError(f"{owner}: a {dim}D mesh must lie in its first coordinates")
            mesh = distributed(comm, cells, x[:, :dim])
            mesh.topology.create_entities(dim - 1)
            mesh.topology.create_connectivity(dim - 1, dim)
            return mesh, file.read_meshtags(mesh, "cells"), file.read_meshtags(mesh, "facets")
    except RuntimeError as error:
        raise InputError(f"{owner}: cannot be read: {one_line(str(error))}") from error


def _check(mesh: dmesh.Mesh, owner: str) -> None:
    """Refuse nodes and cells of this rank that no solver can use."""
    nodes = _compat.cell_nodes(mesh)
    if len(nodes):  # a rank may have none
        check_points(owner, mesh.geometry.x)
        check_flat(owner, mesh.geometry.x, nodes.astype(np.int64), mesh.topology.dim)
