"""Tunnel barriers in the vector model: currents of charge and spins between two magnets, and the torques on both.

With the spin potentials on both sides, tunnelling that conserves the spin dissipates per area

    p = 2 G0 Tr[rho_a D rho_b D],    rho = (1 + P m.sigma)/2,    D = [c] + [s].sigma,

with [x] the step from side a to side b. In the spin states of the two magnets this is a sum over four ways to tunnel,
each a conductance times the squared modulus of <i_a|D|j_b>, so that the law is a list of mechanisms at any angle, and
the voltage changes their coefficients only. Where magnets absorb transverse spins at the face, the spin potential of a
side is s along its magnetization, and across it what the magnet holds while it turns, (hbar/2e) w (docs/theory.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..onsager.declaration import Direction, InterfaceLaw, JumpLaw, Mechanism, Side
from ..stack import Stack
from ..tunnel import TunnelBarrier
from .spins import SPIN

type Array = NDArray[np.float64]

NAME = "tunnelling"
"""Name of the mechanisms of a barrier, whose power is reported as one."""

VOLTAGE: dict[Side, float] = {(0, "c"): 1.0, (1, "c"): -1.0}
"""Weights of the voltage of a barrier, phi_a - phi_b."""

_PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])


def spinors(m: Direction) -> NDArray[np.complex128]:
    """Return the states with the spin along m and against it, as the rows of a matrix."""
    x, y, z = m
    # Of two formulas for one state, the one that does not cancel.
    up = np.array([1 + z, x + 1j * y]) if z >= 0 else np.array([x - 1j * y, 1 - z])
    up = up / np.linalg.norm(up)
    return np.array([up, [-up[1].conj(), up[0].conj()]])


@dataclass(frozen=True)
class _Conductances:
    """Coefficients of the mechanisms of a barrier, two for each way to tunnel that is there."""

    barrier: TunnelBarrier
    ways: tuple[int, ...]  # of :meth:`TunnelBarrier.golden_rule`

    def __call__(self, voltage: Array) -> tuple[Array, Array]:
        values, slopes = self.barrier.golden_rule(voltage)
        return values[list(self.ways)], slopes[list(self.ways)]


def barrier_law(barrier: TunnelBarrier, a: Direction, b: Direction, *, absorbed: bool) -> InterfaceLaw:
    """Return the law of a tunnel barrier between two magnets.

    Parameters
    ----------
    barrier
        Its a is side 0.
    a, b
        Directions of the magnetizations of the two sides.
    absorbed
        True if the magnets take transverse spins at the face; else these enter them.

    Returns
    -------
    InterfaceLaw
        Mechanisms at V -> 0, and the law of their coefficients where these follow V.
    """
    rest, _ = barrier.golden_rule(0.0)
    left, right = spinors(a), spinors(b)
    along = (np.array(a), np.array(b))
    mechanisms: list[Mechanism[Side]] = []
    ways: list[int] = []
    for way, (i, j) in enumerate((i, j) for i in (0, 1) for j in (0, 1)):
        charge = left[i].conj() @ right[j]
        spin = np.array([left[i].conj() @ p @ right[j] for p in _PAULI])
        # The phase is free: real overlaps leave fewer weights.
        largest = max((charge, *spin), key=abs)
        phase = largest.conjugate() / abs(largest)
        for part in (np.real, np.imag):
            on_charge, on_spin = float(part(charge * phase)), np.asarray(part(spin * phase), dtype=float)
            weights: dict[Side, float] = {}
            held: dict[Side, float] = {}
            for side, sign, m in ((0, 1.0, along[0]), (1, -1.0, along[1])):
                own = m * (m @ on_spin) if absorbed else on_spin
                _put(weights, side, ("c", *SPIN), sign * np.array([on_charge, *own]))
                _put(held, side, SPIN, sign * (on_spin - own))
            if weights or held:
                mechanisms.append(Mechanism(NAME, float(rest[way]), weights or {(0, "c"): 0.0}, held=held))
                ways.append(way)
    jumps = () if barrier.ohmic else (JumpLaw(NAME, VOLTAGE, _Conductances(barrier, tuple(ways))),)
    return InterfaceLaw(tuple(mechanisms), jumps=jumps)


def _put(weights: dict[Side, float], side: int, fields: Sequence[str], values: Array) -> None:
    """Add the weights of one side that are not rounding."""
    weights.update({(side, f): float(x) for f, x in zip(fields, values, strict=True) if abs(x) > 1e-15})


def barriers(stack: Stack, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], TunnelBarrier]:
    """Return the tunnel barriers of a device, with a the first layer of the pair."""
    faces = ((pair, stack.interface(*pair)) for pair in pairs)
    return {pair: face.tunnel for pair, face in faces if face is not None and face.tunnel is not None}


def follows_voltage(stack: Stack, pairs: Sequence[tuple[str, str]]) -> bool:
    """Return whether a barrier makes currents or torques that are not proportional to the voltage."""
    return any(not b.ohmic or b.field_like[1] for b in barriers(stack, pairs).values())


def check_directions(stack: Stack, pair: tuple[str, str]) -> tuple[Direction, Direction]:
    """Return the directions of the magnets of a barrier; refuse those that vary.

    Raises
    ------
    InputError
        If a magnetization varies.
    """
    directions = []
    for n in pair:
        direction = stack[n].direction
        if direction is None:
            raise InputError(
                f"interface '{'|'.join(pair)}': a tunnel barrier needs uniform magnets, and that of '{n}' varies"
            )
        directions.append(direction)
    return directions[0], directions[1]
