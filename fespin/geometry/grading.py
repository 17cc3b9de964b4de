"""Where mesh nodes go along a layer: fine at its faces, where accumulation decays, coarse inside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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
        How much larger cells become per distance from an end.
    least
        Smallest number of cells.
    """
    x = np.linspace(0.0, thickness, 4001)
    local = np.minimum(size, np.minimum(ends[0] + growth * x, ends[1] + growth * (thickness - x)))
    # The count of cells up to x; equal steps of it are cells of the wanted sizes.
    density = 1 / local
    count = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(x))])
    n = max(least, int(np.ceil(count[-1] - 1e-9)))
    nodes: NDArray[np.float64] = np.interp(np.linspace(0.0, count[-1], n + 1), count, x)
    nodes[0], nodes[-1] = 0.0, thickness
    return nodes


def decay_nodes(
    thickness: float, length: float, size: float, *, per_decay: float, growth: float, least: int
) -> NDArray[np.float64]:
    """Return the nodes of a layer with spin-diffusion length `length`: `per_decay` cells a length at its faces."""
    end = length / per_decay
    return graded_nodes(thickness, size, (end, end), growth=growth, least=least)
