"""Whether a problem is symmetric about an axis, so that the polar angle alone will do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..macrospin.landscape import symmetry_axis
from ..macrospin.pointwise import Array
from ..macrospin.spin import Macrospin, fibonacci
from ..macrospin.torque import Torque
from .space import Density


def find_axis(spin: Macrospin, torque: Torque | None) -> Array | None:
    """Return the axis about which energy, field and torque are symmetric; None if there is none.

    The torque's axis is tried, or else the axes of the energies, the field and the coordinates.
    """
    if torque is not None:
        if torque.axis is None:
            return None
        return symmetry_axis(spin, [np.asarray(torque.axis)])
    candidates: list[Array] = [np.asarray(t.axis) for t in spin.terms if hasattr(t, "axis")]
    candidates += [np.asarray(spin.field)] if any(spin.field) else []
    return symmetry_axis(spin, [*candidates, *(np.eye(3)[k] for k in (2, 0, 1))])


def shares(axis: Array, axes: Sequence[Sequence[float] | Array], functions: Sequence[Density]) -> bool:
    """Return whether other axes lie along `axis`, and functions of u do not change by turns about it."""
    if any(abs(np.asarray(a, dtype=float) @ axis) < 1 - 1e-12 for a in axes):
        return False
    u = fibonacci(40)
    along = (u @ axis)[:, None] * axis
    for angle in (0.7, 2.2, np.pi):
        turned = along + np.cos(angle) * (u - along) + np.sin(angle) * np.cross(axis, u)
        if any(np.abs(f(u) - f(turned)).max() > 1e-10 * (1 + np.abs(f(u)).max()) for f in functions):
            return False
    return True
