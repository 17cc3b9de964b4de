"""Torque maps of films that a field in their plane drives: exact films, closed forms of switching, reciprocity."""

import numpy as np
import pytest
from mpi4py import MPI

import fespin as fs
from fespin.constants import ELEMENTARY_CHARGE, HBAR
from fespin.coupling.directions import film_direction
from fespin.errors import InputError, ModelError
from references import film as exact

COMM = MPI.COMM_SELF
HALF = HBAR / (2 * ELEMENTARY_CHARGE)
UP, DOWN, MIX, LOSS = 6e14, 3e14, 5e14 + 0.8e14j, (4e14, 1e14)
HEAVY = {"thickness": 5e-9, "rho": 2.5e-7, "length": 1.5e-9}
THETA = 0.1
FIELD = (1.2e5, -0.5e5)
BLOCKED = dict.fromkeys(("bottom", "top"), "blocked")


def film(kind="absorbed", *, anisotropy=0.0, flipped=False, mix=MIX, up=UP, down=DOWN, loss=LOSS, theta=THETA):
    metal = fs.Material("Pt", HEAVY["rho"], HEAVY["length"], spin_hall_angle=theta)
    magnet = fs.Material(
        "F", 1.3e-6, 5e-9, 0.5, dephasing_length=1.2e-9, precession_length=0.8e-9,
        anisotropic_magnetoresistance=anisotropy,
    )  # fmt: skip
    layers = [fs.Layer(metal, HEAVY["thickness"], "hm"), fs.Layer(magnet, 2e-9, "f", (0, 0, 1))]
    face = fs.Interface.from_conductances(up, down, mix, spin_memory_loss=loss)
    stack = fs.Stack(*(layers[::-1] if flipped else layers), interfaces={("Pt", "F"): face}, library={})
    return fs.TransportProblem(fs.line(COMM, stack, mesh_size=0.25e-9), fs.Vector(kind), contacts=BLOCKED, degree=3)


def reference(kind, m, *, anisotropy=0.0, flipped=False, turning=(0, 0, 0), field=FIELD):
    """Return torque (J/m2) and sheet current (A/m)."""
    hm = exact.normal(*HEAVY.values(), THETA, field)
    f = exact.magnet(
        2e-9, 1.3e-6, 0.5, 5e-9, m, dephasing=1.2e-9, precession=0.8e-9, anisotropy=anisotropy, electric_field=field,
        turning=turning, absorbing=kind == "absorbed",
    )  # fmt: skip
    layers = [f, hm] if flipped else [hm, f]
    if kind == "absorbed":
        face = exact.mixing(*layers, UP, DOWN, MIX, loss=LOSS)
    else:
        face = exact.passing(*layers, UP, DOWN, MIX, loss=LOSS[::-1] if flipped else LOSS)
    x = exact.solve(layers, [face], exact.blocked(layers[0], 0.0), exact.blocked(layers[1]))
    i = layers.index(f)
    torque = x.torque(i, {1 - i: (UP, DOWN, MIX)} if kind == "absorbed" else None)
    return torque, (x.in_plane(0) + x.in_plane(1))[:2]


def directions(count, seed=2):
    u = np.random.default_rng(seed).normal(size=(count, 3))
    return u / np.linalg.norm(u, axis=1)[:, None]


def spin(damping=0.02, **options):
    return fs.Macrospin(4e-24, 9e5, damping, temperature=300.0, **options)


@pytest.mark.parametrize(
    ("kind", "flipped", "anisotropy"),
    [*((k, f, 0.0) for k in ("absorbed", "resolved") for f in (False, True)), ("absorbed", False, 0.2)],
)
def test_maps_against_the_exact_solution(kind, flipped, anisotropy):
    """Without anisotropic resistance the angle to z x E tells the torque in all directions; else it is a map of all."""
    tolerance = 1e-4 if anisotropy else 1e-6
    found = fs.film_map(film(kind, anisotropy=anisotropy, flipped=flipped), "f", FIELD, tolerance=tolerance)
    assert isinstance(found.map, fs.DirectionMap if anisotropy else fs.TorqueMap)
    size = float(np.hypot(*FIELD))
    if not anisotropy:
        assert found.map.polarizer == pytest.approx((0.5 / 1.3, 1.2 / 1.3, 0))
    u = directions(6)
    largest, allowed = 0.0, 1e-4 if anisotropy else 3e-6
    got = found.map.torque_per_current(u) * size / found.map.resistance_at(u)[:, None]
    for x, tau in zip(u, got, strict=True):
        expected, sheet = reference(kind, x, anisotropy=anisotropy, flipped=flipped)
        largest = max(largest, np.abs(expected).max())
        assert tau == pytest.approx(expected, rel=0, abs=allowed * largest)
        resistance = size**2 / (np.array(FIELD) @ sheet)
        assert found.map.resistance_at(x[None])[0] == pytest.approx(resistance, rel=allowed / 3)


@pytest.mark.parametrize("kind", ["absorbed", "resolved"])
def test_pumped_damping(kind):
    """The torque of a turning magnet, E held, from the map; and the same from the map over all directions."""
    axes, found = directions(4, 5), fs.film_map(film(kind), "f", FIELD, tolerance=1e-6, pumping=True)
    magnet = spin()
    pumped = found.pumped(magnet)
    scale = magnet.gyromagnetic_ratio / (9e5 * 2e-9)
    for u, w in zip(directions(4), axes, strict=True):
        w = w - u * (u @ w)
        turned = reference(kind, u, turning=1e9 * w, field=(0.0, 0.0))[0] / 1e9  # -Gamma w
        # In Gilbert's equation u x (A du/dt) stands, with du/dt = w x u: it is gamma Gamma w/(Ms t).
        added = np.cross(u, pumped.pumping.tensor(u[None])[0] @ np.cross(w, u))
        assert added == pytest.approx(-scale * turned, rel=0, abs=3e-6 * scale * np.linalg.norm(turned))


def test_pumping_over_all_directions():
    """With a little anisotropic resistance the map over the sphere has what that over the angle has."""
    plain = fs.film_map(film(), "f", FIELD, tolerance=1e-5, pumping=True)
    found = fs.film_map(film(anisotropy=1e-9), "f", FIELD, tolerance=1e-3, pumping=True)
    assert isinstance(found.map, fs.DirectionMap)
    u, magnet = directions(5), spin()
    a, b = (x.pumped(magnet).pumping.tensor(u) for x in (plain, found))
    assert b == pytest.approx(a, rel=0, abs=1e-3 * np.abs(a).max())
    c, d = (x.torque(magnet).velocity(u, magnet) for x in (plain, found))
    assert d == pytest.approx(c, rel=0, abs=1e-3 * np.abs(c).max())


def test_reversed_field():
    """A field against the axis makes the opposite torque; the axis is that of the field the map was made with."""
    p = film()
    ahead, back = (fs.film_map(p, "f", e) for e in (FIELD, (-FIELD[0], -FIELD[1])))
    u, magnet = directions(5), spin()
    a = ahead.at(-2e5).torque(magnet).velocity(u, magnet)
    assert back.at(2e5).torque(magnet).velocity(u, magnet) == pytest.approx(a, rel=1e-9)
    assert ahead.at(2e5).torque(magnet).velocity(u, magnet) == pytest.approx(-a, rel=1e-9)


def efficiency(mix=MIX, loss=LOSS[0]):
    d, length, rho = HEAVY["thickness"], HEAVY["length"], HEAVY["rho"]
    admittance = np.tanh(d / length) / (rho * length)
    return THETA * (1 - 1 / np.cosh(d / length)) * 2 * mix / (2 * mix + loss + admittance)


def test_critical_current_in_the_plane():
    """Field-free, type y: (2e/hbar) alpha Ms t (B_K + B_D/2)/xi_DL in the heavy metal, with the easy axis along z x E.

    Exactly, xi_DL (1 + r) - alpha xi_FL in its place: alpha is the damping with what is pumped, and r what is pumped
    across the motion, by which the magnet turns more slowly.
    """
    ms, alpha, easy, hard = 9e5, 0.02, 5e4, 3e5
    found = fs.film_map(film(up=1e3, down=1e3), "f", (1e5, 0.0), tolerance=1e-6, pumping=True)
    magnet = fs.Macrospin(
        4e-24, ms, alpha, terms=[fs.Uniaxial(easy, axis=(0, 1, 0)), fs.Uniaxial(-hard, axis=(0, 0, 1))]
    )
    b_k, b_d = 2 * easy / ms, 2 * hard / ms
    pumped = found.pumped(magnet)
    tensor = pumped.pumping.tensor(np.array([[0, 1.0, 0]]))[0]
    total, across = alpha + np.trace(tensor) / 2, (tensor[0, 2] - tensor[2, 0]) / 2  # u x = [[0, 0, 1], .., [-1, 0, 0]]
    xi = efficiency().real * (1 + across) - total * efficiency().imag
    expected = total * ms * 2e-9 * (b_k + b_d / 2) / (HALF * xi) * HEAVY["rho"]
    # u along +y feels a torque to -y with Pt below and E along x.
    assert found.critical_field(pumped, (0, 1, 0)) == pytest.approx(expected, rel=1e-5)
    assert found.critical_field(pumped, (0, -1, 0)) == pytest.approx(-expected, rel=1e-5)
    assert found.metal == "hm"
    assert found.at(expected).current_density == pytest.approx(expected / HEAVY["rho"])


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_threshold_across_the_plane(share):
    """Field-assisted, type z: the closed form of the threshold against trajectories, and which way it switches.

    With the field B_x = b B_K along the current and no field-like torque the magnet stays across q, and loses its
    state at a = B_K cos(t)(sin(t) - b), sin(t) = (b + sqrt(8 + b^2))/4; its square is
    B_K^2 [8 + 20 b^2 - b^4 - b (8 + b^2)^(3/2)]/32 (Lee et al., Appl. Phys. Lett. 102, 112410 (2013)).
    """
    real = complex(MIX.real)
    found = fs.film_map(film(up=1e3, down=1e3, mix=real), "f", (1e5, 0.0), tolerance=1e-6)
    ms, k = 9e5, 2e5
    b_k = 2 * k / ms
    closed = b_k * np.sqrt((8 + 20 * share**2 - share**4 - share * (8 + share**2) ** 1.5) / 32)
    s = (share + np.sqrt(8 + share**2)) / 4
    assert closed == pytest.approx(b_k * np.sqrt(1 - s * s) * (s - share), rel=1e-12)
    threshold = closed * ms * 2e-9 / (HALF * efficiency(real).real) * HEAVY["rho"]
    magnet = fs.Macrospin(
        4e-24, ms, 0.5, temperature=1.0, terms=[fs.Uniaxial(k)], field=(share * b_k, 0.0, 0.0)
    )  # a large damping: no precession carries it over earlier
    start = (share, 0.0, np.sqrt(1 - share**2))
    for factor in (0.97, 1.03):
        # Pt below and E along -x drive to +y, with B_x up; along x they hold it up.
        for sign in (1, -1):
            torque = found.at(sign * factor * threshold).torque(magnet)
            end = fs.llg(magnet, start, [15e-9], torque=torque, rtol=1e-6).directions[-1]
            switched = end[2] < 0
            assert switched == (factor > 1 and sign == 1), (factor, sign, end)


class TestWhatIsNoAngle:
    def test_magnets_and_fields_that_distinguish_directions(self):
        stack, model = film().stack, fs.Vector()
        assert film_direction(stack, model, "f", (1, 0)) == (0, 1, 0)
        assert film_direction(stack, fs.Vector(field=(0, 0, 1)), "f", (1, 0)) is None
        copper = fs.Material("Cu", 2e-8, 1e-7)
        pinned = [fs.Layer(copper, 2e-9, "cu"), fs.Layer(stack["f"].material, 2e-9, "pinned", (0, -1, 0))]
        more = fs.Stack(*stack.layers, *pinned, interfaces=stack.interfaces, library={})
        assert film_direction(more, model, "f", (1, 0)) == (0, 1, 0)
        assert film_direction(more, model, "f", (1, 1e-3)) is None
        with pytest.raises(InputError, match="the only magnet"):
            film_direction(film(theta=0.0).stack, model, "f", (1, 0))

    def test_fields_and_devices(self):
        for field in ((0.0, 0.0), (1.0,), (float("nan"), 0.0)):
            with pytest.raises(InputError, match=r"electric_field is .*; it must be \[Ex, Ey\], not zero"):
                fs.film_map(film(), "f", field)
        section = fs.TransportProblem(
            fs.strip(COMM, film().stack, width=8e-9, mesh_size=4e-9), fs.Vector(), contacts=BLOCKED, degree=1
        )
        with pytest.raises(ModelError, match="needs them on a line"):
            fs.film_map(section, "f", (1.0, 0.0))
        with pytest.raises(InputError, match="the field is inf"):
            fs.film_map(film(), "f", (1.0, 0.0)).at(float("inf"))
