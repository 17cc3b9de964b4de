"""A device for all directions of its free layer, from solves for a few of them: a reduced basis.

At fixed voltages the matrix of a device is A(u) = A_0 + sum_k p_k(u) A_k with the monomials p_k of second degree of the
free layer's direction u, and only that layer and its interfaces are in the A_k. Solutions for other directions are
sought among sums of those that were solved, X_0 + sum_q y_q Z_q, with the equations tested with the same Z_q
(Galerkin). The power is positive whatever the direction, so that no sum is singular; the conductance is taken from the
power, whose error is of second order. Solves for further directions tell the error before they join.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from ..errors import ModelError
from ..onsager.coefficients import Coefficients
from ..onsager.declaration import Declaration, Direction
from ..onsager.power import region_volume
from ..onsager.system import Fields
from ..onsager.varying import Polynomial
from ..transport.problem import TransportProblem
from ..transport.spins import SPIN, SPIN_PER_CHARGE
from ..transport.torque import taken_at, taken_inside
from .pumping import relative_coefficients

type Array = NDArray[np.float64]

# A solution that differs from sums of the others by less than this, relative to it, is one of them.
_NEW = 1e-11


@dataclass(frozen=True)
class _Laws:
    """Coefficients that follow the direction of the free layer: polynomials, by place.

    The places are the inside of the layer and its interfaces. Matrices are over (field, field), at interfaces over
    (side, field, side, field); what the magnet takes is over (spin, field) of its neighbour's side.
    """

    conduction: Polynomial
    reaction: Polynomial
    faces: tuple[Polynomial, ...]
    taken: tuple[Polynomial, ...]  # inside, and at each interface
    relative: tuple[Polynomial, ...]  # what acts on s relative to a motion, likewise


def is_reducible(problem: TransportProblem, layer: str) -> bool:
    """Return whether a device's matrix is a polynomial of second degree of a layer's direction.

    It is none if a lead continues the layer, which changes what the contact fixes, or if gradients along the
    magnetization of the layer conduct otherwise than those across it.
    """
    continued = any(contact.spin == "lead" and touched == layer for contact, touched in problem.contacts.values())
    return not (continued or problem.system.declaration.media[layer].directed)


class ReducedDevice:
    """A device whose free layer may have any direction. The constructor is collective.

    Parameters
    ----------
    problem
        Device, whose fixed magnets stay as they are.
    layer
        The free layer.

    Raises
    ------
    ModelError
        If the device's matrix is no such polynomial (:func:`is_reducible`).
    """

    def __init__(self, problem: TransportProblem, layer: str) -> None:
        if not is_reducible(problem, layer):
            raise ModelError(f"reduced basis: the device's matrix is no polynomial of the direction of '{layer}'")
        self.problem, self.layer, self.system = problem, layer, problem.system
        system, domain = self.system, problem.domain
        self.region = domain.regions.index(layer)
        self.pairs = [p for p in domain.interfaces if layer in p]
        self.laws = self._laws()
        c = system.coefficients
        elsewhere = (np.arange(len(domain.regions)) != self.region)[:, None, None]
        self._rest = replace(
            c,
            conduction=c.conduction * elsewhere,
            reaction=c.reaction * elsewhere,
            faces={p: g for p, g in c.faces.items() if p not in self.pairs},
        )
        self._vectors: list[Array] = []  # X_0 and Z_q, this rank's own degrees of freedom
        self._residuals: list[Array] = []  # of all but the free layer and its interfaces
        self._inside: list[Array] = []  # K_c w and M_c w and w in the layer's cells, (3, field, cell, node)
        self._faces: list[list[Array]] = []  # values at its interfaces, (side, field, facet, node)
        n = len(system.fields)
        self._fixed: Array = np.zeros((0, 0))
        self._moments: Array = np.zeros((2, 0, 0, n, n))
        self._face_moments: list[Array] = [np.zeros((0, 0, 2, n, 2, n)) for _ in self.pairs]
        self._totals: Array = np.zeros((0, 1 + len(self.pairs), n))  # integrals over the places
        volume = region_volume(system, layer) / domain.depth
        self._measures = [volume, *(system.measures[p] for p in self.pairs)]

    @property
    def size(self) -> int:
        """Number of functions beside X_0."""
        return len(self._vectors) - 1

    def _laws(self) -> _Laws:
        """Return everything that follows the direction, from declarations for some directions."""
        problem, fields = self.problem, self.system.fields
        at = [fields.index(k) for k in SPIN]
        seen: dict[Direction, list[Array]] = {}

        def parts(u: Direction) -> list[Array]:
            if u not in seen:
                declaration = problem.declaration_at({self.layer: u})
                c = Coefficients.of(declaration, problem.domain)
                bulk = [c.conduction[self.region], c.reaction[self.region], *(c.faces[p] for p in self.pairs)]
                seen[u] = [*bulk, *self._taken(declaration, at), *self._relative(declaration, at)]
            return seen[u]

        n = len(self.pairs)
        # Each on its own: they have different units.
        conduction, reaction, *rest = (Polynomial.of(lambda u, k=k: parts(u)[k]) for k in range(4 + 3 * n))  # type: ignore[misc]
        return _Laws(conduction, reaction, tuple(rest[:n]), tuple(rest[n : 2 * n + 1]), tuple(rest[2 * n + 1 :]))

    def _taken(self, declaration: Declaration, at: Sequence[int]) -> list[Array]:
        """Return what the magnet takes of the fields inside and at each interface, (3, field)."""
        inside = np.zeros((3, len(self.system.fields)))
        inside[:, at] = taken_inside(declaration.media[self.layer])
        return [
            inside,
            *(taken_at(declaration.law(p), 1 - p.index(self.layer), self.system.fields)[at] for p in self.pairs),
        ]

    def _relative(self, declaration: Declaration, at: Sequence[int]) -> list[Array]:
        """Return what acts on s relative to the magnet's motion inside and at each interface, (field, 3)."""
        n = len(self.system.fields)
        out: list[Array] = [np.zeros((n, 3)) for _ in (None, *self.pairs)]
        for c in relative_coefficients(self.problem, self.layer, declaration).values():
            out[0] += c.reaction[self.region][:, at]
            for k, p in enumerate(self.pairs, 1):
                if p in c.faces:
                    side = 1 - p.index(self.layer)
                    out[k] += c.faces[p][side, :, side][:, at]
        return out

    # ---- the basis
    def _flat(self, w: Fields) -> Array:
        return np.concatenate([f.x.array[:n] for f, n in zip(w, self.system.sizes, strict=True)])

    def _functions(self, x: Array) -> list[fem.Function]:
        out = self.system.functions()
        for f, part in zip(out, np.split(x, np.cumsum(self.system.sizes)[:-1]), strict=True):
            f.x.array[: len(part)] = part
            f.x.scatter_forward()
        return out

    def _dot(self, a: Array, b: Array) -> Array:
        return np.asarray(self.system.comm.allreduce(a @ b))

    def add(self, w: Fields, *, driven: bool) -> bool:
        """Let a solution join the basis; return whether it was new. Collective.

        Parameters
        ----------
        w
            Fields of unit voltage at the bottom (driven), or of equal voltages at all contacts.
        """
        x = self._flat(w)
        if not self._vectors:
            assert driven
            self._join(x)
            return True
        whole = float(np.sqrt(self._dot(x, x)))
        if driven:
            x = x - self._vectors[0]
        # Twice is enough.
        for _ in range(2):
            for z in self._vectors[1:]:
                x = x - self._dot(z, x) * z
        norm = float(np.sqrt(self._dot(x, x)))
        if norm <= _NEW * whole:
            return False
        self._join(np.asarray(x / norm))
        return True

    def _join(self, x: Array) -> None:
        """Append a function and its products with all others. Collective."""
        system, comm = self.system, self.system.comm
        w = self._functions(x)
        self._vectors.append(x)
        self._residuals.append(self._flat(system.residual(w, coefficients=self._rest)))
        cells, bounds = system.cells_by_region
        mine = cells[bounds[self.region] : bounds[self.region + 1]]
        values = np.array([f.x.array[f.function_space.dofmap.list[mine]] for f in w])
        stiffness = np.array([system.cells.stiffness(x, mine) for x in values])
        mass = np.array([system.cells.mass(x, mine) for x in values])
        self._inside.append(np.array([stiffness, mass, values]))
        self._faces.append([system.faces[p].both_sides(w) for p in self.pairs])

        n, m = len(self._vectors), len(system.fields)
        own: list[Array] = []
        # With every function p: Z_p A_0 Z_new, Z_new A_0 Z_p, and the layer's moments.
        own.append(
            np.array([[a @ self._residuals[-1], x @ r] for a, r in zip(self._vectors, self._residuals, strict=True)])
        )
        for kind in (0, 1):
            own.append(
                np.array([np.tensordot(b[2], self._inside[-1][kind], axes=([1, 2], [1, 2])) for b in self._inside])
            )
        for k, p in enumerate(self.pairs):
            weighted = np.einsum("fmn,bjfn->bjfm", system.faces[p].mass, self._faces[-1][k])
            own.append(np.array([np.einsum("aifm,bjfm->aibj", f[k], weighted) for f in self._faces]))
        totals = [mass.sum(axis=(1, 2))]
        for k, p in enumerate(self.pairs):
            side = 1 - p.index(self.layer)
            totals.append(np.einsum("ifm,fm->i", self._faces[-1][k][side], system.faces[p].weights))
        own.append(np.array(totals))
        flat = comm.allreduce(np.concatenate([a.ravel() for a in own]))
        fixed, k_new, m_new, *rest = (
            part.reshape(a.shape)
            for part, a in zip(np.split(flat, np.cumsum([a.size for a in own])[:-1]), own, strict=True)
        )
        *faces, total = rest

        def grown(old: Array, column: Array, row: Array) -> Array:
            out = np.zeros((n, n, *old.shape[2:]))
            out[: n - 1, : n - 1], out[:, -1], out[-1, :] = old, column, row
            return out

        self._fixed = grown(self._fixed, fixed[:, 0], fixed[:, 1])
        # K and M are symmetric, the mass of a facet too.
        self._moments = np.array(
            [grown(old, new, new.swapaxes(1, 2)) for old, new in zip(self._moments, (k_new, m_new), strict=True)]
        )
        self._face_moments = [
            grown(old, new, new.transpose(0, 3, 4, 1, 2)) for old, new in zip(self._face_moments, faces, strict=True)
        ]
        self._totals = np.concatenate([self._totals, total.reshape(1, 1 + len(self.pairs), m)])

    # ---- answers
    def matrices(self, u: Array) -> Array:
        """Return the reduced matrices at directions (n, 3), X_0 first, (n, 1 + size, 1 + size)."""
        laws = self.laws
        out = self._fixed + np.einsum("nij,pqij->npq", laws.conduction.at(u), self._moments[0], optimize=True)
        out = out + np.einsum("nij,pqij->npq", laws.reaction.at(u), self._moments[1], optimize=True)
        for g, moments in zip(laws.faces, self._face_moments, strict=True):
            out = out + np.einsum("naibj,pqaibj->npq", g.at(u), moments, optimize=True)
        return np.asarray(out)

    def solve(self, u: Array, *, pumping: bool) -> Array:
        """Return torque per current density (V s) and A R (ohm m2) at directions (n, 3), (n, 4). Not collective.

        With pumping also Gamma (J s/m2) by rows and what is pumped into the bottom per area (A s/m2), (n, 16).
        """
        domain, depth = self.problem.domain, self.problem.domain.depth
        a = self.matrices(u)
        y = np.concatenate([np.ones((len(u), 1)), _solved(a[:, 1:, 1:], -a[:, 1:, :1])[..., 0]], axis=1)
        density = np.einsum("np,npq,nq->n", y, a, y) * depth / domain.area
        across = np.eye(3) - u[:, :, None] * u[:, None, :]
        # Torque of each function, (n, 3, function).
        taken = sum(np.einsum("nki,pi->nkp", t.at(u), self._totals[:, k]) for k, t in enumerate(self.laws.taken))
        per_function = (SPIN_PER_CHARGE * depth / domain.area) * across @ np.asarray(taken)
        tau = np.einsum("nkp,np->nk", per_function, y) / density[:, None]
        out = np.concatenate([tau, 1 / density[:, None]], axis=1)
        if not pumping:
            return np.asarray(out)
        # Motions about the three axes, of which what is along u does nothing.
        relative = [x.at(u) for x in self.laws.relative]
        pulls = sum(np.einsum("nij,pi->npj", x, self._totals[:, k]) for k, x in enumerate(relative))
        load = SPIN_PER_CHARGE * np.asarray(pulls) @ across
        z = _solved(a[:, 1:, 1:], load[:, 1:])
        at = [self.system.fields.index(k) for k in SPIN]
        own = sum(m * x[:, at, :] for m, x in zip(self._measures, relative, strict=True))
        uptake = (SPIN_PER_CHARGE**2 * depth / domain.area) * across @ np.asarray(own) @ across
        gamma = uptake - per_function[:, :, 1:] @ z
        pumped = (a[:, :1, 1:] @ z - load[:, :1])[:, 0] * depth / domain.area
        return np.concatenate([out, gamma.reshape(-1, 9), pumped], axis=1)


def _solved(a: Array, b: Array) -> Array:
    """Return the solutions of many small systems, scaled by their diagonals."""
    scale = 1 / np.sqrt(np.abs(np.einsum("nii->ni", a)))
    scaled = a * scale[:, :, None] * scale[:, None, :]
    return np.asarray(scale[:, :, None] * np.linalg.solve(scaled, scale[:, :, None] * b))
