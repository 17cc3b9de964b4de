"""Numbers of longitudinal dynamics as JSON on rank 0: longitudinal.py OUT.json"""

import json
import sys
from pathlib import Path

import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from samples import longitudinal as cases

from fespin.longitudinal import AppliedField, Contact, Flux, Held, decay_modes, evolve, fitted_wavenumber, respond
from fespin.normal_metal import NormalMetal

COMM = MPI.COMM_WORLD


def main(path):
    out = {}

    def put(name, values):
        out.update({f"{name}/{i}": float(v) for i, v in enumerate(np.ravel(values))})

    g = cases.magnet(0.3, 0.05, 0.2)
    for shape, problem, ends in (
        ("line", cases.interval(g), ("left", "right")),
        ("disc", cases.disc(g, 0.4), ("edge",)),
        ("box", cases.box(g, "amg", (2, 3, 3)), ("bottom", "top")),
    ):
        conditions = {ends[0]: Flux(-1e5 + 2e4j), **{e: Held(0.3) for e in ends[1:]}}
        y = respond(problem, 0.4 * g.rate, conditions)
        put(f"{shape}/impedance", [y.impedance(ends[0]).real, y.impedance(ends[0]).imag])
        put(f"{shape}/response dissipation", list(y.dissipation.values()))
        assert abs(y.balance) < 1e-10
        closed = evolve(problem, problem.state(lambda x: np.cos(2e7 * x[0])), 1 / g.rate, tolerance=1e-3)
        assert np.abs(closed.conservation).max() < 1e-12
        driven = {ends[0]: Flux(lambda t: -1e5 * t * g.rate), **{e: Held(0.3) for e in ends[1:]}}
        x = evolve(problem, closed.final, 1 / g.rate, conditions=driven, tolerance=1e-3)
        assert np.abs(x.conservation).max() < 1e-12
        assert np.abs(x.balance).max() < 1e-10
        for key in ("times", "total_M", "total_m", "energy", "heat"):
            put(f"{shape}/{key}", getattr(x, key))
        put(f"{shape}/injected", [v[-1] for v in x.injected.values()])
        metal = NormalMetal(6e-9, 450e-9, relaxation_time=2e-12)
        wave = AppliedField(3e2 + 1e2j, lambda x: np.cos(1.7e7 * x[0]))
        z = respond(problem, 0.4 * g.rate, {ends[0]: Contact(metal, 1e11, 0.5e-15, 0.7, 0.4)}, wave)
        assert abs(z.balance) < 1e-10
        spin, chi = z.contacts[ends[0]].spin_current, z.susceptibility
        put(f"{shape}/contact", [spin.real, spin.imag, chi.real, chi.imag, z.field_work])
        current = problem.spin_current(np.real(z.accumulation).copy())
        own = fem.assemble_scalar(fem.form(ufl.inner(current, current) * ufl.dx))
        put(f"{shape}/spin current", [np.real(COMM.allreduce(own))])
        if shape != "box":
            k = {"line": np.pi / cases.LENGTH, "disc": 1.8411837813 / cases.RADIUS}[shape]
            put(f"{shape}/rates", [m.rate for m in decay_modes(problem, [k])])
        if shape == "line":
            k = fitted_wavenumber(problem, y, 0.0, cases.LENGTH / 24, 20)
            put(f"{shape}/k", [k.real, k.imag])
    if COMM.rank == 0:
        Path(path).write_text(json.dumps(out))


main(sys.argv[1])
