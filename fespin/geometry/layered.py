"""Stacks of layers: a line (1D), a strip (2D section), a pillar (3D), with or without wide leads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ..device import Layer, Material, Stack
from ..domain import Domain
from ..errors import InputError
from .grading import decay_nodes, graded_nodes
from .session import UNIT, mesh_with_gmsh, polygon_area

BOTTOM_LEAD, TOP_LEAD = "bottom-lead", "top-lead"


@dataclass(frozen=True)
class Resolution:
    """How finely layers are divided along the stacking direction.

    Attributes
    ----------
    size
        Largest cell (m).
    per_decay
        Cells per spin-diffusion length at the faces of a layer.
    growth
        Growth of the cells per distance from a face.
    least
        Smallest number of cells in a layer, however thin.
    """

    size: float
    per_decay: float
    growth: float
    least: int

    def refined(self, factor: float) -> Resolution:
        """Return the resolution with `factor` times as many cells everywhere."""
        return Resolution(
            self.size / factor, self.per_decay * factor, self.growth / factor, math.ceil(self.least * factor)
        )

    def nodes(self, layer: Layer) -> NDArray[np.float64]:
        """Return the nodes of a layer (m)."""
        return decay_nodes(
            layer.thickness,
            layer.material.spin_diffusion_length,
            self.size,
            per_decay=self.per_decay,
            growth=self.growth,
            least=self.least,
        )


def _checked(key: str, value: float) -> float:
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"geometry: {key} is {value!r}; it must be finite and positive")
    return float(value)


def _extrusion(nodes: NDArray[np.float64]) -> tuple[float, list[int], list[float]]:
    """Return thickness (nm), element counts and relative heights for gmsh's extrude."""
    h = nodes[1:] / nodes[-1]
    return float(nodes[-1]) / UNIT, [1] * len(h), h.tolist()


def line(
    comm: MPI.Intracomm,
    stack: Stack,
    *,
    mesh_size: float | None = None,
    refine: float = 1.0,
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
    save
        Write the mesh there too.

    Returns
    -------
    Domain
        Contacts are "bottom" and "top".
    """
    size = math.inf if mesh_size is None else _checked("mesh_size", mesh_size)
    resolution = Resolution(min(size, stack.thickness), 40, 0.04, 8).refined(refine)

    def build(gmsh: Any) -> dict[str, Any]:
        geo, model = gmsh.model.geo, gmsh.model
        first = point = geo.addPoint(0, 0, 0)
        for i, layer in enumerate(stack, 1):
            height, counts, heights = _extrusion(resolution.nodes(layer))
            (_, point), (_, curve) = geo.extrude([(0, point)], height, 0, 0, counts, heights)
            geo.synchronize()
            model.addPhysicalGroup(1, [curve], i, layer.name)
        model.addPhysicalGroup(0, [first], 1, "bottom")
        model.addPhysicalGroup(0, [point], 2, "top")
        model.mesh.generate(1)
        return {"cross_section": 1.0}

    return mesh_with_gmsh(comm, 1, build, stack, save=save)


def with_leads(stack: Stack, thickness: float, material: Material | None = None) -> Stack:
    """Return the stack with a wide lead below and above it.

    Raises
    ------
    InputError
        If the outer layers are magnets and no lead material is given.
    """
    outer = []
    for name, layer in ((BOTTOM_LEAD, stack.layers[0]), (TOP_LEAD, stack.layers[-1])):
        if material is None and layer.material.ferromagnetic:
            raise InputError(f"geometry: wide leads next to the magnet '{layer.name}' need a lead_material")
        outer.append(Layer(material or layer.material, thickness, name))
    return stack.between(outer[:1], outer[1:])


@dataclass(frozen=True)
class _Wide:
    """Wide leads: half width of core and lead (nm), their sizes at and away from the edge (nm)."""

    core: tuple[float, float]
    lead: float
    rim: float
    far: float


def _prepare(
    stack: Stack,
    extent: Sequence[tuple[str, float]],
    mesh_size: float | None,
    lead_width: float | None,
    lead_thickness: float | None,
    lead_material: Material | None,
) -> tuple[Stack, float, list[float]]:
    """Check the keys that strips and pillars share; return the stack with leads, the mesh size, half widths."""
    halves = [_checked(k, v) / 2 for k, v in extent]
    size = _checked("mesh_size", mesh_size) if mesh_size is not None else min(halves) / 4
    if (lead_width is None) != (lead_thickness is None):
        raise InputError("geometry: wide leads need both lead_width and lead_thickness")
    if lead_width is not None and lead_thickness is not None:
        if _checked("lead_width", lead_width) <= 2 * max(halves) * (1 + 1e-9):
            raise InputError(
                f"geometry: lead_width is {lead_width:g}; it must exceed the device's width, {2 * max(halves):g}"
            )
        stack = with_leads(stack, _checked("lead_thickness", lead_thickness), lead_material)
    elif lead_material is not None:
        raise InputError("geometry: lead_material is given, but no lead_width")
    return stack, size, halves


def _layer_nodes(stack: Stack, resolution: Resolution, wide: _Wide | None) -> list[NDArray[np.float64]]:
    """Return the nodes of all layers; towards the device, wide leads are as fine as its edge."""
    nodes = [resolution.nodes(layer) for layer in stack]
    if wide is not None:
        rim, far = wide.rim * UNIT, wide.far * UNIT
        for i, ends in ((0, (far, rim)), (-1, (rim, far))):
            nodes[i] = graded_nodes(
                stack.layers[i].thickness, far, ends, growth=0.3 * 16 / resolution.per_decay, least=resolution.least
            )
        # The layers next to the leads carry the crowded current at their ends.
        for i, ends in ((1, (rim, np.inf)), (-2, (np.inf, rim))):
            layer = stack.layers[i]
            decay = layer.material.spin_diffusion_length / resolution.per_decay
            ends = (min(ends[0], decay), min(ends[1], decay))
            nodes[i] = graded_nodes(
                layer.thickness, resolution.size, ends, growth=resolution.growth, least=resolution.least
            )
    return nodes


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
    save: Path | None = None,
) -> Domain:
    """Return a stack as a 2D section in (x, z). Collective.

    Parameters
    ----------
    width
        Of the device (m).
    mesh_size
        Largest cell across and along the device (m); default a quarter of half the width.
    lead_width, lead_thickness
        Wide leads below and above (m), "bottom-lead" and "top-lead", of the outer layers' materials
        or of `lead_material`.
    depth
        Extent in the third direction (m), for currents and resistances.
    refine, save
        As in :func:`line`.

    Returns
    -------
    Domain
        Its stack includes the wide leads. Contacts are "bottom" and "top".
    """
    stack, size, (half,) = _prepare(stack, [("width", width)], mesh_size, lead_width, lead_thickness, lead_material)
    depth = _checked("depth", depth)
    resolution = Resolution(size, 24, 0.08, 3).refined(refine)
    size = resolution.size
    wide = None
    if lead_width is not None:
        wide = _Wide((half / UNIT,) * 2, lead_width / 2 / UNIT, size / 4 / UNIT, lead_width / 12 / refine / UNIT)
    layers = _layer_nodes(stack, resolution, wide)

    def build(gmsh: Any) -> dict[str, Any]:
        geo, model = gmsh.model.geo, gmsh.model
        w = half / UNIT

        def segment(x0: float, x1: float, y: float, nodes: NDArray[np.float64]) -> int:
            """Return a curve along x with the given nodes, as an extruded point."""
            point = geo.addPoint(x0, y, 0)
            h = (nodes[1:] / nodes[-1]).tolist()
            return int(geo.extrude([(0, point)], x1 - x0, 0, 0, [1] * len(h), h)[1][1])

        rim = size if wide is None else size / 4
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
            height, counts, heights = _extrusion(nodes)
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

    return mesh_with_gmsh(comm, 2, build, stack, save=save)


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
    lead_material, refine, save
        As in :func:`strip`.

    Returns
    -------
    Domain
        Its stack includes the wide leads. Contacts are "bottom" and "top".

    Raises
    ------
    InputError
        If a size is impossible.
    """
    if (diameter is None) == (semi_axes is None):
        raise InputError("geometry: a pillar takes exactly one of diameter and semi_axes")
    if semi_axes is not None and len(semi_axes) != 2:
        raise InputError(f"geometry: semi_axes is {list(semi_axes)}; it must be two lengths")
    extent = [("diameter", diameter)] * 2 if diameter is not None else [("semi_axes", 2 * a) for a in semi_axes or ()]
    stack, size, halves = _prepare(stack, extent, mesh_size, lead_width, lead_thickness, lead_material)
    resolution = Resolution(size, 16, 0.12, 3).refined(refine)
    size = resolution.size / UNIT
    a, b = (h / UNIT for h in halves)
    wide = None
    if lead_width is not None:
        wide = _Wide((a, b), lead_width / 2 / UNIT, size / 4, lead_width / 10 / refine / UNIT)
    layers = _layer_nodes(stack, resolution, wide)

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
            height, counts, heights = _extrusion(nodes)
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

        def swelling(arcs: list[int], p: float, q: float) -> float:
            """By how much a polygon must grow to have the area of its ellipse."""
            nodes = [model.mesh.getNodes(1, c, includeBoundary=True)[1].reshape(-1, 3)[:, :2] for c in arcs]
            return math.sqrt(math.pi * p * q / polygon_area(np.unique(np.concatenate(nodes).round(9), axis=0)))

        inner = swelling(rim, a, b)
        outer = inner if wide is None else swelling(brim, wide.lead, wide.lead)
        reach = 1.0 if wide is None else wide.lead / max(a, b)
        return {
            "stretch": ((a * UNIT, b * UNIT), inner, reach, outer),
            "cross_section": math.pi * a * b * UNIT**2,
            "centre": (0.0, 0.0),
        }

    return mesh_with_gmsh(comm, 3, build, stack, save=save)


def _size_across(gmsh: Any, sides: list[list[int]], size: float, wide: _Wide | None, refine: float) -> None:
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
    # Inside, no larger than the mesh size; outside, no larger than the leads'.
    inside = f"(0.5 - 0.5*(({radius} - 1)/(Fabs({radius} - 1) + 1e-9)))"
    field.setString(2, "F", f"{size}*{inside} + {wide.far}*(1 - {inside})")
    field.add("MathEval", 3)
    field.setString(3, "F", f"{wide.rim} + {growth}*F1")
    field.add("Min", 4)
    field.setNumbers(4, "FieldsList", [2, 3])
    field.setAsBackgroundMesh(4)
