"""Tables and numbers of torque maps, for devices that a current crosses and for films that one flows along."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from .. import output
from ..macrospin.damping import AngularDamping
from ..macrospin.spin import Macrospin
from ..plotting.maps import directions_grid
from .angle_maps import TorqueMap
from .circuit import Circuit
from .direction_maps import DirectionMap

type Array = NDArray[np.float64]

ENDS = {"parallel": 1.0, "perpendicular": 0.0, "antiparallel": -1.0}
"""Cosines of the angle to the axis of a map at which a summary gives numbers."""


def write_angles(
    comm: MPI.Intracomm,
    found: TorqueMap,
    circuit: Circuit,
    spin: Macrospin,
    path: Path,
    *,
    resistance: str = "resistance_area",
    unit: str = "ohm_m2",
) -> dict[str, Any]:
    """Write ``torque_map.csv`` of a map against an angle; return its numbers. Collective.

    Parameters
    ----------
    spin
        Macrospin of the free layer with its pumping, if there is any.
    path
        Folder of the file.
    resistance, unit
        What the map's resistance is called in the table and in the numbers, and its unit in the table.
    """
    torque, angle = found.torque_in(circuit, spin), np.linspace(0.0, 180.0, 181)
    c = np.cos(np.radians(angle))
    columns = {
        "angle_deg": angle,
        "damping_like_T": torque.damping_like(c),
        "field_like_T": torque.field_like(c),
        f"{resistance}_{unit}": found.resistance_area(c),
    }
    pumped: dict[str, Any] = {}
    if isinstance(spin.pumping, AngularDamping):
        in_plane, across = spin.pumping.in_plane, spin.pumping.normal
        columns |= {"damping_in_plane": in_plane(c), "damping_across": across(c)}
        pumped["pumped_damping"] = {k: [float(f(np.array(x))) for f in (in_plane, across)] for k, x in ENDS.items()}
    output.write_csv(comm, path / "torque_map.csv", columns)
    at: dict[str, Callable[[float], Any]] = {
        "damping_like": torque.damping_like,
        "field_like": torque.field_like,
        resistance: found.resistance_area,
    }
    numbers = {key: {k: float(f(x)) for k, x in ENDS.items()} for key, f in at.items()}
    return {"polarizer": list(found.polarizer), **numbers, **pumped}


def write_directions(
    comm: MPI.Intracomm,
    found: DirectionMap,
    circuit: Circuit,
    spin: Macrospin,
    wells: Array,
    path: Path,
    *,
    resistance: str = "resistance_area",
    unit: str = "ohm_m2",
) -> dict[str, Any]:
    """Write ``torque_map.csv`` of a map over the sphere; return its numbers. Collective.

    Parameters
    ----------
    spin
        Macrospin of the free layer with its pumping, if there is any.
    wells
        Directions at which numbers are given, (n, 3).
    path
        Folder of the file.
    resistance, unit
        What the map's resistance is called in the table and in the numbers, and its unit in the table.
    """
    theta, phi, u = directions_grid(19, 37)
    # The torque in Gilbert's equation over gamma (T).
    field = found.torque_in(circuit, spin).gilbert(u, spin) / spin.gyromagnetic_ratio
    columns: dict[str, Any] = {
        "polar_deg": theta,
        "azimuth_deg": phi,
        **{f"torque_{x}_T": field[:, k] for k, x in enumerate("xyz")},
        f"{resistance}_{unit}": found.resistance_at(u),
    }
    pumped: dict[str, Any] = {}
    if spin.pumping is not None:
        columns["mean_pumped_damping"] = np.trace(spin.pumping.tensor(u), axis1=1, axis2=2) / 2
        tensors = spin.pumping.tensor(wells)
        pumped["pumped_damping"] = [np.linalg.eigvalsh((x + x.T) / 2)[1:].tolist() for x in tensors]
    output.write_csv(comm, path / "torque_map.csv", columns)
    return {
        "polarizer": None,
        "degree": found.degree,
        "largest_torque": float(np.linalg.norm(field, axis=1).max()),
        resistance: [float(x) for x in found.resistance_at(wells)],
        **pumped,
    }
