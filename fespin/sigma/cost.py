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
