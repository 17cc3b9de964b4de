"""Exact films: layers across z, spins as vectors, fields in the plane, spin Hall effect, anisotropy, turning magnets.

A layer has fields F, fluxes J along z and constant sources, and is integrated by matrix exponentials::

    J = -K F' + J0,    J' = -R (F - F0)

F is (phi, sx, sy, sz), or (phi, m.s) in a magnet that absorbs spins across its magnetization at its face.  With the
gradient -E in the plane, J0 has the parts of the fluxes along z that E drives: theta sigma z x E of spins (spin Hall
effect, positive for Pt), and a_zx sigma E of charge, sigma a the conductivity of a magnet with anisotropic resistance.
A magnet that turns with the angular velocity w holds F0 = (hbar/2e) w_perp.  Faces and ends are linear conditions
``A F + B J = c``.  SI units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

Array = NDArray[Any]
HALF = 1.054571817e-34 / (2 * 1.602176634e-19)  # hbar/2e (J s/C)


def unit(m: Sequence[float]) -> Array:
    return np.asarray(m, float) / np.linalg.norm(m)


def crossing(m: Array) -> Array:
    """Return the matrix of m x."""
    return np.array([[0, -m[2], m[1]], [m[2], 0, -m[0]], [-m[1], m[0], 0]], float)


@dataclass
class Film:
    """One layer.

    Attributes
    ----------
    embedding
        (phi, sx, sy, sz) from the layer's own fields.
    tensor
        sigma a (S/m), of charge.
    """

    thickness: float
    K: Array
    R: Array
    J0: Array
    F0: Array
    embedding: Array
    tensor: Array
    hall: float
    beta: float
    electric_field: Array
    m: Array | None = None
    held: Array = field(default_factory=lambda: np.zeros(4))

    def in_plane(self, drop: Array) -> Array:
        """Return the integral of the current density over the layer (A/m), from the change of F across it."""
        change = self.embedding @ drop
        along = 0.0 if self.m is None else self.beta * self.m @ change[1:]
        ohmic = self.tensor @ self.electric_field * self.thickness - self.tensor[:, 2] * (change[0] + along)
        # J_c,i = hall eps_iaj d_j s_a = -hall (z x ds/dz).
        return np.asarray(ohmic - self.hall * np.cross([0, 0, 1], change[1:]))


def normal(
    thickness: float, rho: float, length: float, theta: float = 0.0, electric_field: Sequence[float] = (0, 0)
) -> Film:
    sigma, e = 1 / rho, np.array([*electric_field, 0.0])
    source = np.concatenate([[0.0], theta * sigma * np.cross([0, 0, 1], e)])
    relaxation = np.diag([0, 1, 1, 1.0]) * sigma / length**2
    tensor = sigma * np.eye(3)
    return Film(thickness, sigma * np.eye(4), relaxation, source, np.zeros(4), np.eye(4), tensor, theta * sigma, 0.0, e)


def magnet(
    thickness: float,
    rho: float,
    beta: float,
    length: float,
    m: Sequence[float],
    *,
    across: float | None = None,
    dephasing: float = np.inf,
    precession: float = np.inf,
    anisotropy: float = 0.0,
    electric_field: Sequence[float] = (0, 0),
    turning: Sequence[float] = (0, 0, 0),
    absorbing: bool = False,
) -> Film:
    """Magnet whose transverse spins enter it, or are absorbed at its face; `anisotropy` = (rho_par - rho_perp)/rho."""
    u, sigma, e = unit(m), 1 / rho, np.array([*electric_field, 0.0])
    perp = sigma if across is None else across
    a = np.eye(3) / (1 - anisotropy / 3)
    a += (1 / (1 + 2 * anisotropy / 3) - 1 / (1 - anisotropy / 3)) * np.outer(u, u)
    P, Q, z = np.outer(u, u), np.eye(3) - np.outer(u, u), a[2, 2]
    K, R, J0 = np.zeros((4, 4)), np.zeros((4, 4)), np.zeros(4)
    K[0, 0] = sigma * z
    K[0, 1:] = K[1:, 0] = sigma * z * beta * u
    K[1:, 1:] = z * (sigma * P + perp * Q)
    R[1:, 1:] = sigma * (1 - beta**2) / length**2 * P + perp * Q / dephasing**2 - perp / precession**2 * crossing(u)
    J0[0] = sigma * (a @ e)[2]
    J0[1:] = beta * u * J0[0]
    held = np.concatenate([[0.0], HALF * (Q @ np.asarray(turning, float))])
    if not absorbing:
        return Film(thickness, K, R, J0, held, np.eye(4), sigma * a, 0.0, beta, e, u)
    E = np.zeros((4, 2))
    E[0, 0], E[1:, 1] = 1, u
    return Film(thickness, E.T @ K @ E, E.T @ R @ E, E.T @ J0, np.zeros(2), E, sigma * a, 0.0, beta, e, u, held)


def continuous(lower: Film, upper: Film) -> tuple[Array, ...]:
    n = len(lower.K)
    zero, one = np.zeros((n, n)), np.eye(n)
    stack = np.concatenate
    return stack([one, zero]), stack([zero, one]), stack([-one, zero]), stack([zero, -one]), np.zeros(2 * n)


def conductances(u: Array, up: float, down: float, mix: complex) -> Array:
    """Return G over (phi, s) of the metal's side less the magnet's."""
    P, G = np.outer(u, u), np.zeros((4, 4))
    G[0, 0] = up + down
    G[0, 1:] = G[1:, 0] = (up - down) * u
    G[1:, 1:] = (up + down) * P + 2 * mix.real * (np.eye(3) - P) + 2 * mix.imag * crossing(u)
    return G


def mixing(
    lower: Film, upper: Film, up: float, down: float, mix: complex, loss: tuple[float, float] = (0.0, 0.0)
) -> tuple[Array, ...]:
    """Face between a metal and a magnet that absorbs, in either order.

    `loss` is the spin-memory loss on the side of the metal and on that of the magnet (S/m2).
    """
    sign = 1 if lower.m is None else -1
    ferro = upper if sign == 1 else lower
    G, E, n = conductances(ferro.m, up, down, mix), ferro.embedding, len(ferro.K)
    stack = np.concatenate
    a_metal, b_metal = stack([G, E.T @ G]), stack([-sign * np.eye(4), np.zeros((n, 4))])
    a_ferro, b_ferro = stack([-G @ E, -E.T @ G @ E]), stack([np.zeros((4, n)), -sign * np.eye(n)])
    # The metal gives what passes and what is lost on its side; the magnet gets what passes less what is lost on its.
    a_metal[1:4, 1:4] += loss[0] * np.eye(3)
    a_ferro[5:, 1:] -= loss[1] * np.eye(n - 1)
    c = stack([G @ ferro.held, E.T @ G @ ferro.held])
    if sign == 1:
        return a_metal, b_metal, a_ferro, b_ferro, c
    return a_ferro, b_ferro, a_metal, b_metal, c


def barrier(lower: Film, upper: Film, g0: float, polarizations: tuple[float, float]) -> tuple[Array, ...]:
    """Tunnel barrier between two magnets: G0 M acts on the step of (phi, s), what turning magnets hold included.

    M = [[1 + p.q, (p + q)^T], [p + q, (1 - p.q) 1 + p q^T + q p^T]], p and q the polarizations times the directions.
    """
    assert lower.m is not None and upper.m is not None
    G = tunnelling(g0, polarizations[0] * lower.m, polarizations[1] * upper.m)
    n, k = len(lower.K), len(upper.K)
    own = [x.held if len(x.K) == 2 else np.zeros(4) for x in (lower, upper)]
    E, stack = (lower.embedding, upper.embedding), np.concatenate
    step = G @ (own[0] - own[1])
    # What leaves below and what enters above, each along the fields that are there.
    a0, a1 = stack([E[0].T @ G @ E[0], E[1].T @ G @ E[0]]), stack([-E[0].T @ G @ E[1], -E[1].T @ G @ E[1]])
    b0, b1 = stack([-np.eye(n), np.zeros((k, n))]), stack([np.zeros((n, k)), -np.eye(k)])
    return a0, b0, a1, b1, -stack([E[0].T @ step, E[1].T @ step])


def tunnelling(g0: float, p: Array, q: Array) -> Array:
    """Return G0 M of a barrier over (phi, sx, sy, sz) (S/m2)."""
    M = np.zeros((4, 4))
    M[0, 0] = 1 + p @ q
    M[0, 1:] = M[1:, 0] = p + q
    M[1:, 1:] = (1 - p @ q) * np.eye(3) + np.outer(p, q) + np.outer(q, p)
    return np.asarray(g0 * M)


def passing(
    lower: Film, upper: Film, up: float, down: float, mix: complex, loss: tuple[float, float] = (0.0, 0.0)
) -> tuple[Array, ...]:
    """Face between a metal and a magnet through which transverse spins pass, in either order.

    `loss` is the spin-memory loss below and above (S/m2).
    """
    u = upper.m if lower.m is None else lower.m
    assert u is not None
    G, zero, stack = conductances(u, up, down, mix), np.zeros((4, 4)), np.concatenate
    below, above = (g * np.diag([0, 1, 1, 1.0]) for g in loss)
    a0, a1 = stack([G + below, G]), stack([-G, -G - above])
    return a0, stack([-np.eye(4), zero]), a1, stack([zero, -np.eye(4)]), np.zeros(8)


def reservoir(layer: Film, voltage: float) -> tuple[Array, Array, Array]:
    """End at a voltage without spin accumulation."""
    n = len(layer.K)
    return np.eye(n), np.zeros((n, n)), np.concatenate([[voltage], np.zeros(n - 1)])


def blocked(layer: Film, voltage: float | None = None) -> tuple[Array, Array, Array]:
    """End without spin current, and without charge current unless there is a voltage."""
    n = len(layer.K)
    A, B, c = np.zeros((n, n)), np.eye(n), np.zeros(n)
    if voltage is not None:
        A[0, 0], B[0, 0], c[0] = 1, 0, voltage
    return A, B, c


@dataclass
class Solved:
    """Fields and fluxes at the lower and upper face of each layer."""

    layers: Sequence[Film]
    F: list[tuple[Array, Array]]
    J: list[tuple[Array, Array]]

    def in_plane(self, i: int) -> Array:
        return self.layers[i].in_plane(self.F[i][1] - self.F[i][0])

    def torque(self, i: int, faces: dict[int, tuple[float, float, complex]] | None = None) -> Array:
        """Return the torque on a magnet (J/m2); `faces`: of an absorbing one, {neighbour: conductances}."""
        ferro = self.layers[i]
        if faces is None:
            flux = (self.J[i][0] - self.J[i][1])[1:]
        else:
            flux = np.zeros(3)
            for j, g in faces.items():
                side = 1 if j < i else 0
                step = self.F[j][side] - ferro.embedding @ self.F[i][1 - side] - ferro.held
                flux += (conductances(ferro.m, *g) @ step)[1:]
        return np.asarray(HALF * (flux - ferro.m * (ferro.m @ flux)))


def solve(layers: Sequence[Film], faces: Sequence[tuple[Array, ...]], lower: Any, upper: Any) -> Solved:
    """Solve the linear system over the nodes of all layers."""
    steps, starts, total = [], [], 0
    for x in layers:
        k = len(x.K)
        decay = np.sqrt(np.max(np.abs(np.linalg.eigvals(np.linalg.solve(x.K, x.R)))))
        count = max(2, int(np.ceil(2 * x.thickness * decay)))
        h = x.thickness / count
        scale, inverse = np.trace(x.K) / k / h, np.linalg.inv(x.K)
        G = np.zeros((2 * k + 1, 2 * k + 1))
        G[:k, k : 2 * k], G[:k, -1] = -inverse * scale, inverse @ x.J0
        G[k : 2 * k, :k], G[k : 2 * k, -1] = -x.R / scale, x.R @ x.F0 / scale
        steps.append((k, count, expm(G * h), scale))
        starts.append(total)
        total += (count + 1) * 2 * k
    A, b, row = np.zeros((total, total)), np.zeros(total), 0
    for (k, count, T, _), start in zip(steps, starts, strict=True):
        for j in range(count):
            at = start + j * 2 * k
            A[row : row + 2 * k, at : at + 2 * k] = -T[:-1, :-1]
            A[row : row + 2 * k, at + 2 * k : at + 4 * k] = np.eye(2 * k)
            b[row : row + 2 * k] = T[:-1, -1]
            row += 2 * k

    def place(rows: slice, i: int, node: int, a: Array, bb: Array) -> None:
        k, _, _, scale = steps[i]
        at = starts[i] + node * 2 * k
        A[rows, at : at + k] += a
        A[rows, at + k : at + 2 * k] += bb * scale

    for i, node, (a, bb, c) in ((0, 0, lower), (len(steps) - 1, steps[-1][1], upper)):
        rows = slice(row, row + len(c))
        place(rows, i, node, a, bb)
        b[rows], row = c, row + len(c)
    for i, (a0, b0, a1, b1, c) in enumerate(faces):
        rows = slice(row, row + len(c))
        place(rows, i, steps[i][1], a0, b0)
        place(rows, i + 1, 0, a1, b1)
        b[rows], row = c, row + len(c)
    assert row == total
    by_row = np.abs(A).max(axis=1)
    A, b = A / by_row[:, None], b / by_row
    by_column = np.abs(A).max(axis=0)
    A = A / by_column
    x = np.linalg.solve(A, b)
    x += np.linalg.solve(A, b - A @ x)
    x /= by_column
    F, J = [], []
    for (k, count, _, scale), start in zip(steps, starts, strict=True):
        nodes = x[start : start + (count + 1) * 2 * k].reshape(count + 1, 2 * k)
        F.append((nodes[0, :k], nodes[-1, :k]))
        J.append((nodes[0, k:] * scale, nodes[-1, k:] * scale))
    return Solved(layers, F, J)
