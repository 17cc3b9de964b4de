"""A mesh with named regions, interfaces and contacts, on which every solver works.

Nothing here or below knows how the mesh was made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from dolfinx import fem, la, mesh
from mpi4py import MPI
from numpy.typing import NDArray

from . import _compat
from .errors import InputError, nearest
from .mpi import has_best
from .stack import Stack

type Indices = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Domain:
    """A distributed mesh with names.

    Attributes
    ----------
    mesh
        Coordinates in metres; the last coordinate is the stacking direction.
    stack
        Layers that the regions are, bottom to top where there is an order.
    region
        Index into `regions` for each local cell, ghosts included.
    interfaces
        Integration entities for each pair of touching regions
        (cell 0, local facet, cell 1, local facet) of owned facets, flattened;
        side 0 (UFL's "+") is always the region that comes first in `regions`.
    contacts
        Owned and ghost facets on the boundary of each contact.
    contact_entities
        Integration entities (cell, local facet) of owned facets of each contact.
    cross_section
        The area (3D, m2), width (2D, m) or 1 (1D) that current densities refer to.
    depth
        Extent of a 2D section in the third direction (m), 1 otherwise.
    centre
        Position of the device's axis: the coordinates before the last one.

    Examples
    --------
    >>> domain = fs.line(comm, stack)
    >>> domain.regions, sorted(domain.contacts)
    (('Cu1', 'fixed', 'Cu3', 'free', 'Cu5'), ['bottom', 'top'])
    >>> low, high = domain.region_extent("free")
    >>> f"{low:.3g} {high:.3g}"
    '3.8e-08 4.1e-08'
    """

    mesh: mesh.Mesh
    stack: Stack
    region: NDArray[np.int64]
    interfaces: Mapping[tuple[str, str], Indices]
    contacts: Mapping[str, Indices]
    contact_entities: Mapping[str, Indices]
    cross_section: float
    depth: float = 1.0
    centre: tuple[float, ...] = field(default=())

    def __repr__(self) -> str:
        cells = self.mesh.topology.index_map(self.dim).size_global
        return f"<Domain: {cells} cells in {self.dim}D, layers {', '.join(self.regions)}>"

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the regions: the layers of the stack."""
        return self.stack.names

    @property
    def frame(self) -> NDArray[np.float64]:
        """Directions of space (x, y, z) of the mesh's axes, by rows, shape (dim, 3); z is the stacking direction.

        A line is along z, and a section spans x and z.
        """
        return np.eye(3)[{1: [2], 2: [0, 2], 3: [0, 1, 2]}[self.dim]]

    @property
    def comm(self) -> MPI.Intracomm:
        """The communicator."""
        comm: MPI.Intracomm = self.mesh.comm
        return comm

    @property
    def dim(self) -> int:
        """Topological dimension."""
        return int(self.mesh.topology.dim)

    @property
    def area(self) -> float:
        """Cross-section in m2; of a line, 1 m2."""
        return self.cross_section * self.depth

    @property
    def owned_cells(self) -> int:
        """Number of cells that this rank owns."""
        return int(self.mesh.topology.index_map(self.dim).size_local)

    def cells_of(self, regions: Sequence[str]) -> Indices:
        """Return this rank's own cells in the named regions."""
        numbers = [self.regions.index(r) for r in regions]
        return np.flatnonzero(np.isin(self.region[: self.owned_cells], numbers)).astype(np.int32)

    def contact_regions(self, name: str) -> list[str]:
        """Return the regions that a contact touches. Collective."""
        here = np.bincount(self.region[self.contact_entities[name].reshape(-1, 2)[:, 0]], minlength=len(self.regions))
        return [r for r, n in zip(self.regions, _summed(self.comm, here), strict=True) if n]

    def region_extent(self, name: str) -> tuple[float, float]:
        """Return where a region begins and ends along the stacking direction (m). Collective."""
        cells = self.cells_of([name])
        z = self.mesh.geometry.x[_compat.cell_nodes(self.mesh)[cells], self.mesh.geometry.dim - 1]
        low, high = _extent(self.comm, z.reshape(-1, 1))
        return float(low[0]), float(high[0])

    def interface_centre(self, pair: tuple[str, str]) -> NDArray[np.float64]:
        """Return the centroid of an interface, shape (3,). Collective."""
        x = self.facet_vertices(self.interfaces[pair].reshape(-1, 4)[:, :2].ravel())
        weights = self._sizes(x)
        moment = (weights[:, None] * x.mean(axis=1)).sum(axis=0)
        total = self.comm.allreduce(np.append(moment, weights.sum()))
        return np.asarray(total[:3] / total[3])

    def axis(self, heights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the points of the device's axis at these heights (m), shape (n, 3)."""
        x = np.zeros((len(heights), 3))
        last = self.mesh.geometry.dim - 1
        x[:, :last], x[:, last] = self.centre, heights
        return x

    def contact_normal(self, name: str) -> tuple[float, float, float] | None:
        """Return the unit normal of a contact in space, out of the device; None if it is not flat. Collective."""
        entities = self.contact_entities[name]
        cells, facets = entities.reshape(-1, 2).T
        x = self.mesh.geometry.x[_compat.cell_nodes(self.mesh)[cells][:, : self.dim + 1]][..., : self.dim]
        # The barycentric coordinate that vanishes on a facet grows into the cell: its gradient points inwards.
        order = 1 - facets if self.dim == 1 else facets
        edges = np.linalg.inv(np.swapaxes(x[:, 1:] - x[:, :1], 1, 2))
        gradients = np.concatenate([-edges.sum(axis=1, keepdims=True), edges], axis=1)
        inward = gradients[np.arange(len(cells)), order]
        weights = self._sizes(self.facet_vertices(entities))
        outward = -weights[:, None] * inward / np.linalg.norm(inward, axis=1, keepdims=True)
        total = self.comm.allreduce(np.append(outward.sum(axis=0), weights.sum()))
        mean = total[:-1] / total[-1]
        length = float(np.linalg.norm(mean))
        if length < 1 - 1e-6:
            return None
        x_, y_, z_ = (mean / length) @ self.frame
        return float(x_), float(y_), float(z_)

    def contact_area(self, name: str) -> float:
        """Return the measure of a contact times the depth (m2; 1 for a point). Collective."""
        return self._measure(self.contact_entities[name]) * self.depth

    def contact_areas(self) -> dict[str, float]:
        """Return what :meth:`contact_area` returns, for all contacts at once. Collective."""
        here = [float(self._sizes(self.facet_vertices(e)).sum()) for e in self.contact_entities.values()]
        return dict(zip(self.contacts, map(float, self.depth * _summed(self.comm, np.array(here))), strict=True))

    def interface_area(self, pair: tuple[str, str]) -> float:
        """Return the measure of an interface times the depth (m2; 1 for a point). Collective."""
        return self._measure(self.interfaces[pair].reshape(-1, 4)[:, :2].ravel()) * self.depth

    def facet_sizes(self, entities: Indices) -> NDArray[np.float64]:
        """Return the measure of facets given as (cell, local facet): m2, m on a section, 1 on a line. Local."""
        return self._sizes(self.facet_vertices(entities))

    def _measure(self, entities: Indices) -> float:
        return float(self.comm.allreduce(float(self.facet_sizes(entities).sum())))

    def _sizes(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.dim == 1:
            return np.ones(len(x))
        if self.dim == 2:
            return np.asarray(np.linalg.norm(x[:, 1] - x[:, 0], axis=1))
        normal = np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0])
        return np.asarray(np.linalg.norm(normal, axis=1) / 2)

    def facet_vertices(self, entities: Indices) -> NDArray[np.float64]:
        """Return the corners of facets given as (cell, local facet): shape (facets, dim, 3). Local."""
        out: NDArray[np.float64] = self.mesh.geometry.x[self.facet_nodes(entities)]
        return out

    def facet_nodes(self, entities: Indices) -> Indices:
        """Return the geometry nodes of facets given as (cell, local facet): shape (facets, dim). Local."""
        e = entities.reshape(-1, 2)
        # Facet i of a simplex is opposite to vertex i, but the facets of an interval are its vertices.
        all_corners = range(self.dim + 1)
        corners = np.array([[f] if self.dim == 1 else [i for i in all_corners if i != f] for f in all_corners])
        nodes: Indices = _compat.cell_nodes(self.mesh)[e[:, :1], corners[e[:, 1]]]
        return nodes


def build_domain(
    m: mesh.Mesh,
    cell_tags: mesh.MeshTags,
    facet_tags: mesh.MeshTags,
    names: Mapping[tuple[int, str], int],
    stack: Stack,
    *,
    cross_section: float | None = None,
    depth: float = 1.0,
    centre: Sequence[float] | None = None,
) -> Domain:
    """Name the parts of a mesh of simplices. Collective.

    Parameters
    ----------
    m, cell_tags, facet_tags, names
        Mesh, tags, and ``{(dimension, name): tag}`` of its physical groups.
    stack
        The layers; each must be a cell group of the mesh, and the other way round.
    cross_section
        See :class:`Domain`; default: the smallest contact.
    depth, centre
        See :class:`Domain`; the default centre is the middle of the mesh.

    Raises
    ------
    InputError
        If a region is absent, a cell belongs to none, or there is no contact.
    """
    for key, value in (("depth", depth), ("cross_section", cross_section)):
        if value is not None and not (np.isfinite(value) and value > 0):
            raise InputError(f"geometry: {key} is {value!r}; it must be finite and positive")
    topology, comm, regions = m.topology, m.comm, stack.names
    dim = topology.dim
    topology.create_connectivity(dim - 1, dim)
    topology.create_connectivity(dim, dim - 1)
    facet_cells = topology.connectivity(dim - 1, dim)
    offsets, cell_of = facet_cells.offsets, facet_cells.array
    imap = topology.index_map(dim)
    cells = imap.size_local + imap.num_ghosts
    cell_facets = topology.connectivity(dim, dim - 1).array.reshape(cells, dim + 1)
    own_facets = topology.index_map(dim - 1).size_local

    groups = {n: t for (d, n), t in names.items() if d == dim}
    ends = {n: t for (d, n), t in names.items() if d == dim - 1}
    for r in regions:
        if r not in groups:
            raise InputError(f"layer '{r}' is not a physical group of the mesh: {nearest(r, groups)}")
    extra = sorted(set(groups) - set(regions))
    if extra:
        raise InputError(f"the mesh has the physical group '{extra[0]}', but no layer is called so")
    tag = np.full(cells, -1, np.int64)
    tag[cell_tags.indices] = cell_tags.values
    region = np.full(cells, -1, np.int64)
    for i, r in enumerate(regions):
        region[tag == groups[r]] = i
    # How many cells are in each region, and how many in none.
    present = _summed(comm, np.bincount(region + 1, minlength=len(regions) + 1))
    if not present[1:].all():
        raise InputError(f"the mesh has no cell in layer '{regions[int(np.flatnonzero(present[1:] == 0)[0])]}'")
    if present[0]:
        raise InputError("the mesh has cells in no physical group: give every cell a layer")

    def entities(facets: Indices, side: int) -> Indices:
        c = cell_of[offsets[facets] + side]
        return np.stack([c, np.argmax(cell_facets[c] == facets[:, None], axis=1)], axis=1).astype(np.int32)

    inner = np.flatnonzero(np.diff(offsets)[:own_facets] == 2).astype(np.int32)
    two = np.stack([entities(inner, 0), entities(inner, 1)], axis=1)  # (facet, side, (cell, facet))
    sides = region[two[:, :, 0]]
    two = np.where((sides[:, 0] > sides[:, 1])[:, None, None], two[:, ::-1], two)
    lower, upper = sides.min(axis=1, initial=len(regions)), sides.max(axis=1, initial=-1)
    between = np.flatnonzero(lower < upper)
    code = lower[between] * len(regions) + upper[between]
    order = np.argsort(code, kind="stable")
    two, code = two[between[order]], code[order]
    interfaces = {}
    for k in map(int, _present(comm, code, len(regions) ** 2)):
        first, last = np.searchsorted(code, [k, k + 1])
        pair = (regions[k // len(regions)], regions[k % len(regions)])
        interfaces[pair] = np.ascontiguousarray(two[first:last].reshape(-1), np.int32)

    contacts, contact_entities = {}, {}
    outer = np.diff(offsets) == 1
    # A ghost facet may show one cell here and lie inside the mesh; only owners can tell.
    tagged = {name: facet_tags.find(t).astype(np.int32) for name, t in ends.items()}
    owned = {name: facets[facets < own_facets] for name, facets in tagged.items()}
    counts = _summed(comm, np.array([[len(f), np.count_nonzero(~outer[f])] for f in owned.values()]).reshape(-1, 2))
    for (name, facets), (number, inside) in zip(tagged.items(), counts, strict=True):
        if inside:
            raise InputError(f"contact '{name}' lies inside the mesh; contacts are on its boundary")
        if not number:
            raise InputError(f"contact '{name}' has no facet in the mesh")
        contacts[name] = facets
        contact_entities[name] = entities(owned[name], 0).reshape(-1)
    if not contacts:
        raise InputError("the mesh has no contact: name a physical group of its boundary")

    if centre is None:
        low, high = _extent(comm, m.geometry.x[:, : m.geometry.dim - 1])
        centre = ((low + high) / 2).tolist()
    domain = Domain(m, stack, region, interfaces, contacts, contact_entities, 1.0, depth, tuple(centre))
    _refuse_touching(domain)
    if cross_section is None:
        cross_section = min(domain.contact_areas().values()) / depth
    return replace(domain, cross_section=float(cross_section))


def _summed(comm: MPI.Intracomm, here: NDArray[Any]) -> NDArray[Any]:
    """Return the sum of equal arrays over the ranks. Collective."""
    out = np.empty_like(here)
    comm.Allreduce(here, out)
    return out


def _extent(comm: MPI.Intracomm, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the least and the largest of each column over all ranks, shape (2, columns). Collective."""
    # The least of x is minus the largest of -x, so that one message has both.
    ends = np.stack([(-x).max(axis=0, initial=-np.inf), x.max(axis=0, initial=-np.inf)])
    comm.Allreduce(MPI.IN_PLACE, ends, MPI.MAX)
    ends[0] *= -1
    return ends


def _present(comm: MPI.Intracomm, numbers: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return which of the numbers 0, ..., count - 1 any rank has, in order. Collective."""
    bits = np.packbits(np.bincount(numbers, minlength=count) > 0)
    comm.Allreduce(MPI.IN_PLACE, bits, MPI.BOR)
    return np.flatnonzero(np.unpackbits(bits, count=count))


def _refuse_touching(domain: Domain) -> None:
    """Refuse contacts that share a node: their edge would be a short circuit. Collective."""
    names = list(domain.contact_entities)
    # Each node's owner hears from all who have it on a contact.
    marks = la.vector(domain.mesh.geometry.index_map(), len(names), np.float64)
    at = marks.array.reshape(-1, len(names))
    for k, entities in enumerate(domain.contact_entities.values()):
        at[domain.facet_nodes(entities).ravel(), k] = 1.0
    marks.scatter_reverse(la.InsertMode.add)
    own = at[: domain.mesh.geometry.index_map().size_local] > 0
    shared = own[own.sum(axis=1) > 1]
    together = (shared[:, :, None] & shared[:, None, :]).any(axis=0)
    pairs = _present(domain.comm, np.flatnonzero(np.triu(together, 1)), len(names) ** 2)
    if len(pairs):
        one, other = (names[i] for i in divmod(int(pairs[0]), len(names)))
        raise InputError(f"contacts '{one}' and '{other}' touch; leave a gap between them")


def sample(
    functions: Sequence[fem.Function], domain: Domain, points: NDArray[np.float64], region: str
) -> NDArray[np.float64]:
    """Evaluate functions at points of a region, each from inside that region. Collective.

    The cell of a point is the one of the region that contains it, or comes closest in barycentric
    coordinates; there is no tolerance in metres.

    Parameters
    ----------
    functions
        Scalar functions on `domain.mesh`.
    points
        Shape (n, 3), the same on every rank.

    Returns
    -------
    array
        Shape (len(functions), n), the same on every rank.
    """
    comm, dim = domain.comm, domain.dim
    cells = domain.cells_of([region])
    corners = domain.mesh.geometry.x[_compat.cell_nodes(domain.mesh)[cells][:, : dim + 1]][..., :dim]
    low, high = corners.min(axis=1), corners.max(axis=1)
    slack = 1e-9 * (high - low)
    best = np.full(len(points), -np.inf)
    point_cells = np.zeros(len(points), np.int32)

    def look(i: int, near: Indices) -> None:
        if len(near):
            origin = corners[near, 0]
            inverse = np.linalg.inv(np.swapaxes(corners[near, 1:] - origin[:, None], 1, 2))
            b = np.einsum("cij,cj->ci", inverse, points[i, :dim] - origin)
            inside = np.minimum(b.min(axis=1), 1 - b.sum(axis=1))  # smallest barycentric coordinate
            best[i], point_cells[i] = inside.max(), cells[near[inside.argmax()]]

    for i, p in enumerate(points[:, :dim]):
        look(i, np.flatnonzero(((low - slack <= p) & (p <= high + slack)).all(axis=1)).astype(np.int32))
    highest = np.empty_like(best)
    comm.Allreduce(best, highest, MPI.MAX)
    for i in np.flatnonzero(np.isneginf(highest)):
        look(int(i), np.arange(len(cells), dtype=np.int32))
    mine = has_best(comm, best)
    out = np.zeros((len(functions), len(points)))
    if mine.any():
        for row, f in zip(out, functions, strict=True):
            row[mine] = f.eval(points[mine], point_cells[mine]).ravel()
    return _summed(comm, out)
