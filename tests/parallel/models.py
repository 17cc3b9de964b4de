"""Numbers of the s-d, thermoelectric and vector models as JSON on rank 0: models.py OUT.json"""

import json
import sys
from pathlib import Path

import numpy as np
from mpi4py import MPI
from samples import s_d as sd
from samples import thermoelectric as thermo
from samples import vector
from samples.solvers import TO_ROUNDING

import fespin as fs
from fespin.transport.torque import torque_density

COMM = MPI.COMM_WORLD


def flat(value, name=""):
    """Every number of nested results under a path."""
    if isinstance(value, dict):
        items = [("|".join(k) if isinstance(k, tuple) else k, v) for k, v in value.items()]
    elif isinstance(value, (list, tuple)):
        items = list(enumerate(value))
    else:
        return {name: value} if isinstance(value, (int, float)) and not isinstance(value, bool) else {}
    return {k: v for a, b in items for k, v in flat(b, f"{name}/{a}").items()}


def results(problem, x):
    # An absent field has a pinned unknown on every rank, so that the number of unknowns differs.
    out = {k: v for k, v in x.summary().items() if k not in ("iterations", "power_balance", "dofs")}
    out["parts"] = {"|".join(k): p for k, p in x.dissipation.parts.items()}
    out["profile"] = {k: np.nan_to_num(v).tolist() for k, v in x.profile(4).potentials.items()}
    if isinstance(problem.model, fs.Vector) and problem.model.transverse == "resolved":
        # The largest of each component, over all ranks.
        largest = [
            [COMM.allreduce(float(np.abs(f.x.array).max(initial=0.0)), MPI.MAX) for f in torque_density(problem, x, n)]
            for n in x.report["torque"]
        ]
        out["torque_density"] = largest
    return out


def devices():
    """Name, model, stack, contacts, field of the drive, and the meshes."""
    for name in ("antiparallel valve", "four channels, wall"):
        layers, faces, ends = sd.STACKS[name]
        stack = fs.Stack(*layers, interfaces=faces, library={})
        yield name, sd.model_of(stack), stack, ends, {}, (20e-9, 8e-9)
    layers, faces, ends = thermo.STACKS["antiparallel"]
    stack = fs.Stack(*layers, interfaces=faces, library={})
    yield "thermoelectric", fs.Thermoelectric(thermo.T0), stack, ends, {"temperature": thermo.T0 + 3}, (20e-9, 8e-9)
    for name in ("absorbed, Hanle", "resolved, magnets touch"):
        layers, faces, ends, transverse, field = vector.STACKS[name]
        stack = fs.Stack(*layers, interfaces=faces, library={})
        yield name, fs.Vector(transverse, field), stack, ends, {}, (20e-9, 8e-9)


def main(path):
    out = {}
    for name, model, stack, ends, heat, (width, size) in devices():
        meshes = {
            "line": fs.line(COMM, stack, refine=0.5),
            "strip": fs.strip(COMM, stack, width=width, mesh_size=size, depth=7e-9, refine=0.5),
        }
        for shape, domain in meshes.items():
            contacts = dict(zip(("bottom", "top"), ends, strict=True))
            problem = fs.TransportProblem(domain, model, contacts=contacts, solver=TO_ROUNDING)
            drive = {"bottom": fs.Terminal(current=3e10 * domain.area, **heat), "top": fs.Terminal(voltage=0.0)}
            x = problem.solve(terminals=drive, between=("bottom", "top"))
            assert abs(x.power_balance) < 1e-10, (name, shape, x.power_balance)
            out |= flat(results(problem, x), f"{name} {shape}")
            if "wall" in name:
                # Another system in the place of the first.
                problem.magnetize({stack.names[0]: (0, 0, 1)})
                x = problem.solve(terminals=drive, between=("bottom", "top"))
                out |= flat(results(problem, x), f"{name} {shape} turned")
            problem.destroy()
    if COMM.rank == 0:
        Path(path).write_text(json.dumps(out))


main(sys.argv[1])
