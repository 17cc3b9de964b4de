"""Torque on a magnet of a film that an electric field in its plane drives, against the direction of the magnet.

A film of stacked layers on a line has no contacts in its plane, but per width and length it is a device: a sheet
current K (A/m) along E takes the place of the current density, the sheet resistance R_s = E/K (ohm) that of A R, and E
(V/m) that of the voltage. With these, the maps of devices hold::

    tau/K = d(c) (q - c u) + f(c) u x q,    q = z x E/|E|,    c = u.q        V s/m (J/m2 per A/m)

The spin current that a spin Hall metal sends across is along q. The angle to q is all that matters unless something
else distinguishes a direction: an anisotropic resistance, a magnet along another axis, a field in which spins precess.
Then the map is one over the sphere. E is held: a bar is much longer than its magnet and does not follow it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..energy.on_sphere import tangent_frame
from ..errors import InputError, ModelError
from ..macrospin.spin import Macrospin
from ..macrospin.stability import critical_factor
from ..macrospin.torque import AngularTorque
from ..onsager.system import Fields
from ..quantities import is_finite
from ..transport.problem import TransportProblem
from ..transport.torque import spin_torque
from .angle_maps import TorqueMap, angle_numbers, map_about
from .circuit import Circuit
from .direction_maps import DirectionMap, DirectionTorque, direction_numbers, map_through
from .directions import film_direction
from .groups import Groups
from .maps import require_tolerance
from .pumping import RATE, pumped_state

if TYPE_CHECKING:
    from ..onsager.terminals import Terminal

type Array = NDArray[np.float64]


@dataclass(frozen=True)
class FilmMap:
    """Map of a film with the field in its plane that drives it.

    Attributes
    ----------
    map
        Torque per sheet current (V s/m), sheet resistance (ohm) and pumping, in the places of torque per current
        density, A R and pumping of a device.
    axis
        Direction of the field in the plane, x and y.
    field
        Size of the field (V/m); negative: against the axis.
    metal
        Layer with the largest spin Hall conductivity, the heavy metal.
    conductivity
        Conductivity of this layer (S/m): times the field, its current density without spins.

    Examples
    --------
    >>> platinum = fs.Material("Pt", 2e-7, 1.5e-9, spin_hall_angle=0.1)
    >>> magnet = fs.Material("F", 1e-6, 5e-9, 0.5)
    >>> faces = {("Pt", "F"): fs.Interface.from_conductances(6e14, 3e14, 5e14)}
    >>> layers = (fs.Layer(platinum, 5e-9, "hm"), fs.Layer(magnet, 1e-9, "f"))
    >>> ends = {"bottom": "blocked", "top": "blocked"}
    >>> film = fs.TransportProblem(fs.line(comm, fs.Stack(*layers, interfaces=faces)), fs.Vector(), contacts=ends)
    >>> found = fs.film_map(film, "f", (1.0, 0.0))
    >>> found.map.polarizer
    (0.0, 1.0, 0.0)
    >>> torque = found.at(1e5).torque(spin)
    >>> print(f"{torque.damping_like(0.0):.2e}")  # T; against q, to -y
    -4.42e-03
    """

    map: TorqueMap | DirectionMap
    axis: tuple[float, float]
    field: float
    metal: str
    conductivity: float

    drive_unit = "V/m"
    """Unit of drives."""

    @property
    def device(self) -> TorqueMap | DirectionMap:
        """Return the map that tells the sheet resistance."""
        return self.map

    @property
    def current_density(self) -> float:
        """Return the current density in the heavy metal (A/m2)."""
        return self.conductivity * self.field

    @property
    def circuit(self) -> Circuit:
        """Return the field as the voltage that the film sees per length."""
        return Circuit(voltage=self.field)

    def at(self, drive: float) -> FilmMap:
        """Return the same with another field (V/m)."""
        if not is_finite(drive):
            raise InputError(f"film map: the field is {drive!r}; it must be finite (V/m)")
        return replace(self, field=float(drive))

    def torque(self, spin: Macrospin) -> AngularTorque | DirectionTorque:
        """Return the torque on the magnet."""
        return self.map.torque_in(self.circuit, spin)

    @property
    def drive(self) -> float:
        """Return the field (V/m)."""
        return self.field

    def pumped(self, spin: Macrospin) -> Macrospin:
        """Return the magnet with the damping that pumping adds, if the map holds it; E is held while it moves."""
        return self.map.pumped_in(self.circuit, spin) if self.map.has_pumping else spin

    def critical_field(self, spin: Macrospin, well: Sequence[float] | Array) -> float | None:
        """Return the field at which a state along q or against it loses its stability (V/m), without temperature.

        None: the torque does not change the damping there, as that of a state across q does not.
        """
        factor = critical_factor(spin, self.at(1.0).torque(spin), well)
        return None if factor is None or not np.isfinite(factor) else float(factor)


def film_map(
    problem: TransportProblem | Groups,
    layer: str,
    electric_field: Sequence[float],
    *,
    tolerance: float = 1e-4,
    pumping: bool = False,
) -> FilmMap:
    """Return the torque on a magnet of a film and its sheet resistance against the magnet's direction. Collective.

    The problem ends in the state it began with. Of laws that follow the state, such as those of tunnel barriers, the
    linear parts at rest: no current flows upwards.

    Parameters
    ----------
    problem
        Film on a line with the :class:`~fespin.transport.Vector` model and the contacts "bottom" and "top", through
        which no current flows; or groups of ranks with one each (:func:`in_groups`), which share the directions.
    layer
        The magnet.
    electric_field
        [Ex, Ey] (V/m), not zero.
    tolerance
        Largest error of torque, sheet resistance and pumping, relative to their largest values.
    pumping
        True: compute the damping that pumping adds, with two more solves per direction.

    Raises
    ------
    InputError
        If the layer is no magnet, nothing polarizes spins, the field is zero or not finite, or the tolerance is out
        of range.
    ModelError
        If the device is no film on a line, or the model is another one.
    SolverError
        If the tolerance is not reached.

    Examples
    --------
    >>> metal, magnet = fs.Material("W", 1.3e-6, 1.1e-9, spin_hall_angle=-0.28), fs.Material("F", 1e-6, 5e-9, 0.5)
    >>> faces = {("W", "F"): fs.Interface.from_conductances(6e14, 3e14, 5e14)}
    >>> film = fs.Stack(fs.Layer(metal, 5e-9), fs.Layer(magnet, 1e-9, "f"), interfaces=faces, library={})
    >>> ends = {"bottom": "blocked", "top": "blocked"}
    >>> problem = fs.TransportProblem(fs.line(comm, film), fs.Vector(), contacts=ends)
    >>> found = fs.film_map(problem, "f", (2e5, 0))
    >>> print(f"{found.map.resistance_at(np.eye(3))[1]:.1f} ohm, {found.current_density:.3e} A/m2 in {found.metal}")
    201.1 ohm, 1.538e+11 A/m2 in W1
    """
    groups = problem if isinstance(problem, Groups) else Groups(problem)
    on = groups.problem
    if on.domain.dim != 1:
        raise ModelError("film map: a field in the plane of the layers needs them on a line")
    size = math.hypot(*electric_field) if len(electric_field) == 2 else 0.0
    if not (is_finite(size) and size > 0):
        raise InputError(f"film map: electric_field is {list(electric_field)}; it must be [Ex, Ey], not zero (V/m)")
    require_tolerance("film map", tolerance)
    x, y = (float(e) / size for e in electric_field)
    q = film_direction(on.stack, on.model, layer, (x, y))
    along = np.array([x, y, 0.0])
    found: TorqueMap | DirectionMap
    if q is not None:

        def angle(on: TransportProblem, u: Array) -> Array:
            tau, resistance = _driven(on, layer, along, u)
            gamma = (lambda w: _pumped(on, layer, along, w)[0]) if pumping else None
            return angle_numbers(np.array(q), u, tau, resistance, gamma)

        found = map_about(groups, layer, q, angle, tolerance=tolerance, pumping=pumping, owner="film map")
    else:

        def anywhere(on: TransportProblem, u: Array) -> Array:
            tau, resistance = _driven(on, layer, along, u)
            axes = tangent_frame(u[None])[0]
            motions = [_pumped(on, layer, along, w) for w in axes] if pumping else None
            return direction_numbers(u, tau, resistance, motions)

        def solve(directions: Array) -> Array:
            columns = 16 if pumping else 4
            return groups.evaluate(layer, directions, anywhere, columns, tolerance=tolerance, linear=False)

        found = map_through(groups, layer, solve, tolerance)
    metal = max(on.stack, key=lambda k: abs(k.material.spin_hall_angle) / k.material.resistivity)
    return FilmMap(found, (x, y), size, metal.name, 1 / metal.material.resistivity)


def _driven(problem: TransportProblem, layer: str, along: Array, u: Array) -> tuple[Array, float]:
    """Return torque per sheet current (3,) and sheet resistance of one direction, in which the layer is left."""
    problem.magnetize({layer: tuple(u)})
    # Linear: one volt per metre will do.
    problem.apply(tuple(along))
    try:
        solved = problem.solver.solve(_open(problem))
        fields = dict(zip(problem.system.fields, solved.fields, strict=True))
        tau = spin_torque(problem, fields, layer)
        sheet = _sheet_current(problem, solved.fields, along)
    finally:
        problem.apply()
    return np.asarray(tau / sheet, dtype=np.float64), 1 / sheet


def _pumped(problem: TransportProblem, layer: str, along: Array, axis: Array) -> tuple[Array, float]:
    """Return Gamma w and the sheet current along the field, per angular velocity about w, without a field."""
    torque, _, fields = pumped_state(problem, layer, axis, terminals=_open(problem))
    return torque, _sheet_current(problem, fields, along) / RATE


def _open(problem: TransportProblem) -> dict[str, Terminal]:
    """Return contacts through which no current flows."""
    return problem.drive(in_plane=True)


def _sheet_current(problem: TransportProblem, fields: Fields, along: Array) -> float:
    """Return the current per width along a direction in the plane (A/m). Collective."""
    charge = [np.array(x["charge"]) for x in problem.in_plane_currents(fields).values()]
    return float(sum(charge) @ along)
