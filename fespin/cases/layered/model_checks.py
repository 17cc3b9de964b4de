"""Refusals of a transport model before anything is meshed: keys of other models, missing numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...device import Contact, Layer
from ...errors import InputError
from ...stack import Stack
from ..messages import place
from .case import Case
from .tables import MODEL_KEYS, make_model


def _tables(case: Case) -> Iterator[tuple[str, str, Any]]:
    """Yield the tables with keys of some models only: kind, place and table."""
    yield "transport", "transport", case.transport
    for kind in ("material", "interface", "contact"):
        for name, table in getattr(case, kind).items():
            yield kind, place((kind, name)), table


def check_keys(case: Case) -> None:
    """Refuse keys of another model than the case's.

    Raises
    ------
    InputError
        With one line that names the table, the key and the models that have it.
    """
    model = case.transport.model
    for kind, owner, table in _tables(case):
        for key, models in MODEL_KEYS[kind].items():
            if key in table.model_fields_set and model not in models:
                _refuse(f"{owner}.{key}", models, model)
        bands = getattr(table, "conductivity", None)
        if bands is not None:
            if bands.d_up is not None and model != "four-channel":
                _refuse(f"{owner}.conductivity.d_up", ("four-channel",), model)
            if bands.d_up is None and model == "four-channel":
                raise InputError(f'{owner}.conductivity.d_up: missing; the model "four-channel" needs it')


def _refuse(key: str, models: tuple[str, ...], model: str) -> None:
    names = " and ".join(f'"{m}"' for m in models)
    raise InputError(f'{key}: belongs to transport.model = {names}, found with "{model}"')


def heated(case: Case) -> bool:
    """Return whether contacts differ in temperature, or heat is driven through one."""
    if case.transport.model != "thermoelectric":
        return False
    t0 = case.transport.reference_temperature
    names = case.contact_names() or ("bottom", "top")
    kelvin = {n: t0 for n in names if not case.multi_terminal} | {
        k: c.temperature or t0 for k, c in case.contact.items()
    }
    return len(set(kelvin.values())) > 1 or any(c.heat_flux for c in case.contact.values())


def check_temperatures(case: Case) -> None:
    """Refuse contacts with both a temperature and a heat flux, and devices without any temperature.

    Raises
    ------
    InputError
        With one line that names the contact.
    """
    for k, c in case.contact.items():
        if c.temperature is not None and c.heat_flux is not None:
            raise InputError(f"{place(('contact', k))}: give temperature or heat_flux, not both; found both")
    names = case.contact if case.multi_terminal else case.contact_names() or ("bottom", "top")
    if all(k in case.contact and case.contact[k].heat_flux is not None for k in names):
        raise InputError(
            "contact: all contacts have a heat_flux; give at least one of them a temperature, or neither: "
            "transport.reference_temperature"
        )


def check_model(case: Case) -> None:
    """Refuse what the model cannot take, in whichever state of the case.

    Raises
    ------
    InputError
        With one line that names the state, or the table and key.
    """
    base = case.device_stack()
    if case.transport.model == "vector":
        _check_vector(case, base)
    model = make_model(case.transport)
    kinds = case.make_contacts()
    contacts = {k: (kinds.get(k, Contact()), layer) for k, layer in case.contact_layers(base).items()}
    for name, directions in case.states().items():
        stack = base.magnetized(directions)
        try:
            model.declare(stack, contacts, case.touching(stack))
        except InputError as error:
            raise InputError(f"state.{name}: {error}" if case.state else str(error)) from error


def _check_vector(case: Case, stack: Stack) -> None:
    """Refuse missing lengths, densities and interfaces of the vector model."""
    t = case.transport
    for x in stack:
        m, owner = x.material, place(("material", x.material.name))
        if m.ferromagnetic and t.transverse == "resolved" and m.dephasing_length is m.precession_length is None:
            raise InputError(
                f'{owner}.dephasing_length: missing; transport.transverse = "resolved" needs it, or precession_length, '
                "or both"
            )
        if not m.ferromagnetic and any(t.field) and m.density_of_states is None:
            raise InputError(
                f"{owner}.density_of_states: missing; precession in transport.field needs it, or diffusion_constant"
            )
    if t.transverse == "resolved":
        return
    for names in case.touching(stack):
        a, b = (stack[n] for n in names)
        if a.material.ferromagnetic == b.material.ferromagnetic:
            continue
        face = stack.interface(*names)
        if face is None or face.perfect:
            raise InputError(
                f"{_owner(case, a, b)}: a perfect contact, and transverse spins end there; give mixing_conductance and "
                'conductance or area_resistance_star, or choose transport.transverse = "resolved"'
            )
        if face.mixing_conductance is None:
            raise InputError(
                f'{_owner(case, a, b)}.mixing_conductance: missing; transport.transverse = "absorbed" needs it (S/m2), '
                "a number or [real part, imaginary part]"
            )


def _owner(case: Case, a: Layer, b: Layer) -> str:
    """Return the name of the case's table about an interface, or the one it would have."""
    pairs = {frozenset(p.strip() for p in k.split("|")): k for k in case.interface}
    own = f"{a.material.name}|{b.material.name}"
    materials = frozenset((a.material.name, b.material.name))
    return f"interface.'{pairs.get(frozenset((a.name, b.name))) or pairs.get(materials) or own}'"
