"""Transport solves over the directions of a free layer: what all maps are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..transport.problem import TransportProblem
from ..transport.torque import spin_torque

type Array = NDArray[np.float64]


def solve_direction(problem: TransportProblem, layer: str, u: Array) -> tuple[Array, float]:
    """Return the torque on a layer per current density (V s, (3,)) and A R (ohm m2) for one direction. Collective.

    The layer is left in that direction.
    """
    problem.magnetize({layer: tuple(u)})
    # Linear: one volt will do, and none of the reports of a solution is needed.
    solved = problem.solver.solve(problem.drive(voltage=1.0))
    density = solved.currents["bottom"] / problem.domain.area
    fields = dict(zip(problem.system.fields, solved.fields, strict=True))
    return np.asarray(spin_torque(problem, fields, layer) / density, dtype=np.float64), 1 / density
