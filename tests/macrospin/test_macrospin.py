"""Energies, torques and landscapes of a macrospin."""

import numpy as np
import pytest
import ufl

import fespin as fs
from fespin.energy.on_sphere import Pointwise, tangent_frame
from fespin.errors import InputError
from fespin.macrospin.landscape import flood, grid, symmetry_axis
from fespin.macrospin.spin import fibonacci

SIZE = {"volume": 1.3e-24, "saturation_magnetization": 9e5, "damping": 0.07, "temperature": 310.0}
TERMS = {
    "uniaxial": fs.Uniaxial(2.1e5, (1, 2, -1)),
    "biaxial": fs.Biaxial(1.5e5, 4e5, (1, 1, 0), (0, 0, 2)),
    "cubic": fs.Cubic(-1.2e5, (1, 1, 0), (1, -1, 0), second=0.7e5),
    "shape": fs.Shape(fs.ellipsoid_factors(40e-9, 25e-9, 3e-9)),
    "zeeman": fs.Zeeman((0.1, -0.2, 0.05)),
    "expression": lambda u: 1e-19 * ufl.exp(-3 * u[0] ** 2) * ufl.cos(u[1]) / (2 + u[2]),
    "conditional": lambda u: ufl.conditional(ufl.gt(u[2], 0), 1e-20 * u[2] ** 4, 2e-20 * abs(u[2]) ** 3),
}


def moved(u, frame, i, h):
    x = u + h * frame[:, i]
    return x / np.linalg.norm(x, axis=1)[:, None]


@pytest.mark.parametrize("name", TERMS)
def test_derivatives(name):
    """Gradient and Laplacian along the sphere against differences."""
    v = fs.Macrospin(terms=[TERMS[name]], **SIZE).reduced_energy
    u = fibonacci(37)
    frame, h = tangent_frame(u), 1e-4
    slope = np.stack([(v(moved(u, frame, i, h)) - v(moved(u, frame, i, -h))) / (2 * h) for i in range(2)], axis=1)
    scale = np.abs(slope).max()
    assert np.einsum("nai,ni->na", frame, v.gradient(u)) == pytest.approx(slope, rel=0, abs=1e-6 * scale)
    assert np.sum(v.gradient(u) * u, axis=1) == pytest.approx(0, abs=1e-12 * scale)
    second = sum(v(moved(u, frame, i, h)) - 2 * v(u) + v(moved(u, frame, i, -h)) for i in range(2)) / h**2
    assert v.laplacian(u) == pytest.approx(second, rel=0, abs=1e-4 * scale)


def test_energies_against_their_formulas():
    u = fibonacci(20)
    a, b, c = u.T
    spin = fs.Macrospin(terms=[TERMS["biaxial"]], **SIZE)
    expected = SIZE["volume"] * (-1.5e5 * (a + b) ** 2 / 2 + 4e5 * c**2)
    assert spin.energy(u) == pytest.approx(expected, rel=1e-12, abs=1e-32)
    x, y = (a + b) / 2**0.5, (a - b) / 2**0.5
    spin = fs.Macrospin(terms=[TERMS["cubic"]], **SIZE)
    expected = SIZE["volume"] * (-1.2e5 * (x**2 * y**2 + y**2 * c**2 + c**2 * x**2) + 0.7e5 * (x * y * c) ** 2)
    assert spin.energy(u) == pytest.approx(expected, rel=1e-12, abs=1e-32)
    spin = fs.Macrospin(terms=[fs.Uniaxial(stability=40.0)], field=(0, 0, 0.3), **SIZE)
    expected = -40 * c**2 - 9e5 * 1.3e-24 * 0.3 * c / spin.thermal_energy
    assert spin.reduced_energy(u) == pytest.approx(expected, rel=1e-12, abs=1e-12)
    # Terms add up, and a field is the same wherever it is given.
    spin = fs.Macrospin(terms=list(TERMS.values()), **SIZE)
    total = sum(fs.Macrospin(terms=[t], **SIZE).energy(u) for t in TERMS.values())
    assert spin.energy(u) == pytest.approx(total, rel=1e-12, abs=1e-32)


def test_scales():
    spin = fs.Macrospin(terms=[fs.Uniaxial(2e5)], **SIZE)
    gamma, alpha = spin.gyromagnetic_ratio, 0.07
    expected = alpha * gamma * spin.thermal_energy / ((1 + alpha**2) * 9e5 * 1.3e-24)
    assert spin.diffusion == pytest.approx(expected, rel=1e-14)
    # The anisotropy field 2 K/Ms is what turns with alpha gamma B_K/(1 + alpha^2).
    assert fs.FokkerPlanck(None, spin).reduced_time == pytest.approx(
        alpha * gamma * (2 * 2e5 / 9e5) / (1 + alpha**2), rel=1e-9
    )


def test_landscape_of_a_bit():
    spin = fs.Macrospin(terms=[fs.Biaxial(stability=60, hard_stability=400)], field=(0.001, 0.01, 0.002), **SIZE)
    land = fs.survey(spin)
    assert len(land.wells) == 2
    for w in land.wells:
        assert np.linalg.norm(spin.reduced_energy.gradient(w.direction[None])) < 1e-9
        assert w.height == pytest.approx(spin.reduced_energy(land.saddles[0][None])[0] - w.energy, abs=1e-9)
    assert land.wells[0].barrier == np.inf
    assert land.wells[1].barrier == pytest.approx(60, rel=0.1)


@pytest.mark.parametrize("turn", [0, 1e-13, -1e-13, 3e-12])
def test_equally_deep_wells_have_one_order(turn):
    """Rounding does not decide which well of a symmetric bit comes first, and with it where a bit starts."""
    field = np.array([0.0, 0.0, turn])
    land = fs.survey(fs.Macrospin(terms=[fs.Uniaxial(constant=2e5)], field=field, **SIZE))
    assert land.wells[0].direction == pytest.approx([0, 0, 1], abs=1e-6)
    assert np.isinf(land.wells[0].barrier) and np.isfinite(land.wells[1].barrier)
    axis = np.array([1 + turn, -1.0, 0.0])
    land = fs.survey(fs.Macrospin(terms=[fs.Uniaxial(constant=2e5, axis=axis)], **SIZE))
    assert land.wells[0].direction == pytest.approx([-(0.5**0.5), 0.5**0.5, 0], abs=1e-6)
    deeper = fs.survey(fs.Macrospin(terms=[fs.Uniaxial(constant=2e5)], field=(0, 0, -1e-4), **SIZE))
    assert deeper.wells[0].direction == pytest.approx([0, 0, -1], abs=1e-6)


@pytest.mark.parametrize(
    ("term", "wells", "barrier"),
    [
        (fs.Uniaxial(stability=50), 2, 50),
        (fs.Uniaxial(stability=-50), 1, np.inf),
        (fs.Cubic(stability=80), 6, 20),
        (fs.Cubic(stability=-90), 8, 7.5),
    ],
)
def test_landscapes(term, wells, barrier):
    land = fs.survey(fs.Macrospin(terms=[term], **SIZE))
    assert len(land.wells) == wells
    assert land.wells[-1].height == pytest.approx(barrier, rel=1e-3)


@pytest.mark.parametrize(("field", "wells"), [(0.0, 2), (0.02, 2), (0.05, 1)])
def test_flat_magnets_have_no_wells_in_their_valley(field, wells):
    """A hard axis of thousands of kT: the grid's steps across the valley are no wells."""
    shape = fs.Shape(fs.elliptic_cylinder_factors(65e-9, 40e-9, 3e-9))
    land = fs.survey(fs.Macrospin(2.45e-23, 8e5, 0.02, 300.0, [shape], (field, 0, 0)))
    assert len(land.wells) == wells
    assert all(w.curvatures[0] > 0 for w in land.wells)
    assert land.wells[0].direction == pytest.approx([1 if field else land.wells[0].direction[0], 0, 0], abs=1e-6)


@pytest.mark.parametrize("axis", [(3, 1, -2), (1, 5, 1), (-2, 3, 7)])
def test_pass_along_an_oblique_valley(axis):
    """The barrier in the plane across a hard axis of thousands of kT is that of the easy axis in it."""
    easy = np.cross(axis, (0.3, -1.0, 0.7))
    terms = [fs.Uniaxial(stability=13, axis=tuple(easy)), fs.Uniaxial(stability=-2500, axis=axis)]
    land = fs.survey(fs.Macrospin(terms=terms, **SIZE))
    assert len(land.wells) == 2
    assert land.barrier == pytest.approx(13, rel=1e-6)


def test_no_energy_has_no_wells():
    assert fs.survey(fs.Macrospin(**SIZE)).wells == ()


def test_flood_stops_at_the_pass():
    points, near = grid()
    values = -40 * points[:, 2] ** 2 + 10 * points[:, 2]
    north, south = int(points[:, 2].argmax()), int(points[:, 2].argmin())
    inside, height = flood(values, near, north, [south])
    assert height == pytest.approx(10 * 10 / 160, abs=0.1)
    assert (points[inside, 2] > 0.1).all()
    assert inside.mean() == pytest.approx(0.5 * (1 - 10 / 80), abs=0.02)


def test_symmetry_axes():
    tilted = fs.Macrospin(terms=[fs.Uniaxial(2e5, (1, 2, 2))], field=(0.1, 0.2, 0.2), **SIZE)
    assert symmetry_axis(tilted, [np.array([0, 0, 1.0]), np.array([1.0, 2, 2])]) == pytest.approx([1 / 3, 2 / 3, 2 / 3])
    oblique = fs.Macrospin(terms=[fs.Uniaxial(2e5, (1, 2, 2))], field=(0.1, 0.2, 0.3), **SIZE)
    assert symmetry_axis(oblique, [np.array([1.0, 2, 2])]) is None


@pytest.mark.parametrize("angular", [None, lambda c: 1 / (1 + 0.6 * c)])
def test_torque_has_its_potentials(angular):
    """X = grad chi + u x grad Phi, and it is Gilbert's torque in explicit form."""
    spin = fs.Macrospin(**SIZE)
    torque = fs.SpinTorque(0.013, -0.004, (1, 2, -2), angular)
    u, p = fibonacci(31), np.array([1, 2, -2]) / 3
    frame, h = tangent_frame(u), 1e-5
    slopes = []
    for k in range(2):
        part = [
            (torque.potentials(moved(u, frame, i, h), spin)[k] - torque.potentials(moved(u, frame, i, -h), spin)[k])
            / (2 * h)
            for i in range(2)
        ]
        slopes.append(np.einsum("an,nai->ni", part, frame))
    velocity = torque.velocity(u, spin)
    scale = np.abs(velocity).max()
    assert velocity == pytest.approx(slopes[0] + np.cross(u, slopes[1]), rel=0, abs=1e-7 * scale)
    assert torque.chi(u, spin)[1] == pytest.approx(slopes[0], rel=0, abs=1e-7 * scale)
    # u' = X must solve u' = g + alpha u x u' with Gilbert's g.
    f = 1.0 if angular is None else angular(u @ p)[:, None]
    g = spin.gyromagnetic_ratio * f * (0.013 * np.cross(u, np.cross(p, u)) - 0.004 * np.cross(u, p))
    assert velocity - 0.07 * np.cross(u, velocity) == pytest.approx(g, rel=0, abs=1e-12 * scale)


def test_critical_torque():
    """At the critical value the linearized motion about the well is neither stable nor unstable."""
    spin = fs.Macrospin(terms=[fs.Biaxial(1e5, 3e5)], **SIZE)
    for angular in (None, lambda c: 1 / (1 + 0.5 * c)):
        torque = fs.SpinTorque.critical(spin, 1.0, (-1, 0, 0), angular)
        u = np.array([[1.0, 0, 0]])
        frame, h = tangent_frame(u), 1e-5

        def motion(x, torque=torque):
            return spin.precession(x, spin.effective_field(x)) + torque.velocity(x, spin)

        trace = sum(
            frame[0, i] @ (motion(moved(u, frame, i, h)) - motion(moved(u, frame, i, -h)))[0] / (2 * h)
            for i in range(2)
        )
        assert abs(trace) < 1e-6 * spin.gyromagnetic_ratio * 0.07 * 8e5 / 9e5
    easy = fs.Macrospin(terms=[fs.Uniaxial(1e5)], **SIZE)
    assert fs.SpinTorque.critical(easy, 2.5, (0, 0, -1)).damping_like == pytest.approx(2.5 * 0.07 * 2e5 / 9e5, rel=1e-9)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: fs.Macrospin(0, 9e5, 0.1), "volume is 0; it must be positive"),
        (lambda: fs.Macrospin(1e-24, 9e5, -0.1), "damping is -0.1; it must be positive"),
        (lambda: fs.Macrospin(1e-24, 9e5, 0.1, float("nan")), "temperature is nan"),
        (lambda: fs.Macrospin(1e-24, 9e5, 0.1, field=(0, 1)), "three finite numbers, mu0 H in T"),
        (lambda: fs.Macrospin(1e-24, 9e5, 0.1, terms=[7]), "found 7 among the energies"),
        (lambda: fs.Macrospin(1e-24, 9e5, 0.1, terms=[lambda u: u]), "return a UFL scalar"),
        (lambda: Pointwise(lambda u: u), "it must return a scalar; found shape (3,)"),
        (lambda: fs.Macrospin(1e-24, 9e5, 0.1, terms=[lambda u: np.sin(u[0])]), "UFL"),
        (lambda: fs.Macrospin(1e-24, 9e5, 0.1, terms=[lambda u: 1e-20 / u[2]]), "not finite on the whole sphere"),
        (lambda: fs.Macrospin(1e-24, 9e5, 0.1, terms=[fs.Uniaxial(2e12)]), "varies by"),
        (lambda: fs.Uniaxial(), "found neither"),
        (lambda: fs.Uniaxial(1e5, stability=3), "found both"),
        (lambda: fs.Uniaxial(1e5, axis=(0, 0, 0)), "axis is zero"),
        (lambda: fs.Biaxial(1e5, 2e5, (1, 0, 0), (1, 1, 0)), "not perpendicular"),
        (lambda: fs.Shape((0.5, 0.5, 0.5)), "add up to 1"),
        (lambda: fs.SpinTorque(float("inf")), "damping_like is inf"),
        (lambda: fs.SpinTorque(1.0, 0.0, (0, 0, 0)), "polarizer is zero"),
        (lambda: fs.SpinTorque(1.0, angular=lambda c: 1 / c), "not finite"),
        (lambda: fs.SpinTorque(1.0, angular=np.abs), "not smooth"),
        (lambda: fs.SpinTorque.critical(fs.Macrospin(**SIZE), 2.0), "needs an energy minimum opposite"),
        (lambda: Pointwise(lambda u: ufl.bessel_J(1, u[0])), "BesselJ cannot be evaluated"),
    ],
)
def test_bad_input(make, words):
    with pytest.raises(InputError) as error:
        make()
    assert words in str(error.value)
    assert "\n" not in str(error.value)
