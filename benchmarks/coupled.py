"""From a 3D pillar to write errors: seconds of the torque map and of the Fokker-Planck equation, and where they go.

    OMP_NUM_THREADS=1 python benchmarks/coupled.py           # 2e5 unknowns, some minutes
    OMP_NUM_THREADS=1 mpirun -n 2 python benchmarks/coupled.py
    python benchmarks/coupled.py 4 2.6                       # these mesh sizes only (nm)

The device is that of demos/write_errors.toml, a Co/Cu/Co pillar of 40 nm between wide copper leads: torque, resistance
and pumped damping to 1e-4, and 20 points of the write-error rate.
"""

import dataclasses
import math
import sys
import time

import numpy as np
from mpi4py import MPI
from refinement import resident

import fespin as fs

COMM = MPI.COMM_WORLD
DIAMETER, THICKNESS, CURRENT = 40e-9, 2e-9, -2e11


def say(text):
    """Print once."""
    if COMM.rank == 0:
        print(text, flush=True)


def device(size):
    """Return the pillar's problem, and the seconds of its mesh."""
    copper, cobalt = fs.material("Cu"), fs.material("Co")
    face = dataclasses.replace(fs.interfaces()["Co", "Cu"], mixing_conductance=5.5e14 + 0.3e14j)
    stack = fs.Stack(
        fs.Layer(copper, 10e-9),
        fs.Layer(cobalt, 12e-9, "fixed", (0, 0, 1)),
        fs.Layer(copper, 6e-9),
        fs.Layer(cobalt, THICKNESS, "free", (0, 0, 1)),
        fs.Layer(copper, 10e-9),
        interfaces={("Co", "Cu"): face},
        library={},
    )
    begin = time.perf_counter()
    domain = fs.pillar(COMM, stack, diameter=DIAMETER, lead_width=120e-9, lead_thickness=20e-9, mesh_size=size * 1e-9)
    meshed = time.perf_counter() - begin
    leads = dict.fromkeys(("bottom", "top"), "lead")
    return fs.TransportProblem(domain, fs.Vector(), contacts=leads, degree=1), meshed


def main(sizes):
    say(f"{COMM.size} rank(s)")
    say(f"{'unknowns':>9}{'angles':>7}{'mesh':>7}{'assembly':>9}{'setup':>7}{'solve':>7}{'rest':>7}{'map':>7}"
        f"{'its':>6}{'error':>9}{'20 WER':>8}{'GB':>6}")  # fmt: skip
    for size in sizes:
        problem, meshed = device(size)
        begin = time.perf_counter()
        torque_map = fs.torque_map(problem, "free", tolerance=1e-4, pumping=True)
        mapped = time.perf_counter() - begin
        s = problem.solver.seconds
        other = mapped - sum(s.values())
        spin = fs.Macrospin(math.pi / 4 * DIAMETER**2 * THICKNESS, 1.4e6, 0.02, 300.0, fs.Uniaxial(stability=60.0))
        begin = time.perf_counter()
        spin = torque_map.pumped(spin, current_density=CURRENT)
        torque = torque_map.torque(spin, current_density=CURRENT)
        times = np.linspace(0.5e-9, 10e-9, 20)
        rates = fs.FokkerPlanck(COMM, spin, torque).switching(times, start=(0, 0, -1)).not_switched
        written = time.perf_counter() - begin
        say(f"{problem.system.dofs:>9}{torque_map.solves:>7}{meshed:>7.1f}{s['assembly']:>9.1f}{s['setup']:>7.1f}"
            f"{s['solve']:>7.1f}{other:>7.1f}{mapped:>7.1f}{problem.solver.iterations:>6}{torque_map.error:>9.1e}"
            f"{written:>8.2f}{COMM.allreduce(resident()):>6.1f}")  # fmt: skip
        assert (np.diff(rates) < 0).all()
        problem.destroy()


if __name__ == "__main__":
    main([float(x) for x in sys.argv[1:]] or [2.9])
