"""Electromotive force of a wall: at rest by the circuit's solver, in motion by closed forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ...errors import InputError
from ..schema import Induction
from ..tasks import Outlet, Results, Task, check_increasing
from .tables import TextureTable

if TYPE_CHECKING:
    from .wire import Array, Wire


class ElectromotiveForce(Task):
    """Static electromotive force of a wall against the field, and closed forms of the moving wall."""

    units: ClassVar[Mapping[str, str]] = {
        "field": "T",
        "current_density": "A/m2",
        "electromotive_force": "V",
        "closed_form": "V",
        "between_probes": "V",
        "fields": "T",
        "electromotive_forces": "V",
        "largest_deviation": "1",
        "voltage_per_field": "V/T",
        "velocity": "m/s",
        "angle": "rad",
        "width": "m",
        "turning_rate": "rad/s",
        "walker_field": "T",
        "breakdown_current": "A/m2",
    }
    kind: Literal["electromotive_force"] = Field(description="emf of a wall at rest, and of its motion in closed form")
    fields: Annotated[list[Induction], Field(min_length=2, max_length=2)] | None = Field(
        None,
        description="[from, to] along the easy axis; default up to four times Walker's field, or twice the case's (T)",
    )
    samples: Annotated[int, Field(ge=2, le=10000)] = Field(201, description="how many fields (1)")

    def check(self, owner: str, about: TextureTable) -> None:
        """Refuse a magnet without a wall, and a range of fields that does not increase."""
        super().check(owner, about)
        if about.wall is None:
            raise InputError(f"{owner}: an electromotive force is that of a wall; [texture.wall] is missing")
        if self.fields is not None:
            check_increasing(owner, "fields", self.fields, "T")

    def run(self, shared: Wire, name: str, out: Outlet) -> Results:
        """Solve for the wall at rest, write and draw."""
        from ... import output
        from ...plotting.texture import plot_electromotive_force
        from ...texture import OhmicCircuit, static_field, static_voltage
        from .wire import closed_form, finite

        magnet, grid, comm, table = shared.magnet, shared.grid, shared.grid.comm, shared.table
        reach = max(4 * magnet.walker_field, 2 * abs(shared.field)) or 0.01
        low, high = self.fields or [0.0, reach]
        fields = np.linspace(low, high, self.samples)
        easy = np.array(magnet.easy_axis)
        circuit, points = shared.circuit(opened=True), shared.probes()
        current = table.current_density or 0.0
        if table.voltage is not None:
            assert isinstance(circuit, OhmicCircuit)
            current = float(circuit.conductances[0, 0]) * table.voltage / shared.section
        read = circuit.probe(points) if points is not None else None

        def static(b: float) -> tuple[float, Array]:
            """Return the emf between the ends, and between successive probes, with the wall at rest (V)."""
            if isinstance(circuit, OhmicCircuit):
                flow = circuit.solve(static_field(grid, magnet, shared.start, tuple(b * easy)))
            else:
                flow = circuit.pumped(grid.directions(shared.start), magnet.saturation_magnetization, b * easy)
            return circuit.voltage(flow, "right", "left"), np.diff(read(flow)) if read is not None else np.zeros(0)

        solved = np.linspace(low, high, 9)
        emfs = np.array([static(float(b))[0] for b in solved])
        here, between = static(shared.field)
        circuit.destroy()
        exact = -static_voltage(magnet)
        scale = max(np.abs(solved).max(), abs(shared.field)) * abs(exact) or 1.0
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
        output.write_csv(comm, out.path / f"electromotive_force.{name}.csv", columns)
        if comm.rank == 0:
            curves = {k: np.asarray(v) for k, v in columns.items()}
            title = shared.heading(name)
            out.picture(
                f"electromotive_force.{name}.png",
                lambda f: plot_electromotive_force(f, magnet, curves, (solved, emfs), shared.field, current, title),
            )
        try:
            steady = magnet.steady_wall(shared.field, current) if free else None
        except InputError:
            steady = None
        return {
            "fields": [low, high],
            "field": shared.field,
            "current_density": current,
            "static": {
                "electromotive_force": here,
                "closed_form": exact * shared.field,
                "between_probes": between.tolist(),
                "fields": solved.tolist(),
                "electromotive_forces": emfs.tolist(),
                "largest_deviation": float(np.abs(emfs - exact * solved).max() / scale),
            },
            "voltage_per_field": static_voltage(magnet),
            "steady_wall": None
            if steady is None
            else {
                "velocity": steady.velocity,
                "angle": steady.angle,
                "width": steady.width,
                "electromotive_force": magnet.mean_electromotive_force(shared.field, current),
            },
            "mean": closed_form(shared, current),
            "walker_field": magnet.walker_field if free else None,
            "breakdown_current": finite(magnet.breakdown_current()) if free else None,
        }

    @staticmethod
    def line(results: Results, summary: Results) -> str:
        """Return the emf of the wall at rest, and its mean in motion."""
        static, mean = results["static"], results["mean"]
        moves = mean is not None and mean["electromotive_force"] is not None
        text = (
            f"wall at rest in {results['field']:.4g} T: {static['electromotive_force']:.6g} V, "
            f"closed form to {static['largest_deviation']:.1e}"
        )
        return text + (f"; moving, mean {mean['electromotive_force']:.6g} V (closed form)" if moves else "")
