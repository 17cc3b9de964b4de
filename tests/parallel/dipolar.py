"""Numbers of dipolar fields as JSON on rank 0, for comparison across rank counts: dipolar.py OUT.json"""

import json
import sys
from pathlib import Path

import numpy as np
from dolfinx import mesh
from mpi4py import MPI

from fespin.texture import DipolarField, Dynamics, Grid, TexturedMagnet

COMM = MPI.COMM_WORLD
MAGNET = TexturedMagnet(8.3e5, 1.7e-11, 0.05, 5e6, 0.55, 0.08, easy_constant=1.4e5, hard_constant=0.9e5)


def swirl(x):
    s = x / 12e-9
    return np.stack([np.cos(s[:, 0] + s[:, 1]), np.sin(1.3 * s[:, 0] - s[:, 2]), 0.4 + np.sin(2 * s[:, 0])], axis=1)


def numbers():
    grid = Grid(mesh.create_box(COMM, [[0, 0, 0], [20e-9, 15e-9, 9e-9]], [6, 4, 2]))
    for method in ("boundary", "bricks"):
        for key, value in of(grid, DipolarField(grid, MAGNET, method=method)):
            yield f"{method} {key}", value
    # Enough nodes for blocks that are far from each other.
    fine = Grid(mesh.create_box(COMM, [[0, 0, 0], [20e-9, 15e-9, 9e-9]], [14, 10, 6]))
    short = DipolarField(fine, MAGNET, method="boundary", tolerance=1e-3)
    yield "compressed/energy/all", short.energy(fine.directions(swirl))
    yield "compressed/error/all", short.compression_error


def of(grid, dipolar):
    weights = grid.weights[: grid.owned]
    for i, row in enumerate(dipolar.factors):
        for j, value in enumerate(row):
            yield f"factors/all/{i}{j}", value
    m = grid.directions(swirl)
    b = dipolar.field(m)
    # Moments of the field, so that each node counts by its place.
    for k in range(3):
        for i in range(3):
            yield f"field/moments/{k}{i}", grid.total(weights * b[:, k] * grid.positions[: grid.owned, i])
    yield "field/square/all", grid.total(weights * (b * b).sum(axis=1))
    yield "energy/dipolar/all", dipolar.energy(m)
    motion = Dynamics(grid, MAGNET, swirl, field=(0.02, 0.01, 0.0), current=(3e12, 1e12, 0), dipolar=dipolar)
    *_, last = motion.steps(1.5e-12, step=1.5e-12)
    for key in ("energy", "damped", "field_work", "adiabatic_work", "nonadiabatic_work"):
        yield f"motion/energies/{key}", getattr(last, key)
    for k in range(3):
        yield f"motion/mean/{k}", grid.total(weights * last.directions[:, k]) / grid.volume


def main(path):
    out = dict(numbers())
    if COMM.rank == 0:
        Path(path).write_text(json.dumps(out))


main(sys.argv[1])
