"""Real space and the sphere together: spin torque drives the magnetization, the magnetization pumps spins.

Names are imported when first used: a case is checked without DOLFINx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from .maps import TorqueMap, torque_map
    from .pumping import PumpingSolution, pumped_damping, pumping_matrix, solve_turning

__getattr__ = lazily(
    __name__,
    {
        "pumping": ("PumpingSolution", "pumped_damping", "pumping_matrix", "solve_turning"),
        "maps": ("TorqueMap", "torque_map"),
    },
)

__all__ = ["PumpingSolution", "TorqueMap", "pumped_damping", "pumping_matrix", "solve_turning", "torque_map"]
