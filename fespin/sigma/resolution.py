"""How fine a mesh must be: before solving, and after."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from ..macrospin.pointwise import tangent_frame
from ..macrospin.scales import suggested_mesh_size
from ..macrospin.spin import PROBES, Macrospin
from .distribution import Surface
from .meridian import Meridian
from .mesh import FINEST
from .reduced import Reduced

# An estimated error beyond this makes a result worthless.
WORTHLESS = 0.5


def meridian_cells(reduced: Reduced) -> int:
    """Return how many cells resolve a symmetric problem in the polar angle to about 1e-7."""
    u = PROBES[:200]
    bend = np.abs(reduced.spin.reduced_energy.hessian(u, tangent_frame(u))).max()
    chi = reduced.torque.chi(u, reduced.spin) if reduced.driven and reduced.torque is not None else None
    span = np.ptp(chi[0]) / reduced.spin.diffusion if chi is not None else 0.0
    # Even, so that the equator is a node.
    return 2 * int(np.clip(2.0 * np.sqrt(max(float(bend) + float(span), 1.0)), 20, 200))


def require_resolution(surface: Surface, what: str, estimate: float, spin: Macrospin) -> None:
    """Refuse a result whose estimated error makes it worthless.

    Raises
    ------
    InputError
        With the mesh size that would do.
    """
    if estimate <= WORTHLESS or isinstance(surface, Meridian):
        return
    estimate = estimate if np.isfinite(estimate) else np.inf
    # The lower degree p has an error like h^(2 p), and a tenth is the aim; so far off the general rule is the guide.
    order = 2 * max(surface.degree - 1, 1)
    needed = min(surface.mesh_size * (0.1 / min(estimate, 1e4)) ** (1 / order), suggested_mesh_size(spin))
    needed = max(min(needed, surface.mesh_size / 1.2), surface.mesh_size / 6, FINEST)
    found = f"estimated relative error {estimate:.1g}" if estimate < 1e3 else "it does not converge"
    raise InputError(
        f"{surface.key}: {surface.mesh_size:.3g} is too coarse for {what} at this barrier and damping "
        f"({found}, degree {surface.degree}); {needed:.2g} would do at degree 4"
    )
