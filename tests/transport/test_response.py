"""Alternating drives and transients of every model."""

import math
from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI
from samples import s_d, vector

import fespin as fs
from fespin.constants import BOHR_MAGNETON, ELEMENTARY_CHARGE, HBAR
from fespin.errors import InputError
from fespin.onsager.terminals import TerminalSolver
from fespin.onsager.transient import evolve
from fespin.solvers import SolverOptions
from fespin.transport.thermoelectric import SCALE
from references import channel_models as exact
from references import channels as solver

COMM = MPI.COMM_SELF


@pytest.mark.parametrize("name", vector.STACKS)
@pytest.mark.parametrize("frequency", [3e9, 2e12])
def test_vector_model_against_the_exact_solution(name, frequency):
    layers, faces, ends, transverse, field = vector.STACKS[name]
    stack = fs.Stack(*layers, interfaces=faces, library={})
    contacts = dict(zip(("bottom", "top"), ends, strict=True))
    domain = fs.line(COMM, stack, mesh_size=0.25e-9)
    problem = fs.TransportProblem(domain, fs.Vector(transverse, field), contacts=contacts)
    x = problem.respond(frequency, current_density=vector.J)
    e = vector.reference(stack, ends, transverse, field, omega=2 * np.pi * frequency)
    right = e.resistance_area
    steady = problem.solve(current_density=vector.J).resistance_area
    assert abs(x.impedance_area - right) < 1e-6 * abs(right - steady) + 5e-8 * steady
    assert abs(x.power_balance) < 1e-9
    for (pair, sides), i in zip(x.accumulation.items(), range(len(layers)), strict=False):
        for found, w, r in zip(sides, e.sides(i, "w"), pair, strict=True):
            weights = problem.model.accumulation(stack, r)
            exactly = sum(weights.get(f, 0.0) * v for f, v in zip(("c", "sx", "sy", "sz"), w, strict=True))
            assert abs(found - exactly) < 1e-6 * abs(x.voltages["bottom"])


def with_states(bands, scale):
    names = dict(zip(("s_up", "s_down", "d_down", "d_up"), (0.7, 0.6, 2.1, 1.4), strict=True))
    return replace(bands, densities={k: scale * 1e47 * names[k] for k in bands.channels})


@pytest.mark.parametrize("name", ["antiparallel valve", "four channels"])
def test_s_d_models_against_the_exact_solution(name):
    layers, faces, ends = s_d.STACKS[name]
    made = []
    for i, x in enumerate(layers):
        m = x.material
        bands = with_states(m.bands, 1 + 0.3 * i) if m.bands else None
        made.append(replace(x, material=replace(m, bands=bands, density_of_states=1.3e47 + 1e46 * i)))
    stack = fs.Stack(*made, interfaces=faces, library={})
    contacts = dict(zip(("bottom", "top"), ends, strict=True))
    problem = fs.TransportProblem(fs.line(COMM, stack, mesh_size=0.4e-9), s_d.model_of(stack), contacts=contacts)
    frequency = 7e11
    x = problem.respond(frequency, current_density=3e10)
    layers = []
    for y in stack:
        layer = s_d.reference_layer(y)
        if y.material.bands is None:
            n = y.material.density_of_states / 2
            layer = exact.two_channels(
                y.thickness, y.material.resistivity, 0.0, y.material.spin_diffusion_length, states=(n, n)
            )
        layers.append(layer)
    faces = [s_d.reference_face(stack, a, b) for a, b in zip(stack.layers, stack.layers[1:], strict=False)]
    e = solver.solve(
        layers, faces, *map(solver.Contact, ends), np.ones(4), current_density=3e10, omega=2 * np.pi * frequency
    )
    steady = problem.solve(current_density=3e10).resistance_area
    assert abs(x.impedance_area - e.resistance_area) < 1e-6 * abs(e.resistance_area - steady) + 1e-8 * steady
    assert abs(x.impedance_area.imag) > 1e-4 * steady


@pytest.mark.slow
def test_hanle_precession_in_time():
    """A uniform accumulation decays with l^2/D and turns by (g mu_B/hbar) B t."""
    metal = fs.Material("Al", 3e-8, 500e-9, density_of_states=2.2e47, g_factor=1.9)
    tesla = 1.3
    stack = fs.Stack(fs.Layer(metal, 60e-9))
    problem = fs.TransportProblem(
        fs.line(COMM, stack), fs.Vector(field=(0.0, tesla, 0.0)), contacts=dict.fromkeys(("bottom", "top"), "blocked")
    )
    start = problem.system.functions()
    start[3].x.array[:] = 1e-6  # s along z
    diffusion = 1 / (ELEMENTARY_CHARGE**2 * 2.2e47 * 3e-8)
    lifetime, omega = 500e-9**2 / diffusion, 1.9 * BOHR_MAGNETON * tesla / HBAR
    duration = 0.7 * lifetime
    ground = dict.fromkeys(("bottom", "top"), fs.Terminal(voltage=0.0))
    done = evolve(problem.system, lambda t: ground, duration, initial=start, tolerance=1e-5)
    found = np.array([f.x.array[0] for f in done.fields[1:]])
    angle, decay = omega * duration, math.exp(-duration / lifetime)
    # Electron spins are antiparallel to their moments: ds/dt = (g mu_B/hbar) B x s.
    right = 1e-6 * decay * np.array([math.sin(angle), 0.0, math.cos(angle)])
    assert found == pytest.approx(right, rel=0, abs=1e-10)
    assert abs(angle) > 0.3


def test_heat_spreads_in_time():
    """A linear profile between ends that turn cold at once: the Fourier series in exp(-n^2 pi^2 kappa t/(c L^2))."""
    metal = fs.Material(
        "W", 6e-8, 5e-9, thermal=fs.Thermal((0.0, 0.0), 120.0, heat_capacity=2.6e6), density_of_states=1e47
    )
    length = 150e-9
    problem = fs.TransportProblem(fs.line(COMM, fs.Stack(fs.Layer(metal, length))), fs.Thermoelectric(290.0))
    warm = {"bottom": fs.Terminal(voltage=0.0, temperature=293.0), "top": fs.Terminal(voltage=0.0)}
    start = problem.solve(terminals=warm)
    cold = {"bottom": fs.Terminal(voltage=0.0), "top": fs.Terminal(voltage=0.0)}
    rate = math.pi**2 * 120.0 / (2.6e6 * length**2)
    done = problem.evolve(lambda t: cold, 0.7 / rate, initial=start, tolerance=1e-4)
    h = done.fields[2]
    middle = h.x.array[np.argmin(np.abs(h.function_space.tabulate_dof_coordinates()[:, 0] - length / 2))] / SCALE
    modes = sum((-1) ** k / (2 * k + 1) * math.exp(-((2 * k + 1) ** 2) * 0.7) for k in range(5))
    assert middle == pytest.approx(3.0 * 2 / math.pi * modes, rel=1e-3, abs=0)


WARM = fs.Material(
    "W", 6e-8, 5e-9, thermal=fs.Thermal((3e-6, 3e-6), 120.0, heat_capacity=2.6e6), density_of_states=1e47
)


def heated_at_both_ends(below, above):
    problem = fs.TransportProblem(fs.line(COMM, fs.Stack(fs.Layer(WARM, 150e-9))), fs.Thermoelectric(290.0))
    drive = {
        "bottom": fs.Terminal(voltage=0.0, temperature=290.0 + below),
        "top": fs.Terminal(voltage=0.0, temperature=290.0 + above),
    }
    return problem, drive, math.pi**2 * 120.0 / (2.6e6 * 150e-9**2)


@pytest.mark.parametrize(("below", "above"), [(4.0, 0.0), (4.0, 4.0), (4.0, -1.0)])
def test_heat_that_is_stored_does_not_flow_out_again(below, above):
    """Ends that turn warm at once: the middle by the Fourier series, and the balance of the heat that stays."""
    problem, drive, rate = heated_at_both_ends(below, above)
    done = problem.evolve(lambda t: drive, 0.5 / rate, tolerance=1e-4)
    h = done.fields[2]
    middle = h.x.array[np.argmin(np.abs(h.function_space.tabulate_dof_coordinates()[:, 0] - 75e-9))] / SCALE
    modes = sum((-1) ** k / (2 * k + 1) * math.exp(-((2 * k + 1) ** 2) * 0.5) for k in range(5))
    assert middle == pytest.approx((below + above) / 2 * (1 - 4 / math.pi * modes), rel=1e-3, abs=0)
    assert np.abs(done.balance).max() < 1e-9


@pytest.mark.parametrize(("below", "above"), [(4.0, 0.0), (4.0, 4.0), (4.0, -1.0)])
def test_heat_waves(below, above):
    """Alternating temperatures: theta'' = i omega c theta/kappa, with S small."""
    problem, drive, rate = heated_at_both_ends(below, above)
    x = problem.respond(3 * rate / (2 * math.pi), terminals=drive)
    assert abs(x.power_balance) < 1e-9
    re, im = x.fields["h"]
    z = re.function_space.tabulate_dof_coordinates()[:, 0] / 150e-9
    q = math.pi * np.sqrt(3j)
    right = (below * np.sinh(q * (1 - z)) + above * np.sinh(q * z)) / np.sinh(q)
    assert np.abs((re.x.array + 1j * im.x.array) / SCALE - right).max() < 1e-4 * abs(below)


def test_conductance_of_an_implicit_step():
    """Raising both ends together stores heat; a voltage at both moves nothing."""
    problem, _, rate = heated_at_both_ends(0.0, 0.0)
    solver = TerminalSolver(problem.system, SolverOptions(), rate=rate)
    g = solver.conductance()
    solver.destroy()
    assert g == pytest.approx(g.T, rel=1e-9, abs=1e-12 * np.abs(g).max())
    totals = dict(zip(solver.ports, g.sum(axis=1), strict=True))
    # Each end gives half: kappa q tanh(q L/2) per kelvin, over T0 a^2.
    q = math.sqrt(2.6e6 * rate / 120.0)
    heat = 120.0 * q * math.tanh(q * 75e-9) / (290.0 * SCALE**2)
    assert [totals[k, "h"] for k in ("bottom", "top")] == pytest.approx([heat, heat], rel=1e-4, abs=0)
    assert abs(totals["bottom", "c"]) < 1e-9 * heat


@pytest.mark.slow
def test_build_up_ends_in_the_steady_state():
    layers, faces, _, transverse, field = vector.STACKS["resolved"]
    stack = fs.Stack(*layers, interfaces=faces, library={})
    problem = fs.TransportProblem(
        fs.line(COMM, stack, mesh_size=1e-9), fs.Vector(transverse, field), contacts={"bottom": "lead", "top": "lead"}
    )
    drive = {"bottom": fs.Terminal(current=1e11), "top": fs.Terminal(voltage=0.0)}
    done = problem.evolve(lambda t: drive, 2e-10, tolerance=1e-3)
    steady = problem.solve(terminals=drive)
    assert done.voltages["bottom"][-1] == pytest.approx(steady.voltage, rel=1e-6, abs=0)
    assert np.abs(done.balance).max() < 1e-9
    assert done.voltages["bottom"][0] < done.voltages["bottom"][-1]


def test_a_layer_without_states_is_refused():
    stack = fs.Stack(fs.Layer(fs.Material("Cu", 6e-9, 450e-9), 10e-9))
    problem = fs.TransportProblem(fs.line(COMM, stack))
    with pytest.raises(InputError, match="'Cu1' stores no spins: give its material a density_of_states"):
        problem.respond(1e9, voltage=1e-3)
    stack = fs.Stack(fs.Layer(fs.Material("Cu", 6e-9, 450e-9, density_of_states=1e47), 10e-9))
    with pytest.raises(InputError, match="frequency is -1"):
        fs.TransportProblem(fs.line(COMM, stack)).respond(-1.0, voltage=1e-3)
