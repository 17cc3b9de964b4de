"""Results of Fokker-Planck solves, in SI units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..energy.on_sphere import Array
from ..macrospin.landscape import survey
from ..macrospin.spin import Macrospin
from .distribution import Distribution, Surface
from .escape import Rates
from .estimates import DIRECT, FLOOR
from .matrix import Vector
from .resolution import WORTHLESS
from .switching import Course

# Populations below this are made by rates that may not be resolved.
_RARE = 0.01
# A stationary probability below this is as good as none.
_NOTHING = 1e-9


def finite_or_none(values: object) -> object:
    """Return a number or nested lists of them in which what is not finite is None."""
    if isinstance(values, list):
        return [finite_or_none(x) for x in values]
    return values if isinstance(values, float) and np.isfinite(values) else None


@dataclass(frozen=True)
class Spectrum:
    """Decay rates of the Fokker-Planck operator, sorted by real part.

    Attributes
    ----------
    eigenvalues
        1/s (n,), complex: exp(-lambda t). An imaginary part is an angular frequency.
    reduced
        lambda x 2 tau_N (n,).
    methods
        Method of each: "stationary", "committor", "Krylov-Schur", "Arnoldi at the resonance", "Arnoldi at the
        frequency" or "meridian, m = ...".
    error_estimate
        Estimated error of each, relative to its magnitude: the difference from a space with a degree less; the
        residual if none was made (n,).
    residuals
        Residual of each, relative (n,); zero where the method has none.
    modes
        Densities of the modes at this rank's nodes (owned,) each, complex; on a meridian, the factor of exp(i m phi).
    orders
        Azimuthal orders m, on a meridian.
    surface
        Where it was solved for.

    Examples
    --------
    >>> spectrum = fs.FokkerPlanck(comm, spin).spectrum(3)
    >>> spectrum.reduced[1:].real.round(3)
    array([0.135, 7.612])
    >>> print(f"{1 / spectrum.eigenvalues[1].real:.3e}")
    8.121e-07
    """

    eigenvalues: NDArray[np.complex128]
    reduced: NDArray[np.complex128]
    methods: tuple[str, ...]
    error_estimate: Array
    residuals: Array
    modes: tuple[Vector, ...] = field(repr=False)
    orders: tuple[int, ...] | None = None
    surface: Surface | None = field(default=None, repr=False)

    def summary(self) -> dict[str, Any]:
        """Return everything but the modes, for JSON; complex numbers as [re, im]."""
        return {
            "eigenvalues": [[z.real, z.imag] for z in self.eigenvalues],
            "eigenvalues_reduced": [[z.real, z.imag] for z in self.reduced],
            "methods": list(self.methods),
            "error_estimate": self.error_estimate.tolist(),
            "residuals": self.residuals.tolist(),
        }


@dataclass(frozen=True)
class Escape:
    """Metastable states and the rates between them.

    Attributes
    ----------
    states
        Stable directions (k, 3).
    rates
        ``rates[i, j]`` from state i to state j (1/s), (k, k).
    populations
        Stationary probability of each state (k,).
    dwell_times
        Mean time in each state (s), (k,).
    slowest
        Decay rates of the populations (1/s), (k - 1,).
    log10_rates, log10_populations, log10_dwell_times, log10_slowest
        Decimal logarithms of these: where a barrier exceeds some 700 kT the numbers themselves are 0 or infinite. -inf
        on the diagonal of the rates, and where another state lies between two and what goes past it is lost.
    barriers
        E/kT from each well up to its lowest pass, without torque (k,).
    error_estimate
        Estimated error of the rates, relative: the difference from a space with a degree less, or on rings from one
        of more orders (k, k); None if none was made.
    surface
        Where it was solved for.

    Examples
    --------
    >>> escape = fs.FokkerPlanck(comm, spin).escape()
    >>> escape.states[:, 2].round(3), escape.barriers.round(3)
    (array([ 1., -1.]), array([5., 5.]))
    >>> print(f"{escape.rates[0, 1]:.3e} {escape.dwell_times[0]:.3e}")
    5.800e+05 1.724e-06
    """

    states: Array
    rates: Array
    populations: Array
    dwell_times: Array
    slowest: Array
    log10_rates: Array
    log10_populations: Array
    log10_dwell_times: Array
    log10_slowest: Array
    barriers: Array
    error_estimate: Array | None
    surface: Surface | None = field(default=None, repr=False)

    @property
    def unresolved(self) -> NDArray[np.bool_]:
        """Return which rates have an estimated error above one half (k, k); none without estimates."""
        if self.error_estimate is None:
            return np.zeros(self.rates.shape, dtype=bool)
        return np.asarray(~(self.error_estimate <= WORTHLESS) & ~np.eye(len(self.rates), dtype=bool))

    def summary(self) -> dict[str, Any]:
        """Return everything, for JSON.

        None stands for an infinite dwell time, the logarithm of zero, and what is not resolved: rates, the dwell times
        that follow from them, and the logarithms of small populations.
        """
        lost, k = self.unresolved, len(self.rates)
        held = lost[np.arange(k), np.argmax(np.where(np.eye(k), -np.inf, self.log10_rates), axis=1)]
        rare = lost.any() & (self.populations < _RARE)
        worst = None if self.error_estimate is None else np.where(lost, np.nan, self.error_estimate)
        return {
            "states": self.states.tolist(),
            "rates": [_finite(row) for row in np.where(lost, np.nan, self.rates)],
            "populations": self.populations.tolist(),
            "dwell_times": _finite(np.where(held, np.nan, self.dwell_times)),
            "slowest": self.slowest.tolist(),
            "log10_rates": [_finite(row) for row in np.where(lost, np.nan, self.log10_rates)],
            "log10_populations": _finite(np.where(rare, np.nan, self.log10_populations)),
            "log10_dwell_times": _finite(np.where(held, np.nan, self.log10_dwell_times)),
            "log10_slowest": _finite(self.log10_slowest),
            "barriers": self.barriers.tolist(),
            "error_estimate": None if worst is None else float(np.nanmax(worst)),
            "method": "committor",
        }


def _finite(values: Array) -> list[float | None]:
    """Return a list in which None stands for what is not a finite number."""
    return [float(x) if np.isfinite(x) else None for x in values]


def escape_times(found: Rates, other: Rates | None, spin: Macrospin, *, factor: float = 1.0) -> Escape:
    """Return rates between metastable states in SI units, and a factor times the difference of others as estimate."""
    estimate = None
    if other is not None:
        change = rate_changes(found, other)
        # Wells relax in times of order one: the model's own error is of the order of the rates.
        estimate = np.where(np.isfinite(change), factor * change, 1.0) + found.rates.max()
    wells, unit, ln10 = survey(spin).wells, np.log(spin.diffusion), np.log(10.0)
    logs = [found.log_rates + unit, found.log_populations, -(found.log_exits + unit), found.log_decays + unit]
    with np.errstate(over="ignore"):
        rates, populations, dwell, slowest = (np.exp(x) for x in logs)
    return Escape(
        found.states,
        rates,
        populations,
        dwell,
        slowest,
        logs[0] / ln10,
        logs[1] / ln10,
        logs[2] / ln10,
        logs[3] / ln10,
        np.array([max(wells, key=lambda w: float(w.direction @ u)).height for u in found.states]),
        estimate,
        found.surface,
    )


def rate_changes(found: Rates, other: Rates) -> Array:
    """Return the relative differences of another solve's rates (k, k): zero on the diagonal, inf where one is lost.

    A state without any way out has lost all.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        change = np.abs(np.expm1(other.log_rates - found.log_rates))
    lost = np.isneginf(found.log_rates) != np.isneginf(other.log_rates)
    lost |= np.isneginf(found.log_exits)[:, None] & ~np.eye(len(lost), dtype=bool)
    return np.where(lost, np.inf, np.nan_to_num(change, posinf=np.inf))


@dataclass(frozen=True)
class Switching:
    """Switching under constant field and torque.

    Attributes
    ----------
    times
        Seconds (n,).
    reduced_times
        alpha gamma mu0 H_K t/(1 + alpha^2) (n,).
    not_switched
        Probability left in the initial hemisphere, the write-error rate (n,); nan where its error exceeds one half.
    mean
        Mean direction (n, 3); nan where it is not resolved.
    observables
        Mean of each observable (n,).
    stationary
        The probability of the hemisphere that remains for ever; nan if it is not known how metastable states mix.
    method
        Method that found it.
    error_estimate
        Estimated error of `not_switched`, relative (n,): the time integration's and, if made, what a space with a
        degree more shows.
    mass_error
        The final density's integral minus one.
    final
        The density at the last time.
    advice
        Remedy for the samples that are not resolved, if there are any.
    mean_error
        Estimated error of the mean direction, the length of a vector (n,): 1.5 times the difference from the space that
        judges `not_switched`; None if none was made.
    observable_errors
        The same of each observable (n,), in its own unit.

    Examples
    --------
    >>> pulse = fs.FokkerPlanck(comm, spin, fs.SpinTorque.critical(spin, -4.0)).switching([0.0, 10e-9, 20e-9])
    >>> [f"{p:.2e}" for p in pulse.not_switched]
    ['1.00e+00', '3.96e-02', '1.85e-04']
    """

    times: Array
    reduced_times: Array
    not_switched: Array
    mean: Array
    observables: dict[str, Array]
    stationary: float
    method: str
    error_estimate: Array
    mass_error: float
    final: Distribution = field(repr=False)
    advice: str | None = None
    mean_error: Array | None = None
    observable_errors: dict[str, Array] | None = None

    @property
    def resolved(self) -> NDArray[np.bool_]:
        """Return which samples are resolved (n,)."""
        return np.isfinite(self.not_switched)

    def summary(self) -> dict[str, Any]:
        """Return everything but the density, for JSON; what is not resolved as None."""
        return {
            "times": self.times.tolist(),
            "reduced_times": self.reduced_times.tolist(),
            "not_switched": finite_or_none(self.not_switched.tolist()),
            "mean_direction": finite_or_none(self.mean.tolist()),
            "observables": {k: v.tolist() for k, v in self.observables.items()},
            "stationary": finite_or_none(self.stationary),
            "method": self.method,
            "error_estimate": finite_or_none(self.error_estimate.tolist()),
            "mean_error": None if self.mean_error is None else finite_or_none(self.mean_error.tolist()),
            "observable_errors": None
            if self.observable_errors is None
            else {k: finite_or_none(v.tolist()) for k, v in self.observable_errors.items()},
            "mass_error": self.mass_error,
            "minimum_density": self.final.minimum_density,
            "negative_mass": self.final.negative_mass,
        }


def switched(
    found: Sequence[Course],
    error: Array,
    samples: NDArray[np.intp],
    times: Array,
    reduced_time: float,
    names: Sequence[str],
) -> Switching:
    """Return a course of switching in SI units; what is not resolved is nan. Collective.

    Parameters
    ----------
    found
        The course, and those of other spaces.
    error
        Estimated error of its probabilities, relative (n,).
    samples
        Which of the course's times are asked for (n,).
    """
    course = found[0]
    lost = ~(error <= WORTHLESS)
    mean = np.array(course.mean[samples])
    far: Array | None = None
    apart: dict[str, Array] | None = None
    if len(found) > 1:
        far = np.linalg.norm(mean - found[1].mean[samples], axis=1)
        mean[~(far <= WORTHLESS)] = np.nan
        others = np.abs(course.observables - found[1].observables)[samples]
        apart = {k: DIRECT * others[:, i] + FLOOR for i, k in enumerate(names)}
        far = DIRECT * far + FLOOR
        known = [c.stationary for c in found[:2]]
        settled = abs(known[0] - known[1]) <= max(WORTHLESS * abs(known[0]), _NOTHING)
    return Switching(
        times,
        times * reduced_time,
        np.where(lost, np.nan, course.probability[samples]),
        mean,
        {k: course.observables[samples, i] for i, k in enumerate(names)},
        course.stationary if len(found) < 2 or settled else np.nan,
        course.method,
        error,
        course.final.mass_error,
        course.final,
        mean_error=far,
        observable_errors=apart,
    )
