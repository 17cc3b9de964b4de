"""Tasks against the drive and the field: dwell times, phase diagrams, resonance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ... import output
from ...plotting.surveys import plot_dwell_times, plot_phase_diagram, plot_resonances
from ...progress import ProgressBar
from ...sigma.results import finite_or_none
from ...sigma.surveys import dwell_times, phase_diagram, resonances
from ..schema import known
from .shared import Results, Shared, pieces_of, start_of
from .tables import Task


def _range(limits: list[float] | None, samples: int | None) -> list[float]:
    first, last = known(limits)
    return [float(x) for x in np.linspace(first, last, known(samples))]


def _missing(failures: Mapping[str, str]) -> Results:
    """Return what a summary says of points that failed."""
    return {"missing": [f"{where}: {line}" for where, line in failures.items()]} if failures else {}


def _dwell_times(run: Shared, task: Task, name: str) -> Results:
    bar = ProgressBar(run.comm)
    drives = _range(task.drives, task.samples)
    found = dwell_times(
        run.comm,
        run.driven,
        drives,
        make=run.make,
        progress=bar.following(name),
        journal=pieces_of(run, task, name),
    )
    bar.clear()
    columns: dict[str, Any] = {run.drive_column: found.drives}
    for k in range(len(found.states)):
        columns |= {f"dwell_time_{k}_s": found.dwell_times[:, k], f"population_{k}": found.populations[:, k]}
    output.write_csv(run.comm, run.path / f"dwell.{name}.csv", columns)
    run.picture(
        f"dwell.{name}.png",
        lambda p: plot_dwell_times(run.comm, p, found, xlabel=run.drive_label, title=run.case.title),
    )
    return {
        "drives": drives,
        "states": found.states.tolist(),
        "stable": found.stable.tolist(),
        "dwell_times": finite_or_none(found.dwell_times.tolist()),
        "populations": finite_or_none(found.populations.tolist()),
        **_missing({f"at drive {drives[k]:.6g}": line for k, line in found.failures.items()}),
    }


def _resonance(run: Shared, task: Task, name: str) -> Results:
    bar = ProgressBar(run.comm)
    drives = _range(task.drives, task.samples)
    found = resonances(
        run.comm,
        run.driven,
        drives,
        state=start_of(task),
        make=run.make,
        progress=bar.following(name),
        journal=pieces_of(run, task, name),
    )
    bar.clear()
    columns: dict[str, Any] = {
        run.drive_column: found.drives,
        "frequency_Hz": found.frequency,
        "width_Hz": found.width,
        "thermal_frequency_Hz": found.thermal_frequency,
        "thermal_width_Hz": found.thermal_width,
    }
    output.write_csv(run.comm, run.path / f"resonance.{name}.csv", columns)
    run.picture(
        f"resonance.{name}.png",
        lambda p: plot_resonances(run.comm, p, found, xlabel=run.drive_label, title=run.case.title),
    )
    keys = ("frequency", "width", "thermal_frequency", "thermal_width")
    return {
        "drives": drives,
        **{k: finite_or_none(getattr(found, k).tolist()) for k in keys},
        **_missing({f"at drive {drives[k]:.6g}": line for k, line in found.failures.items()}),
    }


def _phase_diagram(run: Shared, task: Task, name: str) -> Results:
    assert task.direction is not None
    bar = ProgressBar(run.comm)
    n = known(task.samples)
    drives, fields = _range(task.drives, n), _range(task.fields, n)
    found = phase_diagram(
        run.comm,
        run.driven,
        drives,
        fields,
        along=task.direction,
        observation=known(task.observation_time),
        make=run.make,
        progress=bar.following(name),
        journal=pieces_of(run, task, name),
    )
    bar.clear()
    columns: dict[str, Any] = {
        "field_T": np.repeat(found.fields, n),
        run.drive_column: np.tile(found.drives, n),
        "region": list(found.regions.ravel()),
    }
    for k in range(len(found.states)):
        columns[f"dwell_time_{k}_s"] = found.dwell_times[:, :, k].ravel()
        columns[f"population_{k}"] = found.populations[:, :, k].ravel()
    output.write_csv(run.comm, run.path / f"phase_diagram.{name}.csv", columns)
    run.picture(
        f"phase_diagram.{name}.png",
        lambda p: plot_phase_diagram(run.comm, p, found, ylabel=run.drive_label, title=run.case.title),
    )
    return {
        "drives": drives,
        "fields": fields,
        "states": found.states.tolist(),
        "regions": found.regions.tolist(),
        "dwell_times": finite_or_none(found.dwell_times.tolist()),
        "populations": finite_or_none(found.populations.tolist()),
        **_missing({f"at {fields[i]:.6g} T, drive {drives[k]:.6g}": line for (i, k), line in found.failures.items()}),
        "critical": [x.tolist() for x in found.critical],
        "observation_time": found.observation,
    }


SURVEYS: dict[str, Callable[[Shared, Task, str], Results]] = {
    "dwell-times": _dwell_times,
    "resonance": _resonance,
    "phase-diagram": _phase_diagram,
}
