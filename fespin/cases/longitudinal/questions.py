"""The tasks of a case of longitudinal dynamics one by one: what each solves for, writes and draws."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import output
from ...longitudinal import (
    Flux,
    Held,
    LongitudinalProblem,
    Mode,
    Response,
    State,
    decay_modes,
    evolve,
    fitted_wavenumber,
    respond,
)
from ...plotting.longitudinal import (
    collected,
    plane,
    plot_curves,
    plot_dispersion,
    plot_maps,
    plot_profiles,
    plot_spectrum,
)
from ...plotting.palette import prefixed
from ...progress import ProgressBar
from ..body.geometry import Body
from ..checkpoints import Checkpoints, tables_of
from ..schema import known
from .tables import LongitudinalCase, LongitudinalTask, StartTable

type Array = NDArray[Any]
type Picture = Callable[[str, Callable[[Path], None]], None]
type Results = dict[str, Any]
type Rows = list[tuple[str, Array, Array]]


@dataclass
class Prepared:
    """A case whose body is meshed.

    Attributes
    ----------
    case
        Its tables.
    body, problem
        The mesh, and the equations on it.
    conditions
        What the boundary's parts do.
    checkpoints
        Where the states of relaxations are kept.
    """

    case: LongitudinalCase
    body: Body
    problem: LongitudinalProblem
    conditions: Mapping[str, Flux | Held]
    checkpoints: Checkpoints | None = None

    def heading(self, name: str) -> str:
        """Return the title of a task's picture."""
        return f"{self.case.title}: {name}" if self.case.title and not name.isdigit() else self.case.title


# ---- dispersion
def _wavenumbers(prepared: Prepared, task: LongitudinalTask) -> list[float]:
    """Return the wavenumbers to look for; in a line those of its modes."""
    length = prepared.case.longitudinal.geometry.extents[0] if prepared.case.longitudinal.geometry.shape else 0.0
    if task.wavenumbers is not None:
        wanted = task.wavenumbers
    elif task.range is not None:
        wanted = [float(x) for x in np.linspace(task.range[0], task.range[1], known(task.samples))]
    else:
        wanted = [n * math.pi / length for n in range(1, known(task.count) + 1)]
    if prepared.body.dimension == 1 and length:
        orders = sorted({round(k * length / math.pi) for k in wanted})
        return [n * math.pi / length for n in orders]
    return sorted(set(wanted))


def _dispersion(
    p: Prepared, task: LongitudinalTask, name: str, path: Path, picture: Picture, say: Callable[[str], None]
) -> Results:
    wanted = _wavenumbers(p, task)
    bar, found = ProgressBar(p.problem.comm, len(wanted)), list[Mode]()
    for i, k in enumerate(wanted, 1):
        found += decay_modes(p.problem, [k])
        bar.at(i / len(wanted), f"modes near {k:.4g} 1/m")
    bar.clear()
    # Two wavenumbers asked for may have the same nearest mode.
    distinct: dict[tuple[str, str], Mode] = {}
    for mode in found:
        distinct.setdefault((mode.branch, f"{mode.wavenumber:.9e}"), mode)
    modes = sorted(distinct.values(), key=lambda m: (m.branch != "slow", m.wavenumber))
    g = p.problem.magnet
    exact = [float(g.decay_rates(m.wavenumber)[m.branch == "fast"]) for m in modes]
    output.write_csv(
        p.problem.comm,
        path / f"dispersion.{name}.csv",
        {
            "branch": [m.branch for m in modes],
            "wavenumber_1_per_m": [m.wavenumber for m in modes],
            "rate_1_per_s": [m.rate for m in modes],
            "closed_form_1_per_s": exact,
        },
    )
    if p.problem.comm.rank == 0:
        picture(f"dispersion.{name}.png", lambda f: plot_dispersion(f, g, modes, p.heading(name)))
    return {
        "branches": {
            branch: {
                "wavenumbers": [m.wavenumber for m in modes if m.branch == branch],
                "rates": [m.rate for m in modes if m.branch == branch],
                "closed_form": [x for m, x in zip(modes, exact, strict=True) if m.branch == branch],
            }
            for branch in ("slow", "fast")
        },
        # Relative; a rate of zero has no relative error, and counts for a thousandth of r.
        "largest_deviation": max(abs(m.rate - x) / max(x, 1e-3 * g.rate) for m, x in zip(modes, exact, strict=True)),
        "largest_residual": max(m.residual for m in modes),
    }


# ---- response
def _fitted(p: Prepared, found: Response) -> complex | None:
    """Return k of the response in a line, from points between which its phase or size changes; None elsewhere."""
    if p.case.longitudinal.geometry.shape != "line" or p.body.cells < 8:
        return None
    k = abs(complex(p.problem.magnet.wavenumber(2 * math.pi * found.frequency)))
    cells, cell = p.body.cells, p.body.size
    apart = min(max(1, round(0.5 / (k * cell))), cells // 4) if k else cells // 4
    # Beyond some lengths of decay nothing is left to fit.
    count = max(1, min(cells // apart - 1, 30, math.floor(8 / (k * cell * apart)) if k else 30))
    left = p.case.longitudinal.boundary.get("left")
    driven = left is not None and bool(left.flux or left.accumulation)
    # From the end where the wave is large.
    start = 0.0 if driven else (cells - (count + 1) * apart) * cell
    return fitted_wavenumber(p.problem, found, start, apart * cell, count)


def _response(
    p: Prepared, task: LongitudinalTask, name: str, path: Path, picture: Picture, say: Callable[[str], None]
) -> Results:
    if task.frequencies is not None:
        low, high = task.frequencies
        frequencies = [float(x) for x in np.geomspace(low, high, known(task.samples))]
    else:
        assert task.frequency is not None
        frequencies = [task.frequency]
    g, bar, found = p.problem.magnet, ProgressBar(p.problem.comm, len(frequencies)), list[Response]()
    for i, f in enumerate(frequencies, 1):
        found.append(respond(p.problem, f, p.conditions))
        bar.at(i / len(frequencies), f"response at {f:.4g} Hz")
    bar.clear()
    driven = [k for k, b in p.case.longitudinal.boundary.items() if b.flux or b.accumulation]
    impedances = {part: np.array([r.impedance(part) for r in found]) for part in driven}
    fits = [_fitted(p, r) for r in found]
    k = np.array([complex(g.wavenumber(2 * math.pi * f)) for f in frequencies])
    kept = [x for x in fits if x is not None]
    fitted = np.array(kept) if kept else None
    if float(np.abs(k).max()) * p.body.size > 0.7 * p.problem.space.element.basix_element.degree:
        say(f"note: task {name}: cells of {p.body.size:.3g} m are coarse for waves of |k| = {np.abs(k).max():.3g} 1/m")
    columns: dict[str, Any] = {"frequency_Hz": frequencies, **_parts("wavenumber", "1_per_m", k)}
    if fitted is not None:
        columns |= _parts("fitted_wavenumber", "1_per_m", fitted)
    for part, z in impedances.items():
        columns |= _parts(f"impedance_{part}", "A_per_m_per_flux", z)
    heat = {k: [r.dissipation[k] for r in found] for k in found[0].dissipation}
    columns |= {f"dissipation_{k.replace(' ', '_')}_W": v for k, v in heat.items()}
    output.write_csv(p.problem.comm, path / f"response.{name}.csv", columns)
    last = found[-1]
    parts = [State(f(last.M).copy(), f(last.m).copy()) for f in (np.real, np.imag)]
    labels = ("real", "imag")
    _write_fields(p, path / f"fields.{name}.bp", [0.0], [dict(zip(labels, parts, strict=True))])
    if len(found) > 1:
        if p.problem.comm.rank == 0:
            title = p.heading(name)
            picture(f"response.{name}.png", lambda f: plot_spectrum(f, g, found, impedances, fitted, title))
    else:
        moments = [("in phase", parts[0]), ("quarter period earlier", parts[1])]
        unit, of = prefixed(frequencies[0] or 1.0, "Hz")
        heading = ", ".join(x for x in (p.heading(name), f"{frequencies[0] / unit:.4g} {of}") if x)
        _draw_space(p, f"response.{name}.png", moments, picture, heading)
    return {
        "frequencies": frequencies,
        "impedance": {part: _pairs(z) for part, z in impedances.items()},
        "wavenumber": _pairs(k),
        "fitted_wavenumber": None if fitted is None else _pairs(fitted),
        "dissipation": heat,
        "work": [r.work for r in found],
        "power_balance": max(abs(r.balance) for r in found),
        "inward_flux": {part: _pairs([r.inward[part] for r in found]) for part in p.conditions},
        "mean_accumulation": {part: _pairs([r.mean_accumulation[part] for r in found]) for part in p.conditions},
    }


def _parts(name: str, unit: str, values: Array) -> dict[str, Any]:
    return {f"{name}_real_{unit}": values.real, f"{name}_imag_{unit}": values.imag}


def _pairs(values: Sequence[complex] | Array) -> list[list[float]]:
    return [[float(z.real), float(z.imag)] for z in values]


# ---- relaxation
def _start(p: Prepared, table: StartTable | None) -> State:
    """Return the state at the start."""
    if table is None or table.shape == "uniform":
        return p.problem.state(*((table.M, table.m) if table is not None else (0.0, 0.0)))
    extent = float((p.body.high - p.body.low).max())
    middle = [float(x) for x in (p.body.low + p.body.high) / 2]
    centre = [*(table.centre or []), *middle[len(table.centre or []) :]]

    def profile(x: Array) -> Array:
        if table.position is not None:
            # A node on the step has the mean, so that totals are exact.
            away = x[0] - table.position
            return np.asarray(np.where(np.abs(away) < 1e-9 * extent, 0.5, away < 0))
        assert table.width is not None
        square = sum((x[i] - centre[i]) ** 2 for i in range(p.body.dimension))
        return np.asarray(np.exp(-square / (2 * table.width**2)))

    return p.problem.state(lambda x: table.M * profile(x), lambda x: table.m * profile(x))


def _relaxation(
    p: Prepared, task: LongitudinalTask, name: str, path: Path, picture: Picture, say: Callable[[str], None]
) -> Results:
    assert task.duration is not None
    comm, duration = p.problem.comm, task.duration
    wanted = [float(x) for x in np.linspace(0.0, duration, known(task.samples))]
    bar = ProgressBar(comm)
    going_on: dict[str, Any] = {}
    if p.checkpoints is not None:
        going_on = p.checkpoints.state(name, tables_of(p.case, task))
    found = evolve(
        p.problem,
        _start(p, p.case.longitudinal.start),
        duration,
        conditions=p.conditions,
        wanted=wanted,
        tolerance=known(task.tolerance),
        each=lambda t, _: bar.at(t / duration, f"{t:.3g} s"),
        **going_on,
    )
    bar.clear()
    columns: dict[str, Any] = {
        "time_s": found.times,
        "total_M": found.total_M,
        "total_m": found.total_m,
        "free_energy_J": found.energy,
        **{f"dissipation_{k.replace(' ', '_')}_W": v for k, v in found.dissipation.items()},
        "work_W": found.work,
        "heat_J": found.heat,
        "put_in_J": found.put_in,
        "lost_to_lattice": found.lost,
        **{f"came_in_{k}": v for k, v in found.injected.items()},
    }
    output.write_csv(comm, path / f"relaxation.{name}.csv", columns)
    states = [{"": s} for s in found.states]
    _write_fields(p, path / f"fields.{name}.bp", wanted, states)
    if comm.rank == 0:
        picture(f"relaxation.{name}.png", lambda f: plot_curves(f, found, p.body.dimension, p.heading(name)))
    last = len(wanted) - 1
    shown = sorted({round(last * x) for x in ((0, 0.1, 0.35, 1) if p.body.dimension == 1 else (0.1, 0.35, 1))})
    unit, of = prefixed(duration, "s")
    moments = [(f"{wanted[i] / unit:.3g} {of}", found.states[i]) for i in shown]
    _draw_space(p, f"profile.{name}.png", moments, picture, p.heading(name))
    at = [int(np.argmin(np.abs(found.times - t))) for t in wanted]
    return {
        "times": found.times[at].tolist(),
        "total_M": found.total_M[at].tolist(),
        "total_m": found.total_m[at].tolist(),
        "free_energy": found.energy[at].tolist(),
        "dissipation": {k: v[at].tolist() for k, v in found.dissipation.items()},
        "heat": found.heat[at].tolist(),
        "put_in": found.put_in[at].tolist(),
        "lost": found.lost[at].tolist(),
        "injected": {k: v[at].tolist() for k, v in found.injected.items()},
        "conservation": float(np.abs(found.conservation).max()),
        "power_balance": float(np.abs(found.balance).max()),
        "steps": len(found.times) - 1,
        "rejected": found.rejected,
    }


# ---- files
def _write_fields(p: Prepared, path: Path, times: Sequence[float], states: Sequence[Mapping[str, State]]) -> None:
    """Write M and m for ParaView, at some times. Collective.

    Parameters
    ----------
    states
        For each time the states by what their names end in.
    """
    functions = {
        (key, of): p.problem.function(getattr(state, of), f"{of}_{key}" if key else of)
        for key, state in states[0].items()
        for of in ("M", "m")
    }
    with output.FieldFile(p.problem.comm, path, list(functions.values())) as file:
        for t, now in zip(times, states, strict=True):
            for (key, of), f in functions.items():
                f.x.array[: p.problem.owned] = getattr(now[key], of)
                f.x.scatter_forward()
            file.write(t)


def _draw_space(p: Prepared, file: str, moments: Sequence[tuple[str, State]], picture: Picture, title: str) -> None:
    """Draw profiles along a line or maps of a plane of triangles; nothing of a body. Collective."""
    values = [v for _, s in moments for v in (s.M, s.m)]

    def rows(of: Sequence[Array]) -> Rows:
        return [(label, of[2 * i], of[2 * i + 1]) for i, (label, _) in enumerate(moments)]

    if p.body.dimension == 1:
        line = collected(p.problem, *values)
        if line is not None:
            picture(file, lambda f: plot_profiles(f, line[0], rows(line[1:]), title))
    elif p.body.dimension == 2 and str(p.body.mesh.topology.cell_type.name) == "triangle":
        flat = plane(p.problem, *values)
        if flat is not None:
            points, triangles, of = flat
            picture(file, lambda f: plot_maps(f, points, triangles, rows(of), title))


TASKS: dict[str, Callable[[Prepared, LongitudinalTask, str, Path, Picture, Callable[[str], None]], Results]] = {
    "dispersion": _dispersion,
    "response": _response,
    "relaxation": _relaxation,
}
