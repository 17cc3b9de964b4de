"""Real spherical harmonics on the unit sphere and their gradients, as polynomials of u: smooth at the poles.

They are orthonormal, without the Condon-Shortley phase: the integral of Y_lm^2 over the sphere is one::

    Y_lm = N_lm P_l^(m)(u_z) Re (u_x + i u_y)^m            m >= 0
    Y_lm = N_l|m| P_l^(|m|)(u_z) Im (u_x + i u_y)^|m|      m < 0

with P_l^(m) the m-th derivative of Legendre's polynomial, and N_lm^2 = (2l+1)/(4 pi) (l-m)!/(l+m)!, twice that for
m > 0. Y_1,-1, Y_1,0 and Y_1,1 are sqrt(3/(4 pi)) times u_y, u_z and u_x. Y_lm has the place l^2 + l + m.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]
type Integers = NDArray[np.int64]

# Numbers at a time in the largest table: bounds the memory of an evaluation.
_CHUNK = 300_000
_GOLDEN = 1.32471795724474602596  # root of x^3 = x + 1, which is in two dimensions what the golden ratio is in one


def orders(degree: int) -> tuple[Integers, Integers]:
    """Return l and m of every harmonic up to a degree, ((degree + 1)^2,) each."""
    l = np.repeat(np.arange(degree + 1), 2 * np.arange(degree + 1) + 1)  # noqa: E741  its name in every text
    return l, np.arange((degree + 1) ** 2) - l * l - l


def sizes(degree: int) -> Array:
    """Return the norm sqrt(l (l + 1)) of the gradient of every harmonic but the constant, ((degree + 1)^2 - 1,)."""
    l = orders(degree)[0][1:]  # noqa: E741
    return np.asarray(np.sqrt(l * (l + 1.0)))


def harmonics(u: Array, degree: int) -> tuple[Array, Array]:
    """Return all harmonics up to a degree and their gradients along the sphere.

    Parameters
    ----------
    u
        Unit vectors (n, 3).

    Returns
    -------
    array, array
        Y (n, (degree + 1)^2) and its gradient (n, (degree + 1)^2, 3), perpendicular to u.
    """
    l, m, size, slope, _ = _constants(degree)  # noqa: E741
    table = _legendre(u[:, 2], degree)
    power = (u[:, :1] + 1j * u[:, 1:2]) ** np.arange(degree + 1)
    # Derivative of (u_x + i u_y)^m by u_x; that by u_y is i times as large.
    change = np.zeros_like(power)
    change[:, 1:] = np.arange(1, degree + 1) * power[:, :-1]
    along_z, around = size * table[:, l, np.abs(m)], _parts(power)[:, m]
    out = np.empty((len(u), len(l), 3))
    out[..., 0] = along_z * _parts(change)[:, m]
    out[..., 1] = along_z * _parts(1j * change)[:, m]
    # The derivative of P_l^(m) is P_l^(m+1).
    out[..., 2] = slope * table[:, l, np.abs(m) + 1] * around
    out -= np.einsum("nki,ni->nk", out, u)[..., None] * u[:, None]
    return along_z * around, out


def expansion(coefficients: Array, u: Array) -> tuple[Array, Array]:
    """Return sums of harmonics and their gradients along the sphere: (n,) and (n, 3), or (k, n) and (k, n, 3).

    Parameters
    ----------
    coefficients
        Coefficients in the order of the harmonics, of one or several sums: ((degree + 1)^2,) or (k, (degree +
        1)^2).
    u
        Unit vectors (n, 3).
    """
    several = np.atleast_2d(coefficients)
    degree, step = math.isqrt(several.shape[1]) - 1, max(1, _CHUNK // several.shape[1])
    values, gradient = np.empty((len(several), len(u))), np.empty((len(several), len(u), 3))
    for start in range(0, len(u), step):
        here = slice(start, start + step)
        y, slope = harmonics(u[here], degree)
        values[:, here] = several @ y.T
        gradient[:, here] = np.tensordot(several, slope, axes=(1, 1))
    return (values, gradient) if coefficients.ndim > 1 else (values[0], gradient[0])


def quadrature(degree: int) -> tuple[Array, Array]:
    """Return points (n, 3) and weights (n,) on the sphere that integrate harmonics up to a degree exactly.

    Gauss's points along z times evenly spaced angles.
    """
    height, weight = np.polynomial.legendre.leggauss(degree // 2 + 1)
    count = degree + 1
    angle = np.tile(2 * np.pi * np.arange(count) / count, len(height))
    return _points(np.repeat(height, count), angle), np.repeat(weight * 2 * np.pi / count, count)


def even_directions(start: int, stop: int) -> Array:
    """Return members of a sequence of directions of which any first n fill the sphere evenly, (n, 3).

    The sphere is a square of equal areas, in which both coordinates advance by irrational parts of its edge.
    """
    i = np.arange(start, stop)
    return _points(1 - 2 * ((0.5 + i / _GOLDEN) % 1), 2 * np.pi * ((0.5 + i / _GOLDEN**2) % 1))


def _points(z: Array, angle: Array) -> Array:
    s = np.sqrt(1 - z * z)
    return np.stack([s * np.cos(angle), s * np.sin(angle), z], axis=-1)


def _parts(power: Array) -> Array:
    """Return a table with the real part of power m at the place m, and its imaginary part at the place -m."""
    return np.concatenate([power.real, power.imag[:, :0:-1]], axis=1)


@cache
def _constants(degree: int) -> tuple[Integers, Integers, Array, Array, list[tuple[Array, Array]]]:
    """Return l, m, factors of the table for values and for slopes along z, and the recurrence's coefficients."""
    l, m = orders(degree)  # noqa: E741
    size = np.where(m == 0, 1.0, math.sqrt(2.0))
    # N_lm over N_l,m+1, both without the factor for m > 0.
    slope = size * np.sqrt((l - np.abs(m)) * (l + np.abs(m) + 1.0))
    steps = []
    for k in range(1, degree + 1):
        n = np.arange(k)
        over = k * k - n * n
        b = (2 * k + 1) * ((k - 1) ** 2 - n * n) / ((2 * k - 3) * over) if k > 1 else np.zeros(1)
        steps.append((np.sqrt((4 * k * k - 1) / over), np.sqrt(b)))
    return l, m, size, slope, steps


def _legendre(z: Array, degree: int) -> Array:
    """Return N_lm P_l^(m)(z), (n, degree + 1, degree + 2) for l and m, zero for m > l; N without the factor for m > 0.

    For a fixed m the recurrence goes up in l, which is stable.
    """
    out = np.zeros((len(z), degree + 1, degree + 2))
    out[:, 0, 0] = math.sqrt(1 / (4 * math.pi))
    for k, (a, b) in enumerate(_constants(degree)[-1], 1):
        out[:, k, :k] = a * z[:, None] * out[:, k - 1, :k]
        if k > 1:
            out[:, k, :k] -= b * out[:, k - 2, :k]
        out[:, k, k] = math.sqrt((2 * k + 1) / (2 * k)) * out[:, k - 1, k - 1]
    return out
