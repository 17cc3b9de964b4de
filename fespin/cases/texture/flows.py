"""Carriers of a case between the two ends of its wire: what they carry, measured as the flow of an Ohmic circuit is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...constants import ELEMENTARY_CHARGE
from ...texture import Electrode, Flow, Grid, IrreversibleProblem, IrreversibleState
from ..metal import make_metal
from ..tasks import Results
from .carriers import make_law

type Array = NDArray[Any]


@dataclass
class CarrierCircuit:
    """Carriers of a generic or a two-band magnet between the ends of a wire.

    Attributes
    ----------
    grid
        Grid of the wire.
    problem
        Equations of the carriers.
    """

    grid: Grid
    problem: IrreversibleProblem

    @classmethod
    def of(cls, wire: Any, *, opened: bool) -> CarrierCircuit:
        """Return the carriers of a wire, driven as the case says, or without a current. Collective."""
        table = wire.table
        law = make_law(table.carriers, wire.magnet)
        thermal = "theta" in law.fields

        def electrode(end: int, name: str, **drive: float) -> Electrode:
            lead, given = table.lead.get(name), dict[str, Any](drive)
            if lead is not None and thermal:
                given["temperature"] = lead.temperature
                given["heat"] = None if lead.heat is None else lead.heat * wire.section
            if lead is not None and "s" in law.fields:
                given["spin"] = make_metal(lead.metal) if lead.metal is not None else lead.spin
            return Electrode(wire.end(end), **given)

        current = 0.0 if opened else -(table.current_density or 0.0) * wire.section
        ends = {"left": electrode(0, "left", voltage=0.0), "right": electrode(1, "right", current=current)}
        return cls(wire.grid, IrreversibleProblem(wire.grid, law, ends))

    def flow(self, state: IrreversibleState) -> Flow:
        """Return what a state of the carriers is as a flow; the potential is the mean of the bands'."""
        density = state.local.current_density
        potential = np.asarray(sum(state.potentials.values()) / len(state.potentials))
        heat = sum(state.dissipation.values())
        return Flow(potential, density, np.zeros_like(density), state.voltages, state.currents, heat, state.supplied)

    def at_rest(self, directions: Array, ms: float, t: float) -> Flow:
        """Return the flow of the same drive through the texture (owned, 3) without a field that pumps. Collective."""
        return self.flow(self.problem.solve(ms * directions, (0.0, 0.0, 0.0), t))

    def pumped(self, directions: Array, ms: float, field: Array) -> Flow:
        """Return the flow of a texture (owned, 3) in a field (3,) in T; its part across m counts. Collective."""
        return self.flow(self.problem.solve(ms * directions, tuple(field)))

    def voltage(self, flow: Flow, first: str, second: str) -> float:
        """Return the voltage (V) of one end against the other."""
        return flow.voltages[first] - flow.voltages[second]

    def probe(self, points: Array) -> Callable[[Flow], Array]:
        """Return a function that gives the potential (V) at points inside, (n,), on all ranks."""
        read = self.grid.reader(points)
        return lambda flow: read(flow.potential)

    def destroy(self) -> None:
        """Free the factors."""
        self.problem.destroy()


def told(state: IrreversibleState, section: float) -> Results:
    """Return what summary.json holds of carriers."""
    return {
        "voltages": state.voltages,
        "temperatures": state.temperatures,
        "heats": {k: v / section for k, v in state.heats.items()},
        "spin_currents": {k: v / section for k, v in state.spin_currents.items()},
        "dissipation": state.dissipation,
        "stored": state.stored,
        "balance": state.balance,
    }


def columns(state: IrreversibleState, capacitance: float) -> dict[str, Array]:
    """Return values at this rank's own nodes (owned,) by name, for a table and a picture."""
    out: dict[str, Array] = {
        f"potential_{k}_V" if k != "phi" else "potential_V": v for k, v in state.potentials.items()
    }
    if "up" in state.potentials:
        out["accumulation_V"] = 2 * state.spins
        # Of a band that holds C (phi_up - phi_down); electrons are negative.
        out |= {"n_up_1_per_m3": -2 * capacitance * state.spins / ELEMENTARY_CHARGE} if capacitance else {}
    if state.temperatures:
        out["temperature_K"] = state.temperature
    torque = state.local.torque
    return out | {f"torque_{a}_A_per_m_s": torque[:, i] for i, a in enumerate("xyz")}
