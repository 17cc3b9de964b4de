"""Meshes that all ranks refine, and files that all ranks read."""

import json
import math

import numpy as np
import pytest
from launch import numbers, require_equal
from mpi4py import MPI

from fespin import Contact, InputError, TransportProblem, from_file, line, pillar, save_mesh, strip
from fespin._compat import cell_nodes
from fespin.cases.casefile import read
from fespin.cli import main
from fespin.geometry.refining import Rim
from references.devices import CU, DOWN, PY, UP, reference, stack, valve

COMM = MPI.COMM_SELF
LEADS = dict.fromkeys(("bottom", "top"), Contact("lead"))
SMALL = stack((CU, 8, None), (PY, 3, DOWN), (CU, 10, None))


def area_resistance(domain):
    return TransportProblem(domain, contacts=LEADS).solve(current_density=1e11).resistance_area


def volumes(domain):
    x = domain.mesh.geometry.x[cell_nodes(domain.mesh)[: domain.owned_cells]][..., : domain.dim]
    return np.abs(np.linalg.det(x[:, 1:] - x[:, :1])) / math.factorial(domain.dim)


def outer_radii(domain, axes):
    """Distances of the boundary's nodes between bottom and top from the axis, in units of an ellipse."""
    x = domain.mesh.geometry.x
    r = np.hypot(x[:, 0] / axes[0], x[:, 1] / axes[1])
    m = domain.mesh
    m.topology.create_connectivity(2, 3)
    from dolfinx import mesh

    facets = mesh.exterior_facet_indices(m.topology)
    nodes = mesh.entities_to_geometry(m, 2, facets)
    inner = ~np.isclose(x[nodes, 2].max(axis=1), x[nodes, 2].min(axis=1), rtol=0, atol=1e-13)
    return r[np.unique(nodes[inner])]


@pytest.mark.parametrize("axes", [(30e-9, 40e-9), (35e-9, 20e-9)])
def test_curved_faces_stay_curved(axes):
    """New nodes lie on the ellipse; its area is exact at every level, and the ellipse tends to the true one."""
    swellings = []
    for n in (0, 1, 2):
        domain = pillar(COMM, SMALL, semi_axes=axes, mesh_size=15e-9, refinements=n)
        assert domain.contact_area("top") == pytest.approx(math.pi * axes[0] * axes[1], rel=1e-12)
        assert volumes(domain).sum() == pytest.approx(math.pi * axes[0] * axes[1] * 21e-9, rel=1e-12)
        radii = outer_radii(domain, axes)
        assert np.ptp(radii) < 1e-8
        swellings.append(radii.mean() - 1)
    ratios = np.divide(swellings[:-1], swellings[1:])
    assert ratios == pytest.approx([4, 4], rel=0.02)


def test_children_have_their_parents_place():
    """Eight cells of each, of the same volume but for the side; sizes of cells do not degenerate."""
    built = [pillar(COMM, SMALL, diameter=50e-9, mesh_size=15e-9, refinements=n) for n in (0, 1, 2)]
    assert [d.owned_cells / built[0].owned_cells for d in built] == [1, 8, 64]
    for d in built:
        for name in d.regions:
            assert d.region_extent(name) == pytest.approx(built[0].region_extent(name), rel=0, abs=1e-20)
        assert d.regions == built[0].regions and list(d.interfaces) == list(built[0].interfaces)
        for pair in d.interfaces:
            assert d.interface_area(pair) == pytest.approx(math.pi * 25e-9**2, rel=1e-12)

    def worst(domain):
        x = domain.mesh.geometry.x[cell_nodes(domain.mesh)]
        longest = max(np.linalg.norm(x[:, i] - x[:, j], axis=1).max() for i in range(4) for j in range(i))
        return volumes(domain).min() / volumes(domain).max(), longest

    (least, h), (least_2, h_2) = worst(built[0]), worst(built[2])
    assert least_2 > 0.7 * least
    assert h_2 == pytest.approx(h / 4, rel=0.1)


@pytest.mark.slow
def test_refinements_reduce_the_error():
    """Against Valet and Fert on a line; in wide leads as much as a mesh that gmsh makes twice as fine."""
    exact = reference(valve(DOWN), ("lead", "lead")).resistance_area
    errors = [abs(area_resistance(line(COMM, valve(DOWN), refinements=n)) / exact - 1) for n in (0, 1)]
    assert errors[1] < errors[0] / 12  # the order is 4
    keys = {"width": 60e-9, "lead_width": 150e-9, "lead_thickness": 20e-9, "mesh_size": 15e-9}
    coarse, ours, gmsh, fine = (
        area_resistance(strip(COMM, SMALL, **keys, **more))
        for more in ({}, {"refinements": 1}, {"refine": 2}, {"refinements": 3})
    )
    assert abs(ours - fine) < 0.6 * abs(coarse - fine)
    assert abs(ours - fine) < 1.5 * abs(gmsh - fine)


def test_rims():
    """Midpoints of neighbours move to the ellipse, those of chords and of other edges do not."""
    angles = np.linspace(-np.pi, np.pi, 12, endpoint=False)
    points = np.stack([3 * np.cos(angles), 2 * np.sin(angles)], axis=1)
    rim = Rim.of((3.0, 2.0), np.concatenate([points, points[:5]]))
    assert len(rim.angles) == 12
    assert rim.swelling**2 * 0.5 * 12 * math.sin(math.pi / 6) == pytest.approx(math.pi, rel=1e-12)
    assert np.diff(rim.halved().angles) == pytest.approx(np.pi / 12, rel=1e-9)
    ends = np.concatenate([points, points, points[:1], 0.5 * points[:1]])
    others = np.concatenate([np.roll(points, 1, axis=0), np.roll(points, 2, axis=0), points[:1], 0.5 * points[1:2]])
    a, b = (np.insert(x, 2, z, axis=1) for x, z in ((ends, 1.0), (others, 4.0)))
    middle = (a + b) / 2
    before = middle.copy()
    rim.place(middle, a, b)
    r = np.hypot(middle[:, 0] / 3, middle[:, 1] / 2)
    assert r[:12] == pytest.approx(1, rel=0, abs=1e-14)
    assert (middle[:, 2] == 2.5).all()
    assert (middle[12:] == before[12:]).all()


@pytest.mark.parametrize("value", [-1, 11, 1.5, True])
def test_refinements_that_are_none(value):
    with pytest.raises(InputError, match=r"refinements is .* a whole number from 0 to 10"):
        line(COMM, SMALL, refinements=value)


# ---- files
@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("meshes")
    built = {
        "line": line(COMM, SMALL, save=folder / "line.xdmf"),
        "strip": strip(COMM, SMALL, width=60e-9, depth=40e-9, mesh_size=30e-9, save=folder / "strip.xdmf"),
        "pillar": pillar(COMM, SMALL, diameter=40e-9, mesh_size=20e-9, save=folder / "pillar.xdmf"),
    }
    return folder, built


@pytest.mark.parametrize("name", ["line", "strip", "pillar"])
def test_files_keep_the_domain(name, files):
    folder, built = files
    one, two = built[name], from_file(COMM, folder / f"{name}.xdmf", SMALL)
    assert (one.regions, list(one.contacts), list(one.interfaces)) == (
        two.regions,
        list(two.contacts),
        list(two.interfaces),
    )
    assert (one.cross_section, one.depth, one.centre) == (two.cross_section, two.depth, two.centre)
    for pair in one.interfaces:
        assert one.interface_area(pair) == pytest.approx(two.interface_area(pair), rel=1e-13)
    assert area_resistance(one) == pytest.approx(area_resistance(two), rel=1e-10)


def test_files_in_other_units(files):
    folder, built = files
    domain = from_file(COMM, folder / "strip.xdmf", SMALL, length_unit=2.0, contacts=["top", "bottom"], refinements=1)
    assert domain.area == pytest.approx(4 * built["strip"].area, rel=1e-13)
    assert domain.region_extent("L1") == pytest.approx((16e-9, 22e-9), rel=1e-12)
    assert domain.owned_cells == 4 * built["strip"].owned_cells
    assert from_file(COMM, folder / "strip.xdmf", SMALL, depth=1e-9, cross_section=2e-9).area == pytest.approx(2e-18)


def test_gmsh_files_are_refined(tmp_path):
    pillar(COMM, SMALL, diameter=40e-9, mesh_size=20e-9, save=tmp_path / "pillar.msh")
    domains = [from_file(COMM, tmp_path / "pillar.msh", SMALL, length_unit=1e-9, refinements=n) for n in (0, 1)]
    assert domains[1].owned_cells == 8 * domains[0].owned_cells
    assert domains[1].contact_area("top") == pytest.approx(domains[0].contact_area("top"), rel=1e-12)


def test_files_that_are_refused(files, tmp_path):
    folder, _ = files
    text = (folder / "line.xdmf").read_text()
    about = text[text.index("Value=") :].split('"', 2)[1]

    def refusal(changed, **keywords):
        (tmp_path / "line.xdmf").write_text(changed)
        (tmp_path / "line.h5").write_bytes((folder / "line.h5").read_bytes())
        with pytest.raises(InputError) as error:
            from_file(COMM, tmp_path / "line.xdmf", keywords.pop("layers", SMALL), **keywords)
        line = str(error.value)
        assert "line.xdmf" in line and "\n" not in line
        return line

    assert "not a mesh with names" in refusal("<Xdmf>")
    assert "not a mesh with names" in refusal(text.replace("[]>", '[<!ENTITY a "b">]>'))
    assert "does not say the names" in refusal(text.replace('Name="fespin"', 'Name="other"'))
    assert "does not say the names" in refusal(text.replace(about, "{&quot;regions&quot;: {&quot;L0&quot;: 1}}"))
    assert "beside it; found '../line.h5'" in refusal(text.replace("line.h5:", "../line.h5:"))
    assert "beside it; found 'other.h5'" in refusal(text.replace("line.h5:", "other.h5:"))
    assert "cannot be read" in refusal(text.replace("/Mesh/mesh/topology", "/Mesh/mesh/topologies"))
    other = stack((CU, 8, None), (PY, 3, UP), (CU, 10, None), (CU, 1, None))
    assert "no region is called 'L3'" in refusal(text, layers=other)
    assert "no contact is called 'tip'; did you mean 'top'" in refusal(text, contacts=["tip"])
    with pytest.raises(InputError, match=r"the file does not exist; did you mean 'line.xdmf'"):
        from_file(COMM, folder / "lime.xdmf", SMALL)
    with pytest.raises(InputError, match=r"must end in .xdmf"):
        save_mesh(line(COMM, SMALL), folder / "line.msh")
    with pytest.raises(OSError, match="nowhere"):
        save_mesh(line(COMM, SMALL), folder / "nowhere" / "line.xdmf")


CASE = """
[geometry]
{geometry}
[[layer]]
material = "Cu"
thickness = 8e-9
name = "L0"
[[layer]]
material = "Py"
thickness = 3e-9
name = "L1"
[[layer]]
material = "Cu"
thickness = 10e-9
name = "L2"
[transport]
current_density = 1e11
"""


def test_cases(files, tmp_path, monkeypatch):
    folder, built = files
    monkeypatch.chdir(tmp_path)
    areas = []
    for geometry in (
        'shape = "pillar"\ndiameter = 40e-9\nmesh_size = 20e-9',
        f'mesh = "{folder / "pillar.xdmf"}"\nrefinements = 1',
    ):
        (tmp_path / "c.toml").write_text(CASE.format(geometry=geometry))
        assert main(["run", "c.toml", "--no-pictures", "--force"]) == 0
        summary = json.loads((tmp_path / "c" / "summary.json").read_text())
        state = summary["states"]["default"]
        areas.append(state["resistance_area"])
        assert state["current"] == pytest.approx(1e11 * built["pillar"].area, rel=1e-9)
    assert areas[1] == pytest.approx(areas[0], rel=1e-6)
    (tmp_path / "c.toml").write_text(CASE.format(geometry='shape = "line"\nrefinements = 11'))
    with pytest.raises(InputError, match=r"geometry\.refinements: found 11"):
        read(tmp_path / "c.toml")


@pytest.mark.slow
def test_rank_counts_agree(tmp_path):
    """Regions, interfaces, contacts, resistances and accumulations on 1, 2 and 3 ranks."""
    serial = numbers(1, "scaled.py", tmp_path)
    for ranks in (2, 3):
        groups = require_equal(numbers(ranks, "scaled.py", tmp_path), serial)
        assert len(groups) == 12
