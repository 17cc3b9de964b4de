"""Whether motion on the sphere shrinks or grows about a direction."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .pointwise import Array, tangent_frame

# A step of differences of fourth order: truncation and rounding are both about 1e-12.
_STEP = 1e-3


def linearized(velocity: Callable[[Array], Array], u: Array) -> Array:
    """Return the matrix (2, 2) of a tangential velocity's linearization in the tangent frame at a direction (3,).

    At a fixed point its eigenvalues are the rates at which small deviations grow.
    """
    frame = tangent_frame(u[None])[0]
    steps = _STEP * np.array([1.0, -1.0, 2.0, -2.0])
    columns = []
    for e in frame:
        near = np.cos(steps)[:, None] * u + np.sin(steps)[:, None] * e
        v = velocity(near) @ frame.T
        columns.append((8 * (v[0] - v[1]) - (v[2] - v[3])) / (12 * _STEP))
    return np.array(columns).T


def divergence(velocity: Callable[[Array], Array], u: Array) -> float:
    """Return the divergence along the sphere of a tangential velocity at a direction (3,)."""
    return float(np.trace(linearized(velocity, u)))
