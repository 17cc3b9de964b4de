"""Protocols of transport models and of the device that they describe, and declarations from layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..device import Contact, Layer
from ..onsager.channels import Channels
from ..onsager.declaration import ContactLaw, Declaration, InterfaceLaw, Medium, ThermalField
from ..onsager.leads import contact_law
from ..stack import Stack

if TYPE_CHECKING:
    from dolfinx import fem

    from ..domain import Domain
    from ..onsager.system import System
    from ..solvers import SolverOptions
    from .solution import TransportSolution

type Pairs = Sequence[tuple[str, str]]
type Contacts = Mapping[str, tuple[Contact, str]]


class DeviceState(Protocol):
    """A device in a state, as reports see it; :class:`~fespin.transport.problem.TransportProblem` is one."""

    @property
    def domain(self) -> Domain:
        """Mesh with names."""
        ...

    @property
    def stack(self) -> Stack:
        """Layers with their present magnetizations."""
        ...

    @property
    def model(self) -> TransportModel:
        """Model that is solved."""
        ...

    @property
    def contacts(self) -> Contacts:
        """Kind of each contact, and the layer that it touches."""
        ...

    @property
    def system(self) -> System:
        """Discrete problem in the present state."""
        ...

    @property
    def options(self) -> SolverOptions:
        """Choices about solvers."""
        ...

    def means(self, fields: Mapping[str, fem.Function]) -> Mapping[Any, NDArray[np.float64]]:
        """Return the means of fields by interface, (side, field), and by contact, (1, field). Collective."""
        ...

    def face_mean(
        self, solution: TransportSolution, pair: tuple[str, str], side: int, weights: Mapping[str, float]
    ) -> float:
        """Return the mean over one side of an interface of a combination of fields. Collective."""
        ...

    def end_mean(self, solution: TransportSolution, contact: str, weights: Mapping[str, float]) -> float:
        """Return the mean over a contact of a combination of fields. Collective."""
        ...

    def on_axis(
        self, solution: TransportSolution, layer: str, heights: NDArray[np.float64], weights: Mapping[str, float]
    ) -> NDArray[np.float64]:
        """Return a combination of fields at heights (m) in a layer, on the axis of the device. Collective."""
        ...


class TransportModel(Protocol):
    """Members that a model must offer: its channels, the declaration of a device, and its own reports."""

    @property
    def channels(self) -> Channels:
        """The channels; the unknowns are combinations of their potentials."""
        ...

    def declare(self, stack: Stack, contacts: Contacts, pairs: Pairs) -> Declaration:
        """Return media, interface laws and contact laws.

        Parameters
        ----------
        stack
            The layers with their magnetizations.
        contacts
            Kind of each contact, and the layer it touches.
        pairs
            Layers that touch.
        """
        ...

    def accumulation(self, stack: Stack, layer: str) -> Mapping[str, float]:
        """Return the spin accumulation phi_up - phi_dn in a layer as weights over the fields."""
        ...

    def report(self, problem: DeviceState, solution: TransportSolution) -> dict[str, Any]:
        """Return what this model alone can tell, as plain numbers under the names of ``summary.json``. Collective.

        Called once, right after the solve, while the problem is still in the solution's state.
        """
        ...


def declaration_of(
    fields: Sequence[str],
    stack: Stack,
    contacts: Contacts,
    pairs: Pairs,
    medium: Callable[[Layer], Medium],
    law: Callable[[str, str], InterfaceLaw | None],
    *,
    contact: Callable[[str, Layer], ContactLaw] | None = None,
    thermal: ThermalField | None = None,
) -> Declaration:
    """Return the declaration of a device from what a model says about layers and pairs of them.

    Parameters
    ----------
    medium
        Medium of a layer.
    law
        Law of the interface between two layers; None is a perfect contact.
    contact
        Conditions at a kind of contact on a layer; default: the reservoir, lead or blocked contact that follows from
        the layer's medium, with "c" the charge field.
    """
    media = {x.name: medium(x) for x in stack}
    laws = {(a, b): found for a, b in pairs if (found := law(a, b)) is not None}
    ends = {
        k: contact(c.spin, stack[r])
        if contact
        else contact_law(c.spin, media[r], "c", fields, c.normal or (0.0, 0.0, 1.0))
        for k, (c, r) in contacts.items()
    }
    return Declaration(tuple(fields), media, laws, ends, thermal)
