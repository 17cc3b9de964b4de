"""Solve a transport model on a domain: spaces, matrices and solver, reused over states and drives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from ..device import Contact, Field
from ..domain import Domain, sample
from ..errors import InputError, SolverError, nearest
from ..onsager.applied import in_plane_fluxes
from ..onsager.declaration import Declaration, Medium
from ..onsager.jumps import held_residual
from ..onsager.power import Dissipation, Moments, dissipation_of, means, moments, nonequilibrium_power
from ..onsager.products import CellProducts
from ..onsager.state_laws import StateForms, StateSolution, StateSystem
from ..onsager.system import System
from ..onsager.terminals import Solved, Terminal, TerminalSolver
from ..onsager.transient import Evolution, evolve
from ..quantities import Vector3, is_finite
from ..solvers import SolverOptions
from ..stack import Stack
from . import reports
from .exact import exact_solution
from .impedance import Harmonic, HarmonicResponse
from .model import TransportModel
from .solution import TransportSolution
from .two_channel import TwoChannel

# A larger share of the current than this, lost to rounding at an interface, is no result.
_LOST = 1e-6


class TransportProblem:
    """Spin transport through a device. The constructor is collective.

    Parameters
    ----------
    domain
        Mesh and layers.
    model
        Default :class:`TwoChannel`.
    contacts
        Kind of each contact of the domain, such as ``Contact("lead")`` or "lead"; those not listed are reservoirs.
    degree
        Polynomial degree.
    solver
        Choices about linear systems.

    Raises
    ------
    InputError
        If a contact is unknown, or a lead touches several layers.

    Examples
    --------
    >>> domain = fs.line(comm, stack)
    >>> problem = fs.TransportProblem(domain, contacts={"bottom": "lead", "top": "lead"})
    >>> parallel = problem.solve(current_density=1e11)
    >>> problem.magnetize({"free": (0, 0, -1)})
    >>> antiparallel = problem.solve(current_density=1e11)
    >>> print(f"{1 - parallel.resistance_area / antiparallel.resistance_area:.3f}")
    0.081
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
        if isinstance(model, type) or not (model is None or hasattr(model, "declare")):
            raise InputError(f"model is {model!r}; give a model, such as fespin.TwoChannel()")
        self.model: TransportModel = model or TwoChannel()
        touching = {frozenset(p) for p in domain.interfaces}
        for pair, key in domain.stack.given.items():
            if pair not in touching:
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
            if contact.normal is None:
                contact = replace(contact, normal=domain.contact_normal(k))
            self.contacts[k] = (contact, touched[0])
        self.system = System(domain, self._declare(self.stack), degree)
        self.options = solver or SolverOptions()
        self.solver = TerminalSolver(self.system, self.options)
        self._state_forms: dict[Any, StateForms] = {}
        self._harmonic: Harmonic | None = None
        # What is being reported, with its means, which many reports need.
        self._reported: tuple[Mapping[str, fem.Function], Mapping[Any, NDArray[np.float64]]] | None = None

    def _declare(self, stack: Stack) -> Declaration:
        declaration = self.model.declare(stack, self.contacts, list(self.domain.interfaces))
        for k, (contact, layer) in self.contacts.items():
            if contact.spin == "lead" and contact.normal is None and _needs_normal(declaration.media[layer]):
                raise InputError(
                    f"contact '{k}' is not flat: a lead continues layer '{layer}', whose conduction depends on the "
                    "direction, along one normal; give Contact(normal=...)"
                )
        return declaration

    def declaration_at(self, directions: Mapping[str, Sequence[float] | Field]) -> Declaration:
        """Return the declaration with some magnetizations turned; the problem stays as it is."""
        return self._declare(self.stack.magnetized(directions))

    def magnetize(self, directions: Mapping[str, Sequence[float] | Field]) -> None:
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

    @contextmanager
    def within(self, tolerance: float) -> Iterator[None]:
        """Solve as a tolerance needs it for a while (a context manager). Collective.

        The residual is reduced to a ten-thousandth of it, by which torques' errors are some hundred times smaller than
        the tolerance; a solver that was asked for less than the default keeps its `rtol`. Pumping takes one pass.

        Parameters
        ----------
        tolerance
            Error of torque, resistance and pumping, relative to their largest values.
        """
        before, needed = self.options, 1e-4 * tolerance
        rtol = needed if before.rtol >= SolverOptions().rtol else min(before.rtol, needed)
        self.options = replace(before, rtol=rtol)
        self.solver.reduce_by(rtol, 0.1 * tolerance)
        try:
            yield
        finally:
            self.options = before
            self.solver.reduce_by(before.rtol)

    def drive(
        self,
        current_density: float | None = None,
        current: float | None = None,
        voltage: float | None = None,
        *,
        in_plane: bool = False,
    ) -> dict[str, Terminal]:
        """Return the drive between "bottom" and "top"; the current flows upwards, the top is at 0.

        Parameters
        ----------
        current_density, current, voltage
            Exactly one of them (A/m2, A, V).
        in_plane
            True if a field in the plane drives the device: none of them then means no current upwards.

        Raises
        ------
        InputError
            If not exactly one is given, or the contacts are others than "bottom" and "top".
        """
        values = {"current_density": current_density, "current": current, "voltage": voltage}
        given = [k for k, v in values.items() if v is not None]
        if not given and in_plane:
            current, given = 0.0, ["current"]
        if len(given) != 1:
            raise InputError(f"drive: give exactly one of {', '.join(values)}; found {' and '.join(given) or 'none'}")
        if values[given[0]] is not None and not is_finite(values[given[0]]):
            raise InputError(f"drive: {given[0]} is {values[given[0]]!r}; it must be a finite number")
        if set(self.contacts) != {"bottom", "top"}:
            raise InputError(f"drive: give each of the contacts {', '.join(self.contacts)} a voltage or a current")
        if voltage is not None:
            return {"bottom": Terminal(voltage=voltage), "top": Terminal(voltage=0.0)}
        if current_density is not None:
            current = current_density * self.domain.area
        return {"bottom": Terminal(current=current), "top": Terminal(voltage=0.0)}

    def _terminals(
        self,
        terminals: Mapping[str, Terminal] | None,
        current_density: float | None,
        current: float | None,
        voltage: float | None,
        between: tuple[str, str] | None,
        in_plane: bool = False,
    ) -> Mapping[str, Terminal]:
        """Return the drive of every contact; refuse what is given twice, and what to measure where nothing is."""
        if between is not None:
            if isinstance(between, str) or len(between) != 2 or between[0] == between[1]:
                raise InputError(f"between is {between!r}; it must be two contacts")
            for k in between:
                if k not in self.contacts:
                    raise InputError(f"between: contact '{k}' is not in the geometry; {nearest(k, self.contacts)}")
        if terminals is None:
            return self.drive(current_density, current, voltage, in_plane=in_plane)
        if not (current_density is current is voltage is None):
            raise InputError("drive: give terminals or one of current_density, current, voltage, not both")
        return terminals

    def solve(
        self,
        *,
        current_density: float | None = None,
        current: float | None = None,
        voltage: float | None = None,
        terminals: Mapping[str, Terminal] | None = None,
        between: tuple[str, str] | None = None,
        electric_field: Sequence[float] = (0.0, 0.0, 0.0),
    ) -> TransportSolution:
        """Solve one state. Collective.

        Where rounding spoils the solution on the mesh, two channels on a line are solved exactly, layer by layer; the
        solution's `notes` say so.

        Parameters
        ----------
        current_density
            A/m2 through the cross-section, upwards.
        current, voltage
            A (A/m2 on a line) and V, bottom against top.
        terminals
            Drive of each contact instead.
        between
            Two contacts between which voltage and resistance are taken; default those where most current
            enters and leaves.
        electric_field
            E (V/m) along axes that the mesh does not have, the same everywhere: on a line (Ex, Ey, 0) in the plane of
            the layers, on a section (0, Ey, 0). With it a drive is not needed: no current then flows upwards.

        Raises
        ------
        InputError
            If the drive is not complete, or the field is not three finite numbers or along an axis of the mesh.
        SolverError
            If the solver does not converge.
        """
        in_plane = self.apply(electric_field)
        try:
            terminals = self._terminals(terminals, current_density, current, voltage, between, in_plane)
            if in_plane:
                return self._solve(terminals, between)
        finally:
            # The field is that of this solve alone.
            self.apply()
        try:
            on_mesh = self._solve(terminals, between)
        except SolverError as error:
            why = str(error).removeprefix("transport: ").partition(";")[0]
            found = exact_solution(self, terminals, why)
            if found is None:
                raise
        else:
            found = exact_solution(self, terminals, on_mesh.notes[0]) if on_mesh.notes else None
            if found is None:
                return on_mesh
        return found if between is None else replace(found, between=between)

    def apply(self, electric_field: Sequence[float] = (0.0, 0.0, 0.0)) -> bool:
        """Give the device an electric field along axes that the mesh does not have; return whether there is one.

        Raises
        ------
        InputError
            If it is not three finite numbers (V/m), or along an axis of the mesh.
        """
        try:
            field = tuple(map(float, electric_field))
        except (TypeError, ValueError):
            field = ()
        if len(field) != 3 or not all(map(is_finite, field)):
            raise InputError(f"electric_field is {electric_field!r}; it must be three finite numbers (V/m)")
        charge = self.system.declaration.charge
        self.system.apply({charge: (field[0], field[1], field[2])} if any(field) else {})
        return any(field)

    def in_plane_currents(self, fields: Sequence[fem.Function]) -> dict[str, dict[str, Vector3]]:
        """Return the current of each channel in each layer along axes that the mesh does not have. Collective.

        Returns
        -------
        dict
            {layer: {channel: (x, y, z)}}: integral of the current density over the layer (A m; A/m on a line, per
            width of the film).
        """
        convert = self.model.channels.currents
        out: dict[str, dict[str, Vector3]] = {}
        for layer, fluxes in in_plane_fluxes(self.system, fields).items():
            x, y, z = (convert(column) for column in fluxes.T)
            out[layer] = {k: (x[k], y[k], z[k]) for k in x}
        return out

    def _solve(self, terminals: Mapping[str, Terminal], between: tuple[str, str] | None) -> TransportSolution:
        """Solve on the mesh. Collective."""
        before = self.solver.iterations
        solved, state, nonlinear = self.solved(terminals)
        fields = dict(zip(self.system.fields, solved.fields, strict=True))
        self._reported = (fields, means(self.system, solved.fields))
        try:
            return self._report(solved, state, nonlinear, fields, between, self.solver.iterations - before)
        finally:
            self._reported = None

    def solved(
        self,
        terminals: Mapping[str, Terminal],
        *,
        source: Sequence[fem.Function] | None = None,
        held: Mapping[tuple[str, str], NDArray[np.float64]] | None = None,
    ) -> tuple[Solved, StateSystem | None, StateSolution | None]:
        """Solve without reports. Collective.

        Parameters
        ----------
        terminals
            Drive of each contact.
        source
            Flux into each degree of freedom besides.
        held
            What turning magnets hold at interfaces (V), (side, field): :attr:`fespin.onsager.Mechanism.held`.

        Returns
        -------
        Solved
            The solution.
        StateSystem, StateSolution
            Of laws that follow the state; None without them.
        """
        declaration = self.system.declaration
        fed = source
        if held:
            fed = self.system.functions()
            for total, b, piece in zip(fed, source or fed, held_residual(self.system, held), strict=True):
                total.x.array[:] = b.x.array - piece.x.array
        solved = self.solver.solve(terminals, fed)
        if not declaration.nonlinear:
            return solved, None, None
        state = StateSystem(self.system, self._state_forms, source=source, held=held)
        nonlinear = state.solve(*self.solver.imposed(terminals), solved, self.options)
        return nonlinear.solved, state, nonlinear

    def _report(
        self,
        solved: Solved,
        state: StateSystem | None,
        nonlinear: StateSolution | None,
        fields: Mapping[str, fem.Function],
        between: tuple[str, str] | None,
        iterations: int,
    ) -> TransportSolution:
        """Return the solution with its reports. Collective."""
        w, volts, amps = solved.fields, solved.voltages, solved.currents
        if between is None:
            between = reports.driven_contacts(amps)
        products = CellProducts(self.system, w)
        m = moments(self.system, w, products)
        power, balance = self._balanced(solved, nonlinear, m)
        channel_currents = reports.channel_currents(self, w, state or self.system, products)
        lost = reports.lost_current(self, channel_currents, amps[between[0]])
        layer_drops, interface_drops = reports.drops(self, self.means(fields))
        current, nonequilibrium = amps[between[0]], None
        declaration = self.system.declaration
        plain = not (declaration.thermal or declaration.varying or declaration.applied or declaration.nonlinear)
        if current and len(self.contacts) == 2 and plain:
            spin_power = nonequilibrium_power(self.system.declaration, m)
            nonequilibrium = spin_power / current**2 * self.domain.area
        solution = TransportSolution(
            stack=self.stack,
            domain=self.domain,
            fields=fields,
            channels=self.model.channels,
            voltages=volts,
            currents=amps,
            temperatures=solved.temperatures,
            heats=solved.heats,
            between=between,
            dissipation=power,
            power_balance=balance,
            accumulation=reports.accumulation(self, fields),
            layer_drops=layer_drops,
            interface_drops=interface_drops,
            channel_currents=channel_currents,
            r_nonequilibrium=nonequilibrium,
            present={
                r: frozenset(k for k, w in self.model.channels.weights.items() if set(w) <= m.fields)
                for r, m in self.system.declaration.media.items()
            },
            spin={x.name: self.model.accumulation(self.stack, x.name) for x in self.stack},
            iterations=iterations,
            dofs=self.system.dofs,
            in_plane_currents=self.in_plane_currents(w) if declaration.applied else {},
            notes=(f"currents through interfaces are lost to rounding, up to {lost:.1g} of the whole",)
            if lost > _LOST
            else (),
        )
        report = self.model.report(self, solution)
        if nonlinear is not None:
            report |= _of_newton(nonlinear)
        return replace(solution, report=report)

    def _balanced(self, solved: Solved, nonlinear: StateSolution | None, m: Moments) -> tuple[Dissipation, float]:
        """Return the dissipated power and its balance with what is put in; refuse a solution that violates it."""
        put_in = solved.power
        if nonlinear is None:
            power = dissipation_of(self.system, solved.fields, m)
            balance = power.total / put_in - 1 if put_in else 0.0
        else:
            power, electric = nonlinear.power, [v * solved.currents[k] for k, v in solved.voltages.items()]
            electric.append(solved.applied_power)
            if nonlinear.entropy is not None:
                # Of the whole energy, the fields' potentials times their fluxes are no measure.
                put_in = sum(electric)
            balance = nonlinear.balance(power.total - put_in, [*power.parts.values(), *electric])
        if not abs(balance) < (self.solver.allowed_imbalance if nonlinear is None else 1e-6):
            if self.solver.options.kind == "direct":
                advice = "coefficients differ by more orders of magnitude than the digits of a number; make them closer"
            else:
                advice = "try the solver kind 'direct', or a smaller rtol"
            raise SolverError(
                f"transport: the dissipated power {power.total:.6g} is not the power put in, {put_in:.6g}; {advice}"
            )
        return power, balance

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
        """Follow the potentials in time, with the spin and heat capacity of the materials. Collective.

        Leads and reservoirs answer at once. Of laws that follow the state, such as those of the nonlinear
        thermoelectric model, the linear parts at rest. See :func:`fespin.onsager.transient.evolve`.

        Parameters
        ----------
        drive
            Drive of each contact at a time (s).
        duration
            Length of time (s).
        initial
            Solution to start from; default: no potentials.
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
            If a layer's material has no density of states, or `initial` is of another problem.
        """
        self.apply()
        start = None
        if initial is not None:
            start = list(initial.fields.values())
            if [f.function_space for f in start] != self.system.spaces:
                raise InputError("initial is of another problem, or of a state whose fields end elsewhere")
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

    def respond(
        self,
        frequency: float,
        *,
        current_density: float | None = None,
        current: float | None = None,
        voltage: float | None = None,
        terminals: Mapping[str, Terminal] | None = None,
        between: tuple[str, str] = ("bottom", "top"),
    ) -> HarmonicResponse:
        """Solve for an alternating drive, with the spin capacity of the materials, leads included. Collective.

        Of laws that follow the state, such as those of the nonlinear thermoelectric model, the linear parts at rest.

        Parameters
        ----------
        frequency
            Frequency (Hz); amplitudes are those of exp(+2 pi i frequency t).
        current_density, current, voltage, terminals
            Drives as for :meth:`solve`: amplitudes with phase zero. A temperature counts from the model's reference.
        between
            The contacts of the impedance.

        Raises
        ------
        InputError
            If a layer's material has no density of states, or the frequency is not positive.
        """
        terminals = self._terminals(terminals, current_density, current, voltage, between)
        self.apply()
        if self._harmonic is None:
            self._harmonic = Harmonic(self)
        return self._harmonic.solve(frequency, terminals, between)

    # ---- reports
    def means(self, fields: Mapping[str, fem.Function]) -> Mapping[Any, NDArray[np.float64]]:
        """Return the means of fields by interface, (side, field), and by contact, (1, field). Collective."""
        if self._reported is not None and self._reported[0] is fields:
            return self._reported[1]
        return means(self.system, list(fields.values()))

    def face_mean(
        self, solution: TransportSolution, pair: tuple[str, str], side: int, weights: Mapping[str, float]
    ) -> float:
        """Return the mean over one side of an interface of a combination of fields. Collective."""
        return float(self.system.vector(weights) @ self.means(solution.fields)[pair][side])

    def end_mean(self, solution: TransportSolution, contact: str, weights: Mapping[str, float]) -> float:
        """Return the mean over a contact of a combination of fields. Collective."""
        return float(self.system.vector(weights) @ self.means(solution.fields)[contact][0])

    def on_axis(
        self, solution: TransportSolution, layer: str, heights: NDArray[np.float64], weights: Mapping[str, float]
    ) -> NDArray[np.float64]:
        """Return a combination of fields at heights (m) in a layer, on the axis of the device. Collective."""
        values = sample(list(solution.fields.values()), self.domain, self.domain.axis(heights), layer)
        return np.asarray(self.system.vector(weights) @ values)

    def destroy(self) -> None:
        """Free matrices and solvers. Collective."""
        self.solver.destroy()
        if self._harmonic is not None:
            self._harmonic.destroy()


def _needs_normal(medium: Medium) -> bool:
    """Return whether a lead of a medium depends on its normal; n.A.n of an antisymmetric coupling is zero for any."""
    symmetric = any((np.array(c.matrix) != -np.array(c.matrix).T).any() for c in medium.crossed)
    return symmetric or any(m.directed for m in medium.conduction)


def _of_newton(found: StateSolution) -> dict[str, Any]:
    """Return what a nonlinear solve reports besides: its steps and, with heat, entropy and the balance of energy."""
    report: dict[str, Any] = {}
    if found.entropy is not None:
        solved = found.solved
        heats = solved.heats.values()
        electric = [v * solved.currents[k] for k, v in solved.voltages.items()]
        # What a lead dissipates is heat outside of the device.
        rest = sum(electric) + sum(heats) - found.power.by_mechanism.get("lead", 0.0)
        report["entropy_production"] = found.entropy.by_mechanism
        report["energy_balance"] = found.balance(rest, [*found.power.parts.values(), *electric, *heats])
    return {**report, "newton_steps": found.steps}
