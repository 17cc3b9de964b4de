"""Pictures of the maps of a device: torque and resistance against the direction of its free layer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from mpi4py import MPI

from ..coupling.angle_maps import TorqueMap
from ..coupling.circuit import Circuit
from ..coupling.direction_maps import DirectionMap
from ..energy.on_sphere import Array
from ..macrospin.damping import AngularDamping
from ..macrospin.spin import Macrospin
from .palette import LINES

if TYPE_CHECKING:
    from ..coupling.voltage_maps import VoltageMap


def plot_map(
    comm: MPI.Intracomm, path: Path, torque_map: TorqueMap, circuit: Circuit, spin: Macrospin, *, title: str = ""
) -> None:
    """Draw the torque as fields (mT), with the sine of the angle, and the resistance against it, on rank 0.

    Parameters
    ----------
    path
        File of the picture.
    torque_map
        Map against the angle to the fixed layer.
    circuit
        Drive, which the title names.
    spin
        Macrospin of the free layer; with its pumping the pumped damping is drawn, too.
    """
    if comm.rank:
        return
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    torque, angle = torque_map.torque_in(circuit, spin), np.linspace(0.0, 180.0, 361)
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    damping = spin.pumping if isinstance(spin.pumping, AngularDamping) else None
    rows = 2 if damping is None else 3
    figure, axes = plt.subplots(rows, 1, figsize=(6.4, 1.4 + 2.4 * rows), sharex=True, layout="constrained")
    above, middle = axes[:2]
    above.plot(angle, 1e3 * torque.damping_like(c) * s, color=LINES[0], lw=2.2, label="damping-like")
    above.plot(angle, 1e3 * torque.field_like(c) * s, color=LINES[1], lw=2.2, ls="--", label="field-like")
    above.axhline(0.0, color="0.75", lw=0.8, zorder=0)
    above.set_ylabel("torque per moment,\n" + r"field $\times$ sin$\theta$ (mT)")
    above.legend(frameon=False)
    middle.plot(angle, 1e15 * torque_map.resistance_area(c), color=LINES[2], lw=2.2)
    middle.set_ylabel(r"$AR$ (f$\Omega\,$m$^2$)")
    if damping is not None:
        axes[2].plot(angle, damping.in_plane(c), color=LINES[0], lw=2.2, label="motion in the plane of both magnets")
        axes[2].plot(angle, damping.normal(c), color=LINES[1], lw=2.2, ls="--", label="across it")
        axes[2].set_ylabel("pumped damping")
        axes[2].set_ylim(bottom=0.0)
        axes[2].legend(frameon=False)
    axes[-1].set_xlabel(
        "angle to the axis (degrees)" if torque_map.alone else "angle between free and fixed layer (degrees)"
    )
    axes[-1].set_xticks(range(0, 181, 30))
    if circuit.voltage is None:
        drive = f"{circuit.current_density:.3g} A/m$^2$"
    else:
        load = circuit.series_resistance_area
        drive = f"{circuit.voltage:.3g} V" + (f" behind {1e15 * load:.3g} f$\\Omega\\,$m$^2$" if load else "")
    figure.suptitle(f"{title}\n{drive}" if title else drive, fontsize=11)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def plot_voltages(comm: MPI.Intracomm, path: Path, found: VoltageMap, *, title: str = "") -> None:
    """Draw torque, resistance and magnetoresistance of a device against its voltage, on rank 0.

    Parameters
    ----------
    path
        File of the picture.
    found
        Map against angle and voltage.
    """
    if comm.rank:
        return
    from matplotlib.figure import Figure

    v = np.asarray(np.linspace(-found.span, found.span, 401), dtype=np.float64)
    at = {name: found.functions(np.full_like(v, c), v) for name, c in (("P", 1.0), ("90", 0.0), ("AP", -1.0))}
    figure = Figure(figsize=(6.4, 8.2), layout="constrained")
    above, middle, below = figure.subplots(3, 1, sharex=True)
    above.plot(v, 1e6 * v * at["90"][0], color=LINES[0], lw=2.2, label="damping-like")
    above.plot(v, 1e6 * v * at["90"][1], color=LINES[1], lw=2.2, ls="--", label="field-like")
    above.axhline(0.0, color="0.75", lw=0.8, zorder=0)
    above.set_ylabel("torque at 90 degrees\n" + r"($\mu$J/m$^2$)")
    above.legend(frameon=False)
    for k, name in enumerate(("P", "90", "AP")):
        label = {"P": "parallel", "90": "90 degrees", "AP": "antiparallel"}[name]
        middle.plot(v, 1e12 / at[name][2], color=LINES[k], lw=2.2, label=label)
    middle.set_ylabel(r"$AR$ ($\Omega\,\mu$m$^2$)")
    middle.legend(frameon=False)
    below.plot(v, 100 * (at["P"][2] / at["AP"][2] - 1), color=LINES[0], lw=2.2)
    below.set_ylabel("magnetoresistance\n(percent)")
    below.set_xlabel("voltage (V)")
    if title:
        figure.suptitle(title, fontsize=11)
    figure.savefig(path, dpi=150)


def directions_grid(polar: int, azimuthal: int) -> tuple[Array, Array, Array]:
    """Return polar and azimuthal angles (degrees) of a grid over the sphere (n,), and the directions (n, 3)."""
    theta, phi = (x.ravel() for x in np.meshgrid(np.linspace(0, 180, polar), np.linspace(-180, 180, azimuthal)))
    t, p = np.radians(theta), np.radians(phi)
    return theta, phi, np.stack([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)], axis=1)


def plot_sphere_map(
    comm: MPI.Intracomm,
    path: Path,
    direction_map: DirectionMap,
    circuit: Circuit,
    spin: Macrospin,
    *,
    title: str = "",
    resistance: tuple[str, float] = (r"$AR$ (f$\Omega\,$m$^2$)", 1e15),
) -> None:
    """Draw the resistance over all directions, with the torque as arrows, on rank 0.

    Parameters
    ----------
    path
        File of the picture.
    direction_map
        Map over the whole sphere.
    circuit
        Drive.
    spin
        Macrospin of the free layer.
    resistance
        Label of the resistance, and the number of its units in one of the map.
    """
    if comm.rank:
        return
    from matplotlib.figure import Figure

    theta, phi, u = directions_grid(91, 181)
    area = resistance[1] * direction_map.resistance_at(u).reshape(181, 91)
    figure = Figure(figsize=(8.6, 5.0), layout="constrained")
    ax = figure.add_subplot()
    image = ax.pcolormesh(phi.reshape(181, 91), theta.reshape(181, 91), area, cmap="YlGnBu", shading="gouraud")
    figure.colorbar(image, ax=ax, label=resistance[0])
    theta, phi, u = directions_grid(13, 25)
    inner = (theta > 1) & (theta < 179)
    theta, phi, u = theta[inner], phi[inner], u[inner]
    field = direction_map.torque_in(circuit, spin).gilbert(u, spin) / spin.gyromagnetic_ratio
    t, p = np.radians(theta), np.radians(phi)
    south = np.stack([np.cos(t) * np.cos(p), np.cos(t) * np.sin(p), -np.sin(t)], axis=1)
    east = np.stack([-np.sin(p), np.cos(p), 0 * p], axis=1)
    down, right = (np.sum(field * e, axis=1) for e in (south, east))
    largest = float(np.linalg.norm(field, axis=1).max())
    # The vertical axis points down.
    ax.quiver(phi, theta, right, -down, color="#7a1f12", scale=18 * largest, width=0.0028, pivot="middle")
    ax.set_ylim(180, 0)
    ax.set_xlim(-180, 180)
    ax.set_xticks(range(-180, 181, 60))
    ax.set_yticks(range(0, 181, 30))
    ax.set_xlabel("azimuth of the free layer, from x (degrees)")
    ax.set_ylabel("polar angle, from z (degrees)")
    arrows = f"arrows: torque per moment, the longest {1e3 * largest:.3g} mT"
    ax.set_title(f"{title}\n{arrows}" if title else arrows, fontsize=11)
    figure.savefig(path, dpi=150)
