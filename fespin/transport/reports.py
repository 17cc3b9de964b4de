"""Reports of every transport solution, computed from the solved fields."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from ..domain import sample
from ..onsager.products import CellProducts
from ..onsager.state_laws import StateSystem
from ..onsager.system import System
from .model import DeviceState

type Pair = tuple[str, str]
type Fields = Sequence[fem.Function]
type Array = NDArray[np.float64]


def driven_contacts(amps: Mapping[str, float]) -> tuple[str, str]:
    """Return the two contacts between which the resistance is taken; rounding does not decide."""
    if amps.keys() == {"bottom", "top"}:
        return ("bottom", "top")
    names, least = list(amps), 1e-9 * max(abs(i) for i in amps.values())

    def first(sign: int, but: str = "") -> str:
        strongest = max(sign * amps[k] for k in names if k != but)
        return next(k for k in names if k != but and sign * amps[k] >= strongest - least)

    source = first(+1)
    return source, first(-1, source)


def accumulation(problem: DeviceState, fields: Mapping[str, fem.Function]) -> dict[Pair, tuple[float, float]]:
    """Return the spin accumulation on both sides at the centres of interfaces. Collective."""
    weights = {r: problem.system.vector(problem.model.accumulation(problem.stack, r)) for r in problem.domain.regions}
    on_line = problem.means(fields) if problem.domain.dim == 1 else None
    out = {}
    for pair in problem.domain.interfaces:
        if on_line is not None:
            # The interface is a point.
            values = [on_line[pair][side] for side in (0, 1)]
        else:
            at = problem.domain.interface_centre(pair)[None]
            values = [sample(list(fields.values()), problem.domain, at, r)[:, 0] for r in pair]
        below, above = (float(weights[r] @ x) for r, x in zip(pair, values, strict=True))
        out[pair] = (below, above)
    return out


def _ohmic_weights(system: System, layer: str) -> NDArray[np.float64]:
    """Return K q/(q^T K q): the potential that it weights falls by Ohm's law alone in a layer."""
    q = system.fields.index(system.declaration.charge)
    row = system.coefficients.along(layer, (0.0, 0.0, 1.0))[q]
    return np.asarray(row / row[q])


def drops(problem: DeviceState, means: Mapping[Any, Array]) -> tuple[dict[str, float], dict[Pair, float]]:
    """Return layer and interface drops of a stack in order, from bottom to top; else nothing. Not collective.

    Parameters
    ----------
    means
        Means of the fields by interface and contact (:func:`fespin.onsager.power.means`).
    """
    names, system = problem.domain.regions, problem.system
    pairs = list(itertools.pairwise(names))
    if set(pairs) != set(problem.domain.interfaces) or set(problem.contacts) != {"bottom", "top"}:
        return {}, {}
    if system.declaration.varying or system.declaration.applied:
        return {}, {}

    weights = {r: _ohmic_weights(system, r) for r in names}

    def face(pair: Pair, side: int) -> float:
        return float(weights[pair[side]] @ means[pair][side])

    def end(contact: str, layer: str) -> float:
        return float(weights[layer] @ means[contact][0])

    below = [face(p, 0) for p in pairs]
    above = [face(p, 1) for p in pairs]
    bottoms = [end("bottom", names[0]), *above]
    tops = [*below, end("top", names[-1])]
    layers = {n: a - b for n, a, b in zip(names, bottoms, tops, strict=True)}
    return layers, {p: a - b for p, a, b in zip(pairs, below, above, strict=True)}


def channel_currents(
    problem: DeviceState, w: Fields, system: System | StateSystem, products: CellProducts
) -> dict[str, dict[str, float]]:
    """Return the current of each channel through interfaces, and into contacts on one layer. Collective.

    The consistent flux of the layer above: what its residual holds at the nodes of the face.
    """
    domain, linear = problem.domain, problem.system
    media, c = linear.declaration.media, linear.coefficients
    # Elsewhere the flux has parts that no product of the fields gives.
    plain = {r: not (r in c.varying or r in c.tensors or media[r].state) for r in domain.regions}
    facets: dict[str, tuple[Any, str, NDArray[np.int32]]]
    facets = {"|".join(p): (p, p[1], e.reshape(-1, 4)[:, 2:].ravel()) for p, e in domain.interfaces.items()}
    facets |= {k: (k, r, domain.contact_entities[k]) for k, (_, r) in problem.contacts.items() if k in linear.above}
    quick = {k: products.flux_through(linear.above[key], c) for k, (key, r, _) in facets.items() if plain[r]}
    total = linear.comm.allreduce(np.array(list(quick.values()))) if quick else ()
    found: dict[str, Array] = dict(zip(quick, total, strict=True))
    for k, (_, r, entities) in facets.items():
        if not plain[r]:
            found[k] = system.region_flux(w, r, entities)
    return {k: problem.model.channels.currents(found[k] * domain.depth) for k in facets}


def lost_current(problem: DeviceState, currents: Mapping[str, Mapping[str, float]], current: float) -> float:
    """Return by how much the current through an interface of a line differs from what is driven, relative to it.

    It is rounding: the potentials of a poor conductor leave no digits for the slopes in a good one. Zero without a
    current, and where the device is no line between two contacts.
    """
    if problem.domain.dim > 1 or set(problem.contacts) != {"bottom", "top"} or not current:
        return 0.0
    charge = problem.system.declaration.charge
    share = {k: w.get(charge, 0.0) for k, w in problem.model.channels.weights.items()}
    through = [currents["|".join(p)] for p in problem.domain.interfaces]
    # Of a region that comes first in the mesh but lies above, the current counts downwards.
    return max((abs(abs(sum(share[k] * x for k, x in c.items())) / abs(current) - 1) for c in through), default=0.0)
