"""Errors in the tables of a case, in one line: where, what was found, what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from types import UnionType
from typing import Annotated, Any, TypeAliasType, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..errors import nearest

type Place = tuple[str | int, ...]

_TYPES = {
    "float_type": "a number",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "string_type": 'a text, "..."',
    "bool_type": "true or false",
    "list_type": "a list, [...]",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
# Numbers beyond a bound are most often in other units.
_UNITS = {
    0.01: "in m: 4 nm is 4e-9",
    1e4: "fields are mu0 H in T",
    1e-15: "in m3: a cube of 10 nm has 1e-24, 1 nm3 is 1e-27",
}


def place(path: Iterable[str | int]) -> str:
    """Return a place in a case file as TOML writes it, with the numbers of layers and components from 1."""
    out = ""
    for x in path:
        if isinstance(x, int):
            out += f" {x + 1}"
        else:
            word = x if re.fullmatch(r"[\w-]+", x) else f"'{x}'"
            out += f".{word}" if out else word
    return out


def show(value: Any) -> str:
    """Return a value much as TOML writes it, shortened."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return f"a table with {', '.join(map(str, value))}" if value else "an empty table"
    if isinstance(value, list):
        text = f"[{', '.join(show(x) for x in value)}]"
    else:
        text = f'"{value}"' if isinstance(value, str) else str(value)
    return shortened(text)


FILE = "file"
"""Type of errors about the file that a key names; their text is the whole message."""


def shortened(text: str) -> str:
    """Return at most 59 characters of a text."""
    return text if len(text) < 60 else text[:57] + "..."


def explain(error: ValidationError, raw: dict[str, Any], root: type[BaseModel]) -> str:
    """Return one line for the finding that helps most.

    Parameters
    ----------
    error
        Error of validating `raw` as `root`.
    """
    details = error.errors(include_url=False)
    # A misspelt required key is reported as missing, too; its spelling is the better finding.
    first = next((e for e in details if _misspelt(e)), details[0])
    path = _path(first, raw)
    # pydantic reports one error for each alternative type that the value does not have.
    same = [e for e in details if _path(e, raw)[: len(path)] == path and len(e["loc"]) > len(_path(e, raw))]
    fitting = [e for e in same if e["type"] not in _TYPES or len(_path(e, raw)) > len(path)]
    chosen = fitting[0] if fitting else first
    path, kind, ctx = _path(chosen, raw), chosen["type"], chosen.get("ctx", {})
    at, value = _named(path, raw), chosen["input"]
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return _untold(chosen, path, root, raw)
    if kind == "extra_forbidden":
        return _unknown(path, root, raw)
    if kind == "missing":
        more = [str(e["loc"][-1]) for e in details if e["type"] == "missing" and _path(e, raw)[:-1] == path[:-1]]
        return _missing(path, root, raw, more[1:])
    if kind == "literal_error":
        words = re.findall(r"'([^']*)'", ctx["expected"]) or re.split(r", | or ", ctx["expected"])
        return f"{at}: found {show(value)}; {_allowed(value, words)}"
    if kind == FILE:
        return f"{at}: {chosen['msg']}"
    unit = _UNITS.get(ctx["lt"], "") if kind == "less_than" and isinstance(value, (int, float)) else ""
    requirement = _requirement(chosen, path, root, raw, [] if fitting else same)
    return f"{at}: found {show(value)}; it must {requirement}{'; ' if unit else ''}{unit}"


def _misspelt(error: ErrorDetails) -> bool:
    """Return whether an error may come from a misspelt key."""
    if error["type"] == "union_tag_not_found":
        return isinstance(error["input"], dict) and error["ctx"]["discriminator"].strip("'") not in error["input"]
    return error["type"] == "extra_forbidden"


def _named(path: Place, raw: Any) -> str:
    """Return a place, with the name of a layer or task that has one."""
    at = place(path)
    if len(path) > 1 and path[0] in ("layer", "task") and isinstance(path[1], int):
        entry = raw[path[0]][path[1]]
        name = entry.get("name") if isinstance(entry, dict) else None
        if isinstance(name, str) and path[2:] != ("name",):
            return at.replace(place(path[:2]), f"{place(path[:2])} ('{name}')", 1)
    return at


def _path(error: ErrorDetails, raw: Any) -> Place:
    """Return where an error is, without the names that pydantic gives to alternative types."""
    out: list[str | int] = []
    for i, x in enumerate(error["loc"]):
        inside = x in raw if isinstance(raw, dict) else isinstance(raw, list) and isinstance(x, int)
        if inside:
            raw = raw[x]
        elif error["type"] != "missing" or i + 1 < len(error["loc"]):
            continue
        out.append(x)
    return tuple(out)


def _allowed(value: Any, words: Sequence[str]) -> str:
    """Return which words are allowed, and the nearest of them."""
    close = nearest(value, words) if isinstance(value, str) else ""
    hint = f"; {close}" if close.startswith("did") and len(words) > 1 else ""
    return f"allowed: {', '.join(words)}{hint}"


def _untold(error: ErrorDetails, path: Place, root: Any, raw: Any) -> str:
    """Return what is wrong with the key that tells alternative tables apart."""
    table = error["input"]
    key, kinds = _alternatives(root, path, raw)
    if not isinstance(table, dict):  # no key is found in it either
        return f"{_named(path, raw)}: found {show(table)}; it must be a table"
    at = _named((*path, key), raw)
    if key not in table:
        known = {k for kind in kinds.values() for k in kind.model_fields}
        unknown = [k for k in table if k not in known]
        if unknown:
            return f"{_named((*path, unknown[0]), raw)}: unknown key; {nearest(unknown[0], known)}"
        return f"{at}: missing; allowed: {', '.join(kinds)}"
    return f"{at}: found {show(table[key])}; {_allowed(table[key], list(kinds))}"


def _unknown(path: Place, root: Any, raw: Any) -> str:
    """Return why a key is not one of its table: it belongs to another kind of it, or to none."""
    at, table, key = _named(path, raw), type_at(root, path[:-1], raw), str(path[-1])
    known = table.model_fields if isinstance(table, type) and issubclass(table, BaseModel) else {}
    tag, kinds = _alternatives(root, path[:-1], raw)
    if any(key in kind.model_fields for kind in kinds.values()):
        raw_table = _value_at(raw, path[:-1])
        # Of several such keys the first by name, whatever their order in the file.
        key = min(k for k in raw_table if k not in known and any(k in kind.model_fields for kind in kinds.values()))
        others = ", ".join(f'"{word}"' for word, kind in kinds.items() if key in kind.model_fields)
        return f'{_named((*path[:-1], key), raw)}: belongs to {others}, found with "{raw_table[tag]}"'
    return f"{at}: unknown {'key' if len(path) > 1 else 'table'}; {nearest(key, known)}"


def _missing(path: Place, root: type[BaseModel], raw: Any, more: Sequence[str]) -> str:
    """Return which key is missing, its meaning, and which others of its table are missing, too."""
    if len(path) == 1:
        many = get_origin(type_at(root, path, raw)) is list
        return f"{'[[' if many else '['}{path[0]}{']]' if many else ']'}: the table is missing"
    table = type_at(root, path[:-1], raw)
    field = table.model_fields[str(path[-1])] if isinstance(table, type) and issubclass(table, BaseModel) else None
    meaning = f"; {field.description}" if field is not None and field.description else ""
    further = f"; also missing: {', '.join(more)}" if more else ""
    return f"{_named(path, raw)}: missing{meaning}{further}"


def _requirement(error: ErrorDetails, path: Place, root: Any, raw: Any, alternatives: Sequence[ErrorDetails]) -> str:
    """Return what is allowed, as words that follow "it must"."""
    kind, ctx, value = error["type"], error.get("ctx", {}), error["input"]
    types = dict.fromkeys(_TYPES[e["type"]] for e in alternatives or [error] if e["type"] in _TYPES)
    entry = (*get_args(type_at(root, path, raw)), None)[0] if kind == "list_type" else None
    if (isinstance(entry, type) and issubclass(entry, BaseModel)) or told_apart(entry)[1]:
        return f"be written [[{place(path)}]], with two brackets, once for each"
    if kind in ("model_type", "dict_type") and len(path) == 1 and isinstance(value, list):
        return f"be written [{path[0]}], with one bracket, once"
    if types:
        named = types.keys() == {"a table"} and get_origin(type_at(root, path[:-1], raw)) is dict
        owner = f", as in [{place(path[:-1])}.NAME]" if named else ""
        return f"be {' or '.join(types)}{owner}"
    if kind == "size":
        return error["msg"]
    if kind == "finite_number":
        return "be a finite number"
    if kind in ("too_short", "too_long"):
        n = ctx.get("max_length") or ctx.get("min_length")
        bounds = _lengths(root, path, raw)
        either = "" if len(set(bounds)) == 1 else "at least " if kind == "too_short" else "at most "
        return f"have {either}{n} {'entry' if n == 1 else 'entries'}"
    if kind == "string_too_short":
        return "not be empty"
    if kind == "string_too_long":
        return f"have at most {ctx['max_length']} characters"
    # The bounds of a list's entries are at the list's key.
    key = max(i for i, x in enumerate(path) if isinstance(x, str))
    table = type_at(root, path[:key], raw)
    schema = table.model_json_schema() if isinstance(table, type) and issubclass(table, BaseModel) else {}
    node = schema.get("properties", {}).get(path[key], {})
    if "anyOf" in node and not isinstance(value, dict):
        # Of a number or a table, the table's own bounds are not the number's.
        node = {"anyOf": [x for x in node["anyOf"] if not _is_table(x, schema)]}
    return _limits(node, schema) or error["msg"].replace("Input should ", "")


def _is_table(node: dict[str, Any], schema: dict[str, Any]) -> bool:
    """Return whether a part of a JSON schema is that of a table."""
    definition = schema.get("$defs", {}).get(node.get("$ref", "").rpartition("/")[2], node)
    return bool(definition.get("type") == "object")


def _lengths(root: Any, path: Place, raw: Any) -> list[int | None]:
    """Return the least and the largest number of entries of a list."""
    table = type_at(root, path[:-1], raw)
    schema = table.model_json_schema() if isinstance(table, type) and issubclass(table, BaseModel) else {}
    node = schema.get("properties", {}).get(path[-1], {})
    lists = [x for x in (node, *node.get("anyOf", [])) if "minItems" in x or "maxItems" in x]
    return [lists[0].get(k) for k in ("minItems", "maxItems")] if lists else [None, 1]


def _limits(node: Any, schema: dict[str, Any]) -> str:
    """Return the bounds that a part of a JSON schema sets on a number."""
    bounds = dict(_numbers(node, schema.get("$defs", {})))
    words = {
        "exclusiveMinimum": "greater than",
        "minimum": "at least",
        "exclusiveMaximum": "less than",
        "maximum": "at most",
    }
    if {"exclusiveMinimum", "exclusiveMaximum"} <= bounds.keys():
        return f"lie between {bounds['exclusiveMinimum']:g} and {bounds['exclusiveMaximum']:g}, both excluded"
    limits = [f"{w} {bounds[k]:g}" for k, w in words.items() if k in bounds]
    return f"be {' and '.join(limits)}" if limits else ""


def _numbers(node: Any, definitions: dict[str, Any]) -> Iterator[tuple[str, float]]:
    if isinstance(node, dict):
        for k, v in node.items():
            if isinstance(v, (int, float)):
                yield k, v
            elif k == "$ref":
                yield from _numbers(definitions[v.rpartition("/")[2]], definitions)
            else:
                yield from _numbers(v, definitions)
    elif isinstance(node, list):
        for v in node:
            yield from _numbers(v, definitions)


def type_at(kind: Any, path: Place, raw: Any = None) -> Any:
    """Return the type that a path inside a type leads to; None if it leads nowhere.

    Parameters
    ----------
    raw
        Value of that type: it tells which of several alternative tables is meant.
    """
    if isinstance(kind, TypeAliasType):
        return type_at(kind.__value__, path, raw)
    origin, arguments = get_origin(kind), get_args(kind)
    tag, tables = told_apart(kind)
    if tables:
        word = raw.get(tag) if isinstance(raw, dict) else None
        return type_at(tables[word], path, raw) if isinstance(word, str) and word in tables else None
    if origin is Annotated:
        return type_at(arguments[0], path, raw)
    if origin in (Union, UnionType):
        return next((t for a in arguments if (t := type_at(a, path, raw)) not in (None, type(None))), None)
    if not path:
        return kind
    below = _value_at(raw, path[:1])
    if origin in (dict, list):
        return type_at(arguments[-1], path[1:], below)
    if isinstance(kind, type) and issubclass(kind, BaseModel) and path[0] in kind.model_fields:
        field = kind.model_fields[str(path[0])]
        # A discriminator of the whole value is the field's, not the annotation's.
        annotation = Annotated[field.annotation, field] if field.discriminator else field.annotation
        return type_at(annotation, path[1:], below)
    return None


def _value_at(raw: Any, path: Place) -> Any:
    """Return the value that a path leads to; None if it leads nowhere."""
    for x in path:
        inside = x in raw if isinstance(raw, dict) else isinstance(raw, list) and isinstance(x, int) and x < len(raw)
        if not inside:
            return None
        raw = raw[x]
    return raw


def told_apart(kind: Any) -> tuple[str, dict[str, type[BaseModel]]]:
    """Return the key that tells the tables of a union apart, and the tables by its words; none of other types."""
    if isinstance(kind, TypeAliasType):
        return told_apart(kind.__value__)
    if get_origin(kind) is not Annotated:
        return "", {}
    union, *metadata = get_args(kind)
    key = next((x.discriminator for x in metadata if getattr(x, "discriminator", None)), None)
    if key is None:
        return "", {}
    return key, {w: t for t in get_args(union) for w in get_args(t.model_fields[key].annotation)}


def _alternatives(root: Any, path: Place, raw: Any) -> tuple[str, dict[str, type[BaseModel]]]:
    """Return the alternatives of the table that a path leads to, as :func:`told_apart`."""
    if not path:
        return "", {}
    owner = type_at(root, path[:-1], raw)
    if get_origin(owner) in (dict, list):
        return told_apart(get_args(owner)[-1])
    return "", {}
