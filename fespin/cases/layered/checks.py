"""Refusals of layers before anything is meshed: names, combinations of keys, drives, states."""

from __future__ import annotations

from ... import materials
from ...errors import InputError, nearest
from ...quantities import direction
from ...stack import BOTTOM_LEAD, TOP_LEAD
from ..messages import place
from ..petsc_options import check_petsc
from .case import SHAPES, Case
from .macrospin_checks import check_macrospin
from .model_checks import check_keys, check_model, check_temperatures, heated

# More cells than this along one length mean that a length is in other units.
_MOST_CELLS = 1e5
_MOST_CELLS_LINE = 1e7


def check(case: Case) -> None:
    """Refuse whatever can be known to fail.

    Raises
    ------
    InputError
        With one line that names the table and key.
    """
    if case.macrospin is None or not case.transports:
        check_macrospin(case)
    if not case.transports:
        return
    for key in ("geometry", "layer"):
        if key not in case.model_fields_set:
            raise InputError(f"{'[[layer]]' if key == 'layer' else '[geometry]'}: the table is missing")
    if case.transport.temperature not in materials.TEMPERATURES:
        allowed = ", ".join(f"{x:g}" for x in materials.TEMPERATURES)
        raise InputError(f"transport.temperature: found {case.transport.temperature:g}; allowed: {allowed} (K)")
    check_keys(case)
    check_petsc("transport.solver.petsc", case.transport.solver.petsc)
    _check_geometry(case)
    stack = case.make_stack()
    _check_sizes(case)
    _check_leads(case)
    _check_names(case)
    _check_drive(case)
    named = set(stack.names)
    for name, directions in case.states().items():
        owner = f"state.{name}"
        if not name or len(name) > 100 or not name.isprintable() or set(name) & set("/\\"):
            raise InputError(f"{place(('state', name))}: files are named after states; use a short name, no slash")
        for layer, vector in directions.items():
            if layer not in named:
                raise InputError(f"{owner}: no layer is called '{layer}'; {nearest(layer, stack.names)}")
            direction(vector, f"{owner}.{layer}")
            if not stack[layer].material.ferromagnetic:
                raise InputError(f"{owner}.{layer}: {stack[layer].material.name} is no ferromagnet (no beta)")
    check_model(case)
    check_macrospin(case)


def _check_geometry(case: Case) -> None:
    g = case.geometry
    if (g.shape is None) == (g.mesh is None):
        neither_or_both = "neither" if g.shape is None else "both"
        shapes = ", ".join(f'"{s}"' for s in SHAPES if s != "mesh")
        raise InputError(f"geometry: give exactly one of shape ({shapes}) and mesh (a file); found {neither_or_both}")
    kind = g.shape or "mesh"
    needed, allowed = SHAPES[kind]
    keys = g.model_fields_set - {"shape", "mesh", "mesh_size", "refinements"}
    for key in sorted(keys - needed - allowed):
        owners = [f'"{s}"' for s, (n, a) in SHAPES.items() if key in n | a]
        raise InputError(f'geometry.{key}: belongs to {" and ".join(owners)}, found with "{kind}"')
    for key in sorted(needed - keys):
        raise InputError(f'geometry.{key}: missing; shape = "{kind}" needs it')
    if kind == "line" and g.cross_section is not None and (case.macrospin is None or case.macrospin.layer is None):
        raise InputError("geometry.cross_section: with a line it is the area of macrospin.layer, and there is none")
    _check_bar(case, kind)
    if kind in ("pillar", "three-terminal") and (g.diameter is None) == (g.semi_axes is None):
        neither_or_both = "neither" if g.diameter is None else "both"
        raise InputError(f"geometry: a pillar takes exactly one of diameter and semi_axes; found {neither_or_both}")
    if kind != "lateral":
        return
    if len(case.layer) != 3:
        raise InputError(f"layer: a lateral valve has three (channel, injector, detector); found {len(case.layer)}")
    widths = g.wire_width if isinstance(g.wire_width, list) else [g.wire_width or 0.0] * 2
    assert g.separation is not None
    if g.separation <= sum(widths) / 2:
        raise InputError(f"geometry.separation: found {g.separation:g}; the wires overlap below {sum(widths) / 2:g}")
    if g.channel_length is not None and g.channel_length <= max(widths) / 2:
        raise InputError(
            f"geometry.channel_length: found {g.channel_length:g}; it counts from the wires' centres "
            f"and must exceed half a wire's width, {max(widths) / 2:g}"
        )
    if g.wire_overhang and g.dimension == 2:
        raise InputError("geometry.wire_overhang: a section (dimension = 2) has none")


def _check_bar(case: Case, kind: str) -> None:
    """Refuse a bar that is none, or that the pillar does not fit on."""
    g, bars = case.geometry, [x.bar for x in case.layer]
    if kind != "three-terminal":
        if any(bars):
            raise InputError(f'layer {bars.index(True) + 1}.bar: belongs to geometry.shape = "three-terminal"')
        return
    if bars != sorted(bars, reverse=True) or all(bars) or not any(bars):
        raise InputError(
            f"layer: the first layers have bar = true, and at least one, the pillar's, has not; found {bars}"
        )
    own = g.semi_axes or [(g.diameter or 0.0) / 2] * 2
    for key, half in zip(("bar_length", "bar_width"), own, strict=True):
        if getattr(g, key) <= 2 * half * (1 + 1e-6):
            raise InputError(f"geometry.{key}: found {getattr(g, key):g}; it must exceed the pillar's, {2 * half:g}")


def _check_leads(case: Case) -> None:
    g = case.geometry
    for key, other in (("lead_width", "lead_thickness"), ("lead_thickness", "lead_width")):
        if getattr(g, key) is not None and getattr(g, other) is None:
            raise InputError(f"geometry.{other}: missing; wide leads need both lead_width and lead_thickness")
    if g.lead_width is None:
        if g.lead_material is not None:
            raise InputError("geometry.lead_material: needs lead_width and lead_thickness")
        return
    own = g.width or g.diameter or 2 * max(g.semi_axes or [0.0])
    if g.lead_width <= own * (1 + 1e-9):
        raise InputError(f"geometry.lead_width: found {g.lead_width:g}; it must exceed the device's width, {own:g}")
    if g.lead_material is not None:
        if case.make_lead().ferromagnetic:
            raise InputError(f"geometry.lead_material: {g.lead_material} is a magnet; leads are normal metals")
        return
    layers = case.make_stack().layers
    for x in (layers[0], layers[-1]):
        if x.material.ferromagnetic:
            raise InputError(f"geometry.lead_material: missing; the outer layer of {x.material.name} is a magnet")


def _check_sizes(case: Case) -> None:
    """Refuse meshes that no computer holds, most often because a length is given in nm."""
    g = case.geometry
    if g.mesh is not None:
        return
    lengths = {f"layer {i}.thickness": x.thickness or 0.0 for i, x in enumerate(case.layer, 1)}
    if g.shape == "lateral":
        lengths = {}
    across = {
        k: v
        for k in ("width", "diameter", "channel_width", "separation", "bar_width")
        if (v := getattr(g, k)) is not None
    }
    lengths |= {f"geometry.{k}": v for k, v in across.items()}
    if g.semi_axes:
        lengths["geometry.semi_axes"] = 2 * max(g.semi_axes)
        across["semi_axes"] = 2 * min(g.semi_axes)
    size = g.mesh_size or min(across.values(), default=1.0) / 8
    most = _MOST_CELLS_LINE if g.shape == "line" else _MOST_CELLS
    for key, value in lengths.items():
        if value > most * size:
            raise InputError(
                f"{key}: found {value:g} m, {value / size:.0e} cells of {size:g} m (geometry.mesh_size); "
                "lengths are in m, 10e-9 is 10 nm"
            )


def _check_names(case: Case) -> None:
    """Refuse layers with the names of wide leads."""
    for i, x in enumerate(case.layer, 1):
        if x.name in (BOTTOM_LEAD, TOP_LEAD) and case.geometry.lead_width is not None:
            raise InputError(f"layer {i}.name: '{x.name}' is one of the wide leads; choose another name")


def _check_drive(case: Case) -> None:
    t, names = case.transport, case.contact_names()
    for k in case.contact:
        if names is not None and k not in names:
            raise InputError(f"contact.{k}: the geometry has no such contact; {nearest(k, names)}")
    check_temperatures(case)
    drives = {k: v for k in ("current_density", "current", "voltage") if (v := getattr(t, k)) is not None}
    if t.in_plane_field is not None and case.geometry.shape != "line":
        kind = case.geometry.shape or "mesh"
        raise InputError(f'transport.in_plane_field: belongs to geometry.shape = "line", found with "{kind}"')
    if t.in_plane_field is not None and not drives and not case.multi_terminal:
        if not any(t.in_plane_field):
            raise InputError("transport.in_plane_field: found [0, 0]; without a field no current flows")
        if t.measure is not None:
            raise InputError("transport.measure: only with contacts that are driven one by one")
    elif case.multi_terminal:
        _check_terminals(case, drives)
    elif t.measure is not None:
        raise InputError("transport.measure: only with contacts that are driven one by one")
    elif not drives and not t.model_fields_set:
        raise InputError("[transport]: the table is missing; it gives current_density, current or voltage")
    elif len(drives) != 1:
        drive_names = " and ".join(drives) or "none"
        raise InputError(f"transport: give exactly one of current_density, current and voltage; found {drive_names}")
    elif names is not None and set(names) != {"bottom", "top"}:
        raise InputError(
            f"transport.{next(iter(drives))}: a {case.geometry.shape} device has no bottom and top; "
            f"give each of [contact.{'], [contact.'.join(names)}] a voltage or a current"
        )
    elif not next(iter(drives.values())) and not heated(case) and not any(t.in_plane_field or ()):
        heat = ", nor a difference of temperatures" if t.model == "thermoelectric" else ""
        raise InputError(f"transport.{next(iter(drives))}: found 0; without a drive there is no resistance{heat}")
    elif case.geometry.shape == "line" and "current" in drives:
        raise InputError("transport.current: a line has no cross-section; give current_density or voltage")


def _check_terminals(case: Case, drives: dict[str, float]) -> None:
    if drives:
        raise InputError(f"transport.{next(iter(drives))}: contacts are driven one by one; give no drive here")
    for k, c in case.contact.items():
        if (c.voltage is None) == (c.current is None):
            neither_or_both = "neither" if c.voltage is None else "both"
            raise InputError(f"contact.{k}: give exactly one of voltage and current; found {neither_or_both}")
    for k in case.transport.measure or ():
        if k not in case.contact:
            raise InputError(f"transport.measure: no contact is called '{k}'; {nearest(k, case.contact)}")
    for k in case.contact_names() or ():
        if k not in case.contact:
            raise InputError(f"contact.{k}: missing; it needs a voltage or a current (0 if it floats)")
    volts = {c.voltage for c in case.contact.values() if c.voltage is not None}
    if not volts:
        raise InputError("contact: all contacts float; give at least one of them a voltage, 0 for ground")
    if len(volts) == 1 and not any(c.current for c in case.contact.values()) and not heated(case):
        raise InputError("contact: all voltages are equal and all currents 0; without a drive there is no resistance")
