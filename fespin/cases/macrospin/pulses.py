"""Keys and checks that tasks about a pulse have in common."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from ...errors import InputError
from ..schema import Direction, Time, known
from ..tasks import Task
from .about import About


class PulseTask(Task):
    """Evolution from the equilibrium of a hemisphere while a pulse lasts."""

    vectors = ("start",)
    exactly_one = (("pulse", "reduced_time"),)
    start: Direction = Field(
        [0.0, 0.0, 1.0],
        description="axis of the hemisphere in whose equilibrium the magnet is at first (1)",
    )
    pulse: Time | None = Field(None, description="length of the pulse (s)")
    reduced_time: Time | None = Field(None, description="instead of pulse: alpha gamma mu0 H_K t/(1 + alpha^2) (1)")
    samples: Annotated[int, Field(ge=1, le=100000)] = Field(41, description="how many times, evenly spaced (1)")

    def check(self, owner: str, about: About) -> None:
        """Refuse a pulse without a length, or with two, and reduced times without an anisotropy."""
        super().check(owner, about)
        if (self.pulse is None) == (self.reduced_time is None):
            found = "neither" if self.pulse is None else "both"
            raise InputError(f"{owner}: give exactly one of pulse (s) and reduced_time; found {found}")
        if self.reduced_time is not None:
            from ...macrospin.scales import reduced_time

            if reduced_time(about.spin) <= 0:
                raise InputError(
                    f"{owner}.reduced_time: it is in units of the anisotropy field, and there is none; give pulse"
                )

    def times(self, reduced_per_second: float) -> Any:
        """Return the times of the pulse (s): evenly spaced from zero, or its end alone.

        Parameters
        ----------
        reduced_per_second
            Reduced time of one second.
        """
        length = self.pulse if self.pulse is not None else known(self.reduced_time) / reduced_per_second
        return np.linspace(0.0, length, self.samples) if self.samples > 1 else np.array([length])
