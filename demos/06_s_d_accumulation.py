# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # s-d accumulation: a single magnet without any magnetoresistance
#
# In a transition metal the current is carried by s and by d electrons, but a normal metal has no d channel
# to hand them on to: at a face all current is s current, and inside it has to spread over the d channel
# as well. Where it does so, s and d electrons of one spin are out of equilibrium. Wegrowe and Drouhin (2004)
# describe this by three channels, s-up, s-down and d-down (the majority d band is full), in which s-down relaxes to
# d-down with a coefficient $g_{sd}$ and s-up to s-down, the usual spin flip, with $g_s$:
#
# $$ J_i = -\sigma_i \nabla\phi_i, \qquad \Delta_1 = \phi_{s\downarrow} - \phi_{d\downarrow}, \quad
#    \Delta_s = \phi_{s\uparrow} - \phi_{s\downarrow}, $$
# $$ \Delta_1'' = \frac{\Delta_1}{l_{sd}^2} - \frac{\Delta_s}{\lambda_s^2}, \qquad
#    \Delta_s'' = \frac{\Delta_s}{l_{sf}^2} - \frac{\Delta_1}{\lambda_{sd}^2}. $$
#
# The two are coupled: even if s electrons of both spins conduct equally ($\beta_s = 0$), taking current from
# s-down alone leaves more in s-up, and a spin accumulation appears in a layer that has no giant
# magnetoresistance. Here: the profiles of a single layer, what the effect costs in resistance,
# and what it does to the length of the magnetization.
#
# Run it with `python demos/06_s_d_accumulation.py`, or with `mpirun -n 2` before it.

# %%
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from mpi4py import MPI

import fespin as fs
from fespin.plotting import material_colours

comm = MPI.COMM_WORLD
QUICK = bool(os.environ.get("FESPIN_QUICK"))
output = Path(os.environ.get("FESPIN_OUTPUT", "demo-output")) / "06_s_d_accumulation"
if comm.rank == 0:
    output.mkdir(parents=True, exist_ok=True)
comm.barrier()

# %% [markdown]
# ## The device
# A magnet of 30 nm between normal metals that go on for ever (`lead`), with faces that are perfect for s electrons.
# The numbers are of the size of those of a transition metal; how much of a metal's current is d current is
# not known well.

# %%
S_UP, S_DOWN, D_DOWN = 6e6, 6e6, 3e6  # S/m
SPIN_FLIP, S_D = 15e-9, 3e-9  # l_sf and l_sd (m)
THICKNESS, CURRENT_DENSITY = 30e-9, 1e11
LEADS = {"bottom": fs.Contact("lead"), "top": fs.Contact("lead")}
normal = fs.Material("N", 30e-9, 40e-9)


def bands(sd_length: float) -> fs.Bands:
    """The magnet's channels, given l_sd."""
    return fs.Bands.from_lengths(S_UP, S_DOWN, D_DOWN, spin_diffusion_length=SPIN_FLIP, sd_length=sd_length)


def layer(
    magnet: fs.Material,
    faces: Mapping[tuple[str, str], fs.Interface] | None = None,
    thickness: float = THICKNESS,
) -> fs.Stack:
    """The magnet F between the normal metals."""
    below, above = fs.Layer(normal, 45e-9, "below"), fs.Layer(normal, 45e-9, "above")
    return fs.Stack(below, fs.Layer(magnet, thickness, "F"), above, interfaces=faces, library={})


def solve(stack: fs.Stack) -> fs.TransportSolution:
    """Three channels at the current density of this demo."""
    domain = fs.line(comm, stack, mesh_size=2e-9 if QUICK else None)
    return fs.TransportProblem(domain, fs.ThreeChannel(), contacts=LEADS).solve(current_density=CURRENT_DENSITY)


# %% [markdown]
# ## Profiles
# The s-d accumulation sits at the faces, over $l_{sd}$; it has opposite signs where the current enters and leaves. The
# spin accumulation that it drives goes further, over $l_{sf}$, and out into the normal metals. For a single
# face, here that of a layer of 200 nm, the integral of $\Delta_1$ is exact whatever the lengths:
# $J\,\sigma_d/(\sigma_t\, g_{sd})$.

# %%
stack = layer(fs.Material.from_bands("F", bands(S_D)))
solution = solve(stack)
profile = solution.profile(121)
up, down, d_down = (profile.potentials[k] for k in ("up", "down", "d_down"))
inside = profile.layer == 1
total, coupling = bands(S_D).conductivity, bands(S_D).sd
thick = solve(layer(fs.Material.from_bands("F", bands(S_D)), thickness=200e-9)).profile(2001)
half = (thick.layer == 1) & (thick.position <= thick.position.mean())
integral = np.trapezoid((thick.potentials["down"] - thick.potentials["d_down"])[half], thick.position[half])
expected = CURRENT_DENSITY * D_DOWN / (total * coupling)
lengths = solution.report["lengths"]["F"]
if comm.rank == 0:
    print("lengths (nm): " + ", ".join(f"{k} {v * 1e9:.3g}" for k, v in lengths.items()))
    print(
        f"at the face where the current enters: phi_sdn - phi_ddn = {(down - d_down)[inside][0] * 1e6:.3f} uV,", end=""
    )
    print(f" phi_sup - phi_sdn = {(up - down)[inside][0] * 1e6:.3f} uV, with beta_s = 0")
    print(f"integral of phi_sdn - phi_ddn at one face: {integral:.5e} V m, exactly {expected:.5e} V m")

# %%
if comm.rank == 0:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (top, bottom) = plt.subplots(2, 1, figsize=(7.6, 6.4), sharex=True, layout="constrained")
    colours = material_colours(stack)
    centre = profile.position.mean()
    for i, x in enumerate(stack):
        part = (profile.position[profile.layer == i] - centre) / 1e-9
        for ax in (top, bottom):
            ax.axvspan(part.min(), part.max(), color=colours[x.material.name], alpha=0.35, lw=0)
        label = {"name": x.material.name, "at": (part.min() + part.max()) / 2}
        top.text(label["at"], 1.01, label["name"], ha="center", va="bottom", transform=top.get_xaxis_transform())
    conductivity = {"up": S_UP, "down": S_DOWN, "d_down": D_DOWN}
    shown = {"up": ("s up", "#1f4e79", "-"), "down": ("s down", "#c0392b", "-"), "d_down": ("d down", "#2e7d32", "--")}
    for i in range(3):
        at = profile.layer == i
        x = (profile.position[at] - centre) / 1e-9
        first = i == 1
        top.plot(x, (up - down)[at] / 1e-6, color="#1f4e79", lw=2.4,
                 label=r"$\phi_{s\uparrow}-\phi_{s\downarrow}$, spin" if first else None)  # fmt: skip
        top.plot(x, (down - d_down)[at] / 1e-6, "--", color="#c0392b", lw=2.4,
                 label=r"$\phi_{s\downarrow}-\phi_{d\downarrow}$, s-d" if first else None)  # fmt: skip
        for k, (name, colour, style) in shown.items():
            sigma = conductivity[k] if first else 0.5 / normal.resistivity
            current = -sigma * np.gradient(profile.potentials[k][at], profile.position[at], edge_order=2)
            bottom.plot(x, current / CURRENT_DENSITY, style, color=colour, lw=2.4, label=name if first else None)
    top.axhline(0, color="0.4", lw=0.6)
    top.set_ylabel("accumulation ($\\mu$V)")
    top.legend(frameon=False, loc="upper right")
    bottom.set_ylabel("share of the current")
    bottom.set_ylim(0, 0.6)
    bottom.set_xlabel("position along the current (nm)")
    bottom.legend(frameon=False, loc="lower right", ncols=1)
    for ax in (top, bottom):
        ax.margins(x=0)
    figure.savefig(output / "profiles.png", dpi=150)
    plt.close(figure)

# %% [markdown]
# ## What it costs, and the two limits
# The excess resistance $A R_{ne}$ has two parts: the relaxation from s to d, and the spin flip of what that leaves
# behind. Where one of the two lengths is much the shorter, the first has a closed form,
#
# $$ A R_{sd} = \frac{2\,\sigma_d}{\sigma_t\, g_{sd}\, l}\,\eta \tanh\frac{L}{2l}, \qquad
#    g_{sd}\,l^2 = \frac{1}{1/\sigma_a + 1/\sigma_d}, $$
#
# with the conductivity $\sigma_a$ of the s electrons that take part and the share $\eta$ of the current that ends up
# in the d channel. Without spin flip on the way ($l_{sd} \ll l_{sf}$) they are s-down's, and $\eta$ is its
# share of what s-down carries through the face. With s electrons as one channel ($l_{sf} \ll l_{sd}$),
# $\sigma_a = \sigma_{s\uparrow} + \sigma_{s\downarrow}$ and $\eta = \sigma_d/\sigma_t$.
#
# If $l_{sd}\to 0$, s and d electrons of the minority are one channel, and what is left is the two-channel model with
# an asymmetry that counts d electrons (here $\beta = -0.2$). If $l_{sd}\to\infty$, no current enters the d channel,
# which costs its conductance: $L\,(1/\sigma_s - 1/\sigma_t)$.

# %%
sd_lengths = np.geomspace(0.3e-9, 300e-9, 7 if QUICK else 19)
parts = [solve(layer(fs.Material.from_bands("F", bands(x)))).report["r_gmr"] for x in sd_lengths]
relaxation = np.array([x["d_relaxation"] for x in parts])
spin_flip = np.array([x["spin_flip"] for x in parts])


flip = bands(S_D).spin_flip
merged = fs.Material(
    "F",
    1 / total,
    (flip * (1 / S_UP + 1 / (S_DOWN + D_DOWN))) ** -0.5,
    (S_UP - S_DOWN - D_DOWN) / total,
)
# Spin current at a face of the merged channels: that of the bulk, divided between the spin resistances of F and N.
r_f = merged.resistivity_star * merged.spin_diffusion_length
r_f *= np.tanh(THICKNESS / (2 * merged.spin_diffusion_length))
r_n = normal.resistivity * normal.spin_diffusion_length
minority = (1 - (merged.beta or 0.0) * r_f / (r_f + r_n)) / 2
LIMITS = {
    r"$l_{sd}\ll l_{sf}$": (S_DOWN, minority * D_DOWN / (S_DOWN + D_DOWN)),
    r"$l_{sf}\ll l_{sd}$": (S_UP + S_DOWN, D_DOWN / total),
}


def limit(sd_length: float, partner: float, share: float) -> float:
    """A R of s-d relaxation where s electrons of conductivity `partner` give `share` of the current to d (ohm m2)."""
    g = bands(sd_length).sd
    length = (g * (1 / partner + 1 / D_DOWN)) ** -0.5
    return float(2 * D_DOWN / (total * g * length) * share * np.tanh(THICKNESS / (2 * length)))


two_channels = fs.solve_multilayer(layer(merged), LEADS["bottom"], LEADS["top"], CURRENT_DENSITY).resistance_area
two_channels -= sum(x.thickness * x.material.resistivity for x in layer(merged))
cut_off = THICKNESS * (1 / (S_UP + S_DOWN) - 1 / total)
if comm.rank == 0:
    print(f"{'l_sd (nm)':>10}{'s-d part':>12}{'spin-flip part':>17}{'sum':>10}   (A R in 1e-18 ohm m2)")
    for x, r, f in zip(sd_lengths, relaxation, spin_flip, strict=True):
        print(f"{x * 1e9:>10.2f}{r * 1e18:>12.3f}{f * 1e18:>17.3f}{(r + f) * 1e18:>10.3f}")
    print(f"limits of the sum: {two_channels * 1e18:.3f} (two channels), {cut_off * 1e18:.3f} (no d current)")

# %% [markdown]
# ## The force along the magnetization
# If only d electrons are counted as magnetic, the current of s-down less that of d-down, over the lower half of the
# layer less over the upper, changes the length of the magnetization at a rate
#
# $$ f_\parallel = \frac{g_d}{g L}\Big[\int_{\text{lower half}} - \int_{\text{upper half}}\Big]
#    (J_{s\downarrow} - J_{d\downarrow})\,dz $$
#
# per elementary charge (Wegrowe and Drouhin 2004, Eq. 22). In the layer above both halves cancel. Here its two
# faces resist, $AR^* = 0.5$ fΩ m² each, with spin asymmetries $\gamma = 0.2 \mp x$ below and above: the force
# is zero for $x = 0$ and changes sign with it, and with the current. Listing the layers from the other end changes
# nothing: both the current along the axis and the order of the halves are reversed.


# %%
def force(asymmetry: float, sd_length: float) -> float:
    """f_parallel/J without the factor g_d/g."""
    faces = {(side, "F"): fs.Interface(0.5e-15, 0.2 + sign * asymmetry) for side, sign in (("below", -1), ("above", 1))}
    report = solve(layer(fs.Material.from_bands("F", bands(sd_length)), faces)).report
    return float(report["f_parallel"]["F"]) / CURRENT_DENSITY


asymmetries = np.linspace(-0.7, 0.7, 5 if QUICK else 11)
families = (1e-9, 3e-9, 10e-9)
forces = {x: np.array([force(a, x) for a in asymmetries]) for x in families}
if comm.rank == 0:
    print("f_parallel/J at the largest asymmetry: ", end="")
    print(", ".join(f"{f[-1]:.4f} (l_sd = {x * 1e9:.0f} nm)" for x, f in forces.items()))
    print(f"and without asymmetry: {max(abs(f[len(f) // 2]) for f in forces.values()):.0e}")

# %%
if comm.rank == 0:
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    fine = np.geomspace(sd_lengths[0], sd_lengths[-1], 200)
    points = {"markersize": 5, "lw": 0}
    left.loglog(sd_lengths / 1e-9, relaxation / 1e-18, "o", color="#c0392b", label="s-d part", **points)
    left.loglog(sd_lengths / 1e-9, spin_flip / 1e-18, "s", color="#1f4e79", label="spin-flip part", **points)
    left.loglog(sd_lengths / 1e-9, (relaxation + spin_flip) / 1e-18, "-", color="0.15", lw=1.6, label="sum")
    for (name, parameters), style in zip(LIMITS.items(), (":", "--"), strict=True):
        curve = [limit(x, *parameters) / 1e-18 for x in fine]
        left.loglog(fine / 1e-9, curve, style, color="#c0392b", lw=1.4, label=f"s-d part, {name}")
    left.axhline(two_channels / 1e-18, color="0.5", lw=0.9)
    left.text(sd_lengths[-1] / 1e-9, two_channels / 1e-18, "two channels", ha="right", va="bottom", color="0.35")
    left.axhline(cut_off / 1e-18, color="0.5", lw=0.9)
    left.text(sd_lengths[0] / 1e-9, cut_off / 1e-18, "no d current", ha="left", va="bottom", color="0.35")
    left.set_ylim(2.0, 2e4)
    left.set_xlabel(r"$l_{sd}$ (nm)")
    left.set_ylabel(r"excess resistance $A R_{ne}$ (a$\Omega$ m$^2$)")
    left.set_title("What s-d relaxation costs", fontsize=11)
    left.legend(frameon=False, loc="upper left", ncols=2, fontsize=9)
    for (x, f), colour, mark in zip(forces.items(), ("#1f4e79", "#c0392b", "#2e7d32"), "os^", strict=True):
        right.plot(asymmetries, f, mark + "-", color=colour, lw=1.6, label=f"{x * 1e9:.0f} nm")
    right.axhline(0, color="0.4", lw=0.6)
    right.axvline(0, color="0.4", lw=0.6)
    right.set_xlabel(r"asymmetry of the faces, $(\gamma_{above}-\gamma_{below})/2$")
    right.set_ylabel(r"$g f_\parallel/(g_d J)$")
    right.set_title("Force on the length of the magnetization", fontsize=11)
    right.legend(frameon=False, title=r"$l_{sd}$")
    figure.savefig(output / "limits.png", dpi=150)

# %% [markdown]
# ## Checks

# %%
assert abs(solution.power_balance) < 1e-10
assert abs(integral / expected - 1) < 1e-3
assert abs(S_UP - S_DOWN) < 1e-9 * S_UP and np.abs(up - down)[inside].max() > 1e-6
assert abs(solution.report["f_parallel"]["F"]) < 1e-6 * CURRENT_DENSITY
short, long = LIMITS.values()
assert abs(relaxation[0] / limit(sd_lengths[0], *short) - 1) < 0.02
assert abs(relaxation[-1] / limit(sd_lengths[-1], *long) - 1) < 0.01
assert two_channels < (relaxation + spin_flip)[0] < 1.3 * two_channels
assert abs((relaxation + spin_flip)[-1] / cut_off - 1) < 0.02
for x, f in forces.items():
    assert np.abs(f + f[::-1]).max() < 1e-6, (x, f)
    assert np.all(np.diff(f) > 0) or np.all(np.diff(f) < 0), (x, f)
