"""A pillar with wide leads under refinement: unknowns, iterations, seconds, memory, and the error.

    python benchmarks/refinement.py             # 1e5 to 3e6 unknowns, some ten minutes and 10 GB
    mpirun -n 2 python benchmarks/refinement.py
    python benchmarks/refinement.py 0.8 1.0     # these refinements only

One row a mesh. "its" are CG iterations of one solve; the
error of A R is estimated against the extrapolated value (Richardson, with the order observed on
the last three meshes).
"""

import sys
import time
from pathlib import Path

import numpy as np
from mpi4py import MPI

import fespin as fs

COMM = MPI.COMM_WORLD
LEVELS = (0.75, 1.0, 1.4, 1.9, 2.6)


def resident():
    """Largest memory of all ranks together so far (GB)."""
    text = Path("/proc/self/status").read_text()
    peak = next(int(x.split()[1]) for x in text.splitlines() if x.startswith("VmHWM"))
    return COMM.allreduce(peak) * 1024 / 1e9


def stack():
    """Cu/Co/Cu/Py/Cu, antiparallel."""
    cu, co, py = (fs.material(n) for n in ("Cu", "Co", "Py"))
    return fs.Stack(
        fs.Layer(cu, 10e-9),
        fs.Layer(co, 12e-9, "fixed"),
        fs.Layer(cu, 6e-9),
        fs.Layer(py, 3e-9, "free", (0, 0, -1)),
        fs.Layer(cu, 10e-9),
        library=fs.interfaces(),
    )


def measure(refine):
    """Solve one mesh; return its row."""
    begin = time.perf_counter()
    domain = fs.pillar(
        COMM, stack(), diameter=60e-9, lead_width=240e-9, lead_thickness=40e-9, mesh_size=10e-9, refine=refine
    )
    meshed = time.perf_counter() - begin
    leads = dict.fromkeys(("bottom", "top"), fs.Contact("lead"))
    begin = time.perf_counter()
    problem = fs.TransportProblem(domain, contacts=leads)
    spaces = time.perf_counter() - begin
    x = problem.solve(current_density=1e11)
    s = problem.solver.seconds
    row = (refine, x.dofs, x.iterations, meshed, spaces, s["assembly"], s["setup"], s["solve"], resident())
    out = (*row, x.resistance_area, x.power_balance)
    problem.destroy()
    return out


def main():
    """Print the table."""
    levels = [float(a) for a in sys.argv[1:]] or LEVELS
    rows = []
    if COMM.rank == 0:
        print(f"{COMM.size} rank(s)")
        print("refine  unknowns   its    mesh  spaces  assembly   setup   solve  peak GB   A R (fohm m2)  balance")
    for refine in levels:
        r = measure(refine)
        rows.append(r)
        if COMM.rank == 0:
            print(
                f"{r[0]:>6.2f} {r[1]:>9} {r[2]:>5} {r[3]:>7.1f} {r[4]:>7.1f} {r[5]:>9.1f} {r[6]:>7.1f} {r[7]:>7.1f}"
                f" {r[8]:>8.1f} {r[9] * 1e15:>15.9f} {r[10]:>8.0e}",
                flush=True,
            )
    if COMM.rank == 0 and len(rows) >= 3:
        n, a = np.array([r[0] for r in rows]), np.array([r[9] for r in rows])
        # a(h) = a0 + c h^p on the last three meshes.
        orders = np.linspace(0.5, 6, 5501)
        h = 1 / n[-3:]
        ratio = (h[0] ** orders - h[1] ** orders) / (h[1] ** orders - h[2] ** orders)
        p = orders[np.abs(ratio - (a[-3] - a[-2]) / (a[-2] - a[-1])).argmin()]
        limit = a[-1] + (a[-1] - a[-2]) * h[2] ** p / (h[1] ** p - h[2] ** p)
        print(f"observed order in h: {p:.2f}; extrapolated A R: {limit * 1e15:.9f} fohm m2")
        print("estimated relative errors:", " ".join(f"{abs(x / limit - 1):.1e}" for x in a))


if __name__ == "__main__":
    main()
