"""Distributions as files for ParaView."""

from __future__ import annotations

from pathlib import Path

import basix.ufl
import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from .. import _compat
from ..energy.on_sphere import Array
from ..macrospin.spin import Macrospin
from ..output import FieldFile
from .distribution import Distribution
from .fourier import Fourier, revolved
from .meridian import Meridian
from .space import Sigma

# Number of meridians by which an axially symmetric distribution is drawn.
_AROUND = 180


def ranks_of(distribution: Distribution, comm: MPI.Intracomm | None = None) -> MPI.Intracomm:
    """Return the ranks that hold a distribution together; `comm`, or all, where each holds the whole of it."""
    whole = not isinstance(distribution.surface, Sigma)
    ranks: MPI.Intracomm = (comm or MPI.COMM_WORLD) if whole else distribution.surface.comm
    return ranks


def write_sphere_fields(
    path: Path,
    distribution: Distribution,
    spin: Macrospin,
    *,
    decades: float = 16.0,
    comm: MPI.Intracomm | None = None,
) -> None:
    """Write density, its logarithm and the energy on the unit sphere for ParaView (ADIOS2, ``.bp``). Collective.

    Cells are split at the nodes of the space, all of which lie on the sphere: values are the nodes' own, and the
    surface looks round without any setting. A distribution on a meridian is revolved.

    Parameters
    ----------
    path
        Ends in ``.bp``.
    spin
        Whose energy, in kT, is written.
    decades
        Powers of ten below the maximum at which the density is cut off before its logarithm is taken.
    comm
        Matters on a meridian and on rings, which every rank holds for itself: who calls; default: all ranks.
    """
    ranks = ranks_of(distribution, comm)
    with FieldFile(ranks, path, sphere_fields(distribution, spin, decades, ranks)) as file:
        file.write(0.0)


def sphere_fields(
    distribution: Distribution, spin: Macrospin, decades: float, ranks: MPI.Intracomm
) -> list[fem.Function]:
    """Return what is written, as linear functions on small triangles. Collective."""
    surface = distribution.surface
    if isinstance(surface, Meridian):
        cells, x, values = _revolved(surface, distribution.nodes)
    elif isinstance(surface, Fourier):
        cells, x, values = surface.shown(distribution.nodes)
    else:
        cells, x = _split(surface)
        values = np.concatenate(ranks.allgather(distribution.nodes))
    if ranks.rank != 0 and not isinstance(surface, Sigma):  # every rank has the whole
        cells, x = cells[:0], x[:0]
    mesh = _compat.create_mesh(ranks, cells, basix.ufl.element("Lagrange", "triangle", 1, shape=(3,)), x)
    space = fem.functionspace(mesh, ("Lagrange", 1))
    density = values[mesh.geometry.input_global_indices]
    least = max(values.max(initial=0.0), 1e-290) * 10**-decades
    out = []
    for name, field in (
        ("density", density),
        ("log10_density", np.log10(np.maximum(density, least))),
        ("energy_kT", spin.reduced_energy(mesh.geometry.x)),
    ):
        f = fem.Function(space, name=name)
        # Nodes of the mesh and of the space are the corners of cells, in one order.
        f.x.array[space.dofmap.list.ravel()] = field[_compat.cell_nodes(mesh).ravel()]
        out.append(f)
    return out


def _split(surface: Sigma) -> tuple[NDArray[np.int64], Array]:
    """Return triangles of this rank as global numbers of nodes (n, 3), and its own nodes (owned, 3)."""
    reference = surface.space.element.basix_element.points
    parts = Delaunay(reference).simplices
    a, b, c = np.moveaxis(reference[parts], 1, 0)
    area = np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])
    parts = parts[area > 1e-8]  # triangles of three nodes in a row have no area
    local = surface.space.dofmap.list[: surface.cells][:, parts].reshape(-1, 3)
    numbers = surface.space.dofmap.index_map.local_to_global(np.ascontiguousarray(local.ravel(), dtype=np.int32))
    return numbers.reshape(-1, 3), surface.nodes


def _revolved(surface: Meridian, nodes: Array) -> tuple[NDArray[np.int64], Array, Array]:
    """Return triangles (n, 3), directions (m, 3) and values (m,) of a distribution turned about its axis."""
    order = np.argsort(surface.node_theta)
    inner = order[1:-1]
    phi = 2 * np.pi * np.arange(_AROUND) / _AROUND
    along = surface.nodes[inner] @ surface.axis
    radial = surface.nodes[inner[0]] - along[0] * surface.axis
    first = radial / np.linalg.norm(radial)
    circle = np.cos(phi)[:, None] * first + np.sin(phi)[:, None] * np.cross(surface.axis, first)
    rings = along[:, None, None] * surface.axis + np.sqrt(1 - along**2)[:, None, None] * circle
    x = np.concatenate([surface.axis[None], rings.reshape(-1, 3), -surface.axis[None]])
    values = np.concatenate([nodes[order[:1]], np.repeat(nodes[inner], _AROUND), nodes[order[-1:]]])
    return revolved(len(inner), _AROUND), x, values
