"""Run the tasks of a macrospin: from its tables to numbers, curves and pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
from mpi4py import MPI

from ...coupling.current_map import write_map
from ...coupling.driven_magnet import DrivenMagnet
from ...coupling.film_maps import FilmMap
from ...coupling.film_report import write_film
from ...errors import InputError
from ...macrospin import Macrospin, SpinTorque, survey
from ...macrospin.scales import reduced_time, suggested_mesh_size
from ...macrospin.torque import Torque
from ...plotting.sphere_curves import plot_write_error
from ...sigma import FokkerPlanck, Sigma
from ...sigma.cost import MOST, bearable_sphere
from ..checkpoints import Checkpoints
from ..task_loop import run_each
from ..tasks import Outlet, Results, Task
from .potentials import write_potentials
from .shared import CaseTorque, Shared
from .shifts import shifts_of
from .tables import SphereTable


def run_tasks(
    comm: MPI.Intracomm,
    spin: Macrospin,
    torque: CaseTorque | None,
    table: SphereTable,
    tasks: Sequence[Task],
    out: Outlet,
    *,
    base: Path,
    title: str = "",
    depends: Sequence[Any] = (),
    driven: DrivenMagnet | None = None,
    checkpoints: Checkpoints | None = None,
    alone: bool = True,
) -> Results:
    """Run tasks about a macrospin, and write their curves, fields and pictures. Collective.

    Parameters
    ----------
    spin, torque
        Macrospin and torque as declared; what a device adds comes from its map.
    table
        Mesh of directions.
    out
        Place for files, pictures and progress.
    base
        Folder of the case file.
    title
        Title of the case, for pictures.
    depends
        Tables on which all results depend, of what JSON can hold.
    driven
        Free layer with what its device does to it, if there is one; `spin` and `torque` are then those without it.
    checkpoints
        Folder in which the states of long evolutions are kept, from which they go on.
    alone
        True if the case has no other results than its tasks'.

    Returns
    -------
    dict
        Entries "macrospin", "tasks", with a torque "potentials" and "shifts", and those of the device's maps of
        ``summary.json``.
    """
    mapped: Results = {}
    bare, own_drive = spin, 1.0
    if driven is None:
        driven = DrivenMagnet(spin, torque=torque)
    elif driven.device is not None:
        device, own_drive = driven.device, driven.device.drive
        spin, at_drive = driven.at(own_drive)
        torque = cast(CaseTorque | None, at_drive)
        if isinstance(device, FilmMap):
            mapped = write_film(comm, device, driven.rest, out.path, out.picture, title=title)
        else:
            mapped = write_map(comm, device, driven.rest, out.path, out.picture, bare=bare, title=title)
    if torque is not None:
        mapped["potentials"] = write_potentials(comm, spin, torque, out.path, out.picture, title=title)
    if table.mesh is not None and not (base / table.mesh).is_file():
        raise InputError(f"sphere.mesh: there is no file '{base / table.mesh}'")
    solvers = _Solvers(comm, table, base, starts_of(tasks), out.say)
    solver = solvers.make(comm, spin, torque)
    shared = Shared(comm, title, spin, torque, solver, solvers.make, checkpoints, depends, driven, own_drive)
    if torque is not None:
        # Rates of what is not symmetric about an axis take as long as a task.
        symmetric = solver.axis is not None
        mapped["shifts"] = shifts_of(comm, spin, torque, solvers.make, out.say, dwell=symmetric)
    results = run_each(comm, tasks, lambda task, name: task.run(shared, name, out), out.say, alone=alone)
    if table.mesh is not None and not solvers.meshed:
        out.say("note: sphere.mesh is not used: no task needs more than the polar angle; see sphere.axisymmetric")
    if shared.curves or shared.points:
        curves, points = shared.curves, shared.points
        out.picture(
            "write_error.png",
            lambda p: plot_write_error(comm, p, curves, points=points, title=title),
        )
    described = _describe(spin, torque, solver)
    if True in solvers.last:
        described["mesh_size"] = solvers.last[True][1].mesh_size
    return {"macrospin": described, **mapped, "tasks": results}


@dataclass
class _Solvers:
    """Maker of solvers that share the mesh of directions of the same energy.

    Attributes
    ----------
    comm
        All ranks of the case.
    table, base
        Table [sphere], and the folder of the case file.
    starts
        Directions in which tasks start.
    say
        Function that prints progress.
    meshed
        True once a mesh of directions was needed.
    last
        Last energy with its mesh: on all ranks (True), and on this one alone (False).
    """

    comm: MPI.Intracomm
    table: SphereTable
    base: Path
    starts: list[list[float]]
    say: Callable[[str], None]
    meshed: bool = False
    last: dict[bool, tuple[Macrospin, Sigma]] = field(default_factory=dict)

    def make(self, on: MPI.Intracomm, of: Macrospin, torque: Torque | None) -> FokkerPlanck:
        """Return the solver of a macrospin and a torque, on all ranks or on this one alone."""
        table = self.table

        def mesh() -> Sigma:
            shared = on is self.comm
            if shared not in self.last or self.last[shared][0] is not of:
                self.last[shared] = of, self._sphere(on, of)
            return self.last[shared][1]

        return FokkerPlanck(
            on,
            of,
            torque,
            axisymmetric=table.axisymmetric,
            method=table.chosen,
            verify=table.verify,
            sphere=mesh,
            fitted=table.mesh is None and table.mesh_size is None and table.graded,
            say=self.say if on is self.comm else None,
        )

    def _sphere(self, on: MPI.Intracomm, of: Macrospin) -> Sigma:
        """Mesh the directions for an energy. Collective on `on`."""
        self.meshed = True
        begin, table = time.perf_counter(), self.table
        wells = survey(of).wells
        axis = self.starts[0] if self.starts else tuple(wells[0].direction) if wells else (0.0, 0.0, 1.0)

        def of_size(size: float) -> Sigma:
            return Sigma(
                on,
                size,
                degree=table.degree,
                axis=axis,
                refine=of if table.graded else None,
                mesh=self.base / table.mesh if table.mesh is not None else None,
            )

        given = table.mesh_size is not None or table.mesh is not None
        sphere = of_size(table.mesh_size or suggested_mesh_size(of)) if given else bearable_sphere(of_size, of)
        if on is self.comm:
            self.say(f"sphere: {sphere.dofs} unknowns of degree {sphere.degree}, {time.perf_counter() - begin:.2f} s")
            if not given and sphere.mesh_size > suggested_mesh_size(of):
                self.say(
                    f"note: sphere.mesh_size = {suggested_mesh_size(of):.2g} would be the rule for this energy and "
                    f"damping; {sphere.mesh_size:.2g} keeps to {MOST:.0e} unknowns"
                )
        return sphere


def starts_of(tasks: Sequence[Task]) -> list[list[float]]:
    """Return the directions in which tasks start, where they say so: the mesh of directions has its axis there."""
    return [getattr(t, "start") for t in tasks if "start" in t.model_fields_set]  # noqa: B009


def _describe(spin: Macrospin, torque: CaseTorque | None, solver: FokkerPlanck) -> Results:
    land = survey(spin)
    return {
        "volume": spin.volume,
        "thermal_energy": spin.thermal_energy,
        "free_relaxation_time": spin.free_relaxation_time,
        "reduced_time_per_second": reduced_time(spin),
        "wells": [
            {
                "direction": w.direction.tolist(),
                "energy": w.energy,
                "barrier": _finite(w.height),
            }
            for w in land.wells
        ],
        # What follows the angle is under "torque_map".
        "damping_like": torque.damping_like if isinstance(torque, SpinTorque) else None,
        "field_like": torque.field_like if isinstance(torque, SpinTorque) else None,
        "axisymmetric": solver.axis is not None,
    }


def _finite(x: float) -> float | None:
    return x if np.isfinite(x) else None
