"""A free layer under its drive: energy, temperature and torque at a voltage, a current density or a factor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, ModelError
from ..macrospin.pulse import PER_EDGE, Pulse
from ..macrospin.spin import Macrospin
from ..macrospin.stages import Stage
from ..macrospin.torque import SpinTorque, Torque
from .current_map import CurrentMap
from .film_maps import FilmMap
from .heating import Heating
from .voltage_control import VoltageControl

type Array = NDArray[np.float64]


@dataclass(frozen=True)
class DrivenMagnet:
    """A macrospin with all that its drive does to it.

    Attributes
    ----------
    spin
        The macrospin without a drive, and without the damping that pumping adds.
    device
        Map of the device whose drive is a current density (A/m2) or a voltage (V), or of a film in a field (V/m).
    torque
        A given torque instead, whose drive is a factor; None: no torque.
    control
        Voltage-controlled anisotropy, of a device that follows the voltage.
    heating
        Joule heat of pulses, of a device that follows the voltage.
    resistance_area
        rho t of the free layer (ohm m2), for its own heat.

    Raises
    ------
    ModelError
        If a control or a heating has no device that follows the voltage.

    Examples
    --------
    >>> from fespin.coupling import DrivenMagnet
    >>> magnet = DrivenMagnet(spin, torque=fs.SpinTorque.critical(spin, -1.0))
    >>> stages = magnet.stages(fs.Pulse.rectangle(4.0, 2e-9, rise=0.4e-9), start=(0, 0, 1))
    >>> len(stages), f"{fs.FokkerPlanck(comm, spin).evolve([2.4e-9], stages=stages).probability[-1]:.2f}"
    (9, '0.90')
    """

    spin: Macrospin
    device: CurrentMap | FilmMap | None = None
    torque: Torque | None = None
    control: VoltageControl | None = None
    heating: Heating | None = None
    resistance_area: float = 0.0

    def __post_init__(self) -> None:
        follows = isinstance(self.device, CurrentMap) and self.device.follows is not None
        if (self.control is not None or self.heating is not None) and not follows:
            raise ModelError("driven magnet: voltage-controlled anisotropy and heating need a map against the voltage")

    @property
    def follows_pulse(self) -> bool:
        """True if the drive changes more than the torque: the energy, or the temperature."""
        return self.control is not None or self.heating is not None

    @cached_property
    def _known(self) -> dict[tuple[float, float | None, bool], tuple[Macrospin, Torque | None]]:
        """What was asked for: pulses of several lengths have the same edges."""
        return {}

    @cached_property
    def rest(self) -> Macrospin:
        """The macrospin with pumped damping; where length and noise follow the current, at the device's own drive."""
        if isinstance(self.device, FilmMap):
            return self.device.pumped(self.spin)
        return self.spin if self.device is None else self.device.magnet(self.spin)

    def at(
        self, drive: float, temperature: float | None = None, *, backwards: bool = False
    ) -> tuple[Macrospin, Torque | None]:
        """Return the macrospin and its torque at a drive.

        Parameters
        ----------
        temperature
            Temperature (K) of a magnet that is heated; None: that without a drive.
        backwards
            True: with the noise and the length of the reversed layer.
        """
        key = (drive, temperature, backwards)
        if key not in self._known:
            self._known[key] = self._at(*key)
        return self._known[key]

    def _at(self, drive: float, temperature: float | None, backwards: bool) -> tuple[Macrospin, Torque | None]:
        if self.device is None:
            if self.torque is None:
                raise ModelError("driven magnet: a drive needs a torque")
            return self.spin, self._scaled(drive)
        if isinstance(self.device, FilmMap):
            return self.rest, self.device.at(drive).torque(self.rest)
        here = self.device.at(drive)
        # One macrospin at all drives has one mesh of directions.
        spin = self.rest if here.along is None else here.magnet(self.spin, backwards=backwards)
        if self.heating is not None and temperature is not None:
            spin = self.heating.heated(spin, temperature)
        torque = here.torque(spin)
        if self.control is not None:
            assert here.follows is not None
            spin = replace(spin, terms=(*spin.terms, self.control.energy(here.follows, here.circuit)))
        return spin, torque

    def _scaled(self, factor: float) -> Torque | None:
        assert isinstance(self.torque, SpinTorque)
        return self.torque.scaled(factor) if factor else None

    @property
    def _thickness(self) -> float:
        assert isinstance(self.device, CurrentMap) and self.device.follows is not None
        return self.device.follows.thickness

    def heat(self, drive: float, start: Sequence[float] | Array) -> float:
        """Return the power per area that heats the free layer at a drive, in a direction (W/m2)."""
        assert self.heating is not None and isinstance(self.device, CurrentMap) and self.device.follows is not None
        found, circuit = self.device.follows, self.device.at(drive).circuit
        u = np.asarray(start, dtype=float)
        c = np.array([float(u @ np.asarray(found.polarizer)) / float(np.linalg.norm(u))])
        v = found.voltage_at(circuit, c)
        current = float((v * found.functions(c, v)[2])[0])
        own = [name for name in found.barriers if found.layer in name.split("|")]
        barriers = sum(float(found.barrier_voltage(name, circuit, c)[0]) * current for name in own)
        return self.heating.barrier_share * barriers + self.resistance_area * current**2

    def stages(
        self, pulse: Pulse, start: Sequence[float] | Array, *, until: float | None = None, per_edge: int = PER_EDGE
    ) -> list[Stage]:
        """Return the stages of a pulse.

        Parameters
        ----------
        pulse
            Drive against time.
        start
            Direction in which the layer is heated: that in which it starts.
        until
            Time to go on to without a drive after the pulse (s); default the pulse's end.
        per_edge
            Number of stages of an edge.

        Raises
        ------
        InputError
            If the layer gets to Curie's temperature, or `until` is before the end.
        """
        pieces = pulse.pieces(per_edge)
        end = pulse.end if until is None else until
        if end < pulse.end * (1 - 1e-12):
            raise InputError(f"pulse: it ends at {pulse.end:g} s, after the last time, {end:g} s")
        if end > pulse.end:
            pieces.append((end, 0.0))
        base = self.spin.temperature
        if self.heating is None:
            course = [(t, drive, base) for t, drive in pieces]
        else:
            assert self.device is not None
            thickness = self._thickness
            course = self.heating.course(pieces, lambda x: self.heat(x, start), thickness, base)
        # To a thousandth of a kelvin, so that edges that differ by rounding are the same.
        return [Stage(t, *self.at(drive, round(temperature, 3))) for t, drive, temperature in course]

    def temperatures(self, pulse: Pulse, start: Sequence[float] | Array) -> tuple[Array, Array]:
        """Return times (s) and temperatures (K) of a pulse in the middle of its stages."""
        if self.heating is None or self.device is None:
            return np.array([0.0, pulse.end]), np.full(2, self.spin.temperature)
        thickness = self._thickness
        course = self.heating.course(pulse.pieces(), lambda x: self.heat(x, start), thickness, self.spin.temperature)
        ends = np.array([t for t, _, _ in course])
        return (ends + np.concatenate([[0.0], ends[:-1]])) / 2, np.array([x for _, _, x in course])
