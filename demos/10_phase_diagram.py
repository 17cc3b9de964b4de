# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Phase diagram and telegraph noise
#
# Field and current both choose between the two directions of a free layer. Which of them is seen depends on how long
# one looks: where both last, history decides; where none does, the resistance jumps back and forth. Both the
# resonance and its noise tell how near a state is to its end. All of it is computed here from a stack of layers: its
# torque, resistance and pumped damping at every angle (demo 09), then the Fokker-Planck equation of the direction.
#
# Run it with `python demos/10_phase_diagram.py`, or with `mpirun -n 2` before it. The device is also a case:
# `fespin run demos/phase_diagram.toml`.

# %%
import dataclasses
import math
import os
from pathlib import Path

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

import fespin as fs
from fespin.sigma.surveys import critical_drive, dwell_times, phase_diagram, resonances

type Array = NDArray[np.float64]

comm = MPI.COMM_WORLD
QUICK = bool(os.environ.get("FESPIN_QUICK"))
output = Path(os.environ.get("FESPIN_OUTPUT", "demo-output")) / "10_phase_diagram"
if comm.rank == 0:
    output.mkdir(parents=True, exist_ok=True)
comm.barrier()

# %% [markdown]
# ## The device
# The valve of demo 09 with straight walls, a pillar of 40 nm. A barrier of 22 kT, in place of 60, makes a state last
# for seconds. **Assumed** are the mixing conductance, the magnetization, an intrinsic damping of 0.02 and the
# perpendicular anisotropy. The fixed layer points upwards, and a positive current flows upwards.

# %%
DIAMETER, THICKNESS, MAGNETIZATION, DAMPING, BARRIER = 40e-9, 2e-9, 1.4e6, 0.02, 22.0
UP, DOWN = (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)
NAMES = ("parallel", "antiparallel")
copper, cobalt = fs.material("Cu"), fs.material("Co")
face = dataclasses.replace(fs.interfaces()["Co", "Cu"], mixing_conductance=5.5e14 + 0.3e14j)
stack = fs.Stack(
    fs.Layer(copper, 10e-9),
    fs.Layer(cobalt, 12e-9, "fixed", magnetization=UP),
    fs.Layer(copper, 6e-9, "spacer"),
    fs.Layer(cobalt, THICKNESS, "free", magnetization=UP),
    fs.Layer(copper, 10e-9),
    interfaces={("Co", "Cu"): face},
    library={},
)
contacts = {"bottom": fs.Contact("lead"), "top": fs.Contact("lead")}
problem = fs.TransportProblem(fs.line(comm, stack), fs.Vector(), contacts=contacts)
torque_map = fs.torque_map(problem, "free", tolerance=0.03 if QUICK else 1e-4, pumping=True)


def layer(barrier: float) -> fs.Macrospin:
    """The free layer with a barrier (kT), without pumped damping."""
    return fs.Macrospin(
        volume=math.pi / 4 * DIAMETER**2 * THICKNESS,
        saturation_magnetization=MAGNETIZATION,
        damping=DAMPING,
        temperature=300.0,
        terms=fs.Uniaxial(stability=barrier),
    )


bare = layer(BARRIER)
bit = torque_map.pumped(bare, current_density=1.0)  # what is pumped depends on the kind of circuit, not on the current
ANISOTROPY = 2 * BARRIER * bit.thermal_energy / bit.moment  # B_K, T


def driven(current_density: float, spin: fs.Macrospin = bit) -> tuple[fs.Macrospin, fs.AngularTorque]:
    """The free layer and its torque at a current density (A/m2)."""
    return spin, torque_map.torque(spin, current_density=current_density)


def along(field: float) -> fs.Macrospin:
    """The free layer in a field along the axis (T)."""
    return bit.with_field((0.0, 0.0, field))


# %% [markdown]
# ## Torque, damping, critical currents
# In Gilbert's equation the current density $J$ makes fields $a = J\hat a(c)$ and $b = J\hat b(c)$, with $c = u\cdot p$.
# Near an end of the axis precession moves the magnet across the plane of $u$ and $p$, and what damps it there is
# $\alpha_\pm = \alpha + A_\perp(\pm 1)$, the intrinsic and the pumped damping. Damping balances the torque of a small
# cone where
#
# $$ J_\pm(B) = \mp\frac{\alpha_\pm\,(B_K \pm B)}{(1+e_\pm)\,\hat a(\pm1) - \alpha_\pm \hat b(\pm1)}, $$
#
# with the upper sign for parallel magnets, the anisotropy field $B_K$, the field $B$ along the axis, and the small
# reactive part $e$ of what is pumped. Straight lines, which meet the axis of fields at $\mp B_K$. Pumping adds 0.0047
# to a damping of 0.02, which is 23 percent, and as much to the critical currents.

# %%
unit = torque_map.torque(bit, current_density=1.0)


def stability_line(sign: int, field: float | Array, spin: fs.Macrospin = bit) -> float | Array:
    """The current density (A/m2) at which parallel (sign 1) or antiparallel (-1) magnets become unstable."""
    damping, reactive = spin.damping, 0.0
    if spin.pumping is not None:
        damping, reactive = damping + float(spin.pumping.normal(sign)), float(spin.pumping.reactive(sign))
    size = (1 + reactive) * float(unit.damping_like(sign)) - damping * float(unit.field_like(sign))
    return -sign * damping * (ANISOTROPY + sign * field) / size


critical = {}
for name, well, sign in zip(NAMES, (UP, DOWN), (1, -1), strict=True):
    low, high = sorted((0.0, 1.5 * stability_line(sign, 0.0)))
    critical[name] = {
        "map, intrinsic damping": torque_map.critical_current_density(bare, well),
        "map, with pumping": torque_map.critical_current_density(bit, well),
        "formula": stability_line(sign, 0.0),
        "motion": critical_drive(driven, low, high, state=well),
    }
if comm.rank == 0:
    print(f"B_K = {ANISOTROPY * 1e3:.2f} mT; torque map of {torque_map.solves} angles, error {torque_map.error:.0e}")
    print(f"{'':>14}{'A R (fohm m2)':>15}{'pumped damping':>16}" + "".join(f"{k:>24}" for k in critical["parallel"]))
    for name, sign in zip(NAMES, (1, -1), strict=True):
        print(
            f"{name:>14}{float(torque_map.resistance_area(sign)) * 1e15:>15.4f}{float(bit.pumping.normal(sign)):>16.5f}"
            + "".join(f"{j / 1e10:>16.4f}e10 A/m2" for j in critical[name].values())
        )

# %% [markdown]
# ## Phase diagram
# An observer looks for a second. At each field and current the Fokker-Planck equation gives the mean time in each
# stable state. If both exceed a second, the state is a matter of history. If one does, it is the only one to be
# seen. If none does, the resistance jumps between two values, provided that each has its share of the time (1 percent),
# else only one is seen.
#
# Dwell times depend smoothly on field and current, so their logarithms are interpolated between the points.
# The diagram is not symmetric: this torque is 3.4 times stronger at antiparallel than at parallel magnets. A current
# that destabilizes the antiparallel state, against a field that favours it, wears both barriers down, and telegraph
# noise appears in a band along the line of equal dwell times. With the other sign of both, barriers grow.
#
# Only directions that stay count as states. Beyond its line the antiparallel state does not vanish at once: as the
# torque weakens quickly with the angle, the magnet first precesses on a narrow cone, at 1.1 times the current with
# a cosine of -0.95. At a field of -0.6 $B_K$ the state still lasts 7.5 ms at 0.97 of its critical current.

# %%
OBSERVATION = 1.0  # s
STEP = 1.075e10  # A/m2 for 0.2 B_K: points of the diagonal lie on the line of equal dwell times
half = np.array([-2, 0, 2]) if QUICK else np.arange(-4, 5)
fields, drives = 0.2 * ANISOTROPY * half, STEP * half
diagram = phase_diagram(comm, driven, drives, fields, along=UP, observation=OBSERVATION)
order = [int(np.argmax(diagram.states @ np.array(x))) for x in (UP, DOWN)]  # parallel, antiparallel
lines = [diagram.critical[k] for k in order]
mismatch = max(
    float(np.abs(pairs[:, 1] - stability_line(sign, pairs[:, 0])).max() / np.ptp(drives))
    for pairs, sign in zip(lines, (1, -1), strict=True)
    if len(pairs)
)


def smooth(k: int) -> RBFInterpolator:
    """The logarithm of the dwell time in a state, from the points where both states are stable."""
    times = diagram.dwell_times[:, :, order[k]]
    i, j = np.nonzero(np.isfinite(diagram.dwell_times).all(axis=2))
    points = np.column_stack([fields[i] / ANISOTROPY, drives[j] / STEP / 5])
    return RBFInterpolator(points, np.log(times[i, j]), kernel="cubic")


logarithms = [smooth(k) for k in range(2)]


def regions(b: Array, j: Array) -> NDArray[np.int_]:
    """0 parallel, 1 antiparallel, 2 telegraph noise, 3 both: at fields and currents (n,)."""
    points = np.column_stack([b / ANISOTROPY, j / STEP / 5])
    alive = np.array([(j < stability_line(1, b)), (j > stability_line(-1, b))])
    value = np.where(alive, [f(points) for f in logarithms], -np.inf)
    value = np.where(alive & ~alive[::-1], np.inf, value)
    lasting = value > math.log(OBSERVATION)
    ratio = value[1] - value[0]
    either = np.where(ratio > math.log(99), 1, np.where(ratio < -math.log(99), 0, 2))
    return np.where(lasting.all(axis=0), 3, np.where(lasting[0], 0, np.where(lasting[1], 1, either)))


labels = {str(order[0]): 0, str(order[1]): 1, "telegraph": 2, "bistable": 3}
grid = np.vectorize(labels.get)(diagram.regions)
agree = regions(*(x.ravel() for x in np.meshgrid(fields, drives, indexing="ij"))).reshape(grid.shape) == grid
if comm.rank == 0:
    print(f"seen within {OBSERVATION:g} s: P parallel, A antiparallel, * telegraph noise, 2 both by history")
    for j in range(len(drives))[::-1]:
        print(f"{drives[j] / 1e10:>8.3f}e10 A/m2  " + " ".join("PA*2"[k] for k in grid[:, j]))
    print("      at (B_K)       " + " ".join(f"{b / ANISOTROPY:.1f}" for b in fields[[0, len(fields) // 2, -1]]))
    print(f"stability lines: formula and motion differ by {mismatch:.0e} of the range")

# %% [markdown]
# ## Dwell times
# If torque and damping did not depend on the angle, a current would act like a field along the axis. Here they do.
# As it is one angle only, there is an effective energy all the same:
#
# $$ -\frac{1}{M_s v}\frac{dE}{dc} = B_K c + B - J\hat b(c) + \frac{(1+e(c))\,J\hat a(c)}{\alpha + A_\perp(c)}. $$
#
# Its barriers $\Delta_\pm$ give the slopes of the dwell times, $d\ln\tau/dJ \approx d\Delta/dJ$ in units of $kT$. The
# antiparallel state is nearly twice as sensitive as the parallel one. A field restores the balance, but not the
# time: with equal dwell times a state lasts 1.1 s at -8e9 A/m2, 7.1 s without current and 47 s at 8e9 A/m2.


# %%
def barriers(current_density: float, field: float = 0.0) -> Array:
    """Barriers of the effective energy seen from parallel and antiparallel magnets (kT)."""
    c = np.linspace(-1, 1, 4001)
    torque = torque_map.torque(bit, current_density=current_density)
    pull = ANISOTROPY * c + field - torque.field_like(c)
    pull += (1 + bit.pumping.reactive(c)) * torque.damping_like(c) / (DAMPING + bit.pumping.normal(c))
    rise = -bit.moment / bit.thermal_energy * (pull[1:] + pull[:-1]) / 2 * np.diff(c)
    energy = np.concatenate([[0.0], np.cumsum(rise)])
    return energy.max() - energy[[-1, 0]]


def dwell(spin: fs.Macrospin, current_density: float) -> Array:
    """Mean times (s) in the upper and in the lower state."""
    known = fs.FokkerPlanck(comm, *driven(current_density, spin)).escape()
    return known.dwell_times[np.argsort(-known.states[:, 2])]


near = np.linspace(-1.6e10, 1.6e10, 3 if QUICK else 7)
curves = {}
for field in (0.0, -0.2 * ANISOTROPY):
    if field and QUICK:
        continue
    times = dwell_times(comm, lambda j, b=field: driven(j, along(b)), near)
    curves[field] = times.dwell_times[:, [int(np.argmax(times.states @ np.array(x))) for x in (UP, DOWN)]]
middle = len(near) // 2
gap = near[middle + 1] - near[middle - 1]
slopes = np.log(curves[0.0][middle + 1] / curves[0.0][middle - 1]) / gap
expected = (barriers(near[middle + 1]) - barriers(near[middle - 1])) / gap


def balanced(current_density: float) -> float:
    """The field (T) at which both states last equally long: the logarithm of their ratio is straight nearby."""
    guess = 0.2 * ANISOTROPY * current_density / STEP + np.array([-5e-4, 5e-4])
    ratio = [float(np.diff(np.log(dwell(along(b), current_density)))[0]) for b in guess]
    return float(guess[0] - ratio[0] * np.diff(guess)[0] / (ratio[1] - ratio[0]))


LOOPS = (-8e9, 0.0, 8e9)
equal = {j: balanced(j) if j else 0.0 for j in LOOPS}
both = {j: float(dwell(along(b), j)[0]) for j, b in equal.items()}
if comm.rank == 0:
    print("d ln(tau)/dJ at zero field and current, per 1e10 A/m2, and from the barriers of the effective energy")
    for name, a, b in zip(NAMES, slopes, expected, strict=True):
        print(f"{name:>14}{a * 1e10:>10.3f}{b * 1e10:>10.3f}")
    for j, field in equal.items():
        print(f"{j / 1e10:>6.2f}e10 A/m2: equal at {field * 1e3:7.3f} mT, each {both[j]:.4g} s")

# %% [markdown]
# ## Hysteresis of the resistance
# The field sweeps at 100 T/s, too fast for the states to balance. Without current thermal motion reverses the magnet
# at 19 mT, far below $B_K$ = 52 mT. A current shifts the loop by 1.05 mT per 1e9 A/m2, close to the 0.97 mT by which
# it shifts the field of equal dwell times.

# %%
REACH, RATE = 0.045, 100.0
period = 2 * REACH / RATE  # of a sweep one way
count = 11 if QUICK else 41
sweep = np.linspace(0.0, 2 * period, 2 * count - 1)


def triangle(t: float) -> tuple[float, float, float]:
    """The field (T) at a time: from REACH to -REACH and back."""
    return 0.0, 0.0, REACH * (abs(2 * t / period - 2) - 1)


swept = np.array([triangle(t)[2] for t in sweep])
loops, switching = {}, {}
for j in LOOPS[2:] if QUICK else LOOPS:
    run = fs.FokkerPlanck(comm, *driven(j)).evolve(
        sweep,
        start=UP,
        field=triangle,
        observables={"resistance": torque_map.resistance_at},
        breakpoints=[period],
        tolerance=1e-2 if QUICK else 2e-3,
    )
    loops[j] = run.observables["resistance"]
    z = run.mean[:, 2]
    at = np.flatnonzero(z[1:] * z[:-1] < 0)
    switching[j] = swept[at] - z[at] * np.diff(swept)[at] / np.diff(z)[at]
shifts = {j: float(np.mean(x)) for j, x in switching.items()}
if comm.rank == 0:
    for j, x in switching.items():
        print(
            f"{j / 1e10:>6.2f}e10 A/m2: reversals at {x[0] * 1e3:.2f} and {x[1] * 1e3:.2f} mT, "
            f"shift {shifts[j] * 1e3:.2f} mT; equal dwell times at {equal[j] * 1e3:.2f} mT"
        )

# %% [markdown]
# ## Resonance
# The width of the linearized motion about antiparallel magnets is proportional to the distance from the critical
# current. So is that of the Fokker-Planck equation's mode at 4.2 K, but for the last tenth or two: the effective
# temperature there is $T/(1 - J/J_c)$. At 300 K the angles are large, the torque on them is less, and nothing is seen
# of the critical current: the width goes through a minimum of 0.11 GHz.

# %%
reach = critical["antiparallel"]["formula"]
shown = np.linspace(0.9, -1.5, 3 if QUICK else 7) * reach
resonance = {}
for temperature in (4.2, 300.0):
    cold = dataclasses.replace(
        bit, temperature=temperature, terms=fs.Uniaxial(BARRIER * bit.thermal_energy / bit.volume)
    )
    resonance[temperature] = resonances(comm, lambda j, s=cold: driven(j, s), shown, state=DOWN)
line = resonance[4.2]
far = shown > 0.65 * reach
from_width = {
    "linear": float(np.polyval(np.polyfit(line.width, shown, 1), 0.0)),
    **{
        f"{temperature:g} K": float(np.polyval(np.polyfit(x.thermal_width[far], shown[far], 1), 0.0))
        for temperature, x in resonance.items()
    },
}
if comm.rank == 0:
    print("frequency and width (GHz) of the linearized motion, and of the mode at 4.2 K and 300 K")
    for k, j in enumerate(shown):
        pairs = [(line.frequency, line.width), *((x.thermal_frequency, x.thermal_width) for x in resonance.values())]
        print(f"{j / reach:>8.2f} J_c" + "".join(f"{f[k] / 1e9:>12.4f}{w[k] / 1e9:>10.5f}" for f, w in pairs))
    for name, j in from_width.items():
        print(f"no width is left at {j / reach:.4f} J_c by the {name} width")

# %% [markdown]
# ## Telegraph noise
# A barrier of 5 kT instead of 22, as in bits that are meant to be random, and a field of 0.2 $B_K$ across the axis:
# without it the resistance does not depend on where on its cone the magnet is, and precession would not be heard.
# Field and current along the axis are such that both states have their share. Two values of the resistance, $\Delta R$
# apart, visited with shares $p_1$ and $p_2$, have Machlup's spectrum
#
# $$ S(f) = \frac{4\,\Delta R^2\,p_1 p_2\,\tau}{1 + (2\pi f\tau)^2}, \qquad 1/\tau = 1/\tau_1 + 1/\tau_2. $$
#
# At so low a barrier it is right to a fifth at low frequencies. Above, the motion within the states takes over.

# %%
LOW, ACROSS = (4.0, 0.0) if QUICK else (5.0, 0.2)
low = layer(LOW)
scale = 2 * LOW * low.thermal_energy / low.moment
field = (ACROSS * scale, 0.0, -0.1 * scale)
low = torque_map.pumped(low, current_density=1.0).with_field(field)
point = 0.45 * reach * LOW / BARRIER
torque = torque_map.torque(low, current_density=point)
# Trajectories are the check; a second solve on the sphere would double the time. Wells are wide, cells may be large.
solver = fs.FokkerPlanck(comm, low, torque, verify=False, sphere=lambda: fs.Sigma(comm, 0.32, refine=low))
known = solver.escape()
upper = int(np.argmax(known.states[:, 2]))
lasting = known.dwell_times[[upper, 1 - upper]]
relaxation, shares = 1 / (1 / lasting).sum(), lasting / lasting.sum()
stationary = solver.steady()
means = [
    stationary.expect(lambda u, s=s: torque_map.resistance_at(u) * (s * u[:, 2] > 0))
    / stationary.expect(lambda u, s=s: 1.0 * (s * u[:, 2] > 0))
    for s in (1, -1)
]
jump = means[1] - means[0]
precession = low.gyromagnetic_ratio * scale / (2 * np.pi)
band = np.union1d(np.geomspace(1e5, 1e11, 61), np.linspace(0.1, 2.5, 25 if QUICK else 97) * precession)
noise = solver.noise(torque_map.resistance_at, band)
without = fs.FokkerPlanck(comm, low.with_field((0.0, 0.0, field[2])), torque).noise(torque_map.resistance_at, band)
machlup = 4 * jump**2 * shares[0] * shares[1] * relaxation / (1 + (2 * np.pi * band * relaxation) ** 2)
plateau = float(noise.density[0] / machlup[0])

# %% [markdown]
# Trajectories show what the equation averages over. Their steps turn the magnet by up to a quarter of a radian. All of
# them are in one block, so that one rank sees each of them. A reversal is counted when the magnet comes deep into
# the other well: at so low a damping it often crosses the equator several times before it settles.

# %%
SAMPLE, PACE = 1e-9, 6.5e-11  # of the trace, and longest step (s)
length = 0.2e-6 if QUICK else 1.5e-6
record: list[Array] = []


def watch(u: Array) -> Array:
    """Keep every trajectory's direction; the average is not wanted."""
    record.append(u.copy())
    return u[:, 2]


when = np.arange(1, round(length / SAMPLE) + 1) * SAMPLE
fs.langevin(comm, low, when, ensemble=96, start=DOWN, torque=torque, step=PACE, observables={"z": watch}, seed=4)
directions = comm.bcast(np.array(record) if comm.rank == 0 else None)


deep = directions @ known.states[[upper, 1 - upper]].T > 0.95
where = np.where(deep[..., 0], 1, np.where(deep[..., 1], -1, 0))
where[0] = np.where(where[0] == 0, -1, where[0])  # they start in the lower hemisphere
for k in range(1, len(where)):
    where[k] = np.where(where[k] == 0, where[k - 1], where[k])
left = [int(np.count_nonzero((where[:-1] == s) & (where[1:] == -s))) for s in (1, -1)]
spent = [np.count_nonzero(where == s) * SAMPLE for s in (1, -1)]
counted = [t / max(n, 1) for t, n in zip(spent, left, strict=True)]
deviation = [(c / t - 1) * math.sqrt(max(n, 1)) for c, t, n in zip(counted, lasting, left, strict=True)]

# %%
sampled = fs.power_spectrum(
    comm,
    low,
    torque_map.resistance_at,
    resolution=1e7 if QUICK else 2.5e6,
    highest=8e8,
    segments=1,
    ensemble=64 if QUICK else 192,
    torque=torque,
    settle=0.1e-6 if QUICK else 0.6e-6,
    step=PACE,
)
bins = slice(2, None)  # below, Welch's window holds a part of the mean
interpolated = np.exp(np.interp(np.log(sampled.frequencies[bins]), np.log(band), np.log(noise.density)))
apart = (sampled.density[bins] - interpolated) / sampled.error[bins]
if comm.rank == 0:
    print(f"{LOW:g} kT, {point / 1e9:.3f}e9 A/m2, {field[0] * 1e3:.2f} mT across and {field[2] * 1e3:.2f} mT along")
    for name, t, c, n, z, r in zip(NAMES, lasting, counted, left, deviation, means, strict=True):
        print(
            f"{name:>14}: dwell time {t * 1e6:.4f} us, counted {c * 1e6:.4f} us ({n} reversals, {z:+.2f} errors), "
            f"mean A R {r * 1e15:.4f} fohm m2"
        )
    print(f"noise at 1e5 Hz over Machlup's {plateau:.4f}; mean square deviation {np.mean(apart**2):.2f} errors^2")
    top = band[band > 0.5 * precession][np.argmax(noise.density[band > 0.5 * precession])]
    print(f"peak at {top / 1e6:.0f} MHz; gamma B_K/2 pi is {precession / 1e6:.0f} MHz")

# %% [markdown]
# ## Pictures

# %%
if comm.rank == 0:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.axes import Axes
    from matplotlib.colors import ListedColormap

    BLUE, RED, GREEN = "#1f4e79", "#c0392b", "#2e7d32"
    OF_STATE, REGIONS = (BLUE, RED), ("#b7cfe6", "#e8b9ad", "#f2c14e", "#c3cad1")
    TEXT = ("parallel", "antiparallel", "telegraph\nnoise", "both, by\nhistory")
    LOOP = {LOOPS[0]: RED, LOOPS[1]: "0.35", LOOPS[2]: BLUE}

    def plain(ax: Axes, title: str, xlabel: str, ylabel: str) -> None:
        ax.set_title(title, fontsize=12)
        ax.set_xlabel(xlabel, fontsize=11)
        ax.set_ylabel(ylabel, fontsize=11)
        ax.spines[["top", "right"]].set_visible(False)

    figure, axes = plt.subplots(2, 2, figsize=(12, 9.2), layout="constrained")
    ax = axes[0, 0]
    b, j = np.linspace(fields[0], fields[-1], 321), np.linspace(drives[0], drives[-1], 321)
    drawn = regions(*(x.ravel() for x in np.meshgrid(b, j))).reshape(len(j), len(b))
    ax.pcolormesh(b * 1e3, j / 1e10, drawn, cmap=ListedColormap(REGIONS), vmin=-0.5, vmax=3.5, rasterized=True)
    for pairs, colour, name, sign in zip(lines, OF_STATE, NAMES, (1, -1), strict=True):
        ax.plot(b * 1e3, stability_line(sign, b) / 1e10, color=colour, lw=1.6)
        ax.plot(pairs[:, 0] * 1e3, pairs[:, 1] / 1e10, "o", color=colour, mfc="white", ms=6, clip_on=False,
                label=f"{name} unstable at 0 K")  # fmt: skip
    x, y = (v.ravel() for v in np.meshgrid(fields, drives))
    ax.scatter(x * 1e3, y / 1e10, s=7, color="0.45", lw=0)
    ax.set_ylim(drives[0] / 1e10, drives[-1] / 1e10)
    ax.set_xlim(fields[0] * 1e3, fields[-1] * 1e3)
    plain(ax, f"What is seen within {OBSERVATION:g} s", "field (mT)", r"current density ($10^{10}$ A/m$^2$)")
    for k, (at, turned) in enumerate((((0.74, 0.42), 0), ((0.22, 0.6), 0), ((0.155, 0.4), 0), ((0.86, 0.88), 0))):
        ax.text(*at, TEXT[k], transform=ax.transAxes, ha="center", va="center", rotation=turned, fontsize=11)
    tip = {"arrowstyle": "-", "color": "0.2", "lw": 0.9, "shrinkB": 0}
    ax.annotate("", (-23, -2.35), (-29, -1.2), arrowprops=tip)
    ax.legend(loc="lower right", frameon=False, fontsize=9.5)

    ax = axes[0, 1]
    for (field, times), style in zip(curves.items(), ("-", "--"), strict=False):
        for k, name in enumerate(NAMES):
            label = f"{name}, {field * 1e3:.1f} mT" if field else f"{name}, no field"
            ax.semilogy(near / 1e10, times[:, k], style, color=OF_STATE[k], lw=2.2, marker="o", ms=4, label=label)
    ax.axhline(OBSERVATION, color="0.6", lw=0.9)
    ax.text(1.6, OBSERVATION * 1.6, f"{OBSERVATION:g} s", color="0.4", ha="right", fontsize=10)
    ax.grid(color="0.92")
    plain(ax, "How long the states last", r"current density ($10^{10}$ A/m$^2$)", "mean dwell time (s)")
    ax.legend(frameon=False, fontsize=9.5)

    ax = axes[1, 0]
    for current, values in loops.items():
        label = f"{current / 1e10:g}" + r"$\cdot 10^{10}$ A/m$^2$" if current else "no current"
        ax.plot(swept * 1e3, values * 1e15, color=LOOP[current], lw=2.2, label=label)
        ax.axvline(equal[current] * 1e3, color=LOOP[current], lw=1, ls=":")
    ax.grid(color="0.92")
    plain(ax, f"Hysteresis at {RATE:g} T/s; dotted: equal dwell times", "field (mT)", r"mean $AR$ (f$\Omega$ m$^2$)")
    ax.legend(frameon=False, fontsize=9.5, loc="lower left")

    ax = axes[1, 1]
    ax.plot(shown / 1e10, line.width / 1e9, color="0.35", lw=1.4, label="linearized motion")
    for (temperature, x), colour in zip(resonance.items(), (BLUE, RED), strict=True):
        ax.plot(shown / 1e10, x.thermal_width / 1e9, "o-", color=colour, ms=5, lw=1, mfc="white",
                label=f"Fokker-Planck equation, {temperature:g} K")  # fmt: skip
    ax.axvline(reach / 1e10, color=RED, lw=1, ls=":")
    ax.text(reach / 1e10, 0.19, " $J_c$", color=RED, fontsize=11, va="top")
    ax.set_ylim(0, 0.2)
    ax.grid(color="0.92")
    title = f"Resonance of the antiparallel state, {line.frequency.mean() / 1e9:.2f} GHz"
    plain(ax, title, r"current density ($10^{10}$ A/m$^2$)", "full width at half maximum (GHz)")
    ax.legend(frameon=False, fontsize=9.5, loc="lower right")
    figure.savefig(output / "phase_diagram.png", dpi=130)
    plt.close(figure)

    figure, (above, below) = plt.subplots(2, 1, figsize=(9, 8), height_ratios=(1, 1.9), layout="constrained")
    # A trajectory with many reversals, of the typical share of both states.
    jumps = np.count_nonzero(np.diff(where, axis=0), axis=0)
    typical = int(np.argmin(np.abs(jumps - np.mean(jumps)) + 5 * np.abs((where == 1).mean(axis=0) - shares[0])))
    values = torque_map.resistance_at(directions[:, typical]) * 1e15
    above.plot(when * 1e6, values, color="0.6", lw=0.7)
    above.plot(when * 1e6, np.where(where[:, typical] == 1, *(x * 1e15 for x in means)), color=BLUE, lw=2)
    above.set_xlim(0, when[-1] * 1e6)
    plain(above, f"One trajectory, {LOW:g} kT", r"time ($\mu$s)", r"$AR$ (f$\Omega$ m$^2$)")
    square = 1e30  # fohm2 m4
    below.loglog(band, noise.density * square, color=BLUE, lw=2.4, label="Fokker-Planck equation")
    if ACROSS:
        below.loglog(band, without.density * square, color=GREEN, lw=1.5, label="without field across the axis")
    below.loglog(band, machlup * square, "--", color=RED, lw=1.6, label="Machlup, from the dwell times")
    each = np.unique(np.geomspace(2, len(sampled.frequencies) - 1, 45).astype(int))
    below.errorbar(sampled.frequencies[each], sampled.density[each] * square, sampled.error[each] * square, fmt="o",
                   ms=5, mfc="white", color="k", label="trajectories", zorder=3)  # fmt: skip
    below.set_ylim(1e-6 * noise.density[0] * square, 4 * noise.density[0] * square)
    below.set_xlim(band[0], 1e10)
    below.grid(color="0.92")
    plain(below, "Noise of the resistance", "frequency (Hz)", r"power spectral density (f$\Omega^2$ m$^4$/Hz)")
    below.legend(frameon=False, fontsize=10)
    figure.savefig(output / "telegraph.png", dpi=130)
    plt.close(figure)

# %% [markdown]
# ## Checks

# %%
# Critical currents: the map's, the formula's, the equation of motion's; pumping raises them.
for name in NAMES:
    values = critical[name]
    assert abs(values["map, with pumping"] / values["formula"] - 1) < 1e-4
    assert abs(values["motion"] / values["formula"] - 1) < 1e-4
    assert 1.1 < values["map, with pumping"] / values["map, intrinsic damping"] < 1.4
assert all(QUICK or len(pairs) > 1 for pairs in lines) and mismatch < 1e-5
# The picture shows what was computed at the points; telegraph noise lies on one diagonal only.
assert agree.all()
centre = len(fields) // 2
assert grid[centre, centre] == 3 and all(grid[centre - k, centre - k] == 2 for k in range(1, centre))
assert all(grid[centre + k, centre + k] == 3 for k in range(1, centre + 1))
# Dwell times follow the effective energy. A field restores the balance, not the time.
assert np.abs(slopes / expected - 1).max() < 0.1 and slopes[0] < 0 < slopes[1] < -2.5 * slopes[0]
assert equal[LOOPS[0]] < 0 < equal[LOOPS[2]]
assert 25 * both[LOOPS[0]] < 5 * both[LOOPS[1]] < both[LOOPS[2]]
# Loops move as the field of equal dwell times does.
assert all(len(x) == 2 for x in switching.values())
assert all(abs(shifts[j] / equal[j] - 1) < 0.15 for j in shifts if j)
# The width vanishes at the critical current, in the cold.
assert abs(from_width["linear"] / reach - 1) < 1e-3 and abs(from_width["4.2 K"] / reach - 1) < 0.02
assert resonance[300.0].thermal_width.min() > 10 * line.width.min()
# Telegraph noise.
assert 0.7 < plateau < 1.1
assert QUICK or max(abs(z) for z in deviation) < 5
assert QUICK or np.mean(apart**2) < 1.6
if ACROSS:
    peaks = [x.density[(band > 0.7 * precession) & (band < 1.3 * precession)].max() for x in (noise, without)]
    assert peaks[0] > 10 * peaks[1]
