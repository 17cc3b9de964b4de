"""What is told of a map over the whole sphere of directions: numbers, a table, a picture, a file to load again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from mpi4py import MPI

from .. import output
from ..energy.on_sphere import Array
from ..macrospin import survey
from ..macrospin.spin import Macrospin
from .direction_maps import DirectionMap
from .sphere_torque import DirectionTorque

if TYPE_CHECKING:
    from .report import Picture


def _grid(polar: int, azimuthal: int) -> tuple[Array, Array, Array]:
    """Return polar and azimuthal angles (degrees) and their directions (n, 3)."""
    theta, phi = (x.ravel() for x in np.meshgrid(np.linspace(0, 180, polar), np.linspace(-180, 180, azimuthal)))
    t, p = np.radians(theta), np.radians(phi)
    return theta, phi, np.stack([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)], axis=1)


def write_sphere(
    comm: MPI.Intracomm,
    found: DirectionMap,
    torque: DirectionTorque,
    spin: Macrospin,
    path: Path,
    picture: Picture,
    *,
    title: str = "",
) -> dict[str, Any]:
    """Write ``torque_map.json``, ``torque_map.csv`` and ``torque_map.png``; return numbers. Collective."""
    found.save(comm, path / "torque_map.json")
    theta, phi, u = _grid(19, 37)
    field = _field(torque, spin, u)
    columns: dict[str, Any] = {
        "polar_deg": theta,
        "azimuth_deg": phi,
        **{f"torque_{x}_T": field[:, k] for k, x in enumerate("xyz")},
        "resistance_area_ohm_m2": found.resistance_at(u),
    }
    if spin.pumping is not None:
        columns["mean_pumped_damping"] = np.trace(spin.pumping.tensor(u), axis1=1, axis2=2) / 2
    output.write_csv(comm, path / "torque_map.csv", columns)
    picture("torque_map.png", lambda p: plot_sphere_map(comm, p, found, torque, spin, title=title))
    wells = np.array([w.direction for w in survey(spin).wells]).reshape(-1, 3)
    more = {}
    if spin.pumping is not None:
        tensors = spin.pumping.tensor(wells)
        more["pumped_damping"] = [np.linalg.eigvalsh((x + x.T) / 2)[1:].tolist() for x in tensors]
    return {
        "layer": found.layer,
        "polarizer": None,
        "degree": found.degree,
        "solves": found.solves,
        "error": found.error,
        "largest_torque": float(np.linalg.norm(field, axis=1).max()),
        "resistance_area": [float(x) for x in found.resistance_at(wells)],
        **more,
        "critical_current_density": [found.critical_current_density(spin, w) for w in wells],
    }


def sphere_table(told: dict[str, Any]) -> list[str]:
    """Return a map's first numbers as lines for a terminal."""
    lines = [
        f"torque on {told['layer']:<4} up to {1e3 * told['largest_torque']:.4g} mT, over the sphere: degree "
        f"{told['degree']}, {told['solves']} directions"
    ]
    for values in told.get("pumped_damping", []):
        lines.append(f"{'':<14} pumped damping at a well: {', '.join(f'{x:.4g}' for x in values)}")
    return lines


def _field(torque: DirectionTorque, spin: Macrospin, u: Array) -> Array:
    """Return the torque in Gilbert's equation over gamma (T), (n, 3)."""
    return torque.gilbert(u, spin) / spin.gyromagnetic_ratio


def plot_sphere_map(
    comm: MPI.Intracomm, path: Path, found: DirectionMap, torque: DirectionTorque, spin: Macrospin, *, title: str = ""
) -> None:
    """Draw the resistance over all directions, with the torque as arrows, on rank 0."""
    if comm.rank:
        return
    from matplotlib.figure import Figure

    theta, phi, u = _grid(91, 181)
    area = 1e15 * found.resistance_at(u).reshape(181, 91)
    figure = Figure(figsize=(8.6, 5.0), layout="constrained")
    ax = figure.add_subplot()
    image = ax.pcolormesh(phi.reshape(181, 91), theta.reshape(181, 91), area, cmap="YlGnBu", shading="gouraud")
    figure.colorbar(image, ax=ax, label=r"$AR$ (f$\Omega\,$m$^2$)")
    theta, phi, u = _grid(13, 25)
    inner = (theta > 1) & (theta < 179)
    theta, phi, u = theta[inner], phi[inner], u[inner]
    field = _field(torque, spin, u)
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
    told = f"arrows: torque per moment, the longest {1e3 * largest:.3g} mT"
    ax.set_title(f"{title}\n{told}" if title else told, fontsize=11)
    figure.savefig(path, dpi=150)
