"""Case files: TOML tables, strictly validated, one constructor per table. Nothing here needs a mesh."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from . import device, materials
from .errors import InputError, nearest

type Positive = Annotated[float, Field(gt=0)]
type Asymmetry = Annotated[float, Field(gt=-1, lt=1)]
type Direction = Annotated[list[float], Field(min_length=3, max_length=3)]


class Table(BaseModel):
    """A table of a case file: no unknown keys, no converted types, no NaN."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Geometry(Table):
    """Where the layers are. Lengths in m."""

    shape: Literal["line", "strip", "pillar", "lateral"] | None = None
    mesh: str | None = Field(None, description="a .msh or .geo file, relative to the case file")
    mesh_size: Positive | None = Field(None, description="largest cell; thin layers are resolved whatever it is")
    length_unit: Positive | None = Field(None, description="mesh files: length of the file's unit")
    cross_section: Positive | None = Field(None, description="mesh files: area (2D: width) of current densities")
    diameter: Positive | None = None
    semi_axes: Annotated[list[Positive], Field(min_length=2, max_length=2)] | None = None
    width: Positive | None = None
    depth: Positive | None = Field(None, description="2D: extent in the third direction, default 1 m")
    lead_width: Positive | None = None
    lead_thickness: Positive | None = None
    lead_material: str | None = None
    separation: Positive | None = Field(None, description="lateral: centre to centre of the wires")
    wire_width: Positive | Annotated[list[Positive], Field(min_length=2, max_length=2)] | None = None
    wire_overhang: Annotated[float, Field(ge=0)] | None = None
    channel_width: Positive | None = None
    channel_length: Positive | None = Field(None, description="lateral: beyond each wire's centre")
    dimension: Literal[2, 3] | None = Field(None, description="lateral: 2 (section) or 3")


_WIDE = {"lead_width", "lead_thickness", "lead_material"}
SHAPES: dict[str, tuple[set[str], set[str]]] = {  # keys needed, keys allowed
    "line": (set(), set()),
    "strip": ({"width"}, {"depth"} | _WIDE),
    "pillar": (set(), {"diameter", "semi_axes"} | _WIDE),
    "lateral": (
        {"separation", "wire_width", "channel_width"},
        {"wire_overhang", "channel_length", "dimension"},
    ),
    "mesh": (set(), {"length_unit", "cross_section", "depth"}),
}


class Layer(Table):
    """A layer, bottom to top."""

    material: str
    thickness: Positive | None = Field(None, description="m; not used with mesh files")
    name: Annotated[str, Field(min_length=1)] | None = None
    magnetization: Direction | None = None


class Material(Table):
    """A new material, or entries that override the library's."""

    resistivity: Positive | None = Field(None, description="rho, ohm m")
    resistivity_star: Positive | None = Field(None, description="rho* = rho/(1 - beta^2), ohm m")
    beta: Asymmetry | None = None
    spin_diffusion_length: Positive | None = Field(None, description="l_sf, m")
    density_of_states: Positive | None = Field(None, description="both spins, 1/(J m3); transients only")


class Interface(Table):
    """An interface between two materials or two layers."""

    area_resistance_star: Annotated[float, Field(ge=0, description="AR*, ohm m2; 0 is a perfect contact")]
    gamma: Asymmetry = 0.0


class Contact(Table):
    """How spins leave through a contact, and what drives it if not [transport]."""

    spin: Literal["reservoir", "lead", "blocked"] = "reservoir"
    voltage: float | None = Field(None, description="V")
    current: float | None = Field(None, description="A into the device (A/m2 on a line)")


class Solver(Table):
    """How linear systems are solved."""

    kind: Literal["auto", "amg", "direct"] = "auto"
    rtol: Annotated[float, Field(gt=0, lt=1)] = 1e-8
    max_iterations: Annotated[int, Field(gt=0)] = 500
    petsc: dict[str, str | int | float | bool] = Field({}, description="PETSc options without prefix")


class Transport(Table):
    """Model, drive and discretization."""

    model: Literal["two-channel"] = "two-channel"
    current_density: float | None = Field(None, description="A/m2 through the cross-section, upwards")
    current: float | None = Field(None, description="A, upwards")
    voltage: float | None = Field(None, description="V, bottom against top")
    degree: Annotated[int, Field(ge=1, le=6)] = 2
    temperature: Literal[4.2, 300, 300.0] = Field(4.2, description="K: which numbers of the library")
    solver: Solver = Solver()


class Case(Table):
    """A whole case file."""

    title: str = ""
    geometry: Geometry
    layer: Annotated[list[Layer], Field(min_length=1)]
    material: dict[str, Material] = {}
    interface: dict[str, Interface] = {}
    contact: dict[str, Contact] = {}
    transport: Transport
    state: dict[str, dict[str, Direction]] = {}

    # ---- the declared objects
    def make_material(self, name: str) -> device.Material:
        """Return a material: the library's numbers, overridden by the case's.

        Raises
        ------
        InputError
            If it is in neither, or a number is missing.
        """
        values: dict[str, float] = {}
        own = self.material.get(name)
        given = own.model_dump(exclude_none=True) if own else {}
        if {"resistivity", "resistivity_star"} <= given.keys():
            raise InputError(f"material.{name}: give resistivity or resistivity_star, exactly one; found both")
        known = materials.library()["material"]
        if name in known:
            try:
                values = materials.entry(name, self.transport.temperature)
            except InputError:
                if own is None:
                    raise
        elif own is None:
            raise InputError(
                f"layer: material '{name}' is neither in the library nor in the case: "
                f"{nearest(name, [*known, *self.material])}"
            )
        if given.keys() & {"resistivity", "resistivity_star"}:
            values.pop("resistivity", None)
            values.pop("resistivity_star", None)
        made = values | given
        if not made.keys() & {"resistivity", "resistivity_star"}:
            raise InputError(f"material.{name}: needs resistivity or resistivity_star, exactly one; found neither")
        if "spin_diffusion_length" not in made:
            raise InputError(f"material.{name}: needs spin_diffusion_length; found none")
        return materials.make(name, made)

    def make_stack(self) -> device.Stack:
        """Return the layers with their interfaces.

        Raises
        ------
        InputError
            If a layer is impossible; the message names it.
        """
        library = materials.interfaces(self.transport.temperature)
        used = {x.material for x in self.layer}
        known = set(materials.library()["material"])
        for name, values in self.material.items():
            # A complete definition may wait for a sweep to use it; a partial one is a misspelt override.
            whole = values.spin_diffusion_length and (values.resistivity or values.resistivity_star)
            if name not in used | known and not whole:
                raise InputError(f"material.{name}: no layer is made of it: {nearest(name, used)}")
        made = {n: self.make_material(n) for n in sorted(used)}
        layers = []
        for i, x in enumerate(self.layer, 1):
            if x.thickness is None and self.geometry.mesh is None:
                raise InputError(f"layer {i} ({x.name or x.material}): thickness is missing")
            layers.append(device.Layer(made[x.material], x.thickness or 1.0, x.name or "", x.magnetization))
        interfaces = {}
        for key, value in self.interface.items():
            pair = tuple(p.strip() for p in key.split("|"))
            if len(pair) != 2 or not all(pair):
                raise InputError(f"interface.'{key}': the name must be two materials or layers, as in 'Co|Cu'")
            if pair in interfaces or pair[::-1] in interfaces:
                raise InputError(f"interface.'{key}': this interface is given twice")
            names = {device.default_name(x, i) for i, x in enumerate(layers, 1)} | used
            for n in pair:
                if n not in names | known | set(self.material):
                    raise InputError(f"interface.'{key}': no layer or material is called '{n}': {nearest(n, names)}")
            if not set(pair) <= names:
                continue  # of a material that a sweep may use
            interfaces[pair[0], pair[1]] = device.Interface(value.area_resistance_star, value.gamma)
        return device.Stack(*layers, interfaces=interfaces, library=library)

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
        stack = self.make_stack()
        kind = self.geometry.shape or self.geometry.mesh
        lines = [f"{self.title or 'untitled'}: {kind}, {self.transport.model}, degree {self.transport.degree}"]
        for x in stack:
            m = x.material
            beta = "" if m.beta is None else f", beta {m.beta:g}"
            lines.append(
                f"  {x.name:<16}{m.name:<8}{x.thickness / 1e-9:g} nm, rho {m.resistivity / 1e-9:.4g} nohm m, "
                f"l_sf {m.spin_diffusion_length / 1e-9:g} nm{beta}"
            )
        if self.geometry.mesh is None and self.geometry.shape != "lateral":
            for a, b in zip(stack.names, stack.names[1:], strict=False):
                face = stack.interface(a, b)
                law = "perfect" if face is None else f"AR* {face.area_resistance_star:.4g} ohm m2, gamma {face.gamma:g}"
                lines.append(f"  {a}|{b}: {law}")
        for k, c in self.contact.items():
            lines.append(f"  contact {k}: {c.spin}")
        lines.append(f"  states: {', '.join(self.states())}")
        return "\n".join(lines)

    def contact_names(self) -> tuple[str, ...] | None:
        """Return the contacts of the shape; None if the mesh file says."""
        if self.geometry.mesh is not None:
            return None
        return ("left", "injector", "detector", "right") if self.geometry.shape == "lateral" else ("bottom", "top")

    def check(self) -> None:
        """Refuse whatever can be known to fail, before anything is meshed.

        Raises
        ------
        InputError
            With one line that names the table and key.
        """
        self._check_geometry()
        self._check_drive()
        stack = self.make_stack()
        if self.geometry.lead_material is not None:
            self.make_material(self.geometry.lead_material)
        for name, directions in self.states().items():
            owner = f"state.{name}"
            for layer, vector in directions.items():
                if layer not in stack.names:
                    raise InputError(f"{owner}: no layer is called '{layer}': {nearest(layer, stack.names)}")
                device.direction(vector, f"{owner}.{layer}")
                if not stack[layer].material.ferromagnetic:
                    raise InputError(f"{owner}.{layer}: {stack[layer].material.name} is not a ferromagnet (no beta)")
            self._check_state(owner, stack.magnetized(directions))

    def _check_state(self, owner: str, stack: device.Stack) -> None:
        """Refuse magnetizations and interfaces that the two-channel model cannot take."""
        try:
            axis = device.common_axis(stack)
        except InputError as error:
            raise InputError(f"{owner}: {error}") from error
        for a, b in zip(stack.layers, stack.layers[1:], strict=False):
            face = stack.interface(a.name, b.name)
            both = a.material.ferromagnetic and b.material.ferromagnetic
            if both and face is not None and face.gamma and device.sign_along(a, axis) != device.sign_along(b, axis):
                raise InputError(
                    f"{owner}: interface '{a.name}|{b.name}' has gamma = {face.gamma} between magnets of opposite "
                    "magnetization, where majority and minority are not defined; use gamma = 0 or a spacer"
                )

    def _check_geometry(self) -> None:
        g = self.geometry
        if (g.shape is None) == (g.mesh is None):
            raise InputError(f"geometry: give exactly one of shape ({', '.join(list(SHAPES)[:-1])}) and mesh")
        kind = g.shape or "mesh"
        needed, allowed = SHAPES[kind]
        given = set(g.model_dump(exclude_none=True)) - {"shape", "mesh", "mesh_size"}
        for key in sorted(given - needed - allowed):
            owners = [f'"{s}"' for s, (n, a) in SHAPES.items() if key in n | a]
            raise InputError(f"geometry.{key}: belongs to {' and '.join(owners)}, found with \"{kind}\"")
        for key in sorted(needed - given):
            raise InputError(f'geometry.{key}: missing; shape = "{kind}" needs it')
        if kind == "pillar" and (g.diameter is None) == (g.semi_axes is None):
            raise InputError("geometry: a pillar takes exactly one of diameter and semi_axes")
        if (g.lead_width is None) != (g.lead_thickness is None):
            raise InputError("geometry: wide leads need both lead_width and lead_thickness")
        if g.lead_material is not None and g.lead_width is None:
            raise InputError("geometry.lead_material: needs lead_width and lead_thickness")
        if g.lead_width is not None:
            own = g.width or g.diameter or 2 * max(g.semi_axes or [0.0])
            if g.lead_width <= own:
                raise InputError(f"geometry.lead_width: found {g.lead_width:g}; it must exceed the device's width, {own:g}")
            for x in (self.layer[0], self.layer[-1]):
                if g.lead_material is None and self.make_material(x.material).ferromagnetic:
                    raise InputError(f"geometry.lead_material: missing; the outer layer of {x.material} is a magnet")
        if kind == "lateral":
            if len(self.layer) != 3:
                raise InputError(f"layer: a lateral valve has three (channel, injector, detector); found {len(self.layer)}")
            widths = g.wire_width if isinstance(g.wire_width, list) else [g.wire_width or 0.0] * 2
            assert g.separation is not None
            if g.separation <= sum(widths) / 2:
                raise InputError(f"geometry.separation: found {g.separation:g}; the wires overlap below {sum(widths) / 2:g}")
            if g.wire_overhang and g.dimension == 2:
                raise InputError("geometry.wire_overhang: a section (dimension = 2) has none")

    def _check_drive(self) -> None:
        t, names = self.transport, self.contact_names()
        for k in self.contact:
            if names is not None and k not in names:
                raise InputError(f"contact.{k}: the geometry has no such contact: {nearest(k, names)}")
        drives = {k: v for k in ("current_density", "current", "voltage") if (v := getattr(t, k)) is not None}
        if self.multi_terminal:
            if drives:
                raise InputError(f"transport.{next(iter(drives))}: contacts are driven one by one; give no drive here")
            for k, c in self.contact.items():
                if (c.voltage is None) == (c.current is None):
                    raise InputError(f"contact.{k}: give exactly one of voltage and current")
            for k in names or ():
                if k not in self.contact:
                    raise InputError(f"contact.{k}: missing; it needs a voltage or a current (0 if it floats)")
            if all(c.voltage is None for c in self.contact.values()):
                raise InputError("contact: all contacts float; give at least one of them a voltage, 0 for ground")
        elif len(drives) != 1:
            found = " and ".join(drives) or "none"
            raise InputError(f"transport: give exactly one of current_density, current and voltage; found {found}")
        elif names is not None and set(names) != {"bottom", "top"}:
            raise InputError(f"contact: give each of {', '.join(names)} a voltage or a current")
        elif not next(iter(drives.values())):
            raise InputError(f"transport.{next(iter(drives))}: found 0; without a drive there is no resistance")
        elif self.geometry.shape == "line" and "current" in drives:
            raise InputError("transport.current: a line has no cross-section; give current_density or voltage")


# ---- reading
def read(path: Path, assignments: Sequence[str] = ()) -> tuple[Case, dict[str, Any]]:
    """Return a validated case and its tables as written.

    Parameters
    ----------
    path
        A TOML file.
    assignments
        "table.key=value" each, applied before validation.

    Raises
    ------
    InputError
        One line that names the file, the table and key, what was found and what is allowed.
    """
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a TOML file: {error}") from error
    try:
        for text in assignments:
            assign(raw, text)
        case = Case.model_validate(raw)
        case.check()
    except ValidationError as error:
        raise InputError(f"{path}: {explain(error)}") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return case, raw


def _split(path: str) -> list[str]:
    """Split at dots outside quotes."""
    parts, quote, word = [], "", ""
    for ch in path:
        if quote:
            quote, word = ("", word) if ch == quote else (quote, word + ch)
        elif ch in "\"'":
            quote = ch
        elif ch == ".":
            parts.append(word)
            word = ""
        else:
            word += ch
    return [*parts, word]


def assign(raw: dict[str, Any], text: str) -> None:
    """Set one value of a case's tables: ``table.key=value``; layers by name or by number from 1.

    Raises
    ------
    InputError
        If the text is not an assignment or leads nowhere.
    """
    path, eq, value = text.partition("=")
    keys = [k.strip() for k in _split(path)]
    if not eq or not all(keys):
        raise InputError(f"--set {text}: must be table.key=value")
    try:
        parsed = tomllib.loads(f"x = {value}")["x"]
    except tomllib.TOMLDecodeError:
        parsed = value.strip()
    at: Any = raw
    for k in keys[:-1]:
        if isinstance(at, list):
            at = at[_index(at, k, text)]
        elif isinstance(at, dict):
            at = at.setdefault(k, {})
        else:
            raise InputError(f"--set {text}: '{k}' is inside a value, not a table")
    if isinstance(at, list):
        at[_index(at, keys[-1], text)] = parsed
    elif isinstance(at, dict):
        at[keys[-1]] = parsed
    else:
        raise InputError(f"--set {text}: '{keys[-1]}' is inside a value, not a table")


def _index(items: list[Any], key: str, text: str) -> int:
    names = [x.get("name") if isinstance(x, dict) else None for x in items]
    if key in names:
        return names.index(key)
    if key.isdigit() and 1 <= int(key) <= len(items):
        return int(key) - 1
    known = [n for n in names if n] + [str(i + 1) for i in range(len(items))]
    raise InputError(f"--set {text}: there is no '{key}': {nearest(key, known)}")


_TABLES: dict[str, type[Table]] = {
    "geometry": Geometry,
    "layer": Layer,
    "material": Material,
    "interface": Interface,
    "contact": Contact,
    "transport": Transport,
}


def explain(error: ValidationError) -> str:
    """Return one line for the first finding: where, what was found, what is allowed."""
    e = error.errors(include_url=False)[0]
    loc = [x for x in e["loc"] if not (isinstance(x, str) and ("[" in x or x in ("float", "list")))]
    where = ""
    for x in loc:
        where += f" {x + 1}" if isinstance(x, int) else f".{x}" if where else str(x)
    found = e["input"]
    shown = json.dumps(found) if isinstance(found, (str, list, dict, bool, int)) else repr(found)
    shown = shown if len(shown) < 60 else shown[:57] + "..."
    ctx = e.get("ctx", {})
    kind = e["type"]
    if kind == "extra_forbidden":
        table = Solver if loc[:2] == ["transport", "solver"] else _TABLES.get(str(loc[0]), Case) if len(loc) > 1 else Case
        what = "key" if len(loc) > 1 else "table or key"
        return f"{where}: unknown {what}; {nearest(str(loc[-1]), table.model_fields)}"
    if kind == "missing":
        return f"{where}: missing"
    if kind == "literal_error":
        allowed = str(ctx["expected"]).replace("'", '"')
        close = nearest(found, [x.strip("'") for x in str(ctx["expected"]).replace(" or ", ", ").split(", ")]) if isinstance(found, str) else ""
        hint = f"; {close}" if close.startswith("did") else ""
        return f"{where}: found {shown}; allowed: {allowed}{hint}"
    if isinstance(found, float) and not math.isfinite(found):
        return f"{where}: found {found}; it must be a finite number"
    if kind == "too_short" and isinstance(found, list) and not found:
        return f"{where}: found none; at least one is needed"
    message = e["msg"].replace("Input should be ", "it must be ").replace("a valid ", "a ")
    return f"{where}: found {shown}; {message[0].lower() + message[1:]}"


def schema() -> dict[str, Any]:
    """Return the JSON schema of a case file."""
    return Case.model_json_schema()
