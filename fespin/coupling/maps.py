"""Maps of a device: its torque on the free layer and its resistance against the direction of that layer.

The two kinds differ in what stands for the functions: :class:`~fespin.coupling.TorqueMap` has polynomials of the cosine
to one fixed direction, :class:`~fespin.coupling.DirectionMap` spherical harmonics. Here is what they share: drives,
pumped damping, files, and the search for as many solves as a tolerance needs.
"""

from __future__ import annotations

import dataclasses
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ..errors import InputError
from ..macrospin.damping import AddedDamping
from ..macrospin.spin import Macrospin
from ..macrospin.stability import critical_factor
from ..macrospin.torque import Torque
from ..output import save_json
from .circuit import Circuit

type Array = NDArray[np.float64]


class FreeLayerMap[T: Torque](ABC):
    """Base of both kinds of maps: torque on the free layer per current, and resistance.

    Attributes
    ----------
    NAME
        Name of the kind, for messages.
    layer
        Free layer.
    thickness
        Thickness of the free layer (m).
    error
        Error of torque, resistance and pumping relative to their largest values.
    solves
        Number of directions that were solved.
    """

    NAME: ClassVar[str]
    layer: str
    thickness: float
    error: float
    solves: int

    @property
    @abstractmethod
    def has_pumping(self) -> bool:
        """True if the map holds the damping that pumping adds."""

    @abstractmethod
    def torque_per_current(self, u: Array) -> Array:
        """Return tau per current density (V s) at directions u (n, 3)."""

    @abstractmethod
    def resistance_at(self, u: Array) -> Array:
        """Return A R (ohm m2) at directions u (n, 3)."""

    @abstractmethod
    def _torque(self, circuit: Circuit, per_tau: float) -> T:
        """Return the torque in a circuit; `per_tau` is 1/(Ms t) (m2/(J T))."""

    @abstractmethod
    def _damping(self, circuit: Circuit, scale: float) -> AddedDamping:
        """Return the damping by pumping in a circuit; `scale` is gamma/(Ms t) (m2/(J s))."""

    @abstractmethod
    def _numbers(self) -> tuple[dict[str, Any], Any]:
        """Return what a file holds of a map's own kind: the functions by name, and the pumping."""

    @classmethod
    @abstractmethod
    def _made_of(cls, data: dict[str, Any]) -> Self:
        """Make a map of what a file holds; any ValueError, TypeError or KeyError means that it holds no map."""

    def torque(
        self,
        spin: Macrospin,
        *,
        current_density: float | None = None,
        voltage: float | None = None,
        series_resistance_area: float = 0.0,
    ) -> T:
        """Return the spin torque on a macrospin: (du/dt)_ST = -gamma tau/(Ms t).

        Parameters
        ----------
        spin
            Macrospin of the free layer.
        current_density, voltage, series_resistance_area
            Drive, as for :class:`Circuit`: a current held whatever the direction, or one that follows the resistance.

        Raises
        ------
        InputError
            If not exactly one drive is given, or a value is impossible.
        """
        return self.torque_in(Circuit(current_density, voltage, series_resistance_area), spin)

    def torque_in(self, circuit: Circuit, spin: Macrospin) -> T:
        """Return the spin torque on a macrospin in a circuit; see :meth:`torque`."""
        return self._torque(circuit, 1 / (spin.saturation_magnetization * self.thickness))

    def pumped(
        self,
        spin: Macrospin,
        *,
        current_density: float | None = None,
        voltage: float | None = None,
        series_resistance_area: float = 0.0,
    ) -> Macrospin:
        """Return the macrospin with the damping that pumping adds: A = gamma Gamma/(Ms t), turned by 90 degrees.

        What is pumped into a circuit depends on its load: currents are driven back by the voltage they cause, by
        reciprocity with the torque. Of the drive only its kind matters.

        Parameters
        ----------
        spin
            Macrospin of the free layer.
        current_density, voltage, series_resistance_area
            Drive, as for :class:`Circuit`.

        Raises
        ------
        InputError
            If the map holds no pumping, or the circuit is impossible.
        """
        return self.pumped_in(Circuit(current_density, voltage, series_resistance_area), spin)

    def pumped_in(self, circuit: Circuit, spin: Macrospin) -> Macrospin:
        """Return the macrospin with the damping that pumping adds in a circuit; see :meth:`pumped`."""
        if not self.has_pumping:
            raise InputError(f"{self.NAME}: it holds no pumping; make it with pumping=True")
        scale = spin.gyromagnetic_ratio / (spin.saturation_magnetization * self.thickness)
        return dataclasses.replace(spin, pumping=self._damping(circuit, scale))

    def critical_current_density(self, spin: Macrospin, well: Sequence[float] | Array) -> float | None:
        """Return the current density at which a state of the macrospin loses its stability (A/m2).

        Without temperature: where the trace of the linearized motion about the state changes sign. Negative: the
        current flows downwards. None: the torque has no trace there. Where the torque shifts the state, the result is
        of first order in the current; on its axis it does not.

        Parameters
        ----------
        spin
            Macrospin with its pumping, if that is to count.
        well
            Direction of an energy minimum.
        """
        return critical_factor(spin, self.torque(spin, current_density=1.0), well)

    def save(self, comm: MPI.Intracomm, path: Path | str) -> None:
        """Write the map as JSON, on rank 0. Collective."""
        functions, pumping = self._numbers()
        common = {"layer": self.layer, "thickness": self.thickness}
        save_json(comm, path, common | functions | {"error": self.error, "solves": self.solves, "pumping": pumping})

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a map that :meth:`save` has written.

        Raises
        ------
        InputError
            If there is no such file, or it holds no map of this kind.
        """
        try:
            return cls._made_of(json.loads(Path(path).read_text("utf-8")))
        except OSError as error:
            raise InputError(f"{cls.NAME} '{path}' cannot be read: {error.strerror}") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(f"'{path}' holds no {cls.NAME}") from error


def require_tolerance(owner: str, tolerance: float) -> None:
    """Refuse a tolerance that rounding does not reach, or that is none."""
    if not 1e-12 < tolerance < 1:
        raise InputError(f"{owner}: tolerance is {tolerance!r}; it must lie between 1e-12 and 1")


def refine(
    comm: MPI.Intracomm,
    points: Array,
    values: Array,
    batches: Iterable[Array],
    solve: Callable[[Array], Array],
    deviation: Callable[[Array, Array, Array, Array], float],
    tolerance: float,
) -> tuple[Array, Array, float]:
    """Solve at further points until they agree with a fit through those before. Collective.

    The error is that of the previous fit; a fit through all points, which includes the newest, is better.

    Parameters
    ----------
    comm
        All ranks, which stop together whatever their rounding.
    points, values
        First points (n, ...) and what was solved there (n, k).
    batches
        Further points, in the order in which they are solved.
    solve
        Takes points, returns values.
    deviation
        Takes points and values so far, new points and the values there; returns the deviation of a fit through the
        former at the latter, relative to what matters.
    tolerance
        Deviation at which the search ends.

    Returns
    -------
    points, values
        All of them.
    error
        Deviation at the last points; above the tolerance if there were no more of them.
    """
    error = math.inf
    for new in batches:
        more = solve(new)
        error = float(comm.bcast(deviation(points, values, new, more), 0))
        points, values = np.concatenate([points, new]), np.concatenate([values, more])
        if error <= tolerance:
            break
    return points, values, error
