"""Exact solutions of linear one-dimensional transport through any stack: channels, vector, thermoelectric.

``n`` fields ``w(x)`` obey in each layer, with constant matrices in the layer's own coordinates ``a`` (``w = F a``,
``F`` the orthonormal frame of the fields which exist there)::

    J' + R (a - a0) + i omega C a = 0        J = -K a'        x from left to right, time exp(+i omega t)

so that ``a - a0`` is a sum of ``v exp(-k x)`` and ``v exp(-k (t - x))``, ``k**2`` the eigenvalues of
``K^-1 (R + i omega C)``, or of the equivalent ``cosh`` and ``sinh`` where ``k t < 1`` (``k = 0`` included).  Faces,
``n`` pointing from side 0 to side 1, obey ``[J0, -J1] = G ([w0, w1] - shift)``.  One equilibrated dense system
gives the amplitudes, with `digits` decimal digits where asked.  `channel_models` builds the matrices.  SI units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

import mpmath
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import null_space, schur
from scipy.sparse.csgraph import connected_components

Array = NDArray[Any]
Kind = Literal["reservoir", "lead", "blocked"]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)


@dataclass(frozen=True)
class Layer:
    """A homogeneous layer.

    Parameters
    ----------
    thickness : float
        Thickness (m).
    K, R, C : (p, p) array
        Conductivity, relaxation and (optional) storage in the coordinates of the layer.
    frame : (n, p) array, optional
        Orthonormal columns: the fields that exist in the layer; all of them by default.
    shift : (n,) array, optional
        ``R`` acts on ``w - shift`` (spin pumping of a resolved magnet).
    m : (3,) array, optional
        Magnetization direction of a magnet whose torque is wanted.
    """

    thickness: float
    K: Array
    R: Array
    C: Array | None = None
    frame: Array | None = None
    shift: Array | None = None
    m: Array | None = None


@dataclass(frozen=True)
class Joint:
    """A face.  The fields along the columns of `continuous` are continuous; the others obey the law of `G`.

    Parameters
    ----------
    G : (2 n, 2 n) array, optional
        ``[J0, -J1] = G ([w0, w1] - shift)``.  For continuous fields the sum of the two rows is what the face absorbs
        of the flux.  Fields without either are insulated.
    continuous : (n, c) array, optional
        Orthonormal columns, in the frames of both sides.
    shift : (2 n,) array, optional
        Offset of the potentials.
    """

    G: Array | None = None
    continuous: Array | None = None
    shift: Array | None = None


@dataclass(frozen=True)
class Contact:
    """An end of the stack.

    Parameters
    ----------
    kind : {"reservoir", "lead", "blocked"}
        Fields ``V q``; semi-infinite continuation of the outer layer; or no flux but that of the charge.
    theta, thermal_flux : float
        Thermal field, or its flux into the stack where not None.
    coupled : bool
        Whether the spins of a lead are coupled to its thermal field, which flows on; else the electric part is alone.
    """

    kind: Kind = "reservoir"
    theta: float = 0.0
    thermal_flux: float | None = None
    coupled: bool = True


class _Numbers:
    """Complex arithmetic in double precision, or with `digits` decimal digits on arrays of objects."""

    def __init__(self, digits: int | None) -> None:
        self.mp = None
        if digits is not None:
            self.mp = mpmath.mp.clone()
            self.mp.dps = digits

    def array(self, values: ArrayLike) -> Array:
        values = np.asarray(values)
        if self.mp is None or values.dtype == object:
            return values if values.dtype == object else values.astype(complex)
        return np.frompyfunc(self.mp.mpc, 1, 1)(values) if values.size else values.astype(object)

    def apply(self, name: str, values: Array) -> Array:
        if self.mp is None:
            return getattr(np, name)(values)
        return np.frompyfunc(getattr(self.mp, name), 1, 1)(values)

    def _unpack(self, a: Any) -> Array:
        return np.array(a.tolist(), dtype=object).reshape(a.rows, a.cols)

    def schur(self, a: Array) -> tuple[Array, Array]:
        if self.mp is None:
            return schur(a, output="complex")
        q, t = self.mp.schur(self.mp.matrix(a.tolist()))
        return self._unpack(t), self._unpack(q)

    def eigh(self, a: Array) -> tuple[Array, Array]:
        if self.mp is None:
            return np.linalg.eigh(a)
        values, vectors = self.mp.eigsy(self.mp.matrix(a.astype(float).tolist()))
        return np.array(values, dtype=object), self._unpack(vectors)

    def eig(self, a: Array) -> tuple[Array, Array]:
        if self.mp is None:
            return np.linalg.eig(a)
        values, vectors = self.mp.eig(self.mp.matrix(a.tolist()))
        return np.array(values, dtype=object), self._unpack(vectors)

    def solve(self, a: Array, b: Array) -> Array:
        """Gauss elimination with pivoting of the equilibrated system."""
        size, rows, columns = np.abs(a).astype(float), np.ones(len(a)), np.ones(len(a))
        for _ in range(6):
            scale = 2.0 ** -np.round(np.log2((size * rows[:, None] * columns).max(axis=1)))
            rows *= scale
            columns *= 2.0 ** -np.round(np.log2((size * rows[:, None] * columns).max(axis=0)))
        a, b = a * rows[:, None] * columns, b * rows[:, None]
        if self.mp is None:
            return columns[:, None] * np.linalg.solve(a, b)
        a = np.hstack([a, b])
        for k in range(len(a)):
            best = k + int(np.argmax(np.abs(a[k:, k]).astype(float)))
            a[[k, best]] = a[[best, k]]
            below = k + 1 + np.flatnonzero(a[k + 1 :, k] != 0)
            a[below, k + 1 :] = a[below, k + 1 :] - np.outer(a[below, k] / a[k, k], a[k, k + 1 :])
        x = a[:, len(a) :].copy()
        for k in reversed(range(len(a))):
            x[k] = (x[k] - a[k, k + 1 : len(a)] @ x[k + 1 :]) / a[k, k]
        return columns[:, None] * x


def _spectrum(K: Array, R: Array, numbers: _Numbers) -> tuple[Array, Array, Array]:
    """Return k (Re k >= 0), V and V^-1 with ``K^-1 R = V diag(k^2) V^-1``, block by block."""
    p, identity, scale = len(K), numbers.array(np.eye(len(K))), 2.0 ** -np.round(np.log2(np.abs(np.diag(K))) / 2)
    K, R = scale[:, None] * K * scale, scale[:, None] * R * scale
    squares, vectors, inverse = (numbers.array(np.zeros(s)) for s in ((p,), (p, p), (p, p)))
    count, labels = connected_components(np.abs(K) + np.abs(R) > 0, directed=False)
    for block in (np.flatnonzero(labels == k) for k in range(count)):
        at, one, A = np.ix_(block, block), identity[: len(block), : len(block)], numbers.array(R[np.ix_(block, block)])
        symmetric, normal = np.array_equal(K[at], K[at].T), False
        if symmetric:  # similar to a symmetric or normal matrix: no trouble from degenerate eigenvalues
            kappa, U = numbers.eigh(K[at])
            half = U / numbers.apply("sqrt", kappa) @ U.T
            T, Q = numbers.schur(half @ A @ half)
            normal = np.abs(np.triu(T, 1)).astype(float).max(initial=0) <= 1e-12 * np.abs(T).astype(float).max()
            values, V = np.diag(T), half @ Q
        if not (symmetric and normal):
            values, V = numbers.eig(numbers.solve(numbers.array(K[at]), A))
            if np.linalg.cond(V.astype(complex)) > 1e8:
                raise ValueError("K^-1 R cannot be made diagonal")
        size = np.abs(values).astype(float)
        squares[block] = np.where(size > 1e-13 * size.max(), values, 0 * values)
        vectors[at], inverse[at] = V, numbers.solve(V, one)
    return numbers.apply("sqrt", squares), scale[:, None] * vectors, inverse / scale


def _shapes(k: Array, from_left: Any, from_right: Any, t: float, numbers: _Numbers) -> tuple[Array, Array]:
    """Return the 2 p shapes and their derivatives at a point (last axis: shapes)."""
    small, half = np.abs(k * t).astype(float) < 1.0, (from_left - from_right) / 2
    left, right = numbers.apply("exp", -k * from_left), numbers.apply("exp", -k * from_right)
    safe = np.where(small, k, 0 * k)
    cosh, sinh = numbers.apply("cosh", safe * half), numbers.apply("sinh", safe * half)
    nonzero = np.where(np.abs(safe) > 0, safe, 0 * safe + 1)
    slope = np.where(np.abs(safe) > 0, sinh / nonzero, half + 0 * sinh) / t
    values = np.concatenate([np.where(small, cosh, left), np.where(small, slope, right)], axis=-1)
    slopes = [np.where(small, safe * sinh, -k * left), np.where(small, cosh / t, k * right)]
    return values, np.concatenate(slopes, axis=-1)


def _rest(inside: Array, directions: Array) -> Array:
    """Return an orthonormal basis of the span of `inside` perpendicular to `directions`."""
    return inside @ null_space(directions.T @ inside) if directions.size else inside


@dataclass(frozen=True)
class Solution:
    """Exact solution.

    Attributes
    ----------
    voltages, currents : tuple
        Voltages of the left and right contact (V; right: 0), and charge current densities into the stack there (A/m2).
    thermal : tuple
        Thermal flux into the stack at both contacts.
    power : dict of float
        Steady state only, flux times force (W/m2): "bulk", "reactions", "interfaces", "leads".
    """

    layers: tuple[Layer, ...]
    joints: tuple[Joint, ...]
    charge: Array
    faces: Array
    voltages: tuple
    currents: tuple
    thermal: tuple
    frames: tuple[Array, ...]
    _modes: tuple
    _steady: bool
    power: dict[str, float] = field(default_factory=dict)

    @property
    def resistance_area(self) -> Any:
        """Voltage over current density (ohm m2); complex for an alternating current."""
        return (self.voltages[0] - self.voltages[1]) / self.currents[0]

    def _local(self, layer: int, from_left: Array) -> tuple[Array, Array]:
        """Return the local fields less their shift, and fluxes, one row per point."""
        from_left, t = np.asarray(from_left, float)[:, None], self.layers[layer].thickness
        k, V, amplitudes = self._modes[layer]
        f, df = _shapes(k, from_left, t - from_left, t, _Numbers(None))
        p = len(k)
        a, da = ((s[:, :p] * amplitudes[:p] + s[:, p:] * amplitudes[p:]) @ V.T for s in (f, df))
        J = -da @ self.layers[layer].K.T
        return (a.real, J.real) if self._steady else (a, J)

    def w(self, x: ArrayLike, layer: int) -> Array:
        """All n fields at positions x (m) in a layer (index), fields last; absent ones are zero."""
        layer = range(len(self.layers))[layer]
        x, frame, shift = np.asarray(x, float), self.frames[layer], self.layers[layer].shift
        local, _ = self._local(layer, x.ravel() - self.faces[layer])
        return (local @ frame.T).reshape(*x.shape, -1) + (0.0 if shift is None else shift)

    def J(self, x: ArrayLike, layer: int) -> Array:
        """All n fluxes at positions x (m) in a layer (index), fields last."""
        layer = range(len(self.layers))[layer]
        x = np.asarray(x, float)
        return (self._local(layer, x.ravel() - self.faces[layer])[1] @ self.frames[layer].T).reshape(*x.shape, -1)

    def sides(self, joint: int, of: Literal["w", "J"] = "w") -> tuple[Array, Array]:
        """Fields or fluxes on both sides of an interface."""
        function, x = getattr(self, of), self.faces[joint + 1]
        return function(x, joint), function(x, joint + 1)

    def integrate(self, layer: int, function: Callable, start: float = 0.0, stop: float | None = None) -> Any:
        """Integrate ``function(w, J)`` (rows: points) over a layer, or from `start` to `stop` (m) within it."""
        t, fastest = self.layers[layer].thickness, np.abs(self._modes[layer][0]).max()
        stop = t if stop is None else stop
        near = [0.0]
        while near[-1] < t / 2:
            near.append(min(t / 2, 2 * near[-1] + 0.5 / max(fastest, 1 / t)))
        edges = sorted({start, stop} | {v for e in near for v in (e, t - e) if start < v < stop})
        total = 0.0
        for a, b in pairwise(edges):
            x = self.faces[layer] + a + 0.5 * (b - a) * (1 + _NODES)
            total = total + 0.5 * (b - a) * np.tensordot(_WEIGHTS, function(self.w(x, layer), self.J(x, layer)), 1)
        return total


def solve(
    layers: Sequence[Layer], joints: Sequence[Joint], left: Contact, right: Contact, charge: ArrayLike, *,
    voltage: float | None = None, current_density: float | None = None, omega: float = 0.0,
    thermal: ArrayLike | None = None, digits: int | None = None,
) -> Solution:  # fmt: skip
    """Solve a stack exactly.

    Parameters
    ----------
    layers, joints, left, right : sequence of Layer, sequence of Joint, Contact
        From left to right, one joint per pair of neighbours.
    charge, thermal : (n,) array
        Charge vector q (the potentials of a reservoir are V q), and unit vector of the thermal field, if any.
    voltage, current_density : float
        Of the left contact (V), or of the charge from left to right (A/m2): one of both.  The right contact is at 0.
    omega : float
        Angular frequency (1/s).
    digits : int, optional
        Decimal digits of the solution of the linear system; double precision by default.
    """
    if (voltage is None) == (current_density is None) or len(joints) != len(layers) - 1:
        raise ValueError("need one of voltage and current density, and one joint per pair of neighbours")
    if omega and any(layer.shift is not None for layer in layers):
        raise ValueError("a shift is steady")
    numbers, q, n = _Numbers(digits), np.asarray(charge, float), np.size(charge)
    heat = np.zeros(n) if thermal is None else np.asarray(thermal, float)
    frames = [np.eye(n) if layer.frame is None else np.asarray(layer.frame, float) for layer in layers]
    starts = np.cumsum([0, *(2 * frame.shape[1] for frame in frames)])
    size, equations, known = int(starts[-1]) + 2, list[Array](), list[Any]()
    modes, ends, relaxation, admittances = [], [], [], {0: np.zeros((n, n)), -1: np.zeros((n, n))}
    for layer, frame, start in zip(layers, frames, starts, strict=False):
        R = layer.R if layer.C is None or not omega else layer.R + 1j * omega * layer.C
        k, V, _ = _spectrum(layer.K, R, numbers)
        modes.append((k, V))
        relaxation.append(R)
        layer_ends, t = [], numbers.array(np.array([layer.thickness]))[0]
        for a, b in ((0 * t, t), (t, 0 * t)):  # rows of the global fields (less the shift) and fluxes at both faces
            pair = []
            for shape, matrix in zip(_shapes(k, a, b, t, numbers), (frame @ V, -frame @ layer.K @ V), strict=True):
                rows = numbers.array(np.zeros((n, size)))
                rows[:, start : start + 2 * len(k)] = np.hstack([matrix, matrix]) * shape
                pair.append(rows)
            layer_ends.append((*pair, np.zeros(n) if layer.shift is None else np.asarray(layer.shift, float)))
        ends.append(layer_ends)

    def add(rows: Array, value: Any) -> None:
        equations.extend(rows)
        known.extend(np.broadcast_to(value, len(rows)))

    for i, joint in enumerate(joints):
        (w0, J0, s0), (w1, J1, s1) = ends[i][1], ends[i + 1][0]
        G = np.zeros((2 * n, 2 * n)) if joint.G is None else joint.G
        offset = np.concatenate([s0, s1]) - (np.zeros(2 * n) if joint.shift is None else joint.shift)
        law, value = np.vstack([J0, -J1]) - G @ np.vstack([w0, w1]), G @ offset
        P = np.zeros((n, 0)) if joint.continuous is None else joint.continuous
        for frame in frames[i : i + 2]:
            if not np.allclose(frame @ (frame.T @ P), P, atol=1e-12):
                raise ValueError("a continuous field is absent from a side")
        for side, frame in enumerate(frames[i : i + 2]):
            E_, part = _rest(frame, P), slice(side * n, (side + 1) * n)
            add(E_.T @ law[part], E_.T @ value[part])
        add(P.T @ (w0 - w1), P.T @ (s1 - s0))
        add(P.T @ (law[:n] + law[n:]), P.T @ (value[:n] + value[n:]))

    for end, contact, normal in ((0, left, -1.0), (-1, right, 1.0)):
        (w, J, shift), frame, layer = ends[end][end], frames[end], layers[end]
        V_ = numbers.array(np.eye(size)[size - 2 if end == 0 else size - 1])[None, :]
        present = frame @ frame.T
        electric, qe = _rest(frame, (present @ heat)[:, None]), present @ (q - heat * (heat @ q))
        spins = _rest(electric, qe[:, None])
        theta = heat[None] @ w
        if contact.kind == "reservoir":
            add(electric.T @ (w - qe[:, None] * V_), -electric.T @ shift)
        elif contact.kind == "blocked":
            add(spins.T @ J, 0.0)
            add(qe[None] / (qe @ qe) @ w - V_, -qe @ shift / (qe @ qe))
        else:
            keep = np.flatnonzero((frame.T @ heat == 0) | contact.coupled)
            S, K = frame[:, keep], layer.K[np.ix_(keep, keep)]
            k, V, inverse = _spectrum(K, relaxation[end][np.ix_(keep, keep)], numbers)
            Y, N = S @ (K @ (V * k) @ inverse) @ S.T, S @ S.T @ np.column_stack([qe, heat])
            N = N[:, np.any(N, axis=0)]  # the flows which a lead carries on: charge, and heat if coupled
            weight = S @ K @ S.T @ N @ np.linalg.inv(N.T @ S @ K @ S.T @ N)
            add(spins.T @ (normal * J - normal * weight @ (N.T @ J) - Y @ w), 0.0)
            add(weight[:, :1].T @ w - V_, -weight[:, 0] @ shift)
            theta = weight[:, 1:].T @ w if N.shape[1] == 2 else theta
            admittances[end] = Y.astype(complex)
        if heat.any():
            flux = contact.thermal_flux
            add(*((theta, contact.theta) if flux is None else (-normal * (heat[None] @ J), flux)))
    first, last = (numbers.array(np.eye(size)[[i]]) for i in (-2, -1))
    add(last, 0.0)
    add(*((first, voltage) if current_density is None else ((q @ ends[0][0][1])[None], current_density)))
    x = numbers.solve(np.array(equations), numbers.array(np.array(known, dtype=complex))[:, None])[:, 0]

    steady = not omega
    clean = (lambda v: v.real) if steady else (lambda v: v)
    wl, Jl, wr, Jr = (clean((rows @ x).astype(complex)) for rows in (*ends[0][0][:2], *ends[-1][1][:2]))
    parts = zip(modes, pairwise(starts), strict=True)
    layer_modes = tuple(tuple(a.astype(complex) for a in (k, V, x[i:j])) for (k, V), (i, j) in parts)
    faces = np.cumsum([0.0, *(a.thickness for a in layers)])
    volts = tuple(complex(v) if omega else complex(v).real for v in x[-2:])
    ends_of = (volts, (q @ Jl, -q @ Jr), (heat @ Jl, -heat @ Jr))
    solution = Solution(tuple(layers), tuple(joints), q, faces, *ends_of, tuple(frames), layer_modes, steady)
    if steady:
        power = solution.power
        power.update(dict.fromkeys(("bulk", "reactions", "interfaces", "leads"), 0.0))
        for i, (layer, frame) in enumerate(zip(layers, frames, strict=True)):
            shift = np.zeros(n) if layer.shift is None else layer.shift
            M = np.linalg.inv(layer.K)
            power["bulk"] += solution.integrate(i, lambda w, J, f=frame, M=M: np.sum(J @ f * (J @ f @ M.T), 1))
            power["reactions"] += solution.integrate(
                i, lambda w, J, f=frame, R=layer.R, s=shift: np.sum((w - s) @ f * ((w - s) @ f @ R.T), 1)
            )
        for i, joint in enumerate(joints):
            if joint.G is not None:
                w = np.concatenate(solution.sides(i)) - (0.0 if joint.shift is None else joint.shift)
                power["interfaces"] += w @ joint.G @ w
        power["leads"] = sum(float((w @ admittances[end] @ w).real) for end, w in zip((0, -1), (wl, wr), strict=True))
    return solution
