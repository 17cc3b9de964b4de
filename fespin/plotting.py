"""Pictures: drawn off screen by rank 0, from cells that all ranks send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from dolfinx import fem, plot
from mpi4py import MPI
from numpy.typing import NDArray

from .device import Contact, Stack
from .domain import Domain
from .onsager.broken import broken_space
from .transport.multilayer import MultilayerSolution, solve_multilayer
from .transport.solution import Profile, TransportSolution

if TYPE_CHECKING:
    import pyvista

# One colour per material, in the order of appearance; magnets take the warm ones.
_METALS = ("#d9c9a3", "#c9d3dc", "#b7c9a8", "#cfc0dc", "#a9c7c5")
_MAGNETS = ("#b5533c", "#d28f33", "#8c4a6b", "#c7746a", "#7a5c3e")
_LINES = ("#1f4e79", "#c0392b", "#2e7d32", "#6a3d9a")


def material_colours(stack: Stack) -> dict[str, str]:
    """Return a colour for each material of a stack."""
    out: dict[str, str] = {}
    for x in stack:
        if x.material.name not in out:
            palette = _MAGNETS if x.material.ferromagnetic else _METALS
            used = sum(c in palette for c in out.values())
            out[x.material.name] = palette[used % len(palette)]
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
    degree = min(2, next(iter(functions.values()))[0][1].function_space.element.basix_element.degree)
    space, _ = broken_space(fem.functionspace(domain.mesh, ("Lagrange", degree)), domain.region)
    n = domain.owned_cells
    cells, types, x = plot.vtk_mesh(space)
    cells = cells.reshape(-1, cells[0] + 1)[:n, 1:]
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
    part = (local.reshape(cells.shape), types[:n], x[used] / 1e-9, domain.region[:n], values)
    parts = domain.comm.gather(part, 0)
    if parts is None:
        return None
    import pyvista

    offsets = np.cumsum([0] + [len(p[2]) for p in parts])
    joined = np.concatenate([p[0] + o for p, o in zip(parts, offsets, strict=False)])
    with_size = np.hstack([np.full((len(joined), 1), joined.shape[1]), joined])
    grid = pyvista.UnstructuredGrid(
        with_size.ravel(), np.concatenate([p[1] for p in parts]), np.concatenate([p[2] for p in parts])
    )
    grid.cell_data["layer"] = np.concatenate([p[3] for p in parts])
    for name in functions:
        grid.point_data[name] = np.concatenate([p[4][name] for p in parts])
    return grid


def _scene(path: Path, size: tuple[int, int]) -> Any:
    import pyvista

    pyvista.OFF_SCREEN = True
    plotter = pyvista.Plotter(off_screen=True, window_size=list(size))
    plotter.set_background("white")
    return plotter


def plot_device(solution: TransportSolution, path: Path, *, title: str = "") -> None:
    """Draw the device cut open: its layers, and the spin accumulation on the cut. Collective.

    Parameters
    ----------
    path
        Ends in ``.png``.
    """
    s = solution.fields["s"]
    grid = gather_grid(solution.domain, {"accumulation": [(2e6, s)]})
    if grid is None or solution.domain.comm.rank != 0:
        return
    if solution.domain.dim == 3:
        _draw_solid(grid, solution, path, title)
    else:
        _draw_section(grid, solution, path, title)


_BAR = {
    "title": "phi_up - phi_dn (uV)",
    "color": "black",
    "vertical": True,
    "height": 0.6,
    "width": 0.06,
    "position_x": 0.89,
    "position_y": 0.2,
    "title_font_size": 18,
    "label_font_size": 16,
    "fmt": "%.3g",
}


def _limits(values: NDArray[np.float64]) -> tuple[float, float]:
    top = float(np.abs(values).max(initial=0.0)) or 1.0
    return -top, top


def _legend(plotter: Any, stack: Stack) -> None:
    colours = material_colours(stack)
    plotter.add_legend(
        [[name, colour] for name, colour in colours.items()],
        bcolor="white",
        border=False,
        size=(0.12, 0.05 * len(colours)),
        loc="upper left",
        face="rectangle",
    )


def _draw_solid(grid: pyvista.UnstructuredGrid, solution: TransportSolution, path: Path, title: str) -> None:
    stack, colours = solution.stack, material_colours(solution.stack)
    x0, x1, y0, y1, z0, z1 = grid.bounds
    plotter = _scene(path, (1400, 1050))
    centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2, (z0 + z1) / 2])
    limits = _limits(grid.point_data["accumulation"])
    lateral = "left" in solution.voltages
    normal = (0, 1, 0) if not lateral else (0, -1, 0)
    origin = (centre[0], centre[1] if lateral else 0.0, centre[2])
    for i, layer in enumerate(stack):
        part = grid.extract_cells(grid.cell_data["layer"] == i)
        # The half behind the cut keeps its skin; the cut shows the accumulation.
        half = part.clip(normal=normal, origin=origin, invert=lateral)
        if not half.n_cells:
            continue
        skin = half.extract_surface(nonlinear_subdivision=0, algorithm=None)
        plotter.add_mesh(skin, color=colours[layer.material.name], smooth_shading=False, ambient=0.25, specular=0.15)
        cut = part.slice(normal=normal, origin=origin)
        if cut.n_points:
            cut.translate((0, -2e-3 * (y1 - y0) if not lateral else -2e-3 * (y1 - y0), 0), inplace=True)
            plotter.add_mesh(cut, scalars="accumulation", cmap="RdBu_r", clim=limits, lighting=False, scalar_bar_args=_BAR)
            edges = cut.extract_feature_edges(
                boundary_edges=True, feature_edges=False, manifold_edges=False, non_manifold_edges=False
            )
            plotter.add_mesh(edges, color="#303030", line_width=1.5)
    _legend(plotter, stack)
    if title:
        plotter.add_text(title, font_size=13, color="black", position="upper_edge")
    size = max(x1 - x0, y1 - y0, z1 - z0)
    eye = (0.55, -1.6, 0.75) if not lateral else (0.45, -1.5, 0.9)
    plotter.camera_position = [tuple(centre + size * np.array(eye)), tuple(centre), (0, 0, 1)]
    plotter.camera.zoom(1.25)
    plotter.screenshot(str(path))
    plotter.close()


def _draw_section(grid: pyvista.UnstructuredGrid, solution: TransportSolution, path: Path, title: str) -> None:
    stack = solution.stack
    plotter = _scene(path, (1400, 900))
    limits = _limits(grid.point_data["accumulation"])
    for i in range(len(stack.layers)):
        part = grid.extract_cells(grid.cell_data["layer"] == i)
        plotter.add_mesh(part, scalars="accumulation", cmap="RdBu_r", clim=limits, lighting=False, scalar_bar_args=_BAR)
        edges = part.extract_surface(nonlinear_subdivision=0, algorithm=None).extract_feature_edges(
            boundary_edges=True, feature_edges=False, manifold_edges=False, non_manifold_edges=False
        )
        plotter.add_mesh(edges, color="#303030", line_width=2)
    if title:
        plotter.add_text(title, font_size=13, color="black", position="upper_edge")
    plotter.view_xy()
    plotter.camera.zoom(1.2)
    plotter.screenshot(str(path))
    plotter.close()


def exact_multilayer(stack: Stack, contacts: Mapping[str, Contact], current_density: float) -> MultilayerSolution:
    """Return the exact 1D solution of the same stack at the same current density."""
    return solve_multilayer(
        stack, contacts.get("bottom", Contact()), contacts.get("top", Contact()), current_density
    )


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
        Per state, the 1D solution to draw as a thin line; may be empty.
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
    for i, layer in enumerate(stack):
        low, high = z[profile.layer == i].min(), z[profile.layer == i].max()
        for ax in (top, bottom):
            ax.axvspan(low, high, color=colours[layer.material.name], alpha=0.35, lw=0)
        if high - low > 0.04 * (z.max() - z.min()):
            top.text((low + high) / 2, 1.01, layer.material.name, ha="center", va="bottom", fontsize=9,
                     transform=top.get_xaxis_transform())
    for (state, (stack, p)), colour in zip(profiles.items(), _LINES * len(profiles), strict=False):
        name = "" if state == "default" else state
        for i in range(len(stack.layers)):
            at = p.layer == i
            mean = (p.phi_up + p.phi_down) / 2
            top.plot(z[at], p.accumulation[at] / 1e-6, color=colour, lw=2.4, label=name if i == 0 else None)
            bottom.plot(z[at], mean[at] / 1e-3, color=colour, lw=2.4)
            if state in exact:
                e = exact[state]
                x = np.linspace(e.boundaries[i], e.boundaries[i + 1], 200)
                up, down = e.potentials(x, i)
                shift = z.min() - e.boundaries[0] / 1e-9
                label = "1D exact" if i == 0 and colour == _LINES[0] else None
                top.plot(x / 1e-9 + shift, (up - down) / 1e-6, "k--", lw=0.9, label=label)
                bottom.plot(x / 1e-9 + shift, (up + down) / 2e-3, "k--", lw=0.9)
    top.axhline(0, color="0.4", lw=0.6)
    top.set_ylabel("spin accumulation\n" r"$\phi_\uparrow-\phi_\downarrow$ ($\mu$V)")
    bottom.set_ylabel(r"$(\phi_\uparrow+\phi_\downarrow)/2$ (mV)")
    bottom.set_xlabel("position along the stack (nm)")
    bottom.set_xlim(z.min(), z.max())
    if any(s != "default" for s in profiles) or exact:
        top.legend(frameon=False, fontsize=9)
    if title:
        figure.suptitle(title, fontsize=11)
    figure.savefig(path, dpi=150)
    plt.close(figure)
