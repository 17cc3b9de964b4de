"""Thermoelectric two-channel stacks: linear (matrices for `channels`) and nonlinear (spectral collocation).

Linear: fields ``phi_up, phi_dn, theta = T - T0``; the thermal flux is the entropy current ``Q / T0``, so that the
matrices are symmetric and the power of `channels` is ``T0`` times the entropy production.

Nonlinear: in each layer, with coefficients that are numbers or functions of T::

    phi_i' = -J_i / sigma_i - S_i T'      T' = -(Q - T sum S_i J_i) / kappa      D = phi_up - phi_dn
    J_up' = -g D      J_dn' = g D         Q' = -sum J_i phi_i' + g D**2

The energy current ``Q + sum phi_i J_i`` is conserved.  Across a face it is continuous, ``Q+ - Q- = sum J_i [phi_i]``
with ``[a] = a- - a+``; half of this heat goes to either side, ``Q-+ = K [T] -+ (1/2) sum G_i [phi_i]**2``.
Polynomials on elements refined towards the faces are collocated at Gauss points (which keeps the energy current of
the ends of elements to rounding), and the equations are solved by Newton's method.  SI units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import BarycentricInterpolator
from scipy.sparse import coo_matrix, diags
from scipy.sparse.linalg import splu

from .channels import Joint, Layer

Array = NDArray[Any]
Coefficient = float | Callable[[Array], Array]

CHARGE, HEAT = np.array([1.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])


def thermo_layer(
    thickness: float, sigma: Sequence[float], seebeck: Sequence[float], kappa: float, g: float, temperature: float
) -> Layer:
    """Layer of the linear model.

    Parameters
    ----------
    thickness, sigma, seebeck, kappa, g, temperature : float or (up, dn)
        Thickness (m), conductivities (S/m), Seebeck coefficients (V/K), thermal conductivity at zero currents
        (W/(m K)), spin flip (S/m3), mean temperature T0 (K).
    """
    sigma, seebeck = np.asarray(sigma, float), np.asarray(seebeck, float)
    K, R = np.zeros((3, 3)), np.zeros((3, 3))
    K[:2, :2], K[:2, 2] = np.diag(sigma), sigma * seebeck
    K[2, :2], K[2, 2] = K[:2, 2], kappa / temperature + sigma @ seebeck**2
    R[:2, :2] = g * np.array([[1.0, -1.0], [-1.0, 1.0]])
    return Layer(thickness, K, R)


def thermo_face(
    conductance: Sequence[float] | None = None, thermal: float | None = None, temperature: float = 300.0
) -> Joint:
    """Face of the linear model: conductances (S/m2) and K (W/(m2 K)); None: continuous."""
    G, continuous = np.zeros((3, 3)), []
    for i in range(2):
        if conductance is None:
            continuous.append(i)
        else:
            G[i, i] = conductance[i]
    if thermal is None:
        continuous.append(2)
    else:
        G[2, 2] = thermal / temperature
    return Joint(np.block([[G, -G], [-G, G]]), np.eye(3)[:, continuous])


def _value(coefficient: Coefficient, T: Array) -> Array:
    return coefficient(T) if callable(coefficient) else np.full(np.shape(T), float(coefficient))


@dataclass(frozen=True)
class HotLayer:
    """Layer of the nonlinear model: thickness (m), and coefficients as numbers or functions of T."""

    thickness: float
    sigma_up: Coefficient
    sigma_dn: Coefficient
    seebeck_up: Coefficient
    seebeck_dn: Coefficient
    kappa: Coefficient
    g: Coefficient

    def at(self, T: Array) -> tuple[Array, ...]:
        """Return sigma_up, sigma_dn, S_up, S_dn, kappa, g."""
        functions = (self.sigma_up, self.sigma_dn, self.seebeck_up, self.seebeck_dn, self.kappa, self.g)
        return tuple(_value(a, np.asarray(T, float)) for a in functions)

    def slopes(self, y: Array) -> Array:
        """Derivative of phi_up, phi_dn, T, J_up, J_dn, Q (last axis)."""
        phi_up, phi_dn, T, J_up, J_dn, Q = np.moveaxis(y, -1, 0)
        up, dn, S_up, S_dn, kappa, g = self.at(T)
        dT = -(Q - T * (S_up * J_up + S_dn * J_dn)) / kappa
        d_up, d_dn, flip = -J_up / up - S_up * dT, -J_dn / dn - S_dn * dT, g * (phi_up - phi_dn)
        heat = -J_up * d_up - J_dn * d_dn + flip * (phi_up - phi_dn)
        return np.stack([d_up, d_dn, dT, -flip, flip, heat], axis=-1)


@dataclass(frozen=True)
class HotFace:
    """Face of the nonlinear model: (G_up, G_dn) in S/m2 and K in W/(m2 K); None: continuous."""

    conductance: tuple[float, float] | None = None
    thermal: float | None = None

    def law(self, y: Array) -> Array:
        """Six residuals; y: fields of side 0, then of side 1."""
        a, b = y[..., :6], y[..., 6:]
        jump = a - b
        heat = a[..., 3] * jump[..., 0] + a[..., 4] * jump[..., 1]
        potential = jump[..., :2]
        if self.conductance is not None:
            potential = a[..., 3:5] - np.array(self.conductance) * jump[..., :2]
        mean = jump[..., 2] if self.thermal is None else 0.5 * (a[..., 5] + b[..., 5]) - self.thermal * jump[..., 2]
        return np.concatenate([jump[..., 3:5], potential, np.stack([mean, -jump[..., 5] - heat], -1)], axis=-1)


@dataclass(frozen=True)
class HotContact:
    """Contact of the nonlinear model: the kind, and T (K) or, where not None, the heat current into the stack (W/m2).

    A lead is the continuation of the electric part at the temperature of its face: ``g l D`` leaves as spin current.
    """

    kind: Literal["reservoir", "lead", "blocked"] = "reservoir"
    temperature: float = 300.0
    heat_flux: float | None = None

    def law(self, y: Array, layer: HotLayer, normal: int) -> Array:
        """Three residuals; y: fields at the contact, then V."""
        up, dn, T, J_up, J_dn, Q, V = np.moveaxis(y, -1, 0)
        sigma_up, sigma_dn, _, _, _, g = layer.at(T)
        share = sigma_up / (sigma_up + sigma_dn)
        if self.kind == "reservoir":
            rows = [up - V, dn - V]
        elif self.kind == "blocked":
            rows = [J_up - J_dn, 0.5 * (up + dn) - V]
        else:
            leaves = np.sqrt(g * sigma_dn * share) * (up - dn)
            rows = [normal * ((1 - share) * J_up - share * J_dn) - leaves, share * up + (1 - share) * dn - V]
        rows.append(T - self.temperature if self.heat_flux is None else -normal * Q - self.heat_flux)
        return np.stack(rows, axis=-1)


@dataclass(frozen=True)
class HotSolution:
    """Solution of the nonlinear model.

    Attributes
    ----------
    voltages, currents, heat : tuple
        Voltages (V), currents (A/m2) and heat currents (W/m2) into the stack at the left and right contact.
    temperatures : tuple
        Temperatures at both ends (K).
    entropy : dict
        Production (W/(K m2)): "channels", "conduction", "spin_flip", "face_channels", "face_conduction".
    lead_power : float
        Dissipated in leads (W/m2); ``sum(V I + heat)`` minus this is zero.
    """

    layers: tuple[HotLayer, ...]
    faces: Array
    voltages: tuple[float, float]
    currents: tuple[float, float]
    heat: tuple[float, float]
    temperatures: tuple[float, float]
    entropy: dict[str, float]
    lead_power: float
    iterations: int
    _elements: tuple  # (layer, start, stop, fields at the nodes)
    _nodes: Array

    @property
    def energy_residual(self) -> float:
        """``sum(V I + heat)`` minus the power of the leads (W/m2)."""
        return sum(v * i for v, i in zip(self.voltages, self.currents, strict=True)) + sum(self.heat) - self.lead_power

    def at(self, x: ArrayLike, layer: int) -> Array:
        """phi_up, phi_dn, T, J_up, J_dn, Q (last axis) at positions x (m) in a layer (index)."""
        layer = range(len(self.layers))[layer]
        x = np.asarray(x, float)
        states = np.empty((x.size, 6))
        for k, start, stop, y in self._elements:
            inside = (x.ravel() >= start) & (x.ravel() <= stop)
            inside |= np.isclose(x.ravel(), start, rtol=1e-12, atol=0) | np.isclose(x.ravel(), stop, rtol=1e-12, atol=0)
            if k == layer and inside.any():
                scaled = 2 * (x.ravel()[inside] - start) / (stop - start) - 1
                states[inside] = BarycentricInterpolator(self._nodes, y)(scaled)
        return states.reshape(*x.shape, 6)

    def sides(self, face: int) -> tuple[Array, Array]:
        """Fields on both sides of an interface."""
        before = [y for k, _, _, y in self._elements if k == face][-1][-1]
        return before, next(y for k, _, _, y in self._elements if k == face + 1)[0]


def _same(y: Array) -> Array:
    return y[..., :6] - y[..., 6:]


def _edges(layer: HotLayer, temperature: float) -> Array:
    up, dn, *_, g = (float(a) for a in layer.at(np.array(temperature)))
    step, near = 1.5 / np.sqrt(max(g * (1 / up + 1 / dn), 1e-30)), [0.0]
    while near[-1] < layer.thickness / 2:
        near.append(near[-1] + step)
        step *= 1.4
    near = np.array(near) * layer.thickness / 2 / near[-1]
    return np.concatenate([near, layer.thickness - near[-2::-1]])


def _jacobian(function: Callable[[Array], Array], y: Array, scale: Array) -> Array:
    """Central differences of a function of the last axis; new last axis: derivative."""
    columns = []
    for k in range(y.shape[-1]):
        h = np.zeros(y.shape[-1])
        h[k] = 6e-6 * scale[k]
        columns.append((function(y + h) - function(y - h)) / (2 * h[k]))
    return np.stack(columns, axis=-1)


def solve_nonlinear(
    layers: Sequence[HotLayer], faces: Sequence[HotFace], left: HotContact, right: HotContact, *,
    voltage: float | None = None, current_density: float | None = None, degree: int = 14, iterations: int = 40,
) -> HotSolution:  # fmt: skip
    """Solve the nonlinear model; `voltage` or `current_density` of the left contact, the right one at 0.

    Raises
    ------
    ArithmeticError
        If Newton's method does not converge.
    """
    if (voltage is None) == (current_density is None) or len(faces) != len(layers) - 1:
        raise ValueError("need one of voltage and current density, and one face per pair of neighbours")
    T_left, T_right = (c.temperature if c.heat_flux is None else None for c in (left, right))
    T_left = T_right if T_left is None else T_left
    if T_left is None:
        raise ValueError("need a temperature")
    T_right = T_left if T_right is None else T_right
    gauss, weights = np.polynomial.legendre.leggauss(degree)
    extremes = np.polynomial.Legendre.basis(degree).deriv().roots().real
    nodes = np.concatenate([[-1.0], extremes, [1.0]])
    V = np.polynomial.legendre.legvander
    slopes = np.polynomial.legendre.legval(gauss, np.polynomial.legendre.legder(np.eye(degree + 1))).T
    to_gauss, derive = (np.linalg.solve(V(nodes, degree).T, a.T).T for a in (V(gauss, degree), slopes))
    elements, position = [], 0.0
    for k, layer in enumerate(layers):
        cuts = position + _edges(layer, 0.5 * (T_left + T_right))
        elements += [(k, a, b) for a, b in pairwise(cuts)]
        position += layer.thickness
    owner = [k for k, _, _ in elements]
    middle = np.array([0.5 * (a + b) + 0.5 * (b - a) * nodes for _, a, b in elements]) / position
    n, m = len(elements), degree + 1
    resistance = sum(a.thickness / sum(v[()] for v in a.at(np.array(T_left))[:2]) for a in layers)
    drive = abs(voltage) if voltage is not None else abs(current_density) * resistance
    hottest, thermal = max(T_left, T_right), sum(a.thickness / a.at(np.array(T_left))[4] for a in layers)
    size = max(drive, 1e-6 * hottest)  # volts; at least some Seebeck voltage
    heat = max(max(abs(T_left - T_right), 1e-3 * hottest) / thermal, size**2 / resistance)
    scale = np.array([size, size, hottest, size / resistance, size / resistance, heat])
    y = np.zeros((n, m, 6))
    y[..., 0] = y[..., 1] = (voltage if voltage is not None else current_density * resistance) * (1 - middle)
    y[..., 2] = T_left + (T_right - T_left) * middle
    volts, free, previous = np.array([y[0, 0, 0], 0.0]), n * m * 6, np.inf
    index = np.arange(free).reshape(n, m, 6)

    count = 0
    while True:
        count += 1
        if count > iterations:
            raise ArithmeticError(f"no convergence, last change {previous:.1e}")
        rows, columns, entries, residual = [], [], [], []

        def add(
            values: Array,
            derivative: Array,
            where: Array,
            rows=rows,
            columns=columns,
            entries=entries,
            residual=residual,
        ):
            start = sum(len(r) for r in residual)
            residual.append(values)
            rows.append(np.repeat(start + np.arange(len(values)), len(where)))
            columns.append(np.tile(where, len(values)))
            entries.append(derivative.ravel())

        for e, (k, a, b) in enumerate(elements):
            half, at = 0.5 * (b - a), to_gauss @ y[e]
            local = _jacobian(layers[k].slopes, at, scale)  # (gauss, 6, 6)
            values = derive @ y[e] - half * layers[k].slopes(at)
            full = np.einsum("gn,fh->gfnh", derive, np.eye(6)) - half * np.einsum("gfh,gn->gfnh", local, to_gauss)
            add(values.ravel(), full.reshape(degree * 6, m * 6), index[e].ravel())
            if e:
                pair = np.concatenate([y[e - 1, -1], y[e, 0]])
                both = np.concatenate([index[e - 1, -1], index[e, 0]])
                law = faces[k - 1].law if owner[e - 1] != k else _same
                add(law(pair), _jacobian(law, pair, np.tile(scale, 2)), both)
        for end, contact, normal, v in ((0, left, -1, 0), (-1, right, 1, 1)):
            fields = np.append(y[end, end], volts[v])

            def law(f: Array, contact=contact, end=end, normal=normal) -> Array:
                return contact.law(f, layers[end], normal)

            add(law(fields), _jacobian(law, fields, np.append(scale, size)), np.append(index[end, end], free + v))
        add(volts[1:], np.ones((1, 1)), np.array([free + 1]))
        if voltage is not None:
            add(volts[:1] - voltage, np.ones((1, 1)), np.array([free]))
        else:
            add(y[0, 0, 3:5].sum()[None] - current_density, np.ones((1, 2)), index[0, 0, 3:5])
        matrix = coo_matrix((np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns)))).tocsr()
        column = np.concatenate([np.tile(scale, n * m), [size, size]])
        matrix = matrix @ diags(column)
        row = 1 / np.abs(matrix).max(axis=1).toarray().ravel()
        step = -column * splu((diags(row) @ matrix).tocsc()).solve(row * np.concatenate(residual))
        y, volts = y + step[:free].reshape(y.shape), volts + step[free:]
        change = float(np.abs(step / column).max())
        if 0.1 * previous < change < 1e-9 or change < 1e-15:
            break
        previous = change

    entropy = dict.fromkeys(("channels", "conduction", "spin_flip", "face_channels", "face_conduction"), 0.0)
    for e, (k, a, b) in enumerate(elements):
        at, weight = to_gauss @ y[e], 0.5 * (b - a) * weights
        T, D, dT = at[:, 2], at[:, 0] - at[:, 1], layers[k].slopes(at)[:, 2]
        up, dn, _, _, kappa, g = layers[k].at(T)
        entropy["channels"] += float(weight @ ((at[:, 3] ** 2 / up + at[:, 4] ** 2 / dn) / T))
        entropy["conduction"] += float(weight @ (kappa * dT**2 / T**2))
        entropy["spin_flip"] += float(weight @ (g * D**2 / T))
        if e and owner[e - 1] != k:
            before, after = y[e - 1, -1], y[e, 0]
            joule = float(before[3:5] @ (before[:2] - after[:2]))
            conducted = before[5] + 0.5 * joule
            entropy["face_channels"] += 0.5 * joule * (1 / before[2] + 1 / after[2])
            entropy["face_conduction"] += conducted * (1 / after[2] - 1 / before[2])
    first, last = y[0, 0], y[-1, -1]
    lead = 0.0
    for contact, at, layer in ((left, first, layers[0]), (right, last, layers[-1])):
        if contact.kind == "lead":
            up, dn, *_, g = layer.at(at[2])
            lead += float(np.sqrt(g / (1 / up + 1 / dn))) * (at[0] - at[1]) ** 2
    return HotSolution(
        tuple(layers), np.cumsum([0.0, *(a.thickness for a in layers)]), (float(volts[0]), float(volts[1])),
        (float(first[3:5].sum()), -float(last[3:5].sum())), (float(first[5]), -float(last[5])),
        (float(first[2]), float(last[2])), entropy, lead, count,
        tuple((k, a, b, y[e]) for e, (k, a, b) in enumerate(elements)), nodes,
    )  # fmt: skip
