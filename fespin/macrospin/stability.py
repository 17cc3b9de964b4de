"""Stability of directions: the torque at which one is lost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..energy.on_sphere import Array, divergence, tangent_frame
from .spin import Macrospin
from .torque import Torque


def critical_factor(spin: Macrospin, torque: Torque, well: Sequence[float] | Array) -> float | None:
    """Return the factor on a torque at which a state loses its stability, without temperature.

    There the trace of the linearized motion changes sign. The torque must not shift the state, as is so for a state on
    the torque's axis. None: the torque does not contribute to the trace.

    Parameters
    ----------
    well
        Direction of an energy minimum.
    """
    u = np.asarray(well, dtype=float)
    u = u / np.linalg.norm(u)
    pull = divergence(lambda x: spin.precession(x, spin.effective_field(x)), u)
    push = divergence(lambda x: torque.velocity(x, spin), u)
    # A torque that does not contribute has a trace of the size of rounding.
    frame = tangent_frame(u[None])[0]
    around = np.array([np.cos(a) * frame[0] + np.sin(a) * frame[1] for a in np.arange(6.0)])
    scale = float(np.linalg.norm(torque.velocity(around, spin), axis=1).max())
    return -pull / push if abs(push) > 1e-9 * scale else None
