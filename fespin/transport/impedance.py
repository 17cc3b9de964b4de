"""The answer of a device to an alternating drive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from ..domain import sample
from ..errors import InputError, SolverError
from ..onsager.harmonic import IMAGINARY, harmonic, imaginary
from ..onsager.power import Dissipation, dissipation_of
from ..onsager.system import System
from ..onsager.terminals import Terminal, TerminalSolver
from ..quantities import is_finite
from .model import DeviceState

type Pair = tuple[str, str]


@dataclass(frozen=True)
class HarmonicResponse:
    """Complex amplitudes of exp(+i omega t).

    On a line currents are current densities (A/m2) and powers are per area (W/m2).

    Attributes
    ----------
    frequency
        Hz.
    voltages, currents
        Amplitudes at every contact (V, A), currents into the device.
    between
        The two contacts of the impedance.
    area
        The cross-section (m2; 1 on a line).
    fields
        Real and imaginary parts of the unknowns.
    accumulation
        phi_up - phi_dn (V) on the two sides of every interface, at its centre.
    dissipation
        Mean power by place and mechanism, over a period.
    power_balance
        (mean dissipated power)/(mean of V I) - 1.
    """

    frequency: float
    voltages: Mapping[str, complex]
    currents: Mapping[str, complex]
    between: tuple[str, str]
    area: float
    fields: Mapping[str, tuple[fem.Function, fem.Function]]
    accumulation: Mapping[Pair, tuple[complex, complex]]
    dissipation: Dissipation
    power_balance: float

    def __repr__(self) -> str:
        impedance = f"A Z = {self.impedance_area:.6g} ohm m2, " if self.impedance_area is not None else ""
        return f"<HarmonicResponse: {self.frequency:.6g} Hz, {impedance}power balance {self.power_balance:.1e}>"

    @property
    def impedance_area(self) -> complex | None:
        """Voltage over current density between the driven contacts (ohm m2); None if no current flows."""
        a, b = self.between
        current = self.currents[a]
        return (self.voltages[a] - self.voltages[b]) / current * self.area if current else None


class Harmonic:
    """Alternating drives of a problem in its present state; matrices' patterns are kept over frequencies.

    The constructor is collective.

    Raises
    ------
    InputError
        If a layer stores nothing: its material needs a density of states.
    """

    def __init__(self, problem: DeviceState) -> None:
        for region, medium in problem.system.declaration.media.items():
            if not medium.storage:
                raise InputError(
                    f"layer '{region}' stores no spins: give its material a density_of_states, "
                    "or with heat a heat_capacity"
                )
        self.problem = problem
        self._touched = {k: region for k, (_, region) in problem.contacts.items()}
        self._system: System | None = None
        self._solver: TerminalSolver | None = None

    def _ready(self, frequency: float) -> tuple[System, TerminalSolver]:
        problem = self.problem
        declaration = harmonic(problem.system.declaration, self._touched, frequency)
        if self._system is not None and self._solver is not None and self._system.compatible(declaration):
            self._solver.refresh(self._system.redeclare(declaration))
            return self._system, self._solver
        self.destroy()
        self._system = System(problem.domain, declaration, problem.system.degree)
        self._solver = TerminalSolver(self._system, problem.options, "harmonic")
        return self._system, self._solver

    def solve(self, frequency: float, terminals: Mapping[str, Terminal], between: tuple[str, str]) -> HarmonicResponse:
        """Solve at one frequency (Hz); the drives' phases are zero. Collective.

        Raises
        ------
        InputError
            If the frequency is not positive, or a drive is incomplete.
        SolverError
            If a solve does not converge.
        """
        if not is_finite(frequency) or frequency <= 0:
            raise InputError(f"frequency is {frequency!r}; it must be finite and positive (Hz)")
        system, solver = self._ready(frequency)
        potentials, fluxes = solver.imposed(terminals)
        for port in solver.ports:
            if port[1].endswith(IMAGINARY):
                real = (port[0], port[1].removesuffix(IMAGINARY))
                (potentials if real in potentials else fluxes)[port] = 0.0
        found = solver.solve_ports(potentials, fluxes)
        charge = self.problem.system.declaration.charge

        def complex_of(of: Mapping[tuple[str, str], float]) -> dict[str, complex]:
            return {k: complex(of[k, charge], of[k, imaginary(charge)]) for k in self.problem.contacts}

        power = dissipation_of(system, found.fields)
        balance = power.total / found.power - 1 if found.power else 0.0
        if not abs(balance) < solver.allowed_imbalance:
            raise SolverError(
                f"harmonic: the dissipated power {power.total:.6g} is not the power put in, {found.power:.6g}; "
                "try the solver kind 'direct', or a smaller rtol"
            )
        n = len(found.fields) // 2
        names = self.problem.system.fields
        return HarmonicResponse(
            frequency,
            complex_of(found.potentials),
            complex_of(found.fluxes),
            between,
            self.problem.domain.area,
            {k: (re, im) for k, re, im in zip(names, found.fields[:n], found.fields[n:], strict=True)},
            self._accumulation(found.fields),
            Dissipation({k: p / 2 for k, p in power.parts.items()}),
            balance,
        )

    def _accumulation(self, w: list[fem.Function]) -> dict[Pair, tuple[complex, complex]]:
        problem, n = self.problem, len(w) // 2
        out = {}
        for pair in problem.domain.interfaces:
            at = problem.domain.interface_centre(pair)[None]
            sides = []
            for r in pair:
                weights: NDArray[np.float64] = problem.system.vector(problem.model.accumulation(problem.stack, r))
                values = sample(w, problem.domain, at, r)[:, 0]
                sides.append(complex(weights @ values[:n], weights @ values[n:]))
            out[pair] = (sides[0], sides[1])
        return out

    def destroy(self) -> None:
        """Free matrices and solver. Collective."""
        if self._solver is not None:
            self._solver.destroy()
        self._solver = self._system = None
