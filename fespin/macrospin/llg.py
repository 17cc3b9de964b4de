"""The Landau-Lifshitz-Gilbert equation of a macrospin, without noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.integrate import solve_ivp

from ..energy.on_sphere import Array, tangent_frame
from ..errors import InputError, SolverError
from ..quantities import direction
from .damping import response
from .spin import PROBES, Macrospin
from .torque import Torque

type FieldOfTime = Callable[[float], Sequence[float] | Array]
type DriveOfTime = Callable[[float], float]

_SAMPLED_TIMES = 2001


@dataclass(frozen=True)
class Motion:
    """Motion of a macrospin: its energy, a torque, and a field and a drive that depend on time.

    du/dt = gamma/(1 + alpha^2) (-u x B - alpha u x (u x B)) + drive(t) X, with B = B_eff(u) + field(t).

    Attributes
    ----------
    spin
        The magnet.
    torque
        Adds X.
    field
        Field in addition to the macrospin's own (T), a function of the time (s).
    drive
        Factor of the torque, a function of the time (s); default 1.
    """

    spin: Macrospin
    torque: Torque | None = None
    field: FieldOfTime | None = None
    drive: DriveOfTime | None = None

    def __post_init__(self) -> None:
        if self.torque is not None and not hasattr(self.torque, "velocity"):
            raise InputError(f"LLG: found {self.torque!r} as torque; give a torque, such as SpinTorque, or None")
        for key in ("field", "drive"):
            function = getattr(self, key)
            if function is not None and not callable(function):
                raise InputError(f"LLG: {key} is {function!r}; it must be a function of the time in s")
        if self.drive is not None and self.torque is None:
            raise InputError("LLG: drive is the factor of the torque, and no torque is given")

    def field_at(self, t: float) -> Array:
        """Return the additional field (T) at a time (s), (3,).

        Raises
        ------
        InputError
            If the user's function returns something else than three finite numbers.
        """
        if self.field is None:
            return np.zeros(3)
        b = np.asarray(self.field(t), dtype=float)
        if b.shape != (3,) or not np.isfinite(b).all():
            raise InputError(f"LLG: the field at t = {t:.6g} s is {b!r}; it must be three finite numbers, in T")
        return b

    def drive_at(self, t: float) -> float:
        """Return the factor of the torque at a time (s).

        Raises
        ------
        InputError
            If the user's function returns something else than a finite number.
        """
        if self.drive is None:
            return 1.0
        value = float(self.drive(t))
        if not math.isfinite(value):
            raise InputError(f"LLG: the drive at t = {t:.6g} s is {value!r}; it must be a finite number")
        return value

    def velocity(self, u: Array, t: float) -> Array:
        """Return du/dt (1/s) at directions u (n, 3)."""
        b = self.spin.effective_field(u)
        if self.field is not None:
            b = b + self.field_at(t)
        rate = self.spin.precession(u, b)
        if self.torque is not None:
            rate = rate + self.drive_at(t) * self.torque.velocity(u, self.spin)
        return rate

    def fastest_rates(self, times: Array) -> tuple[float, float]:
        """Return bounds of two rates (1/s): with precession and without it.

        The first bounds how fast u turns and neighbouring directions part. It is gamma/sqrt(1 + alpha^2) times the
        largest effective field or curvature of the energy on the sphere plus the largest additional field, plus the
        torque's largest velocity or slope. The second, without precession, bounds how fast neighbouring directions part
        or approach: it has the share alpha/sqrt(1 + alpha^2) of the field's rate, with the largest damping. The sphere
        is sampled at 1006 directions, the functions of time at 2001 times and at `times`.
        """
        spin, u = self.spin, PROBES
        frame = tangent_frame(u)
        with np.errstate(all="ignore"):
            slope = np.linalg.norm(spin.reduced_energy.gradient(u), axis=-1)
            curvature = np.linalg.norm(spin.reduced_energy.hessian(u, frame), axis=(-2, -1))
        stiffest = np.nanmax(np.where(np.isfinite(curvature), np.fmax(slope, curvature), slope))
        t = np.union1d(np.linspace(0.0, times[-1], _SAMPLED_TIMES), times)
        b = spin.thermal_energy / spin.moment * float(stiffest)
        if self.field is not None:
            b += max(float(np.linalg.norm(self.field_at(float(x)))) for x in t)
        if spin.pumping is None:
            rate, damping = spin.gyromagnetic_ratio / math.sqrt(1 + spin.damping**2) * b, spin.damping
        else:
            largest = np.linalg.norm(response(spin.pumping, spin.damping, u), ord=2, axis=(1, 2)).max()
            rate = spin.gyromagnetic_ratio * float(largest) * b
            added = np.linalg.norm(spin.pumping.tensor(u), ord=2, axis=(1, 2)).max()
            damping = spin.damping + float(added)
        driven = 0.0
        if self.torque is not None:
            top = 1.0 if self.drive is None else max(abs(self.drive_at(float(x))) for x in t)
            velocity = np.linalg.norm(self.torque.velocity(u, spin), axis=-1)
            reach = 1e-4
            parting = np.zeros(len(u))
            for k in range(2):
                ahead, behind = (
                    self.torque.velocity(np.cos(reach) * u + x * frame[:, k], spin)
                    for x in (np.sin(reach), -np.sin(reach))
                )
                parting += np.sum((ahead - behind) ** 2, axis=-1) / (2 * reach) ** 2
            driven = top * float(max(velocity.max(), np.sqrt(parting.max())))
        return rate + driven, damping / math.sqrt(1 + damping**2) * rate + driven


@dataclass(frozen=True)
class Trajectory:
    """Directions of one macrospin at given times.

    Attributes
    ----------
    times
        s, (n,).
    directions
        Unit vectors (n, 3).

    Examples
    --------
    >>> torque = fs.SpinTorque.critical(spin, -4.0)
    >>> trajectory = fs.llg(spin, (0.1, 0.0, 1.0), np.linspace(0.0, 20e-9, 101), torque=torque)
    >>> print(f"{trajectory.times[np.argmax(trajectory.directions[:, 2] < 0)]:.1e}")
    1.0e-08
    """

    times: Array
    directions: Array = field(repr=False)


def llg(
    spin: Macrospin,
    start: Sequence[float],
    times: Sequence[float] | Array,
    *,
    torque: Torque | None = None,
    field: FieldOfTime | None = None,
    drive: DriveOfTime | None = None,
    rtol: float = 1e-9,
) -> Trajectory:
    """Follow a macrospin without thermal noise.

    Dormand and Prince's method of order 8 follows a vector x in space, with dx/dt = r f(x/r), where r is the
    length of x and f the velocity on the sphere. Then u = x/r, the result, obeys du/dt = f(u) whatever error r
    has gathered.

    Parameters
    ----------
    start
        Direction at t = 0, of any length.
    times
        Times at which the direction is wanted (s): not negative, increasing.
    torque
        Spin torque.
    field
        Field in addition to the macrospin's own (T), a function of the time (s).
    drive
        Factor of the torque, a function of the time (s). With `field` or `drive` the integration pauses
        at every one of `times`, so times at which they jump should be among them.
    rtol
        Error allowed in a step, relative; at least 1e-13.

    Raises
    ------
    InputError
        If the start, the times, rtol, or a function's value is impossible.
    SolverError
        If the integration stops early.

    Examples
    --------
    >>> trajectory = fs.llg(spin, start=(1.0, 0.0, 0.2), times=[0.0, 5e-9, 50e-9])
    >>> trajectory.directions[:, 2].round(3)
    array([0.196, 0.301, 0.999])
    """
    motion = Motion(spin, torque, field, drive)
    u = np.array(direction(start, "LLG", "start"))
    t = checked_times(times)
    if not (isinstance(rtol, (int, float)) and 1e-13 <= rtol < 0.1):
        raise InputError(f"LLG: rtol is {rtol!r}; it must be from 1e-13 to 0.1")

    def rate(at: float, x: Array) -> Array:
        length = np.linalg.norm(x)
        return np.asarray(length * motion.velocity(x[None] / length, at)[0])

    directions = np.empty((len(t), 3))
    paused = field is not None or drive is not None
    last = 0.0
    # Without functions of time a single call gives all results, by the interpolation of the method itself.
    for part in [slice(i, i + 1) for i in range(len(t))] if paused else [slice(0, len(t))]:
        until = float(t[part][-1])
        if until == last:
            directions[part] = u
            continue
        with np.errstate(all="ignore"):
            result = solve_ivp(rate, (last, until), u, method="DOP853", t_eval=t[part], rtol=rtol, atol=rtol)
        if not result.success or not np.isfinite(result.y).all():
            raise SolverError(f"LLG: the integration stopped between {last:.6g} s and {until:.6g} s; {result.message}")
        directions[part] = result.y.T / np.linalg.norm(result.y, axis=0)[:, None]
        u, last = directions[part][-1], until
    return Trajectory(t, directions)


def checked_times(times: Sequence[float] | Array, owner: str = "LLG") -> Array:
    """Return times (s) as an array (n,).

    Raises
    ------
    InputError
        If there are none, or they are negative, not finite or not increasing.
    """
    try:
        t = np.array(times, dtype=float, ndmin=1)
    except (TypeError, ValueError):
        t = np.zeros((0, 0))
    if t.ndim != 1 or not t.size or not np.isfinite(t).all():
        raise InputError(f"{owner}: times must be a list of finite numbers, in s")
    if t[0] < 0 or (np.diff(t) <= 0).any():
        raise InputError(f"{owner}: times must not be negative and must increase; the start is at t = 0")
    return t
