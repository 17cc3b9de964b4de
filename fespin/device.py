"""Declarations of the user: materials, interfaces, layers, contacts. No mesh, no solver."""

from __future__ import annotations

import cmath
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from numbers import Complex
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .carriers import Bands, Thermal
from .constants import LORENZ_NUMBER
from .errors import InputError, ModelError, nearest
from .quantities import Direction, direction, is_finite, require_asymmetry, require_positive, require_type
from .tunnel import TunnelBarrier

if TYPE_CHECKING:
    from .energy.magnet import Magnet

LARGEST = 0.01
"""Longer than any layer (m): a length in other units."""

type Field = Callable[[NDArray[np.float64]], ArrayLike]


@dataclass(frozen=True)
class Material:
    """A conductor of two spin channels.

    Attributes
    ----------
    name
        Name as in interfaces ("Co|Cu").
    resistivity
        Total resistivity rho (ohm m).
    spin_diffusion_length
        l_sf (m).
    beta
        Bulk spin asymmetry, sigma_up,dn = (1 +- beta)/(2 rho); None for a normal metal. With 0 it is a magnet that
        polarizes nothing; case files take 0 in a layer without a magnetization for a normal metal.
    density_of_states
        Density at the Fermi energy, both spins together (1/(J m3)); only transients and precession in a field need it.
    bands
        s and d channels, for models with three or four channels.
    thermal
        Coefficients of the thermoelectric model; None: no Seebeck effect, and the law of Wiedemann and Franz.
    transverse_conductivity
        Ferromagnets in the vector model: sigma of spins across the magnetization (S/m); None: 1/rho.
    dephasing_length, precession_length
        Ferromagnets in the vector model: l_phi and l_J of transverse spins (m); None: no such process.
    g_factor
        g factor of the electrons that precess in a field.
    spin_hall_angle
        Normal metals in the vector model: theta, the spin Hall current over the charge current, positive for Pt and
        negative for Ta and W (signs: docs/conventions.md).
    anisotropic_magnetoresistance
        Ferromagnets in the vector model: A = (rho_par - rho_perp)/rho of currents along and across the magnetization,
        with rho = (rho_par + 2 rho_perp)/3 the resistivity above; between -3/2 and 3.

    Raises
    ------
    InputError
        If a value is impossible.

    Examples
    --------
    >>> niobium = fs.Material("Nb", resistivity=78e-9, spin_diffusion_length=25e-9)
    >>> permalloy = fs.Material.from_star("Py", resistivity_star=291e-9, spin_diffusion_length=5.5e-9, beta=0.76)
    >>> f"{permalloy.resistivity:.3g}", permalloy.ferromagnetic, niobium.ferromagnetic
    ('1.23e-07', True, False)
    """

    name: str
    resistivity: float
    spin_diffusion_length: float
    beta: float | None = None
    density_of_states: float | None = None
    bands: Bands | None = None
    thermal: Thermal | None = None
    transverse_conductivity: float | None = None
    dephasing_length: float | None = None
    precession_length: float | None = None
    g_factor: float = 2.0
    spin_hall_angle: float = 0.0
    anisotropic_magnetoresistance: float = 0.0

    def __post_init__(self) -> None:
        owner = f"material '{self.name}'"
        require_positive(owner, "resistivity", self.resistivity)
        require_positive(owner, "spin_diffusion_length", self.spin_diffusion_length)
        if self.beta is not None:
            require_asymmetry(owner, "beta", self.beta)
        for key in ("g_factor", "spin_hall_angle"):
            if not is_finite(getattr(self, key)):
                raise InputError(f"{owner}: {key} is {getattr(self, key)!r}; it must be finite")
        a = self.anisotropic_magnetoresistance
        if not (is_finite(a) and -1.5 < a < 3):
            raise InputError(f"{owner}: anisotropic_magnetoresistance is {a!r}; it must lie between -3/2 and 3")
        if a and self.beta is None:
            raise InputError(f"{owner}: anisotropic_magnetoresistance is for ferromagnets, and this is none (no beta)")
        if self.spin_hall_angle and self.beta is not None:
            raise InputError(f"{owner}: spin_hall_angle is for normal metals, and this is a ferromagnet (beta)")
        for key in ("density_of_states", "transverse_conductivity", "dephasing_length", "precession_length"):
            if getattr(self, key) is not None:
                require_positive(owner, key, getattr(self, key))
        for key in ("bands", "transverse_conductivity", "dephasing_length", "precession_length"):
            if getattr(self, key) is not None and self.beta is None:
                raise InputError(
                    f"{owner}: {key} is for ferromagnets, and this is none (no beta, or 0 without a magnetization)"
                )
        for part, kind in ((self.bands, Bands), (self.thermal, Thermal)):
            if part is not None:
                require_type(owner, part, kind, "")
        if self.thermal is not None and self.beta is None and self.thermal.seebeck[0] != self.thermal.seebeck[1]:
            raise InputError(
                f"{owner}: seebeck is {self.thermal.seebeck!r}; of a normal metal (no beta) both spins have the same"
            )

    @classmethod
    def from_star(cls, name: str, resistivity_star: float, spin_diffusion_length: float, beta: float) -> Material:
        """Return a ferromagnet from rho* = rho/(1 - beta^2) (ohm m), the quantity experiments report."""
        require_asymmetry(f"material '{name}'", "beta", beta)
        return cls(name, resistivity_star * (1 - beta**2), spin_diffusion_length, beta)

    @classmethod
    def from_bands(cls, name: str, bands: Bands) -> Material:
        """Return a ferromagnet from its s and d channels.

        rho is that of all channels together; beta and l_sf are those of the s channels.
        """
        flip = bands.spin_flip * (1 / bands.s_up + 1 / bands.s_down)
        beta = (bands.s_up - bands.s_down) / (bands.s_up + bands.s_down)
        return cls(name, 1 / bands.conductivity, flip**-0.5 if flip else LARGEST, beta, bands=bands)

    @property
    def ferromagnetic(self) -> bool:
        """True if the material has a magnetization."""
        return self.beta is not None

    def heat_conductivity(self, temperature: float) -> float:
        """Return kappa (W/(m K)): the material's own, or at a temperature (K) by the law of Wiedemann and Franz."""
        own = self.thermal.conductivity if self.thermal else None
        return LORENZ_NUMBER * temperature / self.resistivity if own is None else own

    @property
    def conduction_anisotropy(self) -> tuple[float, float]:
        """Conductivities along and across the magnetization over 1/rho: 1/(1 + 2A/3) and 1/(1 - A/3)."""
        a = self.anisotropic_magnetoresistance
        return 1 / (1 + 2 * a / 3), 1 / (1 - a / 3)

    @property
    def resistivity_star(self) -> float:
        """rho* = rho/(1 - beta^2) (ohm m)."""
        return self.resistivity / (1 - (self.beta or 0.0) ** 2)


@dataclass(frozen=True)
class Interface:
    """A resistive interface, G_up,dn = 1/(2 AR* (1 -+ gamma)).

    Attributes
    ----------
    area_resistance_star
        AR* (ohm m2); 0 is a perfect contact.
    gamma
        Interface spin asymmetry, relative to the magnetization of the magnet it belongs to.
    mixing_conductance
        G_mix of transverse spins (S/m2, complex), for the vector model.
    thermal_conductance
        W/(m2 K), for the thermoelectric model; None: heat passes without a step of temperature.
    spin_memory_loss
        g of the two sides (S/m2), for the vector model; one number stands for both. Spins relax to the lattice right
        at the interface, and dissipate g s^2 per area on each side. The first is that of the side named first.
    tunnel
        Tunnel barrier between two magnets, for the vector model, instead of all above; a and b of the barrier are in
        the order in which the interface is named.

    Examples
    --------
    >>> cobalt_copper = fs.Interface(area_resistance_star=0.51e-15, gamma=0.77)
    >>> up, down = cobalt_copper.conductances
    >>> f"{up:.3g} {down:.3g}"
    '4.26e+15 5.54e+14'
    >>> round(fs.Interface.from_conductances(up, down).gamma, 3)
    0.77
    """

    area_resistance_star: float = 0.0
    gamma: float = 0.0
    mixing_conductance: complex | None = None
    thermal_conductance: float | None = None
    tunnel: TunnelBarrier | None = None
    spin_memory_loss: float | tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        require_positive("interface", "area_resistance_star", self.area_resistance_star, zero=True)
        object.__setattr__(self, "spin_memory_loss", _both_sides("spin_memory_loss", self.spin_memory_loss))
        if any(self.losses) and self.perfect and self.tunnel is None:
            raise InputError(
                "interface: a perfect contact has no spin_memory_loss; give its conductances or area_resistance_star"
            )
        if self.tunnel is not None:
            require_type("interface", self.tunnel, TunnelBarrier, ", such as fespin.TunnelBarrier(10e-12, tmr=1)")
            for key in ("area_resistance_star", "gamma", "mixing_conductance", "thermal_conductance"):
                if getattr(self, key):
                    raise InputError(f"interface: a tunnel barrier has no {key}; give one of them, found both")
            if any(self.losses):
                raise InputError("interface: a tunnel barrier has no spin_memory_loss; give one of them, found both")
        require_asymmetry("interface", "gamma", self.gamma)
        mix = self.mixing_conductance
        if mix is not None and not (isinstance(mix, Complex) and cmath.isfinite(mix) and mix.real >= 0):
            raise InputError(
                f"interface: mixing_conductance is {mix!r}; it must be finite and its real part must not be negative"
            )
        if self.thermal_conductance is not None:
            require_positive("interface", "thermal_conductance", self.thermal_conductance)

    @classmethod
    def from_conductances(
        cls,
        up: float,
        down: float,
        mixing_conductance: complex | None = None,
        thermal_conductance: float | None = None,
        spin_memory_loss: float | tuple[float, float] = (0.0, 0.0),
    ) -> Interface:
        """Return an interface from G_up and G_down (S/m2): AR* = (1/G_up + 1/G_down)/4."""
        require_positive("interface", "the conductance of spin up", up)
        require_positive("interface", "the conductance of spin down", down)
        star = (1 / up + 1 / down) / 4
        gamma = (up - down) / (up + down)
        return cls(star, gamma, mixing_conductance, thermal_conductance, spin_memory_loss=spin_memory_loss)

    @property
    def losses(self) -> tuple[float, float]:
        """Spin-memory loss of the side named first and of the other (S/m2)."""
        pair = self.spin_memory_loss
        assert isinstance(pair, tuple)
        return pair

    @property
    def perfect(self) -> bool:
        """True if the potentials of both spins are continuous across it."""
        return self.area_resistance_star == 0 and self.tunnel is None

    @property
    def plain(self) -> bool:
        """True if there is nothing to it at all."""
        return self.perfect and self.mixing_conductance is None and self.thermal_conductance is None

    @property
    def conductances(self) -> tuple[float, float]:
        """G_up and G_down (S/m2).

        Raises
        ------
        ModelError
            Of a tunnel barrier, which only the vector model has.
        """
        if self.tunnel is not None:
            raise ModelError("interface: a tunnel barrier needs the vector model")
        star = self.area_resistance_star
        return 1 / (2 * star * (1 - self.gamma)), 1 / (2 * star * (1 + self.gamma))

    @property
    def symmetric(self) -> bool:
        """True if it makes no difference which side is named first."""
        return self.losses[0] == self.losses[1] and (self.tunnel is None or self.tunnel.symmetric)

    def reversed(self) -> Interface:
        """Return the same interface with its sides named in the other order."""
        barrier = None if self.tunnel is None else self.tunnel.reversed()
        return replace(self, tunnel=barrier, spin_memory_loss=self.losses[::-1])


def _both_sides(key: str, value: float | Sequence[float]) -> tuple[float, float]:
    """Return a number that is not negative for each side of an interface."""
    pair = tuple(value) if isinstance(value, Sequence) else (value, value)
    if len(pair) != 2 or not all(is_finite(x) and x >= 0 for x in pair):
        raise InputError(
            f"interface: {key} is {value!r}; it must be one or two numbers, finite and not negative (S/m2)"
        )
    return float(pair[0]), float(pair[1])


@dataclass(frozen=True)
class Layer:
    """One layer of a device.

    Attributes
    ----------
    material
        Material of the layer.
    thickness
        Extent along the stacking direction (m).
    name
        Unique in the device; :class:`Stack` supplies material and position if empty.
    magnetization
        Direction, any length; a ferromagnet without one points along +z. In the vector model also a
        function m(x) of points (3, n) in m that returns directions (3, n); on a line x[0] is the position.
    magnet
        Ferromagnets: saturation magnetization, damping and energies, for :meth:`Macrospin.of_layer`.

    Examples
    --------
    >>> free = fs.Layer(fs.material("Co"), 3e-9, "free", magnetization=(0, 3, 4))
    >>> free.direction
    (0.0, 0.6, 0.8)
    >>> fs.Layer(fs.material("Cu"), 20e-9).direction is None
    True
    """

    material: Material
    thickness: float
    name: str = ""
    magnetization: Sequence[float] | Field | None = None
    magnet: Magnet | None = None

    def __post_init__(self) -> None:
        require_type(f"layer '{self.name}'", self.material, Material, ", such as fespin.material('Cu')")
        owner = f"layer '{self.name or self.material.name}'"
        require_positive(owner, "thickness", self.thickness)
        if self.thickness > LARGEST:
            raise InputError(f"{owner}: thickness is {self.thickness!r} m; lengths are in m, 8 nm is 8e-9")
        if self.magnetization is not None:
            if not callable(self.magnetization):
                direction(self.magnetization, owner)
                # A tuple, because an array that was given could be changed later.
                object.__setattr__(self, "magnetization", tuple(float(x) for x in self.magnetization))
            if not self.material.ferromagnetic:
                raise InputError(f"{owner}: magnetization given, but {self.material.name} is no ferromagnet (no beta)")
        if self.magnet is not None:
            from .energy.magnet import Magnet  # with UFL, for which devices without one do not wait

            require_type(owner, self.magnet, Magnet, ", such as fespin.Magnet(8e5, 0.01, [fespin.Uniaxial(2e5)])")
            if not self.material.ferromagnetic:
                raise InputError(f"{owner}: magnet given, but {self.material.name} is no ferromagnet (no beta)")

    @property
    def texture(self) -> Field | None:
        """The magnetization as a function of the place; None where it is uniform, and in a normal metal."""
        return self.magnetization if callable(self.magnetization) else None

    @property
    def direction(self) -> Direction | None:
        """Unit vector of the magnetization; None in a normal metal, and where it varies."""
        if not self.material.ferromagnetic or callable(self.magnetization):
            return None
        return direction((0.0, 0.0, 1.0) if self.magnetization is None else self.magnetization, self.name)


@dataclass(frozen=True)
class Contact:
    """Condition for spins at a contact.

    Attributes
    ----------
    spin
        "reservoir": no accumulation; "lead": semi-infinite continuation of the
        layer it touches; "blocked": no spin current.
    normal
        Direction out of the device, any length, z the stacking direction, in which a lead goes on; None: that of the
        contact's face. It matters where a conductivity depends on the direction.

    Examples
    --------
    >>> fs.Contact("lead").spin
    'lead'
    >>> fs.Contact("pipe")
    Traceback (most recent call last):
        ...
    fespin.errors.InputError: contact: spin is 'pipe'; ...
    """

    spin: str = "reservoir"
    normal: Direction | None = None
    KINDS: ClassVar = ("reservoir", "lead", "blocked")

    def __post_init__(self) -> None:
        if self.spin not in self.KINDS:
            raise InputError(f"contact: spin is '{self.spin}'; {nearest(self.spin, self.KINDS)}")
        if self.normal is not None:
            object.__setattr__(self, "normal", direction(self.normal, "contact", "normal"))
