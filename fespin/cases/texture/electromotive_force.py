"""The electromotive force of a wall: at rest by the circuit's solver, in motion by closed forms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ... import output
from ...errors import InputError
from ...plotting.texture import plot_electromotive_force
from ...texture import static_field, static_voltage
from ..schema import known
from .tables import TextureTask
from .wire import Array, Picture, Results, Wire, closed_form, finite


def electromotive_force(
    wire: Wire, task: TextureTask, name: str, path: Path, picture: Picture, say: Callable[[str], None]
) -> Results:
    """Return the static emf, and what closed forms say of the moving wall. Collective.

    Parameters
    ----------
    name
        Of the task; files are named after it.
    path
        Where files go.
    picture
        Takes a name and a function that draws to a path.
    """
    magnet, grid, comm, table = wire.magnet, wire.grid, wire.grid.comm, wire.case.texture
    reach = max(4 * magnet.walker_field, 2 * abs(wire.field)) or 0.01
    low, high = task.fields or [0.0, reach]
    fields = np.linspace(low, high, known(task.samples))
    easy = np.array(magnet.easy_axis)
    circuit, points = wire.circuit(opened=True), wire.probes()
    current = table.current_density or 0.0
    if table.voltage is not None:
        current = float(circuit.conductances[0, 0]) * table.voltage / wire.section
    read = circuit.probe(points) if points is not None else None

    def static(b: float) -> tuple[float, Array]:
        """Return the emf between the ends, and between successive probes, with the wall at rest (V)."""
        flow = circuit.solve(static_field(grid, magnet, wire.start, tuple(b * easy)))
        return circuit.voltage(flow, "right", "left"), np.diff(read(flow)) if read is not None else np.zeros(0)

    solved = np.linspace(low, high, 9)
    found = np.array([static(float(b))[0] for b in solved])
    here, between = static(wire.field)
    circuit.destroy()
    exact = -static_voltage(magnet)
    scale = max(np.abs(solved).max(), abs(wire.field)) * abs(exact) or 1.0
    columns: dict[str, Any] = {"field_T": fields, "static_closed_form_V": exact * fields}
    # Closed forms of the motion know nothing of a dipolar field.
    free = not table.dipolar
    if free:
        motions = [magnet.mean_motion(float(b), current) for b in fields]
        columns |= {
            "mean_electromotive_force_V": [magnet.mean_electromotive_force(float(b), current) for b in fields],
            "mean_velocity_m_per_s": [v for v, _ in motions],
            "mean_turning_rate_1_per_s": [w for _, w in motions],
        }
    output.write_csv(comm, path / f"electromotive_force.{name}.csv", columns)
    if comm.rank == 0:
        curves = {k: np.asarray(v) for k, v in columns.items()}
        title = wire.heading(name)
        picture(
            f"electromotive_force.{name}.png",
            lambda f: plot_electromotive_force(f, magnet, curves, (solved, found), wire.field, current, title),
        )
    try:
        steady = magnet.steady_wall(wire.field, current) if free else None
    except InputError:
        steady = None
    return {
        "fields": [low, high],
        "field": wire.field,
        "current_density": current,
        "static": {
            "electromotive_force": here,
            "closed_form": exact * wire.field,
            "between_probes": between.tolist(),
            "fields": solved.tolist(),
            "electromotive_forces": found.tolist(),
            "largest_deviation": float(np.abs(found - exact * solved).max() / scale),
        },
        "voltage_per_field": static_voltage(magnet),
        "steady_wall": None
        if steady is None
        else {
            "velocity": steady.velocity,
            "angle": steady.angle,
            "width": steady.width,
            "electromotive_force": magnet.mean_electromotive_force(wire.field, current),
        },
        "mean": closed_form(wire, current),
        "walker_field": magnet.walker_field if free else None,
        "breakdown_current": finite(magnet.breakdown_current()) if free else None,
    }
