# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Ferromagnetic resonance and magnetic noise of an in-plane free layer
#
# Pushed a little, the magnetization of a flat ellipse precesses about its easy axis. Let $B_1$ and $B_2$ be the
# stiffness fields for turning in the plane and out of it, the curvatures of the energy over $M_s v$. Kittel's
# frequency and the line width, the latter to first order in the damping $\alpha$, are
#
# $$ f = \frac{\gamma}{2\pi}\sqrt{B_1 B_2}, \qquad \Delta f = \frac{\alpha\gamma\,(B_1 + B_2)}{2\pi\,(1+\alpha^2)}. $$
#
# That is for small angles at zero temperature. At a finite one the direction is a random variable,
# and its precession is in the eigenvalues of the Fokker-Planck operator: modes decay like $e^{-\lambda t}$
# with $f = \mathrm{Im}\,\lambda/2\pi$ and $\Delta f = \mathrm{Re}\,\lambda/\pi$. In a harmonic well, sums of
# $n + 1$ times $\lambda$ and $n$ times its conjugate are eigenvalues as well: widths $(2n+1)\Delta f$
# at one frequency. The energy's anharmonic part makes the frequency fall as the angles grow, so
# these modes spread, and all lie below Kittel's line.
#
# The same operator gives the response to a field $B e^{i\omega t}$, $\langle u\rangle = \chi_u(\omega) B$, and the
# spectral density $S(f)$ of the thermal noise (one-sided). In equilibrium both are linked. The fluctuation-dissipation
# theorem $\langle u(0)\,\dot u(t)\rangle = -(kT/M_s v)\,\chi_u(t)$, for $t > 0$, gives after a Fourier transform
#
# $$ S(f) = -\frac{4 kT}{\omega\,M_s v}\,\mathrm{Im}\,\chi_u(\omega), \qquad \omega = 2\pi f. $$
#
# Run it with `python demos/05_ferromagnetic_resonance.py`, or with `mpirun -n 2` before it.

# %%
import dataclasses
import math
import os
from pathlib import Path

import numpy as np
from mpi4py import MPI

import fespin as fs
from fespin.plotting.sphere import plot_noise

comm = MPI.COMM_WORLD
quick = bool(os.environ.get("FESPIN_QUICK"))
output = Path(os.environ.get("FESPIN_OUTPUT", "demo-output")) / "05_ferromagnetic_resonance"
if comm.rank == 0:
    output.mkdir(parents=True, exist_ok=True)
comm.barrier()

# %% [markdown]
# ## The free layer
# An ellipse of 65 nm by 40 nm, 3 nm thick, with $\mu_0 M_s = 1$ T; the field is along the long axis, x.

# %%
long, short, thickness = 65e-9, 40e-9, 3e-9
factors = fs.elliptic_cylinder_factors(long / 2, short / 2, thickness)
layer = fs.Macrospin(
    volume=math.pi / 4 * long * short * thickness,
    saturation_magnetization=8e5,
    damping=0.02,
    temperature=300.0,
    terms=fs.Shape(factors),
)


def stiffness(spin):
    """B_1 and B_2: curvatures of the energy at u = x, in the plane and out of it, in T."""
    frame = np.array([[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])
    curvatures = spin.reduced_energy.hessian(np.array([[1.0, 0.0, 0.0]]), frame)[0]
    return np.diag(curvatures) * spin.thermal_energy / spin.moment


def kittel(spin):
    """Frequency and line width (Hz) without thermal motion; the frequency with and without damping's shift."""
    b1, b2 = stiffness(spin)
    scale = spin.gyromagnetic_ratio / (2 * math.pi)
    width = spin.damping * scale * (b1 + b2) / (1 + spin.damping**2)
    damped = math.sqrt(scale**2 * b1 * b2 / (1 + spin.damping**2) - (width / 2) ** 2)
    return scale * math.sqrt(b1 * b2), width, damped


if comm.rank == 0:
    print(f"demagnetizing factors {factors[0]:.4f} {factors[1]:.4f} {factors[2]:.4f}")
    b1, b2 = stiffness(layer)
    ratio = layer.moment / (2 * layer.thermal_energy)
    print(f"without field B_1 = {b1 * 1e3:.2f} mT, B_2 = {b2 * 1e3:.2f} mT, barrier {b1 * ratio:.2f} kT")

# %% [markdown]
# ## Modes against field
# One sphere serves all fields. The modes nearest to Kittel's frequency are found by shift and invert; the first of
# them is the resonance. The deviations are from the frequency and width of the linearized, damped motion: what the
# thermal motion does.

# %%
size = 0.2 if quick else 0.17
sphere = fs.Sigma(comm, size, axis=(1, 0, 0), refine=layer.with_field((0.05, 0.0, 0.0)))
fields = [0.05, 0.1] if quick else [0.02, 0.035, 0.05, 0.07, 0.1, 0.13]
spectra, lines = {}, {}
if comm.rank == 0:
    heads = ("Kittel (GHz)", "mode (GHz)", "width (GHz)", "thermal shift", "broadening", "estimated error")
    print(f"{'field (mT)':>10}" + "".join(f"{x:>16}" for x in heads))
for field in fields:
    spin = layer.with_field((field, 0.0, 0.0))
    frequency, width, damped = kittel(spin)
    spectrum = spectra[field] = fs.FokkerPlanck(sphere, spin).spectrum(3, near=frequency)
    slowest = spectrum.eigenvalues[np.argmin(spectrum.eigenvalues.real)]
    lines[field] = slowest.imag / (2 * math.pi), slowest.real / math.pi
    if comm.rank == 0:
        print(
            f"{field * 1e3:>10.0f}{frequency / 1e9:>16.4f}{lines[field][0] / 1e9:>16.4f}{lines[field][1] / 1e9:>16.4f}"
            f"{100 * (lines[field][0] / damped - 1):>15.3f}%{100 * (lines[field][1] / width - 1):>15.3f}%"
            f"{spectrum.error_estimate[0]:>16.0e}"
        )

# %% [markdown]
# ## Temperature
# The shift of the frequency is proportional to $T$ to first order. The width's first order is small,
# and at room temperature the second outweighs it.

# %%
reference = layer.with_field((0.05, 0.0, 0.0))
frequency, width, damped = kittel(reference)
shifts = {}
for temperature in (300.0, 150.0) if quick else (300.0, 150.0, 75.0):
    line = lines[0.05]
    if temperature < 300:  # wells are narrower
        spin = dataclasses.replace(reference, temperature=temperature)
        on = fs.Sigma(comm, size * math.sqrt(temperature / 300), axis=(1, 0, 0), refine=spin)
        mode = fs.FokkerPlanck(on, spin, verify=False).spectrum(1, near=frequency).eigenvalues[0]
        line = mode.imag / (2 * math.pi), mode.real / math.pi
    shifts[temperature] = line[0] / damped - 1, line[1] / width - 1
    if comm.rank == 0:
        shift, broadening = shifts[temperature]
        print(f"at {temperature:.0f} K and 50 mT: shift {100 * shift:.4f}%, broadening {100 * broadening:.4f}%")

# %% [markdown]
# ## Susceptibility
# The field alternates in the plane, along y, and so does the response. The line is the sum of many modes, so that
# its width at half height, of $-\mathrm{Im}\,\chi_u$, is not exactly that of the first mode.

# %%
chosen = [0.05, 0.1] if quick else [0.02, 0.05, 0.1]
responses, measured = {}, {}
if comm.rank == 0:
    heads = ("mode (GHz)", "peak (GHz)", "its width (GHz)", "line (GHz)", "static chi", "mu0 Ms/B_1")
    print(f"{'field (mT)':>10}" + "".join(f"{x:>16}" for x in heads))
for field in chosen:
    spin = layer.with_field((field, 0.0, 0.0))
    mode, width = lines[field]
    close = mode + width * np.linspace(-1.5, 1.5, 121)
    field_response = fs.FokkerPlanck(sphere, spin).susceptibility(
        np.union1d(np.linspace(0.05e9, 16e9, 120), close), (0, 1, 0)
    )
    responses[field] = field_response.frequencies, field_response.susceptibility[:, 1]
    inside = np.abs(field_response.frequencies - mode) <= 1.5 * width
    f, absorbed = field_response.frequencies[inside], -field_response.susceptibility[inside, 1].imag
    top = int(np.argmax(absorbed))
    left = np.interp(absorbed[top] / 2, absorbed[: top + 1], f[: top + 1])
    right = np.interp(-absorbed[top] / 2, -absorbed[top:], f[top:])
    measured[field] = f[top], right - left
    if comm.rank == 0:
        static = 4e-7 * math.pi * spin.saturation_magnetization / stiffness(spin)[0]
        row = (mode / 1e9, f[top] / 1e9, width / 1e9, (right - left) / 1e9, responses[field][1][0].real, static)
        print(f"{field * 1e3:>10.0f}" + "".join(f"{x:>16.4f}" for x in row))

# %% [markdown]
# ## Noise
# The spectral density of $u_y$ in equilibrium at 50 mT: from the operator, from the susceptibility by the
# fluctuation-dissipation theorem, and from trajectories (Welch's average, with standard errors).


# %%
def across(u):
    """The component in the plane, across the easy axis."""
    return u[:, 1]


operator = fs.FokkerPlanck(sphere, reference)
sampled = fs.power_spectrum(
    comm,
    reference,
    across,
    resolution=1e8 if quick else 5e7,
    highest=14e9,
    segments=1 if quick else 3,
    ensemble=128 if quick else 512,
)
# Below the second bin Welch's window still holds a part of the mean.
bins = slice(2, None)
frequencies = sampled.frequencies[bins]
noise = operator.noise(across, frequencies)
response = operator.susceptibility(frequencies, (0, 1, 0)).response[:, 1]
dissipation = -4 * reference.thermal_energy / (2 * math.pi * frequencies * reference.moment) * response.imag
difference = np.abs(dissipation / noise.density - 1).max()
deviations = (sampled.density[bins] - noise.density) / sampled.error[bins]
equipartition = reference.thermal_energy / (reference.moment * stiffness(reference)[0])
if comm.rank == 0:
    print(f"fluctuation-dissipation theorem: largest relative difference {difference:.1e}")
    print(
        f"trajectories at {len(frequencies)} frequencies: mean square deviation {np.mean(deviations**2):.3f} errors^2"
    )
    print(
        f"variance of u_y: {noise.variance:.7f}; trajectories {sampled.variance:.5f}; small angles {equipartition:.7f}"
    )

# %% [markdown]
# ## Pictures

# %%
plot_noise(
    comm,
    output / "susceptibility.png",
    {f"{1e3 * b:.0f} mT": (f[f > 2e9], np.abs(chi[f > 2e9])) for b, (f, chi) in responses.items()},
    title="65 nm x 40 nm x 3 nm, field along the long axis",
    ylabel=r"susceptibility $|\chi_{yy}|$",
)
shown = frequencies > 2e9
every = np.flatnonzero(sampled.frequencies > 2e9)[:: 2 if quick else 5]
plot_noise(
    comm,
    output / "noise.png",
    {"Fokker-Planck": (frequencies[shown], noise.density[shown])},
    points={"trajectories": (sampled.frequencies[every], sampled.density[every], sampled.error[every])},
    title=r"Thermal noise of $u_y$ at 50 mT and 300 K",
)

# %%
if comm.rank == 0:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    blue, red = "#1f4e79", "#c0392b"
    figure, axes = plt.subplot_mosaic(
        [["f", "modes"], ["width", "modes"]], figsize=(11, 5.6), height_ratios=(2, 1), layout="constrained"
    )
    ax, below, ladder = axes["f"], axes["width"], axes["modes"]
    ax.sharex(below)
    ax.tick_params(labelbottom=False)
    smooth = np.linspace(0.0, max(fields) * 1.05, 80)
    theory = np.array([kittel(layer.with_field((b, 0.0, 0.0)))[:2] for b in smooth]) / 1e9
    modes = np.array([lines[b] for b in fields]) / 1e9
    x = np.array(fields) * 1e3
    ax.plot(smooth * 1e3, theory[:, 0], color=blue, lw=1.4, label="Kittel")
    ax.errorbar(
        x, modes[:, 0], modes[:, 1] / 2, color=blue, fmt="o", mfc="white", capsize=4, label="mode, with its width"
    )
    ax.set_ylabel("frequency (GHz)", fontsize=12)
    ax.legend(frameon=False, fontsize=11)
    below.plot(smooth * 1e3, theory[:, 1], color=red, lw=1.4, label=r"$\alpha\gamma(B_1+B_2)/2\pi(1+\alpha^2)$")
    below.plot(x, modes[:, 1], "o", color=red, mfc="white", label="mode")
    below.set_xlabel("field along the long axis (mT)", fontsize=12)
    below.set_ylabel("line width (GHz)", fontsize=12)
    below.legend(frameon=False, fontsize=11)
    ladder.axhline(0, color="0.45", lw=0.9)
    single = [b for b in fields if b >= 0.05]  # with one well
    for field, colour in zip(single, (red, blue, "#2e7d32", "#6a3d9a"), strict=False):
        _, width, damped = kittel(layer.with_field((field, 0.0, 0.0)))
        z = np.sort(spectra[field].eigenvalues)
        shift = 100 * (z.imag / (2 * math.pi * damped) - 1)
        ladder.plot(z.real / (math.pi * width), shift, "o-", color=colour, mfc="white", label=f"{1e3 * field:.0f} mT")
    ladder.set_xlabel("line width / that without thermal motion", fontsize=12)
    ladder.set_ylabel("thermal shift of the frequency (%)", fontsize=12)
    ladder.legend(frameon=False, fontsize=11, loc="lower left")
    ladder.set_title("Modes nearest to the resonance", fontsize=12)
    figure.savefig(output / "resonance.png", dpi=150)
    plt.close(figure)

# %% [markdown]
# ## Checks

# %%
for field in fields:
    _, width, damped = kittel(layer.with_field((field, 0.0, 0.0)))
    shift, broadening = lines[field][0] / damped - 1, lines[field][1] / width - 1
    assert -0.02 < shift < 0 < broadening < 0.05, (field, shift, broadening)
    assert spectra[field].error_estimate[0] < 1e-5
for field, (peak, width) in measured.items():
    assert abs(peak - lines[field][0]) < 0.1 * width and abs(width / lines[field][1] - 1) < 0.05
# The shift halves with the temperature, the broadening falls faster.
assert abs(shifts[300.0][0] / shifts[150.0][0] - 2) < 0.2
assert abs(shifts[150.0][1]) < abs(shifts[300.0][1]) / 3
# Fluctuation and dissipation; energy and thermal energy; trajectories within their errors.
assert difference < 1e-6
assert abs(noise.variance / equipartition - 1) < 0.05
assert np.mean(deviations**2) < 1.6 and np.abs(deviations).max() < 6
