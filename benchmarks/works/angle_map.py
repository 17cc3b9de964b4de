"""Map of torque, resistance and pumped damping against an angle, to 1e-4: a pillar of 5e4 unknowns.

The error is that of torque and resistance at three further directions, relative to their largest values, against solves
to rounding on the same mesh; their time does not count.
"""

import json
import time

import numpy as np
from mpi4py import MPI

import fespin as fs

CU = fs.Material("Cu", 6.1e-9, 450e-9)
CO = fs.Material("Co", 7.4e-8, 41e-9, 0.46)
PY = fs.Material("Py", 1.2e-7, 5.5e-9, 0.7)
FACES = {
    ("Cu", "Co"): fs.Interface.from_conductances(1.1e15, 4.1e14, 5.5e14 + 0.7e14j),
    ("Cu", "Py"): fs.Interface.from_conductances(8e14, 3.2e14, 3.9e14 - 0.4e14j),
}
FIXED = np.array([1.0, 2.0, 2.0]) / 3


def problem_of(size, rtol=1e-8):
    """Return the problem of a pillar between wide leads."""
    stack = fs.Stack(
        fs.Layer(CU, 10e-9), fs.Layer(CO, 12e-9, "fixed", tuple(FIXED)), fs.Layer(CU, 6e-9),
        fs.Layer(PY, 3e-9, "free", (0, 0, 1)), fs.Layer(CU, 10e-9), interfaces=FACES, library={},
    )  # fmt: skip
    domain = fs.pillar(MPI.COMM_WORLD, stack, diameter=40e-9, lead_width=120e-9, lead_thickness=20e-9, mesh_size=size)
    leads = dict.fromkeys(("bottom", "top"), "lead")
    return fs.TransportProblem(domain, fs.Vector(), contacts=leads, solver=fs.SolverOptions(rtol=rtol))


def errors(torque_map, problem, directions):
    """Return the largest errors of torque and resistance against solves."""
    torque, area = [], []
    for u in directions:
        problem.magnetize({"free": tuple(u)})
        x = problem.solve(current_density=1.0)
        torque.append(x.report["torque"]["free"])
        area.append(x.resistance_area)
    torque, area = np.array(torque), np.array(area)
    size = np.linalg.norm(torque, axis=1).max()
    off = np.linalg.norm(torque_map.torque_per_current(directions) - torque, axis=1).max() / size
    return float(off), float(np.abs(torque_map.resistance_at(directions) / area - 1).max())


def main():
    """Measure with and without pumping."""
    directions = np.random.default_rng(4).normal(size=(3, 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    fs.torque_map(problem_of(40e-9), "free", tolerance=1e-2, pumping=True)
    for pumping in (False, True):
        problem = problem_of(30e-9)
        begin = time.process_time()
        torque_map = fs.torque_map(problem, "free", tolerance=1e-4, pumping=pumping)
        seconds = time.process_time() - begin
        torque, area = errors(torque_map, problem_of(30e-9, 1e-14), directions)
        detail = {
            "unknowns": problem.system.dofs, "angles": torque_map.solves, "stated_error": torque_map.error,
            "torque": torque, "resistance": area, "fit": getattr(torque_map, "fit", "polynomial"),
        }  # fmt: skip
        work = f"map against an angle, vector model in 3D{', with pumping' if pumping else ''}"
        print(json.dumps({"work": work, "seconds": seconds, "error": max(torque, area), "detail": detail}), flush=True)


if __name__ == "__main__":
    main()
