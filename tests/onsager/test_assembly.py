"""Matrices that are sums of templates, residuals from products of cells, and what one pass of a solver is worth."""

import itertools

import numpy as np
import pytest
from mpi4py import MPI
from samples.solvers import TO_ROUNDING
from samples.vector import AU, CO, CU, NC, NP, PY, layer

import fespin as fs
from fespin.onsager.power import moments
from fespin.onsager.products import CellProducts

COMM = MPI.COMM_SELF
LEADS = {"bottom": "lead", "top": "reservoir"}
HALL = fs.Material("Pt", 2e-7, 3e-9, spin_hall_angle=0.1, density_of_states=1e47)


def stack(metal=AU, fixed=(1, 2, 2)):
    return fs.Stack(
        layer(CU, 12), layer(CO, 7, fixed), layer(CU, 9), layer(PY, 4, (0.3, -0.2, 0.9)), layer(metal, 10),
        interfaces={("Cu", "Co"): NC, ("Cu", "Py"): NP, ("Py", metal.name): NP}, library={},
    )  # fmt: skip


def fan(x):
    return np.array([np.cos(2e8 * x.sum(axis=0)), np.sin(2e8 * x.sum(axis=0)), 0.5 + 0 * x[0]])


CASES = {
    "two channels": (stack(fixed=(0, 0, 1)).magnetized({"Py4": (0, 0, -1)}), fs.TwoChannel()),
    "absorbed": (stack(), fs.Vector()),
    "resolved, Hanle": (stack(), fs.Vector("resolved", (10.0, -20.0, 5.0))),
    "spin Hall": (stack(HALL), fs.Vector("resolved")),
    "varying": (stack(fixed=fan), fs.Vector("resolved")),
}


def free_parts(system, w):
    """Return what is not pinned, field after field."""
    out = []
    for f, pinned, n in zip(w, system.pinned, system.sizes, strict=True):
        x = f.x.array[:n].copy()
        x[pinned[pinned < n]] = 0.0
        out.append(x)
    return np.concatenate(out)


def require_matrix_of_the_residual(system, matrix, coefficients):
    random = np.random.default_rng(1)
    w = system.functions()
    for f, pinned in zip(w, system.pinned, strict=True):
        f.x.array[:] = random.normal(size=len(f.x.array))
        f.x.array[pinned] = 0.0
    x, y = matrix.createVecs()
    x.array[:] = free_parts(system, w)
    matrix.mult(x, y)
    expected = free_parts(system, system.residual(w, coefficients=coefficients))
    found = np.array(y.array)
    # Field by field: their units differ.
    at = np.cumsum([0, *system.sizes])
    for a, b in itertools.pairwise(at):
        size = np.abs(expected[a:b]).max()
        assert found[a:b] == pytest.approx(expected[a:b], rel=0, abs=1e-12 * size)
    x.destroy()
    y.destroy()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dim", [1, 2])
def test_the_matrix_is_that_of_the_residual(name, dim):
    """Also after a magnet has turned, with the storage of a step in time."""
    layers, model = CASES[name]
    domain = fs.line(COMM, layers) if dim == 1 else fs.strip(COMM, layers, width=20e-9, mesh_size=20e-9)
    problem = fs.TransportProblem(domain, model, contacts=LEADS)
    problem.magnetize({x.name: x.magnetization for x in layers if x.magnetization is not None})
    matrix, rate = None, 1e12
    turns = [(0, 0, 1), (0, 0, -1)] if name == "two channels" else [(0.5, 0.4, 0.2), (-0.1, 0.3, 0.6)]
    for direction in turns:
        problem.magnetize({"Py4": direction})
        matrix = problem.system.matrix(rate=rate, into=matrix)
        require_matrix_of_the_residual(problem.system, matrix, problem.system.coefficients.with_storage(rate))
    matrix.destroy()


def test_moments_are_integrals():
    """Of polynomials, in a section: products of gradients, values, jumps and means by hand."""
    two = fs.Stack(layer(CU, 20), layer(AU, 30), interfaces={("Cu", "Au"): fs.Interface(1e-15)}, library={})
    domain = fs.strip(COMM, two, width=40e-9, depth=3e-9, mesh_size=15e-9)
    problem = fs.TransportProblem(domain)
    w = problem.system.functions()
    nm, wide = 1e-9, 40e-9
    w[0].interpolate(lambda x: 2 + 3 * x[0] / nm)
    w[1].interpolate(lambda x: x[1] / nm * (x[1] / nm) - 0.5 * x[0] / nm)
    # The second layer's copies are one higher.
    for f in w:
        above = np.unique(f.function_space.dofmap.list[domain.region == 1])
        f.x.array[above] += 1.0
    found = moments(problem.system, w, CellProducts(problem.system, w))
    area = wide * 3 * nm
    low, high = 20 * nm, 30 * nm
    left = float(domain.mesh.geometry.x[:, 0].min()) / nm
    mean = left + 20.0  # of x
    square = mean**2 + 40.0**2 / 12  # of x^2
    assert found.gradients["Cu1"][0] == pytest.approx([9 * area * low / nm**2, -1.5 * area * low / nm**2], rel=1e-12)
    assert found.values["Cu1"][0, 0] == pytest.approx(area * low * (4 + 12 * mean + 9 * square), rel=1e-12)
    assert found.values["Au2"][0, 0] == pytest.approx(area * high * (9 + 18 * mean + 9 * square), rel=1e-12)
    face = found.faces["Cu1", "Au2"]
    assert face[0, :, 0, :] == pytest.approx(area * np.ones((2, 2)), rel=1e-12)
    assert face[1, 0, 1, 0] == pytest.approx(area * (2.5**2 + 15 * mean + 9 * square), rel=1e-12)
    assert face[0, 1, 1, 0] == pytest.approx(-area * (2.5 + 3 * mean), rel=1e-12)


def test_one_pass_and_the_error_that_it_reports():
    """Of resistance the square, of currents and accumulations the size of the balance; less where less is asked."""
    layers = CASES["two channels"][0]
    domain = fs.strip(COMM, layers, width=30e-9, mesh_size=10e-9)
    solved = {}
    for name, options in (
        ("default", fs.SolverOptions()),
        ("loose", fs.SolverOptions(rtol=1e-5)),
        ("exact", TO_ROUNDING),
    ):
        problem = fs.TransportProblem(domain, contacts=LEADS, solver=options)
        solved[name] = problem.solve(voltage=1e-3)
        problem.destroy()
    exact = solved["exact"]
    assert abs(exact.power_balance) < 1e-10
    size = max(map(max, exact.accumulation.values()))
    for name, limit in (("default", 1e-6), ("loose", 1e-3)):
        x = solved[name]
        assert 1e-12 < abs(x.power_balance) < limit
        assert x.resistance_area == pytest.approx(exact.resistance_area, rel=10 * limit**2 + 1e-13)
        assert np.array(list(x.accumulation.values())) == pytest.approx(
            np.array(list(exact.accumulation.values())), rel=0, abs=limit * size
        )
        assert sum(x.currents.values()) == pytest.approx(0, abs=1e-13 * x.current)
        assert x.iterations < 0.7 * exact.iterations


def test_a_second_pass_where_currents_are_off():
    layers = CASES["two channels"][0]
    problem = fs.TransportProblem(fs.strip(COMM, layers, width=30e-9, mesh_size=10e-9), contacts=LEADS)
    problem.solver.reduce_by(1e-4, 1e-7)
    x = problem.solve(voltage=1e-3)
    problem.solver.reduce_by(1e-4, 1.0)
    y = problem.solve(voltage=1e-3)
    assert abs(x.power_balance) < 1e-7 < abs(y.power_balance)
    assert 1.5 * y.iterations < x.iterations
