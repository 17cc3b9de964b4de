"""Stages of a pulse: trajectories and ensembles through changing energy, temperature and torque."""

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI

import fespin as fs
from fespin.errors import InputError

COMM = MPI.COMM_SELF
SPIN = fs.Macrospin(3e-24, 9e5, 0.08, 300.0, [fs.Uniaxial(stability=6, axis=(0.3, -0.2, 0.9))], field=(0.01, 0, 0.02))
TORQUE = fs.SpinTorque(-0.02, 0.005, polarizer=(0.2, 0.5, 0.8))


def test_trajectory_in_stages_is_that_of_a_drive_with_steps():
    times = np.array([0.0, 0.3e-9, 1e-9, 2.2e-9, 4e-9])
    factors = [(0.7e-9, 1.0), (1.9e-9, -0.4), (5e-9, 0.0)]
    stages = [fs.Stage(end, SPIN, TORQUE.scaled(x) if x else None) for end, x in factors]
    looked = np.union1d(times, [0.7e-9, 1.9e-9])

    def drive(t):
        return next(x for end, x in factors if t < end)

    by_drive = fs.llg(SPIN, (1, 0.2, 0.4), looked, torque=TORQUE, drive=drive)
    in_stages = fs.llg(SPIN, (1, 0.2, 0.4), times, stages=stages)
    assert np.abs(in_stages.directions - by_drive.directions[np.isin(looked, times)]).max() < 1e-7


def test_trajectory_with_an_energy_that_changes_is_two_trajectories():
    other = replace(SPIN, field=(0.0, -0.3, 0.05), damping=0.2)
    stages = [fs.Stage(1e-9, SPIN), fs.Stage(3e-9, other)]
    whole = fs.llg(SPIN, (1, 0.2, 0.4), [1e-9, 2.5e-9], stages=stages).directions
    first = fs.llg(SPIN, (1, 0.2, 0.4), [1e-9]).directions[-1]
    second = fs.llg(other, first, [1.5e-9]).directions[-1]
    assert np.abs(whole - [first, second]).max() < 1e-8


def test_one_stage_is_no_stage():
    times = [0.5e-9, 2e-9]
    plain = fs.langevin(COMM, SPIN, times, ensemble=300, seed=3, torque=TORQUE, step=2e-13)
    staged = fs.langevin(COMM, SPIN, times, ensemble=300, seed=3, stages=[fs.Stage(2e-9, SPIN, TORQUE)], step=2e-13)
    assert np.allclose(plain.mean, staged.mean, rtol=0, atol=1e-12)


def test_ensemble_warms_up_to_the_equilibrium_of_the_last_stage():
    free = replace(SPIN, terms=(), field=(0.0, 0.0, 0.05))
    hot = replace(free, temperature=600.0, damping=1.0)
    found = fs.langevin(COMM, free, [3e-9], ensemble=4000, stages=[fs.Stage(1e-9, free), fs.Stage(3e-9, hot)])
    x = hot.moment * 0.05 / hot.thermal_energy
    assert found.mean[-1, 2] == pytest.approx(1 / np.tanh(x) - 1 / x, abs=4 * found.mean_error[-1, 2])


@pytest.mark.parametrize(
    ("stages", "why"),
    [
        ([], "must end one after the other"),
        ([fs.Stage(2e-9, SPIN), fs.Stage(1e-9, SPIN)], "must end one after the other"),
        ([fs.Stage(1e-9, SPIN)], "the last stage ends at 1e-09 s"),
        ([fs.Stage(1e-9, SPIN), fs.Stage(5e-9, replace(SPIN, volume=1e-24))], "different volumes"),
    ],
)
def test_impossible_stages_are_refused(stages, why):
    with pytest.raises(InputError, match=why):
        fs.llg(SPIN, (0, 0, 1), [3e-9], stages=stages)
    with pytest.raises(InputError, match=why):
        fs.langevin(COMM, SPIN, [3e-9], ensemble=10, stages=stages)


def test_stages_and_a_torque_are_refused():
    with pytest.raises(InputError, match="give stages, or torque, field and drive"):
        fs.llg(SPIN, (0, 0, 1), [1e-9], torque=TORQUE, stages=[fs.Stage(1e-9, SPIN)])
    with pytest.raises(InputError, match="until is -1"):
        fs.Stage(-1.0, SPIN)
