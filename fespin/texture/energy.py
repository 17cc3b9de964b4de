"""Energies of a textured magnet and the effective field, their derivative at the nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..grid import Array, Grid
from .magnet import TexturedMagnet

if TYPE_CHECKING:
    from ..energy.dipolar import DipolarField


def effective_field(
    grid: Grid,
    magnet: TexturedMagnet,
    m: Array,
    applied: Array,
    dipolar: DipolarField | None = None,
    *,
    gradient: Array | None = None,
) -> Array:
    """Return B_eff (T) at this rank's own nodes (owned, 3): exchange, anisotropy, applied and dipolar field.

    It is the derivative of :func:`stored_energy`, with the Zeeman energy, by m_i, divided by -Ms w_i with w the lumped
    volumes. Collective.

    Parameters
    ----------
    m
        At this rank's own nodes (owned, 3); its length is not used.
    applied
        B (T) there (owned, 3).
    dipolar
        Without it there is no dipolar field.
    gradient
        That of m in this rank's cells (cells, 3, 3), if it is known already.

    Examples
    --------
    >>> from fespin.texture import Grid, effective_field
    >>> grid = Grid(wire)
    >>> m = grid.directions((1.0, 0.0, 0.0))
    >>> field = effective_field(grid, permalloy, m, np.zeros_like(m))
    >>> print(f"{field[0, 0]:.3f}")  # T, 2 K/Ms along the easy axis
    0.150
    """
    ms = magnet.saturation_magnetization
    gradient = grid.gradient(grid.seen(m)) if gradient is None else gradient
    bent = np.matmul(grid.slopes, gradient) * (2 * magnet.exchange / ms * grid.volumes[:, None, None])
    field = applied + m @ local_field(magnet) - grid.gathered(bent) / grid.weights[: grid.owned, None]
    return field if dipolar is None else field + dipolar.field(m)


def local_field(magnet: TexturedMagnet) -> Array:
    """Return the symmetric matrix (3, 3) that gives the field of the anisotropies (T) from m."""
    easy, hard = (np.array(x) for x in (magnet.easy_axis, magnet.hard_axis))
    both = magnet.easy_constant * np.outer(easy, easy) - magnet.hard_constant * np.outer(hard, hard)
    return np.asarray(2 / magnet.saturation_magnetization * both)


def stored_energy(grid: Grid, magnet: TexturedMagnet, m: Array, dipolar: DipolarField | None = None) -> float:
    """Return exchange, anisotropy and dipolar energy (J) of m at this rank's own nodes (owned, 3). Collective.

    Without the dipolar part it is zero for a uniform m along the easy axis.

    Parameters
    ----------
    dipolar
        Without it there is no dipolar energy.

    Examples
    --------
    >>> from fespin.texture import Grid, stored_energy, wall
    >>> grid = Grid(wire)
    >>> energy = stored_energy(grid, permalloy, grid.directions(wall(permalloy, 200e-9)))
    >>> print(f"{energy:.2e} {4 * (1.3e-11 * 6e4) ** 0.5:.2e}")  # J/m2, and the exact one of a wall
    3.52e-03 3.53e-03
    """
    easy, hard = (np.array(x) for x in (magnet.easy_axis, magnet.hard_axis))
    gradient = grid.gradient(grid.seen(m))
    bent = magnet.exchange * grid.volumes * np.einsum("cia,cia->c", gradient, gradient)
    local = magnet.easy_constant * (1 - (m @ easy) ** 2) + magnet.hard_constant * (m @ hard) ** 2
    sums = grid.totals(bent.sum() + (local * grid.weights[: grid.owned]).sum())
    return float(sums[0]) + (0.0 if dipolar is None else dipolar.energy(m))
