"""Longitudinal M and m: closed forms, modes, transients, responses, balances, positivity; on 1 to 3 ranks."""

import dataclasses
import math

import numpy as np
import pytest
import scipy.linalg
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st
from launch import numbers, require_equal
from mpi4py import MPI
from samples.longitudinal import COMM, LENGTH, RADIUS, TAU, D, box, disc, interval, magnet

from fespin import InputError
from fespin.constants import VACUUM_PERMEABILITY
from fespin.errors import ModelError, SolverError
from fespin.longitudinal import (
    Flux,
    Held,
    LongitudinalMagnet,
    LongitudinalProblem,
    decay_mode,
    decay_modes,
    evolve,
    fitted_wavenumber,
    respond,
    wavenumber_of_pencil,
)
from fespin.solvers import SolverOptions

XIS = (0.01, 0.09, 0.1, 0.3, 0.9)
LATTICE = ((0.0, 0.0), (0.05, 0.0), (0.05, 0.2), (0.05, 1.7))  # w_m/r, w_M/r


def orders(errors):
    return np.log2(np.array(errors[:-1]) / np.array(errors[1:]))


# ---- closed forms
@pytest.mark.parametrize("xi", XIS)
@pytest.mark.parametrize(("w_m", "w_M"), LATTICE)
def test_rates_are_the_eigenvalues(xi, w_m, w_M):
    """Eqs. (36, 39): those of Gamma, Eq. (33), and of the symmetric pencil, over eight decades of k."""
    g = magnet(xi, w_m, w_M)
    k = np.geomspace(1e-3, 1e3, 13) * g.k_M
    slow, fast = g.decay_rates(k)
    for i, q in enumerate(k):
        rates = np.sort(-np.linalg.eigvals(g.generator(q)))
        assert fast[i] == pytest.approx(rates[1], rel=1e-12, abs=0)
        assert slow[i] == pytest.approx(rates[0], rel=0, abs=1e-15 * fast[i] * 10)
        total = g.relaxation + np.diag([0, g.stiffness * q * q])
        assert np.sort(scipy.linalg.eigh(total, g.storage, eigvals_only=True)) == pytest.approx(
            rates, rel=1e-9, abs=1e-14 * fast[i]
        )
    # As printed.
    u, wm, wM = (k / g.k_M) ** 2, w_m, w_M
    root = np.sqrt((wm - wM + u + 1) ** 2 - 4 * xi * (1 - wM) * (u + wm))
    assert fast == pytest.approx(g.rate / 2 * (wm + wM + u + 1 + root), rel=1e-12, abs=0)
    if not w_m and not w_M:
        root = np.sqrt((1 + u) ** 2 - 4 * xi * u)
        assert fast == pytest.approx(g.rate / 2 * (1 + u + root), rel=1e-12, abs=0)
        # Eq. (37): diffusion of the slow mode, slower by xi; and where it ends.
        assert slow[0] == pytest.approx(xi * D * k[0] ** 2, rel=2e-6, abs=0)
        assert slow[-1] == pytest.approx(xi * g.rate, rel=2e-6, abs=0)
        vector = scipy.linalg.null_space(g.generator(k[3]) + slow[3] * np.eye(2), rcond=1e-9)[:, 0]
        assert vector[1] / vector[0] == pytest.approx(-xi * u[3], rel=5 * u[3], abs=0)


@pytest.mark.parametrize("xi", XIS)
@pytest.mark.parametrize(("w_m", "w_M"), LATTICE)
def test_wavenumber_inverts_the_rates(xi, w_m, w_M):
    """Eqs. (41, 44): det(Gamma - i omega) = 0, the pencil, the limits (42, 43), and the sign of each printed form."""
    g = magnet(xi, w_m, w_M)
    for omega in np.geomspace(1e-4, 1e4, 9) * g.rate:
        k = complex(g.wavenumber(omega))
        assert k.real > 0 > k.imag
        assert complex(g.wavenumber(-omega)) == pytest.approx(-k.conjugate(), rel=1e-14, abs=0)
        assert wavenumber_of_pencil(g, omega) == pytest.approx(k, rel=1e-10, abs=0)
        q = w_m + k**2 / g.k_M**2
        gamma = np.array([[-w_M, 1 - w_M], [-xi * q, -1 - q]]) - 1j * omega / g.rate * np.eye(2)
        assert abs(np.linalg.det(gamma)) < 1e-13 * (1 + abs(q) + omega / g.rate) ** 2
        s = 1j * omega / g.rate
        assert k**2 / g.k_M**2 == pytest.approx(-w_m - (s + 1) * (s + w_M) / (s - xi * w_M + w_M + xi), rel=1e-12)
        if not w_m and not w_M:
            o = omega / g.rate  # Eq. (41) is that of exp(-i omega t)
            assert (k.conjugate() / g.k_M) ** 2 == pytest.approx(1j * o * (o + 1j) / (o + 1j * xi), rel=1e-12)
    if not w_m and not w_M:
        assert complex(g.wavenumber(1e-9 * g.rate)) ** 2 == pytest.approx(-1e-9j * g.k_M**2 / xi, rel=1e-6)
        assert complex(g.wavenumber(1e9 * g.rate)) ** 2 == pytest.approx(-1e9j * g.k_M**2, rel=1e-6)
        assert complex(g.wavenumber(0.0)) == 0


# ---- modes
@pytest.mark.parametrize("xi", XIS)
def test_modes_of_a_line(xi):
    """Both branches, all lattice rates: the closed form at the discrete k to 1e-10."""
    ks = np.array([1, 3, 6]) * math.pi / LENGTH
    for lattice in LATTICE:
        g = magnet(xi, *lattice)
        problem = interval(g)
        for m in decay_modes(problem, ks):
            exact = g.decay_rates(m.wavenumber)[("slow", "fast").index(m.branch)]
            assert m.rate == pytest.approx(float(exact), rel=1e-10, abs=0)
            assert np.abs(ks / m.wavenumber - 1).min() < 3e-4
            assert m.residual < 1e-11


def test_uniform_modes():
    """Without lattice M + m stays for ever; M and m meet at the rate r."""
    g = magnet(0.3)
    slow, fast = decay_modes(interval(g), [0.0])
    assert abs(slow.rate) < 1e-9 * g.rate
    assert fast.rate == pytest.approx(g.rate, rel=1e-9, abs=0)
    assert fast.M + fast.m == pytest.approx(0, abs=1e-7 * np.abs(fast.M).max())


@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize("branch", ["slow", "fast"])
def test_order_of_the_rates(degree, branch):
    """Order 2p in the mesh size against the exact k, on both branches."""
    g = magnet(0.3, 0.05, 0.2)
    k = 3 * math.pi / LENGTH
    exact = float(g.decay_rates(k)[("slow", "fast").index(branch)])
    cells = {1: (24, 48, 96), 2: (8, 16, 32), 3: (5, 10, 20)}[degree]
    errors = [abs(decay_mode(interval(g, n, degree), k, branch).rate / exact - 1) for n in cells]
    assert orders(errors) == pytest.approx(2 * degree, abs=0.3)


@pytest.mark.parametrize(("cells", "degree"), [(5, 3), (9, 2), (4, 1)])
def test_branches_are_told_by_their_rates(cells, degree):
    """On coarse meshes too every wave has a slow and a fast mode of one discrete wavenumber, each under its name."""
    for xi, w_m, w_M in ((0.3, 0.05, 0.2), (0.7, 0.0, 0.0), (0.09, 0.4, 1.7)):
        g = magnet(xi, w_m, w_M)
        problem = interval(g, cells, degree)
        ks = np.arange(1, 4) * math.pi / LENGTH
        modes = decay_modes(problem, ks)
        slow, fast = modes[:3], modes[3:]
        for one, other in zip(slow, fast, strict=True):
            assert (one.branch, other.branch) == ("slow", "fast")
            assert one.rate < g.rate_between < other.rate
            assert one.wavenumber == pytest.approx(other.wavenumber, rel=1e-6)
            rates = g.decay_rates(one.wavenumber)
            assert (one.rate, other.rate) == pytest.approx((float(rates[0]), float(rates[1])), rel=1e-9, abs=0)
            # A slow wave of m follows M; a fast one is m that flows back to M. Eigenvectors of the generator.
            for mode in (one, other):
                ratio = -(mode.rate - g.w_M) / (g.rate - g.w_M)
                assert mode.M * ratio == pytest.approx(mode.m, abs=1e-6 * (np.abs(mode.M).max() + np.abs(mode.m).max()))


def test_slow_modes_of_one_rate_are_refused():
    """With w_M = r every slow wave decays at that rate, so that none has a wavenumber; the fast ones do."""
    problem = interval(magnet(0.3, 0.05, 1.0))
    with pytest.raises(InputError, match="all slow modes decay at one rate"):
        decay_modes(problem, [math.pi / LENGTH])
    (fast,) = decay_modes(problem, [math.pi / LENGTH], ["fast"])
    assert fast.wavenumber == pytest.approx(math.pi / LENGTH, rel=1e-4)


@pytest.mark.slow
def test_modes_of_a_disc():
    """Zeros of J_m' for a closed disc, on curved triangles: order 4."""
    g = magnet(0.09, 0.05, 0.2)
    zeros = (scipy.special.jnp_zeros(1, 1)[0], scipy.special.jnp_zeros(0, 1)[0])
    errors, unknowns = [], []
    for size in (0.3, 0.12):
        problem = disc(g, size)
        unknowns.append(problem.unknowns)
        modes = decay_modes(problem, [z / RADIUS for z in zeros])
        for m in modes:
            exact = g.decay_rates(m.wavenumber)[("slow", "fast").index(m.branch)]
            assert m.rate == pytest.approx(float(exact), rel=1e-10, abs=0)
        errors.append([abs(m.wavenumber * RADIUS / z - 1) for m, z in zip(modes, zeros * 2, strict=True)])
    assert np.max(errors[1]) < 2e-4
    order = 2 * np.log(np.array(errors[0]) / errors[1]) / math.log(unknowns[1] / unknowns[0])
    assert order == pytest.approx(4, abs=0.5)


def test_modes_of_a_box():
    g = magnet(0.1, 0.05, 0.0)
    k = math.pi / LENGTH * math.hypot(1 / 0.7, 1 / 0.9)
    for branch in ("slow", "fast"):
        m = decay_mode(box(g), k, branch)
        exact = g.decay_rates(m.wavenumber)[("slow", "fast").index(branch)]
        assert m.rate == pytest.approx(float(exact), rel=1e-10, abs=0)
        assert m.wavenumber == pytest.approx(k, rel=5e-3, abs=0)


# ---- time
def test_uniform_relaxation_is_of_order_four():
    """k = 0: no error of the mesh; fixed steps against the exponential of Gamma."""
    g = magnet(0.3, 0.4, 0.2)
    problem = interval(g, 2)
    end, errors = 3 / g.rate, []
    exact = scipy.linalg.expm(g.generator(0.0) * end) @ [1.3, -0.4]
    for n in (4, 8, 16):
        h = end / n
        x = evolve(problem, problem.state(1.3, -0.4), end, first_step=h, max_step=h, tolerance=0.5)
        assert len(x.times) == n + 1
        errors.append(abs(np.array([x.total_M[-1], x.total_m[-1]]) / LENGTH - exact).max())
    assert orders(errors)[-1] == pytest.approx(4, abs=0.3)


@pytest.mark.parametrize("lattice", LATTICE)
def test_modes_relax_as_the_exponential(lattice):
    """cos(k x) in M and m, unequal: exp(Gamma t), whatever the mixture of the branches, at all wanted times."""
    g = magnet(0.3, *lattice)
    k = 2 * math.pi / LENGTH
    problem = interval(g, 20, 4)
    shape = np.cos(k * problem.nodes()[:, 0])
    wanted = np.array([0.0, 0.3, 1.0, 2.5]) / g.rate
    x = evolve(
        problem,
        problem.state(lambda x: 1.3 * np.cos(k * x[0]), lambda x: -0.4 * np.cos(k * x[0])),
        wanted[-1],
        wanted=wanted,
        tolerance=1e-8,
    )
    for t, state in zip(wanted, x.states, strict=True):
        M, m = scipy.linalg.expm(g.generator(k) * t) @ [1.3, -0.4]
        assert pytest.approx(M * shape, rel=0, abs=1e-7) == state.M
        assert state.m == pytest.approx(m * shape, rel=0, abs=1e-7)
    assert np.abs(x.balance).max() < 1e-10
    # Energy by quadrature in time, of the method's order.
    assert x.heat[-1] == pytest.approx(x.energy[0] - x.energy[-1], rel=1e-6, abs=0)
    assert np.all(np.diff(x.energy) < 0)


@pytest.mark.parametrize("shape", ["line", "disc", "box"])
def test_conservation(shape):
    """A step of M, closed and without lattice: M + m stay to rounding, with a factor and with multigrid."""
    g = magnet(0.3)
    problem = {"line": interval, "disc": lambda g: disc(g, 0.3), "box": lambda g: box(g, "amg")}[shape](g)
    step = problem.state(lambda x: np.where(x[0] < 0.3 * LENGTH, 1.7, 0.2))
    x = evolve(problem, step, 4 / g.rate, tolerance=1e-3)
    assert np.abs(x.conservation).max() < 1e-12
    assert not x.lost.any()
    assert np.abs(x.balance).max() < 1e-10
    assert all((v >= 0).all() for v in x.dissipation.values())
    assert np.abs(x.total_m).max() < 1e-12 * x.total_M[0]
    assert problem.comm.allreduce(np.abs(x.final.m).max(initial=0.0), MPI.MAX) > 0.01


def test_balances_with_everything():
    """Injection, a reservoir that jumps, lattice: M + m to rounding, power to rounding, energy to the tolerance."""
    g = magnet(0.3, 0.05, 0.2)
    problem = interval(g)
    end, jump = 6 / g.rate, 2 / g.rate
    x = evolve(
        problem,
        problem.state(lambda x: np.sin(7 * x[0] / LENGTH), 0.3),
        end,
        conditions={
            "left": Flux(lambda t: -2e5 * math.sin(3 * g.rate * t)),
            "right": Held(lambda t: 0.4 if t > jump else -0.1),
        },
        breakpoints=[jump],
        tolerance=1e-6,
    )
    assert jump in x.times
    assert np.abs(x.conservation).max() < 1e-12
    assert np.abs(x.balance).max() < 1e-10
    rest = x.energy - x.energy[0] + x.heat - x.put_in
    assert np.abs(rest).max() < 1e-6 * x.heat[-1]
    integral = 2e5 / (3 * g.rate) * (1 - math.cos(18))
    assert x.injected["left"][-1] == pytest.approx(integral, rel=1e-5, abs=0)
    assert x.lost[-1] != 0


def test_jumps_are_found():
    """Fluxes that jump within a longest step: what came in is exact, without being told when."""
    g = magnet(0.3, 0.4, 0.2)
    problem, end = interval(g, 4), 6 / g.rate
    on, off = 0.3071 * end, 0.3093 * end
    x = evolve(
        problem,
        problem.state(),
        end,
        conditions={"left": Flux(lambda t: -4e5 if on < t < off else 0.0), "right": Held(lambda t: 0.2 * (t > off))},
        wanted=[off],
    )
    assert x.injected["left"][-1] == pytest.approx(4e5 * (off - on), rel=1e-12, abs=0)
    assert off in x.times and np.abs(x.times / on - 1).min() < 1e-14
    assert np.abs(x.balance).max() < 1e-10 and np.abs(x.conservation).max() < 1e-12


def test_evolution_ends_at_the_steady_state():
    """Constant conditions: the transient ends where the response at no frequency is."""
    g = magnet(0.3, 0.4, 0.2)
    problem = interval(g)
    conditions = {"left": Flux(-3e5), "right": Held(0.2)}
    x = evolve(problem, problem.state(), 60 / g.rate, conditions=conditions, tolerance=1e-6)
    steady = respond(problem, 0.0, conditions)
    assert pytest.approx(steady.M.real, rel=0, abs=1e-5 * np.abs(steady.M).max()) == x.final.M
    assert x.final.m == pytest.approx(steady.m.real, rel=0, abs=1e-5 * np.abs(steady.m).max())
    assert x.work[-1] == pytest.approx(2 * steady.work, rel=1e-4, abs=0)  # a mean over cosines is half
    assert abs(steady.balance) < 1e-10 and not np.abs(steady.M.imag).any()


def test_field_step():
    """A field that is switched on is M = -chi_M dH; M ends at its new equilibrium, m rises and is gone again."""
    g = magnet(0.3, 0.5, 0.2)
    problem = interval(g, 2)
    seen = []
    initial = problem.state(-0.37 * 100.0)
    x = evolve(problem, initial, 40 / g.rate, each=lambda t, s: seen.append(s.m.max(initial=-np.inf)))
    assert x.energy[0] == pytest.approx(VACUUM_PERMEABILITY / 2 * 0.37 * 1e4 * LENGTH, rel=1e-12, abs=0)
    # Far fields end where they began: what the lattice has given is what M has gained.
    assert x.lost[-1] == pytest.approx(-37.0 * LENGTH, rel=1e-2, abs=0)
    assert COMM.allreduce(max(seen), MPI.MAX) > 1.0


# ---- frequency
@pytest.mark.parametrize("lattice", LATTICE)
def test_response_of_a_line(lattice):
    """cosh(i k (L - x)) beyond an injecting end, for frequencies around all rates; power to rounding."""
    g = magnet(0.1, *lattice)
    problem = interval(g, 60)
    x = problem.nodes()[:, 0]
    for f in np.array([0.01, 0.3, 3.0]) * g.rate / (2 * math.pi):
        y = respond(problem, f, {"left": Flux(-(2.0 + 0.7j))})
        k = complex(g.wavenumber(2 * math.pi * f))
        q = 1j * k
        exact = (2.0 + 0.7j) * np.cosh(q * (LENGTH - x)) / (D * q * np.sinh(q * LENGTH))
        assert y.accumulation == pytest.approx(exact, rel=0, abs=1e-6 * abs(exact).max())
        assert abs(y.balance) < 1e-10
        assert y.impedance("left") == pytest.approx(1 / (D * q * np.tanh(q * LENGTH)), rel=1e-6, abs=0)
        assert y.M + y.m == pytest.approx(y.accumulation + (1 - g.xi) * y.M, rel=1e-9, abs=1e-9 * abs(y.M).max())
        found = fitted_wavenumber(problem, y, 0.0, LENGTH / 60, 40)
        assert found == pytest.approx(k, rel=1e-5, abs=0)
        assert y.iterations < 45


def test_half_space():
    """Far from the other end the impedance is 1/(i D k), and the fitted k converges with order 4."""
    g = magnet(0.3, 0.05, 0.2)
    omega = 1.3 * g.rate
    k = complex(g.wavenumber(omega))
    length = 12 / abs(k.imag)
    errors, fits = [], []
    for cells in (30, 60, 120):
        problem = interval(g, cells, length=length)
        y = respond(problem, omega / (2 * math.pi), {"left": Flux(-1.0)})
        errors.append(abs(y.impedance("left") * 1j * D * k - 1))
        fits.append(abs(fitted_wavenumber(problem, y, 0.0, length / cells, 6) / k - 1))
    assert orders(errors)[-1] == pytest.approx(4, abs=0.3)
    assert orders(fits)[-1] == pytest.approx(4, abs=0.3)
    assert fits[-1] < 1e-5


def test_response_of_a_disc():
    """Injection at the edge: J_0(k r), with complex k; order 3 at least, with a factor and with multigrid."""
    g = magnet(0.3, 0.05, 0.2)
    omega = 0.8 * g.rate
    k = complex(g.wavenumber(omega))
    errors, unknowns = [], []
    for size, kind in ((0.3, "direct"), (0.1, "amg")):
        problem = disc(g, size, kind)
        y = respond(problem, omega / (2 * math.pi), {"edge": Flux(-1.0)})
        r = np.hypot(*problem.nodes()[:, :2].T)
        exact = -scipy.special.jv(0, k * r) / (D * k * scipy.special.jv(1, k * RADIUS))
        wrong, all_ = (
            sum(problem.dot(z, problem.times(problem.mass, z)) for z in (x.real.copy(), x.imag.copy()))
            for x in (y.accumulation - exact, exact)
        )
        errors.append(math.sqrt(wrong / all_))
        unknowns.append(problem.unknowns)
        assert abs(y.balance) < 1e-10
        assert y.inward["edge"] == pytest.approx(2 * math.pi * RADIUS, rel=1e-4, abs=0)
    assert errors[1] < 1e-4
    assert math.log(errors[0] / errors[1]) / math.log(unknowns[1] / unknowns[0]) * 2 > 2.8


@pytest.mark.slow
def test_response_is_the_end_of_a_transient():
    """A sinusoidal injection, followed until the start is forgotten."""
    g = magnet(0.3, 0.4, 0.6)
    problem = interval(g)
    omega = 2.0 * g.rate
    period = 2 * math.pi / omega
    y = respond(problem, 1 / period, {"left": Flux(-1e5)})
    wanted = [12 * period, 12.25 * period]
    x = evolve(
        problem,
        problem.state(),
        12.25 * period,
        conditions={"left": Flux(lambda t: -1e5 * math.cos(omega * t))},
        wanted=wanted,
        max_step=period / 16,
        tolerance=1e-6,
    )
    for state, phase in zip(x.states, (1.0, 1j), strict=True):
        assert pytest.approx((y.M * phase).real, rel=0, abs=2e-5 * np.abs(y.M).max()) == state.M
        assert state.m == pytest.approx((y.m * phase).real, rel=0, abs=2e-5 * np.abs(y.m).max())


def test_reservoirs_at_a_frequency_are_reciprocal():
    """What one end's reservoir drives through the other is the same either way, though the rest differs."""
    g = magnet(0.3, 0.4, 0.2)
    for problem, ends in ((interval(g), ("left", "right")), (box(g), ("bottom", "top"))):
        flux = []
        for a, b in (ends, ends[::-1]):
            y = respond(problem, 0.2 * g.rate, {a: Held(1.0 + 0.5j), b: Held(0.0)})
            flux.append(y.inward[b])
            assert abs(y.balance) < 1e-10
        assert flux[0] == pytest.approx(flux[1], rel=1e-9, abs=0)


# ---- thermodynamics
decades = st.floats(-3, 3).map(lambda x: 10.0**x)
maybe = st.one_of(st.just(math.inf), decades.map(lambda x: x * TAU))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    xi=st.one_of(st.floats(1e-4, 0.9999), st.sampled_from(XIS)),
    tau=decades,
    diffusion=decades,
    times=st.tuples(maybe, maybe),
    chi=decades,
    seed=st.integers(0, 1 << 30),
)
def test_entropy_production_is_never_negative(xi, tau, diffusion, times, chi, seed):
    """Any parameters, any state: each mechanism, both rates, the storage; and the scalar of the response."""
    g = LongitudinalMagnet(xi, tau * TAU, diffusion * D, *times, susceptibility=chi)
    problem = SMALL
    problem.magnet = g
    rng = np.random.default_rng(seed)
    M, m = rng.normal(size=(2, problem.owned))
    parts = problem.dissipation(*g.potentials(M, m))
    assert all(x >= 0 for x in parts.values())
    assert parts["exchange"] > 0 and parts["diffusion"] > 0
    assert problem.free_energy(problem_state(M, m)) > 0
    slow, fast = g.decay_rates(np.geomspace(1e-3, 1e3, 7) * g.k_M)
    assert (slow > 0).all() and (slow < fast).all()
    assert np.all(np.linalg.eigvalsh(g.storage) > 0)
    k2 = np.asarray(g.wavenumber(np.geomspace(1e-3, 1e3, 7) * g.rate)) ** 2
    assert (k2.real <= 1e-9 * abs(k2)).all() and (k2.imag < 0).all()


SMALL = interval(magnet(), 5, comm=MPI.COMM_SELF)


def problem_state(M, m):
    from fespin.longitudinal import State

    return State(M, m)


def test_energy_is_the_integral():
    """The quadratic form against SSX's Eq. (2) by hand, for unequal M and m."""
    g = magnet(0.3)
    problem = interval(g, 3)
    chi_M, chi_m, M, m = 0.37, 0.3 * 0.37, 2.1, -0.8
    by_hand = VACUUM_PERMEABILITY / 2 * (M**2 / chi_M + 2 * M * m / chi_M + m**2 / chi_m) * LENGTH
    assert problem.free_energy(problem.state(M, m)) == pytest.approx(by_hand, rel=1e-12, abs=0)
    # An unstable magnet's would be negative somewhere: M = -m.
    assert by_hand > 0 > chi_m - chi_M


# ---- ranks
@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    return numbers(1, "longitudinal.py", tmp_path_factory.mktemp("serial"))


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [2, 3])
def test_rank_counts_agree(ranks, serial, tmp_path):
    require_equal(numbers(ranks, "longitudinal.py", tmp_path), serial)


# ---- bad input
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"xi": 1.2}, "xi = chi_m/chi_M is 1.2; a stable magnet has chi_m <= chi_M"),
        ({"xi": 1.0}, "0 < xi < 1"),
        ({"xi": 0.0}, "xi is 0.0"),
        ({"xi": "a"}, "xi is 'a'"),
        ({"tau_mM": -1e-12}, "tau_mM is -1e-12"),
        ({"diffusion": math.inf}, "diffusion is inf"),
        ({"tau_ML": 0.0}, "tau_ML is 0.0"),
        ({"tau_mL": math.nan}, "tau_mL is nan"),
        ({"susceptibility": 0.0}, "susceptibility is 0.0"),
    ],
)
def test_impossible_magnets(changes, words):
    with pytest.raises(InputError, match=words) as error:
        dataclasses.replace(magnet(), **changes)
    assert isinstance(error.value, ModelError) or "xi" not in changes or changes["xi"] in (0.0, "a")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"duration": 0.0}, "duration is 0.0"),
        ({"tolerance": 2.0}, "tolerance is 2.0"),
        ({"first_step": 1.0}, "first_step is 1.0"),
        ({"wanted": [-1e-12]}, "wanted holds"),
        ({"breakpoints": [math.nan]}, "breakpoints holds nan"),
        ({"conditions": {"lefft": Held(0.0)}}, "did you mean 'left'"),
        ({"conditions": {"left": 3.0}}, "must be a Flux, Held or Contact"),
        ({"conditions": {"left": Flux(1j)}}, "must be a finite number"),
        ({"conditions": {"left": Flux(lambda t: math.nan)}}, "nan at .* s"),
        ({"conditions": {"left": Flux(lambda t: 1 / 0)}}, "ZeroDivisionError"),
    ],
)
def test_impossible_relaxations(options, words):
    problem = interval(magnet(), 3)
    arguments = {"duration": 1e-12} | options
    with pytest.raises((InputError, SolverError), match=words):
        evolve(problem, problem.state(1.0), **arguments)


def test_other_bad_input():
    g = magnet()
    problem = interval(g, 4)
    domain = problem.mesh
    with pytest.raises(InputError, match="no facet"):
        LongitudinalProblem(domain, g, parts={"none": lambda x: x[0] < -1})
    with pytest.raises(InputError, match="degree is 0"):
        LongitudinalProblem(domain, g, degree=0)
    with pytest.raises(InputError, match="LongitudinalMagnet"):
        LongitudinalProblem(domain, 3.0)
    with pytest.raises(InputError, match="frequency is -1"):
        respond(problem, -1, {"left": Flux(1.0)})
    with pytest.raises(InputError, match="nothing takes up"):
        respond(problem, 0.0, {"left": Flux(1.0)})
    with pytest.raises(InputError, match="an amplitude"):
        respond(problem, 1.0, {"left": Flux(lambda t: 1.0)})
    y = respond(problem, 1e9, {"left": Flux(1.0)})
    with pytest.raises(InputError, match="nothing is injected"):
        y.impedance("right")
    with pytest.raises(InputError, match="no node"):
        fitted_wavenumber(problem, y, 0.1 * LENGTH, 0.2 * LENGTH, 2)
    with pytest.raises(InputError, match="branch is 'slo'"):
        decay_modes(problem, [1.0], ["slo"])
    with pytest.raises(InputError, match="a wavenumber is -1"):
        decay_modes(problem, [-1.0])
    with pytest.raises(InputError, match="one finite number"):
        problem.state(math.nan)


def test_iterations_that_do_not_converge_say_so():
    """Options are the caller's: too few iterations of either kind are an error that names what to try."""
    g = magnet()
    problem = box(g, "amg", (2, 2, 2))
    problem.options = SolverOptions("amg", max_iterations=1)
    with pytest.raises(SolverError, match="no convergence"):
        respond(problem, g.rate, {"top": Flux(1.0)})
    with pytest.raises(SolverError, match="no convergence"):
        evolve(problem, problem.state(lambda x: x[0]), 1 / g.rate)
