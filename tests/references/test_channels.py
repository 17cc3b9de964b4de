"""Proof of the exact solver for channels and vectors: closed forms, limits, identities."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest

from references import multilayer
from references.channel_models import (
    CHANNELS,
    HBAR,
    MU_B,
    SHIFT,
    VECTOR,
    E,
    channel_face,
    channel_layer,
    d_accumulation,
    f_parallel,
    lengths,
    magnet,
    nonequilibrium_resistance_area,
    normal,
    resistive_face,
    torque,
    two_channels,
    vector_face,
)
from references.channels import Contact, Joint, Layer, Solution, solve

KINDS = ("reservoir", "lead", "blocked")
UNEQUAL = ((12e-9, 1.6e-7, 0.46, 30e-9, 1), (8e-9, 2.9e-8, 0.0, 45e-9, 1), (9e-9, 3.3e-7, -0.31, 6e-9, -1))
FACES = ((0.9e-15, -0.55, 1), (0.3e-15, 0.7, -1))
MAGNET = {"s_up": 4.1e6, "s_dn": 2.3e6, "d_dn": 0.9e6}
REACTIONS = {("s_up", "s_dn"): 3.1e21, ("s_dn", "d_dn"): 4.7e22}
FOUR = MAGNET | {"d_up": 0.4e6}
FOUR_REACTIONS = REACTIONS | {("s_up", "d_up"): 2e22, ("s_dn", "d_up"): 3e21, ("d_dn", "d_up"): 1e21}
J = 1e10


def close(value: object, rel: float = 0.0, abs: float = 0.0) -> object:
    """Return `pytest.approx` without its default absolute tolerance."""
    return pytest.approx(value, rel=rel, abs=abs)


def balanced(s: Solution, rel: float = 1e-12) -> None:
    """Supplied power equals dissipated power; the same current enters and leaves."""
    supplied = s.voltages[0] * s.currents[0] + s.voltages[1] * s.currents[1]
    assert sum(s.power.values()) == close(supplied, rel=rel)
    assert s.currents[0] == close(-s.currents[1], rel=1e-12)
    assert min(s.power.values()) >= -1e-15 * supplied


def channels(layers: list[Layer], faces: list[Joint], left: str = "lead", right: str = "lead", **more) -> Solution:
    drive = {"current_density": J} if "voltage" not in more else {}
    return solve(layers, faces, Contact(left), Contact(right), CHANNELS, **drive, **more)


def vectors(layers: list[Layer], faces: list[Joint], left: str = "lead", right: str = "lead", **more) -> Solution:
    drive = {"current_density": J} if "voltage" not in more else {}
    return solve(layers, faces, Contact(left), Contact(right), VECTOR, **drive, **more)


def rotation(seed: int = 3) -> np.ndarray:
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return q * np.sign(np.linalg.det(q))


@pytest.mark.parametrize(("left", "right"), list(itertools.product(KINDS, KINDS)))
def test_two_channels_are_the_multilayer(left: str, right: str) -> None:
    """The independent ladder solution, in double precision and with 40 digits; the vector model along any axis."""
    known = multilayer.solve(
        [multilayer.Layer(*a) for a in UNEQUAL], [multilayer.Interface(*a) for a in FACES], left, right, J
    )
    axis = rotation()[0]
    along, faces = [], []
    for t, rho, beta, length, sign in UNEQUAL:
        along.append(magnet(t, 1 / rho, beta, length, sign * axis) if beta else normal(t, 1 / rho, length))
    for side, (star, gamma, sign) in enumerate(FACES):
        g = [1 / (2 * star * (1 - a)) for a in (gamma, -gamma)]
        faces.append(vector_face(sign * axis, g, 3e15 + 1e14j, normal_side=1 - side))
    plain = [two_channels(*a) for a in UNEQUAL], [resistive_face(*a) for a in FACES]
    for digits in (None, 40):
        s = channels(*plain, left, right, digits=digits)
        v = vectors(along, faces, left, right, digits=digits)
        for one in (s, v):
            assert one.resistance_area == close(known.resistance_area, rel=1e-14)
            assert nonequilibrium_resistance_area(one) == close(known.r_nonequilibrium, rel=1e-12)
            assert one.power["leads"] == close(known.power["leads"], rel=1e-12)
            balanced(one)
        for k in range(3):
            x = np.linspace(known.faces[k], known.faces[k + 1], 9)
            w, u = s.w(x, k), v.w(x, k)
            spin = u[:, 1:] @ axis
            assert w[:, 0] == close(known.phi_up(x, k), abs=1e-14 * known.voltage)
            assert w[:, 1] == close(known.phi_dn(x, k), abs=1e-14 * known.voltage)
            assert u[:, 0] + spin == close(w[:, 0], abs=1e-14 * known.voltage)
            assert u[:, 0] - spin == close(w[:, 1], abs=1e-14 * known.voltage)
            assert s.J(x, k)[:, 0] == close(known.J_up(x, k), rel=1e-12)
        assert np.abs(torque(v, 0)).max() < 1e-13 * SHIFT * J


def test_closed_forms_of_two_channels() -> None:
    """The F/F wall and N/F/N with leads."""
    rho, beta, l_F, rho_N, l_N = 3.1e-7, 0.43, 7e-9, 2.3e-8, 410e-9
    star = rho / (1 - beta**2)
    wall = channels([two_channels(20e-9, rho, beta, l_F, s) for s in (1, -1)], [channel_face()])
    assert nonequilibrium_resistance_area(wall) == close(2 * beta**2 * star * l_F, rel=1e-12)
    for d in (0.2e-9, 9e-9, 3e-7):
        N = two_channels(5e-9, rho_N, 0.0, l_N)
        s = channels([N, two_channels(d, rho, beta, l_F), N], [channel_face()] * 2)
        expected = 2 * beta**2 / (1 / math.tanh(d / (2 * l_F)) / (star * l_F) + 1 / (rho_N * l_N))
        assert nonequilibrium_resistance_area(s) == close(expected, rel=1e-10)


def test_three_channel_lengths() -> None:
    """Decay lengths from the quadratic of the coupled equations of D1 and Ds."""
    decays = lengths(MAGNET, REACTIONS)
    a, b = decays["l_sd"] ** -2, decays["l_sf"] ** -2
    root = math.sqrt(0.25 * (a - b) ** 2 + decays["lambda_s"] ** -2 * decays["lambda_sd"] ** -2)
    for k, sign in enumerate((-1, 1)):
        assert decays["decay"][k] == close((0.5 * (a + b) + sign * root) ** -0.5, rel=1e-12)
    assert len(lengths(FOUR, FOUR_REACTIONS)["decay"]) == 3


def test_three_channels_at_one_face() -> None:
    """N|F: D1 and Ds obey their equations, and the integral of D1 is J sigma_d / (sigma_t g_sd), whatever the face."""
    decays = lengths(MAGNET, REACTIONS)
    N, F = two_channels(30e-9, 2.5e-8, 0.0, 300e-9), channel_layer(60 * decays["decay"][0], MAGNET, REACTIONS)
    expected = J * MAGNET["d_dn"] / sum(MAGNET.values()) / REACTIONS[("s_dn", "d_dn")]
    for face in (channel_face(), resistive_face(0.4e-15, 0.6)):
        for sign, kind in itertools.product((1, -1), ("lead", "reservoir")):
            here = face if sign == 1 else Joint(face.G, face.continuous)
            s = channels([N, channel_layer(F.thickness, MAGNET, REACTIONS, sign=sign)], [here], kind, "lead")
            assert d_accumulation(s, 1, sign) == close(expected, rel=1e-10)
            balanced(s)
    s = channels([N, F], [channel_face()])
    x, h = s.faces[1] + 4e-9, 0.05e-9
    w = s.w(x + h * np.arange(-2, 3), 1)
    D1, Ds = w[:, 1] - w[:, 3], w[:, 0] - w[:, 1]
    second = np.array([-1, 16, -30, 16, -1]) / (12 * h**2)
    assert second @ D1 == close(D1[2] / decays["l_sd"] ** 2 - Ds[2] / decays["lambda_s"] ** 2, rel=1e-5)
    assert second @ Ds == close(Ds[2] / decays["l_sf"] ** 2 - D1[2] / decays["lambda_sd"] ** 2, rel=1e-5)


def test_channel_limits() -> None:
    """Fast s-d scattering merges s-down and d-down; four channels without d-up are three; mirror and reversal."""
    N, faces = two_channels(30e-9, 2.5e-8, 0.0, 300e-9), [channel_face()] * 2
    merged = {"s_up": MAGNET["s_up"], "s_dn": MAGNET["s_dn"] + MAGNET["d_dn"]}
    flip = {("s_up", "s_dn"): REACTIONS[("s_up", "s_dn")]}
    two = channels([N, channel_layer(15e-9, merged, flip), N], faces).resistance_area
    errors = []
    for factor in (1e4, 1e8):
        fast = REACTIONS | {("s_dn", "d_dn"): factor * REACTIONS[("s_dn", "d_dn")]}
        errors.append(channels([N, channel_layer(15e-9, MAGNET, fast), N], faces).resistance_area - two)
    assert errors[0] > 0
    assert errors[0] / errors[1] == close(100.0, rel=0.02)
    three = channels([N, channel_layer(15e-9, MAGNET, REACTIONS), N], faces)
    weak = {pair: (1e-18 if "d_up" in pair else 1) * g for pair, g in FOUR_REACTIONS.items()}
    four = channels([N, channel_layer(15e-9, FOUR, weak), N], faces)
    assert four.resistance_area == close(three.resistance_area, rel=1e-12)
    assert f_parallel(three, 1) == close(0.0, abs=1e-12 * J)
    uneven = channels([N, channel_layer(15e-9, MAGNET, REACTIONS), N], [faces[0], resistive_face(1e-15, 0.5)])
    other = channels([N, channel_layer(15e-9, MAGNET, REACTIONS), N], [resistive_face(1e-15, 0.5), faces[0]])
    assert abs(f_parallel(uneven, 1)) > 1e-4 * J
    assert f_parallel(uneven, 1) == close(-f_parallel(other, 1), rel=1e-9)
    assert uneven.resistance_area == close(other.resistance_area, rel=1e-13)


@pytest.mark.parametrize("sign", [1, -1])
def test_four_channel_faces(sign: int) -> None:
    """F/F: parallel continuous faces do nothing, antiparallel ones insulate d; reversing all magnets does nothing."""
    left, right = channel_layer(9e-9, FOUR, FOUR_REACTIONS), channel_layer(14e-9, FOUR, FOUR_REACTIONS, sign=sign)
    face = channel_face(("s_up", "s_dn", "d_up", "d_dn")) if sign == 1 else channel_face()
    s = channels([left, right], [face])
    balanced(s)
    assert s.power["bulk"] > 0
    if sign == 1:
        assert nonequilibrium_resistance_area(s) == close(0.0, abs=1e-13 * s.resistance_area)
        return
    before, after = s.sides(0, "J")
    assert np.abs(np.concatenate([before[2:], after[2:]])).max() < 1e-12 * J
    assert before[:2] == close(after[:2], rel=1e-12)
    mirrored = channels([dataclasses.replace(right), left], [face])
    assert mirrored.resistance_area == close(s.resistance_area, rel=1e-13)
    plus, minus = np.array([4.1, 2.3, 0.4, 0.9]) / 7.7, np.array([2.3, 4.1, 0.9, 0.4]) / 7.7
    jump = plus @ s.sides(0)[0] - minus @ s.sides(0)[1]
    assert nonequilibrium_resistance_area(s) == close(jump / J, rel=1e-10)


def test_alternating_current() -> None:
    """The quasi-neutral storage: the decay length at a frequency, and the limit of low frequency."""
    rho, beta, length, states = 1.6e-7, 0.46, 30e-9, (6e46, 9e46)
    up, dn = (1 + beta) / (2 * rho), (1 - beta) / (2 * rho)
    D = (up * dn / (E**2 * states[1]) + dn * up / (E**2 * states[0])) / (up + dn)
    stack = [two_channels(t, rho, beta, length, sign, states=states) for t, sign in ((2e-6, 1), (9e-9, -1))]
    omega = 3 * D / length**2
    s = channels(stack, [channel_face()], omega=omega)
    w = s.w(s.faces[1] - np.array([10e-9, 25e-9]), 0)
    ratio = (w[1, 0] - w[1, 1]) / (w[0, 0] - w[0, 1])
    assert ratio == close(np.exp(-15e-9 * np.sqrt(1 + 3j) / length), rel=1e-11)
    assert s.J(1e-9, 0).sum() == close(J, rel=1e-12)
    assert s.resistance_area.imag < 0  # a capacitor
    steady = channels(stack, [channel_face()])
    slow = [channels(stack, [channel_face()], omega=f * D / length**2).resistance_area for f in (1e-3, 1e-4)]
    assert slow[0].real == close(steady.resistance_area, rel=1e-6)
    assert slow[0].imag / slow[1].imag == close(10.0, rel=1e-5)


def test_balance_of_alternating_power() -> None:
    """The stored energy: Im(V I*) = -omega integral w^H C w, Re(V I*) = dissipation, of a symmetric stack."""
    stack = [two_channels(20e-9, 1.6e-7, 0.46, 30e-9, sign, states=(6e46, 9e46)) for sign in (1, -1)]
    omega = 2e13
    s = channels(stack, [channel_face()], "reservoir", "reservoir", omega=omega)
    stored, lost = 0.0, 0.0
    for k, layer in enumerate(stack):
        stored += s.integrate(k, lambda w, J, C=layer.C: np.sum(w[:, :2].conj() * (w[:, :2] @ C), 1))
        inverse = np.linalg.inv(layer.K)
        lost += s.integrate(k, lambda w, J, K=inverse: np.sum(J[:, :2].conj() * (J[:, :2] @ K), 1))
        lost += s.integrate(k, lambda w, J, R=layer.R: np.sum(w[:, :2].conj() * (w[:, :2] @ R), 1))
    power = s.voltages[0] * np.conj(s.currents[0])
    assert power.real == close(lost.real, rel=1e-12)
    assert power.imag == close(-omega * stored.real, rel=1e-10)


def valve(angle: float, mixing: complex, layer: Layer, *, gap: Layer | None = None, spin: float = 0.3) -> Solution:
    """Symmetric valve of two magnets which keep no spins, V between reservoirs."""
    m = [np.array([np.sin(a), 0.0, np.cos(a)]) for a in (0.0, angle)]
    g = [1e15 * (1 + spin), 1e15 * (1 - spin)]
    block = [magnet(1e-9, 1e25, 0.0, 1e-12, a) for a in m]
    return vectors(
        [block[0], gap or layer, block[1]],
        [vector_face(m[0], g, mixing, normal_side=1), vector_face(m[1], g, mixing)],
        "reservoir", "reservoir", voltage=1e-3,
    )  # fmt: skip


@pytest.mark.parametrize("angle", [0.4, 1.7, 2.9])
def test_circuit_theory(angle: float) -> None:
    """Current and torque of the symmetric valve with one node."""
    p, eta, S, C = 0.3, 0.8, np.sin(angle / 2), np.cos(angle / 2)
    s = valve(angle, 0.8e15, normal(1e-9, 1e22, 1e3))
    a = p * 1e-3 * S / (2 * (S**2 + eta * C**2))
    assert s.currents[0] == close(2e15 * (0.5e-3 - p * a * S), rel=1e-6)
    m1, m2 = np.array([0, 0, 1.0]), np.array([np.sin(angle), 0, np.cos(angle)])
    e = (m1 - m2) / (2 * S)
    assert torque(s, 0) == close(SHIFT * eta * 2e15 * a * (e - S * m1), abs=1e-6 * SHIFT * 2e15 * a)
    assert torque(s, 2) == close(SHIFT * eta * 2e15 * a * (e + S * m2), abs=1e-6 * SHIFT * 2e15 * a)
    balanced(s, 1e-6)


def test_rotation_of_all_spins() -> None:
    """Rotating magnets and field rotates spins and torques; the power balance holds with precession everywhere."""
    rotate, results = rotation(), []
    for Q in (np.eye(3), rotate):
        m = [Q @ (0.3, 0.5, 0.81), Q @ (-0.7, 0.2, 0.4)]
        layers = [
            magnet(12e-9, 5e6, 0.6, 20e-9, m[0]), normal(20e-9, 4e7, 200e-9, field=Q @ (0.3, 2.0, -1.0), states=1e47),
            magnet(3e-9, 4e6, 0.4, 9e-9, m[1], sigma_perp=3e6, transverse="resolved", dephasing=1e-9, precession=7e-10),
        ]  # fmt: skip
        faces = [vector_face(m[0], [2e15, 1e15], 8e14 - 2e14j, normal_side=1), vector_face(m[1])]
        results.append(vectors(layers, faces))
        balanced(results[-1])
    a, b = results
    assert a.resistance_area == close(b.resistance_area, rel=1e-13)
    for k in (0, 2):
        assert rotate @ torque(a, k) == close(torque(b, k), abs=1e-12 * SHIFT * J)
    assert b.w(15e-9, 1)[1:] == close(rotate @ a.w(15e-9, 1)[1:], abs=1e-13 * a.voltages[0])


@pytest.mark.parametrize(("thickness", "kind"), [(80e-9, "lead"), (0.8e-9, "reservoir"), (0.8e-9, "blocked")])
def test_resolved_magnet_is_a_mixing_conductance(thickness: float, kind: str) -> None:
    """G_mix = sigma_perp kappa / 2 (coth if no spins behind, tanh if blocked): the same currents and torque."""
    perp, l_phi, l_J = 3e6, 1.1e-9, 0.7e-9
    kappa = np.sqrt(l_phi**-2 - 1j * l_J**-2)
    factor = {"lead": 1.0, "reservoir": 1 / np.tanh(kappa * thickness), "blocked": np.tanh(kappa * thickness)}[kind]
    m = [np.array([0.0, 0.0, 1.0]), np.array([0.8, 0.6, 0.0])]
    first = [magnet(12e-9, 5e6, 0.6, 20e-9, m[0]), normal(6e-9, 4e7, 200e-9)]
    polarizer = vector_face(m[0], [2e15, 1e15], 8e14 - 2e14j, normal_side=1)
    solutions = []
    for transverse in ("absorbed", "resolved"):
        last = magnet(
            thickness, 4e6, 0.4, 9e-9, m[1], transverse=transverse, sigma_perp=perp, dephasing=l_phi, precession=l_J
        )
        mixing = perp * kappa * factor / 2 if transverse == "absorbed" else None
        solutions.append(vectors([*first, last], [polarizer, vector_face(m[1], None, mixing)], "lead", kind))
    a, b = solutions
    assert a.resistance_area == close(b.resistance_area, rel=1e-13)
    for x, k in ((3e-9, 0), (15e-9, 1), (18.5e-9, 2)):
        spins = b.w(x, k) if k < 2 else np.r_[b.w(x, k)[0], m[1] * (m[1] @ b.w(x, k)[1:])]
        assert a.w(x, k) == close(spins, abs=1e-13 * a.voltages[0])
    if kind != "reservoir":  # otherwise the reservoir takes a part of the transverse spin current
        assert torque(a, 2) == close(torque(b, 2), abs=1e-12 * SHIFT * J)
    assert np.linalg.norm(torque(a, 2)) > 1e-3 * SHIFT * J


def test_hanle() -> None:
    """Spins injected through a barrier into a half-space: complex decay, its sense, and the Lorentzian of the mean."""
    sigma, length, states, B = 4e7, 300e-9, 1.1e47, 0.5
    D = sigma / (E**2 * states)
    larmor = 2.0 * MU_B * B / HBAR
    kappa = np.sqrt(length**-2 - 1j * larmor / D)
    m = np.array([0.0, 0.0, 1.0])
    N = normal(40 * length, sigma, length, field=(B, 0.0, 0.0), states=states)  # B x s = (0, -B s_z, B s_y)
    F, face = magnet(1e-9, 1e25, 0.0, 1e-12, m), vector_face(m, [1.5e9, 0.5e9], 1e9, normal_side=1)
    s = vectors([F, N], [face], "reservoir", "lead")
    x = np.linspace(1e-9, 1e-6, 7)
    w, flux = s.w(x, 1), s.J(1e-9, 1)
    spin = w[:, 2] + 1j * w[:, 3]  # B x rotates it like i
    injected = flux[2] + 1j * flux[3]
    assert flux[1:] == close(np.array([0, 0, 0.5 * J]), abs=1e-4 * J)
    assert spin == close(injected / (sigma * kappa) * np.exp(-kappa * (x - 1e-9)), abs=1e-12 * abs(spin[0]))
    tau = length**2 / D
    total = s.integrate(1, lambda w, J: w[:, 2] + 1j * w[:, 3])
    assert total == close(injected * length**2 / sigma / (1 - 1j * larmor * tau), rel=1e-11)
    balanced(s)


def pumped(outer: str, mixing: complex, resolved: bool, omega: np.ndarray) -> tuple[Solution, np.ndarray]:
    m = np.array([0.0, 0.6, 0.8])
    N = normal(25e-9, 4e7, 60e-9)
    if resolved:
        F = magnet(40e-9, 4e6, 0.4, 9e-9, m, transverse="resolved", dephasing=0.8e-9, precession=0.6e-9, turning=omega)
        face = vector_face(m)
    else:
        F, face = magnet(40e-9, 4e6, 0.4, 9e-9, m), vector_face(m, None, mixing, turning=omega)
    return solve([N, F], [face], Contact(outer), Contact("lead"), VECTOR, current_density=0.0), m


@pytest.mark.parametrize("outer", KINDS)
@pytest.mark.parametrize("resolved", [False, True])
def test_spin_pumping(outer: str, resolved: bool) -> None:
    """Torque -(hbar^2 / 2 e^2) (Re G_eff w_perp + Im G_eff m x w_perp), and -T.w = dissipated power."""
    omega = np.array([3e9, -1e9, 2e9])
    mixing = 4e6 * np.sqrt(0.8e-9**-2 - 1j * 0.6e-9**-2) / 2 if resolved else 7e14 + 2e14j
    s, m = pumped(outer, mixing, resolved, omega)
    enhancement = {"reservoir": np.tanh(25 / 60), "lead": 1.0, "blocked": 1 / np.tanh(25 / 60)}[outer]
    G = mixing / (1 + 2 * mixing * 60e-9 / 4e7 * enhancement)
    perp = omega - m * (m @ omega)
    expected = -2 * SHIFT**2 * (G.real * perp + G.imag * np.cross(m, perp))
    assert torque(s, 1) == close(expected, rel=1e-11)
    assert sum(s.power.values()) == close(-torque(s, 1) @ omega, rel=1e-11)


def test_reciprocity() -> None:
    """T = b V - Gamma w and I = G V + a w with a(M, B) = b(-M, -B), Gamma(M, B) = Gamma(-M, -B)^T."""

    def stack(sign: int, voltage: float, omega: np.ndarray) -> tuple[float, np.ndarray]:
        p, u = sign * np.array([0.0, 0.28, 0.96]), sign * np.array([0.6, 0.48, 0.64])
        layers = [
            magnet(12e-9, 5e6, 0.6, 20e-9, p),
            normal(20e-9, 4e7, 200e-9, field=np.array([5, 20, -8]) * sign, states=1e47),
            magnet(3e-9, 4e6, 0.4, 9e-9, u), normal(9e-9, 2e7, 90e-9),
        ]  # fmt: skip
        g, mix = [2e15, 1e15], 8e14 - 3e14j
        faces = [
            vector_face(p, g, mix, normal_side=1), vector_face(u, g, mix, turning=omega),
            vector_face(u, None, mix, normal_side=1, turning=omega),
        ]  # fmt: skip
        s = vectors(layers, faces, "reservoir", "blocked", voltage=voltage)
        return s.currents[0], torque(s, 2)

    for sign in (1, -1):
        torque_per_volt = stack(sign, 1.0, np.zeros(3))[1]
        current = np.array([stack(-sign, 0.0, 1e9 * e)[0] for e in np.eye(3)]) / 1e9
        assert np.abs(current).max() > 0
        assert current == close(torque_per_volt, abs=1e-11 * np.abs(current).max())
    damping = [np.array([stack(sign, 0.0, 1e9 * e)[1] for e in np.eye(3)]) for sign in (1, -1)]
    assert damping[0] == close(damping[1].T, abs=1e-11 * np.abs(damping[0]).max())
    assert np.linalg.eigvalsh(damping[0] + damping[0].T).max() < 1e-11 * np.abs(damping[0]).max()


def test_high_precision() -> None:
    """From 0.3 nm to 5 um and lengths from 0.3 nm to 1 um: double precision against 40 digits."""
    random, layers = np.random.default_rng(7), []
    for k, t in enumerate(np.exp(random.uniform(np.log(0.3e-9), np.log(5e-6), 7))):
        sigma = 10 ** random.uniform(6, 8)
        if k % 2:
            layers.append(normal(t, sigma, 10 ** random.uniform(-8, -6), field=(1, 2, 3), states=1e47))
        else:
            options = {"dephasing": 0.9e-9, "precession": 0.3e-9, "transverse": "resolved"}
            layers.append(magnet(t, sigma, 0.5, 10 ** random.uniform(-9, -7), rotation(k)[0], **options))
    faces = [Joint(continuous=np.eye(4)) for _ in layers[1:]]
    a, b = (vectors(layers, faces, "lead", "blocked", digits=digits) for digits in (None, 40))
    assert a.resistance_area == close(b.resistance_area, rel=1e-14)
    for k in (0, 2, 4, 6):
        assert torque(a, k) == close(torque(b, k), abs=1e-13 * SHIFT * J)


def test_refusals() -> None:
    """Inconsistent input."""
    layer = two_channels(1e-9, 1e-7, 0.5, 1e-8)
    with pytest.raises(ValueError, match="one of voltage"):
        solve([layer], [], Contact(), Contact(), CHANNELS)
    with pytest.raises(ValueError, match="absent"):
        channels([layer, layer], [channel_face(("s_up", "d_up"))])
    with pytest.raises(ValueError, match="steady"):
        vectors([dataclasses.replace(normal(1e-9, 1e7, 1e-8), shift=np.zeros(4))], [], omega=1.0)
