"""Pictures of the sphere of directions: rank 0 draws what all ranks send; curves are in sphere_curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from scipy.interpolate import CloughTocher2DInterpolator, PchipInterpolator
from scipy.spatial import cKDTree

from ..energy.on_sphere import Array
from ..errors import InputError
from ..macrospin.landscape import Landscape, survey
from ..macrospin.spin import Macrospin, fibonacci
from ..macrospin.torque import Torque
from ..mpi import has_best
from ..quantities import direction, leading_sign
from ..sigma.dimensionless import DimensionlessDrift
from ..sigma.distribution import Distribution
from ..sigma.fields import ranks_of
from ..sigma.fourier import Fourier
from ..sigma.meridian import Meridian
from .sphere_curves import plot_eigenvalues, plot_hysteresis, plot_noise, plot_write_error

__all__ = ["plot_density", "plot_eigenvalues", "plot_hysteresis", "plot_noise", "plot_write_error"]

_ARROW = "#c0392b"
_INK = "#1a1a1a"

_PIXELS = 800
_ARROWS = 420  # on the whole sphere
_LENGTHS = (0.05, 0.17)  # of arrows, in radii
_EDGE = 1.08  # half the height of a view, in radii


@dataclass(frozen=True)
class _Logarithm:
    """log10 of a density: a function of the visible directions, its limits, and whether it is cut off."""

    evaluate: Callable[[Array, Array], Array]
    low: float
    high: float
    cut: bool


def plot_density(
    distribution: Distribution,
    path: Path,
    *,
    spin: Macrospin,
    torque: Torque | None = None,
    title: str = "",
    decades: float = 12.0,
    view: Sequence[float] | None = None,
    comm: MPI.Intracomm | None = None,
) -> None:
    """Draw a density on the unit sphere from two opposite sides, so that all of it is seen. Collective.

    Colours are the logarithm of the density, lines the energy, arrows the probability current -L grad mu + rho X, which
    is zero in equilibrium.

    Parameters
    ----------
    path
        Ends in ``.png``.
    torque
        Spin torque that drives the current besides energy and temperature.
    decades
        Densities further below the maximum have the lowest colour, and no arrows. So have those that are lost in
        the noise of the solution, as its negative values show; the picture then says so.
    view
        Direction from which the first view is taken; by default the deepest well is seen.
    comm
        Ranks that call. Needed on a meridian only, which every rank holds for itself; default: all ranks.

    Raises
    ------
    InputError
        If `decades` is not positive or the view has no direction.

    Examples
    --------
    >>> from pathlib import Path
    >>> from fespin.plotting import plot_density
    >>> torque = fs.SpinTorque.critical(spin, -0.2)
    >>> steady = fs.FokkerPlanck(comm, spin, torque).steady()
    >>> plot_density(steady, Path("density.png"), spin=spin, torque=torque, comm=comm)
    >>> Path("density.png").exists()
    True
    """
    if not 0 < decades < 300:
        raise InputError(f"picture: decades is {decades!r}; it must be positive and below 300")
    eye = None if view is None else np.array(direction(view, "picture", "view"))
    ranks = ranks_of(distribution, comm)
    top = ranks.allreduce(float(distribution.nodes.max(initial=1e-290)), op=MPI.MAX)
    noise = max(-2 * distribution.minimum_density, 0.0)
    least = min(max(top * 10**-decades, noise), top / 10)
    density = _logarithm(distribution, least, ranks)
    where, current = _current(distribution, DimensionlessDrift(spin, torque), least, ranks)
    if density is None:
        return
    from matplotlib import colormaps
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    land = survey(spin)
    # The darkest part of the colour map is left out: lines and arrows would not be seen on it.
    colours = LinearSegmentedColormap.from_list("density", colormaps["YlGnBu"](np.linspace(0.0, 0.8, 64)))
    figure = Figure(figsize=(12.0, 7.0))
    eye = _eye(land) if eye is None else eye
    levels = _levels(land)
    for k, d in enumerate((eye, -eye)):
        ax = figure.add_axes((0.005 + 0.5 * k, 0.215, 0.49, 0.665))
        frame = _View.along(d)
        image = _draw_density(ax, frame, density, colours)
        _draw_energy(ax, frame, spin, levels)
        _draw_current(ax, frame, where, current)
        _draw_marks(ax, frame, land)
    scale = float(np.linalg.norm(current, axis=1).max(initial=0.0)) * spin.diffusion
    _draw_legend(figure, image, density.cut, levels, scale, land)
    if noise >= least:
        digits = _power(least)
        note = f"Where the density is below {digits} per steradian, it is noise, with negative values. Refine the mesh."
        figure.text(0.5, 0.012, note, ha="center", fontsize=11, color=_ARROW)
    if title:
        figure.suptitle(title, fontsize=16, y=0.98, color=_INK)
    figure.savefig(path, dpi=150, facecolor="white")


def _logarithm(distribution: Distribution, least: float, ranks: MPI.Intracomm) -> _Logarithm | None:
    """Return the logarithm of a density on rank 0, None elsewhere. Collective."""
    surface = distribution.surface
    if isinstance(surface, Meridian):
        u, rho = surface.nodes, distribution.nodes
    elif isinstance(surface, Fourier):
        _, u, rho = surface.shown(distribution.nodes)
    else:
        parts = ranks.gather((surface.nodes, distribution.nodes), 0)
        if parts is not None:
            u, rho = (np.concatenate([p[k] for p in parts]) for k in range(2))
    if ranks.rank != 0:
        return None
    # The logarithm of the density is interpolated, because it is as smooth as the energy; the density itself is not.
    logs = np.log10(np.maximum(rho, least))
    low, high = float(logs.min()), float(logs.max())
    if high - low < 0.02:
        low, high = low - 0.5, high + 0.5

    def around(at: Array, eye: Array) -> Array:
        known, first = np.unique(np.arccos(np.clip(u @ surface.axis, -1, 1)), return_index=True)
        return np.asarray(PchipInterpolator(known, logs[first])(np.arccos(np.clip(at @ surface.axis, -1, 1))))

    def across(at: Array, eye: Array) -> Array:
        near = u @ eye > (-0.35 if len(u) > 2000 else -0.95)  # so that the rim lies inside
        flat = _View.along(eye).flat
        return np.asarray(CloughTocher2DInterpolator(flat(u[near]), logs[near])(flat(at)))

    return _Logarithm(around if isinstance(surface, Meridian) else across, low, high, bool(rho.min() < least))


def _current(
    distribution: Distribution, reduced: DimensionlessDrift, least: float, ranks: MPI.Intracomm
) -> tuple[Array, Array]:
    """Return directions spread over the sphere and J/D there, (n, 3) each, where there is any. Collective."""
    surface, rho = distribution.surface, distribution.points
    u, aims = surface.points, fibonacci(_ARROWS)
    current = distribution.current(reduced)
    # J is the difference of two large parts. Where they cancel up to rounding, no arrow is drawn.
    size = np.linalg.norm(distribution.gradient, axis=1)
    size += np.abs(rho) * np.linalg.norm(reduced.velocity(u), axis=1)
    values = np.column_stack([u, current, rho, size])
    if isinstance(surface, Meridian):
        samples = _revolved(values, surface.axis, aims)
    else:
        distance, nearest = np.full(_ARROWS, np.inf), np.zeros(_ARROWS, dtype=int)
        if len(u):
            distance, nearest = cKDTree(u).query(aims)
        mine = values[nearest] if len(u) else np.zeros((_ARROWS, 8))
        samples = np.where(has_best(ranks, -distance)[:, None], mine, 0.0)
        ranks.Allreduce(MPI.IN_PLACE, samples)
    rate = np.linalg.norm(samples[:, 3:6], axis=1)
    drawn = (samples[:, 6] >= least) & (rate > 1e-9 * samples[:, 7]) & (rate > 1e-10 * samples[:, 6])
    return samples[drawn, :3], samples[drawn, 3:6]


def _revolved(values: Array, axis: Array, aims: Array) -> Array:
    """Turn values on a meridian, directions (n, 3), vectors (n, 3) and numbers in columns, to other directions."""

    def angle(u: Array) -> Array:
        return np.asarray(np.arccos(np.clip(u @ axis, -1, 1)))

    def frame(u: Array) -> tuple[Array, Array]:
        east = np.cross(axis, u)
        east /= np.linalg.norm(east, axis=1)[:, None]
        return np.cross(east, u), east

    values = values[np.argsort(angle(values[:, :3]))]
    known_angles, aim_angles = angle(values[:, :3]), angle(aims)
    vector = np.zeros_like(aims)
    for here, there in zip(frame(values[:, :3]), frame(aims), strict=True):
        along = np.sum(values[:, 3:6] * here, axis=1)
        vector += np.interp(aim_angles, known_angles, along)[:, None] * there
    return np.column_stack([aims, vector, *(np.interp(aim_angles, known_angles, c) for c in values[:, 6:].T)])


@dataclass(frozen=True)
class _View:
    """The sphere as seen from far away."""

    eye: Array
    right: Array
    up: Array

    @classmethod
    def along(cls, eye: Array) -> _View:
        pole = np.array([0.0, 0.0, 1.0]) if abs(eye[2]) < 0.999 else np.array([0.0, 1.0, 0.0])
        right = np.cross(pole, eye)
        right /= np.linalg.norm(right)
        return cls(eye, right, np.cross(eye, right))

    def project(self, x: Array) -> Array:
        """Return places in the picture (n, 2) of vectors (n, 3)."""
        return np.stack([x @ self.right, x @ self.up], axis=-1)

    def flat(self, u: Array) -> Array:
        """Return directions (n, 3) on a map of equal areas (n, 2), which goes on beyond the rim."""
        return np.asarray(self.project(u) * np.sqrt(2 / (1 + u @ self.eye))[:, None])

    def pixels(self) -> tuple[Array, Array, Array]:
        """Return abscissae (n,), distances from the middle (n, n), and directions (n n, 3) of the pixels."""
        x = np.linspace(-1.005, 1.005, _PIXELS)
        a, b = np.meshgrid(x, x)
        r = np.hypot(a, b)
        # Pixels that the rim cuts take the colour at the rim.
        a, b = a / np.maximum(r, 1), b / np.maximum(r, 1)
        depth = np.sqrt(np.maximum(1 - a**2 - b**2, 0))
        u = a[..., None] * self.right + b[..., None] * self.up + depth[..., None] * self.eye
        return x, r, u.reshape(-1, 3)


def _eye(land: Landscape) -> Array:
    """Return a direction of view in which the deepest well is neither at the rim nor in the middle."""
    well = land.wells[0].direction if land.wells else np.array([0.0, 0.0, 1.0])
    well = well * leading_sign(well)
    aside = np.array([0.5, -0.75, 0.45])
    aside = aside - (aside @ well) * well
    return np.asarray(np.cos(0.95) * well + np.sin(0.95) * aside / np.linalg.norm(aside))


def _levels(land: Landscape) -> Array:
    """Return energies (kT) to draw lines at."""
    from matplotlib.ticker import MaxNLocator

    if land.highest - land.lowest < 1e-6:
        return np.zeros(0)
    ticks = MaxNLocator(9).tick_values(land.lowest, land.highest)
    return np.array([x for x in ticks if land.lowest < x < land.highest])


def _draw_density(ax: Any, view: _View, density: _Logarithm, colours: Any) -> Any:
    from matplotlib.patches import Circle

    x, r, u = view.pixels()
    values = np.clip(density.evaluate(u, view.eye), density.low, density.high).reshape(r.shape)
    look = {"extent": (x[0], x[-1], x[0], x[-1]), "origin": "lower", "interpolation": "bilinear"}
    image = ax.imshow(values, cmap=colours, vmin=density.low, vmax=density.high, zorder=1, **look)
    # The ball is drawn darker towards its rim; otherwise it would look like a disc.
    depth = np.sqrt(np.maximum(1 - r**2, 0))
    shade = ax.imshow(np.zeros(r.shape), cmap="gray", alpha=0.2 * (1 - depth) ** 2, zorder=1.5, **look)
    ax.set(xlim=(-_EDGE, _EDGE), ylim=(-_EDGE, _EDGE), aspect="equal")
    ax.axis("off")
    rim = Circle((0, 0), 1, fill=False, ec=_INK, lw=1.1, zorder=4)
    ax.add_patch(rim)
    image.set_clip_path(rim)
    shade.set_clip_path(rim)
    return image


def _halo(width: float) -> list[Any]:
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=width, foreground=(1, 1, 1, 0.8))]


def _signed(x: float) -> str:
    return f"{x:g}".replace("-", "\u2212")


def _draw_energy(ax: Any, view: _View, spin: Macrospin, levels: Array) -> None:
    if not len(levels):
        return
    x, r, u = view.pixels()
    energy = np.where(r <= 1, spin.reduced_energy(u).reshape(r.shape), np.nan)
    lines = ax.contour(x, x, energy, levels, colors=_INK, linewidths=0.7, linestyles="solid", alpha=0.75, zorder=2)
    for text in ax.clabel(lines, fmt=_signed, fontsize=9, inline=False, zorder=5):
        text.set(path_effects=_halo(2.2), alpha=1.0)
        if np.hypot(*text.get_position()) > 0.93:  # labels at the rim would cover each other
            text.remove()


def _draw_current(ax: Any, view: _View, where: Array, current: Array) -> None:
    rate = np.linalg.norm(current, axis=1)
    if not len(rate):
        return
    logs = np.log10(rate)
    share = (logs - logs.min()) / max(float(np.ptp(logs)), 1e-9) if np.ptp(logs) > 1e-3 else np.ones(len(logs))
    length = _LENGTHS[0] + (_LENGTHS[1] - _LENGTHS[0]) * share
    front = where @ view.eye > 0.22
    at, along = view.project(where[front]), view.project((current / rate[:, None] * length[:, None])[front])
    ax.quiver(
        *at.T, *along.T, angles="xy", scale_units="xy", scale=1, units="xy", pivot="mid", width=0.012,
        headwidth=4.2, headlength=4.6, headaxislength=4.0, minlength=0, minshaft=1.2,
        color=_ARROW, ec="white", lw=0.5, zorder=3,
    )  # fmt: skip


def _draw_marks(ax: Any, view: _View, land: Landscape) -> None:
    """Draw the axes, behind the sphere or in front of it, and wells and passes on the side that is seen."""
    for name, e in zip("xyz", np.eye(3), strict=True):
        front = e @ view.eye > 0
        start, tip, label = (view.project(r * e) for r in (1.0 if front else 0.0, 1.25, 1.34))
        if not front and np.linalg.norm(tip) < 1.02:
            continue
        look = {"arrowstyle": "-|>", "lw": 1.5, "color": "0.3", "shrinkA": 0, "shrinkB": 0, "mutation_scale": 13}
        ax.annotate("", tip, start, arrowprops=look, annotation_clip=False, zorder=5 if front else 0)
        look = {"ha": "center", "va": "center", "fontsize": 15, "style": "italic", "path_effects": _halo(3)}
        ax.text(*label, name, color=_INK, zorder=7, **look)
    for marks, look in (
        ([w.direction for w in land.wells], {"marker": "o", "s": 62, "fc": "white", "ec": _INK, "lw": 1.5}),
        (land.saddles, {"marker": "X", "s": 62, "fc": "white", "ec": _INK, "lw": 1.1}),
    ):
        visible = np.array([m for m in marks if m @ view.eye > 0]).reshape(-1, 3)
        ax.scatter(*view.project(visible).T, zorder=5, **look)


def _power(x: float) -> str:
    digits, power = f"{x:.1e}".split("e")
    return rf"${digits}\times10^{{{int(power)}}}$"


def _draw_legend(figure: Any, image: Any, cut: bool, levels: Array, scale: float, land: Landscape) -> None:
    from matplotlib.lines import Line2D

    bar = figure.colorbar(
        image, cax=figure.add_axes((0.27, 0.165, 0.46, 0.025)), orientation="horizontal",
        extend="min" if cut else "neither",
    )  # fmt: skip
    bar.set_label(r"$\log_{10}$ of the density per steradian", fontsize=13, color=_INK)
    bar.ax.tick_params(labelsize=12)
    look: dict[str, Any] = {"ls": "none", "ms": 8, "mfc": "white", "mec": _INK}
    entries = [Line2D([], [], marker="o", mew=1.5, label="well", **look)] if land.wells else []
    entries += [Line2D([], [], marker="X", label="pass", **look)] if land.saddles else []
    if len(levels) > 1:
        label = f"energy E/kT, {_signed(levels[0])} to {_signed(levels[-1])} in steps of {levels[1] - levels[0]:g}"
        entries.append(Line2D([], [], color=_INK, lw=0.9, label=label))
    if scale > 0:
        label = f"probability current, up to {_power(scale)} /(s rad), lengths logarithmic"
        entries.append(Line2D([], [], ls="none", marker=r"$\rightarrow$", ms=15, color=_ARROW, label=label))
    else:
        entries.append(Line2D([], [], ls="none", label="no probability current"))
    figure.legend(
        handles=entries, loc="lower center", ncols=len(entries), frameon=False, fontsize=11.5,
        bbox_to_anchor=(0.5, 0.025), columnspacing=1.5, handletextpad=0.5, handlelength=1.6,
    )  # fmt: skip
