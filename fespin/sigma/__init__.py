"""The sphere of directions and Brown's Fokker-Planck equation on it."""

from ..macrospin.scales import suggested_mesh_size
from .decomposition import Decomposition, decompose
from .distribution import Distribution
from .evolution import Evolution
from .fokker_planck import FokkerPlanck
from .fourier import Fourier
from .linear_response import Noise, Susceptibility
from .meridian import Meridian
from .results import Escape, Spectrum, Switching
from .shifts import TorqueShifts, torque_shifts
from .space import Sigma
from .surveys import DwellTimes, PhaseDiagram, Resonances, critical_drive, dwell_times, phase_diagram, resonances

__all__ = [
    "Decomposition",
    "Distribution",
    "DwellTimes",
    "Escape",
    "Evolution",
    "FokkerPlanck",
    "Fourier",
    "Meridian",
    "Noise",
    "PhaseDiagram",
    "Resonances",
    "Sigma",
    "Spectrum",
    "Susceptibility",
    "Switching",
    "TorqueShifts",
    "critical_drive",
    "decompose",
    "dwell_times",
    "phase_diagram",
    "resonances",
    "suggested_mesh_size",
    "torque_shifts",
]
