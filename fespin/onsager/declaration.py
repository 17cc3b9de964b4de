"""What a model declares: forces, coefficients, and the power they dissipate.

A :class:`Mechanism` is one way to dissipate. Its force is a weighted sum of the
potentials, its flux is ``coefficient * force`` and the power it dissipates is
``coefficient * force**2``::

    conduction     force = sum_i w_i grad phi_i                 coefficient in S/m
      or           force = sum_i w_i d_i . grad phi_i           with weights over Along(field, direction d_i)
    reaction       force = sum_i w_i phi_i                      coefficient in S/m3
    storage        as a reaction, acting on d/dt                coefficient in F/m3
    interface      force = sum_i w_i phi_i over both sides      coefficient in S/m2
    lead           force = sum_i w_i phi_i at a contact         coefficient in S/m2

Any symmetric positive matrix is a sum of such rank-one terms
(:func:`fespin.onsager.matrices.mechanisms_of`). Couplings that dissipate nothing are declared next to
them as antisymmetric entries (``reversible``; between gradients ``crossed``),
and drop out of the power identically. Nothing here knows about meshes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ModelError, nearest

type Side = tuple[int, str]
"""A field on one side of an interface: (0 | 1, name of the field)."""

type Direction = tuple[float, float, float]
"""Components of a unit vector."""

ANY_DIRECTION: Direction = (0.48, 0.6, 0.64)
"""Stands for all directions, with no component zero, where only names and patterns matter."""

type Destination = Literal["lattice", "magnet", "lead"]
"""Receiver of the angular momentum that a mechanism takes from the spins and does not pass on."""

DESTINATIONS: tuple[Destination, ...] = ("lattice", "magnet", "lead")

type Square = tuple[Direction, Direction, Direction]
"""A 3 x 3 matrix over the axes of space, by rows."""

type Port = tuple[str, str]
"""Where a potential or a total flux is imposed: (contact, field)."""


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

    def __post_init__(self) -> None:
        _check_destination(self.name, self.destination)
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
        """Whether the force is made of components of gradients."""
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
        Two different fields; either may be the charge field, since only differences enter.
    matrix
        Over the axes x, y, z of space, by rows (S/m).

    Raises
    ------
    ModelError
        If the fields are the same, or the matrix is not finite and 3 x 3.

    Examples
    --------
    In an oblique magnetization, J_c gains an anomalous Hall current through s, and J_s the inverse:

    >>> from fespin.onsager import GradientCoupling
    >>> GradientCoupling("Hall", "c", "s", ((0, -2e5, 0), (2e5, 0, 0), (0, 0, 0))).row
    'c'
    """

    name: str
    row: str
    column: str
    matrix: Square

    def __post_init__(self) -> None:
        if self.row == self.column:
            raise ModelError(f"'{self.name}' couples '{self.row}' with itself; it needs two fields")
        if np.shape(self.matrix) != (3, 3) or not np.isfinite(np.asarray(self.matrix, dtype=float)).all():
            raise ModelError(f"'{self.name}' couples '{self.row}' and '{self.column}' by {self.matrix}; need 3 x 3")
        object.__setattr__(self, "matrix", tuple(tuple(map(float, row)) for row in self.matrix))


@dataclass(frozen=True)
class Medium:
    """Processes inside a region. A field that no conduction mentions is absent from the region.

    Attributes
    ----------
    conduction
        Mechanisms driven by gradients (S/m).
    reactions
        Mechanisms driven by potentials (S/m3).
    storage
        Mechanisms driven by rates of change (F/m3).
    reversible
        Couplings of potentials without dissipation (S/m3).
    crossed
        Couplings of gradients without dissipation (S/m).

    Examples
    --------
    >>> from fespin.onsager import Mechanism, Medium
    >>> channels = tuple(Mechanism(x, 2.5e7, {x: 1.0}) for x in ("up", "down"))
    >>> copper = Medium(channels, reactions=(Mechanism("spin flip", 2e20, {"up": 1.0, "down": -1.0}),))
    >>> sorted(copper.fields)
    ['down', 'up']
    """

    conduction: tuple[Mechanism[Any], ...] = ()
    reactions: tuple[Mechanism[str], ...] = ()
    storage: tuple[Mechanism[str], ...] = ()
    reversible: tuple[Reversible[str], ...] = ()
    crossed: tuple[GradientCoupling, ...] = ()

    @property
    def fields(self) -> frozenset[str]:
        """Names of the fields that live in the region."""
        return frozenset(field_of(k) for m in self.conduction for k in m.weights)

    @property
    def directed(self) -> bool:
        """Whether directions of space matter in the region."""
        return bool(self.crossed) or any(m.directed for m in self.conduction)

    def along(self, normal: Direction) -> tuple[Mechanism[str], ...]:
        """Return the conduction of gradients that all are along one direction (a unit vector)."""

        def projected(m: Mechanism[Any]) -> Mechanism[str]:
            if not m.directed:
                return m
            weights: dict[str, float] = {}
            for k, w in m.weights.items():
                weights[k.field] = weights.get(k.field, 0.0) + w * float(np.dot(k.direction, normal))
            return replace(m, weights=weights)

        return tuple(map(projected, self.conduction))


def field_of(key: str | Along) -> str:
    """Return the field of a weight of conduction."""
    return key.field if isinstance(key, Along) else key


@dataclass(frozen=True)
class InterfaceLaw:
    """What happens between two regions, side 0 and side 1.

    Fields in `perfect` are continuous. Fields in neither `perfect` nor a
    mechanism are insulated.

    Examples
    --------
    >>> from fespin.onsager import InterfaceLaw, Mechanism
    >>> law = InterfaceLaw((Mechanism("barrier", 1e15, {(0, "phi"): 1.0, (1, "phi"): -1.0}),))
    >>> law.flipped().mechanisms[0].weights
    {(1, 'phi'): 1.0, (0, 'phi'): -1.0}
    """

    mechanisms: tuple[Mechanism[Side], ...] = ()
    perfect: frozenset[str] = frozenset()
    reversible: tuple[Reversible[Side], ...] = ()

    def flipped(self) -> InterfaceLaw:
        """Return the same law seen with the sides exchanged."""

        def other(side: Side) -> Side:
            return (1 - side[0], side[1])

        return InterfaceLaw(
            tuple(replace(m, weights={other(k): w for k, w in m.weights.items()}) for m in self.mechanisms),
            self.perfect,
            tuple(replace(r, row=other(r.row), column=other(r.column)) for r in self.reversible),
        )


@dataclass(frozen=True)
class ContactLaw:
    """What a contact imposes: ``sum(potential * fields) = V`` and ``grounded`` fields zero.

    The first field of `potential` is the charge field, with weight 1; the flux
    conjugate to it is the current. `further` holds the same for other conserved
    quantities, such as heat. `mechanisms` dissipate in the lead behind the
    contact (W/m2), `reversible` couplings there do not. `normal` is the
    direction in which a lead goes on.

    Examples
    --------
    >>> from fespin.onsager import ContactLaw
    >>> reservoir = ContactLaw({"c": 1.0}, grounded=("s",))
    >>> reservoir.charge
    'c'
    >>> lead = ContactLaw({"c": 1.0, "s": 0.46})  # c + 0.46 s is the lead's voltage
    """

    potential: Mapping[str, float]
    grounded: tuple[str, ...] = ()
    mechanisms: tuple[Mechanism[str], ...] = ()
    reversible: tuple[Reversible[str], ...] = ()
    further: tuple[Mapping[str, float], ...] = ()
    normal: Direction = (0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        for p in self.potentials:
            if next(iter(p.values()), None) != 1.0:
                raise ModelError(f"a contact's first weight must be 1 (the charge field), found {dict(p)}")
            if set(p) & set(self.imposed_fields) - {next(iter(p))}:
                raise ModelError(f"a contact's potential {dict(p)} mixes fields that are driven one by one")

    @property
    def potentials(self) -> tuple[Mapping[str, float], ...]:
        """All combinations of fields that the contact drives, the charge's first."""
        return (self.potential, *self.further)

    @property
    def imposed_fields(self) -> tuple[str, ...]:
        """The fields whose conjugate fluxes enter through the contact as totals, the charge field first."""
        return tuple(next(iter(p), "") for p in self.potentials)

    @property
    def charge(self) -> str:
        """The field whose conjugate flux is the contact's current."""
        return next(iter(self.potential))


@dataclass(frozen=True)
class ThermalField:
    """The field that stands for temperature: field = scale (T - reference), so its flux is Q/(reference scale).

    Attributes
    ----------
    field
        Its name.
    reference
        Temperature about which the model is linear (K).
    scale
        V/K: makes the field a voltage, of the size of the others.
    """

    field: str
    reference: float
    scale: float

    def __post_init__(self) -> None:
        if not (0 < self.reference < math.inf and 0 < self.scale < math.inf):
            raise ModelError(f"temperature: the reference is {self.reference!r} K; it must be finite and positive")


@dataclass(frozen=True)
class Varying:
    """A region whose magnetization varies: its coefficients as functions of the direction.

    In the weak form m(x) is evaluated at quadrature points, at interfaces in the middle of facets.

    Attributes
    ----------
    magnetization
        m(x): takes points (3, n) in m, returns directions (3, n) of any length.
    medium
        The medium of a uniform magnet; its coefficients are at most quadratic in the direction.
    laws
        The interface laws that depend on the direction, by the pairs of the domain.

    Examples
    --------
    >>> from fespin.onsager import Mechanism, Medium, Varying
    >>> def medium(u):  # less conduction along the magnetization
    ...     return Medium(conduction=(Mechanism("ohm", 5e6 * (1 - 0.02 * u[2] ** 2), {"phi": 1.0}),))
    >>> def turning(x):  # by a quarter over 100 nm
    ...     angle = np.pi / 2 * x[0] / 100e-9
    ...     return np.array([np.sin(angle), 0 * angle, np.cos(angle)])
    >>> magnet = Varying(turning, medium)
    >>> print(f"{magnet.medium((0.0, 0.0, 1.0)).conduction[0].coefficient:.2e}")
    4.90e+06
    """

    magnetization: Callable[[NDArray[np.float64]], ArrayLike]
    medium: Callable[[Direction], Medium]
    laws: Mapping[tuple[str, str], Callable[[Direction], InterfaceLaw]] = field(default_factory=dict)


@dataclass(frozen=True)
class Declaration:
    """A model applied to a device: what dissipates, where. Everything a weak form needs.

    Attributes
    ----------
    fields
        Names of the unknown potentials.
    media
        One :class:`Medium` per region.
    laws
        One :class:`InterfaceLaw` per pair of touching regions; a pair that is
        not listed is a perfect contact for all fields.
    contacts
        One :class:`ContactLaw` per contact.
    thermal
        Which field is temperature, if one is.
    varying
        Regions whose magnetization varies. Their media and laws above are those of any one direction.
    applied
        Given forces: per field minus a gradient that is the same everywhere, (x, y, z), such as an electric field E in
        V/m. The whole gradient of a field is that of its unknown less what is applied. Only axes that the mesh does
        not have can be given: of a line, those in the plane of the layers.

    Raises
    ------
    ModelError
        If a mechanism names a field that is unknown or absent there, or depends on the charge
        field otherwise than by differences.

    Examples
    --------
    >>> from fespin.onsager import ContactLaw, Declaration, Mechanism, Medium
    >>> ohm = Medium(conduction=(Mechanism("ohm", 5e7, {"phi": 1.0}),))
    >>> ends = {name: ContactLaw({"phi": 1.0}) for name in ("bottom", "top")}
    >>> wire = Declaration(("phi",), {"wire": ohm}, contacts=ends)
    >>> wire.charge
    'phi'
    """

    fields: tuple[str, ...]
    media: Mapping[str, Medium]
    laws: Mapping[tuple[str, str], InterfaceLaw] = field(default_factory=dict)
    contacts: Mapping[str, ContactLaw] = field(default_factory=dict)
    thermal: ThermalField | None = None
    varying: Mapping[str, Varying] = field(default_factory=dict)
    applied: Mapping[str, Direction] = field(default_factory=dict)

    @property
    def varying_laws(self) -> dict[tuple[str, str], Callable[[Direction], InterfaceLaw]]:
        """The interface laws that depend on a direction."""
        return {p: law for t in self.varying.values() for p, law in t.laws.items()}

    @property
    def charge(self) -> str:
        """The charge field: that of the first contact."""
        return next(iter(self.contacts.values())).charge

    def __post_init__(self) -> None:
        self._check_names()
        self._check_contacts()
        for f, vector in self.applied.items():
            if f not in self.fields:
                raise ModelError(f"applied: there is no field '{f}'; {nearest(f, self.fields)}")
            if np.shape(vector) != (3,) or not np.isfinite(np.asarray(vector, dtype=float)).all():
                raise ModelError(f"applied: the force on '{f}' is {vector}; it must be three finite numbers")
        charges = {c.charge for c in self.contacts.values()}
        for charge in sorted(self._driven):
            for place, x in self.media.items():
                # Heat is stored, charge is not.
                for m in (*x.reactions, *(x.storage if charge in charges else ())):
                    if m.weights.get(charge):
                        raise ModelError(
                            f"'{m.name}' in '{place}' depends on '{charge}' itself, not on differences: "
                            "charge would not be conserved"
                        )
            for pair, face in ((p, m) for p, x in self.laws.items() for m in x.mechanisms):
                if abs(face.weights.get((0, charge), 0.0) + face.weights.get((1, charge), 0.0)) > 1e-12:
                    raise ModelError(
                        f"interface mechanism '{face.name}' between '{pair[0]}' and '{pair[1]}' does not depend "
                        f"on the jump of '{charge}' alone: charge would not be conserved"
                    )

    @property
    def _driven(self) -> frozenset[str]:
        """Fields of conserved quantities."""
        return frozenset(f for c in self.contacts.values() for f in c.imposed_fields)

    def _check_names(self) -> None:
        """Refuse mechanisms that name a field which is unknown or absent there."""
        for place, medium in self.media.items():
            for m in (*medium.reactions, *medium.storage):
                if m.directed:
                    raise ModelError(f"'{m.name}' in '{place}' has components of gradients, but is no conduction")
            for m in (*medium.conduction, *medium.reactions, *medium.storage):
                for f in map(field_of, m.weights):
                    if f not in self.fields:
                        raise ModelError(f"'{m.name}' in '{place}' names '{f}': {nearest(f, self.fields)}")
                    if f not in medium.fields:
                        raise ModelError(f"'{m.name}' in '{place}' acts on '{f}', which nothing conducts there")
            for c in medium.crossed:
                for f in (c.row, c.column):
                    if f not in self.fields:
                        raise ModelError(f"'{c.name}' in '{place}' names '{f}': {nearest(f, self.fields)}")
                    if f not in medium.fields:
                        raise ModelError(f"'{c.name}' in '{place}' acts on '{f}', which nothing conducts there")
            for turn in medium.reversible:
                self._check_reversible(turn, f"in '{place}'", medium.fields, (turn.row, turn.column))
        for pair, law in self.laws.items():
            at = f"at '{'|'.join(pair)}'"
            for f in sorted(law.perfect - set(self.fields)):
                raise ModelError(f"the law {at} names '{f}': {nearest(f, self.fields)}")
            for face in law.mechanisms:
                if face.destination == "magnet" and len({side for side, _ in face.weights}) > 1:
                    raise ModelError(f"'{face.name}' {at} gives to a magnet, but acts on both sides: which magnet?")
                for side, f in face.weights:
                    if f not in self.fields:
                        raise ModelError(f"'{face.name}' {at} names '{f}': {nearest(f, self.fields)}")
                    if f in law.perfect:
                        raise ModelError(f"'{face.name}' {at} acts on '{f}', which is continuous there")
                    if pair[side] in self.media and f not in self.media[pair[side]].fields:
                        raise ModelError(f"'{face.name}' {at} acts on '{f}' in '{pair[side]}', where it is absent")
            for coupling in law.reversible:
                if coupling.destination == "magnet" and coupling.row[0] != coupling.column[0]:
                    raise ModelError(f"'{coupling.name}' {at} gives to a magnet, but acts on both sides: which magnet?")
                for side, f in (coupling.row, coupling.column):
                    live = self.media[pair[side]].fields if pair[side] in self.media else frozenset(self.fields)
                    self._check_reversible(coupling, at, live, (f,))

    def _check_contacts(self) -> None:
        """Refuse contacts that name an unknown field, or act on one whose total flux they impose."""
        for k, contact in self.contacts.items():
            named = [f for p in contact.potentials for f in p]
            acting = [f for m in contact.mechanisms for f in m.weights]
            acting += [f for r in contact.reversible for f in (r.row, r.column)]
            for f in (*named, *contact.grounded, *acting):
                if f not in self.fields:
                    raise ModelError(f"contact '{k}' names '{f}': {nearest(f, self.fields)}")
            for f in acting:
                if f in contact.imposed_fields:
                    raise ModelError(
                        f"contact '{k}' acts on '{f}' itself: what it conducts there would not be conserved"
                    )

    def _check_reversible(self, turn: Reversible[Any], where: str, live: frozenset[str], names: Sequence[str]) -> None:
        """Refuse a reversible coupling of unknown or absent fields, of the charge, or of a field with itself."""
        charges = {c.charge for c in self.contacts.values()}
        for f in names:
            if f not in live:
                raise ModelError(f"'{turn.name}' {where} acts on '{f}', which nothing conducts there")
            if f in charges:
                raise ModelError(f"'{turn.name}' {where} acts on the charge field '{f}': charge would not be conserved")
        if turn.row == turn.column or not math.isfinite(turn.value):
            raise ModelError(
                f"'{turn.name}' {where} couples {turn.row} and {turn.column} by {turn.value}; need two, finite"
            )

    def law(self, pair: tuple[str, str]) -> InterfaceLaw:
        """Return the law between two regions, with side 0 on the first of them."""
        if pair in self.laws:
            return self.laws[pair]
        if pair[::-1] in self.laws:
            return self.laws[pair[::-1]].flipped()
        return InterfaceLaw(perfect=frozenset(self.fields))
