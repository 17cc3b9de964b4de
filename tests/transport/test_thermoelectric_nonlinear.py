"""Joule heat, Thomson heat and coefficients that follow T, against spectral collocation; the laws of thermodynamics."""

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI
from samples.thermoelectric import (
    CO,
    CU,
    FACE,
    HEAT_ONLY,
    PLAIN,
    PT,
    PY,
    T0,
    coefficients,
    faces_of,
    layer,
)

import fespin as fs
from fespin.constants import LORENZ_NUMBER
from fespin.errors import SolverError
from fespin.transport.thermoelectric import SCALE
from references import thermoelectric as exact

COMM = MPI.COMM_SELF


def hot(material, rho, seebeck, kappa):
    """A material whose coefficients follow the temperature; kappa None: the law of Wiedemann and Franz."""
    own = material.thermal
    slopes = {"resistivity_slope": rho, "seebeck_slope": seebeck, "conductivity_slope": kappa or 0.0}
    conductivity = None if kappa is None else own.conductivity
    return replace(material, thermal=replace(own, conductivity=conductivity, **slopes))


HOT_CU, HOT_PT = hot(CU, 3.9e-3, 3.3e-3, None), hot(PT, 3.8e-3, -1.1e-3, 2e-4)
HOT_CO, HOT_PY = hot(CO, 5e-3, 2.1e-3, -9e-4), hot(PY, 1.9e-3, 3.4e-3, None)
UP, DOWN = (0, 0, 1), (0, 0, -1)
STACKS = {
    "constant coefficients": (
        [layer(CU, 20), layer(CO, 15, UP), layer(CU, 9), layer(PY, 6, DOWN), layer(PT, 30)],
        {("Cu", "Co"): FACE, ("Cu", "Py"): PLAIN, ("Py", "Pt"): HEAT_ONLY}, ("reservoir", "blocked"),
    ),
    "they follow T": (
        [layer(HOT_CU, 20), layer(HOT_CO, 15, DOWN), layer(HOT_CU, 9), layer(HOT_PY, 6, UP), layer(HOT_PT, 30)],
        {("Cu", "Co"): FACE, ("Cu", "Py"): PLAIN, ("Py", "Pt"): HEAT_ONLY}, ("lead", "reservoir"),
    ),
    "magnetic leads": (
        [layer(HOT_CO, 20, UP), layer(HOT_CU, 9), layer(HOT_PY, 16, DOWN)], {("Cu", "Co"): FACE}, ("lead", "lead")
    ),
}  # fmt: skip
DRIVES = {
    "current": {"bottom": fs.Terminal(current=6e12), "top": fs.Terminal(voltage=0.0)},
    "voltage and heat": {
        "bottom": fs.Terminal(voltage=0.03, heat=4e9), "top": fs.Terminal(voltage=0.0, temperature=340.0)
    },
    "temperatures": {"bottom": fs.Terminal(current=0.0, temperature=420.0), "top": fs.Terminal(voltage=0.0)},
}  # fmt: skip


@pytest.mark.parametrize("kelvin", [T0, T0 + 31.7, 177.0])
@pytest.mark.parametrize("volts", [0.0, 0.37])
def test_nothing_flows_at_one_temperature_and_voltage(kelvin, volts):
    layers, faces, ends = STACKS["they follow T"]
    stack = fs.Stack(*layers, interfaces=faces, library={})
    contacts = dict(zip(("bottom", "top"), ends, strict=True))
    problem = fs.TransportProblem(
        fs.line(COMM, stack, mesh_size=1e-9), fs.Thermoelectric(T0, nonlinear=True), contacts=contacts
    )
    even = fs.Terminal(voltage=volts, temperature=kelvin)
    x = problem.solve(terminals={"bottom": even, "top": even})
    # Against what a volt and the temperature itself would drive.
    assert abs(x.currents["bottom"]) < 1e-9 / 2e-15
    assert abs(x.heats["top"]) < 1e-9 * 4e8 * kelvin
    assert x.fields["h"].x.array / SCALE == pytest.approx(kelvin - T0, rel=0, abs=1e-9)


def reference_layer(x):
    (up, down), (s_up, s_down), _, g = coefficients(x)
    t = x.material.thermal
    kappa0 = t.conductivity if t.conductivity is not None else LORENZ_NUMBER * T0 / x.material.resistivity

    def stretch(T):
        return 1 + t.resistivity_slope * (T - T0)

    def turn(T):
        return 1 + t.seebeck_slope * (T - T0)

    def kappa(T):
        if t.conductivity is None:
            return kappa0 * T / T0 / stretch(T)
        return kappa0 * (1 + t.conductivity_slope * (T - T0))

    return exact.HotLayer(
        x.thickness, lambda T: up / stretch(T), lambda T: down / stretch(T), lambda T: s_up * turn(T),
        lambda T: s_down * turn(T), kappa, lambda T: g / stretch(T),
    )  # fmt: skip


def solve(name, drive, mesh_size=0.4e-9):
    layers, faces, ends = STACKS[name]
    stack = fs.Stack(*layers, interfaces=faces, library={})
    domain = fs.line(COMM, stack, mesh_size=mesh_size)
    contacts = dict(zip(("bottom", "top"), ends, strict=True))
    problem = fs.TransportProblem(domain, fs.Thermoelectric(T0, nonlinear=True), contacts=contacts)
    terminals = DRIVES[drive]
    at = [exact.HotContact(k, t.temperature or T0, t.heat) for k, t in zip(ends, terminals.values(), strict=True)]
    first = terminals["bottom"]
    given = {"voltage": first.voltage} if first.current is None else {"current_density": first.current}
    faces_there = [exact.HotFace(*f) for f in faces_of(stack)]
    right = exact.solve_nonlinear([reference_layer(x) for x in stack], faces_there, *at, **given)
    return stack, problem.solve(terminals=terminals), right


@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize("drive", DRIVES)
def test_against_collocation(name, drive):
    stack, x, e = solve(name, drive)
    assert x.voltage == pytest.approx(e.voltages[0] - e.voltages[1], rel=1e-6, abs=0)
    assert x.current == pytest.approx(e.currents[0], rel=1e-6, abs=1e-3)
    assert [x.heats["bottom"], x.heats["top"]] == pytest.approx(list(e.heat), rel=1e-6, abs=0)
    assert list(x.temperatures.values()) == pytest.approx(list(e.temperatures), rel=1e-7, abs=0)
    assert abs(x.power_balance) < 1e-10
    assert abs(x.report["energy_balance"]) < 1e-10
    profile = x.profile(5)
    edges = np.concatenate([[0.0], np.cumsum([y.thickness for y in stack])])
    rise = max(abs(t - T0) for t in x.temperatures.values()) + np.nanmax(np.abs(profile.potentials["temperature"]))
    for i in range(len(edges) - 1):
        at = profile.layer == i
        right = e.at(profile.position[at], i)
        for k, scale in (("up", abs(x.voltage)), ("down", abs(x.voltage))):
            assert profile.potentials[k][at] == pytest.approx(
                right[:, ("up", "down").index(k)], rel=0, abs=1e-6 * scale
            )
        assert profile.potentials["temperature"][at] + T0 == pytest.approx(right[:, 2], rel=0, abs=1e-6 * rise)


def test_entropy_production():
    _, x, e = solve("they follow T", "voltage and heat")
    found = x.report["entropy_production"]
    assert min(found.values()) > 0
    right = e.entropy
    pairs = (
        (found["up"] + found["down"], right["channels"]),
        (found["spin flip"], right["spin_flip"]),
        (found["heat conduction"], right["conduction"]),
        (found["interface up"] + found["interface down"], right["face_channels"]),
        (found["interface heat conduction"], right["face_conduction"]),
    )
    for a, b in pairs:
        assert a == pytest.approx(b, rel=1e-5, abs=0)
    # The second law: what is produced leaves through the contacts.
    out = -sum(x.heats[k] / x.temperatures[k] for k in x.heats)
    assert sum(found.values()) == pytest.approx(out, rel=1e-5, abs=0)


def test_second_order_in_the_drive():
    """The difference from the linear model falls by four when the drive is halved."""
    layers, faces, ends = STACKS["they follow T"]
    stack = fs.Stack(*layers, interfaces=faces, library={})
    domain, contacts = fs.line(COMM, stack, mesh_size=1e-9), dict(zip(("bottom", "top"), ends, strict=True))
    one, other = (fs.TransportProblem(domain, fs.Thermoelectric(T0, nonlinear=n), contacts=contacts) for n in (0, 1))
    differences = []
    for scale in (1.0, 0.5):
        drive = {
            "bottom": fs.Terminal(current=2e11 * scale, temperature=T0 + 4 * scale),
            "top": fs.Terminal(voltage=0.0),
        }
        differences.append(other.solve(terminals=drive).voltage - one.solve(terminals=drive).voltage)
    assert differences[0] / differences[1] == pytest.approx(4, rel=0.05)


@pytest.mark.slow
def test_order_of_convergence():
    for degree, order in ((1, 2), (2, 4)):
        layers, faces, ends = STACKS["they follow T"]
        stack = fs.Stack(*layers, interfaces=faces, library={})
        values = []
        for refine in (0.25, 0.5, 1.0, 4.0):
            domain, contacts = fs.line(COMM, stack, refine=refine), dict(zip(("bottom", "top"), ends, strict=True))
            model = fs.Thermoelectric(T0, nonlinear=True)
            problem = fs.TransportProblem(domain, model, contacts=contacts, degree=degree)
            values.append(problem.solve(terminals=DRIVES["current"]).voltage)
        errors = np.abs(np.array(values[:-1]) / values[-1] - 1)
        assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.5)


@pytest.mark.slow
def test_a_section_equals_a_line():
    layers, faces, ends = STACKS["they follow T"]
    stack = fs.Stack(*layers, interfaces=faces, library={})
    contacts = dict(zip(("bottom", "top"), ends, strict=True))
    model = fs.Thermoelectric(T0, nonlinear=True)
    found = []
    for domain in (fs.line(COMM, stack, mesh_size=1e-9), fs.strip(COMM, stack, width=20e-9, mesh_size=5e-9)):
        area = domain.area
        problem = fs.TransportProblem(domain, model, contacts=contacts)
        drive = {"bottom": fs.Terminal(voltage=0.03, heat=4e9 * area), "top": fs.Terminal(voltage=0.0)}
        x = problem.solve(terminals=drive)
        found.append((x.current_density, x.temperatures["bottom"], x.heats["top"] / area))
    assert found[0] == pytest.approx(found[1], rel=1e-4, abs=0)


def test_a_temperature_that_the_slopes_cannot_have_is_refused():
    falling = hot(CU, -5e-3, 0.0, 0.0)
    problem = fs.TransportProblem(fs.line(COMM, fs.Stack(layer(falling, 20))), fs.Thermoelectric(T0, nonlinear=True))
    drive = {"bottom": fs.Terminal(current=0.0, temperature=T0 + 400), "top": fs.Terminal(voltage=0.0)}
    with pytest.raises(SolverError, match=r"smaller drive"):
        problem.solve(terminals=drive)


def test_joule_heat_of_a_wire():
    """Between cold ends the middle is hotter by I^2 rho L^2/(8 kappa), and half of the heat leaves on either side."""
    wire = fs.Material("W", 6e-8, 5e-9, thermal=fs.Thermal((0.0, 0.0), 120.0))
    length, j = 200e-9, 7e11
    problem = fs.TransportProblem(
        fs.line(COMM, fs.Stack(fs.Layer(wire, length))), fs.Thermoelectric(T0, nonlinear=True)
    )
    x = problem.solve(current_density=j)
    rise = x.profile(3).potentials["temperature"][1]
    assert rise == pytest.approx(j**2 * 6e-8 * length**2 / (8 * 120.0), rel=1e-10, abs=0)
    assert x.heats["bottom"] == pytest.approx(-(j**2) * 6e-8 * length / 2, rel=1e-10, abs=0)
    assert x.heats["top"] == pytest.approx(x.heats["bottom"], rel=1e-10, abs=0)


def test_another_reference_temperature_compiles_nothing():
    """The forms are the same; the temperature is a number that they are given."""
    layers, faces, ends = STACKS["constant coefficients"]
    domain = fs.line(COMM, fs.Stack(*layers, interfaces=faces, library={}), mesh_size=6e-9)
    contacts = dict(zip(("bottom", "top"), ends, strict=True))
    signatures = []
    for kelvin in (T0, T0 + 23.0):
        p = fs.TransportProblem(domain, fs.Thermoelectric(kelvin, nonlinear=True), contacts=contacts)
        even = {"temperature": T0 + 11.0}
        drive = {"bottom": fs.Terminal(voltage=0.02, **even), "top": fs.Terminal(voltage=0.0, **even)}
        p.solve(terminals=drive)
        compiled = [form for kind in p._state_forms.values() for form in kind._compiled.values()]
        signatures.append([form.ufl_form.signature() for form in compiled])
    assert signatures[0] == signatures[1]
