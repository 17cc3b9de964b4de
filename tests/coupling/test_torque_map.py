"""Torque maps against the exact solution, and what they do to a macrospin."""

from dataclasses import replace

import numpy as np
import pytest
from samples.maps import COMM, ENDS, FIXED, device, problem_of
from samples.vector import CO, CU, NC, NP, PY, J, layer, reference

import fespin as fs
from fespin.coupling import TorqueMap, pumped_damping, torque_map
from fespin.errors import InputError, ModelError
from references import channel_models as exact


@pytest.fixture(scope="module")
def made():
    problem = problem_of(device())
    return problem, torque_map(problem, "Py4", tolerance=1e-5)


def test_against_the_exact_solution_in_any_direction(made):
    problem, found = made
    assert problem.stack["Py4"].magnetization == (0, 0, 1)
    assert found.error < 1e-5
    random = np.random.default_rng(3)
    for u in random.normal(size=(5, 3)):
        u = u / np.linalg.norm(u)
        e = reference(device(tuple(u)), ENDS, "absorbed", (0, 0, 0))
        torque = exact.torque(e, 3) / J
        assert found.torque_per_current(u[None])[0] == pytest.approx(torque, rel=0, abs=1e-5 * np.linalg.norm(torque))
        assert found.resistance_at(u[None])[0] == pytest.approx(e.resistance_area, rel=1e-6, abs=0)


def test_saved_and_loaded(made, tmp_path):
    found = made[1]
    found.save(COMM, tmp_path / "map.json")
    again = TorqueMap.load(tmp_path / "map.json")
    u = np.array([[0.6, 0.0, 0.8]])
    assert again.torque_per_current(u) == pytest.approx(found.torque_per_current(u), rel=1e-15, abs=0)
    assert (again.layer, again.thickness, again.polarizer) == (found.layer, found.thickness, found.polarizer)
    with pytest.raises(InputError, match="cannot be read"):
        TorqueMap.load(tmp_path / "none.json")
    (tmp_path / "other.json").write_text('{"layer": 3}')
    with pytest.raises(InputError, match="holds no torque map"):
        TorqueMap.load(tmp_path / "other.json")


def spin_of(stability=60.0):
    p = np.array(FIXED) / 3
    energy = fs.Uniaxial(stability=stability, axis=tuple(p))
    return fs.Macrospin(4e-9 * 30e-9**2, 9e5, 0.02, 300.0, energy)


def test_torque_on_a_macrospin(made):
    found, spin = made[1], spin_of()
    u = np.random.default_rng(7).normal(size=(20, 3))
    u /= np.linalg.norm(u, axis=1)[:, None]
    tau = found.torque_per_current(u) * 3e10
    g = -spin.gyromagnetic_ratio * tau / (spin.saturation_magnetization * 4e-9)
    velocity = found.torque(spin, current_density=3e10).velocity(u, spin)
    right = (g + spin.damping * np.cross(u, g)) / (1 + spin.damping**2)
    assert velocity == pytest.approx(right, rel=0, abs=1e-12 * np.abs(right).max())
    # At a voltage the current of each direction is the circuit's.
    at_voltage = found.torque(spin, voltage=2e-4).velocity(u, spin)
    per_direction = velocity * (2e-4 / found.resistance_at(u) / 3e10)[:, None]
    assert at_voltage == pytest.approx(per_direction, rel=0, abs=1e-9 * np.abs(per_direction).max())
    # The potentials are those of this field.
    torque = found.torque(spin, current_density=3e10)
    chi, gradient = torque.chi(u, spin)
    step = 1e-6
    for axis in np.eye(3):
        tangent = axis - u * (u @ axis)[:, None]
        near = [np.sqrt(1 - step**2) * u + step * s * tangent for s in (1, -1)]
        near = [x / np.linalg.norm(x, axis=1)[:, None] for x in near]
        slope = (torque.chi(near[0], spin)[0] - torque.chi(near[1], spin)[0]) / (2 * step)
        assert np.sum(gradient * tangent, axis=1) == pytest.approx(slope, rel=0, abs=1e-6 * np.abs(gradient).max())
    assert np.isfinite(chi).all()


@pytest.mark.slow
def test_critical_current_of_the_map_and_the_equation_of_motion(made):
    """Where damping and spin torque cancel at the antiparallel state."""
    found, spin = made[1], spin_of(400.0)
    p = np.array(found.polarizer)
    per_current = found.torque(spin, current_density=1.0)
    field = 2 * 400.0 * spin.thermal_energy / spin.moment  # mu0 H_K
    critical = spin.damping * field / per_current.damping_like(-1.0)
    # The equation of motion: small cones about -p shrink below and grow above.
    tilt = np.cross(p, (1.0, 0.0, 0.0))
    start = -p + 1e-3 * tilt / np.linalg.norm(tilt)

    def cone(ratio):
        times = np.linspace(0, 40 / (spin.damping * spin.gyromagnetic_ratio * field), 20)
        run = fs.llg(spin, start, times, torque=found.torque(spin, current_density=ratio * critical))
        return np.log(np.linalg.norm(np.cross(run.directions[-1], p)) / 1e-3)

    rates = [cone(r) for r in (0.9, 1.1)]
    assert rates[0] < 0 < rates[1]
    crossing = 0.9 + 0.2 * rates[0] / (rates[0] - rates[1])
    assert crossing == pytest.approx(1, rel=0.01)


def test_what_a_map_cannot_be():
    with pytest.raises(ModelError, match="field distinguishes"):
        torque_map(problem_of(device(), field=(0, 0, 1.0)), "Py4")
    with pytest.raises(InputError, match="'Cu1' is no ferromagnet"):
        torque_map(problem_of(device()), "Cu1")
    with pytest.raises(InputError, match="tolerance is 2"):
        torque_map(problem_of(device()), "Py4", tolerance=2.0)
    one = {("Cu", "Py"): NP}
    single = fs.Stack(layer(CU, 12), layer(PY, 4, (0, 0, 1)), layer(CU, 30), interfaces=one, library={})
    with pytest.raises(InputError, match="'Py2' is the only magnet"):
        torque_map(problem_of(single), "Py2")
    three = fs.Stack(
        layer(CO, 5, (1, 0, 0)), layer(CU, 9), layer(PY, 4), layer(CU, 9), layer(CO, 5, (0, 1, 0)),
        interfaces={("Cu", "Co"): NC, ("Cu", "Py"): NP}, library={},
    )  # fmt: skip
    with pytest.raises(ModelError, match="'Co1' and 'Co5' are along different axes"):
        torque_map(problem_of(three), "Py3")
    with pytest.raises(ModelError, match="needs the vector model"):
        torque_map(fs.TransportProblem(fs.line(COMM, fs.Stack(layer(CO, 5)))), "Co1")


@pytest.fixture(scope="module")
def pumped():
    problem = problem_of(device())
    return problem, torque_map(problem, "Py4", tolerance=1e-5, pumping=True)


def test_pumped_damping_in_any_direction(pumped):
    """Against solves, for a voltage source, a current source, and a load in between."""
    problem, found = pumped
    spin = spin_of()
    plain = {"short": {"voltage": 1e-4}, "open": {"current_density": 1e10}}
    u = np.random.default_rng(11).normal(size=(4, 3))
    u /= np.linalg.norm(u, axis=1)[:, None]
    tensors = {k: found.pumped(spin, **x).pumping.tensor(u) for k, x in plain.items()}
    for k, x in enumerate(u):
        problem.magnetize({"Py4": tuple(x)})
        turn = np.cross(x, np.eye(3)).T  # v -> u x v
        for name in plain:
            solved = pumped_damping(problem, "Py4", spin.saturation_magnetization, open_circuit=name == "open")
            # That tensor acts on u x du/dt, and its result enters as it is.
            right = -turn @ solved @ turn
            assert tensors[name][k] == pytest.approx(right, rel=0, abs=2e-5 * np.abs(right).max())
    problem.magnetize({"Py4": (0, 0, 1)})
    # The circuit matters where a current is pumped.
    difference = np.abs(tensors["open"] - tensors["short"]).max()
    assert difference > 1e-3 * np.abs(tensors["short"]).max()
    # Loads go from one limit to the other.
    loads = [0.0, 1e-15, 1e-6]
    between = [found.pumped(spin, voltage=1.0, series_resistance_area=x).pumping.tensor(u) for x in loads]
    assert between[0] == pytest.approx(tensors["short"], rel=0, abs=1e-12)
    assert between[2] == pytest.approx(tensors["open"], rel=0, abs=1e-8 * np.abs(tensors["open"]).max())
    assert 0.01 < np.abs(between[1] - between[0]).max() / difference < 0.99


def test_a_map_with_pumping_is_saved_whole(pumped, tmp_path):
    found, spin, u = pumped[1], spin_of(), np.array([[0.6, 0.0, 0.8]])
    found.save(COMM, tmp_path / "map.json")
    again = TorqueMap.load(tmp_path / "map.json")
    a, b = (x.pumped(spin, voltage=1.0).pumping.tensor(u) for x in (again, found))
    assert a == pytest.approx(b, rel=1e-14, abs=1e-18)
    with pytest.raises(InputError, match="holds no pumping"):
        replace(found, pumping=None).pumped(spin, voltage=1.0)


def test_pumping_raises_the_critical_current(pumped):
    """By what it adds to the damping there: at the poles in-plane and other motion are damped alike."""
    found, spin = pumped[1], spin_of()
    p = np.array(found.polarizer)
    damped = found.pumped(spin, current_density=1.0)
    bare, more = (found.critical_current_density(x, -p) for x in (spin, damped))
    added = damped.pumping
    total, gain = spin.damping + added.normal(-1.0), 1 + added.reactive(-1.0)
    d, f = found.damping_like(-1.0), found.field_like(-1.0)
    right = bare * total / spin.damping * (d - spin.damping * f) / (gain * d - total * f)
    assert more == pytest.approx(right, rel=1e-8, abs=0)
    assert more / bare > 1.05


def test_a_load_in_series(made):
    """The current at each angle is that of the whole circuit; large loads make a current source."""
    found, spin = made[1], spin_of()
    u = np.random.default_rng(5).normal(size=(6, 3))
    u /= np.linalg.norm(u, axis=1)[:, None]
    load = 2e-15
    at_load = found.torque(spin, voltage=3e-4, series_resistance_area=load).velocity(u, spin)
    unit = found.torque(spin, current_density=1.0).velocity(u, spin)
    right = unit * (3e-4 / (found.resistance_at(u) + load))[:, None]
    assert at_load == pytest.approx(right, rel=0, abs=1e-9 * np.abs(right).max())
    source = found.torque(spin, voltage=1e10 * 1e-8, series_resistance_area=1e-8).velocity(u, spin)
    assert source == pytest.approx(1e10 * unit, rel=0, abs=1e-5 * np.abs(1e10 * unit).max())
    with pytest.raises(InputError, match="series_resistance_area belongs to a voltage"):
        found.torque(spin, current_density=1.0, series_resistance_area=load)
    with pytest.raises(InputError, match="not negative"):
        found.torque(spin, voltage=1.0, series_resistance_area=-load)
