"""Pictures of devices, drawn off screen by rank 0 from cells that all ranks send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from dolfinx import fem, plot
from numpy.typing import NDArray

from ..domain import Domain
from ..errors import InputError
from ..onsager.broken import broken_space
from ..stack import Stack, common_axis
from .palette import material_colours, prefixed
from .profiles import plot_profiles

if TYPE_CHECKING:
    import pyvista

    from .drawable import SolvedDevice

MOST_CELLS = 5_000_000
"""Largest number of cells of a mesh that is drawn: they take some 2 GB on the rank that draws."""

__all__ = ["MOST_CELLS", "gather_grid", "material_colours", "plot_device", "plot_profiles"]


def gather_grid(
    domain: Domain, functions: Mapping[str, Sequence[tuple[float, fem.Function]]]
) -> pyvista.UnstructuredGrid | None:
    """Return the whole mesh with point data on rank 0 (coordinates in nm), None elsewhere. Collective.

    Parameters
    ----------
    functions
        ``{name: [(weight, function), ...]}``; values jump between layers.

    Raises
    ------
    InputError
        If there are more cells than the rank that draws should hold.
    """
    cells = domain.mesh.topology.index_map(domain.dim).size_global
    if cells > MOST_CELLS:
        raise InputError(f"{cells} cells are more than one rank draws, {MOST_CELLS}; ParaView opens the fields")
    space, _ = broken_space(fem.functionspace(domain.mesh, ("Lagrange", 1)), domain.region)
    n = domain.owned_cells
    cells, types, x = plot.vtk_mesh(space)
    cells = cells.reshape(-1, domain.dim + 2)[:n, 1:]  # a count before the corners of each simplex
    used, local = np.unique(cells, return_inverse=True)
    values = {}
    for name, terms in functions.items():
        f = fem.Function(space)
        for weight, u in terms:
            # Interpolation works cell by cell, so both spaces may be discontinuous.
            g = fem.Function(space)
            g.interpolate(u)
            f.x.array[:] += weight * g.x.array
        values[name] = f.x.array[used]
    # Points that ranks share are merged by their number in the space; otherwise edges of partitions would be drawn.
    numbers = space.dofmap.index_map.local_to_global(used.astype(np.int32))
    part = (numbers[local].reshape(cells.shape), types[:n], numbers, x[used] / 1e-9, domain.region[:n], values)
    parts = domain.comm.gather(part, 0)
    if parts is None:
        return None
    import pyvista

    known, first = np.unique(np.concatenate([p[2] for p in parts]), return_index=True)
    joined = np.searchsorted(known, np.concatenate([p[0] for p in parts]))
    with_size = np.hstack([np.full((len(joined), 1), joined.shape[1]), joined])
    points = np.concatenate([p[3] for p in parts])[first]
    grid = pyvista.UnstructuredGrid(with_size.ravel(), np.concatenate([p[1] for p in parts]), points)
    grid.cell_data["layer"] = np.concatenate([p[4] for p in parts])
    for name in functions:
        grid.point_data[name] = np.concatenate([p[5][name] for p in parts])[first]
    return grid


def _scene(size: tuple[int, int]) -> Any:
    import pyvista

    pyvista.OFF_SCREEN = True
    plotter = pyvista.Plotter(off_screen=True, window_size=list(size))
    plotter.set_background("white")
    plotter.enable_anti_aliasing("ssaa")
    return plotter


@dataclass(frozen=True)
class Shown:
    """Quantity that is drawn on the cut of a device.

    Attributes
    ----------
    title
        Title, with the unit.
    terms
        Weights and fields, one list per component: of several, the length of the vector is shown.
    signed
        True if zero is in the middle of the colours.
    """

    title: str
    unit: str
    terms: Mapping[str, Sequence[tuple[float, fem.Function]]]
    signed: bool = True
    colours: str = "RdBu_r"

    def arguments(self, limits: tuple[float, float]) -> dict[str, Any]:
        """Return how PyVista draws it."""
        bar = {**_BAR, "title": f"{self.title} ({self.unit})\n"}
        return {"cmap": self.colours, "clim": limits, "lighting": False, "scalar_bar_args": bar}


def _accumulation(solution: SolvedDevice) -> Shown:
    """Return the spin accumulation: of vectors along the magnets' axis, or their length if there is no such axis."""
    if not {"charge", "x", "y", "z"} <= set(solution.channels.names):  # no vectors of spin
        return Shown("spin accumulation", "V", {"value": solution.accumulation_terms})
    try:
        axis = common_axis(solution.stack)
    except InputError:
        spins = {k: solution.combination({k: 2.0}) for k in "xyz"}
        return Shown("length of the spin accumulation 2s", "V", spins, signed=False, colours="viridis")
    along = {k: 2.0 * float(x) for k, x in zip("xyz", axis, strict=True) if x}
    return Shown("spin accumulation", "V", {"value": solution.combination(along)})


def _temperature(solution: SolvedDevice) -> Shown:
    terms = {"value": solution.combination({"temperature": 1.0})}
    return Shown("temperature above the reference", "K", terms, signed=False, colours="plasma")


def plot_device(solution: SolvedDevice, path: Path, *, title: str = "", quantity: str = "accumulation") -> None:
    """Draw the device cut open: its layers, and the spin accumulation on the cut. Collective.

    Of magnets that are not collinear, the length of the vector 2 s is shown.

    Parameters
    ----------
    path
        Ends in ``.png``.
    quantity
        "accumulation", or "temperature" of a model with heat.

    Examples
    --------
    >>> from pathlib import Path
    >>> from fespin.plotting import plot_device
    >>> problem = fs.TransportProblem(fs.strip(comm, stack, width=60e-9))
    >>> plot_device(problem.solve(current_density=1e11), Path("device.png"), title="spin accumulation")
    >>> Path("device.png").exists()
    True
    """
    shown = _accumulation(solution) if quantity == "accumulation" else _temperature(solution)
    grid = gather_grid(solution.domain, shown.terms)
    if grid is None or solution.domain.comm.rank != 0:
        return
    parts = [np.asarray(grid.point_data[k]) for k in shown.terms]
    values = parts[0] if len(parts) == 1 else np.linalg.norm(parts, axis=0)
    scale, unit = prefixed(float(np.abs(values).max(initial=0.0)), shown.unit)
    grid.point_data["shown"] = values / scale
    draw = _draw_solid if solution.domain.dim == 3 else _draw_section
    draw(grid, solution, path, title, replace(shown, unit=unit))


_BAR = {
    "color": "black",
    "vertical": False,
    "width": 0.44,
    "height": 0.06,
    "position_x": 0.28,
    "position_y": 0.04,
    "title_font_size": 24,
    "label_font_size": 22,
    "n_labels": 3,
    "fmt": "%.3g",
}


def _limits(values: NDArray[np.float64], signed: bool) -> tuple[float, float]:
    low, high = float(values.min(initial=0.0)), float(values.max(initial=0.0))
    if not signed and high > low:
        # Values of the size of rounding do not set the limits of the colours.
        least = 1e-6 * (high - low)
        return (low if low < -least else 0.0, high if high > least else 0.0)
    top = float(np.abs(values).max(initial=0.0)) or 1.0
    return -top, top


def _legend(plotter: Any, stack: Stack) -> None:
    colours = material_colours(stack)
    plotter.add_legend(
        [[f" {name}", colour] for name, colour in colours.items()],
        bcolor=None,
        border=False,
        size=(0.09, 0.055 * len(colours)),
        loc="lower left",
        face="rectangle",
    )


def _shoot(
    plotter: Any,
    path: Path,
    zoom: float,
    extent: tuple[float, float] | None = None,
    pillar: tuple[float, float, float] | None = None,
) -> None:
    """Frame the scene above the colour bar, and write the picture.

    A plane scene of the given extent (nm) fills the space between title and bar; a pillar of the given edges (nm)
    fits into it.
    """
    plotter.enable_parallel_projection()
    plotter.reset_camera()
    camera = plotter.camera
    camera.zoom(zoom)
    if extent is not None:
        width, height = plotter.window_size
        camera.parallel_scale = max(extent[1] / 0.66, extent[0] / 0.84 * height / width) / 2
    if pillar is not None:
        up = np.array(camera.up) - np.dot(camera.up, camera.direction) * np.array(camera.direction)
        x, y, z = up / np.linalg.norm(up) * pillar
        camera.parallel_scale = max(camera.parallel_scale, (abs(z) + np.hypot(x, y)) / 2 / 0.8)
    # The camera looks slightly below the middle, so that the device stands clear of the colour bar.
    sight = np.array(camera.focal_point) - np.array(camera.position)
    side = np.cross(sight, camera.up)
    upwards = np.cross(side, sight)
    shift = -0.1 * camera.parallel_scale * upwards / np.linalg.norm(upwards)
    camera.position = tuple(np.array(camera.position) + shift)
    camera.focal_point = tuple(np.array(camera.focal_point) + shift)
    plotter.screenshot(str(path))
    plotter.close()


def _cut_open(
    grid: pyvista.UnstructuredGrid, quarter: bool, centre: NDArray[np.float64], tiny: float
) -> tuple[pyvista.PolyData | None, pyvista.PolyData | None]:
    """Take away the part in front (y < centre; of it only x > centre for a quarter); return skin and cut faces."""
    import pyvista

    def half(part: Any, axis: int, positive: bool) -> Any:
        normal = [0.0, 0.0, 0.0]
        normal[axis] = 1.0
        return part.clip(normal, origin=centre, invert=not positive)

    # Each piece is (solid, axes of planes that it shares with other pieces, axis of the plane of the cut).
    back = half(grid, 1, True)
    pieces: list[tuple[Any, tuple[int, ...], int | None]] = [(back, (), 1)]
    if quarter:
        left, right = half(back, 0, False), half(back, 0, True)
        front = half(half(grid, 1, False), 0, False)
        pieces = [(left, (0, 1), None), (right, (0,), 1), (front, (1,), 0)]
    skins: list[Any] = []
    cuts: list[Any] = []
    for solid, inner, plane in pieces:
        if not solid.n_cells:
            continue
        surface = solid.extract_surface(algorithm=None)
        near = np.abs(surface.cell_centers().points - centre) < tiny
        hidden = near[:, list(inner)].any(axis=1) if inner else np.zeros(len(near), bool)
        on_cut = near[:, plane] & ~hidden if plane is not None else np.zeros(len(near), bool)
        for chosen, out in ((~hidden & ~on_cut, skins), (on_cut, cuts)):
            if chosen.any():
                out.append(surface.extract_cells(chosen).extract_surface(algorithm=None))

    def joined(parts: list[Any]) -> Any:
        return pyvista.merge(parts).extract_surface(algorithm=None).clean(tolerance=1e-6) if parts else None

    return joined(skins), joined(cuts)


def _draw_solid(grid: pyvista.UnstructuredGrid, solution: SolvedDevice, path: Path, title: str, look: Shown) -> None:
    """Take a piece out of the device: materials on its skin, the accumulation on the cut."""
    stack, colours = solution.stack, material_colours(solution.stack)
    x0, x1, y0, y1, z0, z1 = grid.bounds
    size = max(x1 - x0, y1 - y0, z1 - z0)
    pillar = set(solution.voltages) == {"bottom", "top"}
    plotter = _scene((1400, 1150) if pillar else (1600, 750))
    eye = np.array((1.0, -1.0, 0.62) if pillar else (0.35, -1.4, 0.6))
    centre = np.array([*(c / 1e-9 for c in solution.domain.centre), (z0 + z1) / 2])
    parts = [
        (x, *_cut_open(grid.extract_cells(grid.cell_data["layer"] == i), pillar, centre, 1e-5 * size))
        for i, x in enumerate(stack)
    ]
    on_cut = [cut.point_data["shown"] for _, _, cut in parts if cut is not None]
    limits = _limits(np.concatenate(on_cut or [grid.point_data["shown"]]), look.signed)
    for layer, skin, cut in parts:
        if skin is not None:
            plotter.add_mesh(skin, color=colours[layer.material.name], ambient=0.3, specular=0.1)
        if cut is not None:
            plotter.add_mesh(cut, scalars="shown", **look.arguments(limits))
        for surface in (skin, cut):
            if surface is None:
                continue
            outline = surface.extract_feature_edges(
                feature_angle=40,
                boundary_edges=True,
                feature_edges=True,
                manifold_edges=False,
                non_manifold_edges=False,
            )
            if outline.n_cells:
                # Lines are moved slightly towards the camera; otherwise faces would cover parts of them.
                plotter.add_mesh(outline.translate(3e-3 * size * eye), color="#303030", line_width=1.6)
    _legend(plotter, stack)
    if title:
        plotter.add_text(title, font_size=16, color="black", position="upper_edge")
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2, (z0 + z1) / 2])
    plotter.camera_position = [tuple(middle + 3 * size * eye), tuple(middle), (0, 0, 1)]
    edges = (x1 - x0, y1 - y0, z1 - z0)
    _shoot(plotter, path, 1.18 if pillar else 1.35, pillar=edges if pillar else None)


def _draw_section(grid: pyvista.UnstructuredGrid, solution: SolvedDevice, path: Path, title: str, look: Shown) -> None:
    stack = solution.stack
    plotter = _scene((1400, 900))
    limits = _limits(grid.point_data["shown"], look.signed)
    for i in range(len(stack.layers)):
        part = grid.extract_cells(grid.cell_data["layer"] == i)
        surface = part.extract_surface(algorithm=None)
        plotter.add_mesh(surface, scalars="shown", **look.arguments(limits))
        edges = surface.extract_feature_edges(
            boundary_edges=True, feature_edges=False, manifold_edges=False, non_manifold_edges=False
        )
        plotter.add_mesh(edges, color="#303030", line_width=2)
        stacked = set(solution.voltages) == {"bottom", "top"}
        _name_layer(plotter, part, stack.layers[i].material.name, grid.bounds, beside=stacked)
    if title:
        plotter.add_text(title, font_size=16, color="black", position="upper_edge")
    plotter.view_xy()
    x0, x1, y0, y1, *_ = grid.bounds
    _shoot(plotter, path, 1.0, (x1 - x0, y1 - y0))


def _name_layer(plotter: Any, part: Any, name: str, bounds: Sequence[float], *, beside: bool) -> None:
    """Write a layer's material beside or inside it, unless it is too thin for a line of text."""
    x0, x1, y0, y1, *_ = part.bounds
    if y1 - y0 > 0.03 * max(bounds[1] - bounds[0], bounds[3] - bounds[2]):
        x = x1 + 0.02 * (bounds[1] - bounds[0]) if beside else (x0 + x1) / 2
        at = np.array([[x, (y0 + y1) / 2, 0.0]])
        plotter.add_point_labels(
            at, [name], font_size=20, text_color="#303030", shape=None, show_points=False, always_visible=True,
            justification_horizontal="left" if beside else "center", justification_vertical="center",
        )  # fmt: skip
