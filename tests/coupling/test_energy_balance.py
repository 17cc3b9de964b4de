"""The first law of a whole device: circuit, transport and the moving magnet."""

import numpy as np
import pytest
from mpi4py import MPI
from samples.maps import device, problem_of

import fespin as fs
from fespin.coupling import Circuit, energy_balance, mean_electrical_power, torque_map
from fespin.errors import InputError

COMM = MPI.COMM_SELF


@pytest.fixture(scope="module")
def made():
    problem = problem_of(device())
    return problem, torque_map(problem, "Py4", tolerance=1e-9, pumping=True)


def spin_of():
    return fs.Macrospin(4e-9 * 30e-9**2, 9e5, 0.02, 300.0, fs.Biaxial(stability=40.0, hard_stability=200.0))


@pytest.mark.slow
@pytest.mark.parametrize(
    "circuit",
    [Circuit(current_density=-2e11), Circuit(voltage=-3e-3), Circuit(voltage=-6e-3, series_resistance_area=9e-15)],
    ids=["current", "voltage", "load"],
)
def test_the_first_law(made, circuit):
    problem, found = made
    spin = spin_of()
    x = energy_balance(problem, found, spin, circuit, start=(0.6, 0.5, 0.4), duration=0.15e-9, intervals=12)
    assert abs(x.residual) < 1e-8
    assert abs(x.magnet_residual) < 1e-7
    assert x.transport > 0 and x.damping > 0 and (x.load > 0) == bool(circuit.series_resistance_area)
    # Every part matters to what is tested.
    assert min(x.damping, abs(x.stored), abs(x.work)) > 1e-6 * x.electrical
    assert problem.stack["Py4"].magnetization == (0, 0, 1)


@pytest.mark.slow
def test_motion_without_a_drive_heats_the_metals(made):
    """What pumping takes from the magnet is dissipated in transport, in a short circuit."""
    problem, found = made
    spin = spin_of()
    x = energy_balance(problem, found, spin, Circuit(voltage=0.0), start=(0.2, 0.9, 0.3), duration=0.1e-9, intervals=8)
    assert x.electrical == 0 and x.load == 0
    assert x.transport == pytest.approx(-x.work, rel=1e-8, abs=0)
    assert x.transport + x.damping == pytest.approx(-x.stored, rel=1e-8, abs=0)
    assert x.transport > 0.05 * x.damping


def test_mean_power_in_the_steady_state(made):
    found = made[1]
    p = np.array(found.polarizer)
    spin = fs.Macrospin(4e-9 * 30e-9**2, 9e5, 0.02, 300.0, fs.Uniaxial(stability=4000.0, axis=tuple(p)))
    area = spin.volume / found.thickness
    circuit = Circuit(voltage=1e-4, series_resistance_area=2e-15)
    cold = fs.FokkerPlanck(COMM, spin.with_field(tuple(20.0 * p))).equilibrium()
    r = found.resistance_at(p[None])[0]
    right = area * 1e-4**2 / (r + 2e-15)
    assert mean_electrical_power(cold, found, spin, circuit) == pytest.approx(right, rel=1e-3, abs=0)


def test_what_is_refused(made):
    problem, found = made
    with pytest.raises(InputError, match="intervals and duration"):
        energy_balance(problem, found, spin_of(), Circuit(voltage=1.0), start=(1, 0, 0), duration=0.0)
