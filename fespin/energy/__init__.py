"""Energies of a magnet: declared once as densities, used for one direction on the sphere and for m(x) in space.

Names are imported when first used: a case is checked without DOLFINx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from .demagnetization import ellipsoid_factors, elliptic_cylinder_factors, rectangular_prism_factors
    from .dipolar import DipolarField
    from .on_sphere import Pointwise
    from .terms import Biaxial, Cubic, Energy, EnergyTerm, Shape, Uniaxial, Zeeman

__getattr__ = lazily(
    __name__,
    {
        "demagnetization": ("ellipsoid_factors", "elliptic_cylinder_factors", "rectangular_prism_factors"),
        "dipolar": ("DipolarField",),
        "on_sphere": ("Pointwise",),
        "terms": ("Biaxial", "Cubic", "Energy", "EnergyTerm", "Shape", "Uniaxial", "Zeeman"),
    },
)

__all__ = [
    "Biaxial",
    "Cubic",
    "DipolarField",
    "Energy",
    "EnergyTerm",
    "Pointwise",
    "Shape",
    "Uniaxial",
    "Zeeman",
    "ellipsoid_factors",
    "elliptic_cylinder_factors",
    "rectangular_prism_factors",
]
