"""Linear response and noise spectra, from resolvents of the operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..energy.on_sphere import Array
from ..errors import InputError
from ..petsc import Options
from .dimensionless import DimensionlessDrift
from .distribution import Distribution, Surface
from .escape import Rates, escape, stable_points
from .krylov import sweep
from .operator import Operator
from .space import Density
from .stationary import steady_state
from .weight import is_weighted


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
        Direction of the field (3,).
    susceptibility
        chi = dM/dH = mu0 Ms d<u>/dB, without unit, (n, 3) complex.
    error_estimate
        Relative error at each frequency: the difference of two sizes of the Krylov space, and of two spaces (n,).
    surface
        Where it was solved for.

    Examples
    --------
    >>> response = fs.FokkerPlanck(comm, spin).susceptibility([1e8, 1e9], (0, 0, 1))
    >>> abs(response.susceptibility[:, 2]).round(2)
    array([3.25, 0.33])
    """

    frequencies: Array
    response: NDArray[np.complex128]
    direction: Array
    susceptibility: NDArray[np.complex128]
    error_estimate: Array
    surface: Surface | None = field(default=None, repr=False)


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
        Mean and variance of R in the stationary state.
    error_estimate
        Relative error at each frequency (n,).
    surface
        Where it was solved for.

    Examples
    --------
    >>> noise = fs.FokkerPlanck(comm, spin).noise(lambda u: u[:, 2], [1e6, 1e9])
    >>> [f"{s:.3e}" for s in noise.density], round(noise.variance, 3)
    (['9.099e-08', '2.171e-13'], 0.764)
    """

    frequencies: Array
    density: Array
    mean: float
    variance: float
    error_estimate: Array
    surface: Surface | None = field(default=None, repr=False)


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


# Rates (1/(2 tau_N)) below which the operator holds rounding only; slower dynamics is that of the chain of states.
_SLOW = 1e-6


def susceptibility(
    reduced: DimensionlessDrift, direction: Array, omegas: Array, rtol: float, options: Options | None, surface: Surface
) -> tuple[NDArray[np.complex128], Array]:
    """Return d<u>/dv of a field term -v u.direction in v = E/kT, (n, 3), and relative errors. Collective."""
    operator, steady, slow = _around(surface, reduced, options)
    u = surface.points
    slope = -(direction - (u @ direction)[:, None] * u)
    change = reduced.flow(u, slope)
    # A small field adds (rho db, grad phi) to d/ds (rho, phi), where db is the change of the velocity.
    load = surface.load_gradient(steady.points[:, None] * change)
    found = _answer(operator, steady, slow, load, surface.components(), omegas, rtol)
    operator.destroy()
    return found


def noise(
    reduced: DimensionlessDrift,
    observable: Density,
    omegas: Array,
    rtol: float,
    options: Options | None,
    surface: Surface,
) -> tuple[Array, float, float, Array]:
    """Return 4 Re of the half-sided transform of R's correlation, mean, variance and relative errors. Collective."""
    operator, steady, slow = _around(surface, reduced, options)
    values = observable(surface.points)
    mean = surface.integral(steady.points * values)
    variance = surface.integral(steady.points * (values - mean) ** 2)
    load = surface.load(steady.points * (values - mean))
    found, error = _answer(operator, steady, slow, load, [lambda u: observable(u) - mean], omegas, rtol)
    operator.destroy()
    return 4 * np.real(found[:, 0]), mean, variance, error


def _around(
    surface: Surface, reduced: DimensionlessDrift, options: Options | None
) -> tuple[Operator, Distribution, Rates | None]:
    """Return the operator, its stationary state and, where they are very slow, the rates between states."""
    slow = None
    if len(stable_points(reduced)) > 1:
        operator = Operator(surface, reduced, weighted=True, options=options)
        rates = escape(operator)
        operator.destroy()
        slow = rates if rates.rates.max() < _SLOW else None
    steady = steady_state(surface, reduced, options)
    # The plain form has the smaller error under torque; it loses the tails of the density, which do not matter here.
    return Operator(surface, reduced, weighted=is_weighted(surface, reduced), options=options), steady, slow


def _answer(
    operator: Operator,
    steady: Distribution,
    slow: Rates | None,
    load: Array,
    functions: Sequence[Density],
    omegas: Array,
    rtol: float,
) -> tuple[NDArray[np.complex128], Array]:
    """Return means of functions in (A + i omega M)^-1 load, (n, k), and relative errors. Collective.

    What lies along the populations of metastable states is left to the chain of rates between them:
    in the discrete operator those are rounding.
    """
    surface = operator.surface
    functionals = np.array([operator.observable(f) for f in functions])
    if slow is None:
        # The integral of the density is zero but for rounding, whose contribution would grow like 1/omega.
        load = load - surface.load(steady.points) * surface.comm.allreduce(float(load.sum()))
        return sweep(operator, operator.functional(load), functionals, omegas, rtol=rtol)
    reach = slow.committors  # (k, owned); they add up to one
    share = surface.comm.allreduce(reach @ load)
    share = share - share.sum() / len(share)
    inside = np.array([surface.load(d.points) for d in slow.densities])
    seen = np.array([[d.expect(f) for f in functions] for d in slow.densities])
    # The slow part of a function is its mean in each state; it is subtracted with the committors as weights.
    rest = functionals - seen.T @ np.array([operator.M.apply(q * operator.scale) for q in reach])
    quick, error = sweep(operator, operator.functional(load - share @ inside), rest, omegas, rtol=rtol)
    identity = np.eye(len(share))
    chain = np.array([np.linalg.solve(1j * w * identity - slow.generator.T, share) @ seen for w in omegas])
    return quick + chain, error
