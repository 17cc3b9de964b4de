"""The user's own meshes: the parametric geometries that people copy, and what a file may contain."""

import itertools
import json

import gmsh
import numpy as np
import pytest
from launch import ROOT
from mpi4py import MPI

from fespin import Contact, Layer, Stack, Terminal, TransportProblem, from_file, line, pillar
from fespin.cli import main
from fespin.sigma.mesh import corners_of, sphere_from_file
from references.devices import CU, DOWN, PY, reference, valve

COMM = MPI.COMM_WORLD
FOLDER = ROOT / "meshes"
CASES = sorted(p.stem for p in FOLDER.glob("*.toml"))
SPHERES = [c for c in CASES if "[macrospin]" in (FOLDER / f"{c}.toml").read_text()]


def test_every_geometry_has_a_case_and_a_picture():
    assert sorted(p.stem for p in FOLDER.glob("*.geo")) == CASES
    assert sorted(p.stem for p in (FOLDER / "images").glob("*.png")) == CASES
    text = (FOLDER / "README.md").read_text()
    assert all(f"images/{c}.png" in text for c in CASES)


@pytest.mark.parametrize("name", sorted(set(CASES) - set(SPHERES)))
def test_geometry_runs(name, tmp_path):
    """Each case runs, at degree 1 to be quick; power is balanced and every layer dissipates."""
    arguments = ["run", FOLDER / f"{name}.toml", "--output", tmp_path / "out", "--set", "transport.degree=1"]
    arguments += ["--set", "transport.solver.rtol=1e-14"]
    assert main([str(a) for a in [*arguments, "--no-pictures"]]) == 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    for s in summary["states"].values():
        assert abs(s["power_balance"]) < 1e-10
        assert all(p >= 0 for p in s["power_by_place"].values())


@pytest.mark.slow
@pytest.mark.parametrize("name", SPHERES)
def test_sphere_runs(name, tmp_path):
    """Each case of directions runs on its own mesh, which is fine enough for its default degree."""
    arguments = ["run", FOLDER / f"{name}.toml", "--output", tmp_path / "out", "--no-pictures"]
    assert main([str(a) for a in arguments]) == 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    for task in summary["tasks"].values():
        assert task["solved_on"] == "sphere"
        assert max(task["error_estimate"]) < 1e-3
        assert abs(task["mass_error"]) < 1e-6
        assert (np.diff(task["not_switched"]) < 1e-6).all()


def test_the_sphere_has_hemispheres():
    """No cell of the parametric sphere crosses the equator or the planes of its meridians."""
    corners = corners_of(sphere_from_file(COMM, FOLDER / "sphere.geo"))
    sides = np.sign(np.round(corners, 12))
    assert (sides.max(axis=1) * sides.min(axis=1) >= 0).all()
    # Cells shrink towards the poles.
    size = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).mean(axis=1)
    height = np.abs(corners.mean(axis=1)[:, 2])
    assert size[height > 0.95].mean() < 0.6 * size[height < 0.3].mean()


def test_a_written_mesh_is_read_back(tmp_path):
    """A pillar saved as .msh and read as the user's own gives the same resistance."""
    s = valve(DOWN)
    leads = dict.fromkeys(("bottom", "top"), Contact("lead"))
    first = TransportProblem(line(COMM, s, save=tmp_path / "line.msh"), contacts=leads).solve(voltage=1.0)
    read = from_file(COMM, tmp_path / "line.msh", s, length_unit=1e-9, cross_section=1.0)
    second = TransportProblem(read, contacts=leads).solve(voltage=1.0)
    assert second.resistance_area == pytest.approx(first.resistance_area, rel=1e-12, abs=0)
    pillar(COMM, s, diameter=50e-9, mesh_size=20e-9, save=tmp_path / "pillar.msh")
    solid = from_file(COMM, tmp_path / "pillar.msh", s, length_unit=1e-9)
    third = TransportProblem(solid, contacts=leads).solve(current_density=1e10)
    exact = reference(s, ("lead", "lead")).resistance_area
    # The cross-section defaults to the smallest contact: that of the polygon in the file.
    assert third.resistance_area == pytest.approx(exact, rel=1e-5, abs=0)


def test_a_name_may_be_a_layer_and_a_contact(tmp_path):
    """Groups of cells and of facets are different things: "tap" can be both; others stay untouched."""
    gmsh.initialize(interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    try:
        geo, model = gmsh.model.geo, gmsh.model
        points = [geo.addPoint(x, 0, 0) for x in (0, 20, 50)]
        curves = [geo.addLine(a, b) for a, b in itertools.pairwise(points)]
        geo.synchronize()
        for name, dim, tags in (("tap", 1, [1]), ("body", 1, [2]), ("tap", 0, [1]), ("end", 0, [3])):
            model.addPhysicalGroup(dim, [curves[tags[0] - 1]] if dim else [points[tags[0] - 1]], name=name)
        gmsh.option.setNumber("Mesh.MeshSizeMax", 1.0)
        model.mesh.generate(1)
        gmsh.write(str(tmp_path / "tap.msh"))
    finally:
        gmsh.finalize()
    s = Stack(Layer(CU, 20e-9, "tap"), Layer(PY, 30e-9, "body"))
    domain = from_file(COMM, tmp_path / "tap.msh", s, length_unit=1e-9, cross_section=1.0)
    problem = TransportProblem(domain)
    x = problem.solve(terminals={"tap": Terminal(voltage=1e-3), "end": Terminal(voltage=0.0)})
    exact = reference(s, ("reservoir", "reservoir")).resistance_area
    assert x.between == ("tap", "end")
    assert x.resistance_area == pytest.approx(exact, rel=1e-6, abs=0)
