"""What the further transport models refuse from Python: one line that says what, and the old state stays."""

import numpy as np
import pytest
from launch import TESTS, python
from mpi4py import MPI
from samples import vector

import fespin as fs
from fespin.errors import InputError

COMM = MPI.COMM_SELF
NAN, INF = float("nan"), float("inf")
SCRIPT = TESTS / "parallel" / "texture_error.py"


def material(**further):
    return fs.Material("A", 6e-9, 1e-8, 0.4, **further)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: fs.Vector(field=3.0), "field is 3.0; it must be three finite numbers"),
        (lambda: fs.Vector(field="abc"), "field is 'abc'; it must be three finite numbers"),
        (lambda: fs.Vector(field=(0, 1j, 0)), "three finite numbers"),
        (lambda: fs.Vector(field=(0, NAN, 0)), "three finite numbers"),
        (lambda: fs.Vector(None), "transverse is 'None'; known: absorbed, resolved"),
        (lambda: fs.Thermoelectric("300"), "temperature is '300' K"),
        (lambda: fs.Thermoelectric(np.array([300.0, 310.0])), "temperature is array"),
        (lambda: fs.Terminal(voltage="1"), "driven by '1'; it must be a finite number"),
        (lambda: fs.Terminal(current=1j), "driven by 1j; it must be a finite number"),
        (lambda: fs.Terminal(voltage=0.0, heat=np.ones(2)), "it must be a finite number"),
        (lambda: fs.Material("A", "6e-9", 1e-8), "resistivity is '6e-9'"),
        (lambda: fs.Material("A", 6e-9, 1e-8, 0.4j), "beta is 0.4j"),
        (lambda: material(g_factor="2"), "g_factor is '2'"),
        (lambda: material(bands={"s_up": 1e7}), "it must be a Bands"),
        (lambda: material(thermal=1e-6), "it must be a Thermal"),
        (lambda: material(dephasing_length=INF), "dephasing_length is inf"),
        (lambda: fs.Material("N", 6e-9, 1e-8, thermal=fs.Thermal((1e-6, 2e-6))), "both spins have the same"),
        (lambda: fs.Thermal(conductivity="390"), "conductivity is '390'"),
        (lambda: fs.Thermal(resistivity_slope="1e-3"), "resistivity_slope is '1e-3'"),
        (lambda: fs.Thermal(conductivity_slope=1e-3), "conductivity_slope needs conductivity"),
        (lambda: fs.Interface(1e-15, mixing_conductance="1e15"), "mixing_conductance is '1e15'"),
        (
            lambda: fs.Interface(1e-15, mixing_conductance=complex(1e15, NAN)),
            r"mixing_conductance is .*; it must be finite",
        ),
        (lambda: fs.Interface(1e-15, thermal_conductance=1e9j), "thermal_conductance is 1"),
        (lambda: fs.Bands("1e7", 1e6, 1e6, 1e21, 1e21), "s_up is '1e7'"),
    ],
)
def test_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()


def valve(m):
    faces = {("Cu", "Co"): vector.NC, ("Cu", "Py"): vector.NP}
    layers = [vector.layer(vector.CU, 9), vector.layer(vector.CO, 7, (0, 0, 1)), vector.layer(vector.CU, 5)]
    stack = fs.Stack(*layers, vector.layer(vector.PY, 4, m), interfaces=faces, library={})
    return fs.TransportProblem(fs.line(COMM, stack, mesh_size=1e-9), fs.Vector())


@pytest.mark.parametrize("m", [5, None, (1, 0), "up", (1, 0, 1j)])
def test_refused_directions(m):
    with pytest.raises(InputError, match=r"layer 'Py4': magnetization is .*three finite numbers"):
        valve((0, 1, 1)).magnetize({"Py4": m})


OPEN = {"bottom": fs.Terminal(voltage=1e-3), "top": fs.Terminal(voltage=0.0)}
MORE = {**OPEN, "tp": fs.Terminal(voltage=0.0)}


def plain(**options):
    metal = fs.Material("Cu", 6e-9, 450e-9, density_of_states=1e47)
    return fs.TransportProblem(fs.line(COMM, fs.Stack(fs.Layer(metal, 30e-9)), mesh_size=3e-9), **options)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda p: plain(model=fs.Vector), "model is .*; give a model"),
        (lambda p: plain(model="vector"), "model is 'vector'; give a model"),
        (lambda p: p.solve(current_density="1e11"), "current_density is '1e11'; it must be a finite number"),
        (lambda p: p.solve(voltage=1j), "voltage is 1j; it must be a finite number"),
        (lambda p: p.solve(terminals=MORE), "contact 'tp' is not in the geometry; did you mean 'top'"),
        (lambda p: p.solve(terminals=OPEN, between=("botom", "top")), "between: contact 'botom'"),
        (lambda p: p.solve(terminals=OPEN, between=("top",)), "between is .*; it must be two contacts"),
        (lambda p: p.solve(voltage=1e-3, between=("top", "top")), "it must be two contacts"),
        (lambda p: p.respond("1e9", voltage=1e-3), "frequency is '1e9'"),
        (lambda p: p.respond(1e9, voltage=1e-3, terminals=OPEN), "not both"),
        (lambda p: p.respond(1e9, terminals=MORE), "contact 'tp' is not in the geometry"),
        (lambda p: p.respond(1e9, terminals=OPEN, between=("bottom", "tp")), "between: contact 'tp'"),
        (lambda p: p.evolve(lambda t: MORE, 1e-12), "contact 'tp' is not in the geometry"),
        (lambda p: p.evolve(lambda t: OPEN, "1e-12"), "duration is '1e-12'"),
        (lambda p: p.evolve(lambda t: OPEN, 1e-12, max_step=NAN), "max_step is nan"),
        (lambda p: p.evolve(lambda t: OPEN, 1e-12, initial=plain().solve(voltage=1.0)), "initial is of another"),
        (
            lambda p: p.evolve(lambda t: OPEN, 1e-12, initial=valve((0, 0, 1)).solve(voltage=1e-3)),
            "initial is of another problem",
        ),
    ],
)
def test_refused_calls(call, words):
    with pytest.raises(InputError, match=words):
        call(plain())


def test_what_no_current_flows_in_has_no_impedance():
    x = plain().respond(1e9, voltage=0.0)
    assert x.impedance_area is None
    assert repr(x) == "<HarmonicResponse: 1e+09 Hz, power balance 0.0e+00>"


def test_a_direction_is_not_changed_by_who_gave_it():
    given = np.array([0.0, 1.0, 1.0])
    layer = fs.Layer(vector.PY, 4e-9, "a", given)
    given[:] = (1.0, 0.0, 0.0)
    assert layer.direction == pytest.approx((0, 2**-0.5, 2**-0.5))
    assert layer == fs.Layer(vector.PY, 4e-9, "a", (0, 1, 1))


def test_a_refused_texture_leaves_the_old_state():
    """In time, too, where matrices are made anew."""

    def bent(x):
        return np.array([np.cos(x[0] / 3e-9), np.sin(x[0] / 3e-9), 0.4 + 0 * x[0]])

    problem = valve(bent)
    old = problem.system.declaration
    with pytest.raises(InputError, match="its magnetization is zero"):
        problem.magnetize({"Py4": lambda x: np.where(x[0] > 22e-9, 0.0, 1.0) * bent(x)})
    assert problem.system.declaration is old
    assert problem.stack["Py4"].texture is bent


@pytest.mark.parametrize("ranks", [2, 3])
def test_a_texture_that_is_wrong_on_one_rank_is_refused_on_all(ranks):
    done = python(ranks, SCRIPT, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
