"""Boxes of tetrahedra that have the symmetries of the box."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import basix.ufl
import numpy as np
from dolfinx import mesh
from mpi4py import MPI

from .. import _compat
from .pieces import share_of


def bricks(comm: MPI.Intracomm, low: Sequence[float], high: Sequence[float], counts: Sequence[int]) -> mesh.Mesh:
    """Return a box of equal bricks, each cut into six tetrahedra along its diagonal that points away from the middle.

    If all diagonals were parallel, as in DOLFINx's boxes, what lives on the mesh would feel a weak preference for a
    direction: a vortex in a square film would not come to rest in its middle. Counts along each edge should be even.
    Collective.

    Parameters
    ----------
    low, high
        Two opposite corners (3,), in m.
    counts
        Numbers of bricks along x, y, z.

    Examples
    --------
    >>> from fespin.geometry import bricks
    >>> box = bricks(comm, (0, 0, 0), (100e-9, 100e-9, 20e-9), (10, 10, 2))
    >>> box.topology.index_map(3).size_global
    1200
    """
    n = np.array(counts)
    shape = tuple(int(x) for x in n + 1)
    corners = np.array(list(itertools.product((0, 1), repeat=3)))
    # A box is cut into six tetrahedra: one for each path along three edges from one end of its diagonal to the other.
    paths = [np.cumsum([[0, 0, 0], *np.eye(3, dtype=int)[list(p)]], axis=0) for p in itertools.permutations(range(3))]
    places = np.array([[int(np.flatnonzero((corners == q).all(axis=1))[0]) for q in path] for path in paths])
    # Each rank makes its own share of the bricks and of the nodes.
    own = share_of(comm, math.prod(counts))
    origins = np.stack(np.unravel_index(np.arange(own.start, own.stop), tuple(counts)), axis=1)[:, None]
    inwards = 2 * origins + 1 < n
    at = origins + np.where(inwards, 1 - corners, corners)
    cells = np.ravel_multi_index(tuple(np.moveaxis(at, -1, 0)), shape)[:, places].reshape(-1, 4).astype(np.int64)
    own = share_of(comm, math.prod(shape))
    part = np.stack(np.unravel_index(np.arange(own.start, own.stop), shape), axis=1) / n
    x = np.array(low) + part * (np.array(high) - np.array(low))
    element = basix.ufl.element("Lagrange", "tetrahedron", 1, shape=(3,))
    return _compat.create_mesh(comm, cells, element, x)
