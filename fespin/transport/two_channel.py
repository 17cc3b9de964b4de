"""Two spin channels of collinear magnets (Valet and Fert), as a declaration.

Unknowns are the mean c = (phi_up + phi_dn)/2 and s = (phi_up - phi_dn)/2, half
the spin accumulation, so phi_up,dn = c +- s: the pair that multigrid likes for
any spin-diffusion length. "Up" is along the common axis of the magnets; a layer
magnetized against the axis has its channels exchanged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..constants import ELEMENTARY_CHARGE
from ..device import Contact, Interface, Layer
from ..onsager.channels import Channels
from ..onsager.declaration import ContactLaw, Declaration, InterfaceLaw, Mechanism, Medium
from ..stack import Stack, common_axis, interface_sign, sign_along

CHANNELS = Channels({"up": {"c": 1.0, "s": 1.0}, "down": {"c": 1.0, "s": -1.0}})


@dataclass(frozen=True)
class TwoChannel:
    """The two-channel model.

    sigma_up,dn = (1 +- beta)/(2 rho); spin flip g = 1/(l_sf^2 (1/sigma_up + 1/sigma_dn));
    interfaces G_up,dn = 1/(2 AR* (1 -+ gamma)); a semi-infinite lead fixes c + beta s and
    dissipates s^2/(rho* l_sf) per area.
    """

    @property
    def channels(self) -> Channels:
        """Up and down; the accumulation is the potential of the first less that of the second."""
        return CHANNELS

    def declare(
        self, stack: Stack, contacts: Mapping[str, tuple[Contact, str]], pairs: Sequence[tuple[str, str]]
    ) -> Declaration:
        """Return the declaration of a device.

        Parameters
        ----------
        stack
            The layers, magnetized along one axis.
        contacts
            For each contact what it is and the layer it touches.
        pairs
            Layers that touch.

        Raises
        ------
        InputError
            If magnetizations are not collinear.
        ModelError
            If an interface with gamma joins magnets of opposite magnetization.
        """
        axis = common_axis(stack)
        signs = {x.name: sign_along(x, axis) for x in stack}
        laws = {}
        for a, b in pairs:
            interface = stack.interface(a, b)
            if interface is not None:
                laws[a, b] = self.law(interface, interface_sign(stack, a, b, axis))
        return Declaration(
            CHANNELS.fields,
            {x.name: self.medium(x, signs[x.name]) for x in stack},
            laws,
            {k: self.contact(c, stack[r], signs[r]) for k, (c, r) in contacts.items()},
        )

    @staticmethod
    def medium(layer: Layer, sign: int) -> Medium:
        """Return what dissipates inside a layer; `sign` is its direction along the axis."""
        m = layer.material
        beta = sign * (m.beta or 0.0)
        up, down = (1 + beta) / (2 * m.resistivity), (1 - beta) / (2 * m.resistivity)
        flip = 1 / (m.spin_diffusion_length**2 * (1 / up + 1 / down))
        difference = {"up": 1.0, "down": -1.0}
        storage = {}
        if m.density_of_states is not None:
            # Quasi-neutral: c_up c_dn/(c_up + c_dn) on (phi_up - phi_dn)^2, with c_up = c_dn = e^2 N/2.
            storage["spin capacity"] = (difference, ELEMENTARY_CHARGE**2 * m.density_of_states / 4)
        return CHANNELS.medium({"up": up, "down": down}, {"spin flip": (difference, flip)}, storage=storage)

    @staticmethod
    def law(interface: Interface, sign: int) -> InterfaceLaw:
        """Return what dissipates at an interface; `sign` is the direction of its magnet."""
        star, gamma = interface.area_resistance_star, sign * interface.gamma
        return CHANNELS.interface({"up": 1 / (2 * star * (1 - gamma)), "down": 1 / (2 * star * (1 + gamma))})

    @staticmethod
    def contact(contact: Contact, layer: Layer, sign: int) -> ContactLaw:
        """Return what a contact on a layer imposes."""
        if contact.spin == "reservoir":
            return ContactLaw({"c": 1.0}, grounded=("s",))
        if contact.spin == "blocked":
            return ContactLaw({"c": 1.0})
        m = layer.material
        admittance = 1 / (m.resistivity_star * m.spin_diffusion_length)
        potential = {"c": 1.0, "s": sign * m.beta} if m.beta else {"c": 1.0}
        return ContactLaw(potential, mechanisms=(Mechanism("lead", admittance, {"s": 1.0}),))
