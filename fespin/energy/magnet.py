"""One description of a magnet, which a macrospin, a texture and a layer of a device share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..constants import ELECTRON_GYROMAGNETIC_RATIO
from ..quantities import require_positive
from .collection import AnyTerm, as_terms


@dataclass(frozen=True)
class Magnet:
    """A magnetic material with its energies: all that does not depend on how m varies, or on temperature.

    Attributes
    ----------
    saturation_magnetization
        Ms (A/m).
    damping
        Gilbert's alpha.
    terms
        Energies, such as :class:`Exchange` and :class:`Uniaxial`, or your own: :mod:`fespin.energy.declaration`.
    gyromagnetic_ratio
        gamma (rad/(s T)); default the free electron's.

    Raises
    ------
    InputError
        If a number is not positive, or something among the terms is no energy.

    Examples
    --------
    >>> cobalt = fs.Magnet(1.1e6, 0.02, [fs.Exchange(1.6e-11), fs.Uniaxial(9e5)])
    >>> bit = fs.Macrospin.of(cobalt, volume=4e-25, temperature=300.0)
    >>> print(f"{fs.survey(bit).barrier:.1f}")
    86.9
    """

    saturation_magnetization: float
    damping: float
    terms: Sequence[AnyTerm] = ()
    gyromagnetic_ratio: float = ELECTRON_GYROMAGNETIC_RATIO

    def __post_init__(self) -> None:
        for key in ("saturation_magnetization", "damping", "gyromagnetic_ratio"):
            require_positive("magnet", key, getattr(self, key))
        object.__setattr__(self, "terms", as_terms("magnet", self.terms))
