"""Conversions between mechanisms and matrices over the fields."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ModelError
from .declaration import Along, Direction, Mechanism, Medium, Reversible, Side


def matrix_of[K: Hashable](
    mechanisms: Sequence[Mechanism[K]], keys: Sequence[K], reversible: Sequence[Reversible[K]] = ()
) -> NDArray[np.float64]:
    """Return ``sum c w w^T`` plus the antisymmetric part, over `keys`.

    Entries below rounding are set to zero exactly: they decide which blocks of
    the global matrix exist.
    """
    at = {k: i for i, k in enumerate(keys)}
    matrix = np.zeros((len(at), len(at)))
    for m in mechanisms:
        w = np.zeros(len(at))
        w[[at[k] for k in m.weights]] = list(m.weights.values())
        matrix += m.coefficient * np.outer(w, w)
    for r in reversible:
        matrix[at[r.row], at[r.column]] += r.value
        matrix[at[r.column], at[r.row]] -= r.value
    matrix[np.abs(matrix) < 1e-14 * np.abs(matrix).max(initial=0.0)] = 0.0
    return matrix


def isotropic(mechanisms: Sequence[Mechanism[Any]]) -> tuple[Mechanism[str], ...]:
    """Return the mechanisms whose forces are whole gradients."""
    return tuple(m for m in mechanisms if not m.directed)


def tensor_of(medium: Medium, fields: Sequence[str]) -> NDArray[np.float64]:
    """Return the conduction by components and the crossed couplings of a medium.

    Returns
    -------
    array
        T over (field, axis, field, axis): -J_ia = sum T_iajb d_b phi_j (S/m), beside what :func:`matrix_of` has.
    """
    at, n = {f: i for i, f in enumerate(fields)}, len(fields)
    tensor = np.zeros((n, 3, n, 3))
    for m in (m for m in medium.conduction if m.directed):
        w = component_weights(m, fields)
        tensor += m.coefficient * np.multiply.outer(w, w)
    for c in medium.crossed:
        i, j, a = at[c.row], at[c.column], np.array(c.matrix)
        tensor[i, :, j, :] += a
        if i != j:
            tensor[j, :, i, :] -= a.T
    tensor[np.abs(tensor) < 1e-14 * np.abs(tensor).max(initial=0.0)] = 0.0
    return tensor


def component_weights(mechanism: Mechanism[Any], fields: Sequence[str]) -> NDArray[np.float64]:
    """Return the weights of a mechanism over components of gradients as a matrix (field, axis)."""
    w = np.zeros((len(fields), 3))
    for k, x in mechanism.weights.items():
        w[fields.index(k.field)] += x * np.array(k.direction)
    return w


def face_matrix(
    mechanisms: Sequence[Mechanism[Side]], fields: Sequence[str], reversible: Sequence[Reversible[Side]] = ()
) -> NDArray[np.float64]:
    """Return the matrix of an interface over (side, field, side, field)."""
    n = len(fields)
    return matrix_of(mechanisms, [(s, f) for s in (0, 1) for f in fields], reversible).reshape(2, n, 2, n)


def mechanisms_of[K: Hashable](name: str, matrix: ArrayLike, keys: Sequence[K]) -> tuple[Mechanism[K], ...]:
    """Return the mechanisms of a symmetric matrix of Onsager coefficients over `keys`.

    Parameters
    ----------
    name
        Prefix of the mechanisms' names.
    matrix
        Symmetric, positive semidefinite, shape ``(len(keys), len(keys))``.
    keys
        The fields (or sides of an interface) its rows stand for.

    Raises
    ------
    ModelError
        If the matrix is not symmetric, or has a negative eigenvalue; the combination of
        potentials that would produce power is named.

    Examples
    --------
    >>> from fespin.onsager import mechanisms_of
    >>> drag = [[4e7, 1e7], [1e7, 2e7]]  # S/m
    >>> [f"{m.coefficient:.3g}" for m in mechanisms_of("conduction", drag, ("up", "down"))]
    ['1.59e+07', '4.41e+07']
    >>> mechanisms_of("conduction", [[1e7, 2e7], [2e7, 1e7]], ("up", "down"))
    Traceback (most recent call last):
        ...
    fespin.errors.ModelError: 'conduction' is not positive: the combination (-0.71 up +0.71 down)...
    """
    a = np.asarray(matrix, dtype=float)
    if a.shape != (len(keys), len(keys)) or not np.allclose(a, a.T, rtol=1e-12, atol=0.0):
        raise ModelError(f"'{name}' must be a symmetric {len(keys)} x {len(keys)} matrix of Onsager coefficients")
    values, vectors = np.linalg.eigh(a)
    tiny = 1e-13 * np.abs(values).max(initial=0.0)
    if values.min(initial=0.0) < -tiny:
        v = vectors[:, values.argmin()]
        combination = " ".join(f"{x:+.2g} {k}" for k, x in zip(keys, v, strict=True) if abs(x) > 1e-12)
        raise ModelError(
            f"'{name}' is not positive: the combination ({combination}) would produce power "
            f"(eigenvalue {values.min():.3g})"
        )
    return tuple(
        Mechanism(f"{name} {i}", float(x), {k: float(w) for k, w in zip(keys, v, strict=True) if w})
        for i, (x, v) in enumerate(zip(values, vectors.T, strict=True))
        if x > tiny
    )


def uniaxial(
    name: str, across: float, along: float, axis: Direction, weights: Mapping[str, float]
) -> tuple[Mechanism[Any], ...]:
    """Return the conduction of a combination of fields that differs along an axis and across it.

    Parameters
    ----------
    name
        Name of all the mechanisms, whose power is reported as one.
    across, along
        Conductivities across the axis and along it (S/m).
    axis
        Unit vector.
    weights
        Combination of the fields, with whole gradients.

    Returns
    -------
    tuple
        The smaller conductivity for whole gradients and the excess for components: along the axis, or along two
        directions across it. No coefficient is negative.

    Examples
    --------
    >>> from fespin.onsager import uniaxial
    >>> [m.coefficient for m in uniaxial("bulk", 2e6, 5e6, (0.0, 0.6, 0.8), {"c": 1.0})]
    [2000000.0, 3000000.0]
    """
    if along == across:
        return (Mechanism(name, across, weights),)
    u = np.array(axis)
    axes = [u]
    if along < across:
        first = np.cross(u, np.eye(3)[int(np.argmin(np.abs(u)))])
        first /= np.linalg.norm(first)
        axes = [first, np.cross(u, first)]

    def component(d: NDArray[np.float64]) -> Mechanism[Any]:
        direction = (float(d[0]), float(d[1]), float(d[2]))
        return Mechanism(name, abs(along - across), {Along(f, direction): w for f, w in weights.items()})

    return (Mechanism(name, min(across, along), weights), *map(component, axes))
