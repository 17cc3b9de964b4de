"""Numbers of films: layers on a line that an electric field in their plane drives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .solution import TransportSolution


def film_numbers(solution: TransportSolution, electric_field: Sequence[float]) -> dict[str, Any]:
    """Return the field, mean current densities in the plane and the sheet resistance, by their names in a summary.

    Parameters
    ----------
    solution
        Of a line, with the field.
    electric_field
        E (V/m); the part along the line is not used.

    Returns
    -------
    dict
        "in_plane_field" (V/m), (2,); "in_plane_current" by layer (A/m2), (2,) each: means over the layers; and
        "sheet_resistance" E^2/(E.K) (ohm) with the sheet current K, None if no current flows along E.

    Examples
    --------
    >>> platinum = fs.Material("Pt", 2.5e-7, 1.5e-9, spin_hall_angle=0.1)
    >>> film = fs.Stack(fs.Layer(platinum, 5e-9, "hm"), library={})
    >>> ends = {"bottom": "blocked", "top": "blocked"}
    >>> problem = fs.TransportProblem(fs.line(comm, film), fs.Vector(), contacts=ends)
    >>> x = problem.solve(electric_field=(1e5, 0, 0))
    >>> print(f"{fs.transport.film_numbers(x, (1e5, 0, 0))['sheet_resistance']:.2f}")  # less than rho/d = 50
    49.72
    """
    e = np.array([*electric_field[:2]], dtype=float)
    sheet = {k: np.array(x["charge"][:2]) for k, x in solution.in_plane_currents.items()}
    along = float(sum(e @ k for k in sheet.values()))
    return {
        "in_plane_field": e.tolist(),
        "in_plane_current": {k: (x / solution.stack[k].thickness).tolist() for k, x in sheet.items()},
        "sheet_resistance": float(e @ e) / along if along else None,
    }
