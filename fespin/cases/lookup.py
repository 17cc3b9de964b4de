"""Explanations of keys and tables of case files, for the command line."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from ..errors import InputError, nearest
from .reference import default_of, tables, type_of
from .registry import kinds
from .schema import Table
from .units import unit_of


@dataclass(frozen=True)
class Entry:
    """Table of a case file, with the names that lead to it.

    Attributes
    ----------
    names
        Parts of its name; NAME stands for any. Alternatives have their word as the last part.
    written
        Name as TOML writes it, with the word of an alternative.
    table
        Class that declares it.
    title
        Kind of case that it belongs to.
    word
        Word of an alternative; empty where there are none.
    """

    names: tuple[str, ...]
    written: str
    table: type[Table]
    title: str
    word: str = ""

    def leads(self, query: list[str]) -> bool:
        """Return whether parts of a name are among those of this table, in order, the last one at its end."""
        names = list(self.names)
        if query and len(names) > 1 and (names[-1] == "NAME" or self.word) and query[-1] == names[-2]:
            names.pop()  # tables of any name, or all alternatives
        if not query or (query[-1] != names[-1] and not (names[-1] == "NAME" and len(query) > 1)):
            return not query
        for part in query:
            while names and part != names[0] and names[0] != "NAME":
                names.pop(0)
            if not names:
                return False
            names.pop(0)
        return True


def entries() -> Iterator[Entry]:
    """Yield every table of every kind of case."""
    for kind in kinds():
        for name, table in tables(kind.table):
            parts = tuple(name.strip("[]").split(".")) if name else ("",)
            field = table.model_fields.get("kind")
            words = get_args(field.annotation) if field is not None else ()
            word = str(words[0]) if len(words) == 1 else ""
            written = f'{name} kind = "{word}"' if word else name or "(top level)"
            yield Entry((*parts, word) if word else parts, written, table, kind.title, word)


def explained(query: str | None = None) -> str:
    """Return an explanation of a key or a table; without a name, a list of all tables.

    Parameters
    ----------
    query
        Name of a key or of a table, with as many of the names before it as wanted: "pulse", "task.switching.pulse".

    Raises
    ------
    InputError
        If nothing has this name; the message has the nearest ones.
    """
    every = list(entries())
    if query is None:
        return _listed(every)
    # Names may be pasted from --set or from messages, with a value behind "=", or names and numbers of entries.
    parts = [x.strip("\"' []") for x in re.findall(r"\"[^\"]*\"|[^.]+", query.partition("=")[0])]
    parts = [x for x in parts if x]
    known = {k for e in every for k in e.table.model_fields} | {n for e in every for n in e.names if n}
    while len(parts) > 1 and parts[-1] not in known:
        parts.pop()
    parts = [x for i, x in enumerate(parts) if x in known or i == len(parts) - 1]
    if not parts:
        raise InputError("docs: give the name of a key or a table; without one all tables are listed")
    keys = [e for e in every if parts[-1] in e.table.model_fields and e.leads(parts[:-1])]
    table_entries = [e for e in every if e.leads(parts)]
    # A key that holds a table is explained by that table.
    keys = [e for e in keys if not (table_entries and _row(e.table, parts[-1])["type"].endswith(("table", "tables")))]
    blocks = _of_key(parts[-1], keys) + [_of_table(e) for e in _distinct(table_entries)]
    if not blocks:
        where = ".".join(parts)
        if parts[-1] in known:
            having = [e for e in every if parts[-1] in e.table.model_fields] or [
                e for e in every if parts[-1] in e.names
            ]
            places = ", ".join(dict.fromkeys(".".join(filter(None, e.names)) or "the top level" for e in having))
            raise InputError(f"docs: there is no '{where}'; '{parts[-1]}' is in {places}")
        raise InputError(f"docs: no key or table is called '{parts[-1]}'; {_near(parts[-1], known)}")
    return "\n\n".join(blocks)


def _near(name: str, known: set[str]) -> str:
    """Return the nearest names, without a list of all."""
    text = nearest(name, known)
    return text if text.startswith("did") else "fespin docs lists the tables"


def _distinct(table_entries: list[Entry]) -> list[Entry]:
    """Return entries without those of the same class in another kind of case."""
    return list({(e.table, e.written): e for e in table_entries}.values())


def _listed(every: list[Entry]) -> str:
    """Return all tables by kind of case, with the first line about each."""
    lines = []
    for kind in kinds():
        lines += ["", kind.title]
        for e in every:
            if e.title == kind.title and e.names != ("",):
                lines.append(f"  {e.written:<48} {inspect.cleandoc(e.table.__doc__ or '').partition(chr(10))[0]}")
    lines += ["", "fespin docs KEY explains a key or a table: damping, task.switching.pulse, texture.wall"]
    return "\n".join(lines[1:])


def _row(table: type[Table], key: str) -> Mapping[str, str]:
    """Return what a key is: type, unit, default, what is allowed, to which words it belongs, and its meaning."""
    field = table.model_fields[key]
    schema: dict[str, Any] = table.model_json_schema()
    kind, allowed = type_of(schema["properties"][key], schema.get("$defs", {}))
    meaning, unit = unit_of(field.description or "")
    rule = table.belonging
    words = rule.words(key) if rule is not None else []
    with_ = f"with {rule.selector} = {', '.join(words)}" if rule is not None and words else ""
    default = default_of(field).strip("`")
    return {
        "meaning": meaning,
        "type": kind,
        "unit": unit,
        "default": default,
        "allowed": allowed.replace("`", ""),
        "with": with_,
    }


def _of_key(key: str, where: list[Entry]) -> list[str]:
    """Return an explanation for each different key of a name, with the tables that have it."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for e in where:
        alike.setdefault(tuple(_row(e.table, key).values()), []).append(e.written)
    blocks = []
    for (meaning, kind, unit, default, allowed, with_), owners in alike.items():
        facts = [kind, f"unit {unit}" if unit else "", "" if default == "required" else f"default {default or 'none'}"]
        facts += ["required" if default == "required" else "", f"allowed {allowed}" if allowed else "", with_]
        lines = [key, f"  {meaning}", f"  {'; '.join(x for x in facts if x)}"]
        lines += [f"  in {x}" for x in dict.fromkeys(owners)]
        blocks.append("\n".join(lines))
    return blocks


def _of_table(entry: Entry) -> str:
    """Return an explanation of a table and its keys."""
    lines = [entry.written, *(f"  {x}" for x in inspect.cleandoc(entry.table.__doc__ or "").splitlines())]
    rows = {key: _row(entry.table, key) for key in entry.table.model_fields}
    width = max(map(len, rows))
    for key, row in rows.items():
        unit = f" ({row['unit']})" if row["unit"] else ""
        default = {"": "", "required": "; required"}.get(row["default"], f"; default {row['default']}")
        lines.append(f"  {key:<{width}}  {row['meaning']}{unit}{default}{'; ' if row['with'] else ''}{row['with']}")
    return "\n".join(lines)
