"""Real space and the sphere together: spin torque drives the magnetization, the magnetization pumps spins."""

from .pumping import PumpingSolution, pumped_damping, pumping_matrix, solve_turning

__all__ = ["PumpingSolution", "pumped_damping", "pumping_matrix", "solve_turning"]
