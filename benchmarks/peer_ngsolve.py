"""The pillar of works/two_channels_3d.py solved by NGSolve, on the same mesh.

    python benchmarks/peer_ngsolve.py export pillar.npz   # where fespin is: solves, and writes mesh and coefficients
    python benchmarks/peer_ngsolve.py solve pillar.npz    # where NGSolve is (pip install ngsolve)

NGSolve gets one H1 space a field and group of regions that perfect contacts join, and conjugate gradients with
Gauss-Seidel forwards and backwards around a Cholesky factor of the unknowns at vertices. CPU seconds.
"""

import sys
import time
from pathlib import Path

import numpy as np

NM = 1e-9


def export(path):
    """Solve with fespin and write what NGSolve needs."""
    sys.path.insert(0, str(Path(__file__).parent / "works"))
    from two_channels_3d import problem_of

    from fespin import _compat

    problem_of(0.4).solve(current_density=1e11)
    problem = problem_of(0.75)
    begin = time.process_time()
    x = problem.solve(voltage=1.0)
    print(f"fespin: {x.dofs} unknowns, {time.process_time() - begin:.2f} s with reports, R = {x.resistance!r} ohm")
    domain, c = problem.domain, problem.system.coefficients
    out = {
        "x": domain.mesh.geometry.x / NM, "cells": _compat.cell_nodes(domain.mesh), "region": domain.region,
        "conduction": c.conduction, "reaction": c.reaction, "R": x.resistance,
    }  # fmt: skip
    for k, (pair, entities) in enumerate(domain.interfaces.items()):
        out[f"face{k}"] = domain.facet_nodes(entities.reshape(-1, 4)[:, :2].ravel())
        out[f"pair{k}"] = [domain.regions.index(r) for r in pair]
        out[f"g{k}"], out[f"perfect{k}"] = c.faces[pair], len(problem.system.declaration.law(pair).perfect) == 2
    for name in ("bottom", "top"):
        out[f"end_{name}"], out[f"b_{name}"] = domain.facet_nodes(domain.contact_entities[name]), c.ends[name]
        out[f"touches_{name}"] = domain.regions.index(problem.contacts[name][1])
    np.savez(path, **out)


def mesh_of(data, ng):
    """Return NGSolve's mesh."""
    from netgen.meshing import Element2D, Element3D, FaceDescriptor, Mesh, MeshPoint, Pnt

    mesh, faces = Mesh(dim=3), sum(k.startswith("face") for k in data)
    points = [mesh.Add(MeshPoint(Pnt(*x))) for x in data["x"]]
    surfaces = [(f"f{k}", data[f"face{k}"], data[f"pair{k}"] + 1) for k in range(faces)]
    surfaces += [(n, data[f"end_{n}"], (data[f"touches_{n}"] + 1, 0)) for n in ("bottom", "top")]
    for k, (name, _, (inside, outside)) in enumerate(surfaces):
        mesh.Add(FaceDescriptor(surfnr=k + 1, domin=int(inside), domout=int(outside), bc=k + 1))
        mesh.SetBCName(k, name)
    for i in range(len(data["conduction"])):
        mesh.SetMaterial(i + 1, f"r{i}")
    for k, (_, triangles, _) in enumerate(surfaces):
        for t in triangles:
            mesh.Add(Element2D(k + 1, [points[v] for v in t]))
    for (a, b, c, d), r in zip(data["cells"], data["region"], strict=True):
        x = data["x"]
        if np.linalg.det([x[b] - x[a], x[c] - x[a], x[d] - x[a]]) > 0:
            b, c = c, b
        mesh.Add(Element3D(int(r) + 1, [points[v] for v in (a, b, c, d)]))
    return ng.Mesh(mesh), faces


def solve(path):
    """Assemble and solve with NGSolve."""
    import ngsolve as ng
    from ngsolve.krylovspace import CGSolver

    ng.SetNumThreads(1)
    data = dict(np.load(path))
    mesh, faces = mesh_of(data, ng)
    regions = range(len(data["conduction"]))
    label = list(regions)
    for k in (k for k in range(faces) if data[f"perfect{k}"]):
        a, b = data[f"pair{k}"]
        label = [label[a] if x == label[b] else x for x in label]
    groups = sorted(set(label))
    of = [groups.index(x) for x in label]
    begin = time.process_time()
    spaces = []
    for fixed in ("bottom|top", ""):
        for g in range(len(groups)):
            inside = mesh.Materials("|".join(f"r{i}" for i in regions if of[i] == g))
            spaces.append(ng.Compress(ng.H1(mesh, order=2, definedon=inside, dirichlet=fixed)))
    space = ng.FESpace(spaces)
    trial, test = space.TnT()

    def products(matrix, factor, product):
        terms = [float(matrix[f, h]) * factor * product(h, f) for f, h in zip(*np.nonzero(matrix), strict=True)]
        return sum(terms[1:], terms[0]) if terms else None

    def at(functions, field, region):
        return functions[field * len(groups) + of[region]]

    form = ng.BilinearForm(space)
    for i in regions:
        volume = ng.dx(definedon=mesh.Materials(f"r{i}"))
        for matrix, factor, of_function in (("conduction", NM, ng.grad), ("reaction", NM**3, lambda u: u)):
            term = products(
                data[matrix][i], factor,
                lambda h, f, i=i, d=of_function: d(at(trial, h, i)) * d(at(test, f, i)),
            )  # fmt: skip
            if term is not None:
                form += term * volume
    places = [(f"f{k}", data[f"g{k}"], data[f"pair{k}"]) for k in range(faces)]
    places += [(n, data[f"b_{n}"][None, :, None], [data[f"touches_{n}"]]) for n in ("bottom", "top")]
    for name, g, sides in places:
        for s, q in np.ndindex(len(sides), len(sides)):
            term = products(
                g[s, :, q], NM**2,
                lambda h, f, s=s, q=q, on=sides: at(trial, h, on[q]).Trace() * at(test, f, on[s]).Trace(),
            )  # fmt: skip
            if term is not None:
                form += term * ng.ds(definedon=mesh.Boundaries(name))
    form.Assemble()
    assembled = time.process_time()
    # Which unknowns belong to vertices is not part of the solver's work.
    free, vertices, first = space.FreeDofs(), ng.BitArray(space.ndof), 0
    vertices.Clear()
    for part in spaces:
        for v in mesh.vertices:
            for d in part.GetDofNrs(ng.NodeId(ng.VERTEX, v.nr)):
                if d >= 0:
                    vertices.Set(first + d)
        first += part.ndof
    vertices &= free
    counted = time.process_time()
    matrix = form.mat
    coarse, smoother = matrix.Inverse(vertices, inverse="sparsecholesky"), matrix.CreateSmoother(free)

    class TwoLevels(ng.BaseMatrix):
        """Gauss-Seidel around the coarse factor."""

        def __init__(self):
            super().__init__()
            self.rest = matrix.CreateColVector()

        def IsComplex(self):
            return False

        def Height(self):
            return matrix.height

        def Width(self):
            return matrix.width

        def CreateColVector(self):
            return matrix.CreateColVector()

        def CreateRowVector(self):
            return matrix.CreateColVector()

        def Mult(self, b, y):
            y[:] = 0
            smoother.Smooth(y, b)
            self.rest.data = b - matrix * y
            y.data += coarse * self.rest
            smoother.SmoothBack(y, b)

    two_levels = TwoLevels()
    ready = time.process_time()
    w = ng.GridFunction(space)
    w.components[of[int(data["touches_bottom"])]].Set(1.0, definedon=mesh.Boundaries("bottom"))
    right = matrix.CreateColVector()
    right.data = -matrix * w.vec
    inverse = CGSolver(mat=matrix, pre=two_levels, tol=1e-8, maxiter=400)
    w.vec.data += inverse * right
    solved = time.process_time()
    resistance = 1 / ng.InnerProduct(w.vec, matrix * w.vec)
    print(
        f"NGSolve: {space.ndof} unknowns, assembly {assembled - begin:.2f} s, set-up {ready - counted:.2f} s, solve "
        f"{solved - ready:.2f} s, {inverse.iterations} iterations, R = {resistance!r} ohm, "
        f"against fespin {resistance / float(data['R']) - 1:.1e}"
    )


if __name__ == "__main__":
    {"export": export, "solve": solve}[sys.argv[1]](sys.argv[2])
