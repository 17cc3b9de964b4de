"""Rates of escape between wells, right where eigenvalues drown in rounding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from mpi4py import MPI
from petsc4py import PETSc

from ..errors import InputError
from ..macrospin.landscape import survey
from ..macrospin.pointwise import Array, tangent_frame
from .distribution import Distribution
from .factor import Factor
from .operator import Operator
from .reduced import Reduced
from .shelter import sheltered

# A core of a well holds what lies within this energy of its bottom (kT).
_CORE = 0.5
# Wells whose depths differ by more than this (kT) are uneven.
_UNEVEN = 5.0


@dataclass(frozen=True)
class Rates:
    """Rates between the metastable states, per 2 tau_N.

    Attributes
    ----------
    states
        Directions of the stable points (k, 3).
    rates
        ``rates[i, j]`` from state i to state j (k, k), zero diagonal.
    populations
        Stationary probability of each state (k,).
    densities
        Quasi-stationary density of each state, normalized.
    committors
        Probability to come to each state first, at this rank's nodes (k, owned).
    """

    states: Array
    rates: Array
    populations: Array
    densities: tuple[Distribution, ...] = field(repr=False)
    committors: Array = field(repr=False)

    @property
    def generator(self) -> Array:
        """Return the matrix G of dp/ds = p G (k, k)."""
        return np.asarray(self.rates - np.diag(self.rates.sum(axis=1)))

    def eigenvalues(self) -> Array:
        """Return the decay rates of the populations' differences (k - 1,), the slowest first."""
        # With two states their sum; more of them by the eigenvalues, relative to the largest rate.
        if len(self.rates) == 2:
            return np.array([self.rates.sum()])
        values = -np.linalg.eigvals(self.generator)
        return np.asarray(values[np.argsort(values.real)][1:])


def stable_points(reduced: Reduced, starts: Array | None = None) -> Array:
    """Return the stable fixed points of the motion that belong to the wells of the energy (k, 3).

    Parameters
    ----------
    starts
        Instead: directions from which they are sought (n, 3).
    """
    found: list[Array] = []
    for start in [w.direction for w in survey(reduced.spin).wells] if starts is None else starts:
        u = stable_point(reduced, start)
        if u is not None and not any(x @ u > 1 - 1e-6 for x in found):
            found.append(u)
    return np.array(found).reshape(-1, 3)


def stable_point(reduced: Reduced, start: Array) -> Array | None:
    """Return the stable fixed point that Newton's method reaches from a direction; None if it fails."""
    u = start
    for _ in range(50):
        frame = tangent_frame(u[None])[0]

        def motion(x: Array, u: Array = u, frame: Array = frame) -> Array:
            moved = u + x @ frame
            moved /= np.linalg.norm(moved)
            return np.asarray(frame @ reduced.velocity(moved[None])[0])

        h = 1e-5
        slope = np.stack([(motion(h * e) - motion(-h * e)) / (2 * h) for e in np.eye(2)], axis=1)
        if abs(np.linalg.det(slope)) < 1e-9 * np.abs(slope).max() ** 2:
            return None  # nothing holds it along a valley
        step = -np.linalg.solve(slope, motion(np.zeros(2)))
        length = float(np.linalg.norm(step))
        u = u + step * min(1.0, 0.2 / length if length else 1.0) @ frame
        u /= np.linalg.norm(u)
        if length < 1e-9:
            break
    else:
        return None
    return u if np.linalg.eigvals(slope).real.max() < 0 and u @ start > 0.3 else None


def escape(operator: Operator) -> Rates:
    """Find the rates between all metastable states. Collective.

    For state i, w solves the stationary equation with w = 1 at its stable point and w = 0 in the cores of
    the others. Its flux into state j, over its population, is the rate k_ij: the flux is
    the bilinear form of w and a function that is one in basin j, zero in the others and varies at the
    separatrix only, where the committor does. No small difference of large numbers occurs, with or without
    torque: rates of 1e-24 come out as well as rates of 1e-3. The model's own error is of the order of exp(-barrier).

    Parameters
    ----------
    operator
        In the weighted form.

    Raises
    ------
    InputError
        If there are fewer than two metastable states.
    """
    assert operator.weighted
    reduced, surface = operator.reduced, operator.surface
    states = stable_points(reduced)
    if len(states) < 2:
        raise InputError(
            f"escape: the magnet has {len(states) or 'no'} stable direction{'s' if not len(states) else ''}; "
            "a rate of escape needs two wells"
        )
    comm = surface.comm
    pins = [nearest_node(comm, surface.nodes @ u) for u in states]
    cores = _cores(operator, states, pins)
    count = len(states)
    first = committors(operator, cores)
    sides = [_stepped(q) for q in first]
    rates, weights, densities = np.zeros((count, count)), np.zeros(count), []
    energies = reduced.potential(states)
    # Where one well is much deeper than another, or a torque drives the density, each state has a weight of its own.
    uneven = reduced.driven or np.ptp(energies) > _UNEVEN
    for i in range(count):
        chosen = operator
        if uneven:
            chosen = Operator(
                surface,
                reduced,
                weighted=True,
                potential=sheltered(surface, reduced, states, i),
                options=operator.options,
            )
        fixed = {d: 0.0 for k in range(count) if k != i for d in cores[k]} | dict.fromkeys(pins[i], 1.0)
        w = boundary_value(chosen, fixed)
        weights[i] = chosen.mass(w * chosen.scale)
        x = w * chosen.scale / weights[i]
        densities.append(chosen.distribution(x, "metastable state"))
        current = flux_form(chosen)(w)
        for j in range(count):
            if j != i:
                # Rates far below the smallest barrier's may drown in the discretization's error.
                rates[i, j] = max(current(sides[j]) / weights[i], 0.0)
        if chosen is not operator:
            chosen.destroy()
    return Rates(states, rates, _stationary(rates), tuple(densities), np.array(first))


def nearest_node(comm: MPI.Intracomm, closeness: Array) -> Array:
    """Return the owned index of the degree of freedom that is closest over all ranks, on one rank only."""
    best = float(closeness.max(initial=-np.inf))
    everywhere = comm.allreduce((best, -comm.rank), op=MPI.MAX)
    mine = everywhere == (best, -comm.rank)
    return np.array([int(closeness.argmax())]) if mine else np.zeros(0, dtype=int)


def _cores(operator: Operator, states: Array, pins: Sequence[Array]) -> list[Array]:
    """Return the owned degrees of freedom in the core of each state, its pin included."""
    surface = operator.surface
    energy = operator.reduced.potential(surface.nodes)
    out = []
    for u, pin in zip(states, pins, strict=True):
        level = float(operator.reduced.potential(u[None])[0])
        close = (np.abs(energy - level) < _CORE) & (surface.nodes @ u > 0.9)
        out.append(np.union1d(np.flatnonzero(close), pin))
    return out


def committors(operator: Operator, cores: Sequence[Array]) -> list[Array]:
    """Return the probabilities to reach each core first, at the nodes (owned,) each. Collective."""
    rows = np.concatenate(cores).astype(int)
    matrix, factor = _constrained(operator, rows, transposed=True)
    out = []
    for core in cores:
        b = np.zeros(operator.surface.owned)
        b[core] = 1.0
        out.append(factor.solve(b))
    factor.destroy()
    matrix.destroy()
    return out


def basins(operator: Operator, cores: Sequence[Array]) -> list[Array]:
    """Return functions at the nodes that are one in one basin and zero in the others. Collective."""
    return [_stepped(q) for q in committors(operator, cores)]


def _stepped(q: Array) -> Array:
    return np.asarray(np.clip((q - 0.05) / 0.9, 0.0, 1.0))


def _constrained(operator: Operator, rows: Array, *, transposed: bool) -> tuple[PETSc.Mat, Factor]:
    """Return A for unknowns w, rows divided by the local weight, with identity rows for given values."""
    matrix = PETSc.Mat()
    if transposed:
        operator.A.transpose(matrix)
    else:
        matrix = operator.A.copy()
    left, right = matrix.createVecs()
    left.array[:], right.array[:] = 1 / operator.scale, operator.scale
    matrix.diagonalScale(left, right)
    first = matrix.getOwnershipRange()[0]
    matrix.zeroRows((rows + first).astype(np.int32), 1.0)
    left.destroy()
    right.destroy()
    return matrix, Factor(matrix, operator.options)


def boundary_value(operator: Operator, fixed: dict[int, float]) -> Array:
    """Return w that solves the stationary equation with given values at some degrees of freedom. Collective."""
    rows = np.array(sorted(fixed), dtype=int)
    matrix, factor = _constrained(operator, rows, transposed=False)
    b = np.zeros(operator.surface.owned)
    b[rows] = [fixed[int(r)] for r in rows]
    w = factor.solve(b)
    factor.destroy()
    matrix.destroy()
    return w


def flux_form(operator: Operator) -> Callable[[Array], Callable[[Array], float]]:
    """Return how much the expectation of phi grows per time in the density m w: ``flux_form(operator)(w)(phi)``.

    Evaluated at the quadrature points from differences within cells, so that nothing cancels
    where phi is constant. Collective.
    """
    surface, reduced = operator.surface, operator.reduced
    u = surface.points
    slope = operator.potential(u)[1]
    m = operator.weight(u)
    rest = operator.remainder(u, m, slope)

    def of(w: Array) -> Callable[[Array], float]:
        gradient = surface.gradient_at_points(w)
        value = surface.at_points(w)[:, None]
        current = m[:, None] * (reduced.flow(u, gradient) + value * rest)

        def at(phi: Array) -> float:
            return surface.integral(np.sum(current * surface.gradient_at_points(phi), axis=1))

        return at

    return of


def _stationary(rates: Array) -> Array:
    """Return the stationary populations of a chain with given rates, without subtractions (k,)."""
    # Grassmann, Taksar and Heyman's elimination.
    k = len(rates)
    q = rates.copy()
    for n in range(k - 1, 0, -1):
        total = max(float(q[n, :n].sum()), 1e-300)
        q[:n, n] /= total
        q[:n, :n] += np.outer(q[:n, n], q[n, :n])
    p = np.ones(k)
    for n in range(1, k):
        p[n] = p[:n] @ q[:n, n]
    return np.asarray(p / p.sum())
