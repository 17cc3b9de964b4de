"""The time in which a magnet restores its length, from the two longitudinal equations. No mesh, no solver."""

from __future__ import annotations

import math

from ..errors import InputError, ModelError, nearest
from ..longitudinal.magnet import LongitudinalMagnet

# Equations of the two that a source may stand in.
INTO = ("m", "M")


def longitudinal_time(
    xi: float, tau_mM: float, tau_mL: float = math.inf, tau_ML: float = math.inf, *, into: str = "m"
) -> float:
    """Return the time by which a steady source changes the length: Delta M = S tau (s) (Saslow, Sun and Xu 2021).

    With r = (1 - xi)/tau_mM, w = 1/tau of the lattice and Q = (1 - xi) [xi w_m/tau_mM + w_M (1/tau_mM + w_m)], a source
    in the equation of m gives tau = (r - w_M)/Q, one in that of M (r + w_m)/Q.

    Parameters
    ----------
    xi, tau_mM, tau_mL, tau_ML
        See :class:`~fespin.LongitudinalMagnet`.
    into
        "m": a spin current that enters; "M": what acts on the magnetization itself.

    Raises
    ------
    ModelError
        If neither M nor m decays to the lattice: a steady source has no steady answer.
    InputError
        If a value is impossible.

    Examples
    --------
    >>> from fespin.coupling import longitudinal_time
    >>> print(f"{longitudinal_time(0.1, tau_mM=1e-12, tau_mL=5e-12):.3g}")  # tau_mL/xi
    5e-11
    """
    if into not in INTO:
        raise InputError(f"modulus: into is '{into}'; {nearest(into, INTO)}")
    magnet = LongitudinalMagnet(xi, tau_mM, diffusion=1.0, tau_ML=tau_ML, tau_mL=tau_mL)  # at rest nothing diffuses
    a, r, w_m, w_M = 1 / tau_mM, magnet.rate, magnet.w_m, magnet.w_M
    q = (1 - xi) * (xi * a * w_m + w_M * (a + w_m))
    if not q:
        raise ModelError("modulus: neither M nor m decays to the lattice; give tau_mL or tau_ML")
    return (r - w_M) / q if into == "m" else (r + w_m) / q
