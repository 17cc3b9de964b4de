"""Sizes of meshes that a problem needs: before solving, and after."""

from __future__ import annotations

import numpy as np

from ..energy.on_sphere import tangent_frame
from ..errors import InputError
from ..macrospin.scales import suggested_mesh_size
from ..macrospin.spin import PROBES, Macrospin
from .dimensionless import DimensionlessDrift
from .distribution import Surface
from .mesh import FINEST
from .space import Sigma

# An estimated error beyond this makes a result worthless.
WORTHLESS = 0.5
# What a finer mesh aims at, and how many unknowns are still solved for in minutes.
_AIM, _AFFORDABLE = 0.05, 3e5


def meridian_cells(reduced: DimensionlessDrift) -> int:
    """Return how many cells resolve a symmetric problem in the polar angle to about 1e-7."""
    u = PROBES[:200]
    bend = np.abs(reduced.spin.reduced_energy.hessian(u, tangent_frame(u))).max()
    chi = reduced.torque.chi(u, reduced.spin) if reduced.has_torque and reduced.torque is not None else None
    span = np.ptp(chi[0]) / reduced.spin.diffusion if chi is not None else 0.0
    # Even, so that the equator is a node.
    return 2 * int(np.clip(2.0 * np.sqrt(max(float(bend) + float(span), 1.0)), 20, 200))


def remedy(
    surface: Surface, what: str, error: float, depth: float, integrated: float, last: float | None, spin: Macrospin
) -> str:
    """Return what would resolve a sample of a curve: a finer mesh, or something else where none is affordable.

    Parameters
    ----------
    what
        Name of the curve, for messages.
    error, depth, integrated
        The sample's estimated relative error, the same relative to what the sample may be, and the part of the first
        that is the time integration's.
    last
        The last time (s) at which the curve is resolved, if there is one.
    """
    found = f"estimated relative error {error:.1g}" if error < 1e3 else "it does not converge"
    other = "take" + (f" pulses up to {last:.3g} s, or" if last else "") + " langevin where 1e-5 or more is left"
    if integrated > WORTHLESS / 2 or not isinstance(surface, Sigma):
        return f"{what}: it drowns in the rounding of what is so much larger elsewhere ({found}); {other}"
    order = 2 * max(surface.degree - 1, 1)  # one less than in the limit of fine meshes
    needed = surface.mesh_size * min((_AIM / min(depth, 1e9)) ** (1 / order), 0.8)
    if surface.degree < 4 or surface.mesh_size > 1.5 * suggested_mesh_size(spin):
        # The mesh is too coarse to extrapolate from: the general rule gives the size.
        needed = min(max(needed, suggested_mesh_size(spin) / 1.5), suggested_mesh_size(spin))
    unknowns = surface.dofs * (4 / surface.degree * surface.mesh_size / needed) ** 2
    if needed < FINEST or unknowns > _AFFORDABLE:
        return f"{what}: a mesh that resolves it has {unknowns:.0e} unknowns ({found}); {other}"
    return (
        f"{surface.key}: {surface.mesh_size:.3g} is too coarse for {what} at this barrier and damping "
        f"({found}, degree {surface.degree}); {needed:.2g} would do at degree 4"
    )


def require_resolution(surface: Surface, what: str, estimate: float, spin: Macrospin) -> None:
    """Refuse a result whose estimated error makes it worthless.

    Raises
    ------
    InputError
        With the mesh size that would do.
    """
    if estimate <= WORTHLESS or not isinstance(surface, Sigma):
        return
    estimate = estimate if np.isfinite(estimate) else np.inf
    # The lower degree p has an error like h^(2 p), and a tenth is the aim; the general rule is the upper limit.
    order = 2 * max(surface.degree - 1, 1)
    needed = min(surface.mesh_size * (0.1 / min(estimate, 1e4)) ** (1 / order), suggested_mesh_size(spin))
    needed = max(min(needed, surface.mesh_size / 1.2), surface.mesh_size / 6, FINEST)
    found = f"estimated relative error {estimate:.1g}" if estimate < 1e3 else "it does not converge"
    raise InputError(
        f"{surface.key}: {surface.mesh_size:.3g} is too coarse for {what} at this barrier and damping "
        f"({found}, degree {surface.degree}); {needed:.2g} would do at degree 4"
    )
