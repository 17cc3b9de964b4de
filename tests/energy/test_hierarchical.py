"""The compressed double layer against the dense one, on a box, whose faces are planes, and on a ball."""

import math
import re

import numpy as np
import pytest
from dolfinx import mesh

import fespin as fs
from fespin.energy import DipolarField
from fespin.energy.hierarchical import HierarchicalLayer
from fespin.energy.surface import Surface
from fespin.errors import InputError
from fespin.gmsh_session import mesh_from_gmsh
from fespin.texture import Grid


def box(comm):
    return Grid(mesh.create_box(comm, [[1e-9, 2e-9, 0], [31e-9, 22e-9, 4e-9]], [22, 15, 3]))


def ball(comm):
    def build(gmsh):
        tag = gmsh.model.occ.addSphere(3, -2, 1, 10)  # in nm
        gmsh.model.occ.synchronize()
        gmsh.model.addPhysicalGroup(3, [tag], 1)
        gmsh.option.setNumber("Mesh.MeshSizeMin", 1.6)
        gmsh.option.setNumber("Mesh.MeshSizeMax", 1.6)
        gmsh.model.mesh.generate(3)
        return {"gdim": 3}

    body = mesh_from_gmsh(comm, None, build)[0]
    body.geometry.x[:] *= 1e-9
    return Grid(body)


@pytest.mark.parametrize("body", [box, ball])
def test_against_the_dense_matrix(comm, body):
    """Products with the matrix and its transpose; the measured error is the true one, and falls with the tolerance."""
    surface = Surface(body(comm))
    dense = surface.double_layer()
    rng = np.random.default_rng(3)
    g, f = rng.normal(size=(2, len(surface)))
    errors = []
    for tolerance in (1e-2, 1e-4):
        layer = HierarchicalLayer(surface, tolerance, 1e9)
        columns = np.stack([layer.products(e, e)[0] for e in np.eye(len(surface))[::23]], axis=1)
        errors.append(np.linalg.norm(columns - dense[:, ::23]) / np.linalg.norm(dense[:, ::23]))
        assert errors[-1] < tolerance / 3
        assert errors[-1] / 4 < layer.error < 4 * errors[-1]
        straight, back = layer.products(g, f)
        assert straight == pytest.approx(dense @ g, abs=20 * errors[-1] * np.abs(dense @ g).max())
        assert f @ straight == pytest.approx(g @ back, rel=1e-11)  # one matrix, exactly
        assert layer.products(np.ones(len(g)), f)[0] == pytest.approx(-np.ones(len(g)), abs=1e-12)
        assert 0 < layer.nbytes < 1.5 * dense.nbytes
    assert errors[1] < errors[0] / 30


def test_fields(comm):
    """A field with it: symmetric to rounding, and as far from the dense one's as its tolerance allows."""
    grid = ball(comm)
    magnet = fs.Magnet(8.3e5, 0.1)
    dense, short = (DipolarField(grid, magnet, tolerance=t) for t in (0.0, 1e-4))
    assert dense.compression_error == 0 < short.compression_error < 1e-5
    x = grid.positions[: grid.owned] / 7e-9
    a = np.stack([np.cos(x[:, 0]), np.sin(x[:, 1] - x[:, 2]), 0.3 + x[:, 0] * x[:, 1]], axis=1)
    b = np.roll(a, 1, axis=1) + 0.2
    weights = grid.weights[: grid.owned, None]
    one, other = (grid.total(weights * p * short.field(q)) for p, q in ((a, b), (b, a)))
    scale = short.scale * math.sqrt(grid.total(weights * a * a) * grid.total(weights * b * b))
    assert abs(one - other) < 1e-13 * scale and abs(one) > 5e-3 * scale
    assert np.abs(short.field(a) - dense.field(a)).max() < 1e-4 * np.abs(dense.field(a)).max()
    assert short.energy(a) == pytest.approx(dense.energy(a), rel=1e-5)
    assert np.diag(short.factors) == pytest.approx(np.diag(dense.factors), abs=1e-6)


def test_bad_input(comm):
    grid = ball(comm)
    magnet = fs.Magnet(8.3e5, 0.1)
    for tolerance in (-1e-3, 0.5, math.nan):
        with pytest.raises(InputError, match=re.escape(f"tolerance is {tolerance!r}; it must be from 0, for none")):
            DipolarField(grid, magnet, tolerance=tolerance)
    with pytest.raises(InputError, match=r"compressed to a tolerance of 0\.001, take more than the allowed memory=1e"):
        DipolarField(grid, magnet, tolerance=1e-3, memory=1e5)
