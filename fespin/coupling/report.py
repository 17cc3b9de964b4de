"""What is told of a torque map: numbers, a curve, a picture, a file to load again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from .. import output
from ..macrospin import survey
from ..macrospin.spin import Macrospin
from ..macrospin.torque import AngularTorque
from .maps import TorqueMap

type Picture = Callable[[str, Callable[[Path], None]], None]


@dataclass(frozen=True)
class DrivenMap:
    """A torque map with its drive: a current density (A/m2) or a voltage (V), the other None."""

    map: TorqueMap
    current_density: float | None
    voltage: float | None

    def torque(self, spin: Macrospin) -> AngularTorque:
        """Return the torque on the free layer."""
        return self.map.torque(spin, current_density=self.current_density, voltage=self.voltage)


def write_map(
    comm: MPI.Intracomm, driven: DrivenMap, spin: Macrospin, path: Path, picture: Picture, *, title: str = ""
) -> dict[str, Any]:
    """Write ``torque_map.json``, ``torque_map.csv`` and ``torque_map.png``; return numbers. Collective.

    Parameters
    ----------
    path
        The folder.
    picture
        Takes a name and a function that draws to a path.
    """
    found, torque = driven.map, driven.torque(spin)
    found.save(comm, path / "torque_map.json")
    angle = np.linspace(0.0, 180.0, 181)
    c = np.cos(np.radians(angle))
    columns = {
        "angle_deg": angle,
        "damping_like_T": torque.damping_like(c),
        "field_like_T": torque.field_like(c),
        "resistance_area_ohm_m2": found.resistance_area(c),
    }
    output.write_csv(comm, path / "torque_map.csv", columns)
    picture("torque_map.png", lambda p: plot_map(comm, p, driven, spin, title=title))
    ends = {"parallel": 1.0, "perpendicular": 0.0, "antiparallel": -1.0}
    return {
        "layer": found.layer,
        "polarizer": list(found.polarizer),
        "solves": found.solves,
        "error": found.error,
        "damping_like": {k: float(torque.damping_like(x)) for k, x in ends.items()},
        "field_like": {k: float(torque.field_like(x)) for k, x in ends.items()},
        "resistance_area": {k: float(found.resistance_area(x)) for k, x in ends.items()},
        "critical_current_density": [found.critical_current_density(spin, w.direction) for w in survey(spin).wells],
    }


def table(summary: dict[str, Any]) -> list[str]:
    """Return a torque map's numbers as lines for a terminal."""
    told, lines = summary["torque_map"], []
    a, b = (1e3 * told[k]["perpendicular"] for k in ("damping_like", "field_like"))
    lines.append(f"torque on {told['layer']:<4} at 90 degrees: damping-like {a:.4g} mT, field-like {b:.4g} mT")
    for well, critical in zip(summary["macrospin"]["wells"], told["critical_current_density"], strict=True):
        if critical is not None:
            direction = ", ".join(f"{x:.3g}" for x in well["direction"])
            lines.append(f"{'':<14} critical current density at ({direction}): {critical:.4g} A/m2")
    return lines


def plot_map(comm: MPI.Intracomm, path: Path, driven: DrivenMap, spin: Macrospin, *, title: str = "") -> None:
    """Draw the torque as fields (mT), with the sine of the angle, and the resistance against it, on rank 0."""
    if comm.rank:
        return
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from ..palette import LINES

    torque, angle = driven.torque(spin), np.linspace(0.0, 180.0, 361)
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    figure, (above, below) = plt.subplots(2, 1, figsize=(6.4, 6.2), sharex=True, layout="constrained")
    above.plot(angle, 1e3 * torque.damping_like(c) * s, color=LINES[0], lw=2.2, label="damping-like")
    above.plot(angle, 1e3 * torque.field_like(c) * s, color=LINES[1], lw=2.2, ls="--", label="field-like")
    above.axhline(0.0, color="0.75", lw=0.8, zorder=0)
    above.set_ylabel(r"torque per moment, field $\times$ sin$\theta$ (mT)")
    above.legend(frameon=False)
    below.plot(angle, 1e15 * driven.map.resistance_area(c), color=LINES[2], lw=2.2)
    below.set_ylabel(r"$AR$ (f$\Omega\,$m$^2$)")
    below.set_xlabel("angle between free and fixed layer (degrees)")
    below.set_xticks(range(0, 181, 30))
    drive = f"{driven.current_density:.3g} A/m$^2$" if driven.current_density is not None else f"{driven.voltage:.3g} V"
    figure.suptitle(f"{title}\n{drive}" if title else drive, fontsize=11)
    figure.savefig(path, dpi=150)
    plt.close(figure)
