"""Longitudinal dynamics of a magnet with two magnetizations: M decays, m decays and diffuses.

Names are imported when first used: a magnet and its closed forms need no DOLFINx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from .ac_injection import Response, respond
    from .dispersion import Mode, decay_mode, decay_modes, fitted_wavenumber, wavenumber_of_pencil
    from .drives import AppliedField, Contact, ContactState, Flux, Held, resistivity_star
    from .evolution import Relaxation, evolve
    from .magnet import LongitudinalMagnet
    from .problem import LongitudinalProblem, State

__getattr__ = lazily(
    __name__,
    {
        "dispersion": ("Mode", "decay_mode", "decay_modes", "fitted_wavenumber", "wavenumber_of_pencil"),
        "evolution": ("Relaxation", "evolve"),
        "magnet": ("LongitudinalMagnet",),
        "drives": ("AppliedField", "Contact", "ContactState", "Flux", "Held", "resistivity_star"),
        "problem": ("LongitudinalProblem", "State"),
        "ac_injection": ("Response", "respond"),
    },
)

__all__ = [
    "AppliedField",
    "Contact",
    "ContactState",
    "Flux",
    "Held",
    "LongitudinalMagnet",
    "LongitudinalProblem",
    "Mode",
    "Relaxation",
    "Response",
    "State",
    "decay_mode",
    "decay_modes",
    "evolve",
    "fitted_wavenumber",
    "resistivity_star",
    "respond",
    "wavenumber_of_pencil",
]
