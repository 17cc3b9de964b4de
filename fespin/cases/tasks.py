"""Tasks: the questions of a case file, one class each.

A task has a file of its own. Its class holds its keys with their defaults, checks them before anything is meshed, runs,
and tells its results in one line. The tasks of a kind of case are a union that ``kind`` tells apart, so that a task
knows its own keys only, and so does the JSON schema. A task imports what it runs inside :meth:`Task.run`, so that
reading a case stays quick.

Tasks are called by their own names, or by their number from 1. Files are named after them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, get_args

from pydantic import Field

from ..errors import InputError
from ..quantities import direction
from .messages import show
from .schema import Table

type Results = dict[str, Any]
type Picture = Callable[[str, Callable[[Path], None]], None]


@dataclass(frozen=True)
class Outlet:
    """Place where files, pictures and progress of tasks go.

    Attributes
    ----------
    path
        Output folder.
    picture
        Function that takes the name of a picture and a function that draws to a path.
    say
        Function that prints a line of progress; called on every rank.
    """

    path: Path
    picture: Picture
    say: Callable[[str], None]


class Task(Table):
    """A question of a case file.

    Subclasses set ``kind`` to a literal word and declare their keys. They define :meth:`run` and :meth:`line`, and
    :meth:`check` where a key can be wrong in ways that its type does not tell.

    Attributes
    ----------
    vectors
        Keys whose vectors must have a direction.
    units
        Unit of each key of the results that has one, those of nested tables among them.
    """

    vectors: ClassVar[tuple[str, ...]] = ()
    units: ClassVar[Mapping[str, str]] = {}
    kind: str = Field(description="what is asked")
    name: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        None, description="of results and files; default the number of the task, from 1"
    )

    @classmethod
    def word(cls) -> str:
        """Return the word that ``kind`` is."""
        return str(get_args(cls.model_fields["kind"].annotation)[0])

    def check(self, owner: str, about: Any) -> None:
        """Refuse a task that can be known to fail.

        Parameters
        ----------
        owner
            Words that messages call the task by.
        about
            Declared objects of the case that checks may need; which ones depends on the kind of case.

        Raises
        ------
        InputError
            With one line that names the key.
        """
        for key in self.vectors:
            if getattr(self, key) is not None:
                direction(getattr(self, key), owner, key)

    def notes(self, owner: str, about: Any) -> list[str]:
        """Return what the task assumes in silence or what looks wrong in it; parameters as in :meth:`check`."""
        return []

    def files(self, name: str) -> Sequence[str]:
        """Return further names after which the task writes files."""
        return ()

    def run(self, shared: Any, name: str, out: Outlet) -> Results:
        """Solve, write and draw; return what ``summary.json`` holds beside the inputs. Collective.

        Parameters
        ----------
        shared
            Solvers and numbers that the tasks of a case have in common.
        name
            Name of the task.
        out
            Place for files, pictures and progress.
        """
        raise NotImplementedError

    @staticmethod
    def line(results: Results, summary: Results) -> str:
        """Return the main results as one line for a terminal; `summary` holds what tasks have in common."""
        raise NotImplementedError

    @classmethod
    def units_of(cls, results: Results, summary: Results) -> Mapping[str, str]:
        """Return the units of results by key; `summary` tells on what else they may depend."""
        return cls.units


def classes_of(union: Any) -> dict[str, type[Task]]:
    """Return the classes of an annotated union of tasks by their words."""
    return {c.word(): c for c in get_args(get_args(union)[0])}


# ---- names
def names_of(tasks: Sequence[Task]) -> list[str]:
    """Return the names of tasks; those without one are called by their number, from 1."""
    return [t.name if t.name is not None else str(i) for i, t in enumerate(tasks, 1)]


def owners_of(tasks: Sequence[Task]) -> list[str]:
    """Return the words that messages call each task by.

    Raises
    ------
    InputError
        If a name is given twice, or cannot be the name of a file.
    """
    names = names_of(tasks)
    every = names + [further for t, n in zip(tasks, names, strict=True) for further in t.files(n)]
    return [_owner(i, t, n, every) for i, (t, n) in enumerate(zip(tasks, names, strict=True), 1)]


def _owner(number: int, task: Task, name: str, names: Sequence[str]) -> str:
    owner = f"task {number}" + (f" ('{name}')" if task.name is not None else "")
    if names.count(name) > 1:
        raise InputError(f"{owner}: the name '{name}' is given twice")
    if len(name.encode(errors="replace")) > 150 or not name.isprintable() or set(name) & set("/\\"):
        raise InputError(
            f"task {number}.name: found {show(name)}; files are named after tasks: short, printable, no slash"
        )
    return owner


def check_increasing(owner: str, key: str, limits: Sequence[float], unit: str) -> None:
    """Refuse a range whose first end is not less than its second one.

    Raises
    ------
    InputError
        With one line that names the key.
    """
    first, second = limits
    if first >= second:
        raise InputError(f"{owner}.{key}: found {list(limits)}; the first must be less than the second ({unit})")
