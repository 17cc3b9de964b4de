"""Matrices and residuals of a declaration on a domain.

Each field is a scalar on its own broken space; the blocks of the matrix follow
from the declaration. The residual is ``sum of flux(w) * force(v)`` over all
mechanisms, so tested with the solution itself it is the dissipated power, and
its entries at a contact are the current.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from dolfinx import fem, la
from numpy.typing import NDArray
from petsc4py import PETSc

from ..domain import Domain
from ..errors import InputError, ModelError, nearest
from .assembly import Layout
from .broken import broken_space
from .cells import Cells
from .coefficients import Coefficients, Matrix
from .declaration import Declaration, Direction, Port
from .kernels import NOTHING, Indices, Kernels
from .products import RegionNodes
from .traces import Trace, trace
from .varying import directions

type Fields = Sequence[fem.Function]
type _Couplings = tuple[Indices, list[tuple[Matrix, Indices]], list[tuple[float, Indices]]]


class System:
    """The discrete problem of a declaration on a domain. The constructor is collective.

    Parameters
    ----------
    domain
        Mesh with regions, interfaces and contacts.
    declaration
        Mechanisms of each of them.
    degree
        Polynomial degree of all fields.

    Raises
    ------
    InputError
        If a contact of the declaration is not one of the domain's.
    ModelError
        If a region has no medium, a law is for regions that do not touch, or two regions are both insulated from and
        joined with each other.

    Examples
    --------
    >>> from fespin.onsager import ContactLaw, Declaration, Mechanism, Medium, System
    >>> ohm = Medium(conduction=(Mechanism("ohm", 5e7, {"phi": 1.0}),))
    >>> ends = {name: ContactLaw({"phi": 1.0}) for name in ("bottom", "top")}
    >>> domain = fs.line(comm, fs.Stack(fs.Layer(fs.material("Cu"), 100e-9, "wire")))
    >>> system = System(domain, Declaration(("phi",), {"wire": ohm}, contacts=ends))
    >>> system.fields, system.symmetric
    (('phi',), True)
    """

    def __init__(self, domain: Domain, declaration: Declaration, degree: int = 2) -> None:
        self.domain, self.declaration, self.degree = domain, declaration, degree
        self.comm = domain.comm
        # Collective, and else done by the first rank with an interface to assemble.
        domain.mesh.topology.create_entity_permutations()
        if np.issubdtype(PETSc.ScalarType, np.complexfloating):
            raise ModelError("this PETSc computes with complex numbers; choose its real build (PETSC_DIR)")
        for r in domain.regions:
            if r not in declaration.media:
                raise ModelError(f"region '{r}' has no medium")
        for pair in declaration.laws:
            if pair not in domain.interfaces and pair[::-1] not in domain.interfaces:
                raise ModelError(f"there is a law for '{'|'.join(pair)}', but these regions do not touch")
        for c in declaration.contacts:
            if c not in domain.contacts:
                raise InputError(f"contact '{c}' is not in the geometry; {nearest(c, domain.contacts)}")
        self.base = fem.functionspace(domain.mesh, ("Lagrange", degree))
        self.kernels = Kernels(self.base, varying=bool(declaration.varying))
        self.cells = Cells(self.base)
        self.spaces: list[fem.FunctionSpace] = []
        self.at_contact: list[dict[str, Indices]] = []  # per field: dofs of every contact it reaches
        self.pinned: list[Indices] = []  # per field: Dirichlet dofs and the dummy
        for f in self.fields:
            space, dummy = broken_space(self.base, self._classes(f)[domain.region])
            at = {
                k: np.setdiff1d(fem.locate_dofs_topological(space, domain.dim - 1, domain.contacts[k]), [dummy])
                for k in declaration.contacts
            }
            fixed = [at[k] for k, c in declaration.contacts.items() if f in c.imposed_fields or f in c.grounded]
            self.spaces.append(space)
            self.at_contact.append({k: d.astype(np.int32) for k, d in at.items()})
            pinned = np.unique(np.concatenate([*fixed, [dummy] if dummy >= 0 else []]))
            self.pinned.append(pinned.astype(np.int32))
        self.sizes = [v.dofmap.index_map.size_local for v in self.spaces]
        self.coefficients = Coefficients.of(declaration, domain)
        self.directions = directions(domain, declaration.varying, self.kernels.weights)
        self._pattern = self._nonzero()
        self._layouts: dict[Any, Layout] = {}
        self._check_applied(declaration)

    def apply(self, applied: Mapping[str, Direction]) -> None:
        """Take other given forces (:attr:`Declaration.applied`); matrices and factors stay.

        Raises
        ------
        ModelError
            If one is along an axis of the mesh, or names a field that the declaration does not have.
        """
        if applied == self.declaration.applied:
            return
        declaration = replace(self.declaration, applied=applied)
        self._check_applied(declaration)
        self.declaration = declaration

    def _check_applied(self, declaration: Declaration) -> None:
        """Refuse given forces along axes that the mesh has."""
        for name, vector in declaration.applied.items():
            if np.any(self.domain.frame @ np.array(vector)):
                raise ModelError(
                    f"applied: the force on '{name}' is {tuple(vector)}, along an axis of the mesh; drive contacts"
                )

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the unknowns."""
        return self.declaration.fields

    @property
    def symmetric(self) -> bool:
        """True if the matrix is symmetric: no reversible couplings."""
        c = self.coefficients
        squares = [g.reshape(2 * len(self.fields), -1) for g in c.faces.values()]
        turning = any((q.terms != q.terms.swapaxes(1, 2)).any() for _, q in c.varying.values())
        turning |= any((g.terms != g.terms.transpose(0, 3, 4, 1, 2)).any() for g in c.varying_faces.values())
        for r, t in c.tensors.items():
            terms = c.varying_tensors[r].terms if r in c.varying_tensors else t[None]
            # Polynomials are fitted: their entries are symmetric to rounding.
            odd = np.abs(terms - terms.transpose(0, 3, 4, 1, 2)).max()
            turning |= bool(odd > 1e-12 * np.abs(terms).max())
        return not turning and all(np.array_equal(m, m.T) for m in (*c.reaction, *squares, *c.ends.values()))

    @property
    def dofs(self) -> int:
        """Global number of unknowns."""
        return sum(v.dofmap.index_map.size_global for v in self.spaces)

    def _classes(self, name: str) -> NDArray[np.int64]:
        """Return per region the class of cells that share degrees of freedom; -1: the field is absent."""
        regions = self.domain.regions
        live = [r for r in regions if name in self.declaration.media[r].fields]
        both = {p: self.declaration.law(p) for p in self.domain.interfaces if set(p) <= set(live)}
        label = {r: i for i, r in enumerate(live)}
        for (a, b), law in both.items():
            if name in law.perfect:
                label = {r: label[a] if x == label[b] else x for r, x in label.items()}
        for (a, b), law in both.items():
            if name not in law.perfect and label[a] == label[b]:
                raise ModelError(
                    f"'{a}' and '{b}' have an interface law, but perfect contacts with others join them: "
                    "give those contacts a law too"
                )
        order = sorted(set(label.values()))
        return np.array([order.index(label[r]) if r in label else -1 for r in regions])

    def _nonzero(self) -> tuple[NDArray[np.bool_], dict[Any, NDArray[np.bool_]]]:
        """Return which entries exist: per region, and per interface and contact by their keys."""
        c = self.coefficients
        cells = (c.conduction != 0) | (c.reaction != 0) | (c.storage != 0)
        for r, t in c.tensors.items():
            cells[self.domain.regions.index(r)] |= self._in_mesh(t).any(axis=(1, 3))
        places: dict[Any, Matrix] = {**c.faces, **c.ends}
        filled = {k: m != 0 for k, m in places.items()}
        declaration, n = self.declaration, len(self.fields)
        # A law that follows the state may couple all the fields that are there.
        live = {r: np.isin(self.fields, list(m.fields)) for r, m in declaration.media.items()}
        for i, r in enumerate(self.domain.regions):
            if declaration.media[r].state:
                cells[i] |= np.logical_and.outer(live[r], live[r])
        for pair in self.domain.interfaces:
            if declaration.law(pair).replacing:
                both = np.concatenate([live[r] for r in pair])
                filled[pair] = filled[pair] | np.logical_and.outer(both, both).reshape(2, n, 2, n)
        for k, contact in declaration.contacts.items():
            if contact.state:
                filled[k] = np.ones((n, n), dtype=bool)
        return cells, filled

    def _in_mesh(self, tensor: Matrix) -> Matrix:
        """Return a tensor over (field, axis, field, axis) with the axes of the mesh in place of those of space."""
        frame = self.domain.frame
        return np.asarray(np.einsum("pa,iajb,qb->ipjq", frame, tensor, frame))

    @cached_property
    def cells_by_region(self) -> tuple[Indices, NDArray[np.int64]]:
        """Cells of this rank, region after region, and where each region begins among them; the last is the end."""
        region = self.domain.region[: self.domain.owned_cells]
        order = np.argsort(region, kind="stable").astype(np.int32)
        return order, np.searchsorted(region[order], np.arange(len(self.domain.regions) + 1))

    @cached_property
    def faces(self) -> dict[tuple[str, str], Trace]:
        """Traces on the interfaces, from both sides."""
        return {p: trace(self.domain, self.base, e, 2) for p, e in self.domain.interfaces.items()}

    @cached_property
    def ends(self) -> dict[str, Trace]:
        """Traces on the contacts."""
        return {k: trace(self.domain, self.base, e, 1) for k, e in self.domain.contact_entities.items()}

    @cached_property
    def measures(self) -> dict[Any, float]:
        """Measures of all interfaces and contacts by their keys (m2; m on a section, 1 on a line). Collective."""
        places: dict[Any, Trace] = {**self.faces, **self.ends}
        total = self.comm.allreduce(np.array([t.mass.sum() for t in places.values()]))
        return {k: float(x) for k, x in zip(places, total, strict=True)}

    @cached_property
    def node_volumes(self) -> NDArray[np.float64]:
        """Weight of each node of this rank's own cells in an integral, in the order of `cells_by_region`."""
        own = self.cells_by_region[0]
        return self.cells.mass(np.ones((len(own), self.base.dofmap.list.shape[1])), own)

    @cached_property
    def above(self) -> dict[Any, RegionNodes]:
        """Nodes of interfaces in their second region, and of contacts on one layer in that. Collective."""
        found: dict[Any, RegionNodes] = {}
        for pair, t in self.faces.items():
            found[pair] = self._region_nodes(pair[1], t.dofs(self.base, 1))
        for k, t in self.ends.items():
            touched = self.domain.contact_regions(k)
            if len(touched) == 1:
                found[k] = self._region_nodes(touched[0], t.dofs(self.base))
        return found

    def _region_nodes(self, region: str, nodes: Indices) -> RegionNodes:
        """Return where some nodes, those of facets of this rank, are in the cells of a region. Collective."""
        # A cell may touch facets of other ranks, with an edge or a corner.
        mark = fem.Function(self.base)
        mark.x.array[nodes.ravel()] = 1.0
        mark.x.scatter_reverse(la.InsertMode.add)
        mark.x.scatter_forward()
        order, bounds = self.cells_by_region
        r = self.domain.regions.index(region)
        marked = mark.x.array[self.base.dofmap.list[order[bounds[r] : bounds[r + 1]]]] > 0
        touching = np.flatnonzero(marked.any(axis=1))
        return RegionNodes(r, bounds[r] + touching, marked[touching])

    def vector(self, weights: Mapping[str, float]) -> NDArray[np.float64]:
        """Return weights over fields as a vector over all fields."""
        return np.array([weights.get(f, 0.0) for f in self.fields])

    def compatible(self, declaration: Declaration) -> bool:
        """Return whether another state can use these spaces: same fields, perfect contacts and contact laws."""
        old = self.declaration

        def pinning(d: Declaration) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
            return {k: (c.imposed_fields, c.grounded) for k, c in d.contacts.items()}

        return (
            declaration.fields == old.fields
            and bool(declaration.varying) == bool(old.varying)
            and pinning(declaration) == pinning(old)
            and all(declaration.law(p).perfect == old.law(p).perfect for p in self.domain.interfaces)
            and all(declaration.media[r].fields == old.media[r].fields for r in self.domain.regions)
        )

    def redeclare(self, declaration: Declaration) -> bool:
        """Take another state of the same device: the coefficients change, the spaces do not.

        Returns
        -------
        bool
            Whether an existing matrix can be filled again; if not, the pattern has grown.

        Raises
        ------
        ModelError
            If the new state would need other spaces: other fields, perfect contacts or contact laws.
        """
        if not self.compatible(declaration):
            raise ModelError("another state of a system must keep its fields, contacts and perfect interfaces")
        # What is refused must leave the old state whole.
        self._check_applied(declaration)
        coefficients = Coefficients.of(declaration, self.domain)
        found = directions(self.domain, declaration.varying, self.kernels.weights)
        self.declaration, self.coefficients, self.directions = declaration, coefficients, found
        cells, faces = self._nonzero()
        known_cells, known_faces = self._pattern
        grown = bool((cells & ~known_cells).any()) or any(bool((faces[p] & ~known_faces[p]).any()) for p in faces)
        # The pattern only grows, so that all states share one.
        self._pattern = (cells | known_cells, {p: faces[p] | known_faces[p] for p in faces})
        return not grown

    def discontinuous(self) -> fem.FunctionSpace:
        """Return a space of the fields' degree that is broken between all cells. Collective."""
        return fem.functionspace(self.domain.mesh, ("DG", self.degree))

    # ---- assembly
    def cells_where(self, mask: NDArray[np.bool_]) -> Indices:
        """Return own cells of the regions for which `mask` is true."""
        return np.flatnonzero(mask[self.domain.region[: self.domain.owned_cells]]).astype(np.int32)

    def _fill(self, i: int, j: int, c: Coefficients) -> None:
        """Set the kernels' coefficients on cells to those of fields i and j."""
        for which, function, per_region in ((0, self.kernels.k, c.conduction), (1, self.kernels.r, c.reaction)):
            values = per_region[self.domain.region, i, j]
            if c.varying:
                values = np.repeat(values[:, None], self.kernels.weights.dofmap.list.shape[1], axis=1)
                for r, both in c.varying.items():
                    cells, m = self.directions.cells[r]
                    values[cells] = both[which].at(m, i, j)
            self.kernels.spread(function, values)

    def _couplings(self, i: int, j: int, c: Coefficients) -> _Couplings:
        """Return where fields i and j meet: cells, interfaces by coefficient, contacts by coefficient."""
        in_cells, in_faces = self._pattern
        faces: dict[bytes, tuple[Matrix, list[Indices]]] = {}
        varying = []
        for pair, g in c.faces.items():
            if pair in c.varying_faces:
                varying.append(
                    (
                        c.varying_faces[pair].at(self.directions.faces[pair], slice(None), i, slice(None), j),
                        self.domain.interfaces[pair],
                    )
                )
            elif in_faces[pair][:, i, :, j].any():
                block = np.ascontiguousarray(g[:, i, :, j])
                faces.setdefault(block.tobytes(), (block, []))[1].append(self.domain.interfaces[pair])
        ends = [(float(b[i, j]), self.domain.contact_entities[k]) for k, b in c.ends.items() if in_faces[k][i, j]]
        cells = self.cells_where(in_cells[:, i, j])
        return cells, [*varying, *((g, np.concatenate(e)) for g, e in faces.values())], ends

    def _pieces(
        self,
        form: str,
        block: tuple[int, int],
        spaces: Sequence[fem.FunctionSpace],
        c: Coefficients,
        w: fem.Function | None = None,
        *,
        bulk: bool = True,
    ) -> Iterator[fem.Form]:
        """Yield the forms of a block; each one's coefficients hold until the next is asked for.

        Of a residual, those with entities on this rank; of a matrix the same ones on all ranks. Without `bulk` those of
        interfaces, contacts and components of gradients.
        """
        i, j = block
        all_ranks = form != "residual"
        ker = self.kernels
        _, faces, ends = self._couplings(i, j, c)
        # The pattern holds more than these coefficients may: one region's flux does not visit the others.
        cells = self.cells_where((c.conduction[:, i, j] != 0) | (c.reaction[:, i, j] != 0))
        swap = {} if w is None else {ker.w1: w}
        if bulk and (all_ranks or len(cells)):
            self._fill(i, j, c)
            yield ker.form(form, spaces, cells=cells, replace=swap)
        yield from self._directed(form, block, spaces, c, swap.get(ker.w1))
        for g, entities in ((g, e) for g, e in faces if g.any() or g.ndim > 2):
            if all_ranks or len(entities):
                ker.set_face(g, entities)
                yield ker.form(form, spaces, faces=entities, replace=swap)
        for b, entities in ((b, e) for b, e in ends if b):
            if all_ranks or len(entities):
                ker.B.value = b
                yield ker.form(form, spaces, ends=entities, replace=swap)

    def _directed(
        self,
        form: str,
        block: tuple[int, int],
        spaces: Sequence[fem.FunctionSpace],
        c: Coefficients,
        w: fem.Function | None,
    ) -> Iterator[fem.Form]:
        """Yield the form of what depends on directions of space, if anything does."""
        if not c.tensors:
            return
        i, j = block
        frame = self.domain.frame
        parts = {r: frame @ t[i, :, j, :] @ frame.T for r, t in c.tensors.items()}
        mask = np.array([r in parts and bool(parts[r].any()) for r in self.domain.regions])
        if not mask.any():
            return
        ker = self.kernels.directed
        cells = self.cells_where(mask)
        if form == "residual" and not len(cells):
            return
        for r in (r for r, here in zip(self.domain.regions, mask, strict=True) if here):
            if r in c.varying_tensors:
                at, m = self.directions.cells[r]
                tensor = c.varying_tensors[r].at(m, i, slice(None), j)
                ker.fill(ker.T, at, np.einsum("pa,...ab,qb->...pq", frame, tensor, frame))
            else:
                ker.fill(ker.T, np.flatnonzero(self.domain.region == self.domain.regions.index(r)), parts[r])
        yield ker.form(form, spaces, cells=cells, replace={} if w is None else {ker.w1: w})

    def _layout(self, i: int, j: int) -> Layout | None:
        """Return the pattern of a block, which others may share; None if there is nothing in it. Collective."""
        in_cells, in_faces = self._pattern
        cells, faces, ends = self._couplings(i, j, self.coefficients)
        if i != j and not self.comm.allreduce(len(cells) + len(faces) + len(ends)):
            return None
        places = [in_faces[p][:, i, :, j].any() for p in self.domain.interfaces]
        if i != j:
            # On the diagonal cells have the entries of contacts, too.
            places += [in_faces[k][i, j] for k in self.declaration.contacts]
        classes = (self._classes(self.fields[i]).tobytes(), self._classes(self.fields[j]).tobytes())
        # Only blocks on the diagonal have entries for pinned dummies.
        key = (*classes, in_cells[:, i, j].tobytes(), tuple(map(bool, places)), i == j)
        if key not in self._layouts:
            form = self.kernels.form(
                "matrix",
                [self.spaces[i], self.spaces[j]],
                cells=cells,
                faces=np.concatenate([NOTHING, *(e for _, e in faces)]),
                ends=np.concatenate([NOTHING, *(e for _, e in ends)]),
            )
            pinned = self.pinned[i]
            self._layouts[key] = Layout.of(form, pinned[pinned < self.sizes[i]] if i == j else None)
        return self._layouts[key]

    def _block(self, layout: Layout, i: int, j: int, c: Coefficients) -> NDArray[np.float64]:
        """Return the values of a block in this rank's own rows, nothing pinned. Collective."""
        spaces = [self.spaces[i], self.spaces[j]]
        if self.kernels.varying:
            return layout.values(self._pieces("matrix", (i, j), spaces, c))

        def bulk(region: int, mass: bool) -> fem.Form:
            cells = self.domain.cells_of([self.domain.regions[region]])
            return self.kernels.form("mass" if mass else "stiffness", spaces, cells=cells)

        values = layout.values(self._pieces("matrix", (i, j), spaces, c, bulk=False))
        for r in range(len(self.domain.regions)):
            layout.add_bulk(values, bulk, r, c.conduction[r, i, j], c.reaction[r, i, j])
        return values

    def matrix(
        self,
        *,
        rate: float = 0.0,
        into: PETSc.Mat | None = None,
        free: Mapping[int, Indices] | None = None,
        coefficients: Coefficients | None = None,
    ) -> PETSc.Mat:
        """Assemble the matrix: a nest with one block per pair of coupled fields. Collective.

        Parameters
        ----------
        rate
            Multiplies the storage terms (1/s): the coefficient of d/dt in an implicit step.
        into
            A matrix of this system to fill again.
        free
            Pinned degrees of freedom to leave free after all, by field.
        coefficients
            Other coefficients than the declaration's, within its pattern.
        """
        c = (coefficients or self.coefficients).with_storage(rate)
        n = len(self.fields)
        pinned = [np.setdiff1d(d, free[i]) if free and i in free else d for i, d in enumerate(self.pinned)]
        blocks: list[list[PETSc.Mat | None]] = [[None] * n for _ in range(n)]
        for i in range(n):
            for j in range(n):
                if into is not None and not into.getNestSubMatrix(i, j):
                    continue
                layout = self._layout(i, j)
                if layout is None:
                    continue
                values = self._block(layout, i, j, c)
                layout.pin(values, pinned[i], pinned[j], diagonal=i == j)
                if into is None:
                    blocks[i][j] = layout.matrix(values, [self.spaces[i], self.spaces[j]])
                else:
                    layout.refill(into.getNestSubMatrix(i, j), values)
        if into is not None:
            into.assemble()
            return into
        nest = PETSc.Mat().createNest(blocks, comm=self.comm)
        nest.assemble()
        return nest

    def residual(
        self,
        w: Fields,
        *,
        coefficients: Coefficients | None = None,
    ) -> list[fem.Function]:
        """Return the flux conjugate to each degree of freedom. Collective.

        Zero at free degrees of freedom of a solution; at pinned ones, what the contact feeds in.

        Parameters
        ----------
        w
            One function per field.
        coefficients
            Other coefficients than the declaration's, such as one region's
            (:meth:`Coefficients.only`) or the storage alone.
        """
        c = coefficients or self.coefficients
        out = [fem.Function(v) for v in self.spaces]
        if self.kernels.varying:
            for i, b in enumerate(out):
                for j in range(len(w)):
                    for form in self._pieces("residual", (i, j), [self.spaces[i]], c, w[j]):
                        fem.assemble_vector(b.x.array, form)
        else:
            self._add_bulk(out, w, c)
            self._add_places(out, w, c)
            for (i, b), j in product(enumerate(out), range(len(w))):
                for form in self._directed("residual", (i, j), [self.spaces[i]], c, w[j]):
                    fem.assemble_vector(b.x.array, form)
        for b in out:
            b.x.scatter_reverse(la.InsertMode.add)
            b.x.scatter_forward()
        return out

    def _add_bulk(self, out: Fields, w: Fields, c: Coefficients) -> None:
        """Add this rank's part of the residual of whole gradients and of values, which two products per field make."""
        n, nodes = len(w), self.base.dofmap.list
        flux = np.zeros((n, self.domain.owned_cells, nodes.shape[1]))
        region = self.domain.region[: self.domain.owned_cells]
        for j, f in enumerate(w):
            for per_region, matrix in ((c.conduction, self.cells.stiffness), (c.reaction, self.cells.mass)):
                column = per_region[:, :, j]
                if not column.any():
                    continue
                cells = self.cells_where((column != 0).any(axis=1))
                # Numbers of cells cost more than the sums themselves; mostly all cells take part.
                which = slice(len(region)) if len(cells) == len(region) else cells
                here = matrix(f.x.array[f.function_space.dofmap.list[: len(region)][which]], cells)
                for i in np.flatnonzero((column != 0).any(axis=0)):
                    flux[i, which] += column[region[which], i][:, None] * here
        for b, q in zip(out, flux, strict=True):
            dofs = b.function_space.dofmap.list[: self.domain.owned_cells]
            b.x.array[:] += np.bincount(dofs.ravel(), q.ravel(), minlength=len(b.x.array))

    def _add_places(self, out: Fields, w: Fields, c: Coefficients) -> None:
        """Add this rank's part of the residual of interfaces and contacts."""
        places: list[tuple[Trace, Matrix]] = [(self.faces[p], g) for p, g in c.faces.items() if g.any()]
        places += [(self.ends[k], b[None, :, None]) for k, b in c.ends.items() if b.any()]
        for t, g in places:
            values = t.both_sides(w)
            # (side, field, facet, node) from the mass matrix of each facet
            flux = np.einsum("aibj,bjfm->aifm", g, np.einsum("fmn,bjfn->bjfm", t.mass, values))
            for a, i in zip(*np.nonzero(g.any(axis=(2, 3))), strict=True):
                np.add.at(out[i].x.array, t.dofs(out[i].function_space, a), flux[a, i])

    @property
    def applied(self) -> Matrix:
        """Given forces, minus gradients, shape (field, 3)."""
        given = self.declaration.applied
        return np.array([given.get(f, (0.0, 0.0, 0.0)) for f in self.fields], dtype=float)

    def load(self, coefficients: Coefficients | None = None) -> list[fem.Function] | None:
        """Return what given forces feed into each degree of freedom; None if they do not act there. Collective.

        The flux conjugate to a degree of freedom is the residual less the load.

        Parameters
        ----------
        coefficients
            Other coefficients than the declaration's, as for :meth:`residual`.
        """
        c, given = coefficients or self.coefficients, self.applied
        if not given.any() or not c.tensors:
            return None
        out = [fem.Function(v) for v in self.spaces]
        for i, b in enumerate(out):
            vectors = {}
            for r, t in c.tensors.items():
                if r in c.varying_tensors:
                    t = c.varying_tensors[r].at(self.directions.cells[r][1])
                vectors[r] = np.einsum("...ajb,jb->...a", t[..., i, :, :, :], given)
            self.add_gradient_load(b, vectors)
            b.x.scatter_reverse(la.InsertMode.add)
            b.x.scatter_forward()
        return out

    def add_gradient_load(self, into: fem.Function, vectors: Mapping[str, Matrix]) -> None:
        """Add the integrals of g . grad v, cell by cell; contributions to other ranks are not sent. Collective.

        Parameters
        ----------
        into
            Function of the space that v is from.
        vectors
            g by region over the axes of space: (3,), or (cells, points, 3) where the magnetization varies.
        """
        mask = np.array([r in vectors and bool(vectors[r].any()) for r in self.domain.regions])
        ker, frame = self.kernels.directed, self.domain.frame
        cells = self.cells_where(mask)
        if not len(cells):
            return
        for r, g in vectors.items():
            if r in self.directions.cells:
                at = self.directions.cells[r][0]
            else:
                at = np.flatnonzero(self.domain.region == self.domain.regions.index(r))
            ker.fill(ker.g, at, g @ frame.T)
        fem.assemble_vector(into.x.array, ker.form("load", [into.function_space], cells=cells))

    def product(self, a: Fields, b: Fields) -> float:
        """Return the sum of products over all degrees of freedom, per depth of a section. Collective."""
        here = sum(float(x.x.array[:n] @ y.x.array[:n]) for x, y, n in zip(a, b, self.sizes, strict=True))
        return float(self.comm.allreduce(here)) * self.domain.depth

    def stored(self, w: Fields, v: Fields | None = None) -> float:
        """Return w^T C v with the storage matrix C (J; J/m2 on a line); v defaults to w. Collective."""
        b = self.residual(v or w, coefficients=self.coefficients.storage_only())
        return self.product(w, b)

    def port_totals(self, residual: Fields, ports: Sequence[Port]) -> NDArray[np.float64]:
        """Return the total flux into the device at each port, from a residual. Collective."""
        out = np.zeros(len(ports))
        for k, (contact, name) in enumerate(ports):
            i = self.fields.index(name)
            d = self.at_contact[i][contact]
            out[k] = residual[i].x.array[d[d < self.sizes[i]]].sum()
        return np.asarray(self.comm.allreduce(out)) * self.domain.depth

    def global_numbers(self, i: int) -> NDArray[np.int64]:
        """Return the rows of a field's local degrees of freedom, ghosts included, in the flat matrix. Collective."""
        number = fem.Function(self.spaces[i])
        start = (self.comm.exscan(sum(self.sizes)) or 0) + sum(self.sizes[:i])
        number.x.array[: self.sizes[i]] = start + np.arange(self.sizes[i])
        number.x.scatter_forward()
        return np.asarray(number.x.array.round().astype(np.int64))

    def functions(self, drive: Mapping[Port, float] | None = None) -> list[fem.Function]:
        """Return zero fields, but with the potential of each (contact, field) in `drive` there."""
        out = [fem.Function(v, name=f) for v, f in zip(self.spaces, self.fields, strict=True)]
        for (contact, name), value in (drive or {}).items():
            i = self.fields.index(name)
            out[i].x.array[self.at_contact[i][contact]] = value
        return out

    def region_flux(self, w: Fields, region: str, facets: Indices) -> NDArray[np.float64]:
        """Return the flux of each field into a region through some of its facets. Collective.

        The consistent flux of the weak form: it converges twice as fast as a
        gradient, and what leaves one side of a perfect contact enters the other.

        Parameters
        ----------
        facets
            Integration entities (cell, local facet) of owned facets, on cells of the region.
        """
        only = self.coefficients.only(self.domain.regions.index(region))
        residual = self.residual(w, coefficients=only)
        for r, b in zip(residual, self.load(only) or (), strict=False):
            r.x.array[:] -= b.x.array
        return self.flux_through(residual, facets)

    def flux_through(self, residual: Fields, facets: Indices) -> NDArray[np.float64]:
        """Return what a residual holds at the nodes of facets, field by field. Collective."""
        layout = self.base.dofmap.dof_layout
        dim = self.domain.dim
        closure = np.array([layout.entity_closure_dofs(dim - 1, f) for f in range(dim + 1)])
        cell, local = facets.reshape(-1, 2).T
        out = np.zeros(len(self.fields))
        for i, (b, v) in enumerate(zip(residual, self.spaces, strict=True)):
            # A node may lie on facets of several ranks: mark it everywhere, count it where it is owned.
            mark = fem.Function(v)
            mark.x.array[v.dofmap.list[cell[:, None], closure[local]].ravel()] = 1.0
            mark.x.scatter_reverse(la.InsertMode.add)
            n = self.sizes[i]
            out[i] = b.x.array[:n][mark.x.array[:n] > 0].sum()
        return np.asarray(self.comm.allreduce(out))
