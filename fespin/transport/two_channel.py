"""Two spin channels of collinear magnets (Valet and Fert), as a declaration.

Unknowns are the mean c = (phi_up + phi_dn)/2 and s = (phi_up - phi_dn)/2, half
the spin accumulation, so phi_up,dn = c +- s: the pair that multigrid likes for
any spin-diffusion length. "Up" is along the common axis of the magnets; a layer
magnetized against the axis has its channels exchanged.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..constants import ELEMENTARY_CHARGE
from ..device import Contact, Interface, Layer, Stack, common_axis, interface_sign, sign_along
from ..onsager.declaration import ContactLaw, Declaration, InterfaceLaw, Mechanism, Medium

UP = {"c": 1.0, "s": 1.0}
DOWN = {"c": 1.0, "s": -1.0}


@dataclass(frozen=True)
class TwoChannel:
    """The two-channel model.

    sigma_up,dn = (1 +- beta)/(2 rho); spin flip g = 1/(l_sf^2 (1/sigma_up + 1/sigma_dn));
    interfaces G_up,dn = 1/(2 AR* (1 -+ gamma)); a semi-infinite lead fixes c + beta s and
    dissipates s^2/(rho* l_sf) per area.
    """

    name = "two-channel"
    fields = ("c", "s")

    def declare(
        self, stack: Stack, contacts: dict[str, tuple[Contact, str]], pairs: list[tuple[str, str]]
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
            self.fields,
            {x.name: self.medium(x, signs[x.name]) for x in stack},
            laws,
            {k: self.contact(c, stack[r], signs[r]) for k, (c, r) in contacts.items()},
        )

    @staticmethod
    def asymmetry(layer: Layer, sign: int) -> float:
        """Return beta relative to the axis."""
        return sign * (layer.material.beta or 0.0)

    def medium(self, layer: Layer, sign: int) -> Medium:
        """Return what dissipates inside a layer."""
        m = layer.material
        beta = self.asymmetry(layer, sign)
        up, down = (1 + beta) / (2 * m.resistivity), (1 - beta) / (2 * m.resistivity)
        flip = 1 / (m.spin_diffusion_length**2 * (1 / up + 1 / down))
        storage: tuple[Mechanism[str], ...] = ()
        if m.density_of_states is not None:
            # Quasi-neutral: c_up c_dn/(c_up + c_dn) on (phi_up - phi_dn)^2, with c_up = c_dn = e^2 N/2.
            capacity = ELEMENTARY_CHARGE**2 * m.density_of_states
            storage = (Mechanism("spin capacity", capacity, {"s": 1.0}),)
        return Medium(
            conduction=(Mechanism("up", up, UP), Mechanism("down", down, DOWN)),
            reactions=(Mechanism("spin flip", flip, {"s": 2.0}),),
            storage=storage,
        )

    @staticmethod
    def law(interface: Interface, sign: int) -> InterfaceLaw:
        """Return what dissipates at an interface."""
        terms = []
        for name, weights, x in (("up", UP, 1), ("down", DOWN, -1)):
            g = 1 / (2 * interface.area_resistance_star * (1 - x * sign * interface.gamma))
            both = {(0, f): w for f, w in weights.items()} | {(1, f): -w for f, w in weights.items()}
            terms.append(Mechanism(f"interface {name}", g, both))
        return InterfaceLaw(tuple(terms))

    def contact(self, contact: Contact, layer: Layer, sign: int) -> ContactLaw:
        """Return what a contact on a layer imposes."""
        if contact.spin == "reservoir":
            return ContactLaw({"c": 1.0}, grounded=("s",))
        if contact.spin == "blocked":
            return ContactLaw({"c": 1.0})
        m = layer.material
        admittance = 1 / (m.resistivity_star * m.spin_diffusion_length)
        potential = {"c": 1.0}
        beta = self.asymmetry(layer, sign)
        if beta:
            potential["s"] = beta
        return ContactLaw(potential, mechanisms=(Mechanism("lead", admittance, {"s": 1.0}),))
