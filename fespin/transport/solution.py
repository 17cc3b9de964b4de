"""Solutions of transport problems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from ..domain import Domain, sample
from ..errors import ModelError
from ..onsager.channels import Channels
from ..onsager.power import Dissipation
from ..stack import Stack

type Pair = tuple[str, str]


@dataclass(frozen=True)
class Profile:
    """Potentials along the axis of a stack, layer by layer; faces appear once per side.

    Attributes
    ----------
    position
        Points along the stacking direction (m).
    layer
        Index of the layer of each point.
    potentials
        Potential of each channel (V).
    accumulation
        phi_up - phi_dn (V); with non-collinear magnets along each layer's own magnetization.
    mean
        The charge potential (V): of spins up and down the mean.

    Examples
    --------
    >>> problem = fs.TransportProblem(fs.line(comm, stack))
    >>> profile = problem.solve(current_density=1e11).profile(points=20)
    >>> profile.position.shape, sorted(profile.potentials)
    ((100,), ['down', 'up'])
    >>> free = profile.layer == stack.names.index("free")
    >>> print(f"{profile.accumulation[free].min():.3e}")
    -1.966e-06
    """

    position: NDArray[np.float64]
    layer: NDArray[np.int64]
    potentials: Mapping[str, NDArray[np.float64]]
    accumulation: NDArray[np.float64]
    mean: NDArray[np.float64]


@dataclass(frozen=True)
class TransportSolution:
    """A solved state of a device.

    On a line (1D) there is no cross-section: currents are current densities (A/m2), powers are
    per area (W/m2), and `resistance` is None.

    Attributes
    ----------
    stack
        Layers with the magnetizations that were solved.
    domain
        Mesh; its own stack is as it was meshed.
    fields
        The unknowns by name (V): of two channels "c" = (phi_up + phi_dn)/2, "s" = (phi_up - phi_dn)/2.
    channels
        Potentials of the channels as combinations of the fields.
    voltages, currents
        Values at every contact (V, A); currents (A) count into the device.
    temperatures, heats
        Temperature of every contact (K), and the heat current into the device there (W); empty without heat.
    between
        The two contacts between which voltage and resistance are taken.
    dissipation
        Power by place and mechanism.
    power_balance
        (dissipated power)/(power put in) - 1, put in the sum of V I and what an electric field gives, with the currents
        of the residual at the contacts: the linear solver's error of these currents, about that of accumulations and
        torques. Between two contacts `currents` and `resistance` come from the power, and their error is about its
        square. With laws that follow the state the difference over the largest of the powers, 0 where all of them are
        rounding.
    accumulation
        phi_up - phi_dn (V) on the two sides of every interface, at its centre.
    layer_drops, interface_drops
        Drop of the conductivity-weighted potential c + beta s (V), means over faces; empty unless layers lie one upon
        the other between "bottom" and "top", with an electric field, and where a magnetization varies.
    channel_currents
        Current (A) of each channel through every interface, from its first to its second layer, and
        into every contact.
    r_nonequilibrium
        A R_ne (ohm m2): power of the spin degrees of freedom / I^2, times the area; None with more
        than two contacts, without a current, with heat, an electric field or laws that follow the state, and where
        a magnetization varies.
    present
        The channels that exist in each layer.
    spin
        The accumulation in each layer as weights over the fields.
    in_plane_currents
        Currents with an electric field in the plane: integral of each channel's current density over each layer,
        (x, y, z) along axes that the mesh does not have (A m; A/m on a line, per width of the film); else empty.
    iterations, dofs
        Iterations of the linear solver, and number of unknowns.
    notes
        Remarks about how it was found.
    report
        Results that only this model has, under the names of ``summary.json``.

    Examples
    --------
    >>> solution = fs.TransportProblem(fs.line(comm, stack)).solve(current_density=1e11)
    >>> print(f"{solution.resistance_area:.3e} {solution.r_nonequilibrium:.3e}")
    2.173e-15 1.800e-16
    >>> print(f"{solution.dissipation.by_mechanism['spin flip']:.3e}")
    2.103e+03
    >>> abs(solution.power_balance) < 1e-10
    True
    """

    stack: Stack
    domain: Domain
    fields: Mapping[str, fem.Function]
    channels: Channels
    voltages: Mapping[str, float]
    currents: Mapping[str, float]
    temperatures: Mapping[str, float]
    heats: Mapping[str, float]
    between: tuple[str, str]
    dissipation: Dissipation
    power_balance: float
    accumulation: Mapping[Pair, tuple[float, float]]
    layer_drops: Mapping[str, float]
    interface_drops: Mapping[Pair, float]
    channel_currents: Mapping[str, Mapping[str, float]]
    r_nonequilibrium: float | None
    present: Mapping[str, frozenset[str]]
    spin: Mapping[str, Mapping[str, float]]
    iterations: int
    dofs: int
    in_plane_currents: Mapping[str, Mapping[str, tuple[float, float, float]]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    report: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        resistance = f"A R = {self.resistance_area:.6g} ohm m2, " if self.resistance_area is not None else ""
        volts = ", ".join(f"V({k}) = {v:.6g} V" for k, v in self.voltages.items())
        return f"<TransportSolution: {resistance}{volts}, power balance {self.power_balance:.1e}>"

    @property
    def voltage(self) -> float:
        """Voltage between the driven contacts (V)."""
        a, b = self.between
        return self.voltages[a] - self.voltages[b]

    @property
    def current(self) -> float:
        """Current into the first driven contact (A; A/m2 on a line)."""
        return self.currents[self.between[0]]

    @property
    def current_density(self) -> float:
        """Current per cross-section (A/m2)."""
        return self.current / self.domain.area

    @property
    def resistance_area(self) -> float | None:
        """A R (ohm m2); None if no current flows."""
        return self.voltage / self.current_density if self.current else None

    @property
    def resistance(self) -> float | None:
        """R (ohm); None on a line, or if no current flows."""
        return None if self.domain.dim == 1 or not self.current else self.voltage / self.current

    def profile(self, points: int = 60) -> Profile:
        """Sample the potentials along the axis. Collective.

        Parameters
        ----------
        points
            Number of points per layer, both faces included.
        """
        parts = []
        for i, r in enumerate(self.domain.regions):
            low, high = self.domain.region_extent(r)
            heights = np.linspace(low, high, points, dtype=np.float64)
            values = sample(list(self.fields.values()), self.domain, self.domain.axis(heights), r)
            potentials = self.channels.matrix() @ values
            for k, channel in enumerate(self.channels.names):
                if channel not in self.present[r]:
                    potentials[k] = np.nan
            by_field = dict(zip(self.fields, values, strict=True))
            spin = sum(x * by_field[f] for f, x in self.spin[r].items())
            # The charge field is the first one of every model.
            parts.append((heights, np.full(points, i), potentials, spin, values[0]))
        position, layer, potentials, spin, mean = (np.concatenate(p, axis=-1) for p in zip(*parts, strict=True))
        return Profile(position, layer, dict(zip(self.channels.names, potentials, strict=True)), spin, mean)

    def combination(self, nu: Mapping[str, float]) -> list[tuple[float, fem.Function]]:
        """Return a combination of the channels' potentials as weights and fields, for files and pictures."""
        return [(w, self.fields[f]) for f, w in self.channels.combination(nu).items()]

    @property
    def accumulation_terms(self) -> list[tuple[float, fem.Function]]:
        """The accumulation as weights and fields.

        Raises
        ------
        ModelError
            If it is along another direction in each layer; then the fields are its components.
        """
        first, *others = self.spin.values()
        if any(x != first for x in others):
            raise ModelError("magnets along several axes have an accumulation along each: use the components of s")
        return [(x, self.fields[f]) for f, x in first.items()]

    def plot(self, path: str | Path, *, title: str = "") -> None:
        """Draw the device cut open, with the accumulation on the cut (2D, 3D), or the profile (1D). Collective.

        Parameters
        ----------
        path
            File of the picture, such as "accumulation.png".
        """
        from .. import plotting

        if self.domain.dim == 1:
            profile = {"default": (self.stack, self.profile())}
            plotting.plot_profiles(self.domain.comm, Path(path), profile, {}, title=title)
        else:
            plotting.plot_device(self, Path(path), title=title)

    def summary(self) -> dict[str, Any]:
        """Return the results as plain numbers, under the names of a case's ``summary.json``."""
        line = self.domain.dim == 1
        return {
            "resistance": self.resistance,
            "resistance_area": self.resistance_area,
            "voltage": self.voltage,
            "current": self.current,
            "current_density": self.current_density,
            "voltages": dict(self.voltages),
            "currents": dict(self.currents),
            "dissipated_power": self.dissipation.total,
            "dissipated_power_unit": "W/m2" if line else "W",
            "power_balance": self.power_balance,
            "power_by_mechanism": self.dissipation.by_mechanism,
            "power_by_place": self.dissipation.by_place,
            "dofs": self.dofs,
            "iterations": self.iterations,
            "accumulation": {"|".join(p): list(d) for p, d in self.accumulation.items()},
            "layer_drops": dict(self.layer_drops),
            "interface_drops": {"|".join(p): d for p, d in self.interface_drops.items()},
            "channel_currents": {k: dict(c) for k, c in self.channel_currents.items()},
            "r_nonequilibrium": self.r_nonequilibrium,
            **({"in_plane_currents": _plain(self.in_plane_currents)} if self.in_plane_currents else {}),
            **({"notes": list(self.notes)} if self.notes else {}),
            **self.report,
        }


def _plain(currents: Mapping[str, Mapping[str, tuple[float, float, float]]]) -> dict[str, dict[str, list[float]]]:
    return {layer: {k: list(x) for k, x in by_channel.items()} for layer, by_channel in currents.items()}
