"""The coefficients of a stack as a thermoelectric element: resistance, Seebeck, Peltier, thermal resistance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ModelError

if TYPE_CHECKING:
    from .problem import TransportProblem


@dataclass(frozen=True)
class ThermoelectricCoefficients:
    """Coefficients of a thermoelectric element between two contacts, linear about its reference temperature.

    Attributes
    ----------
    resistance_area
        A R at equal temperatures of the contacts (ohm m2).
    seebeck
        S = -(V_bottom - V_top)/(T_bottom - T_top) without a current (V/K).
    peltier
        Heat over current at equal temperatures, both upwards (V); T0 S by Onsager's relation.
    thermal_resistance_area
        (T_bottom - T_top) per heat current density without an electrical current (K m2/W).

    Examples
    --------
    >>> problem = fs.TransportProblem(fs.line(comm, stack), fs.Thermoelectric(temperature=300.0))
    >>> device = fs.thermoelectric_coefficients(problem)
    >>> print(f"{device.resistance_area:.3e} {device.thermal_resistance_area:.3e}")
    2.173e-15 1.587e-10
    """

    resistance_area: float
    seebeck: float
    peltier: float
    thermal_resistance_area: float


def thermoelectric_coefficients(problem: TransportProblem) -> ThermoelectricCoefficients:
    """Return the coefficients of a thermoelectric problem between "bottom" and "top". Collective.

    Raises
    ------
    ModelError
        If the model has no heat, or the contacts are others.

    Examples
    --------
    >>> thermal = fs.Thermal(seebeck=(-20e-6, -12e-6), conductivity=50.0)
    >>> cobalt = fs.Material("Co", resistivity=60e-9, spin_diffusion_length=40e-9, beta=0.46, thermal=thermal)
    >>> problem = fs.TransportProblem(fs.line(comm, fs.Stack(fs.Layer(cobalt, 1e-6))), fs.Thermoelectric())
    >>> coefficients = fs.thermoelectric_coefficients(problem)
    >>> print(f"{coefficients.seebeck:.3e}")
    -1.784e-05
    """
    thermal = problem.system.declaration.thermal
    if thermal is None or set(problem.contacts) != {"bottom", "top"}:
        raise ModelError("thermoelectric coefficients need a model with heat and the contacts bottom and top")
    charge, heat = problem.system.declaration.charge, thermal.field
    at = [problem.solver.ports.index(("bottom", f)) for f in (charge, heat)]
    # Current and Q/(T0 a) into the bottom, per volt and per a (T - T0) there: the top is at zero.
    (g, x), (y, k) = problem.solver.conductance()[at][:, at]
    area, t0, a = problem.domain.area, thermal.reference, thermal.scale
    return ThermoelectricCoefficients(
        resistance_area=float(area / g),
        seebeck=float(x * a / g),
        peltier=float(t0 * a * y / g),
        thermal_resistance_area=float(area / (t0 * a**2 * (k - x * y / g))),
    )
