"""Meshes refined and read by all ranks, as JSON on rank 0, for comparison across rank counts: scaled.py OUT.json

The meshes that it reads lie beside OUT.json where one rank wrote them.
"""

import json
import sys
from pathlib import Path

import numpy as np
from dolfinx import mesh
from mpi4py import MPI
from samples.solvers import TO_ROUNDING

from fespin import Contact, InputError, TransportProblem, from_file, lateral, line, pillar, strip
from fespin._compat import cell_nodes
from fespin.domain import build_domain
from fespin.onsager.broken import lowest_ranks
from references.devices import CU, DOWN, PY, stack, valve

COMM = MPI.COMM_WORLD
OUT = Path(sys.argv[1])
LEADS = dict.fromkeys(("bottom", "top"), Contact("lead"))


def measures(domain):
    """Names and sizes of all parts, and shape of the cells."""
    owned = domain.owned_cells
    x = domain.mesh.geometry.x[cell_nodes(domain.mesh)[:owned]][..., : domain.dim]
    volumes = np.abs(np.linalg.det(x[:, 1:] - x[:, :1]))
    in_regions = np.bincount(domain.region[:owned], volumes, minlength=len(domain.regions))
    return {
        "cells": COMM.allreduce(owned),
        "volume": dict(zip(domain.regions, COMM.allreduce(in_regions).tolist(), strict=True)),
        "smallest": COMM.allreduce(volumes.min(initial=np.inf), MPI.MIN),
        "interfaces": {"|".join(p): domain.interface_area(p) for p in domain.interfaces},
        "contacts": domain.contact_areas(),
        "cross section": domain.area,
        "touched": {c: len(domain.contact_regions(c)) for c in domain.contacts},
        "extent": {r: domain.region_extent(r) for r in domain.regions},
    }


def solved(domain, contacts=LEADS, **drive):
    x = TransportProblem(domain, contacts=contacts, solver=TO_ROUNDING).solve(**(drive or {"current_density": 1e11}))
    profile = x.profile(4).accumulation.tolist() if x.between == ("bottom", "top") else []
    return {"area resistance": x.resistance_area, "accumulation": profile}


def flat(value, name):
    if isinstance(value, dict):
        return {k: v for a, b in value.items() for k, v in flat(b, f"{name}/{a}").items()}
    if isinstance(value, (list, tuple)):
        return {k: v for i, b in enumerate(value) for k, v in flat(b, f"{name}/{i}").items()}
    return {name: float(value)}


wide = {"lead_width": 150e-9, "lead_thickness": 20e-9, "mesh_size": 40e-9}
small = stack((CU, 8, None), (PY, 3, DOWN), (CU, 10, None))
made = {
    "line": line(COMM, valve(DOWN), refinements=2),
    "strip": strip(COMM, small, width=60e-9, refinements=1, **wide),
    "pillar": pillar(COMM, small, semi_axes=(30e-9, 40e-9), mesh_size=30e-9, refinements=1),
}
unsolved = {"wide": pillar(COMM, small, diameter=50e-9, refinements=1, **wide)}
wires = stack((CU, 60, None), (PY, 30, None), (PY, 30, DOWN), faces=False)
sizes = {"separation": 300e-9, "wire_width": 60e-9, "channel_width": 60e-9, "channel_length": 300e-9, "dimension": 2}
unsolved["lateral"] = lateral(COMM, wires, refinements=1, **sizes)
if COMM.size == 1:
    pillar(COMM, small, semi_axes=(30e-9, 40e-9), mesh_size=30e-9, save=OUT.parent / "pillar.xdmf")
    line(COMM, small, save=OUT.parent / "line.xdmf")
made["read"] = from_file(COMM, OUT.parent / "pillar.xdmf", small, refinements=1)
made["read line"] = from_file(COMM, OUT.parent / "line.xdmf", small)
found = {f"{name}/measures": measures(domain) for name, domain in unsolved.items()}
for name, domain in made.items():
    found |= {f"{name}/measures": measures(domain), f"{name}/solved": solved(domain)}

# The lowest of the ranks that claim a key, against a list of all claims.
random = np.random.default_rng(COMM.rank)
keys = np.unique(random.integers(0, 60, 40))
claims = random.random(len(keys)) < 0.7
everything = COMM.allgather((keys.tolist(), claims.tolist()))
expected = {}
for rank, (k, c) in enumerate(everything):
    for key, mine in zip(k, c, strict=True):
        if mine:
            expected.setdefault(key, rank)
claimed = np.isin(keys, list(expected))
assert lowest_ranks(COMM, keys, claims)[claimed].tolist() == [expected[k] for k in keys[claimed].tolist()]

# Two contacts that share the corner of a square, each on a side of its own.
square = mesh.create_unit_square(COMM, 5, 5, ghost_mode=mesh.GhostMode.shared_facet)
count = square.topology.index_map(2)
cells = np.arange(count.size_local + count.num_ghosts, dtype=np.int32)
square.topology.create_connectivity(1, 2)
sides = [mesh.locate_entities_boundary(square, 1, lambda x, i=i: np.isclose(x[i], 0)) for i in (0, 1)]
facets, order = np.unique(np.concatenate(sides), return_index=True)
tags = np.repeat([1, 2], [len(s) for s in sides])[order].astype(np.int32)
names = {(2, "L0"): 1, (1, "left"): 1, (1, "below"): 2}
try:
    build_domain(
        square,
        mesh.meshtags(square, 2, cells, np.ones(len(cells), np.int32)),
        mesh.meshtags(square, 1, facets, tags),
        names,
        stack((CU, 8, None), faces=False),
    )
    heard = ""
except InputError as error:
    heard = str(error)
assert heard == "contacts 'left' and 'below' touch; leave a gap between them", heard

if COMM.rank == 0:
    OUT.write_text(json.dumps({k: v for a, b in found.items() for k, v in flat(b, a).items()}))
