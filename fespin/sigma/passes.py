"""A sphere for rates over high barriers: fine where the energy is near that of a pass, coarse elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mpi4py import MPI

from ..energy.on_sphere import Array, tangent_frame
from ..macrospin.landscape import survey
from ..macrospin.spin import Macrospin
from .bisection import Size
from .escape import SURE
from .space import Sigma

# Barriers (kT) above which a sphere that is graded by the energy of the wells resolves neither wells nor passes.
HIGH = 80.0
# Largest variation of the energy (kT) in a cell at the height of a pass.
_AT_PASS = 16.0
# Growth of that variation per kT of distance from the height of the pass, or from the bottom of a well.
_GROWTH = 1.5
# Largest variation (kT) in cells so near to a pass in energy that they carry the flux.
_NEAR_PASS = 30.0
# Largest variation (kT) in a cell at the bottom of a well.
_IN_WELL = 30.0
# Longest edge of a cell (radians).
_LARGEST = 0.35


def is_high(spin: Macrospin) -> bool:
    """Return whether a well is so deep that rates need a sphere of their own."""
    heights = [w.height for w in survey(spin).wells]
    return any(HIGH < x < np.inf for x in heights)


def beyond_triangles(spin: Macrospin, *, rings: bool) -> str:
    """Return the message for rates over high barriers under a torque, which no mesh of triangles holds.

    Parameters
    ----------
    rings
        Whether rings around an axis are still to be tried.
    """
    height = max(w.height for w in survey(spin).wells if np.isfinite(w.height))
    known = "sphere.method = 'fourier', " if rings else ""
    return (
        f"escape: triangles do not resolve rates over {height:.3g} kT under a torque; try {known}a damping below "
        "0.1, a polarizer along the wells' axis, or barriers below 100 kT"
    )


def sphere_for_rates(
    comm: MPI.Intracomm, spin: Macrospin, *, axis: Sequence[float] | Array = (0.0, 0.0, 1.0), degree: int = 4
) -> Sigma:
    """Return a sphere on which rates of escape without torque are right to about 1e-3 over any barrier. Collective.

    Raises
    ------
    InputError
        If it would have more than 40 000 cells, as for flat magnets with barriers of thousands of kT.
    """
    return Sigma.bisected(comm, _sizes(spin), axis=tuple(axis), degree=degree)


def _sizes(spin: Macrospin) -> Size:
    """Return the length of edges in which the energy varies by what is allowed, from its slope and curvature."""
    land, v = survey(spin), spin.reduced_energy
    passes = np.array([float(v(u[None])[0]) for u in land.saddles])
    bottoms = np.array([w.energy for w in land.wells])

    def size(u: Array) -> Array:
        energy = v(u)
        slope, bend = np.linalg.norm(v.gradient(u), axis=1), np.abs(v.hessian(u, tangent_frame(u))).max(axis=(1, 2))
        above, deep = (np.abs(energy[:, None] - x).min(axis=1) for x in (passes, bottoms))
        # In wells densities are integrated only, for which coarse cells do.
        change = np.minimum(_AT_PASS + _GROWTH * np.maximum(above - _AT_PASS, 0.0), _IN_WELL + _GROWTH * deep)
        change = np.where(above < SURE + _AT_PASS, np.minimum(change, _NEAR_PASS), change)
        return np.asarray(np.minimum(2 * change / (slope + np.sqrt(slope**2 + 2 * bend * change) + 1e-300), _LARGEST))

    return size
