"""Units of the entries of ``summary.json`` about transport and a macrospin."""

from __future__ import annotations

from typing import Any

from ..tasks import Results

_STATES = {
    "voltage": "V",
    "current_density": "A/m2",
    "resistance": "ohm",
    "resistance_area": "ohm m2",
    "voltages": "V",
    "power_balance": "1",
    "accumulation": "V",
    "spin_accumulation": "V",
    "d_accumulation": "V",
    "layer_drops": "V",
    "interface_drops": "V",
    "measured_resistance": "ohm",
    "r_nonequilibrium": "ohm m2",
    "r_gmr": "ohm m2",
    "in_plane_field": "V/m",
    "in_plane_current": "A/m2",
    "sheet_resistance": "ohm",
    "lengths": "m",
    "f_parallel": "A/m2",
    "torque": "J/m2",
    "barrier_voltage": "V",
    "tmr": "1",
    "temperature": "K",
    "temperatures": "K",
    "energy_balance": "1",
    "newton_steps": "1",
    "isothermal_resistance_area": "ohm m2",
    "seebeck": "V/K",
    "peltier": "V",
    "thermal_resistance_area": "K m2/W",
    "dofs": "1",
    "iterations": "1",
}
_TOP = {
    "delta_resistance_area": "ohm m2",
    "magnetoresistance": "1",
    "delta_seebeck": "V/K",
    "magneto_seebeck": "1",
    "delta_voltages": "V",
    "delta_measured_resistance": "ohm",
}
_MATERIALS = {
    "resistivity": "ohm m",
    "spin_diffusion_length": "m",
    "beta": "1",
    "conductivity": "S/m",
    "spin_flip_coefficient": "S/m3",
    "sd_coefficient": "S/m3",
    "sd_up_coefficient": "S/m3",
    "sd_spin_flip_coefficient": "S/m3",
    "d_spin_flip_coefficient": "S/m3",
    "seebeck": "V/K",
    "thermal_conductivity": "W/(m K)",
    "resistivity_temperature_coefficient": "1/K",
    "seebeck_temperature_coefficient": "1/K",
    "thermal_conductivity_temperature_coefficient": "1/K",
    "transverse_conductivity": "S/m",
    "dephasing_length": "m",
    "precession_length": "m",
    "density_of_states": "1/(J m3)",
    "g_factor": "1",
    "spin_hall_angle": "1",
    "anisotropic_magnetoresistance": "1",
}
_INTERFACES = {
    "area_resistance_star": "ohm m2",
    "gamma": "1",
    "mixing_conductance": "S/m2",
    "thermal_conductance": "W/(m2 K)",
    "spin_memory_loss": "S/m2",
    "tunnel": {
        "resistance_area": "ohm m2",
        "tmr": "1",
        "polarization": "1",
        "half_voltage": "V",
        "conductance_voltage": "V",
        "field_like": ["J/(m2 V)", "J/(m2 V2)"],
        "exchange_coupling": "J/m2",
        "thickness": "m",
        "table": "V",
    },
}
_MACROSPIN = {
    "volume": "m3",
    "thermal_energy": "J",
    "free_relaxation_time": "s",
    "reduced_time_per_second": "1/s",
    "direction": "1",
    "energy": "kT",
    "barrier": "kT",
    "damping_like": "T",
    "field_like": "T",
    "mesh_size": "1",
}
_TORQUE_MAP = {
    "polarizer": "1",
    "damping_like": "T",
    "field_like": "T",
    "resistance_area": "ohm m2",
    "critical_current_density": "A/m2",
    "in_plane_direction": "1",
    "in_plane_field": "V/m",
    "current_density": "A/m2",
    "sheet_resistance": "ohm",
    "critical_field": "V/m",
    "pumped_damping": "1",
    "largest_torque": "T",
    "solves": "1",
    "error": "1",
    "degree": "1",
}
_RELAXATION_MAP = {
    "axis": "1",
    "cross": "1/(V s m2)",
    "relative_cross": "1",
    "differences": "ohm m2",
    "own_differences": "ohm m2",
    "slope": "1/s",
    "resistance_area": "ohm m2",
    "critical_current_density": "A/m2",
    "solves": "1",
    "error": "1",
}
_SHIFTS = {
    "direction": "1",
    "half_widths": "1/s",
    "angular_frequencies": "rad/s",
    "switching_field": "T",
    "dwell_times": "s",
    "loop_shift": "T",
    "loop_widening": "T",
    "dwell_time_ratios": "1",
}
_LONGITUDINAL = {
    "coefficient": "K m4/A2",
    "relaxation_time": "s",
    "wells": "1",
    "current_density": "A/m2",
    "d_current": "A/m2",
    "temperature": "K",
    "rate": "1/s",
    "modulus_squared": "1",
    "saturation_magnetization": "A/m",
    "barriers": "kT_eff",
    "odd_barriers": "kT_eff",
}
_POTENTIALS = {"axis": "1", "cosine": "1", "directions": "1", "chi": "1/s", "phi": "1/s"}


def units(summary: Results) -> dict[str, Any]:
    """Return the units of the entries about transport and a macrospin.

    A line has no cross-section: where other devices have a current in A, it has a current density.
    """
    states = dict(_STATES)
    for state in summary.get("states", {}).values():
        power = state["dissipated_power_unit"]
        area = "" if power == "W" else "/m2"
        states |= dict.fromkeys(("dissipated_power", "power_by_mechanism", "power_by_place"), power)
        states |= dict.fromkeys(("current", "currents", "channel_currents"), f"A{area}")
        states |= dict.fromkeys(("heat_current", "heat_currents"), power)
        states["entropy_production"] = "W/(m2 K)" if area else "W/K"
    return _TOP | {
        "states": states,
        "materials": _MATERIALS,
        "interfaces": _INTERFACES,
        "macrospin": _MACROSPIN,
        "torque_map": _TORQUE_MAP,
        "relaxation_map": _RELAXATION_MAP,
        "longitudinal": _LONGITUDINAL,
        "potentials": _POTENTIALS,
        "shifts": _SHIFTS,
    }
