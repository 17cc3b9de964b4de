# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # A domain wall passes two voltage leads
#
# A current moves a domain wall, so a wall that moves must push a current: Onsager's reciprocity demands it (Saslow,
# Phys. Rev. B 76, 184434, 2007). This script drives a head-to-head wall along a wire past two voltage leads and looks
# at the voltage between them. The magnetization $M_s m(x, t)$ follows Gilbert's equation with the current's torques,
#
# $$ \dot m = -\gamma\, m\times B_\mathrm{eff} + \alpha\, m\times\dot m - (u\cdot\nabla) m
#    + \beta\, m\times(u\cdot\nabla) m, \qquad u = -\frac{P\mu_B}{e M_s} J, $$
#
# and the current Ohm's law with the field that the moving texture pumps,
#
# $$ J = \sigma(-\nabla\phi + E), \qquad E_i = \frac{\hbar P}{2e}\big[m\cdot(\dot m\times\partial_i m)
#    + \beta\,\dot m\cdot\partial_i m\big], \qquad \nabla\cdot J = 0. $$
#
# Both are solved together. A lead that the wall has passed is at another potential. With the wall at $q$, its
# tilt $\varphi$ and width $\Delta$ the step is
#
# $$ \mathcal E = -\frac{\hbar P}{e}\Big(\dot\varphi + \beta\,\frac{\dot q}{\Delta}\Big). $$
#
# Below Walker's field the wall keeps its tilt and only $\beta$ makes a voltage, $(\beta/\alpha)\,2P\mu_B B/e$. Above it
# turns, and the mean voltage tends to $2P\mu_B B/e$, whatever $\alpha$ and $\beta$ are.
#
# Run it with `python demos/13_domain_wall.py`, or with `mpirun -n 2` before it.

# %%
import math
import os
from pathlib import Path

import numpy as np
from dolfinx import mesh
from mpi4py import MPI

from fespin.constants import BOHR_MAGNETON, ELEMENTARY_CHARGE
from fespin.texture import (
    Dynamics,
    Grid,
    Lead,
    OhmicCircuit,
    TexturedMagnet,
    WallWatch,
    static_field,
    static_voltage,
    wall,
)

comm = MPI.COMM_WORLD
QUICK = bool(os.environ.get("FESPIN_QUICK"))
output = Path(os.environ.get("FESPIN_OUTPUT", "demo-output")) / "13_domain_wall"
if comm.rank == 0:
    output.mkdir(parents=True, exist_ok=True)
comm.barrier()

# %% [markdown]
# ## The wire
# All numbers are **assumed**: those of permalloy, more or less. The two anisotropies stand for the shape of the wire,
# easy along it (x) and hard along its normal (z).

# %%
permalloy = TexturedMagnet(
    saturation_magnetization=8e5,  # A/m
    exchange=1.3e-11,  # J/m
    damping=0.04,
    conductivity=4e6,  # S/m
    polarization=0.5,
    nonadiabaticity=0.06,
    easy_constant=6e4,  # J/m3
    hard_constant=1.2e5,
)
LENGTH, LEADS = (560e-9, (190e-9, 410e-9)) if QUICK else (700e-9, (250e-9, 450e-9))
SPACING = 4e-9 if QUICK else 2.5e-9
BEGIN = 80e-9
grid = Grid(mesh.create_interval(comm, round(LENGTH / SPACING), [0.0, LENGTH]))
watch = WallWatch(grid, permalloy)
walker = permalloy.walker_field
if comm.rank == 0:
    print(f"wall width {permalloy.wall_width() * 1e9:.2f} nm, Walker field {walker * 1e3:.2f} mT,", end=" ")
    print(f"breakdown current {permalloy.breakdown_current():.3g} A/m2")


def drive(field: float, current: float, until: float, frames: int = 0) -> dict:
    """Move the wall by a field (T) and a current (A/m2), and follow it."""
    ends = {
        "left": Lead(lambda x: x[0] < 1e-12, voltage=0.0),
        "right": Lead(lambda x: x[0] > LENGTH - 1e-12, current=-current),
    }
    circuit = OhmicCircuit(grid, permalloy, ends)
    probe = circuit.probe(np.array(LEADS))
    ohmic = -current * (LEADS[1] - LEADS[0]) / permalloy.conductivity
    steady = abs(field) < walker
    tilt = permalloy.steady_wall(field, current).angle if steady else 0.0
    motion = Dynamics(grid, permalloy, wall(permalloy, BEGIN, tilt), field=(field, 0, 0), current=circuit)
    rows, pictures, worst = [], [], 0.0
    for k, step in enumerate(motion.steps(until, tolerance=3e-4 if QUICK else 1e-4)):
        low, high = probe(step.flow)
        emf = circuit.electromotive_force(step.flow, "left", "right")
        m = step.directions
        q = watch.position(m)
        rows.append((step.time, step.time - step.size / 2, q, watch.angle(m), watch.width(m), high - low - ohmic, emf))
        worst = max(worst, abs(step.supplied / sum(step.dissipation.values()) - 1))
        if frames and k % frames == 0:
            pictures.append((step.time, grid.collected(m)))
        if q > LEADS[1] + 90e-9:
            break
    names = ("time", "middle", "q", "angle", "width", "pulse", "emf")
    record = dict(zip(names, np.array(rows).T, strict=True)) | {"balance": worst, "pictures": pictures}
    record["angle"] = np.unwrap(record["angle"])
    motion.destroy()
    circuit.destroy()
    return record


# %% [markdown]
# ## Three drives
# A field below Walker's, one well above, and a current of electrons that push the wall to the right. A wall that can be
# steady starts with the tilt that it then keeps.

# %%
LOW, HIGH = 0.6 * walker, 4 * walker
CURRENT = -0.5 * permalloy.breakdown_current()
RUNS = {"field below breakdown": (LOW, 0.0), "field above breakdown": (HIGH, 0.0), "current": (0.0, CURRENT)}
runs = {}
for name, (field, current) in RUNS.items():
    velocity = permalloy.mean_motion(field, current)[0]
    runs[name] = drive(field, current, 1.3 * (LENGTH - BEGIN) / velocity, frames=4 if "above" in name else 0)


def mean_between_leads(run: dict, of: str) -> float:
    """The mean from when the wall has left the first lead for good until it comes near the second, over whole turns."""
    q, angle = run["q"], run["angle"]
    near = int(np.argmax(q > LEADS[1] - 50e-9))
    first, last = int(np.flatnonzero(q[:near] < LEADS[0] + 50e-9)[-1]), near
    turns = math.floor((angle[last] - angle[first]) / math.pi)
    if turns >= 1:
        last = int(np.searchsorted(angle, angle[first] + turns * math.pi))
    t = run["time"]
    if of == "velocity":
        return float((q[last] - q[first]) / (t[last] - t[first]))
    return float(np.sum(run[of][first + 1 : last + 1] * np.diff(t[first : last + 1])) / (t[last] - t[first]))


table = {}
for name, (field, current) in RUNS.items():
    run = runs[name]
    table[name] = (
        mean_between_leads(run, "velocity"),
        permalloy.mean_motion(field, current)[0],
        mean_between_leads(run, "pulse"),
        permalloy.mean_electromotive_force(field, current),
    )
per_field = 2 * permalloy.polarization * BOHR_MAGNETON / ELEMENTARY_CHARGE
if comm.rank == 0:
    heads = ("velocity (m/s)", "closed form", "pulse (nV)", "closed form")
    print(f"{'':>22}" + "".join(f"{x:>16}" for x in heads))
    for name, (v, v0, e, e0) in table.items():
        print(f"{name:>22}{v:>16.3f}{v0:>16.3f}{e * 1e9:>16.2f}{e0 * 1e9:>16.2f}")
    print(f"2 P mu_B B/e above breakdown: {per_field * HIGH * 1e9:.2f} nV")

# %% [markdown]
# Along each trajectory the voltage between the ends is what tilt and position say. Between the leads, the pulse
# is the same while the wall is there. A wall that turns swings, so it passes a lead several times before it has left it
# for good.

# %%
deviation = {}
for name, run in runs.items():
    t = run["time"]
    turning, moving = (np.diff(run[k]) / np.diff(t) for k in ("angle", "q"))
    width = (run["width"][1:] + run["width"][:-1]) / 2
    run["formula"] = -2 * permalloy.pumping_scale * (turning + permalloy.nonadiabaticity * moving / width)
    gap = run["emf"][1:] - run["formula"]
    deviation[name] = float(np.sqrt(np.mean(gap[20:] ** 2) / np.mean(run["formula"][20:] ** 2)))
balance = max(run["balance"] for run in runs.values())
if comm.rank == 0:
    print("deviation of the emf from (hbar P/e)(turning + beta v/Delta): ", end="")
    print(", ".join(f"{100 * x:.2f}% ({n})" for n, x in deviation.items()))
    print(f"power of leads and field against what is dissipated and stored: {balance:.1e}")

# %% [markdown]
# ## The static form
# Saslow takes $\nabla\mu$ and the field $H$ for the forces. Then a field across a wall at rest pumps, and the emf is
# $2P\mu_B B/e$ times $(1 + \alpha\beta)/(1 + \alpha^2)$ exactly, whatever the shape of a wall in a plane: damping and
# the torque of $\beta$ take their part, as they do of a wall that turns. What moves well above breakdown comes close.

# %%
static = [
    grid.total(
        grid.volumes * static_field(grid, permalloy, wall(permalloy, LENGTH / 2, angle, width), (HIGH, 0, 0))[:, 0]
    )
    for angle, width in ((0.0, None), (0.7, 9e-9), (1.5, 23e-9))
]
static_error = max(abs(x / (-static_voltage(permalloy) * HIGH) - 1) for x in static)
if comm.rank == 0:
    print(f"static walls of three shapes: deviation from the closed form: {static_error:.1e}")

# %% [markdown]
# ## Picture and animation

# %%
frames = [(t, x) for t, x in runs["field above breakdown"]["pictures"] if x is not None]
if comm.rank == 0:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.colors import LinearSegmentedColormap

    BLUE, RED, GREEN, GREY = "#1f4e79", "#c0392b", "#2e7d32", "#8a8f98"
    COLOURS = dict(zip(RUNS, (BLUE, RED, GREEN), strict=True))
    SHADE = LinearSegmentedColormap.from_list("domains", (RED, "#f4efe6", BLUE))

    def ribbon(ax, m, x, arrows=48):
        """The wire with its magnetization: colour along it, arrows in its plane."""
        ax.imshow(
            m[None, :, 0], extent=(0, LENGTH * 1e9, -1, 1), aspect="auto", cmap=SHADE, vmin=-1.15, vmax=1.15, zorder=0
        )
        some = np.linspace(0, LENGTH, arrows + 2)[1:-1]
        a, b, c = (np.interp(some, x[:, 0], m[:, k]) for k in range(3))
        style = {"scale": 0.96 * arrows, "width": 0.106 / arrows, "cmap": "gray", "clim": (-1.6, 1.6)}
        ax.quiver(some * 1e9, 0 * some, a, b, c, pivot="mid", **style)
        for lead in LEADS:
            ax.plot([lead * 1e9] * 2, [1.0, 1.9], color="black", lw=3, solid_capstyle="butt", clip_on=False)
        ax.set(xlim=(0, LENGTH * 1e9), ylim=(-1, 1), yticks=[])

    figure = plt.figure(figsize=(11, 7.4), layout="constrained")
    rows = figure.subfigures(2, 1, height_ratios=(1, 1.75))
    strips = rows[0].subplots(3, 1, sharex=True)
    run = runs["field above breakdown"]
    places = (LEADS[0] - 0.1 * LENGTH, (LEADS[0] + LEADS[1]) / 2, LEADS[1] + 0.1 * LENGTH)
    for ax, place in zip(strips, places, strict=True):
        t, (x, m) = min(frames, key=lambda f: abs(np.interp(f[0], run["time"], run["q"]) - place))
        ribbon(ax, m, x)
        ax.set_ylabel(f"{t * 1e9:.1f} ns", rotation=0, ha="right", va="center")
    strips[0].annotate("voltage leads", (np.mean(LEADS) * 1e9, 1.6), ha="center", va="center", annotation_clip=False)
    strips[-1].set_xlabel("position (nm)")
    rows[0].suptitle("Head-to-head wall in a field above Walker's; arrows: its magnetization from above\n", fontsize=11)
    panels = rows[1].subplots(2, 3, sharex="col", height_ratios=(1.5, 1))
    for k, (name, (field, current)) in enumerate(RUNS.items()):
        top, low = panels[:, k]
        run, colour = runs[name], COLOURS[name]
        ns = run["middle"] * 1e9
        # The first moments, in which the wall finds its tilt, are a spike.
        shown = run["middle"] > 0.02 * run["middle"][-1]
        passing = (run["q"] > LEADS[0]) & (run["q"] < LEADS[1])
        for ax in (top, low):
            ax.axvspan(ns[passing][0], ns[passing][-1], color="#efe9dc", lw=0)
            ax.spines[["top", "right"]].set_visible(False)
        top.plot(ns[shown], run["pulse"][shown] * 1e6, color=colour, lw=1.4)
        mean = permalloy.mean_electromotive_force(field, current) * 1e6
        top.plot(
            [ns[passing][0], ns[passing][-1]], [mean] * 2, color="black", lw=1.1, ls="--", label="mean, closed form"
        )
        what = f"{field * 1e3:.2f} mT" if field else rf"{current / 1e12:.2f}$\cdot10^{{12}}$ A/m$^2$"
        top.set_title(f"{name}, {what}", fontsize=11)
        low.plot(run["time"] * 1e9, run["q"] * 1e9, color=colour, lw=1.4)
        low.hlines(np.array(LEADS) * 1e9, 0, ns[-1], color=GREY, lw=0.9, ls=":")
        low.set_ylim(0, LENGTH * 1e9)
        low.set_xlabel("time (ns)")
        low.set_xlim(0, ns[-1])
    panels[0, 0].set_ylabel("voltage between leads (µV)")
    panels[0, 0].legend(frameon=False, fontsize=9, loc="center", bbox_to_anchor=(0.58, 0.6))
    panels[1, 0].set_ylabel("position (nm)")
    figure.savefig(output / "domain_wall.png", dpi=130)
    plt.close(figure)

    if not QUICK:
        from matplotlib.animation import FuncAnimation, PillowWriter

        figure, (above, below) = plt.subplots(2, 1, figsize=(7.2, 3.2), height_ratios=(1, 2.2), layout="constrained")
        chosen = frames[:: max(1, len(frames) // 60)]
        run = runs["field above breakdown"]
        shown = run["middle"] > 0.02 * run["middle"][-1]
        x, y = run["middle"][shown] * 1e9, run["pulse"][shown] * 1e6
        below.plot(x, y, color="#d9d4c8", lw=1.2)
        (line,) = below.plot([], [], color=RED, lw=1.5)
        below.set(xlabel="time (ns)", ylabel="voltage (µV)")
        below.spines[["top", "right"]].set_visible(False)

        def draw(k):
            t, (points, m) = chosen[k]
            above.clear()
            ribbon(above, m, points, arrows=24)
            above.set_xticks([])
            line.set_data(x[x <= t * 1e9], y[x <= t * 1e9])

        FuncAnimation(figure, draw, frames=len(chosen)).save(
            output / "domain_wall.gif", writer=PillowWriter(fps=15), dpi=80
        )
        plt.close(figure)

# %% [markdown]
# ## Checks

# %%
below, above, driven = table.values()
loose = 2.5 if QUICK else 1.0  # (4 nm / 2.5 nm)^2
assert abs(below[0] / below[1] - 1) < 0.01 * loose and abs(driven[0] / driven[1] - 1) < 0.01 * loose
assert abs(above[0] / above[1] - 1) < 0.08  # the formula is that of a rigid wall
assert abs(below[2] / below[3] - 1) < 0.02 * loose and abs(driven[2] / driven[3] - 1) < 0.02 * loose
assert abs(above[2] / above[3] - 1) < 0.04 * loose and abs(above[2] / (-per_field * HIGH) - 1) < 0.04 * loose
ratio = permalloy.nonadiabaticity / permalloy.damping
assert abs(below[2] / (-ratio * per_field * LOW) - 1) < 0.02 * loose
assert max(deviation.values()) < 0.015 * loose
# A lead that the wall has not passed, or both, show nothing.
for run in runs.values():
    outside = (run["q"] < LEADS[0] - 60e-9) | (run["q"] > LEADS[1] + 60e-9)
    outside &= run["middle"] > 0.1 * run["middle"][-1]
    assert np.abs(run["pulse"][outside]).max() < 0.12 * np.abs(run["pulse"]).max()
assert static_error < 1e-6
assert balance < 1e-9
