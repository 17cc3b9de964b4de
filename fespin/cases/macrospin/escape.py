"""Rates of escape from the wells of a macrospin's energy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

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
        return escape.summary() | describe_mesh(escape.surface)

    @staticmethod
    def line(results: Results, summary: Results) -> str:
        """Return the dwell times."""
        pairs = zip(results["dwell_times"], results["log10_dwell_times"], strict=True)
        return "dwell times (s): " + ", ".join(long_time(*x) for x in pairs)
