"""Rates over barriers of any height, loops at an angle, steps of trajectories, currents."""

import mpmath
import numpy as np
import pytest
from casefiles import run, task
from mpi4py import MPI
from scipy.special import logsumexp

import fespin as fs
from fespin.errors import InputError, SolverError
from fespin.macrospin.ensemble import step_lengths
from fespin.macrospin.llg import Motion
from fespin.sigma.bisection import bisected
from fespin.sigma.dimensionless import DimensionlessDrift
from fespin.sigma.escape import log_decays, log_stationary
from fespin.sigma.factor import Factor

COMM = MPI.COMM_WORLD
KT, SIZE = 1.380649e-23 * 290.0, {"volume": 1.9e-24, "saturation_magnetization": 7e5, "temperature": 290.0}
LN10 = np.log(10)


def magnet(stability, damping=0.1, *, field=(0.0, 0.0, 0.0), hard=0.0):
    """Return a magnet with an easy axis z, a hard axis x, and a field relative to the anisotropy field."""
    terms = [fs.Uniaxial(stability=stability)]
    terms += [fs.Uniaxial(constant=-hard * stability * KT / SIZE["volume"], axis=(1, 0, 0))] if hard else []
    b = 2 * stability * KT / (7e5 * 1.9e-24)
    return fs.Macrospin(damping=damping, terms=terms, field=tuple(b * x for x in field), **SIZE)


def axial(stability, h):
    """Return logarithms of the rates up to down and back per 2 tau_N: mass of a well by resistance of the pass."""
    theta = np.linspace(1e-7, np.pi - 1e-7, 400_001)
    c, step = np.cos(theta), np.log(theta[1] - theta[0])
    v = -stability * c * c - 2 * stability * h * c
    barrier = logsumexp((v - np.log(np.sin(theta)))[v > v.max() - 50]) + step
    return [-barrier - logsumexp((np.log(np.sin(theta)) - v)[side]) - step for side in (c > -h, c < -h)]


def upwards_first(found):
    """Return decimal logarithms of rates, populations and dwell times, those of the upper state first."""
    up = int(np.argmax(found.states[:, 2]))
    rates = [found.log10_rates[up, 1 - up], found.log10_rates[1 - up, up]]
    order = [up, 1 - up]
    return np.array(rates), found.log10_populations[order], found.log10_dwell_times[order]


# ---- rates over high barriers
@pytest.mark.parametrize(("stability", "h"), [(40, 0.15), (800, 0.0), (1300, -0.35), (2000, 0.12)])
def test_rates_in_logarithms(stability, h):
    """On the polar angle: quadratures in logarithms, up to 2000 kT, for equal and for unequal wells."""
    spin = magnet(stability, 0.03, field=(0, 0, h))
    fp = fs.FokkerPlanck(COMM, spin)
    found = fp.escape()
    exact = np.array(axial(stability, h)) + np.log(spin.diffusion)
    rates, populations, dwell = upwards_first(found)
    assert rates * LN10 == pytest.approx(exact, abs=1e-5)
    # Detailed balance, and each logarithm beside its number, that may be 0 or infinite.
    assert populations[0] - populations[1] == pytest.approx((exact[1] - exact[0]) / LN10, abs=1e-4)
    assert dwell == pytest.approx(-exact / LN10, abs=1e-5)
    with np.errstate(over="ignore"):
        assert found.dwell_times == pytest.approx(10**found.log10_dwell_times, rel=1e-9)
    assert found.log10_slowest[0] * LN10 == pytest.approx(logsumexp(exact), abs=1e-5)
    assert found.error_estimate.max() < 1e-3
    # Half of those who come to the top return.
    if not h:
        assert fp.log10_mean_first_passage((0, 0, 1)) == pytest.approx(dwell[0] + np.log10(0.5), abs=1e-8)


@pytest.mark.slow
def test_high_barriers_on_the_sphere():
    """Unequal wells 400 kT deep, on a mesh that is made for it: the polar angle's rates, within the estimate."""
    spin = magnet(400, 0.05, field=(0, 0, -0.3))
    exact, found = (upwards_first(fs.FokkerPlanck(COMM, spin, axisymmetric=x).escape())[0] for x in (None, False))
    assert found * LN10 == pytest.approx(exact * LN10, abs=2e-3)


def test_high_barriers_without_symmetry():
    """Langer's rate with a hard axis, where damping is not small, up to the order of the inverse barrier."""
    s, kappa, alpha = 90.0, 1.5, 0.4
    spin = magnet(s, alpha, hard=kappa)
    found = fs.FokkerPlanck(COMM, spin).escape()
    growth = (alpha * (1 - kappa) + np.sqrt(alpha**2 * (1 - kappa) ** 2 + 4 * (1 + alpha**2) * kappa)) / 2
    langer = np.log(4 * s / (np.pi * alpha) * growth * np.sqrt((1 + kappa) / kappa)) - s
    change = found.log10_slowest[0] * LN10 - np.log(spin.diffusion) - langer
    assert -1.0 / s < change < 0
    assert found.error_estimate.max() < 0.1


def test_sizes_of_bisected_triangles():
    """Triangles are as small as asked for, tile the sphere once, and stay far from flat."""

    def size(u):
        return 0.003 + 0.2 * np.linalg.norm(u - np.array([0.6, 0.0, 0.8]), axis=1)

    corners, triangles = bisected(size, np.array([1.0, 2.0, -1.0]))
    a, b, c = (corners[triangles[:, k]] for k in range(3))
    sides = np.array([np.linalg.norm(x - y, axis=1) for x, y in ((a, b), (b, c), (c, a))])
    assert (sides.max(axis=0) <= size((a + b + c) / 3 / np.linalg.norm((a + b + c) / 3, axis=1)[:, None])).all()
    solid = 2 * np.arctan2(
        np.sum(a * np.cross(b, c), axis=1), 1 + np.sum(a * b, axis=1) + np.sum(b * c, axis=1) + np.sum(c * a, axis=1)
    )
    assert solid.min() > 0
    assert solid.sum() == pytest.approx(4 * np.pi, rel=1e-12)
    assert (np.linalg.norm(np.cross(b - a, c - a), axis=1) > 0.3 * sides.max(axis=0) ** 2).all()
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()


@pytest.mark.parametrize("span", [5, 400])
def test_chains_in_logarithms(span):
    """Populations and decay rates of five states against arithmetic with 600 digits, in detailed balance."""
    random = np.random.default_rng(7)
    depth, passes = span * random.random(5), span * (1 + random.random((5, 5)))
    log_rates = depth[:, None] * -1 - (passes + passes.T) / 2
    np.fill_diagonal(log_rates, -np.inf)
    assert log_stationary(log_rates) == pytest.approx(depth - logsumexp(depth), abs=1e-9 * span)
    with mpmath.workdps(1200):
        rates = mpmath.matrix(5, 5)
        for i in range(5):
            for j in range(5):
                if i != j:
                    rates[i, j] = -mpmath.exp(mpmath.mpf(log_rates[i, j]))
        for i in range(5):
            rates[i, i] = -sum(rates[i, j] for j in range(5) if j != i)
        # Symmetric by the root of the populations.
        for i in range(5):
            for j in range(i):
                rates[i, j] = rates[j, i] = -mpmath.sqrt(rates[i, j] * rates[j, i])
        values = mpmath.eigsy(rates, eigvals_only=True)
        exact = [float(mpmath.log(x)) for x in sorted(values)[1:]]
    assert log_decays(log_rates) == pytest.approx(exact, abs=1e-6)


COLD = """\
[macrospin]
volume = 1.9e-24
saturation_magnetization = 7e5
damping = 0.1
temperature = 20
[[macrospin.anisotropy]]
kind = "uniaxial"
constant = 1.3e5
"""


def test_cold_bit_as_a_case(tmp_path):
    """A bit of 60 kT at room temperature, at 20 K: the summary has logarithms beside what no number holds."""
    summary, _ = run(tmp_path, COLD + task("escape") + task("first-passage", "start = [0, 0, 1]"))
    escape, passage = summary["tasks"].values()
    spin = fs.Macrospin(1.9e-24, 7e5, 0.1, 20.0, terms=[fs.Uniaxial(constant=1.3e5)])
    exact = axial(1.3e5 * 1.9e-24 / (1.380649e-23 * 20), 0.0)[0] + np.log(spin.diffusion)
    assert escape["rates"] == [[0, 0], [0, 0]]
    assert escape["dwell_times"] == [None, None]
    assert escape["populations"] == [pytest.approx(0.5, rel=1e-6)] * 2
    assert escape["log10_rates"][0][0] is None
    assert escape["log10_rates"][0][1] == pytest.approx(exact / LN10, abs=1e-5)
    assert escape["log10_dwell_times"] == [pytest.approx(-exact / LN10, abs=1e-5)] * 2
    assert passage["mean_first_passage_time"] is None
    assert passage["log10_mean_first_passage_time"] == pytest.approx(-exact / LN10 + np.log10(0.5), abs=1e-5)


# ---- loops at an angle
@pytest.mark.slow
def test_strong_fields_at_an_angle():
    """A sweep whose Zeeman energy spans 1000 kT, on a mesh for the wells: what follows it is Boltzmann's."""
    spin, axis = magnet(50, 0.2), np.array([np.sin(0.6), 0.0, np.cos(0.6)])
    end = 0.02 / spin.diffusion
    fp = fs.FokkerPlanck(fs.Sigma(COMM, 0.25, refine=spin), spin)
    found = fp.evolve([end], start=tuple(axis), field=lambda t: tuple((1.6 - 0.1 * t / end) * axis), tolerance=1e-3)
    turned = spin.with_field(tuple(1.5 * axis))
    exact = fs.FokkerPlanck(fs.Sigma(COMM, 0.2, refine=turned), turned).equilibrium().mean
    # It lags a little behind.
    assert found.mean[0] == pytest.approx(exact, abs=5e-4)
    assert found.probability == pytest.approx(1, abs=1e-9)
    assert found.mass_error < 1e-9


@pytest.mark.slow
def test_fast_loop_at_an_angle_against_langevin():
    """A reversal by a field at 35 degrees: trajectories agree within their statistical error."""
    spin, axis = magnet(12, 0.3), np.array([np.sin(0.61), 0.0, np.cos(0.61)])
    top, end = 24 * KT / (7e5 * 1.9e-24), 0.5 / spin.diffusion
    times = end * np.array([0.3, 0.5, 0.7, 0.85, 1.0])

    def field(t):
        return tuple(top * (1 - 2 * t / end) * axis)

    fp = fs.FokkerPlanck(fs.Sigma(COMM, 0.45, refine=spin), spin)
    found = fp.evolve(times, start=tuple(axis), field=field, tolerance=3e-4).mean @ axis
    seen = fs.langevin(COMM, spin, times, ensemble=3000, seed=3, start=tuple(axis), field=field)
    error = np.linalg.norm(seen.mean_error * axis, axis=1)
    assert found[0] > 0.6
    assert found[-1] < -0.6
    assert np.abs(found - seen.mean @ axis).max() < 4 * error.max()


def test_failures_of_loops_say_where(monkeypatch):
    """A solve that fails half-way: its time and its field."""

    def fail(self, b, solve):
        raise SolverError("sphere: a solve failed")

    spin = magnet(20, 0.2, field=(0, 0.1, 0))
    b = spin.field[1]
    fp = fs.FokkerPlanck(fs.Sigma(COMM, 0.6), spin)
    monkeypatch.setattr(Factor, "_run", fail)
    with pytest.raises(SolverError, match=rf"failed \(at t = 0 s, in a field of \(0.25, {b:.4g}, 0\) T\)"):
        fp.evolve([1e-9], initial=fp.equilibrium(), field=lambda t: (0.25, 0.0, 0.0))


# ---- steps of trajectories
@pytest.mark.parametrize(("damping", "turn", "bound"), [(0.01, 0.1, 0), (0.8, 0.03, 1)])
def test_default_steps(damping, turn, bound):
    """Precession turns by 0.1 a step, damping by 0.03, whichever is shorter."""
    spin = magnet(60, damping)
    rates = Motion(spin).fastest_rates(np.array([1e-9]))
    curvature = 2 * 60 * KT / spin.moment * np.sqrt(2)  # the norm of both
    fastest = spin.gyromagnetic_ratio / np.sqrt(1 + damping**2) * curvature
    assert rates == pytest.approx((fastest, damping / np.sqrt(1 + damping**2) * fastest), rel=1e-2)
    assert step_lengths(Motion(spin), np.array([1e-9]))[0] * rates[bound] == pytest.approx(turn, rel=1e-9)
    # A torque counts in both.
    torque = fs.SpinTorque.critical(spin, 4.0, (0, 0, -1))
    more = Motion(spin, torque).fastest_rates(np.array([1e-9]))
    assert more[0] - rates[0] == pytest.approx(more[1] - rates[1], rel=1e-9)
    assert more[0] > rates[0]


# ---- currents
@pytest.mark.parametrize("axisymmetric", [None, False])
def test_currents_and_their_gauge(axisymmetric):
    """No current in equilibrium; under torque two gauges with one divergence, the other one as its formula says."""
    tilt = (0, 0, 1) if axisymmetric is None else (0, 0.5, 1)
    terms = [fs.Uniaxial(constant=5e4, axis=tilt)]
    spin = fs.Macrospin(
        3.3e-25, 6.1e5, 0.23, 215.0, terms=terms, field=(0, 0, 0.03) if axisymmetric is None else (0.02, 0, 0)
    )
    sigma = COMM if axisymmetric is None else fs.Sigma(COMM, 0.3)
    d = fs.FokkerPlanck(sigma, spin, axisymmetric=axisymmetric).equilibrium()
    assert np.abs(d.current(DimensionlessDrift(spin))).max() < 1e-11 * d.points.max()
    # Its circulation in the other gauge.
    u, rho = d.surface.points, d.points[:, None]
    turning = rho * np.cross(u, spin.reduced_energy.gradient(u)) / 0.23
    assert d.current(DimensionlessDrift(spin), gauge="drift") == pytest.approx(
        turning, abs=1e-9 * np.abs(turning).max()
    )
    torque = fs.SpinTorque(damping_like=4e-3, field_like=2e-3, polarizer=(0, 0, 1))
    driven = DimensionlessDrift(spin, torque)
    d = fs.FokkerPlanck(sigma, spin, torque, axisymmetric=axisymmetric).steady()
    ours, other = (d.current(driven, gauge=g) for g in ("forces", "drift"))
    assert other == pytest.approx(d.points[:, None] * driven.velocity(u) - d.gradient, abs=1e-9 * np.abs(other).max())
    scale = np.abs(d.surface.load(np.linalg.norm(ours, axis=1))).max()
    assert np.abs(ours - other).max() > 0.1 * np.abs(ours).max()
    divergence = d.surface.load_gradient(ours - other)
    assert np.abs(divergence).max() < 1e-6 * np.abs(d.surface.load_gradient(np.abs(ours))).max() + 1e-9 * scale
    with pytest.raises(InputError, match="gauge is 'ours'"):
        d.current(driven, gauge="ours")
