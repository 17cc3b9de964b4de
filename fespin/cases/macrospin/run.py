"""Run the tasks of a case: from a macrospin to numbers, curves and pictures."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from mpi4py import MPI

from ...coupling.current_map import CurrentMap, write_map
from ...errors import InputError
from ...macrospin import Macrospin, SpinTorque, survey
from ...macrospin.scales import reduced_time, suggested_mesh_size
from ...macrospin.torque import Torque
from ...plotting.sphere_curves import plot_write_error
from ...sigma import FokkerPlanck, Sigma
from ...sigma.cost import MOST, bearable_sphere
from ..checkpoints import Checkpoints
from ..layered.case import Case
from ..task_loop import run_each
from .hysteresis import hysteresis
from .shared import TASKS, CaseTorque, Picture, Results, Shared
from .surveys import SURVEYS
from .tables import make_spin, make_torque, resolved


def run_tasks(
    comm: MPI.Intracomm,
    case: Case,
    base: Path,
    path: Path,
    picture: Picture,
    say: Callable[[str], None],
    *,
    torque_map: CurrentMap | None = None,
    checkpoints: Checkpoints | None = None,
    alone: bool = True,
) -> Results:
    """Run the tasks of a case, and write their curves, fields and pictures. Collective.

    Parameters
    ----------
    base
        Folder of the case file.
    path
        Where files go.
    picture
        Takes a name and a function that draws to a path.
    say
        Called with progress, on every rank.
    torque_map
        What the device does to its free layer, if the torque comes from transport.
    checkpoints
        Where the states of long evolutions are kept, from which they go on.
    alone
        Whether the case has no other results than its tasks'.

    Returns
    -------
    dict
        What ``summary.json`` holds under "macrospin" and "tasks", and "torque_map".
    """
    assert case.macrospin is not None
    spin = make_spin(case.macrospin, case.layer_volume)
    torque: CaseTorque | None = make_torque(case.torque, spin)
    mapped: Results = {}
    if torque_map is not None:
        spin, torque = torque_map.pumped(spin), torque_map.torque(spin)
        mapped = {"torque_map": write_map(comm, torque_map, spin, path, picture, title=case.title)}
    table = case.sphere
    if table.mesh is not None and not (base / table.mesh).is_file():
        raise InputError(f"sphere.mesh: there is no file '{base / table.mesh}'")
    meshed = False
    last: dict[bool, tuple[Macrospin, Sigma]] = {}

    def sphere(on: MPI.Intracomm, of: Macrospin) -> Sigma:
        nonlocal meshed
        meshed = True
        begin = time.perf_counter()
        starts = [t.start for t in case.task if t.start is not None]
        wells = survey(of).wells
        axis = starts[0] if starts else tuple(wells[0].direction) if wells else (0.0, 0.0, 1.0)

        def of_size(size: float) -> Sigma:
            return Sigma(
                on,
                size,
                degree=table.degree,
                axis=axis,
                refine=of if table.graded else None,
                mesh=base / table.mesh if table.mesh is not None else None,
            )

        given = table.mesh_size is not None or table.mesh is not None
        made = of_size(table.mesh_size or suggested_mesh_size(of)) if given else bearable_sphere(of_size, of)
        if on is comm:
            say(f"sphere: {made.dofs} unknowns of degree {made.degree}, {time.perf_counter() - begin:.2f} s")
            if not given and made.mesh_size > suggested_mesh_size(of):
                say(
                    f"note: sphere.mesh_size = {suggested_mesh_size(of):.2g} would be the rule for this energy and "
                    f"damping; {made.mesh_size:.2g} keeps to {MOST:.0e} unknowns"
                )
        return made

    def make(on: MPI.Intracomm, of: Macrospin, torque: Torque | None) -> FokkerPlanck:
        # The same energy on the same ranks has the same mesh; of all ranks and of each rank's own the last is kept.
        def mesh() -> Sigma:
            shared = on is comm
            if shared not in last or last[shared][0] is not of:
                last[shared] = of, sphere(on, of)
            return last[shared][1]

        fitted = table.mesh is None and table.mesh_size is None and table.graded
        return FokkerPlanck(
            on,
            of,
            torque,
            axisymmetric=table.axisymmetric,
            verify=table.verify,
            sphere=mesh,
            fitted=fitted,
            say=say if on is comm else None,
        )

    solver = make(comm, spin, torque)
    shared = Shared(comm, case, spin, torque, solver, make, path, picture, checkpoints, torque_map)
    tasks = {**TASKS, **SURVEYS, "hysteresis": hysteresis}
    results = run_each(
        comm,
        [resolved(t) for t in case.task],
        lambda task, name: tasks[task.kind](shared, task, name),
        say,
        alone=alone,
    )
    if table.mesh is not None and not meshed:
        say("note: sphere.mesh is not used: no task needs more than the polar angle; see sphere.axisymmetric")
    if shared.curves or shared.points:
        curves, points = shared.curves, shared.points
        picture(
            "write_error.png",
            lambda p: plot_write_error(comm, p, curves, points=points, title=case.title),
        )
    found = _describe(spin, torque, solver)
    if True in last:
        found["mesh_size"] = last[True][1].mesh_size
    return {"macrospin": found, **mapped, "tasks": results}


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
