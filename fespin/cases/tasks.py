"""What tasks are called: by their own names, or by their number from 1. Files are named after them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from ..errors import InputError
from .messages import show


class Named(Protocol):
    """A task of any case."""

    @property
    def name(self) -> str | None:
        """Its name, if it has one."""


def names_of(tasks: Sequence[Named]) -> list[str]:
    """Return the names of tasks; those without one are called by their number, from 1."""
    return [t.name if t.name is not None else str(i) for i, t in enumerate(tasks, 1)]


def check_name(number: int, task: Named, name: str, names: Sequence[str]) -> str:
    """Return how messages call a task.

    Parameters
    ----------
    number
        From 1.
    name
        Of :func:`names_of`.
    names
        All that are in use, this one among them.

    Raises
    ------
    InputError
        If the name is taken, or is none for a file.
    """
    owner = f"task {number}" + (f" ('{name}')" if task.name is not None else "")
    if names.count(name) > 1:
        raise InputError(f"{owner}: the name '{name}' is given twice")
    if len(name.encode(errors="replace")) > 150 or not name.isprintable() or set(name) & set("/\\"):
        raise InputError(
            f"task {number}.name: found {show(name)}; files are named after tasks: short, printable, no slash"
        )
    return owner


def check_names(tasks: Sequence[Named]) -> list[str]:
    """Return how messages call each task; errors as in :func:`check_name`."""
    names = names_of(tasks)
    return [check_name(i, t, n, names) for i, (t, n) in enumerate(zip(tasks, names, strict=True), 1)]


def check_keys(owner: str, kind: str, given: Iterable[str], keys: Mapping[str, Collection[str]]) -> None:
    """Refuse keys of a task that belong to other kinds.

    Parameters
    ----------
    given
        The keys that are there.
    keys
        Those of each kind, beside kind and name.

    Raises
    ------
    InputError
        With the kinds that a key belongs to.
    """
    for key in sorted(set(given) - {"kind", "name", *keys[kind]}):
        kinds = ", ".join(f'"{k}"' for k, own in keys.items() if key in own)
        raise InputError(f'{owner}.{key}: belongs to {kinds}, found with "{kind}"')
