"""Spin transfer by relaxation: accumulations at faces against closed forms and exact solvers, chi, and T_eff."""

import math
from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI
from numpy.polynomial import Chebyshev
from samples import s_d as sd
from samples.vector import AU, CO, CU, NC, NP, PY, layer, reference
from scipy.optimize import brentq

import fespin as fs
from fespin.constants import BOLTZMANN
from fespin.coupling import (
    chi_slope,
    chi_slope_of_resistance,
    d_current,
    effective_temperature,
    face_differences,
    ferromagnetic_coefficient,
    heated_spin,
    largest_cross,
    relaxation_map,
)
from fespin.errors import InputError, ModelError
from fespin.transport.s_d import f_parallel

COMM = MPI.COMM_SELF
UP, DOWN = (0, 0, 1), (0, 0, -1)
J = 3e10
COPPER, RUTHENIUM = fs.Material("Cu", 6e-9, 450e-9), fs.Material("Ru", 95e-9, 14e-9)
PERMALLOY = fs.Material("Py", 1.2e-7, 5.5e-9, 0.7)
NEGATIVE = fs.Material.from_star("NiCr", 350e-9, 9e-9, -0.35)
BELOW, ABOVE = 3.7e22, 1.1e22  # l of both faces, 1/(V s m2)


def problem_of(layers, model=None, faces=None, ends=("lead", "lead"), degree=2, **options):
    stack = fs.Stack(*layers, interfaces=faces or {}, library={})
    contacts = dict(zip(("bottom", "top"), ends, strict=True))
    return fs.TransportProblem(fs.line(COMM, stack, **options), model, contacts=contacts, degree=degree)


def differences(problem, j=J, layer="F", **options):
    return face_differences(problem, problem.solve(current_density=j), layer, **options)


# ---- a single layer: closed form
def single_layer(m, t, below, above, j):
    """d below and above: D = a cosh(z/l) + b sinh(z/l) between metals of rho l, D decaying in both."""
    r = m.resistivity_star * m.spin_diffusion_length
    c, s = math.cosh(t / 2 / m.spin_diffusion_length), math.sinh(t / 2 / m.spin_diffusion_length)
    # beta J - D'/(2 rho*) is -D/(2 r_below) at the lower face and D/(2 r_above) at the upper.
    rows = [[s / r + c / below, -c / r - s / below], [-s / r - c / above, -c / r - s / above]]
    a, b = np.linalg.solve(rows, [-2 * m.beta * j] * 2)
    return a * (c - 1) - b * s, a * (c - 1) + b * s


@pytest.mark.parametrize("magnet", [PERMALLOY, NEGATIVE], ids=["beta > 0", "beta < 0"])
@pytest.mark.parametrize("thickness", [0.6e-9, 6e-9, 60e-9])
def test_single_layer(magnet, thickness):
    """Thin and thick, up and down, reversed, described from the other end, and with vectors."""
    right = single_layer(magnet, thickness, 6e-9 * 450e-9, 95e-9 * 14e-9, J)
    lower, upper = fs.Layer(COPPER, 20e-9, "a"), fs.Layer(RUTHENIUM, 25e-9, "b")
    scale = {"rel": 1e-6, "abs": 0}
    for m, model in ((UP, None), (DOWN, None), ((0.48, -0.6, 0.64), fs.Vector("resolved"))):
        free = fs.Layer(replace(magnet, dephasing_length=1e-9), thickness, "F", m)
        problem = problem_of([lower, free, upper], model)
        d = differences(problem)
        assert (d.below, d.above) == pytest.approx(right, **scale)
        x = problem.solve(current_density=-2 * J)
        back = face_differences(problem, x, "F")
        assert (back.below, back.above) == pytest.approx([-2 * x for x in right], **scale)
        slope = chi_slope(problem, x, "F", (BELOW, ABOVE))
        assert slope == pytest.approx(2 * (BELOW * right[0] + ABOVE * right[1]), **scale)
        turned = differences(problem_of([upper, free, lower], model), -J)
        assert (turned.above, turned.below) == pytest.approx(right, **scale)


@pytest.mark.slow
def test_upside_down_in_a_pillar():
    """What remains is the mesh's, which is no mirror image of the other."""
    layers = [fs.Layer(COPPER, 20e-9, "a"), fs.Layer(PERMALLOY, 3e-9, "F", UP), fs.Layer(RUTHENIUM, 20e-9, "b")]
    found = []
    for order, j in ((1, J), (-1, -J)):
        domain = fs.pillar(COMM, fs.Stack(*layers[::order], library={}), diameter=40e-9, mesh_size=20e-9)
        problem = fs.TransportProblem(domain, contacts={"bottom": "lead", "top": "lead"})
        d = differences(problem, j)
        found.append((d.below, d.above)[::order])
    assert found[1] == pytest.approx(found[0], rel=1e-5, abs=0)


@pytest.mark.parametrize("thickness", [0.6e-9, 3e-9, 30e-9])
def test_symmetric_layer_has_no_chi(thickness):
    faces = {("Cu", "Py"): fs.Interface(0.4e-15, 0.3)}
    layers = [fs.Layer(COPPER, 20e-9, "a"), fs.Layer(PERMALLOY, thickness, "F", UP), fs.Layer(COPPER, 20e-9, "b")]
    problem = problem_of(layers, faces=faces)
    d = differences(problem)
    assert abs(d.total) < 1e-12 * abs(d.below - d.above + d.middle)
    assert abs(d.below) > 1e-8
    assert abs(chi_slope(problem, problem.solve(current_density=J), "F", BELOW)) < 1e-11 * BELOW * abs(d.below)


def test_symmetric_layer_of_s_and_d_electrons():
    """Neither chi, of either process, nor f_par; one that is not symmetric has both."""
    found = {}
    for other in (sd.CU, sd.AU):
        layers = [sd.normal(sd.CU, 20e-9), sd.magnet(sd.CO, 7e-9, DOWN, "F"), sd.normal(other, 20e-9)]
        problem, x = sd.solution(layers, ends=("lead", "lead"), mesh_size=1e-9, j=J)
        numbers = [abs(f_parallel(problem, x, "F")) / J]
        for process in ("spin flip", "s-d"):
            d = face_differences(problem, x, "F", process=process)
            numbers.append(abs(d.total / d.below))
        found[other] = np.array(numbers)
    assert (found[sd.CU] < 1e-12).all() and (found[sd.AU] > 1e-4).all()


@pytest.mark.parametrize("direction", [UP, DOWN], ids=["parallel", "antiparallel"])
@pytest.mark.parametrize("thickness", [0.5e-9, 5.5e-9, 40e-9])
def test_sum_of_both_faces_is_what_the_layer_absorbs(direction, thickness):
    """In a valve: [1 - sech(t/2l)] (D_below + D_above), and 2 rho* l tanh(t/4l) of the spin current lost."""
    layers = [
        fs.Layer(COPPER, 20e-9, "a"), fs.Layer(fs.Material("Co", 7.4e-8, 41e-9, 0.46), 20e-9, "fixed", UP),
        fs.Layer(COPPER, 6e-9, "s"), fs.Layer(PERMALLOY, thickness, "F", direction), fs.Layer(RUTHENIUM, 30e-9, "b"),
    ]  # fmt: skip
    faces = {("Cu", "Co"): fs.Interface(0.5e-15, 0.7), ("Cu", "Py"): fs.Interface(0.4e-15, 0.6)}
    problem = problem_of(layers, faces=faces, degree=4)
    x = problem.solve(current_density=J)
    d, l = face_differences(problem, x, "F"), PERMALLOY.spin_diffusion_length  # noqa: E741
    both = d.total + 2 * d.middle
    assert d.total == pytest.approx((1 - 1 / math.cosh(thickness / 2 / l)) * both, rel=1e-8, abs=0)
    assert d.total == pytest.approx(2 * d.middle * (math.cosh(thickness / 2 / l) - 1), rel=1e-8, abs=0)
    lost = [x.channel_currents[k]["up"] - x.channel_currents[k]["down"] for k in ("s|F", "F|b")]
    absorbed = (1 if direction == UP else -1) * (lost[0] - lost[1])
    expected = 2 * PERMALLOY.resistivity_star * l * math.tanh(thickness / 4 / l) * absorbed
    assert d.total == pytest.approx(expected, rel=1e-8, abs=0)
    assert abs(absorbed) > 1e-4 * J


@pytest.mark.parametrize("magnet", [PERMALLOY, NEGATIVE], ids=["beta > 0", "beta < 0"])
@pytest.mark.parametrize("flip", [False, True], ids=["N|F", "F|N"])
@pytest.mark.parametrize("gamma", [0.0, 0.6])
def test_thick_magnet_with_one_face(magnet, flip, gamma):
    """(2 l/beta) J A R_ne, J into the magnet; a face with gamma adds to R_ne what is not the magnet's."""
    layers = [fs.Layer(COPPER, 50e-9, "N"), fs.Layer(magnet, 40e-9, "F", DOWN)]
    face = fs.Interface(0.9e-15, gamma)
    problem = problem_of(layers[::-1] if flip else layers, faces={("N", "F"): face})
    x = problem.solve(current_density=-J if flip else J)
    d = face_differences(problem, x, "F")
    assert (d.below if flip else d.above, d.middle) == (0.0, 0.0)
    found = chi_slope(problem, x, "F", BELOW)
    form = chi_slope_of_resistance(BELOW, magnet.beta, J, x.r_nonequilibrium)
    metal, own = 6e-9 * 450e-9, magnet.resistivity_star * magnet.spin_diffusion_length
    # J_s is continuous and D jumps by 2 AR* (J_s - gamma J): D = 2 own (J_s - beta J) in the magnet.
    spins = J * (magnet.beta * own + gamma * 0.9e-15) / (metal + own + 0.9e-15)
    assert found == pytest.approx(-BELOW * 2 * own * (spins - magnet.beta * J), rel=1e-6, abs=0)
    if not gamma:
        assert found == pytest.approx(form, rel=1e-6, abs=0)


def test_forty_lengths_above_a_metal():
    """-(2 l/beta) J A R_ne sin(theta) is dchi/dtheta of the face below; the other face has no coefficient."""
    layers = [fs.Layer(COPPER, 50e-9, "N"), fs.Layer(PERMALLOY, 40 * 5.5e-9, "F", UP)]
    problem = problem_of(layers, faces={("N", "F"): fs.Interface(0.9e-15)}, ends=("lead", "reservoir"), degree=4)
    x, theta = problem.solve(current_density=J), np.array([0.3, 1.2, 2.9])
    found = -np.sin(theta) * chi_slope(problem, x, "F", (BELOW, 0.0))
    right = -2 * BELOW / 0.7 * J * x.r_nonequilibrium * np.sin(theta)
    assert found == pytest.approx(right, rel=1e-8, abs=0)


def test_every_magnet_makes_r_ne():
    """A valve, one magnet at a blocked end: beta (d_above - d_below) and steps with gamma add up to 2 J A R_ne."""
    layers = [
        fs.Layer(PERMALLOY, 12e-9, "fixed", UP), fs.Layer(COPPER, 6e-9, "spacer"), fs.Layer(NEGATIVE, 4e-9, "F", DOWN),
        fs.Layer(COPPER, 80e-9, "cap"),
    ]  # fmt: skip
    faces = {("fixed", "spacer"): fs.Interface(0.51e-15, 0.77), ("F", "cap"): fs.Interface(0.9e-15, -0.4)}
    problem = problem_of(layers, faces=faces, ends=("blocked", "reservoir"))
    x = problem.solve(current_density=J)
    d = x.accumulation
    steps = 0.77 * (d["fixed", "spacer"][1] - d["fixed", "spacer"][0])
    steps += 0.4 * (d["F", "cap"][1] - d["F", "cap"][0])  # gamma of a magnet that points down
    each = {n: face_differences(problem, x, n) for n in ("fixed", "F")}
    bulk = sum(m.beta * (each[n].above - each[n].below) for m, n in ((PERMALLOY, "fixed"), (NEGATIVE, "F")))
    assert (bulk + steps) / (2 * J) == pytest.approx(x.r_nonequilibrium, rel=1e-6, abs=0)


# ---- s and d electrons
@pytest.mark.parametrize("direction", [UP, DOWN], ids=["up", "down"])
@pytest.mark.parametrize("bands", [sd.CO, sd.FULL], ids=["three", "four"])
def test_s_and_d_electrons_against_the_exact_solution(bands, direction):
    layers = [sd.normal(sd.CU, 20e-9), sd.magnet(bands, 7e-9, direction, "F"), sd.normal(sd.AU, 30e-9)]
    faces = {("Cu", "Co"): fs.Interface(0.7e-15, -0.3)}
    problem, x = sd.solution(layers, faces=faces, ends=("lead", "lead"), mesh_size=0.5e-9, j=J)
    e = sd.reference(x.stack, ("lead", "lead"), J)
    w = e.w(np.array([20e-9, 23.5e-9, 27e-9]), 1).real
    up, down, d = (0, 1, 3) if direction == UP else (1, 0, 2)
    for process, (a, b) in (("spin flip", (up, down)), ("s-d", (down, d))):
        right = w[:, a] - w[:, b]
        found = face_differences(problem, x, "F", process=process)
        values = (found.below, found.middle, found.above)
        expected = (right[0] - right[1], right[1], right[2] - right[1])
        assert values == pytest.approx(expected, rel=0, abs=1e-6 * np.abs(right).max())
        again = sd.solution(layers[::-1], faces=faces, ends=("lead", "lead"), mesh_size=0.5e-9, j=-J)
        turned = face_differences(*again, "F", process=process)
        assert (turned.above, turned.below) == pytest.approx((found.below, found.above), rel=1e-6, abs=0)


# ---- against the direction
ENDS = ("lead", "reservoir")
FACES = {("Cu", "Co"): NC, ("Cu", "Py"): NP, ("Py", "Au"): NP}
P = np.array([1, 2, 2]) / 3


def valve(free=(0, 0, 1), spacer=9):
    return [layer(CU, 12), layer(CO, 7, (1, 2, 2)), layer(CU, spacer), layer(PY, 4, free), layer(AU, 30)]


@pytest.fixture(scope="module")
def made():
    problem = problem_of(valve(), fs.Vector(), FACES, ENDS)
    return problem, relaxation_map(problem, "Py4", own=True, tolerance=1e-5)


def test_map_against_the_exact_solution(made):
    problem, found = made
    assert problem.stack["Py4"].magnetization == (0, 0, 1)
    assert found.error < 1e-5
    assert found.axis == pytest.approx(P)
    random = np.random.default_rng(5)
    scale = np.abs(found.below(np.linspace(-1, 1, 9))).max()
    for u in random.normal(size=(4, 3)):
        u = u / np.linalg.norm(u)
        e = reference(fs.Stack(*valve(tuple(u)), interfaces=FACES, library={}), ENDS, "absorbed", (0, 0, 0))
        w = e.w(np.array([28e-9, 30e-9, 32e-9]), 3).real
        d = 2 * w[:, 1:] @ u / 4e10
        values = [f(u @ P) for f in (found.below, found.above, found.resistance_area)]
        assert values[:2] == pytest.approx([d[0] - d[1], d[2] - d[1]], rel=0, abs=2e-5 * scale)
        assert values[2] == pytest.approx(e.resistance_area, rel=1e-6, abs=0)


def test_map_upside_down(made):
    """With another magnet and the current reversed: differences, own part, and the slope of chi."""
    there, back = made[1], relaxation_map(
        problem_of(valve()[::-1], fs.Vector(), FACES, ENDS[::-1]), "Py2", own=True, tolerance=1e-5
    )  # fmt: skip
    c = np.linspace(-1, 1, 9)
    scale = {"rel": 0, "abs": 1e-12 * np.abs(there.below(c)).max()}
    assert -back.above(c) == pytest.approx(there.below(c), **scale)
    assert -back.below(c) == pytest.approx(there.above(c), **scale)
    assert [-x for x in back.own[::-1]] == pytest.approx(there.own, **scale)
    for options in ({}, {"subtract_own": True}):
        a = there.slope((BELOW, ABOVE), current_density=J, **options)(c)
        b = back.slope((ABOVE, BELOW), current_density=-J, **options)(c)
        assert b == pytest.approx(a, rel=0, abs=1e-12 * J * BELOW * np.abs(there.below(c)).max())


def test_collinear_states_of_the_map_are_those_of_two_channels(made):
    found = made[1]
    for c in (1, -1):
        problem = problem_of(valve(tuple(c * P)), None, FACES, ENDS)
        d = differences(problem, layer="Py4")
        assert [J * f(c) for f in (found.below, found.above)] == pytest.approx([d.below, d.above], rel=1e-4, abs=0)


def test_tilt_is_not_that_of_a_straight_line(made):
    """Between parallel and antiparallel the other magnet absorbs spins of this one: channels do not know it."""
    total = made[1].below + made[1].above
    line = Chebyshev([(total(1) + total(-1)) / 2, (total(1) - total(-1)) / 2])
    span = abs(total(1) - total(-1))
    assert np.abs(total(np.linspace(-1, 1, 101)) - line(np.linspace(-1, 1, 101))).max() > 0.1 * span


def test_own_part(made):
    """That of a stack with normal metals where the others were; without it chi goes with the coupling."""
    found = made[1]
    normal = fs.Material("Co", CO.resistivity, CO.spin_diffusion_length)
    layers = valve()
    layers[1] = replace(layers[1], material=normal, magnetization=None)
    plain = {**FACES, ("Cu", "Co"): fs.Interface(1 / (1.1e15 + 4.1e14))}
    lone = problem_of(layers, fs.Vector(), plain, ENDS)
    d = differences(lone, layer="Py4")
    assert [J * x for x in found.own] == pytest.approx([d.below, d.above], rel=1e-9, abs=0)

    def tilt(x, **options):
        whole = x.slope((BELOW, ABOVE), current_density=J, **options).integ()
        return whole(1) - whole(-1)

    far = relaxation_map(problem_of(valve(spacer=6000), fs.Vector(), FACES, ENDS), "Py4", own=True)
    assert abs(tilt(found, subtract_own=True)) > 1e-3 * abs(tilt(found))
    assert abs(tilt(far, subtract_own=True)) < 1e-4 * abs(tilt(far))


SPIN = fs.Macrospin(4e-9 * 30e-9**2, 9e5, 0.13, 300.0, terms=[fs.Uniaxial(stability=6.0, axis=(1, 2, 2))])


def test_map_as_a_torque(made):
    """X is grad chi: along p with chi' v/t, nothing around it; at a voltage the current is the circuit's."""
    found = made[1]
    most = largest_cross(SPIN, PY)
    assert most == pytest.approx(math.sqrt(ferromagnetic_coefficient(SPIN) / (4 * PY.resistivity_star)), rel=1e-12)
    cross, area = (0.3 * most, -0.2 * most), SPIN.volume / 4e-9
    c = np.array([-0.93, -0.1, 0.55])
    across = np.array([2, 1, -2]) / 3
    u = c[:, None] * P + np.sqrt(1 - c**2)[:, None] * across
    x = -area * J * (cross[0] * found.below(c) + cross[1] * found.above(c))
    assert np.abs(x).min() > 0
    for options, factor in (
        ({"current_density": J}, 1.0),
        ({"current_density": -J}, -1.0),
        ({"voltage": 2e-4, "series_resistance_area": 3e-15}, 2e-4 / (found.resistance_area(c) + 3e-15) / J),
    ):
        velocity = found.torque(SPIN, cross, **options).velocity(u, SPIN)
        right = (factor * x)[:, None] * (P - c[:, None] * u)
        assert velocity == pytest.approx(right, rel=0, abs=1e-8 * np.abs(right).max())
    with pytest.raises(ModelError, match="power would be gained, its magnitude must be below"):
        found.torque(SPIN, (0.0, 1.001 * most), current_density=J)


def test_stationary_state(made):
    """ln rho = -E/kT + chi/D against a closed integral."""
    found = made[1]
    cross = (0.0, 0.3 * largest_cross(SPIN, PY))
    c, weights = np.polynomial.legendre.leggauss(200)
    per_current = found.slope(cross, current_density=1.0).integ()(c) * SPIN.volume / 4e-9 / SPIN.diffusion
    strong = 3 / np.ptp(per_current)
    state = fs.FokkerPlanck(COMM, SPIN, found.torque(SPIN, cross, current_density=strong)).steady()
    rho = np.exp(6 * c**2 + strong * per_current) * weights
    mean = float(rho @ c / rho.sum())
    assert abs(mean) > 0.01
    assert state.mean @ P == pytest.approx(mean, rel=1e-5, abs=0)


def test_magnet_alone_has_a_barrier_and_no_tilt():
    """chi(u) = chi(-u), odd in the current, whatever the model; described from either end."""
    layers = [layer(CU, 12), layer(PY, 4, (0, 0, 1)), layer(AU, 30)]
    axis, faces = (0.6, 0.0, 0.8), {k: FACES[k] for k in (("Cu", "Py"), ("Py", "Au"))}
    two = relaxation_map(problem_of(layers, ends=ENDS, faces=faces), "Py2", axis=axis)
    vectors = relaxation_map(problem_of(layers, fs.Vector(), faces, ENDS), "Py2", axis=axis)
    turned = relaxation_map(problem_of(layers[::-1], faces=faces, ends=ENDS[::-1]), "Py2", axis=axis)
    cross = 0.4 * largest_cross(SPIN, PY)
    slope = two.slope((cross, 0.0), current_density=J)
    assert slope.coef[0] == 0 and len(slope.coef) == 2
    problem = problem_of(layers, faces=faces, ends=ENDS)
    assert slope(1.0) == pytest.approx(
        chi_slope(problem, problem.solve(current_density=J), "Py2", (cross, 0.0)), rel=1e-8
    )
    assert vectors.slope((cross, 0.0), current_density=J).coef == pytest.approx(slope.coef, rel=1e-6)
    assert turned.slope((0.0, cross), current_density=-J).coef == pytest.approx(slope.coef, rel=1e-6)
    torque = two.torque(SPIN, (cross, 0.0), current_density=J)
    chi, _ = torque.potentials(np.array([axis, [-x for x in axis], [0.8, 0, -0.6]]), SPIN)
    assert chi[0] == pytest.approx(chi[1], rel=1e-12)
    barrier = slope(1.0) / 2 * SPIN.volume / 4e-9
    assert chi[0] - chi[2] == pytest.approx(barrier, rel=1e-9)


def test_largest_cross_of_s_and_d():
    material = fs.Material.from_bands("Co", sd.CO)
    a = ferromagnetic_coefficient(SPIN)
    flip, transfer = (largest_cross(SPIN, material, process=p) for p in ("spin flip", "s-d"))
    assert flip == pytest.approx((a / (1 / sd.CO.s_up + 1 / sd.CO.s_down)) ** 0.5, rel=1e-12)
    assert transfer == pytest.approx((a / (1 / sd.CO.s_down + 1 / sd.CO.d_down)) ** 0.5, rel=1e-12)


def test_what_has_no_chi():
    layers = [layer(CU, 12), layer(PY, 4, (0, 0, 1)), layer(AU, 30)]
    problem = problem_of(layers)
    x = problem.solve(current_density=J)
    with pytest.raises(InputError, match="'Cu1' is no uniform ferromagnet"):
        chi_slope(problem, x, "Cu1", BELOW)
    with pytest.raises(InputError, match="process is 'flip'; did you mean 'spin flip'"):
        chi_slope(problem, x, "Py2", BELOW, process="flip")
    with pytest.raises(ModelError, match="'Py2' has no d channels"):
        chi_slope(problem, x, "Py2", BELOW, process="s-d")
    with pytest.raises(ModelError, match="'Py' has no d channels"):
        largest_cross(SPIN, PY, process="s-d")
    with pytest.raises(InputError, match="'Cu': it is no ferromagnet"):
        largest_cross(SPIN, CU)
    with pytest.raises(InputError, match="cross is nan"):
        chi_slope(problem, x, "Py2", np.nan)
    with pytest.raises(InputError, match="beta is 0"):
        chi_slope_of_resistance(BELOW, 0.0, J, 1e-16)
    with pytest.raises(ModelError, match="no plain stack"):
        chi_slope(problem, replace(x, layer_drops={}), "Py2", BELOW)
    with pytest.raises(InputError, match="'Py2' is the only magnet; give its axis"):
        relaxation_map(problem, "Py2")
    alone = relaxation_map(problem, "Py2", axis=(0, 0, 1))
    with pytest.raises(InputError, match="'Py2' is the only magnet; all of its chi is its own"):
        alone.slope(BELOW, current_density=J, subtract_own=True)
    with pytest.raises(ModelError, match="d_f depends on the angle, which only the vector model knows"):
        relaxation_map(problem_of(valve(tuple(P))), "Py4")
    with pytest.raises(InputError, match="axis is given, but 'Co2' distinguishes a direction"):
        relaxation_map(problem_of(valve(), fs.Vector(), FACES), "Py4", axis=(0, 0, 1))
    with pytest.raises(ModelError, match="the field distinguishes"):
        relaxation_map(problem_of(valve(), fs.Vector(field=(0, 0, 1.0)), FACES), "Py4")


# ---- effective temperature
def test_d_current_against_the_exact_solution():
    """Beyond its share in bulk, in both magnets of a valve, of either direction; even in the current."""
    for bands, other in ((sd.CO, sd.FE), (sd.FULL, sd.OTHER)):
        layers = [
            sd.normal(sd.CU, 10e-9), sd.magnet(bands, 9e-9, UP, "a"), sd.normal(sd.CU, 6e-9),
            sd.magnet(other, 4e-9, DOWN, "b"), sd.normal(sd.AU, 25e-9),
        ]  # fmt: skip
        faces = {("Co", "Cu"): sd.FACE, ("Fe", "Au"): fs.Interface(0.3e-15, -0.4)}
        problem, x = sd.solution(layers, faces=faces, ends=("lead", "lead"), mesh_size=0.4e-9, j=J)
        e = sd.reference(x.stack, ("lead", "lead"), J)
        for name, i, (s, d), b in (("a", 1, (1, 3), bands), ("b", 3, (0, 2), other)):
            k = (b.s_down - b.d_down) / b.conductivity
            square = e.integrate(i, lambda w, j, s=s, d=d, k=k: (j[:, s] - j[:, d] - k * j.sum(axis=1)) ** 2)
            right = float(np.sqrt(square.real / x.stack[name].thickness))
            assert d_current(problem, x, name) == pytest.approx(right, rel=1e-6, abs=0)
        again = problem.solve(current_density=-2 * J)
        assert d_current(problem, again, "a") == pytest.approx(2 * d_current(problem, x, "a"), rel=1e-9, abs=0)
    with pytest.raises(ModelError, match="'Cu1' has no d channels"):
        d_current(problem, x, "Cu1")


def test_d_current_of_a_uniform_wire_is_none():
    """On a line and on a section; one face makes one."""
    stack = fs.Stack(sd.magnet(sd.CO, 20e-9, UP, "F"), library={})
    for domain in (fs.line(COMM, stack), fs.strip(COMM, stack, width=30e-9)):
        problem = fs.TransportProblem(domain, fs.ThreeChannel(), contacts={"bottom": "lead", "top": "lead"})
        assert d_current(problem, problem.solve(current_density=J), "F") < 1e-6 * J
    layers = [sd.magnet(sd.CO, 20e-9, UP, "F"), sd.normal(sd.CU, 20e-9)]
    problem, x = sd.solution(layers, ends=("lead", "lead"), mesh_size=1e-9, j=J)
    assert d_current(problem, x, "F") > 1e-2 * J


def test_d_current_knows_the_state_of_a_valve():
    """P and AP differ, at either sign of the current: T_eff distinguishes states, not signs."""
    found = []
    for direction in (UP, DOWN):
        layers = [
            sd.normal(sd.CU, 45e-9), sd.magnet(sd.CO, 20e-9, UP, "fixed"), sd.normal(sd.CU, 6e-9),
            sd.magnet(sd.CO, 4e-9, direction, "F"), sd.normal(sd.CU, 45e-9),
        ]  # fmt: skip
        problem = sd.solution(layers, ends=("lead", "lead"), mesh_size=1e-9, j=J)[0]
        found.append([d_current(problem, problem.solve(current_density=j), "F") for j in (J, -J)])
    assert found[0][0] == pytest.approx(found[0][1], rel=1e-9, abs=0)
    assert abs(found[1][0] / found[0][0] - 1) > 1e-2


def test_effective_temperature():
    c = 3e-20
    assert effective_temperature(310.0, c, 4e10) == pytest.approx(310 + 48.0, rel=1e-14, abs=0)
    assert effective_temperature(310.0, c, -4e10) == effective_temperature(310.0, c, 4e10)
    assert effective_temperature(310.0, c, 0.0) == 310.0
    rising = [effective_temperature(310.0, c, x) for x in np.linspace(0, 1e11, 7)]
    assert (np.diff(rising) > 0).all()
    for values, message in (
        ((0.0, c, 1.0), "temperature is 0.0"),
        ((310.0, -c, 1.0), "coefficient is -3e-20; it must be finite and not negative"),
        ((310.0, c, np.inf), "d_current is inf"),
    ):
        with pytest.raises(InputError, match=message):
            effective_temperature(*values)


SIZE = {"volume": 1.3e-24, "saturation_magnetization": 9e5, "damping": 0.1, "temperature": 310.0}
CURRENT = 2e10
TWICE = 310.0 / CURRENT**2  # this c makes T_eff = 2 T at CURRENT


def test_boltzmann_at_the_effective_temperature():
    """Langevin's function of Ms v B/(k T_eff); either sign of the current, and none."""
    spin = fs.Macrospin(**SIZE, field=(0.0, 0.0, 6e-3))

    def mean(current):
        heated = heated_spin(spin, TWICE / 2, current)
        x = spin.moment * 6e-3 / (BOLTZMANN * effective_temperature(310.0, TWICE / 2, current))
        found = float(fs.FokkerPlanck(COMM, heated).equilibrium().mean[2])
        assert found == pytest.approx(1 / np.tanh(x) - 1 / x, rel=1e-6, abs=0)
        assert heated.diffusion / spin.diffusion == pytest.approx(heated.temperature / 310.0, rel=1e-12, abs=0)
        return found

    assert mean(CURRENT) == mean(-CURRENT)
    assert mean(0.0) > mean(CURRENT) > mean(2 * CURRENT)
    assert heated_spin(spin, TWICE, 0.0) is spin


@pytest.mark.parametrize("given", ["stability", "constant"])
def test_escape_at_the_effective_temperature(given):
    """K v = 20 kT at T is 10 kT_eff at 2 T: the decay rates of both by an independent eigenvalue."""
    rates = {20: 3.943312744e-7, 10: 2.882166669e-3}  # times 2 tau_N
    value = {"stability": 20.0, "constant": 20 * BOLTZMANN * 310.0 / SIZE["volume"]}[given]
    spin = fs.Macrospin(terms=[fs.Uniaxial(**{given: value}, axis=(1, 2, 2))], **SIZE)
    slow = {}
    for current, sigma in ((0.0, 20), (CURRENT, 10), (-CURRENT, 10)):
        heated = heated_spin(spin, TWICE, current)
        statistics = fs.FokkerPlanck(COMM, heated)
        assert statistics.axis is not None  # still seen to be symmetric
        found = statistics.escape()
        assert found.barriers == pytest.approx(sigma, rel=1e-9, abs=0)
        tau = spin.free_relaxation_time * 310.0 / heated.temperature
        slow[current] = found.slowest[0]
        # Rates between states are eigenvalues as far as wells relax faster, in times of order 2 tau.
        assert 2 * tau * slow[current] == pytest.approx(rates[sigma], rel=rates[sigma] + 1e-6, abs=0)
    assert slow[CURRENT] == slow[-CURRENT]
    # Neel and Brown: sigma^(3/2) exp(-sigma) (1 - 1/sigma) times D, which is twice as large.
    brown = 2 * 0.5**1.5 * np.exp(10) * (1 - 1 / 10) / (1 - 1 / 20)
    assert slow[CURRENT] / slow[0.0] == pytest.approx(brown, rel=0.03, abs=0)


def test_heating_twice_keeps_energies():
    """An energy in kT is one at the lattice's temperature, however often the magnet is heated."""
    spin = fs.Macrospin(terms=[fs.Uniaxial(stability=20.0), lambda u: 3e-21 * u[0] ** 3], **SIZE)
    u = np.random.default_rng(1).normal(size=(6, 3))
    u /= np.linalg.norm(u, axis=1)[:, None]
    twice = heated_spin(heated_spin(spin, TWICE, CURRENT), TWICE, CURRENT)
    assert twice.temperature == pytest.approx(930.0, rel=1e-12, abs=0)
    assert twice.energy(u) == pytest.approx(spin.energy(u), rel=1e-12, abs=0)


def test_current_of_a_given_effective_temperature():
    """From the drive to T_eff and back: c of a measured T_eff, in a device."""
    layers = [sd.normal(sd.CU, 20e-9), sd.magnet(sd.CO, 6e-9, UP, "F"), sd.normal(sd.AU, 30e-9)]
    problem, x = sd.solution(layers, mesh_size=1e-9, j=J)
    per_density = d_current(problem, x, "F") / J
    c = 5e-20
    drive = brentq(lambda j: effective_temperature(300.0, c, per_density * j) - 360.0, 0.0, 1e13)
    again = problem.solve(current_density=drive)
    spin = replace(SPIN, temperature=300.0)
    assert heated_spin(spin, c, d_current(problem, again, "F")).temperature == pytest.approx(360.0, rel=1e-9, abs=0)
