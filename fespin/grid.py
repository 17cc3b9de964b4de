"""Fields of first degree on simplices, as arrays: gradients, lumped volumes and sums over ranks."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from dolfinx import fem, la
from dolfinx import mesh as dmesh
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc
from scipy import sparse

from .errors import InputError, one_line

type Array = NDArray[np.float64]
type Start = Callable[[Array], Any] | Array


class Grid:
    """A mesh of intervals, triangles or tetrahedra with continuous functions of first degree on it.

    Wires and films may be curved: a mesh may have less dimensions than the space that it lies in. Vectors in space
    have three components always, those that the mesh's space has not being zero.

    The constructor is collective, and so is every method.

    Parameters
    ----------
    mesh
        A DOLFINx mesh with straight edges.

    Attributes
    ----------
    owned
        Number of nodes that belong to this rank.
    cells
        Nodes of each of this rank's own cells (cells, dim + 1).
    positions
        Places (m) of the nodes, those of other ranks that this one sees last (nodes, 3).
    volumes
        Volumes of the cells (cells,), in m^dim.
    slopes
        Gradients of the basis functions (cells, dim + 1, 3), in 1/m.
    weights
        Volume that belongs to each node (nodes,).

    Raises
    ------
    InputError
        If the mesh has other cells or is curved.

    Examples
    --------
    >>> from fespin.texture import Grid
    >>> grid = Grid(wire)
    >>> grid.owned, grid.cells.shape
    (101, (100, 2))
    >>> print(f"{grid.total(grid.weights):.2e}")  # m
    4.00e-07
    """

    def __init__(self, mesh: dmesh.Mesh) -> None:
        kind = str(getattr(mesh.topology.cell_type, "name", mesh.topology.cell_type))
        if kind not in ("interval", "triangle", "tetrahedron"):
            raise InputError(
                f"texture: the mesh has cells of the kind {kind}; allowed: interval, triangle, tetrahedron"
            )
        self.mesh, self.comm, self.dim = mesh, mesh.comm, mesh.topology.dim
        self.space = fem.functionspace(mesh, ("Lagrange", 1))
        self.map = self.space.dofmap.index_map
        self.owned = self.map.size_local
        own_cells = mesh.topology.index_map(self.dim).size_local
        self.cells = np.asarray(self.space.dofmap.list[:own_cells], dtype=np.int64)
        self.positions: Array = np.asarray(self.space.tabulate_dof_coordinates(), dtype=float)
        if mesh.geometry.index_map().size_global != self.map.size_global:
            raise InputError("texture: the mesh has curved cells; their edges must be straight")
        corners = self.positions[self.cells]
        edges = corners[:, 1:] - corners[:, :1]
        gram = np.einsum("cai,cbi->cab", edges, edges)
        self.volumes: Array = np.sqrt(np.linalg.det(gram)) / math.factorial(self.dim)
        dual = np.linalg.solve(gram, edges) if own_cells else edges
        self.slopes: Array = np.concatenate([-dual.sum(axis=1, keepdims=True), dual], axis=1)
        self.share: Array = self.volumes / (self.dim + 1)
        self._buffers: dict[int, Any] = {}
        self.weights: Array = self.seen(self.gathered(np.repeat(self.share[:, None, None], self.dim + 1, axis=1)))[:, 0]

    @cached_property
    def numbers(self) -> NDArray[Any]:
        """Return the number over all ranks of each node that this rank sees (nodes,)."""
        local = np.arange(len(self.positions), dtype=np.int32)
        return np.asarray(self.map.local_to_global(local)).astype(PETSc.IntType)

    @cached_property
    def volume(self) -> float:
        """Return the volume of the mesh (m^dim)."""
        return self.total(self.volumes)

    def total(self, values: Array) -> float:
        """Return the sum over all ranks."""
        return float(self.totals(values.sum())[0])

    def totals(self, *numbers: float) -> Array:
        """Return the sums of some numbers over all ranks, at the price of one."""
        sums = np.array(numbers, dtype=float)
        if self.comm.size > 1:
            self.comm.Allreduce(MPI.IN_PLACE, sums)
        return sums

    def largest(self, values: Array) -> float:
        """Return the largest value over all ranks, infinity if one is not a number, -infinity if there is none."""
        top = np.array([np.max(values) if values.size else -math.inf], dtype=float)
        top[np.isnan(top)] = math.inf
        if self.comm.size > 1:
            self.comm.Allreduce(MPI.IN_PLACE, top, MPI.MAX)
        return float(top[0])

    def everywhere(self, good: bool) -> bool:
        """Return whether something holds on all ranks."""
        return bool(self.totals(0.0 if good else 1.0)[0] == 0.0)

    def _buffer(self, width: int) -> Any:
        if width not in self._buffers:
            self._buffers[width] = la.vector(self.map, width)
        return self._buffers[width]

    def gathered(self, values: Array) -> Array:
        """Return what cells add to their nodes, summed at each node.

        Parameters
        ----------
        values
            (cells, dim + 1, k).

        Returns
        -------
        Array
            Of this rank's own nodes (owned, k).
        """
        k = values.shape[2]
        flat, size = self.cells.ravel(), len(self.positions)
        sums: Array = np.stack([np.bincount(flat, values[:, :, i].ravel(), minlength=size) for i in range(k)], axis=1)
        if self.comm.size == 1:
            return sums
        buffer = self._buffer(k)
        buffer.array[:] = sums.ravel()
        buffer.scatter_reverse(la.InsertMode.add)
        return np.array(buffer.array[: self.owned * k].reshape(-1, k))

    def seen(self, values: Array) -> Array:
        """Return the values at all nodes that this rank sees (nodes, k) from those at its own ones (owned, k)."""
        if self.comm.size == 1:
            return values
        k = values.shape[1]
        buffer = self._buffer(k)
        buffer.array[: self.owned * k] = values.ravel()
        buffer.scatter_forward()
        return np.array(buffer.array.reshape(-1, k))

    def gradient(self, values: Array) -> Array:
        """Return the gradient in each cell (cells, 3, k), the direction of the derivative first; values (nodes, k)."""
        return np.asarray(self._slope @ values).reshape(len(self.cells), 3, -1)

    @cached_property
    def _slope(self) -> sparse.csr_matrix:
        """Return the matrix (3 cells, nodes) of the gradient in each cell."""
        count, corners = self.cells.shape
        columns = np.repeat(self.cells[:, None], 3, axis=1).ravel().astype(np.int32)
        rows = np.arange(3 * count + 1, dtype=np.int32) * corners
        values = self.slopes.transpose(0, 2, 1).ravel()
        return sparse.csr_matrix((values, columns, rows), shape=(3 * count, len(self.positions)))

    def mean(self, values: Array) -> Array:
        """Return the mean in each cell (cells, k) of values (nodes, k)."""
        return np.asarray(values[self.cells].mean(axis=1))

    # ---- what users give and get
    def directions(self, start: Start) -> Array:
        """Return unit vectors at this rank's own nodes (owned, 3).

        Parameters
        ----------
        start
            A function of positions (n, 3) with values (n, 3), one vector, or an array (owned, 3), of any length.

        Raises
        ------
        InputError
            If it is something else, or has no direction somewhere.
        """
        m = self.vectors(start, "start")
        length = np.linalg.norm(m, axis=1, keepdims=True)
        if not self.everywhere(bool((length > 0).all())):
            raise InputError("texture: start is zero at a node; it must have a direction everywhere")
        return np.asarray(m / length)

    def vectors(self, values: Any, key: str) -> Array:
        """Return vectors at this rank's own nodes (owned, 3); `values` and errors as `start` in :meth:`directions`."""
        problem, v = "", np.array([])
        try:
            v = np.array(values(self.positions[: self.owned]) if callable(values) else values, dtype=float)
        except Exception as error:  # of a user's function; it is raised on all ranks below
            problem = f" ({type(error).__name__}: {one_line(str(error))})"
        v = np.broadcast_to(v, (self.owned, 3)) if v.shape == (3,) else v
        good = v.shape == (self.owned, 3) and bool(np.isfinite(v).all())
        if not self.everywhere(good):
            problem = self._first(problem)
            raise InputError(
                f"texture: {key} must be three finite numbers, an array of them at this rank's nodes, or a function of "
                f"positions (n, 3) with values (n, 3){problem}"
            )
        return np.array(v)

    def _first(self, problem: str) -> str:
        """Return the problem of the first rank that has one, on all ranks."""
        return next((x for x in self.comm.allgather(problem) if x), "")

    def asked[T](self, of: Callable[[float], T], t: float, key: str) -> T:
        """Return what a user's function gives at a time (s).

        Raises
        ------
        InputError
            On all ranks, if it fails on one.
        """
        problem, results = "", list[T]()
        try:
            results.append(of(t))
        except InputError as error:
            problem = str(error)
        except Exception as error:  # the other ranks must hear of it
            problem = f"texture: {key} at t = {t:.4g} s: {type(error).__name__}: {one_line(str(error))}"
        if not self.everywhere(not problem):
            raise InputError(self._first(problem))
        return results[0]

    def marked(self, where: Callable[[Array], Any], key: str) -> NDArray[np.bool_]:
        """Return which of this rank's own nodes a function of positions (3, n) marks (owned,).

        Raises
        ------
        InputError
            On all ranks, if it fails on one or returns something else.
        """
        problem, mask = "", np.zeros(self.owned, dtype=bool)
        try:
            mask = np.asarray(where(self.positions[: self.owned].T))
            if mask.shape != (self.owned,):
                problem = f"values of the shape {mask.shape} for {self.owned} points"
        except Exception as error:  # the other ranks must hear of it
            problem = f"{type(error).__name__}: {one_line(str(error))}"
        problem = self._first(problem)
        if problem:
            raise InputError(
                f"texture: {key} must be a function of positions (3, n) that says of each point whether it belongs; "
                f"found {problem}"
            )
        return mask.astype(bool)

    def along(self, vector: Any, key: str) -> Array:
        """Return a vector field of the mesh's space in this rank's own cells (cells, 3).

        Parameters
        ----------
        vector
            A number on a line, a vector of two or three components, or an array (cells, 3).
        key
            Name of the vector, for messages.
        """
        try:
            v = np.array(vector, dtype=float)
        except (TypeError, ValueError):
            v = np.array(math.nan)
        if v.ndim == 0 and self.mesh.geometry.dim == 1:
            v = np.array([v, 0.0, 0.0])
        if v.shape == (2,):
            v = np.array([*v, 0.0])
        v = np.broadcast_to(v, (len(self.cells), 3)) if v.shape == (3,) else v
        if not self.everywhere(v.shape == (len(self.cells), 3) and bool(np.isfinite(v).all())):
            raise InputError(f"texture: {key} must be a finite vector, or an array of them in this rank's cells")
        return v

    def function(self, values: Array, name: str = "m") -> fem.Function:
        """Return values (owned, k) as a DOLFINx function, for files and pictures."""
        k = values.shape[1]
        space = fem.functionspace(self.mesh, ("Lagrange", 1, (k,)) if k > 1 else ("Lagrange", 1))
        f = fem.Function(space, name=name)
        self.fill(f, values)
        return f

    def fill(self, f: fem.Function, values: Array) -> None:
        """Give a function of :meth:`function` other values (owned, k)."""
        nodal = self.seen(values)
        f.x.array.reshape(-1, values.shape[1])[f.function_space.dofmap.list] = nodal[self.space.dofmap.list]

    def reader(self, points: Array) -> Callable[[Array], Array]:
        """Return a function that gives the values at points (n,), on all ranks, of what nodes hold (owned,).

        Parameters
        ----------
        points
            (n, dim of space) in m; numbers on a line.

        Raises
        ------
        InputError
            If a point lies outside.
        """
        x = np.atleast_1d(np.asarray(points, dtype=float))
        x = x[:, None] if x.ndim == 1 else x
        x = np.pad(x, ((0, 0), (0, 3 - x.shape[1])))
        places = []
        for k, point in enumerate(x):
            start = self.positions[self.cells[:, 0]]
            # Barycentric coordinates: each is one at its corner and falls along its slope.
            inside = np.einsum("cai,ci->ca", self.slopes, point - start)
            inside[:, 0] += 1.0
            best = int(np.argmax(inside.min(axis=1))) if len(inside) else -1
            margin = float(inside[best].min()) if best >= 0 else -np.inf
            found, rank = self.comm.allreduce((margin, self.comm.rank), MPI.MAXLOC)
            if not found > -1e-9:
                raise InputError(f"texture: the probe at {np.atleast_1d(points)[k]} m lies outside the mesh")
            places.append((rank, best, inside[best] if best >= 0 else None))

        def read(values: Array) -> Array:
            seen = self.seen(values[:, None])[:, 0]
            mine = [seen[self.cells[c]] @ w if rank == self.comm.rank else 0.0 for rank, c, w in places]
            return np.asarray(self.comm.allreduce(np.array(mine)))

        return read

    def collected(self, values: Array) -> tuple[Array, Array] | None:
        """Return positions and values of all nodes on rank 0, ordered along the first coordinate; None elsewhere."""
        parts = self.comm.gather((self.positions[: self.owned], values))
        if parts is None:
            return None
        x, v = (np.concatenate([p[i] for p in parts]) for i in (0, 1))
        order = np.lexsort((x[:, 2], x[:, 1], x[:, 0]))
        return x[order], v[order]

    def steepness(self, m: Array) -> Array:
        """Return the largest slope of m in any direction in each cell (cells,), in 1/m; m at the nodes (nodes, 3)."""
        gradient = self.gradient(m)
        if self.dim == 1:
            return np.asarray(np.sqrt(np.einsum("cia,cia->c", gradient, gradient)))
        return np.asarray(np.linalg.norm(gradient, ord=2, axis=(1, 2)))

    def steepest(self, m: Array) -> tuple[float, int]:
        """Return the largest :meth:`steepness` of this rank's own cells (1/m), and the cell; (-inf, -1) without cells.

        Not collective. The largest singular value of the gradient lies between a fraction of its Frobenius norm and the
        norm itself, so that it has to be computed in few cells only.
        """
        gradient = self.gradient(m)
        total = np.einsum("cia,cia->c", gradient, gradient)
        if not len(total):
            return -math.inf, -1
        cells = np.flatnonzero(~(total < total.max() / self.dim))
        slopes = np.linalg.norm(gradient[cells], ord=2, axis=(1, 2))
        best = int(np.argmax(slopes))
        return float(slopes[best]), int(cells[best])
