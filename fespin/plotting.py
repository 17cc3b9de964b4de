"""Pictures: drawn off screen by rank 0, from cells that all ranks send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from dolfinx import fem, plot
from mpi4py import MPI
from numpy.typing import NDArray

from .domain import Domain
from .onsager.broken import broken_space
from .stack import Stack

if TYPE_CHECKING:
    import pyvista

    from .transport.multilayer import MultilayerSolution
    from .transport.solution import Profile, TransportSolution

# The materials of the library keep their colours from picture to picture; magnets have the warm ones.
_COLOURS = {
    "Cu": "#e3cf9f",
    "Ag": "#c9d3dc",
    "Au": "#ecd37a",
    "Al": "#b9c7d6",
    "Pt": "#b7c9a8",
    "Pd": "#a9c7c5",
    "Ru": "#cfc0dc",
    "Co": "#b5533c",
    "Py": "#d28f33",
    "CoFe": "#8c4a6b",
    "Ni": "#c7746a",
    "Fe": "#7a5c3e",
}
_METALS = ("#d9c9a3", "#c4b8d6", "#a8c4b0", "#b9c2cb")
_MAGNETS = ("#a8583f", "#cf9a4a", "#8a5a78", "#96703f")
_LINES = ("#1f4e79", "#c0392b", "#2e7d32", "#6a3d9a")


def material_colours(stack: Stack) -> dict[str, str]:
    """Return a colour for each material of a stack."""
    out: dict[str, str] = {}
    for x in stack:
        name = x.material.name
        palette = _MAGNETS if x.material.ferromagnetic else _METALS
        known = _COLOURS.get(name)
        out.setdefault(name, known or palette[sum(c in palette for c in out.values()) % len(palette)])
    return out


def gather_grid(
    domain: Domain, functions: Mapping[str, Sequence[tuple[float, fem.Function]]]
) -> pyvista.UnstructuredGrid | None:
    """Return the whole mesh with point data on rank 0 (coordinates in nm), None elsewhere. Collective.

    Parameters
    ----------
    functions
        ``{name: [(weight, function), ...]}``; values jump between layers.
    """
    space, _ = broken_space(fem.functionspace(domain.mesh, ("Lagrange", 1)), domain.region)
    n = domain.owned_cells
    cells, types, x = plot.vtk_mesh(space)
    cells = cells.reshape(-1, domain.dim + 2)[:n, 1:]  # a count before the corners of each simplex
    used, local = np.unique(cells, return_inverse=True)
    values = {}
    for name, terms in functions.items():
        f = fem.Function(space)
        for weight, u in terms:
            # Interpolation is cell by cell, so both spaces may be broken.
            g = fem.Function(space)
            g.interpolate(u)
            f.x.array[:] += weight * g.x.array
        values[name] = f.x.array[used]
    # Points that ranks share have one number in the space: merged, or partitions would show as edges.
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


def plot_device(solution: TransportSolution, path: Path, *, title: str = "") -> None:
    """Draw the device cut open: its layers, and the spin accumulation on the cut. Collective.

    Parameters
    ----------
    path
        Ends in ``.png``.
    """
    terms = [(1e6 * weight, f) for weight, f in solution.accumulation_terms]
    grid = gather_grid(solution.domain, {"accumulation": terms})
    if grid is None or solution.domain.comm.rank != 0:
        return
    if solution.domain.dim == 3:
        _draw_solid(grid, solution, path, title)
    else:
        _draw_section(grid, solution, path, title)


_BAR = {
    "title": "spin accumulation (\u00b5V)\n",
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


def _limits(values: NDArray[np.float64]) -> tuple[float, float]:
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


def _shoot(plotter: Any, path: Path, zoom: float, extent: tuple[float, float] | None = None) -> None:
    """Frame the scene above the colour bar, and write the picture.

    A plane scene of the given extent (nm) fills the space between title and bar.
    """
    plotter.enable_parallel_projection()
    plotter.reset_camera()
    camera = plotter.camera
    camera.zoom(zoom)
    if extent is not None:
        width, height = plotter.window_size
        camera.parallel_scale = max(extent[1] / 0.66, extent[0] / 0.84 * height / width) / 2
    # Look a little lower than the middle, so that the device stands clear of the bar.
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

    # Pieces as (solid, planes inside the rest, plane of the cut).
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


def _draw_solid(grid: pyvista.UnstructuredGrid, solution: TransportSolution, path: Path, title: str) -> None:
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
    shown = [cut.point_data["accumulation"] for _, _, cut in parts if cut is not None]
    limits = _limits(np.concatenate(shown or [grid.point_data["accumulation"]]))
    for layer, skin, cut in parts:
        if skin is not None:
            plotter.add_mesh(skin, color=colours[layer.material.name], ambient=0.3, specular=0.1)
        if cut is not None:
            look = {"cmap": "RdBu_r", "clim": limits, "lighting": False, "scalar_bar_args": _BAR}
            plotter.add_mesh(cut, scalars="accumulation", **look)
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
                # A little towards the eye, or lines and faces would fight for the same pixels.
                plotter.add_mesh(outline.translate(3e-3 * size * eye), color="#303030", line_width=1.6)
    _legend(plotter, stack)
    if title:
        plotter.add_text(title, font_size=16, color="black", position="upper_edge")
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2, (z0 + z1) / 2])
    plotter.camera_position = [tuple(middle + 3 * size * eye), tuple(middle), (0, 0, 1)]
    _shoot(plotter, path, 1.18 if pillar else 1.35)


def _draw_section(grid: pyvista.UnstructuredGrid, solution: TransportSolution, path: Path, title: str) -> None:
    stack = solution.stack
    plotter = _scene((1400, 900))
    limits = _limits(grid.point_data["accumulation"])
    for i in range(len(stack.layers)):
        part = grid.extract_cells(grid.cell_data["layer"] == i)
        surface = part.extract_surface(algorithm=None)
        plotter.add_mesh(
            surface,
            scalars="accumulation",
            cmap="RdBu_r",
            clim=limits,
            lighting=False,
            scalar_bar_args=_BAR,
        )
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


def _draw_exact(axes: tuple[Any, Any], exact: MultilayerSolution, position: NDArray[np.float64], colour: str) -> None:
    """Add a 1D solution, centred in the range of positions (m)."""
    e, (top, bottom) = exact, axes
    z = position / 1e-9
    length = (e.boundaries[-1] - e.boundaries[0]) / 1e-9
    whole = abs(length / np.ptp(z) - 1) < 1e-6
    shift = (z.min() + z.max() - length) / 2 - e.boundaries[0] / 1e-9
    look = {"ls": "--", "lw": 0.9 if whole else 1.2, "color": "k" if whole else colour}
    for i in range(len(e.boundaries) - 1):
        x = np.linspace(e.boundaries[i], e.boundaries[i + 1], 200)
        up, down = e.potentials(x, i)
        top.plot(x / 1e-9 + shift, (up - down) / 1e-6, **look)
        if whole:
            bottom.plot(x / 1e-9 + shift, (up + down) / 2e-3, **look)


def plot_profiles(
    comm: MPI.Intracomm,
    path: Path,
    profiles: Mapping[str, tuple[Stack, Profile]],
    exact: Mapping[str, MultilayerSolution],
    *,
    title: str = "",
) -> None:
    """Draw accumulation and potential along the axis, one colour per state, on rank 0.

    Parameters
    ----------
    profiles
        Per state, the stack and its sampled profile.
    exact
        Per state, a 1D solution to draw as a dashed line; may be empty. If its stack is shorter than the
        device (no wide leads), it is drawn in the middle, and its accumulation only.
    """
    if comm.rank != 0:
        return
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (top, bottom) = plt.subplots(2, 1, figsize=(7.6, 6.4), sharex=True, layout="constrained")
    stack, profile = next(iter(profiles.values()))
    colours = material_colours(stack)
    z = profile.position / 1e-9
    crowded = False
    for i, layer in enumerate(stack):
        low, high = z[profile.layer == i].min(), z[profile.layer == i].max()
        for ax in (top, bottom):
            ax.axvspan(low, high, color=colours[layer.material.name], alpha=0.35, lw=0)
        if high - low <= 0.03 * (z.max() - z.min()):
            crowded = True
        else:
            top.text(
                (low + high) / 2,
                1.01,
                layer.material.name,
                ha="center",
                va="bottom",
                fontsize=9,
                transform=top.get_xaxis_transform(),
            )
    for (state, (stack, p)), colour in zip(profiles.items(), _LINES * len(profiles), strict=False):
        name = "" if state == "default" else state
        for i in range(len(stack.layers)):
            at = p.layer == i
            top.plot(z[at], p.accumulation[at] / 1e-6, color=colour, lw=2.4, label=name if i == 0 else None)
            bottom.plot(z[at], p.mean[at] / 1e-3, color=colour, lw=2.4)
        if state in exact:
            _draw_exact((top, bottom), exact[state], profile.position, colour)
    if exact:
        same = len(next(iter(exact.values())).boundaries) == len(stack.layers) + 1
        top.plot([], [], "k--", lw=0.9, label="1D exact" if same else "1D exact, no wide leads")
    top.axhline(0, color="0.4", lw=0.6)
    top.set_ylabel("spin accumulation\n" r"$\phi_\uparrow-\phi_\downarrow$ ($\mu$V)")
    bottom.set_ylabel(r"$(\phi_\uparrow+\phi_\downarrow)/2$ (mV)")
    bottom.set_xlabel("position along the stack (nm)")
    bottom.set_xlim(z.min(), z.max())
    if any(s != "default" for s in profiles) or exact:
        top.legend(frameon=False, fontsize=9)
    if crowded:
        # Layers too thin for their names.
        patches = [plt.Rectangle((0, 0), 1, 1, color=c, alpha=0.5, lw=0) for c in colours.values()]
        bottom.legend(patches, list(colours), frameon=False, fontsize=9, ncols=len(colours))
    if title:
        figure.suptitle(title, fontsize=11)
    figure.savefig(path, dpi=150)
    plt.close(figure)
