"""Susceptibility of a macrospin to a small alternating field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from ..schema import Direction
from ..tasks import Outlet, Results
from .bands import BandTask

if TYPE_CHECKING:
    from .shared import Shared


class Susceptibility(BandTask):
    """Linear response of the mean direction to an alternating field."""

    vectors = ("direction",)
    units: ClassVar[Mapping[str, str]] = {
        "susceptibility": "1",
        "error_estimate": "1",
        "dofs": "1",
        "mesh_size": "1",
        "degree": "1",
        "cells": "1",
        "orders": "1",
    }
    kind: Literal["susceptibility"] = Field(description="response of the mean direction to an alternating field")
    direction: Direction = Field(description="direction of the field, of any length (1)")

    def run(self, shared: Shared, name: str, out: Outlet) -> Results:
        """Solve, write and draw."""
        from ... import output
        from ...plotting.sphere_curves import plot_noise
        from .shared import describe_mesh

        f = self.band()
        response = shared.solver.susceptibility(f, self.direction)
        chi = response.susceptibility
        columns = {"frequency_Hz": f}
        for k, x in enumerate("xyz"):
            columns |= {f"chi_{x}_real": chi[:, k].real, f"chi_{x}_imag": chi[:, k].imag}
        output.write_csv(shared.comm, out.path / f"susceptibility.{name}.csv", columns)
        curves = {
            x: (f, np.abs(chi[:, k])) for k, x in enumerate("xyz") if np.abs(chi[:, k]).max() > 1e-9 * np.abs(chi).max()
        }
        out.picture(
            f"susceptibility.{name}.png",
            lambda p: plot_noise(shared.comm, p, curves, title=shared.title, ylabel="|susceptibility|"),
        )
        return {
            "frequencies": f.tolist(),
            "susceptibility": np.stack([chi.real, chi.imag], axis=-1).tolist(),
            "error_estimate": response.error_estimate.tolist(),
            **describe_mesh(response.surface),
        }

    @staticmethod
    def line(results: Results, summary: Results) -> str:
        """Return the number of frequencies."""
        return f"{len(results['frequencies'])} frequencies"
