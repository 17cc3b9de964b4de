"""Physical constants in SI units (CODATA 2018; those without uncertainty are exact)."""

from typing import Final

ELEMENTARY_CHARGE: Final = 1.602176634e-19  # C
BOLTZMANN: Final = 1.380649e-23  # J/K
HBAR: Final = 1.054571817646156e-34  # J s, exact h / 2 pi rounded to double precision
