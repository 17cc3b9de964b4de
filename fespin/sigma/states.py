"""States of a driven macrospin: where they are, how long they last, how the direction precesses about them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ..energy.on_sphere import Array, linearized
from ..macrospin.landscape import survey
from ..macrospin.spin import PROBES, Macrospin
from ..macrospin.torque import Torque
from .dimensionless import DimensionlessDrift
from .escape import stable_point, stable_points
from .fokker_planck import FokkerPlanck

type Maker = Callable[[MPI.Intracomm, Macrospin, Torque | None], FokkerPlanck]
"""Makes a solver on a communicator; default :class:`FokkerPlanck` with its own defaults."""

type Point = tuple[NDArray[np.bool_], Array, Array]


def unknown(states: Array) -> Point:
    """Return what :func:`dwell_at` returns where nothing is known."""
    k = len(states)
    return np.zeros(k, bool), np.full(k, np.nan), np.full(k, np.nan)


def wells_of(spin: Macrospin) -> Array:
    """Return the directions of the energy's wells (k, 3), the deepest first."""
    return np.array([w.direction for w in survey(spin).wells]).reshape(-1, 3)


def stable_states(reduced: DimensionlessDrift) -> tuple[Array, int]:
    """Return the stable directions, those in wells first, and how many these are.

    A torque may hold a direction where the energy is highest, or along its axis.
    """
    inside = stable_points(reduced)
    if not reduced.has_torque:
        return inside, len(inside)
    u = np.concatenate([PROBES, np.eye(3), -np.eye(3)])
    starts = [u[int(np.argmax(reduced.potential(u)))]]
    starts.append(-starts[0])
    if reduced.torque is not None and reduced.torque.axis is not None:
        axis = np.asarray(reduced.torque.axis, dtype=float)
        starts += [axis, -axis]
    others = [x for x in stable_points(reduced, np.array(starts)) if not (inside @ x > 1 - 1e-6).any()]
    return np.array([*inside, *others]).reshape(-1, 3), len(inside)


def dwell_at(make: Maker, spin: Macrospin, torque: Torque | None, states: Array) -> Point:
    """Return which states are stable, for how long (s) and with which share of the time."""
    stable, points, inside = stable_wells(states, DimensionlessDrift(spin, torque))
    times, shares = np.full(len(states), np.nan), np.zeros(len(states))
    if len(points) == 1:
        times[stable], shares[stable] = np.inf, 1.0
    elif inside == len(points) and inside:
        found = make(MPI.COMM_SELF, spin, torque).escape()
        for u, t, p in zip(found.states, found.dwell_times, found.populations, strict=True):
            k = nearest(states, u)
            # Two states may belong to one well of the energy without the swept field.
            times[k], shares[k] = np.fmax(t, times[k]), shares[k] + p
    return stable, times, shares


def stable_wells(states: Array, reduced: DimensionlessDrift) -> tuple[NDArray[np.bool_], Array, int]:
    """Return which states are stable (k,), the stable directions and how many of these are in wells."""
    points, inside = stable_states(reduced)
    stable = np.zeros(len(states), bool)
    for u in points:
        stable[nearest(states, u)] = True
    return stable, points, inside


def nearest(states: Array, u: Array) -> int:
    """Return the number of the state that a direction is nearest to."""
    return int(np.argmax(states @ u))


def state_near(spin: Macrospin, torque: Torque | None, e: Array) -> Array | None:
    """Return the stable direction that belongs to the well nearest to e, or to e itself; None if there is none."""
    near = max((w.direction for w in survey(spin).wells), key=lambda u: float(u @ e), default=e)
    reduced = DimensionlessDrift(spin, torque)
    found = stable_point(reduced, near) if near @ e > 0 else None
    return stable_point(reduced, e) if found is None else found


def linear_mode(spin: Macrospin, torque: Torque | None, u: Array) -> complex:
    """Return the half width (1/s) and, as imaginary part, the angular frequency (rad/s) of small motions about a state.

    Of the linearized equation of motion, without temperature; the imaginary part is zero if it is overdamped.

    Parameters
    ----------
    u
        A stable direction (3,).
    """
    growth = spin.diffusion * np.linalg.eigvals(linearized(DimensionlessDrift(spin, torque).velocity, u))
    # Of real ones the slower decides.
    slow = growth[int(np.argmax(growth.real))]
    return complex(-slow.real, abs(slow.imag))


def resonance_at(make: Maker, spin: Macrospin, torque: Torque | None, e: Array) -> list[float]:
    """Return the state near a direction (3,), and frequency and full width (Hz) of linear motion and of the density."""
    u = state_near(spin, torque, e)
    if u is None:
        return [np.nan] * 7
    linear = linear_mode(spin, torque, u)
    if not linear.imag:  # overdamped
        return [*u, 0.0, np.nan, np.nan, np.nan]
    frequency, width = linear.imag / (2 * np.pi), linear.real / np.pi
    fp = make(MPI.COMM_SELF, spin, torque)
    found = fp.modes_near(linear, 2).eigenvalues
    thermal = complex(found[np.argmin(np.abs(found - linear))])
    return [*u, frequency, width, thermal.imag / (2 * np.pi), thermal.real / np.pi]
