"""Exact collinear two-channel (Valet-Fert) transport through any multilayer.

With ``b = sign beta``, ``rho* = rho / (1 - b**2)`` and ``psi`` the conductivity-weighted potential::

    psi' = -rho J             phi_up = psi + (1 - b) D / 2         J_up = (1 + b) J / 2 + q / 2
    D'' = D / l**2            phi_dn = psi - (1 + b) D / 2         J_dn = (1 - b) J / 2 - q / 2

where ``D = phi_up - phi_dn`` and ``q = J_s - b J = -D' / (2 rho*)``.  The spin problem is thus a ladder of
conductances for the "voltage" ``D`` and the "current" ``J_s``: a layer with ``u = thickness / l`` is a pi
circuit (series ``Y / sinh u``, shunts ``Y tanh(u / 2)``, ``Y = 1 / (2 rho* l)``) whose magnetization adds the
source ``b J``; an interface is the resistance ``2 AR*`` in parallel with the source ``gamma J``.  The ladder
is reduced from left to right to ``J_s = S - G D``; ``G`` only adds, multiplies and divides positive numbers,
so neither very thin nor very thick layers lose digits.  SI units; ``J`` flows from left (x = 0) to right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

Contact = Literal["reservoir", "lead", "blocked"]
Array = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


@dataclass(frozen=True)
class Layer:
    """A homogeneous layer.

    Parameters
    ----------
    thickness, rho, beta, spin_diffusion_length, sign : float, int
        Thickness (m), total resistivity (ohm m), asymmetry, decay length of the accumulation (m), +1 or -1
        for a magnetization along or against the axis: ``sigma_up,dn = (1 +- sign beta) / (2 rho)``.
    """

    thickness: float
    rho: float
    beta: float
    spin_diffusion_length: float
    sign: int = 1

    def __post_init__(self) -> None:
        sizes = (self.thickness, self.rho, self.spin_diffusion_length, 1.0 - abs(self.beta))
        if not all(0.0 < size < math.inf for size in sizes) or self.sign not in (-1, 1):
            raise ValueError(f"invalid layer: {self}")

    @property
    def asymmetry(self) -> float:
        """Asymmetry ``b = sign * beta`` along the fixed axis."""
        return self.sign * self.beta

    @property
    def rho_star(self) -> float:
        """``rho / (1 - beta**2)`` (ohm m)."""
        return self.rho / ((1.0 - self.beta) * (1.0 + self.beta))

    @property
    def spin_admittance(self) -> float:
        """``Y = 1 / (2 rho* l)`` (S/m2)."""
        return 0.5 / (self.rho_star * self.spin_diffusion_length)


@dataclass(frozen=True)
class Interface:
    """A resistive interface, ``G_up,dn = 1 / (2 AR* (1 -+ sign gamma))``.

    Parameters
    ----------
    area_resistance_star, gamma, sign : float, int
        ``AR*`` (ohm m2), zero or positive, the asymmetry, and +1 or -1 as for the magnet that it belongs to.
    """

    area_resistance_star: float
    gamma: float = 0.0
    sign: int = 1

    def __post_init__(self) -> None:
        possible = 0.0 <= self.area_resistance_star < math.inf and abs(self.gamma) < 1.0
        if not possible or self.sign not in (-1, 1):
            raise ValueError(f"invalid interface: {self}")

    @property
    def asymmetry(self) -> float:
        """Asymmetry ``sign * gamma`` along the fixed axis."""
        return self.sign * self.gamma


@dataclass(frozen=True)
class _Profile:
    """Fields of one layer: accumulation at both faces, current of the series branch, psi at the left face."""

    layer: Layer
    left: float
    right: float
    series_current: float
    psi_left: float
    current_density: float

    def at(self, from_left: Array, from_right: Array) -> tuple[Array, Array, Array]:
        """Return psi, D and q at the given distances (m) from the left and the right face."""
        length, scale = self.layer.spin_diffusion_length, self.layer.spin_admittance
        a, b, u = from_left / length, from_right / length, self.layer.thickness / length
        norm = -math.expm1(-2.0 * u)
        psi = self.psi_left - self.layer.rho * self.current_density * from_left
        left, right = self.left * np.exp(-a) / norm, self.right * np.exp(-b) / norm
        accumulation = -left * np.expm1(-2.0 * b) - right * np.expm1(-2.0 * a)
        difference = left * np.expm1(-b) ** 2 - right * np.expm1(-a) ** 2
        return psi, accumulation, self.series_current + scale * difference

    def power(self) -> Array:
        """Return the power (W/m2) of the up channel, the down channel, spin flip, and ``D'^2 / (4 rho*)``."""
        layer, b, J = self.layer, self.layer.asymmetry, self.current_density
        t, reach = layer.thickness, 40.0 * layer.spin_diffusion_length
        near = np.linspace(0.0, min(reach, 0.5 * t), 1 + max(1, math.ceil(min(20.0, 10.0 * t / reach))))
        total: Array = np.zeros(4)
        for start, stop in pairwise(near):
            x = start + 0.5 * (stop - start) * (1.0 + _NODES)
            for from_left, from_right in ((x, t - x), (t - x, x)):
                _, D, q = self.at(from_left, from_right)
                up = ((1.0 + b) * J + q) ** 2 * layer.rho / (2.0 * (1.0 + b))
                down = ((1.0 - b) * J - q) ** 2 * layer.rho / (2.0 * (1.0 - b))
                flip = D**2 / (4.0 * layer.rho_star * layer.spin_diffusion_length**2)
                total += 0.5 * (stop - start) * (np.array([up, down, flip, layer.rho_star * q**2]) @ _WEIGHTS)
        flat = 0.5 * layer.rho * J**2 * max(0.0, t - 2.0 * near[-1])  # beyond `reach` D and q are rounding
        total += [(1.0 + b) * flat, (1.0 - b) * flat, 0.0, 0.0]
        return total


@dataclass(frozen=True)
class Solution:
    """Exact solution; the right contact is at V = 0 and the left one at ``voltage``.

    Attributes
    ----------
    faces, spin_current_at_faces : ndarray
        Positions of the ``n + 1`` layer boundaries (m), and ``J_s = J_up - J_dn`` there (A/m2).
    resistance_area, ohmic_resistance_area : float
        ``voltage / J``, and ``sum rho t + sum AR* (1 - gamma**2)`` (ohm m2).
    accumulation_at_interfaces, accumulation_at_contacts : list of tuple, tuple
        ``D`` on the (left, right) side of each interface, and at the (left, right) contact (V).
    layer_drops, interface_drops, contact_drops : list of float
        Left minus right difference of ``psi`` (V); they sum to ``voltage``.  Contact drops, between the V of
        a contact and ``psi`` next to it, are zero except for "blocked" on a magnetic layer.
    power : dict
        Dissipated power (W/m2): "up", "down", "spin_flip", "interface_up", "interface_down", "leads".
    r_nonequilibrium, r_nonequilibrium_power : float
        ``A R_ne`` (ohm m2) from the asymmetries times the changes of ``D``, and from the dissipation.
    """

    layers: tuple[Layer, ...]
    current_density: float
    faces: Array
    voltage: float
    resistance_area: float
    ohmic_resistance_area: float
    accumulation_at_interfaces: list[tuple[float, float]]
    accumulation_at_contacts: tuple[float, float]
    spin_current_at_faces: Array
    layer_drops: list[float]
    interface_drops: list[float]
    contact_drops: list[float]
    power: dict[str, float]
    r_nonequilibrium: float
    r_nonequilibrium_power: float
    _profiles: tuple[_Profile, ...]

    def _evaluate(self, x: ArrayLike, layer: int | None) -> tuple[Array, ...]:
        """Return phi_up, phi_dn, J_up, J_dn, D at x; a face is in its right layer if `layer` is None."""
        points, n, J = np.asarray(x, dtype=float), len(self.layers), self.current_density
        first, last = (0, n - 1) if layer is None else (range(n)[layer],) * 2
        slack = 1e-9 * self.faces[-1]
        if not np.all((points >= self.faces[first] - slack) & (points <= self.faces[last + 1] + slack)):
            raise ValueError("position outside the stack, or outside the chosen layer")
        owner = first + np.searchsorted(self.faces[first + 1 : last + 1], points, side="right")
        values = np.empty((5, *points.shape))
        for k in np.unique(owner):
            here, t, b = owner == k, self.layers[k].thickness, self.layers[k].asymmetry
            from_left = np.clip(points[here] - self.faces[k], 0.0, t)
            from_right = np.clip(self.faces[k + 1] - points[here], 0.0, t)
            near = from_left < from_right  # exact distances from the nearer face
            psi, D, q = self._profiles[k].at(
                np.where(near, from_left, t - from_right), np.where(near, t - from_left, from_right)
            )
            potentials = psi + 0.5 * (1.0 - b) * D, psi - 0.5 * (1.0 + b) * D
            currents = 0.5 * ((1.0 + b) * J + q), 0.5 * ((1.0 - b) * J - q)
            values[:, here] = [*potentials, *currents, D]
        return tuple(values)

    def phi_up(self, x: ArrayLike, layer: int | None = None) -> Array:
        """Potential of the up channel (V); a face is in its right layer, or in `layer` (index) if given."""
        return self._evaluate(x, layer)[0]

    def phi_dn(self, x: ArrayLike, layer: int | None = None) -> Array:
        """Potential of the down channel (V), see `phi_up`."""
        return self._evaluate(x, layer)[1]

    def J_up(self, x: ArrayLike, layer: int | None = None) -> Array:
        """Current density of the up channel (A/m2), see `phi_up`."""
        return self._evaluate(x, layer)[2]

    def J_dn(self, x: ArrayLike, layer: int | None = None) -> Array:
        """Current density of the down channel (A/m2), see `phi_up`."""
        return self._evaluate(x, layer)[3]

    def accumulation(self, x: ArrayLike, layer: int | None = None) -> Array:
        """``D = phi_up - phi_dn`` (V), free of the rounding of that difference, see `phi_up`."""
        return self._evaluate(x, layer)[4]


def solve(
    layers: Sequence[Layer], interfaces: Sequence[Interface | None], left: Contact, right: Contact,
    current_density: float = 1.0,
) -> Solution:  # fmt: skip
    """Solve a multilayer exactly.

    Parameters
    ----------
    layers, interfaces : sequence of Layer, sequence of Interface or None
        From left to right, one interface per pair of neighbours; None is perfect (continuous potentials).
    left, right : {"reservoir", "lead", "blocked"}
        Both channels at V; or semi-infinite continuation of the outer layer and ``psi = V``; or no spin
        current and ``(phi_up + phi_dn) / 2 = V``.
    current_density : float
        Charge current density (A/m2), positive from left to right; not zero.
    """
    n, J, known = len(layers), float(current_density), {left, right} <= set(get_args(Contact))
    if not (n > 0 and len(interfaces) == n - 1 and known and 0.0 < abs(J) < math.inf):
        raise ValueError("need layers, one interface (or None) per neighbours, two known contacts, a current")
    joints = [joint or Interface(0.0) for joint in interfaces]
    b, Y = [layer.asymmetry for layer in layers], [layer.spin_admittance for layer in layers]
    u = [layer.thickness / layer.spin_diffusion_length for layer in layers]
    series = [Y[k] * 2.0 * math.exp(-u[k]) / -math.expm1(-2.0 * u[k]) for k in range(n)]
    shunt = [Y[k] * math.tanh(0.5 * u[k]) for k in range(n)]

    # Reduction to J_s = S - G D; (source, total)[k]: seen by the series branch of layer k, looking left.
    source, total = [0.0] * n, [math.inf] * n
    S, G = (b[0] * J, Y[0]) if left == "lead" else (0.0, 0.0)
    for k in range(n):
        if k == 0 and left == "reservoir":
            S, G = b[0] * J, shunt[0] + series[0]
        else:
            source[k], total[k] = S - b[k] * J, G + shunt[k]
            share = series[k] / (total[k] + series[k])
            S, G = b[k] * J + share * source[k], shunt[k] + share * total[k]
        if k < n - 1:
            load = 2.0 * joints[k].area_resistance_star * G
            S, G = (S + load * joints[k].asymmetry * J) / (1.0 + load), G / (1.0 + load)

    # Back substitution from the right contact, where V = 0; D0, D1: D at the left, right face of a layer.
    D0, D1, Js = [0.0] * n, [0.0] * n, [0.0] * (n + 1)
    D1[-1] = {"reservoir": 0.0, "lead": (S - b[-1] * J) / (G + Y[-1]), "blocked": S / G}[right]
    Js[n] = S - G * D1[-1]
    psi = 0.5 * b[-1] * D1[-1] if right == "blocked" else 0.0
    contact_drops, layer_drops = [0.0, psi], [layer.rho * layer.thickness * J for layer in layers]
    interface_drops, profiles, regular, positive = [0.0] * (n - 1), list[_Profile](), 0.0, 0.0
    power = dict.fromkeys(("up", "down", "spin_flip", "interface_up", "interface_down", "leads"), 0.0)
    for k in reversed(range(n)):
        change = -D1[k]
        if total[k] < math.inf:
            D0[k] = (source[k] + series[k] * D1[k]) / (total[k] + series[k])
            change = (source[k] - total[k] * D1[k]) / (total[k] + series[k])
        Js[k] = b[k] * J + series[k] * change + shunt[k] * D0[k]
        psi += layer_drops[k]
        profiles.append(_Profile(layers[k], D0[k], D1[k], series[k] * change, psi, J))
        losses = profiles[-1].power().tolist()
        for name, value in zip(("up", "down", "spin_flip"), losses[:3], strict=True):
            power[name] += value
        regular, positive = regular - b[k] * change, positive + losses[2] + losses[3]
        if k > 0:
            star, gamma, spin = joints[k - 1].area_resistance_star, joints[k - 1].asymmetry, Js[k]
            D1[k - 1] = D0[k] + 2.0 * star * (spin - gamma * J)
            interface_drops[k - 1] = star * (J - gamma * spin) + 0.5 * (b[k - 1] * D1[k - 1] - b[k] * D0[k])
            psi += interface_drops[k - 1]
            regular += gamma * (D0[k] - D1[k - 1])
            positive += (D0[k] - D1[k - 1]) ** 2 / (4.0 * star) if star > 0.0 else 0.0
            power["interface_up"] += 0.5 * star * (1.0 - gamma) * (J + spin) ** 2
            power["interface_down"] += 0.5 * star * (1.0 + gamma) * (J - spin) ** 2
    contact_drops[0] = -0.5 * b[0] * D0[0] if left == "blocked" else 0.0
    for contact, b_out, admittance, D in ((left, b[0], Y[0], D0[0]), (right, -b[-1], Y[-1], D1[-1])):
        if contact == "lead":
            regular += b_out * D
            power["leads"] += 0.5 * admittance * D**2

    voltage, faces = psi + contact_drops[0], np.cumsum([0.0, *(layer.thickness for layer in layers)])
    ohmic = sum(layer_drops) / J + sum(a.area_resistance_star * (1.0 - a.gamma**2) for a in joints)
    sides, ends = [(D1[k], D0[k + 1]) for k in range(n - 1)], (D0[0], D1[-1])
    return Solution(
        tuple(layers), J, faces, voltage, voltage / J, ohmic, sides, ends, np.array(Js),
        layer_drops, interface_drops, contact_drops,
        power, regular / (2.0 * J), (positive + power["leads"]) / J**2, tuple(reversed(profiles)),
    )  # fmt: skip
