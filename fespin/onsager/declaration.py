"""What a model declares: forces, coefficients, and the power they dissipate.

A :class:`Mechanism` is one way to dissipate. Its force is a weighted sum of the
potentials, its flux is ``coefficient * force`` and the power it dissipates is
``coefficient * force**2``::

    conduction     force = sum_i w_i grad phi_i                 coefficient in S/m
    reaction       force = sum_i w_i phi_i                      coefficient in S/m3
    storage        as a reaction, acting on d/dt                coefficient in F/m3
    interface      force = sum_i w_i phi_i over both sides      coefficient in S/m2
    lead           force = sum_i w_i phi_i at a contact         coefficient in S/m2

Any symmetric positive matrix is a sum of such rank-one terms
(:func:`mechanisms_of`). Couplings that dissipate nothing are declared next to
them as antisymmetric entries (``reversible``), and drop out of the power
identically. Nothing here knows about meshes.
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

type Port = tuple[str, str]
"""Where a potential or a total flux is imposed: (contact, field)."""


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
        Weight of each field in the force, without unit.
    destination
        Receiver of the angular momentum that the mechanism takes from the spins. "magnet": the magnet of the region;
        at an interface the weights then lie on one side and the magnet on the *other*. Such a mechanism makes torque,
        and acts on the spins relative to a magnet that turns. "lattice" and "lead": nothing is turned.

    Raises
    ------
    ModelError
        If the coefficient is negative or not finite, so that it would not dissipate, or the destination is unknown.

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
        if not (math.isfinite(self.coefficient) and self.coefficient >= 0):
            raise ModelError(
                f"mechanism '{self.name}' has the coefficient {self.coefficient:g}; "
                "it must be finite and not negative, or it would not dissipate"
            )
        if not self.weights or not all(map(math.isfinite, self.weights.values())):
            raise ModelError(f"mechanism '{self.name}' needs finite weights, found {dict(self.weights)}")


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
class Medium:
    """What happens inside a region. A field that no conduction mentions is absent from the region.

    Examples
    --------
    >>> from fespin.onsager import Mechanism, Medium
    >>> channels = tuple(Mechanism(x, 2.5e7, {x: 1.0}) for x in ("up", "down"))
    >>> copper = Medium(channels, reactions=(Mechanism("spin flip", 2e20, {"up": 1.0, "down": -1.0}),))
    >>> sorted(copper.fields)
    ['down', 'up']
    """

    conduction: tuple[Mechanism[str], ...] = ()
    reactions: tuple[Mechanism[str], ...] = ()
    storage: tuple[Mechanism[str], ...] = ()
    reversible: tuple[Reversible[str], ...] = ()

    @property
    def fields(self) -> frozenset[str]:
        """The fields that live in the region."""
        return frozenset(f for m in self.conduction for f in m.weights)


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
    contact (W/m2), `reversible` couplings there do not.

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
            for m in (*medium.conduction, *medium.reactions, *medium.storage):
                for f in m.weights:
                    if f not in self.fields:
                        raise ModelError(f"'{m.name}' in '{place}' names '{f}': {nearest(f, self.fields)}")
                    if f not in medium.fields:
                        raise ModelError(f"'{m.name}' in '{place}' acts on '{f}', which nothing conducts there")
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


def matrix_of[K: Hashable](
    mechanisms: Sequence[Mechanism[K]], keys: Sequence[K], reversible: Sequence[Reversible[K]] = ()
) -> NDArray[np.float64]:
    """Return ``sum c w w^T`` plus the antisymmetric part, over `keys`.

    Entries below rounding are set to zero exactly: they decide which blocks of
    the global matrix exist.
    """
    at = {k: i for i, k in enumerate(keys)}
    matrix = np.zeros((len(at), len(at)))
    for m in mechanisms:
        w = np.zeros(len(at))
        w[[at[k] for k in m.weights]] = list(m.weights.values())
        matrix += m.coefficient * np.outer(w, w)
    for r in reversible:
        matrix[at[r.row], at[r.column]] += r.value
        matrix[at[r.column], at[r.row]] -= r.value
    matrix[np.abs(matrix) < 1e-14 * np.abs(matrix).max(initial=0.0)] = 0.0
    return matrix


def face_matrix(
    mechanisms: Sequence[Mechanism[Side]], fields: Sequence[str], reversible: Sequence[Reversible[Side]] = ()
) -> NDArray[np.float64]:
    """Return the matrix of an interface over (side, field, side, field)."""
    n = len(fields)
    return matrix_of(mechanisms, [(s, f) for s in (0, 1) for f in fields], reversible).reshape(2, n, 2, n)


def mechanisms_of[K: Hashable](name: str, matrix: ArrayLike, keys: Sequence[K]) -> tuple[Mechanism[K], ...]:
    """Return the mechanisms of a symmetric matrix of Onsager coefficients over `keys`.

    Parameters
    ----------
    name
        Prefix of the mechanisms' names.
    matrix
        Symmetric, positive semidefinite, shape ``(len(keys), len(keys))``.
    keys
        The fields (or sides of an interface) its rows stand for.

    Raises
    ------
    ModelError
        If the matrix is not symmetric, or has a negative eigenvalue; the combination of
        potentials that would produce power is named.

    Examples
    --------
    >>> from fespin.onsager import mechanisms_of
    >>> drag = [[4e7, 1e7], [1e7, 2e7]]  # S/m
    >>> [f"{m.coefficient:.3g}" for m in mechanisms_of("conduction", drag, ("up", "down"))]
    ['1.59e+07', '4.41e+07']
    >>> mechanisms_of("conduction", [[1e7, 2e7], [2e7, 1e7]], ("up", "down"))
    Traceback (most recent call last):
        ...
    fespin.errors.ModelError: 'conduction' is not positive: the combination (-0.71 up +0.71 down)...
    """
    a = np.asarray(matrix, dtype=float)
    if a.shape != (len(keys), len(keys)) or not np.allclose(a, a.T, rtol=1e-12, atol=0.0):
        raise ModelError(f"'{name}' must be a symmetric {len(keys)} x {len(keys)} matrix of Onsager coefficients")
    values, vectors = np.linalg.eigh(a)
    tiny = 1e-13 * np.abs(values).max(initial=0.0)
    if values.min(initial=0.0) < -tiny:
        v = vectors[:, values.argmin()]
        combination = " ".join(f"{x:+.2g} {k}" for k, x in zip(keys, v, strict=True) if abs(x) > 1e-12)
        raise ModelError(
            f"'{name}' is not positive: the combination ({combination}) would produce power "
            f"(eigenvalue {values.min():.3g})"
        )
    return tuple(
        Mechanism(f"{name} {i}", float(x), {k: float(w) for k, w in zip(keys, v, strict=True) if w})
        for i, (x, v) in enumerate(zip(values, vectors.T, strict=True))
        if x > tiny
    )
