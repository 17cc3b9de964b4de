"""Keys and checks that surveys over a range of drives have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from ...errors import InputError
from ..schema import Drive
from ..tasks import Results, Task
from .about import About, drive_notes, drive_unit


class SurveyTask(Task):
    """Numbers at evenly spaced drives."""

    drives: Annotated[list[Drive], Field(min_length=2, max_length=2)] = Field(
        description="[from, to]; as transport is driven where the torque comes from it, else factors on the torque "
        "(A/m2, V, V/m or 1)"
    )
    samples: Annotated[int, Field(ge=2, le=100000)] = Field(21, description="how many drives, evenly spaced (1)")

    def check(self, owner: str, about: About) -> None:
        """Refuse a survey without a torque, or over a range that does not increase."""
        if not about.driven:
            raise InputError(f"{owner}: drives need the table [torque]")
        require_range(owner, "drives", self.drives)
        super().check(owner, about)

    def largest_drive(self) -> float:
        """Return the larger end of the range, in size."""
        return max(map(abs, self.drives))

    def notes(self, owner: str, about: About) -> list[str]:
        """Return notes on the drives."""
        return drive_notes(owner, self.drives, about)

    @classmethod
    def units_of(cls, results: Results, summary: Results) -> Mapping[str, str]:
        """Return the units: that of the drives among them."""
        drive = drive_unit(summary)
        return {**cls.units, "drives": drive, "critical": f"T, {drive}"}

    @staticmethod
    def line(results: Results, summary: Results) -> str:
        """Return the range of drives."""
        return f"{len(results['drives'])} drives from {results['drives'][0]:g} to {results['drives'][-1]:g}"


def require_range(owner: str, key: str, limits: Sequence[float]) -> None:
    """Refuse a range whose first end is not less than its second one.

    Raises
    ------
    InputError
        With one line that names the key.
    """
    if limits[0] >= limits[1]:
        raise InputError(f"{owner}.{key}: found {list(limits)}; give [from, to], the first less than the second")


def spread(limits: Sequence[float], samples: int) -> list[float]:
    """Return evenly spaced values from one end of a range to the other."""
    first, last = limits
    return [float(x) for x in np.linspace(first, last, samples)]


def missing_points(failures: Mapping[str, str]) -> Results:
    """Return the part of a summary about points that failed, by their places."""
    return {"missing": [f"{where}: {line}" for where, line in failures.items()]} if failures else {}


def missing_drives(drives: Sequence[float], failures: Mapping[int, str]) -> Results:
    """Return the part of a summary about drives that failed, by their numbers."""
    return missing_points({f"at drive {drives[k]:.6g}": line for k, line in failures.items()})
