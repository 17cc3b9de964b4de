# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Spin Hall magnetoresistance, and the voltage of spin pumping
#
# Two measurements on a film of platinum with a magnet on it, which know the same two numbers. A current along $x$
# sends spins along $y$ to the magnet. What the magnet absorbs is missing in the film, whose inverse spin Hall effect
# would have made current of it: the resistance follows $m_y$. And a magnet that precesses sends spins into the film,
# which makes a voltage of them.
#
# With the conductivity $\sigma$, thickness $d$ and spin-diffusion length $l$ of the film, its spin Hall angle
# $\theta$ and the mixing conductance $G$ of an insulating magnet, the current per width of a field $E$ along $x$ is
#
# $$ \frac{I_x}{\sigma E d} = 1 + 2\theta^2\frac ld\tanh\frac{d}{2l} - (1 - m_y^2)\,\mathrm{Re}f, \qquad
#    \frac{I_y}{\sigma E d} = -m_xm_y\,\mathrm{Re}f - m_z\,\mathrm{Im}f, \qquad
#    f = \theta^2\frac ld\,\frac{2lG\tanh^2(d/2l)}{\sigma + 2lG\coth(d/l)} , $$
#
# which is the result of Chen et al. (Phys. Rev. B 87, 144411, 2013), exact in $\theta$. A conducting magnet, with an
# anisotropic resistance of its own, has no such form. Its two effects are told apart by turning it in three planes.
#
# Run it with `python demos/16_spin_hall_magnetoresistance.py`, or with `mpirun -n 2` before it.

# %%
import os
from pathlib import Path

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

import fespin as fs
from fespin.constants import ELEMENTARY_CHARGE, HBAR
from fespin.coupling import PumpingSolution, solve_turning

type Array = NDArray[np.float64]

comm = MPI.COMM_WORLD
QUICK = bool(os.environ.get("FESPIN_QUICK"))
output = Path(os.environ.get("FESPIN_OUTPUT", "demo-output")) / "16_spin_hall_magnetoresistance"
if comm.rank == 0:
    output.mkdir(parents=True, exist_ok=True)
comm.barrier()

# %% [markdown]
# ## The films
# Platinum is the library's, resistivity, spin-diffusion length and spin Hall angle from one measurement at room
# temperature. **Assumed** are the mixing conductances and the magnets: an insulator, which lets next to no current
# through its face, and a metal like cobalt with an anisotropic resistance of one percent.

# %%
FIELD = 1e5  # V/m
MIXING = 3e14 + 0.4e14j  # S/m2
platinum = fs.material("Pt", 300)
SIGMA, LENGTH, THETA = 1 / platinum.resistivity, platinum.spin_diffusion_length, platinum.spin_hall_angle
insulator = fs.Material("YIG", 1e3, 5e-9, 0.0)
conductor = fs.Material("Co", 2e-7, 8e-9, 0.4, anisotropic_magnetoresistance=0.01)
FACES = {
    "YIG": fs.Interface.from_conductances(1e2, 1e2, MIXING),
    "Co": fs.Interface.from_conductances(6e14, 3e14, MIXING),
}


def film(magnet: fs.Material, thickness: float) -> fs.TransportProblem:
    """A film of platinum with a magnet of 3 nm on it; nothing flows upwards."""
    layers = fs.Layer(platinum, thickness, "film"), fs.Layer(magnet, 3e-9, "magnet", (0, 0, 1))
    stack = fs.Stack(*layers, interfaces={("Pt", magnet.name): FACES[magnet.name]}, library={})
    return fs.TransportProblem(
        fs.line(comm, stack, mesh_size=LENGTH / 8), fs.Vector(), contacts={"bottom": "blocked", "top": "blocked"}
    )


def sheet_current(x: fs.TransportSolution | PumpingSolution) -> Array:
    """Return the current per width along x and y (A/m)."""
    return np.asarray(np.sum([layer["charge"][:2] for layer in x.in_plane_currents.values()], axis=0))


def closed_form(m: Array, d: float) -> Array:
    """Return both components of the current per width of a film on an insulating magnet (A/m)."""
    g = 2 * LENGTH * MIXING
    f = THETA**2 * LENGTH / d * g * np.tanh(d / (2 * LENGTH)) ** 2 / (SIGMA + g / np.tanh(d / LENGTH))
    along = 1 + 2 * THETA**2 * LENGTH / d * np.tanh(d / (2 * LENGTH)) - (1 - m[..., 1] ** 2) * f.real
    return SIGMA * FIELD * d * np.stack([along, -m[..., 0] * m[..., 1] * f.real - m[..., 2] * f.imag], axis=-1)


# %% [markdown]
# ## Three planes
# A strong field turns the magnet in the plane of the film ($\alpha$, from $x$), from $z$ to $y$ ($\beta$) and from
# $z$ to $x$ ($\gamma$).

# %%
angles = np.linspace(0, np.pi, 5 if QUICK else 25)
c, s, o = np.cos(angles), np.sin(angles), 0 * angles
PLANES = {"alpha": np.stack([c, s, o], 1), "beta": np.stack([o, s, c], 1), "gamma": np.stack([s, o, c], 1)}
D = 5e-9


def turned(problem: fs.TransportProblem, directions: Array) -> Array:
    """Return the currents per width in every direction of the magnet, (n, 2)."""
    found = []
    for m in directions:
        problem.magnetize({"magnet": tuple(m)})
        found.append(sheet_current(problem.solve(electric_field=(FIELD, 0, 0))))
    return np.array(found)


films = {"YIG": film(insulator, D), "Co": film(conductor, D)}
measured = {name: {p: turned(x, m) for p, m in PLANES.items()} for name, x in films.items()}
change = {k: {p: FIELD / x[:, 0] for p, x in planes.items()} for k, planes in measured.items()}
ratio = {k: {p: float(np.ptp(r) / r.mean()) for p, r in planes.items()} for k, planes in change.items()}
if comm.rank == 0:
    print("resistance, largest change       alpha       beta      gamma")
    for name, row in ratio.items():
        print(f"{'Pt|' + name:<27}" + "".join(f"{row[p]:>11.3e}" for p in PLANES))

# %% [markdown]
# ## Against the thickness
# The effect is largest where the film is somewhat thicker than two diffusion lengths: in a thinner one the spins of
# both faces cancel, in a thicker one most of the current never meets the magnet.

# %%
thicknesses = np.geomspace(0.5, 12, 4 if QUICK else 13) * LENGTH
ends = np.array([[0, 1.0, 0], [0, 0, 1.0]])
by_thickness = np.array([turned(film(insulator, d), ends) for d in thicknesses])
smr = by_thickness[:, 0, 0] / by_thickness[:, 1, 0] - 1
exact = np.array([closed_form(ends, d) for d in thicknesses])

# %% [markdown]
# ## A precessing magnet
# Microwaves turn the magnet about $y$ on a cone of angle $\vartheta$. It sends spins into the film, and no current
# can flow along $x$: there is a field, whose mean over a turn is
#
# $$ \bar E = -\frac{\hbar}{2e}\,\frac{\xi_{DL}}{d\,r}\,\omega\sin^2\vartheta , \qquad
#    \xi_{DL} + i\xi_{FL} = \theta\Big(1 - \frac{1}{\cosh(d/l)}\Big)\frac{2G}{2G + (\sigma/l)\tanh(d/l)} $$
#
# with the ratio $r = I_x/\sigma Ed$ of above at $m_y = \cos\vartheta$. The efficiency $\xi$ of the torque is that of
# the voltage, too.

# %%
OMEGA = 2 * np.pi * 9.4e9
cones = np.radians([15.0, 60.0] if QUICK else [5.0, 10.0, 15.0, 30.0, 45.0, 60.0, 75.0, 90.0])
phases = 2 * np.pi * np.arange(4 if QUICK else 8) / (4 if QUICK else 8)
still = {"bottom": fs.Terminal(current=0.0), "top": fs.Terminal(voltage=0.0)}
efficiency = THETA * (1 - 1 / np.cosh(D / LENGTH)) * 2 * MIXING / (2 * MIXING + SIGMA / LENGTH * np.tanh(D / LENGTH))


def pumped_field(problem: fs.TransportProblem, cone: float) -> float:
    """Return the mean field along x that keeps the current away (V/m)."""
    found = []
    for phase in phases:
        m = np.array([np.sin(cone) * np.sin(phase), np.cos(cone), np.sin(cone) * np.cos(phase)])
        rate = OMEGA * np.cross((0, 1.0, 0), m)
        problem.magnetize({"magnet": tuple(m)})
        pumped = sheet_current(solve_turning(problem, {"magnet": tuple(np.cross(m, rate))}, still))[0]
        found.append(-pumped / sheet_current(problem.solve(electric_field=(1.0, 0, 0)))[0])
    return float(np.mean(found))


fields = {k: np.array([pumped_field(x, cone) for cone in cones]) for k, x in films.items()}


def expected_field(cone: Array) -> Array:
    """Return the closed form of that field on an insulating magnet (V/m)."""
    m = np.stack([0 * cone, np.cos(cone), np.sin(cone)], axis=-1)
    conductance = closed_form(m, D)[:, 0] / FIELD
    return -HBAR / (2 * ELEMENTARY_CHARGE) * SIGMA * efficiency.real * OMEGA * np.sin(cone) ** 2 / conductance


expected = expected_field(cones)
if comm.rank == 0:
    k = int(np.flatnonzero(np.isclose(np.degrees(cones), 15))[0])
    print(f"mean field at 9.4 GHz and 15 degrees: {fields['YIG'][k]:.4e} V/m, closed form {expected[k]:.4e}")
    print(f"with a conducting magnet, which carries the current, too: {fields['Co'][k]:.4e} V/m")

# %%
if comm.rank == 0:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(11, 8), layout="constrained")
    fine = np.linspace(0, np.pi, 200)
    cf, sf, of = np.cos(fine), np.sin(fine), 0 * fine
    lines = {"alpha": np.stack([cf, sf, of], 1), "beta": np.stack([of, sf, cf], 1), "gamma": np.stack([sf, of, cf], 1)}
    texts = {"alpha": r"$\alpha$: x to y", "beta": r"$\beta$: z to y", "gamma": r"$\gamma$: z to x"}
    for ax, (name, planes) in zip(axes[0], change.items(), strict=True):
        base = planes["beta"][0]
        for k, (plane, r) in enumerate(planes.items()):
            ax.plot(
                np.degrees(angles),
                (r / base - 1) * 1e4,
                "o",
                ms=8 - 2 * k,
                fillstyle="none",
                color=f"C{k}",
                label=texts[plane],
            )
            if name == "YIG":
                curve = FIELD / closed_form(lines[plane], D)[:, 0] / base - 1
                ax.plot(np.degrees(fine), curve * 1e4, color=f"C{k}", lw=1)
        ax.set(title=f"Pt(5)|{name}(3)", xlabel="angle (degrees)", ylabel=r"$R/R_z - 1$ ($10^{-4}$)")
        ax.legend()
    x = np.geomspace(0.5, 12, 200) * LENGTH
    curve = np.array([closed_form(ends, d)[:, 0] for d in x])
    axes[1, 0].plot(x * 1e9, (curve[:, 0] / curve[:, 1] - 1) * 1e4, lw=1, label="closed form")
    axes[1, 0].plot(thicknesses * 1e9, smr * 1e4, "o", ms=4, color="C0", label="finite elements")
    axes[1, 0].set(xlabel="thickness of Pt (nm)", ylabel=r"$R_z/R_y - 1$ ($10^{-4}$)", title="Pt|YIG")
    axes[1, 0].legend()
    opening = np.linspace(0, np.pi / 2, 200)
    axes[1, 1].plot(np.degrees(opening), expected_field(opening), lw=1, label="closed form, YIG")
    for k, (name, e) in enumerate(fields.items()):
        axes[1, 1].plot(np.degrees(cones), e, "o", ms=4, color=f"C{k}", label=f"Pt(5)|{name}(3)")
    axes[1, 1].set(xlabel="cone angle (degrees)", ylabel="mean field along x (V/m)", title="spin pumping, 9.4 GHz")
    axes[1, 1].legend()
    figure.savefig(output / "magnetoresistance.png", dpi=130)
    plt.close(figure)

# %% [markdown]
# ## Checks
# On the insulator all agrees with the closed forms. In the plane $\gamma$ the insulator knows nothing; the conductor
# turns from $z$ to $x$ with its own anisotropy alone. The field of the pumped spins has the sign of platinum's spin
# Hall angle: it points to $-x$ if the magnet lies above and turns about $+y$.

# %%
scale = SIGMA * FIELD * D * THETA**2
for plane, m in PLANES.items():
    assert np.abs(measured["YIG"][plane] - closed_form(m, D)).max() < 1e-6 * scale
assert np.abs(by_thickness - exact).max() < 1e-6 * SIGMA * FIELD * LENGTH * THETA**2
assert ratio["YIG"]["gamma"] < 1e-4 * ratio["YIG"]["beta"] and ratio["Co"]["gamma"] > 3 * ratio["Co"]["beta"]
assert np.allclose(fields["YIG"], expected, rtol=1e-6) and (fields["YIG"] < 0).all()
