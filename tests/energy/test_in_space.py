"""Energies in space: values, fields and second derivatives, against NumPy, differences, and the sphere."""

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest
import ufl
from dolfinx import mesh
from launch import numbers, require_equal

import fespin as fs
from fespin.constants import VACUUM_PERMEABILITY
from fespin.energy import InSpace
from fespin.errors import InputError
from fespin.grid import Grid
from references import texture_energy as by_hand

MS = 7.3e5
E, H = np.array([1.0, 2.0, 2.0]) / 3, np.array([2.0, -2.0, 1.0]) / 3
SIZE = (60e-9, 30e-9, 20e-9)


def low_end(x):
    return x[0] < 1e-12


def grids(comm):
    yield Grid(mesh.create_interval(comm, 24, [0, SIZE[0]]))
    yield Grid(mesh.create_rectangle(comm, [[0, 0], SIZE[:2]], [9, 5]))
    yield Grid(mesh.create_box(comm, [[0, 0, 0], SIZE], [5, 3, 2]))


def swirl(x):
    s = x / 20e-9
    return np.stack([np.cos(s[:, 0] + s[:, 1]), np.sin(1.3 * s[:, 0] - s[:, 2]), 0.4 + np.sin(2 * s[:, 1])], axis=1)


@dataclass(frozen=True)
class Stripes:
    """A user's energy: not quadratic, with m, its gradient and the place."""

    size: float
    pitch: float
    power: int = 4

    def density(self, m, grad, x):
        return self.size * ufl.cos(x[0] / self.pitch) * m[1] ** self.power + 1e-27 * ufl.inner(grad, grad) ** 2


@dataclass(frozen=True)
class Choosy:
    """A user's energy that looks at its number, which no constant of a form allows."""

    size: float
    local = True

    def density(self, m, grad, x):
        return self.size * m[0] ** 4 if self.size > 0 else -self.size * m[1] ** 4


@dataclass(frozen=True)
class Rough:
    """A user's energy of a face that does not say which."""

    size: float
    local = True

    def surface_density(self, m, x):
        return self.size * m[2] ** 4


LOCAL = {
    "uniaxial": (fs.Uniaxial(2.1e5, E), lambda m: -2.1e5 * (m @ E) ** 2),
    "biaxial": (fs.Biaxial(1.5e5, 4e5, E, H), lambda m: -1.5e5 * (m @ E) ** 2 + 4e5 * (m @ H) ** 2),
    "shape": (
        fs.Shape((0.1, 0.2, 0.7)),
        lambda m: VACUUM_PERMEABILITY / 2 * MS**2 * (m**2 @ np.array([0.1, 0.2, 0.7])),
    ),
    "zeeman": (fs.Zeeman((0.1, -0.2, 0.05)), lambda m: -MS * m @ np.array([0.1, -0.2, 0.05])),
    "interface": (fs.InterfaceAnisotropy(3e-4, E, thickness=2e-9), lambda m: -3e-4 / 2e-9 * (m @ E) ** 2),
    "interlayer": (
        fs.InterlayerExchange(3e-4, H, -1e-4, thickness=2e-9),
        lambda m: (-3e-4 * m @ H + 1e-4 * (m @ H) ** 2) / 2e-9,
    ),
    "expression": (
        fs.Density(lambda m, g, x: 1e5 * ufl.exp(-2 * m[2]), local=True),
        lambda m: 1e5 * np.exp(-2 * m.T[2]),
    ),
    "choosy": (Choosy(-3e4), lambda m: 3e4 * m.T[1] ** 4),
}


def cubic(m):
    a, b, c = (m @ E) ** 2, (m @ H) ** 2, (m @ np.cross(E, H)) ** 2
    return -1.2e5 * (a * b + b * c + c * a) + 0.7e5 * a * b * c


LOCAL["cubic"] = fs.Cubic(-1.2e5, E, H, second=0.7e5), cubic

ALL = [
    fs.Exchange(1.7e-11),
    *(term for term, _ in LOCAL.values()),
    fs.InterfacialDMI(2e-3, (1, 2, 3)),
    fs.BulkDMI(-1.3e-3),
    fs.InterfaceAnisotropy(1e-3, (2, 1, 2), face=low_end),
    fs.InterlayerExchange(2e-4, (1, 0, 2), -1e-4, face="all"),
    Stripes(2e5, 9e-9),
]


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_exchange_and_anisotropies_as_by_hand(comm, dim):
    grid = list(grids(comm))[dim - 1]
    hand = {"exchange": 1.7e-11, "easy": (1.4e5, E), "hard": (0.9e5, H)}
    space = InSpace(grid, [fs.Exchange(1.7e-11), fs.Uniaxial(1.4e5, E), fs.Uniaxial(-0.9e5, H)], MS, E)
    m = grid.directions(swirl)
    assert space.energy(m) == pytest.approx(by_hand.energy(grid, m, **hand), rel=1e-13, abs=0)
    expected = by_hand.field(grid, m, MS, **hand)
    assert space.field(m) == pytest.approx(expected, rel=0, abs=1e-13 * np.abs(expected).max())
    uniform = grid.directions(E)
    assert abs(space.energy(uniform)) < 1e-14 * 1.4e5 * grid.volume


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("name", LOCAL)
def test_local_terms_are_sums_over_nodes(comm, dim, name):
    """Their field at a node is that of a macrospin, and a uniform texture has v e(u, 0)."""
    term, formula = LOCAL[name]
    grid = list(grids(comm))[dim - 1]
    space = InSpace(grid, [term], MS)
    m = grid.directions(swirl)
    expected = grid.total(grid.weights[: grid.owned] * formula(m))
    assert space.energy(m) == pytest.approx(expected, rel=1e-12, abs=0)
    bit = fs.Macrospin.of(fs.Magnet(MS, 0.1, [term]), 1e-24)
    field, flat = space.field(m), bit.effective_field(m)
    tangential = field - np.sum(field * m, axis=1)[:, None] * m
    assert tangential == pytest.approx(flat, rel=0, abs=1e-12 * np.abs(field).max())
    for u in np.eye(3):
        here = space.energy(grid.directions(u)) / grid.volume
        assert here == pytest.approx(bit.energy(u[None])[0] / 1e-24, rel=1e-12, abs=1e-9)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_dmi_against_sums_over_cells(comm, dim):
    grid = list(grids(comm))[dim - 1]
    m = grid.directions(swirl)
    expected = by_hand.interfacial_dmi(grid, m, 2e-3, (1, 2, 3))
    assert InSpace(grid, [fs.InterfacialDMI(2e-3, (1, 2, 3))], MS).energy(m) == pytest.approx(expected, rel=1e-12)
    expected = by_hand.bulk_dmi(grid, m, -1.3e-3)
    assert InSpace(grid, [fs.BulkDMI(-1.3e-3)], MS).energy(m) == pytest.approx(expected, rel=1e-12)


def test_faces(comm):
    """The energy of a face is that of its nodes times their areas, of a part of the surface or of all of it."""
    *_, plane, body = grids(comm)
    u = np.array([0.48, 0.6, 0.64])
    x, y, z = SIZE
    for grid, end, surface in ((plane, y, 2 * (x + y)), (body, y * z, 2 * (x * y + y * z + z * x))):
        for face, area in ((low_end, end), ("all", surface)):
            space = InSpace(grid, [fs.InterfaceAnisotropy(1e-3, H, face)], MS)
            assert space.energy(grid.directions(u)) == pytest.approx(-1e-3 * (u @ H) ** 2 * area, rel=1e-12)
    with pytest.raises(InputError, match="InterfaceAnisotropy: its face holds no facet"):
        InSpace(plane, [fs.InterfaceAnisotropy(1e-3, H, lambda x: x[0] > 1)], MS)
    # A film of one cell through its thickness, and the same energy spread over it.
    film = Grid(mesh.create_box(comm, [[0, 0, 0], [x, y, 2e-9]], [4, 3, 1]))
    m = film.directions(lambda p: swirl(p * [1, 1, 0]))
    both = [
        InSpace(film, [fs.InterfaceAnisotropy(1e-3, H, **how)], MS).energy(m)
        for how in ({"face": lambda p: p[2] < 1e-12}, {"thickness": 2e-9})
    ]
    # Nodes have different shares of a face and of the volume above it, but for the mesh's size squared.
    assert both[0] == pytest.approx(both[1], rel=0.05)


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("which", ["all", *range(len(ALL))])
def test_derivatives(comm, dim, which):
    """Field and second derivatives against differences, of each energy and of all together."""
    grid = list(grids(comm))[dim - 1]
    terms = ALL if which == "all" else [ALL[which]]
    space, rng = InSpace(grid, terms, MS), np.random.default_rng(5 + comm.rank)
    m = grid.directions(swirl)
    push, h = rng.normal(size=m.shape), 1e-5
    weights = grid.weights[: grid.owned, None]
    slope = (space.energy(m + h * push) - space.energy(m - h * push)) / (2 * h)
    rounding = 1e-16 / h * abs(space.energy(m))
    assert -MS * grid.total(weights * space.field(m) * push) == pytest.approx(slope, rel=1e-6, abs=10 * rounding)
    change = (space.field(m + h * push) - space.field(m - h * push)) / (2 * h)
    cells = np.einsum("cabij,cbj->cai", space.hessian(m), grid.seen(push)[grid.cells])
    expected = -grid.gathered(cells) / (MS * weights)
    assert change == pytest.approx(expected, rel=0, abs=1e-7 * np.abs(expected).max() + 1e-7)


def test_terms_add_up(comm):
    """Together they are the sum of what each is alone, whatever rules and kernels they share."""
    for grid in grids(comm):
        m = grid.directions(swirl)
        whole, parts = InSpace(grid, ALL, MS), [InSpace(grid, [term], MS) for term in ALL]
        assert whole.energy(m) == pytest.approx(sum(p.energy(m) for p in parts), rel=1e-12)
        for what in ("field", "hessian"):
            expected = sum(getattr(p, what)(m) for p in parts)
            scale = np.abs(expected).max()
            assert getattr(whole, what)(m) == pytest.approx(expected, rel=0, abs=1e-12 * scale)


def test_mean_field_along_a_step(comm):
    """Its work is the energy's change: to rounding of polynomials, and nearly so of others, in steps of any size."""
    rng = np.random.default_rng(2 + comm.rank)
    other = fs.Density(lambda m, g, x: 1e5 * ufl.exp(-2 * m[2]) / (3 + m[0]), local=True)
    cubic4 = fs.Density(lambda m, g, x: 1e5 * m[0] ** 2 * m[1] ** 2, local=True)
    for grid in grids(comm):
        for terms, size, error in (
            ([LOCAL["cubic"][0], fs.InterfacialDMI(2e-3), fs.Exchange(1e-11)], 1.0, 1e-12),
            ([cubic4], 1.0, 1e-12),
            ([fs.BulkDMI(2e-3), fs.Uniaxial(1e5, E)], 1.0, 1e-12),
            ([other], 0.5, 1e-9),
            ([other], 0.1, 1e-14),
        ):
            space = InSpace(grid, terms, MS)
            old = grid.directions(swirl)
            new = grid.directions(old + size * rng.normal(size=old.shape))
            field = space.mean_field(old, (old + new) / 2)
            work = -MS * grid.total(grid.weights[: grid.owned, None] * field * (new - old))
            scale = abs(space.energy(old)) + abs(space.energy(new))
            assert space.energy(new) - space.energy(old) == pytest.approx(work, rel=0, abs=error * scale)
            # The derivative of the mean field by the middle.
            push, h, middle = rng.normal(size=old.shape), 1e-5, (old + new) / 2
            change = (space.mean_field(old, middle + h * push) - space.mean_field(old, middle - h * push)) / (2 * h)
            cells = np.einsum("cabij,cbj->cai", space.mean_hessian(old, middle), grid.seen(push)[grid.cells])
            expected = -grid.gathered(cells) / (MS * grid.weights[: grid.owned, None])
            assert change == pytest.approx(expected, rel=0, abs=1e-7 * np.abs(expected).max())


@dataclass(frozen=True)
class Powers:
    """A user's energy that compares its number, which a symbol would answer wrongly and without an error."""

    size: float
    power: float
    local = True

    def density(self, m, grad, x):
        return self.size * (m[1] ** 6 if self.power == 6.0 else m[1] ** 2)


@dataclass(frozen=True)
class Ramp:
    """A user's energy that asks whether its number is zero."""

    size: float
    length: float = 0.0
    local = True

    def density(self, m, grad, x):
        return self.size * m[0] ** 2 * (x[0] / self.length if self.length else 3.0)


@dataclass(frozen=True)
class Sloped(fs.Uniaxial):
    """A subclass of an own term, with a density that looks up its axis."""

    def density(self, m, grad, x):
        return self.constant * (m[2] ** 3 if self.axis == (0.0, 0.0, 1.0) else m[0])


@dataclass(frozen=True)
class Smooth:
    """A user's energy that computes only, and says so."""

    size: float
    axis: tuple
    local = True
    symbolic = True

    def density(self, m, grad, x):
        return self.size * ufl.exp(self.axis[0] * m[0] + self.axis[2] * m[2])


@pytest.mark.parametrize("term", [Powers(2e4, 6.0), Powers(2e4, 2.0), Ramp(1.7e4), Sloped(2.3e4), Sloped(2.3e4, E)])
def test_densities_may_look_at_their_numbers(comm, term):
    """The energy in space is that on the sphere, whatever the density does with its own numbers."""
    grid, u = next(grids(comm)), np.array([0.36, 0.48, 0.8])
    flat = fs.Macrospin(1e-24, MS, 0.1, terms=[term]).energy(u[None])[0] / 1e-24
    assert abs(flat) > 100.0
    assert InSpace(grid, [term], MS).energy(grid.directions(u)) / grid.volume == pytest.approx(flat, rel=1e-12)


def test_energies_are_finite(comm):
    grid = next(grids(comm))
    space = InSpace(grid, [fs.Exchange(1e-11), fs.Density(lambda m, g, x: 1e5 * ufl.ln(m[2]), local=True)], MS)
    assert np.isfinite(space.energy(grid.directions((0, 0.6, 0.8))))
    with pytest.raises(InputError, match=r"energies Exchange, Density: their sum is -?(inf|nan) for this m; a density"):
        space.energy(grid.directions((1, 0, 0)))


def test_numbers_are_not_compiled(comm):
    """Another magnet of the same kinds of terms has the same kernels."""
    grid = next(grids(comm))
    forms = [InSpace(grid, [fs.Exchange(a), fs.Uniaxial(3 * a, E)], MS)._gradients[0] for a in (1e-11, 2.7e-11)]
    assert len({form.module.__name__ for form in forms}) == 1
    # So have integers.
    for terms in (
        lambda a: [fs.Uniaxial(3 * a, E), fs.Biaxial(2 * a, 5 * a), fs.Cubic(a, second=7 * a)],
        lambda a: [fs.Exchange(a), fs.BulkDMI(-a), fs.InterfacialDMI(4 * a)],
        lambda a: [fs.InterfaceAnisotropy(a, E, thickness=a), fs.InterlayerExchange(a, H, 3 * a, thickness=2 * a)],
        lambda a: [fs.Shape((0, 0, 1), 100 * a), fs.Zeeman((1, 0, 2), 10 * a)],
    ):
        spaces = [InSpace(grid, terms(a), MS) for a in (1700, 2900, 31.5)]
        assert len({space._gradients[0].module.__name__ for space in spaces}) == 1
    # So has a user's class that says so.
    spaces = [InSpace(grid, [Smooth(a, (2 * a, 0.3, 1.7))], MS) for a in (0.1, 0.27)]
    assert len({space._gradients[0].module.__name__ for space in spaces}) == 1
    energies = [space.energy(grid.directions((0.36, 0.48, 0.8))) / grid.volume for space in spaces]
    assert energies == pytest.approx([a * np.exp(2 * a * 0.36 + 1.7 * 0.8) for a in (0.1, 0.27)], rel=1e-12)


@pytest.mark.parametrize(
    ("term", "words"),
    [
        (fs.Uniaxial(stability=40.0), "stability = 40.0 is K v/kT of a macrospin; in space give constant (J/m3)"),
        (fs.Biaxial(1e5, hard_stability=40.0), "hard_stability = 40.0 is K v/kT"),
        (fs.Energy(lambda u: 1e-20 * u[0]), "one in J belongs to a macrospin"),
        (fs.Dipolar(), "an operator of a whole body"),
        (
            fs.InterfaceAnisotropy(7e-4, E),
            "energy InterfaceAnisotropy: face is None; in space give face, a function of",
        ),
        (fs.InterlayerExchange(-7e-4), 'thickness (m) of a film, or face="all" for the whole surface, sides included'),
        (Rough(7e-4), "energy Rough: face is None; in space give face"),
        (fs.Density(lambda m, g, x: m), "has the shape (3,)"),
        (fs.Density(lambda m, g, x: np.sin(m[0])), "energy Density: its density raised"),
    ],
)
def test_refused_in_space(comm, term, words):
    with pytest.raises(InputError) as error:
        InSpace(next(grids(comm)), [term], MS)
    assert words in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: fs.Exchange(0.0), "stiffness is 0.0"),
        (lambda: fs.InterfacialDMI(np.nan), "constant is nan; it must be a finite number in J/m2"),
        (lambda: fs.InterfacialDMI(1e-3, (0, 0, 0)), "normal is zero"),
        (lambda: fs.BulkDMI("x"), "constant is 'x'"),
        (lambda: fs.InterfaceAnisotropy(1e-3, face=3), "face is 3; it must be a function of positions"),
        (
            lambda: fs.InterlayerExchange(1e-3, face="top"),
            "face is 'top'; it must be a function of positions (3, n), or",
        ),
        (lambda: fs.InterlayerExchange(1e-3, face="all", thickness=1e-9), "one of face and thickness; found both"),
        (lambda: fs.InterfaceAnisotropy(1e-3, face=low_end, thickness=1e-9), "one of face and thickness; found both"),
        (lambda: fs.InterlayerExchange(1e-3, thickness=-1e-9), "thickness is -1e-09"),
        (lambda: fs.InterlayerExchange(1e-3, biquadratic=np.inf), "biquadratic is inf"),
        (lambda: fs.Dipolar(memory=0), "memory is 0"),
        (lambda: dataclasses.replace(fs.Shape((0.5, 0.2, 0.3)), factors=(1, 1)), "add up to 1"),
    ],
)
def test_impossible_terms(make, words):
    with pytest.raises(InputError) as error:
        make()
    assert words in str(error.value) and "\n" not in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [2, 3])
def test_rank_counts_agree(ranks, tmp_path):
    """Energies, fields and motions with all terms to 1e-9 on several ranks."""
    serial = numbers(1, "energies.py", tmp_path)
    require_equal(numbers(ranks, "energies.py", tmp_path), serial)


def test_field_by_the_hessian(comm):
    """Once the Hessian of a quadratic energy is known, also of a face or a linear one, the field is the same."""
    quadratic = 0
    for grid in grids(comm):
        m = grid.directions(swirl)
        for term in ALL:
            space = InSpace(grid, [term], MS)
            before, other = space.field(m), space.field(2 * m - 1)
            if space.samples == 1:
                space.hessian(m)
                quadratic += 1
            size = max(np.abs(before).max(), np.abs(other).max(), 1e-9)
            assert space.field(m) == pytest.approx(before, rel=0, abs=1e-12 * size)
            assert space.field(2 * m - 1) == pytest.approx(other, rel=0, abs=1e-12 * size)
    assert quadratic > 3 * len(ALL) / 2


def test_steepest(comm):
    """The largest slope of all cells, and its cell, from few singular values."""
    for grid in grids(comm):
        m = grid.seen(grid.directions(swirl) + np.random.default_rng([1, comm.rank]).normal(size=(grid.owned, 3)))
        slopes = grid.steepness(m)
        largest, cell = grid.steepest(m)
        assert largest == pytest.approx(slopes.max(), rel=1e-13) and cell == np.argmax(slopes)
