"""Power of the spins where the charge flows along directions of space: what is beyond that of the charge current."""

import numpy as np
import pytest
from mpi4py import MPI

import fespin as fs
from fespin.onsager import Along, Channels, Mechanism, Medium
from fespin.transport.model import declaration_of

Z = (0.0, 0.0, 1.0)
STACK = fs.Stack(
    fs.Layer(fs.Material("A", 1e-7, 9e-9), 17e-9, "a"), fs.Layer(fs.Material("B", 2e-7, 7e-9), 23e-9, "b"), library={}
)


class Chains:
    """Two fields p and q that only the charge joins: chains along z conduct c with a part of each."""

    channels = Channels({"charge": {"c": 1.0}, "p": {"p": 1.0}, "q": {"q": 1.0}})

    def __init__(self, across):
        self.across = across

    def conductivities(self, layer):
        return {"a": (2.2e7, 1.3e7), "b": (0.7e7, 0.9e7)}[layer]

    def declare(self, stack, contacts, pairs):
        def medium(layer):
            m, n = self.conductivities(layer.name)
            conduction = [Mechanism("p", 1.1e7, {"p": 1.0}), Mechanism("q", 0.8e7, {"q": 1.0})]
            conduction.append(Mechanism("m", m, {Along("c", Z): 1.0, Along("p", Z): 0.7}))
            conduction.append(Mechanism("n", n, {Along("c", Z): 1.0, Along("q", Z): 0.5}))
            if self.across:
                conduction.append(Mechanism("c", self.across, {"c": 1.0}))
            flips = (Mechanism("flip p", 1e23, {"p": 1.0}), Mechanism("flip q", 0.6e23, {"q": 1.0}))
            return Medium(tuple(conduction), reactions=flips)

        return declaration_of(("c", "p", "q"), stack, contacts, pairs, medium, lambda a, b: None)

    def accumulation(self, stack, layer):
        return {"p": 2.0}

    def report(self, problem, solution):
        return {}


@pytest.mark.parametrize("across", [0.0, 1.4e7], ids=["along z alone", "along all axes"])
def test_all_power_less_that_of_the_charge_current(across):
    model, j = Chains(across), 3e10
    x = fs.TransportProblem(fs.line(MPI.COMM_SELF, STACK), model).solve(current_density=j)
    alone = sum(layer.thickness / (across + sum(model.conductivities(layer.name))) for layer in STACK)
    assert x.r_nonequilibrium == pytest.approx(x.dissipation.total / j**2 - alone, rel=1e-8, abs=0)
    assert np.isclose(x.power_balance, 0, atol=1e-10)
