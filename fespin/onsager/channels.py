"""Channels and the unknowns that carry them.

A model speaks of channels: their conductivities sigma_ij, reactions with a
stoichiometry nu over them, conductances G_ij at interfaces. The unknowns may be
other combinations of the potentials, for the solver's sake: phi = W w. This
class does that change of basis once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ModelError, nearest
from .declaration import InterfaceLaw, Mechanism, Medium
from .matrices import mechanisms_of


@dataclass(frozen=True)
class Channels:
    """Potentials of channels as combinations of the unknown fields.

    Attributes
    ----------
    weights
        ``{channel: {field: weight}}``, as many channels as fields, independent of each other.

    Examples
    --------
    >>> from fespin.onsager import Channels
    >>> pair = Channels({"up": {"c": 1, "s": 1}, "down": {"c": 1, "s": -1}})
    >>> pair.combination({"up": 1, "down": -1})
    {'s': 2.0}
    """

    weights: Mapping[str, Mapping[str, float]]

    @property
    def names(self) -> tuple[str, ...]:
        """The channels."""
        return tuple(self.weights)

    @property
    def fields(self) -> tuple[str, ...]:
        """The unknowns."""
        return tuple(dict.fromkeys(f for w in self.weights.values() for f in w))

    def matrix(self) -> NDArray[np.float64]:
        """Return W, shape (channel, field): phi = W w."""
        return np.array([[w.get(f, 0.0) for f in self.fields] for w in self.weights.values()])

    def combination(self, nu: Mapping[str, float]) -> dict[str, float]:
        """Return the weights over fields of a combination of channels.

        Raises
        ------
        ModelError
            If a channel is unknown.
        """
        out: dict[str, float] = {}
        for channel, x in nu.items():
            if channel not in self.weights:
                raise ModelError(f"there is no channel '{channel}'; {nearest(channel, self.weights)}")
            for f, w in self.weights[channel].items():
                out[f] = out.get(f, 0.0) + x * w
        return {f: w for f, w in out.items() if w}

    def conduction(
        self, conductivity: Mapping[str, float] | ArrayLike, among: Sequence[str] | None = None
    ) -> tuple[Mechanism[str], ...]:
        """Return mechanisms from conductivities (S/m; at interfaces conductances, S/m2).

        Parameters
        ----------
        conductivity
            Conductivity per channel, or a symmetric positive matrix over the channels `among`.
        among
            Which channels the matrix is over; default all.

        Raises
        ------
        ModelError
            If a matrix is not symmetric and positive.
        """
        if isinstance(conductivity, Mapping):
            return tuple(Mechanism(k, x, self.combination({k: 1.0})) for k, x in conductivity.items())
        made = mechanisms_of("conduction", conductivity, tuple(among or self.names))
        return tuple(Mechanism(m.name, m.coefficient, self.combination(m.weights)) for m in made)

    def medium(
        self,
        conductivity: Mapping[str, float] | ArrayLike,
        reactions: Mapping[str, tuple[Mapping[str, float], float]] | None = None,
        *,
        among: Sequence[str] | None = None,
        storage: Mapping[str, tuple[Mapping[str, float], float]] | None = None,
    ) -> Medium:
        """Return what happens in a region. Channels without conductivity are absent there.

        Parameters
        ----------
        conductivity, among
            See :meth:`conduction`.
        reactions, storage
            ``{name: (nu over channels, coefficient)}``: S/m3, and F/m3.
        """

        def terms(given: Mapping[str, tuple[Mapping[str, float], float]] | None) -> tuple[Mechanism[str], ...]:
            return tuple(Mechanism(k, g, self.combination(nu)) for k, (nu, g) in (given or {}).items())

        return Medium(self.conduction(conductivity, among), terms(reactions), terms(storage))

    def interface(
        self, conductance: Mapping[str, float] | ArrayLike, among: Sequence[str] | None = None
    ) -> InterfaceLaw:
        """Return the law J = G (phi on side 0 - phi on side 1) (S/m2), per channel or as a matrix."""

        def both(m: Mechanism[str]) -> Mechanism[tuple[int, str]]:
            weights = {(0, f): w for f, w in m.weights.items()} | {(1, f): -w for f, w in m.weights.items()}
            return Mechanism(f"interface {m.name}", m.coefficient, weights)

        return InterfaceLaw(tuple(both(m) for m in self.conduction(conductance, among)))

    def currents(self, fluxes: ArrayLike) -> dict[str, float]:
        """Return the channels' currents from the fluxes conjugate to the fields."""
        found = np.linalg.solve(self.matrix().T, np.asarray(fluxes, dtype=float))
        return {k: float(x) for k, x in zip(self.names, found, strict=True)}
