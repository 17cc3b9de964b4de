"""Effective temperature of a magnet that a current of d electrons heats, and the macrospin with that noise.

Wegrowe and Drouhin (2004) take the noise of the magnetization to grow with the square of the current that d electrons
carry beyond their share in bulk::

    T_eff = T + c <(dJ_dn - k J)^2>
"""

from __future__ import annotations

import dataclasses
import math

from ..errors import InputError
from ..macrospin.spin import Macrospin
from ..onsager.power import moments, region_volume
from ..quantities import is_finite, require_positive
from ..transport.problem import TransportProblem
from ..transport.solution import TransportSolution
from .relaxation import channel_weights


def d_current(problem: TransportProblem, solution: TransportSolution, layer: str) -> float:
    """Return the root mean square difference of a magnet's d current from that of bulk (A/m2). Collective.

    It is the mean over the layer of (dJ_dn - k J)^2 with dJ_dn = J_sdn - J_ddn, k = (sigma_sdn - sigma_ddn)/sigma_t and
    J the local current of all channels (Wegrowe and Drouhin 2004, Eqs. 5 and 23, who do not say what to subtract). It
    is zero in a uniform wire and the same for both directions of the current. It is computed from the integrals of
    gradients from which the dissipation is computed.

    Raises
    ------
    InputError
        If the layer is unknown.
    ModelError
        If it has no d channels.

    Examples
    --------
    >>> from fespin.coupling import d_current
    >>> bands = fs.Bands.from_lengths(8e6, 3e6, 1e6, spin_diffusion_length=40e-9, sd_length=5e-9)
    >>> device = fs.Stack(outer, fs.Layer(fs.Material.from_bands("Co", bands), 30e-9, "magnet"), outer, library={})
    >>> problem = fs.TransportProblem(fs.line(comm, device), fs.ThreeChannel())
    >>> print(f"{d_current(problem, problem.solve(current_density=1e11), 'magnet'):.2e}")
    6.35e+09
    """
    bands = solution.stack[layer].material.bands

    def excess(minority: str) -> dict[str, float]:
        assert bands is not None
        majority = "down" if minority == "up" else "up"
        share = (bands.s_down - bands.d_down) / bands.conductivity
        conductivity = {majority: bands.s_up, minority: bands.s_down, "d_down": bands.d_down}
        if bands.d_up is not None:
            conductivity["d_up"] = bands.d_up
        counted = {minority: 1.0, "d_down": -1.0}
        return {k: (counted.get(k, 0.0) - share) * s for k, s in conductivity.items()}

    system = problem.system
    w = system.vector(channel_weights(problem, solution.stack, layer, excess))
    m = moments(system, list(solution.fields.values())).gradients[layer]
    # A square that is zero may come out as less, by rounding.
    return math.sqrt(max(0.0, float(w @ m @ w)) / region_volume(system, layer))


def effective_temperature(temperature: float, coefficient: float, d_current: float) -> float:
    """Return T_eff = T + c <(dJ_dn - k J)^2> (K), even in the current (Wegrowe and Drouhin 2004, after Eq. 26).

    The two directions of switching of a spin valve differ by the state that they start from, not by the sign of the
    current. Joule heat looks the same.

    Parameters
    ----------
    temperature
        T (K), that of the lattice.
    coefficient
        c (K m4/A2). The paper has T_eff proportional to the square and its constant open: declare what is measured.
    d_current
        Root mean square from :func:`d_current` (A/m2).

    Raises
    ------
    InputError
        If a value is not finite, T is not positive, or c is negative.

    Examples
    --------
    >>> from fespin.coupling import effective_temperature
    >>> effective_temperature(300.0, coefficient=1e-20, d_current=5e10)
    325.0
    """
    require_positive("effective temperature", "temperature", temperature)
    require_positive("effective temperature", "coefficient", coefficient, zero=True)
    if not is_finite(d_current):
        raise InputError(f"effective temperature: d_current is {d_current!r}; it must be a finite number")
    return temperature + coefficient * d_current**2


def heated_spin(spin: Macrospin, coefficient: float, d_current: float) -> Macrospin:
    """Return a macrospin at T_eff: D = alpha gamma kT_eff/((1 + alpha^2) Ms v), and exp(-E/kT_eff) in equilibrium.

    Wegrowe and Drouhin (2004, Eq. 26) define T_eff by the noise along the magnetization and argue that it drives
    activation; here it is the temperature of the whole Fokker-Planck equation (Wegrowe 2010, Eq. 28). Energies (J)
    stay as they are, T_eff (K) obeys the limits of :class:`~fespin.Macrospin`.

    Examples
    --------
    >>> from fespin.coupling import heated_spin
    >>> heated_spin(spin, coefficient=1e-20, d_current=5e10).temperature
    325.0
    """
    temperature = effective_temperature(spin.temperature, coefficient, d_current)
    if temperature == spin.temperature:
        return spin
    # An energy that was given in kT stays as it is at the lattice's temperature.
    return dataclasses.replace(spin, temperature=temperature, terms=spin.resolved_terms)
