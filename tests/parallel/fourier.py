"""Numbers on rings, as JSON: run on any number of ranks."""

import json
import sys

import numpy as np
from mpi4py import MPI

import fespin as fs

comm = MPI.COMM_WORLD
bit = fs.Macrospin(1.4e-24, 8e5, 0.1, 300.0, [fs.Uniaxial(stability=14)], field=(0.02, 0.01, 0.03))
torque = fs.SpinTorque(3e-3, 1e-3, (0.4, -0.2, -1))
fp = fs.FokkerPlanck(comm, bit, torque)
times = np.array([2e-10, 1e-9, 3e-9])
pulse, escape = fp.switching(times), fs.FokkerPlanck(comm, bit).escape()
path = fp.evolve(times[:2])
out = {
    "switching": pulse.not_switched.tolist(),
    "estimate": pulse.error_estimate.tolist(),
    "rates": escape.rates.tolist(),
    "steady": fp.steady().mean.tolist(),
    "spectrum": fp.spectrum(4).reduced.real.tolist(),
    "noise": fp.noise(lambda u: u[:, 0], [1e8, 1e9]).density.tolist(),
    "path": path.probability.tolist(),
    "orders": pulse.final.surface.orders,
}
every = comm.gather(out, 0)
if comm.rank == 0:
    assert all(x == out for x in every)
    with open(sys.argv[1], "w") as file:
        json.dump(out, file)
