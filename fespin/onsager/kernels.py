"""A few scalar weak forms, compiled once, that serve every model, device and state.

Each block of a system couples one scalar potential u to one test function v::

    k grad u . grad v + r u v     on cells            k, r constant per cell
    sum_ab G[a, b] u_b v_a        on interfaces       a, b the two sides
    B u v                         on contacts
    grad v . T grad u             on cells, where directions of space matter; T a matrix per cell

Coefficients are data, not code: a device with fifty layers compiles nothing
that a device with two did not. Products of two given functions (`cell_moment`) make
powers where the magnetization varies; elsewhere :mod:`fespin.onsager.products` has them, without forms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import basix.ufl
import numpy as np
import ufl
from dolfinx import fem
from dolfinx import mesh as dmesh
from numpy.typing import NDArray

from .. import _compat

type Indices = NDArray[np.int32]
NOTHING: Indices = np.zeros(0, np.int32)


class CompiledForms:
    """Forms that are compiled once and then attached to spaces, entities and functions. Collective.

    Parameters
    ----------
    mesh
        Mesh on which they are integrated.
    forms
        UFL forms by name, with integrals over ``dx(0)``, ``dS(0)`` and ``ds(0)`` as they need.
    """

    def __init__(self, mesh: dmesh.Mesh, forms: Mapping[str, Any]) -> None:
        self.mesh = mesh
        self._compiled = {n: fem.forms.compile_form(mesh.comm, f) for n, f in forms.items()}
        # Walking through a form takes longer than attaching it.
        self._parts = {
            n: (
                {integral.integral_type() for integral in f.integrals()},
                ufl.algorithms.extract_coefficients(f),
                ufl.algorithms.analysis.extract_constants(f),
            )
            for n, f in ((n, c.ufl_form) for n, c in self._compiled.items())
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the forms."""
        return tuple(self._compiled)

    def form(
        self,
        name: str,
        spaces: Sequence[fem.FunctionSpace] = (),
        *,
        cells: Indices = NOTHING,
        faces: Indices = NOTHING,
        ends: Indices = NOTHING,
        replace: Mapping[fem.Function, fem.Function] | None = None,
    ) -> fem.Form:
        """Attach a compiled form to spaces, entities and functions. Compiles nothing.

        Parameters
        ----------
        name
            Name of the form.
        spaces
            Spaces of its arguments, with the element it was compiled for.
        cells, faces, ends
            Cells, and flattened integration entities of interfaces and contacts.
        replace
            Functions in place of those that it was compiled with.
        """
        compiled = self._compiled[name]
        kinds = fem.IntegralType
        entities = {
            "cell": (kinds.cell, cells),
            "interior_facet": (kinds.interior_facet, faces),
            "exterior_facet": (_compat.exterior_facet(), ends),
        }
        present, coefficients, constants = self._parts[name]
        subdomains = {entities[t][0]: [(0, np.asarray(entities[t][1], np.int32))] for t in present}
        swap = replace or {}
        return _compat.attach(
            compiled, spaces, self.mesh, subdomains, [swap.get(c, c) for c in coefficients], constants
        )


class Kernels(CompiledForms):
    """The forms of linear models on one mesh and element. The constructor is collective.

    "matrix", and of its part on cells "stiffness" and "mass" with unit coefficients; where coefficients vary inside
    regions "residual" and "cell_moment" instead of these two.

    Parameters
    ----------
    space
        The unbroken scalar Lagrange space whose element all fields share.
    varying
        True if coefficients vary inside regions: they are then data at quadrature points and facets
        instead of cells and interfaces.

    Attributes
    ----------
    k, r
        Coefficients on cells, in the space `weights`: one number per cell, or per quadrature point.
    B
        Constant: coefficient at contacts.
    w1, w2
        Stand-ins, to be replaced by functions on any space of the element.
    """

    def __init__(self, space: fem.FunctionSpace, varying: bool = False) -> None:
        mesh: dmesh.Mesh = space.mesh
        self.cellwise = fem.functionspace(mesh, ("DG", 0))
        self.varying, self.weights, dx = varying, self.cellwise, ufl.dx(0)
        if varying:
            # One more degree than products of two fields have: m(x) bends, too.
            order = 2 * space.element.basix_element.degree + 2
            self.weights = fem.functionspace(mesh, basix.ufl.quadrature_element(mesh.basix_cell(), degree=order))
            dx = ufl.dx(0, metadata={"quadrature_degree": order})
        self.k, self.r = fem.Function(self.weights), fem.Function(self.weights)
        self.B = fem.Constant(mesh, 0.0)
        self._G = fem.Constant(mesh, np.zeros((2, 2)))
        self._per_facet = [fem.Function(self.cellwise) for _ in range(4 if varying else 0)]
        self.w1, self.w2 = fem.Function(space), fem.Function(space)
        u, v, q = ufl.TrialFunction(space), ufl.TestFunction(space), ufl.TestFunction(self.cellwise)
        dS, ds = ufl.dS(0), ufl.ds(0)
        sides = ((0, "+"), (1, "-"))

        def face(a: int, b: int) -> Any:
            return self._per_facet[2 * a + b]("+") if varying else self._G[a, b]

        def cell(u: Any, v: Any) -> Any:
            return self.k * ufl.inner(ufl.grad(u), ufl.grad(v)) + self.r * u * v

        matrix = (
            cell(u, v) * dx
            + sum(face(a, b) * u(t) * v(s) for a, s in sides for b, t in sides) * dS
            + self.B * u * v * ds
        )
        if varying:
            moment = cell(self.w1, self.w2) * q * dx
            forms = {"matrix": matrix, "residual": ufl.action(matrix, self.w1), "cell_moment": moment}
        else:
            forms = {"matrix": matrix, "stiffness": ufl.inner(ufl.grad(u), ufl.grad(v)) * dx, "mass": u * v * dx}
        super().__init__(mesh, forms)
        self._space, self._degree = space, order if varying else None

    @cached_property
    def directed(self) -> DirectedKernels:
        """Forms of components of gradients, compiled when they are first asked for. Collective."""
        return DirectedKernels(self._space, self._degree)

    def spread(self, function: fem.Function, values: NDArray[np.float64]) -> None:
        """Fill `k` or `r` from a number per local cell, or per quadrature point, shape (cells, points)."""
        if self.varying:
            dofs = self.weights.dofmap.list
            function.x.array[dofs] = np.broadcast_to(values if values.ndim == 2 else values[:, None], dofs.shape)
        else:
            function.x.array[:] = values

    def set_face(self, g: NDArray[np.float64], entities: Indices) -> None:
        """Set the coefficients at an interface: (2, 2), or (facets, 2, 2) for the facets of `entities`."""
        if not self.varying:
            self._G.value[:] = g
            return
        cells = entities.reshape(-1, 4)[:, 0]
        for i, f in enumerate(self._per_facet):
            values = np.broadcast_to(g.reshape(-1, 4)[:, i], len(cells))
            # A cell with two facets on an interface has the mean of both.
            count = np.bincount(cells, minlength=len(f.x.array))
            total = np.bincount(cells, values, minlength=len(f.x.array))
            f.x.array[:] = total / np.maximum(count, 1)


class DirectedKernels(CompiledForms):
    """Forms of components of gradients. The constructor is collective.

    "matrix" and "residual" of grad v . T grad u, "load" of g . grad v, and per cell the "moment" of
    (a + d . grad w1)(b + e . grad w2).

    Parameters
    ----------
    space
        The unbroken scalar Lagrange space whose element all fields share.
    degree
        Degree of the quadrature where coefficients vary inside cells; None: one per cell.

    Attributes
    ----------
    T, g
        A matrix (dim, dim) and a vector (dim,) per cell, or per quadrature point.
    left, right
        Constants (1 + dim,): a and d, b and e of the moments.
    w1, w2
        Stand-ins, to be replaced by functions on any space of the element.
    """

    def __init__(self, space: fem.FunctionSpace, degree: int | None) -> None:
        mesh: dmesh.Mesh = space.mesh
        dim = mesh.geometry.dim

        def coefficient(shape: tuple[int, ...]) -> fem.Function:
            if degree is None:
                element = basix.ufl.element("DG", mesh.basix_cell(), 0, shape=shape)
            else:
                element = basix.ufl.quadrature_element(mesh.basix_cell(), value_shape=shape, degree=degree)
            return fem.Function(fem.functionspace(mesh, element))

        self.T, self.g = coefficient((dim, dim)), coefficient((dim,))
        self.cellwise = fem.functionspace(mesh, ("DG", 0))
        self.left, self.right = fem.Constant(mesh, np.zeros(1 + dim)), fem.Constant(mesh, np.zeros(1 + dim))
        self.w1, self.w2 = fem.Function(space), fem.Function(space)
        u, v, q = ufl.TrialFunction(space), ufl.TestFunction(space), ufl.TestFunction(self.cellwise)
        dx = ufl.dx(0) if degree is None else ufl.dx(0, metadata={"quadrature_degree": degree})

        def part(weights: Any, w: Any) -> Any:
            return weights[0] + sum(weights[1 + a] * ufl.grad(w)[a] for a in range(dim))

        matrix = ufl.inner(ufl.dot(self.T, ufl.grad(u)), ufl.grad(v)) * dx
        forms = {
            "matrix": matrix,
            "residual": ufl.action(matrix, self.w1),
            "load": ufl.inner(self.g, ufl.grad(v)) * dx,
            "moment": part(self.left, self.w1) * part(self.right, self.w2) * q * ufl.dx(0),
        }
        super().__init__(mesh, forms)

    @property
    def points(self) -> int:
        """Number of places per cell at which coefficients are given."""
        return int(self.T.function_space.dofmap.list.shape[1])

    def fill(self, function: fem.Function, cells: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Set T or g in some cells.

        Parameters
        ----------
        function
            T or g.
        cells
            Local cells.
        values
            One value for all of them, or one per cell and point (cells, points, ...).
        """
        size, shape = function.function_space.dofmap.bs, function.ufl_shape
        at = function.function_space.dofmap.list[cells][..., None] * size + np.arange(size)
        function.x.array[at] = values.reshape(*values.shape[: values.ndim - len(shape)], size)
