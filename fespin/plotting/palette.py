"""Colours of materials and lines, and prefixes of units, for all pictures of transport."""

from __future__ import annotations

import math

from ..stack import Stack

# Materials of the library have the same colours in all pictures; magnets have warm ones.
_COLOURS = {
    "Cu": "#e3cf9f",
    "Ag": "#c9d3dc",
    "Au": "#ecd37a",
    "Al": "#b9c7d6",
    "Pt": "#b7c9a8",
    "Pd": "#a9c7c5",
    "Ru": "#cfc0dc",
    "Ta": "#c3c2a6",
    "W": "#9fb3c8",
    "Co": "#b5533c",
    "Py": "#d28f33",
    "CoFe": "#8c4a6b",
    "CoFeB": "#a3586f",
    "Ni": "#c7746a",
    "Fe": "#7a5c3e",
}
_METALS = ("#d9c9a3", "#c4b8d6", "#a8c4b0", "#b9c2cb")
_MAGNETS = ("#a8583f", "#cf9a4a", "#8a5a78", "#96703f")
LINES = ("#1f4e79", "#c0392b", "#2e7d32", "#6a3d9a")
"""Colours of states, or of the components of a vector."""


def material_colours(stack: Stack) -> dict[str, str]:
    """Return a colour for each material of a stack.

    Examples
    --------
    >>> from fespin.plotting import material_colours
    >>> sorted(material_colours(stack))
    ['Co', 'Cu']
    """
    out: dict[str, str] = {}
    for x in stack:
        name = x.material.name
        palette = _MAGNETS if x.material.ferromagnetic else _METALS
        known = _COLOURS.get(name)
        out.setdefault(name, known or palette[sum(c in palette for c in out.values()) % len(palette)])
    return out


def prefixed(largest: float, unit: str) -> tuple[float, str]:
    """Return what a unit with a fitting prefix is in SI units, and its name: (1e-6, "\u00b5V") for 3e-5 V.

    Examples
    --------
    >>> from fespin.plotting import prefixed
    >>> prefixed(3e-5, "V")
    (1e-06, 'µV')
    """
    if not (0 < largest < math.inf):
        return 1.0, unit
    power = min(9, max(-12, 3 * math.floor(math.log10(largest) / 3 + 1e-9)))
    return 10.0**power, {-12: "p", -9: "n", -6: "\u00b5", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}[power] + unit
