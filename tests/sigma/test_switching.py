"""Switching under polarizers of any direction, against spherical harmonics and trajectories."""

import numpy as np
import pytest
from mpi4py import MPI

import fespin as fs
from fespin.sigma import cost
from fespin.sigma.meridian import Meridian
from references import harmonics, macrospins

COMM = MPI.COMM_WORLD
SIZE = {"volume": 1.7e-24, "saturation_magnetization": 8.2e5, "temperature": 290.0}
STIFF = SIZE["volume"] * SIZE["saturation_magnetization"] / (1.380649e-23 * SIZE["temperature"])  # Ms v/kT, 1/T


def bit(stability, damping, field=(0.0, 0.0, 0.0)):
    return fs.Macrospin(damping=damping, terms=[fs.Uniaxial(stability=stability)], field=field, **SIZE)


def tilted(spin, ratio, degrees, turn=0.0, field_like=0.0):
    """A polarizer so many degrees off -z, at a multiple of the critical torque along the axis."""
    size = 2 * spin.terms[0].stability * spin.damping * ratio / STIFF
    t = np.radians(degrees)
    return fs.SpinTorque(size, field_like * size, (np.sin(t) * np.cos(turn), np.sin(t) * np.sin(turn), -np.cos(t)))


def expansion(spin, torque, lmax):
    """The same magnet and torque in spherical harmonics, and its energy."""
    v = harmonics.add(harmonics.uniaxial(spin.terms[0].stability), harmonics.field([STIFF * b for b in spin.field]))
    a, b, alpha = torque.damping_like, torque.field_like, spin.damping
    along = harmonics.linear(torque.polarizer)
    chi = harmonics.scale(STIFF * (a - alpha * b) / alpha, along)
    phi = harmonics.scale(STIFF * (b + alpha * a) / alpha, along)
    return harmonics.Harmonics(lmax, v, alpha, chi, phi), v


@pytest.mark.slow
@pytest.mark.parametrize(
    ("degrees", "field"),
    [
        (0, (0.0, 0.0, 0.0)),
        (35, (0.03, -0.05, 0.02)),
        (70, (0.0, 0.0, 0.0)),
        (70, (-0.02, 0.03, -0.04)),
        (90, (0.04, 0.01, 0.0)),
    ],
)
def test_any_polarizer(degrees, field):
    """From along the easy axis to across it, in fields, on two meshes: what has not switched, and what never will."""
    spin = bit(7.5, 0.2, field)
    torque = tilted(spin, 1.7, degrees, turn=0.8, field_like=0.3)
    s = np.array([0.0, 0.02, 0.07, 0.2, 0.5])
    reference, v = expansion(spin, torque, 34)
    exact, last = reference.survival(v, s)
    if abs(last) < 1e-5:  # the expansion's own noise, which its stationary state alone has
        exact, last = np.array(exact) - last, 0.0
    for size, degree in ((0.3, 4), (0.24, 3)):
        sigma = fs.Sigma(COMM, size, degree=degree, refine=spin)
        fp = fs.FokkerPlanck(sigma, spin, torque, axisymmetric=False, verify=False)
        found = fp.switching(s / spin.diffusion)
        assert found.not_switched[0] == 1
        assert found.not_switched[1:] == pytest.approx(exact[1:], rel=2e-3, abs=1e-7)
        assert found.stationary == pytest.approx(last, rel=5e-4, abs=5e-7)


@pytest.mark.slow
@pytest.mark.parametrize("degrees", [60, 90])
def test_bits_that_stay(degrees):
    """A torque too weak to switch a deep well leaves all in it, on any mesh: no state elsewhere takes its place."""
    spin = bit(45, 0.07, (0.01, 0.04, 0.0))
    torque = tilted(spin, 0.5, degrees, turn=2.0)
    times = np.array([0.0, 2e-10, 6e-10])
    for size, degree in ((0.25, 4), (0.2, 3)):
        sigma = fs.Sigma(COMM, size, degree=degree, refine=spin)
        found = fs.FokkerPlanck(sigma, spin, torque, axisymmetric=False, verify=False).switching(times)
        assert found.not_switched[0] == 1
        assert found.not_switched == pytest.approx(1, abs=2e-3)
    assert (fs.langevin(COMM, spin, times, ensemble=1024, seed=4, torque=torque).not_switched == 1).all()


@pytest.mark.slow
def test_small_remainders_under_a_tilted_polarizer():
    """Far above the critical torque, 40 degrees off the axis: 1e-9 against a finer mesh of a higher degree."""
    spin = bit(50, 0.1)
    torque = tilted(spin, 2.6, 40)
    times, found = np.array([0.4, 1.0, 2.0]) / spin.diffusion * 0.2, []
    for size, degree in ((0.22, 4), (0.2, 5)):
        sigma = fs.Sigma(COMM, size, degree=degree, refine=spin)
        fp = fs.FokkerPlanck(sigma, spin, torque, axisymmetric=False, verify=False)
        found.append(fp.switching(times))
    assert found[1].not_switched[-1] < 1e-8
    assert found[0].not_switched == pytest.approx(found[1].not_switched, rel=1e-4, abs=0)
    assert max(x.stationary for x in found) < 1e-10


@pytest.mark.slow
def test_estimates_are_right():
    """Random magnets, fields and torques: the error lies within the estimate, and the estimate within 30 of it."""
    rng, ratios, bounds = np.random.default_rng(20), [], []
    for _ in range(4):
        spin = bit(np.exp(rng.uniform(0.0, 3.2)), np.exp(rng.uniform(-1.8, 0.0)))
        width = 2 * spin.terms[0].stability / STIFF
        spin = spin.with_field(tuple(width * 0.15 * rng.uniform(-1, 1, 3)))
        torque = tilted(spin, rng.uniform(0.5, 2.5), rng.uniform(0, 85), rng.uniform(0, 6), rng.uniform(-0.4, 0.4))
        sigma = fs.Sigma(COMM, rng.uniform(0.3, 0.42), refine=spin)
        times = np.array([0.0, 0.3, 1.0, 2.0, 3.0]) * spin.damping**0.3 / spin.diffusion * 2 / spin.terms[0].stability
        found = fs.FokkerPlanck(sigma, spin, torque, axisymmetric=False).switching(times)
        better = fs.Sigma(COMM, 0.8 * sigma.mesh_size, degree=5, refine=spin)
        exact = fs.FokkerPlanck(better, spin, torque, axisymmetric=False, verify=False).switching(times, rtol=1e-8)
        assert found.error_estimate[0] == 0
        assert found.resolved.all()
        error = np.abs(found.not_switched / exact.not_switched - 1)[1:]
        bounds += list(error / found.error_estimate[1:])
        ratios += list(found.error_estimate[1:] / np.maximum(error, 1e-6))
    assert max(bounds) < 1
    assert max(ratios) < 30


# Of the series of benchmarks/estimates.py: cubic, uniaxial, biaxial, 1 to 59 kT, damping 0.002 to 0.5, one symmetric.
@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1, 5, 11, 12])
def test_estimates_of_random_magnets(number):
    """At default settings each resolved sample lies within its estimate, which is at most 30 times the error."""
    problem = macrospins.draw(7, number)
    fp = fs.FokkerPlanck(COMM, problem.spin, problem.torque)
    found = fp.switching(problem.times)
    assert found.resolved.all()
    if fp.axis is not None:
        fp.meridian = Meridian(fp.meridian.axis, 2 * int(0.6 * fp.meridian.cells), degree=5)
        exact = fp
    else:
        size = 0.8 * fp.sphere.mesh_size
        sigma = fs.Sigma(COMM, size, degree=5, axis=fp.sphere.axis, refine=problem.spin)
        exact = fs.FokkerPlanck(sigma, problem.spin, problem.torque, verify=False)
    exact.verify = False
    error = np.abs(found.not_switched / exact.switching(problem.times, rtol=1e-8).not_switched - 1)
    assert (error < found.error_estimate).all()
    # Errors of the time integration are not told apart below what was asked of it, a relative 1e-6.
    assert (found.error_estimate < 30 * np.maximum(error, 1e-6)).all()


@pytest.mark.slow
def test_estimates_of_a_thin_ellipse():
    """An in-plane bit at low damping, whose hard axis is stiff: what is resolved is bounded, what is not is marked."""
    spin = fs.Macrospin(
        damping=0.03,
        terms=[fs.Shape(fs.elliptic_cylinder_factors(80e-9, 40e-9, 5e-9))],
        **{**SIZE, "volume": 1.5e-24},
    )
    torque = fs.SpinTorque(0.09, 0.0, (-0.9396926, -0.3420201, 0))
    times, axis = np.array([0.1, 0.2, 0.3, 0.8]) * 1e-9, (1.0, 0.0, 0.0)
    found = fs.FokkerPlanck(fs.Sigma(COMM, 0.25, axis=axis, refine=spin), spin, torque).switching(times, start=axis)
    better = fs.Sigma(COMM, 0.2, degree=5, axis=axis, refine=spin)
    exact = fs.FokkerPlanck(better, spin, torque, verify=False).switching(times, start=axis, rtol=1e-8)
    assert found.resolved.tolist() == [True, True, True, False]
    error, estimate = np.abs(found.not_switched / exact.not_switched - 1)[:3], found.error_estimate[:3]
    assert (error < estimate).all()
    assert (estimate < 30 * error).all()


@pytest.mark.parametrize("degree", [1, 2])
def test_estimates_of_low_degrees(degree):
    """Degrees without lower neighbours are compared with a higher one."""
    spin = bit(4, 0.5)
    torque = tilted(spin, 1.5, 30)
    times = np.array([0.05, 0.2]) / spin.diffusion
    found = fs.FokkerPlanck(fs.Sigma(COMM, 0.25, degree=degree, refine=spin), spin, torque).switching(times)
    exact = fs.FokkerPlanck(fs.Sigma(COMM, 0.4, refine=spin), spin, torque, verify=False).switching(times)
    error = np.abs(found.not_switched / exact.not_switched - 1)
    assert (error < found.error_estimate).all()
    assert (found.error_estimate < 10 * error).all()


@pytest.mark.slow
def test_what_is_not_resolved_is_marked():
    """Deep samples on a coarse mesh are nan with their estimate; the others stand. The advice, once taken, works."""
    spin = bit(30, 0.35)
    torque = tilted(spin, 1.8, 55)
    times, size = np.array([0.0, 0.03, 0.06, 0.3]) / spin.diffusion, 0.4
    found = fs.FokkerPlanck(fs.Sigma(COMM, size, refine=spin), spin, torque).switching(times)
    lost = np.count_nonzero(~found.resolved)
    assert 0 < lost < 3
    assert (found.error_estimate[~found.resolved] > 0.5).all()
    assert found.advice.startswith(f"{lost} of 4 samples are not resolved; sphere.mesh_size")
    better = float(found.advice.split(";")[-1].split()[0])
    exact = fs.FokkerPlanck(fs.Sigma(COMM, better, refine=spin), spin, torque).switching(times)
    assert exact.advice is None
    assert exact.resolved.all()
    seen = found.resolved
    assert found.not_switched[seen] == pytest.approx(exact.not_switched[seen], rel=max(found.error_estimate[seen]))


def test_costs_are_told(monkeypatch):
    """A line before what takes long, with the number of unknowns; none for what does not, or is known."""
    spin, said = bit(5, 0.5), []
    torque = tilted(spin, 1.5, 30)
    sigma = fs.Sigma(COMM, 0.5)
    fs.FokkerPlanck(sigma, spin, torque, say=said.append, verify=False).switching([1e-10])
    assert said == []
    monkeypatch.setattr(cost, "_FEW", 100)
    monkeypatch.setattr(cost, "_SECONDS", 1e-9)
    sigma = fs.Sigma(COMM, 0.5)
    fp = fs.FokkerPlanck(sigma, spin, torque, say=said.append, verify=False)
    fp.switching([1e-10])
    (line,) = said
    assert line.startswith(f"note: {sigma.dofs} unknowns: following them takes about 0.1 min and ")
    fp.switching([1e-10])
    assert len(said) == 1


def test_default_meshes_are_bearable(monkeypatch):
    """Where the rule asks for more than the most unknowns, the default is coarser; who asks for more gets it."""
    monkeypatch.setattr(cost, "MOST", 2500)
    spin = bit(80, 0.05, (0.01, 0.0, 0.0))
    assert 1500 < fs.FokkerPlanck(COMM, spin, axisymmetric=False).sphere.dofs <= 2500
