"""Energies in space: the energy of m(x), its effective field and its second derivatives, from one declaration."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import ufl
from dolfinx import fem, la
from dolfinx import mesh as dmesh
from numpy.typing import NDArray
from scipy import sparse
from ufl.algorithms import estimate_total_polynomial_degree

from ..errors import InputError, one_line
from ..grid import Array, Grid
from .collection import AnyTerm, resolve, samples_along_step
from .declaration import Face, Scales
from .terms import Dipolar

_LUMPED = {"quadrature_rule": "vertex", "quadrature_degree": 1}


class InSpace:
    """The energy of a magnetization that is of first degree between the nodes of a grid, with its derivatives.

    Energies of gradients are integrated over cells; local ones are summed over nodes with their lumped volumes, so that
    the field at a node is that of a macrospin of the same direction. Everything is derived from the densities, natural
    boundary conditions too: of exchange alone dm/dn = 0, with DMI the tilt at a free edge.

    Forms of fespin's own terms are compiled once for each set of kinds, whatever their numbers: floats, and tuples of
    them, among the fields of a frozen term become constants of the form. A class of the user's takes part in this if it
    says ``symbolic = True`` (:mod:`fespin.energy.declaration`); otherwise its numbers are compiled into the form. The
    constructor is collective, and so is every method.

    Parameters
    ----------
    grid
        Nodes and cells.
    terms
        Energies, without :class:`Dipolar`, which is no density.
    saturation_magnetization
        Ms (A/m).
    reference
        Direction (3,) along which a uniform m has no energy; None: energies are those of the densities.

    Raises
    ------
    InputError
        If a term belongs to a macrospin, fails or returns no scalar; if one of a face has neither face nor
        thickness, or no facet.

    Examples
    --------
    >>> from fespin.energy import InSpace
    >>> from fespin.texture import Grid
    >>> grid = Grid(wire)
    >>> space = InSpace(grid, [fs.Exchange(1.3e-11), fs.InterfacialDMI(5e-4), fs.Uniaxial(1e5)], 8e5)
    >>> m = grid.directions((0, 0, 1))
    >>> print(f"{space.energy(m):.2e} {space.field(m)[50, 2]:.3f}")  # J/m2 on a line, and T
    -4.00e-02 0.250
    """

    def __init__(
        self,
        grid: Grid,
        terms: Sequence[AnyTerm],
        saturation_magnetization: float,
        reference: Sequence[float] | None = None,
    ) -> None:
        self.grid, self._ms = grid, saturation_magnetization
        self.terms = resolve(terms, Scales(saturation_magnetization))
        self.samples = samples_along_step(self.terms)
        self._space = fem.functionspace(grid.mesh, ("Lagrange", 1, (3,)))
        self._m = fem.Function(self._space, dtype=np.float64)
        # Both spaces number nodes by the same rules. If a version did not, nodes would get the fields of others.
        if not grid.everywhere(np.array_equal(grid.space.dofmap.list, self._space.dofmap.list)):
            raise InputError("texture: scalar and vector functions of this mesh number their nodes differently")
        self._sum = la.vector(grid.map, 3)
        self._scale = -1 / (saturation_magnetization * grid.weights[: grid.owned, None])
        self._faces: list[NDArray[np.int32]] = []
        self._parts = self._declared(reference)
        self._kept: Array | None = None
        self._linear: tuple[sparse.csr_matrix, Array] | None = None

    # ---- values
    def energy(self, m: Array) -> float:
        """Return the energy (J; J/m in a plane, J/m2 on a line) of m at this rank's own nodes (owned, 3).

        Raises
        ------
        InputError
            If it is not finite.
        """
        self._fill(m)
        energy = self.grid.total(np.array([fem.assemble_scalar(form) for form in self._energies]))
        if not math.isfinite(energy):
            names = ", ".join(dict.fromkeys(type(term).__name__ for term in self.terms))
            raise InputError(
                f"energies {names}: their sum is {energy} for this m; a density must be finite "
                "at every direction and place"
            )
        return energy

    def field(self, m: Array) -> Array:
        """Return B = -(dE/dm_i)/(Ms w_i) (T) at this rank's own nodes (owned, 3), w being the lumped volumes.

        Once the Hessian of a quadratic energy is known, the field is a product with it.
        """
        if self._kept is None:
            self._assemble(m)
        else:
            if self._linear is None:
                self._linear = self._derivative()
            matrix, constant = self._linear
            self._sum.array[:] = matrix @ self.grid.seen(m).ravel()
            self._sum.array[:] += constant
        if self.grid.comm.size > 1:
            self._sum.scatter_reverse(la.InsertMode.add)
        return np.asarray(self._sum.array[: 3 * self.grid.owned].reshape(-1, 3) * self._scale)

    def _assemble(self, m: Array) -> None:
        """Assemble this rank's part of dE/dm into `_sum`."""
        self._fill(m)
        self._sum.array[:] = 0.0
        for form in self._gradients:
            fem.assemble_vector(self._sum.array, form)

    def _derivative(self) -> tuple[sparse.csr_matrix, Array]:
        """Return the matrix and the constant of dE/dm = H m + b of a quadratic energy: what this rank's cells add."""
        assert self._kept is not None
        cells, size = self.grid.cells, 3 * len(self.grid.positions)
        parts = 3 * cells[:, :, None] + np.arange(3)  # (cells, corners, 3)
        values = self._kept.transpose(0, 1, 3, 2, 4)
        rows = np.broadcast_to(parts[:, :, :, None, None], values.shape).ravel()
        columns = np.broadcast_to(parts[:, None, None], values.shape).ravel()
        matrix = sparse.csr_matrix((values.ravel(), (rows, columns)), shape=(size, size))
        matrix.eliminate_zeros()  # most energies leave the components of m alone
        self._assemble(np.zeros((self.grid.owned, 3)))
        return matrix, np.array(self._sum.array)

    def hessian(self, m: Array) -> Array:
        """Return the second derivatives of the energy, cell by cell (cells, dim + 1, dim + 1, 3, 3).

        They are derivatives by m at the corners a and b of a cell; the Hessian is their sum over cells.
        """
        if self._kept is not None:
            return self._kept
        self._fill(m)
        forms, matrix, places = self._curvature
        matrix.set_value(0.0)
        for form in forms:
            fem.assemble_matrix(matrix, form)
        blocks: Array = matrix.data.reshape(-1, 3, 3)[places]
        if self.samples == 1:
            self._kept = blocks  # of a quadratic energy they are the same everywhere
        return blocks

    # ---- along a step
    def mean_field(self, old: Array, middle: Array) -> Array:
        """Return the mean field (T) along the straight step from `old` through `middle` (owned, 3).

        Its work is exactly the energy's change. For a quadratic energy it is the field in the middle; for other
        polynomials it is the mean-value discrete gradient, which Gauss's rule gives exactly. Other energies take five
        points, with an error of the eleventh power of the step.

        References
        ----------
        A. Harten, P. D. Lax, B. van Leer, SIAM Rev. 25, 35 (1983); R. I. McLachlan, G. R. W. Quispel, N. Robidoux,
        Phil. Trans. R. Soc. A 357, 1021 (1999).
        """
        if self.samples == 1:
            return self.field(middle)
        step = 2 * (middle - old)
        parts = [weight * self.field(old + s * step) for s, weight in zip(*self._points, strict=True)]
        return np.asarray(np.sum(parts, axis=0))

    def mean_hessian(self, old: Array, middle: Array) -> Array:
        """Return the derivative of the mean field's energy gradient by the middle, cell by cell, as :meth:`hessian`."""
        if self.samples == 1:
            return self.hessian(middle)
        step = 2 * (middle - old)
        parts = [2 * s * weight * self.hessian(old + s * step) for s, weight in zip(*self._points, strict=True)]
        return np.asarray(np.sum(parts, axis=0))

    @cached_property
    def _points(self) -> tuple[Array, Array]:
        """Return points and weights of Gauss's rule on the step, from 0 to 1."""
        x, w = np.polynomial.legendre.leggauss(self.samples)
        return (x + 1) / 2, w / 2

    # ---- compiled
    @cached_property
    def _energies(self) -> list[fem.Form]:
        return [fem.form(part, dtype=np.float64) for part in self._parts]

    @cached_property
    def _gradients(self) -> list[fem.Form]:
        test = ufl.TestFunction(self._space)
        nothing = self._nothing(self._m, test)
        return [fem.form(ufl.derivative(part, self._m, test) + nothing, dtype=np.float64) for part in self._parts]

    @cached_property
    def _curvature(self) -> tuple[list[fem.Form], la.MatrixCSR, NDArray[np.int64]]:
        """Return the Hessian's forms, their matrix, and where the blocks of each cell are in it.

        Trial and test functions are discontinuous, so that the matrix holds the block of each cell by itself, on any
        number of ranks.
        """
        broken = fem.functionspace(self.grid.mesh, ("Discontinuous Lagrange", 1, (3,)))
        test, trial = ufl.TestFunction(broken), ufl.TrialFunction(broken)
        nothing = self._nothing(trial, test)
        twice = [ufl.derivative(ufl.derivative(part, self._m, test), self._m, trial) for part in self._parts]
        forms = [fem.form(part + nothing, dtype=np.float64) for part in twice]
        matrix = fem.create_matrix(forms[0] if forms else fem.form(nothing, dtype=np.float64))
        dofs = np.asarray(broken.dofmap.list[: len(self.grid.cells)], dtype=np.int64)
        order = np.argsort(np.argsort(dofs, axis=1), axis=1)
        return forms, matrix, np.asarray(matrix.indptr)[dofs][:, :, None] + order[:, None, :]

    def _nothing(self, a: Any, b: Any) -> Any:
        """Return a form that is zero in all cells: it gives cells to energies that are linear or of faces alone."""
        return fem.Constant(self.grid.mesh, np.float64(0.0)) * ufl.inner(a, b) * ufl.dx(metadata=_LUMPED)

    def _fill(self, m: Array) -> None:
        self._m.x.array[:] = self.grid.seen(m).ravel()

    # ---- declared
    def _declared(self, reference: Sequence[float] | None) -> list[Any]:
        """Return the energy as UFL forms of `_m`, whose sum it is.

        Each has one quadrature rule per kind of entity: FFCx 0.9 to 0.11 evaluates m wrongly where a vertex rule and
        another one meet in a kernel. The cells' rule is fixed by the energy, so that the field is exactly its
        derivative whatever degree the derivative would be estimated to have.
        """
        mesh = self.grid.mesh
        dim = mesh.geometry.dim
        place, slope = ufl.SpatialCoordinate(mesh), ufl.grad(self._m)
        x = ufl.as_vector([place[i] if i < dim else 0.0 for i in range(3)])
        grad = ufl.as_matrix([[slope[i, j] if j < dim else 0.0 for j in range(3)] for i in range(3)])
        reference_m = None if reference is None else self._constant(tuple(float(a) for a in reference))
        nodes: list[Any] = []
        cells: list[Any] = []
        faces: list[Any] = []
        for term in self.terms:
            one = self._evaluated(term, self._m, grad, x)
            if reference_m is not None:
                zero = self._evaluated(term, reference_m, ufl.zero(3, 3), x)
                one = _Densities(one.volume - zero.volume, one.area - zero.area)
            if not isinstance(one.volume, ufl.constantvalue.Zero):
                (nodes if getattr(term, "local", False) else cells).append(one.volume)
            if not isinstance(one.area, ufl.constantvalue.Zero):
                self._faces.append(self._facets(term))
                faces.append(one.area)
        on = ufl.Measure("ds", domain=mesh, subdomain_data=list(enumerate(self._faces)))
        # The face of a line is a point, which needs no rule.
        rule = {} if self.grid.dim == 1 else {"metadata": _LUMPED}
        # The vertex rule is exact for densities up to the first degree, such as exchange and DMI: one kernel is enough.
        degree = max((estimate_total_polynomial_degree(e) for e in cells), default=0)
        if degree <= 1:
            nodes, cells = nodes + cells, []
        lumped = [sum(nodes[1:], nodes[0]) * ufl.dx(domain=mesh, metadata=_LUMPED)] if nodes else []
        lumped += [integrand * on(k, **rule) for k, integrand in enumerate(faces)]
        forms = [sum(lumped[1:], lumped[0])] if lumped else []
        if cells:
            forms.append(sum(cells[1:], cells[0]) * ufl.dx(domain=mesh, metadata={"quadrature_degree": degree}))
        return forms

    def _evaluated(self, term: Any, m: Any, grad: Any, x: Any) -> _Densities:
        """Return the densities of a term, with constants of the form for its numbers if it allows that."""
        if isinstance(term, Dipolar):
            raise InputError("energy: Dipolar is an operator of a whole body, no density; see DipolarField")
        # A symbol is equal to no number and always true: a density that looks at its numbers (`if self.order == 4`)
        # would become another one. So only classes that promise not to look are given symbols. The promise is not
        # inherited, as a subclass may have a density of its own.
        try:
            if vars(type(term)).get("symbolic", False):
                return _densities(self._symbolic(term), m, grad, x)
            return _densities(term, m, grad, x)
        except InputError:
            raise
        except Exception as error:  # whatever a user's class raises
            why = one_line(f"{type(error).__name__}: {error}")
            raise InputError(f"energy {type(term).__name__}: its density raised {why}") from error

    def _symbolic(self, term: Any) -> Any:
        """Return a copy of a frozen term whose floats, and tuples of them, are constants of the form."""
        if not dataclasses.is_dataclass(term):
            return term
        copy = object.__new__(type(term))
        for field in dataclasses.fields(term):
            object.__setattr__(copy, field.name, self._constant(getattr(term, field.name)))
        return copy

    def _constant(self, value: Any) -> Any:
        if isinstance(value, float):
            return fem.Constant(self.grid.mesh, np.float64(value))
        if isinstance(value, tuple) and value and all(isinstance(x, float) for x in value):
            return fem.Constant(self.grid.mesh, np.array(value))
        return value

    def _facets(self, term: Any) -> NDArray[np.int32]:
        """Return the facets of a term's face, cell and local number of each, one after the other."""
        face: Face | None = getattr(term, "face", None)
        if face != "all" and not callable(face):
            raise InputError(
                f"energy {type(term).__name__}: face is {face!r}; in space give face, a function of positions (3, n), "
                'or thickness (m) of a film, or face="all" for the whole surface, sides included'
            )
        topology, dim = self.grid.mesh.topology, self.grid.dim
        topology.create_connectivity(dim - 1, dim)
        topology.create_connectivity(dim, dim - 1)
        facets = np.asarray(dmesh.exterior_facet_indices(topology))
        of_facets = topology.connectivity(dim - 1, dim)
        cells = of_facets.array[of_facets.offsets[facets]]
        sides = topology.connectivity(dim, dim - 1).array.reshape(-1, dim + 1)[cells]
        local = np.nonzero(sides == facets[:, None])[1]
        if callable(face):
            marked = self.grid.marked(face, f"face of {type(term).__name__}").astype(float)[:, None]
            inside = self.grid.seen(marked)[:, 0][self.grid.space.dofmap.list[cells]] > 0
            corner = np.arange(dim + 1) == local[:, None]
            # Facet k of a triangle or tetrahedron is opposite to corner k; of an interval it is the corner.
            outside = ~corner if dim == 1 else corner
            on = (inside | outside).all(axis=1)
            cells, local = cells[on], local[on]
        if not self.grid.total(np.array(float(len(cells)))):
            raise InputError(f"energy {type(term).__name__}: its face holds no facet of the surface")
        return np.stack([cells, local], axis=1).astype(np.int32).ravel()


@dataclass(frozen=True)
class _Densities:
    """UFL scalars: the energy of a term per volume (J/m3) and per area of its face (J/m2), zero where it has none."""

    volume: Any
    area: Any


def _densities(term: Any, m: Any, grad: Any, x: Any) -> _Densities:
    volume = term.density(m, grad, x) if hasattr(term, "density") else 0.0
    area = term.surface_density(m, x) if hasattr(term, "surface_density") else 0.0
    thickness = getattr(term, "thickness", None)
    if thickness is not None:
        volume, area = volume + area / thickness, 0.0
    densities = _Densities(ufl.as_ufl(volume), ufl.as_ufl(area))
    for one in (densities.volume, densities.area):
        if one.ufl_shape != ():
            raise InputError(f"energy {type(term).__name__}: its density has the shape {one.ufl_shape}; allowed: ()")
    return densities
