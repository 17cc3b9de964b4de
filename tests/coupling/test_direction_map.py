"""Direction maps against the exact solution and torque maps, their potentials, and what they do to a macrospin."""

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest
from launch import numbers, require_equal
from mpi4py import MPI
from samples.maps import ENDS, device, problem_of, two_references
from samples.vector import CO, CU, NC, NP, PY, J, layer, reference

import fespin as fs
from fespin.coupling import DirectionMap, direction_map, direction_maps, in_groups, torque_map
from fespin.coupling.direction_maps import DirectionTorque
from fespin.coupling.groups import solve_direction
from fespin.coupling.pumping import pump
from fespin.errors import InputError, ModelError, SolverError
from fespin.harmonics import even_directions, expansion, harmonics, orders, quadrature, sizes
from references import channel_models as exact

COMM = MPI.COMM_SELF


def random_directions(n, seed=1):
    u = np.random.default_rng(seed).normal(size=(n, 3))
    return u / np.linalg.norm(u, axis=1)[:, None]


def require_exact(found, make, place, field, tolerance):
    u = random_directions(8, 3)
    solved = [reference(make(tuple(x)), ENDS, "absorbed", field) for x in u]
    torque = np.array([exact.torque(e, place) / J for e in solved])
    largest = np.linalg.norm(torque, axis=1).max()
    assert found.torque_per_current(u) == pytest.approx(torque, rel=0, abs=tolerance * largest)
    areas = [e.resistance_area for e in solved]
    assert found.resistance_at(u) == pytest.approx(areas, rel=tolerance, abs=0)
    assert np.ptp(areas) > 0.01 * areas[0]


def along(u, axis):
    """Directions a small step to both sides of u, the step, and the tangent."""
    tangent = axis - u * (u @ axis)[:, None]
    near = [u + 1e-5 * s * tangent for s in (1, -1)]
    return *(x / np.linalg.norm(x, axis=1)[:, None] for x in near), 2e-5, tangent


def gradient(function, u):
    """By finite differences."""
    columns = []
    for axis in np.eye(3):
        ahead, behind, step, _ = along(u, axis)
        columns.append((function(ahead) - function(behind)) / step)
    return np.stack(columns, axis=-1)


# ---- harmonics
def test_harmonics_are_orthonormal_and_their_gradients_are_theirs():
    u, weight = quadrature(20)
    y, slope = harmonics(u, 10)
    l, m = orders(10)  # noqa: E741
    assert (l * l + l + m).tolist() == list(range(121))
    assert np.einsum("n,nj,nk->jk", weight, y, y) == pytest.approx(np.eye(121), rel=0, abs=1e-12)
    products = np.einsum("n,nji,nki->jk", weight, slope, slope)
    assert products == pytest.approx(np.diag(l * (l + 1.0)), rel=0, abs=1e-10)
    assert sizes(10) == pytest.approx(np.sqrt(np.diag(products))[1:], rel=1e-12, abs=0)
    # At the poles, too.
    u = np.concatenate([np.eye(3), -np.eye(3), random_directions(10)])
    y, slope = harmonics(u, 10)
    assert slope == pytest.approx(gradient(lambda x: harmonics(x, 10)[0], u), rel=0, abs=1e-7)
    assert np.einsum("nki,ni->nk", slope, u) == pytest.approx(0, rel=0, abs=1e-13)
    assert y[:, 1:4] == pytest.approx(math.sqrt(3 / (4 * math.pi)) * u[:, [1, 2, 0]], rel=0, abs=1e-15)
    several = np.random.default_rng(0).normal(size=(2, 121))
    assert expansion(several, u)[1][1] == pytest.approx(slope.transpose(0, 2, 1) @ several[1], rel=0, abs=1e-12)


def test_least_squares_are_well_conditioned():
    for degree in direction_maps._DEGREES:
        u = even_directions(0, math.ceil(direction_maps._OVERSAMPLING * (degree + 1) ** 2))
        y, slope = harmonics(u, degree)
        slope = slope[:, 1:] / sizes(degree)[:, None]
        both = np.concatenate([slope, np.cross(u[:, None], slope)], axis=1).transpose(0, 2, 1)
        assert np.linalg.cond(y) < 7
        assert np.linalg.cond(both.reshape(3 * len(u), -1)) < 7


# ---- maps
@pytest.fixture(scope="module")
def made():
    problem = problem_of(two_references())
    found = direction_map(problem, "Py3", tolerance=1e-4)
    assert problem.stack["Py3"].magnetization == (0, 0, 1)
    return found


@pytest.mark.slow
def test_two_references_along_different_axes(made):
    assert made.error < 1e-4
    assert made.fit == "reduced basis" and made.solves <= 18
    require_exact(made, two_references, 2, (0, 0, 0), 1e-4)


@pytest.mark.slow
def test_one_direction_is_a_torque_map():
    problem = problem_of(device())
    found, right = direction_map(problem, "Py4", tolerance=1e-3), torque_map(problem, "Py4")
    u = random_directions(50)
    torque = right.torque_per_current(u)
    largest = np.linalg.norm(torque, axis=1).max()
    assert found.torque_per_current(u) == pytest.approx(torque, rel=0, abs=1e-3 * largest)
    assert found.resistance_at(u) == pytest.approx(right.resistance_at(u), rel=1e-3, abs=0)
    # chi and phi are the integrals of the torques along and around p.
    spin = spin_of()
    chi, phi = found.torque(spin, current_density=J).potentials(u, spin)
    for a, b in zip((chi, phi), right.torque(spin, current_density=J).potentials(u, spin), strict=True):
        assert a - a[0] == pytest.approx(b - b[0], rel=0, abs=1e-3 * np.ptp(chi))


def test_precession_in_a_field():
    field = (20.0, -30.0, 10.0)
    found = direction_map(problem_of(device(), field=field), "Py4", tolerance=1e-3)
    require_exact(found, device, 3, field, 1e-3)
    # The field is no detail.
    u = (0.0, 0.6, 0.8)
    torques = [exact.torque(reference(device(u), ENDS, "absorbed", b), 3) for b in (field, (0, 0, 0))]
    assert np.linalg.norm(torques[0] - torques[1]) > 0.05 * np.linalg.norm(torques[1])


@pytest.mark.slow
def test_a_single_magnet_in_a_field_and_a_texture():
    """Against solves at other directions: no exact solution is at hand."""
    single = fs.Stack(layer(CU, 40), layer(PY, 4, (0, 1, 0)), layer(CU, 30), interfaces={("Cu", "Py"): NP}, library={})

    def fan(x):
        angle = 2e8 * x[0]
        return np.array([np.cos(angle), np.sin(angle), 0.5 + 0 * angle])

    texture = fs.Stack(
        layer(CU, 12), layer(CO, 7, fan), layer(CU, 9), layer(PY, 4, (0, 1, 0)), layer(CU, 30),
        interfaces={("Cu", "Co"): NC, ("Cu", "Py"): NP}, library={},
    )  # fmt: skip
    for stack, name, field in ((single, "Py2", (0, 0, 300.0)), (texture, "Py4", (0, 0, 0))):
        problem = problem_of(stack, field=field)
        found = direction_map(problem, name, tolerance=1e-2)
        assert problem.stack[name].direction == (0, 1, 0)
        u = random_directions(3)
        solved = [solve_direction(problem, name, x) for x in u]
        largest = max(np.linalg.norm(x) for x, _ in solved)
        assert found.torque_per_current(u) == pytest.approx(np.array([x for x, _ in solved]), rel=0, abs=1e-2 * largest)
        assert found.resistance_at(u) == pytest.approx([x for _, x in solved], rel=1e-2, abs=0)


def test_saved_and_loaded(made, tmp_path):
    made.save(COMM, tmp_path / "map.json")
    again = DirectionMap.load(tmp_path / "map.json")
    for field in dataclasses.fields(made):
        assert np.array_equal(getattr(again, field.name), getattr(made, field.name)), field.name
    assert [x.name for x in tmp_path.iterdir()] == ["map.json"]
    with pytest.raises(InputError, match="cannot be read"):
        DirectionMap.load(tmp_path / "none.json")
    text = (tmp_path / "map.json").read_text()
    for wrong in (
        '{"layer": 3}',
        "[]",
        text.replace('"degree": ', '"degree": 1'),
        text.replace('"chi": [', '"chi": [1,'),
    ):
        (tmp_path / "other.json").write_text(wrong)
        with pytest.raises(InputError, match="holds no direction map"):
            DirectionMap.load(tmp_path / "other.json")


# ---- what it does to a macrospin
def spin_of(**options):
    return fs.Macrospin(4e-9 * 30e-9**2, 9e5, 0.1, 300.0, **options)


def test_potentials_are_those_of_the_sphere(made):
    sphere, scale = fs.Sigma(COMM, 0.25), np.abs(made.chi).max()
    found = fs.decompose(sphere, lambda u: made.torque_per_current(u) / scale)
    assert found.residual < 1e-4
    for f, right in zip((found.chi, found.phi), made.potentials(sphere.nodes), strict=True):
        assert f.x.array[: sphere.owned] == pytest.approx(right / scale, rel=0, abs=1e-4)
        assert np.ptp(right) > 0.01 * scale


DRIVES = ({"current_density": 3e10}, {"voltage": 2e-4}, {"voltage": -2e-4, "series_resistance_area": 3e-14})


@pytest.mark.parametrize("drive", DRIVES, ids=["current", "voltage", "in series"])
def test_torque_on_a_macrospin(made, drive):
    """(du/dt)_ST = -gamma J(u) (tau/J)/(Ms t) in Gilbert's equation, and the potentials of its explicit form."""
    spin, u = spin_of(), random_directions(20, 7)
    density = drive.get("current_density")
    if density is None:
        density = (drive["voltage"] / (made.resistance_at(u) + drive.get("series_resistance_area", 0.0)))[:, None]
    g = -spin.gyromagnetic_ratio * density * made.torque_per_current(u) / (9e5 * 4e-9)
    right = (g + 0.1 * np.cross(u, g)) / (1 + 0.1**2)
    torque = made.torque(spin, **drive)
    largest = np.abs(right).max()
    assert torque.axis is None
    assert torque.velocity(u, spin) == pytest.approx(right, rel=0, abs=1e-12 * largest)
    assert torque.scaled(-2).velocity(u, spin) == pytest.approx(-2 * right, rel=0, abs=1e-12 * largest)
    slopes = [gradient(lambda x, i=i: torque.potentials(x, spin)[i], u) for i in (0, 1)]
    assert slopes[0] + np.cross(u, slopes[1]) == pytest.approx(right, rel=0, abs=1e-8 * largest)
    chi, slope = torque.chi(u, spin)
    assert chi == pytest.approx(torque.potentials(u, spin)[0], rel=0, abs=1e-13 * np.abs(chi).max())
    assert slope == pytest.approx(slopes[0], rel=0, abs=1e-8 * largest)
    assert np.linalg.norm(slopes[0], axis=1).min() > 0
    assert torque.chi(u, SimpleNamespace(pumping="any")) is None


def test_current_that_varies_too_much_has_no_chi(made):
    """A resistance that all but vanishes somewhere."""
    low = made.resistance_at(fs.macrospin.spin.fibonacci(4000)).min()
    other = dataclasses.replace(
        made,
        resistance_area=made.resistance_area
        - [0.99999 * low * math.sqrt(4 * math.pi)] * (np.arange(len(made.chi)) == 0),
    )
    spin, u = spin_of(), random_directions(5)
    torque = other.torque(spin, voltage=1e-4)
    assert torque.chi(u, spin) is None
    assert np.isfinite(torque.velocity(u, spin)).all()


def test_steady_state_of_a_gradient():
    """Without an energy the density is exp(chi/D), on a sphere without symmetry."""
    spin = spin_of()
    chi = 1e-16 * np.random.default_rng(5).normal(size=16) / np.concatenate([[1], sizes(3)])
    # phi = -alpha chi leaves no rotation in the explicit form.
    found = DirectionMap("free", 4e-9, chi, -0.1 * chi, np.eye(16)[0] * 1e-15, 0.0, 0)
    scale = spin.diffusion * spin.saturation_magnetization * 4e-9 / spin.gyromagnetic_ratio
    potential = -3.0 / np.abs(found.potentials(random_directions(200))[0]).max()
    torque = found.torque(spin, current_density=potential * scale)
    sphere = fs.Sigma(COMM, 0.2)
    steady = fs.FokkerPlanck(sphere, spin, torque).steady()
    right = -potential * found.potentials(sphere.points)[0]
    assert np.ptp(right) > 4
    assert np.ptp(np.log(steady.points) - right) < 1e-9


@pytest.mark.slow
def test_statistics_at_a_voltage(made):
    """What the torque does is dissipated, with the potential that was found for it."""
    spin = spin_of(field=(0.0, 0.0, 0.02))
    torque = made.torque(spin, voltage=-6e-4, series_resistance_area=1e-15)
    fp = fs.FokkerPlanck(fs.Sigma(COMM, 0.2), spin, torque)
    steady = fp.steady()
    assert steady.error_estimate < 1e-4
    free = fs.FokkerPlanck(COMM, spin).steady()
    assert np.linalg.norm(steady.mean - free.mean) > 0.05
    power = fp.power(steady)
    assert power["dissipation"] == pytest.approx(power["work"], rel=1e-3)


# ---- bad input
def test_what_a_map_cannot_be(monkeypatch):
    with pytest.raises(InputError, match="'Cu1' is no ferromagnet"):
        direction_map(problem_of(device()), "Cu1")
    with pytest.raises(InputError, match="tolerance is 2"):
        direction_map(problem_of(device()), "Py4", tolerance=2.0)
    with pytest.raises(ModelError, match="needs the vector model"):
        direction_map(fs.TransportProblem(fs.line(COMM, fs.Stack(layer(CO, 5)))), "Co1")
    single = fs.Stack(layer(CU, 12), layer(PY, 4), layer(CU, 30), interfaces={("Cu", "Py"): NP}, library={})
    with pytest.raises(InputError, match="'Py2' is the only magnet"):
        direction_map(problem_of(single), "Py2")
    plain = dataclasses.replace(PY, beta=0.0)
    face = fs.Interface.from_conductances(5e14, 5e14, 4e14)
    unpolarized = fs.Stack(layer(CU, 12), layer(plain, 4), layer(CU, 9), interfaces={("Cu", "Py"): face}, library={})
    with pytest.raises(InputError, match="there is no torque on 'Py2'"):
        direction_map(problem_of(unpolarized, field=(0, 0, 1.0)), "Py2")
    monkeypatch.setattr(direction_maps, "_DEGREES", (2,))
    problem = problem_of(device((0, 0.6, 0.8)))
    with pytest.raises(SolverError, match=r"degree 2 from 24 directions leave an error of 0\.\d+; allow a larger"):
        direction_map(problem, "Py4", tolerance=1e-3)
    assert problem.stack["Py4"].direction == (0, 0.6, 0.8)


def test_what_a_torque_cannot_be(made):
    spin = spin_of()
    for drive, words in (
        ({}, "exactly one"),
        ({"current_density": 1e10, "voltage": 1e-3}, "exactly one"),
        ({"voltage": math.nan}, "must be finite"),
        ({"voltage": 1e-3, "series_resistance_area": -1e-15}, "not negative"),
        ({"current_density": 1e10, "series_resistance_area": 1e-15}, "belongs to a voltage"),
    ):
        with pytest.raises(InputError, match=words):
            made.torque(spin, **drive)
    assert isinstance(made.torque(spin, voltage=0.0), DirectionTorque)


def test_what_groups_cannot_be():
    for count in (0, 2, 1.0):
        with pytest.raises(InputError, match="between 1 and the number of ranks, 1"):
            in_groups(COMM, count, lambda comm: problem_of(device()))
    with pytest.raises(InputError, match="must return a TransportProblem"):
        in_groups(COMM, 1, lambda comm: None)
    with pytest.raises(SolverError, match=r"groups: ZeroDivisionError: division by zero"):
        in_groups(COMM, 1, lambda comm: 1 / 0)


# ---- ranks
@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    return numbers(1, "direction_map.py", tmp_path_factory.mktemp("serial"))


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_and_groups_agree(ranks, serial, tmp_path):
    """2 ranks in 2 groups, 3 ranks in one, which also share errors."""
    assert require_equal(numbers(ranks, "direction_map.py", tmp_path), serial) == [
        f"/{k}" for k in ("chi", "phi", "resistance_area", "solves", "relaxation")
    ]


@pytest.fixture(scope="module")
def pumping():
    contacts = dict(zip(("bottom", "top"), ENDS, strict=True))
    problem = fs.TransportProblem(fs.line(COMM, two_references()), fs.Vector(), contacts=contacts)
    return problem, direction_map(problem, "Py3", tolerance=1e-4, pumping=True)


@pytest.mark.slow
def test_pumped_damping_in_any_direction(pumping):
    """Against solves, for a voltage source and a current source: without reciprocity, all is computed."""
    problem, found = pumping
    spin = fs.Macrospin(4e-9 * 30e-9**2, 9e5, 0.02, 300.0, fs.Uniaxial(stability=40))
    u = random_directions(4, 6)
    tensors = {
        False: found.pumped(spin, voltage=1e-4).pumping.tensor(u),
        True: found.pumped(spin, current_density=1e10).pumping.tensor(u),
    }
    for k, x in enumerate(u):
        problem.magnetize({"Py3": tuple(x)})
        turn = np.cross(x, np.eye(3)).T  # v -> u x v
        for opened, tensor in tensors.items():
            solved = fs.pumped_damping(problem, "Py3", spin.saturation_magnetization, open_circuit=opened)
            right = -turn @ solved @ turn
            assert tensor[k] == pytest.approx(right, rel=0, abs=2e-4 * np.abs(right).max())
    problem.magnetize({"Py3": (0, 0, 1)})
    difference = np.abs(tensors[True] - tensors[False]).max()
    assert difference > 1e-3 * np.abs(tensors[True]).max()


def test_a_sphere_with_pumping_is_saved_whole(pumping, tmp_path):
    found, u = pumping[1], random_directions(3)
    spin = fs.Macrospin(4e-9 * 30e-9**2, 9e5, 0.02, 300.0, fs.Uniaxial(stability=40))
    found.save(COMM, tmp_path / "map.json")
    again = DirectionMap.load(tmp_path / "map.json")
    a, b = (x.pumped(spin, voltage=1.0).pumping.tensor(u) for x in (again, found))
    assert a == pytest.approx(b, rel=1e-13, abs=1e-18)
    with pytest.raises(InputError, match="holds no pumping"):
        dataclasses.replace(found, pumping=None).pumped(spin, voltage=1.0)
    # Trajectories with noise need tables, and tables an axis.
    with pytest.raises(InputError, match="symmetric about an axis"):
        fs.langevin(COMM, found.pumped(spin, voltage=1.0), [1e-12], ensemble=16)


@pytest.mark.slow
def test_switching_with_a_tensor_on_the_sphere(pumping):
    """The stationary state without torque stays Boltzmann's, and pumping makes relaxation faster."""
    found = pumping[1]
    bare = fs.Macrospin(4e-9 * 30e-9**2, 9e5, 0.05, 300.0, fs.Uniaxial(stability=5))
    spin = found.pumped(bare, current_density=0.0)
    mesh = fs.Sigma(COMM, 0.3)
    solver = fs.FokkerPlanck(mesh, spin)
    boltzmann = np.log(solver.equilibrium().points) + spin.reduced_energy(mesh.points)
    assert np.ptp(boltzmann) < 1e-9
    slow, fast = (fs.FokkerPlanck(mesh, x, axisymmetric=False).spectrum(2).eigenvalues[1].real for x in (bare, spin))
    mean = spin.pumping.tensor(mesh.points)
    added = np.trace(mean, axis1=1, axis2=2) / 2
    assert 1 + 0.8 * added.min() / 0.05 < fast / slow < 1 + 1.2 * added.max() / 0.05


def test_the_order_of_contacts_does_not_matter(pumping):
    """What is pumped counts into the bottom, whatever contact is named first."""
    problem, _ = pumping
    before, turned = problem.contacts, dict(reversed(problem.contacts.items()))
    u = random_directions(1)[0]
    problem.magnetize({"Py3": tuple(u)})
    axis = np.cross(u, (0, 0, 1.0))
    currents = []
    for order in (before, turned):
        problem.contacts = order
        currents.append(pump(problem, "Py3", axis)[1])
    problem.contacts = before
    problem.magnetize({"Py3": (0, 0, 1)})
    assert currents[0] == pytest.approx(currents[1], rel=1e-6, abs=0)
    assert abs(currents[0]) > 1e-6
