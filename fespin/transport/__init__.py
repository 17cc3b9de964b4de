"""Spin transport in real space."""

from .multilayer import MultilayerSolution, solve_multilayer
from .problem import TransportProblem
from .solution import Profile, TransportSolution
from .two_channel import TwoChannel

__all__ = [
    "MultilayerSolution",
    "Profile",
    "TransportProblem",
    "TransportSolution",
    "TwoChannel",
    "solve_multilayer",
]
