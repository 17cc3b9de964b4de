"""Carriers of charge and heat in a material, beyond two spin channels. No mesh, no solver."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from .errors import InputError, nearest
from .quantities import is_finite, require_positive


@dataclass(frozen=True)
class Bands:
    """The s and d channels of a ferromagnet: what they conduct, and what relaxes between them.

    Up is the majority of the magnet, whichever way it points.

    Attributes
    ----------
    s_up, s_down, d_down, d_up
        Conductivities (S/m); d_up only with four channels.
    spin_flip, sd
        s-up with s-down, and s-down with d-down: g_s and g_sd (S/m3).
    sd_up, sd_spin_flip, d_spin_flip
        Four channels: s-up with d-up, s-down with d-up, d-down with d-up (S/m3).
    densities
        Density of states at the Fermi energy per channel, one spin each (1/(J m3)); only transients need it.

    Raises
    ------
    InputError
        If a value is impossible, or four channels are half given.

    Examples
    --------
    >>> bands = fs.Bands.from_lengths(s_up=8e6, s_down=3e6, d_down=1e6, spin_diffusion_length=40e-9, sd_length=5e-9)
    >>> bands.channels
    ('s_up', 's_down', 'd_down')
    >>> f"{bands.conductivity:.3g}"
    '1.2e+07'
    >>> fs.Material.from_bands("Co", bands).spin_diffusion_length
    4e-08
    """

    s_up: float
    s_down: float
    d_down: float
    spin_flip: float
    sd: float
    d_up: float | None = None
    sd_up: float = 0.0
    sd_spin_flip: float = 0.0
    d_spin_flip: float = 0.0
    densities: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        for key in self.channels:
            require_positive("bands", key, getattr(self, key))
        for key in ("spin_flip", "sd", "sd_up", "sd_spin_flip", "d_spin_flip"):
            require_positive("bands", key, getattr(self, key), zero=True)
            if self.d_up is None and key not in ("spin_flip", "sd") and getattr(self, key):
                raise InputError(f"bands: {key} needs d_up, the conductivity of the fourth channel")
        # A d channel ends at normal metals: without scattering into it, nothing fixes the level of its potential.
        to_s = {"d_down": self.sd, "d_up": self.sd_up + self.sd_spin_flip}
        for key, other in (("d_down", "d_up"), ("d_up", "d_down")):
            if key in self.channels and not (to_s[key] or (self.d_spin_flip and to_s[other])):
                missing_key = "sd" if key == "d_down" else "sd_up"
                raise InputError(f"bands: nothing scatters into {key}, so its level is open; give {missing_key}")
        if self.densities is not None:
            for key, value in self.densities.items():
                if key not in self.channels:
                    raise InputError(f"bands: densities has '{key}'; {nearest(key, self.channels)}")
                require_positive("bands", f"densities.{key}", value)
            for key in self.channels:
                if key not in self.densities:
                    raise InputError(f"bands: densities lacks {key}")

    @classmethod
    def from_lengths(
        cls, s_up: float, s_down: float, d_down: float, *, spin_diffusion_length: float, sd_length: float
    ) -> Bands:
        """Return three channels from l_sf and l_sd (m): l^-2 = g (1/sigma + 1/sigma') of the two channels."""
        for key, value in (("spin_diffusion_length", spin_diffusion_length), ("sd_length", sd_length)):
            require_positive("bands", key, value)
        for key, value in (("s_up", s_up), ("s_down", s_down), ("d_down", d_down)):
            require_positive("bands", key, value)
        flip = 1 / (spin_diffusion_length**2 * (1 / s_up + 1 / s_down))
        return cls(s_up, s_down, d_down, flip, 1 / (sd_length**2 * (1 / s_down + 1 / d_down)))

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels."""
        return ("s_up", "s_down", "d_down", *(() if self.d_up is None else ("d_up",)))

    @property
    def conductivity(self) -> float:
        """Conductivity of all channels together (S/m)."""
        return self.s_up + self.s_down + self.d_down + (self.d_up or 0.0)


@dataclass(frozen=True)
class Thermal:
    """Conduction of heat in a material, and its coupling to charge.

    Attributes
    ----------
    seebeck
        Coefficients of spin up and down (V/K): E = S grad T without a current.
    conductivity
        kappa without a current (W/(m K)); None: that of Wiedemann and Franz, L0 T/rho.
    resistivity_slope, seebeck_slope, conductivity_slope
        Relative change per kelvin (1/K) about the reference temperature; only nonlinear solves use them. The last
        is that of a given conductivity.
    heat_capacity
        Heat capacity per volume (J/(m3 K)); only transients need it.

    Examples
    --------
    >>> thermal = fs.Thermal(seebeck=(-20e-6, -10e-6), conductivity=50.0)
    >>> cobalt = fs.Material("Co", resistivity=60e-9, spin_diffusion_length=40e-9, beta=0.46, thermal=thermal)
    >>> cobalt.heat_conductivity(300.0)
    50.0
    """

    seebeck: tuple[float, float] = (0.0, 0.0)
    conductivity: float | None = None
    resistivity_slope: float = 0.0
    seebeck_slope: float = 0.0
    conductivity_slope: float = 0.0
    heat_capacity: float | None = None

    def __post_init__(self) -> None:
        try:
            pair = tuple(float(x) for x in self.seebeck)
        except (TypeError, ValueError):
            pair = ()
        if len(pair) != 2 or not all(map(math.isfinite, pair)):
            raise InputError(f"thermal: seebeck is {self.seebeck!r}; it must be two finite numbers, of up and down")
        for key in ("resistivity_slope", "seebeck_slope", "conductivity_slope"):
            if not is_finite(getattr(self, key)):
                raise InputError(f"thermal: {key} is {getattr(self, key)!r}; it must be finite")
        for key in ("conductivity", "heat_capacity"):
            if getattr(self, key) is not None:
                require_positive("thermal", key, getattr(self, key))
        if self.conductivity_slope and self.conductivity is None:
            raise InputError(
                "thermal: conductivity_slope needs conductivity; the law of Wiedemann and Franz has its own slope"
            )
