# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # The write-error rate of a perpendicular bit
#
# A current through a polarizing layer drives the free layer's direction $u$ to the polarizer $p$, with the torque
# $\gamma a\,u\times(p\times u)$ in the Gilbert equation. Above a critical $a$ it overcomes damping. But a magnet that
# points exactly along its axis feels no torque: it waits for a thermal kick, and in some pulses it waits too long.
# The share of those, the write-error rate, must be of the order of one in a million or less in a memory. No number of
# simulated trajectories reaches that with ease; the Fokker-Planck equation gives it directly.
#
# For small angles, and with the polarizer along the axis, there is a theory to compare with. Let $i$ be the current
# over its critical value, $\Delta = Kv/kT$, and $\tau = \alpha\gamma B_K t/(1+\alpha^2)$. While the angle $\theta$
# is small, noise and torque keep the distribution of its two components Gaussian, with
#
# $$ \langle\theta^2\rangle = \frac{i\,e^{2(i-1)\tau} - 1}{\Delta\,(i-1)}. $$
#
# Later noise matters little, and $d\theta/d\tau = \sin\theta\,(i - \cos\theta)$ decides which small angles have
# passed the equator. Both together:
#
# $$ \mathrm{WER} = 1 - \exp\Big[-\frac{c\,\Delta\,(i-1)}{i\,e^{2(i-1)\tau} - 1}\Big], \qquad
#    c = 2^{2i/(i+1)}\Big(\frac{i-1}{i}\Big)^{2/(i+1)}. $$
#
# It is the form that Butler et al. found (IEEE Trans. Magn. 48, 4684, 2012), with another $c$.
#
# Run it with `python demos/04_write_error_rate.py`, or with `mpirun -n 2` before it.

# %%
import dataclasses
import itertools
import math
import os
from pathlib import Path

import numpy as np
from mpi4py import MPI

import fespin as fs
from fespin.plotting.sphere import plot_density, plot_write_error

comm = MPI.COMM_WORLD
quick = bool(os.environ.get("FESPIN_QUICK"))
output = Path(os.environ.get("FESPIN_OUTPUT", "demo-output")) / "04_write_error_rate"
if comm.rank == 0:
    output.mkdir(parents=True, exist_ok=True)
comm.barrier()

# %% [markdown]
# ## The bit
# A free layer 30 nm wide and 1.2 nm thick, of 60 kT at 300 K.

# %%
diameter, thickness, magnetization, stability = 30e-9, 1.2e-9, 1.0e6, 60.0
bit = fs.Macrospin(
    volume=math.pi / 4 * diameter**2 * thickness,
    saturation_magnetization=magnetization,
    damping=0.03,
    temperature=300.0,
    terms=fs.Uniaxial(stability=stability),
)
down = (0.0, 0.0, -1.0)
critical = fs.SpinTorque.critical(bit, 1.0, down).damping_like
# The current that gives this field: a = hbar P J/(2 e Ms t).
polarization, hbar, charge = 0.6, 1.054571817e-34, 1.602176634e-19
density = critical * 2 * charge * magnetization * thickness / (hbar * polarization)
if comm.rank == 0:
    print(f"anisotropy field {2 * stability * bit.thermal_energy / bit.moment * 1e3:.1f} mT")
    print(f"critical damping-like field {critical * 1e3:.3f} mT, {density / 1e10:.2f}e10 A/m2 at P = {polarization}")

# %% [markdown]
# ## Polarizer along the axis
# The problem is recognized as symmetric and solved in the polar angle.


# %%
def small_angles(ratio, tau):
    """The write-error rate for small angles."""
    c = 2 ** (2 * ratio / (ratio + 1)) * ((ratio - 1) / ratio) ** (2 / (ratio + 1))
    return -np.expm1(-c * stability * (ratio - 1) / (ratio * np.exp(2 * (ratio - 1) * tau) - 1))


curves, solvers = {}, {}
for ratio in (1.5, 2.0, 3.0):
    torque = fs.SpinTorque.critical(bit, ratio, down)
    solver = solvers[ratio] = fs.FokkerPlanck(comm, bit, torque)
    last = 4e-9 if ratio < 3 else 2.5e-9
    times = np.linspace(0.0, last, 41)[1:]
    curves[f"{ratio:g} critical"] = times, solver.switching(times).not_switched
unit = 1 / solvers[2.0].reduced_time
taus = np.array([4.0, 6.0, 8.0, 10.0])
rates = solvers[2.0].switching(taus * unit)
if comm.rank == 0:
    print(f"at twice the critical current; tau = 1 is {unit * 1e9:.5f} ns")
    print(
        f"{'tau':>6}{'pulse (ns)':>12}{'write-error rate':>20}{'estimated error':>17}{'small angles':>14}{'ratio':>8}"
    )
    for tau, rate, error in zip(taus, rates.not_switched, rates.error_estimate, strict=True):
        theory = small_angles(2.0, tau)
        print(f"{tau:>6g}{tau * unit * 1e9:>12.4f}{rate:>20.6e}{error:>17.0e}{theory:>14.4e}{rate / theory:>8.4f}")

# %% [markdown]
# ## Tilted polarizer
# No magnet of a tilted polarizer is without torque at first. But precession turns it about the axis, while the
# torque across the axis stays where it is: all it can do is to shift the point without torque by an angle of about
# $i\,\alpha\tan(\mathrm{tilt})$, from where most magnets start. That counts if it is not small
# against the thermal angle $1/\sqrt\Delta$. So a tilt helps at large damping, and at small damping hardly;
# the slope of the tail changes little. There is no axis of symmetry, but near the easy axis little depends on the angle
# around it: a few Fourier orders hold all of it, and elements are needed in the polar angle alone.


# %%
def tilted(spin, degrees):
    """The torque of a tilted polarizer at twice the critical current."""
    angle = math.radians(degrees)
    return fs.SpinTorque.critical(spin, 2.0, (math.sin(angle), 0.0, -math.cos(angle)))


damped = dataclasses.replace(bit, damping=0.1)
when = np.array([0.12, 0.24, 0.36, 0.45]) * 1e-9
six = 6.0 / fs.FokkerPlanck(comm, damped).reduced_time
times = np.union1d(np.linspace(0.0, 1e-9, 11 if quick else 161)[1:], [*when, six])
leaning, operators = {}, {}
for degrees in (0, 25) if quick else (0, 10, 25, 40):
    operators[degrees] = fs.FokkerPlanck(comm, damped, tilted(damped, degrees))
    leaning[degrees] = operators[degrees].switching(times)
estimates = [x.error_estimate.max() for x in leaning.values()]
if comm.rank == 0:
    print("damping 0.1: write-error rates at twice the critical current, for tilts of the polarizer")
    print(f"{'pulse (ns)':>10}" + "".join(f"{f'{d} deg':>13}" for d in leaning))
    for k in np.searchsorted(times, [0.1999e-9, *np.linspace(0.3999e-9, 0.9999e-9, 4)]):
        print(f"{times[k] * 1e9:>10.3f}" + "".join(f"{x.not_switched[k]:>13.4e}" for x in leaning.values()))
    print(f"largest estimated error {max(estimates):.0e}, {leaning[25].final.surface.orders} Fourier orders")

# %%
# The same pulse in reduced time, tau = 6, at two dampings.
gain = {0.1: leaning[25].not_switched[np.searchsorted(times, six)] / rates.not_switched[1]}
if not quick:
    solver = fs.FokkerPlanck(comm, bit, tilted(bit, 25))
    gain[bit.damping] = solver.switching([6.0 / solver.reduced_time]).not_switched[0] / rates.not_switched[1]
if comm.rank == 0:
    for damping, factor in gain.items():
        print(
            f"damping {damping}: after tau = 6 a tilt of 25 degrees makes the rate {factor:.4f} times as large "
            f"(shift {2 * damping * math.tan(math.radians(25)):.3f} rad, thermal angle {stability**-0.5:.3f} rad)"
        )

# %% [markdown]
# ## Trajectories
# An ensemble of magnets with thermal noise, as far as it reaches.

# %%
points, deviations = {}, {}
for degrees in (0, 25):
    ensemble = fs.langevin(comm, damped, when, ensemble=4096 if quick else 24576, torque=tilted(damped, degrees))
    points[degrees] = ensemble.times, ensemble.not_switched, ensemble.not_switched_error
    expected = leaning[degrees].not_switched[np.searchsorted(times, when)]
    deviations[degrees] = (ensemble.not_switched - expected) / ensemble.not_switched_error
    if comm.rank == 0:
        print(f"damping 0.1, tilt {degrees} degrees: {ensemble.ensemble} trajectories of {ensemble.steps} steps")
        print(f"{'pulse (ns)':>10}{'Fokker-Planck':>15}{'trajectories':>14}{'error':>9}{'in errors':>11}")
        for row in zip(when * 1e9, expected, *points[degrees][1:], deviations[degrees], strict=True):
            print("{:>10.2f}{:>15.5f}{:>14.5f}{:>9.5f}{:>11.2f}".format(*row))

# %% [markdown]
# ## Pulses with finite edges
# The current rises and falls in 0.3 ns; the width is taken at half height, so that the charge is that of a pulse
# with sharp edges. Then the magnet settles for 1 ns. Slow edges cost: while the current is below its critical value,
# damping takes the magnet back.


# %%
def pulse(width, edge, t):
    """A trapezoid of height one."""
    if edge == 0:
        return 1.0 if t < width else 0.0
    return max(0.0, min(1.0, t / edge, (width + edge - t) / edge))


edge, settle = 0.3e-9, 1e-9
widths = np.array([1.0, 2.0]) * 1e-9 if quick else np.array([0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]) * 1e-9
after = {}
for e in (0.0, edge):
    for width in widths:
        stops = [width] if e == 0 else [e, width, width + e]
        evolution = solvers[2.0].evolve(
            [width, width + e + settle],
            drive=lambda t, w=width, e=e: pulse(w, e, t),
            breakpoints=stops,
            tolerance=1e-6,
        )
        after[e, width] = evolution.probability[1]
sharp = solvers[2.0].switching(widths).not_switched
if comm.rank == 0:
    print(f"{'width (ns)':>10}{'at the end':>13}{'settled':>13}{'with edges, settled':>21}{'ratio':>8}")
    for width, rate in zip(widths, sharp, strict=True):
        a, b = after[0.0, width], after[edge, width]
        print(f"{width * 1e9:>10.2f}{rate:>13.4e}{a:>13.4e}{b:>21.4e}{b / a:>8.3f}")

# %% [markdown]
# ## Pictures
# Half-way through: the density when half of the magnets have switched, under the tilted polarizer. It leaves
# the upper well in a spiral, and winds up in the lower one.

# %%
plot_write_error(comm, output / "currents.png", curves, title="60 kT, damping 0.03: currents")
plot_write_error(
    comm,
    output / "tilts.png",
    {f"tilt {d}°": (times, x.not_switched) for d, x in leaning.items()},
    points={f"tilt {d}°": x for d, x in points.items()},
    title="60 kT, damping 0.1, twice the critical current: tilts",
)
half = float(np.interp(-0.5, -leaning[25].not_switched, times))
middle = operators[25].switching([half])
plot_density(
    middle.final,
    output / "density.png",
    spin=damped,
    torque=tilted(damped, 25),
    title=f"After {half * 1e9:.3f} ns: {100 * middle.not_switched[0]:.0f} % have not switched",
)

# %% [markdown]
# ## Checks
# Reference values of an independent solution, to five digits.

# %%
reference = np.array([1.52695e-2, 2.72580e-4, 4.83683e-6, 8.58196e-8])
assert np.abs(rates.not_switched / reference - 1).max() < 1e-4
assert all(0.8 < r / small_angles(2.0, t) < 1 for t, r in zip(taus, rates.not_switched, strict=True))
assert all(np.abs(z).max() < 4 for z in deviations.values())
assert max(estimates) < 1e-3
# Tilts help, and the more the larger the damping.
assert all(a.not_switched[-1] > b.not_switched[-1] for a, b in itertools.pairwise(leaning.values()))
assert gain[0.1] < 0.75
assert quick or gain[0.1] < gain[0.03] < 1
assert all((np.diff(v[v < 0.99]) < 0).all() for _, v in curves.values())
# Sharp pulses: what happens after the end hardly matters. Slow edges make more errors.
assert all(abs(after[0.0, w] / r - 1) < 0.05 for w, r in zip(widths, sharp, strict=True))
assert all(after[edge, w] > after[0.0, w] for w in widths)
