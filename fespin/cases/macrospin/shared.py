"""Solvers and numbers that the tasks of a macrospin have in common, and how they tell of a distribution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from mpi4py import MPI

from ...checkpoint import Journal
from ...coupling.current_map import CurrentMap
from ...coupling.direction_maps import DirectionTorque
from ...coupling.driven_magnet import DrivenMagnet
from ...coupling.film_maps import FilmMap
from ...energy.on_sphere import Array
from ...macrospin import AngularTorque, Macrospin, SpinTorque
from ...plotting.sphere import plot_density
from ...sigma import Distribution, FokkerPlanck, Fourier, Sigma
from ...sigma.distribution import Surface
from ...sigma.fields import write_sphere_fields
from ...sigma.space import Density
from ...sigma.states import Maker
from ..checkpoints import Checkpoints
from ..tasks import Outlet, Results, Task

if TYPE_CHECKING:
    from ...macrospin.pulse import Pulse

type CaseTorque = SpinTorque | AngularTorque | DirectionTorque


@dataclass
class Shared:
    """Macrospin of a case with its torque and solver, and the curves that tasks leave for common pictures.

    Attributes
    ----------
    comm
        All ranks.
    title
        Title of the case, for pictures.
    spin, torque
        Macrospin and its torque, at the case's drive.
    solver
        Fokker-Planck equation of both.
    make
        Function that makes the solver of another macrospin or torque.
    checkpoints
        Folder where long tasks keep what they have done; None without one.
    depends
        Tables on which every result of the case depends, of what JSON can hold.
    driven
        Macrospin with all that its drive does to it.
    own_drive
        Drive of the case: A/m2 or V through the device, else 1.
    curves, points
        Curves and points of the picture of write errors, by their labels.
    """

    comm: MPI.Intracomm
    title: str
    spin: Macrospin
    torque: CaseTorque | None
    solver: FokkerPlanck
    make: Maker
    checkpoints: Checkpoints | None
    depends: Sequence[Any]
    driven: DrivenMagnet
    own_drive: float = 1.0
    curves: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    points: dict[str, tuple[Any, Any, Any]] = field(default_factory=dict)

    def at_drive(self, drive: float, *, backwards: bool = False) -> tuple[Macrospin, CaseTorque | None]:
        """Return the macrospin and its torque at another drive: A/m2, V or V/m of a device, else a factor.

        Parameters
        ----------
        backwards
            True: with the noise and the length of the reversed layer.
        """
        spin, torque = self.driven.at(drive, backwards=backwards)
        return spin, cast(CaseTorque | None, torque)

    @property
    def map(self) -> CurrentMap | FilmMap | None:
        """Return what the device does to the macrospin, if anything."""
        return self.driven.device

    @property
    def state(self) -> Array | None:
        """Return the layer's direction (3,), if noise and length differ from those of the reversed layer."""
        along = self.map.along if isinstance(self.map, CurrentMap) else None
        return None if along is None or along.reversed is None else np.array(along.direction)

    @property
    def resistance(self) -> Density | None:
        """Return A R (ohm m2) as a function of the direction, if a device gives it; a film has no contacts."""
        device = self.map.device if isinstance(self.map, CurrentMap) else None
        return None if device is None else device.resistance_at

    @property
    def drive_unit(self) -> str:
        """Return the unit of drives."""
        return "" if self.map is None else self.map.drive_unit

    @property
    def drive_label(self) -> str:
        """Return the label of drives on axes."""
        labels = {"A/m2": "current density (A/m$^2$)", "V": "voltage (V)", "V/m": "field in the plane (V/m)"}
        return labels.get(self.drive_unit, "factor on the torque")

    @property
    def drive_column(self) -> str:
        """Return the name of a column of drives."""
        names = {"A/m2": "current_density_A_per_m2", "V": "voltage_V", "V/m": "in_plane_field_V_per_m"}
        return names.get(self.drive_unit, "factor")


def _tables(shared: Shared, task: Task, *left_out: str) -> list[Any]:
    """Return what the results of a task depend on, but for some of its keys."""
    return [*shared.depends, task.model_dump(exclude={"name", *left_out}), shared.spin.volume]


def state_of(shared: Shared, task: Task, name: str, drive: float | None) -> dict[str, Any]:
    """Return the arguments with which an evolution goes on from its state; none without checkpoints."""
    if shared.checkpoints is None:
        return {}
    return shared.checkpoints.state(name, [*_tables(shared, task, "drives"), drive])


def pieces_of(shared: Shared, task: Task, name: str, *left_out: str) -> Journal | None:
    """Return the points of a survey that are done; None without checkpoints. Collective.

    Parameters
    ----------
    left_out
        Keys of the task, beside its range of drives, on which one point does not depend.
    """
    if shared.checkpoints is None:
        return None
    return shared.checkpoints.pieces(shared.comm, name, _tables(shared, task, "drives", "samples", *left_out))


def describe_mesh(surface: Surface | None) -> Results:
    """Return where something was solved for, and with how many unknowns, which cells and orders. Collective."""
    if surface is None:
        return {}
    common = {"dofs": surface.dofs, "degree": surface.degree}
    if isinstance(surface, Sigma):
        return {"solved_on": "sphere", "mesh_size": surface.mesh_size, **common}
    polar = {"mesh_size": np.pi / surface.cells, "cells": surface.cells, **common}
    if isinstance(surface, Fourier):
        return {"solved_on": "fourier", "orders": surface.orders, **polar}
    return {"solved_on": "meridian", **polar}


def temperatures(shared: Shared, pulses: Sequence[Pulse], start: Sequence[float], name: str, out: Outlet) -> Results:
    """Write and draw the temperature of a layer that pulses heat; return the largest one. Collective."""
    if shared.driven.heating is None:
        return {}
    from ... import output
    from ...plotting.sphere_curves import plot_temperatures

    courses = {f"{x.end / 1e-9:.4g} ns": shared.driven.temperatures(x, start) for x in pulses}
    longest = max(courses.values(), key=lambda x: float(x[0][-1]))
    output.write_csv(
        shared.comm,
        out.path / f"temperature.{name}.csv",
        {"time_s": list(longest[0]), "temperature_K": list(longest[1])},
    )
    out.picture(f"temperature.{name}.png", lambda p: plot_temperatures(shared.comm, p, courses, title=shared.title))
    return {"largest_temperature": max(float(t.max()) for _, t in courses.values())}


def draw_density(shared: Shared, out: Outlet, name: str, distribution: Distribution, title: str) -> None:
    """Write a distribution for ParaView, and draw it. Collective."""
    heading = f"{shared.title}: {title}" if shared.title else title
    write_sphere_fields(out.path / f"density.{name}.bp", distribution, shared.spin, comm=shared.comm)
    out.picture(
        f"density.{name}.png",
        lambda p: plot_density(
            distribution, p, spin=shared.spin, torque=shared.torque, title=heading, comm=shared.comm
        ),
    )
