"""A three-terminal device: a bar that carries a current in its plane, and a pillar on it (3D)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mpi4py import MPI

from ..domain import Domain
from ..errors import InputError
from ..stack import Stack
from .grading import UNIT, Resolution, checked_length, extrusion
from .session import mesh_with_gmsh

CONTACTS = ("left", "right", "top")


def three_terminal(
    comm: MPI.Intracomm,
    stack: Stack,
    *,
    bar_layers: int,
    bar_length: float,
    bar_width: float,
    diameter: float | None = None,
    semi_axes: Sequence[float] | None = None,
    mesh_size: float | None = None,
    refine: float = 1.0,
    refinements: int = 0,
    save: Path | None = None,
) -> Domain:
    """Return a bar along x with a circular or elliptic pillar in the middle of its top face (3D). Collective.

    Contacts are "left" and "right", the ends of the bar at -x and +x, and "top", the end of the pillar. The
    cross-section to which current densities and torques refer is that of the pillar. Towards the pillar's foot the mesh
    is finer. The top is an electrode of one potential: on a thin magnet without a barrier between, it takes the current
    of the bar.

    Parameters
    ----------
    stack
        Layers bottom to top.
    bar_layers
        How many of them, from the bottom, fill the bar; at least one is left for the pillar.
    bar_length, bar_width
        Along x and y (m).
    diameter, semi_axes
        Of the pillar, exactly one of them (m).
    mesh_size
        Largest cell in and around the pillar (m); default a quarter of the smaller semi-axis. Cells at the foot's edge
        are a quarter of it, and towards the ends of the bar they grow.
    refine, refinements, save
        See :func:`fespin.strip`. New nodes of a refinement lie on straight edges: the pillar stays a polygon.

    Raises
    ------
    InputError
        If a size is impossible, the pillar does not fit on the bar, or one of both has no layer.

    Examples
    --------
    >>> Pt, Co = fs.Material("Pt", 2e-7, 2e-9, spin_hall_angle=0.1), fs.material("Co")
    >>> layers = fs.Stack(fs.Layer(Pt, 4e-9, "bar"), fs.Layer(Co, 2e-9, "free"), library={})
    >>> sizes = {"bar_length": 80e-9, "bar_width": 40e-9, "diameter": 20e-9, "mesh_size": 10e-9}
    >>> device = fs.three_terminal(comm, layers, bar_layers=1, **sizes)
    >>> sorted(device.contacts), f"{device.area:.3e}"
    (['left', 'right', 'top'], '3.142e-16')
    """
    if (diameter is None) == (semi_axes is None):
        raise InputError("geometry: a pillar takes exactly one of diameter and semi_axes")
    if semi_axes is not None and len(semi_axes) != 2:
        raise InputError(f"geometry: semi_axes is {list(semi_axes)}; it must be two lengths")
    if not 1 <= bar_layers < len(stack.layers):
        raise InputError(
            f"geometry: bar_layers is {bar_layers}; of {len(stack.layers)} layers the bar and the pillar need one each"
        )
    lengths = [("diameter", diameter / 2)] * 2 if diameter is not None else [("semi_axes", x) for x in semi_axes or ()]
    a, b = (checked_length(k, x) / UNIT for k, x in lengths)
    half_length, half_width = (
        checked_length(k, x) / 2 / UNIT for k, x in (("bar_length", bar_length), ("bar_width", bar_width))
    )
    for key, half, own in (("bar_length", half_length, a), ("bar_width", half_width, b)):
        if half <= own * (1 + 1e-6):
            raise InputError(f"geometry: {key} is {2 * half * UNIT:g}; it must exceed the pillar's, {2 * own * UNIT:g}")
    size = checked_length("mesh_size", mesh_size) if mesh_size is not None else min(a, b) * UNIT / 4
    resolution = Resolution(size, 8, 0.3, 2).refined(refine)
    nodes = [resolution.nodes(x) for x in stack]
    near = resolution.size / UNIT
    far = min(4 * near, half_width / 2)

    def build(gmsh: Any) -> dict[str, Any]:
        geo, model = gmsh.model.geo, gmsh.model
        # The swelling gives the polygon of the foot's edge the area of the ellipse.
        steps = max(8, 4 * math.ceil(math.pi * math.hypot(a, b) / math.sqrt(2) / near))
        angle = 2 * math.pi / steps
        swell = math.sqrt(angle / math.sin(angle))
        ring = [geo.addPoint(swell * a * math.cos(k * angle), swell * b * math.sin(k * angle), 0) for k in range(steps)]
        foot = [geo.addLine(ring[k], ring[(k + 1) % steps]) for k in range(steps)]
        ends = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
        corners = [geo.addPoint(x * half_length, y * half_width, 0) for x, y in ends]
        outline = [geo.addLine(corners[k], corners[(k + 1) % 4]) for k in range(4)]
        loop = geo.addCurveLoop(foot)
        core = geo.addPlaneSurface([loop])
        around = geo.addPlaneSurface([geo.addCurveLoop(outline), loop])
        z, sides = 0.0, {"left": list[int](), "right": list[int]()}
        for i, (layer, points) in enumerate(zip(stack, nodes, strict=True)):
            height, counts, heights = extrusion(points)
            base = [core, around] if i < bar_layers else [core]
            grown = [geo.extrude([(2, s)], 0, 0, height, counts, heights) for s in base]
            core, z = grown[0][0][1], z + height
            if i < bar_layers:
                around = grown[1][0][1]
                # Faces on the sides come in the order of the outline: below, right, above, left.
                sides["right"].append(grown[1][3][1])
                sides["left"].append(grown[1][5][1])
            geo.synchronize()
            model.addPhysicalGroup(3, [g[1][1] for g in grown], i + 1, layer.name)
        for k, (name, surfaces) in enumerate({**sides, "top": [core]}.items(), 1):
            model.addPhysicalGroup(2, surfaces, k, name)
        _size(gmsh, foot, near, far, 0.3 / refine)
        model.mesh.generate(3)
        return {"cross_section": math.pi * a * b * UNIT**2, "centre": (0.0, 0.0)}

    return mesh_with_gmsh(comm, 3, build, stack, refinements=refinements, save=save)


def _size(gmsh: Any, foot: list[int], near: float, far: float, growth: float) -> None:
    """Set the size field of the plane meshes: fine at the edge of the foot, where the current and the torque crowd."""
    for o in ("Mesh.MeshSizeFromPoints", "Mesh.MeshSizeFromCurvature", "Mesh.MeshSizeExtendFromBoundary"):
        gmsh.option.setNumber(o, 0)
    field = gmsh.model.mesh.field
    field.add("Distance", 1)
    field.setNumbers(1, "CurvesList", foot)
    field.setNumber(1, "Sampling", 8)
    field.add("MathEval", 2)
    field.setString(2, "F", f"{near / 4} + {growth}*F1")
    field.add("MathEval", 3)
    # In the middle of a wide foot, cells are no larger than the mesh size.
    field.setString(3, "F", f"{near} + {growth}*F1")
    field.add("Min", 4)
    field.setNumbers(4, "FieldsList", [2, 3])
    field.setAsBackgroundMesh(4)
    gmsh.option.setNumber("Mesh.MeshSizeMax", far)
