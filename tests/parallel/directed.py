"""Numbers of anisotropic and Hall media as JSON on rank 0: directed.py OUT.json"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from mpi4py import MPI
from samples.solvers import TO_ROUNDING

import fespin as fs
from fespin.coupling import solve_turning

COMM = MPI.COMM_WORLD
OBLIQUE = (0.48, -0.6, 0.64)
PT = fs.Material("Pt", 2.5e-7, 1.5e-9, spin_hall_angle=0.3)
F = fs.Material(
    "F", 3e-7, 5e-9, 0.5, dephasing_length=1.2e-9, precession_length=2e-9, anisotropic_magnetoresistance=0.4
)
FACE = fs.Interface.from_conductances(6e14, 3e14, 5e14 + 0.8e14j)


def bent(x):
    """m along the stacking direction, the last coordinate that the mesh has."""
    z = x[: 1 if np.ptp(x[1]) == 0 and np.ptp(x[2]) == 0 else 2][-1] / 5e-9
    return np.array([0.2 + z, 0.5 - z, 0.4 + 0.3 * z * z])


def stack(magnetization, transverse):
    layers = [fs.Layer(PT, 3e-9, "hm"), fs.Layer(F, 4e-9, "f", magnetization), fs.Layer(PT, 2e-9, "cap")]
    layers.append(fs.Layer(F, 3e-9, "fixed", (1, 0.3, 0)))
    return fs.Stack(*layers, interfaces={("Pt", "F"): FACE} if transverse == "absorbed" else {}, library={})


def results(name, x):
    left_out = {"iterations", "power_balance", "dofs"}
    if x.in_plane_currents:
        # Nothing flows upwards but rounding.
        left_out |= {"currents", "current", "current_density", "channel_currents"}
    summary = {k: v for k, v in x.summary().items() if k not in left_out}
    flat = {}

    def walk(value, path):
        if isinstance(value, dict):
            for k, v in value.items():
                walk(v, f"{path}/{k}")
        elif isinstance(value, (list, tuple)):
            for i, v in enumerate(value):
                walk(v, f"{path}/{i}")
        elif isinstance(value, (int, float)):
            flat[path] = value

    walk(summary, name)
    assert abs(x.power_balance) < 1e-9, (name, x.power_balance)
    return flat


def main(path):
    out = {}
    for transverse in ("absorbed", "resolved"):
        for kind, m in (("uniform", OBLIQUE), ("varying", bent)):
            made = stack(m, transverse)
            for shape in ("line", "strip"):
                if shape == "line":
                    domain = fs.line(COMM, made, mesh_size=0.5e-9)
                else:
                    domain = fs.strip(COMM, made, width=6e-9, mesh_size=1.5e-9, depth=7e-9)
                ends = {"bottom": "lead", "top": "blocked"}
                p = fs.TransportProblem(domain, fs.Vector(transverse), contacts=ends, solver=TO_ROUNDING)
                name = f"{transverse} {kind} {shape}"
                out |= results(f"{name} current", p.solve(current_density=1e11))
                field = (2e5, -1e5, 0) if shape == "line" else (0, -1e5, 0)
                out |= results(f"{name} field", p.solve(electric_field=field))
                if kind == "uniform" and shape == "line":
                    still = {"bottom": fs.Terminal(current=0.0), "top": fs.Terminal(voltage=0.0)}
                    x = solve_turning(p, {"f": (1e10, 2e10, -1e10)}, still, electric_field=field)
                    out |= {f"{name} turning/torque/{i}": float(t) for i, t in enumerate(x.torque["f"])}
                    out |= {f"{name} turning/sheet/{i}": t for i, t in enumerate(x.in_plane_currents["hm"]["charge"])}
                p.destroy()
    body = fs.Stack(
        fs.Layer(PT, 3e-9, "hm"), fs.Layer(F, 4e-9, "f", OBLIQUE), interfaces={("Pt", "F"): FACE}, library={}
    )
    p = fs.TransportProblem(fs.pillar(COMM, body, diameter=6e-9, mesh_size=2e-9), fs.Vector(), solver=TO_ROUNDING)
    out |= results("pillar", p.solve(current_density=1e11))
    if COMM.rank == 0:
        Path(path).write_text(json.dumps(out))


main(sys.argv[1])
