"""Demagnetizing factors of uniformly magnetized bodies: ellipsoid, elliptic cylinder, rectangular prism.

The field of a body with the magnetization M (A/m), averaged over its volume, is
<H_i> = -N_i M_i along its principal axes; the energy is mu_0/2 V sum_i N_i M_i^2. These are the
magnetometric factors at zero susceptibility. Only ratios of lengths matter. The three factors of a body
are positive and add up to 1; each is accurate to about 1e-14 of itself, however small it is.
"""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError, one_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

type Factors = tuple[float, float, float]

LARGEST_RATIO = 1e9
"""Longest over shortest length: beyond it, one of them is in other units."""

_NEGLIGIBLE = 38.0  # exp(-38) is 3e-17
_SERIES_FROM = 8.0  # thickness over radius from which the series of a long cylinder is summed
_TERMS = 16  # of that series: (4/8^2)^16 is 5e-20
_TRANSFORMATIONS = 5  # of the modulus k, from 0.24 to 1 within rounding


def ellipsoid_factors(a: float, b: float, c: float) -> Factors:
    """Return the demagnetizing factors of an ellipsoid along its axes.

    Parameters
    ----------
    a, b, c
        Semi-axes along x, y, z (m), in any order of size.

    Returns
    -------
    tuple of float
        N_x, N_y, N_z.

    Raises
    ------
    InputError
        If a semi-axis is not a positive finite number, or one is more than 1e9 times another.

    Notes
    -----
    N_x = (abc/2) int_0^inf ds / ((s + a^2) sqrt((s + a^2)(s + b^2)(s + c^2))) = (abc/3) R_D(b^2, c^2, a^2),
    with Carlson's symmetric integral of the second kind, which needs no case for equal axes. Inside an
    ellipsoid the field is uniform, so these factors hold at every point.

    References
    ----------
    J. A. Osborn, Phys. Rev. 67, 351 (1945); E. C. Stoner, Phil. Mag. 36, 803 (1945);
    B. C. Carlson, Numer. Algorithms 10, 13 (1995).

    Examples
    --------
    >>> "{0:.6f} {1:.6f} {2:.6f}".format(*fs.ellipsoid_factors(1e-9, 1e-9, 1e-9))
    '0.333333 0.333333 0.333333'
    """
    from scipy.special import elliprd

    a, b, c = _relative("ellipsoid", a=a, b=b, c=c)
    volume = a * b * c / 3
    x, y, z = a * a, b * b, c * c
    return (volume * float(elliprd(y, z, x)), volume * float(elliprd(z, x, y)), volume * float(elliprd(x, y, z)))


def elliptic_cylinder_factors(a: float, b: float, thickness: float) -> Factors:
    """Return the magnetometric demagnetizing factors of a right elliptic cylinder.

    Parameters
    ----------
    a, b
        Semi-axes of the cross-section along x and y (m), in any order of size.
    thickness
        Height along z (m), from face to face.

    Returns
    -------
    tuple of float
        N_x, N_y, N_z.

    Raises
    ------
    InputError
        If a length is not a positive finite number, or one is more than 1e9 times another.

    Notes
    -----
    The shape amplitude is D(k) = V 2 J_1(q)/q sinc(k_z t/2) with q = sqrt(a^2 k_x^2 + b^2 k_y^2), and
    N_i = int |D|^2 k_i^2/k^2 d^3k / (8 pi^3 V). The integral over k_z is elementary. With
    (a k_x, b k_y) = q (cos phi, sin phi) and s^2 = cos^2(phi)/a^2 + sin^2(phi)/b^2, the one over q is that of
    a circular cylinder of the radius 1 and the thickness p = t s(phi),

        f(p) = 2 int_0^inf J_1(q)^2/q^2 (1 - exp(-p q))/p dq,

    so that, with averages over phi,

        N_z = <f(p)>,  N_x = <(1 - f(p)) cos^2(phi)/(a s)^2>,  N_y = <(1 - f(p)) sin^2(phi)/(b s)^2>.

    1 - f is Nagaoka's coefficient of a solenoid, which complete elliptic integrals give. The average is
    taken by the trapezoidal rule in ln tan(phi), where it converges geometrically for every b/a.

    References
    ----------
    M. Beleggia, M. De Graef, Y. T. Millev, D. A. Goode, G. Rowlands, J. Phys. D 38, 3333 (2005), for elliptic
    cylinders; R. I. Joseph, J. Appl. Phys. 37, 4639 (1966), and D.-X. Chen, J. A. Brug, R. B. Goldfarb,
    IEEE Trans. Magn. 27, 3601 (1991), for circular ones; H. Nagaoka, J. Coll. Sci. Imp. Univ. Tokyo 27(6), 1
    (1909), for 1 - f.

    Examples
    --------
    >>> "{0:.6f} {1:.6f} {2:.6f}".format(*fs.elliptic_cylinder_factors(50e-9, 50e-9, 100e-9))
    '0.344211 0.344211 0.311577'
    """
    a, b, t = _relative("elliptic cylinder", a=a, b=b, thickness=thickness)
    if a == b:
        solenoid, f = _circular_cylinder(np.array([t / a]))
        return (float(solenoid[0]) / 2, float(solenoid[0]) / 2, float(f[0]))
    # tan(phi) = exp(u): all singularities lie at Im u = +-pi/2 and beyond, so the rule errs by exp(-pi^2/step).
    step = 0.25
    reach = abs(math.log(b / a)) + _NEGLIGIBLE
    u = np.arange(-math.ceil(reach / step), math.ceil(reach / step) + 1) * step
    cosine, sine = 1 / np.hypot(1, np.exp(u)), 1 / np.hypot(1, np.exp(-u))
    weight = step * (2 / math.pi) * cosine * sine  # of d(phi) in the average over a quadrant
    s = np.hypot(cosine / a, sine / b)
    solenoid, f = _circular_cylinder(t * s)
    n_x = float(np.sum(weight * solenoid * (cosine / (a * s)) ** 2))
    n_y = float(np.sum(weight * solenoid * (sine / (b * s)) ** 2))
    return (n_x, n_y, float(np.sum(weight * f)))


def rectangular_prism_factors(lx: float, ly: float, lz: float) -> Factors:
    """Return the magnetometric demagnetizing factors of a rectangular prism.

    Parameters
    ----------
    lx, ly, lz
        Full edge lengths along x, y, z (m).

    Returns
    -------
    tuple of float
        N_x, N_y, N_z.

    Raises
    ------
    InputError
        If an edge is not a positive finite number, or one is more than 1e9 times another.

    Notes
    -----
    The value is that of Aharoni's closed form, whose terms cancel: for edges of 1, 1e-4, 1e-4 they exceed
    the result 1e8 times. So the integral behind it is taken instead, in a form of positive terms. With
    1/r = (2/sqrt(pi)) int_0^inf exp(-r^2 s^2) ds in the energy of the face charges, the directions separate:

        N_z = int_0^inf Phi(lx s) Phi(ly s) d Phi(lz s),  Phi(x) = erf(x) - (1 - exp(-x^2))/(x sqrt(pi)),

    and that the factors add up to 1 is the product rule. The integral is taken by the trapezoidal rule in
    ln s, where it converges geometrically for all edges.

    References
    ----------
    A. Aharoni, J. Appl. Phys. 83, 3432 (1998).

    Examples
    --------
    >>> "{0:.6f} {1:.6f} {2:.6f}".format(*fs.rectangular_prism_factors(1e-9, 1e-9, 1e-9))
    '0.333333 0.333333 0.333333'
    """
    from scipy.special import erf

    edges = np.array(_relative("rectangular prism", lx=lx, ly=ly, lz=lz))
    # Phi is bounded where |arg s| < pi/4, so the rule errs by exp(-pi^2/(2 step)). The integrand grows as
    # s^3 up to the inverse of the longest edge and falls as 1/s from that of the shortest.
    step = 0.125
    first, last = -math.log(edges.max()) - _NEGLIGIBLE / 2, -math.log(edges.min()) + _NEGLIGIBLE
    s = np.exp(np.arange(math.floor(first / step), math.ceil(last / step) + 1) * step)
    x = edges[:, None] * s
    filled = -np.expm1(-x * x) / (math.sqrt(math.pi) * x)  # also x dPhi/dx
    # Below x = 0.03, erf and filled are nearly equal: the power series of their difference.
    series = x / math.sqrt(math.pi) * (1 - x**2 / 6 + x**4 / 30 - x**6 / 168 + x**8 / 1080)
    phi = np.where(x < 0.03, series, erf(x) - filled)
    n_x, n_y, n_z = step * np.array(
        [np.sum(filled[0] * phi[1] * phi[2]), np.sum(phi[0] * filled[1] * phi[2]), np.sum(phi[0] * phi[1] * filled[2])]
    )
    return (float(n_x), float(n_y), float(n_z))


def _relative(owner: str, **lengths: float) -> Factors:
    """Return three lengths in units of the longest, or refuse them by name."""
    for key, value in lengths.items():
        try:
            good = isinstance(value, Real) and math.isfinite(value) and value > 0
        except OverflowError:  # an integer too large for a float
            good = False
        if not good:
            raise InputError(one_line(f"{owner}: {key} is {value!r}; it must be a number, finite and positive"))
    (short, least), *_, (long, most) = sorted(lengths.items(), key=lambda item: item[1])
    if most > LARGEST_RATIO * least:
        raise InputError(
            f"{owner}: {long} is {float(most):g} m and {short} is {float(least):g} m; the ratio may be up to 1e9"
        )
    x, y, z = (float(value) / float(most) for value in lengths.values())
    return x, y, z


def _circular_cylinder(p: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return 1 - N_z and N_z of circular cylinders with the thickness over radius p.

    With k = 2/sqrt(4 + p^2) and k' = p/sqrt(4 + p^2),

        1 - N_z = 4/(3 pi k') (k'^2 (K - E)/k^2 + E - k).

    Neither result loses digits: all terms below are positive, and beyond p = 8 a series takes over.
    """
    from scipy.special import ellipkm1, elliprd

    near = np.minimum(p, _SERIES_FROM)
    k, m1 = 2 / np.hypot(2, near), (near / np.hypot(2, near)) ** 2
    # E - 1 from the ascending Landen transformation k -> 2 sqrt(k)/(1 + k), which takes k to 1:
    # E(k) = ((1 + k) E(2 sqrt(k)/(1 + k)) + (1 - k^2) K(k))/2.
    terms = m1 * elliprd(0, m1, 1) / 3 + m1 / (1 + k)  # k'^2 (K - E)/k^2 + 1 - k
    complete, factor = ellipkm1(m1), 0.5
    kn, mn = k, m1
    for _ in range(_TRANSFORMATIONS):
        terms = terms + factor * mn * (complete - 1 / (1 + kn))
        complete, factor = complete * (1 + kn), factor * (1 + kn) / 2
        kn, mn = 2 * np.sqrt(kn) / (1 + kn), (mn / (1 + kn) ** 2) ** 2
    solenoid = 4 / (3 * math.pi) * terms / np.sqrt(m1)

    # N_z = 8/(3 pi p) - (1/(2 p^2)) 3F2(1/2, 1, 3/2; 2, 3; -4/p^2).
    far = np.maximum(p, _SERIES_FROM)
    z = -4 / far**2
    hypergeometric = np.ones_like(far)
    for n in range(_TERMS, 0, -1):
        hypergeometric = 1 + hypergeometric * z * (n - 0.5) * (n + 0.5) / ((n + 1) * (n + 2))
    n_far = 8 / (3 * math.pi * far) - hypergeometric / (2 * far**2)
    long = p >= _SERIES_FROM
    return np.where(long, 1 - n_far, solenoid), np.where(long, n_far, 1 - solenoid)
