"""Checks that the cells of a mesh fill space once, which solvers take for granted and never check."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

type Reals = NDArray[np.float64]
type Ints = NDArray[np.int64]

# Limits are relative to the longest edge h of a cell. A layer of 0.1 nm in cells of 1 um has volumes of 1e-5 h^3.
_FLAT = 1e-10  # of h^dim
_NEAR = 1e-7  # of h
# Corners of the faces, by dimension and number of corners, as gmsh counts them.
_FACES: dict[tuple[int, int], list[tuple[int, ...]]] = {
    **{(d, d + 1): list(combinations(range(d + 1), d)) for d in (1, 2, 3)},
    (2, 4): [(0, 1), (1, 2), (2, 3), (3, 0)],
    (3, 8): [(0, 1, 2, 3), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)],
}


def check_points(owner: str, points: Reals) -> None:
    """Refuse nodes whose coordinates are not finite, or that all coincide.

    Parameters
    ----------
    owner
        Key and path, for messages.
    points
        Shape (n, 3): the nodes that cells have.

    Raises
    ------
    InputError
        If a coordinate is not finite, or there is no extent.
    """
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if len(bad):
        raise InputError(f"{owner}: a node lies at {_place(points[bad[0]])}; coordinates must be finite numbers")
    if not len(points) or not np.ptp(points, axis=0).max() > 0:
        raise InputError(f"{owner}: all nodes lie at one place, {_place(points[0]) if len(points) else 'none'}")


@np.errstate(all="ignore")  # squares of huge coordinates overflow
def check_cells(owner: str, points: Reals, cells: Ints, dim: int, determinants: Reals | None = None) -> None:
    """Refuse cells that are flat, double, inside out, or lie over each other, and nodes that lie on each other.

    The orientation of cells does not matter, nor the unit of length. Thin layers are legitimate: with h for the longest
    edge of a cell, volumes down to 1e-10 h^3 and nodes 1e-7 h apart.

    Parameters
    ----------
    points
        Shape (n, 3), finite; cells lie in the first `dim` coordinates.
    cells
        Corners of the cells, shape (m, corners): indices of points.
    determinants
        Determinants of the map from the reference cell, at some points of each cell, (m, q); those of straight
        simplices are known.

    Raises
    ------
    InputError
        With one line that says what is wrong, and where.
    """
    corners = points[cells]
    for axis, extent in zip("xyz", np.ptp(points[:, :dim], axis=0), strict=False):
        if extent == 0:
            raise InputError(f"{owner}: the mesh is flat, all nodes have {axis} = {points[0, 'xyz'.index(axis)]:g}")
    refuse = _refusal(owner, corners)
    ordered = np.sort(cells, axis=1)
    refuse((ordered[:, 1:] == ordered[:, :-1]).any(axis=1), "a cell has one node twice")
    order, first = _groups(ordered, len(points))
    refuse(np.sort(order[~first]), "a cell is there twice")

    h = _longest_edges(corners)
    _check_coincident(owner, points)
    if determinants is None:
        determinants = check_flat(owner, points, cells, dim)
    else:
        determinants = determinants / (h**dim)[:, None]
        refuse(~(np.abs(determinants).min(axis=1) > _FLAT), "a cell is flat")
    refuse(determinants.min(axis=1) * determinants.max(axis=1) < 0, "a cell is turned inside out in part")
    if (dim, cells.shape[1]) in _FACES:
        boundary = _check_faces(refuse, points, cells, dim)
        size = np.full(len(points), np.inf)
        np.minimum.at(size, cells.ravel(), np.repeat(h, cells.shape[1]))
        # In the interior, nodes that coincide or lie on faces make cells flat or overlapping, which is checked above.
        nodes = np.unique(boundary)
        _check_near(owner, points[nodes], size[nodes])
        if boundary.shape[1] == dim > 1:
            _check_hanging(owner, points, nodes, boundary)


@np.errstate(all="ignore")
def check_flat(owner: str, points: Reals, cells: Ints, dim: int) -> Reals:
    """Refuse straight simplices without volume; each rank may check its own part of a mesh.

    Parameters
    ----------
    points, cells, dim
        As of :func:`check_cells`.

    Returns
    -------
    array
        Volumes times dim! in units of the longest edges, shape (m, 1).

    Raises
    ------
    InputError
        With the place of the first.
    """
    corners = points[cells]
    edges = corners[:, 1:, :dim] - corners[:, :1, :dim]
    determinants = np.linalg.det(edges / _longest_edges(corners)[:, None, None])[:, None]
    _refusal(owner, corners)(~(np.abs(determinants).min(axis=1) > _FLAT), "a cell is flat")
    return np.asarray(determinants)


def _longest_edges(corners: Reals) -> Reals:
    pairs = combinations(range(corners.shape[1]), 2)
    return np.asarray(np.sqrt(np.max([((corners[:, i] - corners[:, j]) ** 2).sum(axis=1) for i, j in pairs], axis=0)))


def _refusal(owner: str, corners: Reals) -> Callable[[NDArray[np.bool_] | Ints, str], None]:
    """Return a function that refuses some of the cells with these corners, by mask or number, if there are any."""

    def refuse(bad: NDArray[np.bool_] | Ints, what: str) -> None:
        numbers = np.flatnonzero(bad) if bad.dtype == bool else bad
        if len(numbers):
            many = f" ({len(numbers)} such cells)" if len(numbers) > 1 else ""
            raise InputError(f"{owner}: {what} near {_place(corners[numbers[0]].mean(axis=0))}{many}")

    return refuse


def check_sides(owner: str, points: Reals, cells: Ints, facets: Ints) -> None:
    """Refuse facets that are no sides of cells: they would be left out in silence.

    Parameters
    ----------
    owner
        Name of the mesh, for messages.
    cells, facets
        Corners of simplices, shapes (m, d + 1) and (k, d): indices of points.

    Raises
    ------
    InputError
        With the place of the first.
    """
    d = facets.shape[1]
    near = cells[np.isin(cells, facets).sum(axis=1) >= d]
    sides = near[:, np.array(_FACES[d, d + 1])].reshape(-1, d)
    _, number = np.unique(np.sort(np.concatenate([facets, sides]), axis=1), axis=0, return_inverse=True)
    number = number.ravel()
    lost = np.flatnonzero(~np.isin(number[: len(facets)], number[len(facets) :]))
    if len(lost):
        raise InputError(
            f"{owner} has {len(lost)} facets of {len(facets)} that are no sides of cells, one near "
            f"{_place(points[facets[lost[0]]].mean(axis=0))}; mesh the boundary and the cells together"
        )


def _groups(rows: Ints, count: int) -> tuple[Ints, NDArray[np.bool_]]:
    """Return an order that brings equal rows of sorted indices together, and which are the first of their kind."""
    width = rows.shape[1]
    if float(max(count, 2)) ** width < 2.0**63:
        key = rows[:, 0].copy()
        for column in rows.T[1:]:
            key = key * count + column
        order = np.argsort(key, kind="stable")
        first = np.append(True, np.diff(key[order]) != 0)
    else:
        order = np.lexsort(rows.T[::-1])
        first = np.append(True, (np.diff(rows[order], axis=0) != 0).any(axis=1))
    return order, first[: len(rows)]


def _check_coincident(owner: str, points: Reals) -> None:
    order = np.lexsort(points.T)
    same = np.flatnonzero((np.diff(points[order], axis=0) == 0).all(axis=1))
    if len(same):
        _refuse_double(owner, points[order[same[0]]], len(same))


def _check_near(owner: str, points: Reals, size: Reals) -> None:
    if len(points) > 1:
        from scipy.spatial import cKDTree

        distance = cKDTree(points).query(points, k=2)[0][:, 1]
        close = np.flatnonzero(distance < _NEAR * size)
        if len(close):
            _refuse_double(owner, points[close[0]], (len(close) + 1) // 2)


def _refuse_double(owner: str, point: Reals, count: int) -> None:
    many = f" ({count} such pairs)" if count > 1 else ""
    raise InputError(
        f"{owner}: two separate nodes lie at {_place(point)}{many}, which cuts the mesh; glue the parts: Coherence or "
        "BooleanFragments in gmsh"
    )


def _check_faces(refuse: Any, points: Reals, cells: Ints, dim: int) -> Ints:
    """Check that two cells at most share a face, on its two sides; return the faces of the boundary."""
    local = np.array(_FACES[dim, cells.shape[1]])
    faces = cells[:, local].reshape(-1, local.shape[1])
    owner = np.repeat(np.arange(len(cells)), len(local))
    order, first = _groups(np.sort(faces, axis=1), len(points))
    start = np.flatnonzero(first)
    count = np.diff(np.append(start, len(order)))
    refuse(owner[order[start[count > 2]]], "three cells or more share one face")
    one, two = order[start[count == 2]], order[start[count == 2] + 1]
    x = points[faces[one]][:, :, :dim]
    middle = points[cells][:, :, :dim].mean(axis=1)
    sides = [middle[owner[face]] - x[:, 0] for face in (one, two)]
    if dim == 1:
        one_side, other_side = (s[:, 0] for s in sides)
    else:
        if dim == 2:
            along = x[:, 1] - x[:, 0]
            normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
        else:
            normal = np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0])
        one_side, other_side = ((s * normal).sum(axis=1) for s in sides)
    refuse(np.unique(owner[one[one_side * other_side >= 0]]), "cells lie over each other (a tangled mesh)")
    boundary: Ints = faces[order[start[count == 1]]]
    return boundary


def _check_hanging(owner: str, points: Reals, nodes: Ints, faces: Ints) -> None:
    """Refuse nodes of the boundary that lie on its straight faces, edges included, without belonging to them."""
    from scipy.spatial import cKDTree

    tree = cKDTree(points[nodes])
    for part in np.array_split(faces, max(1, len(faces) // 2000)):
        x = points[part]  # (face, corner, axis)
        middle = x.mean(axis=1)
        radius = np.sqrt(((x - middle[:, None]) ** 2).sum(axis=2).max(axis=1))
        near_nodes = tree.query_ball_point(middle, radius)
        face = np.repeat(np.arange(len(part)), [len(f) for f in near_nodes])
        node = nodes[np.concatenate([np.asarray(f, np.int64) for f in near_nodes])]
        other = (part[face] != node[:, None]).all(axis=1)
        face, node = face[other], node[other]
        # Coordinates within the face, from its first corner, and the distance from its plane.
        inverse = np.linalg.pinv(np.swapaxes(x[:, 1:] - x[:, :1], 1, 2))
        from_first = points[node] - x[face, 0]
        inside = (inverse[face] @ from_first[:, :, None])[:, :, 0]
        across = from_first - (inside[:, None] @ (x[face, 1:] - x[face, :1]))[:, 0]
        on = (inside >= -_NEAR).all(axis=1) & (inside.sum(axis=1) <= 1 + _NEAR)
        on &= np.linalg.norm(across, axis=1) < _NEAR * radius[face]
        if on.any():
            many = f" ({int(on.sum())} such nodes)" if on.sum() > 1 else ""
            raise InputError(
                f"{owner}: a node at {_place(points[node[on][0]])} lies on the side of a cell that it does not belong "
                f"to{many}, which cuts the mesh; neighbours share their nodes: Coherence or BooleanFragments in gmsh"
            )


def _place(x: Reals) -> str:
    return f"({', '.join(f'{c:.6g}' for c in x)})"
