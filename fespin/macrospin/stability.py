"""Whether motion on the sphere shrinks or grows about a direction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..energy.on_sphere import Array, tangent_frame

if TYPE_CHECKING:
    from .spin import Macrospin
    from .torque import Torque

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


def critical_factor(spin: Macrospin, torque: Torque, well: Sequence[float] | Array) -> float | None:
    """Return the factor on a torque at which a state loses its stability, without temperature.

    Where the trace of the linearized motion changes sign; the torque must not shift the state, which it does not
    on its axis. None: the torque has no trace there.

    Parameters
    ----------
    well
        Direction of an energy minimum.
    """
    u = np.asarray(well, dtype=float)
    u = u / np.linalg.norm(u)
    pull = divergence(lambda x: spin.precession(x, spin.effective_field(x)), u)
    push = divergence(lambda x: torque.velocity(x, spin), u)
    # A torque without any is only rounding.
    frame = tangent_frame(u[None])[0]
    around = np.array([np.cos(a) * frame[0] + np.sin(a) * frame[1] for a in np.arange(6.0)])
    scale = float(np.linalg.norm(torque.velocity(around, spin), axis=1).max())
    return -pull / push if abs(push) > 1e-9 * scale else None
