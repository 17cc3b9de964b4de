"""Run a case: from tables to solutions, files and pictures."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mpi4py import MPI

from . import _compat, output
from .case import Case
from .device import Contact
from .domain import Domain
from .errors import one_line
from .geometry import from_file, lateral, line, pillar, strip
from .onsager.terminals import Terminal
from .plotting import plot_device, plot_profiles
from .progress import ProgressBar
from .solvers import SolverOptions
from .stack import Stack, common_axis, sign_along
from .transport import MultilayerSolution, Profile, TransportProblem, TransportSolution, solve_multilayer


def make_domain(comm: MPI.Intracomm, case: Case, folder: Path) -> Domain:
    """Mesh the geometry of a case. Collective.

    Parameters
    ----------
    folder
        Where a mesh file's path starts.
    """
    g, stack = case.geometry, case.make_stack()
    if g.mesh is not None:
        return from_file(
            comm,
            folder / g.mesh,
            stack,
            length_unit=g.length_unit or 1.0,
            mesh_size=g.mesh_size,
            cross_section=g.cross_section,
            depth=g.depth or 1.0,
        )
    wide: dict[str, Any] = {}
    if g.lead_width is not None:
        wide = {"lead_width": g.lead_width, "lead_thickness": g.lead_thickness}
        if g.lead_material is not None:
            wide["lead_material"] = case.make_material(g.lead_material)
    if g.shape == "line":
        return line(comm, stack, mesh_size=g.mesh_size)
    if g.shape == "strip":
        assert g.width is not None
        return strip(comm, stack, width=g.width, depth=g.depth or 1.0, mesh_size=g.mesh_size, **wide)
    if g.shape == "pillar":
        return pillar(comm, stack, diameter=g.diameter, semi_axes=g.semi_axes, mesh_size=g.mesh_size, **wide)
    assert g.separation is not None and g.wire_width is not None and g.channel_width is not None
    widths = (g.wire_width[0], g.wire_width[1]) if isinstance(g.wire_width, list) else g.wire_width
    return lateral(
        comm,
        stack,
        separation=g.separation,
        wire_width=widths,
        channel_width=g.channel_width,
        channel_length=g.channel_length,
        wire_overhang=g.wire_overhang or 0.0,
        dimension=g.dimension or 3,
        mesh_size=g.mesh_size,
    )


def run(
    comm: MPI.Intracomm,
    case: Case,
    raw: dict[str, Any],
    folder: output.OutputFolder,
    *,
    base: Path,
    say: Callable[[str], None],
    pictures: bool = True,
    checkpoint: Path | None = None,
) -> dict[str, Any]:
    """Solve every state and every task of a case and write its output folder. Collective.

    Parameters
    ----------
    raw
        The tables as written, to be echoed.
    folder
        Where results go.
    base
        Folder of the case file.
    say
        Called with progress, on every rank.
    pictures
        Whether to draw.
    checkpoint
        A folder for the states of long evolutions, from which they go on.

    Returns
    -------
    dict
        What ``summary.json`` holds.
    """
    started = time.perf_counter()
    summary: dict[str, Any] = {"title": case.title, "case": raw}
    # Long solves come before the folder: until then a killed run has nothing to remove.
    write_transport = _run_transport(comm, case, raw, base, say) if case.transports else None
    with folder:
        picture = _artist(folder.path, pictures, say)
        if write_transport is not None:
            summary |= write_transport(folder.path, picture)
        if case.macrospin is not None:
            from .macrospin_run import run_tasks

            summary |= run_tasks(comm, case, base, folder.path, picture, say, checkpoint=checkpoint)
        summary["ranks"] = comm.size
        summary["versions"] = _compat.versions()
        summary["wall_time"] = time.perf_counter() - started
        output.write_json(comm, folder.path / "summary.json", summary)
    return summary


def _run_transport(
    comm: MPI.Intracomm,
    case: Case,
    raw: dict[str, Any],
    base: Path,
    say: Callable[[str], None],
) -> Callable[[Path, Callable[[str, Callable[[Path], None]], None]], dict[str, Any]]:
    """Solve every state; return what writes its files and returns its part of the summary. Collective."""
    started = time.perf_counter()
    bar = ProgressBar(comm, 2 + len(case.states()))
    bar.advance("meshing")
    domain = make_domain(comm, case, base)
    meshed = time.perf_counter()
    bar.clear()
    cells = domain.mesh.topology.index_map(domain.dim).size_global
    say(f"mesh: {cells} cells in {domain.dim}D, {meshed - started:.2f} s")
    for note in case.notes():
        say(f"note: {note}")
    t = case.transport
    contacts = case.make_contacts()
    problem = TransportProblem(
        domain,
        contacts=contacts,
        degree=t.degree,
        solver=SolverOptions(t.solver.kind, t.solver.rtol, t.solver.max_iterations, t.solver.petsc),
    )
    terminals = None
    if case.multi_terminal:
        terminals = {k: Terminal(c.voltage, c.current) for k, c in case.contact.items()}
    solutions: dict[str, TransportSolution] = {}
    for name, directions in case.states().items():
        begin = time.perf_counter()
        bar.advance(f"state {name}")
        problem.magnetize({**domain.stack.directions, **directions})
        if terminals is not None:
            solutions[name] = problem.solve(terminals=terminals)
        else:
            solutions[name] = problem.solve(current_density=t.current_density, current=t.current, voltage=t.voltage)
        s = solutions[name]
        bar.clear()
        say(
            f"state {name}: {s.dofs} unknowns, {s.iterations} iterations, {time.perf_counter() - begin:.2f} s, "
            f"power balance {s.power_balance:.1e}"
        )
    solved = time.perf_counter()
    summary = summarize(case, raw, domain, solutions, contacts)

    def write(path: Path, picture: Callable[[str, Callable[[Path], None]], None]) -> dict[str, Any]:
        begin = time.perf_counter()
        bar.advance("files and pictures")
        _write(comm, case, domain, solutions, contacts, path, picture)
        summary["seconds"] = {
            "mesh": meshed - started,
            "states": solved - meshed,
            **problem.solver.seconds,
            "write": time.perf_counter() - begin,
        }
        bar.clear()
        problem.destroy()
        return summary

    return write


def summarize(
    case: Case,
    raw: dict[str, Any],
    domain: Domain,
    solutions: dict[str, TransportSolution],
    contacts: dict[str, Contact],
) -> dict[str, Any]:
    """Return the results of all states, without what depends on the run."""
    summary: dict[str, Any] = {
        "title": case.title,
        "case": raw,
        "states": {n: s.summary() for n, s in solutions.items()},
    }
    if case.transport.measure is not None:
        a, b = case.transport.measure
        for name, s in solutions.items():
            # What enters at the contact with most current: the current of a four-point measurement.
            found = (s.voltages[a] - s.voltages[b]) / s.current if s.current else None
            summary["states"][name]["measured_resistance"] = found
    pair = _parallel_and_other(solutions)
    if pair is not None and not case.multi_terminal:
        first, second = (solutions[n].resistance_area for n in pair)
        if first is not None and second is not None:
            summary["delta_resistance_area"] = second - first
            summary["magnetoresistance"] = (second - first) / first
            summary["reference_state"] = pair[0]
    if pair is not None and case.multi_terminal:
        reference, other = (solutions[n].voltages for n in pair)
        summary["delta_voltages"] = {k: other[k] - reference[k] for k in reference}
        if case.transport.measure is not None:
            first, second = (summary["states"][n]["measured_resistance"] for n in pair)
            if first is not None and second is not None:
                summary["delta_measured_resistance"] = second - first
        summary["reference_state"] = pair[0]
    summary["contacts"] = {k: contacts.get(k, Contact()).spin for k in domain.contacts}
    summary["notes"] = case.notes()
    summary["materials"] = {
        x.material.name: {
            "resistivity": x.material.resistivity,
            "spin_diffusion_length": x.material.spin_diffusion_length,
            "beta": x.material.beta,
        }
        for x in domain.stack
    }
    faces = {}
    for a, b in domain.interfaces:
        face = domain.stack.interface(a, b)
        faces[f"{a}|{b}"] = (
            "perfect" if face is None else {"area_resistance_star": face.area_resistance_star, "gamma": face.gamma}
        )
    summary["interfaces"] = faces
    return summary


def _parallel_and_other(solutions: dict[str, TransportSolution]) -> tuple[str, str] | None:
    """Return the states to compare, the parallel one first: by name, or of two by their magnetizations."""
    if {"parallel", "antiparallel"} <= solutions.keys():
        return ("parallel", "antiparallel")
    if len(solutions) != 2:
        return None
    first, second = solutions

    def parallel(name: str) -> bool:
        stack = solutions[name].stack
        return len({sign_along(x, common_axis(stack)) for x in stack if x.direction}) < 2

    return (second, first) if parallel(second) and not parallel(first) else (first, second)


def _write(
    comm: MPI.Intracomm,
    case: Case,
    domain: Domain,
    solutions: dict[str, TransportSolution],
    contacts: dict[str, Contact],
    path: Path,
    picture: Callable[[str, Callable[[Path], None]], None],
) -> None:
    """Write fields, profiles and pictures of every state. Collective."""
    profiles: dict[str, tuple[Stack, Profile]] = {}
    exact: dict[str, MultilayerSolution] = {}
    axial = set(domain.contacts) == {"bottom", "top"} and case.geometry.mesh is None
    for name, s in solutions.items():
        suffix = "" if len(solutions) == 1 else f".{name}"
        fields = {f"phi_{k}": s.combination({k: 1.0}) for k in s.channels.names}
        output.write_fields(path / f"fields{suffix}.bp", domain, {**fields, "accumulation": s.accumulation_terms})
        if axial:
            p = profiles.setdefault(name, (s.stack, s.profile()))[1]
            columns: dict[str, Any] = {
                "position_m": p.position,
                "layer": [s.stack.names[i] for i in p.layer],
                **{f"phi_{k}_V": x for k, x in p.potentials.items()},
                "accumulation_V": p.accumulation,
            }
            output.write_csv(comm, path / f"profile{suffix}.csv", columns)
            bare = case.make_stack().magnetized(s.stack.directions)
            bottom, top = (contacts.get(k, Contact()) for k in ("bottom", "top"))
            exact[name] = solve_multilayer(bare, bottom, top, s.current_density, top_voltage=s.voltages["top"])
        if domain.dim > 1:
            title = case.title + ("" if len(solutions) == 1 else f": {name}")
            picture(f"accumulation{suffix}.png", functools.partial(plot_device, s, title=title))
    if profiles:
        picture("profile.png", lambda p: plot_profiles(comm, p, profiles, exact, title=case.title))


def _artist(folder: Path, wanted: bool, say: Callable[[str], None]) -> Callable[[str, Callable[[Path], None]], None]:
    """Return a function that draws a picture; one that fails costs no result."""

    def picture(name: str, draw: Callable[[Path], None]) -> None:
        if not wanted:
            return
        try:
            draw(folder / name)
        except Exception as error:  # drivers of displays fail in many ways, on the rank that draws
            say(f"{name} was not drawn: {type(error).__name__}: {one_line(str(error))}")

    return picture


def table(summary: dict[str, Any]) -> str:
    """Return the results of a case as text for a terminal."""
    lines = []
    if "tasks" in summary:
        from .macrospin_tasks import table as tasks_table

        lines.append(tasks_table(summary["tasks"]))
    for name, s in summary.get("states", {}).items():
        r = "" if s["resistance"] is None else f"   R = {s['resistance']:.6g} ohm"
        lines.append(
            f"{name:<14} A R = {s['resistance_area'] * 1e15:.6g} fohm m2{r}"
            f"   A R_ne = {s['r_nonequilibrium'] * 1e15:.4g} fohm m2"
            if s["r_nonequilibrium"] is not None
            else f"{name:<14} " + "  ".join(f"V({k}) = {v:.6g} V" for k, v in s["voltages"].items())
        )
        if s.get("measured_resistance") is not None:
            a, b = summary["case"]["transport"]["measure"]
            lines.append(f"{'':<14} (V({a}) - V({b}))/I = {s['measured_resistance']:.6g} ohm")
        lines.append(f"{'':<14} dissipated power / (V I) - 1 = {s['power_balance']:.1e}")
    if "delta_measured_resistance" in summary:
        lines.append(f"{'dR':<14} {summary['delta_measured_resistance']:.6g} ohm, against {summary['reference_state']}")
    if "delta_resistance_area" in summary:
        lines.append(f"{'A dR':<14} {summary['delta_resistance_area'] * 1e15:.6g} fohm m2")
        lines.append(f"{'dR/R':<14} {100 * summary['magnetoresistance']:.4g} percent")
    return "\n".join(lines)


def stderr_logger(comm: MPI.Intracomm) -> Callable[[str], None]:
    """Return a function that prints progress once, on standard error."""

    def say(text: str) -> None:
        if comm.rank == 0:
            print(f"fespin: {text}", file=sys.stderr, flush=True)

    return say
