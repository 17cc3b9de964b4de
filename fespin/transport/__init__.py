"""Spin transport in real space.

Names are imported when first used: a case is checked against its model without DOLFINx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from .films import film_numbers
    from .multilayer import MultilayerSolution, solve_multilayer
    from .problem import TransportProblem
    from .s_d import FourChannel, ThreeChannel, band_lengths
    from .seebeck import ThermoelectricCoefficients, thermoelectric_coefficients
    from .solution import Profile, TransportSolution
    from .thermoelectric import Thermoelectric
    from .two_channel import TwoChannel
    from .vector import Vector

__getattr__ = lazily(
    __name__,
    {
        "films": ("film_numbers",),
        "multilayer": ("MultilayerSolution", "solve_multilayer"),
        "problem": ("TransportProblem",),
        "s_d": ("FourChannel", "ThreeChannel", "band_lengths"),
        "seebeck": ("ThermoelectricCoefficients", "thermoelectric_coefficients"),
        "solution": ("Profile", "TransportSolution"),
        "thermoelectric": ("Thermoelectric",),
        "two_channel": ("TwoChannel",),
        "vector": ("Vector",),
    },
)

__all__ = [
    "FourChannel",
    "MultilayerSolution",
    "Profile",
    "Thermoelectric",
    "ThermoelectricCoefficients",
    "ThreeChannel",
    "TransportProblem",
    "TransportSolution",
    "TwoChannel",
    "Vector",
    "band_lengths",
    "film_numbers",
    "solve_multilayer",
    "thermoelectric_coefficients",
]
