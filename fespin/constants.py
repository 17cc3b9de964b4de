"""Physical constants in SI units (CODATA 2018; those without uncertainty are exact)."""

from typing import Final

ELEMENTARY_CHARGE: Final = 1.602176634e-19  # C
BOLTZMANN: Final = 1.380649e-23  # J/K
HBAR: Final = 1.054571817646156e-34  # J s, exact h / 2 pi rounded to double precision
VACUUM_PERMEABILITY: Final = 1.25663706212e-6  # T m/A
ELECTRON_GYROMAGNETIC_RATIO: Final = 1.76085963023e11  # gamma, rad/(s T)
