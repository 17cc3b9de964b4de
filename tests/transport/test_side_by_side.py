"""Contacts at the edge between layers, and on two layers at once."""

import pytest
from launch import TESTS, python
from mpi4py import MPI
from samples import s_d as sd

import fespin as fs
from references.devices import side_by_side

SCRIPT = TESTS / "parallel" / "side_by_side.py"


@pytest.mark.parametrize("magnet_first", [True, False])
def test_a_reservoir_on_two_layers_grounds_the_channels_of_both(magnet_first):
    """Whichever of the layers comes first, d electrons are at the contact's potential."""
    both = [fs.Layer(fs.Material.from_bands("Co", sd.CO), 30e-9, "Co"), fs.Layer(sd.CU, 30e-9, "Cu")]
    stack = fs.Stack(*(both if magnet_first else both[::-1]), library={})
    problem = fs.TransportProblem(side_by_side(MPI.COMM_SELF, stack, [8, 6]), fs.ThreeChannel())
    x = problem.solve(voltage=1e-3)
    for contact in ("bottom", "top"):
        at = problem.system.at_contact[2][contact]
        assert len(at)
        assert not x.fields["e_down"].x.array[at].any()


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [2, 3, 5])
def test_a_lead_that_ends_at_another_layer_on_any_number_of_ranks(ranks):
    done = python(ranks, SCRIPT)
    assert done.returncode == 0, done.stdout + done.stderr
