"""Pictures of longitudinal dynamics, drawn by rank 0 from what all ranks send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..longitudinal import LongitudinalMagnet, LongitudinalProblem, Mode, Relaxation, Response
from .palette import LINES, prefixed
from .panels import GREY, largest, panels, save

type Array = NDArray[Any]

_SHADES = ("0.75", "0.55", "0.35", "0.0")
_HEAT = {"exchange": "#1f4e79", "M to lattice": "#c0392b", "m to lattice": "#d9a441", "diffusion": "#2e7d32"}


def collected(problem: LongitudinalProblem, *values: Array) -> list[Array] | None:
    """Return positions (n, 3) and values at all nodes on rank 0, in the order of x; None elsewhere. Collective."""
    parts = problem.comm.gather((problem.nodes(), *values))
    if parts is None:
        return None
    columns = [np.concatenate([p[i] for p in parts]) for i in range(1 + len(values))]
    x = columns[0]
    order = np.lexsort((x[:, 2], x[:, 1], np.round(x[:, 0] / (np.ptp(x[:, 0]) or 1.0), 12)))
    return [c[order] for c in columns]


def flowing(problem: LongitudinalProblem, accumulation: Array) -> tuple[Array, Array] | None:
    """Return x and j_m along a line on rank 0, the mean where two cells meet; None elsewhere. Collective.

    Parameters
    ----------
    accumulation
        dm_ at this rank's own nodes (owned,), in A/m.
    """
    current = problem.spin_current(accumulation)
    space, cells = current.function_space, problem.mesh.topology.index_map(1).size_local
    dofs = np.unique(space.dofmap.list[:cells])
    parts = problem.comm.gather((space.tabulate_dof_coordinates()[dofs, 0], np.real(current.x.array[dofs])))
    if parts is None:
        return None
    x, j = (np.concatenate([p[i] for p in parts]) for i in (0, 1))
    # Where two cells meet there are two values at one place, but for rounding.
    places, index, count = np.unique(np.round(x / np.ptp(x), 9), return_inverse=True, return_counts=True)
    return places * np.ptp(x), np.bincount(index, j) / count


def plane(problem: LongitudinalProblem, *values: Array) -> tuple[Array, Array, list[Array]] | None:
    """Return corners (n, 2), triangles and values at the corners on rank 0, None elsewhere. Collective."""
    space, imap = problem.space, problem.space.dofmap.index_map
    own = problem.mesh.topology.index_map(2).size_local
    corners = np.asarray(space.dofmap.list[:own, :3])
    numbers = np.asarray(imap.local_to_global(np.arange(imap.size_local + imap.num_ghosts, dtype=np.int32)))
    parts = problem.comm.gather((problem.nodes()[:, :2], numbers[corners], *values))
    if parts is None:
        return None
    # Each rank owns consecutive node numbers, so concatenating by rank sorts them.
    columns = [np.concatenate([p[i] for p in parts]) for i in range(2 + len(values))]
    used, triangles = np.unique(columns[1], return_inverse=True)
    return columns[0][used], triangles.reshape(-1, 3), [v[used] for v in columns[2:]]


def plot_dispersion(path: Path, magnet: LongitudinalMagnet, modes: Sequence[Mode], title: str) -> None:
    """Draw rates of decay and dm/dM of modes against the wavenumber: eigenvectors on the closed form."""
    at = np.array([m.wavenumber for m in modes if m.wavenumber > 1e-6 * magnet.k_M])
    low, high = (at.min(), at.max()) if len(at) else (magnet.k_M, magnet.k_M)
    k = np.geomspace(0.7 * min(low, magnet.k_M), 1.5 * max(high, magnet.k_M), 300)
    figure, axes = panels(1, 2, (12.4, 5.0), title)
    ax, shares = axes[0]
    ratios = magnet.mode_ratio(k)
    for rates, ratio, branch, colour in zip(magnet.decay_rates(k), ratios, ("slow", "fast"), LINES, strict=False):
        ax.loglog(k, rates, color=colour, lw=1.8, label=f"{branch}, closed form")
        shares.loglog(k, np.abs(ratio), color=colour, lw=1.8)
        own = [m for m in modes if m.branch == branch]
        for axis, values in ((ax, [m.rate for m in own]), (shares, [abs(m.ratio) for m in own])):
            style = {"color": colour, "ms": 5.5, "mec": "white", "mew": 0.6, "label": f"{branch}, computed"}
            axis.plot([m.wavenumber for m in own], values, "o", **style)
    shares.set_ylabel(r"$|dm/dM|$ of the mode", fontsize=12.5)
    for axis in (ax, shares):
        axis.axvline(magnet.k_M, color=GREY, lw=0.9, ls=":")
        axis.annotate(
            "$k_M$", (magnet.k_M, 1.0), xycoords=("data", "axes fraction"), ha="center", va="bottom", color=GREY
        )
        axis.set_xlim(k[0], k[-1])
        axis.set_xlabel("wavenumber (1/m)", fontsize=12.5)
    ax.set_ylabel("rate of decay (1/s)", fontsize=12.5)
    ax.legend(frameon=False, fontsize=10.5)
    save(figure, path)


def plot_spectrum(
    path: Path,
    magnet: LongitudinalMagnet,
    found: Sequence[Response],
    impedances: Mapping[str, Array],
    fitted: Array | None,
    exact: Array | None,
    title: str,
) -> None:
    """Draw impedances or the susceptibility, the wavenumber and what dissipates, against the frequency.

    Parameters
    ----------
    exact
        The susceptibility in closed form, where there is one.
    """
    f = np.array([r.frequency for r in found])
    figure, axes = panels(1, 3, (13.5, 4.4), title)
    if impedances:
        for (name, z), colour in zip(impedances.items(), LINES * 3, strict=False):
            axes[0, 0].loglog(f, np.abs(z.real), color=colour, lw=1.8, label=f"{name}, |Re|")
            axes[0, 0].loglog(f, np.abs(z.imag), "--", color=colour, lw=1.8, label=f"{name}, |Im|")
        axes[0, 0].set_title("accumulation for the flux into it", fontsize=11)
        axes[0, 0].set_ylabel("impedance (A/m per unit of flux)")
    else:
        chi = np.array([r.susceptibility for r in found], dtype=complex)
        for take, sign, colour in ((np.real, 1, LINES[0]), (np.imag, -1, LINES[1])):
            label = r"$\chi'$" if sign > 0 else r"$-\chi''$"
            if exact is not None:
                axes[0, 0].semilogx(f, sign * take(exact), color=colour, lw=1.6)
            axes[0, 0].semilogx(f, sign * take(chi), "o", color=colour, ms=4.5, mec="white", mew=0.5, label=label)
        axes[0, 0].set_title(
            "susceptibility of M + m" + (", on the closed form" if exact is not None else ""), fontsize=11
        )
        axes[0, 0].set_ylabel(r"$\chi(\omega)$")
    ax, fine = axes[0, 1], np.geomspace(f[0], f[-1], 300)
    k = magnet.wavenumber(2 * np.pi * fine)
    ax.loglog(fine, np.maximum(k.real, 1e-300), color=LINES[0], lw=1.8, label="Re $k$")
    ax.loglog(fine, -k.imag, color=LINES[1], lw=1.8, label=r"$-$Im $k$")
    if fitted is not None:
        for part, colour in ((fitted.real, LINES[0]), (-fitted.imag, LINES[1])):
            ax.loglog(f, np.maximum(part, 1e-300), "o", color=colour, ms=4.5, mec="white", mew=0.5)
    ax.set_ylim(0.3 * min(k.real.min(), -k.imag.max()), 2 * max(k.real.max(), -k.imag.min()))
    ax.set_title("wave into the body" + (": fitted, on the closed form" if fitted is not None else ""), fontsize=11)
    ax.set_ylabel("wavenumber (1/m)")
    shares = {k: np.array([r.dissipation[k] / (sum(r.dissipation.values()) or 1.0) for r in found]) for k in _HEAT}
    shown = {k: v for k, v in shares.items() if v.max() > 1e-4}
    ax = axes[0, 2]
    ax.stackplot(f, *shown.values(), labels=list(shown), colors=[_HEAT[k] for k in shown], alpha=0.85)
    ax.set_xscale("log")
    ax.set_ylim(0, 1)
    ax.set_title("share of the dissipation", fontsize=11)
    for ax in axes.flat:
        ax.set_xlim(f[0], f[-1])
        ax.set_xlabel("frequency (Hz)")
        ax.legend(frameon=ax is axes[0, 2], fontsize=9.5, loc="best")
    save(figure, path)


def plot_curves(path: Path, found: Relaxation, dimension: int, title: str) -> None:
    """Draw totals, free energy and what dissipates, against the time."""
    per = {1: "/m$^2$", 2: "/m", 3: ""}[dimension]
    length = {1: "A", 2: "A m", 3: "A m$^2$"}[dimension]
    t, (unit, name) = found.times, prefixed(found.times[-1], "s")
    figure, axes = panels(1, 3, (13.5, 4.2), title)
    came = sum(found.injected.values(), np.zeros_like(t))
    curves = {
        "$M$": found.total_M,
        "$m$": found.total_m,
        "$M + m$": found.total_M + found.total_m,
        "came in": came,
        "to lattice": found.lost,
    }
    colours = dict(zip(curves, (LINES[0], LINES[1], "black", LINES[2], "#d9a441"), strict=True))
    scale, of = prefixed(largest(*curves.values()), length)
    for label, values in curves.items():
        if largest(values) > 1e-9 * largest(*curves.values()):
            ls = "--" if label == "$M + m$" else "-"
            axes[0, 0].plot(t / unit, values / scale, ls, color=colours[label], lw=1.8, label=label)
    axes[0, 0].set_ylabel(f"integral over the body ({of})")
    axes[0, 0].set_title("totals", fontsize=11)
    scale, of = prefixed(largest(found.energy, found.heat, found.put_in), "J" + per)
    for label, values, colour in (
        ("free energy", found.energy, "black"),
        ("heat so far", found.heat, LINES[1]),
        ("put in so far", found.put_in, LINES[2]),
    ):
        if largest(values) > 1e-9 * scale:
            axes[0, 1].plot(t / unit, values / scale, color=colour, lw=1.8, label=label)
    axes[0, 1].set_ylabel(f"energy ({of})")
    axes[0, 1].set_title("energy", fontsize=11)
    top = largest(*found.dissipation.values())
    scale, of = prefixed(top, "W" + per)
    for label, values in found.dissipation.items():
        if largest(values) > 1e-6 * top:
            axes[0, 2].semilogy(t / unit, values / scale, color=_HEAT[label], lw=1.8, label=label)
    axes[0, 2].set_ylim(bottom=1e-5 * top / scale)
    axes[0, 2].set_ylabel(f"power ({of})")
    axes[0, 2].set_title("dissipation by mechanism", fontsize=11)
    for ax in axes.flat:
        ax.set_xlim(0, t[-1] / unit)
        ax.set_xlabel(f"time ({name})")
        ax.legend(frameon=False, fontsize=9.5)
    save(figure, path)


def plot_profiles(
    path: Path,
    nodes: Array,
    rows: Sequence[tuple[str, Array, Array]],
    currents: Sequence[tuple[Array, Array]],
    title: str,
) -> None:
    """Draw M + m, m and the spin current along a line.

    Parameters
    ----------
    rows
        Names of the moments, with M and m (n,).
    currents
        x and j_m of each moment, of :func:`flowing`.
    """
    x = nodes[:, 0] / 1e-9
    figure, axes = panels(1, 3, (14.5, 4.4), title)
    sums = [M + m for _, M, m in rows]
    scale, unit = prefixed(largest(*(j for _, j in currents)), "A/s")
    for (at, j), shade in zip(currents, _SHADES[-len(rows) :], strict=True):
        axes[0, 2].plot(at / 1e-9, j / scale, color=shade, lw=2.0)
    axes[0, 2].set_ylabel(rf"$j_m = -D\,\partial_x\delta m$ ({unit})")
    for ax in axes[0]:
        ax.axhline(0, color="0.6", lw=0.6)
        ax.set_xlim(x[0], x[-1])
        ax.set_xlabel("x (nm)")
    for ax, values, what in (
        (axes[0, 0], sums, r"$\Delta M + \Delta m$"),
        (axes[0, 1], [m for *_, m in rows], r"$\Delta m$"),
    ):
        scale, unit = prefixed(largest(*values), "A/m")
        for (label, *_), v, shade in zip(rows, values, _SHADES[-len(rows) :], strict=True):
            ax.plot(x, v / scale, color=shade, lw=2.0, label=label)
        ax.set_ylabel(f"{what} ({unit})")
    axes[0, 0].legend(frameon=False, fontsize=10.5)
    save(figure, path)


def plot_maps(
    path: Path, points: Array, triangles: Array, rows: Sequence[tuple[str, Array, Array]], title: str
) -> None:
    """Draw M and m in a plane; parameters as of :func:`plot_profiles`, with the corners and the triangles."""
    from matplotlib.figure import Figure

    shape = np.ptp(points[:, 1]) / np.ptp(points[:, 0])
    height = float(np.clip(3.0 * shape, 1.3, 3.0))
    figure = Figure(figsize=(3.75 * len(rows), 2 * height + 0.9), layout="constrained")
    axes = figure.subplots(2, len(rows), squeeze=False)
    for column, (label, M, m) in zip(axes.T, rows, strict=True):
        for ax, values, what in zip(column, (M, m), (r"$\Delta M$", r"$\Delta m$"), strict=True):
            top = largest(values) or 1.0
            # The colour scale begins at zero for values of one sign, and has zero in its middle for values of both.
            one = values.min() > -0.02 * top
            levels = np.linspace(0, top, 41) if one else np.linspace(-top, top, 41)
            scale, unit = prefixed(top, "A/m")
            drawn = ax.tricontourf(
                points[:, 0], points[:, 1], triangles, values, levels=levels, cmap="inferno" if one else "RdBu_r",
                extend="both",
            )  # fmt: skip
            bar = figure.colorbar(drawn, ax=ax, shrink=0.85, ticks=np.linspace(levels[0], levels[-1], 3))
            bar.ax.set_yticklabels([f"{v / scale:.3g}" for v in np.linspace(levels[0], levels[-1], 3)])
            bar.ax.tick_params(labelsize=8)
            ax.set_aspect("equal")
            ax.set_axis_off()
            ax.set_title(f"{what} ({unit}), {label}", fontsize=10.5)
    if title:
        figure.suptitle(title, fontsize=13)
    save(figure, path)
