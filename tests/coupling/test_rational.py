"""Rational functions with one denominator: what they find, what they refuse, and the way out of them."""

import numpy as np
import pytest
from mpi4py import MPI
from numpy.polynomial.chebyshev import chebval
from samples.maps import device, problem_of

import fespin as fs
from fespin.coupling.angle_maps import through_angles
from fespin.coupling.rational import common_denominator, series

C = np.array([0.97, -0.83, 0.21, -0.36, 0.62, -0.1])
FINE = np.linspace(-1, 1, 101)


def functions(c):
    """Three functions of very different size with the poles -1.7 and 2.3."""
    below = (c + 1.7) * (2.3 - c)
    return np.stack([3 + c - 0.4 * c**2, 1e-9 * (0.2 - c), 5e6 * (c**2 + 0.1)], axis=1) / below[:, None]


def test_four_points_tell_everything():
    found = common_denominator(C[:4], functions(C[:4]))
    right = functions(FINE)
    assert np.abs(found(FINE) / right.max(axis=0) - right / right.max(axis=0)).max() < 1e-12
    assert found.misfit < 1e-13 and not found.has_poles
    made, cut = series(found, np.abs(right).max(axis=0), 1e-8)
    assert cut <= 1e-8
    for f, x in zip(made, right.T, strict=True):
        assert chebval(FINE, f.coef) == pytest.approx(x, rel=0, abs=2e-8 * np.abs(x).max())


def test_a_pole_inside_makes_the_denominator_simpler():
    """Nothing that a device answers has a pole: what noise makes of constants has none, either."""
    noise = 1e-9 * np.random.default_rng(2).normal(size=(4, 3))
    found = common_denominator(C[:4], np.array([2.0, -1.0, 3.0]) * (1 + noise))
    assert found is not None and not found.has_poles
    assert found(FINE) == pytest.approx(np.tile([2.0, -1.0, 3.0], (101, 1)), rel=1e-6)
    poles = 1 / (C[:4, None] - np.array([0.15, 0.15, 0.15]))
    assert all(not x.has_poles for x in [common_denominator(C[:4], poles)] if x is not None)


def answers(f):
    """Solves that give a conductance f of c, and an answer per voltage of 0.5 - c."""

    def solve(c):
        return np.stack([(0.5 - c) / f(c), 1 / f(c)], axis=1)

    return solve


@pytest.mark.parametrize(
    ("conductance", "fit", "most"),
    [(lambda c: 1 / (1.4 - c), "rational", 5), (lambda c: np.exp(0.3 * c), "polynomial", 15)],
)
def test_angles_until_new_ones_agree(conductance, fit, most):
    """Of ratios a fifth angle certifies four; other functions are polynomials through more."""
    solve = answers(conductance)
    found = through_angles(
        "map", solve, lambda v: np.abs(v).max(axis=0), 1e-9, MPI.COMM_SELF, per_current=(0,), resistance=1
    )
    assert found.fit == fit and found.angles <= most and found.error <= 1e-9
    right = solve(FINE)
    for f, x in zip(found.functions, right.T, strict=True):
        assert f(FINE) == pytest.approx(x, rel=0, abs=1e-8 * np.abs(x).max())


def test_maps_of_devices_are_rational():
    """Oblique, with mixing conductances that are complex and different on all faces: five angles."""
    for transverse in ("absorbed", "resolved"):
        found = fs.torque_map(problem_of(device(), transverse), "Py4", tolerance=1e-6, pumping=transverse == "absorbed")
        assert (found.fit, found.solves) == ("rational", 5)
        assert found.error < 1e-8
