"""Mesh files that are no meshes are refused before anything is solved; unusual ones that are meshes are not."""

import functools
import json
import re
from itertools import permutations

import casefiles
import faulty_meshes
import gmsh
import numpy as np
import pytest
from casefiles import run, swap
from dolfinx import mesh as dmesh
from faulty_meshes import FAULTS
from launch import TESTS, python
from mpi4py import MPI

from fespin._compat import cell_nodes
from fespin.errors import InputError
from fespin.geometry.reading import Reading
from fespin.geometry.soundness import check_cells, check_points

refused = functools.partial(casefiles.refused, progress="mesh|state|note")

CASE = """
[geometry]
mesh = "NAME.msh"
length_unit = 1e-9
[[layer]]
name = "lower"
material = "Co"
[[layer]]
name = "upper"
material = "Cu"
[transport]
current_density = 2e11
degree = 1
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("meshes")
    for name, (mesh, _) in {**FAULTS, "sound": (faulty_meshes.grid(), ())}.items():
        faulty_meshes.write(path / f"{name}.msh", *mesh)
    return path


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_named(name, folder, capsys):
    """One line says the file, what is wrong and where."""
    path = folder / f"{name}.toml"
    path.write_text(CASE.replace("NAME", name))
    words = [f"{name}.toml", f"{name}.msh", *FAULTS[name][1]]
    refused(capsys, ["run", path, "--output", folder / "out"], words)
    assert not (folder / "out").exists()


def test_numbers_of_nodes_are_names(folder):
    """The same mesh without a fault runs, and gives the same resistance whatever its nodes are called."""
    nodes, *groups = faulty_meshes.grid()
    faulty_meshes.write(
        folder / "gaps.msh", nodes, *groups, tags=7 * np.random.default_rng(3).permutation(len(nodes)) + 4
    )
    resistances = []
    for name in ("sound", "gaps"):
        summary, _ = run(folder, CASE.replace("NAME", name), name=name)
        (state,) = summary["states"].values()
        assert abs(state["power_balance"]) < 1e-6
        resistances.append(state["resistance"])
    assert resistances[0] == pytest.approx(resistances[1], rel=1e-7)


def test_faults_on_two_ranks(folder):
    """All ranks hear the same line; none waits."""
    process = python(2, TESTS / "parallel" / "broken_meshes.py", folder, timeout=120)
    assert process.returncode == 0, process.stderr
    heard = json.loads((folder / "heard.json").read_text())
    assert heard.pop("sound") == ["", ""]
    for name, (first, second) in heard.items():
        assert first == second and "\n" not in first
        assert all(word in first for word in FAULTS[name][1]), first


def test_a_node_number_given_twice(folder, capsys):
    nodes, *groups = faulty_meshes.grid()
    tags = np.arange(len(nodes)) + 1
    tags[7] = 12
    faulty_meshes.write(folder / "tags.msh", nodes, *groups, tags=tags)
    (folder / "tags.toml").write_text(CASE.replace("NAME", "tags"))
    refused(capsys, ["run", folder / "tags.toml", "--output", folder / "out"], ["tags.msh", "twice"])


def test_facets_that_are_no_sides_of_cells(folder, capsys):
    """A contact drawn through a cell would be smaller than it looks."""
    nodes, cells, layer, ends = faulty_meshes.grid()
    ends[0] = (np.vstack([ends[0][0][:-1], [[1, faulty_meshes.NX + 3 + 1]]]), 3)
    faulty_meshes.write(folder / "sides.msh", nodes, cells, layer, ends)
    (folder / "sides.toml").write_text(CASE.replace("NAME", "sides"))
    words = ["sides.msh", "contact 'bottom' has 1 facets of 5", "near (2, 1, 0)"]
    refused(capsys, ["run", folder / "sides.toml", "--output", folder / "out"], words)


def test_a_file_that_breaks_gmsh(folder, capsys):
    """gmsh crashes on this dimension of a group when it reads what it has written; the run ends with a line."""
    text = swap((folder / "sound.msh").read_text(), ('1 3 "bottom"', '99999999999 3 "bottom"'))
    (folder / "crash.msh").write_text(text)
    (folder / "crash.toml").write_text(CASE.replace("NAME", "crash"))
    refused(capsys, ["run", folder / "crash.toml", "--output", folder / "out"], ["crash.msh"])


# ---- the checks themselves, on meshes of boxes
RNG = np.random.default_rng(5)


def box(dim, cells=4, extents=(1.0, 0.7, 1.3)):
    """Return nodes (n, 3) and corners (m, dim + 1) of a box, cells in any orientation."""
    low, high, counts = np.zeros(dim), np.array(extents[:dim]), [cells] * dim
    if dim == 1:
        mesh = dmesh.create_interval(MPI.COMM_SELF, cells, [0.0, extents[0]])
    elif dim == 2:
        mesh = dmesh.create_rectangle(MPI.COMM_SELF, [low, high], counts)
    else:
        mesh = dmesh.create_box(MPI.COMM_SELF, [low, high], counts)
    c = RNG.permuted(np.asarray(cell_nodes(mesh), np.int64), axis=1)
    return mesh.geometry.x.copy(), c


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_unusual_meshes_are_accepted(dim):
    """Any unit, any orientation of cells, layers a hundred thousand times thinner than their cells are wide."""
    x, c = box(dim)
    for unit in (1e-9, 1.0, 1e7):
        check_cells("x", unit * x, c, dim)
    thin = x * [1, 1, 1]
    thin[:, dim - 1] *= 1e-5 if dim > 1 else 1
    check_cells("x", thin, c, dim)
    moved = x + 1e3  # far from the origin, in the coordinates that count
    moved[:, dim:] = 0
    check_cells("x", moved, c, dim)
    # Nodes moved at random, by less than what turns a cell over.
    check_cells("x", x + np.pad(0.01 * RNG.uniform(-1, 1, (len(x), dim)), ((0, 0), (0, 3 - dim))), c, dim)


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("seed", range(5))
def test_a_node_that_crosses_a_face_tangles(dim, seed):
    """Whichever node goes to the other side of a face, also out of the box: some neighbours lie over each other."""
    x, c = box(dim)
    rng = np.random.default_rng(seed)
    cell = c[rng.integers(len(c))]
    node, face = cell[0], x[cell[1:]].mean(axis=0)
    x[node] += 1.2 * (face - x[node])
    with pytest.raises(InputError, match="lie over each other"):
        check_cells("x", x, c, dim)


def test_two_boxes_that_share_corners_only():
    """Neighbours whose triangles do not match touch at the corners of their face: hardly a current would pass."""
    x, c = box(3, 2, (1.0, 1.0, 1.0))
    y, d = box(3, 3, (1.0, 1.0, 1.0))
    y[:, 2] -= 1
    shared = {tuple(p): i for i, p in enumerate(x.tolist())}
    number, more = [], []
    for p in y.tolist():
        number.append(shared.get(tuple(p), len(x) + len(more)))
        more += [] if tuple(p) in shared else [p]
    assert len(shared) + len(more) == len(x) + len(y) - 4
    with pytest.raises(InputError, match="side of a cell that it does not belong to"):
        check_cells("x", np.vstack([x, more]), np.vstack([c, np.array(number)[d]]), 3)


def test_a_line_that_turns_back():
    x = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [1.5, 0, 0]])
    with pytest.raises(InputError, match="lie over each other"):
        check_cells("x", x, np.array([[0, 1], [2, 1], [2, 3]]), 1)
    with pytest.raises(InputError, match="share one face"):
        check_cells("x", x, np.array([[0, 1], [2, 1], [1, 3]]), 1)


def test_a_cell_is_the_same_in_any_order():
    """Duplicates are found whatever the order of their corners, and flat cells."""
    x, c = box(3, 2)
    for order in permutations(range(4)):
        with pytest.raises(InputError, match="cell is there twice"):
            check_cells("x", x, np.vstack([c, c[3][list(order)]]), 3)
    # Four corners of a square, as of a sliver: one more cell on a face of the box.
    y = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1e-12]])
    with pytest.raises(InputError, match="a cell is flat"):
        check_cells("x", y, np.array([[0, 1, 2, 3], [0, 1, 2, 4]]), 3)


def test_squares_and_curved_cells(tmp_path):
    """Of other cells the map from the reference cell is looked at, at all of their nodes."""
    x = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [2, 0, 0], [2, 1, 0]], float)
    squares = np.array([[0, 1, 2, 3], [1, 4, 5, 2]])
    check_cells("x", x, squares, 2, np.ones((2, 4)))
    with pytest.raises(InputError, match="inside out"):
        check_cells("x", x, squares, 2, np.array([[1, 1, 1, 1], [1, -0.1, 1, 1.0]]))
    with pytest.raises(InputError, match="flat"):
        check_cells("x", x, squares, 2, np.array([[1, 1, 1, 1], [1, 0.0, 1, 1.0]]))
    x[[4, 5], 0] = [0.5, 0.4]  # folded over the first
    with pytest.raises(InputError, match="lie over each other"):
        check_cells("x", x, squares, 2, np.ones((2, 4)))


def test_empty_and_infinite_meshes():
    with pytest.raises(InputError, match="one place, none"):
        check_points("x", np.zeros((0, 3)))
    with pytest.raises(InputError, match=r"\(inf, 0, 0\)"):
        check_points("x", np.array([[0, 0, 0], [np.inf, 0, 0]]))


def body_mesh(path, order, squares=False, fold=0.0):
    """Write a square of 20 nm with a mesh of the given order; `fold` moves a node inside."""
    gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.model.occ.addDisk(0, 0, 0, 20, 12)
        gmsh.model.occ.synchronize()
        gmsh.model.addPhysicalGroup(2, [1], 1, "body")
        gmsh.option.setNumber("Mesh.MeshSizeMax", 6)
        if squares:
            gmsh.option.setNumber("Mesh.RecombineAll", 1)
            gmsh.option.setNumber("Mesh.Algorithm", 8)
            gmsh.option.setNumber("Mesh.SubdivisionAlgorithm", 1)
        gmsh.model.mesh.generate(2)
        gmsh.model.mesh.setOrder(order)
        if fold:
            tags, at, _ = gmsh.model.mesh.getNodes(2, 1)
            inner = np.argmin(np.linalg.norm(at.reshape(-1, 3), axis=1))
            gmsh.model.mesh.setNode(tags[inner], at.reshape(-1, 3)[inner] + [fold, 0, 0], [])
        gmsh.write(str(path))
    finally:
        gmsh.finalize()


@pytest.mark.parametrize(("order", "squares"), [(1, False), (2, False), (1, True), (2, True)])
def test_bodies_of_any_cells(order, squares, tmp_path):
    """Curved and square cells of a body are accepted, and refused when a node has been moved over others."""
    from fespin.cases.body.geometry import make_body
    from fespin.cases.body.tables import BodyTable

    table = BodyTable(mesh="body.msh", length_unit=1e-9)
    body_mesh(tmp_path / "body.msh", order, squares)
    body = make_body(MPI.COMM_WORLD, table, tmp_path, "longitudinal.geometry", 1e-9)
    assert body.mesh.geometry.cmap.degree == order
    body_mesh(tmp_path / "body.msh", order, squares, fold=9.0)
    with pytest.raises(InputError, match=r"inside out|lie over each other"):
        make_body(MPI.COMM_WORLD, table, tmp_path, "longitudinal.geometry", 1e-9)


def test_spheres_of_broken_nodes(tmp_path):
    """The sphere of directions is checked too: a node that is no number is not carried into angles."""
    from fespin.sigma.mesh import sphere_from_file, sphere_mesh

    sphere_mesh(MPI.COMM_WORLD, 0.8, save=tmp_path / "good.msh2")
    text = (tmp_path / "good.msh2").read_text()
    nodes = re.search(r"\$Nodes\n\d+\n(.*?)\$EndNodes", text, re.S)[1].splitlines()
    number, _, *coordinates = nodes[-1].split()
    for value, words in (("nan", "finite"), ("1e400", "finite")):
        (tmp_path / "bad.msh").write_text(swap(text, (nodes[-1], " ".join([number, value, *coordinates]))))
        with pytest.raises(InputError, match=words):
            sphere_from_file(MPI.COMM_WORLD, tmp_path / "bad.msh")


@pytest.mark.parametrize("seconds", [0.0, -1.0, np.nan, np.inf])
def test_times_that_are_none(seconds):
    with pytest.raises(InputError, match="--mesh-time"):
        Reading(seconds=seconds)
