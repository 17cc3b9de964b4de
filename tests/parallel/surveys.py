"""Surveys as JSON on rank 0: surveys.py OUT.json"""

import json
import sys
from pathlib import Path

from mpi4py import MPI

import fespin as fs
from fespin.sigma.surveys import dwell_times, phase_diagram, resonances

COMM = MPI.COMM_WORLD
SPIN = fs.Macrospin(3e-24, 9e5, 0.05, 300.0, fs.Uniaxial(stability=9.0))
UNIT = fs.SpinTorque.critical(SPIN, 1.0)


def driven(x):
    return SPIN, UNIT.scaled(x)


out = {}
dwell = dwell_times(COMM, driven, [-0.2, -0.1, 0.0, 0.1, 0.15])
out |= {f"dwell/{k}": float(x) for k, x in enumerate(dwell.dwell_times.ravel())}
fmr = resonances(COMM, driven, [-0.5, 0.0, 0.5], state=(0, 0, 1))
out |= {f"resonance/{k}": float(x) for k, x in enumerate(fmr.thermal_frequency)}
plane = phase_diagram(COMM, driven, [-0.5, 0.0, 0.5], [-0.01, 0.01], along=(0, 0, 1), observation=1e-6)
out |= {f"plane/{k}": float(x) for k, x in enumerate(plane.populations.ravel())}
out |= {f"regions/{k}": float(len(x)) for k, x in enumerate(plane.regions.ravel())}
if COMM.rank == 0:
    Path(sys.argv[1]).write_text(json.dumps(out))
