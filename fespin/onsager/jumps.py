"""Laws of interfaces whose coefficients follow a voltage, evaluated as numbers at the points of a quadrature.

A :class:`~fespin.onsager.mechanisms.JumpLaw` is linear but for its coefficients c_k(V): the mechanism k has the force
``F_k = weights_k . w``, the flux ``c_k(V) F_k`` and the power ``c_k(V) F_k^2``, and its derivative with respect to the
fields is ``c_k weights_k + c_k'(V) F_k dV``. Nothing is compiled, so that another direction of a magnet, a table or a
function of the user costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from dolfinx import fem, la
from numpy.typing import NDArray
from petsc4py import PETSc

from ..errors import ModelError
from .declaration import JumpLaw
from .mechanisms import Mechanism, Side
from .system import Fields, System

type Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Points:
    """State of a law at the points of a quadrature; mechanisms come first, facets and points last."""

    force: Array  # (mechanism, facet, point)
    coefficient: Array
    slope: Array
    weight: Array  # (facet, point)
    shapes: Array  # (facet, point, node)

    @property
    def flux(self) -> Array:
        """Flux of each mechanism."""
        return self.coefficient * self.force


class JumpFace:
    """Mechanisms of an interface with coefficients that follow a voltage, or with weights over what magnets hold.

    Not collective.

    Parameters
    ----------
    system
        Spaces and domain.
    pair
        The interface.
    mechanisms
        Those that have the law's name, in the declaration's order; or linear ones.
    law
        Their law; None: the mechanisms' own coefficients.

    Attributes
    ----------
    place, name
        Name of the interface in reports, and of the mechanisms.
    held
        Weights of the mechanisms over what magnets hold, (mechanism, side, field).
    """

    def __init__(
        self, system: System, pair: tuple[str, str], mechanisms: Sequence[Mechanism[Side]], law: JumpLaw | None
    ) -> None:
        self.system, self.pair, self.law = system, pair, law
        self.place, self.name = "|".join(pair), mechanisms[0].name
        self.held = np.array([_by_side(system, m.held) for m in mechanisms])
        # Over jumps and means, so that rounding is that of the jumps.
        self._weights = np.array([_jump_and_mean(system, m.weights) for m in mechanisms])
        self._voltage = _jump_and_mean(system, {} if law is None else law.voltage)
        self._mechanisms = mechanisms
        self._constant = np.array([m.coefficient for m in mechanisms])

    def at_rest(self) -> JumpFace:
        """Return the same mechanisms with their own coefficients."""
        return self if self.law is None else JumpFace(self.system, self.pair, self._mechanisms, None)

    def _at_points(self, w: Fields, held: Array | None = None) -> _Points:
        """Evaluate the law for fields, and for what the magnets of both sides hold, (side, field)."""
        trace = self.system.faces[self.pair]
        shapes, weight = trace.quadrature(4 * self.system.degree)
        sides = trace.both_sides(w)
        values = np.array([sides[0] - sides[1], (sides[0] + sides[1]) / 2])
        values = np.einsum("aifn,fqn->aifq", values, shapes)
        force = np.einsum("kai,aifq->kfq", self._weights, values)
        if held is not None:
            force = force + np.einsum("kai,ai->k", self.held, held)[:, None, None]
        if self.law is None:
            coefficient = np.broadcast_to(self._constant[:, None, None], force.shape)
            return _Points(force, coefficient, np.zeros_like(force), weight, shapes)
        coefficient, slope = self.law.coefficients(np.einsum("ai,aifq->fq", self._voltage, values))
        return _Points(force, coefficient, slope, weight, shapes)

    def add_residual(self, out: Fields, w: Fields, held: Array | None = None) -> None:
        """Add the flux out of each degree of freedom, this rank's part: ghosts are not exchanged."""
        p = self._at_points(w, held)
        nodal = np.einsum("kfq,fq,fqn->kfn", p.flux, p.weight, p.shapes)
        for side in (0, 1):
            for i, b in enumerate(out):
                rows = self._side_weights(side)[:, i]
                if rows.any():
                    dofs = self._dofs(b.function_space, side)
                    np.add.at(b.x.array, dofs, np.einsum("k,kfn->fn", rows, nodal))

    def _side_weights(self, side: int) -> Array:
        """Return the weights of the mechanisms over the fields of a side, (mechanism, field)."""
        jump, mean = self._weights[:, 0], self._weights[:, 1]
        return np.asarray(mean / 2 + jump if side == 0 else mean / 2 - jump)

    def _voltage_weights(self, side: int) -> Array:
        jump, mean = self._voltage
        return np.asarray(mean / 2 + jump if side == 0 else mean / 2 - jump)

    def _dofs(self, space: fem.FunctionSpace, side: int) -> NDArray[np.int32]:
        return self.system.faces[self.pair].dofs(space, side)

    def _numbers(self, space: fem.FunctionSpace, side: int) -> NDArray[Any]:
        """Return the global numbers of the nodes' degrees of freedom, (facets, nodes)."""
        dofs = self._dofs(space, side)
        numbers = space.dofmap.index_map.local_to_global(dofs.ravel()).reshape(dofs.shape)
        return np.asarray(numbers, dtype=PETSc.IntType)

    def add_jacobian(self, block: PETSc.Mat, i: int, j: int, w: Fields, held: Array | None = None) -> None:
        """Add the derivative of the flux out of field i with respect to field j to a block, unassembled."""
        p = self._at_points(w, held)
        own, slope = p.coefficient * p.weight, p.slope * p.force * p.weight
        spaces = self.system.spaces
        for a in (0, 1):
            rows = self._side_weights(a)[:, i]
            if not rows.any():
                continue
            for b in (0, 1):
                at_points = np.einsum("k,k,kfq->fq", rows, self._side_weights(b)[:, j], own)
                at_points = at_points + self._voltage_weights(b)[j] * np.einsum("k,kfq->fq", rows, slope)
                if not at_points.any():
                    continue
                local = np.einsum("fq,fqm,fqn->fmn", at_points, p.shapes, p.shapes)
                facets = zip(self._numbers(spaces[i], a), self._numbers(spaces[j], b), local, strict=True)
                for row, column, values in facets:
                    block.setValues(row, column, values, addv=PETSc.InsertMode.ADD_VALUES)

    def power(self, w: Fields, held: Array | None = None) -> float:
        """Return the dissipated power on this rank (per depth)."""
        p = self._at_points(w, held)
        if p.coefficient.size and p.coefficient.min() < 0:
            raise ModelError(
                f"a coefficient of '{self.name}' at '{self.place}' is {p.coefficient.min():.4g} at the solution, "
                "so that it would gain power; it must not be negative at any voltage"
            )
        return float((p.flux * p.force * p.weight).sum())

    def fluxes(self, w: Fields, held: Array | None = None) -> Array:
        """Return the integral of each mechanism's flux over this rank's facets, (mechanisms,)."""
        p = self._at_points(w, held)
        return np.asarray(np.einsum("kfq,fq->k", p.flux, p.weight))


def _by_side(system: System, weights: Mapping[Side, float]) -> Array:
    """Return weights over (side, field) as a matrix, (2, field)."""
    return np.array([[weights.get((side, f), 0.0) for f in system.fields] for side in (0, 1)])


def _jump_and_mean(system: System, weights: Mapping[Side, float]) -> Array:
    """Return weights over (side, field) as weights over jump (side 0 less side 1) and mean, (2, field)."""
    a, b = _by_side(system, weights)
    return np.array([(a - b) / 2, a + b])


def following(system: System) -> list[JumpFace]:
    """Return the mechanisms of all interfaces whose coefficients follow a voltage. Not collective."""
    found = []
    for pair in system.domain.interfaces:
        law = system.declaration.law(pair)
        for jump in law.jumps:
            found.append(JumpFace(system, pair, [m for m in law.mechanisms if m.name == jump.name], jump))
    return found


def holding(system: System, pair: tuple[str, str]) -> list[JumpFace]:
    """Return the mechanisms of an interface with weights over what its magnets hold, by name. Not collective."""
    law = system.declaration.law(pair)
    jumps = {jump.name: jump for jump in law.jumps}
    names = dict.fromkeys(m.name for m in law.mechanisms if m.held)
    return [JumpFace(system, pair, [m for m in law.mechanisms if m.name == n], jumps.get(n)) for n in names]


def given_to_magnets(system: System, w: Fields, pair: tuple[str, str], held: Array | None = None) -> Array:
    """Return what the mechanisms of an interface with held weights give to its magnets. Collective.

    Parameters
    ----------
    held
        What the magnets hold, (side, field) (V); None: they are at rest.

    Returns
    -------
    array
        Flux into the magnet on each side, (side, field) (A; A/m2 on a line).
    """
    out = np.zeros((2, len(system.fields)))
    faces = holding(system, pair)
    if not faces:
        return out
    for face in faces:
        out -= np.einsum("k,kai->ai", face.fluxes(w, held), face.held)
    return np.asarray(system.comm.allreduce(out) * system.domain.depth)


def held_residual(system: System, held: Mapping[tuple[str, str], Array]) -> Fields:
    """Return the flux out of each degree of freedom that what magnets hold drives, at rest of the fields. Collective.

    Parameters
    ----------
    held
        What the magnets of interfaces hold, (side, field) (V). Coefficients are the mechanisms' own.
    """
    out = system.functions()
    for pair, values in held.items():
        for face in holding(system, pair):
            face.at_rest().add_residual(out, system.functions(), values)
    for b in out:
        b.x.scatter_reverse(la.InsertMode.add)
        b.x.scatter_forward()
    return out


def face_load(system: System, pair: tuple[str, str], field: str, flux: float) -> Fields:
    """Return a flux per area from side 0 to side 1 of an interface, out of each degree of freedom. Collective."""
    out, trace = system.functions(), system.faces[pair]
    b = out[system.fields.index(field)]
    for side, sign in ((0, 1.0), (1, -1.0)):
        np.add.at(b.x.array, trace.dofs(b.function_space, side), sign * flux * trace.weights)
    b.x.scatter_reverse(la.InsertMode.add)
    b.x.scatter_forward()
    return out


def face_voltage(system: System, w: Fields, pair: tuple[str, str], voltage: Mapping[Side, float]) -> Array:
    """Return the means of V and V^2 over an interface, (2,). Collective."""
    trace = system.faces[pair]
    shapes, weight = trace.quadrature(2 * system.degree)
    sides = trace.both_sides(w)
    values = np.array([sides[0] - sides[1], (sides[0] + sides[1]) / 2])
    at_points = np.einsum("fn,fqn->fq", np.einsum("ai,aifn->fn", _jump_and_mean(system, voltage), values), shapes)
    total = system.comm.allreduce(np.array([(at_points * weight).sum(), (at_points**2 * weight).sum()]))
    return np.asarray(total / system.measures[pair])
