# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Spin-torque ferromagnetic resonance
#
# A microwave current in a film of platinum shakes the magnet on it, and with it the resistance, by the anisotropic
# resistance of the magnet. Current and resistance have one frequency, so that their product has a constant part: the
# voltage from which efficiencies are measured (Liu, Moriyama, Ralph, Buhrman, Phys. Rev. Lett. 106, 036601, 2011).
# Against the field $B$ along the magnet it is
#
# $$ V = S\,\frac{\Delta^2}{(B - B_0)^2 + \Delta^2} + A\,\frac{\Delta\,(B - B_0)}{(B - B_0)^2 + \Delta^2} , \qquad
#    B_0(B_0 + \mu_0M_\text{eff}) = (\omega/\gamma)^2, \quad \Delta = \alpha\omega/\gamma , $$
#
# with $S$ from the torque in the plane of the film, the damping-like one, and $A$ from the one across it, of the
# field-like torque and the Oersted field. Here the torque and the resistance against the direction come from the
# layers. The voltage follows in two ways, from the linear response and from the equation of motion in time, and its
# analysis has to give back the efficiency that was put in.
#
# Run it with `python demos/17_spin_torque_resonance.py`, or with `mpirun -n 2` before it.

# %%
import os
from pathlib import Path

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.optimize import least_squares

import fespin as fs
from fespin.constants import ELEMENTARY_CHARGE, HBAR, VACUUM_PERMEABILITY

type Array = NDArray[np.float64]

comm = MPI.COMM_WORLD
QUICK = bool(os.environ.get("FESPIN_QUICK"))
output = Path(os.environ.get("FESPIN_OUTPUT", "demo-output")) / "17_spin_torque_resonance"
if comm.rank == 0:
    output.mkdir(parents=True, exist_ok=True)
comm.barrier()

# %% [markdown]
# ## The film
# Platinum is the library's at room temperature. **Assumed** are the magnet, with an anisotropic resistance of one
# percent and an easy plane, its damping, which includes what is pumped, and the mixing conductance, whose imaginary
# part makes a field-like torque.

# %%
D, T, MS, DAMPING, FREQUENCY = 6e-9, 4e-9, 8e5, 0.015, 8e9
platinum = fs.material("Pt", 300)
magnet = fs.Material("Py", 4e-7, 5e-9, 0.4, anisotropic_magnetoresistance=0.01)
face = fs.Interface.from_conductances(6e14, 3e14, 4e14 + 0.1e14j)
stack = fs.Stack(
    fs.Layer(platinum, D, "film"), fs.Layer(magnet, T, "magnet", (1, 0, 0)), interfaces={("Pt", "Py"): face}, library={}
)
problem = fs.TransportProblem(
    fs.line(comm, stack, mesh_size=0.5e-9), fs.Vector(), contacts={"bottom": "blocked", "top": "blocked"}
)
found = fs.film_map(problem, "magnet", (1.0, 0.0), tolerance=1e-4)
MEFF = 0.9 * VACUUM_PERMEABILITY * MS  # T
E0 = 2e3  # V/m, amplitude; small, so that the response is linear
oersted = VACUUM_PERMEABILITY * found.conductivity * E0 * D / 2  # of the current in the platinum below, along -y (T)
if comm.rank == 0:
    print(f"map: {found.map.solves} solves, error {found.map.error:.1e}")

# %% [markdown]
# ## Linear response
# The field is in the plane, at 45 degrees to the current, and so is the magnet at rest, $u_0$. About it $u = u_0 +
# a\,e_1 + b\,e_z$ with $e_1 = e_z\times u_0$, and $(a, b)$ obeys two linear equations, driven by the torque's
# velocity at $u_0$.

# %%
PHI = np.pi / 4
u0, ez = np.array([np.cos(PHI), np.sin(PHI), 0.0]), np.array([0, 0, 1.0])
OMEGA = 2 * np.pi * FREQUENCY


def spin_in(field: float) -> fs.Macrospin:
    """Return the magnet in a field (T) along u0."""
    plane = fs.Uniaxial(constant=-MEFF * MS / 2)
    return fs.Macrospin(T * (2e-7) ** 2, MS, DAMPING, 300.0, [plane], field=tuple(field * u0))


resistance = float(found.map.resistance_at(u0[None])[0])


def by_response(field: float) -> float:
    """Return the constant part of the voltage per length (V/m), by linear response; a negative field is against u0."""
    spin, rest = spin_in(field), np.sign(field) * u0
    across = np.array([np.cross(ez, rest), ez])
    gamma, step = spin.gyromagnetic_ratio / (1 + DAMPING**2), 1e-4
    one, two = abs(field), abs(field) + MEFF
    motion = gamma * np.array([[-DAMPING * one, -two], [one, -DAMPING * two]])
    h = np.array([0, -oersted, 0])
    velocity = found.at(E0).torque(spin).velocity(rest[None], spin)[0]
    velocity = velocity - gamma * (np.cross(rest, h) + DAMPING * np.cross(rest, np.cross(rest, h)))
    ahead, behind = (found.map.resistance_at(np.cos(step) * rest + np.sin(x) * across) for x in (step, -step))
    slope = (ahead - behind) / (2 * step)  # of the resistance with a and b
    answer = np.linalg.solve(1j * OMEGA * np.eye(2) - motion, across @ velocity)
    return float(E0 * (slope @ answer.real) / (2 * resistance))


def by_motion(field: float) -> float:
    """Return the same by the equation of motion in time: the mean of E(t) (R(u(t)) - R)/R after all has settled."""
    spin = spin_in(field)
    settled, periods, per_period = 90, 2, 12
    times = np.arange(1, (settled + periods) * per_period + 1) / (per_period * FREQUENCY)
    path = fs.llg(
        spin,
        tuple(u0),
        times,
        torque=found.at(E0).torque(spin),
        drive=lambda t: np.cos(OMEGA * t),
        field=lambda t: (0.0, -oersted * np.cos(OMEGA * t), 0.0),
        rtol=1e-8,
    )
    late = slice(-periods * per_period, None)
    r = found.map.resistance_at(path.directions[late])
    return float(E0 * np.mean(np.cos(OMEGA * times[late]) * (r - resistance)) / resistance)


ratio = OMEGA / spin_in(0.1).gyromagnetic_ratio
center = (np.sqrt(MEFF**2 + 4 * ratio**2) - MEFF) / 2
width = DAMPING * ratio
fields = center + width * np.linspace(-6, 6, 121)
voltage = np.array([by_response(b) for b in fields])
checked = center + width * (np.array([-1.0, 0.5]) if QUICK else np.array([-4, -2, -1, -0.5, 0, 0.5, 1, 2, 4]))
in_time = np.array([by_motion(b) for b in checked])

# %% [markdown]
# ## Analysis
# A fit gives $B_0$, $\Delta$, $S$ and $A$. If the Oersted field alone made $A$, the efficiency would be
#
# $$ \xi_{FMR} = \frac SA\,\frac{e\mu_0M_sTd}{\hbar}\sqrt{1 + \frac{\mu_0M_\text{eff}}{B_0}}, \qquad
#    \frac{1}{\xi_{FMR}} = \frac{1}{\xi_{DL}}\Big(1 - \frac{\hbar}{e}\,\frac{\xi_{FL}}{\mu_0M_sTd}\Big) , $$
#
# and with a field-like torque the second equation holds (Pai et al., Phys. Rev. B 92, 064426, 2015): both
# efficiencies need films of several thicknesses. Here they are known from the map. The field of a positive
# $\xi_{FL}$ is along $+y$, against the Oersted field of a current below the magnet, whence the minus. Both equations
# hold up to the damping.


# %%
def lines(p: Array, field: Array) -> Array:
    """Return the sum of both lines with p = (center and width in parts of theirs, S, A)."""
    x = (field - p[0] * center) / (p[1] * width)
    return np.asarray((p[2] + p[3] * x) / (1 + x * x))


fit = least_squares(lambda p: lines(p, fields) - voltage / np.abs(voltage).max(), [1.0, 1.0, 1.0, 1.0])
symmetric, antisymmetric = fit.x[2:] * np.abs(voltage).max()
per_torque = 2 * ELEMENTARY_CHARGE / HBAR / (found.conductivity * E0)
# Torque per area at u0 as xi_DL q + xi_FL u x q, of the current density in the platinum; q = y.
torque = found.map.torque_per_current(u0[None])[0] * E0 / resistance * per_torque
q = np.array([0, 1.0, 0])
damping_like, field_like = (float(torque @ x / (x @ x)) for x in (q - (u0 @ q) * u0, np.cross(u0, q)))
length = VACUUM_PERMEABILITY * MS * T * D * ELEMENTARY_CHARGE / HBAR
measured = symmetric / antisymmetric * length * np.sqrt(1 + MEFF / center)
predicted = damping_like / (1 - field_like / length)
difference = float(np.abs(in_time - [by_response(b) for b in checked]).max() / np.abs(voltage).max())
if comm.rank == 0:
    print(f"B_0 {fit.x[0] * center * 1e3:.3f} mT (Kittel {center * 1e3:.3f}), Delta {fit.x[1] * width * 1e3:.4f} mT")
    print(f"S {symmetric:.4e} V/m, A {antisymmetric:.4e} V/m")
    print(f"efficiencies of the map: damping-like {damping_like:.5f}, field-like {field_like:.5f}")
    print(f"efficiency of the line {measured:.5f}, expected {predicted:.5f}")
    print(f"motion in time against response: largest difference {difference:.1e} of the largest voltage")

# %%
if comm.rank == 0:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(7.4, 4.8), layout="constrained")
    x = (fields - fit.x[0] * center) / (fit.x[1] * width)
    ax.plot(fields * 1e3, symmetric / (1 + x * x), "--", lw=1, label="symmetric: damping-like torque")
    ax.plot(fields * 1e3, antisymmetric * x / (1 + x * x), ":", lw=1.4, label="antisymmetric: Oersted field")
    ax.plot(fields * 1e3, voltage, lw=1.4, label="linear response of the map")
    ax.plot(checked * 1e3, in_time, "o", ms=5, color="k", label="motion in time")
    ax.set(
        xlabel="field (mT)", ylabel="constant voltage per length (V/m)", title=f"Pt(6)|Py(4), {FREQUENCY / 1e9:g} GHz"
    )
    ax.legend()
    figure.savefig(output / "resonance.png", dpi=130)
    plt.close(figure)

# %% [markdown]
# ## Checks
# The line lies where Kittel's formula says, is as wide as the damping makes it, and gives back the efficiency. The
# field turned round turns the sign of the voltage.

# %%
assert abs(fit.x[0] - 1) < 1e-3 and abs(fit.x[1] - 1) < 1e-2
assert abs(measured / predicted - 1) < 1.5 * DAMPING
assert difference < 5e-4 and symmetric * antisymmetric > 0
assert np.isclose(by_response(-center), -by_response(center), rtol=1e-3)
