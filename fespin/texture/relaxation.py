"""Relaxation: a magnetization moves on until nothing turns it any more."""

from __future__ import annotations

import numpy as np

from ..errors import SolverError
from ..quantities import require_positive
from .dynamics import Dynamics, Step

_SHORTER = 14  # steps, each half as long as the last


def relax(motion: Dynamics, torque: float = 1e-4, *, within: float = 2e-8, tolerance: float = 1e-3) -> Step:
    """Move on until no node feels a torque of some size, and return the last step. Collective.

    The motion is the magnet's own: a large damping makes it quick, and a current that is given drives on. The midpoint
    rule hardly damps what is much faster than its steps; such a mode changes sign in each. A step of 2/rate
    extinguishes it, so that a series of steps that get shorter clears them all.

    Parameters
    ----------
    motion
        Motion that is led to rest; its state is the result.
    torque
        Torque that may be left at any node, :meth:`Dynamics.turning` (T).
    within
        Time (s) that it may take.
    tolerance
        Error of m in a step; the way does not matter here.

    Raises
    ------
    InputError
        If a number is impossible.
    SolverError
        If it takes longer.

    Examples
    --------
    >>> from fespin.texture import Dynamics, relax
    >>> film = fs.TexturedMagnet(8e5, 1.3e-11, 0.5, conductivity=4e6, polarization=0.5, easy_constant=6e4)
    >>> motion = Dynamics(wire, film, (0.1, 0.0, 1.0))
    >>> print(f"{relax(motion, torque=1e-3).directions[0, 0]:.2f}")
    1.00
    """
    require_positive("texture", "torque", torque)
    require_positive("texture", "within", within)
    end = motion.time + within
    while motion.time < end:
        for step in motion.steps(end, tolerance=tolerance):
            rate = motion.grid.largest(np.linalg.norm(step.rate, axis=1)) / motion.magnet.gyromagnetic_ratio
            if rate <= torque / 2:
                break
        size = step.size
        for _ in range(_SHORTER):
            if motion.turning() <= torque:
                return step
            size /= 2
            *_, step = motion.steps(motion.time + size, step=size)
    raise SolverError(
        f"texture: after {within:.3g} s a torque of {motion.turning():.3g} T is left; allowed: {torque:.3g} T; try a "
        "larger damping or more time"
    )
