"""Demagnetizing factors against closed forms, charges integrated by brute force, and tables."""

import itertools
import math
import subprocess
import sys

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fespin.energy.demagnetization import ellipsoid_factors, elliptic_cylinder_factors, rectangular_prism_factors
from fespin.errors import InputError

SHAPES = [
    (ellipsoid_factors, "ellipsoid", ("a", "b", "c")),
    (elliptic_cylinder_factors, "elliptic cylinder", ("a", "b", "thickness")),
    (rectangular_prism_factors, "rectangular prism", ("lx", "ly", "lz")),
]
EVERY_SHAPE = pytest.mark.parametrize("factors", [shape[0] for shape in SHAPES])
lengths = st.floats(-10, -6).map(lambda x: 10**x)


def close(factors, expected, rel=1e-13):
    assert np.asarray(factors, dtype=float) == pytest.approx(np.array([float(x) for x in expected]), rel=rel, abs=0)


class TestEveryShape:
    @EVERY_SHAPE
    @settings(max_examples=60, deadline=None)
    @given(x=lengths, y=lengths, z=lengths)
    def test_positive_sum_one_and_scale_free(self, factors, x, y, z):
        n = factors(x, y, z)
        assert all(type(value) is float and 0 < value < 1 for value in n)
        assert sum(n) == pytest.approx(1, abs=1e-14)
        close(factors(3e7 * x, 3e7 * y, 3e7 * z), n)
        # The longer of two like axes has the smaller factor.
        assert x == y or (x < y) == (n[0] > n[1]) or n[0] == pytest.approx(n[1], rel=1e-14)

    @EVERY_SHAPE
    def test_axes_keep_their_names(self, factors):
        n = factors(1.0, 4.0, 0.3)
        close(factors(4.0, 1.0, 0.3), (n[1], n[0], n[2]))
        if factors is not elliptic_cylinder_factors:
            for order in itertools.permutations(range(3)):
                close(factors(*(np.array([1.0, 4.0, 0.3])[list(order)])), np.array(n)[list(order)])

    @EVERY_SHAPE
    def test_continuous_where_axes_are_equal(self, factors):
        for x, y, z in ((1.0, 1.0, 1.0), (1.0, 1.0, 0.01), (1.0, 1.0, 30.0)):
            close(factors(x, y * (1 + 1e-13), z), factors(x, y, z), rel=1e-12)

    @EVERY_SHAPE
    def test_thin_film_and_long_wire(self, factors):
        assert factors(1.0, 1.0, 1e-8) == pytest.approx((0, 0, 1), abs=1e-6)
        assert factors(1e-8, 1e-8, 1.0) == pytest.approx((0.5, 0.5, 0), abs=1e-7)
        assert factors(1.0, 1e-8, 1.0) == pytest.approx((0, 1, 0), abs=1e-6)

    @pytest.mark.parametrize("factors, owner, names", SHAPES)
    @pytest.mark.parametrize(
        "bad", [0, 0.0, -1e-9, math.nan, math.inf, -math.inf, "5e-9", None, 1j, 10**400, np.ones((20, 20))]
    )
    def test_bad_lengths_are_named(self, factors, owner, names, bad):
        for i, name in enumerate(names):
            with pytest.raises(InputError, match=f"^{owner}: {name} is .*; it must be a number, finite and") as raised:
                factors(*(bad if j == i else 5e-9 for j in range(3)))
            assert "\n" not in str(raised.value)

    @pytest.mark.parametrize("factors, owner, names", SHAPES)
    def test_another_unit_is_suspected(self, factors, owner, names):
        expected = f"^{owner}: {names[1]} is 50 m and {names[2]} is 5e-09 m; the ratio may be up to 1e9$"
        with pytest.raises(InputError, match=expected):
            factors(1e-3, 50, 5e-9)

    def test_any_real_number_and_any_magnitude(self):
        for shape, _, _ in SHAPES:
            close(shape(np.float32(2), np.int64(3), 4), shape(2.0, 3.0, 4.0))
            close(shape(2e-300, 3e-300, 4e-300), shape(2.0, 3.0, 4.0))
            close(shape(2e300, 3e300, 4e300), shape(2.0, 3.0, 4.0))

    def test_import_waits_for_nothing(self):
        code = (
            "import sys, fespin.energy.demagnetization as _; "
            "print([m for m in ('scipy', 'dolfinx') if m in sys.modules])"
        )
        process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert process.stdout.strip() == "[]"


class TestEllipsoid:
    def test_sphere(self):
        close(ellipsoid_factors(7e-9, 7e-9, 7e-9), (1 / 3, 1 / 3, 1 / 3))

    @pytest.mark.parametrize("m", [1.01, 1.5, 10.0, 1e4])
    def test_spheroids(self, m):
        with mp.workdps(40):
            m2, root = mp.mpf(m) ** 2, mp.sqrt(mp.mpf(m) ** 2 - 1)
            prolate = (m / (2 * root) * mp.log((m + root) / (m - root)) - 1) / (m2 - 1)
            oblate = m2 / (m2 - 1) * (1 - mp.asin(root / m) / root)
            close(ellipsoid_factors(1, 1, m), ((1 - prolate) / 2, (1 - prolate) / 2, prolate))
            close(ellipsoid_factors(m, m, 1), ((1 - oblate) / 2, (1 - oblate) / 2, oblate))

    @pytest.mark.parametrize("axes", [(1.0, 2.0, 3.0), (30.0, 5.0, 1.0), (1.0, 1e-2, 1e2)])
    def test_general_axes_against_the_integral(self, axes):
        """N_i = (abc/2) int ds / ((s + a_i^2) sqrt(...)), by the trapezoidal rule in ln s."""
        u = np.arange(-80, 80, 0.05)
        s, squares = np.exp(u), np.square(axes)
        common = np.prod(axes) / 2 * s / np.sqrt(np.prod([s + q for q in squares], axis=0))
        close(ellipsoid_factors(*axes), [0.05 * np.sum(common / (s + q)) for q in squares])

    def test_osborn_principal_case(self):
        """Osborn's incomplete elliptic integrals for a > b > c."""
        a, b, c = 5, 3, 2
        theta = mp.acos(mp.mpf(c) / a)
        k2 = mp.mpf(a**2 - b**2) / (a**2 - c**2)
        n_a = b * c / (a**2 * mp.sin(theta) ** 3 * k2) * (mp.ellipf(theta, k2) - mp.ellipe(theta, k2))
        assert ellipsoid_factors(a, b, c)[0] == pytest.approx(float(n_a), rel=1e-13)


def circular(thickness_over_radius):
    """N_z of a circular cylinder from complete elliptic integrals, with 40 digits."""
    with mp.workdps(40):
        p = mp.mpf(thickness_over_radius)
        k, kp = 2 / mp.sqrt(4 + p**2), p / mp.sqrt(4 + p**2)
        big_k, e = mp.ellipk(k**2), mp.ellipe(k**2)
        return 1 - 4 / (3 * mp.pi * kp) * ((kp / k) ** 2 * (big_k - e) + e - k)


def side_charges(a, b, t):
    """N_x and N_y of an elliptic cylinder from the Coulomb energy of the charges on its side.

    Two line elements at the distance r, each t high: int int dz dz' / sqrt(r^2 + (z - z')^2) in closed form;
    then a double integral over the angles beta +- alpha/2, graded towards the logarithm at alpha = 0.
    """
    v, w = np.polynomial.legendre.leggauss(80)
    v, w = (v + 1) / 2, w / 2
    alpha, w = math.pi * v**4, w * 4 * math.pi * v**3
    n = 400
    beta = (np.arange(n) * 2 * math.pi / n)[:, None]
    r = 2 * np.sin(alpha / 2) * np.hypot(a * np.sin(beta), b * np.cos(beta))
    pair = 2 * (t * np.arcsinh(t / r) - np.hypot(r, t) + r) * w * 2 * (2 * math.pi / n) / (4 * math.pi**2 * a * b * t)
    # n_x dl = b cos(theta) d(theta), n_y dl = a sin(theta) d(theta)
    return (
        float(np.sum(pair * b**2 * (np.cos(2 * beta) + np.cos(alpha)) / 2)),
        float(np.sum(pair * a**2 * (np.cos(alpha) - np.cos(2 * beta)) / 2)),
    )


def face_charges(a, b, t):
    """N_z from the Coulomb energy of the charged faces: an integral over the distance of two points.

    The weight is the overlap of the ellipse with itself, shifted: that of unit discs, scaled by a and b.
    """
    v, w = np.polynomial.legendre.leggauss(200)
    v, w = (v + 1) / 2, w / 2
    angle, w = math.pi / 2 * v**2, w * math.pi * v
    rho, w = 2 * np.sin(angle), w * 2 * np.cos(angle)
    overlap = math.pi - 2 * angle - np.sin(2 * angle)
    n = 400
    psi = (np.arange(n) * 2 * math.pi / n)[:, None]
    r = rho * np.hypot(a * np.cos(psi), b * np.sin(psi))
    charge = overlap * rho * (1 / r - 1 / np.hypot(r, t)) * w * (2 * math.pi / n)
    return float(a * b / (2 * math.pi**2 * t) * np.sum(charge))


class TestEllipticCylinder:
    @pytest.mark.parametrize("p", [1e-6, 2e-3, 0.1, 1.0, 2.0, 7.999, 8.0, 30.0, 2e3, 1e6])
    def test_circular(self, p):
        n_z = circular(p)
        close(elliptic_cylinder_factors(1.0, 1.0, p), ((1 - n_z) / 2, (1 - n_z) / 2, n_z), rel=1e-14)
        # Not equal enough for the shortcut: through the average over the angle.
        close(elliptic_cylinder_factors(1.0, 1 + 1e-15, p), ((1 - n_z) / 2, (1 - n_z) / 2, n_z), rel=1e-13)

    @pytest.mark.parametrize("diameter, coefficient", [(0.5, 0.818136), (1, 0.688423), (2, 0.525510), (5, 0.319825)])
    def test_nagaoka_table(self, diameter, coefficient):
        """1 - N_z is the coefficient of a solenoid as long as the cylinder, tabulated by Nagaoka (1909)."""
        n_z = elliptic_cylinder_factors(diameter / 2, diameter / 2, 1.0)[2]
        assert 1 - n_z == pytest.approx(coefficient, abs=1e-6)

    @pytest.mark.parametrize(
        "a, b, t",
        [(1.0, 1.0, 1.0), (1.0, 2.0, 1.0), (5.0, 1.0, 0.3), (1.0, 5.0, 20.0), (1.0, 0.1, 0.1), (65.0, 40.0, 3.0)],
    )
    def test_against_surface_charges(self, a, b, t):
        close(elliptic_cylinder_factors(a, b, t), (*side_charges(a, b, t), face_charges(a, b, t)), rel=1e-9)

    @pytest.mark.parametrize("a, b, p", [(1.0, 20.0, 2e-3), (20.0, 1.0, 0.04), (1.0, 0.05, 2e3)])
    def test_extremes_against_an_adaptive_average(self, a, b, p):
        """The same average over phi, with other means: mpmath's elliptic integrals and tanh-sinh rule."""
        turn = mp.atan(mp.mpf(b) / a)

        def s(phi):
            return mp.hypot(mp.cos(phi) / a, mp.sin(phi) / b)

        def average(integrand):
            ends = [0, turn / 4, turn, (turn + mp.pi / 2) / 2, mp.pi / 2]
            return 2 / mp.pi * mp.quad(integrand, ends, maxdegree=5)

        expected = (
            average(lambda phi: (1 - circular(p * s(phi))) * (mp.cos(phi) / (a * s(phi))) ** 2),
            average(lambda phi: (1 - circular(p * s(phi))) * (mp.sin(phi) / (b * s(phi))) ** 2),
            average(lambda phi: circular(p * s(phi))),
        )
        close(elliptic_cylinder_factors(a, b, p), expected)

    def test_infinite_elliptic_cylinder(self):
        assert elliptic_cylinder_factors(3.0, 1.0, 1e8) == pytest.approx((0.25, 0.75, 0), abs=1e-7)


def aharoni(a, b, c):
    """N_z of a prism with the half edges a, b, c, Aharoni's equation (1), with 60 digits."""
    with mp.workdps(60):
        a, b, c = mp.mpf(a), mp.mpf(b), mp.mpf(c)
        r, ab, bc, ca = mp.sqrt(a**2 + b**2 + c**2), mp.hypot(a, b), mp.hypot(b, c), mp.hypot(c, a)
        return (
            (b**2 - c**2) / (2 * b * c) * mp.log((r - a) / (r + a))
            + (a**2 - c**2) / (2 * a * c) * mp.log((r - b) / (r + b))
            + b / (2 * c) * mp.log((ab + a) / (ab - a))
            + a / (2 * c) * mp.log((ab + b) / (ab - b))
            + c / (2 * a) * mp.log((bc - b) / (bc + b))
            + c / (2 * b) * mp.log((ca - a) / (ca + a))
            + 2 * mp.atan(a * b / (c * r))
            + (a**3 + b**3 - 2 * c**3) / (3 * a * b * c)
            + (a**2 + b**2 - 2 * c**2) / (3 * a * b * c) * r
            + c / (a * b) * (ca + bc)
            - (ab**3 + bc**3 + ca**3) / (3 * a * b * c)
        ) / mp.pi


class TestRectangularPrism:
    def test_cube(self):
        close(rectangular_prism_factors(4e-9, 4e-9, 4e-9), (1 / 3, 1 / 3, 1 / 3))

    @pytest.mark.parametrize(
        "edges", [(1, 2, 3), (100, 50, 3), (1, 1, 10), (1, 1e-4, 1e-4), (1, 1, 1e-4), (1e4, 1, 1e-4), (1e9, 1, 3e4)]
    )
    def test_aharoni(self, edges):
        x, y, z = edges
        close(rectangular_prism_factors(x, y, z), (aharoni(y, z, x), aharoni(z, x, y), aharoni(x, y, z)))
