"""Textured magnets: m(x, t), the currents that move it, and the currents that it pumps.

Names are imported when first used: a case is checked without DOLFINx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from .dynamics import Dynamics, History, Step
    from .grid import Grid
    from .hform import Response, respond, spin_transfer_coefficient, static_field, steepest_static
    from .magnet import SPIN_GYROMAGNETIC_RATIO, SteadyWall, TexturedMagnet
    from .ports import Lead
    from .transport import Flow, Transport, pumped_field
    from .walls import WallWatch, wall

__getattr__ = lazily(
    __name__,
    {
        "dynamics": ("Dynamics", "History", "Step"),
        "grid": ("Grid",),
        "hform": ("Response", "respond", "spin_transfer_coefficient", "static_field", "steepest_static"),
        "magnet": ("SPIN_GYROMAGNETIC_RATIO", "SteadyWall", "TexturedMagnet"),
        "ports": ("Lead",),
        "transport": ("Flow", "Transport", "pumped_field"),
        "walls": ("WallWatch", "wall"),
    },
)

__all__ = [
    "SPIN_GYROMAGNETIC_RATIO",
    "Dynamics",
    "Flow",
    "Grid",
    "History",
    "Lead",
    "Response",
    "SteadyWall",
    "Step",
    "TexturedMagnet",
    "Transport",
    "WallWatch",
    "pumped_field",
    "respond",
    "spin_transfer_coefficient",
    "static_field",
    "steepest_static",
    "wall",
]
