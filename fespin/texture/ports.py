"""Linear equations of fields between leads: each lead holds one value per field, given or found from what flows in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import ufl
from dolfinx import fem, la
from dolfinx import mesh as dmesh
from mpi4py import MPI
from numpy.typing import NDArray

from ..block_matrix import BlockMatrix
from ..errors import InputError
from ..grid import Array, Grid
from ..petsc import Options
from ..quantities import is_finite

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
        Current into the magnet: A; A/m in a plane, A/m2 on a line. With neither, no current flows: a probe.

    Examples
    --------
    >>> from fespin.texture import Lead, OhmicCircuit
    >>> ground, source = Lead(lambda x: x[0] < 1e-12, voltage=0.0), Lead(lambda x: x[0] > 399e-9, current=1e11)
    >>> print(f"{OhmicCircuit(wire, permalloy, {'left': ground, 'right': source}).solve().voltages['right']:.2e}")
    1.00e-02
    """

    where: Callable[[Array], Any]
    voltage: OfTime | None = None
    current: OfTime | None = None


@dataclass(frozen=True)
class Port:
    """Nodes that share one value of one field.

    Attributes
    ----------
    nodes
        This rank's own.
    component
        Which field.
    """

    nodes: NDArray[Any]
    component: int = 0


class PortSystem:
    """Symmetric positive equations sum_c (A_c x + b_c) = inflow, with inflow at ports only.

    The fields of unit values at the ports are found once, so that a solve for another source b costs one step with
    the factor. The constructor is collective, and so is every method.

    Parameters
    ----------
    blocks
        A of the cells (cells, dim + 1, dim + 1, k, k).
    ports
        No two may share a node in one field.
    name
        Name of the equations, for messages and PETSc's options prefix.
    nodal
        Blocks to add at this rank's own nodes (owned, k, k): what a surface takes up, or storage.

    Attributes
    ----------
    conductances
        (ports, ports): inflow_p = sum_q G_pq value_q without a source. Symmetric.
    """

    def __init__(
        self,
        grid: Grid,
        blocks: Array,
        ports: Sequence[Port],
        name: str,
        options: Options | None = None,
        nodal: Array | None = None,
    ) -> None:
        self.grid, self.k = grid, blocks.shape[-1]
        g, k = grid, self.k
        owner = np.zeros((g.owned, k))
        for number, port in enumerate(ports):
            owner[port.nodes, port.component] = number + 1
        self._port = g.seen(owner).astype(int)
        self._free: Array = (self._port == 0).astype(float)
        free = self._free[g.cells]
        inner = blocks * free[:, :, None, :, None] * free[:, None, :, None, :]
        held = np.zeros((g.owned, k, k))
        held[:, np.arange(k), np.arange(k)] = 1 - self._free[: g.owned]
        own = np.zeros((g.owned, k, k)) if nodal is None else nodal
        held += own * self._free[: g.owned, :, None] * self._free[: g.owned, None, :]
        self._system = BlockMatrix(g, k, name, symmetric=True, options=options)
        self._system.refresh(inner, held)
        self._units = []
        """The fields of a unit value at each port, the others being at zero (nodes, k)."""
        drawn = []
        for number in range(len(ports)):
            at_port = (self._port == number + 1).astype(float)
            given = np.einsum("nij,nj->ni", own, at_port[: g.owned])
            x = self._inside(np.einsum("cabij,cbj->cai", blocks, at_port[g.cells]), given) + at_port
            self._units.append(x)
            stored = np.einsum("nij,nj->ni", own, x[: g.owned])
            drawn.append((np.einsum("cabij,cbj->cai", blocks, x[g.cells]), stored))
        here = np.array([[np.sum(u[g.cells] * a) + np.sum(u[: g.owned] * b) for a, b in drawn] for u in self._units])
        self.conductances: Array = g.comm.allreduce(here)

    def _inside(self, source: Array, nodal: Array) -> Array:
        """Return the fields (nodes, k) of a source in cells (cells, dim + 1, k) and nodes (owned, k), ports at zero."""
        load = -(self.grid.gathered(source) + nodal) * self._free[: self.grid.owned]
        return np.asarray(self.grid.seen(self._system.solve(load)) * self._free)

    def solve(
        self, source: Array, values: Sequence[float | None], inflows: Sequence[float], nodal: Array | None = None
    ) -> tuple[Array, ...]:
        """Return the fields (nodes, k), and the values and inflows of the ports.

        Parameters
        ----------
        source
            b of the cells (cells, dim + 1, k).
        values
            Values of the ports; None: found from its inflow.
        inflows
            Inflows of the ports; only those without a value count.
        nodal
            b of this rank's own nodes (owned, k).
        """
        g = self.grid
        nodal = np.zeros((g.owned, self.k)) if nodal is None else nodal
        bare = self._inside(source, nodal)
        # What flows in with all ports at zero, by the symmetry of the matrix.
        pumped = g.totals(*(float((source * u[g.cells]).sum() + (nodal * u[: g.owned]).sum()) for u in self._units))
        held = np.array([0.0 if v is None else v for v in values])
        loose = [p for p, v in enumerate(values) if v is None]
        if loose:
            missing = np.asarray(inflows, dtype=float) - pumped - self.conductances @ held
            held[loose] = np.linalg.solve(self.conductances[np.ix_(loose, loose)], missing[loose])
        fields = bare + sum(v * u for v, u in zip(held, self._units, strict=True))
        return fields, held, self.conductances @ held + pumped

    def carried(self, inflows: Sequence[float]) -> tuple[Array, Array]:
        """Return the fields (nodes, k) and the values of the ports at given inflows without a source.

        The first port is at zero.
        """
        scale = np.abs(self.conductances).max() or 1.0
        inner = self.conductances[1:, 1:] / scale
        rest = np.linalg.lstsq(inner, np.asarray(inflows, dtype=float)[1:] / scale, rcond=None)[0]
        values = np.array([0.0, *rest])
        return sum((v * u for v, u in zip(values, self._units, strict=True)), np.zeros_like(self._free)), values

    def destroy(self) -> None:
        """Free the factor."""
        self._system.destroy()


def check_leads(leads: object, kind: type[Lead] = Lead) -> None:
    """Refuse leads that are none, are driven twice, or of which none has a voltage.

    Raises
    ------
    InputError
        It names the lead.
    """
    if not isinstance(leads, Mapping):
        raise InputError(f"texture: leads is a {type(leads).__name__}; it must be a mapping of names to leads")
    for name, lead in leads.items():
        if not isinstance(lead, kind) or not callable(lead.where):
            found = f"a {type(lead).__name__}" if isinstance(lead, Lead) else repr(lead)
            raise InputError(
                f"texture: lead '{name}' is {found}; allowed: {kind.__name__} with a function of positions"
            )
        check_drive(name, lead, "voltage", "current")
    if not any(lead.voltage is not None for lead in leads.values()):
        raise InputError("texture: no lead has a voltage; ground one of them with voltage=0")


def check_drive(name: str, lead: Lead, value: str, inflow: str) -> None:
    """Refuse a lead that is given both, or what is neither a number nor a function of the time."""
    if getattr(lead, value) is not None and getattr(lead, inflow) is not None:
        raise InputError(f"texture: lead '{name}' has {value} and {inflow}; allowed: one of them, or neither")
    for key in (value, inflow):
        given = getattr(lead, key)
        if given is not None and not callable(given) and not is_finite(given):
            raise InputError(
                f"texture: lead '{name}': {key} is {given!r}; it must be a finite number or a function of t"
            )


def lead_nodes(grid: Grid, leads: Mapping[str, Lead]) -> list[NDArray[Any]]:
    """Return this rank's own nodes on each lead. Collective.

    Raises
    ------
    InputError
        If one touches no node, or two have a node in common.
    """
    g, out, taken = grid, [], np.zeros(grid.owned, dtype=int)
    g.mesh.topology.create_connectivity(g.dim - 1, g.dim)
    for name, lead in leads.items():
        g.marked(lead.where, f"lead '{name}': where")
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


def surface_weights(grid: Grid, where: Callable[[Array], Any]) -> Array:
    """Return the area of a part of the surface that belongs to each of this rank's own nodes (owned,). Collective.

    It is m2 in a body, m in a plane, 1 on a line.
    """
    g = grid
    g.mesh.topology.create_connectivity(g.dim - 1, g.dim)
    facets = np.sort(dmesh.locate_entities_boundary(g.mesh, g.dim - 1, where)).astype(np.int32)
    marked = dmesh.meshtags(g.mesh, g.dim - 1, facets, np.ones(len(facets), dtype=np.int32))
    ds = ufl.Measure("ds", domain=g.mesh, subdomain_data=marked)
    found = fem.assemble_vector(fem.form(ufl.TestFunction(g.space) * ds(1)))
    found.scatter_reverse(la.InsertMode.add)
    return np.array(np.real(found.array[: g.owned]), dtype=float)


def driven(
    grid: Grid, leads: Mapping[str, Lead], t: float, value: str = "voltage", inflow: str = "current"
) -> tuple[list[float | None], list[float]]:
    """Return the values (None where they are to be found) and inflows that leads prescribe at a time (s). Collective.

    Raises
    ------
    InputError
        On all ranks, if a function fails or gives no finite number.
    """

    def given(at: float) -> tuple[list[float | None], list[float]]:
        values = [getattr(x, value) for x in leads.values()]
        inflows = [getattr(x, inflow) or 0.0 for x in leads.values()]
        return [None if v is None else _at(v, at) for v in values], [_at(x, at) for x in inflows]

    if not any(callable(getattr(x, key)) for x in leads.values() for key in (value, inflow)):
        return given(t)
    return grid.asked(given, t, "what drives a lead")


def _at(value: OfTime, t: float) -> float:
    found = value(t) if callable(value) else value
    if not is_finite(found):
        raise InputError(f"texture: what drives a lead at t = {t:.4g} s is {found!r}; it must be finite")
    return float(found)
