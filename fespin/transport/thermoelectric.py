"""Two spin channels and heat, linear about a reference temperature, as a declaration.

Unknowns are c and s of the two-channel model and h = a (T - T0), with a the square
root of the Lorenz number: a voltage of the size of the others. Each spin's current is
driven by grad phi + S grad T, heat by grad T besides, so that the power of the model is
T0 times the entropy production::

    J_i = -sigma_i (grad phi_i + S_i grad T)
    Q   = -kappa grad T + T0 sum S_i J_i,      div Q = 0
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..carriers import Thermal
from ..constants import LORENZ_NUMBER
from ..device import Layer
from ..errors import InputError
from ..onsager.channels import Channels
from ..onsager.declaration import ContactLaw, Declaration, InterfaceLaw, Mechanism, Medium, ThermalField
from ..onsager.leads import contact_law
from ..quantities import is_finite
from ..stack import Stack, common_axis, interface_sign, sign_along
from .model import Contacts, DeviceState, Pairs, declaration_of
from .two_channel import DIFFERENCE, two_channel_law, two_channel_medium

if TYPE_CHECKING:
    from ..onsager.power import Dissipation
    from .solution import TransportSolution

SCALE = math.sqrt(LORENZ_NUMBER)
CHANNELS = Channels(
    {"up": {"c": 1.0, "s": 1.0}, "down": {"c": 1.0, "s": -1.0}, "temperature": {"h": 1 / SCALE}},
)
HEAT = {"h": 1 / SCALE}


@dataclass(frozen=True)
class Thermoelectric:
    """The two-channel model with heat.

    Attributes
    ----------
    temperature
        T0 (K): the coefficients are those at this temperature, and contacts have it unless they are given another.
    nonlinear
        With Joule heat, Thomson heat and coefficients that follow the temperature (:mod:`fespin.transport.hot`).

    Raises
    ------
    InputError
        If the temperature is not positive.

    Examples
    --------
    >>> problem = fs.TransportProblem(fs.line(comm, stack), fs.Thermoelectric(temperature=300.0))
    >>> hot = fs.Terminal(current=0.0, temperature=310.0)
    >>> cold = fs.Terminal(voltage=0.0, temperature=300.0)
    >>> solution = problem.solve(terminals={"bottom": hot, "top": cold})
    >>> print(f"{solution.heats['bottom']:.3e}")
    6.302e+10
    """

    temperature: float = 300.0
    nonlinear: bool = False

    def __post_init__(self) -> None:
        if not is_finite(self.temperature) or self.temperature <= 0:
            raise InputError(f"temperature is {self.temperature!r} K; it must be finite and positive")

    @property
    def channels(self) -> Channels:
        """Up and down along the common axis, and the temperature above T0 (K)."""
        return CHANNELS

    def declare(self, stack: Stack, contacts: Contacts, pairs: Pairs) -> Declaration:
        """Return the declaration of a device.

        Raises
        ------
        InputError
            If magnetizations are not collinear.
        ModelError
            If an interface with gamma joins magnets of opposite magnetization.
        """
        axis = common_axis(stack)

        def law(a: str, b: str) -> InterfaceLaw | None:
            face, sign = stack.interface(a, b), interface_sign(stack, a, b, axis)
            if face is None:
                return None
            spins = InterfaceLaw(perfect=frozenset({"c", "s"}))
            if not face.perfect:
                spins = two_channel_law(face, sign, CHANNELS)
            if face.thermal_conductance is None:
                return replace(spins, perfect=spins.perfect | {"h"})
            step = {(0, "h"): 1 / SCALE, (1, "h"): -1 / SCALE}
            heat = Mechanism("interface heat conduction", face.thermal_conductance / self.temperature, step)
            return replace(spins, mechanisms=(*spins.mechanisms, heat))

        def contact(kind: str, layer: Layer) -> ContactLaw:
            # The temperature is imposed at the contact's face; behind it a lead has no gradient.
            spins = contact_law(kind, two_channel_medium(layer, sign_along(layer, axis)), "c", ("c", "s"))
            return replace(spins, further=({"h": 1.0},))

        return declaration_of(
            CHANNELS.fields,
            stack,
            contacts,
            pairs,
            lambda x: self._medium(x, sign_along(x, axis)),
            law,
            contact=contact,
            thermal=ThermalField("h", self.temperature, SCALE),
        )

    def _medium(self, layer: Layer, sign: int) -> Medium:
        """Return what dissipates in a layer; `sign` is its direction along the axis."""
        thermal = layer.material.thermal or Thermal()
        plain = two_channel_medium(layer, sign)
        conduction = tuple(
            # The force of a spin's current is grad phi + S grad T.
            replace(m, weights={**m.weights, **({"h": s / SCALE} if s else {})})
            for m, s in zip(plain.conduction, thermal.seebeck[::sign], strict=True)
        )
        kappa = layer.material.heat_conductivity(self.temperature)
        heat = Mechanism("heat conduction", kappa / self.temperature, HEAT)
        storage = plain.storage
        if thermal.heat_capacity is not None:
            storage += (Mechanism("heat capacity", thermal.heat_capacity / self.temperature, HEAT),)
        return Medium((*conduction, heat), plain.reactions, storage)

    def accumulation(self, stack: Stack, layer: str) -> Mapping[str, float]:
        """Return phi_up - phi_dn as weights over the fields."""
        return CHANNELS.combination(DIFFERENCE)

    def report(self, problem: DeviceState, solution: TransportSolution) -> dict[str, Any]:
        """Return temperatures and heat currents of contacts and interfaces, and the entropy production."""
        t0 = self.temperature
        temperature = {
            "|".join(pair): [t0 + problem.face_mean(solution, pair, i, HEAT) for i in (0, 1)]
            for pair in problem.domain.interfaces
        }
        heat = {
            # The flux conjugate to h is Q/(T0 a), and the current of the channel "temperature" is Q/T0.
            place: t0 * currents.pop("temperature")
            for place, currents in ((k, dict(c)) for k, c in solution.channel_currents.items())
        }
        return {
            "temperature": temperature,
            "temperatures": dict(solution.temperatures),
            "heat_currents": dict(solution.heats),
            "heat_current": heat,
            **({} if self.nonlinear else {"entropy_production": per_kelvin(solution.dissipation, t0).by_mechanism}),
        }


def per_kelvin(power: Dissipation, temperature: float) -> Dissipation:
    """Return a power over a temperature, part by part: the entropy production of a linear model (W/K)."""
    return replace(power, parts={k: p / temperature for k, p in power.parts.items()})
