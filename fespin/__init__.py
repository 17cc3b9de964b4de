"""fespin: spin transport in nanodevices and the statistics of their free layers, with FEniCSx.

Names are imported when first used, so that checking a case does not wait for DOLFINx.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .demagnetization import ellipsoid_factors, elliptic_cylinder_factors, rectangular_prism_factors
    from .device import Contact, Interface, Layer, Material
    from .domain import Domain
    from .errors import FespinError, InputError, ModelError, SolverError
    from .geometry import from_file, lateral, line, pillar, strip
    from .macrospin import (
        Biaxial,
        Cubic,
        Energy,
        Macrospin,
        Shape,
        SpinTorque,
        Uniaxial,
        VectorTorque,
        Zeeman,
        first_passage,
        langevin,
        llg,
        power_spectrum,
        survey,
    )
    from .materials import interfaces, material
    from .onsager import Terminal
    from .sigma import FokkerPlanck, Sigma, decompose
    from .solvers import SolverOptions
    from .stack import Stack
    from .transport import TransportProblem, TransportSolution, TwoChannel, solve_multilayer

_HOME = {
    "demagnetization": ("ellipsoid_factors", "elliptic_cylinder_factors", "rectangular_prism_factors"),
    "carriers": ("Bands", "Thermal"),
    "device": ("Contact", "Interface", "Layer", "Material"),
    "domain": ("Domain",),
    "errors": ("FespinError", "InputError", "ModelError", "SolverError"),
    "geometry": ("from_file", "lateral", "line", "pillar", "strip"),
    "macrospin": (
        "Biaxial",
        "Cubic",
        "Energy",
        "Macrospin",
        "Shape",
        "SpinTorque",
        "Uniaxial",
        "VectorTorque",
        "Zeeman",
        "first_passage",
        "langevin",
        "llg",
        "power_spectrum",
        "survey",
    ),
    "materials": ("interfaces", "material"),
    "onsager": ("Terminal",),
    "sigma": ("FokkerPlanck", "Sigma", "decompose"),
    "solvers": ("SolverOptions",),
    "stack": ("Stack",),
    "transport": (
        "FourChannel",
        "Thermoelectric",
        "ThreeChannel",
        "TransportProblem",
        "TransportSolution",
        "TwoChannel",
        "Vector",
        "solve_multilayer",
    ),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "Bands",
    "Biaxial",
    "Contact",
    "Cubic",
    "Domain",
    "Energy",
    "FespinError",
    "FokkerPlanck",
    "FourChannel",
    "InputError",
    "Interface",
    "Layer",
    "Macrospin",
    "Material",
    "ModelError",
    "Shape",
    "Sigma",
    "SolverError",
    "SolverOptions",
    "SpinTorque",
    "Stack",
    "Terminal",
    "Thermal",
    "Thermoelectric",
    "ThreeChannel",
    "TransportProblem",
    "TransportSolution",
    "TwoChannel",
    "Uniaxial",
    "Vector",
    "VectorTorque",
    "Zeeman",
    "decompose",
    "ellipsoid_factors",
    "elliptic_cylinder_factors",
    "first_passage",
    "from_file",
    "interfaces",
    "langevin",
    "lateral",
    "line",
    "llg",
    "material",
    "pillar",
    "power_spectrum",
    "rectangular_prism_factors",
    "solve_multilayer",
    "strip",
    "survey",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'fespin' has no attribute '{name}'")
    value = getattr(importlib.import_module(f".{_MODULE_OF[name]}", __name__), name)
    globals()[name] = value
    return value
