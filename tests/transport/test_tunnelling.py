"""Tunnel barriers: exact solutions, closed forms, reciprocity, voltage dependence, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from launch import numbers, require_equal
from mpi4py import MPI
from scipy.optimize import brentq

import fespin as fs
from fespin.constants import ELEMENTARY_CHARGE, HBAR
from fespin.coupling import solve_turning
from fespin.errors import InputError, ModelError, SolverError
from fespin.onsager.matrices import face_matrix
from fespin.transport.tunnelling import barrier_law
from references import film as exact

COMM = MPI.COMM_SELF
HALF = HBAR / (2 * ELEMENTARY_CHARGE)
UP, DOWN, MIX = 6e14, 3e14, 5e14 + 0.8e14j
FACE = fs.Interface.from_conductances(UP, DOWN, MIX)
BELOW, ABOVE = (0.2, -0.4, 0.9), (0.7, 0.5, -0.3)
PA, PB, RA = 0.62, 0.41, 8e-12
BARRIER = fs.TunnelBarrier(RA, polarization=(PA, PB))
G0 = 1 / (RA * (1 + PA * PB))
SHORT = {"bottom": fs.Terminal(voltage=0.0), "top": fs.Terminal(voltage=0.0)}


def ferro(name="F"):
    return fs.Material(
        name, 1.3e-6, 3e-9, 0.45, transverse_conductivity=0.6e6, dephasing_length=0.9e-9, precession_length=1.4e-9
    )


def junction(kind, barrier=BARRIER, *, flipped=False, below=BELOW, above=ABOVE, key=("fixed", "free"), **mesh):
    metal = fs.Material("M", 2e-7, 6e-9)
    layers = [
        fs.Layer(metal, 4e-9, "lower"),
        fs.Layer(ferro(), 3e-9, "fixed", below),
        fs.Layer(ferro(), 2e-9, "free", above),
        fs.Layer(metal, 5e-9, "upper"),
    ]
    faces = {("M", "F"): FACE, key: fs.Interface(tunnel=barrier)}
    stack = fs.Stack(*(layers[::-1] if flipped else layers), interfaces=faces, library={})
    return fs.TransportProblem(fs.line(COMM, stack, **(mesh or {"mesh_size": 0.25e-9})), fs.Vector(kind))


def reference(kind, voltage, *, g0=G0, p=(PA, PB), turning=((0, 0, 0), (0, 0, 0))):
    """Return the current density, the torques on both magnets, and the step of phi at the barrier."""
    absorbing = kind == "absorbed"
    lower, upper = (exact.normal(d, 2e-7, 6e-9) for d in (4e-9, 5e-9))
    fixed, free = (
        exact.magnet(
            d, 1.3e-6, 0.45, 3e-9, m, across=0.6e6, dephasing=0.9e-9, precession=1.4e-9, turning=w, absorbing=absorbing
        )
        for d, m, w in zip((3e-9, 2e-9), (BELOW, ABOVE), turning, strict=True)
    )
    layers = [lower, fixed, free, upper]
    if absorbing:
        outer = [exact.mixing(lower, fixed, UP, DOWN, MIX), exact.mixing(free, upper, UP, DOWN, MIX)]
    else:
        # Transverse spins pass these faces.
        outer = [exact.passing(lower, fixed, UP, DOWN, MIX), exact.passing(free, upper, UP, DOWN, MIX)]
    faces = [outer[0], exact.barrier(fixed, free, g0, p), outer[1]]
    found = exact.solve(layers, faces, exact.reservoir(lower, voltage), exact.reservoir(upper, 0.0))
    torques = []
    for i in (1, 2):
        magnet = layers[i]
        if not absorbing:
            torques.append(found.torque(i))
            continue
        step = [layers[k].embedding @ found.F[k][1 if k == 1 else 0] + layers[k].held for k in (1, 2)]
        through = exact.tunnelling(g0, p[0] * fixed.m, p[1] * free.m) @ (step[0] - step[1])
        flux = (-through if i == 1 else through)[1:]
        own = HALF * (flux - magnet.m * (magnet.m @ flux))
        torques.append(own + found.torque(i, {0 if i == 1 else 3: (UP, DOWN, MIX)}))
    jump = found.F[1][1][0] - found.F[2][0][0]
    return found.J[0][0][0], np.array(torques), jump


@pytest.mark.parametrize("kind", ["absorbed", "resolved"])
def test_junction_at_any_angle_is_the_exact_solution(kind):
    density, torques, _ = reference(kind, 0.3)
    found = junction(kind).solve(voltage=0.3)
    assert found.current_density == pytest.approx(density, rel=1e-9)
    for name, torque in zip(("fixed", "free"), torques, strict=True):
        assert np.abs(found.report["torque"][name] - torque).max() < 1e-5 * np.linalg.norm(torques[1])
    assert abs(found.power_balance) < 1e-9


def test_law_is_the_golden_rule_at_any_angle():
    rng = np.random.default_rng(4)
    for _ in range(40):
        a, b = (x / np.linalg.norm(x) for x in rng.normal(size=(2, 3)))
        p, q = rng.uniform(-1, 1, 2)
        barrier = fs.TunnelBarrier(RA, polarization=(float(p), float(q)))
        law = barrier_law(barrier, tuple(a), tuple(b), absorbed=False)
        found = face_matrix(law.mechanisms, ("c", "sx", "sy", "sz"))
        expected = exact.tunnelling(1 / (RA * (1 + p * q)), p * a, q * b)
        for i, j, sign in ((0, 0, 1), (1, 1, 1), (0, 1, -1), (1, 0, -1)):
            assert np.abs(found[i, :, j] - sign * expected).max() < 1e-14 * expected.max() * 10
        assert np.linalg.eigvalsh(expected).min() > -1e-14 * expected.max()


def test_collinear_junction_conducts_as_two_channels():
    for sign in (1, -1):
        found = junction("absorbed", below=(0, 0, 1), above=(0, 0, sign)).solve(current_density=1e10)
        spin = [G0 * (1 + s * PA) * (1 + s * sign * PB) / 2 for s in (1, -1)]
        # What the metals add is small, and the accumulation at the barrier changes its share of it.
        assert 1 / sum(spin) == pytest.approx(found.report["barrier_voltage"]["fixed|free"] / 1e10, rel=2e-4)
        assert np.abs(found.report["torque"]["free"]).max() < 1e-20


@pytest.mark.parametrize("kind", ["absorbed", "resolved"])
def test_voltage_dependence_is_that_of_a_root_of_exact_linear_solves(kind):
    barrier = replace(BARRIER, half_voltage=0.4, conductance_voltage=0.9)

    def at(v):
        scale = ((2 + 2 * PA * PB / (1 - PA * PB)) / (2 * (1 + (v / 0.4) ** 2) + 2 * PA * PB / (1 - PA * PB))) ** 0.5
        p = (PA * scale, PB * scale)
        return {"g0": (1 + (v / 0.9) ** 2) / RA / (1 + p[0] * p[1]), "p": p}

    for voltage in (0.05, 0.7, -1.1):
        v = brentq(lambda v, x=voltage: reference(kind, x, **at(v))[2] - v, 0, voltage, xtol=1e-13)
        density, torques, _ = reference(kind, voltage, **at(v))
        found = junction(kind, barrier).solve(voltage=voltage)
        assert found.current_density == pytest.approx(density, rel=1e-8)
        assert found.report["barrier_voltage"]["fixed|free"] == pytest.approx(v, rel=1e-8)
        assert found.report["tmr"]["fixed|free"] == pytest.approx(
            2 * np.prod(at(v)["p"]) / (1 - np.prod(at(v)["p"])), rel=1e-7
        )
        for name, torque in zip(("fixed", "free"), torques, strict=True):
            assert np.abs(found.report["torque"][name] - torque).max() < 1e-5 * np.linalg.norm(torques[1])
        again = junction(kind, barrier).solve(current_density=density)
        assert again.voltage == pytest.approx(voltage, rel=1e-8)


@pytest.mark.parametrize("kind", ["absorbed", "resolved"])
@pytest.mark.parametrize("follows", [False, True])
def test_upside_down_and_with_the_current_reversed(kind, follows):
    more = {"half_voltage": 0.4, "conductance_voltage": 0.9, "field_like": (2e-6, -3e-6)} if follows else {}
    barrier = replace(BARRIER, **more)
    up = junction(kind, barrier).solve(voltage=0.4)
    down = junction(kind, barrier, flipped=True).solve(voltage=-0.4)
    assert down.current_density == pytest.approx(-up.current_density, rel=1e-11)
    for name in ("fixed", "free"):
        torque = np.array(up.report["torque"][name])
        assert np.abs(torque - down.report["torque"][name]).max() < 1e-10 * np.linalg.norm(torque)
    # The interface named the other way round, with what belongs to it.
    other = junction(kind, barrier.reversed(), key=("free", "fixed")).solve(voltage=0.4)
    assert other.current_density == pytest.approx(up.current_density, rel=1e-13)
    assert np.allclose(other.report["torque"]["free"], up.report["torque"]["free"], rtol=1e-12, atol=0)
    # Without b1, the part of the torque across both magnets is even in the voltage, that in their plane odd.
    back = junction(kind, replace(barrier, field_like=(0.0, barrier.field_like[1]))).solve(voltage=-0.4)
    forth = junction(kind, replace(barrier, field_like=(0.0, barrier.field_like[1]))).solve(voltage=0.4)
    assert back.current_density == pytest.approx(-forth.current_density, rel=1e-11)
    b2 = barrier.field_like[1] * np.cross(ABOVE, BELOW) / np.linalg.norm(ABOVE) / np.linalg.norm(BELOW)
    even = b2 * forth.report["barrier_voltage"]["fixed|free"] ** 2
    odd = [np.array(x.report["torque"]["free"]) - even for x in (forth, back)]
    assert np.abs(odd[0] + odd[1]).max() < 1e-10 * np.linalg.norm(odd[0])


def test_field_like_torque_follows_the_voltage_from_a_to_b():
    b1, b2 = 3e-6, -2e-6
    plain, more = (junction("absorbed", x) for x in (BARRIER, replace(BARRIER, field_like=(b1, b2))))
    a, b = (np.array(x) / np.linalg.norm(x) for x in (BELOW, ABOVE))
    for voltage in (0.2, -0.3):
        before, after = (x.solve(voltage=voltage) for x in (plain, more))
        v = after.report["barrier_voltage"]["fixed|free"]
        added = {n: np.subtract(after.report["torque"][n], before.report["torque"][n]) for n in ("fixed", "free")}
        assert np.allclose(added["free"], (b1 * v + b2 * v**2) * np.cross(b, a), rtol=1e-9, atol=0)
        assert np.allclose(added["fixed"], -added["free"], rtol=1e-9, atol=0)


@pytest.mark.parametrize("kind", ["absorbed", "resolved"])
@pytest.mark.parametrize("follows", [False, True])
def test_turning_magnets_pump_through_the_barrier(kind, follows):
    more = {"half_voltage": 0.4, "conductance_voltage": 0.9} if follows else {}
    problem = junction(kind, replace(BARRIER, **more, field_like=(2e-6, 3e-6)))
    turning = {"free": (1e9, 2e9, -3e9), "fixed": (0.0, 1e9, 5e8)}
    for voltage in (0.0, 0.3):
        drive = {"bottom": fs.Terminal(voltage=voltage), "top": fs.Terminal(voltage=0.0)}
        assert abs(solve_turning(problem, turning, drive).power_balance) < 1e-9
    # I/w and T/V: opposite in the plane of both magnets, equal along its normal.
    problem = junction(kind, replace(BARRIER, **more, field_like=(2e-6, 0.0)))
    torque = np.array(problem.solve(voltage=1e-5).report["torque"]["free"]) / 1e-5
    a, b = (np.array(x) / np.linalg.norm(x) for x in (BELOW, ABOVE))
    normal = np.cross(b, a) / np.linalg.norm(np.cross(b, a))
    for axis, sign in ((normal, 1), (np.cross(normal, b), -1)):
        pumped = solve_turning(problem, {"free": tuple(1e6 * axis)}, SHORT).currents["bottom"] / 1e6
        assert pumped == pytest.approx(sign * torque @ axis, rel=1e-7)


def test_pumping_through_an_absorbing_barrier_is_exact():
    w = ((2e9, 1e9, -1e9), (-1e9, 3e9, 2e9))
    density, torques, _ = reference("absorbed", 0.0, turning=w)
    found = solve_turning(junction("absorbed"), {"fixed": w[0], "free": w[1]}, SHORT)
    assert found.currents["bottom"] == pytest.approx(density, rel=1e-6)
    for name, torque in zip(("fixed", "free"), torques, strict=True):
        assert np.abs(found.torque[name] - torque).max() < 1e-5 * np.linalg.norm(torque)


def test_table_stands_for_the_formulas(tmp_path):
    formula = replace(BARRIER, half_voltage=0.5, conductance_voltage=1.2)
    v = np.linspace(-1, 1, 201)
    a, b = formula.polarizations(v)
    rows = np.stack([v, formula.parallel_conductance(v), a, b], axis=1)
    path = tmp_path / "barrier.csv"
    np.savetxt(path, rows, delimiter=", ", header="V, G_P, P_a, P_b", comments="")
    table = fs.TunnelBarrier(table=fs.BarrierTable.read(path))
    one, two = (junction("absorbed", x).solve(voltage=0.63) for x in (formula, table))
    assert two.current_density == pytest.approx(one.current_density, rel=1e-6)
    assert np.allclose(one.report["torque"]["free"], two.report["torque"]["free"], rtol=1e-5, atol=0)
    with pytest.raises(SolverError, match="beyond its table, -1 to 1 V"):
        junction("absorbed", table).solve(voltage=1.3)


def test_slopes_are_those_of_the_conductances():
    for barrier in (
        replace(BARRIER, half_voltage=0.4, conductance_voltage=0.9),
        fs.TunnelBarrier(RA, tmr=-0.4, half_voltage=0.3),
        fs.TunnelBarrier(
            table=fs.BarrierTable([-1, -0.2, 0.3, 1], [2e11, 1e11, 1e11, 3e11], [0.2, 0.6, 0.5, 0.1], [0.6] * 4)
        ),
    ):
        v, h = np.array([-0.71, -0.05, 0.13, 0.8]), 1e-6
        ahead, behind = barrier.golden_rule(v + h)[0], barrier.golden_rule(v - h)[0]
        assert np.allclose(
            (ahead - behind) / (2 * h), barrier.golden_rule(v)[1], rtol=1e-6, atol=1e-3 * ahead.max() * h
        )


def test_tmr_and_its_fall():
    barrier = fs.TunnelBarrier(RA, tmr=1.125, half_voltage=0.5)
    assert barrier.tmr_at(0.0) == pytest.approx(1.125)
    assert barrier.tmr_at(0.5) == pytest.approx(1.125 / 2)
    # With a constant G_P the torkance falls by 13 percent at V_h, and by 34 at 2 V_h.
    for v, left in ((0.5, 0.87), (1.0, 0.66)):
        a, b = barrier.polarizations(v)
        a0, b0 = barrier.polarizations(0.0)
        assert a / (1 + a * b) / (a0 / (1 + a0 * b0)) == pytest.approx(left, abs=0.006)
    negative = fs.TunnelBarrier(RA, tmr=-0.3)
    a, b = negative.polarizations(0.0)
    assert a > 0 > b
    assert negative.tmr_at(0.0) == pytest.approx(-0.3)


@pytest.mark.parametrize(
    ("keywords", "why"),
    [
        ({"resistance_area": 1e-11}, "exactly one of tmr and polarization; found neither"),
        ({"resistance_area": 1e-11, "tmr": 1, "polarization": (0.5, 0.5)}, "found both"),
        ({"tmr": 1}, "resistance_area is missing"),
        ({"resistance_area": 1e-11, "tmr": -1.5}, "above -1"),
        ({"resistance_area": 1e-11, "polarization": (1.2, 0.5)}, "between -1 and 1"),
        ({"resistance_area": 1e-11, "polarization": (1.0, -1.0)}, "product above -1"),
        ({"resistance_area": -1e-11, "tmr": 1}, "resistance_area is -1e-11"),
        ({"resistance_area": 1e-11, "tmr": 1, "half_voltage": 0.0}, "half_voltage is 0.0"),
        ({"resistance_area": 1e-11, "tmr": 1, "field_like": (1.0,)}, "two finite numbers"),
        ({"resistance_area": 1e-11, "tmr": 1, "exchange_coupling": np.nan}, "exchange_coupling"),
    ],
)
def test_impossible_barriers_are_refused(keywords, why):
    with pytest.raises(InputError, match=why):
        fs.TunnelBarrier(**keywords)


def test_barriers_elsewhere_are_refused():
    metal = fs.Material("M", 2e-7, 6e-9)
    with pytest.raises(InputError, match="lies between two magnets, and M1 is no ferromagnet"):
        fs.Stack(fs.Layer(metal, 4e-9), fs.Layer(ferro(), 2e-9), interfaces={("M", "F"): fs.Interface(tunnel=BARRIER)})
    with pytest.raises(InputError, match="its sides differ, and both layers are of F"):
        junction("absorbed", key=("F", "F"))
    with pytest.raises(InputError, match="a tunnel barrier has no gamma"):
        fs.Interface(gamma=0.2, tunnel=BARRIER)
    domain = junction("absorbed", below=(0, 0, 1), above=(0, 0, 1)).domain
    with pytest.raises(ModelError, match="needs the vector model"):
        fs.TransportProblem(domain, fs.TwoChannel())


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    return numbers(1, "tunnelling.py", tmp_path_factory.mktemp("serial"))


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [2, 3])
def test_rank_counts_agree(ranks, serial, tmp_path):
    groups = require_equal(numbers(ranks, "tunnelling.py", tmp_path), serial)
    assert {g.split("/")[1] for g in groups} >= {"torque", "barrier_voltage", "power", "pumped_torque"}
