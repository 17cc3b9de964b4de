"""Wegrowe's forms: spin accumulation and magnetization coupled by cross-coefficients.

Per volume of a magnet, j is the current of moments on the sphere (1/(s m3): one moment per macrospin's volume, times
its angular velocity), dJ = J_up - J_dn, J0 = J_up + J_dn, F = -grad mu_F (J), E = E_up - E_dn = -d(phi_up - phi_dn)/dz
and E0 = E_up + E_dn (V/m)::

    j  = A F  + l E                        A: 1/(J s m3)         l, l~: 1/(V s m2)
    dJ = l~ F + sigma_0 (E + beta E0)      p = j F + dJ E/2 + J0 E0/2
    J0 =        sigma_0 (beta E + E0)      sigma_0 = 1/(2 rho): S/m, W/m3

W2010 is Wegrowe (2010), WD2011 and WD2004 are Wegrowe and Drouhin. Their mu/e is phi here. Corrected: the forces are
-grad mu_F and the powers of dJ and J0 have 1/2 (W2010 Eqs. 41, 42; WD2011 Eqs. 19, 20), hence l~ = 2 l or -2 l and not
l; beta = (sigma_up - sigma_dn)/(2 sigma_0). What the accumulation at the faces does with l is in
:mod:`fespin.coupling.relaxation`.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..constants import ELEMENTARY_CHARGE, HBAR
from ..device import Material
from ..energy.on_sphere import Array
from ..errors import InputError, ModelError, nearest
from ..macrospin.spin import Macrospin
from ..macrospin.torque import AngularTorque
from ..quantities import is_finite, require_asymmetry, require_positive

PROCESSES = ("spin flip", "s-d")


@dataclass(frozen=True)
class SpinTransferBlock:
    """One component of the magnet's motion and the currents coupled to it (W2010 Eq. 42, WD2011 Eq. 20).

    Attributes
    ----------
    ferromagnetic
        A (1/(J s m3)), alpha rho L_F of the papers; see :func:`ferromagnetic_coefficient`.
    cross, reciprocal
        l and l~ (1/(V s m2)). E/2 is the force of dJ, so that Onsager and Casimir ask for l~ = 2 l of a motion that is
        even when all magnets are reversed (along theta), and for l~ = -2 l of an odd one (along phi).
    conductivity
        sigma_0 = 1/(2 rho) (S/m); of spins across the magnetization sigma_perp.
    beta
        (sigma_up - sigma_dn)/(2 sigma_0); 0 for spins across the magnetization, to which no charge current is coupled.

    Raises
    ------
    InputError
        If a coefficient is impossible, or l~ is neither 2 l nor -2 l.
    ModelError
        If the power could be negative: it needs sigma_0 (1 - beta^2) A > l l~, that is A > l^2 (1/sigma_up +
        1/sigma_dn) of an even coupling.

    Examples
    --------
    >>> from fespin.coupling import SpinTransferBlock, ferromagnetic_coefficient
    >>> A = ferromagnetic_coefficient(spin)
    >>> block = SpinTransferBlock(A, cross=1e26, reciprocal=2e26, conductivity=8e6, beta=0.46)
    >>> print(f"{block.spin_conductivity:.3e}")
    6.307e+06
    >>> SpinTransferBlock(A, cross=1e26, reciprocal=1e26, conductivity=8e6, beta=0.46)
    Traceback (most recent call last):
        ...
    fespin.errors.InputError: spin transfer: reciprocal is 1e+26; it must be twice cross, 2e+26, or...
    """

    ferromagnetic: float
    cross: float
    reciprocal: float
    conductivity: float
    beta: float

    def __post_init__(self) -> None:
        require_positive("spin transfer", "ferromagnetic", self.ferromagnetic)
        require_positive("spin transfer", "conductivity", self.conductivity)
        require_asymmetry("spin transfer", "beta", self.beta)
        for key in ("cross", "reciprocal"):
            _require_finite(key, getattr(self, key))
        if not math.isclose(abs(self.reciprocal), 2 * abs(self.cross), rel_tol=1e-9):
            raise InputError(
                f"spin transfer: reciprocal is {self.reciprocal!r}; it must be twice cross, {2 * self.cross!r}, "
                "or the opposite"
            )
        if not self.cross * self.reciprocal < self.ferromagnetic * self.spin_conductivity:
            most = math.sqrt(self.ferromagnetic * self.spin_conductivity / 2)
            raise ModelError(
                f"spin transfer: cross is {self.cross!r}; power would be gained, its magnitude must be below {most:.6g}"
            )

    @property
    def spin_conductivity(self) -> float:
        """sigma_0 (1 - beta^2) = 1/(2 rho*) (S/m): dJ over E where no charge current flows."""
        return self.conductivity * (1 - self.beta**2)


def coupled_fluxes(
    block: SpinTransferBlock, force: float, field: float, charge_field: float = 0.0
) -> tuple[float, float, float]:
    """Return j (1/(s m3)), dJ and J0 (A/m2) of the forces F (J), E and E0 (V/m) (W2010 Eq. 42, WD2011 Eq. 20).

    Examples
    --------
    >>> from fespin.coupling import SpinTransferBlock, coupled_fluxes, ferromagnetic_coefficient
    >>> block = SpinTransferBlock(ferromagnetic_coefficient(spin), 1e26, 2e26, conductivity=8e6, beta=0.46)
    >>> print(*(f"{flux:.2e}" for flux in coupled_fluxes(block, force=1e-20, field=1e3)))
    4.49e+30 8.00e+09 3.68e+09
    """
    j = block.ferromagnetic * force + block.cross * field
    spin = block.reciprocal * force + block.conductivity * (field + block.beta * charge_field)
    return j, spin, block.conductivity * (block.beta * field + charge_field)


def coupled_power(block: SpinTransferBlock, force: float, field: float, charge_field: float = 0.0) -> float:
    """Return the power j F + dJ E/2 + J0 E0/2 (W/m3) (W2010 Eq. 41, WD2011 Eq. 19 lack 1/2); never negative.

    Examples
    --------
    >>> from fespin.coupling import SpinTransferBlock, coupled_power, ferromagnetic_coefficient
    >>> block = SpinTransferBlock(ferromagnetic_coefficient(spin), 1e26, 2e26, conductivity=8e6, beta=0.46)
    >>> print(f"{coupled_power(block, force=1e-20, field=1e3):.2e}")
    4.05e+12
    """
    j, spin, charge = coupled_fluxes(block, force, field, charge_field)
    return j * force + spin * field / 2 + charge * charge_field / 2


def coupled_matrix(
    *,
    ferromagnetic: float,
    cross: Sequence[Sequence[float]] | Array,
    even: Sequence[Sequence[bool]],
    transverse_conductivity: float,
    conductivity: float,
    beta: float,
    relaxation: float,
    precession: float = 0.0,
) -> Array:
    """Return the whole matrix of fluxes over forces (W2010 Eq. 42 with the powers corrected).

    Rows j_phi, j_theta, dJ_perp, dJ, J0 and Psi over F_phi, F_theta, E_perp/2, E/2, E0/2 and Delta = phi_up - phi_dn;
    the sum of their products is the power (W/m3). Where E multiplies l, E/2 multiplies 2 l.

    Parameters
    ----------
    ferromagnetic
        A (1/(J s m3)), for phi and theta.
    cross
        l (1/(V s m2)), shape (2, 2): rows phi and theta, columns across and along the magnetization.
    even
        Which of them do not change when all magnets are reversed: their reciprocal is 2 l, that of others -2 l.
    transverse_conductivity, conductivity
        sigma_perp and sigma_0 (S/m).
    beta
        (sigma_up - sigma_dn)/(2 sigma_0).
    relaxation
        Relaxation between the two channels (S/m3).
    precession
        The antisymmetric coefficient of j_phi and F_theta (1/(J s m3)).

    Returns
    -------
    array
        Shape (6, 6).

    Raises
    ------
    InputError
        If a coefficient is impossible.
    ModelError
        If the power could be negative: with the even entries l_e of l, A - 2 l_e diag(1/sigma_perp, 1/(sigma_0 (1 -
        beta^2))) l_e^T must be positive. Coefficient by coefficient is not enough.

    Examples
    --------
    >>> from fespin.coupling import coupled_matrix, ferromagnetic_coefficient
    >>> channels = {"transverse_conductivity": 8e6, "conductivity": 8e6, "beta": 0.46, "relaxation": 1e22}
    >>> cross = [[0.0, 0.0], [1e26, 2e26]]  # theta is coupled to both spin currents
    >>> even = [[False, False], [True, True]]
    >>> matrix = coupled_matrix(ferromagnetic=ferromagnetic_coefficient(spin), cross=cross, even=even, **channels)
    >>> matrix.shape, bool(np.linalg.eigvalsh(matrix + matrix.T).min() > 0)
    ((6, 6), True)
    """
    for key, x in (("ferromagnetic", ferromagnetic), ("transverse_conductivity", transverse_conductivity),
                   ("conductivity", conductivity), ("relaxation", relaxation)):  # fmt: skip
        require_positive("spin transfer", key, x)
    require_asymmetry("spin transfer", "beta", beta)
    _require_finite("precession", precession)
    l, kept = np.asarray(cross, dtype=float), np.asarray(even, dtype=bool)  # noqa: E741
    if l.shape != (2, 2) or kept.shape != (2, 2) or not np.isfinite(l).all():
        raise InputError("spin transfer: cross and even must have two rows of two entries, cross of finite numbers")
    le = np.where(kept, l, 0.0)
    inverse = np.diag([1 / transverse_conductivity, 1 / (conductivity * (1 - beta**2))])
    left = np.eye(2) - 2 * le @ inverse @ le.T / ferromagnetic
    lowest = float(np.linalg.eigvalsh(left)[0])
    if not lowest > 0:
        factor = math.sqrt(1 - lowest)
        raise ModelError(f"spin transfer: power would be gained; cross must be smaller by a factor of {factor:.6g}")
    m = np.zeros((6, 6))
    m[:2, :2] = [[ferromagnetic, precession], [-precession, ferromagnetic]]
    m[:2, 2:4] = 2 * l
    m[2:4, :2] = np.where(kept, 2 * l, -2 * l).T
    m[2, 2] = 2 * transverse_conductivity
    m[3:5, 3:5] = 2 * conductivity * np.array([[1, beta], [beta, 1]])
    m[5, 5] = relaxation
    return m


def pumping_field(block: SpinTransferBlock, flux: float) -> float:
    """Return E = -l~ j/(sigma_0 (1 - beta^2) A - l l~) (V/m) of an open circuit for a current of moments j (1/(s m3)).

    Open for spin and charge, dJ = J0 = 0, so that E0 = -beta E. WD2011 ends (Sec. 7, no number) with E = j/l, which is
    F = 0. At dJ = 0 it is the limit of large l, that only an odd coupling has; an even one has the opposite sign.

    Examples
    --------
    >>> from fespin.coupling import SpinTransferBlock, ferromagnetic_coefficient, pumping_field
    >>> block = SpinTransferBlock(ferromagnetic_coefficient(spin), 1e26, 2e26, conductivity=8e6, beta=0.46)
    >>> print(f"{pumping_field(block, flux=1e33):.3e}")
    -7.221e+01
    """
    determinant = block.spin_conductivity * block.ferromagnetic - block.cross * block.reciprocal
    return -block.reciprocal * flux / determinant


def pumping_voltage(block: SpinTransferBlock, flux: float, length: float) -> float:
    """Return the drop of Dphi over a length (m) of open circuit: E times the length (V).

    No current of either spin is left to relax, so the length must be short against the spin-diffusion length. The mean
    potential drops by -beta/2 of it, which a voltmeter sees.

    Examples
    --------
    >>> from fespin.coupling import SpinTransferBlock, ferromagnetic_coefficient, pumping_voltage
    >>> block = SpinTransferBlock(ferromagnetic_coefficient(spin), 1e26, 2e26, conductivity=8e6, beta=0.46)
    >>> print(f"{pumping_voltage(block, flux=1e33, length=5e-9):.3e}")
    -3.611e-07
    """
    require_positive("pumping voltage", "length", length)
    return length * pumping_field(block, flux)


def pumping_increase(block: SpinTransferBlock) -> float:
    """Return l l~/(sigma_0 (1 - beta^2)) (1/(J s m3)): by how much A at E = 0 exceeds j/F at dJ = J0 = 0.

    At E = 0 spins leave, at dJ = 0 none can. From W2010 Eq. 42. Of an even coupling it is the damping that pumping
    adds: with l of :func:`transverse_cross`, sigma = G_mix t, t the thickness, beta = 0, it is A alpha_sp/(alpha (1 +
    alpha^2)). Of an odd one it is negative.

    Examples
    --------
    >>> from fespin.coupling import SpinTransferBlock, ferromagnetic_coefficient, pumping_increase
    >>> block = SpinTransferBlock(ferromagnetic_coefficient(spin), 1e26, 2e26, conductivity=8e6, beta=0.46)
    >>> print(f"{pumping_increase(block) / block.ferromagnetic:.2e}")
    7.22e-06
    """
    return block.cross * block.reciprocal / block.spin_conductivity


def ferromagnetic_coefficient(spin: Macrospin) -> float:
    """Return A = alpha L_F/v^2 = D/(kT v) (1/(J s m3)) (WD2011 Eqs. 3 and 6, W2010 Eqs. 20 and 26; density 1/v).

    With energies in J, L_F of one volume is gamma/((1 + alpha^2) Ms), and mu_F that of the whole volume.

    Examples
    --------
    >>> from fespin.coupling import ferromagnetic_coefficient
    >>> print(f"{ferromagnetic_coefficient(spin):.3e}")
    4.391e+50
    """
    return spin.diffusion / (spin.thermal_energy * spin.volume)


def largest_cross(spin: Macrospin, material: Material, *, process: str = "spin flip") -> float:
    """Return l_max (1/(V s m2)), below which the power of motion and currents together cannot be negative.

    A > l^2 (1/sigma_a + 1/sigma_b) for the two channels between which electrons relax: with two channels
    l_max = sqrt(A/(4 rho*)).

    Raises
    ------
    InputError
        If the material is no ferromagnet, or the process is unknown.
    ModelError
        If the process needs d channels that the material does not have.

    Examples
    --------
    >>> from fespin.coupling import largest_cross
    >>> print(f"{largest_cross(spin, Co):.2e}")
    3.83e+28
    """
    require_process(process)
    if material.beta is None:
        raise InputError(f"material '{material.name}': it is no ferromagnet; nothing couples its spins to a magnet")
    bands = material.bands
    if process == "s-d":
        if bands is None:
            raise ModelError(f"material '{material.name}' has no d channels; solve with three or four")
        pair = 1 / bands.s_down + 1 / bands.d_down
    elif bands is not None:
        pair = 1 / bands.s_up + 1 / bands.s_down
    else:
        pair = 4 * material.resistivity_star
    return math.sqrt(ferromagnetic_coefficient(spin) / pair)


def require_process(process: str) -> None:
    """Refuse what is no process that relaxes.

    Raises
    ------
    InputError
        With the nearest one.
    """
    if process not in PROCESSES:
        raise InputError(f"chi: process is '{process}'; {nearest(process, PROCESSES)}")


# ---- Phi: the transverse accumulation
def transverse_cross(spin: Macrospin, mixing_conductance: complex) -> complex:
    """Return l of transverse spins at a face, -(gamma hbar/(2 e Ms v)) G_mix (1 + i alpha)/(1 + alpha^2) (1/(V s m2)).

    From the torque on the magnet, instead of l_phi,phi and l_theta,phi of W2010 Eq. 42, which are phenomenological;
    i is u x. Its l~ is 2 l: that is spin pumping. G_mix (S/m2).

    Raises
    ------
    InputError
        If the conductance is not finite.

    Examples
    --------
    >>> from fespin.coupling import transverse_cross
    >>> print(f"{transverse_cross(spin, mixing_conductance=5e14):.2e}")
    -7.23e+27-3.61e+26j
    """
    if not cmath.isfinite(mixing_conductance):
        raise InputError(f"spin transfer: mixing_conductance is {mixing_conductance!r}; it must be finite (S/m2)")
    rate = spin.gyromagnetic_ratio * HBAR / (2 * ELEMENTARY_CHARGE * spin.moment * (1 + spin.damping**2))
    return -rate * complex(mixing_conductance) * (1 + 1j * spin.damping)


def transverse_slopes(cross: complex, accumulation: complex) -> tuple[float, float]:
    """Return dchi/dtheta and dPhi/dtheta (1/(s m2)): dchi/dtheta + i dPhi/dtheta = -l integral d(Dphi_perp)/dz dz.

    W2010 Eq. 50, second line, is the part along phi. Its first line, dPhi/dphi with l_phi,theta (read l_theta,phi),
    is along theta; with one fixed axis it does not depend on phi, no single-valued Phi has it, and it belongs to chi.

    Parameters
    ----------
    accumulation
        2 s_theta + 2 i s_phi on the normal side of the face (V); there is none inside.

    Examples
    --------
    >>> from fespin.coupling import transverse_cross, transverse_slopes
    >>> chi, phi = transverse_slopes(transverse_cross(spin, 5e14), accumulation=1e-6 + 0j)
    >>> print(f"{chi:.2e} {phi:.2e}")
    -7.23e+21 -3.61e+20
    """
    total = cross * accumulation
    return total.real, total.imag


def torque_potentials(torque: AngularTorque, spin: Macrospin, theta: Array) -> tuple[Array, Array]:
    """Return chi and Phi (1/s) at angles theta from the polarizer (W2010 Eq. 44, WD2011 Eq. 22), of mean zero.

    X = grad chi + u x grad Phi is the explicit form of a torque such as :meth:`~fespin.TorqueMap.torque` returns::

        chi = integral (a - alpha b)/(1 + alpha^2) dc,   Phi = integral (b + alpha a)/(1 + alpha^2) dc,   c = cos theta

    W2010 leaves all of chi to the longitudinal and Phi to the transverse accumulation; damping mixes them.

    Parameters
    ----------
    theta
        Radians, any shape.

    Returns
    -------
    chi, Phi
        Of the shape of theta.

    Examples
    --------
    >>> from numpy.polynomial import Chebyshev
    >>> from fespin.coupling import torque_potentials
    >>> torque = fs.AngularTorque(damping_like=Chebyshev([1e-3]), field_like=Chebyshev([1e-4]))
    >>> chi, phi = torque_potentials(torque, spin, np.array([0.0, np.pi]))
    >>> print(f"{chi[0] - chi[1]:.2e} {phi[0] - phi[1]:.2e}")
    3.50e+08 5.27e+07
    """
    p = np.asarray(torque.polarizer)
    across = np.cross(p, np.eye(3)[int(np.argmin(np.abs(p)))])
    across /= np.linalg.norm(across)

    def at(c: Array) -> Array:
        u = c[:, None] * p + np.sqrt(np.maximum(1 - c * c, 0.0))[:, None] * across
        return np.array(torque.potentials(u, spin))

    # The mean over the sphere is half the integral over c, exact for polynomials.
    degree = max(len(torque.damping_like.coef), len(torque.field_like.coef))
    nodes, weights = np.polynomial.legendre.leggauss(degree + 1)
    angles = np.asarray(theta, dtype=float)
    chi, phi = at(np.cos(angles.ravel())) - (at(nodes) @ weights / 2)[:, None]
    return chi.reshape(angles.shape), phi.reshape(angles.shape)


def _require_finite(key: str, value: float) -> None:
    if not is_finite(value):
        raise InputError(f"spin transfer: {key} is {value!r}; it must be a finite number")
