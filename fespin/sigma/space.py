"""The sphere Sigma of directions: a high-order finite-element space with exact geometry."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import basix
import basix.ufl
import numpy as np
import ufl
from dolfinx import fem, la
from dolfinx import mesh as dmesh
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from .. import _compat
from ..energy.on_sphere import Array
from ..macrospin.landscape import Landscape, survey
from ..macrospin.spin import Macrospin
from ..quantities import direction, require_between, require_integer, require_type
from .bisection import Size, bisected
from .matrix import Flow, Solver, SparseMatrix, assembled, balanced
from .mesh import Sizing, corners_of, sphere_from_file, sphere_mesh

type Density = Callable[[Array], Array]
"""A function of directions (n, 3), with values (n,)."""

type Potential = Callable[[Array], tuple[Array, Array]]
"""Takes directions (n, 3), returns the weight's potential V and its gradient, (n,) and (n, 3)."""


type Places = NDArray[np.int_] | slice
"""Where the degrees of freedom of a surface stand in a space of DOLFINx."""


@dataclass(frozen=True)
class Stored:
    """A space whose values can be saved, and the degrees of freedom in its order."""

    space: fem.FunctionSpace
    places: Places = field(default_factory=lambda: slice(None))


class Sigma:
    """The unit sphere with a Lagrange space on it.

    The mesh consists of flat triangles; functions live on the exact sphere by the radial map u = x/|x|, whose metric is
    part of every integral, so the geometry has no error. Coefficients enter the weak forms through
    their values at quadrature points: one compiled form serves all energies and torques.

    The constructor is collective.

    Parameters
    ----------
    mesh_size
        Length of edges; degree 4 has about 230/mesh_size^2 unknowns.
    degree
        Degree of the polynomials.
    axis
        Direction of the poles. The equator about it consists of edges: hemispheres of that axis are
        integrated without cutting cells.
    refine
        A macrospin: cells are smaller where its energy is low, larger at its maxima.
    grading
        Variation of the sizes: they vary by a factor between 1 - grading and 1 + grading; 0 is uniform. An
        energy of a larger span than 100 kT has it closer to 1: 1 - grading falls with the root of the span.
    mesh
        A .msh or .geo file, instead of a mesh of its own.
    quadrature_degree
        Default 2 degree + 10: weights vary by powers of ten within a cell.

    Attributes
    ----------
    points
        Directions of the quadrature points of this rank's own cells, (n, 3).
    measure
        Weights of the quadrature points, which add up to 4 pi over all ranks, (n,).
    nodes
        Directions of this rank's own degrees of freedom, (m, 3).

    Raises
    ------
    InputError
        If a parameter is out of range or the mesh file does not fit.

    Examples
    --------
    >>> sphere = fs.Sigma(comm, mesh_size=0.5)
    >>> print(f"{sphere.integral(sphere.points[:, 0] ** 2) / (4 * np.pi):.4f}")
    0.3333
    >>> equilibrium = fs.FokkerPlanck(sphere, spin, axisymmetric=False).equilibrium()
    >>> round(equilibrium.expect(lambda u: u[:, 2] ** 2), 3)
    0.764
    """

    dim = 2
    key = "sphere.mesh_size"  # key of a case file that sets the resolution, for messages

    def __init__(
        self,
        comm: MPI.Intracomm,
        mesh_size: float = 0.15,
        *,
        degree: int = 4,
        axis: Sequence[float] = (0.0, 0.0, 1.0),
        refine: Macrospin | None = None,
        grading: float = 0.5,
        mesh: Path | None = None,
        quadrature_degree: int | None = None,
        save: Path | None = None,
    ) -> None:
        require_integer("sphere", "degree", degree, 1, 8)
        require_between("sphere", "grading", grading, 0, 0.9)
        if quadrature_degree is not None:
            require_integer("sphere", "quadrature_degree", quadrature_degree, 1)
        if refine is not None:
            require_type("sphere: refine", refine, Macrospin)
        self.axis = np.array(direction(axis, "sphere", "axis"))
        if mesh is not None:
            found, self.key = sphere_from_file(comm, Path(mesh)), "sphere.mesh"
        else:
            sizing = _sizing(refine, grading) if refine is not None and grading else None
            found = sphere_mesh(comm, mesh_size, axis=axis, sizing=sizing, save=save)
            self.mesh_size = mesh_size
        self._build(found, degree, quadrature_degree or 2 * degree + 10)

    @classmethod
    def bisected(
        cls, comm: MPI.Intracomm, size: Size, *, axis: Sequence[float] = (0.0, 0.0, 1.0), degree: int = 4
    ) -> Sigma:
        """Return a sphere whose cells are no larger than a function of the direction says. Collective.

        Parameters
        ----------
        size
            Takes directions (n, 3), returns the longest edge there (n,); it may vary by powers of ten.
        axis
            Axis of the octahedron that is refined.

        Raises
        ------
        InputError
            If that takes more than 40 000 cells.
        """
        require_integer("sphere", "degree", degree, 1, 8)
        sphere = object.__new__(cls)
        sphere.axis = np.array(direction(axis, "sphere", "axis"))
        x, triangles = bisected(size, sphere.axis)
        if comm.rank:  # every rank has computed the same mesh; the first one distributes it
            x, triangles = x[:0], triangles[:0]
        element = basix.ufl.element("Lagrange", "triangle", 1, shape=(3,))
        sphere._build(_compat.create_mesh(comm, triangles, element, x), degree, 2 * degree + 10)
        return sphere

    def _build(self, mesh: dmesh.Mesh, degree: int, quadrature_degree: int) -> None:
        self.mesh, self.comm, self.degree = mesh, mesh.comm, degree
        self.space = fem.functionspace(self.mesh, ("Lagrange", degree))
        imap = self.space.dofmap.index_map
        self.owned, self.dofs = imap.size_local, imap.size_global
        self._quadrature(quadrature_degree)
        self._compile()
        x = self.space.tabulate_dof_coordinates()[: self.owned]
        self.nodes: Array = x / np.linalg.norm(x, axis=1)[:, None]

    @cached_property
    def coarser(self) -> Sigma:
        """Return the sphere of the same mesh with a degree less, for estimates of the error. Collective."""
        return self._of_degree(max(self.degree - 1, 1))

    @cached_property
    def finer(self) -> Sigma:
        """Return the sphere of the same mesh with a degree more. Collective."""
        return self._of_degree(self.degree + 1)

    def _of_degree(self, degree: int) -> Sigma:
        other = object.__new__(Sigma)
        other.axis, other.key, other.mesh_size = self.axis, self.key, self.mesh_size
        other._build(self.mesh, degree, self.quadrature_degree + 2 * max(degree - self.degree, 0))
        return other

    @cached_property
    def mesh_size(self) -> float:
        """Return the size that was asked for; the mean length of edges of a mesh from a file. Collective."""
        edges = self._corners[: self.cells] - np.roll(self._corners[: self.cells], 1, axis=1)
        total = self.comm.allreduce(np.array([np.linalg.norm(edges, axis=2).sum(), 3.0 * self.cells]))
        return float(total[0] / total[1])

    # ---- geometry
    def _quadrature(self, degree: int) -> None:
        self.quadrature_degree = degree
        reference, self._weights = basix.make_quadrature(basix.CellType.triangle, degree)
        self._basis = self._tabulate(reference)
        self.cells = self.mesh.topology.index_map(2).size_local
        self._corners = corners_of(self.mesh)
        self.points, self.measure = self._place(self._corners[: self.cells], reference, self._weights)
        self.points.flags.writeable = False

    def _tabulate(self, reference: Array) -> Array:
        """Return the basis functions at points of the reference triangle (points, functions)."""
        return np.asarray(self.space.element.basix_element.tabulate(0, reference)[0, :, :, 0])

    @staticmethod
    def _place(corners: Array, reference: Array, weights: Array) -> tuple[Array, Array]:
        """Return directions and weights on the sphere of points of triangles."""
        a, e1, e2 = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        x = a[:, None] + reference[None, :, :1] * e1[:, None] + reference[None, :, 1:] * e2[:, None]
        r = np.linalg.norm(x, axis=2)
        volume = np.abs(np.sum(a * np.cross(e1, e2), axis=1))
        measure = weights * volume[:, None] / r**3
        # A copy, which owns its numbers: what is dear to evaluate there is evaluated once.
        return np.array((x / r[:, :, None]).reshape(-1, 3)), measure.ravel()

    def _compile(self) -> None:
        cell = self.mesh.basix_cell()
        element = basix.ufl.quadrature_element(cell, degree=self.quadrature_degree)
        vector = basix.ufl.quadrature_element(cell, value_shape=(3,), degree=self.quadrature_degree)
        scalars, vectors = (fem.functionspace(self.mesh, e) for e in (element, vector))
        self._kappa, self._mu, self._drift = fem.Function(scalars), fem.Function(scalars), fem.Function(vectors)
        w, phi = ufl.TrialFunction(self.space), ufl.TestFunction(self.space)
        x = ufl.SpatialCoordinate(self.mesh)
        r = ufl.sqrt(ufl.dot(x, x))
        u = x / r
        normal = ufl.CellNormal(self.mesh)
        normal = normal * ufl.sign(ufl.dot(normal, x))  # outwards
        # Quantities of the radial map from the flat cell: tangents of the sphere, metric, its inverse, ratio of areas.
        flat = ufl.Jacobian(self.mesh)
        tangents = (ufl.Identity(3) - ufl.outer(u, u)) / r * flat
        inverse = ufl.inv(tangents.T * tangents)
        area = ufl.dot(x, normal) / r**3
        dx = ufl.dx(domain=self.mesh, metadata={"quadrature_degree": self.quadrature_degree})

        def gradient(f: Any) -> Any:
            return tangents * inverse * flat.T * ufl.grad(f)

        convected = (
            -w * ufl.dot(self._drift, gradient(phi)) * area
            # u . (grad w x grad phi) needs no metric.
            - self._mu * ufl.dot(normal, ufl.cross(ufl.grad(w), ufl.grad(phi)))
        ) * dx
        self._transport = fem.form(self._kappa * ufl.inner(gradient(w), gradient(phi)) * area * dx + convected)

        def with_tensor() -> fem.Form:
            tensor = basix.ufl.quadrature_element(cell, value_shape=(3, 3), degree=self.quadrature_degree)
            self._tensor = fem.Function(fem.functionspace(self.mesh, tensor))
            spread = ufl.inner(ufl.dot(self._tensor, gradient(w)), gradient(phi)) * area * dx
            return fem.form(spread + convected)

        self._with_tensor = cache(with_tensor)
        self._mass = fem.form(self._kappa * w * phi * area * dx)

    # ---- matrices and vectors
    def _fill(self, f: fem.Function, values: Array) -> None:
        size = f.function_space.dofmap.bs
        dofs = f.function_space.dofmap.list[: self.cells].ravel()
        f.x.array.reshape(-1, size)[dofs] = values.reshape(-1, size)

    def transport(self, kappa: Array, mu: Array, drift: Array) -> SparseMatrix:
        """Return the matrix of kappa grad w.grad phi - mu u.(grad w x grad phi) - w drift.grad phi. Collective.

        Parameters
        ----------
        kappa
            Diffusion at the quadrature points (n,), or tensors (n, 3, 3).
        mu
            Coefficient of the rotation at the quadrature points (n,).
        drift
            Tangential velocity at the quadrature points (n, 3).
        """
        form = self._transport if kappa.ndim == 1 else self._with_tensor()
        self._fill(self._kappa if kappa.ndim == 1 else self._tensor, kappa)
        self._fill(self._mu, mu)
        self._fill(self._drift, drift)
        return assembled(form)

    def mass(self, kappa: Array) -> SparseMatrix:
        """Return the matrix of kappa w phi; kappa at the quadrature points (n,). Collective."""
        self._fill(self._kappa, kappa)
        return assembled(self._mass)

    unit_factor: Solver | None = None  # of the scaled matrix of w phi

    @cached_property
    def unit_mass(self) -> SparseMatrix:
        """Return the matrix of w phi. Collective."""
        return self.mass(np.ones(len(self.points)))

    def load(self, values: Array) -> Array:
        """Return the integrals of a function times each basis function, (owned,). Collective.

        Parameters
        ----------
        values
            The function at the quadrature points (n,).
        """
        local = (values * self.measure).reshape(self.cells, -1) @ self._basis
        return self._summed(local, np.arange(self.cells))

    def load_gradient(self, values: Array) -> Array:
        """Return the integrals of a vector field times the gradient of each basis function, (owned,). Collective.

        Parameters
        ----------
        values
            The field at the quadrature points (n, 3).
        """
        field = (values * self.measure[:, None]).reshape(self.cells, -1, 3)
        local = np.einsum("cqi,cqid,qjd->cj", field, self._lift, self._slopes, optimize=True)
        return self._summed(local, np.arange(self.cells))

    def _summed(self, local: Array, cells: Any) -> Array:
        """Add cell vectors into the degrees of freedom that this rank owns."""
        f = fem.Function(self.space)
        np.add.at(f.x.array, self.space.dofmap.list[cells].ravel(), local.ravel())
        f.x.scatter_reverse(la.InsertMode.add)
        return np.array(f.x.array[: self.owned])

    def hemisphere(self, axis: Sequence[float] | Array, function: Density) -> Array:
        """Return the integrals over u.axis > 0 of a function times each basis function, (owned,). Collective.

        Cells that the boundary crosses are cut: the plane through the origin meets a flat triangle in a straight line.
        """
        n = np.asarray(axis, dtype=float)
        corners = self._corners[: self.cells]
        height = corners @ n
        height[np.abs(height) < 1e-12] = 0.0
        inside = (height >= 0).all(axis=1) & (height > 0).any(axis=1)
        crossed = np.flatnonzero((height > 0).any(axis=1) & (height < 0).any(axis=1))
        values = np.where(np.repeat(inside, len(self._weights)), function(self.points), 0.0)
        out = self.load(values)
        parts = np.zeros((len(crossed), self._basis.shape[1]))
        reference, weights = basix.make_quadrature(basix.CellType.triangle, self.quadrature_degree)
        vertices = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        for k, cell in enumerate(crossed):
            for triangle in _clipped(vertices, height[cell]):
                a, b, c = triangle
                inner = a + reference[:, :1] * (b - a) + reference[:, 1:] * (c - a)
                factor = abs((b - a)[0] * (c - a)[1] - (b - a)[1] * (c - a)[0])
                u, measure = self._place(corners[cell][None], inner, weights * factor)
                parts[k] += (function(u) * measure) @ self._tabulate(inner)
        return out + self._summed(parts, crossed)

    @property
    def stored(self) -> Stored:
        """Return how states are saved."""
        return Stored(self.space)

    # ---- functions
    def components(self) -> list[Density]:
        """Return the functions whose means are the mean direction's components."""
        return [lambda u, k=k: u[:, k] for k in range(3)]  # type: ignore[misc]

    def function(self, values: Array, name: str = "f") -> fem.Function:
        """Return the function with the given values at this rank's nodes (owned,). Collective."""
        f = fem.Function(self.space, name=name)
        f.x.array[: self.owned] = values
        f.x.scatter_forward()
        return f

    def at_points(self, values: Array) -> Array:
        """Return a function with the given nodal values (owned,) at the quadrature points (n,). Collective."""
        f = self.function(values)
        return np.asarray(f.x.array[self.space.dofmap.list[: self.cells]] @ self._basis.T).ravel()

    def gradient_at_points(self, values: Array) -> Array:
        """Return the gradient along the sphere of a function with given nodal values, (n, 3). Collective.

        It is exactly zero in cells where all values are equal.
        """
        f = self.function(values)
        local = f.x.array[self.space.dofmap.list[: self.cells]]
        slope = np.einsum("qjd,cj->cqd", self._slopes, local - local[:, :1])
        return np.asarray(np.einsum("cqid,cqd->cqi", self._lift, slope)).reshape(-1, 3)

    @cached_property
    def _slopes(self) -> Array:
        """Derivatives of the basis functions on the reference triangle (points, functions, 2)."""
        reference = basix.make_quadrature(basix.CellType.triangle, self.quadrature_degree)[0]
        return np.moveaxis(np.asarray(self.space.element.basix_element.tabulate(1, reference)[1:, :, :, 0]), 0, -1)

    @cached_property
    def _lift(self) -> Array:
        """Tensors (cells, points, 3, 2) from derivatives on the reference triangle to gradients on the sphere."""
        corners = self._corners[: self.cells]
        flat = np.stack([corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]], axis=-1)[:, None]
        u = self.points.reshape(self.cells, -1, 3)
        # r = distance of the plane over the cosine between its normal and u.
        normal = np.cross(flat[..., 0], flat[..., 1])
        r = np.sum(corners[:, :1] * normal, axis=-1) / np.sum(u * normal, axis=-1)
        tangents = (
            flat - u[..., None] * np.einsum("cqi,cqid->cqd", u, np.broadcast_to(flat, (*u.shape, 2)))[..., None, :]
        )
        tangents /= r[..., None, None]
        return np.asarray(tangents @ np.linalg.inv(np.swapaxes(tangents, -1, -2) @ tangents))

    def tables(self, cells: slice) -> tuple[Array, Array, Array]:
        """Return basis functions, their derivatives on the reference cell, and what lifts these onto the sphere.

        At the quadrature points: (q, n), (q, n, d) and, of some cells, (cells, q, 3, d).
        """
        return self._basis, self._slopes, self._lift[cells]

    def balanced(self, flow: Flow, rest: Array, weight: Array, rows: Array, *, transposed: bool) -> SparseMatrix:
        """Return the matrix of -(current of w, grad phi), see :func:`fespin.sigma.matrix.balanced`. Collective."""
        return balanced(self, flow, rest, weight, rows, transposed=transposed)

    @property
    def of_cells(self) -> NDArray[np.int32]:
        """Return the degrees of freedom of this rank's own cells (cells, n)."""
        return np.asarray(self.space.dofmap.list[: self.cells])

    @property
    def unit_form(self) -> fem.Form:
        """Return a form with the sparsity of all matrices."""
        return self._mass

    def lowest(self, values: Array) -> Array:
        """Return the lowest of given values of the cells that meet at each degree of freedom, ghosts too. Collective.

        Parameters
        ----------
        values
            Values of this rank's own cells (cells,).
        """
        f = fem.Function(self.space)
        f.x.array[:] = -np.inf
        dofs = self.space.dofmap.list[: self.cells]
        np.maximum.at(f.x.array, dofs.ravel(), np.repeat(-values, dofs.shape[1]))
        vector = f.x.petsc_vec
        vector.ghostUpdate(addv=PETSc.InsertMode.MAX_VALUES, mode=PETSc.ScatterMode.REVERSE)
        vector.ghostUpdate(addv=PETSc.InsertMode.INSERT_VALUES, mode=PETSc.ScatterMode.FORWARD)
        return -np.array(f.x.array)

    def integral(self, values: Array) -> float:
        """Return the integral over the sphere of a function given at the quadrature points (n,). Collective."""
        return float(self.comm.allreduce(float(values @ self.measure)))


def _clipped(vertices: Array, height: Array) -> list[Array]:
    """Return triangles that make up the part of a triangle where a linear function is positive."""
    corners: list[Array] = []
    for i in range(3):
        j = (i + 1) % 3
        if height[i] >= 0:
            corners.append(vertices[i])
        if height[i] * height[j] < 0:
            corners.append(vertices[i] + height[i] / (height[i] - height[j]) * (vertices[j] - vertices[i]))
    return [np.array([corners[0], corners[k], corners[k + 1]]) for k in range(1, len(corners) - 1)]


def _sizing(spin: Macrospin, grading: float) -> Sizing | None:
    """Return sizes that follow the energy, smallest at its minimum.

    They are linear in it up to a span of 100 kT. Beyond, wells are narrower by a factor s, the root of the span, and so
    the smallest cells; and what the probability reaches is a small part of the span, so that a linear law would make
    all of it as fine as the wells. With the root of the energy sizes grow with the distance from them.
    """
    land: Landscape = survey(spin)
    low, span = land.lowest, land.highest - land.lowest
    if span < 1e-6:
        return None
    s = math.sqrt(max(1.0, span / 100))
    grading, power = 1 - (1 - grading) / s, max(0.5, 1 / s)
    # gmsh asks for tens of thousands of sizes: they are read from a table with one entry per degree of both angles.
    theta, phi = np.meshgrid(np.radians(np.arange(181)), np.radians(np.arange(-180, 180)), indexing="ij")
    u = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1)
    height = np.clip((spin.reduced_energy(u.reshape(-1, 3)) - low) / span, 0, 1)
    table = (1 + grading * (2 * height**power - 1)).reshape(theta.shape)
    factors: list[list[float]] = [row.tolist() for row in table]

    def sizing(u: Sequence[float]) -> float:
        x, y, z = u
        around = round(math.degrees(math.atan2(y, x))) % 360
        return factors[round(math.degrees(math.acos(max(-1.0, min(1.0, z)))))][(around + 180) % 360]

    return sizing
