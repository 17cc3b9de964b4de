"""The kinds of case: layers and a macrospin, longitudinal dynamics, a textured magnet.

A kind is imported when a case needs it, so that reading a case does not wait for the tables of all others.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from ..errors import InputError, nearest
from .kind import Kind

if TYPE_CHECKING:
    from .layered.case import Case
    from .longitudinal.case import LongitudinalCase
    from .texture.case import TextureCase

type AnyCase = Case | LongitudinalCase | TextureCase

PACKAGES: dict[str | None, str] = {None: "layered", "longitudinal": "longitudinal", "texture": "texture"}
"""Packages of the kinds by the table whose presence tells them; None: the kind of every other file."""


@cache
def _load(key: str | None) -> Kind:
    kind: Kind = importlib.import_module(f".{PACKAGES[key]}.kind", __package__).KIND
    return kind


def kinds() -> Iterator[Kind]:
    """Yield every kind of case, the one of layers first; each is imported when it is asked for."""
    return map(_load, PACKAGES)


def kind_of(case: AnyCase) -> Kind:
    """Return the kind of a validated case."""
    package = type(case).__module__.split(".")[-2]
    return next(_load(key) for key, name in PACKAGES.items() if name == package)


def kind_of_tables(raw: Mapping[str, Any]) -> Kind:
    """Return the kind of case that the tables of a file make.

    Raises
    ------
    InputError
        If they belong to several, if none is known by the name of a table, or a task is about a table that is
        not there.
    """
    alone = [key for key in PACKAGES if key is not None and key in raw]
    kind = _load(alone[0] if alone else None)
    unused = [key for key in raw if key not in kind.table.model_fields]
    if unused or len(alone) > 1:
        every = {key for other in kinds() for key in other.table.model_fields}
        for key in raw:
            if key not in every:
                raise InputError(f"{key}: unknown table; {nearest(key, every)}")
    if len(alone) > 1:
        first, second = alone[:2]
        raise InputError(f"[{second}]: a case is about one magnet; found [{first}] too, run them as two cases")
    for key in unused:
        written = f"[[{key}]]" if key == "layer" else f"[{key}]"
        raise InputError(f"{written}: nothing uses it; a case of [{kind.key}] has that table and [[task]]")
    _check_tasks(raw, kind)
    return kind


def _check_tasks(raw: Mapping[str, Any], kind: Kind) -> None:
    """Refuse tasks about a table that the case does not have."""
    tasks, subject = raw.get("task"), kind.subject
    for i, task in enumerate(tasks if isinstance(tasks, list) else [], 1):
        word = task.get("kind") if isinstance(task, dict) else None
        if not isinstance(word, str) or word in kind.tasks:
            continue
        for other in kinds():
            if word in other.tasks:
                there = f"; tasks of [{subject}]: {', '.join(kind.tasks)}" if subject in raw else ""
                missing = "" if subject in raw else f"; the table [{other.subject}] is missing"
                raise InputError(f'task {i}.kind: found "{word}", which is about [{other.subject}]{there}{missing}')
