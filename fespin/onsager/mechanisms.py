"""Mechanisms, couplings and state laws: the terms of which declarations are made.

:mod:`fespin.onsager.declaration` says how they are put together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError, nearest
from ..quantities import Direction

type Side = tuple[int, str]
"""A field on one side of an interface: (0 | 1, name of the field)."""

ANY_DIRECTION: Direction = (0.48, 0.6, 0.64)
"""Stands for all directions, with no component zero, where only names and patterns matter."""

type Destination = Literal["lattice", "magnet", "lead"]
"""Receiver of the angular momentum that a mechanism takes from the spins and does not pass on."""

DESTINATIONS: tuple[Destination, ...] = ("lattice", "magnet", "lead")

type Array = NDArray[np.float64]

type Square = tuple[Direction, Direction, Direction]
"""A 3 x 3 matrix over the axes of space, by rows."""


@dataclass(frozen=True)
class Along:
    """Component of a field's gradient along a direction of space, as a key of the weights of conduction.

    The axes of space are those of the declaration, z the stacking direction: a line has z alone, a section x and z.

    Attributes
    ----------
    field
        Name of the field.
    direction
        Unit vector.

    Raises
    ------
    ModelError
        If the direction is not three numbers of length one.

    Examples
    --------
    A conductivity of 2e6 S/m along x and of none across it:

    >>> from fespin.onsager import Along, Mechanism
    >>> Mechanism("chains", 2e6, {Along("c", (1.0, 0.0, 0.0)): 1.0}).directed
    True
    """

    field: str
    direction: Direction

    def __post_init__(self) -> None:
        object.__setattr__(self, "direction", tuple(map(float, self.direction)))
        if len(self.direction) != 3 or not abs(math.hypot(*self.direction) - 1) < 1e-9:
            raise ModelError(f"the direction of a gradient of '{self.field}' is {self.direction}; need a unit vector")


@dataclass(frozen=True)
class Mechanism[K: Hashable]:
    """One dissipative mechanism: force ``sum(weights * potentials)``, power ``coefficient * force**2``.

    Attributes
    ----------
    name
        Key of its power in reports; mechanisms of one name are added up.
    coefficient
        Flux over force (S/m for conduction, S/m3 for reactions, S/m2 at interfaces and contacts).
    weights
        Weight of each field in the force, without unit. Of conduction either all over fields (whole gradients) or all
        over :class:`Along` (components, which make one scalar force).
    destination
        Receiver of the angular momentum that the mechanism takes from the spins. "magnet": the magnet of the region;
        at an interface the weights then lie on one side and the magnet on the *other*. Such a mechanism makes torque,
        and acts on the spins relative to a magnet that turns. "lattice" and "lead": nothing is turned.
    held
        At interfaces, weights over what the magnets of both sides hold while they turn: (side, field) stands for the
        part of that field which a magnet with the angular velocity w has in (hbar/2e) w across its magnetization. The
        force is the sum over `weights` and `held`, and the flux times these weights is what the magnets give, so that
        the mechanism makes torque on both sides. For barriers whose magnets absorb what comes through.

    Raises
    ------
    ModelError
        If the coefficient is negative or not finite, so that it would not dissipate, the destination is unknown, or
        weights over whole gradients and over components are mixed.

    Examples
    --------
    >>> from fespin.onsager import Mechanism
    >>> flip = Mechanism("spin flip", 2e22, {"up": 1.0, "down": -1.0})
    >>> flip.coefficient * (1e-6 - 0.5e-6) ** 2  # W/m3 of potentials that differ by 0.5 uV
    5000000000.0
    >>> Mechanism("ohm", -1e7, {"phi": 1.0})
    Traceback (most recent call last):
        ...
    fespin.errors.ModelError: mechanism 'ohm' has the coefficient -1e+07; it must be finite and not...
    """

    name: str
    coefficient: float
    weights: Mapping[K, float]
    destination: Destination = "lattice"
    held: Mapping[K, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_destination(self.name, self.destination)
        if self.held and self.destination != "lattice":
            raise ModelError(f"mechanism '{self.name}' has a destination and held weights; give one of them")
        if self.directed and not all(isinstance(k, Along) for k in self.weights):
            raise ModelError(f"mechanism '{self.name}' mixes whole gradients and components; make two mechanisms")
        if not (math.isfinite(self.coefficient) and self.coefficient >= 0):
            raise ModelError(
                f"mechanism '{self.name}' has the coefficient {self.coefficient:g}; "
                "it must be finite and not negative, or it would not dissipate"
            )
        if not self.weights or not all(map(math.isfinite, self.weights.values())):
            raise ModelError(f"mechanism '{self.name}' needs finite weights, found {dict(self.weights)}")

    @property
    def directed(self) -> bool:
        """True if the force is made of components of gradients."""
        return any(isinstance(k, Along) for k in self.weights)


@dataclass(frozen=True)
class Reversible[K: Hashable]:
    """A coupling without dissipation: ``+value`` at (row, column), ``-value`` at (column, row).

    Attributes
    ----------
    name
        Key in messages.
    row, column
        Two different fields, at an interface with their sides.
    value
        Flux of `row` per potential of `column` (units of the coefficient of a :class:`Mechanism` there).
    destination
        Receiver of angular momentum, as in :class:`Mechanism`.

    Examples
    --------
    >>> from fespin.onsager import Mechanism, Medium, Reversible
    >>> turn = Reversible("precession", row="x", column="y", value=1e20)
    >>> spins = tuple(Mechanism(f"spin {f}", 5e7, {f: 1.0}) for f in "xy")
    >>> sorted(Medium(conduction=spins, reversible=(turn,)).fields)
    ['x', 'y']
    """

    name: str
    row: K
    column: K
    value: float
    destination: Destination = "lattice"

    def __post_init__(self) -> None:
        _check_destination(self.name, self.destination)


def _check_destination(name: str, destination: str) -> None:
    if destination not in DESTINATIONS:
        raise ModelError(f"the destination of '{name}' is '{destination}'; {nearest(destination, DESTINATIONS)}")


@dataclass(frozen=True)
class GradientCoupling:
    """Fluxes of two fields that drive each other without dissipation: the Hall effects.

    ``-J_row = matrix . grad column`` and, its Onsager partner, ``-J_column = -matrix^T . grad row``. The power of the
    two cancels at every point, whatever the matrix. In a uniform medium an antisymmetric matrix, such as that of a
    Hall effect, drives nothing inside: it acts through boundaries, and where it changes.

    Attributes
    ----------
    name
        Key in messages.
    row, column
        Two fields, or one field twice; the charge field, too, since only differences enter.
    matrix
        Over the axes x, y, z of space, by rows (S/m). Of one field with itself, antisymmetric: the ordinary and the
        anomalous Hall effect.

    Raises
    ------
    ModelError
        If the matrix is not finite and 3 x 3, or of one field with itself and not antisymmetric.

    Examples
    --------
    Gradients of s drive c across them in the plane of x and y, and those of c drive s:

    >>> from fespin.onsager import GradientCoupling
    >>> GradientCoupling("Hall", "c", "s", ((0, -2e5, 0), (2e5, 0, 0), (0, 0, 0))).row
    'c'
    """

    name: str
    row: str
    column: str
    matrix: Square

    def __post_init__(self) -> None:
        if np.shape(self.matrix) != (3, 3) or not np.isfinite(np.asarray(self.matrix, dtype=float)).all():
            raise ModelError(f"'{self.name}' couples '{self.row}' and '{self.column}' by {self.matrix}; need 3 x 3")
        matrix = np.asarray(self.matrix, dtype=float)
        if self.row == self.column and (matrix != -matrix.T).any():
            raise ModelError(
                f"'{self.name}' couples '{self.row}' with itself by a matrix that is not antisymmetric: use a mechanism"
            )
        object.__setattr__(self, "matrix", tuple(tuple(map(float, row)) for row in self.matrix))


type Expressions[K] = Mapping[K, Any]
"""Expressions of the form language (UFL) by key."""


@dataclass(frozen=True)
class StateLaw[K: Hashable]:
    """A law whose coefficient follows the local fields, in the place of the mechanism of the same name.

    That mechanism is its linear part at rest: fields exist where it names them, Newton's method starts from its
    solution, and alternating drives and transients are those of the linear part.

    Attributes
    ----------
    name
        Name of the mechanism that is replaced.
    weights
        Weights of the force over fields, at interfaces over (side, field), with conjugate potentials over these; or a
        function (at, p) of the state and the parameters that returns them.
    coefficient
        Function (at, p) that returns the coefficient as an expression: ``at`` has the local fields by the same keys,
        ``p`` the parameters by name. A function of a module, so that a kind of law is known again and compiled once.
    parameters
        Numbers of this place.
    gradients
        True if forces are gradients: conduction. Else they are values: reactions, interfaces and leads.

    Examples
    --------
    A barrier with G = G0 (1 + (V/V_h)^2), V the step of the potential:

    >>> from fespin.onsager import StateLaw
    >>> def conductance(at, p):
    ...     return p["G0"] * (1 + ((at[0, "c"] - at[1, "c"]) / p["V_h"]) ** 2)
    >>> jump = {(0, "c"): 1.0, (1, "c"): -1.0}
    >>> law = StateLaw("barrier", jump, conductance, {"G0": 1e11, "V_h": 0.3})
    >>> law.coefficient({(0, "c"): 0.3, (1, "c"): 0.0}, law.parameters)
    200000000000.0
    """

    name: str
    weights: Mapping[K, float] | Callable[[Expressions[K], Expressions[str]], Expressions[K]]
    coefficient: Callable[[Expressions[K], Expressions[str]], Any]
    parameters: Mapping[str, float] = field(default_factory=dict)
    gradients: bool = False

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, self.parameters.values())):
            raise ModelError(f"state law '{self.name}' has the parameters {dict(self.parameters)}; they must be finite")

    @property
    def kind(self) -> Hashable:
        """Key of all laws that differ by parameters only."""
        weights = self.weights if callable(self.weights) else tuple(self.weights.items())
        return (self.name, weights, self.coefficient, tuple(self.parameters), self.gradients)

    def flipped(self) -> StateLaw[Any]:
        """Return the same law of an interface seen with the sides exchanged."""
        own: Any = self.weights
        weights: Any = _Flipped(own, True) if callable(own) else {(1 - side, f): w for (side, f), w in own.items()}
        coefficient: Any = _Flipped(self.coefficient)
        return StateLaw(self.name, weights, coefficient, self.parameters, self.gradients)


@dataclass(frozen=True)
class JumpLaw:
    """Mechanisms of an interface whose coefficients follow one voltage, as numbers rather than expressions.

    Their coefficients at rest are those of the mechanisms that it replaces; Newton's method starts from these. Forms
    are not needed, so that tables and functions of the user serve as well as formulas.

    Attributes
    ----------
    name
        Name of the mechanisms that are replaced: all of an interface with this name.
    voltage
        Weights of the voltage V over (side, field).
    coefficients
        Function of V (any shape) that returns the coefficients of the mechanisms in their order, (mechanisms, ...),
        and their slopes d/dV; none may be negative.

    Examples
    --------
    A barrier with G = G0 (1 + (V/V_h)^2):

    >>> from fespin.onsager import JumpLaw
    >>> def conductance(v):
    ...     return 1e11 * (1 + (v / 0.3) ** 2)[None], (2e11 * v / 0.3**2)[None]
    >>> law = JumpLaw("barrier", {(0, "c"): 1.0, (1, "c"): -1.0}, conductance)
    >>> float(law.coefficients(np.array(0.3))[0][0])
    200000000000.0
    """

    name: str
    voltage: Mapping[Side, float]
    coefficients: Callable[[Array], tuple[Array, Array]]

    def flipped(self) -> JumpLaw:
        """Return the same law seen with the sides exchanged."""
        return JumpLaw(self.name, {(1 - side, f): w for (side, f), w in self.voltage.items()}, self.coefficients)


@dataclass(frozen=True)
class _Flipped:
    """A function of both sides of an interface, with the sides exchanged."""

    function: Callable[[Any, Any], Any]
    keyed: bool = False

    def __call__(self, at: Expressions[Side], p: Expressions[str]) -> Any:
        other = {(1 - side, f): x for (side, f), x in at.items()}
        value = self.function(other, p)
        return {(1 - side, f): x for (side, f), x in value.items()} if self.keyed else value


@dataclass(frozen=True)
class Conjugates:
    """Potentials conjugate to the fluxes where these are not the fields: entropic variables, such as 1/T.

    Attributes
    ----------
    potentials
        Function of the fields at a point (expressions by name) that returns the potentials by name.
    tests
        Function of the fields and a test function v: per field the directions of the potentials, by name, with which
        its balance is tested. Its total at a contact is then the flux that the contact imposes.
    work
        Function of the fields: the direction of the potentials along which a flux does electrical work.
    parameters
        Numbers by name. If there are any, the functions take their expressions as the last argument, so that devices
        that differ by these numbers are compiled once.

    Examples
    --------
    >>> from fespin.onsager import Conjugates
    >>> def inverse_temperature(w):  # of a field that counts from 300 K
    ...     return {"energy": 1 / (300.0 + w["theta"])}
    >>> heat = Conjugates(inverse_temperature, tests=lambda w, v: {"theta": {"energy": -v}}, work=lambda w: {})
    >>> print(f"{heat.potentials({'theta': 20.0})['energy']:.4e}")
    3.1250e-03
    """

    potentials: Callable[..., Expressions[str]]
    tests: Callable[..., Mapping[str, Expressions[str]]]
    work: Callable[..., Expressions[str]]
    parameters: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, self.parameters.values())):
            raise ModelError(f"conjugates have the parameters {dict(self.parameters)}; they must be finite")

    @property
    def key(self) -> Hashable:
        """Key of conjugates that are the same, numbers included."""
        return (self.potentials, self.tests, self.work, tuple(self.parameters.items()))

    def with_parameters(self, make: Callable[[float], Any]) -> Conjugates:
        """Return conjugates whose functions take no parameters: these are bound to what is made of each number."""
        if not self.parameters:
            return self
        p = {k: make(x) for k, x in self.parameters.items()}
        return Conjugates(lambda w: self.potentials(w, p), lambda w, v: self.tests(w, v, p), lambda w: self.work(w, p))


def remaining[K: Hashable](
    mechanisms: Sequence[Mechanism[K]], state: Sequence[StateLaw[Any] | JumpLaw]
) -> tuple[Mechanism[K], ...]:
    """Return the mechanisms that no state law replaces."""
    replaced = {law.name for law in state}
    return tuple(m for m in mechanisms if m.name not in replaced)


def field_of(key: str | Along) -> str:
    """Return the field of a weight of conduction."""
    return key.field if isinstance(key, Along) else key
