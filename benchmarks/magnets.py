"""Magnets out of equilibrium: seconds against unknowns, in one, two and three dimensions.

    OMP_NUM_THREADS=1 python benchmarks/magnets.py           # about three minutes
    OMP_NUM_THREADS=1 mpirun -n 2 python benchmarks/magnets.py

Longitudinal dynamics: 20 steps of a relaxation, and a response to an alternating injection. Textured magnets: steps
of a wall with a current that feels it. Generic and two-band magnets: equations made, a texture solved.
"""

import math
import time

import numpy as np
from dolfinx import mesh
from mpi4py import MPI

from fespin.longitudinal import Flux, LongitudinalMagnet, LongitudinalProblem, evolve, respond
from fespin.texture import (
    Dynamics,
    Electrode,
    GenericMagnet,
    Grid,
    IrreversibleProblem,
    Lead,
    OhmicCircuit,
    TexturedMagnet,
    TwoBandMagnet,
    wall,
)

COMM = MPI.COMM_WORLD
LENGTH = 200e-9
MAGNET = TexturedMagnet(8.3e5, 1.7e-11, 0.05, 5e6, 0.55, 0.08, easy_constant=3e4, hard_constant=0.9e5)
SIZES = {1: (200, 2000, 20000), 2: (40, 80, 160), 3: (16, 32)}


def meshes():
    """Return meshes of growing size: a line, a plane, a body, of the same length."""
    for dim, counts in SIZES.items():
        for n in counts:
            if dim == 1:
                yield dim, mesh.create_interval(COMM, n, [0, LENGTH])
            elif dim == 2:
                yield dim, mesh.create_rectangle(COMM, [[0, 0], [LENGTH, LENGTH / 4]], [n, n // 4])
            else:
                yield dim, mesh.create_box(COMM, [[0, 0, 0], [LENGTH, LENGTH / 4, LENGTH / 4]], [n, n // 4, n // 4])


def say(text):
    """Print once."""
    if COMM.rank == 0:
        print(text, flush=True)


def seconds(work):
    """Return what work returns, and how long it took on the slowest rank."""
    COMM.barrier()
    begin = time.perf_counter()
    result = work()
    return result, COMM.allreduce(time.perf_counter() - begin, MPI.MAX)


def left(x):
    return x[0] < 1e-12


def right(x):
    return x[0] > LENGTH - 1e-12


def longitudinal():
    say(
        f"\nlongitudinal, degree 2\n{'dim':>4}{'unknowns':>10}{'20 steps':>10}{'response':>10}{'its':>5}{'balance':>10}"
    )
    g = LongitudinalMagnet(0.3, 1e-12, 2e-3, tau_mL=3e-11, susceptibility=0.01)
    for dim, domain in meshes():
        problem = LongitudinalProblem(domain, g, parts={"left": left})
        h = 0.05 / g.rate
        start = problem.state(lambda x: np.where(x[0] < LENGTH / 2, 1.0, 0.0))
        x, moved = seconds(
            lambda p=problem, s=start, h=h: evolve(p, s, 20 * h, first_step=h, max_step=h, tolerance=0.5)
        )
        y, answered = seconds(lambda p=problem: respond(p, 1e11, {"left": Flux(-1.0)}))
        say(f"{dim:>4}{2 * problem.unknowns:>10}{moved:>10.2f}{answered:>10.2f}{y.iterations:>5}"
            f"{np.abs(x.balance).max():>10.0e}")  # fmt: skip
        problem.destroy()


def textured():
    say(
        f"\ntextured, 10 steps of 1 ps\n{'dim':>4}{'nodes':>10}{'circuit':>10}{'a step':>10}{'Newton':>8}{'factors':>8}"
    )
    for dim, domain in meshes():
        grid = Grid(domain)
        leads = {"left": Lead(left, voltage=0.0), "right": Lead(right)}
        circuit, setup = seconds(lambda g=grid, x=leads: OhmicCircuit(g, MAGNET, x))
        motion = Dynamics(grid, MAGNET, wall(MAGNET, LENGTH / 2, 0.3), field=(0.02, 0, 0), current=circuit)
        _, moved = seconds(lambda m=motion: m.run(1e-11, step=1e-12))
        say(f"{dim:>4}{grid.map.size_global:>10}{setup:>10.2f}{moved / 10:>10.3f}{motion.newton_steps[0] / 10:>8.1f}"
            f"{motion.newton_steps[1]:>8}")  # fmt: skip
        motion.destroy()
        circuit.destroy()


def irreversible():
    head = "".join(f"{x:>10}" for x in ("cells", "made", "solved", "made", "solved", "balance"))
    say(f"\ngeneric and two bands, with heat\n{'dim':>4}{head}")
    ms = MAGNET.saturation_magnetization
    one = GenericMagnet.of(MAGNET)
    one = GenericMagnet(**{
        **vars(one), "thermal_conductivity": 30.0, "L_sn": 1e21, "L_sM1": 1e-7, "A_par": one.A_perp, "C_par": 1e-14,
        "C_perp": 2e-14, "L_QN1": 1e-8, "L_QN3": 2e-8, "L_QN2_prime": 3e-8,
    })  # fmt: skip
    two = TwoBandMagnet(**{**vars(TwoBandMagnet.of(MAGNET, 30e-9)), "thermal_conductivity": 30.0, "L_s_up": 1e21})
    for dim, domain in meshes():
        grid = Grid(domain)
        leads = {
            "left": Electrode(left, voltage=0.0, temperature=300.0),
            "right": Electrode(right, current=0.0, heat=0.0),
        }
        row, balance = "", 0.0
        for magnet in (one, two):
            problem, setup = seconds(lambda g=grid, m=magnet, x=leads: IrreversibleProblem(g, m, x))
            m = wall(MAGNET, LENGTH / 2, math.pi / 5)
            state, solved = seconds(lambda p=problem, m=m: p.solve(lambda x: ms * m(x), (0.1, 0.02, 0.0)))
            row, balance = row + f"{setup:>10.2f}{solved:>10.2f}", max(balance, abs(state.balance))
            problem.destroy()
        say(f"{dim:>4}{COMM.allreduce(len(grid.cells)):>10}{row}{balance:>10.0e}")


if __name__ == "__main__":
    say(f"{COMM.size} rank(s), seconds")
    longitudinal()
    textured()
    irreversible()
