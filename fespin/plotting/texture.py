"""Pictures of textured magnets, drawn on rank 0."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..texture import TexturedMagnet
from .palette import LINES, prefixed
from .panels import GREY, largest, panels, plain, save

type Array = NDArray[Any]

BLUE, RED, GREEN, PURPLE = LINES
_SAND = "#efe9dc"


@dataclass
class Motion:
    """Record of a motion, to be drawn.

    Attributes
    ----------
    columns
        Columns of the record after each step.
    low, length
        Ends of the wire (m).
    start
        The columns of directions at the start.
    probes
        Positions of voltage leads (m).
    axes
        Easy and hard axis.
    dimension
        Dimension of the mesh: energies are per area on a line, per depth in a plane.
    closed_form
        Means of Walker's wall, if they apply.
    span
        Times between which means are taken (s).
    frames
        Time (s), x (n,) and m (n, 3) at some times.
    title
        Title of the picture.
    """

    columns: dict[str, Any]
    low: float
    length: float
    start: dict[str, float]
    probes: tuple[float, ...]
    axes: tuple[Any, Any]
    dimension: int
    closed_form: dict[str, float] | None = None
    span: tuple[float, float] | None = None
    frames: list[tuple[float, Array, Array]] = field(default_factory=list)
    title: str = ""

    @property
    def walls(self) -> bool:
        """Return whether there is a wall."""
        return "position_m" in self.columns


def plot_electromotive_force(
    path: Path,
    magnet: TexturedMagnet,
    curves: dict[str, Array],
    solved: tuple[Array, Array],
    field: float,
    current: float,
    title: str,
) -> None:
    """Draw emf and velocity of a wall against the field.

    Parameters
    ----------
    curves
        The columns of the CSV file.
    solved
        Fields (T) and static emfs (V) that were solved for.
    field, current
        Field and current density of the case (T, A/m2).
    """
    b = curves["field_T"]
    scale, unit = prefixed(largest(b), "T")
    moving = "mean_velocity_m_per_s" in curves
    volt, of = prefixed(largest(*(curves[k] for k in curves if k.endswith("_V"))), "V")
    figure, axes = panels(1, 1 + moving, (11.0 if moving else 6.0, 4.6), title)
    left = axes[0][0]
    left.plot(
        b / scale, curves["static_closed_form_V"] / volt, color=GREY, lw=1.4, ls="--", label="at rest, closed form"
    )
    left.plot(solved[0] / scale, solved[1] / volt, "o", color=GREY, ms=5, mec="white", label="wall at rest, computed")
    left.set_ylabel(f"electromotive force ({of})", fontsize=12)
    if moving:
        right = axes[0][1]
        left.plot(b / scale, curves["mean_electromotive_force_V"] / volt, color=BLUE, lw=2, label="moving wall, mean")
        right.plot(b / scale, curves["mean_velocity_m_per_s"], color=RED, lw=2)
        right.set_ylabel("mean velocity (m/s)", fontsize=12)
        if current:
            right.set_title(f"closed form, at {current:.3g} A/m$^2$", fontsize=11)
    for ax in axes[0]:
        for edge in (-magnet.walker_field, magnet.walker_field):
            if moving and not current and b[0] <= edge <= b[-1]:
                ax.axvline(edge / scale, color=GREEN, lw=1.0, ls=":", label="Walker's field" if edge > 0 else None)
        if b[0] <= field <= b[-1] and field:
            ax.axvline(field / scale, color="black", lw=0.9, label="field of the case")
        ax.set_xlim(b[0] / scale, b[-1] / scale)
        ax.set_xlabel(f"field along the easy axis ({unit})", fontsize=12)
    left.legend(frameon=False, fontsize=10)
    save(figure, path)


def _ribbon(ax: Any, motion: Motion, x: Array, m: Array, arrows: int) -> None:
    """Draw the wire: colour along the easy axis, arrows in its plane."""
    from matplotlib.colors import LinearSegmentedColormap

    shade = LinearSegmentedColormap.from_list("domains", (RED, "#f4efe6", BLUE))
    low, high = motion.low * 1e9, (motion.low + motion.length) * 1e9
    fine = np.linspace(motion.low, motion.low + motion.length, 800)
    along = np.interp(fine, x, m @ np.asarray(motion.axes[0]))
    ax.imshow(along[None], extent=(low, high, -1, 1), aspect="auto", cmap=shade, vmin=-1.15, vmax=1.15, zorder=0)
    # The plane of the picture is that of the easy axis and of what is perpendicular to both axes.
    easy, hard = (np.asarray(a) for a in motion.axes)
    frame = np.stack([easy, np.cross(hard, easy), hard])
    some = np.linspace(motion.low, motion.low + motion.length, arrows + 2)[1:-1]
    a, b, c = (np.interp(some, x, m @ axis) for axis in frame)
    style = {"scale": 0.96 * arrows, "width": 0.106 / arrows, "cmap": "gray", "clim": (-1.6, 1.6)}
    ax.quiver(some * 1e9, 0 * some, a, b, c, pivot="mid", **style)
    for probe in motion.probes:
        ax.plot([probe * 1e9] * 2, [1.0, 1.7], color="black", lw=3, solid_capstyle="butt", clip_on=False)
    ax.set(xlim=(low, high), ylim=(-1, 1), yticks=[])
    ax.spines[:].set_visible(False)


def plot_motion(path: Path, motion: Motion) -> None:
    """Draw the wire at three times, and position, tilt, voltages and energy against the time."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.5, 8.6), layout="constrained")
    above, below = np.asarray(figure.subfigures(2, 1, height_ratios=(1, 2.3))).ravel()
    strips = above.subplots(3, 1, sharex=True)
    end = motion.frames[-1][0]
    scale, unit = prefixed(end, "s")
    for ax, part in zip(strips, (0.0, 0.5, 1.0), strict=True):
        moment, x, m = min(motion.frames, key=lambda f: abs(f[0] - part * end))
        _ribbon(ax, motion, x, m, 48)
        ax.set_ylabel(f"{moment / scale:.3g} {unit}", rotation=0, ha="right", va="center")
    strips[-1].set_xlabel("x (nm)")
    heading = "Arrows: in the plane of the easy axis; ticks above: voltage leads" if motion.probes else ""
    above.suptitle("\n".join(x for x in (motion.title, heading) if x) or " ", fontsize=12)
    axes = below.subplots(2, 2, sharex=True)
    for ax in axes.flat:
        plain(ax)
        ax.set_xlim(0, end / scale)
        if motion.span is not None:
            ax.axvspan(motion.span[0] / scale, motion.span[1] / scale, color=_SAND, lw=0, zorder=0)
    c, t = motion.columns, motion.columns["time_s"] / scale
    if motion.walls:
        _wall_panels(axes, motion, t, scale)
    else:
        for name, colour in zip("xyz", LINES, strict=False):
            axes[0, 0].plot(t, c[f"m_{name}"], color=colour, lw=1.6, label=f"$m_{name}$")
        axes[0, 0].set_ylabel("mean of $m$")
        axes[0, 0].legend(frameon=False, fontsize=9.5)
        axes[0, 1].plot(c["middle_s"] / scale, c["current_density_A_per_m2"], color=GREEN, lw=1.6)
        axes[0, 1].ticklabel_format(useOffset=False)
        axes[0, 1].set_ylabel("current density (A/m$^2$)")
    _voltages(axes[1, 0], motion, scale)
    per = {1: "J/m$^2$", 2: "J/m", 3: "J"}[motion.dimension]
    losses = {"joule": ("Joule", RED), "damping": ("damping", BLUE), "beta": ("nonadiabatic", PURPLE)}
    losses["carriers"] = "carriers", RED
    shown = {k: c[f"lost_{k}_J"] for k in losses if f"lost_{k}_J" in c}
    size, of = prefixed(largest(*shown.values(), c["put_in_J"]), per)
    for key, values in shown.items():
        axes[1, 1].plot(t, values / size, color=losses[key][1], lw=1.6, label=losses[key][0])
    axes[1, 1].plot(t, c["put_in_J"] / size, color="black", lw=1.4, ls="--", label="put in, not stored")
    axes[1, 1].set_ylabel(f"dissipated ({of})")
    axes[1, 1].legend(frameon=False, fontsize=9.5)
    for ax in axes[1]:
        ax.set_xlabel(f"time ({unit})")
    save(figure, path)


def plot_carriers(path: Path, table: dict[str, Array], heat: dict[str, float], ms: float, title: str) -> None:
    """Draw what carriers do along a wire: potentials, accumulation or temperature, torque, heat by mechanism.

    Parameters
    ----------
    table
        Columns along the wire.
    heat
        Integrals of the heat by mechanism, per area on a line and per depth in a plane.
    ms
        Ms (A/m), by which torques turn m.
    """
    count = 4 if "temperature_K" in table else 3
    figure, axes = panels(1, count, (4.4 * count, 4.2), title)
    x = table["x_m"] * 1e9
    names = {"potential_V": r"$\phi$", "potential_up_V": r"$\phi_\uparrow$", "potential_down_V": r"$\phi_\downarrow$"}
    shown = {label: table[k] for k, label in names.items() if k in table}
    scale, unit = prefixed(largest(*shown.values()), "V")
    for (label, values), colour in zip(shown.items(), LINES, strict=False):
        axes[0, 0].plot(x, values / scale, color=colour, lw=1.8, label=label)
    axes[0, 0].set_ylabel(f"potential ({unit})")
    for a, colour in zip("xyz", LINES, strict=False):
        axes[0, 1].plot(x, table[f"torque_{a}_A_per_m_s"] / ms * 1e-9, color=colour, lw=1.6, label=f"${a}$")
    axes[0, 1].set_ylabel(r"$dm/dt$ by the carriers (1/ns)")
    if "temperature_K" in table:
        axes[0, 3].plot(x, table["temperature_K"], color=RED, lw=1.8)
        axes[0, 3].ticklabel_format(useOffset=False)
        axes[0, 3].set_ylabel("temperature (K)")
    ax = axes[0, 2]
    order = sorted((k for k, v in heat.items() if v), key=lambda k: abs(heat[k]))[-6:]
    ax.barh(order, [abs(heat[k]) for k in order], color=[BLUE if heat[k] > 0 else RED for k in order])
    ax.set_xscale("log")
    ax.set_xlim(max(1e-9 * largest(*heat.values()), 1e-300), None)
    ax.tick_params(axis="y", labelsize=8)
    ax.set_xlabel("size of the heat (W per unit; red: negative)")
    for ax in (axes[0, 0], axes[0, 1], *axes[0, 3:]):
        ax.set_xlim(x[0], x[-1])
        ax.set_xlabel("x (nm)")
    for ax in axes[0, :2]:
        ax.legend(frameon=False, fontsize=9.5)
    save(figure, path)


def _wall_panels(axes: Any, motion: Motion, t: Array, scale: float) -> None:
    c = motion.columns
    ax = axes[0, 0]
    ax.plot(t, c["position_m"] * 1e9, color=BLUE, lw=1.8)
    if motion.closed_form is not None and motion.span is not None:
        ends = np.array(motion.span)
        fine = np.linspace(ends[0], ends[1], 2000)
        middle = float(np.interp(fine, c["time_s"], c["position_m"]).mean())
        line = middle + motion.closed_form["velocity"] * (ends - ends.mean())
        ax.plot(ends / scale, line * 1e9, color="black", lw=1.2, ls="--", label="mean velocity, closed form")
        ax.legend(frameon=False, fontsize=9.5)
    for probe in motion.probes:
        ax.axhline(probe * 1e9, color=GREY, lw=0.9, ls=":")
    ax.set_ylabel("wall at (nm)")
    ax = axes[0, 1]
    turns = largest(c["angle_rad"]) > 4 * np.pi
    ax.plot(t, c["angle_rad"] / np.pi if turns else np.degrees(c["angle_rad"]), color=GREEN, lw=1.8)
    ax.set_ylabel(r"tilt ($\pi$ rad)" if turns else "tilt (deg)", color=GREEN)
    other = ax.twinx()
    other.plot(t, c["width_m"] * 1e9, color=PURPLE, lw=1.0, alpha=0.75)
    other.set_ylabel("width (nm)", color=PURPLE)
    other.spines["top"].set_visible(False)


def _voltages(ax: Any, motion: Motion, scale: float) -> None:
    """Draw what is pumped, between the ends or between leads."""
    c = motion.columns
    at = c["middle_s"] / scale
    between = sorted(k for k in c if k.startswith("probe_electromotive_force"))
    names = between or ["electromotive_force_V"]
    # The limits leave out the first moments, in which a wall finds its tilt and the voltage has a spike.
    later = c["middle_s"] > 0.02 * c["time_s"][-1]
    volt, of = prefixed(largest(*(c[k][later] for k in names)), "V")
    for k, colour in zip(names, (RED, GREEN, PURPLE, BLUE) * 5, strict=False):
        label = "between the ends"
        if between:
            i = int(k.split("_")[3])
            label = f"{motion.probes[i] * 1e9:.4g} to {motion.probes[i + 1] * 1e9:.4g} nm"
        ax.plot(at[later], c[k][later] / volt, color=colour, lw=1.4, label=label)
    exact = None if motion.closed_form is None else motion.closed_form["electromotive_force"]
    if exact is not None and motion.span is not None:
        mean = exact / volt
        ax.plot(np.array(motion.span) / scale, [mean, mean], color="black", lw=1.2, ls="--", label="mean, closed form")
    if volt < 2e-12 and largest(*(c[k][later] for k in names)) < 1e-12:
        ax.set_ylim(-1, 1)  # without it, rounding would fill the axis
    ax.set_ylabel(f"electromotive force ({of})")
    ax.legend(frameon=False, fontsize=9.5, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)


def animate_wall(path: Path, motion: Motion) -> None:
    """Draw a GIF: the wire, and what is pumped so far."""
    from matplotlib.animation import FuncAnimation, PillowWriter
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, height_ratios=(1, 2.2))
    plain(below)
    c, end = motion.columns, motion.frames[-1][0]
    scale, unit = prefixed(end, "s")
    probed = "probe_electromotive_force_0_V"
    values = c[probed] if probed in c else c["electromotive_force_V"]
    later = c["middle_s"] > 0.02 * c["time_s"][-1]
    t, v = c["middle_s"][later], values[later]
    volt, of = prefixed(largest(v), "V")
    below.plot(t / scale, v / volt, color="#d9d4c8", lw=1.2)
    (line,) = below.plot([], [], color=RED, lw=1.5)
    below.set(xlabel=f"time ({unit})", ylabel=f"emf ({of})", xlim=(0, end / scale))
    chosen = motion.frames[:: max(1, len(motion.frames) // 80)]

    def draw(k: int) -> tuple[Any, ...]:
        now, x, m = chosen[k]
        above.clear()
        _ribbon(above, motion, x, m, 24)
        above.set_xticks([])
        line.set_data(t[t <= now] / scale, v[t <= now] / volt)
        return ()

    FuncAnimation(figure, draw, frames=len(chosen)).save(path, writer=PillowWriter(fps=15), dpi=80)
