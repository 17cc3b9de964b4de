"""Transients: a mode that decays, the switch-on of a valve, the energy balance."""

import math
from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI
from samples.solvers import TO_ROUNDING

from fespin import Contact, InputError, Layer, Material, Stack, Terminal, TransportProblem, line, material, strip
from fespin.constants import ELEMENTARY_CHARGE
from fespin.onsager.transient import evolve
from references.devices import CU, DOWN, valve

COMM = MPI.COMM_WORLD
N = 8e46  # 1/(J m3)
OFF = {"bottom": Terminal(voltage=0.0), "top": Terminal(voltage=0.0)}


def test_a_mode_decays_with_its_rate():
    """cos(pi x/L) between blocked ends: rate (sigma/(e^2 N)) (pi^2/L^2 + 1/l^2); third order in the step."""
    rho, length, thick = 20e-9, 40e-9, 100e-9
    metal = Material("N", rho, length, density_of_states=N)
    problem = TransportProblem(line(COMM, Stack(Layer(metal, thick))), contacts=dict.fromkeys(OFF, Contact("blocked")))
    start = problem.system.functions()
    start[1].interpolate(lambda x: np.cos(np.pi * x[0] / thick))
    rate = ((math.pi / thick) ** 2 + 1 / length**2) / (rho * ELEMENTARY_CHARGE**2 * N)
    errors, steps = [], []
    for tolerance in (1e-4, 1e-6):
        e = evolve(problem.system, lambda t: OFF, 3 / rate, initial=start, tolerance=tolerance, max_step=3 / rate)
        amplitude = math.sqrt(2 * e.stored[-1] / problem.system.stored(start))
        errors.append(abs(amplitude / math.exp(-3) - 1))
        steps.append(len(e.times))
        assert e.times[-1] == pytest.approx(3 / rate, rel=1e-12, abs=0)
        # Nothing is put in: stored energy turns to heat.
        assert np.abs(e.balance).max() < 1e-10
    assert errors[0] < 1e-3
    assert math.log(errors[0] / errors[1]) / math.log(steps[1] / steps[0]) == pytest.approx(3, abs=0.3)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["voltage", "current"])
def test_switching_on_a_valve(kind):
    """The accumulation builds up; the balance V I = P + dE/dt holds to rounding; it ends at the steady state."""
    s = valve(DOWN)
    s = Stack(*(replace(x, material=replace(x.material, density_of_states=N)) for x in s), interfaces=s.interfaces)
    problem = TransportProblem(line(COMM, s), contacts=dict.fromkeys(OFF, Contact("lead")))
    steady = problem.solve(voltage=1e-3)
    amount = Terminal(voltage=1e-3) if kind == "voltage" else Terminal(current=steady.current)
    e = problem.evolve(lambda t: {"bottom": amount, "top": Terminal(voltage=0.0)}, 2e-12, first_step=1e-16)
    assert np.abs(e.balance).max() < 1e-10
    assert e.currents["bottom"][-1] == pytest.approx(steady.current, rel=1e-5, abs=0)
    assert e.voltages["bottom"][-1] == pytest.approx(1e-3, rel=1e-5, abs=0)
    # At first the spin potentials are still zero and the device is less resistive.
    first = e.voltages["bottom"][0] / e.currents["bottom"][0]
    assert first < 0.8 * steady.voltage / steady.current
    assert e.currents["top"] == pytest.approx(-e.currents["bottom"], rel=1e-9, abs=0)
    # Work = heat + stored energy, by the trapezoidal rule over the adaptive steps.
    work = e.voltages["bottom"] * e.currents["bottom"] - e.dissipated
    total = np.trapezoid(np.append([work[0]], work), np.append([0.0], e.times))
    assert total == pytest.approx(e.stored[-1], rel=2e-2, abs=0)


@pytest.mark.slow
def test_multigrid_follows_in_two_dimensions():
    """The same in a strip, with conjugate gradients: as on the line."""
    metal = Material("N", 20e-9, 40e-9, density_of_states=N)
    magnet = replace(Material.from_star("F", 75e-9, 30e-9, 0.46), density_of_states=N)
    s = Stack(Layer(metal, 30e-9), Layer(magnet, 10e-9), Layer(metal, 30e-9))
    drive = {"bottom": Terminal(voltage=1e-3), "top": Terminal(voltage=0.0)}
    out = []
    for domain in (line(COMM, s), strip(COMM, s, width=40e-9)):
        problem = TransportProblem(domain, solver=TO_ROUNDING)
        e = problem.evolve(lambda t: drive, 4e-14, first_step=1e-15, tolerance=1e-3)
        assert np.abs(e.balance).max() < 1e-10
        out.append(e.currents["bottom"][-1] / domain.area)
    assert out[1] == pytest.approx(out[0], rel=1e-5, abs=0)


@pytest.mark.slow
def test_announced_pulses_are_not_missed():
    """A pulse after a long rest is seen where it is announced, with its own small steps."""
    cu = material("Cu", density_of_states=N)
    co = material("Co", density_of_states=N)
    problem = TransportProblem(line(COMM, Stack(Layer(cu, 10e-9), Layer(co, 5e-9), Layer(cu, 10e-9))))

    def pulse(t):
        return {"bottom": Terminal(voltage=1e-3 if 50e-12 < t < 52e-12 else 0.0), "top": Terminal(voltage=0.0)}

    seen = []
    e = problem.evolve(
        pulse,
        60e-12,
        first_step=1e-13,
        breakpoints=(50e-12, 52e-12),
        each=lambda t, fields: seen.append((t, np.abs(fields["s"].x.array).max(initial=0.0))),
    )
    inside = (e.times > 50e-12) & (e.times <= 52e-12 * (1 + 1e-12))
    assert inside.sum() > 3
    assert e.currents["bottom"][inside].min() > 0
    assert np.abs(e.currents["bottom"][e.times < 50e-12]).max() == 0
    assert np.abs(e.balance).max() < 1e-9
    assert {50e-12, 52e-12, 60e-12} <= {round(float(t), 24) for t in e.times}
    assert len(seen) == len(e.times)
    assert max(s for _, s in seen) > 1e-8


@pytest.mark.parametrize(
    ("options", "words"),
    [({"tolerance": 0.0}, "tolerance"), ({"tolerance": -1.0}, "tolerance"), ({"first_step": 1.0}, "first step")],
)
def test_impossible_options(options, words):
    metal = material("Cu", density_of_states=N)
    problem = TransportProblem(line(COMM, Stack(Layer(metal, 1e-8))))
    with pytest.raises(InputError, match=words):
        problem.evolve(lambda t: OFF, 1e-12, **options)


def test_what_cannot_evolve():
    cu = material("Cu", density_of_states=N)
    problem = TransportProblem(line(COMM, Stack(Layer(cu, 1e-8), Layer(CU, 1e-8, "still"))))
    with pytest.raises(InputError, match=r"layer 'still' stores no spins: .*density_of_states"):
        problem.evolve(lambda t: OFF, 1e-12)
