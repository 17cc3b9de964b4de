"""Fluxes and sources of Saslow, PRB 76, 184434 (2007), transcribed pointwise, and one-dimensional solutions with them.

``mu`` is an electron's electrochemical potential (J; ``phi = -mu/e``), ``H`` the thermodynamic field (T), zero in
equilibrium, ``M`` the magnetization (A/m).  Rows of ``dM``, ``dH`` are the derivatives along x, y, z; every argument
may carry leading axes.  Fluxes of number ``j`` (``J = -e j``), of entropy and of magnetization, and ``N`` the source
of magnetization, pair with the forces in the heat production::

    R = -j_s . grad T - j_n . grad mu + Q_i . d_i H + N . H                                              (32)
    R = -j_s . grad T - j_up . grad mu_up - j_dn . grad mu_dn - (mu_up - mu_dn) S + Omega . (M x H)      (33)

The bands' ``mu`` are the starred ones (16).  Saslow's labels: "down" is the majority.
Where the printed equations contradict these two, the corrected form stands:

* (37): ``C_par``, ``C_perp`` with two ``M``, no unit vector (else R gets ``C_par (M.dH)**2/|M|``, and the units fail).
* (39, 40): ``(m x dM).H = -dM.(M x H)/|M|``, so the reciprocals of ``L'_sM``, ``L'_nM`` are ``+|M|`` times these.
* (39, 40): ``(dM x dH).H = -(dM x H).dH``, and likewise with ``m``: ``L'_NQ1 = +L'_QN1``, ``L'_NQ4 = +L'_QN4``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.constants import e
from scipy.integrate import solve_bvp

Array = NDArray[Any]
Coefficients = Mapping[str, float]
State = Callable[[Array], tuple[Array, Array, Array, Array]]

GENERIC = (
    *("kappa", "sigma", "L_sn", "C_par", "C_perp", "A_par", "A_perp", "L_sQ", "L_nQ"),
    *("L_sM1", "L_sM2", "L_nM1", "L_nM2", "L_QN1", "L_QN2", "L_QN3", "L_QN4"),
)
GENERIC_PRIMED = (
    *("C_prime", "L_sM_prime", "L_nM_prime"),
    *("L_QN1_prime", "L_QN2_prime", "L_QN3_prime", "L_QN4_prime"),
)
TWO_BAND = (
    *("kappa", "sigma_up", "sigma_dn", "L_updn", "L_sup", "L_sdn", "alpha", "lambda"),
    *("L_sM", "L_upM", "L_dnM"),
)
TWO_BAND_PRIMED = ("L_sM_prime", "L_upM_prime", "L_dnM_prime")

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


def _complete(c: Coefficients, names: tuple[str, ...]) -> dict[str, float]:
    if unknown := set(c) - set(names):
        raise KeyError(f"no such coefficients: {sorted(unknown)}")
    return {name: c.get(name, 0.0) for name in names}


def _dot(a: Array, b: Array) -> Array:
    """Product over the spin components, which stay as an axis of length one."""
    return np.sum(a * b, axis=-1, keepdims=True)


def _columns(T: ArrayLike, scalars: tuple[ArrayLike, ...], vectors: tuple[ArrayLike, ...]) -> tuple[Array, ...]:
    """Everything as arrays (..., direction, spin component)."""
    return (
        np.asarray(T, dtype=float)[..., None, None],
        *(np.asarray(v, dtype=float)[..., None] for v in scalars),
        *(np.asarray(v, dtype=float)[..., None, :] for v in vectors),
    )


def generic(
    c: Coefficients,
    M: ArrayLike,
    dM: ArrayLike,
    T: ArrayLike,
    dT: ArrayLike,
    dmu: ArrayLike,
    H: ArrayLike,
    dH: ArrayLike,
) -> dict[str, Array]:
    """Fluxes ``j_s, j_n`` (3,), ``Q`` (direction, component) and source ``N`` (3,) of the generic conducting magnet.

    Equations (35-38).  `c` has the coefficients of ``j_s``, ``j_n`` and ``Q`` among `GENERIC`, `GENERIC_PRIMED`, zero
    where left out; (40), corrected, and (41) give the rest.
    """
    k = _complete(c, GENERIC + GENERIC_PRIMED)
    T, t, u, M, H = _columns(T, (dT, dmu), (M, H))
    dM, dH = np.asarray(dM, dtype=float), np.asarray(dH, dtype=float)
    size = np.linalg.norm(M, axis=-1, keepdims=True)
    m = M / size

    j_s = (
        -(k["kappa"] / T) * t
        - k["L_sn"] * u
        - k["L_sQ"] * _dot(M, dH)
        - k["L_sM1"] * _dot(dM, H)
        - k["L_sM2"] * _dot(m, dM) * _dot(m, H)
        - k["L_sM_prime"] * _dot(dM, np.cross(M, H))
    )

    L_ns = k["L_sn"]
    j_n = (
        -(k["sigma"] / e**2) * u
        - L_ns * t
        - k["L_nQ"] * _dot(M, dH)
        - k["L_nM1"] * _dot(dM, H)
        - k["L_nM2"] * _dot(m, dM) * _dot(m, H)
        - k["L_nM_prime"] * _dot(dM, np.cross(M, H))
    )

    L_Qs, L_Qn = k["L_sQ"], k["L_nQ"]
    Q = (
        k["C_par"] * M * _dot(M, dH)
        - k["C_perp"] * np.cross(M, np.cross(M, dH))
        - k["C_prime"] * np.cross(M, dH)
        + L_Qs * M * t
        + L_Qn * M * u
        + k["L_QN1"] * dM * _dot(m, H)
        + k["L_QN2"] * _dot(m, dM) * H
        + k["L_QN3"] * m * _dot(dM, H)
        + k["L_QN4"] * m * _dot(m, dM) * _dot(m, H)
        + k["L_QN1_prime"] * np.cross(dM, H)
        + k["L_QN2_prime"] * m * _dot(np.cross(m, dM), H)
        + k["L_QN3_prime"] * np.cross(m, dM) * _dot(m, H)
        + k["L_QN4_prime"] * _dot(m, dM) * np.cross(m, H)
    )

    L_Ms1, L_Ms2, L_Mn1, L_Mn2 = k["L_sM1"], k["L_sM2"], k["L_nM1"], k["L_nM2"]
    L_Ms_prime, L_Mn_prime = size * k["L_sM_prime"], size * k["L_nM_prime"]
    N = k["A_par"] * M * _dot(M, H) - k["A_perp"] * np.cross(M, np.cross(M, H))
    N = N[..., 0, :] + np.sum(
        L_Ms1 * dM * t
        + L_Ms2 * m * _dot(m, dM) * t
        + L_Ms_prime * np.cross(m, dM) * t
        + L_Mn_prime * np.cross(m, dM) * u
        + L_Mn1 * dM * u
        + L_Mn2 * m * _dot(m, dM) * u
        + k["L_QN1"] * m * _dot(dM, dH)
        + k["L_QN2"] * _dot(m, dM) * dH
        + k["L_QN3"] * dM * _dot(m, dH)
        + k["L_QN4"] * m * _dot(m, dM) * _dot(m, dH)
        + k["L_QN1_prime"] * np.cross(dM, dH)
        - k["L_QN2_prime"] * np.cross(m, dM) * _dot(m, dH)
        - k["L_QN3_prime"] * m * _dot(np.cross(m, dM), dH)
        + k["L_QN4_prime"] * _dot(m, dM) * np.cross(m, dH),
        axis=-2,
    )
    return {"j_s": j_s[..., 0], "j_n": j_n[..., 0], "Q": Q, "N": N}


def generic_production(
    c: Coefficients,
    M: ArrayLike,
    dM: ArrayLike,
    T: ArrayLike,
    dT: ArrayLike,
    dmu: ArrayLike,
    H: ArrayLike,
    dH: ArrayLike,
) -> Array:
    """Heat production (W/m3) of the generic magnet: the quadratic form (42), term by term."""
    k = _complete(c, GENERIC + GENERIC_PRIMED)
    T, t, u, M, H = _columns(T, (dT, dmu), (M, H))
    dM, dH = np.asarray(dM, dtype=float), np.asarray(dH, dtype=float)
    m = M / np.linalg.norm(M, axis=-1, keepdims=True)
    M_x_H, M_x_dH = np.cross(M, H), np.cross(M, dH)
    local = k["A_par"] * _dot(M, H) ** 2 + k["A_perp"] * _dot(M_x_H, M_x_H)
    R = (
        (k["kappa"] / T) * t**2
        + (k["sigma"] / e**2) * u**2
        + 2 * k["L_sn"] * t * u
        + k["C_par"] * _dot(M, dH) ** 2
        + k["C_perp"] * _dot(M_x_dH, M_x_dH)
        + 2 * k["L_sQ"] * _dot(M, dH) * t
        + 2 * k["L_nQ"] * _dot(M, dH) * u
        + 2 * k["L_sM1"] * _dot(dM, H) * t
        + 2 * k["L_nM1"] * _dot(dM, H) * u
        + 2 * k["L_sM2"] * _dot(m, dM) * _dot(m, H) * t
        + 2 * k["L_nM2"] * _dot(m, dM) * _dot(m, H) * u
        + 2 * k["L_QN1"] * _dot(m, H) * _dot(dM, dH)
        + 2 * k["L_QN2"] * _dot(m, dM) * _dot(H, dH)
        + 2 * k["L_QN3"] * _dot(m, dH) * _dot(dM, H)
        + 2 * k["L_QN4"] * _dot(m, dM) * _dot(m, H) * _dot(m, dH)
    )
    return np.sum(R, axis=(-2, -1)) + local[..., 0, 0]


def two_band(
    c: Coefficients,
    M: ArrayLike,
    dM: ArrayLike,
    T: ArrayLike,
    dT: ArrayLike,
    dmu_up: ArrayLike,
    dmu_dn: ArrayLike,
    affinity: ArrayLike,
    H: ArrayLike,
) -> dict[str, Array]:
    """Fluxes ``j_s, j_up, j_dn`` (3,), decay rate ``S`` and rotation rate ``Omega`` (3,) of the two-band magnet.

    Equations (44, 47-50) with (52, 53); `affinity` is ``mu_up - mu_dn``.  `c` has the coefficients of ``S``, ``j_s``,
    ``j_up`` and ``j_dn`` among `TWO_BAND`, `TWO_BAND_PRIMED` and the damping ``lambda``, zero where left out.
    """
    k = _complete(c, TWO_BAND + TWO_BAND_PRIMED)
    T, t, up, dn, M, H = _columns(T, (dT, dmu_up, dmu_dn), (M, H))
    dM = np.asarray(dM, dtype=float)
    m = M / np.linalg.norm(M, axis=-1, keepdims=True)
    M_x_H, M_x_dM = np.cross(M, H), np.cross(M, dM)

    S = -k["alpha"] * np.asarray(affinity, dtype=float)
    j_s = (
        -(k["kappa"] / T) * t
        - k["L_sup"] * up
        - k["L_sdn"] * dn
        - k["L_sM"] * _dot(M_x_dM, M_x_H)
        - k["L_sM_prime"] * _dot(dM, M_x_H)
    )
    j_up = (
        -(k["sigma_up"] / e**2) * up
        - k["L_sup"] * t
        - k["L_updn"] * dn
        - k["L_upM"] * _dot(M_x_dM, M_x_H)
        - k["L_upM_prime"] * _dot(dM, M_x_H)
    )
    j_dn = (
        -(k["sigma_dn"] / e**2) * dn
        - k["L_sdn"] * t
        - k["L_updn"] * up
        - k["L_dnM"] * _dot(M_x_dM, M_x_H)
        - k["L_dnM_prime"] * _dot(dM, M_x_H)
    )
    Omega = k["lambda"] * np.cross(m, H)[..., 0, :] + np.sum(
        k["L_sM"] * M_x_dM * t
        - k["L_sM_prime"] * dM * t
        + k["L_upM"] * M_x_dM * up
        - k["L_upM_prime"] * dM * up
        + k["L_dnM"] * M_x_dM * dn
        - k["L_dnM_prime"] * dM * dn,
        axis=-2,
    )
    return {"j_s": j_s[..., 0], "j_up": j_up[..., 0], "j_dn": j_dn[..., 0], "S": S, "Omega": Omega}


def two_band_production(
    c: Coefficients,
    M: ArrayLike,
    dM: ArrayLike,
    T: ArrayLike,
    dT: ArrayLike,
    dmu_up: ArrayLike,
    dmu_dn: ArrayLike,
    affinity: ArrayLike,
    H: ArrayLike,
) -> Array:
    """Heat production (W/m3) of the two-band magnet: the quadratic form (54), term by term."""
    k = _complete(c, TWO_BAND + TWO_BAND_PRIMED)
    T, t, up, dn, M, H = _columns(T, (dT, dmu_up, dmu_dn), (M, H))
    dM = np.asarray(dM, dtype=float)
    M_x_H, M_x_dM = np.cross(M, H), np.cross(M, dM)
    size = np.linalg.norm(M, axis=-1, keepdims=True)
    R = (
        (k["kappa"] / T) * t**2
        + (k["sigma_up"] / e**2) * up**2
        + (k["sigma_dn"] / e**2) * dn**2
        + 2 * k["L_updn"] * up * dn
        + 2 * k["L_sup"] * t * up
        + 2 * k["L_sdn"] * t * dn
        + 2 * _dot(M_x_dM, M_x_H) * (k["L_sM"] * t + k["L_upM"] * up + k["L_dnM"] * dn)
    )
    local = (k["lambda"] / size) * _dot(M_x_H, M_x_H)
    return np.sum(R, axis=(-2, -1)) + local[..., 0, 0] + k["alpha"] * np.asarray(affinity, dtype=float) ** 2


def wall(Ms: float, q: float, w: float, p: float, B: ArrayLike, extra: State | None = None) -> State:
    """State ``x -> M, M', H, H'`` of a wall at `q`, of width `w` and azimuth `p`, in the uniform field `B` (T).

    ``m = (-tanh, sech cos p, sech sin p)((x - q)/w)``; ``H`` is the part perpendicular to ``m`` of `B` plus, if
    given, the field of ``extra(x) -> field, derivative``.
    """

    def state(x: Array) -> tuple[Array, Array, Array, Array]:
        s = (np.asarray(x, dtype=float) - q) / w
        tanh, sech = np.tanh(s), 1 / np.cosh(s)
        m = np.stack([-tanh, sech * np.cos(p), sech * np.sin(p)], axis=-1)
        dm = np.stack([-(sech**2), -sech * tanh * np.cos(p), -sech * tanh * np.sin(p)], axis=-1) / w
        field, slope = np.broadcast_to(np.asarray(B, dtype=float), m.shape), np.zeros(m.shape)
        if extra is not None:
            more, steeper = extra(np.asarray(x, dtype=float))
            field, slope = field + more, slope + steeper
        along = _dot(m, field)
        return Ms * m, Ms * dm, field - m * along, slope - dm * along - m * (_dot(dm, field) + _dot(m, slope))

    return state


@dataclass(frozen=True)
class Line:
    """Steady transport along x, per unit cross-section.

    Attributes
    ----------
    x : (n,) array
        Points (m).
    phi, dphi : (n,) or (n, 2) array
        Potentials ``-mu/e`` (V), of the bands up and down where there are two, and their derivatives.
    theta, dtheta : (n,) array
        Temperature less the mean one (K), and its derivative.
    J, heat : float
        Current density (A/m2) and heat current density (W/m2), constant.
    J_bands : (n, 2) array or None
        Current densities of the bands.
    dissipated : float
        Integral of the heat production (W/m2).
    supplied : float
        ``V I + theta Q/T0`` of both contacts (W/m2).
    magnetic : float
        Power of the magnet (W/m2): integral of ``N.H + Q.dH`` or of ``Omega.(M x H)``.
    """

    x: Array
    phi: Array
    dphi: Array
    theta: Array
    dtheta: Array
    J: float
    heat: float
    J_bands: Array | None
    dissipated: float
    supplied: float
    magnetic: float


def _x(values: ArrayLike) -> Array:
    """A gradient along x: the derivative along x and zeros along y and z."""
    values = np.asarray(values, dtype=float)
    return np.stack([values, 0 * values, 0 * values], axis=-1)


def _rows(values: Array) -> Array:
    return np.stack([values, 0 * values, 0 * values], axis=-2)


def _panels(edges: Array) -> tuple[Array, Array]:
    """Gauss points and weights (panel, point)."""
    half = np.diff(edges)[:, None] / 2
    return edges[:-1, None] + half * (1 + _NODES), half * _WEIGHTS


def _response(fluxes: Callable[..., Array], n: int, x: Array) -> tuple[Array, Array]:
    """``j = f - K g`` of the fluxes ``fluxes(x, g, magnetic)``, from unit gradients ``g`` one by one."""
    zero = np.zeros((n, *np.shape(x)))
    f = fluxes(x, zero, 1.0)
    K = np.stack([-fluxes(x, zero + np.eye(n)[i].reshape(n, *np.ones(np.ndim(x), int)), 0.0) for i in range(n)], -1)
    return f, K


def generic_line(
    c: Coefficients,
    state: State,
    length: float,
    phi: tuple[float, float],
    theta: tuple[float, float] = (0.0, 0.0),
    T0: float = 300.0,
    x: ArrayLike | None = None,
    panels: int = 300,
) -> Line:
    """Generic magnet on [0, length]: ``div j_n = 0`` and, with conduction of heat, ``div j_s = 0``, linear in theta.

    The fluxes ``j`` are constant, so that the gradients are ``K^-1 (f - j)``, ``f`` what ``H`` and ``dH`` drive, and
    quadrature of these between the ends gives ``j``.  Without ``kappa`` the temperature is uniform.
    """
    hot = c.get("kappa", 0.0) > 0
    n = 2 if hot else 1

    def arguments(x: Array, g: Array, magnetic: float) -> tuple[Any, ...]:
        M, dM, H, dH = state(x)
        dT = _x(g[1]) if hot else np.zeros((*np.shape(x), 3))
        return M, _rows(dM), T0, dT, _x(g[0]), magnetic * H, magnetic * _rows(dH)

    def fluxes(x: Array, g: Array, magnetic: float) -> Array:
        flux = generic(c, *arguments(x, g, magnetic))
        return np.stack([flux["j_n"][..., 0], flux["j_s"][..., 0]][:n], axis=-1)

    x = np.linspace(0, length, 201) if x is None else np.asarray(x, dtype=float)
    edges = np.unique(np.concatenate([np.linspace(0, length, panels + 1), x]))
    points, weights = _panels(edges)
    ends = np.array([-e * np.array(phi), np.array(theta)])[:n]
    f, K = _response(fluxes, n, points)
    rise = np.linalg.solve(K, f[..., None])[..., 0]
    inverse = np.linalg.inv(K)
    total = np.einsum("ab,abij->ij", weights, inverse)
    j = np.linalg.solve(total, np.einsum("ab,abi->i", weights, rise) - (ends[:, 1] - ends[:, 0]))

    g = rise - inverse @ j
    steps = np.einsum("ab,abi->ai", weights, g)
    fields = ends[:, 0] + np.concatenate([np.zeros((1, n)), np.cumsum(steps, axis=0)])
    fields = np.concatenate([fields[np.searchsorted(edges, x)], np.zeros((len(x), 2 - n))], axis=1)
    fx, Kx = _response(fluxes, n, x)
    gx = np.concatenate([np.linalg.solve(Kx, (fx - j)[..., None])[..., 0], np.zeros((len(x), 2 - n))], axis=1)

    values = arguments(points, np.moveaxis(g, -1, 0), 1.0)
    flux = generic(c, *values)
    magnetic = np.sum(flux["N"] * values[5], axis=-1) + np.sum(flux["Q"] * values[6], axis=(-2, -1))
    return Line(
        x=x,
        phi=-fields[:, 0] / e,
        dphi=-gx[:, 0] / e,
        theta=fields[:, 1],
        dtheta=gx[:, 1],
        J=-e * j[0],
        heat=T0 * j[1] if hot else 0.0,
        J_bands=None,
        dissipated=float(np.sum(weights * generic_production(c, *values))),
        supplied=float(j @ (ends[:, 0] - ends[:, 1])),
        magnetic=float(np.sum(weights * magnetic)),
    )


def two_band_line(
    c: Coefficients,
    state: State,
    length: float,
    phi: tuple[float, float],
    theta: tuple[float, float] = (0.0, 0.0),
    T0: float = 300.0,
    x: ArrayLike | None = None,
    nodes: int = 401,
    tol: float = 1e-10,
) -> Line:
    """Two-band magnet on [0, length]: ``div j_up = S``, ``div j_dn = -S``, ``div j_s = 0``, both bands at `phi` there.

    Collocation for the potentials and the fluxes.  Lengths in units of `length`; the potentials in units which
    dissipate alike, from what the ends and the magnet impose.  Without ``kappa`` the temperature is uniform.
    """
    hot = c.get("kappa", 0.0) > 0
    n = 3 if hot else 2

    def arguments(x: Array, g: Array, affinity: ArrayLike, magnetic: float) -> tuple[Any, ...]:
        M, dM, H, _ = state(x)
        dT = _x(g[2]) if hot else np.zeros((*np.shape(x), 3))
        return M, _rows(dM), T0, dT, _x(g[0]), _x(g[1]), affinity, magnetic * H

    def fluxes(x: Array, g: Array, magnetic: float) -> Array:
        flux = two_band(c, *arguments(x, g, np.zeros(np.shape(x)), magnetic))
        return np.stack([flux[name][..., 0] for name in ("j_up", "j_dn", "j_s")[:n]], axis=-1)

    def gradients(x: Array, j: Array) -> Array:
        f, K = _response(fluxes, n, x)
        return np.moveaxis(np.linalg.solve(K, (f - np.moveaxis(j, 0, -1))[..., None])[..., 0], -1, 0)

    def sources(x: Array, affinity: Array) -> Array:
        S = two_band(c, *arguments(x, np.zeros((n, *np.shape(x))), affinity, 1.0))["S"]
        return np.stack([S, -S, 0 * S][:n])

    mesh = np.linspace(0, 1, nodes)
    ends = np.array([-e * np.array(phi), -e * np.array(phi), np.array(theta)])[:n]
    _, K = _response(fluxes, n, np.zeros(1))
    root = np.sqrt(np.diagonal(K[0]))
    driven = length * np.abs(gradients(length * mesh, np.zeros((n, nodes)))).max(axis=1)
    level = float(np.max(root * np.maximum(np.abs(ends).max(axis=1), driven))) or 1.0
    unit, flow = level / root, level * root / length

    def slope(s: Array, y: Array) -> Array:
        w, j = unit[:, None] * y[:n], flow[:, None] * y[n:]
        dw, dj = gradients(length * s, j), sources(length * s, w[0] - w[1])
        return np.concatenate([length * dw / unit[:, None], length * dj / flow[:, None]])

    def jacobian(s: Array, _: Array) -> Array:
        A = np.zeros((2 * n, 2 * n, len(s)))
        inverse = np.linalg.inv(_response(fluxes, n, length * s)[1])
        A[:n, n:] = -length * np.moveaxis(inverse, 0, -1) * flow[:, None] / unit[:, None, None]
        rate = length * sources(length * s, np.ones(len(s))) / flow[:, None]
        A[n:, 0], A[n:, 1] = rate * unit[0], -rate * unit[1]
        return A

    def boundary(a: Array, b: Array) -> Array:
        return np.concatenate([a[:n] - ends[:, 0] / unit, b[:n] - ends[:, 1] / unit])

    guess = np.zeros((2 * n, nodes))
    guess[:n] = (ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * mesh) / unit[:, None]
    solution = solve_bvp(slope, boundary, mesh, guess, fun_jac=jacobian, tol=tol, max_nodes=100_000)
    if not solution.success:
        raise RuntimeError(solution.message)

    x = np.linspace(0, length, 201) if x is None else np.asarray(x, dtype=float)
    y, dy = solution.sol(x / length), solution.sol(x / length, 1)
    w, dw = unit[:, None] * y[:n], unit[:, None] * dy[:n] / length
    j = flow[:, None] * y[n:]
    first, last = flow * solution.y[n:, 0], flow * solution.y[n:, -1]

    points, weights = _panels(length * solution.x)
    y = solution.sol(points / length)
    mu = unit[:2, None, None] * y[:2]
    values = arguments(points, gradients(points, flow[:, None, None] * y[n:]), mu[0] - mu[1], 1.0)
    torque = two_band(c, *values)["Omega"]
    return Line(
        x=x,
        phi=-w[:2].T / e,
        dphi=-dw[:2].T / e,
        theta=w[2] if hot else np.zeros(len(x)),
        dtheta=dw[2] if hot else np.zeros(len(x)),
        J=-e * float(first[:2].sum()),
        heat=T0 * float(first[2]) if hot else 0.0,
        J_bands=-e * j[:2].T,
        dissipated=float(np.sum(weights * two_band_production(c, *values))),
        supplied=float(ends[:, 0] @ first - ends[:, 1] @ last),
        magnetic=float(np.sum(weights * np.sum(torque * np.cross(values[0], values[7]), axis=-1))),
    )
