"""Keys and checks that tasks about a pulse have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from ...errors import InputError
from ..schema import Direction, Drive, Number, Table, Time, at_least, known
from ..tasks import Task
from .about import About

if TYPE_CHECKING:
    from ...macrospin.pulse import Pulse
    from .shared import Shared

type Edge = Annotated[float, Field(ge=0, lt=1e18), at_least(1e-20)]
type Point = Annotated[list[Number], Field(min_length=2, max_length=2)]

_DRIVES = {"voltage": "V", "current_density": "A/m2", "factor": ""}
_SHAPES = ("length", "lengths")


class PulseTable(Table):
    """A drive against time: one height between two edges, or straight between points."""

    exactly_one = ((*_DRIVES, "points"), (*_SHAPES, "points"))
    voltage: Drive | None = Field(None, description="height, of a device that transport.voltage drives (V)")
    current_density: Drive | None = Field(
        None, description="height, of a device that a current drives, upwards; instead of voltage (A/m2)"
    )
    factor: Drive | None = Field(None, description="height, as a factor of a given torque; instead of voltage (1)")
    length: Time | None = Field(None, description="time at full height, without the edges (s)")
    lengths: Annotated[list[Time], Field(min_length=1, max_length=1000)] | None = Field(
        None, description="several such times, each a pulse of its own; instead of length (s)"
    )
    rise: Edge = Field(0.0, description="length of the first edge, from zero (s)")
    fall: Edge = Field(0.0, description="length of the last edge, to zero (s)")
    points: Annotated[list[Point], Field(min_length=2, max_length=10_000)] | None = Field(
        None, description="[[time, drive], ...] instead of all other keys, as transport or the torque is driven (s)"
    )

    @property
    def unit(self) -> str | None:
        """Return the unit of the drive; None where points leave it to what is driven."""
        return next((u for key, u in _DRIVES.items() if getattr(self, key) is not None), None)

    @property
    def height(self) -> float:
        """Return the largest drive, in size."""
        if self.points is not None:
            return max(abs(x) for _, x in self.points)
        return abs(float(next(x for key in _DRIVES if (x := getattr(self, key)) is not None)))

    def pulses(self) -> list[Pulse]:
        """Return the pulses, one for each length."""
        from ...macrospin.pulse import Pulse, rectangles

        if self.points is not None:
            return [Pulse(tuple((t, x) for t, x in self.points))]
        value = next(x for key in _DRIVES if (x := getattr(self, key)) is not None)
        lengths = self.lengths if self.lengths is not None else [known(self.length)]
        return rectangles(value, lengths, rise=self.rise, fall=self.fall)

    def check(self, owner: str, drive_unit: str, driven: bool) -> None:
        """Refuse a pulse of another drive than the magnet's, and impossible points.

        Parameters
        ----------
        owner
            Place of the table, for messages.
        drive_unit
            Unit of the case's drives.
        driven
            True if there is something to drive.
        """
        drives = [key for key in (*_DRIVES, "points") if getattr(self, key) is not None]
        if len(drives) != 1:
            names = ", ".join((*_DRIVES, "points"))
            raise InputError(f"{owner}: give exactly one of {names}; found {' and '.join(drives) or 'none'}")
        if self.points is None and (self.length is None) == (self.lengths is None):
            found = "neither" if self.length is None else "both"
            raise InputError(f"{owner}: give exactly one of length and lengths (s); found {found}")
        if self.points is not None:
            for key in ("length", "lengths", "rise", "fall"):
                if key in self.model_fields_set:
                    raise InputError(f"{owner}.{key}: points say all of a pulse; give one of them, found both")
        if not driven:
            raise InputError(f"{owner}: a pulse drives a torque; the table [torque] is missing")
        if self.unit is not None and self.unit != drive_unit:
            wanted = next((key for key, unit in _DRIVES.items() if unit == drive_unit), "points")
            raise InputError(
                f"{owner}.{drives[0]}: this magnet is driven by a {wanted.replace('_', ' ')}; give {wanted}"
            )
        try:
            self.pulses()
        except InputError as error:
            raise InputError(f"{owner}: {str(error).removeprefix('pulse: ')}") from error


class PulseTask(Task):
    """Evolution from the equilibrium of a hemisphere while a pulse lasts."""

    vectors = ("start",)
    exactly_one = (("pulse", "reduced_time"),)
    start: Direction = Field(
        [0.0, 0.0, 1.0],
        description="axis of the hemisphere in whose equilibrium the magnet is at first (1)",
    )
    pulse: Time | PulseTable | None = Field(
        None, description="length of the pulse, at the drive of transport or torque; or a table about its shape (s)"
    )
    reduced_time: Time | None = Field(None, description="instead of pulse: alpha gamma mu0 H_K t/(1 + alpha^2) (1)")
    samples: Annotated[int, Field(ge=1, le=100000)] = Field(
        41, description="how many times, evenly spaced; of several lengths their ends (1)"
    )

    def check(self, owner: str, about: About) -> None:
        """Refuse a pulse without a length, or with two, and reduced times without an anisotropy."""
        super().check(owner, about)
        if (self.pulse is None) == (self.reduced_time is None):
            found = "neither" if self.pulse is None else "both"
            raise InputError(f"{owner}: give exactly one of pulse (s) and reduced_time; found {found}")
        if isinstance(self.pulse, PulseTable):
            self.pulse.check(f"{owner}.pulse", about.drive_unit, about.torque is not None)
        if self.reduced_time is not None:
            from ...macrospin.scales import reduced_time

            if reduced_time(about.spin) <= 0:
                raise InputError(
                    f"{owner}.reduced_time: it is in units of the anisotropy field, and there is none; give pulse"
                )

    def largest_drive(self) -> float:
        """Return the height of the pulse, in size; zero where it is that of the case."""
        return self.pulse.height if isinstance(self.pulse, PulseTable) else 0.0

    def shapes(self, shared: Shared) -> list[Pulse] | None:
        """Return the pulses as functions of time; None where all is constant at the case's own drive."""
        if isinstance(self.pulse, PulseTable):
            return self.pulse.pulses()
        if not shared.driven.follows_pulse:
            return None
        from ...macrospin.pulse import Pulse

        return [Pulse.rectangle(shared.own_drive, float(self.times(shared.solver.reduced_time)[-1]))]

    def times(self, reduced_per_second: float) -> Any:
        """Return the times of a constant pulse (s): evenly spaced from zero, or its end alone.

        Parameters
        ----------
        reduced_per_second
            Reduced time of one second.
        """
        if isinstance(self.pulse, PulseTable):
            pulses = self.pulse.pulses()
            if len(pulses) > 1:
                return np.array([x.end for x in pulses])
            length = pulses[0].end
        else:
            length = self.pulse if self.pulse is not None else known(self.reduced_time) / reduced_per_second
        return np.linspace(0.0, length, self.samples) if self.samples > 1 else np.array([length])
