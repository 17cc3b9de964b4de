"""Stacks of layers as a circular or elliptic pillar (3D)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from ..device import Material
from ..domain import Domain
from ..errors import InputError
from ..stack import Stack
from .grading import UNIT, Resolution, extrusion
from .refining import Rim
from .session import mesh_with_gmsh
from .wide_leads import Wide, layer_nodes, prepare


def pillar(
    comm: MPI.Intracomm,
    stack: Stack,
    *,
    diameter: float | None = None,
    semi_axes: Sequence[float] | None = None,
    mesh_size: float | None = None,
    lead_width: float | None = None,
    lead_thickness: float | None = None,
    lead_material: Material | None = None,
    refine: float = 1.0,
    refinements: int = 0,
    save: Path | None = None,
) -> Domain:
    """Return a stack as a circular or elliptic pillar (3D). Collective.

    The cross-section of the mesh has the exact area of the circle or ellipse.

    Parameters
    ----------
    diameter, semi_axes
        Exactly one of them (m).
    mesh_size
        Largest cell across and along the device (m); default a quarter of the smaller semi-axis. Towards
        wide leads and at the edge of the pillar the mesh is four times finer.
    lead_width, lead_thickness
        Diameter and thickness of wide leads below and above (m), "bottom-lead" and "top-lead".
    lead_material, refine, refinements, save
        See :func:`strip`. New nodes of a refinement lie on the circle or ellipse.

    Returns
    -------
    Domain
        Its stack includes the wide leads. Contacts are "bottom" and "top".

    Raises
    ------
    InputError
        If a size is impossible.

    Examples
    --------
    >>> domain = fs.pillar(comm, stack, semi_axes=(60e-9, 30e-9), mesh_size=20e-9)
    >>> f"{domain.area:.4g}"
    '5.655e-15'
    """
    if (diameter is None) == (semi_axes is None):
        raise InputError("geometry: a pillar takes exactly one of diameter and semi_axes")
    if semi_axes is not None and len(semi_axes) != 2:
        raise InputError(f"geometry: semi_axes is {list(semi_axes)}; it must be two lengths")
    extent = [("diameter", diameter)] * 2 if diameter is not None else [("semi_axes", 2 * a) for a in semi_axes or ()]
    stack, size, halves = prepare(stack, extent, mesh_size, lead_width, lead_thickness, lead_material)
    resolution = Resolution(size, 16, 0.12, 3).refined(refine)
    size = resolution.size / UNIT
    a, b = (h / UNIT for h in halves)
    wide = None
    if lead_width is not None:
        wide = Wide((a, b), lead_width / 2 / UNIT, size / 4, lead_width / 10 / refine / UNIT)
    layers = layer_nodes(stack, resolution, wide)

    def build(gmsh: Any) -> dict[str, Any]:
        geo, model = gmsh.model.geo, gmsh.model
        rim_size = size if wide is None else wide.rim

        def ellipse(p: float, q: float, z: float, step: float) -> list[int]:
            """Return four arcs, counter-clockwise, divided in steps."""
            centre, major = geo.addPoint(0, 0, z), geo.addPoint(max(p, q) / 2, 0, z)
            if q > p:
                major = geo.addPoint(0, q / 2, z)
            at = [geo.addPoint(x, y, z) for x, y in ((p, 0), (0, q), (-p, 0), (0, -q))]
            arcs = [geo.addEllipseArc(at[i], centre, major, at[(i + 1) % 4]) for i in range(4)]
            n = max(3, math.ceil(math.pi * math.hypot(p, q) / math.sqrt(8) / step))
            for c in arcs:
                geo.mesh.setTransfiniteCurve(c, n + 1)
            return arcs

        rim = ellipse(a, b, 0.0, rim_size)
        loop = geo.addCurveLoop(rim)
        core, z = geo.addPlaneSurface([loop]), 0.0
        ring, brim = None, rim
        if wide is not None:
            brim = ellipse(wide.lead, wide.lead, 0.0, wide.far)
            ring = geo.addPlaneSurface([geo.addCurveLoop(brim), loop])
        ends: dict[str, list[int]] = {}
        sides: list[list[int]] = [rim]
        for i, (layer, nodes) in enumerate(zip(stack, layers, strict=True)):
            height, counts, heights = extrusion(nodes)
            base = [core]
            if wide is not None and i == len(layers) - 1:
                geo.synchronize()
                hole = [t for _, t in model.getBoundary([(2, core)], oriented=False)]
                sides.append(hole)
                outer = geo.addCurveLoop(ellipse(wide.lead, wide.lead, z, wide.far))
                ring = geo.addPlaneSurface([outer, geo.addCurveLoop(hole, reorient=True)])
            if ring is not None and (i == 0 or i == len(layers) - 1):
                base.append(ring)
            grown = [geo.extrude([(2, s)], 0, 0, height, counts, heights) for s in base]
            core, z = grown[0][0][1], z + height
            if i == 0:
                ends["bottom"] = base
            if i == len(layers) - 1:
                ends["top"] = [g[0][1] for g in grown]
            geo.synchronize()
            model.addPhysicalGroup(3, [g[1][1] for g in grown], i + 1, layer.name)
        for i, (name, surfaces) in enumerate(ends.items(), 1):
            model.addPhysicalGroup(2, surfaces, i, name)
        _size_across(gmsh, sides, size, wide, refine)
        model.mesh.generate(3)

        def rim_of(arcs: list[int], p: float, q: float) -> Rim:
            nodes = [model.mesh.getNodes(1, c, includeBoundary=True)[1].reshape(-1, 3)[:, :2] for c in arcs]
            return Rim.of((p, q), np.concatenate(nodes))

        rims = [rim_of(rim, a, b)]
        if wide is not None:
            rims.append(rim_of(brim, wide.lead, wide.lead))
        return {"rims": rims, "cross_section": math.pi * a * b * UNIT**2, "centre": (0.0, 0.0)}

    return mesh_with_gmsh(comm, 3, build, stack, refinements=refinements, save=save)


def _size_across(gmsh: Any, sides: list[list[int]], size: float, wide: Wide | None, refine: float) -> None:
    """Set the size field of the plane meshes: fine at the pillar's edge if the current crowds there."""
    field = gmsh.model.mesh.field
    for o in ("Mesh.MeshSizeFromPoints", "Mesh.MeshSizeFromCurvature", "Mesh.MeshSizeExtendFromBoundary"):
        gmsh.option.setNumber(o, 0)
    if wide is None:
        gmsh.option.setNumber("Mesh.MeshSizeMax", size)
        gmsh.option.setNumber("Mesh.MeshSizeMin", size)
        return
    field.add("Distance", 1)
    field.setNumbers(1, "CurvesList", [c for side in sides for c in side])
    field.setNumber(1, "Sampling", 200)
    growth = 0.3 / refine
    radius = f"sqrt((x/{wide.core[0]})^2 + (y/{wide.core[1]})^2)"
    field.add("MathEval", 2)
    # Cells inside the pillar are no larger than the mesh size, cells outside no larger than those of the leads.
    inside = f"(0.5 - 0.5*(({radius} - 1)/(Fabs({radius} - 1) + 1e-9)))"
    field.setString(2, "F", f"{size}*{inside} + {wide.far}*(1 - {inside})")
    field.add("MathEval", 3)
    field.setString(3, "F", f"{wide.rim} + {growth}*F1")
    field.add("Min", 4)
    field.setNumbers(4, "FieldsList", [2, 3])
    field.setAsBackgroundMesh(4)
