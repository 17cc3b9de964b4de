"""Layers, faces and derived quantities of the channel and vector models for the exact solver `channels`.

Channels: fields ``s_up, s_dn, d_up, d_dn`` in this order, always in the global frame (up: moment along the axis).
Coefficients are given in the frame of a magnet (up: majority); ``sign = -1`` swaps up and down of a magnet against
the axis.  Two channels are the s channels alone, and the d channels exist only where they conduct.

Vector: fields ``phi, s_x, s_y, s_z``.  A layer with ``transverse = "absorbed"`` has only phi and s along m.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from .channels import Array, Joint, Layer, Solution

E, HBAR, MU_B = 1.602176634e-19, 1.054571817e-34, 9.2740100783e-24
SHIFT = HBAR / (2 * E)  # V s: a turning magnet shifts s by SHIFT times the transverse angular velocity

NAMES = ("s_up", "s_dn", "d_up", "d_dn")
CHANNELS = np.ones(4)  # the charge vectors
VECTOR = np.array([1.0, 0.0, 0.0, 0.0])
_SPINS = np.eye(4)[:, 1:]


def _index(name: str, sign: int = 1) -> int:
    """Return the global place of a channel named in the frame of a magnet."""
    index = NAMES.index(name)
    return index if sign > 0 else index ^ 1


def channel_layer(
    thickness: float, conductivity: Mapping[str, float], reactions: Mapping[tuple[str, str], float], *,
    sign: int = 1, states: Mapping[str, float] | None = None,
) -> Layer:  # fmt: skip
    """Layer of channels.

    Parameters
    ----------
    thickness : float
        Thickness (m).
    conductivity, states : mapping
        Conductivity (S/m) and density of states (1/(J m3)) of each channel that exists, by its local name.
    reactions : mapping
        Coefficient g (S/m3) of the scattering between two channels.
    sign : int
        +1 or -1, magnet along or against the axis.
    """
    where = sorted(_index(name, sign) for name in conductivity)
    K, R, c = np.zeros((4, 4)), np.zeros((4, 4)), np.zeros(4)
    for name, value in conductivity.items():
        K[(_index(name, sign),) * 2] = value
    for pair, g in reactions.items():
        at = [_index(name, sign) for name in pair]
        R[np.ix_(at, at)] += g * np.array([[1.0, -1.0], [-1.0, 1.0]])
    for name, value in (states or {}).items():
        c[_index(name, sign)] = E**2 * value
    at = np.ix_(where, where)
    storage = np.diag(c) - np.outer(c, c) / c.sum() if states else np.zeros((4, 4))
    return Layer(thickness, K[at], R[at], storage[at], np.eye(4)[:, where])


def two_channels(
    thickness: float, rho: float, beta: float, length: float, sign: int = 1, *,
    states: tuple[float, float] | None = None,
) -> Layer:  # fmt: skip
    """Layer of two channels from the total resistivity, the asymmetry and the spin diffusion length."""
    up, dn = (1 + beta) / (2 * rho), (1 - beta) / (2 * rho)
    states_by_name = dict(zip(NAMES, states, strict=False)) if states else None
    flip = {("s_up", "s_dn"): 1 / (length**2 * (1 / up + 1 / dn))}
    return channel_layer(thickness, {"s_up": up, "s_dn": dn}, flip, sign=sign, states=states_by_name)


def channel_face(
    continuous: Sequence[str] = ("s_up", "s_dn"), conductance: Mapping[str, float] | None = None, *, sign: int = 1
) -> Joint:
    """Face between channels of the same global name; those neither continuous nor conducting are insulated.

    Parameters
    ----------
    continuous, conductance : sequence, mapping
        Local names of the continuous channels; conductances (S/m2) of the others.
    sign : int
        Frame of the names: +1 global, -1 that of a magnet against the axis.
    """
    G = np.zeros((4, 4))
    for name, value in (conductance or {}).items():
        G[(_index(name, sign),) * 2] = value
    return Joint(np.block([[G, -G], [-G, G]]), np.eye(4)[:, [_index(name, sign) for name in continuous]])


def resistive_face(area_resistance_star: float, gamma: float = 0.0, sign: int = 1) -> Joint:
    """Face of the s channels, ``G_up,dn = 1 / (2 AR* (1 -+ gamma))``; d is insulated."""
    up, dn = (1 / (2 * area_resistance_star * (1 - g)) for g in (gamma, -gamma))
    return channel_face((), {"s_up": up, "s_dn": dn}, sign=sign)


def lengths(conductivity: Mapping[str, float], reactions: Mapping[tuple[str, str], float]) -> dict[str, float | list]:
    """Return l_sd, lambda_s, l_sf, lambda_sd (m) of a magnet with d-down, and all decay lengths, longest first."""
    layer = channel_layer(1.0, conductivity, reactions)
    squares = np.sort(np.linalg.eigvals(np.linalg.solve(layer.K, layer.R)).real)[1:]
    lengths_by_name: dict[str, float | list] = {"decay": [1 / math.sqrt(v) for v in squares if v > 1e-13 * squares[-1]]}
    if "d_dn" in conductivity:
        flip, sd = reactions[("s_up", "s_dn")], reactions[("s_dn", "d_dn")]
        up, dn, d = (conductivity[name] for name in ("s_up", "s_dn", "d_dn"))
        lengths_by_name["l_sd"], lengths_by_name["lambda_s"] = (sd * (1 / dn + 1 / d)) ** -0.5, (flip / dn) ** -0.5
        lengths_by_name["l_sf"], lengths_by_name["lambda_sd"] = (flip * (1 / up + 1 / dn)) ** -0.5, (sd / dn) ** -0.5
    return lengths_by_name


def d_accumulation(
    solution: Solution, layer: int, sign: int = 1, start: float = 0.0, stop: float | None = None
) -> float:
    """Integral over a magnet of ``D1 = phi_s_dn - phi_d_dn`` (V m), or from `start` to `stop` within it."""
    s, d = _index("s_dn", sign), _index("d_dn", sign)
    return float(solution.integrate(layer, lambda w, J: w[:, s] - w[:, d], start, stop))


def f_parallel(solution: Solution, layer: int, sign: int = 1, ratio: float = 1.0) -> float:
    """Force on the magnetization along itself (A/m2): lower minus upper half of the integral of J_s_dn - J_d_dn.

    `ratio` is g_d / g, the share of the d electrons in the magnetization.
    """
    s, d, t = _index("s_dn", sign), _index("d_dn", sign), solution.layers[layer].thickness
    first, second = (
        solution.integrate(layer, lambda w, J: J[:, s] - J[:, d], *part) for part in ((0.0, t / 2), (t / 2, t))
    )
    return float(ratio / t * (first - second))


def nonequilibrium_resistance_area(solution: Solution) -> float:
    """Return ``A R_ne`` (ohm m2): the resistance less the thickness over conductivity and the 1 / G_total."""
    q, total = solution.charge, solution.resistance_area
    for layer, columns in zip(solution.layers, solution.frames, strict=True):
        total -= layer.thickness / (columns.T @ q @ layer.K @ columns.T @ q)
    for joint in solution.joints:
        continuous = joint.continuous is not None and np.any(q @ joint.continuous)
        conductance = 0.0 if joint.G is None or continuous else q @ joint.G[: len(q), : len(q)] @ q
        total -= 1 / conductance if conductance else 0.0
    return float(total)


def torque(solution: Solution, layer: int) -> Array:
    """Torque on a magnet of the vector model (J/m2): (hbar/2e) times the transverse spin flux that it absorbs."""
    layer, m = range(len(solution.layers))[layer], solution.layers[layer].m
    left, right = (solution.J(solution.faces[layer + i], layer) for i in (0, 1))
    left = left if layer == 0 else solution.sides(layer - 1, "J")[0]
    right = right if layer == len(solution.layers) - 1 else solution.sides(layer, "J")[1]
    absorbed = (left - right)[1:4]
    return SHIFT * (absorbed - m * (m @ absorbed))


def frame(direction: ArrayLike) -> Array:
    """Return the columns m, e1, e2 of a right-handed orthonormal frame."""
    m = np.asarray(direction, float)
    m = m / np.linalg.norm(m)
    e1 = np.cross(np.eye(3)[np.argmin(np.abs(m))], m)
    e1 /= np.linalg.norm(e1)
    return np.column_stack([m, e1, np.cross(m, e1)])


def _cross(m: Array) -> Array:
    """Return the matrix of ``s -> m x s``."""
    return np.cross(np.eye(3), m)


def magnet(
    thickness: float, sigma: float, beta: float, length: float, m: ArrayLike, *,
    transverse: Literal["absorbed", "resolved"] = "absorbed", sigma_perp: float | None = None,
    dephasing: float = math.inf, precession: float = math.inf, states: float = 0.0, turning: ArrayLike | None = None,
) -> Layer:  # fmt: skip
    """Ferromagnet of the vector model.

    Parameters
    ----------
    thickness, sigma, beta, length : float
        Thickness (m), total conductivity (S/m), asymmetry, spin diffusion length (m).
    m : (3,) array
        Direction of the magnetization.
    transverse, sigma_perp, dephasing, precession : str, float
        Whether transverse spins exist, their conductivity (default `sigma`), l_phi and l_J (m, signed square
        ``l_J |l_J|``).
    states : float
        Density of states of both spins (1/(J m3)).
    turning : (3,) array, optional
        Angular velocity (1/s) of a resolved magnet: spin pumping.
    """
    axes = frame(m)
    perp = sigma if sigma_perp is None else sigma_perp
    K, R, C = np.zeros((4, 4)), np.zeros((4, 4)), np.zeros((4, 4))
    K[:2, :2] = sigma * np.array([[1.0, beta], [beta, 1.0]])
    K[2, 2] = K[3, 3] = perp
    R[1, 1] = sigma * (1 - beta**2) / length**2
    R[2, 2] = R[3, 3] = perp / dephasing**2
    R[2, 3] = perp / (precession * abs(precession))  # - sigma_perp / l_J^2 m x s, where m x (s1, s2) = (-s2, s1)
    R[3, 2] = -R[2, 3]
    C[1, 1] = C[2, 2] = C[3, 3] = E**2 * states
    columns, p = np.column_stack([VECTOR, _SPINS @ axes]), 4 if transverse == "resolved" else 2
    shift = None
    if turning is not None:
        omega = np.asarray(turning, float)
        shift = SHIFT * _SPINS @ (omega - axes[:, 0] * (axes[:, 0] @ omega))
    return Layer(thickness, K[:p, :p], R[:p, :p], C[:p, :p], columns[:, :p], shift, axes[:, 0])


def normal(
    thickness: float, sigma: float, length: float, *, field: ArrayLike = (0.0, 0.0, 0.0), g_factor: float = 2.0,
    states: float = 0.0,
) -> Layer:  # fmt: skip
    """Normal metal of the vector model with Hanle precession in a `field` (T), `states` of both spins (1/(J m3))."""
    B = np.asarray(field, float)
    size = float(np.linalg.norm(B))
    columns = np.column_stack([VECTOR, _SPINS @ frame(B if size else (0.0, 0.0, 1.0))])
    R = np.diag([0.0, 1.0, 1.0, 1.0]) * sigma / length**2
    R[2, 3] = E**2 * states * g_factor * MU_B / HBAR * size
    R[3, 2] = -R[2, 3]
    return Layer(thickness, sigma * np.eye(4), R, E**2 * states * np.diag([0.0, 1.0, 1.0, 1.0]), columns)


def vector_face(
    m: ArrayLike | None = None, conductance: Sequence[float] | None = None, mixing: complex | None = None, *,
    normal_side: Literal[0, 1] = 0, turning: ArrayLike | None = None,
) -> Joint:  # fmt: skip
    """Face of the vector model.

    Parameters
    ----------
    m : (3,) array, optional
        Direction of the magnet; None: between normal metals (`conductance` up equals down, for all spins).
    conductance : (up, dn), optional
        Of the spins along m (S/m2); None: continuous.
    mixing : complex, optional
        G_mix (S/m2) of a magnet without transverse spins; None: transverse spins are continuous.
    normal_side : int
        Side of the normal metal, where the transverse spins are absorbed.
    turning : (3,) array, optional
        Angular velocity (1/s) of the magnet: spin pumping.
    """
    G, shift, omega = np.zeros((8, 8)), np.zeros(8), np.zeros(3) if turning is None else np.asarray(turning, float)
    axes = frame((0.0, 0.0, 1.0) if m is None else m)
    along, across = np.column_stack([VECTOR, _SPINS @ axes[:, 0]]), _SPINS @ axes[:, 1:]
    continuous = [np.zeros((4, 0))]
    if conductance is None:
        continuous.append(along)
    else:
        total, difference = conductance[0] + conductance[1], conductance[0] - conductance[1]
        law = along @ np.array([[total, difference], [difference, total]]) @ along.T
        if m is None:
            law = total * np.eye(4)
        G += np.block([[law, -law], [-law, law]])
    if mixing is not None:
        part = slice(4 * normal_side, 4 * normal_side + 4)
        perp = np.eye(3) - np.outer(axes[:, 0], axes[:, 0])
        G[part, part] += (
            2 * _SPINS @ (complex(mixing).real * perp + complex(mixing).imag * _cross(axes[:, 0])) @ _SPINS.T
        )
        shift[part] = SHIFT * _SPINS @ perp @ omega
    elif m is not None or conductance is None:
        continuous.append(across)
    return Joint(G, np.column_stack(continuous), shift)
