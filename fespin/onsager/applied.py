"""Fluxes along axes that a mesh does not have, driven by given forces: currents in the plane of a film on a line.

The whole gradient of a field j is ``g_j = grad w_j - E_j`` with the given force E_j. All axes of the fluxes
``-J_ia = sum T_iajb g_jb`` count: those of the mesh are solved for, the others are reported here, and the power
that the given forces put in is ``sum E_j . integral of J_j``.
"""

from __future__ import annotations

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from .power import region_volume, weighted_volume
from .system import Fields, System

type Array = NDArray[np.float64]


def in_plane_fluxes(system: System, w: Fields) -> dict[str, Array]:
    """Return the integral of every field's flux density over each region, along the axes the mesh lacks. Collective.

    Parameters
    ----------
    system
        Problem with :attr:`~fespin.onsager.declaration.Declaration.applied` or without.
    w
        One function per field.

    Returns
    -------
    dict
        Per region an array (field, 3): A m for charge (A/m on a line), zero along the axes of the mesh.
    """
    axes = [a for a in range(3) if not system.domain.frame[:, a].any()]
    return {r: _of_region(system, w, r, axes) for r in system.domain.regions}


def _of_region(system: System, w: Fields, region: str, axes: list[int]) -> Array:
    c, given, n = system.coefficients, system.applied, len(system.fields)
    out = np.zeros((n, 3))
    varies = region in c.varying
    m = system.directions.cells[region][1] if varies else None
    volume = region_volume(system, region) if given.any() and not varies else 0.0
    for i, a in ((i, a) for i in range(n) for a in axes):
        # Whole gradients have what is given alone along this axis.
        if m is not None:
            drift = c.varying[region][0].at(m, i) @ given[:, a]
        else:
            drift = c.conduction[c.regions.index(region), i] @ given[:, a]
        row = None
        if region in c.varying_tensors and m is not None:
            row = c.varying_tensors[region].at(m, i, a)
        elif region in c.tensors:
            row = c.tensors[region][i, a]
        if row is not None:
            drift = drift + np.einsum("...jb,jb->...", row, given)
            out[i, a] -= _integral(system, w, region, row)
        if given.any():
            out[i, a] += weighted_volume(system, region, drift) if varies else volume * float(drift)
    return out


def _integral(system: System, w: Fields, region: str, row: Array) -> float:
    """Integrate sum_jb row_jb d_b w_j over a region; row has the shape (field, 3), or (cells, points, field, 3)."""
    total = 0.0
    for j, f in enumerate(w):
        load = fem.Function(f.function_space)
        system.add_gradient_load(load, {region: row[..., j, :]})
        total += float(load.x.array @ f.x.array)
    return float(system.comm.allreduce(total)) * system.domain.depth


def applied_power(system: System, w: Fields) -> float:
    """Return the power that given forces put in (W; W/m2 on a line). Collective."""
    given = system.applied
    if not given.any():
        return 0.0
    return float(sum((flux * given).sum() for flux in in_plane_fluxes(system, w).values()))
