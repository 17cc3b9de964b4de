"""Stacks for every transport model."""

STACK = """
title = "Co/Cu/Co"
[geometry]
shape = "line"
mesh_size = 2e-9
[[layer]]
material = "Cu"
thickness = 10e-9
[[layer]]
name = "fixed"
material = "Co"
thickness = 9e-9
magnetization = [0, 0, 1]
[[layer]]
material = "Cu"
thickness = 6e-9
[[layer]]
name = "free"
material = "Co"
thickness = 4e-9
[[layer]]
material = "Cu"
thickness = 10e-9
[material.Cu]
resistivity = 6.1e-9
spin_diffusion_length = 450e-9
[contact.bottom]
spin = "lead"
[contact.top]
spin = "reservoir"
"""
STATES = "[state.parallel]\nfree = [0, 0, 1]\n[state.antiparallel]\nfree = [0, 0, -1]\n"
THREE = """
[material.Co]
conductivity = { s_up = 1.1e7, s_down = 3.2e6, d_down = 1.7e6 }
spin_flip_coefficient = 2.3e21
sd_coefficient = 7.9e21
[interface."Co|Cu"]
area_resistance_star = 0.51e-15
gamma = 0.6
[transport]
model = "three-channel"
current_density = 3e10
"""
FOUR = THREE.replace("d_down = 1.7e6 }", "d_down = 1.7e6, d_up = 4e5 }").replace("three", "four")
FOUR = FOUR.replace(
    "[interface",
    "sd_up_coefficient = 3e21\nsd_spin_flip_coefficient = 6e20\nd_spin_flip_coefficient = 1e21\n[interface",
)
HEAT = """
[material.Co]
resistivity = 7.4e-8
beta = 0.36
spin_diffusion_length = 38e-9
seebeck = [-29e-6, -17e-6]
[interface."Co|Cu"]
conductance = [1.9e15, 0.5e15]
thermal_conductance = 1.3e9
[transport]
model = "thermoelectric"
reference_temperature = 285
current_density = 0
"""
WARM = STACK.replace('spin = "lead"', 'spin = "lead"\ntemperature = 288').replace(
    "450e-9", "450e-9\nseebeck = 1.7e-6\nthermal_conductivity = 390"
)
VECTOR = """
[material.Co]
resistivity = 7.4e-8
beta = 0.46
spin_diffusion_length = 41e-9
[interface."Co|Cu"]
conductance = [1.1e15, 4.1e14]
mixing_conductance = [5.5e14, 0.7e14]
[transport]
model = "vector"
current_density = 4e10
"""
TILTED = "[state.parallel]\nfree = [0, 0, 1]\n[state.tilted]\nfree = [1, 2, 2]\n"
