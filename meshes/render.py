"""Draw the meshes of this folder, coloured by layer: python render.py [NAME.geo ...] -> images/NAME.png

Solids are cut open at y = 0. Colours follow the case file next to each geometry.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import gmsh
import numpy as np
import pyvista
from PIL import Image, ImageDraw, ImageFont, ImageOps

from fespin.cases import casefile

HERE = Path(__file__).parent
METALS = ("#d8c49a", "#cdb487", "#e3d3b0", "#c3ac80", "#eadfc6")
MAGNETS = ("#a8442f", "#d98e2b", "#7d4667")
CONTACT = "#1f5fa8"
# Where the camera stands, seen from the centre.
VIEWS = {
    "pillar": (0.45, -1.6, 0.75),
    "tapered_pillar": (0.35, -1.6, 0.45),
    "point_contact": (0.25, -1.5, 0.75),
    "lateral_valve": (0.3, -1.1, 1.15),
    "sphere": (0.45, -1.35, 0.75),
}
WHOLE = ("lateral_valve",)


def read(path: Path) -> tuple[int, dict[str, pyvista.UnstructuredGrid], dict[str, pyvista.PolyData]]:
    """Mesh a geometry; return its dimension, its cell groups and its boundary groups."""
    gmsh.initialize(interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    gmsh.open(str(path))
    dim = gmsh.model.getDimension()
    gmsh.model.mesh.generate(dim)
    tags, x, _ = gmsh.model.mesh.getNodes()
    place = np.zeros(int(tags.max()) + 1, int)
    place[tags.astype(int)] = np.arange(len(tags))
    x = x.reshape(-1, 3)
    parts: dict[int, dict[str, Any]] = {dim: {}, dim - 1: {}}
    for d, t in gmsh.model.getPhysicalGroups():
        nodes = [gmsh.model.mesh.getElements(d, e)[2] for e in gmsh.model.getEntitiesForPhysicalGroup(d, t)]
        cells = place[np.concatenate([n[0] for n in nodes]).astype(int)].reshape(-1, d + 1)
        kind = {1: pyvista.CellType.LINE, 2: pyvista.CellType.TRIANGLE, 3: pyvista.CellType.TETRA}[d]
        sized = np.hstack([np.full((len(cells), 1), d + 1), cells])
        grid = pyvista.UnstructuredGrid(sized.ravel(), np.full(len(cells), kind), x)
        parts[d][gmsh.model.getPhysicalName(d, t)] = grid
    gmsh.finalize()
    return dim, parts[dim], parts[dim - 1]


def shades(path: Path) -> dict[str, tuple[str, str]]:
    """Return colour and label of each layer, from the case file; a sphere of directions has one colour."""
    case = casefile.read(path.with_suffix(".toml"))[0]
    if case.sphere.mesh is not None:
        return {"sphere": (METALS[0], "sphere")}
    out: dict[str, tuple[str, str]] = {}
    used = [0, 0]
    for layer in case.make_stack():
        magnet = int(layer.material.ferromagnetic)
        palette = (METALS, MAGNETS)[magnet]
        out[layer.name] = (palette[used[magnet] % len(palette)], f"{layer.name} ({layer.material.name})")
        used[magnet] += 1
    return out


def draw(path: Path) -> Path:
    """Draw one geometry."""
    dim, layers, contacts = read(path)
    colours = shades(path)
    plotter = pyvista.Plotter(off_screen=True, window_size=[2400, 1800])
    plotter.set_background("white")
    plotter.enable_anti_aliasing("ssaa")
    cut = dim == 3 and path.stem not in WHOLE
    for name, grid in layers.items():
        half = grid.clip(normal=(0, -1, 0), origin=(0, 0, 0)) if cut else grid
        skin = half.extract_surface(nonlinear_subdivision=0, algorithm=None)
        plotter.add_mesh(
            skin,
            color=colours[name][0],
            show_edges=True,
            edge_color="#5a4c40",
            line_width=1.6,
            ambient=0.45,
            diffuse=0.65,
            specular=0.0,
        )
    labels = {}
    for name, grid in contacts.items():
        half = grid.clip(normal=(0, -1, 0), origin=(0, 0, 0)) if cut else grid
        middle = half.cell_centers().points
        at = (middle.min(axis=0) + middle.max(axis=0)) / 2
        if dim == 2:
            plotter.add_mesh(grid, color=CONTACT, line_width=16)
        else:
            rim = half.extract_surface(nonlinear_subdivision=0, algorithm=None).extract_feature_edges(
                boundary_edges=True, feature_edges=False, manifold_edges=False, non_manifold_edges=False
            )
            plotter.add_mesh(rim, color=CONTACT, line_width=11)
            at[1] = rim.points[:, 1].min() if cut else at[1]
        labels[name] = at
    box = np.array(pyvista.MultiBlock(list(layers.values())).bounds).reshape(3, 2)
    centre, size = box.mean(axis=1), float(np.ptp(box, axis=1).max())
    if box[2, 0] == box[2, 1]:
        plotter.view_xy()
    else:
        plotter.camera_position = [tuple(centre + 1.6 * size * np.array(VIEWS[path.stem])), tuple(centre), (0, 0, 1)]
    picture = Image.fromarray(plotter.screenshot(return_img=True))
    places = {}
    for name, at in labels.items():
        px, py = project(plotter, at, picture.height)
        # A small contact on top must not hide under its own name.
        places[name] = (px, py - 90 if dim == 3 and at[2] > box[2, 1] - 1e-6 * size else py)
    plotter.close()
    out = HERE / "images" / f"{path.stem}.png"
    out.parent.mkdir(exist_ok=True)
    finish(picture, places, [colours[n] for n in colours if n in layers]).save(out, optimize=True)
    cells = sum(g.n_cells for g in layers.values())
    print(f"{out.relative_to(HERE)}: {cells} cells, {out.stat().st_size // 1000} kB")
    return out


def project(plotter: pyvista.Plotter, point: np.ndarray, height: int) -> tuple[float, float]:
    """Return where a point is on the picture, in pixels from its upper left corner."""
    plotter.renderer.SetWorldPoint(*point, 1.0)
    plotter.renderer.WorldToDisplay()
    x, y, _ = plotter.renderer.GetDisplayPoint()
    return x, height - y


def finish(picture: Image.Image, labels: dict[str, tuple[float, float]], legend: list[tuple[str, str]]) -> Image.Image:
    """Crop, shrink, name the contacts, add the legend, reduce the colours."""
    low = ImageOps.invert(picture.convert("L")).getbbox() or (0, 0, *picture.size)
    picture = picture.crop(low)
    scale = min(920 / picture.width, 620 / picture.height)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)
    sheet = Image.new("RGB", (1000, picture.height + 84), "white")
    left, top = (1000 - picture.width) // 2, 24
    sheet.paste(picture, (left, top))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(17)
    for name, (x, y) in labels.items():
        half = pen.textlength(name, font) / 2 + 6
        x, y = left + (x - low[0]) * scale, top + (y - low[1]) * scale
        x = min(max(x, half + 2), 998 - half)
        pen.rounded_rectangle((x - half, y - 12, x + half, y + 13), 4, fill=CONTACT)
        pen.text((x, y), name, fill="white", font=font, anchor="mm")
    widths = [34 + pen.textlength(text, font) for _, text in legend]
    x, y = (1000 - sum(widths) - 22 * (len(legend) - 1)) / 2, sheet.height - 38
    for (colour, text), width in zip(legend, widths, strict=True):
        pen.rectangle((x, y, x + 24, y + 18), fill=colour, outline="#5a4c40")
        pen.text((x + 32, y - 1), text, fill="#222222", font=font)
        x += width + 22
    return sheet.quantize(160, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)


if __name__ == "__main__":
    for each in [Path(a).resolve() for a in sys.argv[1:]] or sorted(HERE.glob("*.geo")):
        draw(each)
