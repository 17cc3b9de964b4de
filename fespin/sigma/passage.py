"""Mean first passage times."""

from __future__ import annotations

import numpy as np

from ..energy.on_sphere import Array
from ..errors import InputError, SolverError
from ..petsc import Options
from .balanced import Balanced
from .dimensionless import DimensionlessDrift
from .distribution import Surface
from .escape import basins, nearest_node


def log_first_passage(
    surface: Surface, reduced: DimensionlessDrift, start: Array, target: Array, options: Options | None = None
) -> float:
    """Return the logarithm of the mean time until a target is reached, per 2 tau_N. Collective.

    With a source at the start and the target absorbing, the mean time is the mass over the flux (Hill's relation);
    the flux is evaluated as for rates of escape, so that any barrier will do.

    Parameters
    ----------
    start
        Direction (3,); the nearest node is taken.
    target
        Which of this rank's degrees of freedom the target holds (owned,), bool.
    options
        PETSc options of the factorizations, without prefix.

    Raises
    ------
    InputError
        If the target is empty or holds the start.
    SolverError
        If the flux is not positive.
    """
    comm = surface.comm
    pin = nearest_node(comm, surface.nodes @ start)
    absorbing = np.flatnonzero(target)
    if not comm.allreduce(len(absorbing)):
        raise InputError("first passage: the target holds no direction")
    if comm.allreduce(int(np.isin(pin, absorbing).any())):
        raise InputError("first passage: the start lies in the target")
    whole = Balanced(surface, reduced, options=options)
    values = np.concatenate([np.zeros(len(absorbing)), np.ones(len(pin))])
    w = whole.solve(np.concatenate([absorbing, pin]), values)[:, 0]
    reached = basins(whole, [pin, absorbing])[1]
    log_time = whole.log_mass(w) - whole.log_flux(w)(reached)
    if not np.isfinite(log_time):
        raise SolverError("first passage: the flux into the target is lost in rounding; try a finer mesh")
    return log_time
