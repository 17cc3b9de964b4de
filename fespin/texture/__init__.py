"""Textured magnets: m(x, t), the currents that move it, and the currents that it pumps.

Names are imported when first used: a case is checked without DOLFINx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from ..energy.dipolar import DipolarField
    from ..grid import Grid
    from .circuit import Flow, OhmicCircuit, pumped_field
    from .dynamics import Dynamics, History, Step
    from .energy import effective_field, stored_energy
    from .estimates import ThermalDrift, WallEstimates, thermal_drift
    from .generic import GenericMagnet
    from .hform import (
        LandauLifshitz,
        nonadiabatic_coefficient,
        spin_transfer_coefficient,
        static_field,
        static_voltage,
        steepest_static,
    )
    from .irreversible import Electrode, IrreversibleProblem, IrreversibleState
    from .magnet import SPIN_GYROMAGNETIC_RATIO, SteadyWall, TexturedMagnet
    from .ports import Lead
    from .relaxation import relax
    from .responses import Response, respond
    from .two_band import TwoBandMagnet
    from .vortices import VortexWatch, vortex
    from .walls import WallWatch, wall

__getattr__ = lazily(
    __name__,
    {
        ".energy.dipolar": ("DipolarField",),
        ".grid": ("Grid",),
        "dynamics": ("Dynamics", "History", "Step"),
        "energy": ("effective_field", "stored_energy"),
        "estimates": ("ThermalDrift", "WallEstimates", "thermal_drift"),
        "generic": ("GenericMagnet",),
        "hform": (
            "LandauLifshitz",
            "nonadiabatic_coefficient",
            "spin_transfer_coefficient",
            "static_field",
            "static_voltage",
            "steepest_static",
        ),
        "irreversible": ("Electrode", "IrreversibleProblem", "IrreversibleState"),
        "magnet": ("SPIN_GYROMAGNETIC_RATIO", "SteadyWall", "TexturedMagnet"),
        "ports": ("Lead",),
        "relaxation": ("relax",),
        "responses": ("Response", "respond"),
        "circuit": ("Flow", "OhmicCircuit", "pumped_field"),
        "two_band": ("TwoBandMagnet",),
        "vortices": ("VortexWatch", "vortex"),
        "walls": ("WallWatch", "wall"),
    },
)

__all__ = [
    "SPIN_GYROMAGNETIC_RATIO",
    "DipolarField",
    "Dynamics",
    "Electrode",
    "Flow",
    "GenericMagnet",
    "Grid",
    "History",
    "IrreversibleProblem",
    "IrreversibleState",
    "LandauLifshitz",
    "Lead",
    "OhmicCircuit",
    "Response",
    "SteadyWall",
    "Step",
    "TexturedMagnet",
    "ThermalDrift",
    "TwoBandMagnet",
    "VortexWatch",
    "WallEstimates",
    "WallWatch",
    "effective_field",
    "nonadiabatic_coefficient",
    "pumped_field",
    "relax",
    "respond",
    "spin_transfer_coefficient",
    "static_field",
    "static_voltage",
    "steepest_static",
    "stored_energy",
    "thermal_drift",
    "vortex",
    "wall",
]
