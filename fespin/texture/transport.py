"""The current through a textured magnet: Ohm's law with the field that a moving texture pumps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from dolfinx import fem
from dolfinx import mesh as dmesh
from mpi4py import MPI

from ..errors import InputError, nearest
from ..quantities import is_finite
from .grid import Array, Grid
from .linear import BlockMatrix, Options, cross
from .magnet import TexturedMagnet

type OfTime = float | Callable[[float], float]


@dataclass(frozen=True)
class Lead:
    """An equipotential contact on a part of the surface.

    Attributes
    ----------
    where
        A function of positions (3, n) that says which points of the surface belong to it, as DOLFINx's locators.
    voltage
        V, or a function of the time (s).
    current
        Into the magnet: A; A/m in a plane, A/m2 on a line. With neither, no current flows: a probe.
    """

    where: Callable[[Array], Any]
    voltage: OfTime | None = None
    current: OfTime | None = None


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
        Of the leads: V, and what flows into the magnet (A; A/m in a plane, A/m2 on a line).
    joule
        Integral of J^2/sigma (W; W/m in a plane, W/m2 on a line).
    supplied
        What the leads put in, the sum of V I (the same unit).
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
    """
    seen = grid.seen(np.hstack([m, cross(m, rate) + magnet.nonadiabaticity * rate]))
    gradient, push = grid.gradient(seen[:, :3]), grid.mean(seen[:, 3:])
    return np.asarray(magnet.pumping_scale * np.einsum("cia,ca->ci", gradient, push))


class Transport:
    """Currents in a magnet, J = sigma (-grad phi + E) with div J = 0, between leads.

    The potential is continuous and of first degree, J constant in cells. Each lead's potential is one number; the
    fields of unit voltages are found once, so that a solve for another E costs one step with the factor.

    The constructor is collective, and so is every method.

    Parameters
    ----------
    grid
        Or a DOLFINx mesh.
    leads
        By name. At least one must have a voltage.
    options
        PETSc options without prefix.

    Raises
    ------
    InputError
        If leads are missing, touch no node or overlap.

    Examples
    --------
    >>> wire = Transport(grid, cobalt, {"left": Lead(lambda x: x[0] < 1e-12, voltage=0.0),
    ...                                 "right": Lead(lambda x: x[0] > 399e-9, current=1e11)})
    """

    def __init__(
        self, grid: Grid | dmesh.Mesh, magnet: TexturedMagnet, leads: Mapping[str, Lead], options: Options | None = None
    ) -> None:
        self.grid = grid if isinstance(grid, Grid) else Grid(grid)
        self.magnet, self.leads = magnet, dict(leads)
        self._check_leads()
        g = self.grid
        nodes = self._nodes()
        fixed = np.zeros((g.owned, 1))
        for k, found in enumerate(nodes):
            fixed[found] = k + 1
        self._lead_of = g.seen(fixed)[:, 0].astype(int)
        self._free: Array = (self._lead_of == 0).astype(float)
        stiffness = magnet.conductivity * np.einsum("c,cai,cbi->cab", g.volumes, g.slopes, g.slopes)
        free = self._free[g.cells]
        blocks = stiffness * free[:, :, None] * free[:, None, :]
        self._system = BlockMatrix(g, 1, "transport", symmetric=True, options=options)
        self._system.refresh(blocks[..., None, None], (1 - self._free[: g.owned])[:, None, None])
        # The potential of a unit voltage on each lead, the others being at zero.
        self._units = []
        for k in range(len(self.leads)):
            at_lead = (self._lead_of == k + 1).astype(float)
            drawn = np.einsum("cab,cb->ca", stiffness, at_lead[g.cells])
            load = -g.gathered(drawn[:, :, None]) * self._free[: g.owned, None]
            self._units.append(g.seen(self._system.solve(load))[:, 0] * self._free + at_lead)
        slopes = [g.gradient(u[:, None])[:, :, 0] for u in self._units]
        self._unit_slopes = slopes
        here = np.array([[np.einsum("c,ci,ci", g.volumes, a, b) for b in slopes] for a in slopes])
        self.conductances: Array = magnet.conductivity * g.comm.allreduce(here)
        """I_k = sum_l G_kl V_l of a magnet at rest (S; S/m in a plane, S/m2 on a line)."""
        # Leads that a current drives find their own voltages.
        self._loose = [k for k, x in enumerate(self.leads.values()) if x.voltage is None]
        self._loads = np.linalg.inv(self.conductances[np.ix_(self._loose, self._loose)])

    def _check_leads(self) -> None:
        for name, lead in self.leads.items():
            if not isinstance(lead, Lead) or not callable(lead.where):
                raise InputError(f"texture: lead '{name}' is {lead!r}; it must be a Lead with a function of positions")
            if lead.voltage is not None and lead.current is not None:
                raise InputError(f"texture: lead '{name}' has voltage and current; allowed: one of them, or neither")
            for key in ("voltage", "current"):
                given = getattr(lead, key)
                if given is not None and not callable(given) and not is_finite(given):
                    raise InputError(
                        f"texture: lead '{name}': {key} is {given!r}; it must be a finite number or a function of t"
                    )
        if not any(lead.voltage is not None for lead in self.leads.values()):
            raise InputError("texture: no lead has a voltage; ground one of them with voltage=0")

    def _nodes(self) -> list[Any]:
        """Return this rank's own nodes on each lead."""
        g, out, taken = self.grid, [], np.zeros(self.grid.owned, dtype=int)
        g.mesh.topology.create_connectivity(g.dim - 1, g.dim)
        for name, lead in self.leads.items():
            facets = dmesh.locate_entities_boundary(g.mesh, g.dim - 1, lead.where)
            found = np.asarray(fem.locate_dofs_topological(g.space, g.dim - 1, facets, remote=True))
            found = found[found < g.owned]
            if not g.comm.allreduce(len(found)):
                raise InputError(f"texture: lead '{name}' touches no part of the surface; check its 'where'")
            taken[found] += 1
            out.append(found)
        if g.comm.allreduce(bool((taken > 1).any()), MPI.LOR):
            raise InputError("texture: two leads have a node in common; they must be apart")
        return out

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
        push = sigma * g.volumes[:, None] * np.einsum("cai,ci->ca", g.slopes, emf)
        load = g.gathered(push[:, :, None]) * self._free[: g.owned, None]
        bare = g.seen(self._system.solve(load))[:, 0] * self._free
        # What flows in with all leads at zero: the residual of each lead, by the symmetry of the matrix.
        weighted = g.volumes[:, None] * emf
        pumped_in = -sigma * g.totals(*(float((weighted * s).sum()) for s in self._unit_slopes))
        voltages = self._voltages(pumped_in, t)
        phi = bare + sum(v * u for v, u in zip(voltages, self._units, strict=True))
        density = sigma * (emf - g.gradient(phi[:, None])[:, :, 0])
        return phi, density, voltages, self.conductances @ voltages + pumped_in

    def moving(self, m: Array, rate: Array, t: float = 0.0) -> Flow:
        """Return the current while m moves: :meth:`solve` with :func:`pumped_field`; m and rate (owned, 3)."""
        return self.solve(pumped_field(self.grid, self.magnet, m, rate), t)

    def density(self, m: Array, rate: Array, t: float = 0.0) -> Array:
        """Return only J of :meth:`moving`, in this rank's own cells (cells, 3)."""
        return self._solved(pumped_field(self.grid, self.magnet, m, rate), t)[1]

    def _voltages(self, pumped_in: Array, t: float) -> Array:
        voltages = np.array([0.0 if x.voltage is None else _at(x.voltage, t) for x in self.leads.values()])
        if self._loose:
            asked = np.array([_at(x.current or 0.0, t) for x in self.leads.values()])
            voltages[self._loose] = self._loads @ (asked - pumped_in - self.conductances @ voltages)[self._loose]
        return voltages

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
        g = self.grid
        x = np.atleast_1d(np.asarray(points, dtype=float))
        x = x[:, None] if x.ndim == 1 else x
        x = np.pad(x, ((0, 0), (0, 3 - x.shape[1])))
        places = []
        for k, point in enumerate(x):
            start = g.positions[g.cells[:, 0]]
            # Barycentric coordinates: each is one at its corner and falls along its slope.
            inside = np.einsum("cai,ci->ca", g.slopes, point - start)
            inside[:, 0] += 1.0
            best = int(np.argmax(inside.min(axis=1))) if len(inside) else -1
            margin = float(inside[best].min()) if best >= 0 else -np.inf
            found, rank = g.comm.allreduce((margin, g.comm.rank), MPI.MAXLOC)
            if not found > -1e-9:
                raise InputError(f"texture: the probe at {np.atleast_1d(points)[k]} m lies outside the mesh")
            places.append((rank, best, inside[best] if best >= 0 else None))

        def read(flow: Flow) -> Array:
            phi = g.seen(flow.potential[:, None])[:, 0]
            mine = [phi[g.cells[c]] @ w if rank == g.comm.rank else 0.0 for rank, c, w in places]
            return np.asarray(g.comm.allreduce(np.array(mine)))

        return read

    def destroy(self) -> None:
        """Free the factor."""
        self._system.destroy()


def _at(value: OfTime, t: float) -> float:
    found = value(t) if callable(value) else value
    if not is_finite(found):
        raise InputError(f"texture: a lead's voltage or current at t = {t:.4g} s is {found!r}; it must be finite")
    return float(found)
