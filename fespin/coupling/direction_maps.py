"""Torque and resistance on the whole sphere of the free layer's directions, from transport solves.

Where more than one direction is distinguished, by magnets along several axes, a field in which spins precess, or a
texture, Helmholtz's decomposition of the torque takes the place of functions of u.p::

    tau/J = grad chi + u x grad phi              V s (J/m2 per A/m2)
    A R   = r(u)                                 ohm m2

chi, phi and r are sums of spherical harmonics, whose degree grows until the last are small and further directions
agree. They are integrals of the answers of a reduced basis (:mod:`fespin.coupling.reduced_basis`), made of solves for
some fifteen directions; where the device has none, they are fitted to solves for directions that fill the sphere ever
more evenly.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..energy.on_sphere import tangent_frame
from ..errors import InputError, SolverError
from ..harmonics import even_directions, expansion, harmonics, quadrature, sizes
from ..macrospin.damping import turning
from ..macrospin.spin import Macrospin
from ..mpi import agree_on_errors
from ..onsager.system import Fields
from ..transport.problem import TransportProblem
from ..transport.spins import SPIN_PER_CHARGE
from .circuit import Circuit
from .directions import require_linear, require_torque
from .groups import Groups, direction_state
from .maps import FreeLayerMap, refine, require_tolerance
from .pumping import pumped_state
from .reduced_basis import ReducedDevice, is_reducible

type Array = NDArray[np.float64]

# Degrees of fits to solves, and of integrals of what a reduced basis answers.
_DEGREES = (*range(2, 11), 12, 14, 16)
_MORE_DEGREES = (*_DEGREES, 20, 24, 32, 40, 48, 64)
# Solves for each unknown: the condition of the least squares is below 7 for all degrees.
_OVERSAMPLING = 1.5
# Directions of a reduced basis before the first is predicted, and at most.
_FIRST, _MOST = 4, 60
# Directions at which a reduced basis answers at a time.
_AT_ONCE = 500
# Parts of a map's tolerance that are its reduced basis's and that of the basis's harmonics, and part of the former with
# which one direction certifies, not two.
_PART, _SURE = 0.1, 1e-2


@dataclass(frozen=True, eq=False)
class DirectionMap(FreeLayerMap["DirectionTorque"]):
    """A map over the whole sphere of the free layer's directions u.

    Coefficients are those of orthonormal real spherical harmonics; Y_lm has the place l^2 + l + m
    (:mod:`fespin.harmonics`).

    Attributes
    ----------
    layer
        The free layer.
    thickness
        Thickness of the free layer (m).
    chi, phi
        Coefficients of the torque's potentials (V s), ((L + 1)^2,); the constants are zero.
    resistance_area
        Coefficients of r (ohm m2), ((L + 1)^2,).
    error
        Error of torque, resistance and pumping relative to their largest values. From a reduced basis: the deviation
        from it at further directions, or the size of the harmonics of degree L if it is larger, and what the basis
        missed at the last two directions that were solved. From solves: the larger of the size of these harmonics and
        the deviation of the previous fit at the newest directions, which the returned fit includes.
    solves
        Number of directions that were solved.
    fit
        "reduced basis", or "solves" if each direction of the fit was solved.
    pumping
        Coefficients of the nine components of Gamma (J s/m2) with contacts at equal voltages, and of the three of what
        is pumped into the bottom per angular velocity (A s/m2), (12, (L + 1)^2), if they were computed.

    Examples
    --------
    >>> problem = fs.TransportProblem(fs.line(comm, stack), fs.Vector())
    >>> valve = fs.direction_map(problem, "free", tolerance=1e-2)
    >>> [f"{r:.2e}" for r in valve.resistance_at(np.eye(3))]
    ['2.64e-15', '2.64e-15', '2.17e-15']
    >>> torque = valve.torque(spin, current_density=5e10)
    >>> print(f"{torque.velocity(np.array([[1.0, 0.0, 0.0]]), spin)[0, 2]:.1e}")  # 1/s, away from the fixed layer
    -4.7e+08
    """

    layer: str
    thickness: float
    chi: Array
    phi: Array
    resistance_area: Array
    error: float
    solves: int
    pumping: Array | None = None
    fit: str = "solves"

    NAME = "direction map"

    @property
    def degree(self) -> int:
        """Largest degree L of the harmonics."""
        return math.isqrt(len(self.chi)) - 1

    @property
    def has_pumping(self) -> bool:
        """True if the map holds the damping that pumping adds."""
        return self.pumping is not None

    def torque_per_current(self, u: Array) -> Array:
        """Return tau per current density (V s) at directions u (n, 3)."""
        chi, phi = expansion(np.stack([self.chi, self.phi]), u)[1]
        return np.asarray(chi + np.cross(u, phi))

    def resistance_at(self, u: Array) -> Array:
        """Return A R (ohm m2) at directions u (n, 3)."""
        return expansion(self.resistance_area, u)[0]

    def potentials(self, u: Array) -> tuple[Array, Array]:
        """Return chi and phi (V s) at directions u (n, 3)."""
        chi, phi = expansion(np.stack([self.chi, self.phi]), u)[0]
        return chi, phi

    def _torque(self, circuit: Circuit, per_tau: float) -> DirectionTorque:
        return DirectionTorque(self, circuit, per_tau)

    def _damping(self, circuit: Circuit, scale: float) -> DirectionDamping:
        return DirectionDamping(self, circuit, scale)

    def _numbers(self) -> tuple[dict[str, Any], Any]:
        functions = {
            "degree": self.degree,
            "chi": self.chi.tolist(),
            "phi": self.phi.tolist(),
            "resistance_area": self.resistance_area.tolist(),
            "fit": self.fit,
        }
        return functions, None if self.pumping is None else self.pumping.tolist()

    @classmethod
    def _made_of(cls, data: dict[str, Any]) -> Self:
        chi, phi, area = (np.asarray(data[k], dtype=float) for k in ("chi", "phi", "resistance_area"))
        size = ((int(data["degree"]) + 1) ** 2,)
        if not (chi.shape == phi.shape == area.shape == size and np.isfinite([chi, phi, area]).all()):
            raise ValueError
        thickness, error = float(data["thickness"]), float(data["error"])
        pumping = data.get("pumping")
        if pumping is not None:
            pumping = np.asarray(pumping, dtype=float)
            if pumping.shape != (12, *size) or not np.isfinite(pumping).all():
                raise ValueError
        fit = str(data.get("fit", "solves"))
        return cls(str(data["layer"]), thickness, chi, phi, area, error, int(data["solves"]), pumping, fit)


@dataclass(frozen=True, eq=False)
class DirectionTorque:
    """The spin torque of a direction map and a drive, made by :meth:`DirectionMap.torque`.

    Attributes
    ----------
    map
        Torque and resistance of the device.
    circuit
        Current or voltage that drives the device.
    per_tau
        1/(Ms t) of the macrospin (m2/(J T)).
    """

    map: DirectionMap
    circuit: Circuit
    per_tau: float

    @property
    def axis(self) -> None:
        """Return None: no symmetry is assumed."""
        return None

    def velocity(self, u: Array, spin: Macrospin) -> Array:
        """Return X (1/s) at directions u (n, 3)."""
        return spin.explicit(self.gilbert(u, spin), u)

    def gilbert(self, u: Array, spin: Macrospin) -> Array:
        """Return the torque in Gilbert's equation (1/s) at directions u (n, 3)."""
        # tau acts on the angular momentum, which is antiparallel to u.
        return np.asarray(-spin.gyromagnetic_ratio * self.per_tau * self._tau(u))

    def potentials(self, u: Array, spin: Macrospin) -> tuple[Array, Array] | None:
        """Return chi and Phi of X = grad chi + u x grad Phi (1/s) at directions u (n, 3), of mean zero.

        None: harmonics do not resolve X.
        """
        coefficients = self._explicit(spin)
        if coefficients is None:
            coefficients = _potentials(lambda v: self.velocity(v, spin), self.map.degree)
        if coefficients is None:
            return None
        chi, phi = expansion(coefficients, u)[0]
        return chi, phi

    def chi(self, u: Array, spin: Macrospin) -> tuple[Array, Array] | None:
        """Return chi and its gradient (1/s) at directions u, (n,) and (n, 3); None if unknown.

        Unknown with pumping, and at a voltage if the current varies so much that harmonics do not resolve it.
        """
        coefficients = self._explicit(spin)
        return None if coefficients is None else expansion(coefficients[0], u)

    def scaled(self, factor: float) -> DirectionTorque:
        """Return the torque of `factor` times the drive."""
        circuit = self.circuit
        if circuit.voltage is not None:
            return replace(self, circuit=replace(circuit, voltage=factor * circuit.voltage))
        assert circuit.current_density is not None
        return replace(self, circuit=replace(circuit, current_density=factor * circuit.current_density))

    def _tau(self, u: Array) -> Array:
        """Return tau (J/m2), (n, 3)."""
        here = self.map
        values, (chi, phi, _) = expansion(np.stack([here.chi, here.phi, here.resistance_area]), u)
        return np.asarray(self.circuit.current_at(values[2])[:, None] * (chi + np.cross(u, phi)))

    def _explicit(self, spin: Macrospin) -> Array | None:
        """Return the coefficients of chi and Phi of X (1/s), (2, (L + 1)^2)."""
        # With pumping the explicit form has coefficients that depend on the direction.
        if spin.pumping is not None or self._driven is None:
            return None
        # g = grad a + u x grad b has u x g = -grad b + u x grad a.
        a, b = -spin.gyromagnetic_ratio * self.per_tau * self._driven
        return np.stack([a - spin.damping * b, b + spin.damping * a]) / (1 + spin.damping**2)

    @cached_property
    def _driven(self) -> Array | None:
        """Return the coefficients of the potentials of tau (J/m2)."""
        if self.circuit.current_density is not None:
            return self.circuit.current_density * np.stack([self.map.chi, self.map.phi])
        return _potentials(self._tau, self.map.degree)


@dataclass(frozen=True, eq=False)
class DirectionDamping:
    """The damping that pumping adds in a circuit, made by :meth:`DirectionMap.pumped`.

    Attributes
    ----------
    map
        Map that holds pumping.
    circuit
        Current or voltage that drives the device.
    scale
        gamma/(Ms t) of the macrospin (m2/(J s)).
    """

    map: DirectionMap
    circuit: Circuit
    scale: float

    @property
    def axis(self) -> None:
        """Return None: no symmetry is assumed."""
        return None

    def tensor(self, u: Array) -> Array:
        """Return A at directions u (n, 3), (n, 3, 3): it acts on du/dt."""
        here = self.map
        assert here.pumping is not None
        values = expansion(here.pumping, u)[0].T
        gamma: Array = values[:, :9].reshape(-1, 3, 3)
        current = values[:, 9:]
        area = here.resistance_at(u)
        # The pumped current drives itself back by a voltage -feedback a.w, which makes the torque of a voltage.
        per_voltage = here.torque_per_current(u) / area[:, None]
        gamma = gamma + self.circuit.feedback(area)[:, None, None] * per_voltage[:, :, None] * current[:, None, :]
        # Gamma acts on u x du/dt, and its result enters as it is; A's is turned by u x.
        turn = turning(u)
        return np.asarray(-self.scale * turn @ gamma @ turn)


def direction_map(
    problem: TransportProblem | Groups, layer: str, *, tolerance: float = 1e-4, pumping: bool = False
) -> DirectionMap:
    """Return the torque on a layer and the resistance of a device for all directions of the layer. Collective.

    The problem ends in the state it began with. Devices with one fixed direction need fewer solves with
    :func:`torque_map`.

    Parameters
    ----------
    problem
        Device with the :class:`~fespin.transport.Vector` model and the contacts "bottom" and "top"; or groups
        of ranks with one each (:func:`in_groups`).
    layer
        The free layer.
    tolerance
        Largest error of torque, resistance and pumping, relative to their largest values.
    pumping
        True: compute the damping that pumping adds, with two more solves per direction.

    Raises
    ------
    InputError
        If the layer is no magnet, there is no torque on it, or the tolerance is out of range.
    ModelError
        If the model is another one.
    SolverError
        If harmonics do not reach the tolerance: up to degree 64, or 16 where each direction is solved.

    Examples
    --------
    >>> problem = fs.TransportProblem(fs.line(comm, stack), fs.Vector())
    >>> valve = fs.direction_map(problem, "free", tolerance=1e-2)
    >>> print(f"{valve.critical_current_density(spin, (0, 0, 1)):.1e}")
    1.3e+10
    """
    groups = problem if isinstance(problem, Groups) else Groups(problem)
    stack = groups.problem.stack
    require_torque(stack, groups.problem.model, layer, pumping=pumping)
    require_tolerance("direction map", tolerance)
    if is_reducible(groups.problem, layer):
        reduced = _reduced(groups, layer, _PART * tolerance, pumping)

        def integrate() -> DirectionMap | None:
            # The bases of groups differ by rounding.
            return _integrated(reduced, stack[layer].thickness, tolerance, pumping) if groups.comm.rank == 0 else None

        made = agree_on_errors(groups.comm, integrate, "direction map")[0]
        assert made is not None
        return made

    def solve(directions: Array) -> Array:
        return groups.evaluate(
            layer, directions, lambda on, x: _solve_at(on, layer, x, pumping), 16 if pumping else 4, tolerance=tolerance
        )

    return map_through(groups, layer, solve, tolerance)


def map_through(groups: Groups, layer: str, solve: Callable[[Array], Array], tolerance: float) -> DirectionMap:
    """Return the map through as many directions as a tolerance needs. Collective.

    Parameters
    ----------
    solve
        Takes directions (n, 3); returns :func:`direction_numbers` of each, (n, 4) or (n, 16).

    Raises
    ------
    InputError
        If there is no torque.
    SolverError
        If harmonics up to degree 16 do not reach the tolerance.
    """
    thickness = groups.problem.stack[layer].thickness
    counts = [math.ceil(_OVERSAMPLING * (n + 1) ** 2) for n in (*_DEGREES, _DEGREES[-1] + 1)]
    u = even_directions(0, counts[0])
    values = solve(u)
    _require_a_torque(values, layer)

    def deviation(u: Array, values: Array, new: Array, more: Array) -> float:
        fit = _fitted(layer, thickness, u, values, _DEGREES[counts.index(len(u))], math.inf)
        return _deviation(fit, new, more, values)

    batches = (even_directions(first, end) for first, end in itertools.pairwise(counts))
    u, values, error = refine(groups.comm, u, values, batches, solve, deviation, tolerance)
    if error > tolerance:
        raise SolverError(_too_coarse(_DEGREES[-1], f"from {len(u)} directions", error))
    degree = _DEGREES[counts.index(len(u)) - 1]
    result: DirectionMap = groups.comm.bcast(_fitted(layer, thickness, u, values, degree, error), 0)
    return result


def _too_coarse(degree: int, origin: str, error: float) -> str:
    return (
        f"direction map: harmonics of degree {degree} {origin} leave an error of {error:.1g}; allow a larger "
        "tolerance, or use torque_map if one direction alone is distinguished"
    )


@dataclass(frozen=True)
class _Reduced:
    """A reduced device, from how many solves, and what it missed at the last two of them."""

    device: ReducedDevice
    solves: int
    error: float


def _reduced(groups: Groups, layer: str, tolerance: float, pumping: bool) -> _Reduced:
    """Return a device reduced to a tolerance; each group makes its own of all solves. Collective."""
    problem = groups.problem
    require_linear(problem, "map over directions")
    before = problem.stack[layer].magnetization or (0.0, 0.0, 1.0)

    made: list[_Reduced] = []

    def make() -> None:
        device, errors = ReducedDevice(problem, layer), list[float]()
        rows: Array = np.zeros((0, 16 if pumping else 4))
        with problem.within(tolerance):
            try:
                for k, u in enumerate(even_directions(0, _MOST)):
                    row, driven, pumped = _solve_with_fields(problem, layer, u, pumping)
                    rows = np.concatenate([rows, row[None]])
                    if k == _FIRST:
                        _require_a_torque(rows, layer)
                    if k >= _FIRST:
                        off = _sizes(row - device.solve(u[None], pumping=pumping)) / _sizes(rows)
                        errors.append(float(problem.domain.comm.bcast(off.max(), 0)))
                    # Once is enough where all is known.
                    known = bool(errors) and errors[-1] <= _SURE * tolerance
                    error = errors[-1] if known else max(errors[-2:], default=math.inf)
                    if known or (len(errors) > 1 and error <= tolerance):
                        made.append(_Reduced(device, len(rows), error))
                        return
                    device.add(driven, driven=True)
                    for w in pumped:
                        device.add(w, driven=False)
            finally:
                problem.magnetize({layer: before})
        raise SolverError(
            f"direction map: a reduced basis from {_MOST} solves leaves an error of {max(errors[-2:]):.1g}; "
            "allow a larger tolerance"
        )

    agree_on_errors(groups.comm, make, "direction map")
    return made[0]


def _integrated(reduced: _Reduced, thickness: float, tolerance: float, pumping: bool) -> DirectionMap:
    """Return the map of a reduced device, of the lowest degree that reaches a tolerance. Not collective."""

    def answers(u: Array) -> Array:
        parts = np.array_split(u, math.ceil(len(u) / _AT_ONCE))
        return np.concatenate([reduced.device.solve(x, pumping=pumping) for x in parts])

    for degree in _MORE_DEGREES:
        u, weight = quadrature(2 * degree)
        values = answers(u)
        torque, rest = _integrals(u, weight, values[:, :3], values[:, 3:], degree)
        chi, phi = torque / np.array([1.0, *sizes(degree)])
        pumped, layer = rest[1:] if pumping else None, reduced.device.layer
        found = DirectionMap(layer, thickness, chi, phi, rest[0], 0.0, reduced.solves, pumped, "reduced basis")
        # Directions between those of the quadrature, twice as many as there are harmonics.
        further = even_directions(0, 2 * (degree + 1) ** 2)
        error = _deviation(found, further, answers(further), values)
        # Another degree takes no solves.
        if error <= _PART * tolerance:
            break
    if error + reduced.error > tolerance:
        raise SolverError(_too_coarse(degree, "of a reduced basis", error))
    return replace(found, error=error + reduced.error)


def _require_a_torque(values: Array, layer: str) -> None:
    if np.abs(values[:, :3]).max() < 1e-10 * SPIN_PER_CHARGE:
        raise InputError(f"direction map: there is no torque on '{layer}'; nothing polarizes the current")


def _solve_at(problem: TransportProblem, layer: str, u: Array, pumping: bool) -> Array:
    """Return torque and resistance in one direction, and Gamma and the pumped current."""
    return _solve_with_fields(problem, layer, u, pumping)[0]


def _solve_with_fields(
    problem: TransportProblem, layer: str, u: Array, pumping: bool
) -> tuple[Array, Fields, list[Fields]]:
    """Return what :func:`_solve_at` does, the fields of one volt, and those of two motions of the magnet."""
    tau, area, driven = direction_state(problem, layer, u)
    if not pumping:
        return direction_numbers(u, tau, area), driven, []
    motions = [pumped_state(problem, layer, e) for e in tangent_frame(u[None])[0]]
    pumped = [(torque, current) for torque, current, _ in motions]
    return direction_numbers(u, tau, area, pumped), driven, [w for *_, w in motions]


def direction_numbers(
    u: Array, tau: Array, resistance: float, pumped: Sequence[tuple[Array, float]] | None = None
) -> Array:
    """Return torque per current (3) and resistance in one direction and, with pumping, Gamma (9) and the current (3).

    Parameters
    ----------
    u
        Direction (3,).
    pumped
        Gamma e (3,) and the pumped current, of the motions about the two axes e of :func:`tangent_frame`.
    """
    if pumped is None:
        return np.array([*tau, resistance])
    axes = tangent_frame(u[None])[0]
    gamma = sum(np.outer(torque, e) for (torque, _), e in zip(pumped, axes, strict=True))
    current = sum(i * e for (_, i), e in zip(pumped, axes, strict=True))
    return np.array([*tau, resistance, *np.ravel(gamma), *np.ravel(current)])


def _sizes(values: Array) -> Array:
    """Return the largest torque, resistance, Gamma and pumped current among values (n, 4) or (n, 16)."""
    parts = [values[:, :3], values[:, 3:4]]
    if values.shape[1] > 4:
        parts += [values[:, 4:13], values[:, 13:]]
    return np.array([float(np.linalg.norm(x, axis=1).max()) or 1.0 for x in parts])


def _seen(found: DirectionMap, u: Array) -> Array:
    """Return what a map gives at directions (n, 3), in the columns of the solves."""
    parts = [found.torque_per_current(u), found.resistance_at(u)[:, None]]
    if found.pumping is not None:
        parts.append(expansion(found.pumping, u)[0].T)
    return np.concatenate(parts, axis=1)


def _fitted(layer: str, thickness: float, u: Array, values: Array, degree: int, error: float) -> DirectionMap:
    chi, phi = _fit(u, values[:, :3], degree)
    rest = np.linalg.lstsq(harmonics(u, degree)[0], values[:, 3:], rcond=None)[0].T
    pumping = np.asarray(rest[1:], dtype=float) if len(rest) > 1 else None
    return DirectionMap(layer, thickness, chi, phi, np.asarray(rest[0], dtype=float), error, len(u), pumping)


def _fit(u: Array, tau: Array, degree: int) -> tuple[Array, Array]:
    """Return coefficients of chi and phi by least squares."""
    gradient = harmonics(u, degree)[1]
    size = sizes(degree)
    gradient = gradient[:, 1:] / size[:, None]
    columns = np.concatenate([gradient, np.cross(u[:, None], gradient)], axis=1)
    coefficients = np.linalg.lstsq(columns.transpose(0, 2, 1).reshape(-1, 2 * len(size)), tau.ravel(), rcond=None)[0]
    chi, phi = (np.concatenate([[0.0], x / size]) for x in np.split(coefficients, 2))
    return chi, phi


def _deviation(found: DirectionMap, u: Array, values: Array, others: Array) -> float:
    """Return how far a map is from values at directions, or the size of its last harmonics if that is more.

    Relative to the largest of other values.
    """
    size = _sizes(others)
    return float(max(*_last(found, size), *(_sizes(values - _seen(found, u)) / size)))


def _last(found: DirectionMap, size: Array) -> tuple[float, ...]:
    """Return the root mean squares of the last degree of everything, over the largest."""
    l, at = found.degree, slice(found.degree**2, None)  # noqa: E741
    norms = [math.sqrt(l * (l + 1) * float(np.sum(found.chi[at] ** 2 + found.phi[at] ** 2)))]
    norms.append(float(np.linalg.norm(found.resistance_area[at])))
    if found.pumping is not None:
        norms += [float(np.linalg.norm(found.pumping[k, at])) for k in (slice(9), slice(9, None))]
    return tuple(x / math.sqrt(4 * np.pi) / y for x, y in zip(norms, size, strict=True))


def _potentials(field: Callable[[Array], Array], degree: int) -> Array | None:
    """Return the coefficients of a smooth field's potentials (2, n), of a degree that resolves it to 1e-9, or None."""
    for more in (4, 8, 16, 32, 48):
        top = degree + more
        u, weight = quadrature(2 * top)
        parts = _integrals(u, weight, field(u), np.zeros((len(u), 0)), top)[0]
        if np.abs(parts[:, (top - 1) ** 2 :]).max() <= 1e-9 * np.abs(parts).max():
            return np.asarray(parts / np.array([1.0, *sizes(top)]))
    return None


def _integrals(u: Array, weight: Array, field: Array, scalars: Array, degree: int) -> tuple[Array, Array]:
    """Return the coefficients of a field's potentials times sqrt(l (l + 1)), (2, n), and of scalars, (k, n)."""
    size, columns = np.array([1.0, *sizes(degree)]), (degree + 1) ** 2
    parts, rest = np.zeros((2, columns)), np.zeros((scalars.shape[1], columns))
    field, scalars = weight[:, None] * field, weight[:, None] * scalars
    for here in np.array_split(np.arange(len(u)), degree + 1):
        y, slope = harmonics(u[here], degree)
        parts[0] += np.tensordot(slope, field[here], axes=([0, 2], [0, 1])) / size
        # (u x grad Y).f = grad Y.(f x u)
        parts[1] += np.tensordot(slope, np.cross(field[here], u[here]), axes=([0, 2], [0, 1])) / size
        rest += scalars[here].T @ y
    return parts, rest
