r"""A magnet on a mesh: spaces, matrices, boundary conditions, and what a state holds.

M and m lie in one Lagrange space. With its mass matrix and stiffness matrix (written G and K) the equations of
:mod:`fespin.longitudinal.magnet` are

    S d/dt G (a, b) = -R G (a, b) - D chi_m (0, K b) + (0, injection)

Only b is differentiated in space, so that a follows from b node by node: every solve is that of one
scalar positive system (alpha G + beta K) b = f, real in time and complex at a frequency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import ufl
from dolfinx import fem, la, mesh
from dolfinx.fem.petsc import assemble_matrix
from numpy.typing import NDArray
from petsc4py import PETSc

from .._compat import interpolation_points
from ..constants import VACUUM_PERMEABILITY
from ..errors import InputError, nearest
from ..mpi import agree_on_errors
from ..quantities import require_type
from ..solvers import LinearSolver, SolverOptions
from .drives import Conditions, Contact, Flux, Held, Shape, amount, require_amount
from .magnet import Array, LongitudinalMagnet

type Marker = Callable[[Array], NDArray[np.bool_]] | tuple[mesh.MeshTags, int]

# Up to so many unknowns in a plane a factor is faster than multigrid.
_DIRECT = 60_000
MECHANISMS = ("exchange", "M to lattice", "m to lattice", "diffusion")


@dataclass(frozen=True)
class Part:
    """A part of the boundary.

    Attributes
    ----------
    dofs
        Owned nodes of the part.
    load
        Integrals of the basis functions over it (owned,).
    measure
        Area of the part (m2); a length in 2D, 1 for an end in 1D.
    facets
        Facets of the part, marked 1.
    """

    dofs: NDArray[np.int32]
    load: Array
    measure: float
    facets: mesh.MeshTags


@dataclass(frozen=True)
class State:
    """Deviations from equilibrium.

    Attributes
    ----------
    M, m
        M - M0 - chi_M H, and m, at the owned nodes (A/m).

    Examples
    --------
    >>> magnet = fs.LongitudinalMagnet(xi=0.3, tau_mM=1e-12, diffusion=2e-3)
    >>> problem = fs.LongitudinalProblem(wire, magnet)
    >>> state = problem.state(M=1.0, m=lambda x: np.cos(np.pi * x[0] / 400e-9))
    >>> print(f"{state.M.max():.3f} {state.m.max():.3f}")
    1.000 1.000
    """

    M: Array
    m: Array


class LongitudinalProblem:
    """The equations of M and m on a mesh. Collective.

    A boundary is closed wherever nothing else is said. A sudden change of the applied field by dH needs no
    term of its own: it is the initial state M = -chi_M dH.

    Parameters
    ----------
    domain
        Any DOLFINx mesh of intervals, triangles or tetrahedra (or their tensor-product kin); lengths in m.
    magnet
        Parameters of the magnet.
    parts
        Parts of the boundary by name: a function of the coordinates (3, n) that is true there, or facet tags and a tag.
    degree
        Degree of the Lagrange space.
    options
        Solver of the linear systems; "auto" is direct on lines and small planar meshes, multigrid elsewhere.

    Attributes
    ----------
    space
        Space of M and m.
    volume
        Volume of the domain (m3; m2 or m in lower dimensions, where totals and energies are per length or
        area).

    Raises
    ------
    InputError
        If a part has no facet, or the degree is not positive.

    Examples
    --------
    >>> magnet = fs.LongitudinalMagnet(xi=0.3, tau_mM=1e-12, diffusion=2e-3, tau_mL=30e-12)
    >>> problem = fs.LongitudinalProblem(wire, magnet, parts={"left": lambda x: x[0] < 1e-12})
    >>> start = problem.state(M=lambda x: np.where(x[0] < 2e-7, 1.0, 0.0))  # A/m
    >>> print(f"{problem.totals(start)[0]:.2e} {problem.free_energy(start):.2e}")
    2.01e-07 1.26e-13
    """

    def __init__(
        self,
        domain: mesh.Mesh,
        magnet: LongitudinalMagnet,
        *,
        parts: Mapping[str, Marker] | None = None,
        degree: int = 2,
        options: SolverOptions | None = None,
    ) -> None:
        require_type("longitudinal problem", domain, mesh.Mesh)
        require_type("longitudinal problem", magnet, LongitudinalMagnet)
        if not isinstance(degree, int) or isinstance(degree, bool) or degree < 1:
            raise InputError(f"longitudinal problem: degree is {degree!r}; it must be a positive whole number")
        self.mesh, self.magnet, self.comm = domain, magnet, domain.comm
        self.options = options or SolverOptions()
        self.space = fem.functionspace(domain, ("Lagrange", degree))
        index_map = self.space.dofmap.index_map
        self.owned, self.first = int(index_map.size_local), int(index_map.local_range[0])
        self.unknowns = int(index_map.size_global)
        u, v = ufl.TrialFunction(self.space), ufl.TestFunction(self.space)
        self.mass = assemble_matrix(fem.form(ufl.inner(u, v) * ufl.dx))
        self.stiffness = assemble_matrix(fem.form(ufl.inner(ufl.grad(u), ufl.grad(v)) * ufl.dx))
        for A in (self.mass, self.stiffness):
            A.assemble()
        self._x, self._y = self.mass.createVecs()
        self.weights = self.times(self.mass, np.ones(self.owned))
        self.volume = self.sum(self.weights)
        self.parts = {name: self._part(name, where) for name, where in (parts or {}).items()}
        self._boundary: dict[str, PETSc.Mat] = {}

    def _part(self, name: str, where: Marker) -> Part:
        domain = self.mesh
        dimension = domain.topology.dim - 1
        domain.topology.create_connectivity(dimension, dimension + 1)
        if callable(where):
            # Its errors must reach all ranks; DOLFINx's search is collective.
            agree_on_errors(self.comm, lambda: where(domain.geometry.x.T), f"boundary '{name}'")
            found = mesh.locate_entities_boundary(domain, dimension, where)
        else:
            tags, tag = where
            if tags.dim != dimension:
                raise InputError(f"boundary '{name}': the tags are of dimension {tags.dim}, facets of {dimension}")
            found = tags.find(tag)
        outer = np.intersect1d(found, mesh.exterior_facet_indices(domain.topology)).astype(np.int32)
        if not self.comm.allreduce(len(outer)):
            raise InputError(f"boundary '{name}': no facet of the mesh's boundary lies there")
        marked = mesh.meshtags(domain, dimension, outer, np.ones(len(outer), dtype=np.int32))
        ds = ufl.Measure("ds", domain=domain, subdomain_data=marked)
        # A literal, so that all parts share one compiled form.
        load = fem.assemble_vector(fem.form(ufl.TestFunction(self.space) * ds(1)))
        load.scatter_reverse(la.InsertMode.add)
        dofs = fem.locate_dofs_topological(self.space, dimension, outer)
        values = np.real(load.array[: self.owned]).copy()
        return Part(dofs[dofs < self.owned], values, self.sum(values), marked)

    def boundary_mass(self, name: str) -> PETSc.Mat:
        """Return the mass matrix of a part of the boundary, made when it is first asked for. Collective."""
        if name not in self._boundary:
            ds = ufl.Measure("ds", domain=self.mesh, subdomain_data=self.parts[name].facets)
            u, v = ufl.TrialFunction(self.space), ufl.TestFunction(self.space)
            made = assemble_matrix(fem.form(ufl.inner(u, v) * ds(1)))
            made.assemble()
            self._boundary[name] = made
        return self._boundary[name]

    # ---- vectors: numpy arrays of the owned nodes
    def times(self, matrix: PETSc.Mat, x: Array) -> Array:
        """Return a matrix times a vector. Collective."""
        self._x.array[:] = x
        matrix.mult(self._x, self._y)
        return np.array(np.real(self._y.array))

    def sum(self, x: Any) -> float:
        """Return the sum over all nodes of all ranks. Collective."""
        return float(self.comm.allreduce(float(np.sum(x))))

    def dot(self, x: Array, y: Array) -> float:
        """Return x.y over all ranks. Collective."""
        return float(self.comm.allreduce(float(x @ y)))

    def function(self, values: Array, name: str = "f") -> fem.Function:
        """Return values at the owned nodes as a finite element function. Collective."""
        f = fem.Function(self.space, name=name)
        f.x.array[: self.owned] = values
        f.x.scatter_forward()
        return f

    def nodes(self) -> Array:
        """Return the coordinates of the owned nodes (owned, 3), in m."""
        return np.array(self.space.tabulate_dof_coordinates()[: self.owned], dtype=float)

    def solver(
        self,
        alpha: float,
        beta: float,
        fixed: NDArray[np.int32],
        name: str,
        *,
        drains: Mapping[str, float] | None = None,
        passes: int = 2,
    ) -> ScalarSolver:
        """Return the solver of (alpha G + beta K + drains) x = f, x given at the owned nodes `fixed`. Collective.

        Parameters
        ----------
        drains
            Factors of the mass matrices of parts of the boundary.
        """
        kind = self.options.kind
        if kind == "auto":
            dimension = self.mesh.topology.dim
            kind = "direct" if dimension == 1 or (dimension == 2 and self.unknowns < _DIRECT) else "amg"
        o = self.options
        options = SolverOptions(kind, o.rtol, o.max_iterations, o.petsc)
        return ScalarSolver(self, alpha, beta, fixed, options, name, passes, drains or {})

    # ---- states
    def state(self, M: Shape = 0.0, m: Shape = 0.0) -> State:
        """Return the state with given deviations M - M0 - chi_M H, and m (A/m). Collective.

        Parameters
        ----------
        M, m
            A number, a function of the coordinates (3, n), or a function on :attr:`space`.
        """
        return State(self.nodal("M", M), self.nodal("m", m))

    def nodal(self, name: str, shape: Shape) -> Array:
        """Return a number, a function of coordinates or one on :attr:`space` at the owned nodes. Collective.

        Raises
        ------
        InputError
            On all ranks, if it is not one finite number at each node; `name` stands in the message.
        """

        def values() -> Array:
            if isinstance(shape, fem.Function):
                out = np.real(shape.x.array[: self.owned])
            elif callable(shape):
                out = np.asarray(shape(self.nodes().T), dtype=float)
            else:
                out = np.full(self.owned, shape, dtype=float)
            if out.shape != (self.owned,) or not np.isfinite(out).all():
                raise InputError(f"longitudinal state: {name} must be one finite number at each node")
            return np.array(out, dtype=np.float64)

        found: list[Array] = agree_on_errors(self.comm, values, "longitudinal state")
        return found[int(self.comm.rank)]

    def spin_current(self, accumulation: Array) -> fem.Function:
        """Return j_m = -D grad dm_ (A/s) of an accumulation dm_ (owned,), Eq. (17); Lagrange per cell. Collective.

        Its nodes are the degree's less one, so that it is exact for the discrete dm_: it jumps between cells.

        Examples
        --------
        >>> magnet = fs.LongitudinalMagnet(xi=0.3, tau_mM=1e-12, diffusion=2e-3)
        >>> problem = fs.LongitudinalProblem(wire, magnet)
        >>> current = problem.spin_current(1e3 * problem.nodes()[:, 0] / 400e-9)
        >>> print(f"{current.x.array[0]:.3e}")
        -5.000e+06
        """
        degree = self.space.element.basix_element.degree - 1
        space = fem.functionspace(self.mesh, ("DG", degree, (self.mesh.geometry.dim,)))
        dm, current = self.function(accumulation), fem.Function(space, name="spin_current")
        current.interpolate(fem.Expression(-self.magnet.diffusion * ufl.grad(dm), interpolation_points(space)))
        return current

    def totals(self, state: State) -> tuple[float, float]:
        """Return the integrals of M - M0 - chi_M H and m (A m2 in 3D). Collective."""
        return self.dot(self.weights, state.M), self.dot(self.weights, state.m)

    def free_energy(self, state: State) -> float:
        """Return F = (mu0/2) int [DM^2/chi_M + 2 DM Dm/chi_M + Dm^2/chi_m] (J in 3D). Collective."""
        a, b = self.magnet.potentials(state.M, state.m)
        return VACUUM_PERMEABILITY / 2 * self.product((a, b), (state.M, state.m))

    def product(self, x: tuple[Array, Array], y: tuple[Array, Array]) -> float:
        """Return the integral of x[0] y[0] + x[1] y[1]. Collective."""
        return self.dot(x[0], self.times(self.mass, y[0])) + self.dot(x[1], self.times(self.mass, y[1]))

    def dissipation(self, a: Array, b: Array) -> dict[str, float]:
        """Return T times the rate of entropy production (W in 3D) by mechanism, from the potentials. Collective.

        mu0 times L (a - b)^2, w_M chi_M a^2, w_m chi_m b^2 and D chi_m |grad b|^2, integrated; Eq. (15).
        """
        g, mag = self.mass, self.magnet
        parts = (
            mag.exchange * self.dot(a - b, self.times(g, a - b)),
            mag.w_M * mag.susceptibility * self.dot(a, self.times(g, a)),
            mag.w_m * mag.chi_m * self.dot(b, self.times(g, b)),
            mag.stiffness * self.dot(b, self.times(self.stiffness, b)),
        )
        return {k: VACUUM_PERMEABILITY * x for k, x in zip(MECHANISMS, parts, strict=True)}

    # ---- boundary
    def check(self, conditions: Conditions, *, varying: bool) -> tuple[list[str], NDArray[np.int32]]:
        """Refuse what is no condition; return the names of held parts and their owned nodes."""
        for name, condition in conditions.items():
            if name not in self.parts:
                raise InputError(f"conditions: no boundary is called '{name}'; {nearest(name, self.parts)}")
            if not isinstance(condition, Flux | Held | Contact):
                raise InputError(f"conditions['{name}']: found {condition!r}; it must be a Flux, Held or Contact")
            require_amount(f"conditions['{name}']", amount(condition), varying=varying)
        held = [k for k, c in conditions.items() if isinstance(c, Held)]
        nodes = [self.parts[k].dofs for k in held]
        return held, np.unique(np.concatenate([np.empty(0, np.int32), *nodes])).astype(np.int32)

    def reservoirs(self, held: Sequence[str]) -> Iterator[tuple[str, NDArray[np.int32]]]:
        """Return the owned nodes of each held part; a node of two counts for the first."""
        seen = np.zeros(self.owned, dtype=bool)
        for name in held:
            dofs = self.parts[name].dofs
            own = dofs[~seen[dofs]]
            seen[own] = True
            yield name, own

    def destroy(self) -> None:
        """Free the matrices. Collective."""
        for x in (self.mass, self.stiffness, *self._boundary.values(), self._x, self._y):
            x.destroy()


class ScalarSolver:
    """Solver of (alpha G + beta K + drains) x = f, with x given at some nodes. Collective, as each solve is.

    Raises
    ------
    SolverError
        If the system cannot be set up or solved; the text says what to try.
    """

    def __init__(
        self,
        problem: LongitudinalProblem,
        alpha: float,
        beta: float,
        fixed: NDArray[np.int32],
        options: SolverOptions,
        name: str,
        passes: int,
        drains: Mapping[str, float],
    ) -> None:
        self.problem, self.fixed = problem, fixed
        # A second pass, on the residual, makes an iteration as good as a factor: M + m stays to rounding.
        self._passes = passes if options.kind == "amg" else 1
        self._any = bool(problem.comm.allreduce(len(fixed)))
        self._A = problem.mass.copy()
        self._A.scale(alpha)
        self._A.axpy(beta, problem.stiffness, PETSc.Mat.Structure.SAME_NONZERO_PATTERN)
        for part, factor in drains.items():
            self._A.axpy(factor, problem.boundary_mass(part), PETSc.Mat.Structure.SUBSET_NONZERO_PATTERN)
        self._whole = self._A.copy() if self._any else self._A
        # Of the size of the others, for the sake of residuals.
        self._diagonal = abs(alpha) * problem.volume / problem.unknowns or 1.0
        if self._any:
            self._A.zeroRowsColumns(fixed + problem.first, self._diagonal)
        self._nest = PETSc.Mat().createNest([[self._A]], comm=problem.comm)
        self._solver = LinearSolver(self._nest, options, name)
        self._b, self._x = self._solver.vectors()

    @property
    def iterations(self) -> int:
        """Number of iterations of all solves."""
        return self._solver.iterations

    def solve(self, f: Array, values: Array | None = None) -> Array:
        """Return x (owned,) for f (owned,), with the values (len(fixed),) at the fixed nodes, default zero."""
        right = np.array(f)
        if self._any:
            given = np.zeros(len(self.fixed)) if values is None else values
            x = np.zeros(self.problem.owned)
            x[self.fixed] = given
            right -= self.problem.times(self._whole, x)
            right[self.fixed] = self._diagonal * given
        out = np.zeros(self.problem.owned)
        for i in range(self._passes):
            self._b.array[:] = right - self._times(out) if i else right
            if not self._b.norm() > 0:
                break
            self._solver.solve(self._b, self._x)
            out += np.real(self._x.array)
        return out

    def _times(self, x: Array) -> Array:
        self._x.array[:] = x
        y = self._b.duplicate()
        self._A.mult(self._x, y)
        out = np.array(np.real(y.array))
        y.destroy()
        return out

    def destroy(self) -> None:
        """Free the factor or preconditioner. Collective."""
        self._solver.destroy()
        for x in (self._nest, self._A, self._b, self._x, *([self._whole] if self._any else [])):
            x.destroy()
