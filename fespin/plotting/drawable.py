"""Protocols of the objects that are drawn: pictures depend on the attributes that they show, not on classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from ..domain import Domain
from ..onsager.channels import Channels
from ..stack import Stack

type Terms = Sequence[tuple[float, fem.Function]]
"""Weights and functions, to be summed."""


class SampledProfile(Protocol):
    """Potentials along the axis of a stack; :class:`fespin.transport.solution.Profile` is one."""

    @property
    def position(self) -> NDArray[np.float64]:
        """Points along the stacking direction (m)."""
        ...

    @property
    def layer(self) -> NDArray[np.int64]:
        """Index of the layer of each point."""
        ...

    @property
    def potentials(self) -> Mapping[str, NDArray[np.float64]]:
        """Potential of each channel (V)."""
        ...

    @property
    def accumulation(self) -> NDArray[np.float64]:
        """Spin accumulation (V)."""
        ...

    @property
    def mean(self) -> NDArray[np.float64]:
        """Charge potential (V)."""
        ...


class SolvedDevice(Protocol):
    """Solved fields on a device; :class:`fespin.transport.solution.TransportSolution` is one."""

    @property
    def domain(self) -> Domain:
        """Mesh with names."""
        ...

    @property
    def stack(self) -> Stack:
        """Layers with their magnetizations."""
        ...

    @property
    def channels(self) -> Channels:
        """Channels as combinations of the fields."""
        ...

    @property
    def voltages(self) -> Mapping[str, float]:
        """Voltage of every contact (V)."""
        ...

    @property
    def accumulation_terms(self) -> Terms:
        """Spin accumulation as weights and fields."""
        ...

    def combination(self, nu: Mapping[str, float]) -> Terms:
        """Return a combination of the channels' potentials as weights and fields."""
        ...
