"""A motion of a case that goes on from a file: its state, and what was kept of it for fields and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...checkpoint import StateFile
from ...errors import InputError
from ...texture import Dynamics
from .wire import Array, Wire


@dataclass(frozen=True)
class Before:
    """State that a stopped run left: numbers, and values at this rank's own nodes (owned, 3) by name."""

    numbers: dict[str, Any]
    values: dict[str, Array]


@dataclass(frozen=True)
class GoingOn:
    """The files of a motion's task. Collective.

    What is kept for the file of fields and for pictures is written once, each in a file of its own, and before the
    state that counts it; the state alone is replaced now and then.

    Attributes
    ----------
    file
        The state.
    duration
        Duration of the motion (s).
    """

    file: StateFile
    duration: float

    @classmethod
    def of(cls, wire: Wire, keys: Mapping[str, Any], duration: float, name: str) -> GoingOn:
        """Return the files of a task.

        Parameters
        ----------
        keys
            Keys of the task on which its motion depends.
        duration
            Duration of the motion (s).
        """
        assert wire.checkpoints is not None
        options = wire.checkpoints.state(name, [wire.table.model_dump(mode="json"), dict(keys)])
        file = StateFile(
            wire.grid.comm,
            wire.grid.space,
            options["checkpoint"],
            every=options["every"],
            about="a textured motion of a case",
        )
        return cls(file, duration)

    def load(self) -> Before | None:
        """Return what a stopped run left; None if there is nothing.

        Raises
        ------
        InputError
            If the file is of another motion.
        """
        found = self.file.load()
        if found is None:
            return None
        with self.file.understood():
            time = float(found[0]["motion"]["time"])
        if not time < self.duration:
            raise InputError(f"checkpoint '{self.file.path}': it is of a longer motion; remove it to start afresh")
        return Before(*found)

    def save(self, motion: Dynamics, told: Mapping[str, Any]) -> None:
        """Write the state of a motion, and numbers beside it."""
        numbers, values = motion.state()
        self.file.save({"motion": numbers, **told}, values)

    def _frame(self, k: int) -> StateFile:
        return self.file.another(self.file.path.with_name(f"{self.file.path.name}.{k}"))

    def keep(self, k: int, t: float, m: Array, potential: Array) -> None:
        """Write what is kept at a time (s): m (owned, 3) and the potential (owned,), in V."""
        self._frame(k).save({"time": t}, {"m": m, "potential": potential[:, None]})

    def kept(self, k: int) -> tuple[float, Array, Array]:
        """Return what was kept as the k-th.

        Raises
        ------
        InputError
            If it is lost.
        """
        frame = self._frame(k)
        found = frame.load()
        if found is None:
            raise InputError(f"checkpoint '{frame.path}' is missing; remove '{self.file.path}' to start afresh")
        return float(found[0]["time"]), found[1]["m"], np.asarray(found[1]["potential"][:, 0])
