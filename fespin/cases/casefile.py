"""Reading case files: TOML text, overrides, validation, and what is refused."""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..errors import InputError, nearest
from .messages import explain, shortened
from .registry import AnyCase, kind_of_tables

_LARGEST = 4_000_000  # bytes; a thousand layers are some 60 kB


def read(path: Path, assignments: Sequence[str] = ()) -> tuple[AnyCase, dict[str, Any]]:
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
    text = _text(path)
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # The text of the line helps more than its number.
        at = re.search(r"at line (\d+)", str(error))
        line = f": {shortened(text.splitlines()[int(at[1]) - 1].strip())}" if at else ""
        twice = "; several layers are written [[layer]], with two brackets" if "[layer]" in line else ""
        raise InputError(f"{path}: not a TOML file: {str(error).partition(';')[0]}{line}{twice}") from error
    if not raw and not assignments:
        raise InputError(
            f"{path}: the file is empty; it needs [geometry], [[layer]] and [transport], or [macrospin] and [[task]]; "
            "or [longitudinal] or [texture], and [[task]]"
        )
    try:
        for x in assignments:
            assign(raw, x)
        kind = kind_of_tables(raw)
        try:
            case: Any = kind.table.model_validate(raw, context={"folder": path.parent})
        except ValidationError as error:
            raise InputError(explain(error, raw, kind.table)) from error
        kind.check(case)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    checked: AnyCase = case
    return checked, raw


def _text(path: Path) -> str:
    try:
        status = path.stat()
        # Pipes and devices are not opened: reading them may never end. Folders the system itself refuses.
        if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
            if status.st_size <= _LARGEST:
                return path.read_text("utf-8-sig")
            why = f"it has {status.st_size / 1e6:.4g} MB; a case is a text of at most {_LARGEST / 1e6:g} MB"
        else:
            why = "it is a pipe or a device, not a file"
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        where = f"byte {error.object[error.start]:#x} in line {line}"
        raise InputError(f"{path}: not a TOML file: {where} is not UTF-8 text") from error
    except (OSError, ValueError) as error:
        why = str(getattr(error, "strerror", error))
        near = [x.name for x in path.parent.glob("*.toml")] if isinstance(error, FileNotFoundError) else []
        hint = nearest(path.name, near) if near else ""
        raise InputError(f"{path}: cannot be read: {why}{'; ' if hint else ''}{hint}") from error
    raise InputError(f"{path}: cannot be read: {why}")


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
    except (ValueError, RecursionError):
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
    names = [
        x.get("name") or f"{x.get('material', '')}{i}" if isinstance(x, dict) else "" for i, x in enumerate(items, 1)
    ]
    if key in names:
        return names.index(key)
    if key.isascii() and key.isdigit() and 1 <= int(key) <= len(items):
        return int(key) - 1
    hint = nearest(key, [n for n in names if n])
    raise InputError(f"--set {text}: there is no '{key}' among {len(items)}; {hint}")
