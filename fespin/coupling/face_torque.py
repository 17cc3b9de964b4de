"""The torque of what relaxes at the faces of a magnet, for one device: its numbers, table and lines for a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from .. import output
from ..macrospin.spin import Macrospin
from ..macrospin.torque import AngularTorque
from .circuit import Circuit
from .map_tables import ENDS
from .relaxation import RelaxationMap
from .wegrowe import largest_cross

type Array = NDArray[np.float64]


@dataclass(frozen=True)
class FaceTorque:
    """Differences at the faces of a magnet with what they are multiplied by.

    Attributes
    ----------
    map
        The differences against the direction of the magnet.
    cross
        l_f of the faces below and above (1/(V s m2)).
    subtract_own
        True: without what is left when the other magnets are made normal metals.
    """

    map: RelaxationMap
    cross: tuple[float, float]
    subtract_own: bool = False

    @property
    def thickness(self) -> float:
        """Return the thickness of the layer (m)."""
        return self.map.thickness

    def resistance_at(self, u: Array) -> Array:
        """Return A R (ohm m2) at directions u (n, 3)."""
        return np.asarray(self.map.resistance_area(u @ np.asarray(self.map.axis)), dtype=np.float64)

    def torque_in(self, circuit: Circuit, spin: Macrospin) -> AngularTorque:
        """Return the torque on a macrospin in a circuit; :meth:`RelaxationMap.torque` says what is refused."""
        return self.map.torque(
            spin,
            self.cross,
            current_density=circuit.current_density,
            voltage=circuit.voltage,
            series_resistance_area=circuit.series_resistance_area,
            subtract_own=self.subtract_own,
        )


def write_faces(
    comm: MPI.Intracomm, found: FaceTorque, circuit: Circuit, spin: Macrospin, path: Path
) -> dict[str, Any]:
    """Write ``relaxation_map.csv``; return the numbers of the summary. Collective.

    Parameters
    ----------
    circuit
        Drive, at which ``slope`` is given.
    spin
        Macrospin of the layer.
    path
        Folder of the file.
    """
    here = found.map
    angle = np.linspace(0.0, 180.0, 181)
    c = np.cos(np.radians(angle))
    # Along the axis: all of X, whatever the damping.
    slope = spin.gyromagnetic_ratio * found.torque_in(circuit, spin).damping_like
    columns = {
        "angle_deg": angle,
        "difference_below_ohm_m2": here.below(c),
        "difference_above_ohm_m2": here.above(c),
        "chi_slope_per_s": slope(c),
        "resistance_area_ohm_m2": here.resistance_area(c),
    }
    output.write_csv(comm, path / "relaxation_map.csv", columns)
    most = largest_cross(spin, here.material, process=here.process)

    def at_ends(*functions: Any) -> dict[str, Any]:
        values = {k: [float(f(x)) for f in functions] for k, x in ENDS.items()}
        return values if len(functions) > 1 else {k: x[0] for k, x in values.items()}

    return {
        "layer": here.layer,
        "process": here.process,
        "axis": list(here.axis),
        "alone": here.alone,
        "cross": list(found.cross),
        "relative_cross": [x / most for x in found.cross],
        "differences": at_ends(here.below, here.above),
        "own_differences": None if here.own is None else list(here.own),
        "slope": at_ends(slope),
        "resistance_area": at_ends(here.resistance_area),
        "solves": here.solves,
        "error": here.error,
    }


def face_lines(numbers: dict[str, Any]) -> list[str]:
    """Return the numbers of a summary as lines for a terminal."""
    slope = numbers["slope"]
    where = "the only magnet" if numbers["alone"] else "other magnets along the axis"
    return [
        f"faces of {numbers['layer']:<5} {numbers['process']} relaxes; {where}; chi' = {slope['parallel']:.4g} 1/s at "
        f"parallel, {slope['perpendicular']:.4g} at 90 degrees, {slope['antiparallel']:.4g} at antiparallel"
    ]
