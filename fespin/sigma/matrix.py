"""Matrices of a surface, in whatever form suits it: one set of operations for sparse ones and for those of rings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Self

import numpy as np
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from numpy.typing import NDArray
from petsc4py import PETSc

from ..energy.on_sphere import Array
from ..petsc import Options, destroy
from .factor import Factor

type Vector = NDArray[Any]  # real or complex

# Cells whose matrices are made at a time.
_CHUNK = 512


class Solver(Protocol):
    """The factors of a matrix, which solve any number of equations."""

    @property
    def seconds(self) -> float:
        """Time that the factorization took."""
        ...

    @property
    def memory(self) -> float:
        """About how many bytes the factors take."""
        ...

    def solve(self, b: Vector) -> Vector:
        """Return the solution for a right-hand side (owned,). Collective."""
        ...

    def solve_transposed(self, b: Vector) -> Vector:
        """Return the solution with the transposed matrix. Collective."""
        ...

    def destroy(self) -> None:
        """Free the factors. Collective."""
        ...


class Matrix(Protocol):
    """A matrix over the degrees of freedom of a surface. All methods are collective."""

    def apply(self, x: Array) -> Array:
        """Return the product with a vector (owned,)."""
        ...

    def diagonal(self) -> Array:
        """Return the diagonal (owned,)."""
        ...

    def norm(self) -> float:
        """Return the root of the sum of squares of all entries."""
        ...

    def rescale(self, left: Array, right: Array) -> None:
        """Multiply rows and columns by numbers (owned,)."""
        ...

    def combined(self, own: float, other: Self, factor: float) -> Self:
        """Return own times this matrix plus a factor times another one of the same kind."""
        ...

    def copy(self) -> Self:
        """Return a copy."""
        ...

    def pin(self, rows: NDArray[np.int_]) -> None:
        """Replace some of this rank's rows by those of the identity."""
        ...

    def factor(self, options: Options | None = None) -> Solver:
        """Return the factors."""
        ...

    def solved(self, b: Array, options: Options | None = None) -> Array:
        """Return the solutions for a few right-hand sides (owned, k); no factors are kept."""
        ...

    def shifted(self, mass: Self, z: complex, options: Options | None = None) -> Solver:
        """Return the factors of this matrix minus z times another, for complex right-hand sides."""
        ...

    def destroy(self) -> None:
        """Free the memory."""
        ...


class SparseMatrix:
    """A sparse matrix of PETSc, distributed over the ranks of its surface.

    Attributes
    ----------
    petsc
        The matrix itself.
    """

    def __init__(self, petsc: PETSc.Mat) -> None:
        self.petsc = petsc

    def apply(self, x: Array) -> Array:
        """Return the product with a vector (owned,). Collective."""
        a, b = self.petsc.createVecs()
        a.array[:] = x
        self.petsc.mult(a, b)
        out = np.array(b.array)
        destroy(a, b)
        return out

    def diagonal(self) -> Array:
        """Return the diagonal (owned,). Collective."""
        vector = self.petsc.getDiagonal()
        out = np.array(vector.array)
        vector.destroy()
        return out

    def norm(self) -> float:
        """Return the root of the sum of squares of all entries. Collective."""
        return float(self.petsc.norm())

    def rescale(self, left: Array, right: Array) -> None:
        """Multiply rows and columns by numbers (owned,). Collective."""
        columns, rows = self.petsc.createVecs()
        rows.array[:], columns.array[:] = left, right
        self.petsc.diagonalScale(rows, columns)
        destroy(rows, columns)

    def combined(self, own: float, other: SparseMatrix, factor: float) -> SparseMatrix:
        """Return own times this matrix plus a factor times another one of the same pattern. Collective."""
        out = self.petsc.copy()
        out.scale(own)
        out.axpy(factor, other.petsc, PETSc.Mat.Structure.SAME_NONZERO_PATTERN)
        return SparseMatrix(out)

    def copy(self) -> SparseMatrix:
        """Return a copy. Collective."""
        return SparseMatrix(self.petsc.copy())

    def pin(self, rows: NDArray[np.int_]) -> None:
        """Replace some of this rank's rows by those of the identity. Collective."""
        first = self.petsc.getOwnershipRange()[0]
        self.petsc.zeroRows((np.asarray(rows, dtype=int) + first).astype(np.int32), 1.0)

    def factor(self, options: Options | None = None) -> Factor:
        """Return the factors. Collective."""
        return Factor(self.petsc, options)

    def solved(self, b: Array, options: Options | None = None) -> Array:
        """Return the solutions for a few right-hand sides (owned, k); no factors are kept. Collective."""
        factor = self.factor(options)
        found = np.stack([factor.solve(column) for column in b.T], axis=1)
        factor.destroy()
        return found

    def shifted(self, mass: SparseMatrix, z: complex, options: Options | None = None) -> ComplexFactor:
        """Return the factors of this matrix minus z times another, for complex right-hand sides. Collective."""
        return ComplexFactor(self, mass, z, options)

    def destroy(self) -> None:
        """Free the memory. Collective."""
        self.petsc.destroy()


class ComplexFactor:
    """The factors of A - z M for a complex z, by the real matrix of twice the size. The constructor is collective."""

    def __init__(self, a: SparseMatrix, mass: SparseMatrix, z: complex, options: Options | None) -> None:
        self._n = len(a.diagonal())
        diagonal = a.combined(1.0, mass, -z.real).petsc
        coupling, other = mass.petsc.copy(), mass.petsc.copy()
        coupling.scale(z.imag)
        other.scale(-z.imag)
        nest = PETSc.Mat().createNest([[diagonal, coupling], [other, diagonal]], comm=a.petsc.getComm())
        flat = nest.convert("aij", PETSc.Mat())
        self._factor = Factor(flat, options)
        self.seconds = self._factor.seconds
        for m in (nest, flat, diagonal, coupling, other):
            m.destroy()

    @property
    def memory(self) -> float:
        """Return about how many bytes the factors take. Collective."""
        return self._factor.memory

    def solve(self, b: Vector) -> Vector:
        """Return the solution for a complex right-hand side (owned,). Collective."""
        return self._joined(self._factor.solve(np.concatenate([np.real(b), np.imag(b)])))

    def solve_transposed(self, b: Vector) -> Vector:
        """Return the solution with the transposed matrix. Collective."""
        # The transposed real matrix stands for the conjugate of z.
        return self._joined(self._factor.solve_transposed(np.concatenate([np.real(b), -np.imag(b)]))).conj()

    def _joined(self, x: Array) -> Vector:
        return np.asarray(x[: self._n] + 1j * x[self._n :])

    def destroy(self) -> None:
        """Free the factors. Collective."""
        self._factor.destroy()


def assembled(form: fem.Form) -> SparseMatrix:
    """Return an assembled matrix. Collective."""
    matrix = fem_petsc.assemble_matrix(form)
    matrix.assemble()
    return SparseMatrix(matrix)


type Flow = Callable[[slice, Array], Array]
"""Takes a range of quadrature points and gradients there (n, 3), returns the velocities they make (n, 3)."""


class Cells(Protocol):
    """Cells of a surface of finite elements, as assembly sees them."""

    cells: int

    @property
    def measure(self) -> Array:
        """Weights of the quadrature points (n,)."""
        ...

    @property
    def of_cells(self) -> NDArray[np.int32]:
        """Degrees of freedom of this rank's own cells (cells, n)."""
        ...

    @property
    def unit_form(self) -> fem.Form:
        """A form with the sparsity of all matrices."""
        ...

    def tables(self, cells: slice) -> tuple[Array, Array, Array]:
        """Basis functions, their derivatives on the reference cell, and what lifts these onto the sphere."""
        ...


def balanced(surface: Cells, flow: Flow, rest: Array, weight: Array, rows: Array, *, transposed: bool) -> SparseMatrix:
    """Return the matrix of -(current of w, grad phi), each row relative to its own weight. Collective.

    Parameters
    ----------
    flow
        Velocity that a gradient of w makes.
    rest
        Velocity beside, at the quadrature points (n, 3).
    weight
        At the quadrature points, relative to the largest one of the cell (n,).
    rows
        Factors on the rows of each cell's matrix (cells, n).
    transposed
        Make the matrix of the adjoint equation.
    """
    matrix = fem_petsc.create_matrix(surface.unit_form)
    for k in range(0, surface.cells, _CHUNK):
        part = slice(k, min(k + _CHUNK, surface.cells))
        basis, slopes, lift = surface.tables(part)
        cells, count, _, dim = lift.shape
        at = slice(part.start * count, part.stop * count)
        # The current that a gradient along each derivative on the reference cell makes.
        flows = np.stack([flow(at, lift[..., i].reshape(-1, 3)) for i in range(dim)], axis=-1)
        flows = np.einsum("cqid,cqie->cqde", lift, flows.reshape(cells, count, 3, dim))
        drift = np.einsum("cqid,cqi->cqd", lift, rest[at].reshape(cells, count, 3))
        current = np.einsum("cqde,qje->cqdj", flows, slopes) + drift[..., None] * basis[None, :, None, :]
        current *= -(surface.measure[at] * weight[at]).reshape(cells, count, 1, 1)
        test = np.moveaxis(slopes, 1, 0).reshape(basis.shape[1], -1)
        local = test @ current.reshape(cells, -1, basis.shape[1])
        if transposed:
            local = local.swapaxes(1, 2)
        local = np.ascontiguousarray(local * rows[part, :, None])
        dofs = np.ascontiguousarray(surface.of_cells[part], dtype=np.int32)
        matrix.setValuesLocalRCV(dofs, dofs, local, addv=PETSc.InsertMode.ADD_VALUES)
    matrix.assemble()
    return SparseMatrix(matrix)
