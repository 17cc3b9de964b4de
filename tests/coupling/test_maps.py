"""What both kinds of maps share: drives, files, refusals, and the search for enough solves."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI
from numpy.polynomial import Chebyshev
from scipy.spatial.transform import Rotation

from fespin.coupling import Circuit, DirectionMap, TorqueMap
from fespin.coupling.current_map import CurrentMap
from fespin.coupling.maps import refine
from fespin.errors import InputError
from fespin.harmonics import even_directions, harmonics, quadrature
from fespin.macrospin import Macrospin, Uniaxial

COMM = MPI.COMM_WORLD
P = np.array([0.48, -0.6, 0.64])
SPIN = Macrospin(
    saturation_magnetization=0.9e6,
    volume=3.1e-24,
    damping=0.03,
    temperature=310.0,
    terms=(Uniaxial(stability=12.0, axis=(0.1, 0.3, -0.95)),),
)


def angular(pumping: bool = False) -> TorqueMap:
    d, f = Chebyshev([3e-16, -1.1e-16, 0.7e-16]), Chebyshev([-0.4e-16, 0.9e-16])
    r, gamma = Chebyshev([4e-15, 1.3e-15]), (Chebyshev([2e-16, 3e-17]), Chebyshev([1e-17]), Chebyshev([4e-18]))
    return TorqueMap("free", 2.3e-9, tuple(P), d, f, r, 3e-5, 9, gamma if pumping else None)


def over_the_sphere(found: TorqueMap, pumping: bool = False) -> DirectionMap:
    """Return the same device over the whole sphere: chi and phi are the integrals of d and f over the cosine."""
    u, weight = quadrature(10)
    values = np.stack([g(u @ P) for g in (found.damping_like.integ(), found.field_like.integ(), found.resistance_area)])
    chi, phi, area = (values * weight) @ harmonics(u, 4)[0]
    chi[0] = phi[0] = 0.0
    gamma = None
    if pumping:
        gamma = np.zeros((12, 25))
        gamma[:9, 0] = 1e-16 * np.array([9.0, 0.7, -0.3, -0.5, 8.0, 0.4, 0.2, -0.6, 7.0])
        gamma[9:, 0] = 0.03, -0.02, 0.05
    return DirectionMap("free", 2.3e-9, chi, phi, area, 3e-5, 40, gamma)


DRIVES = {
    "current": {"current_density": -2.3e11},
    "voltage": {"voltage": 0.7e-3},
    "load": {"voltage": 0.7e-3, "series_resistance_area": 2.2e-15},
}


@pytest.mark.parametrize("drive", DRIVES.values(), ids=DRIVES)
def test_both_kinds_describe_one_device(drive):
    """Torque, resistance and critical current of one device, written in polynomials and in spherical harmonics."""
    one = angular()
    other, u = over_the_sphere(one), even_directions(0, 60)
    assert np.allclose(one.resistance_at(u), other.resistance_at(u), rtol=1e-12)
    assert np.allclose(one.torque_per_current(u), other.torque_per_current(u), rtol=0, atol=1e-28)
    a, b = one.torque(SPIN, **drive).velocity(u, SPIN), other.torque(SPIN, **drive).velocity(u, SPIN)
    # At a voltage the polynomial of f/r has eight terms, which here fall by a factor of six each.
    exact = "voltage" not in drive
    assert np.abs(a - b).max() < (1e-12 if exact else 5e-6) * np.abs(b).max() and np.abs(b).max() > 0
    well = np.array([0.1, 0.3, -0.95]) / np.linalg.norm([0.1, 0.3, -0.95])
    critical = one.critical_current_density(SPIN, well)
    assert critical == pytest.approx(other.critical_current_density(SPIN, well), rel=1e-6) and critical != 0


@pytest.mark.parametrize("drive", DRIVES.values(), ids=DRIVES)
@pytest.mark.parametrize("pumping", [False, True])
@pytest.mark.parametrize("kind", ["angles", "directions"])
def test_a_drive_is_said_once(kind, pumping, drive):
    """Keywords, a circuit, and a map with its drive mean the same."""
    found = angular(pumping) if kind == "angles" else over_the_sphere(angular(), pumping)
    u, circuit = even_directions(3, 20), Circuit(**drive)
    driven = CurrentMap(found, circuit)
    expected = found.torque(SPIN, **drive).velocity(u, SPIN)
    assert np.array_equal(found.torque_in(circuit, SPIN).velocity(u, SPIN), expected)
    assert np.array_equal(driven.torque(SPIN).velocity(u, SPIN), expected)
    assert found.has_pumping == pumping
    if pumping:
        damped = found.pumped(SPIN, **drive).pumping.tensor(u)
        assert np.array_equal(driven.magnet(SPIN).pumping.tensor(u), damped) and np.abs(damped).max() > 0
        # In a closed circuit pumped currents act back; the tensor knows the load.
        if "series_resistance_area" not in drive:
            loaded = found.pumped(SPIN, voltage=1.0, series_resistance_area=2.2e-15).pumping.tensor(u)
            assert np.abs(loaded - damped).max() > 1e-6 * np.abs(damped).max()
    else:
        assert driven.magnet(SPIN) is SPIN
        with pytest.raises(InputError, match=f"^{found.NAME}: it holds no pumping; make it with pumping=True"):
            found.pumped(SPIN, **drive)
    doubled = driven.at(2 * (circuit.current_density or circuit.voltage)).torque(SPIN).velocity(u, SPIN)
    assert np.allclose(doubled, 2 * expected, rtol=1e-12)


@pytest.mark.parametrize("pumping", [False, True])
def test_files(tmp_path, pumping):
    first, u = angular(pumping), even_directions(0, 30)
    for found in (first, over_the_sphere(first, pumping)):
        path = tmp_path / f"{type(found).__name__}.json"
        found.save(COMM, path)
        again = type(found).load(path)
        assert (again.layer, again.thickness, again.error, again.solves) == ("free", 2.3e-9, 3e-5, found.solves)
        assert np.array_equal(again.torque_per_current(u), found.torque_per_current(u))
        assert np.array_equal(again.resistance_at(u), found.resistance_at(u)) and again.has_pumping == pumping
        assert list(json.loads(path.read_text()))[-3:] == ["error", "solves", "pumping"]
    # The other kind's file is no map of this kind, whichever is which.
    for kind, name in ((TorqueMap, "DirectionMap"), (DirectionMap, "TorqueMap")):
        with pytest.raises(InputError, match=f"holds no {kind.NAME}"):
            kind.load(tmp_path / f"{name}.json")
        with pytest.raises(InputError, match=rf"^{kind.NAME} '.*nowhere.json' cannot be read: No such file"):
            kind.load(tmp_path / "nowhere.json")


def test_refinement_stops_where_new_solves_agree():
    """Polynomials through more and more points: the deviation is that of the last fit, at points it has not seen."""
    seen = []

    def solve(x):
        seen.append(len(x))
        return np.stack([np.exp(0.7 * x), np.cos(2.1 * x + 0.4)], axis=1)

    def deviation(x, values, new, more):
        fits = [np.polynomial.Polynomial.fit(x, v, len(x) - 1) for v in values.T]
        return float(max(np.abs(f(new) - v).max() for f, v in zip(fits, more.T, strict=True)))

    every = np.cos(np.pi * (np.arange(40) * 0.618034 % 1))
    batches = [every[k : k + 2] for k in range(4, 40, 2)]
    points, values, error = refine(COMM, every[:4], solve(every[:4]), batches, solve, deviation, 1e-6)
    assert 0 < error < 1e-6 and len(points) == len(values) == sum(seen) < 30
    assert np.array_equal(points, every[: len(points)])
    # One batch less was not enough, and the error is that of the fit before.
    before = deviation(points[:-4], values[:-4], points[-4:-2], values[-4:-2])
    assert before > 1e-6 and error == deviation(points[:-2], values[:-2], points[-2:], values[-2:])
    assert refine(COMM, every[:4], solve(every[:4]), batches[:1], solve, deviation, 1e-6)[2] > 1e-6
    assert refine(COMM, every[:4], solve(every[:4]), [], solve, deviation, 1e-6)[2] == math.inf


def test_turning_device_and_magnet_together_changes_nothing():
    """A map turned with its polarizer gives the torque turned."""
    turn = Rotation.from_rotvec([0.4, -1.1, 0.6]).as_matrix()
    one, u = angular(), even_directions(5, 25)
    x, y, z = turn @ P
    other = replace(one, polarizer=(x, y, z))
    assert np.allclose(other.torque_per_current(u @ turn.T), one.torque_per_current(u) @ turn.T, rtol=0, atol=1e-29)
