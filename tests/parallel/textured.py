"""Numbers of textured magnets as JSON on rank 0, for comparison across rank counts: textured.py OUT.json"""

import json
import sys
from pathlib import Path

import numpy as np
from dolfinx import mesh
from mpi4py import MPI

from fespin.texture import Dynamics, Grid, Lead, OhmicCircuit, TexturedMagnet, WallWatch, static_field, wall

COMM = MPI.COMM_WORLD
LENGTH = 120e-9
MAGNET = TexturedMagnet(8.3e5, 1.7e-11, 0.05, 5e6, 0.55, 0.08, easy_constant=1.4e5, hard_constant=0.9e5)


def meshes():
    yield "line", mesh.create_interval(COMM, 40, [0, LENGTH])
    yield "plane", mesh.create_rectangle(COMM, [[0, 0], [LENGTH, 20e-9]], [24, 4])
    yield "body", mesh.create_box(COMM, [[0, 0, 0], [LENGTH, 15e-9, 9e-9]], [20, 2, 1])


def ramp(current):
    return lambda t: current * (1 + t / 1e-11)


def numbers():
    for name, domain in meshes():
        grid = Grid(domain)
        leads = {
            "left": Lead(lambda x: x[0] < 1e-12, voltage=0.0),
            "right": Lead(lambda x: x[0] > LENGTH - 1e-12, current=ramp(1e10 * grid.volume / LENGTH)),
        }
        transport = OhmicCircuit(grid, MAGNET, leads)
        points = np.array([[30e-9, 4e-9, 3e-9], [77e-9, 11e-9, 5e-9]])[:, : grid.mesh.geometry.dim]
        probe, watch = transport.probe(points), WallWatch(grid, MAGNET)
        start = wall(MAGNET, 55e-9, 0.3)
        motion = Dynamics(grid, MAGNET, start, field=(0.02, 0.01, 0.0), current=transport, pinned=leads["left"].where)
        *_, last = motion.steps(1e-11, step=2e-12)
        yield f"{name}/wall/q", watch.position(last.directions)
        yield f"{name}/angle/phi", watch.angle(last.directions)
        yield f"{name}/voltage/right", last.flow.voltages["right"]
        for k, phi in enumerate(probe(last.flow)):
            yield f"{name}/probe/{k}", phi
        for key in ("energy", "damped", "field_work", "adiabatic_work", "nonadiabatic_work", "supplied"):
            yield f"{name}/energies/{key}", getattr(last, key)
        if name == "line":
            *_, last = motion.steps(2e-11, tolerance=1e-4)
            yield f"{name}/controlled/q", watch.position(last.directions)
        pumped = static_field(grid, MAGNET, start, (0.13, 0.02, 0.0))
        yield f"{name}/static/voltage", transport.solve(pumped).voltages["right"]


def main(path):
    out = dict(numbers())
    if COMM.rank == 0:
        Path(path).write_text(json.dumps(out))


main(sys.argv[1])
