"""Spin torque: the spin current across the magnetization that a magnet takes up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from ..errors import InputError
from ..onsager.power import face_mean, region_integral
from .vector import SPIN, SPIN_PER_CHARGE

if TYPE_CHECKING:
    from .problem import TransportProblem
    from .solution import TransportSolution

type Array = NDArray[np.float64]


def _across(problem: TransportProblem, layer: str) -> tuple[Array, Array, list[int]]:
    """Return 1 - m m, the relaxation matrix of a magnet over s, and where s is among the fields."""
    u = problem.stack[layer].direction
    if u is None:
        raise InputError(f"layer '{layer}' is no ferromagnet; there is no torque on it")
    at = [problem.system.fields.index(f) for f in SPIN]
    r = problem.system.coefficients.reaction[problem.domain.regions.index(layer)]
    return np.eye(3) - np.outer(u, u), r[np.ix_(at, at)], at


def spin_torque(problem: TransportProblem, solution: TransportSolution, layer: str) -> Array:
    """Return the torque on a magnet per cross-section, tau = (hbar/2e) times the transverse J_s it absorbs. Collective.

    Spins that relax across the magnetization inside, and those that do not come out of its interfaces again. What a
    contact takes from the magnet is not counted.

    Returns
    -------
    array
        tau (J/m2), perpendicular to the magnetization. It acts on the angular momentum, which is
        antiparallel to the magnetization.

    Raises
    ------
    InputError
        If the layer is no ferromagnet.
    """
    transverse, relaxation, at = _across(problem, layer)
    system, w = problem.system, list(solution.fields.values())
    absorbed = relaxation @ [region_integral(system, w[i], layer) for i in at]
    for pair in problem.domain.interfaces:
        if layer not in pair:
            continue
        g = system.coefficients.faces[pair]
        area = problem.domain.interface_area(pair)
        means = np.array([[face_mean(system, f, pair, side) for f in w] for side in (0, 1)])
        # The two sides' fluxes into the interface: what is conserved cancels in their sum.
        flux = np.einsum("aibj,bj->i", g, means)[at]
        absorbed = absorbed + area * flux
    return np.asarray(SPIN_PER_CHARGE * transverse @ absorbed / problem.domain.area)


def torque_density(problem: TransportProblem, solution: TransportSolution, layer: str) -> list[fem.Function]:
    """Return the torque per volume inside a magnet, component by component (J/m3); zero elsewhere. Collective.

    Only spins that are resolved inside the magnet make it; what an interface absorbs is not in it.

    Raises
    ------
    InputError
        If the layer is no ferromagnet.
    """
    transverse, relaxation, at = _across(problem, layer)
    weights = SPIN_PER_CHARGE * transverse @ relaxation
    cells = np.flatnonzero(problem.domain.region == problem.domain.regions.index(layer))
    fields = [list(solution.fields.values())[i] for i in at]
    space = problem.system.discontinuous()
    out = []
    for k, row in zip("xyz", weights, strict=True):
        f = fem.Function(space, name=f"torque_{k}")
        values = sum(x * s.x.array[s.function_space.dofmap.list[cells]] for x, s in zip(row, fields, strict=True))
        f.x.array[space.dofmap.list[cells].ravel()] = np.asarray(values).ravel()
        out.append(f)
    return out
