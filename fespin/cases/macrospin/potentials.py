"""The potentials of a case's torque, X = grad chi + u x grad Phi: numbers, table and picture."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from ... import output
from ...coupling.direction_maps import DirectionTorque
from ...energy.on_sphere import Array, tangent_frame
from ...harmonics import even_directions
from ...macrospin import AngularTorque, Macrospin, SpinTorque
from ...plotting.maps import directions_grid
from ...plotting.potentials import plot_potentials, plot_sphere_potentials
from ..tasks import Picture, Results

# Cosines in the summary and in the table, and directions in the summary.
_COSINES, _ROWS, _DIRECTIONS = 41, 361, 100
# Polynomials of degree 256 at most have an exact integral.
_NODES = 129


def write_potentials(
    comm: MPI.Intracomm,
    spin: Macrospin,
    torque: SpinTorque | AngularTorque | DirectionTorque,
    path: Path,
    picture: Picture,
    *,
    title: str = "",
) -> Results:
    """Write ``potentials.csv`` and ``potentials.png``; return the potentials at fixed points. Collective.

    Their means over the sphere are zero.

    Parameters
    ----------
    spin
        Macrospin with its pumping, if there is any.
    path
        Folder of the files.
    picture
        Function that takes a name and a function that draws to a path.

    Returns
    -------
    dict
        "axis", "cosine", "chi" and "phi" (1/s) of a torque with an axis, else "directions", "chi" and "phi"; these two
        are None if harmonics do not resolve the torque.
    """
    if isinstance(torque, DirectionTorque):
        return _over_the_sphere(comm, spin, torque, path, picture, title)
    c = np.cos(np.linspace(0.0, np.pi, _ROWS))
    chi, phi = potentials_against(torque, spin, c)
    columns: dict[str, Any] = {"cosine": c, "chi_per_s": chi, "phi_per_s": phi}
    output.write_csv(comm, path / "potentials.csv", columns)
    draw = functools.partial(plot_potentials, comm, cosine=c, chi=chi, phi=phi, diffusion=spin.diffusion, title=title)
    picture("potentials.png", lambda p: draw(path=p))
    c = np.linspace(-1.0, 1.0, _COSINES)
    chi, phi = potentials_against(torque, spin, c)
    axis = [float(x) for x in torque.polarizer]
    return {"axis": axis, "cosine": c.tolist(), "chi": chi.tolist(), "phi": phi.tolist()}


def potentials_against(torque: SpinTorque | AngularTorque, spin: Macrospin, cosine: Array) -> tuple[Array, Array]:
    """Return chi and Phi (1/s), of mean zero over the sphere, at cosines of the angle to the axis of a torque."""
    p = np.asarray(torque.polarizer, dtype=float)
    across = tangent_frame(p[None])[0, 0]

    def at(c: Array) -> Array:
        found = torque.potentials(c[:, None] * p + np.sqrt(np.maximum(1 - c * c, 0.0))[:, None] * across, spin)
        assert found is not None  # pumping has the axis of the torque
        return np.array(found)

    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    chi, phi = at(cosine) - (at(nodes) @ weights / 2)[:, None]
    return chi, phi


def _over_the_sphere(
    comm: MPI.Intracomm, spin: Macrospin, torque: DirectionTorque, path: Path, picture: Picture, title: str
) -> Results:
    u = even_directions(0, _DIRECTIONS)
    found = torque.potentials(u, spin)
    if found is None:
        return {"directions": u.tolist(), "chi": None, "phi": None}
    theta, azimuth, grid = directions_grid(46, 91)
    values = torque.potentials(grid, spin)
    assert values is not None
    columns: dict[str, Any] = {
        "polar_deg": theta,
        "azimuth_deg": azimuth,
        "chi_per_s": values[0],
        "phi_per_s": values[1],
    }
    output.write_csv(comm, path / "potentials.csv", columns)
    shape = (91, 46)
    drawn = np.array(values).reshape(2, *shape)
    picture(
        "potentials.png",
        lambda p: plot_sphere_potentials(comm, p, theta.reshape(shape), azimuth.reshape(shape), drawn, title=title),
    )
    return {"directions": u.tolist(), "chi": found[0].tolist(), "phi": found[1].tolist()}
