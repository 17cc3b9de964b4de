"""Keys and checks that tasks over a band of frequencies have in common."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from ..schema import Frequency
from ..tasks import Task, check_increasing
from .about import About


class BandTask(Task):
    """Numbers over a band of frequencies."""

    frequencies: Annotated[list[Frequency], Field(min_length=2, max_length=2)] = Field(
        description="[from, to], evenly in the logarithm (Hz)"
    )
    samples: Annotated[int, Field(ge=1, le=100000)] = Field(200, description="how many frequencies (1)")

    def check(self, owner: str, about: About) -> None:
        """Refuse a band that does not increase."""
        super().check(owner, about)
        check_increasing(owner, "frequencies", self.frequencies, "Hz")

    def band(self) -> Any:
        """Return the frequencies (Hz)."""
        low, high = self.frequencies
        return np.geomspace(low, high, self.samples)
