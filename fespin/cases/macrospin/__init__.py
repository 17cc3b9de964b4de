"""Cases of a macrospin: its tables, and a module for each task about it."""

from typing import Annotated

from pydantic import Field

from ..tasks import classes_of
from .dwell_times import DwellTimes
from .escape import Escape
from .first_passage import FirstPassage
from .hysteresis import Hysteresis
from .langevin import Langevin
from .noise import Noise
from .phase_diagram import PhaseDiagram
from .resonance import Resonance
from .spectrum import Spectrum
from .steady import Steady
from .susceptibility import Susceptibility
from .switching import Switching

# Written out, not computed: type checkers read it.
type MacrospinTask = Annotated[
    Spectrum
    | Steady
    | Escape
    | Switching
    | Langevin
    | Hysteresis
    | Susceptibility
    | Noise
    | FirstPassage
    | DwellTimes
    | Resonance
    | PhaseDiagram,
    Field(discriminator="kind"),
]
TASKS = classes_of(MacrospinTask.__value__)
"""Classes of the tasks by their words."""

__all__ = ["TASKS", "MacrospinTask"]
