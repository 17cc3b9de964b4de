"""Torque on a free layer at every angle: groups of ranks, each with a device of its own, share the angles.

mpirun -n 4 python docs/examples/groups.py --ranks 2 --thickness 2e-9 --output torque.json

As many ranks form a group as the device needs; more groups do more angles at once.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from mpi4py import MPI

import fespin as fs


def main() -> None:
    """Solve the map and write it on the first rank."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ranks", type=int, default=1, help="of a group")
    parser.add_argument("--thickness", type=float, default=2e-9, help="of the free layer (m)")
    parser.add_argument("--mesh-size", type=float, default=15e-9, help="of the mesh that gmsh makes (m)")
    parser.add_argument("--refinements", type=int, default=0, help="how often all ranks of a group halve its edges")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="of torque and resistance (1)")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    comm = MPI.COMM_WORLD
    co, cu = fs.material("Co"), fs.material("Cu")
    face = fs.Interface(area_resistance_star=0.51e-15, gamma=0.77, mixing_conductance=5e14)
    stack = fs.Stack(
        fs.Layer(cu, 10e-9),
        fs.Layer(co, 12e-9, "fixed", magnetization=(0, 0, 1)),
        fs.Layer(cu, 6e-9),
        fs.Layer(co, options.thickness, "free", magnetization=(0, 0, 1)),
        fs.Layer(cu, 10e-9),
        interfaces={("Co", "Cu"): face},
    )
    leads = dict.fromkeys(("bottom", "top"), fs.Contact("lead"))

    def build(group: MPI.Intracomm) -> fs.TransportProblem:
        domain = fs.pillar(group, stack, diameter=40e-9, mesh_size=options.mesh_size, refinements=options.refinements)
        return fs.TransportProblem(domain, fs.Vector(), contacts=leads)

    with fs.in_groups(comm, max(1, comm.size // options.ranks), build) as groups:
        found = fs.torque_map(groups, "free", tolerance=options.tolerance)
    if comm.rank == 0:
        angles = np.linspace(0.0, 180.0, 7)
        cosine = np.cos(np.radians(angles))
        result = {
            "thickness": options.thickness,
            "groups": max(1, comm.size // options.ranks),
            "solves": found.solves,
            "error": found.error,
            "degrees": angles.tolist(),
            "damping_like": found.damping_like(cosine).tolist(),  # V s
            "resistance_area": found.resistance_area(cosine).tolist(),  # ohm m2
        }
        options.output.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
