"""Numbers of the sphere as JSON on rank 0, for comparison across rank counts: sphere.py OUT.json"""

import json
import sys
from pathlib import Path

import numpy as np
from mpi4py import MPI

import fespin as fs

COMM = MPI.COMM_WORLD
SIZE = {"volume": 1.3e-24, "saturation_magnetization": 9e5, "temperature": 310.0}


def numbers():
    oblique = fs.Macrospin(damping=0.2, terms=[fs.Uniaxial(stability=8)], field=(0.02, 0.01, 0.03), **SIZE)
    sigma = fs.Sigma(COMM, 0.25, refine=oblique)
    fp = fs.FokkerPlanck(sigma, oblique)
    found = fp.spectrum(5)
    order = np.lexsort((found.reduced.imag, found.reduced.real))
    yield "spectrum", [x for k in order for x in (found.reduced[k].real, abs(found.reduced[k].imag))]
    yield "steady", fp.steady().mean.tolist()
    frequencies = [1e8, 1e9, 1e10]
    yield "noise", np.log(fp.noise(lambda u: u[:, 1] + 0.3 * u[:, 0] ** 2, frequencies, rtol=1e-10).density).tolist()
    response = fp.susceptibility(frequencies, (0, 1, 0), rtol=1e-10).response
    yield "susceptibility", [*response.real.ravel().tolist(), *response.imag.ravel().tolist()]
    yield "passage", fp.mean_first_passage((0, 0, 1), cosine=0.3) * oblique.diffusion
    rate = oblique.diffusion
    e = fp.evolve(np.array([0.1, 0.3]) / rate, field=lambda t: (0.0, 0.1 * t * rate, 0.0), tolerance=1e-3)
    yield "evolution", [*e.mean.ravel().tolist(), *e.probability.tolist(), e.steps]

    bit = fs.Macrospin(damping=0.1, terms=[fs.Uniaxial(stability=40)], **SIZE)
    sigma = fs.Sigma(COMM, 0.2, axis=(1, 2, 2), refine=bit)
    tilted = fs.SpinTorque.critical(bit, 1.6, (0.4, 0, -0.9))
    fp = fs.FokkerPlanck(sigma, bit, tilted)
    # To rounding: the sizes of two spaces that agree to a tolerance may differ.
    r = fp.switching(np.array([2.0, 4.0, 6.0]) / fp.reduced_time, rtol=1e-10)
    yield "write error", np.log(r.not_switched).tolist()
    yield "write error, mean", r.mean.ravel().tolist()
    rates = fs.FokkerPlanck(sigma, bit, tilted.scaled(0.2)).escape()
    yield "escape", np.log(rates.rates[rates.rates > 0]).tolist()[:1]
    found = fs.decompose(sigma, lambda u: np.cross(u, [0.3, -0.2, 0.5]) * u[:, :1] + np.array([0.1, 0.7, 0.2]))
    yield "decomposition", found.residual
    axial = fs.FokkerPlanck(COMM, bit, fs.SpinTorque.critical(bit, 2.0, (0, 0, -1)))
    yield "meridian", np.log(axial.switching(np.array([4.0, 8.0]) / axial.reduced_time).not_switched).tolist()


def main(path):
    out = dict(numbers())
    if COMM.rank == 0:
        Path(path).write_text(json.dumps(out))


main(sys.argv[1])
