"""Laws that follow the state: a barrier whose conductance grows with its voltage, conduction, heat by declaration."""

from dataclasses import replace

import numpy as np
import pytest
import ufl
from launch import numbers, require_equal
from mpi4py import MPI
from scipy.optimize import brentq

import fespin as fs
from fespin.errors import ModelError, SolverError
from fespin.onsager import (
    ContactLaw,
    Declaration,
    InterfaceLaw,
    Mechanism,
    Medium,
    StateLaw,
    StateSystem,
    System,
    Terminal,
    TerminalSolver,
    Varying,
)
from fespin.onsager.coefficients import Coefficients
from fespin.transport.thermoelectric import SCALE
from fespin.transport.two_channel import CHANNELS
from tests.transport import test_thermoelectric_nonlinear as thermal

COMM = MPI.COMM_SELF
A, B = fs.Material("A", 1e-7, 50e-9), fs.Material("B", 2.3e-7, 50e-9)
STACK = fs.Stack(fs.Layer(A, 20e-9, "a"), fs.Layer(B, 30e-9, "b"), library={})
G0, V_H = 1.1e11, 0.3
JUMP = {(0, "c"): 1.0, (1, "c"): -1.0}
CONTACTS = {k: ContactLaw({"c": 1.0}) for k in ("bottom", "top")}
SERIES = 20e-9 * 1e-7 + 30e-9 * 2.3e-7


def conductance(at, p):
    return p["G0"] * (1 + ((at[0, "c"] - at[1, "c"]) / p["V_h"]) ** 2)


def barrier(pair=("a", "b"), **more):
    law = StateLaw("barrier", JUMP, conductance, {"G0": G0, "V_h": V_H})
    face = InterfaceLaw((Mechanism("barrier", G0, JUMP),), state=(law,))
    media = {x.name: Medium((Mechanism("charge", 1 / x.material.resistivity, {"c": 1.0}),)) for x in STACK}
    return Declaration(("c",), media, {pair: face}, CONTACTS, **more)


def solve(domain, declaration, drive, degree=2):
    system = System(domain, declaration, degree)
    solver = TerminalSolver(system, fs.SolverOptions())
    x = StateSystem(system).solve(*solver.imposed(drive), solver.solve(drive), fs.SolverOptions())
    return system, x


def current_density(voltage):
    """Solve J = G0 V (1 + (V/V_h)^2) in series with the metals."""

    def law(v):
        return G0 * v * (1 + (v / V_H) ** 2)

    return law(brentq(lambda v: v + SERIES * law(v) - voltage, 0, voltage, xtol=1e-16, rtol=1e-15))


DOMAINS = {
    "line": lambda comm=COMM: fs.line(comm, STACK, mesh_size=10e-9),
    "section": lambda comm=COMM: fs.strip(comm, STACK, width=40e-9, mesh_size=10e-9, depth=3e-9),
    "pillar": lambda comm=COMM: fs.pillar(comm, STACK, diameter=20e-9, mesh_size=10e-9),
}


@pytest.mark.parametrize("shape", DOMAINS)
@pytest.mark.parametrize("voltage", [1e-4, 0.5, 1.7])
def test_a_barrier_at_a_voltage_and_at_the_current_that_flows(shape, voltage):
    domain = DOMAINS[shape]()
    density = current_density(voltage)
    _, x = solve(domain, barrier(), {"bottom": Terminal(voltage=voltage), "top": Terminal(voltage=0.0)})
    assert x.solved.currents["bottom"] / domain.area == pytest.approx(density, rel=1e-8)
    floating = {"bottom": Terminal(current=density * domain.area), "top": Terminal(voltage=0.0)}
    _, y = solve(domain, barrier(), floating)
    assert y.solved.voltages["bottom"] == pytest.approx(voltage, rel=1e-8)
    for z in (x, y):
        put_in = z.solved.power
        assert z.power.total == pytest.approx(put_in, rel=1e-8)
        own = density * (voltage - SERIES * density) * domain.area
        assert z.power.parts["a|b", "barrier"] == pytest.approx(own, rel=1e-8)
        assert z.power.parts["b", "charge"] == pytest.approx(density**2 * 30e-9 * 2.3e-7 * domain.area, rel=1e-8)
        # Far from rest the conductance grows with the square: each step of a given current takes a third off.
        assert z.steps <= 20
        assert z.entropy is None


def test_either_side_may_come_first():
    """A law declared for the pair in the other order sees its sides as it is declared."""
    drive = {"bottom": Terminal(voltage=0.7), "top": Terminal(voltage=0.0)}
    domain = DOMAINS["line"]()

    def diode(at, p):
        return p["G0"] * (1 + ufl.tanh((at[0, "c"] - at[1, "c"]) / p["V_h"]))

    def declared(pair):
        law = StateLaw("barrier", JUMP, diode, {"G0": G0, "V_h": V_H})
        base = barrier(pair)
        return replace(base, laws={pair: replace(base.laws[pair], state=(law,))})

    forward = solve(domain, declared(("a", "b")), drive)[1].solved.currents["bottom"]
    backward = solve(domain, declared(("b", "a")), drive)[1].solved.currents["bottom"]
    # With b as side 0 the voltage of the diode is that against the current.
    assert forward > 5 * backward > 0
    turned = {"bottom": Terminal(voltage=0.0), "top": Terminal(voltage=0.7)}
    assert solve(domain, declared(("b", "a")), turned)[1].solved.currents["top"] == pytest.approx(forward, rel=1e-9)


def heating(at, p):
    return p["sigma"] / (1 + (at["c"] / p["V"]) ** 2)


def test_conduction_that_follows_the_potential():
    """Kirchhoff's transformation: J L = integral of sigma(V) dV = sigma V0 atan(V/V0)."""
    law = StateLaw("charge", {"c": 1.0}, heating, {"sigma": 3e6, "V": 0.2}, gradients=True)
    medium = Medium((Mechanism("charge", 3e6, {"c": 1.0}),), state=(law,))
    stack = fs.Stack(fs.Layer(A, 20e-9, "a"), library={})
    declaration = Declaration(("c",), {"a": medium}, {}, CONTACTS)
    exact = 3e6 * 0.2 * np.arctan(0.5 / 0.2) / 20e-9
    for degree in (1, 2):
        errors = []
        for size in (2e-9, 1e-9):
            drive = {"bottom": Terminal(voltage=0.5), "top": Terminal(voltage=0.0)}
            _, x = solve(fs.line(COMM, stack, mesh_size=size), declaration, drive, degree)
            errors.append(abs(x.solved.currents["bottom"] / exact - 1))
            assert x.power.total == pytest.approx(x.solved.power, rel=1e-10)
        # Of the second degree both are rounding.
        assert max(errors) < 1e-12 if degree == 2 else np.log2(errors[0] / errors[1]) > 1.7


class Barrier:
    """Two channels whose interfaces have a conductance that grows with the voltage, for each spin."""

    channels = CHANNELS

    def __init__(self, v_h=0.2, nonlinear=True):
        self.v_h, self.nonlinear = v_h, nonlinear

    def declare(self, stack, contacts, pairs):
        plain = fs.TwoChannel().declare(stack, contacts, pairs)

        def law(x):
            laws = tuple(
                StateLaw(m.name, m.weights, spin_conductance, {"G": m.coefficient, "V_h": self.v_h})
                for m in x.mechanisms
            )
            return replace(x, state=laws if self.nonlinear else ())

        return replace(plain, laws={p: law(x) for p, x in plain.laws.items()})

    def accumulation(self, stack, layer):
        return fs.TwoChannel().accumulation(stack, layer)

    def report(self, problem, solution):
        return {}


def spin_conductance(at, p):
    return p["G"] * (1 + ((at[0, "c"] - at[1, "c"]) / p["V_h"]) ** 2)


def valve(comm=COMM, shape=fs.line, **mesh):
    co, cu = fs.Material("Co", 1e-7, 12e-9, 0.4), fs.Material("Cu", 2e-8, 200e-9)
    layers = [fs.Layer(cu, 9e-9), fs.Layer(co, 8e-9, "f", (0, 0, 1)), fs.Layer(co, 5e-9, "g", (0, 0, 1))]
    faces = {("Cu", "Co"): fs.Interface(0.5e-15, 0.7), ("Co", "Co"): fs.Interface(1e-13, 0.6)}
    return shape(comm, fs.Stack(*layers, interfaces=faces, library={}), **mesh)


class TestInAProblem:
    @pytest.mark.parametrize("ends", ["reservoir", "lead", "blocked"])
    def test_valves(self, ends):
        """At the solution's own coefficients the linear problem has the same solution."""
        contacts = dict.fromkeys(("bottom", "top"), ends)
        p = fs.TransportProblem(valve(mesh_size=1e-9), Barrier(), contacts=contacts)
        x = p.solve(voltage=0.3)
        assert abs(x.power_balance) < 1e-10
        assert x.report["newton_steps"] < 12
        assert x.summary()["newton_steps"] == x.report["newton_steps"]
        assert x.r_nonequilibrium is None

        class Frozen(Barrier):
            def declare(self, stack, contacts, pairs):
                plain = fs.TwoChannel().declare(stack, contacts, pairs)
                laws = {}
                for pair, law in plain.laws.items():
                    v = p.face_mean(x, pair, 0, {"c": 1.0}) - p.face_mean(x, pair, 1, {"c": 1.0})
                    factor = 1 + (v / self.v_h) ** 2
                    laws[pair] = replace(
                        law,
                        mechanisms=tuple(replace(m, coefficient=factor * m.coefficient) for m in law.mechanisms),
                    )
                return replace(plain, laws=laws)

        y = fs.TransportProblem(valve(mesh_size=1e-9), Frozen(), contacts=contacts).solve(voltage=0.3)
        assert x.current == pytest.approx(y.current, rel=1e-9)
        assert x.channel_currents["f|g"] == pytest.approx(y.channel_currents["f|g"], rel=1e-8)
        assert x.dissipation.parts == pytest.approx(y.dissipation.parts, rel=1e-7)

    def test_states_keep_their_forms(self):
        p = fs.TransportProblem(valve(mesh_size=2e-9), Barrier())
        first = p.solve(voltage=0.3).current
        forms = dict(p._state_forms)
        p.magnetize({"f": (0, 0, -1), "g": (0, 0, -1)})
        # All spins are turned: the axis turns with them.
        assert p.solve(voltage=0.3).current == pytest.approx(first, rel=1e-12)
        assert p._state_forms == forms

    def test_small_drives_are_the_linear_ones(self):
        """Alternating drives and transients are those of the linear parts about rest."""
        domain = valve(mesh_size=1e-9)
        one, other = (fs.TransportProblem(domain, Barrier(nonlinear=n)) for n in (True, False))
        small = [p.solve(voltage=1e-7).current for p in (one, other)]
        assert small[0] == pytest.approx(small[1], rel=1e-9)
        large = [p.solve(voltage=0.3).current for p in (one, other)]
        assert large[0] > 1.5 * large[1]


def test_heat_at_rest_has_the_linear_model_as_its_derivative():
    """The Jacobian at one temperature and no voltage is the matrix of the linear model, entry by entry."""
    layers, faces, ends = thermal.STACKS["they follow T"]
    stack = fs.Stack(*layers, interfaces=faces, library={})
    domain = fs.line(COMM, stack, mesh_size=4e-9)
    contacts = dict(zip(("bottom", "top"), ends, strict=True))
    p = fs.TransportProblem(domain, fs.Thermoelectric(thermal.T0, nonlinear=True), contacts=contacts)
    system = p.system
    state = StateSystem(system)
    jacobian = state.jacobian(system.functions()).convert("dense").getDenseArray()
    free = dict(enumerate(system.pinned))
    linear = system.matrix(free=free).convert("dense").getDenseArray()
    scale = np.sqrt(np.abs(np.outer(np.diag(linear), np.diag(linear)))) + np.abs(linear).max() * 1e-300
    assert (np.abs(jacobian - linear) / np.maximum(scale, 1e-12 * np.abs(linear).max())).max() < 1e-9
    # Nothing of the linear parts is left beside the laws.
    rest = Coefficients.of(system.declaration, domain, without_replaced=True)
    assert not rest.conduction.any()
    assert not rest.reaction.any()


@pytest.mark.slow
def test_orders_against_collocation():
    """Voltage, current and heats of nonlinear thermoelectrics: order 2p against the reference, to its own accuracy."""
    found = {}
    for degree in (1, 2):
        for refine in (0.25, 0.5):
            layers, faces, ends = thermal.STACKS["they follow T"]
            stack = fs.Stack(*layers, interfaces=faces, library={})
            contacts = dict(zip(("bottom", "top"), ends, strict=True))
            p = fs.TransportProblem(
                fs.line(COMM, stack, refine=refine), fs.Thermoelectric(thermal.T0, nonlinear=True),
                contacts=contacts, degree=degree,
            )  # fmt: skip
            x = p.solve(terminals=thermal.DRIVES["voltage and heat"])
            found[degree, refine] = np.array([x.current, x.heats["top"], x.fields["h"].x.array.max() / SCALE])
    exact = thermal.solve("they follow T", "voltage and heat", mesh_size=5e-9)[2]
    for degree in (1, 2):
        errors = [abs(found[degree, r][0] / exact.currents[0] - 1) for r in (0.25, 0.5)]
        heat = [abs(found[degree, r][1] / exact.heat[1] - 1) for r in (0.25, 0.5)]
        assert np.log2(errors[0] / errors[1]) == pytest.approx(2 * degree, abs=0.6)
        assert np.log2(heat[0] / heat[1]) == pytest.approx(2 * degree, abs=0.6)


def mixing(at, p):
    return p["G"] * (1 + (at[0, "s"] / p["V"]) ** 2)


class TestRefused:
    def test_laws_that_replace_nothing(self):
        law = StateLaw("barier", JUMP, conductance, {"G0": G0, "V_h": V_H})
        base = barrier()
        with pytest.raises(ModelError, match=r"'barier' at 'a\|b' replaces no mechanism; did you mean 'barrier'"):
            replace(base, laws={("a", "b"): replace(base.laws["a", "b"], state=(law,))})

    def test_laws_that_let_charge_leak(self):
        one_sided = StateLaw("barrier", {(0, "c"): 1.0}, conductance, {"G0": G0, "V_h": V_H})
        base = barrier()
        with pytest.raises(ModelError, match="'barrier' between 'a' and 'b' does not depend on the jump of 'c' alone"):
            replace(base, laws={("a", "b"): replace(base.laws["a", "b"], state=(one_sided,))})

    def test_parameters_that_are_no_numbers(self):
        with pytest.raises(ModelError, match="they must be finite"):
            StateLaw("barrier", JUMP, conductance, {"G0": float("nan")})

    def test_solutions_that_the_declaration_does_not_allow(self):
        def limit(region, values):
            worst = float(values["c"].max())
            return f"the potential of '{region}' is {worst:.1f} V" if worst > 1.0 else None

        drive = {"bottom": Terminal(voltage=1.5), "top": Terminal(voltage=0.0)}
        with pytest.raises(SolverError, match=r"transport: the potential of 'a' is 1.5 V"):
            solve(DOMAINS["line"](), barrier(admissible=limit), drive)

    def test_a_field_along_a_law(self):
        law = StateLaw("charge", {"c": 1.0}, heating, {"sigma": 3e6, "V": 0.2}, gradients=True)
        medium = Medium((Mechanism("charge", 3e6, {"c": 1.0}),), state=(law,))
        with pytest.raises(ModelError, match="region 'a' has state laws; forces can be given to linear regions only"):
            Declaration(("c",), {"a": medium}, {}, CONTACTS, applied={"c": (1.0, 0, 0)})

    def test_laws_that_would_turn_a_magnet(self):
        """Torque is known of linear mechanisms only, at faces and inside."""
        give = Mechanism("mixing", 3.1e14, {(0, "s"): 1.0}, destination="magnet")
        law = StateLaw("mixing", give.weights, mixing, {"G": 3.1e14, "V": 0.1})
        media = {x.name: Medium(tuple(Mechanism(f, 4e6, {f: 1.0}) for f in "cs")) for x in STACK}
        with pytest.raises(ModelError, match=r"'mixing' at 'a\|b' replaces a mechanism that gives to a magnet"):
            Declaration(("c", "s"), media, {("a", "b"): InterfaceLaw((give,), state=(law,))}, CONTACTS)
        take = Mechanism("dephasing", 2e22, {"s": 1.0}, destination="magnet")
        media["b"] = replace(
            media["b"],
            reactions=(take,),
            state=(StateLaw("dephasing", take.weights, heating, {"sigma": 2e22, "V": 1.0}),),
        )
        with pytest.raises(ModelError, match="'dephasing' in 'b' replaces a mechanism that gives to a magnet"):
            Declaration(("c", "s"), media, {}, CONTACTS)

    def test_laws_that_gain_power(self):
        law = StateLaw("barrier", JUMP, conductance, {"G0": -0.6 * G0, "V_h": V_H})
        base = barrier()
        declaration = replace(base, laws={("a", "b"): replace(base.laws["a", "b"], state=(law,))})
        drive = {"bottom": Terminal(voltage=2e-3), "top": Terminal(voltage=0.0)}
        with pytest.raises(ModelError, match="the coefficient of the state law 'barrier' is negative at the solution"):
            solve(DOMAINS["line"](), declaration, drive)

    def test_conduction_that_gains_power_in_a_part(self):
        """All in all the layers dissipate; the last of them does not."""

        def law(sigma):
            return StateLaw("charge", {"c": 1.0}, heating, {"sigma": sigma, "V": 0.2}, gradients=True)

        media = {
            x.name: Medium((Mechanism("charge", 3e6, {"c": 1.0}),), state=(law(sigma),))
            for x, sigma in zip(STACK, (2e5, -9e6), strict=True)
        }
        drive = {"bottom": Terminal(current=2e9), "top": Terminal(voltage=0.0)}
        with pytest.raises(ModelError, match="the coefficient of the state law 'charge' is negative"):
            solve(DOMAINS["line"](), Declaration(("c",), media, {}, CONTACTS), drive)

    def test_one_law_for_two_mechanisms(self):
        """Without the second, the other mechanism of the name would be gone."""
        law = StateLaw("barrier", JUMP, conductance, {"G0": G0, "V_h": V_H})
        face = InterfaceLaw((Mechanism("barrier", G0, JUMP), Mechanism("barrier", 0.3 * G0, JUMP)), state=(law,))
        with pytest.raises(ModelError, match=r"'barrier' at 'a\|b': 1 state laws .* replace 2 mechanisms"):
            replace(barrier(), laws={("a", "b"): face})
        replace(barrier(), laws={("a", "b"): replace(face, state=(law, law))})

    @pytest.mark.parametrize("gradients", [True, False])
    def test_laws_of_another_kind(self, gradients):
        law = StateLaw("flip", {"s": 1.0}, heating, {"sigma": 2e20, "V": 0.4}, gradients=gradients)
        charge = Mechanism("c", 4e6, {"c": 1.0})
        flip, spin = Mechanism("flip", 2e20, {"s": 1.0}), Mechanism("s", 3e6, {"s": 1.0})
        wrong = (
            Medium((charge, spin), (flip,), state=(law,))
            if gradients
            else Medium((charge, replace(spin, name="flip")), state=(law,))
        )
        with pytest.raises(ModelError, match=f"'flip' in 'a': {+gradients} state laws with gradients=True replace"):
            Declaration(("c", "s"), {"a": wrong}, {}, CONTACTS)

    def test_gradients_at_faces_and_ends(self):
        law = StateLaw("barrier", JUMP, conductance, {"G0": G0, "V_h": V_H}, gradients=True)
        base = barrier()
        with pytest.raises(ModelError, match=r"'barrier' at 'a\|b' has gradients; forces are values there"):
            replace(base, laws={("a", "b"): replace(base.laws["a", "b"], state=(law,))})
        lead = StateLaw("lead", {"s": 1.0}, heating, {"sigma": 1e14, "V": 0.4}, gradients=True)
        end = ContactLaw({"c": 1.0}, mechanisms=(Mechanism("lead", 1e14, {"s": 1.0}),), state=(lead,))
        media = {x.name: Medium(tuple(Mechanism(f, 4e6, {f: 1.0}) for f in "cs")) for x in STACK}
        with pytest.raises(ModelError, match="'lead' at contact 'top' has gradients"):
            Declaration(("c", "s"), media, {}, {**CONTACTS, "top": end})

    def test_a_law_at_a_magnet_that_varies(self):
        """The mechanism that it replaces would count beside it."""
        base = barrier()
        magnet = Varying(
            lambda x: np.stack([x[0], x[0], 0 * x[0] + 1]),
            lambda u: base.media["b"],
            {("a", "b"): lambda u: base.laws["a", "b"]},
        )
        with pytest.raises(ModelError, match=r"'a\|b' has state laws, and follows a magnetization that varies"):
            replace(base, varying={"b": magnet})

    def test_functions_that_fail(self):
        """An error of any kind, which the other ranks hear of."""

        def broken(region, values):
            return 1 / 0 if region == "b" else None

        drive = {"bottom": Terminal(voltage=0.2), "top": Terminal(voltage=0.0)}
        with pytest.raises(SolverError, match="transport: ZeroDivisionError: division by zero"):
            solve(DOMAINS["line"](), barrier(admissible=broken), drive)


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    return numbers(1, "state_laws.py", tmp_path_factory.mktemp("serial"))


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [2, 3])
def test_rank_counts_agree(ranks, serial, tmp_path):
    require_equal(numbers(ranks, "state_laws.py", tmp_path), serial)
