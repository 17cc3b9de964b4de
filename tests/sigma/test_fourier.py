"""Rings around an axis, Fourier series times elements of the polar angle: against harmonics and triangles."""

import pickle

import numpy as np
import pytest
import scipy.linalg
from launch import numbers
from mpi4py import MPI

import fespin as fs
from fespin.errors import InputError, SolverError
from fespin.macrospin.spin import fibonacci
from fespin.sigma import Fourier
from fespin.sigma.cost import Forecast
from fespin.sigma.dimensionless import DimensionlessDrift
from fespin.sigma.escape import rates_on
from fespin.sigma.krylov import exponentials
from fespin.sigma.meridian import Meridian
from fespin.sigma.modes import find_spectrum
from fespin.sigma.operator import Operator
from fespin.sigma.orders import Orders, Unresolved, azimuthal_width, common_axis
from fespin.sigma.spectrum import near_zero
from fespin.sigma.switching import course
from references import harmonics

COMM = MPI.COMM_WORLD
SIZE = {"volume": 1.7e-24, "saturation_magnetization": 8.2e5, "temperature": 290.0}
STIFF = SIZE["volume"] * SIZE["saturation_magnetization"] / (1.380649e-23 * SIZE["temperature"])  # Ms v/kT, 1/T
OBLIQUE = np.array([1.0, -2.0, 2.0]) / 3


def bit(stability, damping, field=(0.0, 0.0, 0.0), hard=0.0, **other):
    terms = [fs.Uniaxial(stability=stability)] + ([fs.Uniaxial(stability=-hard, axis=(3, 4, 0))] if hard else [])
    return fs.Macrospin(damping=damping, terms=terms, field=field, **SIZE, **other)


def tilted(spin, ratio, degrees, turn=0.0, field_like=0.0):
    """A polarizer so many degrees off -z, at a multiple of the critical torque along the axis."""
    size = 2 * spin.terms[0].stability * spin.damping * ratio / STIFF
    t = np.radians(degrees)
    return fs.SpinTorque(size, field_like * size, (np.sin(t) * np.cos(turn), np.sin(t) * np.sin(turn), -np.cos(t)))


def expansion(spin, torque, lmax):
    """The same magnet and torque in spherical harmonics, and its energy."""
    v = harmonics.add(harmonics.uniaxial(spin.terms[0].stability), harmonics.field([STIFF * b for b in spin.field]))
    if torque is None:
        return harmonics.Harmonics(lmax, v, spin.damping), v
    a, b, alpha = torque.damping_like, torque.field_like, spin.damping
    along = harmonics.linear(torque.polarizer)
    chi = harmonics.scale(STIFF * (a - alpha * b) / alpha, along)
    phi = harmonics.scale(STIFF * (b + alpha * a) / alpha, along)
    return harmonics.Harmonics(lmax, v, alpha, chi, phi), v


# ---- the space
NO_SURFACES = {
    "axis": [(0, 0, 0), (0, 1), (0, np.nan, 1), "z"],
    "cells": [8.5, 1, "8", True],
    "degree": [0, 13, 4.0],
    "corner": [5.0, 0.0, "pi", np.nan],
    "orders": [-1, 2.0],
    "width": [-1, 1.5],
    "grading": [1.0, np.nan, "0"],
    "mesh_size": [0.0, None, np.nan, "0.1"],
    "refine": [3.0],
    "quadrature_degree": [0, 2.5],
}
OF = {"meridian": ("axis", "cells", "degree", "corner"), "fourier": ("orders", "width", "grading")}
OF["fourier"] += OF["meridian"]
OF["sphere"] = ("axis", "degree", "grading", "mesh_size", "refine", "quadrature_degree")
WRONG = [(owner, key, value) for owner, keys in OF.items() for key in keys for value in NO_SURFACES[key]]


@pytest.mark.parametrize(("owner", "key", "value"), WRONG)
def test_impossible_surfaces_are_refused(owner, key, value):
    made = {
        "meridian": lambda **k: Meridian(**{"axis": (0, 0, 1), "cells": 8} | k),
        "fourier": lambda **k: Fourier(**{"axis": (0, 0, 1), "cells": 8, "orders": 2} | k),
        "sphere": lambda **k: fs.Sigma(COMM, **{"mesh_size": 0.7} | k),
    }[owner]
    with pytest.raises(InputError, match=rf"^{owner}: {key}"):
        made(**{key: value})


def test_axis_of_a_meridian_has_any_length():
    assert Meridian((0, -6, 8), 6).axis == pytest.approx([0, -0.6, 0.8], abs=1e-15)


@pytest.mark.parametrize("axis", [(0, 0, 1), OBLIQUE])
def test_rings_are_round(axis):
    rings = Fourier(axis, 8, 3)
    assert rings.integral(np.ones(len(rings.measure))) == pytest.approx(4 * np.pi, rel=1e-12)
    assert rings.integral(rings.points[:, 0] ** 2 * rings.points[:, 2] ** 4) == pytest.approx(4 * np.pi * 3 / 105)
    assert rings.load(rings.points[:, 1] ** 2).sum() == pytest.approx(4 * np.pi / 3, rel=1e-12)
    assert np.linalg.norm(rings.nodes, axis=1) == pytest.approx(1, abs=1e-14)
    # Of a polynomial: values between the nodes, there and at other directions, and the gradient.
    e = np.array([0.3, -0.5, 0.9])
    values = (rings.nodes @ e) ** 2
    at = rings.at_points(values)
    assert at == pytest.approx((rings.points @ e) ** 2, abs=1e-4)
    assert rings.at(values, rings.points) == pytest.approx(at, abs=1e-12)
    slope = 2 * (rings.points @ e)[:, None] * (e - (rings.points @ e)[:, None] * rings.points)
    assert rings.gradient_at_points(values) == pytest.approx(slope, abs=4e-3)
    assert (rings.gradient_at_points(np.full(rings.owned, 0.7)) == 0).all()
    # By parts: the integral of grad f.grad g.
    stiff = rings.transport(np.ones(len(at)), np.zeros(len(at)), np.zeros((len(at), 3)))
    assert stiff.apply(values) == pytest.approx(rings.load_gradient(slope), abs=1e-4)


@pytest.mark.parametrize("axis", [(0, 0, 1), (0, 0, -1), (1, 2, -3), (1, 1, 0), (0.02, 0, 1)])
def test_hemispheres(axis):
    n = np.array(axis) / np.linalg.norm(axis)
    for rings in (Fourier((0, 0, 1), 12, 3), Fourier(OBLIQUE, 9, 4, degree=5)):
        load = rings.hemisphere(n, lambda u: 1 + (u @ n) ** 3 + u[:, 0] ** 2)
        assert load.sum() == pytest.approx(2 * np.pi * (1 + 1 / 4 + 1 / 3), rel=1e-9)
        # The mean of another polynomial over the half: half of the sphere's for an even one.
        assert rings.hemisphere(n, lambda u: np.ones(len(u))) @ rings.nodes[:, 1] ** 2 == pytest.approx(
            2 * np.pi / 3, rel=1e-5
        )


def test_factors_solve():
    """Real and complex, transposed, with rows pinned at a pole, in a cell and between two, of any matrix."""
    spin = bit(3.0, 0.2, (0.1, -0.05, 0.02))
    rings = Fourier(OBLIQUE, 5, 2, degree=3)
    op = Operator(rings, DimensionlessDrift(spin, tilted(spin, 0.8, 40, 0.7)), weighted=False)
    eye = np.eye(rings.owned)
    A, M = (np.stack([x.apply(e) for e in eye], axis=1) for x in (op.A, op.M))
    b = np.cos(np.arange(rings.owned))
    whole = M + 0.3 * A
    assert np.diagonal(A) == pytest.approx(op.A.diagonal(), abs=1e-12 * np.abs(A).max())
    factor = op.shifted(1.0, 0.3)
    assert whole @ factor.solve(b) == pytest.approx(b, abs=1e-10)
    assert whole.T @ factor.solve_transposed(b) == pytest.approx(b, abs=1e-10)
    z = 0.7 - 2.0j
    assert (A - z * M) @ op.A.shifted(op.M, z).solve(b + 1j * b[::-1]) == pytest.approx(b + 1j * b[::-1], abs=1e-9)
    rows = np.array([0, 3, 3 * 5 - 4, rings.owned - 1])
    pinned = op.A.copy()
    pinned.pin(rows)
    A[rows] = eye[rows]
    assert A @ pinned.factor().solve(b) == pytest.approx(b, abs=1e-9)


def test_exponentials_of_many_times():
    rng = np.random.default_rng(4)
    G = rng.standard_normal((7, 7)) + np.diag(np.geomspace(0.1, 300, 7))
    start, times = rng.standard_normal(7), np.array([0.0, 1e-6, 0.013, 0.4, 1.0, 2.7])
    exact = np.array([scipy.linalg.expm(-t * G) @ start for t in times])
    assert exponentials(G, start, times) == pytest.approx(exact, rel=1e-10, abs=1e-12)


def test_laplacian():
    """Decay rates of a free spin are l (l + 1), as long as the orders reach, whatever the axis."""
    spin = fs.Macrospin(damping=0.3, **SIZE)
    found = fs.FokkerPlanck(COMM, spin, method="fourier", axisymmetric=None)
    rings = Fourier(OBLIQUE, 10, 4, degree=5)
    values = near_zero(Operator(rings, found.drift, weighted=False), 16)[0]
    exact = np.repeat([0, 2, 6, 12], [1, 3, 5, 7])
    assert np.sort(values.real) == pytest.approx(exact, abs=2e-5)


def test_rings_without_orders_are_the_meridian():
    """M = 0 on an axis of symmetry: the same matrices' null vectors, rates and decay."""
    spin = bit(12, 0.1, (0, 0, 0.01))
    torque = tilted(spin, 0.4, 0)
    drift = DimensionlessDrift(spin, torque)
    one, other = rates_on(Meridian((0, 0, 1), 40), drift), rates_on(Fourier((0, 0, 1), 40, 0), drift)
    assert other.log_rates[0, 1] == pytest.approx(one.log_rates[0, 1], abs=1e-6)
    assert other.log_rates[1, 0] == pytest.approx(one.log_rates[1, 0], abs=1e-6)


# ---- which method
def test_which_problems_fit():
    """Wells near one axis, an energy that varies little around it; the order of what integrals contain."""
    spin = bit(40, 0.1, (0.02, 0.0, 0.01))
    axis = common_axis(DimensionlessDrift(spin))
    assert abs(axis[2]) > 0.97
    torque = tilted(spin, 1.0, 30)
    assert azimuthal_width(DimensionlessDrift(spin, torque), np.array([0.0, 0, 1])) == 1
    assert azimuthal_width(DimensionlessDrift(bit(40, 0.1)), np.array([0.0, 0, 1])) == 0
    cubic = fs.Macrospin(damping=0.1, terms=[fs.Cubic(stability=20)], **SIZE)
    with pytest.raises(Unresolved, match="near one axis"):
        Orders(DimensionlessDrift(cubic))
    with pytest.raises(Unresolved, match="around its axis"):
        Orders(DimensionlessDrift(bit(40, 0.1, hard=300)))
    with pytest.raises(InputError, match=r"sphere.method: found 'fourier', but its wells do not lie near one axis"):
        fs.FokkerPlanck(COMM, cubic, method="fourier").equilibrium()
    with pytest.raises(InputError, match="must be one of 'automatic', 'sphere', 'fourier'"):
        fs.FokkerPlanck(COMM, spin, method="spectral")
    with pytest.raises(InputError, match="takes no sphere"):
        fs.FokkerPlanck(fs.Sigma(COMM, 0.5), spin, method="fourier")
    with pytest.raises(InputError, match="fourier: cells is 1"):
        Fourier((0, 0, 1), 1, 2)


def test_triangles_take_over():
    """What rings do not resolve is solved on triangles, unless rings were asked for."""
    cubic = fs.Macrospin(damping=0.3, terms=[fs.Cubic(stability=4)], **SIZE)
    found = fs.FokkerPlanck(COMM, cubic).equilibrium()
    assert isinstance(found.surface, fs.Sigma)
    assert found.mean == pytest.approx(0, abs=1e-6)
    near = fs.FokkerPlanck(COMM, bit(8, 0.2, (0.02, 0.01, 0))).equilibrium()
    assert isinstance(near.surface, Fourier)
    assert near.probability(OBLIQUE) + near.probability(-OBLIQUE) == pytest.approx(1, abs=1e-7)


# ---- stationary states
def test_boltzmann_is_stationary():
    spin = bit(30, 0.02, field=(0.02, 0.01, 0.03))
    rings = Fourier(OBLIQUE, 24, 6)
    op = Operator(rings, DimensionlessDrift(spin), weighted=True)
    assert np.linalg.norm(op.A.apply(op.ones)) < 1e-13 * op.A.norm() * np.linalg.norm(op.ones)
    found = fs.FokkerPlanck(COMM, spin, method="fourier").equilibrium()
    log = np.log(found.nodes) + spin.reduced_energy(found.surface.nodes)
    assert np.ptp(log) < 1e-9
    assert found.blur < 1e-4


@pytest.mark.parametrize("degrees", [25, 90])
def test_steady_states(degrees):
    """Tilted polarizers in a field, against harmonics."""
    spin = bit(6.0, 0.15, (0.03, -0.05, 0.02))
    torque = tilted(spin, 0.8, degrees, 0.8, 0.3)
    found = fs.FokkerPlanck(COMM, spin, torque).steady()
    assert isinstance(found.surface, Fourier)
    reference, _ = expansion(spin, torque, 30)
    exact = reference.mean(reference.steady())
    assert found.mean == pytest.approx(exact, abs=max(2e-6, 3 * found.error_estimate))


# ---- pulses
@pytest.mark.parametrize(
    ("degrees", "field", "damping"),
    [
        (35, (0.03, -0.05, 0.02), 0.2),
        (70, (0.0, 0.0, 0.0), 0.2),
        (90, (0.04, 0.01, 0.0), 0.2),
        (20, (0.0, 0.003, 0.0), 0.03),
    ],
)
def test_any_polarizer(degrees, field, damping):
    """From near the easy axis to across it, in fields: each sample's error lies within its estimate."""
    spin = bit(7.5, damping, field)
    torque = tilted(spin, 1.7, degrees, turn=0.8, field_like=0.3)
    s = np.array([0.0, 0.02, 0.07, 0.2, 0.5])
    reference, v = expansion(spin, torque, 34 if damping > 0.1 else 48)
    exact, last = reference.survival(v, s)
    found = fs.FokkerPlanck(COMM, spin, torque).switching(s / spin.diffusion)
    assert isinstance(found.final.surface, Fourier)
    assert found.not_switched[0] == 1
    error = np.abs(found.not_switched / np.array(exact) - 1)[1:]
    # The expansion has noise of its own.
    assert (error < 1.5 * found.error_estimate[1:] + 1e-8 / np.array(exact)[1:]).all()
    assert found.error_estimate.max() < 1e-3
    assert found.stationary == pytest.approx(last, rel=1e-4, abs=2e-8)


def test_deep_tails():
    """To 1e-13 with a relative error: far finer rings about another axis, and the estimates of each sample."""
    spin = bit(60, 0.1)
    torque = tilted(spin, 2.2, 20, 0.5)
    s = np.array([3.0, 6.0, 11.0, 16.0]) / 120
    found = fs.FokkerPlanck(COMM, spin, torque).switching(s / spin.diffusion)
    assert found.not_switched[-1] < 1e-12
    e = np.array([0.05, -0.03, 1.0])
    better = course(
        Fourier(e / np.linalg.norm(e), 30, 9, degree=6),
        s,
        (0, 0, 1),
        [],
        1e-8,
        free=DimensionlessDrift(spin),
        drift=DimensionlessDrift(spin, torque),
    )
    error = np.abs(found.not_switched / better.probability - 1)
    assert (error < found.error_estimate).all()
    assert (found.error_estimate < 30 * np.maximum(error, 1e-6)).all()
    assert found.error_estimate.max() < 3e-5
    assert found.stationary < 1e-90


@pytest.mark.slow
def test_pulses_on_triangles():
    """A biaxial bit with unequal terms in a field: rings and triangles within both estimates."""
    spin = bit(22, 0.1, (0.01, 0.02, 0.0), hard=6)
    torque = tilted(spin, 2.0, 15, 1.1, 0.2)
    times = np.array([0.0, 2.0, 4.0, 7.0]) / (44 * spin.diffusion)
    one, other = (fs.FokkerPlanck(COMM, spin, torque, method=m).switching(times) for m in ("fourier", "sphere"))
    assert isinstance(one.final.surface, Fourier)
    error = np.abs(one.not_switched / other.not_switched - 1)
    assert (error < one.error_estimate + other.error_estimate + 1e-12).all()
    assert other.not_switched[-1] < 1e-3


class Lossy:
    """Damping that differs in two directions and has a part that changes gamma, about an oblique axis."""

    axis = None

    def tensor(self, u):
        p, q = OBLIQUE, np.array([0.8, 0.0, 0.6])
        a, b = np.cross(p, u), np.cross(q, u)
        skew = np.moveaxis(np.cross(u[:, None, :], np.eye(3)), 1, 2)
        return 0.09 * a[:, :, None] * a[:, None, :] + 0.04 * b[:, :, None] * b[:, None, :] + 0.1 * skew


def test_pumped_damping():
    """Tensors without symmetry: Boltzmann's distribution stands still, and a pulse is as on triangles."""
    spin = bit(9, 0.12, (0.02, 0.0, -0.01), pumping=Lossy())
    rings = Fourier((0, 0, 1), 20, 6, width=14)
    op = Operator(rings, DimensionlessDrift(spin), weighted=True)
    assert np.linalg.norm(op.A.apply(op.ones)) < 1e-13 * op.A.norm() * np.linalg.norm(op.ones)
    torque = tilted(spin, 2.4, 30, 0.4)
    times = np.array([0.05, 0.2]) / spin.diffusion
    found = fs.FokkerPlanck(COMM, spin, torque, method="fourier").switching(times)
    sphere = fs.FokkerPlanck(fs.Sigma(COMM, 0.28, refine=spin), spin, torque, verify=False).switching(times)
    assert found.not_switched == pytest.approx(sphere.not_switched, rel=3e-4)


# ---- rates
def test_rates_in_oblique_fields():
    """Unequal wells, far below what eigenvalues resolve: detailed balance, and more orders about another axis."""
    spin = bit(38, 0.1, (0.012, 0.02, 0.03))
    found = fs.FokkerPlanck(COMM, spin).escape()
    e = np.array([-0.06, 0.04, 1.0])
    better = rates_on(Fourier(e / np.linalg.norm(e), 36, 12, degree=6, width=28), DimensionlessDrift(spin))
    rates = better.rates * spin.diffusion
    error = np.abs(found.rates - rates)[~np.eye(2, dtype=bool)] / rates[~np.eye(2, dtype=bool)]
    assert error.max() < 1.5 * found.error_estimate.max() < 1e-3
    u = fibonacci(400_000)
    weight, side = np.exp(-spin.reduced_energy(u)), u @ (found.states[0] - found.states[1]) > 0
    assert found.rates[1, 0] / found.rates[0, 1] == pytest.approx(weight[side].sum() / weight[~side].sum(), rel=1e-4)


@pytest.mark.slow
def test_rates_on_triangles():
    """Without torque and with one, in an oblique field, within the estimates."""
    spin = bit(17, 0.1, (0.012, 0.02, 0.03))
    for torque in (None, tilted(spin, 0.25, 30, 0.3)):
        one, other = (fs.FokkerPlanck(COMM, spin, torque, method=m).escape() for m in ("fourier", "sphere"))
        apart = ~np.eye(2, dtype=bool)
        error = np.abs(one.rates / np.where(apart, other.rates, 1) - 1)[apart]
        assert (error < (one.error_estimate + other.error_estimate)[apart]).all()


# ---- modes and responses
@pytest.mark.parametrize("driven", [False, True])
def test_spectra(driven):
    """Real and complex modes in an oblique field, against harmonics."""
    spin = bit(4, 0.1, (0.05, 0.02, 0.03))
    torque = tilted(spin, 0.7, 40, 0.8, 0.2) if driven else None
    found = fs.FokkerPlanck(COMM, spin, torque).spectrum(6)
    exact = expansion(spin, torque, 34)[0].eigenvalues(24)
    assert "Arnoldi at the resonance" in found.methods
    for z, error in zip(found.reduced[1:], found.error_estimate[1:], strict=True):
        if not z.imag:  # the expansion finds few of the others
            assert np.abs(exact - z).min() < max(2 * error, 1e-6) * abs(z)
    sphere = find_spectrum(fs.Sigma(COMM, 0.25, degree=5), DimensionlessDrift(spin, torque), 6, verify=False)
    assert found.reduced[:4] == pytest.approx(sphere.reduced[:4], rel=1e-6)
    assert found.error_estimate.max() < 1e-3


def test_fluctuations_and_dissipation():
    """A transverse field on a symmetric bit, and the noise along it: the theorem holds on rings."""
    spin = bit(5, 0.05, (0, 0, 0.02))
    f = np.geomspace(1e8, 2e10, 9)
    e = np.array([3.0, 4.0, 0.0]) / 5
    fp = fs.FokkerPlanck(COMM, spin, method="fourier")
    response, noise = fp.susceptibility(f, e), fp.noise(lambda u: u @ e, f)
    expected = -4 / (STIFF * 2 * np.pi * f) * STIFF * (response.response @ e).imag / STIFF
    assert noise.density == pytest.approx(expected, rel=1e-4)
    assert response.error_estimate.max() < 1e-4


# ---- evolutions
def test_evolutions_follow_switching():
    """A constant drive in steps of Runge and Kutta, on rings."""
    spin = bit(9, 0.1)
    torque = tilted(spin, 1.8, 25, 0.4)
    times = np.array([0.1, 0.3]) / spin.diffusion / 9
    fp = fs.FokkerPlanck(COMM, spin, torque)
    found, exact = fp.evolve(times), fp.switching(times)
    assert isinstance(found.final.surface, Fourier)
    assert found.probability == pytest.approx(exact.not_switched, rel=2e-4)
    assert found.mean == pytest.approx(exact.mean, abs=1e-4)
    assert 0 < found.error_estimate < 1e-3


def test_evolutions_start_from_equilibrium():
    """In a field at an angle: from the equilibrium on rings nothing moves until the field does."""
    spin = bit(5, 0.2, (0.02, 0.0, 0.01))
    fp = fs.FokkerPlanck(COMM, spin)
    start = fp.equilibrium()
    found = fp.evolve([1e-10, 2e-9], initial=start, field=lambda t: (0.0, 0.03 * (t > 3e-10), 0.0), breakpoints=[3e-10])
    assert found.mean[0] == pytest.approx(start.mean, abs=1e-5)
    assert found.mean[1, 1] > 0.05


def test_checkpoint(tmp_path):
    """An evolution that is stopped half-way goes on to the same end, each order from a state of its own."""
    spin = bit(5, 0.2, (0.004, 0.0, 0.01))
    torque, path = tilted(spin, 1.5, 20), tmp_path / "half"

    class Stop(Exception):
        pass

    def interrupt(part):
        if part > 0.5:
            raise Stop

    fp = fs.FokkerPlanck(COMM, spin, torque)
    times = np.array([0.3, 1.0]) * 2e-9
    whole = fp.evolve(times, tolerance=1e-3)
    with pytest.raises(Stop):
        fp.evolve(times, tolerance=1e-3, checkpoint=path, every=0, progress=interrupt)
    seen = []
    found = fp.evolve(times, tolerance=1e-3, checkpoint=path, resume=True, progress=seen.append)
    assert seen[0] > 0.4
    assert found.mean == pytest.approx(whole.mean, rel=0, abs=1e-12)
    assert found.steps == whole.steps
    assert {x.name for x in tmp_path.iterdir()} == {"half.4"}


def test_pictures_and_files(tmp_path):
    """A density on rings is drawn and written as on triangles, and its function has its values."""
    from fespin.plotting import plot_density
    from fespin.sigma.fields import write_sphere_fields

    spin = bit(6, 0.2, (0.01, 0.0, 0.01))
    torque = tilted(spin, 0.5, 30)
    steady = fs.FokkerPlanck(COMM, spin, torque).steady()
    assert isinstance(steady.surface, Fourier)
    plot_density(steady, tmp_path / "density.png", spin=spin, torque=torque, comm=COMM)
    assert (tmp_path / "density.png").stat().st_size > 50_000
    write_sphere_fields(tmp_path / "density.bp", steady, spin, comm=COMM)
    assert (tmp_path / "density.bp").exists()
    f = steady.function()
    u = f.function_space.tabulate_dof_coordinates()
    assert steady.surface.at(steady.nodes, u) == pytest.approx(f.x.array, abs=1e-9 * steady.nodes.max())
    triangles, x, values = steady.surface.shown(np.ones(steady.surface.owned))
    a, b, c = np.moveaxis(x[triangles], 1, 0)
    volume = np.sum(a * np.cross(b, c), axis=1)
    assert (volume > 0).all() or (volume < 0).all()  # all turned alike, none flat
    assert values == pytest.approx(1, abs=1e-12)


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    return numbers(1, "fourier.py", tmp_path_factory.mktemp("serial"))


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [2, 3])
def test_rank_counts_agree(ranks, serial, tmp_path):
    """Every rank has the whole: the same numbers on any number of them."""
    assert numbers(ranks, "fourier.py", tmp_path) == serial


def test_orders_rise_until_steep_observables_are_resolved():
    spin = bit(3.0, 0.03)
    torque = tilted(spin, 1.0, 40)
    functions = {"steep": lambda u: np.tanh(30 * (0.877 * u[:, 0] + 0.48 * u[:, 2]))}
    rings = fs.FokkerPlanck(COMM, spin, torque, method="fourier")
    sphere = fs.FokkerPlanck(fs.Sigma(COMM, 0.15), spin, torque, verify=False)
    times = [1e-9, 1e-8]
    found, expected = (x.switching(times, observables=functions).observables["steep"] for x in (rings, sphere))
    assert found == pytest.approx(expected, abs=1e-4)
    found, expected = (x.evolve(times[:1], observables=functions).observables["steep"] for x in (rings, sphere))
    assert found == pytest.approx(expected, abs=1e-4)


# ---- what is told, and what is evaluated once
def test_means_and_observables_have_estimates():
    """Rings and triangles differ by less than the sum of their estimates, which are no larger than 30 differences."""
    spin = bit(11, 0.12, (0.01, 0.0, -0.004))
    torque = tilted(spin, 2, 15, 0.4)
    watched = {"steep": lambda u: 3 * np.tanh(4 * u[:, 2]), "across": lambda u: u[:, 0] * u[:, 1]}
    times = np.array([0.5, 1.5, 4.0]) * 1e-9
    sphere = fs.Sigma(MPI.COMM_SELF, 0.4, degree=3, refine=spin)
    one, other = (
        fs.FokkerPlanck(where, spin, torque).switching(times, observables=watched) for where in (MPI.COMM_SELF, sphere)
    )
    assert isinstance(one.final.surface, Fourier)
    apart = np.linalg.norm(one.mean - other.mean, axis=1)
    assert (apart < one.mean_error + other.mean_error).all()
    assert (one.mean_error + other.mean_error < 30 * np.maximum(apart, 1e-7)).all()
    for name in watched:
        apart = np.abs(one.observables[name] - other.observables[name])
        bound = one.observable_errors[name] + other.observable_errors[name]
        assert (apart < bound).all() and (bound < 30 * np.maximum(apart, 1e-7)).all()
    assert one.summary()["observable_errors"]["steep"] == one.observable_errors["steep"].tolist()
    alone = fs.FokkerPlanck(sphere, spin, torque, verify=False).switching(times)
    assert alone.mean_error is None and alone.summary()["mean_error"] is None


def test_rates_of_a_high_barrier_under_a_tilted_torque():
    """Cells shrink as the barrier grows: 400 kT, whose cells for wells alone lose the rate; twice as many agree."""
    spin = bit(400, 0.03)
    torque = tilted(spin, 0.3, 20)
    found = fs.FokkerPlanck(MPI.COMM_SELF, spin, torque).escape()
    orders = Orders(DimensionlessDrift(spin, torque))
    few, many = (rates_on(Fourier(orders.axis, n, 6, width=orders.width), orders.drift) for n in (orders.cells, 200))
    unit = np.log10(spin.diffusion)
    fast = np.unravel_index(np.argmax(found.log10_rates), (2, 2))
    assert found.log10_rates[fast] - unit == pytest.approx(many.log_rates[fast] / np.log(10), abs=1e-4)
    assert found.error_estimate[fast] < 1e-3
    assert not abs(few.log_rates[fast] - many.log_rates[fast]) < 1
    with pytest.raises(SolverError, match=r"sphere.method = 'fourier'"):
        fs.FokkerPlanck(MPI.COMM_SELF, bit(700, 0.09), tilted(bit(700, 0.09), 0.3, 20), method="sphere").escape()


@pytest.mark.parametrize("method", ["fourier", "sphere"])
def test_pumping_is_evaluated_once_at_points(method):
    seen = []

    class Counted:
        axis = None

        def tensor(self, u):
            seen.append(len(u))
            return 0.05 * (1 + 0.3 * u[:, 0, None, None]) * (np.eye(3) - u[:, :, None] * u[:, None, :])

    spin = bit(9, 0.12, pumping=Counted())
    drift = DimensionlessDrift(spin, tilted(spin, 2, 20))
    surface = Fourier((0, 0, 1), 12, 4) if method == "fourier" else fs.Sigma(MPI.COMM_SELF, 0.7)
    seen.clear()
    for weighted in (False, True):
        Operator(surface, drift, weighted=weighted)
    assert seen.count(len(surface.points)) == 1
    copied = pickle.loads(pickle.dumps(spin.remembered))
    assert isinstance(copied, type(spin.remembered)) and copied is not spin.remembered


def test_first_passages_and_triangles_are_refused():
    spin = bit(9, 0.2, (0.01, 0.0, 0.0))
    fp = fs.FokkerPlanck(MPI.COMM_SELF, spin, method="fourier")
    with pytest.raises(InputError, match=r"sphere.method: found 'fourier', but first passages"):
        fp.mean_first_passage((0, 0, 1))
    start = fs.FokkerPlanck(fs.Sigma(MPI.COMM_SELF, 0.7), spin).equilibrium()
    with pytest.raises(InputError, match=r"sphere.method: found 'fourier', but the initial distribution"):
        fp.evolve([0.0, 1e-10], initial=start)
    assert fp.spectrum(1).surface.dim == 2


def test_an_evolution_foretells_its_length(monkeypatch):
    """From the pace of the second half of the first seconds; once, and only if it is more than a minute."""
    now = [0.0]
    monkeypatch.setattr("fespin.sigma.cost.time.perf_counter", lambda: now[0])
    for pace, lines in ((1e-3, 1), (0.1, 0)):
        said = []
        now[0] = 100.0
        forecast = Forecast(MPI.COMM_SELF, 321, said.append, " more")
        for k in range(20):
            now[0] += 1.0
            forecast(0.4 * pace * min(k, 2) + pace * max(k - 2, 0))
        assert len(said) == lines
    # At 7 s 0.0048 are done, 0.001 a second.
    said = []
    now[0] = 0.0
    forecast = Forecast(MPI.COMM_SELF, 321, said.append, " more")
    for k in range(1, 9):
        now[0] = float(k)
        forecast(1e-3 * k)
    assert said[0].startswith("note: evolution of 321 unknowns: about 17 min more; ") and len(said) == 1
