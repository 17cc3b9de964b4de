"""Cases to start from: templates, with a comment for every key that is made from the tables themselves."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..errors import InputError, nearest
from .messages import show
from .reference import nested
from .registry import kind_of_tables
from .schema import Table

_FOLDER = files("fespin.cases") / "templates"
_WIDTH = 110
_ALIASES = {"layers": "spin-valve", "transport": "spin-valve", "texture": "domain-wall"}


def templates() -> dict[str, str]:
    """Return the first line of each template, which says what it is about, by name."""
    texts = {x.name.removesuffix(".toml"): x.read_text("utf-8") for x in _FOLDER.iterdir() if x.name.endswith(".toml")}
    return {name: text.partition("\n")[0].removeprefix("# ") for name, text in sorted(texts.items())}


def new_case(name: str) -> str:
    """Return the text of a case to start from.

    Parameters
    ----------
    name
        Name of a template, or of a kind of case.

    Raises
    ------
    InputError
        If there is none of this name.
    """
    known = templates()
    chosen = _ALIASES.get(name, name)
    if chosen not in known:
        raise InputError(f"new: no case is called '{name}'; {nearest(name, [*known, *_ALIASES])}")
    return annotated((_FOLDER / f"{chosen}.toml").read_text("utf-8"))


def write_case(name: str, path: Path) -> None:
    """Write a case to start from to a new file.

    Raises
    ------
    InputError
        If there is none of this name, or the file exists or cannot be written.
    """
    text, begun = new_case(name), False
    try:
        with path.open("x", encoding="utf-8") as file:
            begun = True
            file.write(text)
    except FileExistsError as error:
        raise InputError(f"{path}: it exists; choose another name with --output, or remove it") from error
    except OSError as error:
        if begun:
            path.unlink(missing_ok=True)  # half a case
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error


def annotated(text: str) -> str:
    """Return a case with a comment for each of its keys, and with comments for those that it does not give.

    Keys that are not given stand with their default behind a hash, or with dots where they have none. Tables of the
    same kind are explained once.
    """
    raw = tomllib.loads(text)
    case = kind_of_tables(raw).table.model_validate(raw)
    model = str(raw.get("transport", {}).get("model", "two-channel"))
    out: list[str] = []
    counts: dict[str, int] = {}
    explained: set[type[Table]] = set()
    table: Table | None = case
    block: list[str] = []

    def close() -> None:
        """End the block of lines of one table."""
        nonlocal block
        while block and not block[-1].strip():
            block.pop()
        if table is not None and type(table) not in explained:
            explained.add(type(table))
            block = [*_commented(block, type(table)), *(_others(block, table, model) if table is not case else ())]
        out.extend([*block, ""] if block else [])
        block = []

    for line in text.splitlines():
        header = re.fullmatch(r"\[+(.+?)\]+", line.strip())
        if header is not None:
            close()
            names = [x.strip('"') for x in re.findall(r'"[^"]*"|[^."]+', header[1])]
            if line.startswith("[["):
                counts[header[1]] = counts.get(header[1], 0) + 1
            inner: Any = case
            for part in _place(names, raw, counts):
                inner = getattr(inner, str(part)) if isinstance(inner, Table) else inner[part]
            table = inner if isinstance(inner, Table) else None
        block.append(line)
    close()
    return _joined(out)


def _joined(lines: list[str]) -> str:
    """Return lines as a text, without empty lines between the tables of a list and what belongs to them."""
    text = "\n".join(lines).strip() + "\n"
    return re.sub(r"\n{3,}", "\n\n", text)


def _place(names: list[str], raw: Any, counts: dict[str, int]) -> Iterator[str | int]:
    """Yield the place of a table, with the number of the last entry of each list on the way."""
    for i, name in enumerate(names, 1):
        yield name
        raw = raw.get(name) if isinstance(raw, dict) else None
        if isinstance(raw, list):
            index = counts[".".join(names[:i])] - 1
            yield index
            raw = raw[index]


def _commented(block: list[str], table: type[Table]) -> Iterator[str]:
    """Yield the lines of a table with comments on its keys."""
    for line in block:
        key = line.partition(" = ")[0]
        field = table.model_fields.get(key)
        if field is None or line.startswith("#"):
            yield line
            continue
        comment = f"# {field.description}"
        if len(line) + 2 + len(comment) <= _WIDTH:
            yield f"{line}  {comment}"
        else:
            yield comment
            yield line


def _others(block: list[str], table: Table, model: str) -> Iterator[str]:
    """Yield comments on the keys that a table could have besides.

    Parameters
    ----------
    table
        Validated table: it knows which keys nothing would use.
    model
        Transport model of the case, to which some keys belong.
    """
    written_keys, rule, unused = {x.partition(" = ")[0] for x in block}, table.belonging, table.unused()
    for key, field in type(table).model_fields.items():
        words = rule.words(key) if rule is not None and rule.selector == "transport.model" else []
        default = field.get_default(call_default_factory=True)
        if key in written_keys or key in unused or (words and model not in words) or _holds_tables(field.annotation):
            continue
        shown = "..." if default in (None, "", []) else show(default)
        yield f"# {key} = {shown}  # {field.description}"


def _holds_tables(kind: Any) -> bool:
    """Return whether a key holds tables of its own."""
    return any(True for _ in nested(kind))
