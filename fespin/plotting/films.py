"""Picture of the torque on a magnet of a film that a field in its plane drives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from mpi4py import MPI

from ..macrospin.damping import AngularDamping
from ..macrospin.spin import Macrospin
from .palette import LINES

if TYPE_CHECKING:
    from ..coupling.film_maps import FilmMap


def plot_film_map(comm: MPI.Intracomm, path: Path, film: FilmMap, spin: Macrospin, *, title: str = "") -> None:
    """Draw torque, sheet resistance and pumped damping of a film against the angle to z x E, on rank 0.

    Parameters
    ----------
    path
        File of the picture.
    film
        Map against the angle, with its field.
    spin
        Macrospin of the magnet; with its pumping the pumped damping is drawn, too.
    """
    if comm.rank:
        return
    from matplotlib.figure import Figure

    from ..coupling.angle_maps import TorqueMap

    assert isinstance(film.map, TorqueMap)
    torque, angle = film.map.torque_in(film.circuit, spin), np.linspace(0.0, 180.0, 361)
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    damping = spin.pumping if isinstance(spin.pumping, AngularDamping) else None
    rows = 2 if damping is None else 3
    figure = Figure(figsize=(6.4, 1.4 + 2.4 * rows), layout="constrained")
    axes = figure.subplots(rows, 1, sharex=True)
    axes[0].plot(angle, 1e3 * torque.damping_like(c) * s, color=LINES[0], lw=2.2, label="damping-like")
    axes[0].plot(angle, 1e3 * torque.field_like(c) * s, color=LINES[1], lw=2.2, ls="--", label="field-like")
    axes[0].axhline(0.0, color="0.75", lw=0.8, zorder=0)
    axes[0].set_ylabel("torque per moment,\n" + r"field $\times$ sin$\theta$ (mT)")
    axes[0].legend(frameon=False)
    axes[1].plot(angle, film.map.resistance_area(c), color=LINES[2], lw=2.2)
    axes[1].set_ylabel(r"sheet resistance ($\Omega$)")
    if damping is not None:
        axes[2].plot(angle, damping.in_plane(c), color=LINES[0], lw=2.2, label="towards the axis")
        axes[2].plot(angle, damping.normal(c), color=LINES[1], lw=2.2, ls="--", label="across it")
        axes[2].set_ylabel("pumped damping")
        axes[2].set_ylim(bottom=0.0)
        axes[2].legend(frameon=False)
    axes[-1].set_xlabel(r"angle of the magnet to $\hat z\times E$ (degrees)")
    axes[-1].set_xticks(range(0, 181, 30))
    drive = f"{film.field:.3g} V/m, {film.current_density:.3g} A/m$^2$ in {film.metal}"
    figure.suptitle(f"{title}\n{drive}" if title else drive, fontsize=11)
    figure.savefig(path, dpi=150)
