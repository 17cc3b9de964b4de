"""Magnets whose magnetization m(x) varies."""

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI
from samples.solvers import TO_ROUNDING
from samples.vector import AU, CO, CU, NC, NP, PY, J, layer
from scipy.spatial.transform import Rotation

import fespin as fs
from fespin._compat import cell_nodes
from fespin.errors import InputError
from fespin.transport.torque import torque_density
from references import channel_models as exact
from references import channels as solver

COMM = MPI.COMM_SELF
TURN = Rotation.from_rotvec([0.4, -1.1, 0.8]).as_matrix()


def spiral(z0, pitch):
    """m that turns about a tilted axis along the stack."""

    def m(x):
        angle = (x[0] - z0) / pitch
        return TURN @ np.array([np.cos(angle), np.sin(angle), 0.3 + 0 * angle])

    return m


def across(width, turn=None):
    """m that turns across the width of a section."""

    def m(x):
        angle = 2.2 * x[0] / width + 0.3
        return (np.eye(3) if turn is None else turn) @ np.array([0.4 + 0 * angle, np.sin(angle), np.cos(angle)])

    return m


def solve(layers, faces, ends, transverse, mesh_size=0.25e-9, domain=None):
    stack = fs.Stack(*layers, interfaces=faces, library={})
    domain = domain or (lambda s: fs.line(COMM, s, mesh_size=mesh_size))
    contacts = dict(zip(("bottom", "top"), ends, strict=True))
    problem = fs.TransportProblem(domain(stack), fs.Vector(transverse), contacts=contacts, solver=TO_ROUNDING)
    return problem, problem.solve(current_density=J)


@pytest.mark.parametrize("transverse", ["absorbed", "resolved"])
def test_a_constant_function_is_a_uniform_magnet(transverse):
    faces = {("Cu", "Co"): NC, ("Cu", "Py"): NP}
    u = (1, 2, -2)
    stacks = [
        [layer(CU, 9), layer(CO, 7, (0, 1, 1)), layer(CU, 5), layer(PY, 4, m), layer(CU, 12)]
        for m in (u, lambda x: np.repeat(np.array(u)[:, None], x.shape[1], axis=1))
    ]
    (_, a), (_, b) = (solve(x, faces, ("lead", "lead"), transverse, 1e-9) for x in stacks)
    assert a.resistance_area == pytest.approx(b.resistance_area, rel=1e-11, abs=0)
    for n in ("Co2", "Py4"):
        assert a.report["torque"][n] == pytest.approx(b.report["torque"][n], rel=1e-8, abs=1e-18)
    parts = a.dissipation.by_place
    for place, power in b.dissipation.by_place.items():
        assert power == pytest.approx(parts[place], rel=1e-8, abs=0)
    assert abs(b.power_balance) < 1e-10


@pytest.mark.slow
def test_a_spiral_against_many_thin_uniform_magnets():
    """The exact solution of N sublayers converges with N^-2; two of them are extrapolated."""
    thick, pitch = 18e-9, 5e-9
    m = spiral(10e-9, pitch)
    layers = [layer(CU, 10), fs.Layer(CO, thick, "spiral", m), layer(AU, 14)]
    problem, x = solve(layers, {}, ("lead", "reservoir"), "resolved", 0.1e-9)
    found = []
    for n in (150, 300):
        edges = 10e-9 + thick * np.arange(n + 1) / n
        sub = [
            exact.magnet(
                thick / n, 1 / CO.resistivity, CO.beta, CO.spin_diffusion_length, m(np.array([[z], [0], [0]]))[:, 0],
                transverse="resolved", sigma_perp=CO.transverse_conductivity, dephasing=CO.dephasing_length,
                precession=CO.precession_length,
            )
            for z in (edges[:-1] + edges[1:]) / 2
        ]  # fmt: skip
        outer = [(y.thickness, 1 / y.material.resistivity, y.material.spin_diffusion_length) for y in layers[::2]]
        ends = [exact.normal(*y) for y in outer]
        stack = [ends[0], *sub, ends[1]]
        joints = [exact.vector_face() for _ in stack[1:]]
        e = solver.solve(
            stack, joints, solver.Contact("lead"), solver.Contact("reservoir"), exact.VECTOR, current_density=J
        )
        torque = sum(exact.torque(e, i) for i in range(1, n + 1))
        found.append(np.array([e.resistance_area, *torque]))
    right = found[1] + (found[1] - found[0]) / 3
    assert x.resistance_area == pytest.approx(right[0], rel=1e-6, abs=0)
    assert x.report["torque"]["spiral"] == pytest.approx(right[1:], rel=0, abs=1e-5 * np.abs(right[1:]).max())
    assert abs(x.power_balance) < 1e-9
    density = torque_density(problem, x, "spiral")
    cells = problem.domain.cells_of(["spiral"])
    size = np.diff(np.sort(problem.domain.mesh.geometry.x[cell_nodes(problem.domain.mesh)[cells], 0]), axis=1)[:, 0]
    for k, f in enumerate(density):
        values = f.x.array[f.function_space.dofmap.list[cells]]
        integral = size @ (values @ np.array([1, 1, 4]) / 6)  # Simpson's rule, as P2 has its nodes
        assert integral == pytest.approx(x.report["torque"]["spiral"][k], rel=1e-4, abs=0)


@pytest.mark.parametrize("transverse", ["absorbed", "resolved"])
def test_turning_all_spins_turns_the_torque(transverse):
    width = 30e-9
    faces = {("Cu", "Co"): NC, ("Cu", "Py"): NP}
    found = []
    for turn in (np.eye(3), TURN):
        layers = [
            layer(CU, 9), layer(CO, 7, tuple(turn @ np.array([0, 0.6, 0.8]))), layer(CU, 5),
            layer(PY, 4, across(width, turn)), layer(CU, 12),
        ]  # fmt: skip
        found.append(
            solve(
                layers, faces, ("lead", "lead"), transverse,
                domain=lambda s: fs.strip(COMM, s, width=width, mesh_size=5e-9),
            )[1]
        )  # fmt: skip
    assert found[1].resistance == pytest.approx(found[0].resistance, rel=1e-9, abs=0)
    for n in ("Co2", "Py4"):
        turned = TURN @ found[0].report["torque"][n]
        assert found[1].report["torque"][n] == pytest.approx(turned, rel=1e-6, abs=1e-6 * np.abs(turned).max())
    for x in found:
        assert abs(x.power_balance) < 1e-10
        assert min(x.dissipation.parts.values()) >= -1e-13 * x.dissipation.total
        assert "precession" not in x.dissipation.by_mechanism


def test_convergence_with_the_mesh():
    """Facet by facet interfaces are of second order, the bulk of a higher one."""
    width, values = 30e-9, []
    layers = [layer(CU, 6), layer(PY, 4, across(width)), layer(CU, 8)]
    for size in (8e-9, 4e-9, 2e-9):
        _, x = solve(
            layers, {("Cu", "Py"): NP}, ("lead", "lead"), "absorbed",
            domain=lambda s, size=size: fs.strip(COMM, s, width=width, mesh_size=size),
        )  # fmt: skip
        values.append(np.array([x.resistance * 1e10, *(1e8 * np.array(x.report["torque"]["Py2"]))]))
    first, second = np.abs(np.diff(values, axis=0))
    assert (first / second).min() > 3


def test_what_cannot_be():
    stack = fs.Stack(layer(CU, 9), layer(CO, 7, lambda x: x), layer(CU, 9))
    with pytest.raises(InputError, match="'Co2': its magnetization varies; only the vector model"):
        fs.TransportProblem(fs.line(COMM, stack))
    bad = fs.Stack(layer(CU, 9), layer(CO, 7, lambda x: np.zeros_like(x)), layer(CU, 9))
    with pytest.raises(InputError, match="'Co2': its magnetization is zero at"):
        fs.TransportProblem(fs.line(COMM, bad), fs.Vector("resolved"))
    bad = fs.Stack(layer(CU, 9), layer(CO, 7, lambda x: x[:2]), layer(CU, 9))
    with pytest.raises(InputError, match=r"found the shape \(2, "):
        fs.TransportProblem(fs.line(COMM, bad), fs.Vector("resolved"))
    bad = fs.Stack(layer(CO, 7, lambda x: x), layer(CU, 9))
    with pytest.raises(InputError, match="a lead continues a uniform layer"):
        fs.TransportProblem(fs.line(COMM, bad), fs.Vector("resolved"), contacts={"bottom": "lead"})


def test_states_of_a_textured_device():
    """From uniform to textured and back: the same as fresh problems."""
    layers = [layer(CU, 9), layer(CO, 7, (0, 0, 1)), layer(CU, 5), layer(PY, 4, (0, 1, 0)), layer(CU, 12)]
    problem, first = solve(layers, {}, ("lead", "lead"), "resolved", 1e-9)
    m = spiral(21e-9, 3e-9)
    problem.magnetize({"Py4": m})
    fresh = [replace(x, magnetization=m) if x.material is PY else x for x in layers]
    _, right = solve(fresh, {}, ("lead", "lead"), "resolved", 1e-9)
    assert problem.solve(current_density=J).resistance_area == pytest.approx(right.resistance_area, rel=1e-12, abs=0)
    problem.magnetize({"Py4": (0, 1, 0)})
    assert problem.solve(current_density=J).resistance_area == pytest.approx(first.resistance_area, rel=1e-12, abs=0)
