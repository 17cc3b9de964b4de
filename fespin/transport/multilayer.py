"""The exact solution of two channels through a stack in one dimension (Valet and Fert 1993).

With the current density J given, c + beta s has the slope -rho J in each layer, and
s is a sum of two exponentials whose coefficients follow from the continuity of the
spin current, J_s = beta J - s'/rho*, and from the interfaces' jumps,
[s] = AR* (J_s - gamma J).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..device import Contact
from ..stack import Stack, common_axis, interface_sign, sign_along

type Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Slab:
    start: float
    thickness: float
    resistivity: float
    star: float
    length: float
    beta: float

    def s(self, x: Array, a: float, b: float) -> Array:
        """Half the accumulation from amplitudes at the lower and upper face."""
        u = x - self.start
        return np.asarray(a * np.exp(-u / self.length) + b * np.exp((u - self.thickness) / self.length))


@dataclass(frozen=True)
class MultilayerSolution:
    """Potentials and resistance of a stack at a given current density.

    Attributes
    ----------
    resistance_area
        A R between the contacts (ohm m2).
    current_density
        Upwards (A/m2).
    boundaries
        Positions of all faces from 0 (m).
    """

    resistance_area: float
    current_density: float
    boundaries: Array
    _slabs: tuple[_Slab, ...]
    _amplitudes: Array
    _levels: Array

    def potentials(self, x: Array, layer: int) -> tuple[Array, Array]:
        """Return phi_up and phi_dn (V) at positions inside a layer."""
        slab = self._slabs[layer]
        s = slab.s(x, *self._amplitudes[layer])
        weighted = self._levels[layer] - slab.resistivity * self.current_density * (x - slab.start)
        c = weighted - slab.beta * s
        return c + s, c - s


def solve_multilayer(
    stack: Stack, bottom: Contact, top: Contact, current_density: float, *, top_voltage: float = 0.0
) -> MultilayerSolution:
    """Solve a stack of collinear magnets exactly.

    Parameters
    ----------
    stack
        Layers and interfaces.
    bottom, top
        What the outer ends are.
    current_density
        Upwards (A/m2).
    top_voltage
        Of the upper contact (V).

    Raises
    ------
    InputError
        If magnetizations are not collinear, or gamma joins opposite ones.
    """
    axis = common_axis(stack)
    edges = np.concatenate([[0.0], np.cumsum([x.thickness for x in stack])])
    slabs = tuple(
        _Slab(
            float(z),
            x.thickness,
            x.material.resistivity,
            x.material.resistivity_star,
            x.material.spin_diffusion_length,
            sign_along(x, axis) * (x.material.beta or 0.0),
        )
        for z, x in zip(edges[:-1], stack, strict=True)
    )
    j, n = current_density, len(slabs)
    rows = np.zeros((2 * n, 2 * n))
    right = np.zeros(2 * n)
    # s and (J_s - beta J) rho* l as rows over (a, b) at the lower and upper face of each slab.
    decays = [float(np.exp(-x.thickness / x.length)) for x in slabs]

    def value(i: int, upper: bool) -> Array:
        return np.array([decays[i], 1.0] if upper else [1.0, decays[i]])

    def flow(i: int, upper: bool) -> Array:
        return np.array([decays[i], -1.0] if upper else [1.0, -decays[i]]) / (slabs[i].star * slabs[i].length)

    for row, (end, i, upper) in enumerate(((bottom, 0, False), (top, n - 1, True))):
        outward = 1 if upper else -1
        at = slice(2 * i, 2 * i + 2)
        if end.spin == "reservoir":
            rows[row, at] = value(i, upper)
        elif end.spin == "blocked":
            rows[row, at] = flow(i, upper)
            right[row] = -slabs[i].beta * j
        else:
            rows[row, at] = outward * flow(i, upper) - value(i, upper) / (slabs[i].star * slabs[i].length)
    interfaces = []
    for i, (a, b) in enumerate(zip(stack.layers, stack.layers[1:], strict=False)):
        face = stack.interface(a.name, b.name)
        sign = interface_sign(stack, a.name, b.name, axis)
        star, gamma = (0.0, 0.0) if face is None else (face.area_resistance_star, sign * face.gamma)
        interfaces.append((star, gamma))
        lower, upper_side = slice(2 * i, 2 * i + 2), slice(2 * i + 2, 2 * i + 4)
        r = 2 + 2 * i
        rows[r, lower], rows[r, upper_side] = flow(i, True), -flow(i + 1, False)
        right[r] = (slabs[i + 1].beta - slabs[i].beta) * j
        rows[r + 1, lower] = value(i, True) - star * flow(i, True)
        rows[r + 1, upper_side] = -value(i + 1, False)
        right[r + 1] = star * (slabs[i].beta - gamma) * j
    scale = np.abs(rows).max(axis=1)
    amplitudes = np.linalg.solve(rows / scale[:, None], right / scale).reshape(n, 2)

    # From the upper contact down: c + beta s falls by rho J d in a layer; at a face c jumps by its own law.
    def s_at(i: int, upper: bool) -> float:
        return float(value(i, upper) @ amplitudes[i])

    levels = np.zeros(n)
    last = slabs[-1]
    # A blocked contact fixes c, the others c + beta s.
    top_level = last.beta * s_at(n - 1, True) if top.spin == "blocked" else 0.0
    levels[-1] = top_level + last.resistivity * j * last.thickness
    for i in range(n - 2, -1, -1):
        star, gamma = interfaces[i]
        spin_current = slabs[i].beta * j + float(flow(i, True) @ amplitudes[i])
        c_above = levels[i + 1] - slabs[i + 1].beta * s_at(i + 1, False)
        c_below = c_above + star * (j - gamma * spin_current)
        levels[i] = c_below + slabs[i].beta * s_at(i, True) + slabs[i].resistivity * j * slabs[i].thickness
    voltage = levels[0] - (slabs[0].beta * s_at(0, False) if bottom.spin == "blocked" else 0.0)
    return MultilayerSolution(float(voltage / j), j, edges, slabs, amplitudes, levels + top_voltage)
