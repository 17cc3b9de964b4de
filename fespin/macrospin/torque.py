"""Spin torques on a macrospin: the tangential field X of physics, and its potentials on the sphere."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.polynomial import Chebyshev

from ..energy.on_sphere import Array, divergence, tangent_frame
from ..errors import InputError
from ..quantities import direction
from .spin import Macrospin


class Torque(Protocol):
    """Torque that adds X, a tangential velocity, to du/dt of a macrospin in explicit form.

    Examples
    --------
    >>> class Drag:  # turns u about z at 1e9 rad/s
    ...     axis = (0.0, 0.0, 1.0)
    ...     def velocity(self, u, spin):
    ...         return 1e9 * np.cross(self.axis, u)
    ...     def chi(self, u, spin):
    ...         return np.zeros(len(u)), np.zeros_like(u)
    >>> steady = fs.FokkerPlanck(comm, spin, Drag()).steady()
    >>> print(f"{steady.expect(lambda u: u[:, 2] ** 2):.3f}")
    0.764
    """

    @property
    def axis(self) -> tuple[float, float, float] | None:
        """Axis about which X is symmetric; None if there is none."""
        ...

    def velocity(self, u: Array, spin: Macrospin) -> Array:
        """Return X (1/s) at directions u (n, 3)."""
        ...

    def chi(self, u: Array, spin: Macrospin) -> tuple[Array, Array] | None:
        """Return chi of X = K grad chi + u x grad Phi and its gradient (1/s), (n,) and (n, 3); None if unknown.

        K is the diffusion tensor over D (:meth:`Macrospin.mobility`), one without pumping.
        """
        ...


@dataclass(frozen=True)
class SpinTorque:
    """Damping-like and field-like torque of one polarizer.

    In Gilbert's equation, du/dt = ... + gamma a f(c) u x (p x u) + gamma b f(c) u x p, with c = u.p.

    Attributes
    ----------
    damping_like
        Field a (T); a > 0 drives u to p.
    field_like
        Field b (T).
    polarizer
        Direction p.
    angular
        f(c), a function of arrays; default 1. Slonczewski's is ``lambda c: 1 / (1 + asymmetry * c)``.

    Raises
    ------
    InputError
        If a field is not finite, the polarizer is zero, or f is not finite and smooth on [-1, 1].

    Examples
    --------
    >>> torque = fs.SpinTorque(damping_like=1e-3, polarizer=(0, 0, 1))
    >>> velocity = torque.velocity(np.array([[1.0, 0.0, 0.0]]), spin)
    >>> print(f"{velocity[0, 2]:.3e}")  # 1/s, towards the polarizer
    1.756e+08
    >>> half = fs.SpinTorque.critical(spin, 0.5)
    >>> print(f"{half.damping_like:.3e}")
    2.589e-04
    """

    damping_like: float = 0.0
    field_like: float = 0.0
    polarizer: Sequence[float] = (0.0, 0.0, 1.0)
    angular: Callable[[Array], Array] | None = None

    def __post_init__(self) -> None:
        for key in ("damping_like", "field_like"):
            x = getattr(self, key)
            if not isinstance(x, (int, float)) or isinstance(x, bool) or not math.isfinite(x):
                raise InputError(f"torque: {key} is {x!r}; it must be a finite field in T")
        object.__setattr__(self, "polarizer", direction(self.polarizer, "torque", "polarizer"))
        self._dependence  # noqa: B018  a bad one is refused here

    @property
    def axis(self) -> tuple[float, float, float] | None:
        """Return the polarizer's direction: everything depends on u.p."""
        return tuple(self.polarizer)  # type: ignore[return-value]

    @cached_property
    def _dependence(self) -> Chebyshev:
        """Return f as a polynomial; its integral gives the potentials."""
        if self.angular is None:
            return Chebyshev([1.0])
        angular: Callable[[Any], Any] = self.angular
        for degree in (8, 16, 32, 64, 128, 256):
            with np.errstate(all="ignore"):
                fit = Chebyshev.interpolate(lambda c: np.broadcast_to(angular(c), c.shape), degree)
                between = np.linspace(-1, 1, 3 * degree)
                exact = np.broadcast_to(angular(between), between.shape)
            if not np.isfinite(fit.coef).all() or not np.isfinite(exact).all():
                raise InputError("torque: the angular dependence is not finite on [-1, 1]")
            if np.abs(fit(between) - exact).max() <= 1e-13 * np.abs(exact).max():
                return fit
        raise InputError(
            "torque: the angular dependence is not smooth; no polynomial of degree 256 is as good as 1e-13"
        )

    @property
    def sense(self) -> int:
        """1 if the torque drives u to the polarizer, -1 if away from it."""
        return -1 if self.damping_like < 0 else 1

    def coefficients(self, spin: Macrospin) -> tuple[float, float]:
        """Return the coefficients of p's tangential part and of u x p in X (1/s); f(c) multiplies both.

        They are those of alpha alone, without pumping.
        """
        gamma, alpha = spin.gyromagnetic_ratio, spin.damping
        a, b = gamma * self.damping_like, gamma * self.field_like
        return (a - alpha * b) / (1 + alpha**2), (b + alpha * a) / (1 + alpha**2)

    def velocity(self, u: Array, spin: Macrospin) -> Array:
        """Return X (1/s) at directions u (n, 3)."""
        return self._general.velocity(u, spin)

    def potentials(self, u: Array, spin: Macrospin) -> tuple[Array, Array] | None:
        """Return chi and Phi of X = grad chi + u x grad Phi (1/s) at directions u (n, 3); None if unknown."""
        return self._general.potentials(u, spin)

    def chi(self, u: Array, spin: Macrospin) -> tuple[Array, Array] | None:
        """Return chi of X = K grad chi + u x grad Phi and its gradient (1/s), (n,) and (n, 3); None if unknown."""
        return self._general.chi(u, spin)

    @cached_property
    def _general(self) -> AngularTorque:
        f = self._dependence
        return AngularTorque(self.damping_like * f, self.field_like * f, self.polarizer)

    def scaled(self, factor: float) -> SpinTorque:
        """Return the torque of `factor` times the current."""
        return SpinTorque(factor * self.damping_like, factor * self.field_like, self.polarizer, self.angular)

    @classmethod
    def critical(
        cls,
        spin: Macrospin,
        ratio: float,
        polarizer: Sequence[float] = (0.0, 0.0, 1.0),
        angular: Callable[[Array], Array] | None = None,
    ) -> SpinTorque:
        """Return a damping-like torque in units of its zero-temperature critical value.

        The critical value is where the trace of the linearized motion about the energy minimum
        opposite to the polarizer changes sign.

        Parameters
        ----------
        ratio
            Damping-like field over its critical value; positive drives u to the polarizer.

        Raises
        ------
        InputError
            If no energy minimum is opposite to the polarizer.
        """
        from .landscape import survey

        p = np.asarray(direction(polarizer, "torque", "polarizer"))
        unit = cls(1.0, 0.0, tuple(p), angular)
        wells = survey(spin).wells
        well = min(wells, key=lambda w: float(w.direction @ p), default=None)
        if well is None or well.direction @ p > -0.1:
            raise InputError(
                "torque: critical_ratio needs an energy minimum opposite to the polarizer; there is none, "
                "give damping_like in T"
            )
        damping = -divergence(lambda u: spin.precession(u, spin.effective_field(u)), well.direction)
        pumping = divergence(lambda u: unit.velocity(u, spin), well.direction)
        if not math.isfinite(ratio) or pumping <= 0:
            raise InputError(f"torque: critical_ratio is {ratio!r}; this polarizer has no critical current")
        return cls(ratio * damping / pumping, 0.0, tuple(p), angular)


@dataclass(frozen=True)
class AngularTorque:
    """Damping-like and field-like torque of one polarizer, each with its own dependence on the angle.

    In Gilbert's equation, du/dt = ... + gamma a(c) u x (p x u) + gamma b(c) u x p, with c = u.p: what a transport
    solution gives a device with one fixed direction.

    Attributes
    ----------
    damping_like, field_like
        a and b (T) as polynomials of c on [-1, 1].
    polarizer
        Direction p.

    Raises
    ------
    InputError
        If a coefficient is not finite, or the polarizer is zero.

    Examples
    --------
    >>> from numpy.polynomial import Chebyshev
    >>> torque = fs.AngularTorque(damping_like=Chebyshev([1e-3, -2e-4]), field_like=Chebyshev([1e-4]))
    >>> across, back = torque.velocity(np.array([[1.0, 0.0, 0.0], [0.6, 0.0, -0.8]]), spin)
    >>> print(f"{across[2]:.3e} {back[2]:.3e}")  # 1/s
    1.748e+08 7.303e+07
    """

    damping_like: Chebyshev
    field_like: Chebyshev
    polarizer: Sequence[float] = (0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        for key in ("damping_like", "field_like"):
            if not np.isfinite(getattr(self, key).coef).all():
                raise InputError(f"torque: {key} has coefficients that are not finite")
        object.__setattr__(self, "polarizer", direction(self.polarizer, "torque", "polarizer"))

    @property
    def axis(self) -> tuple[float, float, float] | None:
        """Return the polarizer's direction: everything depends on u.p."""
        return tuple(self.polarizer)  # type: ignore[return-value]

    @property
    def sense(self) -> int:
        """1 if the torque drives u to the polarizer, -1 if away from it, across it."""
        return -1 if self.damping_like(0.0) < 0 else 1

    def _gilbert(self, u: Array, spin: Macrospin) -> Array:
        """Return the torque in Gilbert's equation (1/s), (n, 3)."""
        p = np.asarray(self.polarizer)
        c = u @ p
        a, b = self.damping_like(c)[:, None], self.field_like(c)[:, None]
        return np.asarray(spin.gyromagnetic_ratio * (a * (p - c[:, None] * u) + b * np.cross(u, p)))

    @cached_property
    def _known(self) -> dict[int, tuple[Macrospin, tuple[Chebyshev, Chebyshev, Chebyshev] | None]]:
        return {}

    def _explicit(self, spin: Macrospin) -> tuple[Chebyshev, Chebyshev, Chebyshev] | None:
        """Return the coefficients of p's tangential part and of u x p in X (1/s), and the first over K's, against c.

        None if the pumping has another axis. They are computed once for each macrospin.
        """
        if id(spin) not in self._known:
            # The macrospin is kept as well, so that no other object gets its id.
            self._known[id(spin)] = spin, self._expansions(spin)
        return self._known[id(spin)][1]

    def _expansions(self, spin: Macrospin) -> tuple[Chebyshev, Chebyshev, Chebyshev] | None:
        if spin.pumping is None:
            factor = spin.gyromagnetic_ratio / (1 + spin.damping**2)
            a, b = self.damping_like, self.field_like
            along = factor * (a - spin.damping * b)
            return along, factor * (b + spin.damping * a), along
        p = np.asarray(self.polarizer)
        if spin.pumping.axis is None or abs(p @ np.asarray(spin.pumping.axis)) < 1 - 1e-12:
            return None

        def parts(c: Array) -> Array:
            across = tangent_frame(p[None])[0, 0]
            s = np.sqrt(1 - c * c)[:, None]
            u = c[:, None] * p + s * across
            x = self.velocity(u, spin) / s
            in_plane, normal = (p - c[:, None] * u) / s, np.cross(u, p) / s
            along, around = (np.sum(x * e, axis=1) for e in (in_plane, normal))
            return np.stack([along, around, along / np.einsum("ni,nij,nj->n", in_plane, spin.mobility(u)[0], in_plane)])

        return _interpolated(parts)

    def velocity(self, u: Array, spin: Macrospin) -> Array:
        """Return X (1/s) at directions u (n, 3)."""
        return spin.explicit(self._gilbert(u, spin), u)

    def potentials(self, u: Array, spin: Macrospin) -> tuple[Array, Array] | None:
        """Return chi and Phi of X = grad chi + u x grad Phi (1/s) at directions u (n, 3); None if unknown."""
        derivatives = self._explicit(spin)
        if derivatives is None:
            return None
        c = u @ np.asarray(self.polarizer)
        return np.asarray(derivatives[0].integ()(c)), np.asarray(derivatives[1].integ()(c))

    def chi(self, u: Array, spin: Macrospin) -> tuple[Array, Array] | None:
        """Return chi of X = K grad chi + u x grad Phi and its gradient (1/s), (n,) and (n, 3); None if unknown."""
        derivatives = self._explicit(spin)
        if derivatives is None:
            return None
        p = np.asarray(self.polarizer)
        c = u @ p
        return np.asarray(derivatives[2].integ()(c)), np.asarray(derivatives[2](c)[:, None] * (p - c[:, None] * u))

    def scaled(self, factor: float) -> AngularTorque:
        """Return the torque of `factor` times the current."""
        return AngularTorque(factor * self.damping_like, factor * self.field_like, self.polarizer)


@dataclass(frozen=True)
class VectorTorque:
    """Any torque: a tangential velocity given as a function of the direction.

    Attributes
    ----------
    function
        Takes u (n, 3), returns the torque g in Gilbert's equation, du/dt = ... + g (1/s), (n, 3); its part along u
        is dropped.
    axis
        Axis about which the torque is symmetric, if there is one.

    Examples
    --------
    >>> torque = fs.VectorTorque(lambda u: 1e8 * np.cross(u, (1.0, 0.0, 0.0)))
    >>> velocity = torque.velocity(np.array([[0.0, 0.0, 1.0]]), spin)
    >>> print(f"{velocity[0, 0]:.3e} {velocity[0, 1]:.3e}")  # damping turns it by an angle of 0.05
    -4.988e+06 9.975e+07
    """

    function: Callable[[Array], Array]
    axis: tuple[float, float, float] | None = None

    def velocity(self, u: Array, spin: Macrospin) -> Array:
        """Return X (1/s) at directions u (n, 3)."""
        g = np.asarray(self.function(u), dtype=float)
        if g.shape != u.shape or not np.isfinite(g).all():
            raise InputError("torque: the function must return finite vectors of the shape of u, (n, 3)")
        g = g - np.sum(g * u, axis=-1, keepdims=True) * u
        return spin.explicit(g, u)

    def chi(self, u: Array, spin: Macrospin) -> tuple[Array, Array] | None:
        """Return None: the potentials are found on the sphere, by :func:`fespin.sigma.decompose`."""
        return None


def chebyshev_coefficients(values: Array) -> Array:
    """Return the coefficients (..., n) of polynomials through values (..., n) at cos(pi (k + 1/2)/n), k = 0, 1, ..."""
    n = values.shape[-1]
    angles = np.pi * (np.arange(n) + 0.5) / n
    out = 2 / n * values @ np.cos(np.outer(np.arange(n), angles)).T
    out[..., 0] /= 2
    return np.asarray(out)


def _interpolated(parts: Callable[[Array], Array]) -> tuple[Chebyshev, Chebyshev, Chebyshev]:
    """Return polynomials through smooth functions of c, given together (3, n)."""
    for n in (32, 64, 128, 256):
        angles = np.pi * (np.arange(n) + 0.5) / n
        coefficients = chebyshev_coefficients(parts(np.cos(angles)))
        if (np.abs(coefficients[:, -3:]).max(axis=1) <= 1e-13 * np.abs(coefficients).max(axis=1)).all():
            break
    a, b, d = (Chebyshev(x) for x in coefficients)
    return a, b, d
