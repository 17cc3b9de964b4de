"""Transport in case files: the tables of materials, interfaces, contacts and the model, and what they declare."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from ... import carriers, device, materials
from ...constants import ELEMENTARY_CHARGE
from ...errors import InputError
from ..schema import Belonging, Drive, Induction, Length, Number, Table, at_least, within
from .tunnelling import Tunnel, make_tunnel

if TYPE_CHECKING:
    from ...transport.model import TransportModel

type Resistivity = Annotated[float, Field(gt=1e-15, lt=1e9)]
type Asymmetry = Annotated[float, Field(gt=-1, lt=1), at_least(1e-30)]
type Decay = Annotated[float, Field(gt=1e-11), within(0, 1e3)]
# Beyond these bounds it is a number in other units.
type Conductivity = Annotated[float, Field(gt=1e-9, lt=1e15)]
type Coefficient = Annotated[float, Field(ge=0, lt=1e40), at_least(1e-6)]
type Seebeck = Annotated[float, Field(gt=-0.1, lt=0.1), at_least(1e-30)]
type Slope = Annotated[float, Field(gt=-1, lt=1), at_least(1e-30)]
type Kelvin = Annotated[float, Field(gt=0, lt=5000), within(1e-3)]
type Conductance = Annotated[float, Field(gt=0, lt=1e30), within(1e-12)]
type Loss = Annotated[float, Field(ge=0, lt=1e30), at_least(1e-12)]

BANDS = ("three-channel", "four-channel")
_THREE, _FOUR, _HEAT, _VECTOR = ("three-channel",), ("four-channel",), ("thermoelectric",), ("vector",)
MODEL_KEYS: dict[str, dict[str, tuple[str, ...]]] = {
    "material": {
        "conductivity": BANDS,
        "spin_flip_coefficient": BANDS,
        "sd_coefficient": BANDS,
        "sd_length": _THREE,
        "sd_up_coefficient": _FOUR,
        "sd_spin_flip_coefficient": _FOUR,
        "d_spin_flip_coefficient": _FOUR,
        "seebeck": _HEAT,
        "thermal_conductivity": _HEAT,
        "resistivity_temperature_coefficient": _HEAT,
        "seebeck_temperature_coefficient": _HEAT,
        "thermal_conductivity_temperature_coefficient": _HEAT,
        "heat_capacity": _HEAT,
        "transverse_conductivity": _VECTOR,
        "dephasing_length": _VECTOR,
        "precession_length": _VECTOR,
        "g_factor": _VECTOR,
        "density_of_states": _VECTOR,
        "diffusion_constant": _VECTOR,
        "spin_hall_angle": _VECTOR,
        "anisotropic_magnetoresistance": _VECTOR,
    },
    "interface": {
        "mixing_conductance": _VECTOR,
        "thermal_conductance": _HEAT,
        "tunnel": _VECTOR,
        "spin_memory_loss": _VECTOR,
    },
    "contact": {"temperature": _HEAT, "heat_flux": _HEAT},
    "transport": {
        "reference_temperature": _HEAT,
        "nonlinear": _HEAT,
        "transverse": _VECTOR,
        "field": _VECTOR,
        "in_plane_field": _VECTOR,
    },
}
"""The keys of a table that belong to some models only."""


def by_model(table: str) -> dict[str, set[str]]:
    """Return the keys of a table that belong to each model only."""
    keys = MODEL_KEYS[table]
    return {m: {k for k, models in keys.items() if m in models} for m in dict.fromkeys(sum(keys.values(), ()))}


class Bands(Table):
    """Conductivities of the s and d channels of a ferromagnet; up is its majority."""

    s_up: Conductivity = Field(description="conductivity of s electrons with spin up, the majority (S/m)")
    s_down: Conductivity = Field(description="conductivity of s electrons with spin down (S/m)")
    d_down: Conductivity = Field(description="conductivity of d electrons with spin down (S/m)")
    d_up: Conductivity | None = Field(None, description="of d electrons with spin up; four channels only (S/m)")


class Material(Table):
    """A new material, or entries that override the library's."""

    belonging = Belonging("transport.model", by_model("material"))
    at_most_one = (
        ("resistivity", "resistivity_star"),
        ("conductivity", "resistivity"),
        ("conductivity", "resistivity_star"),
        ("conductivity", "beta"),
        ("density_of_states", "diffusion_constant"),
    )
    resistivity: Resistivity | None = Field(
        None, description="rho of both spins together; instead of resistivity_star (ohm m)"
    )
    resistivity_star: Resistivity | None = Field(
        None, description="rho* = rho/(1 - beta^2); instead of resistivity (ohm m)"
    )
    beta: Asymmetry | None = Field(
        None, description="bulk spin asymmetry: sigma_up,dn = (1 +- beta)/(2 rho); a ferromagnet has one (1)"
    )
    spin_diffusion_length: Decay | None = Field(None, description="l_sf (m)")
    conductivity: Bands | None = Field(
        None, description="s and d channels of a ferromagnet, instead of resistivity and beta"
    )
    spin_flip_coefficient: Coefficient | None = Field(None, description="g_s of s-up with s-down (S/m3)")
    sd_coefficient: Annotated[float, Field(gt=0, lt=1e40), within(1e-6)] | None = Field(
        None, description="g_sd of s-down with d-down (S/m3)"
    )
    sd_length: Decay | None = Field(
        None, description="l_sd; with spin_diffusion_length instead of the coefficients (m)"
    )
    sd_up_coefficient: Coefficient | None = Field(None, description="of s-up with d-up; default 0 (S/m3)")
    sd_spin_flip_coefficient: Coefficient | None = Field(None, description="of s-down with d-up; default 0 (S/m3)")
    d_spin_flip_coefficient: Coefficient | None = Field(None, description="of d-down with d-up; default 0 (S/m3)")
    seebeck: Seebeck | Annotated[list[Seebeck], Field(min_length=2, max_length=2)] | None = Field(
        None, description="S of [up, down], or of both spins; default 0 (V/K)"
    )
    thermal_conductivity: Annotated[float, Field(gt=0), within(1e-9, 1e9)] | None = Field(
        None, description="kappa without a current; default by the law of Wiedemann and Franz (W/(m K))"
    )
    resistivity_temperature_coefficient: Slope | None = Field(
        None,
        description="relative slope of rho at the reference temperature, with transport.nonlinear; default 0 (1/K)",
    )
    seebeck_temperature_coefficient: Slope | None = Field(
        None, description="relative slope of S, with transport.nonlinear; default 0 (1/K)"
    )
    thermal_conductivity_temperature_coefficient: Slope | None = Field(
        None, description="relative slope of kappa, with transport.nonlinear; default 0 (1/K)"
    )
    heat_capacity: Annotated[float, Field(gt=0), within(1e-6, 1e12)] | None = Field(
        None, description="for transients, from Python only (J/(m3 K))"
    )
    transverse_conductivity: Conductivity | None = Field(
        None, description="of spins across a ferromagnet's magnetization; default 1/rho (S/m)"
    )
    dephasing_length: Length | None = Field(None, description="l_phi of spins across the magnetization (m)")
    precession_length: Length | None = Field(None, description="l_J of spins across the magnetization (m)")
    g_factor: Annotated[float, Field(gt=-1000, lt=1000), at_least(1e-30)] | None = Field(
        None, description="of a normal metal's electrons in transport.field; default 2 (1)"
    )
    density_of_states: Annotated[float, Field(gt=0), within(1e30, 1e60)] | None = Field(
        None, description="N of a normal metal at the Fermi level, both spins; for transport.field (1/(J m3))"
    )
    diffusion_constant: Annotated[float, Field(gt=0), within(1e-12, 1e3)] | None = Field(
        None, description="D of a normal metal; instead of density_of_states = 1/(e^2 rho D) (m2/s)"
    )
    spin_hall_angle: Annotated[float, Field(gt=-100, lt=100), at_least(1e-30)] | None = Field(
        None,
        description="theta of a normal metal, positive for Pt, negative for Ta and W; default the library's or 0 (1)",
    )
    anisotropic_magnetoresistance: Annotated[float, Field(gt=-1.5, lt=3), at_least(1e-30)] | None = Field(
        None, description="(rho_par - rho_perp)/rho of a ferromagnet, rho = (rho_par + 2 rho_perp)/3; default 0 (1)"
    )


_METALLIC = (
    "conductance",
    "area_resistance_star",
    "gamma",
    "mixing_conductance",
    "thermal_conductance",
    "spin_memory_loss",
)


class Interface(Table):
    """An interface between two materials or two layers, or entries that override the library's."""

    belonging = Belonging("transport.model", by_model("interface"))
    at_most_one = (
        ("conductance", "area_resistance_star"),
        ("conductance", "gamma"),
        *(("tunnel", key) for key in _METALLIC),
    )
    area_resistance_star: Annotated[float, Field(ge=0, lt=1), at_least(1e-24)] | None = Field(
        None,
        description="AR* of one interface; papers list 2 AR*; 0 is a perfect contact; default the library's (ohm m2)",
    )
    gamma: Asymmetry | None = Field(
        None, description="spin asymmetry: G_up,dn = 1/(2 AR* (1 -+ gamma)); default the library's, else 0 (1)"
    )
    conductance: Annotated[list[Conductance], Field(min_length=2, max_length=2)] | None = Field(
        None, description="G of [up, down], instead of AR* and gamma (S/m2)"
    )
    mixing_conductance: Number | Annotated[list[Number], Field(min_length=2, max_length=2)] | None = Field(
        None, description="G_mix of spins across the magnetization: a number, or [real part, imaginary part] (S/m2)"
    )
    thermal_conductance: Conductance | None = Field(
        None, description="of heat; default: no step of temperature (W/(m2 K))"
    )
    spin_memory_loss: Loss | Annotated[list[Loss], Field(min_length=2, max_length=2)] | None = Field(
        None,
        description="g of spins that relax right at it: g s^2 per area on both sides, or [a, b] in the order of its "
        "name; default 0 (S/m2)",
    )
    tunnel: Tunnel | None = Field(None, description="a tunnel barrier between two magnets, instead of all other keys")


class Contact(Table):
    """Contact: how spins leave through it, and what drives it if not [transport]."""

    belonging = Belonging("transport.model", by_model("contact"))
    at_most_one = (("voltage", "current"), ("temperature", "heat_flux"))
    spin: Literal["reservoir", "lead", "blocked"] = Field(
        "reservoir",
        description='"reservoir": no accumulation; "lead": its layer goes on for ever; "blocked": no spin current',
    )
    voltage: Drive | None = Field(None, description="of a contact that is driven by itself (V)")
    current: Drive | None = Field(
        None, description="into the device, instead of voltage; 0 floats; on a line a density (A or A/m2)"
    )
    temperature: Kelvin | None = Field(None, description="default transport.reference_temperature (K)")
    heat_flux: Drive | None = Field(
        None, description="into the device, times the cross-section; instead of temperature (W/m2)"
    )


class Solver(Table):
    """Solver of linear systems."""

    kind: Literal["auto", "amg", "direct"] = Field(
        "auto",
        description='"amg": Krylov with algebraic multigrid; "direct": factors; "auto": direct on lines, else amg',
    )
    rtol: Annotated[float, Field(gt=0, lt=1), within(1e-16)] = Field(
        1e-8, description="reduction of the residual in a pass of the iterative solver (1)"
    )
    max_iterations: Annotated[int, Field(gt=0, le=10**6)] = Field(500, description="after which a solve has failed (1)")
    petsc: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="PETSc options without prefix, those that docs/safety.md lists"
    )


class Transport(Table):
    """Model, drive and discretization."""

    belonging = Belonging("model", by_model("transport"))
    at_most_one = (("current_density", "current", "voltage"),)
    model: Literal["two-channel", "three-channel", "four-channel", "thermoelectric", "vector"] = Field(
        "two-channel", description="which channels conduct"
    )
    current_density: Drive | None = Field(
        None, description="through the cross-section, upwards; instead of current and voltage (A/m2)"
    )
    current: Drive | None = Field(None, description="upwards; instead of current_density and voltage (A)")
    voltage: Drive | None = Field(
        None, description="of the bottom against the top; instead of current_density and current (V)"
    )
    measure: Annotated[list[str], Field(min_length=2, max_length=2)] | None = Field(
        None, description="of contacts that are driven one by one two, whose voltage over the current is reported"
    )
    degree: Annotated[int, Field(ge=1, le=6)] = Field(2, description="of the elements (1)")
    temperature: float = Field(
        4.2,
        description="which numbers of the library are taken (K)",
        json_schema_extra={"enum": list(materials.TEMPERATURES)},
    )
    reference_temperature: Kelvin = Field(
        300.0, description="T0, where coefficients hold, and of contacts unless told otherwise (K)"
    )
    nonlinear: bool = Field(False, description="whether there is Joule and spin-flip heat, and coefficients follow T")
    transverse: Literal["absorbed", "resolved"] = Field(
        "absorbed", description="spins across a magnetization end at the interface, or decay in the magnet"
    )
    field: Annotated[list[Induction], Field(min_length=3, max_length=3)] = Field(
        [0.0, 0.0, 0.0], description="B in which spins precess in normal metals (T)"
    )
    in_plane_field: Annotated[list[Drive], Field(min_length=2, max_length=2)] | None = Field(
        None,
        description="[Ex, Ey] in the plane of the layers of a line, the same in all of them; no other drive is needed, "
        'and contacts are "blocked" unless they say otherwise (V/m)',
    )
    solver: Solver = Field(
        default_factory=lambda: Solver.model_validate({}), description="how linear systems are solved"
    )


def make_model(table: Transport) -> TransportModel:
    """Return the transport model of a case."""
    from ... import transport

    if table.model == "thermoelectric":
        further: dict[str, Any] = {"nonlinear": True} if table.nonlinear else {}
        return transport.Thermoelectric(table.reference_temperature, **further)
    if table.model == "vector":
        x, y, z = table.field
        return transport.Vector(table.transverse, (x, y, z))
    plain: dict[str, type[TransportModel]] = {
        "two-channel": transport.TwoChannel,
        "three-channel": transport.ThreeChannel,
        "four-channel": transport.FourChannel,
    }
    return plain[table.model]()


def relabelled[T](owner: str, build: Callable[[], T]) -> T:
    """Return what `build` builds; its errors say where in the case the numbers are.

    Raises
    ------
    InputError
        As `build`, with the owner in place of the name that a constructor gives to what it makes.
    """
    try:
        return build()
    except InputError as error:
        text = re.sub(r"^(material '[^']*'|interface|bands|thermal): ", "", str(error))
        raise InputError(f"{owner}: {text}") from error


# ---- materials
def make_ferromagnet(name: str, own: Material, library: Mapping[str, float], model: str) -> device.Material:
    """Return a ferromagnet of s and d channels.

    Parameters
    ----------
    library
        Numbers that the library has of it: its spin-diffusion length is taken where the case gives sd_length alone.

    Raises
    ------
    InputError
        If something is missing, given twice, or of another number of channels.
    """
    owner, bands = f"material.{name}", own.conductivity
    assert bands is not None
    for key in ("resistivity", "resistivity_star", "beta"):
        if getattr(own, key) is not None:
            raise InputError(f"{owner}.{key}: it follows from conductivity; give one of them, found both")
    sigma = bands.model_dump(exclude_none=True)
    coefficients = ("spin_flip_coefficient", "sd_coefficient")
    given = [k for k in coefficients if getattr(own, k) is not None]
    lengths = [k for k in ("spin_diffusion_length", "sd_length") if getattr(own, k) is not None]
    if given and lengths:
        raise InputError(
            f"{owner}: give the coefficients {' and '.join(coefficients)}, or the lengths spin_diffusion_length and "
            f"sd_length; found {' and '.join(given + lengths)}"
        )
    if model == "four-channel" and lengths:
        raise InputError(f"{owner}.{lengths[0]}: lengths are of three channels; give {' and '.join(coefficients)}")
    if lengths == ["spin_diffusion_length"]:
        raise InputError(f"{owner}.sd_length: missing; with spin_diffusion_length and conductivity it is needed")
    if own.sd_length is not None:
        flip = own.spin_diffusion_length or library.get("spin_diffusion_length")
        if flip is None:
            raise InputError(f"{owner}.spin_diffusion_length: missing; with sd_length it is needed")
        made = carriers.Bands.from_lengths(**sigma, spin_diffusion_length=flip, sd_length=own.sd_length)
        return device.Material.from_bands(name, made)
    for key in coefficients:
        if getattr(own, key) is None:
            other = ", or the lengths spin_diffusion_length and sd_length" if model == "three-channel" else ""
            raise InputError(f"{owner}.{key}: missing; it goes with conductivity{other}")
    up: dict[str, Any] = {k: getattr(own, f"{k}_coefficient") or 0.0 for k in ("sd_up", "sd_spin_flip", "d_spin_flip")}
    if bands.d_up is not None and not any(up.values()):
        raise InputError(
            f"{owner}: nothing couples d_up to the other channels; give sd_up_coefficient, sd_spin_flip_coefficient or "
            "d_spin_flip_coefficient"
        )
    assert own.spin_flip_coefficient is not None and own.sd_coefficient is not None
    g, sd = own.spin_flip_coefficient, own.sd_coefficient
    made = relabelled(owner, lambda: carriers.Bands(**sigma, **up, spin_flip=g, sd=sd))
    return device.Material.from_bands(name, made)


def with_further(material: device.Material, own: Material | None) -> device.Material:
    """Return a material with what the case says for the thermoelectric and the vector model.

    Raises
    ------
    InputError
        If a number is of the other kind of metal, or given twice.
    """
    if own is None:
        return material
    owner, name = f"material.{material.name}", material.name
    new: dict[str, Any] = {
        k: getattr(own, k)
        for k in (
            "transverse_conductivity",
            "dephasing_length",
            "precession_length",
            "g_factor",
            "density_of_states",
            "spin_hall_angle",
            "anisotropic_magnetoresistance",
        )
        if getattr(own, k) is not None
    }
    if own.spin_hall_angle and material.ferromagnetic:
        raise InputError(f"{owner}.spin_hall_angle: it is for normal metals; {name} is a ferromagnet (beta)")
    if own.anisotropic_magnetoresistance and not material.ferromagnetic:
        raise InputError(
            f"{owner}.anisotropic_magnetoresistance: it is for ferromagnets; {name} is none (no beta, or 0 without a "
            "magnetization)"
        )
    for key in ("diffusion_constant", "g_factor"):
        if getattr(own, key) is not None and material.ferromagnetic:
            raise InputError(f"{owner}.{key}: spins precess in transport.field in normal metals; {name} is a magnet")
    if own.diffusion_constant is not None:
        if own.density_of_states is not None:
            raise InputError(f"{owner}: give density_of_states or diffusion_constant, not both")
        new["density_of_states"] = 1 / (ELEMENTARY_CHARGE**2 * material.resistivity * own.diffusion_constant)
    thermal = {
        "conductivity": own.thermal_conductivity,
        "resistivity_slope": own.resistivity_temperature_coefficient,
        "seebeck_slope": own.seebeck_temperature_coefficient,
        "conductivity_slope": own.thermal_conductivity_temperature_coefficient,
        "heat_capacity": own.heat_capacity,
    }
    known = {k: v for k, v in thermal.items() if v is not None}
    if "conductivity_slope" in known and "conductivity" not in known:
        raise InputError(
            f"{owner}.thermal_conductivity_temperature_coefficient: needs thermal_conductivity; the law of Wiedemann "
            "and Franz has its own slope"
        )
    if own.seebeck is not None or known:
        pair = own.seebeck if isinstance(own.seebeck, list) else [own.seebeck or 0.0] * 2
        if pair[0] != pair[1] and not material.ferromagnetic:
            raise InputError(f"{owner}.seebeck: found {pair}; of a normal metal (no beta) both spins have the same")
        new["thermal"] = relabelled(owner, lambda: carriers.Thermal((pair[0], pair[1]), **known))
    return relabelled(owner, lambda: replace(material, **new))


# ---- interfaces
def make_interface(
    owner: str, value: Interface, between: tuple[device.Material, device.Material], known: device.Interface | None
) -> device.Interface:
    """Return an interface: what the case says, and where it is silent the library.

    Parameters
    ----------
    owner
        Place in the case, for messages.
    between
        The materials on its sides.
    known
        The library's interface.

    Raises
    ------
    InputError
        If something is missing, given twice, or without meaning there.
    """
    if value.tunnel is not None:
        for key in _METALLIC:
            if getattr(value, key) is not None:
                raise InputError(f"{owner}: give tunnel or {key}, not both; found both")
        return device.Interface(tunnel=make_tunnel(owner, value.tunnel, between))
    a, b = between
    magnetic = a.ferromagnetic or b.ferromagnetic
    plain = [k for k in ("area_resistance_star", "gamma") if getattr(value, k) is not None]
    mix: complex | None = None
    if value.mixing_conductance is not None:
        parts = value.mixing_conductance if isinstance(value.mixing_conductance, list) else [value.mixing_conductance]
        mix = complex(*parts)
        if not magnetic:
            raise InputError(
                f"{owner}.mixing_conductance: neither side is a ferromagnet (no beta, or 0 without a magnetization)"
            )
    heat = value.thermal_conductance
    loss = value.spin_memory_loss or 0.0
    losses = (loss[0], loss[1]) if isinstance(loss, list) else (loss, loss)
    if value.conductance is not None:
        if plain:
            raise InputError(
                f"{owner}: give conductance, or area_resistance_star and gamma; found conductance and "
                f"{' and '.join(plain)}"
            )
        up, down = value.conductance
        if up != down and not magnetic:
            raise InputError(
                f"{owner}.conductance: found {value.conductance}; neither side is a ferromagnet (no beta, or 0 without "
                "a magnetization), so both spins have the same"
            )
        return relabelled(owner, lambda: device.Interface.from_conductances(up, down, mix, heat, losses))
    star, gamma = value.area_resistance_star, value.gamma
    if star is None:
        if known is None:
            raise InputError(
                f"{owner}.area_resistance_star: missing; the library has no {a.name}|{b.name}; 0 is a perfect contact"
            )
        star = known.area_resistance_star
    if gamma is None:
        gamma = known.gamma if known is not None and star and magnetic else 0.0
    for key, given in (("mixing_conductance", mix is not None), ("spin_memory_loss", any(losses))):
        if given and not star:
            raise InputError(
                f"{owner}.{key}: a perfect contact (area_resistance_star = 0) has none; give conductance = [up, down] "
                "or area_resistance_star, too"
            )
    return relabelled(owner, lambda: device.Interface(star, gamma, mix, heat, spin_memory_loss=losses))
