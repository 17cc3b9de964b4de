"""Torque, resistance and pumped damping against the free layer's direction, from transport solves.

If nothing but one fixed direction p distinguishes directions of spin, everything depends
on c = u.p::

    tau/J = d(c) q + f(c) u x p                  V s (J/m2 per A/m2),    q = u x (p x u) = p - c u
    A R   = r(c)                                 ohm m2
    tau   = -Gamma(c) (u x du/dt)                Gamma in J s/m2, contacts at equal voltages

At fixed voltages they are ratios of polynomials of second degree with one denominator
(:mod:`fespin.coupling.rational`), which four angles tell and a fifth certifies, or a sixth. Where new
solves do not agree, polynomials take over, through solves at some angles, whose number grows until
new ones agree with the polynomial through those before; nothing is then assumed about their form.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from mpi4py import MPI
from numpy.polynomial import Chebyshev
from numpy.polynomial.chebyshev import chebvander
from numpy.typing import NDArray

from ..energy.on_sphere import tangent_frame
from ..errors import SolverError
from ..macrospin.damping import AngularDamping
from ..macrospin.torque import AngularTorque, chebyshev_coefficients
from ..quantities import direction
from ..transport.problem import TransportProblem
from ..transport.spins import SPIN_PER_CHARGE
from .circuit import Circuit
from .directions import fixed_direction, require_linear, require_torque
from .groups import Groups, solve_direction
from .maps import FreeLayerMap, refine, require_tolerance
from .pumping import pump
from .rational import common_denominator, series

type Array = NDArray[np.float64]

# Angles of polynomials at first, and at most; angles of rational functions at first, and new ones that certify them.
_FIRST, _MOST = 5, 81
_FEW, _CERTIFICATES = 4, 2


@dataclass(frozen=True)
class TorqueMap(FreeLayerMap[AngularTorque]):
    """A map against the angle to one fixed direction.

    Attributes
    ----------
    layer
        Free layer.
    thickness
        Thickness of the free layer (m).
    polarizer
        Fixed direction p. A magnet without others has none: any axis stands for it, nothing depends on the angle.
    damping_like, field_like
        Functions d and f of c = u.p (V s).
    resistance_area
        Function r of c (ohm m2).
    error
        Deviation of the previous fit at the newest angles, of torque, resistance and pumping, relative to their largest
        values; the returned fit includes these angles.
    solves
        Number of angles.
    fit
        How the functions were found: "rational", "polynomial", or "constant" for a magnet without others. Those that
        are rational are kept as series, too.
    pumping
        Functions of c (J s/m2), if they were computed: Gamma's component that damps motion across the plane of u and p,
        what that in the plane has more over 1 - c^2, and its antisymmetric part. Contacts at equal voltages.

    Examples
    --------
    >>> valve = fs.torque_map(fs.TransportProblem(fs.line(comm, stack), fs.Vector()), "free")
    >>> u = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
    >>> [f"{r:.3e}" for r in valve.resistance_at(u)]
    ['2.173e-15', '2.642e-15', '3.398e-15']
    >>> torque = valve.torque(spin, current_density=5e10)  # electrons flow from the free to the fixed layer
    >>> fs.FokkerPlanck(comm, spin, torque).switching([5e-9, 10e-9]).not_switched.round(2)
    array([0.39, 0.04])
    """

    NAME = "torque map"

    layer: str
    thickness: float
    polarizer: tuple[float, float, float]
    damping_like: Chebyshev
    field_like: Chebyshev
    resistance_area: Chebyshev
    error: float
    solves: int
    pumping: tuple[Chebyshev, Chebyshev, Chebyshev] | None = None
    fit: str = "polynomial"

    @property
    def alone(self) -> bool:
        """True if there is no other magnet: no torque, and pumping that is the same in all directions."""
        return not (self.damping_like.coef.any() or self.field_like.coef.any())

    @property
    def has_pumping(self) -> bool:
        """True if the map holds the damping that pumping adds."""
        return self.pumping is not None

    def torque_per_current(self, u: Array) -> Array:
        """Return tau per current density (V s) at directions u (n, 3)."""
        p = np.asarray(self.polarizer)
        c = u @ p
        d, f = self.damping_like(c)[:, None], self.field_like(c)[:, None]
        return np.asarray(d * (p - c[:, None] * u) + f * np.cross(u, p))

    def resistance_at(self, u: Array) -> Array:
        """Return A R (ohm m2) at directions u (n, 3)."""
        return np.asarray(self.resistance_area(u @ np.asarray(self.polarizer)))

    def _torque(self, circuit: Circuit, per_tau: float) -> AngularTorque:
        if circuit.current_density is not None:
            a, b = (circuit.current_density * x for x in (self.damping_like, self.field_like))
        else:
            r = self.resistance_area
            a, b = (
                polynomial_of(lambda c, x=x: x(c) * circuit.current_at(r(c)), x, r)  # type: ignore[misc]
                for x in (self.damping_like, self.field_like)
            )
        # tau acts on the angular momentum, which is antiparallel to u.
        return AngularTorque(-per_tau * a, -per_tau * b, self.polarizer)

    def _damping(self, circuit: Circuit, scale: float) -> AngularDamping:
        assert self.pumping is not None
        normal, excess, reactive = self.pumping
        d, f, r = self.damping_like, self.field_like, self.resistance_area

        def back(c: Array) -> tuple[Array, Array, Array]:
            # Torque b V with b = (d q + f u x p)/r, and pumped current a.w with a = (-d q + f u x p)/r.
            x, y, area = (np.asarray(g(c), dtype=np.float64) for g in (d, f, r))
            size = circuit.feedback(area) / area**2
            return size * (1 - c * c) * x**2, size * (x**2 + y**2), size * (1 - c * c) * x * y

        a = polynomial_of(lambda c: np.asarray(scale * (normal(c) - back(c)[0])), normal, d, r)
        b = polynomial_of(lambda c: np.asarray(scale * (excess(c) + back(c)[1])), excess, d, r)
        e = polynomial_of(lambda c: np.asarray(scale * (reactive(c) - back(c)[2])), reactive, d, r)
        return AngularDamping(a, b, e, self.polarizer)

    def _numbers(self) -> tuple[dict[str, Any], Any]:
        functions = {
            "polarizer": list(self.polarizer),
            "damping_like": self.damping_like.coef.tolist(),
            "field_like": self.field_like.coef.tolist(),
            "resistance_area": self.resistance_area.coef.tolist(),
            "fit": self.fit,
        }
        return functions, None if self.pumping is None else [x.coef.tolist() for x in self.pumping]

    @classmethod
    def _made_of(cls, data: dict[str, Any]) -> Self:
        x, y, z = data["polarizer"]
        d, f, r = (Chebyshev(data[k]) for k in ("damping_like", "field_like", "resistance_area"))
        pumping = data.get("pumping")
        if pumping is not None:
            a, b, e = (Chebyshev(k) for k in pumping)
            pumping = (a, b, e)
        return cls(
            data["layer"],
            data["thickness"],
            (x, y, z),
            d,
            f,
            r,
            data["error"],
            data["solves"],
            pumping,
            str(data.get("fit", "polynomial")),
        )


def torque_map(
    problem: TransportProblem | Groups,
    layer: str,
    *,
    tolerance: float = 1e-4,
    pumping: bool = False,
    axis: Sequence[float] | None = None,
) -> TorqueMap:
    """Return the torque on a layer and the resistance of a device against the layer's direction. Collective.

    The problem ends in the state it began with. Laws that follow the state, such as those of tunnel barriers, are for
    :func:`fespin.voltage_map`.

    Parameters
    ----------
    problem
        Device with the :class:`~fespin.transport.Vector` model and the contacts "bottom" and "top"; or groups of ranks
        with one each (:func:`in_groups`), which share the angles.
    layer
        The free layer. All other magnets are uniform and along one axis, whose direction is that of the first of them.
    tolerance
        Largest error of torque, resistance and pumping, relative to their largest values.
    pumping
        True: compute the damping that pumping adds, with two more solves per direction. A magnet needs no
        others for that.
    axis
        Direction from which angles count where no other magnet has a direction, such as an easy axis; default the
        layer's own direction.

    Raises
    ------
    InputError
        If the layer is no magnet, there is no other one and pumping is left out, or the tolerance is out of range.
    ModelError
        If more than one direction is distinguished: magnets along several axes, a field, or a texture.
    SolverError
        If the tolerance is not reached with 81 angles.

    Examples
    --------
    >>> problem = fs.TransportProblem(fs.line(comm, stack), fs.Vector())
    >>> valve = fs.torque_map(problem, "free")
    >>> print(f"{valve.critical_current_density(spin, (0, 0, 1)):.2e}")
    1.35e+10
    """
    groups = problem if isinstance(problem, Groups) else Groups(problem)
    require_linear(groups.problem, "torque map")
    return map_at_rest(groups, layer, tolerance=tolerance, pumping=pumping, axis=axis)


def map_at_rest(
    groups: Groups, layer: str, *, tolerance: float, pumping: bool, axis: Sequence[float] | None
) -> TorqueMap:
    """Return the torque map of a device of whose laws only the linear parts at rest count; see :func:`torque_map`."""
    stack = groups.problem.stack
    require_torque(stack, groups.problem.model, layer, pumping=pumping)
    p = fixed_direction(stack, groups.problem.model, layer)
    if p is None:
        return _map_alone(groups, layer, axis)
    return map_about(
        groups,
        layer,
        p,
        lambda on, u: _solve_at(on, layer, np.array(p), u, pumping),
        tolerance=tolerance,
        pumping=pumping,
    )


def map_about(
    groups: Groups,
    layer: str,
    p: tuple[float, float, float],
    solve: Callable[[TransportProblem, Array], Array],
    *,
    tolerance: float,
    pumping: bool,
    owner: str = "torque map",
) -> TorqueMap:
    """Return the map about one direction p, from as many solves as a tolerance needs. Collective.

    Parameters
    ----------
    solve
        Takes a group's problem and a direction (3,), to which it turns the layer; returns :func:`angle_numbers`.
    owner
        Name of the map, for messages.
    """
    e = np.array(p)
    across = tangent_frame(e[None])[0, 0]

    def at(x: Array) -> Array:
        u = x[:, None] * e + np.sqrt(1 - x * x)[:, None] * across
        return groups.evaluate(layer, u, solve, 6 if pumping else 3, tolerance=tolerance, linear=False)

    def scales(values: Array) -> Array:
        # The two parts of the torque have one scale, the resistance its own, and pumping.
        sizes = [float(np.abs(values[:, k]).max(initial=0.0)) for k in (slice(2), slice(2, 3), slice(3, None))]
        # A torque that is nothing but rounding is none.
        sizes[0] = max(sizes[0], 1e-8 * SPIN_PER_CHARGE)
        return np.repeat([x or 1.0 for x in sizes], [2, 1, values.shape[1] - 3])

    found = through_angles(
        owner, at, scales, tolerance, groups.comm, at_once=groups.count, per_current=(0, 1), resistance=2
    )
    d, f, r, *rest = found.functions
    pumped = (rest[0], rest[1], rest[2]) if pumping else None
    thickness = groups.problem.stack[layer].thickness
    return TorqueMap(layer, thickness, p, d, f, r, found.error, found.angles, pumped, found.fit)


def _map_alone(groups: Groups, layer: str, axis: Sequence[float] | None) -> TorqueMap:
    """Return the map of a magnet without others: one direction stands for all. Collective."""
    free = groups.problem.stack[layer]
    own = free.direction or (0.0, 0.0, 1.0)
    p = direction(own if axis is None else axis, "torque map", "axis")
    u = np.array(p)
    first, second = tangent_frame(u[None])[0]

    def solve(problem: TransportProblem, v: Array) -> Array:
        resistance = solve_direction(problem, layer, v)[1]
        about_first, about_second = (pump(problem, layer, w)[0] for w in (first, second))
        damped = (about_first @ first + about_second @ second) / 2
        return np.array([resistance, damped, (about_first @ second - about_second @ first) / 2])

    r, damped, reactive = groups.evaluate(layer, u[None], solve, 3)[0]
    nothing = Chebyshev([0.0])
    pumped = (Chebyshev([damped]), nothing, Chebyshev([reactive]))
    return TorqueMap(layer, free.thickness, p, nothing, nothing, Chebyshev([r]), 0.0, 1, pumped, "constant")


@dataclass(frozen=True)
class Functions:
    """Functions of a cosine that solves have told.

    Attributes
    ----------
    functions
        One series a column of the solves.
    error
        Deviation of the previous fit at the newest angles, relative to the columns' scales.
    angles
        Number of angles that were solved.
    fit
        "rational" or "polynomial".
    """

    functions: list[Chebyshev]
    error: float
    angles: int
    fit: str


def through_angles(
    owner: str,
    solve: Callable[[Array], Array],
    scales: Callable[[Array], Array],
    tolerance: float,
    comm: MPI.Intracomm,
    *,
    per_current: Sequence[int],
    resistance: int,
    at_once: int = 1,
) -> Functions:
    """Return functions of c through as many solves as a tolerance needs. Collective.

    Parameters
    ----------
    owner
        Name of what has the functions, for messages.
    solve
        Function of cosines (n,) that returns values (n, k).
    scales
        Function of all values so far: what the errors of the k columns are relative to.
    tolerance
        Largest error that is left.
    comm
        All ranks.
    per_current, resistance
        Columns that are answers per current density, and that of A R; the others are answers at equal voltages.
    at_once
        Number of angles that are solved at the same time; of polynomials, at least two are added.

    Raises
    ------
    InputError
        If the tolerance is out of range.
    SolverError
        If it is not reached with 81 angles.
    """
    require_tolerance(owner, tolerance)
    every = _leja(_MOST)

    def at_voltage(values: Array) -> Array:
        out = values.copy()
        out[:, per_current] /= values[:, [resistance]]
        out[:, resistance] = 1 / values[:, resistance]
        return out

    # Back again it is the same.
    first = max(_FEW, at_once)
    c, values = every[:first], solve(every[:first])
    for _ in range(_CERTIFICATES):
        found = common_denominator(c, at_voltage(values))
        new = every[len(c) : len(c) + at_once]
        more = solve(new)
        scale = scales(np.concatenate([values, more]))
        error = np.inf
        if found is not None:
            fit = at_voltage(found(np.concatenate([c, new])))
            error = float((np.abs(np.concatenate([values, more]) - fit) / scale).max())
        error = float(comm.bcast(error, 0))
        c, values = np.concatenate([c, new]), np.concatenate([values, more])
        best = common_denominator(c, at_voltage(values)) if error <= tolerance else None
        if comm.bcast(best is not None, 0):
            assert best is not None
            functions, cut = series(lambda x, best=best: at_voltage(best(x)), scale, 1e-3 * tolerance)  # type: ignore[misc]
            # Functions of the torque are larger than it is: it vanishes at the poles, they do not.
            return Functions(functions, error + 2 * cut, len(c), "rational")

    more_at_once = max(2, at_once)
    if len(c) < _FIRST:
        extra = every[len(c) : _FIRST]
        c, values = np.concatenate([c, extra]), np.concatenate([values, solve(extra)])
    batches = (every[k : k + more_at_once] for k in range(len(c), _MOST, more_at_once))

    # The new angles are where the polynomials are least certain.
    def deviation(c: Array, values: Array, new: Array, more: Array) -> float:
        fit: Array = np.stack([f(new) for f in _fit(c, values)], axis=1)
        return float((np.abs(more - fit) / scales(values)).max())

    c, values, error = refine(comm, c, values, batches, solve, deviation, tolerance)
    if error > tolerance:
        raise SolverError(f"{owner}: {len(c)} angles leave an error of {error:.1g}; allow a larger tolerance")
    return Functions(_fit(c, values), error, len(c), "polynomial")


def _solve_at(problem: TransportProblem, layer: str, p: Array, u: Array, pumping: bool) -> Array:
    """Return d, f and r in one direction, and three numbers of Gamma."""
    tau, resistance = solve_direction(problem, layer, u)
    return angle_numbers(p, u, tau, resistance, (lambda w: pump(problem, layer, w)[0]) if pumping else None)


def angle_numbers(
    p: Array, u: Array, tau: Array, resistance: float, gamma: Callable[[Array], Array] | None = None
) -> Array:
    """Return d, f and r in one direction and, with pumping, three numbers of Gamma.

    Parameters
    ----------
    p, u
        Fixed direction, and that of the layer (3,).
    tau, resistance
        Torque per current density (3,), and resistance.
    gamma
        Function of an axis w that returns Gamma w (3,); None without pumping.
    """
    c = float(u @ p)
    s = math.sqrt(1 - c * c)
    in_plane, normal = (p - c * u) / s, np.cross(u, p) / s
    values = [tau @ in_plane / s, tau @ normal / s, resistance]
    if gamma is not None:
        # Turning about an axis in the plane of u and p moves u across it.
        across_plane, along_plane = gamma(np.asarray(in_plane)), gamma(np.asarray(normal))
        damped = across_plane @ in_plane
        values += [damped, (along_plane @ normal - damped) / s**2, (across_plane @ normal - along_plane @ in_plane) / 2]
    return np.array(values)


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
    """Return the polynomial of a function made of some polynomials, without poles; at most four times their degrees."""
    n = 4 * max(len(x.coef) for x in parts)
    whole = chebyshev_coefficients(function(np.cos(np.pi * (np.arange(n) + 0.5) / n)))
    # What is rounding would be evaluated ever after.
    return Chebyshev(whole).trim(1e-14 * float(np.abs(whole).max()))
