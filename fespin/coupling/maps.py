"""Torque and resistance against the free layer's direction, from transport solves.

If nothing but one fixed direction p distinguishes directions of spin, everything depends
on c = u.p::

    tau/J = d(c) u x (p x u) + f(c) u x p        V s (J/m2 per A/m2)
    A R   = r(c)                                 ohm m2

d, f and r are polynomials through Chebyshev points, refined until their last coefficients are
small and solves at other angles agree with them. Nothing is assumed about their form.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mpi4py import MPI
from numpy.polynomial import Chebyshev
from numpy.typing import NDArray

from ..errors import InputError, SolverError
from ..macrospin.spin import Macrospin
from ..macrospin.torque import AngularTorque
from ..transport.problem import TransportProblem
from .directions import fixed_direction
from .solves import solve_direction

type Array = NDArray[np.float64]

_COUNTS = (6, 18, 54, 162)  # tripling keeps Chebyshev's points
_HELD_OUT = (-0.8137, 0.2371)


@dataclass(frozen=True)
class TorqueMap:
    """What a device does to its free layer, per current.

    Attributes
    ----------
    layer
        The free layer.
    thickness
        Of the free layer (m).
    polarizer
        The fixed direction p.
    damping_like, field_like
        d and f against c = u.p (V s).
    resistance_area
        r against c (ohm m2).
    error
        Of torque and resistance relative to their largest values: from the last coefficients, and against solves
        at two more angles.
    solves
        Number of transport solves.
    """

    layer: str
    thickness: float
    polarizer: tuple[float, float, float]
    damping_like: Chebyshev
    field_like: Chebyshev
    resistance_area: Chebyshev
    error: float
    solves: int

    def torque_per_current(self, u: Array) -> Array:
        """Return tau per current density (V s) at directions u (n, 3)."""
        p = np.asarray(self.polarizer)
        c = u @ p
        d, f = self.damping_like(c)[:, None], self.field_like(c)[:, None]
        return np.asarray(d * (p - c[:, None] * u) + f * np.cross(u, p))

    def resistance_at(self, u: Array) -> Array:
        """Return A R (ohm m2) at directions u (n, 3)."""
        return np.asarray(self.resistance_area(u @ np.asarray(self.polarizer)))

    def torque(
        self, spin: Macrospin, *, current_density: float | None = None, voltage: float | None = None
    ) -> AngularTorque:
        """Return the spin torque on a macrospin: (du/dt)_ST = -gamma tau/(Ms t).

        Parameters
        ----------
        spin
            The free layer's macrospin.
        current_density
            Upwards (A/m2), held whatever the direction.
        voltage
            Or the voltage (V), bottom against top: the current follows the resistance of each direction.

        Raises
        ------
        InputError
            If not exactly one of them is given, or it is not finite.
        """
        if (current_density is None) == (voltage is None):
            raise InputError("torque: give exactly one of current_density and voltage")
        drive = current_density if voltage is None else voltage
        assert drive is not None
        if not math.isfinite(drive):
            raise InputError(f"torque: the drive is {drive!r}; it must be finite")
        # tau acts on the angular momentum, which is antiparallel to u.
        per_tau = -drive / (spin.saturation_magnetization * self.thickness)
        a, b = self.damping_like, self.field_like
        if voltage is not None:
            a, b = (_ratio(x, self.resistance_area) for x in (a, b))
        return AngularTorque(per_tau * a, per_tau * b, self.polarizer)

    def critical_current_density(self, spin: Macrospin, well: Sequence[float] | Array) -> float | None:
        """Return the current density at which a state of the macrospin loses its stability (A/m2).

        Without temperature: where the trace of the linearized motion about the state changes sign. Negative: the
        current flows downwards. None: the torque has no trace there.

        Parameters
        ----------
        well
            Direction of an energy minimum; the torque must not shift it, which it does not on its axis.
        """
        u = np.asarray(well, dtype=float)
        u = u / np.linalg.norm(u)
        c = float(u @ np.asarray(self.polarizer))
        torque = self.torque(spin, current_density=1.0)
        along = torque.damping_like - spin.damping * torque.field_like
        damping = spin.damping * spin.thermal_energy / spin.moment * float(spin.reduced_energy.laplacian(u[None])[0])
        # div [f(c) (p - c u)] = (1 - c^2) f' - 2 c f
        pumping = (1 - c * c) * float(along.deriv()(c)) - 2 * c * float(along(c))
        return damping / pumping if pumping else None

    def save(self, comm: MPI.Intracomm, path: Path | str) -> None:
        """Write the map as JSON, on rank 0."""
        if comm.rank == 0:
            data = {
                "layer": self.layer,
                "thickness": self.thickness,
                "polarizer": list(self.polarizer),
                "damping_like": self.damping_like.coef.tolist(),
                "field_like": self.field_like.coef.tolist(),
                "resistance_area": self.resistance_area.coef.tolist(),
                "error": self.error,
                "solves": self.solves,
            }
            target = Path(path)
            aside = target.with_name(f".{target.name}.part")
            aside.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
            aside.replace(target)

    @classmethod
    def load(cls, path: Path | str) -> TorqueMap:
        """Read a map.

        Raises
        ------
        InputError
            If there is no such file, or it holds no map.
        """
        try:
            data = json.loads(Path(path).read_text("utf-8"))
            x, y, z = data["polarizer"]
            d, f, r = (Chebyshev(data[k]) for k in ("damping_like", "field_like", "resistance_area"))
            return cls(data["layer"], data["thickness"], (x, y, z), d, f, r, data["error"], data["solves"])
        except OSError as error:
            raise InputError(f"torque map '{path}' cannot be read: {error.strerror}") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(f"'{path}' holds no torque map") from error


def torque_map(problem: TransportProblem, layer: str, *, tolerance: float = 1e-4) -> TorqueMap:
    """Return the torque on a layer and the resistance of a device against the layer's direction. Collective.

    The problem ends in the state it began with.

    Parameters
    ----------
    problem
        With the :class:`~fespin.transport.Vector` model and the contacts "bottom" and "top".
    layer
        The free layer. All other magnets are uniform and along one axis, whose direction is that of the first of them.
    tolerance
        Of torque and resistance, relative to the largest.

    Raises
    ------
    InputError
        If the layer is no magnet, there is no other one, or the tolerance is out of range.
    ModelError
        If more than one direction is distinguished: magnets along several axes, a field, or a texture.
    SolverError
        If the tolerance is not reached with 162 solves.
    """
    p = fixed_direction(problem.stack, problem.model, layer)
    if not 1e-12 < tolerance < 1:
        raise InputError(f"torque map: tolerance is {tolerance!r}; it must lie between 1e-12 and 1")
    before = {layer: problem.stack[layer].magnetization or (0.0, 0.0, 1.0)}
    across = np.cross(p, np.eye(3)[int(np.argmin(np.abs(p)))])
    across /= np.linalg.norm(across)
    found: dict[float, Array] = {}

    def at(c: float) -> Array:
        known = min(found, key=lambda x: abs(x - c), default=math.inf)
        if abs(known - c) > 1e-12:
            found[c] = _solve_at(problem, layer, np.array(p), across, c)
            return found[c]
        return found[known]

    error = math.inf
    try:
        for n in _COUNTS:
            values = np.array([at(float(c)) for c in np.cos(np.pi * (np.arange(n) + 0.5) / n)])
            fit = [Chebyshev(_coefficients(v)) for v in values.T]
            # The two parts of the torque have one scale, the resistance its own.
            torque = float(np.abs(values[:, :2]).max())
            scale = np.array([torque, torque, float(np.abs(values[:, 2]).max())])
            error = max(float(np.abs(f.coef[-2:]).max()) / x for f, x in zip(fit, scale, strict=True) if x)
            if error < tolerance:
                # Polynomials that have converged agree with solves elsewhere.
                for c in _HELD_OUT:
                    apart = np.abs(at(c) - [f(c) for f in fit])
                    error = max(error, float((apart / np.where(scale > 0, scale, 1.0)).max()))
            if error < tolerance:
                d, f, r = fit
                return TorqueMap(layer, problem.stack[layer].thickness, p, d, f, r, error, len(found))
    finally:
        problem.magnetize(before)
    raise SolverError(f"torque map: {len(found)} solves leave an error of {error:.1g}; allow a larger tolerance")


def _solve_at(problem: TransportProblem, layer: str, p: Array, across: Array, c: float) -> Array:
    """Return d, f and r at one angle."""
    u = c * p + math.sqrt(1 - c * c) * across
    tau, resistance = solve_direction(problem, layer, u)
    return np.array([tau @ (p - c * u), tau @ np.cross(u, p), (1 - c * c) * resistance]) / (1 - c * c)


def _coefficients(values: Array) -> Array:
    """Return the coefficients of the polynomial through values at Chebyshev's points (of the first kind)."""
    n = len(values)
    angles = np.pi * (np.arange(n) + 0.5) / n
    out = 2 / n * np.cos(np.outer(np.arange(n), angles)) @ values
    out[0] /= 2
    return np.asarray(out)


def _ratio(a: Chebyshev, b: Chebyshev) -> Chebyshev:
    """Return a/b as a polynomial; b has no zero."""
    n = 4 * max(len(a.coef), len(b.coef))
    c = np.cos(np.pi * (np.arange(n) + 0.5) / n)
    return Chebyshev(_coefficients(a(c) / b(c)))
