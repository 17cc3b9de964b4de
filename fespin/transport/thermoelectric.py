"""Two spin channels and heat, linear about a reference temperature or not, as a declaration.

Unknowns are c and s of the two-channel model and h = a (T - T0), with a the square
root of the Lorenz number: a voltage of the size of the others. Each spin's current is
driven by grad phi + S grad T, heat by grad T besides, so that the power of the model is
T0 times the entropy production::

    J_i = -sigma_i (grad phi_i + S_i grad T)
    Q   = -kappa grad T + T0 sum S_i J_i,      div Q = 0

Without linearization T takes the place of T0, and heat is produced. The potentials conjugate to the currents J_i and
to the energy current J_E = Q + sum phi_i J_i are eta_i = -phi_i/T and eta_E = 1/T (Callen, Phys. Rev. 73, 1349
(1948)), and each mechanism is a :class:`~fespin.onsager.declaration.StateLaw` in them::

    spin i              force grad eta_i + (phi_i + S_i T) grad eta_E     coefficient sigma_i T
    heat conduction     force grad eta_E                                  coefficient kappa T^2
    spin flip           force eta_up - eta_dn                             coefficient g T
    interface, spin i   force [eta_i] + (mean of phi_i) [eta_E]           coefficient G_i/(mean of 1/T)
    interface, heat     force [eta_E]                                     coefficient K T T'

No source of heat is written: energy is conserved, Joule and Thomson heat follow, and coefficient x force^2 is the
entropy production. At an interface half of the heat goes to either side.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..carriers import Thermal
from ..constants import LORENZ_NUMBER
from ..device import Interface, Layer
from ..errors import InputError
from ..onsager.channels import Channels
from ..onsager.declaration import (
    Array,
    Conjugates,
    ContactLaw,
    Declaration,
    InterfaceLaw,
    Mechanism,
    Medium,
    Side,
    StateLaw,
    ThermalField,
)
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
        True for Joule heat and Thomson heat, and coefficients that follow the temperature.

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
                found = replace(spins, perfect=spins.perfect | {"h"})
            else:
                step = {(0, "h"): 1 / SCALE, (1, "h"): -1 / SCALE}
                heat = Mechanism("interface heat conduction", face.thermal_conductance / self.temperature, step)
                found = replace(spins, mechanisms=(*spins.mechanisms, heat))
            return replace(found, state=self._laws_at(face, sign)) if self.nonlinear else found

        def contact(kind: str, layer: Layer) -> ContactLaw:
            # The temperature is imposed at the contact's face; behind it a lead has no gradient.
            spins = contact_law(kind, two_channel_medium(layer, sign_along(layer, axis)), "c", ("c", "s"))
            spins = replace(spins, further=({"h": 1.0},))
            return replace(spins, state=_lead(spins, layer)) if self.nonlinear else spins

        declaration = declaration_of(
            CHANNELS.fields,
            stack,
            contacts,
            pairs,
            lambda x: self._medium(x, sign_along(x, axis)),
            law,
            contact=contact,
            thermal=ThermalField("h", self.temperature, SCALE),
        )
        if not self.nonlinear:
            return declaration
        return replace(declaration, conjugates=_conjugates(self.temperature), admissible=self._admissible(stack))

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
        state = self._laws_in(layer, sign, plain) if self.nonlinear else ()
        return Medium((*conduction, heat), plain.reactions, storage, state=state)

    def _laws_in(self, layer: Layer, sign: int, plain: Medium) -> tuple[StateLaw[str], ...]:
        """Return the laws of a layer; `plain` is its medium without heat."""
        thermal = layer.material.thermal or Thermal()
        kept = {"T0": self.temperature, "rho_slope": thermal.resistivity_slope}
        coefficients = {m.name: m.coefficient for m in (*plain.conduction, *plain.reactions)}
        up, down = thermal.seebeck[::sign]
        heat = {
            "kappa": layer.material.heat_conductivity(self.temperature),
            "kappa_slope": thermal.conductivity_slope,
            "wiedemann_franz": float(thermal.conductivity is None),
        }

        def spin(seebeck: float, conductivity: float) -> dict[str, float]:
            return {**kept, "sigma": conductivity, "S": seebeck, "S_slope": thermal.seebeck_slope}

        return (
            StateLaw("up", _peltier_up, _conduction, spin(up, coefficients["up"]), gradients=True),
            StateLaw("down", _peltier_down, _conduction, spin(down, coefficients["down"]), gradients=True),
            StateLaw("heat conduction", {"energy": 1.0}, _heat_conduction, {**kept, **heat}, gradients=True),
            StateLaw("spin flip", {"up": 1.0, "down": -1.0}, _flip, {**kept, "g": coefficients["spin flip"]}),
        )

    def _laws_at(self, face: Interface, sign: int) -> tuple[StateLaw[Side], ...]:
        """Return the laws of an interface; `sign` is the direction of its magnet."""
        laws: list[StateLaw[Side]] = []
        if not face.perfect:
            up, down = face.conductances[::sign]
            laws.append(StateLaw("interface up", _step_up, _face, {"G": up, "T0": self.temperature}))
            laws.append(StateLaw("interface down", _step_down, _face, {"G": down, "T0": self.temperature}))
        if face.thermal_conductance is not None:
            step: dict[Side, float] = {(1, "energy"): 1.0, (0, "energy"): -1.0}
            given = {"K": face.thermal_conductance, "T0": self.temperature}
            laws.append(StateLaw("interface heat conduction", step, _face_heat, given))
        return tuple(laws)

    def _admissible(self, stack: Stack) -> Callable[[str, Mapping[str, Array]], str | None]:
        """Return what refuses temperatures that the coefficients cannot have."""

        def wrong(region: str, values: Mapping[str, Array]) -> str | None:
            above = values["h"] / SCALE
            thermal = stack[region].material.thermal or Thermal()
            slopes = {
                "temperature": 1 / self.temperature,
                "resistivity": thermal.resistivity_slope,
                "heat conductivity": thermal.conductivity_slope,
            }
            for what, slope in slopes.items():
                if not (1 + slope * above).min() > 0:
                    return (
                        f"the {what} of layer '{region}' is not positive where it is hottest or coldest; use a "
                        "smaller drive, or slopes that hold over this range"
                    )
            return None

        return wrong

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


# ---- laws without linearization: expressions of the local fields `at` and the parameters `p`
def _kelvin(h: Any, t0: Any) -> Any:
    return t0 + h / SCALE


def _stretch(at: Any, p: Any) -> Any:
    """rho(T)/rho(T0)."""
    return 1 + p["rho_slope"] * at["h"] / SCALE


def _conduction(at: Any, p: Any) -> Any:
    return p["sigma"] / _stretch(at, p) * _kelvin(at["h"], p["T0"])


def _seebeck_heat(at: Any, p: Any) -> Any:
    """S T (V)."""
    return p["S"] * (1 + p["S_slope"] * at["h"] / SCALE) * _kelvin(at["h"], p["T0"])


def _peltier_up(at: Any, p: Any) -> dict[str, Any]:
    return {"up": 1.0, "energy": at["c"] + at["s"] + _seebeck_heat(at, p)}


def _peltier_down(at: Any, p: Any) -> dict[str, Any]:
    return {"down": 1.0, "energy": at["c"] - at["s"] + _seebeck_heat(at, p)}


def _heat_conduction(at: Any, p: Any) -> Any:
    t, wf = _kelvin(at["h"], p["T0"]), p["wiedemann_franz"]
    own = 1 + p["kappa_slope"] * at["h"] / SCALE
    return p["kappa"] * ((1 - wf) * own + wf * t / p["T0"] / _stretch(at, p)) * t**2


def _flip(at: Any, p: Any) -> Any:
    return p["g"] / _stretch(at, p) * _kelvin(at["h"], p["T0"])


def _steps(at: Any, channel: str, sign: float) -> dict[Side, Any]:
    mean = sum(at[side, "c"] + sign * at[side, "s"] for side in (0, 1)) / 2
    return {(1, channel): 1.0, (0, channel): -1.0, (1, "energy"): mean, (0, "energy"): -mean}


def _step_up(at: Any, p: Any) -> dict[Side, Any]:
    return _steps(at, "up", 1.0)


def _step_down(at: Any, p: Any) -> dict[Side, Any]:
    return _steps(at, "down", -1.0)


def _face(at: Any, p: Any) -> Any:
    below, above = (_kelvin(at[side, "h"], p["T0"]) for side in (0, 1))
    return p["G"] * 2 * below * above / (below + above)


def _face_heat(at: Any, p: Any) -> Any:
    return p["K"] * _kelvin(at[0, "h"], p["T0"]) * _kelvin(at[1, "h"], p["T0"])


def _lead_admittance(at: Any, p: Any) -> Any:
    return p["Y"] / _stretch(at, p)


def _lead(law: ContactLaw, layer: Layer) -> tuple[StateLaw[str], ...]:
    """Return the law of a lead, whose resistivity is that at the contact's temperature; its heat stays outside."""
    slope = (layer.material.thermal or Thermal()).resistivity_slope
    return tuple(
        StateLaw(m.name, m.weights, _lead_admittance, {"Y": m.coefficient, "rho_slope": slope}) for m in law.mechanisms
    )


def _channels(w: Mapping[str, Any]) -> tuple[Any, Any]:
    return w["c"] + w["s"], w["c"] - w["s"]


def _potentials(w: Mapping[str, Any], p: Mapping[str, Any]) -> dict[str, Any]:
    t = _kelvin(w["h"], p["T0"])
    up, down = _channels(w)
    return {"up": -up / t, "down": -down / t, "energy": 1 / t}


def _tests(w: Mapping[str, Any], v: Any, p: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    up, down = _channels(w)
    share = v / (p["T0"] * SCALE)
    return {
        "c": {"up": -v, "down": -v},
        "s": {"up": -v, "down": v},
        "h": {"up": up * share, "down": down * share, "energy": -share},
    }


def _work(w: Mapping[str, Any], p: Mapping[str, Any]) -> dict[str, Any]:
    up, down = _channels(w)
    return {"up": -up, "down": -down}


def _conjugates(t0: float) -> Conjugates:
    """Return eta_i = -phi_i/T and eta_E = 1/T.

    The balance of c and s is that of the spins' currents. That of h is the energy's less that of the charges times
    their potentials, over T0 a: what it passes on at a contact is heat.
    """
    return Conjugates(_potentials, _tests, _work, {"T0": float(t0)})


def per_kelvin(power: Dissipation, temperature: float) -> Dissipation:
    """Return a power over a temperature, part by part: the entropy production of a linear model (W/K)."""
    return replace(power, parts={k: p / temperature for k, p in power.parts.items()})
