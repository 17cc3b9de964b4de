"""Every key of every table of case files as a page of Markdown, made from the tables themselves.

``fespin schema --markdown`` prints it; it is docs/case-keys.md.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, TypeAliasType, get_args, get_origin

from pydantic.fields import FieldInfo

from .messages import show
from .registry import kinds
from .schema import Table
from .units import unit_of

_HEAD = """\
# Keys of case files

Every key of every table, made by `fespin schema --markdown` from the tables that case files are checked against. A case
file is TOML; all numbers are SI. There are three kinds: layers with transport, a macrospin, or both; `[longitudinal]`;
and `[texture]`. `[[name]]` is a table that may be there several times, NAME is any name; an interface's is `"A|B"`.
What results are called is in [conventions.md](conventions.md) and [cases-magnets.md](cases-magnets.md).

A key without a default may be left out unless it is required. Tables with a `kind` have the keys of that kind only.
"With" says which shapes, sources or models a key belongs to; with others it is refused. Unit 1 is that of plain
numbers. `--set table.key=value` changes any key, layers and tasks by name or by number from 1.
"""
_WORDS = {"number": "number", "integer": "integer", "string": "text", "boolean": "true or false", "object": "table"}
_LIMITS = {"exclusiveMinimum": ">", "minimum": ">=", "exclusiveMaximum": "<", "maximum": "<="}


def tables(root: type[Table]) -> Iterator[tuple[str, type[Table]]]:
    """Yield every table of a case, as TOML writes its name, with the class that declares it; the case itself first."""
    yield from _inside("", root)


def _inside(name: str, table: type[Table]) -> Iterator[tuple[str, type[Table]]]:
    yield name, table
    for key, field in table.model_fields.items():
        for how, inner in nested(field.annotation):
            path = f"{name.strip('[]')}.{key}".strip(".")
            yield from _inside({"dict": f"[{path}.NAME]", "list": f"[[{path}]]"}.get(how, f"[{path}]"), inner)


def nested(kind: Any, how: str = "") -> Iterator[tuple[str, type[Table]]]:
    """Yield the tables inside a type, with "dict" or "list" if there may be several."""
    if isinstance(kind, TypeAliasType):
        yield from nested(kind.__value__, how)
    elif isinstance(kind, type) and get_origin(kind) is None and issubclass(kind, Table):
        yield how, kind
    else:
        origin = get_origin(kind)
        for x in get_args(kind):
            yield from nested(x, origin.__name__ if origin in (dict, list) else how)


def word_of(table: type[Table]) -> str:
    """Return the key and the word that tell a table from its alternatives, as TOML writes them; nothing without any."""
    field = table.model_fields.get("kind")
    words = get_args(field.annotation) if field is not None else ()
    return f' kind = "{words[0]}"' if len(words) == 1 else ""


def _owners(table: type[Table]) -> dict[str, str]:
    """Return the shapes, kinds or models that keys belong to; keys that belong to all are left out."""
    rule = table.belonging
    if rule is None:
        return {}
    out = {}
    for key in table.model_fields:
        words = [w + (" (required)" if key in rule.needed.get(w, ()) else "") for w in rule.words(key)]
        if words:
            out[key] = ", ".join(words)
    return out


def type_of(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> tuple[str, str]:
    """Return what a value is and what is allowed of it, as text."""
    if "$ref" in node:
        return type_of(definitions[node["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in node:
        parts = [type_of(x, definitions) for x in node["anyOf"] if x.get("type") != "null"]
        kinds, limited = (list(dict.fromkeys(x[i] for x in parts if x[i])) for i in (0, 1))
        return " or ".join(kinds), " or ".join(limited)
    if "enum" in node or "const" in node:
        choices = node["enum"] if "enum" in node else [node["const"]]
        kind = "text" if isinstance(choices[0], str) else "number"
        return kind, ", ".join(f"`{show(x)}`" for x in choices)
    if node.get("type") == "array":
        kind, allowed = type_of(node["items"], definitions)
        low, high = node.get("minItems"), node.get("maxItems")
        many = {"number": "numbers", "integer": "integers", "text": "texts", "table": "tables"}.get(kind, kind)
        count = f"{low} " if low == high and low else f"{low} to {high} " if low and high else ""
        return f"list of {count}{many}", allowed
    limits = [f"{word} {node[k]:g}" for k, word in _LIMITS.items() if k in node]
    return _WORDS.get(node.get("type", ""), "table"), ", ".join(limits)


def default_of(field: FieldInfo) -> str:
    """Return the default of a key as text: "required", or nothing where there is none."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    return "" if value in (None, "", [], {}) or isinstance(value, Table) else f"`{show(value)}`"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(x.replace("|", "\\|") for x in cells) + " |"


def _section(name: str, table: type[Table]) -> list[str]:
    """Return the part of the page about one table."""
    schema = table.model_json_schema()
    owners, text = _owners(table), inspect.cleandoc(table.__doc__ or "")
    heading = f"### `{name}{word_of(table)}`" if name else "### The file"
    columns = ["key", "type", "unit", "default", "allowed", *(["with"] if owners else []), ""]
    lines = [heading, "", text, "", _row(columns), _row(["---"] * len(columns))]
    for key, field in table.model_fields.items():
        kind, allowed = type_of(schema["properties"][key], schema.get("$defs", {}))
        words, of = unit_of(field.description or "")
        cells = [f"`{key}`", kind, of, default_of(field), allowed]
        lines.append(_row([*cells, *([owners.get(key, "")] if owners else []), words]))
    return [*lines, ""]


def markdown() -> str:
    """Return the page: every kind of case, its tables, their keys with type, unit, default, limits and meaning."""
    lines = [_HEAD]
    for kind in kinds():
        lines += [f"## {kind.title}", ""]
        for name, table in tables(kind.table):
            lines += _section(name, table)
    return "\n".join(lines).rstrip() + "\n"
