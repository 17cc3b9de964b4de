"""Pictures of surveys: dwell times, resonances and phase diagrams against drive and field, drawn by rank 0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from ..sigma.surveys import DwellTimes, PhaseDiagram, Resonances
from .palette import LINES

_REGIONS = {"telegraph": "#f2c14e", "bistable": "#9aa5b1", "none": "#6a3d9a", "unknown": "#ffffff"}
_STATES = ("#b7cfe6", "#e8b9ad", "#bcd9bd", "#d8cbe6")


def _named(direction: Any) -> str:
    return "(" + ", ".join(f"{x:.3g}" for x in np.round(direction, 3) + 0.0) + ")"


def _axes(title: str, xlabel: str, *, rows: int = 1) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.4, 5.0 if rows == 1 else 6.6), layout="constrained")
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    for ax in axes:
        ax.grid(True, color="0.9", lw=0.7)
        ax.set_axisbelow(True)
        ax.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel(xlabel, fontsize=12.5)
    if title:
        axes[0].set_title(title, fontsize=13.5, pad=10)
    return figure, axes


def plot_dwell_times(comm: MPI.Intracomm, path: Path, dwell: DwellTimes, *, xlabel: str, title: str = "") -> None:
    """Draw the mean time in each state against the drive, on rank 0.

    Examples
    --------
    >>> from pathlib import Path
    >>> from fespin.plotting import plot_dwell_times
    >>> unit = fs.SpinTorque.critical(spin, 1.0)
    >>> dwell = fs.dwell_times(comm, lambda x: (spin, unit.scaled(x)), [-0.1, 0.1])
    >>> plot_dwell_times(comm, Path("dwell.png"), dwell, xlabel="torque over critical")
    >>> Path("dwell.png").exists()
    True
    """
    if comm.rank != 0:
        return
    figure, (ax,) = _axes(title, xlabel)
    for k, u in enumerate(dwell.states):
        times = np.where(np.isfinite(dwell.dwell_times[:, k]), dwell.dwell_times[:, k], np.nan)
        ax.semilogy(dwell.drives, times, "o-", ms=4, color=LINES[k % len(LINES)], lw=2.0, label=f"state {_named(u)}")
    ax.set_ylabel("mean dwell time (s)", fontsize=12.5)
    ax.set_xlim(dwell.drives[0], dwell.drives[-1])
    ax.legend(frameon=False, fontsize=11)
    figure.savefig(path, dpi=150, facecolor="white")


def plot_resonances(comm: MPI.Intracomm, path: Path, resonances: Resonances, *, xlabel: str, title: str = "") -> None:
    """Draw frequency and width of a resonance against the drive, on rank 0.

    Examples
    --------
    >>> from pathlib import Path
    >>> from fespin.plotting import plot_resonances
    >>> magnet, unit = spin.with_field((0.0, 0.0, 0.1)), fs.SpinTorque.critical(spin, 1.0)
    >>> resonance = fs.resonances(comm, lambda x: (magnet, unit.scaled(x)), [0.0, 0.5], state=(0, 0, 1))
    >>> plot_resonances(comm, Path("resonances.png"), resonance, xlabel="torque over critical")
    >>> Path("resonances.png").exists()
    True
    """
    if comm.rank != 0:
        return
    figure, (above, below) = _axes(title, xlabel, rows=2)
    for ax, thermal, linear, name in (
        (above, resonances.thermal_frequency, resonances.frequency, "frequency (GHz)"),
        (below, resonances.thermal_width, resonances.width, "full width at half maximum (GHz)"),
    ):
        ax.plot(resonances.drives, thermal / 1e9, "o", ms=5, color=LINES[0], label="Fokker-Planck equation")
        ax.plot(resonances.drives, linear / 1e9, color=LINES[1], lw=1.6, label="linearized motion, no temperature")
        ax.set_ylabel(name, fontsize=12.5)
    below.axhline(0, color="0.55", lw=0.8)
    below.set_xlim(resonances.drives[0], resonances.drives[-1])
    above.legend(frameon=False, fontsize=11)
    figure.savefig(path, dpi=150, facecolor="white")


def plot_phase_diagram(comm: MPI.Intracomm, path: Path, diagram: PhaseDiagram, *, ylabel: str, title: str = "") -> None:
    """Draw the regions of a phase diagram, and where states lose their stability without temperature, on rank 0.

    Examples
    --------
    >>> from pathlib import Path
    >>> from fespin.plotting import plot_phase_diagram
    >>> unit = fs.SpinTorque.critical(spin, 1.0)
    >>> diagram = fs.phase_diagram(comm, lambda x: (spin, unit.scaled(x)), [0.0, 0.1], [0.0, 1e-3], along=(0, 0, 1))
    >>> plot_phase_diagram(comm, Path("phases.png"), diagram, ylabel="torque over critical")
    >>> Path("phases.png").exists()
    True
    """
    if comm.rank != 0:
        return
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    figure, (ax,) = _axes(title, "field (T)")
    names = [str(k) for k in range(len(diagram.states))] + list(_REGIONS)
    colours = [_STATES[k % len(_STATES)] for k in range(len(diagram.states))] + list(_REGIONS.values())
    index = np.vectorize(names.index)(diagram.regions)
    ax.grid(False)
    ax.pcolormesh(
        diagram.fields, diagram.drives, index.T, cmap=ListedColormap(colours), vmin=-0.5, vmax=len(names) - 0.5,
        shading="nearest", rasterized=True,
    )  # fmt: skip
    for k, pairs in enumerate(diagram.critical):
        if len(pairs):
            once = len(np.unique(pairs[:, 0])) == len(pairs)
            ax.plot(pairs[:, 0], pairs[:, 1], ".-" if once else ".", ms=5, lw=1.2, color=LINES[k % len(LINES)])
    labels = {str(k): f"only {_named(u)}" for k, u in enumerate(diagram.states)}
    labels |= {"telegraph": "telegraph noise", "bistable": "by history", "none": "precession", "unknown": "failed"}
    handles = [Patch(color=c, label=labels[n]) for n, c in zip(names, colours, strict=True) if n in diagram.regions]
    for k, u in enumerate(diagram.states):
        if len(diagram.critical[k]):
            handles += ax.plot([], [], ".", color=LINES[k % len(LINES)], label=f"{_named(u)} unstable at 0 K beyond")
    figure.legend(handles=handles, frameon=False, fontsize=10.5, loc="outside lower center", ncols=3)
    ax.set_ylabel(ylabel, fontsize=12.5)
    ax.set_xlim(diagram.fields[0], diagram.fields[-1])
    ax.set_ylim(diagram.drives[0], diagram.drives[-1])
    figure.savefig(path, dpi=150, facecolor="white")
