"""Two spin channels of collinear magnets (Valet and Fert), as a declaration.

Unknowns are the mean c = (phi_up + phi_dn)/2 and s = (phi_up - phi_dn)/2, half
the spin accumulation, so phi_up,dn = c +- s: the pair that multigrid likes for
any spin-diffusion length. "Up" is along the common axis of the magnets; a layer
magnetized against the axis has its channels exchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..constants import ELEMENTARY_CHARGE
from ..device import Interface, Layer
from ..onsager.channels import Channels
from ..onsager.declaration import Declaration, InterfaceLaw, Medium
from ..stack import Stack, common_axis, interface_sign, sign_along
from .model import Contacts, DeviceState, Pairs, declaration_of

if TYPE_CHECKING:
    from .solution import TransportSolution

CHANNELS = Channels({"up": {"c": 1.0, "s": 1.0}, "down": {"c": 1.0, "s": -1.0}})
DIFFERENCE = {"up": 1.0, "down": -1.0}


@dataclass(frozen=True)
class TwoChannel:
    """The two-channel model.

    sigma_up,dn = (1 +- beta)/(2 rho); spin flip g = 1/(l_sf^2 (1/sigma_up + 1/sigma_dn));
    interfaces G_up,dn = 1/(2 AR* (1 -+ gamma)); a semi-infinite lead fixes c + beta s and
    dissipates s^2/(rho* l_sf) per area.

    Examples
    --------
    >>> problem = fs.TransportProblem(fs.line(comm, stack), fs.TwoChannel())
    >>> print(f"{problem.solve(current_density=1e11).resistance_area:.3e}")
    2.173e-15
    """

    @property
    def channels(self) -> Channels:
        """Up and down along the common axis."""
        return CHANNELS

    def declare(self, stack: Stack, contacts: Contacts, pairs: Pairs) -> Declaration:
        """Return the declaration of a device.

        Raises
        ------
        InputError
            If magnetizations are not collinear.
        ModelError
            If an interface with gamma joins magnets of opposite magnetization.
        """
        axis = common_axis(stack)

        def medium(layer: Layer) -> Medium:
            return two_channel_medium(layer, sign_along(layer, axis))

        def law(a: str, b: str) -> InterfaceLaw | None:
            face = stack.interface(a, b)
            sign = interface_sign(stack, a, b, axis)
            return None if face is None or face.perfect else two_channel_law(face, sign)

        return declaration_of(CHANNELS.fields, stack, contacts, pairs, medium, law)

    def accumulation(self, stack: Stack, layer: str) -> Mapping[str, float]:
        """Return phi_up - phi_dn as weights over the fields."""
        return CHANNELS.combination(DIFFERENCE)

    def report(self, problem: DeviceState, solution: TransportSolution) -> dict[str, Any]:
        """Return nothing beyond what every model reports."""
        return {}


def two_channel_medium(layer: Layer, sign: int, channels: Channels = CHANNELS) -> Medium:
    """Return what dissipates inside a layer; `sign` is its direction along the axis."""
    m = layer.material
    beta = sign * (m.beta or 0.0)
    up, down = (1 + beta) / (2 * m.resistivity), (1 - beta) / (2 * m.resistivity)
    flip = 1 / (m.spin_diffusion_length**2 * (1 / up + 1 / down))
    storage = {}
    if m.density_of_states is not None:
        # Quasi-neutral: c_up c_dn/(c_up + c_dn) on (phi_up - phi_dn)^2, with c_up = c_dn = e^2 N/2.
        storage["spin capacity"] = (DIFFERENCE, ELEMENTARY_CHARGE**2 * m.density_of_states / 4)
    return channels.medium({"up": up, "down": down}, {"spin flip": (DIFFERENCE, flip)}, storage=storage)


def two_channel_law(interface: Interface, sign: int, channels: Channels = CHANNELS) -> InterfaceLaw:
    """Return what dissipates at an interface; `sign` is the direction of its magnet."""
    up, down = interface.conductances[::sign]
    return channels.interface({"up": up, "down": down})
