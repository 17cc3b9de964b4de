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
from functools import partial

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.polynomial.chebyshev import chebval2d, chebvander
from numpy.typing import NDArray

from ..energy.on_sphere import tangent_frame
from ..errors import InputError, ModelError, SolverError
from ..macrospin.torque import chebyshev_coefficients
from ..onsager.jumps import face_voltage
from ..quantities import is_finite
from ..stack import Stack
from ..transport.problem import TransportProblem
from ..transport.spins import SPIN_PER_CHARGE
from ..transport.torque import spin_torque
from ..transport.tunnelling import VOLTAGE, barriers
from ..tunnel import TunnelBarrier
from .angle_maps import TorqueMap, map_at_rest
from .circuit import Circuit
from .directions import fixed_direction, require_torque
from .groups import Groups

type Array = NDArray[np.float64]

# Numbers of angles, of which a polynomial through the earlier ones is compared with the later ones.
_ANGLES = (3, 5, 8, 12, 18, 27, 40)
# Intervals between the voltages of the first polynomial, and of the last; each has twice those before.
_FEWEST, _MOST = 2, 64
# The smallest voltage that is solved, over the largest: it stands for none.
_REST = 1e-6
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
        """Return d, f, g and the barrier's share of the voltage, (4, ...), at cosines and voltages of one shape."""
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
                np.ones_like(c),
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
        Coefficients of Chebyshev's polynomials in c and V/span, (n, c, V), of d, f (J/(m2 V)), g (S/m2), and the
        barriers' shares of the voltage (1).
    barriers
        Barriers by the names of their layers from bottom to top, in the order of the shares.
    at_rest
        Map without a voltage, for its pumping; None if that was not asked for.
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
    ['2.126e-11', '1.564e-11', '1.226e-11']
    """

    layer: str
    thickness: float
    polarizer: tuple[float, float, float]
    span: float
    alone: BarrierAlone | None
    corrections: Array
    barriers: tuple[str, ...]
    at_rest: TorqueMap | None
    error: float
    solves: int

    @property
    def has_pumping(self) -> bool:
        """True if the map holds the damping that pumping adds."""
        return self.at_rest is not None

    def functions(self, c: Array, voltage: Array) -> Array:
        """Return d, f (J/(m2 V)), g (S/m2) and barriers' shares, (n, ...), at cosines and voltages of one shape."""
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

    def barrier_voltage(self, name: str, circuit: Circuit, c: Array) -> Array:
        """Return the voltage of a barrier (V), from its lower to its upper layer, in a circuit at cosines (n,)."""
        v = self.voltage_at(circuit, c)
        return np.asarray(v * self.functions(c, v)[3 + self.barriers.index(name)])

    def at(self, circuit: Circuit) -> TorqueMap:
        """Return the map against the angle at a drive.

        Torque per current and resistance are those at the voltage that each direction has; pumping is that without a
        voltage.
        """
        n = _OVERSAMPLING * self.corrections.shape[1]
        c = np.cos(np.pi * (np.arange(n) + 0.5) / n)
        torque, field, g = self.functions(c, self.voltage_at(circuit, c))[:3]
        d, f, r = (_without_rounding(chebyshev_coefficients(x)) for x in (torque / g, field / g, 1 / g))
        pumping = None if self.at_rest is None else self.at_rest.pumping
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

    The problem ends in the state it began with. As many angles are solved as a polynomial needs at the largest voltage,
    and the same ones at the others; of a device that is the same for both signs of the voltage only one sign is.

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
        If the tolerance is not reached with 40 angles or 65 voltages.

    Examples
    --------
    The torque of a junction at 90 degrees, per volt over that at rest:

    >>> magnet = fs.Material("CoFeB", 1.2e-6, 4e-9, beta=0.5, dephasing_length=1e-9)
    >>> barrier = fs.TunnelBarrier(10e-12, tmr=1.125, half_voltage=0.5)
    >>> layers = fs.Layer(magnet, 3e-9, "fixed"), fs.Layer(magnet, 2e-9, "free")
    >>> junction = fs.Stack(*layers, interfaces={("fixed", "free"): fs.Interface(tunnel=barrier)})
    >>> found = fs.voltage_map(fs.TransportProblem(fs.line(comm, junction), fs.Vector()), "free", voltage=1.0)
    >>> [f"{found.functions(np.zeros(1), np.array([v]))[0, 0]:.3e}" for v in (0.0, 0.5, 1.0)]
    ['1.451e-05', '1.264e-05', '9.504e-06']
    """
    if not is_finite(voltage) or voltage <= 0:
        raise InputError(f"voltage map: voltage is {voltage!r}; it must be finite and positive")
    groups = problem if isinstance(problem, Groups) else Groups(problem)
    stack, model = groups.problem.stack, groups.problem.model
    require_torque(stack, model, layer, pumping=pumping)
    p = fixed_direction(stack, model, layer)
    if p is None:
        raise ModelError("voltage map: without another magnet nothing but the resistance follows the voltage")
    pairs = list(groups.problem.domain.interfaces)
    samples = _Samples(groups, layer, np.array(p), float(voltage), _barrier_alone(stack, pairs, layer, p), tolerance)
    even = all(_even(b) for b in barriers(stack, pairs).values())
    c, of_angles = _angles(samples, tolerance)

    def rows(n: int) -> tuple[Array, Array]:
        """Return voltages over the span, and what is added to the barrier alone there, (voltages, 3, c)."""
        nodes = np.cos(np.pi * np.arange(n + 1) / n)
        nodes[n // 2] = 0.0
        return nodes, np.array([samples.at(c, float(abs(x) if even else x)) for x in nodes])

    n, of_voltages = _FEWEST, math.inf
    fit = _fit(*rows(n), c)
    while of_voltages > tolerance / 2:
        if n >= _MOST:
            raise SolverError(
                f"voltage map: {n + 1} voltages leave an error of {of_voltages:.1g}; allow a larger tolerance, or a "
                "smaller voltage"
            )
        n *= 2
        nodes, values = rows(n)
        grid = (np.tile(c, (n + 1, 1)), np.tile(nodes[:, None], (1, len(c))))
        there = np.stack([chebval2d(*grid, k) for k in fit], axis=1)
        of_voltages = float(groups.comm.bcast(samples.deviation(values, there), 0))
        fit = _fit(nodes, values, c)
    at_rest = map_at_rest(groups, layer, tolerance=tolerance, pumping=True, axis=axis) if pumping else None
    solves = samples.solves + (0 if at_rest is None else at_rest.solves)
    return VoltageMap(
        layer,
        stack[layer].thickness,
        p,
        float(voltage),
        samples.alone,
        fit,
        tuple(map("|".join, samples.pairs)),
        at_rest,
        of_angles + of_voltages,
        solves,
    )


def _without_rounding(coefficients: Array) -> Chebyshev:
    """Return a series up to its last coefficient that is more than rounding: it is evaluated often."""
    large = np.flatnonzero(np.abs(coefficients) > 1e-12 * np.abs(coefficients).max(initial=0.0))
    return Chebyshev(coefficients[: large[-1] + 1] if len(large) else [0.0])


def _even(barrier: TunnelBarrier) -> bool:
    """Return whether what metals add to d, f and g of a barrier is the same for both signs of V."""
    return barrier.table is None and not barrier.field_like[1]


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


class _Samples:
    """Solves at angles and voltages, less what the barrier alone gives; each voltage's are kept."""

    def __init__(
        self, groups: Groups, layer: str, p: Array, span: float, alone: BarrierAlone | None, tolerance: float
    ) -> None:
        self.groups, self.layer, self.span, self.alone, self._p = groups, layer, span, alone, p
        self._across = np.asarray(tangent_frame(p[None])[0, 0])
        self._tolerance, self.solves = tolerance, 0
        problem = groups.problem
        self.pairs = list(barriers(problem.stack, list(problem.domain.interfaces)))
        self._known: dict[tuple[int, float], Array] = {}
        # Largest torque per voltage and conductance so far: what errors are relative to.
        self._largest = np.zeros(3 + len(self.pairs))

    def at(self, c: Array, x: float) -> Array:
        """Return all functions less those of the barrier alone, (n, c), at a voltage over the span. Collective."""
        key = (len(c), x)
        if key not in self._known:
            v = self.span * (x or _REST)
            u = c[:, None] * self._p + np.sqrt(1 - c * c)[:, None] * self._across
            solve = partial(_solve_at, layer=self.layer, p=self._p, voltage=v, pairs=self.pairs)
            columns = 3 + len(self.pairs)
            values = self.groups.evaluate(
                self.layer, u, solve, columns, tolerance=self._tolerance, key=(v,), linear=False
            ).T
            self.solves += len(c)
            self._largest = np.maximum(self._largest, np.abs(values).max(axis=1))
            if self.alone is not None:
                values = values - self.alone.functions(c, np.full_like(c, v))
            self._known[key] = values
        return self._known[key]

    def deviation(self, values: Array, fitted: Array) -> float:
        """Return the largest difference of functions (..., n, c), relative to the largest torque and conductance."""
        torque = max(float(self._largest[:2].max()), 1e-8 * SPIN_PER_CHARGE * float(self._largest[2]))
        scale = np.array([torque, torque, *self._largest[2:]])
        return float((np.abs(values - fitted) / scale[:, None]).max())


def _solve_at(
    problem: TransportProblem, u: Array, *, layer: str, p: Array, voltage: float, pairs: Sequence[tuple[str, str]]
) -> Array:
    """Return d, f, g and the barriers' shares in one direction at a voltage. Collective."""
    c = float(u @ p)
    s = math.sqrt(1 - c * c)
    in_plane, normal = (p - c * u) / s, np.cross(u, p) / s
    problem.magnetize({layer: tuple(u)})
    solved, *_ = problem.solved(problem.drive(voltage=voltage))
    density = solved.currents["bottom"] / problem.domain.area
    torque = spin_torque(problem, dict(zip(problem.system.fields, solved.fields, strict=True)), layer)
    shares = [face_voltage(problem.system, solved.fields, pair, VOLTAGE)[0] for pair in pairs]
    return np.array([torque @ in_plane / s, torque @ normal / s, density, *shares]) / voltage


def _angles(samples: _Samples, tolerance: float) -> tuple[Array, float]:
    """Return cosines at which the functions are sampled, and the error that these leave at the largest voltage."""
    before: tuple[Array, Array] | None = None
    error = math.inf
    for n in _ANGLES:
        c = np.cos(np.pi * (np.arange(n) + 0.5) / n)
        values = samples.at(c, 1.0)
        if before is not None:
            series = [Chebyshev(chebyshev_coefficients(x)) for x in before[1]]
            error = samples.deviation(values, np.array([x(c) for x in series]))
            error = float(samples.groups.comm.bcast(error, 0))
            if error <= tolerance / 2:
                return c, error
        before = (c, values)
    raise SolverError(f"voltage map: {n} angles leave an error of {error:.1g}; allow a larger tolerance")


def _fit(nodes: Array, rows: Array, c: Array) -> Array:
    """Return the coefficients (k, c, V) of polynomials through rows (V, k, c) at Chebyshev's cosines."""
    n = len(nodes)
    in_angle = np.array([[chebyshev_coefficients(k) for k in row] for row in rows])
    solved = np.linalg.solve(chebvander(nodes, n - 1), in_angle.reshape(n, -1))
    return np.asarray(np.moveaxis(solved.reshape(n, -1, len(c)), 0, -1), dtype=np.float64)
