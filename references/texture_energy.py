"""Energies of textures by NumPy alone, from the gradients and volumes of a grid, for comparison with derived forms."""

import numpy as np


def energy(grid, m, exchange=0.0, easy=(0.0, (0, 0, 1)), hard=(0.0, (0, 0, 1))):
    """Return exchange and anisotropies, K (1 - (m.e)^2) + K_h (m.h)^2 summed over nodes."""
    gradient = grid.gradient(grid.seen(m))
    bent = exchange * grid.volumes * np.einsum("cia,cia->c", gradient, gradient)
    (k, e), (kh, h) = easy, hard
    local = k * (1 - (m @ np.asarray(e)) ** 2) + kh * (m @ np.asarray(h)) ** 2
    return float(grid.totals(bent.sum() + (local * grid.weights[: grid.owned]).sum())[0])


def field(grid, m, ms, exchange=0.0, easy=(0.0, (0, 0, 1)), hard=(0.0, (0, 0, 1))):
    """Return its derivative by each node's m, over -Ms w."""
    gradient = grid.gradient(grid.seen(m))
    bent = np.matmul(grid.slopes, gradient) * (2 * exchange / ms * grid.volumes[:, None, None])
    (k, e), (kh, h) = easy, hard
    local = 2 / ms * (k * np.outer(e, e) - kh * np.outer(h, h))
    return m @ local - grid.gathered(bent) / grid.weights[: grid.owned, None]


def interfacial_dmi(grid, m, constant, normal):
    """Return D [(m.n) div m - (m.grad)(m.n)], integrated: m is linear in a cell and its gradient constant."""
    nodal, n = grid.seen(m), np.asarray(normal) / np.linalg.norm(normal)
    slope, mean = grid.gradient(nodal), grid.mean(nodal)  # slope[c, j, i] = d_j m_i
    density = (mean @ n) * np.einsum("cii->c", slope) - np.einsum("i,cji,cj->c", n, slope, mean)
    return constant * grid.total(grid.volumes * density)


def bulk_dmi(grid, m, constant):
    """Return D m.curl m, integrated."""
    nodal = grid.seen(m)
    slope, mean = grid.gradient(nodal), grid.mean(nodal)
    permutation = np.zeros((3, 3, 3))
    permutation[[0, 1, 2], [1, 2, 0], [2, 0, 1]], permutation[[0, 2, 1], [2, 1, 0], [1, 0, 2]] = 1.0, -1.0
    return constant * grid.total(grid.volumes * np.einsum("kij,cij,ck->c", permutation, slope, mean))
