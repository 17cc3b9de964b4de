"""Scales of a macrospin's problem: how fine a mesh must be, and the unit of reduced time."""

from __future__ import annotations

import numpy as np

from .landscape import survey
from .spin import Macrospin


def suggested_mesh_size(spin: Macrospin) -> float:
    """Return a mesh size for degree 4 on a graded mesh, at which probabilities are right to about 1e-3.

    Wells are as wide as one over the root of their curvature; at low damping, what leaves a
    well does so in thin spirals.

    Examples
    --------
    >>> from fespin.sigma import suggested_mesh_size
    >>> bit = fs.Macrospin(2e-24, 8e5, 0.05, terms=[fs.Uniaxial(stability=60)])
    >>> round(suggested_mesh_size(spin), 2) > round(suggested_mesh_size(bit), 2)
    True
    """
    curvature = 1.0
    for well in survey(spin).wells:
        low, high = (max(c, 1.0) for c in well.curvatures)
        curvature = max(curvature, float(np.sqrt(low * high)))
    size = 0.2 * min(1.5, (120 / curvature) ** 0.25)
    return float(np.clip(size * min(1.0, (spin.damping / 0.1) ** 0.25), 0.02, 0.3))


def reduced_time(spin: Macrospin) -> float:
    """Return alpha gamma mu0 H_K/(1 + alpha^2) (1/s), the reduced time of one second.

    H_K is the anisotropy field of the deepest well without applied field, the mean of its two stiffnesses; zero
    without anisotropy.
    """
    wells = survey(spin.with_field((0.0, 0.0, 0.0)) if any(spin.field) else spin).wells
    return float(np.mean(wells[0].curvatures)) * spin.diffusion if wells else 0.0
