"""The free layer of a case with what its drive does to it: torque, voltage-controlled anisotropy, heat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import InputError, nearest
from ...stack import Stack
from ...transport.tunnelling import barriers, follows_voltage
from .case import Case

if TYPE_CHECKING:
    from ...coupling.current_map import CurrentMap
    from ...coupling.driven_magnet import DrivenMagnet
    from ...coupling.film_maps import FilmMap
    from ...tunnel import TunnelBarrier


def needs_voltages(case: Case, stack: Stack, pairs: list[tuple[str, str]]) -> bool:
    """Return whether torque or energy of the free layer follow the voltage: one number per current will not do."""
    m = case.macrospin
    return follows_voltage(stack, pairs) or (m is not None and (m.vcma is not None or m.heating is not None))


def _controlled(case: Case, stack: Stack) -> tuple[str, TunnelBarrier]:
    """Return the barrier that controls the anisotropy, and its layers' names from bottom to top.

    Raises
    ------
    InputError
        If there is no such barrier at the layer, or it has no thickness.
    """
    assert case.macrospin is not None and case.macrospin.vcma is not None
    layer, key = case.macrospin.layer, case.macrospin.vcma.interface
    owner = "macrospin.vcma.interface"
    if layer is None:
        raise InputError(f"{owner}: needs macrospin.layer, the free layer; found macrospin.volume")
    pairs = case.touching(stack) or [
        (a, b) for a in stack.names for b in stack.names if "|".join((a, b)) == key.replace(" ", "")
    ]
    found = {"|".join(pair): (pair, x) for pair, x in barriers(stack, pairs).items() if layer in pair}
    names = {part.strip() for part in key.split("|")}
    for name, (pair, barrier) in found.items():
        if set(pair) == names:
            if barrier.thickness is None:
                raise InputError(f"interface.'{key}'.tunnel.thickness: missing; macrospin.vcma needs it (m)")
            return name, barrier
    if not found:
        raise InputError(f"{owner}: found '{key}'; layer '{layer}' has no tunnel barrier")
    raise InputError(f"{owner}: found '{key}'; {nearest(key, found)}")


def check_driven(case: Case) -> None:
    """Refuse voltage-controlled anisotropy and heating that the device does not have.

    Raises
    ------
    InputError
        With one line that names the key.
    """
    m = case.macrospin
    assert m is not None
    for key, table in (("vcma", m.vcma), ("heating", m.heating)):
        if table is None:
            continue
        if case.torque is None or case.torque.source != "transport":
            raise InputError(
                f'macrospin.{key}: the drive is that of the device; it needs [torque] source = "transport"'
            )
    if m.vcma is not None:
        _controlled(case, case.make_stack())
    curie = None if m.heating is None else m.heating.curie_temperature
    if curie is not None and m.temperature >= curie:
        raise InputError(
            f"macrospin.heating.curie_temperature: found {curie:g}; it must exceed macrospin.temperature, "
            f"{m.temperature:g} (K)"
        )


def make_driven(case: Case, device: CurrentMap | FilmMap) -> DrivenMagnet:
    """Return the free layer of a case in its device, without what is pumped."""
    from ...coupling.driven_magnet import DrivenMagnet
    from ...coupling.heating import Heating
    from ...coupling.voltage_control import VoltageControl

    assert case.macrospin is not None
    control, heating, m, stack = None, None, case.macrospin, case.make_stack()
    if m.vcma is not None:
        name, barrier = _controlled(case, stack)
        assert barrier.thickness is not None
        x, y, z = m.vcma.axis
        control = VoltageControl(name, m.vcma.coefficient, barrier.thickness, (x, y, z))
    if m.heating is not None:
        heating = Heating(**m.heating.model_dump())
    area = 0.0
    if m.layer is not None:
        layer = stack[m.layer]
        area = layer.material.resistivity * layer.thickness
    return DrivenMagnet(case.make_macrospin(), device, None, control, heating, area)
