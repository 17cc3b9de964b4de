"""Triangles on the unit sphere of any sizes, by bisection of an octahedron: sizes may vary by powers of ten."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..energy.on_sphere import Array
from ..errors import InputError
from .mesh import rotation_to

type Size = Callable[[Array], Array]
"""Takes directions (n, 3), returns the longest edge that a cell may have there (n,)."""

_MOST = 40_000


def bisected(size: Size, axis: Array) -> tuple[Array, NDArray[np.int64]]:
    """Return corners (n, 3) and triangles (m, 3) whose longest edges are no longer than asked for.

    Longest edges are halved, those of neighbours too until no corner hangs; angles do not degenerate. The
    equator about the axis and four meridians consist of edges.

    Raises
    ------
    InputError
        If more than 40 000 triangles would be needed.
    """
    corners = np.concatenate([np.eye(3), -np.eye(3)]) @ rotation_to(axis).T
    i, j, k = (np.array(x) for x in zip(*[(a, b, c) for a in (0, 3) for b in (1, 4) for c in (2, 5)], strict=True))
    flip = np.linalg.det(corners[np.stack([i, j, k], axis=1)]) < 0
    triangles = np.stack([i, np.where(flip, k, j), np.where(flip, j, k)], axis=1).astype(np.int64)
    while True:
        ends = np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=-1)  # of edges (m, 3, 2)
        edges, number = np.unique(np.sort(ends.reshape(-1, 2), axis=1), axis=0, return_inverse=True)
        number = number.reshape(-1, 3)
        lengths = np.linalg.norm(corners[edges[:, 0]] - corners[edges[:, 1]], axis=1)
        # Ties go to the lower number, so that neighbours agree.
        longest = np.argmax(lengths[number] * (1 + 1e-9) - 1e-12 * number / len(edges), axis=1)
        a = corners[triangles]
        middles = (a + np.roll(a, -1, axis=1)) / 2
        seen = np.concatenate([a, middles, a.mean(axis=1, keepdims=True)], axis=1)
        seen /= np.linalg.norm(seen, axis=2, keepdims=True)
        wanted = size(seen.reshape(-1, 3)).reshape(len(a), -1).min(axis=1)
        own = np.take_along_axis(number, longest[:, None], axis=1)[:, 0]
        marked = np.zeros(len(edges), dtype=bool)
        marked[own[lengths[own] > wanted]] = True
        if not marked.any():
            return corners, triangles
        while True:
            more = marked[number].any(axis=1) & ~marked[own]
            if not more.any():
                break
            marked[own[more]] = True
        triangles, corners = _halved(corners, triangles, number, longest, edges, marked)
        if len(triangles) > _MOST:
            raise InputError(f"sphere: a mesh that resolves the passes would have more than {_MOST} cells")


def _halved(
    corners: Array,
    triangles: NDArray[np.int64],
    number: NDArray[np.int64],
    longest: NDArray[np.int64],
    edges: NDArray[np.int64],
    marked: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], Array]:
    """Return the triangles and corners with the marked edges halved; a triangle's longest is one if any is."""
    middle = np.full(len(edges), -1)
    middle[marked] = len(corners) + np.arange(np.count_nonzero(marked))
    new = corners[edges[marked]].mean(axis=1)
    corners = np.concatenate([corners, new / np.linalg.norm(new, axis=1)[:, None]])
    turn = (longest[:, None] + np.arange(3)) % 3
    # The longest edge goes from a to b, c is opposite.
    a, b, c = np.take_along_axis(triangles, turn, axis=1).T
    ab, bc, ca = middle[np.take_along_axis(number, turn, axis=1)].T
    out = [np.stack([a, b, c], axis=1)[ab < 0]]
    cut = ab >= 0
    for with_it, p, q, r, m in ((ca, c, a, ab, ca), (bc, b, c, ab, bc)):
        # The half p, q, r of the triangle, whose edge from p to q may be halved as well.
        whole, twice = cut & (with_it < 0), cut & (with_it >= 0)
        out.append(np.stack([p, q, r], axis=1)[whole])
        out += [np.stack([p, m, r], axis=1)[twice], np.stack([m, q, r], axis=1)[twice]]
    return np.concatenate(out), corners
