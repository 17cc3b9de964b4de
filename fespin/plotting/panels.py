"""The look of pictures with several panels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

GREY = "#8a8f98"


def panels(rows: int, columns: int, size: tuple[float, float], title: str = "") -> tuple[Any, Any]:
    """Return a figure and its axes (rows, columns).

    Parameters
    ----------
    size
        Width and height (inches).
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for ax in axes.flat:
        plain(ax)
    if title:
        figure.suptitle(title, fontsize=13)
    return figure, axes


def plain(ax: Any) -> None:
    """Give axes a light grid and no frame."""
    ax.grid(True, color="0.92", lw=0.7)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def save(figure: Any, path: Path) -> None:
    """Write a figure."""
    figure.savefig(path, dpi=150, facecolor="white")


def largest(*values: Any) -> float:
    """Return the largest absolute value, 0 if there is none."""
    return max((float(np.abs(v).max(initial=0.0)) for v in values), default=0.0)
