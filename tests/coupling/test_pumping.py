"""Spin pumping against closed forms and the exact solution, and its reciprocity with spin torque."""

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI
from samples.vector import AU, CO, CU, NC, NP, PY, layer

import fespin as fs
from fespin.constants import ELECTRON_GYROMAGNETIC_RATIO, ELEMENTARY_CHARGE, HBAR
from fespin.coupling import pumped_damping, pumping_matrix, solve_turning
from fespin.errors import InputError, ModelError

COMM = MPI.COMM_SELF
SHORT = dict.fromkeys(("bottom", "top"), fs.Terminal(voltage=0.0))
MS = 1.1e6


def problem_of(layers, faces, ends=("reservoir", "reservoir"), transverse="absorbed", domain=None, **options):
    stack = fs.Stack(*layers, interfaces=faces, library={})
    made = domain(stack) if domain else fs.line(COMM, stack, **options)
    contacts = dict(zip(("bottom", "top"), ends, strict=True))
    return fs.TransportProblem(made, fs.Vector(transverse), contacts=contacts)


def closed_damping(mixing, metal, thickness, end, magnet_thickness):
    """(gamma hbar^2/(2 e^2 Ms t)) G_eff of one interface, G_eff = G/(1 + 2 G rho l coth(d/l)), tanh for a reservoir."""
    x = thickness / metal.spin_diffusion_length
    back = {"blocked": 1 / np.tanh(x), "reservoir": np.tanh(x), "lead": 1.0}[end]
    g = mixing / (1 + 2 * mixing * metal.resistivity * metal.spin_diffusion_length * back)
    return ELECTRON_GYROMAGNETIC_RATIO * HBAR**2 / (2 * ELEMENTARY_CHARGE**2 * MS * magnet_thickness) * g


@pytest.mark.parametrize("ends", [("reservoir", "reservoir"), ("blocked", "lead"), ("lead", "blocked")])
def test_damping_of_one_magnet(ends):
    u = np.array([1.0, 2.0, -2.0]) / 3
    problem = problem_of(
        [layer(AU, 24), layer(PY, 5, tuple(u)), layer(CU, 60)], {("Py", "Au"): NP, ("Py", "Cu"): NC}, ends
    )
    tensor = pumped_damping(problem, "Py2", MS)
    right = closed_damping(NP.mixing_conductance, AU, 24e-9, ends[0], 5e-9)
    right += closed_damping(NC.mixing_conductance, CU, 60e-9, ends[1], 5e-9)
    across = np.eye(3) - np.outer(u, u)
    cross = np.cross(np.eye(3), u)  # s -> u x s
    assert tensor == pytest.approx(right.real * across + right.imag * cross, rel=0, abs=1e-6 * abs(right))
    assert pumped_damping(problem, "Py2", MS, open_circuit=True) == pytest.approx(tensor, rel=0, abs=1e-9 * abs(right))


def test_ideal_sinks():
    """(gamma hbar/(4 pi Ms t)) Re g_mix per interface, g = G h/e^2 per area."""
    metal = fs.Material("Pt", 1e-14, 1e-9)  # no resistance: nothing flows back
    problem = problem_of([layer(metal, 20), layer(PY, 5, (0, 0, 1)), layer(metal, 20)], {("Py", "Pt"): NP})
    planck = 2 * np.pi * HBAR
    g = NP.mixing_conductance.real * planck / ELEMENTARY_CHARGE**2
    right = 2 * ELECTRON_GYROMAGNETIC_RATIO * HBAR / (4 * np.pi * MS * 5e-9) * g
    assert np.diag(pumped_damping(problem, "Py2", MS))[:2] == pytest.approx(right, rel=1e-4, abs=0)


def random_device(seed, transverse):
    """A valve with random numbers; half of them with resolved transverse spins."""
    r = np.random.default_rng(seed)

    def metal(name):
        return fs.Material(name, r.uniform(1, 20) * 1e-8, r.uniform(5, 80) * 1e-9)

    def magnet(name):
        return fs.Material(
            name, r.uniform(5, 30) * 1e-8, r.uniform(4, 40) * 1e-9, r.uniform(-0.8, 0.8),
            transverse_conductivity=r.uniform(2, 9) * 1e6, dephasing_length=r.uniform(1, 4) * 1e-9,
            precession_length=r.uniform(1, 4) * 1e-9,
        )  # fmt: skip

    def face():
        up, down = r.uniform(1, 12, 2) * 1e14
        return fs.Interface.from_conductances(up, down, complex(r.uniform(3, 9), r.uniform(-2, 2)) * 1e14)

    n1, n2, n3, f1, f2 = metal("N1"), metal("N2"), metal("N3"), magnet("F1"), magnet("F2")
    p, u = r.normal(size=(2, 3))
    faces = {("N1", "F1"): face(), ("F1", "N2"): face(), ("N2", "F2"): face(), ("F2", "N3"): face()}
    if transverse == "resolved" and seed % 2:
        faces = {}
    sizes = r.uniform(3, 20, 5)
    layers = [
        layer(n1, sizes[0]), layer(f1, sizes[1], tuple(p)), layer(n2, sizes[2]), layer(f2, sizes[3], tuple(u)),
        layer(n3, sizes[4]),
    ]  # fmt: skip
    ends = tuple(r.choice(["reservoir", "lead"], 2))
    return layers, faces, ends


@pytest.mark.parametrize("seed", range(10))
def test_reciprocity(seed):
    """I = G V + a.w, T = b V - Gamma w: a(M) = b(-M) and Gamma(M) = Gamma(-M)^T, from independent solves."""
    transverse = "absorbed" if seed < 5 else "resolved"
    layers, faces, ends = random_device(seed, transverse)

    def both(sign):
        made = [
            x if x.magnetization is None else replace(x, magnetization=tuple(sign * np.array(x.magnetization)))
            for x in layers
        ]
        problem = problem_of(made, faces, ends, transverse, mesh_size=1e-9)
        torque = np.array(problem.solve(voltage=1.0).report["torque"]["F24"])
        free = "F24"
        pumped = np.array([solve_turning(problem, {free: 1e9 * e}, SHORT).currents["bottom"] / 1e9 for e in np.eye(3)])
        return torque, pumped, pumping_matrix(problem, free)

    torque, pumped, gamma = both(1)
    torque_back, pumped_back, gamma_back = both(-1)
    scale = np.abs(torque).max()
    assert pumped == pytest.approx(torque_back, rel=0, abs=1e-8 * scale)
    assert pumped_back == pytest.approx(torque, rel=0, abs=1e-8 * scale)
    assert gamma == pytest.approx(gamma_back.T, rel=0, abs=1e-8 * np.abs(gamma).max())
    assert np.linalg.eigvalsh(gamma + gamma.T).min() > -1e-9 * np.abs(gamma).max()
    # With u and p in a plane: opposite along the in-plane axis across u, equal along the normal.
    p, u = (np.array(x.magnetization) / np.linalg.norm(x.magnetization) for x in (layers[1], layers[3]))
    normal = np.cross(p, u) / np.linalg.norm(np.cross(p, u))
    inside = np.cross(normal, u)
    assert torque @ inside == pytest.approx(-pumped @ inside, rel=0, abs=1e-8 * scale)
    assert torque @ normal == pytest.approx(pumped @ normal, rel=0, abs=1e-8 * scale)


def test_energy_with_a_drive_and_two_turning_magnets():
    layers, faces, ends = random_device(3, "absorbed")
    problem = problem_of(layers, faces, ends, mesh_size=1e-9)
    drive = {"bottom": fs.Terminal(current=2e10), "top": fs.Terminal(voltage=0.0)}
    x = solve_turning(problem, {"F12": (2e10, -1e10, 4e9), "F24": (0.0, 3e10, 1e10)}, drive)
    assert abs(x.power_balance) < 1e-10
    assert x.mechanical_power != 0
    assert min(x.dissipation.parts.values()) > -1e-12 * x.dissipation.total
    still = solve_turning(problem, {"F12": (0.0, 0.0, 0.0)}, drive)
    assert still.voltages["bottom"] == pytest.approx(problem.solve(terminals=drive).voltage, rel=1e-10, abs=0)


def test_a_section_equals_a_line():
    layers, faces, ends = random_device(2, "absorbed")
    line = problem_of(layers, faces, ends)
    section = problem_of(
        layers, faces, ends, domain=lambda s: fs.strip(COMM, s, width=25e-9, depth=3e-8, mesh_size=6e-9)
    )
    w = {"F24": (1e9, 3e9, -2e9)}
    a, b = (solve_turning(p, w, SHORT) for p in (line, section))
    area = section.domain.area
    assert b.currents["bottom"] / area == pytest.approx(a.currents["bottom"], rel=1e-5, abs=0)
    assert b.torque["F24"] == pytest.approx(a.torque["F24"], rel=0, abs=1e-5 * np.abs(a.torque["F24"]).max())
    assert b.mechanical_power / area == pytest.approx(a.mechanical_power, rel=1e-5, abs=0)


def test_what_cannot_turn():
    layers, faces, ends = random_device(1, "absorbed")
    problem = problem_of(layers, faces, ends, mesh_size=2e-9)
    with pytest.raises(InputError, match="'N11' cannot turn: it is no ferromagnet"):
        solve_turning(problem, {"N11": (0, 0, 1e9)}, SHORT)
    with pytest.raises(InputError, match="angular velocity is"):
        solve_turning(problem, {"F12": (0, 1e9)}, SHORT)
    plain = fs.TransportProblem(fs.line(COMM, fs.Stack(layer(CO, 5))))
    with pytest.raises(ModelError, match="only the vector model"):
        solve_turning(plain, {"Co1": (0, 0, 1e9)}, SHORT)
    with pytest.raises(InputError, match="saturation_magnetization"):
        pumped_damping(problem, "F12", -1.0)


def test_a_lead_does_not_turn_with_its_magnet():
    """The lead is at rest: spins that follow the magnet would end there as if it were another metal."""
    layers = [layer(CU, 9), layer(CO, 20, (0, 0, 1))]
    ends = ("reservoir", "lead")
    with pytest.raises(InputError, match="'Co2' cannot turn: the lead at 'top' continues it"):
        pumping_matrix(problem_of(layers, {}, ends, "resolved", mesh_size=1e-9), "Co2")
    # What an interface absorbs does not come as far as the lead.
    absorbed = [
        pumping_matrix(problem_of(layers, {("Cu", "Co"): NC}, ("reservoir", k), mesh_size=1e-9), "Co2")
        for k in ("lead", "blocked")
    ]
    assert absorbed[0] == pytest.approx(absorbed[1], rel=1e-9, abs=1e-9 * np.abs(absorbed[0]).max())
