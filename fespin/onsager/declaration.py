"""Declarations of models: forces, coefficients, and the power they dissipate.

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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ModelError, nearest
from ..quantities import Direction, direction
from .mechanisms import (
    ANY_DIRECTION,
    DESTINATIONS,
    Along,
    Array,
    Conjugates,
    Destination,
    Expressions,
    GradientCoupling,
    JumpLaw,
    Mechanism,
    Reversible,
    Side,
    Square,
    StateLaw,
    field_of,
    remaining,
)

__all__ = [
    "ANY_DIRECTION",
    "DESTINATIONS",
    "Along",
    "Array",
    "Conjugates",
    "ContactLaw",
    "Declaration",
    "Destination",
    "Direction",
    "Expressions",
    "GradientCoupling",
    "InterfaceLaw",
    "JumpLaw",
    "Mechanism",
    "Medium",
    "Port",
    "Reversible",
    "Side",
    "Square",
    "StateLaw",
    "ThermalField",
    "Varying",
    "field_of",
    "remaining",
]

type Port = tuple[str, str]
"""Where a potential or a total flux is imposed: (contact, field)."""


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
    state
        Laws that follow the state, in the place of conduction and reactions of their names.

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
    state: tuple[StateLaw[str], ...] = ()

    @property
    def fields(self) -> frozenset[str]:
        """Names of the fields that live in the region."""
        return frozenset(field_of(k) for m in self.conduction for k in m.weights)

    @property
    def directed(self) -> bool:
        """True where directions of space matter in the region."""
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


@dataclass(frozen=True)
class InterfaceLaw:
    """Law of an interface between two regions, side 0 and side 1.

    Fields in `perfect` are continuous. Fields in neither `perfect` nor a
    mechanism are insulated. Laws in `state` and `jumps` replace the mechanisms
    of their names.

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
    state: tuple[StateLaw[Side], ...] = ()
    jumps: tuple[JumpLaw, ...] = ()

    @property
    def replacing(self) -> tuple[StateLaw[Side] | JumpLaw, ...]:
        """The laws that follow the state, in the place of mechanisms."""
        return (*self.state, *self.jumps)

    def flipped(self) -> InterfaceLaw:
        """Return the same law seen with the sides exchanged."""

        def other(weights: Mapping[Side, float]) -> dict[Side, float]:
            return {(1 - side, f): w for (side, f), w in weights.items()}

        return InterfaceLaw(
            tuple(replace(m, weights=other(m.weights), held=other(m.held)) for m in self.mechanisms),
            self.perfect,
            tuple(
                replace(r, row=(1 - r.row[0], r.row[1]), column=(1 - r.column[0], r.column[1])) for r in self.reversible
            ),
            tuple(x.flipped() for x in self.state),
            tuple(x.flipped() for x in self.jumps),
        )


@dataclass(frozen=True)
class ContactLaw:
    """Conditions at a contact: ``sum(potential * fields) = V`` and ``grounded`` fields zero.

    The first field of `potential` is the charge field, with weight 1; the flux
    conjugate to it is the current. `further` holds the same for other conserved
    quantities, such as heat. `mechanisms` dissipate in the lead behind the
    contact (W/m2), `reversible` couplings there do not. `normal` is the
    direction in which a lead goes on. Laws in `state` replace mechanisms.

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
    state: tuple[StateLaw[str], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "normal", direction(self.normal, "contact law", "normal"))
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
        Name of the field.
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
    conjugates
        Potentials that make the forces of state laws; None: the fields.
    admissible
        Function of a region and the nodal values of the fields there, by name: None where a solution is allowed, else
        what is wrong with it.

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
    conjugates: Conjugates | None = None
    admissible: Callable[[str, Mapping[str, Array]], str | None] | None = None

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
        self._check_state_laws()
        self._check_applied()
        self._check_conservation()

    def _check_applied(self) -> None:
        """Refuse given forces on unknown fields, and those that are not three numbers."""
        for f, vector in self.applied.items():
            if f not in self.fields:
                raise ModelError(f"applied: there is no field '{f}'; {nearest(f, self.fields)}")
            if np.shape(vector) != (3,) or not np.isfinite(np.asarray(vector, dtype=float)).all():
                raise ModelError(f"applied: the force on '{f}' is {vector}; it must be three finite numbers")

    def _check_conservation(self) -> None:
        """Refuse what depends on a conserved quantity's field otherwise than by differences."""
        charges = {c.charge for c in self.contacts.values()}
        for charge in sorted(self._driven):
            for place, x in self.media.items():
                # Heat is stored, charge is not.
                stored = x.storage if charge in charges else ()
                terms = [(m.name, m.weights) for m in (*x.reactions, *stored)]
                for name, weights in (*terms, *_constant_weights(x.state)):
                    if weights.get(charge):
                        raise ModelError(
                            f"'{name}' in '{place}' depends on '{charge}' itself, not on differences: "
                            "charge would not be conserved"
                        )
            for pair, law in self.laws.items():
                faces = [(m.name, m.weights) for m in law.mechanisms]
                for name, sides in (*faces, *_constant_weights(law.state)):
                    if abs(sides.get((0, charge), 0.0) + sides.get((1, charge), 0.0)) > 1e-12:
                        raise ModelError(
                            f"interface mechanism '{name}' between '{pair[0]}' and '{pair[1]}' does not depend "
                            f"on the jump of '{charge}' alone: charge would not be conserved"
                        )

    @property
    def nonlinear(self) -> bool:
        """True if a law follows the state."""
        of_regions = any(x.state for x in self.media.values())
        return (
            of_regions or any(x.replacing for x in self.laws.values()) or any(x.state for x in self.contacts.values())
        )

    def _check_state_laws(self) -> None:
        """Refuse state laws that replace nothing, or stand where they cannot."""
        places: list[tuple[str, str, Sequence[StateLaw[Any]], Sequence[Mechanism[Any]]]] = [
            *((r, f"in '{r}'", m.state, (*m.conduction, *m.reactions)) for r, m in self.media.items()),
            *(("", f"at '{'|'.join(p)}'", x.state, x.mechanisms) for p, x in self.laws.items()),
            *(("", f"at contact '{k}'", c.state, c.mechanisms) for k, c in self.contacts.items()),
        ]
        for place, where, laws, mechanisms in places:
            names = {m.name for m in mechanisms}
            for law in laws:
                if law.name not in names:
                    raise ModelError(
                        f"the state law '{law.name}' {where} replaces no mechanism; {nearest(law.name, names)}"
                    )
                if any(m.name == law.name and m.destination == "magnet" for m in mechanisms):
                    raise ModelError(
                        f"the state law '{law.name}' {where} replaces a mechanism that gives to a magnet; torques are "
                        "known of linear mechanisms only"
                    )
            conduction = self.media[place].conduction if place in self.media else ()
            _check_replaced(where, laws, conduction, [m for m in mechanisms if not any(m is c for c in conduction)])
            if self.conjugates is not None and remaining(mechanisms, laws):
                other = remaining(mechanisms, laws)[0].name
                raise ModelError(f"'{other}' {where} is no state law, but forces are those of conjugate potentials")
        for pair, law_there in self.laws.items():
            names = {m.name for m in law_there.mechanisms}
            for jump in law_there.jumps:
                if jump.name not in names:
                    raise ModelError(
                        f"the law '{jump.name}' at '{'|'.join(pair)}' replaces no mechanism; "
                        f"{nearest(jump.name, names)}"
                    )
        for pair in self.varying_laws:
            if self.law(pair).replacing:
                raise ModelError(
                    f"the interface '{'|'.join(pair)}' has state laws, and follows a magnetization that varies; "
                    "it may have one of them"
                )
        for r, medium in self.media.items():
            if medium.state and r in self.varying:
                raise ModelError(f"region '{r}' has state laws, and its magnetization varies; it may have one of them")
            if medium.state and self.applied:
                raise ModelError(f"region '{r}' has state laws; forces can be given to linear regions only")

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


def _check_replaced(
    where: str,
    laws: Sequence[StateLaw[Any]],
    conduction: Sequence[Mechanism[Any]],
    others: Sequence[Mechanism[Any]],
) -> None:
    """Refuse laws of another kind or number than the mechanisms of their name, all of which they replace."""
    for law in laws:
        if law.gradients and not conduction and where.startswith("at "):
            raise ModelError(f"the state law '{law.name}' {where} has gradients; forces are values there")
        for gradients, what, mechanisms in ((True, "conduction", conduction), (False, "driven by values", others)):
            replaced = sum(m.name == law.name for m in mechanisms)
            given = sum(x.name == law.name and x.gradients == gradients for x in laws)
            if given != replaced:
                raise ModelError(
                    f"'{law.name}' {where}: {given} state laws with gradients={gradients} replace {replaced} "
                    f"mechanisms ({what}); give one law for each of them"
                )


def _constant_weights(laws: Sequence[StateLaw[Any]]) -> list[tuple[str, Mapping[Any, float]]]:
    """Return names and weights of laws driven by values; weights that follow the state are the model's own affair."""
    return [(x.name, x.weights) for x in laws if not (x.gradients or callable(x.weights))]
