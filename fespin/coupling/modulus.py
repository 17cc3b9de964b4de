"""The length of a magnetization under a current: what spins that a layer absorbs add to it or take from it.

Wegrowe and Drouhin (2004, Eqs. 21-25) let the modulus of u decay with a rate f that the current makes. With a time tau
in which the magnet restores its length,

    d|u|^2/dt = -2 f |u|^2 - (|u|^2 - 1)/tau,        |u|^2 = 1/(1 + 2 f tau) at rest, if f tau > -1/2.

The sources of f are the longitudinal spins that the layer absorbs, with which moments balance,

    f = (mu_B/(e Ms L)) [J_s(below) - J_s(above)] = (mu_B/(e Ms v)) integral of the spin that reactions change,

or the papers' f_par, the s-d current of one half of the layer less that of the other (:func:`f_parallel`), which is
no balance of moments. Both are odd in the current. Energies are those of the vector Ms |u| u: a barrier of second
degree is |u|^2 times as high, and a part of it is odd in the current. The time may be that of the two longitudinal
equations of Saslow, Sun and Xu (2021) at rest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..constants import BOHR_MAGNETON, ELEMENTARY_CHARGE
from ..energy.collection import AnyTerm, volume_density
from ..errors import InputError, ModelError
from ..macrospin.spin import Macrospin
from ..onsager.power import region_integrals, region_volume
from ..quantities import is_finite, require_positive
from ..stack import Stack, common_axis, sign_along
from ..transport.problem import TransportProblem
from ..transport.solution import TransportSolution
from ..transport.spins import SPIN
from ..transport.vector import Vector


def absorbed_spin_current(problem: TransportProblem, solution: TransportSolution, layer: str) -> float:
    """Return the spin current that a magnet absorbs, J_s(below) - J_s(above) (A/m2). Collective.

    J_s is the current of the magnet's own majority less that of its minority, d electrons among them, along the axis of
    the device: what reactions change of the spin, over the layer's volume and times its thickness. It is odd in the
    current, zero in a symmetric layer, and the same whichever way up the device is described.

    Raises
    ------
    InputError
        If the layer is no uniform magnet.

    Examples
    --------
    >>> from fespin.coupling import absorbed_spin_current
    >>> problem = fs.TransportProblem(fs.line(comm, stack))
    >>> print(f"{absorbed_spin_current(problem, problem.solve(current_density=1e11), 'free'):.2e}")
    7.55e+06
    """
    system, magnet = problem.system, solution.stack[layer]
    spin = _spin_weights(problem, solution.stack, layer)
    integrals = region_integrals(system, list(solution.fields.values()), layer)
    total = 0.0
    for reaction in system.declaration.media[layer].reactions:
        changed = sum(spin.get(f, 0.0) * w for f, w in reaction.weights.items())
        if changed:
            total += changed * reaction.coefficient * float(system.vector(dict(reaction.weights)) @ integrals)
    return total * magnet.thickness / region_volume(system, layer)


def _spin_weights(problem: TransportProblem, stack: Stack, layer: str) -> Mapping[str, float]:
    """Return majority less minority of a magnet as weights over the fluxes conjugate to the fields."""
    magnet = stack[layer]
    if magnet.direction is None:
        raise InputError(f"layer '{layer}' is no uniform ferromagnet; it has no majority")
    if isinstance(problem.model, Vector):
        return dict(zip(SPIN, magnet.direction, strict=True))
    # d-down is the minority of its magnet, d-up the majority; s is up less down along the common axis.
    return {"s": float(sign_along(magnet, common_axis(stack))), "e_down": -1.0, "e_up": 1.0}


def modulus_rate(current: float, saturation_magnetization: float, thickness: float, share: float = 1.0) -> float:
    """Return f = g_d (mu_B/(e Ms L)) J (1/s) of a spin current that takes from the magnetization for J > 0.

    Parameters
    ----------
    current
        J (A/m2): of :func:`absorbed_spin_current`, or of :func:`f_parallel`.
    saturation_magnetization
        Ms (A/m).
    thickness
        L (m).
    share
        g_d: magnetic moment of an electron over the Bohr magneton; of f_parallel the papers' g_d/g.

    Examples
    --------
    >>> from fespin.coupling import modulus_rate
    >>> print(f"{modulus_rate(1e11, saturation_magnetization=1.45e6, thickness=10e-9):.3e}")
    3.992e+08
    """
    require_positive("modulus", "saturation_magnetization", saturation_magnetization)
    require_positive("modulus", "thickness", thickness)
    for key, x in (("current", current), ("share", share)):
        if not is_finite(x):
            raise InputError(f"modulus: {key} is {x!r}; it must be a finite number")
    return share * BOHR_MAGNETON / (ELEMENTARY_CHARGE * saturation_magnetization * thickness) * current


def modulus_squared(rate: float, relaxation_time: float) -> float:
    """Return the steady |u|^2 = 1/(1 + 2 f tau).

    Raises
    ------
    ModelError
        If f tau <= -1/2: the length would grow for ever.

    Examples
    --------
    >>> from fespin.coupling import modulus_squared
    >>> round(modulus_squared(-5e8, 1e-10), 4)
    1.1111
    """
    product = rate * relaxation_time
    if not is_finite(product):
        raise InputError(f"modulus: rate {rate!r} and relaxation_time {relaxation_time!r} must be finite")
    if product <= -0.5:
        raise ModelError(
            f"modulus: rate times relaxation_time is {product:.4g}; it must exceed -1/2, or the length grows for ever"
        )
    return 1 / (1 + 2 * product)


@dataclass(frozen=True)
class Lengthened:
    """An energy of the vector |u| u instead of u, with the numbers of the magnet at |u| = 1.

    Attributes
    ----------
    term
        Energy with all numbers in it.
    length
        |u|.
    """

    term: AnyTerm
    length: float

    @property
    def axis(self) -> Any:
        """Return the axis of the energy, if it has one: what is symmetric stays so."""
        return getattr(self.term, "axis", None)

    @property
    def local(self) -> bool:
        """Return whether the energy is local, as it says itself."""
        return bool(getattr(self.term, "local", False))

    def density(self, m: Any, grad: Any, x: Any) -> Any:
        """Return the energy density (J/m3)."""
        return volume_density(self.term, self.length * m, self.length * grad, x)


def lengthened_spin(spin: Macrospin, squared: float) -> Macrospin:
    """Return a macrospin whose magnetization has the length |u| Ms.

    Energies are those of the vector |u| u: of second degree (uniaxial, biaxial, shape) times |u|^2, of an applied field
    times |u|, cubic ones times |u|^4. With a smaller moment noise and torques turn it further.

    Parameters
    ----------
    squared
        |u|^2.

    Examples
    --------
    >>> from fespin.coupling import lengthened_spin
    >>> shorter = lengthened_spin(spin, 0.81)
    >>> round(fs.survey(shorter).barrier / fs.survey(spin).barrier, 6)
    0.81
    >>> round(shorter.saturation_magnetization / spin.saturation_magnetization, 6)
    0.9
    """
    require_positive("modulus", "squared", squared)
    if squared == 1:
        return spin
    length = math.sqrt(squared)
    terms = [Lengthened(x, length) for x in spin.resolved_terms]
    return replace(spin, saturation_magnetization=length * spin.saturation_magnetization, terms=terms)
