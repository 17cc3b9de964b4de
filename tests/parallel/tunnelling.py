"""Numbers of a tunnel junction as JSON on rank 0: tunnelling.py OUT.json"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1]))

from mpi4py import MPI
from samples.solvers import TO_ROUNDING

import fespin as fs
from fespin.coupling import solve_turning

COMM = MPI.COMM_WORLD


def junction(transverse, **law):
    magnet = fs.Material(
        "F", 1.3e-6, 3e-9, 0.45, transverse_conductivity=0.6e6, dephasing_length=0.9e-9, precession_length=1.4e-9
    )
    metal = fs.Material("M", 2e-7, 6e-9)
    barrier = fs.TunnelBarrier(8e-12, polarization=(0.62, 0.41), field_like=(2e-6, -3e-6), **law)
    layers = [
        fs.Layer(metal, 4e-9, "lower"),
        fs.Layer(magnet, 3e-9, "fixed", (0.2, -0.4, 0.9)),
        fs.Layer(magnet, 2e-9, "free", (0.7, 0.5, -0.3)),
        fs.Layer(metal, 5e-9, "upper"),
    ]
    face = fs.Interface.from_conductances(6e14, 3e14, 5e14 + 0.8e14j)
    faces = {("M", "F"): face, ("fixed", "free"): fs.Interface(tunnel=barrier)}
    return fs.Stack(*layers, interfaces=faces, library={}), fs.Vector(transverse)


def main(out):
    numbers = {}
    for transverse in ("absorbed", "resolved"):
        for name, law in (("ohmic", {}), ("bent", {"half_voltage": 0.4, "conductance_voltage": 0.9})):
            stack, model = junction(transverse, **law)
            domain = fs.strip(COMM, stack, width=30e-9, mesh_size=8e-9, lead_width=60e-9, lead_thickness=10e-9)
            problem = fs.TransportProblem(domain, model, degree=1, solver=TO_ROUNDING)
            x = problem.solve(voltage=0.35)
            key = f"{transverse} {name}"
            numbers[f"{key}/current_density"] = x.current_density
            numbers[f"{key}/barrier_voltage"] = x.report["barrier_voltage"]["fixed|free"]
            for layer, torque in x.report["torque"].items():
                numbers |= {f"{key}/torque/{layer}/{i}": t for i, t in enumerate(torque)}
            for place, power in x.dissipation.by_place.items():
                numbers[f"{key}/power/{place}"] = power
            shorted = {"bottom": fs.Terminal(voltage=0.0), "top": fs.Terminal(voltage=0.0)}
            pumped = solve_turning(problem, {"free": (1e9, 2e9, -3e9)}, shorted)
            numbers |= {f"{key}/pumped_torque/{i}": float(t) for i, t in enumerate(pumped.torque["free"])}
    if COMM.rank == 0:
        Path(out).write_text(json.dumps(numbers))


if __name__ == "__main__":
    main(sys.argv[1])
