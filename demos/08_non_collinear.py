# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Non-collinear magnets: spin torque against angle, and the Hanle effect
#
# Where magnetizations are not collinear, the spin accumulation is a vector $s$. Along a magnetization it obeys the two
# channels; across it, spins are absorbed at the interface, which takes them with its mixing conductance and
# with them their angular momentum, $\hbar/2e$ for each unit of spin current:
#
# $$ J_{s\perp} = 2\,\mathrm{Re}\,G_{mix}\, s_\perp + 2\,\mathrm{Im}\,G_{mix}\; m\times s_\perp, \qquad
#    \tau = \frac{\hbar}{2e} J_{s\perp}. $$
#
# First a spin valve: its torque and its resistance against the angle, next to circuit theory and to the formula of
# Xiao, Zangwill and Stiles (Phys. Rev. B 70, 172405, 2004), which extends Slonczewski's to two different magnets.
# Then a valve that another code has computed, rebuilt from its parameters.
# Then a lateral device in a field that makes spins precess on their way from one wire to another, next to the
# formula of Sosenko, Wei and Aji (Phys. Rev. B 89, 245436, 2014), whose limit for tunnel contacts is the one
# of Johnson and Silsbee by which spin lifetimes are measured.
#
# Run it with `python demos/08_non_collinear.py`, or with `mpirun -n 2` before it.

# %%
import dataclasses
import math
import os
from pathlib import Path

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

import fespin as fs
from fespin.constants import BOHR_MAGNETON, ELEMENTARY_CHARGE, HBAR
from fespin.coupling import torque_map

type Array = NDArray[np.float64]

comm = MPI.COMM_WORLD
QUICK = bool(os.environ.get("FESPIN_QUICK"))
output = Path(os.environ.get("FESPIN_OUTPUT", "demo-output")) / "08_non_collinear"
if comm.rank == 0:
    output.mkdir(parents=True, exist_ok=True)
comm.barrier()

# %% [markdown]
# ## Two spin valves
# Materials and interfaces are the library's, measured at 4.2 K. Their mixing conductance is not in it: a number of
# the size that calculations find for such interfaces, with an imaginary part of a tenth, more than
# they find, to make a field-like torque that can be seen.

# %%
MIXING = 5e14 + 0.5e14j  # S/m2
CURRENT_DENSITY = 1e11
LEADS = {"bottom": fs.Contact("lead"), "top": fs.Contact("lead")}
copper, cobalt, permalloy = (fs.material(x) for x in ("Cu", "Co", "Py"))
library = fs.interfaces()
SPACER = 8e-9


def valve(fixed: fs.Layer, free: fs.Layer) -> fs.Stack:
    """Two magnets between copper leads, with a copper spacer."""
    faces = {
        (m, "Cu"): dataclasses.replace(library[m, "Cu"], mixing_conductance=MIXING)
        for m in {fixed.material.name, free.material.name}
    }
    return fs.Stack(
        fs.Layer(copper, 20e-9),
        fixed,
        fs.Layer(copper, SPACER, "spacer"),
        free,
        fs.Layer(copper, 20e-9),
        interfaces=faces,
        library={},
    )


VALVES = {
    "Co(6)/Cu(8)/Co(6)": valve(fs.Layer(cobalt, 6e-9, "fixed"), fs.Layer(cobalt, 6e-9, "free")),
    "Co(8)/Cu(8)/Py(8)": valve(fs.Layer(cobalt, 8e-9, "fixed"), fs.Layer(permalloy, 8e-9, "free")),
}

# %% [markdown]
# ## Torque and resistance against angle
# The fixed magnet points along z, the free one, u, turns in the plane of x and z. Spaces and forms are built
# once per valve, `magnetize` changes coefficients. Per current, the torque has a part along u x (z x u), called
# damping-like, and one along u x z, called field-like.


# %%
@dataclasses.dataclass(frozen=True)
class Sweep:
    """Torque on the free magnet over (hbar/2e) J, and A R (ohm m2), against the angle between the magnets."""

    damping_like: Array
    field_like: Array
    resistance_area: Array


def sweep(stack: fs.Stack, angles: Array) -> Sweep:
    """Turn the free magnet of a valve."""
    domain = fs.line(comm, stack, mesh_size=2e-9 if QUICK else None)
    problem = fs.TransportProblem(domain, fs.Vector("absorbed"), contacts=LEADS)
    rows = []
    for angle in angles:
        u, across = np.array([math.sin(angle), 0, math.cos(angle)]), np.array([-math.cos(angle), 0, math.sin(angle)])
        problem.magnetize({"free": u})
        solution = problem.solve(current_density=CURRENT_DENSITY)
        assert abs(solution.power_balance) < 1e-10
        torque = np.array(solution.report["torque"]["free"]) / (HBAR / (2 * ELEMENTARY_CHARGE) * CURRENT_DENSITY)
        rows.append((torque @ across, torque @ np.cross(u, across), solution.resistance_area))
    return Sweep(*np.array(rows).T)


angles = np.radians(np.linspace(0, 180, 7 if QUICK else 25))
sweeps = {name: sweep(stack, angles) for name, stack in VALVES.items()}

# %% [markdown]
# ## Circuit theory and the formula
# Seen from the middle of the spacer, each half of the valve is a source of spins along its magnet: like a battery, it
# has a short-circuit current $PJ$ and an inner resistance $R$, and two collinear solutions give both. Across the
# magnet it is a conductance $g$, that of the interface in series with half of the spacer:
# $1/g = 1/(2 G_{mix}) + \rho d/2$. One balance of vectors then gives $s$ in the middle. This is
# circuit theory; it lacks only the spins that flip in the spacer.
#
# With a real $g$, equal on both sides, the balance has the solution
#
# $$ \frac{\tau}{(\hbar/2e) J} = \Big[\frac{q_+}{A + B\cos\theta} + \frac{q_-}{A - B\cos\theta}\Big]\sin\theta, \qquad
#    \Lambda_i^2 = g R_i, $$
# $$ A = \sqrt{(\Lambda_1^2+1)(\Lambda_2^2+1)}, \quad B = \sqrt{(\Lambda_1^2-1)(\Lambda_2^2-1)}, \quad
#    q_\pm = \tfrac12\Big[P_1\Lambda_1^2\sqrt{\tfrac{\Lambda_2^2+1}{\Lambda_1^2+1}} \pm
#    P_2\Lambda_2^2\sqrt{\tfrac{\Lambda_1^2-1}{\Lambda_2^2-1}}\Big], $$
#
# the formula of Xiao, Zangwill and Stiles, as micromagnetic codes have it: OOMMF's four parameters `P_fixed`, `P_free`,
# `Lambda_fixed` and `Lambda_free` are these. For equal magnets it is Slonczewski's
# $P\Lambda^2\sin\theta\,/\,[\Lambda^2+1+(\Lambda^2-1)\cos\theta]$.
# If $P_2\Lambda_2^2(\Lambda_1^2-1) > P_1\Lambda_1^2(\Lambda_2^2+1)$, the torque changes sign at an angle
# in between. Such a wavy torque holds both collinear states for one sign of the current, and drives
# the magnet out of both for the other.
#
# Without an imaginary part, finite elements differ from the formula by 0.05 % of the largest torque: the spins that
# flip in the copper (and by 4e-8 if none do: `tests/transport/test_published_torque.py`).
# The imaginary part here adds 0.6 %.


# %%
def source(stack: fs.Stack, magnet: str) -> tuple[float, float]:
    """P and R (ohm m2) of one half of a valve, from lead to the middle of the spacer."""
    half = dataclasses.replace(stack["spacer"], thickness=SPACER / 2)
    part = fs.Stack(fs.Layer(copper, 20e-9), stack[magnet], half, interfaces=_faces(stack, magnet), library={})
    domain = fs.line(comm, part)
    open_, shorted = (
        fs.TransportProblem(domain, contacts={"bottom": "lead", "top": x}).solve(current_density=CURRENT_DENSITY)
        for x in ("blocked", "reservoir")
    )
    # The current of a contact counts into the device; s = (phi_up - phi_dn)/2.
    spin_current = shorted.channel_currents["top"]["down"] - shorted.channel_currents["top"]["up"]
    accumulation = open_.profile(2).accumulation[-1] / 2
    return spin_current / CURRENT_DENSITY, accumulation / spin_current


def _faces(stack: fs.Stack, magnet: str) -> dict[tuple[str, str], fs.Interface]:
    return {k: v for k, v in stack.interfaces.items() if stack[magnet].material.name in k}


def circuit(
    halves: tuple[tuple[float, float], tuple[float, float]], g: complex, angle: float
) -> tuple[float, float, float]:
    """Torque over (hbar/2e) J, damping-like and field-like, and the resistance that the angle adds (ohm m2)."""
    (p1, r1), (p2, r2) = halves
    u, fixed = np.array([math.sin(angle), 0, math.cos(angle)]), np.array([0.0, 0, 1])
    across = np.array([-math.cos(angle), 0, math.sin(angle)])

    def absorbs(m: Array, r: float) -> Array:
        along = np.outer(m, m)
        turned = np.cross(m, np.eye(3)).T  # s -> m x s
        return along / r + g.real * (np.eye(3) - along) + g.imag * turned

    injected = p1 * fixed - p2 * u
    s = np.linalg.solve(absorbs(fixed, r1) + absorbs(u, r2), injected)
    absorbed = absorbs(u, r2) @ s
    return absorbed @ across, absorbed @ np.cross(u, across), float(injected @ s)


def published(halves: tuple[tuple[float, float], tuple[float, float]], g: float, angle: Array) -> Array:
    """The torque over (hbar/2e) J of Xiao, Zangwill and Stiles (2004)."""
    (p1, r1), (p2, r2) = halves
    l1, l2 = g * r1, g * r2  # squares of Lambda
    a, b = math.sqrt((l1 + 1) * (l2 + 1)), math.sqrt((l1 - 1) * (l2 - 1))
    first, second = p1 * l1 * math.sqrt((l2 + 1) / (l1 + 1)), p2 * l2 * math.sqrt((l1 - 1) / (l2 - 1))
    plus, minus = (first + second) / 2, (first - second) / 2
    return np.sin(angle) * (plus / (a + b * np.cos(angle)) + minus / (a - b * np.cos(angle)))


across_half = 1 / (1 / (2 * MIXING) + copper.resistivity * SPACER / 2)
halves = {name: (source(stack, "fixed"), source(stack, "free")) for name, stack in VALVES.items()}
theory = {name: np.array([circuit(h, across_half, x) for x in angles]).T for name, h in halves.items()}
deviations = {}
for name, valve_sweep in sweeps.items():
    peak = np.abs(valve_sweep.damping_like).max()
    formula = published(halves[name], across_half.real, angles)
    rise = valve_sweep.resistance_area - valve_sweep.resistance_area[0]
    deviations[name] = (
        np.abs(valve_sweep.damping_like - theory[name][0]).max() / peak,
        np.abs(valve_sweep.field_like - theory[name][1]).max() / peak,
        np.abs(valve_sweep.damping_like - formula).max() / peak,
        np.abs(rise - (theory[name][2] - theory[name][2][0])).max() / np.abs(rise).max(),
    )
    if comm.rank == 0:
        for magnet, (p, r) in zip(("fixed", "free"), halves[name], strict=True):
            square = across_half.real * r
            print(f"{name}, {magnet}: P = {p:.4f}, R = {r * 1e15:.3f} fohm m2, Lambda = {math.sqrt(square):.3f}")
        d, f, x, r = (100 * v for v in deviations[name])
        print(f"  largest torque {peak:.4f}; from circuit theory {d:.3f}% (damping-like), {f:.3f}% (field-like),")
        print(f"  {r:.2f}% (resistance); from Xiao, Zangwill and Stiles {x:.3f}% of the largest torque")

# %% [markdown]
# A measured curve is usually fitted: $\sin\theta/\tau$ is linear in $\cos\theta$ for equal magnets. And the
# resistance of such a valve does not follow $\sin^2(\theta/2)$, but with the same $\Lambda$
#
# $$ \frac{R(\theta) - R_P}{R_{AP} - R_P} = \frac{\sin^2(\theta/2)}{\sin^2(\theta/2) + \Lambda^2\cos^2(\theta/2)}. $$
#
# In the unequal valve the resistance first falls, as Manschot, Brataas and Bauer (Phys. Rev. B 69, 092407, 2004) found
# for asymmetric valves: it has its minimum where the torque vanishes.

# %%
equal, unequal = VALVES
inner = slice(1, -1)
slope, offset = np.polyfit(np.cos(angles[inner]), np.sin(angles[inner]) / sweeps[equal].damping_like[inner], 1)
fitted_p, fitted_lambda = 2 / (offset + slope), math.sqrt((offset + slope) / (offset - slope))
swing = {n: (x.resistance_area - x.resistance_area[0]) for n, x in sweeps.items()}
normalized = swing[equal] / swing[equal][-1]
below = (np.sin(angles / 2) ** 2 - normalized).max()
at_minimum = math.degrees(angles[np.argmin(swing[unequal])])
positive = np.flatnonzero(np.diff(np.sign(sweeps[unequal].damping_like[inner])))[0] + 1
left, right = sweeps[unequal].damping_like[positive : positive + 2]
crossing = math.degrees(angles[positive] + (angles[1] - angles[0]) * left / (left - right))
if comm.rank == 0:
    print(f"fit to {equal}: P = {fitted_p:.4f}, Lambda = {fitted_lambda:.4f}")
    print(f"its resistance lies up to {below:.3f} of its swing below sin^2(theta/2)")
    print(f"{unequal}: torque zero at {crossing:.1f} degrees, least resistance near {at_minimum:.0f} degrees")

# %%
if comm.rank == 0:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    BLUE, RED, GREEN = "#1f4e79", "#c0392b", "#2e7d32"
    figure, axes = plt.subplots(2, 2, figsize=(11, 7.6), sharex=True, layout="constrained")
    fine = np.radians(np.linspace(0, 180, 181))
    for column, (name, valve_sweep) in enumerate(sweeps.items()):
        top, bottom = axes[:, column]
        lines = np.array([circuit(halves[name], across_half, x) for x in fine]).T
        dots = {"markersize": 5, "lw": 0}
        degrees = np.degrees(angles)
        top.plot(degrees, valve_sweep.damping_like, "o", color=BLUE, label="damping-like, finite elements", **dots)
        top.plot(degrees, valve_sweep.field_like, "^", color=GREEN, label="field-like, finite elements", **dots)
        top.plot(np.degrees(fine), published(halves[name], across_half.real, fine), color=BLUE, lw=1.3,
                 label="Xiao, Zangwill and Stiles (2004)")  # fmt: skip
        top.plot(np.degrees(fine), lines[1], "--", color=GREEN, lw=1.3, label="circuit theory")
        top.axhline(0, color="0.4", lw=0.6)
        top.set_title(name, fontsize=12)
        rise = (lines[2] - lines[2][0]) / 1e-15
        bottom.plot(degrees, swing[name] / 1e-15, "o", color=RED, label="finite elements", **dots)
        bottom.plot(np.degrees(fine), rise, color=RED, lw=1.3, label="circuit theory")
        bottom.plot(np.degrees(fine), swing[name][-1] / 1e-15 * np.sin(fine / 2) ** 2, ":", color="0.3", lw=1.6,
                    label=r"$\sin^2(\theta/2)$")  # fmt: skip
        bottom.axhline(0, color="0.4", lw=0.6)
        bottom.set_xlabel(r"angle $\theta$ between the magnets (degrees)")
        bottom.set_xticks(range(0, 181, 30))
        bottom.margins(x=0.02)
    axes[0, 0].set_ylabel(r"torque on the free magnet, $\tau/(\hbar J/2e)$")
    axes[1, 0].set_ylabel(r"$A R(\theta) - A R_P$ (f$\Omega$ m$^2$)")
    axes[0, 0].legend(frameon=False, loc="upper left", fontsize=9)
    axes[1, 0].legend(frameon=False, loc="upper left", fontsize=9)
    figure.savefig(output / "torque.png", dpi=150)
    plt.close(figure)

# %% [markdown]
# ## A published device
# Lepadatu (J. Appl. Phys. 128, 243902, 2020) computed the torque in a pillar with finite differences and fitted the
# formula above to it; his input files name every parameter: metal of $1.405\cdot10^7$ S/m and 10 nm,
# fixed and free layers of 10 and 5 nm with a spacer of 2 nm, conductances of $10^{15}$ and $10^{14}$ S/m$^2$ and
# $G_{mix} = 10^{15} + 10^{14} i$ S/m$^2$ at every face. His magnets have polarizations of 0.4 for drift and 0.5
# for diffusion. Unequal ones are not reciprocal; at given current, 0.4 for both, with a resistivity and a
# spin diffusion length that are a little smaller, makes the same torque. His torque is per current density averaged
# over a rectangle of 512 columns of cells, of which the pillar holds 344.

# %%
LEPADATU = (4.94, -0.05, 5.85, 3.83)  # q+, q-, A, B
metal = fs.Material("N", 1 / 1.405e7, 10e-9)
magnet_ = fs.Material("F", 0.84 / 0.80 / 1.405e7, math.sqrt(0.80) * 10e-9, 0.4)
rebuilt = fs.Stack(
    fs.Layer(metal, 20e-9),
    fs.Layer(magnet_, 10e-9, "fixed", magnetization=(1, 0, 0)),
    fs.Layer(metal, 2e-9, "spacer"),
    fs.Layer(magnet_, 5e-9, "free", magnetization=(0, 1, 0)),
    fs.Layer(metal, 20e-9),
    interfaces={("N", "F"): fs.Interface.from_conductances(1e15, 1e14, 1e15 + 1e14j)},
    library={},
)
blocked = {"bottom": fs.Contact("blocked"), "top": fs.Contact("blocked")}
problem = fs.TransportProblem(fs.line(comm, rebuilt), fs.Vector(), contacts=blocked)
rebuilt_map = torque_map(problem, "free", tolerance=1e-4)


def efficiency(cosine: Array) -> tuple[Array, Array]:
    """The torque over (hbar/2e) J sin(angle), ours and his."""
    plus, minus, a, b = LEPADATU
    his = (344 / 512) * (plus / (a + b * cosine) + minus / (a - b * cosine))
    return np.abs(rebuilt_map.damping_like(cosine)) * 2 * ELEMENTARY_CHARGE / HBAR, his


off = max(abs(x / y - 1) for x, y in zip(*efficiency(np.linspace(-1, 1, 101)), strict=True))
ratios = [float(x[0] / x[1]) for x in efficiency(np.array([-1.0, 1.0]))]
if comm.rank == 0:
    print(f"Lepadatu's valve: at most {100 * off:.1f}% from his formula; torque near antiparallel over that")
    print(f"near parallel {ratios[0]:.2f}, his {ratios[1]:.2f}")
    figure, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
    ours, his = efficiency(np.cos(fine))
    ax.plot(np.degrees(fine), his * np.sin(fine), color=BLUE, lw=1.3, label="Lepadatu (2020), fit")
    ours, _ = efficiency(np.cos(angles))
    ax.plot(np.degrees(angles), ours * np.sin(angles), "o", color=BLUE, ms=5, label="finite elements")
    ax.set_xlabel(r"angle $\theta$ between the magnets (degrees)")
    ax.set_ylabel(r"torque on the free magnet, $\tau/(\hbar J/2e)$")
    ax.set_xticks(range(0, 181, 30))
    ax.legend(frameon=False)
    figure.savefig(output / "published.png", dpi=150)
    plt.close(figure)

# %% [markdown]
# ## The Hanle effect
# Cobalt wires on an aluminium channel, magnetized along themselves (y). A field across the film (z) turns spins in the
# plane while they diffuse from the injector to the detector. Some arrive early, some late: the signal
# oscillates and dies out. With $\omega = g\mu_B B/\hbar$, $\lambda^2 = D\tau$ and $\kappa = \sqrt{1 + i\omega\tau}$
#
# $$ R_{NL} = \pm p^2 R_N\,\mathrm{Re}\,\Big[2\Big(\kappa + \frac{R_N}{R_c}\Big) e^{\kappa L/\lambda}
#    + \frac{R_N^2}{R_c^2}\frac{\sinh(\kappa L/\lambda)}{\kappa}\Big]^{-1}, \quad
#    R_N = \frac{\rho_N\lambda}{A_N}, \; R_c = \frac{AR^* + \rho_F^* l_F}{A_J}, \;
#    p = \frac{\gamma AR^* + \beta \rho_F^* l_F}{AR^* + \rho_F^* l_F} $$
#
# (Sosenko, Wei and Aji, Eqs. 2 to 4, for equal contacts, each with the $p$ of Takahashi and Maekawa's formula in
# demo 02, which this is without field). Tunnel contacts, $R_c \gg R_N$, leave the form that goes back to
# Johnson and Silsbee. Contacts without a barrier take spins back: the signal is smaller and its
# curve wider, as if the lifetime were shorter. The formula has one resistance for spins along and
# across the wire's magnetization. These are not the same: across, it is $1/(2 G_{mix} A_J)$, and the curve is
# another one, with a theory of its own (two resistances in the same equations).
#
# The field is part of the model, so every field is a problem of its own, on one mesh.

# %%
aluminium = fs.Material("Al", 31e-9, 600e-9, density_of_states=1.5e47)
wire = fs.Material.from_star("Co", 75e-9, 38e-9, 0.46)
THICKNESS, WIDTH, DISTANCE = 50e-9, 100e-9, 1e-6
JUNCTION = WIDTH**2
R_WIRE = wire.resistivity_star * wire.spin_diffusion_length  # of a wire that is thick for spins
R_CHANNEL = aluminium.resistivity * aluminium.spin_diffusion_length / (THICKNESS * WIDTH)


def contact(star: float, gamma: float, mixing: float | None = None) -> fs.Interface:
    """An interface; without a mixing conductance, one that takes spins of all directions alike, as in the formula."""
    return fs.Interface(star, gamma, 1 / (2 * (star + R_WIRE)) if mixing is None else mixing)


CONTACTS = {
    "tunnel": contact(1e-12, 0.2),
    "clean, isotropic": contact(1e-15, 0.5),
    "clean": contact(1e-15, 0.5, 5e14),
}


def nonlocal_resistance(face: fs.Interface, fields: Array) -> Array:
    """V/I at the detector for parallel and antiparallel wires, a row per field (ohm)."""
    stack = fs.Stack(
        fs.Layer(aluminium, THICKNESS, "channel"),
        fs.Layer(wire, 4 * wire.spin_diffusion_length, "source", (0, 1, 0)),
        fs.Layer(wire, 4 * wire.spin_diffusion_length, "probe", (0, 1, 0)),
        interfaces={("Co", "Al"): face},
        library={},
    )
    domain = fs.lateral(
        comm,
        stack,
        separation=DISTANCE,
        wire_width=WIDTH,
        channel_width=WIDTH,
        dimension=2,
        mesh_size=50e-9,
    )
    none, current = fs.Terminal(current=0.0), 1e-4
    drive = {
        "left": fs.Terminal(voltage=0.0),
        "right": none,
        "injector": fs.Terminal(current=current),
        "detector": none,
    }
    rows = []
    for field in fields:
        problem = fs.TransportProblem(
            domain, fs.Vector(field=(0, 0, field)), contacts={"left": "lead", "right": "lead"}
        )
        row = []
        for direction in ((0, 1, 0), (0, -1, 0)):
            problem.magnetize({"probe": direction})
            solution = problem.solve(terminals=drive, between=("injector", "left"))
            row.append((solution.voltages["detector"] - solution.voltages["right"]) / current)
        rows.append(row)
        problem.destroy()
    return np.array(rows)


def sosenko(face: fs.Interface, fields: Array) -> Array:
    """R_NL of parallel wires (ohm) by Eqs. 2 to 4 of Sosenko, Wei and Aji."""
    star, length = face.area_resistance_star, aluminium.spin_diffusion_length
    p = (face.gamma * star + (wire.beta or 0.0) * R_WIRE) / (star + R_WIRE)
    ratio, x = R_CHANNEL * JUNCTION / (star + R_WIRE), DISTANCE / length
    k = np.sqrt(1 + 1j * precession(fields))
    bracket = 2 * (k + ratio) * np.exp(k * x) + ratio**2 * np.sinh(k * x) / k
    return p**2 * R_CHANNEL * np.real(1 / bracket)


def precession(fields: Array) -> Array:
    """Omega tau."""
    diffusion = 1 / (aluminium.resistivity * ELEMENTARY_CHARGE**2 * (aluminium.density_of_states or math.nan))
    lifetime = aluminium.spin_diffusion_length**2 / diffusion
    return aluminium.g_factor * BOHR_MAGNETON / HBAR * lifetime * np.asarray(fields)


def anisotropic(face: fs.Interface, fields: Array) -> Array:
    """R_NL as above, with contacts that take spins along and across the wires differently."""
    star, x = face.area_resistance_star, DISTANCE / aluminium.spin_diffusion_length
    p = (face.gamma * star + (wire.beta or 0.0) * R_WIRE) / (star + R_WIRE)
    mixing = complex(face.mixing_conductance or 0.0).real
    takes = JUNCTION * np.diag([1 / (star + R_WIRE), 2 * mixing] * 2)
    out = []
    for k in np.sqrt(1 + 1j * precession(fields)):
        # s along y and x at both wires, for the spin currents into the channel there: y + i x is multiplied by 1/k.
        near, far = R_CHANNEL / (2 * k), R_CHANNEL / (2 * k) * np.exp(-k * x)
        response = np.block([[_turn(near), _turn(far)], [_turn(far), _turn(near)]])
        s = np.linalg.solve(np.eye(4) + response @ takes, response[:, 0])
        out.append(p**2 * s[2])
    return np.array(out)


def _turn(z: complex) -> Array:
    return np.array([[z.real, -z.imag], [z.imag, z.real]])


fields = np.array([0.0, 0.15, 0.5]) if QUICK else np.linspace(0, 0.9, 19)
signals = {name: nonlocal_resistance(face, fields) for name, face in CONTACTS.items()}
expected = {n: (anisotropic if n == "clean" else sosenko)(face, fields) for n, face in CONTACTS.items()}
errors = {n: np.abs(signals[n][:, 0] - expected[n]).max() / signals[n][0, 0] for n in CONTACTS}
mirrored = nonlocal_resistance(CONTACTS["clean"], -fields[1:2])
if comm.rank == 0:
    one_radian = 1 / precession(np.array(1.0))
    print(f"omega tau = 1 at {one_radian * 1e3:.0f} mT")
    for n, values in signals.items():
        print(f"{n}: {values[0, 0] * 1e3:.4f} mohm without field, largest deviation from theory", end=" ")
        print(f"{100 * errors[n]:.2f}% of that")

# %%
if comm.rank == 0:
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    fine = np.linspace(-fields[-1], fields[-1], 361)
    both = np.concatenate([-fields[:0:-1], fields])
    for k, (state, colour, mark) in enumerate((("parallel", BLUE, "o"), ("antiparallel", RED, "s"))):
        values = signals["tunnel"][:, k]
        left.plot(both, np.concatenate([values[:0:-1], values]) / 1e-3, mark, color=colour, markersize=4, lw=0,
                  label=f"{state}, finite elements")  # fmt: skip
        curve = (1, -1)[k] * sosenko(CONTACTS["tunnel"], fine) / 1e-3
        left.plot(fine, curve, color=colour, lw=1.2)
    left.plot([], [], color="0.3", lw=1.2, label="one-dimensional theory")
    left.axhline(0, color="0.4", lw=0.6)
    left.set_xlabel("field across the film (T)")
    left.set_ylabel(r"$V/I$ (m$\Omega$)")
    left.set_title("Tunnel contacts", fontsize=11)
    left.set_ylim(-15.5, 21)
    left.legend(frameon=False, loc="upper left", fontsize=9)
    looks = ((BLUE, "o", "-"), (GREEN, "^", "--"), (RED, "s", "-"))
    for (n, face), (colour, mark, style) in zip(CONTACTS.items(), looks, strict=True):
        values = signals[n][:, 0] / signals[n][0, 0]
        curve = (anisotropic if n == "clean" else sosenko)(face, fine)
        label = {"clean": r"clean, with $G_{mix}$ across"}.get(n, n)
        right.plot(both, np.concatenate([values[:0:-1], values]), mark, color=colour, markersize=4, lw=0, label=label)
        right.plot(fine, curve / curve[len(fine) // 2], style, color=colour, lw=1.2)
    right.axhline(0, color="0.4", lw=0.6)
    right.set_xlabel("field across the film (T)")
    right.set_ylabel("parallel signal, relative to no field")
    right.set_title("What contacts do to the curve", fontsize=11)
    right.set_ylim(-0.35, 1.45)
    right.legend(frameon=False, loc="upper left", fontsize=9)
    figure.savefig(output / "hanle.png", dpi=150)

# %% [markdown]
# ## Checks

# %%
for name, (damping_like, field_like, formula_error, resistance) in deviations.items():
    assert damping_like < 2e-3 and field_like < 2e-3 and formula_error < 0.02 and resistance < 5e-3, name
for name, h in halves.items():
    real = [circuit(h, complex(across_half.real), x)[0] for x in angles]
    assert np.allclose(real, published(h, across_half.real, angles), rtol=1e-10, atol=1e-12), name
assert abs(fitted_lambda / math.sqrt(across_half.real * halves[equal][0][1]) - 1) < 0.01
shape = np.sin(angles / 2) ** 2 / (np.sin(angles / 2) ** 2 + fitted_lambda**2 * np.cos(angles / 2) ** 2)
assert np.abs(normalized - shape).max() < 0.01
assert off < 0.03 and abs(ratios[0] / ratios[1] - 1) < 0.05
assert sweeps[unequal].damping_like[1] * sweeps[unequal].damping_like[-2] < 0 and swing[unequal].min() < 0
isotropic = CONTACTS["clean, isotropic"]
assert np.allclose(anisotropic(isotropic, fields), sosenko(isotropic, fields), rtol=1e-12, atol=0)
assert errors["tunnel"] < 0.01 and max(errors.values()) < 0.05
for values in signals.values():
    assert np.abs(values.sum(axis=1)).max() < 1e-6 * values[0, 0]  # antiparallel is minus parallel
assert abs(mirrored[0, 0] / signals["clean"][1, 0] - 1) < 1e-6
