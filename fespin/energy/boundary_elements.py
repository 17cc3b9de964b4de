"""The dipolar field of a body of any shape: finite elements inside, boundary elements on its surface."""

from __future__ import annotations

import numpy as np
from dolfinx import la
from scipy import sparse

from ..block_matrix import BlockMatrix
from ..errors import InputError
from ..grid import Array, Grid
from ..petsc import Options
from .hierarchical import HierarchicalLayer
from .surface import Surface, pieces
from .terms import COMPRESSED_FROM

_ROWS = 64  # rows of the dense matrix that are multiplied together
_TOLERANCE = 1e-4  # relative error of the far blocks of the compressed matrix
_DIRECT = 200_000  # nodes of bulky bodies up to which the Laplacian is factorized
_BULKY = 4.0  # nodes over those of the surface


class BoundaryField:
    """The operator D^T (S + S^T)/2 D m on the nodes of a body of tetrahedra, free space around it.

    With M = Ms m, the field is H = -Ms grad u, and u = u1 + u2 (Fredkin and Koehler 1990):

        div grad u1 = div m,  du1/dn = m.n inside, and u1 = 0 outside;
        div grad u2 = 0, and on the surface u2 is the double layer of u1.

    m and u are of first degree. In matrices, with K the stiffness and D that of int m.grad(phi),

        S = (1 + E L R) K^+,

    where R takes values at the surface, L is the matrix of the double layer and E continues harmonically into the
    body. S is symmetric for the exact equations; the mean with its transpose makes the discrete operator one too. A
    field takes four solves with two fixed sparse factors and two products with L. For n nodes on the surface L is
    dense, of 8 n^2 bytes, each rank having its own rows; from 5000 nodes on it is compressed
    (:class:`fespin.energy.hierarchical.HierarchicalLayer`). A mesh may have several parts that do not touch.

    The constructor is collective, and so is every method.

    Parameters
    ----------
    grid
        Grid of tetrahedra.
    surface
        Its surface.
    memory
        Bytes that L may take, on all ranks together.
    tolerance
        Tolerance of the compressed L; 0: dense; None: dense up to 5000 nodes, then 1e-4.
    options
        PETSc options of the two sparse solves, without prefix.

    Raises
    ------
    InputError
        If the surface has too many nodes.

    References
    ----------
    D. R. Fredkin, T. R. Koehler, IEEE Trans. Magn. 26, 415 (1990); D. A. Lindholm, IEEE Trans. Magn. 20, 2025 (1984).
    """

    def __init__(
        self,
        grid: Grid,
        surface: Surface,
        *,
        memory: float,
        tolerance: float | None = None,
        options: Options | None = None,
    ) -> None:
        self._grid, self.surface = grid, surface
        if tolerance is None:
            tolerance = _TOLERANCE if len(surface) >= COMPRESSED_FROM else 0.0
        if not tolerance and 8 * len(surface) ** 2 > memory:
            raise InputError(
                f"texture: the dipolar field's dense matrix of {len(surface)} nodes on the surface takes "
                f"{8e-9 * len(surface) ** 2:.3g} GB; allowed: memory={memory:.3g} bytes; use a coarser mesh"
                + ("" if len(surface) < COMPRESSED_FROM else ", or tolerance=1e-4")
            )
        self._layer = HierarchicalLayer(surface, tolerance, memory) if tolerance else surface.double_layer()
        self._shared = la.vector(grid.map, 1)
        self._assemble(options)

    def _assemble(self, options: Options | None) -> None:
        g, nodes = self._grid, len(self._grid.positions)
        blocks = np.einsum("c,cai,cbi->cab", g.volumes, g.slopes, g.slopes)
        rows, cols = (np.broadcast_to(x, blocks.shape).ravel() for x in (g.cells[:, :, None], g.cells[:, None, :]))
        self._stiffness = sparse.csr_matrix((blocks.ravel(), (rows, cols)), shape=(nodes, nodes))
        # int m.grad(phi_a) of a cell: the mean of m along the slope.
        push = np.broadcast_to((g.share[:, None, None] * g.slopes)[:, :, None], (len(g.cells), 4, 4, 3))
        rows = np.broadcast_to(g.cells[:, :, None, None], push.shape).ravel()
        cols = (3 * g.cells[:, None, :, None] + np.arange(3)).astype(np.int64)
        cols = np.broadcast_to(cols, push.shape).ravel()
        self._charges = sparse.csr_matrix((push.ravel(), (rows, cols)), shape=(nodes, 3 * nodes))
        self._slopes = self._charges.T.tocsr()
        # Constants are in the kernel of K, and the double layer cancels what they add to u1: u1 may be set to zero at
        # any one node of each part.
        lowest, _ = pieces(g)
        inner, outer = (np.ones((g.owned, 1)) for _ in range(2))
        inner[np.isin(g.numbers[: g.owned], lowest)] = 0.0
        outer[self.surface.own] = 0.0
        if options is None:
            options = {"ksp_type": "preonly", "pc_type": "cholesky", "pc_factor_mat_solver_type": "mumps"}
            if g.comm.size == 1:
                # On one rank, solves with PETSc's factor take a third of the time of those with MUMPS.
                options |= {"pc_factor_mat_solver_type": "petsc", "pc_factor_mat_ordering_type": "nd"}
            if g.map.size_global > max(_DIRECT, _BULKY * len(self.surface)):
                # Factors of such a matrix would take more memory than everything else.
                options = {"ksp_type": "cg", "ksp_rtol": 1e-12, "pc_type": "gamg"}
        self._inner = _Laplace(g, blocks, inner, "potential", options)
        self._outer = _Laplace(g, blocks, outer, "harmonic potential", options)

    # ---- parts of the chain
    def _summed(self, values: Array) -> Array:
        """Return values (nodes,) with those of the same node on other ranks added, at this rank's own ones (owned,)."""
        if self._grid.comm.size == 1:
            return values
        self._shared.array[:] = values
        self._shared.scatter_reverse(la.InsertMode.add)
        return np.array(self._shared.array[: self._grid.owned])

    def _stiff(self, values: Array) -> Array:
        return self._summed(self._stiffness @ self._seen(values))

    def _seen(self, values: Array) -> Array:
        return self._grid.seen(values[:, None])[:, 0]

    def _extended(self, values: Array) -> Array:
        """Return E g: harmonic inside (owned,), with the values g at this rank's nodes of the surface."""
        full = np.zeros(self._grid.owned)
        full[self.surface.own] = values
        return full - self._outer.solve(self._stiff(full))

    def _drawn(self, load: Array) -> Array:
        """Return E^T f at this rank's nodes of the surface, of a load (owned,)."""
        return np.asarray((load - self._stiff(self._outer.solve(load)))[self.surface.own])

    @property
    def compression_error(self) -> float:
        """Return the measured error of the compressed L, 0 if it is dense."""
        return self._layer.error if isinstance(self._layer, HierarchicalLayer) else 0.0

    @property
    def layer_bytes(self) -> int:
        """Return the memory that L takes, on all ranks together."""
        return self._layer.nbytes if isinstance(self._layer, HierarchicalLayer) else 8 * len(self.surface) ** 2

    def _layered(self, values: Array, load: Array) -> tuple[Array, Array]:
        """Return L g and L^T f at this rank's own nodes of the surface, of g and f there (own,).

        Both at once, by blocks of rows: the matrix is larger than a cache and read from memory once.
        """
        layer, surface = self._layer, self.surface
        if isinstance(layer, HierarchicalLayer):
            return layer.products(values, load)
        values, straight = surface.collected(values), np.empty(len(load))
        back = np.zeros(len(values))
        for k in range(0, len(load), _ROWS):
            rows = layer[k : k + _ROWS]
            straight[k : k + _ROWS] = rows @ values
            back += load[k : k + _ROWS] @ rows
        return straight, surface.summed(back)

    def potential(self, m: Array) -> Array:
        """Return u (m) at this rank's own nodes (owned,) of m there (owned, 3); H = -Ms grad u.

        It is determined up to a constant in each part of the mesh.
        """
        on = self.surface.own
        load = self._summed(self._charges @ self._grid.seen(m).ravel())
        first = self._inner.solve(load)
        # The transpose of S: E^T carries the load to the surface, L^T turns it into charges there, K^+ follows.
        values, charges = self._layered(first[on], self._drawn(load))
        back = np.zeros_like(load)
        back[on] = charges
        return first + (self._extended(values) + self._inner.solve(back)) / 2

    def __call__(self, m: Array) -> Array:
        """Return D^T (S + S^T)/2 D m at this rank's own nodes (owned, 3), in m3; m there (owned, 3)."""
        pulled = (self._slopes @ self._seen(self.potential(m))).reshape(-1, 3)
        return np.stack([self._summed(pulled[:, i]) for i in range(3)], axis=1)

    def destroy(self) -> None:
        """Free the factors."""
        self._inner.destroy()
        self._outer.destroy()


class _Laplace:
    """Solves with the stiffness between the nodes that are free; the others' values are zero."""

    def __init__(self, grid: Grid, blocks: Array, free: Array, name: str, options: Options) -> None:
        self._free = free
        free_nodes = grid.seen(free)[:, 0][grid.cells]
        free_blocks = blocks * free_nodes[:, :, None] * free_nodes[:, None, :]
        # Rows of nodes that are not free get a diagonal as large as the matrix's entries.
        size = grid.largest(blocks)
        self._matrix = BlockMatrix(grid, 1, name.replace(" ", "_"), symmetric=True, options=options)
        self._matrix.refresh(free_blocks[..., None, None], size * (1 - free)[:, :, None])
        # A direct solver does not read these options of an iteration, and PETSc complains at its end of unread ones.
        self._matrix.options.remove("ksp_rtol", "ksp_max_it")

    def solve(self, load: Array) -> Array:
        return self._matrix.solve(load[:, None] * self._free)[:, 0]

    def destroy(self) -> None:
        self._matrix.destroy()
