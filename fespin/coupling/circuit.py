"""Sources that drive a device, and the current that each direction of its free layer sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..quantities import is_finite

type Array = NDArray[np.float64]


@dataclass(frozen=True)
class Circuit:
    """A current source, or a voltage source with a load in series.

    Attributes
    ----------
    current_density
        Upwards (A/m2), held whatever the direction.
    voltage
        Voltage of the source (V), bottom against top, instead of a current.
    series_resistance_area
        Resistance of a voltage source's load times the device's cross-section (ohm m2).

    Raises
    ------
    InputError
        If not exactly one drive is given, a value is not finite, or the load is negative or beside a current.

    Examples
    --------
    >>> circuit = fs.Circuit(voltage=1e-3, series_resistance_area=1e-15)
    >>> print(f"{circuit.current_at(np.array(2e-15)):.3e}")  # A/m2
    3.333e+11
    """

    current_density: float | None = None
    voltage: float | None = None
    series_resistance_area: float = 0.0

    def __post_init__(self) -> None:
        if (self.current_density is None) == (self.voltage is None):
            raise InputError("torque: give exactly one of current_density and voltage")
        drive = self.current_density if self.voltage is None else self.voltage
        if not is_finite(drive):
            raise InputError(f"torque: the drive is {drive!r}; it must be finite")
        load = self.series_resistance_area
        if not is_finite(load) or load < 0:
            raise InputError(f"torque: series_resistance_area is {load!r}; it must be finite and not negative (ohm m2)")
        if load and self.voltage is None:
            raise InputError("torque: series_resistance_area belongs to a voltage; a current is held whatever the load")

    def current_at(self, resistance_area: Array) -> Array:
        """Return the current density (A/m2) through a device of A R (ohm m2), of any shape."""
        if self.voltage is None:
            assert self.current_density is not None
            return np.full_like(resistance_area, self.current_density)
        return np.asarray(self.voltage / (resistance_area + self.series_resistance_area))

    def source_voltage_at(self, resistance_area: Array) -> Array:
        """Return the voltage of the source (V): a current source's is the device's."""
        if self.voltage is None:
            return np.asarray(self.current_at(resistance_area) * resistance_area)
        return np.full_like(resistance_area, self.voltage)

    def feedback(self, resistance_area: Array) -> Array:
        """Return what a unit of pumped current (A/m2) changes the device's voltage by, with opposite sign (ohm m2).

        Parallel to the device lies the load: zero of a voltage source, the device's own A R of a current source.
        """
        if self.voltage is None:
            return np.asarray(resistance_area)
        load = self.series_resistance_area
        return np.asarray(load * resistance_area / (load + resistance_area))
