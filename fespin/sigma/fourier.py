"""Problems nearly symmetric about an axis: Fourier series around it times elements of the polar angle.

The unknowns are values at the angles 2 pi k/(2 M + 1) of rings, one ring at each node of the polar angle. Between them
functions of the azimuth are the trigonometric polynomials of order M through these values. So everything that holds for
nodal values on triangles holds here. A pole is one node: functions are single-valued there. This makes 1/sin(theta)
integrable; nothing else is asked of functions at the poles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import basix.ufl
import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.polynomial import legendre
from numpy.typing import NDArray

from .. import _compat
from ..energy.on_sphere import Array
from ..quantities import direction, require_between, require_integer
from .matrix import Flow, Solver
from .mesh import rotation_to
from .rings import RingMatrix, Rings
from .space import Density, Potential, Stored

# Angles around which pictures and files show a density.
_SHOWN = 90


class Fourier:
    """The sphere as rings around an axis: Fourier series times elements of the polar angle.

    Every rank holds the whole of it.

    Parameters
    ----------
    axis
        Direction of the poles.
    cells
        Cells of the polar angle. They are smaller towards the poles, and two meet at the equator if their number is
        even.
    orders
        Largest azimuthal order M; a ring has 2 M + 1 nodes.
    degree
        Degree of the polynomials of the polar angle.
    width
        Largest azimuthal order of what is multiplied with the unknown, such as energies and torques: integrals
        around the axis are exact up to it.
    grading
        From 0, cells of one size, to 0.9, small ones at the poles.
    corner
        A polar angle at which two cells are to meet.

    Attributes
    ----------
    points
        Directions of the quadrature points (n, 3).
    measure
        Weights of the quadrature points, which add up to 4 pi, (n,).
    nodes
        Directions of the degrees of freedom (m, 3).

    Raises
    ------
    InputError
        If a parameter is of another kind, or out of range.

    Examples
    --------
    >>> from fespin.sigma import Fourier
    >>> rings = Fourier((0, 0, 1), cells=8, orders=2)
    >>> print(f"{rings.integral(rings.points[:, 0] ** 2) / (4 * np.pi):.4f}")
    0.3333
    """

    dim = 2
    key = "sphere.method"  # key of a case file that matters, for messages

    def __init__(
        self,
        axis: Sequence[float] | Array,
        cells: int,
        orders: int,
        *,
        degree: int = 4,
        width: int = 8,
        grading: float = 0.3,
        corner: float | None = None,
    ) -> None:
        require_integer("fourier", "cells", cells, 2)
        require_integer("fourier", "orders", orders, 0)
        require_integer("fourier", "degree", degree, 1, 12)
        require_integer("fourier", "width", width, 0)
        require_between("fourier", "grading", grading, 0, 0.9)
        if corner is not None:
            require_between("fourier", "corner", corner, 0, np.pi, ends=False)
        self.comm, self.degree, self.cells, self.orders = MPI.COMM_SELF, degree, cells, orders
        self.width, self.grading, self._corner = width, grading, corner
        self.turn = rotation_to(direction(axis, "fourier", "axis"))
        self.axis = self.turn[:, 2]
        even = np.linspace(0.0, np.pi, cells + 1)
        self.edges = even - grading * np.sin(2 * even) / 2
        if corner is not None:
            self.edges[1 + int(np.argmin(np.abs(self.edges[1:-1] - corner)))] = corner
        self._lengths = np.diff(self.edges)
        self.rings = Rings(cells, degree, 2 * orders + 1)
        self.owned = self.dofs = self.rings.size
        self.mesh_size = np.pi / cells
        reference, weights = gauss(degree + 6)
        self._basis, self._slopes = self._polynomials(reference)
        self.theta = self.edges[:-1, None] + self._lengths[:, None] * reference  # (cells, q)
        count = 2 * orders + max(width, orders) + 1
        self.phi = 2 * np.pi * np.arange(count) / count
        self._around, self._winding = self._trigonometric(self.phi)
        self._strip = weights * self._lengths[:, None] * (2 * np.pi / count)
        self.measure: Array = np.repeat((self._strip * np.sin(self.theta)).ravel(), count)
        theta, phi = np.broadcast_arrays(self.theta[:, :, None], self.phi)
        self.points = self._directions(theta.ravel(), phi.ravel())
        self.points.flags.writeable = False
        self._south, self._east = self._frame(theta.ravel(), phi.ravel())
        places = self.edges[:-1, None] + self._lengths[:, None] * _lobatto(degree)[:-1]
        self.node_theta = np.append(places.ravel(), np.pi)
        ring = 2 * np.pi * np.arange(self.rings.around) / self.rings.around
        t, f = (x.ravel() for x in np.meshgrid(self.node_theta[1:-1], ring, indexing="ij"))
        self.nodes = self._directions(np.concatenate([[0.0], t, [np.pi]]), np.concatenate([[0.0], f, [0.0]]))

    # ---- spaces beside this one
    def like(self, *, orders: int | None = None, degree: int | None = None) -> Fourier:
        """Return the same cells with another order or degree."""
        return Fourier(
            self.axis,
            self.cells,
            self.orders if orders is None else orders,
            degree=self.degree if degree is None else degree,
            width=self.width,
            grading=self.grading,
            corner=self._corner,
        )

    @cached_property
    def coarser(self) -> Fourier:
        """Return the space of a degree less and an order less."""
        return self.like(orders=max(self.orders - 1, 0), degree=max(self.degree - 1, 1))

    @cached_property
    def finer(self) -> Fourier:
        """Return the space of a degree more and two orders more: its difference shows the error of both."""
        return self.like(orders=self.orders + 2, degree=self.degree + 1)

    # ---- functions of either angle
    def _polynomials(self, reference: Array) -> tuple[Array, Array]:
        """Return the basis of the polar angle and its derivatives at places of the reference cell (q, n)."""
        to_nodes = np.linalg.inv(legendre.legvander(2 * _lobatto(self.degree) - 1, self.degree))
        x = 2 * np.asarray(reference) - 1
        slopes = np.stack([legendre.Legendre.basis(k).deriv()(x) * 2 for k in range(self.degree + 1)], axis=-1)
        return legendre.legvander(x, self.degree) @ to_nodes, slopes @ to_nodes

    def _trigonometric(self, phi: Array) -> tuple[Array, Array]:
        """Return the basis of the azimuth and its derivatives at angles (..., around)."""
        count = self.rings.around
        away = np.asarray(phi)[..., None] - 2 * np.pi * np.arange(count) / count
        value, slope = np.ones_like(away), np.zeros_like(away)
        for m in range(1, self.orders + 1):
            value += 2 * np.cos(m * away)
            slope -= 2 * m * np.sin(m * away)
        return value / count, slope / count

    def _kernel(self, phi: Array) -> Array:
        """Return the basis of the azimuth at angles (..., around), by its closed form."""
        count = self.rings.around
        away = np.asarray(phi)[..., None] / 2 - np.pi * np.arange(count) / count
        below = np.sin(away)
        near = np.abs(below) < 1e-9  # a node, where both vanish
        return np.asarray(np.where(near, 1.0, np.sin(count * away) / (count * np.where(near, 1.0, below))))

    def _directions(self, theta: Array, phi: Array) -> Array:
        u = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1)
        return u @ self.turn.T

    def _frame(self, theta: Array, phi: Array) -> tuple[Array, Array]:
        """Return the unit vectors along theta and along phi (n, 3)."""
        south = np.stack([np.cos(theta) * np.cos(phi), np.cos(theta) * np.sin(phi), -np.sin(theta)], axis=-1)
        east = np.stack([-np.sin(phi), np.cos(phi), np.zeros_like(phi)], axis=-1)
        return south @ self.turn.T, east @ self.turn.T

    # ---- matrices
    def _at(self, values: Array) -> Array:
        """Return values at the quadrature points by cell, polar angle and azimuth (cells, q, angles)."""
        return values.reshape(self.cells, -1, len(self.phi))

    def cell_matrices(self, spread: Array | tuple[Array, Array, Array, Array], drift: Array, weight: Array) -> Array:
        """Return the matrices of weight ((spread grad w).grad phi - w drift.grad phi) of the cells (cells, n, n).

        Parameters
        ----------
        spread
            A number at the quadrature points (n,), or components of a tensor along theta and phi: (theta, theta),
            (theta, phi), (phi, theta), (phi, phi), the first of them along grad phi.
        drift
            At the quadrature points (n, 3).
        weight
            At the quadrature points (n,).
        """
        sine = np.repeat(np.sin(self.theta).ravel(), len(self.phi))
        tt, tp, pt, pp = spread if isinstance(spread, tuple) else (spread, None, None, spread)
        south, east = np.sum(drift * self._south, axis=1), np.sum(drift * self._east, axis=1)
        d, n = self._slopes, self._basis
        t, s = self._around, self._winding
        long = self._lengths[:, None]
        mixed = [(-weight * south * sine, t)] + ([] if tp is None else [(weight * tp, s)])
        parts = [
            (self._integrals(t, (weight * tt * sine, t)), d, d, long**2),
            (self._integrals(t, *mixed), d, n, long),
            (self._integrals(s, (weight * pp / sine, s), (-weight * east, t)), n, n, np.ones_like(long)),
        ]
        if pt is not None:
            parts.append((self._integrals(s, (weight * pt, t)), n, d, long))
        return self._contracted(parts)

    def _integrals(self, test: Array, *trials: tuple[Array, Array]) -> Array:
        """Return integrals around the axis of a function of the azimuth times others (cells, q, around, around).

        Parameters
        ----------
        trials
            Values at the quadrature points, and the function that they multiply; one or more, to be added up.
        """
        every = [(self._at(values), trial) for values, trial in trials]
        if all((np.abs(at - at[:, :, :1]) <= 1e-15 * np.abs(at[:, :, :1])).all() for at, _ in every):
            # The same all around, as for free diffusion.
            return np.asarray(sum(at[:, :, :1, None] * (test.T @ trial) for at, trial in every))
        product = every[0][0][:, :, :, None] * every[0][1]
        for at, trial in every[1:]:
            product += at[:, :, :, None] * trial
        return np.asarray(np.matmul(test.T, product))

    def _contracted(self, parts: Sequence[tuple[Array, Array, Array, Array]]) -> Array:
        """Return integrals over the polar angle too, by cell and added up (cells, n, n).

        Parameters
        ----------
        parts
            Integrals around the axis, two functions of the polar angle, and what the product is divided by.
        """
        cells, places, count = parts[0][0].shape[:3]
        pairs = np.concatenate([(a[:, :, None] * b[:, None, :]).reshape(places, -1) for _, a, b, _ in parts])
        scaled = np.empty((cells, len(parts), places, count**2))
        for k, (around, _, _, divisor) in enumerate(parts):
            np.multiply(around.reshape(cells, places, -1), (self._strip / divisor)[:, :, None], out=scaled[:, k])
        found = np.matmul(pairs.T, scaled.reshape(cells, len(pairs), -1))
        size = self.degree + 1
        found = found.reshape(cells, size, size, count, count).transpose(0, 1, 3, 2, 4)
        return np.ascontiguousarray(found).reshape(cells, size * count, size * count)

    def transport(self, kappa: Array, mu: Array, drift: Array) -> RingMatrix:
        """Return the matrix of kappa grad w.grad phi - mu u.(grad w x grad phi) - w drift.grad phi.

        Parameters
        ----------
        kappa
            Diffusion at the quadrature points (n,), or tensors (n, 3, 3).
        mu
            Coefficient of the rotation at the quadrature points (n,).
        drift
            Tangential velocity at the quadrature points (n, 3).
        """
        if kappa.ndim == 1:
            tt, tp, pp = kappa, np.zeros_like(mu), kappa
        else:
            tt, tp, pp = (
                np.einsum("ni,nij,nj->n", a, kappa, b)
                for a, b in ((self._south, self._south), (self._south, self._east), (self._east, self._east))
            )
        local = self.cell_matrices((tt, tp + mu, tp - mu, pp), drift, np.ones_like(mu))
        return RingMatrix(self.rings, local)

    def mass(self, kappa: Array) -> RingMatrix:
        """Return the matrix of kappa w phi; kappa at the quadrature points (n,)."""
        sine = np.repeat(np.sin(self.theta).ravel(), len(self.phi))
        around = self._integrals(self._around, (kappa * sine, self._around))
        data = self._contracted([(around, self._basis, self._basis, np.ones((self.cells, 1)))])
        thin = data[:, :: self.rings.around, :: self.rings.around].copy() if np.ptp(kappa) == 0 else None
        return RingMatrix(self.rings, data, thin=thin)

    def balanced(self, flow: Flow, rest: Array, weight: Array, rows: Array, *, transposed: bool) -> RingMatrix:
        """Return the matrix of -(current of w, grad phi), see :func:`fespin.sigma.matrix.balanced`."""
        whole = slice(None)
        along, across = flow(whole, self._south), flow(whole, self._east)
        tt, tp, pt, pp = (-np.sum(e * f, axis=1) for e in (self._south, self._east) for f in (along, across))
        local = self.cell_matrices((tt, tp, pt, pp), rest, weight)
        if transposed:
            local = np.ascontiguousarray(local.swapaxes(1, 2))
        local *= rows[:, :, None]
        return RingMatrix(self.rings, local)

    @property
    def of_cells(self) -> NDArray[np.int_]:
        """Return the degrees of freedom of the cells (cells, n)."""
        return self.rings.of_cells

    unit_factor: Solver | None = None  # of the scaled matrix of w phi

    @cached_property
    def unit_mass(self) -> RingMatrix:
        """Return the matrix of w phi."""
        return self.mass(np.ones(len(self.points)))

    # ---- integrals
    def load(self, values: Array) -> Array:
        """Return the integrals of a function at the quadrature points (n,) times each basis function."""
        return self._load(self._at(values * self.measure) @ self._around, self._basis)

    def load_gradient(self, values: Array) -> Array:
        """Return the integrals of a vector field (n, 3) times the gradient of each basis function."""
        south = np.sum(values * self._south, axis=1) * self.measure
        east = np.sum(values * self._east, axis=1) * self.measure
        along = (self._at(south) / self._lengths[:, None, None]) @ self._around
        turning = (self._at(east) / np.sin(self.theta)[:, :, None]) @ self._winding
        return self._load(along, self._slopes) + self._load(turning, self._basis)

    def _load(self, around: Array, basis: Array) -> Array:
        """Add up values by cell, polar angle and node of the ring (cells, q, around) times functions of theta."""
        return self.rings.sum(np.matmul(basis.T, around).reshape(self.cells, -1))

    def hemisphere(self, axis: Sequence[float] | Array, function: Density) -> Array:
        """Return the integrals over u.axis > 0 of a function times each basis function, (owned,).

        Of each circle of latitude the arc inside is integrated by Gauss's rule. Where the arc's ends are not smooth in
        the polar angle, cells are split, and the points cluster there.
        """
        across = np.asarray(axis, dtype=float) @ self.turn
        tilt, heading = math.atan2(math.hypot(across[0], across[1]), across[2]), math.atan2(across[1], across[0])
        equator = np.abs(self.edges - np.pi / 2).min() < 1e-12
        if equator and math.sin(tilt) < 1e-14:
            inside = np.cos(np.repeat(self.theta.ravel(), len(self.phi))) * across[2] > 0
            return self.load(np.where(inside, function(self.points), 0.0))
        turns = (np.pi / 2 - tilt, np.pi / 2 + tilt, tilt - np.pi / 2, 1.5 * np.pi - tilt)
        kinks = {min(max(x, 0.0), np.pi) for x in turns}
        reference, weights = gauss(2 * self.degree + 16)
        arc, parts = gauss(self.orders + max(self.width, self.orders) // 2 + 24)
        out = np.zeros((self.cells, self.degree + 1, self.rings.around))
        places, strips, owners = [], [], []
        for k, (a, b) in enumerate(pairwise(self.edges)):
            stops = [a, *(x for x in sorted(kinks) if a + 1e-12 < x < b - 1e-12), b]
            for low, high in pairwise(stops):
                smooth = reference**2 * (3 - 2 * reference) if len(stops) > 2 or tilt > 1e-12 else reference
                jacobian = 6 * reference * (1 - reference) if smooth is not reference else np.ones_like(reference)
                places.append(low + smooth * (high - low))
                strips.append(weights * jacobian * (high - low))
                owners.append(k)
        theta, strip, owner = np.array(places), np.array(strips), np.array(owners)
        half = np.pi * _share(theta, tilt)  # half the arc
        used = half.max(axis=1) > 0
        theta, strip, owner, half = theta[used], strip[used], owner[used], half[used]
        phi = heading + half[:, :, None] * (2 * arc - 1)
        u = self._directions(*(x.ravel() for x in np.broadcast_arrays(theta[:, :, None], phi)))
        values = function(u).reshape(phi.shape) * (strip * np.sin(theta) * 2 * half)[:, :, None] * parts
        around = np.matmul(values[:, :, None, :], self._kernel(phi))[:, :, 0]
        local = (theta - self.edges[owner][:, None]) / self._lengths[owner][:, None]
        basis = self._polynomials(local.ravel())[0].reshape(*local.shape, -1)
        np.add.at(out, owner, np.matmul(basis.swapaxes(1, 2), around))
        return self.rings.sum(out.reshape(self.cells, -1))

    @cached_property
    def stored(self) -> Stored:
        """Return how states are saved: as values on a line of nodes, one for each degree of freedom."""
        element = basix.ufl.element("Lagrange", "interval", 1, shape=(1,))
        number = np.arange(self.owned, dtype=np.int64)
        line = _compat.create_mesh(
            self.comm, np.stack([number[:-1], number[1:]], axis=1), element, number[:, None].astype(float)
        )
        space = fem.functionspace(line, ("Lagrange", 1))
        return Stored(space, np.rint(space.tabulate_dof_coordinates()[:, 0]).astype(int))

    # ---- functions
    def components(self) -> list[Density]:
        """Return the functions whose means are the mean direction's components."""
        return [lambda u, k=k: u[:, k] for k in range(3)]  # type: ignore[misc]

    def _of_cells(self, values: Array) -> Array:
        """Return nodal values by cell, node of the polar angle and place on the ring."""
        return values[self.rings.of_cells].reshape(self.cells, self.degree + 1, -1)

    def at_points(self, values: Array) -> Array:
        """Return a function with the given nodal values (owned,) at the quadrature points (n,)."""
        return np.asarray(np.matmul(self._basis, self._of_cells(values)) @ self._around.T).ravel()

    def at(self, values: Array, u: Array) -> Array:
        """Return a function with the given nodal values (owned,) at directions (n, 3)."""
        x = u @ self.turn
        theta, phi = np.arctan2(np.hypot(x[:, 0], x[:, 1]), x[:, 2]), np.arctan2(x[:, 1], x[:, 0])
        cell = np.clip(np.searchsorted(self.edges, theta, side="right") - 1, 0, self.cells - 1)
        basis = self._polynomials((theta - self.edges[cell]) / self._lengths[cell])[0]
        return np.asarray(np.einsum("na,nap,np->n", basis, self._of_cells(values)[cell], self._kernel(phi)))

    def gradient_at_points(self, values: Array) -> Array:
        """Return the gradient along the sphere of a function with given nodal values, (n, 3).

        It is exactly zero in cells where all values are equal.
        """
        local = self._of_cells(values)
        local = local - local[:, :1, :1]
        along = np.matmul(self._slopes, local) @ self._around.T / self._lengths[:, None, None]
        turning = np.matmul(self._basis, local) @ self._winding.T / np.sin(self.theta)[:, :, None]
        return np.asarray(along.reshape(-1, 1) * self._south + turning.reshape(-1, 1) * self._east)

    def lowest(self, values: Array) -> Array:
        """Return the lowest of given values of the cells (cells,) that meet at each degree of freedom (owned,)."""
        out = np.full(self.owned, np.inf)
        at = self.rings.of_cells
        np.minimum.at(out, at.ravel(), np.repeat(values, at.shape[1]))
        return out

    def integral(self, values: Array) -> float:
        """Return the integral over the sphere of a function given at the quadrature points (n,)."""
        return float(values @ self.measure)

    def circle(self, theta: Array) -> Array:
        """Return directions on circles of latitude (n, angles, 3), as many as integrals around the axis take."""
        t, f = np.broadcast_arrays(np.asarray(theta)[:, None], self.phi)
        return self._directions(t.ravel(), f.ravel()).reshape(*t.shape, 3)

    def mean(self, potential: Potential) -> Potential:
        """Return the mean of a potential over circles of latitude, a function of the polar angle alone."""

        def averaged(u: Array) -> tuple[Array, Array]:
            along = u @ self.axis
            theta = np.arctan2(np.linalg.norm(u - along[:, None] * self.axis, axis=1), along)
            # Directions come in rings: each circle is averaged once.
            circles, which = np.unique(np.round(theta, 13), return_inverse=True)
            t, f = (x.ravel() for x in np.meshgrid(circles, self.phi, indexing="ij"))
            v, slope = potential(self._directions(t, f))
            value = v.reshape(len(circles), -1).mean(axis=1)
            fall = np.sum(slope * self._frame(t, f)[0], axis=1).reshape(len(circles), -1).mean(axis=1)
            sine = np.maximum(np.sin(theta), 1e-300)
            south = (along[:, None] * u - self.axis) / sine[:, None]  # at the poles the slope is zero
            return value[which], (fall[which] * (sine > 1e-9))[:, None] * south

        return averaged

    # ---- to be looked at
    def shown(self, values: Array) -> tuple[NDArray[np.int64], Array, Array]:
        """Return triangles (n, 3), directions (m, 3) and there the function with given nodal values (m,)."""
        count = max(_SHOWN, 2 * self.rings.around)
        phi = 2 * np.pi * np.arange(count) / count
        inner = values[1:-1].reshape(-1, self.rings.around) @ self._trigonometric(phi)[0].T
        theta, angle = np.meshgrid(self.node_theta[1:-1], phi, indexing="ij")
        ends = [0.0], [np.pi]
        x = self._directions(
            np.concatenate([ends[0], theta.ravel(), ends[1]]), np.concatenate([[0.0], angle.ravel(), [0.0]])
        )
        return revolved(len(theta), count), x, np.concatenate([values[:1], inner.ravel(), values[-1:]])

    def function(self, values: Array, name: str = "f") -> fem.Function:
        """Return the function with the given nodal values as a linear one on small triangles of the unit sphere."""
        triangles, x, shown = self.shown(values)
        element = basix.ufl.element("Lagrange", "triangle", 1, shape=(3,))
        mesh = _compat.create_mesh(self.comm, triangles, element, x)
        f = fem.Function(fem.functionspace(mesh, ("Lagrange", 1)), name=name)
        # Nodes of the mesh and of the space are the corners of cells, in one order.
        here = shown[mesh.geometry.input_global_indices]
        f.x.array[f.function_space.dofmap.list.ravel()] = here[_compat.cell_nodes(mesh).ravel()]
        return f


def revolved(rings: int, around: int) -> NDArray[np.int64]:
    """Return triangles between rings of nodes and two poles: the numbers of their corners (n, 3).

    The first node is one pole, then come the rings, and last the other pole.
    """
    number = 1 + np.arange(rings * around).reshape(rings, around)
    beside = np.roll(number, -1, axis=1)
    a, b, c, d = (y.ravel() for y in (number[:-1], beside[:-1], number[1:], beside[1:]))
    top = np.stack([np.zeros(around, dtype=int), number[0], beside[0]], axis=1)
    bottom = np.stack([np.full(around, 1 + rings * around), beside[-1], number[-1]], axis=1)
    sides = np.stack([a, c, b], axis=1), np.stack([b, c, d], axis=1)
    return np.asarray(np.concatenate([top, *sides, bottom]), dtype=np.int64)


def gauss(count: int) -> tuple[Array, Array]:
    """Return places and weights of Gauss's rule on [0, 1], (count,) each."""
    x, w = legendre.leggauss(count)
    return (x + 1) / 2, w / 2


def _lobatto(degree: int) -> Array:
    """Return the nodes of a polynomial on [0, 1], both ends among them (degree + 1,)."""
    inner = np.sort(np.real(legendre.Legendre.basis(degree).deriv().roots())) if degree > 1 else np.zeros(0)
    return np.asarray((np.concatenate([[-1.0], inner, [1.0]]) + 1) / 2)


def _share(theta: Array, tilt: float) -> Array:
    """Return which part of each circle of latitude lies in the hemisphere of an axis tilted by `tilt`."""
    if np.sin(tilt) < 1e-14:
        return np.where(np.cos(theta) * np.cos(tilt) > 0, 1.0, 0.0)
    edge = -np.cos(theta) * np.cos(tilt) / (np.sin(theta) * np.sin(tilt) + 1e-300)
    return np.asarray(np.arccos(np.clip(edge, -1, 1)) / np.pi)
