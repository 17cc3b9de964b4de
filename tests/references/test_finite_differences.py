"""Finite differences of references/ against closed forms."""

import numpy as np
import pytest

from fespin.energy import rectangular_prism_factors
from references.finite_differences import MU0, Film, brick_sums, cross

GAMMA = 1.76e11


def test_dipolar_field():
    """A cube has 1/3, a long prism the closed form's factors; the tensor's trace; direct sums of dipoles."""
    cube = Film((6, 6, 6), (2e-9,) * 3, 8e5, 0.0, GAMMA, 0.1)
    for k in range(3):
        m = np.broadcast_to(np.eye(3)[k], (6, 6, 6, 3)).copy()
        assert cube.dipolar(m).mean(axis=(0, 1, 2)) == pytest.approx(-MU0 * 8e5 / 3 * np.eye(3)[k], abs=1e-10)
    film = Film((8, 5, 3), (1e-9, 2e-9, 1.5e-9), 1 / MU0, 0.0, GAMMA, 0.1)
    factors = [-film.dipolar(np.broadcast_to(e, (8, 5, 3, 3)).copy())[..., k].mean() for k, e in enumerate(np.eye(3))]
    assert factors == pytest.approx(rectangular_prism_factors(8, 10, 4.5), abs=1e-10)
    along = np.array([0.48, -0.6, 0.64])
    small = Film((5, 4, 3), (1e-9,) * 3, 1 / MU0, 0.0, GAMMA, 0.1)
    field = small.dipolar(np.broadcast_to(along, (5, 4, 3, 3)).copy()).mean(axis=(0, 1, 2))
    assert field == pytest.approx(brick_sums((5, 4, 3), (1e-9,) * 3, along) - along / 3, abs=0.03)


def test_rate():
    """It solves Gilbert's equation with both torques of the current."""
    film = Film((9, 5, 2), (2e-9, 3e-9, 4e-9), 8e5, 1.3e-11, GAMMA, 0.3)
    m = np.random.default_rng(1).normal(size=(9, 5, 2, 3))
    m /= np.linalg.norm(m, axis=-1, keepdims=True)
    drift, beta = (70.0, -40.0, 0.0), 0.2
    rate, g = film.rate(m, drift, beta), film.along(m, drift)
    g -= (g * m).sum(-1, keepdims=True) * m
    field = film.bent(m) + film.dipolar(m)
    left = rate - (film.damping * cross(m, rate) - GAMMA * cross(m, field) - g + beta * cross(m, g))
    left -= (left * m).sum(-1, keepdims=True) * m
    assert np.abs(left).max() < 1e-12 * np.abs(rate).max()


def test_exchange_and_time():
    """A spin wave across a film, without dipolar field: its frequency, and its decay by the damping."""
    n, length = 40, 40e-9
    film = Film((n, 1, 1), (length / n, 1e-9, 1e-9), 8e5, 1.3e-11, GAMMA, 0.05)
    film.dipolar = np.zeros_like
    k = 2 * np.pi / length
    x = (np.arange(n) + 0.5) * length / n
    m = np.zeros((n, 1, 1, 3))
    m[:, 0, 0, 0], m[..., 2] = 1e-3 * np.cos(k * x), 1.0
    m /= np.linalg.norm(m, axis=-1, keepdims=True)
    omega = GAMMA * film.stiffness * k**2 * (np.sin(k * length / n / 2) / (k * length / n / 2)) ** 2
    times, _, last = film.run(m, 2 * np.pi / omega, tolerance=1e-8)
    turned = omega * times[-1] / (1 + 0.05**2)
    size = 1e-3 * np.exp(-0.05 * turned)
    assert last[:, 0, 0, 0] == pytest.approx(size * np.cos(turned) * np.cos(k * x), abs=2e-6)
    assert np.abs(last[:, 0, 0, 1]).max() == pytest.approx(abs(size * np.sin(turned)), abs=1e-5)
