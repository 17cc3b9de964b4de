"""Angular momentum goes where a declaration says, whatever its mechanisms are called."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from mpi4py import MPI

import fespin as fs
from fespin.coupling import solve_turning
from fespin.errors import ModelError
from fespin.onsager import Mechanism, Reversible

COMM = MPI.COMM_SELF
CU = fs.Material("Cu", 2e-8, 300e-9)
FIXED = fs.Material("A", 1.1e-7, 30e-9, 0.5, dephasing_length=2e-9, precession_length=3e-9)
FREE = fs.Material("B", 2.3e-7, 7e-9, 0.3, dephasing_length=1.5e-9, precession_length=4e-9)
FACE = fs.Interface(0.6e-15, 0.7, 5e14 + 1.2e14j)
OBLIQUE, TILTED = (0.3, -0.5, 0.8), (-0.6, 0.7, 0.2)


def constant(x):
    return np.array(TILTED)[:, None] + 0 * x


@dataclass(frozen=True)
class Altered(fs.Vector):
    """The vector model with other names, and a sink of spins on both sides of the upper interface."""

    loss: float = 0.0

    def declare(self, stack, contacts, pairs):
        plain = super().declare(stack, contacts, pairs)
        spins = [{(side, k): 1.0} for side in (0, 1) for k in ("sx", "sy", "sz")]
        sink = tuple(Mechanism("memory loss", self.loss, w) for w in spins if self.loss)

        def called(terms):
            return tuple(replace(m, name=f"process {i}") for i, m in enumerate(terms))

        def medium(m):
            return replace(m, reactions=called(m.reactions), reversible=called(m.reversible))

        def law(pair, x):
            more = sink if pair == ("cu", "free") else ()
            return replace(x, mechanisms=(*called(x.mechanisms), *more), reversible=called(x.reversible))

        def varying(t):
            laws = {p: (lambda u, p=p, x=x: law(p, x(u))) for p, x in t.laws.items()}
            return replace(t, medium=lambda u: medium(t.medium(u)), laws=laws)

        return replace(
            plain,
            media={k: medium(m) for k, m in plain.media.items()},
            laws={p: law(p, x) for p, x in plain.laws.items()},
            varying={k: varying(t) for k, t in plain.varying.items()},
        )


def problem(model, top=TILTED):
    layers = (fs.Layer(CU, 8e-9), fs.Layer(FIXED, 8e-9, "fixed", OBLIQUE), fs.Layer(CU, 5e-9, "cu"))
    faces = {(m, "Cu"): FACE for m in ("A", "B")}
    stack = fs.Stack(*layers, fs.Layer(FREE, 3e-9, "free", top), interfaces=faces)
    return fs.TransportProblem(fs.line(COMM, stack, mesh_size=0.5e-9), model, contacts={"top": "blocked"})


@pytest.mark.parametrize("transverse", ["absorbed", "resolved"])
def test_names_of_processes_decide_nothing(transverse):
    plain, renamed = problem(fs.Vector(transverse)), problem(Altered(transverse))
    one, other = (p.solve(current_density=1e11) for p in (plain, renamed))
    for layer in ("fixed", "free"):
        assert other.report["torque"][layer] == pytest.approx(one.report["torque"][layer], rel=1e-10, abs=1e-16)
    assert "process 1" in other.dissipation.by_mechanism
    still = {k: fs.Terminal(voltage=0.0) for k in ("bottom", "top")}
    one, other = (solve_turning(p, {"free": (2e10, 1e10, -3e10)}, still) for p in (plain, renamed))
    assert other.currents["bottom"] == pytest.approx(one.currents["bottom"], rel=1e-9, abs=0)
    assert other.torque["fixed"] == pytest.approx(one.torque["fixed"], rel=1e-9, abs=0)
    assert other.dissipation.total == pytest.approx(one.dissipation.total, rel=1e-9, abs=0)


def test_an_absorbing_interface_gives_the_magnet_only_what_it_absorbs():
    """2 Re G s + 2 Im G m x s on the metal's side, and not what a sink beside it takes."""
    device = problem(Altered(loss=3e14))
    x = device.solve(current_density=1e11)
    u = np.array(TILTED) / np.linalg.norm(TILTED)
    s = np.array([device.face_mean(x, ("cu", "free"), 0, {k: 1.0}) for k in ("sx", "sy", "sz")])
    across = s - u * (u @ s)
    flux = 2 * FACE.mixing_conductance.real * across + 2 * FACE.mixing_conductance.imag * np.cross(u, across)
    expected = fs.constants.HBAR / (2 * fs.constants.ELEMENTARY_CHARGE) * flux
    assert x.report["torque"]["free"] == pytest.approx(expected, rel=1e-10, abs=1e-18)
    without = problem(Altered()).solve(current_density=1e11).report["torque"]["free"]
    assert np.linalg.norm(without) > 1.05 * np.linalg.norm(x.report["torque"]["free"])


def test_an_absorbing_interface_whose_magnet_varies_does_so_too():
    found = [problem(Altered(loss=3e14), top).solve(current_density=1e11) for top in (TILTED, constant)]
    assert found[1].report["torque"]["free"] == pytest.approx(found[0].report["torque"]["free"], rel=1e-9, abs=1e-16)
    assert abs(found[1].power_balance) < 1e-12


def test_what_has_no_destination_is_refused():
    with pytest.raises(ModelError, match="destination of 'drag' is 'magnets'; did you mean 'magnet'"):
        Mechanism("drag", 1.0, {"c": 1.0}, "magnets")
    with pytest.raises(ModelError, match="destination of 'turn' is 'lat'"):
        Reversible("turn", "a", "b", 1.0, "lat")

    class Both(fs.Vector):
        def declare(self, stack, contacts, pairs):
            plain = super().declare(stack, contacts, pairs)
            law = plain.laws["cu", "free"]
            wide = Mechanism("wide", 1e14, {(0, "sx"): 1.0, (1, "sx"): 1.0}, "magnet")
            return replace(plain, laws={("cu", "free"): replace(law, mechanisms=(*law.mechanisms, wide))})

    with pytest.raises(ModelError, match=r"'wide' at 'cu\|free' gives to a magnet, but acts on both sides"):
        problem(Both("absorbed"))
