"""What a transport model is, and what all of them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ..device import Contact, Layer
from ..onsager.channels import Channels
from ..onsager.declaration import ContactLaw, Declaration, InterfaceLaw, Medium, ThermalField
from ..onsager.leads import contact_law
from ..stack import Stack

if TYPE_CHECKING:
    from .problem import TransportProblem
    from .solution import TransportSolution

type Pairs = Sequence[tuple[str, str]]
type Contacts = Mapping[str, tuple[Contact, str]]


class TransportModel(Protocol):
    """What a model must offer: its channels, the declaration of a device, and its own reports."""

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
            For each contact what it is and the layer it touches.
        pairs
            Layers that touch.
        """
        ...

    def accumulation(self, stack: Stack, layer: str) -> Mapping[str, float]:
        """Return the spin accumulation phi_up - phi_dn in a layer as weights over the fields."""
        ...

    def report(self, problem: TransportProblem, solution: TransportSolution) -> dict[str, Any]:
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
        Of a layer.
    law
        Of the interface between two layers; None is a perfect contact.
    contact
        Of a kind of contact on a layer; default: the reservoir, lead or blocked contact that follows from the
        layer's medium, with "c" the charge field.
    """
    media = {x.name: medium(x) for x in stack}
    laws = {(a, b): found for a, b in pairs if (found := law(a, b)) is not None}
    ends = {
        k: contact(c.spin, stack[r]) if contact else contact_law(c.spin, media[r], "c", fields)
        for k, (c, r) in contacts.items()
    }
    return Declaration(tuple(fields), media, laws, ends, thermal)
