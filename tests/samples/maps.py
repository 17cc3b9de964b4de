"""Devices whose torque maps tests share."""

from mpi4py import MPI

import fespin as fs
from samples.vector import AU, CO, CU, NC, NP, PY, layer

COMM = MPI.COMM_SELF
FIXED = (1, 2, 2)
ENDS = ("lead", "reservoir")
FACES = {("Cu", "Co"): NC, ("Cu", "Py"): NP, ("Py", "Au"): NP}


def device(free=(0, 0, 1), fixed=FIXED):
    return fs.Stack(
        layer(CU, 12),
        layer(CO, 7, fixed),
        layer(CU, 9),
        layer(PY, 4, free),
        layer(AU, 30),
        interfaces=FACES,
        library={},
    )


def problem_of(stack, transverse="absorbed", field=(0, 0, 0)):
    contacts = dict(zip(("bottom", "top"), ENDS, strict=True))
    return fs.TransportProblem(fs.line(COMM, stack), fs.Vector(transverse, field), contacts=contacts)


def two_references(free=(0, 0, 1)):
    """A free layer between magnets along different axes, each with its own material and faces."""
    return fs.Stack(
        layer(CO, 7, (0, 0, 1)), layer(CU, 9), layer(PY, 4, free), layer(AU, 12), layer(CO, 5, (1, 0.2, 0)),
        layer(CU, 20),
        interfaces={("Cu", "Co"): NC, ("Cu", "Py"): NP, ("Py", "Au"): NP, ("Au", "Co"): NC}, library={},
    )  # fmt: skip
