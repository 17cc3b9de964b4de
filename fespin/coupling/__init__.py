"""Real space and the sphere together: spin torque drives the magnetization, the magnetization pumps spins.

Names are imported when first used: a case is checked without DOLFINx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from .balance import EnergyBalance, energy_balance, mean_electrical_power
    from .circuit import Circuit
    from .groups import Groups, in_groups
    from .maps import TorqueMap, torque_map
    from .pumping import PumpingSolution, pumped_damping, pumping_matrix, solve_turning
    from .sphere_map import DirectionMap, direction_map
    from .wegrowe import (
        SpinTransferBlock,
        chi_slope,
        chi_slope_of_resistance,
        coupled_fluxes,
        coupled_power,
        d_current,
        effective_temperature,
        ferromagnetic_coefficient,
        heated_spin,
        pumping_field,
        pumping_increase,
        pumping_voltage,
        torque_potentials,
        transverse_cross,
        transverse_slopes,
    )

__getattr__ = lazily(
    __name__,
    {
        "balance": ("EnergyBalance", "energy_balance", "mean_electrical_power"),
        "circuit": ("Circuit",),
        "pumping": ("PumpingSolution", "pumped_damping", "pumping_matrix", "solve_turning"),
        "maps": ("TorqueMap", "torque_map"),
        "groups": ("Groups", "in_groups"),
        "sphere_map": ("DirectionMap", "direction_map"),
        "wegrowe": (
            "SpinTransferBlock",
            "chi_slope",
            "chi_slope_of_resistance",
            "coupled_fluxes",
            "coupled_power",
            "d_current",
            "effective_temperature",
            "ferromagnetic_coefficient",
            "heated_spin",
            "pumping_field",
            "pumping_increase",
            "pumping_voltage",
            "torque_potentials",
            "transverse_cross",
            "transverse_slopes",
        ),
    },
)

__all__ = [
    "Circuit",
    "DirectionMap",
    "EnergyBalance",
    "Groups",
    "PumpingSolution",
    "SpinTransferBlock",
    "TorqueMap",
    "chi_slope",
    "chi_slope_of_resistance",
    "coupled_fluxes",
    "coupled_power",
    "d_current",
    "direction_map",
    "effective_temperature",
    "energy_balance",
    "ferromagnetic_coefficient",
    "heated_spin",
    "in_groups",
    "mean_electrical_power",
    "pumped_damping",
    "pumping_field",
    "pumping_increase",
    "pumping_matrix",
    "pumping_voltage",
    "solve_turning",
    "torque_map",
    "torque_potentials",
    "transverse_cross",
    "transverse_slopes",
]
