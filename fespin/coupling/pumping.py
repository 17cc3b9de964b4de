"""Spin pumping: a turning magnet drives spin currents, the reciprocal of spin torque.

A magnet whose magnetization turns with the angular velocity w, du/dt = w x u, sees the
transverse spins s less (hbar/2e) w: its dephasing, precession and mixing conductance act on
the difference. At a tunnel barrier it holds the spin potential (hbar/2e) w on its side. This
drives currents or voltages, damps the motion and exchanges torques with other magnets. Power::

    sum V I - sum T.w = P,        T the torque on each turning magnet
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from ..constants import ELECTRON_GYROMAGNETIC_RATIO
from ..errors import InputError, ModelError, SolverError
from ..onsager.coefficients import Coefficients
from ..onsager.declaration import Declaration, Mechanism, Reversible
from ..onsager.jumps import face_load, given_to_magnets, held_residual, holding
from ..onsager.matrices import face_matrix, matrix_of
from ..onsager.power import Dissipation, dissipation_of
from ..onsager.system import Fields, System
from ..onsager.terminals import Terminal
from ..transport.barriers import Charging, charging
from ..transport.problem import TransportProblem
from ..transport.spins import SPIN, SPIN_PER_CHARGE
from ..transport.torque import spin_torque
from ..transport.tunnelling import barriers
from ..transport.vector import Vector

type Array = NDArray[np.float64]

type _Load = tuple[str, tuple[str, str], Coefficients, Fields]
"""Magnet, (place, mechanism), the coefficients that act on s relative to its motion, and what these feed in."""

RATE = 1e9
"""Angular velocity of a motion that is solved for (rad/s); all is linear in it."""


@dataclass(frozen=True)
class PumpingSolution:
    """Currents and torques with turning magnets. On a line currents are densities (A/m2), powers per area (W/m2).

    Attributes
    ----------
    turning
        Angular velocity of each turning magnet (rad/s), (3,).
    fields
        The unknowns by name (V).
    voltages, currents
        Values at every contact (V, A); currents (A) count into the device.
    torque
        Torque on every magnet per cross-section (J/m2), (3,), what moves included; it acts on the angular momentum,
        which is antiparallel to the magnetization.
    mechanical_power
        -sum T.w: what the motion puts in (W).
    dissipation
        Power by place and mechanism.
    power_balance
        (sum V I + power of the field + mechanical power - dissipated power) over the largest of them.
    in_plane_currents
        Currents as in :class:`~fespin.transport.solution.TransportSolution`, on meshes that lack an axis of space.

    Examples
    --------
    >>> problem = fs.TransportProblem(fs.line(comm, stack), fs.Vector())
    >>> problem.magnetize({"free": (1, 0, 0)})
    >>> floating = {"bottom": fs.Terminal(current=0.0), "top": fs.Terminal(voltage=0.0)}
    >>> pumped = fs.solve_turning(problem, {"free": (0, 0, 6e10)}, floating)
    >>> print(f"{pumped.voltages['bottom']:.2e} {pumped.mechanical_power:.2e} {pumped.dissipation.total:.2e}")
    7.64e-06 4.77e+05 4.77e+05
    """

    turning: Mapping[str, Array]
    fields: Mapping[str, fem.Function]
    voltages: Mapping[str, float]
    currents: Mapping[str, float]
    torque: Mapping[str, Array]
    mechanical_power: float
    dissipation: Dissipation
    power_balance: float
    in_plane_currents: Mapping[str, Mapping[str, tuple[float, float, float]]] = field(default_factory=dict)


def solve_turning(
    problem: TransportProblem,
    turning: Mapping[str, Sequence[float]],
    terminals: Mapping[str, Terminal],
    *,
    electric_field: Sequence[float] = (0.0, 0.0, 0.0),
) -> PumpingSolution:
    """Solve transport while magnets turn. Collective.

    Spins follow at once: their solution is the stationary one of each moment. In metals through which they take as
    long as a turn, such as a micrometre of copper at some GHz, they lag behind.

    Parameters
    ----------
    problem
        Device with the :class:`~fespin.transport.Vector` model, in the state where the magnets are now.
    turning
        Angular velocity by layer (rad/s), du/dt = w x u; a part along the magnetization does nothing.
    terminals
        Drive of each contact: zero voltages for what is pumped into a short circuit, zero currents for an open one.
    electric_field
        E (V/m) along axes that the mesh does not have, as in :meth:`TransportProblem.solve`.

    Raises
    ------
    InputError
        If a layer is no uniform magnet, a lead continues it where spins are resolved, or a velocity is not three
        finite numbers.
    ModelError
        If the model has no transverse spins.
    SolverError
        If the solver does not converge.

    Examples
    --------
    >>> problem = fs.TransportProblem(fs.line(comm, stack), fs.Vector())
    >>> problem.magnetize({"free": (1, 0, 0)})
    >>> shorted = {"bottom": fs.Terminal(voltage=0.0), "top": fs.Terminal(voltage=0.0)}
    >>> pumped = fs.solve_turning(problem, {"free": (0, 0, 6e10)}, shorted)  # it precesses about the fixed one
    >>> print(f"{pumped.currents['bottom']:.2e}")
    -2.89e+09
    """
    if not isinstance(problem.model, Vector):
        raise ModelError("only the vector model has the transverse spins that a turning magnet pumps")
    problem.apply(electric_field)
    try:
        return _solve_turning(problem, turning, terminals)
    finally:
        # The field is that of this solve alone.
        problem.apply()


def _loads(problem: TransportProblem, velocities: Mapping[str, Array]) -> tuple[list[_Load], dict[str, Fields]]:
    """Return what turning magnets feed into degrees of freedom, piece by piece, and s of their motions. Collective."""
    shifts: dict[str, Fields] = {n: _constant(problem.system, SPIN_PER_CHARGE * w) for n, w in velocities.items()}
    pieces = [(n, place, c) for n in velocities for place, c in relative_coefficients(problem, n).items()]
    return [(*x, problem.system.residual(shifts[x[0]], coefficients=x[2])) for x in pieces], shifts


def _held(problem: TransportProblem, velocities: Mapping[str, Array]) -> dict[tuple[str, str], Array]:
    """Return the spin potentials that turning magnets hold at barriers, (side, field) by interface (V)."""
    system = problem.system
    out: dict[tuple[str, str], Array] = {}
    for pair in barriers(problem.stack, list(problem.domain.interfaces)):
        held: Array = np.zeros((2, len(system.fields)))
        for side, n in enumerate(pair):
            if n in velocities:
                held[side, [system.fields.index(k) for k in SPIN]] = SPIN_PER_CHARGE * velocities[n]
        if held.any():
            out[pair] = held
    return out


def _voltages(problem: TransportProblem, terminals: Mapping[str, Terminal]) -> dict[str, float]:
    """Return the voltages of barriers at rest, if their charge follows them. Collective."""
    squares = [x.field_like[1] for x in barriers(problem.stack, list(problem.domain.interfaces)).values()]
    if not any(squares) or not any(t.voltage or t.current for t in terminals.values()):
        return {}
    found: dict[str, float] = problem.solve(terminals=terminals).report["barrier_voltage"]
    return found


def _given_by_barriers(problem: TransportProblem, w: Fields, held: Mapping[tuple[str, str], Array]) -> dict[str, Array]:
    """Return the torques that barriers add because magnets turn, by layer (J/m2). Collective."""
    system = problem.system
    out: dict[str, Array] = {}
    at = [system.fields.index(k) for k in SPIN]
    for pair, values in held.items():
        change = given_to_magnets(system, w, pair, values) - given_to_magnets(system, w, pair)
        for side, n in enumerate(pair):
            torque = SPIN_PER_CHARGE * _across(problem, n) @ change[side, at] / problem.domain.area
            out[n] = out.get(n, np.zeros(3)) + torque
    return out


def _source(problem: TransportProblem, loads: Sequence[_Load], charges: Sequence[Charging]) -> Fields:
    """Return what turning magnets feed into all degrees of freedom, but for what they hold at barriers."""
    system = problem.system
    source = system.functions()
    pieces = [(1.0, load) for *_, load in loads]
    pieces += [(-1.0, face_load(system, c.pair, system.declaration.charge, c.current)) for c in charges]
    for sign, piece in pieces:
        for total, b in zip(source, piece, strict=True):
            total.x.array[:] += sign * b.x.array
    return source


def _solve_turning(
    problem: TransportProblem, turning: Mapping[str, Sequence[float]], terminals: Mapping[str, Terminal]
) -> PumpingSolution:
    """Solve with the electric field that the problem has now. Collective."""
    system = problem.system
    velocities = {n: _transverse(problem, n, w) for n, w in turning.items()}
    loads, shifts = _loads(problem, velocities)
    held = _held(problem, velocities)
    # To first order in the motion, a barrier's charge is that at its voltage at rest.
    charges = charging(problem, velocities, _voltages(problem, terminals))
    solved, _, nonlinear = problem.solved(terminals, source=_source(problem, loads, charges), held=held)
    if nonlinear is not None:
        parts = dict(nonlinear.power.parts)
    else:
        parts = dict(dissipation_of(system, solved.fields).parts)
        for pair, values in held.items():
            for face in holding(system, pair):
                power = system.comm.allreduce(face.power(solved.fields, values)) * system.domain.depth
                parts[face.place, face.name] = float(power)
    w = solved.fields
    fields = dict(zip(system.fields, w, strict=True))
    torque = {x.name: spin_torque(problem, fields, x.name) for x in problem.stack if x.material.ferromagnetic}
    _move_with_magnets(problem, loads, shifts, w, parts, torque)
    for n, change in _given_by_barriers(problem, w, held).items():
        torque[n] = torque[n] + change
    mechanical = -sum(float(torque[n] @ v) for n, v in velocities.items()) * problem.domain.area
    stored = sum(c.stored_power(problem, w) for c in charges)
    dissipation = Dissipation(parts)
    put_in = solved.power + mechanical - stored
    largest = max(abs(solved.power), abs(mechanical), abs(dissipation.total))
    balance = (put_in - dissipation.total) / largest if largest else 0.0
    if not abs(balance) < problem.solver.allowed_imbalance:
        raise SolverError(
            f"pumping: the dissipated power {dissipation.total:.6g} is not the power put in, "
            f"{put_in:.6g}; try the solver kind 'direct', or a smaller rtol"
        )
    return PumpingSolution(
        velocities,
        fields,
        solved.voltages,
        solved.currents,
        torque,
        mechanical,
        dissipation,
        balance,
        problem.in_plane_currents(w) if problem.domain.dim < 3 else {},
    )


def _move_with_magnets(
    problem: TransportProblem,
    loads: Sequence[_Load],
    shifts: Mapping[str, Fields],
    w: Fields,
    parts: dict[tuple[str, str], float],
    torque: dict[str, Array],
) -> None:
    """Correct powers and torques of magnets at rest, in place, by what acts on s relative to a magnet's motion."""
    system = problem.system
    for n, (place, name), c, load in loads:
        # The force is that of s - shift: c (w - x)^2 = c w^2 - 2 c w x + c x^2.
        answer = system.residual(w, coefficients=c)
        change = system.product(shifts[n], load) - system.product(w, load) - system.product(shifts[n], answer)
        parts[place, name] = parts.get((place, name), 0.0) + change
        torque[n] = torque[n] - _uptake(problem, n, load)


def _uptake(problem: TransportProblem, layer: str, load: Fields) -> Array:
    """Return the torque of a load on the magnet that makes it (J/m2). Collective."""
    system = problem.system
    here = [load[i].x.array[: system.sizes[i]].sum() for i in (system.fields.index(k) for k in SPIN)]
    total = system.comm.allreduce(np.array(here)) * system.domain.depth
    return np.asarray(SPIN_PER_CHARGE * _across(problem, layer) @ total / problem.domain.area)


def pumping_matrix(problem: TransportProblem, layer: str, *, open_circuit: bool = False) -> Array:
    """Return Gamma of a magnet: its motion w makes the torque -Gamma w on itself. Collective.

    Parameters
    ----------
    open_circuit
        True lets the contacts float, all but the last; else they are short-circuited.

    Returns
    -------
    array
        Shape (3, 3), J s/m2; zero along the magnetization. Its symmetric part damps.

    Examples
    --------
    >>> problem = fs.TransportProblem(fs.line(comm, stack), fs.Vector())
    >>> gamma = fs.pumping_matrix(problem, "free")
    >>> print(f"{gamma[0, 0]:.2e} {gamma[1, 1]:.2e}")
    1.50e-16 1.50e-16
    """
    columns = [pumping_torque(problem, layer, e, open_circuit=open_circuit) for e in np.eye(3)]
    return np.array(columns).T


def pumping_torque(
    problem: TransportProblem, layer: str, axis: Sequence[float] | Array, *, open_circuit: bool = False
) -> Array:
    """Return Gamma e: minus the torque on a magnet per angular velocity about an axis e, (3,) (J s/m2). Collective."""
    *others, ground = problem.contacts
    rest = Terminal(current=0.0) if open_circuit else Terminal(voltage=0.0)
    terminals = {**dict.fromkeys(others, rest), ground: Terminal(voltage=0.0)}
    turning = solve_turning(problem, {layer: tuple(RATE * np.asarray(axis))}, terminals)
    return np.asarray(-turning.torque[layer] / RATE, dtype=np.float64)


def pump(problem: TransportProblem, layer: str, axis: NDArray[Any]) -> tuple[Array, float]:
    """Return Gamma e, and what is pumped into the bottom of a short circuit per area (A s/m2). Collective.

    Without the reports of :func:`solve_turning`, which maps do not need.
    """
    torque, current, _ = pumped_state(problem, layer, axis)
    return torque, current


def pumped_state(
    problem: TransportProblem,
    layer: str,
    axis: NDArray[Any],
    *,
    terminals: Mapping[str, Terminal] | None = None,
) -> tuple[Array, float, Fields]:
    """Return what :func:`pump` does, and the fields of a motion of :data:`RATE`. Collective.

    Parameters
    ----------
    terminals
        What holds the contacts, without a drive; default a short circuit.
    """
    problem.apply()
    velocities = {layer: _transverse(problem, layer, tuple(RATE * axis))}
    loads, _ = _loads(problem, velocities)
    held, source = _held(problem, velocities), _source(problem, loads, charging(problem, velocities, {}))
    for total, b in zip(source, held_residual(problem.system, held) if held else (), strict=False):
        total.x.array[:] -= b.x.array
    # Without a voltage, what follows it is at rest: the linear parts are exact to first order in the motion.
    solved = problem.solver.solve(terminals or dict.fromkeys(problem.contacts, Terminal(voltage=0.0)), source)
    torque = spin_torque(problem, dict(zip(problem.system.fields, solved.fields, strict=True)), layer)
    for *_, load in loads:
        torque = torque - _uptake(problem, layer, load)
    torque = torque + _given_by_barriers(problem, solved.fields, held).get(layer, 0.0)
    current = solved.currents["bottom"] / problem.domain.area / RATE
    return np.asarray(-torque / RATE), current, solved.fields


def pumped_damping(
    problem: TransportProblem,
    layer: str,
    saturation_magnetization: float,
    *,
    gyromagnetic_ratio: float = ELECTRON_GYROMAGNETIC_RATIO,
    open_circuit: bool = False,
) -> Array:
    """Return the damping that pumping adds to a magnet: alpha_sp as a tensor. Collective.

    Gilbert's equation gains du/dt = ... + alpha_sp (u x du/dt): (du/dt)_ST = -gamma tau/(Ms t), tau = -Gamma w and
    w = u x du/dt make the tensor gamma Gamma/(Ms t). Of a single magnet it is (gamma hbar^2/(2 e^2 Ms t)) Re G_eff
    per interface.

    Parameters
    ----------
    saturation_magnetization
        Ms (A/m).
    gyromagnetic_ratio
        gamma (rad/(s T)).

    Returns
    -------
    array
        Shape (3, 3); its antisymmetric part renormalizes gamma. It acts on u x du/dt: its component along an axis
        damps motion across it. :class:`fespin.AngularDamping`, of :meth:`TorqueMap.pumped`, acts on du/dt instead.

    Raises
    ------
    InputError
        If the magnetization is not positive.

    Examples
    --------
    >>> problem = fs.TransportProblem(fs.line(comm, stack), fs.Vector())
    >>> print(f"{fs.pumped_damping(problem, 'free', saturation_magnetization=1.4e6)[0, 0]:.2e}")
    6.29e-03
    """
    if not 0 < saturation_magnetization < np.inf:
        raise InputError(f"saturation_magnetization is {saturation_magnetization!r}; it must be finite and positive")
    thickness = problem.stack[layer].thickness
    gamma = pumping_matrix(problem, layer, open_circuit=open_circuit)
    return np.asarray(gyromagnetic_ratio * gamma / (saturation_magnetization * thickness))


def _across(problem: TransportProblem, layer: str) -> Array:
    """Return 1 - u u of a uniform magnet."""
    found = problem.stack[layer]
    if found.direction is None:
        what = "its magnetization varies" if found.texture else "it is no ferromagnet"
        raise InputError(f"layer '{layer}' cannot turn: {what}")
    return np.asarray(np.eye(3) - np.outer(found.direction, found.direction))


def _transverse(problem: TransportProblem, layer: str, velocity: Sequence[float]) -> Array:
    try:
        w = np.asarray(velocity, dtype=float)
    except (TypeError, ValueError):
        w = np.array(np.nan)
    if w.shape != (3,) or not np.isfinite(w).all():
        raise InputError(f"layer '{layer}': its angular velocity is {velocity!r}; it must be three finite numbers")
    resolved = isinstance(problem.model, Vector) and problem.model.transverse == "resolved"
    for k, (contact, touched) in problem.contacts.items():
        if resolved and contact.spin == "lead" and touched == layer:
            raise InputError(
                f"layer '{layer}' cannot turn: the lead at '{k}' continues it for ever, and is at rest; use another "
                "contact"
            )
    return np.asarray(_across(problem, layer) @ w)


def relative_coefficients(
    problem: TransportProblem, layer: str, declaration: Declaration | None = None
) -> dict[tuple[str, str], Coefficients]:
    """Return the coefficients that act on s relative to a magnet's motion, by place and mechanism.

    Parameters
    ----------
    declaration
        That of another state than the problem's.
    """
    system = problem.system
    declaration = declaration or system.declaration
    nothing, f = system.coefficients.only(None), system.fields
    out: dict[tuple[str, str], Coefficients] = {}
    region, medium = problem.domain.regions.index(layer), declaration.media[layer]
    for name, reactions, turns in _given_to_magnet(medium.reactions, medium.reversible):
        reaction = nothing.reaction.copy()
        reaction[region] = matrix_of(reactions, f, turns)
        out[layer, name] = replace(nothing, reaction=reaction)
    for pair in problem.domain.interfaces:
        if layer not in pair:
            continue
        law = declaration.law(pair)
        # At an interface the magnet takes what it absorbs from its neighbour's side.
        neighbour = 1 - pair.index(layer)
        absorbing = [m for m in law.mechanisms if all(side == neighbour for side, _ in m.weights)]
        couplings = [t for t in law.reversible if t.row[0] == t.column[0] == neighbour]
        for name, mechanisms, face_turns in _given_to_magnet(absorbing, couplings):
            faces: dict[Any, Array] = dict(nothing.faces)
            faces[pair] = face_matrix(mechanisms, f, face_turns)
            out["|".join(pair), name] = replace(nothing, faces=faces)
    return out


def _given_to_magnet(
    mechanisms: Sequence[Mechanism[Any]], couplings: Sequence[Reversible[Any]]
) -> list[tuple[str, list[Mechanism[Any]], list[Reversible[Any]]]]:
    """Return the terms whose destination is the magnet, by name; reversible ones, without power, go with the first."""
    kept = [m for m in mechanisms if m.destination == "magnet"]
    turns = [t for t in couplings if t.destination == "magnet"]
    names = list(dict.fromkeys(m.name for m in kept)) or [t.name for t in turns[:1]]
    return [(name, [m for m in kept if m.name == name], [] if i else turns) for i, name in enumerate(names)]


def _constant(system: System, vector: Array) -> list[fem.Function]:
    """Return fields that are zero but for a constant s (V)."""
    out = system.functions()
    for k, x in zip(SPIN, vector, strict=True):
        out[system.fields.index(k)].x.array[:] = x
    return out
