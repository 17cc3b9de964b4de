"""Coefficients from synthetic dwell times and resonances: the model, honest errors, what dwell times alone lack."""

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI
from numpy.polynomial import Chebyshev

import fespin as fs
from fespin.coupling import (
    ActivationData,
    ActivationModel,
    ActivationParameters,
    ResonanceData,
    fit_activation,
    heated_spin,
)
from fespin.coupling.activation_fit import PARAMETERS
from fespin.errors import InputError, SolverError
from fespin.plotting import plot_activation_fit
from fespin.sigma import torque_shifts

COMM = MPI.COMM_SELF
AREA, AXIS = 2.8e-15, np.array([1, 2, 2]) / 3
SPIN = fs.Macrospin(AREA * 3e-9, 8e5, 0.02, 310.0, [fs.Uniaxial(stability=22.0, axis=tuple(AXIS))])
# About what a valve of cobalt and permalloy has.
MODEL = ActivationModel(-1e-17 * Chebyshev([0.52, 3.64, -1.36, 0.27, -0.1]), AREA, 310.0, (0.286, 0.34))
TRUTH = ActivationParameters(1.6e26, 3.7e-20, 22.0, float(np.log(SPIN.diffusion)), 3e-4, 1.1e10)
CURRENTS = np.linspace(-2e11, 2e11, 9)
MEASURED = {"events": 400, "half_width_error": 4e4, "angular_frequency_error": 2e6}


@pytest.mark.parametrize("j", [-2e11, 0.0, 1.3e11])
def test_the_model_against_the_sphere(j):
    """Dwell times of the Fokker-Planck equation at the T_eff of each state, and its linearized motion."""
    times = MODEL.dwell_times(TRUTH, j)[0]
    for k, side in enumerate((1, -1)):
        spin = heated_spin(SPIN, TRUTH.coefficient, MODEL.excess[k] * j)
        x, y = TRUTH.cross * AREA * j * MODEL.slope, TRUTH.transverse * j  # chi' and Phi'
        gamma, alpha = spin.gyromagnetic_ratio, spin.damping
        torque = fs.AngularTorque((x + alpha * y) / gamma, (y - alpha * x) / gamma, tuple(AXIS))
        found = torque_shifts(COMM, spin, torque)
        i = int(np.argmax(found.wells @ AXIS * side))
        assert times[k] == pytest.approx(found.dwell_times[i, 1], rel=1e-4, abs=0)
        assert MODEL.half_widths(TRUTH, j, side)[0] == pytest.approx(found.half_widths[i, 1], rel=1e-6, abs=0)
        own = replace(TRUTH, angular_frequency=found.angular_frequencies[i, 0])
        right = found.angular_frequencies[i, 1]
        assert MODEL.angular_frequencies(own, j, side)[0] == pytest.approx(right, rel=1e-6, abs=0)


def test_pulls_of_twenty_measurements():
    """Deviations over their errors: rms .7 to 1.4, none beyond 4; the deviance is that of a good fit."""
    random = np.random.default_rng(3)
    pulls, deviances = [], []
    for k in range(20):
        fit = fit_activation(MODEL, MODEL.sample(TRUTH, CURRENTS, random, side=1 - 2 * (k % 2), **MEASURED))
        assert fit.free == PARAMETERS
        pulls.append((fit.parameters.as_array() - TRUTH.as_array()) / [fit.error(x) for x in PARAMETERS])
        deviances.append(fit.deviance)
    rms = np.sqrt(np.mean(np.square(pulls), axis=0))
    assert (rms > 0.7).all() and (rms < 1.4).all() and np.abs(pulls).max() < 4
    assert np.mean(deviances) == pytest.approx(fit.degrees_of_freedom, rel=0.15)
    assert fit.error("cross") < 0.02 * TRUTH.cross and fit.error("coefficient") < 0.02 * TRUTH.coefficient


def test_dwell_times_alone_do_not_give_l():
    """They give l/D: l is known as badly as D, with which it is fully correlated; a known damping helps."""
    data = MODEL.sample(TRUTH, CURRENTS, np.random.default_rng(5), events=400)
    fit = fit_activation(MODEL, data)
    assert fit.free == PARAMETERS[:4]
    assert fit.correlation("cross", "log_diffusion") > 0.99
    assert fit.error("cross") > 0.3 * fit.parameters.cross
    ratio = fit.covariance[[0, 3]][:, [0, 3]]
    per_d = np.array([1 / fit.parameters.cross, -1.0])  # of ln(l/D)
    error = float(np.sqrt(per_d @ ratio @ per_d))
    deviation = np.log(fit.parameters.cross / TRUTH.cross) - (fit.parameters.log_diffusion - TRUTH.log_diffusion)
    assert error < 0.05 and abs(deviation) < 4 * error
    known = fit_activation(MODEL, data, known={"log_diffusion": TRUTH.log_diffusion})
    assert known.error("cross") < 0.05 * TRUTH.cross and known.error("log_diffusion") == 0
    assert abs(known.parameters.cross - TRUTH.cross) < 4 * known.error("cross")


def test_an_exact_measurement_is_found_from_afar():
    """Other barriers, signs of l, currents that are not symmetric; without errors nothing remains."""
    for truth in (replace(TRUTH, cross=-4e25, barrier=14.0), replace(TRUTH, coefficient=0.0, barrier=35.0)):
        j = np.linspace(-1.2e11, 2e11, 7)
        resonance = ResonanceData(
            j, MODEL.half_widths(truth, j, -1), 1e4, MODEL.angular_frequencies(truth, j, -1), 1e6, side=-1
        )
        fit = fit_activation(MODEL, ActivationData(j, MODEL.dwell_times(truth, j), 1000, resonance))
        errors = np.array([fit.error(x) for x in PARAMETERS])
        assert (np.abs(fit.parameters.as_array() - truth.as_array()) < 1e-3 * errors).all()
        assert fit.deviance < 1e-6


def test_the_picture(tmp_path):
    data = MODEL.sample(TRUTH, CURRENTS, np.random.default_rng(1), **MEASURED)
    for k, given in enumerate((data, replace(data, resonance=None))):
        plot_activation_fit(COMM, tmp_path / f"{k}.png", fit_activation(MODEL, given), title="synthetic")
        assert (tmp_path / f"{k}.png").stat().st_size > 8000


def test_what_is_refused():
    data = MODEL.sample(TRUTH, CURRENTS, np.random.default_rng(1), **MEASURED)
    with pytest.raises(InputError, match="no parameter is called 'diffusion'; did you mean 'log_diffusion'"):
        fit_activation(MODEL, data, known={"diffusion": 1e6})
    with pytest.raises(SolverError, match="the data do not depend on coefficient; give it as known"):
        fit_activation(replace(MODEL, excess=(0.0, 0.0)), data)
    with pytest.raises(SolverError, match="the data do not tell all parameters apart"):
        fit_activation(
            MODEL, ActivationData(np.zeros(4), data.dwell_times[:4], 10), known={"cross": 0, "coefficient": 0}
        )
    with pytest.raises(InputError, match="nothing is left to fit"):
        fit_activation(MODEL, data, known=dict.fromkeys(PARAMETERS, 1.0))
    with pytest.raises(InputError, match="barrier is nan"):
        fit_activation(MODEL, data, known={"barrier": np.nan})
    with pytest.raises(InputError, match="2 data for 4 parameters"):
        fit_activation(MODEL, ActivationData(CURRENTS[:1], data.dwell_times[:1], 10))
    with pytest.raises(InputError, match="dwell_times must be positive and finite"):
        ActivationData(CURRENTS, -data.dwell_times, 10)
    with pytest.raises(InputError, match=r"events have the shape \(9,\), not \(n, 2\)"):
        ActivationData(CURRENTS, data.dwell_times, np.full(9, 10.0))
    with pytest.raises(InputError, match="not \\(n, 2\\)"):
        ActivationData(CURRENTS, data.dwell_times[:, 0], 10)
    with pytest.raises(InputError, match="side is 0; it must be 1 or -1"):
        replace(data.resonance, side=0)
    with pytest.raises(InputError, match="a half width and a frequency at each"):
        replace(data.resonance, half_widths=np.zeros(3))
    with pytest.raises(InputError, match="excess is"):
        replace(MODEL, excess=(-1.0, 0.0))
