"""Declared objects that checks of a macrospin's tasks may need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import InputError
from .. import unit_notes

if TYPE_CHECKING:
    from ...macrospin import Macrospin, SpinTorque


@dataclass(frozen=True)
class About:
    """Macrospin of a case, its torque, and where the torque comes from.

    Attributes
    ----------
    spin
        Macrospin.
    torque
        Torque; None without one. A torque from transport is not known yet: any one stands for it.
    drive_unit
        Unit of drives: "A/m2", "V" or "V/m" if the device acts on the macrospin, "" if they are factors on the torque.
    resistance
        True if the device's resistance against the direction is known.
    """

    spin: Macrospin
    torque: SpinTorque | None
    drive_unit: str
    resistance: bool = False

    @property
    def from_transport(self) -> bool:
        """Return whether the device acts on the macrospin."""
        return self.drive_unit != ""

    @property
    def driven(self) -> bool:
        """Return whether there is anything that a drive changes."""
        return self.torque is not None or self.from_transport

    def require_wells(self, owner: str) -> None:
        """Refuse an energy with fewer than two wells.

        Raises
        ------
        InputError
            With the number of wells.
        """
        from ...macrospin import survey

        wells = len(survey(self.spin).wells)
        if wells < 2:
            raise InputError(f"{owner}: the energy has {wells or 'no'} well; a rate of escape needs two")


def drive_unit(summary: Mapping[str, Any]) -> str:
    """Return the unit of drives in a summary: "A/m2", "V" or "V/m" of a device, "1" for factors on the torque."""
    case = summary["case"]
    acts = any(key in case.get("macrospin", {}) for key in ("noise", "modulus"))
    if case.get("torque", {}).get("source", "given") == "given" and not acts:
        return "1"
    if "in_plane_field" in case["transport"]:
        return "V/m"
    return "V" if "voltage" in case["transport"] else "A/m2"


def field_notes(key: str, swept: Sequence[float], about: About) -> list[str]:
    """Return notes on fields (T) that a task sweeps: they add to the macrospin's own, and may be in other units."""
    out = []
    if swept and any(about.spin.field):
        out.append(f"{key}: the swept field adds to macrospin.field = {list(about.spin.field)} T")
    return out + unit_notes.induction(key, swept)


def drive_notes(owner: str, drives: Sequence[float], about: About) -> list[str]:
    """Return notes on current densities that no wire carries."""
    if about.drive_unit != "A/m2" or not drives:
        return []
    return unit_notes.current(f"{owner}.drives", max(drives, key=abs))
