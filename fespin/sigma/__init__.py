"""The sphere of directions and Brown's Fokker-Planck equation on it."""

from ..macrospin.scales import suggested_mesh_size
from .decomposition import Decomposition, decompose
from .distribution import Distribution
from .evolution import Evolution
from .fokker_planck import FokkerPlanck
from .meridian import Meridian
from .response import Noise, Susceptibility
from .results import Escape, Spectrum, Switching
from .space import Sigma

__all__ = [
    "Decomposition",
    "Distribution",
    "Escape",
    "Evolution",
    "FokkerPlanck",
    "Meridian",
    "Noise",
    "Sigma",
    "Spectrum",
    "Susceptibility",
    "Switching",
    "decompose",
    "suggested_mesh_size",
]
