"""One state of a stack of 101 layers with all its reports, on a line: vector model and two channels.

The error is that of A R against the exact solution of the layers.
"""

import dataclasses
import json
import sys
import time
from pathlib import Path

from mpi4py import MPI

import fespin as fs

sys.path.insert(0, str(Path(__file__).parents[2]))

from references import devices

COUNT = 101


def stack_of(count):
    """Return copper and cobalt in turn, all magnets along z."""
    cu, co = fs.material("Cu"), fs.material("Co")
    face = dataclasses.replace(fs.interfaces()["Co", "Cu"], mixing_conductance=5.5e14 + 0.3e14j)
    layers = [
        fs.Layer(cu, 6e-9, f"n{i}") if i % 2 == 0 else fs.Layer(co, 3e-9, f"f{i}", (0, 0, 1.0)) for i in range(count)
    ]
    return fs.Stack(*layers, interfaces={("Co", "Cu"): face}, library={})


def main():
    """Measure a state after a magnet has turned: the mesh and the first matrix do not count."""
    for name, model in (("vector model", fs.Vector()), ("two channels", fs.TwoChannel())):
        for count in (5, COUNT):
            problem = fs.TransportProblem(
                fs.line(MPI.COMM_SELF, stack_of(count)), model, contacts=dict.fromkeys(("bottom", "top"), "lead")
            )
            problem.solve(voltage=1.0)
            seconds = []
            for direction in ((0, 0, -1.0), (0, 0, 1.0), (0, 0, -1.0)):
                problem.magnetize({"f1": direction})
                begin = time.process_time()
                x = problem.solve(voltage=1.0)
                seconds.append(time.process_time() - begin)
        exact = devices.reference(problem.stack, ("lead", "lead")).resistance_area
        error = abs(x.resistance_area / exact - 1)
        detail = {"unknowns": x.dofs, "balance": x.power_balance, "resistance_area": x.resistance_area}
        line = {"work": f"state of 101 layers, {name}", "seconds": min(seconds), "error": error, "detail": detail}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
