"""An evolution, whole, stopped half-way or gone on with: checkpoint.py whole|save|resume STATE OUT.json"""

import json
import sys
from pathlib import Path

import numpy as np
from mpi4py import MPI

import fespin as fs

COMM = MPI.COMM_WORLD
mode, state, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
spin = fs.Macrospin(1.3e-24, 9e5, 0.2, 310.0, [fs.Uniaxial(stability=8)], field=(0.02, 0, 0))
fp = fs.FokkerPlanck(fs.Sigma(COMM, 0.5), spin)
seen = []


class Stop(Exception):
    pass


def progress(part):
    seen.append(part)
    if mode == "save" and part > 0.5:
        raise Stop


options = {} if mode == "whole" else {"checkpoint": state, "every": 0, "resume": mode == "resume"}
try:
    found = fp.evolve(
        np.linspace(0, 4e-9, 5),
        field=lambda t: (0.0, 0.0, 0.1 * t / 4e-9),
        tolerance=1e-3,
        progress=progress,
        **options,
    )
except Stop:
    pass
else:
    if COMM.rank == 0:
        out.write_text(json.dumps({"mean": found.mean.ravel().tolist(), "begins": seen[0]}))
