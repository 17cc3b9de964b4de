"""Energies of a textured magnet on a grid, and its effective field."""

from __future__ import annotations

from ..energy.collection import require_no_shape
from ..energy.dipolar import DipolarField
from ..energy.in_space import InSpace
from ..energy.terms import Dipolar
from ..errors import InputError
from ..grid import Array, Grid
from .magnet import TexturedMagnet


def in_space(grid: Grid, magnet: TexturedMagnet) -> InSpace:
    """Return the energies of a magnet on a grid, without the dipolar one; zero for a uniform m along the easy axis.

    Collective. It keeps what is compiled: make it once for many fields.
    """
    return InSpace(grid, magnet.energies, magnet.saturation_magnetization, magnet.easy_axis)


def effective_field(
    grid: Grid, magnet: TexturedMagnet, m: Array, applied: Array, dipolar: DipolarField | None = None
) -> Array:
    """Return B_eff (T) at this rank's own nodes (owned, 3): of all energies, of the applied and the dipolar field.

    It is the derivative of :func:`stored_energy`, with the Zeeman energy, by m_i, divided by -Ms w_i with w the lumped
    volumes. Collective.

    Parameters
    ----------
    m
        Directions at this rank's own nodes (owned, 3).
    applied
        B (T) there (owned, 3).
    dipolar
        Dipolar field of the body; a magnet with :class:`fespin.Dipolar` among its terms needs it.

    Raises
    ------
    InputError
        If the magnet declares a dipolar energy and there is no `dipolar`, or has a shape's anisotropy beside it.

    Examples
    --------
    >>> from fespin.texture import Grid, effective_field
    >>> grid = Grid(wire)
    >>> m = grid.directions((1.0, 0.0, 0.0))
    >>> field = effective_field(grid, permalloy, m, np.zeros_like(m))
    >>> print(f"{field[0, 0]:.3f}")  # T, 2 K/Ms along the easy axis
    0.150
    """
    _require_dipolar(magnet, dipolar)
    field = applied + in_space(grid, magnet).field(m)
    return field if dipolar is None else field + dipolar.field(m)


def stored_energy(grid: Grid, magnet: TexturedMagnet, m: Array, dipolar: DipolarField | None = None) -> float:
    """Return the energy (J) of m at this rank's own nodes (owned, 3), without that of the applied field. Collective.

    Without the dipolar part it is zero for a uniform m along the easy axis.

    Parameters
    ----------
    dipolar
        Dipolar field of the body; a magnet with :class:`fespin.Dipolar` among its terms needs it.

    Raises
    ------
    InputError
        If the magnet declares a dipolar energy and there is no `dipolar`, or has a shape's anisotropy beside it.

    Examples
    --------
    >>> from fespin.texture import Grid, stored_energy, wall
    >>> grid = Grid(wire)
    >>> energy = stored_energy(grid, permalloy, grid.directions(wall(permalloy, 200e-9)))
    >>> print(f"{energy:.2e} {4 * (1.3e-11 * 6e4) ** 0.5:.2e}")  # J/m2, and the exact one of a wall
    3.52e-03 3.53e-03
    """
    _require_dipolar(magnet, dipolar)
    energy = in_space(grid, magnet).energy(m)
    return energy if dipolar is None else energy + dipolar.energy(m)


def _require_dipolar(magnet: TexturedMagnet, dipolar: DipolarField | None) -> None:
    """Refuse a magnet whose dipolar energy would be left out, or count twice."""
    if dipolar is None and any(isinstance(term, Dipolar) for term in magnet.terms):
        raise InputError(
            "texture: the magnet has Dipolar among its energies, which is an operator of the body; "
            "give dipolar=DipolarField(grid, magnet)"
        )
    require_no_shape("texture", magnet.terms, dipolar=dipolar is not None)
