"""Lagrange spaces that are continuous inside classes of cells and broken between them.

A degree of freedom of the continuous space becomes one per class of cells that
meets it: the pair (global number, class). The mesh stays whole, so an integral
over an interface couples the copies in the usual way, and the matrix stays
symmetric. A field that is absent from some cells has one dummy degree of
freedom there on each rank, which no integral touches and the solver pins.
"""

from __future__ import annotations

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from .. import _compat

type Ints = NDArray[np.int64]


class _Directory:
    """Keys of all ranks, each kept by one of them, to which all who have it can put numbers. Collective.

    Messages are arrays, one to each rank that keeps some of the keys. Where the keeper of a degree of freedom is its
    owner, these are neighbours on the mesh.

    Parameters
    ----------
    keys
        Different ones, on each rank those that it has.
    home
        Rank that keeps each key.
    """

    def __init__(self, comm: MPI.Intracomm, keys: Ints, home: Ints) -> None:
        self.comm = comm
        self.order = np.argsort(home, kind="stable")
        self.sent = np.bincount(home, minlength=comm.size)
        self.came = np.empty_like(self.sent)
        comm.Alltoall(self.sent, self.came)
        self.known, self.place = np.unique(self._there(keys), return_inverse=True)

    def _there(self, values: Ints) -> Ints:
        out = np.empty(self.came.sum(), np.int64)
        self.comm.Alltoallv([values[self.order], self.sent], [out, self.came])
        return out

    def _back(self, values: Ints) -> Ints:
        back, out = np.empty(len(self.order), np.int64), np.empty(len(self.order), np.int64)
        self.comm.Alltoallv([values, self.came], [back, self.sent])
        out[self.order] = back
        return out

    def least(self, values: Ints) -> Ints:
        """Return for each key the least of the numbers that its ranks have for it. Collective."""
        least = np.full(len(self.known), np.iinfo(np.int64).max)
        np.minimum.at(least, self.place, self._there(values))
        return self._back(least[self.place])

    def lowest_ranks(self, claims: NDArray[np.bool_]) -> Ints:
        """Return for each key the lowest of the ranks that claim it. Collective."""
        return self.least(np.where(claims, self.comm.rank, self.comm.size))


def lowest_ranks(comm: MPI.Intracomm, keys: Ints, claims: NDArray[np.bool_]) -> Ints:
    """Return for each key the lowest of the ranks that claim it; at least one must. Collective."""
    return _Directory(comm, keys, keys % comm.size).lowest_ranks(claims)


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
    # The largest class, and whether a cell is left out, in one message.
    most = np.array([classes.max(initial=0) + 1, not live.all()])
    comm.Allreduce(MPI.IN_PLACE, most, MPI.MAX)
    count, absent = most
    if count == 1 and not absent:
        return space.clone(), -1

    numbering = space.dofmap.index_map
    at = cells[live].ravel().astype(np.int32)
    key = numbering.local_to_global(at) * count + np.repeat(classes[live], cells.shape[1])
    keys, first, local = np.unique(key, return_index=True, return_inverse=True)
    local = local.reshape(-1, cells.shape[1])
    on_own_cell = np.zeros(len(keys), bool)
    on_own_cell[local[: int(live[:owned].sum())]] = True

    # The owner of a degree of freedom keeps the book on what becomes of it.
    keeper = np.concatenate([np.full(numbering.size_local, comm.rank), numbering.owners])
    directory = _Directory(comm, keys, keeper[at[first]])
    # A key belongs to the lowest rank that has it on a cell of its own.
    owner = directory.lowest_ranks(on_own_cell)

    # Owners number their keys; the directory passes the numbers on.
    own = owner == comm.rank
    n = int(own.sum())
    dummy = n if not live.all() else -1
    size = n + (dummy >= 0)
    start = comm.scan(size) - size
    mine = np.full(len(keys), np.iinfo(np.int64).max)
    mine[own] = start + np.arange(n)
    numbers = directory.least(mine)

    to_local = np.empty(len(keys), np.int32)
    to_local[own] = np.arange(n)
    to_local[~own] = size + np.arange(len(keys) - n)
    dofs = np.full(cells.shape, dummy, np.int32)
    dofs[live] = to_local[local]
    imap = _compat.index_map(comm, size, numbers[~own], owner[~own].astype(np.int32))
    return _compat.space_with_dofmap(space, imap, dofs), dummy
