"""Wegrowe's forms against closed forms, exact solvers, and the torque and pumping of the vector model."""

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI
from numpy.polynomial import Chebyshev
from numpy.polynomial.legendre import leggauss
from scipy.optimize import brentq

import fespin as fs
from fespin.constants import BOLTZMANN, ELEMENTARY_CHARGE, HBAR
from fespin.coupling import (
    SpinTransferBlock,
    chi_slope,
    chi_slope_of_resistance,
    coupled_fluxes,
    coupled_power,
    d_current,
    effective_temperature,
    ferromagnetic_coefficient,
    heated_spin,
    pumped_damping,
    pumping_field,
    pumping_increase,
    pumping_voltage,
    torque_map,
    torque_potentials,
    transverse_cross,
    transverse_slopes,
)
from fespin.errors import InputError, ModelError
from tests import test_s_d as sd
from tests import test_vector as vector

COMM = MPI.COMM_SELF
UP, DOWN = (0, 0, 1), (0, 0, -1)
CROSS = 3.7e22  # l, 1/(V s m2)
J = 3e10

# ---- the block
A, SIGMA = 8e38, 7.3e6
EVEN = SpinTransferBlock(A, CROSS, 2 * CROSS, SIGMA)
ODD = SpinTransferBlock(A, -CROSS, 2 * CROSS, SIGMA)


@pytest.mark.parametrize("block", [EVEN, ODD], ids=["even", "odd"])
def test_open_circuit(block):
    """No spin current flows at the pumped field, and its power is that of the magnet alone."""
    j = 1.9e33
    field = pumping_field(block, j)
    force = (j - block.cross * field) / block.ferromagnetic
    flux, current = coupled_fluxes(block, force, field)
    assert flux == pytest.approx(j, rel=1e-12, abs=0)
    assert abs(current) < 1e-12 * abs(block.conductivity * field)
    assert coupled_power(block, force, field) == pytest.approx(j * force, rel=1e-12, abs=0)
    # A at E = 0 less j/F at dJ = 0.
    assert pumping_increase(block) == pytest.approx(A - j / force, rel=1e-10, abs=0)
    assert pumping_increase(block) / (2 * CROSS**2 / SIGMA) == pytest.approx(1 if block is EVEN else -1, rel=1e-12)
    assert pumping_voltage(block, j, 3e-9) == pytest.approx(3e-9 * field, rel=1e-15, abs=0)


def test_open_circuit_of_charge_too():
    """Three rows of the papers with J0 = 0: sigma (1 - beta^2) in the block, -beta/2 of the voltage to be seen."""
    beta, force = 0.37, 2.2e-21
    matrix = np.array([[A, CROSS, 0.0], [2 * CROSS, SIGMA, beta * SIGMA], [0.0, beta * SIGMA, SIGMA]])
    field, charge = np.linalg.solve(matrix[1:, 1:], -matrix[1:, 0] * force)
    j = A * force + CROSS * field
    block = SpinTransferBlock(A, CROSS, 2 * CROSS, SIGMA * (1 - beta**2))
    assert pumping_field(block, j) == pytest.approx(field, rel=1e-12, abs=0)
    # E_0 is the sum of both spins' fields, twice the mean.
    assert -beta / 2 * pumping_voltage(block, j, 4e-9) == pytest.approx(charge / 2 * 4e-9, rel=1e-12, abs=0)


def test_power_is_positive_up_to_the_limit_and_symmetric():
    """The matrix over F and E/2: symmetric if even, antisymmetric off the diagonal if odd, positive up to a limit."""
    most = np.sqrt(A * SIGMA / 2)
    SpinTransferBlock(A, most * (1 - 1e-9), 2 * most * (1 - 1e-9), SIGMA)
    with pytest.raises(ModelError, match=r"power would be gained, its magnitude must be below 5\.40"):
        SpinTransferBlock(A, most * (1 + 1e-9), 2 * most * (1 + 1e-9), SIGMA)
    SpinTransferBlock(A, 30 * most, -60 * most, SIGMA)  # reversible, no limit
    for block in (EVEN, ODD):
        # Scaled forces: both fluxes are of one size.
        scale = np.array([A**-0.5, 2 * (2 * SIGMA) ** -0.5])
        unit = np.array([coupled_fluxes(block, *(scale * e)) for e in np.eye(2)]).T
        onsager = np.array([scale[0], scale[1] / 2])[:, None] * unit
        skew = onsager[0, 1] - (1 if block is EVEN else -1) * onsager[1, 0]
        assert abs(skew) < 1e-12
        assert np.linalg.eigvalsh(onsager + onsager.T)[0] > 0
        for forces in np.random.default_rng(4).normal(size=(5, 2)):
            power = coupled_power(block, *(scale * forces))
            assert power == pytest.approx(forces @ onsager @ forces, rel=1e-12, abs=0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((-1.0, CROSS, 2 * CROSS, SIGMA), "ferromagnetic is -1.0"),
        ((A, np.nan, 2 * CROSS, SIGMA), "cross is nan"),
        ((A, CROSS, np.inf, SIGMA), "reciprocal is inf"),
        ((A, 1e20, 1e20, SIGMA), "reciprocal is 1e[+]20; it must be twice cross, 2e[+]20"),
        ((A, CROSS, 2 * CROSS, 0.0), "conductivity is 0.0"),
    ],
)
def test_blocks_that_cannot_be(values, message):
    with pytest.raises(InputError, match=message):
        SpinTransferBlock(*values)


# ---- chi of a single face, closed form
COPPER = fs.Material("Cu", 6e-9, 450e-9)
COBALT = fs.Material.from_star("Co", 75e-9, 60e-9, 0.46)
NEGATIVE = fs.Material.from_star("NiCr", 350e-9, 9e-9, -0.35)


def one_face(magnet, direction, face=None, flip=False, j=J):
    layers = [fs.Layer(COPPER, 50e-9, "N"), fs.Layer(magnet, 40e-9, "F", direction)]
    stack = fs.Stack(*(layers[::-1] if flip else layers), interfaces={("N", "F"): face} if face else {}, library={})
    problem = fs.TransportProblem(fs.line(COMM, stack), contacts={"bottom": "lead", "top": "lead"})
    return problem, problem.solve(current_density=j)


@pytest.mark.parametrize("magnet", [COBALT, NEGATIVE], ids=["beta > 0", "beta < 0"])
@pytest.mark.parametrize("direction", [UP, DOWN], ids=["up", "down"])
@pytest.mark.parametrize("flip", [False, True], ids=["N|F", "F|N"])
def test_chi_of_one_face(magnet, direction, flip):
    """-(2 l/beta) J A R_ne with A R_ne = beta^2/(1/(rho* l)_F + 1/(rho l)_N), whichever way things are turned."""
    problem, x = one_face(magnet, direction, flip=flip, j=-J if flip else J)
    per_spin = 1 / (magnet.resistivity_star * magnet.spin_diffusion_length) + 1 / (6e-9 * 450e-9)
    r = magnet.beta**2 / per_spin
    assert x.r_nonequilibrium == pytest.approx(r, rel=1e-7, abs=0)
    found = chi_slope(problem, x, "F", CROSS)
    assert found == pytest.approx(-2 * CROSS * magnet.beta * x.current_density / per_spin, rel=1e-7, abs=0)
    form = chi_slope_of_resistance(CROSS, magnet.beta, x.current_density, x.r_nonequilibrium)
    assert found == pytest.approx(form, rel=1e-7, abs=0)


@pytest.mark.parametrize("gamma", [0.0, 0.6])
def test_chi_of_a_resistive_face(gamma):
    """R_ne of a face with gamma has a part that the magnet's chi does not."""
    problem, x = one_face(COBALT, UP, fs.Interface(0.9e-15, gamma))
    found = chi_slope(problem, x, "F", CROSS)
    below, above = x.accumulation["N", "F"]
    form = chi_slope_of_resistance(CROSS, COBALT.beta, x.current_density, x.r_nonequilibrium)
    assert found == pytest.approx(form + CROSS / COBALT.beta * gamma * (above - below), rel=1e-7, abs=0)
    assert abs(found / form - 1) > 0.2 if gamma else abs(found / form - 1) < 1e-7


def test_chi_of_every_magnet_makes_r_ne():
    """A valve, one magnet at a blocked end: -(beta/l) dchi/dtheta and steps with gamma add up to 2 J A R_ne."""
    layers = [
        fs.Layer(COBALT, 12e-9, "fixed", UP), fs.Layer(COPPER, 6e-9, "spacer"), fs.Layer(NEGATIVE, 4e-9, "free", DOWN),
        fs.Layer(COPPER, 80e-9, "cap"),
    ]  # fmt: skip
    faces = {("fixed", "spacer"): fs.Interface(0.51e-15, 0.77), ("free", "cap"): fs.Interface(0.9e-15, -0.4)}
    stack = fs.Stack(*layers, interfaces=faces, library={})
    problem = fs.TransportProblem(fs.line(COMM, stack), contacts={"bottom": "blocked"})
    x = problem.solve(current_density=J)
    d = x.accumulation
    steps = 0.77 * (d["fixed", "spacer"][1] - d["fixed", "spacer"][0])
    steps += 0.4 * (d["free", "cap"][1] - d["free", "cap"][0])  # gamma of a magnet that points down
    slopes = [(COBALT, "fixed"), (NEGATIVE, "free")]
    bulk = sum(-m.beta * chi_slope(problem, x, n, CROSS) / CROSS for m, n in slopes)
    assert (bulk + steps) / (2 * J) == pytest.approx(x.r_nonequilibrium, rel=1e-7, abs=0)
    assert all(abs(chi_slope(problem, x, n, CROSS)) > 1e-2 * CROSS * 2 * J * x.r_nonequilibrium for _, n in slopes)


def test_chi_where_magnets_are_oblique():
    """Along its own magnetization: the vector model's is that of two channels."""
    axis = np.array([0.36, 0.48, -0.8])
    layers = [vector.layer(vector.CU, 12), vector.layer(vector.CO, 7, tuple(axis)), vector.layer(vector.CU, 9)]
    layers += [vector.layer(vector.PY, 4, tuple(-axis)), vector.layer(vector.AU, 20)]
    faces = {("Cu", "Co"): vector.NC, ("Cu", "Py"): vector.NP, ("Au", "Py"): vector.NP}
    domain = fs.line(COMM, fs.Stack(*layers, interfaces=faces, library={}))
    slopes = []
    for model in (fs.TwoChannel(), fs.Vector()):
        problem = fs.TransportProblem(domain, model, contacts={"bottom": "lead"})
        x = problem.solve(current_density=J)
        slopes.append([chi_slope(problem, x, n, CROSS) for n in ("Co2", "Py4")])
    assert slopes[1] == pytest.approx(slopes[0], rel=1e-8, abs=0)


# ---- chi of s and d electrons
@pytest.mark.parametrize("direction", [UP, DOWN])
@pytest.mark.parametrize("face", [None, fs.Interface(0.7e-15)], ids=["perfect", "resistive"])
def test_chi_of_three_channels(direction, face):
    """Both relaxations against the exact solver, and against the parts of the resistance."""
    layers = [sd.normal(sd.CU, 40e-9), sd.magnet(sd.CO, 200e-9, direction, "F")]
    faces = {("Cu", "Co"): face} if face else None
    problem, x = sd.solution(layers, faces=faces, ends=("lead", "lead"), mesh_size=1e-9, j=J)
    e = sd.reference(x.stack, ("lead", "lead"), J)
    w = e.w(np.array([40e-9]), 1).real[0]  # the magnet's side
    up, down, d = (w[0], w[1], w[3]) if direction == UP else (w[1], w[0], w[2])
    assert chi_slope(problem, x, "F", CROSS) == pytest.approx(CROSS * (up - down), rel=1e-6, abs=0)
    assert chi_slope(problem, x, "F", CROSS, process="s-d") == pytest.approx(CROSS * (down - d), rel=1e-6, abs=0)
    total, parts = sd.CO.conductivity, x.report["r_gmr"]
    polarization = (sd.CO.s_up - sd.CO.s_down - sd.CO.d_down) / total
    form = chi_slope_of_resistance(CROSS, polarization, J, parts["spin_flip"])
    assert chi_slope(problem, x, "F", CROSS) == pytest.approx(form, rel=1e-6, abs=0)
    form = CROSS * J * total / sd.CO.d_down * parts["d_relaxation"]
    assert chi_slope(problem, x, "F", CROSS, process="s-d") == pytest.approx(form, rel=1e-9, abs=0)


def test_chi_of_what_has_none():
    problem, x = one_face(COBALT, UP)
    with pytest.raises(InputError, match="'N' is no uniform ferromagnet"):
        chi_slope(problem, x, "N", CROSS)
    with pytest.raises(InputError, match="process is 'flip'; allowed"):
        chi_slope(problem, x, "F", CROSS, process="flip")
    with pytest.raises(ModelError, match="'F' has no d channels"):
        chi_slope(problem, x, "F", CROSS, process="s-d")
    with pytest.raises(InputError, match="cross is nan"):
        chi_slope(problem, x, "F", np.nan)
    with pytest.raises(InputError, match="mixing_conductance is inf"):
        transverse_cross(SPIN, np.inf)
    with pytest.raises(InputError, match="beta is 0"):
        chi_slope_of_resistance(CROSS, 0.0, J, 1e-16)
    sideways = replace(x, layer_drops={})
    with pytest.raises(ModelError, match="no plain stack"):
        chi_slope(problem, sideways, "F", CROSS)


# ---- Phi and chi of the transverse accumulation
SPIN = fs.Macrospin(4e-9 * 30e-9**2, 9e5, 0.13, 300.0)
FIXED = (1, 2, 2)


def test_transverse_accumulation_makes_the_torque():
    """dchi/dtheta and dPhi/dtheta from 2 s across u on both faces: those of the torque map's potentials."""
    p = np.array(FIXED) / 3
    across = np.array([2, 1, -2]) / 3
    angle = 1.1
    u = np.cos(angle) * p + np.sin(angle) * across
    layers = [vector.layer(vector.CU, 12), vector.layer(vector.CO, 7, FIXED), vector.layer(vector.CU, 9)]
    layers += [vector.layer(vector.PY, 4, tuple(u)), vector.layer(vector.AU, 30)]
    faces = {("Cu", "Co"): vector.NC, ("Cu", "Py"): vector.NP, ("Py", "Au"): replace(vector.NP, gamma=0.2)}
    faces["Py", "Au"] = replace(faces["Py", "Au"], mixing_conductance=2.2e14 + 1.5e14j)
    stack = fs.Stack(*layers, interfaces=faces, library={})
    problem = fs.TransportProblem(fs.line(COMM, stack), fs.Vector(), contacts={"bottom": "lead"})
    x = problem.solve(current_density=J)
    along_theta = (np.cos(angle) * u - p) / np.sin(angle)
    along_phi = np.cross(u, along_theta)
    per_face = []
    for (pair, side), key in zip([("Cu3|Py4", 0), ("Py4|Au5", 1)], [("Cu", "Py"), ("Py", "Au")], strict=True):
        two_s = np.array(x.report["spin_accumulation"][pair][side])
        cross = transverse_cross(SPIN, faces[key].mixing_conductance)
        per_face.append(transverse_slopes(cross, complex(two_s @ along_theta, two_s @ along_phi)))
    slopes = np.sum(per_face, axis=0) * SPIN.volume / 4e-9
    found = torque_map(problem, "Py4", tolerance=1e-6)
    torque = found.torque(SPIN, current_density=J)
    step = 1e-4
    chi, phi = torque_potentials(torque, SPIN, np.array([angle - step, angle + step]))
    right = np.diff([chi, phi], axis=1)[:, 0] / (2 * step)
    assert slopes == pytest.approx(right, rel=1e-5, abs=0)
    # Both matter here, and each would notice the other's sign.
    assert 0.05 < abs(slopes[1] / slopes[0]) < 20


def test_pumping_is_the_reciprocal_of_the_mixing_conductance():
    """An ideal sink adds l l~/sigma to A: the damping that the vector model finds."""
    mixing = 3.9e14
    metal = fs.Material("Pt", 1e-14, 1e-9)
    face = fs.Interface.from_conductances(8e14, 3.2e14, mixing)
    layers = [vector.layer(metal, 20), vector.layer(vector.PY, 4, UP), vector.layer(metal, 20)]
    stack = fs.Stack(*layers, interfaces={("Py", "Pt"): face}, library={})
    problem = fs.TransportProblem(fs.line(COMM, stack), fs.Vector())
    added = pumped_damping(problem, "Py2", 9e5)[0, 0]
    spin = replace(SPIN, damping=0.004 + added)
    cross = transverse_cross(spin, 2 * mixing).real  # two faces
    a = ferromagnetic_coefficient(spin)
    block = SpinTransferBlock(a, cross, 2 * cross, 2 * mixing * 4e-9)
    share = added / spin.damping / (1 + spin.damping**2)
    assert pumping_increase(block) / a == pytest.approx(share, rel=1e-6, abs=0)
    assert 0.1 < added / spin.damping < 0.9
    g = spin.gyromagnetic_ratio * HBAR**2 / (2 * ELEMENTARY_CHARGE**2 * 9e5 * 4e-9) * 2 * mixing
    assert added == pytest.approx(g, rel=1e-4, abs=0)


def test_transverse_cross_of_a_complex_conductance():
    """What turns the accumulation and what damping turns: (G' + i G'')(1 + i alpha)."""
    found = transverse_cross(SPIN, 2e14 - 5e14j)
    rate = SPIN.gyromagnetic_ratio * HBAR / (2 * ELEMENTARY_CHARGE * 9e5 * SPIN.volume * (1 + 0.13**2))
    assert found.real == pytest.approx(-rate * (2e14 + 0.13 * 5e14), rel=1e-12, abs=0)
    assert found.imag == pytest.approx(-rate * (0.13 * 2e14 - 5e14), rel=1e-12, abs=0)


@pytest.fixture(scope="module")
def angular():
    return fs.AngularTorque(Chebyshev([2.1e-3, -0.7e-3, 0.4e-3]), Chebyshev([-0.9e-3, 0.3e-3]), FIXED)


def test_potentials_of_constant_torques():
    """chi = (a - alpha b)/(1 + alpha^2) u.p, Phi = (b + alpha a)/(1 + alpha^2) u.p, in any shape of angles."""
    torque = fs.AngularTorque(Chebyshev([2.1e-3]), Chebyshev([-0.9e-3]), FIXED)
    theta = np.linspace(0, np.pi, 12).reshape(3, 4)
    chi, phi = torque_potentials(torque, SPIN, theta)
    gamma, alpha = SPIN.gyromagnetic_ratio, 0.13
    a, b = gamma * 2.1e-3, gamma * -0.9e-3
    scale = abs(a)
    assert chi == pytest.approx((a - alpha * b) / (1 + alpha**2) * np.cos(theta), rel=0, abs=1e-12 * scale)
    assert phi == pytest.approx((b + alpha * a) / (1 + alpha**2) * np.cos(theta), rel=0, abs=1e-12 * scale)


def test_potentials_are_those_of_the_sphere(angular):
    """Helmholtz's decomposition on a mesh, of the torque's velocity alone."""
    sphere = fs.Sigma(COMM, 0.3)
    found = fs.decompose(sphere, lambda u: angular.velocity(u, SPIN))
    theta = np.arccos(np.clip(sphere.nodes @ (np.array(FIXED) / 3), -1, 1))
    chi, phi = torque_potentials(angular, SPIN, theta)
    for f, right in ((found.chi, chi), (found.phi, phi)):
        assert f.x.array[: sphere.owned] == pytest.approx(right, rel=0, abs=1e-4 * np.abs(right).max())
    assert found.residual < 1e-3


def test_potentials_have_mean_zero(angular):
    c, weights = leggauss(12)
    for values in torque_potentials(angular, SPIN, np.arccos(c)):
        assert abs(values @ weights) < 1e-12 * np.abs(values).max()


# ---- effective temperature
def test_d_current_against_the_exact_solution():
    """Root mean square of J_sdn - J_ddn in both magnets of a valve, of either direction."""
    layers = [
        sd.normal(sd.CU, 10e-9), sd.magnet(sd.CO, 9e-9, UP, "a"), sd.normal(sd.CU, 6e-9),
        sd.magnet(sd.FE, 4e-9, DOWN, "b"), sd.normal(sd.AU, 25e-9),
    ]  # fmt: skip
    faces = {("Co", "Cu"): sd.FACE, ("Fe", "Au"): fs.Interface(0.3e-15, -0.4)}
    problem, x = sd.solution(layers, faces=faces, ends=("lead", "lead"), mesh_size=0.4e-9, j=J)
    e = sd.reference(x.stack, ("lead", "lead"), J)
    for name, i, (s, d) in (("a", 1, (1, 3)), ("b", 3, (0, 2))):
        square = e.integrate(i, lambda w, j, s=s, d=d: (j[:, s] - j[:, d]) ** 2) / x.stack[name].thickness
        assert d_current(problem, x, name) == pytest.approx(float(np.sqrt(square.real)), rel=1e-6, abs=0)
    again = problem.solve(current_density=-2 * J)
    assert d_current(problem, again, "a") == pytest.approx(2 * d_current(problem, x, "a"), rel=1e-9, abs=0)
    with pytest.raises(ModelError, match="'Cu1' has no d channels"):
        d_current(problem, x, "Cu1")


def test_d_current_in_three_dimensions_and_in_bulk():
    """Without faces it is that of the channels' shares, on a line and on a section, per area."""
    stack = fs.Stack(sd.magnet(sd.CO, 20e-9, UP, "F"), library={})
    right = J * abs(sd.CO.s_down - sd.CO.d_down) / sd.CO.conductivity
    for domain in (fs.line(COMM, stack), fs.strip(COMM, stack, width=30e-9)):
        problem = fs.TransportProblem(domain, fs.ThreeChannel(), contacts={"bottom": "lead", "top": "lead"})
        x = problem.solve(current_density=J)
        assert d_current(problem, x, "F") == pytest.approx(right, rel=1e-8, abs=0)


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
    spin = fs.Macrospin(terms=[fs.Uniaxial(**{given: value}, axis=FIXED)], **SIZE)
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
