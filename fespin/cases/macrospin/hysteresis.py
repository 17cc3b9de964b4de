"""The hysteresis task: sweeps of the field or of the torque, at one drive or several."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import output
from ...plotting.sphere_curves import plot_hysteresis
from ...progress import ProgressBar
from ...sigma import Evolution
from ..schema import known
from .shared import Results, Shared, describe_mesh, state_of
from .tables import Task, unit


def hysteresis(run: Shared, task: Task, name: str) -> Results:
    """Sweep, write curves and pictures; with several drives, one loop for each."""
    if task.drives is None:
        times, swept, found = _sweep(run, task, name, None)
        return _written(run, task, name, times, swept, found)
    loops = []
    curves: dict[str, dict[str, tuple[Any, Any]]] = {"direction": {}, "resistance": {}}
    for k, drive in enumerate(task.drives):
        times, swept, found = _sweep(run, task, f"{name}.{k}", drive)
        loops.append({"drive": drive} | _written(run, task, f"{name}.{k}", times, swept, found, picture=False))
        label = f"{drive:.6g} {run.drive_unit}".strip()
        curves["direction"][label] = (swept, np.array(loops[-1]["mean_along"]))
        if "resistance" in found.observables:
            curves["resistance"][label] = (swept, 1e15 * found.observables["resistance"])
    title = run.case.title
    run.picture(
        f"hysteresis.{name}.png",
        lambda p: plot_hysteresis(run.comm, p, curves["direction"], title=title),
    )
    if curves["resistance"]:
        label = "mean $AR$ (f$\\Omega\\,$m$^2$)"
        run.picture(
            f"resistance.{name}.png",
            lambda p: plot_hysteresis(run.comm, p, curves["resistance"], ylabel=label, limits=None, title=title),
        )
    return {"loops": loops}


def _sweep(run: Shared, task: Task, name: str, drive: float | None) -> tuple[Any, Any, Evolution]:
    """Follow one sweep; return times, the swept quantity and what was found. Collective."""
    assert task.range is not None and task.rate is not None
    spin, torque = (run.spin, run.torque) if drive is None else run.driven(drive)
    solver = run.solver if drive is None else run.make(run.comm, spin, torque)
    first, last = task.range
    one_way = abs(last - first) / task.rate
    loop = known(task.loop)
    ways, samples = 2 if loop else 1, known(task.samples)
    times = np.linspace(0.0, ways * one_way, ways * (samples - 1) + 1) if samples > 1 else np.array([ways * one_way])

    def value(t: float) -> float:
        along = min(t, 2 * one_way - t) / one_way
        return first + (last - first) * along

    bar = ProgressBar(run.comm)
    options: dict[str, Any] = {
        "tolerance": known(task.tolerance),
        "breakpoints": [one_way] if loop else [],
        "progress": bar.following(f"{name}: sweep"),
        **state_of(run, task, name, drive),
        "observables": {} if run.resistance is None else {"resistance": run.resistance},
    }
    if task.sweep == "torque":
        assert torque is not None and torque.axis is not None
        # Where the first current holds the magnet: a torque may point away from its polarizer.
        sense = first * getattr(torque, "sense", 1)
        found = solver.evolve(times, start=_side(torque.axis, sense), drive=value, **options)
    else:
        assert task.direction is not None
        axis = unit(task.direction)
        found = solver.evolve(times, start=_side(axis, first), field=lambda t: [value(t) * x for x in axis], **options)
    bar.clear()
    return times, np.array([value(t) for t in times]), found


def _side(axis: Any, sense: float) -> list[float]:
    return [x if sense > 0 else -x for x in unit(list(axis))]


def _written(
    run: Shared, task: Task, name: str, times: Any, swept: Any, found: Evolution, *, picture: bool = True
) -> Results:
    """Write one loop; return its numbers."""
    key = "factor" if task.sweep == "torque" else "field"
    axis = run.torque.axis if task.sweep == "torque" and run.torque is not None else task.direction
    assert axis is not None
    along = found.mean @ np.array(unit(list(axis)))
    resistance = found.observables.get("resistance")
    columns = {"time_s": times, key + ("" if key == "factor" else "_T"): swept, "mean_along": along}
    columns |= {f"mean_{x}": found.mean[:, k] for k, x in enumerate("xyz")}
    columns |= {} if resistance is None else {"resistance_area_ohm_m2": resistance}
    output.write_csv(run.comm, run.path / f"hysteresis.{name}.csv", columns)
    label = "factor on the torque" if key == "factor" else "field (T)"
    if picture:
        run.picture(
            f"hysteresis.{name}.png",
            lambda p: plot_hysteresis(run.comm, p, {"": (swept, along)}, xlabel=label, title=run.case.title),
        )
    reversals = _crossings(swept, along)
    return {
        "times": times.tolist(),
        key: swept.tolist(),
        "mean_along": along.tolist(),
        "mean_direction": found.mean.tolist(),
        **({} if resistance is None else {"resistance_area": resistance.tolist()}),
        "reversals": reversals,
        "shift": sum(reversals) / 2 if len(reversals) == 2 else None,
        "mass_error": found.final.mass_error,
        "minimum_density": found.final.minimum_density,
        "steps": found.steps,
        **describe_mesh(found.final),
    }


def _crossings(x: Any, y: Any) -> list[float]:
    """Return where a curve goes through zero, in the order of the sweep."""
    out = []
    for i in np.flatnonzero(np.sign(y[1:]) * np.sign(y[:-1]) < 0):
        out.append(float(x[i] - y[i] * (x[i + 1] - x[i]) / (y[i + 1] - y[i])))
    return out
