"""Rates of escape between wells, right where eigenvalues drown in rounding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import scipy.linalg
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.spatial import KDTree
from scipy.special import logsumexp

from ..energy.on_sphere import Array, tangent_frame
from ..errors import InputError
from ..macrospin.landscape import flood, grid, survey
from ..petsc import Options
from .balanced import Balanced
from .dimensionless import DimensionlessDrift
from .distribution import Distribution, Surface
from .operator import Operator
from .trial_potential import trial_potential

# A core of a well holds what lies within this energy of its bottom (kT).
_CORE = 0.5
# Wells whose depths differ by more than this (kT) are uneven.
_UNEVEN = 5.0
# Depth below a pass (kT) from which a trajectory crosses the pass with a probability of about 1e-12.
SURE = 28.0
# Eigenvalues below this part of the largest one are not accurate to 1e-8, because of rounding.
_RESOLVED = 1e-8


@dataclass(frozen=True)
class Rates:
    """Rates between the metastable states, per 2 tau_N.

    Attributes
    ----------
    states
        Directions of the stable points (k, 3).
    log_rates
        ``log_rates[i, j]``: natural logarithm of the rate from state i to state j (k, k). -inf on the diagonal, and
        where another state lies between the two and what goes past it is lost in rounding.
    log_populations
        Natural logarithm of the stationary probability of each state (k,); nan if a way out was not resolved for
        several states.
    surface
        Where they were found.
    solutions
        What makes the quasi-stationary density of each state.
    committors
        Probability to come to each state first, at this rank's nodes (k, owned).
    """

    states: Array
    log_rates: Array
    log_populations: Array
    surface: Surface = field(repr=False)
    solutions: tuple[tuple[Balanced, Array], ...] = field(repr=False)
    committors: Array = field(repr=False)

    @cached_property
    def densities(self) -> tuple[Distribution, ...]:
        """Return the quasi-stationary density of each state, normalized. Collective."""
        return tuple(form.distribution(w, "metastable state") for form, w in self.solutions)

    @property
    def rates(self) -> Array:
        """Return the rates (k, k), zero diagonal; below 1e-308 they are zero."""
        return np.exp(self.log_rates)

    @property
    def populations(self) -> Array:
        """Return the stationary probabilities (k,)."""
        return np.exp(self.log_populations)

    @property
    def log_exits(self) -> Array:
        """Return the logarithm of the rate out of each state (k,)."""
        return np.asarray(logsumexp(self.log_rates, axis=1))

    @property
    def generator(self) -> Array:
        """Return the matrix G of dp/ds = p G (k, k)."""
        rates = self.rates
        return np.asarray(rates - np.diag(rates.sum(axis=1)))

    @property
    def log_decays(self) -> Array:
        """Return the logarithms of the decay rates of the populations' differences (k - 1,), the slowest first."""
        return log_decays(self.log_rates)

    def eigenvalues(self) -> Array:
        """Return the decay rates of the populations' differences (k - 1,), the slowest first."""
        return np.exp(self.log_decays)


def stable_points(reduced: DimensionlessDrift, starts: Array | None = None) -> Array:
    """Return the stable fixed points of the motion that belong to the wells of the energy (k, 3).

    Those of the wells are sought once for each drift.

    Parameters
    ----------
    starts
        Directions from which they are sought instead (n, 3).
    """
    if starts is None:
        known: Array | None = reduced.__dict__.get("_stable")
        if known is None:
            wells = np.array([w.direction for w in survey(reduced.spin).wells]).reshape(-1, 3)
            known = stable_points(reduced, wells)
            reduced.__dict__["_stable"] = known  # as cached properties do
        return known
    points: list[Array] = []
    for start in starts:
        u = stable_point(reduced, start)
        if u is not None and not any(x @ u > 1 - 1e-6 for x in points):
            points.append(u)
    return np.array(points).reshape(-1, 3)


def stable_point(reduced: DimensionlessDrift, start: Array) -> Array | None:
    """Return the stable fixed point that Newton's method reaches from a direction; None if it fails."""
    u, h = start, 1e-5
    steps = h * np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]])
    for _ in range(50):
        frame = tangent_frame(u[None])[0]
        moved = u + steps @ frame
        moved /= np.linalg.norm(moved, axis=1)[:, None]
        motion = reduced.velocity(moved) @ frame.T
        slope = ((motion[1::2] - motion[2::2]) / (2 * h)).T
        if abs(np.linalg.det(slope)) < 1e-9 * np.abs(slope).max() ** 2:
            return None  # a flat valley: no restoring motion in one direction
        step = -np.linalg.solve(slope, motion[0])
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
    torque, and no weight leaves the range of numbers: rates of 1e-400 come out as well as rates of 1e-3. The model's
    own error is of the order of exp(-barrier).

    Parameters
    ----------
    operator
        Operator in the weighted form; its surface, drift and options are used.

    Raises
    ------
    InputError
        If there are fewer than two metastable states.
    """
    assert operator.weighted
    return rates_on(operator.surface, operator.reduced, operator.options)


def rates_on(surface: Surface, reduced: DimensionlessDrift, options: Options | None = None) -> Rates:
    """Find the rates between all metastable states on a surface, as :func:`escape` does. Collective."""
    states = stable_points(reduced)
    if len(states) < 2:
        raise InputError(
            f"escape: the magnet has {len(states) or 'no'} stable direction{'s' if not len(states) else ''}; "
            "a rate of escape needs two wells"
        )
    count, whole = len(states), Balanced(surface, reduced, options=options)
    pins = [nearest_node(surface.comm, surface.nodes @ u) for u in states]
    cores, above = _cores(surface, reduced, states, pins)
    first = committors(whole, cores, above)
    sides = [_stepped(q) for q in first]
    log_rates, found = np.full((count, count), -np.inf), []
    # Where one well is much deeper than another, or a torque drives the density, each state has a weight of its own.
    uneven = reduced.has_torque or np.ptp(reduced.potential(states)) > _UNEVEN
    if not uneven:
        rows, own = _labelled([*cores, above])
        solutions = whole.solve(rows, (own[:, None] == np.arange(count)).astype(float)).T
    for i in range(count):
        chosen = whole
        if uneven:
            chosen = Balanced(surface, reduced, trial_potential(surface, reduced, states, i), options, whole.velocity)
            # Under torque w varies within the well, so that it is fixed at one point only.
            one = pins[i] if reduced.has_torque else cores[i]
            rows, own = _labelled([one, np.concatenate([above, *(cores[k] for k in range(count) if k != i)])])
            w = chosen.solve(rows, (own == 0).astype(float))[:, 0]
        else:
            w = solutions[i]
        found.append((chosen, w))
        flux, mass = chosen.log_flux(w), chosen.log_mass(w)
        for j in range(count):
            if j != i:
                # A rate far below the others may be lost in the error of the discretization: it counts as zero.
                log_rates[i, j] = np.nan_to_num(flux(sides[j]) - mass, nan=-np.inf)
    return Rates(states, log_rates, log_stationary(log_rates), surface, tuple(found), np.array(first))


def nearest_node(comm: MPI.Intracomm, closeness: Array) -> Array:
    """Return the owned index of the degree of freedom that is closest over all ranks, on one rank only."""
    best = float(closeness.max(initial=-np.inf))
    everywhere = comm.allreduce((best, -comm.rank), op=MPI.MAX)
    mine = everywhere == (best, -comm.rank)
    return np.array([int(closeness.argmax())]) if mine else np.zeros(0, dtype=int)


def _cores(
    surface: Surface, reduced: DimensionlessDrift, states: Array, pins: Sequence[Array]
) -> tuple[list[NDArray[np.int_]], NDArray[np.int_]]:
    """Return the owned degrees of freedom in the core of each state, its pin included, and those above all passes.

    Without torque a core is all of a well below which its pass lies so high that who is there goes back to the bottom,
    but for one in 1e12. What lies as high above all passes has no part in the rates either. So only the
    energies about the passes need cells that resolve them, however deep the wells are.
    """
    energy = reduced.potential(surface.nodes)
    out, top = [], -np.inf
    if not reduced.has_torque:
        known, place = _floods(reduced, states), KDTree(grid()[0]).query(surface.nodes)[1]
    for i, (u, pin) in enumerate(zip(states, pins, strict=True)):
        level = float(reduced.potential(u[None])[0])
        core = (np.abs(energy - level) < _CORE) & (surface.nodes @ u > 0.9)
        if not reduced.has_torque:
            inside, height = known[i]
            core |= inside[place] & (energy < height - SURE)
            top = max(top, height)
        out.append(np.union1d(np.flatnonzero(core), pin).astype(int))
    above = np.flatnonzero(energy > top + SURE) if not reduced.has_torque else np.zeros(0, dtype=int)
    return out, above


def _floods(reduced: DimensionlessDrift, states: Array) -> list[tuple[NDArray[np.bool_], float]]:
    """Return which points of the grid lie in each state's basin below its pass, and the pass's height.

    Once for each drift, whose surfaces all ask for the same.
    """
    known: list[tuple[NDArray[np.bool_], float]] | None = reduced.__dict__.get("_floods")
    if known is None:
        points, near = grid()
        at = [int(k) for k in KDTree(points).query(states)[1]]
        values = reduced.potential(points)
        known = [flood(values, near, start, [k for k in at if k != start]) for start in at]
        reduced.__dict__["_floods"] = known  # as cached properties do
    return known


def _labelled(sets: Sequence[NDArray[np.int_]]) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Return the members of sets in a row, and the number of the set of each."""
    return np.concatenate(sets).astype(int), np.repeat(np.arange(len(sets)), [len(x) for x in sets])


def committors(whole: Balanced, cores: Sequence[Array], above: Array | None = None) -> list[Array]:
    """Return the probabilities to reach each core first, at the nodes (owned,) each. Collective.

    Parameters
    ----------
    above
        Degrees of freedom that do not matter: all cores are as probable from there.
    """
    count = len(cores)
    rows, own = _labelled(cores)
    values = (own[:, None] == np.arange(count)).astype(float)
    if above is not None:
        rows, values = np.concatenate([rows, above]), np.concatenate([values, np.full((len(above), count), 1 / count)])
    return list(whole.solve(rows, values, transposed=True).T)


def basins(whole: Balanced, cores: Sequence[Array]) -> list[Array]:
    """Return functions at the nodes that are one in one basin and zero in the others. Collective."""
    return [_stepped(q) for q in committors(whole, cores)]


def _stepped(q: Array) -> Array:
    return np.asarray(np.clip((q - 0.05) / 0.9, 0.0, 1.0))


def boundary_value(operator: Operator, fixed: dict[int, float]) -> Array:
    """Return w that solves the stationary equation with given values at some degrees of freedom. Collective."""
    matrix = operator.A.copy()
    # Rows are divided by the local weight.
    matrix.rescale(1 / operator.scale, operator.scale)
    rows = np.array(sorted(fixed), dtype=int)
    matrix.pin(rows)
    b = np.zeros((operator.surface.owned, 1))
    b[rows, 0] = [fixed[int(r)] for r in rows]
    try:
        return matrix.solved(b, operator.options)[:, 0]
    finally:
        matrix.destroy()


def log_stationary(log_rates: Array) -> Array:
    """Return the logarithms of the stationary populations of a chain, without subtractions (k,).

    Parameters
    ----------
    log_rates
        Logarithms of the rates from i to j (k, k).

    Returns
    -------
    Array
        A single state without a way out has all of it; with several, nan.
    """
    # Grassmann, Taksar and Heyman's elimination.
    k = len(log_rates)
    q = log_rates.copy()
    np.fill_diagonal(q, -np.inf)
    ends = np.isneginf(q).all(axis=1)
    if np.count_nonzero(ends) == 1:
        return np.where(ends, 0.0, -np.inf)
    for n in range(k - 1, 0, -1):
        leaving = logsumexp(q[n, :n])
        if np.isneginf(leaving):
            return np.full(k, np.nan)
        q[:n, n] -= leaving
        q[:n, :n] = np.logaddexp(q[:n, :n], q[:n, n, None] + q[n, :n])
    p = np.zeros(k)
    for n in range(1, k):
        p[n] = logsumexp(p[:n] + q[:n, n])
    return np.asarray(p - logsumexp(p))


def log_decays(log_rates: Array) -> Array:
    """Return the logarithms of the decay rates of a chain's populations (k - 1,), the slowest first.

    Rates may differ by any number of powers of ten. What an eigenvalue solver resolves beside the fastest rate is
    taken from it; then as many of the fastest states are eliminated, and the mass that follows the others is kept.

    Parameters
    ----------
    log_rates
        Logarithms of the rates from i to j (k, k).
    """
    q, mass = log_rates.copy(), np.where(np.eye(len(log_rates), dtype=bool), 0.0, -np.inf)
    np.fill_diagonal(q, -np.inf)
    out: list[float] = []
    while len(q) > 1:
        top = float(q.max())
        if len(q) == 2 and not out:
            return np.array([logsumexp(q)])
        if np.isneginf(top):
            out += [-np.inf] * (len(q) - 1)
            break
        rates = np.exp(q - top)
        values = np.sort(scipy.linalg.eigvals(np.diag(rates.sum(axis=1)) - rates, np.exp(mass)).real)[1:]
        resolved = values[values > _RESOLVED * values[-1]]
        out += list(np.log(resolved) + top)
        for _ in range(min(len(resolved), len(q) - 1)):
            exits = logsumexp(q, axis=1)
            n = int(np.argmax(exits))
            keep = np.flatnonzero(np.arange(len(q)) != n)
            into, out_of = (q[keep, n] - exits[n])[:, None], (q[n, keep] - exits[n])[None, :]
            # The eliminated state passes on what enters it in proportion to its exits, and so its mass.
            held = np.logaddexp(into + out_of + mass[n, n], into + mass[n, keep])
            held = np.logaddexp(held, mass[keep, n][:, None] + out_of)
            mass = np.logaddexp(mass[np.ix_(keep, keep)], held)
            q = np.logaddexp(q[np.ix_(keep, keep)], into + q[n, keep])
            np.fill_diagonal(q, -np.inf)
    return np.sort(np.array(out))
