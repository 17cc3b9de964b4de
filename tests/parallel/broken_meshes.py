"""What several ranks hear of broken mesh files: JSON with a list of messages, one a rank, by name of the fault."""

import json
import sys
from pathlib import Path

import faulty_meshes
from mpi4py import MPI

from fespin import InputError, Layer, Material, Stack, from_file

comm = MPI.COMM_WORLD
folder = Path(sys.argv[1])
metal = Material("N", resistivity=1e-7, spin_diffusion_length=1e-8)
stack = Stack(Layer(metal, 4e-9, "lower"), Layer(metal, 4e-9, "upper"), library={})
heard = {}
for name in ["sound", *faulty_meshes.FAULTS]:
    try:
        from_file(comm, folder / f"{name}.msh", stack, length_unit=1e-9)
        message = ""
    except InputError as error:
        message = str(error)
    heard[name] = comm.gather(message, 0)
if comm.rank == 0:
    (folder / "heard.json").write_text(json.dumps(heard))
