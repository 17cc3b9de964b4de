"""Numbers of generic and two-band magnets as JSON on rank 0, for comparison across rank counts: irreversible.py OUT"""

import json
import sys
from pathlib import Path

import numpy as np
from mpi4py import MPI
from samples.irreversible import LENGTH, MAKERS, ends, grids, pull, texture

from fespin.texture import IrreversibleProblem

COMM = MPI.COMM_WORLD


def main(path):
    out = {}
    for name, grid in zip(("line", "plane", "body"), grids(COMM), strict=True):
        for kind, make in MAKERS.items():
            magnet = make(np.random.default_rng(3))
            problem = IrreversibleProblem(grid, magnet, ends(current=2e10 * grid.volume / LENGTH, heat=0.0))
            state = problem.solve(lambda x: texture(x, uniform=False), pull)
            group = f"{name} {kind}"
            torque = np.abs(state.local.torque).max(axis=0, initial=0.0)
            for k in range(3):
                out[f"{group}/torque/{k}"] = grid.largest(torque[k : k + 1])
            out[f"{group}/voltage/right"] = state.voltages["right"]
            out[f"{group}/temperature/right"] = state.temperatures["right"] - magnet.temperature
            for key, value in state.dissipation.items():
                out[f"{group}/heat/{key}"] = value
            out[f"{group}/heat/work"] = state.field_work
    if COMM.rank == 0:
        Path(path).write_text(json.dumps(out))


main(sys.argv[1])
