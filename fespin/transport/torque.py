"""Spin torque: the spin current across the magnetization that a magnet takes up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from ..errors import InputError
from ..onsager.declaration import Declaration, InterfaceLaw, Medium
from ..onsager.jumps import given_to_magnets
from ..onsager.matrices import face_matrix, matrix_of
from ..onsager.power import face_fluxes, region_integrals
from ..onsager.system import System
from ..onsager.varying import Polynomial, unit_directions
from .barriers import field_like_torque
from .model import DeviceState
from .spins import SPIN, SPIN_PER_CHARGE

if TYPE_CHECKING:
    from ..stack import Stack
    from .solution import TransportSolution

type Array = NDArray[np.float64]


def _relaxation(declaration: Declaration, layer: str) -> Polynomial:
    """Return what the magnet of a layer takes from the spins inside, as a matrix over s that follows its direction."""
    if layer in declaration.varying:
        medium = declaration.varying[layer].medium
        return Polynomial.of(lambda u: taken_inside(medium(u)))
    return Polynomial(taken_inside(declaration.media[layer])[None], 0)


def taken_inside(medium: Medium) -> Array:
    """Return what a magnet takes from the spins inside it per volume, as a matrix over s (S/m3)."""
    couplings = [t for t in medium.reversible if t.destination == "magnet"]
    return matrix_of([m for m in medium.reactions if m.destination == "magnet"], SPIN, couplings)


def taken_at(law: InterfaceLaw, neighbour: int, fields: Sequence[str]) -> Array:
    """Return what an interface takes from one side's fields and gives to the magnet on the other (S/m2).

    Parameters
    ----------
    neighbour
        Side whose fields they are: 0 or 1.
    fields
        All fields of the model.

    Returns
    -------
    array
        (field, field).
    """
    return np.asarray(_taken_from(law, neighbour, fields)[neighbour, :, neighbour])


def _taken_from(law: InterfaceLaw, neighbour: int, fields: Sequence[str]) -> Array:
    mechanisms = [m for m in law.mechanisms if m.destination == "magnet"]
    mechanisms = [m for m in mechanisms if all(side == neighbour for side, _ in m.weights)]
    couplings = [t for t in law.reversible if t.destination == "magnet" and t.row[0] == neighbour]
    return face_matrix(mechanisms, fields, couplings)


def _require_magnet(problem: DeviceState, stack: Stack, layer: str) -> None:
    if not stack[layer].material.ferromagnetic or not set(SPIN) <= set(problem.system.fields):
        raise InputError(f"layer '{layer}' is no ferromagnet of the vector model; there is no torque on it")


def spin_torque(problem: DeviceState, fields: Mapping[str, fem.Function], layer: str) -> Array:
    """Return the torque on a magnet per cross-section, tau = (hbar/2e) times the transverse J_s it absorbs. Collective.

    Spins that relax across the magnetization inside, and those that do not come out of its interfaces again. What a
    contact takes from the magnet is not counted. Where the magnetization varies, an integral over all places.

    Parameters
    ----------
    problem
        Device in the state that was solved.
    fields
        The solution's.

    Returns
    -------
    array
        tau (J/m2), perpendicular to a uniform magnetization. It acts on the angular momentum, which is
        antiparallel to the magnetization.

    Raises
    ------
    InputError
        If the layer is no ferromagnet of the vector model.
    """
    _require_magnet(problem, problem.stack, layer)
    system, w = problem.system, list(fields.values())
    relaxation = _relaxation(system.declaration, layer)
    at = [system.fields.index(f) for f in SPIN]
    direction = problem.stack[layer].direction
    if direction is None:
        absorbed = _integral(problem, fields, layer, relaxation)
    elif relaxation.terms.any():
        absorbed = relaxation.at(np.array(direction)) @ region_integrals(system, [w[i] for i in at], layer)
    else:
        absorbed = np.zeros(3)
    at_faces = problem.means(fields)
    for pair in problem.domain.interfaces:
        if layer in pair:
            neighbour = 1 - pair.index(layer)
            absorbed = absorbed + _absorbed_at(system, w, pair, neighbour, at_faces[pair][neighbour])[at]
            absorbed = absorbed + given_to_magnets(system, w, pair)[1 - neighbour, at]
    if direction is not None:
        u = np.array(direction)
        absorbed = absorbed - u * (u @ absorbed)
    return np.asarray(SPIN_PER_CHARGE * absorbed / problem.domain.area + field_like_torque(problem, w, layer))


def _absorbed_at(system: System, w: list[fem.Function], pair: tuple[str, str], neighbour: int, means: Array) -> Array:
    """Return what an interface takes from one side's fields and gives to the magnet on the other, field by field.

    `means` are those of the fields on that side.
    """
    domain, fields = system.domain, system.fields

    law_at = system.declaration.varying_laws.get(pair)
    if law_at is not None:
        fluxes = face_fluxes(system, w, pair, Polynomial.of(lambda u: _taken_from(law_at(u), neighbour, fields)))
        here = np.array([f.x.array.sum() for f in fluxes])
        return np.asarray(domain.comm.allreduce(here) * domain.depth)
    g = taken_at(system.declaration.law(pair), neighbour, fields)
    if not g.any():
        return np.zeros(len(fields))
    return np.asarray(domain.depth * system.measures[pair] * (g @ means))


def _integral(problem: DeviceState, fields: Mapping[str, fem.Function], layer: str, matrix: Polynomial) -> Array:
    """Integrate matrix(m) s over a layer whose magnetization varies."""
    system, domain = problem.system, problem.domain
    ker, own = system.kernels, domain.cells_of([layer])
    cells, m = system.directions.cells[layer]
    one = fem.Function(system.base)
    one.x.array[:] = 1.0
    ker.k.x.array[:] = 0.0
    out = np.zeros(3)
    for i, j in zip(*np.nonzero(matrix.bound), strict=True):
        values, total = np.zeros((len(domain.region), m.shape[1])), np.zeros(len(domain.region))
        values[cells] = matrix.at(m, i, j)
        ker.spread(ker.r, values)
        form = ker.form("cell_moment", [ker.cellwise], cells=own, replace={ker.w1: fields[SPIN[j]], ker.w2: one})
        fem.assemble_vector(total, form)
        out[i] += total[own].sum()
    return np.asarray(domain.comm.allreduce(out)) * domain.depth


def torque_density(problem: DeviceState, solution: TransportSolution, layer: str) -> list[fem.Function]:
    """Return the torque per volume inside a magnet, component by component (J/m3); zero elsewhere. Collective.

    Only spins that are resolved inside the magnet make it; what an interface absorbs is not in it.

    Raises
    ------
    InputError
        If the layer is no ferromagnet of the vector model.
    """
    _require_magnet(problem, solution.stack, layer)
    system, domain = problem.system, problem.domain
    # The problem may be in another state by now.
    declaration = problem.model.declare(solution.stack, problem.contacts, list(domain.interfaces))
    relaxation = _relaxation(declaration, layer)
    cells = np.flatnonzero(domain.region == domain.regions.index(layer))
    space = system.discontinuous()
    s = np.array([solution.fields[f].x.array[solution.fields[f].function_space.dofmap.list[cells]] for f in SPIN])
    m = np.zeros((*s.shape[1:], 3))
    if layer in declaration.varying:
        x = space.tabulate_dof_coordinates()[space.dofmap.list[cells].ravel()]
        m = unit_directions(declaration.varying[layer].magnetization, layer, x).reshape(m.shape)
    density = SPIN_PER_CHARGE * np.einsum("cpij,jcp->icp", relaxation.at(m), s)
    out = []
    for k, values in zip("xyz", density, strict=True):
        f = fem.Function(space, name=f"torque_{k}")
        f.x.array[space.dofmap.list[cells].ravel()] = values.ravel()
        out.append(f)
    return out
