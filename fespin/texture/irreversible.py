r"""Currents, torques and heat of a given texture in a given field, from all that irreversible thermodynamics allows.

The carriers follow at once: their fluxes have no divergence but for exchange between bands, and so has that of
entropy, to first order in the deviations from equilibrium. With forces X constant in cells and fluxes Y = L X, the
equations are sum_cells V Y.X' = inflow for all X' of test functions. The torque at the nodes is the transpose of
what takes H at the nodes to forces. So the balance

    heat = sum (V I + theta Q/T0) of leads + integral H.N'

holds to rounding on any mesh, and reciprocity of torque and pumping as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from dolfinx import mesh as dmesh
from numpy.typing import NDArray

from ..errors import InputError, ModelError, nearest
from ..grid import Array, Grid, Start
from ..normal_metal import NormalMetal
from ..petsc import Options
from ..quantities import is_finite
from ..stepping import Kept
from .laws import Place, dissipative_matrix, fluxes, group, require_positive
from .ports import (
    Lead,
    OfTime,
    Port,
    PortSystem,
    check_drive,
    check_leads,
    driven,
    lead_nodes,
    surface_weights,
)
from .responses import (
    IrreversibleMagnet,
    Magnetization,
    Response,
    magnetic_forces,
    require_irreversible,
    response,
)
from .two_band import TwoBandMagnet

SPINS = ("reservoir", "blocked")
# Factors of so many lengths of steps are kept.
_KEPT = 4

type Step = tuple[Array, float]
"""s at the start of a step (owned,), in V, and its length (s)."""


@dataclass(frozen=True)
class Electrode(Lead):
    """A contact for charge, heat and spins on a part of the surface.

    Attributes
    ----------
    temperature
        K, or a function of the time (s).
    heat
        Heat into the magnet: W; W/m in a plane, W/m2 on a line. With neither, no heat flows.
    spin
        Two bands: "reservoir", both at the voltage; "blocked", no spin flows and their mean is the voltage; a
        :class:`fespin.NormalMetal`, into which spins diffuse and flip, the mean of the bands being the voltage.

    Examples
    --------
    >>> from fespin.texture import Electrode
    >>> cold = Electrode(lambda x: x[0] < 1e-12, voltage=0.0, temperature=300.0)
    >>> hot = Electrode(lambda x: x[0] > 399e-9, temperature=310.0)  # no current flows: a probe
    >>> magnet = fs.GenericMagnet(conductivity=4e6, A_perp=1e3, thermal_conductivity=40.0, L_sn=3e20)
    >>> state = fs.IrreversibleProblem(wire, magnet, {"cold": cold, "hot": hot}).solve((8e5, 0.0, 0.0))
    >>> print(f"{state.voltages['hot']:.2e} {state.heats['hot']:.2e}")
    1.20e-04 9.96e+08
    """

    temperature: OfTime | None = None
    heat: OfTime | None = None
    spin: str | NormalMetal = "reservoir"


@dataclass(frozen=True)
class IrreversibleState:
    """A texture with its currents. Integrals over a line are per area, over a plane per depth.

    Attributes
    ----------
    potentials
        -mu/e at this rank's own nodes (owned,), in V: "phi", or "up" and "down" of -mu*/e.
    temperature
        Temperature (K) of the nodes (owned,).
    local
        Fluxes, torque and heat.
    voltages, currents, temperatures, heats
        Values at leads: V, A into the magnet, K, W into the magnet; no heat is given for leads that are closed to it.
    dissipation
        Integrals of T times the entropy production by mechanism (W), and "metals", of the spins that flip in leads.
    reversible
        Part that the reversible fluxes add to it (W): rounding.
    supplied
        Power that the leads put in, the sum of V I + theta Q/T0 (W).
    field_work
        Integral of H.N' (W), which the magnet's free energy loses.
    spin_currents
        J_up - J_down into leads of normal metal (A).
    stored
        Growth of what bands that take time store, 2 C s^2 (W).

    Examples
    --------
    >>> from fespin.texture import Electrode
    >>> ground = Electrode(lambda x: x[0] < 1e-12, voltage=0.0)
    >>> source = Electrode(lambda x: x[0] > 399e-9, current=1e11)
    >>> leads = {"left": ground, "right": source}
    >>> state = fs.IrreversibleProblem(wire, fs.GenericMagnet.of(permalloy), leads).solve((8e5, 0.0, 0.0))
    >>> print(f"{state.voltages['right']:.2e} {state.supplied:.2e} {sum(state.dissipation.values()):.2e}")
    1.00e-02 1.00e+09 1.00e+09
    >>> abs(state.balance) < 1e-9
    True
    """

    potentials: dict[str, Array] = field(repr=False)
    temperature: Array = field(repr=False)
    local: Response = field(repr=False)
    voltages: dict[str, float]
    currents: dict[str, float]
    temperatures: dict[str, float]
    heats: dict[str, float]
    dissipation: dict[str, float]
    reversible: float
    supplied: float
    field_work: float
    spin_currents: dict[str, float] = field(default_factory=dict)
    stored: float = 0.0

    @property
    def balance(self) -> float:
        """Return (dissipation + stored - supplied - work of the field) over the largest of them."""
        heat = sum(self.dissipation.values())
        parts = (heat, self.supplied, self.field_work, self.stored)
        return (heat + self.stored - self.supplied - self.field_work) / (max(map(abs, parts)) or 1.0)

    @property
    def spins(self) -> Array:
        """Return s = (phi_up - phi_down)/2 at the nodes (owned,), in V; zero with one sort of carriers."""
        up, down = self.potentials.get("up"), self.potentials.get("down")
        return np.zeros(len(self.temperature)) if up is None or down is None else (up - down) / 2


class IrreversibleProblem:
    """The carriers of a generic or a two-band magnet between leads. Collective.

    Parameters
    ----------
    grid
        Grid, or a DOLFINx mesh.
    leads
        Leads by name. At least one must have a voltage, and a temperature if the magnet conducts heat.
    options
        PETSc options without prefix.

    Raises
    ------
    InputError
        If leads are missing, touch no node or overlap.
    ModelError
        If carriers and heat alone need not produce entropy, whatever the texture.

    Examples
    --------
    >>> from fespin.texture import Electrode, wall
    >>> leads = {"left": Electrode(lambda x: x[0] < 1e-12, voltage=0.0), "right": Electrode(lambda x: x[0] > 399e-9)}
    >>> problem = fs.IrreversibleProblem(wire, fs.TwoBandMagnet.of(permalloy, 60e-9), leads)
    >>> start = wall(permalloy, 200e-9)
    >>> state = problem.solve(lambda x: 8e5 * start(x), field=(0.01, 0.0, 0.0))
    >>> print(f"{state.voltages['right']:.2e}")
    -5.78e-07
    """

    def __init__(
        self,
        grid: Grid | dmesh.Mesh,
        magnet: IrreversibleMagnet,
        leads: Mapping[str, Electrode],
        options: Options | None = None,
    ) -> None:
        require_irreversible(magnet)
        check_leads(leads, Electrode)
        self.grid = g = grid if isinstance(grid, Grid) else Grid(grid)
        self.magnet, self.leads = magnet, dict(leads)
        self._check()
        rows = [group(magnet, name) for name in (*magnet.gradients, *magnet.values)]
        self._rows = np.concatenate([np.arange(r.start, r.stop) for r in rows])
        self._forces_of = self._made_forces()
        # Nothing among the carriers depends on the texture.
        one = Place(np.array([[1.0, 0.0, 0.0]]), np.zeros((1, 3, 3)))
        law = dissipative_matrix(magnet, one)[0][np.ix_(self._rows, self._rows)]
        self._require_positive(law)
        driven = np.einsum("mn,cnbg->cmbg", law, self._forces_of)
        blocks = np.einsum("c,cmaf,cmbg->cabfg", g.volumes, self._forces_of, driven)
        nodes = lead_nodes(g, self.leads)
        self._ports: list[tuple[str, int]] = []
        ports = []
        for k, (lead, found) in enumerate(zip(self.leads.values(), nodes, strict=True)):
            for name in magnet.fields:
                if self._holds(lead, name):
                    self._ports.append((name, k))
                    ports.append(Port(found, magnet.fields.index(name)))
        self._metals = self._made_metals(nodes)
        self._blocks, self._all_ports, self._options = blocks, ports, options
        self._system = self._made_system(0.0)
        self._stepping = Kept(self._made_system, _KEPT)

    def _made_metals(self, nodes: list[NDArray[Any]]) -> dict[str, Array]:
        """Return the conductance for spins (owned,) of each node on a lead of normal metal, in S by the dimension."""
        g, out = self.grid, dict[str, Array]()
        for (name, lead), found in zip(self.leads.items(), nodes, strict=True):
            if isinstance(lead.spin, NormalMetal):
                areas = np.zeros(g.owned)
                areas[found] = surface_weights(g, lead.where)[found]
                out[name] = areas / lead.spin.spin_resistance().real
        return out

    def _made_system(self, tau: float) -> PortSystem:
        """Return the equations of carriers that follow at once, or in the middle of a step of a length (s)."""
        g, names = self.grid, self.magnet.fields
        nodal = np.zeros((g.owned, len(names), len(names)))
        if "s" in names:
            k = names.index("s")
            for each in self._metals.values():
                nodal[:, k, k] += each
            nodal[:, k, k] += self._inertia(tau)
        return PortSystem(g, self._blocks, self._all_ports, "carriers", self._options, nodal)

    def _inertia(self, tau: float) -> Array:
        """Return 4 C w 2/tau (owned,), by which s in the middle of a step and at its start differ in d(2 C s^2)/dt."""
        capacitance = self.magnet.capacitance if isinstance(self.magnet, TwoBandMagnet) else 0.0
        return 8 * capacitance / tau * self.grid.weights[: self.grid.owned] if tau else np.zeros(self.grid.owned)

    def _require_positive(self, law: Array) -> None:
        """Refuse coefficients that let carriers and heat alone, without a texture, produce less than nothing."""
        own = np.sqrt(np.diag(law))
        if np.linalg.eigvalsh(law / own / own[:, None])[0] > 0:
            return
        magnet = self.magnet
        coupling, alone = (
            ", ".join(
                f"{x.name} ({x.value:.4g})"
                for x in magnet.mechanisms()
                if (x.first == x.second) == same and x.value and {x.first, x.second} <= {*magnet.gradients}
            )
            for same in (False, True)
        )
        raise ModelError(
            f"texture: entropy production is not positive, whatever the texture: {coupling} are too large for the "
            f"coefficients of what they couple, {alone}"
        )

    def _check(self) -> None:
        thermal = "theta" in self.magnet.fields
        for name, lead in self.leads.items():
            check_drive(name, lead, "temperature", "heat")
            if is_finite(lead.temperature) and not lead.temperature > 0:  # type: ignore[operator]
                raise InputError(f"texture: lead '{name}': temperature is {lead.temperature!r} K; it must be positive")
            if not isinstance(lead.spin, NormalMetal) and lead.spin not in SPINS:
                raise InputError(f"texture: lead '{name}': spin is {lead.spin!r}; {nearest(lead.spin, SPINS)}")
            if lead.spin != "reservoir" and "s" not in self.magnet.fields:
                raise InputError(f"texture: lead '{name}': spin is {lead.spin!r}, but only two bands have spins")
            for key in ("temperature", "heat"):
                if not thermal and getattr(lead, key) is not None:
                    raise InputError(
                        f"texture: lead '{name}' has {key}, but the magnet's thermal_conductivity is 0; give it one"
                    )
        if thermal and not any(x.temperature is not None for x in self.leads.values()):
            raise InputError("texture: no lead has a temperature; hold one of them at the magnet's, in K")

    @staticmethod
    def _holds(lead: Electrode, name: str) -> bool:
        """Return whether a lead is one value of a field."""
        if name == "s":
            return lead.spin == "reservoir"
        return name == "phi" or lead.temperature is not None or lead.heat is not None

    def _made_forces(self) -> Array:
        """Return the matrix (cells, rows, dim + 1, fields) from fields at the corners to the carriers' forces."""
        g, magnet, names = self.grid, self.magnet, self.magnet.fields
        out = np.zeros((len(g.cells), len(self._rows), g.dim + 1, len(names)))
        at = 0
        for weights in magnet.gradients.values():
            for name, weight in weights.items():
                out[:, at : at + 3, :, names.index(name)] += weight * g.slopes.transpose(0, 2, 1)
            at += 3
        for weights in magnet.values.values():
            for name, weight in weights.items():
                out[:, at, :, names.index(name)] += weight / (g.dim + 1)
            at += 1
        return out

    @property
    def conductances(self) -> Array:
        """The symmetric matrix of what flows into the ports at unit values, without a field (ports, ports).

        :attr:`ports` names them.
        """
        return self._system.conductances

    @property
    def ports(self) -> list[tuple[str, str]]:
        """Lead and field of each port: "phi", "s", and "theta", whose inflow is that of entropy."""
        names = list(self.leads)
        return [(names[k], field) for field, k in self._ports]

    def solve(self, magnetization: Start | Any, field: Any = (0.0, 0.0, 0.0), t: float = 0.0) -> IrreversibleState:
        """Return the currents of a texture in a field.

        Parameters
        ----------
        magnetization
            M (A/m): a function of positions (n, 3), a vector, or an array (owned, 3). If its length is the same
            everywhere, only what is perpendicular to M counts.
        field
            The thermodynamic field H (T), zero in equilibrium, in the same forms;
            :func:`fespin.texture.effective_field` gives that of a textured magnet.
        t
            Time (s) for leads whose voltage, current, temperature or heat depends on it.

        Raises
        ------
        InputError
            If something given does not fit.
        ModelError
            If the entropy production need not be positive.
        """
        g, magnet = self.grid, self.magnet
        where = Magnetization(g, magnetization)
        require_positive(magnet, g, where.place)
        return self.state(magnet, where, g.vectors(field, "field"), t)

    def carriers(
        self, law: IrreversibleMagnet, where: Magnetization, nodal: Array, t: float, step: Step | None = None
    ) -> tuple[Array, Array, Array, Array]:
        """Return the fields (nodes, k), values and inflows of the ports, and all forces (cells, forces).

        Parameters
        ----------
        law
            The magnet, or the same without its damping, which a motion has apart.
        nodal
            H at this rank's own nodes (owned, 3), in T.
        step
            s at the start of a step (owned,) and its length (s), of which the middle is found; None: steady.
        """
        g = self.grid
        forces = magnetic_forces(law, where, nodal)
        dissipative, reversible = fluxes(law, where.place, forces)
        pushed = (dissipative + reversible)[:, self._rows]
        source = np.einsum("c,cm,cmaf->caf", g.volumes, pushed, self._forces_of)
        system, history = self._system, None
        if step is not None:
            system = self._stepping.get(step[1])
            history = np.zeros((g.owned, len(law.fields)))
            history[:, law.fields.index("s")] = -self._inertia(step[1]) * step[0]
        x, values, inflows = system.solve(source, *self._drives(t), history)
        forces[:, self._rows] += np.einsum("cmaf,caf->cm", self._forces_of, x[g.cells])
        return x, values, inflows, forces

    def state(
        self, law: IrreversibleMagnet, where: Magnetization, nodal: Array, t: float, step: Step | None = None
    ) -> IrreversibleState:
        """Return currents, torque and heat; parameters as of :meth:`carriers`."""
        g, magnet = self.grid, self.magnet
        x, values, inflows, forces = self.carriers(law, where, nodal, t, step)
        local = response(law, where, forces)
        sums = [*local.dissipation.values(), local.reversible]
        own = dict(zip(magnet.fields, x[: g.owned].T, strict=True))
        spins = own.get("s", np.zeros(g.owned))
        flowing = [each * spins for each in self._metals.values()]
        growth = 0.0 if step is None else float((self._inertia(step[1]) * (spins - step[0]) * spins).sum())
        here = [float((g.volumes * y).sum()) for y in sums]
        here += [growth, *(float(x) for y in flowing for x in (y.sum(), (y * spins).sum()))]
        totals = g.totals(*here)
        count = len(sums)
        heats = dict(zip(local.dissipation, map(float, totals), strict=False))
        if self._metals:
            heats["metals"] = float(totals[count + 2 :: 2].sum())
        names, t0 = list(self.leads), magnet.temperature
        found: dict[str, tuple[dict[str, float], dict[str, float]]] = {k: ({}, {}) for k in ("phi", "s", "theta")}
        for (name, k), value, inflow in zip(self._ports, values, inflows, strict=True):
            found[name][0][names[k]], found[name][1][names[k]] = float(value), float(inflow)
        work = np.einsum("na,na->n", nodal, local.torque) * g.weights[: g.owned]
        return IrreversibleState(
            magnet.potentials(own),
            t0 + own.get("theta", np.zeros(g.owned)),
            local,
            *found["phi"],
            {k: t0 + v for k, v in found["theta"][0].items()},
            {k: t0 * v for k, v in found["theta"][1].items()},
            heats,
            float(totals[count - 1]),
            float(values @ inflows),
            float(g.total(work)),
            dict(zip(self._metals, map(float, totals[count + 1 :: 2]), strict=True)),
            float(totals[count]),
        )

    def _drives(self, t: float) -> tuple[list[float | None], list[float]]:
        """Return the values of the ports, None where they are to be found, and their inflows."""
        kelvins, watts = driven(self.grid, self.leads, t, "temperature", "heat")
        if not all(x is None or x > 0 for x in kelvins):
            raise InputError(f"texture: temperatures of leads at t = {t:.4g} s are {kelvins} K; they must be positive")
        t0 = self.magnet.temperature
        none = [0.0] * len(self.leads)
        of: dict[str, tuple[list[float | None], list[float]]] = {
            "phi": driven(self.grid, self.leads, t),
            "s": ([*none], none),
            "theta": ([None if x is None else x - t0 for x in kelvins], [x / t0 for x in watts]),
        }
        return [of[name][0][k] for name, k in self._ports], [of[name][1][k] for name, k in self._ports]

    def destroy(self) -> None:
        """Free the factors."""
        self._system.destroy()
        self._stepping.destroy()
