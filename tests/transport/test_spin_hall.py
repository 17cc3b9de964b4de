"""Spin Hall effect and anisotropic resistance of films on a line: exact solutions, closed forms, reciprocity."""

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI

import fespin as fs
from fespin.constants import ELEMENTARY_CHARGE, HBAR
from fespin.coupling import solve_turning, torque_map
from fespin.errors import InputError, ModelError
from fespin.onsager import StateLaw
from references import film as exact

COMM = MPI.COMM_SELF
HALF = HBAR / (2 * ELEMENTARY_CHARGE)
UP, DOWN, MIX = 6e14, 3e14, 5e14 + 0.8e14j
FACE = fs.Interface.from_conductances(UP, DOWN, MIX)
FIELD = (1e5, -0.4e5)
OBLIQUE = (0.3, -0.5, 0.8)
STILL = {"bottom": fs.Terminal(current=0.0), "top": fs.Terminal(voltage=0.0)}


def metal(theta=0.1):
    return fs.Material("Pt", 2.5e-7, 1.5e-9, spin_hall_angle=theta)


def ferro(anisotropy=0.0):
    return fs.Material(
        "F", 3e-7, 5e-9, 0.5, transverse_conductivity=2.1e6, dephasing_length=1.2e-9, precession_length=0.8e-9,
        anisotropic_magnetoresistance=anisotropy,
    )  # fmt: skip


def problem(kind, m=OBLIQUE, *, anisotropy=0.0, theta=0.1, degree=2, flipped=False, **mesh):
    layers = [fs.Layer(metal(theta), 5e-9, "hm"), fs.Layer(ferro(anisotropy), 2e-9, "f", m)]
    faces = {} if kind == "resolved" else {("Pt", "F"): FACE}
    stack = fs.Stack(*(layers[::-1] if flipped else layers), interfaces=faces, library={})
    ends = dict.fromkeys(("bottom", "top"), "blocked")
    return fs.TransportProblem(
        fs.line(COMM, stack, **(mesh or {"mesh_size": 0.2e-9})), fs.Vector(kind), contacts=ends, degree=degree
    )


def reference(kind, m=OBLIQUE, *, anisotropy=0.0, theta=0.1, flipped=False, field=FIELD, turning=(0, 0, 0)):
    """Return in-plane currents of metal and magnet, and the torque."""
    hm = exact.normal(5e-9, 2.5e-7, 1.5e-9, theta, field)
    f = exact.magnet(
        2e-9, 3e-7, 0.5, 5e-9, m, across=2.1e6, dephasing=1.2e-9, precession=0.8e-9, anisotropy=anisotropy,
        electric_field=field, turning=turning, absorbing=kind == "absorbed",
    )  # fmt: skip
    layers = [f, hm] if flipped else [hm, f]
    face = exact.mixing(*layers, UP, DOWN, MIX) if kind == "absorbed" else exact.continuous(*layers)
    x = exact.solve(layers, [face], exact.blocked(layers[0], 0.0), exact.blocked(layers[1]))
    i = layers.index(f)
    faces = {1 - i: (UP, DOWN, MIX)} if kind == "absorbed" else None
    return x.in_plane(1 - i)[:2], x.in_plane(i)[:2], x.torque(i, faces)


def currents(x, layer):
    return np.array(x.in_plane_currents[layer]["charge"])[:2]


@pytest.mark.parametrize("kind", ["absorbed", "resolved"])
@pytest.mark.parametrize("anisotropy", [0.0, 0.3, -0.4])
@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("m", [OBLIQUE, (0, 1, 0), (0, 0, -1)])
def test_films_against_the_exact_solution(kind, anisotropy, flipped, m):
    """Upside down, too: the spin current through the other face of the metal is the opposite one."""
    x = problem(kind, m, anisotropy=anisotropy, flipped=flipped).solve(electric_field=(*FIELD, 0))
    hm, f, torque = reference(kind, m, anisotropy=anisotropy, flipped=flipped)
    assert currents(x, "hm") == pytest.approx(hm, rel=1e-8, abs=1e-10 * np.abs(hm).max())
    assert currents(x, "f") == pytest.approx(f, rel=1e-8, abs=1e-8 * np.abs(f).max())
    assert x.report["torque"]["f"] == pytest.approx(torque, rel=0, abs=1e-6 * np.abs(torque).max())
    assert abs(x.power_balance) < 1e-13
    assert x.r_nonequilibrium is None
    assert min(x.dissipation.parts.values()) > -1e-15 * x.dissipation.total


def test_order_of_convergence():
    torque = reference("resolved", anisotropy=0.3)[2]
    for degree, order in ((1, 2), (2, 4)):
        errors = []
        for refine in (0.5, 1.0):
            x = problem("resolved", anisotropy=0.3, refine=refine, degree=degree).solve(electric_field=(*FIELD, 0))
            errors.append(np.linalg.norm(np.array(x.report["torque"]["f"]) - torque))
        assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.4)


def test_torque_of_an_insulating_magnet():
    """Closed form of the damping-like and field-like efficiency; the sign: moments go along J x n, to -y here."""
    d, length, theta = 5e-9, 1.5e-9, 0.1
    weak = fs.Interface.from_conductances(1e3, 1e3, MIX)
    for m in ((0, 0, 1), (1, 0, 0)):
        layers = [fs.Layer(metal(theta), d, "hm"), fs.Layer(ferro(), 2e-9, "f", m)]
        stack = fs.Stack(*layers, interfaces={("Pt", "F"): weak}, library={})
        ends = dict.fromkeys(("bottom", "top"), "blocked")
        p = fs.TransportProblem(fs.line(COMM, stack, mesh_size=0.1e-9), fs.Vector("absorbed"), contacts=ends)
        torque = np.array(p.solve(electric_field=(1e5, 0, 0)).report["torque"]["f"])
        current, q, u = 1e5 / 2.5e-7, np.array([0, 1.0, 0]), np.array(m, float)
        admittance = np.tanh(d / length) / (2.5e-7 * length)
        xi = theta * (1 - 1 / np.cosh(d / length)) * 2 * MIX / (2 * MIX + admittance)
        expected = HALF * current * (xi.real * q + xi.imag * np.cross(u, q))
        assert torque == pytest.approx(expected, rel=0, abs=1e-6 * np.abs(expected).max())
    # The torque acts on the angular momentum; the moment is antiparallel to it and is driven towards -y.
    assert torque[1] > 0


def test_spin_hall_magnetoresistance():
    """Between m along y and along z: theta^2 (l/d) 2 l G tanh^2(d/2l)/(sigma + 2 l G coth(d/l)), exact in theta."""
    d, length, theta, sigma = 5e-9, 1.5e-9, 0.4, 1 / 2.5e-7
    weak = fs.Interface.from_conductances(1e2, 1e2, MIX)
    found = {}
    for m in ((0, 1, 0), (0, 0, 1)):
        layers = [fs.Layer(metal(theta), d, "hm"), fs.Layer(ferro(), 2e-9, "f", m)]
        stack = fs.Stack(*layers, interfaces={("Pt", "F"): weak}, library={})
        ends = dict.fromkeys(("bottom", "top"), "blocked")
        p = fs.TransportProblem(fs.line(COMM, stack, mesh_size=0.1e-9), fs.Vector("absorbed"), contacts=ends)
        found[m] = currents(p.solve(electric_field=(1e5, 0, 0)), "hm") / (sigma * 1e5 * d)
    g = 2 * length * MIX
    f = theta**2 * (length / d) * g * np.tanh(d / (2 * length)) ** 2 / (sigma + g / np.tanh(d / length))
    assert found[0, 1, 0][0] - found[0, 0, 1][0] == pytest.approx(f.real, rel=1e-6)
    assert found[0, 0, 1][1] == pytest.approx(-f.imag, rel=1e-6)
    assert found[0, 1, 0][0] == pytest.approx(1 + 2 * theta**2 * length / d * np.tanh(d / (2 * length)), rel=1e-8)


def sheet(x):
    """Return the current per width (A/m), x and y."""
    return currents(x, "hm") + currents(x, "f")


@pytest.mark.parametrize("kind", ["absorbed", "resolved"])
@pytest.mark.parametrize("anisotropy", [0.0, 0.25])
def test_the_inverse_effect_is_the_partner_of_the_torque(kind, anisotropy):
    """I = a(M).w of a turning magnet against T = b(-M) E of a field: two independent solves, a(M) = b(-M)^T."""
    rng = np.random.default_rng(3)
    p = problem(kind, anisotropy=anisotropy)
    u = np.array(OBLIQUE) / np.linalg.norm(OBLIQUE)
    axes = np.array([np.cross(u, rng.normal(size=3)) for _ in range(2)])

    def torques(m):
        p.magnetize({"f": tuple(m)})
        by_field = [p.solve(electric_field=(*e, 0)).report["torque"]["f"] for e in np.eye(2)]
        return axes @ np.array(by_field).T

    pumped = np.array([sheet(solve_turning(p, {"f": tuple(1e9 * w)}, STILL)) / 1e9 for w in axes])
    scale = np.abs(pumped).max()
    assert pumped == pytest.approx(torques(-u), rel=1e-8, abs=1e-10 * scale)
    # The field-like part is odd in m: with the magnet as it is, the two differ.
    assert np.abs(torques(u) - pumped).max() > 0.05 * scale


@pytest.mark.parametrize("kind", ["absorbed", "resolved"])
def test_power_with_a_field_a_current_and_a_turning_magnet(kind):
    p = problem(kind, anisotropy=0.2)
    drive = {"bottom": fs.Terminal(current=2e11), "top": fs.Terminal(voltage=0.0)}
    x = solve_turning(p, {"f": (3e11, 1e11, -2e11)}, drive, electric_field=(3e6, -1e6, 0))
    assert abs(x.power_balance) < 1e-12
    assert -x.mechanical_power != 0
    turning = (3e11, 1e11, -2e11)
    alone = solve_turning(p, {"f": turning}, STILL, electric_field=(*FIELD, 0))
    hm, f, torque = reference(kind, anisotropy=0.2, turning=turning)
    found = [np.array(alone.in_plane_currents[k]["charge"])[:2] for k in ("hm", "f")]
    assert found[0] == pytest.approx(hm, rel=1e-7)
    assert found[1] == pytest.approx(f, rel=1e-7)
    assert alone.torque["f"] == pytest.approx(torque, rel=0, abs=1e-6 * np.abs(torque).max())


def test_an_open_circuit_shows_the_sign_of_platinum():
    """A magnet on Pt that turns with w = +y makes E_x < 0 in an open circuit, above it E_x > 0."""
    for flipped, sign in ((False, -1), (True, 1)):
        p = problem("absorbed", (0, 0, 1), flipped=flipped)
        short = solve_turning(p, {"f": (0, 1e10, 0)}, STILL)
        conductance = sheet(p.solve(electric_field=(1.0, 0, 0)))[0]
        assert np.sign(-sheet(short)[0] / conductance) == sign


def test_a_magnetization_that_varies_through_the_film():
    """A constant function equals a uniform magnet; m(z) turning balances, and follows the mean of the tensor."""
    uniform = problem("resolved", anisotropy=0.3).solve(electric_field=(*FIELD, 0))
    same = problem("resolved", lambda x: np.array(OBLIQUE)[:, None] + 0 * x, anisotropy=0.3).solve(
        electric_field=(*FIELD, 0)
    )
    for layer in ("hm", "f"):
        assert currents(same, layer) == pytest.approx(currents(uniform, layer), rel=1e-10)
    assert same.report["torque"]["f"] == pytest.approx(uniform.report["torque"]["f"], rel=1e-9, abs=1e-14)
    assert same.dissipation.total == pytest.approx(uniform.dissipation.total, rel=1e-12)
    for k in ("up", "transverse", "dephasing"):
        assert same.dissipation.parts["f", k] == pytest.approx(uniform.dissipation.parts["f", k], rel=1e-8)

    def spiral(x):
        angle = np.pi * (x[0] - 5e-9) / 4e-9
        return np.array([np.sin(angle), 0.2 + 0 * angle, np.cos(angle)])

    bent = problem("resolved", spiral, anisotropy=0.3).solve(electric_field=(*FIELD, 0))
    assert abs(bent.power_balance) < 1e-13


@pytest.mark.parametrize("transverse", ["absorbed", "resolved"])
def test_alternating_current_through_a_hall_metal(transverse):
    """At a low frequency the amplitudes are those of the steady state, with the Hall couplings of both parts."""
    hm = replace(metal(0.3), density_of_states=1e47)
    f = replace(ferro(0.2), density_of_states=2e47)
    layers = [fs.Layer(hm, 5e-9, "hm"), fs.Layer(f, 4e-9, "f", OBLIQUE), fs.Layer(hm, 5e-9, "up")]
    faces = {("Pt", "F"): FACE} if transverse == "absorbed" else {}
    domain = fs.strip(COMM, fs.Stack(*layers, interfaces=faces, library={}), width=6e-9, mesh_size=2e-9)
    p = fs.TransportProblem(domain, fs.Vector(transverse), contacts={"bottom": "lead", "top": "blocked"})
    x = p.solve(current_density=1e11)
    y = p.respond(1e3, current_density=1e11)
    assert y.impedance_area == pytest.approx(x.resistance_area, rel=1e-7)
    assert abs(y.power_balance) < 1e-11


class TestRefused:
    def test_spin_hall_angle_of_a_magnet(self):
        with pytest.raises(InputError, match="spin_hall_angle is for normal metals"):
            fs.Material("Co", 1e-7, 1e-8, 0.4, spin_hall_angle=0.1)
        with pytest.raises(InputError, match="spin_hall_angle is nan; it must be finite"):
            fs.Material("Pt", 1e-7, 1e-8, spin_hall_angle=float("nan"))

    def test_impossible_anisotropy(self):
        with pytest.raises(InputError, match=r"anisotropic_magnetoresistance is 3; it must lie between -3/2 and 3"):
            fs.Material("Co", 1e-7, 1e-8, 0.4, anisotropic_magnetoresistance=3)
        with pytest.raises(InputError, match="anisotropic_magnetoresistance is for ferromagnets"):
            fs.Material("Cu", 1e-7, 1e-8, anisotropic_magnetoresistance=0.1)

    def test_fields_that_the_mesh_does_not_leave_free(self):
        p = problem("absorbed")
        with pytest.raises(ModelError, match=r"applied: the force on 'c' is .*, along an axis of the mesh"):
            p.solve(electric_field=(0, 0, 1.0))
        with pytest.raises(InputError, match=r"electric_field is \(1.0, 2.0\); it must be three finite numbers"):
            p.solve(electric_field=(1.0, 2.0))
        assert abs(p.solve(current_density=1e11).power_balance) < 1e-12

    def test_maps_over_one_angle(self):
        with pytest.raises(ModelError, match="spin_hall_angle of 'hm' ties spins to the directions of space"):
            torque_map(problem("absorbed"), "f", pumping=True)
        with pytest.raises(ModelError, match="spin_hall_angle of 'hm' ties spins to the directions of space"):
            torque_map(problem("absorbed"), "f")


def test_turning_magnets_with_laws_of_the_state():
    """A law that gives the mechanism's own coefficient changes nothing of what is pumped."""

    class Following(fs.Vector):
        def declare(self, stack, contacts, pairs):
            plain = super().declare(stack, contacts, pairs)
            law = plain.laws["hm", "f"]
            m = law.mechanisms[0]
            state = (StateLaw(m.name, m.weights, constant, {"G": m.coefficient}),)
            return replace(plain, laws={("hm", "f"): replace(law, state=state)})

    domain, ends = problem("absorbed").domain, {"top": "blocked"}
    turning = {"f": (1e9, -2e9, 5e8)}
    x, y = (
        solve_turning(fs.TransportProblem(domain, model, contacts=ends), turning, STILL)
        for model in (Following("absorbed"), fs.Vector("absorbed"))
    )
    assert np.abs(x.torque["f"] - y.torque["f"]).max() < 1e-9 * np.abs(y.torque["f"]).max()
    assert x.voltages["bottom"] == pytest.approx(y.voltages["bottom"], rel=1e-8)
    assert abs(x.power_balance) < 1e-9


def test_a_field_with_a_law_of_the_state_at_an_interface():
    """A law that gives the mechanism's own coefficient changes nothing, the power that the field puts in included."""

    class Following(fs.Vector):
        def declare(self, stack, contacts, pairs):
            plain = super().declare(stack, contacts, pairs)
            law = plain.laws["hm", "f"]
            kept = [m for m in law.mechanisms if m.destination == "lattice"]
            state = tuple(StateLaw(m.name, m.weights, constant, {"G": m.coefficient}) for m in kept)
            assert state
            return replace(plain, laws={("hm", "f"): replace(law, state=state)})

    plain = problem("absorbed")
    ends = dict.fromkeys(("bottom", "top"), "blocked")
    x = fs.TransportProblem(plain.domain, Following("absorbed"), contacts=ends).solve(electric_field=(*FIELD, 0))
    y = plain.solve(electric_field=(*FIELD, 0))
    assert x.dissipation.total == pytest.approx(y.dissipation.total, rel=1e-10)
    assert sheet(x) == pytest.approx(sheet(y), rel=1e-9)
    assert abs(x.power_balance) < 1e-10


def test_a_field_is_that_of_one_solve():
    p = problem("absorbed")
    p.solve(electric_field=(*FIELD, 0))
    assert not p.system.declaration.applied
    with pytest.raises(InputError, match="exactly one of"):
        p.solve(electric_field=(*FIELD, 0), current=1.0, voltage=1.0)
    assert not p.system.declaration.applied
    solve_turning(p, {"f": (1e9, 0, 0)}, STILL, electric_field=(*FIELD, 0))
    assert not p.system.declaration.applied
    solved = p.solver.solve(p.drive(voltage=0.0))
    assert max(abs(f.x.array).max() for f in solved.fields) == 0


def constant(at, p):
    return p["G"]
