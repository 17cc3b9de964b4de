"""Saslow's variables: currents and torques that the gradient of the electrochemical potential and a field drive.

The thermodynamic field H (T) is the part of the effective field that is perpendicular to m. With mu = -e phi, the
electrons' electrochemical potential, and xi = P sigma mu_B/(e^2 Ms) (Saslow 2007, Eqs. 58, 61, 71 and 72),

    j_i = -(sigma/e^2) d_i mu - xi [d_i M.H + beta (m x d_i M).H],   N' = xi d_i mu [d_i M - beta m x d_i M].

In these variables the adiabatic terms dissipate and those of beta are reversible: the opposite of (J, dm/dt).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..constants import BOHR_MAGNETON, ELEMENTARY_CHARGE, HBAR
from .grid import Array, Grid, Start
from .magnet import TexturedMagnet


def spin_transfer_coefficient(magnet: TexturedMagnet) -> float:
    """Return xi = P sigma mu_B/(e^2 Ms) (m2/(J s)); 5.1e15 for cobalt."""
    scale = magnet.conductivity * BOHR_MAGNETON / ELEMENTARY_CHARGE**2
    return magnet.polarization * scale / magnet.saturation_magnetization


def steepest_static(magnet: TexturedMagnet) -> float:
    """Return the |grad m| (1/m) up to which the entropy production in these variables is positive.

    The sum of |d_i m|^2 must not exceed 2 alpha e^2 Ms/(hbar P^2 sigma mu_B).
    """
    above = 2 * magnet.damping * ELEMENTARY_CHARGE**2 * magnet.saturation_magnetization
    below = HBAR * magnet.polarization**2 * magnet.conductivity * BOHR_MAGNETON
    return float(np.sqrt(above / below)) if below else np.inf


def static_field(grid: Grid, magnet: TexturedMagnet, start: Start, applied: Any) -> Array:
    """Return the field (V/m) that pumps the current of a given texture, (cells, 3); for :meth:`Transport.solve`.

    E_i = (P mu_B/e) [d_i m.H + beta (m x d_i m).H]. Its integral through a wall in a uniform B along the easy axis is
    2 P mu_B B/e in magnitude, whatever the wall's shape; it points against B if m does so behind the wall.
    Collective.

    Parameters
    ----------
    start
        m, as in :class:`Dynamics`.
    applied
        B (T), of which the part perpendicular to m counts: a vector, a function of positions, or an array (owned, 3).
    """
    seen = grid.seen(grid.directions(start))
    # On a line a cell's mean direction is perpendicular to the difference of m, so that the emf of a wall has no error.
    mean = grid.mean(seen)
    m = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    b = grid.mean(grid.seen(grid.vectors(applied, "field")))
    h = b - np.einsum("ca,ca->c", b, m)[:, None] * m
    scale = magnet.polarization * BOHR_MAGNETON / ELEMENTARY_CHARGE
    across = magnet.nonadiabaticity * np.cross(h, m)  # (m x a).H = a.(H x m)
    return np.asarray(scale * np.einsum("cia,ca->ci", grid.gradient(seen), h + across))
