"""Powers of a solution: the declared mechanisms, evaluated.

Where coefficients are constant in a region, all powers follow from a few integrals of products of two potentials,
one small matrix per region, interface and contact (`Moments`); a mechanism's power is a contraction with its weights.
At interfaces the products are of jumps and means: a jump of a microvolt between potentials of a volt would drown in a
difference of products. Where coefficients follow the magnetization, each mechanism is integrated with its weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from .coefficients import medium_tensor
from .declaration import ANY_DIRECTION, Declaration, Direction, Mechanism, Medium, Side, Varying, remaining
from .kernels import Indices
from .matrices import component_weights, face_matrix, isotropic, matrix_of, tensor_of
from .products import CellProducts
from .system import Fields, System
from .traces import Trace
from .varying import Polynomial

type Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """Integrals of products of the fields of one solution, the same on every rank.

    Attributes
    ----------
    gradients, values
        Integrals by region, shape (field, field): of grad u_i . grad u_j and of u_i u_j.
    faces
        Integrals by interface, shape (2, field, 2, field): of jumps (0) and means (1), over its area.
    ends
        Integrals by contact, shape (field, field).
    components
        Integrals by region where components of gradients drive mechanisms, shape (field, axis, field, axis), over the
        axes of space. Here and in `gradients` given forces count.
    """

    gradients: Mapping[str, Matrix]
    values: Mapping[str, Matrix]
    faces: Mapping[tuple[str, str], Matrix]
    ends: Mapping[str, Matrix]
    components: Mapping[str, Matrix] = field(default_factory=dict)


def _driven_by_components(medium: Medium) -> bool:
    return any(m.directed for m in medium.conduction)


def _components(system: System, w: Fields, region: str) -> Matrix:
    """Integrate the products of components of gradients that a region's mechanisms need. Collective."""
    domain, ker, n = system.domain, system.kernels.directed, len(w)
    cells, frame, given = domain.cells_of([region]), domain.frame, system.applied
    medium = system.declaration.media[region]
    needed = np.abs(np.einsum("ij,ab->iajb", matrix_of(isotropic(medium.conduction), system.fields), np.eye(3)))
    for m in (m for m in medium.conduction if m.directed):
        weights = np.abs(component_weights(m, system.fields))
        needed += np.multiply.outer(weights, weights)
    if system.declaration.contacts:
        charge = system.fields.index(system.declaration.charge)
        needed += np.abs(_beyond_charge_matrix(medium, system.fields, charge)).reshape(needed.shape)
    # What is not on the mesh's axes is given, or zero.
    present = [(i, a) for i in range(n) for a in range(3) if frame[:, a].any() or given[i, a]]
    out = np.zeros((n, 3, n, 3))
    for k, (i, a) in enumerate(present):
        for j, b in present[k:]:
            if not (needed[i, a, j, b] or needed[j, b, i, a]):
                continue
            ker.left.value[:] = -given[i, a], *frame[:, a]
            ker.right.value[:] = -given[j, b], *frame[:, b]
            per_cell = np.zeros(len(domain.region))
            form = ker.form("moment", [ker.cellwise], cells=cells, replace={ker.w1: w[i], ker.w2: w[j]})
            fem.assemble_vector(per_cell, form)
            out[i, a, j, b] = out[j, b, i, a] = per_cell.sum()
    return domain.depth * np.asarray(system.comm.allreduce(out))


def moments(system: System, w: Fields, products: CellProducts | None = None) -> Moments:
    """Integrate all products that powers are made of. Collective.

    Parameters
    ----------
    products
        The same fields' products cell by cell, if they are there.

    Examples
    --------
    >>> from fespin.onsager import dissipation, moments
    >>> problem = fs.TransportProblem(fs.line(comm, stack))
    >>> fields = list(problem.solve(current_density=1e11).fields.values())
    >>> power = dissipation(problem.system.declaration, moments(problem.system, fields))
    >>> print(f"{power.by_mechanism['spin flip']:.3e}")
    2.103e+03
    """
    domain = system.domain
    cells = (products or CellProducts(system, w)).moments()
    faces = [_face_moments(t, w) for t in system.faces.values()]
    ends = [_end_moments(system.ends[k], w) for k in system.declaration.contacts]
    # One sum over the ranks for everything.
    parts = [cells, *faces, *ends]
    total = domain.depth * system.comm.allreduce(np.concatenate([x.ravel() for x in parts]))
    pieces = np.split(total, np.cumsum([x.size for x in parts])[:-1])
    cells, *rest = (piece.reshape(x.shape) for piece, x in zip(pieces, parts, strict=True))
    at_faces = dict(zip(system.faces, rest[: len(faces)], strict=True))
    at_ends = dict(zip(system.declaration.contacts, rest[len(faces) :], strict=True))

    def by_region(m: Matrix) -> dict[str, Matrix]:
        return dict(zip(domain.regions, m, strict=True))

    given = system.applied
    if given.any():
        # Given forces are across the axes of the mesh: no products with the rest.
        volumes = np.array([region_volume(system, r) for r in domain.regions])
        cells[0] += volumes[:, None, None] * (given @ given.T)
    media, varying = system.declaration.media, system.declaration.varying
    wanted = [r for r in domain.regions if _driven_by_components(media[r]) and r not in varying]
    components = {r: _components(system, w, r) for r in wanted}
    return Moments(by_region(cells[0]), by_region(cells[1]), at_faces, at_ends, components)


def _face_moments(t: Trace, w: Fields) -> Matrix:
    """Return this rank's integrals of products of jumps and means, (2, field, 2, field)."""
    values = t.both_sides(w)
    parts = np.array([values[0] - values[1], (values[0] + values[1]) / 2])
    return np.asarray(np.einsum("aifm,fmn,bjfn->aibj", parts, t.mass, parts, optimize=True))


def _end_moments(t: Trace, w: Fields) -> Matrix:
    """Return this rank's integrals of products of fields over a contact, (field, field)."""
    values = t.both_sides(w)[0]
    return np.asarray(np.einsum("ifm,fmn,jfn->ij", values, t.mass, values, optimize=True))


def bulk_power(mechanism: Mechanism[str], fields: tuple[str, ...], m: Matrix) -> float:
    """Return the power (W) of a mechanism whose products of fields integrate to `m`."""
    v = np.array([mechanism.weights.get(f, 0.0) for f in fields])
    return float(mechanism.coefficient * v @ m @ v)


def directed_power(mechanism: Mechanism[Any], fields: tuple[str, ...], m: Matrix) -> float:
    """Return the power (W) of a mechanism driven by components of gradients, from moments of components."""
    v = component_weights(mechanism, fields)
    return float(mechanism.coefficient * np.einsum("ia,iajb,jb", v, m, v))


def face_power(mechanism: Mechanism[Side], fields: tuple[str, ...], m: Matrix) -> float:
    """Return the power (W) of an interface mechanism from moments of jumps and means."""
    a, b = (np.array([mechanism.weights.get((s, f), 0.0) for f in fields]) for s in (0, 1))
    # a u0 + b u1 = (a - b)/2 (u0 - u1) + (a + b) (u0 + u1)/2
    v = np.concatenate([(a - b) / 2, a + b])
    n = len(fields)
    return float(mechanism.coefficient * v @ m.reshape(2 * n, 2 * n) @ v)


@dataclass(frozen=True)
class Dissipation:
    """Dissipated power (W; W/m2 on a line), mechanism by mechanism.

    Attributes
    ----------
    parts
        ``{(place, mechanism): power}``; the place is a layer, "a|b" for an
        interface, "lead at x" for what is behind a contact.

    Examples
    --------
    >>> solution = fs.TransportProblem(fs.line(comm, stack)).solve(current_density=1e11)
    >>> power = solution.dissipation
    >>> print(f"{power.total:.3e} {power.by_place['free']:.3e} {power.by_mechanism['spin flip']:.3e}")
    2.173e+07 1.823e+06 2.103e+03
    """

    parts: Mapping[tuple[str, str], float]

    @property
    def total(self) -> float:
        """The sum of all parts."""
        return sum(self.parts.values())

    def _by(self, key: Callable[[tuple[str, str]], str]) -> dict[str, float]:
        out: dict[str, float] = {}
        for k, p in self.parts.items():
            out[key(k)] = out.get(key(k), 0.0) + p
        return out

    @property
    def by_mechanism(self) -> dict[str, float]:
        """Power per mechanism, over all places."""
        return self._by(lambda k: k[1])

    @property
    def by_place(self) -> dict[str, float]:
        """Power per layer, interface and lead, over all mechanisms."""
        return self._by(lambda k: k[0])


def dissipation(declaration: Declaration, m: Moments, *, without_replaced: bool = False) -> Dissipation:
    """Evaluate the declared power on the moments of a solution, of uniform regions (:func:`varying_dissipation`).

    Examples
    --------
    >>> from fespin.onsager import dissipation, moments
    >>> problem = fs.TransportProblem(fs.line(comm, stack))
    >>> fields = list(problem.solve(current_density=1e11).fields.values())
    >>> power = dissipation(problem.system.declaration, moments(problem.system, fields))
    >>> print(f"{power.total:.3e}")
    2.173e+07
    """
    f = declaration.fields
    parts: dict[tuple[str, str], float] = {}

    def kept(mechanisms: Sequence[Mechanism[Any]], state: Sequence[Any]) -> Sequence[Mechanism[Any]]:
        return remaining(mechanisms, state) if without_replaced else mechanisms

    def add(place: str, mechanism: str, power: float) -> None:
        parts[place, mechanism] = parts.get((place, mechanism), 0.0) + power

    for r in (r for r in m.gradients if r not in declaration.varying):
        medium = declaration.media[r]
        for c in kept(medium.conduction, medium.state):
            power = directed_power(c, f, m.components[r]) if c.directed else bulk_power(c, f, m.gradients[r])
            add(r, c.name, power)
        for c in kept(medium.reactions, medium.state):
            add(r, c.name, bulk_power(c, f, m.values[r]))
    for pair, matrix in m.faces.items():
        if pair in declaration.varying_laws:
            continue
        law = declaration.law(pair)
        for face in kept(law.mechanisms, law.replacing):
            add("|".join(pair), face.name, face_power(face, f, matrix))
    for name, contact in declaration.contacts.items():
        for c in kept(contact.mechanisms, contact.state):
            add(f"lead at {name}", c.name, bulk_power(c, f, m.ends[name]))
    return Dissipation(parts)


def dissipation_of(system: System, w: Fields, m: Moments | None = None) -> Dissipation:
    """Return all of a solution's dissipated power by place and mechanism. Collective.

    Parameters
    ----------
    m
        The solution's moments, if they are known.
    """
    uniform = dissipation(system.declaration, moments(system, w) if m is None else m)
    return Dissipation({**uniform.parts, **varying_dissipation(system, w)})


def varying_dissipation(system: System, w: Fields) -> dict[tuple[str, str], float]:
    """Return the power by place and mechanism where the magnetization varies (W; W/m2 on a line). Collective."""
    declaration = system.declaration
    parts: dict[tuple[str, str], float] = {}
    for region, varying in declaration.varying.items():
        for kind in ("conduction", "reactions"):
            for name in dict.fromkeys(m.name for m in getattr(varying.medium(ANY_DIRECTION), kind)):

                def bulk(u: Direction, t: Varying = varying, kind: str = kind, name: str = name) -> Matrix:
                    kept = [m for m in getattr(t.medium(u), kind) if m.name == name]
                    return matrix_of(isotropic(kept), declaration.fields)

                def only(u: Direction, t: Varying = varying, name: str = name) -> Medium:
                    return Medium(tuple(m for m in t.medium(u).conduction if m.name == name))

                power = _bulk_power(system, w, region, kind, Polynomial.of(bulk))
                if kind == "conduction" and _driven_by_components(only(ANY_DIRECTION)):
                    power += _directed_power(system, w, region, medium_tensor(only, declaration.fields))
                parts[region, name] = parts.get((region, name), 0.0) + power
        for pair, law in varying.laws.items():
            for name in dict.fromkeys(m.name for m in law(ANY_DIRECTION).mechanisms):

                def face(u: Direction, law: Any = law, name: str = name) -> Matrix:
                    return face_matrix([m for m in law(u).mechanisms if m.name == name], declaration.fields)

                parts["|".join(pair), name] = _face_power(system, w, pair, Polynomial.of(face))
    return parts


def _bulk_power(system: System, w: Fields, region: str, kind: str, q: Polynomial) -> float:
    """Integrate a quadratic form of the fields, or of their gradients, whose matrix follows m, over a region."""
    ker, domain = system.kernels, system.domain
    cells, m = system.directions.cells[region]
    on, off = (ker.k, ker.r) if kind == "conduction" else (ker.r, ker.k)
    off.x.array[:] = 0.0
    total = np.zeros(len(domain.region))
    own = domain.cells_of([region])
    for i, j in zip(*np.nonzero(np.triu(q.bound)), strict=True):
        values = np.zeros((len(domain.region), ker.weights.dofmap.list.shape[1]))
        # A symmetric matrix: each pair counts twice.
        values[cells] = q.at(m, i, j) * (1 if i == j else 2)
        ker.spread(on, values)
        form = ker.form("cell_moment", [ker.cellwise], cells=own, replace={ker.w1: w[i], ker.w2: w[j]})
        fem.assemble_vector(total, form)
    power = float(domain.comm.allreduce(total[own].sum()) * domain.depth)
    given = system.applied
    if kind == "conduction" and given.any():
        power += weighted_volume(system, region, np.einsum("...ij,ia,ja->...", q.at(m), given, given))
    return power


def _directed_power(system: System, w: Fields, region: str, p: Polynomial) -> float:
    """Integrate a quadratic form of components of gradients, whose matrix follows m, over a region."""
    nothing, given = system.coefficients.only(None), system.applied
    alone = replace(nothing, tensors={region: p.bound}, varying_tensors={region: p})
    power = system.product(w, system.residual(w, coefficients=alone))
    load = system.load(alone)
    if load is not None:
        # (D w - E) T (D w - E) of a symmetric T.
        tensor = p.at(system.directions.cells[region][1])
        power -= 2 * system.product(w, load)
        power += weighted_volume(system, region, np.einsum("ia,...iajb,jb->...", given, tensor, given))
    return power


def _face_power(system: System, w: Fields, pair: tuple[str, str], q: Polynomial) -> float:
    """Integrate a quadratic form of the fields on both sides of an interface, whose matrix follows m."""
    domain = system.domain
    charge = system.fields.index(system.declaration.charge)
    # Only jumps of the charge field matter: without its mean rounding is that of the jumps.
    level = face_mean(system, w[charge], pair, 0)
    fields = [f.copy() for f in w]
    fields[charge].x.array[:] -= level
    fluxes = zip(face_fluxes(system, fields, pair, q), fields, strict=True)
    total = sum(float(flux.x.array @ f.x.array) for flux, f in fluxes)
    return float(domain.comm.allreduce(total)) * domain.depth


def face_fluxes(system: System, w: Fields, pair: tuple[str, str], q: Polynomial) -> list[fem.Function]:
    """Return what flows into an interface whose matrix follows m, field by field: this rank's part. Not collective."""
    ker, m, entities = system.kernels, system.directions.faces[pair], system.domain.interfaces[pair]
    out = [fem.Function(v) for v in system.spaces]
    for i, j in zip(*np.nonzero(q.bound.any(axis=(0, 2))), strict=True):
        ker.set_face(q.at(m, slice(None), i, slice(None), j), entities)
        form = ker.form("residual", [system.spaces[i]], faces=entities, replace={ker.w1: w[j]})
        fem.assemble_vector(out[i].x.array, form)
    return out


def nonequilibrium_power(declaration: Declaration, m: Moments) -> float:
    """Return the power that vanishes in local equilibrium between the channels (W).

    All power less what the same charge current would dissipate if the channels' potentials were
    equal: with K the conduction (or interface) matrix and q the charge direction, K is replaced
    by K - K q q^T K/(q^T K q). Reactions and leads count in full.
    """
    f = declaration.fields
    n = len(f)
    charge = f.index(declaration.charge)

    def beyond_charge(matrix: Matrix, q: int) -> Matrix:
        column = matrix[:, q]
        return matrix - np.outer(column, column) / column[q] if column[q] else matrix

    power = 0.0
    for r, gradients in m.gradients.items():
        medium = declaration.media[r]
        if _driven_by_components(medium):
            power += _beyond_charge(medium, f, charge, m.components[r])
        else:
            power += float((beyond_charge(matrix_of(medium.conduction, f), charge) * gradients).sum())
        power += float((matrix_of(medium.reactions, f) * m.values[r]).sum())
    half = np.eye(n) / 2
    sides = [(s, name) for s in (0, 1) for name in f]
    to_sides = np.block([[half, np.eye(n)], [-half, np.eye(n)]])  # (jump, mean) -> (side 0, side 1)
    for pair, moment in m.faces.items():
        law = to_sides.T @ matrix_of(declaration.law(pair).mechanisms, sides) @ to_sides
        power += float((beyond_charge(law, charge) * moment.reshape(2 * n, 2 * n)).sum())
    for k, contact in declaration.contacts.items():
        power += float((matrix_of(contact.mechanisms, f) * m.ends[k]).sum())
    return power


def _beyond_charge(medium: Medium, fields: tuple[str, ...], charge: int, m: Matrix) -> float:
    """Return the power of an anisotropic medium beyond what the same charge current would dissipate alone."""
    n = len(fields)
    k = _beyond_charge_matrix(medium, fields, charge)
    return float((k * m.reshape(3 * n, 3 * n)).sum())


def _beyond_charge_matrix(medium: Medium, fields: tuple[str, ...], charge: int) -> Matrix:
    """Return K - K_c (K_cc)^-1 K_c^T over fields and axes, in which fields that only charge joins are coupled."""
    n = len(fields)
    k = np.einsum("ij,ab->iajb", matrix_of(isotropic(medium.conduction), fields), np.eye(3))
    k = (k + tensor_of(replace(medium, crossed=()), fields)).reshape(3 * n, 3 * n)
    own = slice(3 * charge, 3 * charge + 3)
    # Along an axis on which nothing conducts charge there is nothing to take off.
    return np.asarray(k - k[:, own] @ np.linalg.pinv(k[own, own], rcond=1e-12, hermitian=True) @ k[own, :])


def weighted_volume(system: System, region: str, values: Matrix) -> float:
    """Integrate numbers at the quadrature points of a region whose magnetization varies. Collective.

    Parameters
    ----------
    values
        Shape (cells, points), for the cells of :class:`~fespin.onsager.varying.Directions`.
    """
    ker, domain = system.kernels, system.domain
    everywhere = np.zeros((len(domain.region), ker.weights.dofmap.list.shape[1]))
    everywhere[system.directions.cells[region][0]] = values
    ker.spread(ker.r, everywhere)
    return _reaction_integral(system, region)


def _reaction_integral(system: System, region: str) -> float:
    """Integrate what the kernel's `r` holds over a region."""
    ker, domain = system.kernels, system.domain
    ker.k.x.array[:] = 0.0
    one = fem.Function(system.base)
    one.x.array[:] = 1.0
    per_cell = np.zeros(len(domain.region))
    swap = {ker.w1: one, ker.w2: one}
    form = ker.form("cell_moment", [ker.cellwise], cells=domain.cells_of([region]), replace=swap)
    fem.assemble_vector(per_cell, form)
    return float(system.comm.allreduce(per_cell.sum()) * domain.depth)


def region_volume(system: System, region: str) -> float:
    """Return the volume of a region (m3; m on a line). Collective."""
    return float(system.comm.allreduce(float(_of_region(system, region)[1].sum())) * system.domain.depth)


def region_integrals(system: System, w: Fields, region: str) -> Matrix:
    """Return the integrals of fields over a region (times m3; m on a line), (field,). Collective."""
    cells, weights = _of_region(system, region)
    here = np.array([np.sum(weights * f.x.array[f.function_space.dofmap.list[cells]]) for f in w])
    return np.asarray(system.comm.allreduce(here) * system.domain.depth)


def region_integral(system: System, w: fem.Function, region: str) -> float:
    """Return the integral of a field over a region (times m3; m on a line). Collective."""
    return float(region_integrals(system, [w], region)[0])


def _of_region(system: System, region: str) -> tuple[Indices, Matrix]:
    """Return this rank's own cells of a region and the weights of their nodes in an integral."""
    cells, bounds = system.cells_by_region
    r = system.domain.regions.index(region)
    here = slice(bounds[r], bounds[r + 1])
    return cells[here], system.node_volumes[here]


def face_mean(system: System, w: fem.Function, pair: tuple[str, str], side: int) -> float:
    """Return the mean of a field over one side of an interface. Collective."""
    return float(system.comm.allreduce(system.faces[pair].integral(w, side)) / system.measures[pair])


def means(system: System, w: Fields) -> dict[Any, Matrix]:
    """Return the means of fields over interfaces and contacts. Collective: one sum over the ranks for all.

    Returns
    -------
    dict
        (side, field) by pair of layers, and (1, field) by contact.
    """
    places: dict[Any, Trace] = {**system.faces, **system.ends}
    sums = [np.einsum("aifm,fm->ai", t.both_sides(w), t.weights) for t in places.values()]
    total = system.comm.allreduce(np.concatenate(sums))
    rows = np.split(total, np.cumsum([len(x) for x in sums])[:-1])
    return {k: x / system.measures[k] for k, x in zip(places, rows, strict=True)}
