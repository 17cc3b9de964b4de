"""Dipolar field of a disc by boundary elements: memory and seconds against nodes on the surface, compressed or dense.

A disc 2 nm thick of cells of 2.5 nm, 200 nm wide; ``--large`` adds 400 nm, ``--huge`` 628 nm with 100 000 nodes. The
error is the measured one of the compressed matrix, None for a dense one. What is refused has no seconds.
"""

import json
import sys
import time

import numpy as np
from mpi4py import MPI

import fespin as fs
from fespin.errors import InputError
from fespin.geometry import bricks
from fespin.texture import DipolarField, Grid


def disc(diameter, cell=2.5e-9, thickness=2e-9):
    """Return a square of bricks that is mapped to a disc."""
    n = 2 * round(np.sqrt(np.pi) / 4 * diameter / cell)
    mesh = bricks(MPI.COMM_WORLD, (-1, -1, 0), (1, 1, thickness), (n, n, 1))
    x = mesh.geometry.x
    u, v = x[:, 0].copy(), x[:, 1].copy()
    x[:, 0], x[:, 1] = u * np.sqrt(1 - v * v / 2) * diameter / 2, v * np.sqrt(1 - u * u / 2) * diameter / 2
    return Grid(mesh)


def measure(diameter):
    """Print a line for a disc (m)."""
    grid = disc(diameter)
    m = grid.directions(lambda x: np.stack([np.cos(3e7 * x[:, 0]), np.sin(5e7 * x[:, 1]), 0.3 + 0 * x[:, 0]], axis=1))
    begin = time.process_time()
    try:
        field = DipolarField(grid, fs.Magnet(8e5, 0.02))
    except InputError as error:
        print(json.dumps({"work": f"dipolar field of a disc, {1e9 * diameter:.0f} nm", "seconds": None, "error": None,
                          "detail": {"refused": str(error)}}), flush=True)  # fmt: skip
        return
    made = time.process_time() - begin
    field.field(m)
    begin = time.process_time()
    energy = field.energy(m)
    one = time.process_time() - begin
    nodes = len(field.surface)
    operator = getattr(field, "_operator", None)
    detail = {
        "nodes": nodes,
        "gigabytes": 1e-9 * getattr(operator, "layer_bytes", 8 * nodes**2),
        "one_field": one,
        "energy": energy,
    }
    error = getattr(field, "compression_error", None) or None
    print(json.dumps({"work": f"dipolar field of a disc, {1e9 * diameter:.0f} nm", "seconds": made, "error": error,
                      "detail": detail}), flush=True)  # fmt: skip
    field.destroy()


measure(40e-9)
for size in [200e-9] + [400e-9] * ("--large" in sys.argv) + [628e-9] * ("--huge" in sys.argv):
    measure(size)
