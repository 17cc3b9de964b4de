"""Regions whose magnetization m(x) varies: coefficients that follow a direction.

Every coefficient of the models is a polynomial of the direction of m: of second degree where m acts on
spins, of fourth where it acts on components of gradients as well. So a matrix is ``sum_k M_k p_k(m)`` over
the monomials p_k, with M_k found once from the matrices in a few directions. In the bulk m is evaluated at
quadrature points, where each matrix is one that a uniform magnet has: positivity holds exactly. On
interfaces it is evaluated facet by facet.
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
from .declaration import Direction, Varying

type Array = NDArray[np.float64]


def monomials(m: Array, degree: int) -> Array:
    """Return the monomials of m that span the polynomials on the sphere.

    Parameters
    ----------
    m
        Directions, shape (..., 3).
    degree
        Highest degree.

    Returns
    -------
    array
        x^i y^j z^k with k < 2, since z^2 = 1 - x^2 - y^2; shape (..., (degree + 1)^2), the constant first.
    """
    x, y, z = np.moveaxis(m, -1, 0)
    powers = [(i, j, k) for k in (0, 1) for i in range(degree + 1 - k) for j in range(degree + 1 - k - i)]
    return np.stack([x**i * y**j * z**k for i, j, k in powers], axis=-1)


@dataclass(frozen=True)
class Polynomial:
    """A matrix whose entries are polynomials of a direction.

    Attributes
    ----------
    terms
        One matrix per monomial (:func:`monomials`), shape ((degree + 1)^2, ...).
    degree
        2 where only spins know the direction, 4 where components of gradients do so, too.
    """

    terms: Array
    degree: int

    @classmethod
    def of(cls, matrix: Callable[[Direction], Array], degree: int = 2) -> Polynomial:
        """Return the polynomial that equals a function of the direction.

        Raises
        ------
        ModelError
            If the function is no polynomial of this degree.
        """
        count = (degree + 1) ** 2
        # More directions than there are terms: the further ones must agree.
        probes = np.random.default_rng(5).normal(size=(count + 7, 3))
        probes /= np.linalg.norm(probes, axis=1)[:, None]
        values = np.array([matrix((float(x), float(y), float(z))) for x, y, z in probes])
        flat, at = values.reshape(len(values), -1), monomials(probes, degree)
        terms = np.linalg.lstsq(at, flat, rcond=None)[0]
        size = np.abs(flat).max(initial=0.0)
        if np.abs(at @ terms - flat).max(initial=0.0) > 1e-9 * size:
            raise ModelError(f"a coefficient is no polynomial of degree {degree} of the magnetization's direction")
        terms[np.abs(terms) < 1e-12 * size] = 0.0
        return cls(terms.reshape(count, *values.shape[1:]), degree)

    @property
    def bound(self) -> Array:
        """Upper bound of the absolute value of every entry, zero where it always vanishes."""
        return np.asarray(np.abs(self.terms).sum(axis=0))

    def plus(self, matrix: Array) -> Polynomial:
        """Return the polynomial with a constant matrix added."""
        terms = self.terms.copy()
        terms[0] += matrix
        return Polynomial(terms, self.degree)

    def at(self, m: Array, *index: Any) -> Array:
        """Return an entry, or a part, of the matrix at directions (..., 3)."""
        return np.asarray(np.tensordot(monomials(m, self.degree), self.terms[(slice(None), *index)], axes=1))


@dataclass(frozen=True)
class Directions:
    """Magnetization m where a system needs it.

    Attributes
    ----------
    cells
        Local cells of each region, ghosts included, and m at their quadrature points, (cells, points, 3).
    faces
        Middle values by interface whose law follows m: m at the middle of its facets, (facets, 3).
    """

    cells: Mapping[str, tuple[NDArray[np.int64], Array]] = field(default_factory=dict)
    faces: Mapping[tuple[str, str], Array] = field(default_factory=dict)


def directions(domain: Domain, regions: Mapping[str, Varying], weights: fem.FunctionSpace) -> Directions:
    """Evaluate magnetizations that vary. Collective.

    Parameters
    ----------
    domain
        Mesh and regions.
    regions
        Regions whose magnetization varies.
    weights
        The space of coefficients at quadrature points.

    Raises
    ------
    InputError
        If a magnetization does not return three finite numbers, not all zero, per point.
    """
    if not regions:
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
        found = _evaluate(domain, regions, points)
    except Exception as error:  # the user's function may raise anything, and on some ranks only
        failure = error
    told = domain.comm.allgather(None if failure is None else str(failure))
    if failure is not None:
        raise failure
    elsewhere = [x for x in told if x is not None]
    if elsewhere:
        raise InputError(elsewhere[0])
    return found


def _evaluate(domain: Domain, regions: Mapping[str, Varying], points: Array) -> Directions:
    """Evaluate m(x) at points (cells, points, 3) and in the middle of interfaces' facets. Not collective."""
    cells, faces = {}, {}
    for region, varying in regions.items():
        at = np.flatnonzero(domain.region == domain.regions.index(region))
        x = points[at].reshape(-1, 3)
        cells[region] = (at, unit_directions(varying.magnetization, region, x).reshape(*points[at].shape))
        for pair in varying.laws:
            middle = domain.facet_vertices(domain.interfaces[pair].reshape(-1, 4)[:, :2].ravel()).mean(axis=1)
            faces[pair] = unit_directions(varying.magnetization, region, middle)
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
