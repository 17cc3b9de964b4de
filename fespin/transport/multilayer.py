"""The exact solution of two channels through a stack in one dimension (Valet and Fert 1993).

With the current density J, D = phi_up - phi_dn and psi the potential that the conductivities weight, b = +-beta along
the common axis and rho* = rho/(1 - b^2)::

    psi' = -rho J      phi_up,dn = psi + (+-1 - b) D/2      D'' = D/l^2      J_s = b J - D'/(2 rho*)

A layer is a conductance Y/sinh(t/l) in series between two of Y tanh(t/2l) that shunt, Y = 1/(2 rho* l), with the source
b J; an interface is the resistance 2 AR* with the source gamma J. From the lower contact upwards all below a face is
J_s = S - G D. The conductances are only added, multiplied and divided, all positive, and no exponential grows: layers
of any thickness and coefficients of any size keep all digits, in a time that is linear in the number of layers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..device import Contact
from ..errors import InputError
from ..quantities import is_finite
from ..stack import Stack, common_axis, interface_sign, sign_along

type Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Slab:
    """A layer, with what decays in it."""

    start: float
    thickness: float
    resistivity: float
    length: float
    beta: float

    @property
    def star(self) -> float:
        """rho* (ohm m)."""
        return self.resistivity / ((1 - self.beta) * (1 + self.beta))

    @property
    def ratio(self) -> float:
        """t/l."""
        return self.thickness / self.length

    @property
    def admittance(self) -> float:
        """Y = 1/(2 rho* l) (S/m2)."""
        return 1 / (2 * self.star * self.length)

    @property
    def series(self) -> float:
        """Y/sinh(t/l) (S/m2)."""
        return self.admittance * 2 * math.exp(-self.ratio) / -math.expm1(-2 * self.ratio)

    @property
    def shunt(self) -> float:
        """Y tanh(t/2l) (S/m2)."""
        return self.admittance * math.tanh(self.ratio / 2)


@dataclass(frozen=True)
class MultilayerSolution:
    """Potentials, currents and powers of a stack at a given current density.

    Attributes
    ----------
    resistance_area
        A R between the contacts (ohm m2).
    current_density
        Upwards (A/m2).
    boundaries
        Positions of all faces from 0 (m), (n + 1,).
    accumulation
        D at the lower and the upper face of each layer, inside it (V), (n, 2).
    spin_currents
        J_up - J_dn at all faces (A/m2), (n + 1,).
    layer_drops, interface_drops
        Drops of psi from bottom to top (V), (n,) and (n - 1,).
    power
        Power by place (layers, "a|b", contacts) and mechanism (W/m2).
    r_nonequilibrium
        A R_ne (ohm m2), from the power of the spins.

    Examples
    --------
    >>> exact = fs.solve_multilayer(stack, fs.Contact(), fs.Contact(), current_density=1e11)
    >>> exact.accumulation.shape
    (5, 2)
    >>> up, down = exact.potentials(np.array([39e-9]), layer=3)
    >>> print(f"{up[0] - down[0]:.3e}")
    2.467e-06
    """

    resistance_area: float
    current_density: float
    boundaries: Array
    accumulation: Array
    spin_currents: Array
    layer_drops: Array
    interface_drops: Array
    power: Mapping[tuple[str, str], float]
    r_nonequilibrium: float
    _slabs: tuple[_Slab, ...]
    _levels: Array

    def potentials(self, x: Array, layer: int) -> tuple[Array, Array]:
        """Return phi_up and phi_dn (V) at positions inside a layer."""
        c, s = self.mean_and_half(x, layer)
        return c + s, c - s

    def mean_and_half(self, x: Array, layer: int) -> tuple[Array, Array]:
        """Return (phi_up + phi_dn)/2 and D/2 (V) at positions inside a layer."""
        slab, (low, high) = self._slabs[layer], self.accumulation[layer]
        a = np.clip(np.asarray(x) - slab.start, 0.0, slab.thickness) / slab.length
        b = slab.ratio - a
        decayed = low * np.exp(-a) * np.expm1(-2 * b) + high * np.exp(-b) * np.expm1(-2 * a)
        s = decayed / math.expm1(-2 * slab.ratio) / 2
        psi = self._levels[layer] - slab.resistivity * self.current_density * (np.asarray(x) - slab.start)
        return np.asarray(psi - slab.beta * s), np.asarray(s)


def solve_multilayer(
    stack: Stack, bottom: Contact, top: Contact, current_density: float, *, top_voltage: float = 0.0
) -> MultilayerSolution:
    """Solve a stack of collinear magnets exactly.

    Parameters
    ----------
    stack
        Layers and interfaces.
    bottom, top
        Kinds of the outer ends.
    current_density
        Upwards (A/m2), not zero.
    top_voltage
        Voltage of the upper contact (V).

    Raises
    ------
    InputError
        If magnetizations are not collinear, gamma joins opposite ones, or the current is not a finite number but zero.

    Examples
    --------
    >>> exact = fs.solve_multilayer(stack, fs.Contact("lead"), fs.Contact("lead"), current_density=1e11)
    >>> print(f"{exact.resistance_area:.4e}")
    3.1462e-15
    """
    if not is_finite(current_density) or current_density == 0:
        raise InputError(f"multilayer: current_density is {current_density!r}; it must be finite and not zero")
    axis = common_axis(stack)
    edges = np.concatenate([[0.0], np.cumsum([x.thickness for x in stack])])
    slabs = tuple(
        _Slab(
            float(z),
            x.thickness,
            x.material.resistivity,
            x.material.spin_diffusion_length,
            sign_along(x, axis) * (x.material.beta or 0.0),
        )
        for z, x in zip(edges[:-1], stack, strict=True)
    )
    faces = []
    for a, b in zip(stack.layers, stack.layers[1:], strict=False):
        face = stack.interface(a.name, b.name)
        sign = interface_sign(stack, a.name, b.name, axis)
        faces.append((0.0, 0.0) if face is None else (face.area_resistance_star, sign * face.gamma))
    j = float(current_density)
    change, accumulation, spins = _spins(slabs, faces, bottom, top, j)
    drops = np.array([x.resistivity * x.thickness * j for x in slabs])
    steps = np.array(
        [
            star * (j - gamma * spins[k + 1]) + (slabs[k].beta * accumulation[k, 1] - slabs[k + 1].beta * low) / 2
            for k, ((star, gamma), low) in enumerate(zip(faces, accumulation[1:, 0], strict=True))
        ]
    )
    # A blocked contact fixes the mean of both potentials, the others psi.
    low, high = (
        x.beta * d / 2 if contact.spin == "blocked" else 0.0
        for x, d, contact in (
            (slabs[0], accumulation[0, 0], bottom),
            (slabs[-1], accumulation[-1, 1], top),
        )
    )
    levels, level = np.zeros(len(slabs)), high + top_voltage
    for k in reversed(range(len(slabs))):
        levels[k] = level = level + drops[k]
        level += steps[k - 1] if k else 0.0
    voltage = math.fsum([*drops, *steps, high, -low])
    power, spin_power = _power(stack, slabs, faces, (bottom, top), j, change, accumulation, spins)
    return MultilayerSolution(
        voltage / j, j, edges, accumulation, spins, drops, steps, power, spin_power / j**2, slabs, levels
    )


def _spins(
    slabs: tuple[_Slab, ...], faces: Sequence[tuple[float, float]], bottom: Contact, top: Contact, j: float
) -> tuple[Array, Array, Array]:
    """Return D(upper) - D(lower) of each layer, D at both of its faces, and J_s at all faces."""
    n = len(slabs)
    shunts, series = [x.shunt for x in slabs], [x.series for x in slabs]
    # Upwards: J_s = S - G D above each layer's lower shunt, where G is infinite at a reservoir.
    source, total = np.zeros(n), np.zeros(n)
    s, g = (slabs[0].beta * j, slabs[0].admittance) if bottom.spin == "lead" else (0.0, 0.0)
    held = bottom.spin == "reservoir"
    for k, x in enumerate(slabs):
        if k == 0 and held:
            s, g = x.beta * j, series[0] + shunts[0]
        else:
            source[k], total[k] = s - x.beta * j, g + shunts[k]
            share = series[k] / (total[k] + series[k])
            s, g = x.beta * j + share * source[k], shunts[k] + share * total[k]
        if k < n - 1:
            star, gamma = faces[k]
            load = 2 * star * g
            s, g = (s + load * gamma * j) / (1 + load), g / (1 + load)
    # Downwards from what the upper contact says.
    change, d, spins = np.zeros(n), np.zeros((n, 2)), np.zeros(n + 1)
    last = slabs[-1]
    upper = {"reservoir": 0.0, "lead": (s - last.beta * j) / (g + last.admittance), "blocked": s / g if g else 0.0}
    d[-1, 1] = upper[top.spin]
    spins[n] = s - g * d[-1, 1]
    for k in reversed(range(n)):
        if k == 0 and held:
            change[0] = d[0, 1]
        else:
            d[k, 0] = (source[k] + series[k] * d[k, 1]) / (total[k] + series[k])
            change[k] = (total[k] * d[k, 1] - source[k]) / (total[k] + series[k])
        spins[k] = slabs[k].beta * j - series[k] * change[k] + shunts[k] * d[k, 0]
        if k:
            star, gamma = faces[k - 1]
            d[k - 1, 1] = d[k, 0] + 2 * star * (spins[k] - gamma * j)
    return change, d, spins


def _power(
    stack: Stack,
    slabs: tuple[_Slab, ...],
    faces: Sequence[tuple[float, float]],
    contacts: tuple[Contact, Contact],
    j: float,
    change: Array,
    accumulation: Array,
    spins: Array,
) -> tuple[dict[tuple[str, str], float], float]:
    """Return the power by place and mechanism, and that of the spins (W/m2)."""
    names, out, spin_power = stack.names, {}, 0.0
    for k, (x, name) in enumerate(zip(slabs, names, strict=True)):
        # About the middle D is even (the mean m of both faces) and odd (half the change h): no cross term is left.
        m, h, u = accumulation[k].mean(), change[k] / 2, x.ratio
        less, more_even, more_odd = _shares(u)
        squares = x.length * (m**2 * more_even + h**2 * less[1])
        slopes = (m**2 * less[0] + h**2 * more_odd) / x.length
        q, q_squares = -change[k] / (2 * x.star), slopes / (4 * x.star**2)
        for channel, b in (("up", x.beta), ("down", -x.beta)):
            sign = 1 if channel == "up" else -1
            integral = ((1 + b) * j) ** 2 * x.thickness + 2 * sign * (1 + b) * j * q + q_squares
            out[name, channel] = x.resistivity / (2 * (1 + b)) * max(integral, 0.0)
        out[name, "spin flip"] = squares / (4 * x.star * x.length**2)
        spin_power += x.star * q_squares + out[name, "spin flip"]
    for k, (star, gamma) in enumerate(faces):
        if star:
            place, spin = f"{names[k]}|{names[k + 1]}", spins[k + 1]
            out[place, "interface up"] = star * (1 - gamma) * (j + spin) ** 2 / 2
            out[place, "interface down"] = star * (1 + gamma) * (j - spin) ** 2 / 2
            spin_power += star * (spin - gamma * j) ** 2
    for contact, name, x, d in (
        (contacts[0], "bottom", slabs[0], accumulation[0, 0]),
        (contacts[1], "top", slabs[-1], accumulation[-1, 1]),
    ):
        if contact.spin == "lead":
            out[f"lead at {name}", "lead"] = x.admittance * d**2 / 2
            spin_power += out[f"lead at {name}", "lead"]
    return out, spin_power


def _shares(u: float) -> tuple[tuple[float, float], float, float]:
    """Return (sinh u - u)/(cosh u + 1) and /(cosh u - 1), (sinh u + u)/(cosh u + 1) and (sinh u + u)/(cosh u - 1)."""
    if u > 40:
        return (1.0, 1.0), 1.0, 1.0
    even, odd = 2 * math.cosh(u / 2) ** 2, 2 * math.sinh(u / 2) ** 2
    # The difference of two nearly equal numbers, by its series.
    less = math.sinh(u) - u if u > 1 else math.fsum(u**k / math.factorial(k) for k in range(3, 23, 2))
    more = math.sinh(u) + u
    return (less / even, less / odd), more / even, more / odd
