"""Eigenvalues and eigenfunctions of the Fokker-Planck operator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse
import scipy.sparse.linalg
from numpy.typing import NDArray
from slepc4py import SLEPc

from ..energy.on_sphere import Array
from ..errors import SolverError
from ..petsc import factor_options, set_options, unique_prefix
from .krylov import Arnoldi, complex_mass
from .matrix import SparseMatrix, Vector
from .meridian import Meridian
from .operator import Operator

_KRYLOV = 60
# The target lies a little below zero: at zero the shifted operator would be singular.
_TARGET = -0.01

type Pairs = tuple[NDArray[np.complex128], list[Vector], Array]
"""Eigenvalues (n,), their vectors x (owned,) each, and relative residuals (n,)."""


def near_zero(operator: Operator, count: int) -> Pairs:
    """Return the eigenvalues of smallest magnitude by Krylov spaces with shift and invert. Collective.

    Raises
    ------
    SolverError
        If fewer than `count` converge.
    """
    if not isinstance(operator.A, SparseMatrix):
        return _near_zero_on_rings(operator, count)
    assert isinstance(operator.M, SparseMatrix)
    a, mass = operator.A.petsc, operator.M.petsc
    comm, prefix = a.getComm(), unique_prefix("spectrum")
    eps = SLEPc.EPS().create(comm)
    eps.setOperators(a, mass)
    eps.setProblemType(SLEPc.EPS.ProblemType.GNHEP)
    eps.setDimensions(count, max(2 * count + 10, 30))
    eps.setWhichEigenpairs(SLEPc.EPS.Which.TARGET_MAGNITUDE)
    eps.setTarget(_TARGET)
    eps.setTolerances(1e-11, 500)
    eps.setOptionsPrefix(prefix)
    transform = eps.getST()
    transform.setType(SLEPc.ST.Type.SINVERT)
    defaults = {f"st_{k}": v for k, v in factor_options(a, "petsc").items()}
    try:
        with set_options(prefix, defaults):
            eps.setFromOptions()
            eps.solve()
        converged = eps.getConverged()
        if converged < count:
            raise SolverError(
                f"sphere: only {converged} of {count} eigenvalues converged; try a finer mesh or a smaller count"
            )
        real, imaginary = a.createVecs()
        values, vectors = [], []
        for k in range(converged):
            values.append(complex(eps.getEigenpair(k, real, imaginary)))
            vectors.append(real.array + 1j * imaginary.array)
        real.destroy()
        imaginary.destroy()
    finally:
        eps.destroy()
    return np.array(values), vectors, residuals(operator, values, vectors)


def _near_zero_on_rings(operator: Operator, count: int) -> Pairs:
    """Return the eigenvalues of smallest magnitude by ARPACK, on one rank."""
    size = operator.surface.owned
    factor = operator.shifted(-_TARGET, 1.0)
    inverse = scipy.sparse.linalg.LinearOperator(
        (size, size), matvec=lambda x: factor.solve(operator.M.apply(np.ravel(x))), dtype=float
    )
    # The start must have parts of every symmetry.
    start = operator.scale * np.cos(np.arange(size) ** 1.5)
    try:
        found, columns = scipy.sparse.linalg.eigs(
            inverse, count, v0=start, ncv=min(max(2 * count + 10, 30), size), tol=1e-12, maxiter=500
        )
    except scipy.sparse.linalg.ArpackNoConvergence as error:
        raise SolverError(
            f"sphere: only {len(error.eigenvalues)} of {count} eigenvalues converged; try a smaller count"
        ) from error
    values, vectors = 1 / found + _TARGET, list(columns.T)
    return values, vectors, residuals(operator, values, vectors)


def near(operator: Operator, target: complex, count: int) -> Pairs:
    """Return the eigenvalues nearest to a complex target, by Arnoldi's method with shift and invert. Collective."""
    resolvent, mass = operator.A.shifted(operator.M, target, operator.options), complex_mass(operator)
    nodes = operator.surface.nodes
    # The start must have parts of every symmetry, or the modes of a symmetry that it lacks are not found.
    start = operator.scale * (0.3 + nodes @ np.array([1.0, 0.7j, 0.4]) + (nodes @ np.array([0.2, 0.9, 0.5j])) ** 2)
    most = max(_KRYLOV, 4 * count)
    pairs = _nearest(operator, resolvent.solve, mass, resolvent.solve(start), target, count, most)
    resolvent.destroy()
    values, vectors = [z for z, _ in pairs], [x for _, x in pairs]
    return np.array(values), vectors, residuals(operator, values, vectors)


def _nearest(
    operator: Operator,
    solve: Callable[[Vector], Vector],
    mass: Callable[[Vector], Vector],
    start: Vector,
    target: complex,
    count: int,
    most: int,
) -> list[tuple[complex, Vector]]:
    """Return the eigenvalues nearest to a target and their vectors, from solves with the shifted operator."""
    space = Arnoldi(operator.surface.comm, solve, mass, start, most)
    space.extend(most)
    ritz, coordinates = np.linalg.eig(space.H[: space.size, : space.size])
    best = np.argsort(-np.abs(ritz))[:count]
    return [(complex(target + 1 / ritz[k]), space.V[: space.size].T @ coordinates[:, k]) for k in best]


def residuals(operator: Operator, values: Sequence[complex], vectors: Sequence[Vector]) -> Array:
    """Return |A x - lambda M x| / (|A x| + |lambda M x|) of eigenpairs (n,). Collective."""
    comm, out = operator.surface.comm, []

    def norm(v: Vector) -> float:
        return float(np.sqrt(comm.allreduce(float(np.real(np.vdot(v, v))))))

    for value, x in zip(values, vectors, strict=True):
        a = operator.A.apply(x.real) + 1j * operator.A.apply(x.imag)
        m = value * (operator.M.apply(x.real) + 1j * operator.M.apply(x.imag))
        scale = norm(a) + norm(m) + 1e-300
        out.append(norm(a - m) / scale)
    return np.array(out)


type Mode = tuple[complex, int, Vector]
"""An eigenvalue, the azimuthal order, and the vector."""


def meridian_spectrum(operator: Operator, count: int) -> list[Mode]:
    """Return the modes of lowest real part of a symmetric problem.

    One dense eigenproblem for each order m = 0, +-1, +-2, ..., until no lower eigenvalue can come.
    """
    pencil = _pencil(operator)
    found: list[Mode] = []
    for m in range(200):
        a, b, keep = pencil(m)
        values, vectors = scipy.linalg.eig(a.toarray(), b.toarray())
        order = np.argsort(values.real)[:count]
        modes = [(complex(values[k]), m, _placed(vectors[:, k], keep, operator)) for k in order]
        # Modes of the order -m are the complex conjugates.
        twins = [(z.conjugate(), -m, x.conj()) for z, _, x in modes] if m else []
        found = sorted([*found, *modes, *twins], key=lambda f: (f[0].real, abs(f[0].imag), f[0].imag))[:count]
        if len(found) == count and values.real.min() > found[-1][0].real:
            break
    return found


def meridian_near(operator: Operator, target: complex, count: int) -> tuple[list[Mode], list[float]]:
    """Return the modes of a symmetric problem that are nearest to a target, and their relative residuals.

    Azimuthal orders 0, +-1, +-2, ... are gone through until three in a row bring nothing nearer.
    """
    pencil = _pencil(operator)
    found: list[tuple[Mode, float]] = []
    idle, m = 0, 0
    while idle < 3 and m < 100:
        before = [mode for mode, _ in found]
        for order in {m, -m}:
            a, b, keep = pencil(order)
            solve = scipy.sparse.linalg.splu(a - target * b).solve
            # The start must have no symmetry, or the modes of another symmetry are not found.
            start = solve(np.cos(np.arange(len(keep)) ** 1.5).astype(complex))
            most = min(_KRYLOV, len(keep) - 1)
            for z, x in _nearest(operator, solve, lambda v, b=b: b @ v, start, target, count, most):  # type: ignore[misc]
                left, right = a @ x, z * (b @ x)
                residual = np.linalg.norm(left - right) / (np.linalg.norm(left) + np.linalg.norm(right) + 1e-300)
                found.append(((z, order, _placed(x, keep, operator)), float(residual)))
        found = sorted(found, key=lambda f: abs(f[0][0] - target))[:count]
        changed = any(all(mode is not old for old in before) for mode, _ in found)
        idle, m = 0 if changed else idle + 1, m + 1
    return [mode for mode, _ in found], [residual for _, residual in found]


def _placed(values: Vector, keep: NDArray[np.int_], operator: Operator) -> Vector:
    x = np.zeros(operator.surface.owned, dtype=complex)
    x[keep] = values
    return x


def _pencil(operator: Operator) -> Callable[[int], tuple[Any, Any, NDArray[np.int_]]]:
    """Return a function of m: A and M of w exp(i m phi), sparse, and their degrees of freedom."""
    surface = operator.surface
    assert isinstance(surface, Meridian)
    u = surface.points
    kappa = operator.weight(u)
    slope = operator.potential(u)[1] if operator.weighted else 0 * u
    # The bracket with the weight and r turns as their gradients do.
    velocity = operator.reduced.velocity(u) + operator.reduced.dissipative(u, slope)
    velocity -= np.cross(u, operator.reduced.slope_of_swirl(u))
    spread = kappa if not operator.reduced.pumped else kappa[:, None, None] * operator.reduced.spin.mobility(u)[0]
    turning, winding = surface.azimuthal(spread, kappa[:, None] * velocity)
    scale = scipy.sparse.diags_array(1 / operator.scale)
    A, M, T, W = (_sparse(x) for x in (operator.A, operator.M, turning, winding))
    T, W = scale @ T @ scale, scale @ W @ scale
    turning.destroy()
    winding.destroy()
    inner = np.flatnonzero((surface.node_theta > 1e-12) & (surface.node_theta < np.pi - 1e-12))

    def of_order(m: int) -> tuple[Any, Any, NDArray[np.int_]]:
        keep = np.arange(A.shape[0]) if m == 0 else inner
        square = np.ix_(keep, keep)
        # The velocity carries w along phi: + i m per radian.
        return (A + m * m * T + 1j * m * W).tocsc()[square], M.tocsc()[square], keep

    return of_order


def _sparse(matrix: Any) -> Any:
    """Return a matrix of one rank as one of SciPy."""
    offsets, columns, values = matrix.petsc.getValuesCSR()
    return scipy.sparse.csr_array((values, columns, offsets), shape=matrix.petsc.getSize())


def merged(base: Pairs, others: Sequence[Pairs], count: int) -> Pairs:
    """Return the eigenvalues of lowest real part of several searches of a real operator."""
    values, vectors, errors = list(base[0]), list(base[1]), list(base[2])
    for search in others:
        known = list(values)  # from other searches; equal values within one search are a multiple eigenvalue
        for value, vector, error in zip(*search, strict=True):
            twin = abs(value.imag) > 1e-8 * abs(value)
            for v, x in ((value, vector), (np.conj(value), np.conj(vector)))[: 1 + twin]:
                if error < 1e-6 and all(abs(v - w) > 1e-6 * abs(v) for w in known):
                    values.append(v)
                    vectors.append(x)
                    errors.append(error)
    order = sorted(range(len(values)), key=lambda k: (values[k].real, abs(values[k].imag), values[k].imag))[:count]
    return np.array([values[k] for k in order]), [vectors[k] for k in order], np.array([errors[k] for k in order])
