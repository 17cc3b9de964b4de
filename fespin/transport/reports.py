"""Reports of every transport solution, computed from the solved fields."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from ..domain import sample
from ..onsager.power import end_mean, face_mean
from ..onsager.state_laws import StateSystem
from ..onsager.system import System
from .model import DeviceState

type Pair = tuple[str, str]
type Fields = Sequence[fem.Function]


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


def accumulation(problem: DeviceState, w: Fields) -> dict[Pair, tuple[float, float]]:
    """Return the spin accumulation on both sides at the centres of interfaces. Collective."""
    out = {}
    for pair in problem.domain.interfaces:
        at = problem.domain.interface_centre(pair)[None]
        weights = [problem.system.vector(problem.model.accumulation(problem.stack, r)) for r in pair]
        below, above = (float(x @ sample(w, problem.domain, at, r)[:, 0]) for x, r in zip(weights, pair, strict=True))
        out[pair] = (below, above)
    return out


def _ohmic_weights(system: System, layer: str) -> NDArray[np.float64]:
    """Return K q/(q^T K q): the potential that it weights falls by Ohm's law alone in a layer."""
    q = system.fields.index(system.declaration.charge)
    row = system.coefficients.along(layer, (0.0, 0.0, 1.0))[q]
    return np.asarray(row / row[q])


def drops(problem: DeviceState, w: Fields) -> tuple[dict[str, float], dict[Pair, float]]:
    """Return layer and interface drops of a stack in order, from bottom to top; else nothing. Collective."""
    names, system = problem.domain.regions, problem.system
    pairs = list(itertools.pairwise(names))
    if set(pairs) != set(problem.domain.interfaces) or set(problem.contacts) != {"bottom", "top"}:
        return {}, {}
    if system.declaration.varying or system.declaration.applied:
        return {}, {}

    def face(pair: Pair, side: int) -> float:
        means = [face_mean(system, f, pair, side) for f in w]
        return float(_ohmic_weights(system, pair[side]) @ means)

    def end(contact: str, layer: str) -> float:
        return float(_ohmic_weights(system, layer) @ [end_mean(system, f, contact) for f in w])

    below = [face(p, 0) for p in pairs]
    above = [face(p, 1) for p in pairs]
    bottoms = [end("bottom", names[0]), *above]
    tops = [*below, end("top", names[-1])]
    layers = {n: a - b for n, a, b in zip(names, bottoms, tops, strict=True)}
    return layers, {p: a - b for p, a, b in zip(pairs, below, above, strict=True)}


def channel_currents(problem: DeviceState, w: Fields, system: System | StateSystem) -> dict[str, dict[str, float]]:
    """Return the current of each channel through interfaces, and into contacts on one layer. Collective."""
    domain, out = problem.domain, {}
    for pair, entities in domain.interfaces.items():
        facets = entities.reshape(-1, 4)[:, 2:].ravel()
        out["|".join(pair)] = system.region_flux(w, pair[1], facets)
    for k, (_, layer) in problem.contacts.items():
        if len(domain.contact_regions(k)) == 1:
            out[k] = system.region_flux(w, layer, domain.contact_entities[k])
    return {k: problem.model.channels.currents(f * domain.depth) for k, f in out.items()}


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
