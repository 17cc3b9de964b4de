"""A magnetization that is zero, or cannot be evaluated, in one cell: all ranks raise, and go on."""

import numpy as np
import pytest
from mpi4py import MPI

import fespin as fs

COMM = MPI.COMM_WORLD
CO = fs.Material("Co", 6e-8, 60e-9, 0.46, dephasing_length=2e-9)


def zero_at_the_end(x):
    return np.where(x[0] > 29.9e-9, 0.0, 1.0) * np.ones_like(x)


def fails_at_the_end(x):
    if (x[0] > 29.9e-9).any():
        raise ZeroDivisionError("no direction here")
    return np.ones_like(x)


domain = fs.line(COMM, fs.Stack(fs.Layer(CO, 30e-9, "a"), library={}), mesh_size=2e-9)
problem = fs.TransportProblem(domain, fs.Vector("resolved"))
for wrong, words in ((zero_at_the_end, "zero"), (fails_at_the_end, "no direction here")):
    with pytest.raises((fs.InputError, ZeroDivisionError), match=words):
        problem.magnetize({"a": wrong})
problem.magnetize({"a": np.ones_like})
assert problem.solve(voltage=1e-3).current > 0
