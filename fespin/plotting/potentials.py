"""Pictures of the potentials of a torque, X = grad chi + u x grad Phi."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from mpi4py import MPI

from ..energy.on_sphere import Array
from .palette import LINES

_NAMES = (r"$\chi$", r"$\Phi$")


def plot_potentials(
    comm: MPI.Intracomm, path: Path, cosine: Array, chi: Array, phi: Array, diffusion: float, *, title: str = ""
) -> None:
    """Draw potentials against the angle to the axis, on rank 0.

    Parameters
    ----------
    path
        File of the picture.
    cosine, chi, phi
        Cosines of the angle, and the potentials (1/s), (n,).
    diffusion
        D (1/s): chi/D is what a torque adds to the logarithm of the density.
    """
    if comm.rank:
        return
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    ax = figure.add_subplot()
    angle = np.degrees(np.arccos(cosine))
    for values, name, colour, style in zip((chi, phi), _NAMES, LINES, ("-", "--"), strict=False):
        ax.plot(angle, values, style, color=colour, lw=2.2, label=name)
    ax.axhline(0.0, color="0.75", lw=0.8, zorder=0)
    ax.set_xlabel("angle to the axis of the torque (degrees)")
    ax.set_xticks(range(0, 181, 30))
    ax.set_ylabel("potential (1/s)")
    over, back = (lambda x: np.asarray(x) / diffusion), (lambda x: np.asarray(x) * diffusion)
    ax.secondary_yaxis("right", functions=(over, back)).set_ylabel("over $D$")
    ax.legend(frameon=False)
    if title:
        ax.set_title(title, fontsize=11)
    figure.savefig(path, dpi=150)


def plot_sphere_potentials(
    comm: MPI.Intracomm, path: Path, theta: Array, phi: Array, values: Array, *, title: str = ""
) -> None:
    """Draw both potentials over all directions, on rank 0.

    Parameters
    ----------
    path
        File of the picture.
    theta, phi
        Polar angles and azimuths (degrees), of a grid (m, n).
    values
        chi and Phi (1/s), (2, m, n).
    """
    if comm.rank:
        return
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.4, 4.0), layout="constrained")
    for k, name in enumerate(_NAMES):
        ax = figure.add_subplot(1, 2, k + 1)
        image = ax.pcolormesh(phi, theta, values[k], cmap="RdBu_r", shading="gouraud")
        figure.colorbar(image, ax=ax, label=f"{name} (1/s)")
        ax.set_ylim(180, 0)
        ax.set_xticks(range(-180, 181, 60))
        ax.set_yticks(range(0, 181, 30))
        ax.set_xlabel("azimuth, from x (degrees)")
        ax.set_ylabel("polar angle, from z (degrees)")
    if title:
        figure.suptitle(title, fontsize=11)
    figure.savefig(path, dpi=150)
