"""What drives a motion and varies in time: fields, currents and leads that are functions of the time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..drives import SampledDrive
from .grid import Array, Grid
from .transport import Transport

if TYPE_CHECKING:
    from .magnet import TexturedMagnet

_ROWS = 64  # nodes or cells of a rank that stand for a field given at each


class Drives:
    """Fields, currents and leads from now to the end of a motion. Collective throughout.

    Parameters
    ----------
    field, current
        B (T) and J (A/m2) as functions of the time, of this rank's own nodes and cells (n, 3); None: constant.
    transport
        Leads may have functions of the time, too.
    begin, end
        s.

    Attributes
    ----------
    jumps
        Times at which one of them jumps, increasing.
    """

    def __init__(
        self,
        grid: Grid,
        magnet: TexturedMagnet,
        field: Callable[[float], Array] | None,
        current: Callable[[float], Array] | None,
        transport: Transport | None,
        begin: float,
        end: float,
    ) -> None:
        self._grid, self._drift = grid, abs(magnet.drift_per_current)
        self._field = None if field is None else (_sampled(grid, field, begin, end), magnet.gyromagnetic_ratio)
        currents = [] if current is None else [(_sampled(grid, current, begin, end), 1.0)]
        for name, drive in ({} if transport is None else transport.varying).items():
            assert transport is not None
            currents.append((_sampled(grid, _of_lead(grid, name, drive), begin, end), transport.reach(name)))
        self._currents = currents
        both = [x for x, _ in ([] if self._field is None else [self._field]) + currents]
        self.jumps: list[float] = sorted(float(t) for x in both for t in x.jumps)

    def missed(self, begin: float, end: float, m: Array) -> float:
        """Return by how much a step that asks for drives in its middle alone turns m at a node wrongly (rad), at most.

        Parameters
        ----------
        m
            At this rank's own nodes (owned, 3).
        """
        largest, turned = self._grid.largest, 0.0
        if self._field is not None:
            turned += self._field[1] * max(0.0, largest(self._field[0].missed(begin, end)))
        if self._currents:
            slope = largest(self._grid.steepness(self._grid.seen(m)))
            density = sum(reach * max(0.0, largest(x.missed(begin, end))) for x, reach in self._currents)
            turned += self._drift * slope * density
        return turned * (end - begin)


def _sampled(grid: Grid, of: Callable[[float], Array], begin: float, end: float) -> SampledDrive:
    def some(t: float) -> Array:
        found = of(t)
        return found[:: max(1, len(found) // _ROWS)].ravel()

    return SampledDrive(some, begin, end, grid.largest)


def _of_lead(grid: Grid, name: str, drive: Callable[[float], float]) -> Callable[[float], Array]:
    return lambda t: np.array([grid.asked(drive, t, f"lead '{name}'")], dtype=float)
