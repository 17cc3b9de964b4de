# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # A magnetization that cannot diffuse, and one that can
#
# A magnet near equilibrium has two longitudinal magnetizations (Saslow, Sun and Xu 2021): $M$, of the magnetic
# state, which decays but cannot diffuse, and the spin accumulation $m$, which decays and diffuses. What drives
# them are $\delta M = \Delta M + \Delta m$ and $\delta m = \Delta m + \xi\Delta M$, with $\xi = \chi_m/\chi_M < 1$:
#
# $$ \dot M = -\delta M\Big(\frac{\xi}{\tau} + w_M\Big) + \frac{\delta m}{\tau}, \qquad
#    \dot m - D\nabla^2\delta m = -\delta m\Big(\frac{1}{\tau} + w_m\Big) + \frac{\xi}{\tau}\delta M. $$
#
# An excess of $M$ moves only by way of $m$: it decays to $m$, $m$ diffuses, and decays to $M$ elsewhere. Here: that
# process in a line and in a disc, the two rates of decay of a fluctuation with wavenumber $k$, and the complex
# $k$ of an alternating injection. The natural units are $r = (1-\xi)/\tau$ and $k_M = \sqrt{r/D}$.
#
# Run it with `python demos/12_longitudinal.py`, or with `mpirun -n 2` before it.

# %%
import math
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from dolfinx import mesh
from mpi4py import MPI

from fespin.gmsh_session import mesh_from_gmsh
from fespin.longitudinal import (
    AppliedField,
    Contact,
    Flux,
    LongitudinalMagnet,
    LongitudinalProblem,
    decay_modes,
    evolve,
    fitted_wavenumber,
    respond,
)
from fespin.normal_metal import NormalMetal
from fespin.plotting.longitudinal import flowing

comm = MPI.COMM_WORLD
QUICK = bool(os.environ.get("FESPIN_QUICK"))
output = Path(os.environ.get("FESPIN_OUTPUT", "demo-output")) / "12_longitudinal"
if comm.rank == 0:
    output.mkdir(parents=True, exist_ok=True)
comm.barrier()

TAU, DIFFUSION = 1e-12, 2e-3  # s, m2/s


def magnet(xi: float, w_m: float = 0.0, w_M: float = 0.0) -> LongitudinalMagnet:
    """Lattice rates in units of r."""
    r = (1 - xi) / TAU
    tau_M, tau_m = (1 / (w * r) if w else math.inf for w in (w_M, w_m))
    return LongitudinalMagnet(xi, TAU, DIFFUSION, tau_M, tau_m, susceptibility=0.01)


def line(g: LongitudinalMagnet, length: float, cells: int) -> LongitudinalProblem:
    """A closed sample, with an end `left` where spins may be injected."""
    domain = mesh.create_interval(comm, cells, [0.0, length])
    return LongitudinalProblem(domain, g, parts={"left": lambda x: np.isclose(x[0], 0, atol=1e-9 * length)})


def gathered(problem: LongitudinalProblem, *values: np.ndarray) -> list[np.ndarray]:
    """The nodes' coordinates (n, 3) and values at them, on all ranks, in the order of x."""
    parts = comm.allgather((problem.nodes(), *values))
    columns = [np.concatenate([p[i] for p in parts]) for i in range(1 + len(values))]
    order = np.argsort(columns[0][:, 0], kind="stable")
    return [c[order] for c in columns]


# %% [markdown]
# ## Decay, diffusion, decay (Fig. 1)
# A step of $M$ in equilibrium with its own $m$ on either side ($\delta M = \delta m/\xi$, so that nothing happens but
# at the step). The jump of $M$ stays where it was and fades at the rate $\xi r$; around it $\delta m$, which does
# diffuse, carries $M$ from the left to the right. Where $m$ is negative, $M$ decays to feed it; where $m$ is
# positive, it decays to $M$. No spin is lost, to rounding.

# %%
g = magnet(0.3)
length = 24 / g.k_M
step = line(g, length, 160 if QUICK else 480)
times = np.array([0.0, 0.3, 2.0, 10.0]) / g.rate
relaxation = evolve(
    step, step.state(lambda x: np.where(x[0] < length / 2, 1.0, 0.0)), times[-1], wanted=times, tolerance=1e-4
)
profiles = [gathered(step, s.M, s.m) for s in relaxation.states]
if comm.rank == 0:
    print(f"{relaxation}\nM + m kept to {np.abs(relaxation.conservation).max():.0e}")
    share = {k: np.trapezoid(v, relaxation.times) / relaxation.heat[-1] for k, v in relaxation.dissipation.items()}
    print("heat: " + ", ".join(f"{k} {v:.1%}" for k, v in share.items() if v))

# %% [markdown]
# ## Rates of decay (Figs. 2 to 4)
# Each wavenumber has a slow and a fast rate. For small $k$ the slow mode diffuses with $\xi D$, far slower than $m$
# alone would; for large $k$ it ends at $\xi r$, as fast as $M$ can feed $m$. Points are eigenvalues of the
# discretised equations of a closed line, curves are the closed form. The rates $w_M$ are ours.

# %%
PANELS = {
    r"$\xi$, without lattice": [(f"{xi}", magnet(xi)) for xi in (0.1, 0.3, 0.9)],
    r"$w_M/r$ at $\xi = 0.01$, $w_m/r = 0.05$": [(f"{w}", magnet(0.01, 0.05, w)) for w in (0.0, 0.5, 1.5)],
    r"$w_M/r$ at $\xi = 0.09$, $w_m/r = 0.05$": [(f"{w}", magnet(0.09, 0.05, w)) for w in (0.0, 0.5, 1.5)],
}
counts = (2, 9) if QUICK else (1, 3, 5, 7, 9, 11, 13)
modes, worst_rate = {}, 0.0
for title, cases in PANELS.items():
    for name, g in cases:
        L = 8 * math.pi / g.k_M
        decays = decay_modes(line(g, L, 64), [n * math.pi / L for n in counts])
        modes[title, name] = [(m.wavenumber / g.k_M, m.rate / g.rate) for m in decays]
        for m in decays:
            exact = float(g.decay_rates(m.wavenumber)[("slow", "fast").index(m.branch)])
            worst_rate = max(worst_rate, abs(m.rate / exact - 1))
if comm.rank == 0:
    print(f"rates against the closed form at the discrete k: {worst_rate:.0e}")

# %% [markdown]
# ## Alternating injection (Fig. 5)
# At $e^{i\omega t}$ both magnetizations follow $e^{-ikx}$ with one complex $k$. A single diffusing variable would have
# $|k|\propto\sqrt\omega$ throughout; here the diffusion is $\xi D$ at low and $D$ at high frequency. Points are
# fitted to solutions in a line that is many decay lengths long.

# %%
ANGULAR = np.geomspace(1e-2, 1e2, 4 if QUICK else 11)  # omega/r
WAVES = [(w, magnet(0.09, 0.05, w)) for w in (0.0, 0.5, 1.5)]
waves, worst_k = {}, 0.0
for w, g in WAVES:
    points = []
    for omega in ANGULAR * g.rate:
        exact = complex(g.wavenumber(omega))
        L = 10 / abs(exact.imag)
        sample = line(g, L, 100)
        y = respond(sample, omega / (2 * math.pi), {"left": Flux(-1.0)})
        points.append(fitted_wavenumber(sample, y, 0.0, L / 100, 30) / g.k_M)
        worst_k = max(worst_k, abs(points[-1] * g.k_M / exact - 1))
    waves[w] = np.array(points)
if comm.rank == 0:
    print(f"k of injected waves against the closed form: {worst_k:.0e}")

# %%
if comm.rank == 0:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    COLOURS = ("#1f4e79", "#c0392b", "#2e7d32")
    figure, axes = plt.subplots(2, 3, figsize=(13, 7.6), layout="constrained")
    ax = axes[0, 0]
    k_M = magnet(0.3).k_M
    for (nodes, M, m), t, shade in zip(profiles, times * magnet(0.3).rate, (0.75, 0.55, 0.3, 0.0), strict=True):
        x = (nodes[:, 0] - length / 2) * k_M
        ax.plot(x, M + m, color=str(shade), lw=2, label=f"{t:g}")
        axes[1, 0].plot(x, m, color=str(shade), lw=2)
    ax.set_title("A step of $M$ relaxes (Fig. 1)", fontsize=11)
    ax.set_ylabel(r"$\Delta M + \Delta m$ (height of the step)")
    ax.legend(frameon=False, title="$r t$")
    axes[1, 0].set_ylabel(r"$\Delta m$ (height of the step)")
    axes[1, 0].axhline(0, color="0.6", lw=0.6)
    for ax in axes[:, 0]:
        ax.set_xlabel("$k_M x$")
        ax.set_xlim(-8, 8)
    u = np.linspace(0, 3.2, 300)
    for (title, cases), ax in zip(PANELS.items(), (axes[0, 1], axes[0, 2], axes[1, 1]), strict=True):
        for (name, g), colour in zip(cases, COLOURS, strict=True):
            slow, fast = g.decay_rates(np.sqrt(u) * g.k_M)
            ax.plot(u, slow / g.rate, color=colour, lw=1.6, label=name)
            ax.plot(u, fast / g.rate, color=colour, lw=1.6)
            at = np.array(modes[title, name])
            ax.plot(at[:, 0] ** 2, at[:, 1], "o", color=colour, markersize=4)
        ax.set_xlim(0, 3.2)
        ax.set_ylim(0, 4.4)
        ax.set_xlabel("$(k/k_M)^2$")
        ax.set_ylabel(r"$\gamma/r$")
        ax.legend(frameon=False, title=title, loc="upper left", ncols=3, fontsize=9)
    axes[0, 1].set_title("Rates of decay (Fig. 2)", fontsize=11)
    axes[0, 2].set_title("with decay to the lattice (Fig. 3)", fontsize=11)
    axes[1, 1].set_title("with decay to the lattice (Fig. 4)", fontsize=11)
    ax = axes[1, 2]
    fine = np.geomspace(ANGULAR[0], ANGULAR[-1], 200)
    for (w, g), colour in zip(WAVES, COLOURS, strict=True):
        k = g.wavenumber(fine * g.rate) / g.k_M
        ax.loglog(fine, k.real, color=colour, lw=1.6, label=f"{w}")
        ax.loglog(fine, -k.imag, "--", color=colour, lw=1.6)
        ax.loglog(ANGULAR, waves[w].real, "o", color=colour, markersize=4)
        ax.loglog(ANGULAR, -waves[w].imag, "s", color=colour, markersize=4)
    ax.set_xlabel(r"$\omega/r$")
    ax.set_ylabel(r"Re $k$, $-$Im $k$ (dashed), in $k_M$")
    ax.set_title("Wavenumber of an injected wave (Fig. 5)", fontsize=11)
    ax.legend(frameon=False, title="$w_M/r$")
    figure.savefig(output / "line.png", dpi=150)
    plt.close(figure)

# %% [markdown]
# ## A spot in a disc
# The same equations in a disc whose $M$ is too large in a spot off its centre. A hollow of $m$ opens under the
# spot, a ring of $m > 0$ around it feeds $M$ there.


# %%
def disc(radius: float, size: float) -> mesh.Mesh:
    """Curved triangles, of a size relative to the radius."""

    def build(gmsh):  # type: ignore[no-untyped-def]
        gmsh.model.occ.addDisk(0, 0, 0, 1, 1)
        gmsh.model.occ.synchronize()
        gmsh.model.addPhysicalGroup(2, [1], 1, "disc")
        gmsh.option.setNumber("Mesh.MeshSizeMax", size)
        gmsh.model.mesh.generate(2)
        gmsh.model.mesh.setOrder(2)
        return {}

    domain = mesh_from_gmsh(comm, 2, build)[0]
    domain.geometry.x[:] *= radius
    return domain


g = magnet(0.3)
radius = 8 / g.k_M
plate = LongitudinalProblem(disc(radius, 0.08 if QUICK else 0.035), g)
width, centre = 1.2 / g.k_M, -0.25 * radius
start = plate.state(lambda x: np.exp(-((x[0] - centre) ** 2 + x[1] ** 2) / (2 * width**2)))
moments = np.array([0.5, 4.0, 30.0]) / g.rate
fading = evolve(plate, start, moments[-1], wanted=moments, tolerance=1e-3)
maps = [gathered(plate, s.M, s.m) for s in fading.states]
if comm.rank == 0:
    print(f"disc: {fading}, M + m kept to {np.abs(fading.conservation).max():.0e}")
    figure, axes = plt.subplots(2, 3, figsize=(11, 7.4), layout="constrained")
    for j, ((nodes, M, m), t) in enumerate(zip(maps, moments * g.rate, strict=True)):
        x, y = nodes[:, 0] * g.k_M, nodes[:, 1] * g.k_M
        largest = np.abs(m).max()
        shown = (
            (M, "inferno", np.linspace(0, M.max(), 41), r"$\Delta M$"),
            (m, "RdBu_r", np.linspace(-largest, largest, 41), r"$\Delta m$"),
        )
        for ax, (values, colours, levels, name) in zip(axes[:, j], shown, strict=True):
            drawn = ax.tricontourf(x, y, values, levels=levels, cmap=colours, extend="both")
            bar = figure.colorbar(drawn, ax=ax, shrink=0.85, ticks=np.linspace(levels[0], levels[-1], 3))
            bar.ax.tick_params(labelsize=8)
            bar.ax.set_yticklabels([f"{v:.2g}" for v in np.linspace(levels[0], levels[-1], 3)])
            ax.set_aspect("equal")
            ax.set_axis_off()
            ax.set_title(f"{name} at $rt = {t:g}$", fontsize=11)
    figure.savefig(output / "disc.png", dpi=150)

# %% [markdown]
# ## A field, and a metal outside
# Two more ways to drive $M$ and $m$. A field $H\cos kx$ along $M$ shifts the equilibrium of $M$: $\chi(\omega)$ falls
# at the slow rate of that $k$, and, without lattice, vanishes at $k = 0$, where $M + m$ is kept. And a current out of
# copper injects spins: the channels of the metal, the interface, $M$ and $m$ are one system, in which
# $\rho^* = \mu_0\mu_B^2/(e^2D\chi_m)$ (Einstein's relation). Copper and its interface with cobalt are **assumed**.

# %%
g, WAVES_OF_FIELD = magnet(0.3, 0.0, 0.0), (1, 4)
L = 4 * math.pi / g.k_M
sample = line(g, L, 60)
field_points = np.geomspace(1e-3, 1e2, 5 if QUICK else 16)
answers, worst_chi = {}, 0.0
for n in WAVES_OF_FIELD:
    k = n * math.pi / L
    wave = AppliedField(1.0, lambda x, k=k: np.cos(k * x[0]))
    chi = [respond(sample, o * g.rate / (2 * math.pi), field=wave).susceptibility for o in field_points]
    exact = g.field_susceptibility(field_points * g.rate, k)
    worst_chi = max(worst_chi, np.abs(np.array(chi) / exact - 1).max())
    answers[n] = np.array(chi)

copper = NormalMetal(resistivity=6e-9, spin_diffusion_length=450e-9, relaxation_time=3e-12)
contact = Contact(copper, current_density=1e11, area_resistance_star=0.51e-15, gamma=0.77, beta=0.46)
INJECTED = {}
for w in (0.05, 0.5):
    soft = replace(magnet(0.3, w, 0.1), susceptibility=1e-4)
    wire = line(soft, 300e-9, 150)
    steady = respond(wire, 0.0, {"left": contact})
    flow = flowing(wire, steady.accumulation.real.copy())
    INJECTED[w] = steady.contacts["left"], gathered(wire, steady.accumulation.real), flow
    assert abs(steady.balance) < 1e-9
if comm.rank == 0:
    print(f"chi against the closed form: {worst_chi:.0e}")
    for w, (state, *_) in INJECTED.items():
        share, ar = state.spin_current.real / 1e11, state.spin_resistance.real
        print(f"w_m/r = {w}: J_s/J = {share:.3f} at the interface, A R_ne = {ar * 1e15:.3f} fohm m2")
    figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
    fine = np.geomspace(field_points[0], field_points[-1], 300)
    for n, colour in zip(WAVES_OF_FIELD, COLOURS, strict=False):
        curve = g.field_susceptibility(fine * g.rate, n * math.pi / L) / g.susceptibility
        axes[0].semilogx(fine, curve.real, color=colour, lw=1.6, label=f"{n * math.pi / L / g.k_M:.2g}")
        axes[0].semilogx(fine, -curve.imag, "--", color=colour, lw=1.6)
        axes[0].semilogx(field_points, answers[n].real / g.susceptibility, "o", color=colour, markersize=4)
        axes[0].semilogx(field_points, -answers[n].imag / g.susceptibility, "s", color=colour, markersize=4)
    axes[0].set_xlabel(r"$\omega/r$")
    axes[0].set_ylabel(r"$\chi'/\chi_M$, $-\chi''/\chi_M$ (dashed)")
    axes[0].set_title("A field along $M$", fontsize=11)
    axes[0].legend(frameon=False, title="$k/k_M$")
    for (w, (state, (nodes, dm), flow)), colour in zip(INJECTED.items(), COLOURS, strict=False):
        depth = np.linspace(0, 300e-9, 100)
        outside = [state.outside.real * copper.profile(d).real for d in depth]
        inside = dm * (state.inside.real / dm[0])
        axes[1].plot(-depth * 1e9, np.array(outside) * 1e6, color=colour, lw=1.8)
        axes[1].plot(nodes[:, 0] * 1e9, inside * 1e6, color=colour, lw=1.8, label=f"{w}")
        axes[2].plot(flow[0] * 1e9, flow[1] * 1e-6, color=colour, lw=1.8)
    axes[1].axvspan(-300, 0, color="#efe0c4", lw=0)
    axes[1].set_xlim(-300, 300)
    axes[1].set_ylabel(r"$\phi_\uparrow - \phi_\downarrow$ (µV)")
    axes[1].set_title("A current out of copper", fontsize=11)
    axes[1].legend(frameon=False, title="$w_m/r$")
    axes[2].set_ylabel(r"$j_m$ (MA/s)")
    axes[2].set_title("Spins that diffuse", fontsize=11)
    for ax in axes[1:]:
        ax.set_xlabel("x (nm)")
    figure.savefig(output / "drives.png", dpi=150)

# %% [markdown]
# ## Checks

# %%
assert worst_chi < 1e-4
for x in (relaxation, fading):
    assert np.abs(x.conservation).max() < 1e-11
    assert np.abs(x.balance).max() < 1e-9
    assert all((v >= 0).all() for v in x.dissipation.values())
    assert np.all(np.diff(x.energy) < 0)
assert worst_rate < 1e-8
assert worst_k < 1e-4
# The jump of M fades at the rate xi r, as the slow mode of large k.
nodes, M, m = profiles[2]
cell = length / (160 if QUICK else 480)
# Extrapolated to the jump from the cells beyond those that smear it.
left, right = (2 * np.interp(length / 2 + d, nodes[:, 0], M) - np.interp(length / 2 + 2 * d, nodes[:, 0], M)
               for d in (-1.01 * cell, 1.01 * cell))  # fmt: skip
g = magnet(0.3)
assert abs((left - right) / math.exp(-g.xi * g.rate * times[2]) - 1) < 0.03, left - right
