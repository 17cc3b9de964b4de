"""Regions whose magnetization m(x) varies: coefficients that follow a direction.

Every coefficient of the models is at most quadratic in the direction of m, so a matrix is
``sum_k M_k p_k(m)`` over the nine polynomials of second degree on the sphere, with M_k found
once from the matrices in a few directions. In the bulk m is evaluated at quadrature points,
where each matrix is one that a uniform magnet has: positivity holds exactly. On interfaces it
is evaluated facet by facet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from dolfinx import fem
from numpy.typing import ArrayLike, NDArray

from ..domain import Domain
from ..errors import InputError, ModelError
from .declaration import Direction, Texture

type Array = NDArray[np.float64]


def _basis(m: Array) -> Array:
    """Return the nine polynomials at directions (..., 3), shape (..., 9)."""
    x, y, z = np.moveaxis(m, -1, 0)
    return np.stack([np.ones_like(x), x, y, z, x * y, y * z, z * x, x * x, y * y], axis=-1)


# Directions from which the polynomials are told apart, and some more that must agree.
_PROBES = np.random.default_rng(5).normal(size=(16, 3))
_PROBES /= np.linalg.norm(_PROBES, axis=1)[:, None]


@dataclass(frozen=True)
class Quadratic:
    """A matrix as a polynomial of second degree of a direction.

    Attributes
    ----------
    terms
        Shape (9, ...).
    """

    terms: Array

    @classmethod
    def of(cls, matrix: Callable[[Direction], Array]) -> Quadratic:
        """Return the polynomial that equals a function of the direction.

        Raises
        ------
        ModelError
            If the function is no polynomial of second degree.
        """
        values = np.array([matrix((float(x), float(y), float(z))) for x, y, z in _PROBES])
        flat = values.reshape(len(values), -1)
        terms = np.linalg.lstsq(_basis(_PROBES), flat, rcond=None)[0]
        size = np.abs(flat).max(initial=0.0)
        if np.abs(_basis(_PROBES) @ terms - flat).max(initial=0.0) > 1e-9 * size:
            raise ModelError("a coefficient is no polynomial of second degree of the magnetization's direction")
        terms[np.abs(terms) < 1e-12 * size] = 0.0
        return cls(terms.reshape(9, *values.shape[1:]))

    @property
    def bound(self) -> Array:
        """What no entry exceeds, zero where it always vanishes."""
        return np.asarray(np.abs(self.terms).sum(axis=0))

    def plus(self, matrix: Array) -> Quadratic:
        """Return the polynomial with a constant matrix added."""
        terms = self.terms.copy()
        terms[0] += matrix
        return Quadratic(terms)

    def at(self, m: Array, *index: Any) -> Array:
        """Return an entry, or a part, of the matrix at directions (..., 3)."""
        return np.asarray(np.tensordot(_basis(m), self.terms[(slice(None), *index)], axes=1))


@dataclass(frozen=True)
class Directions:
    """m where a system needs it.

    Attributes
    ----------
    cells
        Per region: its local cells, ghosts included, and m at their quadrature points, (cells, points, 3).
    faces
        Per interface with one textured side: m at the middle of its facets, (facets, 3).
    """

    cells: Mapping[str, tuple[NDArray[np.int64], Array]] = field(default_factory=dict)
    faces: Mapping[tuple[str, str], Array] = field(default_factory=dict)


def directions(domain: Domain, textures: Mapping[str, Texture], weights: fem.FunctionSpace) -> Directions:
    """Evaluate textures. Collective.

    Parameters
    ----------
    weights
        The space of coefficients at quadrature points.

    Raises
    ------
    InputError
        If a texture does not return three finite numbers, not all zero, per point.
    """
    if not textures:
        return Directions()
    place = fem.Function(weights)
    seen: list[Array] = []

    def note(x: Array) -> Array:
        seen.append(np.array(x))
        return np.zeros(x.shape[1])

    place.interpolate(note)
    points = seen[-1].T.reshape(len(domain.region), weights.dofmap.list.shape[1], 3)
    found, failure = Directions(), None
    try:
        found = _evaluate(domain, textures, points)
    except Exception as error:  # the user's function may raise anything, and on some ranks only
        failure = error
    told = domain.comm.allgather(None if failure is None else str(failure))
    if failure is not None:
        raise failure
    elsewhere = [x for x in told if x is not None]
    if elsewhere:
        raise InputError(elsewhere[0])
    return found


def _evaluate(domain: Domain, textures: Mapping[str, Texture], points: Array) -> Directions:
    """Evaluate textures at points (cells, points, 3) and at the middle of interfaces' facets. Not collective."""
    cells, faces = {}, {}
    for region, texture in textures.items():
        at = np.flatnonzero(domain.region == domain.regions.index(region))
        x = points[at].reshape(-1, 3)
        cells[region] = (at, unit_directions(texture.magnetization, region, x).reshape(*points[at].shape))
        for pair in texture.laws:
            middle = domain.facet_vertices(domain.interfaces[pair].reshape(-1, 4)[:, :2].ravel()).mean(axis=1)
            faces[pair] = unit_directions(texture.magnetization, region, middle)
    return Directions(cells, faces)


def unit_directions(magnetization: Callable[[Array], ArrayLike], region: str, x: Array) -> Array:
    """Return the unit vectors of m(x) at points (n, 3). Not collective.

    Raises
    ------
    InputError
        If m(x) does not return three finite numbers, not all zero, per point.
    """
    if not len(x):
        return np.zeros((0, 3))
    try:
        m = np.asarray(magnetization(x.T), dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"layer '{region}': its magnetization cannot be evaluated ({error})") from error
    if m.shape != (3, len(x)) or not np.isfinite(m).all():
        raise InputError(
            f"layer '{region}': its magnetization takes points (3, n) and returns finite numbers (3, n); "
            f"found the shape {m.shape} for n = {len(x)}"
        )
    norm = np.linalg.norm(m, axis=0)
    if not norm.all():
        raise InputError(f"layer '{region}': its magnetization is zero at {x[int(norm.argmin())].tolist()}")
    return np.asarray((m / norm).T)
