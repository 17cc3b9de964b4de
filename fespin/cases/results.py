"""What every kind of task asks of its results."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from ..errors import InputError, SolverError
from .task_names import Named, names_of

type Results = dict[str, Any]


class Task(Named, Protocol):
    """A task of any case."""

    @property
    def kind(self) -> str:
        """What is asked."""

    def model_dump(self, *, exclude_none: bool) -> dict[str, Any]:
        """Return its keys."""


def run_each[T: Task](
    tasks: Sequence[T], work: Callable[[T, str], Results], say: Callable[[str], None]
) -> dict[str, Results]:
    """Return the inputs and results of tasks by name, one after the other; errors name the task.

    Parameters
    ----------
    work
        Takes a task and its name.
    say
        Called with progress.
    """
    found: dict[str, Results] = {}
    for i, (task, name) in enumerate(zip(tasks, names_of(tasks), strict=True), 1):
        begin, owner = time.perf_counter(), f"task {i} ({task.kind})"
        try:
            found[name] = task.model_dump(exclude_none=True) | work(task, name)
        except (InputError, SolverError) as error:
            raise type(error)(f"{owner}: {error}") from error
        require_numbers(owner, found[name])
        say(f"task {name}: {task.kind}, {time.perf_counter() - begin:.2f} s")
    return found


def require_numbers(owner: str, results: Mapping[str, Any]) -> None:
    """Refuse results that are not numbers.

    Raises
    ------
    SolverError
        With the key of the first.
    """
    for key, value in results.items():
        try:
            json.dumps(value, allow_nan=False)
        except ValueError as error:
            why = f"{owner}: {key} is not finite; try shorter times, a lower barrier or a finer mesh"
            raise SolverError(why) from error
