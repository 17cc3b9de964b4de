"""Linear response and noise spectra, from resolvents of the operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..macrospin.pointwise import Array
from .distribution import Distribution
from .krylov import sweep
from .operator import Operator
from .space import Density


@dataclass(frozen=True)
class Susceptibility:
    """Response of the mean direction to a small alternating field.

    Attributes
    ----------
    frequencies
        Hz (n,).
    response
        d<u>/dB for a field B exp(+i omega t) along `direction` (1/T), (n, 3) complex.
    direction
        Of the field (3,).
    susceptibility
        chi = dM/dH = mu0 Ms d<u>/dB, without unit, (n, 3) complex.
    error_estimate
        Of each frequency, relative: two sizes of the Krylov space (n,).
    """

    frequencies: Array
    response: NDArray[np.complex128]
    direction: Array
    susceptibility: NDArray[np.complex128]
    error_estimate: Array


@dataclass(frozen=True)
class Noise:
    """One-sided power spectral density of an observable R(u).

    Attributes
    ----------
    frequencies
        Hz (n,).
    density
        [R]^2/Hz (n,). Its integral over all frequencies is the variance.
    mean, variance
        Of R in the stationary state.
    error_estimate
        Of each frequency, relative (n,).
    """

    frequencies: Array
    density: Array
    mean: float
    variance: float
    error_estimate: Array


def checked_frequencies(frequencies: Sequence[float] | Array) -> Array:
    """Return frequencies (Hz) as an array.

    Raises
    ------
    InputError
        If they are not positive and increasing.
    """
    f = np.atleast_1d(np.asarray(frequencies, dtype=float))
    if f.ndim != 1 or not len(f) or not np.isfinite(f).all() or (f <= 0).any() or (np.diff(f) <= 0).any():
        raise InputError("frequencies: they must be positive and increasing (Hz)")
    return f


def susceptibility(
    operator: Operator, steady: Distribution, direction: Array, omegas: Array, *, rtol: float
) -> tuple[NDArray[np.complex128], Array]:
    """Return d<u>/dv of a field term -v u.direction in v = E/kT, (n, 3), and relative errors. Collective."""
    surface, u = operator.surface, operator.surface.points
    slope = -(direction - (u @ direction)[:, None] * u)
    change = -slope + np.cross(u, slope) / operator.reduced.spin.damping
    # d/ds (rho, phi) gains (rho db, grad phi).
    load = operator.functional(surface.load_gradient(steady.points[:, None] * change))
    return sweep(operator, load, components(operator), omegas, rtol=rtol)


def components(operator: Operator) -> Array:
    """Return the functionals that give the mean direction (3, owned). Collective."""
    return np.array([operator.observable(lambda u, k=k: u[:, k]) for k in range(3)])  # type: ignore[misc]


def noise(
    operator: Operator, steady: Distribution, observable: Density, omegas: Array, *, rtol: float
) -> tuple[Array, float, float, Array]:
    """Return 4 Re of the half-sided transform of R's correlation, mean, variance and relative errors. Collective."""
    surface = operator.surface
    values = observable(surface.points)
    mean = surface.integral(steady.points * values)
    variance = surface.integral(steady.points * (values - mean) ** 2)
    load = operator.functional(surface.load(steady.points * (values - mean)))
    # What rounding leaves of the mass would grow like 1/omega.
    load = load - operator.ones * (operator.dot(operator.ones, load) / operator.dot(operator.ones, operator.ones))
    functional = operator.observable(lambda u: observable(u) - mean)
    found, error = sweep(operator, load, functional[None], omegas, rtol=rtol)
    return 4 * np.real(found[:, 0]), mean, variance, error
