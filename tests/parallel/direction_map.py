"""Maps of directions and of relaxation as JSON on rank 0, on two ranks of two groups: direction_map.py OUT.json"""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI
from samples.maps import ENDS, two_references
from samples.vector import AU, CO, CU, NC, NP, PY, layer

import fespin as fs
from fespin.coupling import direction_map, in_groups, relaxation_map
from fespin.errors import InputError, ModelError, SolverError

COMM = MPI.COMM_WORLD


def build(comm):
    contacts = dict(zip(("bottom", "top"), ENDS, strict=True))
    return fs.TransportProblem(fs.line(comm, two_references()), fs.Vector(), contacts=contacts)


def valve(comm):
    """A valve with one oblique axis."""
    faces = {("Cu", "Co"): NC, ("Cu", "Py"): NP, ("Py", "Au"): NP}
    layers = [layer(CU, 12), layer(CO, 7, (1, 2, 2)), layer(CU, 9), layer(PY, 4, (0, 0, 1)), layer(AU, 30)]
    stack = fs.Stack(*layers, interfaces=faces, library={})
    return fs.TransportProblem(fs.line(comm, stack), fs.Vector(), contacts={"bottom": "lead", "top": "lead"})


def require_shared_errors():
    """What goes wrong in one group is raised on all ranks."""

    def fails(error):
        def made(comm):
            if COMM.rank == COMM.size - 1:
                raise error
            return build(comm)

        return made

    for error, kind in ((ModelError("no such device"), ModelError), (ValueError("no such device"), SolverError)):
        with pytest.raises(kind, match="no such device"):
            in_groups(COMM, COMM.size, fails(error))
    with pytest.raises(InputError, match="another communicator"):
        in_groups(COMM, COMM.size, lambda comm: build(COMM))
    with in_groups(COMM, 2, build) as groups:
        # Only the last direction fails, in one group.
        directions = np.array([[0, 0, 1.0], [0, 1.0, 0], [1.0, 0, 0], [0, 0, 0]])
        with pytest.raises(InputError, match="zero"):
            groups.solve("Py3", directions)
        tau, area = groups.solve("Py3", directions[:3])
        assert tau.shape == (3, 3)
        assert len({x.tobytes() for x in COMM.allgather(np.column_stack([tau, area]))}) == 1
        assert groups.problem.stack["Py3"].direction == (0, 0, 1)


def main(path):
    if COMM.size > 1:
        require_shared_errors()
    with in_groups(COMM, 2 if COMM.size == 2 else 1, build) as groups:
        found = direction_map(groups if COMM.size == 2 else groups.problem, "Py3", tolerance=2e-2)
    with in_groups(COMM, 2 if COMM.size == 2 else 1, valve) as groups:
        faces = relaxation_map(groups, "Py4", own=True, tolerance=1e-6)
    parts = {k: getattr(found, k).tolist() for k in ("chi", "phi", "resistance_area")} | {"solves": [found.solves]}
    c = np.array([-0.9, 0.2, 0.7])
    parts["relaxation"] = [1e15 * x for f in (faces.below, faces.above) for x in f(c)] + [1e15 * x for x in faces.own]
    if COMM.rank == 0:
        Path(path).write_text(json.dumps({f"/{k}/{i}": x for k, v in parts.items() for i, x in enumerate(v)}))


main(sys.argv[1])
