"""A map with the current or voltage that drives the device: files, numbers and lines for a terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from .. import output
from ..macrospin.damping import AngularDamping
from ..macrospin.landscape import survey
from ..macrospin.spin import Macrospin
from ..macrospin.torque import AngularTorque
from ..plotting.maps import directions_grid, plot_map, plot_sphere_map
from .angle_maps import TorqueMap
from .circuit import Circuit
from .direction_maps import DirectionMap, DirectionTorque

type Picture = Callable[[str, Callable[[Path], None]], None]
"""Takes the name of a picture and a function that draws it to a path."""

# Cosines of the angle to the fixed layer at which a summary gives numbers.
_ENDS = {"parallel": 1.0, "perpendicular": 0.0, "antiparallel": -1.0}


@dataclass(frozen=True)
class CurrentMap:
    """A map with what drives the device.

    Attributes
    ----------
    map
        Torque and resistance against the direction of the free layer.
    circuit
        Current or voltage.
    """

    map: TorqueMap | DirectionMap
    circuit: Circuit

    def at(self, drive: float) -> CurrentMap:
        """Return the same with another current density (A/m2) or voltage (V)."""
        key = "current_density" if self.circuit.voltage is None else "voltage"
        return replace(self, circuit=replace(self.circuit, **{key: drive}))

    def torque(self, spin: Macrospin) -> AngularTorque | DirectionTorque:
        """Return the torque on the free layer."""
        return self.map.torque_in(self.circuit, spin)

    def pumped(self, spin: Macrospin) -> Macrospin:
        """Return the free layer with pumped damping, if the map holds it."""
        return self.map.pumped_in(self.circuit, spin) if self.map.has_pumping else spin


def write_map(
    comm: MPI.Intracomm, driven: CurrentMap, spin: Macrospin, path: Path, picture: Picture, *, title: str = ""
) -> dict[str, Any]:
    """Write ``torque_map.json``, ``torque_map.csv`` and ``torque_map.png``; return numbers. Collective.

    Parameters
    ----------
    driven
        Map and drive.
    spin
        Macrospin of the free layer with its pumping, if there is any.
    path
        Folder of the files.
    picture
        Function that takes a name and a function that draws to a path.
    title
        Title of the picture.

    Returns
    -------
    dict
        Numbers of the summary, from which :func:`table` makes lines.
    """
    driven.map.save(comm, path / "torque_map.json")
    wells = [w.direction for w in survey(spin).wells]
    critical = [driven.map.critical_current_density(spin, w) for w in wells]
    if isinstance(driven.map, TorqueMap):
        return _write_angles(comm, driven.map, driven.circuit, spin, path, picture, title) | {
            "critical_current_density": critical
        }
    directions = np.array(wells).reshape(-1, 3)
    return _write_directions(comm, driven.map, driven.circuit, spin, directions, path, picture, title) | {
        "critical_current_density": critical
    }


def _write_angles(
    comm: MPI.Intracomm,
    found: TorqueMap,
    circuit: Circuit,
    spin: Macrospin,
    path: Path,
    picture: Picture,
    title: str,
) -> dict[str, Any]:
    """Write the table and the picture of a map against an angle; return its numbers."""
    torque, angle = found.torque_in(circuit, spin), np.linspace(0.0, 180.0, 181)
    c = np.cos(np.radians(angle))
    columns = {
        "angle_deg": angle,
        "damping_like_T": torque.damping_like(c),
        "field_like_T": torque.field_like(c),
        "resistance_area_ohm_m2": found.resistance_area(c),
    }
    pumped: dict[str, Any] = {}
    if isinstance(spin.pumping, AngularDamping):
        in_plane, across = spin.pumping.in_plane, spin.pumping.normal
        columns |= {"damping_in_plane": in_plane(c), "damping_across": across(c)}
        pumped["pumped_damping"] = {k: [float(f(np.array(x))) for f in (in_plane, across)] for k, x in _ENDS.items()}
    output.write_csv(comm, path / "torque_map.csv", columns)
    picture("torque_map.png", lambda p: plot_map(comm, p, found, circuit, spin, title=title))
    return {
        "layer": found.layer,
        "polarizer": list(found.polarizer),
        "alone": found.alone,
        "solves": found.solves,
        "fit": found.fit,
        "error": found.error,
        "damping_like": {k: float(torque.damping_like(x)) for k, x in _ENDS.items()},
        "field_like": {k: float(torque.field_like(x)) for k, x in _ENDS.items()},
        "resistance_area": {k: float(found.resistance_area(x)) for k, x in _ENDS.items()},
        **pumped,
    }


def _write_directions(
    comm: MPI.Intracomm,
    found: DirectionMap,
    circuit: Circuit,
    spin: Macrospin,
    wells: np.ndarray[Any, np.dtype[np.float64]],
    path: Path,
    picture: Picture,
    title: str,
) -> dict[str, Any]:
    """Write the table and the picture of a map over the sphere; return its numbers. `wells` are directions (n, 3)."""
    theta, phi, u = directions_grid(19, 37)
    # The torque in Gilbert's equation over gamma (T).
    field = found.torque_in(circuit, spin).gilbert(u, spin) / spin.gyromagnetic_ratio
    columns: dict[str, Any] = {
        "polar_deg": theta,
        "azimuth_deg": phi,
        **{f"torque_{x}_T": field[:, k] for k, x in enumerate("xyz")},
        "resistance_area_ohm_m2": found.resistance_at(u),
    }
    pumped: dict[str, Any] = {}
    if spin.pumping is not None:
        columns["mean_pumped_damping"] = np.trace(spin.pumping.tensor(u), axis1=1, axis2=2) / 2
        tensors = spin.pumping.tensor(wells)
        pumped["pumped_damping"] = [np.linalg.eigvalsh((x + x.T) / 2)[1:].tolist() for x in tensors]
    output.write_csv(comm, path / "torque_map.csv", columns)
    picture("torque_map.png", lambda p: plot_sphere_map(comm, p, found, circuit, spin, title=title))
    return {
        "layer": found.layer,
        "polarizer": None,
        "degree": found.degree,
        "solves": found.solves,
        "fit": found.fit,
        "error": found.error,
        "largest_torque": float(np.linalg.norm(field, axis=1).max()),
        "resistance_area": [float(x) for x in found.resistance_at(wells)],
        **pumped,
    }


def table(summary: dict[str, Any]) -> list[str]:
    """Return a map's numbers in a summary as lines for a terminal."""
    numbers = summary["torque_map"]
    if numbers["polarizer"] is None:
        lines = _direction_lines(numbers)
    else:
        lines = _angle_lines(numbers, summary["case"]["macrospin"]["damping"])
    for well, critical in zip(summary["macrospin"]["wells"], numbers["critical_current_density"], strict=True):
        if critical is not None:
            direction = ", ".join(f"{x:.3g}" for x in well["direction"])
            lines.append(f"{'':<14} critical current density at ({direction}): {critical:.4g} A/m2")
    return lines


def _angle_lines(numbers: dict[str, Any], alpha: float) -> list[str]:
    a, b = (1e3 * numbers[k]["perpendicular"] for k in ("damping_like", "field_like"))
    lines = [f"torque on {numbers['layer']:<4} at 90 degrees: damping-like {a:.4g} mT, field-like {b:.4g} mT"]
    if "pumped_damping" in numbers:
        p, ap = (numbers["pumped_damping"][k][0] for k in ("parallel", "antiparallel"))
        pumped = f"pumped damping, beside {alpha:g}: {p:.4g}"
        if numbers["alone"]:
            return [f"{numbers['layer']:<14} is the only magnet, no torque; {pumped}"]
        lines.append(f"{'':<14} {pumped} at parallel, {ap:.4g} at antiparallel")
    return lines


def _direction_lines(numbers: dict[str, Any]) -> list[str]:
    lines = [
        f"torque on {numbers['layer']:<4} up to {1e3 * numbers['largest_torque']:.4g} mT, over the sphere: degree "
        f"{numbers['degree']}, {numbers['solves']} directions"
    ]
    for values in numbers.get("pumped_damping", []):
        lines.append(f"{'':<14} pumped damping at a well: {', '.join(f'{x:.4g}' for x in values)}")
    return lines
