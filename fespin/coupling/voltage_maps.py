"""Maps of devices whose currents and torques are not proportional to the voltage: tunnel junctions.

Against the cosine c = u.p to the fixed direction and the device's voltage V, bottom against top, a map holds

    tau = V [d(c, V) q + f(c, V) u x p],    J = V g(c, V),        q = u x (p x u) = p - c u

(tau in J/m2, J in A/m2). In a current or voltage source, with a load, each direction has a voltage of its own; what
follows is the map against c alone at that drive (:meth:`VoltageMap.at`), and everything made of it.

A barrier decides almost all of it: d, f and g of the barrier alone are known, and what the metals in series change is
small and smooth, so that a few voltages tell it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.polynomial.chebyshev import chebval2d, chebvander
from numpy.typing import NDArray

from ..errors import InputError, ModelError, SolverError
from ..macrospin.torque import chebyshev_coefficients
from ..quantities import is_finite
from ..stack import Stack
from ..transport.problem import TransportProblem
from ..transport.spins import SPIN_PER_CHARGE
from ..transport.torque import spin_torque
from ..transport.tunnelling import barriers
from ..tunnel import TunnelBarrier
from .angle_maps import TorqueMap, through_angles, torque_map
from .circuit import Circuit
from .directions import fixed_direction, require_torque
from .groups import Groups

type Array = NDArray[np.float64]

# Intervals between the voltages of the first polynomial, and of the last; each has twice those before.
_FEWEST, _MOST = 2, 64
# Angles at which a map at a drive is made of one against the voltage too, per coefficient of the latter.
_OVERSAMPLING = 4


@dataclass(frozen=True)
class BarrierAlone:
    """What the barrier next to a free layer makes of the whole voltage, without metals in series.

    Attributes
    ----------
    barrier
        The barrier, whose a is the layer below.
    above
        True if the free layer is above the barrier.
    sense
        1 if the magnet on the other side is along the map's fixed direction, -1 if it is against it.
    """

    barrier: TunnelBarrier
    above: bool
    sense: int

    def functions(self, c: Array, v: Array) -> Array:
        """Return d, f and g, (3, ...), at cosines and voltages of one shape."""
        conductance = self.barrier.parallel_conductance(v)
        a, b = self.barrier.polarizations(v)
        g0 = conductance / (1 + a * b)
        b1, b2 = self.barrier.field_like
        damping = g0 * a if self.above else -g0 * b
        return np.stack(
            [
                self.sense * SPIN_PER_CHARGE * damping,
                self.sense * (b1 + b2 * v) * np.ones_like(c),
                g0 * (1 + self.sense * a * b * c),
            ]
        )


@dataclass(frozen=True)
class VoltageMap:
    """Torque and current of a device against the angle of its free layer and the voltage.

    Attributes
    ----------
    layer
        Free layer.
    thickness
        Thickness of the free layer (m).
    polarizer
        Fixed direction p.
    span
        Largest voltage (V): the map holds from -span to span.
    alone
        The barrier alone, to which `corrections` are added; None: these are all.
    corrections
        Coefficients of Chebyshev's polynomials in c and V/span, (3, c, V), of d, f (J/(m2 V)) and g (S/m2).
    at_rest
        Map without a voltage, with the pumping if it was asked for.
    error
        Error of torque and current at given voltages, relative to their largest values.
    solves
        Number of directions and voltages.

    Examples
    --------
    >>> magnet = fs.Material("CoFeB", 1.2e-6, 4e-9, beta=0.5, dephasing_length=1e-9)
    >>> barrier = fs.Interface(tunnel=fs.TunnelBarrier(10e-12, tmr=1.125, half_voltage=0.5))
    >>> cap = fs.Interface(area_resistance_star=1e-15, gamma=0.5, mixing_conductance=3e14)
    >>> junction = fs.Stack(
    ...     outer, fs.Layer(magnet, 3e-9, "fixed"), fs.Layer(magnet, 2e-9, "free"), outer,
    ...     interfaces={("fixed", "free"): barrier, ("Cu", "CoFeB"): cap},
    ... )
    >>> found = fs.voltage_map(fs.TransportProblem(fs.line(comm, junction), fs.Vector()), "free", voltage=1.0)
    >>> [f"{found.at(fs.Circuit(voltage=v)).resistance_at(np.array([[0, 0, -1.0]]))[0]:.3e}" for v in (0.01, 0.5, 1)]
    ['2.125e-11', '1.563e-11', '1.226e-11']
    """

    layer: str
    thickness: float
    polarizer: tuple[float, float, float]
    span: float
    alone: BarrierAlone | None
    corrections: Array
    at_rest: TorqueMap
    error: float
    solves: int

    @property
    def has_pumping(self) -> bool:
        """True if the map holds the damping that pumping adds."""
        return self.at_rest.has_pumping

    def functions(self, c: Array, voltage: Array) -> Array:
        """Return d, f (J/(m2 V)) and g (S/m2), (3, ...), at cosines and voltages of one shape."""
        out = np.stack([chebval2d(c, voltage / self.span, k) for k in self.corrections])
        return out if self.alone is None else out + self.alone.functions(c, voltage)

    def largest_drive(self, circuit: Circuit) -> float:
        """Return the largest drive of a kind of circuit for which the map holds in all directions, of both signs."""
        c = np.repeat(np.linspace(-1.0, 1.0, 41), 2)
        v = self.span * np.tile([1.0, -1.0], 41)
        current = np.abs(v * self.functions(c, v)[2])
        if circuit.voltage is None:
            return float(current.min())
        return float(self.span + circuit.series_resistance_area * current.min())

    def voltage_at(self, circuit: Circuit, c: Array) -> Array:
        """Return the voltage of the device (V) in a circuit at cosines (n,).

        Raises
        ------
        InputError
            If it is beyond the map.
        """

        def excess(v: Array) -> Array:
            current = v * self.functions(c, v)[2]
            if circuit.voltage is None:
                return np.asarray(current - circuit.current_density)
            return np.asarray(v + circuit.series_resistance_area * current - circuit.voltage)

        drive = circuit.current_density if circuit.voltage is None else circuit.voltage
        assert drive is not None
        if not drive:
            return np.zeros_like(c)
        sign = math.copysign(1.0, drive)
        low, high = np.zeros_like(c), np.full_like(c, sign * self.span)
        if (sign * excess(high) < -1e-9 * abs(drive)).any():
            unit = "A/m2" if circuit.voltage is None else "V"
            raise InputError(
                f"voltage map: a drive of {drive:.4g} {unit} needs more than {self.span:.4g} V over the device, where "
                "the map ends; make it for a larger voltage"
            )
        if circuit.voltage is not None and not circuit.series_resistance_area:
            return np.full_like(c, circuit.voltage)
        for _ in range(60):
            middle = (low + high) / 2
            below = sign * excess(middle) < 0
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return (low + high) / 2

    def at(self, circuit: Circuit) -> TorqueMap:
        """Return the map against the angle at a drive.

        Torque per current and resistance are those at the voltage that each direction has; pumping is that without a
        voltage.
        """
        n = _OVERSAMPLING * self.corrections.shape[1]
        c = np.cos(np.pi * (np.arange(n) + 0.5) / n)
        torque, field, g = self.functions(c, self.voltage_at(circuit, c))
        d, f, r = (Chebyshev(chebyshev_coefficients(x)) for x in (torque / g, field / g, 1 / g))
        pumping = self.at_rest.pumping
        return TorqueMap(
            self.layer, self.thickness, self.polarizer, d, f, r, self.error, self.solves, pumping, "voltage"
        )


def voltage_map(
    problem: TransportProblem | Groups,
    layer: str,
    *,
    voltage: float,
    tolerance: float = 1e-4,
    pumping: bool = False,
    axis: Sequence[float] | None = None,
) -> VoltageMap:
    """Return the torque on a layer and the current of a device against angle and voltage. Collective.

    The problem ends in the state it began with. Angles are those that a map at a fixed voltage needs, at each of the
    voltages; of a device that is the same for both signs of the voltage only one sign is solved.

    Parameters
    ----------
    problem
        Device with the :class:`~fespin.transport.Vector` model and the contacts "bottom" and "top", or groups of ranks
        with one each.
    layer
        The free layer. All other magnets are uniform and along one axis.
    voltage
        Largest voltage of the map (V).
    tolerance
        Largest error of torque and current at given voltages, relative to their largest values.
    pumping
        True: compute the damping that pumping adds, of the device without a voltage.
    axis
        As for :func:`fespin.torque_map`.

    Raises
    ------
    InputError
        If the voltage is not positive, or the layer is no magnet.
    ModelError
        If more than one direction is distinguished.
    SolverError
        If the tolerance is not reached with 65 voltages.
    """
    if not is_finite(voltage) or voltage <= 0:
        raise InputError(f"voltage map: voltage is {voltage!r}; it must be finite and positive")
    groups = problem if isinstance(problem, Groups) else Groups(problem)
    stack, model = groups.problem.stack, groups.problem.model
    require_torque(stack, model, layer, pumping=pumping)
    p = fixed_direction(stack, model, layer)
    if p is None:
        raise ModelError("voltage map: without another magnet nothing but the resistance follows the voltage")
    at_rest = torque_map(groups, layer, tolerance=tolerance, pumping=pumping, axis=axis)
    pairs = list(groups.problem.domain.interfaces)
    alone = _barrier_alone(stack, pairs, layer, p)
    even = all(_even(b) for b in barriers(stack, pairs).values())

    def at_voltage(v: float) -> tuple[list[Chebyshev], float, int]:
        if v == 0:
            r = at_rest.resistance_area
            d, f = (_product(x, r) for x in (at_rest.damping_like, at_rest.field_like))
            return [d, f, _reciprocal(r)], at_rest.error, 0
        return _at_voltage(groups, layer, np.array(p), v, tolerance)

    found: dict[float, tuple[list[Chebyshev], float, int]] = {}

    def samples(n: int) -> tuple[Array, Array]:
        """Return voltages over the span, and coefficients of the corrections there, (voltages, 3, c)."""
        nodes = np.cos(np.pi * np.arange(n + 1) / n)
        nodes[n // 2] = 0.0
        for x in nodes:
            x = float(abs(x) if even else x)
            if x not in found:
                found[x] = at_voltage(voltage * x)
        length = max(len(s.coef) for series, *_ in found.values() for s in series)
        length = max(length, 3)
        c = np.cos(np.pi * (np.arange(length) + 0.5) / length)
        rows = []
        for x in nodes:
            series = found[float(abs(x) if even else x)][0]
            values = np.array([s(c) for s in series])
            if alone is not None:
                values = values - alone.functions(c, np.full_like(c, voltage * (abs(x) if even else x)))
            rows.append([chebyshev_coefficients(k) for k in values])
        return nodes, np.array(rows)

    n, error = _FEWEST, math.inf
    nodes, rows = samples(n)
    fit = _fit(nodes, rows)
    while True:
        n *= 2
        nodes, rows = samples(n)
        before = np.zeros((3, rows.shape[2], len(fit[0, 0])))
        before[:, : fit.shape[1]] = fit
        error = _deviation(before, nodes, rows, alone, voltage)
        fit = _fit(nodes, rows)
        error = float(groups.comm.bcast(error, 0))
        if error <= tolerance:
            break
        if n >= _MOST:
            raise SolverError(
                f"voltage map: {n + 1} voltages leave an error of {error:.1g}; allow a larger tolerance, or a smaller "
                "voltage"
            )
    error += max(e for _, e, _ in found.values())
    solves = at_rest.solves + sum(k for *_, k in found.values())
    return VoltageMap(layer, stack[layer].thickness, p, float(voltage), alone, fit, at_rest, error, solves)


def _even(barrier: TunnelBarrier) -> bool:
    """Return whether d and g of a barrier, and f beyond its field-like torque, are the same for both signs of V."""
    return barrier.table is None


def _barrier_alone(
    stack: Stack, pairs: Sequence[tuple[str, str]], layer: str, p: tuple[float, float, float]
) -> BarrierAlone | None:
    """Return the barrier that takes the voltage, if it is the only one and next to the free layer."""
    found = barriers(stack, pairs)
    if len(found) != 1:
        return None
    (((below, above), barrier),) = found.items()
    if layer not in (below, above):
        return None
    other = stack[below if layer == above else above].direction
    assert other is not None
    return BarrierAlone(barrier, layer == above, 1 if float(np.dot(other, p)) > 0 else -1)


def _at_voltage(
    groups: Groups, layer: str, p: Array, voltage: float, tolerance: float
) -> tuple[list[Chebyshev], float, int]:
    """Return d, f and g at one voltage as series in c, their error, and the number of angles. Collective."""
    across = _perpendicular(p)

    def one(problem: TransportProblem, u: Array) -> Array:
        c = float(u @ p)
        s = math.sqrt(1 - c * c)
        in_plane, normal = (p - c * u) / s, np.cross(u, p) / s
        problem.magnetize({layer: tuple(u)})
        solved, *_ = problem.solved(problem.drive(voltage=voltage))
        density = solved.currents["bottom"] / problem.domain.area
        torque = spin_torque(problem, dict(zip(problem.system.fields, solved.fields, strict=True)), layer) / density
        return np.array([torque @ in_plane / s, torque @ normal / s, voltage / density])

    def solve(x: Array) -> Array:
        u = x[:, None] * p + np.sqrt(1 - x * x)[:, None] * across
        return groups.evaluate(layer, u, one, 3, tolerance=tolerance, key=(voltage,), linear=False)

    def scales(values: Array) -> Array:
        torque = max(float(np.abs(values[:, :2]).max()), 1e-8 * SPIN_PER_CHARGE)
        return np.array([torque, torque, float(np.abs(values[:, 2]).max())])

    found = through_angles(
        "voltage map", solve, scales, tolerance, groups.comm, at_once=groups.count, per_current=(0, 1), resistance=2
    )
    d, f, r = found.functions
    return [_product(d, r), _product(f, r), _reciprocal(r)], found.error, found.angles


def _perpendicular(p: Array) -> Array:
    from ..energy.on_sphere import tangent_frame

    return np.asarray(tangent_frame(p[None])[0, 0])


def _on_nodes(*series: Chebyshev) -> Array:
    n = _OVERSAMPLING * max(len(x.coef) for x in series)
    return np.asarray(np.cos(np.pi * (np.arange(n) + 0.5) / n))


def _product(per_current: Chebyshev, r: Chebyshev) -> Chebyshev:
    """Return an answer per voltage from one per current density."""
    c = _on_nodes(per_current, r)
    return _trimmed(np.asarray(per_current(c) / r(c), dtype=np.float64))


def _reciprocal(r: Chebyshev) -> Chebyshev:
    return _trimmed(np.asarray(1 / r(_on_nodes(r)), dtype=np.float64))


def _trimmed(values: Array) -> Chebyshev:
    """Return the series through values at Chebyshev's nodes, without what is rounding."""
    coefficients = chebyshev_coefficients(values)
    large = np.flatnonzero(np.abs(coefficients) > 1e-13 * np.abs(coefficients).max())
    return Chebyshev(coefficients[: large[-1] + 1] if len(large) else [0.0])


def _fit(nodes: Array, rows: Array) -> Array:
    """Return the coefficients (3, c, V) of polynomials in V through rows (V, 3, c)."""
    n = len(nodes)
    solved = np.asarray(np.linalg.solve(chebvander(nodes, n - 1), rows.reshape(n, -1)), dtype=np.float64)
    return np.moveaxis(solved.reshape(n, *rows.shape[1:]), 0, -1)


def _deviation(before: Array, nodes: Array, rows: Array, alone: BarrierAlone | None, span: float) -> float:
    """Return the deviation of an earlier fit at the newest voltages, relative to the largest torque and current."""
    c = np.linspace(-1.0, 1.0, 41)
    values = np.einsum("vkc,xc->kvx", rows, chebvander(c, rows.shape[2] - 1))
    fitted = np.einsum(
        "kcw,xc,vw->kvx", before, chebvander(c, rows.shape[2] - 1), chebvander(nodes, before.shape[2] - 1)
    )
    grid = np.broadcast_to(c, values.shape[1:])
    whole = (
        values if alone is None else values + alone.functions(grid, np.broadcast_to(span * nodes[:, None], grid.shape))
    )
    torque = float(np.abs(whole[:2]).max()) or 1.0
    scale = np.array([torque, torque, float(np.abs(whole[2]).max())])
    return float((np.abs(values - fitted).max(axis=(1, 2)) / scale).max())
