"""Statistics against the drive and the field: dwell times, phase diagrams, resonances.

Points are independent, and shared out among ranks. A point whose solve fails has nan, and the line of its error
in `failures`; only if all of them fail, the first one's error is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ..checkpoint import Journal
from ..energy.declaration import field_vector
from ..energy.on_sphere import Array
from ..errors import FespinError, InputError, one_line
from ..macrospin.spin import Macrospin
from ..macrospin.torque import Torque
from ..mpi import map_over_ranks
from ..progress import Progress
from ..quantities import direction
from .dimensionless import DimensionlessDrift
from .fokker_planck import FokkerPlanck
from .states import (
    Maker,
    Point,
    dwell_at,
    nearest,
    resonance_at,
    stable_states,
    stable_wells,
    state_near,
    unknown,
    wells_of,
)

type Driven = Callable[[float], tuple[Macrospin, Torque | None]]
"""Takes a drive, such as a current density, and returns the macrospin and its torque."""

# Part of the time that a state must hold to count as a part of telegraph noise.
_SHARE = 0.01
# Accuracy of a drive at which a state loses its stability, relative to the range.
_FINE = 1e-5


@dataclass(frozen=True)
class DwellTimes:
    """Dwell times of the states against the drive.

    Attributes
    ----------
    drives
        (n,).
    states
        Directions of the energy's wells (k, 3), the deepest first.
    stable
        True where a stable state belongs to the well (n, k).
    dwell_times
        Mean time in it (s), (n, k): infinite if it is the only one, nan if there is none, or a torque holds a direction
        outside all wells beside it.
    populations
        Share of the time spent in it (n, k).
    failures
        Why points failed, by their numbers.

    Examples
    --------
    >>> unit = fs.SpinTorque.critical(spin, 1.0)
    >>> def driven(x):
    ...     return spin, unit.scaled(x)
    >>> dwell = fs.dwell_times(comm, driven, [0.2])
    >>> dwell.states[:, 2].round(3), [f"{t:.3e}" for t in dwell.dwell_times[0]]
    (array([ 1., -1.]), ['1.310e-05', '4.125e-07'])
    """

    drives: Array
    states: Array
    stable: NDArray[np.bool_] = field(repr=False)
    dwell_times: Array = field(repr=False)
    populations: Array = field(repr=False)
    failures: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PhaseDiagram:
    """Which states are seen at a field and a drive, within an observation time.

    Attributes
    ----------
    fields
        Fields along the direction (T), (m,).
    drives
        (n,).
    states
        Directions of the wells without the swept field (k, 3).
    dwell_times, populations
        Dwell times and populations as in :class:`DwellTimes`, (m, n, k).
    regions
        (m, n): "bistable" if two or more states outlast the observation; a state's number as text, if it is the only
        one, or alone lasts or has 99 percent of the time; "telegraph" if none lasts and two have a share of 1 percent;
        "none" if no direction is stable: it precesses for ever. A direction that a torque holds outside all wells
        counts as the state it is nearest to; its dwell time beside others is not known (nan), and taken to be long.
        Precession about an unstable direction counts as no state, even on a small cone. "unknown": the solve failed.
    critical
        Drives at which each state gains or loses stability without temperature, by the equation of motion: field (T)
        and drive in pairs for each state, at most one between neighbouring drives.
    observation
        s.
    failures
        Why points failed, by the numbers of field and drive.

    Examples
    --------
    >>> unit = fs.SpinTorque.critical(spin, 1.0)
    >>> def driven(x):
    ...     return spin, unit.scaled(x)
    >>> drives, fields = [0.0], [-2e-3, 0.0]
    >>> diagram = fs.phase_diagram(comm, driven, drives, fields, along=(0, 0, 1), observation=1e-9)
    >>> diagram.states[:, 2].round(3), diagram.populations[:, 0, 0].round(3)
    (array([ 1., -1.]), array([0.035, 0.5  ]))
    """

    fields: Array
    drives: Array
    states: Array
    dwell_times: Array = field(repr=False)
    populations: Array = field(repr=False)
    regions: NDArray[np.str_] = field(repr=False)
    critical: tuple[Array, ...] = field(repr=False)
    observation: float
    failures: dict[tuple[int, int], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Resonances:
    """Ferromagnetic resonance of one state against the drive.

    Attributes
    ----------
    drives
        (n,).
    directions
        The state's stable direction (n, 3); nan where there is none.
    frequency, width
        Frequency and full width at half maximum of the absorbed power, by the linearized equation of motion
        (Hz), (n,).
    thermal_frequency, thermal_width
        The same of the mode of the Fokker-Planck equation (Hz), (n,).
    failures
        Why points failed, by their numbers.

    Examples
    --------
    >>> magnet = spin.with_field((0.0, 0.0, 0.1))
    >>> unit = fs.SpinTorque.critical(spin, 1.0)
    >>> def driven(x):
    ...     return magnet, unit.scaled(x)
    >>> resonance = fs.resonances(comm, driven, [0.0], state=(0, 0, 1))
    >>> resonance.directions[:, 2].round(3), [f"{w:.2e}" for w in resonance.thermal_width]
    (array([1.]), ['3.08e+08'])
    """

    drives: Array
    directions: Array = field(repr=False)
    frequency: Array
    width: Array
    thermal_frequency: Array
    thermal_width: Array
    failures: dict[int, str] = field(default_factory=dict)


def dwell_times(
    comm: MPI.Intracomm,
    driven: Driven,
    drives: Sequence[float] | Array,
    *,
    make: Maker = FokkerPlanck,
    progress: Progress | None = None,
    journal: Journal | None = None,
) -> DwellTimes:
    """Return how long each state lasts, against the drive. Collective.

    Parameters
    ----------
    driven
        Takes a drive, returns the macrospin and its torque.
    drives
        (n,).
    make
        Makes the solver of a point, on one rank.
    progress
        Called with the part of this rank's share that is done.
    journal
        Points that are done, of the same survey: they are not solved again, and new ones join them.

    Examples
    --------
    >>> unit = fs.SpinTorque.critical(spin, 1.0)
    >>> def driven(x):
    ...     return spin, unit.scaled(x)
    >>> dwell = fs.dwell_times(comm, driven, [-0.2, 0.0, 0.2])
    >>> dwell.populations[:, 0].round(3)
    array([0.031, 0.5  , 0.969])
    """
    x = _checked(drives, "dwell times: drives")
    states = wells_of(driven(float(x[0]))[0])

    def point(k: int) -> tuple[Point, FespinError | None]:
        # A drive may be refused, too.
        drive = float(x[k])
        return _kept(lambda: dwell_at(make, *driven(drive), states), unknown(states), journal, [drive])

    points = map_over_ranks(comm, len(x), point, "dwell times", progress)
    failures = _failures({k: error for k, (_, error) in enumerate(points)})
    stable, times, shares = (np.array([p[i] for p, _ in points]) for i in range(3))
    return DwellTimes(x, states, stable, times, shares, failures)


def phase_diagram(
    comm: MPI.Intracomm,
    driven: Driven,
    drives: Sequence[float] | Array,
    fields: Sequence[float] | Array,
    *,
    along: Sequence[float],
    observation: float = 1.0,
    make: Maker = FokkerPlanck,
    progress: Progress | None = None,
    journal: Journal | None = None,
) -> PhaseDiagram:
    """Return which states are seen at fields and drives. Collective.

    Parameters
    ----------
    driven
        Takes a drive, returns the macrospin and its torque; the swept field adds to the macrospin's own.
    drives, fields
        Increasing (n,) and (m,), fields in T.
    along
        Direction of the swept field.
    observation
        Time for which one looks (s): what lasts longer does not switch.
    make, progress, journal
        Solver, progress and pieces that are done, see :func:`dwell_times`.

    Raises
    ------
    InputError
        If the energy without the swept field has fewer than two wells, or an argument is impossible.

    Examples
    --------
    >>> unit = fs.SpinTorque.critical(spin, 1.0)
    >>> def driven(x):
    ...     return spin, unit.scaled(x)
    >>> drives, fields = [0.0, 0.2], [0.0]
    >>> diagram = fs.phase_diagram(comm, driven, drives, fields, along=(0, 0, 1), observation=1e-6)
    >>> diagram.regions.tolist()
    [['bistable', '0']]
    """
    x, b = _checked(drives, "phase diagram: drives"), _checked(fields, "phase diagram: fields")
    e = np.asarray(direction(along, "phase diagram", "along"))
    if not (np.isfinite(observation) and observation > 0):
        raise InputError(f"phase diagram: observation is {observation!r}; it must be a positive time in s")
    states = wells_of(driven(float(x[0]))[0])
    if len(states) < 2:
        raise InputError("phase diagram: the energy has fewer than two wells; there are no states to choose from")

    def at(strength: float, drive: float) -> tuple[Macrospin, Torque | None]:
        spin, torque = driven(drive)
        total = np.asarray(field_vector(spin.field, "phase diagram")) + strength * e
        return spin.with_field(tuple(total)), torque

    def row(k: int) -> tuple[list[tuple[Point, FespinError | None]], list[list[float]]]:
        strength = float(b[k])
        points = []
        for y in x:
            spin, torque = at(strength, float(y))

            def solve(spin: Macrospin = spin, torque: Torque | None = torque) -> Point:
                return dwell_at(make, spin, torque, states)

            points.append(_kept(solve, unknown(states), journal, [strength, float(y)]))
        # Stability follows from the equation of motion: it is known even where the solve fails.
        stable = np.array([stable_wells(states, DimensionlessDrift(*at(strength, float(y))))[0] for y in x])
        return points, _changes(lambda y: at(strength, y), x, stable, states)

    rows = map_over_ranks(comm, len(b), row, "phase diagram", progress)
    failures = _failures({(i, k): error for i, (row, _) in enumerate(rows) for k, (_, error) in enumerate(row)})
    stable, times, shares = (np.array([[p[i] for p, _ in points] for points, _ in rows]) for i in range(3))
    regions = np.array(
        [
            [
                "unknown" if (i, k) in failures else _region(*point, observation)
                for k, point in enumerate(zip(*row, strict=True))
            ]
            for i, row in enumerate(zip(stable, times, shares, strict=True))
        ]
    )
    critical = tuple(
        np.array([[f, y] for f, (_, changes) in zip(b, rows, strict=True) for y in changes[i]]).reshape(-1, 2)
        for i in range(len(states))
    )
    return PhaseDiagram(b, x, states, times, shares, regions, critical, observation, failures)


def resonances(
    comm: MPI.Intracomm,
    driven: Driven,
    drives: Sequence[float] | Array,
    *,
    state: Sequence[float],
    make: Maker = FokkerPlanck,
    progress: Progress | None = None,
    journal: Journal | None = None,
) -> Resonances:
    """Return frequency and width of the resonance of one state against the drive. Collective.

    Once from the eigenvalues of the linearized motion, once from the Fokker-Planck equation's eigenvalue that is
    nearest to them, which knows temperature. Where the state is not stable, nan.

    Parameters
    ----------
    driven
        Takes a drive, returns the macrospin and its torque.
    state
        Direction near which the state is.
    make, progress, journal
        Solver, progress and pieces that are done, see :func:`dwell_times`.

    Examples
    --------
    >>> magnet = spin.with_field((0.0, 0.0, 0.1))
    >>> unit = fs.SpinTorque.critical(spin, 1.0)
    >>> def driven(x):
    ...     return magnet, unit.scaled(x)
    >>> resonance = fs.resonances(comm, driven, [0.0, 0.5], state=(0, 0, 1))
    >>> [f"{f:.3e}" for f in resonance.frequency], [f"{w:.3e}" for w in resonance.width]
    (['3.085e+09', '3.085e+09'], ['3.085e+08', '3.230e+08'])
    """
    x = _checked(drives, "resonance: drives")
    e = np.asarray(direction(state, "resonance", "state"))

    def point(k: int) -> tuple[list[float], FespinError | None]:
        drive = float(x[k])
        return _kept(lambda: resonance_at(make, *driven(drive), e), [np.nan] * 7, journal, [drive])

    points = map_over_ranks(comm, len(x), point, "resonance", progress)
    failures = _failures({k: error for k, (_, error) in enumerate(points)})
    values = np.array([y for y, _ in points])
    return Resonances(x, values[:, :3], values[:, 3], values[:, 4], values[:, 5], values[:, 6], failures)


def critical_drive(driven: Driven, low: float, high: float, *, state: Sequence[float]) -> float:
    """Return the drive at which a state gains or loses its stability without temperature.

    Raises
    ------
    InputError
        If it is stable, or not, at both ends.

    Examples
    --------
    >>> from fespin.sigma import critical_drive
    >>> unit = fs.SpinTorque.critical(spin, 1.0)
    >>> round(critical_drive(lambda x: (spin, unit.scaled(x)), 0.0, 2.0, state=(0, 0, -1)), 3)
    1.0
    """
    e = np.asarray(direction(state, "critical drive", "state"))

    def stable(y: float) -> bool:
        return state_near(*driven(y), e) is not None

    if stable(low) == stable(high):
        raise InputError(f"critical drive: the state is {'' if stable(low) else 'not '}stable at both ends")
    return _bisected(stable, low, high, _FINE * abs(high - low))


# ---- one point
def _kept[T](
    work: Callable[[], T], otherwise: T, journal: Journal | None, key: list[float]
) -> tuple[T, FespinError | None]:
    """Return what a point's work returns and None, or something else and the error.

    Points that are in the journal are taken from there; those that failed are tried again.
    """
    done = None if journal is None else journal.get(key)
    if done is not None:
        return done, None
    try:
        found = work()
    except FespinError as error:
        return otherwise, error
    if journal is not None:
        numbers = [x.tolist() if isinstance(x, np.ndarray) else x for x in found]  # type: ignore[attr-defined]
        journal.put(key, numbers)
    return found, None


def _failures[K](errors: dict[K, FespinError | None]) -> dict[K, str]:
    """Return the lines of the errors that there are.

    Raises
    ------
    FespinError
        The first one, if no point is without.
    """
    found = {k: error for k, error in errors.items() if error is not None}
    if found and len(found) == len(errors):
        raise next(iter(found.values()))
    return {k: one_line(str(error)) for k, error in found.items()}


def _region(stable: NDArray[np.bool_], times: Array, shares: Array, observation: float) -> str:
    if not stable.any():
        return "none"
    # A stable state whose dwell time is unknown (nan) counts as lasting.
    lasting = np.flatnonzero(stable & ~(times <= observation))
    if len(lasting) > 1:
        return "bistable"
    if len(lasting) == 1:
        return str(lasting[0])
    present = np.flatnonzero(shares > _SHARE)
    return "telegraph" if len(present) > 1 else str(present[0])


def _changes(driven: Driven, drives: Array, stable: Array, states: Array) -> list[list[float]]:
    """Return the drives between which each state gains or loses stability, by bisection."""
    out: list[list[float]] = []
    for i in range(len(states)):
        out.append([])
        for k in np.flatnonzero(stable[1:, i] != stable[:-1, i]):
            low, high = float(drives[k]), float(drives[k + 1])

            def there(y: float, i: int = i) -> bool:
                return any(nearest(states, u) == i for u in stable_states(DimensionlessDrift(*driven(y)))[0])

            fine = _FINE * abs(drives[-1] - drives[0])
            at = _bisected(there, low, high, fine)
            # A state that turns until it is nearer to the direction of another state still exists.
            if len({len(stable_states(DimensionlessDrift(*driven(y)))[0]) for y in (at - 2 * fine, at + 2 * fine)}) > 1:
                out[-1].append(at)
    return out


def _bisected(test: Callable[[float], bool], low: float, high: float, fine: float) -> float:
    first = test(low)
    while abs(high - low) > fine:
        middle = (low + high) / 2
        low, high = (middle, high) if test(middle) == first else (low, middle)
    return (low + high) / 2


def _checked(values: Sequence[float] | Array, owner: str) -> Array:
    x = np.atleast_1d(np.asarray(values, dtype=float))
    if x.ndim != 1 or not len(x) or not np.isfinite(x).all() or (np.diff(x) <= 0).any():
        raise InputError(f"{owner}: they must be finite and increase")
    return x
