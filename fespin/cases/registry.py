"""Kinds of case that there are: layers and a macrospin, longitudinal dynamics, a textured magnet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InputError, nearest
from .kind import Kind
from .layered.case import Case
from .layered.kind import LAYERED
from .longitudinal.case import LongitudinalCase
from .longitudinal.kind import LONGITUDINAL
from .texture.case import TextureCase
from .texture.kind import TEXTURE

type AnyCase = Case | LongitudinalCase | TextureCase

KINDS = (LAYERED, LONGITUDINAL, TEXTURE)
"""Every kind of case; the first one is that of files without a table that tells their kind."""


def kind_of(case: AnyCase) -> Kind:
    """Return the kind of a validated case."""
    return next(k for k in KINDS if type(case) is k.table)


def kind_of_tables(raw: Mapping[str, Any]) -> Kind:
    """Return the kind of case that the tables of a file make.

    Raises
    ------
    InputError
        If they belong to several, if none is known by the name of a table, or a task is about a table that is
        not there.
    """
    every = {key for kind in KINDS for key in kind.table.model_fields}
    for key in raw:
        if key not in every:
            raise InputError(f"{key}: unknown table; {nearest(key, every)}")
    alone = [kind for kind in KINDS if kind.key in raw]
    if len(alone) > 1:
        first, second = (kind.key for kind in alone[:2])
        raise InputError(f"[{second}]: a case is about one magnet; found [{first}] too, run them as two cases")
    kind = alone[0] if alone else KINDS[0]
    for key in raw:
        if key not in kind.table.model_fields:
            written = f"[[{key}]]" if key == "layer" else f"[{key}]"
            raise InputError(f"{written}: nothing uses it; a case of [{kind.key}] has that table and [[task]]")
    _check_tasks(raw, kind)
    return kind


def _check_tasks(raw: Mapping[str, Any], kind: Kind) -> None:
    """Refuse tasks about another table than the case has."""
    tasks, subject = raw.get("task"), kind.subject
    for i, task in enumerate(tasks if isinstance(tasks, list) else [], 1):
        word = task.get("kind") if isinstance(task, dict) else None
        if not isinstance(word, str) or word in kind.tasks:
            continue
        for other in KINDS:
            if word in other.tasks:
                there = f"; tasks of [{subject}]: {', '.join(kind.tasks)}" if subject in raw else ""
                missing = "" if subject in raw else f"; the table [{other.subject}] is missing"
                raise InputError(f'task {i}.kind: found "{word}", which is about [{other.subject}]{there}{missing}')
