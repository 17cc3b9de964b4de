"""Construction of a domain from a gmsh model of a device."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ..domain import Domain, build_domain
from ..gmsh_session import mesh_from_gmsh
from ..stack import Stack
from .grading import UNIT


def mesh_with_gmsh(
    comm: MPI.Intracomm,
    gdim: int | None,
    build: Callable[[Any], dict[str, Any]],
    stack: Stack,
    *,
    unit: float = UNIT,
    save: Path | None = None,
) -> Domain:
    """Build a geometry with gmsh and return it as a domain. Collective.

    Parameters
    ----------
    gdim
        Dimension of space; None: `build` returns it as "gdim".
    build
        Called on rank 0 with the gmsh module: adds entities and physical groups and
        meshes them. Returns keyword arguments for :func:`fespin.domain.build_domain`, and
        optionally "stretch", for :func:`stretched`.
    stack
        The layers; names of cell groups.
    unit
        Length of one gmsh unit (m).
    save
        File to which the mesh is written as well (rank 0), readable with ``mesh = "..."`` and
        ``length_unit`` in a case file.

    Raises
    ------
    InputError
        If gmsh refuses the geometry.
    """
    mesh, cells, facets, names, keywords = mesh_from_gmsh(comm, gdim, build, save=save)
    mesh.geometry.x[:] *= unit
    if "stretch" in keywords:
        mesh.geometry.x[:, :2] = stretched(mesh.geometry.x[:, :2], *keywords.pop("stretch"))
    return build_domain(mesh, cells, facets, names, stack, **keywords)


def stretched(
    points: NDArray[np.float64], axes: tuple[float, float], core: float, outer: float, factor: float
) -> NDArray[np.float64]:
    """Stretch the plane about the origin, so that polygons take the areas of their ellipses.

    By `core` inside the ellipse with the given semi-axes, by `factor` at the radius `outer` (in
    units of the ellipse), and continuously between.
    """
    r = np.hypot(points[:, 0] / axes[0], points[:, 1] / axes[1])
    scale = np.interp(r, [1.0, max(outer, 1.0 + 1e-9)], [core, factor])
    return np.asarray(points * scale[:, None])


def polygon_area(points: NDArray[np.float64]) -> float:
    """Return the area of a star-shaped polygon around its mean, points (n, 2) in any order."""
    p = points - points.mean(axis=0)
    p = p[np.argsort(np.arctan2(p[:, 1], p[:, 0]))]
    q = np.roll(p, -1, axis=0)
    return float((p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]).sum() / 2)
