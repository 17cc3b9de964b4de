"""Spins that are lost right at an interface: the exact film, closed forms, balances, the order of sides."""

import numpy as np
import pytest
from mpi4py import MPI

import fespin as fs
from fespin.constants import ELEMENTARY_CHARGE, HBAR
from fespin.coupling import solve_turning
from fespin.errors import InputError
from references import film as exact

COMM = MPI.COMM_SELF
HALF = HBAR / (2 * ELEMENTARY_CHARGE)
UP, DOWN, MIX = 6e14, 3e14, 5e14 + 0.8e14j
ON_METAL, ON_MAGNET = 7e14, 2.5e14
FIELD = (1e5, -0.4e5)
OBLIQUE = (0.3, -0.5, 0.8)
THICK, THIN, RHO, LENGTH, THETA = 5e-9, 2e-9, 2.5e-7, 1.5e-9, 0.1
BLOCKED = dict.fromkeys(("bottom", "top"), "blocked")


def film(kind, m=OBLIQUE, *, flipped=False, key=("Pt", "F"), face=None, **mesh):
    magnet = fs.Material(
        "F", 3e-7, 5e-9, 0.5, transverse_conductivity=2.1e6, dephasing_length=1.2e-9, precession_length=0.8e-9
    )
    layers = [
        fs.Layer(fs.Material("Pt", RHO, LENGTH, spin_hall_angle=THETA), THICK, "hm"),
        fs.Layer(magnet, THIN, "f", m),
    ]
    losses = (ON_METAL, ON_MAGNET) if key[0] == "Pt" else (ON_MAGNET, ON_METAL)
    face = face or fs.Interface.from_conductances(UP, DOWN, MIX, spin_memory_loss=losses)
    stack = fs.Stack(*(layers[::-1] if flipped else layers), interfaces={key: face}, library={})
    domain = fs.line(COMM, stack, **(mesh or {"mesh_size": 0.2e-9}))
    return fs.TransportProblem(domain, fs.Vector(kind), contacts=BLOCKED)


def reference(kind, m=OBLIQUE, *, flipped=False, turning=(0, 0, 0)):
    """Return in-plane currents of metal and magnet, and the torque."""
    hm = exact.normal(THICK, RHO, LENGTH, THETA, FIELD)
    f = exact.magnet(
        THIN, 3e-7, 0.5, 5e-9, m, across=2.1e6, dephasing=1.2e-9, precession=0.8e-9, electric_field=FIELD,
        turning=turning, absorbing=kind == "absorbed",
    )  # fmt: skip
    layers = [f, hm] if flipped else [hm, f]
    if kind == "absorbed":
        face = exact.mixing(*layers, UP, DOWN, MIX, loss=(ON_METAL, ON_MAGNET))
    else:
        losses = (ON_METAL, ON_MAGNET)
        face = exact.passing(*layers, UP, DOWN, MIX, loss=losses[::-1] if flipped else losses)
    x = exact.solve(layers, [face], exact.blocked(layers[0], 0.0), exact.blocked(layers[1]))
    i = layers.index(f)
    faces = {1 - i: (UP, DOWN, MIX)} if kind == "absorbed" else None
    return x.in_plane(1 - i)[:2], x.in_plane(i)[:2], x.torque(i, faces)


def currents(x):
    return [np.array(x.in_plane_currents[k]["charge"])[:2] for k in ("hm", "f")]


@pytest.mark.parametrize("kind", ["absorbed", "resolved"])
@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("key", [("Pt", "F"), ("F", "Pt"), ("f", "hm")])
def test_films_against_the_exact_solution(kind, flipped, key):
    """Each side has its own loss, whatever the order in which layers lie and in which the interface is named."""
    x = film(kind, flipped=flipped, key=key).solve(electric_field=(*FIELD, 0))
    hm, f, torque = reference(kind, flipped=flipped)
    found = currents(x)
    assert found[0] == pytest.approx(hm, rel=1e-8)
    assert found[1] == pytest.approx(f, rel=1e-8)
    assert x.report["torque"]["f"] == pytest.approx(torque, rel=0, abs=1e-6 * np.abs(torque).max())
    assert abs(x.power_balance) < 1e-13
    assert x.dissipation.by_mechanism["spin memory loss"] > 0


@pytest.mark.parametrize("kind", ["absorbed", "resolved"])
def test_turning_magnets(kind):
    """What is lost goes to the lattice: it does not follow the magnet's motion, and the power still balances."""
    turning = (3e11, 1e11, -2e11)
    still = {"bottom": fs.Terminal(current=0.0), "top": fs.Terminal(voltage=0.0)}
    x = solve_turning(film(kind), {"f": turning}, still, electric_field=(*FIELD, 0))
    hm, f, torque = reference(kind, turning=turning)
    found = [np.array(x.in_plane_currents[k]["charge"])[:2] for k in ("hm", "f")]
    assert found[0] == pytest.approx(hm, rel=1e-7)
    assert found[1] == pytest.approx(f, rel=1e-7)
    assert x.torque["f"] == pytest.approx(torque, rel=0, abs=1e-6 * np.abs(torque).max())
    assert abs(x.power_balance) < 1e-12


def test_efficiency():
    """With a loss g on the metal's side 2 G + g stands in the denominator, and the numerator keeps 2 G."""
    m = (0, 0, 1)
    face = fs.Interface.from_conductances(1e3, 1e3, MIX, spin_memory_loss=(ON_METAL, 0.0))
    x = film("absorbed", m, face=face, mesh_size=0.1e-9).solve(electric_field=(1e5, 0, 0))
    admittance = np.tanh(THICK / LENGTH) / (RHO * LENGTH)
    xi = THETA * (1 - 1 / np.cosh(THICK / LENGTH)) * 2 * MIX / (2 * MIX + ON_METAL + admittance)
    q, u = np.array([0, 1.0, 0]), np.array(m)
    expected = HALF * 1e5 / RHO * (xi.real * q + xi.imag * np.cross(u, q))
    assert x.report["torque"]["f"] == pytest.approx(expected, rel=0, abs=1e-6 * np.abs(expected).max())


def test_between_normal_metals():
    """Of what passes the interface, the loss behind it takes all: a ladder of conductances."""
    copper = fs.Material("Cu", 2e-8, 1.0)  # so long a length that nothing else relaxes
    magnet = fs.Material("F", 3e-7, 5e-9, 0.5, dephasing_length=1e-9)
    layers = [fs.Layer(magnet, 20e-9, "f", OBLIQUE), fs.Layer(copper, 1e-12, "a"), fs.Layer(copper, 1e-12, "b")]
    through, loss = 3e14, (5e14, 2e14)
    faces = {
        ("f", "a"): fs.Interface.from_conductances(UP, DOWN, MIX),
        ("a", "b"): fs.Interface.from_conductances(through / 2, through / 2, spin_memory_loss=loss),
    }
    p = fs.TransportProblem(
        fs.line(COMM, fs.Stack(*layers, interfaces=faces, library={})), fs.Vector(), contacts={"top": "blocked"}
    )
    s = np.array(p.solve(current_density=1e11).report["spin_accumulation"]["a|b"])
    assert s[1] == pytest.approx(s[0] * through / (through + loss[1]), rel=1e-6)


class TestDeclaration:
    def test_sides(self):
        face = fs.Interface(1e-15, spin_memory_loss=(1e14, 2e14))
        assert not face.symmetric
        assert face.reversed().losses == (2e14, 1e14)
        same = fs.Interface(1e-15, spin_memory_loss=1e14)
        assert same.symmetric
        assert same.losses == (1e14, 1e14)
        assert fs.Interface(1e-15).reversed() == fs.Interface(1e-15)

    @pytest.mark.parametrize("loss", [-1.0, float("nan"), (1e14,), (1e14, float("inf")), (1, 2, 3)])
    def test_impossible_losses(self, loss):
        with pytest.raises(InputError, match=r"spin_memory_loss is .*one or two numbers, finite and not negative"):
            fs.Interface(1e-15, spin_memory_loss=loss)

    def test_perfect_contacts_and_barriers(self):
        with pytest.raises(InputError, match="a perfect contact has no spin_memory_loss"):
            fs.Interface(spin_memory_loss=1e14)
        with pytest.raises(InputError, match="a tunnel barrier has no spin_memory_loss"):
            fs.Interface(tunnel=fs.TunnelBarrier(1e-11, tmr=1.0), spin_memory_loss=1e14)
