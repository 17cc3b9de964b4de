"""Spin transport in real space."""

from .multilayer import MultilayerSolution, solve_multilayer
from .problem import TransportProblem
from .s_d import FourChannel, ThreeChannel, band_lengths
from .solution import Profile, TransportSolution
from .thermoelectric import Thermoelectric
from .two_channel import TwoChannel
from .vector import Vector

__all__ = [
    "FourChannel",
    "MultilayerSolution",
    "Profile",
    "Thermoelectric",
    "ThreeChannel",
    "TransportProblem",
    "TransportSolution",
    "TwoChannel",
    "Vector",
    "band_lengths",
    "solve_multilayer",
]
