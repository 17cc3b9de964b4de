"""Description of layers, in words for `--dry-run` and as numbers for ``summary.json``, and what a case assumes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations, pairwise
from typing import Any

from ... import carriers, device, materials
from ...tunnel import TunnelBarrier
from .case import Case
from .tables import Transport

_BANDS = ("spin_flip", "sd", "sd_up", "sd_spin_flip", "d_spin_flip")
_VECTOR = ("transverse_conductivity", "dephasing_length", "precession_length", "density_of_states")
# Farther from the reference temperature than this, relative to it, a linear model is a rough one.
_FAR = 0.1


def material_numbers(m: device.Material, table: Transport) -> dict[str, Any]:
    """Return what was assumed of a material, under the keys of ``summary.json``."""
    out: dict[str, Any] = {
        "resistivity": m.resistivity,
        "spin_diffusion_length": m.spin_diffusion_length,
        "beta": m.beta,
    }
    if m.bands is not None:
        out["conductivity"] = {k: getattr(m.bands, k) for k in m.bands.channels}
        known = _BANDS if m.bands.d_up is not None else _BANDS[:2]
        out |= {f"{k}_coefficient": getattr(m.bands, k) for k in known}
    if table.model == "thermoelectric":
        thermal = m.thermal or carriers.Thermal()
        out["seebeck"] = list(thermal.seebeck)
        out["thermal_conductivity"] = m.heat_conductivity(table.reference_temperature)
        if table.nonlinear:
            out["resistivity_temperature_coefficient"] = thermal.resistivity_slope
            out["seebeck_temperature_coefficient"] = thermal.seebeck_slope
            out["thermal_conductivity_temperature_coefficient"] = thermal.conductivity_slope
    if table.model == "vector":
        out |= {k: getattr(m, k) for k in _VECTOR if getattr(m, k) is not None}
        if any(table.field) and not m.ferromagnetic:
            out["g_factor"] = m.g_factor
        out |= {k: getattr(m, k) for k in ("spin_hall_angle", "anisotropic_magnetoresistance") if getattr(m, k)}
    return out


def interface_numbers(face: device.Interface | None) -> dict[str, Any] | str:
    """Return what was assumed of an interface, under the keys of ``summary.json``; "perfect" if there is none."""
    if face is None:
        return "perfect"
    if face.tunnel is not None:
        return {"tunnel": _tunnel_numbers(face.tunnel)}
    out: dict[str, Any] = {"area_resistance_star": face.area_resistance_star, "gamma": face.gamma}
    if face.mixing_conductance is not None:
        mix = complex(face.mixing_conductance)
        out["mixing_conductance"] = [mix.real, mix.imag]
    if face.thermal_conductance is not None:
        out["thermal_conductance"] = face.thermal_conductance
    if any(face.losses):
        out["spin_memory_loss"] = list(face.losses)
    return out


def _tunnel_numbers(barrier: TunnelBarrier) -> dict[str, Any]:
    """Return what was assumed of a barrier; P_a is that of the layer below in the order of the interface's name."""
    a, b = (float(p) for p in barrier.polarizations(0.0))
    return {
        "resistance_area": float(1 / barrier.parallel_conductance(0.0)),
        "tmr": barrier.tmr_at(0.0) if a * b < 1 else None,
        "polarization": [a, b],
        "half_voltage": barrier.half_voltage,
        "conductance_voltage": barrier.conductance_voltage,
        "field_like": list(barrier.field_like),
        "exchange_coupling": barrier.exchange_coupling,
        "thickness": barrier.thickness,
        "table": None if barrier.table is None else list(barrier.table.span),
    }


def describe(case: Case) -> str:
    """Return the layers and the macrospin of a case as text."""
    parts = [_transport(case)] if case.transports else [case.title or "untitled"]
    if case.macrospin is not None:
        from ..macrospin.describe import describe as describe_macrospin

        about = case.about()
        parts.append(describe_macrospin(about.spin, about.torque, case.task, from_transport=case.torque_of_device))
    return "\n".join(parts)


def _transport(case: Case) -> str:
    """Return what would be solved, as text."""
    stack, t = case.make_stack(), case.transport
    kind = case.geometry.shape or case.geometry.mesh
    lines = [f"{case.title or 'untitled'}: {kind}, {t.model}, degree {t.degree}"]
    if t.model == "thermoelectric":
        lines.append(f"  {'nonlinear' if t.nonlinear else 'linear'} about {t.reference_temperature:g} K")
    if t.model == "vector":
        field = f", field ({', '.join(f'{x:g}' for x in t.field)}) T" if any(t.field) else ""
        in_plane = "" if t.in_plane_field is None else f", E ({', '.join(f'{x:g}' for x in t.in_plane_field)}) V/m"
        lines.append(f"  transverse spins {t.transverse}{field}{in_plane}")
    for x in stack:
        thick = f"{x.thickness / 1e-9:g} nm, " if case.geometry.mesh is None else ""
        lines.append(f"  {x.name:<16}{x.material.name:<8}{thick}{_material(x.material, t)}")
    if case.geometry.mesh is None and case.geometry.shape != "lateral":
        lines += [f"  {a}|{b}: {_interface(stack.interface(a, b))}" for a, b in pairwise(stack.names)]
    for k in case.contact_names() or case.contact:
        lines.append(f"  contact {k}: {_contact(case, k)}")
    lines.append(f"  states: {', '.join(case.states())}")
    return "\n".join(lines)


def _material(m: device.Material, t: Transport) -> str:
    rho = f"rho {m.resistivity / 1e-9:.4g} nohm m"
    if m.bands is not None:
        sigma = ", ".join(f"{k} {getattr(m.bands, k):.4g}" for k in m.bands.channels)
        known = [k for k in _BANDS if getattr(m.bands, k)]
        return f"{rho}, {sigma} S/m, " + ", ".join(f"{k} {getattr(m.bands, k):.4g}" for k in known) + " S/m3"
    beta = "" if m.beta is None else f", beta {m.beta:g}"
    text = f"{rho}, l_sf {m.spin_diffusion_length / 1e-9:g} nm{beta}"
    if t.model == "thermoelectric":
        up, down = (m.thermal or carriers.Thermal()).seebeck
        seebeck = f"{up / 1e-6:g}" if up == down else f"({up / 1e-6:g}, {down / 1e-6:g})"
        text += f", S {seebeck} uV/K, kappa {m.heat_conductivity(t.reference_temperature):.4g} W/(m K)"
    if t.model == "vector":
        lengths = {"l_phi": m.dephasing_length, "l_J": m.precession_length}
        text += "".join(f", {k} {v / 1e-9:g} nm" for k, v in lengths.items() if v is not None)
        angles = {"spin Hall angle": m.spin_hall_angle, "AMR": m.anisotropic_magnetoresistance}
        text += "".join(f", {k} {v:g}" for k, v in angles.items() if v)
        if any(t.field) and m.density_of_states is not None and not m.ferromagnetic:
            text += f", N {m.density_of_states:.4g} 1/(J m3), g {m.g_factor:g}"
    return text


def _interface(face: device.Interface | None) -> str:
    if face is None:
        return "perfect"
    law = f"AR* {face.area_resistance_star:.4g} ohm m2, gamma {face.gamma:g}" if not face.perfect else "perfect"
    if face.mixing_conductance is not None:
        mix = complex(face.mixing_conductance)
        law += f", G_mix {mix.real:.4g} {'-' if mix.imag < 0 else '+'} {abs(mix.imag):.4g}i S/m2"
    if face.thermal_conductance is not None:
        law += f", heat {face.thermal_conductance:.4g} W/(m2 K)"
    if any(face.losses):
        law += f", spin-memory loss {' and '.join(f'{g:.4g}' for g in face.losses)} S/m2"
    return law


def _contact(case: Case, name: str) -> str:
    c = case.contact.get(name)
    default = c is None or "spin" not in c.model_fields_set
    text = case.spin_of(name) + (" (default)" if default else "")
    if case.transport.model == "thermoelectric":
        if c is not None and c.heat_flux is not None:
            return f"{text}, heat flux {c.heat_flux:g} W/m2"
        kelvin = case.transport.reference_temperature if c is None or c.temperature is None else c.temperature
        return f"{text}, {kelvin:g} K"
    return text


def notes(case: Case) -> list[str]:
    """Return what a user may want to know before believing the numbers."""
    stack, out = case.make_stack(), []
    interface_keys = {frozenset(p.strip() for p in k.split("|")) for k in case.interface}
    present = set(stack.names) | {x.material.name for x in stack}
    for k in case.interface:
        if not {p.strip() for p in k.split("|")} <= present:
            out.append(f"interface '{k}' is not used: no layer is made of one of its materials")
    stacked = case.geometry.mesh is None and case.geometry.shape != "lateral"
    layers_given = {n for g in interface_keys for n in g} & set(stack.names)
    pairs: Iterable[tuple[device.Layer, device.Layer]] = pairwise(stack.layers)
    if not stacked:
        # In a mesh file any two layers may touch: two layers of each material without own interfaces are checked.
        unnamed: dict[str, list[device.Layer]] = {}
        for x in stack:
            if x.name not in layers_given:
                unnamed.setdefault(x.material.name, []).append(x)
        pairs = combinations([x for alike in unnamed.values() for x in alike[:2]], 2)
    noted_pairs = set()
    for a, b in pairs:
        key = frozenset((a.material.name, b.material.name))
        magnets = a.material.ferromagnetic + b.material.ferromagnetic
        if magnets == 0 or key in noted_pairs:
            continue
        name, face = f"{a.material.name}|{b.material.name}", stack.interface(a.name, b.name)
        named = key in interface_keys or {a.name, b.name} & layers_given
        if magnets == 1 and not named and face is None:
            noted_pairs.add(key)
            out.append(
                f"no interface {name} in the library at {case.transport.temperature:g} K, and none given: "
                "taken as perfect"
            )
        elif case.transport.model == "vector" and stacked and face is not None and _lacks_mixing(face):
            noted_pairs.add(key)
            out.append(f"no mixing_conductance of {name}: transverse spins pass with the mean of both conductances")
    return out + (_thermal_notes(case) if case.transport.model == "thermoelectric" else [])


def _lacks_mixing(face: device.Interface) -> bool:
    """Return whether transverse spins at an interface need a number that was not given."""
    return face.tunnel is None and face.mixing_conductance is None


def _thermal_notes(case: Case) -> list[str]:
    """Return what is assumed about heat."""
    t, out = case.transport, []
    used = {x.material.name: x.material for x in case.make_stack()}
    silent = [n for n in used if n not in case.material or case.material[n].seebeck is None]
    if silent:
        out.append(f"no seebeck of {', '.join(silent)}: taken as 0")
    book = materials.library()["material"]
    from_library = [
        n
        for n in used
        if n in book
        and (n not in case.material or case.material[n].resistivity is case.material[n].resistivity_star is None)
    ]
    if from_library and abs(t.temperature / t.reference_temperature - 1) > 0.2:
        out.append(
            f"the library's resistivity of {', '.join(from_library)} is that at {t.temperature:g} K "
            f"(transport.temperature), and transport.reference_temperature is {t.reference_temperature:g} K"
        )
    far = [
        k
        for k, c in case.contact.items()
        if c.temperature is not None and abs(c.temperature / t.reference_temperature - 1) > _FAR
    ]
    if far and not t.nonlinear:
        out.append(
            f"contact {', '.join(far)}: far from transport.reference_temperature, {t.reference_temperature:g} K, about "
            "which the model is linear; see transport.nonlinear"
        )
    slopes = [n for n, m in used.items() if m.thermal and (m.thermal.resistivity_slope or m.thermal.seebeck_slope
              or m.thermal.conductivity_slope)]  # fmt: skip
    if slopes and not t.nonlinear:
        out.append(f"temperature coefficients of {', '.join(slopes)} are not used; see transport.nonlinear")
    return out
