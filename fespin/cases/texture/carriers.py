"""Tables [texture.carriers] and [texture.lead.NAME] of a case file, and the magnet that they declare."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from ...constants import ELEMENTARY_CHARGE
from ...errors import InputError, nearest
from ..metal import MetalTable
from ..schema import Belonging, Length, Number, Table, Time, at_least, within

if TYPE_CHECKING:
    from ...texture import GenericMagnet, TexturedMagnet, TwoBandMagnet

type Kelvins = Annotated[float, Field(gt=0, lt=1e5), within(1e-3)]
type Seebeck = Annotated[float, Field(gt=-1.0, lt=1.0), at_least(1e-12)]

ENDS = ("left", "right")
OWNER = "texture.carriers"
# Coefficients that have keys of their own, or follow from those of [texture].
_GIVEN = {
    "conductivity", "conductivity_up", "conductivity_down", "A_perp", "damping_rate", "spin_flip", "temperature",
    "thermal_conductivity", "gyromagnetic_ratio", "carrier_moment", "spin_relaxation_time", "L_sn", "L_s_up",
    "L_s_down",
}  # fmt: skip


class CarriersTable(Table):
    """Fluxes of a generic or a two-band magnet, which move the texture instead of the torques of an Ohmic current."""

    belonging = Belonging(
        "model",
        {"generic": set(), "two-band": {"spin_diffusion_length", "spin_relaxation_time"}},
        {"generic": set(), "two-band": {"spin_diffusion_length"}},
    )
    model: Literal["generic", "two-band"] = Field(description="of the carriers")
    spin_diffusion_length: Length | None = Field(None, description="of two bands (m)")
    spin_relaxation_time: Time | None = Field(
        None, description="of two bands whose accumulation takes time; default: they follow at once (s)"
    )
    thermal_conductivity: Annotated[float, Field(gt=0, lt=1e6), within(1e-9)] | None = Field(
        None, description="kappa; with it there are temperatures (W/(m K))"
    )
    temperature: Kelvins = Field(300.0, description="of equilibrium (K)")
    seebeck: Seebeck | Annotated[list[Seebeck], Field(min_length=2, max_length=2)] | None = Field(
        None, description="Seebeck coefficient; of two bands [up, down] (V/K)"
    )
    coefficients: dict[str, Number] = Field(
        default_factory=dict,
        description="further ones by name, or instead of those that follow from the polarization and the "
        "nonadiabaticity: L_sM1, L_nM1, L_QN1, C_par, ..., SI units as in irreversible.md (1)",
    )


class LeadTable(Table):
    """An end of the wire: heat and spins. Its charge is that of current_density."""

    at_most_one = (("temperature", "heat"),)
    temperature: Kelvins | None = Field(None, description="of the end (K)")
    heat: Number | None = Field(None, description="instead of a temperature: into the wire; default 0: closed (W/m2)")
    spin: Literal["reservoir", "blocked"] = Field(
        "reservoir", description='of two bands: both at the voltage, or "blocked": no spin flows'
    )
    metal: MetalTable | None = Field(None, description="instead of spin: a normal metal, into which spins diffuse")


def make_law(table: CarriersTable, magnet: TexturedMagnet) -> GenericMagnet | TwoBandMagnet:
    """Return the generic or two-band magnet of a case.

    Raises
    ------
    InputError
        If a coefficient is unknown or impossible.
    """
    from dataclasses import replace

    from ...texture import GenericMagnet, TwoBandMagnet

    law: GenericMagnet | TwoBandMagnet
    given: dict[str, Any] = {"temperature": table.temperature}
    slopes = table.seebeck if isinstance(table.seebeck, list) else [table.seebeck or 0.0] * 2
    try:
        if table.model == "generic":
            if isinstance(table.seebeck, list):
                raise InputError(f"{OWNER}.seebeck: found two; the generic magnet has one sort of carriers (V/K)")
            law = GenericMagnet.of(magnet)
            seebeck = {"L_sn": -law.conductivity * slopes[0] / ELEMENTARY_CHARGE}
        else:
            assert table.spin_diffusion_length is not None
            law = TwoBandMagnet.of(magnet, table.spin_diffusion_length, table.spin_relaxation_time or 0.0)
            seebeck = {
                "L_s_up": -law.conductivity_up * slopes[0] / ELEMENTARY_CHARGE,
                "L_s_down": -law.conductivity_down * slopes[1] / ELEMENTARY_CHARGE,
            }
        if table.thermal_conductivity is not None:
            given |= {"thermal_conductivity": table.thermal_conductivity, **seebeck}
        names = [x.name for x in fields(law) if x.name not in _GIVEN]
        for name in table.coefficients:
            if name not in names:
                raise InputError(f"{OWNER}.coefficients.{name}: unknown; {nearest(name, names)}")
        found: GenericMagnet | TwoBandMagnet = replace(law, **(given | table.coefficients))
        return found
    except InputError as error:
        text = str(error)
        raise InputError(text if text.startswith(OWNER) else f"{OWNER}: {text.partition(': ')[2]}") from error


def check_carriers(
    carriers: CarriersTable | None, leads: dict[str, LeadTable], magnet: TexturedMagnet, *, voltage: bool
) -> None:
    """Refuse carriers and leads that cannot be, and what nothing would use.

    Raises
    ------
    InputError
        With one line that names the table and key.
    """
    for name, lead in leads.items():
        owner = f"texture.lead.{name}"
        if name not in ENDS:
            raise InputError(f"{owner}: there is no such lead; {nearest(name, ENDS)}")
        if carriers is None:
            raise InputError(f"{owner}: nothing uses it; it belongs to [{OWNER}]")
        if lead.temperature is not None and lead.heat is not None:
            raise InputError(f"{owner}: give one of temperature (K) and heat (W/m2), or neither; found both")
        for key in ("temperature", "heat"):
            if getattr(lead, key) is not None and carriers.thermal_conductivity is None:
                raise InputError(f"{owner}.{key}: needs {OWNER}.thermal_conductivity (W/(m K)), which is missing")
        if carriers.model == "generic" and (lead.metal is not None or lead.spin != "reservoir"):
            key = "spin" if lead.metal is None else "metal"
            raise InputError(f'{owner}.{key}: only two bands have spins; found {OWNER}.model = "generic"')
        if lead.metal is not None and lead.spin != "reservoir":
            raise InputError(f"{owner}: give one of spin and metal, or neither; found both")
        if lead.metal is not None and lead.metal.relaxation_time is not None:
            raise InputError(f"{owner}.metal.relaxation_time: nothing uses it; metals follow textures at once")
    if carriers is None:
        return
    for key in ("spin_diffusion_length", "spin_relaxation_time"):
        if carriers.model == "generic" and getattr(carriers, key) is not None:
            raise InputError(f'{OWNER}.{key}: belongs to "two-band", found with "generic"')
    if carriers.model == "two-band" and carriers.spin_diffusion_length is None:
        raise InputError(f'{OWNER}.spin_diffusion_length: missing; model = "two-band" needs it (m)')
    if carriers.seebeck is not None and carriers.thermal_conductivity is None:
        raise InputError(f"{OWNER}.seebeck: needs thermal_conductivity (W/(m K)), which is missing")
    make_law(carriers, magnet)
    if carriers.thermal_conductivity is not None and not any(x.temperature is not None for x in leads.values()):
        raise InputError("texture.lead: no end has a temperature (K); with a thermal_conductivity one of them needs it")
    if voltage:
        raise InputError(
            f"texture.voltage: found with [{OWNER}]; its drive is current_density (A/m2), or an open circuit"
        )
