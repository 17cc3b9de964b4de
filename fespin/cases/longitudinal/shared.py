"""Body of a case of longitudinal dynamics on its mesh, and the files and pictures of its states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import output
from ...longitudinal import AppliedField, LongitudinalProblem, State
from ...longitudinal.drives import Condition
from ...plotting.longitudinal import collected, flowing, plane, plot_maps, plot_profiles
from ..body.geometry import Body
from ..checkpoints import Checkpoints
from ..tasks import Outlet
from .tables import FieldTable, LongitudinalTable, StartTable

type Array = NDArray[Any]
type Rows = list[tuple[str, Array, Array]]


@dataclass
class Shared:
    """Equations of a case on the mesh of its body.

    Attributes
    ----------
    title
        Title of the case, for pictures.
    table
        Table [longitudinal].
    body, problem
        Mesh, and the equations on it.
    conditions
        Conditions on the parts of the boundary.
    checkpoints
        Folder in which the states of relaxations are kept; None without one.
    """

    title: str
    table: LongitudinalTable
    body: Body
    problem: LongitudinalProblem
    conditions: Mapping[str, Condition]
    checkpoints: Checkpoints | None = None

    def field(self, *, in_time: bool = False) -> AppliedField | None:
        """Return the applied field: its amplitude, or how it varies in time."""
        table = self.table.field
        if table is None:
            return None
        factor = table.amplitude

        def varying(t: float) -> float:
            assert table is not None and table.points is not None
            times, factors = np.array(table.points).T
            return factor * float(np.interp(t, times, factors))

        shape = 1.0 if table.shape == "uniform" else lambda x: self.profile(table, x)
        return AppliedField(varying if in_time and table.points is not None else factor, shape)

    def profile(self, table: StartTable | FieldTable, x: Array) -> Array:
        """Return the shape of a start or a field at coordinates (3, n)."""
        low, high = self.body.low, self.body.high
        if table.shape == "uniform":
            return np.ones(x.shape[1])
        if isinstance(table, FieldTable) and table.wavenumber is not None:
            return np.asarray(np.cos(table.wavenumber * (x[0] - low[0])))
        if table.position is not None:
            # A node on the step has the mean, so that totals are exact.
            away = x[0] - table.position
            return np.asarray(np.where(np.abs(away) < 1e-9 * float((high - low).max()), 0.5, away < 0))
        assert table.width is not None
        middle = [float(y) for y in (low + high) / 2]
        centre = [*(table.centre or []), *middle[len(table.centre or []) :]]
        square = sum((x[i] - centre[i]) ** 2 for i in range(self.body.dimension))
        return np.asarray(np.exp(-square / (2 * table.width**2)))

    def heading(self, name: str) -> str:
        """Return the title of a task's picture."""
        return f"{self.title}: {name}" if self.title and not name.isdigit() else self.title


def write_fields(p: Shared, path: Path, times: Sequence[float], states: Sequence[Mapping[str, State]]) -> None:
    """Write M and m for ParaView, at some times. Collective.

    Parameters
    ----------
    states
        States at each time, by what their names end in.
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


def _columns(
    moments: Sequence[tuple[str, State]], line: Sequence[Array] | None, currents: Sequence[tuple[Array, Array] | None]
) -> dict[str, Any]:
    """Return the columns of a file of profiles along a line, on rank 0: M, m and j_m at the nodes, for each moment."""
    if line is None:
        return {}
    x = line[0][:, 0]
    out = {"x_m": x}
    for i, (label, _) in enumerate(moments):
        own = currents[i]
        assert own is not None
        flow = np.interp(x, *own)
        columns = {"M_A_per_m": line[1 + 2 * i], "m_A_per_m": line[2 + 2 * i], "j_m_A_per_s": flow}
        out |= {f"{label.replace(' ', '_')}_{k}": v for k, v in columns.items()}
    return out


def draw_space(p: Shared, file: str, moments: Sequence[tuple[str, State]], out: Outlet, title: str) -> None:
    """Write and draw profiles along a line, draw maps of a plane of triangles; nothing of a body. Collective."""
    values = [v for _, s in moments for v in (s.M, s.m)]

    def rows(of: Sequence[Array]) -> Rows:
        return [(label, of[2 * i], of[2 * i + 1]) for i, (label, _) in enumerate(moments)]

    if p.body.dimension == 1:
        line = collected(p.problem, *values)
        xi = p.problem.magnet.xi
        currents = [flowing(p.problem, s.m + xi * s.M) for _, s in moments]
        output.write_csv(
            p.problem.comm, out.path / f"profile.{file.split('.')[1]}.csv", _columns(moments, line, currents)
        )
        if line is not None:
            flows = [x for x in currents if x is not None]
            out.picture(file, lambda f: plot_profiles(f, line[0], rows(line[1:]), flows, title))
    elif p.body.dimension == 2 and str(p.body.mesh.topology.cell_type.name) == "triangle":
        flat = plane(p.problem, *values)
        if flat is not None:
            points, triangles, of = flat
            out.picture(file, lambda f: plot_maps(f, points, triangles, rows(of), title))
