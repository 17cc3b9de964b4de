"""The spherical-harmonics reference, checked on its own: known spectra, signs and conservation."""

import json
import math

import numpy as np
import pytest
import scipy.linalg
from launch import ROOT

from references.harmonics import (
    Harmonics,
    add,
    axisymmetric_rate,
    biaxial,
    boltzmann,
    cubic,
    evaluate,
    field,
    generator,
    linear,
    oblique,
    scale,
    uniaxial,
)

SAVED = json.loads((ROOT / "references" / "harmonics.json").read_text(encoding="utf-8"))


def polynomial(rows):
    return {(i, j, k): value for i, j, k, value in rows}


def directions(n, seed=0):
    u = np.random.default_rng(seed).standard_normal((n, 3))
    return u / np.linalg.norm(u, axis=1)[:, None]


def cartesian(f, step):
    """Fourth-order differences of the extension f(x / |x|): on the sphere, the tangential gradient."""

    def extended(x):
        return f(x / np.linalg.norm(x, axis=1)[:, None])

    def gradient(u):
        parts = []
        for e in step * np.eye(3):
            parts.append(8 * (extended(u + e) - extended(u - e)) - extended(u + 2 * e) + extended(u - 2 * e))
        return np.stack(parts, axis=1) / (12 * step)

    return gradient


def test_free_diffusion():
    values = Harmonics(25, {}, None).eigenvalues(30)
    expected = np.concatenate([[n * (n + 1.0)] * (2 * n + 1) for n in range(6)])[:30]
    assert values == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("sigma", "rate"),
    [(1, 1.3062796687), (2, 0.8076818777), (5, 0.1354063297), (10, 2.882166669e-3), (20, 3.943312744e-7)],
)
def test_axisymmetric_rates(sigma, rate):
    assert axisymmetric_rate(sigma) == pytest.approx(rate, rel=5e-10)
    assert Harmonics(50, uniaxial(sigma), None).eigenvalues(2)[1] == pytest.approx(rate, rel=5e-10, abs=5e-14)
    # Precession about the axis leaves the axisymmetric mode alone; so does turning the axis.
    turned = Harmonics(50, uniaxial(sigma, (0.48, 0.6, 0.64)), 0.1).eigenvalues(2)[1]
    assert turned == pytest.approx(rate, rel=1e-9, abs=5e-13)


def test_generator_is_minus_div_j():
    """Compare L with differences of the current as the equation writes it, all terms at work."""
    v = add(biaxial(1.0, 0.7), field((0.3, -0.4, 0.5)), cubic(0.8))
    chi, phi, alpha = add(linear((0.5, 0.2, -1.1)), {(1, 1, 1): 0.6}), linear((-0.7, 0.4, 0.9)), 0.3
    solver = Harmonics(14, v, alpha, chi, phi)
    c = np.zeros(solver.size)
    c[:25] = np.random.default_rng(3).standard_normal(25)

    def current(u):
        grad = {
            key: cartesian(f, 1e-3)(u)
            for key, f in {
                "rho": lambda x: solver.density(c, x),
                "v": lambda x: evaluate(v, x),
                "chi": lambda x: evaluate(chi, x),
                "phi": lambda x: evaluate(phi, x),
            }.items()
        }
        rho = solver.density(c, u)[:, None]
        drift = -grad["v"] + np.cross(u, grad["v"]) / alpha + grad["chi"] + np.cross(u, grad["phi"])
        return -grad["rho"] + rho * drift

    points = directions(20)
    divergence = np.zeros(20)
    for k in range(3):
        divergence += cartesian(lambda x, k=k: current(x)[:, k], 2e-3)(points)[:, k]
    exact = solver.density(solver.generator @ c, points)
    assert np.abs(exact).max() > 10
    assert exact == pytest.approx(-divergence, abs=1e-7 * np.abs(exact).max())


def test_boltzmann_is_stationary_with_precession():
    v = add(uniaxial(5, (0.6, 0, 0.8)), field((1.0, 2.0, -0.5)), cubic(3))
    solver = Harmonics(50, v, 0.1)
    expected = solver.project(boltzmann(v))
    assert solver.steady() == pytest.approx(expected / solver.mass(expected), abs=1e-12)
    points = directions(50)
    assert solver.density(expected, points) == pytest.approx(boltzmann(v)(points), rel=1e-9)
    assert abs(solver.generator @ expected).max() < 1e-9 * abs(solver.generator).max() * abs(expected).max()


def test_mass_is_conserved_exactly():
    solver = Harmonics(20, oblique(6, 0.2, 50), 0.1, linear((3, 0, 1)), linear((0, 2, 1)))
    assert solver.generator[0].nnz == 0
    c = solver.project(lambda u: np.exp(3 * u[:, 0] + u[:, 1]))
    later = solver.evolve(c, [0.1, 0.7])
    assert later[:, 0] == pytest.approx(c[0], rel=1e-14)


def test_precession_follows_the_drift():
    """A field along z turns the mean of u as du/ds = -grad v + (u x grad v) / alpha does: right-handed about it."""
    b, alpha, time = 1.5, 0.2, 0.13
    solver = Harmonics(30, field((0, 0, b)), alpha)
    c = solver.project(lambda u: np.exp(8 * u[:, 0]))
    mean = solver.mean(solver.evolve(c / solver.mass(c), [time])[0])
    u, steps = np.array([1.0, 0.0, 0.0]), 400

    def drift(u):
        grad = -b * (np.array([0, 0, 1.0]) - u[2] * u)
        return -grad + np.cross(u, grad) / alpha

    for _ in range(steps):
        step = time / steps
        k1 = drift(u)
        k2 = drift(u + step / 2 * k1)
        k3 = drift(u + step / 2 * k2)
        u = u + step / 6 * (k1 + 2 * k2 + 2 * k3 + drift(u + step * k3))
    turned = math.atan2(mean[1], mean[0])
    assert turned == pytest.approx(math.atan2(u[1], u[0]), abs=1e-8)
    assert turned == pytest.approx(b * time / alpha, abs=1e-10)
    assert mean[2] > 0


def test_chi_drives_along_and_phi_turns():
    p, strength = np.array([0.48, -0.6, 0.64]), 3.0
    solver = Harmonics(30, {}, None, chi=linear(strength * p))
    steady = solver.steady()
    assert solver.mean(steady) == pytest.approx((1 / math.tanh(strength) - 1 / strength) * p, abs=1e-13)
    assert solver.hemisphere(p) @ steady == pytest.approx(1 / (1 + math.exp(-strength)), abs=1e-12)
    turning = Harmonics(30, {}, None, phi=linear((0, 0, 2.0)))
    c = turning.project(lambda u: np.exp(4 * u[:, 0]))
    mean = turning.mean(turning.evolve(c, [0.2])[0])
    assert math.atan2(mean[1], mean[0]) == pytest.approx(-0.4, abs=1e-12)
    assert turning.mean(turning.steady()) == pytest.approx(np.zeros(3), abs=1e-15)


def test_functionals_agree_with_quadrature():
    axis, k = np.array([0.36, 0.48, 0.8]), np.array([1.0, -2.0, 0.5])
    solver = Harmonics(40, {}, None)
    c = solver.project(lambda u: np.exp(u @ k))
    size = np.linalg.norm(k)
    assert solver.mass(c) == pytest.approx(4 * math.pi * math.sinh(size) / size, rel=1e-13)
    x, w = np.polynomial.legendre.leggauss(60)
    angle = 2 * math.pi * np.arange(120) / 120
    side = np.linalg.svd(axis[None])[2][1:]
    z, s = 0.5 + 0.5 * x, np.sqrt(1 - (0.5 + 0.5 * x) ** 2)
    u = z[:, None, None] * axis + s[:, None, None] * (
        np.cos(angle)[:, None] * side[0] + np.sin(angle)[:, None] * side[1]
    )
    half = np.sum(np.exp(u @ k) * w[:, None] / 2) * 2 * math.pi / 120
    assert solver.hemisphere(axis) @ c == pytest.approx(half, rel=1e-12)


def test_evolution_is_the_exponential():
    solver = Harmonics(16, oblique(3, 0.3, 60), 0.1, linear((0, 1, -6)), linear((0, 0.1, -0.6)))
    c = solver.project(lambda u: np.exp(4 * u[:, 2] + u[:, 0]))
    exact = scipy.linalg.expm(0.3 * solver.generator.toarray()) @ c
    assert solver.evolve(c, [0.1, 0.3])[1] == pytest.approx(exact, abs=1e-11 * abs(exact).max())
    # Turned by 5 turns about z, with free diffusion.
    free = Harmonics(16, {}, None, phi=linear((0, 0, 100 * math.pi)))
    l = np.repeat(np.arange(17), 2 * np.arange(17) + 1)  # noqa: E741
    assert free.evolve(c, [0.1])[0] == pytest.approx(np.exp(-0.1 * l * (l + 1)) * c, abs=1e-11 * abs(c).max())


def test_a_gauge_keeps_the_spectrum():
    """In terms of exp(v/2) rho the matrix is another one, symmetric but for precession."""
    v = oblique(8, 0.15, 30)
    symmetric = generator(40, v, None, gauge=scale(0.5, v))
    assert abs(symmetric - symmetric.T).max() < 1e-10
    start = np.random.default_rng(2).standard_normal(symmetric.shape[0])
    gauged = generator(40, v, 0.1, gauge=scale(0.5, v))
    values = scipy.sparse.linalg.eigs(gauged, k=4, sigma=0.05, v0=start, return_eigenvectors=False)
    expected = Harmonics(40, v, 0.1).eigenvalues(4)
    assert np.sort(-values.real) == pytest.approx(expected.real, abs=1e-8)


@pytest.mark.parametrize("row", SAVED["spectra"], ids=lambda row: f"alpha{row['alpha']}-h{row['h']}")
def test_saved_spectra(row):
    assert np.array(row["coarse"]) == pytest.approx(np.array(row["eigenvalues"]), rel=1e-9, abs=1e-9)
    coarse = row["alpha"] < 0.1
    values = Harmonics(80 if coarse else 40, polynomial(row["v"]), row["alpha"]).eigenvalues(5)[1:]
    expected = np.array(row["eigenvalues"]) @ [1, 1j]
    assert values == pytest.approx(expected, rel=1e-6 if coarse else 1e-9)


@pytest.mark.parametrize("row", SAVED["switching"], ids=lambda row: row["name"])
def test_saved_switching(row):
    assert row["coarse"] == pytest.approx(row["up"], rel=1e-6, abs=1e-12)
    assert 0.85 < row["up"][0] < 0.95 and row["up"][-1] < 1.2e-6
    if row["name"] == "oblique field":
        v, chi, phi = (polynomial(row[key]) for key in ("v", "chi", "phi"))
        quick, _ = Harmonics(56, v, row["alpha"], chi, phi).survival(v, row["times"])
        assert quick == pytest.approx(row["up"], abs=1e-7)
