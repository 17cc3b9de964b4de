"""Damping that depends on the direction: a tensor beside Gilbert's constant, as spin pumping makes it.

With the tensor A(u), tangential, Gilbert's equation reads::

    du/dt = -gamma u x B + u x ((alpha + A) du/dt) + torques

Its symmetric part dissipates (Ms v/gamma) du/dt.A du/dt and makes noise, its antisymmetric part changes gamma.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.polynomial import Chebyshev

from ..energy.on_sphere import Array, tangent_frame
from ..errors import InputError
from ..quantities import direction


class AddedDamping(Protocol):
    """A damping tensor in addition to Gilbert's alpha.

    Examples
    --------
    >>> class InPlane:  # damps motion in the plane of a film across z
    ...     axis = (0.0, 0.0, 1.0)
    ...     def tensor(self, u):
    ...         turning = np.cross(self.axis, u)
    ...         return 0.02 * turning[:, :, None] * turning[:, None, :]
    >>> import dataclasses
    >>> lossy = dataclasses.replace(spin, pumping=InPlane())
    >>> print(lossy.pumping.tensor(np.array([[1.0, 0.0, 0.0]]))[0, 1, 1])
    0.02
    """

    @property
    def axis(self) -> tuple[float, float, float] | None:
        """Axis about which the tensor is symmetric; None if there is none."""
        ...

    def tensor(self, u: Array) -> Array:
        """Return A at directions u (n, 3), (n, 3, 3): it acts on du/dt."""
        ...


@dataclass(frozen=True, eq=False)
class AngularDamping:
    """Damping of a device with one fixed direction p, against c = u.p.

    A = a(c) (1 - u u) + b(c) q q + e(c) [u x], q = p - c u: what spin-rotation invariance and Onsager's reciprocity
    allow.

    Attributes
    ----------
    normal
        a: damping of motion across the plane of u and p.
    excess
        b: motion in that plane is damped by a + b (1 - c^2).
    reactive
        e, which divides gamma by 1 + e where damping is small.
    polarizer
        Direction p.

    Raises
    ------
    InputError
        If a coefficient is not finite, a damping is negative somewhere, or e <= -1.

    Examples
    --------
    >>> from numpy.polynomial import Chebyshev
    >>> pumped = fs.AngularDamping(normal=Chebyshev([0.01]), excess=Chebyshev([0.002]), reactive=Chebyshev([0.0]))
    >>> pumped.in_plane(np.array([0.0, 1.0])).round(3)  # across the polarizer, and along it
    array([0.012, 0.01 ])
    """

    normal: Chebyshev
    excess: Chebyshev
    reactive: Chebyshev
    polarizer: Sequence[float] = (0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        for key in ("normal", "excess", "reactive"):
            if not np.isfinite(getattr(self, key).coef).all():
                raise InputError(f"damping: {key} has coefficients that are not finite")
        object.__setattr__(self, "polarizer", direction(self.polarizer, "damping", "polarizer"))
        c = np.linspace(-1, 1, 401)
        for key, values in (("across the plane of u and p", self.normal(c)), ("in that plane", self.in_plane(c))):
            # Interpolation errors about zero do not count as negative. Whether alpha outweighs a negative value is
            # checked by the macrospin.
            if values.min() < -0.03 * np.abs(values).max():
                raise InputError(f"damping: of motion {key} it is {values.min():.3g} somewhere; it cannot be negative")
        if self.reactive(c).min() <= -1:
            raise InputError(f"damping: the reactive part is {self.reactive(c).min():.3g} somewhere; allowed: above -1")

    @property
    def axis(self) -> tuple[float, float, float]:
        """Return the polarizer's direction: everything depends on u.p."""
        return tuple(self.polarizer)  # type: ignore[return-value]

    def in_plane(self, c: Array) -> Array:
        """Return the damping of motion in the plane of u and p (n,)."""
        return np.asarray(self.normal(c) + (1 - c * c) * self.excess(c))

    def tensor(self, u: Array) -> Array:
        """Return A at directions u (n, 3), (n, 3, 3)."""
        p = np.asarray(self.polarizer)
        c = u @ p
        q = p - c[:, None] * u
        across = np.eye(3) - u[:, :, None] * u[:, None, :]
        a, b, e = (f(c)[:, None, None] for f in (self.normal, self.excess, self.reactive))
        return np.asarray(a * across + b * q[:, :, None] * q[:, None, :] + e * turning(u))


def turning(u: Array) -> Array:
    """Return the matrices [u x] at directions u (n, 3), (n, 3, 3)."""
    return np.moveaxis(np.cross(u[:, None, :], np.eye(3)), 1, 2)


def response(added: AddedDamping, damping: float, u: Array) -> Array:
    """Return W = ([u x] + alpha + A)^-1 on the tangent plane at directions u, (n, 3, 3).

    A field B moves u by gamma W B, a torque g in Gilbert's equation by W (u x g), and a free energy F (per moment) by
    -gamma W grad F: W's symmetric part is W (alpha + A)_s W^T.
    """
    frame = tangent_frame(u)
    flat = np.einsum("nai,nij,nbj->nab", frame, added.tensor(u) + turning(u), frame) + damping * np.eye(2)
    return np.asarray(np.einsum("nai,nab,nbj->nij", frame, np.linalg.inv(flat), frame))


def root(added: AddedDamping, damping: float, u: Array) -> Array:
    """Return the square root of the symmetric part of alpha + A on the tangent plane, (n, 3, 3)."""
    frame = tangent_frame(u)
    flat = np.einsum("nai,nij,nbj->nab", frame, added.tensor(u), frame) + damping * np.eye(2)
    flat = (flat + np.swapaxes(flat, 1, 2)) / 2
    # The root of a two by two matrix M is (M + sqrt(det M)) / sqrt(trace M + 2 sqrt(det M)).
    size = np.sqrt(np.linalg.det(flat))
    scale = np.sqrt(np.trace(flat, axis1=1, axis2=2) + 2 * size)
    flat = (flat + size[:, None, None] * np.eye(2)) / scale[:, None, None]
    return np.asarray(np.einsum("nai,nab,nbj->nij", frame, flat, frame))
