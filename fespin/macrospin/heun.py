"""Steps of the Landau-Lifshitz-Gilbert equation with thermal noise."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ..energy.on_sphere import Array
from ..errors import SolverError
from .llg import Motion
from .pumped import PumpedRates
from .spin import PROBES, Macrospin
from .torque import SpinTorque, Torque


def linear_field(spin: Macrospin) -> tuple[Array, Array] | None:
    """Return A (3, 3) and b (3, 1) if the effective field is A u + b (T), up to a part along u; None if not."""
    basis = np.column_stack([PROBES, np.ones(len(PROBES))])
    with np.errstate(all="ignore"):
        slope = spin.reduced_energy.ambient_gradient(PROBES)
    if not np.isfinite(slope).all():
        return None
    fit: Array = np.asarray(np.linalg.lstsq(basis, slope, rcond=None)[0], dtype=np.float64)
    if np.abs(basis @ fit - slope).max() > 1e-12 * np.abs(slope).max(initial=1e-300):
        return None
    fit[np.abs(fit) < 1e-13 * np.abs(fit).max()] = 0.0
    fit *= -spin.thermal_energy / spin.moment
    return np.ascontiguousarray(fit[:3].T), fit[3][:, None].copy()


class Heun:
    """Trajectories of one block.

    The equation is du/dt = u x w(u, t), with the thermal field in w. A step turns u by the mean of w at
    its start and at its predicted end (Heun's rule, so the noise is Stratonovich's), by a rational
    rotation: u stays a unit vector, and free precession neither gains nor loses amplitude.

    Parameters
    ----------
    u
        Directions at the start (n, 3).
    """

    def __init__(self, motion: Motion, u: Array) -> None:
        self.motion = motion
        spin = motion.spin
        self._gamma = spin.gyromagnetic_ratio / (1 + spin.damping**2)
        # Standard deviation of the thermal field's integral over a time is this times its square root.
        self._noise = math.sqrt(2 * spin.damping * spin.thermal_energy / (spin.gyromagnetic_ratio * spin.moment))
        self._affine = linear_field(spin)
        self._pumped = _tables_of(motion)
        if self._pumped is not None:
            self._gamma, self._noise = 1.0, self._pumped.noise
        self._along: Array = np.zeros((3, 1))
        self._around: Array = np.zeros((3, 1))
        self._general: Torque | None = motion.torque
        self._angular: Callable[[Array], Array] | None = None
        if isinstance(motion.torque, SpinTorque):
            self._polarizer = np.array(motion.torque.polarizer)[:, None]
            along, around = motion.torque.coefficients(spin)
            self._along, self._around, self._general = along * self._polarizer, around * self._polarizer, None
            self._angular = motion.torque.angular
        self._allocate(u)

    def _allocate(self, u: Array) -> None:
        # Components are rows; two more rows repeat the first two, which makes cross products cheap.
        self._u, self._v, self._s, self._a = (np.empty((5, len(u))) for _ in range(4))
        self._first, self._mean, self._c, self._d, self._kick = (np.empty((3, len(u))) for _ in range(5))
        self._square, self._stretch = np.empty(len(u)), np.empty(len(u))
        self._u[:3] = u.T
        self._u[3:] = self._u[:2]

    @property
    def directions(self) -> Array:
        """Return u (n, 3), a copy."""
        return self._u[:3].T.copy()

    def keep(self, alive: NDArray[np.bool_]) -> None:
        """Drop all trajectories but those that the mask marks (n,)."""
        self._allocate(self._u[:3, alive].T)

    def advance(self, random: Generator, start: float, step: float, steps: int) -> None:
        """Take steps of equal length (s) from a time (s) on."""
        ends = self._inputs(start, step)
        for k in range(steps):
            begins, ends = ends, self._inputs(start + (k + 1) * step, step)
            random.standard_normal(out=self._kick)
            self._kick *= self._gamma * self._noise * math.sqrt(step) / 2
            self._rate(self._u, begins, self._first)
            self._s[:3] = self._first
            self._turn(self._v)
            self._rate(self._v, ends, self._mean)
            self._mean += self._first
            np.multiply(self._mean, 0.5, out=self._s[:3])
            self._turn(self._u)
        self._u[:3] /= np.sqrt(np.sum(self._u[:3] ** 2, axis=0))
        self._u[3:] = self._u[:2]
        if not np.isfinite(self._u).all():
            raise SolverError(f"LLG: a direction is not a number at t = {start + steps * step:.6g} s")

    def _inputs(self, t: float, step: float) -> tuple[Any, Any, Any, float, float]:
        """Return the field's and the torque's parts of w, the torque's of what u is crossed with, all times step/2."""
        motion, h = self.motion, step / 2
        drive = motion.drive_at(t) if motion.torque is not None else 0.0
        field = motion.field_at(t)[:, None]
        if self._affine is not None:
            field = field + self._affine[1]
        if self._pumped is not None:
            return h * field, 0.0, 0.0, h, h * drive
        alpha = motion.spin.damping
        return (
            -h * self._gamma * field,
            h * drive * self._around,
            -h * drive * (self._along + alpha * self._around),
            h,
            h * drive,
        )

    def _rate(self, u: Array, inputs: tuple[Any, Any, Any, float, float], out: Array) -> None:
        """Put w(u) step/2 into out (3, n)."""
        constant, turned, crossed, h, drive = inputs
        spin = self.motion.spin
        if self._pumped is not None:
            if self._affine is not None:
                acting = h * (self._affine[0] @ u[:3]) + constant
            else:
                slope = spin.reduced_energy.ambient_gradient(u[:3].T).T
                acting = constant - (h * spin.thermal_energy / spin.moment) * slope
            self._pumped.rate(u, acting, self._kick, h, drive, out)
            return
        if self._affine is not None:
            np.matmul((-h * self._gamma) * self._affine[0], u[:3], out=out)
        else:
            slope = spin.reduced_energy.ambient_gradient(u[:3].T).T
            np.multiply(slope, h * self._gamma * spin.thermal_energy / spin.moment, out=out)
        if self._angular is not None:
            cosine = np.clip((self._polarizer * u[:3]).sum(axis=0), -1.0, 1.0)
            f = np.broadcast_to(self._angular(cosine), cosine.shape)
            turned, crossed = turned * f, crossed * f
        out += constant
        out += self._kick
        if drive:
            out += turned
        np.multiply(out, spin.damping, out=self._a[:3])
        if drive:
            self._a[:3] += crossed
        if drive and self._general is not None:
            # X = u x (X x u), as X is tangential.
            self._a[:3] -= drive * self._general.velocity(u[:3].T, spin).T
        self._a[3:] = self._a[:2]
        self._cross(u, self._a, self._c)
        out += self._c

    def _turn(self, out: Array) -> None:
        """Put u, turned by the angle 2|s|, into out (5, n): out - u = (out + u) x s', s' along s."""
        u, s, d = self._u, self._s, self._a
        np.einsum("in,in->n", s[:3], s[:3], out=self._square)
        # The length of s' is tan|s|, up to errors of a higher order than |s|^3.
        np.multiply(self._square, 1 / 3, out=self._stretch)
        self._stretch += 1
        s[:3] *= self._stretch
        self._stretch *= self._stretch
        self._square *= self._stretch
        s[3:] = s[:2]
        self._cross(u, s, self._c)
        np.add(u[:3], self._c, out=d[:3])
        d[3:] = d[:2]
        self._cross(d, s, self._c)
        self._square += 1
        np.divide(2, self._square, out=self._square)
        self._c *= self._square
        np.add(u[:3], self._c, out=out[:3])
        out[3:] = out[:2]

    def _cross(self, a: Array, b: Array, out: Array) -> None:
        np.multiply(a[1:4], b[2:5], out=out)
        np.multiply(a[2:5], b[1:4], out=self._d)
        out -= self._d


def _tables_of(motion: Motion) -> PumpedRates | None:
    """Return the tables of a motion with pumped damping, None without; made once for all blocks of trajectories."""
    if motion.spin.pumping is None:
        return None
    known: PumpedRates | None = motion.__dict__.get("_pumped")
    if known is None:
        known = PumpedRates(motion.spin, motion.torque)
        motion.__dict__["_pumped"] = known  # as cached properties do
    return known
