"""One description of a magnet for macrospins, textures and layers of devices."""

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest
import ufl
from dolfinx import mesh

import fespin as fs
from fespin.constants import BOLTZMANN, VACUUM_PERMEABILITY
from fespin.energy import InSpace, stability_constant
from fespin.errors import InputError
from fespin.grid import Grid
from fespin.macrospin.spin import fibonacci

MS, V = 9.1e5, 1.3e-24
U = fibonacci(50)
CO = fs.Material("Co", 6e-8, 40e-9, 0.4)
CU = fs.Material("Cu", 6e-9, 200e-9)
TERMS = (
    fs.Exchange(1.3e-11),
    fs.Uniaxial(2.1e5, (1, 2, -1)),
    fs.Cubic(-4e4, (1, 1, 0), (1, -1, 0), second=2e4),
    fs.Shape((0.1, 0.2, 0.7)),
    fs.InterfaceAnisotropy(4e-4, (1, 0, 2)),
    fs.InterlayerExchange(1e-4, (0, 3, 4), -5e-5),
    fs.InterfacialDMI(1e-3),
    fs.Density(lambda m, grad, x: 3e4 * ufl.sin(m[1]), local=True),
)


def expected(thickness):
    """E/v of the terms above, by NumPy."""
    n = np.array([[1, 2, -1], [1, 1, 0], [1, -1, 0], [0, 0, 1], [1, 0, 2], [0, 3, 4]], dtype=float)
    p, a, b, c, s, l = (U @ (n / np.linalg.norm(n, axis=1)[:, None]).T).T  # noqa: E741
    a, b, c = a**2, b**2, c**2
    cubic = -4e4 * (a * b + b * c + c * a) + 2e4 * a * b * c
    shape = VACUUM_PERMEABILITY / 2 * MS**2 * (U**2 @ np.array([0.1, 0.2, 0.7]))
    faces = (-4e-4 * s**2 - 1e-4 * l + 5e-5 * l**2) / thickness
    return -2.1e5 * p**2 + cubic + shape + faces + 3e4 * np.sin(U[:, 1])


def test_macrospin_of_a_magnet():
    """Its energy is v e(u, 0), that of faces over the thickness; gradients are zero."""
    magnet = fs.Magnet(MS, 0.03, TERMS, 1.9e11)
    bit = fs.Macrospin.of(magnet, V, 280.0, field=(0.01, 0.02, -0.03), thickness=1.1e-9)
    zeeman = -MS * U @ np.array([0.01, 0.02, -0.03])
    assert bit.energy(U) == pytest.approx(V * (expected(1.1e-9) + zeeman), rel=1e-12)
    assert (bit.volume, bit.temperature, bit.damping, bit.gyromagnetic_ratio) == (V, 280.0, 0.03, 1.9e11)
    again = fs.Macrospin.of(bit.magnet, V, 280.0, thickness=1.1e-9)
    assert again.energy(U) == pytest.approx(V * expected(1.1e-9), rel=1e-12)
    # The thickness may be the term's own.
    own = [dataclasses.replace(t, thickness=1.1e-9) if hasattr(t, "thickness") else t for t in TERMS]
    assert fs.Macrospin.of(fs.Magnet(MS, 0.03, own), V).energy(U) == pytest.approx(V * expected(1.1e-9), rel=1e-12)


def test_macrospin_of_a_layer():
    """A device's layer carries its magnet, and gives volume and thickness."""
    stack = fs.Stack(
        fs.Layer(CU, 5e-9),
        fs.Layer(CO, 1.2e-9, name="free", magnetization=(0, 0, 1), magnet=fs.Magnet(MS, 0.03, TERMS)),
        fs.Layer(CU, 5e-9),
    )
    bit = fs.Macrospin.of_layer(stack["free"], area=2e-15, temperature=350.0)
    assert bit.volume == pytest.approx(2.4e-24, rel=1e-15) and bit.thickness == 1.2e-9
    assert bit.energy(U) == pytest.approx(2.4e-24 * expected(1.2e-9), rel=1e-12)
    assert stack.magnetized({"free": (1, 0, 0)})["free"].magnet == stack["free"].magnet


class Rough:
    """A user's energy of a face that knows no thickness."""

    local, degree = True, 4

    def __init__(self, size):
        self.size = size

    def surface_density(self, m, x):
        return self.size * m[2] ** 4


def test_magnet_of_a_macrospin_has_its_thickness(comm):
    """Energies of faces are the same in the magnet that leads back, on the sphere and in space."""
    t = 1.7e-9
    faces = [
        fs.InterfaceAnisotropy(4e-4, (1, 0, 2), face=lambda p: p[2] < 1e-12),
        fs.InterlayerExchange(1e-4, (0, 3, 4), -5e-5),
        fs.InterfaceAnisotropy(-2e-4, (1, 2, 2), thickness=2.9e-9),
        Rough(3e-4),
    ]
    bit = fs.Macrospin(V, MS, 0.03, 280.0, [*faces, fs.Uniaxial(stability=30.0)], thickness=t)
    again = fs.Macrospin.of(bit.magnet, 2 * V, 350.0)
    assert again.energy(U) == pytest.approx(2 * bit.energy(U), rel=1e-12)
    assert fs.Macrospin.of(again.magnet, V).energy(U) == pytest.approx(bit.energy(U), rel=1e-12)
    grid = Grid(mesh.create_rectangle(comm, [[0, 0], [30e-9, 20e-9]], [3, 2]))
    space = InSpace(grid, bit.magnet.terms, MS)
    for u in U[:5]:
        expected = bit.energy(u[None])[0] / V
        assert space.energy(grid.directions(u)) / grid.volume == pytest.approx(expected, rel=1e-12)


def test_stabilities_become_constants():
    """K v/kT is resolved at the macrospin's volume and temperature, and follows them; the magnet has the constant."""
    for term, constant, keys in (
        (fs.Uniaxial(stability=41.0, axis=(1, 2, 2)), 41.0, ("constant",)),
        (fs.Biaxial(stability=41.0, hard_stability=300.0), 41.0, ("constant", "hard_constant")),
        (fs.Cubic(stability=-41.0), -41.0, ("constant",)),
    ):
        bits = [fs.Macrospin(v, MS, 0.1, t, term) for v, t in ((V, 300.0), (2 * V, 410.0))]
        assert bits[1].reduced_energy(U) == pytest.approx(bits[0].reduced_energy(U), rel=1e-12, abs=1e-12)
        for bit in bits:
            (known,) = bit.magnet.terms
            exact = constant * BOLTZMANN * bit.temperature / bit.volume
            assert known.constant == pytest.approx(exact, rel=1e-14) and known.stability is None
            assert known.constant == stability_constant(constant, bit.volume, bit.thermal_energy)
            assert all(getattr(known, key) is not None for key in keys)
            # Once it is a constant, another temperature does not change the energy.
            warm = fs.Macrospin.of(bit.magnet, bit.volume, 2 * bit.temperature)
            assert warm.energy(U) == pytest.approx(bit.energy(U), rel=1e-13)


@dataclass(frozen=True)
class Quartic:
    """All that a user writes for an energy."""

    constant: float

    def density(self, m, grad, x):
        return self.constant * m[2] ** 4


def test_a_class_of_the_user():
    bit = fs.Macrospin(V, MS, 0.1, terms=[Quartic(2e5), lambda u: 1e-20 * u[0]])
    assert bit.energy(U) == pytest.approx(V * 2e5 * U[:, 2] ** 4 + 1e-20 * U[:, 0], rel=1e-12)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: fs.Macrospin(V, MS, 0.1, terms=[fs.InterfaceAnisotropy(1e-3)]), "give the film's thickness (m)"),
        (
            lambda: fs.Macrospin(V, MS, 0.1, terms=[fs.InterlayerExchange(1e-3, face="all")], thickness=1.3e-9),
            'macrospin: InterlayerExchange with face="all" is the energy of a body\'s whole surface; for one direction',
        ),
        (lambda: fs.Macrospin(V, MS, 0.1, terms=[fs.Dipolar()]), "for one direction give Shape(factors)"),
        (lambda: fs.Macrospin(V, MS, 0.1, thickness=-1.0), "thickness is -1.0"),
        (lambda: fs.Macrospin(V, MS, 0.1, terms=[fs.Density(lambda m, g, x: x[0] * m[0])]), "it raised TypeError"),
        (lambda: fs.Magnet(MS, 0.0), "magnet: damping is 0.0"),
        (lambda: fs.Magnet(MS, 0.1, [7]), "magnet: found 7 among the energies; allowed: terms such as Uniaxial, Dens"),
        (lambda: fs.Layer(CO, 1e-9, magnet=3), "it must be a Magnet, such as fespin.Magnet(8e5"),
        (lambda: fs.Layer(CU, 1e-9, magnet=fs.Magnet(MS, 0.1)), "magnet given, but Cu is no ferromagnet (no beta)"),
        (lambda: fs.Macrospin.of_layer(fs.Layer(CO, 1e-9, "free"), 1e-15), "layer 'free': it has no magnet; give one"),
        (
            lambda: fs.Macrospin.of_layer(fs.Layer(CO, 1e-9, "free", magnet=fs.Magnet(MS, 0.1)), 0.0),
            "macrospin of layer 'free': area is 0.0",
        ),
        (lambda: fs.Uniaxial(stability=3.0).density(np.eye(3)[0], None, None), "a number is missing that a magnet"),
    ],
)
def test_impossible(make, words):
    with pytest.raises(InputError) as error:
        make()
    assert words in str(error.value) and "\n" not in str(error.value)


def test_constants_are_multiplied_first():
    """Energies are constants times the volume, to the last digit: seeds of random motion keep their numbers."""
    p = np.array([1.0, 2.0, -1.0]) / np.linalg.norm([1.0, 2.0, -1.0])
    along = p[0] * U[:, 0] + p[1] * U[:, 1] + p[2] * U[:, 2]
    for v, t in ((1.4e-24, 300.0), (1.3e-24, 310.0), (7.7e-25, 291.3)):
        for term, energy in (
            (fs.Uniaxial(2.1e5, (1, 2, -1)), 2.1e5 * v),
            (fs.Uniaxial(axis=(1, 2, -1), stability=60.0), 60.0 * BOLTZMANN * t),
        ):
            bit = fs.Macrospin(v, MS, 0.1, t, term)
            assert (bit.reduced_energy(U) == -energy * along * along / (BOLTZMANN * t)).all()
        bit = fs.Macrospin(v, MS, 0.1, t, lambda u: 1e-20 * u[2] ** 3, field=(0.0, 0.0, 0.1))
        assert (bit.reduced_energy(U) == (1e-20 * U[:, 2] ** 3 - MS * v * (0.1 * U[:, 2])) / (BOLTZMANN * t)).all()
