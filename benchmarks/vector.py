"""The vector model in 3D: unknowns, iterations, seconds and memory, and what the preconditioner is worth.

    OMP_NUM_THREADS=1 python benchmarks/vector.py            # 2e4 to 1e6 unknowns, some ten minutes and 3 GB
    OMP_NUM_THREADS=1 mpirun -n 2 python benchmarks/vector.py
    python benchmarks/vector.py 15 8                         # these mesh sizes only (nm)

A non-collinear Cu/Co/Cu/Py/Cu pillar between semi-infinite leads; transverse spins absorbed at
the interfaces, or resolved inside the magnets with dephasing and precession. "its" are GMRES
iterations of one solve. The second table compares preconditioners on one mesh.
"""

import sys
import time

from mpi4py import MPI
from refinement import resident

import fespin as fs

COMM = MPI.COMM_WORLD
SIZES = (15.0, 8.0, 4.2, 3.2, 2.6)
CU = fs.Material("Cu", 6.1e-9, 450e-9)
CO = fs.Material("Co", 7.4e-8, 41e-9, 0.46, dephasing_length=1.7e-9, precession_length=1.1e-9)
PY = fs.Material("Py", 1.2e-7, 5.5e-9, 0.7, dephasing_length=2.3e-9, precession_length=3.1e-9)
FACES = {
    ("Cu", "Co"): fs.Interface.from_conductances(1.1e15, 4.1e14, 5.5e14 + 0.7e14j),
    ("Cu", "Py"): fs.Interface.from_conductances(8e14, 3.2e14, 3.9e14 - 0.4e14j),
}
# One multigrid per field in all of them; what differs is how the fields are put together.
SPLITS = {
    "one field after the other (default)": {},
    "all fields at once": {"pc_fieldsplit_type": "additive"},
}


def say(text):
    """Print once."""
    if COMM.rank == 0:
        print(text, flush=True)


def problem_of(transverse, size, **options):
    """Return the pillar's problem, and the seconds of its mesh."""
    stack = fs.Stack(
        fs.Layer(CU, 10e-9),
        fs.Layer(CO, 6e-9, "fixed", (0, 0, 1)),
        fs.Layer(CU, 8e-9),
        fs.Layer(PY, 4e-9, "free", (1, 0, 0.3)),
        fs.Layer(CU, 10e-9),
        interfaces=FACES if transverse == "absorbed" else {},
        library={},
    )
    begin = time.perf_counter()
    domain = fs.pillar(COMM, stack, diameter=60e-9, mesh_size=size * 1e-9)
    meshed = time.perf_counter() - begin
    leads = dict.fromkeys(("bottom", "top"), "lead")
    return fs.TransportProblem(domain, fs.Vector(transverse), contacts=leads, **options), meshed


def refinement(sizes):
    """Print one row a mesh."""
    say(f"{COMM.size} rank(s)")
    say(
        "transverse   size  unknowns   its    mesh  assembly   set-up   solve  peak GB  A R (fohm m2)  |torque| (uJ/m2)"
    )
    for transverse in ("absorbed", "resolved"):
        for size in sizes:
            problem, meshed = problem_of(transverse, size)
            x = problem.solve(current_density=1e11)
            s = problem.solver.seconds
            torque = sum(t**2 for t in x.report["torque"]["free"]) ** 0.5
            say(
                f"{transverse:<10} {size:>6.1f} {x.dofs:>9} {x.iterations:>5} {meshed:>7.1f} {s['assembly']:>9.1f}"
                f" {s['setup']:>8.1f} {s['solve']:>7.1f} {resident():>8.1f} {x.resistance_area * 1e15:>14.8f}"
                f" {torque * 1e6:>17.7f}"
            )
            problem.destroy()


def preconditioners(size):
    """Print one row a way of putting the fields' multigrids together, and the direct solver."""
    say(f"\npreconditioners, mesh size {size} nm")
    say("transverse  preconditioner                          its  set-up   solve")
    contestants = {k: fs.SolverOptions("amg", petsc=v) for k, v in SPLITS.items()}
    for transverse in ("absorbed", "resolved"):
        for name, options in {**contestants, "direct (MUMPS)": fs.SolverOptions("direct")}.items():
            problem, _ = problem_of(transverse, size, solver=options)
            try:
                x = problem.solve(current_density=1e11)
            except fs.SolverError as error:
                say(f"{transverse:<11} {name:<37} {error}")
            else:
                s = problem.solver.seconds
                say(f"{transverse:<11} {name:<37} {x.iterations:>5} {s['setup']:>7.1f} {s['solve']:>7.1f}")
            problem.destroy()


def main():
    """Print the tables."""
    sizes = [float(a) for a in sys.argv[1:]]
    refinement(sizes or SIZES)
    if not sizes:
        preconditioners(8.0)


if __name__ == "__main__":
    main()
