"""Files, numbers and lines for a terminal of the map of a film."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ..macrospin.landscape import survey
from ..macrospin.spin import Macrospin
from ..plotting.films import plot_film_map
from ..plotting.maps import plot_sphere_map
from .angle_maps import TorqueMap
from .film_maps import FilmMap
from .map_tables import write_angles, write_directions

type Array = NDArray[np.float64]
type Picture = Callable[[str, Callable[[Path], None]], None]
"""Takes the name of a picture and a function that draws it to a path."""

# What takes the place of A R in the map of a film.
_RESISTANCE = {"resistance": "sheet_resistance", "unit": "ohm"}


def write_film(
    comm: MPI.Intracomm, film: FilmMap, spin: Macrospin, path: Path, picture: Picture, *, title: str = ""
) -> dict[str, Any]:
    """Write the files and the picture of the map of a film; return its numbers. Collective.

    These are ``torque_map.json``, per sheet current, ``torque_map.csv`` and ``torque_map.png``.

    Parameters
    ----------
    film
        Map and field.
    spin
        Macrospin of the magnet with its pumping, if there is any.
    path
        Folder of the files.
    picture
        Function that takes a name and a function that draws to a path.
    title
        Title of the picture.

    Returns
    -------
    dict
        Entry "torque_map" of the summary, from which :func:`film_lines` makes lines.
    """
    film.map.save(comm, path / "torque_map.json")
    wells: Array = np.array([w.direction for w in survey(spin).wells]).reshape(-1, 3)
    critical = [film.critical_field(spin, w) for w in wells]
    numbers = {
        "layer": film.map.layer,
        "in_plane_direction": list(film.axis),
        "in_plane_field": film.field,
        "heavy_metal": film.metal,
        "current_density": film.current_density,
        "critical_field": critical,
        "critical_current_density": [None if e is None else film.at(e).current_density for e in critical],
        "solves": film.map.solves,
        "fit": film.map.fit,
        "error": film.map.error,
    }
    if isinstance(film.map, TorqueMap):
        numbers |= write_angles(comm, film.map, film.circuit, spin, path, **_RESISTANCE)
        picture("torque_map.png", lambda p: plot_film_map(comm, p, film, spin, title=title))
    else:
        numbers |= write_directions(comm, film.map, film.circuit, spin, wells, path, **_RESISTANCE)
        found, circuit = film.map, film.circuit
        resistance = (r"sheet resistance ($\Omega$)", 1.0)
        picture(
            "torque_map.png",
            lambda p: plot_sphere_map(comm, p, found, circuit, spin, title=title, resistance=resistance),
        )
    return {"torque_map": numbers}


def film_lines(summary: dict[str, Any]) -> list[str]:
    """Return the numbers of the map of a film in a summary as lines for a terminal."""
    numbers = summary["torque_map"]
    drive = (
        f"E = {numbers['in_plane_field']:.4g} V/m, {numbers['current_density']:.4g} A/m2 in {numbers['heavy_metal']}"
    )
    if numbers["polarizer"] is None:
        lines = [
            f"torque on {numbers['layer']:<4} up to {1e3 * numbers['largest_torque']:.4g} mT, over the sphere: degree "
            f"{numbers['degree']}, {numbers['solves']} directions; {drive}"
        ]
    else:
        a, b = (1e3 * numbers[k]["perpendicular"] for k in ("damping_like", "field_like"))
        lines = [f"torque on {numbers['layer']:<4} damping-like {a:.4g} mT, field-like {b:.4g} mT along z x E; {drive}"]
        if "pumped_damping" in numbers:
            alpha, pumped = summary["case"]["macrospin"]["damping"], numbers["pumped_damping"]["perpendicular"][0]
            lines.append(f"{'':<14} pumped damping, beside {alpha:g}: {pumped:.4g}")
    wells = summary["macrospin"]["wells"]
    for well, field, current in zip(wells, numbers["critical_field"], numbers["critical_current_density"], strict=True):
        if field is not None:
            direction = ", ".join(f"{x:.3g}" for x in well["direction"])
            lines.append(f"{'':<14} critical at ({direction}): {field:.4g} V/m, {current:.4g} A/m2 in the heavy metal")
    return lines
