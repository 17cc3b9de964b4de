"""What a torque does to the wells of a macrospin: switching fields, resonance and dwell times, beside no torque."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ..energy.on_sphere import Array, divergence
from ..macrospin.spin import Macrospin
from ..macrospin.torque import Torque
from ..mpi import map_over_ranks
from .dimensionless import DimensionlessDrift
from .escape import stable_point
from .fokker_planck import FokkerPlanck
from .states import Maker, dwell_at, linear_mode, wells_of

# Wells nearer to the plane across the axis than this (cosine) have no switching field along it.
_ACROSS = 0.05


@dataclass(frozen=True)
class TorqueShifts:
    """Numbers of the wells of an energy without and with a torque.

    With X = grad chi + u x grad Phi and c = u.p, at a well u = +-p chi adds +-chi' to the half width and Phi adds
    -+Phi' to the angular frequency.

    Attributes
    ----------
    wells
        Directions of the energy's wells (k, 3), the deepest first.
    stable
        True where the well's state is stable with the torque (k,).
    half_widths
        Rate at which a small deviation decays (1/s), without and with the torque (k, 2); nan where there is no state.
    angular_frequencies
        Of the precession (rad/s), likewise (k, 2); zero where it is overdamped.
    switching_fields
        By how much the field along the torque's axis at which the state loses its stability is shifted (T), (k,),
        without temperature. Exact for wells on the axis; nan across it, or if the torque has no axis.
    dwell_times
        Mean time in the state (s), without and with the torque (k, 2), see :class:`DwellTimes`; nan if not asked for.

    Examples
    --------
    >>> from fespin.sigma import torque_shifts
    >>> found = torque_shifts(comm, spin, fs.SpinTorque.critical(spin, 0.5, polarizer=(0, 0, 1)))
    >>> found.wells[:, 2].round(3), (found.half_widths[:, 1] / found.half_widths[:, 0]).round(3)
    (array([ 1., -1.]), array([1.5, 0.5]))
    >>> bool(found.dwell_times[0, 1] > found.dwell_times[0, 0])
    True
    """

    wells: Array
    stable: NDArray[np.bool_] = field(repr=False)
    half_widths: Array = field(repr=False)
    angular_frequencies: Array = field(repr=False)
    switching_fields: Array = field(repr=False)
    dwell_times: Array = field(repr=False)


def torque_shifts(
    comm: MPI.Intracomm, spin: Macrospin, torque: Torque, *, make: Maker = FokkerPlanck, dwell: bool = True
) -> TorqueShifts:
    """Return what a torque changes at the wells. Collective; one rank computes.

    Parameters
    ----------
    spin
        Magnet, with its pumping if there is any.
    torque
        Torque.
    make
        Makes the solver for the dwell times, on one rank.
    dwell
        False: leave out the dwell times, which take a solve without and one with the torque.

    Raises
    ------
    FespinError
        If a rate of escape is not resolved.

    Examples
    --------
    >>> from fespin.sigma import torque_shifts
    >>> found = torque_shifts(comm, spin, fs.SpinTorque.critical(spin, 0.5), dwell=False)
    >>> [f"{1e3 * b:.3f} mT" for b in found.switching_fields]
    ['-5.177 mT', '-5.177 mT']
    """
    return map_over_ranks(comm, 1, lambda _: _shifts(spin, torque, make, dwell), "shifts of a torque")[0]


def _shifts(spin: Macrospin, torque: Torque, make: Maker, dwell: bool) -> TorqueShifts:
    wells, both = wells_of(spin), (None, torque)
    modes = np.full((len(wells), 2), complex(np.nan, np.nan))
    stable = np.zeros(len(wells), bool)
    for i, well in enumerate(wells):
        for k, driven in enumerate(both):
            u = stable_point(DimensionlessDrift(spin, driven), well)
            if u is not None:
                modes[i, k] = linear_mode(spin, driven, u)
        stable[i] = np.isfinite(modes[i, 1])
    times: Array = np.full((len(wells), 2), np.nan)
    if dwell and len(wells) > 1:
        times = np.array([dwell_at(make, spin, driven, wells)[1] for driven in both]).T
    fields = np.array([_switching_field(spin, torque, u) for u in wells])
    return TorqueShifts(wells, stable, modes.real, modes.imag, fields, times)


def _switching_field(spin: Macrospin, torque: Torque, u: Array) -> float:
    """Return the shift (T) of the field along the axis at which a state loses its stability."""
    if torque.axis is None:
        return float("nan")
    axis = np.asarray(torque.axis, dtype=float)
    if abs(u @ axis) < _ACROSS:
        return float("nan")
    per_field = divergence(lambda x: spin.precession(x, np.broadcast_to(axis, x.shape)), u)
    return -divergence(lambda x: torque.velocity(x, spin), u) / per_field
