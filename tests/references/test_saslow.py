"""Proof of the reference for textured magnets: heat production, symmetries, closed forms, conservation, balance."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.polynomial import Chebyshev
from scipy.constants import e, hbar
from scipy.constants import physical_constants as constants
from scipy.spatial.transform import Rotation

from references.saslow import (
    GENERIC,
    GENERIC_PRIMED,
    TWO_BAND,
    TWO_BAND_PRIMED,
    generic,
    generic_line,
    generic_production,
    two_band,
    two_band_line,
    two_band_production,
    wall,
)

MU_B = constants["Bohr magneton"][0]
MS, SIGMA, P = 1.45e6, 3.4e7, 0.6
XI = P * SIGMA * MU_B / (e**2 * MS)
ALPHA, BETA, GAMMA = 0.01, 0.04, 2 * MU_B / hbar
UP, DN = 0.5 * SIGMA * (1 - P), 0.5 * SIGMA * (1 + P)  # Saslow's labels: down is the majority
DECAY = UP * DN / (SIGMA * e**2 * 38e-9**2)
BANDS = {
    "sigma_up": UP,
    "sigma_dn": DN,
    "alpha": DECAY,
    "lambda": ALPHA * GAMMA,
    "L_upM": -MU_B * UP / (e**2 * MS**3),
    "L_dnM": MU_B * DN / (e**2 * MS**3),
}
HOT_GENERIC = {
    "kappa": 90.0,
    "sigma": SIGMA,
    "L_sn": 20e-6 * SIGMA / e,
    "C_par": 1e-13,
    "C_perp": 3e-14,
    "C_prime": 2e-8,
    "A_par": 2e3,
    "A_perp": ALPHA * GAMMA / MS,
    "L_sQ": 3e-8,
    "L_nQ": -0.3 * XI,
    "L_sM1": 5e-8,
    "L_sM2": 2e-8,
    "L_nM1": 0.7 * XI,
    "L_nM2": 0.2 * XI,
    "L_QN1": 1e-8,
    "L_QN2": -2e-8,
    "L_QN3": 3e-8,
    "L_QN4": 1e-8,
    "L_sM_prime": 4e-15,
    "L_nM_prime": -BETA * XI / MS,
    "L_QN1_prime": 2e-8,
    "L_QN2_prime": 1e-8,
    "L_QN3_prime": -2e-8,
    "L_QN4_prime": 3e-8,
}
HOT_BANDS = BANDS | {
    "kappa": 90.0,
    "L_updn": 0.1 * np.sqrt(UP * DN) / e**2,
    "L_sup": 9e-6 * UP / e,
    "L_sdn": 22e-6 * DN / e,
    "L_sM": 4e-8 / MS**2,
    "L_sM_prime": 3e-8 / MS,
    "L_upM_prime": 0.01 * XI / MS,
    "L_dnM_prime": 0.03 * XI / MS,
}


def smooth(x):
    """A field of any direction, besides the uniform one."""
    a, b = 4e7, 6e7
    field = 0.03 * np.stack([np.sin(a * x), np.cos(b * x), np.sin(b * x) - 0.4], axis=-1)
    return field, 0.03 * np.stack([a * np.cos(a * x), -b * np.sin(b * x), b * np.cos(b * x)], axis=-1)


def drawn(seed, n=40):
    """Arguments of both models, of order one and all different."""
    rng = np.random.default_rng(seed)

    def vector(*shape):
        return rng.normal(size=(n, *shape))

    shared = {"M": vector(3), "dM": vector(3, 3), "T": rng.uniform(0.5, 2, n), "dT": vector(3), "H": vector(3)}
    return (
        shared | {"dmu": vector(3), "dH": vector(3, 3)},
        shared | {"dmu_up": vector(3), "dmu_dn": vector(3), "affinity": vector()},
    )


def coefficients(seed, names):
    rng = np.random.default_rng(seed)
    c = {name: rng.choice([-1, 1]) * rng.uniform(0.3, 2) for name in names}
    return {name: value * (e**2 if name.startswith("sigma") else 1) for name, value in c.items()}


def products(model, c, a):
    """Products of flux and force, one by one."""
    fluxes = model(c, **a)
    if model is generic:
        pairs = [(-fluxes["j_s"], a["dT"]), (-fluxes["j_n"], a["dmu"]), (fluxes["Q"], a["dH"]), (fluxes["N"], a["H"])]
    else:
        pairs = [(-fluxes["j_s"], a["dT"]), (-fluxes["j_up"], a["dmu_up"]), (-fluxes["j_dn"], a["dmu_dn"])]
        pairs += [(-fluxes["S"][:, None], a["affinity"][:, None]), (fluxes["Omega"], np.cross(a["M"], a["H"]))]
    return np.concatenate([(x * y).reshape(len(a["T"]), -1) for x, y in pairs], axis=1)


MODELS = {
    "generic": (0, generic, generic_production, GENERIC, GENERIC_PRIMED),
    "two-band": (1, two_band, two_band_production, TWO_BAND, TWO_BAND_PRIMED),
}
both = pytest.mark.parametrize("which", MODELS)


@both
@pytest.mark.parametrize("seed", range(3))
def test_heat_production_is_the_quadratic_form(which, seed):
    i, model, production, names, primed = MODELS[which]
    a, c = drawn(seed)[i], coefficients(seed, names + primed)
    terms, form = products(model, c, a), production(c, **a)
    assert np.all(np.abs(terms.sum(1) - form) < 1e-12 * np.abs(terms).sum(1))
    for name in names:  # every coefficient is in both
        one = {name: c[name]}
        terms, form = products(model, one, a), production(one, **a)
        assert np.all(np.abs(form) > 0)
        assert np.all(np.abs(terms.sum(1) - form) < 1e-12 * np.abs(terms).sum(1))


@both
def test_primed_terms_do_not_heat(which):
    i, model, production, _, primed = MODELS[which]
    a = drawn(5)[i]
    for name in primed:
        terms = products(model, {name: 1.7}, a)
        assert np.all(np.abs(terms).sum(1) > 1e-3)
        assert np.all(np.abs(terms.sum(1)) < 1e-13 * np.abs(terms).sum(1))
        assert np.all(production({name: 1.7}, **a) == 0)


@both
def test_rotations_of_spin_and_of_space(which):
    i, model, _, names, primed = MODELS[which]
    a, c = drawn(7)[i], coefficients(7, names + primed)
    U = Rotation.from_rotvec([0.4, -1.1, 0.7]).as_matrix()
    spin = {"M", "dM", "H", "dH", "Q", "N", "Omega"}
    space = {"dM", "dH", "dT", "dmu", "dmu_up", "dmu_dn", "j_s", "j_n", "j_up", "j_dn", "Q"}

    def turn(values, spins):
        if spins:
            return {k: v @ U.T if k in spin else v for k, v in values.items()}
        return {k: (U @ v if v.ndim == 3 else v @ U.T) if k in space else v for k, v in values.items()}

    before = model(c, **a)
    for spins in (True, False):
        after = model(c, **turn(a, spins))
        for name, expected in turn(before, spins).items():
            assert after[name] == pytest.approx(expected, rel=1e-11, abs=1e-11), name


@both
def test_time_reversal(which):
    """Unprimed terms have the parity of their density, opposite to its rate's: they dissipate; primed terms do not."""
    i, model, _, names, primed = MODELS[which]
    a = drawn(9)[i]
    back = {k: -v if k in ("M", "dM", "H", "dH") else v for k, v in a.items()}
    even = {"j_s": 1, "j_n": 1, "Q": -1, "N": -1, "j_up": 1, "j_dn": 1, "S": 1, "Omega": 1}
    for sign, kind in ((1, names), (-1, primed)):
        c = coefficients(9, kind)
        before, after = model(c, **a), model(c, **back)
        for name in before:
            assert after[name] == pytest.approx(sign * even[name] * before[name], rel=1e-13, abs=1e-13), name


def test_signs_of_the_reversible_terms():
    """By hand, as printed in (35-37, 47-49): the heat production leaves these signs open."""
    zero, rows = np.zeros(3), np.zeros((3, 3))
    M, H, dM, dH = np.array([0, 0, 2]), np.array([0, 5, 7]), rows.copy(), rows.copy()
    dM[0], dH[0] = [1, 0, 3], [0, 11, 0]
    for name, expected in {
        "C_prime": [22, 0, 0],
        "L_QN1_prime": [-15, -7, 5],
        "L_QN2_prime": [0, 0, 5],
        "L_QN3_prime": [0, 7, 0],
        "L_QN4_prime": [-15, 0, 0],
    }.items():
        assert generic({name: 1.0}, M, dM, 1.0, zero, zero, H, dH)["Q"][0] == pytest.approx(expected), name
    for band in ("s", "n"):
        assert generic({f"L_{band}M_prime": 1.0}, M, dM, 1.0, zero, zero, H, dH)[f"j_{band}"][0] == 10
    for band in ("s", "up", "dn"):
        fluxes = two_band({f"L_{band}M_prime": 1.0}, M, dM, 1.0, zero, zero, zero, 0.0, H)
        assert fluxes[f"j_{band}"][0] == 10


def test_saturated_magnet_merges_two_coefficients():
    rng = np.random.default_rng(3)
    M = np.array([0.3, -1.2, 0.8])
    m = M / np.linalg.norm(M)
    across = np.eye(3) - np.outer(m, m)
    dM, H = rng.normal(size=(3, 3)) @ across, across @ rng.normal(size=3)
    dH = rng.normal(size=(3, 3)) @ across - np.outer(dM @ H, M) / (M @ M)  # d(M.H) = 0
    cold = {"T": 1.0, "dT": np.zeros(3), "dmu": np.zeros(3)}

    def pumped(**c):
        return generic(c, M=M, dM=dM, H=H, dH=dH, **cold)["j_n"]

    expected = -(1.3 - 0.4) * dM @ H
    assert pumped(L_nM1=1.3, L_nQ=0.4) == pytest.approx(expected, rel=1e-13)
    assert pumped(L_nM1=0.9) == pytest.approx(expected, rel=1e-13)
    assert pumped(L_nM1=1.3, L_nQ=0.4, L_nM2=7.0) == pytest.approx(expected, rel=1e-13)


def models_of(xi, beta):
    """Both models with the torque ``xi grad mu . (grad M - beta m x grad M)``: (72, 73), once M is counted right."""
    return (
        {"L_nM1": 0.6 * xi, "L_nQ": -0.4 * xi, "L_nM_prime": -beta * xi / MS},
        {"L_dnM": 1.7 * xi / MS**2, "L_upM": -0.7 * xi / MS**2, "L_dnM_prime": -beta * xi / MS},
    )


def test_both_models_give_the_current_driven_torque():
    x, h = 43e-9, 1e-11
    state = wall(MS, 40e-9, 9e-9, 0.7, [0, 0, 0])
    M, dM, zero, _ = state(np.array(x))
    dmu = np.array([e * 2e3, 0, 0])
    g, b = models_of(XI, BETA)

    def found(y):
        M, dM, _, _ = state(np.array(y))
        return generic(g, M, np.stack([dM, zero, zero]), 300.0, zero, dmu, zero, np.zeros((3, 3)))

    turned = found(x)["N"] - (found(x + h)["Q"] - found(x - h)["Q"])[0] / (2 * h)
    expected = XI * dmu[0] * (dM - BETA * np.cross(M / MS, dM))
    assert turned == pytest.approx(expected, abs=1e-6 * np.linalg.norm(expected))
    Omega = two_band(b, M, np.stack([dM, zero, zero]), 300.0, zero, dmu, dmu, 0.0, zero)["Omega"]
    assert np.cross(Omega, M) == pytest.approx(expected, abs=1e-13 * np.linalg.norm(expected))


def test_cobalt():
    assert pytest.approx(5.1e15, rel=0.01) == XI
    M, dM, H = np.array([0, MS, 0]), np.zeros((3, 3)), np.array([0.1, 0, 0])
    dM[0, 0] = -2 * MS / 10e-9
    j = generic({"L_nM1": XI}, M, dM, 300.0, np.zeros(3), np.zeros(3), H, np.zeros((3, 3)))["j_n"]
    assert e * j[0] / SIGMA == pytest.approx(700, rel=0.01)  # electrons to the right, current to the left
    assert XI * e / (1.9e11 * 10e-9) == pytest.approx(4e-7, rel=0.1)


@pytest.mark.parametrize("w", [2e-9, 7e-9, 23e-9])
@pytest.mark.parametrize("beta", [0.0, 0.3])
def test_static_electromotive_force_of_a_wall(w, beta):
    """``phi(L) - phi(0) = -(P mu_B/e)(2 B_x - pi beta B.z)``, z the axis about which M turns, whatever the width."""
    length, p, B = 44 * w, 0.4, np.array([0.11, -0.06, 0.08])
    state = wall(MS, 0.5 * length, w, p, B)
    emf = -P * MU_B / e * (2 * B[0] - np.pi * beta * B @ [0, -np.sin(p), np.cos(p)])
    for pumping in (models_of(XI, beta)[0], {"L_nM1": XI, "L_nM_prime": -beta * XI / MS}):
        c = {"sigma": SIGMA} | pumping
        short = generic_line(c, state, length, (0.0, 0.0))
        assert short.J * length / SIGMA == pytest.approx(emf, rel=1e-8)
        assert beta or short.J < 0  # to the left, H pointing to the right
        opened = generic_line(c, state, length, (0.0, emf))
        assert abs(opened.J) < 1e-8 * abs(short.J)


@pytest.mark.parametrize(("decay", "beta"), [(0.05, 0.0), (1.0, 0.3), (1.0, 0.0), (20.0, 0.3)])
def test_two_bands_that_conserve_spin_have_the_same_electromotive_force(decay, beta):
    length, q, w, p, B = 130e-9, 58e-9, 7e-9, 0.4, np.array([0.1, 0.05, -0.03])
    state = wall(MS, q, w, p, B)
    ends = state(np.array([0, length]))[0] / MS
    turned = np.diff(np.arccos(ends[:, 0]))[0] * B @ [0, -np.sin(p), np.cos(p)]
    emf = P * MU_B / e * ((ends[1] - ends[0]) @ B + beta * turned)
    assert emf == pytest.approx(-2 * P * MU_B / e * (B[0] - beta * turned / 2), rel=1e-3)
    c = BANDS | {"alpha": decay * DECAY, "L_dnM_prime": -beta * XI / MS}
    one = generic_line({"sigma": SIGMA, "L_nM1": XI, "L_nM_prime": -beta * XI / MS}, state, length, (0.0, 0.0))
    two = two_band_line(c, state, length, (0.0, 0.0))
    assert [one.J * length / SIGMA, two.J * length / SIGMA] == pytest.approx([emf, emf], rel=1e-10)
    assert abs(two_band_line(c, state, length, (0.0, emf)).J) < 1e-10 * abs(two.J)


def test_two_bands_against_the_greens_function():
    """``D = mu_up - mu_dn``: ``D'' = D/l^2 + F'``, ``F = 2 mu_B m'.B``, zero at both ends."""
    length, l_sf, w, q, B = 90e-9, 38e-9, 8e-9, 37e-9, np.array([0.1, 0.05, -0.03])
    state = wall(MS, q, w, 0.4, B)
    nodes, weights = np.polynomial.legendre.leggauss(60)

    def integral(f, a, b):
        edges = np.linspace(a, b, 12)
        half = np.diff(edges)[:, None] / 2
        return np.sum(half * weights * f(edges[:-1, None] + half * (1 + nodes)))

    def force(x):
        return 2 * MU_B * state(x)[1] @ B / MS

    def accumulation(x):
        scale = np.sinh(length / l_sf)
        left = integral(lambda y: np.cosh(y / l_sf) * force(y), 0, x) * np.sinh((length - x) / l_sf)
        right = integral(lambda y: np.cosh((length - y) / l_sf) * force(y), x, length) * np.sinh(x / l_sf)
        return (left - right) / scale

    x = np.linspace(0, length, 31)[1:-1]
    line = two_band_line(BANDS, state, length, (0.0, 2e-6), x=x)
    expected = -np.array([accumulation(v) for v in x]) / e
    splitting = line.phi[:, 0] - line.phi[:, 1]
    assert splitting == pytest.approx(expected, abs=1e-8 * np.abs(expected).max())
    total = np.array(0.5 * (1 - P) * line.phi[:, 0] + 0.5 * (1 + P) * line.phi[:, 1])
    pumped = np.array([integral(lambda y: P * MU_B * state(y)[1] @ B / (MS * e), 0, v) for v in [*x, length]])
    expected = pumped[:-1] + (2e-6 - pumped[-1]) * x / length
    assert total == pytest.approx(expected, abs=1e-8 * np.abs(expected).max())


WALL = wall(MS, 33e-9, 9e-9, 0.6, [0.12, -0.05, 0.04], smooth)
ENDS = (70e-9, (3e-6, -1e-6), (0.02, -0.07))


@pytest.mark.parametrize("hot", [True, False])
def test_generic_line_conserves_and_balances(hot):
    c = HOT_GENERIC if hot else {k: v for k, v in HOT_GENERIC.items() if k != "kappa" and not k.startswith("L_s")}
    x = ENDS[0] * (1 - np.cos(np.pi * np.linspace(0, 1, 121))) / 2
    line = generic_line(c, WALL, ENDS[0], ENDS[1], ENDS[2] if hot else (0.0, 0.0), x=x)
    M, dM, H, dH = WALL(x)
    rows = np.zeros((len(x), 3, 3))
    rows_M, rows_H, dT, dmu = rows.copy(), rows.copy(), rows[:, 0].copy(), rows[:, 0].copy()
    rows_M[:, 0], rows_H[:, 0] = dM, dH
    for values, slope, out, scale in ((line.phi, line.dphi, dmu, -e), (line.theta, line.dtheta, dT, 1.0)):
        out[:, 0] = scale * Chebyshev.fit(x, values, 120).deriv()(x)
        assert out[:, 0] / scale == pytest.approx(slope, abs=1e-9 * np.abs(slope).max() + 1e-12)
    fluxes = generic(c, M, rows_M, 300.0, dT, dmu, H, rows_H)
    assert -e * fluxes["j_n"][:, 0] == pytest.approx(line.J, rel=1e-8)
    if hot:
        assert 300.0 * fluxes["j_s"][:, 0] == pytest.approx(line.heat, rel=1e-8)
    assert line.phi[[0, -1]] == pytest.approx(ENDS[1], rel=1e-12)
    assert line.theta[[0, -1]] == pytest.approx(ENDS[2] if hot else (0, 0), rel=1e-12)
    assert line.dissipated > 0
    assert line.supplied + line.magnetic == pytest.approx(line.dissipated, rel=1e-12)
    assert line.supplied == pytest.approx(
        line.J * (line.phi[0] - line.phi[-1]) + line.heat * (line.theta[0] - line.theta[-1]) / 300.0, rel=1e-12
    )


@pytest.mark.parametrize("hot", [True, False])
def test_two_band_line_conserves_and_balances(hot):
    c = HOT_BANDS if hot else {k: v for k, v in HOT_BANDS.items() if k != "kappa" and not k.startswith("L_s")}
    x = np.linspace(0, ENDS[0], 331)
    line = two_band_line(c, WALL, ENDS[0], ENDS[1], ENDS[2] if hot else (0.0, 0.0), x=x)
    M, dM, H, _ = WALL(x)
    rows, zero = np.zeros((len(x), 3, 3)), np.zeros((len(x), 3))
    rows[:, 0] = dM
    dT, up, dn = zero.copy(), zero.copy(), zero.copy()
    dT[:, 0], up[:, 0], dn[:, 0] = line.dtheta, -e * line.dphi[:, 0], -e * line.dphi[:, 1]
    affinity = -e * (line.phi[:, 0] - line.phi[:, 1])
    fluxes = two_band(c, M, rows, 300.0, dT, up, dn, affinity, H)
    bands = -e * np.stack([fluxes["j_up"][:, 0], fluxes["j_dn"][:, 0]], axis=-1)
    size = np.abs(bands).max()
    assert bands == pytest.approx(line.J_bands, abs=1e-8 * size)
    assert bands.sum(1) == pytest.approx(line.J, abs=1e-8 * size)
    if hot:
        assert 300.0 * fluxes["j_s"][:, 0] == pytest.approx(line.heat, rel=1e-8)
    for i in range(2):
        assert line.phi[[0, -1], i] == pytest.approx(ENDS[1], abs=1e-16)
    assert line.dissipated > 0
    assert line.supplied + line.magnetic == pytest.approx(line.dissipated, rel=1e-12)
