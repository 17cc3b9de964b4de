"""Joule heat of a free layer: its temperature follows the pulse, and magnetization and anisotropy follow that.

    c t dT/dt = p - h (T - T0)

with p (W/m2) the layer's own power and a share of its barriers'. The temperature is that of a layer which stays in its
first direction: what has not switched is there, and that is what write errors are about.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ..energy.collection import AnyTerm
from ..energy.terms import Biaxial, Cubic, InterfaceAnisotropy, Shape, Uniaxial, Zeeman
from ..errors import InputError
from ..macrospin.spin import Macrospin
from ..quantities import is_finite, require_positive

# Largest change of the temperature in a part, over the base temperature, and the most parts of a time of one power.
_CHANGE, _MOST_PARTS = 0.01, 64


@dataclass(frozen=True)
class Heating:
    """How a free layer warms up.

    Attributes
    ----------
    heat_capacity
        c (J/(m3 K)).
    conductance
        h to the base temperature (W/(m2 K)).
    curie_temperature
        Tc (K): Ms(T) = Ms (1 - (T/Tc)^1.5)/(1 - (T0/Tc)^1.5), T0 the macrospin's temperature; None: Ms and
        anisotropies stay.
    anisotropy_exponent
        Constants of anisotropies go with this power of Ms.
    barrier_share
        Part of a barrier's power that heats the layer.

    Raises
    ------
    InputError
        If a number is impossible.

    Examples
    --------
    >>> from fespin.coupling import Heating
    >>> heating = Heating(heat_capacity=3e6, conductance=1e9, curie_temperature=1100.0)
    >>> print(f"{heating.relative_magnetization(400.0, 300.0):.3f}")
    0.910
    """

    heat_capacity: float
    conductance: float
    curie_temperature: float | None = None
    anisotropy_exponent: float = 2.2
    barrier_share: float = 0.5

    def __post_init__(self) -> None:
        require_positive("heating", "heat_capacity", self.heat_capacity)
        require_positive("heating", "conductance", self.conductance)
        if self.curie_temperature is not None:
            require_positive("heating", "curie_temperature", self.curie_temperature)
        if not is_finite(self.anisotropy_exponent):
            raise InputError(f"heating: anisotropy_exponent is {self.anisotropy_exponent!r}; it must be finite")
        if not is_finite(self.barrier_share) or not 0 <= self.barrier_share <= 1:
            raise InputError(f"heating: barrier_share is {self.barrier_share!r}; it must lie between 0 and 1")

    def relative_magnetization(self, temperature: float, base: float) -> float:
        """Return Ms at a temperature over that at the base temperature (K)."""
        tc = self.curie_temperature
        if tc is None:
            return 1.0
        return float((1 - (temperature / tc) ** 1.5) / (1 - (base / tc) ** 1.5))

    def check(self, temperature: float, time: float) -> None:
        """Refuse a temperature at which there is no magnetization left.

        Raises
        ------
        InputError
            With the time (s).
        """
        if self.curie_temperature is not None and temperature >= self.curie_temperature:
            raise InputError(
                f"heating: at {time:.3g} s the free layer is at {temperature:.4g} K, above Curie's temperature, "
                f"{self.curie_temperature:g} K; give a shorter or a lower pulse, or a larger conductance"
            )

    def heated(self, spin: Macrospin, temperature: float) -> Macrospin:
        """Return a macrospin at another temperature (K): kT, Ms and anisotropies change, damping and volume do not."""
        if temperature == spin.temperature:
            return spin
        scale = self.relative_magnetization(temperature, spin.temperature)
        of_anisotropy = scale**self.anisotropy_exponent
        ms = spin.saturation_magnetization * scale
        terms = tuple(_scaled(term, of_anisotropy, ms) for term in spin.resolved_terms)
        return replace(spin, temperature=temperature, saturation_magnetization=ms, terms=terms)

    def course(
        self, pieces: Sequence[tuple[float, float]], power: Callable[[float], float], thickness: float, base: float
    ) -> list[tuple[float, float, float]]:
        """Return (end, drive, temperature) of parts in which the temperature changes little.

        Parameters
        ----------
        pieces
            (end, drive) of parts with one drive each.
        power
            Power per area that heats the layer (W/m2) at a drive.
        thickness
            Thickness of the layer (m).
        base
            T0 (K).

        Raises
        ------
        InputError
            If the layer gets to Curie's temperature.
        """
        tau = self.heat_capacity * thickness / self.conductance
        out: list[tuple[float, float, float]] = []
        begin, now = 0.0, base
        for end, drive in pieces:
            limit = base + power(drive) / self.conductance
            whole = 1 - math.exp(-(end - begin) / tau)
            n = min(_MOST_PARTS, max(1, math.ceil(abs(limit - now) * whole / (_CHANGE * base))))
            for k in range(n):
                # Equal changes of temperature, whose middles are means to second order.
                until = end if k == n - 1 else begin - tau * math.log1p(-whole * (k + 1) / n)
                middle = now + (limit - now) * whole * (k + 0.5) / n
                out.append((until, drive, middle))
            now += (limit - now) * whole
            self.check(max(now, out[-1][2]), end)
            begin = end
        return out


def _scaled(term: AnyTerm, factor: float, magnetization: float) -> AnyTerm:
    """Return an anisotropy with its constants times a factor, and other energies with another Ms (A/m)."""
    if isinstance(term, Uniaxial | InterfaceAnisotropy):
        return replace(term, constant=factor * (term.constant or 0.0))
    if isinstance(term, Biaxial):
        return replace(
            term, constant=factor * (term.constant or 0.0), hard_constant=factor * (term.hard_constant or 0.0)
        )
    if isinstance(term, Cubic):
        return replace(term, constant=factor * (term.constant or 0.0), second=factor * term.second)
    if isinstance(term, Shape | Zeeman):
        return replace(term, saturation_magnetization=magnetization)
    return term
