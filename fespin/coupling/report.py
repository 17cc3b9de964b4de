"""What is told of a torque map: numbers, a curve, a picture, a file to load again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from .. import output
from ..energy.on_sphere import Array
from ..macrospin import AngularDamping, survey
from ..macrospin.spin import Macrospin
from ..macrospin.torque import AngularTorque
from .angle_maps import TorqueMap
from .circuit import Circuit
from .direction_maps import DirectionMap
from .sphere_report import sphere_table, write_sphere
from .sphere_torque import DirectionTorque

type Picture = Callable[[str, Callable[[Path], None]], None]


@dataclass(frozen=True)
class CurrentMap:
    """A torque map with what drives the device."""

    map: TorqueMap | DirectionMap
    circuit: Circuit

    def at(self, drive: float) -> CurrentMap:
        """Return the same with another current density or voltage."""
        key = "current_density" if self.circuit.voltage is None else "voltage"
        return replace(self, circuit=replace(self.circuit, **{key: drive}))

    def torque(self, spin: Macrospin) -> AngularTorque | DirectionTorque:
        """Return the torque on the free layer."""
        return self.map.torque(spin, **asdict(self.circuit))

    def pumped(self, spin: Macrospin) -> Macrospin:
        """Return the free layer with pumped damping, if the map holds it."""
        return spin if self.map.pumping is None else self.map.pumped(spin, **asdict(self.circuit))


def write_map(
    comm: MPI.Intracomm, driven: CurrentMap, spin: Macrospin, path: Path, picture: Picture, *, title: str = ""
) -> dict[str, Any]:
    """Write ``torque_map.json``, ``torque_map.csv`` and ``torque_map.png``; return numbers. Collective.

    Parameters
    ----------
    path
        The folder.
    picture
        Takes a name and a function that draws to a path.
    spin
        With its pumping, if there is any.
    """
    found, torque = driven.map, driven.torque(spin)
    if isinstance(found, DirectionMap):
        assert isinstance(torque, DirectionTorque)
        return write_sphere(comm, found, torque, spin, path, picture, title=title)
    assert isinstance(torque, AngularTorque)
    found.save(comm, path / "torque_map.json")
    angle = np.linspace(0.0, 180.0, 181)
    c = np.cos(np.radians(angle))
    columns = {
        "angle_deg": angle,
        "damping_like_T": torque.damping_like(c),
        "field_like_T": torque.field_like(c),
        "resistance_area_ohm_m2": found.resistance_area(c),
    }
    damping = _damping(spin)
    if damping is not None:
        columns |= {"damping_in_plane": damping[0](c), "damping_across": damping[1](c)}
    output.write_csv(comm, path / "torque_map.csv", columns)
    picture("torque_map.png", lambda p: plot_map(comm, p, driven, spin, title=title))
    ends = {"parallel": 1.0, "perpendicular": 0.0, "antiparallel": -1.0}
    pumped = {}
    if damping is not None:
        pumped = {"pumped_damping": {k: [float(f(np.array(x))) for f in damping] for k, x in ends.items()}}
    return {
        "layer": found.layer,
        "polarizer": list(found.polarizer),
        "alone": found.alone,
        "solves": found.solves,
        "error": found.error,
        "damping_like": {k: float(torque.damping_like(x)) for k, x in ends.items()},
        "field_like": {k: float(torque.field_like(x)) for k, x in ends.items()},
        "resistance_area": {k: float(found.resistance_area(x)) for k, x in ends.items()},
        **pumped,
        "critical_current_density": [found.critical_current_density(spin, w.direction) for w in survey(spin).wells],
    }


def _damping(spin: Macrospin) -> tuple[Callable[[Array], Array], Callable[[Array], Array]] | None:
    """Return the pumped damping of motion in the plane of u and p, and across it, as functions of c."""
    if not isinstance(spin.pumping, AngularDamping):
        return None
    return spin.pumping.in_plane, spin.pumping.normal


def table(summary: dict[str, Any]) -> list[str]:
    """Return a torque map's numbers as lines for a terminal."""
    told = summary["torque_map"]
    if told["polarizer"] is None:
        lines = sphere_table(told)
    else:
        a, b = (1e3 * told[k]["perpendicular"] for k in ("damping_like", "field_like"))
        lines = [f"torque on {told['layer']:<4} at 90 degrees: damping-like {a:.4g} mT, field-like {b:.4g} mT"]
        if "pumped_damping" in told:
            p, ap = (told["pumped_damping"][k][0] for k in ("parallel", "antiparallel"))
            alpha = summary["case"]["macrospin"]["damping"]
            pumped = f"pumped damping, beside {alpha:g}: {p:.4g}"
            if told["alone"]:
                lines = [f"{told['layer']:<14} is the only magnet, no torque; {pumped}"]
            else:
                lines.append(f"{'':<14} {pumped} at parallel, {ap:.4g} at antiparallel")
    for well, critical in zip(summary["macrospin"]["wells"], told["critical_current_density"], strict=True):
        if critical is not None:
            direction = ", ".join(f"{x:.3g}" for x in well["direction"])
            lines.append(f"{'':<14} critical current density at ({direction}): {critical:.4g} A/m2")
    return lines


def plot_map(comm: MPI.Intracomm, path: Path, driven: CurrentMap, spin: Macrospin, *, title: str = "") -> None:
    """Draw the torque as fields (mT), with the sine of the angle, and the resistance against it, on rank 0."""
    if comm.rank:
        return
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from ..plotting.palette import LINES

    torque, found, angle = driven.torque(spin), driven.map, np.linspace(0.0, 180.0, 361)
    assert isinstance(torque, AngularTorque) and isinstance(found, TorqueMap)
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    damping = _damping(spin)
    rows = 2 if damping is None else 3
    figure, axes = plt.subplots(rows, 1, figsize=(6.4, 1.4 + 2.4 * rows), sharex=True, layout="constrained")
    above, middle = axes[:2]
    above.plot(angle, 1e3 * torque.damping_like(c) * s, color=LINES[0], lw=2.2, label="damping-like")
    above.plot(angle, 1e3 * torque.field_like(c) * s, color=LINES[1], lw=2.2, ls="--", label="field-like")
    above.axhline(0.0, color="0.75", lw=0.8, zorder=0)
    above.set_ylabel("torque per moment,\n" + r"field $\times$ sin$\theta$ (mT)")
    above.legend(frameon=False)
    middle.plot(angle, 1e15 * found.resistance_area(c), color=LINES[2], lw=2.2)
    middle.set_ylabel(r"$AR$ (f$\Omega\,$m$^2$)")
    if damping is not None:
        axes[2].plot(angle, damping[0](c), color=LINES[0], lw=2.2, label="motion in the plane of both magnets")
        axes[2].plot(angle, damping[1](c), color=LINES[1], lw=2.2, ls="--", label="across it")
        axes[2].set_ylabel("pumped damping")
        axes[2].set_ylim(bottom=0.0)
        axes[2].legend(frameon=False)
    axes[-1].set_xlabel(
        "angle to the axis (degrees)" if found.alone else "angle between free and fixed layer (degrees)"
    )
    axes[-1].set_xticks(range(0, 181, 30))
    circuit = driven.circuit
    if circuit.voltage is None:
        drive = f"{circuit.current_density:.3g} A/m$^2$"
    else:
        load = circuit.series_resistance_area
        drive = f"{circuit.voltage:.3g} V" + (f" behind {1e15 * load:.3g} f$\\Omega\\,$m$^2$" if load else "")
    figure.suptitle(f"{title}\n{drive}" if title else drive, fontsize=11)
    figure.savefig(path, dpi=150)
    plt.close(figure)
