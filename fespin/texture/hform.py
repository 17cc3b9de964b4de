"""Saslow's variables: currents and torques that the gradient of the electrochemical potential and a field drive.

The thermodynamic field H (T) is the part of the effective field that is perpendicular to m. With mu = -e phi, the
electrons' electrochemical potential (Saslow 2007, Eqs. 58, 61, 71 and 72),

    j_i = -(sigma/e^2) d_i mu - xi [d_i M.H + beta' (m x d_i M).H],   N' = xi d_i mu [d_i M - beta' m x d_i M].

In these variables the adiabatic terms dissipate and those of beta' are reversible: the opposite of (J, dm/dt). They
are those of Landau and Lifshitz's equation, which is solved for dm/dt; Gilbert's, which is not, has other coefficients
for the same motion: :class:`LandauLifshitz`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..constants import ELEMENTARY_CHARGE
from .magnet import TexturedMagnet

if TYPE_CHECKING:
    from ..grid import Array, Grid, Start


@dataclass(frozen=True)
class LandauLifshitz:
    r"""The coefficients of Gilbert's equation once it is solved for dm/dt.

    A textured magnet's ``dm/dt = -gamma m x B + alpha m x dm/dt - (u.grad) m + beta m x (u.grad) m`` is the same as

        dm/dt = -gamma' m x B - lambda m x (m x B) + (c/Ms) J_i d_i m - (c'/Ms) J_i m x d_i m,

    with 1 + alpha^2 below all of them. Of the field that dm/dt pumps, E_i = (hbar P/2e) [m.(dm/dt x d_i m) + beta
    dm/dt.d_i m], an effective field B in an open circuit then makes

        E_i = c d_i m.B + c' (m x d_i m).B,

    with the same two coefficients, as reciprocity demands. The form stays finite whatever alpha and beta are; the ratio
    beta' = c'/c = (beta - alpha)/(1 + alpha beta) does not.

    Attributes
    ----------
    gyromagnetic_ratio
        gamma' = gamma/(1 + alpha^2), in rad/(s T).
    damping_rate
        lambda = alpha gamma', in 1/(s T).
    adiabatic, nonadiabatic
        c = (hbar gamma' P/2e)(1 + alpha beta) and c' = (hbar gamma' P/2e)(beta - alpha), in V/T.

    Examples
    --------
    >>> from fespin.texture import LandauLifshitz
    >>> rates = LandauLifshitz.of(permalloy)
    >>> print(f"{rates.gyromagnetic_ratio:.3e} {rates.damping_rate:.3e} {rates.adiabatic:.3e}")
    1.756e+11 7.024e+09 2.890e-05
    """

    gyromagnetic_ratio: float
    damping_rate: float
    adiabatic: float
    nonadiabatic: float

    @classmethod
    def of(cls, magnet: TexturedMagnet) -> Self:
        """Return the coefficients of a magnet."""
        alpha, beta = magnet.damping, magnet.nonadiabaticity
        gamma = magnet.gyromagnetic_ratio / (1 + alpha**2)
        scale = magnet.pumping_scale * gamma
        return cls(gamma, alpha * gamma, scale * (1 + alpha * beta), scale * (beta - alpha))


def spin_transfer_coefficient(magnet: TexturedMagnet) -> float:
    """Return xi = (P sigma hbar gamma/(2 e^2 Ms)) (1 + alpha beta)/(1 + alpha^2), in m2/(J s); 5.1e15 for cobalt.

    hbar gamma/2 is mu_B for g = 2.

    Examples
    --------
    >>> from fespin.texture import spin_transfer_coefficient
    >>> print(f"{spin_transfer_coefficient(permalloy):.3e}")
    9.018e+14
    """
    return _per_energy(magnet) * LandauLifshitz.of(magnet).adiabatic


def nonadiabatic_coefficient(magnet: TexturedMagnet) -> float:
    """Return xi beta' = (P sigma hbar gamma/(2 e^2 Ms)) (beta - alpha)/(1 + alpha^2), in m2/(J s).

    Examples
    --------
    >>> from fespin.texture import nonadiabatic_coefficient
    >>> print(f"{nonadiabatic_coefficient(permalloy):.3e}")
    -3.607e+13
    """
    return _per_energy(magnet) * LandauLifshitz.of(magnet).nonadiabatic


def _per_energy(magnet: TexturedMagnet) -> float:
    """Return what takes a field pumped per T of H to the flux of carriers per H and grad M, sigma/(e Ms)."""
    return magnet.conductivity / (ELEMENTARY_CHARGE * magnet.saturation_magnetization)


def static_voltage(magnet: TexturedMagnet) -> float:
    """Return the emf of a wall at rest per field along the easy axis (V/T, in magnitude); 2 P mu_B/e at little damping.

    It is (hbar gamma P/e) (1 + alpha beta)/(1 + alpha^2): what B makes through a wall of any shape in a plane, and, if
    beta = alpha, of any shape.

    Examples
    --------
    >>> from fespin.texture import static_voltage
    >>> print(f"{static_voltage(permalloy):.3e}")
    5.779e-05
    """
    return 2 * LandauLifshitz.of(magnet).adiabatic


def steepest_static(magnet: TexturedMagnet) -> float:
    """Return the |grad m| (1/m) up to which the entropy production in these variables is positive.

    The sum of |d_i m|^2 must not exceed lambda Ms/(sigma c^2), of :class:`LandauLifshitz`, which is
    2 alpha e^2 Ms/(hbar P^2 sigma mu_B) for little damping.

    Examples
    --------
    >>> from fespin.texture import steepest_static
    >>> print(f"{1 / steepest_static(permalloy):.2e}")  # m, over which m may turn by one radian
    7.71e-10
    """
    form = LandauLifshitz.of(magnet)
    below = magnet.conductivity * form.adiabatic**2
    return float(np.sqrt(form.damping_rate * magnet.saturation_magnetization / below)) if below else np.inf


def static_field(grid: Grid, magnet: TexturedMagnet, start: Start, applied: Any) -> Array:
    """Return the field (V/m) that pumps the current of a given texture, (cells, 3); for :meth:`OhmicCircuit.solve`.

    E_i = c d_i m.H + c' (m x d_i m).H, with the coefficients of :class:`LandauLifshitz`: that of
    :func:`pumped_field` for the dm/dt that H makes in an open circuit. Its integral through a plane wall in a uniform B
    along the easy axis is :func:`static_voltage` times B in magnitude, whatever the wall's shape; it points against B
    if m does so behind the wall. Collective.

    Parameters
    ----------
    start
        m, as in :class:`Dynamics`.
    applied
        B (T), of which the part perpendicular to m counts: a vector, a function of positions, or an array (owned, 3).

    Examples
    --------
    >>> from fespin.texture import Grid, static_field, static_voltage, wall
    >>> grid = Grid(wire)
    >>> field = static_field(grid, permalloy, wall(permalloy, 200e-9), (0.1, 0.0, 0.0))[:, 0]
    >>> print(f"{field @ grid.volumes:.2e} {0.1 * static_voltage(permalloy):.2e}")
    -5.78e-06 5.78e-06
    """
    seen = grid.seen(grid.directions(start))
    # On a line a cell's mean direction is perpendicular to the difference of m, so that the emf of a wall has no error.
    mean = grid.mean(seen)
    m = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    b = grid.mean(grid.seen(grid.vectors(applied, "field")))
    h = b - np.einsum("ca,ca->c", b, m)[:, None] * m
    form = LandauLifshitz.of(magnet)
    # (m x a).H = a.(H x m)
    push = form.adiabatic * h + form.nonadiabatic * np.cross(h, m)
    return np.asarray(np.einsum("cia,ca->ci", grid.gradient(seen), push))
