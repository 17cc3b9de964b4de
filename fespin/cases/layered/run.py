"""Run the transport of a case: from tables to solutions, numbers, files and pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from mpi4py import MPI

from ... import geometry, output
from ...device import Contact
from ...domain import Domain
from ...onsager.terminals import Terminal
from ...progress import ProgressBar
from ...solvers import SolverOptions
from ...stack import Stack
from ...transport.problem import TransportProblem
from ...transport.solution import Profile, TransportSolution
from ..checkpoints import Checkpoints
from ..kind import Writer
from ..tasks import Outlet, Picture, Results
from ..unit_notes import current, extent
from .case import Case
from .describe import interface_numbers, material_numbers
from .device_map import as_stack, device_map
from .driven import make_driven
from .notes import unchecked_interfaces
from .tables import make_model

if TYPE_CHECKING:
    from ...coupling.current_map import CurrentMap
    from ...coupling.film_maps import FilmMap
    from ...transport.multilayer import MultilayerSolution
    from ...transport.seebeck import ThermoelectricCoefficients

_BREAKDOWN = 2.0  # V, of a thin insulator
# Channels whose name alone does not say what their potential is.
_NAMES = {"charge": "phi", "x": "sx", "y": "sy", "z": "sz", "temperature": "T"}


def make_domain(comm: MPI.Intracomm, case: Case, folder: Path) -> Domain:
    """Mesh the geometry of a case. Collective.

    Parameters
    ----------
    folder
        Folder where a mesh file's path starts.
    """
    g, stack = case.geometry, case.make_stack()
    if g.mesh is not None:
        return geometry.from_file(
            comm,
            folder / g.mesh,
            stack,
            length_unit=g.length_unit,
            mesh_size=g.mesh_size,
            cross_section=g.cross_section,
            depth=g.depth if "depth" in g.model_fields_set else None,
            refinements=g.refinements,
        )
    wide: dict[str, Any] = {}
    if g.lead_width is not None:
        wide = {"lead_width": g.lead_width, "lead_thickness": g.lead_thickness}
        if g.lead_material is not None:
            wide["lead_material"] = case.make_lead()
    size: dict[str, Any] = {"mesh_size": g.mesh_size, "refinements": g.refinements}
    if g.shape == "line":
        return geometry.line(comm, stack, **size)
    if g.shape == "strip":
        assert g.width is not None
        return geometry.strip(comm, stack, width=g.width, depth=g.depth, **size, **wide)
    if g.shape == "pillar":
        return geometry.pillar(comm, stack, diameter=g.diameter, semi_axes=g.semi_axes, **size, **wide)
    if g.shape == "three-terminal":
        assert g.bar_length is not None and g.bar_width is not None
        return geometry.three_terminal(
            comm,
            stack,
            bar_layers=len(case.bar_names),
            bar_length=g.bar_length,
            bar_width=g.bar_width,
            diameter=g.diameter,
            semi_axes=g.semi_axes,
            **size,
        )
    assert g.separation is not None and g.wire_width is not None and g.channel_width is not None
    widths = (g.wire_width[0], g.wire_width[1]) if isinstance(g.wire_width, list) else g.wire_width
    return geometry.lateral(
        comm,
        stack,
        separation=g.separation,
        wire_width=widths,
        channel_width=g.channel_width,
        channel_length=g.channel_length,
        wire_overhang=g.wire_overhang,
        dimension=g.dimension,
        **size,
    )


def prepare(
    comm: MPI.Intracomm,
    case: Case,
    base: Path,
    say: Callable[[str], None],
    checkpoints: Checkpoints | None = None,
) -> Writer:
    """Solve the transport of a case; return the function that runs its tasks. Collective.

    Parameters
    ----------
    base
        Folder of the case file.
    say
        Function that prints progress, called on every rank.
    checkpoints
        Folder in which long tasks keep what they have done; None without one.
    """
    transport: Writer | None = None
    device: CurrentMap | FilmMap | None = None
    if case.transports:
        transport, device = run_transport(comm, case, base, say, checkpoints)

    def write(out: Outlet) -> Results:
        summary: Results = {} if transport is None else transport(out)
        if case.macrospin is not None:
            from ..macrospin.run import run_tasks, starts_of

            about = case.about()
            summary |= run_tasks(
                comm,
                about.spin,
                about.torque,
                case.sphere,
                case.task,
                out,
                base=base,
                title=case.title,
                depends=[
                    case.model_dump(mode="json", exclude={"title", "task", "state"}),
                    starts_of(case.task)[:1],  # the mesh of directions depends on the first one alone
                ],
                driven=None if device is None else make_driven(case, device),
                checkpoints=checkpoints,
                alone=transport is None,
            )
        return summary

    return write


def run_transport(
    comm: MPI.Intracomm, case: Case, base: Path, say: Callable[[str], None], checkpoints: Checkpoints | None = None
) -> tuple[Writer, CurrentMap | FilmMap | None]:
    """Solve every state, and the torque map if the case asks for it. Collective.

    Returns
    -------
    write
        Function that writes files and returns the part of the summary about transport.
    map
        What the device does to its free layer; None if nothing asks for it.
    """
    started = time.perf_counter()
    maps = case.driven_by_device
    bar = ProgressBar(comm, 2 + len(case.states()) + maps)
    bar.advance("meshing")
    domain = make_domain(comm, case, base)
    if maps and case.geometry.mesh is not None:
        domain = as_stack(domain, case.geometry.mesh)
    meshed = time.perf_counter()
    bar.clear()
    cells = domain.mesh.topology.index_map(domain.dim).size_global
    say(f"mesh: {cells} cells in {domain.dim}D, {meshed - started:.2f} s")
    for note in _mesh_notes(case, domain):
        say(f"note: {note}")
    t = case.transport
    contacts = case.make_contacts()
    problem = TransportProblem(
        domain,
        make_model(t),
        contacts=contacts,
        degree=t.degree,
        solver=SolverOptions(t.solver.kind, t.solver.rtol, t.solver.max_iterations, t.solver.petsc),
    )
    solutions: dict[str, TransportSolution] = {}
    for name, directions in case.states().items():
        begin = time.perf_counter()
        bar.advance(f"state {name}")
        problem.magnetize({**domain.stack.directions, **directions})
        s = solutions[name] = solve_state(case, problem)
        bar.clear()
        say(
            f"state {name}: {s.dofs} unknowns, {s.iterations} iterations, {time.perf_counter() - begin:.2f} s, "
            f"power balance {s.power_balance:.1e}"
        )
        if t.current_density is None:
            for note in current(f"state {name}", s.current_density):
                say(f"note: {note}")
        for note in (*s.notes, *_barrier_notes(s)):
            say(f"note: state {name}: {note}")
    driven = None
    if maps:
        begin = time.perf_counter()
        bar.advance("torque map")
        driven = device_map(case, problem, checkpoints, say)
        bar.clear()
        faces = getattr(driven, "faces", None)
        parts = {"torque map": driven.map, "relaxation map": faces.map if faces is not None else None}
        for name, found in parts.items():
            if found is not None:
                spent = time.perf_counter() - begin
                say(f"{name}: {found.solves} directions, {spent:.2f} s, error {found.error:.1e}")
    solved = time.perf_counter()
    summary = summarize(case, domain, solutions, contacts)

    def write(out: Outlet) -> Results:
        begin = time.perf_counter()
        bar.advance("files and pictures")
        _write(comm, case, domain, solutions, contacts, out.path, out.picture)
        summary["seconds"] = {
            "mesh": meshed - started,
            "states": solved - meshed,
            **problem.solver.seconds,
            "write": time.perf_counter() - begin,
        }
        bar.clear()
        problem.destroy()
        return summary

    return write, driven


def _barrier_notes(s: TransportSolution) -> list[str]:
    """Return notes on barriers whose voltage breaks them."""
    voltages = s.report.get("barrier_voltage", {})
    return [
        f"{v:.3g} V over the barrier '{name}'; insulators of a nanometre or two break down above some {_BREAKDOWN:g} V"
        for name, v in voltages.items()
        if abs(v) > _BREAKDOWN
    ]


def _mesh_notes(case: Case, domain: Domain) -> list[str]:
    """Return notes on what only the mesh of a file knows: its size, and which layers touch. Collective."""
    if case.geometry.mesh is None:
        return []
    x = domain.mesh.geometry.x
    # The largest of the coordinates and of their opposites, in one go.
    ends = np.concatenate([x, -x], axis=1).max(axis=0, initial=-np.inf)
    domain.comm.Allreduce(MPI.IN_PLACE, ends, MPI.MAX)
    sizes = ends[:3] + ends[3:]
    remedy = "see geometry.length_unit, 1e-9 for a file in nm"
    found = extent(f"geometry.mesh '{case.geometry.mesh}': the device", sizes.tolist(), remedy)
    return found + unchecked_interfaces(case, domain.stack, domain.interfaces)


def solve_state(case: Case, problem: TransportProblem) -> TransportSolution:
    """Solve the state that a problem is in, with the case's drive. Collective."""
    t = case.transport
    drive = (t.current_density, t.current, t.voltage)
    if t.in_plane_field is not None:
        from .films import solve_film

        return solve_film(case, problem)
    if t.model != "thermoelectric" and not case.multi_terminal:
        return problem.solve(terminals=problem.drive(*drive), between=("bottom", "top"))
    if case.multi_terminal:
        terminals = {k: Terminal(c.voltage, c.current) for k, c in case.contact.items()}
    else:
        terminals = problem.drive(*drive)
    for k, c in case.contact.items():
        heat = None if c.heat_flux is None else c.heat_flux * problem.domain.area
        terminals[k] = replace(terminals[k], temperature=c.temperature, heat=heat)
    driven = None
    if not any(x.current or x.voltage for x in terminals.values()):
        # Rounding does not decide between which contacts the voltage of an open circuit is.
        a, b = t.measure or list(terminals)[:2]
        driven = (a, b)
    s = problem.solve(terminals=terminals, between=driven)
    if t.model != "thermoelectric":
        return s
    s = replace(s, currents=_as_imposed(s.currents, terminals))
    report = dict(s.report)
    if set(problem.contacts) == {"bottom", "top"}:
        from ...transport.seebeck import thermoelectric_coefficients

        report |= _coefficients(thermoelectric_coefficients(problem))
    # Heat is reported as heat, not as the current Q/T0 of a channel.
    charges = {k: {n: i for n, i in c.items() if n != "temperature"} for k, c in s.channel_currents.items()}
    return replace(s, report=report, channel_currents=charges)


def _as_imposed(currents: Mapping[str, float], terminals: Mapping[str, Terminal]) -> dict[str, float]:
    """Return the currents of contacts without rounding: an open circuit has no resistance, not a huge one."""
    given = {k: float(t.current) for k, t in terminals.items() if t.current is not None}
    rest = [k for k in currents if k not in given]
    if len(rest) == 1:
        given[rest[0]] = 0.0 - sum(given.values())
    return {k: given.get(k, i) for k, i in currents.items()}


def _coefficients(found: ThermoelectricCoefficients) -> dict[str, float]:
    """Return the coefficients of a stack under the names of ``summary.json``."""
    named = asdict(found)
    return {"isothermal_resistance_area": named.pop("resistance_area"), **named}


# ---- numbers
def summarize(
    case: Case,
    domain: Domain,
    solutions: Mapping[str, TransportSolution],
    contacts: Mapping[str, Contact],
) -> dict[str, Any]:
    """Return the results of all states, without what depends on the run."""
    summary: dict[str, Any] = {
        "states": {n: s.summary() for n, s in solutions.items()},
    }
    if case.transport.measure is not None:
        a, b = case.transport.measure
        for name, s in solutions.items():
            # What enters at the contact with most current: the current of a four-point measurement.
            found = (s.voltages[a] - s.voltages[b]) / s.current if s.current else None
            summary["states"][name]["measured_resistance"] = found
    pair = parallel_and_other(solutions)
    if pair is not None:
        compare = _compare_voltages if case.multi_terminal else _compare
        summary |= compare(case, summary["states"], pair)
    summary["contacts"] = {k: contacts.get(k, Contact()).spin for k in domain.contacts}
    summary["materials"] = {x.material.name: material_numbers(x.material, case.transport) for x in domain.stack}
    summary["interfaces"] = {f"{a}|{b}": interface_numbers(domain.stack.interface(a, b)) for a, b in domain.interfaces}
    return summary


def _compare(case: Case, states: Mapping[str, dict[str, Any]], pair: tuple[str, str]) -> dict[str, Any]:
    """Return what changes from the parallel state to the other, between bottom and top."""
    first, second = (states[n] for n in pair)
    out: dict[str, Any] = {}
    # With temperatures that differ, V/I holds a Seebeck voltage, too.
    key = "isothermal_resistance_area" if case.transport.model == "thermoelectric" else "resistance_area"
    if first.get(key) is not None and second.get(key) is not None:
        out["delta_resistance_area"] = second[key] - first[key]
        out["magnetoresistance"] = (second[key] - first[key]) / first[key]
        out["reference_state"] = pair[0]
    if "seebeck" in first:
        out["delta_seebeck"] = second["seebeck"] - first["seebeck"]
        out["magneto_seebeck"] = out["delta_seebeck"] / first["seebeck"] if first["seebeck"] else None
    return out


def _compare_voltages(case: Case, states: Mapping[str, dict[str, Any]], pair: tuple[str, str]) -> dict[str, Any]:
    """Return what changes from the parallel state to the other, with contacts driven one by one."""
    first, second = (states[n] for n in pair)
    out: dict[str, Any] = {
        "delta_voltages": {k: v - first["voltages"][k] for k, v in second["voltages"].items()},
    }
    if case.transport.measure is not None:
        a, b = first["measured_resistance"], second["measured_resistance"]
        if a is not None and b is not None:
            out["delta_measured_resistance"] = b - a
    out["reference_state"] = pair[0]
    return out


def parallel_and_other(solutions: Mapping[str, TransportSolution]) -> tuple[str, str] | None:
    """Return the states to compare, the parallel one first: by name, or of two by their magnetizations."""
    if {"parallel", "antiparallel"} <= solutions.keys():
        return ("parallel", "antiparallel")
    if len(solutions) != 2:
        return None
    first, second = solutions

    def parallel(name: str) -> bool:
        directions = list(solutions[name].stack.directions.values())
        return all(float(np.dot(directions[0], d)) > 1 - 1e-9 for d in directions[1:])

    return (second, first) if parallel(second) and not parallel(first) else (first, second)


# ---- files
def _name(channel: str) -> str:
    """Return the name of a channel's potential in files."""
    return _NAMES.get(channel, f"phi_{channel}")


def columns(case: Case, s: TransportSolution, p: Profile) -> dict[str, Any]:
    """Return the columns of a profile's CSV file."""
    out: dict[str, Any] = {"position_m": p.position, "layer": [s.stack.names[i] for i in p.layer]}
    for k, x in p.potentials.items():
        heat = k == "temperature"
        out[f"{_name(k)}_{'K' if heat else 'V'}"] = case.transport.reference_temperature + x if heat else x
    if "charge" not in p.potentials:
        out["accumulation_V"] = p.accumulation
    if "d_down" in p.potentials:
        from ...plotting.profiles import d_accumulation

        out |= {f"accumulation_{d}_V": x for d, x in d_accumulation(s.stack, p).items()}
    return out


def _write_fields(case: Case, domain: Domain, s: TransportSolution, path: Path) -> None:
    """Write the potentials of all channels, and the accumulation of two spins. Collective."""
    channels = s.channels.names
    fields = {_name(k): s.combination({k: 1.0}) for k in channels}
    if "charge" not in channels:
        fields["accumulation"] = s.accumulation_terms
    output.write_fields(
        path,
        domain,
        fields,
        constants={"T": case.transport.reference_temperature},
        layers={_name(k): [r for r, found in s.present.items() if k in found] for k in channels},
    )


def _write(
    comm: MPI.Intracomm,
    case: Case,
    domain: Domain,
    solutions: Mapping[str, TransportSolution],
    contacts: Mapping[str, Contact],
    path: Path,
    picture: Picture,
) -> None:
    """Write fields, profiles and pictures of every state. Collective."""
    profiles: dict[str, tuple[Stack, Profile]] = {}
    exact: dict[str, MultilayerSolution] = {}
    axial = set(domain.contacts) == {"bottom", "top"} and case.geometry.mesh is None
    for name, s in solutions.items():
        suffix = "" if len(solutions) == 1 else f".{name}"
        _write_fields(case, domain, s, path / f"fields{suffix}.bp")
        if axial:
            p = profiles.setdefault(name, (s.stack, s.profile()))[1]
            output.write_csv(comm, path / f"profile{suffix}.csv", columns(case, s, p))
            if case.transport.model == "two-channel" and s.current_density:
                from ...transport.multilayer import solve_multilayer

                bare = case.make_stack().magnetized(s.stack.directions)
                bottom, top = (contacts.get(k, Contact()) for k in ("bottom", "top"))
                exact[name] = solve_multilayer(bare, bottom, top, s.current_density, top_voltage=s.voltages["top"])
        if domain.dim > 1:
            title = case.title + ("" if len(solutions) == 1 else f": {name}")
            picture(f"accumulation{suffix}.png", _device_picture(s, title))
            if case.transport.model == "thermoelectric":
                picture(f"temperature{suffix}.png", _device_picture(s, title, quantity="temperature"))
    if profiles:

        def draw(target: Path) -> None:
            from ...plotting.profiles import plot_profiles

            t0 = case.transport.reference_temperature
            plot_profiles(comm, target, profiles, exact, title=case.title, reference_temperature=t0)

        picture("profile.png", draw)


def _device_picture(s: TransportSolution, title: str, **keywords: Any) -> Callable[[Path], None]:
    """Return a function that draws a solution; what it draws with is imported when it is called."""

    def draw(target: Path) -> None:
        from ...plotting.transport import plot_device

        plot_device(s, target, title=title, **keywords)

    return draw


# ---- the terminal
def lines(summary: Results) -> list[str]:
    """Return the results of a case as lines for a terminal."""
    lines: list[str] = []
    if "sheet_resistance" in summary.get("torque_map", {}):
        from ...coupling.film_report import film_lines

        lines += film_lines(summary)
    elif summary.keys() & {"torque_map", "relaxation_map", "longitudinal"}:
        from ...coupling.current_map import table as map_table

        lines += map_table(summary)
    if "shifts" in summary:
        from ..macrospin.shifts import shift_lines

        lines += shift_lines(summary["shifts"])
    for name, s in summary.get("states", {}).items():
        rows = _rows(s)
        if s.get("measured_resistance") is not None:
            a, b = summary["case"]["transport"]["measure"]
            rows.append(f"(V({a}) - V({b}))/I = {s['measured_resistance']:.6g} ohm")
        put_in = "power put in" if {"temperatures", "sheet_resistance"} & s.keys() else "(V I)"
        rows.append(f"dissipated power / {put_in} - 1 = {s['power_balance']:.1e}")
        lines += [f"{name if i == 0 else '':<14} {row}" for i, row in enumerate(rows)]
    if "delta_measured_resistance" in summary:
        lines.append(f"{'dR':<14} {summary['delta_measured_resistance']:.6g} ohm, against {summary['reference_state']}")
    if "delta_resistance_area" in summary:
        lines.append(f"{'A dR':<14} {summary['delta_resistance_area'] * 1e15:.6g} fohm m2")
        lines.append(f"{'dR/R':<14} {100 * summary['magnetoresistance']:.4g} percent")
    if "delta_seebeck" in summary:
        lines.append(f"{'dS':<14} {summary['delta_seebeck'] / 1e-6:.6g} uV/K")
        if summary["magneto_seebeck"] is not None:
            lines.append(f"{'dS/S':<14} {100 * summary['magneto_seebeck']:.4g} percent")
    return lines


def _rows(s: Mapping[str, Any]) -> list[str]:
    """Return the main results of a state."""
    rows = []
    if "seebeck" in s:
        rows.append(
            f"A R = {s['isothermal_resistance_area'] * 1e15:.6g} fohm m2   S = {s['seebeck'] / 1e-6:.6g} uV/K   "
            f"Peltier {s['peltier'] / 1e-3:.6g} mV   A R_th = {s['thermal_resistance_area']:.6g} K m2/W"
        )
        rows.append(f"V = {s['voltage']:.6g} V")
    elif s["r_nonequilibrium"] is None:
        rows.append("  ".join(f"V({k}) = {v:.6g} V" for k, v in s["voltages"].items()))
    else:
        r = "" if s["resistance"] is None else f"   R = {s['resistance']:.6g} ohm"
        rows.append(
            f"A R = {s['resistance_area'] * 1e15:.6g} fohm m2{r}   A R_ne = {s['r_nonequilibrium'] * 1e15:.4g} fohm m2"
        )
    if "temperatures" in s:
        unit, heat = s["dissipated_power_unit"], s["heat_currents"]
        rows.append("  ".join(f"T({k}) = {x:.6g} K, {heat[k]:.4g} {unit} in" for k, x in s["temperatures"].items()))
    if "r_gmr" in s:
        rows.append(
            f"A R_ne of spin flip {s['r_gmr']['spin_flip'] * 1e15:.4g}, of s-d {s['r_gmr']['d_relaxation'] * 1e15:.4g} "
            "fohm m2"
        )
    for k, v in s.get("barrier_voltage", {}).items():
        tmr = s["tmr"][k]
        ratio = "infinite" if tmr is None else f"{100 * tmr:.4g} percent"
        rows.append(f"barrier {k}: {v:.4g} V, TMR there {ratio}")
    if "sheet_resistance" in s:
        from .films import rows as film_rows

        rows = film_rows(s) + (rows if s["current"] else [])
    rows += [f"f_parallel({k}) = {x:.4g} A/m2" for k, x in s.get("f_parallel", {}).items()]
    rows += [f"torque on {k}: ({', '.join(f'{x:.4g}' for x in v)}) J/m2" for k, v in s.get("torque", {}).items()]
    return rows
