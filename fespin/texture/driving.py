"""Drives of a motion that vary in time: fields, currents and leads that are functions of the time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from mpi4py import MPI

from ..drives import SampledDrive
from ..errors import InputError, one_line
from ..grid import Array, Grid
from .circuit import OhmicCircuit

if TYPE_CHECKING:
    from .magnet import TexturedMagnet

# Nodes or cells of a rank at which a field that is given at each of them is sampled.
_ROWS = 64


class Drives:
    """Fields, currents and leads from now to the end of a motion. Collective throughout.

    Parameters
    ----------
    field, current
        B (T) and J (A/m2) as functions of the time, as :class:`Dynamics` takes them; None: constant.
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
        field: Callable[[float], Any] | None,
        current: Callable[[float], Any] | None,
        transport: OhmicCircuit | None,
        begin: float,
        end: float,
    ) -> None:
        self._grid, self._drift = grid, abs(magnet.drift_per_current)
        self._field = None if field is None else (_sampled(grid, "field", field, begin, end), magnet.gyromagnetic_ratio)
        currents = [] if current is None else [(_sampled(grid, "current", current, begin, end), 1.0)]
        for name, drive in ({} if transport is None else transport.varying).items():
            assert transport is not None
            currents.append((_sampled(grid, f"lead '{name}'", drive, begin, end), transport.reach(name)))
        self._currents = currents
        both = [x for x, _ in ([] if self._field is None else [self._field]) + currents]
        self.jumps: list[float] = sorted(float(t) for x in both for t in x.jumps)

    def missed(self, begin: float, end: float, m: Array) -> float:
        """Return by how much a step that asks for drives in its middle alone turns m at a node wrongly (rad), at most.

        Parameters
        ----------
        m
            Directions at this rank's own nodes (owned, 3).
        """
        largest, turned = self._grid.largest, 0.0
        if self._field is not None:
            turned += self._field[1] * max(0.0, largest(self._field[0].missed(begin, end)))
        if self._currents:
            slope = largest(np.array([self._grid.steepest(self._grid.seen(m))[0]]))
            density = sum(reach * max(0.0, largest(x.missed(begin, end))) for x, reach in self._currents)
            turned += self._drift * slope * density
        return turned * (end - begin)


def _sampled(grid: Grid, key: str, of: Callable[[float], Any], begin: float, end: float) -> SampledDrive:
    """Look at a user's function of the time, agreeing among ranks once for all looks. Collective."""

    def look(t: float) -> Array:
        try:
            value = of(t)
            value = value(grid.positions[: grid.owned]) if callable(value) else value
            numbers = np.atleast_1d(np.array(value, dtype=float))
        except Exception as error:  # of a user's function; asked() tells the other ranks
            why = f"{type(error).__name__}: {one_line(str(error))}"
            raise InputError(f"texture: {key} at t = {t:.4g} s: {why}") from error
        if not np.isfinite(numbers).all():
            raise InputError(f"texture: {key} at t = {t:.4g} s: found a number that is not finite")
        return np.asarray(numbers[:: max(1, len(numbers) // _ROWS)].ravel())

    def largest(values: Array) -> Array:
        out = np.array(values, dtype=float)
        if grid.comm.size > 1:
            grid.comm.Allreduce(MPI.IN_PLACE, out, MPI.MAX)
        return out

    return SampledDrive(
        lambda t: grid.asked(look, t, key),
        begin,
        end,
        many=lambda times: grid.asked(lambda _: np.array([look(float(t)) for t in times]), begin, key),
        largest=largest,
    )
