"""Pictures of what a current does to a magnet that jumps between wells: barriers, and a fit of measured times."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from mpi4py import MPI

from ..energy.on_sphere import Array
from .palette import LINES

if TYPE_CHECKING:
    from ..coupling.activation_fit import ActivationFit


def plot_activation(
    comm: MPI.Intracomm,
    path: Path,
    current_density: Array,
    modulus_squared: Array,
    temperature: Array,
    barriers: Array,
    *,
    title: str = "",
) -> None:
    """Draw |u|^2, T_eff and barriers against the current density, on rank 0.

    Parameters
    ----------
    path
        File of the picture.
    current_density, modulus_squared, temperature
        J (A/m2), increasing, |u|^2 and T_eff (K), (n,).
    barriers
        Barriers of the wells over kT_eff, (n, k).
    """
    if comm.rank:
        return
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 4.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(current_density, modulus_squared, color=LINES[0], lw=2.2)
    left.set_ylabel(r"$|u|^2$", color=LINES[0])
    heat = left.twinx()
    heat.plot(current_density, temperature, "--", color=LINES[1], lw=2.2)
    heat.set_ylabel(r"$T_\mathrm{eff}$ (K)", color=LINES[1])
    for k, whole in enumerate(barriers.T):
        colour = LINES[k % len(LINES)]
        even = (whole + np.interp(-current_density, current_density, whole, np.nan, np.nan)) / 2
        right.plot(current_density, whole, color=colour, lw=max(3.4 - 1.4 * k, 1.0), label=f"well {k}")
        right.plot(current_density, even, ":", color=colour, lw=1.4, label="even in the current" if k == 0 else None)
    right.set_ylabel(r"barrier over $kT_\mathrm{eff}$")
    if barriers.shape[1]:
        right.legend(frameon=False)
    for ax in (left, right):
        ax.set_xlabel("current density (A/m$^2$)")
    if title:
        figure.suptitle(title, fontsize=11)
    figure.savefig(path, dpi=150)


def plot_activation_fit(comm: MPI.Intracomm, path: Path, fit: ActivationFit, *, title: str = "") -> None:
    """Draw measured dwell times and resonances with their errors, and what was fitted, on rank 0.

    Parameters
    ----------
    path
        File of the picture.
    fit
        From :func:`fespin.coupling.fit_activation`.

    Examples
    --------
    >>> from numpy.polynomial import Chebyshev
    >>> from fespin.coupling import ActivationModel, ActivationParameters, fit_activation
    >>> from fespin.plotting import plot_activation_fit
    >>> model = ActivationModel(Chebyshev([-3e-17, -4e-17]), area=3e-15, temperature=300.0)
    >>> truth = ActivationParameters(cross=1e26, barrier=20.0)
    >>> data = model.sample(truth, np.linspace(-2e11, 2e11, 9), np.random.default_rng(0), events=400)
    >>> fit = fit_activation(model, data, known={"coefficient": 0.0, "barrier": 20.0})
    >>> plot_activation_fit(comm, "fit.png", fit)
    """
    if comm.rank:
        return
    from matplotlib.figure import Figure

    data, model, parameters = fit.data, fit.model, fit.parameters
    panels = 1 if data.resonance is None else 3
    figure = Figure(figsize=(4.6 * panels, 4.0), layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    j = np.linspace(data.current_densities.min(), data.current_densities.max(), 121)
    times = model.dwell_times(parameters, j)
    # A mean of exponential times has a relative error of one over the root of their number.
    errors = data.dwell_times / np.sqrt(np.broadcast_to(data.events, data.dwell_times.shape))
    for k, name in enumerate(("$u = p$", "$u = -p$")):
        axes[0].errorbar(
            data.current_densities, data.dwell_times[:, k], errors[:, k], fmt="o", ms=4, color=LINES[k], label=name
        )
        axes[0].plot(j, times[:, k], color=LINES[k], lw=1.6)
    axes[0].set_yscale("log")
    axes[0].set_ylabel("dwell time (s)")
    axes[0].legend(frameon=False)
    r = data.resonance
    if r is not None:
        for ax, values, error, line, label in (
            (axes[1], r.half_widths, r.half_width_error, model.half_widths, "half width (1/s)"),
            (axes[2], r.angular_frequencies, r.angular_frequency_error, model.angular_frequencies,
             "angular frequency (rad/s)"),
        ):  # fmt: skip
            ax.errorbar(r.current_densities, values, error, fmt="o", ms=4, color=LINES[0])
            ax.plot(j, line(parameters, j, r.side), color=LINES[0], lw=1.6)
            ax.set_ylabel(label)
    for ax in axes:
        ax.set_xlabel("current density (A/m$^2$)")
    if title:
        figure.suptitle(title, fontsize=11)
    figure.savefig(path, dpi=150)
