"""Textured magnets: m(x, t), the currents that move it, and the currents that it pumps.

Names are imported when first used: a case is checked without DOLFINx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from .dynamics import Dynamics, History, Step
    from .generic import GenericMagnet
    from .grid import Grid
    from .hform import spin_transfer_coefficient, static_field, steepest_static
    from .irreversible import Electrode, IrreversibleProblem, IrreversibleState
    from .magnet import SPIN_GYROMAGNETIC_RATIO, SteadyWall, TexturedMagnet
    from .ports import Lead
    from .responses import Response, respond
    from .transport import Flow, Transport, pumped_field
    from .two_band import TwoBandMagnet
    from .walls import WallWatch, wall

__getattr__ = lazily(
    __name__,
    {
        "dynamics": ("Dynamics", "History", "Step"),
        "generic": ("GenericMagnet",),
        "grid": ("Grid",),
        "hform": ("spin_transfer_coefficient", "static_field", "steepest_static"),
        "irreversible": ("Electrode", "IrreversibleProblem", "IrreversibleState"),
        "magnet": ("SPIN_GYROMAGNETIC_RATIO", "SteadyWall", "TexturedMagnet"),
        "ports": ("Lead",),
        "responses": ("Response", "respond"),
        "transport": ("Flow", "Transport", "pumped_field"),
        "two_band": ("TwoBandMagnet",),
        "walls": ("WallWatch", "wall"),
    },
)

__all__ = [
    "SPIN_GYROMAGNETIC_RATIO",
    "Dynamics",
    "Electrode",
    "Flow",
    "GenericMagnet",
    "Grid",
    "History",
    "IrreversibleProblem",
    "IrreversibleState",
    "Lead",
    "Response",
    "SteadyWall",
    "Step",
    "TexturedMagnet",
    "Transport",
    "TwoBandMagnet",
    "WallWatch",
    "pumped_field",
    "respond",
    "spin_transfer_coefficient",
    "static_field",
    "steepest_static",
    "wall",
]
