"""Textures that generic and two-band fluxes move: temperature gradients, bands that take time, metals as leads."""

import dataclasses
import math

import numpy as np
import pytest
from dolfinx import mesh
from launch import numbers, require_equal
from mpi4py import MPI
from samples.moving import BANDS, HOT, LENGTH, MAGNET, electrodes, line

from fespin import InputError
from fespin.constants import BOHR_MAGNETON, ELEMENTARY_CHARGE
from fespin.errors import ModelError
from fespin.normal_metal import NormalMetal
from fespin.texture import (
    Dynamics,
    Electrode,
    GenericMagnet,
    Grid,
    IrreversibleProblem,
    Lead,
    OhmicCircuit,
    TexturedMagnet,
    TwoBandMagnet,
    WallEstimates,
    WallWatch,
    respond,
    thermal_drift,
    wall,
)

COMM, MS = MPI.COMM_WORLD, MAGNET.saturation_magnetization


def moved(grid, law, until, step=None, *, magnet=MAGNET, leads=None, field=None, tolerance=1e-4, start=None, **drive):
    """Return the motion, its steps and the wall's watch."""
    problem = IrreversibleProblem(grid, law, leads or electrodes(law, **drive))
    motion = Dynamics(grid, magnet, start or wall(magnet, LENGTH / 2), field=field, current=problem)
    return motion, list(motion.steps(until, step=step, tolerance=tolerance)), WallWatch(grid, magnet)


# ---- temperature gradients
@pytest.mark.parametrize(("name", "kelvins"), [("generic", 12.0), ("generic", -12.0), ("bands", 12.0)])
def test_wall_in_a_temperature_gradient(name, kelvins):
    """Beta u/alpha within 1 percent, with every thermal coefficient; balances of energy and heat to rounding."""
    law = HOT[name]
    drift, gradient = thermal_drift(law, MS), kelvins / LENGTH
    assert abs(drift.nonadiabaticity / MAGNET.damping - 1) > 0.1  # it matters which it is
    _, steps, watch = moved(line(COMM, 300), law, 3.2e-9, tolerance=2e-4, kelvins=kelvins)
    late = [s for s in steps if s.time > 1.6e-9]
    at = [watch.position(s.directions) for s in (late[0], late[-1])]
    assert (at[1] - at[0]) / (late[-1].time - late[0].time) == pytest.approx(drift.velocity * gradient, rel=0.01)
    for s in steps[::7]:
        scale = max(map(abs, s.dissipation.values()))
        assert abs(s.energy_error) < 1e-11 * scale
        assert abs(sum(s.dissipation.values()) - s.supplied) < 1e-11 * scale
        assert abs(np.linalg.norm(s.directions, axis=1) - 1).max() < 1e-12


def test_thermal_drift_is_the_torque_of_the_fluxes():
    """Place by place: the law's torque at J = 0, m oblique and turning in space, both magnets."""
    grid = Grid(mesh.create_interval(COMM, 300, [0.0, 60e-9]))
    axis = np.array([0.3, -0.5, 0.81])
    axis /= np.linalg.norm(axis)
    other = np.cross(axis, [0.2, 0.9, -0.1])
    other /= np.linalg.norm(other)
    third = np.cross(axis, other)

    def m(x):
        u = 4e7 * x[:, :1]
        return np.cos(u) * other + np.sin(u) * (0.8 * third + 0.6 * axis)

    for law in HOT.values():
        slope = 7e6  # K/m
        sigma = getattr(law, "conductivity", 0) or law.conductivity_up + law.conductivity_down
        sigma += 2 * ELEMENTARY_CHARGE**2 * getattr(law, "L_up_down", 0.0)
        seebeck = getattr(law, "L_sn", 0) or law.L_s_up + law.L_s_down
        push = ELEMENTARY_CHARGE * seebeck / sigma * slope  # grad phi that stops the current
        found = respond(grid, law, lambda x: MS * m(x), (0, 0, 0), {"theta": slope, "phi": push})
        assert np.abs(found.current_density).max() < 1e-6 * sigma * push
        drift, x = thermal_drift(law, MS), grid.positions[: grid.owned]
        h = 1e-10
        d = (m(x + [h, 0, 0]) - m(x - [h, 0, 0])) / (2 * h)
        torque = slope * MS * (-drift.adiabatic * d + drift.nonadiabatic * np.cross(m(x), d))
        inside = slice(2, -2)
        assert found.torque[inside] == pytest.approx(torque[inside], rel=0, abs=2e-4 * np.abs(torque).max())


# ---- against the magnet that currents alone move, and its own limits
def test_bands_that_flip_at_once_move_as_a_textured_magnet():
    """The limit l_sf -> 0: order 2 in l_sf against the generic magnet, order 2 in the mesh against Gilbert's equation.

    What is left are terms of second order in P |grad M|, which linear laws do not have.
    """
    current, until, tau = -2e12, 0.1e-9, 5e-12
    magnet = dataclasses.replace(MAGNET, polarization=0.2)

    def ends(law, cells):
        _, steps, watch = moved(line(COMM, cells), law, until, tau, magnet=magnet, field=(3e-3, 0, 0), current=current)
        m = steps[-1].directions
        return np.array([(watch.position(m) - LENGTH / 2) / 1e-9, watch.angle(m)])

    generic = ends(GenericMagnet.of(magnet), 100)
    apart = [np.abs(ends(TwoBandMagnet.of(magnet, l_sf), 100) - generic) for l_sf in (1e-9, 2e-9)]
    assert np.log2(apart[1] / apart[0]) == pytest.approx(2, abs=0.15)
    errors = []
    for cells in (60, 120, 240):
        grid = line(COMM, cells)
        leads = {"left": Lead(lambda x: x[0] < 1e-12, voltage=0.0), "right": Lead(electrodes.right, current=current)}
        circuit = OhmicCircuit(grid, magnet, leads)
        motion = Dynamics(grid, magnet, wall(magnet, LENGTH / 2), field=(3e-3, 0, 0), current=circuit)
        *_, last = motion.steps(until, step=tau)
        watch = WallWatch(grid, magnet)
        own = np.array([(watch.position(last.directions) - LENGTH / 2) / 1e-9, watch.angle(last.directions)])
        errors.append(np.abs(ends(TwoBandMagnet.of(magnet, 0.5e-9), cells) - own))
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert orders[0] == pytest.approx(2, abs=0.25)
    assert orders[1, 1] == pytest.approx(2, abs=0.15)  # of the angle: the place has come to the rest of order P^2
    assert errors[-1][0] < 3e-4 and errors[-1][1] < 1e-4 * own[1]


@pytest.mark.parametrize("more", ["C_perp", "L_QN3"])
def test_damping_that_depends_on_the_texture(more):
    """Transverse diffusion of M, and the torque that H makes with its own gradient: exact balances, another motion."""
    law, width = GenericMagnet.of(MAGNET), MAGNET.wall_width()
    spread = 0.2 * law.A_perp * width**2
    if more == "C_perp":
        more_law = dataclasses.replace(law, C_perp=0.1 * spread, C_prime=1e-8)
    else:
        coupled = -0.3 * MS * width * math.sqrt(law.A_perp * spread)
        more_law = dataclasses.replace(law, C_par=spread, L_QN3=coupled, L_QN2_prime=-2e-6)
    found = {}
    for name, each in (("bare", law), ("more", more_law)):
        motion, steps, watch = moved(
            line(COMM, 80), each, 0.1e-9, field=(20e-3, 0, 0), start=wall(MAGNET, LENGTH / 2, angle=0.6)
        )
        found[name] = watch.position(steps[-1].directions), steps
        for s in steps[::5]:
            scale = max(map(abs, s.dissipation.values()))
            assert abs(s.energy_error) < 1e-10 * scale
            assert abs(sum(s.dissipation.values()) - s.supplied) < 1e-10 * scale
            assert abs(s.carriers.reversible) < 1e-10 * scale / s.size
        assert motion.turning() > 0
    assert sum(s.dissipation[more] for s in found["more"][1]) > 0
    assert abs(found["more"][0] - found["bare"][0]) > 1e-4 * abs(found["bare"][0] - LENGTH / 2)


# ---- bands that take time
def test_bands_come_to_their_steady_state():
    """A texture that is held in a field that jumps: the steady solver to 1e-8, slower by the relaxation time."""
    grid, jump = line(COMM, 80), 1e-13
    law = dataclasses.replace(BANDS, spin_relaxation_time=1e-12)
    copper = NormalMetal(2e-8, 90e-9)
    leads = {
        "left": Electrode(lambda x: x[0] < 1e-12, voltage=0.0, spin=copper),
        "right": Electrode(electrodes.right, current=3e11, spin="blocked"),
    }
    problem = IrreversibleProblem(grid, law, leads)
    m = wall(MAGNET, LENGTH / 2)

    def field(t):
        return (0.2, 0, 0) if t > jump else (0.0, 0, 0)

    motion = Dynamics(grid, MAGNET, m, field=field, current=problem, pinned=lambda x: x[0] > -1)
    first = next(motion.steps(2 * jump, step=jump))
    steady = [problem.solve(lambda x: MS * m(x), grid_field(grid, motion, field(t)), t).spins for t in (0.0, 1.0)]
    assert first.carriers.spins == pytest.approx(steady[0], rel=0, abs=1e-10 * np.abs(steady[0]).max())
    for tau, until in ((2e-14, 2.5e-12), (1e-12, 30e-12)):
        steps = list(motion.steps(until, step=tau))
        if until < 3e-12:
            # A part e^-(t/tau) or less of the way is left, no part of none.
            left = np.abs(motion.carriers.spins - steady[1]).max() / np.abs(steady[0] - steady[1]).max()
            assert 1e-3 < left < 0.3
    assert motion.carriers.spins == pytest.approx(steady[1], rel=0, abs=1e-8 * np.abs(steady[1]).max())
    own = problem.solve(lambda x: MS * m(x), grid_field(grid, motion, field(1.0)), 1.0)
    assert steps[-1].carriers.voltages["right"] == pytest.approx(own.voltages["right"], rel=1e-8)
    assert abs(own.balance) < 1e-11 and abs(steps[-1].carriers.balance) < 1e-11


def grid_field(grid, motion, applied):
    """The effective field (owned, 3) of the texture as it is, perpendicular to m."""
    field = motion._rule.torques(motion.directions, grid.vectors(applied, "field"), None).field
    m = motion.directions
    return field - np.einsum("na,na->n", field, m)[:, None] * m


def test_bands_that_take_time_store_and_tend_to_those_that_do_not():
    """A moving wall: energy with what is stored, order 1 in the relaxation time, restarts."""
    grid, magnet, found = line(COMM, 80), MAGNET, {}
    for time in (0.0, 2e-14, 4e-14):
        law = dataclasses.replace(BANDS, spin_relaxation_time=time)
        _, steps, watch = moved(grid, law, 0.05e-9, 1e-12, magnet=magnet, field=(30e-3, 0, 0))
        found[time] = watch.position(steps[-1].directions)
        spins = steps[-1].carriers.spins
        for s in steps[::9]:
            scale = max(map(abs, s.dissipation.values()))
            assert abs(sum(s.dissipation.values()) - s.supplied) < 1e-10 * scale
    assert law.capacitance * np.abs(spins).max() > 0 and steps[-1].carriers.stored != 0
    problem = IrreversibleProblem(grid, law, electrodes(law))
    halves = [Dynamics(grid, magnet, wall(magnet, LENGTH / 2), field=(30e-3, 0, 0), current=problem) for _ in (0, 1)]
    list(halves[0].steps(0.025e-9, step=1e-12))
    halves[1].restore(*halves[0].state())
    list(halves[1].steps(0.05e-9, step=1e-12))
    assert watch.position(halves[1].directions) == pytest.approx(found[4e-14], rel=0, abs=1e-9 * LENGTH)
    parts = [found[time] - found[0.0] for time in (2e-14, 4e-14)]
    assert parts[1] / parts[0] == pytest.approx(2, rel=0.1)


# ---- leads of normal metal
def test_accumulation_in_a_metal_tells_the_models_apart():
    """A uniform magnet that injects: Valet and Fert's closed form in magnet and metal; the generic magnet has none."""
    grid, current, copper = line(COMM, 300), 1.7e11, NormalMetal(2.3e-8, 80e-9, 120e-9)
    law = TwoBandMagnet.of(MAGNET, 12e-9)
    leads = {
        "left": Electrode(lambda x: x[0] < 1e-12, voltage=0.0, spin=copper),
        "right": Electrode(electrodes.right, current=-current),
    }
    found = IrreversibleProblem(grid, law, leads).solve((0.0, MS, 0.0))
    rho = 1 / (MAGNET.conductivity * (1 - MAGNET.polarization**2))
    own, outer = rho * 12e-9, copper.spin_resistance().real
    # The current comes in at the left end; of the spins that it carries beyond, those come out of the metal.
    spin = -MAGNET.polarization * current * own / (own + outer)
    assert found.spin_currents["left"] == pytest.approx(spin, rel=2e-3)
    x = grid.positions[: grid.owned, 0]
    exact = spin * outer * np.exp(-x / 12e-9)
    assert found.spins == pytest.approx(exact, rel=0, abs=3e-3 * np.abs(exact).max())
    assert found.dissipation["metals"] == pytest.approx(found.spin_currents["left"] ** 2 * outer, rel=1e-9)
    assert abs(found.balance) < 1e-11
    plain = {k: dataclasses.replace(v, spin="reservoir") for k, v in leads.items()}
    assert not IrreversibleProblem(grid, GenericMagnet.of(MAGNET), plain).solve((0.0, MS, 0.0)).spins.any()


# ---- what is refused, numbers, ranks
def test_what_is_refused():
    grid = line(COMM, 60)
    law = dataclasses.replace(GenericMagnet.of(MAGNET), A_perp=1.01 * GenericMagnet.of(MAGNET).A_perp)
    with pytest.raises(InputError, match="damping of the GenericMagnet"):
        moved(grid, law, 1e-12)
    with pytest.raises(InputError, match="another mesh"):
        problem = IrreversibleProblem(line(COMM, 40), BANDS, electrodes(BANDS))
        Dynamics(grid, MAGNET, wall(MAGNET, LENGTH / 2), current=problem)
    with pytest.raises(ModelError, match="entropy production is not positive"):
        moved(grid, dataclasses.replace(GenericMagnet.of(MAGNET), L_nM1=1e18), 1e-12)
    with pytest.raises(InputError, match="width"):
        WallEstimates.of(MAGNET, 0.0)
    with pytest.raises(InputError, match="GenericMagnet or a TwoBandMagnet"):
        thermal_drift(MAGNET, MS)


def test_the_numbers_of_the_paper():
    """Sec. VII.B for cobalt, as printed, and what they are of; 700 V/m, not 350."""
    cobalt = TexturedMagnet(1.45e6, 3e-11, damping=0.01, conductivity=3.4e7, polarization=0.6)
    sizes = WallEstimates.of(cobalt, 10e-9)
    assert sizes.coefficient == pytest.approx(5.1e15, rel=0.02)
    assert sizes.torque_ratio == pytest.approx(4e-7, rel=0.2)  # one digit; with gamma = 1.9e11
    assert sizes.torque_field(1e4) == pytest.approx(4e-3, rel=0.2)
    assert sizes.pumping_ratio == pytest.approx(7.0e3, rel=0.01)
    assert sizes.pumped_field(0.1) == pytest.approx(700, rel=0.01)
    assert sizes.voltage(0.1) == pytest.approx(7e-6, rel=0.01)
    assert sizes.voltage(1.0) == pytest.approx(2 * 0.6 * BOHR_MAGNETON / ELEMENTARY_CHARGE, rel=1e-12)
    assert WallEstimates.of(dataclasses.replace(cobalt, gyromagnetic_ratio=1.9e11), 10e-9).torque_ratio == (
        pytest.approx(sizes.torque_ratio, rel=1e-12)
    )
    assert math.isclose(WallEstimates.of(cobalt, 5e-9).voltage(0.3), sizes.voltage(0.3), rel_tol=1e-12)


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    return numbers(1, "moving.py", tmp_path_factory.mktemp("serial"))


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [2, 3])
def test_rank_counts_agree(ranks, serial, tmp_path):
    require_equal(numbers(ranks, "moving.py", tmp_path), serial)
