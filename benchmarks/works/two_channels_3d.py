"""Resistance of a pillar with wide leads in 3D, two channels: assembly, solver and reports of one state.

The error is that of A R against a solve to rounding on the same mesh: the linear solver's, not the mesh's.
"""

import json
import time

from mpi4py import MPI

import fespin as fs


def problem_of(refine, rtol=1e-8):
    """Return the problem of Cu/Co/Cu/Py/Cu, antiparallel."""
    cu, co, py = (fs.material(n) for n in ("Cu", "Co", "Py"))
    stack = fs.Stack(
        fs.Layer(cu, 10e-9), fs.Layer(co, 12e-9, "fixed"), fs.Layer(cu, 6e-9),
        fs.Layer(py, 3e-9, "free", (0, 0, -1)), fs.Layer(cu, 10e-9), library=fs.interfaces(),
    )  # fmt: skip
    domain = fs.pillar(
        MPI.COMM_WORLD, stack, diameter=60e-9, lead_width=240e-9, lead_thickness=40e-9, mesh_size=10e-9, refine=refine
    )
    leads = dict.fromkeys(("bottom", "top"), "lead")
    return fs.TransportProblem(domain, contacts=leads, solver=fs.SolverOptions(rtol=rtol))


def main():
    """Measure one solve with its reports on some 125 000 unknowns."""
    problem_of(0.4).solve(current_density=1e11)
    problem = problem_of(0.75)
    begin = time.process_time()
    x = problem.solve(current_density=1e11)
    seconds = time.process_time() - begin
    exact = problem_of(0.75, 1e-14).solve(current_density=1e11)
    detail = {"unknowns": x.dofs, "iterations": x.iterations, "balance": x.power_balance} | {
        k: round(v, 3) for k, v in problem.solver.seconds.items()
    }
    error = abs(x.resistance_area / exact.resistance_area - 1)
    line = {"work": "resistance of a pillar, two channels in 3D", "seconds": seconds, "error": error, "detail": detail}
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
