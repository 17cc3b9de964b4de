"""Meshes of the unit sphere: flat triangles with corners on the sphere, built by gmsh."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from dolfinx import mesh as dmesh
from mpi4py import MPI

from .. import _compat
from ..energy.on_sphere import Array
from ..errors import InputError
from ..geometry.reading import SUFFIXES, open_file
from ..geometry.soundness import check_points
from ..gmsh_session import mesh_from_gmsh
from ..quantities import direction, is_finite

FINEST, COARSEST = 0.005, 1.0

type Sizing = Callable[[Sequence[float]], float]
"""Takes a direction (3,), returns a factor on the mesh size there."""


def sphere_mesh(
    comm: MPI.Intracomm,
    mesh_size: float,
    *,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
    sizing: Sizing | None = None,
    save: Path | None = None,
) -> dmesh.Mesh:
    """Mesh the unit sphere. Collective.

    The equator about `axis` and four meridians consist of edges, so that hemispheres are unions of cells.

    Parameters
    ----------
    mesh_size
        Length of edges.
    axis
        Direction of the poles.
    sizing
        Factor on `mesh_size`, at directions.
    save
        File to which the mesh is written, for ``mesh = "..."`` in a case file's [sphere].

    Raises
    ------
    InputError
        If the size is not between 0.005 and 1.
    """
    if not is_finite(mesh_size) or not FINEST <= mesh_size <= COARSEST:
        raise InputError(
            f"sphere: mesh_size is {mesh_size!r}; on the unit sphere it lies between {FINEST} and {COARSEST}"
        )
    turn = rotation_to(direction(axis, "sphere", "axis"))

    def build(gmsh: Any) -> dict[str, Any]:
        geo = gmsh.model.geo
        centre = geo.addPoint(0, 0, 0)
        corners = [geo.addPoint(*(turn @ x)) for x in np.array([[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0]])]
        poles = [geo.addPoint(*(turn @ np.array([0, 0, s]))) for s in (1, -1)]
        equator = [geo.addCircleArc(corners[i], centre, corners[(i + 1) % 4]) for i in range(4)]
        north, south = ([geo.addCircleArc(c, centre, p) for c in corners] for p in poles)
        faces = []
        for i in range(4):
            j = (i + 1) % 4
            for loop in ([equator[i], north[j], -north[i]], [-equator[i], south[i], -south[j]]):
                faces.append(geo.addSurfaceFilling([geo.addCurveLoop(loop)], sphereCenterTag=centre))
        geo.synchronize()
        gmsh.model.addPhysicalGroup(2, faces, 1, "sphere")
        for name in ("MeshSizeExtendFromBoundary", "MeshSizeFromPoints", "MeshSizeFromCurvature"):
            gmsh.option.setNumber(f"Mesh.{name}", 0)
        gmsh.option.setNumber("Mesh.Algorithm", 6)  # frontal Delaunay: the most regular triangles

        def size(dim: int, tag: int, x: float, y: float, z: float, default: float) -> float:
            # Asked tens of thousands of times: plain numbers, no arrays.
            r = math.sqrt(x * x + y * y + z * z)
            return mesh_size * (sizing((x / r, y / r, z / r)) if r > 0.1 and sizing is not None else 1.0)

        if sizing is None:
            gmsh.option.setNumber("Mesh.MeshSizeMin", mesh_size)
            gmsh.option.setNumber("Mesh.MeshSizeMax", mesh_size)
        else:
            gmsh.model.mesh.setSizeCallback(size)
        gmsh.model.mesh.generate(2)
        return {}

    return mesh_from_gmsh(comm, 3, build, save=save)[0]


def sphere_from_file(comm: MPI.Intracomm, path: Path, *, trust_geo: bool = False) -> dmesh.Mesh:
    """Read a mesh of a sphere around the origin, from a .msh or .geo file; its corners are moved onto the unit sphere.

    Collective.

    Parameters
    ----------
    trust_geo
        Run a ``.geo`` as it is; else it may only build geometry, groups and sizes.

    Raises
    ------
    InputError
        If the file does not hold a closed surface of triangles around the origin.
    """
    if not path.is_file():
        raise InputError(f"sphere.mesh: there is no file '{path}'")
    if path.suffix not in SUFFIXES:
        raise InputError(f"sphere.mesh '{path}': the name must end in {' or '.join(SUFFIXES[:2])}")

    def build(gmsh: Any) -> dict[str, Any]:
        open_file(gmsh, path, f"sphere.mesh '{path}'", dimension=2, trust_geo=trust_geo)
        surfaces = [tag for _, tag in gmsh.model.getEntities(2)]
        if not surfaces:
            raise InputError(f"{path}: it must hold a surface; see meshes/sphere.geo")
        # Whatever the file's groups: all of the surface, and nothing but it.
        gmsh.model.removePhysicalGroups()
        gmsh.model.addPhysicalGroup(2, surfaces, 1, "sphere")
        types = gmsh.model.mesh.getElementTypes(2)
        if list(types) != [2]:
            raise InputError(f"{path}: the surface must consist of plane triangles (Mesh.ElementOrder = 1)")
        nodes = gmsh.model.mesh.getElements(2)[2][0].reshape(-1, 3)
        edges = np.sort(np.concatenate([nodes[:, [0, 1]], nodes[:, [1, 2]], nodes[:, [2, 0]]]), axis=1)
        if not (np.unique(edges, axis=0, return_counts=True)[1] == 2).all():
            raise InputError(f"{path}: the surface is not closed; every edge must belong to two triangles")
        tags, x, _ = gmsh.model.mesh.getNodes()
        check_points(f"sphere.mesh '{path}'", x.reshape(-1, 3)[np.isin(tags, nodes)])
        place = dict(zip(tags.tolist(), x.reshape(-1, 3), strict=True))
        corners = np.array([[place[n] for n in row] for row in nodes.tolist()])
        r = np.linalg.norm(corners, axis=2, keepdims=True)
        if not r.min() >= 1e-6 * r.max():
            raise InputError(f"{path}: the surface runs through the origin, which must be the sphere's centre")
        a, b, c = np.moveaxis(corners / r, 1, 0)
        solid = np.sum(a * np.cross(b, c), axis=1)
        angles = 2 * np.arctan2(solid, 1 + np.sum(a * b + b * c + c * a, axis=1))
        if abs(abs(angles.sum()) - 4 * np.pi) > 1e-6 or abs(abs(np.sign(solid).sum()) - len(solid)) > 0:
            raise InputError(f"{path}: the surface does not go round the origin exactly once")
        return {}

    mesh = mesh_from_gmsh(comm, 3, build)[0]
    mesh.geometry.x[:] /= np.linalg.norm(mesh.geometry.x, axis=1)[:, None]
    return mesh


def corners_of(mesh: dmesh.Mesh) -> Array:
    """Return the corners of this rank's cells, ghosts included, (cells, 3, 3)."""
    return np.asarray(mesh.geometry.x[_compat.cell_nodes(mesh)])


def rotation_to(axis: Sequence[float] | Array) -> Array:
    """Return a rotation that takes z to `axis`; the identity for z itself."""
    n = np.asarray(axis, dtype=float)
    if n[2] > 1 - 1e-15:
        return np.eye(3)
    if n[2] < -1 + 1e-15:
        return np.diag([1.0, -1.0, -1.0])
    v = np.cross([0, 0, 1], n)
    k = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    return np.asarray(np.eye(3) + k + k @ k / (1 + n[2]))
