"""Products with the matrices of cells against forms on the same meshes."""

import numpy as np
import pytest
import ufl
from dolfinx import fem
from dolfinx import mesh as dmesh
from mpi4py import MPI

from fespin.onsager.cells import Cells

COMM = MPI.COMM_SELF


def meshes():
    """A line, a plane and a space of uneven, skewed cells."""
    made = [
        dmesh.create_interval(COMM, 7, [0.0, 2.0]),
        dmesh.create_rectangle(COMM, [[0.0, 0.0], [1.0, 3.0]], [3, 4]),
        dmesh.create_box(COMM, [[0.0, 0.0, 0.0], [1.0, 2.0, 0.5]], [2, 3, 2]),
    ]
    for m in made:
        x = m.geometry.x
        x[:, 0] += 0.3 * x[:, 0] ** 2 + 0.2 * x[:, 1] + 0.4 * x[:, 2]
    return made


@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize("mesh", meshes(), ids=["1D", "2D", "3D"])
def test_products_are_those_of_forms(mesh, degree):
    space = fem.functionspace(mesh, ("Lagrange", degree))
    w = fem.Function(space)
    w.x.array[:] = 5.0 + np.random.default_rng(degree).normal(size=len(w.x.array))
    v, dofs = ufl.TestFunction(space), space.dofmap.list
    cells = np.arange(len(dofs), dtype=np.int32)
    made = Cells(space)
    for product, form in (
        (made.stiffness, ufl.inner(ufl.grad(w), ufl.grad(v)) * ufl.dx),
        (made.mass, w * v * ufl.dx),
    ):
        right = fem.assemble_vector(fem.form(form)).array
        found = product(w.x.array[dofs], cells)
        total = np.bincount(dofs.ravel(), found.ravel(), minlength=len(right))
        assert total == pytest.approx(right, rel=0, abs=1e-13 * np.abs(right).max())
        # Of some cells, in any order.
        some = cells[::-2]
        assert product(w.x.array[dofs[some]], some) == pytest.approx(
            found[some], rel=0, abs=1e-14 * np.abs(found).max()
        )


def test_a_constant_has_no_flux_and_no_cell_loses_any():
    space = fem.functionspace(meshes()[2], ("Lagrange", 3))
    made, dofs = Cells(space), space.dofmap.list
    cells = np.arange(len(dofs), dtype=np.int32)
    assert not made.stiffness(np.full(dofs.shape, 1 / 3), cells).any()
    flux = made.stiffness(np.random.default_rng(1).normal(size=dofs.shape), cells)
    # To rounding, of either sign: nothing adds up.
    left = flux.sum(axis=1) / np.abs(flux).max(axis=1)
    assert np.abs(left).max() < 1e-14 and abs(left.mean()) < 1e-16
