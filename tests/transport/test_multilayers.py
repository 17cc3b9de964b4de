"""Ten stacks on a line against the independent exact solver; orders of convergence; closed forms."""

import math
from dataclasses import replace

import numpy as np
import pytest
import ufl
from dolfinx import fem
from hypothesis import given, settings
from hypothesis import strategies as st
from mpi4py import MPI

from fespin import (
    Bands,
    Contact,
    Interface,
    Layer,
    Material,
    Stack,
    Terminal,
    ThreeChannel,
    TransportProblem,
    line,
    solve_multilayer,
)
from fespin.errors import InputError
from fespin.transport.exact import exact_solution
from references.devices import CO, CU, DOWN, EXAMPLES, PY, RU, UP, l2_error, reference, solve, stack, valve


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_against_the_exact_solution(example):
    """A R, A dR, accumulation, drops, spin currents, R_ne: 1e-6 at degree 2 on the default mesh."""
    found, exact = [], []
    for s in (example.parallel, example.antiparallel):
        x, e = solve(s, example.ends), reference(s, example.ends)
        j = x.current_density
        found.append(x.resistance_area)
        exact.append(e.resistance_area)
        assert x.resistance_area == pytest.approx(e.resistance_area, rel=1e-6, abs=0)
        assert x.r_nonequilibrium == pytest.approx(e.r_nonequilibrium, rel=1e-6, abs=0)
        assert abs(x.power_balance) < 1e-10
        largest = np.abs(e.accumulation_at_interfaces).max()
        assert np.array(list(x.accumulation.values())) / j == pytest.approx(
            np.array(e.accumulation_at_interfaces), rel=0, abs=1e-6 * largest
        )
        assert np.array(list(x.layer_drops.values())) / j == pytest.approx(
            np.array(e.layer_drops), rel=1e-6, abs=1e-7 * e.resistance_area
        )
        assert np.array(list(x.interface_drops.values())) / j == pytest.approx(
            np.array(e.interface_drops), rel=0, abs=1e-6 * e.resistance_area
        )
        spin = [x.channel_currents["|".join(p)].values() for p in x.accumulation]
        inner = np.array(e.spin_current_at_faces)[1:-1]
        assert np.array([u - d for u, d in spin]) / j == pytest.approx(inner, rel=0, abs=1e-6)
        assert [u + d for u, d in spin] == pytest.approx([j] * len(spin), rel=1e-9, abs=0)
    assert found[1] - found[0] == pytest.approx(exact[1] - exact[0], rel=1e-6, abs=0)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_the_two_exact_solvers_agree(example):
    """The solver behind the pictures against the independent one."""
    for s in (example.parallel, example.antiparallel):
        ours = solve_multilayer(s, *(Contact(e) for e in example.ends), 1e11)
        exact = reference(s, example.ends)
        assert ours.resistance_area == pytest.approx(exact.resistance_area, rel=1e-12, abs=0)
        for i in range(len(s.layers)):
            x = np.linspace(ours.boundaries[i], ours.boundaries[i + 1], 7)
            up, down = ours.potentials(x, i)
            scale = 1e-10 * 1e11 * exact.resistance_area
            assert up == pytest.approx(1e11 * exact.phi_up(x, i), abs=scale, rel=0)
            assert down == pytest.approx(1e11 * exact.phi_dn(x, i), abs=scale, rel=0)


@st.composite
def random_stacks(draw):
    """Any materials, thicknesses and interfaces within what metals have; unequal everywhere."""
    layers, interfaces = [], {}
    for i in range(draw(st.integers(1, 8))):
        magnet = draw(st.booleans())
        material = Material(
            f"M{i}",
            draw(st.floats(3e-9, 500e-9)),
            10 ** draw(st.floats(-9, -6)),
            draw(st.floats(-0.9, 0.9)) if magnet else None,
        )
        direction = draw(st.sampled_from((UP, DOWN))) if magnet else None
        layers.append(Layer(material, 10 ** draw(st.floats(-9.5, -6.7)), f"L{i}", direction))
        if i and draw(st.booleans()):
            same = len({x.magnetization for x in layers[-2:] if x.magnetization}) == 1
            gamma = draw(st.floats(-0.9, 0.9)) if same else 0.0
            interfaces[f"L{i - 1}", f"L{i}"] = Interface(10 ** draw(st.floats(-17, -14)), gamma)
    return Stack(*layers, interfaces=interfaces, library={})


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True)
@given(random_stacks(), st.tuples(*[st.sampled_from(("lead", "reservoir", "blocked"))] * 2))
def test_any_stack(s, ends):
    """A R to 1e-6 and the balance to 1e-10, whatever the stack."""
    x, e = solve(s, ends), reference(s, ends)
    assert x.resistance_area == pytest.approx(e.resistance_area, rel=1e-6, abs=0)
    assert abs(x.power_balance) < 1e-10
    assert x.r_nonequilibrium == pytest.approx(e.r_nonequilibrium, rel=1e-6, abs=1e-7 * e.resistance_area)
    exact = solve_multilayer(s, *(Contact(k) for k in ends), 1e11)
    assert exact.resistance_area == pytest.approx(e.resistance_area, rel=1e-10, abs=0)


def agrees(x, e, rne=1e-6):
    """Assert what is reported of a line at 1e11 A/m2 against the independent solver."""
    j, area = x.current_density, e.resistance_area
    assert x.resistance_area == pytest.approx(area, rel=1e-6, abs=0)
    assert abs(x.power_balance) < 1e-6
    assert x.r_nonequilibrium == pytest.approx(e.r_nonequilibrium, rel=rne, abs=1e-7 * area)
    largest = np.abs(np.reshape(e.accumulation_at_interfaces, -1)).max(initial=0.0)
    for found, right, scale in (
        ([x.accumulation[p] for p in x.accumulation], e.accumulation_at_interfaces, largest),
        (list(x.layer_drops.values()), e.layer_drops, area),
        (list(x.interface_drops.values()), e.interface_drops, area),
        ([spin(x.channel_currents["|".join(p)]) for p in x.accumulation], e.spin_current_at_faces[1:-1], 1.0),
    ):
        assert np.array(found) / j == pytest.approx(np.array(right), rel=0, abs=1e-6 * scale)


def spin(currents):
    return currents["up"] - currents["down"]


def extreme(random):
    """A stack as of :func:`random_stacks`, of coefficients over many more orders of magnitude, and its ends."""

    def asymmetry():
        near_one = random.choice([-1, 1]) * (1 - 10 ** random.uniform(-3, 0))
        return float(np.clip(random.choice([random.uniform(-0.999, 0.999), near_one]), -0.999, 0.999))

    layers, interfaces = [], {}
    for i in range(random.integers(1, 9)):
        magnet = random.random() < 0.5
        length, rho = 10 ** random.uniform(-10, -6), 10 ** random.uniform(-13, -1)
        material = Material(f"M{i}", float(rho), float(length), asymmetry() if magnet else None)
        direction = (UP, DOWN)[random.integers(2)] if magnet else None
        layers.append(Layer(material, float(10 ** random.uniform(-9.5, -6.7)), f"L{i}", direction))
        if i and random.random() < 0.5:
            same = len({x.magnetization for x in layers[-2:] if x.magnetization}) == 1
            interfaces[f"L{i - 1}", f"L{i}"] = Interface(10 ** random.uniform(-18, -9), asymmetry() if same else 0.0)
    ends = tuple(map(str, random.choice(["lead", "reservoir", "blocked"], 2)))
    return Stack(*layers, interfaces=interfaces, library={}), ends


@pytest.mark.slow
def test_extreme_coefficients():
    """On a mesh or, where its numbers have not enough digits, exactly: always right, and it says which."""
    noted = []
    for seed in range(40):
        s, ends = extreme(np.random.default_rng(1000 + seed))
        x = solve(s, ends)
        agrees(x, reference(s, ends), rne=3e-6)
        noted.append(bool(x.notes))
        assert not x.notes or ("exact solution" in x.notes[0] and x.summary()["notes"] == list(x.notes))
    assert 3 < sum(noted) < 35


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_the_exact_solution_reports_what_the_mesh_does(example):
    """Every number and every field, for each kind of drive."""
    s = example.antiparallel
    problem = TransportProblem(
        line(MPI.COMM_WORLD, s), contacts={k: Contact(e) for k, e in zip(("bottom", "top"), example.ends, strict=True)}
    )
    for terminals in (
        {"bottom": Terminal(current=-2e10), "top": Terminal(voltage=3e-6)},
        {"bottom": Terminal(voltage=2e-6), "top": Terminal(voltage=-1e-6)},
        {"bottom": Terminal(voltage=2e-6), "top": Terminal(current=7e9)},
    ):
        x, e = problem.solve(terminals=terminals), exact_solution(problem, terminals, "is not needed")
        assert not x.notes and e.notes
        found, right = e.summary(), x.summary()
        assert found.keys() == right.keys() | {"notes"}
        for key in right.keys() - {"power_balance", "iterations", "dissipated_power_unit"}:
            close(found[key], right[key], key, x)
        assert abs(e.power_balance) < 1e-13
        scale = abs(x.voltage)
        assert (e.domain, e.stack, e.present, e.spin) == (x.domain, x.stack, x.present, x.spin)
        for k, values in x.profile(9).potentials.items():
            assert e.profile(9).potentials[k] == pytest.approx(values, rel=0, abs=1e-6 * scale)
    problem.destroy()


def close(found, right, key, x):
    """Assert that numbers agree, of any nesting, to 1e-6 of the size of their kind."""
    if isinstance(right, dict):
        assert found.keys() == right.keys(), key
        for k, v in right.items():
            close(found[k], v, key, x)
    elif isinstance(right, list):
        for a, b in zip(found, right, strict=True):
            close(a, b, key, x)
    elif right is None:
        assert found is None, key
    else:
        volts, amps = abs(x.voltage), abs(x.current)
        kinds = {"power": volts * amps, "currents": amps, "accumulation": volts, "drops": volts}
        scale = next((v for k, v in kinds.items() if k in key), 0.0)
        assert found == pytest.approx(right, rel=1e-6, abs=1e-6 * scale), key


def test_many_layers():
    """One layer cut into two thousand is that layer; thick and thin ones lose no digits."""
    magnet, cap = Material("F", 83e-9, 23e-9, 0.61), Layer(Material("N", 31e-9, 140e-9), 2e-3, "N")
    whole = Stack(Layer(magnet, 40e-9, "F", UP), cap, library={})
    cut = Stack(*(Layer(magnet, 20e-12, f"F{i}", UP) for i in range(2000)), cap, library={})
    one, many = (solve_multilayer(s, Contact("blocked"), Contact("lead"), -3e10) for s in (whole, cut))
    assert many.resistance_area == pytest.approx(one.resistance_area, rel=1e-12, abs=0)
    assert many.r_nonequilibrium == pytest.approx(one.r_nonequilibrium, rel=1e-10, abs=0)
    assert many.accumulation[-1] == pytest.approx(one.accumulation[-1], rel=1e-10, abs=0)
    parts = [sum(x for (_, k), x in s.power.items() if k == "spin flip") for s in (one, many)]
    assert parts[1] == pytest.approx(parts[0], rel=1e-10, abs=0)
    with pytest.raises(InputError, match=r"current_density is 0\.0; it must be finite and not zero"):
        solve_multilayer(whole, Contact(), Contact(), 0.0)


@pytest.mark.parametrize("resistivity", [1e-7, 1e-5, 1e-4])
def test_a_factor_is_refined(resistivity):
    """Three channels between poor layers, where the first pass leaves an error of currents of up to 4e-2."""
    poor = Material("I", resistivity, 1e-6)
    bands = Material.from_bands("F", Bands(s_up=1e13, s_down=4e12, d_down=2e12, spin_flip=1e27, sd=1e28))
    layers = [Layer(poor, 200e-9, "a"), Layer(bands, 0.5e-9, "F", UP), Layer(poor, 200e-9, "b")]
    x = TransportProblem(line(MPI.COMM_WORLD, Stack(*layers, library={})), ThreeChannel()).solve(current_density=1e11)
    assert abs(x.power_balance) < 1e-9
    whole = 2 * resistivity * 200e-9
    assert whole < x.resistance_area == pytest.approx(whole, rel=2e-9, abs=0)


def test_what_no_exact_solution_helps_is_said():
    """Three layers of s and d electrons: the currents that rounding takes are named."""
    poor = Material("I", 1e-5, 1e-6)
    bands = Material.from_bands("F", Bands(s_up=1e13, s_down=4e12, d_down=2e12, spin_flip=1e27, sd=1e28))
    layers = [Layer(poor, 200e-9, "a"), Layer(bands, 0.5e-9, "F", UP), Layer(poor, 200e-9, "b")]
    problem = TransportProblem(line(MPI.COMM_WORLD, Stack(*layers, library={})), ThreeChannel())
    x = problem.solve(current_density=1e11)
    assert x.notes and "currents through interfaces are lost to rounding" in x.notes[0]
    layers = [replace(y, material=replace(poor, resistivity=0.1)) if y.material is poor else y for y in layers]
    two = [replace(y, material=Material("F", 1e-13, 1e-9, 0.4)) if y.name == "F" else y for y in layers]
    found = solve(Stack(*two, library={}), ("reservoir", "reservoir"))
    assert found.notes[0].startswith("the exact solution of the layers: on the mesh the dissipated power ")
    turned = TransportProblem(line(MPI.COMM_WORLD, Stack(*two, library={})))
    other = turned.solve(current_density=1e11, between=("top", "bottom"))
    assert (other.between, other.current) == (("top", "bottom"), -1e11)
    assert other.resistance_area == pytest.approx(found.resistance_area, rel=1e-12, abs=0)


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_orders(degree):
    """Order p + 1 in the accumulation (L2) and 2p in the resistance, unequal coefficients."""
    s = stack((CU, 40, None), (PY, 12, UP), (RU, 30, None), (PY, 9, DOWN), (CU, 20, None))
    e = reference(s, ("lead", "reservoir"))
    # Coarse cells, so that the error of the third degree stays above rounding.
    refinements = (0.125, 0.25, 0.5) if degree == 3 else (0.25, 0.5, 1.0)
    r, d = [], []
    for refine in refinements:
        x = solve(s, ("lead", "reservoir"), degree=degree, refine=refine)
        r.append(abs(x.resistance_area / e.resistance_area - 1))
        d.append(l2_error(x, e))
    orders_r = np.log2(np.array(r[:-1]) / r[1:])
    orders_d = np.log2(np.array(d[:-1]) / d[1:])
    assert orders_r[-1] == pytest.approx(2 * degree, abs=0.4)
    assert orders_d[-1] == pytest.approx(degree + 1, abs=0.3)


def test_wall_between_magnetic_leads():
    """F/F wall: 2 beta^2 rho* l_sf."""
    f = Material.from_star("F", 83e-9, 23e-9, 0.61)
    layers = [Layer(f, 17e-9, "a", UP), Layer(f, 31e-9, "b", UP)]
    excess = {}
    for name, direction in (("parallel", UP), ("antiparallel", DOWN)):
        s = Stack(layers[0], Layer(f, 31e-9, "b", direction))
        excess[name] = solve(s, ("lead", "lead")).resistance_area
    wall = 2 * f.beta**2 * f.resistivity_star * f.spin_diffusion_length
    assert excess["antiparallel"] - excess["parallel"] == pytest.approx(wall, rel=1e-7, abs=0)


@pytest.mark.parametrize("spacer", [1.5e-9, 20e-9, 300e-9])
def test_valve_between_magnetic_leads(spacer):
    """F/N/F: 2 (beta r_F + gamma r_b)^2 / {(r_b + r_F) cosh x + r_N/2 [1 + ((r_b + r_F)/r_N)^2] sinh x}."""
    f, n = Material.from_star("F", 83e-9, 23e-9, 0.61), Material("N", 31e-9, 140e-9)
    face = Interface(0.37e-15, 0.52)
    found = {}
    for direction in (UP, DOWN):
        s = Stack(
            Layer(f, 9e-9, "a", UP),
            Layer(n, spacer),
            Layer(f, 14e-9, "b", direction),
            interfaces={("F", "N"): face},
        )
        found[direction] = solve(s, ("lead", "lead")).resistance_area
    r_f, r_n = (m.resistivity_star * m.spin_diffusion_length for m in (f, n))
    r_b, x = face.area_resistance_star, spacer / n.spin_diffusion_length
    expected = 2 * (f.beta * r_f + face.gamma * r_b) ** 2
    expected /= (r_b + r_f) * math.cosh(x) + r_n / 2 * (1 + ((r_b + r_f) / r_n) ** 2) * math.sinh(x)
    assert found[DOWN] - found[UP] == pytest.approx(expected, rel=1e-7, abs=0)


def test_nonequilibrium_resistance_of_a_layer():
    """N/F(d)/N: 2 beta^2/[coth(d/2 l_F)/(rho* l_F) + 1/(rho_N l_N)]."""
    f, n, d = Material.from_star("F", 83e-9, 23e-9, 0.61), Material("N", 31e-9, 140e-9), 18e-9
    x = solve(Stack(Layer(n, 5e-9), Layer(f, d), Layer(n, 11e-9)), ("lead", "lead"))
    expected = 2 * f.beta**2
    expected /= 1 / math.tanh(d / 2 / f.spin_diffusion_length) / (f.resistivity_star * f.spin_diffusion_length) + 1 / (
        n.resistivity * n.spin_diffusion_length
    )
    assert x.r_nonequilibrium == pytest.approx(expected, rel=1e-7, abs=0)


def test_lead_is_a_long_layer():
    """A lead contact equals a layer of twenty spin-diffusion lengths more, magnetic or not."""
    short = stack((CO, 30, UP), (CU, 6, None), (PY, 5, DOWN), (RU, 20, None))
    long = stack((CO, 30 + 20 * 60, UP), (CU, 6, None), (PY, 5, DOWN), (RU, 20 + 20 * 14, None))
    extra = 20 * 60e-9 * CO.resistivity + 20 * 14e-9 * RU.resistivity
    a = solve(short, ("lead", "lead")).resistance_area
    b = solve(long, ("reservoir", "reservoir")).resistance_area - extra
    assert a == pytest.approx(b, rel=1e-7, abs=0)


def test_direction_names_do_not_matter():
    """Magnetizations along x, and along -z and +z exchanged, give the same resistance."""
    first = solve(valve(DOWN), ("lead", "lead"))
    s = valve(DOWN).magnetized({"L1": (-1, 0, 0), "L3": (2, 0, 0)})
    second = solve(s, ("lead", "lead"))
    assert second.resistance_area == pytest.approx(first.resistance_area, rel=1e-12, abs=0)
    flipped = valve(DOWN).magnetized({"L1": DOWN, "L3": UP})
    third = solve(flipped, ("lead", "lead"))
    assert third.resistance_area == pytest.approx(first.resistance_area, rel=1e-12, abs=0)
    pair = ("L1", "L2")
    assert third.accumulation[pair] == pytest.approx([-a for a in first.accumulation[pair]], rel=1e-9, abs=0)


def test_drives_are_equivalent():
    """Voltage, current and current density give one and the same solution; current reverses with them."""
    problem = TransportProblem(line(MPI.COMM_WORLD, valve(UP)))
    a = problem.solve(current_density=3e10)
    b = problem.solve(voltage=a.voltage)
    c = problem.solve(current=-3e10)
    assert b.current_density == pytest.approx(3e10, rel=1e-12, abs=0)
    assert c.voltage == pytest.approx(-a.voltage, rel=1e-12, abs=0)
    assert c.dissipation.total == pytest.approx(a.dissipation.total, rel=1e-12, abs=0)


def test_contacts_driven_one_by_one():
    """Bottom and top keep their places whatever drives them: an upward current stays positive."""
    problem = TransportProblem(line(MPI.COMM_WORLD, valve(DOWN)))
    x = problem.solve(terminals={"bottom": Terminal(voltage=0.0), "top": Terminal(voltage=1e-3)})
    assert x.between == ("bottom", "top")
    assert x.voltage == pytest.approx(-1e-3, rel=1e-12, abs=0)
    assert x.current_density < 0
    exact = solve_multilayer(x.stack, Contact(), Contact(), x.current_density, top_voltage=1e-3)
    profile = x.profile(5)
    for i in range(len(x.stack.layers)):
        at = profile.layer == i
        up, down = exact.potentials(profile.position[at], i)
        assert profile.potentials["up"][at] == pytest.approx(up, rel=0, abs=1e-9)
        assert profile.potentials["down"][at] == pytest.approx(down, rel=0, abs=1e-9)


def test_no_spin_physics_without_magnets():
    """Copper alone is Ohmic."""
    x = solve(Stack(Layer(CU, 123e-9)), ("lead", "lead"))
    assert x.resistance_area == pytest.approx(6e-9 * 123e-9, rel=1e-13, abs=0)
    assert abs(x.r_nonequilibrium) < 1e-25
    one = fem.Constant(x.domain.mesh, 1.0)
    length = MPI.COMM_WORLD.allreduce(fem.assemble_scalar(fem.form(one * ufl.dx(x.domain.mesh))))
    assert length == pytest.approx(123e-9, rel=1e-12, abs=0)
