"""Pictures of vortices in films, drawn on rank 0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .palette import LINES, prefixed
from .panels import plain, save
from .texture import Motion

type Array = NDArray[Any]

BLUE, RED, GREEN, PURPLE = LINES


def _map(ax: Any, motion: Motion, points: Array, m: Array, until: float) -> Any:
    """Draw m_z with arrows of m in the plane, and the way of the core up to a time (s)."""
    from matplotlib.tri import LinearTriInterpolator, Triangulation

    x, y = points.T * 1e9
    triangles = Triangulation(x, y)
    # A hole has triangles with long sides only.
    corners = np.stack([x, y], axis=1)[triangles.triangles]
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    triangles.set_mask(longest > 3 * np.median(longest))
    shown = ax.tricontourf(triangles, m[:, 2], levels=np.linspace(-1, 1, 41), cmap="RdBu_r")
    # There are twelve arrows along the longer side.
    apart = max(np.ptp(x), np.ptp(y)) / 13
    sides = [np.arange(v.min() + apart, v.max() - 0.5 * apart, apart) for v in (x, y)]
    a, b = np.meshgrid(*sides)
    along, across = (LinearTriInterpolator(triangles, m[:, k])(a, b) for k in (0, 1))
    ax.quiver(a, b, along, across, color="0.25", scale=16, width=0.006, pivot="mid")
    c = motion.columns
    past = c["time_s"] <= until * (1 + 1e-9)
    if "core_x_m" in c:
        ax.plot(c["core_x_m"][past] * 1e9, c["core_y_m"][past] * 1e9, color="black", lw=1.0)
    ax.set_aspect("equal")
    return shown


def plot_vortex(path: Path, motion: Motion) -> None:
    """Draw the film at three times, the core's way, the mean of m and the voltage."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.5, 7.4), layout="constrained")
    axes = figure.subplots(2, 3)
    end = motion.frames[-1][0]
    scale, unit = prefixed(end, "s")
    for ax, part in zip(axes[0], (0.0, 0.5, 1.0), strict=True):
        moment, points, m = min(motion.frames, key=lambda f: abs(f[0] - part * end))
        shown = _map(ax, motion, points, m, moment)
        ax.set_title(f"{moment / scale:.3g} {unit}", fontsize=11)
        ax.set_xlabel("x (nm)")
    axes[0, 0].set_ylabel("y (nm)")
    figure.colorbar(shown, ax=axes[0, 2], label="$m_z$, top", ticks=[-1, 0, 1], shrink=0.85)
    c, t = motion.columns, motion.columns["time_s"] / scale
    way, mean, volts = axes[1]
    for ax in axes[1]:
        plain(ax)
    if "core_x_m" in c:
        x, y = (np.concatenate([[motion.start[k]], c[k]]) * 1e9 for k in ("core_x_m", "core_y_m"))
        way.plot(x, y, color=BLUE, lw=1.3)
        way.plot(x[:1], y[:1], "o", color=BLUE, mfc="white", ms=6)
        way.plot(x[-1:], y[-1:], "o", color=BLUE, ms=6)
        way.set(xlabel="x of the core (nm)", ylabel="y of the core (nm)")
        way.set_aspect("equal", adjustable="datalim")
    else:
        way.plot(t, c["energy_J"], color=BLUE, lw=1.5)
        way.set(xlabel=f"time ({unit})", ylabel="energy (J, or per depth in a plane)")
    for name, colour in zip("xyz", LINES, strict=False):
        mean.plot(t, c[f"m_{name}"], color=colour, lw=1.5, label=f"$m_{name}$")
    mean.set(xlabel=f"time ({unit})", ylabel="mean of $m$")
    mean.legend(frameon=False, fontsize=9.5)
    emf = c["electromotive_force_V"]
    volt, of = prefixed(float(np.abs(emf).max(initial=0.0)), "V")
    volts.plot(c["middle_s"] / scale, emf / volt, color=RED, lw=1.4)
    volts.set(xlabel=f"time ({unit})", ylabel=f"electromotive force, ends ({of})")
    if motion.title:
        figure.suptitle(motion.title, fontsize=13)
    save(figure, path)


def animate_vortex(path: Path, motion: Motion) -> None:
    """Draw a GIF: the film, with the core's way so far."""
    from matplotlib.animation import FuncAnimation, PillowWriter
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    ax = figure.subplots()
    scale, unit = prefixed(motion.frames[-1][0], "s")
    chosen = motion.frames[:: max(1, len(motion.frames) // 80)]

    def draw(k: int) -> tuple[Any, ...]:
        now, points, m = chosen[k]
        ax.clear()
        _map(ax, motion, points, m, now)
        ax.set(title=f"{now / scale:.3f} {unit}", xlabel="x (nm)", ylabel="y (nm)")
        return ()

    FuncAnimation(figure, draw, frames=len(chosen)).save(path, writer=PillowWriter(fps=15), dpi=80)
