"""Devices that maps over a layer's direction and the balance of energy do not take."""

from dataclasses import replace

import pytest
from mpi4py import MPI
from samples.maps import FACES, device

import fespin as fs
from fespin.coupling import relaxation_map, torque_map
from fespin.errors import ModelError
from fespin.onsager import StateLaw

COMM = MPI.COMM_SELF


def growing(at, p):
    return p["g"] * (1 + (at["s_x"] / p["V"]) ** 2)


class Following(fs.Vector):
    """The vector model with a spin flip in the normal metals that grows with the accumulation."""

    def declare(self, stack, contacts, pairs):
        plain = super().declare(stack, contacts, pairs)
        media = dict(plain.media)
        for x in stack:
            if not x.material.ferromagnetic:
                medium = media[x.name]
                state = tuple(
                    StateLaw(m.name, m.weights, growing, {"g": m.coefficient, "V": 0.7}) for m in medium.reactions
                )
                media[x.name] = replace(medium, state=state)
        return replace(plain, media=media)


def following():
    return fs.TransportProblem(fs.line(COMM, device()), Following("absorbed"), contacts={"bottom": "lead"})


@pytest.mark.parametrize("key, where", [("spin_hall_angle", 0), ("anisotropic_magnetoresistance", 3)])
def test_relaxation_of_spins_tied_to_space(key, where):
    layers = list(device())
    layers[where] = replace(layers[where], material=replace(layers[where].material, **{key: 0.07}))
    stack = fs.Stack(*layers, interfaces=FACES, library={})
    problem = fs.TransportProblem(fs.line(COMM, stack), fs.Vector("absorbed"))
    with pytest.raises(ModelError, match=f"relaxation map: the {key} of '{layers[where].name}' ties spins"):
        relaxation_map(problem, "Py4")


@pytest.mark.parametrize("ask", [torque_map, fs.direction_map], ids=["torque map", "direction map"])
def test_maps_of_laws_that_follow_the_state(ask):
    with pytest.raises(ModelError, match="it is for linear models, and this one has laws that follow the state"):
        ask(following(), "Py4")


def test_relaxation_of_laws_that_follow_the_state():
    with pytest.raises(ModelError, match="relaxation map: it is for linear models"):
        relaxation_map(following(), "Py4")


def test_balance_of_laws_that_follow_the_state():
    plain = fs.TransportProblem(fs.line(COMM, device()), fs.Vector("absorbed"), contacts={"bottom": "lead"})
    valve = torque_map(plain, "Py4", pumping=True, tolerance=1e-1)
    spin = fs.Macrospin(3e-24, 7e5, 0.02, 300.0, fs.Uniaxial(1.3e4))
    with pytest.raises(ModelError, match="energy balance: it is for linear models"):
        fs.energy_balance(
            following(), valve, spin, fs.Circuit(current_density=2e10), start=(1, 0, 1), duration=3e-12, intervals=1
        )
