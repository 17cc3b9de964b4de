"""Energy balance of a driven device: the two spaces and the circuit together.

Of a motion u(t) of the free layer, by the first law::

    electrical input = heat in the load + dissipation of transport + damping of the magnet + change of its energy

Each is computed for itself: the input from the currents of transport solves in which the magnet turns, the dissipation
from their power functional, damping and energy from the equation of motion, which knows the torque map alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..macrospin.llg import llg
from ..macrospin.spin import Macrospin
from ..onsager.terminals import Terminal
from ..sigma.distribution import Distribution
from ..transport.problem import TransportProblem
from .angle_maps import TorqueMap
from .circuit import Circuit
from .direction_maps import DirectionMap
from .directions import require_linear
from .face_torque import FaceTorque
from .pumping import solve_turning

type Array = NDArray[np.float64]

_ORDER = 8


@dataclass(frozen=True)
class EnergyBalance:
    """Energies over the time of a motion (J).

    Attributes
    ----------
    electrical
        Delivered by the source.
    load, transport, damping
        Dissipated in the series resistance, in the device, and by Gilbert's alpha; what pumping damps is transport's.
    stored
        Change of the free layer's energy.
    work
        Work of the torque on the free layer, pumping included.
    times, directions
        Times and directions at which transport was solved (s), (n,) and (n, 3).

    Examples
    --------
    >>> problem = fs.TransportProblem(fs.line(comm, stack), fs.Vector())
    >>> valve = fs.torque_map(problem, "free", pumping=True, tolerance=1e-2)
    >>> circuit = fs.Circuit(voltage=-1e-4)
    >>> balance = fs.energy_balance(problem, valve, spin, circuit, start=(1, 0, 1), duration=5e-11, intervals=1)
    >>> print(f"{balance.electrical:.2e} {balance.transport:.2e} {balance.work:.2e}")
    3.64e-19 3.65e-19 -2.43e-22
    """

    electrical: float
    load: float
    transport: float
    damping: float
    stored: float
    work: float
    times: Array
    directions: Array

    @property
    def residual(self) -> float:
        """Return what is missing, relative to the largest of the energies."""
        parts = (self.electrical, -self.load, -self.transport, -self.damping, -self.stored)
        return sum(parts) / max(abs(x) for x in parts)

    @property
    def magnet_residual(self) -> float:
        """Return what is missing of work = damping + stored, relative to the largest of them."""
        return (self.work - self.damping - self.stored) / max(abs(self.work), self.damping, abs(self.stored))


def energy_balance(
    problem: TransportProblem,
    found: TorqueMap,
    spin: Macrospin,
    circuit: Circuit,
    *,
    start: Sequence[float],
    duration: float,
    intervals: int = 20,
) -> EnergyBalance:
    """Follow the free layer without noise, and return where the energy goes. Collective.

    The error is that of the map, of the integration in time, and of 8 Gauss points in each interval.

    Parameters
    ----------
    problem
        The device of the map; it ends in the state it began with.
    found
        Map of the device, with pumping.
    spin
        The free layer without pumping; its volume over the layer's thickness is the cross-section.
    circuit
        Circuit that drives the device.
    start
        Direction at t = 0.
    duration
        s.
    intervals
        Each should be short against a period of the precession.

    Raises
    ------
    InputError
        If the map holds no pumping, or `intervals` or the duration is not positive.
    ModelError
        If the model has laws that follow the state.

    Examples
    --------
    >>> problem = fs.TransportProblem(fs.line(comm, stack), fs.Vector())
    >>> valve = fs.torque_map(problem, "free", pumping=True, tolerance=1e-2)
    >>> circuit = fs.Circuit(current_density=-5e10)
    >>> balance = fs.energy_balance(problem, valve, spin, circuit, start=(1, 0, 1), duration=5e-11, intervals=1)
    >>> bool(abs(balance.residual) < 1e-2)
    True
    """
    if not isinstance(intervals, int) or intervals < 1 or not (np.isfinite(duration) and duration > 0):
        raise InputError(
            f"energy balance: intervals and duration are {intervals!r}, {duration!r}; both must be positive"
        )
    require_linear(problem, "energy balance")
    layer, area = found.layer, spin.volume / found.thickness
    damped, torque = found.pumped(spin, **asdict(circuit)), found.torque(spin, **asdict(circuit))
    x, weights = np.polynomial.legendre.leggauss(_ORDER)
    edges = np.linspace(0, duration, intervals + 1)
    half = duration / intervals / 2
    times = (edges[:-1, None] + half * (1 + x)).ravel()
    run = llg(damped, start, [0.0, *times, duration], torque=torque, rtol=1e-12)
    u = run.directions[1:-1]
    v = damped.precession(u, damped.effective_field(u)) + torque.velocity(u, damped)
    before = {layer: problem.stack[layer].magnetization or (0.0, 0.0, 1.0)}
    try:
        powers = np.array([_powers(problem, layer, circuit, a, np.cross(a, b)) for a, b in zip(u, v, strict=True)])
    finally:
        problem.magnetize(before)
    friction = spin.damping * spin.moment / spin.gyromagnetic_ratio * np.sum(v**2, axis=1)
    electrical, load, transport, work = half * area * (np.tile(weights, intervals) @ powers)
    ends = spin.energy(run.directions[[0, -1]])
    return EnergyBalance(
        float(electrical),
        float(load),
        float(transport),
        float(half * np.tile(weights, intervals) @ friction),
        float(ends[1] - ends[0]),
        float(work),
        times,
        u,
    )


def _powers(problem: TransportProblem, layer: str, circuit: Circuit, u: Array, w: Array) -> Array:
    """Return input, the load's, transport's and the torque's power (W/m2) while the magnet turns with w."""
    problem.magnetize({layer: tuple(u)})
    turning, size = {layer: tuple(w)}, problem.domain.area
    ground = Terminal(voltage=0.0)
    if circuit.voltage is None:
        assert circuit.current_density is not None
        bottom = Terminal(current=circuit.current_density * size)
    else:
        # J = G V + pumped, and V = source - load J.
        pumped = solve_turning(problem, turning, {"bottom": ground, "top": ground}).currents["bottom"] / size
        conductance = problem.solver.solve(problem.drive(voltage=1.0)).currents["bottom"] / size
        r = circuit.series_resistance_area
        bottom = Terminal(voltage=(circuit.voltage - r * pumped) / (1 + r * conductance))
    solved = solve_turning(problem, turning, {"bottom": bottom, "top": ground})
    density = solved.currents["bottom"] / size
    load = circuit.series_resistance_area * density**2
    electrical = solved.voltages["bottom"] * density + load
    return np.array([electrical, load, solved.dissipation.total / size, solved.torque[layer] @ w])


def mean_electrical_power(
    distribution: Distribution, found: TorqueMap | DirectionMap | FaceTorque, spin: Macrospin, circuit: Circuit
) -> float:
    """Return the mean power that the source delivers (W), the magnet at rest in each direction. Collective.

    Examples
    --------
    >>> from fespin.coupling import mean_electrical_power
    >>> valve = fs.torque_map(fs.TransportProblem(fs.line(comm, stack), fs.Vector()), "free")
    >>> circuit = fs.Circuit(current_density=5e10)
    >>> equilibrium = fs.FokkerPlanck(comm, spin).equilibrium()
    >>> print(f"{mean_electrical_power(equilibrium, valve, spin, circuit):.3e}")
    1.146e-08
    """
    r = found.resistance_at(distribution.surface.points)
    power = circuit.current_at(r) * circuit.source_voltage_at(r)
    return distribution.surface.integral(distribution.points * power) * spin.volume / found.thickness
