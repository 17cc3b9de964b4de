"""Notes on layers and their transport: what was assumed of magnets, contacts, materials and interfaces."""

from __future__ import annotations

from collections.abc import Iterable

from ... import materials
from ...stack import Stack
from .. import unit_notes
from . import describe
from .case import Case
from .tables import Interface

# Metals of leads that superconduct at 4.2 K, with the temperature up to which they do (K).
_SUPERCONDUCTORS = {"Nb": 9.2, "NbN": 16.0, "NbTi": 10.0, "Pb": 7.2, "V": 5.4, "Ta": 4.5}
# Thickness below which a layer between magnets does not superconduct, as they break the pairs (m).
_NORMAL = 20e-9
# Keys that transport takes from the library.
_MATERIAL = {"resistivity", "resistivity_star", "beta", "spin_diffusion_length"}
_INTERFACE = {"area_resistance_star", "gamma"}
_LENGTH_KEYS = (
    "mesh_size", "diameter", "width", "lead_width", "lead_thickness", "separation", "wire_overhang", "channel_width",
    "channel_length", "bar_length", "bar_width",
)  # fmt: skip


def layer_notes(case: Case) -> list[str]:
    """Return notes on a validated case's layers and, if it has any, its transport."""
    out = _lengths(case) if "layer" in case.model_fields_set else []
    if not case.transports:
        return out
    stack = case.device_stack()
    out += _drives(case) + _numbers(case) + _temperatures(case)
    out += describe.notes(case) + _directions(case, stack) + _contacts(case, stack)
    return out + unchecked_materials(case, stack) + unchecked_interfaces(case, stack, case.touching(stack))


# ---- numbers in other units
def _lengths(case: Case) -> list[str]:
    """Return notes on lengths and on the size of the device."""
    g = case.geometry
    named_lengths = [(f"geometry.{k}", v) for k in _LENGTH_KEYS if (v := getattr(g, k)) is not None and v > 0]
    named_lengths += [("geometry.semi_axes", x) for x in g.semi_axes or []]
    widths = g.wire_width if isinstance(g.wire_width, list) else [g.wire_width]
    named_lengths += [("geometry.wire_width", x) for x in widths if x is not None]
    thicknesses = [x.thickness for x in case.layer if x.thickness is not None]
    if g.mesh is None:
        named_lengths += [(f"layer {i}.thickness", x) for i, x in enumerate(thicknesses, 1)]
    out = unit_notes.lengths(named_lengths)
    if out or g.mesh is not None:
        # A note on a single length explains the extent as well; the extent of a mesh file is known later.
        return out
    across = [2 * max(g.semi_axes or [0.0]), *(v for k in ("diameter", "width", "separation") if (v := getattr(g, k)))]
    return unit_notes.extent("the device", [sum(thicknesses), *across], "lengths are in m, 10e-9 is 10 nm")


def _drives(case: Case) -> list[str]:
    t = case.transport
    out = unit_notes.current("transport.current_density", t.current_density or 0.0)
    if t.in_plane_field is not None:
        best = min(x.material.resistivity for x in case.make_stack())
        out += unit_notes.current(
            "transport.in_plane_field over the least resistivity", max(t.in_plane_field, key=abs) / best
        )
    if case.geometry.shape == "line":
        for name, c in case.contact.items():
            out += unit_notes.current(f"contact.{name}.current", c.current or 0.0)
    return out + unit_notes.induction("transport.field", t.field)


def _numbers(case: Case) -> list[str]:
    """Return notes on the case's own numbers of materials and interfaces."""
    out: list[str] = []
    for name, own in case.material.items():
        for key in ("resistivity", "resistivity_star"):
            if (value := getattr(own, key)) is not None:
                out += unit_notes.resistivity(f"material.{name}.{key}", value)
        keys = ("spin_diffusion_length", "sd_length", "dephasing_length", "precession_length")
        out += unit_notes.lengths((f"material.{name}.{k}", v) for k in keys if (v := getattr(own, k)) is not None)
    for name, face in case.interface.items():
        out += unit_notes.area_resistance(f"interface.'{name}'.area_resistance_star", face.area_resistance_star or 0.0)
    return out


def _temperatures(case: Case) -> list[str]:
    if case.transport.model != "thermoelectric":
        return []
    out = unit_notes.temperature("transport.reference_temperature", case.transport.reference_temperature)
    for name, c in case.contact.items():
        # A contact temperature that looks odd is intended if the reference temperature is near it.
        if c.temperature is not None and abs(c.temperature / case.transport.reference_temperature - 1) > 0.3:
            out += unit_notes.temperature(f"contact.{name}.temperature", c.temperature)
    return out


# ---- what was assumed
def _directions(case: Case, stack: Stack) -> list[str]:
    """Return a note on magnets whose direction nobody gave."""
    states = case.states().values()
    silent = [
        x.name
        for x in stack
        if x.material.ferromagnetic
        and (x.material.beta or x.material.bands)
        and x.magnetization is None
        and not all(x.name in directions for directions in states)
    ]
    if not silent:
        return []
    names = ", ".join(f"'{n}'" for n in silent)
    owners, magnets = ("layer", "a magnet") if len(silent) == 1 else ("layers", "magnets")
    return [f"{owners} {names}: no magnetization, taken as {magnets} along +z"]


def _contacts(case: Case, stack: Stack) -> list[str]:
    """Return notes on leads that superconduct."""
    t, out = case.transport, []
    # The macrospin's temperature counts as well: the library's numbers at 4.2 K often stand for a device at 300 K.
    cold = t.reference_temperature if t.model == "thermoelectric" else t.temperature
    if case.macrospin is not None:
        cold = max(cold, case.macrospin.temperature)
    layers = case.contact_layers(stack)
    for name, layer in layers.items():
        x = stack[layer]
        critical = _SUPERCONDUCTORS.get(x.material.name, 0.0)
        if cold < critical and x.thickness > _NORMAL and len(stack.names) > 1:
            out.append(
                f"layer '{layer}': {x.material.name} superconducts below {critical:g} K, and its numbers are those of "
                f'the normal metal; as a lead leave it out, with contact.{name}.spin = "reservoir"'
            )
    if cold > max(_SUPERCONDUCTORS.values()):
        return out
    driven = bool(t.current_density or t.current or t.voltage)
    names = [k for k, c in case.contact.items() if c.spin == "blocked" and (driven or c.current or c.voltage)]
    if names:
        out.append(
            f'contact {" and ".join(names)}: "blocked" passes the current but no spins, as an ideal superconductor '
            "below its gap; stacks measured between Nb leads follow the two-current series-resistor model: for them "
            'use "reservoir", both spins at the potential of the lead, and a thin last layer for the resistance of the '
            "interface with Nb"
        )
    return out


def unchecked_materials(case: Case, stack: Stack) -> list[str]:
    """Return a note for each material of which the case takes unchecked numbers from the library."""
    t, out = case.transport, []
    used = _MATERIAL | ({"density_of_states"} if any(t.field) else set())
    used |= {"spin_hall_angle"} if t.model == "vector" else set()
    for name in dict.fromkeys(x.material.name for x in stack):
        unchecked_keys = materials.unchecked("material", name, t.temperature) & used
        own = case.material.get(name)
        own_keys = set() if own is None else set(own.model_dump(exclude_none=True))
        if "conductivity" in own_keys:
            # Channels replace the library's numbers, except the spin-diffusion length that goes with sd_length.
            unchecked_keys &= {"spin_diffusion_length"} if "sd_length" in own_keys else set()
        if own_keys & {"resistivity", "resistivity_star"}:
            unchecked_keys -= {"resistivity", "resistivity_star"}
        unchecked_keys -= own_keys
        if unchecked_keys:
            out.append(_unchecked(name, sorted(unchecked_keys), t.temperature, name))
    return out


def unchecked_interfaces(case: Case, stack: Stack, pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return a note for each interface of which the case takes unchecked numbers from the library.

    Parameters
    ----------
    pairs
        Layers that touch.
    """
    temperature, made_of = case.transport.temperature, {x.name: x.material.name for x in stack}
    tables: dict[frozenset[str], list[Interface]] = {}
    for k, v in case.interface.items():
        tables.setdefault(frozenset(p.strip() for p in k.split("|")), []).append(v)
    unchecked_keys: dict[str, set[str]] = {}
    for a, b in pairs:
        first, second = made_of[a], made_of[b]
        ways = {frozenset((x, y)) for x in (a, first) for y in (b, second)}
        own = [v for names in ways for v in tables.get(names, ())]
        own_keys = {k for v in own for k in v.model_dump(exclude_none=True)}
        if "conductance" in own_keys or any(v.area_resistance_star == 0 for v in own):
            own_keys |= _INTERFACE
        for pair in {f"{first}|{second}", f"{second}|{first}"}:
            keys = materials.unchecked("interface", pair, temperature) & _INTERFACE - own_keys
            if keys:
                unchecked_keys.setdefault(pair, set()).update(keys)
    return [
        _unchecked(pair, sorted(keys), temperature, pair.partition("|")[0]) for pair, keys in unchecked_keys.items()
    ]


def _unchecked(what: str, keys: list[str], temperature: float, ask: str) -> str:
    words = " and ".join([", ".join(keys[:-1]), keys[-1]] if len(keys) > 1 else keys)
    verb = "is" if len(keys) == 1 else "are"
    return (
        f"{what} at {temperature:g} K: the library's {words} {verb} unchecked, quoted without the source at hand; see "
        f"fespin materials {ask}"
    )
