"""Rational functions of a cosine with one denominator, through few solves.

At fixed voltages everything that a device answers is Cramer's rule on one matrix, whose entries are polynomials of the
free layer's direction: conductance, torques per voltage and pumping share the determinant. Functions of c = u.p then
are ratios of polynomials of second degree, known from four angles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.polynomial.chebyshev import chebval, chebvander
from numpy.typing import NDArray

from ..macrospin.torque import chebyshev_coefficients

type Array = NDArray[np.float64]

DEGREE = 2
"""Degree of all numerators and of the denominator. With more, poles appear where there are none."""


@dataclass(frozen=True)
class Ratios:
    """Functions of c in [-1, 1] with one denominator, as Chebyshev series.

    Attributes
    ----------
    numerators
        Coefficients, (3, functions).
    denominator
        Coefficients, up to (3,); the first is 1.
    misfit
        Largest deviation at the points of the fit, relative to each function's largest value there.
    """

    numerators: Array
    denominator: Array
    misfit: float

    def __call__(self, c: Array) -> Array:
        """Return the functions at points (n,), (n, functions)."""
        return np.asarray((chebvander(c, DEGREE) @ self.numerators) / chebval(c, self.denominator)[:, None])

    @property
    def has_poles(self) -> bool:
        """True if the denominator vanishes between -1 and 1, or nearly."""
        along = chebval(np.linspace(-1, 1, 401), self.denominator)
        return not bool((along > 1e-4 * np.abs(along).max()).all())


def common_denominator(c: Array, values: Array) -> Ratios | None:
    """Return the functions through values (n, functions) at four or more points (n,).

    The denominator's degree is 2, or less where that makes poles between -1 and 1, as where nothing depends on c.
    None if no degree will do.

    Examples
    --------
    >>> c = np.array([-0.9, -0.3, 0.4, 0.8])
    >>> values = np.stack([1 + c, 2 - c**2], axis=1) / (3 + c)[:, None]
    >>> found = common_denominator(c, values)
    >>> print(f"{found(np.array([0.0]))[0, 1]:.6f}")
    0.666667
    """
    size = np.abs(values).max(axis=0)
    size[size == 0] = 1.0
    for degree in range(DEGREE, -1, -1):
        found = _fit(c, values / size, degree)
        if found is not None and not found.has_poles:
            return Ratios(found.numerators * size, found.denominator, found.misfit)
    return None


def _fit(c: Array, values: Array, degree: int) -> Ratios | None:
    """Return the best functions with a denominator of some degree; None if it has no constant part."""
    above, below = chebvander(c, DEGREE), chebvander(c, degree)
    weights, q = np.ones(len(c)), np.eye(degree + 1)[0]
    # Weighted by the denominator of the last round: the error of the functions, not of the linear equations.
    for _ in range(3 if degree else 0):
        # Numerators are eliminated: what is left of each function times the denominator must be orthogonal to them.
        beyond = np.linalg.qr(above * weights[:, None], mode="complete")[0][:, DEGREE + 1 :]
        equations = np.concatenate([beyond.T @ ((weights * f)[:, None] * below) for f in values.T])
        q = np.linalg.svd(equations)[2][-1]
        if abs(q[0]) < 1e-8:
            return None
        q = q / q[0]
        with np.errstate(divide="ignore"):
            weights = 1 / np.abs(below @ q)
        if not np.isfinite(weights).all():
            return None
    right = (weights * (below @ q))[:, None] * values
    p = np.linalg.lstsq(above * weights[:, None], right, rcond=None)[0]
    misfit = np.abs((above @ p) / (below @ q)[:, None] - values).max()
    return Ratios(p, q, float(misfit))


def series(function: Callable[[Array], Array], sizes: Array, floor: float) -> tuple[list[Chebyshev], float]:
    """Return Chebyshev series of functions without poles, cut where what follows is below `floor` times their sizes.

    Parameters
    ----------
    function
        Takes points (n,), returns values (n, functions).

    Returns
    -------
    list, float
        The series, and the largest part that was cut relative to the sizes.
    """
    for n in (32, 64, 128, 256):
        nodes = np.cos(np.pi * (np.arange(n) + 0.5) / n)
        coefficients = np.array([chebyshev_coefficients(x) for x in function(nodes).T]) / sizes[:, None]
        # What is cut from each place on.
        rest = np.cumsum(np.abs(coefficients[:, ::-1]), axis=1)[:, ::-1]
        if rest[:, n // 2 :].max() <= floor:
            break
    keep = np.maximum((rest > floor).sum(axis=1), 1)
    cut = max(float(rest[k, n_k]) if n_k < rest.shape[1] else 0.0 for k, n_k in enumerate(keep))
    return [Chebyshev(x[:k] * s) for x, k, s in zip(coefficients, keep, sizes, strict=True)], cut
