"""Motion of one macrospin, without and with thermal noise, against closed forms and quadrature."""

import itertools
import json
import math
import sys

import numpy as np
import pytest
import ufl
from launch import TESTS, python
from mpi4py import MPI
from scipy import stats
from scipy.integrate import quad

from fespin.errors import InputError, SolverError
from fespin.macrospin import (
    Biaxial,
    Cubic,
    Macrospin,
    SpinTorque,
    Uniaxial,
    VectorTorque,
    Zeeman,
    first_passage,
    langevin,
    llg,
    power_spectrum,
)
from fespin.macrospin.ensemble import TICKS, step_lengths
from fespin.macrospin.heun import Heun, linear_field
from fespin.macrospin.llg import Motion
from fespin.macrospin.sampling import Boltzmann
from fespin.macrospin.spin import fibonacci

sys.path.insert(0, str(TESTS / "parallel"))

COMM = MPI.COMM_SELF
SIGMAS = 4.5
VOLUME, MS, TEMPERATURE = 3.1e-25, 7.3e5, 340.0


def magnet(*terms, damping=0.13, field=(0.0, 0.0, 0.0)):
    return Macrospin(VOLUME, MS, damping, TEMPERATURE, terms, field)


def random(seed=1):
    return np.random.Generator(np.random.Philox(seed))


def directions(theta, phi=0.0):
    return np.array([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)])


def quadrature(spin, function, inside=None, rows=400):
    """Boltzmann average by Gauss and trapezoidal rules."""
    z, w = np.polynomial.legendre.leggauss(rows)
    phi = np.arange(2 * rows) * np.pi / rows
    r = np.sqrt(1 - z**2)
    u = np.stack([np.outer(r, np.cos(phi)), np.outer(r, np.sin(phi)), np.outer(z, np.ones_like(phi))], -1).reshape(
        -1, 3
    )
    e = spin.reduced_energy(u)
    p = np.repeat(w, 2 * rows) * np.exp(e.min() - e)
    if inside is not None:
        p = p * inside(u)
    return float(p @ function(u) / p.sum())


# ---- without noise
@pytest.mark.parametrize("damping", [0.02, 1.7])
def test_precession_in_a_field_follows_the_closed_form(damping):
    b, theta, phi = 0.31, 2.2, 0.4
    spin = magnet(damping=damping, field=(0, 0, b))
    rate = spin.gyromagnetic_ratio * b / (1 + damping**2)
    t = np.linspace(0, 20 / rate, 7)
    exact = directions(2 * np.arctan(np.tan(theta / 2) * np.exp(-damping * rate * t)), phi + rate * t).T
    trajectory = llg(spin, 3 * directions(theta, phi), t)
    assert np.abs(trajectory.directions - exact).max() < 2e-8
    assert np.abs(np.linalg.norm(trajectory.directions, axis=1) - 1).max() < 1e-15


def test_uniaxial_magnet_follows_the_closed_form():
    spin = magnet(Uniaxial(constant=4e5))
    rate = spin.gyromagnetic_ratio * 2 * 4e5 / MS / (1 + spin.damping**2)
    t = np.linspace(0, 30 / rate, 9)
    theta = np.arctan(np.tan(1.4) * np.exp(-spin.damping * rate * t))
    phi = -np.log(np.tan(theta / 2) / np.tan(0.7)) / spin.damping
    assert np.abs(llg(spin, directions(1.4), t).directions - directions(theta, phi).T).max() < 2e-8


def test_damping_like_torque_switches_to_the_polarizer_at_the_implicit_time():
    spin = magnet(Uniaxial(constant=2e5), damping=0.05)
    a, b = 0.07, 0.02
    torque = SpinTorque(a, b)
    start, end = np.pi - 0.1, 0.3
    damped = spin.damping * 2 * 2e5 / MS
    scale = spin.gyromagnetic_ratio / (1 + spin.damping**2)
    along = a - spin.damping * b
    time = quad(lambda x: 1 / ((damped * np.cos(x) + along) * np.sin(x)), end, start, epsabs=0)[0] / scale
    trajectory = llg(spin, directions(start), [time, 20 * time], torque=torque)
    assert trajectory.directions[0, 2] == pytest.approx(np.cos(end), abs=1e-7)
    assert trajectory.directions[1, 2] == pytest.approx(1, abs=1e-9)
    # In two halves by a drive that reverses the torque: back to where it was without anisotropy.
    free = magnet(damping=0.05)
    there = llg(free, [1, 0, 0], [1e-10, 2e-10], torque=torque, drive=lambda t: 1.0 if t < 1e-10 else -1.0)
    assert np.abs(there.directions[1] - [1, 0, 0]).max() < 1e-8
    assert np.abs(there.directions[0] - [1, 0, 0]).max() > 0.1


def test_extra_field_equals_the_macrospin_s_own():
    spin = magnet(Uniaxial(stability=10))
    t = np.linspace(0, 1e-10, 4)
    own = llg(spin.with_field((0.1, 0.2, -0.3)), (1, 0, 1), t).directions
    assert np.abs(llg(spin, (1, 0, 1), t, field=lambda t: (0.1, 0.2, -0.3)).directions - own).max() < 1e-8


TORQUES = [
    None,
    SpinTorque(0.11, -0.04, (1, 2, -1)),
    SpinTorque(0.11, -0.04, (1, 2, -1), lambda c: 1 / (1 + 0.4 * c)),
    VectorTorque(lambda u: 1e10 * np.cross(u, [0.3, u[0, 0] * 0 + 0.1, 0.7])),
]
ENERGIES = [
    (Uniaxial(stability=20, axis=(1, 1, 1)),),
    (Biaxial(stability=9, hard_stability=40), Zeeman((0.1, 0.0, 0.2))),
    (Cubic(stability=30), lambda u: 1e-20 * u[0] ** 3 * u[1]),
]


@pytest.mark.parametrize("torque", TORQUES)
@pytest.mark.parametrize("terms", ENERGIES)
def test_steps_without_noise_follow_the_equation(terms, torque):
    """Both the linear and the general way to the field, and each way to the torque; of second order."""
    spin = magnet(*terms)
    motion = Motion(
        spin, torque, lambda t: (0.0, 0.05 + 1e8 * t, 0.0), None if torque is None else lambda t: 1 + 1e10 * t
    )
    u = fibonacci(7)
    until = 2e-11
    exact = np.array(
        [llg(spin, x, [until], torque=torque, field=motion.field, drive=motion.drive).directions[0] for x in u]
    )
    error = []
    for steps in (50, 100):
        heun = Heun(motion, u)
        heun._noise = 0.0
        heun.advance(random(), 0.0, until / steps, steps)
        error.append(np.abs(heun.directions - exact).max())
    assert error[0] < 0.02
    assert 3 < error[0] / error[1] < 5.5


def test_linear_fields_are_recognized():
    assert linear_field(magnet(*ENERGIES[1])) is not None
    assert linear_field(magnet(*ENERGIES[2])) is None
    spin = magnet(*ENERGIES[1], field=(0.02, -0.01, 0.03))
    a, b = linear_field(spin)
    u = fibonacci(50)
    field = u @ a.T + b[:, 0]
    field -= np.sum(field * u, axis=1)[:, None] * u
    assert np.abs(field - spin.effective_field(u)).max() < 1e-13 * np.abs(field).max()


@pytest.mark.parametrize("torque", TORQUES[1:3])
def test_drift_of_a_torque_is_that_of_its_potentials(torque):
    spin = magnet()
    u, h = fibonacci(40), 1e-5
    gradient = np.empty((2, 40, 3))
    for i in range(3):
        step = h * np.eye(3)[i]
        ahead, behind = (
            torque.potentials((u + s) / np.linalg.norm(u + s, axis=1)[:, None], spin) for s in (step, -step)
        )
        gradient[:, :, i] = (np.array(ahead) - np.array(behind)) / (2 * h)
    expected = gradient[0] + np.cross(u, gradient[1])
    heun = Heun(Motion(spin, torque), u)
    heun._noise, dt = 0.0, 1e-17
    heun.advance(random(), 0.0, dt, 1)
    velocity = (heun.directions - u) / dt
    assert np.abs(velocity - expected).max() < 1e-6 * np.abs(expected).max()


# ---- equilibrium
@pytest.mark.parametrize(
    ("spin", "axis"),
    [
        (magnet(), (1, 2, 3)),
        (magnet(Uniaxial(stability=70, axis=(1, 1, 0)), field=(0.02, 0, 0.1)), (1, 0, 0)),
        (magnet(Uniaxial(stability=3), field=(0.05, 0.1, 0.2)), None),
        (magnet(Cubic(stability=-40), lambda u: 5e-21 * ufl.exp(u[0])), (0, 1, 0)),
        (magnet(Biaxial(stability=8, hard_stability=300)), (1, 0.3, 0.2)),
    ],
)
def test_samples_have_the_boltzmann_distribution(spin, axis):
    n = 100000
    u = Boltzmann(spin.reduced_energy, axis).draw(random(), n)
    assert u.shape == (n, 3)
    assert np.abs(np.linalg.norm(u, axis=1) - 1).max() < 1e-14
    inside = None if axis is None else lambda x: x @ np.array(axis) > 0
    if axis is not None:
        assert (u @ np.array(axis) > 0).all()
    measured = [spin.reduced_energy, lambda x: x[:, 0] * x[:, 1], *(lambda x, i=i: x[:, i] for i in range(3))]
    for f in measured:
        values = f(u)
        # The rows of the quadrature do not follow the hemisphere's edge.
        edge = 0.0 if axis is None else 2e-3
        assert abs(values.mean() - quadrature(spin, f, inside)) <= SIGMAS * values.std() / math.sqrt(n) + edge


def test_chi_square_of_samples():
    spin = magnet(Uniaxial(stability=6), field=(0, 0, 0.1))
    u = Boltzmann(spin.reduced_energy).draw(random(2), 50000)
    edges = np.linspace(-1, 1, 41)
    p = np.array(
        [
            quad(lambda z: np.exp(-6 - spin.reduced_energy(directions(np.arccos(z))[None])[0]), a, b)[0]
            for a, b in itertools.pairwise(edges)
        ]
    )
    counts = np.histogram(u[:, 2], edges)[0]
    assert stats.chisquare(counts, p / p.sum() * len(u)).pvalue > 1e-4
    turns = np.histogram(np.arctan2(u[:, 1], u[:, 0]), 24)[0]
    assert stats.chisquare(turns).pvalue > 1e-4


def test_narrow_wells_are_sampled_efficiently():
    spin = magnet(Biaxial(stability=80, hard_stability=5000))
    sampler = Boltzmann(spin.reduced_energy, (1, 0, 0))
    u = sampler.draw(random(3), 40000)
    assert sampler._acceptance > 0.5
    assert u[:, 2].var() * 2 * 5080 == pytest.approx(1, abs=0.04)
    assert spin.reduced_energy(u).mean() + 80 == pytest.approx(1, abs=0.03)


# ---- with noise
def within(values, expected, error):
    return (np.abs(np.asarray(values) - expected) <= SIGMAS * np.asarray(error) + 1e-12).all()


@pytest.mark.parametrize("damping", [0.13, 1.4])
def test_free_diffusion_decays_at_its_eigenvalues(damping):
    spin = magnet(damping=damping)
    d = damping * spin.gyromagnetic_ratio * spin.thermal_energy / ((1 + damping**2) * spin.moment)
    assert d == pytest.approx(spin.diffusion, rel=1e-14)
    t = np.array([0.0, 0.1, 0.25, 0.5]) / d
    p2 = {"p2": lambda u: 1.5 * u[:, 2] ** 2 - 0.5}
    r = langevin(COMM, spin, t, ensemble=16000, equilibrate=False, observables=p2)
    assert within(r.mean[:, 2], np.exp(-2 * d * t), r.mean_error[:, 2])
    assert within(r.mean[:, :2], 0, r.mean_error[:, :2])
    assert within(r.observables["p2"], np.exp(-6 * d * t), r.observable_errors["p2"])
    assert r.steps == 250
    assert r.step * d == pytest.approx(0.002)


@pytest.mark.parametrize(
    "spin",
    [
        magnet(Uniaxial(stability=2.5, axis=(1, 0, 1)), damping=0.8, field=(0.05, 0, 0)),
        magnet(Cubic(stability=12), damping=0.5, field=(0.0, 0.04, 0.05)),
    ],
)
def test_equilibrium_is_reached_and_kept(spin):
    energy = {"energy": spin.reduced_energy}
    t = np.array([2.0, 2.5]) / spin.diffusion
    r = langevin(COMM, spin, t, ensemble=2048, equilibrate=False, start=(1, -1, 0), observables=energy)
    exact = [quadrature(spin, lambda u, i=i: u[:, i], rows=100) for i in range(3)]
    assert within(r.mean, exact, r.mean_error)
    assert within(
        r.observables["energy"], quadrature(spin, spin.reduced_energy, rows=100), r.observable_errors["energy"]
    )


def test_a_deep_well_stays_in_equilibrium():
    spin = magnet(Uniaxial(stability=40), damping=0.1)
    r = langevin(
        COMM, spin, [0, 5e-11, 2e-10], ensemble=4000, observables={"e": spin.reduced_energy}, start=(0.3, 0, -1)
    )
    exact = quadrature(spin, spin.reduced_energy)
    assert within(r.observables["e"], exact, r.observable_errors["e"])
    assert (r.not_switched == 1).all()
    assert r.not_switched_error == pytest.approx(0.5 / 4000, rel=1e-3)


def test_weak_order_of_the_steps():
    """Means of paths that share their noise, at steps of 1, 2 and 4."""

    class Shared:
        def __init__(self, joined):
            self.generator, self.joined = random(5), joined

        def standard_normal(self, out):
            fine = [self.generator.standard_normal(out.shape) for _ in range(self.joined)]
            out[:] = sum(fine) / math.sqrt(self.joined)

    spin = magnet(Uniaxial(stability=3, axis=(1, 0, 1)), damping=1.2)
    longest = step_lengths(Motion(spin), np.array([1e-9]))[1]
    ends = []
    for joined in (1, 2, 4):
        heun = Heun(Motion(spin), np.tile([0.6, 0.0, -0.8], (60000, 1)))
        heun.advance(Shared(joined), 0.0, joined * longest / 2, 16 // joined)
        ends.append(heun.directions[:, 2])
    means = [(a - b).mean() for a, b in ((ends[2], ends[1]), (ends[1], ends[0]))]
    errors = [(a - b).std() / math.sqrt(60000) for a, b in ((ends[2], ends[1]), (ends[1], ends[0]))]
    assert abs(means[0]) > 5 * errors[0]
    assert abs(means[1]) < 0.75 * abs(means[0])


def test_torque_makes_the_known_steady_state():
    """Axial: the torque tilts the energy by -Ms v a cos(theta)/alpha."""
    spin = magnet(Uniaxial(stability=2), damping=0.5)
    a = 0.8 * spin.damping * spin.thermal_energy / spin.moment
    tilted = magnet(Uniaxial(stability=2), damping=0.5, field=(0, 0, a / spin.damping))
    r = langevin(COMM, spin, [10 / spin.diffusion], ensemble=3000, torque=SpinTorque(a))
    assert within(r.mean[0, 2], quadrature(tilted, lambda u: u[:, 2], rows=100), r.mean_error[0, 2])


def test_first_passage_of_free_diffusion():
    spin, edge = magnet(damping=0.9), 1.0
    r = first_passage(COMM, spin, lambda u: u[:, 2] < np.cos(edge), max_time=10 / spin.diffusion, equilibrate=False)
    shift = 0.5826 * math.sqrt(2 * spin.diffusion * r.step)
    exact = -2 * math.log(math.cos((edge + shift) / 2)) / spin.diffusion
    assert within(r.mean, exact, r.error)
    assert r.error == pytest.approx(r.times.std() / math.sqrt(1000), rel=1e-2)
    here = first_passage(COMM, spin, lambda u: u[:, 2] > 0.5, max_time=1e-9, equilibrate=False)
    assert (here.times == 0).all()
    with pytest.raises(SolverError, match=r"of 1000 trajectories have not arrived within .* give a longer max_time"):
        first_passage(COMM, spin, lambda u: u[:, 2] < 0, max_time=0.3 / spin.diffusion, equilibrate=False)


def test_noise_of_free_diffusion_is_a_lorentzian():
    spin = magnet(damping=0.6)
    rate = 2 * spin.diffusion
    width = rate / (2 * np.pi)
    r = power_spectrum(
        COMM, spin, lambda u: 5 + 2 * u[:, 2], resolution=width / 5, highest=8 * width, segments=3, ensemble=300
    )
    exact = 4 * 4 / 3 * rate / (rate**2 + (2 * np.pi * r.frequencies) ** 2)
    assert r.frequencies[-1] == pytest.approx(8 * width)
    # Below two bins, the window and the mean count.
    assert within(r.density[2:], exact[2:] * 1.0, r.error[2:] + 0.01 * exact[2:])
    assert abs(r.density[2:] / exact[2:] - 1).mean() < 0.1
    assert r.mean == pytest.approx(5, abs=0.1)
    assert r.variance == pytest.approx(4 / 3, rel=0.05)


def test_noise_with_a_torque_settles_first():
    """Axial: the variance is that of the tilted energy's equilibrium."""
    spin = magnet(damping=0.6)
    field = 1.5 * spin.thermal_energy / spin.moment
    r = power_spectrum(
        COMM,
        spin,
        lambda u: u[:, 2],
        resolution=spin.diffusion / 10,
        highest=spin.diffusion,
        segments=1,
        ensemble=200,
        torque=SpinTorque(spin.damping * field),
        settle=4 / spin.diffusion,
    )
    tilted = spin.with_field((0, 0, field))
    mean = quadrature(tilted, lambda u: u[:, 2], rows=100)
    assert r.mean == pytest.approx(mean, abs=0.03)
    assert r.variance == pytest.approx(quadrature(tilted, lambda u: (u[:, 2] - mean) ** 2, rows=100), rel=0.03)


# ---- reproducibility
@pytest.mark.slow
def test_numbers_are_the_same_on_any_number_of_ranks(tmp_path):
    import langevin as script

    reference = script.numbers(COMM)
    assert script.numbers(COMM) == reference
    for ranks in (2, 3):
        out = tmp_path / f"{ranks}.json"
        process = python(ranks, script.__file__, out)
        assert process.returncode == 0, process.stderr
        result = json.loads(out.read_text())
        assert result["numbers"] == [reference] * ranks
        assert result["messages"] == ["langevin: odd must return one finite number for each direction, (n,)"] * ranks


def test_seeds_and_progress():
    spin = magnet(Uniaxial(stability=5))
    said = []
    a, b, c = (
        langevin(COMM, spin, [1e-11], ensemble=n, seed=s, progress=said.append) for n, s in ((50, 1), (50, 1), (50, 2))
    )
    assert (a.mean == b.mean).all()
    assert (a.mean != c.mean).all()
    assert len(said) == 3 * TICKS
    assert said[-1] == 1 and said[:TICKS] == [(k + 1) / TICKS for k in range(TICKS)]


# ---- refusals
BAD = [
    ({"ensemble": 1}, "ensemble is 1; it must be an integer from 2"),
    ({"ensemble": 2.5}, "ensemble is 2.5"),
    ({"seed": -1}, "seed is -1"),
    ({"seed": True}, "seed is True"),
    ({"times": [1e-9, 1e-9]}, "must increase"),
    ({"times": [-1e-9]}, "must not be negative"),
    ({"times": []}, "times must be a list"),
    ({"times": [math.nan]}, "times must be a list"),
    ({"step": 1.0}, "at most .* s here"),
    ({"step": 0}, "step is 0; it must be positive"),
    ({"start": (0, 0, 0)}, "start is zero"),
    ({"start": 3}, "start is 3; it must be three finite numbers"),
    ({"torque": 0.1}, "found 0.1 as torque"),
    ({"drive": lambda t: 1}, "no torque is given"),
    ({"field": (0, 0, 1)}, "must be a function of the time"),
    ({"field": lambda t: 1.0}, "must be three finite numbers"),
    ({"torque": SpinTorque(0.1), "drive": lambda t: math.inf}, "must be a finite number"),
    ({"observables": {"r": lambda u: u}}, "r must return one finite number"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_impossible_input_is_refused_in_one_line(change, message):
    arguments = {"times": [1e-12], "ensemble": 10, **change}
    with pytest.raises(InputError, match=message) as caught:
        langevin(COMM, magnet(Uniaxial(stability=5)), arguments.pop("times"), **arguments)
    assert "\n" not in str(caught.value)


def test_errors_of_the_user_s_functions_are_told():
    with pytest.raises(SolverError, match="KeyError: 'lost'") as caught:
        langevin(COMM, magnet(), [1e-12], ensemble=10, observables={"r": lambda u: {}["lost"]})
    assert isinstance(caught.value.__cause__, KeyError)
    with pytest.raises(InputError, match="True or False for each direction"):
        first_passage(COMM, magnet(), lambda u: u, max_time=1e-12, ensemble=10)
    good = {"resolution": 1e9, "highest": 1e10}
    for change in ({"resolution": 1e10}, {"highest": math.inf}, {"segments": 0}, {"torque": SpinTorque(0.1)}):
        with pytest.raises(InputError, match="power spectrum: "):
            power_spectrum(COMM, magnet(), lambda u: u[:, 0], **{**good, **change})
    for change in ({"start": (0, 0, 0)}, {"times": [-1]}, {"rtol": 1.0}, {"torque": 1}):
        with pytest.raises(InputError, match="LLG: "):
            llg(magnet(), **{"start": (0, 0, 1), "times": [1e-9], **change})
