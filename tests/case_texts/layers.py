"""Devices of layers: a line, a strip, pillars, a lateral valve and a mesh file."""

LINE = """\
title = "spin valve"
[geometry]
shape = "line"
[[layer]]
name = "fixed"
material = "Co"
thickness = 6e-9
magnetization = [0, 0, 2]
[[layer]]
material = "Cu"
thickness = 10e-9
[[layer]]
name = "free"
material = "Co"
thickness = 3e-9
magnetization = [0, 0, 1]
[transport]
current_density = 1e11
degree = 2
[state.antiparallel]
free = [0, 0, -1]
"""
STRIP = LINE.replace('shape = "line"', 'shape = "strip"\nwidth = 60e-9\nmesh_size = 10e-9')
PILLAR = LINE.replace('shape = "line"', 'shape = "pillar"\ndiameter = 60e-9')
LEADS = PILLAR.replace("60e-9", '60e-9\nlead_width = 200e-9\nlead_thickness = 20e-9\nlead_material = "Cu"')
LATERAL = """\
[geometry]
shape = "lateral"
separation = 300e-9
wire_width = 100e-9
channel_width = 150e-9
dimension = 2
[[layer]]
name = "channel"
material = "Cu"
thickness = 50e-9
[[layer]]
name = "wire1"
material = "Co"
thickness = 20e-9
[[layer]]
name = "wire2"
material = "Co"
thickness = 20e-9
[contact.left]
current = -1e-6
[contact.injector]
current = 1e-6
[contact.detector]
current = 0.0
[contact.right]
voltage = 0.0
[transport]
"""
MESH = LINE.replace('shape = "line"', 'mesh = "device.geo"\nlength_unit = 1e-9')
LAST = '[[layer]]\nname = "free"\nmaterial = "Co"\nthickness = 3e-9\nmagnetization = [0, 0, 1]\n'
