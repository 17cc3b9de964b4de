"""Micromagnetics by finite differences on equal bricks, with NumPy alone: Newell's tensor, FFT, explicit Runge-Kutta.

Nothing here is shared with the package. The magnetization is constant in each brick; the dipolar field is the exact
mean over a brick of that of all the others (A. J. Newell, W. Williams, D. J. Dunlop, J. Geophys. Res. 98, 9551
(1993)); exchange is the stencil of nearest neighbours, whose normal derivative vanishes at the surface. The equation of
motion is that of Gilbert with the torques of Zhang and Li, solved for dm/dt, and its steps are those of Dormand and
Prince with control of their error.
"""

from __future__ import annotations

import itertools

import numpy as np
from scipy import fft

MU0 = 4e-7 * np.pi


def _ratio(a, b):
    """Return a/b, 0 where b is 0."""
    return np.divide(a, b, out=np.zeros(np.broadcast(a, b).shape), where=b != 0)


def newell_f(x, y, z):
    """Return Newell's f: its second differences along all axes give N_xx of two bricks."""
    x, y, z = abs(x), abs(y), abs(z)
    r = np.sqrt(x * x + y * y + z * z)
    return (
        y / 2 * (z * z - x * x) * np.arcsinh(_ratio(y, np.sqrt(x * x + z * z)))
        + z / 2 * (y * y - x * x) * np.arcsinh(_ratio(z, np.sqrt(x * x + y * y)))
        - x * y * z * np.arctan(_ratio(y * z, x * r))
        + (2 * x * x - y * y - z * z) * r / 6
    )


def newell_g(x, y, z):
    """Return Newell's g, of N_xy."""
    z = abs(z)
    r = np.sqrt(x * x + y * y + z * z)
    return (
        x * y * z * np.arcsinh(_ratio(z, np.sqrt(x * x + y * y)))
        + y / 6 * (3 * z * z - y * y) * np.arcsinh(_ratio(x, np.sqrt(y * y + z * z)))
        + x / 6 * (3 * z * z - x * x) * np.arcsinh(_ratio(y, np.sqrt(x * x + z * z)))
        - z**3 / 6 * np.arctan(_ratio(x * y, z * r))
        - z * y * y / 2 * np.arctan(_ratio(x * z, y * r))
        - z * x * x / 2 * np.arctan(_ratio(y * z, x * r))
        - x * y * r / 3
    )


class Film:
    """A box of equal bricks.

    Parameters
    ----------
    counts
        Bricks along x, y, z.
    size
        Edges of a brick (m).
    ms, exchange, gamma, damping
        Ms (A/m), A (J/m), gamma (rad/(s T)), alpha.
    """

    def __init__(self, counts, size, ms, exchange, gamma, damping):
        self.counts, self.size = tuple(counts), np.array(size, dtype=float)
        self.ms, self.gamma, self.damping = ms, gamma, damping
        self.stiffness = 2 * exchange / ms
        self.padded = tuple(fft.next_fast_len(2 * k, real=True) if k > 1 else 1 for k in counts)
        axes = [np.arange(-k, k + 1) * h for k, h in zip(counts, size, strict=True)]
        x, y, z = np.meshgrid(*axes, indexing="ij")
        self.kernel = {}
        for key, (of, args) in {
            "00": (newell_f, (x, y, z)),
            "11": (newell_f, (y, x, z)),
            "22": (newell_f, (z, y, x)),
            "01": (newell_g, (x, y, z)),
            "02": (newell_g, (x, z, y)),
            "12": (newell_g, (y, z, x)),
        }.items():
            table = of(*args) / (4 * np.pi * np.prod(size))
            for axis in range(3):
                table = np.diff(table, 2, axis=axis)
            whole = np.zeros(self.padded)
            places = [np.arange(1 - k, k) % n for k, n in zip(counts, self.padded, strict=True)]
            whole[np.ix_(*places)] = -table
            self.kernel[key] = fft.rfftn(whole)
        self.evaluations = 0

    def centres(self):
        """Return the middles of the bricks (nx, ny, nz, 3), with the middle of the box at 0."""
        axes = [(np.arange(k) - (k - 1) / 2) * h for k, h in zip(self.counts, self.size, strict=True)]
        return np.stack(np.meshgrid(*axes, indexing="ij"), -1)

    def dipolar(self, m):
        """Return the dipolar field (T) of m (nx, ny, nz, 3)."""
        f = [fft.rfftn(m[..., k], s=self.padded) for k in range(3)]
        out = np.empty_like(m)
        cut = tuple(slice(k) for k in self.counts)
        for i in range(3):
            h = sum(self.kernel["".join(sorted(f"{i}{j}"))] * f[j] for j in range(3))
            out[..., i] = -MU0 * self.ms * fft.irfftn(h, s=self.padded)[cut]
        return out

    def bent(self, m):
        """Return the field of exchange (T)."""
        out = np.zeros_like(m)
        for axis, (k, h) in enumerate(zip(self.counts, self.size, strict=True)):
            if k > 1:
                step = np.diff(m, axis=axis) * (self.stiffness / h**2)
                low, high = [slice(None)] * 4, [slice(None)] * 4
                low[axis], high[axis] = slice(None, -1), slice(1, None)
                out[tuple(low)] += step
                out[tuple(high)] -= step
        return out

    def along(self, m, drift):
        """Return (u.grad) m for u (m/s), by central differences."""
        out = np.zeros_like(m)
        for axis, u in enumerate(drift):
            if u:
                ends = [(1, 1) if k == axis else (0, 0) for k in range(4)]
                wide = np.pad(m, ends, mode="edge")
                n = m.shape[axis]
                ahead, behind = (np.take(wide, range(k, k + n), axis=axis) for k in (2, 0))
                out += u / (2 * self.size[axis]) * (ahead - behind)
        return out

    def rate(self, m, drift=(0, 0, 0), beta=0.0):
        """Return dm/dt (1/s)."""
        self.evaluations += 1
        field = self.bent(m) + self.dipolar(m)
        g = self.along(m, drift)
        turned = cross(m, beta * g - self.gamma * field) - g
        return (turned + self.damping * cross(m, turned)) / (1 + self.damping**2)

    def run(self, m, until, drift=(0, 0, 0), beta=0.0, tolerance=1e-5, stop=0.0):
        """Return times (n,), means (n, 3) and the last m; it ends early where |dm/dt| < stop (1/s) everywhere."""
        t, h = 0.0, 1e-14
        times, means = [0.0], [m.mean(axis=(0, 1, 2))]
        first = self.rate(m, drift, beta)
        while t < until:
            h = min(h, until - t)
            k = [first]
            for row in A[1:]:
                k.append(self.rate(m + h * sum(a * x for a, x in zip(row, k, strict=True) if a), drift, beta))
            new = m + h * sum(b * x for b, x in zip(B, k, strict=False) if b)
            new /= np.sqrt((new * new).sum(axis=-1, keepdims=True))
            last = self.rate(new, drift, beta)
            error = h * np.abs(sum(e * x for e, x in zip(E, [*k, last], strict=True))).max()
            if error <= tolerance:
                t, m, first = t + h, new, last
                times.append(t)
                means.append(m.mean(axis=(0, 1, 2)))
                if np.sqrt((first * first).sum(axis=-1)).max() < stop:
                    break
            h *= min(2.0, max(0.3, 0.9 * (tolerance / max(error, 1e-300)) ** 0.2))
        return np.array(times), np.array(means), m


def cross(a, b):
    """Return a x b along the last axis."""
    out = np.empty_like(a)
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        out[..., i] = a[..., j] * b[..., k] - a[..., k] * b[..., j]
    return out


# J. R. Dormand, P. J. Prince, J. Comp. Appl. Math. 6, 19 (1980).
A = [
    [],
    [1 / 5],
    [3 / 40, 9 / 40],
    [44 / 45, -56 / 15, 32 / 9],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
]
B = [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84]
E = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40]


def brick_sums(counts, size, direction):
    """Return the mean field per M of a uniformly magnetized box, by direct sums over pairs of dipoles: a slow check."""
    places = np.array(list(itertools.product(*(range(k) for k in counts)))) * np.asarray(size)
    d = places[:, None] - places
    r = np.sqrt((d * d).sum(-1))
    np.fill_diagonal(r, np.inf)
    v = np.prod(size) / (4 * np.pi)
    along = np.asarray(direction, dtype=float)
    return (v * (3 * (d @ along)[..., None] * d / r[..., None] ** 5 - along / r[..., None] ** 3)).sum(1).mean(0)
