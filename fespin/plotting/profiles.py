"""Pictures of profiles along a stack: accumulation, potential and, where the model has them, more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ..stack import Stack, common_axis, sign_along
from .palette import LINES, material_colours, prefixed

if TYPE_CHECKING:
    from ..transport.multilayer import MultilayerSolution
    from .drawable import SampledProfile

type Array = NDArray[np.float64]
type Profiles = Mapping[str, tuple[Stack, SampledProfile]]


@dataclass(frozen=True)
class Curve:
    """One line of a panel: values (SI) at the positions of the profile, NaN where there are none."""

    values: Array
    state: str
    label: str = ""
    colour: str = LINES[0]
    style: str = "-"


@dataclass(frozen=True)
class Panel:
    """Curves that share an axis.

    Attributes
    ----------
    label
        Name of the quantity. The unit follows it, or replaces the word UNIT in it.
    """

    label: str
    unit: str
    curves: Sequence[Curve]
    zero: bool = False

    @property
    def scale(self) -> tuple[float, str]:
        """Unit of the axis in SI units, and its name."""
        return prefixed(max(float(np.nanmax(np.abs(c.values), initial=0.0)) for c in self.curves), self.unit)


def d_accumulation(stack: Stack, profile: SampledProfile) -> dict[str, Array]:
    """Return phi_s - phi_d of each d channel (V), with s of its spin; NaN outside the magnets.

    Of d_down the s channel is the minority of the magnet, of d_up the majority.
    """
    axis = common_axis(stack)
    signs = np.array([sign_along(x, axis) for x in stack])[profile.layer]
    p = profile.potentials
    partners = {"d_down": np.where(signs > 0, p["down"], p["up"]), "d_up": np.where(signs > 0, p["up"], p["down"])}
    return {d: np.asarray(s - p[d]) for d, s in partners.items() if d in p}


def _panels(profiles: Profiles, reference_temperature: float | None) -> list[Panel]:
    """Return what is drawn of the profiles of all states, the accumulation first."""
    states = [(state, *x, c) for (state, x), c in zip(profiles.items(), LINES * len(profiles), strict=False)]
    channels = next(iter(profiles.values()))[1].potentials

    def panel(label: str, of: Mapping[str, Array], unit: str = "V", zero: bool = False) -> Panel:
        return Panel(label, unit, [Curve(of[s], s, _name(s), c) for s, _, _, c in states], zero)

    if {"charge", "x", "y", "z"} <= channels.keys():  # vectors of spin
        potential = panel(r"potential $\phi$", {s: p.potentials["charge"] for s, _, p, _ in states})
        return [*_spin_panels(states), potential]
    out = [
        panel(
            "spin accumulation\n" r"$\phi_\uparrow-\phi_\downarrow$",
            {s: p.accumulation for s, _, p, _ in states},
            zero=True,
        )
    ]
    if "d_down" in channels:
        out.append(_d_panel(states))
    out.append(panel(r"$(\phi_\uparrow+\phi_\downarrow)/2$", {s: p.mean for s, _, p, _ in states}))
    if "temperature" in channels:
        t0 = "" if reference_temperature is None else f" = {reference_temperature:g} K"
        out.append(
            panel(
                f"temperature (UNIT)\nabove $T_0${t0}", {s: p.potentials["temperature"] for s, _, p, _ in states}, "K"
            )
        )
    return out


def _name(state: str) -> str:
    return "" if state == "default" else state


def _spin_panels(states: Sequence[tuple[str, Stack, SampledProfile, str]]) -> list[Panel]:
    """Return the components of 2 s: in one panel of a single state, else in a panel each, without those that vanish."""
    values = {k: {s: 2 * p.potentials[k] for s, _, p, _ in states} for k in "xyz"}
    largest = max(float(np.abs(v).max()) for of in values.values() for v in of.values())
    components = [k for k, of in values.items() if max(float(np.abs(v).max()) for v in of.values()) > 1e-6 * largest]
    if len(states) == 1:
        state = states[0][0]
        colours = dict(zip("xyz", LINES, strict=False))
        curves = [Curve(values[k][state], state, k, colours[k]) for k in components or "z"]
        return [Panel("spin accumulation $2\\mathbf{s}$", "V", curves, True)]
    return [
        Panel(f"spin accumulation\n$2s_{k}$", "V", [Curve(values[k][s], s, _name(s), c) for s, _, _, c in states], True)
        for k in components or "z"
    ]


def _d_panel(states: Sequence[tuple[str, Stack, SampledProfile, str]]) -> Panel:
    curves: list[Curve] = []
    for state, stack, profile, colour in states:
        for d, style in (("d_down", "-"), ("d_up", ":")):
            accumulations = d_accumulation(stack, profile)
            if d in accumulations:
                named = "d_up" in accumulations and len(curves) < 2
                label = {"d_down": "minority", "d_up": "majority"}[d] if named else ""
                curves.append(Curve(accumulations[d], state, label, colour, style))
    return Panel("accumulation of s against d\n" r"$\phi_s-\phi_d$", "V", curves, True)


def _draw_exact(axis: Any, exact: MultilayerSolution, values: str, position: Array, scale: float, colour: str) -> None:
    """Add a 1D solution, centred in the range of positions (m); its mean potential only if both are equally long."""
    z = position / 1e-9
    length = (exact.boundaries[-1] - exact.boundaries[0]) / 1e-9
    whole = abs(length / np.ptp(z) - 1) < 1e-6
    if values == "mean" and not whole:
        return
    shift = (z.min() + z.max() - length) / 2 - exact.boundaries[0] / 1e-9
    look = {"ls": "--", "lw": 0.9 if whole else 1.2, "color": "k" if whole else colour}
    for i in range(len(exact.boundaries) - 1):
        x = np.linspace(exact.boundaries[i], exact.boundaries[i + 1], 200)
        up, down = exact.potentials(x, i)
        axis.plot(x / 1e-9 + shift, (up - down if values == "accumulation" else (up + down) / 2) / scale, **look)


def plot_profiles(
    comm: MPI.Intracomm,
    path: Path,
    profiles: Profiles,
    exact: Mapping[str, MultilayerSolution],
    *,
    title: str = "",
    reference_temperature: float | None = None,
) -> None:
    """Draw accumulation, potential and what else the model has along the axis, one colour per state, on rank 0.

    Parameters
    ----------
    profiles
        Stack and sampled profile of each state.
    exact
        One-dimensional solution of two channels for each state, drawn as a dashed line; may be empty. If its stack is
        shorter than the device (no wide leads), it is drawn in the middle, and its accumulation only.
    reference_temperature
        Reference temperature of a thermoelectric model (K), for the label.

    Examples
    --------
    >>> from pathlib import Path
    >>> from fespin.plotting import plot_profiles
    >>> profile = fs.TransportProblem(fs.line(comm, stack)).solve(current_density=1e11).profile()
    >>> exact = fs.solve_multilayer(stack, fs.Contact(), fs.Contact(), current_density=1e11)
    >>> plot_profiles(comm, Path("profiles.png"), {"parallel": (stack, profile)}, {"parallel": exact})
    >>> Path("profiles.png").exists()
    True
    """
    if comm.rank != 0:
        return
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    panels = _panels(profiles, reference_temperature)
    n = len(panels)
    figure, axes = plt.subplots(n, 1, figsize=(7.6, 2.4 + 2.0 * n), sharex=True, layout="constrained")
    stack, profile = next(iter(profiles.values()))
    z = profile.position / 1e-9
    crowded = _draw_layers(axes, stack, profile)
    # Lines become thinner from state to state, so that states that coincide are all seen.
    widths = [2.0 + 1.2 * min(n, 3) for n in reversed(range(len(profiles)))] if len(profiles) > 1 else [2.4]
    width = dict(zip(profiles, widths, strict=True))
    for axis, panel in zip(axes, panels, strict=True):
        scale, unit = panel.scale
        for curve in panel.curves:
            for i in range(len(stack.layers)):
                at = profile.layer == i
                label = curve.label if i == 0 and curve.label else None
                axis.plot(
                    z[at],
                    curve.values[at] / scale,
                    color=curve.colour,
                    ls=curve.style,
                    lw=width[curve.state],
                    label=label,
                )
        text = panel.label if "UNIT" in panel.label else f"{panel.label} (UNIT)"
        axis.set_ylabel(text.replace("UNIT", unit))
        if panel.zero:
            axis.axhline(0, color="0.4", lw=0.6)
    for state, solution in exact.items():
        colour = LINES[list(profiles).index(state) % len(LINES)]
        for axis, panel, values in ((axes[0], panels[0], "accumulation"), (axes[1], panels[1], "mean")):
            _draw_exact(axis, solution, values, profile.position, panel.scale[0], colour)
    if exact:
        same = len(next(iter(exact.values())).boundaries) == len(stack.layers) + 1
        axes[0].plot([], [], "k--", lw=0.9, label="1D exact" if same else "1D exact, no wide leads")
    axes[-1].set_xlabel("position along the stack (nm)")
    axes[-1].set_xlim(z.min(), z.max())
    for i, (axis, panel) in enumerate(zip(axes, panels, strict=True)):
        # The legend names states once; components and channels are named at their panels.
        if axis.get_legend_handles_labels()[1] and (i == 0 or {c.label for c in panel.curves} - set(profiles) - {""}):
            axis.legend(frameon=False, fontsize=9)
    if crowded:
        # Some layers are too thin for their names, so a legend of colours tells the materials.
        colours = material_colours(stack)
        patches = [plt.Rectangle((0, 0), 1, 1, color=c, alpha=0.5, lw=0) for c in colours.values()]
        axes[-1].legend(patches, list(colours), frameon=False, fontsize=9, ncols=len(colours))
    if title:
        figure.suptitle(title, fontsize=11)
    figure.align_ylabels(axes)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _draw_layers(axes: Sequence[Any], stack: Stack, profile: SampledProfile) -> bool:
    """Colour the layers in all panels and name them above the first; return whether some are too thin for that."""
    colours, z, crowded = material_colours(stack), profile.position / 1e-9, False
    for i, layer in enumerate(stack):
        low, high = z[profile.layer == i].min(), z[profile.layer == i].max()
        for axis in axes:
            axis.axvspan(low, high, color=colours[layer.material.name], alpha=0.35, lw=0)
        if high - low <= 0.03 * (z.max() - z.min()):
            crowded = True
            continue
        top = axes[0]
        at = {"ha": "center", "va": "bottom", "fontsize": 9, "transform": top.get_xaxis_transform()}
        top.text((low + high) / 2, 1.01, layer.material.name, **at)
    return crowded
