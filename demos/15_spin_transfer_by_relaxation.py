# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Spin transfer by relaxation
#
# A current that crosses a magnet leaves spins behind at its faces, and what relaxes there acts on the magnetization.
# That is the spin transfer of Wegrowe and Drouhin (2004) and Wegrowe (2010), beside the torque of transverse spins. It
# has three parts, which dwell times tell apart by their symmetry:
#
# * $\chi$, the potential that the accumulation at the faces makes on the sphere, odd in the current: the same in both
#   wells of a magnet without others, whose barrier it raises or lowers; a tilt between them beside another magnet;
# * the length of the magnetization, $|u|^2 = 1/(1 + 2f\tau)$, with the rate $f$ of the spins that the layer absorbs:
#   odd in the current, alike in both wells;
# * the noise, $T_\text{eff} = T + c\,\langle(\Delta J_{dn} - kJ)^2\rangle$ of d electrons: even in the current, but
#   different in the states of a valve.
#
# The direction of the current in trilayers comes from $\chi$ and the length, not from $T_\text{eff}$. In the end the
# coefficients are fitted to a measurement that is made up here: dwell times and resonances with their noise.
#
# Run it with `python demos/15_spin_transfer_by_relaxation.py`, or with `mpirun -n 2` before it. The second device is
# also a case: `fespin run demos/relaxation.toml`.

# %%
import os
from pathlib import Path

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

import fespin as fs
from fespin.coupling import (
    ActivationModel,
    ActivationParameters,
    Circuit,
    LongitudinalDrive,
    fit_activation,
    largest_cross,
    longitudinal_response,
    relaxation_map,
)
from fespin.plotting import plot_activation_fit

type Array = NDArray[np.float64]

comm = MPI.COMM_WORLD
QUICK = bool(os.environ.get("FESPIN_QUICK"))
output = Path(os.environ.get("FESPIN_OUTPUT", "demo-output")) / "15_spin_transfer_by_relaxation"
if comm.rank == 0:
    output.mkdir(parents=True, exist_ok=True)
comm.barrier()

# %% [markdown]
# ## The magnet
# A disk of 60 nm and 10 nm of a metal like cobalt with s and d electrons, with an easy axis along $z$ and 22 kT between
# its wells. **Assumed** are its channels, the damping, the time in which its length is restored, and the coefficients
# $l$ (a part of the largest that lets no power be gained) and $c$, which the papers leave open.

# %%
UP, DOWN = (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)
THICKNESS, AREA = 10e-9, np.pi * 30e-9**2
cobalt = fs.Material.from_bands("Co", fs.Bands(s_up=8e6, s_down=3.5e6, d_down=1.9e6, spin_flip=2.3e21, sd=4e22))
copper, ruthenium = fs.Material("Cu", 6e-9, 450e-9), fs.Material("Ru", 95e-9, 14e-9)
magnet = fs.Macrospin(AREA * THICKNESS, 8e5, 0.02, 300.0, [fs.Uniaxial(stability=22.0)])
COEFFICIENT, RELAXATION_TIME = 2.5e-21, 5e-11
CROSS = 1e-2 * largest_cross(magnet, cobalt)
currents = np.linspace(-3e11, 3e11, 5 if QUICK else 13)


def device(*layers: fs.Layer, vectors: bool = False) -> fs.TransportProblem:
    """A stack on a line between semi-infinite leads."""
    faces = {
        ("Cu", "Co"): fs.Interface.from_conductances(1.1e15, 4.1e14, 5.5e14 + 0.5e14j),
        ("Co", "Ru"): fs.Interface.from_conductances(4e14, 9e14, 5.5e14 + 0.5e14j),
    }
    present = {x.material.name for x in layers}
    stack = fs.Stack(*layers, interfaces={k: v for k, v in faces.items() if set(k) <= present}, library={})
    model = fs.Vector() if vectors else fs.ThreeChannel()
    return fs.TransportProblem(fs.line(comm, stack), model, contacts={"bottom": "lead", "top": "lead"})


free = fs.Layer(cobalt, THICKNESS, "free", UP)
bottom, spacer, cap = (fs.Layer(copper, t, n) for t, n in ((20e-9, "bottom"), (6e-9, "spacer"), (20e-9, "cap")))
fixed = fs.Layer(cobalt, 20e-9, "fixed", UP)
single = {"symmetric": (bottom, free, cap), "asymmetric": (bottom, free, fs.Layer(ruthenium, 30e-9, "cap"))}
valve = (bottom, fixed, spacer, free, cap)

# %% [markdown]
# ## Without other magnets
# Three channels tell everything. In the symmetric layer what relaxes at one face is undone at the other: neither $\chi$
# nor $f$ is left, and dwell times are even in the current. Between two metals both are there, and both wells last
# longer for one sign of the current than for the other; none is favoured.

# %%
dwell: dict[str, Array] = {}
for name, layers in single.items():
    problem = device(*layers)
    found = relaxation_map(problem, "free", axis=UP)
    response = longitudinal_response(problem, "free")
    along = LongitudinalDrive("free", THICKNESS, response, coefficient=COEFFICIENT, relaxation_time=RELAXATION_TIME)

    def driven(j: float) -> tuple[fs.Macrospin, fs.AngularTorque]:
        """The magnet and its torque at a current density (A/m2)."""
        spin = along.magnet(Circuit(j), magnet)  # noqa: B023  used before the next device
        return spin, found.torque(spin, CROSS, current_density=j)  # noqa: B023

    dwell[name] = fs.dwell_times(comm, driven, currents).dwell_times
    if comm.rank == 0:
        spin = driven(currents[-1])[0]
        sum_of_faces = float(found.below(1.0) + found.above(1.0))
        print(
            f"{name:>11}: sum of d_f {sum_of_faces:.2e} ohm m2; at {currents[-1]:.0e} A/m2 "
            f"T_eff {spin.temperature:.1f} K, |u|^2 - 1 = {(spin.saturation_magnetization / 8e5) ** 2 - 1:+.2e}"
        )

# %% [markdown]
# ## A trilayer
# Noise and length belong to the state, parallel or antiparallel, and each dwell time is computed with those of its own.
# $\chi$ is one function of the angle, from the vector model, and tilts the wells.

# %%
channels = device(*valve)
responses = {"P": longitudinal_response(channels, "free")}
channels.magnetize({"free": DOWN})
responses["AP"] = longitudinal_response(channels, "free")
angular = relaxation_map(device(*valve, vectors=True), "free", tolerance=1e-2 if QUICK else 1e-4)
for k, (state, response) in enumerate(responses.items()):
    along = LongitudinalDrive("free", THICKNESS, response, coefficient=COEFFICIENT, relaxation_time=RELAXATION_TIME)

    def turned(j: float) -> tuple[fs.Macrospin, fs.AngularTorque]:
        """The free layer with noise and length of one state, and its torque, at a current density (A/m2)."""
        spin = along.magnet(Circuit(j), magnet)  # noqa: B023  used before the next state
        return spin, angular.torque(spin, CROSS, current_density=j)

    dwell[state] = fs.dwell_times(comm, turned, currents).dwell_times[:, k]
if comm.rank == 0:
    excess = {k: r.excess for k, r in responses.items()}
    print(f"d current beyond bulk over J: P {excess['P']:.4f}, AP {excess['AP']:.4f}, for either sign")

# %%
if comm.rank == 0:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 4.0), layout="constrained")
    for ax, name in zip(figure.subplots(1, 3, sharey=True), ("symmetric", "asymmetric", "trilayer"), strict=True):
        if name == "trilayer":
            ax.semilogy(currents, dwell["P"], "o-", color="#1f4e79", ms=4, label="P")
            ax.semilogy(currents, dwell["AP"], "s-", color="#c0392b", ms=4, label="AP")
        else:
            ax.semilogy(currents, dwell[name][:, 0], "o-", color="#1f4e79", ms=4, label="up")
            ax.semilogy(currents, dwell[name][:, 1], "x--", color="#c0392b", ms=6, label="down")
        ax.set_title(name, fontsize=11)
        ax.set_xlabel("current density (A/m$^2$)")
        ax.legend(frameon=False)
    figure.axes[0].set_ylabel("dwell time (s)")
    figure.savefig(output / "dwell_times.png", dpi=150)

# %% [markdown]
# ## The experiment
# The valve is measured: 400 jumps out of each state at each of nine currents, and the resonance of the parallel state
# with its width. The length is fixed here, and $\Phi$, the transverse spins' potential, shifts the frequency. What is
# fitted is $l$, $c$, the barrier, $D$ and $l_\Phi$, with $d_f(c)$ and the d currents of the device as computed.

# %%
model = ActivationModel(
    angular.slope(1.0, current_density=1.0), AREA, 300.0, (responses["P"].excess or 0.0, responses["AP"].excess or 0.0)
)
gyration = magnet.gyromagnetic_ratio / (1 + magnet.damping**2)
truth = ActivationParameters(
    cross=CROSS,
    coefficient=COEFFICIENT,
    barrier=22.0,
    log_diffusion=float(np.log(magnet.diffusion)),
    transverse=2e-4,
    angular_frequency=gyration * 2 * 22.0 * magnet.thermal_energy / magnet.moment,
)
data = model.sample(
    truth,
    np.linspace(-3e11, 3e11, 9),
    np.random.default_rng(8),
    events=400,
    half_width_error=2e4,
    angular_frequency_error=2e6,
)
fit = fit_activation(model, data)
alone = fit_activation(model, type(data)(data.current_densities, data.dwell_times, data.events))
if comm.rank == 0:
    names = {
        "cross": "l, 1/(V s m2)", "coefficient": "c, K m4/A2", "barrier": "barrier, kT", "log_diffusion": "ln(D s)",
        "transverse": "l_Phi, m2/(A s)",
    }  # fmt: skip
    print(f"{'':>18}{'true':>12}{'fitted':>12}{'error':>10}   without the resonance")
    for key, text in names.items():
        other = f"{getattr(alone.parameters, key):.4g} +- {alone.error(key):.2g}" if key in alone.free else "unknown"
        true, fitted = (getattr(x, key) for x in (truth, fit.parameters))
        print(f"{text:>18}{true:>12.5g}{fitted:>12.5g}{fit.error(key):>10.2g}   {other}")
    print(f"deviance {fit.deviance:.1f} of {fit.degrees_of_freedom} degrees of freedom")
    print(f"without the resonance l and ln D are correlated to {alone.correlation('cross', 'log_diffusion'):.5f}")
plot_activation_fit(comm, output / "fit.png", fit, title="dwell times and resonance of a valve, synthetic")

# %% [markdown]
# ## Checks
# The symmetric layer knows no sign of the current, the asymmetric one knows no direction. In the valve a positive
# current shortens the parallel state beside what $T_\text{eff}$ does, and lengthens the antiparallel one. The fit is
# within its errors, and dwell times alone leave $l$ unknown.

# %%
symmetric, asymmetric = dwell["symmetric"], dwell["asymmetric"]
assert np.allclose(symmetric, symmetric[::-1], rtol=1e-6) and np.allclose(symmetric[:, 0], symmetric[:, 1], rtol=1e-6)
assert np.allclose(asymmetric[:, 0], asymmetric[:, 1], rtol=1e-6)
assert abs(np.log(asymmetric[-1, 0] / asymmetric[0, 0])) > 0.2
odd = {k: float(np.log(dwell[k][-1] / dwell[k][0])) / 2 for k in ("P", "AP")}  # T_eff has no part in it
assert odd["P"] < -0.3 and odd["AP"] > 0.02
for key in names if comm.rank == 0 else ():
    assert abs(getattr(fit.parameters, key) - getattr(truth, key)) < 4 * fit.error(key)
assert fit.error("cross") < 0.1 * CROSS and alone.error("cross") > 0.5 * alone.parameters.cross
