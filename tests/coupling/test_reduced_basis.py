"""Reduced bases against solves for other directions, and devices that have none."""

import numpy as np
import pytest
from samples.maps import COMM, device, problem_of, two_references
from samples.solvers import TO_ROUNDING
from samples.vector import CO, CU, PY, layer

import fespin as fs
from fespin.coupling import direction_map, direction_maps
from fespin.coupling.reduced_basis import ReducedDevice, is_reducible
from fespin.errors import ModelError
from fespin.harmonics import even_directions


def reduced(problem, name, count):
    """A device from solves for some directions, with pumping."""
    made = ReducedDevice(problem, name)
    for u in even_directions(0, count):
        _, driven, pumped = direction_maps._solve_with_fields(problem, name, u, True)
        made.add(driven, driven=True)
        for w in pumped:
            made.add(w, driven=False)
    return made


@pytest.mark.parametrize(
    ("transverse", "count", "field"), [("absorbed", 8, (20.0, -30.0, 10.0)), ("resolved", 9, (0, 0, 0))]
)
def test_a_line_is_known_exactly(transverse, count, field):
    """Torque, resistance, Gamma and pumped current in any direction, once the basis is complete."""
    problem = problem_of(two_references(), transverse, field)
    made = reduced(problem, "Py3", count)
    u = even_directions(500, 504)
    found = made.solve(u, pumping=True)
    right = np.array([direction_maps._solve_at(problem, "Py3", x, True) for x in u])
    assert direction_maps._sizes(found - right) / direction_maps._sizes(right) == pytest.approx(np.zeros(4), abs=1e-8)
    assert found[:, :4] == pytest.approx(made.solve(u, pumping=False), rel=1e-12)
    # A direction that was solved adds nothing.
    assert not made.add(direction_maps._solve_with_fields(problem, "Py3", u[0], False)[1], driven=True)


@pytest.mark.slow
def test_a_section_and_its_error():
    """In two dimensions, to what is asked, on as many solves as that needs; upside down it is the same."""
    maps = []
    for turned in (False, True):
        stack = two_references()
        layers = list(stack)[::-1] if turned else list(stack)
        stack = fs.Stack(*layers, interfaces=stack.interfaces, library={})
        domain = fs.strip(COMM, stack, width=20e-9, mesh_size=20e-9)
        problem = fs.TransportProblem(domain, fs.Vector(), contacts=dict.fromkeys(("bottom", "top"), "lead"), degree=1)
        name = next(x.name for x in stack if x.material.name == "Py")
        maps.append((problem, name, direction_map(problem, name, tolerance=1e-3)))
    problem, name, found = maps[0]
    assert found.fit == "reduced basis" and found.solves < 20
    u = even_directions(300, 304)
    ends = dict.fromkeys(("bottom", "top"), "lead")
    exact = fs.TransportProblem(problem.domain, fs.Vector(), contacts=ends, degree=1, solver=TO_ROUNDING)
    right = np.array([direction_maps._solve_at(exact, name, x, False) for x in u])
    off = direction_maps._sizes(right - direction_maps._seen(found, u)) / direction_maps._sizes(right)
    assert (off <= found.error).all() and found.error <= 1e-3
    other = maps[1][2]
    # The current flows the other way through the layers.
    size = np.linalg.norm(right[:, :3], axis=1).max()
    assert other.torque_per_current(u) == pytest.approx(-found.torque_per_current(u), rel=0, abs=2e-3 * size)
    assert other.resistance_at(u) == pytest.approx(found.resistance_at(u), rel=2e-3)


def test_devices_without_a_basis():
    """A lead that continues the free layer, and anisotropic conduction: each direction is solved."""
    continued = fs.Stack(layer(CO, 7, (1, 2, 2)), layer(CU, 9), layer(PY, 4, (0, 0, 1)), interfaces={}, library={})
    problem = fs.TransportProblem(
        fs.line(COMM, continued), fs.Vector("resolved"), contacts=dict.fromkeys(("bottom", "top"), "lead")
    )
    assert not is_reducible(problem, "Py3")
    with pytest.raises(ModelError, match="no polynomial of the direction of 'Py3'"):
        ReducedDevice(problem, "Py3")
    assert direction_map(problem, "Py3", tolerance=0.2).fit == "solves"
    assert is_reducible(problem_of(device()), "Py4")
