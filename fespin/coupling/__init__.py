"""Real space and the sphere together: spin torque drives the magnetization, the magnetization pumps spins."""

from .pumping import PumpingSolution, pumped_damping, pumping_matrix, solve_turning
from .torque_map import TorqueMap, torque_map

__all__ = ["PumpingSolution", "TorqueMap", "pumped_damping", "pumping_matrix", "solve_turning", "torque_map"]
