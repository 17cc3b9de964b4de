"""Sweeps of the field or of the torque on a macrospin, at one drive or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ...errors import InputError
from ..schema import Direction, Drive, Rate, within
from ..tasks import Outlet, Results, Task
from .about import About, drive_notes, drive_unit, field_notes
from .tables import unit

if TYPE_CHECKING:
    from ...sigma import Evolution
    from .shared import Shared


class Hysteresis(Task):
    """Loop of the mean direction, from the equilibrium of the hemisphere on the side of its first value."""

    vectors = ("direction",)
    rules = (
        {
            "if": {"properties": {"sweep": {"const": "torque"}}, "required": ["sweep"]},
            "then": {"not": {"required": ["direction"]}},
        },
        {"if": {"properties": {"sweep": {"const": "field"}}}, "then": {"required": ["direction"]}},
    )
    units: ClassVar[Mapping[str, str]] = {
        "times": "s",
        "field": "T",
        "factor": "1",
        "mean_along": "1",
        "mean_direction": "1",
        "resistance_area": "ohm m2",
        "mass_error": "1",
        "minimum_density": "1/sr",
        "steps": "1",
        "dofs": "1",
        "mesh_size": "1",
        "degree": "1",
        "cells": "1",
        "orders": "1",
        "error_estimate": "1",
    }
    kind: Literal["hysteresis"] = Field(description="sweep of the field or of the torque at a rate")
    sweep: Literal["field", "torque"] = Field("field", description="what is swept")
    direction: Direction | None = Field(None, description="direction of the field, of any length (1)")
    range: Annotated[list[Drive], Field(min_length=2, max_length=2)] = Field(
        description="[from, to] of the field, or of the factor on the torque (T or 1)"
    )
    rate: Rate = Field(description="rate of the sweep (T/s or 1/s)")
    samples: Annotated[int, Field(ge=1, le=100000)] = Field(101, description="how many values, each way (1)")
    loop: bool = Field(True, description="whether the sweep goes back")
    tolerance: Annotated[float, Field(gt=0, lt=0.1), within(1e-15)] = Field(
        1e-4, description="error of a step in time (1)"
    )
    drives: Annotated[list[Drive], Field(min_length=1, max_length=100)] | None = Field(
        None,
        description="a loop at each of them; as transport is driven where the torque comes from it, else factors on "
        "the torque (A/m2, V, V/m or 1)",
    )

    def check(self, owner: str, about: About) -> None:
        """Refuse sweeps of what is not there, and empty ones."""
        super().check(owner, about)
        if self.drives is not None:
            if not about.driven:
                raise InputError(f"{owner}.drives: they need the table [torque]")
            if self.sweep == "torque":
                raise InputError(f'{owner}.drives: they belong to a sweep of the field, found with sweep = "torque"')
            if len({f"{x:.6g}" for x in self.drives}) < len(self.drives):
                raise InputError(f"{owner}.drives: found {self.drives}; two of them are the same to six digits")
        if self.range[0] == self.range[1]:
            raise InputError(f"{owner}.range: found {self.range}; from and to must differ")
        if self.sweep == "torque":
            if about.torque is None:
                raise InputError(f'{owner}.sweep: "torque" needs the table [torque]')
            if self.direction is not None:
                raise InputError(f'{owner}.direction: belongs to a sweep of the field, found with sweep = "torque"')
        elif self.direction is None:
            raise InputError(f"{owner}.direction: missing; a sweep of the field needs its direction")
        elif max(abs(x) for x in self.range) > 1e4:
            raise InputError(f"{owner}.range: found {self.range}; fields are in T")

    def largest_drive(self) -> float:
        """Return the largest of the drives, in size."""
        return max(map(abs, self.drives or [0.0]))

    def notes(self, owner: str, about: About) -> list[str]:
        """Return notes on the swept field and on the drives."""
        swept = self.range if self.sweep == "field" else []
        return field_notes(f"{owner}.range", swept, about) + drive_notes(owner, self.drives or [], about)

    def files(self, name: str) -> Sequence[str]:
        """Return the names of loops at several drives, which have files of their own."""
        return [f"{name}.{k}" for k in range(len(self.drives or []))]

    @classmethod
    def units_of(cls, results: Results, summary: Results) -> Mapping[str, str]:
        """Return the units: those of the swept quantity and of the drives among them."""
        swept, per_time = ("1", "1/s") if results.get("sweep") == "torque" else ("T", "T/s")
        drive = drive_unit(summary)
        own = {"range": swept, "rate": per_time, "reversals": swept, "shift": swept, "drives": drive, "drive": drive}
        return {**cls.units, **own}

    def run(self, shared: Shared, name: str, out: Outlet) -> Results:
        """Sweep, write curves and pictures; with several drives, one loop for each."""
        if self.drives is None:
            times, swept, evolution = self._sweep(shared, name, None)
            return self._write(shared, out, name, times, swept, evolution)
        return {"loops": self._loops(shared, out, name, self.drives)}

    def _loops(self, shared: Shared, out: Outlet, name: str, drives: Sequence[float]) -> list[Results]:
        """Follow a loop at each drive, and draw all of them in one picture."""
        from ...plotting.sphere_curves import plot_hysteresis

        loops = []
        curves: dict[str, dict[str, tuple[Any, Any]]] = {"direction": {}, "resistance": {}}
        for k, drive in enumerate(drives):
            times, swept, evolution = self._sweep(shared, f"{name}.{k}", drive)
            written = self._write(shared, out, f"{name}.{k}", times, swept, evolution, picture=False)
            loops.append({"drive": drive} | written)
            label = f"{drive:.6g} {shared.drive_unit}".strip()
            curves["direction"][label] = (swept, np.array(loops[-1]["mean_along"]))
            if "resistance" in evolution.observables:
                curves["resistance"][label] = (swept, 1e15 * evolution.observables["resistance"])
        title = shared.title
        out.picture(
            f"hysteresis.{name}.png",
            lambda p: plot_hysteresis(shared.comm, p, curves["direction"], title=title),
        )
        if curves["resistance"]:
            label = "mean $AR$ (f$\\Omega\\,$m$^2$)"
            out.picture(
                f"resistance.{name}.png",
                lambda p: plot_hysteresis(shared.comm, p, curves["resistance"], ylabel=label, limits=None, title=title),
            )
        return loops

    def _sweep(self, shared: Shared, name: str, drive: float | None) -> tuple[Any, Any, Evolution]:
        """Follow one sweep; return times, the swept quantity and the evolution. Collective."""
        from ...progress import ProgressBar
        from .shared import state_of

        spin, torque = (shared.spin, shared.torque) if drive is None else shared.at_drive(drive)
        solver = shared.solver if drive is None else shared.make(shared.comm, spin, torque)
        first, last = self.range
        one_way = abs(last - first) / self.rate
        ways, samples = 2 if self.loop else 1, self.samples
        end = ways * one_way
        times = np.linspace(0.0, end, ways * (samples - 1) + 1) if samples > 1 else np.array([end])

        def value(t: float) -> float:
            along = min(t, 2 * one_way - t) / one_way
            return first + (last - first) * along

        bar = ProgressBar(shared.comm)
        options: dict[str, Any] = {
            "tolerance": self.tolerance,
            "breakpoints": [one_way] if self.loop else [],
            "progress": bar.following(f"{name}: sweep"),
            **state_of(shared, self, name, drive),
            "observables": {} if shared.resistance is None else {"resistance": shared.resistance},
        }
        if self.sweep == "torque":
            assert torque is not None and torque.axis is not None
            # Start where the first current holds the magnet: a torque may point away from its polarizer.
            sense = first * getattr(torque, "sense", 1)
            evolution = solver.evolve(times, start=_side(torque.axis, sense), drive=value, **options)
        else:
            assert self.direction is not None
            axis = unit(self.direction)
            evolution = solver.evolve(
                times, start=_side(axis, first), field=lambda t: [value(t) * x for x in axis], **options
            )
        bar.clear()
        return times, np.array([value(t) for t in times]), evolution

    def _write(
        self,
        shared: Shared,
        out: Outlet,
        name: str,
        times: Any,
        swept: Any,
        evolution: Evolution,
        *,
        picture: bool = True,
    ) -> Results:
        """Write one loop; return its numbers."""
        from ... import output
        from ...plotting.sphere_curves import plot_hysteresis
        from .shared import describe_mesh

        key = "factor" if self.sweep == "torque" else "field"
        axis = shared.torque.axis if self.sweep == "torque" and shared.torque is not None else self.direction
        assert axis is not None
        along = evolution.mean @ np.array(unit(list(axis)))
        resistance = evolution.observables.get("resistance")
        columns = {"time_s": times, key + ("" if key == "factor" else "_T"): swept, "mean_along": along}
        columns |= {f"mean_{x}": evolution.mean[:, k] for k, x in enumerate("xyz")}
        columns |= {} if resistance is None else {"resistance_area_ohm_m2": resistance}
        output.write_csv(shared.comm, out.path / f"hysteresis.{name}.csv", columns)
        label = "factor on the torque" if key == "factor" else "field (T)"
        if picture:
            out.picture(
                f"hysteresis.{name}.png",
                lambda p: plot_hysteresis(shared.comm, p, {"": (swept, along)}, xlabel=label, title=shared.title),
            )
        reversals = _crossings(swept, along)
        return {
            "times": times.tolist(),
            key: swept.tolist(),
            "mean_along": along.tolist(),
            "mean_direction": evolution.mean.tolist(),
            **({} if resistance is None else {"resistance_area": resistance.tolist()}),
            "reversals": reversals,
            "shift": sum(reversals) / 2 if len(reversals) == 2 else None,
            "mass_error": evolution.final.mass_error,
            "minimum_density": evolution.final.minimum_density,
            "steps": evolution.steps,
            **({} if evolution.error_estimate is None else {"error_estimate": evolution.error_estimate}),
            **describe_mesh(evolution.final.surface),
        }

    @staticmethod
    def line(results: Results, summary: Results) -> str:
        """Return the values at which the loops reverse."""
        return "; ".join(
            ("" if "drive" not in x else f"at {x['drive']:g}: ")
            + "reversals at "
            + (", ".join(f"{y:.5g}" for y in x["reversals"]) or "none")
            for x in results.get("loops", [results])
        )


def _side(axis: Any, sense: float) -> list[float]:
    return [x if sense > 0 else -x for x in unit(list(axis))]


def _crossings(x: Any, y: Any) -> list[float]:
    """Return the places where a curve goes through zero, in the order of the sweep."""
    out = []
    for i in np.flatnonzero(np.sign(y[1:]) * np.sign(y[:-1]) < 0):
        out.append(float(x[i] - y[i] * (x[i + 1] - x[i]) / (y[i + 1] - y[i])))
    return out
