"""Numbers of laws that follow the state as JSON on rank 0: state_laws.py OUT.json"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1]))

from mpi4py import MPI

import fespin as fs
from fespin.onsager import Terminal
from tests.onsager import test_state_laws as laws
from tests.transport import test_thermoelectric_nonlinear as thermal

COMM = MPI.COMM_WORLD


def main(path):
    out = {}
    for shape, make in laws.DOMAINS.items():
        domain = make(COMM)
        given = {"voltage": Terminal(voltage=0.5), "current": Terminal(current=2e10 * domain.area)}
        drives = {name: {"bottom": terminal} for name, terminal in given.items()}
        for name, drive in drives.items():
            _, x = laws.solve(domain, laws.barrier(), {**drive, "top": Terminal(voltage=0.0)})
            out[f"{shape} {name}/current"] = x.solved.currents["bottom"]
            out[f"{shape} {name}/current of top"] = x.solved.currents["top"]
            out |= {f"{shape} {name} power/{'|'.join(k)}": p for k, p in x.power.parts.items()}
            out[f"{shape} {name} voltage/0"] = x.solved.voltages["bottom"]
    layers, faces, ends = thermal.STACKS["they follow T"]
    stack = fs.Stack(*layers, interfaces=faces, library={})
    contacts = dict(zip(("bottom", "top"), ends, strict=True))
    for shape in ("line", "strip"):
        domain = (
            fs.line(COMM, stack, mesh_size=2e-9)
            if shape == "line"
            else fs.strip(COMM, stack, width=20e-9, mesh_size=6e-9)
        )
        p = fs.TransportProblem(domain, fs.Thermoelectric(thermal.T0, nonlinear=True), contacts=contacts)
        drive = {"bottom": fs.Terminal(voltage=0.03, heat=4e9 * domain.area), "top": fs.Terminal(voltage=0.0)}
        x = p.solve(terminals=drive)
        out[f"{shape} heat current/0"] = x.current
        out |= {f"{shape} heats/{k}": v for k, v in x.heats.items()}
        out |= {f"{shape} temperatures/{k}": v for k, v in x.temperatures.items()}
        out |= {f"{shape} work/{'|'.join(k)}": v for k, v in x.dissipation.parts.items()}
        out |= {f"{shape} entropy/{k}": v for k, v in x.report["entropy_production"].items()}
    if COMM.rank == 0:
        Path(path).write_text(json.dumps(out))


main(sys.argv[1])
