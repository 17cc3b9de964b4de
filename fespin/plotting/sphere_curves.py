"""Curves of what the sphere's solvers return, drawn by rank 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ..energy.on_sphere import Array
from ..errors import InputError
from ..sigma.results import Spectrum
from .palette import prefixed

type Curve = tuple[Sequence[float] | Array, Sequence[float] | Array]
"""Abscissae and values, (n,) each."""

type Points = tuple[Sequence[float] | Array, Sequence[float] | Array, Sequence[float] | Array]
"""Abscissae, values and their standard errors, (n,) each."""

_LINES = ("#1f4e79", "#c0392b", "#2e7d32", "#6a3d9a", "#c77f14", "#2f8f9d")
_MARKERS = "osD^vP"
_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12}


def _figure(title: str, xlabel: str, ylabel: str, *, size: tuple[float, float] = (7.4, 5.0)) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    ax = figure.add_subplot()
    ax.set_xlabel(xlabel, fontsize=12.5)
    ax.set_ylabel(ylabel, fontsize=12.5)
    ax.tick_params(labelsize=11)
    ax.grid(True, color="0.9", lw=0.7)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    if title:
        ax.set_title(title, fontsize=13.5, pad=10)
    return figure, ax


def _finish(figure: Any, ax: Any, path: Path, *, outside: bool = False) -> None:
    """Name what has a name, and write the picture."""
    handles, labels = ax.get_legend_handles_labels()
    if labels and outside:
        figure.legend(
            handles, labels, frameon=False, fontsize=11, loc="outside lower center", ncols=min(len(labels), 4)
        )
    elif labels:
        ax.legend(frameon=False, fontsize=11)
    figure.savefig(path, dpi=150, facecolor="white")


def _draw_curves(
    ax: Any, curves: Mapping[str, Curve], points: Mapping[str, Points], unit: float, *, logarithmic: bool = True
) -> Array:
    """Draw lines, and points with error bars in the colours of the lines of the same name; return all values drawn."""
    labels = [*curves, *(k for k in points if k not in curves)]
    colours = {k: _LINES[i % len(_LINES)] for i, k in enumerate(labels)}
    dots = {"fmt": "o", "ms": 5.5, "mfc": "white", "mew": 1.5, "capsize": 2.5, "elinewidth": 1.3}
    drawn: list[Array] = [np.zeros(0)]
    for label in labels:
        colour = colours[label]
        if label in curves:
            x, y = (np.asarray(a) for a in curves[label])
            y = np.abs(y) if np.iscomplexobj(y) else y
            y = np.where(y > 0, y, np.nan) if logarithmic else y
            ax.plot(x / unit, y, color=colour, lw=2.2)
            drawn.append(y[np.isfinite(y)])
        if label in points:
            x, y, errors = (np.asarray(a, dtype=float) for a in points[label])
            drawable = y > 0 if logarithmic else np.isfinite(y)
            ax.errorbar(x[drawable] / unit, y[drawable], errors[drawable], color=colour, **dots)
            drawn.append(y[drawable])
        if label:  # one entry for line and points
            look = {"marker": "o", "ms": 5.5, "mfc": "white", "mew": 1.5} if label in points else {}
            ax.plot([], [], color=colour, lw=2.2, ls="-" if label in curves else "none", label=label, **look)
    return np.concatenate(drawn)


def plot_write_error(
    comm: MPI.Intracomm,
    path: Path,
    curves: Mapping[str, Curve],
    *,
    points: Mapping[str, Points] | None = None,
    title: str = "",
    unit: str = "ns",
) -> None:
    """Draw write-error rates against time, on rank 0.

    Parameters
    ----------
    path
        Ends in ``.png``.
    curves
        ``{label: (times, not_switched)}``, times in s; what is not positive is left out.
    points
        ``{label: (times, values, standard errors)}``, such as an ensemble's; a curve of the same label
        gives the colour.
    unit
        Unit of the axis: "s", "ms", "us", "ns" or "ps".

    Raises
    ------
    InputError
        If the unit is none of these.

    Examples
    --------
    >>> from pathlib import Path
    >>> from fespin.plotting import plot_write_error
    >>> times = np.linspace(0.0, 20e-9, 6)
    >>> pulse = fs.FokkerPlanck(comm, spin, fs.SpinTorque.critical(spin, -4.0)).switching(times)
    >>> plot_write_error(comm, Path("errors.png"), {"4 times critical": (times, pulse.not_switched)})
    >>> Path("errors.png").exists()
    True
    """
    if unit not in _UNITS:
        raise InputError(f"picture: unit is {unit!r}; it must be one of {', '.join(_UNITS)}")
    if comm.rank != 0:
        return
    name = "\u00b5s" if unit == "us" else unit
    figure, ax = _figure(title, f"time since the torque was switched on ({name})", "write-error rate")
    ax.set_yscale("log", nonpositive="clip")
    drawn = _draw_curves(ax, curves, points or {}, _UNITS[unit])
    if len(drawn):
        span = np.log10(max(1.0, drawn.max())) - np.log10(drawn.min())
        ax.set_ylim(drawn.min() * 10 ** (-0.05 * span - 0.05), max(1.0, drawn.max()) * 10 ** (0.03 * span + 0.02))
    ax.set_xlim(left=0)
    _finish(figure, ax, path)


def plot_noise(
    comm: MPI.Intracomm,
    path: Path,
    curves: Mapping[str, Curve],
    *,
    points: Mapping[str, Points] | None = None,
    title: str = "",
    ylabel: str = "power spectral density (1/Hz)",
) -> None:
    """Draw spectra against frequency, on rank 0: power spectral densities, or magnitudes of susceptibilities.

    Parameters
    ----------
    path
        Ends in ``.png``.
    curves
        ``{label: (frequencies, values)}``, frequencies in Hz; of complex values the magnitude is drawn.
    points
        ``{label: (frequencies, values, standard errors)}``.

    Examples
    --------
    >>> from pathlib import Path
    >>> from fespin.plotting import plot_noise
    >>> frequencies = np.geomspace(1e5, 1e8, 4)
    >>> noise = fs.FokkerPlanck(comm, spin).noise(lambda u: u[:, 2], frequencies)
    >>> plot_noise(comm, Path("noise.png"), {"u_z": (frequencies, noise.density)})
    >>> Path("noise.png").exists()
    True
    """
    if comm.rank != 0:
        return
    x = np.concatenate([[0.0], *(c[0] for c in (*curves.values(), *(points or {}).values()))])
    size, unit = prefixed(float(x.max()), "Hz")
    figure, ax = _figure(title, f"frequency ({unit})", ylabel)
    ax.set_yscale("log", nonpositive="clip")
    drawn = _draw_curves(ax, curves, points or {}, size)
    x = x[x > 0] / size
    if len(drawn):
        ax.set_ylim(drawn.min() / 1.5, drawn.max() * 1.5)
    if len(x):
        if x.max() > 30 * x.min():
            ax.set_xscale("log")
        ax.set_xlim(x.min(), x.max())
    _finish(figure, ax, path)


def plot_hysteresis(
    comm: MPI.Intracomm,
    path: Path,
    curves: Mapping[str, Curve],
    *,
    xlabel: str = "field (T)",
    ylabel: str = "mean component of the direction",
    limits: tuple[float, float] | None = (-1.08, 1.08),
    title: str = "",
) -> None:
    """Draw loops, on rank 0; arrow heads show which way they are run through.

    Parameters
    ----------
    path
        Ends in ``.png``.
    curves
        ``{label: (x, mean component)}``.
    limits
        Limits of the vertical axis; None: those of the curves.

    Examples
    --------
    >>> from pathlib import Path
    >>> from fespin.plotting import plot_hysteresis
    >>> field = np.linspace(-20e-3, 20e-3, 41)  # T
    >>> up, down = np.tanh((field - 5e-3) / 2e-3), np.tanh((field[::-1] + 5e-3) / 2e-3)
    >>> plot_hysteresis(comm, Path("loop.png"), {"up": (field, up), "down": (field[::-1], down)})
    >>> Path("loop.png").exists()
    True
    """
    if comm.rank != 0:
        return
    figure, ax = _figure(title, xlabel, ylabel)
    if limits is not None:
        ax.axhline(0, color="0.55", lw=0.8)
        ax.set_ylim(*limits)
    ax.axvline(0, color="0.55", lw=0.8)
    _draw_curves(ax, curves, {}, 1.0, logarithmic=False)
    ax.margins(x=0.03)
    for i, (x, y) in enumerate(curves.values()):
        _draw_heads(ax, np.asarray(x, dtype=float), np.asarray(y, dtype=float), _LINES[i % len(_LINES)])
    _finish(figure, ax, path, outside=True)


def _draw_heads(ax: Any, x: Array, y: Array, colour: str) -> None:
    """Put an arrow head in the middle, by the length of the curve, of each sweep in one direction."""
    turns = np.flatnonzero(np.diff(np.sign(np.diff(x))) != 0) + 1
    for first, last in zip([0, *turns], [*turns, len(x) - 1], strict=True):
        a, b = x[first : last + 1], y[first : last + 1]
        steps = np.hypot(np.diff(a) / (np.ptp(x) or 1.0), np.diff(b) / (np.ptp(y) or 1.0))
        if not steps.sum() > 0.1:
            continue
        k = int(np.searchsorted(np.cumsum(steps), steps.sum() / 2))
        look = {"arrowstyle": "-|>", "color": colour, "lw": 0, "mutation_scale": 20, "shrinkA": 0, "shrinkB": 0}
        middle = (a[k] + a[k + 1]) / 2, (b[k] + b[k + 1]) / 2
        ax.annotate("", (a[k + 1], b[k + 1]), middle, arrowprops=look)


def plot_eigenvalues(comm: MPI.Intracomm, path: Path, spectra: Mapping[str, Spectrum], *, title: str = "") -> None:
    """Draw eigenvalues in the complex plane, on rank 0: decay rates and frequencies.

    Parameters
    ----------
    path
        Ends in ``.png``.

    Examples
    --------
    >>> from pathlib import Path
    >>> from fespin.plotting import plot_eigenvalues
    >>> spectra = {"5 kT": fs.FokkerPlanck(comm, spin).spectrum(3)}
    >>> plot_eigenvalues(comm, Path("eigenvalues.png"), spectra)
    >>> Path("eigenvalues.png").exists()
    True
    """
    if comm.rank != 0:
        return
    values: NDArray[np.complex128] = np.concatenate([np.zeros(0), *(s.eigenvalues for s in spectra.values())])
    rates = values.real[values != 0]
    # A logarithmic axis: rates of escape may be many decades below those of relaxation.
    wide = len(rates) > 0 and rates.min() > 0 and rates.max() > 300 * rates.min()
    unit = 1.0 if wide else 1e9
    figure, ax = _figure(title, "decay rate (1/s)" if wide else "decay rate (1/ns)", "frequency (GHz)")
    ax.axhline(0, color="0.55", lw=0.8)
    for i, (label, spectrum) in enumerate(spectra.items()):
        z = spectrum.eigenvalues
        z = z[z != 0] if wide else z
        ax.plot(
            z.real / unit, z.imag / (2e9 * np.pi), ls="none", marker=_MARKERS[i % len(_MARKERS)], ms=9 - i % 3,
            mfc="none", mew=1.9, color=_LINES[i % len(_LINES)], label=label or None,
        )  # fmt: skip
    if wide:
        ax.set_xscale("log")
        if (values == 0).any():
            ax.text(0.01, 0.02, "the stationary state's rate is 0", transform=ax.transAxes, fontsize=10, color="0.35")
    reach = float(np.abs(values.imag).max(initial=0.0)) / (2e9 * np.pi)
    ax.set_ylim(*((-1.12 * reach, 1.12 * reach) if reach > 0 else (-1, 1)))
    _finish(figure, ax, path)
