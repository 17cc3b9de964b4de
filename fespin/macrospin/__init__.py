"""The macrospin: energy, torques, landscape and motion of one direction. No mesh, no solver."""

from ..energy.declaration import EnergyTerm
from ..energy.functions import Energy
from ..energy.terms import Biaxial, Cubic, Shape, Uniaxial, Zeeman
from .damping import AddedDamping, AngularDamping
from .landscape import Landscape, Well, survey
from .langevin import EnsembleResult, FirstPassage, first_passage, langevin
from .llg import Trajectory, llg
from .noise import NoiseSpectrum, power_spectrum
from .pulse import Pulse
from .spin import Macrospin
from .stages import Stage
from .torque import AngularTorque, SpinTorque, Torque, VectorTorque

__all__ = [
    "AddedDamping",
    "AngularDamping",
    "AngularTorque",
    "Biaxial",
    "Cubic",
    "Energy",
    "EnergyTerm",
    "EnsembleResult",
    "FirstPassage",
    "Landscape",
    "Macrospin",
    "NoiseSpectrum",
    "Pulse",
    "Shape",
    "SpinTorque",
    "Stage",
    "Torque",
    "Trajectory",
    "Uniaxial",
    "VectorTorque",
    "Well",
    "Zeeman",
    "first_passage",
    "langevin",
    "llg",
    "power_spectrum",
    "survey",
]
