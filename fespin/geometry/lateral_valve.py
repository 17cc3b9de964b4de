"""A lateral non-local spin valve: two ferromagnetic wires across a normal channel, in 2D and 3D."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ..domain import Domain
from ..errors import InputError
from ..stack import Stack
from .grading import UNIT, Resolution, checked_length, extrusion, graded_nodes
from .session import mesh_with_gmsh

CONTACTS = ("left", "injector", "detector", "right")

type Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Plan:
    """Nodes along the channel (x, nm) by segment, and across it (y)."""

    x: list[tuple[float, Array]]  # start, nodes from 0
    wires: tuple[int, int]  # which segments carry the wires
    y: list[tuple[float, Array]]  # below, across, above the channel


def _segments(breaks: list[float], sizes: list[float], size: float, growth: float) -> list[tuple[float, Array]]:
    return [
        (a / UNIT, graded_nodes(b - a, size, (s0, s1), growth=growth, least=2))
        for a, b, s0, s1 in zip(breaks, breaks[1:], sizes, sizes[1:], strict=False)
    ]


def lateral(
    comm: MPI.Intracomm,
    stack: Stack,
    *,
    separation: float,
    wire_width: float | Sequence[float],
    channel_width: float,
    channel_length: float | None = None,
    wire_overhang: float = 0.0,
    dimension: int = 3,
    mesh_size: float | None = None,
    refine: float = 1.0,
    refinements: int = 0,
    save: Path | None = None,
) -> Domain:
    """Return a lateral spin valve. Collective.

    The channel runs along x and its top face is at z = its thickness; the wires lie on it, across, at
    x = 0 and x = `separation`. Contacts are "left" and "right" at the ends of the channel,
    and "injector" and "detector": in 2D the wires' top faces, in 3D their ends at +y if the wires
    hang over the channel's edges, else their top faces.

    Parameters
    ----------
    stack
        Exactly three layers: channel, injector, detector, with thicknesses along z.
    separation
        Distance between the centres of the wires (m).
    wire_width
        Width along the channel (m) of both wires, or of injector and detector.
    channel_width
        Across (m); in 2D the depth of the section.
    channel_length
        Length of the channel beyond each wire's centre (m); default twice its spin-diffusion length.
    wire_overhang
        Length of the wires beyond the channel's edges (m), 3D only.
    dimension
        3, or 2 for the section (x, z).
    mesh_size
        Largest cell in the plane (m); default a sixth of the channel's width or of the separation.
    refine, refinements, save
        See :func:`fespin.line`.

    Raises
    ------
    InputError
        If there are not three layers, or the wires overlap.

    Examples
    --------
    >>> Cu, Co = fs.material("Cu"), fs.material("Co")
    >>> wires = (fs.Layer(Co, 20e-9, "injector"), fs.Layer(Co, 20e-9, "detector"))
    >>> valve = fs.Stack(fs.Layer(Cu, 100e-9, "channel"), *wires)
    >>> sizes = {"separation": 300e-9, "wire_width": 100e-9, "channel_width": 100e-9, "channel_length": 500e-9}
    >>> domain = fs.lateral(comm, valve, dimension=2, **sizes)
    >>> sorted(domain.contacts)
    ['detector', 'injector', 'left', 'right']
    """
    if len(stack.layers) != 3:
        raise InputError(
            f"geometry: a lateral valve has three layers (channel, injector, detector), found {len(stack.layers)}"
        )
    if dimension not in (2, 3):
        raise InputError(f"geometry: dimension is {dimension}; it must be 2 or 3")
    channel, injector, detector = stack.layers
    widths = (wire_width, wire_width) if isinstance(wire_width, (int, float)) else (wire_width[0], wire_width[1])
    for key, value in (("separation", separation), ("wire_width", widths[0]), ("wire_width", widths[1])):
        checked_length(key, value)
    checked_length("channel_width", channel_width)
    if separation <= sum(widths) / 2:
        raise InputError(f"geometry: separation is {separation:g}; the wires overlap below {sum(widths) / 2:g}")
    if not (math.isfinite(wire_overhang) and wire_overhang >= 0):
        raise InputError(f"geometry: wire_overhang is {wire_overhang!r}; it must not be negative")
    if wire_overhang and dimension == 2:
        raise InputError("geometry: wire_overhang is given, but a section (dimension = 2) has none")
    reach = 2 * channel.material.spin_diffusion_length if channel_length is None else channel_length
    checked_length("channel_length", reach)
    if reach <= max(widths) / 2:
        raise InputError(f"geometry: channel_length is {reach:g}; it must exceed half a wire's width")
    size = mesh_size if mesh_size is not None else min(channel_width, separation) / 6
    size = checked_length("mesh_size", size) / refine
    edge = min(size, *(w / 4 for w in widths), channel.thickness / 3) / 2
    resolution = Resolution(math.inf, 8, 0.3, 3).refined(refine)
    growth = 0.3 / refine
    far = min(8 * size, channel.material.spin_diffusion_length / 4)

    (wi, wd), last = widths, separation
    breaks = [-reach, -wi / 2, wi / 2, last - wd / 2, last + wd / 2, last + reach]
    plan = _Plan(
        _segments(breaks, [far, edge, edge, edge, edge, far], far, growth),
        (1, 3),
        [(-channel_width / 2 / UNIT, graded_nodes(channel_width, size, (edge, edge), growth=growth, least=3))],
    )
    if wire_overhang:
        out = graded_nodes(wire_overhang, size, (edge, size), growth=growth, least=2)
        plan.y.append((channel_width / 2 / UNIT, out))
        plan.y.append((-channel_width / 2 / UNIT, -out))
    below = graded_nodes(channel.thickness, size, (math.inf, min(edge, channel.thickness / 4)), growth=growth, least=3)
    above = [resolution.nodes(x) for x in (injector, detector)]

    def build(gmsh: Any) -> dict[str, Any]:
        # Columns are built side by side and merged at the end, since merging in between would lose their tags.
        gmsh.option.setNumber("Geometry.AutoCoherence", 0)
        ends = (
            _build_plane(gmsh, plan, stack, below, above)
            if dimension == 2
            else _build_solid(gmsh, plan, stack, below, above)
        )
        gmsh.model.geo.removeAllDuplicates()
        gmsh.model.geo.synchronize()
        for i, name in enumerate(CONTACTS, 1):
            gmsh.model.addPhysicalGroup(dimension - 1, _entities_in(gmsh, dimension - 1, *ends[name]), i, name)
        gmsh.model.mesh.generate(dimension)
        area = channel_width if dimension == 3 else 1.0
        keywords: dict[str, Any] = {"cross_section": channel.thickness * area}
        if dimension == 2:
            keywords["depth"] = channel_width
        return keywords

    return mesh_with_gmsh(comm, dimension, build, stack, refinements=refinements, save=save)


type _Box = tuple[tuple[float, float, float], tuple[float, float, float]]


def _entities_in(gmsh: Any, dim: int, low: tuple[float, ...], high: tuple[float, ...]) -> list[int]:
    """Return the entities inside a box, given in nm."""
    tiny = 1e-4
    box = [x - tiny for x in low] + [x + tiny for x in high]
    return [t for _, t in gmsh.model.getEntitiesInBoundingBox(*box, dim)]


def _spread(nodes: Array) -> tuple[float, list[int], list[float]]:
    """Return height, numbers and fractions of an extrusion, for nodes that may run backwards."""
    h = nodes[1:] / nodes[-1]
    return float(nodes[-1]) / UNIT, [1] * len(h), h.tolist()


def _build_plane(gmsh: Any, plan: _Plan, stack: Stack, below: Array, above: list[Array]) -> dict[str, _Box]:
    geo, model = gmsh.model.geo, gmsh.model
    channel: list[int] = []
    height, counts, heights = extrusion(below)
    tops: list[float] = []
    for i, (x, nodes) in enumerate(plan.x):
        length, n, h = _spread(nodes)
        base = geo.extrude([(0, geo.addPoint(x, 0, 0))], length, 0, 0, n, h)[1][1]
        grown = geo.extrude([(1, base)], 0, height, 0, counts, heights)
        channel.append(grown[1][1])
        if i in plan.wires:
            wire = plan.wires.index(i)
            top, n, h = extrusion(above[wire])
            tall = geo.extrude([grown[0]], 0, top, 0, n, h)
            tops.append(height + top)
            geo.synchronize()
            model.addPhysicalGroup(2, [tall[1][1]], 2 + wire, stack.names[1 + wire])
    geo.synchronize()
    model.addPhysicalGroup(2, channel, 1, stack.names[0])
    start, end = plan.x[0][0], plan.x[-1][0] + plan.x[-1][1][-1] / UNIT
    out: dict[str, _Box] = {
        "left": ((start, 0, 0), (start, height, 0)),
        "right": ((end, 0, 0), (end, height, 0)),
    }
    for name, i, top in zip(("injector", "detector"), plan.wires, tops, strict=True):
        x, nodes = plan.x[i]
        out[name] = ((x, top, 0), (x + nodes[-1] / UNIT, top, 0))
    return out


def _build_solid(gmsh: Any, plan: _Plan, stack: Stack, below: Array, above: list[Array]) -> dict[str, _Box]:
    geo, model = gmsh.model.geo, gmsh.model

    def rectangle(x: tuple[float, Array], y: tuple[float, Array], z: float) -> int:
        length, n, h = _spread(x[1])
        curve = geo.extrude([(0, geo.addPoint(x[0], y[0], z))], length, 0, 0, n, h)[1]
        length, n, h = _spread(y[1])
        return int(geo.extrude([curve], 0, length, 0, n, h)[1][1])

    height, counts, heights = extrusion(below)
    across, *overhangs = plan.y
    channel: list[int] = []
    y0, y1 = across[0], across[0] + across[1][-1] / UNIT
    reach = max([y1] + [y + n[-1] / UNIT for y, n in overhangs])
    out: dict[str, _Box] = {}
    for i, x in enumerate(plan.x):
        grown = geo.extrude([(2, rectangle(x, across, 0.0))], 0, 0, height, counts, heights)
        channel.append(grown[1][1])
        if i not in plan.wires:
            continue
        wire = plan.wires.index(i)
        top, n, h = extrusion(above[wire])
        bases = [grown[0][1], *(rectangle(x, y, height) for y in overhangs)]
        tall = [geo.extrude([(2, s)], 0, 0, top, n, h) for s in bases]
        geo.synchronize()
        model.addPhysicalGroup(3, [t[1][1] for t in tall], 2 + wire, stack.names[1 + wire])
        x0, x1 = x[0], x[0] + x[1][-1] / UNIT
        face = ((x0, y0, height + top), (x1, y1, height + top))
        if overhangs:
            face = ((x0, reach, height), (x1, reach, height + top))
        out[("injector", "detector")[wire]] = face
    geo.synchronize()
    model.addPhysicalGroup(3, channel, 1, stack.names[0])
    start, end = plan.x[0][0], plan.x[-1][0] + plan.x[-1][1][-1] / UNIT
    return out | {"left": ((start, y0, 0), (start, y1, height)), "right": ((end, y0, 0), (end, y1, height))}
