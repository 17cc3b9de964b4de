"""Rates of escape from the wells of a macrospin's energy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from ..tasks import Outlet, Results, Task
from .about import About
from .long_times import long_time

if TYPE_CHECKING:
    from .shared import Shared


class Escape(Task):
    """Dwell times of the wells and rates between them."""

    units: ClassVar[Mapping[str, str]] = {
        "states": "1",
        "rates": "1/s",
        "populations": "1",
        "dwell_times": "s",
        "slowest": "1/s",
        "log10_rates": "1",
        "log10_populations": "1",
        "log10_dwell_times": "1",
        "log10_slowest": "1",
        "barriers": "kT",
        "error_estimate": "1",
        "dofs": "1",
        "mesh_size": "1",
        "degree": "1",
        "cells": "1",
        "orders": "1",
    }
    kind: Literal["escape"] = Field(description="dwell times of the wells, and rates between them")

    def check(self, owner: str, about: About) -> None:
        """Refuse an energy with fewer than two wells."""
        super().check(owner, about)
        about.require_wells(owner)

    def run(self, shared: Shared, name: str, out: Outlet) -> Results:
        """Solve."""
        from .shared import describe_mesh

        escape = shared.solver.escape()
        for i, j in np.argwhere(escape.unresolved):
            out.say(
                f"note: task {name}: the rate from state {i} to {j} is not resolved, null in summary.json: some "
                f"1e{escape.log10_rates[i, j]:.0f} per second, beside the fastest of 1e{escape.log10_rates.max():.0f}"
                if np.isfinite(escape.log10_rates[i, j])
                else f"note: task {name}: the rate from state {i} to {j} is lost in rounding, null in summary.json"
            )
        return escape.summary() | describe_mesh(escape.surface)

    @staticmethod
    def line(results: Results, summary: Results) -> str:
        """Return the dwell times."""
        shown = []
        for row, *time in zip(*(results[k] for k in ("rates", "dwell_times", "log10_dwell_times")), strict=True):
            lost = time[1] is None and None in row
            shown.append("not resolved" if lost else long_time(*time))
        return "dwell times (s): " + ", ".join(shown)
