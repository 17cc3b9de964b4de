"""The linear thermoelectric model: closed forms, and what Onsager, Kelvin and both laws of thermodynamics ask for."""

import numpy as np
import pytest
from mpi4py import MPI
from samples.thermoelectric import CO, CU, DRIVES, PT, STACKS, T0, UP, coefficients, layer, problem_of

import fespin as fs

COMM = MPI.COMM_SELF
GROUND = fs.Terminal(voltage=0.0)


def solve(layers, faces, ends, drive, **mesh):
    stack = fs.Stack(*layers, interfaces=faces, library={})
    contacts = dict(zip(("bottom", "top"), ends, strict=True))
    problem = fs.TransportProblem(fs.line(COMM, stack, **mesh), fs.Thermoelectric(T0), contacts=contacts)
    return problem, problem.solve(terminals=drive)


def heated(kelvin, current=0.0):
    return {"bottom": fs.Terminal(current=current, temperature=T0 + kelvin), "top": GROUND}


def test_seebeck_coefficient_of_a_bilayer():
    """Open circuit: V = -sum S dT, and dT is shared by the thermal resistances, of which the face is one."""
    face = fs.Interface(0.4e-15, thermal_conductance=1.7e9)
    s = {m: m.thermal.seebeck[0] for m in (CU, PT)}
    parts = [20e-9 / CU.thermal.conductivity, 1 / 1.7e9, 35e-9 / PT.thermal.conductivity]
    _, x = solve([layer(CU, 20), layer(PT, 35)], {("Cu", "Pt"): face}, ("reservoir", "lead"), heated(3))
    heat = 3 / sum(parts)
    expected = -heat * (s[CU] * parts[0] + s[PT] * parts[2])
    assert x.voltage == pytest.approx(expected, rel=1e-11, abs=0)
    assert x.heats["bottom"] == pytest.approx(heat, rel=1e-11, abs=0)
    below, above = x.report["temperature"]["Cu1|Pt2"]
    assert below - above == pytest.approx(heat / 1.7e9, rel=1e-9, abs=0)


@pytest.mark.parametrize("direction", [UP, (0, 0, -1)])
def test_one_magnet_between_leads(direction):
    """S is the mean of the spins' by conductivity; their opposite currents carry heat, and turn at the leads.

    D = A sinh((x - t/2)/L) with L^2 = l^2 kappa/kappa_eff, kappa_eff = kappa + T0 chi (S_up - S_dn)^2.
    """
    magnet, t = layer(CO, 15, direction), 15e-9
    (up, dn), (s_up, s_dn), kappa, g = coefficients(magnet)
    mean, chi, step = (up * s_up + dn * s_dn) / (up + dn), up * dn / (up + dn), s_up - s_dn
    effective = kappa + T0 * chi * step**2
    length = np.sqrt(chi / g)
    short = length * np.sqrt(kappa / effective)
    sinh, cosh = np.sinh(t / 2 / short), np.cosh(t / 2 / short)
    per_heat = step / effective / (sinh / length + kappa / effective * cosh / short)
    spin = -chi * kappa / effective * (2 * per_heat * sinh - step * t / kappa)  # integral of J_up
    heat = 2 * kappa / (t - T0 * step * spin)
    _, x = solve([magnet], {}, ("lead", "lead"), heated(2), mesh_size=0.5e-9)
    assert x.voltage == pytest.approx(-2 * mean, rel=1e-9, abs=0)
    assert x.heats["bottom"] == pytest.approx(heat, rel=1e-11, abs=0)
    found = x.profile(5).accumulation
    expected = heat * per_heat * np.sinh(np.linspace(-t / 2, t / 2, 5) / short)
    assert found == pytest.approx(expected, rel=0, abs=1e-8 * abs(expected[0]))
    _, peltier = solve([magnet], {}, ("lead", "lead"), heated(0, 3e10))
    assert peltier.heats["bottom"] == pytest.approx(T0 * mean * 3e10, rel=1e-9, abs=0)
    assert heat / (kappa * 2 / t) - 1 > 1e-4


@pytest.mark.parametrize("name", STACKS)
def test_kelvin(name):
    """Peltier coefficient = T0 times Seebeck coefficient, from two solves of two problems."""
    problem, _ = problem_of(name, mesh_size=1e-9)
    seebeck = -problem.solve(terminals=heated(2.5)).voltage / 2.5
    other, _ = problem_of(name, mesh_size=1e-9)
    peltier = other.solve(terminals=heated(0, 7e9)).heats["bottom"] / 7e9
    assert peltier == pytest.approx(T0 * seebeck, rel=1e-9, abs=0)


@pytest.mark.parametrize("name", STACKS)
def test_conductance_is_symmetric(name):
    """Onsager: all currents and heats per all voltages and temperatures, symmetric, positive, and conserving."""
    problem, _ = problem_of(name, mesh_size=1e-9)
    g = problem.solver.conductance()
    assert problem.solver.ports == (("bottom", "c"), ("bottom", "h"), ("top", "c"), ("top", "h"))
    scale = np.sqrt(np.outer(np.diag(g), np.diag(g)))
    assert np.abs((g - g.T) / scale).max() < 1e-12
    assert np.abs(g[0, 1]) > 1e-4 * scale[0, 1]
    assert np.linalg.eigvalsh(g / scale).min() > -1e-12
    for field in (0, 1):
        assert np.abs((g[field] + g[field + 2]) / scale[field]).max() < 1e-12
        assert np.abs((g[:, field] + g[:, field + 2]) / scale[field]).max() < 1e-12


@pytest.mark.parametrize("drive", DRIVES)
@pytest.mark.parametrize("name", STACKS)
def test_balances(name, drive):
    """First law: heat that enters leaves, through every interface. Second: production is what contacts take away."""
    problem, _ = problem_of(name, mesh_size=1e-9)
    x = problem.solve(terminals=DRIVES[drive])
    largest = max(map(abs, x.heats.values()))
    assert abs(sum(x.heats.values())) < 1e-12 * largest
    assert abs(sum(x.currents.values())) < 1e-12 * max(*map(abs, x.currents.values()), 1e9)
    for place, q in x.report["heat_current"].items():
        # Through an interface upwards; at a contact into the device.
        expected = x.heats[place] if place in x.heats else x.heats["bottom"]
        assert q == pytest.approx(expected, rel=0, abs=1e-9 * largest)
    production = x.report["entropy_production"]
    assert min(production.values()) >= 0
    work = sum(x.voltages[k] * x.currents[k] for k in x.voltages)
    heat = sum((x.temperatures[k] - T0) * x.heats[k] for k in x.heats)
    assert sum(production.values()) == pytest.approx(work / T0 + heat / T0**2, rel=1e-10, abs=0)
    assert production["heat conduction"] > 0


@pytest.mark.parametrize("direction", [UP, (0, 0, -1)])
def test_spin_seebeck(direction):
    """F|N without a current: D(0) = -(S_up - S_dn) T' l_F/(1 + rho* l_F/(rho_N l_N)), small Seebeck coefficients."""
    small = 1e-3
    magnetic = fs.Material(
        "F", CO.resistivity, CO.spin_diffusion_length, CO.beta,
        thermal=fs.Thermal(tuple(small * s for s in CO.thermal.seebeck), 85.0),
    )  # fmt: skip
    metal = fs.Material("N", 2.3e-8, 60e-9, thermal=fs.Thermal((2e-9, 2e-9), 190.0))
    layers = [fs.Layer(magnetic, 700e-9, "", direction), layer(metal, 900)]
    drive = {"bottom": fs.Terminal(current=0.0, heat=1e8), "top": GROUND}
    _, x = solve(layers, {}, ("blocked", "lead"), drive, mesh_size=10e-9)
    sign = 1 if direction is UP else -1
    l_f, difference = CO.spin_diffusion_length, sign * small * (CO.thermal.seebeck[0] - CO.thermal.seebeck[1])
    expected = difference * 1e8 / 85.0 * l_f / (1 + CO.resistivity_star * l_f / (2.3e-8 * 60e-9))
    below, above = x.accumulation["F1", "N2"]
    assert below == pytest.approx(above, rel=1e-9, abs=0)
    assert below == pytest.approx(expected, rel=1e-5, abs=0)
