# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Spin pumping, the reverse of spin torque
#
# A current turns a magnet; a magnet that turns drives a current. Where the magnetization $u$ turns with the angular
# velocity $w$, $\dot u = w\times u$, an interface acts on the transverse spins less those that would turn with the
# magnet:
#
# $$ J_{s\perp} = 2\,\mathrm{Re}\,G_{mix}\Big(s - \frac{\hbar}{2e}w\Big)_\perp
#    + 2\,\mathrm{Im}\,G_{mix}\; u\times\Big(s - \frac{\hbar}{2e}w\Big). $$
#
# Nothing else is added to the equations of demo 08. Out of it come the damping by spin pumping (Tserkovnyak, Brataas
# and Bauer, Phys. Rev. Lett. 88, 117601, 2002), pumped voltages, and magnets that damp or spare one another. A valve
# with the voltage $V$, the current density $J$ and the torque $\tau$ on its free magnet obeys
#
# $$ J = G V + a\cdot w, \qquad \tau = b V - \Gamma w, $$
#
# and Onsager's and Casimir's reciprocity ties the two: $a(M) = b(-M)$, $\Gamma(M) = \Gamma(-M)^T$, where $-M$ has all
# magnets reversed. This script solves both sides.
#
# Solutions are stationary at each direction: spins are taken to be faster than the magnet. Where that fails,
# in thick copper, a section below does without it.
#
# Run it with `python demos/11_spin_pumping.py`, or with `mpirun -n 2` before it.

# %%
import dataclasses
import math
import os
from pathlib import Path

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

import fespin as fs
from fespin.constants import BOHR_MAGNETON, ELECTRON_GYROMAGNETIC_RATIO, ELEMENTARY_CHARGE, HBAR, VACUUM_PERMEABILITY
from fespin.coupling import (
    SpinTransferBlock,
    ferromagnetic_coefficient,
    pumped_damping,
    pumping_increase,
    pumping_matrix,
    solve_turning,
    torque_map,
    transverse_cross,
)
from fespin.macrospin import AngularDamping

type Array = NDArray[np.float64]

comm = MPI.COMM_WORLD
QUICK = bool(os.environ.get("FESPIN_QUICK"))
output = Path(os.environ.get("FESPIN_OUTPUT", "demo-output")) / "11_spin_pumping"
if comm.rank == 0:
    output.mkdir(parents=True, exist_ok=True)
comm.barrier()

# %% [markdown]
# ## What is given
# Resistivities, spin diffusion lengths, asymmetries and interface resistances are the library's, at 4.2 K. **Assumed**
# are the mixing conductances, with an imaginary part of a tenth, the magnetization of permalloy and its damping
# without pumping. The library has no Py|Pt; that of Co|Pt stands in, and only its mixing conductance matters here.
# Devices end in contacts that let no spins pass (`blocked`), unless something else is said.

# %%
MAGNETIZATION, DAMPING = 8e5, 0.007  # of Py: A/m and 1
MIXING = {("Py", "Cu"): 3.9e14 + 0.4e14j, ("CoFe", "Cu"): 5e14 + 0.5e14j, ("Py", "Pt"): 5e14 + 0.5e14j}  # S/m2
RATE = 2 * math.pi * 10e9  # rad/s
X, Y, Z = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
SHORTED = {"bottom": fs.Terminal(voltage=0.0), "top": fs.Terminal(voltage=0.0)}
FLOATING = {"bottom": fs.Terminal(current=0.0), "top": fs.Terminal(voltage=0.0)}
copper, platinum, permalloy, cofe = (fs.material(x) for x in ("Cu", "Pt", "Py", "CoFe"))
library = fs.interfaces()
library["Py", "Pt"] = library["Co", "Pt"]
FACES = {k: dataclasses.replace(library[k], mixing_conductance=g) for k, g in MIXING.items()}


def problem_of(*layers: fs.Layer, end: str = "blocked", field: float = 0.0) -> fs.TransportProblem:
    """Transport through layers, the upper end as given, in a field along z (T)."""
    materials = {x.material.name for x in layers}
    stack = fs.Stack(*layers, interfaces={k: f for k, f in FACES.items() if set(k) <= materials})
    contacts = {"bottom": fs.Contact("blocked"), "top": fs.Contact(end)}
    return fs.TransportProblem(fs.line(comm, stack), fs.Vector(field=(0, 0, field)), contacts=contacts)


def unit(theta: float, phi: float = 0.0) -> Array:
    """A direction by its angles from z and x."""
    return np.array([math.sin(theta) * math.cos(phi), math.sin(theta) * math.sin(phi), math.cos(theta)])


# %% [markdown]
# ## One magnet: damping
# Py between 10 nm of copper and a second metal, the sink. Pumped spins that flip in the sink are lost, others come
# back. For a metal of thickness $d$, resistivity $\rho$ and spin diffusion length $l$ this makes, for each interface,
#
# $$ \alpha_{sp} = \frac{\gamma\hbar^2}{2e^2 M_s t}\,\mathrm{Re}\,G_{eff}, \qquad
#    G_{eff} = \frac{G_{mix}}{1 + 2 G_{mix}\,\rho\, l \coth(d/l)}, $$
#
# with tanh for coth if spins are lost at the outer end (`reservoir`). So copper, in which few spins flip, damps hardly
# at all, whatever its mixing conductance. Platinum does from about 14 nm on, its $l$. With a reservoir behind it,
# platinum does the opposite: it keeps spins from the reservoir.


# %%
def damping_on(sink: fs.Material, thickness: float, end: str, magnet: float) -> float:
    """What pumping adds to the damping of Py on a sink; at the other face copper in which spins have nowhere to go."""
    problem = problem_of(
        fs.Layer(copper, 10e-9),
        fs.Layer(permalloy, magnet, "magnet", magnetization=Z),
        fs.Layer(sink, thickness),
        end=end,
    )
    tensor = pumped_damping(problem, "magnet", MAGNETIZATION)
    problem.destroy()
    return float(tensor[0, 0])


def conductance(mixing: complex, metal: fs.Material, thickness: float | Array, end: str = "blocked") -> Array:
    """G_eff (S/m2) of an interface with a metal behind."""
    x = np.asarray(thickness) / metal.spin_diffusion_length
    back = np.tanh(x) if end == "reservoir" else 1 / np.tanh(x)
    return np.asarray(mixing / (1 + 2 * mixing * metal.resistivity * metal.spin_diffusion_length * back))


def damping_by(g: Array, magnet: float) -> Array:
    """The damping of a sum of G_eff."""
    scale = ELECTRON_GYROMAGNETIC_RATIO * HBAR**2 / (2 * ELEMENTARY_CHARGE**2 * MAGNETIZATION * magnet)
    return np.asarray(scale * np.real(g))


MAGNET = 5e-9
SINKS = {
    "Pt, reservoir behind": (platinum, "reservoir"),
    "Pt, blocked": (platinum, "blocked"),
    "Cu, blocked": (copper, "blocked"),
}
thicknesses = np.geomspace(1e-9, 100e-9, 3 if QUICK else 11)
behind = conductance(MIXING["Py", "Cu"], copper, 10e-9)


def closed_form(sink: str, thickness: Array) -> Array:
    metal, end = SINKS[sink]
    return damping_by(conductance(MIXING["Py", metal.name], metal, thickness, end) + behind, MAGNET)


on_sinks = {
    name: np.array([damping_on(metal, d, end, MAGNET) for d in thicknesses]) for name, (metal, end) in SINKS.items()
}
sink_error = max(float(np.abs(x / closed_form(name, thicknesses) - 1).max()) for name, x in on_sinks.items())
if comm.rank == 0:
    print(f"{'damping on a sink of':>22}" + "".join(f"{d * 1e9:>9.3g} nm" for d in thicknesses[[0, -1]]))
    for name, x in on_sinks.items():
        print(f"{name:>22}" + "".join(f"{y:>12.5f}" for y in x[[0, -1]]))
    print(f"largest deviation from the closed form: {sink_error:.1e} of it")

# %% [markdown]
# A resonance experiment sees the sum with the damping that the magnet has by itself, against $1/t$: a straight line.
# The intercept is that damping. The slope is usually given as a number per area,
# $g_{eff} = G_{eff} h/e^2 = 4\pi M_s\,\alpha_{sp}t/(\gamma\hbar)$. It belongs to the whole
# stack: 30 nm of platinum make $8.1\cdot10^{18}$ per m$^2$, where the interface alone would have
# $12.9\cdot10^{18}$, and 30 nm of copper make $0.09\cdot10^{18}$, with an interface of $10.1\cdot10^{18}$.

# %%
CAPS = {"Pt(30)": (platinum, 30e-9), "Pt(3)": (platinum, 3e-9), "Cu(30)": (copper, 30e-9)}
magnet_thicknesses = np.array([2e-9, 5e-9, 20e-9] if QUICK else [2e-9, 3e-9, 5e-9, 10e-9, 20e-9])
resonance = {
    name: DAMPING + np.array([damping_on(metal, d, "blocked", t) for t in magnet_thicknesses])
    for name, (metal, d) in CAPS.items()
}
fits = {name: np.polyfit(1 / magnet_thicknesses, x, 1) for name, x in resonance.items()}
per_slope = 4 * math.pi * MAGNETIZATION / (ELECTRON_GYROMAGNETIC_RATIO * HBAR)
if comm.rank == 0:
    for name, (slope, intercept) in fits.items():
        g = slope * per_slope
        print(f"{name:>6}: damping {intercept:.5f} + {slope * 1e9:.5f} nm/t, g_eff = {g / 1e18:.3f}e18 per m2")
    bare = MIXING["Py", "Pt"].real * 2 * math.pi * HBAR / ELEMENTARY_CHARGE**2
    print(f"the interface Py|Pt alone: {bare / 1e18:.3f}e18 per m2")

# %% [markdown]
# In Wegrowe's notation (2010, Eq. 42) the current of moments on the sphere, $j = A F + l E$, and the
# spin current, $\tilde l F + \sigma E$, are coupled, with $\tilde l = 2l$. Where spins leave, the mobility $A$ is
# larger by $l\tilde l/\sigma$ than where none can, and that is the pumped damping.

# %%
g_eff = float(np.real(conductance(MIXING["Py", "Pt"], platinum, 30e-9)))
sum_of_both = DAMPING + float(damping_by(np.array(g_eff), MAGNET))
moving = fs.Macrospin(volume=MAGNET * 1e-14, saturation_magnetization=MAGNETIZATION, damping=sum_of_both)
mobility, cross = ferromagnetic_coefficient(moving), transverse_cross(moving, g_eff).real
block = SpinTransferBlock(mobility, cross, 2 * cross, g_eff * MAGNET, beta=0.0)
in_that_form = pumping_increase(block) / mobility * moving.damping * (1 + moving.damping**2)
if comm.rank == 0:
    print(f"pumped damping on Pt(30): {sum_of_both - DAMPING:.6f}, from Wegrowe's form {in_that_form:.6f}")

# %% [markdown]
# ## A valve: reciprocity
# CoFe(12)/Cu(4)/Py(2) between copper. The fixed magnet points along $p$, the free one along $u$ at an angle. The torque
# on it per voltage, $b$, comes from a solve with a voltage, the current that it pumps into a short circuit
# per angular velocity, $a$, from others with a turning magnet. Both have the unit of a charge per area: per radian, the
# magnet pushes 19 mC/m$^2$ through the valve at 90 degrees, and 1 V would exert 19 mJ/m$^2$ on it.
#
# Reversing all magnets gives $a(M) = b(-M)$ to rounding. The same valve tells more: reversed magnets are the valve
# turned by 180 degrees about the normal $u\times p$, so $a$ and $b$ of one state have
# **opposite signs along the axis in the plane** of the magnets and **the same sign along its normal**. In the first the
# torque is the damping-like one, in the second the field-like one.

# %%
FREE = 2e-9
valve = problem_of(
    fs.Layer(copper, 10e-9),
    fs.Layer(cofe, 12e-9, "fixed", magnetization=Z),
    fs.Layer(copper, 4e-9, "spacer"),
    fs.Layer(permalloy, FREE, "free", magnetization=Z),
    fs.Layer(copper, 10e-9),
)


def axes_at(angle: float) -> tuple[Array, Array, Array]:
    """For p = z: u at an angle, the axis across u in the plane of both, towards p, and the normal along u x p."""
    return unit(angle), np.array([-math.cos(angle), 0, math.sin(angle)]), np.array([0.0, -1.0, 0.0])


def torque_per_voltage() -> Array:
    return np.array(valve.solve(voltage=1.0).report["torque"]["free"])


def current_per_velocity(axis: Array) -> float:
    return solve_turning(valve, {"free": tuple(RATE * axis)}, SHORTED).currents["bottom"] / RATE


angles = np.radians(np.linspace(0, 180, 5 if QUICK else 19)[1:-1])
rows, reversed_rows = [], []
for angle in angles:
    u, inside, normal = axes_at(angle)
    valve.magnetize({"fixed": Z, "free": tuple(u)})
    b, a = torque_per_voltage(), [current_per_velocity(e) for e in (inside, normal)]
    rows.append([b @ inside, b @ normal, *a])
    valve.magnetize({"fixed": (0.0, 0.0, -1.0), "free": tuple(-u)})
    b = torque_per_voltage()
    reversed_rows.append([b @ inside, b @ normal])
there = pumping_matrix(valve, "free")
valve.magnetize({"fixed": Z, "free": tuple(u)})
gamma = pumping_matrix(valve, "free")
gamma_difference = np.abs(gamma - there.T).max() / np.abs(gamma).max()
per_voltage, per_velocity = np.hsplit(np.array(rows), 2)
largest = np.abs(per_voltage).max()
reciprocity = np.abs(per_velocity - reversed_rows).max() / largest
in_plane_sum, normal_difference = np.abs(per_velocity - per_voltage * [-1, 1]).max(axis=0) / largest
if comm.rank == 0:
    middle = len(angles) // 2
    print(
        f"at 90 degrees: b = {per_voltage[middle]} and a = {per_velocity[middle]} C/m2, in the plane and along normal"
    )
    print(f"largest deviation of a(M) from b(-M): {reciprocity:.1e} of the largest b")
    print(f"of one state: a + b in the plane {in_plane_sum:.1e}, a - b along the normal {normal_difference:.1e}")
    skew = np.abs(gamma - gamma.T).max() / np.abs(gamma).max()
    print(f"Gamma(M) - Gamma(-M)^T: {gamma_difference:.1e} of the largest; Gamma(M) - Gamma(M)^T: {skew:.1e}")

# %% [markdown]
# ## The voltage at resonance
# In resonance the free magnet precesses about an axis $n$, with a cone of 10 degrees and 10 GHz here, and an open
# circuit shows the voltage $V = -a\cdot w/G$ with $w = 2\pi f\,n$. By reciprocity it is known from the torque and
# resistance of a valve at rest. In the terms of a torque map,
# $\tau/J = d(c)\,(p - c u) + f(c)\,u\times p$ with $c = u\cdot p$,
#
# $$ V = d(c)\;(p - cu)\cdot w - f(c)\;(u\times p)\cdot w. $$
#
# If $n$ has the angle $\Theta$ to $p$, a small cone $\vartheta$ has the mean
#
# $$ \overline V = 2\pi f\,\vartheta^2\big[\cos\Theta\; d(\cos\Theta) - \tfrac12\sin^2\Theta\; d'(\cos\Theta)\big]. $$
#
# Solves with a turning magnet at eight phases agree to 1e-8 with $d$ and $f$, for which no magnet turned. The voltage
# is $\hbar\omega/2e = 21$ µV times $\vartheta^2$ and a polarization: 161 nV for precession about $p$, -221 nV about
# the opposite. There it is constant in time. In between an alternating voltage comes along, of up to 0.85 µV. At 90
# degrees 12 nV are left: they measure how the torque's efficiency changes with the angle.

# %%
valve.magnetize({"fixed": Z, "free": Z})
device = torque_map(valve, "free", tolerance=1e-3 if QUICK else 1e-6, pumping=True)
CONE, PHASES = math.radians(10), 6 if QUICK else 8
tilts = np.radians(np.linspace(0, 180, 3 if QUICK else 13))
CIRCLE = np.array([unit(CONE, x) for x in 2 * math.pi * np.arange(64) / 64])


def from_map(tilt: float) -> float:
    """The mean voltage, from torque and resistance at rest; n is along z."""
    p = unit(tilt)
    c, across = CIRCLE @ p, np.cross(CIRCLE, p)
    q = p - c[:, None] * CIRCLE
    return float(np.mean(RATE * (device.damping_like(c) * q[:, 2] - device.field_like(c) * across[:, 2])))


def from_solves(tilt: float) -> Array:
    """The voltage at some phases."""
    out = []
    for phase in 2 * math.pi * np.arange(PHASES) / PHASES:
        valve.magnetize({"fixed": tuple(unit(tilt)), "free": tuple(unit(CONE, phase))})
        out.append(solve_turning(valve, {"free": (0.0, 0.0, RATE)}, FLOATING).voltages["bottom"])
    return np.array(out)


at_phases = np.array([from_solves(x) for x in tilts])
voltages, swings = at_phases.mean(axis=1), np.ptp(at_phases, axis=1) / 2
fine_tilts = np.radians(np.linspace(0, 180, 91))
map_voltages = np.array([from_map(x) for x in fine_tilts])
cosines, d_slope = np.cos(fine_tilts), device.damping_like.deriv()
small_cone = (
    RATE * CONE**2 * (cosines * device.damping_like(cosines) - (1 - cosines**2) / 2 * np.asarray(d_slope(cosines)))
)
voltage_error = np.abs(voltages - [from_map(x) for x in tilts]).max() / np.abs(voltages).max()
cone_error = np.abs(small_cone - map_voltages).max() / np.abs(map_voltages).max()
if comm.rank == 0:
    print(f"hbar omega/2e = {HBAR * RATE / (2 * ELEMENTARY_CHARGE) * 1e6:.2f} uV")
    for tilt, v, s in list(zip(tilts, voltages, swings, strict=True))[:: max(len(tilts) // 4, 1)]:
        print(f"axis at {math.degrees(tilt):5.1f} degrees: {v * 1e9:9.3f} nV, alternating {s * 1e9:8.2f} nV")
    print(f"solves and map differ by {voltage_error:.1e}, the formula for small cones by {100 * cone_error:.1f} %")

# %% [markdown]
# ## The voltage of a single magnet
# It is zero, whatever the metals on its two sides: without a second magnet no axis across $u$ is distinguished, so
# $a$ has nowhere to point. In other words, spins that are pumped across $u$ come back across $u$, and only spins along
# $u$ make a voltage.
#
# This ends where spins are late. Copper of 1 µm has spins that live 17 ps (with the density of states
# assumed here), in which a magnet of 15 GHz turns by 1.6 rad. They keep a direction that the magnet has left,
# and this has a part along the new $u$. In the frame that turns with the magnet all is stationary: spins only
# precess backwards, as in a field of $-2\pi f/\gamma$ along the axis, and a field is an option of the model. At 15 GHz
# it makes -55 nV. For a real mixing conductance this voltage begins with the third power of the frequency; the
# imaginary part adds a square. It is the voltage of Wang, Bauer, van Wees, Brataas and Tserkovnyak (Phys. Rev. Lett.
# 97, 216602, 2006), which Costache et al. measured (Phys. Rev. Lett. 97, 216603, 2006). A field at rest, which the
# magnet may need for its resonance, would have to be added: here an anisotropy holds it.

# %%
DENSITY_OF_STATES = 1.1e47  # 1/(J m3)
slow_copper, slow_platinum = (dataclasses.replace(x, density_of_states=DENSITY_OF_STATES) for x in (copper, platinum))
COPPER = 1e-6


def single_magnet(frequency: float, *, delay: bool = True) -> float:
    """The dc voltage (V) of Cu/Py/Pt, the magnet precessing about z."""
    rate = 2 * math.pi * frequency
    problem = problem_of(
        fs.Layer(slow_copper, COPPER),
        fs.Layer(permalloy, 40e-9, "magnet", magnetization=tuple(unit(CONE))),
        fs.Layer(slow_platinum, 30e-9),
        field=-rate * HBAR / (copper.g_factor * BOHR_MAGNETON) if delay else 0.0,
    )
    solution = solve_turning(problem, {"magnet": (0.0, 0.0, rate)}, FLOATING)
    problem.destroy()
    return solution.voltages["bottom"]


def late_spins(frequency: float) -> float:
    """The same by three linear equations: slow copper, and a magnet thicker than its spin diffusion length."""
    rate, face, u, z = 2 * math.pi * frequency, FACES["Py", "Cu"], unit(CONE), np.array(Z)
    length, sigma = copper.spin_diffusion_length, 1 / copper.resistivity
    diffusion = sigma / (ELEMENTARY_CHARGE**2 * DENSITY_OF_STATES)
    kappa = np.sqrt(1 / length**2 + 1j * rate / diffusion)
    along, across = sigma / length * np.tanh(COPPER / length), sigma * kappa * np.tanh(kappa * COPPER)
    # What the copper takes, what mixing takes, and what flows along u into the magnet.
    metal = along * np.outer(z, z) + across.real * (np.eye(3) - np.outer(z, z)) + across.imag * turn(z)
    mixing = 2 * face.mixing_conductance.real * (np.eye(3) - np.outer(u, u))
    mixing = mixing + 2 * face.mixing_conductance.imag * turn(u)
    bulk = permalloy.resistivity_star * permalloy.spin_diffusion_length
    entrance = np.outer(u, u) / (face.area_resistance_star + bulk)
    s = np.linalg.solve(metal + mixing + entrance, mixing @ (HBAR / (2 * ELEMENTARY_CHARGE) * rate * z))
    spin_current = u @ entrance @ s
    return float(-(face.gamma * face.area_resistance_star + permalloy.beta * bulk) * spin_current)


def turn(axis: Array) -> Array:
    """The matrix of s -> axis x s."""
    return np.cross(axis, np.eye(3)).T


frequencies = np.array([1e9, 3e9, 15e9] if QUICK else [1e9, 3e9, 6e9, 10e9, 15e9, 20e9, 25e9, 30e9])
late = np.array([single_magnet(f) for f in frequencies])
prompt = single_magnet(15e9, delay=False)
expected = np.array([late_spins(f) for f in frequencies])
late_error = np.abs(late - expected).max() / np.abs(expected).max()
if comm.rank == 0:
    lifetime = copper.spin_diffusion_length**2 * ELEMENTARY_CHARGE**2 * DENSITY_OF_STATES * copper.resistivity
    print(f"single magnet, spins without delay, 15 GHz: {prompt:.1e} V; lifetime in copper {lifetime * 1e12:.1f} ps")
    for f, v in zip(frequencies, late, strict=True):
        print(f"with it, {f / 1e9:4.0f} GHz: {v * 1e9:9.3f} nV")
    print(f"deviation from the three equations: {late_error:.1e}")

# %% [markdown]
# ## Damping is a tensor, and part of the circuit
# In the valve $\Gamma$ depends on the angle and on the direction of the motion. Motion in the plane of $u$ and $p$
# pumps spins across both magnets, which the fixed one absorbs: 0.0052 at all angles. Motion across the plane,
# at 90 degrees, pumps spins along $p$. The fixed magnet takes these only with the resistance of its interface and its
# own, so many come back: 0.0034.
#
# These spins also drive a current, so the electrical circuit matters. In a short circuit it flows. In an open one a
# voltage holds it back and, by reciprocity, exerts a torque that takes some of the damping away: 0.0032, 5 % less.
# A load is in between: that of the valve's own resistance is half-way. `TorqueMap.pumped` takes
# a circuit and returns a macrospin with this damping.

# %%
LOAD = float(device.resistance_area(0.0))
CIRCUITS = {
    "short circuit": {"voltage": 0.0},
    "load": {"voltage": 0.0, "series_resistance_area": LOAD},
    "open circuit": {"current_density": 0.0},
}
bit = fs.Macrospin(
    volume=math.pi / 4 * (60e-9) ** 2 * FREE,
    saturation_magnetization=MAGNETIZATION,
    damping=DAMPING,
    terms=fs.Shape((0.0, 0.0, 1.0)),
    field=(0.0, 0.05, 0.0),
)
damped = {name: device.pumped(bit, **circuit) for name, circuit in CIRCUITS.items()}


def damping_with(load: float, axis: Array) -> float:
    """Damping of a motion about an axis, from solves: with the voltage that the pumped current makes at a load."""
    w = {"free": tuple(RATE * axis)}
    pumped = solve_turning(valve, w, SHORTED).currents["bottom"]
    voltage = -load * pumped / (1 + load * valve.solve(voltage=1.0).currents["bottom"])
    x = solve_turning(valve, w, {"bottom": fs.Terminal(voltage=voltage), "top": fs.Terminal(voltage=0.0)})
    return -ELECTRON_GYROMAGNETIC_RATIO / (MAGNETIZATION * FREE) * float(x.torque["free"] @ axis) / RATE


dot_angles = np.radians([45, 90] if QUICK else np.linspace(0, 180, 9))
collected: dict[str, list[list[float]]] = {name: [] for name in CIRCUITS}
for angle in dot_angles:
    u, inside, normal = axes_at(angle)
    valve.magnetize({"fixed": Z, "free": tuple(u)})
    for name, is_open in (("short circuit", False), ("open circuit", True)):
        tensor = pumped_damping(valve, "free", MAGNETIZATION, open_circuit=is_open)
        # An angular velocity in the plane moves u across it.
        collected[name].append([inside @ tensor @ inside, normal @ tensor @ normal])
    collected["load"].append([damping_with(LOAD, e) for e in (inside, normal)])
solved = {name: np.array(x) for name, x in collected.items()}
tensors = {name: x.pumping for name, x in damped.items() if isinstance(x.pumping, AngularDamping)}
c = np.cos(dot_angles)
tensor_error = max(
    float(np.abs(solved[k] - np.transpose([x.normal(c), x.in_plane(c)])).max() / solved[k].max())
    for k, x in tensors.items()
)
at_90 = {k: (float(x.normal(0.0)), float(x.in_plane(np.zeros(1))[0])) for k, x in tensors.items()}
if comm.rank == 0:
    print(f"load {LOAD * 1e15:.3f} fohm m2; map and solves differ by {tensor_error:.1e} of the largest damping")
    for name, (across_plane, in_plane) in at_90.items():
        print(f"{name:>14}, 90 degrees: {across_plane:.6f} for motion across the plane, {in_plane:.6f} in it")

# %% [markdown]
# ## Ring-down
# Does the tensor matter? The free magnet is a thin film (z is its normal) in a field of 50 mT along y, and is let go 3
# degrees off the field. Its precession is flat: 1 T of demagnetization holds it in the film. Most of the
# motion being in the film, the damping of this motion counts, with a weight of 95 %. The energy decays at
#
# $$ \frac1\tau = \gamma\,(\alpha_\parallel B_\perp + \alpha_\perp B_\parallel), \qquad
#    B_\parallel = B,\; B_\perp = B + \mu_0 M_s, $$
#
# up to squares of $\alpha$. With the fixed magnet normal to the film, motion in the film is across the plane
# of both magnets; with the fixed magnet in the film at 90 degrees, it is in their plane. So the same valve, with open
# contacts, rings for 0.50 or 0.42 ns. A scalar, the mean of the tensor, decays 9 % too fast for the first and 8 % too
# slowly for the second. Closing the circuit makes the first faster by 1.5 %.


# %%
@dataclasses.dataclass(frozen=True)
class RingDown:
    """Energy above its minimum (J) against time, its rate of decay and the one of the formula (1/s)."""

    directions: Array
    energy: Array
    rate: float
    expected: float


times = np.linspace(0, 1e-9 if QUICK else 3e-9, 501 if QUICK else 1501)


def ring_down(spin: fs.Macrospin) -> RingDown:
    run = fs.llg(spin, (math.sin(math.radians(3)), math.cos(math.radians(3)), 0.0), times, rtol=1e-7)
    energy = spin.energy(run.directions) - spin.energy(np.array([Y]))[0]
    added = np.zeros((3, 3)) if spin.pumping is None else spin.pumping.tensor(np.array([Y]))[0]
    in_film, out_of_film = spin.damping + added[0, 0], spin.damping + added[2, 2]
    reactive = (added[0, 2] - added[2, 0]) / 2
    soft = spin.field[1]
    stiff = soft + VACUUM_PERMEABILITY * spin.saturation_magnetization
    rate = spin.gyromagnetic_ratio * (in_film * stiff + out_of_film * soft)
    rate /= (1 + reactive) ** 2 + in_film * out_of_film
    return RingDown(run.directions, energy, -np.polyfit(times, np.log(energy), 1)[0], rate)


NORMAL, IN_FILM = "fixed magnet normal to the film", "fixed magnet in the film"
tensor_spin = damped["open circuit"]
turned = dataclasses.replace(tensors["open circuit"], polarizer=X)
mean_damping = DAMPING + sum(at_90["open circuit"]) / 2
runs = {
    "no pumping": ring_down(bit),
    NORMAL: ring_down(tensor_spin),
    "scalar, the mean": ring_down(dataclasses.replace(bit, damping=mean_damping)),
    IN_FILM: ring_down(dataclasses.replace(bit, pumping=turned)),
    NORMAL + ", short": ring_down(damped["short circuit"]),
}
if comm.rank == 0:
    for name, x in runs.items():
        print(f"{name:>38}: energy decays at {x.rate / 1e9:.4f} per ns, formula {x.expected / 1e9:.4f}")

# %% [markdown]
# ## Where the energy goes
# At four moments of the ring-down the valve is solved with the magnet turning as it does. The magnetic energy that is
# lost, $M_s v\,B\cdot\dot u$ with the effective field, is the intrinsic part $(M_s v/\gamma)\alpha\dot u^2$ and the
# power $-\tau\cdot w$ that the motion puts into the electrons. These in turn dissipate all of it. Two fifths
# are lost at the face that pumps, nearly all the rest in the fixed magnet and at its face, which do not move.

# %%
run = runs[NORMAL]
area = bit.volume / FREE
powers, balances = [], []
places: dict[str, float] = {}
for k in np.linspace(0, 150, 4, dtype=int):
    u = run.directions[k]
    field = tensor_spin.effective_field(u[None])
    velocity = tensor_spin.precession(u[None], field)[0]
    valve.magnetize({"fixed": Z, "free": tuple(u)})
    x = solve_turning(valve, {"free": tuple(np.cross(u, velocity))}, FLOATING)
    lost = tensor_spin.moment * field[0] @ velocity
    intrinsic = tensor_spin.moment / tensor_spin.gyromagnetic_ratio * DAMPING * velocity @ velocity
    powers.append((lost, intrinsic, area * x.mechanical_power, area * x.dissipation.total))
    balances.append(abs(x.power_balance))
    for (place, _), power in x.dissipation.parts.items():
        places[place] = places.get(place, 0.0) + power / x.dissipation.total / 4
lost, intrinsic, put_in, dissipated = np.array(powers).T
energy_error = np.abs(lost - intrinsic - put_in).max() / lost.max()
if comm.rank == 0:
    print("power in pW: magnetic energy lost, intrinsic, put into electrons, dissipated by them")
    for row in powers:
        print("".join(f"{1e12 * y:12.6f}" for y in row))
    print(f"sum of the first three {energy_error:.1e}, balance of electrons {max(balances):.1e}")
    print("shares: " + ", ".join(f"{k} {100 * y:.1f} %" for k, y in sorted(places.items(), key=lambda i: -i[1])[:5]))

# %% [markdown]
# ## Two magnets that turn
# Two equal magnets, parallel, with copper between them. If both turn alike, each receives what the other one pumps: no
# spin current is left, and no damping. If they turn in opposite phases, spins of opposite sign meet in the middle,
# and beside a thin spacer the damping is twice that next to a magnet at rest. By symmetry the middle of the
# spacer is a blocked end for the first and a reservoir for the second, so the closed form of a single magnet holds,
# with half of the spacer. With 4 nm of copper the damping is $2\cdot10^{-5}$ and 0.0062. Spacers longer than copper's
# $l$ of 1 µm separate the two. For these the motion must be slow, though: spins take 17 ps for 1 µm.
#
# This dynamic exchange narrows the resonance of two films when their frequencies meet (Heinrich et al.,
# Phys. Rev. Lett. 90, 187601, 2003).

# %%
PAIR = 3e-9
MODES = {"opposite phases": (1, -1), "the other at rest": (1, 0), "in phase": (1, 1)}
spacers = np.geomspace(4e-9, 4e-6, 3 if QUICK else 10)


def damping_of_modes(spacer: float) -> tuple[list[float], float]:
    """What pumping adds to the lower magnet's damping, and the worst power balance."""
    problem = problem_of(
        fs.Layer(copper, 10e-9),
        fs.Layer(permalloy, PAIR, "lower", magnetization=Z),
        fs.Layer(copper, spacer),
        fs.Layer(permalloy, PAIR, "upper", magnetization=Z),
        fs.Layer(copper, 10e-9),
    )
    solutions = [
        solve_turning(problem, {"lower": (lower * RATE, 0, 0), "upper": (upper * RATE, 0, 0)}, FLOATING)
        for lower, upper in MODES.values()
    ]
    problem.destroy()
    scale = -ELECTRON_GYROMAGNETIC_RATIO / (MAGNETIZATION * PAIR) / RATE
    return [scale * x.torque["lower"][0] for x in solutions], max(abs(x.power_balance) for x in solutions)


def form_of_modes(spacer: Array) -> dict[str, Array]:
    g = MIXING["Py", "Cu"]
    together, against = (
        damping_by(conductance(g, copper, spacer / 2, end) + behind, PAIR) for end in ("blocked", "reservoir")
    )
    return dict(zip(MODES, (against, (together + against) / 2, together), strict=True))


found_modes = [damping_of_modes(d) for d in spacers]
modes = dict(zip(MODES, np.transpose([x for x, _ in found_modes]), strict=True))
mode_balance = max(x for _, x in found_modes)
mode_error = max(float(np.abs(modes[k] / x - 1).max()) for k, x in form_of_modes(spacers).items())
if comm.rank == 0:
    print(f"{'spacer':>10}" + "".join(f"{k:>20}" for k in MODES))
    for i, d in enumerate(spacers):
        print(f"{d * 1e9:>7.1f} nm" + "".join(f"{x[i]:>20.6f}" for x in modes.values()))
    print(f"largest deviation from the closed form: {mode_error:.1e} of it")

# %% [markdown]
# With two different magnets, both turning in their own way, and a current driven through them, power balances as well:
# what the source and the motion put in is dissipated.

# %%
valve.magnetize({"fixed": Z, "free": tuple(unit(1.0))})
driven = solve_turning(
    valve,
    {"fixed": (RATE, 0.0, 0.0), "free": (0.0, RATE, 0.5 * RATE)},
    {"bottom": fs.Terminal(current=1e10), "top": fs.Terminal(voltage=0.0)},
)
electric = driven.voltages["bottom"] * driven.currents["bottom"]
if comm.rank == 0:
    print(f"in W/m2: by the source {electric:.4e}, by the motion {driven.mechanical_power:.4e},")
    print(f"dissipated {driven.dissipation.total:.4e}; balance {driven.power_balance:.1e}")

# %% [markdown]
# ## Pictures

# %%
if comm.rank == 0:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.axes import Axes

    BLUE, RED, GREEN, OCHRE, GREY = "#1f4e79", "#c0392b", "#2e7d32", "#d28f33", "0.45"
    DOT = {"lw": 0, "ms": 5.5, "mfc": "white", "mew": 1.5}

    def title(ax: Axes, letter: str, text: str) -> None:
        ax.set_title(f"{letter}   {text}", loc="left", fontsize=11.5)

    def degrees_axis(ax: Axes, label: str) -> None:
        ax.set_xlabel(label)
        ax.set_xticks(range(0, 181, 30))
        ax.set_xlim(-4, 184)

    figure, axes = plt.subplots(2, 3, figsize=(15, 8.6), layout="constrained")
    (sink_ax, pair_ax, reciprocal_ax), (voltage_ax, tensor_ax, ring_ax) = axes
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)

    fine = np.geomspace(thicknesses[0], thicknesses[-1], 200)
    for (name, damping), colour in zip(on_sinks.items(), (OCHRE, BLUE, RED), strict=True):
        sink_ax.semilogx(fine * 1e9, closed_form(name, fine) * 1e3, color=colour, lw=1.8)
        sink_ax.plot(thicknesses * 1e9, damping * 1e3, "o", color=colour, label=name, **DOT)
    sink_ax.set_xlabel("thickness of the sink (nm)")
    sink_ax.set_ylabel(r"pumped damping $\alpha_{sp}$ ($10^{-3}$)")
    sink_ax.set_ylim(-0.2, 6)
    sink_ax.set_xticks((1, 10, 100), ("1", "10", "100"))
    sink_ax.legend(frameon=False, fontsize=9.5, loc="upper right")
    title(sink_ax, "a", "one magnet, Py(5) on a sink")

    fine = np.geomspace(spacers[0], spacers[-1], 200)
    for (name, form), colour in zip(form_of_modes(fine).items(), (RED, GREY, BLUE), strict=True):
        pair_ax.semilogx(fine * 1e9, form * 1e3, color=colour, lw=1.8)
        pair_ax.plot(spacers * 1e9, modes[name] * 1e3, "o", color=colour, label=name, **DOT)
    pair_ax.set_xticks((10, 100, 1000), ("10", "100", "1000"))
    pair_ax.set_xlabel("thickness of the copper spacer (nm)")
    pair_ax.set_ylabel(r"pumped damping $\alpha_{sp}$ ($10^{-3}$)")
    pair_ax.legend(frameon=False, fontsize=9.5)
    title(pair_ax, "b", "two magnets, Py(3)/Cu/Py(3)")

    degrees, angle = np.degrees(angles), np.linspace(0, math.pi, 181)
    c = np.cos(angle)
    per_volt = 1e3 * np.sin(angle) / device.resistance_area(c)
    for k, (torque, factor, colour) in enumerate(((device.damping_like, 1, BLUE), (device.field_like, 10, GREEN))):
        reciprocal_ax.plot(np.degrees(angle), factor * torque(c) * per_volt, color=colour, lw=1.8)
        reciprocal_ax.plot(degrees, factor * 1e3 * per_velocity[:, k], "o", color=colour, **DOT)
    for y, colour, text in (
        (22.2, BLUE, "in the plane: torque per voltage"),
        (-23.2, BLUE, "in the plane: pumped current per velocity"),
        (10.6, GREEN, r"along the normal, $\times\,$10: both"),
    ):
        reciprocal_ax.text(90, y, text, color=colour, ha="center", va="center", fontsize=10.5)
    reciprocal_ax.axhline(0, color="0.6", lw=0.7)
    degrees_axis(reciprocal_ax, "angle between the magnets (degrees)")
    reciprocal_ax.set_ylabel(r"$b$ and $a$ (mC/m$^2$)")
    reciprocal_ax.set_ylim(-26, 26)
    title(reciprocal_ax, "c", "reciprocity, CoFe(12)/Cu(4)/Py(2)")

    voltage_ax.plot(np.degrees(fine_tilts), map_voltages * 1e9, color=BLUE, lw=1.8, label="from the torque at rest")
    voltage_ax.plot(np.degrees(fine_tilts), small_cone * 1e9, "--", color=GREY, lw=1.3, label="small cone")
    voltage_ax.plot(np.degrees(tilts), voltages * 1e9, "o", color=BLUE, label="turning magnet", **DOT)
    voltage_ax.axhline(0, color="0.6", lw=0.7)
    degrees_axis(voltage_ax, "angle of the precession's axis to the fixed magnet (degrees)")
    voltage_ax.set_ylabel("dc voltage (nV)")
    voltage_ax.legend(frameon=False, fontsize=9.5)
    title(voltage_ax, "d", "voltage at resonance: 10 GHz, cone of 10°")

    tensor_ax.plot(np.degrees(angle), tensors["short circuit"].in_plane(c) * 1e3, color=GREEN, lw=1.8)
    tensor_ax.plot(np.degrees(dot_angles), solved["short circuit"][:, 1] * 1e3, "o", color=GREEN,
                   label="motion in their plane", **DOT)  # fmt: skip
    for (name, x), colour in zip(tensors.items(), (BLUE, OCHRE, RED), strict=True):
        tensor_ax.plot(np.degrees(angle), x.normal(c) * 1e3, color=colour, lw=1.8)
        tensor_ax.plot(
            np.degrees(dot_angles), solved[name][:, 0] * 1e3, "o", color=colour, label=f"across, {name}", **DOT
        )
    degrees_axis(tensor_ax, "angle between the magnets (degrees)")
    tensor_ax.set_ylabel(r"pumped damping $\alpha_{sp}$ ($10^{-3}$)")
    tensor_ax.set_ylim(2.9, 6.3)
    tensor_ax.legend(frameon=False, fontsize=9.5, loc="upper center", ncols=2)
    title(tensor_ax, "e", "the valve's damping is a tensor")

    styles = {"no pumping": (GREY, "-"), NORMAL: (BLUE, "-"), "scalar, the mean": ("black", "--"), IN_FILM: (RED, "-")}
    for name, (colour, style) in styles.items():
        x = runs[name]
        ring_ax.semilogy(times * 1e9, x.energy / x.energy[0], style, color=colour, lw=1.8, label=name)
    ring_ax.set_xlabel("time (ns)")
    ring_ax.set_ylabel("magnetic energy over its first value")
    ring_ax.set_xlim(0, times[-1] * 1e9)
    ring_ax.legend(frameon=False, fontsize=9.5, loc="lower left")
    title(ring_ax, "f", "ring-down of the free layer")
    for ax in axes.flat:
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(output / "pumping.png", dpi=120)
    plt.close(figure)

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.3), layout="constrained")
    inverse = np.linspace(0, 0.52, 2)
    for (name, x), colour in zip(resonance.items(), (BLUE, OCHRE, RED), strict=True):
        left.plot(inverse, np.polyval(fits[name], inverse * 1e9) * 1e3, color=colour, lw=1.8)
        left.plot(1e-9 / magnet_thicknesses, x * 1e3, "o", color=colour, label=f"Cu(10)/Py/{name}", **DOT)
    left.set_xlabel(r"1/thickness of the magnet (nm$^{-1}$)")
    left.set_ylabel(r"damping $\alpha + \alpha_{sp}$ ($10^{-3}$)")
    left.set_xlim(0, 0.52)
    left.legend(frameon=False)
    title(left, "a", "what a resonance experiment sees")
    fine = np.linspace(0, frequencies[-1], 121)[1:]
    right.plot(fine / 1e9, [late_spins(f) * 1e9 for f in fine], color=BLUE, lw=1.8, label="three equations")
    right.plot(frequencies / 1e9, late * 1e9, "o", color=BLUE, label="turning frame", **DOT)
    right.plot(fine / 1e9, 0 * fine, color=GREY, lw=1.3, label="spins without delay")
    right.set_xlabel("frequency (GHz)")
    right.set_ylabel("dc voltage (nV)")
    right.legend(frameon=False)
    title(right, "b", r"a single magnet, Cu(1 µm)/Py/Pt: late spins")
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(output / "one_magnet.png", dpi=120)
    plt.close(figure)

# %% [markdown]
# ## Checks

# %%
# One magnet: closed forms, the order of the sinks, a line against 1/t.
assert sink_error < 1e-6
assert on_sinks["Cu, blocked"].max() < 0.05 * on_sinks["Pt, blocked"][-1]
assert (np.diff(on_sinks["Pt, blocked"]) > 0).all() and (np.diff(on_sinks["Pt, reservoir behind"]) < 0).all()
assert all(abs(offset / DAMPING - 1) < 1e-6 for _, offset in fits.values())
assert abs(in_that_form / (sum_of_both - DAMPING) - 1) < 1e-9
# Reciprocity, and voltages from it.
assert max(reciprocity, in_plane_sum, normal_difference, gamma_difference) < 1e-9
assert np.abs(per_velocity[:, 1]).max() > 0.01 * largest  # or its sign would mean nothing
assert voltage_error < 100 * device.error + 1e-9
assert cone_error < 0.03 and voltages[0] > 0 > voltages[-1]
# A single magnet: nothing, but for late spins.
assert abs(prompt) < 1e-9 * np.abs(late).max()
assert late_error < 1e-3 and (np.diff(np.abs(late)) > 0).all()
assert 2.5 < math.log(late[1] / late[0]) / math.log(frequencies[1] / frequencies[0]) < 3.6
# The tensor.
assert tensor_error < 10 * device.error + 1e-9
across_short, across_load, across_open = (at_90[k][0] for k in CIRCUITS)
assert across_open < 0.97 * across_short and at_90["short circuit"][1] > 1.4 * across_short
assert abs(across_load - (across_short + across_open) / 2) < 1e-6 * across_short
assert all(abs(x.rate / x.expected - 1) < (3e-3 if QUICK else 1e-3) for x in runs.values())
assert runs["no pumping"].rate < runs[NORMAL].rate < runs["scalar, the mean"].rate < runs[IN_FILM].rate
assert runs[NORMAL].rate < runs[NORMAL + ", short"].rate
# Energy.
assert energy_error < 10 * device.error + 1e-9 and max(balances) < 1e-9 and mode_balance < 1e-9
assert np.abs(put_in / dissipated - 1).max() < 1e-9 and abs(driven.power_balance) < 1e-9
# Two magnets.
assert mode_error < 1e-6
assert (modes["in phase"] < modes["the other at rest"]).all() and modes["in phase"][0] < 0.01 * modes[
    "opposite phases"
][0]
