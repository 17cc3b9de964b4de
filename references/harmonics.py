"""Brown's Fokker-Planck equation on the unit sphere by spherical harmonics, for checks.

    d rho/ds = -div J,   J = -grad rho + rho w,   w = grad(chi - v) + u x grad(v/alpha + phi)

u is a unit vector, s the reduced time and v, chi, phi are polynomials of u's components, given as
{(i, j, k): coefficient of ux^i uy^j uz^k}, energies in kT. Nothing of the project is used. Densities
are expanded in real orthonormal harmonics S_lm, numbered l^2 + l + m (m > 0: cos m phi, m < 0: sin |m| phi).
With the rotations R = u x grad, whose matrices are exact and keep l, and
div F = R.(u x F) of a tangential F, the generator is

    L = R.R - R.[R a] + R.[grad b],    a = chi - v,   b = v/alpha + phi,

where [f] multiplies by the polynomial f, a polynomial of the exact matrices of ux, uy and uz. There is
no quadrature, and the only approximation is the cut at lmax: products are formed with a margin in l.
"""

# ruff: noqa: E741 - l is the degree
import json
import math
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import scipy.linalg as dense
import scipy.sparse as sparse
from scipy.sparse.linalg import eigs, expm_multiply, splu

Poly = dict[tuple[int, int, int], float]
Maybe = Poly | None


def add(*polynomials: Maybe) -> Poly:
    """Sum polynomials; None counts as zero, terms of coefficient zero are left out."""
    total: Poly = {}
    for polynomial in polynomials:
        for powers, value in (polynomial or {}).items():
            total[powers] = total.get(powers, 0.0) + value
    return {powers: value for powers, value in total.items() if value}


def scale(factor: float, polynomial: Maybe) -> Poly:
    """Multiply a polynomial by a number."""
    return {powers: factor * value for powers, value in (polynomial or {}).items()}


def times(first: Poly, second: Poly) -> Poly:
    """Multiply two polynomials."""
    return add(*({(i + p, j + q, k + r): x * y} for (i, j, k), x in first.items() for (p, q, r), y in second.items()))


def linear(vector: Sequence[float]) -> Poly:
    """Return vector . u."""
    return add({(1, 0, 0): float(vector[0]), (0, 1, 0): float(vector[1]), (0, 0, 1): float(vector[2])})


def field(vector: Sequence[float]) -> Poly:
    """Return the energy -vector . u of a field; vector is 2 sigma h in the units of the anisotropy field."""
    return scale(-1.0, linear(vector))


def uniaxial(sigma: float, axis: Sequence[float] = (0, 0, 1)) -> Poly:
    """Return the energy -sigma (u . axis)^2."""
    along = linear(axis)
    return scale(-sigma, times(along, along))


def biaxial(sigma: float, kappa: float) -> Poly:
    """Return the energy -sigma uz^2 + kappa ux^2."""
    return {(0, 0, 2): -sigma, (2, 0, 0): kappa}


def cubic(sigma: float) -> Poly:
    """Return the energy sigma (ux^2 uy^2 + uy^2 uz^2 + uz^2 ux^2)."""
    return {(2, 2, 0): sigma, (0, 2, 2): sigma, (2, 0, 2): sigma}


def oblique(sigma: float, h: float, psi: float) -> Poly:
    """Return -sigma uz^2 - 2 sigma h (sin psi ux + cos psi uz), psi in degrees."""
    angle = math.radians(psi)
    return add(uniaxial(sigma), field([2 * sigma * h * math.sin(angle), 0.0, 2 * sigma * h * math.cos(angle)]))


def boltzmann(v: Poly, up: bool = False) -> Callable[[np.ndarray], np.ndarray]:
    """Return the density exp(-v), not normalised; up restricts it to uz > 0."""
    return lambda u: np.exp(-evaluate(v, u)) * ((u[:, 2] > 0) if up else 1.0)


def evaluate(polynomial: Poly, points: np.ndarray) -> np.ndarray:
    """Evaluate a polynomial at points of shape (n, 3)."""
    return sum((c * np.prod(points ** np.array(p), axis=1) for p, c in polynomial.items()), np.zeros(len(points)))


def slopes(f: Poly) -> tuple[list[Poly], list[Poly]]:
    """Return the Cartesian components of the tangential gradient of a polynomial, and those of u x grad of it."""
    u, unit = [linear(row) for row in np.eye(3)], np.eye(3, dtype=int).tolist()
    lowered = [{tuple(a - b for a, b in zip(p, e, strict=True)): p for p in f} for e in unit]
    d = [{q: f[p] * p[k] for q, p in lowered[k].items() if p[k]} for k in range(3)]
    radial = {p: -c * sum(p) for p, c in f.items()}
    turned = [add(times(u[i], d[j]), scale(-1.0, times(u[j], d[i]))) for i, j in ((1, 2), (2, 0), (0, 1))]
    return [add(d[k], times(u[k], radial)) for k in range(3)], turned


def clean(matrix: sparse.spmatrix) -> sparse.csr_matrix:
    """Drop entries that are rounding errors of zero."""
    matrix = sparse.csr_matrix(matrix)
    matrix.data[np.abs(matrix.data) < 1e-15 * np.abs(matrix.data).max(initial=0.0)] = 0.0
    matrix.eliminate_zeros()
    return matrix


def operators(lmax: int) -> tuple[list[sparse.csr_matrix], list[sparse.csr_matrix]]:
    """Return the matrices of ux, uy, uz and those of the rotations u x grad, in real harmonics up to lmax."""
    l, m = np.array([(l, m) for l in range(lmax + 1) for m in range(-l, l + 1)]).T
    size, n = len(l), np.arange(len(l))

    def matrix(dl: int, dm: int, numerator: np.ndarray, denominator: np.ndarray | int) -> sparse.csr_matrix:
        """Map (l, m) to (l + dl, m + dm) with the root of a fraction."""
        keep = (l + dl >= np.abs(m + dm)) & (l + dl <= lmax)
        value, rows = np.sqrt(np.maximum(numerator / denominator, 0.0)), (l + dl) ** 2 + l + dl + m + dm
        return sparse.csr_matrix((value[keep], (rows[keep], n[keep])), (size, size), dtype=complex)

    above, below = (2 * l + 1) * (2 * l + 3), np.abs((2 * l - 1) * (2 * l + 1))
    z = matrix(1, 0, (l + 1) ** 2 - m**2, above) + matrix(-1, 0, l**2 - m**2, below)
    plus = matrix(-1, 1, (l - m) * (l - m - 1), below) - matrix(1, 1, (l + m + 1) * (l + m + 2), above)
    raising = matrix(0, 1, (l - m) * (l + m + 1), 1)
    minus, lowering = plus.conj().T, raising.conj().T
    complex_ones = [(plus + minus) / 2, (plus - minus) / 2j, z]
    complex_ones += [0.5j * (raising + lowering), 0.5 * (raising - lowering), sparse.diags(1j * m)]
    sign, half = (-1.0) ** m, math.sqrt(0.5)
    same = np.where(m > 0, sign * half, np.where(m < 0, 1j * half, 1.0))
    other = np.where(m > 0, half, np.where(m < 0, -1j * sign * half, 0.0))
    change = sparse.csr_matrix((same, (n, n))) + sparse.csr_matrix((other, (n, l**2 + l - m)))  # S_lm from Y_lm
    real_ones = [clean((change.conj() @ one @ change.T).real) for one in complex_ones]
    return real_ones[:3], real_ones[3:]


def generator(lmax: int, v: Poly, alpha: float | None, chi: Maybe = None, phi: Maybe = None, gauge: Maybe = None):
    """Return L with dc/ds = L c for the coefficients c of rho, or of exp(gauge) rho."""
    a = add(chi, scale(-1.0, v))
    b = add(phi, scale(1.0 / alpha, v) if alpha is not None else None)
    degree = max([sum(p) for f in (a, b, gauge or {}) for p in f] + [0])
    u, turns = operators(lmax + 2 * degree + 2)
    zero = sparse.csr_matrix(u[0].shape)

    def multiply(f: Poly) -> sparse.csr_matrix:
        return clean(sum((c * (u[0] ** i @ u[1] ** j @ u[2] ** k) for (i, j, k), c in f.items()), zero))

    total = zero
    for turn, dg, da, db in zip(turns, slopes(gauge or {})[1], slopes(a)[1], slopes(b)[0], strict=True):
        turned = turn - multiply(dg)
        total = total + turned @ (turned + multiply(add(db, scale(-1.0, da))))
    return clean(total[: (lmax + 1) ** 2, : (lmax + 1) ** 2])


def legendre(lmax: int, z: np.ndarray) -> np.ndarray:
    """Return the colatitude factors of S_lm as an array [l, m, point] (m >= 0)."""
    s = np.sqrt(np.maximum(1.0 - z**2, 0.0))
    table = np.zeros((lmax + 1, lmax + 1, len(z)))
    table[0, 0] = math.sqrt(0.25 / math.pi)
    for m in range(lmax + 1):
        if m:
            table[m, m] = math.sqrt(1 + 0.5 / m) * s * table[m - 1, m - 1]
        before = 0.0
        for l in range(m + 1, lmax + 1):
            now = math.sqrt((4 * l * l - 1) / (l * l - m * m))
            table[l, m] = now * (z * table[l - 1, m] - before * table[l - 2, m])
            before = 1.0 / now
    table[:, 1:] *= math.sqrt(2.0)
    return table


class Harmonics:
    """The equation with constant coefficients, for densities expanded up to degree lmax."""

    def __init__(self, lmax: int, v: Poly, alpha: float | None, chi: Maybe = None, phi: Maybe = None):
        self.lmax, self.size = lmax, (lmax + 1) ** 2
        self.generator = generator(lmax, v, alpha, chi, phi)
        if abs(self.generator[0]).sum() > 0:
            raise ArithmeticError("mass is not conserved")

    @cached_property
    def _inverse(self):
        """Factors of -L without the row and column l = 0: that row is zero, so what remains is regular."""
        return splu(sparse.csc_matrix(-self.generator[1:, 1:]))

    def eigenvalues(self, n: int) -> np.ndarray:
        """Return the n eigenvalues of -L of smallest magnitude, 0 first (a cut pair of conjugates is possible)."""
        if self.size < 500:
            values = dense.eigvals(-self.generator[1:, 1:].toarray())
        else:
            inverse = sparse.linalg.LinearOperator((self.size - 1,) * 2, matvec=self._inverse.solve, dtype=float)
            start = np.random.default_rng(1).standard_normal(self.size - 1)
            values = 1.0 / eigs(inverse, k=n + 2, ncv=4 * n + 20, v0=start, tol=0, return_eigenvectors=False)
        order = np.lexsort((values.imag, np.round(np.abs(values), 9)))
        return np.concatenate([[0.0], values[order]])[:n]

    def steady(self) -> np.ndarray:
        """Return the coefficients of the normalised stationary density."""
        first = math.sqrt(0.25 / math.pi)
        return np.concatenate([[first], self._inverse.solve(self.generator[1:, 0].toarray().ravel() * first)])

    def density(self, c: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Evaluate the density of coefficients c at unit vectors of shape (n, 3)."""
        table, angle = legendre(self.lmax, points[:, 2]), np.arctan2(points[:, 1], points[:, 0])
        value = np.zeros(len(points))
        for m in range(self.lmax + 1):
            l = np.arange(m, self.lmax + 1)
            value += np.cos(m * angle) * (c[l * l + l + m] @ table[m:, m])
            value += np.sin(m * angle) * (c[l * l + l - m] @ table[m:, m])
        return value

    def mean(self, c: np.ndarray) -> np.ndarray:
        """Return the mean of u, that is of density * u over the sphere."""
        return math.sqrt(4 * math.pi / 3) * np.array([c[3], c[1], c[2]])

    def mass(self, c: np.ndarray) -> float:
        """Return the integral of the density."""
        return math.sqrt(4 * math.pi) * c[0]

    def project(self, function: Callable[[np.ndarray], np.ndarray], nodes: int | None = None) -> np.ndarray:
        """Return the coefficients of a density, a function of points (n, 3) that may jump at uz = 0.

        Gauss-Legendre in uz on each hemisphere, with `nodes` points each, and 4 * nodes uniform azimuths.
        """
        nodes = nodes or self.lmax + 60
        x, w = np.polynomial.legendre.leggauss(nodes)
        z, w = np.concatenate([0.5 * x - 0.5, 0.5 * x + 0.5]), np.concatenate([w, w]) / 2
        angle = 2 * math.pi * np.arange(4 * nodes) / (4 * nodes)
        s = np.sqrt(1 - z**2)[:, None]
        points = np.stack(np.broadcast_arrays(s * np.cos(angle), s * np.sin(angle), z[:, None]), -1)
        values = function(points.reshape(-1, 3)).reshape(len(z), -1) * (w[:, None] * 2 * math.pi / (4 * nodes))
        table, c = legendre(self.lmax, z), np.zeros(self.size)
        for m in range(self.lmax + 1):
            l = np.arange(m, self.lmax + 1)
            c[l * l + l - m] = table[m:, m] @ (values @ np.sin(m * angle))
            c[l * l + l + m] = table[m:, m] @ (values @ np.cos(m * angle))
        return c

    def hemisphere(self, axis: Sequence[float] = (0, 0, 1)) -> np.ndarray:
        """Return f such that f @ c is the probability of u . axis > 0 (exact: Funk and Hecke's theorem)."""
        n, degree = np.asarray(axis, dtype=float) / np.linalg.norm(axis), np.arange(self.lmax + 2)
        at_zero = legendre(self.lmax + 1, np.zeros(1))[:, 0, 0] * np.sqrt(4 * math.pi / (2 * degree + 1))
        integral = np.concatenate([[1.0], (at_zero[:-2] - at_zero[2:]) / (2 * degree[1:-1] + 1)])
        table, angle = legendre(self.lmax, n[2:])[:, :, 0], math.atan2(n[1], n[0])
        l, m = np.array([(l, m) for l in range(self.lmax + 1) for m in range(-l, l + 1)]).T
        turned = np.where(m >= 0, np.cos(m * angle), np.sin(-m * angle))
        return 2 * math.pi * integral[l] * table[l, np.abs(m)] * turned

    def evolve(self, c0: np.ndarray, times: Sequence[float]) -> np.ndarray:
        """Return the coefficients at increasing times >= 0, one row each, by the exponential of L."""
        rows, now, c = [], 0.0, np.asarray(c0, dtype=float)
        for time in times:
            c, now = (expm_multiply(self.generator * (time - now), c) if time > now else c), time
            rows.append(c)
        return np.array(rows)

    def survival(self, v0: Poly, times: Sequence[float]) -> tuple[list[float], float]:
        """Start from exp(-v0) on uz > 0; return the probabilities of uz > 0 at the times, and when steady."""
        start, up = self.project(boltzmann(v0, up=True)), self.hemisphere()
        rows = self.evolve(start / self.mass(start), times)
        return [float(up @ c) for c in rows], float(up @ self.steady())


SPECTRA = [  # sigma, h, psi in degrees, alpha, two lmax
    (5, 0.2, 45, 1, (40, 50)),
    (8, 0.15, 30, 0.1, (40, 50)),
    (10, 0.1, 60, 0.1, (40, 50)),
    (6, 0.3, 70, 0.01, (120, 140)),
    (10, 0.2, 45, 0.01, (120, 140)),
]
SWITCHING = [  # name, v, alpha, i, tilt of the polarizer from -z in degrees, two lmax, times
    ("oblique field", oblique(20, 0.1, 45), 0.1, 1.5, 0, (80, 100), (0.04, 0.066, 0.11, 0.17, 0.29, 0.4)),
    ("tilted polarizer", uniaxial(20), 0.1, 1.5, 30, (80, 100), (0.043, 0.074, 0.13, 0.2, 0.35, 0.5)),
    ("biaxial", biaxial(20, 30), 0.05, 2.5, 0, (110, 130), (0.023, 0.04, 0.068, 0.104, 0.175, 0.25)),
]


def main() -> None:
    """Write harmonics.json beside this file (under a minute)."""
    spectra, switching, listed = [], [], lambda f: [[*powers, value] for powers, value in f.items()]
    for sigma, h, psi, alpha, cuts in SPECTRA:
        v = oblique(sigma, h, psi)
        row = {"sigma": sigma, "h": h, "psi_degrees": psi, "alpha": alpha, "v": listed(v), "lmax": cuts}
        spectra_by_cut = [[[x.real, x.imag] for x in Harmonics(lmax, v, alpha).eigenvalues(5)[1:]] for lmax in cuts]
        spectra.append(row | {"coarse": spectra_by_cut[0], "eigenvalues": spectra_by_cut[1]})
    for name, v, alpha, current, tilt, cuts, times in SWITCHING:
        p = [math.sin(math.radians(tilt)), 0.0, -math.cos(math.radians(tilt))]
        chi, phi = scale(40 * current, linear(p)), scale(40 * current * alpha, linear(p))
        row = {"name": name, "sigma": 20, "alpha": alpha, "i": current, "p": p, "times": times, "lmax": cuts}
        row |= {"v": listed(v), "chi": listed(chi), "phi": listed(phi)}
        (coarse, _), (fine, last) = (Harmonics(lmax, v, alpha, chi, phi).survival(v, times) for lmax in cuts)
        switching.append(row | {"coarse": coarse, "up": fine, "steady_up": last})
    text = json.dumps({"spectra": spectra, "switching": switching}, indent=1)
    Path(__file__).with_suffix(".json").write_text(text + "\n", encoding="utf-8")


def axisymmetric_rate(sigma: float, nodes: int = 120) -> float:
    """Return the smallest nonzero rate for v = -sigma uz^2, to nearly all digits, without harmonics.

    The mode is rho = exp(sigma z^2) g(z) with g odd. Inverse iteration only integrates positive functions,
    G(z) = int_z^1 exp(sigma y^2) g dy, then g(z) = int_0^z exp(-sigma y^2) G / (1 - y^2) dy.
    """
    x, _ = np.polynomial.legendre.leggauss(nodes)
    series = np.linalg.inv(np.polynomial.legendre.legvander(x, nodes - 1))
    whole = np.polynomial.legendre.legint(series, lbnd=-1)
    left = 0.5 * np.polynomial.legendre.legvander(x, nodes) @ whole
    right = 0.5 * np.sum(whole, axis=0) - left
    z, g, rate = 0.5 + 0.5 * x, x + 1.0, 0.0
    for _ in range(60):
        g = left @ (np.exp(-sigma * z**2) / (1 - z**2) * (right @ (np.exp(sigma * z**2) * g)))
        rate, g = 1.0 / g[-1], g / g[-1]
    return rate


if __name__ == "__main__":
    main()
