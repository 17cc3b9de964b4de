"""What a torque does to the wells, against the linearized motion by hand and exact passages."""

import numpy as np
import pytest
from mpi4py import MPI
from numpy.polynomial import Chebyshev

import fespin as fs
from fespin.sigma import torque_shifts

COMM = MPI.COMM_SELF
AXIS = np.array([2, -1, 2]) / 3
SPIN = fs.Macrospin(2.5e-23, 7e5, 0.13, 310.0, [fs.Uniaxial(stability=14.0, axis=tuple(AXIS))])


def by_potentials(chi, phi):
    """Return the torque whose potentials have these slopes against u.p (1/s)."""
    g, alpha = SPIN.gyromagnetic_ratio, SPIN.damping
    return fs.AngularTorque((chi + alpha * phi) / g, (phi - alpha * chi) / g, tuple(AXIS))


def test_half_width_frequency_and_switching_field():
    """At u = +-p chi adds +-chi' to the half width, Phi -+Phi' to the angular frequency; the field that undoes chi."""
    chi, phi = 1e7 * Chebyshev([0.6, 0.3, -0.2]), 1e7 * Chebyshev([-0.4, 0.9])
    found = torque_shifts(COMM, SPIN, by_potentials(chi, phi), dwell=False)
    side = np.sign(found.wells @ AXIS)
    assert sorted(side) == [-1, 1] and found.stable.all() and np.isnan(found.dwell_times).all()
    curvature = 2 * 14.0 * SPIN.thermal_energy / SPIN.moment  # T
    rate = SPIN.gyromagnetic_ratio / (1 + 0.13**2)
    assert found.half_widths[:, 0] == pytest.approx([0.13 * rate * curvature] * 2, rel=1e-7, abs=0)
    assert found.angular_frequencies[:, 0] == pytest.approx([rate * curvature] * 2, rel=1e-7, abs=0)
    assert np.diff(found.half_widths)[:, 0] == pytest.approx(side * chi(side), rel=1e-6, abs=0)
    assert np.diff(found.angular_frequencies)[:, 0] == pytest.approx(-side * phi(side), rel=1e-6, abs=0)
    # In the field that is shifted so, the half width is that without torque in the field as it was.
    for k, b in enumerate(found.switching_fields):
        shifted = SPIN.with_field(tuple(b * AXIS))
        again = torque_shifts(COMM, shifted, by_potentials(chi, phi), dwell=False)
        i = int(np.argmax(again.wells @ found.wells[k]))
        assert again.half_widths[i, 1] == pytest.approx(found.half_widths[k, 0], rel=1e-7, abs=0)
        assert abs(b) > 3e-5


def test_an_even_chi_widens_the_loop():
    """chi(u) = chi(-u) shifts both switching fields by opposite amounts."""
    found = torque_shifts(COMM, SPIN, by_potentials(Chebyshev([0.0, 2e6]), Chebyshev([0.0])), dwell=False)
    assert found.switching_fields[0] == pytest.approx(-found.switching_fields[1], rel=1e-9, abs=0)


def passage(slope, side):
    """Mean time from the pole u = side p until the other well is reached: the double integral along u.p (s)."""
    c = np.linspace(-1, 1, 200001)
    w = 14.0 * c * c + slope.integ()(-side * c) / SPIN.diffusion  # the start is at c = -1
    r = np.exp(w - w.max())
    inside = np.concatenate([[0.0], np.cumsum((r[1:] + r[:-1]) / 2 * np.diff(c))])
    k = slice(1, int(0.96 * len(c)))
    return float(np.trapezoid(inside[k] / ((1 - c[k] ** 2) * r[k]), c[k])) / SPIN.diffusion


def test_dwell_times_against_a_quadrature():
    slope = 0.8 * SPIN.diffusion * Chebyshev([0.7, -0.4, 0.5])
    found = torque_shifts(COMM, SPIN, by_potentials(slope, Chebyshev([3e6])))
    for k, u in enumerate(found.wells):
        side = float(np.sign(u @ AXIS))
        for i, x in enumerate((Chebyshev([0.0]), slope)):
            assert found.dwell_times[k, i] == pytest.approx(passage(x, side), rel=1e-4, abs=0)
    assert found.dwell_times[0, 1] / found.dwell_times[1, 1] > 1.5


def test_what_has_no_axis_or_no_state():
    """A torque without an axis has no switching field; a state that is lost has no width."""
    found = torque_shifts(COMM, SPIN, fs.VectorTorque(lambda u: 1e7 * np.cross(u, (1.0, 0.0, 0.0))), dwell=False)
    assert np.isnan(found.switching_fields).all() and np.isfinite(found.half_widths).all()
    lost = torque_shifts(COMM, SPIN, fs.SpinTorque.critical(SPIN, 1.5, tuple(AXIS)))
    other = int(np.argmin(lost.wells @ AXIS))
    assert lost.stable.sum() == 1 and not lost.stable[other] and np.isnan(lost.half_widths[other, 1])
    assert np.isinf(lost.dwell_times[1 - other, 1]) and np.isfinite(lost.dwell_times[:, 0]).all()
