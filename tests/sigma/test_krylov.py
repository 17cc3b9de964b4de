"""Exponentials from a shift-invert Krylov space, against exact ones."""

import numpy as np
import pytest
import scipy.linalg
from mpi4py import MPI

from fespin.sigma.krylov import Arnoldi, exponential


def space_of(matrix, start, gamma, size):
    """The space of (1 + gamma A)^-1 and a start, of so many vectors."""
    shifted = np.linalg.inv(np.eye(len(matrix)) + gamma * matrix)
    space = Arnoldi(MPI.COMM_SELF, lambda v: shifted @ v, lambda v: v, start, size)
    space.extend(size)
    return space


@pytest.mark.parametrize("coupling", [0.0, 3.0])
def test_modes_that_are_gone_at_once(coupling):
    """A mode of rate 1e22, whose eigenvalue is below rounding, leaves the slow ones as they are."""
    rng = np.random.default_rng(3)
    rates = np.array([94.0, 150.0, 700.0, 1e22])
    turn = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    inner = np.diag(rates) + coupling * np.diag([40.0, 90.0, 0.0], 1)
    start = turn @ np.array([1.0, 0.3, 0.2, 0.1])
    times = np.array([0.0, 1e-3, 7e-3, 0.1])
    slow = turn[:, :3]
    exact = np.array([slow @ scipy.linalg.expm(-t * inner[:3, :3]) @ np.array([1.0, 0.3, 0.2]) for t in times])
    exact[0] = start
    # The shifted matrix cannot be made by inversion here: its eigenvalue for the last mode is 1e-17.
    gamma = 3.5e-4
    small = np.zeros((4, 4))
    small[:3, :3] = np.linalg.inv(np.eye(3) + gamma * inner[:3, :3])
    small[3, 3] = 1 / (1 + gamma * rates[3])
    whole = turn @ small @ turn.T
    space = Arnoldi(MPI.COMM_SELF, lambda v: whole @ v, lambda v: v, start, 4)
    space.extend(4)
    found = exponential(space, gamma, times, space.size) @ space.V[: space.size]
    assert found == pytest.approx(exact, rel=1e-10, abs=1e-12)


def test_modes_that_coincide():
    """Three equal rates with a single direction between them, which no eigenvectors span, beside a fast mode."""
    rate, gamma = 2.0, 0.05
    chain = rate * np.eye(3) + np.diag([1.0, 1.0], 1)
    matrix = scipy.linalg.block_diag(chain, [[1e15]])
    matrix[0, 3] = 1e14
    turn = np.linalg.qr(np.random.default_rng(5).standard_normal((4, 4)))[0]
    start = np.array([0.3, -0.2, 1.0, 0.5])
    times = np.array([0.0, 0.1, 1.0, 3.0])
    # The fast mode is gone at once, and has moved the first one by a tenth of itself.
    settled = start[:3] - np.array([0.1 * start[3], 0, 0])
    exact = np.array([turn[:, :3] @ scipy.linalg.expm(-t * chain) @ settled for t in times])
    exact[0] = turn @ start
    small = np.linalg.solve(np.eye(4) + gamma * matrix, np.eye(4))
    whole = turn @ small @ turn.T
    space = Arnoldi(MPI.COMM_SELF, lambda v: whole @ v, lambda v: v, turn @ start, 4)
    space.extend(4)
    found = exponential(space, gamma, times, space.size) @ space.V[: space.size]
    assert found == pytest.approx(exact, abs=1e-5)


def test_space_of_a_rotation():
    """Rotations that decay, many of them, from few vectors."""
    blocks = [np.array([[1.0, w], [-w, 1.0]]) for w in (2.0, 5.0, 9.0)]
    matrix, start = scipy.linalg.block_diag(*blocks), np.arange(1.0, 7.0)
    times = np.array([0.1, 0.7, 2.0])
    space = space_of(matrix, start, 0.1, 6)
    found = exponential(space, 0.1, times, 6) @ space.V[:6]
    assert found == pytest.approx(np.array([scipy.linalg.expm(-t * matrix) @ start for t in times]), rel=1e-10)
