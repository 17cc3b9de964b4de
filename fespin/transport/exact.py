"""Exact solutions of two channels on a line, where rounding spoils the one on a mesh.

Potentials of volts and differences of nanovolts between them do not fit into the digits of one number. Layer by layer
the exact solution keeps drops, accumulations and currents apart, and no coefficient is too extreme for it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from ..onsager.power import Dissipation
from ..onsager.terminals import Terminal
from .model import DeviceState
from .multilayer import MultilayerSolution, solve_multilayer
from .solution import TransportSolution
from .two_channel import TwoChannel

type Array = NDArray[np.float64]


def exact_solution(problem: DeviceState, terminals: Mapping[str, Terminal], why: str) -> TransportSolution | None:
    """Return the exact solution of a state; None where there is none, or no current. Collective.

    Fields hold the exact potentials at their nodes; all numbers are those of the layers, not of the fields.

    Parameters
    ----------
    why
        Fault of the solution on the mesh, for the solution's notes.
    """
    contacts, names = problem.contacts, problem.stack.names
    if type(problem.model) is not TwoChannel or problem.domain.dim != 1 or set(contacts) != {"bottom", "top"}:
        return None
    if (contacts["bottom"][1], contacts["top"][1]) != (names[0], names[-1]):
        return None
    ends = (contacts["bottom"][0], contacts["top"][0])
    bottom, top = terminals["bottom"], terminals["top"]
    if bottom.current is not None:
        density = bottom.current
    elif top.current is not None:
        density = -top.current
    else:
        assert bottom.voltage is not None and top.voltage is not None
        density = (bottom.voltage - top.voltage) / solve_multilayer(problem.stack, *ends, 1.0).resistance_area
    if not density or bottom.voltage is top.voltage is None:
        return None
    found = solve_multilayer(problem.stack, *ends, density)
    drop = found.resistance_area * density
    upper = top.voltage
    if upper is None:
        assert bottom.voltage is not None
        upper = bottom.voltage - drop
    fields = _fields(problem, found, upper)
    dissipation = Dissipation(found.power)
    spins = [(density + x) / 2 for x in found.spin_currents], [(density - x) / 2 for x in found.spin_currents]
    through = [{"up": float(u), "down": float(d)} for u, d in zip(*spins, strict=True)]
    pairs = list(problem.domain.interfaces)
    places = {frozenset(p): i for i, p in enumerate(itertools.pairwise(names))}
    return TransportSolution(
        stack=problem.stack,
        domain=problem.domain,
        fields=fields,
        channels=problem.model.channels,
        voltages={"bottom": upper + drop, "top": upper},
        currents={"bottom": density, "top": -density},
        temperatures={},
        heats={},
        between=("bottom", "top"),
        dissipation=dissipation,
        power_balance=dissipation.total / (drop * density) - 1,
        accumulation={
            p: (float(found.accumulation[i, 1]), float(found.accumulation[i + 1, 0]))
            for p in pairs
            for i in (places[frozenset(p)],)
        },
        layer_drops={x: float(d) for x, d in zip(names, found.layer_drops, strict=True)},
        interface_drops={p: float(found.interface_drops[places[frozenset(p)]]) for p in pairs},
        channel_currents={
            **{"|".join(p): through[places[frozenset(p)] + 1] for p in pairs},
            "bottom": through[0],
            "top": {k: -x for k, x in through[-1].items()},
        },
        r_nonequilibrium=found.r_nonequilibrium,
        present={x: frozenset(problem.model.channels.names) for x in names},
        spin={x: problem.model.accumulation(problem.stack, x) for x in names},
        iterations=0,
        dofs=problem.system.dofs,
        notes=(f"the exact solution of the layers: on the mesh {why}",),
    )


def _fields(problem: DeviceState, found: MultilayerSolution, upper: float) -> dict[str, fem.Function]:
    """Return c and s with the exact potentials at their nodes."""
    domain, out = problem.domain, problem.system.functions()
    for i, name in enumerate(domain.regions):
        start = domain.region_extent(name)[0] - found.boundaries[i]
        cells = np.flatnonzero(domain.region == i).astype(np.int32)
        for k, f in enumerate(out):

            def at(x: Array, k: int = k, start: float = start, i: int = i) -> Array:
                return found.mean_and_half(x[0] - start, i)[k] + (upper if k == 0 else 0.0)

            f.interpolate(at, cells0=cells)
    for f in out:
        f.x.scatter_forward()
    return dict(zip(problem.system.fields, out, strict=True))
