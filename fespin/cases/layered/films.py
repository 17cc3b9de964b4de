"""Films in case files: layers on a line that a field in their plane drives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...onsager.terminals import Terminal
from ...transport.films import film_numbers
from ...transport.problem import TransportProblem
from ...transport.solution import TransportSolution
from .case import Case

if TYPE_CHECKING:
    from ...coupling.film_maps import FilmMap
    from ...coupling.groups import Groups


def solve_film(case: Case, problem: TransportProblem) -> TransportSolution:
    """Solve the state that a problem is in, with the case's field in the plane and its other drives. Collective."""
    t = case.transport
    assert t.in_plane_field is not None
    field = (t.in_plane_field[0], t.in_plane_field[1], 0.0)
    drive = (t.current_density, t.current, t.voltage)
    if case.multi_terminal:
        terminals = {k: Terminal(c.voltage, c.current) for k, c in case.contact.items()}
    else:
        terminals = problem.drive(*drive, in_plane=True)
    s = problem.solve(terminals=terminals, between=("bottom", "top"), electric_field=field)
    if not case.multi_terminal and all(x is None for x in drive):
        # No current flows upwards, not rounding of one.
        s = replace(s, currents=dict.fromkeys(s.currents, 0.0))
    if not s.in_plane_currents:
        # A current upwards drives some in the plane even without a field there.
        s = replace(s, in_plane_currents=problem.in_plane_currents(list(s.fields.values())))
    # A summary has the means over layers instead of the integrals.
    return replace(s, report={**s.report, **film_numbers(s, field)}, in_plane_currents={})


def make_map(case: Case, groups: Groups) -> FilmMap:
    """Return the torque on the case's free layer, with the case's field in the plane. Collective."""
    from ...coupling.film_maps import film_map

    assert case.macrospin is not None and case.macrospin.layer is not None and case.torque is not None
    assert case.transport.in_plane_field is not None
    options: dict[str, Any] = {"tolerance": case.torque.tolerance, "pumping": case.torque.pumping}
    return film_map(groups, case.macrospin.layer, case.transport.in_plane_field, **options)


def rows(state: Mapping[str, Any]) -> list[str]:
    """Return the numbers of a film as lines for a terminal."""
    r, field = state["sheet_resistance"], state["in_plane_field"]
    shown = "none" if r is None else f"{r:.6g} ohm"
    out = [f"sheet resistance {shown} at E = ({', '.join(f'{x:.4g}' for x in field)}) V/m"]
    for k, j in state["in_plane_current"].items():
        out.append(f"current in the plane of {k}: ({', '.join(f'{x:.4g}' for x in j)}) A/m2")
    return out
