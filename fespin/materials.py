"""The built-in library of materials and interfaces, each number with its source."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Any

from .device import Interface, Material
from .errors import InputError, nearest

TEMPERATURES = {4.2: "4K", 300.0: "300K"}
UNITS = {
    "resistivity": "ohm m",
    "resistivity_star": "ohm m",
    "bulk_resistivity": "ohm m",
    "spin_diffusion_length": "m",
    "transverse_penetration_depth": "m",
    "seebeck": "V/K",
    "seebeck_difference": "V/K",
    "area_resistance_star": "ohm m2",
}
"""Units of the numbers of the library; what is absent is a ratio."""
# What a material of the library is made of.
_TAKEN = ("resistivity", "resistivity_star", "beta", "spin_diffusion_length", "density_of_states", "spin_hall_angle")
# How a page shows a unit: its name there, and how many of it make one of the library's.
_SCALES = {"ohm m": ("nΩ m", 1e9), "m": ("nm", 1e9), "V/K": ("µV/K", 1e6), "ohm m2": ("fΩ m²", 1e15)}


@functools.cache
def library() -> dict[str, Any]:
    """Return the library as it is written in ``materials.toml``: values, uncertainties, sources."""
    return tomllib.loads(resources.files("fespin").joinpath("materials.toml").read_text("utf-8"))


def _tag(temperature: float) -> str:
    if temperature not in TEMPERATURES:
        raise InputError(f"temperature is {temperature} K; the library has {', '.join(map(str, TEMPERATURES))} K")
    return TEMPERATURES[temperature]


ALIASES = {
    "cobalt": "Co",
    "copper": "Cu",
    "permalloy": "Py",
    "nife": "Py",
    "nickel": "Ni",
    "iron": "Fe",
    "silver": "Ag",
    "gold": "Au",
    "aluminium": "Al",
    "aluminum": "Al",
    "platinum": "Pt",
    "palladium": "Pd",
    "ruthenium": "Ru",
    "niobium": "Nb",
    "tantalum": "Ta",
    "tungsten": "W",
}


def suggestion(name: str, own: Iterable[str] = ()) -> str:
    """Return the clause that follows an unknown material: its symbol, the nearest name, or all names."""
    symbol = ALIASES.get(name.lower())
    return f"did you mean '{symbol}'?" if symbol else nearest(name, [*library()["material"], *own])


def entry(name: str, temperature: float = 4.2) -> dict[str, float]:
    """Return the numbers of a material: keys as in case files, `beta` only for ferromagnets.

    Numbers that the library does not have, or has as information for readers only, are absent.

    Raises
    ------
    InputError
        If the material is not in the library at this temperature.
    """
    materials = library()["material"]
    if name not in materials:
        raise InputError(f"material '{name}' is not in the library: {suggestion(name)}")
    tag = _tag(temperature)
    if tag not in materials[name]:
        raise InputError(
            f"material '{name}' is not in the library at {temperature} K, only at {', '.join(materials[name])}"
        )
    return {k: float(v["value"]) for k, v in materials[name][tag].items() if k in _TAKEN}


def make(name: str, values: dict[str, float]) -> Material:
    """Return a material from numbers under their case-file keys.

    Raises
    ------
    InputError
        If both or neither of `resistivity` and `resistivity_star` are given, or
        `spin_diffusion_length` is missing.
    """
    owner = f"material '{name}'"
    star, plain = values.get("resistivity_star"), values.get("resistivity")
    if star is not None and plain is not None:
        raise InputError(f"{owner}: give resistivity or resistivity_star, not both")
    if star is None and plain is None:
        raise InputError(f"{owner}: resistivity is unknown; give resistivity or resistivity_star")
    length, beta = values.get("spin_diffusion_length"), values.get("beta")
    if length is None:
        raise InputError(f"{owner}: spin_diffusion_length is unknown; give it")
    if plain is None:
        assert star is not None
        star_material = Material.from_star(name, star, length, beta or 0.0)
        plain = star_material.resistivity
    # What a case makes a magnet of is no spin Hall metal any more.
    angle = values.get("spin_hall_angle", 0.0) if beta is None else 0.0
    return Material(name, plain, length, beta, values.get("density_of_states"), spin_hall_angle=angle)


def material(
    name: str,
    temperature: float = 4.2,
    *,
    resistivity: float | None = None,
    beta: float | None = None,
    spin_diffusion_length: float | None = None,
    density_of_states: float | None = None,
) -> Material:
    """Return a material of the library.

    Parameters
    ----------
    name
        Such as "Co"; ``fespin materials`` prints all.
    temperature
        4.2 or 300 (K).
    resistivity, beta, spin_diffusion_length, density_of_states
        Numbers instead of the library's, or where it has none.

    Raises
    ------
    InputError
        If the library does not have it, or lacks one of its numbers.

    Examples
    --------
    >>> cobalt = fs.material("Co")
    >>> print(f"{cobalt.resistivity:.3g} {cobalt.beta:.3g} {cobalt.spin_diffusion_length:.3g}")
    5.91e-08 0.46 6e-08
    >>> fs.material("Cu", 300, resistivity=30e-9).resistivity
    3e-08
    """
    values = entry(name, temperature)
    if resistivity is not None:
        values.pop("resistivity_star", None)
    own = {
        "resistivity": resistivity,
        "beta": beta,
        "spin_diffusion_length": spin_diffusion_length,
        "density_of_states": density_of_states,
    }
    return make(name, values | {k: v for k, v in own.items() if v is not None})


def interfaces(temperature: float = 4.2) -> dict[tuple[str, str], Interface]:
    """Return the interfaces of the library by their materials' names.

    Examples
    --------
    >>> fs.interfaces()["Co", "Cu"].gamma
    0.77
    """
    tag = _tag(temperature)
    out = {}
    for pair, tables in library()["interface"].items():
        if tag in tables:
            a, b = pair.split("|")
            numbers = {k: float(v["value"]) for k, v in tables[tag].items() if isinstance(v, dict)}
            out[a, b] = Interface(numbers["area_resistance_star"], numbers.get("gamma", 0.0))
    return out


def unchecked(kind: str, name: str, temperature: float = 4.2) -> set[str]:
    """Return the keys of numbers that were entered without the cited table at hand.

    Parameters
    ----------
    kind
        "material" or "interface".
    name
        Name as the library writes it; a name that it does not have gives no keys.
    temperature
        Temperature (K); only at 4.2 and 300 K there are numbers.
    """
    numbers = library()[kind].get(name, {}).get(TEMPERATURES.get(temperature, ""), {})
    return {k for k, v in numbers.items() if isinstance(v, dict) and is_unchecked(v)}


def table(names: Sequence[str] = ()) -> str:
    """Return the library as text: every number with its uncertainty, source and remark.

    Parameters
    ----------
    names
        Which materials, with their interfaces; default all.

    Raises
    ------
    InputError
        If a name is not in the library.
    """
    book = library()
    for n in names:
        if n not in book["material"]:
            raise InputError(f"material '{n}' is not in the library: {suggestion(n)}")
    lines = []
    for kind in ("material", "interface"):
        for name, tables in book[kind].items():
            if names and not set(name.split("|")) & set(names):
                continue
            for tag, numbers in tables.items():
                lines.append(f"{name} at {'4.2 K' if tag == '4K' else '300 K'}")
                for k, v in numbers.items():
                    if isinstance(v, dict):
                        spread = f" +- {v['uncertainty']:.3g}" if "uncertainty" in v else ""
                        unit = f" {UNITS[k]}" if k in UNITS else ""
                        remark = f"; {v['remark']}" if "remark" in v else ""
                        lines.append(f"  {k:<28} {v['value']:.4g}{spread}{unit}  [{v['source']}]{remark}")
                for k in numbers.get("unknown", []):
                    lines.append(f"  {k:<28} unknown")
    lines.append("sources")
    lines += [f"  [{k}] {text}" for k, text in book["source"].items() if any(f"[{k}]" in x for x in lines)]
    lines.append('"unchecked": quoted without the cited table at hand; compare before you publish')
    return "\n".join(lines)


def is_unchecked(number: Mapping[str, Any]) -> bool:
    """Return whether a number of the library was entered without the cited table at hand."""
    return str(number.get("remark", "")).startswith("unchecked")


def markdown() -> str:
    """Return the library as tables of a page: every number, its source and what is unchecked or unknown.

    Notes
    -----
    `docs/materials.md` holds this text, and a test compares both.
    """
    book, out = library(), []
    for kind in ("material", "interface"):
        out += [f"| {kind} | number | value | source | remark |", "|---|---|---|---|---|"]
        for name, tables in book[kind].items():
            for tag, numbers in tables.items():
                label = f"{name}, {'4.2 K' if tag == '4K' else '300 K'}".replace("|", r"\|")
                for k, v in numbers.items():
                    if isinstance(v, dict):
                        remark = v.get("remark", "").replace("|", r"\|").replace("unchecked", "**unchecked**", 1)
                        out.append(f"| {label} | `{k}` | {_shown(k, v)} | {v['source']} | {remark} |")
                out += [f"| {label} | `{k}` | unknown | | |" for k in numbers.get("unknown", [])]
        out.append("")
    every = [v for kind in ("material", "interface") for x in book[kind].values() for y in x.values()
             for v in y.values() if isinstance(v, dict)]  # fmt: skip
    out += [f"Unchecked are {sum(map(is_unchecked, every))} of {len(every)} numbers.", ""]
    return "\n".join([*out, *(f"* {k}: {text}" for k, text in book["source"].items())])


def _shown(key: str, number: Mapping[str, Any]) -> str:
    """Return a number with its uncertainty in the unit of a page."""
    unit, scale = _SCALES[UNITS[key]] if key in UNITS else ("", 1.0)
    spread = f" ± {scale * number['uncertainty']:.4g}" if "uncertainty" in number else ""
    return f"{scale * number['value']:.4g}{spread} {unit}".rstrip()
