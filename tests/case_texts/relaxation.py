"""Devices in which what relaxes at the faces of a magnet acts on it."""

MAGNET = """\
[macrospin]
layer = "free"
saturation_magnetization = 8e5
damping = 0.02
[[macrospin.anisotropy]]
kind = "uniaxial"
stability = 5
axis = [0, 0, 1]
"""
STRIP = """\
[geometry]
shape = "strip"
width = 60e-9
depth = 60e-9
mesh_size = 60e-9
"""
METALS = """\
[material.Cu]
resistivity = 6e-9
spin_diffusion_length = 450e-9
[material.Ru]
resistivity = 95e-9
spin_diffusion_length = 14e-9
[interface."Co|Cu"]
area_resistance_star = 0.5e-15
gamma = 0.77
[interface."Co|Ru"]
area_resistance_star = 0.6e-15
gamma = -0.2
[contact.bottom]
spin = "lead"
[contact.top]
spin = "lead"
"""
# A magnet without others, between two different metals.
ALONE = (
    STRIP
    + """\
[[layer]]
name = "below"
material = "Cu"
thickness = 20e-9
[[layer]]
name = "free"
material = "Co"
thickness = 10e-9
[[layer]]
name = "above"
material = "Ru"
thickness = 30e-9
"""
    + METALS
    + """\
[transport]
model = "two-channel"
current_density = 1e11
[transport.solver]
kind = "direct"
"""
    + MAGNET
    + """\
[torque]
source = "relaxation"
relative_cross = { "below|free" = 0.1, "free|above" = 0.05 }
[[task]]
kind = "steady"
"""
)
CROSS = 'cross = { "free|spacer" = 3e25, "free|cap" = 5e25 }'
# With another magnet, whose direction counts.
VALVE = (
    STRIP
    + """\
[[layer]]
name = "base"
material = "Cu"
thickness = 10e-9
[[layer]]
name = "fixed"
material = "Co"
thickness = 20e-9
magnetization = [0, 0, 1]
[[layer]]
name = "spacer"
material = "Cu"
thickness = 6e-9
[[layer]]
name = "free"
material = "Co"
thickness = 10e-9
magnetization = [0, 0, 1]
[[layer]]
name = "cap"
material = "Cu"
thickness = 10e-9
[interface."Co|Cu"]
mixing_conductance = [5.5e14, 0.5e14]
[contact.bottom]
spin = "lead"
[contact.top]
spin = "lead"
[transport]
model = "vector"
current_density = 1e11
[transport.solver]
kind = "direct"
"""
    + MAGNET
    + """\
[torque]
source = "relaxation"
"""
    + CROSS
    + """
[[task]]
kind = "steady"
"""
)

# A magnet with d electrons between two different metals, on a line: its noise and length follow the current.
LONGITUDINAL = (
    """\
[geometry]
shape = "line"
[[layer]]
name = "below"
material = "Cu"
thickness = 20e-9
[[layer]]
name = "free"
material = "Co"
thickness = 10e-9
magnetization = [0, 0, 1]
[[layer]]
name = "above"
material = "Ru"
thickness = 30e-9
[material.Cu]
resistivity = 6e-9
spin_diffusion_length = 450e-9
[material.Ru]
resistivity = 95e-9
spin_diffusion_length = 14e-9
[material.Co]
conductivity = { s_up = 8e6, s_down = 3.5e6, d_down = 1.9e6 }
spin_flip_coefficient = 2.3e21
sd_coefficient = 4e22
[interface."Co|Cu"]
area_resistance_star = 0.5e-15
gamma = -0.2
[interface."Co|Ru"]
area_resistance_star = 0.6e-15
gamma = 0.6
[contact.bottom]
spin = "lead"
[contact.top]
spin = "lead"
[transport]
model = "three-channel"
current_density = 5e11
"""
    + MAGNET.replace('layer = "free"', 'layer = "free"\nvolume = 1.3e-23')
    + """\
[macrospin.noise]
coefficient = 1.5e-21
[macrospin.modulus]
relaxation_time = 2e-10
[[task]]
kind = "escape"
[[task]]
kind = "dwell-times"
name = "dwell"
drives = [-5e11, 5e11]
samples = 3
"""
)
