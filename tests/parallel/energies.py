"""Numbers of energies in space as JSON on rank 0, for comparison across rank counts: energies.py OUT.json"""

import json
import sys
from pathlib import Path

import numpy as np
from dolfinx import mesh
from mpi4py import MPI

import fespin as fs
from fespin.energy import InSpace
from fespin.texture import Dynamics, Grid, TexturedMagnet

COMM = MPI.COMM_WORLD
LENGTH = 60e-9
TERMS = (
    fs.Cubic(4e4, (1, 2, 2), (2, -2, 1), second=3e4),
    fs.InterfacialDMI(8e-4, (1, 2, 3)),
    fs.BulkDMI(-3e-4),
    fs.InterfaceAnisotropy(2e-4, (2, 1, 2), face=lambda x: x[0] < 1e-12),
    fs.InterlayerExchange(1e-4, (1, 0, 2), -1e-4, face="all"),
)


def meshes():
    yield "line", mesh.create_interval(COMM, 20, [0, LENGTH])
    yield "plane", mesh.create_rectangle(COMM, [[0, 0], [LENGTH, 20e-9]], [12, 4])
    yield "body", mesh.create_box(COMM, [[0, 0, 0], [LENGTH, 15e-9, 9e-9]], [10, 2, 1])


def start(x):
    s = x / 20e-9
    return np.stack([np.cos(s[:, 0] + s[:, 1]), np.sin(1.3 * s[:, 0] - s[:, 2]), 0.4 + np.sin(2 * s[:, 1])], axis=1)


def numbers():
    magnet = TexturedMagnet(8e5, 1.5e-11, 0.1, 1e6, 0.4, easy_constant=1e4, easy_axis=(2, 1, 2), hard_axis=(1, 0, -1))
    magnet = TexturedMagnet.of(fs.Magnet(8e5, 0.1, (*magnet.magnet.terms, *TERMS)), 1e6, 0.4, 0.02)
    for name, domain in meshes():
        grid = Grid(domain)
        space, m = InSpace(grid, magnet.energies, 8e5), grid.directions(start)
        yield f"{name}/energy", space.energy(m)
        weights = grid.weights[: grid.owned, None]
        for power in (1, 2):
            for k, total in enumerate(grid.totals(*(weights * space.field(m) ** power).sum(axis=0))):
                yield f"{name}/field {power}/{k}", total
        motion = Dynamics(grid, magnet, start, field=(0.02, 0.01, 0.0), current=(1e11, 0, 0))
        *_, last = motion.steps(2e-12, step=5e-13)
        for key in ("energy", "damped", "field_work", "adiabatic_work", "nonadiabatic_work"):
            yield f"{name}/works/{key}", getattr(last, key)
        for k, total in enumerate(grid.totals(*(weights * last.directions).sum(axis=0))):
            yield f"{name}/m/{k}", total


def main(path):
    out = dict(numbers())
    if COMM.rank == 0:
        Path(path).write_text(json.dumps(out))


if __name__ == "__main__":
    main(sys.argv[1])
