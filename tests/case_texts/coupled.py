"""A device whose torque drives its free layer."""

STACK = """\
[[layer]]
material = "Cu"
thickness = 10e-9
[[layer]]
name = "fixed"
material = "Co"
thickness = 12e-9
magnetization = [0, 0, 1]
[[layer]]
material = "Cu"
thickness = 6e-9
[[layer]]
name = "free"
material = "Py"
thickness = 3e-9
magnetization = [0, 0, 1]
[[layer]]
material = "Cu"
thickness = 10e-9
[interface."Co|Cu"]
mixing_conductance = [5.5e14, 0.5e14]
[interface."Py|Cu"]
mixing_conductance = [3.9e14, 0.4e14]
[contact.bottom]
spin = "lead"
[contact.top]
spin = "lead"
"""
CASE = (
    """
title = "from layers to write errors"
[geometry]
shape = "strip"
width = 40e-9
depth = 50e-9
mesh_size = 20e-9
"""
    + STACK
    + """\
[transport]
model = "vector"
current_density = -1.2e11
[macrospin]
layer = "free"
saturation_magnetization = 8e5
damping = 0.02
temperature = 300
[[macrospin.anisotropy]]
kind = "uniaxial"
stability = 40
axis = [0, 0, 1]
[torque]
source = "transport"
[[task]]
kind = "switching"
name = "wer"
start = [0, 0, -1]
pulse = 1e-8
samples = 5
"""
)
ALONE = """
[geometry]
shape = "pillar"
diameter = 40e-9
mesh_size = 25e-9
[[layer]]
material = "Cu"
thickness = 10e-9
[[layer]]
name = "free"
material = "Py"
thickness = 3e-9
magnetization = [0, 0, 1]
[[layer]]
material = "Ru"
thickness = 30e-9
[interface."Py|Cu"]
area_resistance_star = 0.5e-15
mixing_conductance = [3.9e14, 0.4e14]
[interface."Py|Ru"]
area_resistance_star = 0.8e-15
mixing_conductance = [6.1e14, -1.1e14]
[material.Cu]
resistivity = 6e-9
spin_diffusion_length = 450e-9
[material.Ru]
resistivity = 95e-9
spin_diffusion_length = 14e-9
[contact.bottom]
spin = "blocked"
[contact.top]
spin = "lead"
[transport]
model = "vector"
current_density = 1e9
[macrospin]
layer = "free"
saturation_magnetization = 8e5
damping = 0.02
[[macrospin.anisotropy]]
kind = "uniaxial"
stability = 40
axis = [1, 2, 2]
[torque]
source = "transport"
[[task]]
kind = "spectrum"
count = 2
"""
