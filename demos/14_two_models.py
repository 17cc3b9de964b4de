# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # A field across a wall: one sort of carriers, or two bands
#
# Saslow (Phys. Rev. B 76, 184434, 2007) writes down every flux that thermodynamics allows in a conducting magnet that
# is not uniform, for two models: a *generic* magnet with one sort of carriers, and a *two-band* magnet, whose bands of
# either spin have potentials of their own. A field $B$ across a wall turns the magnetization, and what turns it pumps
# carriers. In both models the voltage between distant leads is
#
# $$ V = -2P\mu_B B/e , $$
#
# but for what the damping takes, a part $\alpha^2$ (`static_voltage`).
#
# Near the wall they differ. A band's carriers that cross the wall gain or lose their Zeeman energy $2\mu_B B$: the
# bands part, $\phi_{\uparrow,\downarrow} = \phi\pm s$, until spin flips bring them together again,
#
# $$ s'' - \frac{s}{l_{sf}^2} = E', \qquad \phi = P\Big(\int E\,dx - s\Big), \qquad
#    E = \frac{\mu_B}{e}\,\partial_x m\cdot B . $$
#
# For a wall much thinner than $l_{sf}$ the potential does not step at the wall at all: it rises over $l_{sf}$ on either
# side. So the edges of the pulse of a wall that passes a voltage lead tell one model from the other.
#
# Run it with `python demos/14_two_models.py`, or with `mpirun -n 2` before it.

# %%
import math
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from dolfinx import mesh
from mpi4py import MPI

from fespin.constants import BOHR_MAGNETON, ELEMENTARY_CHARGE
from fespin.normal_metal import NormalMetal
from fespin.texture import (
    Dynamics,
    Electrode,
    GenericMagnet,
    Grid,
    IrreversibleProblem,
    TexturedMagnet,
    TwoBandMagnet,
    WallEstimates,
    WallWatch,
    static_voltage,
    thermal_drift,
    wall,
)

comm = MPI.COMM_WORLD
QUICK = bool(os.environ.get("FESPIN_QUICK"))
output = Path(os.environ.get("FESPIN_OUTPUT", "demo-output")) / "14_two_models"
if comm.rank == 0:
    output.mkdir(parents=True, exist_ok=True)
comm.barrier()

# %% [markdown]
# ## The wire
# Conductivity, polarization and magnetization are those that the paper takes for cobalt. Exchange, anisotropy (a wall
# of 15 nm), damping and spin-diffusion lengths are **assumed**.

# %%
cobalt = TexturedMagnet(
    saturation_magnetization=1.45e6,  # A/m
    exchange=3e-11,  # J/m
    damping=0.01,
    conductivity=3.4e7,  # S/m
    polarization=0.6,
    easy_constant=1.33e5,  # J/m3
)
FIELD = 0.1  # T
LENGTH, LEADS = 800e-9, np.array([250e-9, 550e-9])
LENGTHS = (10e-9, 60e-9)  # l_sf
grid = Grid(mesh.create_interval(comm, 320 if QUICK else 800, [0.0, LENGTH]))
open_ends = {
    "left": Electrode(lambda x: x[0] < 1e-12, voltage=0.0),
    "right": Electrode(lambda x: x[0] > LENGTH - 1e-12),
}
models = {"generic": GenericMagnet.of(cobalt)}
models |= {f"two bands, {1e9 * x:.0f} nm": TwoBandMagnet.of(cobalt, x) for x in LENGTHS}
problems = {name: IrreversibleProblem(grid, magnet, open_ends) for name, magnet in models.items()}


def magnetization(position: float):
    """M of a wall at a position."""
    m = wall(cobalt, position)
    return lambda x: cobalt.saturation_magnetization * m(x)


def potential(state) -> np.ndarray:
    """What a lead that is not polarized measures, at this rank's own nodes (V)."""
    return sum(state.potentials.values()) / len(state.potentials)


# %% [markdown]
# ## The wall at rest in the middle

# %%
V = -static_voltage(cobalt) * FIELD
profiles, worst = {}, 0.0
if comm.rank == 0:
    print(f"2 P mu_B B/e = {abs(V) * 1e6:.4f} uV; {'':<12}{'V (uV)':>12}{'largest 2 s (uV)':>20}{'balance':>12}")
for name, problem in problems.items():
    state = problem.solve(magnetization(LENGTH / 2), (FIELD, 0, 0))
    apart = np.zeros(grid.owned)
    if "up" in state.potentials:
        apart = state.potentials["up"] - state.potentials["down"]
    profiles[name] = grid.collected(np.stack([potential(state), apart], axis=1))
    error = state.voltages["right"] / V - 1
    worst = max(worst, abs(error))
    largest = grid.largest(np.abs(apart))
    if comm.rank == 0:
        print(f"{name:>38}{state.voltages['right'] * 1e6:>12.4f}{largest * 1e6:>20.4f}{state.balance:>12.0e}")
    assert abs(error) < 1e-4, (name, error)
    assert abs(state.balance) < 1e-9
    assert abs(state.reversible) < 1e-12 * sum(state.dissipation.values())

# %% [markdown]
# The equation of $s$ above, solved by its Green's function: $s = -\frac{l_{sf}}{2}\int e^{-|x-x'|/l_{sf}} E'(x')\,dx'$.

# %%
width, middle = cobalt.wall_width(), LENGTH / 2
fine = np.linspace(middle - 12 * width, middle + 12 * width, 4001)
u = (fine - middle) / width
slope = 2 * BOHR_MAGNETON / ELEMENTARY_CHARGE * FIELD / width**2 * np.tanh(u) / np.cosh(u) ** 2  # E'
deviation = {}
for x_sf, (name, profile) in zip(LENGTHS, list(profiles.items())[1:], strict=True):
    if profile is not None:
        x = profile[0][:, 0]
        s = -x_sf / 2 * np.trapezoid(np.exp(-np.abs(x[:, None] - fine) / x_sf) * slope, fine, axis=1)
        deviation[name] = float(np.abs(profile[1][:, 1] / 2 - s).max() / np.abs(s).max())
if comm.rank == 0:
    print("largest deviation of s from the closed form:", {k: f"{v:.1e}" for k, v in deviation.items()})

# %% [markdown]
# ## A wall passes two leads
# The field holds; the wall is put at one place after the other. The factor of the equations is made once.

# %%
places = np.linspace(120e-9, LENGTH - 120e-9, 57 if QUICK else 113)
pulses = {}
for name, problem in problems.items():
    rows = []
    for place in places:
        values = grid.seen(potential(problem.solve(magnetization(place), (FIELD, 0, 0)))[:, None])[:, 0]
        read = []
        for lead in LEADS:
            # The leads stand at nodes.
            near = np.flatnonzero(np.abs(grid.positions[: grid.owned, 0] - lead) < 1e-12)
            read.append(grid.total(values[near]))
        rows.append(read[1] - read[0])
    pulses[name] = np.array(rows)


def edge(pulse: np.ndarray) -> float:
    """How far the wall moves while the first edge rises from a tenth to nine tenths (m)."""
    half = places < LENGTH / 2
    height = np.abs(pulse[half])
    top = abs(V)
    return float(np.interp(0.9 * top, height, places[half]) - np.interp(0.1 * top, height, places[half]))


edges = {name: edge(pulse) for name, pulse in pulses.items()}
if comm.rank == 0:
    print("edge of the pulse, 10 to 90 percent (nm):", {k: f"{1e9 * v:.1f}" for k, v in edges.items()})

# %% [markdown]
# ## The wall as a heat pump
# Bands with different Seebeck coefficients carry different entropies: a field across the wall also pumps heat. In a
# wire that is closed to heat at its right end, one side of the wall gets warmer. Its reciprocal is the torque of a
# temperature gradient. $L_{s\uparrow} = -\sigma_\uparrow S_\uparrow/e$; the Seebeck coefficients are **assumed**.

# %%
SEEBECK = {"up": -38e-6, "down": -14e-6}  # V/K
bands = models[f"two bands, {1e9 * LENGTHS[1]:.0f} nm"]
hot = {f"L_s_{k}": -getattr(bands, f"conductivity_{k}") * S / ELEMENTARY_CHARGE for k, S in SEEBECK.items()}
pumping = TwoBandMagnet(**{**vars(bands), **hot, "thermal_conductivity": 100.0, "temperature": 300.0})
ends = {
    "left": Electrode(open_ends["left"].where, voltage=0.0, temperature=300.0),
    "right": Electrode(open_ends["right"].where, heat=0.0),
}
state = IrreversibleProblem(grid, pumping, ends).solve(magnetization(LENGTH / 2), (FIELD, 0, 0))
warm = grid.collected((state.temperature - 300)[:, None])
# Reciprocity: a temperature at the right end turns the wall; work of that torque in the field against heat.
electrodes = {**ends, "right": Electrode(open_ends["right"].where, current=0.0, temperature=300.0)}
pumped = IrreversibleProblem(grid, pumping, electrodes).solve(magnetization(LENGTH / 2), (FIELD, 0, 0)).heats["right"]
electrodes["right"] = Electrode(open_ends["right"].where, current=0.0, temperature=301.0)
turned = IrreversibleProblem(grid, pumping, electrodes).solve(lambda x: -magnetization(LENGTH / 2)(x)).local.torque
work = FIELD * grid.total(grid.weights[: grid.owned] * turned[:, 0])
if comm.rank == 0:
    top = float(np.abs(warm[1]).max())
    print(f"largest change of temperature: {top * 1e3:.3f} mK; balance {state.balance:.0e}")
    print(f"heat pumped at equal temperatures: {pumped:.5g} W/m2; from the torque of 1 K: {-300 * work:.5g} W/m2")

# %% [markdown]
# ## The models move the wall
# So far the wall was put where it should be. Now the fluxes move it: with the field of Fig. 1 past a lead, in the
# generic magnet and in bands that take time ($n_\uparrow$ and $n_\downarrow$ with a relaxation time of 1 ps), whose
# left end is a normal metal. A current comes out of the metal, too, so that spins gather there in two bands, and not in
# the generic magnet. And, without a field and a current, a temperature gradient moves it: at $\beta u/\alpha$, the
# closed form of docs/theory.md. A wall that keeps its tilt pumps by its nonadiabaticity alone, $\beta/\alpha$ of the
# static voltage. A hard axis, damping and nonadiabaticity of 0.1, the metal and the thermal torques are **assumed**.

# %%
thin = replace(cobalt, damping=0.1, nonadiabaticity=0.1, hard_constant=6e5)
copper = NormalMetal(resistivity=2e-8, spin_diffusion_length=150e-9)
SHORT, FROM, SPAN = 400e-9, 140e-9, 0.12e-9 if QUICK else 0.4e-9
fine_grid = Grid(mesh.create_interval(comm, 130 if QUICK else 200, [0.0, SHORT]))
watch = WallWatch(fine_grid, thin)
PROBE = 180e-9
slow_bands = TwoBandMagnet.of(thin, 60e-9, spin_relaxation_time=1e-12)
runs = {}
for name, law in {"generic": GenericMagnet.of(thin), "two bands, 60 nm": slow_bands}.items():
    ends = {
        "left": Electrode(lambda x: x[0] < 1e-12, voltage=0.0, spin=copper if "bands" in name else "reservoir"),
        "right": Electrode(lambda x: x[0] > SHORT - 1e-12, current=-2e11),
    }
    problem = IrreversibleProblem(fine_grid, law, ends)
    motion = Dynamics(fine_grid, thin, wall(thin, FROM), field=(15e-3, 0, 0), current=problem)
    read = fine_grid.reader(np.array([PROBE]))
    rows, scale = [], 0.0
    for step in motion.steps(SPAN, tolerance=1e-3):
        state = step.carriers
        mean = sum(state.potentials.values()) / len(state.potentials)
        seen = float(read(mean)[0])
        rows.append((step.time, watch.position(step.directions), state.voltages["right"] - seen))
        scale = max(map(abs, step.dissipation.values()))
        assert abs(step.energy_error) < 1e-9 * scale
        assert abs(sum(step.dissipation.values()) - step.supplied) < 1e-9 * scale
    runs[name] = np.array(rows), fine_grid.collected(2 * state.spins[:, None]), state
if comm.rank == 0:
    for name, (rows, _, state) in runs.items():
        taken = state.spin_currents.get("left", 0.0)
        print(f"{name}: the wall goes {1e9 * (rows[-1, 1] - FROM):.1f} nm; J_s into the metal {taken:.3g} A/m2")

warm_law = replace(GenericMagnet.of(thin), thermal_conductivity=100.0, L_sn=4e21, L_sM1=-4e-7, L_sM_prime=2e-15)
warm_ends = {
    "left": Electrode(lambda x: x[0] < 1e-12, voltage=0.0, temperature=300.0),
    "right": Electrode(lambda x: x[0] > SHORT - 1e-12, temperature=316.0),
}
thermal = IrreversibleProblem(fine_grid, warm_law, warm_ends)
motion = Dynamics(fine_grid, thin, wall(thin, SHORT / 2), current=thermal)
way = np.array([(s.time, watch.position(s.directions)) for s in motion.steps(1e-9, tolerance=1e-3)])
half = len(way) // 2
thermal_velocity = float(np.polyfit(*way[half:].T, 1)[0])
expected = thermal_drift(warm_law, thin.saturation_magnetization).velocity * 16.0 / SHORT
sizes = WallEstimates.of(cobalt, 10e-9)
if comm.rank == 0:
    print(f"16 K over {SHORT * 1e9:.0f} nm: {thermal_velocity:.4g} m/s, beta u/alpha = {expected:.4g} m/s")
    print(f"the paper's numbers: H_ST = {sizes.torque_field(1e4) * 1e3:.2g} mT at 1e4 V/m;", end=" ")
    print(f"at 0.1 T E_SP = {sizes.pumped_field(0.1):.3g} V/m, {sizes.voltage(0.1) * 1e6:.2g} uV")

# %%
if comm.rank == 0:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    COLOURS = ("#1f4e79", "#c0392b", "#2e7d32")
    figure, axes = plt.subplots(2, 2, figsize=(11.5, 7.6), layout="constrained")
    for (name, (x, values)), colour in zip(profiles.items(), COLOURS, strict=True):
        at = (x[:, 0] - LENGTH / 2) * 1e9
        axes[0, 0].plot(at, values[:, 0] * 1e6, color=colour, lw=1.8, label=name)
        if values[:, 1].any():
            axes[0, 1].plot(at, values[:, 1] * 1e6, color=colour, lw=1.8, label=name)
    for ax in axes[0]:
        ax.set_xlim(-200, 200)
        ax.set_xlabel("distance from the wall (nm)")
        ax.axvspan(-width * 1e9, width * 1e9, color="#efe9dc", lw=0)
    axes[0, 0].set_ylabel("potential (µV)")
    axes[0, 0].axhline(V * 1e6, color="0.4", lw=0.9, ls=":")
    axes[0, 0].set_title(f"Potential of an open wire at {FIELD * 1e3:.0f} mT", fontsize=11)
    axes[0, 0].legend(frameon=False)
    axes[0, 1].set_ylabel(r"$\phi_\uparrow - \phi_\downarrow$ (µV)")
    axes[0, 1].set_title("The bands part at the wall", fontsize=11)
    axes[0, 1].legend(frameon=False)
    for (name, pulse), colour in zip(pulses.items(), COLOURS, strict=True):
        axes[1, 0].plot(places * 1e9, pulse * 1e6, color=colour, lw=1.8, label=f"{name}: {edges[name] * 1e9:.0f} nm")
    for lead in LEADS * 1e9:
        axes[1, 0].axvline(lead, color="0.5", lw=0.9, ls=":")
    axes[1, 0].set_xlabel("position of the wall (nm)")
    axes[1, 0].set_ylabel("voltage between the leads (µV)")
    axes[1, 0].set_title("Pulse, and width of its edge", fontsize=11)
    axes[1, 0].legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 0.45))
    x, values = warm
    axes[1, 1].plot((x[:, 0] - LENGTH / 2) * 1e9, values[:, 0] * 1e3, color="#8c4a6b", lw=1.8)
    axes[1, 1].set_xlabel("distance from the wall (nm)")
    axes[1, 1].set_ylabel("change of temperature (mK)")
    axes[1, 1].set_title("The wall pumps heat; right end closed to it", fontsize=11)
    for ax in axes.flat:
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(output / "two_models.png", dpi=140)
    plt.close(figure)
    figure, axes = plt.subplots(1, 3, figsize=(13.5, 4.2), layout="constrained")
    for (name, (rows, spins, state)), colour in zip(runs.items(), COLOURS, strict=False):
        axes[0].plot(rows[:, 1] * 1e9, (rows[:, 2] - rows[-1, 2]) * 1e6, color=colour, lw=1.8, label=name)
        x = spins[0][:, 0] * 1e9
        axes[1].plot(x, spins[1][:, 0] * 1e6, color=colour, lw=1.8, label=name)
        if "left" in state.spin_currents:
            depth = np.linspace(0, 300e-9, 80)
            tail = [spins[1][0, 0] * copper.profile(d).real for d in depth]
            axes[1].plot(-depth * 1e9, np.array(tail) * 1e6, color=colour, lw=1.8, ls="--")
    axes[0].axvline(PROBE * 1e9, color="0.5", lw=0.9, ls=":")
    axes[0].set(xlabel="position of the wall (nm)", ylabel="change of the voltage, lead to end (µV)")
    axes[0].set_title("A moving wall passes a lead (Fig. 1)", fontsize=11)
    axes[0].legend(frameon=False)
    axes[1].axvspan(-300, 0, color="#efe0c4", lw=0)
    axes[1].set(xlabel="x (nm)", ylabel=r"$\phi_\uparrow - \phi_\downarrow$ (µV)", xlim=(-300, SHORT * 1e9))
    axes[1].set_title("Tail in the metal on the left", fontsize=11)
    axes[1].legend(frameon=False)
    axes[2].plot(way[:, 0] * 1e9, (way[:, 1] - SHORT / 2) * 1e9, color="#8c4a6b", lw=1.8, label="moved by grad T")
    line = way[-1, 1] - SHORT / 2 + expected * (way[half:, 0] - way[-1, 0])
    axes[2].plot(way[half:, 0] * 1e9, line * 1e9, "k--", lw=1.2, label=r"$\beta u/\alpha$")
    axes[2].set(xlabel="time (ns)", ylabel="way of the wall (nm)")
    axes[2].set_title("16 K over 400 nm, no current", fontsize=11)
    axes[2].legend(frameon=False)
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(output / "moving.png", dpi=140)
    plt.close(figure)

# %% [markdown]
# ## Checks

# %%
# What is left of the spins at the ends, and cells beside l_sf squared.
assert all(v < 6e-3 for v in deviation.values()), deviation
# A tanh wall alone has an edge of 2 artanh(0.8) widths.
assert math.isclose(edges["generic"], 2 * math.atanh(0.8) * width, rel_tol=0.1 if QUICK else 0.02)
values = list(edges.values())
assert values[0] < values[1] < values[2] and values[2] > 3 * values[0]
assert abs(-300 * work / pumped - 1) < 1e-8
assert abs(thermal_velocity / expected - 1) < 0.02
assert abs(runs["two bands, 60 nm"][2].spin_currents["left"]) > 1e9
