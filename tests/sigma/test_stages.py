"""The Fokker-Planck equation through stages of a pulse: against drives, Langevin, and stages of another temperature."""

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI

import fespin as fs
from fespin.errors import InputError

COMM = MPI.COMM_SELF
SPIN = fs.Macrospin(3e-24, 9e5, 0.08, 300.0, [fs.Uniaxial(stability=9)])
TORQUE = fs.SpinTorque.critical(SPIN, -2.5)


def solver(spin=SPIN, torque=TORQUE, **options):
    return fs.FokkerPlanck(COMM, spin, torque, **options)


def test_stages_of_a_torque_are_those_of_a_drive():
    ends, factors = (0.8e-9, 2e-9, 4e-9), (1.0, -0.3, 0.6)
    stages = [fs.Stage(end, SPIN, TORQUE.scaled(x)) for end, x in zip(ends, factors, strict=True)]
    times = np.array([0.5e-9, 1.5e-9, 4e-9])

    def drive(t):
        return factors[int(np.searchsorted(ends, t))]

    one = solver().evolve(times, stages=stages, tolerance=1e-8)
    two = solver().evolve(times, drive=drive, breakpoints=ends[:2], tolerance=1e-8)
    assert np.allclose(one.probability, two.probability, rtol=1e-5, atol=0)
    # The spin's torque is not used, but for where the equation is solved.
    other = solver(torque=None).evolve(times, stages=stages, tolerance=1e-8)
    assert np.allclose(one.probability, other.probability, rtol=1e-5, atol=0)


def test_one_stage_is_switching():
    times = [2e-9, 5e-9]
    by_krylov = solver().switching(times).not_switched
    in_a_stage = solver().evolve(times, stages=[fs.Stage(5e-9, SPIN, TORQUE)], tolerance=1e-8).probability
    assert np.allclose(in_a_stage, by_krylov, rtol=1e-4, atol=0)


def test_hot_stage_relaxes_at_its_own_rate():
    """Free diffusion: the mean direction falls as exp(-2 D t), with D of the temperature in each stage."""
    cold = replace(SPIN, terms=(), field=(0.0, 0.0, 0.0))
    hot = replace(cold, temperature=450.0)
    stages = [fs.Stage(1e-9, cold), fs.Stage(3e-9, hot)]
    found = solver(cold, None).evolve([1e-9, 3e-9], stages=stages, tolerance=1e-8)
    decay = np.exp(-2 * cold.diffusion * 1e-9)
    expected = 0.5 * decay * np.array([1.0, np.exp(-2 * hot.diffusion * 2e-9)])
    assert np.allclose(found.mean[:, 2], expected, rtol=1e-6, atol=0)
    assert hot.diffusion == pytest.approx(1.5 * cold.diffusion)


def test_start_is_the_equilibrium_of_the_macrospin_at_rest():
    soft = replace(SPIN, terms=[fs.Uniaxial(stability=3)])
    at_rest = solver(SPIN, None).evolve([1e-15], rest=SPIN).mean[0, 2]
    assert solver(soft, TORQUE).evolve([1e-15], stages=[fs.Stage(1e-15, soft)], rest=SPIN).mean[0, 2] == (
        pytest.approx(at_rest, rel=1e-4)
    )
    assert solver(soft, TORQUE).switching([1e-15], rest=SPIN).mean[0, 2] == pytest.approx(at_rest, rel=1e-4)
    assert abs(solver(soft, TORQUE).switching([1e-15]).mean[0, 2] / at_rest - 1) > 0.05


def test_tilted_stages_leave_the_polar_angle_and_agree_with_trajectories():
    tilted = fs.SpinTorque(-0.03, 0.01, polarizer=(0.5, 0.2, 0.8))
    warm = replace(SPIN, temperature=380.0, damping=0.12)
    stages = [fs.Stage(0.6e-9, SPIN, tilted), fs.Stage(2.5e-9, warm, tilted.scaled(1.4)), fs.Stage(3e-9, SPIN)]
    times = [0.6e-9, 2.5e-9, 3e-9]
    density = solver(SPIN, None).evolve(times, stages=stages)
    ensemble = fs.langevin(COMM, SPIN, times, ensemble=6000, seed=5, stages=stages)
    pull = (density.mean - ensemble.mean) / ensemble.mean_error
    assert np.abs(pull).max() < 4.5
    assert np.linalg.norm(ensemble.mean[-1, :2]) > 5 * ensemble.mean_error.max()


def test_stages_beside_a_drive_are_refused():
    with pytest.raises(InputError, match="give stages, or field and drive"):
        solver().evolve([1e-9], stages=[fs.Stage(1e-9, SPIN)], drive=lambda t: 1.0)
    with pytest.raises(InputError, match="the last stage ends at"):
        solver().evolve([2e-9], stages=[fs.Stage(1e-9, SPIN)])
