"""Steady distribution of a macrospin's direction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ..tasks import Outlet, Results, Task

if TYPE_CHECKING:
    from .shared import Shared


class Steady(Task):
    """Steady state, its mean direction and the power that it takes."""

    units: ClassVar[Mapping[str, str]] = {
        "mean_direction": "1",
        "error_estimate": "1",
        "mass_error": "1",
        "minimum_density": "1/sr",
        "negative_mass": "1",
        "dofs": "1",
        "mesh_size": "1",
        "degree": "1",
        "cells": "1",
        "orders": "1",
        "dissipated_power": "W",
        "power_balance": "1",
        "electrical_power": "W",
    }
    kind: Literal["steady"] = Field(description="steady state, mean direction, dissipated power")

    def run(self, shared: Shared, name: str, out: Outlet) -> Results:
        """Solve, write and draw."""
        from ...coupling.balance import mean_electrical_power
        from .shared import describe_mesh, draw_density

        steady = shared.solver.steady()
        power = shared.solver.power(steady)
        draw_density(shared, out, name, steady, "steady state")
        balance = power["work"] - power["dissipation"]
        scale = max(abs(power["work"]), shared.spin.thermal_energy * shared.spin.diffusion * 1e-12)
        told = {"dissipated_power": power["dissipation"], "power_balance": balance / scale}
        if shared.map is not None and shared.map.device is not None:
            told["electrical_power"] = mean_electrical_power(steady, shared.map.device, shared.spin, shared.map.circuit)
        return steady.summary() | describe_mesh(steady.surface) | told

    @staticmethod
    def line(results: Results, summary: Results) -> str:
        """Return the mean direction and the power."""
        mean = ", ".join(f"{x:.5f}" for x in results["mean_direction"])
        return f"mean direction ({mean}), dissipates {results['dissipated_power']:.4g} W"
