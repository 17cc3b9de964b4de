"""The current through a textured magnet: Ohm's law with the field that a moving texture pumps."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from dolfinx import mesh as dmesh

from ..cross_products import cross
from ..errors import InputError, ModelError, nearest
from ..grid import Array, Grid
from ..petsc import Options
from .magnet import TexturedMagnet
from .ports import Lead, Port, PortSystem, check_leads, driven, lead_nodes


@dataclass(frozen=True)
class Flow:
    """A distribution of current.

    Attributes
    ----------
    potential
        phi at this rank's own nodes (owned,), in V.
    current_density
        J in this rank's own cells (cells, 3), in A/m2.
    pumped
        The field E in them (cells, 3), in V/m.
    voltages, currents
        Voltages of the leads (V), and what flows into the magnet (A; A/m in a plane, A/m2 on a line).
    joule
        Integral of J^2/sigma (W; W/m in a plane, W/m2 on a line).
    supplied
        Power that the leads put in, the sum of V I (the same unit).

    Examples
    --------
    >>> from fespin.texture import Lead, OhmicCircuit
    >>> ends = {"left": Lead(lambda x: x[0] < 1e-12, voltage=0.0), "right": Lead(lambda x: x[0] > 399e-9, current=1e11)}
    >>> flow = OhmicCircuit(wire, permalloy, ends).solve()
    >>> print(f"{flow.voltages['right']:.2e} {flow.currents['left']:.2e} {flow.joule:.2e} {flow.supplied:.2e}")
    1.00e-02 -1.00e+11 1.00e+09 1.00e+09
    """

    potential: Array = field(repr=False)
    current_density: Array = field(repr=False)
    pumped: Array = field(repr=False)
    voltages: dict[str, float]
    currents: dict[str, float]
    joule: float
    supplied: float


def pumped_field(grid: Grid, magnet: TexturedMagnet, m: Array, rate: Array) -> Array:
    """Return the field of a moving texture, E_i = (hbar P/2e) [m.(dm/dt x d_i m) + beta dm/dt.d_i m], (cells, 3).

    It is the mean over each cell, with values of nodes at corners: the transpose of the torque in
    :class:`fespin.texture.Dynamics`, so that what one takes the other gives. Collective.

    Parameters
    ----------
    m, rate
        m and dm/dt (1/s) at this rank's own nodes (owned, 3).

    Examples
    --------
    >>> from fespin.texture import Grid, pumped_field, wall
    >>> grid = Grid(wire)
    >>> m = grid.directions(wall(permalloy, 200e-9))
    >>> rate = 1e9 * np.cross((1.0, 0.0, 0.0), m)  # the wall turns about the wire
    >>> field = pumped_field(grid, permalloy, m, rate)[:, 0]
    >>> print(f"{field @ grid.volumes:.2e}")  # V, hbar P/e times the rate of turning
    -3.25e-07
    """
    seen = grid.seen(np.hstack([m, cross(m, rate) + magnet.nonadiabaticity * rate]))
    gradient, push = grid.gradient(seen[:, :3]), grid.mean(seen[:, 3:])
    return np.asarray(magnet.pumping_scale * np.einsum("cia,ca->ci", gradient, push))


class OhmicCircuit:
    """Currents in a magnet, J = sigma (-grad phi + E) with div J = 0, between leads.

    The potential is continuous and of first degree, J constant in cells. Each lead's potential is one number; the
    fields of unit voltages are found once, so that a solve for another E costs one step with the factor.

    The constructor is collective, and so is every method.

    Parameters
    ----------
    grid
        Grid, or a DOLFINx mesh.
    leads
        Leads by name. At least one must have a voltage.
    options
        PETSc options without prefix.

    Raises
    ------
    InputError
        If leads are missing, touch no node or overlap.

    Examples
    --------
    >>> from fespin.texture import Dynamics, Lead, OhmicCircuit, wall
    >>> ends = {"left": Lead(lambda x: x[0] < 1e-12, voltage=0.0), "right": Lead(lambda x: x[0] > 399e-9)}
    >>> circuit = OhmicCircuit(wire, permalloy, ends)
    >>> motion = Dynamics(wire, permalloy, wall(permalloy, 200e-9), field=(0.1, 0, 0), current=circuit)
    >>> step = next(motion.steps(1e-12, step=1e-12))
    >>> print(f"{circuit.voltage(step.flow, 'right', 'left'):.2e}")
    -5.70e-06
    """

    def __init__(
        self, grid: Grid | dmesh.Mesh, magnet: TexturedMagnet, leads: Mapping[str, Lead], options: Options | None = None
    ) -> None:
        self.grid = grid if isinstance(grid, Grid) else Grid(grid)
        check_leads(leads)
        self.magnet, self.leads = magnet, dict(leads)
        g = self.grid
        ports = [Port(x) for x in lead_nodes(g, self.leads)]
        stiffness = magnet.conductivity * np.einsum("c,cai,cbi->cab", g.volumes, g.slopes, g.slopes)
        self._system = PortSystem(g, stiffness[..., None, None], ports, "transport", options)

    @property
    def conductances(self) -> Array:
        """I_k = sum_l G_kl V_l of a magnet at rest (S; S/m in a plane, S/m2 on a line)."""
        return self._system.conductances

    def solve(self, emf: Array | None = None, t: float = 0.0) -> Flow:
        """Return the current for a given field E.

        Parameters
        ----------
        emf
            E in this rank's own cells (cells, 3), or one vector, in V/m; as of :func:`pumped_field`.
        t
            Time (s) for leads whose voltage or current depends on it.
        """
        emf = self.grid.along((0.0, 0.0, 0.0) if emf is None else emf, "emf")
        phi, density, voltages, currents = self._solved(emf, t)
        joule = self.grid.total(self.grid.volumes * np.einsum("ci,ci->c", density, density)) / self.magnet.conductivity
        return Flow(
            phi[: self.grid.owned],
            density,
            emf,
            {k: float(v) for k, v in zip(self.leads, voltages, strict=True)},
            {k: float(i) for k, i in zip(self.leads, currents, strict=True)},
            joule,
            float(voltages @ currents),
        )

    def _solved(self, emf: Array, t: float) -> tuple[Array, Array, Array, Array]:
        """Return the potential at all nodes, J in the cells, and voltages and currents of the leads."""
        g, sigma = self.grid, self.magnet.conductivity
        source = -sigma * g.volumes[:, None] * np.einsum("cai,ci->ca", g.slopes, emf)
        fields, voltages, currents = self._system.solve(source[:, :, None], *driven(g, self.leads, t))
        density = sigma * (emf - g.gradient(fields)[:, :, 0])
        return fields[:, 0], density, voltages, currents

    def moving(self, m: Array, rate: Array, t: float = 0.0) -> Flow:
        """Return the current while m moves: :meth:`solve` with :func:`pumped_field`; m and rate (owned, 3)."""
        return self.solve(pumped_field(self.grid, self.magnet, m, rate), t)

    def density(self, m: Array, rate: Array, t: float = 0.0) -> Array:
        """Return only J of :meth:`moving`, in this rank's own cells (cells, 3)."""
        return self._solved(pumped_field(self.grid, self.magnet, m, rate), t)[1]

    def voltage(self, flow: Flow, first: str, second: str) -> float:
        """Return the voltage (V) of one lead against another.

        Raises
        ------
        InputError
            If there is no such lead.
        """
        for name in (first, second):
            if name not in self.leads:
                raise InputError(f"texture: there is no lead '{name}'; {nearest(name, self.leads)}")
        return flow.voltages[first] - flow.voltages[second]

    @property
    def varying(self) -> dict[str, Callable[[float], float]]:
        """Return what drives leads as a function of the time, by the lead's name."""
        drives = {name: lead.current if lead.voltage is None else lead.voltage for name, lead in self.leads.items()}
        return {name: drive for name, drive in drives.items() if callable(drive)}

    def reach(self, name: str) -> float:
        """Return the largest |J| for one V or A of a lead's drive, through the magnet at rest (1/(Ohm m2) or 1/m2)."""
        values = [None if lead.voltage is None else 0.0 for lead in self.leads.values()]
        inflows = [0.0] * len(values)
        k = list(self.leads).index(name)
        (inflows if values[k] is None else values)[k] = 1.0
        fields, *_ = self._system.solve(np.zeros((len(self.grid.cells), self.grid.dim + 1, 1)), values, inflows)
        density = self.magnet.conductivity * self.grid.gradient(fields)[:, :, 0]
        return self.grid.largest(np.linalg.norm(density, axis=1))

    def at_rest(self, flow: Flow) -> Flow:
        """Return the flow of the same currents through the leads of the magnet at rest.

        What a flow differs by from it is pumped: the first lead has the same potential in both.
        """
        g, sigma = self.grid, self.magnet.conductivity
        currents = np.array([flow.currents[name] for name in self.leads])
        fields, values = self._system.carried(list(currents))
        shift = next(iter(flow.voltages.values()))
        density = -sigma * g.gradient(fields)[:, :, 0]
        voltages = values + shift
        return Flow(
            fields[: g.owned, 0] + shift,
            density,
            np.zeros_like(density),
            {k: float(v) for k, v in zip(self.leads, voltages, strict=True)},
            dict(flow.currents),
            g.total(g.volumes * np.einsum("ci,ci->c", density, density)) / sigma,
            float(voltages @ currents),
        )

    def electromotive_force(self, flow: Flow, first: str, second: str) -> float:
        """Return what the pumped field makes from one lead to another (V), in a magnet of any shape.

        It is the voltage of the first against the second at the same currents through the magnet at rest, less the
        voltage: the integral of E on the way of the current.

        Raises
        ------
        InputError
            If there is no such lead.
        """
        return self.voltage(self.at_rest(flow), first, second) - self.voltage(flow, first, second)

    def probe(self, points: Array) -> Callable[[Flow], Array]:
        """Return a function that gives the potential (V) at points inside, (n,), on all ranks.

        Parameters
        ----------
        points
            (n, dim of space) in m; numbers on a line.

        Raises
        ------
        InputError
            If a point lies outside.
        """
        read = self.grid.reader(points)
        return lambda flow: read(flow.potential)

    def destroy(self) -> None:
        """Free the factor."""
        self._system.destroy()


def require_positive_entropy(grid: Grid, magnet: TexturedMagnet, m: Array, when: str = "") -> None:
    """Refuse a magnetization (nodes, 3) so steep that beta would make the entropy production negative. Collective.

    Jensen's inequality makes the condition in each cell sufficient for the sum over cells and lumped nodes.

    Raises
    ------
    ModelError
        It says where, and how steep.
    """
    limit = magnet.steepest
    if math.isinf(limit):
        return
    slope, worst = grid.steepest(m)
    top = grid.largest(np.array([slope]))
    if top <= limit * (1 + 1e-12):
        return
    here = grid.positions[grid.cells[worst]].mean(axis=0).tolist() if slope == top else None
    place = next(p for p in grid.comm.allgather(here) if p is not None)
    at = ", ".join(f"{x:.4g}" for x in place[: grid.mesh.geometry.dim])
    raise ModelError(
        f"texture: entropy production is not positive{when}: |grad m| = {top:.4g} 1/m at ({at}) m, and with "
        f"nonadiabaticity {magnet.nonadiabaticity:g} and damping {magnet.damping:g} it must not exceed {limit:.4g} "
        "1/m (beta^2 (hbar P/2e)^2 |grad m|^2 <= alpha Ms/(gamma sigma))"
    )
