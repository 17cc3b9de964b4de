"""Solve a transport model on a domain: spaces, matrices and solver, reused over states and drives."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from ..device import Contact
from ..domain import Domain, sample
from ..errors import InputError, SolverError, nearest
from ..onsager.declaration import Declaration
from ..onsager.power import dissipation, end_mean, face_mean, moments, nonequilibrium_power
from ..onsager.system import System
from ..onsager.terminals import Solved, Terminal, TerminalSolver
from ..onsager.transient import Evolution, evolve
from ..solvers import SolverOptions
from ..stack import Stack
from .hot import Hot, HotForms, HotResult, solve_hot
from .model import TransportModel
from .solution import TransportSolution
from .thermoelectric import Thermoelectric
from .two_channel import TwoChannel


class TransportProblem:
    """Spin transport through a device. The constructor is collective.

    Parameters
    ----------
    domain
        Mesh and layers.
    model
        Default :class:`TwoChannel`.
    contacts
        What each contact of the domain is, such as ``Contact("lead")`` or "lead"; those not listed are reservoirs.
    degree
        Polynomial degree.
    solver
        How linear systems are solved.

    Raises
    ------
    InputError
        If a contact is unknown, or a lead touches several layers.

    Examples
    --------
    >>> problem = TransportProblem(domain, contacts={"bottom": Contact("lead")})
    >>> solution = problem.solve(current_density=1e11)
    >>> problem.magnetize({"free": (0, 0, -1)})
    >>> antiparallel = problem.solve(current_density=1e11)
    """

    def __init__(
        self,
        domain: Domain,
        model: TransportModel | None = None,
        *,
        contacts: Mapping[str, Contact | str] | None = None,
        degree: int = 2,
        solver: SolverOptions | None = None,
    ) -> None:
        if not isinstance(degree, int) or degree < 1:
            raise InputError(f"degree is {degree}; it must be an integer of at least 1")
        self.domain, self.stack = domain, domain.stack
        self.model: TransportModel = model or TwoChannel()
        for pair, key in domain.stack.given.items():
            if pair not in {frozenset(p) for p in domain.interfaces}:
                raise InputError(f"interface '{key}': these layers do not touch")
        given = {k: Contact(c) if isinstance(c, str) else c for k, c in (contacts or {}).items()}
        for k in given:
            if k not in domain.contacts:
                raise InputError(f"contact '{k}' is not in the geometry; {nearest(k, domain.contacts)}")
        self.contacts: dict[str, tuple[Contact, str]] = {}
        for k in domain.contacts:
            touched = domain.contact_regions(k)
            contact = given.get(k, Contact())
            if len(touched) > 1 and contact.spin == "lead":
                raise InputError(f"contact '{k}' touches the layers {', '.join(touched)}; a lead continues one layer")
            self.contacts[k] = (contact, touched[0])
        self.system = System(domain, self._declare(self.stack), degree)
        self.options = solver or SolverOptions()
        self.solver = TerminalSolver(self.system, self.options)
        self._hot_forms: HotForms | None = None

    def _declare(self, stack: Stack) -> Declaration:
        return self.model.declare(stack, self.contacts, list(self.domain.interfaces))

    def magnetize(self, directions: Mapping[str, Sequence[float]]) -> None:
        """Turn magnetizations, by layer name; the others stay as they are. Collective.

        Raises
        ------
        InputError
            If a layer is unknown or not a ferromagnet.
        """
        # What is refused must leave the old state whole.
        stack = self.stack.magnetized(directions)
        declaration = self._declare(stack)
        if self.system.compatible(declaration):
            self.solver.refresh(self.system.redeclare(declaration))
        else:
            # Some fields end elsewhere now, such as d channels between magnets that touch.
            system = System(self.domain, declaration, self.system.degree)
            self.solver.destroy()
            self.system, self.solver = system, TerminalSolver(system, self.options)
        self.stack = stack

    def drive(
        self,
        current_density: float | None = None,
        current: float | None = None,
        voltage: float | None = None,
    ) -> dict[str, Terminal]:
        """Return the drive between "bottom" and "top"; the current flows upwards, the top is at 0.

        Raises
        ------
        InputError
            If not exactly one is given, or the contacts are others than "bottom" and "top".
        """
        values = {"current_density": current_density, "current": current, "voltage": voltage}
        given = [k for k, v in values.items() if v is not None]
        if len(given) != 1:
            raise InputError(f"drive: give exactly one of {', '.join(values)}; found {' and '.join(given) or 'none'}")
        if set(self.contacts) != {"bottom", "top"}:
            raise InputError(f"drive: give each of the contacts {', '.join(self.contacts)} a voltage or a current")
        if voltage is not None:
            return {"bottom": Terminal(voltage=voltage), "top": Terminal(voltage=0.0)}
        if current_density is not None:
            current = current_density * self.domain.area
        return {"bottom": Terminal(current=current), "top": Terminal(voltage=0.0)}

    def solve(
        self,
        *,
        current_density: float | None = None,
        current: float | None = None,
        voltage: float | None = None,
        terminals: Mapping[str, Terminal] | None = None,
        driven: tuple[str, str] | None = None,
    ) -> TransportSolution:
        """Solve one state. Collective.

        Parameters
        ----------
        current_density
            A/m2 through the cross-section, upwards.
        current, voltage
            A (A/m2 on a line) and V, bottom against top.
        terminals
            Instead: what drives each contact.
        driven
            With `terminals`, between which contacts voltage and resistance are taken; default those
            where most current enters and leaves.

        Raises
        ------
        InputError
            If the drive is not complete.
        SolverError
            If the solver does not converge.
        """
        if terminals is None:
            terminals = self.drive(current_density, current, voltage)
            driven = ("bottom", "top")
        elif not (current_density is current is voltage is None):
            raise InputError("drive: give terminals or one of current_density, current, voltage, not both")
        for k in terminals:
            if k not in self.contacts:
                raise InputError(f"contact '{k}' is not in the geometry; {nearest(k, self.contacts)}")
        before = self.solver.iterations
        solved = self.solver.solve(terminals)
        hot = self._heat_up(solved, terminals)
        if hot is not None:
            solved = hot.solved
        w, volts, amps = solved.fields, solved.voltages, solved.currents
        if driven is None:
            driven = self._driven(amps)
        m = moments(self.system, w)
        if hot is None:
            power = dissipation(self.system.declaration, m)
            put_in = solved.power
            balance = power.total / put_in - 1 if put_in else 0.0
        else:
            power, put_in, balance = hot.work, sum(volts[k] * amps[k] for k in volts), hot.work_balance
        if not abs(balance) < 1e-6:
            raise SolverError(
                f"transport: the dissipated power {power.total:.6g} is not the power put in, {put_in:.6g}; "
                "try the solver kind 'direct', or a smaller rtol"
            )
        layer_drops, interface_drops = self._drops(w)
        current, nonequilibrium = amps[driven[0]], None
        if current and len(self.contacts) == 2 and self.system.declaration.thermal is None:
            spin_power = nonequilibrium_power(self.system.declaration, m)
            nonequilibrium = spin_power / current**2 * self.domain.area
        solution = TransportSolution(
            stack=self.stack,
            domain=self.domain,
            fields=dict(zip(self.system.fields, w, strict=True)),
            channels=self.model.channels,
            voltages=volts,
            currents=amps,
            temperatures=solved.temperatures,
            heats=solved.heats,
            driven=driven,
            dissipation=power,
            power_balance=balance,
            accumulation=self._accumulation(w),
            layer_drops=layer_drops,
            interface_drops=interface_drops,
            channel_currents=self._channel_currents(w, self.system if hot is None else hot.hot),
            r_nonequilibrium=nonequilibrium,
            present={
                r: frozenset(k for k, w in self.model.channels.weights.items() if set(w) <= m.fields)
                for r, m in self.system.declaration.media.items()
            },
            iterations=self.solver.iterations - before,
            dofs=self.system.dofs,
        )
        report = self.model.report(self, solution)
        if hot is not None:
            report |= {
                "entropy_production": hot.entropy.by_mechanism,
                "energy_balance": hot.energy_balance,
                "newton_steps": hot.steps,
            }
        return replace(solution, report=report)

    def _heat_up(self, linear: Solved, terminals: Mapping[str, Terminal]) -> HotResult | None:
        """Go on from the linear solution to that with heat produced, if the model wants it. Collective."""
        if not (isinstance(self.model, Thermoelectric) and self.model.nonlinear):
            return None
        if self._hot_forms is None:
            self._hot_forms = HotForms(self.system.base, self.model.temperature)
        hot = Hot(self.system, self._hot_forms, self.stack)
        return solve_hot(hot, *self.solver.imposed(terminals), linear, self.options)

    def _driven(self, amps: Mapping[str, float]) -> tuple[str, str]:
        """Return the two contacts between which the resistance is taken; rounding does not decide."""
        if amps.keys() == {"bottom", "top"}:
            return ("bottom", "top")
        names, least = list(amps), 1e-9 * max(abs(i) for i in amps.values())

        def first(sign: int, but: str = "") -> str:
            strongest = max(sign * amps[k] for k in names if k != but)
            return next(k for k in names if k != but and sign * amps[k] >= strongest - least)

        source = first(+1)
        return source, first(-1, source)

    def evolve(
        self,
        drive: Callable[[float], Mapping[str, Terminal]],
        duration: float,
        *,
        initial: TransportSolution | None = None,
        first_step: float | None = None,
        max_step: float | None = None,
        tolerance: float = 1e-4,
        breakpoints: Sequence[float] = (),
        each: Callable[[float, Mapping[str, fem.Function]], None] | None = None,
    ) -> Evolution:
        """Follow the potentials in time, with the spin capacity of the materials. Collective.

        Leads and reservoirs answer at once. See :func:`fespin.onsager.transient.evolve`.

        Parameters
        ----------
        drive
            What drives each contact at a time (s).
        duration
            How long (s).
        initial
            Where to start; default: no potentials.
        first_step, max_step, tolerance
            First and longest step (s), by default a thousandth and a fiftieth of the duration, and the
            relative error of a step.
        breakpoints
            Times at which the drive jumps (s): no step goes across one. A pulse that is shorter than
            `max_step` and not announced here can be missed.
        each
            Called after every step with the time and the fields by name.

        Raises
        ------
        InputError
            If a layer's material has no density of states.
        """
        start = None if initial is None else [initial.fields[f] for f in self.system.fields]
        return evolve(
            self.system,
            drive,
            duration,
            initial=start,
            first_step=first_step,
            max_step=max_step,
            tolerance=tolerance,
            breakpoints=breakpoints,
            each=None if each is None else lambda t, w: each(t, dict(zip(self.system.fields, w, strict=True))),
            options=self.options,
        )

    # ---- reports
    def _accumulation(self, w: Sequence[fem.Function]) -> dict[tuple[str, str], tuple[float, float]]:
        """Return the spin accumulation on both sides at the centres of interfaces."""
        out = {}
        for pair in self.domain.interfaces:
            at = self.domain.interface_centre(pair)[None]
            weights = [self.system.vector(self.model.accumulation(self.stack, r)) for r in pair]
            below, above = (float(x @ sample(w, self.domain, at, r)[:, 0]) for x, r in zip(weights, pair, strict=True))
            out[pair] = (below, above)
        return out

    def face_mean(
        self, solution: TransportSolution, pair: tuple[str, str], side: int, weights: Mapping[str, float]
    ) -> float:
        """Return the mean over one side of an interface of a combination of fields. Collective."""
        return sum(x * face_mean(self.system, solution.fields[f], pair, side) for f, x in weights.items())

    def end_mean(self, solution: TransportSolution, contact: str, weights: Mapping[str, float]) -> float:
        """Return the mean over a contact of a combination of fields. Collective."""
        return sum(x * end_mean(self.system, solution.fields[f], contact) for f, x in weights.items())

    def on_axis(
        self, solution: TransportSolution, layer: str, heights: NDArray[np.float64], weights: Mapping[str, float]
    ) -> NDArray[np.float64]:
        """Return a combination of fields at heights (m) in a layer, on the axis of the device. Collective."""
        values = sample(list(solution.fields.values()), self.domain, self.domain.axis(heights), layer)
        return np.asarray(self.system.vector(weights) @ values)

    def _weights(self, layer: str) -> NDArray[np.float64]:
        """Return K q/(q^T K q): the potential that it weights falls by Ohm's law alone in a layer."""
        i = self.system.domain.regions.index(layer)
        q = self.system.fields.index(self.system.declaration.charge)
        row = self.system.coefficients.conduction[i, q]
        return np.asarray(row / row[q])

    def _drops(self, w: Sequence[fem.Function]) -> tuple[dict[str, float], dict[tuple[str, str], float]]:
        """Return layer and interface drops of a stack in order, from bottom to top; else nothing."""
        names, system = self.domain.regions, self.system
        pairs = list(itertools.pairwise(names))
        if set(pairs) != set(self.domain.interfaces) or set(self.contacts) != {"bottom", "top"}:
            return {}, {}

        def face(pair: tuple[str, str], side: int) -> float:
            means = [face_mean(system, f, pair, side) for f in w]
            return float(self._weights(pair[side]) @ means)

        def end(contact: str, layer: str) -> float:
            return float(self._weights(layer) @ [end_mean(system, f, contact) for f in w])

        below = [face(p, 0) for p in pairs]
        above = [face(p, 1) for p in pairs]
        bottoms = [end("bottom", names[0]), *above]
        tops = [*below, end("top", names[-1])]
        layers = {n: a - b for n, a, b in zip(names, bottoms, tops, strict=True)}
        return layers, {p: a - b for p, a, b in zip(pairs, below, above, strict=True)}

    def _channel_currents(self, w: Sequence[fem.Function], system: System | Hot) -> dict[str, dict[str, float]]:
        """Return the current of each channel through interfaces, and into contacts on one layer."""
        out = {}
        for pair, entities in self.domain.interfaces.items():
            facets = entities.reshape(-1, 4)[:, 2:].ravel()
            out["|".join(pair)] = system.region_flux(w, pair[1], facets)
        for k, (_, layer) in self.contacts.items():
            if len(self.domain.contact_regions(k)) == 1:
                out[k] = system.region_flux(w, layer, self.domain.contact_entities[k])
        return {k: self.model.channels.currents(f * self.domain.depth) for k, f in out.items()}

    def destroy(self) -> None:
        """Free matrices and solver. Collective."""
        self.solver.destroy()
