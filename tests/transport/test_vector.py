"""The vector model against the exact solution, closed forms, and the two-channel model."""

from dataclasses import replace

import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI
from samples.solvers import TO_ROUNDING
from samples.vector import AU, CO, CU, NC, NP, OBLIQUE, PY, STACKS, TILT, J, layer, reference

import fespin as fs
from fespin.constants import BOHR_MAGNETON, ELEMENTARY_CHARGE, HBAR
from fespin.domain import sample
from fespin.onsager.power import region_integral
from fespin.transport.spins import SPIN_PER_CHARGE
from fespin.transport.torque import torque_density
from references import channel_models as exact

COMM = MPI.COMM_SELF


def solve(name, mesh_size=0.25e-9, degree=2):
    layers, faces, ends, transverse, field = STACKS[name]
    stack = fs.Stack(*layers, interfaces=faces, library={})
    contacts = dict(zip(("bottom", "top"), ends, strict=True))
    model = fs.Vector(transverse, field)
    problem = fs.TransportProblem(fs.line(COMM, stack, mesh_size=mesh_size), model, contacts=contacts, degree=degree)
    return stack, problem.solve(current_density=J), reference(stack, ends, transverse, field)


@pytest.mark.parametrize("name", STACKS)
def test_against_the_exact_solution(name):
    stack, x, e = solve(name)
    assert x.resistance_area == pytest.approx(e.resistance_area, rel=5e-8, abs=0)
    assert abs(x.power_balance) < 1e-10
    scale = SPIN_PER_CHARGE * J
    for i, one in enumerate(stack):
        if one.direction is not None:
            assert x.report["torque"][one.name] == pytest.approx(exact.torque(e, i), rel=0, abs=1e-6 * scale)
            assert np.linalg.norm(x.report["torque"][one.name]) > 1e-3 * scale
    profile = x.profile(7)
    for i in range(len(stack.layers)):
        at = profile.layer == i
        right = e.w(profile.position[at], i).real
        found = np.array([v[at] for v in profile.potentials.values()]).T
        assert found == pytest.approx(right, rel=0, abs=1e-6 * abs(x.voltage))


# ---- magnets along one axis
@pytest.mark.parametrize("axis", [(0, 0, 1), (0.36, 0.48, -0.8)], ids=["z", "oblique"])
@pytest.mark.parametrize("build", ["line", "strip"])
@pytest.mark.parametrize(("transverse", "mixing"), [("absorbed", 2e13), ("absorbed", 8e14 - 6e14j), ("resolved", None)])
def test_collinear_magnets_are_the_two_channel_model(axis, build, transverse, mixing):
    """Resistance, potentials, every power and A R_ne, whatever becomes of the spins that are not there; no torque."""
    axis = np.array(axis)
    nc = replace(NC, mixing_conductance=mixing)
    faces = {("Cu", "Co"): nc, ("Cu", "Py"): replace(NP, mixing_conductance=mixing), ("Au", "Py"): nc}
    layers = [layer(CU, 12), layer(CO, 7, axis), layer(CU, 9), layer(PY, 4, -axis), layer(AU, 20)]
    stack = fs.Stack(*layers, interfaces=faces, library={})
    domain = fs.line(COMM, stack) if build == "line" else fs.strip(COMM, stack, width=30e-9)
    contacts = {"bottom": "lead", "top": "blocked"}
    two, x = (
        fs.TransportProblem(domain, model, contacts=contacts, solver=TO_ROUNDING).solve(current_density=J)
        for model in (fs.TwoChannel(), fs.Vector(transverse))
    )
    assert x.resistance_area == pytest.approx(two.resistance_area, rel=1e-11, abs=0)
    assert x.r_nonequilibrium == pytest.approx(two.r_nonequilibrium, rel=1e-9, abs=0)
    a, b = (y.dissipation.by_place for y in (x, two))
    assert a == pytest.approx(b, rel=0, abs=1e-11 * two.dissipation.total)
    p, q, scale = x.profile(7).potentials, two.profile(7).potentials, abs(two.voltage)
    spin = np.array([p[k] for k in "xyz"])
    # The two-channel model's axis is the one whose largest component is positive.
    s = np.sign(axis[np.abs(axis).argmax()]) * (axis @ spin)
    assert p["charge"] + s == pytest.approx(q["up"], rel=0, abs=1e-10 * scale)
    assert p["charge"] - s == pytest.approx(q["down"], rel=0, abs=1e-10 * scale)
    assert np.abs(np.cross(axis, spin.T)).max() < 1e-10 * scale
    torque = np.array(list(x.report["torque"].values()))
    assert np.abs(torque).max() < 1e-10 * SPIN_PER_CHARGE * J


# ---- symmetry
@pytest.mark.parametrize("name", ["absorbed, Hanle", "resolved, magnets touch"])
def test_rotation_of_all_spins(name):
    """Magnets and field turned together: the same resistance, turned torques and accumulations."""
    layers, faces, ends, transverse, field = STACKS[name]
    contacts = dict(zip(("bottom", "top"), ends, strict=True))
    results = []
    random = np.random.default_rng(5)
    for turn in (np.eye(3), *(rotation(random) for _ in range(2))):
        turned = [replace(x, magnetization=turn @ x.direction if x.direction else None) for x in layers]
        domain = fs.line(COMM, fs.Stack(*turned, interfaces=faces, library={}), mesh_size=1e-9)
        problem = fs.TransportProblem(domain, fs.Vector(transverse, turn @ field), contacts=contacts)
        results.append((turn, problem.solve(current_density=J)))
    _, first = results[0]
    for turn, x in results[1:]:
        assert x.resistance_area == pytest.approx(first.resistance_area, rel=1e-11, abs=0)
        assert x.dissipation.by_place == pytest.approx(first.dissipation.by_place, rel=1e-9, abs=0)
        for key in ("torque", "spin_accumulation"):
            for place, vectors in first.report[key].items():
                expected, found = np.array(vectors) @ turn.T, np.array(x.report[key][place])
                assert found == pytest.approx(expected, rel=0, abs=1e-9 * np.abs(expected).max())
                assert np.abs(expected).max() > 0


def rotation(random):
    q, _ = np.linalg.qr(random.normal(size=(3, 3)))
    return q * np.sign(np.linalg.det(q))


# ---- reversible terms
@pytest.mark.parametrize("name", ["absorbed, Hanle", "resolved", "resolved, magnets touch"])
def test_precession_does_no_work(name):
    """Exchange field, Hanle field and Im G_mix turn the torque; no mechanism of theirs takes power."""
    _, x, _ = solve(name, mesh_size=1e-9)
    still = {m: replace(m, precession_length=None) for m in (CO, PY)}
    layers, faces, ends, transverse, _ = STACKS[name]
    layers = [replace(y, material=still.get(y.material, y.material)) for y in layers]
    faces = {
        k: replace(f, mixing_conductance=f.mixing_conductance and f.mixing_conductance.real) for k, f in faces.items()
    }
    stack = fs.Stack(*layers, interfaces=faces, library={})
    contacts = dict(zip(("bottom", "top"), ends, strict=True))
    problem = fs.TransportProblem(fs.line(COMM, stack, mesh_size=1e-9), fs.Vector(transverse), contacts=contacts)
    y = problem.solve(current_density=J)
    assert problem.system.symmetric
    for place, torque in x.report["torque"].items():
        assert np.linalg.norm(np.subtract(torque, y.report["torque"][place])) > 0.02 * np.linalg.norm(torque)
    assert x.dissipation.by_mechanism.keys() == y.dissipation.by_mechanism.keys()
    assert not any("precession" in m or "Hanle" in m for m in x.dissipation.by_mechanism)
    assert min(x.dissipation.parts.values()) >= -1e-15 * x.dissipation.total
    assert x.dissipation.total == pytest.approx(x.voltage * x.current, rel=1e-10, abs=0)


@pytest.mark.parametrize("tesla", [0.0, 0.21, -0.8, 3.1])
def test_hanle(tesla):
    """Spins across B decay as exp(-kappa z), kappa^2 = 1/l^2 - i omega/D, and their mean is a Lorentzian."""
    b = np.array([0.6, 0.8, 0.0])
    metal = fs.Material("N", 2.5e-8, 300e-9, density_of_states=1.1e47, g_factor=1.9)
    stack = fs.Stack(layer(CO, 7, TILT), layer(metal, 700), interfaces={("Co", "N"): NC}, library={})
    domain = fs.line(COMM, stack, mesh_size=4e-9)
    problem = fs.TransportProblem(domain, fs.Vector("absorbed", tesla * b), contacts={"bottom": "lead", "top": "lead"})
    x = problem.solve(current_density=J)
    sigma, length = 1 / metal.resistivity, metal.spin_diffusion_length
    diffusion = sigma / (ELEMENTARY_CHARGE**2 * metal.density_of_states)
    omega = metal.g_factor * BOHR_MAGNETON * tesla / HBAR
    kappa = np.sqrt(length**-2 - 1j * omega / diffusion)
    e1 = np.array([0.0, 0.0, 1.0])
    e2 = np.cross(b, e1)  # b x turns e1 to e2

    def split(v):
        """A vector as its components along b, and across it as a complex number that b x turns by i."""
        v = np.asarray(v).T
        return b @ v, e1 @ v + 1j * (e2 @ v)

    profile = x.profile(15)
    at = profile.layer == 1
    z = profile.position[at] - profile.position[at][0]
    along, across = split(np.array([profile.potentials[k][at] for k in "xyz"]).T)
    assert along == pytest.approx(along[0] * np.exp(-z / length), rel=0, abs=1e-7 * abs(along[0]))
    assert across == pytest.approx(across[0] * np.exp(-kappa * z), rel=0, abs=1e-7 * abs(across[0]))
    assert abs(along[0]) > 0.1 * abs(across[0]) > 0
    # The whole half-space: this layer and the lead behind it.
    total = [region_integral(problem.system, x.fields[f], "N2") for f in ("sx", "sy", "sz")]
    _, mean = split(total)
    currents = x.channel_currents["Co1|N2"]
    _, injected = split([currents[k] for k in "xyz"])
    lorentzian = injected * length**2 / sigma / (1 - 1j * omega * length**2 / diffusion)
    assert mean + across[-1] / kappa == pytest.approx(lorentzian, rel=1e-7, abs=0)


# ---- torque
def test_circuit_theory():
    """Current and torques of the symmetric valve with one node: G and p of each face, eta = 2 G_mix/G complex.

    s = a e + b n with e = (m1 - m2)/2S, n along m1 x m2, S and C of half the angle:
    a = p V S/(2 (S^2 + C^2 |eta|^2/Re eta)), b = a C Im eta/Re eta.
    """
    g, p, volt = 2e15, 0.3, 1e-3
    magnetic = fs.Material("F", 1e-13, 1e-10, 0.0)
    metal = fs.Material("N", 1e-13, 1e-3)
    for eta, angle in ((0.8 + 0j, 0.4), (0.8 - 0.5j, 1.7), (0.6 + 0.3j, 2.9)):
        m1, m2 = np.array([0, 0, 1.0]), np.array([np.sin(angle), 0, np.cos(angle)])
        face = fs.Interface.from_conductances(g * (1 + p) / 2, g * (1 - p) / 2, eta * g / 2)
        stack = fs.Stack(
            layer(magnetic, 1, m1), layer(metal, 1), layer(magnetic, 1, m2), interfaces={("F", "N"): face}, library={}
        )
        x = fs.TransportProblem(fs.line(COMM, stack), fs.Vector()).solve(voltage=volt)
        s, c = np.sin(angle / 2), np.cos(angle / 2)
        a = p * volt * s / (2 * (s**2 + c**2 * abs(eta) ** 2 / eta.real))
        spin = a * ((m1 - m2) / (2 * s) + c * eta.imag / eta.real * np.cross(m1, m2) / np.sin(angle))
        assert x.current == pytest.approx(g * (volt / 2 - p * a * s), rel=1e-5, abs=0)
        for m, place in ((m1, "F1"), (m2, "F3")):
            absorbed = eta.real * (spin - m * (m @ spin)) + eta.imag * np.cross(m, spin)
            scale = SPIN_PER_CHARGE * g
            assert x.report["torque"][place] == pytest.approx(scale * absorbed, rel=0, abs=1e-5 * scale * a)
        # The torque acts on the angular momentum, antiparallel to m; electrons flow from F3 to F1 and turn m1 to m2.
        assert -np.array(x.report["torque"]["F1"]) @ m2 > 0


@pytest.mark.parametrize("name", [n for n in STACKS if n != "resolved, magnetic leads"])
def test_conservation_of_angular_momentum(name):
    """What contacts supply is the torques, what spin flip takes, and what the field turns."""
    layers, faces, ends, transverse, field = STACKS[name]
    stack = fs.Stack(*layers, interfaces=faces, library={})
    contacts = dict(zip(("bottom", "top"), ends, strict=True))
    problem = fs.TransportProblem(fs.line(COMM, stack, mesh_size=1e-9), fs.Vector(transverse, field), contacts=contacts)
    x = problem.solve(current_density=J)
    supplied = sum(np.array([x.channel_currents[end][k] for k in "xyz"]) for end in contacts)
    spent = np.zeros(3)
    for y in stack:
        m, sigma = y.material, 1 / y.material.resistivity
        total = np.array([region_integral(problem.system, x.fields[f], y.name) for f in ("sx", "sy", "sz")])
        if y.direction is None:
            per_tesla = ELEMENTARY_CHARGE**2 * m.density_of_states * m.g_factor * BOHR_MAGNETON / HBAR
            spent += sigma / m.spin_diffusion_length**2 * total - per_tesla * np.cross(field, total)
        else:
            u = np.array(y.direction)
            spent += sigma * (1 - m.beta**2) / m.spin_diffusion_length**2 * u * (u @ total)
            spent += np.array(x.report["torque"][y.name]) / SPIN_PER_CHARGE
    assert supplied == pytest.approx(spent, rel=0, abs=1e-8 * J)
    assert np.abs(spent).max() > 1e-3 * J


def test_torque_density():
    """It integrates to the torque of resolved spins, whatever the faces, and is zero outside the magnet."""
    layers, _, ends, _, _ = STACKS["resolved"]
    for faces in ({}, {("Au", "Co"): NC, ("Cu", "Py"): NP}):
        stack = fs.Stack(*layers, interfaces=faces, library={})
        contacts = dict(zip(("bottom", "top"), ends, strict=True))
        problem = fs.TransportProblem(fs.line(COMM, stack, mesh_size=1e-9), fs.Vector("resolved"), contacts=contacts)
        x = problem.solve(current_density=J)
        for place, torque in x.report["torque"].items():
            density = torque_density(problem, x, place)
            total = [fem.assemble_scalar(fem.form(f * ufl.dx)) for f in density]
            assert total == pytest.approx(torque, rel=0, abs=1e-11 * np.linalg.norm(torque))
            assert sample(density, problem.domain, np.array([[15e-9, 0, 0]]), "Cu3") == pytest.approx(0, rel=0, abs=0)


def test_thick_resolved_magnets_are_mixing_conductances():
    """1/G = 1/G_face + 2/(sigma_perp kappa), kappa^2 = l_phi^-2 - i l_J^-2: the same resistance and torques."""
    found = []
    for transverse in ("resolved", "absorbed"):
        faces = {}
        for pair, face, m in ((("Cu", "Co"), NC, CO), (("Cu", "Py"), NP, PY)):
            perp = m.transverse_conductivity or 1 / m.resistivity
            kappa = np.sqrt(m.dephasing_length**-2 - 1j * m.precession_length**-2)
            g = face.mixing_conductance
            if transverse == "absorbed":
                g = 1 / (1 / g + 2 / (perp * kappa))
            faces[pair] = replace(face, mixing_conductance=complex(g))
        stack = fs.Stack(layer(CO, 30, TILT), layer(CU, 9), layer(PY, 40, OBLIQUE), interfaces=faces, library={})
        contacts = {"bottom": "lead", "top": "lead"}
        problem = fs.TransportProblem(fs.line(COMM, stack, mesh_size=0.25e-9), fs.Vector(transverse), contacts=contacts)
        found.append(problem.solve(current_density=J))
    a, b = found
    assert a.resistance_area == pytest.approx(b.resistance_area, rel=1e-8, abs=0)
    for place, torque in a.report["torque"].items():
        assert torque == pytest.approx(b.report["torque"][place], rel=0, abs=1e-6 * np.linalg.norm(torque))
        assert np.linalg.norm(torque) > 1e-3 * SPIN_PER_CHARGE * J


def test_torque_density_is_that_of_the_solution():
    """Also when the magnets of the problem have been turned since."""
    layers, faces, _, transverse, field = STACKS["resolved"]
    stack = fs.Stack(*layers, interfaces=faces, library={})
    problem = fs.TransportProblem(fs.line(COMM, stack, mesh_size=1e-9), fs.Vector(transverse, field))
    x = problem.solve(current_density=J)
    name = next(n for n in x.report["torque"])
    before = [f.x.array.copy() for f in torque_density(problem, x, name)]
    problem.magnetize({name: (1.0, -2.0, 0.5)})
    after = [f.x.array for f in torque_density(problem, x, name)]
    assert max(np.abs(f).max() for f in before) > 0
    for a, b in zip(after, before, strict=True):
        assert np.array_equal(a, b)
