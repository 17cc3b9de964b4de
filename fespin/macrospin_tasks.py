"""The tasks of a case one by one: what each asks of the solver, writes and draws."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from . import output
from .case import Case
from .macrospin import AngularTorque, Macrospin, SpinTorque, langevin
from .macrospin.ensemble import TICKS
from .macrospin_case import Task, pulse_times, unit
from .progress import ProgressBar
from .sigma import Distribution, FokkerPlanck
from .sigma.fields import write_sphere_fields
from .sphere_curves import plot_eigenvalues, plot_hysteresis, plot_noise
from .sphere_plotting import plot_density

type Picture = Callable[[str, Callable[[Path], None]], None]
type Results = dict[str, Any]


@dataclass
class Shared:
    """What the tasks of a case share, and the curves they leave for common pictures."""

    comm: MPI.Intracomm
    case: Case
    spin: Macrospin
    torque: SpinTorque | AngularTorque | None
    solver: FokkerPlanck
    path: Path
    picture: Picture
    checkpoint: Path | None
    curves: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    points: dict[str, tuple[Any, Any, Any]] = field(default_factory=dict)


def _checkpoint(run: Shared, task: Task, name: str) -> Path | None:
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
        [run.torque.damping_like.coef.tolist(), run.torque.field_like.coef.tolist()]
        if isinstance(run.torque, AngularTorque)
        else None,
    ]
    digest = hashlib.sha256(json.dumps(tables).encode()).hexdigest()[:12]
    return run.checkpoint / f"{name}.{digest}.checkpoint"


def _dofs(distribution: Distribution) -> Results:
    return {"dofs": distribution.surface.dofs, "solved_on": "meridian" if distribution.surface.dim == 1 else "sphere"}


def _draw(
    run: Shared, name: str, distribution: Distribution, title: str, torque: SpinTorque | AngularTorque | None
) -> None:
    heading = f"{run.case.title}: {title}" if run.case.title else title
    write_sphere_fields(run.path / f"density.{name}.bp", distribution, run.spin, comm=run.comm)
    run.picture(
        f"density.{name}.png",
        lambda p: plot_density(distribution, p, spin=run.spin, torque=torque, title=heading, comm=run.comm),
    )


def _start(task: Task) -> list[float]:
    return unit(task.start or [0.0, 0.0, 1.0])


def _spectrum(run: Shared, task: Task, name: str) -> Results:
    found = run.solver.spectrum(task.count or 6, near=task.near)
    z = found.eigenvalues
    columns = {"rate_1_per_s": list(z.real), "angular_frequency_1_per_s": list(z.imag), "method": list(found.methods)}
    output.write_csv(run.comm, run.path / f"spectrum.{name}.csv", columns)
    run.picture(f"spectrum.{name}.png", lambda p: plot_eigenvalues(run.comm, p, {"": found}, title=run.case.title))
    return found.summary()


def _steady(run: Shared, task: Task, name: str) -> Results:
    found = run.solver.steady()
    power = run.solver.power(found)
    _draw(run, name, found, "steady state", run.torque)
    balance = power["work"] - power["dissipation"]
    scale = max(abs(power["work"]), run.spin.thermal_energy * run.spin.diffusion * 1e-12)
    return found.summary() | _dofs(found) | {"dissipated_power": power["dissipation"], "power_balance": balance / scale}


def _escape(run: Shared, task: Task, name: str) -> Results:
    return run.solver.escape().summary()


def _switching(run: Shared, task: Task, name: str) -> Results:
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


def _langevin(run: Shared, task: Task, name: str) -> Results:
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


def _hysteresis(run: Shared, task: Task, name: str) -> Results:
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
        # Where the first current holds the magnet: a torque may point away from its polarizer.
        sense = first * run.torque.sense
        side = [x if sense > 0 else -x for x in axis]
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


def _susceptibility(run: Shared, task: Task, name: str) -> Results:
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


def _noise(run: Shared, task: Task, name: str) -> Results:
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


def _passage(run: Shared, task: Task, name: str) -> Results:
    assert task.start is not None
    found = run.solver.mean_first_passage(task.start, task.target, cosine=task.cosine or 0.0)
    return {"mean_first_passage_time": found if np.isfinite(found) else None}


TASKS: dict[str, Callable[[Shared, Task, str], Results]] = {
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
