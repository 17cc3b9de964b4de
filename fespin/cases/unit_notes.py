"""Notes on numbers that look like another unit's: outside of what nature has, with the likely meaning.

Every function takes the key that holds a number and returns notes about it, none for what is ordinary. Limits are
wide: whatever has been measured in a magnet or made in a laboratory passes without a word.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from ..constants import VACUUM_PERMEABILITY

_EMU = 1e3  # A/m of 1 emu/cm3
_LENGTHS = {"nm": 1e-9, "um": 1e-6, "Angstrom": 1e-10, "cm": 1e-2}

# Lengths, from below an atom's size to what is no nanodevice any more (m).
SHORTEST, LONGEST = 1e-10, 1e-3
# Sizes of a whole device (m).
SMALLEST = 1e-9
# Volumes, from a few atoms to a cube of 0.3 um, whose magnetization does not turn as one (m3).
_VOLUMES = (2e-28, 3e-20)
# Resistivities, from pure metals at low temperature to doped semiconductors (ohm m).
_RESISTIVITIES = (1e-11, 0.1)
# Resistance times area of thick tunnel barriers (ohm m2).
_LARGEST_AREA_RESISTANCE = 1e-5
# Anisotropy: FePt has 7e6, SmCo5 2e7 (J/m3).
_HARDEST = 8e6
# Magnetization: dysprosium has 2.9e6, iron-cobalt 2.0e6 (A/m).
_LARGEST_MAGNETIZATION = 3.2e6
# Fields above those of the magnets of laboratories (T).
_STRONGEST = 30.0
# Current density: wires melt, or their atoms migrate, one or two orders of magnitude below (A/m2).
LARGEST_CURRENT = 1e14
# Temperature: cobalt is a magnet up to 1390 K.
_HOTTEST = 1400.0
# Stiffness of exchange: some 1e-11 (J/m).
_STIFFEST = 1e-9


def _in_other_units(value: float, units: Mapping[str, float], low: float, high: float, unit: str) -> str:
    """Return what a value would be in the first unit that makes it ordinary, as the end of a note; else nothing."""
    for name, size in units.items():
        if low <= value * size <= high:
            return f"; in {name} it would be {value * size:.4g} {unit}"
    return ""


def magnetization(key: str, value: float) -> list[str]:
    """Return notes on a saturation magnetization (A/m)."""
    if value > _LARGEST_MAGNETIZATION:
        return [f"{key}: {value:g} A/m is more than any magnet has, some 3e6 A/m"]
    if value < 5:
        return [f"{key}: {value:g} A/m looks like T (mu0 Ms): that would be {value / VACUUM_PERMEABILITY:.4g} A/m"]
    if value < 3e3:
        return [f"{key}: {value:g} A/m looks like emu/cm3, or kA/m: that would be {value * _EMU:.4g} A/m"]
    if value < 1.2e4:
        # Ms = 1e3 A/m for each 4 pi G.
        return [f"{key}: {value:g} A/m looks like G (4 pi Ms): that would be {value * _EMU / (4 * math.pi):.4g} A/m"]
    return []


def volume(key: str, value: float) -> list[str]:
    """Return notes on the volume of a macrospin (m3)."""
    low, high = _VOLUMES
    if value > high:
        edge = value ** (1 / 3)
        other = _in_other_units(value, {"cm3": 1e-6, "um3": 1e-18, "nm3": 1e-27}, 1e-27, high, "m3")
        return [f"{key}: {value:g} m3, a cube of {edge * 1e9:.4g} nm, does not turn as one{other}"]
    if value < low:
        return [f"{key}: {value:g} m3 is less than ten atoms have; a cube of 10 nm has 1e-24 m3"]
    return []


def length(key: str, value: float) -> list[str]:
    """Return notes on a length (m)."""
    if value > LONGEST:
        return [f"{key}: {value:g} m is over 1 mm{_in_other_units(value, _LENGTHS, 2e-10, 2e-5, 'm')}"]
    if value < SHORTEST:
        return [f"{key}: {value:g} m is less than an atom has, 2e-10 m; lengths are in m, 10e-9 is 10 nm"]
    return []


def lengths(keys: Iterable[tuple[str, float]]) -> list[str]:
    """Return notes on lengths (m) by their keys."""
    return [note for key, value in keys for note in length(key, value)]


def extent(what: str, sizes: Sequence[float], remedy: str) -> list[str]:
    """Return a note on a device under 1 nm or over 1 mm.

    Parameters
    ----------
    what
        The device, as the note calls it.
    sizes
        Sizes along each coordinate (m).
    remedy
        Place to look at.
    """
    largest = max(sizes, default=SMALLEST)
    if largest > LONGEST:
        other = _in_other_units(largest, {"nm": 1e-9, "um": 1e-6}, 1e-9, 1e-4, "m")
        return [f"{what} is {largest:.4g} m across, over 1 mm{other}; {remedy}"]
    if largest < SMALLEST:
        return [f"{what} is {largest:.4g} m across, under 1 nm; {remedy}"]
    return []


def temperature(key: str, value: float) -> list[str]:
    """Return notes on a temperature (K): one that looks like degrees Celsius, and one that no magnet survives."""
    # 20, 30, 77 and 150 K are temperatures of cryostats, 25, 85 and 125 degrees Celsius those of rooms and chips.
    if 20 < value < 30 or value in (85.0, 125.0):
        return [f"{key}: {value:g} K looks like degrees Celsius: that would be {value + 273.15:g} K"]
    if value > _HOTTEST:
        return [f"{key}: {value:g} K is above the Curie temperature of every metal, 1390 K of cobalt at most"]
    return []


def induction(key: str, values: Iterable[float]) -> list[str]:
    """Return a note on a field, its components or the ends of its range (T)."""
    largest = max((abs(x) for x in values), default=0.0)
    if largest <= _STRONGEST:
        return []
    return [
        f"{key}: {largest:g} T is more than magnets of laboratories hold; in mT it would be {largest * 1e-3:.4g} T, "
        f"in Oe {largest * 1e-4:.4g} T"
    ]


def current(key: str, value: float) -> list[str]:
    """Return a note on a current density (A/m2) that nothing carries."""
    if abs(value) <= LARGEST_CURRENT:
        return []
    return [f"{key}: {value:.4g} A/m2 is beyond 1e14 A/m2; wires melt or wear out at some 1e12 to 1e13 A/m2"]


def anisotropy(key: str, value: float) -> list[str]:
    """Return a note on a constant of anisotropy (J/m3)."""
    if abs(value) <= _HARDEST:
        return []
    return [
        f"{key}: {value:.4g} J/m3 is beyond all but the hardest magnets, 7e6 of FePt and 2e7 of SmCo5; in erg/cm3 it "
        f"would be {value * 0.1:.4g} J/m3"
    ]


def resistivity(key: str, value: float) -> list[str]:
    """Return a note on a resistivity (ohm m)."""
    low, high = _RESISTIVITIES
    if low <= value <= high:
        return []
    other = _in_other_units(value, {"uohm cm": 1e-8, "nohm m": 1e-9}, 1e-9, 1e-5, "ohm m")
    return [f"{key}: {value:g} ohm m is outside of what metals have, some 1e-8 to 1e-5 ohm m{other}"]


def area_resistance(key: str, value: float) -> list[str]:
    """Return a note on the resistance of an interface times its area (ohm m2)."""
    if value <= _LARGEST_AREA_RESISTANCE:
        return []
    other = _in_other_units(value, {"fohm m2": 1e-15, "ohm um2": 1e-12}, 1e-18, 1e-9, "ohm m2")
    return [f"{key}: {value:g} ohm m2 is more than tunnel barriers have{other}"]


def stiffness(key: str, value: float) -> list[str]:
    """Return a note on the stiffness of exchange (J/m)."""
    if value <= _STIFFEST:
        return []
    return [
        f"{key}: {value:g} J/m is more than any magnet has, some 1e-11 J/m; in erg/cm it would be "
        f"{value * 1e-5:.4g} J/m"
    ]
