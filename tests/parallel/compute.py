"""Numbers of several devices as JSON on rank 0, for comparison across rank counts: compute.py OUT.json"""

import json
import sys
from pathlib import Path

from mpi4py import MPI
from samples.solvers import TO_ROUNDING

from fespin import (
    Contact,
    Layer,
    Material,
    Stack,
    Terminal,
    TransportProblem,
    lateral,
    line,
    material,
    pillar,
    strip,
)
from references.devices import CO, CU, DOWN, PY, UP, stack, valve

COMM = MPI.COMM_WORLD
LEADS = dict.fromkeys(("bottom", "top"), Contact("lead"))


def flat(value, name=""):
    """Every number of nested results under a path."""
    if isinstance(value, dict):
        return {k: v for a, b in value.items() for k, v in flat(b, f"{name}/{a}").items()}
    if isinstance(value, (list, tuple)):
        return {k: v for i, b in enumerate(value) for k, v in flat(b, f"{name}/{i}").items()}
    return {name: value} if isinstance(value, (int, float)) and not isinstance(value, bool) else {}


def results(x):
    return {k: v for k, v in x.summary().items() if k not in ("iterations", "power_balance")} | {
        "profile": x.profile(5).accumulation.tolist() if x.between == ("bottom", "top") else []
    }


def devices():
    wide = {"lead_width": 150e-9, "lead_thickness": 20e-9, "mesh_size": 15e-9}
    yield "line", line(COMM, valve(DOWN)), LEADS, {"current_density": 1e11}
    walls = stack((CO, 30, UP), (CU, 4, None), (PY, 20, DOWN), faces=False)
    yield "magnetic leads", line(COMM, walls), LEADS, {"current_density": 1e11}
    yield "magnetic leads in 2D", strip(COMM, walls, width=20e-9), LEADS, {"current_density": 1e11}
    yield "strip", strip(COMM, valve(UP), width=60e-9, **wide), LEADS, {"voltage": 1e-3}
    yield "pillar", pillar(COMM, valve(DOWN), semi_axes=(30e-9, 40e-9), **wide), LEADS, {"current": 1e-4}
    thick = Material("N", 14e-9, 400e-9)
    spin_valve = Stack(Layer(thick, 60e-9, "channel"), Layer(PY, 30e-9, "a"), Layer(PY, 30e-9, "b", DOWN))
    domain = lateral(COMM, spin_valve, separation=300e-9, wire_width=60e-9, channel_width=60e-9, dimension=2)
    none = Terminal(current=0.0)
    drive = {"left": Terminal(voltage=0.0), "right": none, "injector": Terminal(current=1e-3), "detector": none}
    ends = {"left": Contact("lead"), "right": Contact("lead")}
    yield "lateral", domain, ends, {"terminals": drive}


def absent_field():
    """Three channels, one of them in the magnet only; ranks may be without it."""
    from samples.three_channels import run, three_channels

    domain, declaration = three_channels(12e-9)
    _, _, current, power, _ = run(domain, declaration)
    return {"current": current, "power": {"/".join(k): p for k, p in power.parts.items()}}


def transient():
    """A valve that is switched on."""
    cu, co = (material(n, density_of_states=8e46) for n in ("Cu", "Co"))
    s = Stack(Layer(cu, 10e-9), Layer(co, 6e-9), Layer(cu, 5e-9), Layer(co, 3e-9, "free", DOWN), Layer(cu, 10e-9))
    problem = TransportProblem(strip(COMM, s, width=40e-9), solver=TO_ROUNDING)
    drive = {"bottom": Terminal(voltage=1e-3), "top": Terminal(voltage=0.0)}
    e = problem.evolve(lambda t: drive, 2e-14, first_step=1e-15, tolerance=1e-3)
    return {"current": e.currents["bottom"].tolist(), "stored": e.stored.tolist(), "steps": len(e.times)}


def main(path):
    out = flat({"absent field": absent_field(), "transient": transient()})
    for name, domain, contacts, drive in devices():
        problem = TransportProblem(domain, contacts=contacts, solver=TO_ROUNDING)
        x = problem.solve(**drive)
        assert abs(x.power_balance) < 1e-10, (name, x.power_balance)
        out |= flat(results(x), name)
        problem.destroy()
    if COMM.rank == 0:
        Path(path).write_text(json.dumps(out))


main(sys.argv[1])
