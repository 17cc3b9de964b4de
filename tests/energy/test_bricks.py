"""The dipolar field by transforms on bricks: its tensor, boxes of any mesh, and boundary elements beside it."""

import numpy as np
import pytest
from dolfinx import mesh

import fespin as fs
from fespin.constants import VACUUM_PERMEABILITY
from fespin.energy import DipolarField, rectangular_prism_factors
from fespin.energy.bricks import PAIRS, box_of, demagnetizing_tensor
from fespin.gmsh_session import mesh_from_gmsh
from fespin.texture import Grid
from references.finite_differences import Film, brick_sums

MAGNET = fs.Magnet(8.3e5, 0.1)
EDGES = np.array([30e-9, 14e-9, 8e-9])
FULL = VACUUM_PERMEABILITY * MAGNET.saturation_magnetization


def swirl(x):
    s = x / 9e-9
    return np.stack([np.cos(s[:, 0] + s[:, 1]), np.sin(1.3 * s[:, 0] - s[:, 2]), 0.4 + np.sin(s[:, 0])], axis=1)


def prism(comm, cells):
    return Grid(mesh.create_box(comm, [[3e-9, -2e-9, 1e-9], np.array([3e-9, -2e-9, 1e-9]) + EDGES], cells))


def crooked(comm, size):
    """A box of tetrahedra by gmsh."""

    def build(gmsh):
        tag = gmsh.model.occ.addBox(5, 1, -2, *(1e9 * EDGES))  # in nm
        gmsh.model.occ.synchronize()
        gmsh.model.addPhysicalGroup(3, [tag], 1)
        gmsh.option.setNumber("Mesh.MeshSizeMin", 1e9 * size)
        gmsh.option.setNumber("Mesh.MeshSizeMax", 1e9 * size)
        gmsh.model.mesh.generate(3)
        return {"gdim": 3}

    body = mesh_from_gmsh(comm, None, build)[0]
    body.geometry.x[:] *= 1e-9
    return Grid(body)


def test_tensor():
    """Its trace, its sums over boxes, and dipoles far away; bricks with unequal edges."""
    size, counts = np.array([2e-9, 3e-9, 5e-9]), (41, 7, 4)
    table = demagnetizing_tensor([np.arange(n) for n in counts], size)
    trace = table[:3].sum(axis=0)
    assert trace[0, 0, 0] == pytest.approx(1, abs=1e-11)
    trace[0, 0, 0] = 0
    assert np.abs(trace).max() < 1e-9
    assert table[:3, 0, 0, 0] == pytest.approx(rectangular_prism_factors(*size), rel=1e-10)
    # The mean of the field of all bricks in all bricks: each displacement as often as it occurs, and both ways.
    weight = np.ones(counts)
    for axis, n in enumerate(counts):
        times = (n - np.arange(n)) * np.where(np.arange(n) > 0, 2, 1) / n
        weight *= times.reshape([-1 if k == axis else 1 for k in range(3)])
    whole = (table[:3] * weight).sum(axis=(1, 2, 3))
    assert whole == pytest.approx(rectangular_prism_factors(*(size * counts)), abs=1e-9)
    d = np.array([40, 6, 3]) * size
    r = np.linalg.norm(d)
    dipole = np.prod(size) / (4 * np.pi * r**3) * (np.eye(3) - 3 * np.outer(d, d) / r**2)
    assert table[:, 40, 6, 3] == pytest.approx([dipole[p] for p in PAIRS], rel=6e-3)
    assert np.abs(table[3:, 12, 5, 2]).min() > 1e-5  # of which the sign counts


def test_against_finite_differences(comm):
    """Fields and energies of the reference, which has its own tensor; m is constant in no brick here."""
    cells = (12, 6, 3)
    grid = prism(comm, cells)
    dipolar = DipolarField(grid, MAGNET)
    assert dipolar.method == "bricks" and box_of(grid).counts == cells
    film = Film(cells, EDGES / cells, MAGNET.saturation_magnetization, 0.0, 1.0, 0.1)
    at = film.centres().reshape(-1, 3) + EDGES / 2 + [3e-9, -2e-9, 1e-9]

    # A function that is linear along each edge, whose means are its values in the middles.
    def linear(x):
        s = x / EDGES
        return np.stack([1 + s[:, 0], s[:, 1] - 2 * s[:, 2], 0.5 - s[:, 0] + s[:, 2]], axis=1)

    m = linear(at).reshape(*cells, 3)
    energy = -MAGNET.saturation_magnetization / 2 * (m * film.dipolar(m)).sum() * np.prod(film.size)
    nodal = linear(grid.positions[: grid.owned])
    assert dipolar.energy(nodal) == pytest.approx(energy, rel=1e-9)
    # And the reference against sums of point dipoles, which hold for cubes far from each other.
    cubes = Film((9, 7, 5), (1e-9,) * 3, 1 / (4e-7 * np.pi), 0.0, 1.0, 0.1)
    along = np.array([0.6, -0.48, 0.64])
    field = cubes.dipolar(np.broadcast_to(along, (9, 7, 5, 3)).copy()).reshape(-1, 3).mean(0)
    assert field == pytest.approx(brick_sums((9, 7, 5), (1e-9,) * 3, along) - along / 3, abs=0.02)


@pytest.mark.parametrize("kind", ["lattice", "crooked"])
def test_uniform(comm, kind):
    """A uniform magnetization has the closed form's factors on any mesh of a box."""
    grid = prism(comm, (7, 4, 2)) if kind == "lattice" else crooked(comm, 3.5e-9)
    dipolar = DipolarField(grid, MAGNET)
    assert dipolar.method == "bricks"
    assert dipolar.factors == pytest.approx(np.diag(rectangular_prism_factors(*EDGES)), abs=1e-9)


def test_both_methods_tend_to_the_same(comm):
    """Energies of a state in three dimensions: differences fall with the square of the cells, those of bricks first."""
    energies = {}
    for method in ("bricks", "boundary"):
        for n in (1, 2):
            grid = prism(comm, [n * k for k in (8, 4, 2)])
            energies[method, n] = DipolarField(grid, MAGNET, method=method).energy(grid.directions(swirl))
    grid = prism(comm, [4 * k for k in (8, 4, 2)])
    fine = DipolarField(grid, MAGNET).energy(grid.directions(swirl))
    errors = {key: abs(energy / fine - 1) for key, energy in energies.items()}
    # What is left of the fine one is a fifteenth of the coarse one's error.
    assert 3 < errors["bricks", 1] / errors["bricks", 2] < 7
    assert errors["bricks", 2] < errors["boundary", 2] / 3 and errors["boundary", 2] < 0.08
    assert errors["boundary", 1] > 2.5 * errors["boundary", 2]


def test_crooked_cells(comm):
    """The same state on a mesh of gmsh."""
    coarse, fine = crooked(comm, 2.5e-9), prism(comm, (48, 24, 12))
    energies = [DipolarField(g, MAGNET).energy(g.directions(swirl)) for g in (coarse, fine)]
    assert energies[0] == pytest.approx(energies[1], rel=0.03)


def test_what_fills_no_box(comm):
    """Two cubes, an oblique box and a box with a bent side have boundary elements."""
    body = mesh.create_box(comm, [[0, 0, 0], [60e-9, 6e-9, 6e-9]], [20, 2, 2])
    cells = np.arange(body.topology.index_map(3).size_local, dtype=np.int32)
    middle = mesh.compute_midpoints(body, 3, cells)[:, 0]
    assert box_of(Grid(mesh.create_submesh(body, 3, cells[(middle < 6e-9) | (middle > 54e-9)])[0])) is None
    for bend in (lambda x: 0.3 * x[:, 1], lambda x: 2e-10 * (x[:, 1] > 7e-9) * (x[:, 0] > 29e-9)):
        body = mesh.create_box(comm, [[0, 0, 0], EDGES], [6, 4, 2])
        body.geometry.x[:, 0] += bend(body.geometry.x)
        assert box_of(Grid(body)) is None
