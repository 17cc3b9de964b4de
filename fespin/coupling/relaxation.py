"""Spin transfer by relaxation: what relaxes at the faces of a magnet acts on its direction.

The papers' own route (Wegrowe 2010; Wegrowe and Drouhin 2004), beside the torque of transverse spins. D is the
accumulation inside a magnet, its own majority less its minority: phi_up - phi_dn where spins flip, phi_sdn - phi_ddn
where s electrons become d electrons. Of each face f::

    d_f     = D(face f) - D(middle)              the integral of -grad D from the face inwards
    dchi/dc = - sum_f l_f d_f,   c = u.p         1/(s m2);  X = grad chi on the sphere, times v/t in 1/s

d_f is odd in the current and a number of the device, whichever way up it is described. l_f > 0 drives u away from p
where minority electrons pile up at the face. In thin layers D(face) does not vanish though nothing relaxes inside, but
d_f does. For two channels, exactly, with t the thickness and l the spin-diffusion length::

    d_below + d_above = [1 - sech(t/2l)] (D_below + D_above) = 2 rho* l tanh(t/4l) [J_s(below) - J_s(above)]

which is zero for a symmetric layer and t^2/(8 l^2) of the accumulations for t << l.

A magnet without others has a d_f that does not know its direction: turning all spins takes u to -u, so that
chi(u) = chi(-u). With an axis n, l_f grows as c = u.n and dchi/dc = -c sum_f l_f d_f: a barrier that both wells share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from dolfinx import fem
from numpy.polynomial import Chebyshev
from numpy.typing import NDArray

from ..device import Interface, Layer, Material
from ..domain import sample
from ..energy.on_sphere import tangent_frame
from ..errors import InputError, ModelError
from ..macrospin.spin import Macrospin
from ..macrospin.torque import AngularTorque
from ..quantities import direction, is_finite
from ..stack import Stack, common_axis, sign_along
from ..transport.problem import TransportProblem
from ..transport.s_d import FourChannel, ThreeChannel
from ..transport.solution import TransportSolution
from ..transport.two_channel import TwoChannel
from ..transport.vector import Vector
from .angle_maps import polynomial_of, through_angles
from .circuit import Circuit
from .directions import direction_of_others, require_free_spins, require_linear
from .groups import Groups
from .wegrowe import largest_cross, require_process

type Array = NDArray[np.float64]
type Cross = float | tuple[float, float]


@dataclass(frozen=True)
class FaceDifferences:
    """Differences of the accumulation at the faces of a magnet from that in its middle.

    Attributes
    ----------
    below, above
        d_f = D(face) - D(middle) of the lower and the upper face (V). Zero where a lead continues the magnet.
    middle
        D(middle) (V).

    Examples
    --------
    >>> from fespin.coupling import face_differences
    >>> problem = fs.TransportProblem(fs.line(comm, stack))
    >>> d = face_differences(problem, problem.solve(current_density=1e11), "fixed")
    >>> print(f"{d.below:.2e} {d.above:.2e} {d.total:.2e}")
    1.31e-05 -1.32e-05 -1.08e-07
    """

    below: float
    above: float
    middle: float

    @property
    def total(self) -> float:
        """d_below + d_above (V): 2 rho* l tanh(t/4l) times the spin current that two channels lose in the layer."""
        return self.below + self.above


def face_differences(
    problem: TransportProblem, solution: TransportSolution, layer: str, *, process: str = "spin flip"
) -> FaceDifferences:
    """Return d_f of both faces of a magnet. Collective.

    On the axis of the device. A magnet that a lead continues has its middle far away, where D = 0.

    Parameters
    ----------
    problem
        Still with the layers and spaces of the solution.
    layer
        A uniform magnet.
    process
        Process that relaxes: "spin flip" (s-up less s-down), or "s-d" (s-down less d-down; three or four
        channels).

    Raises
    ------
    InputError
        If the layer is no uniform magnet, or the process is unknown.
    ModelError
        If the device is no plain stack between "bottom" and "top", or there is no d channel.

    Examples
    --------
    >>> from fespin.coupling import face_differences
    >>> problem = fs.TransportProblem(fs.line(comm, stack))
    >>> d = face_differences(problem, problem.solve(current_density=1e11), "fixed")
    >>> slope = -(1e27 * d.below + 2e27 * d.above)  # dchi/dc of l_f = 1e27 below and 2e27 above
    >>> print(f"{slope:.2e}")
    1.33e+22
    """
    if not solution.layer_drops:
        raise ModelError("chi: the device is no plain stack with the contacts 'bottom' and 'top'")
    return FaceDifferences(*_differences(problem, solution.stack, solution.fields, layer, process))


def chi_slope(
    problem: TransportProblem, solution: TransportSolution, layer: str, cross: Cross, *, process: str = "spin flip"
) -> float:
    """Return dchi/dc = - sum_f l_f d_f (1/(s m2)) in the direction that the magnet has, c = u.p. Collective.

    Times v/t, the cross-section, it is dchi/dc in 1/s. Along theta it is dchi/dtheta = sin(theta) sum_f l_f d_f. Of a
    magnet without others it goes with another c, see :class:`RelaxationMap`.

    Parameters
    ----------
    cross
        l_f (1/(V s m2)): one number for both faces, or (below, above).
    problem, solution, layer, process
        Same as for :func:`face_differences`, which says what is raised.

    Examples
    --------
    >>> from fespin.coupling import chi_slope
    >>> problem = fs.TransportProblem(fs.line(comm, stack))
    >>> solution = problem.solve(current_density=1e11)
    >>> print(f"{chi_slope(problem, solution, 'fixed', cross=(1e27, 2e27)):.2e}")
    1.33e+22
    """
    below, above = _crosses(cross)
    d = face_differences(problem, solution, layer, process=process)
    return -(below * d.below + above * d.above)


def chi_slope_of_resistance(cross: float, beta: float, current_density: float, r_nonequilibrium: float) -> float:
    """Return dchi/dc = (2 l/beta) J A R_ne (1/(s m2)) of a magnet with one N|F face (Wegrowe 2010 Eq. 49).

    Of a magnet that is thick against its spin-diffusion length, the only one, with gamma = 0 at its face: then
    d_f = -(2/beta) J A R_ne. The paper has -l J R/(2 beta), with the R of its Eq. 36, along dz instead of inwards.

    Parameters
    ----------
    current_density
        J (A/m2), into the magnet through its face.
    r_nonequilibrium
        A R_ne (ohm m2).

    Examples
    --------
    >>> from fespin.coupling import chi_slope_of_resistance
    >>> print(f"{chi_slope_of_resistance(1e27, beta=0.46, current_density=1e11, r_nonequilibrium=1e-15):.2e}")
    4.35e+23
    """
    for key, x in (("cross", cross), ("current_density", current_density), ("r_nonequilibrium", r_nonequilibrium)):
        _require_finite(key, x)
    if not is_finite(beta) or not 0 < abs(beta) < 1:
        raise InputError(f"spin transfer: beta is {beta!r}; it must lie between -1 and 1 and not be zero")
    return 2 * cross / beta * current_density * r_nonequilibrium


# ---- against the direction
@dataclass(frozen=True)
class RelaxationMap:
    """The differences at the faces of a magnet against its direction, per current.

    Attributes
    ----------
    layer
        The free layer.
    thickness, material
        Thickness of the layer (m), and its material.
    process
        Process that relaxes, see :func:`face_differences`.
    axis
        The fixed direction p, or the axis n of a magnet without others.
    alone
        True if there is no other magnet. Then chi(u) = chi(-u), and dchi/dc = -c sum_f l_f d_f.
    below, above
        d_f per current density against c = u.p (ohm m2).
    own
        Both without c: what is left when all other magnets are made normal; None if it was not asked for.
    resistance_area
        A R against c (ohm m2).
    error, solves
        Error and number of angles, see :class:`TorqueMap`.

    Examples
    --------
    >>> from fespin.coupling import largest_cross, relaxation_map
    >>> problem = fs.TransportProblem(fs.line(comm, stack), fs.Vector())
    >>> valve = relaxation_map(problem, "free")
    >>> cross = 0.1 * largest_cross(spin, Co)
    >>> torque = valve.torque(spin, cross, current_density=5e10)
    >>> print(f"{valve.slope(cross, current_density=5e10)(1.0):.2e}")
    -1.62e+18
    """

    layer: str
    thickness: float
    material: Material
    process: str
    axis: tuple[float, float, float]
    alone: bool
    below: Chebyshev
    above: Chebyshev
    own: tuple[float, float] | None
    resistance_area: Chebyshev
    error: float
    solves: int

    def slope(
        self,
        cross: Cross,
        *,
        current_density: float | None = None,
        voltage: float | None = None,
        series_resistance_area: float = 0.0,
        subtract_own: bool = False,
    ) -> Chebyshev:
        """Return dchi/dc against c (1/(s m2)).

        Parameters
        ----------
        cross
            l_f (1/(V s m2)): one number for both faces, or (below, above).
        current_density, voltage, series_resistance_area
            Drive, see :class:`Circuit`.
        subtract_own
            True: leave out the layer's own part, which gives -sum_f l_f [d_f(c) - d_f,own]; this vanishes
            with the other magnets.

        Raises
        ------
        InputError
            If a value is impossible, or the map does not hold the own part, or there is no other.
        """
        circuit = Circuit(current_density, voltage, series_resistance_area)
        l_below, l_above = _crosses(cross)
        per_current = -(l_below * self.below + l_above * self.above)
        if subtract_own:
            if self.alone:
                raise InputError(f"relaxation map: '{self.layer}' is the only magnet; all of its chi is its own")
            if self.own is None:
                raise InputError("relaxation map: it holds no own part; make it with own=True")
            per_current = per_current + (l_below * self.own[0] + l_above * self.own[1])
        if self.alone:
            per_current = per_current * Chebyshev([0.0, 1.0])
        if current_density is not None:
            return per_current * current_density
        r = self.resistance_area

        def at(c: Array) -> Array:
            slope, area = (np.asarray(x(c), dtype=np.float64) for x in (per_current, r))
            return np.asarray(slope * circuit.current_at(area))

        return polynomial_of(at, per_current, r)

    def torque(
        self,
        spin: Macrospin,
        cross: Cross,
        *,
        current_density: float | None = None,
        voltage: float | None = None,
        series_resistance_area: float = 0.0,
        subtract_own: bool = False,
    ) -> AngularTorque:
        """Return X = grad chi as the torque on a macrospin: along p with x(c) = chi'(c), nothing around it.

        In Gilbert's equation a = x/gamma and b = -alpha x/gamma (T). A constant x acts as a field x (1+alpha^2)/(alpha
        gamma) along p does on energies and probabilities: ln rho = -E/kT + chi/D.

        Parameters
        ----------
        spin
            The layer's macrospin, whose volume over the thickness is the cross-section.
        cross, current_density, voltage, series_resistance_area, subtract_own
            Same as for :meth:`slope`, which says what is refused.

        Raises
        ------
        ModelError
            If l_f is so large that power would be gained (:func:`largest_cross`).
        """
        most = largest_cross(spin, self.material, process=self.process)
        for x in _crosses(cross):
            if not abs(x) < most:
                raise ModelError(
                    f"relaxation: cross is {x!r}; power would be gained, its magnitude must be below {most:.6g}"
                )
        slope = self.slope(
            cross,
            current_density=current_density,
            voltage=voltage,
            series_resistance_area=series_resistance_area,
            subtract_own=subtract_own,
        )
        a = slope * (spin.volume / self.thickness / spin.gyromagnetic_ratio)
        return AngularTorque(a, -spin.damping * a, self.axis)


def relaxation_map(
    problem: TransportProblem | Groups,
    layer: str,
    *,
    axis: Sequence[float] | None = None,
    process: str = "spin flip",
    own: bool = False,
    tolerance: float = 1e-4,
) -> RelaxationMap:
    """Return the differences at a layer's faces against its direction. Collective.

    With other magnets d_f depends on c = u.p, which only the vector model knows: the straight line between the
    collinear states, c = 1 and -1, has the tilt of chi wrong, sign included. The problem ends in the state it began
    with.

    Parameters
    ----------
    problem
        Device with the contacts "bottom" and "top"; any linear model for one magnet, with others the
        :class:`~fespin.transport.Vector` model. Or groups of ranks with one each (:func:`in_groups`), which share the
        angles; what is in their journal is not solved again.
    layer
        The free layer. All other magnets are uniform and along one axis, whose direction is that of the first of them.
    axis
        n, of a magnet without others, such as its easy axis. With others it is not given.
    process
        Process that relaxes, see :func:`face_differences`.
    own
        True: solve for the layer's own part too, with all other magnets made normal.
    tolerance
        Largest error of d_f and the resistance, relative to the largest.

    Raises
    ------
    InputError
        If the layer is no uniform magnet, the axis is missing or superfluous, or the tolerance is out of range.
    ModelError
        If the model does not know the angle between several magnets, more than one direction is distinguished, or
        there is no d channel.
    SolverError
        If the tolerance is not reached with 81 angles.

    Examples
    --------
    >>> from fespin.coupling import relaxation_map
    >>> single = fs.Stack(outer, fixed, outer)
    >>> problem = fs.TransportProblem(fs.line(comm, single), contacts={"bottom": "lead"})
    >>> differences = relaxation_map(problem, "fixed", axis=(0, 0, 1))
    >>> print(f"{differences.below(1.0):.2e} {differences.above(1.0):.2e}")  # ohm m2
    -2.77e-16 2.69e-16
    """
    groups = problem if isinstance(problem, Groups) else Groups(problem)
    problem = groups.problem
    stack, model = problem.stack, problem.model
    if not isinstance(model, TwoChannel | ThreeChannel | FourChannel | Vector):
        raise ModelError(f"relaxation map: {type(model).__name__} is not offered; d_f is to be linear in the current")
    require_linear(problem, "relaxation map")
    if isinstance(model, Vector) and any(model.field):
        raise ModelError("relaxation map: the field distinguishes a second direction")
    if isinstance(model, Vector):
        require_free_spins(stack, "relaxation map")
    free = stack[layer]
    _require_magnet(stack, layer)
    _weights(problem, stack, layer, process)  # refuses a process that is not there before anything is solved
    assert free.direction is not None

    def at(u: Array, error: float | None = None) -> Array:
        """Return what `_solve` does at directions (n, 3)."""

        def turned(on: TransportProblem, v: Array) -> Array:
            on.magnetize({layer: tuple(v)})
            return _solve(on, layer, process)

        return groups.evaluate(layer, u, turned, 4, tolerance=error)

    p = direction_of_others(stack, layer, "relaxation map")
    if p is None:
        if axis is None:
            raise InputError(f"relaxation map: '{layer}' is the only magnet; give its axis")
        n = direction(axis, "relaxation map", "axis")
        below, above, _, r = (Chebyshev([x]) for x in at(np.array([free.direction]))[0])
        return RelaxationMap(layer, free.thickness, free.material, process, n, True, below, above, None, r, 0.0, 1)
    if axis is not None:
        others = ", ".join(x.name for x in stack if x.material.ferromagnetic and x.name != layer)
        raise InputError(f"relaxation map: axis is given, but '{others}' distinguishes a direction")
    if not isinstance(model, Vector):
        raise ModelError(
            "relaxation map: with other magnets d_f depends on the angle, which only the vector model knows; "
            "face_differences gives those of parallel and antiparallel"
        )
    e = np.array(p)
    across = tangent_frame(e[None])[0, 0]

    def solve(c: Array) -> Array:
        return at(c[:, None] * e + np.sqrt(1 - c * c)[:, None] * across, tolerance)

    def scales(values: Array) -> Array:
        sizes = np.abs(values).max(axis=0)
        # Differences that are nothing but rounding of the accumulation are none.
        both = max(sizes[0], sizes[1], 1e-8 * sizes[2])
        return np.array([both, both, max(sizes[2], both), sizes[3]]) + np.finfo(float).tiny

    found = through_angles(
        "relaxation map",
        solve,
        scales,
        tolerance,
        groups.comm,
        at_once=groups.count,
        per_current=(0, 1, 2),
        resistance=3,
    )
    below, above, _, r = found.functions
    alone = None
    if own:
        lonely = without_others(problem, layer)
        # Groups may differ in rounding, and all ranks have one map.
        d_below, d_above, *_ = groups.comm.bcast(_solve(lonely, layer, process).tolist(), 0)
        alone = (d_below, d_above)
        lonely.destroy()
    return RelaxationMap(
        layer, free.thickness, free.material, process, p, False, below, above, alone, r, found.error, found.angles
    )


def without_others(problem: TransportProblem, layer: str) -> TransportProblem:
    """Return the problem with all magnets but one made normal metals. Collective.

    They keep their resistivity and spin-diffusion length, their faces the conductance of both spins together.
    """
    stack = problem.stack
    changed: dict[str, Layer] = {}
    for x in stack:
        if x.material.ferromagnetic and x.name != layer:
            m = x.material
            normal = Material(m.name, m.resistivity, m.spin_diffusion_length, density_of_states=m.density_of_states)
            changed[x.name] = replace(x, material=normal, magnetization=None)
    faces: dict[tuple[str, str], Interface] = {}
    for pair in problem.domain.interfaces:
        face = stack.interface(*pair)
        if face is None:
            continue
        magnets = [n for n in pair if stack[n].material.ferromagnetic and n not in changed]
        if not magnets and not face.perfect:
            # G_up + G_dn = 1/(AR* (1 - gamma^2)).
            face = replace(face, area_resistance_star=face.area_resistance_star * (1 - face.gamma**2), gamma=0.0)
        faces[pair] = face
    normalized = Stack(*(changed.get(x.name, x) for x in stack), interfaces=faces, library={})
    return TransportProblem(
        replace(problem.domain, stack=normalized),
        problem.model,
        contacts={k: c for k, (c, _) in problem.contacts.items()},
        degree=problem.system.degree,
        solver=problem.options,
    )


def _solve(problem: TransportProblem, layer: str, process: str) -> Array:
    """Return d below and above, D in the middle, and A R, per current density (ohm m2). Collective."""
    solved = problem.solver.solve(problem.drive(voltage=1.0))
    density = solved.currents["bottom"] / problem.domain.area
    fields = dict(zip(problem.system.fields, solved.fields, strict=True))
    differences = _differences(problem, problem.stack, fields, layer, process)
    return np.array([*differences, 1.0]) / density


def _differences(
    problem: TransportProblem, stack: Stack, fields: Mapping[str, fem.Function], layer: str, process: str
) -> tuple[float, float, float]:
    """Return d below and above, and D in the middle (V). Collective."""
    weights = problem.system.vector(_weights(problem, stack, layer, process))
    low, high = problem.domain.region_extent(layer)
    points = problem.domain.axis(np.array([low, (low + high) / 2, high]))
    values = weights @ sample(list(fields.values()), problem.domain, points, layer)
    below, middle, above = (float(x) for x in values)
    continued = {k for k, (contact, touched) in problem.contacts.items() if touched == layer and contact.spin == "lead"}
    if continued:
        middle = 0.0
    return (
        0.0 if "bottom" in continued else below - middle,
        0.0 if "top" in continued else above - middle,
        middle,
    )


def _weights(problem: TransportProblem, stack: Stack, layer: str, process: str) -> dict[str, float]:
    """Return D of a magnet, its own majority less its minority, as weights over the fields."""
    require_process(process)
    _require_magnet(stack, layer)
    if process == "s-d":
        return channel_weights(problem, stack, layer, lambda minority: {minority: 1.0, "d_down": -1.0})
    # The vector model's accumulation is along each magnet, the others' along the common axis.
    sign = 1 if isinstance(problem.model, Vector) else sign_along(stack[layer], common_axis(stack))
    return {f: sign * x for f, x in problem.model.accumulation(stack, layer).items()}


def channel_weights(
    problem: TransportProblem, stack: Stack, layer: str, of: Callable[[str], dict[str, float]]
) -> dict[str, float]:
    """Return a combination of the channels of a magnet with d electrons as weights over the fields.

    Parameters
    ----------
    problem
        Problem with three or four channels.
    stack
        The device's layers, in which the magnet points up or down.
    layer
        The magnet.
    of
        Function that takes the name of the magnet's s minority, "up" or "down", and returns weights by channel.

    Raises
    ------
    ModelError
        If there is no d channel.
    """
    magnet, channels = stack[layer], problem.model.channels
    if magnet.material.bands is None or "d_down" not in channels.names:
        raise ModelError(f"layer '{layer}' has no d channels; solve with three or four")
    minority = ("up", "down")[sign_along(magnet, common_axis(stack)) > 0]
    return dict(channels.combination(of(minority)))


# ---- what is refused
def _crosses(cross: Cross) -> tuple[float, float]:
    """Return l_f below and above."""
    both = cross if isinstance(cross, tuple) else (cross, cross)
    if len(both) != 2:
        raise InputError(f"spin transfer: cross is {cross!r}; it must be one number, or (below, above)")
    for x in both:
        _require_finite("cross", x)
    return both


def _require_magnet(stack: Stack, layer: str) -> None:
    if stack[layer].direction is None:
        raise InputError(f"layer '{layer}' is no uniform ferromagnet; chi is of one")


def _require_finite(key: str, value: float) -> None:
    if not is_finite(value):
        raise InputError(f"spin transfer: {key} is {value!r}; it must be a finite number")
