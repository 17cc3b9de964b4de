"""fespin: from a device's layer stack to its resistance, with FEniCSx.

Names are imported when first used, so that checking a case does not wait for DOLFINx.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .device import Contact, Interface, Layer, Material
    from .domain import Domain
    from .errors import FespinError, InputError, ModelError, SolverError
    from .geometry import from_file, lateral, line, pillar, strip
    from .materials import interfaces, material
    from .onsager import Terminal
    from .solvers import SolverOptions
    from .stack import Stack
    from .transport import TransportProblem, TransportSolution, TwoChannel, solve_multilayer

_HOME = {
    "device": ("Contact", "Interface", "Layer", "Material"),
    "domain": ("Domain",),
    "errors": ("FespinError", "InputError", "ModelError", "SolverError"),
    "geometry": ("from_file", "lateral", "line", "pillar", "strip"),
    "materials": ("interfaces", "material"),
    "onsager": ("Terminal",),
    "solvers": ("SolverOptions",),
    "stack": ("Stack",),
    "transport": ("TransportProblem", "TransportSolution", "TwoChannel", "solve_multilayer"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "Contact",
    "Domain",
    "FespinError",
    "InputError",
    "Interface",
    "Layer",
    "Material",
    "ModelError",
    "SolverError",
    "SolverOptions",
    "Stack",
    "Terminal",
    "TransportProblem",
    "TransportSolution",
    "TwoChannel",
    "from_file",
    "interfaces",
    "lateral",
    "line",
    "material",
    "pillar",
    "solve_multilayer",
    "strip",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'fespin' has no attribute '{name}'")
    value = getattr(importlib.import_module(f".{_MODULE_OF[name]}", __name__), name)
    globals()[name] = value
    return value
