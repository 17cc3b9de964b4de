"""Sizes of strips and pillars, and the wide leads below and above them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..device import Layer, Material
from ..errors import InputError
from ..stack import BOTTOM_LEAD, TOP_LEAD, Stack
from .grading import UNIT, Resolution, checked_length, graded_nodes, shortest_decay


def with_leads(stack: Stack, thickness: float, material: Material | None = None) -> Stack:
    """Return the stack with a wide lead below and above it.

    Raises
    ------
    InputError
        If the lead's material, given or that of the outer layers, is a magnet.
    """
    outer = []
    if material is not None and material.ferromagnetic:
        raise InputError(f"geometry: lead_material {material.name} is a magnet; leads are normal metals")
    for name, layer in ((BOTTOM_LEAD, stack.layers[0]), (TOP_LEAD, stack.layers[-1])):
        if material is None and layer.material.ferromagnetic:
            raise InputError(f"geometry: wide leads next to the magnet '{layer.name}' need a lead_material")
        outer.append(Layer(material or layer.material, thickness, name))
    return stack.between(outer[:1], outer[1:])


@dataclass(frozen=True)
class Wide:
    """Wide leads: half width of core and lead (nm), their sizes at and away from the edge (nm)."""

    core: tuple[float, float]
    lead: float
    rim: float
    far: float


def prepare(
    stack: Stack,
    extent: Sequence[tuple[str, float]],
    mesh_size: float | None,
    lead_width: float | None,
    lead_thickness: float | None,
    lead_material: Material | None,
) -> tuple[Stack, float, list[float]]:
    """Check the keys that strips and pillars share; return the stack with leads, the mesh size, half widths."""
    halves = [checked_length(k, v) / 2 for k, v in extent]
    size = checked_length("mesh_size", mesh_size) if mesh_size is not None else min(halves) / 4
    if (lead_width is None) != (lead_thickness is None):
        raise InputError("geometry: wide leads need both lead_width and lead_thickness")
    if lead_width is not None and lead_thickness is not None:
        if checked_length("lead_width", lead_width) <= 2 * max(halves) * (1 + 1e-9):
            raise InputError(
                f"geometry: lead_width is {lead_width:g}; it must exceed the device's width, {2 * max(halves):g}"
            )
        stack = with_leads(stack, checked_length("lead_thickness", lead_thickness), lead_material)
    elif lead_material is not None:
        raise InputError("geometry: lead_material is given, but no lead_width")
    return stack, size, halves


def layer_nodes(stack: Stack, resolution: Resolution, wide: Wide | None) -> list[NDArray[np.float64]]:
    """Return the nodes of all layers; towards the device, wide leads are as fine as its edge."""
    nodes = [resolution.nodes(layer) for layer in stack]
    if wide is not None:
        rim, far = wide.rim * UNIT, wide.far * UNIT
        for i, ends in ((0, (far, rim)), (-1, (rim, far))):
            nodes[i] = graded_nodes(
                stack.layers[i].thickness, far, ends, growth=0.3 * 16 / resolution.per_decay, least=resolution.least
            )
        # Current crowds where the leads meet the pillar, so the layers there are meshed finely.
        for i, ends in ((1, (rim, np.inf)), (-2, (np.inf, rim))):
            layer = stack.layers[i]
            decay = shortest_decay(layer.material) / resolution.per_decay
            ends = (min(ends[0], decay), min(ends[1], decay))
            nodes[i] = graded_nodes(
                layer.thickness, resolution.size, ends, growth=resolution.growth, least=resolution.least
            )
    return nodes
