"""What a case file is about: layers and a macrospin, longitudinal dynamics, or a textured magnet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InputError, nearest
from .layered import checks
from .layered.case import Case
from .longitudinal.checks import check_longitudinal
from .longitudinal.tables import TASKS as LONGITUDINAL_TASKS
from .longitudinal.tables import LongitudinalCase
from .macrospin.tables import TASKS as MACROSPIN_TASKS
from .texture.checks import check_texture
from .texture.tables import TASKS as TEXTURE_TASKS
from .texture.tables import TextureCase

type AnyCase = Case | LongitudinalCase | TextureCase

# By the table that says which it is; every other file is a Case.
ALONE: dict[str, type[LongitudinalCase] | type[TextureCase]] = {
    "longitudinal": LongitudinalCase,
    "texture": TextureCase,
}
# Kinds of tasks by the table that they are about.
TASKS: dict[str, Mapping[str, object]] = {
    "macrospin": MACROSPIN_TASKS,
    "longitudinal": LONGITUDINAL_TASKS,
    "texture": TEXTURE_TASKS,
}


def kind_of(raw: Mapping[str, Any]) -> type[Case] | type[LongitudinalCase] | type[TextureCase]:
    """Return which case the tables of a file make.

    Raises
    ------
    InputError
        If they belong to several, if none is known by the name of a table, or a task is about a table that is
        not there.
    """
    every = {k for kind in (Case, *ALONE.values()) for k in kind.model_fields}
    for key in raw:
        if key not in every:
            raise InputError(f"{key}: unknown table; {nearest(key, every)}")
    found = [k for k in ALONE if k in raw]
    if len(found) > 1:
        raise InputError(f"[{found[1]}]: a case is about one magnet; found [{found[0]}] too, run them as two cases")
    kind = ALONE[found[0]] if found else Case
    for key in raw:
        if key not in kind.model_fields:
            raise InputError(f"{_written(key)}: nothing uses it; a case of [{found[0]}] has that table and [[task]]")
    _check_tasks(raw, found[0] if found else "macrospin")
    return kind


def _written(key: str) -> str:
    return f"[[{key}]]" if key == "layer" else f"[{key}]"


def _check_tasks(raw: Mapping[str, Any], owner: str) -> None:
    """Refuse tasks about another table than the case has."""
    tasks = raw.get("task")
    for i, task in enumerate(tasks if isinstance(tasks, list) else [], 1):
        kind = task.get("kind") if isinstance(task, dict) else None
        if not isinstance(kind, str) or kind in TASKS[owner]:
            continue
        for other, kinds in TASKS.items():
            if kind in kinds:
                there = f"; tasks of [{owner}]: {', '.join(TASKS[owner])}" if owner in raw else ""
                missing = "" if owner in raw else f"; the table [{other}] is missing"
                raise InputError(f'task {i}.kind: found "{kind}", which is about [{other}]{there}{missing}')


def check(case: AnyCase) -> None:
    """Refuse whatever can be known to fail.

    Raises
    ------
    InputError
        With one line that names the table and key.
    """
    if isinstance(case, LongitudinalCase):
        check_longitudinal(case)
    elif isinstance(case, TextureCase):
        check_texture(case)
    else:
        checks.check(case)


def schema() -> dict[str, Any]:
    """Return the JSON schema of case files: all tables, and tasks of any kind."""
    out = Case.model_json_schema()
    tasks = [out["properties"]["task"]["items"]]
    for kind in ALONE.values():
        own = kind.model_json_schema()
        out["$defs"] |= own["$defs"]
        tasks.append(own["properties"].pop("task")["items"])
        out["properties"] = own["properties"] | out["properties"]
    out["properties"]["task"]["items"] = {"anyOf": tasks}
    return out
