"""Noise of a macrospin's direction, or of the resistance of its device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from ...errors import InputError
from ...quantities import direction
from ..schema import Direction
from ..tasks import Outlet, Results
from .about import About
from .bands import BandTask

if TYPE_CHECKING:
    from .shared import Shared


class Noise(BandTask):
    """Power spectral density of an observable."""

    units: ClassVar[Mapping[str, str]] = {
        "density": "1/Hz",
        "mean_observable": "1",
        "variance": "1",
        "error_estimate": "1",
        "dofs": "1",
        "mesh_size": "1",
        "degree": "1",
        "cells": "1",
        "orders": "1",
    }
    kind: Literal["noise"] = Field(description="power spectral density of an observable")
    observable: Direction | Literal["resistance"] = Field(
        description="noise of R = u.observable, or of the device's \"resistance\", if the torque is the device's (1)",
    )

    def check(self, owner: str, about: About) -> None:
        """Refuse an observable that the case does not have."""
        if self.observable != "resistance":
            direction(self.observable, owner, "observable")
        elif not about.resistance:
            raise InputError(f'{owner}.observable: "resistance" needs a torque of the device (torque.source)')
        elif about.drive_unit == "V/m":
            raise InputError(f'{owner}.observable: "resistance" is that between contacts; a film in a plane has none')
        super().check(owner, about)

    @classmethod
    def units_of(cls, results: Results, summary: Results) -> Mapping[str, str]:
        """Return the units: those of the observable among them."""
        if results.get("observable") != "resistance":
            return cls.units
        own = {"density": "ohm2 m4/Hz", "mean_observable": "ohm m2", "variance": "ohm2 m4"}
        return {**cls.units, **own}

    def run(self, shared: Shared, name: str, out: Outlet) -> Results:
        """Solve, write and draw."""
        from ... import output
        from ...plotting.sphere_curves import plot_noise
        from .shared import describe_mesh

        f, unit = self.band(), "1"
        if self.observable == "resistance":
            assert shared.resistance is not None
            observable, unit = shared.resistance, "ohm2_m4"
        else:
            axis = np.array(self.observable)
            observable = lambda u: u @ axis  # noqa: E731
        noise = shared.solver.noise(observable, f)
        columns = {"frequency_Hz": f.tolist(), f"density_{unit}_per_Hz": noise.density.tolist()}
        output.write_csv(shared.comm, out.path / f"noise.{name}.csv", columns)
        label = f"power spectral density ({ {'1': '1/Hz', 'ohm2_m4': '$\\Omega^2\\,$m$^4$/Hz'}[unit] })"
        out.picture(
            f"noise.{name}.png",
            lambda p: plot_noise(shared.comm, p, {"": (f, noise.density)}, title=shared.title, ylabel=label),
        )
        return {
            "frequencies": f.tolist(),
            "density": noise.density.tolist(),
            "mean_observable": noise.mean,
            "variance": noise.variance,
            "error_estimate": noise.error_estimate.tolist(),
            **describe_mesh(noise.surface),
        }

    @staticmethod
    def line(results: Results, summary: Results) -> str:
        """Return the mean and the variance."""
        return f"mean {results['mean_observable']:.6g}, variance {results['variance']:.6g}"
