"""Longitudinal dynamics: parts of cases that are put together."""

from casefiles import task

XI, TAU, D, TAU_ML, TAU_mL, CHI = 0.23, 0.7e-12, 1.7e-3, 9e-12, 4e-12, 0.013
MAGNET = f"""\
[longitudinal]
xi = {XI}
tau_mM = {TAU}
diffusion = {D}
tau_ML = {TAU_ML}
tau_mL = {TAU_mL}
susceptibility = {CHI}
"""
LINE = '[longitudinal.geometry]\nshape = "line"\nlength = 200e-9\nmesh_size = 4e-9\n'
DISC = '[longitudinal.geometry]\nshape = "disc"\nradius = 100e-9\nmesh_size = 12e-9\n'
BOX = '[longitudinal.geometry]\nshape = "box"\nsize = [60e-9, 40e-9, 30e-9]\nmesh_size = 15e-9\n'
FILE = '[longitudinal.geometry]\nmesh = "m.geo"\nlength_unit = 1e-9\nmesh_size = 10e-9\n'
INJECT = "[longitudinal.boundary.left]\nflux = -3e6\n"
HOLD = "[longitudinal.boundary.right]\naccumulation = 0.0\n"
START = "[longitudinal.start]\nM = 2e3\n"
STEP = '[longitudinal.start]\nshape = "step"\nposition = 80e-9\nM = 2e3\nm = -300.0\n'
SPOT = '[longitudinal.start]\nshape = "gaussian"\nwidth = 20e-9\nM = 2e3\n'
DISPERSION = task("dispersion", "count = 3")
RESPONSE = task("response", "frequency = 5e10")
RELAX = task("relaxation", "duration = 2e-12", "samples = 3")
