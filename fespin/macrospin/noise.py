"""The noise spectrum of a macrospin's observables in the stationary state."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator

from ..energy.on_sphere import Array
from ..errors import InputError
from .ensemble import Observable, Run, observed
from .heun import Heun
from .llg import Motion
from .spin import Macrospin
from .torque import Torque

if TYPE_CHECKING:  # checking a case must not start MPI
    from mpi4py import MPI

    from ..progress import Progress


@dataclass(frozen=True)
class NoiseSpectrum:
    """Power spectral density of an observable R(u) in the stationary state.

    Attributes
    ----------
    frequencies
        Hz, (n,).
    density, error
        One-sided, [R]^2/Hz, and its standard error, (n,).
    mean, variance
        Mean and variance of R.
    ensemble, seed, step, seconds
        See :class:`fespin.macrospin.EnsembleResult`.

    Examples
    --------
    >>> noise = fs.power_spectrum(comm, spin, lambda u: u[:, 0], resolution=2e8, highest=2e9, ensemble=32, segments=2)
    >>> print(f"{noise.variance:.1f}")
    0.1
    """

    frequencies: Array
    density: Array = field(repr=False)
    error: Array = field(repr=False)
    mean: float
    variance: float
    ensemble: int
    seed: int
    step: float
    seconds: float


def power_spectrum(
    comm: MPI.Intracomm,
    spin: Macrospin,
    observable: Observable,
    *,
    resolution: float,
    highest: float,
    segments: int = 8,
    ensemble: int = 256,
    seed: int = 0,
    torque: Torque | None = None,
    settle: float = 0.0,
    step: float | None = None,
    progress: Progress | None = None,
) -> NoiseSpectrum:
    """Return the noise spectrum of an observable in the stationary state. Collective.

    Welch's average with Hann windows over trajectories and half overlapping segments of 1/resolution.
    Each sample is the average over the steps since the last one, which keeps frequencies above
    `highest` from folding back; the density is divided by the response of that average. A block of up
    to 1024 trajectories subtracts its own mean, and needs 64 kB (segments + 1)/2 highest/resolution.

    Parameters
    ----------
    observable
        Function of u (n, 3) that returns (n,).
    resolution
        Spacing of the frequencies (Hz).
    highest
        Highest frequency (Hz).
    segments
        Number of segments of each trajectory.
    ensemble
        Number of trajectories. They start in equilibrium on the whole sphere.
    torque
        Constant spin torque.
    settle
        Time that passes first (s); needed with a torque, whose stationary state is not the equilibrium.
    seed, step, progress
        See :func:`fespin.macrospin.langevin`.

    Raises
    ------
    InputError
        As :func:`fespin.macrospin.langevin` does; if the frequencies are impossible, or a torque is given
        without `settle`.

    Examples
    --------
    >>> noise = fs.power_spectrum(comm, spin, lambda u: u[:, 0], resolution=2e8, highest=2e9, ensemble=32, segments=2)
    >>> noise.frequencies[:3]
    array([0.e+00, 2.e+08, 4.e+08])
    """
    from scipy.signal import welch  # slow to import, and needed here only

    began = time.perf_counter()
    if not (math.isfinite(highest) and 0 < resolution <= highest / 2):
        raise InputError(
            f"power spectrum: resolution and highest are {resolution!r} and {highest!r}; both must be positive, in Hz, "
            "and the highest at least twice the resolution"
        )
    if not isinstance(segments, int) or segments < 1:
        raise InputError(f"power spectrum: segments is {segments!r}; it must be a positive integer")
    if not (math.isfinite(settle) and settle >= 0) or (torque is not None and settle == 0):
        raise InputError(f"power spectrum: settle is {settle!r}; with a torque it must be a positive time in s")
    length = 8 * math.ceil(highest / resolution)
    interval = 1 / (resolution * length)
    samples = (segments + 1) * length // 2
    end = np.array([settle + samples * interval])
    run = Run(comm, Motion(spin, torque), end, ensemble, seed, None, True, step, progress)
    count = math.ceil(interval / run.step)
    first = math.ceil(settle / run.step)
    step = interval / count

    def block(random: Generator, u: Array, tick: Callable[[int], None]) -> Array:
        heun = Heun(run.motion, u)
        run.advance(heun, random, 0.0, settle, first, tick)
        series, square = np.zeros((len(u), samples)), 0.0
        for i in range(samples):
            for _ in range(count):
                heun.advance(random, 0.0, step, 1)
                values = observed(observable, heun.directions, "the observable")
                series[:, i] += values
                square += float(values @ values) / count
            tick(count)
        series /= count
        sums = [np.full(length // 2 + 1, x) for x in (series.sum(), square)]
        series -= series.mean()
        # The trajectories are taken in parts, because SciPy's Welch average holds all segments at once.
        each = np.concatenate(
            [
                welch(part, 1 / interval, "hann", length, length // 2, detrend=False, axis=-1)[1]
                for part in np.array_split(series, math.ceil(len(series) / 64))
            ]
        )
        return np.stack([each.sum(axis=0), (each**2).sum(axis=0), *sums])

    total, squares, value, square = np.sum(run.blocks(block, first + samples * count), axis=0)
    band = slice(0, int(highest / resolution * (1 + 1e-9)) + 1)
    frequencies: Array = np.arange(length // 2 + 1, dtype=float)[band] * resolution
    response = np.sinc(frequencies * interval) ** 2 / np.sinc(frequencies * step) ** 2
    density = total / ensemble
    error = np.sqrt(np.maximum(squares / ensemble - density**2, 0.0) / (ensemble - 1))
    mean = float(value[0]) / (ensemble * samples)
    return NoiseSpectrum(
        frequencies,
        density[band] / response,
        error[band] / response,
        mean,
        float(square[0]) / (ensemble * samples) - mean**2,
        ensemble,
        seed,
        step,
        time.perf_counter() - began,
    )
