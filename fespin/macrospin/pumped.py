"""Motion of a macrospin with pumped damping in thermal noise: tables for the steps of many trajectories.

The thermal field h has <h h> = 2 kT/(gamma Ms v) (alpha + A)_s, so its strength depends on the direction. With
Stratonovich's noise b_k (per unit of white noise) a velocity has to be added,

    (1/2) sum_k b_k div b_k - D u x grad r,

to make the current of the probability what thermodynamics says: -(D/kT) rho (K - r [u x]) grad mu.
"""

from __future__ import annotations

import math

import numpy as np

from ..energy.on_sphere import Array, tangent_frame
from ..errors import InputError
from .damping import response, root
from .spin import Macrospin
from .torque import Torque

_POINTS = 4001
_STEP = 1e-4


class PumpedRates:
    """The velocity of trajectories, from tables against c = u.p.

    Parameters
    ----------
    spin
        Macrospin with pumping that is symmetric about an axis p.
    torque
        Spin torque, of the same axis if tables are to hold it.

    Attributes
    ----------
    noise
        Standard deviation of the integral of white noise h over a time is this times its square root (T s^1/2),
        before the root of the damping.

    Raises
    ------
    InputError
        If the pumping is not symmetric about an axis.
    """

    def __init__(self, spin: Macrospin, torque: Torque | None) -> None:
        assert spin.pumping is not None
        if spin.pumping.axis is None:
            raise InputError("langevin: the pumped damping must be symmetric about an axis")
        self.spin, self.torque = spin, torque
        self.noise = math.sqrt(2 * spin.thermal_energy / (spin.gyromagnetic_ratio * spin.moment))
        p = np.asarray(spin.pumping.axis, dtype=float)
        self._p = p[:, None]
        # The outermost points lie just inside the poles, where the plane of u and p is lost; all is smooth there.
        self._c = np.linspace(-1, 1, _POINTS)
        c = np.clip(self._c, -1 + 1e-7, 1 - 1e-7)
        s = np.sqrt(1 - c * c)
        u = c[:, None] * p + s[:, None] * tangent_frame(p[None])[0, 0]
        in_plane, normal = (p - c[:, None] * u) / s[:, None], np.cross(u, p) / s[:, None]

        def split(x: Array) -> tuple[Array, Array]:
            return np.sum(x * in_plane, axis=1) / s, np.sum(x * normal, axis=1) / s

        def entries(m: Array) -> tuple[Array, Array, Array]:
            pairs = (in_plane, in_plane), (normal, normal), (normal, in_plane)
            t, n, e = (np.einsum("ni,nij,nj->n", x, m, y) for x, y in pairs)
            return n, (t - n) / s**2, e

        w = response(spin.pumping, spin.damping, u)
        # W = a (1 - u u) + b q q + e [u x] with q = p - c u, and the same for the root, which has no e.
        response_table = [spin.gyromagnetic_ratio * x for x in entries(w)]
        root_table = entries(root(spin.pumping, spin.damping, u))[:2]
        drift_table = split(self._added(u))
        axis = None if torque is None else torque.axis
        self._tabled = axis is not None and abs(float(np.asarray(axis) @ p)) > 1 - 1e-12
        torque_table = split(torque.velocity(u, spin)) if torque is not None and self._tabled else ()
        # All tables, with their differences beside them, are in one array, because all are read at the same places.
        tables = np.column_stack([*root_table, *response_table, *drift_table, *torque_table])
        self._tables = np.hstack([tables[:-1], np.diff(tables, axis=0)])

    def _noise_fields(self, u: Array) -> Array:
        """Return b_k in columns (1/s^1/2), (n, 3, 3)."""
        spin = self.spin
        assert spin.pumping is not None
        scale = spin.gyromagnetic_ratio * self.noise
        return scale * response(spin.pumping, spin.damping, u) @ root(spin.pumping, spin.damping, u)

    def _added(self, u: Array) -> Array:
        """Return the added velocity (1/s), (n, 3)."""
        divergence, slope = np.zeros_like(u), np.zeros_like(u)
        for e in np.swapaxes(tangent_frame(u), 0, 1):
            ahead, behind = (np.cos(_STEP) * u + np.sin(x) * e for x in (_STEP, -_STEP))
            difference = self._noise_fields(ahead) - self._noise_fields(behind)
            divergence += np.einsum("ni,nik->nk", e, difference) / (2 * _STEP)
            swirl = self.spin.mobility(ahead)[1] - self.spin.mobility(behind)[1]
            slope += (swirl / (2 * _STEP))[:, None] * e
        along = np.einsum("nik,nk->ni", self._noise_fields(u), divergence) / 2
        return np.asarray(along - self.spin.diffusion * np.cross(u, slope))

    def rate(self, rows: Array, acting: Array, kick: Array, h: float, drive: float, out: Array) -> None:
        """Put w of du/dt = u x w, times a time, into out (3, n).

        Parameters
        ----------
        rows
            u in the first three rows.
        acting, kick
            Field times the time, and the integral of white noise (T s), (3, n).
        h, drive
            The time (s), and the drive times the time.
        """
        u = rows[:3]
        c = np.clip(self._p[:, 0] @ u, -1.0, 1.0)
        # With equal spacing, the place in the table follows from c directly.
        at = (c + 1) * ((_POINTS - 1) / 2)
        k = np.minimum(at.astype(np.intp), _POINTS - 2)
        at -= k
        low, rise = np.take(self._tables, k, axis=0).T.reshape(2, -1, len(k))
        a, b, w, across, e, along, around, *x = low + at * rise
        along *= h
        around *= h
        if x:
            along += drive * x[0]
            around += drive * x[1]
        # What points along u drops out of u x v, with v = W field + along q + around u x p and q = p - c u.
        p, q = self._p, self._p - c * u
        field = a * kick
        field += acting
        field += (b * _dot(q, kick)) * q
        through = _dot(u, field)
        across *= p[:, 0] @ field - c * through
        across += along
        np.multiply(e, field, out=out)
        out -= (e * through) * u
        out += around * q
        field *= w
        field += across * p
        out -= _cross(u, field)
        if drive and self.torque is not None and not self._tabled:
            out -= drive * _cross(u, self.torque.velocity(u.T, self.spin).T)


def _dot(a: Array, b: Array) -> Array:
    """Return the products of columns (3, n), (n,)."""
    return np.asarray(np.einsum("in,in->n", a, b))


def _cross(a: Array, b: Array) -> Array:
    """Return the cross products of columns (3, n)."""
    out = np.empty_like(a)
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        np.multiply(a[j], b[k], out=out[i])
        out[i] -= a[k] * b[j]
    return out
