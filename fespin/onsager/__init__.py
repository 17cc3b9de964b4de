"""Declarations of dissipation, turned into weak forms, solved, and reported as power."""

from .channels import Channels
from .declaration import ContactLaw, Declaration, InterfaceLaw, Mechanism, Medium, Reversible, mechanisms_of
from .power import Dissipation, dissipation, moments
from .system import System
from .terminals import Terminal, TerminalSolver

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
