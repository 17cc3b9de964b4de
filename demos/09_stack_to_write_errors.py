# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # From a stack of layers to write errors
#
# A bit is written by a current through a pillar: a fixed magnet polarizes it, and its torque turns the free magnet
# over. The question is how often that fails. Usually a torque is assumed, with one efficiency for all angles. Here it
# is computed from the layers: spins diffuse, flip, are filtered and absorbed (demo 08), which gives torque and
# resistance at every angle,
#
# $$ \frac{\tau}{J} = d(\cos\theta)\; u\times(p\times u) + f(\cos\theta)\; u\times p, $$
#
# and the Fokker-Planck equation of the free layer's direction (demo 04) takes it as it is. So does the reverse effect:
# a moving magnet pumps spins into the metals, which damps it (demo 11). So a change of one material or thickness shows
# in the write-error rate.
#
# Run it with `python demos/09_stack_to_write_errors.py`, or with `mpirun -n 2` before it. The reference device is also
# a case: `fespin run demos/write_errors.toml`.

# %%
import dataclasses
import itertools
import math
import os
from pathlib import Path

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

import fespin as fs
from fespin.constants import ELEMENTARY_CHARGE, HBAR
from fespin.coupling import TorqueMap, torque_map
from fespin.macrospin import AngularDamping
from fespin.plotting import plot_device

type Array = NDArray[np.float64]

comm = MPI.COMM_WORLD
QUICK = bool(os.environ.get("FESPIN_QUICK"))
output = Path(os.environ.get("FESPIN_OUTPUT", "demo-output")) / "09_stack_to_write_errors"
if comm.rank == 0:
    output.mkdir(parents=True, exist_ok=True)
comm.barrier()

# %% [markdown]
# ## The devices
# Resistivities, asymmetries, spin diffusion lengths and interface resistances are the library's, measured at 4.2 K
# (`fespin materials` names the sources). **Assumed** are the mixing conductances, of the size that calculations find,
# and what makes the free layer a bit at 300 K: its magnetization, a damping of 0.02 and a perpendicular anisotropy that
# gives a barrier of 60 kT, whatever it is made of.
#
# A pillar with straight walls is one-dimensional. Between wide leads it is not: the current crowds, and spins escape
# sideways into copper.

# %%
MIXING = {"Co": 5.5e14 + 0.3e14j, "Py": 3.9e14 + 0.1e14j}  # S/m2
MAGNETIZATION = {"Co": 1.4e6, "Py": 8.0e5}  # A/m
DAMPING, STABILITY, TEMPERATURE = 0.02, 60.0, 300.0
DIAMETER, THICKNESS = 40e-9, 2e-9
TOLERANCE = 0.03 if QUICK else 1e-4  # of the torque maps
UP, DOWN = (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)
CONTACTS = {"bottom": fs.Contact("lead"), "top": fs.Contact("lead")}
copper, cobalt = fs.material("Cu"), fs.material("Co")
library = fs.interfaces()


def layers(free: str = "Co", spacer: float = 6e-9) -> fs.Stack:
    """A fixed Co layer, a spacer and the free layer, between copper."""
    faces = {(m, "Cu"): dataclasses.replace(library[m, "Cu"], mixing_conductance=MIXING[m]) for m in {"Co", free}}
    return fs.Stack(
        fs.Layer(copper, 10e-9),
        fs.Layer(cobalt, 12e-9, "fixed", magnetization=UP),
        fs.Layer(copper, spacer, "spacer"),
        fs.Layer(fs.material(free), THICKNESS, "free", magnetization=UP),
        fs.Layer(copper, 10e-9),
        interfaces=faces,
        library={},
    )


def between_wide_leads(stack: fs.Stack) -> fs.Domain:
    """The pillar in three dimensions."""
    return fs.pillar(
        comm, stack, diameter=DIAMETER, lead_width=120e-9, lead_thickness=20e-9, mesh_size=20e-9 if QUICK else 10e-9
    )


@dataclasses.dataclass(frozen=True)
class Device:
    """A device, what it does to its free layer, and the free layer as one direction."""

    problem: fs.TransportProblem
    map: TorqueMap
    bare: fs.Macrospin
    """The bit without pumped damping."""

    @property
    def bit(self) -> fs.Macrospin:
        """With the damping that pumping adds while a current is held."""
        return self.map.pumped(self.bare, current_density=0.0)

    def critical(self, well: tuple[float, float, float] = DOWN) -> float:
        """Current density (A/m2) at which a state loses its stability."""
        return self.map.critical_current_density(self.bit, well) or math.nan

    def solver(self, current_density: float) -> fs.FokkerPlanck:
        """The statistics of the direction at a current."""
        return fs.FokkerPlanck(comm, self.bit, self.map.torque(self.bit, current_density=current_density))

    def write_errors(self, current_density: float, times: Array) -> Array:
        """The share of antiparallel bits that a pulse does not switch."""
        return self.solver(current_density).switching(times, start=DOWN).not_switched


def device(domain: fs.Domain, degree: int = 2) -> Device:
    """Compute a device's torque map."""
    stack = domain.stack
    problem = fs.TransportProblem(domain, fs.Vector(), contacts=CONTACTS, degree=degree)
    torques = torque_map(problem, "free", tolerance=TOLERANCE, pumping=True)
    bit = fs.Macrospin(
        volume=math.pi / 4 * DIAMETER**2 * THICKNESS,
        saturation_magnetization=MAGNETIZATION[stack["free"].material.name],
        damping=DAMPING,
        temperature=TEMPERATURE,
        terms=fs.Uniaxial(stability=STABILITY),
    )
    return Device(problem, torques, bit)


WIDE, STRAIGHT, SPACER, FREE = "wide leads", "straight walls (1D)", "1D, spacer 30 nm", "1D, free layer Py"
devices = {
    WIDE: device(between_wide_leads(layers()), degree=1),
    STRAIGHT: device(fs.line(comm, layers())),
    SPACER: device(fs.line(comm, layers(spacer=30e-9))),
    FREE: device(fs.line(comm, layers(free="Py"))),
}

# %% [markdown]
# ## Torque, resistance, critical current
# A small cone about the antiparallel state grows if the torque exceeds damping. For a barrier $\Delta$ of energy
# $K = \Delta kT/v$ this happens at
#
# $$ J_c = -\frac{2\alpha_t K t}{(1 + \epsilon)\,d(-1) - \alpha_t f(-1)}, $$
#
# where $\alpha_t$ is the intrinsic damping and the pumped one, and $\epsilon$ the small reactive part of pumping. The
# magnetization appears only in what is pumped, which is shared by all of the layer's moment. The minus: electrons must
# flow from the fixed to the free magnet, the current downwards.
# The efficiency $d/(\hbar/2e)$ is what a macrospin code would be given. With cobalt it is two to four times as large
# at the antiparallel as at the parallel state, with permalloy, a valve of unequal magnets, twenty times:
# writing parallel and writing antiparallel need different currents.

# %%
unit = HBAR / (2 * ELEMENTARY_CHARGE)
if comm.rank == 0:
    print(f"barrier {STABILITY:g} kT, damping {DAMPING}, {DIAMETER * 1e9:g} nm pillar")
    print(
        f"{'':>19}{'A R parallel':>14}{'antiparallel':>14}{'efficiency, P':>15}{'AP':>8}{'J_c of AP':>14}{'of P':>12}"
    )
    for name, x in devices.items():
        r = [float(x.map.resistance_area(c)) * 1e15 for c in (1, -1)]
        d = [float(x.map.damping_like(c)) / unit for c in (1, -1)]
        print(
            f"{name:>19}{r[0]:>14.4f}{r[1]:>14.4f}{d[0]:>15.4f}{d[1]:>8.4f}{x.critical() / 1e10:>11.3f}e10"
            f"{x.critical(UP) / 1e10:>9.2f}e10"
        )
    print("A R in fohm m2, J_c in A/m2")

# %% [markdown]
# The equation of motion without noise agrees: cones about the antiparallel state shrink below the critical current
# and grow above, with rates that vanish there. Current of the opposite sign makes them shrink faster than damping
# alone.

# %%
reference = devices[WIDE]
anisotropy_field = 2 * STABILITY * reference.bit.thermal_energy / reference.bit.moment
rate = DAMPING * reference.bit.gyromagnetic_ratio * anisotropy_field / (1 + DAMPING**2)  # without pumping


def growth(ratio: float) -> float:
    """Growth of a cone about the antiparallel state, over the damping rate, at a current over its critical value."""
    times = np.linspace(0, 2 / rate, 20)
    torque = reference.map.torque(reference.bit, current_density=ratio * reference.critical())
    run = fs.llg(reference.bit, (1e-3, 0, -1), times, torque=torque)
    return math.log(float(np.hypot(*run.directions[-1][:2])) / 1e-3) / 2


below, above = growth(0.9), growth(1.1)
crossing = 0.9 + 0.2 * below / (below - above)
opposite = growth(-1.0)
if comm.rank == 0:
    print(
        f"cones grow at {below:.4f} (0.9 J_c) and {above:.4f} (1.1 J_c) of the intrinsic damping rate: zero at "
        f"{crossing:.5f} J_c"
    )
    print(f"at the opposite current -J_c: {opposite:.4f}; without current: {growth(0.0):.4f}")

# %% [markdown]
# ## Retention, with and without a current
# The mean time that a bit stays antiparallel. A read current of half the critical one in the wrong direction takes most
# of the barrier away; in the other it stabilises the bit.


# %%
def dwell(x: Device, current_density: float) -> float:
    """Mean time in the antiparallel state (s)."""
    escape = x.solver(current_density).escape()
    return float(escape.dwell_times[int(np.argmin(escape.states[:, 2]))])


YEAR = 365.25 * 86400
dwell_times = {share: dwell(reference, share * reference.critical()) for share in (0.5, 0.25, 0.0, -0.25, -0.5)}
if comm.rank == 0:
    for share, time in dwell_times.items():
        print(f"at {share:5.2f} J_c the antiparallel state holds {time:10.3e} s = {time / YEAR:10.3e} years")

# %% [markdown]
# ## Write errors against the length of the pulse
# The reference device at several currents, and all devices at one current density. Straight walls for wide leads, in
# other words one dimension for three, is a factor of 100 after 5 ns, although the critical currents are nearly equal:
# wide leads take up more of the pumped spins, which adds damping, and give more torque in between. A thicker spacer,
# in which more spins flip and scatter, is a factor of three; permalloy for cobalt one of 110 in the other direction:
# its critical current is larger, but it has less angular momentum to turn.

# %%
CURRENTS = (-1.5e11, -2.0e11, -3.0e11)
times = np.linspace(0.0, 10e-9, 21 if QUICK else 101)[1:]
curves = {j: reference.write_errors(j, times) for j in CURRENTS}
changed = {name: x.write_errors(CURRENTS[1], times) for name, x in devices.items()}


def needed(rates: Array, target: float = 1e-6) -> float:
    """The pulse (s) that reaches a write-error rate; nan if none does."""
    if rates[-1] > target:
        return math.nan
    return float(np.interp(-math.log(target), -np.log(rates), times))


if comm.rank == 0:
    print(f"{'write-error rate after':>40}{'2 ns':>12}{'5 ns':>12}{'10 ns':>12}{'pulse for 1e-6':>17}")
    at = np.searchsorted(times, np.array([2e-9, 5e-9, 10e-9]) - 1e-15)
    rows = {f"{WIDE}, {j / 1e10:g}e10 A/m2": w for j, w in curves.items()}
    rows |= {f"{n}, {CURRENTS[1] / 1e10:g}e10 A/m2": w for n, w in changed.items() if n != WIDE}
    for name, w in rows.items():
        print(f"{name:>40}" + "".join(f"{w[k]:>12.3e}" for k in at) + f"{needed(w) * 1e9:>14.2f} ns")

# %% [markdown]
# ## Trajectories
# An ensemble with thermal noise under the same torque, as far as it reaches.

# %%
when = np.array([1.5, 2.0, 2.5]) * 1e-9
ensemble = fs.langevin(
    comm,
    reference.bit,
    when,
    ensemble=2048 if QUICK else 16384,
    start=DOWN,
    torque=reference.map.torque(reference.bit, current_density=CURRENTS[1]),
)
expected = reference.write_errors(CURRENTS[1], when)
deviation = (ensemble.not_switched - expected) / ensemble.not_switched_error
if comm.rank == 0:
    print(f"{ensemble.ensemble} trajectories at {CURRENTS[1] / 1e10:g}e10 A/m2")
    for t, a, b, e, z in zip(
        when, expected, ensemble.not_switched, ensemble.not_switched_error, deviation, strict=True
    ):
        print(f"{t * 1e9:.1f} ns: Fokker-Planck {a:.5f}, trajectories {b:.5f} +- {e:.5f} ({z:+.2f} errors)")

# %% [markdown]
# ## What spin pumping costs
# The same spins that exert the torque carry angular momentum away when the magnet moves: its interfaces damp it. The
# pumped damping is a tensor that depends on the direction, because spins pumped along the fixed magnet meet another
# resistance than spins across it. All that is above contains it. Without it the critical current would be lower, and
# with it the write-error rate: a torque without its reverse effect flatters the device. A scalar damping, the sum of
# the intrinsic one and the pumped one at the antiparallel state, comes close here.

# %%
added = reference.bit.pumping
assert isinstance(added, AngularDamping)
extra = float(added.normal(-1.0))
unpumped = reference.bare
scalar = dataclasses.replace(reference.bare, damping=DAMPING + extra)
variants = {"with pumping": reference.bit, "without": unpumped, "its value at the pole": scalar}
rates = {}
for name, spin in variants.items():
    torque = reference.map.torque(spin, current_density=CURRENTS[1])
    rates[name] = fs.FokkerPlanck(comm, spin, torque).switching(times, start=DOWN).not_switched
if comm.rank == 0:
    for name, c in {"parallel": 1.0, "perpendicular": 0.0, "antiparallel": -1.0}.items():
        inside, across = float(added.in_plane(np.array(c))), float(added.normal(c))
        print(f"pumped damping, {name}: {inside:.5f} in the plane of both magnets, {across:.5f} across")
    for name, spin in variants.items():
        critical = (reference.map.critical_current_density(spin, DOWN) or math.nan) / 1e10
        five = float(np.interp(5e-9, times, rates[name]))
        print(f"{name:>22}: J_c {critical:.3f}e10 A/m2, write-error rate after 5 ns {five:.3e}")

# %% [markdown]
# ## Pictures

# %%
reference.problem.magnetize({"free": DOWN})
solution = reference.problem.solve(current_density=CURRENTS[1])
plot_device(solution, output / "accumulation.png")
reference.problem.magnetize({"free": UP})

if comm.rank == 0:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.axes import Axes
    from PIL import Image

    COLOURS = dict(zip(devices, ("#1f4e79", "#6a3d9a", "#2e7d32", "#d28f33"), strict=True))
    SHADES = dict(zip(CURRENTS, ("#7fa8cf", "#1f4e79", "#0b2138"), strict=True))
    angle = np.linspace(0, 180, 181)
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))

    def draw_torque(ax: Axes) -> None:
        for name, x in devices.items():
            ax.plot(angle, x.map.damping_like(cosine) * sine / unit, color=COLOURS[name], lw=2.2, label=name)
        ax.axhline(0, color="0.6", lw=0.7)
        ax.set_ylabel(r"torque, $\tau/(\hbar J/2e)$")
        ax.set_xticks(range(0, 181, 30))
        ax.margins(x=0)

    def draw_write_errors(ax: Axes, lines: dict[str, tuple[Array, str, str]]) -> None:
        for name, (w, colour, style) in lines.items():
            ax.semilogy([0, *times * 1e9], [1, *w], style, color=colour, lw=2.2, label=name)
        ax.set_ylim(1e-12, 2)
        ax.set_xlim(0, 10)
        ax.set_xlabel("length of the pulse (ns)")
        ax.set_ylabel("write-error rate")
        ax.grid(color="0.92")

    by_current: dict[str, tuple[Array, str, str]] = {
        f"{j / 1e11:g}" + r"$\cdot 10^{11}$ A/m$^2$": (w, SHADES[j], "-") for j, w in curves.items()
    }
    by_device = {n: (w, COLOURS[n], "-") for n, w in changed.items()}

    figure, axes = plt.subplots(2, 2, figsize=(11, 8), layout="constrained")
    draw_torque(axes[0, 0])
    axes[0, 0].legend(frameon=False, fontsize=10)
    axes[0, 0].set_title("damping-like torque", fontsize=11)
    for name, x in devices.items():
        axes[1, 0].plot(angle, x.map.resistance_area(cosine) * 1e15, color=COLOURS[name], lw=2.2)
    axes[1, 0].set_ylabel(r"$AR$ (f$\Omega$ m$^2$)")
    axes[1, 0].set_xlabel("angle between free and fixed layer (degrees)")
    axes[1, 0].set_xticks(range(0, 181, 30))
    axes[1, 0].margins(x=0)
    draw_write_errors(
        axes[0, 1], by_current | {"without pumped damping": (rates["without"], SHADES[CURRENTS[1]], "--")}
    )
    axes[0, 1].errorbar(when * 1e9, ensemble.not_switched, ensemble.not_switched_error, fmt="o", ms=6, mfc="white",
                        color=SHADES[CURRENTS[1]], label="trajectories")  # fmt: skip
    axes[0, 1].set_title("wide leads: currents", fontsize=11)
    axes[0, 1].legend(frameon=False, fontsize=10)
    draw_write_errors(axes[1, 1], by_device)
    axes[1, 1].set_title(rf"devices, {CURRENTS[1] / 1e11:g}$\cdot 10^{{11}}$ A/m$^2$", fontsize=11)
    axes[1, 1].legend(frameon=False, fontsize=10)
    figure.savefig(output / "devices.png", dpi=150)
    plt.close(figure)

    # One picture of all, for the front page.
    figure = plt.figure(figsize=(13, 4.9), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.15, 1, 1))
    with Image.open(output / "accumulation.png") as image:
        cut = np.asarray(image.convert("RGB"))[: round(0.8 * image.height)]  # without the colour bar
    inked = (cut < 250).any(axis=2)
    inked[:, : cut.shape[1] // 10] = False
    lines_, columns = (np.flatnonzero(inked.any(axis=k)) for k in (1, 0))
    left.imshow(cut[lines_[0] : lines_[-1], columns[0] : columns[-1]])
    left.axis("off")
    left.set_title("Co(12)/Cu(6)/Co(2), 40 nm, antiparallel", fontsize=12)
    left.text(0.5, -0.03, "colour of the cut: spin accumulation", ha="center", va="top", transform=left.transAxes)
    draw_torque(middle)
    middle.set_xlabel("angle between free and fixed layer (degrees)")
    middle.set_title("Torque on the free layer", fontsize=12)
    draw_write_errors(right, by_device)
    right.errorbar(when * 1e9, ensemble.not_switched, ensemble.not_switched_error, fmt="o", ms=6, mfc="white",
                   color=COLOURS[WIDE], label="trajectories")  # fmt: skip
    right.set_title(rf"Write errors at {abs(CURRENTS[1]) / 1e11:g}$\cdot 10^{{11}}$ A/m$^2$", fontsize=12)
    right.legend(frameon=False, fontsize=10, loc="lower left")
    figure.savefig(output / "flagship.png", dpi=100)
    plt.close(figure)

# %% [markdown]
# ## Checks

# %%
assert all(x.map.error < TOLERANCE and x.critical() < 0 for x in devices.values())
k = STABILITY * reference.bit.thermal_energy / reference.bit.volume
for x in devices.values():  # the formula above
    d, f = float(x.map.damping_like(-1)), float(x.map.field_like(-1))
    pumped = x.bit.pumping
    assert isinstance(pumped, AngularDamping)
    total, gain = DAMPING + float(pumped.normal(-1.0)), 1 + float(pumped.reactive(-1.0))
    assert abs(-2 * total * k * THICKNESS / (gain * d - total * f) / x.critical() - 1) < 1e-8
assert abs(crossing - 1) < 1e-3 and opposite < -2
assert list(dwell_times.values()) == sorted(dwell_times.values())
assert dwell_times[0.5] < 1e-6 * dwell_times[0.0] < 1e-12 * dwell_times[-0.5]
assert np.abs(deviation).max() < 4
# More current, fewer errors.
late = times > 0.9e-9  # before, all have hardly begun to switch
for less, more in itertools.pairwise(curves.values()):
    assert (less > more)[late].all()
assert changed[WIDE][-1] < changed[STRAIGHT][-1] < changed[SPACER][-1]
assert 0 < extra < DAMPING
assert np.allclose(rates["with pumping"], curves[CURRENTS[1]], rtol=1e-9, atol=0)
assert (rates["without"] < rates["with pumping"])[late].all()
