"""Real space and the sphere together: spin torque drives the magnetization, the magnetization pumps spins.

Names are imported when first used: a case is checked without DOLFINx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from .activation_fit import (
        ActivationData,
        ActivationFit,
        ActivationModel,
        ActivationParameters,
        ResonanceData,
        fit_activation,
    )
    from .angle_maps import TorqueMap, torque_map
    from .balance import EnergyBalance, energy_balance, mean_electrical_power
    from .circuit import Circuit
    from .direction_maps import DirectionMap, direction_map
    from .driven_magnet import DrivenMagnet
    from .film_maps import FilmMap, film_map
    from .groups import Groups, in_groups
    from .heating import Heating
    from .longitudinal_drive import LongitudinalDrive, LongitudinalResponse, longitudinal_response
    from .modulus import absorbed_spin_current, lengthened_spin, modulus_rate, modulus_squared
    from .modulus_time import longitudinal_time
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
    from .voltage_control import VoltageControl
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
        "activation_fit": (
            "ActivationData",
            "ActivationFit",
            "ActivationModel",
            "ActivationParameters",
            "ResonanceData",
            "fit_activation",
        ),
        "angle_maps": ("TorqueMap", "torque_map"),
        "longitudinal_drive": ("LongitudinalDrive", "LongitudinalResponse", "longitudinal_response"),
        "modulus": (
            "absorbed_spin_current",
            "lengthened_spin",
            "modulus_rate",
            "modulus_squared",
        ),
        "modulus_time": ("longitudinal_time",),
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
        "driven_magnet": ("DrivenMagnet",),
        "heating": ("Heating",),
        "voltage_control": ("VoltageControl",),
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
    "ActivationData",
    "ActivationFit",
    "ActivationModel",
    "ActivationParameters",
    "Circuit",
    "DirectionMap",
    "DrivenMagnet",
    "EnergyBalance",
    "FaceDifferences",
    "FilmMap",
    "Groups",
    "Heating",
    "LongitudinalDrive",
    "LongitudinalResponse",
    "PumpingSolution",
    "RelaxationMap",
    "ResonanceData",
    "SpinTransferBlock",
    "TorqueMap",
    "VoltageControl",
    "VoltageMap",
    "absorbed_spin_current",
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
    "fit_activation",
    "heated_spin",
    "in_groups",
    "largest_cross",
    "lengthened_spin",
    "longitudinal_response",
    "longitudinal_time",
    "mean_electrical_power",
    "modulus_rate",
    "modulus_squared",
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
