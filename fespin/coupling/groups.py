"""Solves over the directions of a free layer, shared out among groups of ranks with a mesh each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import cast

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ..checkpoint import Journal
from ..errors import InputError
from ..mpi import agree_on_errors
from ..onsager.system import Fields
from ..transport.problem import TransportProblem
from ..transport.torque import spin_torque
from ..transport.tunnelling import barriers
from .directions import require_linear

type Array = NDArray[np.float64]


def solve_direction(problem: TransportProblem, layer: str, u: Array) -> tuple[Array, float]:
    """Return the torque on a layer per current density (V s, (3,)) and A R (ohm m2) for one direction. Collective.

    The layer is left in that direction.
    """
    torque, area, _ = direction_state(problem, layer, u)
    return torque, area


def direction_state(problem: TransportProblem, layer: str, u: Array) -> tuple[Array, float, Fields]:
    """Return what :func:`solve_direction` does, and the fields of a voltage at the bottom. Collective."""
    problem.magnetize({layer: tuple(u)})
    # Linear: one volt will do, and none of the reports of a solution is needed. A field-like torque of barriers has a
    # part with the square of the voltage, which is nothing at a microvolt.
    volts = 1e-6 if barriers(problem.stack, list(problem.domain.interfaces)) else 1.0
    solved = problem.solver.solve(problem.drive(voltage=volts))
    density = solved.currents["bottom"] / problem.domain.area
    fields = dict(zip(problem.system.fields, solved.fields, strict=True))
    torque = np.asarray(spin_torque(problem, fields, layer) / density, dtype=np.float64)
    return torque, volts / density, solved.fields


class Groups:
    """Groups of ranks that solve one device for different directions: made by :func:`in_groups`, or of one problem.

    `problem` is that of this rank's group, `comm` has all ranks. Directions in the `journal`, of the same device, are
    not solved again. A context manager that frees the problems in the end.

    Examples
    --------
    >>> with fs.in_groups(comm, 1, lambda c: fs.TransportProblem(fs.line(c, stack), fs.Vector())) as groups:
    ...     torques, resistance_areas = groups.solve("free", np.eye(3))
    >>> [f"{r:.3e}" for r in resistance_areas]
    ['2.642e-15', '2.642e-15', '2.173e-15']
    """

    def __init__(
        self,
        problem: TransportProblem,
        comm: MPI.Intracomm | None = None,
        count: int = 1,
        own: MPI.Comm | None = None,
        *,
        journal: Journal | None = None,
    ) -> None:
        self.problem, self.count, self._own, self.journal = problem, count, own, journal
        self.comm: MPI.Intracomm = comm or problem.domain.comm

    def solve(self, layer: str, directions: Array) -> tuple[Array, Array]:
        """Return torques per current density (V s, (n, 3)) and A R (ohm m2, (n,)) at directions (n, 3). Collective.

        The same numbers on all ranks. The layer ends in the direction it had.

        Raises
        ------
        FespinError
            On all ranks, if a solve fails on any.
        """

        def solve(problem: TransportProblem, u: Array) -> Array:
            tau, area = solve_direction(problem, layer, u)
            return np.array([*tau, area])

        out = self.evaluate(layer, directions, solve, 4)
        return out[:, :3], out[:, 3]

    def evaluate(
        self,
        layer: str,
        directions: Array,
        solve: Callable[[TransportProblem, Array], Array],
        columns: int,
        *,
        tolerance: float | None = None,
        key: Sequence[float] = (),
        linear: bool = True,
    ) -> Array:
        """Return the numbers that `solve` finds for each direction, (n, columns), the same on all ranks. Collective.

        Parameters
        ----------
        solve
            Takes a group's problem and a direction (3,), to which it turns the layer, which ends as it was.
        tolerance
            Error that is allowed to the numbers; None: that of the problem's solver.
        key
            Numbers on which the answers depend besides, such as a voltage: where the journal keeps them.
        linear
            True if the answers are those of laws that do not follow the state, at any drive.

        Raises
        ------
        ModelError
            If the model has laws that follow the state, and the answers do not allow them.
        """
        if linear:
            require_linear(self.problem, "map over directions")
        before = self.problem.stack[layer].magnetization or (0.0, 0.0, 1.0)
        keys = [[layer, columns, *key, *u.tolist()] for u in directions]
        known = [None if self.journal is None else self.journal.get(key) for key in keys]
        missing = [k for k, piece in enumerate(known) if piece is None]
        own = missing[_group(self.comm, self.count) :: self.count]
        first = self.problem.domain.comm.rank == 0

        def share() -> Array | None:
            results = []
            with nullcontext() if tolerance is None else self.problem.within(tolerance):
                try:
                    for k in own:
                        results.append(solve(self.problem, directions[k]))
                        if self.journal is not None and first:
                            self.journal.put(keys[k], results[-1].tolist())
                finally:
                    self.problem.magnetize({layer: before})
            return np.array(results).reshape(-1, columns) if first else None

        out = np.empty((len(directions), columns))
        out[[k for k, piece in enumerate(known) if piece is not None]] = [p for p in known if p is not None] or 0.0
        # The first ranks of the groups come in the order of the groups.
        for i, part in enumerate(x for x in agree_on_errors(self.comm, share, "groups") if x is not None):
            out[missing[i :: self.count]] = part
        return out

    def __enter__(self) -> Groups:
        return self

    def __exit__(self, *error: object) -> None:
        self.problem.destroy()
        if self._own is not None:
            self._own.Free()


def in_groups(comm: MPI.Intracomm, count: int, build: Callable[[MPI.Intracomm], TransportProblem]) -> Groups:
    """Return groups of consecutive ranks, each with its own problem of one device. Collective.

    `build` takes a group's communicator, makes the mesh on it and returns the problem: the same device for each group.

    Raises
    ------
    InputError
        If there are more groups than ranks, or a problem is not on its group's communicator.
    FespinError
        On all ranks, what `build` raises on any.

    Examples
    --------
    >>> with fs.in_groups(comm, 1, lambda c: fs.TransportProblem(fs.line(c, stack), fs.Vector())) as groups:
    ...     valve = fs.torque_map(groups, "free")
    >>> valve.layer
    'free'
    """
    if not isinstance(count, int) or not 1 <= count <= comm.size:
        raise InputError(f"groups: count is {count!r}; it must lie between 1 and the number of ranks, {comm.size}")
    own, problems = comm.Split(_group(comm, count), comm.rank), []

    def make() -> None:
        problem = build(cast(MPI.Intracomm, own))
        if not isinstance(problem, TransportProblem):
            raise InputError(f"groups: build returned {problem!r}; it must return a TransportProblem")
        if MPI.Comm.Compare(problem.domain.comm, own) not in (MPI.IDENT, MPI.CONGRUENT):
            raise InputError("groups: build made its mesh on another communicator than the one it was given")
        problems.append(problem)

    agree_on_errors(comm, make, "groups")
    return Groups(problems[0], comm, count, own)


def _group(comm: MPI.Intracomm, count: int) -> int:
    """Return the number of this rank's group."""
    return int(comm.rank * count // comm.size)
