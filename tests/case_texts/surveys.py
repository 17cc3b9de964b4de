"""A device, and keys of tasks over drives and fields."""

from case_texts.coupled import STACK

DEVICE = (
    """
title = "surveys"
[geometry]
shape = "strip"
width = 40e-9
depth = 50e-9
mesh_size = 40e-9
"""
    + STACK
    + """\
[transport]
model = "vector"
current_density = -2e9
degree = 1
[macrospin]
layer = "free"
saturation_magnetization = 8e5
damping = 0.05
temperature = 300
[[macrospin.anisotropy]]
kind = "uniaxial"
stability = 8
axis = [0, 0, 1]
[torque]
source = "transport"
tolerance = 1e-2
"""
)
TASKS = {
    "phase-diagram": """
fields = [-3e-3, 3e-3]
direction = [0, 0, 2]
drives = [-6e10, 2e10]
samples = 3
observation_time = 1e-6
""",
    "dwell-times": """
drives = [-1e10, 1e10]
samples = 3
""",
    "resonance": """
start = [0, 0, -1]
drives = [-1e10, 1e10]
samples = 2
""",
    "noise": """
observable = "resistance"
frequencies = [1e5, 1e10]
samples = 11
""",
    "hysteresis": """
direction = [0, 0, 1]
range = [0.02, -0.02]
rate = 1e5
samples = 9
tolerance = 1e-2
drives = [-4e9, 4e9]
""",
}
