"""Proof of the exact multilayer solver: closed forms, identities and independent brute-force solutions."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
from scipy.integrate import solve_bvp

from references.multilayer import Contact, Interface, Layer, Solution, solve

RHO_F, BETA, L_F = 3.1e-7, 0.43, 7e-9
RHO_N, L_N = 2.3e-8, 410e-9
R_F, R_N = RHO_F / (1 - BETA**2) * L_F, RHO_N * L_N
CONTACTS: tuple[Contact, ...] = ("reservoir", "lead", "blocked")
PAIRS = list(itertools.product(CONTACTS, CONTACTS))

# Unequal coefficients, a negative beta, beta and gamma of opposite signs, a reversed magnet.
UNEQUAL = (
    Layer(12e-9, 1.6e-7, 0.46, 30e-9),
    Layer(8e-9, 2.9e-8, 0.0, 45e-9),
    Layer(9e-9, 3.3e-7, -0.31, 6e-9, -1),
    Layer(5e-9, 2.1e-7, 0.72, 11e-9),
)
UNEQUAL_FACES = (Interface(0.9e-15, -0.55), Interface(0.3e-15, 0.7, -1), None)


def close(value: object, rel: float = 0.0, abs: float = 0.0) -> object:
    """Return `pytest.approx` without its default absolute tolerance, 1e-12: larger than any value here."""
    return pytest.approx(value, rel=rel, abs=abs)


def superlattice(count: int = 25) -> tuple[tuple[Layer, ...], tuple[Interface | None, ...]]:
    """Return an asymmetric stack with thicknesses 0.3 nm to 5 um and diffusion lengths 1 nm to 1 um."""
    random = np.random.default_rng(20110316)
    thickness = np.exp(random.permutation(np.linspace(np.log(0.3e-9), np.log(5e-6), count)))
    length = np.exp(random.permutation(np.linspace(np.log(1e-9), np.log(1e-6), count)))
    layers, interfaces = [], []
    for k in range(count):
        beta = random.uniform(-0.9, 0.9) if k % 2 == 0 else 0.0
        rho, sign = 10.0 ** random.uniform(-8.0, -6.0), int(random.choice([-1, 1]))
        layers.append(Layer(float(thickness[k]), rho, beta, float(length[k]), sign))
        star, gamma = 10.0 ** random.uniform(-17.0, -14.0), random.uniform(-0.9, 0.9)
        interfaces.append(None if k % 5 == 4 else Interface(star, gamma, sign))
    return tuple(layers), tuple(interfaces[:-1])


def sample(solution: Solution, count: int = 21) -> list[np.ndarray]:
    """Return points in each layer, both faces included."""
    return [np.linspace(solution.faces[k], solution.faces[k + 1], count) for k in range(len(solution.layers))]


def test_ferromagnetic_wall() -> None:
    """Two opposite half-spaces: 2 beta^2 rho* l above the Ohmic resistance, wherever the leads are cut."""
    for thickness in (0.3e-9, L_F, 5e-6):
        wall = solve([Layer(thickness, RHO_F, BETA, L_F, s) for s in (1, -1)], [None], "lead", "lead", 1e11)
        assert wall.resistance_area - 2 * RHO_F * thickness == close(
            2 * BETA**2 * R_F, rel=1e-12, abs=4e-16 * wall.resistance_area
        )
        assert wall.r_nonequilibrium == close(2 * BETA**2 * R_F, rel=1e-13)
        assert wall.accumulation_at_interfaces[0] == close((2 * BETA * R_F * 1e11,) * 2, rel=1e-13)


@pytest.mark.parametrize("gamma", [0.77, -0.6])
@pytest.mark.parametrize("r_b", [0.0, 5e-16])
@pytest.mark.parametrize("spacer", [1e-9, 200e-9, 2e-6])
def test_spin_valve(spacer: float, r_b: float, gamma: float) -> None:
    """Magnetoresistance of F/N/F with semi-infinite magnets."""
    fixed, normal = Layer(5e-9, RHO_F, BETA, L_F), Layer(spacer, RHO_N, 0.0, L_N)
    ap, p = (
        solve(
            [fixed, normal, dataclasses.replace(fixed, sign=sign)],
            [Interface(r_b, gamma), Interface(r_b, gamma, sign)],
            "lead",
            "lead",
        )
        for sign in (-1, 1)
    )
    x, r = spacer / L_N, r_b + R_F
    exact = 2 * (BETA * R_F + gamma * r_b) ** 2
    exact /= r * math.cosh(x) + 0.5 * R_N * (1 + (r / R_N) ** 2) * math.sinh(x)
    assert ap.resistance_area - p.resistance_area == close(exact, rel=1e-10)
    assert ap.r_nonequilibrium - p.r_nonequilibrium == close(exact, rel=1e-12)


def test_buried_ferromagnet() -> None:
    """N/F(d)/N: 2 beta^2 / [coth(d / 2 l_F) / r_F + 1 / r_N] with normal leads."""
    for d in (0.3e-9, 5e-9, 80e-9, 5e-6):
        normal = Layer(3e-9, RHO_N, 0.0, L_N)
        stack = solve([normal, Layer(d, RHO_F, BETA, L_F, -1), normal], [None, None], "lead", "lead", -2e9)
        exact = 2 * BETA**2 / (1 / math.tanh(d / (2 * L_F)) / R_F + 1 / R_N)
        assert stack.r_nonequilibrium == close(exact, rel=1e-13)
        assert stack.r_nonequilibrium_power == close(exact, rel=1e-13)


@pytest.mark.parametrize("J", [1.0, -3e11])
@pytest.mark.parametrize(("left", "right"), PAIRS)
@pytest.mark.parametrize("stack", [(UNEQUAL, UNEQUAL_FACES), (UNEQUAL[:1], ()), superlattice()])
def test_identities(stack: tuple, left: Contact, right: Contact, J: float) -> None:
    """P = V J, three equal expressions of the non-equilibrium resistance, sum of drops, linearity in J."""
    s, unit = (solve(*stack, left, right, current) for current in (J, 1.0))
    assert sum(s.power.values()) == close(s.voltage * J, rel=1e-12)
    assert min(s.power.values()) >= 0.0
    assert s.r_nonequilibrium == close(s.r_nonequilibrium_power, rel=1e-12)
    excess = s.resistance_area - s.ohmic_resistance_area
    assert excess == close(s.r_nonequilibrium, rel=1e-12, abs=1e-14 * s.resistance_area)
    assert sum(s.layer_drops + s.interface_drops + s.contact_drops) == close(s.voltage, rel=1e-13)
    assert s.resistance_area == close(unit.resistance_area, rel=1e-14)


@pytest.mark.parametrize(("left", "right"), PAIRS)
@pytest.mark.parametrize("stack", [(UNEQUAL, UNEQUAL_FACES), superlattice()])
def test_fields_satisfy_the_interface_and_contact_laws(stack: tuple, left: Contact, right: Contact) -> None:
    """Channel by channel: J_i = G_i (phi_i^- - phi_i^+), continuity, and the definition of each contact."""
    layers, interfaces = stack
    s = solve(layers, interfaces, left, right, 1e10)
    for x, k in zip(sample(s), range(len(layers)), strict=True):
        assert s.J_up(x, k) + s.J_dn(x, k) == close(1e10, rel=1e-14)
    for k, joint in enumerate(interfaces):
        x = s.faces[k + 1]
        left_D, right_D = s.accumulation_at_interfaces[k]
        assert s.accumulation(x, k) == close(left_D, rel=1e-15, abs=1e-18 * s.voltage)
        assert s.accumulation(x) == close(right_D, rel=1e-15, abs=1e-18 * s.voltage)
        for phi, current, side in ((s.phi_up, s.J_up, 1), (s.phi_dn, s.J_dn, -1)):
            resistance = 0.0 if joint is None else 2 * joint.area_resistance_star
            resistance *= 1 if joint is None else 1 - side * joint.sign * joint.gamma
            assert current(x, k) == close(current(x, k + 1), rel=1e-12, abs=1e-3)
            drop = float(phi(x, k) - phi(x, k + 1))
            assert drop == close(resistance * float(current(x, k)), rel=1e-10, abs=1e-14 * s.voltage)
    for kind, x, k, normal, V in ((left, 0.0, 0, -1, s.voltage), (right, s.faces[-1], -1, 1, 0.0)):
        up, down, layer = float(s.phi_up(x, k)), float(s.phi_dn(x, k)), layers[k]
        beta, spin = layer.sign * layer.beta, float(s.J_up(x, k) - s.J_dn(x, k))
        tiny = 1e-14 * s.voltage
        if kind == "reservoir":
            assert (up, down) == close((V, V), abs=tiny)
        elif kind == "blocked":
            assert (spin, (up + down) / 2) == (close(0.0, abs=1e-4), close(V, abs=tiny))
        else:
            robin = (up - down) * (1 - beta**2) / (2 * layer.rho * layer.spin_diffusion_length)
            assert (up + down) / 2 + beta * (up - down) / 2 == close(V, abs=tiny)
            assert (spin - beta * 1e10) * normal == close(robin, rel=1e-9, abs=1e-3)


def collocation(
    layers: tuple[Layer, ...], interfaces: tuple, left: Contact, right: Contact, unit: float
) -> tuple[float, np.ndarray, np.ndarray]:
    """Solve the channel equations for J = 1 on [0, 1] x layers; potentials are counted in `unit`.

    Returns the voltage, the mesh and (phi_up, phi_dn, J_up, J_dn) of shape (layers, 4, mesh).
    """
    n = len(layers)
    t = np.array([[layer.thickness] for layer in layers])
    up, down = (np.array([[unit * (1 + i * a.sign * a.beta) / (2 * a.rho)] for a in layers]) for i in (1, -1))
    flip = 1 / (np.array([[layer.spin_diffusion_length] for layer in layers]) ** 2 * (1 / up + 1 / down))

    def slopes(_: np.ndarray, y: np.ndarray) -> np.ndarray:
        f = y.reshape(n, 4, -1)
        rate = flip * (f[:, 0] - f[:, 1])
        columns = [-f[:, 2] / up, -f[:, 3] / down, -rate, rate]
        return np.stack([t * column for column in columns], axis=1).reshape(4 * n, -1)

    def contact(kind: Contact, f: np.ndarray, normal: int, layer: Layer) -> tuple[float, float]:
        """Return a residual and the potential V of the contact."""
        D, mean, beta = f[0] - f[1], 0.5 * (f[0] + f[1]), layer.sign * layer.beta
        if kind == "reservoir":
            return D, f[0]
        if kind == "blocked":
            return f[2] - f[3], mean
        robin = unit * D * (1 - beta**2) / (2 * layer.rho * layer.spin_diffusion_length)
        return normal * (f[2] - f[3] - beta * (f[2] + f[3])) - robin, mean + 0.5 * beta * D

    def conditions(ya: np.ndarray, yb: np.ndarray) -> np.ndarray:
        a, b = ya.reshape(n, 4), yb.reshape(n, 4)
        residual = [contact(left, a[0], -1, layers[0])[0], *contact(right, b[-1], 1, layers[-1])]
        residual.append(a[0, 2] + a[0, 3] - 1.0)
        for k, joint in enumerate(interfaces):
            residual += [b[k, 2] - a[k + 1, 2], b[k, 3] - a[k + 1, 3]]
            for i, side in enumerate((1, -1)):
                resistance = 0.0
                if joint is not None:
                    resistance = 2 * joint.area_resistance_star * (1 - side * joint.sign * joint.gamma) / unit
                residual.append(b[k, i] - a[k + 1, i] - resistance * b[k, 2 + i])
        return np.array(residual)

    mesh = np.linspace(0.0, 1.0, 41)
    result = solve_bvp(slopes, conditions, mesh, np.ones((4 * n, mesh.size)), tol=1e-9, bc_tol=1e-9)
    assert result.success, result.message
    fields = result.y.reshape(n, 4, -1)
    return unit * contact(left, fields[0, :, 0], -1, layers[0])[1], result.x, fields


@pytest.mark.parametrize(("left", "right"), [("reservoir", "lead"), ("lead", "blocked")])
def test_against_collocation(left: Contact, right: Contact) -> None:
    """The four first-order channel equations, solved by scipy's boundary-value solver."""
    s, unit = solve(UNEQUAL, UNEQUAL_FACES, left, right, 1.0), 1e-15
    voltage, x, fields = collocation(UNEQUAL, UNEQUAL_FACES, left, right, unit)
    assert s.voltage == close(voltage, rel=1e-9)
    for k in range(len(UNEQUAL)):
        points = s.faces[k] + x * (s.faces[k + 1] - s.faces[k])
        assert unit * fields[k, 0] == close(s.phi_up(points, k), rel=0, abs=1e-9 * voltage)
        assert unit * fields[k, 1] == close(s.phi_dn(points, k), rel=0, abs=1e-9 * voltage)
        assert fields[k, 2] == close(s.J_up(points, k), rel=0, abs=1e-9)
        assert fields[k, 3] == close(s.J_dn(points, k), rel=0, abs=1e-9)


@pytest.mark.parametrize("side", ["left", "right", "both"])
def test_lead_is_a_long_layer(side: str) -> None:
    """A lead equals sixty more diffusion lengths of the outer layer, minus their Ohmic resistance."""
    kinds = {"left": ("lead", "blocked"), "right": ("reservoir", "lead"), "both": ("lead", "lead")}[side]
    s = solve(UNEQUAL, UNEQUAL_FACES, *kinds)
    layers, ends, added = list(UNEQUAL), list(kinds), 0.0
    for index in range(2):
        if ends[index] == "lead":
            old = layers[-index]
            more = 60 * old.spin_diffusion_length
            layers[-index] = dataclasses.replace(old, thickness=old.thickness + more)
            ends[index], added = "reservoir", added + old.rho * more
    long = solve(layers, UNEQUAL_FACES, *ends)
    assert long.resistance_area - added == close(s.resistance_area, rel=1e-12)
    assert long.r_nonequilibrium == close(s.r_nonequilibrium, rel=1e-13)
    for pair, same in zip(long.accumulation_at_interfaces, s.accumulation_at_interfaces, strict=True):
        assert pair == close(same, rel=1e-12)


@pytest.mark.parametrize(("left", "right"), PAIRS)
def test_reversal(left: Contact, right: Contact) -> None:
    """The mirrored 25-layer stack: the same resistance, phi -> V - phi, D -> -D, the same currents."""
    layers, interfaces = superlattice()
    s = solve(layers, interfaces, left, right, 1e10)
    m = solve(layers[::-1], interfaces[::-1], right, left, 1e10)
    assert m.resistance_area == close(s.resistance_area, rel=1e-14)
    assert m.r_nonequilibrium == close(s.r_nonequilibrium, rel=1e-12)
    for k, x in enumerate(sample(s)):
        mirror = np.clip(s.faces[-1] - x, m.faces[-2 - k], m.faces[-1 - k])
        assert m.phi_up(mirror, -1 - k) == close(s.voltage - s.phi_up(x, k), abs=1e-13 * s.voltage)
        assert m.phi_dn(mirror, -1 - k) == close(s.voltage - s.phi_dn(x, k), abs=1e-13 * s.voltage)
        assert m.J_up(mirror, -1 - k) == close(s.J_up(x, k), abs=1e-2)
    for (a, b), (c, d) in zip(s.accumulation_at_interfaces, m.accumulation_at_interfaces[::-1], strict=True):
        assert (-d, -c) == close((a, b), rel=1e-9, abs=1e-14 * s.voltage)


def high_precision(layers: tuple[Layer, ...], interfaces: tuple, left: Contact, right: Contact) -> tuple:
    """Return V for J = 1 and (D_left, D_right) of each layer with 60 digits, from channel amplitudes.

    phi_up,dn = a + c x +- (p exp(-x / l) + m exp(-(t - x) / l)) / sigma_up,dn, four unknowns per layer,
    in one linear system eliminated with row pivoting.
    """
    mpmath = pytest.importorskip("mpmath")
    mp = mpmath.mp.clone()
    mp.dps = 60
    n, one = len(layers), mp.mpf(1)
    numbers_of_layers = [(a.thickness, a.rho, a.sign * a.beta, a.spin_diffusion_length) for a in layers]
    values = [[mp.mpf(v) for v in numbers] for numbers in numbers_of_layers]

    def rows(k: int, end: bool) -> list[dict]:
        """phi_up, phi_dn, J_up, J_dn of layer k at its left or right face as rows over the unknowns."""
        t, rho, b, length = values[k]
        p, m = (mp.exp(-t / length), one) if end else (one, mp.exp(-t / length))
        face_rows = []
        for side in (1, -1):
            sigma = (1 + side * b) / (2 * rho)
            amplitudes = {4 * k + 2: side * p / sigma, 4 * k + 3: side * m / sigma}
            face_rows.append({4 * k: one, 4 * k + 1: t * end, **amplitudes})
        for side in (1, -1):
            sigma = (1 + side * b) / (2 * rho)
            face_rows.append({4 * k + 1: -sigma, 4 * k + 2: side * p / length, 4 * k + 3: -side * m / length})
        return face_rows

    def add(*terms: tuple) -> dict:
        total: dict = {}
        for factor, row in terms:
            for column, value in row.items():
                total[column] = total.get(column, 0) + factor * value
        return total

    def contact(kind: Contact, k: int, normal: int) -> list[dict]:
        up, down, J_up, J_dn = rows(k, normal > 0)
        _, rho, b, length = values[k]
        if kind == "reservoir":
            return [add((1, up), (-1, down)), up]
        if kind == "blocked":
            return [add((1, J_up), (-1, J_dn)), add((one / 2, up), (one / 2, down))]
        Y = (1 - b**2) / (2 * rho * length)
        robin = add((normal * (1 - b), J_up), (-normal * (1 + b), J_dn), (-Y, up), (Y, down))
        return [robin, add(((1 + b) / 2, up), ((1 - b) / 2, down))]

    left_rows = contact(left, 0, -1)
    system = [(left_rows[0], 0), (add((1, rows(0, False)[2]), (1, rows(0, False)[3])), 1)]
    for k, joint in enumerate(interfaces):
        star, gamma = (
            (0, 0) if joint is None else (mp.mpf(joint.area_resistance_star), joint.sign * mp.mpf(joint.gamma))
        )
        a, b = rows(k, True), rows(k + 1, False)
        system += [(add((1, a[0]), (-1, b[0]), (-2 * star * (1 - gamma), a[2])), 0)]
        system += [(add((1, a[1]), (-1, b[1]), (-2 * star * (1 + gamma), a[3])), 0)]
        system += [(add((1, a[2]), (-1, b[2])), 0), (add((1, a[3]), (-1, b[3])), 0)]
    system += [(row, 0) for row in contact(right, n - 1, 1)]
    matrix = [{**row, 4 * n: value} for row, value in system]
    for column in range(4 * n):
        candidates = [i for i in range(column, 4 * n) if matrix[i].get(column)]
        best = max(candidates, key=lambda i: abs(matrix[i][column]) / max(abs(v) for v in matrix[i].values()))
        matrix[column], matrix[best] = matrix[best], matrix[column]
        for i in range(column + 1, 4 * n):
            if matrix[i].get(column):
                matrix[i] = add((1, matrix[i]), (-matrix[i][column] / matrix[column][column], matrix[column]))
                matrix[i].pop(column)
    unknown = [mp.mpf(0)] * (4 * n)
    for i in reversed(range(4 * n)):
        known = sum((v * unknown[c] for c, v in matrix[i].items() if i < c < 4 * n), mp.mpf(0))
        unknown[i] = (matrix[i].get(4 * n, 0) - known) / matrix[i][i]

    def value(row: dict) -> object:
        return sum((v * unknown[c] for c, v in row.items()), mp.mpf(0))

    pairs = [[value(add((1, r[0]), (-1, r[1]))) for r in (rows(k, False), rows(k, True))] for k in range(n)]
    return value(left_rows[1]), pairs


@pytest.mark.parametrize(("left", "right"), [("lead", "lead"), ("reservoir", "blocked")])
def test_against_sixty_digits(left: Contact, right: Contact) -> None:
    """25 layers from 0.3 nm to 5 um: resistance and accumulation to rounding, however small it is."""
    layers, interfaces = superlattice()
    voltage, pairs = high_precision(layers, interfaces, left, right)
    s = solve(layers, interfaces, left, right, 1.0)
    assert abs(float(s.resistance_area / voltage - 1)) < 1e-14
    largest = max(abs(float(v)) for pair in pairs for v in pair)
    for k, (a, b) in enumerate(s.accumulation_at_interfaces):
        for mine, exact in ((a, pairs[k][1]), (b, pairs[k + 1][0])):
            assert mine == close(float(exact), rel=1e-11, abs=1e-16 * largest)


def test_invalid_input() -> None:
    """Unphysical parameters and inconsistent stacks are refused."""
    good = Layer(1e-9, 1e-7, 0.5, 1e-8)
    wrong = {"thickness": 0.0, "rho": -1.0, "beta": 1.0, "spin_diffusion_length": 0.0, "sign": 0}
    for name, value in wrong.items():
        with pytest.raises(ValueError, match="invalid layer"):
            dataclasses.replace(good, **{name: value})
    for arguments in ((-1e-15, 0.0, 1), (1e-15, 1.0, 1), (1e-15, 0.0, 2)):
        with pytest.raises(ValueError, match="invalid interface"):
            Interface(*arguments)
    for stack in (([], []), ([good], [None]), ([good, good], [])):
        with pytest.raises(ValueError, match="need layers"):
            solve(*stack, "lead", "lead")
    with pytest.raises(ValueError, match="need layers"):
        solve([good], [], "lead", "lead", 0.0)
    with pytest.raises(ValueError, match="outside"):
        solve([good], [], "lead", "lead").phi_up([2e-9])
