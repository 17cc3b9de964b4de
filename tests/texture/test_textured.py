"""Textured magnets: walls that fields and currents move, the voltages that they pump, and the laws behind both."""

import dataclasses
import math
import re

import numpy as np
import pytest
from dolfinx import mesh
from launch import numbers, python, require_equal
from samples.wires import LENGTH, MAGNET, circuit, left, line

from fespin.constants import BOHR_MAGNETON, ELECTRON_GYROMAGNETIC_RATIO, ELEMENTARY_CHARGE, HBAR
from fespin.drives import SampledDrive
from fespin.errors import InputError, ModelError, SolverError
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
    WallWatch,
    effective_field,
    pumped_field,
    respond,
    spin_transfer_coefficient,
    static_field,
    static_voltage,
    steepest_static,
    wall,
)
from fespin.texture.circuit import require_positive_entropy

OBLIQUE = dataclasses.replace(
    MAGNET, easy_axis=(1, 2, 2), hard_axis=(2, -2, 1), gyromagnetic_ratio=ELECTRON_GYROMAGNETIC_RATIO
)


def speed(history):
    """The mean velocity over the second half."""
    q, t = history.seen["q"], history.times
    half = len(t) // 2
    return (q[-1] - q[half]) / (t[-1] - t[half])


def watched(grid, magnet):
    watch = WallWatch(grid, magnet)
    return {
        "q": lambda s: watch.position(s.directions),
        "angle": lambda s: watch.angle(s.directions),
        "width": lambda s: watch.width(s.middle),
    }


# ---- walls
@pytest.mark.parametrize("magnet", [MAGNET, OBLIQUE], ids=["along x", "oblique"])
def test_walker_wall(comm, magnet):
    """Velocity, tilt and width below breakdown, with errors of second order in the mesh size."""
    field = 0.7 * magnet.walker_field
    expected = magnet.steady_wall(field)
    errors = []
    for cells in (75, 150):
        grid = line(comm, cells)
        start = wall(magnet, 80e-9, expected.angle, expected.width)
        motion = Dynamics(grid, magnet, start, field=field * np.array(magnet.easy_axis))
        seen = motion.run(0.4e-9, watched(grid, magnet), step=4e-12)
        errors.append(
            [
                speed(seen) / expected.velocity - 1,
                seen.seen["angle"][-1] / expected.angle - 1,
                seen.seen["width"][-1] / expected.width - 1,
            ]
        )
    velocity, tilt, width = np.abs(errors).T
    assert max(velocity[1], width[1]) < 0.006
    assert tilt.max() < 5e-4  # of the steps in time
    assert math.log2(velocity[0] / velocity[1]) == pytest.approx(2, abs=0.2)
    assert math.log2(width[0] / width[1]) == pytest.approx(2, abs=0.2)


@pytest.mark.parametrize("ratio", [0.99, 1.01])
def test_breakdown_field(comm, ratio):
    """One percent below Walker's field a wall keeps its tilt, one percent above it turns."""
    magnet = dataclasses.replace(MAGNET, damping=0.4)
    grid = line(comm, 260, 780e-9)
    field = ratio * magnet.walker_field
    motion = Dynamics(grid, magnet, wall(magnet, 100e-9, math.pi / 4), field=(field, 0, 0))
    found = motion.run(2.4e-9, watched(grid, magnet), step=1e-11, every=20)
    assert found.seen["q"].max() < 680e-9
    if ratio < 1:
        # So near to breakdown it goes back slowly.
        assert magnet.steady_wall(field).angle < found.seen["angle"][-1] < math.pi / 4 - 0.03
        assert (np.diff(found.seen["angle"][1:]) < 0).all()
    else:
        assert found.seen["angle"].max() > 1.5


@pytest.mark.slow
def test_order_in_time(comm):
    """Halving the step divides the error by four."""
    grid = line(comm, 60)
    ends = []
    for step in (1e-12, 0.5e-12, 0.25e-12, 0.05e-12):
        motion = Dynamics(grid, MAGNET, wall(MAGNET, 130e-9, 0.3), field=(0.02, 0.003, 0.0), current=1e12)
        list(motion.steps(0.16e-9, step=step))
        ends.append(motion.directions)
    errors = [np.abs(x - ends[-1]).max() for x in ends[:-1]]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.2)
    assert np.log2(errors[1] / errors[2]) == pytest.approx(2, abs=0.2)


def test_controlled_steps(comm):
    """The tolerance bounds the error; a smaller one makes it smaller."""
    grid, ends = line(comm, 60), []
    for given in ({"tolerance": 1e-3}, {"tolerance": 1e-5}, {"step": 0.1e-12}):
        motion = Dynamics(grid, MAGNET, wall(MAGNET, 130e-9, 0.3), field=(0.02, 0.003, 0.0))
        taken = len(list(motion.steps(0.16e-9, **given)))
        ends.append((taken, motion.directions, motion.time))
    errors = [np.abs(x[1] - ends[-1][1]).max() for x in ends[:-1]]
    assert errors[0] < 1e-1 and errors[1] < 1e-3 and errors[1] < errors[0] / 5
    assert ends[0][0] < ends[1][0] < ends[2][0]
    assert all(x[2] == 0.16e-9 for x in ends)


def edges(t):
    return 1.0 if 3.1e-9 < t < 3.172e-9 else 0.0


def bell(t):
    return math.exp(-(((t - 2.3e-9) / 60e-12) ** 2))


@pytest.mark.parametrize(("drive", "shape"), [("field", edges), ("current", bell), ("lead", edges)])
def test_pulses(comm, drive, shape):
    """A wall that was at rest for long goes as far in a short pulse as with small steps, whatever drives it."""
    magnet, found = dataclasses.replace(MAGNET, damping=0.12), []
    grid = line(comm, 60, 240e-9)
    watch = WallWatch(grid, magnet)
    for given in ({"tolerance": 1e-4}, {"step": 4e-12}):
        pulse = {
            "field": lambda: {"field": lambda t: (30e-3 * shape(t), 0, 5e-3)},
            "current": lambda: {"current": lambda t: -6e12 * shape(t), "field": (0, 0, 5e-3)},
            "lead": lambda: {
                "current": circuit(grid, magnet, 240e-9, voltage=lambda t: 0.3 * shape(t)),
                "field": (0, 0, 5e-3),
            },
        }[drive]()
        motion = Dynamics(grid, magnet, wall(magnet, 90e-9), **pulse)
        begin, end = (2.2e-9, 4e-9) if "step" in given else (0.0, 4e-9)
        if begin:  # at rest until then
            motion.run(begin, tolerance=1e-4, max_step=1e-10)
        seen = motion.run(end, {"q": lambda s: watch.position(s.directions)}, **given)
        found.append(seen.seen["q"][-1] - 90e-9)
        if "tolerance" in given:
            assert np.diff(seen.times).max() > 1.5e-10 and len(seen.times) < 400
            if shape is edges:
                assert min(abs(seen.times - 3.1e-9)) < 1e-20 and min(abs(seen.times - 3.172e-9)) < 1e-20
    assert abs(found[1]) > 1e-9
    assert found[0] == pytest.approx(found[1], rel=5e-3, abs=0)


def test_announced_times(comm):
    """Steps end at breakpoints, and are no longer than the longest; a pulse too short to be found is announced."""
    grid, moved = line(comm, 40, 240e-9), []
    watch = WallWatch(grid, MAGNET)
    short = (1.7034e-9, 1.7038e-9)
    for extra in ({}, {"breakpoints": [*short, 9.0, -1.0]}, {"step": 1e-11, "breakpoints": short}):
        motion = Dynamics(
            grid, MAGNET, wall(MAGNET, 90e-9), field=lambda t: (3.0 if short[0] < t < short[1] else 0.0, 0, 0)
        )
        seen = motion.run(4e-9, {"q": lambda s: watch.position(s.directions)}, **({"max_step": 3e-10} | extra))
        moved.append(seen.seen["q"][-1] - 90e-9)
        assert np.diff(seen.times).max() < 3.001e-10
        if extra:
            assert set(short) <= set(seen.times)
    assert abs(moved[0]) < 1e-10 < 1e-9 < moved[1]
    assert moved[2] == pytest.approx(moved[1], rel=0.02, abs=0)


def test_sampled_drives():
    """Jumps are found to rounding, ramps and waves have none; the mean over a step is right across jumps."""
    square = SampledDrive(lambda t: np.array([3.0 * (t % 0.37 < 0.11), 2.0]), 0.0, 1.5)
    exact = sorted(x for k in range(5) for x in (0.37 * k, 0.37 * k + 0.11) if 0 < x < 1.5)
    assert square.jumps == pytest.approx(exact, rel=1e-14)
    assert square.missed(0.05, 0.25) == pytest.approx([abs(3 * 0.06 / 0.2), 0], rel=1e-12)
    smooth = SampledDrive(lambda t: np.array([math.sin(300 * t), min(max(t - 0.4, 0), 0.01), t**3]), 0.0, 1.5)
    assert not len(smooth.jumps)
    assert smooth.missed(0.3, 0.9)[2] == pytest.approx((0.9**4 - 0.3**4) / 4 / 0.6 - 0.6**3, rel=1e-5)
    assert smooth.missed(0.3, 0.3001)[2] == pytest.approx((0.3001**4 - 0.3**4) / 4 / 1e-4 - 0.30005**3, rel=1e-3)
    constant = SampledDrive(lambda t: np.array([1.0, -2.0]), 0.0, 1.0)
    assert not constant.varies and not constant.missed(0.1, 0.9).any()


def test_breakdown(comm):
    """A wall that turns: its means against the formula of a rigid one, and its emf along the trajectory."""
    length, field = 400e-9, 8 * MAGNET.walker_field
    grid = line(comm, 180, length)
    velocity, turning = MAGNET.mean_motion(field)
    circuit_ = circuit(grid, MAGNET, length)
    turn = 2 * math.pi / turning
    motion = Dynamics(grid, MAGNET, wall(MAGNET, 180e-9), field=(field, 0, 0), current=circuit_)
    observe = watched(grid, MAGNET) | {"emf": lambda s: circuit_.voltage(s.flow, "right", "left")}
    seen = motion.run(1.5 * turn, observe, step=turn / 250)
    angle, q, t = np.unwrap(seen.seen["angle"]), seen.seen["q"], seen.times
    begin = np.interp(angle[-1] - 2 * math.pi, angle, t)
    rate = 2 * math.pi / (t[-1] - begin)
    assert rate == pytest.approx(turning, rel=0.01, abs=0)
    mean = (q[-1] - np.interp(begin, t, q)) / (t[-1] - begin)
    assert mean == pytest.approx(velocity, rel=0.05, abs=0)
    # hbar P/e times what the wall does, at each step and in the mean.
    turned, moved = (np.diff(x) / np.diff(t) for x in (angle, q))
    along = -2 * MAGNET.pumping_scale * (turned + MAGNET.nonadiabaticity * moved / seen.seen["width"][1:])
    emf = seen.seen["emf"]
    assert np.sqrt(np.mean((emf[1:] - along) ** 2)) < 0.015 * abs(emf.mean())
    mean_emf = emf[seen.middles > begin].mean()
    assert mean_emf == pytest.approx(MAGNET.mean_electromotive_force(field), rel=0.015, abs=0)
    assert mean_emf == pytest.approx(-2 * MAGNET.polarization * BOHR_MAGNETON * field / ELEMENTARY_CHARGE, rel=0.02)


@pytest.mark.parametrize("ratio", [0.7, 4.0])
def test_emf_follows_the_wall(comm, ratio):
    """-(hbar P/e)(turning + beta v/Delta) at each step, below and above breakdown, with an error of second order."""
    field = ratio * MAGNET.walker_field
    tilt = MAGNET.steady_wall(field).angle if ratio < 1 else 0.3
    errors = []
    for cells in (75, 150):
        grid, start = line(comm, cells), wall(MAGNET, 80e-9, tilt)
        opened = circuit(grid, MAGNET)
        motion = Dynamics(grid, MAGNET, start, field=(field, 0, 0), current=opened)
        watch = WallWatch(grid, MAGNET)
        observe = watched(grid, MAGNET) | {"emf": lambda s, c=opened: c.voltage(s.flow, "right", "left")}
        first = motion.directions
        seen = motion.run(0.1e-9, observe, step=0.5e-12)
        t = np.concatenate([[0.0], seen.times])
        angle = np.unwrap(np.concatenate([[watch.angle(first)], seen.seen["angle"]]))
        q = np.concatenate([[watch.position(first)], seen.seen["q"]])
        turning, moving = np.diff(angle) / np.diff(t), np.diff(q) / np.diff(t)
        expected = -2 * MAGNET.pumping_scale * (turning + MAGNET.nonadiabaticity * moving / seen.seen["width"])
        errors.append(math.sqrt(np.mean((seen.seen["emf"] - expected) ** 2) / np.mean(expected**2)))
    assert errors[1] < 0.008
    assert math.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.2)


def test_spin_waves_do_not_tilt_a_wall(comm):
    """A ripple in the domains, many times as long as the wall, hardly changes what counts as its tilt."""
    grid = line(comm, 300, 900e-9)
    still = wall(MAGNET, 450e-9, 0.4)
    ripple = lambda x: still(x) + 0.01 * np.array([0.0, 0.3, 1.0])  # noqa: E731
    watch = WallWatch(grid, MAGNET)
    assert watch.angle(grid.directions(still)) == pytest.approx(0.4, rel=1e-12)
    assert watch.angle(grid.directions(ripple)) == pytest.approx(0.4, abs=0.02)


@pytest.mark.parametrize("times", [0, 1, 2])
def test_current_driven_wall(comm, times):
    """Velocity beta u/alpha with u of the actual current, and the emf of the moving wall."""
    magnet = dataclasses.replace(MAGNET, nonadiabaticity=times * MAGNET.damping)
    density = -2.2e12
    drift = -magnet.polarization * BOHR_MAGNETON / (ELEMENTARY_CHARGE * magnet.saturation_magnetization) * density
    assert magnet.drift_per_current * density == pytest.approx(drift, rel=1e-12, abs=0)
    expected = magnet.steady_wall(current=density)
    assert expected.velocity == pytest.approx(times * drift, rel=1e-12, abs=1e-12)
    grid = line(comm, 180)
    driven = circuit(grid, magnet, current=-density)
    start = wall(magnet, 80e-9, expected.angle, expected.width)
    motion = Dynamics(grid, magnet, start, current=driven)
    observe = watched(grid, magnet) | {"emf": lambda s: driven.voltage(s.flow, "right", "left")}
    seen = motion.run(0.4e-9, observe, step=4e-12)
    assert speed(seen) == pytest.approx(expected.velocity, rel=0.01, abs=1e-3 * drift)
    assert seen.seen["angle"][-1] == pytest.approx(expected.angle, rel=0.01, abs=1e-3)
    emf = seen.seen["emf"][-1] + density * LENGTH / magnet.conductivity
    per_velocity = 2 * magnet.pumping_scale * magnet.nonadiabaticity / expected.width
    assert emf == pytest.approx(-per_velocity * expected.velocity, rel=0.01, abs=1e-10)


def test_closed_forms():
    """At breakdown the steady and the turning wall meet; fields and currents are those of the text."""
    magnet = dataclasses.replace(MAGNET, nonadiabaticity=0.0)
    drift = magnet.gyromagnetic_ratio * magnet.wall_width(math.pi / 4) * magnet.hard_field / 2
    assert magnet.breakdown_current() * abs(magnet.drift_per_current) == pytest.approx(drift, rel=1e-12)
    assert dataclasses.replace(MAGNET, nonadiabaticity=0.05).breakdown_current() == math.inf
    assert MAGNET.walker_field == pytest.approx(0.05 * 0.9e5 / 8.3e5, rel=1e-12, abs=0)
    for current in (0.0, 1e12, -3e12):
        u = MAGNET.drift_per_current * current
        found = MAGNET.steady_wall(0.5 * MAGNET.walker_field, current)
        gamma, width = MAGNET.gyromagnetic_ratio, MAGNET.wall_width(found.angle)
        assert found.width == pytest.approx(width, rel=1e-12)
        sine = 2 * (found.velocity - u) / (gamma * width * MAGNET.hard_field)
        assert math.sin(2 * found.angle) == pytest.approx(sine, rel=1e-9)
    slow, fast = (MAGNET.mean_motion(x * MAGNET.walker_field)[0] for x in (1 - 1e-9, 1 + 1e-9))
    assert slow == pytest.approx(fast, rel=1e-3)
    with pytest.raises(ModelError, match="no steady wall"):
        MAGNET.steady_wall(1.01 * MAGNET.walker_field)


# ---- laws
def swirl(x):
    """Something in three dimensions that is no solution of anything."""
    s = x / 40e-9
    return np.stack(
        [np.cos(s[:, 0] + s[:, 1]), np.sin(1.3 * s[:, 0] - s[:, 2]), 0.4 + np.sin(2 * s[:, 0]) * np.cos(s[:, 1])],
        axis=1,
    )


def meshes(comm):
    yield mesh.create_interval(comm, 30, [0, LENGTH])
    yield mesh.create_rectangle(comm, [[0, 0], [LENGTH, 40e-9]], [30, 4])
    yield mesh.create_box(comm, [[0, 0, 0], [LENGTH, 30e-9, 20e-9]], [20, 2, 2])


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_balance_and_reciprocity(comm, dim):
    """With all at work: lengths, energy, power of the circuit, and what torque and pumping take from one another."""
    grid = Grid(list(meshes(comm))[dim - 1])
    magnet = dataclasses.replace(OBLIQUE, easy_constant=1e4)  # walls of 41 nm, which the cells resolve
    transport = circuit(grid, magnet, voltage=lambda t: 0.1 * (1 + t / 1e-11))
    motion = Dynamics(
        grid,
        magnet,
        swirl,
        field=lambda t: (0.05, -0.02 * t / 1e-11, 0.01),
        current=transport,
        pinned=lambda x: x[0] < 20e-9,
    )
    held = motion.directions.copy()
    moved = []
    reversible = dataclasses.replace(magnet, nonadiabaticity=0.0)
    for s in motion.steps(2e-11, step=2e-12):
        assert np.abs(np.linalg.norm(s.directions, axis=1) - 1).max() < 1e-14
        scale = s.damped + abs(s.field_work) + abs(s.adiabatic_work)
        assert abs(s.energy_error) < 1e-10 * scale
        # What the adiabatic torque does to the magnet is taken from the circuit; beta's work is given twice.
        inner = np.einsum(
            "c,ci,ci", grid.volumes, s.flow.current_density, pumped_field(grid, reversible, s.middle, s.rate)
        )
        taken = -grid.comm.allreduce(inner) * s.size
        assert s.adiabatic_work == pytest.approx(taken, rel=1e-9, abs=1e-10 * scale)
        inner = np.einsum("c,ci,ci", grid.volumes, s.flow.current_density, s.flow.pumped)
        both = grid.comm.allreduce(inner) * s.size
        assert s.nonadiabatic_work - s.adiabatic_work == pytest.approx(both, rel=1e-9, abs=1e-10 * scale)
        # The reversible part is in what is supplied, and not in what is lost.
        lost = sum(s.dissipation.values())
        assert s.supplied == pytest.approx(lost, rel=1e-10, abs=0)
        assert lost > 0
        moved.append(abs(s.adiabatic_work) / lost)
    assert max(moved) > 1e-5
    pinned = grid.positions[: grid.owned, 0] < 20e-9
    assert (motion.directions[pinned] == held[pinned]).all()


def test_entropy_production(comm):
    """It is positive in a hundred random magnets that fulfil the condition, and not where it is broken."""
    # Parameters are those of all ranks, fields each rank's own.
    rng, own = np.random.default_rng(3), np.random.default_rng(10 + comm.rank)
    low = math.inf
    for _ in range(100):
        p, beta = rng.uniform(-1, 1), rng.uniform(-2, 2)
        cells = int(rng.integers(5, 20))
        grid = line(comm, cells, cells * rng.uniform(1e-9, 9e-9))
        m = grid.directions(own.normal(size=(grid.owned, 3)))
        rate = np.cross(m, own.normal(size=m.shape)) * 10 ** rng.uniform(9, 11)
        first = TexturedMagnet(8e5 * rng.uniform(0.1, 3), 1e-11, 1.0, 10 ** rng.uniform(5, 8), p, beta)
        slope = grid.largest(grid.steepness(grid.seen(m)))
        needed = first.damping * (slope / first.steepest) ** 2
        magnet = dataclasses.replace(first, damping=needed * rng.uniform(1, 1.5))
        require_positive_entropy(grid, magnet, grid.seen(m))
        pumped = pumped_field(grid, magnet, m, rate)
        across = pumped_field(grid, dataclasses.replace(magnet, nonadiabaticity=0.0), m, rate)
        # The current that costs least, and others.
        for current in (magnet.conductivity * (pumped - across), own.normal(size=pumped.shape) * 1e11):
            joule = grid.total(grid.volumes * (current**2).sum(axis=1)) / magnet.conductivity
            damping = magnet.damping_density * grid.total(grid.weights[: grid.owned] * (rate**2).sum(axis=1))
            beta_part = -2 * grid.total(grid.volumes * np.einsum("ci,ci->c", current, pumped - across))
            assert joule + damping + beta_part > 0
            low = min(low, (joule + damping + beta_part) / (joule + damping))
    assert low < 0.95
    # One cell, all of it turning along the slope of m: the worst case, twice too steep.
    grid = line(comm, 1, 4e-9)
    if comm.size == 1:
        m = np.array([[1.0, 0.1, 0.0], [1.0, -0.1, 0.0]]) / math.hypot(1, 0.1)
        magnet = dataclasses.replace(MAGNET, nonadiabaticity=3.0)
        magnet = dataclasses.replace(magnet, damping=(float(grid.steepness(m)[0]) / magnet.steepest / 2) ** 2 * 0.05)
        rate = np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]) * 1e10
        both = pumped_field(grid, magnet, m, rate)
        current = magnet.conductivity * both
        joule = grid.volumes[0] * (current**2).sum() / magnet.conductivity
        lost = magnet.damping_density * (grid.weights[:, None] * rate**2).sum() - joule
        assert lost < 0
        with pytest.raises(
            ModelError, match=r"entropy production is not positive at the start: \|grad m\| = .* at \(2e-09\)"
        ):
            Dynamics(grid, magnet, m)


def test_pumped_current_acts_back(comm):
    """A short circuit damps the wall's turning more than an open one: Lenz's law."""
    magnet = dataclasses.replace(MAGNET, conductivity=2e9, nonadiabaticity=0.0, hard_constant=0.0, damping=0.01)
    grid, turned = line(comm, 60, 100e-9), []
    for driven in ({}, {"voltage": 0.0}):
        motion = Dynamics(
            grid, magnet, wall(magnet, 50e-9), field=(0.1, 0, 0), current=circuit(grid, magnet, 100e-9, **driven)
        )
        *_, last = motion.steps(2e-11, step=1e-12)
        watch = WallWatch(grid, magnet)
        turned.append(
            (
                watch.position(last.directions) - 50e-9,
                watch.angle(last.directions),
                last.flow.joule * last.size / last.damped,
            )
        )
    (free, angle, none), (damped, other, joule) = turned
    assert none < 1e-12 and joule > 0.1
    assert damped > 1.1 * free  # what is lost, by damping or in the circuit, is the field's work 2 Ms B dq
    assert 0 < other < angle


# ---- static form
SHAPES = {
    "tanh": lambda x: wall(MAGNET, 110e-9, 0.4)(x),
    "linear": lambda x: np.stack(
        [np.cos(a := np.pi * np.clip((x[:, 0] - 90e-9) / 77e-9, 0, 1)), np.sin(a), 0 * a], axis=1
    ),
    "twisted": lambda x: np.stack(
        [
            np.cos(a := 3 * np.pi * np.clip((x[:, 0] - 50e-9) / 177e-9, 0, 1)),
            np.sin(a) * np.cos(1 + np.sin(3 * a)),
            np.sin(a) * np.sin(1 + np.sin(3 * a)),
        ],
        axis=1,
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_static_emf(comm, shape):
    """2 P mu_B B/e of any wall if beta = alpha, 0.7e-4 V/T for cobalt; an open circuit shows it, a short one a current.

    Of plane walls it is that times (1 + alpha beta)/(1 + alpha^2) for any beta.
    """
    cobalt = TexturedMagnet(1.45e6, 1.4e-11, 0.01, 3.4e7, 0.6, 0.01, easy_constant=5e5)
    grid, field = line(comm, 90), 0.13
    pumped = static_field(grid, cobalt, SHAPES[shape], (field, 0, 0))
    expected = -2 * 0.6 * BOHR_MAGNETON / ELEMENTARY_CHARGE * field
    ends = (
        1.0
        if shape != "tanh"
        else 0.5 * (np.tanh(110e-9 / MAGNET.wall_width(0.4)) + np.tanh(190e-9 / MAGNET.wall_width(0.4)))
    )
    assert grid.total(grid.volumes * pumped[:, 0]) == pytest.approx(ends * expected, rel=1e-12, abs=0)
    assert ends == pytest.approx(1, abs=1e-6)
    opened = circuit(grid, cobalt).solve(pumped)
    assert opened.voltages["right"] == pytest.approx(expected, rel=1e-6, abs=0)
    shorted = circuit(grid, cobalt, voltage=0.0).solve(pumped)
    assert shorted.currents["left"] == pytest.approx(expected * 3.4e7 / LENGTH, rel=1e-6, abs=0)
    assert -expected / field == pytest.approx(0.7e-4, rel=0.01, abs=0)
    assert spin_transfer_coefficient(cobalt) == pytest.approx(5.1e15, rel=0.01, abs=0)
    assert static_voltage(cobalt) * field == pytest.approx(-expected, rel=1e-9, abs=0)
    if shape != "twisted":
        other = dataclasses.replace(cobalt, damping=0.6, nonadiabaticity=-0.3)
        found = grid.total(grid.volumes * static_field(grid, other, SHAPES[shape], (field, 0, 0))[:, 0])
        assert found == pytest.approx(ends * expected * (1 - 0.18) / 1.36, rel=1e-9, abs=0)
        assert static_voltage(other) * field == pytest.approx(-expected * (1 - 0.18) / 1.36, rel=1e-9, abs=0)


@pytest.mark.parametrize(("alpha", "beta"), [(0.9, -0.4), (0.3, 1.6), (0.05, 0.0)])
def test_saslow_against_gilbert(comm, alpha, beta):
    """One torque and one pumped voltage in both descriptions, at any damping and gamma, of an oblique wall and field.

    What they differ by on a mesh is of second order in its cells.
    """
    magnet = dataclasses.replace(OBLIQUE, damping=alpha, nonadiabaticity=beta, gyromagnetic_ratio=2.6e11)
    ms, density, applied = magnet.saturation_magnetization, -1.7e11, (0.07, -0.05, 0.11)
    start, gaps = wall(magnet, 40e-9, 0.8, 9e-9), []
    for cells in (80, 160):
        grid = line(comm, cells, 80e-9)
        opened = circuit(grid, magnet, 80e-9)

        def moved(grid=grid, **drive):
            motion = Dynamics(grid, magnet, start, field=applied, **drive)
            (step,) = motion.steps(1e-17, step=1e-17)
            return step

        torque = moved(current=density).rate - moved().rate
        pumped = opened.voltage(moved(current=opened).flow, "left", "right")
        m = grid.directions(start)
        field = effective_field(grid, magnet, m, grid.vectors(applied, "field"))
        rest = opened.voltage(opened.solve(static_field(grid, magnet, start, field)), "left", "right")
        generic = GenericMagnet.of(magnet)
        ends = {k: Electrode(x.where, voltage=x.voltage) for k, x in opened.leads.items()}
        told = IrreversibleProblem(grid, generic, ends).solve(ms * m, field)
        for law in (generic, TwoBandMagnet.of(magnet, 31e-9)):
            other = respond(grid, law, ms * m, (0, 0, 0), {"phi": -density / magnet.conductivity}).torque / ms
            gaps.append(grid.largest(np.abs(other - torque)) / grid.largest(np.abs(torque)))
        assert told.voltages["left"] - told.voltages["right"] == pytest.approx(rest, rel=1e-9, abs=0)
        gaps.append(abs(pumped / rest - 1))
    first, second = np.reshape(gaps, (2, -1))
    assert second.max() < 0.01
    assert np.log2(first / second) == pytest.approx(2, abs=0.3)


def test_static_entropy(comm):
    """In (grad mu, H) beta drops out to rounding, the adiabatic terms dissipate, and the bound is that of the text."""
    magnet = dataclasses.replace(MAGNET, nonadiabaticity=1.7, conductivity=3.4e7, damping=0.003)
    grid = line(comm, 40, 60e-9)
    limit = steepest_static(magnet)
    bound = 2 * 0.003 * ELEMENTARY_CHARGE**2 * 8.3e5 / (HBAR * 0.55**2 * 3.4e7 * BOHR_MAGNETON)
    assert limit**2 == pytest.approx(bound * (1 + 0.003**2) / (1 + 0.003 * 1.7) ** 2, rel=1e-12, abs=0)

    def helix(x, slope):
        return np.stack([np.cos(slope * x[:, 0]), np.sin(slope * x[:, 0]), 0 * x[:, 0]], axis=1)

    generic = GenericMagnet.of(magnet)
    ms, xi, e = magnet.saturation_magnetization, spin_transfer_coefficient(magnet), ELEMENTARY_CHARGE
    # The field along the slope of m, and the gradient that makes the most of it.
    shares = []
    for factor in (0.5, 0.9, 0.999):
        slope = factor * limit
        h = lambda x, k=slope: helix(x, k)[:, [1, 0, 2]] * [-1, 1, 1] * 0.1  # noqa: E731
        push = xi * e * ms * slope * 0.1 / magnet.conductivity
        found = respond(grid, generic, lambda x, k=slope: ms * helix(x, k), h, {"phi": push})
        assert np.abs(found.reversible).max() < 1e-12 * found.dissipation["conductivity"].max()
        shares.append(found.total.max() / found.dissipation["A_perp"].max())
    assert shares == pytest.approx([1 - f**2 for f in (0.5, 0.9, 0.999)], rel=2e-2, abs=5e-3)
    with pytest.raises(ModelError, match=r"not positive at \(.*\) m, .* L_nM1 is too large .* conductivity .*, A_perp"):
        respond(grid, generic, lambda x: ms * helix(x, 1.01 * limit), (0.03, 0.02, 0.1), {"phi": 1e4})
    # J = sigma E without a field; the torque is beta's and the adiabatic one.
    gentle = GenericMagnet.of(dataclasses.replace(magnet, damping=0.1))
    rest = respond(grid, gentle, lambda x: ms * helix(x, 1e8), (0, 0, 0), {"phi": 1e4})
    assert rest.current_density[:, 0] == pytest.approx(-3.4e11 * np.ones(len(grid.cells)), rel=1e-12, abs=0)
    u = magnet.drift_per_current * -3.4e11
    steep = np.linalg.norm(grid.gradient(grid.seen(grid.directions(lambda x: helix(x, 1e8))))[:, 0], axis=1)
    inner = (grid.positions[: grid.owned, 0] > 1e-9) & (grid.positions[: grid.owned, 0] < 59e-9)
    size = np.linalg.norm(rest.torque, axis=1)[inner] / ms
    # A node has the mean of two cells, whose slopes are 0.15 rad apart; m x grad m is along z in both.
    size *= 1 + 0.1**2
    assert size == pytest.approx(abs(u) * steep[0] * math.hypot(1.17 * math.cos(0.075), 1.6), rel=1e-9, abs=0)


# ---- resolution
def test_walls_that_stick_to_the_mesh(comm):
    """Cells of 0.59 widths let a wall go at some percent of its speed, wider ones are refused, oblique or not."""
    width = MAGNET.wall_width()
    start, across = wall(MAGNET, 117e-9), np.array([0.6, 0.8, 0])

    def oblique(x):
        return start(np.stack([x @ across, 0 * x[:, 0], 0 * x[:, 0]], axis=1))

    for share, fine in ((0.59, True), (0.61, False), (1.7, False)):
        cells = round(LENGTH / (share * width))
        magnet = dataclasses.replace(MAGNET, exchange=MAGNET.exchange * (LENGTH / cells / (share * width)) ** 2)
        made = [(line(comm, cells), start)]
        h = LENGTH / cells
        made.append((Grid(mesh.create_rectangle(comm, [[0, 0], [h * cells, h * 5]], [cells, 5])), oblique))
        for grid, m in made:
            if fine:
                Dynamics(grid, magnet, m).destroy()
                continue
            with pytest.raises(
                InputError, match=r"a cell at \(.*\) m is .* m wide across a wall of width .* 0.6 widths"
            ):
                Dynamics(grid, magnet, m)
    with pytest.raises(InputError, match="3e-08 m wide across a wall"):  # with a node in its middle
        Dynamics(line(comm, 10), MAGNET, wall(MAGNET, 150e-9))
    # What is no wall, or not held by the anisotropy, may be coarse.
    Dynamics(line(comm, 16), MAGNET, lambda x: np.stack([0 * x[:, 0], np.cos(9e6 * x[:, 0]), 1 + 0 * x[:, 0]], axis=1))
    Dynamics(line(comm, 16), dataclasses.replace(MAGNET, easy_constant=0.0), start)


# ---- other dimensions, other drives
def tapered(comm, dim, cells=(48, 8, 3)):
    """A wire whose section grows by 1.6, in each direction across it, over a part of its length, with crooked cells."""
    if dim == 2:
        domain = mesh.create_rectangle(comm, [[0, 0], [LENGTH, 40e-9]], cells[:2])
    else:
        domain = mesh.create_box(comm, [[0, 0, 0], [LENGTH, 40e-9, 20e-9]], cells)
    x = domain.geometry.x
    inside = np.minimum(x[:, 0], LENGTH - x[:, 0]) / LENGTH
    x[:, 0] += 2e-9 * np.sin(9e7 * x[:, 1] + 3e8 * x[:, 2] + 40 * x[:, 0] / LENGTH) * (inside > 1e-6)
    x[:, 1:] *= 1 + 0.6 * np.clip((x[:, :1] - 80e-9) / 110e-9, 0, 1)
    return Grid(domain)


@pytest.mark.parametrize("dim", [2, 3])
def test_emf_in_any_section(comm, dim):
    """Against the magnet at rest: the pumped field along the way of the current, driven as it may be; none at rest."""
    grid = tapered(comm, dim)
    x = grid.positions[: grid.owned]
    m = grid.directions(wall(OBLIQUE, 120e-9, 0.9))
    rate = np.cross(m, 3e9 * np.stack([np.cos(4e7 * x[:, 0]), np.sin(6e7 * x[:, 1]), 0.3 + 0 * x[:, 2]], axis=1))
    push = pumped_field(grid, OBLIQUE, m, rate)
    points = np.array([[30e-9, 9e-9, 8e-9], [105e-9, 11e-9, 9e-9], [260e-9, 13e-9, 7e-9]])[:, :dim]
    found = []
    for drive in ({}, {"current": 4e5 * (2e-8 if dim == 3 else 1)}, {"voltage": -3e-3}, {"voltage": 3e-3}):
        wire = circuit(grid, OBLIQUE, **drive)
        flow = wire.moving(m, rate)
        unit = wire.at_rest(circuit(grid, OBLIQUE, voltage=-1.0).solve())
        along = grid.total(grid.volumes * np.einsum("ci,ci->c", unit.current_density, push)) / unit.currents["left"]
        read = wire.probe(points)
        parts = np.diff(read(flow)) - np.diff(read(wire.at_rest(flow)))
        found.append([wire.electromotive_force(flow, "left", "right"), *parts])
        assert found[-1][0] == pytest.approx(along, rel=1e-8, abs=0)
        assert wire.electromotive_force(flow, "right", "left") == pytest.approx(-along, rel=1e-8, abs=0)
        still = wire.moving(m, 0 * rate)
        # A difference of voltages that are far larger: rounding of them is left.
        rounding = 4 * np.finfo(float).eps * max(abs(v) for v in still.voltages.values())
        assert abs(wire.electromotive_force(still, "left", "right")) < 1e-11 * abs(along) + rounding
        assert wire.at_rest(flow).supplied == pytest.approx(wire.at_rest(flow).joule, rel=1e-8, abs=1e-30)
    assert np.array(found) == pytest.approx(np.array(found[0]) * np.ones((4, 1)), rel=1e-7, abs=0)
    # Ohm's law of a straight wire is off by more than there is.
    ohm = (
        flow.currents["left"] / grid.totals(0.0, 40e-9 * (20e-9 if dim == 3 else 1))[1] * LENGTH / OBLIQUE.conductivity
    )
    assert abs(ohm - (flow.voltages["left"] - flow.voltages["right"])) > 10 * abs(along)


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("place", [60e-9, 140e-9, 230e-9])
def test_walls_in_any_section(comm, dim, place):
    """Position, tilt and width of a wall do not depend on the section where it is."""
    grid = tapered(comm, dim, (90, 6, 2))
    watch, width = WallWatch(grid, MAGNET), 11e-9
    m = grid.directions(wall(MAGNET, place, 2.1, width))
    assert watch.position(m) == pytest.approx(place, abs=0.06e-9)
    assert watch.width(m) == pytest.approx(width, rel=0.01)
    assert watch.angle(m) == pytest.approx(2.1, abs=1e-9)
    assert watch.position(grid.directions((1.0, 0, 0))) == pytest.approx(LENGTH, rel=1e-12)
    assert watch.position(grid.directions((-1.0, 0, 0))) == pytest.approx(0, abs=1e-12 * LENGTH)


def test_strip_is_a_wire(comm):
    """A wall in a strip moves as in a wire; probes see it pass."""
    field = 0.6 * MAGNET.walker_field
    found = {}
    grids = {
        "wire": line(comm, 75, 150e-9),
        "strip": Grid(mesh.create_rectangle(comm, [[0, 0], [150e-9, 8e-9]], [75, 4])),
    }
    for name, grid in grids.items():
        transport = circuit(grid, MAGNET, 150e-9)
        probe = transport.probe([40e-9, 111e-9] if name == "wire" else [[40e-9, 3e-9], [111e-9, 8e-9]])
        expected = MAGNET.steady_wall(field)
        start = wall(MAGNET, 75e-9, expected.angle, expected.width)
        motion = Dynamics(grid, MAGNET, start, field=(field, 0, 0), current=transport)
        *_, last = motion.steps(4e-11, step=4e-12)
        low, high = probe(last.flow)
        found[name] = [WallWatch(grid, MAGNET).position(motion.directions) - 75e-9, high - low]
        function = grid.function(motion.directions)
        assert function.x.array.reshape(-1, 3)[:, 0].min() < -0.99
    assert found["strip"] == pytest.approx(found["wire"], rel=5e-3, abs=0)
    assert found["wire"][1] == pytest.approx(MAGNET.mean_electromotive_force(field), rel=0.02, abs=0)


def test_uniform_magnet_precesses(comm):
    """Larmor's precession and damping of a uniform magnet, field along z: the closed form of Gilbert's equation."""
    magnet = TexturedMagnet(7e5, 1e-11, 0.1, 1e6, 0.4)
    motion = Dynamics(line(comm, 3), magnet, (1, 0, 0.2), field=lambda t: (0, 0, 0.3))
    *_, last = motion.steps(3e-10, step=2e-13)
    gamma, alpha = magnet.gyromagnetic_ratio, 0.1
    t, b = 3e-10, 0.3
    angle = gamma * b * t / (1 + alpha**2)
    theta = 2 * math.atan(math.tan(math.atan(5) / 2) * math.exp(-alpha * angle))
    expected = [math.sin(theta) * math.cos(angle), math.sin(theta) * math.sin(angle), math.cos(theta)]
    assert last.directions[0] == pytest.approx(expected, abs=1e-3)


def test_currents_given_as_numbers_and_fields(comm):
    """A number, a vector, an array and a function of the time are the same current; a circuit's at rest, too."""
    grid, ends = line(comm, 60), []
    for given in (2e12, (2e12, 0, 0), np.full((len(grid.cells), 3), [2e12, 0, 0]), lambda t: 2e12):
        motion = Dynamics(grid, MAGNET, wall(MAGNET, 150e-9), current=given)
        list(motion.steps(1e-11, step=2e-12))
        ends.append(motion.directions)
    assert all((x == ends[0]).all() for x in ends)
    plate = Grid(mesh.create_rectangle(comm, [[0, 0], [LENGTH, 40e-9]], [12, 4]))
    flow = circuit(plate, MAGNET, current=-3.0).solve()
    assert flow.currents == pytest.approx({"left": 3.0, "right": -3.0}, rel=1e-12)
    assert flow.current_density[:, 0] == pytest.approx(np.full(len(plate.cells), 3.0 / 40e-9), rel=1e-9)
    assert flow.supplied == pytest.approx(flow.joule, rel=1e-12) and flow.joule > 0


# ---- input
def test_bad_input(comm):
    grid = line(comm, 60)
    good = wall(MAGNET, 150e-9)
    for change, text in (
        ({"damping": 0.0}, "damping is 0.0; it must be finite and positive"),
        ({"exchange": math.nan}, "exchange is nan"),
        ({"polarization": 1.2}, "polarization is 1.2; it must be from -1 to 1"),
        ({"nonadiabaticity": "x"}, "nonadiabaticity is 'x'"),
        ({"easy_constant": -1.0}, "easy_constant is -1.0; it must be finite and not negative"),
        ({"hard_axis": (1, 0, 1)}, "hard_axis [1, 0, 1] is not perpendicular"),
        ({"easy_axis": (0, 0, 0)}, "easy_axis is zero"),
        ({"conductivity": 1e-300}, "conductivity is 1e-300; it must be from 1e-30 to 1e+30"),
        ({"nonadiabaticity": -1e40}, "nonadiabaticity is -1e+40; it must be from 1e-30 to 1e+30 in size"),
    ):
        with pytest.raises(InputError, match=re.escape(text)) as error:
            dataclasses.replace(MAGNET, **change)
        assert "\n" not in str(error.value)
    ground = Lead(left, voltage=0.0)
    for leads, text in (
        ({"a": Lead(left)}, "no lead has a voltage"),
        ({"a": ground, "b": Lead(left)}, "two leads have a node in common"),
        ({"a": ground, "b": Lead(lambda x: x[0] > 1)}, "lead 'b' touches no part"),
        ({"a": Lead(left, voltage=0.0, current=1.0)}, "voltage and current"),
        ({"a": Lead(left, voltage=math.inf)}, "voltage is inf"),
        ({"a": 3}, "lead 'a' is 3"),
    ):
        with pytest.raises(InputError, match=text):
            OhmicCircuit(grid, MAGNET, leads)
    transport = circuit(grid, MAGNET)
    with pytest.raises(InputError, match="did you mean 'left'"):
        transport.voltage(transport.solve(), "lefft", "right")
    with pytest.raises(InputError, match=r"probe at 3.1e-07 m lies outside"):
        transport.probe([1e-7, 3.1e-7])
    with pytest.raises(InputError, match="finite"):
        circuit(grid, MAGNET, voltage=lambda t: math.nan).solve()
    for given, text in (
        ({"start": (0, 0, 0)}, "start is zero"),
        ({"start": lambda x: x[:, :2]}, "start must be three"),
        ({"field": (1, 2)}, "field must be three"),
        ({"field": lambda t: "x"}, "field at t = 0 s must be"),
        ({"current": (1, 2, 3, 4)}, "current must be a finite vector"),
        ({"pinned": lambda x: x[0] > 1}, "pinned holds no node"),
        ({"current": circuit(grid, OBLIQUE)}, "another magnet or mesh"),
    ):
        with pytest.raises(InputError, match=text):
            Dynamics(grid, MAGNET, **{"start": good, **given})
    motion = Dynamics(grid, MAGNET, good)
    for given, text in (
        ({"until": -1.0}, "until is -1.0"),
        ({"until": 1e-9, "step": 0.0}, "step is 0.0"),
        ({"until": 1e-9, "tolerance": 1.0}, "tolerance is 1.0"),
        ({"until": 1e-9, "max_step": -1e-12}, "max_step is -1e-12"),
        ({"until": 1e-9, "breakpoints": [math.nan]}, "breakpoints holds nan"),
    ):
        with pytest.raises(InputError, match=text):
            motion.steps(**given)
    with pytest.raises(InputError, match="kind quadrilateral"):
        Grid(mesh.create_unit_square(comm, 2, 2, mesh.CellType.quadrilateral))
    with pytest.raises(InputError, match="width is 0"):
        wall(MAGNET, 0.0, width=0.0)
    with pytest.raises(ModelError, match="easy axis"):
        dataclasses.replace(MAGNET, easy_constant=0.0).wall_width()
    weak = {"ksp_type": "gmres", "ksp_max_it": 1, "pc_type": "none"}
    with pytest.raises(
        SolverError, match=r"magnetization failed; try a smaller step, or PETSc options .* -fespin_texture_"
    ):
        list(Dynamics(grid, MAGNET, good, field=(0.1, 0.02, 0), options=weak).steps(1e-7, step=1e-7))


# ---- ranks
def test_what_fails_on_one_rank_fails_on_all(tmp_path):
    """A user's function that raises on one of two ranks ends both with its words."""
    script = tmp_path / "error.py"
    script.write_text(
        "from dolfinx import mesh\nfrom mpi4py import MPI\nfrom fespin import InputError\n"
        "from fespin.texture import Dynamics, Lead, TexturedMagnet, OhmicCircuit\n"
        "comm = MPI.COMM_WORLD\nline = mesh.create_interval(comm, 9, [0, 9e-8])\n"
        "magnet = TexturedMagnet(8e5, 1e-11, 0.1, 1e6, 0.5)\n"
        "def bad(x): return x[:, :3] if comm.rank == 0 else [][7]\n"
        "def ends(x): return x[0] < 1e-12 if comm.rank == 0 else [][7]\n"
        "def late(t): return (0, 0, 0) if comm.rank == 0 or t < 5e-10 else [][7]\n"
        "def push(t): return 0.0 if comm.rank == 0 or t < 5e-10 else [][7]\n"
        "wire = OhmicCircuit(line, magnet, {'a': Lead(lambda x: x[0] < 1e-12, push)})\n"
        "for work in (lambda: Dynamics(line, magnet, bad),\n"
        "             lambda: OhmicCircuit(line, magnet, {'a': Lead(ends, 0.0)}),\n"
        "             lambda: Dynamics(line, magnet, (1, 0, 0), pinned=ends),\n"
        "             lambda: next(Dynamics(line, magnet, (1, 0, 0), field=late).steps(1e-9)),\n"
        "             lambda: next(Dynamics(line, magnet, (1, 0, 0), current=wire).steps(1e-9))):\n"
        "    try: work()\n"
        "    except InputError as error: assert 'IndexError: list index out of range' in str(error), error\n"
        "    else: raise AssertionError\n"
        "print('refused')\n"
    )
    done = python(2, script, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("refused") == 2


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [2, 3])
def test_rank_counts_agree(ranks, tmp_path):
    """Motion, voltages, energies and static fields to 1e-9 on several ranks."""
    serial = numbers(1, "textured.py", tmp_path)
    require_equal(numbers(ranks, "textured.py", tmp_path), serial)
