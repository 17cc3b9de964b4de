"""Coefficients of spin transfer by relaxation from dwell times and resonances against the current.

The experiment that Wegrowe (2010) and Wegrowe and Drouhin (2004) propose: a magnet that jumps between two wells of an
easy axis p, E = -Delta kT c^2 with c = u.p, is observed against the current density J. In one state, with A the
cross-section and D = 1/(2 tau_N) the diffusion at the lattice's temperature T,

    dchi/dc = l A J g(c),  T_eff = T + c_T (h J)^2:   ln rho = -E/kT_eff + chi/D_eff,  D_eff = D T_eff/T
    dwell time        = (1/D_eff) int dy/((1 - y^2) rho) int_start^y rho
    half width        = 2 Delta D +- chi'(+-1)        at u = +-p
    angular frequency = omega -+ l_Phi J

g (ohm m2) and h are the device's: :class:`RelaxationMap` and :func:`d_current` have them. What dwell times tell is
l/D, c_T and Delta; D itself, and so l, is in the width at no current.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq, least_squares

from ..errors import InputError, SolverError, nearest
from ..quantities import is_finite, require_positive

type Array = NDArray[np.float64]

PARAMETERS = ("cross", "coefficient", "barrier", "log_diffusion", "transverse", "angular_frequency")
"""Names of the parameters, in the order of covariances: l, c_T, Delta, ln D, l_Phi and omega."""

# Cosines from the start, at -1, to well beyond the pass; finer at the start, where the density is.
_C = np.concatenate([-1 + np.geomspace(1e-7, 0.2, 1200) - 1e-7, np.linspace(-0.8, 0.9, 4501)[1:]])
# Deviations below which a dwell time's residual is a series.
_SMALL = 1e-4


@dataclass(frozen=True)
class ActivationParameters:
    """What is to be measured.

    Attributes
    ----------
    cross
        l (1/(V s m2)), of all faces that count.
    coefficient
        c_T of T_eff (K m4/A2).
    barrier
        Delta, over kT of the lattice.
    log_diffusion
        ln D, D in 1/s at the lattice's temperature.
    transverse
        l_Phi: Phi' at the wells per current density (m2/(A s)).
    angular_frequency
        omega of the resonance without current (rad/s).

    Examples
    --------
    >>> from fespin.coupling import ActivationParameters
    >>> parameters = ActivationParameters(barrier=22.0, log_diffusion=np.log(spin.diffusion))
    >>> print(f"{parameters.diffusion / spin.diffusion:.6f}")
    1.000000
    """

    cross: float = 0.0
    coefficient: float = 0.0
    barrier: float = 20.0
    log_diffusion: float = math.log(1e6)
    transverse: float = 0.0
    angular_frequency: float = 0.0

    @property
    def diffusion(self) -> float:
        """Return D (1/s)."""
        return math.exp(self.log_diffusion)

    def as_array(self) -> Array:
        """Return the numbers in the order of :data:`PARAMETERS`."""
        return np.array([getattr(self, key) for key in PARAMETERS])


@dataclass(frozen=True)
class ActivationModel:
    """What is known of the device and of the magnet.

    Attributes
    ----------
    slope
        g: dchi/dc per l, per current density and per cross-section, against c = u.p (ohm m2), that is
        ``found.slope(1.0, current_density=1.0)`` of a :class:`RelaxationMap`.
    area
        A (m2).
    temperature
        T (K) of the lattice.
    excess
        h: root mean square of the d current beyond bulk over J in the states u = p and u = -p.

    Examples
    --------
    >>> from numpy.polynomial import Chebyshev
    >>> from fespin.coupling import ActivationModel, ActivationParameters
    >>> model = ActivationModel(Chebyshev([-3e-17, -4e-17]), area=3e-15, temperature=300.0, excess=(0.3, 0.4))
    >>> parameters = ActivationParameters(cross=1e26, coefficient=1e-20, barrier=20.0)
    >>> times = model.dwell_times(parameters, [-1e11, 0.0, 1e11])
    >>> times.shape, bool(times[2, 0] < times[1, 0])
    ((3, 2), True)
    """

    slope: Chebyshev
    area: float
    temperature: float
    excess: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        require_positive("activation", "area", self.area)
        require_positive("activation", "temperature", self.temperature)
        if len(self.excess) != 2 or not all(is_finite(x) and x >= 0 for x in self.excess):
            raise InputError(f"activation: excess is {self.excess!r}; it must be two numbers that are not negative")

    def dwell_times(self, parameters: ActivationParameters, current_densities: ArrayLike) -> Array:
        """Return mean times (s) in the wells at u = p and u = -p, (n, 2), of current densities (A/m2), (n,)."""
        j = np.atleast_1d(np.asarray(current_densities, dtype=float))
        columns = [self._passage(parameters, j, side) for side in (1, -1)]
        return np.stack(columns, axis=1)

    def _passage(self, p: ActivationParameters, j: Array, side: int) -> Array:
        """Return the mean time from one pole until the other well is reached."""
        hotter = 1 + p.coefficient * (self.excess[0 if side > 0 else 1] * j) ** 2 / self.temperature
        diffusion = p.diffusion * hotter
        # Seen from the start, at -1: u.p = -side c.
        chi = p.cross * self.area * j / diffusion
        w = p.barrier / hotter[:, None] * _C**2 + chi[:, None] * self.slope.integ()(-side * _C)
        w -= w[:, :1]
        density, step = np.exp(w), np.diff(_C)
        inside = np.cumsum((density[:, 1:] + density[:, :-1]) / 2 * step, axis=1)
        integrand = inside * np.exp(-w[:, 1:]) / (1 - _C[1:] ** 2)
        # At the start itself the integrand is 1/2: the density integrates to 1 + c, over (1 - c)(1 + c).
        integrand = np.concatenate([np.full((len(j), 1), 0.5), integrand], axis=1)
        return np.asarray(((integrand[:, 1:] + integrand[:, :-1]) / 2 * step).sum(axis=1) / diffusion)

    def half_widths(self, parameters: ActivationParameters, current_densities: ArrayLike, side: int = 1) -> Array:
        """Return half widths (1/s) of the resonance in the well u = side p, (n,)."""
        j = np.atleast_1d(np.asarray(current_densities, dtype=float))
        own = 2 * parameters.barrier * parameters.diffusion
        return np.asarray(own + side * parameters.cross * self.area * j * float(self.slope(float(side))))

    def angular_frequencies(
        self, parameters: ActivationParameters, current_densities: ArrayLike, side: int = 1
    ) -> Array:
        """Return angular frequencies (rad/s) of the resonance in the well u = side p, (n,)."""
        j = np.atleast_1d(np.asarray(current_densities, dtype=float))
        return np.asarray(parameters.angular_frequency - side * parameters.transverse * j)

    def sample(
        self,
        parameters: ActivationParameters,
        current_densities: ArrayLike,
        random: Generator,
        *,
        events: int,
        half_width_error: float | None = None,
        angular_frequency_error: float | None = None,
        side: int = 1,
    ) -> ActivationData:
        """Return what a measurement may give: means of exponential times, and resonances with normal errors.

        Parameters
        ----------
        current_densities
            (n,), A/m2.
        random
            Generator of random numbers.
        events
            Number of times of which each dwell time is the mean.
        half_width_error, angular_frequency_error
            Standard errors (1/s, rad/s); None: no resonance.
        side
            Well of the resonance.
        """
        j = np.atleast_1d(np.asarray(current_densities, dtype=float))
        exact = self.dwell_times(parameters, j)
        times = exact * random.gamma(events, 1 / events, size=exact.shape)
        if half_width_error is None or angular_frequency_error is None:
            return ActivationData(j, times, events)
        widths = self.half_widths(parameters, j, side) + half_width_error * random.normal(size=len(j))
        frequencies = self.angular_frequencies(parameters, j, side)
        frequencies = frequencies + angular_frequency_error * random.normal(size=len(j))
        resonance = ResonanceData(j, widths, half_width_error, frequencies, angular_frequency_error, side)
        return ActivationData(j, times, events, resonance)


@dataclass(frozen=True)
class ResonanceData:
    """Resonance of one well against the current.

    Attributes
    ----------
    current_densities
        A/m2, (n,).
    half_widths, half_width_error
        1/s, (n,), and their standard error.
    angular_frequencies, angular_frequency_error
        rad/s, (n,), and their standard error.
    side
        1: of the well u = p; -1: of the other.

    Examples
    --------
    >>> from fespin.coupling import ResonanceData
    >>> currents, widths, frequencies = np.array([[-1e11, 1e11], [2.9e7, 2.8e7], [1.43e9, 1.41e9]])
    >>> resonance = ResonanceData(currents, widths, 2e4, frequencies, 2e6)
    >>> resonance.side
    1
    """

    current_densities: Array
    half_widths: Array
    half_width_error: float
    angular_frequencies: Array
    angular_frequency_error: float
    side: int = 1

    def __post_init__(self) -> None:
        n = np.shape(self.current_densities)
        if len(n) != 1 or np.shape(self.half_widths) != n or np.shape(self.angular_frequencies) != n:
            raise InputError("activation: a resonance needs a half width and a frequency at each current density")
        for key in ("half_width_error", "angular_frequency_error"):
            require_positive("activation", key, getattr(self, key))
        if self.side not in (1, -1):
            raise InputError(f"activation: side is {self.side!r}; it must be 1 or -1")


@dataclass(frozen=True)
class ActivationData:
    """Dwell times of both wells against the current, and a resonance.

    Attributes
    ----------
    current_densities
        A/m2, (n,).
    dwell_times
        Means of times in the wells u = p and u = -p (s), (n, 2).
    events
        Of how many times each is the mean: a number, or (n, 2).
    resonance
        None: dwell times alone.

    Raises
    ------
    InputError
        If shapes do not fit, or a time or a number of events is not positive.

    Examples
    --------
    >>> from fespin.coupling import ActivationData
    >>> currents, times = np.array([-1e11, 0.0, 1e11]), np.array([[4.9, 3.7], [5.1, 5.0], [3.9, 4.1]])
    >>> data = ActivationData(currents, times, events=np.array([[400, 400], [380, 380], [410, 410]]))
    >>> data.resonance is None
    True
    """

    current_densities: Array
    dwell_times: Array
    events: float | Array
    resonance: ResonanceData | None = None

    def __post_init__(self) -> None:
        n = np.shape(self.current_densities)
        if len(n) != 1 or np.shape(self.dwell_times) != (*n, 2):
            raise InputError(f"activation: dwell_times have the shape {np.shape(self.dwell_times)}, not (n, 2)")
        for key in ("dwell_times", "events"):
            if not (np.asarray(getattr(self, key)) > 0).all() or not np.isfinite(getattr(self, key)).all():
                raise InputError(f"activation: {key} must be positive and finite")
        if np.ndim(self.events) and np.shape(self.events) != (*n, 2):
            raise InputError(f"activation: events have the shape {np.shape(self.events)}, not (n, 2)")


@dataclass(frozen=True)
class ActivationFit:
    """Parameters that describe a measurement, with their errors.

    Attributes
    ----------
    parameters
        The most likely ones.
    free
        Names of those that were fitted.
    covariance
        Of the free ones, in their order.
    deviance
        Sum of the squared residuals; of a good fit about `degrees_of_freedom`.
    degrees_of_freedom
        Number of data less that of free parameters.
    model, data
        What was fitted.

    Examples
    --------
    >>> from numpy.polynomial import Chebyshev
    >>> from fespin.coupling import ActivationModel, ActivationParameters, fit_activation
    >>> model = ActivationModel(Chebyshev([-3e-17, -4e-17]), area=3e-15, temperature=300.0, excess=(0.3, 0.4))
    >>> truth = ActivationParameters(1e26, 1e-20, 20.0, np.log(1e6), 3e-4, 1e10)
    >>> currents, random = np.linspace(-2e11, 2e11, 9), np.random.default_rng(0)
    >>> data = model.sample(truth, currents, random, events=400, half_width_error=4e4, angular_frequency_error=2e6)
    >>> fit = fit_activation(model, data)
    >>> abs(fit.parameters.cross - truth.cross) < 4 * fit.error("cross")
    True
    """

    parameters: ActivationParameters
    free: tuple[str, ...]
    covariance: Array = field(repr=False)
    deviance: float
    degrees_of_freedom: int
    model: ActivationModel = field(repr=False)
    data: ActivationData = field(repr=False)

    def error(self, name: str) -> float:
        """Return the standard error of a parameter; zero if it was not fitted."""
        if name not in PARAMETERS:
            raise InputError(f"activation: no parameter is called '{name}'; {nearest(name, PARAMETERS)}")
        if name not in self.free:
            return 0.0
        k = self.free.index(name)
        return float(np.sqrt(self.covariance[k, k]))

    def correlation(self, first: str, second: str) -> float:
        """Return the correlation of two free parameters."""
        i, k = (self.free.index(x) for x in (first, second))
        return float(self.covariance[i, k] / np.sqrt(self.covariance[i, i] * self.covariance[k, k]))


def fit_activation(
    model: ActivationModel, data: ActivationData, *, known: Mapping[str, float] | None = None
) -> ActivationFit:
    """Return the parameters under which a measurement is most likely, with their covariance.

    Times in a well are distributed exponentially, and their means as that says; resonances normally. Dwell times alone
    do not tell l and D apart: without a resonance give one of them as known, or expect errors larger than the values.

    Parameters
    ----------
    model
        What is known of the device.
    data
        Dwell times, and a resonance.
    known
        Parameters that are not fitted, by the names of :data:`PARAMETERS`. Without a resonance l_Phi and omega are not.

    Raises
    ------
    InputError
        If a name is unknown, or there are more parameters than data.
    SolverError
        If the fit does not converge, or the data do not determine a parameter.

    Examples
    --------
    >>> from numpy.polynomial import Chebyshev
    >>> from fespin.coupling import ActivationModel, ActivationParameters, fit_activation
    >>> model = ActivationModel(Chebyshev([-3e-17, -4e-17]), area=3e-15, temperature=300.0, excess=(0.3, 0.4))
    >>> truth = ActivationParameters(cross=1e26, coefficient=1e-20, barrier=20.0)
    >>> data = model.sample(truth, np.linspace(-2e11, 2e11, 9), np.random.default_rng(0), events=400)
    >>> fit = fit_activation(model, data)  # dwell times alone
    >>> print(f"{fit.correlation('cross', 'log_diffusion'):.2f}")
    1.00
    """
    given = dict(known or {})
    for name, value in given.items():
        if name not in PARAMETERS:
            raise InputError(f"activation: no parameter is called '{name}'; {nearest(name, PARAMETERS)}")
        if not is_finite(value):
            raise InputError(f"activation: {name} is {value!r}; it must be finite")
    absent = () if data.resonance is not None else ("transverse", "angular_frequency")
    free = tuple(x for x in PARAMETERS if x not in given and x not in absent)
    if not free:
        raise InputError("activation: all parameters are known; nothing is left to fit")
    start = _start(model, data, given)
    scale = _scales(model, data, start, free)
    base = start.as_array()
    places = [PARAMETERS.index(x) for x in free]

    def at(x: Array) -> ActivationParameters:
        numbers = base.copy()
        numbers[places] = base[places] + x * scale
        return ActivationParameters(*map(float, numbers))

    count = len(_residuals(model, data, start))
    if count < len(free):
        raise InputError(f"activation: {count} data for {len(free)} parameters")
    with np.errstate(all="ignore"):  # steps that go too far are taken back
        found = least_squares(
            lambda x: np.nan_to_num(_residuals(model, data, at(x)), nan=1e6, posinf=1e6, neginf=-1e6),
            np.zeros(len(free)),
            x_scale="jac",
            method="lm",
            max_nfev=400 * (len(free) + 1),
        )
    if not found.success:
        raise SolverError(f"activation: the fit does not converge: {found.message}; give some parameters as known")
    covariance = _covariance(found.jac, free) * np.outer(scale, scale)
    return ActivationFit(at(found.x), free, covariance, float(2 * found.cost), count - len(free), model, data)


def _covariance(slopes: Array, free: Sequence[str]) -> Array:
    """Return the inverse of the squares of the residuals' slopes."""
    # Without their sizes, which say nothing of what is determined.
    sizes = np.linalg.norm(slopes, axis=0)
    silent = [name for name, size in zip(free, sizes, strict=True) if not size]
    if silent:
        raise SolverError(f"activation: the data do not depend on {', '.join(silent)}; give it as known")
    scaled = slopes / sizes
    if np.linalg.cond(scaled) > 1 / np.sqrt(np.finfo(float).eps):
        raise SolverError("activation: the data do not tell all parameters apart; give some as known")
    return np.asarray(np.linalg.inv(scaled.T @ scaled) / np.outer(sizes, sizes))


def _residuals(model: ActivationModel, data: ActivationData, p: ActivationParameters) -> Array:
    """Return the residuals, of unit variance: of means of exponential times the signed roots of their deviances."""
    x = np.log(data.dwell_times / model.dwell_times(p, data.current_densities))
    excess = np.where(np.abs(x) < _SMALL, x**2 / 2 + x**3 / 6, np.expm1(x) - x)
    out = [(np.sign(x) * np.sqrt(2 * np.asarray(data.events) * excess)).ravel()]
    r = data.resonance
    if r is not None:
        widths = model.half_widths(p, r.current_densities, r.side)
        frequencies = model.angular_frequencies(p, r.current_densities, r.side)
        out.append((r.half_widths - widths) / r.half_width_error)
        out.append((r.angular_frequencies - frequencies) / r.angular_frequency_error)
    return np.concatenate(out)


def _start(model: ActivationModel, data: ActivationData, given: Mapping[str, float]) -> ActivationParameters:
    """Return parameters near the data: no effect of the current, barrier and diffusion of the middle of the times."""
    time = float(np.exp(np.log(data.dwell_times).mean()))
    numbers: dict[str, float] = {}
    r = data.resonance
    if r is not None:
        numbers["angular_frequency"] = float(r.angular_frequencies.mean())

    def unit(barrier: float) -> float:
        """Return the dwell time times D."""
        one = ActivationParameters(barrier=barrier, log_diffusion=0.0)
        return float(model.dwell_times(one, 0.0)[0, 0])

    width = None if r is None else float(r.half_widths.mean())
    if "barrier" in given:
        numbers["log_diffusion"] = math.log(unit(given["barrier"]) / time)
    elif "log_diffusion" in given or width is not None:

        def miss(barrier: float) -> float:
            log_d = given.get("log_diffusion", math.log((width or 1.0) / (2 * barrier)))
            return math.log(unit(barrier)) - log_d - math.log(time)

        low, high = 2.0, 200.0
        numbers["barrier"] = float(brentq(miss, low, high)) if miss(low) < 0 < miss(high) else 20.0
        numbers["log_diffusion"] = math.log(unit(numbers["barrier"]) / time)
    else:
        numbers["log_diffusion"] = math.log(unit(20.0) / time)
    return ActivationParameters(**(numbers | dict(given)))


def _scales(model: ActivationModel, data: ActivationData, start: ActivationParameters, free: Sequence[str]) -> Array:
    """Return steps of the parameters that change the data by about as much as each other."""
    j = float(np.abs(data.current_densities).max()) or 1.0
    tilt = float(np.abs(model.slope.integ()(np.linspace(-1, 1, 41))).max()) or 1.0
    heat = max(model.excess) or 1.0
    sizes = {
        "cross": start.diffusion / (model.area * j * tilt),
        "coefficient": 0.1 * model.temperature / (heat * j) ** 2,
        "barrier": 1.0,
        "log_diffusion": 1.0,
        "transverse": (1.0 if data.resonance is None else data.resonance.angular_frequency_error) / j,
        "angular_frequency": 1.0 if data.resonance is None else data.resonance.angular_frequency_error,
    }
    return np.array([sizes[x] for x in free])
