"""Run the tasks of a case: from a macrospin to numbers, curves and pictures."""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from . import output
from .case import Case
from .errors import InputError, SolverError
from .macrospin import Macrospin, SpinTorque, langevin, survey
from .macrospin.ensemble import TICKS
from .macrospin.scales import reduced_time, suggested_mesh_size
from .macrospin_case import Task, make_spin, make_torque, pulse_times, unit
from .macrospin_checks import task_names
from .progress import ProgressBar
from .sigma import Distribution, FokkerPlanck, Sigma
from .sigma.fields import write_sphere_fields
from .sphere_curves import plot_eigenvalues, plot_hysteresis, plot_noise, plot_write_error
from .sphere_plotting import plot_density

type Picture = Callable[[str, Callable[[Path], None]], None]
type Results = dict[str, Any]


@dataclass
class _Run:
    """What the tasks of a case share, and the curves they leave for common pictures."""

    comm: MPI.Intracomm
    case: Case
    spin: Macrospin
    torque: SpinTorque | None
    solver: FokkerPlanck
    path: Path
    picture: Picture
    checkpoint: Path | None
    curves: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    points: dict[str, tuple[Any, Any, Any]] = field(default_factory=dict)


def run_tasks(
    comm: MPI.Intracomm,
    case: Case,
    base: Path,
    path: Path,
    picture: Picture,
    say: Callable[[str], None],
    *,
    checkpoint: Path | None = None,
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
    checkpoint
        A folder for the states of long evolutions, from which they go on.

    Returns
    -------
    dict
        What ``summary.json`` holds under "macrospin" and "tasks".
    """
    assert case.macrospin is not None
    spin = make_spin(case.macrospin, case.layer_volume)
    torque = make_torque(case.torque, spin)
    table = case.sphere
    if table.mesh is not None and not (base / table.mesh).is_file():
        raise InputError(f"sphere.mesh: there is no file '{base / table.mesh}'")
    if checkpoint is not None:
        _make_folder(comm, checkpoint)
    meshed: list[Sigma] = []

    def sphere() -> Sigma:
        begin = time.perf_counter()
        starts = [t.start for t in case.task if t.start is not None]
        wells = survey(spin).wells
        axis = starts[0] if starts else tuple(wells[0].direction) if wells else (0.0, 0.0, 1.0)
        made = Sigma(
            comm,
            table.mesh_size or suggested_mesh_size(spin),
            degree=table.degree,
            axis=axis,
            refine=spin if table.graded else None,
            mesh=base / table.mesh if table.mesh is not None else None,
        )
        say(f"sphere: {made.dofs} unknowns of degree {made.degree}, {time.perf_counter() - begin:.2f} s")
        meshed.append(made)
        return made

    solver = FokkerPlanck(comm, spin, torque, axisymmetric=table.axisymmetric, verify=table.verify, sphere=sphere)
    shared = _Run(comm, case, spin, torque, solver, path, picture, checkpoint)
    results: dict[str, Results] = {}
    for i, (task, name) in enumerate(zip(case.task, task_names(case), strict=True), 1):
        begin = time.perf_counter()
        inputs = task.model_dump(exclude_none=True)
        try:
            results[name] = inputs | _TASKS[task.kind](shared, task, name)
        except InputError as error:
            raise InputError(f"task {i} ({task.kind}): {error}") from error
        _require_numbers(f"task {i} ({task.kind})", results[name])
        say(f"task {name}: {task.kind}, {time.perf_counter() - begin:.2f} s")
    if table.mesh is not None and not meshed:
        say("note: sphere.mesh is not used: no task needs more than the polar angle; see sphere.axisymmetric")
    if shared.curves or shared.points:
        curves, points = shared.curves, shared.points
        picture(
            "write_error.png",
            lambda p: plot_write_error(comm, p, curves, points=points, title=case.title),
        )
    return {"macrospin": _describe(spin, torque, solver), "tasks": results}


def _make_folder(comm: MPI.Intracomm, path: Path) -> None:
    """Make the folder of checkpoints, before anything is solved. Collective."""
    message = None
    if comm.rank == 0:
        try:
            path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path):
                pass
        except OSError as error:
            message = f"checkpoint '{path}' cannot be written: {error.strerror}"
    message = comm.bcast(message, 0)
    if message is not None:
        raise InputError(message)


def _checkpoint(run: _Run, task: Task, name: str) -> Path | None:
    """Return the file of a task's state. What the state depends on is part of the name: another case starts afresh."""
    if run.checkpoint is None:
        return None
    assert run.case.macrospin is not None
    tables = [
        run.case.macrospin.model_dump(),
        run.case.torque and run.case.torque.model_dump(),
        run.case.sphere.model_dump(),
        [t.start for t in run.case.task],
        task.model_dump(exclude={"name"}),
        run.spin.volume,
    ]
    digest = hashlib.sha256(json.dumps(tables).encode()).hexdigest()[:12]
    return run.checkpoint / f"{name}.{digest}.checkpoint"


def _describe(spin: Macrospin, torque: SpinTorque | None, solver: FokkerPlanck) -> Results:
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
        "damping_like": None if torque is None else torque.damping_like,
        "field_like": None if torque is None else torque.field_like,
        "axisymmetric": solver.axis is not None,
    }


def _require_numbers(owner: str, results: Results) -> None:
    """Refuse results that are not numbers.

    Raises
    ------
    SolverError
        With the key of the first.
    """
    for key, value in results.items():
        try:
            json.dumps(value, allow_nan=False)
        except ValueError as error:
            why = f"{owner}: {key} is not finite; try shorter times, a lower barrier or a finer mesh"
            raise SolverError(why) from error


def _finite(x: float) -> float | None:
    return x if np.isfinite(x) else None


def _dofs(distribution: Distribution) -> Results:
    return {"dofs": distribution.surface.dofs, "solved_on": "meridian" if distribution.surface.dim == 1 else "sphere"}


def _draw(run: _Run, name: str, distribution: Distribution, title: str, torque: SpinTorque | None) -> None:
    heading = f"{run.case.title}: {title}" if run.case.title else title
    write_sphere_fields(run.path / f"density.{name}.bp", distribution, run.spin, comm=run.comm)
    run.picture(
        f"density.{name}.png",
        lambda p: plot_density(distribution, p, spin=run.spin, torque=torque, title=heading, comm=run.comm),
    )


def _start(task: Task) -> list[float]:
    return unit(task.start or [0.0, 0.0, 1.0])


def _spectrum(run: _Run, task: Task, name: str) -> Results:
    found = run.solver.spectrum(task.count or 6, near=task.near)
    z = found.eigenvalues
    columns = {"rate_1_per_s": list(z.real), "angular_frequency_1_per_s": list(z.imag), "method": list(found.methods)}
    output.write_csv(run.comm, run.path / f"spectrum.{name}.csv", columns)
    run.picture(f"spectrum.{name}.png", lambda p: plot_eigenvalues(run.comm, p, {"": found}, title=run.case.title))
    return found.summary()


def _steady(run: _Run, task: Task, name: str) -> Results:
    found = run.solver.steady()
    power = run.solver.power(found)
    _draw(run, name, found, "steady state", run.torque)
    balance = power["work"] - power["dissipation"]
    scale = max(abs(power["work"]), run.spin.thermal_energy * run.spin.diffusion * 1e-12)
    return found.summary() | _dofs(found) | {"dissipated_power": power["dissipation"], "power_balance": balance / scale}


def _escape(run: _Run, task: Task, name: str) -> Results:
    return run.solver.escape().summary()


def _switching(run: _Run, task: Task, name: str) -> Results:
    times = pulse_times(task, run.solver.reduced_time)
    found = run.solver.switching(times, start=_start(task))
    columns = {
        "time_s": times,
        "reduced_time": found.reduced_times,
        "not_switched": found.not_switched,
        "error_estimate": found.error_estimate,
        **{f"mean_{x}": found.mean[:, k] for k, x in enumerate("xyz")},
    }
    output.write_csv(run.comm, run.path / f"switching.{name}.csv", columns)
    if len(times) > 1:
        run.curves[f"Fokker-Planck ({name})"] = (times, found.not_switched)
    _draw(run, name, found.final, f"after {times[-1] / 1e-9:.3g} ns", run.torque)
    return found.summary() | _dofs(found.final)


def _langevin(run: _Run, task: Task, name: str) -> Results:
    times = pulse_times(task, run.solver.reduced_time)
    bar = ProgressBar(run.comm, TICKS)
    found = langevin(
        run.comm,
        run.spin,
        times,
        ensemble=task.ensemble or 10000,
        seed=task.seed or 0,
        start=_start(task),
        torque=run.torque,
        step=task.step,
        progress=bar.advance,
    )
    bar.clear()
    columns = {
        "time_s": times,
        "not_switched": found.not_switched,
        "standard_error": found.not_switched_error,
        **{f"mean_{x}": found.mean[:, k] for k, x in enumerate("xyz")},
    }
    output.write_csv(run.comm, run.path / f"langevin.{name}.csv", columns)
    run.points[f"Langevin ({name})"] = (times, found.not_switched, found.not_switched_error)
    return {
        "times": times.tolist(),
        "reduced_times": (times * run.solver.reduced_time).tolist(),
        "not_switched": found.not_switched.tolist(),
        "not_switched_error": found.not_switched_error.tolist(),
        "mean_direction": found.mean.tolist(),
        "ensemble": found.ensemble,
        "seed": found.seed,
        "step": found.step,
    }


def _hysteresis(run: _Run, task: Task, name: str) -> Results:
    assert task.range is not None and task.rate is not None
    first, last = task.range
    one_way = abs(last - first) / task.rate
    loop = True if task.loop is None else task.loop
    ways = 2 if loop else 1
    samples = task.samples or 101
    times = np.linspace(0.0, ways * one_way, ways * (samples - 1) + 1) if samples > 1 else np.array([ways * one_way])

    def value(t: float) -> float:
        along = min(t, 2 * one_way - t) / one_way
        return first + (last - first) * along

    bar = ProgressBar(run.comm, 100)
    watching = {
        "tolerance": task.tolerance or 1e-4,
        "breakpoints": [one_way] if loop else [],
        "progress": lambda part: bar.at(part, f"{name}: sweep"),
        "checkpoint": _checkpoint(run, task, name),
        "resume": True,
    }
    if task.sweep == "torque":
        assert run.torque is not None
        axis = unit(list(run.torque.polarizer))
        side = [x if first > 0 else -x for x in axis]
        found = run.solver.evolve(times, start=side, drive=value, **watching)  # type: ignore[arg-type]
    else:
        assert task.direction is not None
        axis = unit(task.direction)
        side = [x if first > 0 else -x for x in axis]
        found = run.solver.evolve(times, start=side, field=lambda t: [value(t) * x for x in axis], **watching)  # type: ignore[arg-type]
    bar.clear()
    swept = np.array([value(t) for t in times])
    along = found.mean @ np.array(axis)
    key = "factor" if task.sweep == "torque" else "field"
    columns = {"time_s": times, key + ("" if key == "factor" else "_T"): swept, "mean_along": along}
    columns |= {f"mean_{x}": found.mean[:, k] for k, x in enumerate("xyz")}
    output.write_csv(run.comm, run.path / f"hysteresis.{name}.csv", columns)
    label = "factor on the torque" if key == "factor" else "field (T)"
    run.picture(
        f"hysteresis.{name}.png",
        lambda p: plot_hysteresis(run.comm, p, {"": (swept, along)}, xlabel=label, title=run.case.title),
    )
    return {
        "times": times.tolist(),
        key: swept.tolist(),
        "mean_along": along.tolist(),
        "mean_direction": found.mean.tolist(),
        "reversals": _crossings(swept, along),
        "mass_error": found.final.mass_error,
        "minimum_density": found.final.minimum_density,
        "steps": found.steps,
        **_dofs(found.final),
    }


def _crossings(x: Any, y: Any) -> list[float]:
    """Return where a curve goes through zero, in the order of the sweep."""
    out = []
    for i in np.flatnonzero(np.sign(y[1:]) * np.sign(y[:-1]) < 0):
        out.append(float(x[i] - y[i] * (x[i + 1] - x[i]) / (y[i + 1] - y[i])))
    return out


def _band(task: Task) -> Any:
    assert task.frequencies is not None
    low, high = task.frequencies
    return np.geomspace(low, high, task.samples or 200)


def _susceptibility(run: _Run, task: Task, name: str) -> Results:
    assert task.direction is not None
    f = _band(task)
    found = run.solver.susceptibility(f, task.direction)
    chi = found.susceptibility
    columns = {"frequency_Hz": f}
    for k, x in enumerate("xyz"):
        columns |= {f"chi_{x}_real": chi[:, k].real, f"chi_{x}_imag": chi[:, k].imag}
    output.write_csv(run.comm, run.path / f"susceptibility.{name}.csv", columns)
    curves = {
        x: (f, np.abs(chi[:, k])) for k, x in enumerate("xyz") if np.abs(chi[:, k]).max() > 1e-9 * np.abs(chi).max()
    }
    run.picture(
        f"susceptibility.{name}.png",
        lambda p: plot_noise(run.comm, p, curves, title=run.case.title, ylabel="|susceptibility|"),
    )
    return {
        "frequencies": f.tolist(),
        "susceptibility": np.stack([chi.real, chi.imag], axis=-1).tolist(),
        "error_estimate": found.error_estimate.tolist(),
    }


def _noise(run: _Run, task: Task, name: str) -> Results:
    assert task.observable is not None
    f, axis = _band(task), np.array(task.observable)
    found = run.solver.noise(lambda u: u @ axis, f)
    output.write_csv(
        run.comm,
        run.path / f"noise.{name}.csv",
        {"frequency_Hz": f.tolist(), "density_1_per_Hz": found.density.tolist()},
    )
    run.picture(f"noise.{name}.png", lambda p: plot_noise(run.comm, p, {"": (f, found.density)}, title=run.case.title))
    return {
        "frequencies": f.tolist(),
        "density": found.density.tolist(),
        "mean_observable": found.mean,
        "variance": found.variance,
        "error_estimate": found.error_estimate.tolist(),
    }


def _passage(run: _Run, task: Task, name: str) -> Results:
    assert task.start is not None
    found = run.solver.mean_first_passage(task.start, task.target, cosine=task.cosine or 0.0)
    return {"mean_first_passage_time": _finite(found)}


_TASKS: dict[str, Callable[[_Run, Task, str], Results]] = {
    "spectrum": _spectrum,
    "steady": _steady,
    "escape": _escape,
    "switching": _switching,
    "langevin": _langevin,
    "hysteresis": _hysteresis,
    "susceptibility": _susceptibility,
    "noise": _noise,
    "first-passage": _passage,
}


def table(tasks: dict[str, Results]) -> str:
    """Return the results of tasks as text for a terminal."""
    lines = []
    for name, r in tasks.items():
        lines.append(f"{name:<14} {_TABLE[r['kind']](r)}")
    return "\n".join(lines)


def _line_of_spectrum(r: Results) -> str:
    shown = [
        f"{re:.5g}" + (f" {'+' if im > 0 else '-'} {abs(im):.5g}i" if abs(im) > 1e-9 * re else "")
        for re, im in r["eigenvalues"][:4]
    ]
    return f"decay rates (1/s): {', '.join(shown)}{', ...' if len(r['eigenvalues']) > 4 else ''}"


def _mean(r: Sequence[float]) -> str:
    return f"({', '.join(f'{x:.5f}' for x in r)})"


_TABLE: dict[str, Callable[[Results], str]] = {
    "spectrum": _line_of_spectrum,
    "steady": lambda r: f"mean direction {_mean(r['mean_direction'])}, dissipates {r['dissipated_power']:.4g} W",
    "escape": lambda r: (
        "dwell times (s): " + ", ".join("infinite" if x is None else f"{x:.5g}" for x in r["dwell_times"])
    ),
    "switching": lambda r: f"not switched after {r['times'][-1]:.4g} s: {r['not_switched'][-1]:.6g} ({r['method']})",
    "langevin": lambda r: (
        f"not switched after {r['times'][-1]:.4g} s: {r['not_switched'][-1]:.4g} +- {r['not_switched_error'][-1]:.1g}"
    ),
    "hysteresis": lambda r: "reversals at " + (", ".join(f"{x:.5g}" for x in r["reversals"]) or "none"),
    "susceptibility": lambda r: f"{len(r['frequencies'])} frequencies",
    "noise": lambda r: f"mean {r['mean_observable']:.6g}, variance {r['variance']:.6g}",
    "first-passage": lambda r: (
        "mean first passage time "
        + ("infinite" if r["mean_first_passage_time"] is None else f"{r['mean_first_passage_time']:.6g} s")
    ),
}
