"""Cost of a problem on the sphere, said before it is solved; and a mesh whose cost is bearable by default."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from mpi4py import MPI

from ..macrospin.scales import suggested_mesh_size
from ..macrospin.spin import Macrospin
from ..petsc import Options
from .dimensionless import DimensionlessDrift
from .operator import Operator
from .space import Sigma

# A mesh that nobody asked for has no more unknowns than this, whatever the general rule says.
MOST = 100_000
# Below this many unknowns nothing takes long.
_FEW = 30_000
# What is worth a line: minutes, gigabytes.
_SECONDS, _BYTES = 60.0, 1e9
# Of a course in time: factorizations and solves; and by how much the degrees that show the error multiply the time
# and the memory.
_FACTORS, _SOLVES, _VERIFIED, _ENLARGED = 8, 500, 3.4, 1.8
# Vectors of a Krylov space and their products with the mass matrix.
_VECTORS = 180
# Seconds of an evolution after which its length is foretold, from the second half of them.
_LOOK = 6.0


class Forecast:
    """A line about how long an evolution will take, said once some seconds of it are done.

    Parameters
    ----------
    comm
        All ranks.
    unknowns
        How many there are.
    say
        Called with the line, if more than a minute is left.
    again
        What follows the evolution, for the line.
    """

    def __init__(self, comm: MPI.Intracomm, unknowns: int, say: Callable[[str], None], again: str = "") -> None:
        self._comm, self._unknowns, self._say, self._again = comm, unknowns, say, again
        self._begin, self._half, self._done = time.perf_counter(), (0.0, 0.0), False

    def __call__(self, part: float) -> None:
        """Take note of the part that is done, 0 to 1. Collective."""
        if self._done:
            return
        now = self._comm.bcast(time.perf_counter() - self._begin, 0)
        if now < _LOOK / 2:
            self._half = now, part
        elif now > _LOOK:
            self._done = True
            pace = (part - self._half[1]) / (now - self._half[0])
            left = (1 - part) / pace if pace > 0 else np.inf
            if left > _SECONDS:
                self._say(
                    f"note: evolution of {self._unknowns} unknowns: about {left / 60:.2g} min{self._again}; fields "
                    "that turn or change often take many steps, fewer with a larger tolerance"
                )


def bearable_sphere(make: Callable[[float], Sigma], spin: Macrospin) -> Sigma:
    """Return the sphere of the suggested size, or a coarser one if it would have more than 1e5 unknowns. Collective.

    Parameters
    ----------
    make
        Takes a mesh size.
    """
    size = suggested_mesh_size(spin)
    made = make(size)
    while made.dofs > MOST:
        size *= 1.05 * float(np.sqrt(made.dofs / MOST))
        made = make(size)
    return made


def cost_of_a_course(
    surface: Sigma, reduced: DimensionlessDrift, options: Options | None, *, verify: bool
) -> str | None:
    """Return a line about what following a density will cost, None if that is little. Collective.

    It is measured by the first factorization and the first solve, those of the mass matrix, which are needed anyway.
    """
    if surface.dofs < _FEW or surface.unit_factor is not None:
        return None
    operator = Operator(surface, reduced, weighted=False, options=options)
    factor = surface.unit_factor
    assert factor is not None
    begin = time.perf_counter()
    factor.solve(operator.ones)
    seconds = _FACTORS * factor.seconds + _SOLVES * (time.perf_counter() - begin)
    seconds = surface.comm.allreduce(seconds, op=MPI.MAX) * (_VERIFIED if verify else 1.0)
    operator.destroy()
    memory = (2 * factor.memory + 8.0 * _VECTORS * surface.dofs) * (_ENLARGED if verify else 1.0)
    if seconds < _SECONDS and memory < _BYTES:
        return None
    return (
        f"note: {surface.dofs} unknowns: following them takes about {max(seconds / 60, 0.1):.2g} min and "
        f"{memory / 1e9:.2g} GB; {surface.key} makes them fewer, and langevin needs none"
    )
