"""The Fokker-Planck equation on the sphere against closed forms, spherical harmonics and the polar angle alone."""

import json

import numpy as np
import pytest
from launch import ROOT
from mpi4py import MPI

import fespin as fs
from fespin.errors import InputError, SolverError
from fespin.sigma.dimensionless import DimensionlessDrift
from fespin.sigma.escape import escape
from fespin.sigma.meridian import Meridian
from fespin.sigma.operator import Operator
from fespin.sigma.space import _sizing
from fespin.sigma.spectrum import near_zero

COMM = MPI.COMM_WORLD
SIZE = {"volume": 1.3e-24, "saturation_magnetization": 9e5, "temperature": 310.0}
KT = 1.380649e-23 * 310.0
HARMONICS = json.loads((ROOT / "references" / "harmonics.json").read_text())
# -sigma cos^2: the smallest decay rate x 2 tau_N.
RATES = {
    1: 1.3062796687,
    2: 0.8076818777,
    5: 0.1354063297,
    10: 2.882166669e-3,
    20: 3.943312744e-7,
    30: 3.351167734e-11,
    40: 2.363611333e-15,
}
# Delta = 60, i = 2: what has not switched after these reduced times.
WRITE_ERROR = {4: 1.52695e-2, 6: 2.72580e-4, 8: 4.83683e-6, 10: 8.58196e-8}


def bit(stability=60.0, damping=0.1, **other):
    return fs.Macrospin(damping=damping, terms=[fs.Uniaxial(stability=stability)], **SIZE, **other)


def free(damping=0.3):
    return fs.Macrospin(damping=damping, **SIZE)


# ---- the space
@pytest.mark.parametrize("axis", [(0, 0, 1), (1, -2, 2)])
def test_sphere_is_round(axis):
    s = fs.Sigma(COMM, 0.4, degree=2, axis=axis)
    assert s.integral(np.ones(len(s.measure))) == pytest.approx(4 * np.pi, rel=1e-9)
    assert s.integral(s.points[:, 0] ** 2 * s.points[:, 2] ** 4) == pytest.approx(4 * np.pi * 3 / 105, rel=1e-7)
    assert np.linalg.norm(s.nodes, axis=1) == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize("axis", [(0, 0, 1), (1, 2, -3), (1, 1, 0)])
def test_hemispheres_cut_cells(axis):
    n = np.array(axis) / np.linalg.norm(axis)
    s = fs.Sigma(COMM, 0.5)
    found = s.hemisphere(n, lambda u: 1 + (u @ n) ** 3 + u[:, 0] ** 2).sum()
    assert found == pytest.approx(2 * np.pi * (1 + 1 / 4 + 1 / 3), rel=1e-9)


def test_hemispheres_on_the_meridian():
    axis, other = np.array([1.0, 2, 2]) / 3, np.array([2.0, -1, 2]) / 3
    m = Meridian(axis)
    for n in (axis, -axis, other, np.cross(axis, [0, 0, 1.0]) / np.linalg.norm(np.cross(axis, [0, 0, 1.0]))):
        load = m.hemisphere(n, lambda u: np.exp(2 * (u @ axis)))
        c = abs(float(n @ axis))
        fine = fs.Sigma(COMM, 0.3, axis=tuple(n)).hemisphere(n, lambda u: np.exp(2 * (u @ axis))).sum()
        assert load.sum() == pytest.approx(fine, rel=1e-7), c


@pytest.mark.parametrize(("span", "sizes"), [(60, (0.5, 0.75, 1.5)), (100, (0.5, 0.75, 1.5)), (400, (0.25, 1.0, 1.75))])
def test_sizes_follow_the_energy(span, sizes):
    """At the bottom, at a quarter of the height and at the top; stiffer energies have narrower wells."""
    sizing = _sizing(bit(span), 0.5)
    places = [(np.sin(x), 0.0, np.cos(x)) for x in (0.0, np.pi / 6, np.pi / 2)]
    assert [sizing(np.array(u)) for u in places] == pytest.approx(sizes, rel=2e-4)


@pytest.mark.parametrize(("degree", "order"), [(1, 2), (2, 4), (3, 6), (4, 8)])
def test_laplacian_converges(degree, order):
    """l(l+1) converges with twice the degree, on unaligned meshes of two sizes."""
    errors = []
    for size in (0.5, 0.3):
        s = fs.Sigma(COMM, size, degree=degree, axis=(1, 2, 3))
        op = Operator(s, DimensionlessDrift(free()), weighted=True)
        values = np.sort(near_zero(op, 9)[0].real)
        errors.append((size, np.abs(values / np.maximum([0] + [2] * 3 + [6] * 5, 1) - ([0] + [1] * 8)).max()))
    (h1, e1), (h2, e2) = errors
    assert np.log(e1 / e2) / np.log(h1 / h2) > order - 0.7


def test_laplacian_at_ten_thousand_unknowns():
    s = fs.Sigma(COMM, 0.16)
    assert s.dofs < 10500
    op = Operator(s, DimensionlessDrift(free()), weighted=True)
    exact = np.array([0] + [2] * 3 + [6] * 5 + [12] * 7)
    assert np.abs(np.sort(near_zero(op, 16)[0].real) - exact)[1:] / exact[1:] == pytest.approx(0, abs=1e-9)


def test_decomposition():
    """A field made of known potentials, and one with a part that is none of the space's."""
    s = fs.Sigma(COMM, 0.25)
    u = s.nodes

    def gradient(u, c):  # of c.u times u_0
        g = u[:, :1] * c + (u @ c)[:, None] * np.array([1.0, 0, 0])
        return g - np.sum(g * u, axis=1, keepdims=True) * u

    a, b = np.array([0.3, -1.2, 0.5]), np.array([1.1, 0.2, -0.7])
    found = fs.decompose(s, lambda u: gradient(u, a) + np.cross(u, gradient(u, b)) + 5 * u)
    for f, c in ((found.chi, a), (found.phi, b)):
        exact = (u @ c) * u[:, 0] - c[0] / 3
        assert f.x.array[: s.owned] == pytest.approx(exact, abs=2e-5)
    assert found.residual < 1e-4
    with pytest.raises(InputError, match="shape of u"):
        fs.decompose(s, lambda u: u[:, 0])


# ---- spectra and rates
@pytest.mark.slow
@pytest.mark.parametrize("stability", RATES)
def test_decay_rates(stability):
    """On the sphere with about 1e4 unknowns, and on the meridian; each by the method that the result names."""
    spin = bit(stability, damping=0.8)
    on_sphere = fs.FokkerPlanck(fs.Sigma(COMM, 0.155, refine=spin), spin, axisymmetric=False).spectrum(3)
    on_meridian = fs.FokkerPlanck(COMM, spin).spectrum(3)
    for found, tolerance in ((on_sphere, 1e-4), (on_meridian, 1e-6)):
        assert found.reduced[1] == pytest.approx(RATES[stability], rel=tolerance, abs=0)
        assert found.methods[0] == "stationary"
        assert (found.methods[1] == "committor") == (stability >= 20)
        assert found.error_estimate[1] < 2e-2


@pytest.mark.slow
def test_decay_rates_at_low_damping():
    for stability in (20, 40):
        spin = bit(stability, damping=0.01)
        fp = fs.FokkerPlanck(fs.Sigma(COMM, 0.17, refine=spin), spin, axisymmetric=False, verify=False)
        assert fp.spectrum(2).reduced[1] == pytest.approx(RATES[stability], rel=1e-2, abs=0)


def test_rates_at_sixty():
    spin = bit(60)
    found = fs.FokkerPlanck(fs.Sigma(COMM, 0.15, refine=spin), spin, axisymmetric=False, verify=False).escape()
    exact = fs.FokkerPlanck(COMM, spin).escape()
    assert exact.slowest[0] / spin.diffusion == pytest.approx(9.0292e-24, rel=1e-4, abs=0)
    assert found.slowest[0] == pytest.approx(exact.slowest[0], rel=1e-3, abs=0)
    assert found.populations == pytest.approx(0.5, abs=1e-6)
    assert found.dwell_times == pytest.approx(2 / exact.slowest[0], rel=1e-3)
    assert found.barriers == pytest.approx(60)


@pytest.mark.slow
@pytest.mark.parametrize("k", range(5))
def test_spectra_in_oblique_fields(k):
    """Against spherical harmonics, damping from 1 to 0.01; conjugate pairs included."""
    case = HARMONICS["spectra"][k]
    psi = np.radians(case["psi_degrees"])
    field = np.array([np.sin(psi), 0, np.cos(psi)]) * 2 * case["sigma"] * case["h"] * KT / (9e5 * 1.3e-24)
    spin = bit(case["sigma"], case["alpha"], field=tuple(field))
    found = fs.FokkerPlanck(fs.Sigma(COMM, 0.13, refine=spin), spin, verify=False).spectrum(12)
    wanted = [complex(*z) for z in case["eigenvalues"]]
    for z in wanted:
        assert np.abs(found.reduced - z).min() < 1e-4 * abs(z)


def test_resonance_is_found():
    """The mode near the precession frequency, asked for by frequency, is the meridian's with m = 1."""
    spin = bit(25, 0.05, field=(0, 0, 0.02))
    exact = fs.FokkerPlanck(COMM, spin).spectrum(12)
    first = next(k for k, m in enumerate(exact.orders) if abs(m) == 1)
    frequency = abs(exact.eigenvalues[first].imag) / (2 * np.pi)
    found = fs.FokkerPlanck(fs.Sigma(COMM, 0.2, refine=spin), spin).spectrum(1, near=frequency)
    assert found.eigenvalues[0].real == pytest.approx(exact.eigenvalues[first].real, rel=1e-5)
    assert found.eigenvalues[0].imag == pytest.approx(abs(exact.eigenvalues[first].imag), rel=1e-6)


@pytest.mark.parametrize(("stability", "ratio", "damping"), [(40, 0.3, 0.1), (60, 0.3, 0.01), (60, 0.6, 0.1)])
def test_driven_rates(stability, ratio, damping):
    """Sub-critical torque: the sphere against the meridian, where the effective potential is exact."""
    spin = bit(stability, damping)
    torque = fs.SpinTorque.critical(spin, ratio, (0, 0, -1))
    exact = fs.FokkerPlanck(COMM, spin, torque, verify=False).escape()
    out = int(np.argmax(exact.states[:, 2]))
    sigma = fs.Sigma(COMM, 0.13, refine=spin)
    found = fs.FokkerPlanck(sigma, spin, torque, axisymmetric=False, verify=False).escape()
    start = int(np.argmax(found.states[:, 2]))
    assert found.rates[start].sum() == pytest.approx(exact.rates[out].sum(), rel=1e-3, abs=0)
    # Boltzmann in the effective potential, with both wells' curvatures: (1 - i)^2 of the barrier.
    height = stability * (1 - ratio) ** 2
    prefactor = 2 / np.pi**0.5 * stability**1.5 * (1 - ratio**2) * (1 - ratio) * spin.diffusion
    assert exact.rates[out].sum() == pytest.approx(prefactor * np.exp(-height), rel=3 / height, abs=0)


@pytest.mark.parametrize("damping", [0.1, 0.01])
def test_driven_rate_without_symmetry(damping):
    """A tilted polarizer: the rate against the eigenvalue, where that is not yet rounding; error exp(-barrier)."""
    spin = bit(25, damping)
    torque = fs.SpinTorque.critical(spin, 0.4, (0.4, 0, -0.9))
    sigma = fs.Sigma(COMM, 0.15, refine=spin)
    found = fs.FokkerPlanck(sigma, spin, torque).escape()
    values = near_zero(Operator(sigma, DimensionlessDrift(spin, torque), weighted=False), 3)[0]
    exact = np.sort(np.abs(values))[1]
    assert found.rates.max() / spin.diffusion == pytest.approx(exact, rel=3e-3, abs=0)
    assert found.error_estimate.flat[np.argmax(found.rates)] < 0.01


def test_driven_rate_at_very_low_damping():
    """Damping 0.005, where the density follows contours of the energy: a degree less changes little."""
    spin = bit(80, 0.005)
    torque = fs.SpinTorque.critical(spin, 0.5, (0.2, 0, -1))
    found = fs.FokkerPlanck(fs.Sigma(COMM, 0.12, refine=spin), spin, torque).escape()
    # The axial part of the torque alone.
    axial = fs.FokkerPlanck(COMM, spin, fs.SpinTorque(torque.damping_like * torque.polarizer[2] * -1, 0.0, (0, 0, -1)))
    assert found.error_estimate.flat[np.argmax(found.rates)] < 0.05
    assert found.rates.max() == pytest.approx(axial.escape().rates.max(), rel=0.5)


def test_driven_rate_without_potentials():
    """A torque given as vectors, whose potentials are unknown, has the same rate."""
    spin = bit(40)
    torque = fs.SpinTorque.critical(spin, 0.3, (0, 0, -1))
    p, size = np.array([0, 0, -1.0]), spin.gyromagnetic_ratio * torque.damping_like
    plain = fs.VectorTorque(lambda u: size * np.cross(u, np.cross(p, u)))
    exact = fs.FokkerPlanck(COMM, spin, torque, verify=False).escape()
    found = fs.FokkerPlanck(fs.Sigma(COMM, 0.13, refine=spin), spin, plain, verify=False).escape()
    assert found.rates.max() == pytest.approx(exact.rates.max(), rel=1e-3, abs=0)


def test_rates_between_many_wells():
    """Six wells of a cubic magnet: equal populations, and the slow spectrum of the chain is the operator's."""
    spin = fs.Macrospin(damping=0.2, terms=[fs.Cubic(stability=50)], **SIZE)
    sigma = fs.Sigma(COMM, 0.2)
    found = fs.FokkerPlanck(sigma, spin, verify=False).escape()
    assert len(found.states) == 6
    assert found.populations == pytest.approx(1 / 6, abs=1e-4)
    slow = np.sort(near_zero(Operator(sigma, DimensionlessDrift(spin), weighted=True), 6)[0].real)[1:]
    assert np.sort(found.slowest) / spin.diffusion == pytest.approx(slow, rel=0.02, abs=0)


def test_escape_needs_two_wells():
    with pytest.raises(InputError, match="needs two wells"):
        fs.FokkerPlanck(COMM, bit(30), fs.SpinTorque.critical(bit(30), 1.5, (0, 0, -1))).escape()


# ---- stationary states
def test_boltzmann_is_stationary():
    """Exactly, with an oblique field and precession."""
    spin = bit(30, 0.02, field=(0.05, 0.02, 0.01))
    s = fs.Sigma(COMM, 0.3)
    op = Operator(s, DimensionlessDrift(spin), weighted=True)

    assert np.linalg.norm(op.A.apply(op.ones)) < 1e-14 * op.A.norm() * np.linalg.norm(op.ones)
    found = fs.FokkerPlanck(s, spin).steady()
    assert found.mass_error == pytest.approx(0, abs=1e-13)
    assert found.minimum_density > 0
    log = np.log(found.nodes) + spin.reduced_energy(s.nodes)
    assert np.ptp(log) < 1e-9


@pytest.mark.parametrize("ratio", [0.7, 2.0])
def test_driven_axial_state(ratio):
    """exp(-E_eff/kT), pointwise, down to densities of 1e-20, on the sphere and on the meridian."""
    spin = bit(25, 0.1)
    torque = fs.SpinTorque.critical(spin, ratio, (0, 0, -1))
    for fp in (
        fs.FokkerPlanck(COMM, spin, torque),
        fs.FokkerPlanck(fs.Sigma(COMM, 0.15, refine=spin), spin, torque, axisymmetric=False),
    ):
        found = fp.steady()
        z = found.surface.nodes[:, 2]
        effective = -25 * z**2 + 2 * 25 * ratio * z
        log = np.log(np.maximum(found.nodes, 1e-300)) + effective
        seen = found.nodes > 1e-20
        assert seen.sum() > 0.2 * len(z)
        assert np.ptp(log[seen]) < 1e-3
        power = fp.power(found)
        assert power["work"] > 0
        assert power["dissipation"] == pytest.approx(power["work"], rel=1e-3)


@pytest.mark.slow
def test_power_of_a_tilted_torque():
    """What the torque does is dissipated, where no symmetry helps."""
    spin = bit(20, 0.1, field=(0.02, 0, 0))
    torque = fs.SpinTorque.critical(spin, 0.8, (0.5, 0.3, -0.8), lambda c: 1 / (1 + 0.4 * c))
    fp = fs.FokkerPlanck(fs.Sigma(COMM, 0.13, refine=spin), spin, torque)
    found = fp.steady()
    power = fp.power(found)
    assert power["dissipation"] == pytest.approx(power["work"], rel=1e-3)
    assert found.error_estimate < 1e-4


# ---- switching
@pytest.mark.parametrize(("damping", "size", "tolerance"), [(0.1, 0.22, 1e-3), (0.01, 0.11, 1e-3)])
def test_write_error_rate(damping, size, tolerance):
    """The benchmark of physics on the full sphere, the tail down to 1e-12 against the meridian."""
    spin = bit(60, damping)
    torque = fs.SpinTorque.critical(spin, 2.0, (0, 0, -1))
    sigma = fs.Sigma(COMM, size, refine=spin)
    if damping == 0.1:
        assert sigma.dofs < 6000
    fp = fs.FokkerPlanck(sigma, spin, torque, axisymmetric=False, verify=damping == 0.1)
    tau = np.array([*WRITE_ERROR, 16.0])
    found = fp.switching(tau / fp.reduced_time)
    assert found.reduced_times == pytest.approx(tau)
    assert found.not_switched[:4] == pytest.approx(list(WRITE_ERROR.values()), rel=tolerance, abs=0)
    exact = fs.FokkerPlanck(COMM, spin, torque).switching(tau / fp.reduced_time)
    assert exact.not_switched[:4] == pytest.approx(list(WRITE_ERROR.values()), rel=1e-5, abs=0)
    assert exact.not_switched[4] < 1e-12
    assert found.not_switched == pytest.approx(exact.not_switched, rel=tolerance, abs=0)
    assert abs(found.mass_error) < 1e-9
    assert found.mean[:, 2] == pytest.approx(exact.mean[:, 2], abs=1e-4)
    if damping == 0.1:
        assert (np.abs(found.not_switched / exact.not_switched - 1) < 3 * found.error_estimate + 1e-6).all()


@pytest.mark.parametrize("k", range(3))
def test_switching_without_symmetry(k):
    """Oblique field, tilted polarizer, biaxial layer: against spherical harmonics down to 1e-6."""
    case = HARMONICS["switching"][k]
    terms, field = [], np.zeros(3)
    for i, j, m, c in case["v"]:
        axes = {(0, 0, 2): (0, 0, 1), (2, 0, 0): (1, 0, 0), (0, 2, 0): (0, 1, 0)}
        if (i, j, m) in axes:
            terms.append(fs.Uniaxial(stability=-c, axis=axes[i, j, m]))
        else:
            field -= c * KT / (9e5 * 1.3e-24) * np.array([i, j, m])
    spin = fs.Macrospin(damping=case["alpha"], terms=terms, field=tuple(field), **SIZE)
    size = 2 * case["sigma"] * case["i"] * case["alpha"] * KT / (9e5 * 1.3e-24)
    torque = fs.SpinTorque(size, 0.0, case["p"])
    fp = fs.FokkerPlanck(fs.Sigma(COMM, 0.19, refine=spin), spin, torque)
    found = fp.switching(np.array(case["times"]) / spin.diffusion)
    assert found.not_switched == pytest.approx(case["up"], rel=1e-4, abs=0)
    assert (np.abs(found.not_switched / np.array(case["up"]) - 1) < 3 * found.error_estimate + 1e-6).all()


@pytest.mark.slow
def test_switching_against_langevin():
    """A tilted polarizer in an oblique field, within the error bars, at several rates."""
    spin = bit(30, 0.08, field=(0.01, 0.02, 0))
    torque = fs.SpinTorque.critical(spin, 1.8, (0.3, -0.2, -0.9), lambda c: 1 / (1 + 0.3 * c))
    fp = fs.FokkerPlanck(fs.Sigma(COMM, 0.2, refine=spin), spin, torque)
    times = np.array([1.5, 2.5, 3.5]) / fp.reduced_time
    exact = fp.switching(times, observables={"xz": lambda u: u[:, 0] * u[:, 2]})
    found = fs.langevin(COMM, spin, times, ensemble=8192, seed=3, torque=torque)
    assert (np.abs(found.not_switched - exact.not_switched) < 4 * found.not_switched_error).all()
    assert (np.abs(found.mean - exact.mean) < 4.5 * found.mean_error + 1e-12).all()
    assert 1e-2 < exact.not_switched[-1] < exact.not_switched[0] < 0.99


def test_retention():
    """Without torque a bit is kept for as long as the rates say; short times by Krylov, long ones by the rates."""
    spin = bit(15)
    fp = fs.FokkerPlanck(COMM, spin)
    rate = fp.escape().rates[0, 1]
    times = np.array([0.1, 1.0, 3.0]) / rate
    found = fp.switching(times)
    assert found.not_switched == pytest.approx((1 + np.exp(-2 * rate * times)) / 2, rel=1e-4)
    slow = fs.FokkerPlanck(COMM, bit(50))
    rate = slow.escape().rates[0, 1]
    found = slow.switching(np.array([0.5, 2.0]) / rate)
    assert found.method == "rates between metastable states"
    assert found.not_switched == pytest.approx((1 + np.exp([-1.0, -4.0])) / 2, rel=1e-6)


@pytest.mark.slow
def test_coarse_meshes_are_refused():
    spin = bit(80, 0.01)
    torque = fs.SpinTorque.critical(spin, 2.0, (0.3, 0, -1))
    fp = fs.FokkerPlanck(fs.Sigma(COMM, 0.5), spin, torque)
    with pytest.raises(
        InputError, match=r"mesh_size: 0\.5 is too coarse for the write-error rate .* would do"
    ) as error:
        fp.switching(np.array([4.0, 8.0]) / fp.reduced_time)
    needed = float(str(error.value).split(";")[1].split()[0])
    assert 0.03 < needed < 0.3


# ---- evolution in time
def test_evolution_far_up_in_energy():
    """A field that jumps against a bit: the plain form takes over, and Langevin agrees."""
    spin = bit(10)
    jump = 5e-11

    def field(t):
        return (0.0, 0.0, 0.0 if t < jump else -0.6)

    found = fs.FokkerPlanck(COMM, spin).evolve([1e-10, 2e-10], field=field, breakpoints=[jump], tolerance=1e-4)
    sampled = fs.langevin(COMM, spin, [jump, 1e-10, 2e-10], ensemble=4096, seed=1, field=field)
    assert (np.abs(found.probability - sampled.not_switched[1:]) < 4 * sampled.not_switched_error[1:] + 1e-3).all()
    assert (np.abs(found.mean[:, 2] - sampled.mean[1:, 2]) < 4.5 * sampled.mean_error[1:, 2] + 1e-3).all()
    deep = bit(60)
    end = 5e-9
    swept = fs.FokkerPlanck(COMM, deep).evolve(
        np.array([0.8, 0.9, 1.0]) * end, field=lambda t: (0, 0, 0.8 - 1.6 * t / end), tolerance=1e-4
    )
    assert swept.mean[:, 2] == pytest.approx([0.8765, -0.3815, -0.9885], abs=2e-3)
    assert swept.final.method.endswith("plain form")


def test_short_pulses_are_seen():
    """A pulse of nanoseconds in a microsecond, without a word about when."""
    fp = fs.FokkerPlanck(COMM, bit(10))

    def field(t):
        return (0.0, 0.0, -0.15 * np.exp(-(((t - 530e-9) / 2e-9) ** 2) / 2))

    blind = fp.evolve([1e-6], field=field, tolerance=1e-4)
    told = fp.evolve([520e-9, 530e-9, 540e-9, 1e-6], field=field, tolerance=1e-4)
    assert blind.probability[-1] == pytest.approx(told.probability[-1], abs=1e-3)


@pytest.mark.slow
def test_meridians_are_for_symmetric_problems():
    """Transverse pulses, wherever they are, and torques that only say that they are symmetric."""
    spin = bit(5, 0.2)
    fp = fs.FokkerPlanck(fs.Sigma(COMM, 0.4), spin)
    pulse = fp.evolve(
        [2.4e-9, 2e-8],
        field=lambda t: (0.2 if 1.3e-9 < t < 2.4e-9 else 0.0, 0, 0),
        breakpoints=[1.3e-9, 2.4e-9],
        tolerance=1e-3,
    )
    assert pulse.final.surface.dim == 2
    assert pulse.mean[0, 0] > 0.3
    with pytest.raises(InputError, match="lives on a meridian"):
        fp.evolve([1e-9], field=lambda t: (0.1, 0, 0), initial=fs.FokkerPlanck(COMM, spin).equilibrium())
    sideways = fs.VectorTorque(lambda u: 1e9 * (np.array([1.0, 0, 0]) - u[:, :1] * u), axis=(0, 0, 1))
    assert fs.FokkerPlanck(COMM, spin, sideways).axis is None


@pytest.mark.slow
def test_precession_is_a_state():
    """A perpendicular polarizer keeps a flat magnet precessing: Langevin's mean, no mixture of its wells."""
    spin = fs.Macrospin(damping=0.05, terms=[fs.Biaxial(stability=20, hard_stability=300)], **SIZE)
    torque = fs.SpinTorque(0.375 * 2 * 20 * KT / (9e5 * 1.3e-24), 0.0, (0, 0, 1))
    found = fs.FokkerPlanck(fs.Sigma(COMM, 0.12, refine=spin), spin, torque, verify=False).steady()
    assert found.mean == pytest.approx([0, 0, 0.482], abs=2e-3)


def test_slow_evolutions_are_refused():
    spin = bit(40, 0.02)
    torque = fs.SpinTorque.critical(spin, 1.0, (0.2, 0, -1))
    fp = fs.FokkerPlanck(fs.Sigma(COMM, 0.3, refine=spin), spin, torque)
    with pytest.raises(SolverError, match="too slow to be followed"):
        fp.evolve(np.array([1e4, 1e8]) / spin.diffusion, drive=lambda t: 0.1)


def test_evolution_is_the_exponential():
    spin = bit(20)
    torque = fs.SpinTorque.critical(spin, 1.5, (0.3, 0, -0.9))
    fp = fs.FokkerPlanck(fs.Sigma(COMM, 0.3, refine=spin), spin, torque, verify=False)
    times = np.array([0.0, 1.0, 2.5]) / fp.reduced_time
    exact = fp.switching(times)
    found = fp.evolve(times, tolerance=1e-5)
    assert found.probability == pytest.approx(exact.not_switched, rel=1e-3)
    assert found.mean == pytest.approx(exact.mean, abs=1e-4)
    assert abs(found.final.mass_error) < 1e-12
    assert found.mass_error < 1e-9


@pytest.mark.slow
def test_steps_converge():
    """The error falls with the tolerance, by an order of at least a half."""
    spin = bit(10)
    fp = fs.FokkerPlanck(COMM, spin, verify=False)
    times = np.linspace(0, 4e-9, 3)
    field = lambda t: (0, 0, 0.08 * np.sin(2e9 * t))  # noqa: E731
    exact = fp.evolve(times, field=field, tolerance=1e-8).mean[-1, 2]
    errors = [abs(fp.evolve(times, field=field, tolerance=x).mean[-1, 2] - exact) for x in (1e-3, 1e-5)]
    assert errors[1] < 2e-6
    assert errors[1] < errors[0] / 10


@pytest.mark.slow
def test_slow_sweeps_follow_the_rates():
    """A sweep of milliseconds over a barrier of 20 kT: the chain of two states with the rates at each field."""
    from scipy.integrate import solve_ivp

    spin = bit(20)
    width = 2 * 20 * KT / (9e5 * 1.3e-24)
    length = 2e-3
    fp = fs.FokkerPlanck(COMM, spin, verify=False)

    def field(t):
        return (0.0, 0.0, width * (0.25 - 0.5 * t / length))

    times = np.linspace(0, length, 21)
    found = fp.evolve(times, field=field, tolerance=1e-4)

    grid = np.linspace(0, length, 41)
    rates = []
    for t in grid:
        op = Operator(Meridian((0, 0, 1)), DimensionlessDrift(spin.with_field(field(t))), weighted=True)
        e = escape(op)
        up = int(np.argmax(e.states[:, 2]))
        rates.append(np.log([e.rates[up, 1 - up], e.rates[1 - up, up]]))
    rates = np.array(rates)

    def chain(t, p):
        down, up = (spin.diffusion * np.exp(np.interp(t, grid, rates[:, k])) for k in range(2))
        return -down * p + up * (1 - p)

    exact = solve_ivp(chain, (0, length), [1.0], t_eval=times, method="LSODA", rtol=1e-8, atol=1e-10).y[0]
    assert ((exact > 0.05) & (exact < 0.95)).sum() > 1
    assert found.probability == pytest.approx(exact, abs=0.01)


def test_relative_entropy_falls():
    spin = bit(6, 0.3, field=(0.05, 0.0, 0.02))
    fp = fs.FokkerPlanck(fs.Sigma(COMM, 0.3), spin, verify=False)
    still = fp.steady()
    values = []
    for t in np.array([0.001, 0.01, 0.05, 0.2, 1.0]):
        f = fp.switching([t / spin.diffusion], start=(0, 1, 0)).final
        ratio = np.maximum(f.points, 1e-300) / still.points
        values.append(f.surface.integral(np.maximum(f.points, 0) * np.log(ratio)))
    assert (np.diff(values) < 1e-12).all()
    assert values[0] > 0.05
    assert values[-1] >= -1e-12


# ---- response, noise, passages
def test_free_spins_relax():
    """Debye's forms of susceptibility and noise, on both surfaces."""
    spin = free()
    rate = 2 * spin.diffusion
    f = np.geomspace(0.01, 100, 15) * rate / (2 * np.pi)
    w = 2 * np.pi * f
    for fp in (fs.FokkerPlanck(COMM, spin), fs.FokkerPlanck(fs.Sigma(COMM, 0.3), spin, axisymmetric=False)):
        noise = fp.noise(lambda u: u[:, 2], f)
        assert noise.density == pytest.approx(4 / 3 * rate / (rate**2 + w**2), rel=1e-5, abs=0)
        assert noise.variance == pytest.approx(1 / 3, rel=1e-8)
        found = fp.susceptibility(f, (0, 0, 2))
        debye = 9e5 * 1.3e-24 / KT / 3 / (1 + 1j * w / rate)
        assert np.abs(found.response[:, 2] / debye - 1).max() < 1e-5
        assert found.susceptibility[0, 2] == pytest.approx(1.25663706212e-6 * 9e5 * found.response[0, 2], rel=1e-12)


def test_fluctuations_and_dissipation():
    """Noise and response of a precessing magnet in an oblique field, from two different solves."""
    spin = bit(10, 0.05, field=(0.02, 0, 0.05))
    fp = fs.FokkerPlanck(fs.Sigma(COMM, 0.25, refine=spin), spin)
    f = np.geomspace(1e8, 2e10, 12)
    noise = fp.noise(lambda u: u[:, 1], f)
    response = fp.susceptibility(f, (0, 1, 0)).response[:, 1]
    assert noise.density == pytest.approx(-4 * KT / (2 * np.pi * f * 9e5 * 1.3e-24) * response.imag, rel=1e-4, abs=0)


def test_fluctuations_of_a_flat_magnet():
    """The same at a hard axis of 500 kT, at the resonance and below."""
    spin = fs.Macrospin(damping=0.02, terms=[fs.Biaxial(stability=40, hard_stability=450)], field=(0.03, 0, 0), **SIZE)
    fp = fs.FokkerPlanck(fs.Sigma(COMM, 0.2, axis=(1, 0, 0), refine=spin), spin, verify=False)
    low, high = fs.survey(spin).wells[0].curvatures
    f = np.array([0.3, 0.9]) * np.sqrt(low * high) / spin.damping * spin.diffusion / (2 * np.pi)
    noise = fp.noise(lambda u: u[:, 1], f)
    response = fp.susceptibility(f, (0, 1, 0)).response[:, 1]
    assert noise.density == pytest.approx(-4 * KT / (2 * np.pi * f * 9e5 * 1.3e-24) * response.imag, rel=1e-5, abs=0)
    assert noise.variance == pytest.approx(1 / low, rel=0.05)


@pytest.mark.slow
def test_noise_of_a_driven_state_against_langevin():
    spin = bit(4, 0.9, field=(0.0, 0.05, 0.0))
    torque = fs.SpinTorque(0.03, 0.004, (0.6, 0, 0.8))
    fp = fs.FokkerPlanck(fs.Sigma(COMM, 0.3), spin, torque)
    found = fs.power_spectrum(
        COMM, spin, lambda u: u[:, 2], resolution=2e8, highest=4e9, ensemble=1024, seed=5, torque=torque, settle=2e-8
    )
    inner = (found.frequencies > 5e8) & (found.frequencies < 3e9)
    exact = fp.noise(lambda u: u[:, 2], found.frequencies[inner]).density
    assert np.mean(found.density[inner] / exact) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("stability", [12, 40])
def test_noise_of_a_bit_is_telegraph_noise(stability):
    """Below the rates of escape, the noise of u_z is that of two states, whatever the barrier."""
    spin = bit(stability)
    fp = fs.FokkerPlanck(COMM, spin)
    rate = fp.spectrum(2).eigenvalues[1].real
    f = np.array([0.1, 1.0, 10.0]) * rate / (2 * np.pi)
    found = fp.noise(lambda u: u[:, 2], f)
    lorentz = 4 * rate * found.variance / (rate**2 + (2 * np.pi * f) ** 2)
    assert found.density == pytest.approx(lorentz, rel=4e-3, abs=0)


@pytest.mark.parametrize("axisymmetric", [None, False])
def test_unequal_wells(axisymmetric):
    """A field against the start: rates, means and mass of what starts in the shallow well, on both surfaces."""
    spin = bit(60)
    width = 2 * 60 * KT / (9e5 * 1.3e-24)
    spin = spin.with_field((0, 0, -0.45 * width))
    sigma = fs.Sigma(COMM, 0.16, refine=spin) if axisymmetric is False else COMM
    fp = fs.FokkerPlanck(sigma, spin, axisymmetric=axisymmetric)
    rates = fp.escape()
    # Brown's formula for h = 0.45, with its own correction of the order of the inverse barrier.
    rate = 60**1.5 * (1 - 0.45**2) * (1 - 0.45) / np.pi**0.5 * 2 * np.exp(-60 * 0.55**2) * spin.diffusion
    shallow = int(np.argmax(rates.states[:, 2]))
    assert rates.rates[shallow].sum() == pytest.approx(rate, rel=0.1, abs=0)
    assert rates.populations[shallow] < 1e-40
    found = fp.switching(np.array([0.5, 2.0]) / fp.reduced_time)
    assert abs(found.mass_error) < 1e-9
    assert np.abs(found.mean).max() <= 1
    assert found.not_switched[0] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("axisymmetric", [None, False])
def test_passages_of_free_spins(axisymmetric):
    """From a pole to the equator: ln 2/D; to a cap around the other pole: ln(2/(1 - cos))/D."""
    spin = free()
    fp = fs.FokkerPlanck(COMM, spin, axisymmetric=axisymmetric)
    assert fp.mean_first_passage((0, 0, 1)) * spin.diffusion == pytest.approx(np.log(2), rel=1e-5)
    if axisymmetric is None:
        assert fp.mean_first_passage((0, 0, 1), cosine=0.5) * spin.diffusion == pytest.approx(np.log(4), rel=1e-8)


def test_passage_over_a_barrier():
    """Half of those who reach the top of a barrier come back."""
    fp = fs.FokkerPlanck(COMM, bit(60))
    assert fp.mean_first_passage((0, 0, 1)) == pytest.approx(0.5 / fp.escape().rates[0, 1], rel=1e-9)
    with pytest.raises(InputError, match="start lies in the target"):
        fp.mean_first_passage((0, 0, 1), (0, 0, 1))


# ---- checkpoints
@pytest.mark.slow
@pytest.mark.parametrize("axisymmetric", [None, False])
def test_checkpoint(axisymmetric, tmp_path):
    """An evolution that is stopped half-way goes on to the same end."""
    spin = bit(8)
    sigma = fs.Sigma(COMM, 0.4) if axisymmetric is False else COMM
    fp = fs.FokkerPlanck(sigma, spin, axisymmetric=axisymmetric)
    times = np.linspace(0, 5e-9, 6)
    options = {"field": lambda t: (0.0, 0.0, 0.1 * t / 5e-9), "tolerance": 1e-3}
    whole = fp.evolve(times, **options)
    path = tmp_path / "half"

    class Stop(Exception):
        pass

    def interrupt(part):
        if part > 0.55:
            raise Stop

    with pytest.raises(Stop):
        fp.evolve(times, checkpoint=path, every=0, progress=interrupt, **options)
    assert path.exists()
    seen = []
    found = fp.evolve(times, checkpoint=path, resume=True, progress=seen.append, **options)
    assert min(seen) > 0.5
    assert found.mean == pytest.approx(whole.mean, rel=0, abs=1e-12)
    assert found.steps == whole.steps
    other = fs.FokkerPlanck(fs.Sigma(COMM, 0.6, degree=3), spin, axisymmetric=False)
    with pytest.raises(InputError, match=r"it holds .* cells of degree"):
        other.evolve(times, checkpoint=path, resume=True, **options)
    path.write_text("something else")
    with pytest.raises(InputError, match="not one of fespin's"):
        fp.evolve(times, checkpoint=path, resume=True, **options)


# ---- input
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda fp: fp.switching([]), "times: they must be"),
        (lambda fp: fp.switching([2e-9, 1e-9]), "times: they must be"),
        (lambda fp: fp.switching([0.0]), "end after zero"),
        (lambda fp: fp.switching([1e-9], start=(0, 0, 0)), "start is zero"),
        (lambda fp: fp.spectrum(0), "count is 0"),
        (lambda fp: fp.spectrum(2, near=-1.0), "frequency is -1.0"),
        (lambda fp: fp.evolve([1e-9], tolerance=2), "tolerance is 2"),
        (lambda fp: fp.evolve([1e-9], field=lambda t: (0, 1)), "evolve: field"),
        (lambda fp: fp.noise(lambda u: u[:, 0], [0.0]), "frequencies: they must be positive"),
        (lambda fp: fp.mean_first_passage((0, 0, 1), cosine=2), "cosine is 2"),
        (lambda fp: fs.Sigma(COMM, 3.0), "mesh_size is 3.0"),
        (lambda fp: fs.Sigma(COMM, degree=0), "degree is 0"),
        (lambda fp: fs.Sigma(COMM, grading=1.0), "grading is 1.0"),
        (lambda fp: fs.FokkerPlanck(COMM, bit(field=(0.1, 0, 0)), axisymmetric=True), "not symmetric about an axis"),
    ],
)
def test_bad_input(call, words):
    with pytest.raises(InputError) as error:
        call(fs.FokkerPlanck(COMM, bit(5)))
    assert words in str(error.value)
    assert "\n" not in str(error.value)
