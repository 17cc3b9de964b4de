"""The tasks of a case one by one: what each asks of the solver, writes and draws."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from ... import output
from ...checkpoint import Journal
from ...coupling.balance import mean_electrical_power
from ...coupling.current_map import CurrentMap
from ...coupling.direction_maps import DirectionTorque
from ...macrospin import AngularTorque, Macrospin, SpinTorque, langevin
from ...plotting.sphere import plot_density
from ...plotting.sphere_curves import plot_eigenvalues, plot_noise
from ...progress import ProgressBar
from ...sigma import Distribution, FokkerPlanck
from ...sigma.fields import write_sphere_fields
from ...sigma.meridian import Meridian
from ...sigma.space import Density
from ...sigma.surveys import Maker
from ..checkpoints import Checkpoints
from ..layered.case import Case
from ..schema import known
from .tables import Task, pulse_times, unit

# Decimal logarithm of the largest number.
_LARGEST = 308.0

type CaseTorque = SpinTorque | AngularTorque | DirectionTorque
type Picture = Callable[[str, Callable[[Path], None]], None]
type Results = dict[str, Any]


@dataclass
class Shared:
    """What the tasks of a case share, and the curves they leave for common pictures."""

    comm: MPI.Intracomm
    case: Case
    spin: Macrospin
    torque: CaseTorque | None
    solver: FokkerPlanck
    make: Maker
    path: Path
    picture: Picture
    checkpoints: Checkpoints | None
    map: CurrentMap | None = None
    curves: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    points: dict[str, tuple[Any, Any, Any]] = field(default_factory=dict)

    def driven(self, drive: float) -> tuple[Macrospin, CaseTorque]:
        """Return the macrospin and its torque at another drive: A/m2 or V through a device, else a factor."""
        if self.map is not None:
            return self.spin, self.map.at(drive).torque(self.spin)
        assert self.torque is not None
        return self.spin, self.torque.scaled(drive)

    @property
    def resistance(self) -> Density | None:
        """Return A R (ohm m2) as a function of the direction, if a device gives it."""
        return None if self.map is None else self.map.map.resistance_at

    @property
    def drive_unit(self) -> str:
        """Return the unit of drives."""
        return "" if self.map is None else "A/m2" if self.map.circuit.voltage is None else "V"

    @property
    def drive_label(self) -> str:
        """Return what drives are, for axes."""
        return {"": "factor on the torque", "A/m2": "current density (A/m$^2$)", "V": "voltage (V)"}[self.drive_unit]

    @property
    def drive_column(self) -> str:
        """Return the name of a column of drives."""
        return {"": "factor", "A/m2": "current_density_A_per_m2", "V": "voltage_V"}[self.drive_unit]


def _tables(run: Shared, task: Task, *left_out: str) -> list[Any]:
    """Return what the results of a task depend on, but for some of its keys."""
    return [
        run.case.model_dump(mode="json", exclude={"title", "task", "state"}),
        [t.start for t in run.case.task],
        task.model_dump(exclude={"name", *left_out}),
        run.spin.volume,
    ]


def state_of(run: Shared, task: Task, name: str, drive: float | None) -> dict[str, Any]:
    """Return what an evolution takes to go on from its state; nothing without checkpoints."""
    if run.checkpoints is None:
        return {}
    return run.checkpoints.state(name, [*_tables(run, task, "drives"), drive])


def pieces_of(run: Shared, task: Task, name: str) -> Journal | None:
    """Return the points of a survey that are done; None without checkpoints. Collective."""
    if run.checkpoints is None:
        return None
    return run.checkpoints.pieces(run.comm, name, _tables(run, task, "drives", "fields", "samples", "observation_time"))


def describe_mesh(distribution: Distribution) -> Results:
    """Return where a distribution was solved for, and with how many unknowns and which cells. Collective."""
    surface = distribution.surface
    on = (
        {"solved_on": "meridian", "mesh_size": np.pi / surface.cells}
        if isinstance(surface, Meridian)
        else {"solved_on": "sphere", "mesh_size": surface.mesh_size}
    )
    return {"dofs": surface.dofs, **on, "degree": surface.degree}


def _draw(run: Shared, name: str, distribution: Distribution, title: str, torque: CaseTorque | None) -> None:
    heading = f"{run.case.title}: {title}" if run.case.title else title
    write_sphere_fields(run.path / f"density.{name}.bp", distribution, run.spin, comm=run.comm)
    run.picture(
        f"density.{name}.png",
        lambda p: plot_density(distribution, p, spin=run.spin, torque=torque, title=heading, comm=run.comm),
    )


def start_of(task: Task) -> list[float]:
    """Return the axis of a task's initial hemisphere."""
    return unit(known(task.start))


def _spectrum(run: Shared, task: Task, name: str) -> Results:
    found = run.solver.spectrum(known(task.count), near=task.near)
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
    told = {"dissipated_power": power["dissipation"], "power_balance": balance / scale}
    if run.map is not None:
        told["electrical_power"] = mean_electrical_power(found, run.map.map, run.spin, run.map.circuit)
    return found.summary() | describe_mesh(found) | told


def _escape(run: Shared, task: Task, name: str) -> Results:
    return run.solver.escape().summary()


def _switching(run: Shared, task: Task, name: str) -> Results:
    times = pulse_times(task, run.solver.reduced_time)
    found = run.solver.switching(times, start=start_of(task))
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
    told = found.summary() | describe_mesh(found.final)
    if found.advice is not None:
        told["missing"] = [found.advice]
    return told


def _langevin(run: Shared, task: Task, name: str) -> Results:
    times = pulse_times(task, run.solver.reduced_time)
    bar = ProgressBar(run.comm)
    found = langevin(
        run.comm,
        run.spin,
        times,
        ensemble=known(task.ensemble),
        seed=known(task.seed),
        start=start_of(task),
        torque=run.torque,
        step=task.step,
        progress=bar.following("trajectories"),
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


def _band(task: Task) -> Any:
    low, high = known(task.frequencies)
    return np.geomspace(low, high, known(task.samples))


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
    f, unit = _band(task), "1"
    if task.observable == "resistance":
        assert run.resistance is not None
        observable, unit = run.resistance, "ohm2_m4"
    else:
        axis = np.array(task.observable)
        observable = lambda u: u @ axis  # noqa: E731
    found = run.solver.noise(observable, f)
    columns = {"frequency_Hz": f.tolist(), f"density_{unit}_per_Hz": found.density.tolist()}
    output.write_csv(run.comm, run.path / f"noise.{name}.csv", columns)
    name_of = {"1": "1/Hz", "ohm2_m4": "$\\Omega^2\\,$m$^4$/Hz"}
    label = f"power spectral density ({name_of[unit]})"
    run.picture(
        f"noise.{name}.png",
        lambda p: plot_noise(run.comm, p, {"": (f, found.density)}, title=run.case.title, ylabel=label),
    )
    return {
        "frequencies": f.tolist(),
        "density": found.density.tolist(),
        "mean_observable": found.mean,
        "variance": found.variance,
        "error_estimate": found.error_estimate.tolist(),
    }


def _passage(run: Shared, task: Task, name: str) -> Results:
    assert task.start is not None
    found = run.solver.log10_mean_first_passage(task.start, task.target, cosine=known(task.cosine))
    return {"mean_first_passage_time": 10**found if found < _LARGEST else None, "log10_mean_first_passage_time": found}


TASKS: dict[str, Callable[[Shared, Task, str], Results]] = {
    "spectrum": _spectrum,
    "steady": _steady,
    "escape": _escape,
    "switching": _switching,
    "langevin": _langevin,
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


def _number(x: float | None) -> str:
    return "not resolved" if x is None else f"{x:.6g}"


def _long(value: float | None, exponent: float | None) -> str:
    """Return a time that may be too long for a number, by its decimal logarithm then."""
    if value is not None:
        return f"{value:.5g}"
    return "infinite" if exponent is None else f"{10 ** (exponent % 1):.4g}e+{math.floor(exponent)}"


def _mean(r: Sequence[float]) -> str:
    return f"({', '.join(f'{x:.5f}' for x in r)})"


_REGIONS = {
    "telegraph": "of telegraph noise",
    "bistable": "bistable",
    "none": "without a stable state",
    "unknown": "unknown",
}
_TABLE: dict[str, Callable[[Results], str]] = {
    "spectrum": _line_of_spectrum,
    "steady": lambda r: f"mean direction {_mean(r['mean_direction'])}, dissipates {r['dissipated_power']:.4g} W",
    "escape": lambda r: (
        "dwell times (s): " + ", ".join(_long(*x) for x in zip(r["dwell_times"], r["log10_dwell_times"], strict=True))
    ),
    "switching": lambda r: (
        f"not switched after {r['times'][-1]:.4g} s: {_number(r['not_switched'][-1])} ({r['method']})"
    ),
    "langevin": lambda r: (
        f"not switched after {r['times'][-1]:.4g} s: {r['not_switched'][-1]:.4g} +- {r['not_switched_error'][-1]:.1g}"
    ),
    "hysteresis": lambda r: "; ".join(
        ("" if "drive" not in x else f"at {x['drive']:g}: ")
        + "reversals at "
        + (", ".join(f"{y:.5g}" for y in x["reversals"]) or "none")
        for x in r.get("loops", [r])
    ),
    "dwell-times": lambda r: f"{len(r['drives'])} drives from {r['drives'][0]:g} to {r['drives'][-1]:g}",
    "resonance": lambda r: f"{len(r['drives'])} drives from {r['drives'][0]:g} to {r['drives'][-1]:g}",
    "phase-diagram": lambda r: ", ".join(
        f"{sum(row.count(k) for row in r['regions'])} points {_REGIONS.get(k, 'in state ' + k + ' only')}"
        for k in sorted({x for row in r["regions"] for x in row})
    ),
    "susceptibility": lambda r: f"{len(r['frequencies'])} frequencies",
    "noise": lambda r: f"mean {r['mean_observable']:.6g}, variance {r['variance']:.6g}",
    "first-passage": lambda r: (
        f"mean first passage time {_long(r['mean_first_passage_time'], r['log10_mean_first_passage_time'])} s"
    ),
}
