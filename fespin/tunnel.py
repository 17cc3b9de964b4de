"""Tunnel barriers as the user declares them: conductance and polarizations, and how they follow the voltage.

A barrier lies between two magnets a and b with the polarizations P_a and P_b. At the angle theta between them it
conducts G0 (1 + P_a P_b cos(theta)), so that G_P = G0 (1 + P_a P_b) and TMR = 2 P_a P_b/(1 - P_a P_b) (Julliere). What
else follows from it, the currents of spins and the torques on both magnets, is in :mod:`fespin.transport.tunnelling`.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import InputError
from .quantities import is_finite, require_positive

type Array = NDArray[np.float64]

COLUMNS = ("V", "G_P", "P_a", "P_b")
"""Columns of a file with measured numbers of a barrier."""

_LARGEST = 4_000_000  # bytes of such a file


def read_columns(path: Path) -> dict[str, list[float]]:
    """Return the columns V, G_P, P_a and P_b of a csv file.

    Raises
    ------
    InputError
        If the file cannot be read, is too large, or a column is missing.
    """
    owner = f"barrier table '{path}'"
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            raise InputError(f"{owner}: it must be a file of at most {_LARGEST / 1e6:g} MB")
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file, skipinitialspace=True))
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{owner}: it cannot be read: {error}") from error
    header = {str(k).strip(): k for k in (rows[0] if rows else {})}
    for name in COLUMNS:
        if name not in header:
            raise InputError(f"{owner}: column '{name}' is missing; the columns are {', '.join(COLUMNS)}")
    try:
        return {name: [float(row[header[name]]) for row in rows] for name in COLUMNS}
    except (TypeError, ValueError) as error:
        raise InputError(f"{owner}: {error}; every row holds four numbers") from error


def _pair(owner: str, key: str, value: Any, what: str) -> tuple[float, float]:
    """Return two finite numbers."""
    try:
        pair = tuple(map(float, value))
    except (TypeError, ValueError):
        pair = ()
    if len(pair) != 2 or not all(map(is_finite, pair)):
        raise InputError(f"{owner}: {key} is {value!r}; it must be two finite numbers ({what})")
    return pair[0], pair[1]


@dataclass(frozen=True)
class BarrierTable:
    """Measured conductance and polarizations of a barrier against its voltage.

    Between the voltages they follow a monotone cubic, so that what is positive stays positive.

    Attributes
    ----------
    voltage
        V (V), increasing, at least two.
    parallel_conductance
        G_P of the parallel state per area (S/m2), positive.
    polarization_a, polarization_b
        P_a and P_b (1), between -1 and 1.

    Raises
    ------
    InputError
        If lengths differ, voltages do not increase, or a number is impossible.

    Examples
    --------
    >>> table = fs.BarrierTable([-1, 0, 1], [1.3e11, 1e11, 1.2e11], [0.4, 0.6, 0.4], [0.5, 0.6, 0.5])
    >>> table.span
    (-1.0, 1.0)
    """

    voltage: Sequence[float]
    parallel_conductance: Sequence[float]
    polarization_a: Sequence[float]
    polarization_b: Sequence[float]

    def __post_init__(self) -> None:
        names = ("voltage", "parallel_conductance", "polarization_a", "polarization_b")
        for name in names:
            try:
                values = tuple(map(float, getattr(self, name)))
            except (TypeError, ValueError) as error:
                raise InputError(f"barrier table: {name} must be numbers") from error
            if not all(map(is_finite, values)):
                raise InputError(f"barrier table: {name} must be finite")
            object.__setattr__(self, name, values)
        n = len(self.voltage)
        if n < 2 or any(len(getattr(self, name)) != n for name in names):
            raise InputError("barrier table: give at least two voltages, and as many of each other column")
        if not (np.diff(self.voltage) > 0).all():
            raise InputError("barrier table: the voltages must increase")
        if min(self.parallel_conductance) <= 0:
            raise InputError("barrier table: the conductance G_P must be positive")
        if max(map(abs, (*self.polarization_a, *self.polarization_b))) > 1:
            raise InputError("barrier table: the polarizations must lie between -1 and 1")
        if min(p * q for p, q in zip(self.polarization_a, self.polarization_b, strict=True)) <= -1:
            raise InputError("barrier table: P_a P_b = -1 leaves no conductance in the parallel state")

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Return the table of a csv file with the columns V (V), G_P (S/m2), P_a and P_b.

        Raises
        ------
        InputError
            If the file cannot be read, or a column is missing.
        """
        columns = read_columns(Path(path))
        return cls(*(columns[name] for name in COLUMNS))

    @property
    def span(self) -> tuple[float, float]:
        """The lowest and the highest voltage (V)."""
        return self.voltage[0], self.voltage[-1]

    @cached_property
    def _curves(self) -> tuple[Any, Any]:
        from scipy.interpolate import PchipInterpolator

        columns = (self.parallel_conductance, self.polarization_a, self.polarization_b)
        values = PchipInterpolator(self.voltage, np.transpose(columns))
        return values, values.derivative()

    def at(self, voltage: Array) -> tuple[Array, Array]:
        """Return (G_P, P_a, P_b) at voltages, and their slopes: each (3, ...). Beyond the table they stay the same."""
        values, slopes = self._curves
        within = np.clip(voltage, *self.span)
        inside = (within == voltage)[..., None]
        return np.moveaxis(values(within), -1, 0), np.moveaxis(slopes(within) * inside, -1, 0)

    def reversed(self) -> BarrierTable:
        """Return the table of the same barrier with a and b exchanged."""
        columns = (self.parallel_conductance, self.polarization_b, self.polarization_a)
        return BarrierTable([-v for v in self.voltage[::-1]], *(c[::-1] for c in columns))


@dataclass(frozen=True)
class TunnelBarrier:
    """A tunnel barrier between two magnets a and b.

    V is the local step of the potential, phi_a - phi_b. Without voltages the barrier is ohmic. With them
    G_P(V) = (1 + (V/V_p)^2)/RA and TMR(V) = TMR/(1 + (V/V_h)^2), for any sign of V; P_a and P_b fall together.

    Attributes
    ----------
    resistance_area
        RA of the parallel state at V -> 0 (ohm m2).
    tmr
        (R_AP - R_P)/R_P at V -> 0 (1), above -1: P_a = P_b, or P_b = -P_a where it is negative.
    polarization
        (P_a, P_b) instead of `tmr`, each between -1 and 1.
    half_voltage
        V_h at which the TMR has fallen to one half (V); None: it does not fall.
    conductance_voltage
        V_p at which G_P has doubled (V); None: it does not rise.
    field_like
        b1 and b2 of the field-like torque (b1 V + b2 V^2) m_a x m_b on b (J/(m2 V), J/(m2 V2)).
    exchange_coupling
        J_ex of the energy -J_ex m_a.m_b (J/m2): positive favours parallel magnets.
    thickness
        t_ox of the insulator (m); only voltage-controlled anisotropy needs it.
    table
        Measured conductance and polarizations instead of all numbers above `field_like`.

    Raises
    ------
    InputError
        If numbers are missing, given twice or impossible.

    Examples
    --------
    >>> barrier = fs.TunnelBarrier(resistance_area=10e-12, tmr=1.125, half_voltage=0.5)
    >>> [round(float(x), 3) for x in barrier.polarizations(0.0)]
    [0.6, 0.6]
    >>> print(f"{barrier.tmr_at(0.5):.4f} {barrier.parallel_conductance(0.5):.3g}")
    0.5625 1e+11
    """

    resistance_area: float | None = None
    tmr: float | None = None
    polarization: tuple[float, float] | None = None
    half_voltage: float | None = None
    conductance_voltage: float | None = None
    field_like: tuple[float, float] = (0.0, 0.0)
    exchange_coupling: float = 0.0
    thickness: float | None = None
    table: BarrierTable | None = None

    def __post_init__(self) -> None:
        owner = "tunnel barrier"
        formula = ("resistance_area", "tmr", "polarization", "half_voltage", "conductance_voltage")
        present = [k for k in formula if getattr(self, k) is not None]
        if self.table is not None:
            if not isinstance(self.table, BarrierTable):
                raise InputError(f"{owner}: table is {self.table!r}; give a BarrierTable")
            if present:
                raise InputError(f"{owner}: a table says {' and '.join(present)}; give one of them, found both")
            low, high = self.table.span
            if not low <= 0 <= high:
                raise InputError(f"{owner}: the table spans {low:g} to {high:g} V; it must contain 0")
        else:
            if self.resistance_area is None:
                raise InputError(f"{owner}: resistance_area is missing (ohm m2 of the parallel state)")
            if (self.tmr is None) == (self.polarization is None):
                found = "neither" if self.tmr is None else "both"
                raise InputError(f"{owner}: give exactly one of tmr and polarization; found {found}")
        for key in ("resistance_area", "half_voltage", "conductance_voltage", "thickness"):
            if getattr(self, key) is not None:
                require_positive(owner, key, getattr(self, key))
        if self.tmr is not None and not (is_finite(self.tmr) and self.tmr > -1):
            raise InputError(f"{owner}: tmr is {self.tmr!r}; it must be finite and above -1")
        if self.polarization is not None:
            p, q = _pair(owner, "polarization", self.polarization, "P_a and P_b")
            if not (abs(p) <= 1 and abs(q) <= 1) or p * q <= -1:
                raise InputError(
                    f"{owner}: polarization is {self.polarization!r}; both must lie between -1 and 1, and their "
                    "product above -1"
                )
            if p * q == 1 and self.half_voltage is not None:
                raise InputError(f"{owner}: half_voltage needs a finite TMR, and P_a P_b = 1 makes it infinite")
            object.__setattr__(self, "polarization", (p, q))
        object.__setattr__(self, "field_like", _pair(owner, "field_like", self.field_like, "b1 and b2"))
        if not is_finite(self.exchange_coupling):
            raise InputError(f"{owner}: exchange_coupling is {self.exchange_coupling!r}; it must be finite (J/m2)")

    @property
    def ohmic(self) -> bool:
        """True if conductance and polarizations do not follow the voltage."""
        return self.table is None and self.half_voltage is None and self.conductance_voltage is None

    @property
    def symmetric(self) -> bool:
        """True if it makes no difference which of the magnets is a."""
        if self.table is not None:
            return self.table == self.table.reversed()
        return self._at_rest[0] == self._at_rest[1] and not self.field_like[0]

    @property
    def _at_rest(self) -> tuple[float, float]:
        """P_a and P_b at V -> 0."""
        if self.polarization is not None:
            return self.polarization
        assert self.tmr is not None
        product = self.tmr / (2 + self.tmr)
        return abs(product) ** 0.5, float(np.copysign(abs(product) ** 0.5, product))

    def _both(self, voltage: ArrayLike) -> tuple[Array, Array]:
        """Return (G_P, P_a, P_b) and their slopes, each (3, ...)."""
        v = np.asarray(voltage, dtype=float)
        if self.table is not None:
            return self.table.at(v)
        assert self.resistance_area is not None
        g, slope = np.full(v.shape, 1 / self.resistance_area), np.zeros(v.shape)
        if self.conductance_voltage is not None:
            x = v / self.conductance_voltage
            slope = 2 * x * g / self.conductance_voltage
            g = g * (1 + x**2)
        p = np.array(self._at_rest)
        scale, scale_slope = np.ones(v.shape), np.zeros(v.shape)
        if self.half_voltage is not None:
            # P_a P_b = TMR/(2 + TMR) with TMR = T/(1 + x^2) falls by (2 + T)/(2 (1 + x^2) + T).
            product = float(p.prod())
            t, x = 2 * product / (1 - product), v / self.half_voltage
            scale = np.sqrt((2 + t) / (2 * (1 + x**2) + t))
            scale_slope = -(scale**3) * 2 * x / (2 + t) / self.half_voltage
        ps, slopes = np.multiply.outer(p, scale), np.multiply.outer(p, scale_slope)
        return np.stack([g, *ps]), np.stack([slope, *slopes])

    def parallel_conductance(self, voltage: ArrayLike) -> Array:
        """Return G_P of the parallel state at a voltage (S/m2)."""
        return np.asarray(self._both(voltage)[0][0])

    def polarizations(self, voltage: ArrayLike) -> tuple[Array, Array]:
        """Return P_a and P_b at a voltage."""
        _, a, b = self._both(voltage)[0]
        return a, b

    def tmr_at(self, voltage: float) -> float:
        """Return TMR = 2 P_a P_b/(1 - P_a P_b) at a voltage; infinite where the antiparallel state conducts nothing."""
        a, b = self.polarizations(voltage)
        product = float(a * b)
        return 2 * product / (1 - product) if product < 1 else float("inf")

    def golden_rule(self, voltage: ArrayLike) -> tuple[Array, Array]:
        """Return the conductances of tunnelling from each spin to each spin, and their slopes.

        2 G0 times the shares (1 +- P_a)/2 and (1 +- P_b)/2 of the spins on both sides; with the overlap of two spin
        directions squared they are the golden rule of tunnelling that conserves the spin.

        Parameters
        ----------
        voltage
            V (V), any shape.

        Returns
        -------
        array, array
            (4, ...) over (up, up), (up, down), (down, up), (down, down) of a and b (S/m2), and d/dV of them.

        Examples
        --------
        >>> barrier = fs.TunnelBarrier(resistance_area=10e-12, polarization=(0.6, 0.5))
        >>> conductances, slopes = barrier.golden_rule(0.0)
        >>> print(f"{conductances.sum() / 2:.4e}")  # G0 = 1/(RA (1 + 0.3))
        7.6923e+10
        """
        (g, a, b), (dg, da, db) = self._both(voltage)
        whole = 1 + a * b
        g0, dg0 = g / whole, (dg - g * (da * b + a * db) / whole) / whole
        values, slopes = [], []
        for i in (1, -1):
            for j in (1, -1):
                x, y = 1 + i * a, 1 + j * b
                values.append(g0 * x * y / 2)
                slopes.append((dg0 * x * y + g0 * (i * da * y + j * db * x)) / 2)
        return np.stack(values), np.stack(slopes)

    def reversed(self) -> TunnelBarrier:
        """Return the same barrier with a and b exchanged: V changes sign."""
        return replace(
            self,
            polarization=None if self.polarization is None else self.polarization[::-1],
            field_like=(-self.field_like[0], self.field_like[1]),
            table=None if self.table is None else self.table.reversed(),
        )
