"""Case files: TOML tables, strictly validated, one constructor per table. Nothing here needs a mesh."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field

from . import device, materials
from .errors import InputError, nearest
from .macrospin_case import MacrospinTable, SphereTable, Task, TorqueTable
from .stack import Stack, either_order
from .tables import Direction, Drive, Length, Positive, Table

type Resistivity = Annotated[float, Field(gt=1e-15, lt=1e9)]
type Asymmetry = Annotated[float, Field(gt=-1, lt=1)]


class Geometry(Table):
    """Where the layers are. Lengths in m."""

    shape: Literal["line", "strip", "pillar", "lateral"] | None = None
    mesh: str | None = Field(None, description="a .msh or .geo file, relative to the case file")
    mesh_size: Positive | None = Field(None, description="largest cell; thin layers are resolved whatever it is")
    length_unit: Positive | None = Field(None, description="mesh files: length of the file's unit")
    cross_section: Positive | None = Field(None, description="mesh files: area (2D: width) of current densities")
    diameter: Length | None = None
    semi_axes: Annotated[list[Length], Field(min_length=2, max_length=2)] | None = None
    width: Length | None = None
    depth: Positive | None = Field(None, description="2D: extent in the third direction, default 1 m")
    lead_width: Length | None = None
    lead_thickness: Length | None = None
    lead_material: str | None = None
    separation: Length | None = Field(None, description="lateral: centre to centre of the wires")
    wire_width: Length | Annotated[list[Length], Field(min_length=2, max_length=2)] | None = None
    wire_overhang: Annotated[float, Field(ge=0)] | None = None
    channel_width: Length | None = None
    channel_length: Length | None = Field(None, description="lateral: beyond each wire's centre")
    dimension: Literal[2, 3] | None = Field(None, description="lateral: 2 (section) or 3")


class Layer(Table):
    """A layer, bottom to top."""

    material: str
    thickness: Length | None = Field(None, description="m; not used with mesh files")
    name: Annotated[str, Field(min_length=1)] | None = None
    magnetization: Direction | None = None


class Material(Table):
    """A new material, or entries that override the library's."""

    resistivity: Resistivity | None = Field(None, description="rho, ohm m")
    resistivity_star: Resistivity | None = Field(None, description="rho* = rho/(1 - beta^2), ohm m")
    beta: Asymmetry | None = None
    spin_diffusion_length: Annotated[float, Field(gt=1e-11)] | None = Field(None, description="l_sf, m")


class Interface(Table):
    """An interface between two materials or two layers, or entries that override the library's."""

    area_resistance_star: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        None, description="AR* of one interface, ohm m2; 0 is a perfect contact"
    )
    gamma: Asymmetry | None = Field(None, description="spin asymmetry; default the library's, else 0")


class Contact(Table):
    """How spins leave through a contact, and what drives it if not [transport]."""

    spin: Literal["reservoir", "lead", "blocked"] = "reservoir"
    voltage: Drive | None = Field(None, description="V")
    current: Drive | None = Field(None, description="A into the device (A/m2 on a line)")


class Solver(Table):
    """How linear systems are solved."""

    kind: Literal["auto", "amg", "direct"] = "auto"
    rtol: Annotated[float, Field(gt=0, lt=1)] = 1e-8
    max_iterations: Annotated[int, Field(gt=0)] = 500
    petsc: dict[str, str | int | float | bool] = Field(default_factory=dict, description="PETSc options without prefix")


class Transport(Table):
    """Model, drive and discretization."""

    model: Literal["two-channel"] = "two-channel"
    current_density: Drive | None = Field(None, description="A/m2 through the cross-section, upwards")
    current: Drive | None = Field(None, description="A, upwards")
    voltage: Drive | None = Field(None, description="V, bottom against top")
    measure: Annotated[list[str], Field(min_length=2, max_length=2)] | None = Field(
        None, description="contacts driven one by one: two of them, whose voltage over the current is reported"
    )
    degree: Annotated[int, Field(ge=1, le=6)] = 2
    temperature: float = Field(
        4.2, description="K: which numbers of the library", json_schema_extra={"enum": list(materials.TEMPERATURES)}
    )
    solver: Solver = Solver()


class Case(Table):
    """A whole case file."""

    title: str = ""
    geometry: Geometry = Field(default_factory=lambda: Geometry.model_validate({}))
    layer: Annotated[list[Layer], Field(min_length=1)] = Field(default_factory=list)
    material: dict[str, Material] = Field(default_factory=dict)
    interface: dict[str, Interface] = Field(default_factory=dict)
    contact: dict[str, Contact] = Field(default_factory=dict)
    transport: Transport = Field(default_factory=lambda: Transport.model_validate({}))
    state: dict[str, dict[str, Direction]] = Field(default_factory=dict)
    macrospin: MacrospinTable | None = None
    torque: TorqueTable | None = None
    sphere: SphereTable = Field(default_factory=lambda: SphereTable.model_validate({}))
    task: list[Task] = Field(default_factory=list)

    @property
    def transports(self) -> bool:
        """Whether there is transport to solve; with a macrospin, layers may be there for its volume alone."""
        return self.macrospin is None or "transport" in self.model_fields_set

    def layer_volume(self, name: str) -> float:
        """Return the volume of a layer (m3).

        Raises
        ------
        InputError
            If there is no such layer, or the geometry has no cross-section.
        """
        g, stack = self.geometry, self.make_stack()
        if name not in stack.names:
            raise InputError(f"macrospin.layer: no layer is called '{name}'; {nearest(name, stack.names)}")
        if g.shape == "pillar":
            a, b = g.semi_axes if g.semi_axes else [(g.diameter or 0.0) / 2] * 2
            area = math.pi * a * b
        elif g.shape == "strip" and g.depth is not None and g.width is not None:
            area = g.width * g.depth
        else:
            raise InputError(
                'macrospin.layer: only layers of a "pillar", or of a "strip" with depth, have a volume; '
                "give macrospin.volume (m3)"
            )
        return area * stack[name].thickness

    # ---- the declared objects
    def make_material(self, name: str, user: str = "layer") -> device.Material:
        """Return a material: the library's numbers, overridden by the case's.

        Parameters
        ----------
        user
            Who asks, for messages.

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
        given = own.model_dump(exclude_none=True) if own else {}
        rho = {"resistivity", "resistivity_star"}
        if rho <= given.keys():
            raise InputError(f"material.{name}: give resistivity or resistivity_star, exactly one; found both")
        known = materials.TEMPERATURES.get(temperature) in book.get(name, {})
        values = materials.entry(name, temperature) if known else {}
        if given.keys() & rho:
            values = {k: v for k, v in values.items() if k not in rho}
        made = values | given
        missing = [] if made.keys() & rho else ["resistivity or resistivity_star"]
        missing += [] if "spin_diffusion_length" in made else ["spin_diffusion_length"]
        if "beta" not in made and any(x.get("ferromagnet") for x in book.get(name, {}).values()):
            missing.append("beta")
        if missing:
            library = f"; the library has none at {temperature:g} K" if name in book else ""
            raise InputError(f"material.{name}: needs {' and '.join(missing)}{library}")
        return materials.make(name, made)

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
            whole = values.spin_diffusion_length and (values.resistivity or values.resistivity_star)
            if name not in used | known | {self.geometry.lead_material} and not whole:
                raise InputError(f"material.{name}: no layer is made of it; {nearest(name, used)}")
        made = {x.material: self.make_material(x.material, f"layer {i}") for i, x in enumerate(self.layer, 1)}
        layers = []
        for i, x in enumerate(self.layer, 1):
            if x.thickness is None and self.geometry.mesh is None:
                raise InputError(f"layer {i} ({x.name or x.material}): thickness is missing")
            name = x.name or f"{x.material}{i}"
            # The thicknesses of a mesh file are the mesh's own.
            layers.append(device.Layer(made[x.material], x.thickness or 1e-9, name, x.magnetization))
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
        by_name = {x.material.name: x.material for x in layers} | by_layer
        touching = {frozenset(x) for x in pairwise(by_layer)}
        stacked = self.geometry.mesh is None and self.geometry.shape != "lateral"
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
                if n not in by_name.keys() | names | self.material.keys():
                    raise InputError(f"{owner}: no layer or material is called '{n}'; {nearest(n, by_name)}")
            if not by_name.keys() >= set(pair):
                continue  # of a material that a sweep may use
            if stacked and by_layer.keys() >= set(pair) and frozenset(pair) not in touching:
                raise InputError(f"{owner}: these layers do not touch; from bottom to top: {', '.join(by_layer)}")
            of = [by_name[n].name for n in pair]
            known = either_order(library, *of)
            star, gamma = value.area_resistance_star, value.gamma
            if star is None:
                if known is None:
                    raise InputError(f"{owner}.area_resistance_star: missing; the library has no {of[0]}|{of[1]}")
                star = known.area_resistance_star
            if gamma is None:
                gamma = known.gamma if known is not None and star else 0.0
            out[pair[0], pair[1]] = device.Interface(star, gamma)
        return out

    def make_contacts(self) -> dict[str, device.Contact]:
        """Return what each contact of the case is."""
        return {k: device.Contact(c.spin) for k, c in self.contact.items()}

    @property
    def multi_terminal(self) -> bool:
        """Whether contacts are driven one by one."""
        return any(c.voltage is not None or c.current is not None for c in self.contact.values())

    def states(self) -> dict[str, dict[str, list[float]]]:
        """Return the magnetizations of every state; without states, "default" with the layers' own."""
        return dict(self.state) or {"default": {}}

    def describe(self) -> str:
        """Return what would be run, as text."""
        parts = [self._describe_transport()] if self.transports else [self.title or "untitled"]
        if self.macrospin is not None:
            from .macrospin_checks import describe

            parts.append(describe(self))
        return "\n".join(parts)

    def _describe_transport(self) -> str:
        stack = self.make_stack()
        kind = self.geometry.shape or self.geometry.mesh
        lines = [f"{self.title or 'untitled'}: {kind}, {self.transport.model}, degree {self.transport.degree}"]
        for x in stack:
            m = x.material
            beta = "" if m.beta is None else f", beta {m.beta:g}"
            thick = f"{x.thickness / 1e-9:g} nm, " if self.geometry.mesh is None else ""
            lines.append(
                f"  {x.name:<16}{m.name:<8}{thick}rho {m.resistivity / 1e-9:.4g} nohm m, "
                f"l_sf {m.spin_diffusion_length / 1e-9:g} nm{beta}"
            )
        if self.geometry.mesh is None and self.geometry.shape != "lateral":
            for a, b in pairwise(stack.names):
                face = stack.interface(a, b)
                law = "perfect" if face is None else f"AR* {face.area_resistance_star:.4g} ohm m2, gamma {face.gamma:g}"
                lines.append(f"  {a}|{b}: {law}")
        for k in self.contact_names() or self.contact:
            kind = self.contact[k].spin if k in self.contact else "reservoir (default)"
            lines.append(f"  contact {k}: {kind}")
        lines.append(f"  states: {', '.join(self.states())}")
        return "\n".join(lines)

    def notes(self) -> list[str]:
        """Return what a user may want to know before believing the numbers."""
        stack, out = self.make_stack(), []
        given = {frozenset(p.strip() for p in k.split("|")) for k in self.interface}
        present = set(stack.names) | {x.material.name for x in stack}
        for k in self.interface:
            if not {p.strip() for p in k.split("|")} <= present:
                out.append(f"interface '{k}' is not used: no layer is made of one of its materials")
        if self.geometry.mesh is not None or self.geometry.shape == "lateral":
            pairs = [(a, b) for i, a in enumerate(stack) for b in stack.layers[i + 1 :]]
        else:
            pairs = list(pairwise(stack.layers))
        seen = set()
        for a, b in pairs:
            key = frozenset((a.material.name, b.material.name))
            magnets = a.material.ferromagnetic + b.material.ferromagnetic
            named = any(key == g or g & {a.name, b.name} for g in given)
            if magnets == 1 and key not in seen and not named and stack.interface(a.name, b.name) is None:
                seen.add(key)
                out.append(
                    f"no interface {a.material.name}|{b.material.name} in the library at "
                    f"{self.transport.temperature:g} K, and none given: taken as perfect"
                )
        return out

    def contact_names(self) -> tuple[str, ...] | None:
        """Return the contacts of the shape; None if the mesh file says."""
        if self.geometry.mesh is not None:
            return None
        return ("left", "injector", "detector", "right") if self.geometry.shape == "lateral" else ("bottom", "top")


def schema() -> dict[str, Any]:
    """Return the JSON schema of a case file."""
    return Case.model_json_schema()
