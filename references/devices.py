"""Stacks that tests share, and the way from fespin's declaration to the reference solver's."""

import math
from dataclasses import dataclass

import numpy as np
from dolfinx import mesh
from mpi4py import MPI

from fespin import Contact, Interface, Layer, Material, Stack, TransportProblem, _compat, line
from fespin.domain import build_domain

from . import multilayer as exact

UP, DOWN = (0, 0, 1), (0, 0, -1)

CU = Material("Cu", 6e-9, 450e-9)
CO = Material.from_star("Co", 75e-9, 60e-9, 0.46)
PY = Material.from_star("Py", 291e-9, 5.5e-9, 0.76)
RU = Material("Ru", 95e-9, 14e-9)
NEG = Material.from_star("NiCr", 350e-9, 9e-9, -0.35)  # beta < 0
HALF = Material.from_star("Heusler", 400e-9, 15e-9, 0.93)
FACES = {
    ("Co", "Cu"): Interface(0.51e-15, 0.77),
    ("Py", "Cu"): Interface(0.5e-15, 0.7),
    ("Co", "Ru"): Interface(0.5e-15, -0.2),  # gamma < 0
    ("NiCr", "Cu"): Interface(0.9e-15, -0.4),
    ("Cu", "Ru"): Interface(1.1e-15, 0.0),
    ("Heusler", "Cu"): Interface(0.2e-15, 0.85),
}


def stack(*layers, faces=True):
    """Layers as (material, thickness in nm, magnetization or None)."""
    named_layers = [Layer(m, d * 1e-9, f"L{i}", tuple(v) if v else None) for i, (m, d, v) in enumerate(layers)]
    used = {m.name for m, _, _ in layers}
    interfaces = {k: v for k, v in FACES.items() if faces and set(k) <= used}
    return Stack(*named_layers, interfaces=interfaces, library={})


def _repeated(n, *period):
    return [x for _ in range(n) for x in period]


def valve(free):
    return stack((CU, 20, None), (CO, 12, UP), (CU, 6, None), (PY, 3, free), (CU, 30, None))


@dataclass(frozen=True)
class Example:
    name: str
    parallel: Stack
    antiparallel: Stack
    ends: tuple[str, str]


def _example(name, ends, build):
    return Example(name, build(UP), build(DOWN), ends)


EXAMPLES = [
    _example("spin valve, leads", ("lead", "lead"), valve),
    _example("spin valve, reservoirs", ("reservoir", "reservoir"), valve),
    _example("spin valve, blocked", ("blocked", "lead"), valve),
    _example(
        "unequal magnets, perfect contacts",
        ("lead", "reservoir"),
        lambda m: stack((CU, 40, None), (CO, 80, UP), (CU, 11, None), (PY, 25, m), (RU, 15, None), faces=False),
    ),
    _example(
        "beta and gamma of both signs",
        ("lead", "lead"),
        lambda m: stack((CU, 10, None), (NEG, 7, UP), (CU, 5, None), (CO, 4, m), (RU, 8, None), (CU, 10, None)),
    ),
    _example("wall between magnetic leads", ("lead", "lead"), lambda m: stack((CO, 150, UP), (PY, 40, m), faces=False)),
    _example(
        "magnetic leads, blocked end",
        ("blocked", "lead"),
        lambda m: stack((CO, 20, UP), (CU, 3, None), (PY, 15, m)),
    ),
    _example(
        "25 layers, (Co/Cu/Py/Cu)x6",
        ("lead", "lead"),
        lambda m: stack((CU, 20, None), *_repeated(6, (CO, 3, UP), (CU, 4, None), (PY, 2, m), (CU, 5, None))),
    ),
    _example(
        "25 layers, thin and thick",
        ("reservoir", "lead"),
        lambda m: stack((CU, 300, None), *_repeated(6, (CO, 0.4, UP), (RU, 0.8, None), (CO, 1.2, m), (CU, 25, None))),
    ),
    _example(
        "nearly half-metallic",
        ("lead", "lead"),
        lambda m: stack((CU, 15, None), (HALF, 5, UP), (CU, 5, None), (HALF, 3, m), (CU, 15, None)),
    ),
]


def reference(s, ends):
    """The exact solution of a stack at 1 A/m2, by the independent solver."""
    layers = [
        exact.Layer(
            x.thickness,
            x.material.resistivity,
            x.material.beta or 0.0,
            x.material.spin_diffusion_length,
            -1 if x.direction and x.direction[2] < 0 else 1,
        )
        for x in s
    ]
    faces = []
    for a, b in zip(s.layers, s.layers[1:], strict=False):
        i = s.interface(a.name, b.name)
        sign = next((-1 if x.direction[2] < 0 else 1 for x in (a, b) if x.direction), 1)
        faces.append(None if i is None else exact.Interface(i.area_resistance_star, i.gamma, sign))
    return exact.solve(layers, faces, *ends)


def side_by_side(comm, s, cells, *, whole=True):
    """A section of two layers next to each other, a face between them along the current.

    The top contact is on both, the bottom one too, or on the left one alone.
    """
    width, height = 40e-9, 30e-9
    m = mesh.create_rectangle(comm, [[0, 0], [width, height]], cells)
    topology = m.topology
    topology.create_connectivity(1, 2)
    imap = topology.index_map(2)
    every = np.arange(imap.size_local + imap.num_ghosts, dtype=np.int32)
    half = width / 2 * (1 + 1e-6)
    tags = np.full(len(every), 2, np.int32)
    tags[mesh.locate_entities(m, 2, lambda x: x[0] < half)] = 1
    bottom = mesh.locate_entities_boundary(m, 1, lambda x: (x[1] < 1e-6 * height) & (whole | (x[0] < half)))
    top = mesh.locate_entities_boundary(m, 1, lambda x: x[1] > (1 - 1e-6) * height)
    facets, values = np.concatenate([bottom, top]), np.repeat([3, 4], [len(bottom), len(top)]).astype(np.int32)
    order = np.argsort(facets)
    names = {(2, s.names[0]): 1, (2, s.names[1]): 2, (1, "bottom"): 3, (1, "top"): 4}
    ends = mesh.meshtags(m, 1, facets[order], values[order])
    return build_domain(m, mesh.meshtags(m, 2, every, tags), ends, names, s, depth=7e-9)


def solve(s, ends, **options):
    problem = TransportProblem(
        line(MPI.COMM_WORLD, s, refine=options.pop("refine", 1.0)),
        contacts={k: Contact(e) for k, e in zip(("bottom", "top"), ends, strict=True)},
        **options,
    )
    return problem.solve(current_density=1e11)


def l2_error(x, exact):
    """Relative L2 error of the accumulation, by quadrature of high order."""
    mesh, out = x.domain.mesh, np.zeros(2)
    points = np.polynomial.legendre.leggauss(8)[0] / 2 + 0.5
    weights = np.polynomial.legendre.leggauss(8)[1] / 2
    s = x.fields["s"]
    for cell in range(x.domain.owned_cells):
        a, b = mesh.geometry.x[_compat.cell_nodes(mesh)[cell]][:2, 0]
        at = np.zeros((len(points), 3))
        at[:, 0] = a + (b - a) * points
        d = 2 * s.eval(at, np.full(len(points), cell, np.int32)).ravel() / x.current_density
        e = exact.accumulation(at[:, 0], int(x.domain.region[cell]))
        out += abs(b - a) * np.array([weights @ (d - e) ** 2, weights @ e**2])
    return math.sqrt(out[0] / out[1])
