"""JSON schema of case files: what the tables refuse, as far as a schema can say it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from .layered.case import CONTACTS
from .reference import tables
from .registry import kinds
from .schema import SIZE, Table

# Tables of which one must be there, beside those of the case's own kind.
_STARTS = [{"required": ["macrospin", "task"]}, {"required": ["geometry", "layer"]}]


def schema() -> dict[str, Any]:
    """Return the JSON schema of case files of every kind.

    The top level knows all tables, for editors; ``oneOf`` has an entry for each kind of case, with the tables and the
    tasks that it may have.
    """
    properties: dict[str, Any] = {}
    definitions: dict[str, Any] = {}
    tasks: list[dict[str, str]] = []
    shapes: list[dict[str, Any]] = []
    for kind in kinds():
        own = kind.table.model_json_schema()
        definitions |= own["$defs"]
        alternatives = _alternatives(own["properties"]["task"]["items"], own["$defs"])
        tasks += alternatives
        entry = {
            "title": kind.title,
            "propertyNames": {"enum": list(kind.table.model_fields)},
            "properties": {"task": {"items": {"oneOf": alternatives}}},
        }
        shapes.append(entry | ({"required": [kind.key, "task"]} if kind.key is not None else {"anyOf": _STARTS}))
        properties = own["properties"] | properties
        for _, table in tables(kind.table):
            if table is not kind.table:
                _strengthen(table, definitions[table.__name__])
    properties["task"]["items"] = {
        "oneOf": tasks,
        "discriminator": {
            "propertyName": "kind",
            "mapping": {w: f"#/$defs/{c.__name__}" for kind in kinds() for w, c in kind.tasks.items()},
        },
    }
    properties["task"]["minItems"] = 1
    out = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Case file of fespin",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "dependentRequired": {"torque": ["macrospin"], "sphere": ["macrospin"]},
        "oneOf": shapes,
        "allOf": [*_of_models(properties), *_of_whole_cases()],
    }
    used = _referred(out, definitions, set())
    out["$defs"] = {k: v for k, v in definitions.items() if k in used}
    _write_sizes(out)
    return out


def _referred(node: Any, definitions: Mapping[str, Any], names: set[str]) -> set[str]:
    """Add the names of all definitions that a schema leads to; return them."""
    if isinstance(node, dict):
        name = str(node.get("$ref", "")).rpartition("/")[2]
        if name and name not in names:
            names.add(name)
            _referred(definitions[name], definitions, names)
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _referred(value, definitions, names)
    return names


def _alternatives(items: Mapping[str, Any], definitions: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the references of a union of tasks."""
    while "$ref" in items:
        items = definitions[items["$ref"].rpartition("/")[2]]
    return list(items["oneOf"])


def _strengthen(table: type[Table], node: dict[str, Any]) -> None:
    """Add to the schema of a table which keys go with which."""
    rules: list[dict[str, Any]] = list(table.rules)
    for group in table.exactly_one:
        rules.append({"oneOf": [{"required": [key]} for key in group]})
    for group in table.at_most_one:
        rules += [{"not": {"required": [a, b]}} for i, a in enumerate(group) for b in group[i + 1 :]]
    if rules:
        node["allOf"] = rules
    rule = table.belonging
    if rule is None or rule.selector not in table.model_fields:
        return
    default = table.model_fields[rule.selector].default
    dependent = {}
    for key in table.model_fields:
        words = rule.words(key)
        if words:
            chosen: dict[str, Any] = {"properties": {rule.selector: {"enum": words}}}
            alternatives = [chosen if default in words else chosen | {"required": [rule.selector]}]
            alternatives += [{"required": ["mesh"]}] if "mesh" in words else []
            dependent[key] = alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives}
    node["dependentSchemas"] = dependent
    for word, keys in rule.needed.items():
        if keys and word != "mesh":
            condition = {"properties": {rule.selector: {"const": word}}, "required": [rule.selector]}
            node.setdefault("allOf", []).append({"if": condition, "then": {"required": sorted(keys)}})


def _of_models(properties: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rules by which transport.model decides on the keys of other tables."""
    table = next(t for name, t in tables(next(kinds()).table) if name == "[transport]")
    field = table.model_fields["model"]
    by_table = {
        name.strip("[]").removesuffix(".NAME"): t.belonging
        for name, t in tables(next(kinds()).table)
        if t.belonging is not None and t.belonging.selector == "transport.model"
    }
    for model in field.annotation.__args__:  # type: ignore[union-attr]
        chosen: dict[str, Any] = {"properties": {"model": {"const": model}}}
        if model != field.default:
            chosen["required"] = ["model"]
        refused = {}
        for key, rule in by_table.items():
            others = sorted(set().union(*rule.keys.values()) - set(rule.keys.get(model, ())))
            refused[key] = {"additionalProperties": {"properties": dict.fromkeys(others, False)}}
        yield {
            "if": {"properties": {"transport": chosen}, "required": ["transport"]},
            "then": {"properties": refused},
        }


def _of_whole_cases() -> Iterator[dict[str, Any]]:
    """Yield the rules that join tables: thicknesses, volumes, drives of the device, drives of tasks."""
    shaped = {"properties": {"geometry": {"required": ["shape"]}}, "required": ["geometry"]}
    yield {"if": shaped, "then": {"properties": {"layer": {"items": {"required": ["thickness"]}}}}}
    driven = {"properties": {"task": {"contains": {"required": ["drives"]}}}, "required": ["task"]}
    follows = {"anyOf": [{"required": [k]} for k in ("noise", "modulus")]}
    acts = {"properties": {"macrospin": follows}, "required": ["macrospin"]}
    yield {"if": driven, "then": {"anyOf": [{"required": ["torque"]}, acts]}}
    # A volume beside a layer is for what currents flow through, where the geometry gives none.
    both = {"properties": {"macrospin": {"required": ["layer", "volume"]}}, "required": ["macrospin"]}
    pillar = {"properties": {"shape": {"const": "pillar"}}, "required": ["shape"]}
    deep = {"properties": {"shape": {"const": "strip"}}, "required": ["shape", "depth"]}
    flat = {"required": ["geometry", "transport"], "properties": {"geometry": {"not": {"anyOf": [pillar, deep]}}}}
    yield {"if": both, "then": flat}
    yield from _of_devices()


def _of_devices() -> Iterator[dict[str, Any]]:
    """Yield the rules of devices that currents flow through: one drive between the ends, or one at each contact.

    With a macrospin, layers without ``[transport]`` are there for the volume of one of them.
    """
    flowing = {"required": ["layer"], "anyOf": [{"not": {"required": ["macrospin"]}}, {"required": ["transport"]}]}
    alone = [{"required": [k]} for k in ("voltage", "current")]
    driven = {"required": ["contact"], "not": _all_contacts({"not": {"anyOf": alone}})}
    ends = [{"required": [k]} for k in ("current_density", "current", "voltage")]
    # A film that a field in its plane drives needs no other drive.
    in_plane = {"required": ["in_plane_field"], "not": {"anyOf": ends}}
    between = {"properties": {"transport": {"anyOf": [{"oneOf": ends}, in_plane]}}, "required": ["transport"]}
    yield {"if": {"allOf": [flowing, {"not": driven}]}, "then": between}
    one_by_one = _all_contacts({"oneOf": alone})
    one_by_one["properties"]["transport"] = {"not": {"anyOf": ends}}
    yield {"if": {"allOf": [flowing, driven]}, "then": one_by_one}
    for contacts, shapes in CONTACTS.items():
        shape = {"properties": {"shape": {"enum": sorted(shapes)}}, "required": ["shape"]}
        shaped = {"properties": {"geometry": shape}, "required": ["geometry"]}
        named = {"properties": {"contact": {"required": list(contacts)}}, "required": ["contact"]}
        every = [flowing, shaped] if {"lateral", "three-terminal"} & shapes else [flowing, shaped, driven]
        yield {"if": {"allOf": every}, "then": named}


def _all_contacts(rule: dict[str, Any]) -> dict[str, Any]:
    """Return a rule of cases: every contact satisfies a rule."""
    return {"properties": {"contact": {"additionalProperties": rule}}}


def _write_sizes(node: Any) -> None:
    """Write bounds of sizes in the words of JSON schemas."""
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _write_sizes(value)
    if not (isinstance(node, dict) and SIZE in node):
        return
    size = node.pop(SIZE)
    if not size["zero"]:
        node["minimum"] = size["least"]
    elif size["least"]:
        outside = [{"const": 0}, {"minimum": size["least"]}, {"maximum": -size["least"]}]
        node["anyOf"] = outside
    if math.isfinite(size["most"]):
        node["maximum"] = size["most"]
