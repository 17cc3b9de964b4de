"""Every key of every table of case files as a page of Markdown, made from the tables themselves.

``fespin schema --markdown`` prints it; it is docs/case-keys.md.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAliasType, get_args, get_origin

from pydantic.fields import FieldInfo

from .body import tables as body_case
from .layered import checks
from .layered import tables as transport_case
from .layered.case import Case, Geometry
from .longitudinal import tables as longitudinal_case
from .macrospin import tables as macrospin_case
from .messages import show
from .schema import Table
from .texture import tables as texture_case

_HEAD = """\
# Keys of case files

Every key of every table, made by `fespin schema --markdown` from the tables that case files are checked against. A case
file is TOML; all numbers are SI. There are three kinds: layers with transport, a macrospin, or both; `[longitudinal]`;
and `[texture]`. `[[name]]` is a table that may be there several times, NAME is any name; an interface's is `"A|B"`.
What results are called is in [conventions.md](conventions.md) and [cases-magnets.md](cases-magnets.md).

A key without a default may be left out unless it is required. "With" says which shapes, kinds or models a key belongs
to; with others it is refused. Unit 1 is that of plain numbers. `--set table.key=value` changes any key, layers and
tasks by name or by number from 1.
"""
_KINDS: dict[type[Table], str] = {
    Case: "Layers and macrospins",
    longitudinal_case.LongitudinalCase: "Longitudinal dynamics",
    texture_case.TextureCase: "Textured magnets",
}
_WORDS = {"number": "number", "integer": "integer", "string": "text", "boolean": "true or false", "object": "table"}
_LIMITS = {"exclusiveMinimum": ">", "minimum": ">=", "exclusiveMaximum": "<", "maximum": "<="}
# Default of a key by the kind of task.
_DEFAULTS: dict[type[Table], Mapping[str, Mapping[str, object]]] = {
    macrospin_case.Task: macrospin_case.DEFAULTS,
    longitudinal_case.LongitudinalTask: longitudinal_case.DEFAULTS,
    texture_case.TextureTask: texture_case.DEFAULTS,
}


def unit(description: str) -> tuple[str, str]:
    """Return a key's description without its unit, and the unit: what stands in parentheses at its end, or nothing."""
    found = re.fullmatch(r"(?:(.*) )?\(((?:[^()]|\([^()]*\))+)\)", description)
    return (found[1] or "", found[2]) if found else (description, "")


def tables(root: type[Table]) -> Iterator[tuple[str, type[Table]]]:
    """Yield every table of a case, as TOML writes its name, with the class that declares it; the case itself first."""
    yield from _inside("", root)


def _inside(name: str, table: type[Table]) -> Iterator[tuple[str, type[Table]]]:
    yield name, table
    for key, field in table.model_fields.items():
        for how, inner in _nested(field.annotation):
            path = f"{name.strip('[]')}.{key}".strip(".")
            yield from _inside({"dict": f"[{path}.NAME]", "list": f"[[{path}]]"}.get(how, f"[{path}]"), inner)


def _nested(kind: Any, how: str = "") -> Iterator[tuple[str, type[Table]]]:
    """Yield the tables inside a type, with "dict" or "list" if there may be several."""
    if isinstance(kind, TypeAliasType):
        yield from _nested(kind.__value__, how)
    elif isinstance(kind, type) and get_origin(kind) is None and issubclass(kind, Table):
        yield how, kind
    else:
        origin = get_origin(kind)
        for x in get_args(kind):
            yield from _nested(x, origin.__name__ if origin in (dict, list) else how)


def _owners(table: type[Table]) -> dict[str, str]:
    """Return which shapes, kinds or models a key belongs to; keys that belong to all are left out."""
    if table is Geometry:
        out: dict[str, list[str]] = {}
        for shape, (needed, allowed) in checks.SHAPES.items():
            for key in needed | allowed:
                out.setdefault(key, []).append(shape + (" (required)" if key in needed else ""))
        return {k: ", ".join(v) for k, v in out.items()}
    models = {
        transport_case.Material: "material",
        transport_case.Interface: "interface",
        transport_case.Contact: "contact",
        transport_case.Transport: "transport",
    }
    if table in models:
        return {k: ", ".join(v) for k, v in transport_case.MODEL_KEYS[models[table]].items()}
    by_kind: dict[type[Table], Mapping[str, Any]] = {
        macrospin_case.Task: macrospin_case.TASKS,
        macrospin_case.Anisotropy: macrospin_case.ANISOTROPY,
        macrospin_case.TorqueTable: macrospin_case.SOURCES,
        longitudinal_case.LongitudinalTask: longitudinal_case.TASKS,
        longitudinal_case.StartTable: longitudinal_case.STARTS,
        texture_case.TextureTask: texture_case.TASKS,
        body_case.BodyTable: {k: keys for k, (keys, _) in body_case.SHAPES.items()} | {"mesh": {"length_unit"}},
    }
    kinds = by_kind.get(table, {})
    return {k: ", ".join(x for x, keys in kinds.items() if k in keys) for k in set().union(*kinds.values())}


def _type(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> tuple[str, str]:
    """Return what a value is and what is allowed of it, as text."""
    if "$ref" in node:
        return _type(definitions[node["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in node:
        parts = [_type(x, definitions) for x in node["anyOf"] if x.get("type") != "null"]
        kinds, limited = (list(dict.fromkeys(x[i] for x in parts if x[i])) for i in (0, 1))
        return " or ".join(kinds), " or ".join(limited)
    if "enum" in node or "const" in node:
        choices = node["enum"] if "enum" in node else [node["const"]]
        kind = "text" if isinstance(choices[0], str) else "number"
        return kind, ", ".join(f"`{show(x)}`" for x in choices)
    if node.get("type") == "array":
        kind, allowed = _type(node["items"], definitions)
        low, high = node.get("minItems"), node.get("maxItems")
        many = {"number": "numbers", "integer": "integers", "text": "texts", "table": "tables"}.get(kind, kind)
        count = f"{low} " if low == high and low else f"{low} to {high} " if low and high else ""
        return f"list of {count}{many}", allowed
    limits = [f"{word} {node[k]:g}" for k, word in _LIMITS.items() if k in node]
    return _WORDS.get(node.get("type", ""), "table"), ", ".join(limits)


def _default(table: type[Table], key: str, field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    kinds = _DEFAULTS.get(table, {})
    values: dict[str, list[str]] = {}
    for kind, keys in kinds.items():
        if key in keys:
            values.setdefault(show(keys[key]), []).append(kind)
    if values:
        if len(values) == 1:
            return f"`{next(iter(values))}`"
        return "; ".join(f"`{value}` ({', '.join(owners)})" for value, owners in values.items())
    value = field.get_default(call_default_factory=True)
    return "" if value in (None, "", [], {}) or isinstance(value, Table) else f"`{show(value)}`"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(x.replace("|", "\\|") for x in cells) + " |"


def _section(name: str, table: type[Table]) -> list[str]:
    """Return the part of the page about one table."""
    schema = table.model_json_schema()
    owners, text = _owners(table), inspect.cleandoc(table.__doc__ or "")
    heading = f"### `{name}`" if name else "### The file"
    columns = ["key", "type", "unit", "default", "allowed", *(["with"] if owners else []), ""]
    lines = [heading, "", text, "", _row(columns), _row(["---"] * len(columns))]
    for key, field in table.model_fields.items():
        kind, allowed = _type(schema["properties"][key], schema.get("$defs", {}))
        words, of = unit(field.description or "")
        cells = [f"`{key}`", kind, of, _default(table, key, field), allowed]
        lines.append(_row([*cells, *([owners.get(key, "")] if owners else []), words]))
    return [*lines, ""]


def markdown() -> str:
    """Return the page: every kind of case, its tables, their keys with type, unit, default, limits and meaning."""
    lines = [_HEAD]
    for root, title in _KINDS.items():
        lines += [f"## {title}", ""]
        for name, table in tables(root):
            lines += _section(name, table)
    return "\n".join(lines).rstrip() + "\n"
