"""Real space and the sphere together: spin torque drives the magnetization, the magnetization pumps spins.

Names are imported when first used: a case is checked without DOLFINx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from .angle_maps import TorqueMap, torque_map
    from .balance import EnergyBalance, energy_balance, mean_electrical_power
    from .circuit import Circuit
    from .direction_maps import DirectionMap, direction_map
    from .film_maps import FilmMap, film_map
    from .groups import Groups, in_groups
    from .noise_heating import d_current, effective_temperature, heated_spin
    from .pumping import PumpingSolution, pumped_damping, pumping_matrix, solve_turning
    from .relaxation import (
        FaceDifferences,
        RelaxationMap,
        chi_slope,
        chi_slope_of_resistance,
        face_differences,
        relaxation_map,
    )
    from .voltage_maps import VoltageMap, voltage_map
    from .wegrowe import (
        SpinTransferBlock,
        coupled_fluxes,
        coupled_matrix,
        coupled_power,
        ferromagnetic_coefficient,
        largest_cross,
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
        "angle_maps": ("TorqueMap", "torque_map"),
        "noise_heating": ("d_current", "effective_temperature", "heated_spin"),
        "groups": ("Groups", "in_groups"),
        "direction_maps": ("DirectionMap", "direction_map"),
        "film_maps": ("FilmMap", "film_map"),
        "relaxation": (
            "FaceDifferences",
            "RelaxationMap",
            "chi_slope",
            "chi_slope_of_resistance",
            "face_differences",
            "relaxation_map",
        ),
        "voltage_maps": ("VoltageMap", "voltage_map"),
        "wegrowe": (
            "SpinTransferBlock",
            "coupled_fluxes",
            "coupled_matrix",
            "coupled_power",
            "ferromagnetic_coefficient",
            "largest_cross",
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
    "FaceDifferences",
    "FilmMap",
    "Groups",
    "PumpingSolution",
    "RelaxationMap",
    "SpinTransferBlock",
    "TorqueMap",
    "VoltageMap",
    "chi_slope",
    "chi_slope_of_resistance",
    "coupled_fluxes",
    "coupled_matrix",
    "coupled_power",
    "d_current",
    "direction_map",
    "effective_temperature",
    "energy_balance",
    "face_differences",
    "ferromagnetic_coefficient",
    "film_map",
    "heated_spin",
    "in_groups",
    "largest_cross",
    "mean_electrical_power",
    "pumped_damping",
    "pumping_field",
    "pumping_increase",
    "pumping_matrix",
    "pumping_voltage",
    "relaxation_map",
    "solve_turning",
    "torque_map",
    "torque_potentials",
    "transverse_cross",
    "transverse_slopes",
    "voltage_map",
]
