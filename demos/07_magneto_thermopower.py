# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Heat in a spin valve: magneto-Seebeck and spin-dependent Peltier effect
#
# The two spin channels of a ferromagnet have Seebeck coefficients of their own. A temperature difference drives a
# spin current even where no charge flows, and a spin accumulation at the magnet's faces; the next magnet
# turns it into a voltage, whose sign follows the magnet: the thermopower of a spin valve depends on its
# state. Near a temperature $T_0$, with $\theta = T - T_0$,
#
# $$ J_i = -\sigma_i\,(\nabla\phi_i + S_i\nabla\theta), \qquad
#    Q = -\kappa\nabla\theta + T_0 \sum_i S_i J_i, \qquad \nabla\cdot Q = 0. $$
#
# This linear model is symmetric between $(J_i, -\nabla\phi_i)$ and $(Q, -\nabla\theta/T_0)$. Hence Kelvin's relation
# holds for the whole device, state by state: the heat that a current carries is $\Pi J$ with $\Pi = T_0 S$.
#
# The device is a nanopillar of permalloy, as that in which Dejene, Flipse and van Wees (Phys. Rev. B 86, 024436,
# 2012) measured the spin-dependent Seebeck coefficients $S_\uparrow - S_\downarrow$ of permalloy
# (-4.5 µV/K) and cobalt (-1.8 µV/K), which are 0.25 and 0.08 of the Seebeck coefficients themselves.
#
# Run it with `python demos/07_magneto_thermopower.py`, or with `mpirun -n 2` before it.

# %%
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mpi4py import MPI

import fespin as fs
from fespin.plotting import material_colours
from fespin.transport import thermoelectric_coefficients

comm = MPI.COMM_WORLD
QUICK = bool(os.environ.get("FESPIN_QUICK"))
output = Path(os.environ.get("FESPIN_OUTPUT", "demo-output")) / "07_magneto_thermopower"
if comm.rank == 0:
    output.mkdir(parents=True, exist_ok=True)
comm.barrier()

# %% [markdown]
# ## The device
# Seebeck coefficients are those of the measurement; copper and platinum have one for both spins. Heat is carried
# by electrons alone, by the law of Wiedemann and Franz, as long as no `conductivity` is given.
# Resistivities and asymmetry are of the size found at room temperature.

# %%
T0 = 300.0
DIFFERENCE, CURRENT_DENSITY = 10.0, 1e11  # K, A/m2
MODEL = fs.Thermoelectric(T0)
STATES = {"parallel": (0, 0, 1), "antiparallel": (0, 0, -1)}


def spin_dependent(mean: float, difference: float, beta: float) -> tuple[float, float]:
    """S of spin up and down (V/K), from that of both together and S_up - S_dn."""
    return mean + (1 - beta) / 2 * difference, mean - (1 + beta) / 2 * difference


BETA = 0.5
permalloy = fs.Material(
    "Py", 250e-9, 5e-9, BETA, thermal=fs.Thermal(seebeck=spin_dependent(-4.5e-6 / 0.25, -4.5e-6, BETA))
)
copper = fs.Material("Cu", 25e-9, 350e-9, thermal=fs.Thermal(seebeck=(1.6e-6, 1.6e-6)))
platinum = fs.Material("Pt", 220e-9, 5e-9, thermal=fs.Thermal(seebeck=(-5e-6, -5e-6)))
stack = fs.Stack(
    fs.Layer(platinum, 20e-9, "bottom electrode"),
    fs.Layer(permalloy, 15e-9, "fixed", (0, 0, 1)),
    fs.Layer(copper, 15e-9, "spacer"),
    fs.Layer(permalloy, 15e-9, "free", (0, 0, 1)),
    fs.Layer(platinum, 20e-9, "top electrode"),
    interfaces={("Py", "Cu"): fs.Interface(0.5e-15, 0.5)},
    library={},
)
domain = fs.line(comm, stack, mesh_size=2e-9 if QUICK else None)
problem = fs.TransportProblem(domain, MODEL, contacts={"bottom": "lead", "top": "lead"})

# %% [markdown]
# ## Two experiments in each state
# One with a temperature difference and no current gives the Seebeck coefficient and the heat conductance, one with a
# current and no temperature difference the resistance and the Peltier coefficient. Contacts that are not
# told otherwise have the temperature $T_0$. (Where the fields are not wanted,
# `fespin.transport.thermoelectric_coefficients` gives the four numbers at once.)


# %%
@dataclass(frozen=True)
class Coefficients:
    """Of a whole stack, per area, from the bottom to the top."""

    seebeck: float  # V/K: -(V_bottom - V_top)/(T_bottom - T_top) at no current
    heat_conductance: float  # W/(m2 K), at no current
    resistance_area: float  # ohm m2, isothermal
    peltier: float  # V: heat current over current, isothermal


def measure(problem: fs.TransportProblem) -> tuple[Coefficients, fs.TransportSolution, fs.TransportSolution]:
    """The coefficients, and the two solutions: with a temperature difference, with a current."""
    ground = fs.Terminal(voltage=0.0)
    warm = problem.solve(terminals={"bottom": fs.Terminal(current=0.0, temperature=T0 + DIFFERENCE), "top": ground})
    driven = problem.solve(terminals={"bottom": fs.Terminal(current=CURRENT_DENSITY), "top": ground})
    coefficients = Coefficients(
        seebeck=-warm.voltages["bottom"] / DIFFERENCE,
        heat_conductance=warm.heats["bottom"] / DIFFERENCE,
        resistance_area=driven.voltages["bottom"] / CURRENT_DENSITY,
        peltier=driven.heats["bottom"] / CURRENT_DENSITY,
    )
    return coefficients, warm, driven


results = {}
for state, direction in STATES.items():
    problem.magnetize({"free": direction})
    results[state] = measure(problem)
parallel, antiparallel = (results[s][0] for s in STATES)
if comm.rank == 0:
    rows = (
        ("S", "uV/K", 1e6, [c.seebeck for c in (parallel, antiparallel)]),
        ("Pi", "mV", 1e3, [c.peltier for c in (parallel, antiparallel)]),
        ("T0 S", "mV", 1e3, [T0 * c.seebeck for c in (parallel, antiparallel)]),
        ("A R", "fohm m2", 1e15, [c.resistance_area for c in (parallel, antiparallel)]),
        ("K/A", "GW/(m2 K)", 1e-9, [c.heat_conductance for c in (parallel, antiparallel)]),
    )
    print(f"{'':<16}{'parallel':>13}{'antiparallel':>15}{'difference':>13}{'relative':>11}")
    for name, unit, scale, (p, ap) in rows:
        head = f"{name} ({unit})"
        print(f"{head:<16}{p * scale:>13.5f}{ap * scale:>15.5f}{(ap - p) * scale:>13.5f}{100 * (ap / p - 1):>10.3f}%")
    kelvin = max(abs(c.peltier / (T0 * c.seebeck) - 1) for c in (parallel, antiparallel))
    print(f"Kelvin's relation holds to {kelvin:.0e}")

# %% [markdown]
# ## Profiles
# Left, heat flows and no charge: the spin-dependent Seebeck effect. Each magnet is a spin source of both signs at
# its two faces; at the face of a thick magnet to a normal metal, without interface resistance, the accumulation is
# $-(S_\uparrow - S_\downarrow)\,T'\,l_F/(1 + \rho^*_F l_F/(\rho_N l_N))$. The temperature falls where heat
# conducts badly, alike in both states.
#
# Right, charge flows between contacts of one temperature: Peltier heat is taken up or left wherever $\sum S_i J_i$
# changes, at the faces and, as spins flip, near them. This part differs between the states: the
# spin-dependent Peltier effect.

# %%
shown = {"temperature difference": 1, "current": 2}
profiles = {(d, s): results[s][i].profile(61) for d, i in shown.items() for s in STATES}
titles = {
    "temperature difference": f"{DIFFERENCE:g} K between the contacts, no current",
    "current": r"$10^{11}$ A/m$^2$, contacts of equal temperature",
}

# %%
if comm.rank == 0:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    LINES = dict(zip(STATES, (("#1f4e79", "-"), ("#c0392b", "--")), strict=True))
    figure, axes = plt.subplots(2, 2, figsize=(11, 6.4), sharex=True, layout="constrained")
    colours = material_colours(stack)
    for column, drive in enumerate(shown):
        top, bottom = axes[:, column]
        # The names of the layers stand between title and axes.
        top.set_title(titles[drive], fontsize=11, pad=20)
        for state, (colour, style) in LINES.items():
            profile = profiles[drive, state]
            for i in range(len(stack.layers)):
                at = profile.layer == i
                z, name = profile.position[at] / 1e-9, state if i == 0 else None
                theta = profile.potentials["temperature"][at] / (1.0 if column == 0 else 1e-3)
                top.plot(z, theta, style, color=colour, lw=2.4, label=name)
                bottom.plot(z, profile.accumulation[at] / 1e-6, style, color=colour, lw=2.4, label=name)
        for i, layer in enumerate(stack):
            z = profile.position[profile.layer == i] / 1e-9
            for ax in (top, bottom):
                ax.axvspan(z.min(), z.max(), color=colours[layer.material.name], alpha=0.35, lw=0)
                ax.margins(x=0)
            where = {"ha": "center", "va": "bottom", "transform": top.get_xaxis_transform()}
            top.text(z.mean(), 1.01, layer.material.name, **where)
        top.set_ylabel(f"$T - {T0:.0f}$ K ({('K', 'mK')[column]})")
        bottom.axhline(0, color="0.4", lw=0.6)
        bottom.set_ylabel(r"$\phi_\uparrow-\phi_\downarrow$ ($\mu$V)")
        bottom.set_xlabel("position along the stack (nm)")
    axes[0, 0].legend(frameon=False, loc="lower left")
    figure.savefig(output / "profiles.png", dpi=150)
    plt.close(figure)

# %% [markdown]
# ## Where entropy is made
# Every mechanism's power over $T_0$ is its production of entropy; all are positive, and their sum is what the contacts
# say, $\sum (V I + \theta Q/T_0)/T_0$. With a temperature difference nearly all is conduction of heat. What is left for
# spins is what the magneto-Seebeck effect lives on. Currents of spin up and down are there
# although no charge flows. With a current, Joule's heat in the channels and at the interfaces takes over.

# %%
production = {d: {s: results[s][i].report["entropy_production"] for s in STATES} for d, i in shown.items()}
if comm.rank == 0:
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.4), sharey=True, layout="constrained")
    names = list(dict.fromkeys(k for d in production.values() for s in d.values() for k in s))
    for ax, (drive, states) in zip(axes, production.items(), strict=True):
        for k, (state, values) in enumerate(states.items()):
            at = np.arange(len(names)) + (k - 0.5) * 0.38
            widths = [max(values.get(n, 0.0), 1e-30) for n in names]
            ax.barh(at, widths, 0.36, color=LINES[state][0], hatch=("", "//")[k], edgecolor="white", label=state)
        ax.set_xscale("log")
        largest = max(v for s in states.values() for v in s.values())
        ax.set_xlim(largest * 1e-7, largest * 4)
        ax.set_xlabel("entropy production (W/(K m$^2$))")
        ax.set_title(titles[drive], fontsize=11)
    words = {"up": "current of spin up", "down": "current of spin down"}
    axes[0].set_yticks(range(len(names)), [words.get(n, n) for n in names])
    axes[0].invert_yaxis()
    axes[1].legend(frameon=False, loc="lower right")
    figure.savefig(output / "entropy.png", dpi=150)
    for drive, states in production.items():
        print(f"entropy production (W/(K m2)), {drive}:")
        for n in names:
            print(f"  {n:<22}" + "".join(f"{s}{states[s].get(n, 0.0):>13.4e}   " for s in STATES))

# %% [markdown]
# ## Checks

# %%
for state, (coefficients, warm, driven) in results.items():
    problem.magnetize({"free": STATES[state]})
    short = thermoelectric_coefficients(problem)
    assert abs(short.seebeck / coefficients.seebeck - 1) < 1e-7
    assert abs(short.peltier / coefficients.peltier - 1) < 1e-7
    assert abs(short.resistance_area / coefficients.resistance_area - 1) < 1e-7
    assert abs(short.thermal_resistance_area * coefficients.heat_conductance - 1) < 1e-7
    assert abs(coefficients.peltier / (T0 * coefficients.seebeck) - 1) < 1e-8
    for x in (warm, driven):
        assert abs(x.power_balance) < 1e-9
        assert min(x.report["entropy_production"].values()) >= 0
        total = sum(x.voltages[k] * x.currents[k] + (x.temperatures[k] - T0) * x.heats[k] / T0 for k in x.voltages) / T0
        assert abs(sum(x.report["entropy_production"].values()) / total - 1) < 1e-9
        assert abs(sum(x.heats.values())) < 1e-9 * max(map(abs, x.heats.values()))
assert antiparallel.resistance_area > parallel.resistance_area
assert abs(antiparallel.seebeck - parallel.seebeck) > 1e-9
