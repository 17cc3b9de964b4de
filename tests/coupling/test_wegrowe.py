"""Wegrowe's forms against closed forms, exact solvers, and the torque and pumping of the vector model."""

import re
from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI
from numpy.polynomial import Chebyshev
from numpy.polynomial.legendre import leggauss
from samples import vector

import fespin as fs
from fespin.constants import ELEMENTARY_CHARGE, HBAR
from fespin.coupling import (
    SpinTransferBlock,
    coupled_fluxes,
    coupled_matrix,
    coupled_power,
    ferromagnetic_coefficient,
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

COMM = MPI.COMM_SELF
UP = (0, 0, 1)
CROSS = 3.7e22  # l, 1/(V s m2)
J = 3e10

# ---- the block
A, SIGMA, BETA = 8e38, 7.3e6, 0.37
EVEN = SpinTransferBlock(A, CROSS, 2 * CROSS, SIGMA, BETA)
ODD = SpinTransferBlock(A, -CROSS, 2 * CROSS, SIGMA, BETA)
BLOCKS = pytest.mark.parametrize("block", [EVEN, ODD], ids=["even", "odd"])


def open_field(block, force):
    """E and E0 at which neither spins nor charges flow, from the two equations."""
    s, b = block.conductivity, block.beta
    return np.linalg.solve([[s, b * s], [b * s, s]], [-block.reciprocal * force, 0.0])


@BLOCKS
def test_open_circuit(block):
    """Nothing flows at the pumped field, and its power is that of the magnet alone."""
    force = 2.2e-21
    field, charge = open_field(block, force)
    j, spin, current = coupled_fluxes(block, force, field, charge)
    assert max(abs(spin), abs(current)) < 1e-12 * abs(SIGMA * field)
    assert pumping_field(block, j) == pytest.approx(field, rel=1e-12, abs=0)
    assert pumping_voltage(block, j, 3e-9) == pytest.approx(3e-9 * field, rel=1e-12, abs=0)
    # E_0 is the sum of both spins' fields, twice the mean.
    assert charge == pytest.approx(-BETA * field, rel=1e-12, abs=0)
    assert coupled_power(block, force, field, charge) == pytest.approx(j * force, rel=1e-12, abs=0)
    # A at E = 0 less j/F at dJ = J0 = 0.
    assert pumping_increase(block) == pytest.approx(A - j / force, rel=1e-10, abs=0)
    share = pumping_increase(block) / (2 * CROSS**2 / (SIGMA * (1 - BETA**2)))
    assert share == pytest.approx(1 if block is EVEN else -1, rel=1e-12)


@pytest.mark.parametrize("beta", [0.0, 0.6, -0.9])
def test_power_is_positive_up_to_the_limit(beta):
    """The limit is that of the whole matrix, charge current included: l^2 (1/sigma_up + 1/sigma_dn) = A."""
    up, down = SIGMA * (1 + beta), SIGMA * (1 - beta)
    most = np.sqrt(A / (1 / up + 1 / down))
    SpinTransferBlock(A, most * (1 - 1e-9), 2 * most * (1 - 1e-9), SIGMA, beta)
    with pytest.raises(ModelError, match=re.escape(f"its magnitude must be below {most:.6g}")):
        SpinTransferBlock(A, most * (1 + 1e-9), 2 * most * (1 + 1e-9), SIGMA, beta)
    SpinTransferBlock(A, 30 * most, -60 * most, SIGMA, beta)  # reversible, no limit


@BLOCKS
def test_powers_are_those_of_a_symmetric_positive_matrix(block):
    """Over F, E/2 and E0/2: symmetric if even, antisymmetric off the diagonal if odd."""
    # Scaled forces: all fluxes are of one size.
    scale = np.array([A**-0.5, 2 * (2 * SIGMA) ** -0.5, 2 * (2 * SIGMA) ** -0.5])
    unit = np.array([coupled_fluxes(block, *(scale * e)) for e in np.eye(3)]).T
    onsager = np.array([scale[0], scale[1] / 2, scale[2] / 2])[:, None] * unit
    assert abs(onsager[0, 1] - (1 if block is EVEN else -1) * onsager[1, 0]) < 1e-12
    assert abs(onsager[1, 2] - onsager[2, 1]) < 1e-12
    assert np.linalg.eigvalsh(onsager + onsager.T)[0] > 0
    for forces in np.random.default_rng(4).normal(size=(5, 3)):
        power = coupled_power(block, *(scale * forces))
        assert power == pytest.approx(forces @ onsager @ forces, rel=1e-12, abs=0)


def test_whole_matrix_is_refused_exactly_where_it_has_a_negative_eigenvalue():
    """Random coefficients, even and odd; coefficient by coefficient would not do."""
    random, found = np.random.default_rng(7), []
    for _ in range(400):
        a, perp, s, g = random.uniform(0.2, 2, 4)
        given = {
            "ferromagnetic": a, "cross": random.normal(size=(2, 2)) / 3, "even": random.random((2, 2)) < 0.7,
            "transverse_conductivity": perp, "conductivity": s, "beta": random.uniform(-0.95, 0.95), "relaxation": g,
            "precession": random.normal(),
        }  # fmt: skip
        l, even = given["cross"], given["even"]  # noqa: E741
        symmetric = np.diag([a, a, 2 * perp, 2 * s, 2 * s, g])
        symmetric[3, 4] = symmetric[4, 3] = 2 * s * given["beta"]
        symmetric[:2, 2:4] = np.where(even, 2 * l, 0)
        symmetric[2:4, :2] = symmetric[:2, 2:4].T
        positive = np.linalg.eigvalsh(symmetric)[0] > 0
        one_by_one = (2 * np.where(even, l, 0) ** 2 / [perp, s * (1 - given["beta"] ** 2)] < a).all()
        found.append((positive, one_by_one))
        if positive:
            m = coupled_matrix(**given)
            assert (m + m.T) / 2 == pytest.approx(symmetric, rel=1e-14, abs=1e-14)
            assert m[2:4, :2] == pytest.approx(np.where(even, 2 * l, -2 * l).T, rel=1e-15)
        else:
            with pytest.raises(ModelError, match="power would be gained; cross must be smaller by a factor of") as e:
                coupled_matrix(**given)
            factor = float(str(e.value).split()[-1])
            coupled_matrix(**given | {"cross": l / (factor * 1.00001)})
    found = np.array(found)
    assert 50 < found[:, 0].sum() < 350
    assert (found[:, 1] & ~found[:, 0]).any()


def test_matrix_of_a_block():
    """One entry of the whole matrix is the block of that component."""
    m = coupled_matrix(
        ferromagnetic=A, cross=[[0, 0], [0, CROSS]], even=[[True] * 2] * 2, transverse_conductivity=3e6,
        conductivity=SIGMA, beta=BETA, relaxation=2e21,
    )  # fmt: skip
    force, field, charge = 1.3e-21, -7e3, 2e4
    fluxes = m @ [0, force, 0, field / 2, charge / 2, 0]
    assert fluxes[[1, 3, 4]] == pytest.approx(coupled_fluxes(EVEN, force, field, charge), rel=1e-13, abs=0)
    with pytest.raises(InputError, match="two rows of two entries"):
        coupled_matrix(
            ferromagnetic=A, cross=[1.0], even=[True], transverse_conductivity=3e6, conductivity=SIGMA, beta=BETA,
            relaxation=2e21,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((-1.0, CROSS, 2 * CROSS, SIGMA, 0.1), "ferromagnetic is -1.0"),
        ((A, np.nan, 2 * CROSS, SIGMA, 0.1), "cross is nan"),
        ((A, CROSS, np.inf, SIGMA, 0.1), "reciprocal is inf"),
        ((A, 1e20, 1e20, SIGMA, 0.1), "reciprocal is 1e[+]20; it must be twice cross, 2e[+]20"),
        ((A, CROSS, 2 * CROSS, 0.0, 0.1), "conductivity is 0.0"),
        ((A, CROSS, 2 * CROSS, SIGMA, 1.0), "beta is 1.0"),
    ],
)
def test_blocks_that_cannot_be(values, message):
    with pytest.raises(InputError, match=message):
        SpinTransferBlock(*values)
    with pytest.raises(InputError, match="mixing_conductance is inf"):
        transverse_cross(SPIN, np.inf)


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
    block = SpinTransferBlock(a, cross, 2 * cross, 2 * mixing * 4e-9, beta=0.0)
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
