"""A magnet of one direction: its size, damping, temperature and energy."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..constants import BOLTZMANN, ELECTRON_GYROMAGNETIC_RATIO
from ..device import Layer
from ..energy.collection import AnyTerm, as_terms, resolve, spread
from ..energy.declaration import Function, Scales, field_vector
from ..energy.magnet import Magnet
from ..energy.on_sphere import Array, Pointwise, macrospin_energy
from ..energy.terms import Zeeman
from ..errors import InputError
from ..quantities import AnyVector, require_positive
from .damping import AddedDamping, response, turning

# Terms of an energy that are added up one after the other.
_TERMS = 50


@dataclass(frozen=True)
class Macrospin:
    """A magnet whose magnetization has one direction u everywhere.

    Its energy E(u) is the sum of the terms and of the applied field's -Ms v B.u; physics follows
    the Gilbert equation with thermal noise (Brown, Phys. Rev. 130, 1677 (1963)).

    Attributes
    ----------
    volume
        v (m3).
    saturation_magnetization
        Ms (A/m).
    damping
        Gilbert's alpha.
    temperature
        K.
    terms
        Energies, of which E is the volume times their densities without a gradient: :class:`Uniaxial` and the others
        of :mod:`fespin.energy`, or plain functions of the UFL vector u that return an energy in J.
    field
        Applied field B = mu0 H (T).
    gyromagnetic_ratio
        gamma (rad/(s T)); default the free electron's.
    pumping
        Damping in addition to alpha, which may depend on the direction: that of spin pumping.
    thickness
        Thickness of the film (m), which energies of faces need: their J/m2 are divided by it.

    Raises
    ------
    InputError
        If a value is impossible, or the energy is not finite everywhere on the sphere.

    Examples
    --------
    >>> film = [fs.Uniaxial(stability=60), fs.Shape(fs.elliptic_cylinder_factors(30e-9, 30e-9, 3e-9))]
    >>> bit = fs.Macrospin(8.5e-24, 8e5, 0.02, 300.0, film, field=(0.0, 0.0, 5e-3))
    >>> print(f"{bit.moment:.3e} {bit.thermal_energy:.3e}")
    6.800e-18 4.142e-21
    """

    volume: float
    saturation_magnetization: float
    damping: float
    temperature: float = 300.0
    terms: Sequence[AnyTerm | Function] = ()
    field: AnyVector = (0.0, 0.0, 0.0)
    gyromagnetic_ratio: float = ELECTRON_GYROMAGNETIC_RATIO
    pumping: AddedDamping | None = None
    thickness: float | None = None

    def __post_init__(self) -> None:
        for key, unit, most, hint in (
            ("volume", " m3", 1e-15, "a cube of 10 nm has 1e-24 m3"),
            ("saturation_magnetization", " A/m", 1e8, "mu0 Ms = 1 T is 7.96e5 A/m"),
            ("damping", "", 1e3, "metals have 0.001 to 0.1"),
            ("temperature", " K", 1e5, "room temperature is 300 K"),
            ("gyromagnetic_ratio", " rad/(s T)", 1e14, "the electron's is 1.76e11 rad/(s T)"),
        ):
            x = getattr(self, key)
            good = isinstance(x, (int, float)) and not isinstance(x, bool) and math.isfinite(x)
            if not good or not 0 < x < most:
                raise InputError(f"macrospin: {key} is {x!r}; it must be positive and below {most:g}{unit} ({hint})")
        object.__setattr__(self, "field", field_vector(self.field, "macrospin: field"))
        object.__setattr__(self, "terms", as_terms("macrospin", self.terms, functions=True))
        if self.thickness is not None:
            require_positive("macrospin", "thickness", self.thickness)
        if self.pumping is not None:
            total = self.pumping.tensor(PROBES)
            least = np.linalg.eigvalsh((total + np.swapaxes(total, 1, 2)) / 2)[:, :2].min()
            if not least + self.damping > 0:
                raise InputError(f"macrospin: with pumping the damping is {least + self.damping:.3g} in some direction")
        values = self.reduced_energy(PROBES)
        if not np.isfinite(values).all():
            at = ", ".join(f"{x:.4g}" for x in PROBES[np.argmin(np.isfinite(values))])
            raise InputError(
                f"macrospin: the energy is not finite on the whole sphere; it is not a number at u = ({at})"
            )
        if np.ptp(values) > 1e5:
            raise InputError(
                f"macrospin: the energy varies by {np.ptp(values):.2g} kT over the sphere, more than 1e5; "
                "energies are in J, constants in J/m3, volumes in m3"
            )

    # ---- one description of a magnet
    @classmethod
    def of(
        cls,
        magnet: Magnet,
        volume: float,
        temperature: float = 300.0,
        *,
        field: AnyVector = (0.0, 0.0, 0.0),
        pumping: AddedDamping | None = None,
        thickness: float | None = None,
    ) -> Macrospin:
        """Return the macrospin of a magnet: its volume (m3), temperature (K) and applied field (T) are added.

        Energies of gradients, such as exchange, are zero in it.

        Parameters
        ----------
        magnet
            Ms, damping, gamma and energies.
        volume, temperature, field, pumping, thickness
            Attributes of the macrospin.

        Examples
        --------
        >>> magnet = fs.Magnet(8e5, 0.01, [fs.Uniaxial(2e5)])
        >>> fs.Macrospin.of(magnet, volume=1e-24, temperature=350.0).temperature
        350.0
        """
        return cls(
            volume,
            magnet.saturation_magnetization,
            magnet.damping,
            temperature,
            magnet.terms,
            field,
            magnet.gyromagnetic_ratio,
            pumping,
            thickness,
        )

    @classmethod
    def of_layer(
        cls,
        layer: Layer,
        area: float,
        temperature: float = 300.0,
        *,
        field: AnyVector = (0.0, 0.0, 0.0),
        pumping: AddedDamping | None = None,
    ) -> Macrospin:
        """Return the macrospin of a device's layer that has a magnet; its volume is `area` (m2) times the thickness.

        Parameters
        ----------
        layer
            Layer with a :class:`Magnet`, such as ``stack["free"]``.
        area
            Cross-section (m2): of a pillar `domain.area`.
        temperature, field, pumping
            Attributes of the macrospin.

        Raises
        ------
        InputError
            If the layer has no magnet.
        """
        if layer.magnet is None:
            raise InputError(f"layer '{layer.name}': it has no magnet; give one, Layer(..., magnet=Magnet(...))")
        require_positive(f"macrospin of layer '{layer.name}'", "area", area)
        return cls.of(
            layer.magnet,
            area * layer.thickness,
            temperature,
            field=field,
            pumping=pumping,
            thickness=layer.thickness,
        )

    @property
    def magnet(self) -> Magnet:
        """Return the magnet without volume and temperature: stabilities become constants, faces have thicknesses."""
        return Magnet(self.saturation_magnetization, self.damping, self.resolved_terms, self.gyromagnetic_ratio)

    @cached_property
    def resolved_terms(self) -> tuple[AnyTerm, ...]:
        """Return the energies with all numbers in them: Ms, constants (J/m3) for stabilities, thicknesses of films."""
        return spread(resolve(self.terms, self._scales), self.thickness)  # type: ignore[arg-type]

    @property
    def _scales(self) -> Scales:
        return Scales(self.saturation_magnetization, self.volume, self.thermal_energy)

    # ---- scales
    @property
    def thermal_energy(self) -> float:
        """Return kT (J)."""
        return BOLTZMANN * self.temperature

    @property
    def moment(self) -> float:
        """Return the magnetic moment Ms v (A m2)."""
        return self.saturation_magnetization * self.volume

    @property
    def free_relaxation_time(self) -> float:
        """Return tau_N = (1 + alpha^2) Ms v/(2 alpha gamma kT), the free-diffusion time of alpha alone (s)."""
        return (1 + self.damping**2) * self.moment / (2 * self.damping * self.gyromagnetic_ratio * self.thermal_energy)

    @property
    def diffusion(self) -> float:
        """Return D = 1/(2 tau_N) (1/s), of alpha alone."""
        return 0.5 / self.free_relaxation_time

    # ---- energy and motion
    @cached_property
    def reduced_energy(self) -> Pointwise:
        """Return E(u)/kT, without the applied field's part if that is zero."""

        def total(u: Any) -> Any:
            parts = [macrospin_energy(term, u, self._scales, self.thickness) for term in self.terms]  # type: ignore[arg-type]
            if any(self.field):
                parts.append(macrospin_energy(Zeeman(self.field), u, self._scales))
            # UFL walks through a sum by recursion, one level for each term, so long sums are split.
            while len(parts) > _TERMS:
                parts = [sum(parts[i + 1 : i + _TERMS], parts[i]) for i in range(0, len(parts), _TERMS)]
            return sum(parts, 0.0 * u[0]) / self.thermal_energy

        return Pointwise(total, "macrospin: energy")

    def energy(self, u: Array) -> Array:
        """Return E (J) at directions u (n, 3)."""
        return self.thermal_energy * self.reduced_energy(u)

    def effective_field(self, u: Array) -> Array:
        """Return mu0 H_eff = -grad E/(Ms v) along the sphere (T) at directions u (n, 3)."""
        return np.asarray(-self.thermal_energy / self.moment * self.reduced_energy.gradient(u))

    def precession(self, u: Array, field: Array) -> Array:
        """Return du/dt of fields B (T), (n, 3): gamma/(1 + alpha^2) (-u x B - alpha u x (u x B)) without pumping."""
        return self.explicit(-self.gyromagnetic_ratio * np.cross(u, field), u)

    def explicit(self, gilbert: Array, u: Array) -> Array:
        """Return du/dt (1/s) of a torque g in Gilbert's equation (1/s), (n, 3): X = (g + alpha u x g)/(1 + alpha^2).

        With pumping the solution of X = g + u x ((alpha + A) X).
        """
        if self.pumping is None:
            return np.asarray((gilbert + self.damping * np.cross(u, gilbert)) / (1 + self.damping**2))
        return np.asarray(np.einsum("nij,nj->ni", response(self.pumping, self.damping, u), np.cross(u, gilbert)))

    def mobility(self, u: Array) -> tuple[Array, Array]:
        """Return K (n, 3, 3) and r (n,): a free energy F makes the velocity D (-K grad F + r u x grad F)/kT.

        K is the diffusion tensor over D. Without pumping it is 1 - u u, and r is 1/alpha.
        """
        if self.pumping is None:
            across = np.eye(3) - u[:, :, None] * u[:, None, :]
            return across, np.full(len(u), 1 / self.damping)
        w = (1 + self.damping**2) / self.damping * response(self.pumping, self.damping, u)
        # The antisymmetric part of the matrix, as the component of its axial vector along u.
        around = np.einsum("nij,nij->n", w, turning(u)) / 2
        return np.asarray((w + np.swapaxes(w, 1, 2)) / 2), -around

    def with_field(self, field: AnyVector) -> Macrospin:
        """Return the same magnet in another applied field (T)."""
        return dataclasses.replace(self, field=tuple(field))


def fibonacci(n: int) -> Array:
    """Return n directions spread evenly over the sphere (n, 3)."""
    i = np.arange(n) + 0.5
    z = 1 - 2 * i / n
    angle = np.pi * (1 + 5**0.5) * i
    r = np.sqrt(1 - z**2)
    return np.stack([r * np.cos(angle), r * np.sin(angle), z], axis=-1)


# Directions at which energies are tried: spread evenly, and the ones at which expressions most often fail.
PROBES: Array = np.concatenate([fibonacci(1000), np.eye(3), -np.eye(3)])
