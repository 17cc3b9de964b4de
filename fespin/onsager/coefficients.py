"""A declaration as numbers, on the regions, interfaces and contacts of a domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..domain import Domain
from .declaration import Declaration, matrix_of

type Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Coefficients:
    """The declaration as numbers: matrices over the fields, per region, interface and contact."""

    conduction: Matrix  # (region, field, field)
    reaction: Matrix
    storage: Matrix
    faces: Mapping[tuple[str, str], Matrix]  # (side, field, side, field)
    ends: Mapping[str, Matrix]

    @staticmethod
    def of(declaration: Declaration, domain: Domain) -> Coefficients:
        """Evaluate a declaration on the regions, interfaces and contacts of a domain."""
        f = declaration.fields
        n = len(f)
        sides = [(s, name) for s in (0, 1) for name in f]
        media = [declaration.media[r] for r in domain.regions]
        faces = {}
        for pair in domain.interfaces:
            law = declaration.law(pair)
            faces[pair] = matrix_of(law.mechanisms, sides, law.reversible).reshape(2, n, 2, n)
        return Coefficients(
            np.array([matrix_of(m.conduction, f) for m in media]),
            np.array([matrix_of(m.reactions, f, m.reversible) for m in media]),
            np.array([matrix_of(m.storage, f) for m in media]),
            faces,
            {k: matrix_of(c.mechanisms, f, c.reversible) for k, c in declaration.contacts.items()},
        )

    def with_storage(self, rate: float) -> Coefficients:
        """Return the coefficients of an implicit step: storage times `rate` (1/s) joins the reactions."""
        return self if rate == 0 else replace(self, reaction=self.reaction + rate * self.storage)

    def only(self, region: int | None) -> Coefficients:
        """Return one region's bulk alone, or nothing at all: no interface, no contact."""
        mask = (np.arange(len(self.conduction)) == region)[:, None, None]
        return replace(
            self,
            conduction=self.conduction * mask,
            reaction=self.reaction * mask,
            faces={p: np.zeros_like(g) for p, g in self.faces.items()},
            ends={k: np.zeros_like(b) for k, b in self.ends.items()},
        )

    def storage_only(self) -> Coefficients:
        """Return the storage coefficients in the place of the reactions, and nothing else."""
        return replace(self.only(None), reaction=self.storage)
