"""Pictures of what a current does to the length, the temperature and the barriers of a magnet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from mpi4py import MPI

from ..energy.on_sphere import Array
from .palette import LINES


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
