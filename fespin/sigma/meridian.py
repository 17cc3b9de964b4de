"""Axisymmetric problems: the polar angle alone, with the interface of the sphere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import basix
import basix.ufl
import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from .. import _compat
from ..energy.on_sphere import Array
from ..quantities import direction, require_between, require_integer
from .matrix import Flow, Solver, SparseMatrix, assembled, balanced
from .mesh import rotation_to
from .space import Density, Stored


class Meridian:
    """The polar angle theta from 0 to pi about an axis, standing for the whole sphere.

    Every rank holds the whole of it. Functions of theta times cos(m phi), sin(m phi) are covered by
    :meth:`azimuthal`.

    Parameters
    ----------
    axis
        Axis of the symmetry.
    cells
        Cells of the polar angle; they are smaller towards the poles.
    degree
        Degree of the polynomials.
    corner
        A polar angle at which two cells are to meet.

    Attributes
    ----------
    points
        Directions of the quadrature points, on one meridian, (n, 3).
    measure
        Weights of the quadrature points, which add up to 4 pi, (n,).
    nodes
        Directions of the degrees of freedom (m, 3).

    Raises
    ------
    InputError
        If a parameter is of another kind, or out of range.

    Examples
    --------
    >>> from fespin.sigma import Meridian
    >>> meridian = Meridian((0, 0, 1), cells=20)
    >>> print(f"{meridian.integral(meridian.points[:, 2] ** 2) / (4 * np.pi):.4f}")
    0.3333
    """

    dim = 1

    def __init__(
        self, axis: Sequence[float] | Array, cells: int = 40, *, degree: int = 4, corner: float | None = None
    ) -> None:
        require_integer("meridian", "cells", cells, 2)
        require_integer("meridian", "degree", degree, 1, 12)
        if corner is not None:
            require_between("meridian", "corner", corner, 0, np.pi, ends=False)
        self.comm, self.degree, self.cells, self._corner = MPI.COMM_SELF, degree, cells, corner
        turn = rotation_to(direction(axis, "meridian", "axis"))
        self.axis, self._turn = turn[:, 2], turn
        corners = np.linspace(0.0, np.pi, cells + 1)
        corners = corners - 0.3 * np.sin(2 * corners) / 2
        if corner is not None:
            corners[1 + int(np.argmin(np.abs(corners[1:-1] - corner)))] = corner
        element = basix.ufl.element("Lagrange", "interval", 1, shape=(1,))
        pairs = np.stack([np.arange(cells), np.arange(cells) + 1], axis=1).astype(np.int64)
        self.mesh = _compat.create_mesh(self.comm, pairs, element, corners[:, None])
        self.space = fem.functionspace(self.mesh, ("Lagrange", degree))
        self.owned = self.dofs = self.space.dofmap.index_map.size_local
        self.quadrature_degree = 2 * degree + 8
        reference, weights = basix.make_quadrature(basix.CellType.interval, self.quadrature_degree)
        ends = self.mesh.geometry.x[_compat.cell_nodes(self.mesh), 0]
        theta = ends[:, :1] + reference[:, 0] * (ends[:, 1:] - ends[:, :1])
        self.theta = theta.ravel()
        self.measure: Array = (2 * np.pi * np.sin(theta) * weights * np.abs(ends[:, 1:] - ends[:, :1])).ravel()
        self._basis = np.asarray(self.space.element.basix_element.tabulate(0, reference)[0, :, :, 0])
        self._slopes = np.asarray(self.space.element.basix_element.tabulate(1, reference)[1, :, :, 0])
        self.points = self._directions(self.theta)
        self.points.flags.writeable = False
        self.node_theta = self.space.tabulate_dof_coordinates()[:, 0]
        self.nodes = self._directions(self.node_theta)
        self._compile()

    @cached_property
    def coarser(self) -> Meridian:
        """Return the same meridian with a degree less, for estimates of the error."""
        return Meridian(self.axis, self.cells, degree=max(self.degree - 1, 1), corner=self._corner)

    @cached_property
    def finer(self) -> Meridian:
        """Return the same meridian with a degree more."""
        return Meridian(self.axis, self.cells, degree=self.degree + 1, corner=self._corner)

    def _directions(self, theta: Array) -> Array:
        return np.stack([np.sin(theta), 0 * theta, np.cos(theta)], axis=1) @ self._turn.T

    def _frame(self) -> tuple[Array, Array]:
        """Return the unit vectors along theta and phi at the quadrature points."""
        south = np.stack([np.cos(self.theta), 0 * self.theta, -np.sin(self.theta)], axis=1) @ self._turn.T
        return south, np.broadcast_to(self._turn[:, 1], south.shape)

    def _along(self, kappa: Array, k: int) -> Array:
        """Return scalars, or the component of tensors along theta (0) or phi (1), (n,)."""
        e = self._frame()[k]
        return kappa if kappa.ndim == 1 else np.asarray(np.einsum("ni,nij,nj->n", e, kappa, e))

    def _compile(self) -> None:
        element = basix.ufl.quadrature_element(self.mesh.basix_cell(), degree=self.quadrature_degree)
        scalars = fem.functionspace(self.mesh, element)
        self._kappa, self._drift = fem.Function(scalars), fem.Function(scalars)
        w, phi = ufl.TrialFunction(self.space), ufl.TestFunction(self.space)
        theta = ufl.SpatialCoordinate(self.mesh)[0]
        around = 2 * ufl.pi * ufl.sin(theta)
        dx = ufl.dx(domain=self.mesh, metadata={"quadrature_degree": self.quadrature_degree})
        self._transport = fem.form((self._kappa * w.dx(0) - self._drift * w) * phi.dx(0) * around * dx)
        self._mass = fem.form(self._kappa * w * phi * around * dx)
        self._turning = fem.form(self._kappa * w * phi * 2 * ufl.pi / ufl.sin(theta) * dx)
        self._winding = fem.form(self._kappa * w * phi * 2 * ufl.pi * dx)

    def _fill(self, f: fem.Function, values: Array) -> None:
        f.x.array[f.function_space.dofmap.list.ravel()] = values

    def transport(self, kappa: Array, mu: Array, drift: Array) -> SparseMatrix:
        """Return the matrix of kappa grad w.grad phi - w drift.grad phi: brackets vanish by symmetry.

        Parameters
        ----------
        kappa
            Diffusion at the quadrature points (n,), or tensors (n, 3, 3).
        mu
            Coefficient of the rotation at the quadrature points (n,).
        drift
            Tangential velocity at the quadrature points (n, 3).
        """
        self._fill(self._kappa, self._along(kappa, 0))
        self._fill(self._drift, np.sum(drift * self._frame()[0], axis=1))
        return assembled(self._transport)

    def mass(self, kappa: Array) -> SparseMatrix:
        """Return the matrix of kappa w phi; kappa at the quadrature points (n,)."""
        self._fill(self._kappa, kappa)
        return assembled(self._mass)

    def azimuthal(self, kappa: Array, drift: Array) -> tuple[SparseMatrix, SparseMatrix]:
        """Return what m^2 and i m multiply in the transport matrix of w exp(i m phi).

        Parameters
        ----------
        kappa
            Diffusion at the quadrature points (n,), or tensors (n, 3, 3).
        drift
            kappa times the whole velocity, of which only the part along phi matters, (n, 3).
        """
        self._fill(self._kappa, self._along(kappa, 1))
        turning = assembled(self._turning)
        self._fill(self._kappa, np.sum(drift * self._frame()[1], axis=1))
        return turning, assembled(self._winding)

    unit_factor: Solver | None = None  # of the scaled matrix of w phi

    @cached_property
    def unit_mass(self) -> SparseMatrix:
        """Return the matrix of w phi. Collective."""
        return self.mass(np.ones(len(self.points)))

    def load(self, values: Array) -> Array:
        """Return the integrals of a function at the quadrature points (n,) times each basis function."""
        out = np.zeros(self.owned)
        local = (values * self.measure).reshape(-1, len(self._basis)) @ self._basis
        np.add.at(out, self.space.dofmap.list.ravel(), local.ravel())
        return out

    def load_gradient(self, values: Array) -> Array:
        """Return the integrals of a vector field (n, 3) times the gradient of each basis function."""
        ends = self.mesh.geometry.x[_compat.cell_nodes(self.mesh), 0]
        along = np.sum(values * self._frame()[0], axis=1) * self.measure
        local = along.reshape(len(ends), -1) @ self._slopes / (ends[:, 1:] - ends[:, :1])
        out = np.zeros(self.owned)
        np.add.at(out, self.space.dofmap.list.ravel(), local.ravel())
        return out

    def hemisphere(self, axis: Sequence[float] | Array, function: Density) -> Array:
        """Return the integrals over a hemisphere of a symmetric function times each basis function.

        The share of each circle of latitude that lies in u.axis > 0 is exact; where it is not smooth, cells are split.
        """
        lean = float(np.clip(np.asarray(axis, dtype=float) @ self.axis, -1, 1))
        tilt = np.arccos(lean)
        # Circles of latitude between these angles are cut by the edge of the hemisphere.
        kinks = sorted(
            {
                min(max(x, 0.0), np.pi)
                for x in (np.pi / 2 - tilt, np.pi / 2 + tilt, tilt - np.pi / 2, 1.5 * np.pi - tilt)
            }
        )
        reference, weights = basix.make_quadrature(basix.CellType.interval, 2 * self.quadrature_degree)
        ends = self.mesh.geometry.x[_compat.cell_nodes(self.mesh), 0]
        out = np.zeros(self.owned)
        element = self.space.element.basix_element
        for (a, b), dofs in zip(ends, self.space.dofmap.list, strict=True):
            stops = [a, *(x for x in kinks if a < x < b), b]
            for low, high in pairwise(stops):
                # Points cluster at both ends, where the part of a circle inside varies like a square root.
                x = reference[:, 0]
                smooth = x * x * (3 - 2 * x)
                theta = low + smooth * (high - low)
                volume = weights * 6 * x * (1 - x) * (high - low) * 2 * np.pi * np.sin(theta)
                share = _share(theta, tilt)
                basis = np.asarray(element.tabulate(0, ((theta - a) / (b - a))[:, None])[0, :, :, 0])
                np.add.at(out, dofs, (function(self._directions(theta)) * share * volume) @ basis)
        return out

    @property
    def stored(self) -> Stored:
        """Return how states are saved."""
        return Stored(self.space)

    def components(self) -> list[Density]:
        """Return the functions whose means are the mean direction's components: what is across the axis cancels."""
        return [lambda u, k=k: (u @ self.axis) * self.axis[k] for k in range(3)]  # type: ignore[misc]

    def function(self, values: Array, name: str = "f") -> fem.Function:
        """Return the function of theta with the given nodal values."""
        f = fem.Function(self.space, name=name)
        f.x.array[:] = values
        return f

    def at_points(self, values: Array) -> Array:
        """Return a function with the given nodal values at the quadrature points (n,)."""
        return np.asarray(values[self.space.dofmap.list] @ self._basis.T).ravel()

    def gradient_at_points(self, values: Array) -> Array:
        """Return the gradient along the sphere of a function with given nodal values, (n, 3)."""
        ends = self.mesh.geometry.x[_compat.cell_nodes(self.mesh), 0]
        local = values[self.space.dofmap.list]
        slope = (local - local[:, :1]) @ self._slopes.T / (ends[:, 1:] - ends[:, :1])
        return np.asarray(slope.ravel()[:, None] * self._frame()[0])

    def tables(self, cells: slice) -> tuple[Array, Array, Array]:
        """Return basis functions, their derivatives on the reference cell, and what lifts these onto the sphere.

        At the quadrature points: (q, n), (q, n, 1) and, of some cells, (cells, q, 3, 1).
        """
        ends = self.mesh.geometry.x[_compat.cell_nodes(self.mesh), 0]
        south = self._frame()[0].reshape(len(ends), -1, 3) / (ends[:, 1:] - ends[:, :1])[:, :, None]
        return self._basis, self._slopes[:, :, None], south[cells][..., None]

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
        """Return the lowest of given values of the cells (cells,) that meet at each degree of freedom (owned,)."""
        out = np.full(self.owned, np.inf)
        dofs = self.space.dofmap.list
        np.minimum.at(out, dofs.ravel(), np.repeat(values, dofs.shape[1]))
        return out

    def integral(self, values: Array) -> float:
        """Return the integral over the sphere of a function given at the quadrature points (n,)."""
        return float(values @ self.measure)


def _share(theta: Array, tilt: float) -> Array:
    """Return which part of each circle of latitude lies in the hemisphere of an axis tilted by `tilt`."""
    if np.sin(tilt) < 1e-14:
        return np.where(np.cos(theta) * np.cos(tilt) > 0, 1.0, 0.0)
    edge = -np.cos(theta) * np.cos(tilt) / (np.sin(theta) * np.sin(tilt) + 1e-300)
    return np.asarray(np.arccos(np.clip(edge, -1, 1)) / np.pi)
