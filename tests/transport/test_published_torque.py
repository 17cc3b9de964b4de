"""Published formulas against devices built from their parameters: torque against angle, Hanle curves.

Torque: Xiao, Zangwill and Stiles, Phys. Rev. B 70, 172405 (2004), in the form and with the four parameters that
OOMMF's Oxs_SpinXferEvolve has it; and the device of Lepadatu (2020), below. Hanle: Sosenko, Wei and Aji, Phys. Rev. B
89, 245436 (2014), Eqs. 2 to 4.
"""

import cmath
import dataclasses
import math

import numpy as np
import pytest
from mpi4py import MPI

import fespin as fs
from fespin.coupling import torque_map
from fespin.transport.spins import SPIN_PER_CHARGE

COMM = MPI.COMM_SELF
J = 1e11
MIXING = 5e14
LEAD = fs.Contact("lead")
CU = fs.material("Cu")
LOSSLESS = dataclasses.replace(CU, name="loss-free Cu", spin_diffusion_length=fs.device.LARGEST)
SPACER = 8e-9
VALVES = {
    "equal": (("Co", 6e-9), ("Co", 6e-9)),
    "wavy": (("Co", 8e-9), ("Py", 8e-9)),
    "thin": (("Co", 40e-9), ("Py", 3e-9)),
}
ANGLES = np.radians([15.0, 50.0, 85.0, 120.0, 160.0])


def book(spacer):
    """The library's interfaces, with a mixing conductance."""
    faces = {m: dataclasses.replace(fs.interfaces()[m, "Cu"], mixing_conductance=MIXING) for m in ("Co", "Py")}
    return {(m, n): f for m, f in faces.items() for n in ("Cu", spacer.name)}


def layer(name, thickness, role):
    return fs.Layer(fs.material(name), thickness, role)


def source(magnet, spacer):
    """P and R of half a valve, seen from the middle of the spacer: its spin current if shorted, s if open."""
    half = fs.Layer(spacer, SPACER / 2, "spacer")
    stack = fs.Stack(fs.Layer(CU, 20e-9), layer(*magnet, "magnet"), half, library=book(spacer))
    shorted = fs.solve_multilayer(stack, LEAD, fs.Contact("reservoir"), J)
    blocked = fs.solve_multilayer(stack, LEAD, fs.Contact("blocked"), J)

    def s(solution, x):
        up, down = solution.potentials(np.array(x), 2)
        return (up - down) / 2

    start, end = shorted.boundaries[2:4]
    # Just below a reservoir s is linear but for (d/l)^2.
    step = 1e-3 * (end - start)
    spin_current = -(s(shorted, [end])[0] - s(shorted, [end - step])[0]) / step / spacer.resistivity
    return spin_current / J, s(blocked, [end])[0] / spin_current


def xiao(first, second, g, angle):
    """The efficiency of Xiao, Zangwill and Stiles times sin(theta); Lambda^2 = g R."""
    (p_fixed, r_fixed), (p_free, r_free) = first, second
    fixed, free = g * r_fixed, g * r_free
    plus = p_fixed * fixed * math.sqrt((free + 1) / (fixed + 1))
    minus = p_free * free * math.sqrt((fixed - 1) / (free - 1))
    a, b = math.sqrt((fixed + 1) * (free + 1)), math.sqrt((fixed - 1) * (free - 1)) * math.cos(angle)
    return math.sin(angle) * ((plus + minus) / 2 / (a + b) + (plus - minus) / 2 / (a - b))


@pytest.mark.parametrize(("spacer", "tolerance"), [(LOSSLESS, 2e-7), (CU, 1e-3)], ids=["loss-free", "copper"])
@pytest.mark.parametrize("name", VALVES)
def test_torque_against_angle(name, spacer, tolerance):
    """Exact if no spin flips in the spacer, which is all that the formula leaves out."""
    fixed, free = VALVES[name]
    stack = fs.Stack(
        fs.Layer(CU, 20e-9),
        layer(*fixed, "fixed"),
        fs.Layer(spacer, SPACER, "spacer"),
        layer(*free, "free"),
        fs.Layer(CU, 20e-9),
        library=book(spacer),
    )
    problem = fs.TransportProblem(fs.line(COMM, stack), fs.Vector(), contacts={"bottom": LEAD, "top": LEAD})
    g = 1 / (1 / (2 * MIXING) + spacer.resistivity * SPACER / 2)
    halves = source(fixed, spacer), source(free, spacer)
    found, expected = [], []
    for angle in ANGLES:
        problem.magnetize({"free": (math.sin(angle), 0, math.cos(angle))})
        torque = np.array(problem.solve(current_density=J).report["torque"]["free"]) / (SPIN_PER_CHARGE * J)
        found.append(torque @ (-math.cos(angle), 0, math.sin(angle)))
        expected.append(xiao(*halves, g, angle))
        # Field-like only by the imaginary part.
        assert abs(torque[1]) < 1e-9
    assert found == pytest.approx(expected, rel=0, abs=tolerance * np.abs(expected).max())
    assert (min(found) < 0) == (name == "wavy")


@pytest.mark.parametrize(("star", "gamma", "tolerance"), [(1e-12, 0.2, 5e-3), (1e-15, 0.5, 0.04)])
def test_hanle_curve(star, gamma, tolerance):
    """What is left is the width of the wires, which the formula does not know; more where contacts take spins back."""
    al = fs.Material("Al", 31e-9, 600e-9, density_of_states=1.5e47)
    co = fs.Material.from_star("Co", 75e-9, 38e-9, 0.46)
    height, width, distance = 50e-9, 100e-9, 1e-6
    r_f = co.resistivity_star * co.spin_diffusion_length
    face = fs.Interface(star, gamma, 1 / (2 * (star + r_f)))
    stack = fs.Stack(
        fs.Layer(al, height, "channel"),
        fs.Layer(co, 150e-9, "source", (0, 1, 0)),
        fs.Layer(co, 150e-9, "probe", (0, 1, 0)),
        interfaces={("Co", "Al"): face},
        library={},
    )
    domain = fs.lateral(
        COMM, stack, separation=distance, wire_width=width, channel_width=width, dimension=2, mesh_size=50e-9
    )
    none, current = fs.Terminal(current=0.0), fs.Terminal(current=1e-4)
    drive = {"left": fs.Terminal(voltage=0.0), "right": none, "injector": current, "detector": none}
    r_n = al.resistivity * al.spin_diffusion_length / (height * width)
    ratio, x = r_n * width**2 / (star + r_f), distance / al.spin_diffusion_length
    p = (gamma * star + co.beta * r_f) / (star + r_f)
    hbar, mu_b, e = 1.054571817e-34, 9.2740100783e-24, 1.602176634e-19
    lifetime = al.spin_diffusion_length**2 * al.resistivity * e**2 * al.density_of_states
    found, expected = [], []
    for field in (0.0, 0.12, 0.5):
        problem = fs.TransportProblem(domain, fs.Vector(field=(0, 0, field)), contacts={"left": LEAD, "right": LEAD})
        solution = problem.solve(terminals=drive, between=("injector", "left"))
        found.append((solution.voltages["detector"] - solution.voltages["right"]) / 1e-4)
        k = cmath.sqrt(1 + 2j * mu_b / hbar * field * lifetime)
        bracket = 2 * (k + ratio) * cmath.exp(k * x) + ratio**2 * cmath.sinh(k * x) / k
        expected.append(p**2 * r_n * (1 / bracket).real)
        problem.destroy()
    # Without field this is Takahashi and Maekawa's formula.
    decay, contact = math.exp(-x), 1 / ratio
    maekawa = 2 * r_n * (p * contact) ** 2 * decay / ((1 + 2 * contact) ** 2 - decay**2)
    assert expected[0] == pytest.approx(maekawa, rel=1e-12)
    assert found == pytest.approx(expected, rel=0, abs=tolerance * expected[0])
    assert found[2] < 0 if star > 1e-14 else found[2] < 0.2 * found[0]


# ---- a device: Lepadatu, J. Appl. Phys. 128, 243902 (2020), Fig. 8 and the input files published with it.
def published_efficiency(cosine):
    """His fit to the torque of his solver, and its five numbers: eta, r = field-like over damping-like = 0.19.

    His torque is per current density averaged over the pillar's bounding rectangle of 512 columns of cells, of
    which the ellipse holds 344; per current density of the pillar it is smaller by their ratio.
    """
    return (344 / 512) * (4.94 / (5.85 + 3.83 * cosine) - 0.05 / (5.85 - 3.83 * cosine))


def published_valve():
    """N 20 | F 10 | N 2 | F 5 | N 20 nm of 1.405e7 S/m, l_sf 10 nm, polarizations 0.4 of drift and 0.5 of diffusion.

    Unequal polarizations are not reciprocal. At given current the same torque comes from one polarization, 0.4, with
    the resistivities and the spin diffusion length below: resistances alone differ, by 1 percent.
    """
    metal = fs.Material("N", 1 / 1.405e7, 10e-9)
    magnet = fs.Material("F", 1 / (1.405e7 * 0.80 / 0.84), math.sqrt(0.80) * 10e-9, 0.4)
    face = fs.Interface.from_conductances(1e15, 1e14, 1e15 + 1e14j)
    return fs.Stack(
        fs.Layer(metal, 20e-9),
        fs.Layer(magnet, 10e-9, "fixed", magnetization=(-1, 0, 0)),
        fs.Layer(metal, 2e-9, "spacer"),
        fs.Layer(magnet, 5e-9, "free", magnetization=(0, 1, 0)),
        fs.Layer(metal, 20e-9),
        interfaces={("N", "F"): face},
        library={},
    )


def test_published_device():
    ends = dict.fromkeys(("bottom", "top"), fs.Contact("blocked"))
    problem = fs.TransportProblem(fs.line(COMM, published_valve()), fs.Vector(), contacts=ends)
    found = torque_map(problem, "free", tolerance=1e-6)

    def efficiency(cosine):
        return np.abs(found.damping_like(cosine)) / SPIN_PER_CHARGE

    angle = np.radians(np.arange(1.0, 180.0))  # of the free layer to the antiparallel state
    ours, published = (f(-np.cos(angle)) for f in (efficiency, published_efficiency))
    assert ours == pytest.approx(published, rel=0.03, abs=0)
    # What does not depend on how the current is counted: asymmetry, angle of the largest torque.
    assert efficiency(-1.0) / efficiency(1.0) == pytest.approx(5.03, rel=0.05, abs=0)
    peaks = [np.degrees(angle[np.argmax(x * np.sin(angle))]) for x in (ours, published)]
    assert peaks[0] == pytest.approx(peaks[1], rel=0, abs=1.01)
