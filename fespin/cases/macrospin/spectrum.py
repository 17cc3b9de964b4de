"""Decay rates of the distribution of a macrospin's direction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from ..schema import Frequency
from ..tasks import Outlet, Results, Task

if TYPE_CHECKING:
    from .shared import Shared


class Spectrum(Task):
    """Slowest decay rates, or those nearest to a frequency."""

    units: ClassVar[Mapping[str, str]] = {
        "eigenvalues": "1/s",
        "eigenvalues_reduced": "1",
        "residuals": "1",
        "error_estimate": "1",
        "dofs": "1",
        "mesh_size": "1",
        "degree": "1",
        "cells": "1",
        "orders": "1",
    }
    kind: Literal["spectrum"] = Field(description="decay rates of the distribution")
    count: Annotated[int, Field(ge=1, le=500)] = Field(6, description="how many eigenvalues (1)")
    near: Frequency | None = Field(None, description="the modes nearest to this frequency, instead of the slowest (Hz)")

    def run(self, shared: Shared, name: str, out: Outlet) -> Results:
        """Solve, write and draw."""
        from ... import output
        from ...plotting.sphere_curves import plot_eigenvalues
        from .shared import describe_mesh

        spectrum = shared.solver.spectrum(self.count, near=self.near)
        z = spectrum.eigenvalues
        columns = {
            "rate_1_per_s": list(z.real),
            "angular_frequency_1_per_s": list(z.imag),
            "method": list(spectrum.methods),
        }
        output.write_csv(shared.comm, out.path / f"spectrum.{name}.csv", columns)
        out.picture(
            f"spectrum.{name}.png", lambda p: plot_eigenvalues(shared.comm, p, {"": spectrum}, title=shared.title)
        )
        return spectrum.summary() | describe_mesh(spectrum.surface)

    @staticmethod
    def line(results: Results, summary: Results) -> str:
        """Return the first rates."""
        shown = [
            f"{re:.5g}" + (f" {'+' if im > 0 else '-'} {abs(im):.5g}i" if abs(im) > 1e-9 * re else "")
            for re, im in results["eigenvalues"][:4]
        ]
        return f"decay rates (1/s): {', '.join(shown)}{', ...' if len(results['eigenvalues']) > 4 else ''}"
