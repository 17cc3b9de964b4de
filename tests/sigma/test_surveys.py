"""Dwell times, phase diagrams and resonance against drive and field."""

import numpy as np
import pytest
from launch import numbers, require_equal
from mpi4py import MPI
from samples.vector import CO, CU, NC, layer

import fespin as fs
from fespin.coupling import torque_map
from fespin.energy.on_sphere import linearized
from fespin.errors import InputError, SolverError
from fespin.mpi import map_over_ranks
from fespin.sigma import Sigma
from fespin.sigma.surveys import critical_drive, dwell_times, phase_diagram, resonances

COMM = MPI.COMM_SELF
UP, DOWN = np.array([0.0, 0.0, 1.0]), np.array([0.0, 0.0, -1.0])


def bit(stability, damping=0.05, **more):
    return fs.Macrospin(3e-9 * 30e-9**2, 9e5, damping, 300.0, fs.Uniaxial(stability=stability), **more)


def torque(strength):
    """A torque along the easy axis; strength 1 is critical."""
    return fs.SpinTorque.critical(bit(20.0), strength)


def along_axis(stability=8.0, damping=0.05):
    spin = bit(stability, damping)
    unit = fs.SpinTorque.critical(spin, 1.0)
    return lambda x: (spin, unit.scaled(x))


@pytest.mark.slow
def test_dwell_times_against_passages_and_trajectories():
    """Along the axis the torque tilts the energy: -Delta c^2 - (strength) 2 Delta c."""
    driven = along_axis()
    drives = [-0.15, 0.0, 0.1]
    found = dwell_times(COMM, driven, drives)
    assert found.stable.all()
    up = int(np.argmax(found.states @ UP))
    for k, x in enumerate(drives):
        spin, made = driven(x)
        # From the pole to the top of the barrier takes half of what a turn takes.
        solver = fs.FokkerPlanck(COMM, spin, made)
        for state, axis in ((up, UP), (1 - up, DOWN)):
            whole = solver.mean_first_passage(axis, -axis, cosine=0.9)
            assert found.dwell_times[k, state] == pytest.approx(whole, rel=0.02, abs=0)
        total = found.dwell_times[k].sum()
        assert found.populations[k] == pytest.approx(found.dwell_times[k] / total, rel=1e-9, abs=0)
    assert found.dwell_times[1, 0] == pytest.approx(found.dwell_times[1, 1], rel=1e-6, abs=0)
    driven = along_axis(5.0, 0.2)
    spin, made = driven(0.1)
    mean = fs.FokkerPlanck(COMM, spin, made).mean_first_passage(DOWN, UP, cosine=0.9)
    assert dwell_times(COMM, driven, [0.1]).dwell_times[0, 1 - up] == pytest.approx(mean, rel=0.1, abs=0)
    seen = fs.first_passage(
        COMM, spin, lambda u: u[:, 2] > 0.9, max_time=60 * mean, start=DOWN, torque=made, ensemble=512
    )
    assert abs(seen.mean - mean) < 4 * seen.error + 0.02 * mean


def test_a_single_state_lasts_for_ever():
    found = dwell_times(COMM, along_axis(), [1.5])
    up = int(np.argmax(found.states @ UP))
    assert found.stable[0].tolist() == [i == up for i in range(2)]
    assert np.isinf(found.dwell_times[0, up]) and np.isnan(found.dwell_times[0, 1 - up])


def test_resonance_of_the_linear_motion_and_the_density():
    """Cold, the eigenvalue of the Fokker-Planck equation is that of the linearized motion."""
    spin = bit(4000.0, 0.02, field=(0.0, 0.0, 0.03))
    unit = fs.SpinTorque.critical(spin, 1.0)
    found = resonances(COMM, lambda x: (spin, unit.scaled(x)), [-1.0, 0.0, 0.6], state=DOWN)
    b = 2 * 4000.0 * spin.thermal_energy / spin.moment - 0.03
    gamma, alpha = spin.gyromagnetic_ratio, spin.damping
    a = np.array([-1.0, 0.0, 0.6]) * unit.damping_like  # drives the state away
    assert found.frequency == pytest.approx(gamma * (b + alpha * a) / (1 + alpha**2) / 2 / np.pi, rel=1e-9, abs=0)
    assert found.width == pytest.approx(gamma * (alpha * b - a) / (1 + alpha**2) / np.pi, rel=1e-8, abs=0)
    assert found.thermal_frequency == pytest.approx(found.frequency, rel=2e-3, abs=0)
    assert found.thermal_width == pytest.approx(found.width, rel=0, abs=0.01 * found.width[1])
    gone = resonances(COMM, lambda x: (spin, unit.scaled(x)), [1.2], state=DOWN)
    assert np.isnan(gone.frequency).all() and np.isnan(gone.directions).all()


@pytest.mark.slow
def test_resonance_on_the_sphere():
    """A bit with easy and hard axis: Kittel's formula."""
    spin = fs.Macrospin(3e-9 * 30e-9**2, 9e5, 0.05, 300.0, fs.Biaxial(stability=60.0, hard_stability=240.0))
    made = fs.SpinTorque(0.0, 0.001, (1.0, 0.0, 0.0))
    found = resonances(COMM, lambda x: (spin, made.scaled(x)), [0.0, 1.0], state=(1, 0, 0))
    unit = 2 * spin.thermal_energy / spin.moment
    low, high = 60.0 * unit, 300.0 * unit
    right = [spin.gyromagnetic_ratio * np.sqrt((low + x) * (high + x)) / (2 * np.pi) for x in (0.0, 0.001)]
    assert found.frequency == pytest.approx(right, rel=1e-2, abs=0)
    assert found.thermal_frequency == pytest.approx(right, rel=0.05, abs=0)


@pytest.fixture(scope="module")
def symmetric_valve():
    stack = fs.Stack(
        layer(CU, 12), layer(CO, 6, (0, 0, 1)), layer(CU, 9), layer(CO, 6, (0, 0, 1)), layer(CU, 12),
        interfaces={("Cu", "Co"): NC}, library={},
    )  # fmt: skip
    problem = fs.TransportProblem(
        fs.line(COMM, stack), fs.Vector(), contacts=dict.fromkeys(("bottom", "top"), fs.Contact("lead"))
    )
    return torque_map(problem, "Co4", tolerance=1e-6, pumping=True)


@pytest.mark.slow
def test_critical_current_three_ways(symmetric_valve):
    """From the map, from the crossing of the eigenvalue at low temperature, and from the equation of motion."""
    found = symmetric_valve
    bare = fs.Macrospin(6e-9 * 40e-9**2, 1.1e6, 0.01, 300.0, fs.Uniaxial(stability=4000.0))
    spin = found.pumped(bare, current_density=1.0)
    assert spin.pumping.normal(-1.0) > 0.05 * bare.damping
    from_map = found.critical_current_density(spin, DOWN)

    def driven(j):
        return spin, found.torque(spin, current_density=j)

    # Not too near: there the effective temperature T/(1 - J/J_c) is no longer low.
    seen = resonances(COMM, driven, sorted(from_map * np.array([0.2, 0.4, 0.6])), state=DOWN)
    fit = np.polyfit(seen.thermal_width, seen.drives, 1)
    assert np.polyval(fit, 0.0) == pytest.approx(from_map, rel=0.01, abs=0)
    moving = critical_drive(driven, 0.0, 2 * from_map, state=DOWN)
    assert moving == pytest.approx(from_map, rel=1e-5, abs=0)

    # A cone about the state shrinks below and grows above.
    def growth(ratio):
        matrix = linearized(lambda u: fs_velocity(driven(ratio * from_map), u), DOWN)
        rate = abs(np.linalg.eigvals(matrix).real[0])
        times = np.linspace(0, 0.3 / rate, 3)
        run = fs.llg(spin, (1e-4, 0, -1), times, torque=driven(ratio * from_map)[1])
        return np.log(np.hypot(*run.directions[-1][:2]) / 1e-4) / times[-1]

    low, high = growth(0.9), growth(1.1)
    assert low < 0 < high
    assert 0.9 + 0.2 * low / (low - high) == pytest.approx(1.0, rel=0.01, abs=0)


def fs_velocity(pair, u):
    spin, made = pair
    return spin.precession(u, spin.effective_field(u)) + made.velocity(u, spin)


@pytest.mark.slow
def test_phase_diagram():
    driven = along_axis(8.0)
    spin = driven(0.0)[0]
    b_k = 2 * 8.0 * spin.thermal_energy / spin.moment
    fields, drives = np.linspace(-0.6, 0.6, 5) * b_k, np.linspace(-1.5, 1.5, 7)
    at = phase_diagram(COMM, driven, drives, fields, along=(0, 0, 2), observation=1e-3)
    up = int(np.argmax(at.states @ UP))
    # Without temperature: alpha (B_K +- B) = +- a, and a = alpha B_K at strength 1.
    for state, sign in ((up, -1), (1 - up, 1)):
        seen = at.critical[state]
        right = sign * (1 - sign * fields / b_k)
        inside = np.abs(right) < 1.5
        assert seen[:, 0] == pytest.approx(fields[inside], rel=1e-12, abs=1e-15)
        assert seen[:, 1] == pytest.approx(right[inside], rel=0, abs=1e-4)
    middle = at.regions[2]
    assert middle[0] == str(1 - up) and middle[-1] == str(up) and middle[3] == "telegraph"
    assert at.dwell_times[2, 3] == pytest.approx(dwell_times(COMM, driven, [0.0]).dwell_times[0], rel=1e-9, abs=0)
    longer = phase_diagram(COMM, driven, drives[3:4], fields[2:3], along=(0, 0, 1), observation=1e-12)
    assert longer.regions.tolist() == [["bistable"]]


@pytest.mark.slow
def test_no_state_is_stable():
    """A perpendicular polarizer on a magnet in the plane: out-of-plane precession."""
    spin = fs.Macrospin(3e-9 * 30e-9**2, 9e5, 0.1, 300.0, fs.Biaxial(stability=40.0, hard_stability=600.0))
    unit = fs.SpinTorque(0.1, 0.0, (0.0, 0.0, 1.0))
    at = phase_diagram(COMM, lambda x: (spin, unit.scaled(x)), [1.0], [0.0], along=(1, 0, 0))
    assert at.regions.tolist() == [["none"]]
    run = fs.llg(spin, (1, 0, 0.1), np.linspace(5e-9, 6e-9, 400), torque=unit)
    assert np.ptp(run.directions[:, 0]) > 1 and np.ptp(run.directions[:, 1]) > 1


def test_a_torque_holds_a_maximum_of_the_energy():
    """Field and torque, each for the other's state: the torque wins where its pull exceeds damping."""
    spin = bit(40.0, 0.02)
    unit = fs.SpinTorque.critical(spin, 1.0)
    b_k = 2 * 40.0 * spin.thermal_energy / spin.moment
    at = phase_diagram(COMM, lambda x: (spin, unit.scaled(x)), [-8.0], [1.5 * b_k], along=UP)
    down = int(np.argmin(at.states[:, 2]))
    assert at.regions.tolist() == [[str(down)]]
    run = fs.llg(spin.with_field((0, 0, 1.5 * b_k)), (0.5, 0, 0.8), [20e-9], torque=unit.scaled(-8.0))
    assert run.directions[-1][2] < -0.99


def test_what_cannot_be():
    driven = along_axis()
    with pytest.raises(InputError, match="drives: they must be finite and increase"):
        dwell_times(COMM, driven, [1.0, 0.0])
    with pytest.raises(InputError, match="observation is 0"):
        phase_diagram(COMM, driven, [0.0], [0.0], along=UP, observation=0.0)
    with pytest.raises(InputError, match="fewer than two wells"):
        phase_diagram(COMM, lambda x: (bit(8.0, field=(0, 0, 5.0)), None), [0.0], [0.0], along=UP)
    with pytest.raises(InputError, match="stable at both ends"):
        critical_drive(driven, -0.2, 0.2, state=DOWN)


def test_work_that_fails_says_whose_it_was():
    def work(k):
        if k == 2:
            raise ValueError("no\nsuch thing")
        return k

    assert map_over_ranks(COMM, 2, work, "survey") == [0, 1]
    with pytest.raises(SolverError, match="survey: ValueError: no such thing"):
        map_over_ranks(COMM, 4, work, "survey")


@pytest.mark.slow
def test_ranks(tmp_path):
    serial = numbers(1, "surveys.py", tmp_path)
    for ranks in (2, 3):
        require_equal(numbers(ranks, "surveys.py", tmp_path), serial)


def test_the_meridian_finds_the_mode_at_a_frequency():
    spin = bit(30.0, 0.05)
    frequency = spin.gyromagnetic_ratio * 60.0 * spin.thermal_energy / spin.moment / (2 * np.pi)
    a, b = (
        fs.FokkerPlanck(x, spin, axisymmetric=y).spectrum(2, near=frequency).eigenvalues
        for x, y in ((COMM, None), (Sigma(COMM, 0.15, refine=spin), False))
    )
    assert np.sort(a.imag) == pytest.approx(np.sort(b.imag), rel=1e-3, abs=0)
    assert a.real == pytest.approx(b.real, rel=1e-3, abs=0)


@pytest.mark.slow
def test_a_pole_that_the_torque_holds_beside_a_well():
    """Beyond B_K one well is left; from a = alpha (B - B_K) on the torque holds the other pole as well."""
    driven = along_axis(20.0, 0.05)
    b_k = 2 * 20.0 * driven(0.0)[0].thermal_energy / driven(0.0)[0].moment
    at = phase_diagram(COMM, driven, [0.1, 1.5, 3.0], [-1.5 * b_k], along=UP)
    up = int(np.argmax(at.states @ UP))
    assert at.regions.tolist() == [[str(1 - up), "bistable", str(up)]]
    assert at.critical[up] == pytest.approx(np.array([[-1.5 * b_k, 0.5]]), rel=1e-3, abs=0)
    assert at.critical[1 - up] == pytest.approx(np.array([[-1.5 * b_k, 2.5]]), rel=1e-3, abs=0)
    for start in (UP, DOWN):
        spin, made = driven(1.5)
        run = fs.llg(spin.with_field((0, 0, -1.5 * b_k)), start + [0.05, 0, 0], [40e-9], torque=made)
        assert run.directions[-1] @ start > 0.99


@pytest.mark.slow
def test_a_state_that_turns_does_not_end():
    """In a field across the axis beyond B_K there is one state, whatever well it is nearer to."""
    driven = along_axis(20.0, 0.05)
    b_k = 2 * 20.0 * driven(0.0)[0].thermal_energy / driven(0.0)[0].moment
    at = phase_diagram(COMM, driven, [-0.02, 0.013, 0.02], [1.3 * b_k], along=(1, 0, 0))
    assert not any(len(x) for x in at.critical)


@pytest.mark.slow
def test_the_resonance_is_that_of_the_state_asked_for():
    spin = fs.Macrospin(3e-24, 9e5, 0.05, 300.0, fs.Cubic(stability=200.0))
    unit = fs.SpinTorque(0.02, 0.0, (-1.0, 0.0, 0.0))
    found = resonances(COMM, lambda x: (spin, unit.scaled(x)), [0.0, 20.0], state=(1, 0.1, 0))
    assert found.directions[0] == pytest.approx([1, 0, 0], rel=0, abs=1e-9)
    assert np.isnan(found.directions[1]).all()  # it has gone, and the others are not it


def test_modes_of_high_order_at_a_frequency():
    """Three and more quanta of the precession: azimuthal orders as high."""
    spin = bit(30.0, 0.05)
    frequency = 5 * spin.gyromagnetic_ratio * 60.0 * spin.thermal_energy / spin.moment / (2 * np.pi)
    found = fs.FokkerPlanck(COMM, spin).spectrum(3, near=frequency)
    assert max(abs(m) for m in found.orders) > 3
    assert found.residuals.max() < 1e-6
