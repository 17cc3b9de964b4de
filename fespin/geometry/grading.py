"""Positions of mesh nodes along a layer: fine at its faces, where accumulation decays, coarse inside."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..device import Layer, Material
from ..errors import InputError

UNIT = 1e-9
"""Geometries are built in nanometres: gmsh has absolute tolerances."""


def graded_nodes(
    thickness: float,
    size: float,
    ends: tuple[float, float],
    *,
    growth: float = 0.1,
    least: int = 4,
) -> NDArray[np.float64]:
    """Return node positions from 0 to `thickness`, both included.

    Parameters
    ----------
    thickness
        Length to divide (m).
    size
        Largest cell (m).
    ends
        Cell sizes at the two ends (m); larger ones count as `size`.
    growth
        Growth of the cells per distance from an end.
    least
        Smallest number of cells.
    """
    x = np.linspace(0.0, thickness, 4001)
    local = np.minimum(size, np.minimum(ends[0] + growth * x, ends[1] + growth * (thickness - x)))
    # The number of cells between 0 and x. Nodes at equal steps of it give cells of the wanted sizes.
    density = 1 / local
    count = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(x))])
    n = max(least, int(np.ceil(count[-1] - 1e-9)))
    nodes: NDArray[np.float64] = np.interp(np.linspace(0.0, count[-1], n + 1), count, x)
    nodes[0], nodes[-1] = 0.0, thickness
    return nodes


@dataclass(frozen=True)
class Resolution:
    """Fineness of the division of layers along the stacking direction.

    Attributes
    ----------
    size
        Largest cell (m).
    per_decay
        Cells per decay length at the faces of a layer.
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
        checked_length("refine", factor)
        return Resolution(
            self.size / factor, self.per_decay * factor, self.growth / factor, math.ceil(self.least * factor)
        )

    def nodes(self, layer: Layer) -> NDArray[np.float64]:
        """Return the nodes of a layer (m)."""
        end = shortest_decay(layer.material) / self.per_decay
        return graded_nodes(layer.thickness, self.size, (end, end), growth=self.growth, least=self.least)


def shortest_decay(material: Material) -> float:
    """Return the shortest length over which potentials decay in a material, as far as it declares them (m)."""
    lengths = [material.spin_diffusion_length, material.dephasing_length, material.precession_length]
    if (b := material.bands) is not None:
        up = b.d_up or b.d_down
        rates = (
            b.spin_flip * (1 / b.s_up + 1 / b.s_down),
            b.sd * (1 / b.s_down + 1 / b.d_down),
            b.sd_up * (1 / b.s_up + 1 / up),
            b.sd_spin_flip * (1 / b.s_down + 1 / up),
            b.d_spin_flip * (1 / b.d_down + 1 / up),
        )
        lengths.append(max(rates) ** -0.5 if max(rates) > 0 else None)
    return min(x for x in lengths if x is not None)


def checked_length(key: str, value: float) -> float:
    """Return a number if it is finite and positive; raise InputError otherwise."""
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"geometry: {key} is {value!r}; it must be finite and positive")
    return float(value)


def extrusion(nodes: NDArray[np.float64]) -> tuple[float, list[int], list[float]]:
    """Return thickness (nm), element counts and relative heights for gmsh's extrude."""
    h = nodes[1:] / nodes[-1]
    return float(nodes[-1]) / UNIT, [1] * len(h), h.tolist()
