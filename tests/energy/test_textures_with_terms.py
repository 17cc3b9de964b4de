"""Textures with DMI, cubic, interface and interlayer energies: closed forms at rest, and balances in motion."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import ufl
from dolfinx import mesh

import fespin as fs
from fespin.errors import InputError, ModelError
from fespin.grid import Grid
from fespin.texture import Dynamics, TexturedMagnet, WallWatch, relax, stored_energy, wall
from fespin.texture.midpoint import Midpoint

A, K, MS = 1.6e-11, 4.1e5, 9.3e5
WIDTH, SCALE = math.sqrt(A / K), math.sqrt(A * K)
D = 0.35 * 4 * SCALE / math.pi
# Easy along the normal of a film, x along the wire: a wall of angle 0 has m_x > 0, Neel's kind.
FILM = TexturedMagnet(MS, A, 0.6, 1e6, 0.0, easy_constant=K, easy_axis=(0, 0, 1), hard_axis=(0, 1, 0))
LENGTH = 12 * WIDTH


def line(comm, cells=96, length=LENGTH):
    return Grid(mesh.create_interval(comm, cells, [0, length]))


def with_terms(*terms, magnet=FILM):
    return dataclasses.replace(magnet, terms=terms)


def orders(errors):
    return [math.log2(a / b) for a, b in itertools.pairwise(errors)]


# ---- Dzyaloshinskii-Moriya interaction
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("term", "angle"), [(fs.InterfacialDMI, 0.0), (fs.BulkDMI, math.pi / 2)], ids=["Neel", "Bloch"]
)
def test_energy_of_a_wall(comm, sign, term, angle):
    """4 sqrt(A K) +- pi D of the two senses of Neel's wall in a film, of Bloch's in a chiral crystal."""
    for half, sense in ((0.0, 1), (math.pi, -1)):
        errors = []
        for cells in (64, 128, 256):
            grid = line(comm, cells, 30 * WIDTH)
            m = grid.directions(wall(FILM, 15 * WIDTH, angle + half))
            expected = 4 * SCALE + sense * sign * math.pi * D
            errors.append(abs(stored_energy(grid, with_terms(term(sign * D)), m) / expected - 1))
        assert errors[-1] < 2e-3
        assert orders(errors) == pytest.approx([2, 2], abs=0.1)
    # A wall of the other kind does not feel it.
    m = grid.directions(wall(FILM, 15 * WIDTH, angle + math.pi / 2))
    assert stored_energy(grid, with_terms(term(sign * D)), m) == pytest.approx(4 * SCALE, rel=2e-3)


@pytest.mark.parametrize(
    ("term", "angle"),
    [(fs.InterfacialDMI(D), math.pi), (fs.InterfacialDMI(-D), 0.0), (fs.BulkDMI(D), -math.pi / 2)],
    ids=["Neel", "other Neel", "Bloch"],
)
def test_walls_turn_to_what_dmi_prefers(comm, term, angle):
    """A wall of the wrong kind turns to the right one, whose energy above two free edges is 4 sqrt(A K) - pi |D|."""
    magnet, grid = with_terms(term), line(comm)
    motion = Dynamics(grid, magnet, wall(FILM, LENGTH / 2, angle + 1.8))
    last = relax(motion, 2e-4, within=5e-8)
    watch = WallWatch(grid, FILM)
    turned = watch.angle(last.directions) - angle
    assert math.remainder(turned, 2 * math.pi) == pytest.approx(0, abs=0.01)
    alone = relax(Dynamics(grid, magnet, (0, 0, 1)), 1e-5)
    assert last.energy - alone.energy == pytest.approx(4 * SCALE - math.pi * D, rel=0.01)
    assert last.energy < alone.energy + 4 * SCALE - 0.9 * math.pi * D


def test_tilt_at_a_free_edge(comm):
    """sin(theta) = D Delta/(2 A) at both ends of a film, by the natural boundary condition alone, of second order."""
    errors = []
    for cells in (32, 64, 128):
        grid = line(comm, cells)
        m = relax(Dynamics(grid, with_terms(fs.InterfacialDMI(D)), (0, 0, 1)), 1e-5).directions
        x = grid.positions[: grid.owned, 0]
        low, high = (grid.total(m[np.isclose(x, end, atol=1e-12), 0]) for end in (0.0, LENGTH))
        expected = D * WIDTH / (2 * A)
        errors.append(abs(low / expected - 1))
        assert high == pytest.approx(-low, rel=1e-4)
    assert errors[-1] < 2e-3
    assert orders(errors) == pytest.approx([2, 2], abs=0.3)


def test_tilt_at_an_oblique_edge(comm):
    """The whole film turned in space, with its normal, behaves as it does along the axes."""
    turn = np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0.0], [0.48, 0.64, 0.6]])
    points = np.linspace(0, LENGTH, 49)[:, None] * turn[:, 0]
    if comm.size > 1:
        pytest.skip("a mesh made by hand")
    import basix.ufl

    from fespin._compat import create_mesh

    cells = np.stack([np.arange(48), np.arange(1, 49)], axis=1).astype(np.int64)
    bent = create_mesh(comm, cells, basix.ufl.element("Lagrange", "interval", 1, shape=(3,)), points)
    magnet = dataclasses.replace(
        FILM, easy_axis=turn[:, 2], hard_axis=turn[:, 1], terms=(fs.InterfacialDMI(D, tuple(turn[:, 2])),)
    )
    oblique = relax(Dynamics(Grid(bent), magnet, tuple(turn[:, 2])), 1e-5)
    straight = relax(Dynamics(line(comm, 48), with_terms(fs.InterfacialDMI(D)), (0, 0, 1)), 1e-5)
    assert oblique.energy == pytest.approx(straight.energy, rel=1e-6)
    back = oblique.directions @ turn
    place = np.argsort(oblique.directions @ turn[:, 0])
    assert np.sort(back[:, 0]) == pytest.approx(np.sort(straight.directions[:, 0]), abs=1e-3)
    assert len(place) == 49


def test_period_of_a_helix(comm):
    """Without anisotropy a chiral crystal turns by D/(2 A) per length; on a mesh by arctan(D h/2 A) a cell."""
    cells, length = 40, 60e-9
    magnet = TexturedMagnet(MS, A, 0.8, 1e6, 0.0, terms=(fs.BulkDMI(1.7e-3),))
    k = 1.7e-3 / (2 * A)

    def helix(x):
        angle = 0.9 * k * x[:, 0]
        return np.stack([0.05 + 0 * angle, np.cos(angle), -np.sin(angle)], axis=1)

    grid = line(comm, cells, length)
    m = relax(Dynamics(grid, magnet, helix), 1e-6, within=1e-7).directions
    corners = grid.seen(m)[grid.cells]
    turn = np.arccos(np.clip(np.sum(corners[:, 0] * corners[:, 1], axis=1), -1, 1))
    assert turn == pytest.approx(np.full(len(turn), math.atan(k * length / cells)), rel=1e-4)
    assert 2 * math.pi / (turn.mean() * cells / length) == pytest.approx(4 * math.pi * A / 1.7e-3, rel=3e-3)


# ---- local energies
E1, E2 = np.array([1.0, 2.0, 2.0]) / 3, np.array([2.0, -2.0, 1.0]) / 3
E3 = np.cross(E1, E2)


@pytest.mark.parametrize(
    ("constant", "second", "states", "energy"),
    [
        (5e4, 0.0, [E1, E2, E3], 0.0),
        (-5e4, 0.0, [(E1 + E2 + E3) / 3**0.5, (E1 - E2 + E3) / 3**0.5], -5e4 / 3),
        (-5e4, 9e5, [(E1 + E2) / 2**0.5, (E2 - E3) / 2**0.5], -5e4 / 4),
    ],
    ids=["edges", "diagonals", "faces"],
)
def test_ground_states_of_cubic_magnets(comm, constant, second, states, energy):
    term = fs.Cubic(constant, tuple(E1), tuple(E2), second)
    grid = line(comm, 8, 30e-9)
    magnet = TexturedMagnet(MS, A, 0.8, 1e6, 0.0, terms=(term,))
    zero = fs.Macrospin.of(fs.Magnet(MS, 0.1, [term]), 1e-24).energy(np.array([magnet.easy_axis]))[0] / 1e-24
    for state in states:
        start = state + 0.15 * np.array([0.3, -0.8, 0.5])
        last = relax(Dynamics(grid, magnet, start), 1e-6, within=2e-7)
        assert last.directions == pytest.approx(np.broadcast_to(state, last.directions.shape), abs=1e-4)
        assert last.energy / grid.volume + zero == pytest.approx(energy, abs=1e-3 * abs(constant))


def test_anisotropy_of_a_face(comm):
    """It turns the magnet at its face if K_s > sqrt(A K), by an angle with cos(theta) = sqrt(A K)/K_s."""
    for ratio, expected in ((1.6, 1 / 1.6), (0.8, 1.0)):
        errors = []
        for cells in (48, 96):
            term = fs.InterfaceAnisotropy(ratio * SCALE, (1, 0, 0), face=lambda x: x[0] < 1e-12)
            grid = line(comm, cells)
            motion = Dynamics(grid, with_terms(term), (0.3, 0.02, 1))
            m = relax(motion, 2e-5, within=1e-7).directions
            at = np.isclose(grid.positions[: grid.owned, 0], 0.0, atol=1e-12)
            errors.append(abs(grid.total(m[at, 2]) - expected))
        assert errors[-1] < 3e-3
        assert ratio < 1 or errors[0] / errors[1] == pytest.approx(4, rel=0.3)


def test_interlayer_exchange(comm):
    """J alone turns a film along p; with J_2 < 0 it stands at cos(phi) = -J/(2 J_2) to it."""
    p = np.array([2.0, 3.0, 6.0]) / 7
    grid = Grid(mesh.create_rectangle(comm, [[0, 0], [20e-9, 10e-9]], [4, 2]))
    for biquadratic, cosine in ((0.0, 1.0), (-3e-4, 2.4e-4 / 6e-4)):
        term = fs.InterlayerExchange(2.4e-4, tuple(p), biquadratic, thickness=2e-9)
        magnet = TexturedMagnet(MS, A, 0.8, 1e6, 0.0, terms=(term,))
        last = relax(Dynamics(grid, magnet, (1, 0, -0.2)), 1e-6)
        assert last.directions @ p == pytest.approx(np.full(grid.owned, cosine), abs=1e-4)


# ---- motion
def swirl(x):
    s = x / 40e-9
    return np.stack(
        [np.cos(s[:, 0] + s[:, 1]), np.sin(1.3 * s[:, 0] - s[:, 2]), 0.4 + np.sin(2 * s[:, 0]) * np.cos(s[:, 1])],
        axis=1,
    )


OBLIQUE = TexturedMagnet(
    8.3e5, 1.7e-11, 0.05, 5e6, 0.55, 0.08, 1e4, (1, 2, 2), hard_constant=0.9e5, hard_axis=(2, -2, 1)
)
SETS = {
    "cubic": (fs.Cubic(6e4, (1, 2, 2), (2, 1, -2), second=2e5),),
    "dmi": (fs.InterfacialDMI(1.5e-3, (1, 2, 3)), fs.BulkDMI(-4e-4)),
    "both": (fs.Cubic(-6e4, (1, 2, 2), (2, 1, -2)), fs.InterfacialDMI(1.5e-3)),
    "faces": (
        fs.InterfaceAnisotropy(3e-4, (2, 1, 2), face=lambda x: x[0] < 1e-12),
        fs.InterlayerExchange(2e-4, (1, 0, 2), -1e-4, face="all"),
    ),
    "expression": (fs.Density(lambda m, grad, x: 8e4 * ufl.exp(-2 * m[2]), local=True), fs.Zeeman((0.02, -0.1, 0.05))),
    "of the gradient": (
        fs.Density(lambda m, grad, x: 4e-28 * ufl.inner(grad, grad) ** 2 + 3e-12 * m[0] ** 2 * grad[2, 0] ** 2),
    ),
}


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("name", SETS)
def test_balance_of_energy(comm, dim, name):
    """Every step, of any size, loses what damping takes and gains what field and current put in, to rounding."""
    domain = (
        mesh.create_interval(comm, 40, [0, 200e-9]),
        mesh.create_rectangle(comm, [[0, 0], [200e-9, 40e-9]], [30, 4]),
        mesh.create_box(comm, [[0, 0, 0], [200e-9, 30e-9, 20e-9]], [20, 2, 2]),
    )[dim - 1]
    magnet = dataclasses.replace(OBLIQUE, terms=SETS[name])
    motion = Dynamics(
        Grid(domain), magnet, swirl, field=lambda t: (0.05, -0.02 * t / 1e-11, 0.01), current=(3e11, 0, 0)
    )
    changed, first = [], motion.directions
    for s in motion.steps(1e-11, step=1e-12):
        assert np.abs(np.linalg.norm(s.directions, axis=1) - 1).max() < 1e-14
        scale = s.damped + abs(s.field_work) + abs(s.adiabatic_work)
        assert abs(s.energy_error) < 1e-10 * scale
        changed.append(s.energy_change)
    # The further energies take part in it.
    plain = Dynamics(Grid(domain), OBLIQUE, swirl, field=motion._field, current=(3e11, 0, 0))
    other = [s.energy_change for s in plain.steps(1e-11, step=1e-12)]
    assert np.abs(np.array(changed) - other).max() > 0.02 * np.abs(other).max()
    assert motion.grid.largest(np.abs(motion.directions - first)) > 0.05


@pytest.mark.parametrize("name", ["cubic", "dmi", "expression"])
def test_order_in_time(comm, name):
    """Halving the step divides the error by four."""
    grid, magnet = line(comm, 30, 120e-9), dataclasses.replace(OBLIQUE, terms=SETS[name])
    ends = []
    for step in (4e-13, 2e-13, 1e-13, 2e-14):
        motion = Dynamics(grid, magnet, lambda x: swirl(x / 3), field=(0.02, 0.003, 0.0), current=1e11)
        list(motion.steps(8e-12, step=step))
        ends.append(motion.directions)
    errors = [grid.largest(np.abs(x - ends[-1])) for x in ends[:-1]]
    assert orders(errors) == pytest.approx([2, 2], abs=0.3)


@pytest.mark.parametrize("dim", [1, 2])
@pytest.mark.parametrize("name", SETS)
def test_jacobian_of_a_step(comm, dim, name):
    """Newton's matrix against differences of the equation that a step solves."""
    domain = (
        mesh.create_interval(comm, 12, [0, 60e-9]),
        mesh.create_rectangle(comm, [[0, 0], [60e-9, 30e-9]], [5, 3]),
    )[dim - 1]
    grid, magnet, tau = Grid(domain), dataclasses.replace(OBLIQUE, terms=SETS[name]), 2e-12
    rng = np.random.default_rng(4 + comm.rank)
    old = grid.directions(swirl)
    middle = old + 0.1 * rng.normal(size=old.shape)
    applied, density = grid.vectors((0.1, -0.2, 0.05), "field"), grid.along((3e12, 0, 0), "current")
    rule = Midpoint(grid, magnet, np.zeros(grid.owned, dtype=bool))

    def residual(m):
        rate, torques = 2 / tau * (m - old), rule.torques(m, applied, density, old)
        turned = -magnet.gyromagnetic_ratio * torques.field + magnet.damping * rate
        turned = turned + np.cross(m, torques.drift) + magnet.nonadiabaticity * torques.drift
        return tau / 2 * (rate - np.cross(m, turned))

    rule.remake(middle, old, tau, applied, density)
    push, h = rng.normal(size=old.shape), 1e-5
    expected = (residual(middle + h * push) - residual(middle - h * push)) / (2 * h)
    x, y = rule._system.matrix.createVecs()
    x.array[:] = push.ravel()
    rule._system.matrix.mult(x, y)
    assert y.array.reshape(-1, 3) == pytest.approx(expected, rel=0, abs=1e-8 * np.abs(expected).max())
    rule.destroy()


def test_cubic_magnet_precesses_as_a_macrospin(comm):
    """A uniform texture in a cubic magnet moves as one direction does, by the sphere's own solver."""
    terms = [fs.Exchange(1e-11), fs.Cubic(8e4, (1, 2, 2), (2, -2, 1), 4e4), fs.Shape((0.1, 0.3, 0.6))]
    magnet = fs.Magnet(7e5, 0.02, terms)
    start, field, end = (0.3, 0.8, -0.4), (0.02, -0.05, 0.08), 2e-10
    motion = Dynamics(line(comm, 3), TexturedMagnet.of(magnet, 1e6), start, field=field)
    *_, last = motion.steps(end, step=4e-13)
    bit = fs.Macrospin.of(magnet, 1e-24, field=field)
    expected = fs.llg(bit, start, end).directions[-1]
    assert last.directions == pytest.approx(np.broadcast_to(expected, last.directions.shape), abs=3e-4)


# ---- one description
@pytest.mark.parametrize(
    "nothing",
    [
        fs.InterfacialDMI(0.0),
        fs.BulkDMI(-0.0),
        fs.Uniaxial(0.0, (1, 2, 2)),
        fs.Cubic(0.0),
        fs.Zeeman((0.0, -0.0, 0.0)),
        fs.Biaxial(0.0, 0.0),
        fs.InterfaceAnisotropy(0.0),
        fs.InterlayerExchange(0.0, (1, 0, 0)),
    ],
    ids=lambda term: type(term).__name__,
)
def test_terms_without_energy_are_dropped(nothing):
    """Closed forms serve a magnet some of whose energies are zero."""
    texture = TexturedMagnet.of(fs.Magnet(MS, 0.3, [fs.Exchange(A), nothing, fs.Uniaxial(K, (0, 0, 1))]), 1e6)
    assert texture.terms == () and texture.easy_constant == K
    assert texture.wall_width() == pytest.approx(WIDTH, rel=1e-14)


def test_biaxial_without_a_hard_axis():
    """It is an easy axis, beside which another hard axis has its place."""
    terms = [fs.Exchange(A), fs.Biaxial(K, 0.0, (1, 2, 2), (2, -2, 1))]
    texture = TexturedMagnet.of(fs.Magnet(MS, 0.3, terms), 1e6)
    assert (texture.easy_constant, texture.hard_constant, texture.terms) == (K, 0.0, ())
    assert texture.wall_width() == pytest.approx(WIDTH, rel=1e-14)
    hard = TexturedMagnet.of(fs.Magnet(MS, 0.3, [*terms, fs.Uniaxial(-7e4, (2, 1, -2))]), 1e6)
    assert (hard.hard_constant, hard.hard_axis, hard.terms) == (7e4, pytest.approx((2 / 3, 1 / 3, -2 / 3)), ())


def test_from_a_magnet_and_back(comm):
    terms = (
        fs.Exchange(A),
        fs.Zeeman((0.1, 0.2, 0.3)),
        fs.Uniaxial(-9e4, (0, 2, 0)),
        fs.Uniaxial(K, (0, 0, 3)),
        fs.InterfacialDMI(D),
        fs.Uniaxial(-1e4, (0, 1, 1)),
    )
    magnet = fs.Magnet(MS, 0.3, terms, 1.8e11)
    texture = TexturedMagnet.of(magnet, 4e6, 0.4, 0.05)
    expected = dataclasses.replace(
        FILM,
        damping=0.3,
        conductivity=4e6,
        polarization=0.4,
        nonadiabaticity=0.05,
        hard_constant=9e4,
        gyromagnetic_ratio=1.8e11,
        terms=(terms[1], terms[4], terms[5]),
    )
    assert texture == expected
    grid = line(comm)
    m = grid.directions(swirl)
    again = TexturedMagnet.of(texture.magnet, 4e6, 0.4, 0.05)
    assert again == texture
    assert stored_energy(grid, again, m) == pytest.approx(stored_energy(grid, texture, m), rel=1e-13)
    both = TexturedMagnet.of(fs.Magnet(MS, 0.3, [fs.Exchange(A), fs.Biaxial(K, 9e4, (1, 2, 2), (2, -2, 1))]), 1e6)
    assert (both.easy_constant, both.hard_constant, both.terms) == (K, 9e4, ())
    hard = TexturedMagnet.of(fs.Magnet(MS, 0.3, [fs.Exchange(A), fs.Uniaxial(-9e4, (1, 2, 2))]), 1e6)
    assert (hard.easy_constant, hard.hard_constant) == (0.0, 9e4)
    bit = fs.Macrospin.of(texture.magnet, 1e-24, 250.0)
    u = np.array([[0.6, 0.0, 0.8]])
    flat = grid.directions(u[0])
    e = bit.energy(u)[0] / 1e-24
    assert stored_energy(grid, texture, flat) / grid.volume == pytest.approx(
        e - bit.energy(np.array([[0.0, 0.0, 1.0]]))[0] / 1e-24, rel=1e-12
    )


def test_dipolar_field_as_a_term(comm):
    """Declared among the energies it is the same as asked for in the motion."""
    grid = Grid(mesh.create_box(comm, [[0, 0, 0], [20e-9, 12e-9, 8e-9]], [4, 3, 2]))
    ends = []
    for terms, how in (((), {"dipolar": True}), ((fs.Dipolar(),), {})):
        motion = Dynamics(grid, dataclasses.replace(OBLIQUE, terms=terms), (1, 0.3, 0.5), **how)
        *_, last = motion.steps(2e-12, step=1e-12)
        assert abs(last.energy_error) < 1e-10 * last.damped
        ends.append(last.directions)
    assert ends[1] == pytest.approx(ends[0], rel=0, abs=1e-13)
    with pytest.raises(InputError, match="needs a body of tetrahedra"):
        Dynamics(line(comm), with_terms(fs.Dipolar()), (0, 0, 1))


def test_closed_forms_refuse_what_they_do_not_know(comm):
    magnet = with_terms(fs.InterfacialDMI(D), fs.Cubic(1e4))
    for form in (
        lambda: magnet.wall_width(),
        lambda: magnet.walker_field,
        lambda: magnet.steady_wall(0.01),
        lambda: magnet.mean_motion(0.01),
        lambda: magnet.breakdown_current(),
        lambda: magnet.mean_electromotive_force(0.01),
        lambda: wall(magnet, 1e-8),
    ):
        with pytest.raises(ModelError, match=r"closed form of exchange, .* it does not know InterfacialDMI, Cubic"):
            form()
    grid = line(comm)
    assert WallWatch(grid, magnet).position(grid.directions(wall(magnet, 20e-9, width=5e-9))) == pytest.approx(
        20e-9, rel=0.01
    )
    for make, words in (
        (lambda: TexturedMagnet.of(fs.Magnet(MS, 0.1, [fs.Uniaxial(K)]), 1e6), "has no Exchange among its terms"),
        (lambda: with_terms(lambda m: m[0]), "allowed: terms such as Uniaxial, Density\\(f\\)"),
        (lambda: fs.Magnet(0.0, 0.1), "magnet: saturation_magnetization is 0.0"),
    ):
        with pytest.raises(InputError, match=words):
            make()
