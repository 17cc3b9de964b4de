"""What the user declares: interfaces by layer and by material, and what is refused."""

import gmsh
import numpy as np
import pytest
from mpi4py import MPI

from fespin import (
    Contact,
    InputError,
    Interface,
    Layer,
    Material,
    Stack,
    Terminal,
    TransportProblem,
    from_file,
    lateral,
    line,
    material,
    strip,
)
from fespin.geometry.wide_leads import with_leads
from references.devices import CO, CU, DOWN, PY, UP, valve

COMM = MPI.COMM_WORLD
A, B, C = Interface(1e-15, 0.1), Interface(2e-15, 0.2), Interface(3e-15, 0.3)


def stack(interfaces, library=None):
    layers = (Layer(CU, 1e-8), Layer(CO, 1e-8, "fixed", UP), Layer(CU, 1e-8), Layer(CO, 1e-8, "free", UP))
    return Stack(*layers, interfaces=interfaces, library={} if library is None else library)


def test_a_layer_wins_over_its_material():
    s = stack({("Co", "Cu"): A, ("fixed", "Cu"): B, ("Cu3", "free"): C})
    assert s.interface("Cu1", "fixed") == B
    assert s.interface("Cu3", "fixed") == B
    assert s.interface("Cu3", "free") == s.interface("free", "Cu3") == C
    assert s.magnetized({"free": DOWN}).interface("Cu1", "fixed") == B
    assert stack({("fixed", "Cu3"): Interface(0.0)}, {("Co", "Cu"): A}).interface("fixed", "Cu3") is None


def test_the_built_in_interfaces_hold_unless_replaced():
    layers = (Layer(CU, 1e-8), Layer(CO, 1e-8))
    assert Stack(*layers).interface("Cu1", "Co2") == Interface(0.51e-15, 0.77)
    assert Stack(*layers, library={}).interface("Cu1", "Co2") is None


@pytest.mark.parametrize(
    ("interfaces", "words"),
    [
        ({("Co", "Cu"): A, ("Cu", "Co"): B}, "given twice"),
        ({("fixed", "Cu"): A, ("Co", "Cu3"): B}, "given twice for 'fixed' and 'Cu3'"),
        ({("Co", "Cuu"): A}, "did you mean 'Cu'"),
        ({("Cu", "Cu"): A}, "neither side is a ferromagnet"),
    ],
)
def test_refused_interfaces(interfaces, words):
    with pytest.raises(InputError, match=words):
        stack(interfaces)


def test_keys_that_disagree_about_layers_apart_are_refused_when_these_touch():
    """Only what is asked for is looked up: a stack of thousands has millions of pairs."""
    s = stack({("Cu1", "Co"): A, ("free", "Cu"): B})
    assert s.interface("Cu1", "fixed") == A
    assert s.interface("Cu3", "free") == B
    with pytest.raises(InputError, match="given twice for 'Cu1' and 'free', also as"):
        s.interface("Cu1", "free")


def test_interfaces_of_layers_that_do_not_touch():
    with pytest.raises(InputError, match=r"'Cu1\|free': these layers do not touch"):
        TransportProblem(line(COMM, stack({("Cu1", "free"): A})))


def test_leads_are_normal():
    with pytest.raises(InputError, match="Co is a magnet"):
        with_leads(stack({}), 1e-8, CO)
    with pytest.raises(InputError, match="need a lead_material"):
        with_leads(stack({}), 1e-8)
    assert with_leads(stack({}), 1e-8, CU).names[0] == "bottom-lead"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: line(COMM, valve(UP), refine=0), "refine"),
        (lambda: line(COMM, valve(UP), refine=-1.0), "refine"),
        (lambda: line(COMM, valve(UP), mesh_size=float("nan")), "mesh_size"),
        (lambda: strip(COMM, valve(UP), width=1e-8, depth=-1.0), "depth"),
        (lambda: TransportProblem(line(COMM, valve(UP)), degree=2.5), "degree"),
        (lambda: TransportProblem(line(COMM, valve(UP)), contacts={"topp": Contact()}), "did you mean 'top'"),
        (lambda: TransportProblem(line(COMM, valve(UP))).solve(voltage=float("inf")), "finite"),
        (lambda: TransportProblem(line(COMM, valve(UP))).solve(current_density=float("nan")), "finite"),
        (lambda: TransportProblem(line(COMM, valve(UP))).solve(), "exactly one"),
        (lambda: TransportProblem(line(COMM, valve(UP))).solve(voltage=1.0, current=1.0), "exactly one"),
        (lambda: Terminal(), "either a voltage or a current"),
        (lambda: Contact("leed"), "did you mean 'lead'"),
        (lambda: Layer(CU, 1e-8, magnetization=UP), "no ferromagnet"),
        (lambda: Layer(CO, 1e-8, magnetization=(0, 0, 0)), "zero"),
        (lambda: Stack(), "no layer"),
        (lambda: Stack(Layer(CU, 1e-8, "a"), Layer(CU, 1e-8, "a")), "both called 'a'"),
        (lambda: valve(UP).magnetized({"L9": UP}), "no layer is called 'L9'"),
    ],
)
def test_refused(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_lateral_takes_lists_and_refuses_the_impossible():
    s = Stack(Layer(CU, 5e-8, "n"), Layer(PY, 1e-8, "a"), Layer(PY, 1e-8, "b"))
    sizes = {"separation": 2e-7, "channel_width": 5e-8, "channel_length": 2e-7, "dimension": 2}
    assert set(lateral(COMM, s, wire_width=[5e-8, 6e-8], **sizes).contacts) == {"left", "injector", "detector", "right"}
    for change, words in (
        ({"channel_length": 0.0}, "channel_length"),
        ({"wire_overhang": 5e-8}, "section"),
        ({"separation": 5e-8}, "overlap"),
        ({"dimension": 4}, "dimension"),
    ):
        with pytest.raises(InputError, match=words):
            lateral(COMM, s, wire_width=5e-8, **(sizes | change))


def test_library_numbers_may_be_replaced():
    ru = material("Ru", resistivity=95e-9)
    assert (ru.resistivity, ru.spin_diffusion_length) == (95e-9, 14e-9)
    assert material("Co", resistivity=50e-9).resistivity == 50e-9
    assert material("Co", beta=0.5).resistivity_star == pytest.approx(75e-9, rel=1e-12, abs=0)


def box(path, corner, ends):
    """Two stacked boxes, with contacts on faces given by their bounding boxes (nm)."""
    gmsh.initialize(interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    try:
        occ, model = gmsh.model.occ, gmsh.model
        x, y = corner
        parts = [occ.addBox(x, y, z, 40, 40, 20) for z in (0, 20)]
        occ.fragment([(3, parts[0])], [(3, parts[1])])
        occ.synchronize()
        for name, tag in zip("ab", parts, strict=True):
            model.addPhysicalGroup(3, [tag], name=name)
        for name, (low, high) in ends.items():
            tiny = 1e-3
            found = model.getEntitiesInBoundingBox(*(v - tiny for v in low), *(v + tiny for v in high), 2)
            model.addPhysicalGroup(2, [t for _, t in found], name=name)
        gmsh.option.setNumber("Mesh.MeshSizeMax", 10)
        model.mesh.generate(3)
        gmsh.write(str(path))
    finally:
        gmsh.finalize()
    return from_file(COMM, path, Stack(Layer(CU, 1e-8, "a"), Layer(CO, 1e-8, "b"), library={}), length_unit=1e-9)


def test_a_device_away_from_the_origin_is_drawn(tmp_path):
    ends = {"bottom": ((10, 10, 0), (50, 50, 0)), "top": ((10, 10, 40), (50, 50, 40))}
    x = TransportProblem(box(tmp_path / "box.msh", (10, 10), ends)).solve(current_density=1e10)
    assert np.allclose(x.domain.centre, (30e-9, 30e-9), rtol=1e-9, atol=0)
    x.plot(tmp_path / "box.png")
    assert (tmp_path / "box.png").stat().st_size > 10_000


def test_contacts_that_touch_are_refused(tmp_path):
    ends = {"bottom": ((0, 0, 0), (40, 40, 0)), "side": ((0, 0, 0), (0, 40, 20))}
    with pytest.raises(InputError, match=r"contacts '(bottom|side)' and '(bottom|side)' touch"):
        box(tmp_path / "box.msh", (0, 0), ends)


def test_reports_of_a_solution_without_current():
    problem = TransportProblem(line(COMM, Stack(Layer(Material("N", 1e-8, 1e-7), 1e-8))))
    x = problem.solve(voltage=0.0)
    assert x.resistance_area is None
    assert repr(x) == "<TransportSolution: V(bottom) = 0 V, V(top) = 0 V, power balance 0.0e+00>"
    assert repr(x.domain).startswith("<Domain: ")
    assert x.summary()["r_nonequilibrium"] is None
