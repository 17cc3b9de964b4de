"""Stages of a pulse: times during which energy, temperature, damping and torque of a macrospin are constant.

A pulse with edges, or one that heats the magnet, is cut into stages; whoever follows the magnet, by one trajectory,
many, or a density, takes them one after the other. Conditions at the middle of a stage stand for all of it, which errs
by the square of its length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..energy.on_sphere import Array
from ..errors import InputError
from ..quantities import is_finite, require_type
from .spin import Macrospin
from .torque import Torque


@dataclass(frozen=True)
class Stage:
    """Conditions of a macrospin up to a time.

    Attributes
    ----------
    until
        End of the stage (s).
    spin
        The macrospin: its energy, temperature and damping.
    torque
        Spin torque; None: there is none.

    Raises
    ------
    InputError
        If the time is not finite and positive, or the spin is no macrospin.

    Examples
    --------
    A torque for 2 ns, and then none:

    >>> torque = fs.SpinTorque.critical(spin, -4.0)
    >>> pulse = [fs.Stage(2e-9, spin, torque), fs.Stage(5e-9, spin)]
    >>> fs.langevin(comm, spin, [2e-9, 5e-9], ensemble=200, stages=pulse).not_switched.round(1)
    array([0.9, 0.9])
    """

    until: float
    spin: Macrospin
    torque: Torque | None = None

    def __post_init__(self) -> None:
        if not is_finite(self.until) or self.until <= 0:
            raise InputError(f"stage: until is {self.until!r}; it must be finite and positive (s)")
        require_type("stage", self.spin, Macrospin)


def checked_stages(stages: Sequence[Stage], end: float, owner: str) -> tuple[Stage, ...]:
    """Return stages that follow each other up to a time.

    Raises
    ------
    InputError
        If there are none, times do not increase, the last ends too early, or they are of different volumes.
    """
    found = tuple(stages)
    for x in found:
        require_type(owner, x, Stage)
    until = [x.until for x in found]
    if not found or (np.diff(until) <= 0).any():
        raise InputError(f"{owner}: stages must end one after the other; found ends at {until} s")
    if until[-1] < end * (1 - 1e-12):
        raise InputError(f"{owner}: the last stage ends at {until[-1]:g} s, and times go on to {end:g} s")
    if len({x.spin.volume for x in found}) > 1:
        raise InputError(f"{owner}: stages are of one magnet, and these have different volumes")
    return found


def divided(stages: Sequence[Stage], times: Sequence[float] | Array) -> list[tuple[float, Stage]]:
    """Return the parts into which stages and times divide a course: their ends (s), and the stage of each.

    Times that differ from the end of a stage by rounding only are kept, and the end is not.
    """
    last = float(times[-1])
    ends = np.union1d(times, [x.until for x in stages if x.until < last])
    kept = [x for x, after in zip(ends, [*ends[1:], np.inf], strict=True) if after - x > 1e-12 * last]
    exact = {min(kept, key=lambda x, t=t: abs(x - t)): float(t) for t in times}  # type: ignore[misc]
    return [(exact.get(x, float(x)), stage_at(stages, float(x))) for x in kept]


def stage_at(stages: Sequence[Stage], t: float) -> Stage:
    """Return the stage of a time (s); at its very end a stage still holds, and the last one for ever."""
    return next((x for x in stages if t <= x.until * (1 + 1e-12)), stages[-1])
