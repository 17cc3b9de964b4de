"""Mean first passage times."""

from __future__ import annotations

import numpy as np

from ..errors import InputError, SolverError
from ..macrospin.pointwise import Array
from .escape import basins, boundary_value, flux_form, nearest_node
from .operator import Operator


def mean_first_passage(operator: Operator, start: Array, target: Array) -> float:
    """Return the mean time until a target is reached, per 2 tau_N. Collective.

    With a source at the start and the target absorbing, the mean time is the mass over the flux (Hill's relation);
    the flux is evaluated as for rates of escape, so that any barrier will do.

    Parameters
    ----------
    operator
        In the weighted form.
    start
        Direction (3,); the nearest node is taken.
    target
        Which of this rank's degrees of freedom the target holds (owned,), bool.

    Raises
    ------
    InputError
        If the target is empty or holds the start.
    SolverError
        If the flux is not positive.
    """
    assert operator.weighted
    comm = operator.surface.comm
    pin = nearest_node(comm, operator.surface.nodes @ start)
    absorbing = np.flatnonzero(target)
    if not comm.allreduce(len(absorbing)):
        raise InputError("first passage: the target holds no direction")
    if comm.allreduce(int(np.isin(pin, absorbing).any())):
        raise InputError("first passage: the start lies in the target")
    fixed = {int(k): 0.0 for k in absorbing} | {int(k): 1.0 for k in pin}
    w = boundary_value(operator, fixed)
    reached = basins(operator, [pin, absorbing])[1]
    flux = flux_form(operator)(w)(reached)
    mass = operator.mass(w * operator.scale)
    if not (np.isfinite(flux) and flux > 0 and mass > 0):
        raise SolverError("first passage: the flux into the target is lost in rounding; try a finer mesh")
    return mass / flux
