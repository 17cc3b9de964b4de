"""Torque, resistance and pumped damping against the free layer's direction, from transport solves.

If nothing but one fixed direction p distinguishes directions of spin, everything depends
on c = u.p::

    tau/J = d(c) q + f(c) u x p                  V s (J/m2 per A/m2),    q = u x (p x u) = p - c u
    A R   = r(c)                                 ohm m2
    tau   = -Gamma(c) (u x du/dt)                Gamma in J s/m2, contacts at equal voltages

All are polynomials through solves at some angles, whose number grows until new solves agree
with the polynomial through those before. Nothing is assumed about their form.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mpi4py import MPI
from numpy.polynomial import Chebyshev
from numpy.polynomial.chebyshev import chebvander
from numpy.typing import NDArray

from ..device import direction
from ..errors import InputError, SolverError
from ..macrospin.damping import AngularDamping
from ..macrospin.pointwise import tangent_frame
from ..macrospin.spin import Macrospin
from ..macrospin.stability import critical_factor
from ..macrospin.torque import AngularTorque, chebyshev_coefficients
from ..output import save_json
from ..transport.problem import TransportProblem
from ..transport.spins import SPIN_PER_CHARGE
from .circuit import Circuit
from .directions import fixed_direction, require_torque
from .groups import Groups
from .pumping import pumping_torque
from .solves import solve_direction

type Array = NDArray[np.float64]

# Angles at first and at most.
_FIRST, _MOST = 5, 81


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
        The fixed direction p. A magnet without others has none: any axis stands for it, nothing depends on the angle.
    damping_like, field_like
        d and f against c = u.p (V s).
    resistance_area
        r against c (ohm m2).
    error
        Of torque, resistance and pumping relative to their largest values: of the polynomials before the last angles
        were added, at these angles. Those that are returned are better.
    solves
        Number of angles.
    pumping
        Against c (J s/m2), if it was computed: Gamma's component that damps motion across the plane of u and p,
        what that in the plane has more over 1 - c^2, and its antisymmetric part. Contacts at equal voltages.
    """

    layer: str
    thickness: float
    polarizer: tuple[float, float, float]
    damping_like: Chebyshev
    field_like: Chebyshev
    resistance_area: Chebyshev
    error: float
    solves: int
    pumping: tuple[Chebyshev, Chebyshev, Chebyshev] | None = None

    @property
    def alone(self) -> bool:
        """Whether there is no other magnet: no torque, and pumping that is the same in all directions."""
        return not (self.damping_like.coef.any() or self.field_like.coef.any())

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
        self,
        spin: Macrospin,
        *,
        current_density: float | None = None,
        voltage: float | None = None,
        series_resistance_area: float = 0.0,
    ) -> AngularTorque:
        """Return the spin torque on a macrospin: (du/dt)_ST = -gamma tau/(Ms t).

        Parameters
        ----------
        spin
            The free layer's macrospin.
        current_density, voltage, series_resistance_area
            As in :class:`Circuit`.

        Raises
        ------
        InputError
            If not exactly one drive is given, or a value is impossible.
        """
        circuit = Circuit(current_density, voltage, series_resistance_area)
        # tau acts on the angular momentum, which is antiparallel to u.
        per_tau = -1 / (spin.saturation_magnetization * self.thickness)
        if current_density is not None:
            a, b = current_density * self.damping_like, current_density * self.field_like
        else:
            r = self.resistance_area
            a, b = (
                polynomial_of(lambda c, x=x: x(c) * circuit.current_at(r(c)), x, r)  # type: ignore[misc]
                for x in (self.damping_like, self.field_like)
            )
        return AngularTorque(per_tau * a, per_tau * b, self.polarizer)

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
        current_density, voltage, series_resistance_area
            As in :class:`Circuit`.

        Raises
        ------
        InputError
            If the map holds no pumping, or the circuit is impossible.
        """
        circuit = Circuit(current_density, voltage, series_resistance_area)
        if self.pumping is None:
            raise InputError("torque map: it holds no pumping; make it with pumping=True")
        normal, excess, reactive = self.pumping
        d, f, r = self.damping_like, self.field_like, self.resistance_area

        def back(c: Array) -> tuple[Array, Array, Array]:
            # Torque b V with b = (d q + f u x p)/r, and pumped current a.w with a = (-d q + f u x p)/r.
            x, y, area = (np.asarray(g(c), dtype=np.float64) for g in (d, f, r))
            size = circuit.feedback(area) / area**2
            return size * (1 - c * c) * x**2, size * (x**2 + y**2), size * (1 - c * c) * x * y

        scale = spin.gyromagnetic_ratio / (spin.saturation_magnetization * self.thickness)
        a = polynomial_of(lambda c: np.asarray(scale * (normal(c) - back(c)[0])), normal, d, r)
        b = polynomial_of(lambda c: np.asarray(scale * (excess(c) + back(c)[1])), excess, d, r)
        e = polynomial_of(lambda c: np.asarray(scale * (reactive(c) - back(c)[2])), reactive, d, r)
        return dataclasses.replace(spin, pumping=AngularDamping(a, b, e, self.polarizer))

    def critical_current_density(self, spin: Macrospin, well: Sequence[float] | Array) -> float | None:
        """Return the current density at which a state of the macrospin loses its stability (A/m2).

        Without temperature: where the trace of the linearized motion about the state changes sign. Negative: the
        current flows downwards. None: the torque has no trace there.

        Parameters
        ----------
        spin
            With its pumping, if that is to count.
        well
            Direction of an energy minimum; the torque must not shift it, which it does not on its axis.
        """
        return critical_factor(spin, self.torque(spin, current_density=1.0), well)

    def save(self, comm: MPI.Intracomm, path: Path | str) -> None:
        """Write the map as JSON, on rank 0."""
        data = {
            "layer": self.layer,
            "thickness": self.thickness,
            "polarizer": list(self.polarizer),
            "damping_like": self.damping_like.coef.tolist(),
            "field_like": self.field_like.coef.tolist(),
            "resistance_area": self.resistance_area.coef.tolist(),
            "error": self.error,
            "solves": self.solves,
            "pumping": None if self.pumping is None else [x.coef.tolist() for x in self.pumping],
        }
        save_json(comm, path, data)

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
            pumping = data.get("pumping")
            if pumping is not None:
                a, b, e = (Chebyshev(k) for k in pumping)
                pumping = (a, b, e)
            return cls(data["layer"], data["thickness"], (x, y, z), d, f, r, data["error"], data["solves"], pumping)
        except OSError as error:
            raise InputError(f"torque map '{path}' cannot be read: {error.strerror}") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(f"'{path}' holds no torque map") from error


def torque_map(
    problem: TransportProblem | Groups,
    layer: str,
    *,
    tolerance: float = 1e-4,
    pumping: bool = False,
    axis: Sequence[float] | None = None,
) -> TorqueMap:
    """Return the torque on a layer and the resistance of a device against the layer's direction. Collective.

    The problem ends in the state it began with.

    Parameters
    ----------
    problem
        With the :class:`~fespin.transport.Vector` model and the contacts "bottom" and "top"; or groups of ranks with
        one each (:func:`in_groups`), which share the angles.
    layer
        The free layer. All other magnets are uniform and along one axis, whose direction is that of the first of them.
    tolerance
        Of torque, resistance and pumping, relative to the largest.
    pumping
        Whether to compute the damping that pumping adds, with two more solves per direction. A magnet needs no others
        for that.
    axis
        From which angles count where no other magnet has a direction, such as an easy axis; default the layer's own
        direction.

    Raises
    ------
    InputError
        If the layer is no magnet, there is no other one and pumping is left out, or the tolerance is out of range.
    ModelError
        If more than one direction is distinguished: magnets along several axes, a field, or a texture.
    SolverError
        If the tolerance is not reached with 81 angles.
    """
    groups = problem if isinstance(problem, Groups) else Groups(problem)
    stack = groups.problem.stack
    require_torque(stack, groups.problem.model, layer, pumping=pumping)
    p = fixed_direction(stack, groups.problem.model, layer)
    if p is None:
        return _map_alone(groups, layer, axis)
    e = np.array(p)
    across = tangent_frame(e[None])[0, 0]

    def solve(x: Array) -> Array:
        u = x[:, None] * e + np.sqrt(1 - x * x)[:, None] * across
        return groups.evaluate(layer, u, lambda on, v: _solve_at(on, layer, e, v, pumping), 6 if pumping else 3)

    def scales(values: Array) -> Array:
        # The two parts of the torque have one scale, the resistance its own, and pumping.
        sizes = [float(np.abs(values[:, k]).max(initial=0.0)) for k in (slice(2), slice(2, 3), slice(3, None))]
        # A torque that is nothing but rounding is none.
        sizes[0] = max(sizes[0], 1e-8 * SPIN_PER_CHARGE)
        return np.repeat([x or 1.0 for x in sizes], [2, 1, values.shape[1] - 3])

    (d, f, r, *rest), error, angles = through_angles(
        "torque map", solve, scales, tolerance, groups.comm, at_once=groups.count
    )
    pumped = (rest[0], rest[1], rest[2]) if pumping else None
    return TorqueMap(layer, stack[layer].thickness, p, d, f, r, error, angles, pumped)


def _map_alone(groups: Groups, layer: str, axis: Sequence[float] | None) -> TorqueMap:
    """Return the map of a magnet without others: one direction stands for all. Collective."""
    found = groups.problem.stack[layer]
    own = found.direction or (0.0, 0.0, 1.0)
    p = direction(own if axis is None else axis, "torque map", "axis")
    u = np.array(p)
    first, second = tangent_frame(u[None])[0]

    def solve(problem: TransportProblem, v: Array) -> Array:
        resistance = solve_direction(problem, layer, v)[1]
        about_first, about_second = (pumping_torque(problem, layer, tuple(w)) for w in (first, second))
        damped = (about_first @ first + about_second @ second) / 2
        return np.array([resistance, damped, (about_first @ second - about_second @ first) / 2])

    r, damped, reactive = groups.evaluate(layer, u[None], solve, 3)[0]
    nothing = Chebyshev([0.0])
    pumped = (Chebyshev([damped]), nothing, Chebyshev([reactive]))
    return TorqueMap(layer, found.thickness, p, nothing, nothing, Chebyshev([r]), 0.0, 1, pumped)


def through_angles(
    owner: str,
    solve: Callable[[Array], Array],
    scales: Callable[[Array], Array],
    tolerance: float,
    comm: MPI.Intracomm,
    *,
    at_once: int = 1,
) -> tuple[list[Chebyshev], float, int]:
    """Return polynomials of c through as many solves as a tolerance needs, their error, and how many. Collective.

    Parameters
    ----------
    owner
        Whose they are, for messages.
    solve
        Values (n, k) at cosines (n,).
    scales
        From all values so far, what the errors of the k columns are relative to.
    at_once
        How many angles are solved at the same time; at least two are added.

    Raises
    ------
    InputError
        If the tolerance is out of range.
    SolverError
        If it is not reached with 81 angles.
    """
    if not 1e-12 < tolerance < 1:
        raise InputError(f"{owner}: tolerance is {tolerance!r}; it must lie between 1e-12 and 1")
    every = _leja(_MOST)
    c, error = every[: min(max(_FIRST, at_once), _MOST // 2)], math.inf
    values = solve(c)
    while error > tolerance and len(c) < _MOST:
        new = every[len(c) : len(c) + max(2, at_once)]
        fit, more = _fit(c, values), solve(new)
        # The new angles are where the polynomials are least certain.
        error = float((np.abs(more - np.stack([f(new) for f in fit], axis=1)) / scales(values)).max())
        # Ranks must agree on when to stop, whatever their arithmetic.
        error = float(comm.bcast(error, 0))
        c, values = np.concatenate([c, new]), np.concatenate([values, more])
    if error > tolerance:
        raise SolverError(f"{owner}: {len(c)} angles leave an error of {error:.1g}; allow a larger tolerance")
    return _fit(c, values), error, len(c)


def _solve_at(problem: TransportProblem, layer: str, p: Array, u: Array, pumping: bool) -> Array:
    """Return d, f and r in one direction, and three numbers of Gamma."""
    c = float(u @ p)
    s = math.sqrt(1 - c * c)
    in_plane, normal = (p - c * u) / s, np.cross(u, p) / s
    tau, resistance = solve_direction(problem, layer, u)
    found = [tau @ in_plane / s, tau @ normal / s, resistance]
    if pumping:
        # Turning about an axis in the plane of u and p moves u across it.
        across_plane, along_plane = (pumping_torque(problem, layer, tuple(w)) for w in (in_plane, normal))
        damped = across_plane @ in_plane
        found += [damped, (along_plane @ normal - damped) / s**2, (across_plane @ normal - along_plane @ in_plane) / 2]
    return np.array(found)


def _leja(count: int) -> Array:
    """Return points inside (-1, 1) of which the first n, for any n, are good for polynomials of degree n - 1."""
    # Each is where the product of the distances to those before is largest, and the sine is not lost.
    candidates = np.cos(np.pi * (np.arange(4 * count) + 0.5) / (4 * count))
    candidates = candidates[np.abs(candidates) < math.cos(math.pi / 40)]
    chosen = [float(candidates[0])]
    height = np.zeros(len(candidates))
    while len(chosen) < count:
        with np.errstate(divide="ignore"):
            height += np.log(np.abs(candidates - chosen[-1]))
        chosen.append(float(candidates[int(np.argmax(height))]))
    return np.array(chosen)


def _fit(c: Array, values: Array) -> list[Chebyshev]:
    """Return the polynomials through values (n, k) at points (n,)."""
    return [Chebyshev(x) for x in np.linalg.solve(chebvander(c, len(c) - 1), values).T]


def polynomial_of(function: Callable[[Array], Array], *parts: Chebyshev) -> Chebyshev:
    """Return the polynomial of a function made of some polynomials, without poles; four times their degrees."""
    n = 4 * max(len(x.coef) for x in parts)
    return Chebyshev(chebyshev_coefficients(function(np.cos(np.pi * (np.arange(n) + 0.5) / n))))
