"""Textured magnets: parts of cases that are put together."""

from casefiles import task

MS, A, ALPHA, SIGMA, P, BETA, K, KH = 8.3e5, 1.7e-11, 0.12, 5e6, 0.43, 0.19, 1.4e5, 0.9e5
MAGNET = f"""\
[texture]
saturation_magnetization = {MS}
exchange = {A}
damping = {ALPHA}
conductivity = {SIGMA}
polarization = {P}
nonadiabaticity = {BETA}
easy_constant = {K}
hard_constant = {KH}
"""
WIRE = '[texture.geometry]\nshape = "line"\nlength = 240e-9\n'
STRIP = '[texture.geometry]\nshape = "rectangle"\nsize = [160e-9, 10e-9]\nmesh_size = 5e-9\n'
BOX = '[texture.geometry]\nshape = "box"\nsize = [120e-9, 8e-9, 6e-9]\nmesh_size = 6e-9\n'
FILE = '[texture.geometry]\nmesh = "m.geo"\nlength_unit = 1e-9\n'
WALL = "[texture.wall]\nposition = 60e-9\n"
PROBE = "[texture.probe]\npositions = [20e-9, 100e-9, 220e-9]\n"
CARRIERS = '[texture.carriers]\nmodel = "generic"\n'
BANDS = '[texture.carriers]\nmodel = "two-band"\nspin_diffusion_length = 20e-9\n'
HEAT = "thermal_conductivity = 40.0\nseebeck = -20e-6\n"
WARM = "[texture.lead.left]\ntemperature = 300.0\n[texture.lead.right]\ntemperature = 309.0\n"
COPPER = "[texture.lead.left]\nmetal = { resistivity = 2e-8, spin_diffusion_length = 90e-9 }\n"
EMF = task("electromotive_force")
MOVE = task("dynamics", "duration = 1e-9")
BASE = MAGNET + WIRE + WALL
