"""A declaration as numbers, on the regions, interfaces and contacts of a domain."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..domain import Domain
from .declaration import Declaration, Direction, InterfaceLaw, Mechanism, Medium, remaining
from .matrices import face_matrix, isotropic, matrix_of, tensor_of
from .varying import Polynomial

type Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Coefficients:
    """A declaration as numbers: matrices over the fields, per region, interface and contact.

    Where the magnetization varies the matrices hold bounds, and `varying` and `varying_faces` the polynomials.
    """

    conduction: Matrix  # (region, field, field)
    reaction: Matrix
    storage: Matrix
    faces: Mapping[tuple[str, str], Matrix]  # (side, field, side, field)
    ends: Mapping[str, Matrix]
    varying: Mapping[str, tuple[Polynomial, Polynomial]] = field(default_factory=dict)  # conduction, reaction
    varying_faces: Mapping[tuple[str, str], Polynomial] = field(default_factory=dict)
    regions: tuple[str, ...] = ()
    # Where directions of space matter, beside `conduction`: (field, axis, field, axis).
    tensors: Mapping[str, Matrix] = field(default_factory=dict)
    varying_tensors: Mapping[str, Polynomial] = field(default_factory=dict)

    def along(self, region: str, normal: Sequence[float]) -> Matrix:
        """Return the conduction matrix of a region for gradients along a direction of space (field, field)."""
        matrix = self.conduction[self.regions.index(region)]
        tensor = self.tensors.get(region)
        return np.asarray(matrix if tensor is None else matrix + np.einsum("iajb,a,b->ij", tensor, normal, normal))

    @staticmethod
    def of(declaration: Declaration, domain: Domain, *, without_replaced: bool = False) -> Coefficients:
        """Evaluate a declaration on the regions, interfaces and contacts of a domain.

        Parameters
        ----------
        declaration
            Mechanisms by place.
        domain
            Regions, interfaces and contacts.
        without_replaced
            True leaves out the mechanisms that state laws replace.
        """

        def kept[K: Hashable](mechanisms: Sequence[Mechanism[K]], state: Sequence[Any]) -> Sequence[Mechanism[K]]:
            return remaining(mechanisms, state) if without_replaced else mechanisms

        f = declaration.fields
        media = [declaration.media[r] for r in domain.regions]
        faces: dict[tuple[str, str], Matrix] = {}
        for pair in domain.interfaces:
            law = declaration.law(pair)
            faces[pair] = face_matrix(kept(law.mechanisms, law.replacing), f, law.reversible)
        conduction = np.array([matrix_of(isotropic(kept(m.conduction, m.state)), f) for m in media])
        tensors = {
            r: tensor_of(replace(m, conduction=tuple(kept(m.conduction, m.state))), f)
            for r, m in zip(domain.regions, media, strict=True)
            if m.directed
        }
        reaction = np.array([matrix_of(kept(m.reactions, m.state), f, m.reversible) for m in media])
        varying, varying_tensors = {}, {}
        for r, region in declaration.varying.items():
            k, q = _medium_polynomials(region.medium, f)
            varying[r] = (k, q)
            conduction[domain.regions.index(r)], reaction[domain.regions.index(r)] = k.bound, q.bound
            if r in tensors:
                varying_tensors[r] = medium_tensor(region.medium, f)
                tensors[r] = varying_tensors[r].bound
        varying_faces = {p: _law_polynomial(law, f) for p, law in declaration.varying_laws.items()}
        faces |= {p: g.bound for p, g in varying_faces.items()}
        return Coefficients(
            conduction,
            reaction,
            np.array([matrix_of(m.storage, f) for m in media]),
            faces,
            {k: matrix_of(kept(c.mechanisms, c.state), f, c.reversible) for k, c in declaration.contacts.items()},
            varying,
            varying_faces,
            domain.regions,
            tensors,
            varying_tensors,
        )

    def with_storage(self, rate: float) -> Coefficients:
        """Return the coefficients of an implicit step: storage times `rate` (1/s) joins the reactions."""
        if rate == 0:
            return self
        stored = rate * self.storage
        varying = {r: (k, q.plus(stored[self.regions.index(r)])) for r, (k, q) in self.varying.items()}
        return replace(self, reaction=self.reaction + stored, varying=varying)

    def only(self, region: int | None) -> Coefficients:
        """Return one region's bulk alone, or nothing at all: no interface, no contact."""
        mask = (np.arange(len(self.conduction)) == region)[:, None, None]
        return replace(
            self,
            conduction=self.conduction * mask,
            reaction=self.reaction * mask,
            faces={},
            ends={},
            varying={r: t for r, t in self.varying.items() if region is not None and r == self.regions[region]},
            varying_faces={},
            tensors={r: t for r, t in self.tensors.items() if region is not None and r == self.regions[region]},
        )

    def storage_only(self) -> Coefficients:
        """Return the storage coefficients in the place of the reactions, and nothing else."""
        return replace(self.only(None), reaction=self.storage)


def _medium_polynomials(medium: Callable[[Direction], Medium], fields: Sequence[str]) -> tuple[Polynomial, Polynomial]:
    """Return conduction and reactions as polynomials of the direction."""

    def conduction(u: Direction) -> Matrix:
        return matrix_of(isotropic(medium(u).conduction), fields)

    def reaction(u: Direction) -> Matrix:
        return matrix_of(medium(u).reactions, fields, medium(u).reversible)

    return Polynomial.of(conduction), Polynomial.of(reaction)


def medium_tensor(medium: Callable[[Direction], Medium], fields: Sequence[str]) -> Polynomial:
    """Return conduction by components as a polynomial of the direction, which acts in space and on spins."""
    return Polynomial.of(lambda u: tensor_of(medium(u), fields), degree=4)


def _law_polynomial(law: Callable[[Direction], InterfaceLaw], fields: Sequence[str]) -> Polynomial:
    """Return an interface law as a polynomial of the direction, over (side, field, side, field)."""

    def matrix(u: Direction) -> Matrix:
        return face_matrix(law(u).mechanisms, fields, law(u).reversible)

    return Polynomial.of(matrix)
