"""Mesh files with one fault each: a valve of two layers in triangles, written as a text of gmsh's second format."""

import numpy as np

NX, NY = 5, 4


def grid():
    """Return nodes (n, 3), triangles (m, 3), their layers (m,), and boundary edges with their contacts."""
    x, y = np.meshgrid(np.arange(NX + 1.0), 2.0 * np.arange(NY + 1.0))
    nodes = np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], axis=1)
    corner = np.arange((NX + 1) * NY).reshape(NY, NX + 1)[:, :-1].ravel()
    lower = np.stack([corner, corner + 1, corner + NX + 2], axis=1)
    upper = np.stack([corner, corner + NX + 2, corner + NX + 1], axis=1)
    cells = np.stack([lower, upper], axis=1).reshape(-1, 3)
    layer = np.repeat(np.arange(len(corner)) // NX >= NY // 2, 2).astype(int)
    bottom = np.stack([np.arange(NX), np.arange(NX) + 1], axis=1)
    return nodes, cells, layer, [(bottom, 3), (bottom + (NX + 1) * NY, 4)]


def write(path, nodes, cells, layer, ends, tags=None):
    """Write a mesh file; `tags` are the numbers of the nodes, by default from 1."""
    tags = np.arange(len(nodes)) + 1 if tags is None else tags
    lines = ["$MeshFormat", "2.2 0 8", "$EndMeshFormat", "$PhysicalNames", "4"]
    lines += ['2 1 "lower"', '2 2 "upper"', '1 3 "bottom"', '1 4 "top"', "$EndPhysicalNames", "$Nodes", str(len(nodes))]
    lines += [f"{t} {x[0]!r} {x[1]!r} {x[2]!r}" for t, x in zip(tags, nodes.tolist(), strict=True)]
    elements = [f"1 2 {g} {g} {tags[a]} {tags[b]}" for edges, g in ends for a, b in edges]
    elements += [f"2 2 {g + 1} {g + 1} " + " ".join(str(tags[n]) for n in c) for c, g in zip(cells, layer, strict=True)]
    lines += ["$EndNodes", "$Elements", str(len(elements))]
    lines += [f"{i} {e}" for i, e in enumerate(elements, 1)] + ["$EndElements", ""]
    path.write_text("\n".join(lines))


def _slit(shift):
    """Return a mesh whose layers are joined along half of their face only."""
    nodes, cells, layer, ends = grid()
    double = (NX + 1) * (NY // 2) + np.arange(NX - 2)
    new = np.arange(len(nodes), len(nodes) + len(double))
    above = cells[layer == 1]
    for old, number in zip(double, new, strict=True):
        above[above == old] = number
    cells[layer == 1] = above
    return np.concatenate([nodes, nodes[double] + [0, shift, 0]]), cells, layer, ends


def _hanging():
    """Return a mesh whose upper layer has other columns than the lower one: they share the ends of their face."""
    nodes, cells, layer, ends = grid()
    row = NX + 1
    middle = row * (NY // 2)
    lower = middle + row  # nodes up to the face
    above = np.arange(lower, lower + len(nodes) - middle)
    above[[0, NX]] = middle, middle + NX
    number = np.append(np.arange(middle), above)
    upper = nodes[middle:].copy()
    upper[:, 0] = NX * (upper[:, 0] / NX) ** 1.5
    cells[layer == 1] = number[cells[layer == 1]]
    ends[1] = (number[ends[1][0]], 4)
    return np.concatenate([nodes[:lower], upper]), cells, layer, ends


def _changed(change):
    nodes, cells, layer, ends = grid()
    out = change(nodes, cells, layer)
    nodes, cells, layer = (nodes, cells, layer) if out is None else out
    return nodes, cells, layer, ends


def _set(array, index, value):
    array[index] = value


INSIDE = (NX + 1) + 2  # a node that is not on the boundary
# Name of the fault: the mesh, words of the message.
FAULTS = {
    "nan": (_changed(lambda x, c, g: _set(x, (INSIDE, 0), np.nan)), ["node lies at (nan, ", "finite"]),
    "infinite": (_changed(lambda x, c, g: _set(x, (INSIDE, 1), np.inf)), ["inf", "finite"]),
    "one place": (_changed(lambda x, c, g: _set(x, slice(None), 0.5)), ["all nodes lie at one place"]),
    "flat": (_changed(lambda x, c, g: _set(x, (slice(None), 1), 3.0)), ["flat", "y = 3"]),
    "a flat cell": (_changed(lambda x, c, g: _set(x, (NX + 1) * NY, [0.5, 7, 0])), ["a cell is flat near (0.5, 7, 0)"]),
    "node twice in a cell": (_changed(lambda x, c, g: _set(c, (7, 2), c[7, 1])), ["a cell has one node twice"]),
    "cell twice": (_changed(lambda x, c, g: (x, np.vstack([c, c[5][::-1]]), np.append(g, g[5]))), ["is there twice"]),
    "tangled": (_changed(lambda x, c, g: _set(x, (INSIDE, 0), 4.3)), ["lie over each other"]),
    "doubled": (_slit(0.0), ["two separate nodes lie at (0, 4, 0)", "3 such pairs"]),
    "hanging": (_hanging(), ["a node at (", "side of a cell that it does not belong to", "cuts the mesh"]),
    "nearly doubled": (_slit(1e-9), ["two separate nodes lie at"]),
}  # fmt: skip
