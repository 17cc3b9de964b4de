"""Body of a case of longitudinal dynamics on its mesh, and the files and pictures of its states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ... import output
from ...longitudinal import Flux, Held, LongitudinalProblem, State
from ...plotting.longitudinal import collected, plane, plot_maps, plot_profiles
from ..body.geometry import Body
from ..checkpoints import Checkpoints
from ..tasks import Outlet
from .tables import LongitudinalTable

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
    conditions: Mapping[str, Flux | Held]
    checkpoints: Checkpoints | None = None

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


def draw_space(p: Shared, file: str, moments: Sequence[tuple[str, State]], out: Outlet, title: str) -> None:
    """Draw profiles along a line or maps of a plane of triangles; nothing of a body. Collective."""
    values = [v for _, s in moments for v in (s.M, s.m)]

    def rows(of: Sequence[Array]) -> Rows:
        return [(label, of[2 * i], of[2 * i + 1]) for i, (label, _) in enumerate(moments)]

    if p.body.dimension == 1:
        line = collected(p.problem, *values)
        if line is not None:
            out.picture(file, lambda f: plot_profiles(f, line[0], rows(line[1:]), title))
    elif p.body.dimension == 2 and str(p.body.mesh.topology.cell_type.name) == "triangle":
        flat = plane(p.problem, *values)
        if flat is not None:
            points, triangles, of = flat
            out.picture(file, lambda f: plot_maps(f, points, triangles, rows(of), title))
