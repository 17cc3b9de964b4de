"""Numbers of textures that carriers move, as JSON on rank 0: moving.py OUT.json"""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
from dolfinx import mesh
from mpi4py import MPI
from samples.moving import BANDS, HOT, LENGTH, MAGNET, electrodes, line

from fespin.normal_metal import NormalMetal
from fespin.texture import Dynamics, Electrode, Grid, IrreversibleProblem, WallWatch, wall

COMM = MPI.COMM_WORLD


def main(path):
    out = {}
    plane = Grid(mesh.create_rectangle(COMM, [[0.0, 0.0], [LENGTH, 12e-9]], [60, 3]))
    slow = dataclasses.replace(BANDS, spin_relaxation_time=3e-13)
    copper = NormalMetal(2e-8, 80e-9)
    metal = Electrode(electrodes.right, current=2e11, spin=copper)
    edge = dataclasses.replace(metal, current=2e11 * 12e-9)
    for name, grid, law, leads in (
        ("line", line(COMM, 60), HOT["generic"], electrodes(HOT["generic"], kelvins=9.0)),
        ("bands", line(COMM, 60), slow, electrodes(slow) | {"right": metal}),
        ("plane", plane, slow, electrodes(slow) | {"right": edge}),
    ):
        problem = IrreversibleProblem(grid, law, leads)
        motion = Dynamics(grid, MAGNET, wall(MAGNET, LENGTH / 2), field=(4e-3, 0, 0), current=problem)
        watch = WallWatch(grid, MAGNET)
        *_, last = motion.steps(8e-12, step=1e-12)
        state = last.carriers
        assert abs(state.balance) < 1e-10
        m = last.directions
        found = [watch.position(m) / LENGTH, watch.angle(m), state.voltages["right"], last.energy]
        out |= {f"{name}/{i}": float(np.real(x)) for i, x in enumerate([*found, *state.spin_currents.values()])}
        powers = [state.field_work, state.stored, *state.dissipation.values()]
        out |= {f"{name}/powers/{i}": float(x) for i, x in enumerate(powers)}
    if COMM.rank == 0:
        Path(path).write_text(json.dumps(out))


main(sys.argv[1])
