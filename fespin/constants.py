"""Physical constants in SI units (CODATA 2018; those without uncertainty are exact)."""

import math
from typing import Final

ELEMENTARY_CHARGE: Final = 1.602176634e-19  # C
BOLTZMANN: Final = 1.380649e-23  # J/K
HBAR: Final = 1.054571817646156e-34  # J s, exact h / 2 pi rounded to double precision
VACUUM_PERMEABILITY: Final = 1.25663706212e-6  # T m/A
ELECTRON_GYROMAGNETIC_RATIO: Final = 1.76085963023e11  # gamma, rad/(s T)
SPEED_OF_LIGHT: Final = 299792458.0  # m/s
BOHR_MAGNETON: Final = 9.2740100783e-24  # J/T
DIPOLAR_MEMORY: Final = 8e9  # bytes that the matrix of a dipolar field may take, if nothing else is said
LORENZ_NUMBER: Final = math.pi**2 / 3 * (BOLTZMANN / ELEMENTARY_CHARGE) ** 2  # V2/K2, of Sommerfeld
