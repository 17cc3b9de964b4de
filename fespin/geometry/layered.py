"""Stacks of layers as a line (1D) and as a strip (2D section)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ..device import Material
from ..domain import Domain, build_domain
from ..gmsh_session import write_with_gmsh
from ..stack import Stack
from .grading import UNIT, Resolution, checked_length, extrusion, graded_nodes
from .parallel_files import is_parallel, save_mesh
from .pieces import Pieces, joined, share_of
from .refining import checked_refinements, refined
from .session import mesh_with_gmsh
from .wide_leads import Wide, layer_nodes, prepare


def line(
    comm: MPI.Intracomm,
    stack: Stack,
    *,
    mesh_size: float | None = None,
    refine: float = 1.0,
    refinements: int = 0,
    save: Path | None = None,
) -> Domain:
    """Return a stack as a line (1D). Collective.

    Parameters
    ----------
    mesh_size
        Largest cell (m); layers and the decay of the accumulation at their
        faces are resolved whatever it is. Default: no limit.
    refine
        Divides all cells, for convergence studies.
    refinements
        Number of times that all edges are halved once the mesh is on all ranks: n of them make 2^n cells of each, in 2D
        4^n, in 3D 8^n, and no rank has to hold them all.
    save
        Write the mesh there too: ``.msh`` for gmsh, before refinements, or ``.xdmf``, which all ranks write and read.

    Returns
    -------
    Domain
        Contacts are "bottom" and "top".

    Examples
    --------
    >>> domain = fs.line(comm, stack)
    >>> domain.dim, sorted(domain.contacts)
    (1, ['bottom', 'top'])
    >>> fs.line(comm, stack, refine=2).owned_cells > domain.owned_cells
    True
    """
    size = math.inf if mesh_size is None else checked_length("mesh_size", mesh_size)
    times = checked_refinements(refinements)
    resolution = Resolution(min(size, stack.thickness), 40, 0.04, 8).refined(refine)
    layers = [resolution.nodes(layer) for layer in stack]
    if save is not None and not is_parallel(save):
        _save_line(comm, stack, layers, save)
    starts = np.cumsum([0.0, *(x[-1] for x in layers)])
    nodes = np.concatenate([[0.0], *(z + x[1:] for z, x in zip(starts, layers, strict=False))])
    # A line does without gmsh, whose import takes longer than the solution on the line.
    cells, own = share_of(comm, len(nodes) - 1), share_of(comm, len(nodes))
    left = np.arange(cells.start, cells.stop)
    layer = np.searchsorted(np.cumsum([len(x) - 1 for x in layers]), left, side="right")
    pieces = Pieces(
        nodes[own.start : own.stop, None],
        np.stack([left, left + 1], axis=1),
        (layer + 1).astype(np.int32),
        np.array([[0], [len(nodes) - 1]])[: 2 if comm.rank == 0 else 0],
        np.array([1, 2], np.int32)[: 2 if comm.rank == 0 else 0],
    )
    names = {(1, n): i for i, n in enumerate(stack.names, 1)} | {(0, "bottom"): 1, (0, "top"): 2}
    tagged, _ = refined(joined(comm, pieces), times)
    domain = build_domain(*tagged, names, stack, cross_section=1.0)
    if save is not None and is_parallel(save):
        save_mesh(domain, save)
    return domain


def _save_line(comm: MPI.Intracomm, stack: Stack, layers: list[NDArray[np.float64]], path: Path) -> None:
    """Write a line as a file of gmsh, in nm, from the nodes of its layers. Collective."""

    def build(gmsh: Any) -> None:
        geo, model = gmsh.model.geo, gmsh.model
        first = point = geo.addPoint(0, 0, 0)
        for i, (layer, nodes) in enumerate(zip(stack, layers, strict=True), 1):
            height, counts, heights = extrusion(nodes)
            (_, point), (_, curve) = geo.extrude([(0, point)], height, 0, 0, counts, heights)
            geo.synchronize()
            model.addPhysicalGroup(1, [curve], i, layer.name)
        model.addPhysicalGroup(0, [first], 1, "bottom")
        model.addPhysicalGroup(0, [point], 2, "top")
        model.mesh.generate(1)

    write_with_gmsh(comm, build, path)


def strip(
    comm: MPI.Intracomm,
    stack: Stack,
    *,
    width: float,
    mesh_size: float | None = None,
    lead_width: float | None = None,
    lead_thickness: float | None = None,
    lead_material: Material | None = None,
    depth: float = 1.0,
    refine: float = 1.0,
    refinements: int = 0,
    save: Path | None = None,
) -> Domain:
    """Return a stack as a 2D section in (x, z). Collective.

    Parameters
    ----------
    width
        Width of the device (m).
    mesh_size
        Largest cell across and along the device (m); default a quarter of half the width.
    lead_width, lead_thickness
        Wide leads below and above (m), "bottom-lead" and "top-lead", of the outer layers' materials
        or of `lead_material`.
    depth
        Extent in the third direction (m), for currents and resistances.
    refine, refinements, save
        See :func:`line`.

    Returns
    -------
    Domain
        Its stack includes the wide leads. Contacts are "bottom" and "top".

    Examples
    --------
    >>> domain = fs.strip(comm, stack, width=100e-9, depth=50e-9, mesh_size=20e-9)
    >>> f"{domain.area:.3g}"
    '5e-15'
    """
    stack, size, (half,) = prepare(stack, [("width", width)], mesh_size, lead_width, lead_thickness, lead_material)
    depth = checked_length("depth", depth)
    resolution = Resolution(size, 24, 0.08, 3).refined(refine)
    size = resolution.size
    wide = None
    if lead_width is not None:
        wide = Wide((half / UNIT,) * 2, lead_width / 2 / UNIT, size / 4 / UNIT, lead_width / 12 / refine / UNIT)
    layers = layer_nodes(stack, resolution, wide)

    def build(gmsh: Any) -> dict[str, Any]:
        geo, model = gmsh.model.geo, gmsh.model
        w = half / UNIT

        def segment(x0: float, x1: float, y: float, nodes: NDArray[np.float64]) -> int:
            """Return a curve along x with the given nodes, as an extruded point."""
            point = geo.addPoint(x0, y, 0)
            h = (nodes[1:] / nodes[-1]).tolist()
            return int(geo.extrude([(0, point)], x1 - x0, 0, 0, [1] * len(h), h)[1][1])

        rim = size if wide is None else wide.rim * UNIT
        across = graded_nodes(2 * half, size, (rim, rim), growth=0.3 / refine, least=4)
        out = None
        if wide is not None:
            out = graded_nodes((wide.lead - w) * UNIT, wide.far * UNIT, (rim, np.inf), growth=0.3 / refine, least=4)

        def wings(y: float) -> list[int]:
            if wide is None or out is None:
                return []
            return [segment(w, wide.lead, y, out), segment(-w, -wide.lead, y, out)]

        y, core = 0.0, segment(-w, w, 0.0, across)
        ends: dict[str, list[int]] = {}
        for i, (layer, nodes) in enumerate(zip(stack, layers, strict=True)):
            height, counts, heights = extrusion(nodes)
            first, last = i == 0, i == len(layers) - 1
            base = [core, *(wings(y) if wide is not None and (first or last) else [])]
            grown = [geo.extrude([(1, c)], 0, height, 0, counts, heights) for c in base]
            core, y = grown[0][0][1], y + height
            if first:
                ends["bottom"] = base
            if last:
                ends["top"] = [g[0][1] for g in grown]
            geo.synchronize()
            model.addPhysicalGroup(2, [g[1][1] for g in grown], i + 1, layer.name)
        geo.removeAllDuplicates()
        geo.synchronize()
        for i, (name, curves) in enumerate(ends.items(), 1):
            model.addPhysicalGroup(1, curves, i, name)
        model.mesh.generate(2)
        return {"cross_section": 2 * half, "depth": depth, "centre": (0.0,)}

    return mesh_with_gmsh(comm, 2, build, stack, refinements=refinements, save=save)
