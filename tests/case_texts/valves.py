"""A spin valve, the smallest whole case of transport."""

CASE = """
title = "Co/Cu/Co spin valve"
[geometry]
shape = "line"
mesh_size = 1e-9
[[layer]]
name = "lead-bottom"
material = "Cu"
thickness = 10e-9
[[layer]]
name = "fixed"
material = "Co"
thickness = 6e-9
magnetization = [0, 0, 1]
[[layer]]
material = "Cu"
thickness = 10e-9
[[layer]]
name = "free"
material = "Co"
thickness = 3e-9
magnetization = [0, 0, 1]
[[layer]]
material = "Cu"
thickness = 10e-9
[material.Co]
resistivity_star = 75e-9
beta = 0.46
spin_diffusion_length = 60e-9
[material.Cu]
resistivity = 6e-9
spin_diffusion_length = 450e-9
[interface."Co|Cu"]
area_resistance_star = 0.51e-15
gamma = 0.77
[contact.bottom]
spin = "lead"
[contact.top]
spin = "lead"
[transport]
model = "two-channel"
current_density = 1e11
degree = 2
[state.parallel]
free = [0, 0, 1]
[state.antiparallel]
free = [0, 0, -1]
"""
