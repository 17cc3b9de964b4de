"""Lagrange spaces that are continuous inside classes of cells and broken between them.

A degree of freedom of the continuous space becomes one per class of cells that
meets it: the pair (global number, class). The mesh stays whole, so an integral
over an interface couples the copies in the usual way, and the matrix stays
symmetric. A field that is absent from some cells has one dummy degree of
freedom there on each rank, which no integral touches and the solver pins.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from .. import _compat

type Ints = NDArray[np.int64]


def _to_directory(comm: MPI.Intracomm, keys: Ints, payload: NDArray[Any]) -> list[tuple[Ints, NDArray[Any]]]:
    """Send (key, payload) to the rank ``key % size`` that keeps the book; return what came, by sender."""
    home = keys % comm.size
    return comm.alltoall([(keys[home == r], payload[home == r]) for r in range(comm.size)])


def _from_directory(comm: MPI.Intracomm, keys: Ints, replies: list[Ints]) -> Ints:
    """Return the replies to the senders, each in the order its keys were sent."""
    home = keys % comm.size
    out = np.empty(len(keys), np.int64)
    for r, values in enumerate(comm.alltoall(replies)):
        out[home == r] = values
    return out


def _lookup(keys: Ints, values: Ints, wanted: Ints) -> Ints:
    return values[np.searchsorted(keys, wanted)]


def lowest_ranks(comm: MPI.Intracomm, keys: Ints, claims: NDArray[np.bool_]) -> Ints:
    """Return for each key the lowest of the ranks that claim it; at least one must. Collective."""
    asked = _to_directory(comm, keys, claims)
    claimed = np.concatenate([k[mine] for k, mine in asked])
    claimant = np.concatenate([np.full(int(mine.sum()), r) for r, (_, mine) in enumerate(asked)])
    order = np.lexsort((claimant, claimed))
    known, first = np.unique(claimed[order], return_index=True)
    return _from_directory(comm, keys, [_lookup(known, claimant[order][first], k) for k, _ in asked])


def broken_space(space: fem.FunctionSpace, classes: Ints) -> tuple[fem.FunctionSpace, int]:
    """Break a scalar Lagrange space between classes of cells.

    Parameters
    ----------
    space
        A continuous scalar Lagrange space.
    classes
        Class of each local cell, ghosts included; -1 where the field is absent.

    Returns
    -------
    space, dummy
        The broken space (a new object always: DOLFINx tells blocks apart by
        identity), and the local index of the pinned dummy, -1 if there is none
        on this rank.
    """
    mesh = space.mesh
    comm: MPI.Intracomm = mesh.comm
    cells = space.dofmap.list
    owned = mesh.topology.index_map(mesh.topology.dim).size_local
    live = classes >= 0
    count = comm.allreduce(int(classes.max(initial=0)), MPI.MAX) + 1
    if count == 1 and comm.allreduce(bool(live.all()), MPI.LAND):
        return space.clone(), -1

    number = space.dofmap.index_map.local_to_global(cells[live].ravel().astype(np.int32))
    keys, local = np.unique(number * count + np.repeat(classes[live], cells.shape[1]), return_inverse=True)
    local = local.reshape(-1, cells.shape[1])
    on_own_cell = np.zeros(len(keys), bool)
    on_own_cell[local[: int(live[:owned].sum())]] = True

    # A key belongs to the lowest rank that has it on a cell of its own.
    owner = lowest_ranks(comm, keys, on_own_cell)

    # Owners number their keys; the directory passes the numbers on.
    own = owner == comm.rank
    n = int(own.sum())
    dummy = n if not live.all() else -1
    size = n + (dummy >= 0)
    start = comm.exscan(size) or 0
    told = _to_directory(comm, keys[own], start + np.arange(n))
    known = np.concatenate([k for k, _ in told])
    order = np.argsort(known)
    numbers = np.concatenate([v for _, v in told])[order]
    asked = _to_directory(comm, keys, keys)
    numbers = _from_directory(comm, keys, [_lookup(known[order], numbers, k) for k, _ in asked])

    to_local = np.empty(len(keys), np.int32)
    to_local[own] = np.arange(n)
    to_local[~own] = size + np.arange(len(keys) - n)
    dofs = np.full(cells.shape, dummy, np.int32)
    dofs[live] = to_local[local]
    imap = _compat.index_map(comm, size, numbers[~own], owner[~own].astype(np.int32))
    return _compat.space_with_dofmap(space, imap, dofs), dummy
