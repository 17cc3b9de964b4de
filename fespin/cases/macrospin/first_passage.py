"""Mean time in which a macrospin first reaches a cap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from ...errors import InputError
from ...quantities import direction
from ..schema import Direction
from ..tasks import Outlet, Results, Task
from .about import About
from .long_times import LARGEST_EXPONENT, long_time

if TYPE_CHECKING:
    from .shared import Shared


class FirstPassage(Task):
    """Mean first passage time from a direction to a cap."""

    vectors = ("start", "target")
    units: ClassVar[Mapping[str, str]] = {
        "mean_first_passage_time": "s",
        "log10_mean_first_passage_time": "1",
    }
    kind: Literal["first-passage"] = Field(description="mean time from a direction to a cap")
    start: Direction = Field(description="direction in which a passage starts (1)")
    target: Direction | None = Field(None, description="axis of the cap that is reached; default opposite to start (1)")
    cosine: Annotated[float, Field(gt=-1, lt=1)] = Field(0.0, description="of the cap's opening angle (1)")

    @property
    def goal(self) -> list[float]:
        """Return the axis of the cap."""
        return self.target if self.target is not None else [0.0 - x for x in self.start]

    def check(self, owner: str, about: About) -> None:
        """Refuse a start inside the cap."""
        super().check(owner, about)
        start, goal = direction(self.start, owner, "start"), direction(self.goal, owner, "target")
        if sum(a * b for a, b in zip(start, goal, strict=True)) >= self.cosine:
            raise InputError(f"{owner}.start: it lies in the target")

    def used(self) -> dict[str, Any]:
        """Return the keys with the axis of the cap."""
        return super().used() | {"target": self.goal}

    def run(self, shared: Shared, name: str, out: Outlet) -> Results:
        """Solve."""
        exponent = shared.solver.log10_mean_first_passage(self.start, self.goal, cosine=self.cosine)
        return {
            "mean_first_passage_time": 10**exponent if exponent < LARGEST_EXPONENT else None,
            "log10_mean_first_passage_time": exponent,
        }

    @staticmethod
    def line(results: Results, summary: Results) -> str:
        """Return the time."""
        time = long_time(results["mean_first_passage_time"], results["log10_mean_first_passage_time"])
        return f"mean first passage time {time} s"
