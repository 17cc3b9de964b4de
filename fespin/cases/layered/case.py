"""Case files: TOML tables, strictly validated, one constructor per table. Nothing here needs a mesh."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from ... import device, materials
from ...errors import InputError, nearest
from ...stack import BOTTOM_LEAD, TOP_LEAD, Stack, either_order
from ..macrospin import MacrospinTask
from ..macrospin.about import About
from ..macrospin.hysteresis import Hysteresis
from ..macrospin.pulses import PulseTask
from ..macrospin.surveys import SurveyTask
from ..macrospin.tables import MacrospinTable, SphereTable, TorqueTable, make_spin, make_torque
from ..schema import Area, Belonging, Direction, Extent, Length, Table, Unit, at_least, within
from .tables import (
    BANDS,
    Contact,
    Interface,
    Material,
    Transport,
    make_ferromagnet,
    make_interface,
    with_further,
)

if TYPE_CHECKING:
    from ...macrospin import Macrospin

_TWO_CHANNEL = {"resistivity", "resistivity_star", "beta", "spin_diffusion_length"}


_WIDE = {"lead_width", "lead_thickness", "lead_material"}
SHAPES: dict[str, tuple[set[str], set[str]]] = {  # keys needed, keys allowed
    "line": (set(), {"cross_section"}),
    "strip": ({"width"}, {"depth"} | _WIDE),
    "pillar": (set(), {"diameter", "semi_axes"} | _WIDE),
    "lateral": (
        {"separation", "wire_width", "channel_width"},
        {"wire_overhang", "channel_length", "dimension"},
    ),
    "three-terminal": ({"bar_length", "bar_width"}, {"diameter", "semi_axes"}),
    "mesh": (set(), {"length_unit", "cross_section", "depth"}),
}

CONTACTS: dict[tuple[str, ...], set[str]] = {  # of each shape; mesh files name their own
    ("bottom", "top"): {"line", "strip", "pillar"},
    ("left", "injector", "detector", "right"): {"lateral"},
    ("left", "right", "top"): {"three-terminal"},
}


class Geometry(Table):
    """Place of the layers: exactly one of a shape and a mesh file.

    A "line" has one dimension, a "strip" two (a section), a "pillar" three; their contacts are bottom and top. A
    "lateral" valve has exactly three layers, in this order: the channel, and the injector and the detector that lie
    across it. Its contacts are left, injector, detector and right, each with a voltage or a current (0 floats). A
    "three-terminal" device has a bar along x of the layers with `bar = true`, and a pillar of the others in its middle;
    its contacts are left, right and top.
    """

    belonging = Belonging(
        "shape",
        {k: needed | allowed for k, (needed, allowed) in SHAPES.items()},
        {k: x for k, (x, _) in SHAPES.items()},
    )
    exactly_one = (("shape", "mesh"),)
    rules = (
        {
            "if": {"properties": {"shape": {"enum": ["pillar", "three-terminal"]}}, "required": ["shape"]},
            "then": {"oneOf": [{"required": ["diameter"]}, {"required": ["semi_axes"]}]},
        },
        {
            "dependentRequired": {
                "lead_width": ["lead_thickness"],
                "lead_thickness": ["lead_width"],
                "lead_material": ["lead_width", "lead_thickness"],
            }
        },
    )
    shape: Literal["line", "strip", "pillar", "lateral", "three-terminal"] | None = Field(
        None,
        description='of the device; "lateral": a channel, two wires across it; "three-terminal": a pillar on a bar',
    )
    mesh: str | None = Field(
        None, description="a .msh, .geo or .xdmf file, relative to the case file; instead of shape"
    )
    mesh_size: Annotated[float, Field(gt=0), within(1e-30, 1.0)] | None = Field(
        None, description="largest cell; thin layers are resolved whatever it is; default by the shape (m)"
    )
    refinements: Annotated[int, Field(ge=0, le=10)] = Field(
        0, description="how often all edges are halved once the mesh is on all ranks: in 3D 8^n cells of each (1)"
    )
    length_unit: Unit = Field(1.0, description="length of the file's unit (m)")
    cross_section: Area | None = Field(
        None,
        description="area that current densities refer to, in 2D a width; default the smallest contact's; with a "
        "line that of macrospin.layer, for its volume (m2 or m)",
    )
    diameter: Length | None = Field(None, description="of the pillar (m)")
    semi_axes: Annotated[list[Length], Field(min_length=2, max_length=2)] | None = Field(
        None, description="of an elliptic pillar; instead of diameter (m)"
    )
    width: Length | None = Field(None, description="of the strip (m)")
    depth: Extent = Field(
        1.0, description="extent in the third direction of a section; default that in an .xdmf file, or 1 (m)"
    )
    lead_width: Length | None = Field(None, description="of wide leads below and above: current crowding (m)")
    lead_thickness: Length | None = Field(None, description="of each wide lead (m)")
    lead_material: str | None = Field(None, description="of wide leads; default that of the outer layers")
    separation: Length | None = Field(None, description="centre to centre of the two wires (m)")
    wire_width: Length | Annotated[list[Length], Field(min_length=2, max_length=2)] | None = Field(
        None, description="of both wires, or [injector, detector] (m)"
    )
    wire_overhang: Annotated[float, Field(ge=0, lt=0.01), at_least(1e-12)] = Field(
        0.0, description="how far wires go on beyond each edge of the channel, in 3D (m)"
    )
    channel_width: Length | None = Field(None, description="of the channel; in a section its depth (m)")
    channel_length: Length | None = Field(
        None, description="of the channel beyond each wire's centre; default: twice its spin-diffusion length (m)"
    )
    bar_length: Length | None = Field(None, description="of the bar of a three-terminal device, along x (m)")
    bar_width: Length | None = Field(None, description="of the bar, along y (m)")
    dimension: Literal[2, 3] = Field(3, description="2 (section along the channel) or 3 (1)")


class Layer(Table):
    """A layer; layers are listed from bottom to top."""

    material: str = Field(description="name of a material of the library, or of [material.NAME]")
    thickness: Length | None = Field(None, description="not used with mesh files (m)")
    name: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="default material and position from 1, as in Cu3; in mesh files that of a physical group"
    )
    magnetization: Direction | None = Field(
        None, description="direction, of any length; a ferromagnet without one points along +z (1)"
    )
    bar: bool = Field(False, description="whether it fills the bar of a three-terminal device, not the pillar")


class Case(Table):
    """A case file about layers, a macrospin, or both."""

    title: str = Field("", description="of pictures")
    geometry: Geometry = Field(default_factory=lambda: Geometry.model_validate({}), description="where the layers are")
    layer: Annotated[list[Layer], Field(min_length=1)] = Field(
        default_factory=list, description="bottom to top; of a lateral valve channel, injector, detector"
    )
    material: dict[str, Material] = Field(
        default_factory=dict, description="by name: new materials, and numbers that replace the library's"
    )
    interface: dict[str, Interface] = Field(
        default_factory=dict, description='by "A|B", two materials or two layers in either order'
    )
    contact: dict[str, Contact] = Field(
        default_factory=dict,
        description="by name: bottom, top; of a lateral valve left, injector, detector, right; of a three-terminal "
        "device left, right, top; of a mesh file its own",
    )
    transport: Transport = Field(
        default_factory=lambda: Transport.model_validate({}), description="model, drive and discretization"
    )
    state: dict[str, dict[str, Direction]] = Field(
        default_factory=dict, description="by name: magnetizations by layer, of any length; every state is solved (1)"
    )
    macrospin: MacrospinTable | None = Field(None, description="the magnet whose direction tasks are about")
    torque: TorqueTable | None = Field(None, description="spin torque on it")
    sphere: SphereTable = Field(
        default_factory=lambda: SphereTable.model_validate({}), description="the mesh of directions"
    )
    task: list[MacrospinTask] = Field(default_factory=list, description="what is asked of the macrospin")

    @property
    def transports(self) -> bool:
        """Return whether there is transport to solve; with a macrospin, layers may be there for its volume alone."""
        return self.macrospin is None or "transport" in self.model_fields_set

    @property
    def has_volumes(self) -> bool:
        """Return whether the geometry gives the volume of a layer."""
        return self._area_of("") is not None

    def _area_of(self, name: str) -> float | None:
        """Return the area of a layer (m2); None if the geometry has none, and for layers of a bar."""
        g = self.geometry
        if g.shape in ("pillar", "three-terminal") and name not in self.bar_names:
            a, b = g.semi_axes if g.semi_axes else [(g.diameter or 0.0) / 2] * 2
            return math.pi * a * b
        if g.shape == "strip" and "depth" in g.model_fields_set and g.width is not None:
            return g.width * g.depth
        return g.cross_section if g.shape == "line" else None

    def layer_volume(self, name: str) -> float:
        """Return the volume of a layer (m3).

        Raises
        ------
        InputError
            If there is no such layer, or the geometry has no cross-section.
        """
        stack = self.make_stack()
        if name not in stack.names:
            raise InputError(f"macrospin.layer: no layer is called '{name}'; {nearest(name, stack.names)}")
        area = self._area_of(name)
        if area is None:
            raise InputError(
                'macrospin.layer: only layers of a "pillar", also on a bar, of a "strip" with depth, or of a "line" '
                "with cross_section, have a volume; give macrospin.volume (m3)"
            )
        return area * stack[name].thickness

    @property
    def bar_names(self) -> list[str]:
        """Return the layers that fill the bar of a three-terminal device."""
        return [x.name or f"{x.material}{i}" for i, x in enumerate(self.layer, 1) if x.bar]

    # ---- the declared objects
    def make_material(self, name: str, user: str = "layer", *, magnetized: bool = True) -> device.Material:
        """Return a material: the library's numbers, overridden by the case's.

        Parameters
        ----------
        user
            Who asks, for messages.
        magnetized
            True if what is made of it has a direction of its magnetization; else beta = 0 is that of a normal metal.

        Raises
        ------
        InputError
            If it is in neither, or a number is missing.
        """
        book, temperature = materials.library()["material"], self.transport.temperature
        own = self.material.get(name)
        if name not in book and own is None:
            raise InputError(
                f"{user}: material '{name}' is neither in the library nor in the case; "
                f"{materials.suggestion(name, self.material)}"
            )
        tables = [x for x in book.get(name, {}).values() if x.get("ferromagnet")]
        known = materials.TEMPERATURES.get(temperature) in book.get(name, {})
        values = materials.entry(name, temperature) if known else {}
        model = self.transport.model
        if own is not None and own.conductivity is not None:
            return make_ferromagnet(name, own, values, model)
        normal = not magnetized and own is not None and own.beta == 0
        if model in BANDS and not normal and (tables or (own is not None and own.beta is not None)):
            raise InputError(
                f'material.{name}.conductivity: missing; in the model "{model}" a ferromagnet needs '
                f"{{ s_up, s_down, d_down{', d_up' if model == 'four-channel' else ''} }} (S/m)"
            )
        given = own.model_dump(include=_TWO_CHANNEL, exclude_none=True) if own else {}
        rho = {"resistivity", "resistivity_star"}
        if rho <= given.keys():
            raise InputError(f"material.{name}: give resistivity or resistivity_star, exactly one; found both")
        if given.keys() & rho:
            values = {k: v for k, v in values.items() if k not in rho}
        made = values | given
        if normal:
            tables = []
            del made["beta"]
        missing = [] if made.keys() & rho else ["resistivity or resistivity_star"]
        missing += [] if "spin_diffusion_length" in made else ["spin_diffusion_length"]
        if "beta" not in made and tables:
            missing.append("beta")
        if missing:
            library = f"; the library has none at {temperature:g} K" if name in book else ""
            raise InputError(f"material.{name}: needs {' and '.join(missing)}{library}")
        return with_further(materials.make(name, made), own)

    def magnetized(self) -> set[str]:
        """Return the layers whose magnetization the case names: by themselves, in a state, or as the macrospin's."""
        out = {x.name or f"{x.material}{i}" for i, x in enumerate(self.layer, 1) if x.magnetization is not None}
        out.update(*self.state.values())
        if self.macrospin is not None and self.macrospin.layer is not None:
            out.add(self.macrospin.layer)
        return out

    def make_stack(self) -> Stack:
        """Return the layers with their interfaces.

        Raises
        ------
        InputError
            If a layer is impossible; the message names it.
        """
        used = {x.material for x in self.layer}
        known = set(materials.library()["material"])
        for name, values in self.material.items():
            # A complete definition may wait for a sweep to use it; a partial one is a misspelt override.
            two_channels = values.spin_diffusion_length and (values.resistivity or values.resistivity_star)
            whole = two_channels or values.conductivity
            if name not in used | known | {self.geometry.lead_material} and not whole:
                raise InputError(f"material.{name}: no layer is made of it; {nearest(name, used)}")
        magnets = self.magnetized()
        made: dict[tuple[str, bool], device.Material] = {}
        layers = []
        for i, x in enumerate(self.layer, 1):
            if x.thickness is None and self.geometry.mesh is None:
                raise InputError(f"layer {i} ({x.name or x.material}): thickness is missing")
            name = x.name or f"{x.material}{i}"
            key = x.material, name in magnets
            if key not in made:
                made[key] = self.make_material(x.material, f"layer {i}", magnetized=key[1])
            # The thicknesses of a mesh file are the mesh's own.
            layers.append(device.Layer(made[key], x.thickness or 1e-9, name, x.magnetization))
        library = materials.interfaces(self.transport.temperature)
        return Stack(*layers, interfaces=self._interfaces(layers, known, library), library=library)

    def _interfaces(
        self,
        layers: Sequence[device.Layer],
        names: set[str],
        library: dict[tuple[str, str], device.Interface],
    ) -> dict[tuple[str, str], device.Interface]:
        """Return the case's own interfaces between these layers; the library fills what they leave open."""
        by_layer = {x.name: x.material for x in layers}
        # Of a material with beta = 0 that is a magnet in one layer only, the magnet decides what an interface may have.
        by_name = {x.material.name: x.material for x in sorted(layers, key=lambda x: x.material.ferromagnetic)}
        by_name |= by_layer
        touching = {frozenset(x) for x in pairwise(by_layer)}
        stacked = self.geometry.mesh is None and self.geometry.shape != "lateral"
        known_names = by_name.keys() | names | self.material.keys()
        out: dict[tuple[str, str], device.Interface] = {}
        seen: dict[frozenset[str], str] = {}
        for key, value in self.interface.items():
            owner = f"interface.'{key}'"
            pair = [p.strip() for p in key.split("|")]
            if len(pair) != 2 or not all(pair):
                raise InputError(f"{owner}: the name must be two materials or layers, as in 'Co|Cu'")
            if frozenset(pair) in seen:
                raise InputError(f"{owner}: this interface is given twice, also as '{seen[frozenset(pair)]}'")
            seen[frozenset(pair)] = key
            for n in pair:
                if n not in known_names:
                    raise InputError(f"{owner}: no layer or material is called '{n}'; {nearest(n, by_name)}")
            if not by_name.keys() >= set(pair):
                continue  # of a material that a sweep may use
            if stacked and by_layer.keys() >= set(pair) and frozenset(pair) not in touching:
                raise InputError(f"{owner}: these layers do not touch; from bottom to top: {', '.join(by_layer)}")
            first, second = (by_name[n] for n in pair)
            known = either_order(library, first.name, second.name)
            out[pair[0], pair[1]] = make_interface(owner, value, (first, second), known)
        return out

    def device_stack(self) -> Stack:
        """Return the layers with the wide leads that the geometry adds below and above."""
        stack, g = self.make_stack(), self.geometry
        if g.lead_width is None or g.lead_thickness is None:
            return stack
        ends = [(BOTTOM_LEAD, stack.layers[0]), (TOP_LEAD, stack.layers[-1])]
        own = self.make_lead() if g.lead_material is not None else None
        below, above = (device.Layer(own or x.material, g.lead_thickness, name) for name, x in ends)
        return stack.between([below], [above])

    def make_lead(self) -> device.Material:
        """Return the material of the wide leads, which have no magnetization."""
        assert self.geometry.lead_material is not None
        return self.make_material(self.geometry.lead_material, "geometry.lead_material", magnetized=False)

    def make_contacts(self) -> dict[str, device.Contact]:
        """Return what each contact of the case is, those included that are so by default."""
        return {k: device.Contact(self.spin_of(k)) for k in self.contact_names() or self.contact}

    def spin_of(self, contact: str) -> str:
        """Return how spins leave through a contact: of a film that a field in its plane drives, not at all."""
        own = self.contact.get(contact)
        if own is not None and "spin" in own.model_fields_set:
            return own.spin
        return "reservoir" if self.transport.in_plane_field is None else "blocked"

    @property
    def multi_terminal(self) -> bool:
        """Return whether contacts are driven one by one."""
        return any(c.voltage is not None or c.current is not None for c in self.contact.values())

    def states(self) -> dict[str, dict[str, list[float]]]:
        """Return the magnetizations of every state; without states, "default" with the layers' own."""
        return dict(self.state) or {"default": {}}

    def used(self) -> dict[str, Any]:
        """Return the tables that are used, with their defaults; layers and contacts without names have them, too."""
        out = super().used()
        if "geometry" not in self.model_fields_set:
            del out["geometry"]
        if not self.transports:
            del out["transport"]
        else:
            names = self.contact_names() or tuple(self.contact)
            out["contact"] = {
                k: self.contact.get(k, Contact.model_validate({})).used() | {"spin": self.spin_of(k)} for k in names
            }
        if self.macrospin is None:
            del out["sphere"]
        for i, layer in enumerate(out["layer"], 1):
            layer.setdefault("name", f"{layer['material']}{i}")
        for task, written in zip(self.task, out["task"], strict=True):
            # A start that is given turns the mesh of directions; its default does not, and must not when it is echoed.
            if "start" not in task.model_fields_set:
                written.pop("start", None)
        return {k: v for k, v in out.items() if v not in ([], {})}

    @property
    def torque_of_device(self) -> bool:
        """Return whether the torque on the macrospin comes from the transport through the device."""
        return self.torque is not None and self.torque.source != "given"

    @property
    def driven_by_device(self) -> bool:
        """Return whether the transport through the device acts on the macrospin in any way."""
        return self.torque_of_device or (self.macrospin is not None and self.macrospin.follows_current)

    def make_macrospin(self) -> Macrospin:
        """Return the macrospin, with the exchange through the tunnel barriers of its layer.

        Raises
        ------
        InputError
            If a value is missing, contradicted or impossible; the message names the key.
        """
        assert self.macrospin is not None
        spin, layer = make_spin(self.macrospin, self.layer_volume), self.macrospin.layer
        if layer is None or not self.transports:
            return spin
        from ...energy import InterlayerExchange
        from ...transport.tunnelling import barriers

        stack, terms = self.make_stack(), list(spin.terms)
        for pair, barrier in barriers(stack, self.touching(stack)).items():
            if layer in pair and barrier.exchange_coupling:
                other = stack[pair[1 - pair.index(layer)]].direction
                assert other is not None
                thickness = stack[layer].thickness
                terms.append(InterlayerExchange(barrier.exchange_coupling, other, thickness=thickness))
        return (
            replace(spin, terms=tuple(terms), thickness=stack[layer].thickness)
            if len(terms) > len(spin.terms)
            else spin
        )

    def about(self) -> About:
        """Return the declared objects that checks of tasks need.

        Raises
        ------
        InputError
            If the macrospin or its torque is impossible; the message names the key.
        """
        assert self.macrospin is not None
        spin = self.make_macrospin()
        unit = self._drive_unit if self.driven_by_device else ""
        return About(spin, make_torque(self.torque, spin), unit, self.torque_of_device)

    @property
    def _drive_unit(self) -> str:
        """Unit of the drive of transport."""
        if self.transport.in_plane_field is not None:
            return "V/m"
        return "A/m2" if self.transport.voltage is None else "V"

    def largest_drive(self) -> float:
        """Return the largest drive that the device sees, in A/m2, A or V as transport is driven."""
        t = self.transport
        own = next(abs(x) for x in (t.current_density, t.current, t.voltage, 0.0) if x is not None)
        asked = [x.largest_drive() for x in self.task if isinstance(x, SurveyTask | Hysteresis | PulseTask)]
        return max([own, *asked])

    def touching(self, stack: Stack) -> list[tuple[str, str]]:
        """Return the layers of a stack that touch, in order; of a mesh file none, only the mesh knows."""
        if self.geometry.mesh is not None:
            return []
        if self.geometry.shape == "lateral":
            return [(stack.names[0], x) for x in stack.names[1:]]
        return list(pairwise(stack.names))

    def contact_layers(self, stack: Stack) -> dict[str, str]:
        """Return the layer that each contact of the shape is on; of a mesh file none."""
        if self.geometry.mesh is not None:
            return {}
        if self.geometry.shape == "lateral":
            channel, injector, detector = stack.names
            return {"left": channel, "injector": injector, "detector": detector, "right": channel}
        if self.geometry.shape == "three-terminal":
            return {"left": stack.names[0], "right": stack.names[0], "top": stack.names[-1]}
        return {"bottom": stack.names[0], "top": stack.names[-1]}

    def contact_names(self) -> tuple[str, ...] | None:
        """Return the contacts of the shape; None if the mesh file says."""
        if self.geometry.mesh is not None:
            return None
        return next((names for names, shapes in CONTACTS.items() if self.geometry.shape in shapes), ("bottom", "top"))
