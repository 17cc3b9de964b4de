"""Longitudinal M and m driven by fields and by currents out of normal metals; eigenmodes and spin currents."""

import dataclasses
import math

import numpy as np
import pytest
from samples.longitudinal import LENGTH, D, disc, interval, magnet
from scipy.integrate import solve_bvp, solve_ivp

from fespin import InputError
from fespin.constants import BOHR_MAGNETON, ELEMENTARY_CHARGE, VACUUM_PERMEABILITY
from fespin.longitudinal import (
    AppliedField,
    Contact,
    Held,
    decay_modes,
    evolve,
    resistivity_star,
    respond,
)
from fespin.normal_metal import NormalMetal

# All unequal, none of them 1; a magnet whose spins meet a resistance like that of the metals.
MAGNET = dataclasses.replace(magnet(0.3, 0.05, 0.2), susceptibility=1.3e-4)
COPPER = NormalMetal(6e-9, 450e-9, 700e-9, 3e-12)
CONTACT = Contact(COPPER, 1.3e11, 0.51e-15, 0.77, 0.46)


# ---- fields
@pytest.mark.parametrize("waves", [0, 2, 5])
def test_susceptibility_is_the_closed_form(waves):
    """Uniform and varying fields, complex amplitudes, two decades of frequency."""
    g, k = magnet(0.3, 0.05, 0.2), waves * math.pi / LENGTH
    problem = interval(g, 40, 3)
    for omega in np.array([0.1, 0.7, 9.0]) * g.rate:
        wave = AppliedField(3e3 * (1 + 0.3j), lambda x: 0.7 * np.cos(k * x[0]))
        found = respond(problem, omega / (2 * math.pi), field=wave)
        assert found.susceptibility == pytest.approx(complex(g.field_susceptibility(omega, k)), rel=1e-6, abs=0)
        assert abs(found.balance) < 1e-11
        assert found.field_work > 0


def test_limits_of_the_susceptibility():
    """chi_M if nothing happens, 0 at once, none at all of what is kept; what dissipates decides the sign."""
    g = magnet(0.3, 0.05, 0.2)
    assert complex(g.field_susceptibility(0.0)) == pytest.approx(g.susceptibility, rel=1e-14)
    assert abs(g.field_susceptibility(1e9 * g.rate)) < 1e-8 * g.susceptibility
    assert not np.any(np.abs(magnet(0.3).field_susceptibility([1e9, 1e12])) > 1e-16)
    assert np.all(np.imag(g.field_susceptibility(np.geomspace(1e-3, 1e3, 9) * g.rate, 3e7)) < 0)


def test_field_in_time_against_an_ordinary_equation():
    """Uniform: M - M0 and m of a field that varies, by another integrator; totals, energies and power."""
    g, end = magnet(0.3, 0.05, 0.2), 6 / magnet(0.3).rate
    problem = interval(g, 2)

    def field(t):
        return 1e3 * math.sin(1.3 * g.rate * t)

    x = evolve(problem, problem.state(), end, field=AppliedField(field, 0.7), tolerance=1e-8)

    def rates(t, y):
        return g.generator(0.0) @ [y[0] - g.susceptibility * 0.7 * field(t), y[1]]

    M, m = solve_ivp(rates, (0, end), [0.0, 0.0], method="DOP853", rtol=1e-11, atol=1e-9).y[:, -1]
    assert (x.total_M[-1] + x.field_moment[-1]) / LENGTH == pytest.approx(M, rel=1e-7, abs=0)
    assert x.total_m[-1] / LENGTH == pytest.approx(m, rel=1e-7, abs=0)
    assert np.abs(x.conservation).max() < 1e-12
    assert np.abs(x.balance).max() < 1e-11
    gained = x.internal_energy[-1] - x.internal_energy[0]
    assert gained == pytest.approx(x.field_work[-1] - x.heat[-1], rel=0, abs=1e-8 * x.heat[-1])


def test_field_that_is_switched_and_varies_in_space():
    """A field that is on from the start is the deviation -chi_M H; one that jumps back leaves what it made of M."""
    g, end = magnet(0.3, 0.05, 0.2), 2 / magnet(0.3).rate
    problem = interval(g)

    def shape(x):
        return np.cos(math.pi * x[0] / LENGTH) + 0.2

    on = evolve(problem, problem.state(), end, field=AppliedField(1e3, shape), tolerance=1e-8)
    start = problem.state(lambda x: -g.susceptibility * 1e3 * shape(x))
    moved = evolve(problem, start, end, tolerance=1e-8)
    assert pytest.approx(moved.final.M, rel=0, abs=1e-6 * np.abs(start.M).max()) == on.final.M
    assert on.final.m == pytest.approx(moved.final.m, rel=0, abs=1e-6 * np.abs(start.M).max())
    pulse = AppliedField(lambda t: 1e3 if t < end / 2 else 0.0, shape)
    conditions = {"left": Held(0.4)}
    x = evolve(problem, problem.state(), end, field=pulse, conditions=conditions, tolerance=1e-7)
    assert end / 2 == pytest.approx(x.times[np.abs(x.times - end / 2).argmin()], rel=1e-9)
    assert x.field[-1] == 0 and x.field_moment[-1] == 0 and on.field[-1] == 1e3
    for y in (on, x):
        assert np.abs(y.conservation).max() < 1e-11
        gained = y.internal_energy[-1] - y.internal_energy[0]
        assert gained == pytest.approx(y.put_in[-1] + y.field_work[-1] - y.heat[-1], rel=0, abs=1e-5 * y.heat[-1])


# ---- a normal metal, its interface and the magnet as one system
def by_boundary_values(g, contact, length, omega):
    """Return b at the interface and D in the metal there: scipy's solver on metal and magnet at once.

    The metal from its far end to the interface and the magnet from its free end to it, both on 0 to 1.
    """
    metal, ratio = contact.metal, -2 * BOHR_MAGNETON * VACUUM_PERMEABILITY / ELEMENTARY_CHARGE
    moment = BOHR_MAGNETON / ELEMENTARY_CHARGE
    s = 1j * omega * g.storage + g.relaxation
    decay = s[1, 1] - s[0, 1] * s[1, 0] / s[0, 0]
    volts, fields = 1e-4, 50.0  # of D, and of b (A/m): numbers of order 1
    lengths = metal.spin_diffusion_length**2 / (1 + 1j * omega * metal.relaxation_time), g.stiffness / decay

    def pair(z):
        return np.array([f(x) for x in z for f in (np.real, np.imag)])

    def slopes(x, y):
        D_out, out, b, inside = y[::2] + 1j * y[1::2]
        return pair([out, metal.thickness**2 / lengths[0] * D_out, inside, length**2 / lengths[1] * b])

    def ends(a, z):
        far, (D_out, out, b, inside) = a[::2] + 1j * a[1::2], z[::2] + 1j * z[1::2]
        J = contact.current_density
        # Along the axis from the metal into the magnet; the magnet's own coordinate runs towards the interface.
        spin = -volts * out / metal.thickness / (2 * metal.resistivity)
        into = g.stiffness * fields * inside / length
        drop = volts * D_out - ratio * fields * b
        face = (spin - contact.gamma * J - drop / (2 * contact.area_resistance_star)) / J
        return pair([far[0], far[3], face, (into + moment * (spin - contact.beta * J)) / (moment * J)])

    x = np.linspace(0, 1, 101)
    y = solve_bvp(slopes, ends, x, np.zeros((8, len(x))), tol=1e-8, max_nodes=100_000)
    assert y.success, y.message
    z = y.sol(1.0)
    return fields * (z[4] + 1j * z[5]), volts * (z[0] + 1j * z[1])


@pytest.mark.parametrize(("omega", "current"), [(0.0, 1.3e11), (0.4, -0.7e11)])
def test_injection_against_a_boundary_value_solver(omega, current):
    """Two channels in the metal, interface, M and m: accumulations on both sides to 1e-6."""
    contact, omega = dataclasses.replace(CONTACT, current_density=current), omega * MAGNET.rate
    problem = interval(MAGNET, 60, 4)
    b, D_out = by_boundary_values(MAGNET, contact, LENGTH, omega)
    found = respond(problem, omega / (2 * math.pi), {"left": contact})
    here = found.contacts["left"]
    assert found.mean_accumulation["left"] / MAGNET.chi_m == pytest.approx(b, rel=1e-6, abs=0)
    assert here.outside == pytest.approx(D_out, rel=1e-6, abs=0)
    assert here.inside == pytest.approx(-2 * BOHR_MAGNETON * VACUUM_PERMEABILITY / ELEMENTARY_CHARGE * b, rel=1e-6)
    assert abs(found.balance) < 1e-10
    # The other way up: the metal at the other end.
    turned = respond(problem, omega / (2 * math.pi), {"right": contact})
    assert turned.contacts["right"].spin_current == pytest.approx(here.spin_current, rel=1e-10)


def test_resistance_of_a_contact_is_what_dissipates():
    """A R_ne J^2 is the heat of metal, interface, and M and m together; and two channels' closed form."""
    g, length = MAGNET, 1 / abs(complex(MAGNET.wavenumber(0.0)).imag)
    problem = interval(g, 80, 4, length=30 * length)
    found = respond(problem, 0.0, {"left": CONTACT})
    here, J = found.contacts["left"], CONTACT.current_density
    D_in, D_out = here.inside.real, here.outside.real
    r, face = COPPER.spin_resistance().real, CONTACT.area_resistance_star
    # Of amplitudes the power is half.
    heat = 2 * sum(found.dissipation.values()) + (D_in - D_out) ** 2 / (4 * face) + D_out**2 / (4 * r)
    assert heat == pytest.approx(here.spin_resistance.real * J**2, rel=1e-9)
    own = resistivity_star(D, g.chi_m) * length
    # One face between r of the magnet and r of the metal: J_s from the three resistances in a row.
    spin = J * (CONTACT.beta * own + CONTACT.gamma * face) / (own + face + r)
    assert here.spin_current.real == pytest.approx(spin, rel=1e-9)


def test_contact_in_time_ends_at_its_steady_state():
    g = MAGNET
    for problem, name in ((interval(g), "right"), (disc(g, 0.4), "edge")):
        steady = respond(problem, 0.0, {name: CONTACT})
        end = 14 / float(g.decay_rates(0.0)[0])
        x = evolve(problem, problem.state(), end, conditions={name: CONTACT}, tolerance=1e-6)
        assert x.spin_currents[name][-1] == pytest.approx(steady.contacts[name].spin_current.real, rel=1e-5)
        assert pytest.approx(steady.M, rel=0, abs=2e-5 * np.abs(steady.M).max()) == x.final.M + 0j
        assert np.abs(x.balance).max() < 1e-9
        assert np.abs(x.conservation).max() < 1e-11


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Contact(3.0), "must be a NormalMetal"),
        (lambda: Contact(COPPER, area_resistance_star=-1.0), "area_resistance_star"),
        (lambda: Contact(COPPER, gamma=1.0), "gamma"),
        (lambda: NormalMetal(0.0, 1e-9), "resistivity"),
        (lambda: NormalMetal(1e-8, 1e-9, relaxation_time=-1.0), "relaxation_time"),
        (lambda: respond(interval(MAGNET, 3), 1e9, field=AppliedField(lambda t: t)), "amplitude"),
        (lambda: respond(interval(MAGNET, 3), 1e9, {"left": Contact(COPPER, math.nan)}), "finite number"),
    ],
)
def test_impossible_drives(make, words):
    with pytest.raises(InputError, match=words):
        make()


# ---- modes and currents
@pytest.mark.parametrize(("xi", "w_m", "w_M"), [(0.3, 0.05, 0.2), (0.7, 0.0, 0.0), (0.09, 0.4, 1.7)])
def test_modes_have_the_ratio_of_the_generator(xi, w_m, w_M):
    """dm/dM of both branches, against eigenvectors of Eq. (33), and -xi k^2/k_M^2 where that is the limit."""
    g, ks = magnet(xi, w_m, w_M), np.array([1, 3]) * math.pi / LENGTH
    for mode in decay_modes(interval(g), ks):
        values, vectors = np.linalg.eig(g.generator(mode.wavenumber))
        vector = vectors[:, np.argmin(np.abs(values + mode.rate))]
        assert mode.ratio == pytest.approx(vector[1] / vector[0], rel=1e-8)
        assert mode.ratio == pytest.approx(float(g.mode_ratio(mode.wavenumber)[mode.branch == "fast"]), rel=1e-8)
    if not w_m and not w_M:
        slow, fast = g.mode_ratio(1e-3 * g.k_M)
        assert slow == pytest.approx(-xi * 1e-6, rel=1e-5) and fast == pytest.approx(-1, rel=1e-5)


def test_spin_current_is_that_of_the_boundary():
    """j_m of a steady injection: what goes in at its left end, and nothing at the closed one; order of the degree."""
    g, errors = magnet(0.3, 0.05, 0.2), []
    k = abs(complex(g.wavenumber(0.0)).imag)
    for cells in (20, 40):
        problem = interval(g, cells)
        found = respond(problem, 0.0, {"left": Held(2.0)})
        current = problem.spin_current(found.accumulation.real.copy())
        x = current.function_space.tabulate_dof_coordinates()[:, 0]
        exact = 2.0 * D * k * np.sinh(k * (LENGTH - x)) / np.cosh(k * LENGTH)
        errors.append(np.abs(current.x.array - exact).max() / exact.max())
    assert errors[1] < 2e-3
    assert math.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.2)
