"""Axial symmetry of a problem, for which the polar angle alone will do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..energy.on_sphere import Array
from ..errors import InputError
from ..macrospin.landscape import symmetry_axis
from ..macrospin.spin import Macrospin, fibonacci
from ..macrospin.torque import Torque
from .space import Density


def find_axis(spin: Macrospin, torque: Torque | None) -> Array | None:
    """Return the axis about which energy, field and torque are symmetric; None if there is none.

    The torque's axis is tried, or else the axes of the energies, the field and the coordinates.
    """
    if spin.pumping is not None:
        own = spin.pumping.axis
        axis = symmetry_axis(spin, [np.asarray(own, dtype=float)]) if own is not None else None
        if axis is None or torque is None:
            return axis
        return axis if torque.axis is not None and _turns(spin, torque, axis) else None
    if torque is not None:
        if torque.axis is None:
            return None
        axis = symmetry_axis(spin, [np.asarray(torque.axis, dtype=float)])
        return axis if axis is not None and _turns(spin, torque, axis) else None
    axes = [getattr(t, "axis", None) for t in spin.terms]
    candidates: list[Array] = [np.asarray(a) for a in axes if a is not None]
    candidates += [np.asarray(spin.field)] if any(spin.field) else []
    return symmetry_axis(spin, [*candidates, *(np.eye(3)[k] for k in (2, 0, 1))])


def _turned(u: Array, axis: Array, angle: float) -> Array:
    along = (u @ axis)[:, None] * axis
    return np.asarray(along + np.cos(angle) * (u - along) + np.sin(angle) * np.cross(axis, u))


def _turns(spin: Macrospin, torque: Torque, axis: Array) -> bool:
    """Return whether a torque turns with the direction about an axis."""
    u = fibonacci(40)
    velocity = torque.velocity(u, spin)
    return all(
        np.abs(torque.velocity(_turned(u, axis, t), spin) - _turned(velocity, axis, t)).max()
        <= 1e-9 * np.abs(velocity).max()
        for t in (0.7, 2.2, np.pi)
    )


def checked(functions: Mapping[str, Density]) -> dict[str, Density]:
    """Return observables, tried at some directions.

    Raises
    ------
    InputError
        If one does not return a finite number for each direction.
    """
    u = fibonacci(40)
    for name, f in functions.items():
        values = np.asarray(f(u))
        if values.shape != (len(u),) or not np.isfinite(values).all():
            raise InputError(f"observable '{name}': it must take directions (n, 3) and return n finite numbers")
    return dict(functions)


def shares(axis: Array, axes: Sequence[Sequence[float] | Array], functions: Sequence[Density]) -> bool:
    """Return whether other axes lie along `axis`, and functions of u do not change by turns about it."""
    if any(abs(np.asarray(a, dtype=float) @ axis) < 1 - 1e-12 for a in axes):
        return False
    u = fibonacci(40)
    for angle in (0.7, 2.2, np.pi):
        turned = _turned(u, axis, angle)
        if any(np.abs(f(u) - f(turned)).max() > 1e-10 * (1 + np.abs(f(u)).max()) for f in functions):
            return False
    return True
