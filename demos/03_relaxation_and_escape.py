# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Relaxation and escape: how long a magnetic bit lasts
#
# The direction $u$ of a small magnet wanders in thermal noise. Its density $\rho(u, t)$ on the
# sphere obeys Brown's Fokker-Planck equation (Phys. Rev. 130, 1677, 1963),
#
# $$ \partial_t \rho = -\nabla\cdot J, \qquad
#    J = \rho\,\frac{\gamma}{1+\alpha^2}\big(-u\times B - \alpha\,u\times(u\times B)\big) - D\,\nabla\rho, \qquad
#    D = \frac{1}{2\tau_N} = \frac{\alpha\gamma\,kT}{(1+\alpha^2) M_s v}. $$
#
# All eigenvalues of the operator but zero are rates of decay. With two wells the smallest, $\lambda_1$, belongs to
# the hops between them. For a uniaxial magnet, $E = -K v \cos^2\theta$ and $\sigma = K v/kT$, Brown found
#
# $$ 2\tau_N \lambda_1 \to \frac{4}{\sqrt\pi}\,\sigma^{3/2} e^{-\sigma} \qquad (\sigma \gg 1), $$
#
# which exceeds the true value by a factor of about $1 + 1/\sigma$. The damping is in $\tau_N$ only: precession
# turns the magnet about the axis and is no help across the barrier. A field at an angle to the axis changes that. The
# pass is then a single point, precession carries the magnet over it, and $2\tau_N\lambda_1$ depends on the damping.
# At high barriers and not too low damping the rate out of a well with curvatures $c_1, c_2$ (of $E/kT$) over a pass
# with curvatures $c_- < 0 < c_+$, a barrier $\Delta$ higher, is (Langer 1969; Brown 1979; Coffey and Kalmykov 2012)
#
# $$ 2\tau_N\,k = \frac{\Omega}{2\pi}\sqrt{\frac{c_1 c_2}{-c_- c_+}}\;e^{-\Delta}, \qquad
#    \Omega = \tfrac12\Big[-c_- - c_+ + \sqrt{(c_+ - c_-)^2 - 4 c_- c_+/\alpha^2}\Big]. $$
#
# Run it with `python demos/03_relaxation_and_escape.py`, or with `mpirun -n 2` before it.

# %%
import math
import os
from pathlib import Path

import numpy as np
from mpi4py import MPI

import fespin as fs
from fespin.plotting.sphere import plot_density

comm = MPI.COMM_WORLD
quick = bool(os.environ.get("FESPIN_QUICK"))
output = Path(os.environ.get("FESPIN_OUTPUT", "demo-output")) / "03_relaxation_and_escape"
if comm.rank == 0:
    output.mkdir(parents=True, exist_ok=True)
comm.barrier()

# %% [markdown]
# ## The magnet
# A disc 30 nm wide and 1.2 nm thick. Its anisotropy is given by $\sigma$, a field by $h = B M_s/(2K)$ and its angle.

# %%
volume, magnetization, temperature = math.pi / 4 * 30e-9**2 * 1.2e-9, 1.0e6, 300.0


def magnet(sigma, damping=0.1, h=0.0, degrees=45.0):
    """The magnet with a barrier of sigma kT (without field), in a reduced field at an angle to the axis."""
    bare = fs.Macrospin(volume, magnetization, damping, temperature, fs.Uniaxial(stability=float(sigma)))
    b = 2 * sigma * bare.thermal_energy / bare.moment * h
    return bare.with_field((b * math.sin(math.radians(degrees)), 0.0, b * math.cos(math.radians(degrees))))


def langer(spin):
    """The sum of the rates out of both wells over the lowest pass, times 2 tau_N."""
    land = fs.survey(spin)
    over = min(land.saddles, key=lambda u: float(spin.reduced_energy(u[None])[0]))
    # Second derivatives across the pass, along the plane of the field and perpendicular to it.
    y = np.array([0.0, 1.0, 0.0])
    low, high = np.linalg.eigvalsh(spin.reduced_energy.hessian(over[None], np.array([[np.cross(y, over), y]]))[0])
    root = math.sqrt((high - low) ** 2 - 4 * low * high / spin.damping**2)
    omega = (-low - high + root) / 2
    top = float(spin.reduced_energy(over[None])[0])
    return sum(
        omega / (2 * math.pi) * math.sqrt(np.prod(w.curvatures) / -(low * high)) * math.exp(w.energy - top)
        for w in land.wells
    )


# %% [markdown]
# ## Along the axis
# The problem is recognized as symmetric, and solved in the polar angle. Eigenvalues below rounding come from the
# rates of escape between the wells; the result names the method of each.

# %%
barriers = [1, 2, 5, 10, 20, 40, 60] if quick else [1, 2, 5, 10, 20, 30, 40, 60, 80]
brown, axial = {}, {}
for sigma in barriers:
    spin = magnet(sigma)
    spectrum = fs.FokkerPlanck(comm, spin).spectrum(2)
    axial[sigma] = spectrum.reduced[1].real
    brown[sigma] = 4 / math.sqrt(math.pi) * sigma**1.5 * math.exp(-sigma)
    if comm.rank == 0:
        if sigma == barriers[0]:
            print(f"{'barrier/kT':>10}{'2 tau_N lambda_1':>20}{'Brown':>13}{'ratio':>9}   1 - 1/sigma  estimated error")
        print(
            f"{sigma:>10}{axial[sigma]:>20.9e}{brown[sigma]:>13.4e}{axial[sigma] / brown[sigma]:>9.5f}"
            f"{1 - 1 / sigma:>14.5f}{spectrum.error_estimate[1]:>17.0e}   {spectrum.methods[1]}"
        )

# %% [markdown]
# ## How long a bit lasts
# The dwell time in one of the two states, and the probability to find the wrong one after ten years.

# %%
year = 365.25 * 86400
dwell = {}
for sigma in (40, 50, 60, 70):
    dwell[sigma] = fs.FokkerPlanck(comm, magnet(sigma)).escape().dwell_times[0]
    if comm.rank == 0:
        wrong = -math.expm1(-2 * 10 * year / dwell[sigma]) / 2
        print(f"{sigma} kT: dwell time {dwell[sigma] / year:9.3e} years, wrong after ten years: {wrong:.2e}")

# %% [markdown]
# ## In an oblique field
# $h = 0.2$ at 45 degrees and a damping of 0.1: on the sphere, in two dimensions. One well is deeper now.

# %%
h = 0.2
oblique, theory = {}, {}
for sigma in (5, 20, 60) if quick else (5, 7, 10, 15, 20, 30, 40, 60, 80):
    spin = magnet(sigma, h=h)
    escape = fs.FokkerPlanck(comm, spin).escape()
    oblique[sigma] = escape.slowest[0] * 2 * spin.free_relaxation_time
    theory[sigma] = langer(spin)
    if comm.rank == 0:
        if len(oblique) == 1:
            print(f"{'K v/kT':>10}{'barriers':>16}{'2 tau_N rate':>16}{'Langer':>13}{'ratio':>9}  estimated error")
        print(
            f"{sigma:>10}{escape.barriers.min():>8.3f}{escape.barriers.max():>8.3f}{oblique[sigma]:>16.6e}"
            f"{theory[sigma]:>13.4e}{oblique[sigma] / theory[sigma]:>9.4f}{escape.error_estimate.max():>17.0e}"
        )

# %% [markdown]
# ## Damping
# At a barrier of 9.6 kT, for dampings from 0.01 to 10. In a field along the axis $2\tau_N\lambda_1$ does not change
# at all. In the oblique field it grows as the damping falls, and Langer's formula has it grow like $1/\alpha$: then
# the rate itself, divided by $2\tau_N \propto 1/\alpha$, would no longer depend on damping. But at the smallest
# dampings it stays behind the formula: what hinders there is not the pass but the climb, as a magnet
# that hardly dissipates hardly takes up energy either. So the rate itself has a maximum in between.

# %%
dampings = (0.03, 0.1, 1.0) if quick else (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 3.0, 10.0)
along, across, formula = {}, {}, {}
for alpha in dampings:
    spin = magnet(20, alpha, h)
    escape = fs.FokkerPlanck(comm, spin).escape()
    across[alpha], formula[alpha] = escape.slowest[0] * 2 * spin.free_relaxation_time, langer(spin)
    spin = magnet(20, alpha, h, 0.0)
    along[alpha] = fs.FokkerPlanck(comm, spin).escape().slowest[0] * 2 * spin.free_relaxation_time
    if comm.rank == 0:
        if alpha == dampings[0]:
            print("2 tau_N lambda_1, and lambda_1 at 45 degrees")
            print(
                f"{'damping':>10}{'field along':>16}{'at 45 degrees':>16}{'Langer':>13}{'ratio':>9}"
                "  estimated error   rate (1/us)"
            )
        print(
            f"{alpha:>10g}{along[alpha]:>16.8e}{across[alpha]:>16.6e}{formula[alpha]:>13.4e}"
            f"{across[alpha] / formula[alpha]:>9.4f}{escape.error_estimate.max():>17.0e}"
            f"{escape.slowest[0] / 1e6:>14.4f}"
        )

# %% [markdown]
# ## Against trajectories
# At small barriers an ensemble of magnets, followed in time with noise, must say the same: the mean time from one
# pole until $u_z < -0.8$ without field, and the relaxation from the shallow well in the oblique field.

# %%
small = magnet(2)
operator = fs.FokkerPlanck(comm, small)
passage = operator.mean_first_passage((0, 0, 1), cosine=0.8)
arrivals = fs.first_passage(
    comm,
    small,
    lambda u: u[:, 2] < -0.8,
    max_time=20 * passage,
    ensemble=1024 if quick else 4096,
    equilibrate=False,
)
# Trajectories are looked at after each step only, which moves the edge of the target away a little.
edge = math.acos(0.8) - 0.58 * math.sqrt(2 * small.diffusion * arrivals.step)
moved = operator.mean_first_passage((0, 0, 1), cosine=math.cos(edge))
if comm.rank == 0:
    print(
        f"mean first passage at 2 kT: {passage * 1e9:.4f} ns, with the edge where steps of finite length feel it "
        f"{moved * 1e9:.4f} ns; trajectories {arrivals.mean * 1e9:.4f} +- {arrivals.error * 1e9:.4f} ns"
    )

# %%
spin = magnet(5, h=h)
operator = fs.FokkerPlanck(comm, spin, verify=not quick)
slowest = operator.spectrum(2).eigenvalues[1].real
times = np.array([0.05, 0.2, 0.5, 1.0, 1.5]) / slowest
fine = np.union1d(times, np.linspace(0.0, 1.5, 13 if quick else 61) / slowest)
relaxing = operator.switching(fine, start=(0, 0, -1))
expected = relaxing.not_switched[np.searchsorted(fine, times)]
ensemble = fs.langevin(comm, spin, times, ensemble=2048 if quick else 16384, start=(0, 0, -1))
deviations = (ensemble.not_switched - expected) / ensemble.not_switched_error
if comm.rank == 0:
    print(f"relaxation in the oblique field, 1/lambda_1 = {1e9 / slowest:.4f} ns; still on the shallow side:")
    print(f"{'time (ns)':>10}{'Fokker-Planck':>15}{'trajectories':>14}{'error':>9}{'in errors':>11}")
    for row in zip(times * 1e9, expected, ensemble.not_switched, ensemble.not_switched_error, deviations, strict=True):
        print("{:>10.3f}{:>15.5f}{:>14.5f}{:>9.5f}{:>11.2f}".format(*row))

# %% [markdown]
# ## Pictures

# %%
if comm.rank == 0:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    blue, red, grey = "#1f4e79", "#c0392b", "0.45"
    open_dots = {"ls": "none", "marker": "o", "mfc": "white", "mew": 1.6, "ms": 6}
    figure, (ax, below) = plt.subplots(
        2, 1, figsize=(6.8, 6.4), sharex=True, height_ratios=(2.2, 1), layout="constrained"
    )
    x = np.linspace(1, 82, 300)
    ax.semilogy(x, 4 / math.sqrt(math.pi) * x**1.5 * np.exp(-x), color=blue, lw=1.3, label="Brown, high barriers")
    ax.semilogy(list(axial), list(axial.values()), color=blue, **open_dots, label="no field")
    ax.semilogy(list(theory), list(theory.values()), color=red, lw=1.3, label="Langer, high barriers")
    ax.semilogy(list(oblique), list(oblique.values()), color=red, **open_dots, label="h = 0.2 at 45°, damping 0.1")
    ax.set_ylabel(r"$2\tau_N\lambda_1$", fontsize=12)
    ax.legend(frameon=False, fontsize=10.5)
    below.axhline(1, color=grey, lw=0.9)
    below.plot(list(axial), [axial[s] / brown[s] for s in axial], color=blue, **open_dots)
    below.plot(x[x > 1.5], 1 - 1 / x[x > 1.5], color=blue, lw=1, ls="--", label=r"$1 - 1/\sigma$")
    below.plot(list(oblique), [oblique[s] / theory[s] for s in oblique], color=red, **open_dots)
    below.set(ylim=(0.5, 1.05), xlim=(0, 82))
    below.set_xlabel(r"$\sigma = K v/kT$", fontsize=12)
    below.set_ylabel("computed / formula", fontsize=12)
    below.legend(frameon=False, fontsize=10.5, loc="lower right")
    figure.savefig(output / "rates.png", dpi=150)
    plt.close(figure)

# %%
if comm.rank == 0:
    figure, (ax, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    smooth = np.geomspace(min(dampings), max(dampings), 80)
    ax.loglog(smooth, [langer(magnet(20, a, h)) for a in smooth], color=red, lw=1.3, label="Langer, 45°")
    ax.loglog(dampings, [across[a] for a in dampings], color=red, **open_dots, label="field at 45°")
    ax.loglog(
        dampings, [along[a] for a in dampings], color=blue, lw=1.3, **(open_dots | {"ls": "-"}), label="field along"
    )
    ax.set_xlabel("damping", fontsize=12)
    ax.set_ylabel(r"$2\tau_N\lambda_1$", fontsize=12)
    ax.set_title("K v = 20 kT, h = 0.2", fontsize=12)
    ax.legend(frameon=False, fontsize=10.5)
    right.plot(fine * 1e9, relaxing.not_switched, color=red, lw=1.5, label="Fokker-Planck")
    right.axhline(relaxing.stationary, color=grey, lw=0.9, ls="--", label="equilibrium")
    right.errorbar(
        times * 1e9, ensemble.not_switched, ensemble.not_switched_error, color="k", fmt="o", mfc="white", capsize=2.5,
        label="trajectories",
    )  # fmt: skip
    right.set(ylim=(0, 1.02), xlim=(0, None))
    right.set_xlabel("time (ns)", fontsize=12)
    right.set_ylabel(r"probability of $u_z < 0$", fontsize=12)
    right.set_title("K v = 5 kT, h = 0.2 at 45°, damping 0.1", fontsize=12)
    right.legend(frameon=False, fontsize=10.5)
    figure.savefig(output / "damping.png", dpi=150)
    plt.close(figure)

# %%
# While it relaxes, probability flows over the pass.
plot_density(
    relaxing.final,
    output / "density.png",
    spin=spin,
    view=(0.85, -0.5, 0.1),
    title="Relaxation over the pass, K v = 5 kT, h = 0.2 at 45°",
)

# %% [markdown]
# ## Checks
# The numbers for the axial case were found with another method, an expansion in Legendre polynomials.

# %%
known = {
    1: 1.3062796687, 2: 0.8076818777, 5: 0.1354063297, 10: 2.882166669e-3,
    20: 3.943312744e-7, 30: 3.351167734e-11, 40: 2.363611333e-15,
}  # fmt: skip
assert all(abs(axial[s] / known[s] - 1) < 1e-6 for s in axial if s in known)
assert all(abs(axial[s] / brown[s] - (1 - 1 / s)) < 3 / s**2 for s in barriers if s >= 10)
assert 1e7 < dwell[60] / year < 1e9
# Only across the axis does damping matter; at high barriers and moderate damping the formula holds.
assert max(along.values()) / min(along.values()) - 1 < 1e-8
assert across[dampings[0]] > 2 * across[1.0]
assert all(0.9 < across[a] / formula[a] < 1 for a in dampings if a >= 0.5)
assert all(abs(oblique[s] / theory[s] - 1) < abs(oblique[5] / theory[5] - 1) for s in oblique if s >= 20)
# Trajectories agree within their errors.
assert abs(arrivals.mean - moved) < 4 * arrivals.error
assert np.abs(deviations).max() < 4
