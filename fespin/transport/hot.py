"""Heat and two spin channels without linearization: Joule heat, Thomson heat, coefficients that follow T.

The fluxes are those of the linear model with T instead of T0, and heat is produced::

    J_i = -sigma_i (grad phi_i + S_i grad T),    Q = -kappa grad T + T sum S_i J_i
    div Q = -sum J_i . grad phi_i + g D^2,       Q-+ = K [T] -+ (1/2) sum G_i [phi_i]^2 at interfaces

so that sum(V I + Q_in) over the contacts is what leads dissipate outside, exactly. The weak
form is ``sum of flux(w) force(v)`` less the heat; UFL differentiates it for Newton's method.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from dolfinx import fem, la
from dolfinx.fem import petsc as fem_petsc
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from ..carriers import Thermal
from ..errors import SolverError
from ..onsager.declaration import Port
from ..onsager.kernels import NOTHING, Indices
from ..onsager.newton import Newton
from ..onsager.power import Dissipation
from ..onsager.system import Fields, System
from ..onsager.terminals import Solved
from ..solvers import SolverOptions
from ..stack import Stack, common_axis, interface_sign, sign_along
from .hot_forms import DATA, TESTS, HotForms
from .thermoelectric import SCALE
from .two_channel import two_channel_medium

type Array = NDArray[np.float64]


class Hot:
    """The nonlinear model of a device in one state. The constructor is collective.

    Parameters
    ----------
    system
        Of the linear model: its spaces and contacts.
    forms
        Of this mesh, element and reference temperature.
    stack
        The layers, with the magnetizations of the state.
    """

    def __init__(self, system: System, forms: HotForms, stack: Stack) -> None:
        self.system, self.forms, self.stack = system, forms, stack
        domain, axis = system.domain, common_axis(stack)
        reference = float(forms.reference.value)
        rows = []
        for layer in stack:
            sign = sign_along(layer, axis)
            thermal = layer.material.thermal or Thermal()
            medium = two_channel_medium(layer, sign)
            up, down = (m.coefficient for m in medium.conduction)
            # g of phi_up - phi_down, whatever the field's weight is.
            flip = medium.reactions[0].coefficient
            slopes = (thermal.resistivity_slope, thermal.seebeck_slope, thermal.conductivity_slope)
            wiedemann_franz = float(thermal.conductivity is None)
            kappa = layer.material.heat_conductivity(reference)
            rows.append((up, down, flip, *thermal.seebeck[::sign], kappa, *slopes, wiedemann_franz))
        for k, values in zip(DATA, np.array(rows).T, strict=True):
            forms.data[k].x.array[:] = values[domain.region]
        self._cells = np.arange(domain.owned_cells, dtype=np.int32)
        self._faces: list[tuple[tuple[str, str], Array]] = []
        for a, b in domain.interfaces:
            face = stack.interface(a, b)
            if face is not None:
                sign = interface_sign(stack, a, b, axis)
                conductances = (0.0, 0.0) if face.perfect else face.conductances[::sign]
                self._faces.append(((a, b), np.array([*conductances, face.thermal_conductance or 0.0])))
        self._leads = [
            (k, c.mechanisms[0].coefficient * c.mechanisms[0].weights["s"] ** 2)
            for k, c in system.declaration.contacts.items()
            if c.mechanisms
        ]

    def _pieces(
        self, name: str, spaces: Sequence[fem.FunctionSpace], w: Fields, cells: Indices | None = None
    ) -> Iterator[fem.Form]:
        """Yield the forms of one residual or block; each one's constants hold until the next is asked for.

        With `cells` only those of a region, without interfaces and contacts.
        """
        domain, forms = self.system.domain, self.forms
        swap = dict(zip(forms.w, w, strict=True))
        yield forms.form(name, spaces, cells=self._cells if cells is None else cells, replace=swap)
        if cells is not None:
            return
        for pair, face in self._faces:
            forms.face.value[:] = face
            yield forms.form(name, spaces, faces=domain.interfaces[pair], replace=swap)
        for contact, y in self._leads:
            forms.lead.value = y
            yield forms.form(name, spaces, ends=domain.contact_entities[contact], replace=swap)

    def residual(self, w: Fields, cells: Indices | None = None) -> list[fem.Function]:
        """Return the flux into each degree of freedom; of some cells alone if given. Collective."""
        out = [fem.Function(v) for v in self.system.spaces]
        for k, b in zip(TESTS, out, strict=True):
            for form in self._pieces(f"residual {k}", [b.function_space], w, cells):
                fem.assemble_vector(b.x.array, form)
            b.x.scatter_reverse(la.InsertMode.add)
            b.x.scatter_forward()
        return out

    def jacobian(self, w: Fields, into: PETSc.Mat | None = None) -> PETSc.Mat:
        """Return the derivative of the residual as a nest over the fields. Collective."""
        spaces = self.system.spaces
        swap = dict(zip(self.forms.w, w, strict=True))
        domain = self.system.domain
        faces = np.concatenate([NOTHING, *(domain.interfaces[p] for p, _ in self._faces)])
        ends = np.concatenate([NOTHING, *(domain.contact_entities[k] for k, _ in self._leads)])
        blocks: list[list[PETSc.Mat]] = []
        for i, row in enumerate(TESTS):
            blocks.append([])
            for j, column in enumerate(TESTS):
                name, block = f"jacobian {row} {column}", [spaces[i], spaces[j]]
                if into is None:
                    everything = self.forms.form(name, block, cells=self._cells, faces=faces, ends=ends, replace=swap)
                    a = fem_petsc.create_matrix(everything)
                    a.setOption(PETSc.Mat.Option.NEW_NONZERO_ALLOCATION_ERR, False)
                else:
                    a = into.getNestSubMatrix(i, j)
                    a.zeroEntries()
                for form in self._pieces(name, block, w):
                    fem_petsc.assemble_matrix(a, form)
                    a.assemble(PETSc.Mat.AssemblyType.FLUSH)
                a.assemble()
                blocks[-1].append(a)
        if into is not None:
            into.assemble()
            return into
        nest = PETSc.Mat().createNest(blocks, comm=self.system.comm)
        nest.assemble()
        return nest

    def powers(self, w: Fields) -> tuple[Dissipation, Dissipation]:
        """Return electrical work (W; W/m2 on a line) and entropy production (W/K) by place and mechanism. Collective.

        The work of all places and leads is the power put in electrically, sum V I.
        """
        domain, forms, comm = self.system.domain, self.forms, self.system.comm
        swap = dict(zip(forms.w, w, strict=True))
        found: dict[str, dict[tuple[str, str], float]] = {"work": {}, "entropy": {}}
        region = domain.region[: domain.owned_cells]

        def note(form: str, place: str, value: float) -> None:
            kind, _, mechanism = form.partition(" ")[2].partition(" ")
            found[kind][place, mechanism] = value * domain.depth

        for name in (n for n in forms.names if n.startswith("cell ")):
            per_cell = np.zeros(len(domain.region))
            fem.assemble_vector(per_cell, forms.form(name, [forms.cellwise], cells=self._cells, replace=swap))
            totals = np.bincount(region, per_cell[: len(region)], minlength=len(domain.regions))
            for r, x in zip(domain.regions, comm.allreduce(totals), strict=True):
                note(name, r, float(x))
        for pair, face in self._faces:
            forms.face.value[:] = face
            for name in (n for n in forms.names if n.startswith("face ")):
                form = forms.form(name, faces=domain.interfaces[pair], replace=swap)
                note(name, "|".join(pair), float(comm.allreduce(fem.assemble_scalar(form))))
        for contact, y in self._leads:
            forms.lead.value = y
            form = forms.form("end lead", ends=domain.contact_entities[contact], replace=swap)
            found["work"][f"lead at {contact}", "lead"] = (
                float(comm.allreduce(fem.assemble_scalar(form))) * domain.depth
            )
        return Dissipation(found["work"]), Dissipation(found["entropy"])

    def region_flux(self, w: Fields, region: str, facets: Indices) -> Array:
        """Return the flux of each field into a region through some of its facets. Collective."""
        return self.system.flux_through(self.residual(w, self.system.domain.cells_of([region])), facets)

    def check(self, w: Fields) -> None:
        """Refuse a solution whose temperatures its coefficients cannot have. Collective.

        Raises
        ------
        SolverError
            If a temperature, or a resistivity or heat conductivity at it, is not positive.
        """
        domain, t0, comm = self.system.domain, float(self.forms.reference.value), self.system.comm
        h = w[2]
        for i, layer in enumerate(self.stack):
            values = h.x.array[h.function_space.dofmap.list[domain.region == i]] / SCALE
            thermal: Thermal = layer.material.thermal or Thermal()
            slopes: Mapping[str, float] = {
                "temperature": 1 / t0,
                "resistivity": thermal.resistivity_slope,
                "heat conductivity": thermal.conductivity_slope,
            }
            for what, slope in slopes.items():
                lowest = float(comm.allreduce(float((1 + slope * values).min(initial=np.inf)), MPI.MIN))
                if not lowest > 0:
                    raise SolverError(
                        f"thermoelectric: the {what} of layer '{layer.name}' is not positive where it is hottest or "
                        "coldest; use a smaller drive, or slopes that hold over this range"
                    )


@dataclass(frozen=True)
class HotResult:
    """What a nonlinear solve gives.

    Attributes
    ----------
    solved
        Fields, and what flows at the contacts.
    work
        Electrical work by place and mechanism; its sum is that of V I.
    entropy
        Entropy production by place and mechanism (W/K).
    work_balance, energy_balance
        (work - sum V I) and (sum V I + Q_in - what leads dissipate), over the largest of their terms; 0 where these
        are rounding.
    steps
        Of Newton's method.
    hot
        The model in this state.
    """

    solved: Solved
    work: Dissipation
    entropy: Dissipation
    work_balance: float
    energy_balance: float
    steps: int
    hot: Hot


def solve_hot(
    hot: Hot, potentials: Mapping[Port, float], fluxes: Mapping[Port, float], start: Solved, options: SolverOptions
) -> HotResult:
    """Solve the nonlinear model from a linear solution. Collective.

    Parameters
    ----------
    potentials, fluxes
        Of all ports, in the fields' units.

    Raises
    ------
    SolverError
        If Newton's method does not converge, or a coefficient loses its sign.
    """
    newton = Newton(hot.system, hot.residual, hot.jacobian, potentials, fluxes, options, "thermoelectric")
    solved, steps = newton.solve(start.fields, start.potentials)
    hot.check(solved.fields)
    work, entropy = hot.powers(solved.fields)
    electric = {k: v * solved.currents[k] for k, v in solved.voltages.items()}
    heats = solved.heats
    put_in, lead = sum(electric.values()), work.by_mechanism.get("lead", 0.0)
    largest = max(abs(x) for x in (*work.parts.values(), *electric.values()))
    largest_heat = max(largest, *(abs(x) for x in heats.values()))

    def over(rest: float, scale: float) -> float:
        return rest / scale if scale > newton.resolution else 0.0

    return HotResult(
        solved,
        work,
        entropy,
        over(work.total - put_in, largest),
        over(put_in + sum(heats.values()) - lead, largest_heat),
        steps,
        hot,
    )
