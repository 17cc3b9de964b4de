r"""Linear laws between forces and fluxes of a magnet, declared mechanism by mechanism.

The rate of heat production is a sum of fluxes times forces, R = Y.X (Saslow 2007, Eqs. 32 and 33). A mechanism has
one coefficient c and two features f and g, linear in the forces X; what it makes of a given X is, in terms of any X',

    dissipative:  Y.X' = c [f'.g + g'.f],  or c f'.f if both are the same;      R = 2 c f.g, or c f.f
    reversible:   Y.X' = c [f.g' - g.f'];                                       R = 0

So both fluxes of an Onsager pair come from one coefficient, and reversible mechanisms cannot produce heat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..errors import ModelError

if TYPE_CHECKING:
    from ..grid import Array, Grid

_CHUNK = 4096  # cells at once: their matrices stay in the cache


@dataclass(frozen=True)
class FluxCoupling:
    """A coefficient and what it couples.

    Attributes
    ----------
    name
        Name of the coefficient, as users give it.
    value
        Factor of the features.
    first, second
        Names of the features f and g.
    reversible
        True if it is antisymmetric.
    """

    name: str
    value: float
    first: str
    second: str
    reversible: bool = False


@dataclass(frozen=True)
class Place:
    """A magnet in some cells.

    Attributes
    ----------
    M
        Magnetization (cells, 3), in A/m.
    D
        Gradient of M (cells, 3, 3), the direction of the derivative first, in A/m2.
    """

    M: Array
    D: Array

    @property
    def m(self) -> Array:
        """Return the direction of M (cells, 3)."""
        return np.asarray(self.M / np.linalg.norm(self.M, axis=1, keepdims=True))

    def __len__(self) -> int:
        return len(self.M)

    def part(self, cells: slice) -> Place:
        """Return some of the cells."""
        return Place(self.M[cells], self.D[cells])


type Feature = Callable[[Place], Array]
"""Takes a place, returns the rows (cells, k, forces) of k numbers linear in the forces."""


class Law(Protocol):
    """Declaration of a model."""

    @property
    def layout(self) -> Mapping[str, int]:
        """Names of its groups of forces, and how many numbers each has."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the unknown fields."""

    @property
    def gradients(self) -> Mapping[str, Mapping[str, float]]:
        """Which forces are gradients of the unknown fields: ``{force: {field: weight}}``."""

    @property
    def values(self) -> Mapping[str, Mapping[str, float]]:
        """Which forces are values of the fields, in the same form."""

    def mechanisms(self) -> tuple[FluxCoupling, ...]:
        """Return every term, whatever its value."""

    def feature(self, name: str) -> Feature:
        """Return a feature by name."""


def group(law: Law, name: str) -> slice:
    """Return where a group of forces stands among all of them."""
    start = 0
    for other, width in law.layout.items():
        if other == name:
            return slice(start, start + width)
        start += width
    raise KeyError(name)


def width(law: Law) -> int:
    """Return the number of forces."""
    return sum(law.layout.values())


def rows(law: Law, place: Place, k: int, **parts: Array) -> Array:
    """Return a feature (cells, k, forces) from its parts by group of forces, each (cells, k, n) or (k, n)."""
    out = np.zeros((len(place), k, width(law)))
    for name, part in parts.items():
        out[:, :, group(law, name)] = part
    return out


def crosses(a: Array, b: Array) -> Array:
    """Return a x b of vectors along the last axis."""
    return np.asarray(np.cross(a, b), dtype=float)


def _parts(law: Law, place: Place) -> Iterator[tuple[FluxCoupling, Array, Array]]:
    known: dict[str, Array] = {}
    for x in law.mechanisms():
        if x.value:
            for name in (x.first, x.second):
                if name not in known:
                    known[name] = law.feature(name)(place)
            yield x, known[x.first], known[x.second]


def dissipative_matrix(law: Law, place: Place) -> Array:
    """Return the symmetric part of Y = L X (cells, forces, forces)."""
    n = width(law)
    out: Array = np.zeros((len(place), n, n))
    for x, f, g in _parts(law, place):
        if not x.reversible:
            pair = x.value * np.matmul(f.transpose(0, 2, 1), g)
            out += pair if x.first == x.second else pair + pair.transpose(0, 2, 1)
    return out


def _chunks(place: Place) -> Iterator[slice]:
    for start in range(0, len(place), _CHUNK):
        yield slice(start, start + _CHUNK)


def _taken(feature: Array, forces: Array) -> Array:
    """Return what a feature (cells, k, forces) is for some forces (cells, forces): (cells, k)."""
    return np.asarray(np.einsum("ckn,cn->ck", feature, forces))


def _given(feature: Array, amounts: Array) -> Array:
    """Return the fluxes (cells, forces) of amounts (cells, k): the transpose."""
    return np.asarray(np.einsum("ckn,ck->cn", feature, amounts))


def fluxes(law: Law, place: Place, forces: Array) -> tuple[Array, Array]:
    """Return dissipative and reversible fluxes Y (cells, forces) of forces X (cells, forces)."""
    dissipative, reversible = np.zeros_like(forces), np.zeros_like(forces)
    for cells in _chunks(place):
        for x, f, g in _parts(law, place.part(cells)):
            a = x.value * _taken(f, forces[cells])
            if x.first == x.second:
                dissipative[cells] += _given(f, a)
                continue
            b = x.value * _taken(g, forces[cells])
            if x.reversible:
                reversible[cells] += _given(g, a) - _given(f, b)
            else:
                dissipative[cells] += _given(g, a) + _given(f, b)
    return dissipative, reversible


def production(law: Law, place: Place, forces: Array) -> dict[str, Array]:
    """Return the heat production by dissipative mechanism, each (cells,) in W/m3; pairs may take either sign."""
    out: dict[str, Array] = {x.name: np.zeros(len(place)) for x in law.mechanisms() if x.value and not x.reversible}
    for cells in _chunks(place):
        for x, f, g in _parts(law, place.part(cells)):
            if x.reversible:
                continue
            a, b = _taken(f, forces[cells]), _taken(g, forces[cells])
            out[x.name][cells] += (1 if x.first == x.second else 2) * x.value * np.einsum("ck,ck->c", a, b)
    return out


def require_positive(law: Law, grid: Grid, place: Place) -> None:
    """Refuse coefficients that let heat production be negative somewhere. Collective.

    Raises
    ------
    ModelError
        It names the place and the coefficient that does most of it.
    """
    names = list(law.layout)
    groups = [group(law, name) for name in names]
    largest: Array = np.zeros((len(names), len(names)))
    for cells in _chunks(place):
        symmetric = dissipative_matrix(law, place.part(cells))
        for i, a in enumerate(groups):
            for j, b in enumerate(groups):
                block = symmetric[:, a, b]
                # A mean of what is positive, where nothing cancels.
                size = np.trace(block, axis1=1, axis2=2) / block.shape[1] if i == j else np.abs(block)
                largest[i, j] = max(largest[i, j], float(np.max(size)))
    largest = np.array([[grid.largest(np.array([x])) for x in row] for row in largest])
    # Forces have different units: each group is measured by what it produces alone, or else by what it is coupled to.
    scale = np.sqrt(np.abs(np.diag(largest)))
    for i in np.flatnonzero(scale == 0):
        scale[i] = max((largest[i, j] / (scale[j] or 1.0) for j in range(len(names)) if j != i), default=0.0) or 1.0
    active = np.concatenate([np.arange(g.stop)[g] for g, row in zip(groups, largest, strict=True) if row.any()])
    weights = np.concatenate([np.full(g.stop - g.start, 1 / s) for g, s in zip(groups, scale, strict=True)])[active]
    lowest, worst = 0.0, (0, np.zeros(width(law)))
    for cells in _chunks(place):
        symmetric = dissipative_matrix(law, place.part(cells))[:, active[:, None], active]
        symmetric = symmetric * weights[:, None] * weights
        values = np.linalg.eigvalsh(symmetric)[:, 0]
        c = int(np.argmin(values))
        if values[c] < lowest:
            lowest, worst = float(values[c]), (cells.start + c, np.zeros(width(law)))
            worst[1][active] = np.linalg.eigh(symmetric[c])[1][:, 0] * weights
    bottom = -grid.largest(np.array([-lowest]))
    if bottom >= -1e-10:
        return
    found = None
    if lowest == bottom:
        cell, force = worst
        by = production(law, place.part(slice(cell, cell + 1)), force[None])
        blamed = min(by, key=lambda name: float(by[name][0]))
        steep = float(np.linalg.norm(place.D[cell], ord=2) / np.linalg.norm(place.M[cell]))
        found = grid.positions[grid.cells[cell]].mean(axis=0).tolist(), blamed, steep
    where, blamed, steep = next(x for x in grid.comm.allgather(found) if x is not None)
    at = ", ".join(f"{x:.4g}" for x in where[: grid.mesh.geometry.dim])
    raise ModelError(
        f"texture: entropy production is not positive at ({at}) m, where |grad M|/M = {steep:.4g} 1/m: {blamed} is too "
        f"large for the coefficients of what it couples, {_coupled(law, blamed)}"
    )


def _coupled(law: Law, name: str) -> str:
    """Return the names of the mechanisms that dissipate alone what a coefficient couples."""
    x = next(x for x in law.mechanisms() if x.name == name and not x.reversible)
    # The forces that its features hold, whatever the magnet.
    some = Place(np.array([[0.6, 0.48, 0.64]]), np.array([[[0.3, -0.5, 0.2], [0.1, 0.7, -0.4], [-0.6, 0.2, 0.5]]]))
    reached = {
        force
        for f in (x.first, x.second)
        for force in law.layout
        if np.any(law.feature(f)(some)[:, :, group(law, force)])
    }
    alone = []
    for y in law.mechanisms():
        if y.first == y.second and not y.reversible:
            own = law.feature(y.first)(some)
            if any(np.any(own[:, :, group(law, force)]) for force in reached):
                alone.append(f"{y.name} ({y.value:.4g})" if y.value else f"{y.name} (0)")
    return ", ".join(alone)
