"""The potential of the weight on a surface: the density without its weight is to be as smooth as it can."""

from __future__ import annotations

from .dimensionless import DimensionlessDrift
from .distribution import Surface
from .fourier import Fourier
from .space import Potential


def is_weighted(surface: Surface, reduced: DimensionlessDrift) -> bool:
    """Return whether the weighted form is the better one for what changes in time.

    Without torque it is, but for rings: where the weight varies by more than some 15 kT around one, its mass matrix is
    singular to rounding.
    """
    return not reduced.has_torque and not isinstance(surface, Fourier)


def weight_of(surface: Surface, reduced: DimensionlessDrift) -> Potential:
    """Return the potential V of the weight m = exp(-V) on a surface, with its gradient.

    It is the effective potential v - chi/D, but for rings with a torque. There the density on a circle of latitude need
    not follow the potential, and a weight that varies by many powers of ten around it would make rounding of what is
    small: the mean over the circle is taken.
    """
    if isinstance(surface, Fourier) and reduced.has_torque:
        return surface.mean(reduced.effective)
    return reduced.effective
