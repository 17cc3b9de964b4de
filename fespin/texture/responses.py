"""Response of a given texture to forces: currents, torques and heat, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from dolfinx import mesh as dmesh

from ..constants import ELEMENTARY_CHARGE
from ..errors import InputError, nearest
from ..grid import Array, Grid, Start
from .generic import GenericMagnet
from .laws import Place, fluxes, group, production, require_positive, width
from .two_band import TwoBandMagnet

type IrreversibleMagnet = GenericMagnet | TwoBandMagnet


@dataclass(frozen=True)
class Response:
    """Fluxes that forces drive, in this rank's own cells.

    Attributes
    ----------
    current_densities
        -e j of the carriers: "n", or "up" and "down" (cells, 3), in A/m2.
    entropy_flux
        j_s (cells, 3), in W/(m2 K).
    magnetization_flux
        Q (cells, 3, 3), the direction of the flow first, in A/s.
    spin_flip_rate
        S (cells,), in 1/(m3 s); zero with one sort of carriers.
    torque
        N' = N - d_i Q_i, what all this adds to dM/dt beside precession, at this rank's own nodes (owned, 3), in
        A/(m s). Its integral over a node's volume is that of the weak form; nothing leaves through the surface.
    dissipation
        T times the entropy production by mechanism, each (cells,), in W/m3. Mechanisms that couple two forces take
        either sign, the sum is never negative.
    reversible
        Power that the reversible fluxes add to it (cells,): rounding.

    Examples
    --------
    >>> from fespin.texture import respond, wall
    >>> start = wall(permalloy, 200e-9)
    >>> response = respond(wire, fs.GenericMagnet.of(permalloy), lambda x: 8e5 * start(x), (0.01, 0.0, 0.0))
    >>> response.torque.shape, bool(sum(response.dissipation.values()).min() >= 0)
    ((101, 3), True)
    """

    current_densities: dict[str, Array] = field(repr=False)
    entropy_flux: Array = field(repr=False)
    magnetization_flux: Array = field(repr=False)
    spin_flip_rate: Array = field(repr=False)
    torque: Array = field(repr=False)
    dissipation: dict[str, Array] = field(repr=False)
    reversible: Array = field(repr=False)

    @cached_property
    def current_density(self) -> Array:
        """Return J (cells, 3), in A/m2."""
        return np.asarray(sum(self.current_densities.values()))

    @cached_property
    def total(self) -> Array:
        """Return T times the entropy production (cells,), in W/m3."""
        return np.asarray(sum(self.dissipation.values()))


class Magnetization:
    """A texture in the cells of a grid, and how a field at the nodes acts there. Collective."""

    def __init__(self, grid: Grid, magnetization: Start | Any) -> None:
        self.grid = g = grid
        nodal = g.vectors(magnetization, "magnetization")
        length = np.linalg.norm(nodal, axis=1)
        low, high = -g.largest(-length), g.largest(length)
        if not low > 0:
            raise InputError("texture: magnetization is zero at a node; it is M in A/m, and has a direction everywhere")
        if high < 10:
            raise InputError(
                f"texture: magnetization is at most {high:.4g} A/m, which is a direction; it is M in A/m, Ms times m"
            )
        # Files hold single precision.
        self.saturated = high - low < 1e-6 * high
        seen = g.seen(nodal)
        mean, gradient = g.mean(seen), g.gradient(seen)
        size = np.linalg.norm(mean, axis=1, keepdims=True)
        if not g.everywhere(bool((size > 0.1 * low).all())):
            raise InputError("texture: magnetization turns over within a cell; take a finer mesh")
        if self.saturated:
            # Of a magnet whose |M| is fixed only the parts perpendicular to M mean anything.
            mean = mean * (high / size)
            m = mean / high
            gradient = gradient - np.einsum("cia,ca->ci", gradient, m)[:, :, None] * m[:, None]
            self._cell, self._node = m, nodal / length[:, None]
        self.place = Place(mean, gradient)

    def field(self, nodal: Array) -> tuple[Array, Array]:
        """Return H (cells, 3) and its gradient (cells, 3, 3) of H at this rank's own nodes (owned, 3)."""
        g = self.grid
        mean = g.mean(g.seen(nodal))
        if not self.saturated:
            return mean, g.gradient(g.seen(nodal))
        return _across(mean, self._cell), g.gradient(g.seen(_across(nodal, self._node)))

    def torque_of(self, law: IrreversibleMagnet, forces: Array) -> Array:
        """Return N' at this rank's own nodes (owned, 3) of forces (cells, forces)."""
        dissipative, reversible = fluxes(law, self.place, forces)
        total = dissipative + reversible
        return self.torque(*law.sources(self.place, {name: total[:, group(law, name)] for name in law.layout}))

    def torque(self, source: Array, flux: Array | None) -> Array:
        """Return N' at this rank's own nodes (owned, 3) of N (cells, 3) and Q (cells, 3, 3): the transpose."""
        g = self.grid
        here = _across(source, self._cell) if self.saturated else source
        shared = np.repeat((g.share[:, None] * here)[:, None], g.dim + 1, axis=1)
        out = g.gathered(shared)
        if flux is not None:
            flown = g.gathered(g.volumes[:, None, None] * np.matmul(g.slopes, flux))
            out = out + (_across(flown, self._node) if self.saturated else flown)
        return np.asarray(out / g.weights[: g.owned, None])


def _across(vectors: Array, m: Array) -> Array:
    """Return the part of vectors (n, 3) that is perpendicular to unit vectors (n, 3)."""
    return np.asarray(vectors - np.einsum("na,na->n", vectors, m)[:, None] * m)


def response(magnet: IrreversibleMagnet, where: Magnetization, forces: Array) -> Response:
    """Return what forces (cells, forces) drive. Collective."""
    place = where.place
    parts = fluxes(magnet, place, forces)
    total = parts[0] + parts[1]
    named = {name: total[:, group(magnet, name)] for name in magnet.layout}
    flip = named.get("affinity")
    return Response(
        {k: -ELEMENTARY_CHARGE * j for k, j in magnet.number_fluxes(named).items()},
        -named["grad_T"],
        magnet.magnetization_flux(place, named),
        np.zeros(len(place)) if flip is None else -flip[:, 0],
        where.torque(*magnet.sources(place, named)),
        production(magnet, place, forces),
        np.einsum("cn,cn->c", parts[1], forces),
    )


def magnetic_forces(magnet: IrreversibleMagnet, where: Magnetization, nodal: Array) -> Array:
    """Return the forces (cells, forces) of H at this rank's own nodes (owned, 3)."""
    out = np.zeros((len(where.place), width(magnet)))
    for name, part in magnet.magnetic_forces(where.place, *where.field(nodal)).items():
        out[:, group(magnet, name)] = part
    return out


def require_irreversible(magnet: object) -> None:
    """Refuse what is neither of the two magnets."""
    if not isinstance(magnet, GenericMagnet | TwoBandMagnet):
        raise InputError(
            f"texture: magnet is a {type(magnet).__name__}; it must be a GenericMagnet or a TwoBandMagnet: each has a "
            "method `of` that makes one from a TexturedMagnet"
        )


def respond(
    grid: Grid | dmesh.Mesh,
    magnet: IrreversibleMagnet,
    magnetization: Start | Any,
    field: Any,
    gradients: Mapping[str, Any] | None = None,
) -> Response:
    """Return currents, torques and heat in given fields and gradients, whether or not they could be steady. Collective.

    Parameters
    ----------
    magnetization
        M (A/m): a function of positions (n, 3), a vector, or an array (owned, 3). If its length is the same
        everywhere, only what is perpendicular to M counts.
    field
        The thermodynamic field H (T), zero in equilibrium, in the same forms.
    gradients
        Gradients of the unknowns: "phi" and "s" (V/m), "theta" (K/m), each a number on a line, a vector, or an array
        (cells, 3).

    Raises
    ------
    InputError
        If something given does not fit.
    ModelError
        If the entropy production need not be positive.

    Examples
    --------
    >>> from fespin.texture import respond, wall
    >>> start = wall(permalloy, 200e-9)
    >>> response = respond(wire, fs.GenericMagnet.of(permalloy), lambda x: 8e5 * start(x), (0, 0, 0), {"phi": 1e4})
    >>> print(f"{response.current_densities['n'][0, 0]:.2e}")
    -4.00e+10
    """
    require_irreversible(magnet)
    grid = grid if isinstance(grid, Grid) else Grid(grid)
    where = Magnetization(grid, magnetization)
    require_positive(magnet, grid, where.place)
    forces = magnetic_forces(magnet, where, grid.vectors(field, "field"))
    for name, given in (gradients or {}).items():
        if name not in magnet.fields:
            raise InputError(f"texture: gradients: there is no field '{name}'; {nearest(name, magnet.fields)}")
        slope = grid.along(given, f"gradients['{name}']")
        for force, weights in magnet.gradients.items():
            forces[:, group(magnet, force)] += weights.get(name, 0.0) * slope
    return response(magnet, where, forces)
