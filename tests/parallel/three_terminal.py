"""Spin Hall torque on the pillar of a three-terminal device on all ranks; writes numbers as JSON."""

import json
import sys

from mpi4py import MPI

import fespin as fs
from fespin.solvers import SolverOptions

comm = MPI.COMM_WORLD
layers = (
    fs.Layer(fs.Material("Pt", 2.5e-7, 1.5e-9, spin_hall_angle=0.1), 4e-9, "bar"),
    fs.Layer(fs.Material("F", 1.3e-6, 5e-9, 0.5), 1.5e-9, "free", (0.3, -0.5, 0.8)),
)
face = fs.Interface.from_conductances(6e14, 3e14, 5e14 + 0.8e14j, spin_memory_loss=(4e14, 1e14))
stack = fs.Stack(*layers, interfaces={("Pt", "F"): face}, library={})
sizes = {"bar_length": 60e-9, "bar_width": 30e-9, "diameter": 20e-9, "mesh_size": 12e-9}
problem = fs.TransportProblem(
    fs.three_terminal(comm, stack, bar_layers=1, **sizes), fs.Vector(), contacts={"top": "blocked"}, degree=1,
    solver=SolverOptions("direct"),
)  # fmt: skip
drive = {"left": fs.Terminal(voltage=1e-3), "right": fs.Terminal(voltage=0.0), "top": fs.Terminal(current=1e-7)}
x = problem.solve(terminals=drive, between=("left", "right"))
out = {f"torque/free/{i}": t for i, t in enumerate(x.report["torque"]["free"])}
out |= {f"current/{k}": i for k, i in x.currents.items()} | {f"voltage/{k}": v for k, v in x.voltages.items()}
out |= {f"power/by/{k}": v for k, v in x.dissipation.by_mechanism.items()}
if comm.rank == 0:
    with open(sys.argv[1], "w") as file:
        json.dump(out, file)
