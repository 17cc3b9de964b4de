"""Laws whose coefficients follow the state, solved by Newton's method: the same fluxes, forces and power.

A :class:`~fespin.onsager.declaration.StateLaw` replaces the mechanism of its name. Its flux is ``coefficient x force``
with a coefficient, and perhaps weights, that are expressions of the local fields, and its power ``coefficient x
force^2``. Parameters are data, so that a kind of law is compiled once whatever the device; UFL differentiates it.

Interfaces may also have :class:`~fespin.onsager.declaration.JumpLaw`, whose coefficients are numbers
(:mod:`fespin.onsager.jumps`).

With :class:`~fespin.onsager.declaration.Conjugates` forces are made of other potentials eta(w) than the fields w, each
field's balance is tested with directions of eta, and ``coefficient x force^2`` is the entropy production.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import ufl
from dolfinx import fem, la
from dolfinx.fem import petsc as fem_petsc
from numpy.typing import NDArray
from petsc4py import PETSc

from ..errors import ModelError, SolverError
from ..mpi import agree_on_errors
from ..solvers import SolverOptions
from .coefficients import Coefficients
from .declaration import Conjugates, Port, StateLaw
from .jumps import following
from .kernels import CompiledForms, Indices
from .newton import Newton
from .power import Dissipation, dissipation, moments
from .system import Fields, System
from .terminals import Solved

type Place = Literal["cells", "faces", "ends"]
type Matrix = NDArray[np.float64]

_SIDES = ((0, "+"), (1, "-"))


class StateForms(CompiledForms):
    """Residual, derivative and powers of the laws of one kind of place. The constructor is collective.

    "residual f" and "jacobian f g" for fields f and g, "power k" of law k, and with conjugate potentials "work k".

    Parameters
    ----------
    space
        The unbroken scalar Lagrange space whose element all fields share.
    fields
        Names of the unknowns.
    laws
        Laws of such a place; their parameters are not used.
    place
        Cells of a region, faces of an interface, or the end at a contact.
    conjugates
        Potentials that make forces; None: the fields. At ends it is always the fields.

    Attributes
    ----------
    data
        Parameters per law: functions that are constant in a cell, or constants at faces and ends.
    w
        Stand-ins for the fields, to be replaced.
    """

    def __init__(
        self,
        space: fem.FunctionSpace,
        fields: Sequence[str],
        laws: Sequence[StateLaw[Any]],
        place: Place,
        conjugates: Conjugates | None,
    ) -> None:
        mesh = space.mesh
        self.cellwise = fem.functionspace(mesh, ("DG", 0))
        self.fields, self.place = tuple(fields), place
        # Constants, so that another number, such as a temperature, compiles nothing.
        own = conjugates if place != "ends" else None
        self.conjugates = own and own.with_parameters(lambda x: fem.Constant(mesh, x))
        self.w = {f: fem.Function(space, name=f) for f in fields}
        if place == "cells":
            self.data = [{k: fem.Function(self.cellwise) for k in law.parameters} for law in laws]
        else:
            self.data = [{k: fem.Constant(mesh, 0.0) for k in law.parameters} for law in laws]
        u, v, q = ufl.TrialFunction(space), ufl.TestFunction(space), ufl.TestFunction(self.cellwise)
        # One rule for all forms: the powers are those of the equations, point by point.
        rule = {"quadrature_degree": 4 * space.element.basix_element.degree}
        measure = {"cells": ufl.dx, "faces": ufl.dS, "ends": ufl.ds}[place](0, metadata=rule)
        potentials, states = self._potentials(self.w), self._at(self.w)
        residual: dict[str, Any] = {}
        forms: dict[str, Any] = {}
        for k, (law, p) in enumerate(zip(laws, self.data, strict=True)):
            weights = law.weights(states, p) if callable(law.weights) else law.weights
            force = _force(law, weights, potentials)
            flux = law.coefficient(states, p) * force
            for row in fields:
                test = _force(law, weights, self._tests(row, v))
                if test != 0:
                    residual[row] = residual.get(row, 0) + ufl.inner(flux, test)
            powers = {"power": force}
            if self.conjugates is not None:
                powers["work"] = _force(law, weights, self._work())
            for kind, other in powers.items():
                if other != 0:
                    forms[f"{kind} {k}"] = ufl.inner(flux, other) * (q if place == "cells" else 1) * measure
        for row, integrand in residual.items():
            forms[f"residual {row}"] = integrand * measure
            for column in fields:
                # Expanded here, so that functions which drop out are none of the form's coefficients.
                derivative = ufl.derivative(forms[f"residual {row}"], self.w[column], u)
                expanded = ufl.algorithms.expand_derivatives(derivative)
                if not expanded.empty():
                    forms[f"jacobian {row} {column}"] = expanded
        super().__init__(mesh, forms)

    def _at(self, values: Mapping[str, Any]) -> dict[Any, Any]:
        """Return values by field, at faces by side and field."""
        if self.place != "faces":
            return dict(values)
        return {(side, f): x(mark) for side, mark in _SIDES for f, x in values.items()}

    def _by_side(self, make: Any) -> dict[Any, Any]:
        """Return what a function makes of the fields at a point, at faces by side."""
        if self.place != "faces":
            return dict(make(self.w, None))
        made = {side: make({f: x(mark) for f, x in self.w.items()}, mark) for side, mark in _SIDES}
        return {(side, k): x for side, by_name in made.items() for k, x in by_name.items()}

    def _potentials(self, values: Mapping[str, Any]) -> dict[Any, Any]:
        c = self.conjugates
        return self._at(values) if c is None else self._by_side(lambda w, _: c.potentials(w))

    def _tests(self, row: str, v: Any) -> dict[Any, Any]:
        c = self.conjugates
        if c is None:
            return self._by_side(lambda w, mark: {row: v if mark is None else v(mark)})
        return self._by_side(lambda w, mark: c.tests(w, v if mark is None else v(mark))[row])

    def _work(self) -> dict[Any, Any]:
        c = self.conjugates
        assert c is not None
        return self._by_side(lambda w, _: c.work(w))


def _force(law: StateLaw[Any], weights: Mapping[Any, Any], potentials: Mapping[Any, Any]) -> Any:
    """Return the weighted sum of potentials or of their gradients; zero where none is there."""
    terms = [x * (ufl.grad(potentials[k]) if law.gradients else potentials[k]) for k, x in weights.items()
             if k in potentials]  # fmt: skip
    return sum(terms[1:], terms[0]) if terms else 0


@dataclass(frozen=True)
class _Part:
    """The laws of one kind of place: where, and with which parameters."""

    forms: StateForms
    laws: tuple[StateLaw[Any], ...]
    name: str  # of the region, interface or lead; of cells, empty: all regions of the kind
    entities: Indices


@dataclass(frozen=True)
class StateSolution:
    """Solution of a declaration with state laws.

    Attributes
    ----------
    solved
        Fields, and potentials and fluxes at the contacts.
    power
        Power by place and mechanism; with conjugate potentials the electrical work, whose sum is that of V I.
    entropy
        Entropy production with conjugate potentials, by place and mechanism (W/K; W/(K m2) on a line).
    steps
        Number of Newton's steps.
    resolution
        Power that is rounding of potentials times fluxes that cancel (W; W/m2 on a line).
    """

    solved: Solved
    power: Dissipation
    entropy: Dissipation | None
    steps: int
    resolution: float

    def balance(self, rest: float, terms: Sequence[float]) -> float:
        """Return a remainder over the largest of its terms; 0 where these are rounding."""
        largest = max(map(abs, terms), default=0.0)
        return rest / largest if largest > self.resolution else 0.0


class StateSystem:
    """A system whose declaration has state laws, in one state of the device. The constructor is collective.

    Parameters
    ----------
    system
        Spaces, contacts and linear parts.
    compiled
        Forms by kind, kept by the caller over states of the device; new kinds are added.
    source
        Flux into each degree of freedom besides, as for :meth:`TerminalSolver.solve`.
    held
        What turning magnets hold at interfaces (V), (side, field): :attr:`Mechanism.held`.

    Examples
    --------
    >>> from fespin.onsager import StateSystem
    >>> problem = fs.TransportProblem(fs.line(comm, stack), fs.Thermoelectric(nonlinear=True))
    >>> fields = list(problem.solve(current_density=1e12).fields.values())
    >>> entropy = StateSystem(problem.system).powers(fields)
    >>> print(f"{sum(entropy.values()):.3e}")  # W/(m2 K), produced in the device
    7.245e+06
    """

    def __init__(
        self,
        system: System,
        compiled: dict[Any, StateForms] | None = None,
        *,
        source: Fields | None = None,
        held: Mapping[tuple[str, str], Matrix] | None = None,
    ) -> None:
        self.system, self._source, self._held = system, source, dict(held or {})
        self._compiled = {} if compiled is None else compiled
        self._linear = Coefficients.of(system.declaration, system.domain, without_replaced=True)
        self._parts = [*self._of_cells(), *self._of_faces(), *self._of_ends()]
        self._jumps = following(system)

    def _forms(self, place: Place, laws: tuple[StateLaw[Any], ...]) -> StateForms:
        conjugates = self.system.declaration.conjugates
        key = (place, None if conjugates is None else conjugates.key, tuple(law.kind for law in laws))
        if key not in self._compiled:
            self._compiled[key] = StateForms(self.system.base, self.system.fields, laws, place, conjugates)
        return self._compiled[key]

    def _of_cells(self) -> Iterator[_Part]:
        domain, media = self.system.domain, self.system.declaration.media
        kinds: dict[Any, list[str]] = {}
        for r in domain.regions:
            if media[r].state:
                kinds.setdefault(tuple(law.kind for law in media[r].state), []).append(r)
        for regions in kinds.values():
            laws = media[regions[0]].state
            forms = self._forms("cells", laws)
            for r in regions:
                cells = np.flatnonzero(domain.region == domain.regions.index(r))
                for data, law in zip(forms.data, media[r].state, strict=True):
                    for k, x in law.parameters.items():
                        data[k].x.array[cells] = x
            yield _Part(forms, laws, "", domain.cells_of(regions))

    def _of_faces(self) -> Iterator[_Part]:
        for pair, entities in self.system.domain.interfaces.items():
            laws = self.system.declaration.law(pair).state
            if laws:
                yield _Part(self._forms("faces", laws), laws, "|".join(pair), entities)

    def _of_ends(self) -> Iterator[_Part]:
        for k, contact in self.system.declaration.contacts.items():
            if contact.state:
                entities = self.system.domain.contact_entities[k]
                yield _Part(self._forms("ends", contact.state), contact.state, f"lead at {k}", entities)

    def _attach(
        self, part: _Part, name: str, spaces: Sequence[fem.FunctionSpace], w: Fields, cells: Indices | None = None
    ) -> fem.Form:
        """Attach a form of a part; its constants hold until the next is asked for."""
        forms = part.forms
        swap: dict[fem.Function, fem.Function] = {forms.w[f]: x for f, x in zip(self.system.fields, w, strict=True)}
        if forms.place == "cells":
            return forms.form(name, spaces, cells=part.entities if cells is None else cells, replace=swap)
        for data, law in zip(forms.data, part.laws, strict=True):
            for k, x in law.parameters.items():
                data[k].value = x
        if forms.place == "faces":
            return forms.form(name, spaces, faces=part.entities, replace=swap)
        return forms.form(name, spaces, ends=part.entities, replace=swap)

    def residual(self, w: Fields) -> list[fem.Function]:
        """Return the flux into each degree of freedom, contacts included. Collective."""
        out = self.system.residual(w, coefficients=self._linear)
        for b, load in zip(out, self.system.load() or (), strict=False):
            b.x.array[:] -= load.x.array
        for b, f in zip(out, self._source or (), strict=False):
            b.x.array[:] -= f.x.array
        self._add(out, w, self._parts)
        if self._jumps:
            more = self.system.functions()

            def add() -> None:
                for face in self._jumps:
                    face.add_residual(more, w, self._held.get(face.pair))

            agree_on_errors(self.system.comm, add, "transport")
            for b, flux in zip(out, more, strict=True):
                flux.x.scatter_reverse(la.InsertMode.add)
                flux.x.scatter_forward()
                b.x.array[:] += flux.x.array
        return out

    def _add(self, out: Fields, w: Fields, parts: Sequence[_Part], cells: Indices | None = None) -> None:
        for f, b in zip(self.system.fields, out, strict=True):
            more = fem.Function(b.function_space)
            for part in parts:
                if f"residual {f}" in part.forms.names:
                    form = self._attach(part, f"residual {f}", [b.function_space], w, cells)
                    fem.assemble_vector(more.x.array, form)
            more.x.scatter_reverse(la.InsertMode.add)
            more.x.scatter_forward()
            b.x.array[:] += more.x.array

    def jacobian(self, w: Fields, into: PETSc.Mat | None = None) -> PETSc.Mat:
        """Return the derivative of the residual as a nest over the fields, nothing pinned. Collective."""
        system = self.system
        nest = system.matrix(into=into, free=dict(enumerate(system.pinned)), coefficients=self._linear)
        for i, row in enumerate(system.fields):
            for j, column in enumerate(system.fields):
                block = nest.getNestSubMatrix(i, j)
                for part in self._parts if block else ():
                    name = f"jacobian {row} {column}"
                    if name in part.forms.names:
                        form = self._attach(part, name, [system.spaces[i], system.spaces[j]], w)
                        fem_petsc.assemble_matrix(block, form)
                        block.assemble(PETSc.Mat.AssemblyType.FLUSH)
                if block:
                    for face in self._jumps:
                        face.add_jacobian(block, i, j, w, self._held.get(face.pair))
                    block.assemble()
        nest.assemble()
        return nest

    def region_flux(self, w: Fields, region: str, facets: Indices) -> Matrix:
        """Return the flux of each field into a region through some of its facets. Collective."""
        system = self.system
        only = self._linear.only(system.domain.regions.index(region))
        out = system.residual(w, coefficients=only)
        for b, load in zip(out, system.load(only) or (), strict=False):
            b.x.array[:] -= load.x.array
        own = system.declaration.media[region].state
        kind = tuple(law.kind for law in own)
        parts = [p for p in self._parts if p.forms.place == "cells" and tuple(x.kind for x in p.laws) == kind]
        self._add(out, w, parts, system.domain.cells_of([region]))
        return system.flux_through(out, facets)

    def powers(self, w: Fields, kind: Literal["power", "work"] = "power") -> dict[tuple[str, str], float]:
        """Return power (with conjugate potentials entropy production), or work, by place and law. Collective.

        Raises
        ------
        ModelError
            If a law gains power somewhere, since its coefficient is negative there.
        """
        domain, comm = self.system.domain, self.system.comm
        out: dict[tuple[str, str], float] = {}
        region = domain.region[: domain.owned_cells]
        for face in self._jumps if kind == "power" else ():
            own = partial(face.power, w, self._held.get(face.pair))
            on_ranks = agree_on_errors(comm, own, "transport")
            out[face.place, face.name] = out.get((face.place, face.name), 0.0) + sum(on_ranks) * domain.depth
        for part in self._parts:
            for k, law in enumerate(part.laws):
                if f"{kind} {k}" not in part.forms.names:
                    continue
                if part.forms.place == "cells":
                    per_cell = np.zeros(len(domain.region))
                    form = self._attach(part, f"{kind} {k}", [part.forms.cellwise], w)
                    fem.assemble_vector(per_cell, form)
                    totals = comm.allreduce(np.bincount(region, per_cell[: len(region)], minlength=len(domain.regions)))
                    if kind == "power":
                        self._require_dissipation(law, per_cell[: len(region)])
                    here = np.unique(domain.region[part.entities])
                    regions = sorted(set().union(*comm.allgather(here.tolist())))
                    found = {domain.regions[i]: float(totals[i]) for i in regions}
                else:
                    form = self._attach(part, f"{kind} {k}", (), w)
                    here_alone = float(fem.assemble_scalar(form))
                    if kind == "power":
                        self._require_dissipation(law, np.array([here_alone]))
                    found = {part.name: float(comm.allreduce(here_alone))}
                for place, x in found.items():
                    out[place, law.name] = out.get((place, law.name), 0.0) + x * domain.depth
        return out

    def _require_dissipation(self, law: StateLaw[Any], powers: NDArray[np.float64]) -> None:
        """Refuse a law whose power, given on this rank, is negative in a cell, or at a face or end. Collective."""
        own = (float(powers.min(initial=0.0)), float(np.abs(powers).max(initial=0.0)))
        least, largest = np.array(self.system.comm.allgather(own)).T
        if least.min() < -1e-10 * largest.max():
            raise ModelError(
                f"the coefficient of the state law '{law.name}' is negative at the solution, so that it would gain "
                "power; it must not be negative at any values of the fields"
            )

    def check(self, w: Fields, name: str) -> None:
        """Refuse a solution that the declaration does not allow. Collective.

        Raises
        ------
        SolverError
            With the declaration's own words.
        """
        system = self.system
        allowed = system.declaration.admissible
        if allowed is None:
            return

        def here() -> str | None:
            for i, r in enumerate(system.domain.regions):
                cells = np.flatnonzero(system.domain.region == i)
                values = {
                    f: x.x.array[x.function_space.dofmap.list[cells]].ravel()
                    for f, x in zip(system.fields, w, strict=True)
                }
                wrong = allowed(r, values) if len(cells) else None
                if wrong:
                    return wrong
            return None

        first = next((x for x in agree_on_errors(system.comm, here, name) if x is not None), None)
        if first is not None:
            raise SolverError(f"{name}: {first}")

    def solve(
        self, potentials: Mapping[Port, float], fluxes: Mapping[Port, float], start: Solved, options: SolverOptions
    ) -> StateSolution:
        """Solve from a start, such as the solution of the linear parts. Collective.

        Parameters
        ----------
        potentials, fluxes
            Imposed at all ports, in the fields' units: one or the other.
        start
            First guess.
        options
            PETSc options go to SNES under its own prefix.

        Raises
        ------
        SolverError
            If Newton's method does not converge, or the declaration does not allow the solution.
        ModelError
            If a law's coefficient is negative at the solution.
        """
        system, declaration = self.system, self.system.declaration
        name = "transport" if declaration.thermal is None else "thermoelectric"
        newton = Newton(system, self.residual, self.jacobian, potentials, fluxes, options, name)
        solved, steps = newton.solve(start.fields, start.potentials)
        w = solved.fields
        self.check(w, name)
        entropy = None
        if declaration.conjugates is None:
            linear = dissipation(declaration, moments(system, w), without_replaced=True).parts
            parts = {**linear}
            for k, x in self.powers(w).items():
                parts[k] = parts.get(k, 0.0) + x
        else:
            of_laws = self.powers(w)
            leads = {k: x for k, x in of_laws.items() if k[0].startswith("lead at ")}
            parts = {**self.powers(w, "work"), **leads}
            entropy = Dissipation({k: x for k, x in of_laws.items() if k not in leads})
        return StateSolution(solved, Dissipation(parts), entropy, steps, newton.resolution)
