"""Notes on a macrospin and its tasks: numbers in other units, and what their tables imply without saying it."""

from __future__ import annotations

from collections.abc import Sequence

from ...constants import BOLTZMANN
from .. import unit_notes
from ..macrospin.tables import MacrospinTable
from ..tasks import owners_of
from .case import Case

# Stabilities are quoted at room temperature.
_ROOM = 300.0
_STABILITIES = {"stability": "constant", "hard_stability": "hard_constant"}


def macrospin_notes(case: Case, assignments: Sequence[str] = ()) -> list[str]:
    """Return notes on the tables [macrospin], [torque] and [[task]] of a validated case.

    Parameters
    ----------
    assignments
        Changes by ``--set``, "table.key=value" each.
    """
    table = case.macrospin
    assert table is not None
    out = unit_notes.magnetization("macrospin.saturation_magnetization", table.saturation_magnetization)
    volume = table.volume if table.volume is not None else case.layer_volume(table.layer or "")
    out += unit_notes.volume(f"macrospin.{'layer' if table.volume is None else 'volume'}", volume)
    out += unit_notes.temperature("macrospin.temperature", table.temperature)
    out += unit_notes.induction("macrospin.field", table.field)
    for i, a in enumerate(table.anisotropy, 1):
        owner = f"macrospin.anisotropy {i}"
        for key in ("constant", "hard_constant", "second_constant"):
            out += unit_notes.anisotropy(f"{owner}.{key}", getattr(a, key, None) or 0.0)
        out += unit_notes.lengths((f"{owner}.size", x) for x in getattr(a, "size", None) or [])
    if case.torque is not None:
        for key in ("damping_like", "field_like"):
            out += unit_notes.induction(f"torque.{key}", [getattr(case.torque, key) or 0.0])
    swept = any(x.partition("=")[0].strip() == "macrospin.temperature" for x in assignments)
    out += _stability(table, volume, swept) + _uncoupled(case)
    about = case.about()
    for owner, task in zip(owners_of(case.task), case.task, strict=True):
        out += task.notes(owner, about)
    return out


def _stability(table: MacrospinTable, volume: float, swept: bool) -> list[str]:
    """Return notes on barriers that are given in kT at another temperature than that at which they are quoted."""
    if not swept and abs(table.temperature / _ROOM - 1) < 0.05:
        return []
    out = []
    for i, a in enumerate(table.anisotropy, 1):
        for key, constant in _STABILITIES.items():
            value = getattr(a, key, None)
            if value is None:
                continue
            here, room = (value * BOLTZMANN * t / volume for t in (table.temperature, _ROOM))
            text = f"{here:.4g} J/m3 at {table.temperature:g} K"
            text += f", {room:.4g} J/m3 at {_ROOM:g} K" if table.temperature != _ROOM else ""
            out.append(
                f"macrospin.anisotropy {i}.{key}: it is K v/kT at macrospin.temperature, so that K grows with T: "
                f"{text}; give {constant} (J/m3) to keep K"
            )
    return out


def _uncoupled(case: Case) -> list[str]:
    """Return a note on a current through the macrospin's layer that its tasks do not feel."""
    assert case.macrospin is not None
    layer, t = case.macrospin.layer, case.transport
    if layer is None or not case.transports or case.driven_by_device:
        return []
    ends = [x for c in case.contact.values() for x in (c.voltage, c.current)]
    if not any((t.current_density, t.current, t.voltage, *ends)):
        return []
    model = "" if t.model == "vector" else ', with transport.model = "vector"'
    so = f'torque.source = "transport"{model}, couples them'
    if case.torque is not None:
        return [f"the current of [transport] through layer '{layer}' does not change the torque, which is given; {so}"]
    return [f"the current of [transport] through layer '{layer}' acts on none of its tasks: there is no [torque]; {so}"]
