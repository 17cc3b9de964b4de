"""Construction of a domain from a gmsh model of a device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ..domain import Domain, build_domain
from ..gmsh_session import mesh_from_gmsh
from ..stack import Stack
from .grading import UNIT
from .parallel_files import is_parallel, save_mesh
from .refining import Rim, checked_refinements, refined


def mesh_with_gmsh(
    comm: MPI.Intracomm,
    gdim: int | None,
    build: Callable[[Any], dict[str, Any]],
    stack: Stack,
    *,
    unit: float = UNIT,
    refinements: int = 0,
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
        optionally "rims": ellipses about the axis, the innermost first, which new nodes are placed on, and whose
        areas the mesh gets.
    stack
        The layers; names of cell groups.
    unit
        Length of one gmsh unit (m).
    refinements
        Number of times that all edges are halved, on all ranks.
    save
        File to which the mesh is written as well: gmsh's, ``.msh``, before it is refined, or ``.xdmf``, see
        :func:`fespin.save_mesh`.

    Raises
    ------
    InputError
        If gmsh refuses the geometry, or the number of refinements is impossible.
    """
    times = checked_refinements(refinements)
    file = None if save is None or is_parallel(save) else save
    mesh, cells, facets, names, keywords = mesh_from_gmsh(comm, gdim, build, save=file)
    (mesh, cells, facets), rims = refined((mesh, cells, facets), times, keywords.pop("rims", ()))
    mesh.geometry.x[:] *= unit
    if rims:
        mesh.geometry.x[:, :2] = stretched(mesh.geometry.x[:, :2], rims, unit)
    domain = build_domain(mesh, cells, facets, names, stack, **keywords)
    if save is not None and file is None:
        save_mesh(domain, save)
    return domain


def stretched(points: NDArray[np.float64], rims: Sequence[Rim], unit: float) -> NDArray[np.float64]:
    """Stretch the plane about the origin, so that the polygons of rims take the areas of their ellipses.

    Parameters
    ----------
    points
        Shape (n, 2), in m.
    rims
        The device's, and that of its wide leads if there are any; the factor between them is continuous.
    unit
        Length of the unit of the rims (m).
    """
    inner, outer = rims[0], rims[-1]
    r = np.hypot(points[:, 0] / inner.axes[0], points[:, 1] / inner.axes[1]) / unit
    reach = max(max(outer.axes) / max(inner.axes), 1.0 + 1e-9)
    scale = np.interp(r, [1.0, reach], [inner.swelling, outer.swelling])
    return np.asarray(points * scale[:, None])
