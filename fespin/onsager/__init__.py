"""Declarations of dissipation, turned into weak forms, solved, and reported as power.

Names are imported when first used: a declaration needs no DOLFINx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from .channels import Channels
    from .declaration import ContactLaw, Declaration, InterfaceLaw, Mechanism, Medium, Reversible, mechanisms_of
    from .power import Dissipation, dissipation, moments
    from .system import System
    from .terminals import Terminal, TerminalSolver

__getattr__ = lazily(
    __name__,
    {
        "channels": ("Channels",),
        "declaration": (
            "ContactLaw",
            "Declaration",
            "InterfaceLaw",
            "Mechanism",
            "Medium",
            "Reversible",
            "mechanisms_of",
        ),
        "power": ("Dissipation", "dissipation", "moments"),
        "system": ("System",),
        "terminals": ("Terminal", "TerminalSolver"),
    },
)

__all__ = [
    "Channels",
    "ContactLaw",
    "Declaration",
    "Dissipation",
    "InterfaceLaw",
    "Mechanism",
    "Medium",
    "Reversible",
    "System",
    "Terminal",
    "TerminalSolver",
    "dissipation",
    "mechanisms_of",
    "moments",
]
