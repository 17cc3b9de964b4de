"""Map over the sphere of directions, two fixed magnets at right angles, to 1e-4: a line, and a pillar.

The error is that of torque and resistance at further directions, relative to their largest values, against solves to
rounding on the same mesh; their time does not count.
"""

import dataclasses
import json
import time

import numpy as np
from mpi4py import MPI

import fespin as fs


def problem_of(size, rtol=1e-8):
    """Return the problem of a line (size None), or of a pillar between wide leads."""
    cu, co = fs.material("Cu"), fs.material("Co")
    face = dataclasses.replace(fs.interfaces()["Co", "Cu"], mixing_conductance=5.5e14 + 0.3e14j)
    stack = fs.Stack(
        fs.Layer(cu, 10e-9), fs.Layer(co, 8e-9, "one", (0, 0, 1)), fs.Layer(cu, 6e-9),
        fs.Layer(co, 3e-9, "free", (0, 0, 1)), fs.Layer(cu, 5e-9), fs.Layer(co, 6e-9, "two", (1, 0, 0)),
        fs.Layer(cu, 10e-9), interfaces={("Co", "Cu"): face}, library={},
    )  # fmt: skip
    if size is None:
        domain = fs.line(MPI.COMM_WORLD, stack)
    else:
        domain = fs.pillar(
            MPI.COMM_WORLD, stack, diameter=40e-9, lead_width=120e-9, lead_thickness=20e-9, mesh_size=size
        )
    leads = dict.fromkeys(("bottom", "top"), "lead")
    return fs.TransportProblem(domain, fs.Vector(), contacts=leads, degree=2 if size is None else 1,
                               solver=fs.SolverOptions(rtol=rtol))  # fmt: skip


def errors(direction_map, problem, directions):
    """Return the largest errors of torque and resistance against solves."""
    torque, area = [], []
    for u in directions:
        problem.magnetize({"free": tuple(u)})
        x = problem.solve(current_density=1.0)
        torque.append(x.report["torque"]["free"])
        area.append(x.resistance_area)
    torque, area = np.array(torque), np.array(area)
    size = np.linalg.norm(torque, axis=1).max()
    off = np.linalg.norm(direction_map.torque_per_current(directions) - torque, axis=1).max() / size
    return float(off), float(np.abs(direction_map.resistance_at(directions) / area - 1).max())


def main():
    """Measure on a line, and in 3D to 1e-3 where every revision can."""
    directions = np.random.default_rng(4).normal(size=(6, 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    fs.direction_map(problem_of(None), "free", tolerance=0.3)
    for name, size, tolerance in (("a line", None, 1e-4), ("a pillar", 30e-9, 1e-2)):
        problem = problem_of(size)
        begin = time.process_time()
        direction_map = fs.direction_map(problem, "free", tolerance=tolerance)
        seconds = time.process_time() - begin
        torque, area = errors(direction_map, problem_of(size, 1e-14), directions)
        detail = {
            "unknowns": problem.system.dofs, "solves": direction_map.solves, "degree": direction_map.degree,
            "stated_error": direction_map.error, "torque": torque, "resistance": area,
        }  # fmt: skip
        work = f"map over the sphere of {name}, two fixed directions, to {tolerance:.0e}"
        print(json.dumps({"work": work, "seconds": seconds, "error": max(torque, area), "detail": detail}), flush=True)


if __name__ == "__main__":
    main()
