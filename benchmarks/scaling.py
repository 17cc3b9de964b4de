"""A pillar with wide leads whose mesh all ranks refine: seconds and memory of the ranks.

    python benchmarks/scaling.py                  # gmsh's mesh, and one refinement
    mpirun -n 2 python benchmarks/scaling.py
    python benchmarks/scaling.py 0 1 2            # these numbers of refinements

Seconds are the processor's on the rank that takes longest. "mesh" is all of it, "of which gmsh" the coarse mesh with
its distribution. "largest" and "all" are the peak memory of the largest rank and of all, up to and including the row.
"""

import sys
import time
from pathlib import Path

from mpi4py import MPI
from refinement import stack

import fespin as fs
from fespin import gmsh_session
from fespin.geometry import session

COMM = MPI.COMM_WORLD
COARSE = {"diameter": 60e-9, "lead_width": 240e-9, "lead_thickness": 40e-9, "mesh_size": 24e-9}


def resident():
    """Peak memory of this process (GB)."""
    text = Path("/proc/self/status").read_text()
    return next(int(x.split()[1]) for x in text.splitlines() if x.startswith("VmHWM")) * 1024 / 1e9


def measure(refinements):
    """Solve one mesh; return its row."""
    spent = {}

    def timed(*arguments, **keywords):
        begin = time.process_time()
        out = gmsh_session.mesh_from_gmsh(*arguments, **keywords)
        spent["gmsh"] = time.process_time() - begin
        return out

    session.mesh_from_gmsh = timed
    begin = time.process_time()
    domain = fs.pillar(COMM, stack(), refinements=refinements, **COARSE)
    spent["mesh"] = time.process_time() - begin
    meshed = resident()
    begin = time.process_time()
    problem = fs.TransportProblem(domain, contacts=dict.fromkeys(("bottom", "top"), fs.Contact("lead")))
    spent["spaces"] = time.process_time() - begin
    begin = time.process_time()
    x = problem.solve(current_density=1e11)
    spent["solve"] = time.process_time() - begin
    cells = domain.mesh.topology.index_map(3).size_global
    longest = [COMM.allreduce(spent[k], MPI.MAX) for k in ("mesh", "gmsh", "spaces", "solve")]
    memory = COMM.allreduce(meshed, MPI.MAX), COMM.allreduce(resident(), MPI.MAX), COMM.allreduce(resident())
    problem.destroy()
    return cells, x.dofs, x.iterations, *longest, *memory, x.resistance_area * 1e15


def main():
    """Print the table."""
    head = "ranks | refinements | cells | unknowns | its | mesh | of which gmsh | spaces | solve | largest, meshed (GB)"
    if COMM.rank == 0:
        print(f"| {head} | largest | all | A R (fΩ m²) |\n|{'---|' * 13}")
    for n in [int(a) for a in sys.argv[1:]] or (0, 1):
        r = measure(n)
        if COMM.rank == 0:
            seconds = " | ".join(f"{t:.1f}" for t in r[3:7])
            memory = " | ".join(f"{m:.2f}" for m in r[7:10])
            print(f"| {COMM.size} | {n} | {r[0]} | {r[1]} | {r[2]} | {seconds} | {memory} | {r[10]:.9f} |", flush=True)


if __name__ == "__main__":
    main()
