"""Where the power goes in regions whose magnetization varies."""

from __future__ import annotations

from typing import Any

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from .declaration import ANY_DIRECTION, Direction, Texture, face_matrix, matrix_of
from .power import Dissipation, Moments, dissipation, face_mean, moments
from .system import Fields, System
from .texture import Quadratic

type Array = NDArray[np.float64]


def dissipation_of(system: System, w: Fields, m: Moments | None = None) -> Dissipation:
    """Return all of a solution's dissipated power by place and mechanism. Collective.

    Parameters
    ----------
    m
        The solution's moments, if they are known.
    """
    uniform = dissipation(system.declaration, moments(system, w) if m is None else m)
    return Dissipation({**uniform.parts, **textured_dissipation(system, w)})


def textured_dissipation(system: System, w: Fields) -> dict[tuple[str, str], float]:
    """Return the power by place and mechanism where the magnetization varies (W; W/m2 on a line). Collective."""
    declaration = system.declaration
    parts: dict[tuple[str, str], float] = {}
    for region, texture in declaration.textures.items():
        for kind in ("conduction", "reactions"):
            for name in dict.fromkeys(m.name for m in getattr(texture.medium(ANY_DIRECTION), kind)):

                def bulk(u: Direction, t: Texture = texture, kind: str = kind, name: str = name) -> Array:
                    return matrix_of([m for m in getattr(t.medium(u), kind) if m.name == name], declaration.fields)

                parts[region, name] = _bulk_power(system, w, region, kind, Quadratic.of(bulk))
        for pair, law in texture.laws.items():
            for name in dict.fromkeys(m.name for m in law(ANY_DIRECTION).mechanisms):

                def face(u: Direction, law: Any = law, name: str = name) -> Array:
                    return face_matrix([m for m in law(u).mechanisms if m.name == name], declaration.fields)

                parts["|".join(pair), name] = _face_power(system, w, pair, Quadratic.of(face))
    return parts


def _bulk_power(system: System, w: Fields, region: str, kind: str, q: Quadratic) -> float:
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
    return float(domain.comm.allreduce(total[own].sum()) * domain.depth)


def _face_power(system: System, w: Fields, pair: tuple[str, str], q: Quadratic) -> float:
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


def face_fluxes(system: System, w: Fields, pair: tuple[str, str], q: Quadratic) -> list[fem.Function]:
    """Return what flows into an interface whose matrix follows m, field by field: this rank's part. Not collective."""
    ker, m, entities = system.kernels, system.directions.faces[pair], system.domain.interfaces[pair]
    out = [fem.Function(v) for v in system.spaces]
    for i, j in zip(*np.nonzero(q.bound.any(axis=(0, 2))), strict=True):
        ker.set_face(q.at(m, slice(None), i, slice(None), j), entities)
        form = ker.form("residual", [system.spaces[i]], faces=entities, replace={ker.w1: w[j]})
        fem.assemble_vector(out[i].x.array, form)
    return out
