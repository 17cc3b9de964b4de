"""Voltage-controlled anisotropy: the voltage of a barrier changes the energy of the magnet at its side.

    e = (xi V/t_ox) (u.axis)^2/t                 J/m3,    V = phi(other magnet) - phi(free)

At one voltage this is a uniaxial anisotropy. Where each direction has a voltage of its own, behind a load or with a
current source, it is the energy whose field is that of the voltage there; it exists where the axis is that of the map.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial
from numpy.typing import NDArray

from ..energy.declaration import EnergyTerm
from ..energy.functions import AxialPolynomial
from ..energy.terms import Uniaxial
from ..errors import ModelError
from ..macrospin.torque import chebyshev_coefficients
from .circuit import Circuit
from .voltage_maps import VoltageMap

type Array = NDArray[np.float64]

# Nodes of the polynomial of the voltage against the angle.
_NODES = 24


@dataclass(frozen=True)
class VoltageControl:
    """Anisotropy of a free layer under the voltage of a barrier.

    Attributes
    ----------
    barrier
        Names of the layers of the barrier from bottom to top, "a|b"; one of them is the free layer.
    coefficient
        xi (J/(V m)): with xi > 0 and the other magnet at the higher potential, the axis becomes harder.
    oxide_thickness
        t_ox (m).
    axis
        Direction.

    Examples
    --------
    >>> from fespin.coupling import VoltageControl
    >>> control = VoltageControl("fixed|free", coefficient=60e-15, oxide_thickness=1e-9)
    >>> print(f"{control.anisotropy(0.5, thickness=1e-9):.1e}")  # J/m3, of 0.5 V
    -3.0e+04
    """

    barrier: str
    coefficient: float
    oxide_thickness: float
    axis: tuple[float, float, float] = (0.0, 0.0, 1.0)

    def anisotropy(self, voltage: float, thickness: float) -> float:
        """Return the constant K (J/m3) that a voltage phi(other) - phi(free) adds to -K (u.axis)^2."""
        return -self.coefficient * voltage / (self.oxide_thickness * thickness)

    def energy(self, found: VoltageMap, circuit: Circuit) -> EnergyTerm:
        """Return the energy at a drive.

        Raises
        ------
        ModelError
            If the voltage depends on the direction, and the axis is not that of the map.
        """
        sign = 1.0 if self.barrier.split("|")[1] == found.layer else -1.0
        c = np.cos(np.pi * (np.arange(_NODES) + 0.5) / _NODES)
        v = sign * found.barrier_voltage(self.barrier, circuit, c)
        per_volt = self.anisotropy(1.0, found.thickness)
        if np.ptp(v) <= 1e-3 * np.abs(v).max(initial=0.0):
            # Metals in series make the rest.
            return Uniaxial(constant=float(per_volt * v.mean()), axis=self.axis)
        along = float(np.dot(self.axis, found.polarizer)) / float(np.linalg.norm(self.axis))
        if abs(along) < 1 - 1e-9:
            raise ModelError(
                "voltage-controlled anisotropy: the voltage depends on the direction (a load or a current source), so "
                "that its axis must be that of the fixed layer; drive the device by a voltage without a load"
            )
        # de/dc = -2 K(V(c)) c.
        slope = Chebyshev(chebyshev_coefficients(-2 * per_volt * v * c))
        integral = slope.integ().convert(kind=Polynomial)
        return AxialPolynomial(tuple(map(float, integral.coef)), found.polarizer)
