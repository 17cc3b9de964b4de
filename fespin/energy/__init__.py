"""Energies of a magnet: declared once as densities, used for one direction on the sphere and for m(x) in space.

Names are imported when first used: a case is checked without DOLFINx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from .collection import AnyTerm
    from .declaration import EnergyTerm, Scales, SurfaceTerm, stability_constant
    from .demagnetization import ellipsoid_factors, elliptic_cylinder_factors, rectangular_prism_factors
    from .dipolar import DipolarField
    from .functions import Density, Energy
    from .in_space import InSpace
    from .magnet import Magnet
    from .on_sphere import Pointwise
    from .terms import (
        Biaxial,
        BulkDMI,
        Cubic,
        Dipolar,
        Exchange,
        InterfaceAnisotropy,
        InterfacialDMI,
        InterlayerExchange,
        Shape,
        Uniaxial,
        Zeeman,
    )

__getattr__ = lazily(
    __name__,
    {
        "collection": ("AnyTerm",),
        "declaration": (
            "EnergyTerm",
            "Scales",
            "SurfaceTerm",
            "stability_constant",
        ),
        "demagnetization": (
            "ellipsoid_factors",
            "elliptic_cylinder_factors",
            "rectangular_prism_factors",
        ),
        "dipolar": ("DipolarField",),
        "functions": (
            "Density",
            "Energy",
        ),
        "in_space": ("InSpace",),
        "magnet": ("Magnet",),
        "on_sphere": ("Pointwise",),
        "terms": (
            "Biaxial",
            "BulkDMI",
            "Cubic",
            "Dipolar",
            "Exchange",
            "InterfaceAnisotropy",
            "InterfacialDMI",
            "InterlayerExchange",
            "Shape",
            "Uniaxial",
            "Zeeman",
        ),
    },
)

__all__ = [
    "AnyTerm",
    "Biaxial",
    "BulkDMI",
    "Cubic",
    "Density",
    "Dipolar",
    "DipolarField",
    "Energy",
    "EnergyTerm",
    "Exchange",
    "InSpace",
    "InterfaceAnisotropy",
    "InterfacialDMI",
    "InterlayerExchange",
    "Magnet",
    "Pointwise",
    "Scales",
    "Shape",
    "SurfaceTerm",
    "Uniaxial",
    "Zeeman",
    "ellipsoid_factors",
    "elliptic_cylinder_factors",
    "rectangular_prism_factors",
    "stability_constant",
]
