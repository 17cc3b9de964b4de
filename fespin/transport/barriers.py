"""Tunnel barriers of a solution: their voltages, the torques that follow these, and the charge of turning magnets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import SolverError
from ..onsager.jumps import face_voltage
from ..tunnel import TunnelBarrier
from .model import DeviceState
from .tunnelling import VOLTAGE, barriers, check_directions

type Array = NDArray[np.float64]


def field_like_torque(problem: DeviceState, w: Sequence[Any], layer: str) -> Array:
    """Return the torque on a magnet that follows the voltage of its barriers (J/m2 per cross-section). Collective.

    (b1 V + b2 V^2) m_a x m_b on a, and the opposite on b: minus the derivative of the energy -(b1 V + b2 V^2) m_a.m_b.
    The exchange through a barrier is an energy of the magnets without any voltage, and not among the torques.
    """
    total = np.zeros(3)
    for pair, barrier in barriers(problem.stack, list(problem.domain.interfaces)).items():
        if layer in pair and any(barrier.field_like):
            a, b = check_directions(problem.stack, pair)
            b1, b2 = barrier.field_like
            mean, square = face_voltage(problem.system, list(w), pair, VOLTAGE)
            share = problem.system.measures[pair] * problem.domain.depth / problem.domain.area
            total += share * (b1 * mean + b2 * square) * np.cross(a, b) * (1 if layer == pair[0] else -1)
    return total


@dataclass(frozen=True)
class Charging:
    """Charging of a barrier by magnets that turn: dQ/dt flows from a to b, with Q = (b1 + 2 b2 V) m_a.m_b.

    The partner of the field-like torque: with its charge the barrier returns what turning against the torque costs.

    Attributes
    ----------
    pair, barrier
        Place of the barrier, and the barrier.
    rate
        d(m_a.m_b)/dt (1/s).
    current
        dQ/dt (A/m2).
    """

    pair: tuple[str, str]
    barrier: TunnelBarrier
    rate: float
    current: float

    def stored_power(self, problem: DeviceState, w: Sequence[Any]) -> float:
        """Return the power that goes into the energy of the barrier (W; W/m2 on a line). Collective."""
        (b1, b2), area = self.barrier.field_like, problem.system.measures[self.pair] * problem.domain.depth
        mean, square = face_voltage(problem.system, list(w), self.pair, VOLTAGE)
        return float(area * (self.current * mean - self.rate * (b1 * mean + b2 * square)))


def charging(problem: DeviceState, velocities: Mapping[str, Array], voltage: Mapping[str, float]) -> list[Charging]:
    """Return how magnets that turn charge the barriers that have a field-like torque.

    Parameters
    ----------
    velocities
        Angular velocities by layer (rad/s).
    voltage
        Voltages of the barriers at rest, by the names of their layers; 0 where none is given.
    """
    out = []
    for pair, barrier in barriers(problem.stack, list(problem.domain.interfaces)).items():
        b1, b2 = barrier.field_like
        if b1 or b2:
            a, b = check_directions(problem.stack, pair)
            turning = velocities.get(pair[0], np.zeros(3)) - velocities.get(pair[1], np.zeros(3))
            rate = float(np.cross(a, b) @ turning)
            out.append(Charging(pair, barrier, rate, (b1 + 2 * b2 * voltage.get("|".join(pair), 0.0)) * rate))
    return out


def report(problem: DeviceState, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the voltage and the TMR of every barrier, by the names of its layers. Collective.

    Raises
    ------
    SolverError
        If a voltage is beyond a barrier's table.
    """
    voltages, tmr = {}, {}
    for pair, barrier in barriers(problem.stack, list(problem.domain.interfaces)).items():
        name = "|".join(pair)
        mean = float(face_voltage(problem.system, list(fields.values()), pair, VOLTAGE)[0])
        if barrier.table is not None:
            low, high = barrier.table.span
            if not low <= mean <= high:
                raise SolverError(
                    f"interface '{name}': {mean:.4g} V over the barrier is beyond its table, {low:g} to {high:g} V; "
                    "try a smaller drive, or a longer table"
                )
        voltages[name] = mean
        ratio = barrier.tmr_at(mean)
        tmr[name] = ratio if np.isfinite(ratio) else None
    return {"barrier_voltage": voltages, "tmr": tmr} if voltages else {}
