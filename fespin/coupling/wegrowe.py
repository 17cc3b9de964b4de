"""Wegrowe's forms: spin accumulation and magnetization coupled by cross-coefficients.

Per volume of a magnet, j is the current of moments on the sphere (1/(s m3): one moment per macrospin's volume, times
its angular velocity), dJ = J_up - J_dn, F = -grad mu_F (J) and E = -d(Dphi)/dz (V/m), Dphi = phi_up - phi_dn::

    j  = A F + l E          A: 1/(J s m3)         l, l~: 1/(V s m2)
    dJ = l~ F + sigma E     p = j F + dJ E/2      sigma: S/m, W/m3

W2010 is Wegrowe (2010), WD2011 and WD2004 are Wegrowe and Drouhin. Their mu/e is phi here. Corrected: the forces are
-grad mu_F and the power of dJ has 1/2 (W2010 Eqs. 41, 42; WD2011 Eqs. 19, 20), hence l~ = 2 l or -2 l and not l;
beta = (sigma_up - sigma_dn)/(2 sigma_0).
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from dolfinx import fem

from ..constants import ELEMENTARY_CHARGE, HBAR
from ..errors import InputError, ModelError
from ..macrospin.energy import EnergyTerm
from ..macrospin.pointwise import Array
from ..macrospin.spin import Macrospin
from ..macrospin.torque import AngularTorque
from ..onsager.power import moments, region_integral
from ..quantities import is_finite, require_positive
from ..stack import common_axis, sign_along
from ..transport.vector import Vector

if TYPE_CHECKING:
    from ..transport.problem import TransportProblem
    from ..transport.solution import TransportSolution


@dataclass(frozen=True)
class SpinTransferBlock:
    """One component of the magnet's motion and the spin current coupled to it (W2010 Eq. 42, WD2011 Eq. 20).

    Attributes
    ----------
    ferromagnetic
        A (1/(J s m3)), alpha rho L_F of the papers; see :func:`ferromagnetic_coefficient`.
    cross, reciprocal
        l and l~ (1/(V s m2)). E/2 is the force of dJ, so that Onsager and Casimir ask for l~ = 2 l of a motion that is
        even when all magnets are reversed (along theta), and for l~ = -2 l of an odd one (along phi).
    conductivity
        sigma (S/m): sigma_0 = 1/(2 rho) at given charge field, sigma_0 (1 - beta^2) = 1/(2 rho*) at no charge current.

    Raises
    ------
    InputError
        If a coefficient is impossible, or l~ is neither 2 l nor -2 l.
    ModelError
        If the power could be negative: it needs sigma A > l l~.
    """

    ferromagnetic: float
    cross: float
    reciprocal: float
    conductivity: float

    def __post_init__(self) -> None:
        require_positive("spin transfer", "ferromagnetic", self.ferromagnetic)
        require_positive("spin transfer", "conductivity", self.conductivity)
        for key in ("cross", "reciprocal"):
            _require_finite(key, getattr(self, key))
        if not math.isclose(abs(self.reciprocal), 2 * abs(self.cross), rel_tol=1e-9):
            raise InputError(
                f"spin transfer: reciprocal is {self.reciprocal!r}; it must be twice cross, {2 * self.cross!r}, "
                "or the opposite"
            )
        if not self.cross * self.reciprocal < self.ferromagnetic * self.conductivity:
            most = math.sqrt(self.ferromagnetic * self.conductivity / 2)
            raise ModelError(
                f"spin transfer: cross is {self.cross!r}; power would be gained, its magnitude must be below {most:.6g}"
            )


def coupled_fluxes(block: SpinTransferBlock, force: float, field: float) -> tuple[float, float]:
    """Return j (1/(s m3)) and dJ (A/m2) of the forces F (J) and E (V/m) (W2010 Eq. 42, WD2011 Eq. 20)."""
    j = block.ferromagnetic * force + block.cross * field
    return j, block.reciprocal * force + block.conductivity * field


def coupled_power(block: SpinTransferBlock, force: float, field: float) -> float:
    """Return the power j F + dJ E/2 (W/m3) (W2010 Eq. 41 and WD2011 Eq. 19, which lack 1/2); never negative."""
    j, current = coupled_fluxes(block, force, field)
    return j * force + current * field / 2


def pumping_field(block: SpinTransferBlock, flux: float) -> float:
    """Return E = -l~ j/(sigma A - l l~) (V/m) of an open circuit, dJ = 0, for a current of moments j (1/(s m3)).

    WD2011 ends (Sec. 7, no number) with E = j/l, which is F = 0. At dJ = 0 it is the limit of large l, that only an odd
    coupling has; an even one has the opposite sign.
    """
    determinant = block.conductivity * block.ferromagnetic - block.cross * block.reciprocal
    return -block.reciprocal * flux / determinant


def pumping_voltage(block: SpinTransferBlock, flux: float, length: float) -> float:
    """Return the drop of Dphi over a length (m) of open circuit: E times the length (V).

    No current of either spin is left to relax, so the length must be short against the spin-diffusion length. With the
    conductivity at no charge current, the mean potential drops by -beta/2 of it, which a voltmeter sees.
    """
    require_positive("pumping voltage", "length", length)
    return length * pumping_field(block, flux)


def pumping_increase(block: SpinTransferBlock) -> float:
    """Return l l~/sigma (1/(J s m3)): by how much A at E = 0, where spins leave, exceeds j/F at dJ = 0, where none can.

    From W2010 Eq. 42. Of an even coupling it is the damping that pumping adds: with l of :func:`transverse_cross`,
    sigma = G_mix t, t the thickness, it is A alpha_sp/(alpha (1 + alpha^2)). Of an odd one it is negative.
    """
    return block.cross * block.reciprocal / block.conductivity


def ferromagnetic_coefficient(spin: Macrospin) -> float:
    """Return A = alpha L_F/v^2 = D/(kT v) (1/(J s m3)) (WD2011 Eqs. 3 and 6, W2010 Eqs. 20 and 26; density 1/v).

    With energies in J, L_F of one volume is gamma/((1 + alpha^2) Ms), and mu_F that of the whole volume.
    """
    return spin.diffusion / (spin.thermal_energy * spin.volume)


# ---- chi: the longitudinal accumulation
def chi_slope(
    problem: TransportProblem, solution: TransportSolution, layer: str, cross: float, *, process: str = "spin flip"
) -> float:
    """Return dchi/dtheta = -l integral_F d(Dphi)/dz dz (1/(s m2)) (W2010 Eq. 49). Collective.

    Upwards through a magnet and a lead that continues it, majority less minority. W2010 integrates over both sides of
    the face: that is zero where Dphi is continuous. Times v/t, t the thickness, it is dchi/dtheta of an
    :class:`~fespin.AngularTorque` (1/s); WD2011 Eq. 21 divides by rho L_F as well.

    In general, over all magnets F and faces f, D = Dphi of the magnet that is there, with two channels::

        2 J A R_ne = sum_F beta integral_F d(Dphi)/dz dz + sum_f gamma (D+ - D-)

    so that :func:`chi_slope_of_resistance` agrees if this is the only magnet and its interfaces have gamma = 0,
    resistive or not. Of three channels, sigma_t in all, integral_F is 2 sigma_t J/(sigma_sup - sigma_sdn - sigma_ddn)
    times the part "spin_flip" of ``r_gmr``, or -sigma_t J/sigma_ddn times "d_relaxation" with `process` "s-d".

    Parameters
    ----------
    problem
        Still with the layers and spaces of the solution.
    cross
        l, l_theta,theta of W2010 (1/(V s m2)).
    process
        What relaxes: "spin flip" (s-up less s-down), or "s-d" (s-down less d-down; three or four channels).

    Raises
    ------
    InputError
        If the layer is no uniform magnet, or the process is unknown.
    ModelError
        If the device is no plain stack between "bottom" and "top", or there is no d channel.
    """
    _require_finite("cross", cross)
    stack, names = solution.stack, solution.stack.names
    found = stack[layer]
    if found.direction is None:
        raise InputError(f"layer '{layer}' is no uniform ferromagnet; chi is of one")
    if not solution.layer_drops:
        raise ModelError("chi: the device is no plain stack with the contacts 'bottom' and 'top'")
    if process not in ("spin flip", "s-d"):
        raise InputError(f"chi: process is '{process}'; allowed: 'spin flip', 's-d'")
    if process == "s-d":
        weights = _minority(solution, layer, 1.0, 1.0)
    else:
        # The vector model's accumulation is along each magnet, the others' along the common axis.
        sign = 1 if isinstance(problem.model, Vector) else sign_along(found, common_axis(stack))
        weights = {f: sign * x for f, x in solution.spin[layer].items()}
    ends, i = [], names.index(layer)
    for contact, k in (("bottom", i - 1), ("top", i + 1)):
        if 0 <= k < len(names):
            pair = (names[min(i, k)], names[max(i, k)])
            ends.append(problem.face_mean(solution, pair, pair.index(layer), weights))
        elif problem.contacts[contact][0].spin == "lead":
            ends.append(0.0)  # far away in the lead
        else:
            ends.append(problem.end_mean(solution, contact, weights))
    return -cross * (ends[1] - ends[0])


def chi_slope_of_resistance(cross: float, beta: float, current_density: float, r_nonequilibrium: float) -> float:
    """Return dchi/dtheta = -(2 l/beta) J A R_ne (1/(s m2)) (W2010 Eq. 49 prints -l J R/(2 beta), from R of its Eq. 36).

    For one magnet of asymmetry beta, as `chi_slope` says; J upwards (A/m2), A R_ne in ohm m2. W2010 Eq. 36 and WD2011
    Eq. 12 have 2 beta where beta/2 is right.
    """
    for key, x in (("cross", cross), ("current_density", current_density), ("r_nonequilibrium", r_nonequilibrium)):
        _require_finite(key, x)
    if not is_finite(beta) or not 0 < abs(beta) < 1:
        raise InputError(f"spin transfer: beta is {beta!r}; it must lie between -1 and 1 and not be zero")
    return -2 * cross / beta * current_density * r_nonequilibrium


# ---- Phi: the transverse accumulation
def transverse_cross(spin: Macrospin, mixing_conductance: complex) -> complex:
    """Return l of transverse spins at a face, -(gamma hbar/(2 e Ms v)) G_mix (1 + i alpha)/(1 + alpha^2) (1/(V s m2)).

    From the torque on the magnet, instead of l_phi,phi and l_theta,phi of W2010 Eq. 42, which are phenomenological;
    i is u x. Its l~ is 2 l: that is spin pumping. G_mix (S/m2).

    Raises
    ------
    InputError
        If the conductance is not finite.
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


# ---- effective temperature: the d current
def d_current(problem: TransportProblem, solution: TransportSolution, layer: str) -> float:
    """Return the root mean square of dJ_dn = J_sdn - J_ddn over a magnet (A/m2) (WD2004 Eqs. 5 and 23). Collective.

    From the integrals that its dissipation is made of. Far from all faces it is |J (sigma_sdn - sigma_ddn)|/sigma_t,
    which is not zero: WD2004 does not say what to subtract.

    Raises
    ------
    InputError
        If the layer is unknown.
    ModelError
        If it has no d channels.
    """
    bands = solution.stack[layer].material.bands
    weights = _minority(solution, layer, *((bands.s_down, bands.d_down) if bands else (1.0, 1.0)))
    system = problem.system
    m = moments(system, list(solution.fields.values())).gradients[layer]
    one = fem.Function(system.base)
    one.x.array[:] = 1.0
    w = system.vector(weights)
    return math.sqrt(float(w @ m @ w) / region_integral(system, one, layer))


def effective_temperature(temperature: float, coefficient: float, d_current: float) -> float:
    """Return T_eff = T + c dJ_dn^2 (K), even in the current (WD2004, after Eq. 26).

    Parameters
    ----------
    temperature
        T (K), that of the lattice.
    coefficient
        c (K m4/A2). WD2004 has T_eff proportional to dJ_dn^2 and its constant open: declare what is measured.
    d_current
        dJ_dn (A/m2), see :func:`d_current`.

    Raises
    ------
    InputError
        If a value is not finite, T is not positive, or c is negative.
    """
    require_positive("effective temperature", "temperature", temperature)
    require_positive("effective temperature", "coefficient", coefficient, zero=True)
    _require_finite("d_current", d_current)
    return temperature + coefficient * d_current**2


@dataclass(frozen=True)
class _Held:
    """An energy at the lattice's temperature: one that was given in kT is not to grow with T_eff."""

    term: EnergyTerm
    spin: Macrospin

    @property
    def axis(self) -> Any:
        """Return the term's axis, by which symmetric problems are found."""
        return getattr(self.term, "axis", None)

    def energy(self, u: Any, spin: Macrospin) -> Any:
        """Return the energy (J) as a UFL expression of the UFL vector u."""
        return self.term.energy(u, self.spin)


def heated_spin(spin: Macrospin, coefficient: float, d_current: float) -> Macrospin:
    """Return a macrospin at T_eff: D = alpha gamma kT_eff/((1 + alpha^2) Ms v), and exp(-E/kT_eff) in equilibrium.

    WD2004 Eq. 26 defines T_eff by the noise along the magnetization and argues that it drives activation; here it is
    the temperature of the whole Fokker-Planck equation (W2010 Eq. 28). Energies (J) stay as they are, T_eff (K) obeys
    the limits of :class:`~fespin.Macrospin`.
    """
    temperature = effective_temperature(spin.temperature, coefficient, d_current)
    if temperature == spin.temperature:
        return spin
    terms = tuple(_Held(t, spin) for t in spin.terms)  # type: ignore[arg-type]
    return replace(spin, temperature=temperature, terms=terms)


def _minority(solution: TransportSolution, layer: str, s_down: float, d_down: float) -> dict[str, float]:
    """Return s_down phi_sdn - d_down phi_ddn of a magnet as weights over the fields."""
    found = solution.stack[layer]
    if found.material.bands is None or "d_down" not in solution.channels.names:
        raise ModelError(f"layer '{layer}' has no d channels; solve with three or four")
    minority = ("up", "down")[sign_along(found, common_axis(solution.stack)) > 0]
    return solution.channels.combination({minority: s_down, "d_down": -d_down})


def _require_finite(key: str, value: float) -> None:
    if not is_finite(value):
        raise InputError(f"spin transfer: {key} is {value!r}; it must be a finite number")
