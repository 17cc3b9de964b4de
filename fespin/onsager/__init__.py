"""Declarations of dissipation, turned into weak forms, solved, and reported as power.

Names are imported when first used: a declaration needs no DOLFINx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from .channels import Channels
    from .declaration import (
        Along,
        Conjugates,
        ContactLaw,
        Declaration,
        GradientCoupling,
        InterfaceLaw,
        JumpLaw,
        Mechanism,
        Medium,
        Reversible,
        StateLaw,
        Varying,
    )
    from .matrices import mechanisms_of, uniaxial
    from .power import Dissipation, dissipation, moments
    from .state_laws import StateSystem
    from .system import System
    from .terminals import Terminal, TerminalSolver

__getattr__ = lazily(
    __name__,
    {
        "channels": ("Channels",),
        "declaration": (
            "Along",
            "Conjugates",
            "ContactLaw",
            "Declaration",
            "GradientCoupling",
            "InterfaceLaw",
            "JumpLaw",
            "Mechanism",
            "Medium",
            "Reversible",
            "StateLaw",
            "Varying",
        ),
        "matrices": ("mechanisms_of", "uniaxial"),
        "power": ("Dissipation", "dissipation", "moments"),
        "state_laws": ("StateSystem",),
        "system": ("System",),
        "terminals": ("Terminal", "TerminalSolver"),
    },
)

__all__ = [
    "Along",
    "Channels",
    "Conjugates",
    "ContactLaw",
    "Declaration",
    "Dissipation",
    "GradientCoupling",
    "InterfaceLaw",
    "JumpLaw",
    "Mechanism",
    "Medium",
    "Reversible",
    "StateLaw",
    "StateSystem",
    "System",
    "Terminal",
    "TerminalSolver",
    "Varying",
    "dissipation",
    "mechanisms_of",
    "moments",
    "uniaxial",
]
