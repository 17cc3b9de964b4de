"""What a device does to its free layer under a current or voltage: files, numbers and lines for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.optimize import brentq

from .. import output
from ..errors import ModelError
from ..macrospin.landscape import survey
from ..macrospin.spin import Macrospin
from ..macrospin.stability import critical_factor
from ..macrospin.torque import AngularTorque, SpinTorque
from ..plotting.maps import plot_map, plot_sphere_map, plot_voltages
from .angle_maps import TorqueMap
from .circuit import Circuit
from .direction_maps import DirectionMap, DirectionTorque
from .face_torque import FaceTorque, face_lines, write_faces
from .longitudinal_drive import LongitudinalDrive, longitudinal_lines, write_longitudinal
from .map_tables import ENDS, write_angles, write_directions
from .voltage_maps import VoltageMap

type Picture = Callable[[str, Callable[[Path], None]], None]
"""Takes the name of a picture and a function that draws it to a path."""

type Array = NDArray[np.float64]


@dataclass(frozen=True)
class CurrentMap:
    """A map with what drives the device.

    Attributes
    ----------
    map
        Torque of transverse spins and resistance against the direction of the free layer; None without this torque.
    circuit
        Current or voltage.
    faces
        Torque of what relaxes at the faces of the free layer, with the same axis; None without it.
    along
        Length and noise of the free layer; None if both are fixed.
    given
        A torque that is proportional to the drive and not the device's; at the drive of the circuit.
    follows
        Map against the voltage of a device whose torque is not proportional to the drive; `map` is then that at the
        circuit's drive.

    Raises
    ------
    ModelError
        If both torques are there and have different axes, or there is nothing.
    """

    map: TorqueMap | DirectionMap | None
    circuit: Circuit
    faces: FaceTorque | None = None
    along: LongitudinalDrive | None = None
    given: SpinTorque | None = None
    follows: VoltageMap | None = None

    def __post_init__(self) -> None:
        if self.faces is None:
            if self.map is None and self.along is None:
                raise ModelError("map of a device: there is neither a torque of transverse spins nor one of relaxation")
        elif self.map is not None and not (
            isinstance(self.map, TorqueMap) and np.allclose(self.map.polarizer, self.faces.map.axis, atol=1e-12)
        ):
            raise ModelError("map of a device: both torques need the same axis")

    @classmethod
    def of_voltage(cls, found: VoltageMap, circuit: Circuit) -> CurrentMap:
        """Return the map of a device that follows the voltage, at a drive."""
        return cls(found.at(circuit), circuit, follows=found)

    @property
    def device(self) -> TorqueMap | DirectionMap | FaceTorque | None:
        """Return the map that tells the resistance against the direction; None if only that of a state is known."""
        return self.map if self.map is not None else self.faces

    @property
    def drive_unit(self) -> str:
        """Return the unit of drives."""
        return "A/m2" if self.circuit.voltage is None else "V"

    def at(self, drive: float) -> CurrentMap:
        """Return the same with another current density (A/m2) or voltage (V)."""
        key = "current_density" if self.circuit.voltage is None else "voltage"
        circuit = replace(self.circuit, **{key: drive})
        given = None if self.given is None else self.given.scaled(drive / getattr(self.circuit, key))
        found = self.map if self.follows is None else self.follows.at(circuit)
        return replace(self, circuit=circuit, map=found, given=given)

    @property
    def drive(self) -> float:
        """Return the current density (A/m2) or voltage (V)."""
        drive = self.circuit.current_density if self.circuit.voltage is None else self.circuit.voltage
        assert drive is not None
        return drive

    def torque(self, spin: Macrospin) -> AngularTorque | DirectionTorque | SpinTorque | None:
        """Return the torque on the free layer: of transverse spins, of relaxation, their sum, or one that is given."""
        if self.faces is None:
            return self.given if self.map is None else self.map.torque_in(self.circuit, spin)
        relaxed = self.faces.torque_in(self.circuit, spin)
        if self.map is None:
            return relaxed
        across = self.map.torque_in(self.circuit, spin)
        assert isinstance(across, AngularTorque)
        return AngularTorque(
            across.damping_like + relaxed.damping_like, across.field_like + relaxed.field_like, across.polarizer
        )

    def magnet(self, spin: Macrospin, *, backwards: bool = False) -> Macrospin:
        """Return the free layer with what the current makes of its length and noise, and with pumped damping.

        Parameters
        ----------
        spin
            Without current.
        backwards
            True: with the length and noise that the layer has when it is reversed.
        """
        if self.along is not None:
            spin = self.along.magnet(self.circuit, spin, self.along.reversed if backwards else None)
        return spin if self.map is None or not self.map.has_pumping else self.map.pumped_in(self.circuit, spin)

    def critical_current_density(self, spin: Macrospin, well: Sequence[float] | Array) -> float | None:
        """Return the current density (A/m2) at which a state loses its stability, or None; see :class:`TorqueMap`.

        Of a device that follows the voltage None: see :meth:`critical_drive`.
        """
        if self.follows is not None:
            return None
        torque = replace(self, circuit=Circuit(current_density=1.0)).torque(spin)
        return None if torque is None else critical_factor(spin, torque, well)

    def critical_drive(self, spin: Macrospin, well: Sequence[float] | Array) -> float | None:
        """Return the voltage or current density at which a state loses its stability, or None within the map.

        Without temperature; the torque must not shift the state. Of both signs, the smaller drive.
        """
        if self.follows is None:
            return self.critical_current_density(spin, well)
        largest = self.follows.largest_drive(self.circuit)

        def excess(drive: float) -> float:
            torque = self.at(drive).torque(spin)
            assert torque is not None  # the device makes one
            factor = critical_factor(spin, torque, well)
            # The factor on the torque is 1 at the critical drive; its inverse is zero without a torque.
            return -1.0 if factor is None or factor <= 0 else 1 / factor - 1

        found = []
        for sign in (1.0, -1.0):
            drives = sign * largest * np.linspace(0.0, 1.0, 33)[1:]
            values = [excess(float(x)) for x in drives]
            first = next((k for k, x in enumerate(values) if x >= 0), None)
            if first is not None:
                low = float(drives[first - 1]) if first else 0.0
                found.append(float(brentq(excess, low, float(drives[first]), xtol=1e-10 * largest)))
        return min(found, key=abs, default=None)


def write_map(
    comm: MPI.Intracomm,
    driven: CurrentMap,
    spin: Macrospin,
    path: Path,
    picture: Picture,
    *,
    bare: Macrospin | None = None,
    title: str = "",
) -> dict[str, Any]:
    """Write the files and pictures of the maps that there are; return numbers. Collective.

    These are ``torque_map.json``, ``torque_map.csv`` and ``torque_map.png`` of transverse spins, and
    ``relaxation_map.csv`` of what relaxes at faces; and ``longitudinal.csv`` and ``longitudinal.png``.

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
    bare
        Macrospin of the free layer without current; default `spin`.
    title
        Title of the picture.

    Returns
    -------
    dict
        Entries "torque_map", "relaxation_map" and "longitudinal" of the summary, from which :func:`table` makes lines.
    """
    wells = [w.direction for w in survey(spin).wells]
    critical: dict[str, Any] = {"critical_current_density": [driven.critical_current_density(spin, w) for w in wells]}
    if driven.follows is not None:
        key = "critical_current_density" if driven.circuit.voltage is None else "critical_voltage"
        critical = {key: [driven.critical_drive(spin, w) for w in wells]}
    out: dict[str, Any] = {}
    if driven.map is not None:
        driven.map.save(comm, path / "torque_map.json")
        found, circuit = driven.map, driven.circuit
        numbers: dict[str, Any] = {
            "layer": found.layer,
            "solves": found.solves,
            "fit": found.fit,
            "error": found.error,
        }
        if isinstance(found, TorqueMap):
            numbers |= {"alone": found.alone, **write_angles(comm, found, circuit, spin, path)}
            picture("torque_map.png", lambda p: plot_map(comm, p, found, circuit, spin, title=title))
        else:
            directions = np.array(wells).reshape(-1, 3)
            numbers |= write_directions(comm, found, circuit, spin, directions, path)
            picture("torque_map.png", lambda p: plot_sphere_map(comm, p, found, circuit, spin, title=title))
        if driven.follows is not None:
            numbers |= _write_voltages(comm, driven.follows, path, picture, title)
        out["torque_map"] = numbers | critical
    if driven.faces is not None:
        out["relaxation_map"] = write_faces(comm, driven.faces, driven.circuit, spin, path) | critical
    if driven.along is not None:
        whole = spin if bare is None else bare
        out["longitudinal"] = write_longitudinal(comm, driven.along, driven.circuit, whole, path, picture, title=title)
    return out


def _write_voltages(comm: MPI.Intracomm, found: VoltageMap, path: Path, picture: Picture, title: str) -> dict[str, Any]:
    """Write torque and resistance against the voltage as a table and a picture; return numbers."""
    voltage = np.asarray(np.linspace(-found.span, found.span, 201), dtype=np.float64)
    columns: dict[str, Any] = {"voltage_V": voltage}
    for name, c in ENDS.items():
        d, f, g = found.functions(np.full_like(voltage, c), voltage)[:3]
        columns |= {f"current_density_{name}_A_per_m2": g * voltage}
        if name == "perpendicular":
            columns |= {"damping_like_J_per_m2": d * voltage, "field_like_J_per_m2": f * voltage}
    output.write_csv(comm, path / "voltage_map.csv", columns)
    picture("voltage_map.png", lambda p: plot_voltages(comm, p, found, title=title))
    return {"largest_voltage": found.span}


def table(summary: dict[str, Any]) -> list[str]:
    """Return the numbers of the maps in a summary as lines for a terminal."""
    lines: list[str] = []
    wells = summary["macrospin"]["wells"]
    numbers: dict[str, Any] = {"critical_current_density": [None] * len(wells)}
    if "torque_map" in summary:
        numbers = summary["torque_map"]
        if numbers["polarizer"] is None:
            lines += _direction_lines(numbers)
        else:
            lines += _angle_lines(numbers, summary["case"]["macrospin"]["damping"])
    if "relaxation_map" in summary:
        numbers = summary["relaxation_map"]
        lines += face_lines(numbers)
    if "longitudinal" in summary:
        lines += longitudinal_lines(summary["longitudinal"])
    key, unit = ("critical_voltage", "V") if "critical_voltage" in numbers else ("critical_current_density", "A/m2")
    for well, critical in zip(wells, numbers[key], strict=True):
        if critical is not None:
            direction = ", ".join(f"{x:.3g}" for x in well["direction"])
            lines.append(f"{'':<14} {key.replace('_', ' ')} at ({direction}): {critical:.4g} {unit}")
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
