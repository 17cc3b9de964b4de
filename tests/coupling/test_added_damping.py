"""Damping that depends on the direction: the motion, the Fokker-Planck equation and trajectories."""

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI
from numpy.polynomial import Chebyshev
from scipy.integrate import quad

import fespin as fs
from fespin.errors import InputError
from fespin.macrospin import AngularDamping, AngularTorque
from fespin.macrospin.spin import fibonacci

COMM = MPI.COMM_SELF
P = np.array([2.0, -1.0, 2.0]) / 3
# Larger than any pump's, and far from constant, so that a wrong drift shows.
STRONG = AngularDamping(Chebyshev([0.3, 0.1, 0.05]), Chebyshev([0.35, -0.2]), Chebyshev([0.1, 0.2, 0.05]), tuple(P))
TORQUE = AngularTorque(Chebyshev([0.006, 0.002]), Chebyshev([0.003, -0.001, 0.001]), tuple(P))


def magnet(pumping=STRONG, damping=0.1, stability=6.0, terms=None, **more):
    energy = fs.Uniaxial(stability=stability, axis=tuple(P)) if terms is None else terms
    return fs.Macrospin(2e-24, 9e5, damping, 300.0, energy, pumping=pumping, **more)


def constant(a, e=0.0):
    return AngularDamping(Chebyshev([a]), Chebyshev([0.0]), Chebyshev([e]), tuple(P))


def test_explicit_form_solves_gilberts_equation():
    spin, u = magnet(), fibonacci(50)
    g = np.cross(u, np.random.default_rng(1).normal(size=(50, 3)))
    x = spin.explicit(g, u)
    damped = spin.damping * x + np.einsum("nij,nj->ni", STRONG.tensor(u), x)
    assert x == pytest.approx(g + np.cross(u, damped), rel=0, abs=1e-12)
    # The power: energy is lost to the symmetric part alone.
    gradient = spin.thermal_energy * spin.reduced_energy.gradient(u)
    v = spin.precession(u, spin.effective_field(u))
    lost = np.einsum("ni,nij,nj->n", v, spin.damping * np.eye(3) + STRONG.tensor(u), v)
    right = spin.moment / spin.gyromagnetic_ratio * lost
    assert -np.sum(gradient * v, axis=1) == pytest.approx(right, rel=1e-11, abs=1e-12 * right.max())
    k, r = spin.mobility(u)
    flow = -np.einsum("nij,nj->ni", k, gradient) + r[:, None] * np.cross(u, gradient)
    assert spin.diffusion / spin.thermal_energy * flow == pytest.approx(v, rel=0, abs=1e-11 * np.abs(v).max())


@pytest.mark.slow
@pytest.mark.parametrize("axisymmetric", [None, False])
def test_a_constant_tensor_is_a_larger_damping_and_a_smaller_gamma(axisymmetric):
    """alpha + a and 1 + e: the same as damping (alpha + a)/(1 + e) and gamma/(1 + e)."""
    pumped = magnet(constant(0.15, 0.25))
    plain = magnet(None, 0.25 / 1.25, gyromagnetic_ratio=pumped.gyromagnetic_ratio / 1.25)
    u = fibonacci(30)
    assert TORQUE.velocity(u, plain) == pytest.approx(TORQUE.velocity(u, pumped), rel=1e-10, abs=1e-3)
    times = np.array([0.2, 1.0, 4.0]) * 1e-9
    spheres = fs.Sigma(COMM, 0.25, axis=tuple(P)) if axisymmetric is False else COMM
    a, b = (
        fs.FokkerPlanck(spheres, s, TORQUE, axisymmetric=axisymmetric).switching(times, start=tuple(-P))
        for s in (pumped, plain)
    )
    assert a.not_switched == pytest.approx(b.not_switched, rel=2e-5, abs=0)
    if axisymmetric is None:
        a, b = (fs.FokkerPlanck(COMM, s, TORQUE).spectrum(8).eigenvalues for s in (pumped, plain))
        assert a == pytest.approx(b, rel=1e-8, abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("axisymmetric", [None, False])
def test_equilibrium_and_driven_steady_state(axisymmetric):
    spheres = fs.Sigma(COMM, 0.25, axis=tuple(P)) if axisymmetric is False else COMM
    spin = magnet()
    solver = fs.FokkerPlanck(spheres, spin, TORQUE, axisymmetric=axisymmetric)
    found = solver.steady()
    equilibrium = solver.equilibrium()
    # Closed: ln rho = -integral of v' - X_theta/(K_theta theta D).
    u = np.array([c * P + np.sqrt(1 - c * c) * np.array([1, 2, 0]) / 5**0.5 for c in np.linspace(-0.99, 0.99, 41)])

    def slope(c):
        v = c * P + np.sqrt(1 - c * c) * np.array([1, 2, 0]) / 5**0.5
        q = (P - c * v) / np.sqrt(1 - c * c)
        k = q @ spin.mobility(v[None])[0][0] @ q
        x = q @ TORQUE.velocity(v[None], spin)[0] / spin.diffusion
        return (-q @ spin.reduced_energy.gradient(v[None])[0] + x / k) / np.sqrt(1 - c * c)

    c = u @ P
    right = np.array([quad(slope, 0, x, epsabs=1e-12)[0] for x in c])
    nodes = found.surface.nodes @ P
    values = np.log(np.maximum(found.nodes, 1e-300))
    order = np.argsort(nodes)
    seen = np.interp(c, nodes[order], values[order])
    tolerance = 3e-3  # of linear interpolation between nodes
    assert seen - seen[20] == pytest.approx(right - right[20], rel=0, abs=tolerance)
    boltzmann = np.log(equilibrium.points) + spin.reduced_energy(equilibrium.surface.points)
    assert np.ptp(boltzmann) < 1e-10
    power = solver.power(found)
    assert power["work"] == pytest.approx(power["dissipation"], rel=1e-4, abs=0)


@pytest.mark.slow
def test_sphere_and_meridian_agree():
    spin = magnet(stability=4.0)
    on_sphere = fs.FokkerPlanck(fs.Sigma(COMM, 0.3, axis=tuple(P)), spin, TORQUE, axisymmetric=False)
    on_meridian = fs.FokkerPlanck(COMM, spin, TORQUE)
    assert on_meridian.axis is not None
    a, b = (x.spectrum(7).eigenvalues for x in (on_sphere, on_meridian))
    # Modes around the axis: r's gradient matters.
    assert np.abs(b.imag).max() > 0.1 * np.abs(b).max()
    assert a == pytest.approx(b, rel=1e-4, abs=1e-4 * abs(b[1]))
    frequencies = [1e8, 3e9]
    a, b = (x.susceptibility(frequencies, tuple(P)).response[:, 2] for x in (on_sphere, on_meridian))
    assert a == pytest.approx(b, rel=1e-4, abs=0)


@pytest.mark.slow
def test_trajectories():
    """The strength of the noise depends on the direction: without the drift this makes they end elsewhere."""
    spin = magnet(stability=3.0)
    solver = fs.FokkerPlanck(COMM, spin, TORQUE)
    times = np.array([0.1, 0.3, 1.0, 3.0]) * 1e-9
    right = solver.switching(times, start=tuple(-P), observables={"square": lambda u: (u @ P) ** 2})
    seen = fs.langevin(
        COMM,
        spin,
        times,
        ensemble=20480,
        seed=5,
        start=tuple(-P),
        torque=TORQUE,
        observables={"square": lambda u: (u @ P) ** 2},
    )
    assert np.abs((seen.not_switched - right.not_switched) / seen.not_switched_error).max() < 4
    assert (
        np.abs((seen.observables["square"] - right.observables["square"]) / seen.observable_errors["square"]).max() < 4
    )
    # Another axis for the torque: tables hold the damping alone.
    other = fs.SpinTorque(0.004, 0.001, (1.0, 0.0, 0.0))
    sphere = fs.FokkerPlanck(fs.Sigma(COMM, 0.3, axis=tuple(P)), spin, other)
    assert sphere.axis is None
    right = sphere.switching(times[:3], start=tuple(-P))
    seen = fs.langevin(COMM, spin, times[:3], ensemble=10240, seed=7, start=tuple(-P), torque=other)
    assert np.abs((seen.not_switched - right.not_switched) / seen.not_switched_error).max() < 4
    assert np.abs((seen.mean - right.mean) / seen.mean_error).max() < 4.5


def test_motion_without_noise_loses_what_damping_takes():
    spin = magnet(stability=60.0, damping=0.02)
    start = np.cross(P, (1, 0, 0)) + 0.3 * P
    times = np.linspace(0, 0.3e-9, 2001)
    run = fs.llg(spin, tuple(start), times, rtol=1e-11)
    u = run.directions
    v = spin.precession(u, spin.effective_field(u))
    power = (
        spin.moment
        / spin.gyromagnetic_ratio
        * np.einsum("ni,nij,nj->n", v, spin.damping * np.eye(3) + STRONG.tensor(u), v)
    )
    lost = np.sum(power[1:-1:2] * 4 + power[:-2:2] + power[2::2]) * (times[1] - times[0]) / 3
    energy = spin.energy(u)
    assert energy[0] - energy[-1] == pytest.approx(lost, rel=1e-7, abs=0)


def test_what_damping_cannot_be():
    with pytest.raises(InputError, match=r"across the plane of u and p it is -0\.1"):
        constant(-0.1)
    with pytest.raises(InputError, match=r"in that plane it is -0\.4"):
        replace(STRONG, normal=Chebyshev([0.1]), excess=Chebyshev([-0.5]))
    with pytest.raises(InputError, match=r"reactive part is -1\.5"):
        constant(0.1, -1.5)
    with pytest.raises(InputError, match="not finite"):
        constant(float("nan"))
