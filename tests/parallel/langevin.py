"""Ensembles' numbers as JSON, for comparison across rank counts: langevin.py OUT.json"""

import json
import sys
from pathlib import Path

import numpy as np
from mpi4py import MPI

from fespin.errors import InputError
from fespin.macrospin import Macrospin, SpinTorque, Uniaxial, first_passage, langevin, power_spectrum

SPIN = Macrospin(7e-25, 8e5, 0.3, 320.0, [Uniaxial(stability=4, axis=(1, 0, 2))], field=(0.01, 0.0, 0.02))


def numbers(comm, seed=3):
    """Results with a last block that is not full."""
    e = langevin(
        comm,
        SPIN,
        [0.0, 1e-10, 3e-10],
        ensemble=2600,
        seed=seed,
        torque=SpinTorque(-0.03, 0.01, (0, 1, 1), lambda c: 1 / (1 + 0.3 * c)),
        drive=lambda t: 1 + 1e9 * t,
        field=lambda t: (0.0, 1e8 * t, 0.0),
        observables={"square": lambda u: u[:, 0] ** 2},
    )
    p = first_passage(comm, SPIN, lambda u: u[:, 2] < 0.5, ensemble=1500, max_time=1e-6, seed=seed)
    s = power_spectrum(
        comm, SPIN, lambda u: u[:, 2], resolution=2e9, highest=1e10, segments=2, ensemble=1100, seed=seed
    )
    arrays = [e.mean, e.mean_error, e.not_switched, e.not_switched_error, e.observables["square"]]
    arrays += [e.observable_errors["square"], p.mean, p.error, p.times, s.density, s.error, s.mean, s.variance]
    return np.concatenate([np.ravel(x) for x in arrays]).tolist()


def failure(comm):
    """The message when one block of several fails, which one rank sees."""

    def odd(u):
        return u[:, 0] if len(u) == 1024 else np.zeros(2)

    try:
        langevin(comm, SPIN, [1e-12], ensemble=2049, observables={"odd": odd})
    except InputError as error:
        return str(error)
    return "none"


if __name__ == "__main__":
    world = MPI.COMM_WORLD
    messages = world.allgather(failure(world))
    found = world.allgather(numbers(world))
    if world.rank == 0:
        Path(sys.argv[1]).write_text(json.dumps({"numbers": found, "messages": messages}))
