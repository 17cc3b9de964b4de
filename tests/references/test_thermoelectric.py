"""Proof of the thermoelectric references: closed forms, balances, limits, an independent boundary-value solver."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.integrate import solve_bvp

from references import multilayer
from references.channels import Contact, Solution, solve
from references.thermoelectric import (
    CHARGE,
    HEAT,
    HotContact,
    HotFace,
    HotLayer,
    HotSolution,
    solve_nonlinear,
    thermo_face,
    thermo_layer,
)

T0 = 300.0
KINDS = ("reservoir", "lead", "blocked")
F = (18e-9, (4e6, 2e6), (-2.1e-5, -0.9e-5), 21.0, 3e21)
N = (50e-9, (2e7, 2e7), (2e-6, 2e-6), 190.0, 1e20)
FACE = ((1.1e15, 0.5e15), 1.3e9)


def close(value: object, rel: float = 0.0, abs: float = 0.0) -> object:
    """Return `pytest.approx` without its default absolute tolerance."""
    return pytest.approx(value, rel=rel, abs=abs)


def hot(t: float, sigma: tuple, seebeck: tuple, kappa: object, g: object) -> HotLayer:
    return HotLayer(t, *sigma, *seebeck, kappa, g)


def linear(layers: list, faces: list, left: Contact, right: Contact, **drive) -> Solution:
    stack = [thermo_layer(*a, T0) for a in layers], [thermo_face(*a, T0) for a in faces]
    return solve(*stack, left, right, CHARGE, thermal=HEAT, **drive)


def checked(s: HotSolution, rel: float = 1e-12) -> HotSolution:
    """Energy, charge and entropy balances."""
    scale = max(abs(q) for q in s.heat)
    assert s.energy_residual == close(0.0, abs=1e-12 * scale)
    assert sum(s.currents) == close(0.0, abs=1e-12 * max(abs(s.currents[0]), 1e9))
    flows = -sum(q / T for q, T in zip(s.heat, s.temperatures, strict=True))
    assert sum(s.entropy.values()) == close(flows, rel=rel, abs=1e-14 * scale / T0)
    assert min(s.entropy.values()) >= 0.0
    return s


def test_seebeck_of_a_bilayer() -> None:
    """Open circuit: V = -integral S dT, the temperature drops shared by thermal resistance, a face included."""
    parts = [(2e-8, (3e6, 3e6), (-2e-5, -2e-5), 20.0, 1e21), (5e-8, (1e7, 1e7), (5e-6, 5e-6), 150.0, 1e20)]
    faces, thermal = [((1e15, 1e15), 2e9)], [2e-8 / 20, 5e-8 / 150, 1 / 2e9]
    heat = 3.0 / sum(thermal)
    expected = -heat * (-2e-5 * thermal[0] + 5e-6 * thermal[1])
    s = linear(parts, faces, Contact("reservoir", 3.0), Contact(), current_density=0.0)
    assert s.voltages[0] == close(expected, rel=1e-12)
    assert T0 * s.thermal[0] == close(heat, rel=1e-12)
    h = checked(solve_nonlinear(
        [hot(*a) for a in parts], [HotFace(*faces[0])], HotContact("reservoir", 303.0), HotContact(),
        current_density=0.0,
    ))  # fmt: skip
    assert h.voltages[0] == close(expected, rel=1e-11)
    assert h.heat[0] == close(heat, rel=1e-12)


def test_one_magnet_between_leads() -> None:
    """No accumulation: S = sum sigma_i S_i / sigma, and circulating channels add to the heat conductivity."""
    t, (up, dn), (S_up, S_dn), kappa, _ = F
    s = linear([F], [], Contact("lead", 2.0), Contact("lead"), current_density=0.0)
    assert s.voltages[0] == close(-2.0 * (up * S_up + dn * S_dn) / (up + dn), rel=1e-12)
    assert T0 * s.thermal[0] == close((kappa + T0 * up * dn / (up + dn) * (S_up - S_dn) ** 2) * 2.0 / t, rel=1e-12)
    assert s.w(t / 3, 0)[0] == close(s.w(t / 3, 0)[1], abs=1e-14 * s.voltages[0])
    p = linear([F], [], Contact("lead"), Contact("lead"), current_density=1e10)
    assert T0 * p.thermal[0] == close(T0 * 1e10 * (up * S_up + dn * S_dn) / (up + dn), rel=1e-12)  # Peltier


def test_coupled_lead_is_a_long_layer() -> None:
    """Sixty more decay lengths of the outer layers, minus their resistances to charge and heat."""
    t, (up, dn), *_ = F
    more = 60 / math.sqrt(F[4] * (1 / up + 1 / dn))
    s = linear([N, F], [FACE], Contact("reservoir", 2.0), Contact("lead"), current_density=1e10)
    flow = T0 * s.thermal[0]
    extra = linear([(more, *F[1:])], [], Contact("lead", 0.0, flow / T0), Contact("lead"), current_density=1e10)
    x = 1e-9
    theta = extra.w(x, 0)[2] + (extra.w(x, 0)[2] - extra.w(2 * x, 0)[2])
    long = linear(
        [N, (t + more, *F[1:])], [FACE], Contact("reservoir", 2.0), Contact("lead", -theta), current_density=1e10
    )
    assert long.w(49e-9, 0)[2] == close(s.w(49e-9, 0)[2], rel=1e-10)
    assert long.w(51e-9, 1)[:2].std() == close(s.w(51e-9, 1)[:2].std(), rel=1e-8)


def test_spin_seebeck() -> None:
    """F|N, small Seebeck coefficients: D(0) = -(S_up - S_dn) T' l_F / (1 + rho* l_F / (rho_N l_N))."""
    (up, dn), small = F[1], 1e-3
    l_F, l_N = ((a[4] * sum(1 / s for s in a[1])) ** -0.5 for a in (F, N))
    magnet, metal = ((40 * a, x[1], tuple(small * s for s in x[2]), *x[3:]) for a, x in ((l_F, F), (l_N, N)))
    star, rho = (1 / up + 1 / dn) / 4, 1 / sum(N[1])
    slope = -1e8 / F[3]
    expected = -small * (F[2][0] - F[2][1]) * slope * l_F / (1 + star * l_F / (rho * l_N))
    for coupled in (True, False):
        ends = Contact("blocked", 0.0, 1e8 / T0), Contact("lead", 0.0, coupled=coupled)
        s = linear([magnet, metal], [(None, None)], *ends, current_density=0.0)
        w = s.sides(0)[1]
        assert w[0] - w[1] == close(expected, rel=1e-5)


@pytest.mark.parametrize(("left", "right"), list(itertools.product(KINDS, KINDS)))
def test_linear_balance_and_reciprocity(left: str, right: str) -> None:
    """sum(V I + theta Q_in / T0) = dissipation, sum Q_in = 0, and the Kelvin relation."""
    results = []
    for theta, voltage in ((1.0, 0.0), (0.0, 1e-3), (0.7, 2e-3)):
        s = linear([N, F, N], [FACE, (FACE[0], None)], Contact(left, theta), Contact(right), voltage=voltage)
        assert sum(s.thermal) == close(0.0, abs=1e-13 * abs(s.thermal[0]))
        assert sum(s.power.values()) == close(voltage * s.currents[0] + theta * s.thermal[0], rel=1e-11)
        results.append(s)
    assert results[0].currents[0] == close(results[1].thermal[0] / 1e-3, rel=1e-11)


def test_joule_parabola_and_conductivity_of_temperature() -> None:
    """T = T0 + rho J^2 x (t - x) / (2 kappa); with kappa = a T and no current T^2 is linear."""
    t, sigma, kappa, current = 3e-8, 4e6, 15.0, 3e12
    s = checked(
        solve_nonlinear(
            [hot(t, (sigma / 2,) * 2, (3e-6,) * 2, kappa, 1e20)],
            [],
            *[HotContact()] * 2,
            current_density=current,
        )
    )
    x = np.linspace(0.0, t, 12)
    assert s.at(x, 0)[:, 2] == close(T0 + current**2 / sigma * x * (t - x) / (2 * kappa), rel=1e-12)
    assert s.heat[0] == close(T0 * 3e-6 * current - current**2 / sigma * t / 2, rel=1e-12)
    a = 0.05
    ends = HotContact("reservoir", 400.0), HotContact("reservoir", 250.0)
    S = lambda T: 1e-8 * T  # noqa: E731
    s = checked(
        solve_nonlinear([hot(t, (sigma / 2,) * 2, (S, S), lambda T: a * T, 1e20)], [], *ends, current_density=0.0)
    )
    assert s.at(x, 0)[:, 2] == close(np.sqrt(400.0**2 + (250.0**2 - 400.0**2) * x / t), rel=1e-12)
    assert s.voltages[0] == close(-0.5e-8 * (400.0**2 - 250.0**2), rel=1e-11)


@pytest.mark.parametrize("kind", KINDS)
def test_without_seebeck(kind: str) -> None:
    """No Seebeck effect, constant coefficients: potentials are those of the two-channel multilayer."""
    parts = [(a[0], a[1], (0.0, 0.0), *a[3:]) for a in (N, F, N)]
    s = checked(solve_nonlinear(
        [hot(*a) for a in parts], [HotFace(*FACE), HotFace()], HotContact(kind, 310.0), HotContact(kind),
        current_density=1e11,
    ))  # fmt: skip
    layers = []
    for t, (up, dn), _, _, g in parts:
        layers.append(multilayer.Layer(t, 1 / (up + dn), (up - dn) / (up + dn), (g * (1 / up + 1 / dn)) ** -0.5))
    up, dn = FACE[0]
    known = multilayer.solve(
        layers, [multilayer.Interface((1 / up + 1 / dn) / 4, (up - dn) / (up + dn)), None], kind, kind, 1e11
    )
    assert s.voltages[0] == close(known.voltage, rel=1e-12)
    D = [s.sides(k)[i][0] - s.sides(k)[i][1] for k in range(2) for i in range(2)]
    assert np.array(D) == close(np.ravel(known.accumulation_at_interfaces), abs=1e-13 * known.voltage)
    assert s.lead_power == close(known.power["leads"], rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_small_drives_are_linear(kind: str) -> None:
    """Halving all drives divides the difference to the linear model by four."""
    errors = []
    for size in (1.0, 0.5):
        h = checked(solve_nonlinear(
            [hot(*N), hot(*F)], [HotFace(*FACE)], HotContact(kind, T0 + 0.2 * size), HotContact(kind),
            voltage=2e-5 * size,
        ), 1e-7)  # fmt: skip
        s = linear(
            [N, F], [FACE], Contact(kind, 0.2 * size, coupled=False), Contact(kind, coupled=False), voltage=2e-5 * size
        )
        errors.append((h.currents[0] - s.currents[0], h.heat[0] - T0 * s.thermal[0]))
        assert np.abs(errors[-1]) == close(0.0, abs=5e-3 * max(abs(h.heat[0]), abs(h.currents[0])))
    assert errors[0] == close(4 * np.array(errors[1]), rel=1e-2)


def test_face_heat() -> None:
    """A resistive face between cold, well conducting metals gives half of its heat to either side."""
    metal, g = (1e-9, (5e11, 5e11), (0.0, 0.0), 1e4, 1e10), 1e15
    s = checked(solve_nonlinear(
        [hot(*metal)] * 2, [HotFace((g, 2 * g), 1e9)], HotContact(), HotContact(), current_density=3e12
    ))  # fmt: skip
    assert s.heat == close((-0.5 * 3e12 * 1e-3,) * 2, rel=2e-3)
    before, after = s.sides(0)
    assert before[3] == close(g * (before[0] - after[0]), rel=1e-9)
    joule = before[3:5] @ (before[:2] - after[:2])
    assert before[5] == close(1e9 * (before[2] - after[2]) - joule / 2, rel=1e-9)
    assert after[5] == close(1e9 * (before[2] - after[2]) + joule / 2, rel=1e-9)


def test_against_another_solver() -> None:
    """One layer with coefficients of T, large drives: scipy's boundary-value solver, and a higher degree."""
    layer = HotLayer(
        40e-9, lambda T: 4e6 * 300 / T, lambda T: 2e6 * (300 / T) ** 1.5, lambda T: -7e-8 * T, lambda T: -2e-8 * T,
        lambda T: 20 + 0.03 * (T - 300), lambda T: 3e21 * T / 300,
    )  # fmt: skip
    ends, V = (HotContact("reservoir", 340.0), HotContact("blocked", 300.0)), 0.03
    a, b = (checked(solve_nonlinear([layer], [], *ends, voltage=V, degree=d)) for d in (14, 20))
    x = np.linspace(0.0, 40e-9, 9)
    scale = np.abs(b.at(x, 0)).max(axis=0)
    assert a.at(x, 0) / scale == close(b.at(x, 0) / scale, abs=1e-12)
    units = np.array([V, V, 300.0, 1e12, 1e12, 1e10])

    def slopes(z: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 40e-9 * (layer.slopes(y.T * units) / units).T

    def ends_of(p: np.ndarray, q: np.ndarray) -> np.ndarray:
        return np.array([p[0] - 1, p[1] - 1, p[2] - 340 / 300, q[3] - q[4], q[0] + q[1], q[2] - 1])

    z = np.linspace(0.0, 1.0, 101)
    start = np.outer([1, 1, 0, 0, 0, 0], 1 - z) + np.outer([0, 0, 1, 1, 1, 0], np.ones_like(z))
    result = solve_bvp(slopes, ends_of, z, start, tol=1e-10)
    assert result.success, result.message
    assert (result.sol(x / 40e-9).T * units) / scale == close(a.at(x, 0) / scale, abs=1e-8)


def test_refusals() -> None:
    layer = hot(*F)
    with pytest.raises(ValueError, match="one of voltage"):
        solve_nonlinear([layer], [], HotContact(), HotContact())
    with pytest.raises(ValueError, match="temperature"):
        solve_nonlinear([layer], [], HotContact(heat_flux=0.0), HotContact(heat_flux=0.0), voltage=1e-3)
